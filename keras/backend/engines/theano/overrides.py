"""Composites for which Theano has an operation, or where fewer nodes serve: graphs compile and run faster with them."""
from keras.backend.contract import rules
from keras.backend.contract.rules import normalize_axes, normalize_axis
from keras.backend.engines.theano.compat import DimShuffle, Elemwise, IS_THEANO, T, broadcastable, nnet, scalar
from keras.backend.engines.theano.tensors import static_shape, with_shape

OVERRIDES = {}


def override(function):
    OVERRIDES[function.__name__.rstrip('_')] = function
    return function


def _elementwise(function):
    return lambda x: with_shape(function(x), static_shape(x))


OVERRIDES.update({name: _elementwise(function) for name, function in {
    'sigmoid': nnet.sigmoid, 'softplus': nnet.softplus, 'square': T.sqr, 'log1p': T.log1p, 'expm1': T.expm1,
    'ceil': T.ceil, 'isnan': T.isnan, 'isinf': T.isinf, 'tan': T.tan, 'sinh': T.sinh, 'cosh': T.cosh}.items()})


def _comparison(function):
    def compare(x, y):
        return with_shape(function(x, y), rules.broadcast_shapes(static_shape(x), static_shape(y)))
    return compare


OVERRIDES.update({name: _comparison(function) for name, function in {
    'greater': T.gt, 'greater_equal': T.ge, 'less_equal': T.le, 'not_equal': T.neq, 'logical_xor': T.neq}.items()})


class _Rectifier(scalar.UnaryScalarOp):
    """The positive part. One node, and one for its gradient, which needs the result only: both fuse with others."""

    def impl(self, x):
        return x if not x < 0 else type(x)(0)

    def L_op(self, inputs, outputs, gradients):
        # A product, which the compiler vectorizes; a switch takes ten times as long.
        return [gradients[0] * scalar.cast(scalar.gt(outputs[0], 0), gradients[0].dtype)]

    def c_code(self, node, name, inputs, outputs, sub):
        return '%s = %s < 0 ? 0 : %s;' % (outputs[0], inputs[0], inputs[0])

    def c_code_cache_version(self):
        return (1,)


_rectified = Elemwise(_Rectifier(scalar.same_out, name='rectifier')) if IS_THEANO else \
    lambda x: T.switch(T.le(x, 0), T.constant(0, dtype=x.dtype), x)


@override
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    if negative_slope or threshold or max_value is not None or x.dtype not in ('float32', 'float64'):
        return NotImplemented
    return with_shape(_rectified(x), static_shape(x))


def _is_matrix(x, axis):
    return x.ndim == 2 and axis in (-1, 1) and x.dtype in ('float32', 'float64')


@override
def softmax(x, axis=-1):
    return with_shape(nnet.softmax(x), static_shape(x)) if IS_THEANO and _is_matrix(x, axis) else NotImplemented


@override
def log_softmax(x, axis=-1):
    return with_shape(nnet.logsoftmax(x), static_shape(x)) if IS_THEANO and _is_matrix(x, axis) else NotImplemented


@override
def binary_crossentropy(target, output, from_logits=False):
    if not from_logits:
        return NotImplemented
    shape = rules.broadcast_shapes(static_shape(target), static_shape(output))
    return with_shape(nnet.softplus(output) - output * target, shape)


@override
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    if not (IS_THEANO and from_logits and _is_matrix(output, axis) and target.ndim in (1, 2)
            and target.dtype in ('int8', 'int16', 'int32', 'int64', 'uint8')):
        return NotImplemented
    if target.ndim == 2:
        target = T.flatten(target)
    matrix, bias = _with_bias(output)
    if bias is None:
        losses = nnet.crossentropy_softmax_1hot(output, target)[0]
    else:
        losses = nnet.crossentropy_softmax_argmax_1hot_with_bias(matrix, bias, target)[0]
    return with_shape(losses, static_shape(output)[:1])


def _with_bias(x):
    """A matrix and a vector of which `x` is the sum; (x, None) where it is no such sum."""
    if x.owner is None or x.owner.op != T.add or len(x.owner.inputs) != 2:
        return x, None
    matrix, row = x.owner.inputs
    if row.owner is None or not isinstance(row.owner.op, DimShuffle) or tuple(row.owner.op.new_order) != ('x', 0) \
            or broadcastable(matrix) != (False, False):
        return x, None
    return matrix, row.owner.inputs[0]


@override
def expand_dims(x, axis=-1):
    if not isinstance(axis, int):
        return NotImplemented
    axis = normalize_axis(axis, x.ndim + 1)
    order, shape = list(range(x.ndim)), list(static_shape(x))
    order.insert(axis, 'x')
    shape.insert(axis, 1)
    return with_shape(x.dimshuffle(*order), shape)


@override
def squeeze(x, axis=None):
    shape = static_shape(x)
    axes = [index for index, size in enumerate(shape) if size == 1] if axis is None else normalize_axes(axis, x.ndim)
    kept = [index for index in range(x.ndim) if index not in axes]
    if not all(x.type.broadcastable[index] for index in axes):
        return NotImplemented
    return with_shape(x.dimshuffle(*kept), [shape[index] for index in kept])


@override
def linear(x, kernel, bias=None):
    if x.ndim != 2 or bias is None:
        return NotImplemented
    shape = rules.matmul(*[rules.AbstractTensor(static_shape(part), part.dtype) for part in (x, kernel)]).shape
    return with_shape(T.dot(x, kernel) + bias, shape)


@override
def bias_add(x, bias, axis=-1):
    if bias.ndim != 1 or x.ndim < 2:
        return NotImplemented
    axis = normalize_axis(axis, x.ndim)
    order = ['x'] * axis + [0] + ['x'] * (x.ndim - axis - 1)
    return with_shape(x + bias.dimshuffle(*order), static_shape(x))
