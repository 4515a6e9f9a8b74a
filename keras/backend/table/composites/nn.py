"""Activations, softmax, normalization, dense products and embeddings, written once over the primitives.

What engines override first: `relu`, `sigmoid`, `softmax`, `log_softmax`, `gelu`, `silu`, `linear`,
`batch_normalization`, `batch_normalization_train`, `layer_normalization`.
"""
import math

from keras.backend.contract import rules
from keras.backend.table import primitives as p
from keras.backend.table.cases import F, I, P
from keras.backend.table.composites.math import clip, expm1, less_equal, log1p, mean, rsqrt
from keras.backend.table.composites.shape import (dtype_of, moveaxis, ndim, repeat, resized, shape, split, squeeze,
                                                  static_shape)
from keras.backend.table.dispatch import composite

# The fixed point of Klambauer et al. (2017).
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


# --- activations ------------------------------------------------------------------------------------------------

@composite(cases=[(F(2, 3),), (F(2, 3), 0.1), (F(2, 3), 0.0, 1.2), (F(2, 3), 0.2, 1.5, 0.3), (I(5, 3),)])
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """The rectified linear unit.

    `x` between `threshold` and `max_value`, `max_value` above it (no bound for None), and
    `negative_slope * (x - threshold)` up to `threshold`.

    Example:
        >>> keras.ops.relu([-1.0, 2.0])
        array([0., 2.], dtype=float32)
    """
    # At the kinks the gradient is that from the left; `maximum` alone has engines divide it between both sides.
    if negative_slope:
        result = p.where(p.less(threshold, x), x, p.multiply(p.subtract(x, threshold), negative_slope))
    elif threshold:
        result = p.where(less_equal(x, threshold), p.full_like(x, 0), x)
    else:
        result = p.where(p.equal(x, 0), p.full_like(x, 0), p.maximum(x, 0))
    return result if max_value is None else p.minimum(result, max_value)


@composite(cases=[(F(2, 3),), (F(2, 3), 0.3)])
def leaky_relu(x, negative_slope=0.2):
    """`x` where positive, `negative_slope * x` elsewhere.

    Example:
        >>> keras.ops.leaky_relu([-1.0, 1.0])
        array([-0.2,  1. ], dtype=float32)
    """
    return relu(x, negative_slope)


@composite(cases=[(F(2, 3),)])
def relu6(x):
    """`min(max(x, 0), 6)`.

    Example:
        >>> keras.ops.relu6([-1.0, 8.0])
        array([0., 6.], dtype=float32)
    """
    return relu(x, 0.0, 6.0) if rules.is_float(dtype_of(x)) else clip(x, 0, 6)


@composite(promote='float', cases=[(F(2, 3),), (F(2, 3), 0.5)])
def elu(x, alpha=1.0):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2015).

    Example:
        >>> keras.ops.elu([-1.0, 1.0])
        array([-0.6321206,  1.       ], dtype=float32)
    """
    positive = p.less(0.0, x)
    return p.where(positive, x, expm1(p.where(positive, p.full_like(x, 0.0), x)) * alpha)


@composite(promote='float', cases=[(F(2, 3),)])
def selu(x):
    """The scaled exponential linear unit (Klambauer et al., 2017).

    Example:
        >>> keras.ops.selu([-1.0, 1.0])
        array([-1.1113307,  1.050701 ], dtype=float32)
    """
    return elu(x, SELU_ALPHA) * SELU_SCALE


@composite(promote='float', cases=[(F(2, 3),), (F(2, 3), 0.5)])
def celu(x, alpha=1.0):
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)` (Barron, 2017).

    Example:
        >>> keras.ops.celu([-1.0, 1.0])
        array([-0.6321206,  1.       ], dtype=float32)
    """
    positive = p.less(0.0, x)
    return p.where(positive, x, expm1(p.where(positive, p.full_like(x, 0.0), x) / alpha) * alpha)


@composite(promote='float', cases=[(F(2, 3),), (F(2, 3), False)])
def gelu(x, approximate=True):
    """`x` times the normal distribution function of `x` (Hendrycks and Gimpel, 2016), or its approximation by tanh.

    Example:
        >>> keras.ops.gelu([-1.0, 1.0])
        array([-0.158808,  0.841192], dtype=float32)
    """
    if approximate:
        inner = p.tanh((x + x * x * x * 0.044715) * math.sqrt(2.0 / math.pi))
    else:
        inner = p.erf(x * math.sqrt(0.5))
    return x * (inner + 1.0) * 0.5


@composite(promote='float', cases=[(F(2, 3),)])
def sigmoid(x):
    """`1 / (1 + exp(-x))`.

    Example:
        >>> keras.ops.sigmoid([0.0, 2.0])
        array([0.5      , 0.8807971], dtype=float32)
    """
    return (p.tanh(x * 0.5) + 1.0) * 0.5


@composite(promote='float', cases=[(F(2, 3),), (F(4),)])
def hard_sigmoid(x):
    """`min(max(x / 6 + 0.5, 0), 1)`: the piecewise linear sigmoid of Keras 3.

    Example:
        >>> keras.ops.hard_sigmoid([-3.0, 0.0, 3.0])
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return clip(x / 6.0 + 0.5, 0.0, 1.0)


@composite(promote='float', cases=[(F(2, 3),)])
def hard_sigmoid_keras2(x):
    """`min(max(0.2 x + 0.5, 0), 1)`: the piecewise linear sigmoid of Keras 1 and 2."""
    return clip(x * 0.2 + 0.5, 0.0, 1.0)


@composite(promote='float', cases=[(F(2, 3),)])
def silu(x):
    """`x * sigmoid(x)`, also called swish.

    Example:
        >>> keras.ops.silu([0.0, 2.0])
        array([0.       , 1.7615942], dtype=float32)
    """
    return x * sigmoid(x)


@composite(promote='float', cases=[(F(2, 3),)])
def hard_silu(x):
    """`x * hard_sigmoid(x)`.

    Example:
        >>> keras.ops.hard_silu([-3.0, 0.0, 3.0])
        array([-0.,  0.,  3.], dtype=float32)
    """
    return x * hard_sigmoid(x)


@composite(promote='float', cases=[(F(2, 3),)])
def hard_tanh(x):
    """`min(max(x, -1), 1)`.

    Example:
        >>> keras.ops.hard_tanh([-2.0, 0.5])
        array([-1. ,  0.5], dtype=float32)
    """
    return clip(x, -1.0, 1.0)


@composite(promote='float', cases=[(F(2, 3),)])
def softplus(x):
    """`log(exp(x) + 1)`.

    Example:
        >>> keras.ops.softplus([0.0])
        array([0.6931472], dtype=float32)
    """
    # With maximum and abs the slope at 0 would be what an engine takes there for each.
    positive = p.less(0.0, x)
    return p.where(positive, x, p.full_like(x, 0.0)) + log1p(p.exp(-p.where(positive, x, -x)))


@composite(promote='float', cases=[(F(2, 3),)])
def log_sigmoid(x):
    """`log(sigmoid(x))`.

    Example:
        >>> keras.ops.log_sigmoid([0.0])
        array([-0.6931472], dtype=float32)
    """
    return -softplus(-x)


@composite(promote='float', cases=[(F(2, 3),)])
def softsign(x):
    """`x / (|x| + 1)`.

    Example:
        >>> keras.ops.softsign([-1.0, 3.0])
        array([-0.5 ,  0.75], dtype=float32)
    """
    return x / (p.abs(x) + 1.0)


@composite(promote='float', cases=[(F(2, 3),)])
def tanh_shrink(x):
    """`x - tanh(x)`.

    Example:
        >>> keras.ops.tanh_shrink([0.0, 1.0])
        array([0.        , 0.23840582], dtype=float32)
    """
    return x - p.tanh(x)


@composite(promote='float', cases=[(F(2, 3),), (F(2, 3), 1.0)])
def soft_shrink(x, threshold=0.5):
    """`x` moved towards 0 by `threshold`, 0 where it is closer than that.

    Example:
        >>> keras.ops.soft_shrink([-1.0, 0.25])
        array([-0.5,  0. ], dtype=float32)
    """
    return p.maximum(x - threshold, 0.0) + p.minimum(x + threshold, 0.0)


@composite(promote='float', cases=[(F(2, 3),), (F(2, 3), 1.0)])
def hard_shrink(x, threshold=0.5):
    """`x` where it is further than `threshold` from 0, 0 elsewhere.

    Example:
        >>> keras.ops.hard_shrink([-1.0, 0.25])
        array([-1.,  0.], dtype=float32)
    """
    return p.where(less_equal(p.abs(x), threshold), p.full_like(x, 0.0), x)


@composite(cases=[(F(2, 3), 0.5, -1.0)])
def threshold(x, threshold, default_value):
    """`x` where it is above `threshold`, `default_value` elsewhere.

    Example:
        >>> keras.ops.threshold([0.5, 2.0], 1.0, 0.0)
        array([0., 2.], dtype=float32)
    """
    return p.where(less_equal(x, threshold), p.cast(default_value, dtype_of(x)), x)


@composite(promote='float', cases=[(F(2, 3),), (F(2, 3), 2.0)])
def squareplus(x, b=4):
    """`(x + sqrt(x^2 + b)) / 2` (Barron, 2021).

    Example:
        >>> keras.ops.squareplus([0.0])
        array([1.], dtype=float32)
    """
    return (x + p.sqrt(x * x + float(b))) * 0.5


@composite(promote='float', cases=[(F(2, 3),)])
def sparse_plus(x):
    """0 below -1, `(x + 1)^2 / 4` between -1 and 1, `x` above 1.

    Example:
        >>> keras.ops.sparse_plus([-2.0, 0.0, 2.0])
        array([0.  , 0.25, 2.  ], dtype=float32)
    """
    middle = p.multiply(x + 1.0, x + 1.0) * 0.25
    return p.where(p.less(x, -1.0), p.full_like(x, 0.0), p.where(p.less(x, 1.0), middle, x))


@composite(promote='float', cases=[(F(2, 3),)])
def sparse_sigmoid(x):
    """0 below -1, `(x + 1) / 2` between -1 and 1, 1 above 1.

    Example:
        >>> keras.ops.sparse_sigmoid([-2.0, 0.0, 2.0])
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return clip((x + 1.0) * 0.5, 0.0, 1.0)


@composite(promote='float', cases=[(F(2, 4),), (F(4, 3), 0)])
def glu(x, axis=-1):
    """The first half of `x` along `axis` times the sigmoid of the second (Dauphin et al., 2016).

    Example:
        >>> keras.ops.glu([1.0, 0.0])
        array([0.5], dtype=float32)
    """
    first, second = split(x, 2, axis)
    return first * sigmoid(second)


# --- softmax ----------------------------------------------------------------------------------------------------

@composite(promote='float', cases=[(F(2, 3),), (F(2, 3, 4), 1), (F(2, 3, 4), (0, 2)), (F(3), 0)])
def softmax(x, axis=-1):
    """`exp(x) / sum(exp(x))` along `axis`, an int or a tuple.

    Example:
        >>> keras.ops.softmax([0.0, 0.0])
        array([0.5, 0.5], dtype=float32)
    """
    powers = p.exp(x - p.stop_gradient(p.max(x, axis, True)))
    return powers / p.sum(powers, axis, True)


@composite(promote='float', cases=[(F(2, 3),), (F(2, 3, 4), 1), (F(2, 3, 4), (0, 2))])
def log_softmax(x, axis=-1):
    """`log(softmax(x))`, without the loss of precision of taking them in turn.

    Example:
        >>> keras.ops.log_softmax([0.0, 0.0])
        array([-0.6931472, -0.6931472], dtype=float32)
    """
    shifted = x - p.stop_gradient(p.max(x, axis, True))
    return shifted - p.log(p.sum(p.exp(shifted), axis, True))


@composite(promote='float', cases=[(F(2, 3),), (F(5, 3), 0)])
def sparsemax(x, axis=-1):
    """The Euclidean projection of `x` onto the probability simplex along `axis` (Martins and Astudillo, 2016).

    Example:
        >>> keras.ops.sparsemax([1.0, 1.0, -5.0])
        array([0.5, 0.5, 0. ], dtype=float32)
    """
    last = moveaxis(x, axis, -1)
    falling = p.negative(p.sort(p.negative(last), -1))
    rank = p.cast(p.arange(1, shape(last)[-1] + 1, dtype='int32'), dtype_of(x))
    totals = p.cumsum(falling, -1) - 1.0
    support = p.cast(p.less(totals, falling * rank), dtype_of(x))
    size = p.sum(support, -1, True)
    excess = (p.sum(falling * support, -1, True) - 1.0) / size
    return moveaxis(p.maximum(last - excess, 0.0), -1, axis)


# --- attention --------------------------------------------------------------------------------------------------

def _check_attention(query, key, value, bias=None, scale=None, is_causal=False, soft_cap=None, fused=True):
    sizes = [static_shape(x) for x in (query, key, value)]
    if any(len(each) != 4 for each in sizes):
        raise ValueError('attention: query, key and value must have the shape (batch, length, heads, size). Received: '
                         '%s, %s and %s.' % tuple(sizes))
    query, key, value = sizes
    same = [(query[0], key[0]), (key[0], value[0]), (key[1], value[1]), (key[2], value[2]), (query[3], key[3])]
    # Where no number of heads is known, they are taken for equal.
    if (query[2] is None) != (key[2] is None and value[2] is None) or query[3] is None and scale is None:
        raise ValueError('attention: the numbers of heads and the size of the query have to be known. Received the '
                         'shapes %s and %s.' % (query, key))
    if any(None not in pair and pair[0] != pair[1] for pair in same) \
            or None not in (query[2], key[2]) and query[2] % key[2]:
        raise ValueError('attention: query (batch, T, heads, size), key (batch, S, key heads, size) and value (batch, '
                         'S, key heads, any) do not fit, heads being a multiple of key heads. Received the shapes %s, '
                         '%s and %s.' % (query, key, value))


@composite('query key value bias', promote='same_float', check=_check_attention, cases=[
    (F(2, 3, 2, 4), F(2, 5, 2, 4), F(2, 5, 2, 3)), (F(2, 3, 4, 2), F(2, 3, 2, 2), F(2, 3, 2, 2), None, 0.3, True),
    (F(2, 3, 2, 4), F(2, 5, 2, 4), F(2, 5, 2, 4), F(2, 1, 3, 5)),
    (F(2, 3, 2, 4), F(2, 3, 2, 4), F(2, 3, 2, 4), F(3, 3), None, True, 2.0)])
def attention(query, key, value, bias=None, scale=None, is_causal=False, soft_cap=None, fused=True):
    """Scaled dot-product attention (Vaswani et al., 2017), see `keras.ops.dot_product_attention`.

    `bias` is added to the logits (batch, heads, T, S); `soft_cap` bounds these before. `fused`: whether an engine may
    take a kernel of its own.
    """
    heads, few, width = static_shape(query)[2], static_shape(key)[2], static_shape(query)[3]
    few = static_shape(value)[2] if few is None else few
    query, key, value = [p.transpose(x, (0, 2, 1, 3)) for x in (query, key, value)]
    if heads != few:
        key, value = repeat(key, heads // few, 1), repeat(value, heads // few, 1)
    query = query * (1.0 / math.sqrt(width) if scale is None else scale)
    logits = p.matmul(query, p.transpose(key, (0, 1, 3, 2)))
    if soft_cap is not None:
        logits = p.tanh(logits / soft_cap) * soft_cap
    if bias is not None:
        logits = logits + bias
    if is_causal:
        logits = p.where(_later(*shape(logits)[-2:]), p.full_like(logits, lowest_logit(dtype_of(logits))), logits)
    return p.transpose(p.matmul(softmax(logits, -1), value), (0, 2, 1, 3))


def attention_where(allowed, query, key, value, bias=None, scale=None, is_causal=False, soft_cap=None, fused=True):
    """`attention` along the True of `allowed`, which has the axes (batch, heads, T, S), or ones in their places.

    A query that may attend nowhere gets the mean of the values, and no gradient. With as low a number added to all of
    its logits, as kernels have it, both would depend on how these round, and some kernels get the gradient wrong.
    """
    dtype = dtype_of(query)
    if is_causal:
        allowed = p.logical_and(allowed, p.logical_not(_later(shape(query)[1], shape(key)[1])))
    # Masks of numbers: what is not 0 is allowed.
    allowed = p.cast(p.cast(allowed, 'bool'), dtype)
    somewhere = p.max(allowed, -1, True)
    left_out = p.multiply(p.subtract(somewhere, allowed), lowest_logit(dtype))
    if bias is not None:
        # Not a product: a bias may be infinite.
        left_out = p.add(p.where(p.cast(somewhere, 'bool'), bias, p.full_like(bias, 0.0)), left_out)
    bias = left_out
    query = p.multiply(query, p.transpose(somewhere, (0, 2, 1, 3)))
    return attention(query, key, value, bias, scale, False, soft_cap, fused)


def _later(rows, columns):
    """(rows, columns): whether a column's number is above the row's."""
    return p.less(p.reshape(p.arange(rows, dtype='int32'), (-1, 1)), p.arange(columns, dtype='int32'))


def lowest_logit(dtype):
    """A logit of which a softmax leaves nothing, beside others that are no such."""
    return -65504.0 if dtype == 'float16' else -1e9


# --- dense products ---------------------------------------------------------------------------------------------

@composite('x kernel bias', promote='same', cases=[
    (F(2, 3), F(3, 4), F(4)), (F(2, 3), F(3, 4), None), (F(2, 5, 3), F(3, 4), F(4)), (F(2, 2, 2, 3), F(3, 4), None)])
def linear(x, kernel, bias=None):
    """`x` (..., n) times `kernel` (n, m), plus `bias` (m,): the product of a dense layer, (..., m).

    Example:
        >>> keras.ops.linear([[1.0, 2.0]], [[3.0], [4.0]])
        array([[11.]], dtype=float32)
    """
    result = p.matmul(x, kernel)
    return result if bias is None else result + bias


@composite('x bias', promote='same', cases=[(F(2, 3), F(3)), (F(2, 3, 4), F(4), -1), (F(2, 3, 4), F(3), 1),
                                            (F(2, 3, 4), F(3, 4), -1)])
def bias_add(x, bias, axis=-1):
    """`x` plus `bias`, a vector along `axis` (1 or -1), or one number per element of a sample, (places..., channels).

    With `axis` 1 the numbers of the latter are read as (channels, places...), as Keras 2 does.

    Example:
        >>> keras.ops.bias_add([[1.0, 2.0]], [10.0, 20.0])
        array([[11., 22.]], dtype=float32)
    """
    if ndim(bias) > 1:
        if axis == 1:
            sizes = shape(bias)
            bias = p.reshape(bias, sizes[-1:] + sizes[:-1])
        return x + bias
    return x + along_axis(bias, axis, ndim(x))


def along_axis(vector, axis, rank):
    """A vector shaped so that it broadcasts along `axis` of a tensor of rank `rank`."""
    if vector is None or axis in (-1, rank - 1):
        return vector
    return resized(vector, [shape(vector)[0] if index == axis % rank else 1 for index in range(rank)])


@composite('indices table', cases=[(I(5, 2, 3), F(5, 4))])
def embedding(indices, table):
    """The rows of `table` (n, width) at integer `indices` (...): a tensor (..., width).

    A row that there is not, before the first or behind the last, is NaN, or the engine raises.

    Example:
        >>> keras.ops.embedding([1, 0], [[1.0, 2.0], [3.0, 4.0]])
        array([[3., 4.],
               [1., 2.]], dtype=float32)
    """
    if not rules.is_integer(dtype_of(indices)):
        indices = p.cast(indices, 'int32')
    return p.gather(table, indices, 0)


# --- normalization ----------------------------------------------------------------------------------------------

@composite(promote='float', cases=[(F(2, 3, 4), (0, 1)), (F(2, 3), 0, True)])
def moments(x, axes, keepdims=False):
    """The mean and the variance of `x` over `axes`."""
    axes = rules.normalize_axes(axes, ndim(x))
    center = mean(x, axes, True)
    deviations = x - center
    variance = mean(deviations * deviations, axes, keepdims)
    return (center if keepdims else squeeze(center, axes)), variance


_STATISTICS = [(F(4, 3), F(3), P(3), -1, F(3), F(3)), (F(2, 3, 4), F(3), P(3), 1, None, F(3)),
               (F(2, 3, 4), F(4), P(4), -1, None, None, 0.01)]


def _channels_fit(x, axis, **vectors):
    channels = static_shape(x)[axis]
    for name, vector in vectors.items():
        if vector is not None and channels is not None and static_shape(vector) != (channels,):
            raise ValueError('`%s` must be a vector of length %d, one number for each of the channels on axis %s; it '
                             'has the shape %s' % (name, channels, axis, static_shape(vector)))


def _normalization_fits(x, mean, variance, axis=-1, offset=None, scale=None, epsilon=1e-3):
    _channels_fit(x, axis, mean=mean, variance=variance, offset=offset, scale=scale)


def _train_normalization_fits(x, axis=-1, offset=None, scale=None, epsilon=1e-3):
    _channels_fit(x, axis, offset=offset, scale=scale)


@composite('x mean variance offset scale', promote='same_float', cases=_STATISTICS, check=_normalization_fits)
def batch_normalization(x, mean, variance, axis=-1, offset=None, scale=None, epsilon=1e-3):
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, all vectors along `axis` (Ioffe and Szegedy, 2015).

    Example:
        >>> keras.ops.batch_normalization([[1.0, 2.0]], [1.0, 0.0], [1.0, 4.0], -1)
        array([[0.        , 0.99987507]], dtype=float32)
    """
    rank = ndim(x)
    factor = rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    return x * along_axis(factor, axis, rank) + along_axis(shift, axis, rank)


@composite('x offset scale', promote='same_float', cases=[(F(4, 3), -1, F(3), F(3)), (F(2, 3, 4), 1, None, F(3)),
                                                          (F(2, 3, 2, 4), -1, F(4), None, 0.01)], gradient=False,
           check=_train_normalization_fits)
def batch_normalization_train(x, axis=-1, offset=None, scale=None, epsilon=1e-3):
    """Normalize `x` by its own mean and variance over all axes but `axis`.

    Returns:
        The output, the mean and the (biased) variance, both vectors and constants for gradients (fused kernels
        give no gradient by them).

    Example:
        >>> normalized, mean, variance = keras.ops.batch_normalization_train(np.array([[1.0], [3.0]]))
        >>> mean, variance
        (array([2.]), array([1.]))
    """
    rank = ndim(x)
    axes = tuple(index for index in range(rank) if index != axis % rank)
    center, variance = moments(x, axes)
    result = batch_normalization(x, center, variance, axis, offset, scale, epsilon)
    return result, p.stop_gradient(center), p.stop_gradient(variance)


@composite('x gamma beta', promote='same_float', cases=[
    (F(2, 5), F(5), F(5)), (F(2, 3, 4), None, F(4)), (F(2, 3, 4), F(3, 4), F(3, 4), (1, 2)),
    (F(2, 3, 4), F(3), None, 1)])
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=1e-3):
    """`x` with mean 0 and variance 1 over `axis`, times `gamma`, plus `beta` (Ba et al., 2016).

    `gamma` and `beta` have the sizes of the normalized axes, in their order.
    """
    axes = rules.normalize_axes(axis, ndim(x))
    center, variance = moments(x, axes, True)
    result = (x - center) * rsqrt(variance + epsilon)
    return _scaled(result, gamma, beta, axes)


@composite('x scale', promote='same_float', cases=[(F(2, 5), F(5)), (F(2, 3, 4), None, (1, 2))])
def rms_normalization(x, scale=None, axis=-1, epsilon=1e-7):
    """`x` divided by its root mean square over `axis`, times `scale` (Zhang and Sennrich, 2019)."""
    axes = rules.normalize_axes(axis, ndim(x))
    result = x * rsqrt(mean(x * x, axes, True) + epsilon)
    return _scaled(result, scale, None, axes)


def _scaled(x, gamma, beta, axes):
    rank = ndim(x)
    last = list(axes) == list(range(rank - len(axes), rank))

    def placed(parameter):
        if last or ndim(parameter) == rank or not ndim(parameter):
            return parameter
        # Axes in another order, (2, 1) say, change the shape of the parameter and not where its numbers go.
        return resized(parameter, [size if index in axes else 1 for index, size in enumerate(shape(x))])
    if gamma is not None:
        x = x * placed(gamma)
    return x if beta is None else x + placed(beta)
