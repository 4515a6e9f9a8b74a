"""`Feed`: the protocol by which the training loop takes its batches, whatever they come from."""
import threading
import warnings

import numpy as np

from keras.backend.state.seeds import random_state, set_random_state


class Feed:
    """Where the batches of a run come from. There is a subclass for each kind of data.

    A feed goes on where it stopped: after an epoch of a given number of steps, the next one begins with the batch that
    follows. A subclass defines `one_pass` and, as far as it knows, `steps` and `samples`; `kept_state` names what of
    its attributes says, beside the number of a pass, what the pass gives.

    Attributes:
        samples: number of samples in a pass, None where unknown. restarts: whether a pass can begin anew.
        passes: how many were begun. taken: how many batches of the one under way were given. left: how many are left
            in it, None where unknown.
        ran_out: whether an epoch ended before its number of steps, because there is no more data.
        ends_with_pass: whether an epoch ends where a pass does, and the next one begins with the next pass.
    """
    samples = None
    restarts = True
    passes = 0
    taken = 0
    left = None
    ran_out = ends_with_pass = False
    kept_state = ()

    _under_way = None
    _goes_on = False

    def steps(self):
        """The number of batches in a pass, None where unknown."""
        return None

    def flat_arrays(self):
        """Inputs, targets and sample weights as one list of arrays, None for what is no arrays."""
        return None

    def one_pass(self, first=0):
        """Yield every `Batch` once, from the one numbered `first` on."""
        raise NotImplementedError

    def position(self):
        """Where the next epoch begins, as plain values for `go_to`."""
        return {'passes': self.passes, 'taken': 0 if self._under_way is None else self.taken,
                'state': {name: getattr(self, name) for name in self.kept_state}}

    def go_to(self, position, batches=0):
        """Let the next epoch begin, or go on, `batches` behind a `position` of another feed for the same data."""
        for name, value in position['state'].items():
            setattr(self, name, value)
        self.passes, first = position['passes'], position['taken'] + batches
        self._under_way, length = None, self.steps()
        if position['taken']:
            self.passes -= 1
        while length and self.restarts and first > length:
            self.passes, first = self.passes + 1, first - length
        if first:
            self._begun(first)
            self._goes_on = True

    def restart(self):
        """Give up the pass under way: the next epoch begins with the first batch, where the source allows it."""
        self._under_way = None

    def epoch(self, steps=None):
        """Yield the batches of an epoch: the next `steps`, over the end of a pass where it comes to that, unless it
        `ends_with_pass`; one pass from its beginning where `steps` is None.
        """
        goes_on, self._goes_on = self._goes_on, False
        if steps is None:
            if not goes_on:
                self.restart()
            for batch in self._under_way or self._begun():
                self.taken += 1
                yield batch
            self._under_way = None
            return
        taken = 0
        while taken < steps:
            empty = self._under_way is None
            for batch in self._under_way or self._begun():
                empty = False
                self.taken += 1
                yield batch
                taken += 1
                if taken == steps:
                    break
            else:
                self._under_way = None
                self.ran_out = empty or not self.restarts
                if self.ran_out:
                    return
                if self.ends_with_pass and taken:
                    warnings.warn('Your input ran out of data after %d of the %d batches of an epoch, so it ends. The '
                                  'usual cause: a number of steps that is no divisor of the number of batches (%s).'
                                  % (taken, steps, self.steps() or 'unknown'), stacklevel=6)
                    return
        self._finish()

    def passing(self):
        """The batches of one pass from its beginning, as `epoch()` gives them, while nobody asks for the position.
        `restart` ends it."""
        self._goes_on = False
        self.restart()
        return self._begun()

    def _begun(self, first=0):
        self.passes += 1
        self.taken = first
        self._under_way = iter(self.one_pass(first))
        return self._under_way

    def _finish(self):
        """End a pass whose last batch was taken, so that what follows on it happens now."""
        if self._under_way is not None and self.left == 0:
            for _ in self._under_way:
                pass
            self._under_way = None


class RepeatedFeed(Feed):
    """The first batches of another feed, again and again, in passes of the same length.

    Args:
        feed: the other one. count: how many of its batches.
    """

    def __init__(self, feed, count):
        self._feed, self._count, self._batches = feed, count, None
        self.samples = feed.samples
        # Where the other feed and the random numbers were before the batches were taken.
        self._before = None

    def steps(self):
        return self._feed.steps()

    def one_pass(self, first=0):
        if self._batches is None:
            self._take()
        for number in range(first, self.steps() or len(self._batches)):
            yield self._batches[number % len(self._batches)]

    def _take(self):
        self._before = self._now()
        self._batches = list(self._feed.epoch(min(self._count, self.steps() or self._count)))

    def _now(self):
        return {'feed': self._feed.position(), 'random': random_state()}

    def position(self):
        return dict(super().position(), before=self._before or self._now(), are_taken=self._batches is not None)

    def go_to(self, position, batches=0):
        before = position['before']
        self._feed.go_to(before['feed'])
        set_random_state(before['random'])
        if position['are_taken']:
            self._take()
        super().go_to(position, batches)


class ForwardFeed(Feed):
    """A feed of something that is gone through from its beginning only, and may draw random numbers on the way."""
    _random = None

    def _begun(self, first=0):
        self._random = random_state()
        return super()._begun(first)

    def position(self):
        return dict(super().position(), random=random_state() if self._under_way is None else self._random)

    def go_to(self, position, batches=0):
        """As for any feed, by taking what comes before; the random state is whatever this makes of it afterwards."""
        # Sets that draw a new order for every pass count them.
        for _ in range(position['passes'] - bool(position['taken']) if self.restarts else 0):
            self.passes += 1
            next(iter(self.one_pass()), None)
        set_random_state(position['random'])
        count = position['taken'] + batches
        if count:
            self._begun()
            self._goes_on = True
        while self.taken < count:
            if next(self._under_way, None) is None:
                count -= self.taken
                if not self.restarts or not self.taken:
                    break
                self._begun()
            else:
                self.taken += 1


class _Random(threading.local):
    """A generator per thread: making one takes as long as a step of a small model, seeding it 2 microseconds."""
    state = None


_random = _Random()


def shuffled(count, seed, number):
    """The numbers below `count` in an order that follows from a seed and the number of a pass."""
    if _random.state is None:
        _random.state = np.random.RandomState(0)
    _random.state.seed((seed + 1000003 * number) & 0xffffffff)
    return _random.state.permutation(count)
