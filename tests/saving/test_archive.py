"""`.keras` and `.weights.h5`: the layout of Keras 3, and what is saved comes back."""
import io
import json
import os
import zipfile

import h5py
import numpy as np
import pytest

import keras
from keras import layers

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(8, 4)).astype('float32')
Y = RANDOM.normal(size=(8, 6)).astype('float32')


def layout(source):
    """{path: shape} of the arrays in an HDF5 file."""
    found = {}
    with h5py.File(source, 'r') as file:
        file.visititems(lambda name, item: found.update({name: item.shape}) if hasattr(item, 'shape') else None)
    return found


def weights_of(path):
    return io.BytesIO(zipfile.ZipFile(str(path)).read('model.weights.h5'))


def mixed_model():
    """One of each kind of place for weights: plain, nested, wrapped, in cells."""
    inputs = keras.Input((4,), name='in')
    x = layers.Dense(3, activation='relu')(inputs)
    x = layers.BatchNormalization()(layers.Dropout(0.5)(x))
    x = keras.Sequential([layers.Dense(5, input_shape=(3,)), layers.Dense(2)])(x)
    x = layers.Bidirectional(layers.LSTM(3))(layers.Reshape((1, 2))(x))
    return keras.Model(inputs, x)


def of_vars(path, *shapes):
    return {'%s/vars/%d' % (path, number): shape for number, shape in enumerate(shapes)}


# The groups and shapes in the file that Keras 3.15.1 writes for this model.
OF_MIXED_MODEL = dict(of_vars('layers/dense', (4, 3), (3,)))
OF_MIXED_MODEL.update(of_vars('layers/batch_normalization', (3,), (3,), (3,), (3,)))
OF_MIXED_MODEL.update(of_vars('layers/sequential/layers/dense', (3, 5), (5,)))
OF_MIXED_MODEL.update(of_vars('layers/sequential/layers/dense_1', (5, 2), (2,)))
OF_MIXED_MODEL.update(of_vars('layers/bidirectional/backward_layer/cell', (2, 12), (3, 12), (12,)))
OF_MIXED_MODEL.update(of_vars('layers/bidirectional/forward_layer/cell', (2, 12), (3, 12), (12,)))


def test_layout_of_weights(tmp_path):
    mixed_model().save_weights(str(tmp_path / 'x.weights.h5'))
    ours = layout(str(tmp_path / 'x.weights.h5'))
    assert {path: shape for path, shape in ours.items() if 'seed_generator' not in path} == OF_MIXED_MODEL
    assert 'layers/dropout/seed_generator/vars/0' in ours


def test_members_of_the_archive(tmp_path):
    mixed_model().save(str(tmp_path / 'x.keras'))
    archive = zipfile.ZipFile(str(tmp_path / 'x.keras'))
    assert archive.namelist() == ['metadata.json', 'config.json', 'model.weights.h5']
    assert json.loads(archive.read('metadata.json').decode())['keras_version'].startswith('3.')
    config = json.loads(archive.read('config.json').decode())
    assert (config['module'], config['class_name']) == ('keras.src.models.functional', 'Functional')
    dense = config['config']['layers'][1]
    assert (dense['module'], dense['registered_name'], dense['build_config']) == (
        'keras.layers', None, {'input_shape': [None, 4]})
    assert dense['inbound_nodes'] == [{'kwargs': {}, 'args': [{'class_name': '__keras_tensor__', 'config': {
        'shape': [None, 4], 'dtype': 'float32', 'keras_history': ['in', 0, 0]}}]}]


@pytest.mark.needs_gradients
@pytest.mark.parametrize('suffix', ['.keras', '.h5'])
def test_training_goes_on(suffix, tmp_path):
    """Dropout draws on, the optimizer's state is there: the same as without saving in between."""
    model = mixed_model()
    model.compile('adam', 'mse', metrics=['mae'])
    for _ in range(2):
        model.train_on_batch(X, Y)
    model.save(str(tmp_path / ('x' + suffix)))
    loaded = keras.models.load_model(str(tmp_path / ('x' + suffix)))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    for _ in range(2):
        np.testing.assert_allclose(loaded.train_on_batch(X, Y), model.train_on_batch(X, Y), rtol=1e-6)


def test_misfits_change_nothing(tmp_path):
    path = str(tmp_path / 'x.weights.h5')
    keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(2, name='last')]).save_weights(path)
    model = keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(5, name='other')])
    before = model.get_weights()
    with pytest.raises(ValueError, match=r'Layer other: weight .* has shape \(3, 5\), the file has \(3, 2\)'):
        model.load_weights(path)
    for left, right in zip(before, model.get_weights()):
        np.testing.assert_array_equal(left, right)
    with pytest.warns(UserWarning, match='Skipping loading'):
        model.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(before[2], model.get_weights()[2])
    assert np.any(before[0] != model.get_weights()[0])


@pytest.mark.needs_gradients
def test_a_run_that_is_saved_and_loaded_in_between_is_the_same(tmp_path):
    """Shuffling, dropout and the optimizer go on as if nothing had been saved."""
    losses = []
    for uninterrupted in (True, False):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Dense(8, input_shape=(4,)), layers.GaussianNoise(0.2), layers.Dropout(0.5),
                                  layers.Dense(6)])
        model.compile('rmsprop', 'mse')
        model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
        if not uninterrupted:
            model.save(str(tmp_path / 'x.keras'))
            model = keras.models.load_model(str(tmp_path / 'x.keras'))
        losses.append(model.fit(X, Y, batch_size=2, epochs=2, verbose=0).history['loss'])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('changed', [{'config.json': None}, {'metadata.json': None}, {'model.weights.h5': None},
                                     {'config.json': 'null'}, {'metadata.json': '[3]'}, {'config.json': '[]'}])
def test_archives_that_lack_something(changed, tmp_path):
    path, other = str(tmp_path / 'whole.keras'), str(tmp_path / 'part.keras')
    keras.Sequential([layers.Dense(2, input_shape=(3,))]).save(path)
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(other, 'w') as part:
        for name in whole.namelist():
            if changed.get(name, name) is not None:
                part.writestr(name, changed.get(name) or whole.read(name))
    with pytest.raises(ValueError, match=next(iter(changed))):
        keras.models.load_model(other)


@pytest.mark.on('numpy')
def test_a_vocabulary_with_a_word_twice(tmp_path):
    path, other = str(tmp_path / 'whole.keras'), str(tmp_path / 'changed.keras')
    layer = layers.StringLookup()
    model = keras.Sequential([keras.Input((1,), dtype='string'), layer])
    layer.set_vocabulary(['a', 'b'])
    model.save(path)
    assert keras.models.load_model(path).layers[-1].get_vocabulary() == ['[UNK]', 'a', 'b']
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(other, 'w') as changed:
        for name in whole.namelist():
            changed.writestr(name, whole.read(name).replace(b'b', b'a') if 'vocabulary' in name else whole.read(name))
    with pytest.raises(ValueError, match='repeated'):
        keras.models.load_model(other)


@pytest.mark.on('numpy')
def test_what_means_something_else_in_keras_3_is_said(tmp_path, recwarn):
    path = str(tmp_path / 'model.keras')
    made = [layers.Input((4, 4, 1)), layers.UpSampling2D(2, interpolation='bilinear'), layers.Flatten(),
            layers.Dense(2, activation='hard_sigmoid', name='gate'), layers.Resizing(2, 2, interpolation='bilinear')]
    keras.Sequential(made[:4]).save(path)
    said = [str(warning.message) for warning in recwarn if 'Keras 3' in str(warning.message)]
    assert len(said) == 2 and 'bilinear' in said[0] and "gate: activation='hard_sigmoid'" in said[1]
    recwarn.clear()
    keras.Sequential([made[0], made[4]]).save(path)
    with keras.config.generation(3):
        keras.Sequential([layers.Input((3,)), layers.Dense(2, activation='hard_sigmoid')]).save(path)
    assert not [warning for warning in recwarn if 'Keras 3' in str(warning.message)]


@pytest.mark.on('numpy')
def test_the_place_of_grouped_attention(tmp_path):
    path = str(tmp_path / 'model.keras')
    x = keras.Input((6, 4))
    keras.Model(x, layers.GroupQueryAttention(2, 4, 2)(x, x)).save(path)
    assert 'layers/grouped_query_attention/_key_dense/vars/0' in layout(weights_of(path))


@pytest.mark.on('numpy')
@pytest.mark.parametrize('name', ['m.keras', 'm.h5'])
def test_outputs_of_nested_models_stay_apart(tmp_path, name):
    """Keras 3 counts the calls of a nested model from 1 in `output_layers`, and from 0 elsewhere."""
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, layers.Dense(3)(inner_input), name='inner')
    first, second = keras.Input((4,)), keras.Input((4,))
    outputs = [inner(first), inner(second)]
    model = keras.Model([first, second], outputs + [layers.Subtract()(outputs)])
    model.save(str(tmp_path / name))
    loaded = keras.models.load_model(str(tmp_path / name), compile=False)
    for ours, theirs in zip(model.predict([X, -X]), loaded.predict([X, -X])):
        np.testing.assert_array_equal(ours, theirs)
    if name == 'm.keras':
        config = json.loads(zipfile.ZipFile(str(tmp_path / name)).read('config.json').decode())['config']
        assert config['output_layers'][:2] == [['inner', 1, 0], ['inner', 2, 0]]


@pytest.mark.on('numpy')
def test_weights_of_a_model_without_any(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.ReLU()])
    model.save_weights(str(tmp_path / 'm.weights.h5'))
    model.load_weights(str(tmp_path / 'm.weights.h5'))


@pytest.mark.on('torch')
def test_bfloat16_as_keras_3_has_it(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype='bfloat16')])
    model.save_weights(str(tmp_path / 'm.weights.h5'))
    with h5py.File(str(tmp_path / 'm.weights.h5'), 'r') as file:
        kernel = file['layers/dense/vars/0']
        assert (kernel.dtype.str, kernel.attrs['dtype']) == ('|V2', 'bfloat16')
        bits = kernel[()].view('u2').astype('u4')
    expected = (bits << 16).view('f4')
    np.testing.assert_array_equal(model.get_weights()[0], expected)
    model.set_weights([0 * weight for weight in model.get_weights()])
    model.load_weights(str(tmp_path / 'm.weights.h5'))
    np.testing.assert_array_equal(model.get_weights()[0], expected)


@pytest.mark.on('numpy')
def test_objects_to_skip_are_left_out_and_left_as_they_are(tmp_path):
    """KerasHub saves the weights of a task without its backbone's so."""
    def made():
        x = keras.Input((2,))
        base = keras.Model(x, layers.Dense(3, name='inner')(x), name='base')
        return base, keras.Model(x, layers.Dense(1, name='head')(base(x)))

    path = str(tmp_path / 'head.weights.h5')
    base, model = made()
    keras.saving.save_weights(model, path, objects_to_skip=[base] + base.layers)
    with h5py.File(path, 'r') as file:
        names = []
        file.visit(names.append)
    other_base, other = made()
    kept = other_base.get_weights()
    keras.saving.load_weights(other, path, objects_to_skip=[other_base] + other_base.layers)
    assert [name for name in names if 'vars/0' in name] == ['layers/dense/vars/0']
    assert all(map(np.array_equal, other_base.get_weights(), kept))
    assert np.array_equal(other.get_weights()[2], model.get_weights()[2])
    with pytest.raises(ValueError, match='.weights.h5'):
        keras.saving.save_weights(model, str(tmp_path / 'model.h5'), objects_to_skip=[base])


@pytest.mark.on('numpy')
def test_safe_mode_is_that_of_reading(tmp_path):
    """As in Keras 3: objects that read files themselves may do so when they are made, not when a config says which."""
    seen = []

    @keras.saving.register_keras_serializable('tests')
    class Reader(layers.Layer):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            seen.append(keras.saving.in_safe_mode())

        def call(self, x):
            return x

        def save_assets(self, folder):
            with open(os.path.join(folder, 'words.txt'), 'w') as file:
                file.write('one')

        def load_assets(self, folder):
            seen.append(keras.saving.in_safe_mode())

    model = keras.Sequential([keras.Input((2,)), Reader()])
    model.save(str(tmp_path / 'model.keras'))
    keras.models.load_model(str(tmp_path / 'model.keras'))
    keras.models.load_model(str(tmp_path / 'model.keras'), safe_mode=False)
    keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Reader()))
    assert seen == [False, True, False, False, False, False, True]


@pytest.mark.on('numpy')
def test_errors_of_users_code_are_their_own(tmp_path):
    class Raising(layers.Layer):
        def call(self, x):
            return x

        def save_own_variables(self, store):
            store['0'] = np.zeros(2)

        def load_own_variables(self, store):
            raise TypeError('a mistake of mine')

    model = keras.Sequential([keras.Input((2,)), Raising()])
    for name in ('a.keras', 'a.weights.h5'):
        getattr(model, 'save' if name == 'a.keras' else 'save_weights')(str(tmp_path / name))
        with pytest.raises(TypeError, match='^a mistake of mine'):
            model.load_weights(str(tmp_path / name))
    with pytest.raises(TypeError, match='^a mistake of mine'):
        keras.models.load_model(str(tmp_path / 'a.keras'), {'Raising': Raising})


@keras.saving.register_keras_serializable('tests')
class OfSeveral(keras.models.Model):
    """Built by hand for several inputs, as approximators of BayesFlow are."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = {'a': keras.layers.Dense(2), 'b': keras.layers.Dense(3)}

    def build(self, shapes):
        for name, part in self.parts.items():
            part.build(shapes[name])
        self.built = True

    def call(self, inputs):
        return {name: part(inputs[name]) for name, part in self.parts.items()}

    def get_config(self):
        return {'name': self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


@pytest.mark.on('numpy')
def test_a_model_that_was_built_by_hand_is_built_again(tmp_path):
    path, model = str(tmp_path / 'model.keras'), OfSeveral()
    model.build({'a': (None, 4), 'b': (None, 5)})
    model.save(path)
    found = keras.models.load_model(path)
    for old, new in zip(model.get_weights(), found.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert [weight.shape for weight in found.get_weights()] == [(4, 2), (2,), (5, 3), (3,)]
