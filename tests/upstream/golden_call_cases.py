"""What `golden_calls.py` asks: `cases()` gives (name, function). Numbers are drawn by NumPy, the same anywhere."""
import inspect
import itertools

import keras
from keras import ops
import numpy as np

FLOATS = ('float32', 'float16', 'bfloat16')
TYPES = ('int32', 'bool', 'uint8', 'int64') + FLOATS


def values(*shape, low=-2.0, high=2.0, seed=0):
    size = int(np.prod(shape))
    found = low + (high - low) * (np.random.RandomState(seed + size).permutation(size) + 0.37) / max(size, 1)
    return found.reshape(shape).astype('float32')


def of_type(x, dtype):
    """A tensor of that type; of integers they are spread."""
    if dtype == 'bool':
        return ops.convert_to_tensor(x > 0)
    if 'int' in dtype:
        x = np.abs(np.round(3 * x)) if dtype.startswith('u') else np.round(3 * x)
    return ops.cast(ops.convert_to_tensor(x.astype('float32')), dtype)


def cases():
    for part in (_unary, _binary, _reductions, _shapes, _linear, _neural, _core, _losses, _metrics, _optimizers,
                 _schedules, _small):
        yield from part()


UNARY = """abs absolute angle arccos arccosh arcsin arcsinh arctan arctanh bartlett blackman hamming hanning cbrt ceil
conj conjugate copy cos cosh deg2rad erf erfc erfinv exp exp2 expm1 fabs floor hard_sigmoid hard_silu hard_swish
hard_tanh i0 imag isfinite isinf isnan isneginf isposinf isreal log log10 log1p log2 log_sigmoid logical_not negative
nan_to_num rad2deg real reciprocal relu relu6 round rsqrt selu sigmoid sign signbit silu sin sinc sinh softplus softsign
sparse_plus sparse_sigmoid sqrt square squareplus swish tan tanh tanh_shrink trunc bitwise_invert bitwise_not ravel
ones_like zeros_like empty_like gelu elu celu leaky_relu glu hard_shrink soft_shrink softmax log_softmax sparsemax
logsumexp sort argsort cumsum cumprod nancumsum nancumprod diff transpose diag diagflat tril triu flip fliplr flipud
normalize unique nonzero size shape ndim dtype view_as_real logdet""".split()
NO_GRADIENT = ('unique', 'empty_like')


def _unary():
    for name in UNARY:
        for dtype in TYPES + ('complex64',):
            def call(name=name, dtype=dtype):
                x = values(3, 4, low=0.05, high=0.95) if name in ('arccos', 'arcsin', 'arctanh', 'erfinv') else \
                    values(3, 4)
                if name in ('bartlett', 'blackman', 'hamming', 'hanning'):
                    return getattr(ops, name)(of_type(values(1, low=3, high=3)[0], dtype))
                if name == 'empty_like':
                    y = ops.empty_like(of_type(x, dtype))
                    return [list(y.shape), keras.backend.standardize_dtype(y.dtype)]
                if dtype == 'complex64':
                    return getattr(ops, name)(ops.convert_to_tensor((x + 1j * values(3, 4, seed=5)).astype(dtype)))
                return getattr(ops, name)(of_type(x, dtype))
            yield 'ops.%s-%s' % (name, dtype), call
        for special in ('nan', 'python'):
            yield 'ops.%s-%s' % (name, special), lambda name=name, special=special: getattr(ops, name)(
                np.array([[np.nan, np.inf], [-np.inf, 0]], 'float32') if special == 'nan' else [[0.5, 1.0], [0.2, 0.4]])


BINARY = """add subtract multiply divide divide_no_nan true_divide floor_divide mod fmod power maximum minimum fmax fmin
arctan2 hypot heaviside logaddexp logaddexp2 nextafter ldexp gcd lcm equal not_equal less less_equal greater
greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor bitwise_left_shift
bitwise_right_shift left_shift right_shift isclose allclose isin outer inner dot matmul vdot kron append cross tensordot
cdist polar digitize searchsorted where""".split()


def _binary():
    pairs = [(first, second) for first in TYPES for second in ('int32', 'bool', 'float32', 'bfloat16')] + [
        ('float32', 'python float'), ('int32', 'python float'), ('int32', 'python int'), ('bool', 'python int'),
        ('float16', 'python float'), ('bfloat16', 'python int')]
    for name in BINARY:
        for first, second in pairs:
            def call(name=name, first=first, second=second):
                x = of_type(values(3, 3), first)
                y = {'python float': 1.5, 'python int': 2}[second] if 'python' in second else of_type(
                    values(3, 3, seed=3, low=0.4 if 'shift' in name else -2), second)
                if name == 'where':
                    return ops.where(values(3, 3) > 0.2, x, y)
                if name == 'digitize':
                    return ops.digitize(x, np.array([-1.0, 0.0, 1.0], 'float32'))
                if name == 'searchsorted':
                    return ops.searchsorted(ops.sort(ops.reshape(x, (-1,))), ops.reshape(y, (-1,)))
                if name == 'tensordot':
                    return ops.tensordot(x, y, axes=1)
                return getattr(ops, name)(x, y)
            yield 'ops.%s-%s,%s' % (name, first, second), call
        yield 'ops.%s-nan' % name, lambda name=name: getattr(ops, name)(
            np.array([np.nan, np.inf, -np.inf, 0.0], 'float32'), np.array([1.0, 0.0, np.inf, 0.0], 'float32'))


REDUCTIONS = """all amax amin any argmax argmin count_nonzero max mean median min nanargmax nanargmin nanmax nanmean
nanmedian nanmin nanprod nanstd nansum nanvar prod ptp std sum var logsumexp average norm""".split()


def _reductions():
    for name in REDUCTIONS:
        keeps = 'keepdims' in inspect.signature(getattr(ops, name)).parameters
        for dtype in TYPES:
            for axis in (None, 0, -1, (0, 2), ()) if dtype in ('int32', 'float32') else (None, 1):
                for given in ({}, {'keepdims': True}) if keeps else ({},):
                    if name == 'norm' and axis == ():
                        continue
                    yield 'ops.%s-%s-%s-%s' % (name, dtype, axis, len(given)), lambda name=name, dtype=dtype, \
                        axis=axis, given=given: getattr(ops, name)(of_type(values(2, 3, 4), dtype), axis=axis, **given)
        nan = values(3, 4)
        nan[0, 1] = nan[2, 3] = np.nan
        nan[1] = np.nan
        for axis in (None, 0, 1):
            yield 'ops.%s-nan-%s' % (name, axis), lambda name=name, axis=axis, nan=nan: getattr(ops, name)(
                nan, axis=axis)
        yield 'ops.%s-empty' % name, lambda name=name: getattr(ops, name)(np.zeros((0, 3), 'float32'), axis=0)
    for name, method in itertools.product(('quantile', 'percentile', 'nanquantile', 'nanpercentile'),
                                          ('linear', 'lower', 'higher', 'midpoint', 'nearest')):
        for q, axis, keep in ((0.3, None, False), ([0.1, 0.9], 1, True), (0.5, (0, 2), False)):
            q = np.array(q, 'float32') * (100 if 'perc' in name else 1)
            for dtype in ('float32', 'int32', 'float16', 'bool'):
                yield 'ops.%s-%s-%s-%s' % (name, method, dtype, axis), lambda name=name, method=method, q=q, \
                    axis=axis, keep=keep, dtype=dtype: getattr(ops, name)(
                        of_type(values(2, 3, 4), dtype), q, axis=axis, method=method, keepdims=keep)


class Calls:
    """`calls.add('take', x, ..., key=...)` is one call of `ops` with these arguments, in each of the types."""

    def __init__(self):
        self.found = []

    def __call__(self, name, *args, types=('float32',), **kwargs):
        for dtype in types:
            def call(dtype=dtype):
                def given(x):
                    if isinstance(x, np.ndarray) and x.dtype == 'float32':
                        return of_type(x, dtype)
                    return [given(item) for item in x] if isinstance(x, list) and x and isinstance(
                        x[0], np.ndarray) else x
                return getattr(ops, name)(*[given(x) for x in args], **kwargs)
            self.found.append(('ops.%s#%d-%s' % (name, len(self.found), dtype), call))


def _shapes():
    c = Calls()
    x, m, v = values(2, 3, 4), values(3, 4), values(6)
    i = np.array([[1, 0], [0, 1]], 'int32')
    for t in (('float32', 'int32', 'bool', 'bfloat16'),):
        for s in (0, 1, -1):
            c('concatenate', [x, x + 1], axis=s, types=t)
            c('stack', [x, x + 1], axis=s, types=t)
            c('expand_dims', x, s, types=t)
            c('cumsum', x, s, types=t)
            c('cumprod', x, s, types=t)
            c('sort', x, s, types=t)
            c('argsort', x, s, types=t)
            c('flip', x, s, types=t)
            c('unstack', x, axis=s, types=t)
            c('take', x, i, axis=s, types=t)
            c('repeat', x, 2, axis=s, types=t)
            c('roll', x, 2, axis=s, types=t)
            c('diff', x, 1, axis=s, types=t)
            c('argpartition', x, 1, axis=s, types=t)
            c('trapezoid', x, axis=s, types=t)
            c('split', values(4, 4, 4), 2, axis=s, types=t)
            c('array_split', values(5, 5, 5), 3, axis=s, types=t)
            c('tri', 3, 4, s, dtype=t[0])
            c('eye', 3, 4, s)
            c('diag', m, s, types=t)
            c('diag', v, s, types=t)
            c('diagflat', m, s, types=t)
            c('diagonal', m, s, types=t)
            c('trace', m, s, types=t)
            c('tril', m, s, types=t)
            c('triu', m, s, types=t)
        c('diagonal', x, 1, 1, 2, types=t)
        c('trace', x, 1, 0, 2, types=t)
        c('swapaxes', x, 0, 2, types=t)
        c('moveaxis', x, [0, 1], [2, 0], types=t)
        c('tile', x, (2, 1, 2), types=t)
        c('tile', m, (2, 1, 2), types=t)
        c('repeat', m, [1, 2, 0], axis=0, types=t)
        c('repeat', m, 2, types=t)
        for mode in ('constant', 'reflect', 'symmetric', 'edge', 'wrap'):
            c('pad', m, ((1, 1), (0, 2)), mode=mode, types=t)
        c('pad', m, 1, constant_values=2, types=t)
        c('rot90', m, types=t)
        c('rot90', x, 3, (1, 2), types=t)
        c('reshape', x, (-1, 6), types=t)
        c('squeeze', x[:1], 0, types=t)
        c('squeeze', x[:1, :1], types=t)
        c('broadcast_to', m, (2, 3, 4), types=t)
        c('meshgrid', v, m[0], types=t)
        c('meshgrid', v, m[0], indexing='ij', types=t)
        c('hstack', [m, m], types=t)
        c('vstack', [m, m], types=t)
        c('dstack', [m, m], types=t)
        c('hsplit', m, 2, types=t)
        c('vsplit', m, [1, 2], types=t)
        c('dsplit', x, [1], types=t)
        c('take_along_axis', m, np.array([[0, 1], [1, 0], [3, -1]]), axis=1, types=t)
        c('take_along_axis', m, np.array([0, 11, 3]), types=t)
        c('take', m, [0, -1, 5], types=t)
        c('clip', m, -1, 1, types=t)
        c('clip', m, -0.5, 0.5, types=t)
        c('vander', v, types=t)
        c('vander', v, 3, increasing=True, types=t)
        c('bincount', np.array([1, 2, 2, 5]), types=t)
        c('bincount', np.array([1, 2, 2, 5]), weights=v[:4], minlength=8, types=t)
        c('bincount', np.array([[1, 2], [2, 5]]), minlength=2, types=t)
        c('histogram', v, 4, types=t)
        c('histogram', v, 4, (-1, 1), types=t)
        for mode in ('valid', 'same', 'full'):
            c('correlate', v, m[0], mode=mode, types=t)
        c('corrcoef', m, types=t)
        c('unique', np.array([3, 1, 3, 2]), return_index=True, return_inverse=True, return_counts=True)
        c('unique', m, axis=0, types=t)
        c('unique', np.array([3, 1, 3, 2]), size=5, fill_value=9)
        c('select', [m > 1, m > 0], [m, m * 2], 7, types=t)
        c('average', m, axis=1, weights=m[0], types=t)
        c('average', m, weights=np.abs(m), types=t)
        c('einsum', 'ij,kj->ik', m, m, types=t)
        c('einsum', 'ij->j', m, types=t)
        c('full_like', m, 2.5, types=t)
        c('full', (2, 3), 2, dtype=t[0])
        c('get_item', x, (slice(None), 1, Ellipsis, None), types=t)
        c('cast', m, 'int8', types=t)
        c('cast', m, 'complex64', types=t)
        c('saturate_cast', m * 500, 'uint8', types=t)
        c('saturate_cast', m * 500, 'int8', types=t)
        c('view', m, 'int16', types=t)
        c('top_k', x, 2, types=t)
        c('in_top_k', np.array([0, 3, 1]), m, 2, types=('float32', 'float16', 'bfloat16'))
        c('nan_to_num', m / 0, 1.0, 2.0, 3.0, types=t)
        c('round', m * 50, -1, types=t)
        c('round', m, 1, types=t)
        c('prod', m, dtype='float16', types=t)
        c('max', m, initial=9, types=t)
        c('isclose', m, m + 1e-3, 1e-2, 0.0, types=t)
        c('rearrange', x, 'a b c -> (a c) b', types=t)
        c('rearrange', x, 'a b (c d) -> d a b c', d=2, types=t)
        c('scatter', np.array([[0], [2], [0]]), v[:3], (4,), types=t)
        c('scatter_update', m, np.array([[0, 1], [2, 3]]), v[:2], types=t)
        for reduction in ('add', 'max', 'min', 'mul'):
            c('scatter_update', m, np.array([[0, 1], [0, 1]]), v[:2], reduction, types=t)
        for part in ('sum', 'max', 'min', 'prod'):
            c('segment_' + part, v, np.array([0, 2, 1, 0, -1, 2]), 4, types=t)
            c('segment_' + part, m, np.array([0, 1, 1]), sorted=True, types=t)
        c('slice', x, (0, 1, 2), (2, 1, 2), types=t)
        c('slice_update', x, (0, 1, 2), x[:, :1, :1], types=t)
    for dtype in (None, 'int32', 'float16', 'bfloat16', 'bool', 'float64'):
        c('arange', 5, dtype=dtype)
        c('arange', 1, 7, 2, dtype=dtype)
        c('arange', 0.5, 3.0, 0.5, dtype=dtype)
        c('linspace', 0, 5, 4, dtype=dtype)
        c('linspace', [0, 1], [2.0, 5.0], 3, endpoint=False, axis=-1, dtype=dtype)
        c('linspace', 0, 1, 3, retstep=True, dtype=dtype)
        c('logspace', 0, 2, 4, dtype=dtype)
        c('geomspace', 1, 100, 3, dtype=dtype)
        for name in ('ones', 'zeros'):
            c(name, (2, 3), dtype=dtype)
        c('identity', 3, dtype=dtype)
        c('one_hot', i, 3, dtype=dtype)
        c('one_hot', i, 3, axis=0, dtype=dtype)
        c('multi_hot', i, 3, dtype=dtype)
        c('convert_to_tensor', [1, 2], dtype=dtype)
        c('convert_to_tensor', [1.5, 2], dtype=dtype)
        c('array', 3, dtype=dtype)
    c('one_hot', np.array([-1, 0, 5]), 3)
    c('unravel_index', np.array([1, 5, 7]), (3, 4))
    c('kaiser', 5, 3.0)
    for method in ('one', 'two'):
        c('threshold', m, 0.5, 9.0, types=TYPES)
    return c.found


def _linear():
    c = Calls()
    rng = np.random.RandomState(3)
    a = rng.normal(size=(2, 3, 3)).astype('float32')
    spd = (a @ a.transpose(0, 2, 1) + 3 * np.eye(3)).astype('float32')
    tall = rng.normal(size=(2, 4, 3)).astype('float32')
    b = rng.normal(size=(2, 3, 2)).astype('float32')
    t = ('float32', 'int32', 'float16', 'float64')
    for name in ('det', 'inv', 'eigh', 'cholesky', 'cholesky_inverse', 'slogdet', 'logdet', 'lu_factor', 'pinv',
                 'matrix_rank'):
        c(name, spd, types=t)
        c(name, spd[0], types=t)
    c('cholesky', spd, upper=True)
    c('cholesky_inverse', spd, upper=True)
    c('solve', spd, b, types=t)
    c('solve', spd, b[..., 0], types=t)
    for lower in (True, False):
        c('solve_triangular', spd, b, lower=lower, types=t)
        c('solve_triangular', spd[0], b[0, :, 0], lower=lower, types=t)
    c('svd', tall, compute_uv=False, types=t)
    c('lstsq', tall[0], tall[0, :, 0], types=t)
    c('lstsq', tall[0], tall[0, :, :2], types=t)
    c('pinv', tall)
    c('matrix_rank', np.ones((3, 3), 'float32'), types=t)
    for order in (None, 'fro', 'nuc', 1, -1, 2, -2, np.inf, -np.inf):
        for axis, keep in ((None, False), ((1, 2), True), (1, False)):
            c('norm', tall, ord=order, axis=axis, keepdims=keep, types=('float32', 'int32', 'bfloat16'))
    c('norm', tall[0], ord=3, axis=1)
    c('norm', tall[0], ord=0, axis=1)
    for order, axis in ((1, -1), (2, 0), (3, (0, 1)), (np.inf, 1)):
        c('normalize', tall, axis=axis, order=order, types=('float32', 'int32', 'bfloat16'))
    c('cross', a[0], a[1], types=t + ('bfloat16',))
    c('cross', a[0, :, :2], a[1], types=t)
    c('fft', (tall, tall * 2))
    c('fft2', (tall, tall * 2))
    c('ifft2', (tall, tall * 2))
    c('rfft', tall)
    c('rfft', tall, 8)
    c('irfft', (tall, tall * 2))
    c('irfft', (tall, tall * 2), 5)
    s = rng.normal(size=(2, 30)).astype('float32')
    for window, center in itertools.product(('hann', 'hamming', None), (True, False)):
        c('stft', s, 8, 4, 10, window=window, center=center)
    c('istft', (rng.normal(size=(2, 6, 6)).astype('float32'), rng.normal(size=(2, 6, 6)).astype('float32')), 8, 4, 10)
    c('extract_sequences', s, 8, 4)
    c('erfinv', s[0] / 4)
    c('view_as_complex', s.reshape(2, 15, 2))
    c('jvp', lambda x: x * x + ops.sin(x), (ops.convert_to_tensor(s),), (ops.convert_to_tensor(s * 2),))
    yield from c.found
    c = Calls()
    image = values(2, 6, 8, 3, low=0, high=1)
    image255 = (image * 255)
    found = []

    def im(name, *args, types=('float32', 'uint8', 'bfloat16'), **kwargs):
        for dtype in types:
            def call(dtype=dtype):
                x = ops.cast(image255, dtype) if dtype == 'uint8' else ops.cast(image, dtype)
                return getattr(ops.image, name)(x, *args, **kwargs)
            found.append(('ops.image.%s#%d-%s' % (name, len(found), dtype), call))
    for mode in ('nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5'):
        for size in ((3, 4), (12, 10)):
            im('resize', size, interpolation=mode)
            im('resize', size, interpolation=mode, antialias=True)
            im('resize', size, interpolation=mode, crop_to_aspect_ratio=True)
            im('resize', size, interpolation=mode, pad_to_aspect_ratio=True, fill_value=2)
    matrix = np.array([1.1, 0.2, -1, -0.1, 0.9, 2, 0.001, 0.002], 'float32')
    start, end = np.array([[0, 0], [0, 7], [5, 0], [5, 7]], 'float32'), np.array(
        [[1, 0], [0, 6], [5, 1], [4, 7]], 'float32')
    for mode, fill in itertools.product(('nearest', 'bilinear'), ('constant', 'nearest', 'wrap', 'mirror', 'reflect')):
        im('affine_transform', matrix, interpolation=mode, fill_mode=fill, fill_value=0.5)
    for mode in ('nearest', 'bilinear'):
        im('perspective_transform', start, end, interpolation=mode, fill_value=0.5)
    im('rgb_to_grayscale')
    im('rgb_to_hsv', types=('float32', 'float16'))
    im('hsv_to_rgb', types=('float32', 'float16'))
    im('gaussian_blur', (3, 3), (1.0, 1.0), types=('float32', 'float16'))
    im('elastic_transform', 2.0, 1.0, seed=1, types=())
    im('extract_patches', 3)
    im('extract_patches', (2, 3), strides=2, padding='same')
    im('extract_patches', 2, strides=1, dilation_rate=2)
    im('pad_images', 1, 2, None, None, 10, 12)
    im('crop_images', 1, 2, None, None, 3, 4)
    for name in ('euclidean_dist_transform',):
        if hasattr(ops.image, name):
            im(name)
    im('scale_and_translate', (6, 8, 5, 3)[:0] or (2, 5, 7, 3), np.array([0.8, 0.9], 'float32'),
       np.array([0.5, -0.5], 'float32'), (1, 2), 'linear', types=('float32',))
    for order, fill in itertools.product((0, 1), ('constant', 'nearest', 'wrap', 'mirror', 'reflect')):
        for dtype in ('float32', 'uint8', 'int32'):
            found.append(('ops.image.map_coordinates-%d-%s-%s' % (order, fill, dtype), lambda order=order, fill=fill,
                          dtype=dtype: ops.image.map_coordinates(
                              ops.cast(image255[0, :, :, 0], dtype), values(2, 5, low=-3, high=9), order, fill, 3)))
    yield from found


def _neural():
    c = Calls()
    t = FLOATS
    x = values(2, 6, 5, 4)
    for pad, stride in itertools.product(('valid', 'same'), (1, 2)):
        for form in ('channels_last', 'channels_first'):
            for name in ('max_pool', 'average_pool'):
                c(name, x, 2, strides=stride, padding=pad, data_format=form, types=t + ('int32',))
            k = 4 if form == 'channels_last' else 6
            c('conv', x, values(2, 2, k, 3), strides=stride, padding=pad, data_format=form, types=t)
            c('conv', x, values(2, 2, k // 2, 4), strides=stride, padding=pad, data_format=form)
            c('depthwise_conv', x, values(2, 2, k, 2), strides=stride, padding=pad, data_format=form, types=t)
            c('separable_conv', x, values(2, 2, k, 2), values(1, 1, 2 * k, 3), strides=stride, padding=pad,
              data_format=form)
            c('conv_transpose', x, values(3, 3, 2, k), strides=stride, padding=pad, data_format=form, types=t)
            c('conv_transpose', x, values(3, 3, 2, k), strides=2, padding=pad, output_padding=1, data_format=form)
        c('conv', x[:, :, 0], values(3, 4, 3), strides=stride, padding=pad)
        c('conv', values(1, 4, 4, 4, 2), values(2, 2, 2, 2, 3), strides=stride, padding=pad)
    c('conv', x, values(2, 2, 4, 3), dilation_rate=2)
    c('conv', x[:, :, 0], values(3, 4, 3), padding='causal')
    c('conv', ops.convert_to_numpy(np.ones((1, 4, 4, 1), 'int32')), np.ones((2, 2, 1, 1), 'int32'))
    for axis in (-1, (1, 2), -2):
        c('layer_normalization', x, axis=axis, types=t)
        c('rms_normalization', x, axis=axis, types=t)
    c('layer_normalization', x, values(4), values(4, seed=1), epsilon=1e-2, types=t)
    c('rms_normalization', x, values(4), epsilon=1e-2, types=t)
    c('batch_normalization', x, values(4), np.abs(values(4)), -1, values(4), values(4, seed=1), types=t)
    c('batch_normalization', x, values(6), np.abs(values(6)), 1, types=t)
    for axes in ((0,), (1, 2), (0, 1, 2)):
        for keep in (True, False):
            c('moments', x, axes, keepdims=keep, types=t + ('int32',))
    c('adaptive_average_pool', x, 3, types=t)
    c('adaptive_max_pool', x, (3, 2), types=t)
    c('adaptive_max_pool', x, (3, 2), data_format='channels_first')
    for name in ('softmax', 'log_softmax', 'sparsemax', 'glu'):
        for axis in (-1, 1, 0) + (((1, 2), ) if 'max' in name else ()):
            c(name, x, axis=axis, types=t)
    c('softmax', x, axis=None)
    c('gelu', x, approximate=False, types=t)
    c('elu', x, 0.5, types=t)
    c('celu', x, 0.5, types=t)
    c('leaky_relu', x, 0.5, types=t)
    c('hard_shrink', x, 0.1, types=t)
    c('soft_shrink', x, 0.1, types=t)
    c('squareplus', x, 2, types=t)
    q = values(2, 5, 2, 4)
    for causal in (True, False):
        c('dot_product_attention', q, q, q, is_causal=causal, types=t)
        c('dot_product_attention', q, q, q, is_causal=causal, scale=0.3, bias=values(2, 2, 5, 5), types=t)
        c('dot_product_attention', q, q[:, :, :1], q[:, :, :1], is_causal=causal, attn_logits_soft_cap=2.0,
          types=t)
        c('dot_product_attention', q, q, q, mask=values(2, 1, 5, 5) > -1, is_causal=causal, types=t)
    p, y = np.abs(values(3, 4)) / 4 + 0.01, np.eye(4, dtype='float32')[[0, 2, 1]]
    for logits in (True, False):
        c('binary_crossentropy', y, p, from_logits=logits, types=t)
        c('categorical_crossentropy', y, p, from_logits=logits, types=t)
        c('categorical_crossentropy', y.T[:3], p, from_logits=logits, axis=0, types=t)
        c('sparse_categorical_crossentropy', np.array([0, 2, 1]), p, from_logits=logits, types=t)
        c('sparse_categorical_crossentropy', np.array([[0], [2], [1]]), p, from_logits=logits)
    logits = values(2, 5, 4)
    c('ctc_loss', np.array([[1, 2, 1], [3, 1, 0]]), logits, np.array([3, 2]), np.array([5, 4]), types=t)
    c('ctc_decode', logits, np.array([5, 4]))
    c('ctc_decode', logits, np.array([5, 4]), merge_repeated=False, mask_index=2)
    c('ctc_decode', logits, np.array([5, 4]), strategy='beam_search', beam_width=4, top_paths=2)
    for first in ('channels_last', 'channels_first'):
        c('depth_to_space', values(2, 4, 4, 4), 2, data_format=first, types=t + ('int32',))
        c('space_to_depth', values(2, 4, 4, 4), 2, data_format=first, types=t + ('int32',))
    c('unfold', values(2, 3, 6, 5), 2, types=t)
    c('unfold', values(2, 3, 6, 5), (2, 3), 1, 1, 2, types=t)
    c('fold', values(2, 12, 20), (6, 5), 2, types=t)
    c('psnr', x, x + 0.1, 2.0, types=t)
    return c.found


def _core():
    x = values(4, 3)
    yield 'ops.scan', lambda: ops.scan(lambda carry, y: (carry + y, carry * 2), np.zeros(3, 'float32'), x)
    yield 'ops.scan-reverse', lambda: ops.scan(lambda carry, y: (carry + y, carry * y), np.ones(3, 'float32'), x,
                                               reverse=True)
    yield 'ops.associative_scan', lambda: ops.associative_scan(lambda a, b: a + b, ops.convert_to_tensor(x))
    yield 'ops.associative_scan-1', lambda: ops.associative_scan(lambda a, b: a * b, ops.convert_to_tensor(x),
                                                                 reverse=True, axis=1)
    yield 'ops.map', lambda: ops.map(lambda y: y * 2, x)
    yield 'ops.map-dict', lambda: ops.map(lambda y: {'a': y['a'] + y['b']}, {'a': x, 'b': x})
    yield 'ops.vectorized_map', lambda: ops.vectorized_map(lambda y: ops.sum(y), x)
    yield 'ops.vectorized_map-two', lambda: ops.vectorized_map(lambda y: y[0] * y[1], (x, x))
    yield 'ops.fori_loop', lambda: ops.fori_loop(0, 3, lambda i, y: y * 2 + ops.cast(i, 'float32'), x)
    yield 'ops.while_loop', lambda: ops.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2), (0, x))
    yield 'ops.while_loop-max', lambda: ops.while_loop(lambda i: i < 30, lambda i: (i + 1,), (0,),
                                                       maximum_iterations=4)
    yield 'ops.cond', lambda: ops.cond(True, lambda: x, lambda: x * 2)
    yield 'ops.switch', lambda: ops.switch(5, [lambda y: y, lambda y: y * 3], x)
    yield 'ops.vectorize', lambda: ops.vectorize(lambda a, b: ops.dot(a, b), signature='(d),(d)->()')(x, x)
    yield 'ops.stop_gradient', lambda: ops.stop_gradient(x)
    for name, given in itertools.product(('normal', 'uniform', 'truncated_normal'), (None,) + FLOATS):
        yield 'random.%s-%s' % (name, given), lambda name=name, given=given: _spec(
            getattr(keras.random, name)((2, 3), dtype=given, seed=1))
    for dtype in ('int32', 'uint8', 'int64', 'float32'):
        yield 'random.randint-' + dtype, lambda dtype=dtype: _spec(keras.random.randint((2,), 0, 5, dtype, seed=1))
        yield 'random.shuffle-' + dtype, lambda dtype=dtype: _spec(keras.random.shuffle(of_type(x, dtype), seed=1))
        yield 'random.dropout-' + dtype, lambda dtype=dtype: _spec(keras.random.dropout(of_type(x, dtype), 0.5, seed=1))
        yield 'random.categorical-' + dtype, lambda dtype=dtype: _spec(keras.random.categorical(x, 5, dtype, seed=1))
    for name, args in (('gamma', ((2,), 1.5)), ('beta', ((2,), 1.5, 2.0)), ('binomial', ((2,), 4.0, 0.5))):
        for dtype in (None,) + FLOATS:
            yield 'random.%s-%s' % (name, dtype), lambda name=name, args=args, dtype=dtype: _spec(
                getattr(keras.random, name)(*args, dtype=dtype, seed=1))


def _spec(x):
    return [list(x.shape), keras.backend.standardize_dtype(x.dtype)]


PROBABLE = ('Binary', 'Categorical', 'KL', 'Sparse', 'Dice', 'Tversky', 'Poisson')


def _data(name, seed=0):
    """(y_true, y_pred) that suit the loss or metric of that name."""
    rng = np.random.RandomState(seed)
    p = rng.uniform(0.05, 1, (4, 3)).astype('float32')
    if name.startswith('SparseC') or name == 'sparse' or name.startswith('SparseT') or \
            name == 'CategoricalGeneralizedCrossEntropy' or name == 'Circle':
        return rng.randint(0, 3, (4,)), p / p.sum(1, keepdims=True)
    if name.startswith('Categorical') or 'IoU' in name and 'OneHot' in name:
        return np.eye(3, dtype='float32')[rng.randint(0, 3, 4)], p / p.sum(1, keepdims=True)
    if name == 'CTC':
        return np.array([[1, 2], [2, 0], [1, 1], [2, 1]]), rng.normal(size=(4, 6, 4)).astype('float32')
    if any(map(name.startswith, PROBABLE + ('Precision', 'Recall', 'AUC', 'True', 'False', 'Sens', 'Spec'))):
        return rng.randint(0, 2, (4, 3)).astype('float32'), p
    if name.startswith('F') or name.startswith('Top'):
        return np.eye(3, dtype='float32')[rng.randint(0, 3, 4)], p
    return rng.normal(size=(4, 3)).astype('float32'), rng.normal(size=(4, 3)).astype('float32')


LOSS_ARGUMENTS = {
    'BinaryCrossentropy': [dict(from_logits=True), dict(label_smoothing=0.2), dict(axis=0),
                           dict(from_logits=True, label_smoothing=0.1)],
    'BinaryFocalCrossentropy': [dict(apply_class_balancing=True), dict(gamma=1.0, alpha=0.4, from_logits=True),
                                dict(label_smoothing=0.1)],
    'CategoricalCrossentropy': [dict(from_logits=True), dict(label_smoothing=0.2), dict(axis=0)],
    'CategoricalFocalCrossentropy': [dict(from_logits=True), dict(label_smoothing=0.2), dict(alpha=0.5, gamma=1.0)],
    'CategoricalGeneralizedCrossEntropy': [dict(q=0.2)],
    'SparseCategoricalCrossentropy': [dict(from_logits=True), dict(ignore_class=1), dict(ignore_class=-1, axis=-1)],
    'CosineSimilarity': [dict(axis=0), dict(axis=1)], 'Huber': [dict(delta=0.3)],
    'Dice': [dict(axis=0), dict(axis=(0,))],
    'Tversky': [dict(alpha=0.2, beta=0.9), dict(axis=(1,))], 'Circle': [dict(gamma=8.0, margin=0.2)]}


def _losses():
    for name in dir(keras.losses):
        cls = getattr(keras.losses, name)
        if not inspect.isclass(cls) or name == 'Loss':
            continue
        for number, given in enumerate([{}] + LOSS_ARGUMENTS.get(name, [])):
            for reduction in ('sum_over_batch_size', 'sum', 'mean', 'mean_with_sample_weight', 'none', None):
                for kind in ('plain', 'row', 'column', 'full', 'mask', 'bfloat16', 'float16', 'gradient', 'lists'):
                    if number and kind in ('float16', 'column'):
                        continue
                    yield 'losses.%s#%d-%s-%s' % (name, number, reduction, kind), lambda name=name, given=given, \
                        reduction=reduction, kind=kind: _loss(name, dict(given, reduction=reduction), kind)
        yield 'losses.%s-config' % name, lambda cls=cls: keras.losses.serialize(cls())
    for name in dir(keras.losses):
        if inspect.isfunction(getattr(keras.losses, name)) and name not in ('get', 'serialize', 'deserialize'):
            for dtype in ('float32', 'bfloat16', 'int32'):
                def call(name=name, dtype=dtype):
                    title = ''.join(part.title() for part in name.split('_')).replace('GeneralizedCrossent',
                                                                                      'GeneralizedCrossEnt')
                    y_true, y_pred = _data({'Ctc': 'CTC', 'Kl': 'KL'}.get(title, title))
                    return getattr(keras.losses, name)(y_true, of_type(y_pred, dtype))
                yield 'losses.%s-%s' % (name, dtype), call


def _masked(y_pred):
    """Predictions of four samples, the second of which is masked out."""
    y_pred, mask = ops.convert_to_tensor(y_pred), ops.convert_to_tensor([True, False, True, True])
    if hasattr(keras.src.backend, 'set_keras_mask'):
        keras.src.backend.set_keras_mask(y_pred, mask)
    else:
        y_pred._keras_mask = mask
    return y_pred


def _loss(name, given, kind):
    y_true, y_pred = _data(name)
    weight = {'row': values(4, low=0, high=1), 'column': values(4, 1, low=0, high=1),
              'full': values(4, 3, low=0, high=1)}.get(kind)
    if kind in ('bfloat16', 'float16'):
        given['dtype'] = kind
    loss = getattr(keras.losses, name)(**given)
    if kind == 'mask':
        y_pred = _masked(y_pred)
    if kind == 'gradient':
        return _gradient(lambda p: ops.sum(loss(y_true, p, sample_weight=values(4, low=0, high=1))), y_pred)
    if kind == 'lists':
        y_true, y_pred = y_true.tolist(), y_pred.tolist()
    return loss(y_true, y_pred, sample_weight=weight)


def _gradient(function, x):
    backend = keras.backend.backend()
    if backend == 'torch':
        x = ops.convert_to_tensor(x).detach().requires_grad_()
        import torch
        return torch.autograd.grad(function(x), x)[0]
    if backend == 'jax':
        import jax
        return jax.grad(function)(x)
    if backend == 'tensorflow':
        import tensorflow as tf
        x = tf.convert_to_tensor(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)
    return function(x)


METRIC_ARGUMENTS = {
    'AUC': [dict(num_thresholds=5), dict(curve='PR'), dict(curve='PRG'), dict(summation_method='minoring'),
            dict(summation_method='majoring', curve='PR'), dict(thresholds=[0.2, 0.6]), dict(multi_label=True),
            dict(multi_label=True, num_labels=3, label_weights=[1.0, 2.0, 0.5]), dict(from_logits=True)],
    'BinaryAccuracy': [dict(threshold=0.3)], 'BinaryCrossentropy': [dict(from_logits=True), dict(label_smoothing=0.1)],
    'BinaryIoU': [dict(target_class_ids=(0,)), dict(threshold=0.3)],
    'CategoricalCrossentropy': [dict(from_logits=True), dict(label_smoothing=0.1), dict(axis=0)],
    'SparseCategoricalCrossentropy': [dict(from_logits=True), dict(ignore_class=1)],
    'CosineSimilarity': [dict(axis=0)], 'F1Score': [dict(average='micro'), dict(average='macro', threshold=0.4),
                                                    dict(average='weighted')],
    'FBetaScore': [dict(beta=2.0, average='micro'), dict(average='macro', threshold=0.4), dict(average='weighted')],
    'IoU': [dict(num_classes=3, target_class_ids=[0, 2]), dict(num_classes=3, target_class_ids=[1], ignore_class=0)],
    'MeanIoU': [dict(num_classes=3), dict(num_classes=3, ignore_class=-1), dict(num_classes=3, ignore_class=2)],
    'OneHotIoU': [dict(num_classes=3, target_class_ids=[0, 2]),
                  dict(num_classes=3, target_class_ids=[1], ignore_class=0)],
    'OneHotMeanIoU': [dict(num_classes=3), dict(num_classes=3, ignore_class=0)],
    'Precision': [dict(thresholds=0.3), dict(thresholds=[0.3, 0.7]), dict(top_k=2), dict(class_id=1),
                  dict(top_k=1, class_id=2)],
    'PrecisionAtRecall': [dict(recall=0.5), dict(recall=0.5, num_thresholds=4), dict(recall=0.2, class_id=1)],
    'RecallAtPrecision': [dict(precision=0.5), dict(precision=0.9, num_thresholds=4), dict(precision=0.2, class_id=1)],
    'SensitivityAtSpecificity': [dict(specificity=0.5), dict(specificity=0.2, class_id=1)],
    'SpecificityAtSensitivity': [dict(sensitivity=0.5), dict(sensitivity=0.2, class_id=1)],
    'R2Score': [dict(class_aggregation=None), dict(class_aggregation='variance_weighted_average'),
                dict(num_regressors=1)],
    'SparseTopKCategoricalAccuracy': [dict(k=2), dict(k=1), dict(k=2, from_sorted_ids=True)],
    'TopKCategoricalAccuracy': [dict(k=2), dict(k=1)], 'PearsonCorrelation': [dict(axis=0)],
    'ConcordanceCorrelation': [dict(axis=0)]}
METRIC_ARGUMENTS['Recall'] = METRIC_ARGUMENTS['Precision']
for _name in ('TruePositives', 'TrueNegatives', 'FalsePositives', 'FalseNegatives'):
    METRIC_ARGUMENTS[_name] = [dict(thresholds=0.3), dict(thresholds=[0.3, 0.7])]


def _metrics():
    for name in dir(keras.metrics):
        cls = getattr(keras.metrics, name)
        if not inspect.isclass(cls) or name in ('Metric', 'MeanMetricWrapper'):
            continue
        required = [value for key, value in inspect.signature(cls.__init__).parameters.items()
                    if key != 'self' and value.default is value.empty]
        for number, given in enumerate(([] if required else [{}]) + METRIC_ARGUMENTS.get(name, [])):
            for kind in ('plain', 'row', 'column', 'full', 'scalar', 'float16', 'mask', 'flat'):
                yield 'metrics.%s#%d-%s' % (name, number, kind), lambda name=name, given=given, kind=kind: _metric(
                    name, dict(given), kind)
            yield 'metrics.%s#%d-config' % (name, number), lambda cls=cls, given=given: keras.metrics.serialize(
                cls(**given))
    for name in dir(keras.metrics):
        if inspect.isfunction(getattr(keras.metrics, name)) and name not in ('get', 'serialize', 'deserialize'):
            for dtype in ('float32', 'bfloat16', 'float16'):
                def call(name=name, dtype=dtype):
                    title = ''.join(part.title() for part in name.split('_'))
                    y_true, y_pred = _data({'Ctc': 'CTC', 'Kl': 'KL'}.get(title, title))
                    return getattr(keras.metrics, name)(y_true, of_type(y_pred, dtype))
                yield 'metrics.%s-%s' % (name, dtype), call


def _metric(name, given, kind):
    if kind == 'float16':
        given['dtype'] = kind
    metric, found = getattr(keras.metrics, name)(**given), []
    for seed in range(4):
        y_true, y_pred = _data(name, seed)
        if 'IoU' in name and 'OneHot' not in name and name != 'BinaryIoU':
            rng = np.random.RandomState(seed)
            y_true, y_pred = rng.randint(0, 3, (4, 3)), rng.randint(0, 3, (4, 3))
        if name == 'Accuracy':
            y_true, y_pred = np.round(y_true), np.round(y_pred)
        if kind == 'flat' and y_true.ndim == 2:
            y_true, y_pred = y_true[:, 0], y_pred[:, 0]
        elif kind == 'flat':
            y_true = y_true[:, None]
        weight = {'row': values(4, low=0, high=1), 'column': values(4, 1, low=0, high=1), 'scalar': 0.5,
                  'full': values(4, 3, low=0, high=1)}.get(kind)
        if kind == 'mask':
            y_pred = _masked(y_pred)
        if seed == 3:
            metric.reset_state()
        if name in ('Mean', 'Sum'):
            metric.update_state(y_pred, sample_weight=weight)
        else:
            metric.update_state(y_true, y_pred, sample_weight=weight)
        found.append(metric.result())
    return {'results': found, 'variables': list(metric.variables), 'names': [v.name for v in metric.variables],
            'dtype': metric.dtype}


OPTIMIZER_ARGUMENTS = {
    'SGD': [dict(momentum=0.9), dict(momentum=0.9, nesterov=True)], 'Adam': [dict(amsgrad=True), dict(beta_1=0.5,
                                                                                                     epsilon=0.1)],
    'AdamW': [dict(amsgrad=True), dict(weight_decay=0.1)], 'Adadelta': [dict(rho=0.5)],
    'RMSprop': [dict(momentum=0.9), dict(centered=True), dict(momentum=0.9, centered=True, rho=0.5)],
    'Adagrad': [dict(initial_accumulator_value=0.0)],
    'Adafactor': [dict(relative_step=False), dict(clip_threshold=0.5, beta_2_decay=-0.5)],
    'Ftrl': [dict(l1_regularization_strength=0.1), dict(l2_regularization_strength=0.1, beta=0.3),
             dict(l2_shrinkage_regularization_strength=0.1, learning_rate_power=-0.7), dict(learning_rate_power=0.0)],
    'Lion': [dict(beta_1=0.5)], 'Muon': [dict(nesterov=False), dict(adam_lr_ratio=0.5, ns_steps=2),
                                             dict(rms_rate=None)],
    'ScheduleFreeAdamW': [dict(warmup_steps=3)],
    'LossScaleOptimizer': [dict(initial_scale=4.0, dynamic_growth_steps=2)]}
COMMON = [dict(weight_decay=0.05), dict(clipnorm=0.3), dict(clipvalue=0.1), dict(global_clipnorm=0.4),
          dict(use_ema=True, ema_momentum=0.8), dict(use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2),
          dict(gradient_accumulation_steps=2), dict(loss_scale_factor=8.0), dict(name='mine'),
          dict(gradient_accumulation_steps=3, use_ema=True, ema_overwrite_frequency=1, clipnorm=0.5),
          dict(learning_rate='schedule'), dict(learning_rate='function'),
          dict(weight_decay=0.05, exclude=True), dict(learning_rate='schedule', gradient_accumulation_steps=2)]


def _optimizers():
    for name in dir(keras.optimizers):
        cls = getattr(keras.optimizers, name)
        if not inspect.isclass(cls) or name in ('Optimizer', 'OptimizerMap', 'MultiOptimizer'):
            continue
        for number, given in enumerate([{}] + OPTIMIZER_ARGUMENTS.get(name, []) + (
                COMMON if name != 'LossScaleOptimizer' else [])):
            for dtype in FLOATS:
                if dtype == 'float32' or number < 2:
                    yield 'optimizers.%s#%d-%s' % (name, number, dtype), lambda name=name, given=given, dtype=dtype: \
                        _steps(name, dict(given), dtype)
        yield 'optimizers.%s-apply' % name, lambda name=name: _steps(name, {}, 'float32', 'apply')
        yield 'optimizers.%s-overwrite' % name, lambda name=name: _steps(name, {}, 'float32', 'overwrite')
        yield 'optimizers.%s-none' % name, lambda name=name: _steps(name, {}, 'float32', 'none')


def _steps(name, given, dtype, how='plain'):
    exclude = given.pop('exclude', False)
    if name == 'LossScaleOptimizer':
        given['inner_optimizer'] = keras.optimizers.SGD(0.1)
    elif given.get('learning_rate') == 'schedule':
        given['learning_rate'] = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    elif given.get('learning_rate') == 'function':
        given['learning_rate'] = lambda: 0.05
    else:
        given.setdefault('learning_rate', 0.1)
    optimizer = getattr(keras.optimizers, name)(**given)
    shapes = ((3, 4), (4,), (2, 3, 2), ())
    variables = [keras.Variable(values(*shape, seed=index), dtype=dtype, name=variable) for index, (shape, variable)
                 in enumerate(zip(shapes, ('kernel', 'bias', 'embeddings', 'scalar')))]
    if how == 'overwrite':
        variables[0].overwrite_with_gradient = True
    if exclude:
        optimizer.exclude_from_weight_decay(var_list=[variables[0]], var_names=['bias'])
    found = []
    if how != 'apply':
        optimizer.build(variables)
    for step in range(6):
        grads = [ops.cast(ops.convert_to_tensor(values(*shape, seed=10 * step + index)), dtype)
                 for index, shape in enumerate(shapes)]
        if name == 'LossScaleOptimizer' and step == 3:
            grads[1] = grads[1] * np.inf
        if how == 'none':
            grads[1] = None
        if how == 'apply':
            optimizer.apply_gradients(list(zip(grads, variables)))
        else:
            optimizer.apply(grads, variables if step % 2 else None)
        found.append([np.array(ops.convert_to_numpy(ops.cast(v.value, 'float32'))) for v in variables])
    result = {'steps': found, 'state': list(optimizer.variables), 'names': [v.name for v in optimizer.variables],
              'iterations': int(ops.convert_to_numpy(optimizer.iterations.value)), 'scaled': optimizer.scale_loss(2.0),
              'rate': optimizer.learning_rate}
    optimizer.finalize_variable_values(variables)
    result['final'] = list(variables)
    if given.get('learning_rate').__class__.__name__ != 'function':
        config = optimizer.get_config()
        result['config'] = {key: float(value) if hasattr(value, 'shape') else value for key, value in config.items()}
    store = {}
    optimizer.save_own_variables(store)
    result['store'] = sorted(store)
    return result


def _schedules():
    s = keras.optimizers.schedules
    for number, make in enumerate((
            lambda: s.ExponentialDecay(0.1, 3, 0.5), lambda: s.ExponentialDecay(0.1, 3, 0.5, staircase=True),
            lambda: s.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]),
            lambda: s.PiecewiseConstantDecay([2.5, 5.0], [1, 2, 3]), lambda: s.PolynomialDecay(0.1, 5, 0.01, 2.0),
            lambda: s.PolynomialDecay(0.1, 3, 0.01, 0.5, cycle=True), lambda: s.InverseTimeDecay(0.1, 3, 0.5),
            lambda: s.InverseTimeDecay(0.1, 3, 0.5, staircase=True), lambda: s.CosineDecay(0.1, 5, 0.1),
            lambda: s.CosineDecay(0.0, 5, 0.1, warmup_target=0.2, warmup_steps=3),
            lambda: s.CosineDecayRestarts(0.1, 3, 1.5, 0.8, 0.1))):
        for step in (0, 1, 2, 3, 5, 8, 20, 2.5):
            yield 'schedules#%d-%s' % (number, step), lambda make=make, step=step: make()(step)
            yield 'schedules#%d-%s-tensor' % (number, step), lambda make=make, step=step: make()(
                ops.convert_to_tensor(step))
        yield 'schedules#%d-config' % number, lambda make=make: s.serialize(make())


def _small():
    for name in dir(keras.activations):
        if inspect.isfunction(getattr(keras.activations, name)) and name not in ('get', 'serialize', 'deserialize'):
            for dtype in TYPES:
                for given in ((), (1.0,)) if dtype == 'float32' else ((),):
                    yield 'activations.%s-%s-%s' % (name, dtype, given), lambda name=name, dtype=dtype, given=given: \
                        getattr(keras.activations, name)(of_type(values(3, 4), dtype), *given)
            yield 'activations.%s-serialize' % name, lambda name=name: keras.activations.serialize(
                keras.activations.get(name))
    for number, make in enumerate((
            lambda c: c.MaxNorm(1.0), lambda c: c.MaxNorm(0.5, axis=1), lambda c: c.MaxNorm(0.5, axis=[0, 1]),
            lambda c: c.NonNeg(), lambda c: c.UnitNorm(), lambda c: c.UnitNorm(axis=1), lambda c: c.MinMaxNorm(),
            lambda c: c.MinMaxNorm(0.2, 0.5, 0.7, axis=1))):
        for shape in ((3, 4), (2, 3, 4)):
            for dtype in FLOATS:
                yield 'constraints#%d-%s-%s' % (number, len(shape), dtype), lambda make=make, shape=shape, \
                    dtype=dtype: make(keras.constraints)(of_type(values(*shape), dtype))
        yield 'constraints#%d-config' % number, lambda make=make: keras.constraints.serialize(make(keras.constraints))
    for number, make in enumerate((
            lambda r: r.L1(0.1), lambda r: r.L2(0.1), lambda r: r.L1L2(0.1, 0.2), lambda r: r.L1(), lambda r: r.L2(),
            lambda r: r.L1L2(), lambda r: r.OrthogonalRegularizer(0.1),
            lambda r: r.OrthogonalRegularizer(0.1, mode='columns'), lambda r: r.get('l1_l2'), lambda r: r.get('l2'))):
        for dtype in FLOATS:
            yield 'regularizers#%d-%s' % (number, dtype), lambda make=make, dtype=dtype: make(keras.regularizers)(
                of_type(values(3, 4), dtype))
        yield 'regularizers#%d-config' % number, lambda make=make: keras.regularizers.serialize(
            make(keras.regularizers))
    for name in dir(keras.initializers):
        cls = getattr(keras.initializers, name)
        if inspect.isclass(cls) and name != 'Initializer':
            for dtype in (None,) + FLOATS + ('int32',):
                yield 'initializers.%s-%s' % (name, dtype), lambda cls=cls, dtype=dtype: _spec(
                    cls()((3, 4), dtype=dtype))
            yield 'initializers.%s-value' % name, lambda cls=cls, name=name: cls()((4, 4)) if name in (
                'Ones', 'Zeros', 'Constant', 'Identity', 'IdentityInitializer') else None
            yield 'initializers.%s-config' % name, lambda cls=cls: keras.initializers.serialize(cls())
    yield 'initializers.STFT', lambda: keras.initializers.STFT('real', 'hann', 'density', False)((5, 1, 3))
    yield 'initializers.seeded', lambda: [getattr(keras.initializers, name)(seed=3)((3, 4)) for name in (
        'RandomNormal', 'RandomUniform', 'GlorotUniform', 'TruncatedNormal')] if keras.backend.backend() == 'jax' \
        else None
