"""Batches by workers: order, epochs, errors, death, seeds."""
import os
import threading
import time
import traceback

import numpy as np
import pytest

from keras.training import enqueuers
from keras.utils import GeneratorEnqueuer, OrderedEnqueuer, Sequence, data_utils

pytestmark = [
    pytest.mark.on('numpy'),
    pytest.mark.filterwarnings('ignore:.*fork.*:DeprecationWarning')]
KINDS = pytest.mark.parametrize('use_multiprocessing', [False, True], ids=['threads', 'processes'])


class Numbers(Sequence):
    """Batch `i` of epoch `e` is 10 * e + i."""

    def __init__(self, length=6, fault=None):
        self.length, self.epoch, self.fault = length, 0, fault

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        # The later ones are ready first.
        time.sleep(0.01 * (index % 2 == 0))
        if self.fault and index == 3:
            return self.fault()
        return np.int64(10 * self.epoch + index)

    def on_epoch_end(self):
        self.epoch += 1


class Unpicklable(Exception):
    def __init__(self, one, other):
        super().__init__('%s, %s' % (one, other))


def raise_error():
    raise KeyError('no such picture')


def raise_unpicklable():
    raise Unpicklable('one', 'other')


def die():
    os._exit(7)


def taken(enqueuer, count, workers=3, size=4):
    enqueuer.start(workers, size)
    batches = enqueuer.get()
    try:
        return [int(next(batches)) for _ in range(count)]
    finally:
        enqueuer.stop(timeout=20)
        assert not enqueuer.is_running() and not enqueuer.run_thread.is_alive()


@KINDS
def test_order_and_epochs(use_multiprocessing):
    expected = [10 * epoch + index for epoch in range(3) for index in range(6)]
    sequence = Numbers()
    enqueuer = OrderedEnqueuer(sequence, use_multiprocessing=use_multiprocessing)
    assert not enqueuer.is_running()
    assert taken(enqueuer, 15) == expected[:15]
    assert sequence.epoch == 2
    # It may be started anew.
    sequence.epoch = 0
    assert taken(enqueuer, 7, workers=1, size=1) == expected[:7]


def test_shuffled_epochs():
    numbers = taken(OrderedEnqueuer(Numbers(20), shuffle=True), 20)
    assert sorted(numbers) == list(range(20)) and numbers != sorted(numbers)


def test_the_end_of_an_epoch_can_be_waited_for():
    class Slow(Numbers):
        def on_epoch_end(self):
            time.sleep(0.1)
            super().on_epoch_end()
    sequence = Slow()
    enqueuer = OrderedEnqueuer(sequence)
    enqueuer.start(2)
    batches = enqueuer.get()
    for _ in range(5):
        next(batches)
    enqueuer.join_end_of_epoch()
    assert sequence.epoch == 0
    next(batches)
    enqueuer.join_end_of_epoch()
    assert sequence.epoch == 1
    enqueuer.stop()


@KINDS
def test_errors_reach_the_user_with_their_traceback(use_multiprocessing):
    enqueuer = OrderedEnqueuer(Numbers(fault=raise_error), use_multiprocessing)
    enqueuer.start(3)
    batches = enqueuer.get()
    assert [int(next(batches)) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match='no such picture') as caught:
        next(batches)
    text = ''.join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert 'in raise_error' in text and 'in __getitem__' in text
    assert not enqueuer.is_running()


def test_an_exception_that_cannot_travel_is_told():
    with pytest.raises(RuntimeError, match='Unpicklable: one, other'):
        taken(OrderedEnqueuer(Numbers(fault=raise_unpicklable), True), 6)


@pytest.mark.parametrize('make', [lambda: OrderedEnqueuer(Numbers(fault=die), True),
                                  lambda: GeneratorEnqueuer((die() for _ in range(9)), True)])
def test_a_dead_worker_is_reported_at_once(make):
    start = time.time()
    with pytest.raises(RuntimeError, match=r'worker process died \(exit code 7\) while it made (batch 3|a batch)\.'):
        taken(make(), 6)
    assert time.time() - start < 10


def test_a_slow_worker_is_not_waited_for_forever(monkeypatch):
    monkeypatch.setattr(enqueuers, '_PATIENCE_SECONDS', 0.2)
    released = threading.Event()

    class Stuck(Numbers):
        def __getitem__(self, index):
            if index == 2 and threading.current_thread() is not threading.main_thread():
                released.wait(20)
            return super().__getitem__(index)
    with pytest.warns(UserWarning, match='The input 2 could not be retrieved'):
        assert taken(OrderedEnqueuer(Stuck()), 6) == list(range(6))
    released.set()


def test_errors_outside_the_workers():
    class Broken(Numbers):
        def on_epoch_end(self):
            raise OSError('disk gone')
    with pytest.raises(OSError, match='disk gone'):
        taken(OrderedEnqueuer(Broken()), 7)
    with pytest.raises(ValueError, match='has no batches'):
        taken(OrderedEnqueuer(Numbers(0)), 1)
    enqueuer = OrderedEnqueuer(Numbers())
    enqueuer.start()
    with pytest.raises(RuntimeError, match='is running already'):
        enqueuer.start()
    enqueuer.stop()
    enqueuer.stop()
    assert list(enqueuer.get()) == []


class Draws(Numbers):
    def __getitem__(self, index):
        return np.random.randint(1000000)


def test_worker_processes_draw_different_numbers_and_the_same_again():
    def draw(workers):
        np.random.seed(5)
        return taken(OrderedEnqueuer(Draws(), True), 12, workers)
    first = draw(3)
    assert len(set(first)) == 12 and draw(2) == first


def test_generators_in_threads():
    lock = threading.Lock()

    class Safe:
        def __init__(self):
            self.numbers = iter(range(50))

        def __iter__(self):
            return self

        def __next__(self):
            with lock:
                return next(self.numbers)
    enqueuer = GeneratorEnqueuer(Safe())
    enqueuer.start(3, 5)
    assert sorted(enqueuer.get()) == list(range(50))
    enqueuer.stop()
    assert taken(GeneratorEnqueuer(iter(range(5))), 5, workers=1) == list(range(5))


def test_a_generator_is_not_thread_safe():
    def slow():
        while True:
            time.sleep(0.05)
            yield 1
    with pytest.raises(RuntimeError, match='generator is NOT thread-safe'):
        taken(GeneratorEnqueuer(slow()), 20)


def test_generators_in_processes():
    def endless():
        while True:
            yield np.random.randint(1000000)
    np.random.seed(1)
    first = taken(GeneratorEnqueuer(endless(), True, random_seed=3), 4, workers=1)
    assert first == np.random.RandomState(3).randint(1000000, size=4).tolist()
    finite = GeneratorEnqueuer(iter([1, 2, 3]), use_multiprocessing=True)
    finite.start(2)
    assert set(finite.get()) == {1, 2, 3}
    finite.stop()
    with pytest.warns(DeprecationWarning, match='wait_time'):
        GeneratorEnqueuer(endless(), wait_time=0.1)


def test_helpers_for_pools_of_others():
    data_utils.init_pool({1: 'abc'})
    data_utils.init_pool_generator({2: iter('xy')}, random_seed=3)
    assert data_utils.get_index(1, 2) == 'c' and data_utils.next_sample(2) == 'x'
    for enqueuer in (enqueuers.SequenceEnqueuer('abc'),):
        with pytest.raises(NotImplementedError, match='must define'):
            enqueuer.get()
