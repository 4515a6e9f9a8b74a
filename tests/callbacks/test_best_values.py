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
    assert run(callback, [float('nan'), .5, .3, .4]) == [1, 0, 0, 1]
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
