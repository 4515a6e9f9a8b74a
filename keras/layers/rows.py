"""Rows of different lengths, which are ragged tensors of an engine's library: inside of layers, dense with a mask."""
import itertools
import warnings

import numpy as np

from keras import ops
from keras.backend.contract import tree
from keras.backend.contract.context import known_mask, let_go_along
from keras.backend.contract.loading import get_engine, is_ragged
from keras.backend.contract.rules import AbstractTensor, numpy_dtype
from keras.backend.graph.operations import Operation
from keras.backend.graph.tensors import KerasTensor
from keras.backend.table.composites.shape import dtype_of


def has_rows(structure):
    """Whether there are ragged tensors in it."""
    return any(map(is_ragged, tree.flatten(structure)))


def stands_for_rows(structure):
    """Whether there are ragged tensors in it, or symbolic ones that stand for such."""
    return any(getattr(leaf, 'ragged', False) for leaf in tree.flatten(structure)) or has_rows(structure)


def filled(x):
    """A ragged tensor as a dense one, whose mask goes along with it."""
    dense, mask = get_engine().rows_filled(x)
    mask.is_of_rows = True
    let_go_along(dense, mask)
    return dense


def mask_of_rows(inputs, mask):
    """`mask`, given with the `inputs` of a layer, where it says where ragged rows end; otherwise None."""
    return mask if getattr(mask, 'is_of_rows', False) or getattr(inputs, 'ragged', False) else None


def rows_mapped(x, function):
    """A ragged tensor with `function` of its values, which are one native tensor."""
    return get_engine().ragged_of_values(x, function)


def in_rows(outputs):
    """What a layer of ours gave for ragged tensors: ragged again, where a mask says which values are some."""
    return tree.map_structure(_in_rows, outputs)


def _in_rows(x):
    engine = get_engine()
    mask = known_mask(x) if engine.is_native(x) else None
    return x if mask is None or len(mask.shape) != 2 else engine.ragged_from(x, mask)


def without_rows(structure, widths=()):
    """(ragged tensors as dense ones, a list with the mask of each leaf or None).

    Args:
        widths: for leaves, in their order, how long rows are filled up to at least; None for no longer than needed.
    """
    engine, masks, widths = get_engine(), [], iter(widths)

    def dense(x):
        width = next(widths, None)
        found, mask = engine.rows_filled(x, width) if is_ragged(x) else (x, None)
        masks.append(mask)
        return found
    return tree.map_structure(dense, structure), masks


# --- in graphs: a symbolic tensor that is `ragged` has a mask which says where its rows end ---------------------------

def masks_of_rows(tensors):
    """The masks of those of the symbolic `tensors` that are ragged."""
    return [tensor.mask for tensor in tensors if tensor.ragged and tensor.mask is not None]


def in_rows_where(tensors, values):
    """The values of symbolic `tensors`, followed by those of `masks_of_rows`, as ragged tensors where they are such."""
    masks = iter(values[len(tensors):])
    return [get_engine().ragged_from(value, next(masks)) if tensor.ragged and tensor.mask is not None else value
            for tensor, value in zip(tensors, values)]


def rows_given(layer, inputs):
    """(a list with the mask of each of the symbolic `inputs` of a layer that it gets as a ragged tensor, else None; the
    masks of those that it gets dense, in the structure of the inputs).

    The list is None where it gets all dense.
    """
    leaves = tree.flatten(inputs)
    for leaf in leaves:
        if getattr(leaf, 'ragged', False) and leaf.mask is None and len(leaf.shape) > 1:  # a script made it
            leaf.mask = RowsThere()(leaf)
    if not any(getattr(leaf, 'ragged', False) for leaf in leaves) or not layer.takes_rows() \
            or not get_engine().has_ragged:
        return None, tree.map_structure(lambda leaf: getattr(leaf, 'mask', None), inputs)
    return [leaf.mask if getattr(leaf, 'ragged', False) else None for leaf in leaves], \
        tree.map_structure(lambda leaf: None, inputs)


def mark_rows(node, takes_mask, ragged=None):
    """Say of the outputs of a node where they are ragged, too.

    Args:
        takes_mask: whether `call` of the layer does. ragged: for each output whether it is, as a run of the layer
            showed; None: those that have a mask are.
    """
    if ragged is None and any(tensor.ragged for tensor in node.inputs):
        ragged = [tensor.mask is not None for tensor in node.outputs]
        layer = node.operation
        if not (takes_mask or layer.supports_masking or type(layer).compute_mask.__qualname__ != 'Layer.compute_mask'):
            warnings.warn('Layer %s (%s) is called on a ragged input and knows no masks: rows are filled up with '
                          'zeros, which count here as values.' % (layer.name, type(layer).__name__), stacklevel=4)
    for tensor, is_one in zip(node.outputs, ragged or ()):
        if is_one:
            tensor.mark(ragged=True)
            tensor.mask = tensor.mask if tensor.mask is not None else RowsThere()(tensor)


def run_in_rows(function):
    """`function` of a script, given the dense inputs and `rows`, the masks of those that it gets as ragged tensors."""
    def run(inputs, *args, rows, **kwargs):
        engine = get_engine()
        leaves = tree.flatten(inputs)
        given = [x if mask is None else engine.ragged_from(x, mask) for x, mask in zip(leaves, rows)]
        width = next(ops.shape(x)[1] for x, mask in zip(leaves, rows) if mask is not None)
        outputs = function(tree.pack_as(inputs, given), *args, **kwargs)
        dense, masks = without_rows(outputs, itertools.repeat(width))
        for x, mask in zip(tree.flatten(dense), masks):
            if mask is not None:
                let_go_along(x, mask)
        return dense
    return run


def evaluated(function, args, kwargs, rows=()):
    """What `function` gives, by the engine's own abstract evaluation.

    Args:
        args, kwargs: with `AbstractTensor`s. rows: for leaves of these, in their order, the mask of a ragged one or
            None.

    Returns:
        (the outputs as `AbstractTensor`s, for each of them whether it is ragged)
    """
    leaves = [leaf for leaf in tree.flatten([args, kwargs]) if isinstance(leaf, AbstractTensor)]
    engine, found = get_engine(), []

    def run(*values):
        remaining, ragged = iter(values), iter(rows)

        def given(leaf):
            mask, value = next(ragged, None), next(remaining) if isinstance(leaf, AbstractTensor) else leaf
            return value if mask is None else engine.ragged_from(value, ops.equal(_first_of(value), _first_of(value)))
        args_given, kwargs_given = tree.map_structure(given, [args, kwargs])
        outputs, masks = without_rows(function(*args_given, **kwargs_given))
        found[:] = [mask is not None for mask in masks]
        return outputs
    return engine.eval_shape(run, leaves), found


# --- on the way between data and steps: a number that nobody feeds marks where a row has ended ------------------------

def row_end(dtype):
    """What stands, in data for a ragged input, where a row has ended: a number that nobody feeds."""
    dtype = np.dtype(dtype)
    if dtype.kind not in 'if':
        raise ValueError('A ragged input takes integers with a sign and floats. Received: %s. Cast them.' % dtype.name)
    return (np.iinfo if dtype.kind == 'i' else np.finfo)(dtype).min


def with_ends_marked(x, there):
    """A dense tensor with `row_end` of its dtype where the mask `there`, of its first two axes, is False."""
    if dtype_of(x) in ('bfloat16', 'bool') or dtype_of(x).startswith('uint'):  # what can hold no such number
        x = ops.cast(x, 'float32' if dtype_of(x) == 'bfloat16' else 'int64')
    return ops.where(_over_all(there, x), x, ops.full_like(x, row_end(numpy_dtype(dtype_of(x)))))


def mask_of_marks(x):
    """Where values stand in what `with_ends_marked` made, or what was marked on the host."""
    return ops.not_equal(_first_of(x), row_end(numpy_dtype(dtype_of(x))))


def rows_of_marks(x):
    """The ragged tensor of what was marked."""
    return get_engine().ragged_from(x, mask_of_marks(x))


def ragged_of_marked(arrays):
    """The ragged tensor of the rows of several NumPy arrays in which the ends of rows are marked."""
    values, lengths = [], []
    for array in arrays:
        there = _first_of(array) != row_end(array.dtype)
        values.append(array[there])
        lengths.append(there.sum(1))
    return get_engine().ragged_of_lengths(np.concatenate(values), np.concatenate(lengths))


def with_rows_noted(x):
    """`x`, fed for a ragged input, with zeros behind the ends of rows, whose mask is noted for the layers."""
    if is_ragged(x):
        return filled(x)
    if known_mask(x) is not None or dtype_of(x).startswith(('uint', 'bool', 'string')):
        return x
    there = mask_of_marks(x)
    dense = ops.where(_over_all(there, x), x, ops.zeros_like(x))
    let_go_along(dense, there)
    return dense


def _over_all(there, x):
    """A mask of the first two axes of `x` for all of them."""
    return ops.reshape(there, ops.shape(there) + (1,) * (len(x.shape) - 2))


def _first_of(x):
    """`x` with its first two axes alone."""
    return x[(slice(None),) * 2 + (0,) * (len(x.shape) - 2)]


class RowsThere(Operation):
    """The mask of a ragged input: what was noted with its value; all there where nothing was."""

    def call(self, x):
        mask = known_mask(x)
        return ops.equal(_first_of(x), _first_of(x)) if mask is None else mask

    def compute_output_spec(self, x):
        return KerasTensor(x.shape[:2], 'bool')
