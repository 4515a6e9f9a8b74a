"""Variables of Theano's graph: the static shapes they carry, and their values where they depend on constants only.

A type of Theano 1.0.5 knows the rank and which sizes are 1, nothing more. The static shape of what an operation gives
is kept in `variable.tag`, the scratchpad that Theano's variables have for such purposes: `tag.static_shape`. The value
of a variable that was computed outside of steps is remembered in `tag.computed`.
"""
import numpy as np

from keras.backend.contract.rules import AbstractTensor, broadcast_shapes
from keras.backend.engines.theano.compat import (DimShuffle, Elemwise, IS_THEANO, Subtensor, TensorConstant,
                                                 TensorSharedVariable, broadcastable, get_idx_list, new_constant,
                                                 with_sizes_of_one)

# --- static shapes ------------------------------------------------------------------------------------------------


def static_shape(x):
    """The static shape of a variable: a tuple of ints, None for unknown sizes."""
    shape = getattr(x.tag, 'static_shape', None)
    if shape is None:
        shape = x.tag.static_shape = found_shape(x)
    return shape


def found_shape(x):
    """The static shape of a variable that no operation of the table made, but Python's operators, or the user."""
    # Not recursive: chains of such operations may be long.
    shapes, stack = {}, [x]
    while stack:
        part = stack[-1]
        missing = [other for other in _deciding_inputs(part) if _noted_shape(other) is None and other not in shapes]
        if missing:
            stack.extend(missing)
        else:
            stack.pop()
            if part not in shapes:
                shapes[part] = _shape_by_owner(part, lambda other: _noted_shape(other) or shapes.get(other, ()))
    found = shapes[x]
    return found if IS_THEANO else tuple([a if b is None else b for a, b in zip(found, x.type.shape)])


def _noted_shape(x):
    return x.data.shape if isinstance(x, TensorConstant) else getattr(x.tag, 'static_shape', None)


def _deciding_inputs(x):
    """The inputs of the operation behind `x` whose shapes decide that of `x`."""
    op = x.owner.op if x.owner is not None else None
    if isinstance(op, Elemwise):
        return x.owner.inputs
    return x.owner.inputs[:1] if isinstance(op, (DimShuffle, Subtensor)) else []


def _shape_by_owner(x, shape_of):
    """What Python operators leave behind: elementwise functions and slices; of all else the sizes of 1 are known."""
    owner = x.owner
    op = owner.op if owner is not None else None
    if isinstance(x, TensorConstant):
        return x.data.shape
    if isinstance(op, Elemwise):
        return broadcast_shapes(*[shape_of(part) for part in owner.inputs])
    if isinstance(op, DimShuffle):
        shape = shape_of(owner.inputs[0])
        return tuple([1 if axis == 'x' else shape[axis] for axis in op.new_order])
    if isinstance(op, Subtensor):
        return _sliced_shape(shape_of(owner.inputs[0]), get_idx_list(owner.inputs, op.idx_list))
    return tuple([1 if known else None for known in x.type.broadcastable])


def _sliced_shape(shape, indices):
    """The shape that is left of `shape` by ints, slices and scalars of the graph."""
    sizes = []
    for size, index in zip(shape, indices):
        if isinstance(index, slice):
            bounds = [_number(part) for part in (index.start, index.stop, index.step)]
            known = size is not None and _UNKNOWN not in bounds
            sizes.append(len(range(*slice(*bounds).indices(size))) if known else
                         size if bounds in ([None] * 3, [None, None, 1]) else None)
    return tuple(sizes) + shape[len(indices):]


_UNKNOWN = object()


def _number(bound):
    """A bound of a slice as a Python number or None, where it is one."""
    if bound is None or isinstance(bound, (int, np.integer)):
        return bound
    return int(bound.data) if hasattr(bound, 'data') else _UNKNOWN


def with_shape(x, shape):
    """`x` with what is known of its shape noted; the graph learns which sizes are 1, so that they broadcast.

    Args:
        x: a variable. shape: a tuple of ints, with None for unknown sizes.
    """
    known = broadcastable(x)
    shape = tuple([1 if one else size for size, one in zip(shape, known)])
    ones = [axis for axis, size in enumerate(shape) if size == 1 and not known[axis]]
    if ones:
        x = with_sizes_of_one(x, ones)
    old = getattr(x.tag, 'static_shape', None)
    x.tag.static_shape = shape if old is None else tuple([a if b is None else b for a, b in zip(shape, old)])
    return x


def abstract(x):
    """A variable, or a structure of them, as the rules take it; anything else as it is."""
    kind = type(x)
    if kind is list or kind is tuple:
        return [abstract(part) for part in x] if kind is list else tuple([abstract(part) for part in x])
    return AbstractTensor(static_shape(x), x.dtype) if hasattr(x, 'tag') and hasattr(x, 'dtype') else x


def cloned(outputs, replaced):
    """The variables `outputs` with others in the place of some that they depend on: {old: new}. What depends on none
    of these stays the same variable, which Theano's own `clone` does not promise."""
    new = dict(replaced)
    for x in _ancestors(outputs, stop=replaced):
        if x in new:
            continue
        if x.owner is None or getattr(x.tag, 'computed', None) is not None \
                or all(new[parent] is parent for parent in x.owner.inputs):
            new[x] = x
            continue
        node = x.owner.clone_with_new_inputs([new[parent] for parent in x.owner.inputs], strict=False)
        for old, copy in zip(x.owner.outputs, node.outputs):
            new.setdefault(old, copy)
    return [new[x] for x in outputs]


def dependents(sources, outputs):
    """What depends on the set `sources` among what leads to `outputs`.

    Returns:
        {variable: whether it depends on a source}, and the nodes through which it does, each after those it depends on.
    """
    # None while it is being found out.
    depends = dict.fromkeys(sources, True)
    nodes, stack = [], list(outputs)
    while stack:
        x = stack.pop()
        if depends.get(x) is not None:
            continue
        if x.owner is None:
            depends[x] = False
        elif x not in depends:
            depends[x] = None
            stack.append(x)
            stack.extend(x.owner.inputs)
        else:
            found = any(depends[parent] for parent in x.owner.inputs)
            if found and not any(depends.get(output) for output in x.owner.outputs if output not in sources):
                nodes.append(x.owner)
            depends[x] = found
    return depends, nodes


# --- values -------------------------------------------------------------------------------------------------------

def value_of(x):
    """The value of a variable as a NumPy array.

    The graph behind it runs node by node, by each operation's own Python function: compiling a function for a graph
    that is used once would take a hundred times as long.

    Raises:
        TypeError: where the variable depends on an input of a function that is being traced.
    """
    if isinstance(x, TensorConstant):
        return x.data
    computed = getattr(x.tag, 'computed', None)
    if computed is None:
        storages = _run(x)
        computed = np.asarray(storages[x][0])
        x.tag.computed = computed
    return computed


def is_computable(x):
    """Whether `x` depends on constants only."""
    return all(leaf.owner is not None or _leaf_value(leaf) is not None for leaf in _ancestors([x]))


def _leaf_value(x):
    if isinstance(x, TensorConstant) or hasattr(x, 'data'):
        return x.data
    computed = getattr(x.tag, 'computed', None)
    if computed is None and isinstance(x, TensorSharedVariable):
        return x.get_value(borrow=True)
    return computed


def _ancestors(outputs, stop=()):
    """The variables that lead to `outputs`, each after those it depends on.

    What has a value and what is in `stop` is not followed.
    """
    found, ordered = set(), []
    stack = [(x, False) for x in reversed(outputs)]
    while stack:
        x, done = stack.pop()
        if done:
            ordered.append(x)
        elif x not in found:
            found.add(x)
            stack.append((x, True))
            if x.owner is not None and getattr(x.tag, 'computed', None) is None and x not in stop:
                stack.extend([(parent, False) for parent in x.owner.inputs])
    return ordered


def _run(output):
    storages, flags = {}, {}
    for x in _ancestors([output]):
        if x in storages:
            continue
        if x.owner is None or getattr(x.tag, 'computed', None) is not None:
            value = _leaf_value(x)
            if value is None and not _may_be_none(x):
                raise TypeError('%s has no value while a function is traced. Return it from the function, or use '
                                'keras.ops instead of NumPy.' % (x,))
            storages[x], flags[x] = [value], [True]
            continue
        node = x.owner
        for result in node.outputs:
            storages[result], flags[result] = [None], [False]
        _run_node(node, storages, flags)
    return storages


def _may_be_none(x):
    return hasattr(x, 'data')


def _run_node(node, storages, flags):
    thunk = node.op.make_thunk(node, storages, flags, [], impl='py')
    thunk()


def constant(array):
    """A constant that holds the NumPy array `array` itself."""
    return new_constant(array)
