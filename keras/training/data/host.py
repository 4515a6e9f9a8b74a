"""What users pass as data, as NumPy arrays."""
import warnings

import numpy as np

from keras import generations
from keras.backend.contract import tree
from keras.backend.state.variables import to_array
from keras.layers.rows import row_end


def is_array(x):
    """Whether `x` is one array (of any library), not a structure or a source of batches."""
    return hasattr(x, 'shape') and not isinstance(x, (list, tuple, dict)) and not hasattr(x, 'element_spec')


def as_host_array(x):
    """A NumPy array of an array, data frame, tensor or nested list; `Rows` of a sparse matrix or of a file."""
    if isinstance(x, np.ndarray):
        return x if type(x) is np.ndarray else _of_subclass(x)
    if is_stored(x) and x.ndim > 1:
        return StoredRows(x)
    if hasattr(x, 'tocsr'):
        return SparseRows(x.tocsr())
    if hasattr(x, 'dense_shape') or hasattr(x, 'todense'):
        return _of_sparse_tensor(x)
    if hasattr(x, 'nested_row_splits'):
        return FilledRows.of(x)
    if hasattr(x, 'to_numpy') and not hasattr(x, '__dlpack__'):
        return _of_frame(x)
    return np.asarray(x) if isinstance(x, (list, tuple, int, float)) else to_array(x)


class FilledRows(np.ndarray):
    """The array of a ragged tensor, whose short rows are filled up with zeros. `there`: where values stand."""

    there = None

    @classmethod
    def of(cls, ragged):
        """That of a ragged tensor, or a plain array where more than one axis is ragged."""
        if len(ragged.nested_row_splits) > 1:
            return to_array(ragged)
        values, lengths = to_array(ragged.flat_values), np.diff(to_array(ragged.nested_row_splits[0]))
        there = np.arange(lengths.max() if len(lengths) else 0) < lengths[:, None]
        array = np.zeros(there.shape + values.shape[1:], values.dtype)
        array[there] = values
        array = array.view(cls)
        array.there = there
        return array

    def marked(self, dtype):
        """A plain array of `dtype` with `row_end` of it where no value stands."""
        array = np.array(self, dtype or self.dtype, subok=False)
        array[~self.there] = row_end(array.dtype)
        return array

    def plain(self):
        """A plain array, with a warning that the zeros count."""
        warnings.warn('A RaggedTensor was made dense: its short rows are filled up with zeros, which count as values. '
                      'Let the model have an Input(ragged=True), which masks them, or pad them yourself and have the '
                      'padding masked: Embedding(..., mask_zero=True), Masking.', stacklevel=2)
        return self.view(np.ndarray)


def can_be_marked(array):
    """Whether it is of a ragged tensor, and can hold marks where rows end."""
    return type(array) is FilledRows and array.dtype.kind in 'if'


def _of_subclass(x):
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        warnings.warn('The data is a masked array, of which %d values are masked. The mask has no effect: what stands '
                      'under it is used. Fill it (array.filled(0)), or give sample weights.'
                      % np.ma.count_masked(x), stacklevel=2)
    return x


def _of_sparse_tensor(x):
    """The array of a sparse tensor of TensorFlow or JAX."""
    if not hasattr(x, 'dense_shape'):
        # What is added up cannot be booleans.
        return np.asarray(x.astype('int32').todense(), bool) if x.dtype == bool else np.asarray(x.todense())
    array = np.zeros(to_array(x.dense_shape), to_array(x.values).dtype)
    array[tuple(to_array(x.indices).T)] = to_array(x.values)
    return array


def _of_frame(x):
    """The array of a data frame or series.

    Raises:
        ValueError: for columns of something else beside columns of numbers, which make no array together.
    """
    kinds = {name: getattr(kind, 'kind', 'O') for name, kind in getattr(x, 'dtypes', {}).items()} \
        if hasattr(x, 'columns') else {}
    others = [name for name, kind in kinds.items() if kind not in 'biufc' and _is_no_number(x[name])]
    if others and len(others) < len(kinds):
        raise ValueError('the columns %s hold no numbers (%s). Turn them into numbers, or leave them out.' % (
            ', '.join(map(repr, others)), ', '.join('%r: %r' % (name, x[name].iloc[0]) for name in others[:3])))
    return x.to_numpy()


def _is_no_number(column):
    array = column.to_numpy()
    return array.dtype.kind not in 'biufcO' or any(isinstance(value, (str, bytes)) for value in array)


def is_stored(x):
    """Whether `x` reads an array in a file as it is asked for rows: it says `reads_rows`, or is h5py's."""
    return getattr(x, 'reads_rows', False) or type(x).__module__.partition('.')[0] == 'h5py'


class Rows:
    """Rows that become an array when a batch takes them.

    A subclass defines `__getitem__(rows)`, rows being a slice or an array of numbers, `part` and `astype`.
    """

    def __init__(self, shape, dtype):
        self.shape, self.dtype, self.ndim = tuple(shape), np.dtype(dtype), len(shape)
        self.nbytes = int(np.prod(shape, dtype='int64')) * self.dtype.itemsize

    def __len__(self):
        return self.shape[0]


class SparseRows(Rows):
    """The rows of a sparse matrix of SciPy."""

    def __init__(self, matrix):
        super().__init__(matrix.shape, matrix.dtype)
        self.matrix = matrix

    def __getitem__(self, rows):
        return self.matrix[rows].toarray()

    def astype(self, dtype):
        return SparseRows(self.matrix.astype(dtype))

    def part(self, begin, end):
        """The rows from `begin` to `end`, still sparse."""
        return SparseRows(self.matrix[begin:end])


class StoredRows(Rows):
    """The rows of an array in a file, read when a batch takes them.

    Args:
        source: what reads them, forwards and by slices. begin, end: which of its rows. dtype: to convert them to.
    """

    def __init__(self, source, begin=0, end=None, dtype=None):
        end = source.shape[0] if end is None else end
        super().__init__((end - begin,) + tuple(source.shape[1:]), dtype or source.dtype)
        self.source, self.begin, self.end = source, begin, end

    def __getitem__(self, rows):
        if isinstance(rows, slice):
            begin, end, _ = rows.indices(len(self))
            return np.asarray(self.source[self.begin + begin:self.begin + max(begin, end)], self.dtype)
        pieces = _pieces(rows)
        rising, places = (rows, None) if len(pieces) == 1 else np.unique(rows, return_inverse=True)
        if places is not None and len(_pieces(rising)) < len(pieces):
            return self._joined(rising)[places.reshape(-1)]
        return self._joined(rows)

    def _joined(self, rows):
        """The rows with these numbers; neighbours that follow on each other are read at once, all of them forwards."""
        pieces = _pieces(rows)
        if len(pieces) == 1:
            return self[int(rows[0]):int(rows[-1]) + 1]
        joined = np.empty((len(rows),) + self.shape[1:], self.dtype)
        for begin, end in sorted(pieces, key=lambda piece: rows[piece[0]]):
            joined[begin:end] = self[int(rows[begin]):int(rows[end - 1]) + 1]
        return joined

    def astype(self, dtype):
        return StoredRows(self.source, self.begin, self.end, dtype)

    def part(self, begin, end):
        """The rows from `begin` to `end`, still in the file."""
        return StoredRows(self.source, self.begin + begin, self.begin + end, self.dtype)


def _pieces(rows):
    """Pairs (begin, end) of the stretches of an array of numbers in which each is the next one after that before."""
    ends = np.append(np.flatnonzero(np.diff(rows) != 1) + 1, len(rows)).tolist()
    return list(zip([0] + ends[:-1], ends)) if len(rows) else []


def dense_rows(array):
    """All rows of an array, dense."""
    return array[:] if isinstance(array, Rows) else array


def rows_of(array, begin, end):
    """The rows from `begin` to `end` without copying them; None stays None."""
    if array is None:
        return None
    return array.part(begin, end) if isinstance(array, Rows) else array[begin:end]


def is_number_list(data):
    """Whether nested lists hold nothing but numbers, so that they are one array."""
    if not isinstance(data, (list, tuple)) or not data:
        return False
    leaf = data
    while isinstance(leaf, (list, tuple)) and leaf:
        leaf = leaf[0]
    return isinstance(leaf, (int, float, bool, str, np.generic))


def flat_arrays(data, names, what, owner):
    """`data` (an array, a list, a dictionary by name) as one NumPy array per name.

    Args:
        names: the names, or None where any number will do. what: 'input' or 'target', and owner: the name of the
            model, for messages.

    Raises:
        ValueError: if their number or the names do not fit, or the arrays do not hold numbers.
    """
    leaves = _leaves(data, names, what, owner)
    if names is not None and len(leaves) != len(names):
        raise ValueError('Model %s expects %d %s array%s (%s), but it received %d%s.' % (
            owner, len(names), what, 's' * (len(names) != 1), ', '.join(names), len(leaves),
            ', of shapes %s' % [tuple(np.shape(leaf)) for leaf in leaves[:10]] if leaves else ''))
    return [None if leaf is None else array_of(leaf, '%s %d' % (what, index), owner)
            for index, leaf in enumerate(leaves)]


def array_of(leaf, what, owner):
    """The NumPy array of one thing in the data; of a series a column, where that is so.

    Args:
        what: 'input 0' and the like, and owner: the name of the model, for messages.

    Raises:
        ValueError: for what is no array of numbers.
    """
    if not isinstance(leaf, (str, bytes)):
        try:
            array = as_host_array(leaf)
            is_series = hasattr(leaf, 'to_numpy') and hasattr(leaf, 'index') and array.ndim == 1
            return array[:, None] if is_series and generations.value('series_are_columns') else array
        except (TypeError, ValueError) as error:
            cause = error
    raise ValueError('Model %s: %s must be an array of numbers. Unrecognized data type: %s of type %s%s. The usual '
                     'causes: lists of different lengths, text, or the name of a file.' % (
                         owner, what, repr(leaf)[:60], type(leaf).__name__,
                         '' if isinstance(leaf, (str, bytes)) else ' (%s)' % cause))


def _leaves(data, names, what, owner):
    if names is None:
        return [data] if is_number_list(data) else tree.flatten(data)
    if isinstance(data, dict):
        missing = [name for name in names if name not in data]
        if missing:
            raise ValueError('Model %s: no %s for %s. Received %s for: %s.' % (
                owner, what, missing, what, sorted(map(str, data))))
        return [data[name] for name in names]
    if not isinstance(data, (list, tuple)) or is_number_list(data):
        return [data]
    nested = any(tree.is_nested(part) and not is_number_list(part) for part in data)
    leaves = tree.flatten(data) if nested and len(data) != len(names) else list(data)
    if len(names) == 1 and len(leaves) != 1 and not any(is_array(leaf) for leaf in leaves):
        return [data]
    return leaves


def with_rank(array, rank):
    """A vector as a column where a matrix is expected, as Keras always took it."""
    if array is not None and array.ndim == 1 and rank == 2:
        return array[:, np.newaxis]
    return array


def checked_numbers(array, what, owner, dtype=None):
    """`array` of numbers: one of Python objects that all are numbers is converted.

    Args:
        what: which array it is, and owner: the name of the model, for messages. dtype: what it will be cast to.

    Raises:
        ValueError: for text, dates and other objects; for complex numbers where the cast would leave half of them.
    """
    if type(array) is FilledRows:
        array = array.plain()
    if array is None or array.dtype.kind not in 'OUSTMmc':
        return array
    if array.dtype.kind == 'c':
        if dtype is None or np.dtype(dtype).kind == 'c':
            return array
        raise ValueError('Model %s: %s holds complex numbers (%s), of which %s would keep the real parts only. Give '
                         'real and imaginary parts as two columns, or make the Input with dtype=%r.'
                         % (owner, what, array.dtype, dtype, array.dtype.name))
    if array.dtype.kind == 'O' and not any(isinstance(value, (str, bytes, type(None))) for value in array.flat):
        try:
            return array.astype('float64')
        except (TypeError, ValueError):
            pass
    place, value = _first_other(array)
    raise ValueError('Model %s: %s must hold numbers. Received an array of dtype %s and shape %s, with %r%s. %s' % (
        owner, what, array.dtype, array.shape, value, place,
        'Dates are no numbers: give the days since one of them, say.' if array.dtype.kind in 'Mm' else
        'Missing values are NaN in arrays of numbers; fill them in.' if value is None else
        'The usual cause: a column of text, or lists of different lengths, which make no array.'))


def _first_other(array):
    """(' in column ...', the value) of what stands first in `array` and is no number."""
    for place, value in np.ndenumerate(array):
        if not isinstance(value, (bool, int, float, np.number, np.bool_)):
            return ' in column %d' % place[-1] if array.ndim > 1 else '', value
    return '', None


def portable_cast(array, dtype):
    """The name of the dtype that `array` has to be cast to, None where it may stay as it is.

    Args:
        dtype: the dtype that is wanted, None for any that engines know: they have neither foreign byte orders nor
            floats of more than 64 bits.
    """
    if dtype is not None:
        return None if array.dtype == dtype else dtype
    if array.dtype.kind == 'f' and array.dtype.itemsize > 8:
        return 'float64'
    return None if array.dtype.isnative else array.dtype.newbyteorder('=')
