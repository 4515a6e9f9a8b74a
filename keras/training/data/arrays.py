"""A feed of arrays."""
import itertools

import numpy as np

from keras import config, generations
from keras.backend.contract.loading import get_engine
from keras.backend.state.seeds import draw_host_seed
from keras.training.data.feed import Feed, shuffled
from keras.training.data.host import portable_cast, rows_of
from keras.training.data.layout import Batch

# Rows are gathered in shuffled order by the megabyte, not batch by batch: the batches are then views.
_CHUNK_BYTES = 1 << 20


class ArrayFeed(Feed):
    """Arrays of the same length, cut into batches.

    Args:
        xs, ys, weights: lists of arrays (weights may be empty, or hold None).
        casts: one dtype name or None per array of xs + ys + weights, applied as batches are taken.
        layout: the `Layout` of the batches. batch_size: number of samples in a batch; None for all of them.
        shuffle: True draws the samples in a new order in every pass, 'batch' the batches.
        samples: their number where there are no arrays. uneven: whether arrays may differ in theirs: in one batch.

    The order of a pass follows from its number and a seed that is drawn when the feed is made.
    """
    kept_state = ('_seed',)

    def __init__(self, xs, ys, weights, casts, layout, batch_size=None, shuffle=False, samples=None,
                 uneven=False):
        self.layout = layout
        self._arrays = xs + ys + weights
        self._split = (len(xs), len(xs) + len(ys))
        self._casts = [None if array is None else portable_cast(array, cast)
                       for array, cast in zip(self._arrays, casts)]
        lengths = {len(array) for array in self._arrays if array is not None}
        if len(lengths) > 1 and not uneven:
            raise ValueError('All arrays must have the same number of samples. Received: inputs of %s, targets of %s, '
                             'weights of %s samples. The usual cause: x and y come from different splits.'
                             % tuple([len(a) if a is not None else None for a in part] for part in (xs, ys, weights)))
        self.samples = max(lengths) if lengths else samples or 0
        if not self.samples:
            raise ValueError('The data holds no samples.')
        self._batch_size = batch_size or self.samples
        self._shuffle = shuffle
        self._seed = draw_host_seed() if shuffle else None

    def steps(self):
        return -(-self.samples // self._batch_size)

    def whole(self):
        """All samples as one batch."""
        first, second = self._split
        parts = [self._part(array, cast, 0, self.samples, None) for array, cast in zip(self._arrays, self._casts)]
        return Batch(parts[:first], parts[first:second], parts[second:], self.samples, self.layout)

    def sources(self):
        """Inputs, targets and sample weights as pairs: an array, and the dtype that its batches are cast to or None."""
        return list(zip(self._arrays, self._casts))

    def flat_arrays(self):
        first, second = self._split
        weights = [np.ones(self.samples, config.floatx()) if array is None else array
                   for array in self._arrays[second:]]
        return self._arrays[:second] + weights

    def one_pass(self, first=0):
        start_at = first * self._batch_size
        first, second = self._split
        size, order, layout = self._batch_size, self._order(), self.layout
        row_bytes = sum(array.nbytes // self.samples for array in self._arrays if array is not None) or 1
        casts = [None if array is None else _arriving(array, cast) for array, cast in zip(self._arrays, self._casts)]
        chunk = max(1, _CHUNK_BYTES // (row_bytes * size)) * size
        for begin in range(start_at, self.samples, chunk):
            end = min(begin + chunk, self.samples)
            parts = [self._part(array, cast, begin, end, order) for array, cast in zip(self._arrays, casts)]
            count = end - begin
            cut = [_cut(part, size, count) for part in parts]
            sizes = itertools.chain(itertools.repeat(size, count // size), [count % size] if count % size else ())
            yield from map(Batch, _lists(cut[:first]), _lists(cut[first:second]), _lists(cut[second:]), sizes,
                           itertools.repeat(layout))

    def _order(self):
        """The numbers of the rows in the order of this pass, None for the order they have."""
        if not self._shuffle:
            return None
        if self._shuffle != 'batch':
            return shuffled(self.samples, self._seed, self.passes)
        if generations.value('batches_are_shuffled_inside'):
            order = shuffled(self.samples, self._seed, self.passes)
            return order[np.argsort(order // self._batch_size, kind='mergesort')]  # which keeps the order of equals
        # What is left over comes last, so that batches are rows which lie together.
        whole = self.samples // self._batch_size
        starts = shuffled(whole, self._seed, self.passes) * self._batch_size
        return np.concatenate([(starts[:, None] + np.arange(self._batch_size)).ravel(),
                               np.arange(whole * self._batch_size, self.samples)])

    @staticmethod
    def _part(array, cast, begin, end, order):
        if array is None:
            return None
        part = array[begin:end] if order is None else array[order[begin:end]]
        return part if cast is None else part.astype(cast)

    def split(self, fraction, batch_size):
        """(a feed of the first samples, one of the last `fraction` of them, in order and batches of `batch_size`).

        Raises:
            ValueError: for a fraction that is none, or that leaves no samples.
        """
        if not 0 < fraction < 1:
            raise ValueError('validation_split is the fraction of the samples to hold out, between 0 and 1. '
                             'Received: %r' % (fraction,))
        at = int(self.samples * (1 - fraction))
        if at == 0 or at == self.samples:
            raise ValueError('validation_split=%s of %d samples leaves no sample for %s.'
                             % (fraction, self.samples, 'training' if at == 0 else 'validation'))
        return self._rows(0, at, self._batch_size, self._shuffle), self._rows(at, self.samples, batch_size, False)

    def _rows(self, begin, end, batch_size, shuffle):
        first, second = self._split
        arrays = [rows_of(array, begin, end) for array in self._arrays]
        return ArrayFeed(arrays[:first], arrays[first:second], arrays[second:], self._casts, self.layout, batch_size,
                         shuffle)


def _arriving(array, cast):
    """What `array`, to be cast to `cast`, becomes in a step anyway: that is cheaper by the megabyte than by the batch.
    """
    dtype = str(cast or array.dtype)
    arriving = get_engine().arriving_dtype(dtype)
    return cast if arriving == dtype else arriving


def _lists(columns):
    """A list for each batch, of what `columns` hold for it."""
    return map(list, zip(*columns) if columns else itertools.repeat(()))


def _cut(part, size, count):
    """An array of `count` rows as one for every `size` of these, the last with what is left; None over and over."""
    if part is None:
        return itertools.repeat(None)
    whole = count // size * size
    if type(part) is not np.ndarray or len(part) != count or not whole:
        return [part[start:start + size] for start in range(0, count, size)]
    # NumPy takes an array apart in a fifth of the time of as many slices.
    return list(part[:whole].reshape((whole // size, size) + part.shape[1:])) + [part[whole:]] * (whole < count)
