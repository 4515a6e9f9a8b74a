"""Activations with parameters, as layers."""
from keras import ops
from keras.backend.table.composites import nn
from keras.backend.table.composites.shape import static_shape
from keras.generations import Default
from keras.layers.arguments import to_list
from keras.layers.base import InputSpec, Layer  # noqa: F401
from keras.layers.families import SameShape
from keras.saving import forms


class _Activation(SameShape):
    """A layer that works element by element."""

    def in_channels_first(self, rank):
        return self


def _number(value, layer, name, lowest=None, message=None):
    """`value` as a float. `message`: how the error for another one begins.

    Raises:
        ValueError: where it is no number, or below `lowest`.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = None
    if number is None or lowest is not None and number < lowest:
        wrong = 'a negative value' if name == 'max_value' else 'None or a negative value'
        raise ValueError('%s. Received: %s=%r. It must be a number%s.' % (
            message or '%s of a %s layer cannot be %s' % (name, layer, wrong), name, value,
            '' if lowest is None else ' of at least %s' % lowest))
    return number


class LeakyReLU(_Activation):
    """`x` where positive, `alpha * x` elsewhere.

    Args:
        alpha: slope for negative inputs. `negative_slope`: the same, as Keras 3 calls it.

    Source: Maas et al., Rectifier nonlinearities improve neural network acoustic models (2013).

    Example:
        >>> keras.layers.LeakyReLU(0.5)(np.array([[-2.0, 3.0]], 'float32'))
        array([[-1.,  3.]], dtype=float32)
    """

    def __init__(self, alpha=0.3, negative_slope=0.3, **kwargs):
        super().__init__(**kwargs)
        least = 0 if self.ruled('negative_slopes_are_refused') else None
        by_old_name = negative_slope == 0.3 or negative_slope is None and least is None
        self.alpha = _number(alpha if by_old_name else negative_slope, 'LeakyReLU', 'negative_slope', least,
                             'The negative_slope value of a Leaky ReLU layer cannot be None or negative value')

    @property
    def negative_slope(self):
        return self.alpha

    def call(self, inputs):
        return nn.leaky_relu(inputs, self.alpha)

    def get_config(self):
        config = super().get_config()
        config['negative_slope' if forms.is_full(self) else 'alpha'] = self.alpha
        return config


class PReLU(_Activation):
    """`x` where positive, `alpha * x` elsewhere, with a trained `alpha` per element.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the weights.
        shared_axes: axes, counted with the batch, along which one `alpha` is shared: `[1, 2]` behind a Conv2D for
            one per channel.

    Source: He et al., Delving deep into rectifiers (2015).
    """

    def __init__(self, alpha_initializer=Default('PReLU.alpha_initializer'), alpha_regularizer=None,
                 alpha_constraint=None, shared_axes=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.shared_axes = None if shared_axes is None else to_list(shared_axes, True)

    def build(self, input_shape):
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if not -len(shape) <= axis <= len(shape) or axis == 0:
                raise ValueError('Layer %r (PReLU): shared_axes=%s must name axes behind the batch. Received the shape '
                                 '%s.' % (self.name, self.shared_axes, tuple(input_shape)))
            shape[axis - 1 if axis > 0 else axis] = 1
        if None in shape:
            raise ValueError('Layer %r (PReLU) has one weight per element, so its input sizes must be known. Received '
                             'the shape %s. Share the weights along the unknown axes with shared_axes=[...].'
                             % (self.name, tuple(input_shape)))
        self.alpha = self.add_weight(name='alpha', shape=tuple(shape))
        fixed = {axis: size for axis, size in enumerate(input_shape)
                 if axis > 0 and axis not in (self.shared_axes or ()) and axis - len(input_shape) not in
                 (self.shared_axes or ())}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=fixed)
        self.built = True

    def call(self, inputs):
        negative = ops.multiply(self.alpha.value, nn.relu(ops.negative(inputs)))
        return ops.subtract(nn.relu(inputs), negative)

    def in_channels_first(self, rank):
        return None


class ELU(_Activation):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Args:
        alpha: what the output tends to for very negative inputs, negated.

    Source: Clevert et al., Fast and accurate deep network learning by exponential linear units (2015).
    """

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.alpha = _number(alpha, 'ELU', 'alpha')

    def call(self, inputs):
        return nn.elu(inputs, self.alpha)


class ThresholdedReLU(_Activation):
    """`x` where it is above `theta`, 0 elsewhere.

    Args:
        theta: the threshold, not negative.

    Source: Konda et al., Zero-bias autoencoders and the benefits of co-adapting features (2014).
    """

    def __init__(self, theta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.theta = _number(theta, 'ThresholdedReLU', 'theta', 0)

    def call(self, inputs):
        return nn.threshold(inputs, self.theta, 0.0)


class Softmax(_Activation):
    """`exp(x) / sum(exp(x))` along an axis.

    Args:
        axis: the axis, or a list of axes.

    In the call, `mask` (boolean, of the inputs' shape) says which elements take part.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def assert_input_compatibility(self, inputs):
        super().assert_input_compatibility(inputs)
        rank = ops.ndim(inputs)
        for axis in self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]:
            if not -rank <= axis < rank:
                raise ValueError('Layer %r (Softmax): axis=%s does not name an axis of inputs of shape %s.'
                                 % (self.name, self.axis, tuple(inputs.shape)))

    def call(self, inputs, mask=None):
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        whole, part = static_shape(inputs), () if mask is None else static_shape(mask)
        if len(part) > len(whole):
            raise ValueError('Layer %r (Softmax): the mask must not have more dimensions than the inputs. Received: a '
                             'mask of shape %s, inputs of shape %s.' % (self.name, part, whole))
        # The mask of time steps that comes with the inputs is of lower rank; Keras 2 hands it on, without applying it.
        if mask is None or ops.ndim(mask) != ops.ndim(inputs) and not self.ruled('softmax_applies_any_mask'):
            return nn.softmax(inputs, axis)
        if len(part) < len(whole) and not _fits_last(part, whole):
            for _ in range(len(whole) - len(part)):  # one of samples or steps
                mask, part = ops.expand_dims(mask, -1), part + (1,)
        if not _fits_last(part, whole):
            raise ValueError('Layer %r (Softmax): the mask must be broadcastable to the inputs. Received: a mask of '
                             'shape %s, inputs of shape %s.' % (self.name, part, whole))
        dtype = self.float_type(inputs)
        lowest = -3e4 if dtype == 'float16' else -1e9
        masked = ops.add(inputs, ops.multiply(ops.subtract(1.0, ops.cast(mask, dtype)), lowest))
        result = nn.softmax(masked, axis)
        if not self.ruled('softmax_applies_any_mask'):
            return result
        # Where all is masked, nothing is left.
        return ops.multiply(result, ops.cast(ops.broadcast_to(mask, ops.shape(inputs)), result.dtype))

    def in_channels_first(self, rank):
        return None


def _fits_last(shape, whole):
    """Whether a shape can be broadcast to the last axes of `whole`, as far as is known."""
    return all(size in (1, None, other) or other is None for size, other in zip(shape[::-1], whole[::-1]))


class ReLU(_Activation):
    """`x` from `threshold` up to `max_value`, `max_value` above, `negative_slope * (x - threshold)` below.

    Args:
        max_value: the largest output, None for no bound. negative_slope: slope below the threshold.
        threshold: where the output begins.

    Example:
        >>> keras.layers.ReLU(max_value=6)(np.array([[-1.0, 3.0, 9.0]], 'float32'))
        array([[0., 3., 6.]], dtype=float32)
    """

    def __init__(self, max_value=None, negative_slope=0., threshold=0., **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.max_value = None if max_value is None else _number(max_value, 'ReLU', 'max_value', 0)
        self.negative_slope = _number(negative_slope, 'ReLU', 'negative_slope', 0)
        least = 0 if self.ruled('negative_slopes_are_refused') else None
        self.threshold = _number(threshold, 'ReLU', 'threshold', least)

    def call(self, inputs):
        return nn.relu(inputs, self.negative_slope, self.max_value, self.threshold)
