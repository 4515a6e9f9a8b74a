"""ONNX of whole models, on every engine, against what the models predict."""
import numpy as np
import pytest

import keras
from keras import layers

runtime = pytest.importorskip('onnxruntime')
pytest.importorskip('onnx')


def models_and_inputs():
    draw = np.random.RandomState(0)
    images = draw.rand(3, 12, 12, 3).astype('float32')
    yield 'mlp', draw.rand(4, 5).astype('float32'), [
        layers.Dense(8, activation='relu', input_shape=(5,)), layers.Dropout(0.5),
        layers.Dense(3, activation='softmax')]
    yield 'images', images, [
        layers.Conv2D(8, 3, padding='same', strides=2, activation='relu', input_shape=(12, 12, 3)),
        layers.BatchNormalization(), layers.MaxPooling2D(), layers.SeparableConv2D(4, 2), layers.Flatten(),
        layers.Dense(3)]
    yield 'sequences', draw.randint(0, 9, (3, 6)).astype('float32'), [
        layers.Embedding(9, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.GRU(4), layers.Dense(2)]


@pytest.mark.parametrize('name, data, parts', list(models_and_inputs()), ids=['mlp', 'images', 'sequences'])
def test_model(name, data, parts, tmp_path):
    model = keras.Sequential(parts)
    expected = model.predict(data)
    path = str(tmp_path / 'model.onnx')
    model.export(path, format='onnx')
    session = runtime.InferenceSession(path)
    for batch in (slice(None), slice(0, 1)):  # the batch is open
        found, = session.run(None, {session.get_inputs()[0].name: data[batch]})
        np.testing.assert_allclose(found, expected[batch], rtol=1e-4, atol=1e-5)


def test_nested_and_shared(tmp_path):
    inner = keras.Sequential([layers.Conv1D(4, 3, padding='causal', input_shape=(8, 3)), layers.AveragePooling1D(2)])
    first, second = keras.Input((8, 3), name='first'), keras.Input((8, 3), name='second')
    joined = layers.concatenate([inner(first), inner(second)])
    model = keras.Model([first, second], [layers.Lambda(lambda x: keras.backend.sum(x * x, axis=-1))(joined), joined])
    data = [np.random.RandomState(seed).rand(2, 8, 3).astype('float32') for seed in (1, 2)]
    path = str(tmp_path / 'model.onnx')
    model.export(path, format='onnx')
    found = runtime.InferenceSession(path).run(None, dict(zip(('first', 'second'), data)))
    for ours, theirs in zip(found, model.predict(data)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
