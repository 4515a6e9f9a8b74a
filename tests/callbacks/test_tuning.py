"""What finds settings and rehearses a training leaves the model as it was, and finds them."""
import sys

import numpy as np
import pytest

import keras
from keras import callbacks as C
from keras import config, layers

pytestmark = [pytest.mark.on('torch', 'mxnet'), pytest.mark.needs_gradients]
X = np.random.RandomState(0).normal(size=(40, 3)).astype('float32')
Y = X[:, :1].copy()


def compiled(optimizer='adam'):
    model = keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(1)])
    model.compile(optimizer, 'mse')
    return model


def state(model):
    return model.get_weights() + [np.array(variable.numpy()) for variable in model.optimizer.variables] + [
        np.asarray(model.optimizer.learning_rate)]


def assert_unchanged(model, before):
    for array, other in zip(state(model), before):
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize('generation', [2, 3])
def test_learning_rate_finder_stops_where_the_loss_explodes(generation):
    # One weight: the update is w += rate * 2 * mean(x * x) * (1 - w), which diverges from rate 1 / mean(x * x) on.
    with config.generation(generation):
        model = keras.Sequential([layers.Dense(1, use_bias=False, kernel_initializer='zeros', input_shape=(1,))])
        model.compile(keras.optimizers.SGD(0.123), 'mse')
        ones = np.ones((40, 1), 'float32')
        model.train_on_batch(ones[:4], ones[:4])
        before = state(model)
        finder = C.LearningRateFinder(1e-3, 1e3, 61, smoothing=0.0)
        model.fit(ones, ones, batch_size=4, epochs=100, verbose=0, callbacks=[finder])
    assert_unchanged(model, before)
    np.testing.assert_allclose(finder.learning_rates, np.geomspace(1e-3, 1e3, 61)[:len(finder.learning_rates)])
    weight, losses = float(before[0][0, 0]), []
    for rate in finder.learning_rates:
        losses.append((1 - weight) ** 2)
        weight += rate * 2 * (1 - weight)
    np.testing.assert_allclose(finder.losses, losses, rtol=2e-3, atol=1e-7)
    assert len(finder.losses) < 61 and losses[-1] > 4 * min(losses) >= 0
    steepest = np.argmin(np.gradient(finder.losses, np.log(finder.learning_rates)))
    assert finder.suggestion == finder.learning_rates[steepest] < 1


def test_learning_rate_finder_draws(monkeypatch):
    finder = C.LearningRateFinder()
    monkeypatch.setitem(sys.modules, 'matplotlib', None)
    with pytest.raises(ImportError, match='pip install matplotlib'):
        finder.plot()
    for arguments in ({'min_lr': 0}, {'min_lr': 2, 'max_lr': 1}, {'num_steps': 1}, {'smoothing': 1.0}):
        with pytest.raises(ValueError, match='min_lr'):
            C.LearningRateFinder(**arguments)


def test_batch_size_finder_doubles_until_the_memory_is_full(monkeypatch):
    model = compiled()
    model.train_on_batch(X[:4], Y[:4])
    before, finder = state(model), C.BatchSizeFinder(max_size=1000)
    assert finder.find(model, X, Y) == 32 and sorted(finder.samples_per_second) == [2, 4, 8, 16, 32]
    assert all(speed > 0 for speed in finder.samples_per_second.values())
    assert_unchanged(model, before)
    train = model.train_on_batch

    def limited(limit):
        def step(x, *args):
            if len(x) > limit:
                raise RuntimeError('RESOURCE_EXHAUSTED: Out of memory while trying to allocate')
            return train(x, *args)
        return step
    monkeypatch.setattr(model, 'train_on_batch', limited(9))
    assert finder.find(model, X, Y) == 8
    assert_unchanged(model, before)
    monkeypatch.setattr(model, 'train_on_batch', limited(1))
    with pytest.raises(MemoryError, match='a batch of 2'):
        finder.find(model, X, Y)

    def broken(*args):
        raise ValueError('shapes')
    monkeypatch.setattr(model, 'train_on_batch', broken)
    with pytest.raises(ValueError, match='shapes'):
        finder.find(model, X, Y)


def test_validation_is_run_before_training():
    seen = []

    class Order(C.Callback):
        def on_test_batch_end(self, batch, logs=None):
            seen.append('test')

        def on_train_batch_end(self, batch, logs=None):
            seen.append('train')

    model = compiled()
    expected = model.evaluate(X[:20], Y[:20], verbose=0)
    check = C.SanityCheckValidation(2)
    model.fit(X, Y, batch_size=10, epochs=1, verbose=0, validation_data=(X, Y), callbacks=[check, Order()])
    assert seen == ['test'] * 2 + ['train'] * 4 + ['test'] * 4
    assert check.logs['loss'] == pytest.approx(expected, rel=1e-5)

    class Broken(keras.utils.Sequence):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            raise RuntimeError('no such file')
    with pytest.raises(RuntimeError, match='no such file'):
        model.fit(X, Y, verbose=0, validation_data=Broken(), callbacks=[check, Order()])
    assert seen.count('train') == 4


@pytest.mark.parametrize('source', ['arrays', 'generator'])
def test_overfitting_trains_on_the_same_batches(source):
    seen = []

    class Looking(C.Callback):
        def see_batch(self, batch):
            seen.append(np.array(batch.xs[0]))

    model, overfit = compiled(), C.OverfitBatches(2)
    data = (X, Y) if source == 'arrays' else ((X[4 * n:4 * n + 4], Y[4 * n:4 * n + 4]) for n in range(10)),
    options = {'batch_size': 10} if source == 'arrays' else {'steps_per_epoch': 4}
    arguments = data[0] if source == 'arrays' else data
    model.fit(*arguments, epochs=2, verbose=0, callbacks=[overfit, Looking()], **options)
    assert len(seen) == 8 and len(overfit.losses) == 2
    for number, batch in enumerate(seen):
        np.testing.assert_array_equal(batch, seen[number % 2])
    assert not np.array_equal(seen[0], seen[1])
