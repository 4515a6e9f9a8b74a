"""Data for `fit`, `evaluate` and `predict`: arrays and iterables of batches, as lists of arrays per batch."""
import numpy as np

from keras.backend import tree
from keras.backend.state import to_array

# Rows are gathered in shuffled order by the megabyte, not batch by batch: the batches are then views.
_CHUNK_BYTES = 1 << 20


def is_array(x):
    """Whether `x` is one array (of any library), not a structure or a source of batches."""
    return hasattr(x, 'shape') and not isinstance(x, (list, tuple, dict)) and not hasattr(x, 'element_spec')


def as_host_array(x, dtype=None):
    """A NumPy array of an array, data frame, tensor or nested list; float64 becomes `dtype` later, by the batch."""
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, 'tocsr'):
        return SparseRows(x.tocsr())
    if hasattr(x, 'to_numpy') and not hasattr(x, '__dlpack__'):
        return x.to_numpy()
    return np.asarray(x) if isinstance(x, (list, tuple, int, float)) else to_array(x)


class SparseRows:
    """The rows of a sparse matrix of SciPy, which are made dense when a batch takes them."""
    ndim = 2

    def __init__(self, matrix):
        self.matrix = matrix
        self.shape, self.dtype = matrix.shape, matrix.dtype
        self.nbytes = int(np.prod(matrix.shape, dtype='int64')) * matrix.dtype.itemsize

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return self.matrix[rows].toarray()

    def astype(self, dtype):
        return SparseRows(self.matrix.astype(dtype))

    def part(self, begin, end):
        """The rows from `begin` to `end`, still sparse."""
        return SparseRows(self.matrix[begin:end])


def dense_rows(array):
    """All rows of an array, dense."""
    return array[:] if isinstance(array, SparseRows) else array


class ArrayData:
    """Arrays of the same length, cut into batches.

    Args:
        xs, ys, weights: lists of arrays (weights may be empty, or hold None).
        casts: one dtype name or None per array of xs + ys + weights, applied as batches are taken.
    """

    def __init__(self, xs, ys, weights, casts):
        self.arrays = xs + ys + weights
        self._split = (len(xs), len(xs) + len(ys))
        self._casts = [None if array is None or cast is None or array.dtype == cast else cast
                       for array, cast in zip(self.arrays, casts)]
        lengths = {len(array) for array in self.arrays if array is not None}
        if len(lengths) > 1:
            raise ValueError('All arrays must have the same number of samples. Received: inputs of %s, targets of %s, '
                             'weights of %s samples. The usual cause: x and y come from different splits.'
                             % tuple([len(a) if a is not None else None for a in part] for part in (xs, ys, weights)))
        self.length = lengths.pop() if lengths else 0
        if not self.length:
            raise ValueError('The data holds no samples.')

    def steps(self, batch_size):
        return -(-self.length // batch_size)

    def batches(self, batch_size, order=None):
        """Yield (xs, ys, weights, size) for consecutive batches, of the rows in `order` if given."""
        first, second = self._split
        row_bytes = sum(array.nbytes // self.length for array in self.arrays if array is not None) or 1
        chunk = max(1, _CHUNK_BYTES // (row_bytes * batch_size)) * batch_size
        for begin in range(0, self.length, chunk):
            end = min(begin + chunk, self.length)
            parts = [self._part(array, cast, begin, end, order) for array, cast in zip(self.arrays, self._casts)]
            for start in range(0, end - begin, batch_size):
                stop = min(start + batch_size, end - begin)
                rows = [None if part is None else part[start:stop] for part in parts]
                yield rows[:first], rows[first:second], rows[second:], stop - start

    @staticmethod
    def _part(array, cast, begin, end, order):
        if array is None:
            return None
        part = array[begin:end] if order is None else array[order[begin:end]]
        return part if cast is None else part.astype(cast)

    def split(self, fraction):
        """(the first part, the last `fraction` of the samples)."""
        at = int(self.length * (1 - fraction))
        if at == 0 or at == self.length:
            raise ValueError('validation_split=%s of %d samples leaves no sample for %s.'
                             % (fraction, self.length, 'training' if at == 0 else 'validation'))
        return self._rows(0, at), self._rows(at, self.length)

    def _rows(self, begin, end):
        part = ArrayData.__new__(ArrayData)
        part.__dict__.update(self.__dict__)
        part.arrays = [array.part(begin, end) if isinstance(array, SparseRows) else None if array is None
                       else array[begin:end] for array in self.arrays]
        part.length = end - begin
        return part


class BatchSource:
    """A generator, `Sequence`, loader or data set that yields batches.

    Args:
        source: the object. prepare: turns one batch (x, (x, y) or (x, y, sample_weight)) into (xs, ys, weights).
    """

    def __init__(self, source, prepare):
        self.source = source
        self._prepare = prepare
        self._iterator = None
        self.length = None

    @property
    def known_steps(self):
        try:
            return len(self.source)
        except TypeError:
            return None

    def batches(self, steps, shuffle=False):
        """Yield (xs, ys, weights, size); at most `steps` where given. Endless generators go on where they stopped."""
        for number, batch in enumerate(self._items(shuffle)):
            xs, ys, weights = self._prepare(batch)
            yield xs, ys, weights, len(next(leaf for leaf in xs if leaf is not None))
            if steps is not None and number + 1 >= steps:
                return

    def _items(self, shuffle):
        source = self.source
        if hasattr(source, '__getitem__') and hasattr(source, '__len__'):
            count = len(source)
            for index in np.random.permutation(count) if shuffle else range(count):
                yield source[int(index)]
            if hasattr(source, 'on_epoch_end'):
                source.on_epoch_end()
        elif hasattr(source, '__next__'):
            for item in source:
                yield item
        else:
            for item in iter(source):
                yield item


def is_batch_source(x):
    """Whether `x` yields batches rather than being data itself."""
    if x is None or isinstance(x, (list, tuple, dict, str)) or is_array(x):
        return False
    return hasattr(x, '__next__') or hasattr(x, '__iter__') or (hasattr(x, '__getitem__') and hasattr(x, '__len__'))


def flat_arrays(data, names, what, model_name, ranks=None):
    """`data` (an array, a list, a dictionary by name) as one NumPy array per name.

    Raises:
        ValueError: if their number or the names do not fit.
    """
    if isinstance(data, dict) and names is not None and all(name in data for name in names):
        leaves = [data[name] for name in names]
    elif isinstance(data, dict) and names is not None and not any(name in data for name in names) or names is None:
        leaves = tree.flatten(data) if not is_number_list(data) else [data]
    elif isinstance(data, dict):
        raise ValueError('Model %s: no %s for %s. Received %s for: %s.' % (
            model_name, what, [name for name in names if name not in data], what, sorted(data)))
    elif isinstance(data, (list, tuple)) and not is_number_list(data):
        nested = any(tree.is_nested(part) and not is_number_list(part) for part in data)
        leaves = tree.flatten(data) if nested and len(data) != len(names) else list(data)
        if len(names) == 1 and len(leaves) != 1 and not any(is_array(leaf) for leaf in leaves):
            leaves = [data]
    else:
        leaves = [data]
    if names is not None and len(leaves) != len(names):
        raise ValueError('Model %s expects %d %s array%s (%s), but it received %d%s.' % (
            model_name, len(names), what, 's' * (len(names) != 1), ', '.join(names), len(leaves),
            ', of shapes %s' % [tuple(np.shape(leaf)) for leaf in leaves[:10]] if leaves else ''))
    arrays = [None if leaf is None else as_host_array(leaf) for leaf in leaves]
    if what == 'target':
        arrays = [dense_rows(array) for array in arrays]
    return [_with_rank(array, rank) for array, rank in zip(arrays, ranks or [None] * len(arrays))]


def is_number_list(data):
    """Whether nested lists hold nothing but numbers, so that they are one array."""
    if not isinstance(data, (list, tuple)) or not data:
        return False
    leaf = data
    while isinstance(leaf, (list, tuple)) and leaf:
        leaf = leaf[0]
    return isinstance(leaf, (int, float, bool, str, np.generic))


def _with_rank(array, rank):
    """A vector as a column where a matrix is expected, as Keras always took it."""
    if array is not None and array.ndim == 1 and rank is not None and rank == 2:
        return array[:, np.newaxis]
    return array


def class_weights_of(y, class_weight):
    """One weight per sample from {class: weight}; `y` holds class indices or one-hot rows.

    Raises:
        ValueError: if a class in `y` has no weight.
    """
    y = np.asarray(y)
    if y.ndim > 2:
        raise ValueError('class_weight needs targets of rank 1 or 2. Received targets of shape %s; use sample_weight.'
                         % (y.shape,))
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    classes = classes.astype(int)
    missing = sorted(set(np.unique(classes).tolist()) - set(int(key) for key in class_weight))
    if missing:
        raise ValueError('class_weight gives no weight for the classes %s, which occur in the data.' % missing)
    table = np.zeros(max(max(classes), max(int(key) for key in class_weight)) + 1, dtype='float32')
    for key, weight in class_weight.items():
        table[int(key)] = weight
    return table[classes]
