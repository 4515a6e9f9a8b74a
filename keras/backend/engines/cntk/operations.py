"""The primitives as functions that build CNTK graph. Their tensors have nodes (`tensors.in_graph`) of one dtype.

What CNTK has no kernel for is composed of what it has; `host_calls.py` has what is left.
"""
import math

import cntk
import numpy as np
from cntk import cntk_py

from keras.backend.contract import rules
from keras.backend.engines.cntk.tensors import Tensor, constant_node, known, node_type, output, scalar_node, wrapped


def node_of(x, dtype):
    """The node of a tensor, or of a Python number beside tensors of `dtype`."""
    return x.node if type(x) is Tensor else scalar_node(x, dtype)


def derived(node, like, shape=None, dtype=None):
    """A tensor of the shape and dtype of the tensor `like`, unless others are given."""
    return wrapped(node, like.shape if shape is None else shape, dtype or like.dtype, like.stage)


# --- elementwise, one argument --------------------------------------------------------------------------------------

def _unary(function):
    return lambda x: function(x.node, '')


negative, absolute = _unary(cntk_py.negate), _unary(cntk_py.abs)
floor, exp = _unary(cntk_py.floor), _unary(cntk_py.exp)
sin, cos, tanh = map(_unary, (cntk_py.sin, cntk_py.cos, cntk_py.tanh))
arcsin, arctan = _unary(cntk_py.asin), _unary(cntk_py.atan)
stop_gradient = _unary(cntk_py.stop_gradient)


def log(x):
    """CNTK's own gives -85 for 0 and below. The gradient is 1 / x, also below 0, but 0 for 0."""
    zero = scalar_node(0, x.dtype)
    # Minus infinity for 0, no number below.
    elsewhere = cntk.element_times(cntk.equal(x.node, zero), scalar_node(-np.inf, x.dtype))
    missing = cntk.element_select(cntk.greater(x.node, zero), zero, elsewhere)
    return cntk.plus(cntk.log(cntk.abs(x.node)), cntk.stop_gradient(missing))


def sqrt(x):
    """CNTK's own gives 0 below 0, and for what is no number."""
    return cntk.element_select(cntk.greater_equal(x.node, scalar_node(0, x.dtype)), cntk.sqrt(x.node),
                               scalar_node(np.nan, x.dtype))


def reciprocal(node, dtype):
    """Of a node; CNTK's own gives 0 for 0."""
    return cntk.element_select(cntk.equal(node, scalar_node(0, dtype)), scalar_node(np.inf, dtype),
                               cntk.reciprocal(node))


def sign(x):
    zero = scalar_node(0, x.dtype)
    return cntk.minus(cntk.greater(x.node, zero), cntk.less(x.node, zero))


def round_half_even(x):
    half = scalar_node(0.5, x.dtype)
    up = cntk.floor(cntk.plus(x.node, half))
    tie = cntk.equal(cntk.minus(up, x.node), half)
    odd = cntk.minus(up, cntk.element_times(cntk.floor(cntk.element_times(up, half)), scalar_node(2, x.dtype)))
    return cntk.element_select(tie, cntk.minus(up, odd), up)


def logical_not(x):
    return cntk.minus(scalar_node(1, x.dtype), x.node)


def isfinite(x):
    return cntk.equal(cntk.minus(x.node, x.node), scalar_node(0, x.dtype))


def with_derivative(value, x, derivative):
    """`value`, with the gradient `derivative` by `x`; all nodes."""
    limit = float(np.finfo('float32').max)
    x = cntk.clip(x, -limit, limit)  # infinity less itself would be no number
    moved = cntk.element_times(cntk.minus(x, cntk.stop_gradient(x)), cntk.stop_gradient(derivative))
    return cntk.plus(cntk.stop_gradient(value), moved)


def erf(x):
    """Abramowitz and Stegun 7.1.26, whose error is below 1.5e-7."""
    def number(value):
        return scalar_node(value, x.dtype)
    size = cntk.abs(x.node)
    t = cntk.element_divide(number(1), cntk.plus(number(1), cntk.element_times(number(0.3275911), size)))
    total = number(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        total = cntk.plus(number(coefficient), cntk.element_times(t, total))
    bell = cntk.exp(cntk.negate(cntk.square(size)))
    value = cntk.minus(number(1), cntk.element_times(cntk.element_times(total, t), bell))
    value = cntk.element_times(value, sign(x))
    return with_derivative(value, x.node, cntk.element_times(bell, number(2 / math.sqrt(math.pi))))


def cast(x, dtype):
    node, kind = x.node, x.dtype
    if dtype == 'bool':
        return node if kind == 'bool' else cntk.not_equal(node, scalar_node(0, kind))
    if rules.is_float(kind) and not rules.is_float(dtype):
        node = cntk.element_select(cntk.less(node, scalar_node(0, kind)), cntk.ceil(node), cntk.floor(node))
    return node


# --- elementwise, two and three arguments ---------------------------------------------------------------------------

def _binary(function):
    def run(x, y):
        dtype = x.dtype if type(x) is Tensor else y.dtype
        return function(node_of(x, dtype), node_of(y, dtype), '')
    return run


add, subtract, multiply = map(_binary, (cntk_py.plus, cntk_py.minus, cntk_py.element_times))
equal, less = _binary(cntk_py.equal), _binary(cntk_py.less)
logical_and, logical_or = _binary(cntk_py.element_times), _binary(cntk_py.element_max)


def _extreme(function):
    """The maximum or minimum; CNTK's own takes the number where the other is none."""
    def run(x, y):
        tensors = [part for part in (x, y) if type(part) is Tensor]
        dtype = tensors[0].dtype
        found = function(node_of(x, dtype), node_of(y, dtype), '')
        if not rules.is_float(dtype):
            return found
        shape = rules.broadcast_shapes(*[part.shape for part in tensors])
        for part in tensors:
            is_number = derived(cntk.equal(part.node, part.node), part, dtype='bool')
            found = where(is_number, derived(found, part, shape), part)
        return found
    return run


maximum, minimum = _extreme(cntk_py.element_max), _extreme(cntk_py.element_min)


def divide(x, y):
    if type(y) is not Tensor:
        return cntk.element_divide(x.node, scalar_node(y, x.dtype)) if y else \
            cntk.element_times(x.node, scalar_node(math.copysign(math.inf, y), x.dtype))
    return cntk.element_times(node_of(x, y.dtype), reciprocal(y.node, y.dtype))


def floor_divide(x, y):
    """The rounded quotient, corrected by what is left over: CNTK multiplies by the reciprocal."""
    x, y = _pair(x, y)
    zero, direction = scalar_node(0, y.dtype), sign(y)
    quotient = divide(x, y) if rules.is_float(x.dtype) else cntk.element_divide(x.node, y.node)
    quotient = cntk.floor(quotient)
    left = cntk.element_times(cntk.minus(x.node, cntk.element_times(quotient, y.node)), direction)
    over = cntk.greater_equal(left, cntk.element_times(y.node, direction))
    return cntk.minus(cntk.plus(quotient, over), cntk.less(left, zero))


def mod(x, y):
    x, y = _pair(x, y)
    return cntk.minus(x.node, cntk.element_times(floor_divide(x, y), y.node))


def _pair(x, y):
    dtype = x.dtype if type(x) is Tensor else y.dtype
    return [part if type(part) is Tensor else Tensor((), dtype, node=scalar_node(part, dtype)) for part in (x, y)]


def power(x, y):
    never_below = type(y) is not Tensor and y >= 0
    x, y = _pair(x, y)
    found = cntk.pow(x.node, y.node)
    if never_below:
        return found
    # There CNTK has 0.
    zero = scalar_node(0, x.dtype)
    at_pole = cntk.element_times(cntk.equal(x.node, zero), cntk.less(y.node, zero))
    return cntk.element_select(at_pole, scalar_node(np.inf, x.dtype), found)


def arctan2(y, x):
    """The arctangent of the quotient of the smaller by the larger coordinate, put into its octant."""
    def number(value):
        return scalar_node(value, x.dtype)
    zero = number(0)
    flat, steep = cntk.abs(x.node), cntk.abs(y.node)
    larger = cntk.element_max(flat, steep)
    quotient = cntk.element_divide(cntk.element_min(flat, steep), cntk.plus(larger, cntk.equal(larger, zero)))
    angle = cntk.atan(quotient)
    angle = cntk.element_select(cntk.greater(steep, flat), cntk.minus(number(math.pi / 2), angle), angle)
    angle = cntk.element_select(cntk.less(x.node, zero), cntk.minus(number(math.pi), angle), angle)
    angle = cntk.element_select(cntk.less(y.node, zero), cntk.negate(angle), angle)
    square = cntk.plus(cntk.square(x.node), cntk.square(y.node))
    by_y = with_derivative(angle, y.node, cntk.element_divide(x.node, square))
    zeros = cntk.minus(angle, angle)
    return cntk.plus(by_y, with_derivative(zeros, x.node, cntk.negate(cntk.element_divide(y.node, square))))


def where(condition, x, y):
    dtype = x.dtype if type(x) is Tensor else y.dtype
    flag = condition.node
    if node_type(dtype) == 'float64':
        flag = cntk.cast(flag, np.float64)
    shape = rules.broadcast_shapes(*[part.shape if type(part) is Tensor else () for part in (condition, x, y)])
    if shape == condition.shape:
        return cntk_py.element_select(flag if type(flag) is not cntk_py.Function else output(flag),
                                      node_of(x, dtype), node_of(y, dtype), '')
    zeros = constant_node(np.zeros(shape), node_type(dtype))
    return cntk.element_select(cntk.plus(flag, zeros), node_of(x, dtype), node_of(y, dtype))


# --- reductions -----------------------------------------------------------------------------------------------------

def _reduction(function):
    def run(x, axis=None, keepdims=False):
        axes = rules.normalize_axes(axis, len(x.shape))
        if not axes:
            return x.node
        node = x.node
        return function(node, axis=list(axes), keepdims=True)
    return run


reduce_sum, reduce_max = _reduction(cntk.reduce_sum), _reduction(cntk.reduce_max)
reduce_min, reduce_prod = _reduction(cntk.reduce_min), _reduction(cntk.reduce_prod)


def argmax(x, axis=-1):
    return cntk.argmax(x.node, axis=rules.normalize_axis(axis, len(x.shape)))


def _running(function, neutral):
    """Hillis and Steele's scan: every round combines with the elements a power of two before."""
    def run(x, axis=0):
        axis = rules.normalize_axis(axis, len(x.shape))
        size, shift, node = x.shape[axis], 1, x.node
        while shift < size:
            front = np.full(x.shape[:axis] + (shift,) + x.shape[axis + 1:], neutral)
            moved = cntk.splice(constant_node(front, node_type(x.dtype)), cntk.slice(node, axis, 0, size - shift),
                                axis=axis)
            node, shift = function(node, moved), 2 * shift
        return node
    return run


cumsum, cumprod = _running(cntk.plus, 0.0), _running(cntk.element_times, 1.0)


# --- movement -------------------------------------------------------------------------------------------------------

def reshape(x, shape):
    shape = rules.reshape(rules.AbstractTensor(x.shape, x.dtype), shape).shape
    return x.node if shape == x.shape else cntk.reshape(x.node, shape)


def transpose(x, axes=None):
    rank = len(x.shape)
    order = tuple(range(rank))[::-1] if axes is None else rules.normalize_axes(axes, rank)
    return x.node if order == tuple(range(rank)) else cntk.transpose(x.node, order)


def broadcast_to(x, shape):
    if tuple(shape) == x.shape:
        return x.node
    return cntk.plus(x.node, constant_node(np.zeros(shape), node_type(x.dtype)))


def concatenate(xs, axis=-1):
    axis = rules.normalize_axis(axis, len(xs[0].shape))
    nodes = [x.node for x in xs if x.shape[axis]]
    return nodes[0] if len(nodes) == 1 else cntk.splice(*nodes, axis=axis)


def strided_slice(x, starts, stops, steps):
    node = x.node
    for axis, bounds in enumerate(zip(starts, stops, steps)):
        chosen = range(*slice(*bounds).indices(x.shape[axis]))
        node = _sliced(node, axis, chosen, x.shape[axis])
    return node


def _sliced(node, axis, chosen, size):
    """The elements at the positions `chosen`, a range, along an axis of `size`."""
    if chosen.step < 0:
        return _sliced(cntk.slice(node, axis, 0, size, -1), axis, range(size - 1 - chosen[0], size, -chosen.step)
                       [:len(chosen)], size)
    if len(chosen) == size:
        return node
    if chosen.step == 1 or len(chosen) == 1:
        return cntk.slice(node, axis, chosen[0], chosen[-1] + 1)
    return cntk.slice(node, axis, chosen[0], chosen[-1] + 1, chosen.step)


def pad(x, widths, value=0):
    if not any(map(any, widths)):
        return x.node
    pairs = [tuple(pair) for pair in widths]
    if not math.isinf(value):
        return cntk.pad(x.node, pairs, cntk.ops.CONSTANT_PAD, value)
    # CNTK pads by the greatest number in the place of infinity.
    inside = constant_node(np.pad(np.ones(x.shape), pairs), node_type(x.dtype))
    return cntk.element_select(inside, cntk.pad(x.node, pairs, cntk.ops.CONSTANT_PAD, 0), scalar_node(value, x.dtype))


def flip(x, axes):
    node = x.node
    for axis in rules.normalize_axes(axes, len(x.shape)):
        if x.shape[axis] > 1:
            node = cntk.slice(node, axis, 0, x.shape[axis], -1)
    return node


def gather(x, indices, axis=0):
    axis = rules.normalize_axis(axis, len(x.shape))
    if axis:
        order = (axis,) + tuple(index for index in range(len(x.shape)) if index != axis)
        moved = derived(cntk.transpose(x.node, order), x, tuple(x.shape[index] for index in order))
        taken, count = gather(moved, indices), len(indices.shape)
        back = tuple(range(count, count + axis)) + tuple(range(count)) + tuple(range(count + axis, len(taken.shape)))
        return cntk.transpose(taken.node, back)
    if not x.shape[1:]:
        column = derived(cntk.reshape(x.node, x.shape + (1,)), x, x.shape + (1,))
        return derived(gather(column, indices).node, x, indices.shape)
    count = int(np.prod(indices.shape, dtype=int))
    positions = indices.node
    if node_type(x.dtype) == 'float64':
        positions = cntk.cast(positions, np.float64)
    # CNTK would read past the table where an index is out of range.
    last = scalar_node(max(x.shape[0] - 1, 0), x.dtype)
    inside = cntk.element_min(cntk.element_max(positions, scalar_node(0, x.dtype)), last)
    # Its gradient needs a batch axis around the indices.
    found = cntk.gather(x.node, cntk.to_batch(cntk.reshape(inside, (count,))))
    shape = indices.shape + x.shape[1:]
    found = cntk.reshape(cntk.unpack_batch(found), shape)
    is_inside = cntk.reshape(cntk.equal(inside, positions), indices.shape + (1,) * len(x.shape[1:]))
    return derived(cntk.element_select(is_inside, found, scalar_node(np.nan, x.dtype)), x, shape)


def gather_nd(x, indices):
    depth = indices.shape[-1]
    sizes = x.shape[:depth]
    strides = [int(np.prod(sizes[index + 1:], dtype=int)) for index in range(depth)]
    weighed = cntk.element_times(indices.node, constant_node(np.array(strides), node_type(indices.dtype)))
    rows = derived(cntk.reduce_sum(weighed, axis=len(indices.shape) - 1), indices, indices.shape[:-1])
    flat = (int(np.prod(sizes, dtype=int)),) + x.shape[depth:]
    return gather(derived(cntk.reshape(x.node, flat), x, flat), rows)


def _one_hot(indices, count, dtype):
    """A matrix (number of indices, count) with ones at the indices, as a node."""
    flat = cntk.reshape(indices.node, (int(np.prod(indices.shape, dtype=int)), 1))
    if node_type(dtype) == 'float64':
        flat = cntk.cast(flat, np.float64)
    return cntk.equal(flat, constant_node(np.arange(count).reshape(1, count), node_type(dtype)))


def _rows(x, lead):
    """The node of `x` with its first `lead` axes and its other ones each made one."""
    return cntk.reshape(x.node, (int(np.prod(x.shape[:lead], dtype=int)), int(np.prod(x.shape[lead:], dtype=int))))


def _scattered(x, indices, updates):
    """What `scatter_add` adds, as a node (rows, others), and how often each row is named (rows, 1)."""
    lead = len(indices.shape)
    hot = _one_hot(indices, x.shape[0], x.dtype)
    full = indices.shape + x.shape[1:]
    if updates.shape != full:
        updates = derived(broadcast_to(updates, full), updates, full)
    summed = cntk.times(cntk.transpose(hot, (1, 0)), _rows(updates, lead))
    return summed, cntk.transpose(cntk.reduce_sum(hot, axis=0), (1, 0))


def scatter_add(x, indices, updates):
    return cntk.plus(_rows(x, 1), _scattered(x, indices, updates)[0])


def scatter_update(x, indices, updates):
    summed, count = _scattered(x, indices, updates)
    rows = _rows(x, 1)
    count = cntk.plus(count, cntk.element_times(cntk.equal(rows, rows), scalar_node(0, x.dtype)))
    return cntk.plus(cntk.element_select(count, scalar_node(0, x.dtype), rows), summed)


def scatter_max(x, indices, updates):
    lead = len(indices.shape)
    full = indices.shape + x.shape[1:]
    if updates.shape != full:
        updates = derived(broadcast_to(updates, full), updates, full)
    hot = _one_hot(indices, x.shape[0], x.dtype)
    count, others = int(np.prod(indices.shape, dtype=int)), int(np.prod(x.shape[1:], dtype=int))
    lowest = constant_node(np.full((count, x.shape[0], others), np.finfo(node_type(x.dtype)).min),
                           node_type(x.dtype))
    chosen = cntk.plus(cntk.reshape(hot, (count, x.shape[0], 1)), cntk.element_times(lowest, scalar_node(0, x.dtype)))
    offered = cntk.element_select(chosen, cntk.reshape(_rows(updates, lead), (count, 1, others)), lowest)
    return cntk.element_max(_rows(x, 1), cntk.reshape(cntk.reduce_max(offered, axis=0), (x.shape[0], others)))


# --- contraction and order --------------------------------------------------------------------------------------------

def matmul(x, y):
    left, right = x.shape, y.shape
    if x.shape[-1] == 0:
        shape = rules.matmul(rules.AbstractTensor(left, x.dtype), rules.AbstractTensor(right, y.dtype)).shape
        return known(np.zeros(shape, x.dtype))
    if len(right) == 1:
        return cntk.times(x.node, cntk.reshape(y.node, right + (1,)))
    if len(right) == 2:
        return cntk.times(x.node, y.node)
    if len(left) == 1:
        return matmul(derived(cntk.reshape(x.node, (1,) + left), x, (1,) + left), y)
    batch = rules.broadcast_shapes(left[:-2], right[:-2])
    count = int(np.prod(batch, dtype=int))
    product = cntk.times(_batched(x, batch, count), _batched(y, batch, count))
    return cntk.reshape(cntk.unpack_batch(product), batch + (left[-2], right[-1]))


def _batched(x, batch, count):
    """The matrices of `x`, broadcast to the sizes `batch` in front of them, with a batch axis of CNTK's around them."""
    matrices = x.shape[-2:]
    node = broadcast_to(x, batch + matrices)
    return cntk.to_batch(cntk.reshape(node, (count,) + matrices))


def top_k(x, k):
    return list(cntk.top_k(x.node, k).outputs)


def sort(x, axis=-1):
    axis = rules.normalize_axis(axis, len(x.shape))
    rank = len(x.shape)
    order = tuple(index for index in range(rank) if index != axis) + (axis,)
    shape = tuple(x.shape[index] for index in order)
    moved = derived(transpose(x, order), x, shape)
    positions = argsort(moved)
    size = shape[-1]
    hot = cntk.equal(cntk.reshape(positions.node, shape + (1,)),
                     constant_node(np.arange(size), node_type(x.dtype)))
    hot = cntk.stop_gradient(hot)
    chosen = cntk.element_select(hot, cntk.reshape(moved.node, shape[:-1] + (1, size)), scalar_node(0, x.dtype))
    found = cntk.reduce_sum(chosen, axis=rank)
    found = derived(cntk.reshape(found, shape), x, shape)
    return transpose(found, tuple(order.index(index) for index in range(rank)))


def argsort(x, axis=-1):
    """How many elements come before each one: smaller ones, and equal ones in front of it; and that inverted."""
    axis = rules.normalize_axis(axis, len(x.shape))
    rank = len(x.shape)
    order = tuple(index for index in range(rank) if index != axis) + (axis,)
    shape = tuple(x.shape[index] for index in order)
    kind, size = node_type(x.dtype), shape[-1]
    node = transpose(x, order)
    mine, other = cntk.reshape(node, shape + (1,)), cntk.reshape(node, shape[:-1] + (1, size))
    in_front = constant_node(np.tril(np.ones((size, size)), -1), kind)
    before = cntk.plus(cntk.less(other, mine), cntk.element_times(cntk.equal(other, mine), in_front))
    place = cntk.reshape(cntk.reduce_sum(before, axis=rank), shape[:-1] + (1, size))
    positions = cntk.argmax(cntk.equal(place, constant_node(np.arange(size).reshape(size, 1), kind)), axis=rank)
    positions = derived(cntk.reshape(positions, shape), x, shape, 'int32' if kind == 'float32' else x.dtype)
    return derived(transpose(positions, tuple(order.index(index) for index in range(rank))), positions, x.shape)


def searchsorted(x, values, side='left'):
    compare = cntk.less if side == 'left' else cntk.less_equal
    mine = cntk.reshape(values.node, values.shape + (1,))
    return cntk.reduce_sum(compare(x.node, mine), axis=len(values.shape))


def fft(real, imaginary):
    """Two products with the matrices of cosines and sines."""
    size = real.shape[-1]
    angles = 2 * np.pi * np.outer(np.arange(size), np.arange(size)) / size
    cosine, sine = [constant_node(part, node_type(real.dtype)) for part in (np.cos(angles), np.sin(angles))]
    return [cntk.plus(cntk.times(real.node, cosine), cntk.times(imaginary.node, sine)),
            cntk.minus(cntk.times(imaginary.node, cosine), cntk.times(real.node, sine))]


# --- creation -----------------------------------------------------------------------------------------------------

def full_like(x, value, dtype=None):
    return known(np.full(x.shape, value, dtype or x.dtype))


GRAPH = dict(
    full_like=full_like, negative=negative, abs=absolute, sign=sign, floor=floor, round=round_half_even, exp=exp,
    log=log, sqrt=sqrt, sin=sin, cos=cos, tanh=tanh, arcsin=arcsin, arctan=arctan, erf=erf, logical_not=logical_not,
    isfinite=isfinite, stop_gradient=stop_gradient, cast=cast, add=add, subtract=subtract, multiply=multiply,
    divide=divide, floor_divide=floor_divide, mod=mod, power=power, maximum=maximum, minimum=minimum, arctan2=arctan2,
    equal=equal, less=less, logical_and=logical_and, logical_or=logical_or, where=where, sum=reduce_sum,
    prod=reduce_prod, max=reduce_max, min=reduce_min, argmax=argmax, cumsum=cumsum, cumprod=cumprod, reshape=reshape,
    transpose=transpose, broadcast_to=broadcast_to, concatenate=concatenate, strided_slice=strided_slice, pad=pad,
    flip=flip, gather=gather, gather_nd=gather_nd, scatter_add=scatter_add, scatter_update=scatter_update,
    scatter_max=scatter_max, matmul=matmul, top_k=top_k, sort=sort, argsort=argsort, searchsorted=searchsorted, fft=fft)
