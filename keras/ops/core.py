"""Conversion, control flow, slices and scatters: `keras.ops` beyond NumPy's names."""
import builtins
import functools

import numpy as np

from keras.backend.contract import rules, tree
from keras.backend.contract.context import context
from keras.backend.contract.loading import get_engine, is_native, is_ragged, is_sparse
from keras.backend.contract.rules import AbstractTensor
from keras.backend.state.variables import Variable, to_array
from keras.backend.table import primitives as p
from keras.backend.table.cases import F
from keras.backend.table.composites.math import less_equal
from keras.backend.table.composites.shape import (dtype_of, expand_dims, moveaxis, multiply_sizes, ndim, part_at,
                                                  resized, shape, size_along, sliced, squeeze, static_shape, unstack,
                                                  whole_numbers, zeros)
from keras.backend.table.dispatch import composite
from keras.backend.table.primitives import cast, stop_gradient


# --- conversion -------------------------------------------------------------------------------------------------

def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """A tensor of the active engine from an array, a nested list, a scalar, a `Variable` or a tensor.

    Args:
        dtype: name of the dtype; default that of `x` (Python floats and float64 arrays: `floatx`; ints: int32).
        sparse: False for a dense tensor (or symbolic one) in any case; by default sparse tensors of TensorFlow and JAX
            stay sparse. ragged: False for a dense tensor, short rows filled up with zeros, in any case; by default
            ragged tensors of TensorFlow stay ragged. Neither makes a sparse or ragged tensor of a dense one.

    Raises:
        ValueError: for sparse=True on an engine without sparse tensors, and for ragged=True on one without ragged ones.

    Example:
        >>> keras.ops.convert_to_tensor([1.0, 2.0])
        array([1., 2.], dtype=float32)
    """
    if isinstance(x, Variable):
        x = x.value
    if isinstance(x, AbstractTensor):
        if sparse is False and getattr(x, 'sparse', False):
            x = p.add(x, 0)
        return x if dtype in (None, x.dtype) else cast(x, dtype)
    engine = get_engine()
    if sparse and not engine.has_sparse:
        raise ValueError('`sparse=True` is not supported with the %s engine.' % engine.name)
    if ragged and not engine.has_ragged:
        raise ValueError('`ragged=True` is not supported with the %s engine: pad rows of different lengths and mask '
                         'the padding. Received: ragged=%r' % (engine.name, ragged))
    if is_ragged(x):
        if ragged is not False:
            return x if dtype is None else engine.ragged_of_values(x, lambda values: cast(values, dtype))
        x = engine.rows_filled(x)[0]
    if sparse is not False and is_sparse(x):
        return x if dtype is None else cast(x, rules.standard_dtype(dtype))
    if dtype is None and isinstance(x, np.ndarray) and x.dtype == np.float64:
        dtype = rules.config.floatx()
    return engine.convert(x, None if dtype is None else rules.standard_dtype(dtype))


def convert_to_numpy(x):
    """A NumPy array with the value of a tensor, variable or nested list. Waits for the device.

    Example:
        >>> keras.ops.convert_to_numpy([[1, 2]])
        array([[1, 2]])
    """
    if isinstance(x, AbstractTensor):
        raise ValueError('%r is symbolic and has no value. Compute it with a Model, or convert a tensor.' % (x,))
    if is_ragged(x):
        x = get_engine().rows_filled(x)[0]
    if isinstance(x, (list, tuple)) and any(is_native(part) for part in x):  # which NumPy may not know how to read
        return np.array([to_array(part) for part in x])
    array = to_array(x)
    # JAX shows memory of its own, which nobody may write to.
    return array if array.flags.writeable else array.copy()


def is_tensor(x):
    """Whether `x` is a tensor of the active engine or a `KerasTensor`.

    Example:
        >>> keras.ops.is_tensor([1, 2])
        False
    """
    return isinstance(x, AbstractTensor) or is_native(x) or is_sparse(x) or is_ragged(x)


def dtype(x):
    """The name of the dtype of `x`.

    Example:
        >>> keras.ops.dtype(np.array([1, 2], 'int32'))
        'int32'
    """
    return dtype_of(x)


def copy(x):
    """`x` as a tensor of its own.

    Example:
        >>> keras.ops.copy([1, 2])
        array([1, 2], dtype=int32)
    """
    return copied(x if is_tensor(x) else convert_to_tensor(x))


@composite(cases=[(F(2, 3),), (F(),)])
def copied(x):
    """`copy` as an entry of the table."""
    # Joining one piece makes a new tensor on every engine, and gradients go through it.
    return resized(p.concatenate([p.reshape(x, (-1,))], 0), shape(x))


def saturate_cast(x, dtype):
    """`x` in another dtype, values out of its range replaced by the nearest bound.

    Example:
        >>> keras.ops.saturate_cast([300, -5], 'uint8')
        array([255,   0], dtype=uint8)
    """
    dtype = rules.config.floatx() if dtype is None else rules.dtype_named(dtype)
    if not rules.is_integer(dtype):
        return cast(x, dtype)
    bounds = np.iinfo(dtype)
    low, high = bounds.min, bounds.max
    if rules.is_integer(dtype_of(x)):
        own = np.iinfo(dtype_of(x))
        low, high = builtins.max(low, own.min), builtins.min(high, own.max)
        return cast(p.minimum(p.maximum(x, int(low)), int(high)), dtype)
    # The largest float that does not round up beyond the bound.
    high = float(np.nextafter(np.float32(high), np.float32(0))) if bounds.bits >= 32 else float(high)
    return cast(p.minimum(p.maximum(x, float(low)), high), dtype)


# --- gradients --------------------------------------------------------------------------------------------------

def custom_gradient(f):
    """A decorator for a function that knows its own gradient.

    Args:
        f: takes tensors and returns a pair: its result, and a function of the gradient by the result (positional, or
            `upstream=`) that gives the gradients by the arguments, a tensor or a list.

    Example:
        >>> @keras.ops.custom_gradient
        ... def clipped(x):
        ...     return keras.ops.minimum(x, 1.0), lambda upstream: upstream
        >>> clipped(np.array([0.5, 2.0]))
        array([0.5, 1. ], dtype=float32)
    """
    @functools.wraps(f)
    def run(*args):
        if context.abstract or builtins.any(isinstance(leaf, AbstractTensor) for leaf in tree.flatten(list(args))):
            return f(*args)[0]
        return get_engine().custom_gradient(f, [convert_to_tensor(arg) for arg in args])
    return run


def jvp(fun, primals, tangents, has_aux=False):
    """The value of a function and its derivative along a direction (forward mode).

    Args:
        fun: function of tensors that gives a tensor (with `has_aux` a pair of one and anything else). primals: a tuple
            or list, its arguments. tangents: as many tensors of their shapes, the direction.

    Returns:
        (value, derivative), with `has_aux` (value, derivative, what else `fun` gave).

    It is found as the gradient of a gradient, so that it works on every engine that has those.

    Raises:
        ValueError: if there are not as many tangents as primals.

    Example:
        >>> x, direction = keras.KerasTensor((3,)), keras.KerasTensor((3,))
        >>> value, derivative = keras.ops.jvp(keras.ops.sin, (x,), (direction,))
        >>> derivative.shape
        (3,)
    """
    if not isinstance(primals, (list, tuple)) or not isinstance(tangents, (list, tuple)) \
            or len(primals) != len(tangents):
        raise ValueError('jvp: `primals` and `tangents` must be tuples or lists of the same length. Received: %r and %r'
                         % (primals, tangents))
    if builtins.any(isinstance(leaf, AbstractTensor) for leaf in list(primals) + list(tangents)):
        result = fun(*primals)
        value, aux = result if has_aux else (result, None)
        derivative = tree.map_structure(lambda leaf: p.add(leaf, p.full_like(leaf, 0)), value)
        return (value, derivative, aux) if has_aux else (value, derivative)
    primals, tangents = [[convert_to_tensor(leaf) for leaf in each] for each in (primals, tangents)]
    engine = get_engine()
    result = fun(*primals)
    value, aux = result if has_aux else (result, None)

    def pulled_back(*cotangents):
        """The gradients by the primals as a function of those by the value, which is linear."""
        def weighted(*inputs):
            found = fun(*inputs)
            found = tree.flatten(found[0] if has_aux else found)
            total = p.sum(p.multiply(found[0], cotangents[0]))
            for leaf, factor in zip(found[1:], cotangents[1:]):
                total = p.add(total, p.sum(p.multiply(leaf, factor)))
            return total, ()
        _, gradients = engine.gradients(weighted, primals)
        total = p.cast(0.0, dtype_of(tangents[0]))
        for gradient, tangent in zip(gradients, tangents):
            if gradient is not None:
                total = p.add(total, p.sum(p.multiply(gradient, tangent)))
        return total, ()
    _, found = engine.gradients(pulled_back, [p.full_like(leaf, 1.0) for leaf in tree.flatten(value)])
    found = [p.full_like(leaf, 0.0) if gradient is None else gradient
             for gradient, leaf in zip(found, tree.flatten(value))]
    derivative = tree.pack_as(value, found) if tree.is_nested(value) else found[0]
    return (value, derivative, aux) if has_aux else (value, derivative)


# --- control flow -----------------------------------------------------------------------------------------------

def cond(pred, true_fn, false_fn):
    """`true_fn()` if the scalar `pred` is True, else `false_fn()`. Both may be run, so neither may have side effects.

    Raises:
        ValueError: with a symbolic `pred`, if the two give other structures, dtypes or shapes.

    Example:
        >>> keras.ops.cond(True, lambda: 1.0, lambda: 2.0)
        1.0
    """
    if isinstance(pred, (bool, np.bool_)):
        return true_fn() if pred else false_fn()
    pred = cast(pred, 'bool')
    if not isinstance(pred, AbstractTensor):
        return p.cond(pred, true_fn, false_fn, [])
    kinds = {}
    branches = [_noting_kind(true_fn, kinds, 'true_fn'), _noting_kind(false_fn, kinds, 'false_fn')]
    try:
        result = p.cond(pred, branches[0], branches[1], [])
    except Exception:
        if len(kinds) < 2 or _alike(kinds['true_fn'], kinds['false_fn']):
            raise
    if len(kinds) == 2 and not _alike(kinds['true_fn'], kinds['false_fn']):
        raise ValueError('cond: `true_fn` and `false_fn` should return outputs of the same kind (struct, dtype and '
                         'shape). Got %s and %s instead.' % (kinds['true_fn'], kinds['false_fn']))
    kind = kinds.get('true_fn')
    if not builtins.any(leaf is None for leaf in tree.flatten(kind)):
        return result
    tensors = iter(result)
    return tree.map_structure(lambda leaf: leaf if leaf is None else next(tensors), kind)


def _noting_kind(function, kinds, name):
    """`function` without arguments, which notes the structure, dtypes and shapes of what it gives."""
    @functools.wraps(function)
    def noting():
        # Numbers become tensors: what is recorded has a shape.
        result = tree.map_structure(
            lambda leaf: convert_to_tensor(leaf) if isinstance(leaf, (bool, int, float)) else leaf, function())
        kinds[name] = tree.map_structure(
            lambda leaf: leaf if leaf is None else AbstractTensor(static_shape(leaf), dtype_of(leaf)), result)
        # A branch of a graph gives tensors alone.
        tensors = [leaf for leaf in tree.flatten(result) if leaf is not None]
        return result if len(tensors) == len(tree.flatten(result)) else tensors
    return noting


def _alike(first, second):
    """Whether two structures of abstract tensors are of one kind; a size that is not known may be any."""
    def kind(x):
        return None if x is None else (x.dtype, len(x.shape))
    if tree.map_structure(kind, first) != tree.map_structure(kind, second):
        return False
    return builtins.all(a in (b, None) or b is None for x, y in zip(tree.flatten(first), tree.flatten(second))
                        if x is not None for a, b in zip(x.shape, y.shape))


def switch(index, branches, *operands):
    """`branches[index](*operands)`; an index out of range is brought to the nearest branch.

    Example:
        >>> keras.ops.switch(1, [lambda x: x + 1, lambda x: x * 10], 3)
        30
    """
    if isinstance(index, (int, np.integer)):
        return branches[builtins.min(builtins.max(index, 0), len(branches) - 1)](*operands)
    if len(branches) == 1:
        return branches[0](*operands)
    return p.cond(less_equal(index, 0), branches[0],
                  lambda *values: switch(p.subtract(index, 1), branches[1:], *values), list(operands))


def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """Run `carry, y = f(carry, x)` along axis 0 of the tensors in `xs`; the last carry and the stacked `y`s.

    Args:
        init: a tensor or a nested structure, the first carry. xs: likewise; None with `length`.

    Example:
        >>> keras.ops.scan(lambda total, x: (total + x, total), 0, np.array([1, 2, 3]))
        (np.int64(6), array([0, 1, 3]))
    """
    if not callable(f):
        raise TypeError('scan: `f` should be a callable. Received: %r' % (f,))
    if unroll is not True and unroll is not False and (not isinstance(unroll, int) or unroll < 1):
        raise ValueError('scan: `unroll` must be an positive integer or boolean. Received: %r' % (unroll,))
    if xs is None and length is None:
        raise ValueError('scan: expected `xs` to scan over and, where that is None, `length`. Received: neither')
    outputs = []

    def step(carry, x):
        x = tree.pack_as(xs, list(x)) if xs is not None else None
        new_carry, y = f(tree.pack_as(init, list(carry)), x)
        outputs[:] = [y]
        return tree.flatten(new_carry), [leaf for leaf in tree.flatten(y) if leaf is not None]
    flat_init = [convert_to_tensor(leaf) for leaf in tree.flatten(init)]
    flat_xs = [] if xs is None else [convert_to_tensor(leaf) for leaf in tree.flatten(xs)]
    carry, stacked = p.scan(step, flat_init, flat_xs, length, reverse)
    leaves = iter(stacked)
    structure = outputs[0] if outputs else list(stacked)
    return (tree.pack_as(init, list(carry)),
            tree.map_structure(lambda leaf: None if leaf is None else next(leaves), structure))


def map(f, xs):
    """`f` of every slice along axis 0 of the tensors in `xs`, stacked.

    Example:
        >>> keras.ops.map(lambda x: 2 * x, np.array([1, 2]))
        array([2, 4])
    """
    _, stacked = scan(lambda carry, x: (carry, f(x)), convert_to_tensor(0), xs)
    return stacked


def vectorized_map(function, elements):
    """`function` of every slice along axis 0 of `elements`, stacked.

    Example:
        >>> keras.ops.vectorized_map(lambda x: 2 * x, np.array([1, 2]))
        array([2, 4])
    """
    return map(function, elements)


def _as_the_body_gives(run, leaves):
    """What a loop begins with, as tensors; ints of Python are floats where one round makes them such."""
    init = [convert_to_tensor(leaf) for leaf in leaves]
    engine = get_engine()
    if engine.loops_at_once() or context.abstract or not any(type(leaf) is int for leaf in leaves):
        return init
    try:
        found = engine.eval_shape(lambda *values: run(*values), [
            AbstractTensor(static_shape(leaf), dtype_of(leaf)) for leaf in init])
    except Exception:  # the loop itself says what is wrong
        return init
    return [cast(leaf, dtype_of(after)) if type(given) is int and rules.is_float(dtype_of(after)) else leaf
            for given, leaf, after in zip(leaves, init, found)]


def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """`loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)` is True.

    Args:
        loop_vars: a tensor, or a nested list or tuple of tensors.

    Example:
        >>> keras.ops.while_loop(lambda i: i < 5, lambda i: (i + 2,), (0,))
        (array(6, dtype=int32),)
    """
    single = not isinstance(loop_vars, (list, tuple))
    structure = (loop_vars,) if single else loop_vars

    def packed(values):
        return tree.pack_as(structure, list(values))

    def run(*values):
        result = body(*packed(values))
        return tree.flatten(result)
    if _loops_in_python(structure):
        values, count = structure, 0
        while cond(*values) and (maximum_iterations is None or count < maximum_iterations):
            values, count = packed(run(*tree.flatten(values))), count + 1
        values = tree.map_structure(convert_to_tensor, values)
        return values[0] if single else values
    init = _as_the_body_gives(run, tree.flatten(structure))
    result = packed(p.while_loop(lambda *values: cond(*packed(values)), run, init, maximum_iterations))
    return result[0] if single else result


def _loops_in_python(structure):
    """Whether a loop can begin with numbers of Python, which do not widen what they meet."""
    leaves = tree.flatten(structure)
    return get_engine().loops_at_once() and not context.abstract and builtins.any(
        type(leaf) in (int, float) for leaf in leaves) and not builtins.any(
            isinstance(leaf, (AbstractTensor, Variable)) for leaf in leaves)


def fori_loop(lower, upper, body_fun, init_val):
    """`value = body_fun(i, value)` for i from `lower` up to, not including, `upper`, in the dtype of these.

    Raises:
        TypeError: for bounds that are no integers.

    Example:
        >>> keras.ops.fori_loop(0, 3, lambda i, total: total + i, 10)
        np.int32(13)
    """
    lower, upper = [int(bound) if isinstance(bound, np.integer) else bound for bound in (lower, upper)]
    known = isinstance(lower, int) and isinstance(upper, int)
    given = [dtype_of(bound) for bound in (lower, upper) if not isinstance(bound, int)]
    index_dtype = rules.result_dtype(*given) if given else 'int32'
    if not rules.is_integer(index_dtype):
        raise TypeError('fori_loop: the bounds must be integers. Received: lower=%r, upper=%r' % (lower, upper))
    structure = init_val
    if known and get_engine().loops_at_once() and not context.abstract and not builtins.any(
            isinstance(leaf, AbstractTensor) for leaf in tree.flatten(init_val)):
        # An int of Python does not widen what it meets.
        value = tree.map_structure(convert_to_tensor, init_val)
        for index in range(lower, upper):
            value = body_fun(index, value)
        return value

    def body(index, *values):
        value = body_fun(index, tree.pack_as(structure, list(values)))
        return [p.add(index, 1)] + tree.flatten(value)
    init = [convert_to_tensor(lower, index_dtype)] + [convert_to_tensor(leaf) for leaf in tree.flatten(init_val)]
    result = p.while_loop(lambda index, *values: p.less(index, upper), body, init,
                          builtins.max(upper - lower, 0) if known else None)
    return tree.pack_as(structure, list(result)[1:])


def associative_scan(f, elems, reverse=False, axis=0):
    """The running results of the associative function `f(a, b)` along `axis` (Hillis and Steele, 1986).

    Example:
        >>> keras.ops.associative_scan(lambda a, b: a + b, np.array([1, 2, 3]))
        array([1, 3, 6])
    """
    leaves = [leaf if is_tensor(leaf) else convert_to_tensor(leaf) for leaf in tree.flatten(elems)]
    sizes = {static_shape(leaf)[axis] for leaf in leaves}
    if len(sizes - {None}) > 1:
        raise ValueError('associative_scan: the tensors must have the same first dimension, that of axis %d. Received: '
                         'shapes %s' % (axis, ', '.join(str(static_shape(leaf)) for leaf in leaves)))
    leaves = [moveaxis(leaf, axis, 0) for leaf in leaves]
    leaves = [p.flip(leaf, (0,)) for leaf in leaves] if reverse else leaves
    leaves = (_in_turn if None in sizes else _by_doubling)(f, elems, leaves, axis)
    leaves = [p.flip(leaf, (0,)) for leaf in leaves] if reverse else leaves
    return tree.pack_as(elems, [moveaxis(leaf, 0, axis) for leaf in leaves])


def _in_turn(f, elems, leaves, axis):
    """Running results along axis 0, of which nobody knows how long it is, one after the other."""
    def step(carry, xs):
        parts = [tree.pack_as(elems, [moveaxis(expand_dims(leaf, 0), 0, axis) for leaf in each])
                 for each in (carry, xs)]
        found = [squeeze(moveaxis(leaf, axis, 0), 0) for leaf in tree.flatten(f(*parts))]
        return found, found
    first = [squeeze(sliced(leaf, 0, 0, 1), 0) for leaf in leaves]
    _, rest = scan(step, first, [sliced(leaf, 0, 1, None) for leaf in leaves])
    return [p.concatenate([sliced(leaf, 0, 0, 1), later], 0) for leaf, later in zip(leaves, rest)]


def _by_doubling(f, elems, leaves, axis):
    """Running results along axis 0 in as many rounds as its size has bits."""
    size, distance = static_shape(leaves[0])[0], 1
    while distance < size:
        earlier = tree.pack_as(elems, [moveaxis(sliced(leaf, 0, 0, size - distance), 0, axis) for leaf in leaves])
        later = tree.pack_as(elems, [moveaxis(sliced(leaf, 0, distance, None), 0, axis) for leaf in leaves])
        combined = [moveaxis(leaf, axis, 0) for leaf in tree.flatten(f(earlier, later))]
        leaves = [p.concatenate([sliced(leaf, 0, 0, distance), new], 0) for leaf, new in zip(leaves, combined)]
        distance *= 2
    return leaves


# --- slices and scatters ----------------------------------------------------------------------------------------

def slice(inputs, start_indices, shape):
    """The part of `inputs` of the given shape that begins at `start_indices` (ints or a vector).

    -1 in `shape` stands for everything up to the end.

    Example:
        >>> keras.ops.slice(np.array([[1, 2], [3, 4]]), (0, 1), (2, 1))
        array([[2],
               [4]])
    """
    starts = _entries(start_indices)
    if not len(starts) == len(shape) == ndim(inputs):
        raise ValueError('slice: the number of dimensions in `inputs` must match the number of dimensions in `shape`, '
                         'and the number of dimensions in `start_indices` must match the number of dimensions in '
                         '`inputs`. Received: inputs of %d dimensions, start_indices of %d and shape %s'
                         % (ndim(inputs), len(starts), tuple(shape)))
    if builtins.all(isinstance(start, int) for start in starts):
        stops = tuple(None if size == -1 else start + size for start, size in zip(starts, shape))
        part = p.strided_slice(inputs, tuple(starts), stops, (1,) * len(starts))
        # Of an axis of unknown size, the size that was asked for.
        return p.reshape(part, tuple(shape)) if None in static_shape(part) and -1 not in shape else part
    sizes = list(shape)
    for axis, (start, size) in enumerate(zip(starts, shape)):
        if isinstance(size, int) and size == -1:
            sizes[axis] = p.subtract(size_along(inputs, axis), start if isinstance(start, int) else
                                     p.cast(start, 'int32'))
        elif isinstance(start, int) and start == 0 and isinstance(size, int) and size == static_shape(inputs)[axis]:
            sizes[axis] = None
    return part_at(inputs, starts, tuple(sizes))


def _entries(indices):
    """Indices as a list of ints or scalar tensors."""
    if isinstance(indices, (list, tuple)):
        return [int(entry) if isinstance(entry, np.integer) else entry for entry in indices]
    if isinstance(indices, np.ndarray):
        return [int(entry) for entry in indices]
    return unstack(indices)


@composite('inputs *start_indices updates', cases=[(F(4, 3), (1, 0), F(2, 2))])
def slice_update(inputs, start_indices, updates):
    """`inputs` with the part that begins at `start_indices` replaced by `updates`, which has the same rank.

    Example:
        >>> keras.ops.slice_update(np.array([1, 2, 3]), (1,), [9])
        array([1, 9, 3])
    """
    sizes, rank = shape(inputs), ndim(inputs)
    flat = p.full((1,) * rank, 0, 'int32')
    for axis, (start, size) in enumerate(zip(_entries(start_indices), shape(updates))):
        stride = multiply_sizes(sizes[axis + 1:])
        start = start if isinstance(start, int) else p.cast(start, 'int32')
        positions = p.multiply(p.add(p.arange(size, dtype='int32'), start), stride)
        flat = p.add(flat, resized(positions, [size if other == axis else 1 for other in range(rank)]))
    changed = p.scatter_update(p.reshape(inputs, (-1,)), p.reshape(flat, (-1,)),
                               p.reshape(p.cast(updates, dtype_of(inputs)), (-1,)))
    return resized(changed, sizes)


def scatter(indices, values, shape):
    """Zeros of the given shape with `values` added at the index vectors in the last axis of `indices`.

    Example:
        >>> keras.ops.scatter([[1], [3]], [10, 20], (4,))
        array([ 0, 10,  0, 20], dtype=int32)
    """
    return _scattered(p.scatter_add, zeros(shape, dtype_of(values)), indices, values)


def scatter_update(inputs, indices, updates, reduction=None):
    """`inputs` with `updates` at the index vectors in the last axis of `indices`.

    Args:
        reduction: None to replace, or 'add', 'max', 'min', 'mul' to combine with what is there.

    Example:
        >>> keras.ops.scatter_update(np.zeros(3), [[1]], [5.0])
        array([0., 5., 0.])
    """
    return scatter_by_vectors(inputs, indices, updates, reduction)


@composite('inputs indices updates', gradient=False, cases=[(F(4, 3), np.array([[1], [3]]), F(2, 3)), (
    F(4, 3), np.array([[1, 2], [3, 0]]), F(2), 'add')])
def scatter_by_vectors(inputs, indices, updates, reduction=None):
    """`scatter_update` as an entry of the table."""
    updates = p.cast(updates, dtype_of(inputs))
    if reduction == 'min':
        return _reversed(_scattered(p.scatter_max, _reversed(inputs), indices, _reversed(updates)))
    if reduction == 'mul':
        return _multiplied(inputs, indices, updates)
    functions = {None: p.scatter_update, 'add': p.scatter_add, 'max': p.scatter_max}
    if reduction not in functions:
        raise ValueError("scatter_update: `reduction` must be None, 'add', 'max', 'min' or 'mul'. Received: %r"
                         % (reduction,))
    return _scattered(functions[reduction], inputs, indices, updates)


def _multiplied(inputs, indices, updates):
    """`inputs` times the products of the updates, which are sums of logarithms: that is what engines can scatter."""
    dtype = rules.float_dtype(dtype_of(inputs))
    nothing = p.full_like(p.cast(inputs, dtype), 0)
    factors = p.exp(_scattered(p.scatter_add, nothing, indices, p.log(p.abs(p.cast(updates, dtype)))))
    flips = _scattered(p.scatter_add, nothing, indices, p.cast(p.less(updates, 0), dtype))
    product = p.multiply(factors, p.subtract(1.0, p.multiply(p.mod(flips, 2.0), 2.0)))
    whole = dtype != dtype_of(inputs)
    return p.multiply(inputs, p.cast(p.round(product) if whole else product, dtype_of(inputs)))


def _reversed(x):
    """Numbers in the opposite order; reversed twice they are `x` again, those without a sign as well."""
    dtype = dtype_of(x)
    if dtype == 'bool':
        return p.logical_not(x)
    if not rules.is_integer(dtype):
        return p.negative(x)
    return p.subtract(int(np.iinfo(dtype).max) if dtype in rules.UNSIGNED else -1, x)


def _scattered(function, x, indices, updates):
    """Apply a scatter along axis 0 to index vectors over the first axes."""
    sizes, depth, indices = shape(x), static_shape(indices)[-1], whole_numbers(indices)
    if depth is None:
        raise ValueError('the last size of `indices` must be known. Received: %s' % (static_shape(indices),))
    if depth == 1:
        return function(x, resized(indices, shape(indices)[:-1]), updates)
    strides = [multiply_sizes(sizes[axis + 1:depth]) for axis in range(depth)]
    parts = [p.multiply(column, stride) for column, stride in zip(unstack(indices, axis=-1), strides)]
    flat = parts[0]
    for part in parts[1:]:
        flat = p.add(flat, part)
    merged = resized(x, (multiply_sizes(sizes[:depth]),) + sizes[depth:])
    return resized(function(merged, flat, updates), sizes)
