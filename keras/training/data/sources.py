"""Feeds of what yields batches itself: sequences, generators, and sets that can be gone through again."""
import itertools

from keras.backend.state.seeds import draw_host_seed
from keras.saving import plain
from keras.training.data.feed import Feed, ForwardFeed, shuffled

# Attributes of a sequence up to this size are kept with its position, so that orders that it draws itself go on.
_MOST_BYTES = 1 << 24


def limited(endless, steps):
    """The number of steps of an epoch, None for a whole pass.

    Raises:
        ValueError: if a whole pass of an endless source is wanted.
    """
    if endless and steps is None:
        raise ValueError('The data set never ends, so an epoch needs a number of steps: give steps_per_epoch to fit, '
                         'validation_steps for validation data, steps to evaluate and predict.')
    return steps


class SequenceFeed(Feed):
    """Batches by number, as a `keras.utils.Sequence` has them.

    Args:
        source: has `__getitem__` and `__len__`, and maybe `num_batches` (None where it never ends), `on_epoch_begin`
            and `on_epoch_end`, which are called before and after every pass.
        read: turns an item (x, (x, y) or (x, y, sample_weight)) into a `Batch`.
        shuffle: whether to take the batches in a new order in every pass.
        ahead: an `Ahead` where workers make the batches, else None.
    """
    kept_state = ('_seed', '_worker_seed', 'changes_of_source')
    _changes = None

    def __init__(self, source, read, shuffle=False, ahead=None):
        self._source, self._read, self._shuffle, self._ahead = source, read, bool(shuffle), ahead
        self._seed = draw_host_seed() if shuffle else None
        # What worker processes draw follows from this and the numbers of pass and batch, whoever makes it and when.
        self._worker_seed = draw_host_seed() if ahead is not None and ahead.use_multiprocessing else None

    def steps(self):
        return self._source.num_batches if hasattr(self._source, 'num_batches') else len(self._source)

    def epoch(self, steps=None):
        return super().epoch(limited(self.steps() is None, steps))

    @property
    def changes_of_source(self):
        """What has changed in the sequence since the first call: the order of a pass, say."""
        if self._changes is None:
            self._changes = plain.Changes(self._source, _MOST_BYTES)
        return self._changes.now()

    @changes_of_source.setter
    def changes_of_source(self, state):
        self._changes = plain.Changes(self._source, _MOST_BYTES)
        self._changes.restore(state)

    def one_pass(self, first=0):
        if hasattr(self._source, 'on_epoch_begin') and not first:
            self._source.on_epoch_begin()
        count = self.steps()
        for number, item in enumerate(self._items(count, first), first):
            self.left = None if count is None else count - number - 1
            yield self._read(item)
        if hasattr(self._source, 'on_epoch_end'):
            self._source.on_epoch_end()

    def _items(self, count, first):
        if count is None:
            return (self._source[index] for index in itertools.count(first))
        order = shuffled(count, self._seed, self.passes) if self._shuffle else range(count)
        order = [int(index) for index in order][first:]
        if self._ahead is not None:
            seed = None if self._worker_seed is None else (self._worker_seed + 1000003 * self.passes) & 0xffffffff
            return self._ahead.in_order(self._source, order, seed, first)
        return (self._source[index] for index in order)


class SetFeed(ForwardFeed):
    """Batches of a set that can be gone through again: an engine's own data set or loader.

    Args:
        source: has `__iter__`. read: as for `SequenceFeed`.
    """

    def __init__(self, source, read):
        self._source, self._read = source, read

    def steps(self):
        try:
            return len(self._source)
        except TypeError:
            return None

    @property
    def is_endless(self):
        """Whether the set says that it never ends."""
        cardinality = getattr(self._source, 'cardinality', None)
        return callable(cardinality) and int(cardinality()) == -1

    def epoch(self, steps=None):
        return super().epoch(limited(self.is_endless, steps))

    def one_pass(self, first=0):
        return map(self._read, self._source)


class GeneratorFeed(ForwardFeed):
    """Batches of a generator, which only goes forward.

    Args:
        source: has `__next__`. read, ahead: as for `SequenceFeed`.
    """
    restarts = False

    def __init__(self, source, read, ahead=None):
        self._source, self._read = source if ahead is None else ahead.of_generator(source), read

    def restart(self):
        """Nothing: what was taken from a generator is gone."""

    def one_pass(self, first=0):
        return map(self._read, self._source if hasattr(self._source, '__iter__') else _following(self._source))


def _following(source):
    """The items of what has `__next__` and no `__iter__`."""
    while True:
        try:
            item = next(source)
        except StopIteration:
            return
        yield item
