"""The basic layers: dense, activation, dropout, and those that only move data."""
import warnings

import numpy as np

from keras import activations, config, generations, ops, random, regularizers
from keras.backend.contract import rules
from keras.backend.state.variables import to_array
from keras.backend.table.composites import nn
from keras.backend.table.composites.math import differs
from keras.layers.adapted import Adapted
from keras.layers.arguments import check_rate, checked_noise_shape, positive_integer, spatial_axes
from keras.layers.base import InputSpec, Layer
from keras.layers.captured import asks_for_gradients, with_captured
from keras.layers.families import SameShape
from keras.layers.functions import (described, dump_callable, func_dump, func_load, has_arg, is_code,  # noqa: F401
                                    load_callable)
from keras.saving import forms
from keras.saving.forms import serialize_keras_object
from keras.saving.kinds import deserialize_keras_object
from keras.saving.serialization import in_any_scope, refuse_code, refuses_code, SafeModeScope


class Dense(Adapted):
    """`activation(inputs @ kernel + bias)` over the last axis.

    Args:
        units: size of the output's last axis.
        activation: name or function, default none (linear).
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: of the kernel (input size, units) and the bias (units,).
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on kernel, bias and output.
        kernel_constraint, bias_constraint: applied after each training update.
        lora_rank, lora_alpha, quantization_config: see `Adapted`.

    Input (batch, ..., size), output (batch, ..., units).

    Example:
        >>> keras.layers.Dense(4, activation='relu')(np.ones((2, 3))).shape
        (2, 4)
    """
    input_spec = InputSpec(min_ndim=2)
    supports_masking = True
    faced = 'kernel'
    modes = ('int8', 'int4', 'float8', 'gptq', 'awq')

    def __init__(self, units, activation=None, use_bias=True, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, lora_rank=None, lora_alpha=None,
                 quantization_config=None, **kwargs):
        super().__init__(lora_rank, lora_alpha, quantization_config, **kwargs)
        self.declare(locals())
        self.units = positive_integer(units, 'Dense', 'units')

    def build(self, input_shape):
        size = input_shape[-1]
        if size is None:
            raise ValueError('Layer %r (Dense) needs inputs whose last size is known. Received the shape %s. The usual '
                             'cause: input_shape leaves the last size open.' % (self.name, tuple(input_shape)))
        self.kernel = self.add_weight(name='kernel', shape=(size, self.units))
        self.bias = self.add_weight(name='bias', shape=(self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.adapt_weights()

    def call(self, inputs):
        bias = self.bias
        if self.is_quantized:
            outputs = self.quantized_product(inputs)
            outputs = outputs if bias is None else self.biased(outputs, bias.value)
        else:
            outputs = nn.linear(inputs, self.kernel.value, None if bias is None else bias.value)
        activation = self.activation
        return outputs if activation is None or activation is activations.linear else activation(outputs)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[:-1]) + (self.units,)


class Activation(SameShape):
    """An activation function as a layer.

    Args:
        activation: name or function.

    Example:
        >>> keras.layers.Activation('relu')(np.array([[-1.0, 2.0]], 'float32'))
        array([[0., 2.]], dtype=float32)
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def call(self, inputs):
        return self.activation(inputs)

    def compute_output_shape(self, input_shape):
        # Of Keras's functions it alone gives another shape.
        halves = self.activation is activations.glu
        return self.shape_by_running(input_shape) if halves else super().compute_output_shape(input_shape)

    def in_channels_first(self, rank):
        return self if activations.is_elementwise(self.activation) else None


class Identity(SameShape):
    """Its inputs, as they are: a tensor or a structure of them.

    Example:
        >>> keras.layers.Identity()(np.array([[1.0]], 'float32'))
        array([[1.]], dtype=float32)
    """

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def in_channels_first(self, rank):
        return self


class ActivityRegularization(SameShape):
    """Passes its inputs on and adds a penalty on them to the loss.

    Args:
        l1, l2: factors of the sums of absolute values and of squares.
    """

    def __init__(self, l1=0., l2=0., **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.activity_regularizer = regularizers.L1L2(l1=l1, l2=l2)

    def call(self, inputs):
        return inputs

    def get_config(self):
        config = super().get_config()
        del config['activity_regularizer']
        return config


# --- dropout --------------------------------------------------------------------------------------------------

class Dropout(SameShape):
    """Sets a random share `rate` of the inputs to 0 and scales the others by `1 / (1 - rate)`, in training only.

    Args:
        rate: number between 0 and 1.
        noise_shape: shape of the random mask, which is broadcast to the inputs; None stands for the input's size.
        seed: int, or None to draw one.

    Source: Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting (2014).

    Example:
        >>> keras.layers.Dropout(0.5)(np.ones((1, 2), 'float32'))
        array([[1., 1.]], dtype=float32)
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        if self.ruled('rates_are_clipped') and isinstance(rate, (int, float)) and not 0 <= rate <= 1:
            self.rate = rate = min(1.0, max(0.0, rate))
            warnings.warn('%s: `rate` must be a number between 0 and 1. It is taken as %g.'
                          % (type(self).__name__, rate), stacklevel=3)
        check_rate(rate, type(self).__name__)
        self.noise_shape = checked_noise_shape(noise_shape, type(self).__name__)
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def _get_noise_shape(self, inputs):
        if self.noise_shape is None:
            return None
        sizes = ops.shape(inputs)
        return tuple(sizes[axis] if size is None else size for axis, size in enumerate(self.noise_shape))

    def call(self, inputs, training=None):
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, self._get_noise_shape(inputs), self.seed_generator)

    def in_channels_first(self, rank):
        return self if self.noise_shape is None else None


class _SpatialDropout(Dropout):
    """Dropout of whole feature maps: one random number per sample and channel."""

    data_format = 'channels_last'

    def get_config(self):
        result = super().get_config()
        if not forms.is_full(self):
            return result
        names = ('rate', 'seed', 'name') + ('data_format',) * ('data_format' in result)
        return dict({name: result[name] for name in names}, dtype=self.dtype)

    def _get_noise_shape(self, inputs):
        sizes = list(ops.shape(inputs))
        for axis in spatial_axes(self.data_format, len(sizes)):
            sizes[axis] = 1
        return tuple(sizes)

    def in_channels_first(self, rank):
        return self.in_other_format()


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of (batch, steps, channels), in training only.

    Args:
        rate: share of the channels that is set to 0.

    Source: Tompson et al., Efficient object localization using convolutional networks (2015).
    """
    input_spec = InputSpec(ndim=3)


class _FormattedSpatialDropout(_SpatialDropout):

    def __init__(self, rate, data_format=None, **kwargs):
        super().__init__(rate, **kwargs)
        self.declare(locals())
        self.data_format = config.normalize_data_format(data_format)


class SpatialDropout2D(_FormattedSpatialDropout):
    """Dropout of whole feature maps of images, in training only.

    Args:
        rate: share of the feature maps that is set to 0.
        data_format: 'channels_last' or 'channels_first', default from keras.json.

    Source: Tompson et al., Efficient object localization using convolutional networks (2015).
    """
    input_spec = InputSpec(ndim=4)


class SpatialDropout3D(_FormattedSpatialDropout):
    """Dropout of whole feature maps of volumes, in training only; arguments as for `SpatialDropout2D`."""
    input_spec = InputSpec(ndim=5)


# --- shape ----------------------------------------------------------------------------------------------------

class Flatten(Layer):
    """All axes but the batch as one.

    Args:
        data_format: with 'channels_first' the inputs are read as such and the channels are made the last axis
            first, so that weights behind this layer fit either format. Default from keras.json.

    Example:
        >>> keras.layers.Flatten()(np.ones((2, 3, 4))).shape
        (2, 12)
    """
    input_spec = InputSpec(min_ndim=1)

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.data_format = config.normalize_data_format(data_format)

    def in_channels_first(self, rank):
        return self.in_other_format()

    def call(self, inputs):
        rank = ops.ndim(inputs)
        if self.data_format == 'channels_first' and rank > 2:
            inputs = ops.transpose(inputs, (0,) + tuple(range(2, rank)) + (1,))
        sizes = ops.shape(inputs)
        size = rules.product([size if isinstance(size, int) else None for size in sizes[1:]])
        # A batch of no samples leaves -1 undecided only where another size is 0 too.
        return ops.reshape(inputs, (-1, size) if size else (sizes[0], -1 if size is None else 0))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], rules.product(input_shape[1:]))


class Reshape(Layer):
    """The inputs in another shape.

    Args:
        target_shape: the new shape without the batch; one -1 is worked out.

    Raises:
        ValueError: if the number of elements does not fit.

    Example:
        >>> keras.layers.Reshape((2, -1))(np.ones((3, 8))).shape
        (3, 2, 4)
    """
    nothing_to_build = True

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.target_shape = tuple(target_shape)
        if any(not hasattr(size, '__index__') or size < -1 for size in self.target_shape):
            raise ValueError('Reshape: each size of `target_shape` must be a non-negative integer, or -1 for one that '
                             'is worked out. Received: target_shape=%s' % (self.target_shape,))
        if list(self.target_shape).count(-1) > 1:
            raise ValueError('Reshape: there can be at most one unknown dimension (-1). Received: target_shape=%s'
                             % (self.target_shape,))

    def compute_output_shape(self, input_shape):
        sizes = tuple(input_shape[1:])
        if None in sizes:
            known = tuple(None if size == -1 else size for size in self.target_shape)
            return (input_shape[0],) + known
        try:
            return (input_shape[0],) + rules.reshape(rules.AbstractTensor(sizes, 'float32'), self.target_shape).shape
        except ValueError as error:
            raise ValueError('Layer %r (Reshape): %s (without the batch).' % (self.name, error)) from None

    def call(self, inputs):
        sizes = ops.shape(inputs)
        target = self.compute_output_shape([size if isinstance(size, int) else None for size in sizes])[1:]
        if None in target:
            return ops.reshape(inputs, (sizes[0],) + self.target_shape)
        return ops.reshape(inputs, ((-1,) if 0 not in target else sizes[:1]) + target)


class Permute(Layer):
    """The axes of the inputs in another order.

    Args:
        dims: the axes, counted from 1 without the batch: `(2, 1)` exchanges the first two.

    Example:
        >>> keras.layers.Permute((2, 1))(np.ones((2, 3, 4))).shape
        (2, 4, 3)
    """

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError('Permute: Invalid permutation argument `dims`, which must name the axes 1 to n once each '
                             '(0, the batch, stays). Received: dims=%r' % (dims,))
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        return ops.transpose(inputs, (0,) + self.dims)

    def compute_output_shape(self, input_shape):
        return (input_shape[0],) + tuple(input_shape[axis] for axis in self.dims)


class RepeatVector(Layer):
    """(batch, size) repeated `n` times: (batch, n, size).

    Args:
        n: number of repetitions.
    """
    input_spec = InputSpec(ndim=2)

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        if not hasattr(n, '__index__'):
            raise TypeError('RepeatVector: Expected an integer value for `n`. Received: n=%r' % (n,))
        if n <= 0:
            raise ValueError('RepeatVector: the value of `n` should be a positive integer. Received: n=%r' % (n,))

    def call(self, inputs):
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, 1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])


class Masking(SameShape):
    """Masks the time steps in which all features equal `mask_value`, and sets them to 0.

    Args:
        mask_value: the number that marks a step to skip.

    Input (batch, steps, ..., features); the mask has the input's shape without the last axis.
    """

    def __init__(self, mask_value=0., **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def compute_mask(self, inputs, mask=None):
        return differs(inputs, self.mask_value)

    def call(self, inputs):
        kept = ops.expand_dims(differs(inputs, self.mask_value), -1)
        return ops.multiply(inputs, ops.cast(kept, self.float_type(inputs)))


class Lambda(Layer):
    """A function as a layer. It holds no weights of its own.

    Args:
        function: function of the inputs (a tensor, or a list of tensors), written with keras.ops, keras.backend
            or the functions of the engine in use.
        output_shape: shape of the result without the batch, or a function from input shape to output shape;
            usually it need not be given.
        mask: the mask to hand on, or a function of (inputs, mask), default none.
        arguments: dictionary of keyword arguments for the function.

    Lambda functions are saved as Python byte code, which only the Python version that wrote it can read; a
    named function, or a layer of your own, has no such limit.

    Example:
        >>> keras.layers.Lambda(lambda x: x ** 2)(np.array([[3.0]], 'float32'))
        array([[9.]], dtype=float32)
    """

    floats_give_floats = False
    serves_as_activation = True

    runs_given_code = True

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError('Lambda: `function` must be a function. Received: %r' % (function,))
        self.function = function
        self.arguments = dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None
        if output_shape is not None and not callable(output_shape):
            if not isinstance(output_shape, (tuple, list)):
                raise TypeError('Lambda: `output_shape` must be a tuple, a list or a function. Received: %r'
                                % (output_shape,))
            output_shape = tuple(output_shape)
        self._output_shape = output_shape
        self._takes_mask = has_arg(function, 'mask')
        self._takes_gradients = asks_for_gradients(function)

    def _captured(self, signature, args, kwargs):
        return with_captured(self.function, args[0], self.arguments)

    def _asks_for_gradients(self):
        return self._takes_gradients

    def _rule_is_call(self):
        return self._output_shape is None and type(self).compute_output_shape is Lambda.compute_output_shape

    def call(self, inputs, mask=None):
        if self._takes_mask and 'mask' not in self.arguments:
            return self.function(inputs, mask=mask, **self.arguments)
        return self.function(inputs, **self.arguments)

    def compute_output_shape(self, input_shape):
        if self._output_shape is None:
            return self.shape_by_running(input_shape)
        if callable(self._output_shape):
            shape = self._output_shape(input_shape)
            if not isinstance(shape, (tuple, list)):
                raise ValueError('Layer %r (Lambda): `output_shape` must return a tuple. Received: %r'
                                 % (self.name, shape))
            return shape if isinstance(shape, list) else tuple(shape)
        first = input_shape[0] if isinstance(input_shape, list) else input_shape
        return (first[0] if first else None,) + self._output_shape

    def compute_mask(self, inputs, mask=None):
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self):
        config = super().get_config()
        if forms.is_full(self):
            mask = None if self.mask is None or callable(self.mask) else serialize_keras_object(to_array(self.mask))
            given = {'function': self.function, 'output_shape': self._output_shape, 'mask': mask or self.mask}
            config.update({name: described(value) if callable(value) else value
                           for name, value in given.items() if value is not None}, arguments=_plain(self.arguments))
            return config
        function, function_type = dump_callable(self.function)
        shape, shape_type = self._output_shape, 'raw'
        if callable(shape):
            shape, shape_type = dump_callable(shape)
        config.update(function=function, function_type=function_type, output_shape=shape,
                      output_shape_type=shape_type, arguments=_plain(self.arguments))
        if self.mask is not None:
            mask, mask_type = dump_callable(self.mask) if callable(self.mask) else (None, 'raw')
            config.update(mask=mask, mask_type=mask_type)
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """A layer from what `get_config` gave.

        Args:
            custom_objects: {name: function} of your own. safe_mode: False runs functions that the config holds as
                byte code; default as it is around the call.

        Raises:
            ValueError: for byte code in a config from outside of this process, unless that is allowed.
        """
        if safe_mode is None and not in_any_scope() and refuses_code() and generations.value('lambdas_are_refused'):
            for key in ('function', 'output_shape', 'mask'):
                if is_code(config.get(key)):
                    refuse_code('a `Lambda` layer whose `%s` is a Python lambda' % key)
        with SafeModeScope(refuses_code() if safe_mode is None else safe_mode):
            return cls(**cls._with_functions(dict(config), custom_objects or {}))

    @staticmethod
    def _with_functions(config, names):
        # Files of others say where a function was defined, too, but are not to have anything imported.
        modules = {key: config.pop(key) for key in list(config) if key.endswith('module')}
        kinds = {key: config.pop(key + '_type', 'raw') for key in ('function', 'output_shape', 'mask')}
        for key, kind in kinds.items():
            if isinstance(config.get(key), dict) and config[key].get('class_name') in ('__tensor__', '__numpy__'):
                config[key] = deserialize_keras_object(config[key])
            elif key == 'function' or config.get(key) is not None and (kind != 'raw' or isinstance(config[key], dict)):
                module = modules.get('module' if key == 'function' else key + '_module')
                config[key] = load_callable(config[key], kind, names, 'a `Lambda` layer whose %s' % key, module)
        config['arguments'] = {key: np.array(value['value']) if isinstance(value, dict)
                               and value.get('type') == 'ndarray' else value
                               for key, value in (config.get('arguments') or {}).items()}
        return config


def _plain(arguments):
    """Keyword arguments as JSON can hold them."""
    return {key: {'type': 'ndarray', 'value': value.tolist()} if isinstance(value, np.ndarray) else value
            for key, value in arguments.items()}
