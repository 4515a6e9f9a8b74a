"""HDF5 files: what is saved comes back, what is broken says so, and nothing is lost when saving fails."""
import io
import json
import os

import h5py
import numpy as np
import pytest

import keras
from keras import layers
from keras.models import Model, Sequential, load_model
from keras.saving import hdf5

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(8, 4)).astype('float32')
Y = RANDOM.normal(size=(8, 2)).astype('float32')


def small_model(name=None):
    return Sequential([layers.Dense(3, activation='relu', input_shape=(4,), name='first'),
                       layers.BatchNormalization(name='norm'), layers.Dense(2, name='second')], name=name)


def assert_same_weights(one, other):
    assert len(one.get_weights()) == len(other.get_weights()) > 0
    for left, right in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(left, right)


# --- round trips --------------------------------------------------------------------------------------------------

def test_sequential(tmp_path):
    model = small_model('stack')
    model.save(str(tmp_path / 'model.h5'))
    loaded = load_model(tmp_path / 'model.h5', compile=False)
    assert type(loaded) is Sequential and loaded.name == 'stack' and loaded.get_config() == model.get_config()
    assert_same_weights(model, loaded)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_functional_with_shared_layer_and_nested_model(tmp_path):
    first, second = keras.Input((4,), name='a'), keras.Input((4,), name='b')
    shared = small_model('inner')
    merged = layers.concatenate([shared(first), shared(second)])
    model = Model([first, second], [layers.Dense(1, name='one')(merged), layers.Dense(2, name='two')(merged)])
    model.save(str(tmp_path / 'model.h5'))
    loaded = load_model(str(tmp_path / 'model.h5'), compile=False)
    assert_same_weights(model, loaded)
    for ours, theirs in zip(loaded.predict([X, -X]), model.predict([X, -X])):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.needs_gradients
@pytest.mark.parametrize('optimizer', ['sgd', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'adamax', 'nadam'])
def test_training_goes_on_after_loading(optimizer, tmp_path):
    model = small_model()
    model.compile(optimizer, 'mse', metrics=['mae'])
    for _ in range(3):
        model.train_on_batch(X, Y)
    model.save(str(tmp_path / 'model.h5'))
    loaded = load_model(str(tmp_path / 'model.h5'))
    assert loaded.metrics_names == ['loss', 'mae']
    for _ in range(2):
        assert loaded.train_on_batch(X, Y) == pytest.approx(model.train_on_batch(X, Y), rel=1e-6)
    for ours, theirs in zip(loaded.get_weights(), model.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.needs_gradients
def test_losses_and_metrics_come_back_as_they_were_given(tmp_path):
    x = keras.Input((4,))
    model = Model(x, [layers.Dense(2, name='left')(x), layers.Dense(1, activation='sigmoid', name='right')(x)])
    model.compile(keras.optimizers.Adam(learning_rate=0.01, beta_1=0.8),
                  loss={'left': keras.losses.Huber(delta=0.5), 'right': 'binary_crossentropy'},
                  loss_weights={'left': 2.0, 'right': 0.5}, metrics={'right': ['accuracy']})
    targets = [Y, np.ones((8, 1), 'float32')]
    model.train_on_batch(X, targets)
    model.save(str(tmp_path / 'model.h5'))
    loaded = load_model(str(tmp_path / 'model.h5'))
    assert loaded.metrics_names == model.metrics_names
    assert loaded.optimizer.get_config() == pytest.approx(model.optimizer.get_config())
    assert loaded.test_on_batch(X, targets) == pytest.approx(model.test_on_batch(X, targets), rel=1e-6)


def test_without_the_optimizer(tmp_path):
    model = small_model()
    model.compile('adam', 'mse')
    model.save(str(tmp_path / 'model.h5'), include_optimizer=False)
    with pytest.warns(UserWarning, match='No training configuration'):
        loaded = load_model(str(tmp_path / 'model.h5'))
    with pytest.raises(RuntimeError, match='compile'):
        loaded.evaluate(X, Y)


def test_custom_objects(tmp_path):
    class Times(layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, inputs):
            return inputs * self.factor

        def compute_output_shape(self, input_shape):
            return input_shape

        def get_config(self):
            return dict(super().get_config(), factor=self.factor)

    model = Sequential([Times(3.0, input_shape=(4,))])
    model.save(str(tmp_path / 'model.h5'))
    loaded = load_model(str(tmp_path / 'model.h5'), custom_objects={'Times': Times}, compile=False)
    np.testing.assert_allclose(loaded.predict(X), 3 * X, rtol=1e-6)
    with pytest.raises(ValueError, match="'Times'.*custom_objects"):
        load_model(str(tmp_path / 'model.h5'))


def test_unknown_layer_names_its_near_matches(tmp_path):
    path = str(tmp_path / 'model.h5')
    small_model().save(path)
    with h5py.File(path, 'r+') as file:
        text = file.attrs['model_config']
        text = text.decode() if isinstance(text, bytes) else text
        file.attrs['model_config'] = text.replace('"Dense"', '"Dens"').encode()
    with pytest.raises(OSError, match='damaged, or was changed.*set the attribute `keras_checksum` of /'):
        load_model(path)
    with h5py.File(path, 'r+') as file:
        file.attrs['keras_checksum'] = 0
    with pytest.raises(ValueError, match="'Dens'.*Did you mean.*'Dense'"):
        load_model(path)


def test_file_objects_and_open_files(tmp_path):
    model, memory = small_model(), io.BytesIO()
    model.save(memory)
    memory.seek(0)
    assert_same_weights(model, load_model(memory, compile=False))
    with h5py.File(str(tmp_path / 'many.h5'), 'w') as file:
        model.save(file.create_group('mine'))
        assert_same_weights(model, load_model(file['mine'], compile=False))
    assert_same_weights(model, hdf5.unpickle_model(hdf5.pickle_model(model)))


def test_layout_is_that_of_keras_2(tmp_path):
    path = str(tmp_path / 'model.h5')
    model = small_model()
    model.compile('adam', 'mse')
    model.save(path)
    with h5py.File(path, 'r') as file:
        assert set(file.attrs) == {'model_config', 'training_config', 'keras_version', 'backend',
                                   'keras_generations', 'written_by', 'keras_checksum'}
        assert set(file) == {'model_weights'}  # the optimizer has no state yet
        weights = file['model_weights']
        assert hdf5.load_attributes(weights, 'layer_names') == ['first', 'norm', 'second']
        assert hdf5.load_attributes(weights['norm'], 'weight_names') == [
            'norm/gamma:0', 'norm/beta:0', 'norm/moving_mean:0', 'norm/moving_variance:0']
        assert weights['first']['first/kernel:0'].shape == (4, 3)


# --- weights ------------------------------------------------------------------------------------------------------

def test_weights_alone_and_from_a_whole_model(tmp_path):
    model = small_model()
    model.save_weights(str(tmp_path / 'weights.h5'))
    model.save(str(tmp_path / 'model.h5'))
    for name in ('weights.h5', 'model.h5'):
        other = small_model()
        other.load_weights(str(tmp_path / name))
        assert_same_weights(model, other)


def test_loading_weights_draws_no_random_ones_and_needs_no_engine(tmp_path, monkeypatch):
    small_model().save_weights(str(tmp_path / 'weights.h5'))
    fresh = Sequential([layers.Dense(3, input_shape=(4,), name='first', kernel_initializer=refuse_to_draw),
                        layers.BatchNormalization(), layers.Dense(2)])
    fresh.load_weights(str(tmp_path / 'weights.h5'))
    assert fresh.get_weights()[0].shape == (4, 3)


def refuse_to_draw(shape, dtype=None):
    raise AssertionError('drew weights that are about to be overwritten')


def test_frozen_when_saved_but_not_when_loaded(tmp_path):
    inner = Sequential([layers.Dense(3, input_shape=(4,), name='d'), layers.BatchNormalization(name='b')], name='inner')
    model = Sequential([inner])
    inner.layers[1].trainable = False
    model.save_weights(str(tmp_path / 'weights.h5'))
    before = [weight.copy() for weight in inner.layers[1].get_weights()]
    inner.layers[1].trainable = True
    inner.layers[0].trainable = False
    inner.layers[1].set_weights([weight + 1 for weight in before])
    model.load_weights(str(tmp_path / 'weights.h5'))
    for ours, theirs in zip(inner.layers[1].get_weights(), before):
        np.testing.assert_array_equal(ours, theirs)


def test_subclassed_model_with_weights_of_its_own(tmp_path):
    class Scaled(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, name='dense')

        def build(self, input_shape):
            self.scale = self.add_weight(name='scale', shape=(2,), initializer='uniform')
            self.dense.build(input_shape)
            self.built = True

        def call(self, inputs):
            return self.dense(inputs) * self.scale.value

    one, other = Scaled(), Scaled()
    one.build((None, 4))
    other.build((None, 4))
    one.save_weights(str(tmp_path / 'weights.h5'))
    other.load_weights(str(tmp_path / 'weights.h5'))
    assert len(one.weights) == 3
    assert_same_weights(one, other)
    with pytest.raises(NotImplementedError, match='get_config'):
        one.save(str(tmp_path / 'model.h5'))
    assert not os.path.exists(str(tmp_path / 'model.h5'))


def test_by_name(tmp_path):
    source = small_model()
    source.save_weights(str(tmp_path / 'weights.h5'))
    target = Sequential([layers.Dense(5, input_shape=(4,), name='new'), layers.Dense(3, name='other'),
                         layers.BatchNormalization(name='norm')])
    kept = target.layers[1].get_weights()
    source.layers[1].set_weights([np.full(3, value, 'float32') for value in (2, 3, 4, 5)])
    source.save_weights(str(tmp_path / 'weights.h5'))
    target.load_weights(str(tmp_path / 'weights.h5'), by_name=True)
    for ours, theirs in zip(target.layers[2].get_weights(), source.layers[1].get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(target.layers[1].get_weights()[0], kept[0])


def test_mismatches_change_nothing(tmp_path):
    small_model().save_weights(str(tmp_path / 'weights.h5'))
    wider = Sequential([layers.Dense(3, input_shape=(4,), name='first'), layers.BatchNormalization(name='norm'),
                        layers.Dense(5, name='second')])
    before = wider.get_weights()
    with pytest.raises(ValueError, match=r'kernel:0 has shape \(3, 5\), but the saved weight has shape \(3, 2\)'):
        wider.load_weights(str(tmp_path / 'weights.h5'))
    for ours, theirs in zip(wider.get_weights(), before):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.warns(UserWarning, match='second.*mismatch of its weights'):
        wider.load_weights(str(tmp_path / 'weights.h5'), by_name=True, skip_mismatch=True)
    shorter = Sequential([layers.Dense(3, input_shape=(4,))])
    with pytest.raises(ValueError, match='weights of 3 layers into a model with 1 layers.*file: first, norm, second;'):
        shorter.load_weights(str(tmp_path / 'weights.h5'))


def test_reshape(tmp_path):
    Sequential([layers.Dense(6, input_shape=(4,), use_bias=False)]).save_weights(str(tmp_path / 'weights.h5'))
    other = Sequential([layers.Dense(4, input_shape=(6,), use_bias=False)])
    other.load_weights(str(tmp_path / 'weights.h5'), reshape=True)
    with h5py.File(str(tmp_path / 'weights.h5'), 'r') as file:
        group = file[hdf5.load_attributes(file, 'layer_names')[0]]
        stored = group[hdf5.load_attributes(group, 'weight_names')[0]][()]
    np.testing.assert_array_equal(other.get_weights()[0], stored.reshape(6, 4))


def test_kernels_of_convolving_backends_are_turned_over(tmp_path):
    path = str(tmp_path / 'weights.h5')
    model = Sequential([layers.Conv2D(2, 3, input_shape=(5, 5, 1))])
    kernel, bias = model.get_weights()
    model.save_weights(path)
    with h5py.File(path, 'r+') as file:
        file.attrs['backend'] = b'theano'
        file.attrs['keras_checksum'] = 0
    model.load_weights(path)
    np.testing.assert_array_equal(model.get_weights()[0], kernel[::-1, ::-1])
    np.testing.assert_array_equal(model.get_weights()[1], bias)


@pytest.mark.parametrize('count, length', [(3, 10), (2000, 100), (1, 60000), (0, 0)])
def test_lists_of_names_larger_than_an_attribute(count, length, tmp_path):
    names = ['%0*d' % (length, number) for number in range(count)]
    with h5py.File(str(tmp_path / 'names.h5'), 'w') as file:
        hdf5.save_attributes(file, 'names', names)
    with h5py.File(str(tmp_path / 'names.h5'), 'r') as file:
        assert hdf5.load_attributes(file, 'names') == names
        assert all(len(names) * length > 64000 or name == 'names' for name in file.attrs)


def test_a_name_that_is_too_long(tmp_path):
    with h5py.File(str(tmp_path / 'names.h5'), 'w') as file:
        with pytest.raises(RuntimeError, match='A name of 70000 characters is too long'):
            hdf5.save_attributes(file, 'names', ['x' * 70000])


# --- errors -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('load', [load_model, lambda path: small_model().load_weights(path)])
def test_unreadable_files(load, tmp_path):
    whole = tmp_path / 'whole.h5'
    small_model().save(str(whole))
    content = whole.read_bytes()
    cases = {'truncated.h5': content[:len(content) // 2], 'empty.h5': b'', 'text.h5': b'not HDF5 at all' * 100}
    for name, broken in cases.items():
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(OSError, match=name + '.* (cannot be read as an HDF5 file.*|is damaged or was )cut short'):
            load(str(tmp_path / name))
    with pytest.raises(FileNotFoundError, match='There is no file .*missing.h5'):
        load(str(tmp_path / 'missing.h5'))
    (tmp_path / 'zip.keras').write_bytes(b'PK\x03\x04' + bytes(100))
    with pytest.raises(OSError, match='zip.keras cannot be read as a zip archive'):
        load(str(tmp_path / 'zip.keras'))
    with pytest.raises(ValueError, match='Expected a path.*Received: 3'):
        load(3)


def test_model_from_a_file_of_weights(tmp_path):
    small_model().save_weights(str(tmp_path / 'weights.h5'))
    with pytest.raises(ValueError, match='holds no model, only weights.*load_weights'):
        load_model(str(tmp_path / 'weights.h5'))


def test_damaged_weights_are_reported(tmp_path):
    path = str(tmp_path / 'weights.h5')
    small_model().save_weights(path)
    with h5py.File(path, 'r+') as file:
        del file['first']['first/kernel:0']
    with pytest.raises(OSError, match='weights in /first of .*weights.h5 cannot be read.*damaged'):
        small_model().load_weights(path)


def test_unbuilt_models(tmp_path):
    unbuilt = Sequential([layers.Dense(3)])
    with pytest.raises(ValueError, match='no weights yet'):
        unbuilt.save_weights(str(tmp_path / 'weights.h5'))
    small_model().save_weights(str(tmp_path / 'weights.h5'))
    with pytest.raises(ValueError, match='no weights yet'):
        unbuilt.load_weights(str(tmp_path / 'weights.h5'))


class BrokenConfig(layers.Dense):
    def get_config(self):
        return dict(super().get_config(), helper=object())


def test_failed_save_leaves_the_existing_file(tmp_path, monkeypatch):
    path = tmp_path / 'model.h5'
    small_model().save(str(path))
    before = path.read_bytes()
    with pytest.raises(TypeError, match='get_config'):
        Sequential([BrokenConfig(2, input_shape=(3,))]).save(str(path))
    assert path.read_bytes() == before

    def fail(*args):
        raise OSError('no space left on device')
    monkeypatch.setattr(hdf5, '_save_weights', fail)
    with pytest.raises(OSError, match='no space left'):
        small_model().save(str(path))
    with pytest.raises(OSError, match='no space left'):
        small_model().save_weights(str(path))
    assert path.read_bytes() == before
    assert os.listdir(str(tmp_path)) == ['model.h5']


def test_save_through_a_link_keeps_link_and_mode(tmp_path):
    target, link = tmp_path / 'real.h5', tmp_path / 'link.h5'
    small_model().save(str(target))
    target.chmod(0o640)
    link.symlink_to(target)
    small_model().save(str(link))
    assert link.is_symlink() and target.stat().st_mode & 0o777 == 0o640


def test_overwrite_asks(tmp_path, monkeypatch):
    path = tmp_path / 'model.h5'
    small_model().save(str(path), overwrite=False)
    before, answers = path.read_bytes(), iter(['perhaps', 'n', 'y'])
    monkeypatch.setattr('builtins.input', lambda question: next(answers))
    small_model().save(str(path), overwrite=False)
    assert path.read_bytes() == before
    small_model().save(str(path), overwrite=False)
    assert path.read_bytes() != before


def keras_3_weights(path, sizes):
    """A file of weights as Keras 3 writes it, of dense layers with those inputs and outputs."""
    with h5py.File(path, 'w') as file:
        names = ['dense'] + ['dense_%d' % number for number in range(1, len(sizes))]
        file.attrs['layer_names'] = [name.encode() for name in names]
        file.attrs['backend'], file.attrs['keras_version'] = 'jax', '3.15.1'
        for name, (inputs, units) in zip(names, sizes):
            group = file.create_group(name)
            group.attrs['weight_names'] = [b'kernel', b'bias']
            group['kernel'] = np.full((inputs, units), len(name), 'float32')
            group['bias'] = np.zeros(units, 'float32')


def test_automatic_names_of_keras_3_are_counted_from_zero(tmp_path):
    path = str(tmp_path / 'weights.h5')
    keras_3_weights(path, [(3, 3), (3, 3)])
    model = keras.Sequential([keras.layers.Dense(3, input_shape=(3,), name='dense_1'),
                              keras.layers.Dense(3, name='dense_2')])
    model.load_weights(path, by_name=True)
    assert [float(layer.kernel.numpy()[0, 0]) for layer in model.layers] == [5, 7]
    keras_3_weights(path, [(3, 3), (3, 3), (3, 3)])
    with pytest.raises(ValueError, match='counted from another number'):
        model.load_weights(path, by_name=True)
    with keras.config.generation(3):
        model = keras.Sequential([keras.layers.Dense(3, input_shape=(3,), name='dense_1')])
    model.load_weights(path, by_name=True)
    assert float(model.layers[0].kernel.numpy()[0, 0]) == 7


@pytest.mark.on('numpy')
def test_files_for_tf_keras_say_which_accuracy_it_is(tmp_path):
    """tf.keras 2.4.4 reads 'accuracy' in a file as the share of equal numbers: with 0.33 here it evaluates to 0."""
    with keras.config.generation('tf'):
        x = keras.Input((4,))
        model = keras.Model(x, [keras.layers.Dense(3, activation='softmax', name='p')(x),
                                keras.layers.Dense(1, name='q')(x)])
        model.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 5)),
                      ['sparse_categorical_crossentropy', 'mse'], metrics={'p': 'accuracy', 'q': ['mae', 'acc']})
        path = str(tmp_path / 'model.h5')
        model.save(path)
    with h5py.File(path, 'r') as file:
        found = json.loads(file.attrs['training_config'])

    def told(name, function):
        return {'class_name': 'MeanMetricWrapper', 'config': {'name': name, 'dtype': 'float32', 'fn': function}}
    assert found['metrics'] == {'p': told('accuracy', 'sparse_categorical_accuracy'),
                                'q': ['mae', told('acc', 'binary_accuracy')]}
    assert sorted(found['optimizer_config']['config']['learning_rate']['config']) == [
        'alpha', 'decay_steps', 'initial_learning_rate', 'name']
    again = keras.models.load_model(path)
    data = np.ones((2, 4), 'float32'), [np.zeros((2, 1)), np.zeros((2, 1))]
    with keras.config.generation('tf'):
        assert sorted(again.evaluate(*data, verbose=0, return_dict=True)) == sorted(
            model.evaluate(*data, verbose=0, return_dict=True))
