"""Layers that only Keras 1 had, in its words. Keras 2 says how to do without each of them."""
import inspect
import types

from keras import initializers, ops
from keras.backend.contract import rules
from keras.backend.graph.tensors import is_symbolic
from keras.backend.table.composites import nn
from keras.backend.table.composites.math import batch_dot
from keras.layers import merge as now
from keras.layers.arguments import positive_integer, to_list
from keras.layers.base import InputSpec, Layer
from keras.layers.convolutional import Conv1D, Conv2D
from keras.layers.core import Dense
from keras.layers.families import SameShape
from keras.layers.functions import dump_callable, load_callable
from keras.layers.input_layer import Input
from keras.legacy.arguments import deprecated
from keras.saving.kinds import kind_in

# --- dense --------------------------------------------------------------------------------------------------------


class _Matrices(Layer):
    """What `MaxoutDense` and `Highway` share: inputs (batch, size) and the arguments of their weights."""

    input_spec = InputSpec(ndim=2)
    kept_as = {'weights': 'initial_weights'}

    def get_config(self):
        config = super().get_config()
        del config['weights']
        return config

    def _size(self, input_shape):
        size = input_shape[-1]
        if size is None:
            raise ValueError('Layer %r (%s) needs inputs whose last size is known. Received the shape %s.'
                             % (self.name, type(self).__name__, tuple(input_shape)))
        self.input_spec = InputSpec(ndim=2, axes={1: size})
        return size

    def _matrix(self, name, shape):
        return self.add_weight(name=name, shape=shape, initializer=self.init, regularizer=self.W_regularizer,
                               constraint=self.W_constraint)

    def _offset(self, name, shape, initializer='zeros'):
        return self.add_weight(name=name, shape=shape, initializer=initializer, regularizer=self.b_regularizer,
                               constraint=self.b_constraint) if self.bias else None


class MaxoutDense(_Matrices):
    """The elementwise maximum of `nb_feature` dense layers without activation.

    Args:
        output_dim: size of the output. nb_feature: number of dense layers.
        init: initializer of their kernels. weights: initial values of kernels and biases.
        W_regularizer, b_regularizer, activity_regularizer, W_constraint, b_constraint: of kernels, biases and output.
        bias: whether there are biases. input_dim: size of the input, for the first layer of a model.

    Input (batch, size), output (batch, output_dim).

    Source: Goodfellow et al., Maxout networks (2013).

    Example:
        >>> keras.layers.MaxoutDense(2, nb_feature=3)(np.ones((4, 5), 'float32')).shape
        (4, 2)
    """

    def __init__(self, output_dim, nb_feature=4, init='glorot_uniform', weights=None, W_regularizer=None,
                 b_regularizer=None, activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True,
                 input_dim=None, **kwargs):
        super().__init__(weights=weights, input_dim=input_dim, **kwargs)
        self.declare(locals())
        self.output_dim = positive_integer(output_dim, 'MaxoutDense', 'output_dim')
        self.nb_feature = positive_integer(nb_feature, 'MaxoutDense', 'nb_feature')

    def build(self, input_shape):
        self.W = self._matrix('W', (self.nb_feature, self._size(input_shape), self.output_dim))
        self.b = self._offset('b', (self.nb_feature, self.output_dim))
        self.built = True

    def call(self, x):
        features = ops.tensordot(x, self.W.value, ((1,), (1,)))
        return ops.max(features if self.b is None else ops.add(features, self.b.value), 1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.output_dim


class Highway(_Matrices):
    """A dense layer of the size of its input, and a gate that says how much of the input passes by it.

    Args:
        init: initializer of the two kernels. activation: of the dense layer. weights: initial values.
        W_regularizer, b_regularizer, activity_regularizer, W_constraint, b_constraint: of kernels, biases and output.
        bias: whether there are biases. input_dim: size of the input, for the first layer of a model.

    Input and output (batch, size).

    Source: Srivastava et al., Highway networks (2015).

    Example:
        >>> keras.layers.Highway(activation='tanh')(np.ones((4, 5), 'float32')).shape
        (4, 5)
    """
    supports_masking = True

    def __init__(self, init='glorot_uniform', activation=None, weights=None, W_regularizer=None, b_regularizer=None,
                 activity_regularizer=None, W_constraint=None, b_constraint=None, bias=True, input_dim=None, **kwargs):
        super().__init__(weights=weights, input_dim=input_dim, **kwargs)
        self.declare(locals())

    def build(self, input_shape):
        size = self._size(input_shape)
        self.W, self.W_carry = self._matrix('W', (size, size)), self._matrix('W_carry', (size, size))
        self.b, self.b_carry = self._offset('b', (size,)), self._offset('b_carry', (size,), 'ones')
        self.built = True

    def call(self, x):
        b, b_carry = (None, None) if self.b is None else (self.b.value, self.b_carry.value)
        through = ops.sigmoid(nn.linear(x, self.W_carry.value, b_carry))
        changed = self.activation(nn.linear(x, self.W.value, b))
        return ops.add(ops.multiply(through, changed), ops.multiply(ops.subtract(1.0, through), x))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


class TimeDistributedDense(Dense):
    """`Dense` for inputs (batch, steps, size), as `Dense` itself is now; arguments as for it."""
    input_spec = InputSpec(ndim=3)
    takes_steps = True

    def build(self, input_shape):
        super().build(input_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: input_shape[-1]})


# --- convolutions -------------------------------------------------------------------------------------------------

class AtrousConvolution1D(Conv1D):
    """`Conv1D`, whose `dilation_rate` was called `atrous_rate`; the other arguments are the same."""


class AtrousConvolution2D(Conv2D):
    """`Conv2D`, whose `dilation_rate` was called `atrous_rate`; the other arguments are the same."""


AtrousConv1D = AtrousConvolution1D
AtrousConv2D = AtrousConvolution2D


def conv_output_length(input_length, filter_size, border_mode, stride, dilation=1):
    """The number of places of a convolution along an axis of `input_length`; None where that is None.

    Args:
        border_mode: 'valid', 'same', or 'full' (one place wherever the filter touches the input).
    """
    if input_length is None:
        return None
    if border_mode == 'full':
        return -(-(input_length + (filter_size - 1) * dilation) // stride)
    return rules.window_length(input_length, filter_size, stride, border_mode, dilation)


def conv_input_length(output_length, filter_size, border_mode, stride):
    """The size of an axis whose convolution has `output_length` places; None where that is None."""
    if output_length is None:
        return None
    padding = {'same': filter_size // 2, 'valid': 0, 'full': filter_size - 1}[border_mode]
    return (output_length - 1) * stride - 2 * padding + filter_size


# --- activations --------------------------------------------------------------------------------------------------

class _PerElement(SameShape):
    """Activations with weights for every element behind the batch, shared along `shared_axes`."""

    def __init__(self, shared_axes, weights=None, **kwargs):
        super().__init__(weights=weights, **kwargs)
        self.shared_axes = None if shared_axes is None else to_list(shared_axes, True)

    def _parameters(self, input_shape):
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError('Layer %r (%s) has weights for every element, so its input sizes must be known. Received '
                             'the shape %s. Share the weights along the unknown axes with shared_axes=[...].'
                             % (self.name, type(self).__name__, tuple(input_shape)))
        return tuple(shape)


class ParametricSoftplus(_PerElement):
    """`alpha * log(1 + exp(beta * x))` with a trained `alpha` and `beta` per element.

    Args:
        alpha_init, beta_init: numbers that the weights begin with. weights: initial values of both.
        shared_axes: axes, counted with the batch, along which one pair is shared.

    Source: McIntosh et al., Deep learning models of the retinal response to natural scenes (2016).
    """

    def __init__(self, alpha_init=0.2, beta_init=5.0, weights=None, shared_axes=None, **kwargs):
        super().__init__(shared_axes, weights, **kwargs)
        self.alpha_init, self.beta_init = float(alpha_init), float(beta_init)

    def build(self, input_shape):
        shape = self._parameters(input_shape)
        self.alphas = self.add_weight(name='alphas', shape=shape, initializer=initializers.Constant(self.alpha_init))
        self.betas = self.add_weight(name='betas', shape=shape, initializer=initializers.Constant(self.beta_init))
        self.built = True

    def call(self, x):
        return ops.multiply(self.alphas.value, ops.softplus(ops.multiply(self.betas.value, x)))

    def get_config(self):
        config = {'alpha_init': self.alpha_init, 'beta_init': self.beta_init, 'shared_axes': self.shared_axes}
        return dict(super().get_config(), **config)


class SReLU(_PerElement):
    """`x` between two thresholds, a line of another slope below the left and above the right one; all are trained.

    The right threshold is `t_left + abs(t_right)`.

    Args:
        t_left_init, a_left_init, t_right_init, a_right_init: initializers of thresholds and slopes.
        shared_axes: axes, counted with the batch, along which one set of weights is shared.

    Source: Jin et al., Deep learning with S-shaped rectified linear activation units (2015).
    """

    def __init__(self, t_left_init='zero', a_left_init='glorot_uniform', t_right_init='glorot_uniform',
                 a_right_init='one', shared_axes=None, **kwargs):
        super().__init__(shared_axes, **kwargs)
        self.t_left_init, self.a_left_init = initializers.get(t_left_init), initializers.get(a_left_init)
        self.t_right_init, self.a_right_init = initializers.get(t_right_init), initializers.get(a_right_init)

    _WEIGHTS = ('t_left', 'a_left', 't_right', 'a_right')

    def build(self, input_shape):
        shape = self._parameters(input_shape)
        for name in self._WEIGHTS:
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer=getattr(self, name + '_init')))
        self.built = True

    def call(self, x):
        width, left = ops.abs(self.t_right.value), self.t_left.value
        beyond = ops.subtract(x, left)
        inside = ops.minimum(nn.relu(beyond), width)
        below = ops.multiply(self.a_left.value, ops.minimum(beyond, 0.0))
        above = ops.multiply(self.a_right.value, nn.relu(ops.subtract(beyond, width)))
        return ops.add(ops.add(left, inside), ops.add(below, above))

    def get_config(self):
        config = {name + '_init': initializers.serialize(getattr(self, name + '_init')) for name in self._WEIGHTS}
        return dict(super().get_config(), shared_axes=self.shared_axes, **config)


# --- merging ------------------------------------------------------------------------------------------------------

class _Cosine(now.Dot):
    """What `mode='cos'` gave: products over the products of the lengths, with an axis of size 1 behind the batch."""

    def call(self, inputs):
        x, y = inputs
        lengths = ops.multiply(batch_dot(x, x, (self.pair[0],) * 2), batch_dot(y, y, (self.pair[1],) * 2))
        lengths = ops.maximum(ops.sqrt(lengths), 1e-7)
        return ops.expand_dims(ops.divide(batch_dot(x, y, self.pair), lengths), 1)

    def compute_output_shape(self, input_shape):
        shape = super().compute_output_shape(input_shape)
        return shape[:1] + (1,) + shape[1:]


_MODES = {
    'sum': ('add', lambda layer: now.Add()), 'mul': ('multiply', lambda layer: now.Multiply()),
    'ave': ('average', lambda layer: now.Average()), 'max': ('maximum', lambda layer: now.Maximum()),
    'concat': ('concatenate', lambda layer: now.Concatenate(layer.concat_axis)),
    'dot': ('dot', lambda layer: now.Dot(layer.dot_axes)), 'cos': ('dot', lambda layer: _Cosine(layer.dot_axes))}


class Merge(Layer):
    """One tensor of several, as a layer that is called on their list, or that stands first in a `Sequential` model.

    Args:
        layers: the layers or models whose outputs are merged: for the first layer of a `Sequential` model.
        mode: 'sum', 'mul', 'ave', 'max', 'concat', 'dot', 'cos' (of the angle), or a function of the list of tensors.
        concat_axis: the axis of 'concat'. dot_axes: the axis, or one for each of the two, of 'dot' and 'cos'.
        output_shape: with a function: the shape of its result without the batch, or a function of the list of shapes;
            usually it need not be given.
        output_mask: with a function: the mask of the result, or a function of the list of masks.
        arguments: with a function: keyword arguments for it.
        node_indices, tensor_indices: which call and which output of each of `layers` is meant, default the first.

    Keras 2 and later have a class for each mode: `Add`, `Multiply`, `Average`, `Maximum`, `Concatenate`, `Dot`, and
    `Lambda` for functions.
    """

    def __init__(self, layers=None, mode='sum', concat_axis=-1, dot_axes=-1, output_shape=None, output_mask=None,
                 arguments=None, node_indices=None, tensor_indices=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        if not callable(mode) and mode not in _MODES:
            raise ValueError('Merge: mode must be a function or one of %s. Received: %r'
                             % (', '.join(sorted(_MODES)), mode))
        self.mode, self.concat_axis = mode, concat_axis
        self.dot_axes = list(dot_axes) if isinstance(dot_axes, (list, tuple)) else dot_axes
        self.arguments = dict(arguments or {})
        self._output_shape, self._output_mask = output_shape, output_mask
        self.supports_masking = True
        self._merging = None if callable(mode) else _MODES[mode][1](self)
        self.layers = list(layers or ())
        if self.layers:
            if len(self.layers) < 2:
                raise ValueError('Merge needs at least two layers. Received: %d.' % len(self.layers))
            self(_outputs_of(self.layers, node_indices, tensor_indices))

    def call(self, inputs, mask=None):
        return self.mode(inputs, **self.arguments) if self._merging is None else self._merging.call(inputs)

    def compute_output_shape(self, input_shape):
        if self._merging is not None:
            if self.mode in ('sum', 'mul', 'ave', 'max'):
                self._check_equal(input_shape)
            return self._merging.compute_output_shape(input_shape)
        if self._output_shape is None:
            return self.shape_by_running(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        return (input_shape[0][0],) + tuple(self._output_shape)

    def _check_equal(self, shapes):
        for shape in shapes[1:]:
            if len(shape) != len(shapes[0]) or any(None not in pair and pair[0] != pair[1]
                                                   for pair in zip(shape, shapes[0])):
                raise ValueError('Layer %r (Merge): mode=%r needs inputs of one shape. Received the shapes %s.'
                                 % (self.name, self.mode, [tuple(each) for each in shapes]))

    def compute_mask(self, inputs, mask=None):
        if self._merging is not None:
            return self._merging.compute_mask(inputs, mask)
        return self._output_mask(mask) if callable(self._output_mask) else self._output_mask

    def get_config(self):
        config = {'name': self.name, 'concat_axis': self.concat_axis, 'dot_axes': self.dot_axes,
                  'arguments': self.arguments}
        for key, value in (('mode', self.mode), ('output_shape', self._output_shape),
                           ('output_mask', self._output_mask)):
            config[key], config[key + '_type'] = dump_callable(value) if callable(value) else (value, 'raw')
        if self.layers:
            kind = kind_in('keras.layers')
            config['layers'] = [kind.serialize(layer) for layer in self.layers]
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for key in ('mode', 'output_shape', 'output_mask'):
            kind = config.pop(key + '_type', 'raw')
            if kind != 'raw':
                config[key] = load_callable(config[key], kind, custom_objects or {}, 'a `Merge` layer whose %s' % key)
        if config.get('layers'):
            kind = kind_in('keras.layers')
            config['layers'] = [kind.deserialize(layer, custom_objects) for layer in config['layers']]
        return cls(**config)


def _outputs_of(layers, node_indices=None, tensor_indices=None):
    """The symbolic outputs of layers and models, those of the calls and numbers given."""
    found = []
    for place, layer in enumerate(layers):
        node = node_indices[place] if node_indices else 0
        tensor = tensor_indices[place] if tensor_indices else 0
        outputs = getattr(layer, 'outputs', None) or (
            layer.inbound_nodes[node].output_tensors if layer.inbound_nodes else None)
        if not outputs:
            raise ValueError('Merge: layer %s has no output yet. Give the first layer of each branch an input_shape, '
                             'or call the branch on an Input.' % getattr(layer, 'name', layer))
        found.append(outputs[tensor])
    return found


def merge(inputs, mode='sum', concat_axis=-1, dot_axes=-1, output_shape=None, output_mask=None, arguments=None,
          name=None):
    """`Merge` applied to a list of tensors, or a `Merge` of a list of layers.

    Arguments are those of `Merge`. Keras 2 and later have the functions `add`, `multiply`, `average`, `maximum`,
    `concatenate` and `dot` for it.

    Example:
        >>> x, y = keras.Input((3,)), keras.Input((5,))
        >>> keras.layers.merge([x, y], mode='concat').shape
        (None, 8)
    """
    axis = {'concat': ', axis=%r' % concat_axis, 'dot': ', axes=%r' % (dot_axes,),
            'cos': ', axes=%r, normalize=True' % (dot_axes,)}.get(mode if isinstance(mode, str) else '', '')
    deprecated('merge(inputs, mode=%r)' % (mode,), 'Lambda(%s)(inputs)' % getattr(mode, '__name__', 'function')
               if callable(mode) else '%s(inputs%s)' % (_MODES.get(mode, ('add',))[0], axis))
    arguments = {'mode': mode, 'concat_axis': concat_axis, 'dot_axes': dot_axes, 'output_shape': output_shape,
                 'output_mask': output_mask, 'arguments': arguments, 'name': name}
    if all(is_symbolic(x) for x in inputs):
        return Merge(**arguments)(inputs)
    return Merge(inputs, **arguments)


class _CallableModule(types.ModuleType):
    """`keras.layers.merge` is a module since Keras 2, and was a function before: it is both."""
    __call__ = staticmethod(merge)


now.__class__ = _CallableModule
now.__signature__ = inspect.signature(merge)


# --- inputs -----------------------------------------------------------------------------------------------------------

def placeholder(shape=None, batch_shape=None, name=None, dtype='float32', sparse=False, tensor=None):
    """`keras.Input` with the arguments of Keras 1 in their order, for the addresses that only Keras 1 had.

    Example:
        >>> from keras.applications.vgg16 import Input
        >>> Input((3,), (2, 3)).shape
        (2, 3)
    """
    return Input(shape, batch_shape=batch_shape, name=name, dtype=dtype, sparse=sparse, tensor=tensor)
