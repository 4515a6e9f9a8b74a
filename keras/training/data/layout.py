"""The layout of a batch: all that a compiled step has to know of the data besides shapes and dtypes."""
import collections

from keras.backend.contract import tree
from keras.layers.rows import rows_of_marks


class Structure:
    """Nested lists, tuples and dictionaries without what is in them; it can be compared and hashed.

    Args:
        nested: the structure to take after; its leaves are not kept.
    """
    __slots__ = ('_skeleton', '_key')

    def __init__(self, nested):
        self._skeleton = tree.map_structure(lambda _: None, nested)
        self._key = _key(nested)

    def packed(self, leaves):
        """The `leaves`, in the order of `tree.flatten`, laid out in this structure."""
        return tree.pack_as(self._skeleton, leaves)

    def __eq__(self, other):
        return isinstance(other, Structure) and self._key == other._key

    def __hash__(self):
        return hash(self._key)

    def __repr__(self):
        return 'Structure(%r)' % (self._skeleton,)


def _key(nested):
    if isinstance(nested, dict):
        return (type(nested),) + tuple((name, _key(nested[name])) for name in sorted(nested))
    if isinstance(nested, (list, tuple)):
        return (type(nested),) + tuple(map(_key, nested))
    return None


class Layout(collections.namedtuple('Layout', 'structure targets weighted rows')):
    """What a batch looks like.

    structure: the `Structure` in which `call` takes the inputs, None for a graph of layers and for a single array.
    targets: the number of targets. weighted: for every output, whether there are sample weights. rows: for every input
    whether it becomes a ragged tensor, by the marks at the ends of its rows; may be empty.
    """
    __slots__ = ()

    def inputs(self, xs):
        """The flat inputs `xs` as `call` takes them."""
        if any(self.rows):
            xs = [rows_of_marks(x) if ragged else x for x, ragged in zip(xs, self.rows)]
        if self.structure is not None:
            return self.structure.packed(xs)
        return xs[0] if len(xs) == 1 else xs


def names_of_parts(outputs):
    """The names of the outputs of a model without a graph: the keys of a dictionary, else numbers."""
    if isinstance(outputs, dict) and not any(map(tree.is_nested, outputs.values())):
        return sorted(outputs)
    return ['output_%d' % (index + 1) for index in range(len(tree.flatten(outputs)))]


class Batch:
    """One batch as lists of arrays.

    Attributes:
        xs, ys, weights: the inputs, one target per output with a loss, one array or None per output. size: number of
        samples. layout: the `Layout`; batches that look alike hold the same object.
    """
    __slots__ = ('xs', 'ys', 'weights', 'size', 'layout')

    def __init__(self, xs, ys, weights, size, layout):
        self.xs, self.ys, self.weights, self.size, self.layout = xs, ys, weights, size, layout


def are_alike(batches):
    """Whether all `batches` have the layout, shapes and dtypes of the first."""
    first = batches[0]
    described = _described(first)
    return all(batch.layout is first.layout and _described(batch) == described for batch in batches[1:])


def _described(batch):
    return [None if array is None else (array.shape, array.dtype) for array in batch.xs + batch.ys + batch.weights]


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """Inputs, targets and sample weights as `fit` takes them from a source of batches.

    Args:
        x: inputs. y, sample_weight: targets and sample weights, or None.

    Returns:
        `x` itself, `(x,)` where it is a list or tuple, `(x, y)` or `(x, y, sample_weight)`.

    Example:
        >>> keras.utils.pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data):
    """(x, y, sample_weight) of what a source of batches yields, None for what is not there.

    Raises:
        ValueError: for a tuple of more than three.

    Example:
        >>> keras.utils.unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    parts = tuple(data) if isinstance(data, (list, tuple)) else (data,)
    if not 1 <= len(parts) <= 3:
        raise ValueError('Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, found: %r'
                         % (data,))
    return parts + (None,) * (3 - len(parts))
