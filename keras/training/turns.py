"""Whose turn it is with the variables of a model, where several threads use it."""
import threading
import time
import warnings

# So many seconds a training waits at most for predictions that are under way, and before it is said that one waits.
_PATIENCE = 60.0


class Turns:
    """The order among the threads that use a model.

    Trainings and tests run one after the other. Predictions run at the same time as each other, but beside no step that
    changes the variables.

    Args:
        forward: the `Forward` of the model, whose name is for messages.

    Attributes:
        steps: the lock that a step holds which changes variables.
    """

    def __init__(self, forward):
        self.steps = threading.RLock()
        self._forwards, self._runs = forward, threading.RLock()
        self._depth, self._readers = 0, set()

    def of(self, method):
        """A context for a run of `method`, which is entered when those of other threads are over."""
        return _Run(self, method)

    def begin(self, method):
        if not self._runs.acquire(False):
            if not self._runs.acquire(timeout=_PATIENCE):
                warnings.warn('Model %s: %s has been waiting for %d seconds for another thread that trains or tests '
                              'the same model. If that one waits for this one in a callback neither goes on: use '
                              'a copy of the model.' % (self._forwards.name, method, _PATIENCE), stacklevel=5)
                self._runs.acquire()
        self._depth += 1
        until = time.time() + _PATIENCE
        while self._readers and time.time() < until:
            time.sleep(1e-4)

    def end(self):
        self._depth -= 1
        self._runs.release()

    def read(self, step, xs):
        """What `step(xs)` gives, which reads the variables."""
        if not self._depth:
            token = object()
            try:
                self._readers.add(token)
                # A training that has begun meanwhile does not wait for this one.
                if not self._depth:
                    return step(xs)
            finally:
                self._readers.discard(token)
        with self.steps:
            return step(xs)


class _Run:
    __slots__ = ('_turns', '_method')

    def __init__(self, turns, method):
        self._turns, self._method = turns, method

    def __enter__(self):
        self._turns.begin(self._method)

    def __exit__(self, *_):
        self._turns.end()
