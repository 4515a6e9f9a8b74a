"""Batches made ahead of time by workers: threads, or processes with a copy of the source each.

Whatever the workers do, what they make reaches the user in order, an exception with its traceback, and the death of a
process at once. Worker processes get seeds for NumPy's global generator and Python's from the parent, so that they
neither draw the same numbers nor other ones when a script that seeds the generators runs again.
"""
import collections
import itertools
import multiprocessing
import multiprocessing.connection
import os
import pickle
import queue
import random
import signal
import threading
import traceback
import warnings
from concurrent.futures import Future, TimeoutError

import numpy as np

from keras.legacy import calls

# A batch that takes longer is made once more by the user's own thread: its worker may hang.
_PATIENCE_SECONDS = 30
# How often a process looks whether its parent is still there.
_LOOK_SECONDS = 5


# --- workers

def take(source, index):
    """The batch with a number of a sequence, the next one (index None) of a generator."""
    return next(source) if index is None else source[index]


class _ProcessTraceback(Exception):
    """The traceback of an exception in another process, as text, shown as its cause."""

    def __str__(self):
        return '\n' + self.args[0]


def _seed(seed):
    """Seed the global generators of this process."""
    np.random.seed(seed)
    random.seed(seed)


def _serve(connection, source, seed):
    """In a worker process: answer requests (index, seed) with (whether it went well, batch or exception, traceback)."""
    # The parent sees Ctrl-C too, and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _seed(seed)
    parent = os.getppid()
    try:
        while True:
            while not connection.poll(_LOOK_SECONDS):
                if os.getppid() != parent:
                    return
            connection.send_bytes(_answer(source, *connection.recv()))
    except (EOFError, OSError):
        return


def _answer(source, index, seed):
    if seed is not None:
        _seed(seed)
    try:
        return pickle.dumps((True, take(source, index), None), protocol=-1)
    except BaseException as error:
        text = traceback.format_exc()
        try:
            content = pickle.dumps((False, error, text))
            pickle.loads(content)
            return content
        except Exception:
            return pickle.dumps((False, RuntimeError('%s: %s' % (type(error).__name__, error)), text))


class _Process:
    """A worker process: called with (index, seed), it gives the batch or raises what was raised there."""

    def __init__(self, source, seed):
        self._connection, other = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(other, source, seed), daemon=True)
        self._process.start()
        other.close()

    def __call__(self, index, seed):
        try:
            self._connection.send((index, seed))
            # Whichever comes first, an answer or the end of the process.
            multiprocessing.connection.wait([self._connection, self._process.sentinel])
            if not self._connection.poll():
                raise EOFError
            well, result, text = pickle.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            self._process.join(1)
            raise RuntimeError('A worker process died (exit code %s) while it made %s. The usual causes: it ran out of '
                               'memory, or native code crashed there.' % (
                                   self._process.exitcode, 'a batch' if index is None else 'batch %d' % index))
        if not well:
            result.__cause__ = _ProcessTraceback(text)
            raise result
        return result

    def end(self):
        self._process.terminate()
        self._process.join(1)


class _Workers:
    """Threads that take batches, or hand that on to a process each.

    Args:
        source: sequence or generator. count: how many workers. seeds: one for each worker where they are processes,
            None where they are threads, which share the global generators.
    """

    def __init__(self, source, count, seeds):
        self._tasks = queue.Queue()
        self._processes = [_Process(source, seed) for seed in seeds or ()]
        calls = self._processes or [lambda index, seed: take(source, index)] * count
        for call in calls:
            threading.Thread(target=self._work, args=(call,), daemon=True).start()

    def submit(self, index, seed):
        """A future of the batch."""
        future = Future()
        self._tasks.put((future, index, seed))
        return future

    def _work(self, call):
        for future, index, seed in iter(self._tasks.get, None):
            try:
                future.set_result(call(index, seed))
            except BaseException as error:
                future.set_exception(error)
            # A waiting worker keeps no batch alive.
            del future
        # The next worker is to see the end as well.
        self._tasks.put(None)

    def close(self):
        while not self._tasks.empty():
            self._tasks.get()
        self._tasks.put(None)
        for process in self._processes:
            process.end()


# --- enqueuers

class SequenceEnqueuer:
    """What makes batches ahead of time: `start` it, take batches from `get()`, `stop` it.

    Args:
        sequence: where batches come from. use_multiprocessing: whether workers are processes rather than threads.

    Example:
        enqueuer = OrderedEnqueuer(sequence)
        enqueuer.start(workers=4, max_queue_size=10)
        batches = enqueuer.get()
        for _ in range(len(sequence)):
            model.train_on_batch(*next(batches))
        enqueuer.stop()
    """

    def __init__(self, sequence, use_multiprocessing=False):
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.workers, self.max_queue_size = 0, 0
        self.run_thread = None
        self.stop_signal = None
        # Guards what follows and tells of every change: the futures in the order in which they go to the user, the
        # batches of the epoch that he has not got, and what went wrong outside the workers.
        self._changed = threading.Condition()
        self._pending = collections.deque()
        self._left = 0
        self._failure = None

    def is_running(self):
        """Whether it was started and not stopped."""
        return self.stop_signal is not None and not self.stop_signal.is_set()

    def start(self, workers=1, max_queue_size=10):
        """Let the workers begin.

        Args:
            workers: how many. max_queue_size: how many batches may be under way or ready.
        """
        if self.is_running():
            raise RuntimeError('%s is running already; call stop() first.' % type(self).__name__)
        self.workers, self.max_queue_size = max(int(workers), 1), max(int(max_queue_size), 1)
        self.stop_signal = threading.Event()
        self._pending.clear()
        self._failure = None
        self.run_thread = threading.Thread(target=self._run, args=(self.stop_signal,), daemon=True)
        self.run_thread.start()

    def stop(self, timeout=None):
        """Stop the workers; what is ready is dropped.

        Args:
            timeout: how many seconds to wait for them at most; default: until they have stopped.
        """
        if self.stop_signal is None:
            return
        self.stop_signal.set()
        with self._changed:
            self._pending.clear()
            self._changed.notify_all()
        if self.run_thread is not threading.current_thread():
            self.run_thread.join(timeout)

    def get(self):
        """A generator of the batches.

        Raises:
            what a worker raises. RuntimeError: if a worker process dies.
        """
        raise NotImplementedError('%s must define `get()`.' % type(self).__name__)

    def _run(self, stopped):
        try:
            self._produce(stopped)
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _produce(self, stopped):
        raise NotImplementedError('%s must define what it submits to the workers.' % type(self).__name__)

    def _drawn_seeds(self):
        """A function that gives seeds for worker processes, by way of NumPy's global generator; None for threads."""
        if not self.use_multiprocessing:
            return None
        generator = np.random.RandomState(np.random.randint(2 ** 31 - 1))
        return lambda: generator.randint(2 ** 31 - 1)

    def _wait(self, condition, stopped, timeout=None):
        """Wait until `condition()` holds; whether it does and nobody has called `stop`. The lock must be held."""
        return self._changed.wait_for(lambda: stopped.is_set() or condition(), timeout) and not stopped.is_set()

    def _submit(self, workers, index, seed, stopped):
        """Hand one batch to the workers as soon as there is room; False once it has been stopped."""
        with self._changed:
            if not self._wait(lambda: len(self._pending) < self.max_queue_size, stopped):
                return False
            self._pending.append((index, workers.submit(index, seed)))
            self._changed.notify_all()
        return True

    def _first(self):
        """The (index, future) that the user gets next; None where nothing more comes."""
        with self._changed:
            self._wait(lambda: self._pending or self._failure or self._is_done(), self.stop_signal)
            if self._pending:
                return self._pending[0]
            if self._failure is not None:
                raise self._failure
            return None

    def _is_done(self):
        return False

    def _drop_first(self):
        with self._changed:
            if self._pending:
                self._pending.popleft()
                self._left -= 1
            self._changed.notify_all()


class OrderedEnqueuer(SequenceEnqueuer):
    """Batches of a `Sequence`, made by workers and given in order, epoch after epoch.

    `on_epoch_end` of the sequence is called when all batches of an epoch have been taken. Worker processes have a copy
    of the sequence, a new one in every epoch.

    Args:
        sequence: a `Sequence`. use_multiprocessing: whether workers are processes rather than threads.
        shuffle: whether the batches of an epoch come in random order.
    """

    def __init__(self, sequence, use_multiprocessing=False, shuffle=False):
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle

    def _produce(self, stopped):
        draw = self._drawn_seeds()
        while True:
            order = list(range(len(self.sequence)))
            if not order:
                raise ValueError('OrderedEnqueuer: the sequence %r has no batches.' % self.sequence)
            if self.shuffle:
                random.shuffle(order)
            with self._changed:
                self._left = len(order)
                self._changed.notify_all()
            if not self._make(order, draw, stopped):
                return
            if hasattr(self.sequence, 'on_epoch_end'):
                self.sequence.on_epoch_end()

    def _make(self, order, draw, stopped):
        """Let the workers make the batches in `order`; whether all of them were taken."""
        # Every batch has a seed of its own, whoever makes it.
        workers = _Workers(self.sequence, self.workers, draw and [0] * self.workers)
        try:
            for index in order:
                if not self._submit(workers, index, draw and draw(), stopped):
                    return False
            with self._changed:
                return self._wait(lambda: not self._pending, stopped)
        finally:
            workers.close()

    def join_end_of_epoch(self):
        """Where all batches of an epoch have been taken, wait until `on_epoch_end` has been called."""
        with self._changed:
            self._wait(lambda: self._left > 0 or self._failure, self.stop_signal, _PATIENCE_SECONDS)

    def get(self):
        try:
            while self.is_running():
                first = self._first()
                if first is None:
                    return
                index, future = first
                try:
                    batch = future.result(_PATIENCE_SECONDS)
                except TimeoutError:
                    if future.done():
                        raise
                    warnings.warn('The input %s could not be retrieved. It could be because a worker has died.' % index,
                                  UserWarning)
                    batch = take(self.sequence, index)
                self._drop_first()
                if batch is not None:
                    yield batch
        except Exception:
            self.stop(timeout=_PATIENCE_SECONDS)
            raise


class _PassEnqueuer(OrderedEnqueuer):
    """The batches of a sequence once, in a given order.

    Args:
        sequence: has `__getitem__`. order: list of numbers of batches. seeds: an iterator with one for each of them,
            where worker processes make them; None for threads.
    """

    def __init__(self, sequence, order, seeds):
        super().__init__(sequence, seeds is not None)
        self._order, self._seeds = order, seeds
        self._left = len(order)

    def _produce(self, stopped):
        self._make(self._order, self._seeds and self._seeds.__next__, stopped)

    def _is_done(self):
        return self._left == 0


class Ahead:
    """How a run has its batches made ahead of time.

    Args:
        workers: how many. use_multiprocessing: whether they are processes rather than threads. max_queue_size: how many
            batches may be under way or ready.
    """

    def __init__(self, workers, use_multiprocessing=False, max_queue_size=10):
        self._workers, self._size, self.use_multiprocessing = workers, max_queue_size, use_multiprocessing

    def in_order(self, sequence, order, seed=None, first=0):
        """Yield the batches of a sequence whose numbers are in the list `order`.

        Args:
            seed: what the draws of worker processes follow from. first: how many batches of the pass came before.
        """
        seeds = None
        if self.use_multiprocessing:
            generator = np.random.RandomState(seed)
            seeds = itertools.islice(iter(lambda: generator.randint(2 ** 31 - 1), None), first, None)
        return self._taken(_PassEnqueuer(sequence, order, seeds))

    def of_generator(self, generator):
        """Yield the batches of a generator."""
        if self.use_multiprocessing and self._workers > 1:
            warnings.warn('A generator in several worker processes may give the same batches several times: every '
                          'process has a copy of it. Use a keras.utils.Sequence.', stacklevel=4)
        return self._taken(GeneratorEnqueuer(generator, self.use_multiprocessing))

    def _taken(self, enqueuer):
        enqueuer.start(self._workers, self._size)
        try:
            for batch in enqueuer.get():
                yield batch
        finally:
            enqueuer.stop(timeout=_PATIENCE_SECONDS)


class GeneratorEnqueuer(SequenceEnqueuer):
    """Batches of a generator, made by workers.

    Several threads share the generator, which must be thread-safe; processes have a copy each, so that every batch
    comes as often as there are processes unless the generator draws at random.

    Args:
        sequence: the generator. use_multiprocessing: whether workers are processes rather than threads.
        wait_time: without effect. random_seed: of NumPy's global generator in the processes: this number in the first,
            one more in the second, and so on.
    """

    def __init__(self, sequence, use_multiprocessing=False, wait_time=None, random_seed=None):
        super().__init__(sequence, use_multiprocessing)
        if wait_time is not None:
            warnings.warn('GeneratorEnqueuer: `wait_time` has no effect.', DeprecationWarning, stacklevel=2)
        self.random_seed = random_seed
        self._ended = False

    def _produce(self, stopped):
        self._ended = False
        draw = self._drawn_seeds()
        if draw and self.random_seed is not None:
            draw = itertools.count(self.random_seed).__next__
        workers = _Workers(self.sequence, self.workers, draw and [draw() for _ in range(self.workers)])
        try:
            while not self._ended and self._submit(workers, None, None, stopped):
                pass
            with self._changed:
                self._wait(lambda: not self._pending, stopped)
        finally:
            workers.close()

    def _is_done(self):
        return self._ended

    def get(self):
        try:
            while self.is_running():
                first = self._first()
                if first is None:
                    return
                try:
                    batch = first[1].result()
                except StopIteration:
                    # What is under way may still hold batches; no more of them are asked for.
                    batch, self._ended = None, True
                self._drop_first()
                if batch is not None:
                    yield batch
        except Exception as error:
            self.stop(timeout=_PATIENCE_SECONDS)
            if 'generator already executing' in str(error):
                raise RuntimeError('Your generator is NOT thread-safe, which is needed with use_multiprocessing=False '
                                   'and several workers. Use one worker, a keras.utils.Sequence, or a lock around '
                                   'the `next` of the generator.')
            raise


calls.install(SequenceEnqueuer, calls.ENQUEUING, 'GeneratorEnqueuer.')
calls.install(globals(), calls.ENQUEUERS)
