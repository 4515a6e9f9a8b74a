"""Checkpoints by Orbax, where it is installed."""
import os
import sys

import numpy as np
import pytest

import keras
from keras import callbacks as C

pytestmark = [pytest.mark.on('jax', 'torch'), pytest.mark.needs_gradients]
X = np.random.RandomState(0).normal(size=(12, 3)).astype('float32')


def compiled():
    model = keras.Sequential([keras.layers.Dense(4, input_shape=(3,)), keras.layers.BatchNormalization(),
                              keras.layers.Dense(1)])
    model.compile('adam', 'mse')
    return model


def test_variables_come_back_with_the_optimizer(tmp_path):
    pytest.importorskip('orbax.checkpoint')
    model = compiled()
    checkpoint = C.OrbaxCheckpoint(tmp_path, max_to_keep=2)
    model.fit(X, X[:, :1], epochs=3, verbose=0, callbacks=[checkpoint])
    assert sorted(os.listdir(str(tmp_path))) == ['1', '2']
    saved = model.get_weights() + [np.array(variable.numpy()) for variable in model.optimizer.variables]
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    checkpoint.restore()
    for array, other in zip(model.get_weights() + [variable.numpy() for variable in model.optimizer.variables], saved):
        np.testing.assert_array_equal(array, other)
    with pytest.raises(FileNotFoundError, match='step 7'):
        checkpoint.restore(7)


def test_best_by_batches_and_in_the_foreground(tmp_path):
    pytest.importorskip('orbax.checkpoint')
    model = compiled()
    every = C.OrbaxCheckpoint(tmp_path / 'every', save_freq=2, max_to_keep=None, save_on_background=False,
                              save_weights_only=True)
    best = C.OrbaxCheckpoint(tmp_path / 'best', monitor='loss', save_best_only=True, initial_value_threshold=-1.0)
    model.fit(X, X[:, :1], batch_size=4, epochs=2, verbose=0, callbacks=[every, best])
    assert sorted(os.listdir(str(tmp_path / 'every'))) == ['2', '4', '6'] and not (tmp_path / 'best' / '0').exists()


def test_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'orbax', None)
    monkeypatch.setitem(sys.modules, 'orbax.checkpoint', None)
    with pytest.raises(ImportError, match='pip install orbax-checkpoint'):
        C.OrbaxCheckpoint(tmp_path)
    with pytest.raises(ValueError, match='save_freq'):
        C.OrbaxCheckpoint(tmp_path, save_freq='batch')
