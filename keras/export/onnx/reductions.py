"""Converters of reductions, running sums and orders."""
from keras.backend.contract.rules import is_float, normalize_axes, sum_dtype
from keras.export.onnx.converters import converter


def _reduced(block, kind, x, axis, keepdims):
    axes = normalize_axes(axis, x.ndim)
    if not axes:
        return x
    shape = [1 if index in axes else size for index, size in enumerate(x.shape) if keepdims or index not in axes]
    return block.add(kind, x, block.ints(*axes), shape=shape, keepdims=int(keepdims))


@converter
def sum_(block, x, axis, keepdims):
    return _reduced(block, 'ReduceSum', block.cast(x, sum_dtype(x.dtype)), axis, keepdims)


@converter
def prod(block, x, axis, keepdims):
    return _reduced(block, 'ReduceProd', block.cast(x, sum_dtype(x.dtype)), axis, keepdims)


@converter
def max_(block, x, axis, keepdims):
    return _extreme(block, 'ReduceMax', x, axis, keepdims)


@converter
def min_(block, x, axis, keepdims):
    return _extreme(block, 'ReduceMin', x, axis, keepdims)


def _extreme(block, kind, x, axis, keepdims):
    if x.dtype == 'bool':
        return block.in_dtype(x, 'int32', lambda part: _reduced(block, kind, part, axis, keepdims))
    return _reduced(block, kind, x, axis, keepdims)


@converter
def mean(block, x, axis, keepdims):
    if not is_float(x.dtype):
        return NotImplemented
    return _reduced(block, 'ReduceMean', x, axis, keepdims)


@converter
def argmax(block, x, axis):
    axis = axis % x.ndim
    shape = x.shape[:axis] + x.shape[axis + 1:]
    return block.cast(block.add('ArgMax', x, shape=shape, dtype='int64', axis=axis, keepdims=0), 'int32')


@converter
def cumsum(block, x, axis):
    return block.add('CumSum', block.cast(x, sum_dtype(x.dtype)), block.constant(axis % x.ndim, 'int64'))


@converter
def cumprod(block, x, axis):
    """A loop over the slices, each times the product of those before it."""
    x = block.cast(x, sum_dtype(x.dtype))
    order = [axis % x.ndim] + [index for index in range(x.ndim) if index != axis % x.ndim]
    moved = block.transpose(x, order)
    ones = block.add('Expand', block.constant(1, x.dtype), block.add('Slice', block.shape_of(moved), block.ints(1),
                     block.ints(x.ndim), shape=(x.ndim - 1,)), shape=moved.shape[1:])
    body = block.inner()
    arguments = [body.argument(moved.shape[1:], x.dtype) for _ in range(2)]
    product = body.add('Mul', *arguments)
    results = [product, body.renamed(product, body.names.new('product'))]
    _, products = block.add_many('Scan', [ones, moved], [(moved.shape[1:], x.dtype), (moved.shape, x.dtype)],
                                 body=body.graph('step', arguments, results), num_scan_inputs=1)
    return block.transpose(products, [order.index(index) for index in range(x.ndim)])


# --- orders -------------------------------------------------------------------------------------------------------

def _ordered(block, x, k, axis, largest):
    shape = tuple(x.shape)
    values, places = block.add_many('TopK', [x, block.as_vector(k)], [(shape, x.dtype), (shape, 'int64')],
                                    axis=axis % x.ndim, largest=largest, sorted=1)
    return values, block.cast(places, 'int32')


@converter
def top_k(block, x, k):
    return list(_ordered(block, x, k, -1, 1))


def _size(block, x, axis):
    size = x.shape[axis]
    return size if size is not None else block.add('Gather', block.shape_of(x), block.constant(axis % x.ndim, 'int64'),
                                                   shape=())


@converter
def sort(block, x, axis):
    return _ordered(block, x, _size(block, x, axis), axis, 0)[0]


@converter
def argsort(block, x, axis):
    return _ordered(block, x, _size(block, x, axis), axis, 0)[1]


@converter
def searchsorted(block, sorted_sequence, values, side):
    """How many elements are less than each value, or not greater than it."""
    kind = 'Less' if side == 'left' else 'LessOrEqual'
    before = block.add(kind, sorted_sequence, block.unsqueeze(values, values.ndim), dtype='bool',
                       shape=values.shape + sorted_sequence.shape)
    return _reduced(block, 'ReduceSum', block.cast(before, 'int32'), -1, False)
