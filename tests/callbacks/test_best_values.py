"""What `EarlyStopping` and `ReduceLROnPlateau` say was best, and when they forget it."""
import numpy as np
import pytest

import keras
from keras import config

pytestmark = pytest.mark.on('numpy')


def made(cls, generation, **kwargs):
    with config.generation(generation):
        model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
        model.compile('sgd', 'mse')
        callback = cls(monitor='loss', **kwargs)
    callback.set_model(model)
    return callback


def run(callback, losses):
    callback.on_train_begin()
    waits = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {'loss': loss})
        waits.append(callback.wait)
    return waits


@pytest.mark.parametrize('cls', (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau))
@pytest.mark.parametrize('generation, first', ((2, np.inf), (3, None)))
def test_best_begins_anew_with_each_run(cls, generation, first):
    callback = made(cls, generation, patience=5)
    # In Keras 3 the first value is the best one yet, whatever it is, and nothing is less than NaN (3.15.1).
    assert run(callback, [np.nan, .5, .6]) == ([1, 0, 1] if generation == 2 else [0, 1, 2])
    assert run(callback, [.6, .5, .3, .4]) == [0, 0, 0, 1]
    assert callback.best == .3
    callback.on_train_begin()
    assert callback.best == first and callback.wait == 0
    assert run(callback, [.9, .8]) == [0, 0]


@pytest.mark.parametrize('generation, best', ((2, .2), (3, .4)))
def test_baseline_counts_for_patience(generation, best):
    callback = made(keras.callbacks.EarlyStopping, generation, patience=5, baseline=.2)
    assert run(callback, [.5, .4, .6]) == [1, 2, 3]
    assert callback.best == best and callback.best_epoch == 1
    assert run(callback, [.5, .1, .15]) == [1, 0, 1] and callback.best == .1


@pytest.mark.parametrize('verbose', (0, 1))
@pytest.mark.parametrize('generation, mode, values, saved', (
    (3, 'min', [np.nan, 1, .5], [0]), (3, 'min', [np.inf, np.nan, 1, 1], [0, 2]),
    (3, 'max', [-np.inf, np.nan, 1], [0, 2]),
    (3, 'max', [np.nan] * 3, [0]), (3, 'min', [1, np.nan, .5, np.nan], [0, 2]), (2, 'min', [np.nan, 1, .5], [1, 2])))
def test_epochs_that_are_saved_as_the_best(generation, mode, values, saved, verbose):
    """Those of Keras 3.15.1; Keras 2 begins with infinity."""
    callback, found = made(keras.callbacks.ModelCheckpoint, generation, filepath='best.h5', mode=mode, verbose=verbose,
                           save_best_only=True), []
    callback.model.save = lambda *args, **kwargs: found.append(epoch)
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {'loss': value})
    assert found == saved


def test_losses_of_nan_alone():
    """The figures of Keras 3.15.1."""
    stop = made(keras.callbacks.EarlyStopping, 3, patience=1, restore_best_weights=True)
    reduce = made(keras.callbacks.ReduceLROnPlateau, 3, patience=1, factor=.5)
    stop.model.build()
    stop.model.stop_training, rates = False, []
    stop.on_train_begin()
    for epoch in range(4):
        logs = {'loss': np.nan}
        reduce.on_epoch_end(epoch, logs)
        rates.append(float(reduce.model.optimizer.learning_rate) / .01)
        if not stop.model.stop_training:
            stop.on_epoch_end(epoch, {'loss': np.nan})
    assert stop.stopped_epoch == 1 and stop.best_epoch == 0 and np.isnan(stop.best)
    np.testing.assert_allclose(rates, [1, .5, .25, .125], rtol=1e-6)
