"""Converters of creation, of what moves and joins elements, and of what picks them."""
from keras.export.onnx.converters import CONVERTERS, converter

_FIRST, _LAST = -2 ** 63, 2 ** 63 - 1


# --- creation -----------------------------------------------------------------------------------------------------

@converter
def full(block, shape, value, dtype):
    fill = block.constant(value, dtype)
    known = [size if isinstance(size, int) else None for size in shape]
    return block.add('Expand', fill, block.sizes(shape), shape=known) if shape else fill


@converter
def full_like(block, x, value, dtype):
    fill = block.constant(value, dtype or x.dtype)
    return block.add('Expand', fill, block.shape_of(x), shape=x.shape) if x.ndim else fill


@converter
def arange(block, start, stop, step, dtype):
    start, stop = (0, start) if stop is None else (start, stop)
    bounds = [block.cast(bound, dtype) if hasattr(bound, 'name') else block.constant(bound, dtype)
              for bound in (start, stop, step)]
    return block.add('Range', *bounds, shape=(None,))


@converter
def size_along(block, x, axis):
    size = block.add('Gather', block.shape_of(x), block.constant(axis % x.ndim, 'int64'), shape=())
    return block.cast(size, 'int32')


# --- random numbers: the runtime draws them, by a seed of its own ---------------------------------------------------

def _drawn(block, kind, shape, dtype):
    known = [size if isinstance(size, int) else None for size in shape]
    like = block.add('Expand', block.constant(0, 'float32'), block.sizes(shape), shape=known) if shape else \
        block.constant(0, 'float32')
    return block.cast(block.add(kind, like, dtype='float32'), dtype)


@converter
def random_uniform(block, seed, shape, dtype):
    return _drawn(block, 'RandomUniformLike', shape, dtype)


@converter
def random_normal(block, seed, shape, dtype):
    return _drawn(block, 'RandomNormalLike', shape, dtype)


@converter
def random_integers(block, seed, shape, minval, maxval, dtype):
    low, high = [block.cast(bound, 'float64') if hasattr(bound, 'wanted') else block.constant(bound, 'float64')
                 for bound in (minval, maxval)]
    share = block.cast(_drawn(block, 'RandomUniformLike', shape, 'float32'), 'float64')
    return block.cast(block.add('Floor', block.add('Add', low, block.add('Mul', share, block.add('Sub', high, low)))),
                      dtype)


@converter
def random_permutation(block, seed, count):
    drawn = _drawn(block, 'RandomUniformLike', (count,), 'float32')
    shapes = [(drawn.shape, 'float32'), (drawn.shape, 'int64')]
    return block.add_many('TopK', [drawn, block.sizes((count,))], shapes, axis=0)[1]


# --- movement -----------------------------------------------------------------------------------------------------

@converter
def reshape(block, x, shape):
    return block.reshape(x, shape)


@converter
def transpose(block, x, axes):
    return block.transpose(x, reversed(range(x.ndim)) if axes is None else axes)


@converter
def broadcast_to(block, x, shape):
    known = [size if isinstance(size, int) else None for size in shape]
    return block.add('Expand', x, block.sizes(shape), shape=known) if shape else x


@converter
def concatenate(block, xs, axis):
    axis = axis % xs[0].ndim
    sizes = [x.shape[axis] for x in xs]
    shape = list(xs[0].shape)
    shape[axis] = None if None in sizes else sum(sizes)
    return block.add('Concat', *xs, shape=shape, axis=axis)


@converter
def strided_slice(block, x, starts, stops, steps):
    axes, bounds = [], []
    for axis, (start, stop, step) in enumerate(zip(starts, stops, steps)):
        if (start, stop, step) == (None, None, 1):
            continue
        axes.append(axis)
        bounds.append((start if start is not None else 0 if step > 0 else _LAST,
                       stop if stop is not None else _LAST if step > 0 else _FIRST, step))
    if not axes:
        return x
    starts, stops, steps = zip(*bounds)
    shape = [None if axis in axes else size for axis, size in enumerate(x.shape)]
    return block.add('Slice', x, block.sizes(starts), block.sizes(stops), block.ints(*axes), block.sizes(steps),
                     shape=shape)


@converter
def pad(block, x, widths, value):
    pads = [before for before, _ in widths] + [after for _, after in widths]
    shape = [None if size is None else size + sum(width) for size, width in zip(x.shape, widths)]
    if x.dtype == 'bool':
        return block.in_dtype(x, 'int32', lambda part: pad(block, part, widths, int(value)))
    return block.add('Pad', x, block.ints(*pads), block.constant(value, x.dtype), shape=shape, mode='constant')


@converter
def flip(block, x, axes):
    axes = [axis % x.ndim for axis in axes]
    count = len(axes)
    if not count:
        return x
    return block.add('Slice', x, block.ints(*[_LAST] * count), block.ints(*[_FIRST] * count), block.ints(*axes),
                     block.ints(*[-1] * count))


# --- indices ------------------------------------------------------------------------------------------------------

def _indices(block, indices):
    return indices if indices.dtype in ('int32', 'int64') else block.cast(indices, 'int64')


@converter
def gather(block, x, indices, axis):
    axis = axis % x.ndim
    return block.add('Gather', x, _indices(block, indices), axis=axis,
                     shape=x.shape[:axis] + indices.shape + x.shape[axis + 1:])


@converter
def gather_nd(block, x, indices):
    shape = indices.shape[:-1] + x.shape[indices.shape[-1]:]
    return block.add('GatherND', x, block.cast(indices, 'int64'), shape=shape)


def _scattering(reduction):
    def convert(block, x, indices, updates):
        vectors = block.unsqueeze(block.cast(indices, 'int64'), indices.ndim)
        return block.add('ScatterND', x, vectors, updates, reduction=reduction)
    return convert


CONVERTERS.update(scatter_add=_scattering('add'), scatter_update=_scattering(None), scatter_max=_scattering('max'))


# --- Fourier ------------------------------------------------------------------------------------------------------

@converter
def fft(block, real, imaginary):
    size = size_along(block, real, -1) if real.shape[-1] is None else real.shape[-1]
    pairs = [block.reshape(part, (-1, size, 1)) for part in (real, imaginary)]
    result = block.add('DFT', block.add('Concat', *pairs, shape=(None, real.shape[-1], 2), axis=2), axis=1)
    sizes = block.shape_of(real)
    return [block.add('Reshape', block.add('Slice', result, block.ints(index), block.ints(index + 1), block.ints(2)),
                      sizes, shape=real.shape) for index in (0, 1)]
