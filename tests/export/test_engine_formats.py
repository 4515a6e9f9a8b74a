"""Formats that an engine's own library runs: SavedModel, TensorFlow Lite, StableHLO, torch.export."""
import copy
import sys

import numpy as np
import pytest

import keras
from keras import layers
from keras.backend.contract.loading import engine_name, get_engine

ENGINE = engine_name()
draw = np.random.RandomState(0)


def models_and_inputs():
    yield 'mlp', draw.rand(4, 5).astype('float32'), [
        layers.Dense(8, activation='relu', input_shape=(5,)), layers.Dropout(0.5), layers.Dense(3)]
    yield 'images', draw.rand(3, 12, 12, 3).astype('float32'), [
        layers.Conv2D(4, 3, padding='same', strides=2, activation='relu', input_shape=(12, 12, 3)),
        layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3)]
    yield 'sequences', draw.randint(0, 9, (3, 6)).astype('float32'), [
        layers.Embedding(9, 4, mask_zero=True, input_length=6), layers.Bidirectional(layers.LSTM(3)), layers.Dense(2)]


# Beside MXNet, which other tests of this process load, that TensorFlow may not have been imported.
pytestmark = pytest.mark.skipif(sys.version_info < (3, 7) and ENGINE == 'numpy',
                                reason='an old TensorFlow would keep MXNet from being loaded')

NAMES = ['mlp', 'images', 'sequences']
every_model = pytest.mark.parametrize('name, data, parts', list(models_and_inputs()), ids=NAMES)


def saved_model(path):
    import tensorflow as tf
    loaded = tf.saved_model.load(path)
    # The variables live as long as what was loaded.
    return lambda x: (loaded, loaded.serve(x))[1].numpy()


def tflite(path):
    with open(path, 'rb') as file:
        return interpreted(file.read())


def interpreted(content):
    import tensorflow as tf
    interpreter = tf.lite.Interpreter(model_content=content)

    def run(x):
        given, = interpreter.get_input_details()
        interpreter.resize_tensor_input(given['index'], x.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given['index'], x)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]['index'])
    return run


def stablehlo(path):
    from jax import export
    with open(path, 'rb') as file:
        exported = export.deserialize(bytearray(file.read()))
    return lambda x: np.asarray(exported.call(x))


def program(path):
    import torch
    module = torch.export.load(path).module()
    return lambda x: module(torch.from_numpy(x)).detach().numpy()


# 'litert' is another name for 'tflite'.
RUNTIMES = {'tensorflow': [('tf_saved_model', saved_model), ('tflite', tflite)],
            'jax': [('stablehlo', stablehlo)], 'torch': [('torch', program)]}
# The engine without a format of its own has those of all the others checked.
FORMATS = RUNTIMES.get(ENGINE, []) if ENGINE != 'numpy' else [pair for pairs in RUNTIMES.values() for pair in pairs]
here = pytest.mark.parametrize('format, runtime', FORMATS, ids=lambda value: str(value)[:14])


@here
@every_model
def test_runs_as_the_model_predicts(name, data, parts, format, runtime, tmp_path):
    pytest.importorskip({'stablehlo': 'jax', 'torch': 'torch'}.get(format, 'tensorflow'))
    model = keras.Sequential(parts)
    expected = model.predict(data)
    path = str(tmp_path / 'model.pt2')
    model.export(path, format=format)
    run = runtime(path)
    for batch in (slice(None), slice(0, 1)):
        np.testing.assert_allclose(run(data[batch]), expected[batch], rtol=1e-4, atol=1e-5)


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr('keras.export.by_engine.is_installed', lambda module: False)
    model = keras.Sequential([layers.Dense(2, input_shape=(3,))])
    for format in [format for name, formats in RUNTIMES.items() if name != ENGINE for format, _ in formats]:
        with pytest.raises(ImportError, match='which is not installed: pip install'):
            model.export(str(tmp_path / 'model'), format=format)
    assert sorted(format for format, _ in RUNTIMES.get(ENGINE, [])) == sorted(set(get_engine().exporters) - {'litert'})


@pytest.mark.on('torch')
def test_an_open_size_that_cannot_be(tmp_path):
    model = keras.Sequential([layers.LSTM(2, input_shape=(None, 3))])
    with pytest.raises(NotImplementedError, match='input_signature='):
        model.export(str(tmp_path / 'a'), format='torch')
    model.export(str(tmp_path / 'a'), format='torch', input_signature=[keras.InputSpec(shape=(None, 4, 3))])


class Doubled(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, inputs):
        return 2.0 * self.dense(inputs)


@pytest.mark.on('torch')
def test_a_model_of_python_code_tells_what_it_was_built_for(tmp_path):
    import torch
    model, data = Doubled(), np.ones((3, 4), 'float32')
    model.build((None, 4))
    assert model.get_build_config() == {'input_shape': [None, 4]}
    path = str(tmp_path / 'a.pt2')
    model.export(path, format='torch', dynamic_shapes={0: torch.export.Dim('rows', min=1, max=9)})
    np.testing.assert_allclose(program(path)(data), model.predict(data, verbose=0), rtol=1e-5)
    with pytest.raises(ValueError, match='Unsupported arguments for `format="torch"`'):
        model.export(path, format='torch', depth=3)


class Scaled(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, inputs, training=None):
        return {'scaled': self.dense(inputs['x']) * inputs['y'], 'training': inputs['y'] if training else inputs['x']}


# --- TensorFlow -------------------------------------------------------------------------------------------------------

on_tensorflow = pytest.mark.on('tensorflow')
on_two = pytest.mark.on('tensorflow', 'numpy')


@on_tensorflow
@every_model
def test_the_converter_takes_models(name, data, parts):
    import tensorflow as tf
    if name == 'sequences' and tf.__version__.startswith('2.4.'):
        pytest.skip('that release asks its own Keras, not the registered one, what runs around the call')
    model = keras.Sequential(parts)
    run = interpreted(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    for batch in (slice(None), slice(0, 1)):
        np.testing.assert_allclose(run(data[batch]), model.predict(data[batch]), rtol=1e-4, atol=1e-5)


@on_two
def test_signatures_of_a_saved_model(tmp_path):
    tf = pytest.importorskip('tensorflow')
    model = Scaled()
    data = {'x': draw.rand(2, 2).astype('float32'), 'y': draw.rand(2, 2).astype('float32')}
    expected = model.predict(data)
    path = str(tmp_path / 'folder')
    model.export(path, verbose=False)
    loaded = tf.saved_model.load(path)
    found = loaded.serve({name: tf.constant(x) for name, x in data.items()})
    assert sorted(found) == ['scaled', 'training']
    np.testing.assert_allclose(found['scaled'], expected['scaled'], rtol=1e-5)
    np.testing.assert_allclose(found['training'], data['x'])  # for inference
    assert sorted(loaded.signatures['serving_default'].structured_outputs) == ['scaled', 'training']


@on_two
def test_archives(tmp_path):
    tf = pytest.importorskip('tensorflow')
    model = keras.Sequential([layers.Dense(2, input_shape=(3,)), layers.BatchNormalization()])
    x = draw.rand(4, 3).astype('float32')
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint('serve', lambda x: model(x, training=False), [keras.InputSpec(shape=(None, 3))])
    if ENGINE == 'tensorflow':
        archive.add_endpoint('twice', tf.function(lambda x: model(x, training=False) * 2,
                                                  input_signature=[tf.TensorSpec((None, 3))]))
    else:
        archive.add_endpoint('twice', lambda x: model(x, training=False) * 2, [tf.TensorSpec((None, 3))])
    archive.add_variable_collection('kernels', [model.layers[0].kernel])
    assert len(archive.variables) == 6 and len(archive.non_trainable_variables) == 2
    path = str(tmp_path / 'folder')
    archive.write_out(path, verbose=False)
    loaded = tf.saved_model.load(path)
    expected = model.predict(x)
    np.testing.assert_allclose(loaded.serve(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loaded.twice(x), 2 * expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(loaded.kernels[0].numpy(), model.layers[0].kernel.numpy())
    assert sorted(loaded.signatures) == ['serve', 'serving_default', 'twice']
    assert [len(getattr(loaded, name)) for name in ('variables', 'trainable_variables')] == [6, 4]


class Counting(layers.Layer):
    def build(self, input_shape):
        self.n = self.add_weight(shape=(), initializer='zeros', trainable=False, name='n')
        super().build(input_shape)

    def call(self, inputs):
        self.n.assign(self.n + 1.0)
        return inputs * self.n


class AlwaysDropping(layers.Dropout):
    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


@on_two
def test_states_and_random_numbers_of_a_saved_model(tmp_path):
    tf = pytest.importorskip('tensorflow')
    x = np.ones((2, 500), 'float32')
    model = keras.Sequential([keras.Input((500,)), Counting()])
    model.export(str(tmp_path / 'a'), verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / 'a'))
    assert [loaded.serve(x).numpy()[0, 0] for _ in range(3)] == [1, 2, 3]
    keras.Sequential([keras.Input((500,)), AlwaysDropping(0.5)]).export(str(tmp_path / 'b'), verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / 'b'))
    first, second = [loaded.serve(x).numpy() for _ in range(2)]
    assert np.abs(first - second).max() > 0 and 0.4 < (first == 0).mean() < 0.6
    with pytest.raises(NotImplementedError, match='assigns to .*n when it runs'):
        model.export(str(tmp_path / 'c'), format='tflite')


@on_two
def test_archives_track_by_themselves(tmp_path):
    tf = pytest.importorskip('tensorflow')
    layer, x = layers.MultiHeadAttention(2, 2), draw.rand(3, 2, 4).astype('float32')
    expected = np.asarray(layer(x, x))
    archive = keras.export.ExportArchive()
    archive.add_endpoint('attend', layer.call, [keras.InputSpec(shape=(None, 2, 4))] * 2)
    archive.write_out(str(tmp_path / 'a'), verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / 'a'))
    for found in (loaded.attend(x, x), loaded.attend(query=x, value=x)):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.on('jax')
def test_what_keras_3_says_to_jax2tf(tmp_path):
    x, model = np.ones((2, 3), 'float32'), keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    arguments = {'enable_xla': True, 'native_serialization_platforms': ('cpu', 'tpu')}
    model.export(str(tmp_path / 'a'), 'tf_saved_model', verbose=False, is_static=True, jax2tf_kwargs=arguments)
    np.testing.assert_allclose(saved_model(str(tmp_path / 'a'))(x), model.predict(x, verbose=0), rtol=1e-5)
    signature = [keras.InputSpec(shape=(None, 3), dtype='float32')]
    count = keras.Variable(0.0)

    def counting(x):
        count.assign_add(1.0)
        return x
    for said, given in [('native_serialization_platforms.*bogus', {'jax2tf_kwargs': dict(
            arguments, native_serialization_platforms=('bogus',))}), ('what', {'jax2tf_kwargs': {'what': 1}}),
            ('is_static', {'is_static': 3})]:
        with pytest.raises(ValueError, match=said):
            keras.export.ExportArchive().add_endpoint('call', counting, signature, **given)
    with pytest.raises(NotImplementedError):
        keras.export.ExportArchive().add_endpoint('call', counting, signature, is_static=True)


@pytest.mark.on('tensorflow')
def test_what_keras_3_says_to_jax2tf_is_for_jax(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="does not take 'is_static'"):
        model.export(str(tmp_path / 'a'), 'tf_saved_model', is_static=True)


@on_two
def test_archives_refuse():
    pytest.importorskip('tensorflow')
    archive = keras.export.ExportArchive()
    with pytest.raises(ValueError, match='No endpoints have been set'):
        archive.write_out('nowhere')
    with pytest.raises(ValueError, match='not yet been built'):
        archive.track(layers.Dense(2))
    with pytest.raises(ValueError, match='Invalid resource type'):
        archive.track('model')
    with pytest.raises(ValueError, match='you must provide an `input_signature`'):
        archive.add_endpoint('serve', lambda x: x)
    archive.add_endpoint('serve', lambda x: x, [keras.InputSpec(shape=(None, 3))])
    with pytest.raises(ValueError, match="endpoint name 'serve' is already taken"):
        archive.add_endpoint('serve', lambda x: x, [keras.InputSpec(shape=(None, 3))])
    with pytest.raises(ValueError, match='to be a list'):
        archive.add_variable_collection('more', 3)


@on_tensorflow
def test_a_saved_model_as_a_layer(tmp_path):
    path = str(tmp_path / 'folder')
    model = keras.Sequential([layers.Dense(2, input_shape=(3,), activation='relu')])
    model.export(path, verbose=False)
    x = draw.rand(4, 3).astype('float32')
    for endpoint in ('serve', 'serving_default'):
        layer = layers.TFSMLayer(path, call_endpoint=endpoint)
        found = layer(x)
        found = found['output_0'] if endpoint == 'serving_default' else found
        np.testing.assert_allclose(found, model.predict(x), rtol=1e-5)
    whole = keras.Sequential([keras.Input((3,)), layers.TFSMLayer(path), layers.Dense(1)])
    assert whole.predict(x).shape == (4, 1) and len(whole.layers[0].trainable_weights) == 2
    config = whole.layers[0].get_config()
    assert layers.TFSMLayer.from_config(config, safe_mode=False).filepath == path
    assert copy.deepcopy(whole.layers[0]).filepath == path
    # A file that names a SavedModel is not to have it run.
    for load in (lambda: layers.TFSMLayer.from_config(config), lambda: keras.models.model_from_json(whole.to_json()),
                 lambda: layers.deserialize({'class_name': 'TFSMLayer', 'config': config})):
        with pytest.raises(ValueError, match='deserialization of a `TFSMLayer`'):
            load()
    assert keras.models.model_from_json(whole.to_json(), safe_mode=False).predict(x).shape == (4, 1)
    with pytest.raises(ValueError, match="endpoint 'other' is neither.*serve"):
        layers.TFSMLayer(path, call_endpoint='other')


@pytest.mark.on('jax')
@pytest.mark.parametrize('make', [
    lambda: layers.Conv2D(4, 3), lambda: layers.DepthwiseConv2D(3), lambda: layers.MaxPooling2D(2),
    lambda: layers.MaxPooling2D(3, 2, padding='same'), lambda: layers.AveragePooling2D(2),
    lambda: layers.AveragePooling2D(3, 2, padding='same')])
def test_pictures_of_any_size(make, tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, make()(inputs))
    model.export(str(tmp_path / 'model'), format='stablehlo')
    for shape in ((2, 7, 9, 3), (1, 12, 5, 3)):
        x = draw.rand(*shape).astype('float32')
        np.testing.assert_allclose(stablehlo(str(tmp_path / 'model'))(x), model.predict(x), rtol=1e-5)


@pytest.mark.parametrize('format, end', [('torch', '.pt2'), ('litert', '.tflite')])
def test_names_of_files_in_keras_3(tmp_path, format, end):
    if format not in keras.export.formats.available():
        pytest.skip('the library is not there')
    if format == 'torch':
        pytest.importorskip('torch')
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    with keras.config.generation(3), pytest.raises(ValueError, match='requires the filepath to end with .\\%s' % end):
        model.export(str(tmp_path / 'model.txt'), format=format)
    assert not (tmp_path / 'model.txt').exists()


@pytest.mark.on('tensorflow')
def test_a_saved_model_as_a_layer_takes_other_dtypes_of_numbers(tmp_path):
    model = keras.Sequential([keras.layers.Embedding(4, 2)])
    ids = np.array([[0, 3, 1]], 'int64')
    expected = model.predict(ids, verbose=0)
    model.export(str(tmp_path / 'saved'))
    layer = keras.layers.TFSMLayer(str(tmp_path / 'saved'))
    for dtype in ('int64', 'int32', 'float32'):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(keras.ops.cast(ids, dtype))), expected)
