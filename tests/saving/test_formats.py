"""What holds for files of every format: no argument is ignored in silence, and no loss is lost so."""
import io
import os
import warnings

import numpy as np
import pytest

import keras
from keras import config, layers

pytestmark = pytest.mark.on('numpy')


def model():
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.Dense(2, name='dense')(inputs))


@pytest.mark.parametrize('name', ['a.weights.h5', 'a.weights.json'])
@pytest.mark.parametrize('argument', ['by_name', 'reshape'])
def test_weights_by_place_do_not_go_by_name(name, argument, tmp_path):
    made, path = model(), str(tmp_path / name)
    made.save_weights(path)
    with pytest.raises(ValueError, match='only supports loading legacy'):
        made.load_weights(path, **{argument: True})
    other = model()
    other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], made.get_weights()[0])


@pytest.mark.parametrize('name', ['a.keras', 'a.h5'])
def test_losses_and_metrics_of_the_graph_are_not_lost_unsaid(name, tmp_path):
    made, path = model(), str(tmp_path / name)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        made.save(path)
    made.add_loss(keras.backend.mean(made.output))
    made.add_metric(keras.backend.mean(made.output), name='mean')
    with pytest.warns(UserWarning, match='add_loss and add_metric outside of layers is not saved'):
        made.save(path)


def with_additions():
    inputs = keras.Input((3,))
    outputs = layers.Dense(2, kernel_initializer='ones', name='dense')(inputs)
    made = keras.Model(inputs, outputs)
    made.add_loss(keras.ops.mean(keras.ops.square(outputs)))
    made.add_loss(3.0 * keras.ops.sum(inputs))
    made.add_metric(keras.ops.max(outputs), name='largest')
    return made


def test_losses_and_metrics_of_tf_keras_are_saved(tmp_path):
    path, again = str(tmp_path / 'a.h5'), str(tmp_path / 'b.h5')
    with keras.config.generation('tf'), warnings.catch_warnings():
        warnings.simplefilter('error')
        made = with_additions()
        made.compile('sgd', 'mse')
        made.save(path)
        loaded = keras.models.load_model(path)
        loaded.save(again)
    x = np.array([[1.0, 2.0, 3.0]], 'float32')
    for name in (path, again):
        found = keras.models.load_model(name).evaluate(x, np.zeros((1, 2)), verbose=0, return_dict=True)
        assert found['loss'] == pytest.approx(36 + 36 + 3 * 6)
        assert found['largest'] == pytest.approx(6)
        assert [layer.name for layer in keras.models.load_model(name).layers][1:] == ['dense']


@pytest.mark.parametrize('make', [
    lambda made: made.add_loss(keras.backend.sum(made.layers[1].kernel)),
    lambda made: made.add_loss(keras.backend.mean(layers.Dense(1)(made.output)))], ids=['of a weight', 'of a layer'])
def test_losses_that_tf_keras_cannot_write(make, tmp_path):
    with keras.config.generation('tf'):
        made = with_additions()
        make(made)
        with pytest.warns(UserWarning, match='outside of layers is not saved'):
            made.save(str(tmp_path / 'a.h5'))
        assert [layer.name for layer in keras.models.load_model(str(tmp_path / 'a.h5')).layers][1:] == ['dense']


@pytest.mark.parametrize('name', ['a.keras', 'a.h5'])
def test_arguments_of_saving(name, tmp_path):
    made, path = model(), str(tmp_path / name)
    with pytest.raises(TypeError, match="unknown argument 'save_formt'"):
        made.save(path, save_formt='h5')
    with pytest.raises(ValueError, match='zipped=False'):
        made.save(path, zipped=False)
    with pytest.raises(TypeError, match="unknown argument 'by_names'"):
        made.load_weights(path, by_names=True)


@pytest.mark.on('numpy')
def test_names_of_files_in_keras_3(tmp_path):
    with config.generation(3):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        for arguments, words in (({}, 'Invalid filepath extension for saving'),
                                 ({'save_format': 'keras'}, '`save_format` argument is deprecated')):
            with pytest.raises(ValueError, match=words):
                model.save(str(tmp_path / 'model.png'), **arguments)
        assert not list(tmp_path.iterdir())
        model.save(str(tmp_path / 'model.keras'))
    model.save(str(tmp_path / 'model.png'), save_format='keras')


@pytest.mark.on('numpy')
def test_a_compile_of_the_models_own_need_not_know_all_arguments(tmp_path):
    @keras.saving.register_keras_serializable()
    class OwnCompile(keras.Sequential):
        def compile(self, optimizer, loss, metrics=None, sample_weight_mode=None, loss_weights=None,
                    weighted_metrics=None):
            super().compile(optimizer, loss, metrics)
    model = OwnCompile([keras.layers.Dense(1, input_shape=(3,))])
    model.compile('sgd', 'mse')
    for name in ('model.keras', 'model.h5'):
        model.save(str(tmp_path / name))
        loaded = keras.models.load_model(str(tmp_path / name))
        assert loaded.evaluate(np.ones((2, 3)), np.ones((2, 1)), verbose=0) >= 0


@pytest.mark.on('numpy')
def test_a_folder_instead_of_an_archive(tmp_path):
    made, path, x = model(), tmp_path / 'unzipped', np.ones((2, 3), 'float32')
    with pytest.raises(ValueError, match='should not end in'):
        keras.saving.save_model(made, str(tmp_path / 'a.keras'), zipped=False)
    keras.saving.save_model(made, str(path), zipped=False)
    assert {'config.json', 'metadata.json', 'model.weights.h5'} <= {each.name for each in path.iterdir()}
    width = made.input_shape[-1]
    x = np.ones((2, width), 'float32')
    assert np.allclose(keras.saving.load_model(str(path)).predict(x), made.predict(x))
    other = model()
    other.load_weights(str(path))
    assert np.allclose(other.predict(x), made.predict(x))


@pytest.mark.on('numpy')
def test_a_compile_of_ones_own_is_not_called_in_keras_3(tmp_path):
    @keras.saving.register_keras_serializable('own_compile')
    class Own(keras.Sequential):
        def compile(self, loss):
            super().compile('sgd', loss)

    with keras.config.generation(3):
        made = Own([keras.Input((3,)), keras.layers.Dense(1)])
        made.compile('mse')
        made.save(str(tmp_path / 'a.keras'))
        with pytest.warns(UserWarning, match='method is custom'):
            assert not keras.saving.load_model(str(tmp_path / 'a.keras')).compiled


def test_a_folder_keeps_what_else_is_in_it(tmp_path):
    folder = tmp_path / 'project'
    (folder / 'src').mkdir(parents=True)
    (folder / 'notes.txt').write_text(u'mine')
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    for _ in range(2):
        keras.saving.save_model(model, str(folder), zipped=False)
    assert {'src', 'notes.txt', 'config.json', 'model.weights.h5'} <= set(os.listdir(str(folder)))
    os.symlink('nowhere', str(folder / '.#config.json'))  # as editors leave them
    x = np.ones((1, 3), 'float32')
    np.testing.assert_array_equal(keras.saving.load_model(str(folder)).predict(x), model.predict(x))


def test_a_folder_needs_a_path():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    with pytest.raises(TypeError, match='has to be the path of one.*BytesIO'):
        keras.saving.save_model(model, io.BytesIO(), zipped=False)
