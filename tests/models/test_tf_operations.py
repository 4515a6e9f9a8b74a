"""Operations by which tf.keras and Keras 3 write models, against NumPy."""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras.models.tf_functions import FUNCTIONS, find
from keras.models.tf_operations import operation_of

pytestmark = pytest.mark.on('numpy')

X = np.array([[[1.0, -2.0, 3.0, 0.5], [4.0, 5.0, -6.0, 0.25]]], 'float32')


def value(function, *args, **kwargs):
    """What `function` gives for symbolic inputs, of the values `args`."""
    inputs = [keras.Input(batch_shape=arg.shape, dtype=str(arg.dtype)) if isinstance(arg, np.ndarray) else arg
              for arg in args]
    outputs = function(*inputs, **kwargs)
    run = K.function([each for each in inputs if hasattr(each, 'node')], outputs if isinstance(outputs, list)
                     else [outputs])
    found = run([arg for arg in args if isinstance(arg, np.ndarray)])
    return found if isinstance(outputs, list) else found[0]


@pytest.mark.parametrize('name, args, kwargs, expected', [
    ('math.multiply', (X,), {'y': 2, 'name': None}, X * 2),
    ('math.subtract', (1.0,), {'y': 3.0}, -2.0),
    ('__operators__.add', ([[1.0]],), {'y': 3.0}, [[4.0]]),
    ('math.reduce_mean', (X,), {'axis': [1, 2], 'keepdims': True}, X.mean((1, 2), keepdims=True)),
    ('compat.v1.reduce_sum', (X,), {'reduction_indices': 1, 'keep_dims': True}, X.sum(1, keepdims=True)),
    ('compat.v1.squeeze', (X,), {'squeeze_dims': [0]}, X[0]),
    ('expand_dims', (X,), {'axis': -1}, X[..., None]),
    ('compat.v1.transpose', (X,), {'perm': [0, 2, 1]}, X.transpose(0, 2, 1)),
    ('nn.leaky_relu', (X,), {'alpha': 0.1}, np.where(X > 0, X, 0.1 * X)),
    ('clip_by_value', (X,), {'clip_value_min': -1, 'clip_value_max': 2.0}, X.clip(-1, 2)),
    ('linalg.matmul', (X,), {'b': X[0], 'transpose_b': True}, X @ X[0].T),
    ('cast', (X,), {'dtype': 'int32'}, X.astype('int32')),
    ('tile', (X,), {'multiples': [1, 2, 1]}, np.tile(X, (1, 2, 1))),
    ('reshape', (X,), {'shape': [-1, 4]}, X.reshape(-1, 4)),
    ('math.argmax', (X,), {'axis': 2}, X.argmax(2)),
    ('compat.v1.gather', (X,), {'indices': [1, 0], 'axis': 1, 'batch_dims': 0}, X[:, [1, 0]]),
    ('one_hot', (np.array([2, 0], 'int32'),), {'depth': 3, 'on_value': 2.0, 'off_value': -1.0},
     np.array([[-1, -1, 2], [2, -1, -1]], 'float32')),
    ('math.cumsum', (X,), {'axis': 2, 'reverse': True}, X[..., ::-1].cumsum(2)[..., ::-1]),
    ('math.cumsum', (X,), {'axis': 2, 'exclusive': True}, X.cumsum(2) - X),
    ('roll', (X,), {'shift': 1, 'axis': 2}, np.roll(X, 1, 2)),
    ('nn.bias_add', (X,), {'bias': [1.0, 2.0, 3.0, 4.0]}, X + [1, 2, 3, 4]),
    ('reverse', (X,), {'axis': [2]}, X[..., ::-1]),
    ('keras.backend.batch_flatten', (X,), {}, X.reshape(1, 8)),
])
def test_functions_of_tensorflow(name, args, kwargs, expected):
    found = value(find(name), *args, **kwargs) if isinstance(args[0], np.ndarray) else find(name)(*args, **kwargs)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5)


def test_functions_that_are_not_in_the_list_are_refused():
    for name in ('io.read_file', 'py_function', 'keras.backend.function', 'keras.models.load_model',
                 'numpy_function',
                 '__class__', 'math.__init__', 'keras.activations.__name__'):
        with pytest.raises(ValueError, match='function of TensorFlow'):
            find(name)
    assert all(callable(function) for function in FUNCTIONS.values())


@pytest.mark.parametrize('spec, key', [
    ([{'start': None, 'stop': None, 'step': None}, 0], np.s_[:, 0]),
    ([Ellipsis, {'start': 1, 'stop': 3, 'step': None}], np.s_[..., 1:3]),
    ([{'start': None, 'stop': None, 'step': None}, None], np.s_[:, None])])
def test_slices(spec, key):
    operation = operation_of({'class_name': 'SlicingOpLambda', 'config': {'function': '__operators__.getitem'}})
    np.testing.assert_array_equal(value(lambda x: operation(x, slice_spec=spec)[0], X), X[key])


def raw(op, constants=None, **attributes):
    node = {'op': op, 'name': op, 'input': [], 'attr': attributes}
    return operation_of({'class_name': 'TensorFlowOpLayer', 'config': {'node_def': node, 'constants': constants}})


@pytest.mark.parametrize('operation, expected', [
    (raw('Mul', {'0': 2.0}), X * 2), (raw('Sub', {'0': 1.0}), 1 - X), (raw('Neg'), -X),
    (raw('Mean', {'1': [1, 2]}, keep_dims={'b': True}), X.mean((1, 2), keepdims=True)),
    (raw('StridedSlice', {'1': [0, 1], '2': [0, 2], '3': [1, 1]}, begin_mask={'i': '1'}, end_mask={'i': '1'},
         shrink_axis_mask={'i': '2'}), X[:, 1]),
    (raw('LeakyRelu', alpha={'f': 0.1}), np.where(X > 0, X, 0.1 * X)),
    (raw('Cast', DstT={'type': 'DT_INT32'}), X.astype('int32')),
    (raw('Squeeze', squeeze_dims={'list': {'i': ['0']}}), X[0])])
def test_raw_operations(operation, expected):
    np.testing.assert_allclose(value(lambda x: operation(x)[0], X), expected, rtol=1e-6)


def test_unknown_raw_operations_are_refused():
    with pytest.raises(ValueError, match='PyFunc'):
        raw('PyFunc')


@pytest.mark.parametrize('name, config, args, expected', [
    ('Multiply', {}, (X, 2.0), X * 2), ('Mean', {'axis': 1, 'keepdims': True}, (X,), X.mean(1, keepdims=True)),
    ('GetItem', {}, (X, [slice(None), 0]), X[:, 0]), ('Einsum', {'subscripts': 'abc->cb'}, (X,), X[0].T)])
def test_operations_of_keras_3(name, config, args, expected):
    operation = operation_of({'module': 'keras.src.ops.numpy', 'class_name': name,
                              'config': dict(config, name='op')})
    np.testing.assert_allclose(value(lambda x: operation(x, *args[1:])[0], X), expected, rtol=1e-6)


def test_operations_of_keras_3_without_their_module():
    """As its HDF5 files have them, with names that layers have as well."""
    calls = [{'args': [{'class_name': '__keras_tensor__'}, 3.0], 'kwargs': {}}]
    operation = operation_of({'class_name': 'Add', 'config': {'name': 'add'}, 'inbound_nodes': calls})
    np.testing.assert_allclose(value(lambda x: operation(x, 3.0)[0], X), X + 3, rtol=1e-6)
    assert operation_of({'class_name': 'Add', 'config': {'name': 'add', 'trainable': True},
                         'inbound_nodes': calls}) is None
    assert operation_of({'class_name': 'Add', 'config': {'name': 'add'}, 'inbound_nodes': [[['x', 0, 0, {}]]]}) is None


def test_unknown_operations_of_keras_3_are_refused():
    for name in ('Evaluate', '__import__', 'Core', 'Math'):
        with pytest.raises(ValueError, match='operation of Keras 3'):
            operation_of({'module': 'keras.src.ops.numpy', 'class_name': name, 'config': {}})


CONFIG = {'name': 'm', 'layers': [
    {'class_name': 'InputLayer', 'name': 'x', 'config': {'batch_input_shape': [None, 3], 'name': 'x'},
     'inbound_nodes': []},
    {'class_name': 'TFOpLambda', 'name': 'tf.square', 'config': {'name': 'tf.square', 'function': 'math.square'},
     'inbound_nodes': [['x', 0, 0, {'name': None}]]},
    {'class_name': 'TFOpLambda', 'name': 'tf.mean', 'config': {'name': 'tf.mean', 'function': 'math.reduce_mean'},
     'inbound_nodes': [['tf.square', 0, 0, {}]]},
    {'class_name': 'AddLoss', 'name': 'add_loss', 'config': {'name': 'add_loss', 'unconditional': False},
     'inbound_nodes': [[['tf.mean', 0, 0, {}]]]},
    {'class_name': 'AddMetric', 'name': 'add_metric',
     'config': {'name': 'add_metric', 'aggregation': 'mean', 'metric_name': 'size'},
     'inbound_nodes': [[['tf.mean', 0, 0, {}]]]},
    {'class_name': 'TFOpLambda', 'name': 'tf.sub', 'config': {'name': 'tf.sub', 'function': 'math.subtract'},
     'inbound_nodes': [['_CONSTANT_VALUE', -1, 1.0, {'y': ['x', 0, 0], 'name': None}]]}],
    'input_layers': [['x', 0, 0]], 'output_layers': [['tf.sub', 0, 0]]}


def test_a_model_of_operations_with_a_loss_and_a_metric():
    model = keras.Model.from_config(CONFIG)
    x = np.array([[1.0, 2.0, 3.0]], 'float32')
    np.testing.assert_allclose(model.predict(x, verbose=0), 1 - x)
    model.compile('sgd', 'mse')
    found = dict(zip(model.metrics_names, model.evaluate(x, 1 - x, verbose=0)))
    assert found == {'loss': pytest.approx(14 / 3), 'size': pytest.approx(14 / 3)}


def test_layers_keep_the_order_of_the_config():
    config = dict(CONFIG, layers=CONFIG['layers'][:1] + [
        {'class_name': 'Dense', 'name': name, 'config': {'name': name, 'units': 2},
         'inbound_nodes': [[['x', 0, 0, {}]]]} for name in ('a', 'b')] + [
        {'class_name': 'TFOpLambda', 'name': 'sum', 'config': {'name': 'sum', 'function': 'linalg.matmul'},
         'inbound_nodes': [['a', 0, 0, {'b': ['b', 0, 0], 'transpose_b': True}]]}],
        output_layers=[['sum', 0, 0]])
    model = keras.Model.from_config(config)
    assert [layer.name for layer in model.layers] == ['x', 'a', 'b']
    assert [layer.name for layer in keras.models.clone_model(model).layers] == ['x', 'a', 'b']


def test_operations_without_modules_as_keras_3_writes_them_into_hdf5():
    node = {'args': [{'class_name': '__keras_tensor__', 'config': {'keras_history': ['x', 0, 0]}}, 2.0], 'kwargs': {}}
    found = operation_of({'class_name': 'Multiply', 'config': {'name': 'multiply'}, 'inbound_nodes': [node]})
    np.testing.assert_array_equal(value(lambda x: found(x, 2.0), X)[0], X * 2)
    config = {'name': 'multiply', 'trainable': True, 'dtype': 'float32'}
    assert operation_of({'class_name': 'Multiply', 'config': config, 'inbound_nodes': [node]}) is None
