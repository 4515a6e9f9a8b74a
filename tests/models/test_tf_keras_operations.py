"""Operations on symbolic tensors in HDF5 files: the layers of tf.keras, and back."""
import json

import h5py
import numpy as np
import pytest

import keras
from keras import ops

pytestmark = pytest.mark.on('numpy')

X = np.array([[-1.5, 0.25, 2.0, 3.0], [0.5, -0.75, 1.0, -2.0]], 'float32')

# As in files of tf.keras: the class, its function, and the call, with the name of the input and of the other.
WRITTEN = {
    'sum': (lambda x: x + 2.0, 'TFOpLambda', 'math.add', ['x', 0, 0, {'y': 2.0}]),
    'of_two': (lambda x: x * x, 'TFOpLambda', 'math.multiply', ['x', 0, 0, {'y': ['x', 0, 0]}]),
    'constant_first': (lambda x: 1.0 / x, 'TFOpLambda', 'math.truediv', ['_CONSTANT_VALUE', -1, 1.0,
                                                                         {'y': ['x', 0, 0]}]),
    'reduced': (lambda x: ops.sum(x, axis=1), 'TFOpLambda', 'math.reduce_sum',
                ['x', 0, 0, {'axis': 1, 'keepdims': False}]),
    'joined': (lambda x: ops.concatenate([x, x], axis=-1), 'TFOpLambda', 'concat',
               [['x', 0, 0, {'axis': -1}], ['x', 0, 0, {'axis': -1}]]),
    'slice': (lambda x: x[:, 1:3], 'SlicingOpLambda', '__operators__.getitem', ['x', 0, 0, {'slice_spec': [
        {'start': None, 'stop': None, 'step': 1}, {'start': 1, 'stop': 3, 'step': 1}]}]),
}


@pytest.mark.parametrize('name', sorted(WRITTEN))
def test_the_layers_of_tf_keras(name, tmp_path):
    function, class_name, of_tensorflow, call = WRITTEN[name]
    x = keras.Input((4,), name='x')
    path = str(tmp_path / 'model.h5')
    model = keras.Model(x, function(x))
    model.save(path)
    with h5py.File(path, 'r') as file:
        _, entry = json.loads(file.attrs['model_config'])['config']['layers']
    assert (entry['class_name'], entry['config']['function']) == (class_name, of_tensorflow)
    assert entry['inbound_nodes'] == [call]
    found = keras.models.load_model(path).predict(X, verbose=0)
    np.testing.assert_allclose(found, model.predict(X, verbose=0), rtol=1e-6)


FUNCTIONS = {
    'split': lambda x: ops.split(x, 2, axis=1)[1], 'unstacked': lambda x: ops.unstack(x, axis=1)[2],
    'where': lambda x: ops.where(x > 0, x, -x), 'padded': lambda x: ops.pad(x, ((0, 0), (1, 2)), constant_values=3.0),
    'product': lambda x: ops.matmul(ops.expand_dims(x, -1), ops.expand_dims(x, 1)), 'power': lambda x: x ** 2.0 - 1.0,
    'spread': lambda x: ops.var(x, axis=1) + ops.std(x, axis=1), 'activations': lambda x: ops.softmax(ops.relu(x)),
    'shapes': lambda x: ops.transpose(ops.tile(ops.reshape(x, (-1, 2, 2)), (1, 1, 2)), (0, 2, 1)),
    'array': lambda x: x * np.array([1.0, 2.0, 3.0, 4.0], 'float32'),
    'ends': lambda x: x[..., -1] + x[:, None, 1:2][:, 0, 0],
}


@pytest.mark.parametrize('name', sorted(FUNCTIONS))
def test_and_back(name, tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, FUNCTIONS[name](x))
    path = str(tmp_path / 'model.h5')
    model.save(path)
    with h5py.File(path, 'r') as file:
        entries = json.loads(file.attrs['model_config'])['config']['layers'][1:]
    assert {entry['class_name'] for entry in entries} <= {'TFOpLambda', 'SlicingOpLambda'}
    found = keras.models.load_model(path).predict(X, verbose=0)
    np.testing.assert_allclose(found, model.predict(X, verbose=0), rtol=1e-6)


def test_what_tf_keras_lacks(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, ops.sparsemax(x))
    path = str(tmp_path / 'model.h5')
    with pytest.warns(UserWarning, match='sparsemax'):
        model.save(path)
    np.testing.assert_allclose(keras.models.load_model(path).predict(X, verbose=0), model.predict(X, verbose=0))
