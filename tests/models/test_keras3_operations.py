"""Operations on symbolic tensors in `.keras` files: Keras 3's classes, and back."""
import json
import zipfile

import numpy as np
import pytest

import keras
from keras import ops

pytestmark = pytest.mark.on('numpy')

X = np.array([[-1.5, 0.25, 2.0, 3.0], [0.5, -0.75, 1.0, -2.0]], 'float32')
CONSTANT = np.array([1.0, 2.0, 3.0, 4.0], 'float32')

# What Keras 3.15.1 writes into its files: the class, what stands in its config beside a name, and in its call.
WRITTEN = {
    'Add': (lambda x: x + 2.0, {}, 2.0),
    'Sum': (lambda x: ops.sum(x, axis=1, keepdims=True), {'axis': 1, 'keepdims': True}, None),
    'ExpandDims': (lambda x: ops.expand_dims(x, 1), {'axis': 1}, None),
    'Concatenate': (lambda x: ops.concatenate([x, x], axis=-1), {'axis': -1}, None),
    'Softmax': (lambda x: ops.softmax(x), {'axis': -1}, None), 'Relu': (ops.relu, {}, None),
    'Cast': (lambda x: ops.cast(x, 'int32'), {'dtype': 'int32'}, None),
    'Reshape': (lambda x: ops.reshape(x, (-1, 2, 2)), {'newshape': [-1, 2, 2]}, None),
    'GetItem': (lambda x: x[:, 1:3], {}, [
        {'class_name': '__slice__', 'config': {'start': None, 'stop': None, 'step': 1}},
        {'class_name': '__slice__', 'config': {'start': 1, 'stop': 3, 'step': 1}}]),
    'Multiply': (lambda x: x * CONSTANT, {}, {
        'class_name': '__numpy__', 'config': {'value': [1.0, 2.0, 3.0, 4.0], 'dtype': 'float32'}}),
}


def entries(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read('config.json').decode())['config']['layers'][1:]


@pytest.mark.parametrize('name', sorted(WRITTEN))
def test_the_classes_of_keras_3(name, tmp_path):
    function, config, second = WRITTEN[name]
    x = keras.Input((4,), name='x')
    path = str(tmp_path / 'model.keras')
    keras.Model(x, function(x)).save(path)
    entry, = entries(path)
    assert entry['class_name'] == entry['registered_name'] == name
    assert entry['module'] == 'keras.src.ops.' + {'Softmax': 'nn', 'Relu': 'nn', 'Cast': 'core'}.get(name, 'numpy')
    assert entry['config'] == dict(config, name=entry['name'])
    args = entry['inbound_nodes'][0]['args']
    assert args[1:] == ([] if second is None else [second])


FUNCTIONS = {
    'arithmetic': lambda x: (1.0 / (x + 5.0) - x) ** 2.0 + CONSTANT, 'comparisons': lambda x: ops.where(x > 0, x, -x),
    'reductions': lambda x: ops.mean(x, axis=1) + ops.max(x, axis=-1) + ops.logsumexp(x, axis=1),
    'slices': lambda x: x[:, 0] + x[..., -1] + x[:, None, 1:2][:, 0, 0], 'split': lambda x: ops.split(x, 2, axis=1)[1],
    'unstacked': lambda x: ops.unstack(x, axis=1)[2], 'top': lambda x: ops.top_k(x, 2)[0],
    'padded': lambda x: ops.pad(x, ((0, 0), (1, 2)), constant_values=3.0), 'clipped': lambda x: ops.clip(x, -1.0, 1.0),
    'einsum': lambda x: ops.einsum('bi,bj->bij', x, x), 'product': lambda x: ops.matmul(x, ops.ones((4, 3))),
    'pool': lambda x: ops.max_pool(ops.reshape(x, (-1, 2, 2, 1)), 2),
    'activations': lambda x: ops.gelu(ops.leaky_relu(x)),
}


@pytest.mark.parametrize('name', sorted(FUNCTIONS))
def test_and_back(name, tmp_path, recwarn):
    x = keras.Input((4,))
    model = keras.Model(x, FUNCTIONS[name](x))
    path = str(tmp_path / 'model.keras')
    model.save(path)
    assert not any('no like' in str(warning.message) for warning in recwarn)
    assert all(entry['module'].startswith('keras.src.ops.') for entry in entries(path))
    found = keras.models.load_model(path).predict(X, verbose=0)
    np.testing.assert_allclose(found, model.predict(X, verbose=0), rtol=1e-6)


def test_what_keras_3_lacks(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, keras.backend.relu(x, max_value=1.0))
    path = str(tmp_path / 'model.keras')
    with pytest.warns(UserWarning, match='relu'):
        model.save(path)
    np.testing.assert_allclose(keras.models.load_model(path).predict(X, verbose=0), np.clip(X, 0, 1))
