"""Sets of samples that come in batches: what the functions of Keras 3 that make data sets give."""
import itertools
import sys

import numpy as np

from keras import generations
from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor
from keras.utils.data_utils import PyDataset


class SampleSet(PyDataset):
    """Samples by number, given in batches; `fit`, `evaluate`, `predict` and `for batch in` take it.

    Args:
        rows: function of an array of numbers of samples that gives these samples as a structure of arrays with a first
            axis of that length. count: how many samples there are.
        batch_size: how many come at a time; None gives samples without the axis of the batch.
        order: 'fixed', 'shuffled' (one order for all passes) or 'reshuffled' (another one in every pass).
        seed: of the orders. spec: structure of `AbstractTensor`s like what `rows` gives; default by the first sample.

    Attributes:
        class_names, file_paths: of sets that were made from a folder, else None.
    """
    class_names = None
    file_paths = None

    def __init__(self, rows, count, batch_size=32, order='fixed', seed=None, spec=None):
        super().__init__()
        if batch_size is not None and (isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1):
            raise ValueError('batch_size must be a positive whole number, or None for samples one by one. Received: %r'
                             % (batch_size,))
        self._rows, self._count = rows, int(count)
        self.batch_size, self._order, self._seed = batch_size, order, seed
        self._spec = spec
        self._passes, self._begun = 0, False
        self._numbers = self._drawn()

    def _drawn(self):
        if self._order == 'fixed':
            return np.arange(self._count)
        seed = None if self._seed is None else (self._seed + self._passes) % 2 ** 32
        return np.random.RandomState(seed).permutation(self._count)

    def __len__(self):
        return -(-self._count // (self.batch_size or 1))

    def __getitem__(self, index):
        size = self.batch_size or 1
        index = index + len(self) if index < 0 else index
        if not 0 <= index < len(self):
            raise IndexError('There is no batch %d: the set has %d.' % (index, len(self)))
        found = self._rows(self._numbers[index * size:(index + 1) * size])
        return tree.map_structure(lambda array: array[0], found) if self.batch_size is None else found

    def on_epoch_end(self):
        """Draw the order of the next pass."""
        if self._order == 'reshuffled':
            self._passes += 1
            self._numbers = self._drawn()

    def __iter__(self):
        # Also after a pass that was not gone through to its end.
        if self._begun:
            self.on_epoch_end()
        self._begun = True
        for index in range(len(self)):
            yield self[index]

    def batch(self, batch_size):
        """The same samples in batches of another size."""
        found = SampleSet(self._rows, self._count, batch_size, self._order, self._seed, self._spec)
        found.class_names, found.file_paths = self.class_names, self.file_paths
        return found

    def with_strings_of(self, engine):
        """The same samples, whose texts are tensors of an engine."""
        rows = self._rows

        def with_tensors(numbers):
            return tree.map_structure(lambda leaf: engine.convert(leaf, 'string') if leaf.dtype.kind in 'OUS' else leaf,
                                      rows(numbers))
        self._rows = with_tensors
        return self

    def take(self, count):
        """An iterator over the first `count` batches of a new pass."""
        return itertools.islice(iter(self), count)

    @property
    def spec(self):
        """What comes, as a structure of `AbstractTensor`s."""
        first = (lambda shape: shape) if self.batch_size is not None else (lambda shape: shape[1:])
        if self._spec is None:
            self._spec = tree.map_structure(_spec, self._rows(self._numbers[:1]))
        return tree.map_structure(lambda leaf: AbstractTensor(first(leaf.shape), leaf.dtype), self._spec)


def in_format(samples, format='tf'):
    """A `SampleSet` as the engine in use has sets of data: a set of its own library, or the `SampleSet` itself.

    A set of the library has the attributes `class_names` and `file_paths`, too. With the format 'grain' it is the
    `SampleSet` on every engine. In Keras 3 'tf' is a `tf.data.Dataset` on every engine; here it is one where the script
    has imported TensorFlow, whose methods it may go on to use.
    """
    if format == 'grain':
        has_strings = 'string' not in get_engine().capabilities.unsupported
        # Texts one by one are of Python.
        return samples.with_strings_of(get_engine()) if has_strings and samples.batch_size is not None else samples
    if 'tensorflow' in sys.modules and generations.value('sets_are_of_tensorflow'):
        from keras.backend.engines.tensorflow.host import dataset
        found = dataset(samples, samples.spec)
    else:
        found = get_engine().batches(samples, samples.spec)
    if found is not samples:
        found.class_names, found.file_paths = samples.class_names, samples.file_paths
    return found


def _spec(array):
    return AbstractTensor((None,) + array.shape[1:], 'string' if array.dtype.kind in 'OUS' else array.dtype.name)


def order_of(shuffle, format):
    """The `order` of a `SampleSet` that is shuffled or not: with the format 'grain' the same in every pass.

    Raises:
        ValueError: for another format than 'tf' and 'grain'.
    """
    if format not in ('tf', 'grain'):
        raise ValueError('`format` should be either "tf" or "grain". Received: format=%s' % (format,))
    return 'fixed' if not shuffle else 'shuffled' if format == 'grain' else 'reshuffled'


def timeseries_dataset_from_array(data, targets, sequence_length, sequence_stride=1, sampling_rate=1, batch_size=128,
                                  shuffle=False, seed=None, start_index=None, end_index=None, format='tf'):
    """Windows over a series, in batches.

    Args:
        data: array of shape (steps, ...). targets: array whose entry `i` belongs to the window that begins at step `i`;
            None for windows alone.
        sequence_length: steps in a window. sequence_stride: steps from the beginning of one window to that of the next.
        sampling_rate: steps from one entry of a window to the next. batch_size: None gives windows one by one.
        shuffle: whether they come in random order. seed: of that order. start_index, end_index: the steps to use.
        format: 'tf', or 'grain' for a `PyDataset` on every engine, whose order is the same in every pass.

    Returns:
        Batches (windows, targets), or windows, of shapes (batch, sequence_length, ...) and (batch, ...): a set of the
        engine's own library where it has such (`tf.data.Dataset`), else a `PyDataset` of NumPy arrays.

    Raises:
        ValueError: for indices, strides and rates that do not fit the series.

    Example:
        >>> windows = keras.utils.timeseries_dataset_from_array(np.arange(6), np.arange(2, 6), 2, batch_size=4)
        >>> [batch.tolist() for batch in windows[0]]
        [[[0, 1], [1, 2], [2, 3], [3, 4]], [2, 3, 4, 5]]
    """
    order = order_of(shuffle, format)
    data = np.asarray(data)
    targets = None if targets is None else np.asarray(targets)
    start, end = _checked_range(start_index, end_index, len(data))
    _check_step('sampling_rate', sampling_rate, len(data))
    _check_step('sequence_stride', sequence_stride, len(data))
    count = end - start - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets))
    starts = start + np.arange(0, max(count, 0), sequence_stride)
    if not len(starts):
        raise ValueError('timeseries_dataset_from_array: no window of %d entries, %d steps apart, fits into the %d '
                         'steps from start_index=%d to end_index=%d.'
                         % (sequence_length, sampling_rate, end - start, start, end))
    offsets = np.arange(sequence_length) * sampling_rate

    def rows(numbers):
        windows = data[starts[numbers][:, None] + offsets]
        return windows if targets is None else (windows, targets[starts[numbers]])
    return in_format(SampleSet(rows, len(starts), batch_size, order, seed), format)


def _checked_range(start, end, length):
    if start is not None and start < 0:
        raise ValueError('`start_index` must be 0 or greater. Received: start_index=%s' % start)
    if start is not None and start >= length:
        raise ValueError('`start_index` must be lower than the length of the data. Received: start_index=%s, for data '
                         'of length %s' % (start, length))
    if end is not None and end <= 0:
        raise ValueError('`end_index` must be higher than 0. Received: end_index=%s' % end)
    if end is not None and end > length:
        raise ValueError('`end_index` must be lower than the length of the data. Received: end_index=%s, for data of '
                         'length %s' % (end, length))
    if start and end is not None and end <= start:
        raise ValueError('`end_index` must be higher than `start_index`. Received: start_index=%s, and end_index=%s'
                         % (start, end))
    return start or 0, length if end is None else end


def _check_step(name, value, length):
    if value <= 0:
        raise ValueError('`%s` must be higher than 0. Received: %s=%s' % (name, name, value))
    if value >= length:
        raise ValueError('`%s` must be lower than the length of the data. Received: %s=%s, for data of length %s'
                         % (name, name, value, length))


def split_dataset(dataset, left_size=None, right_size=None, shuffle=False, seed=None, preferred_backend=None):
    """Two sets of samples from one.

    Args:
        dataset: an array, a list or tuple of arrays of the same length, or a set of samples: something with
            `__getitem__` and `__len__`, or that can be gone through. One that yields batches is split by batches.
        left_size, right_size: how many samples each part gets, or which fraction of them; at least one of the two.
        shuffle: whether the samples are drawn in random order. seed: of that.
        preferred_backend: None, or the name of the engine in use; no other will do.

    Returns:
        Two sets of single samples, without an axis of the batch: of the engine's own library where it has such
        (`tf.data.Dataset`), else with a method `batch(batch_size)`.

    Raises:
        TypeError: for data and sizes of other types. ValueError: for sizes that do not fit.

    Example:
        >>> left, right = keras.utils.split_dataset((np.arange(10), np.arange(10) * 2), left_size=0.7)
        >>> len(left), [int(x) for x in right[0]]
        (7, [7, 14])
    """
    rows, count = _samples_of(dataset)
    left, right = _checked_sizes(left_size, right_size, count)
    numbers = np.random.RandomState(seed).permutation(count) if shuffle else np.arange(count)
    parts = numbers[:left], numbers[count - right:]
    return tuple(in_format(SampleSet(lambda chosen, part=part: rows(part[chosen]), len(part), None))
                 for part in parts)


def _samples_of(dataset):
    """(function of numbers of samples that gives these, how many there are)."""
    if hasattr(dataset, 'dtype') and hasattr(dataset, 'shape'):
        array = np.asarray(dataset)
        return array.__getitem__, len(array)
    if isinstance(dataset, (list, tuple)):
        for index, part in enumerate(dataset):
            if not hasattr(part, 'shape'):
                raise ValueError('Expected a list of `numpy.ndarray` objects, Received: %s at index %d.'
                                 % (type(part), index))
        arrays = [np.asarray(part) for part in dataset]
        if len({len(array) for array in arrays}) != 1:
            raise ValueError('split_dataset: all arrays must have the same length. Received: %s'
                             % [len(array) for array in arrays])
        return (lambda numbers: tuple(array[numbers] for array in arrays)), len(arrays[0])
    if not hasattr(dataset, '__iter__') and not (hasattr(dataset, '__getitem__') and hasattr(dataset, '__len__')):
        raise TypeError('Unsupported dataset type: %s' % type(dataset))
    by_number = hasattr(dataset, '__getitem__') and hasattr(dataset, '__len__')
    samples = [dataset[index] for index in range(len(dataset))] if by_number else list(dataset)
    samples = [tree.map_structure(np.asarray, sample) for sample in samples]
    return (lambda numbers: tree.map_structure(lambda *parts: np.stack(parts), *[samples[i] for i in numbers])), \
        len(samples)


def _checked_sizes(left, right, count):
    """The numbers of samples of both parts."""
    if left is None and right is None:
        raise ValueError('At least one of the `left_size` or `right_size` must be specified. Received: left_size=None '
                         'and right_size=None')
    sizes = [_checked_size(name, size, count) for name, size in (('left_size', left), ('right_size', right))]
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ValueError('The sum of `left_size` and `right_size` is greater than 1. It must be less than or equal to '
                         '1. Received: %s and %s' % (left, right))
    if isinstance(left, float) and isinstance(right, float) and left + right == 1:
        sizes[1] = count - sizes[0]
    left = sizes[0] if sizes[0] is not None else count - sizes[1]
    right = sizes[1] if sizes[1] is not None else count - sizes[0]
    if left + right > count:
        raise ValueError('The sum of `left_size` and `right_size` should be smaller than the number of samples, %d. '
                         'Received: %d and %d samples.' % (count, left, right))
    if not left or not right:
        raise ValueError('split_dataset: of %d samples left_size=%s leaves none for one of the parts.' % (count, left))
    return left, right


def _checked_size(name, size, count):
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, (int, float)):
        raise TypeError('Invalid `%s` Type. Expected: int or float or None, Received: type(%s)=%s.'
                        % (name, name, type(size)))
    if not 0 < size < (count if isinstance(size, int) else 1):
        raise ValueError('`%s` should be either a positive integer smaller than %d, or a float within the range '
                         '`[0, 1]`. Received: %s=%s' % (name, count, name, size))
    return size if isinstance(size, int) else int(round(size * count))
