"""Checkpoints by Orbax, where it is installed."""
import os
import shutil
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


def with_vocabulary(tmp_path):
    (tmp_path / 'vocabulary.txt').write_text('cat\ndog')
    words = keras.Input((1,), dtype='string')
    numbers = keras.layers.StringLookup(vocabulary=str(tmp_path / 'vocabulary.txt'), name='lookup')(words)
    model = keras.Model(words, keras.layers.Embedding(5, 2)(numbers))
    model.compile('adam', 'mse')
    return model


def test_a_whole_model_comes_back(tmp_path):
    pytest.importorskip('orbax.checkpoint')
    model = compiled()
    model.fit(X, X[:, :1], epochs=2, verbose=0, callbacks=[C.OrbaxCheckpoint(tmp_path)])
    for path in (str(tmp_path), tmp_path / '1'):
        loaded = keras.saving.load_model(path)
        assert type(loaded.optimizer) is keras.optimizers.Adam and loaded.loss == 'mse'
        for array, saved in zip(loaded.get_weights() + [variable.numpy() for variable in loaded.optimizer.variables],
                                model.get_weights() + [variable.numpy() for variable in model.optimizer.variables]):
            np.testing.assert_array_equal(array, saved)
        np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
    assert keras.saving.load_model(tmp_path, compile=False).optimizer is None


def test_weights_go_into_models_that_have_them(tmp_path):
    pytest.importorskip('orbax.checkpoint')
    model = compiled()
    model.fit(X, X[:, :1], verbose=0, callbacks=[C.OrbaxCheckpoint(tmp_path, save_weights_only=True)])
    other = keras.models.clone_model(model)
    other.load_weights(tmp_path)
    for array, saved in zip(other.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(array, saved)
    with pytest.raises(ValueError, match='does not contain model configuration.*load_weights'):
        keras.saving.load_model(tmp_path)
    with pytest.raises(ValueError, match='checkpoint of another model.*stranger'):
        keras.Sequential([keras.layers.Dense(4, input_shape=(3,), name='stranger')]).load_weights(tmp_path)


def test_files_of_layers_go_along(tmp_path):
    pytest.importorskip('orbax.checkpoint')
    checkpoint = C.OrbaxCheckpoint(tmp_path / 'checkpoints', save_on_background=False)
    checkpoint.set_model(with_vocabulary(tmp_path))
    checkpoint.on_epoch_end(0)
    (tmp_path / 'vocabulary.txt').unlink()
    loaded = keras.saving.load_model(tmp_path / 'checkpoints')
    assert loaded.get_layer('lookup').get_vocabulary() == ['[UNK]', 'cat', 'dog']


@pytest.mark.parametrize('name', ['..', '../../x', 'C:\\x', ''])
def test_files_of_layers_stay_in_their_folder(tmp_path, name, monkeypatch):
    pytest.importorskip('orbax.checkpoint')
    content = keras.saving.orbax.content(with_vocabulary(tmp_path))
    content['assets'] = {'layers': {'lookup': {name: np.zeros(3, 'uint8')}}}
    for part in content:
        (tmp_path / '0' / part).mkdir(parents=True)
    monkeypatch.setattr(keras.saving.orbax, '_read', lambda folder, part: content[part])
    with pytest.raises(keras.saving.opening.RefusedFile, match='a file that is called'):
        keras.saving.load_model(tmp_path)


def test_hostile_and_damaged_folders_are_refused(tmp_path):
    pytest.importorskip('orbax.checkpoint')
    model = compiled()
    model.fit(X, X[:, :1], verbose=0, callbacks=[C.OrbaxCheckpoint(tmp_path / 'good', save_on_background=False)])
    for name, make in (('link', lambda path: os.symlink(str(tmp_path), path)), ('pipe', os.mkfifo)):
        shutil.copytree(str(tmp_path / 'good'), str(tmp_path / name))
        make(str(tmp_path / name / '0' / 'pytree' / 'other'))
        with pytest.raises(keras.saving.opening.RefusedFile, match='neither a file nor a folder'):
            model.load_weights(tmp_path / name)
    shutil.copytree(str(tmp_path / 'good'), str(tmp_path / 'damaged'))
    for path in (tmp_path / 'damaged' / '0' / 'pytree').iterdir():
        shutil.rmtree(str(path)) if path.is_dir() else path.unlink()
    with pytest.raises(keras.saving.opening.RefusedFile, match='cannot be read'):
        model.load_weights(tmp_path / 'damaged')


def test_arrays_out_of_proportion_are_not_unpacked(tmp_path, monkeypatch):
    checkpoints = pytest.importorskip('orbax.checkpoint').v1
    model = compiled()
    tree = model.get_state_tree('numpy_array')
    tree['optimizer_variables'] = {'huge': np.zeros((2 ** 13, 2 ** 10), 'float32')}  # 32 MiB that pack into nothing
    checkpoints.save_checkpointables(str(tmp_path / '0'), {'pytree': tree})
    monkeypatch.setattr(checkpoints, 'load_checkpointables', None)
    with pytest.raises(keras.saving.opening.RefusedFile, match='announce 3355'):
        model.load_weights(tmp_path)


def test_a_large_model_of_zeros_is_in_proportion(tmp_path):
    pytest.importorskip('orbax.checkpoint')
    model = keras.Sequential([keras.layers.Dense(2 ** 11, input_shape=(2 ** 12,), kernel_initializer='zeros')])
    checkpoint = C.OrbaxCheckpoint(tmp_path, save_on_background=False, save_weights_only=True)
    checkpoint.set_model(model)
    checkpoint.on_epoch_end(0)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    model.load_weights(tmp_path)
    assert not any(weight.any() for weight in model.get_weights())


def test_steps_with_zeros_before_are_found(tmp_path):
    pytest.importorskip('orbax.checkpoint')
    model = compiled()
    model.fit(X, X[:, :1], verbose=0, callbacks=[C.OrbaxCheckpoint(tmp_path, save_on_background=False)])
    weights = model.get_weights()
    os.rename(str(tmp_path / '0'), str(tmp_path / '0005'))
    model.set_weights([0 * weight for weight in weights])
    model.load_weights(tmp_path)
    for array, saved in zip(model.get_weights(), weights):
        np.testing.assert_array_equal(array, saved)


def test_what_does_not_fit_changes_nothing_or_is_said(tmp_path):
    pytest.importorskip('orbax.checkpoint')

    def two(size, optimizer):
        made = keras.Sequential([keras.layers.Dense(4, input_shape=(3,), name='a'),
                                 keras.layers.Dense(size, name='b')])
        made.compile(optimizer, 'mse')
        return made
    two(1, 'sgd').fit(X, X[:, :1], verbose=0, callbacks=[C.OrbaxCheckpoint(tmp_path, save_on_background=False)])
    other = two(2, 'sgd')
    before = other.get_weights()
    with pytest.raises(ValueError, match='No variable is changed'):
        other.load_weights(tmp_path)
    for array, kept in zip(other.get_weights(), before):
        np.testing.assert_array_equal(array, kept)
    with pytest.warns(UserWarning, match='the state of another optimizer'):
        two(1, 'adam').load_weights(tmp_path)
    with pytest.raises(ValueError, match='skip_mismatch'):
        two(1, 'sgd').load_weights(tmp_path, skip_mismatch=True)


def test_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'orbax', None)
    monkeypatch.setitem(sys.modules, 'orbax.checkpoint', None)
    with pytest.raises(ImportError, match='pip install orbax-checkpoint'):
        C.OrbaxCheckpoint(tmp_path)
    with pytest.raises(ValueError, match='save_freq'):
        C.OrbaxCheckpoint(tmp_path, save_freq='batch')
