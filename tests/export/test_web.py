"""Layers models of TensorFlow.js, run by it under Node; OpenVINO."""
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('numpy')
LIBRARY = os.path.join(sys.prefix, 'tfjs', 'tf.min.js')
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'layers_models.js')
has_tfjs = pytest.mark.skipif(shutil.which('node') is None or not os.path.isfile(LIBRARY),
                              reason='no Node, or no %s: sh docker/install-tfjs.sh installs it' % LIBRARY)


def models():
    yield 'dense', keras.Sequential([
        layers.Dense(4, activation='relu', input_shape=(5,)), layers.BatchNormalization(), layers.PReLU(),
        layers.Dropout(0.5), layers.Dense(2, activation='softmax')])
    yield 'images', keras.Sequential([
        layers.Conv2D(4, 3, input_shape=(8, 8, 3), padding='same', strides=2), layers.MaxPooling2D(),
        layers.SeparableConv2D(3, 2), layers.Flatten(), layers.Dense(2)])
    yield 'sequences', keras.Sequential([
        layers.Embedding(9, 4, input_length=6), layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.GRU(4, return_sequences=True), layers.TimeDistributed(layers.Dense(2)), layers.SimpleRNN(3)])
    yield 'cells', keras.Sequential([layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], input_shape=(4, 2))])
    yield 'films', keras.Sequential([
        layers.ConvLSTM2D(2, 3, input_shape=(3, 6, 6, 1), padding='same'), layers.Conv2DTranspose(2, 3),
        layers.DepthwiseConv2D(2), layers.LayerNormalization(), layers.UpSampling2D(), layers.Cropping2D(1),
        layers.ZeroPadding2D(1), layers.GlobalAveragePooling2D()])
    first, second = keras.Input((5,)), keras.Input((5,))
    inner = keras.Sequential([layers.Dense(4, input_shape=(5,))])
    yield 'nested', keras.Model([first, second], [layers.Concatenate()([inner(first), inner(second)]),
                                                  layers.Dense(1)(first)])


def data_for(model, name):
    draw = np.random.RandomState(0)
    for weight in model.weights:
        weight.assign(draw.rand(*weight.shape) - (0.0 if weight.path.endswith('variance') else 0.3))
    return [draw.randint(0, 9, (2,) + tuple(x.shape[1:])).astype('float32') / (1 if name == 'sequences' else 9)
            for x in model.inputs]


def predicted(model, inputs):
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0])
    return outputs if isinstance(outputs, list) else [outputs]


@has_tfjs
def test_tfjs_predicts_the_same(tmp_path):
    expected = {}
    for name, model in models():
        folder = tmp_path / name
        folder.mkdir()
        inputs = data_for(model, name)
        model.export(str(folder / 'model'), format='tfjs', weight_shard_size_bytes=200)
        (folder / 'inputs.json').write_text(json.dumps([x.tolist() for x in inputs]))
        expected[name] = predicted(model, inputs)
    done = subprocess.run(['node', SCRIPT, LIBRARY, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120)
    assert done.returncode == 0, done.stdout.decode()
    for name, outputs in expected.items():
        found = json.loads((tmp_path / name / 'outputs.json').read_text())
        assert len(found) == len(outputs)
        for ours, theirs in zip(outputs, found):
            np.testing.assert_allclose(np.array(theirs), ours, rtol=1e-4, atol=1e-5, err_msg=name)


def test_the_files_of_a_layers_model(tmp_path):
    """By the description of the format: a manifest whose weights follow each other in the shards."""
    model = keras.Sequential([layers.Dense(2, input_shape=(3,), name='only')])
    path = str(tmp_path / 'new' / 'model')
    model.export(path, format='tfjs', weight_shard_size_bytes=16)
    assert sorted(os.listdir(path)) == ['group1-shard1of2.bin', 'group1-shard2of2.bin', 'model.json']
    with open(os.path.join(path, 'model.json')) as file:
        description = json.load(file)
    assert description['format'] == 'layers-model'
    group, = description['weightsManifest']
    assert [(one['name'], one['shape'], one['dtype']) for one in group['weights']] == [
        ('only/kernel', [3, 2], 'float32'), ('only/bias', [2], 'float32')]
    content = b''.join(open(os.path.join(path, name), 'rb').read() for name in group['paths'])
    np.testing.assert_array_equal(np.frombuffer(content, 'float32'),
                                  np.concatenate([weight.reshape(-1) for weight in model.get_weights()]))


@pytest.mark.parametrize('layer, word', [
    (layers.Lambda(lambda x: x), 'no layer Lambda'), (layers.GRU(2, reset_after=True), 'reset_after=False only'),
    (layers.TimeDistributed(layers.Lambda(lambda x: x)), 'no layer Lambda'),
    (layers.Dense(2, activation='exponential'), "no activation 'exponential'")])
def test_what_tfjs_lacks_is_named(layer, word, tmp_path):
    model = keras.Sequential([keras.Input((4, 3)), layer])
    with pytest.raises(NotImplementedError, match=word):
        model.export(str(tmp_path / 'model'), format='tfjs')
    assert not (tmp_path / 'model').exists()


def test_tfjs_refuses_operations_and_code(tmp_path):
    x = keras.Input((3,))
    with pytest.raises(NotImplementedError, match="operation 'multiply' outside of layers"):
        keras.Model(x, layers.Dense(2)(x) * 2.0).export(str(tmp_path / 'model'), format='tfjs')

    class Own(keras.Model):
        def call(self, x):
            return x
    own = Own()
    own.predict(np.ones((2, 3)))
    with pytest.raises(NotImplementedError, match='Python code'):
        own.export(str(tmp_path / 'model'), format='tfjs')
    with keras.config.generation(3):
        model = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation='hard_sigmoid')])
        with pytest.raises(NotImplementedError, match="'hard_sigmoid' as this model means it"):
            model.export(str(tmp_path / 'model'), format='tfjs')


def test_openvino(tmp_path):
    openvino = pytest.importorskip('openvino')
    pytest.importorskip('onnx')
    for name, model in list(models())[:3]:
        path = str(tmp_path / (name + '.xml'))
        inputs = data_for(model, name)
        model.export(path, format='openvino')
        # Where the processor has bfloat16, OpenVINO would compute in it.
        found = openvino.compile_model(path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})(inputs)
        for ours, theirs in zip(predicted(model, inputs), found.values()):
            np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-5, err_msg=name)
    with pytest.raises(ValueError, match='ends in .xml'):
        model.export(str(tmp_path / 'model'), format='openvino')
