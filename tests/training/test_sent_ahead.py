"""The next batch is on its way to the device while a step runs."""
import numpy as np
import pytest

import keras
from keras import layers
from keras.backend.contract.engine import Engine
from keras.backend.contract.loading import get_engine

pytestmark = pytest.mark.on('torch', 'jax')

X = np.random.RandomState(0).rand(10, 3).astype('float32')
Y = X.sum(axis=1, keepdims=True)


class Sends:
    """Stands in for an engine with a device; `events` tells what came when, by the first numbers of batches."""

    def __init__(self, monkeypatch):
        self.events, engine = [], get_engine()

        def sent(arrays):
            self.events.append(('sent', float(arrays[0][0, 0])))
            return Engine.sent(engine, [None if x is None else np.array(x) for x in arrays])
        monkeypatch.setattr(type(engine), 'sends_ahead', True)
        monkeypatch.setattr(engine, 'sent', sent, raising=False)


class Steps(keras.callbacks.Callback):
    """Notes when each batch is through."""

    def __init__(self, events):
        super().__init__()
        self._events = events

    def on_train_batch_end(self, batch, logs=None):
        self._events.append(('done', batch))


def linear():
    model = keras.Sequential([layers.Dense(1, kernel_initializer='ones', input_shape=(3,))])
    model.compile(keras.optimizers.SGD(0.1), 'mse', metrics=['mae'])
    return model


def numbered(count, end=None):
    """Batches that begin with their number, all in one array; `end()` comes behind them."""
    x = np.zeros((2, 3), 'float32')
    for number in range(count):
        x[:] = number
        yield x, np.zeros((2, 1), 'float32')
    if end is not None:
        end()


def test_a_batch_is_sent_before_the_step_on_the_one_before(monkeypatch):
    sends = Sends(monkeypatch)
    linear().fit(numbered(3), verbose=0, callbacks=[Steps(sends.events)])
    assert sends.events == [('sent', 0), ('sent', 1), ('done', 0), ('sent', 2), ('done', 1), ('done', 2)]


def test_results_are_the_same(monkeypatch):
    def found():
        model = linear()
        history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, validation_split=0.2, verbose=0).history
        return [history['loss'], history['val_mae'], model.get_weights()[0],
                model.evaluate(X, Y, batch_size=4, verbose=0), model.predict(X, batch_size=4)]
    expected = found()
    sends = Sends(monkeypatch)
    for one, other in zip(found(), expected):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    # Two epochs of two batches with one for validation, and three each for evaluating and predicting.
    assert len(sends.events) == 2 * (2 + 1) + 3 + 3


def test_the_source_may_fill_the_same_array_again(monkeypatch):
    Sends(monkeypatch)
    model = keras.Sequential([layers.Activation('linear', input_shape=(3,))])
    np.testing.assert_array_equal(model.predict(numbered(3), verbose=0)[::2, 0], [0, 1, 2])


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_errors_of_the_source(monkeypatch, error):
    def fail():
        raise error('nothing left')
    sends = Sends(monkeypatch)
    model = linear()
    with pytest.raises(error, match='nothing left'):
        model.fit(numbered(3, fail), steps_per_epoch=5, verbose=0, callbacks=[Steps(sends.events)])
    # An error waits for the batches before it, an interrupt for nothing.
    done = [number for kind, number in sends.events if kind == 'done']
    assert done == ([0, 1, 2] if error is ValueError else [0, 1])
    assert np.isfinite(model.get_weights()[0]).all()
    model.fit(X, Y, verbose=0)


def test_nothing_is_sent_ahead_on_a_cpu(monkeypatch):
    engine = get_engine()
    if engine.sends_ahead:
        pytest.skip('There is a device.')
    monkeypatch.setattr(engine, 'sent', lambda arrays: pytest.fail('sent'), raising=False)
    linear().fit(X, Y, batch_size=4, verbose=0)


@pytest.mark.on('torch')
def test_cuda_waits_for_the_copy_and_keeps_its_memory(monkeypatch):
    torch = pytest.importorskip('torch')
    engine, calls = get_engine(), []

    class Stream:
        def __init__(self, device=None):
            pass

        def record_event(self):
            calls.append('copied')
            return 'event'

        def wait_event(self, event):
            calls.append(('waits', event))

        def __enter__(self):
            calls.append('aside')

        def __exit__(self, *error):
            pass
    monkeypatch.setattr(torch.cuda, 'Stream', Stream)
    monkeypatch.setattr(torch.cuda, 'stream', lambda stream: stream)
    monkeypatch.setattr(torch.cuda, 'current_stream', lambda device: Stream())
    monkeypatch.setattr(torch.Tensor, 'pin_memory', lambda x: (calls.append('pinned'), x.clone())[1])
    monkeypatch.setattr(torch.Tensor, 'record_stream', lambda x, stream: calls.append('kept'))
    monkeypatch.setattr(engine, '_copies', None)
    x = X.copy()
    give = engine.sent([x, None])
    x[:] = 0
    assert calls == ['pinned', 'aside', 'copied']
    tensor, nothing = give()
    assert calls[3:] == [('waits', 'event'), 'kept'] and nothing is None
    np.testing.assert_array_equal(engine.to_numpy(tensor), X)
