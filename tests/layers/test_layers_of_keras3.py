"""Layers in Keras 3's generation: names, inputs, configs of functions, states of random numbers (3.15.1)."""
import numpy as np
import pytest

import keras
from keras import config, layers, ops

pytestmark = pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')


@pytest.fixture(autouse=True)
def of_keras3():
    with config.generation(3):
        yield


def square(x):
    return x * x


@pytest.mark.on('numpy')
@pytest.mark.parametrize('make, kind, words', [
    (lambda: layers.Dense(3, name='a/b'), ValueError, '`name` must be a string and cannot contain character `/`'),
    (lambda: keras.Input((3,), name='a/b'), ValueError, 'cannot contain character `/`'),
    (lambda: keras.Sequential(name='a/b'), ValueError, 'cannot contain character `/`'),
    (lambda: keras.Variable(keras.initializers.Zeros(), name='a/b'), ValueError, 'cannot contain character `/`'),
    (lambda: layers.Layer().add_weight(shape=(3,), name='a/b'), ValueError, 'cannot contain character `/`'),
    (lambda: layers.Layer().compute_output_shape(None), NotImplementedError, 'does not have a `compute_output_shape`'),
    (lambda: layers.Embedding.from_config({'input_dim': 3.7, 'output_dim': 8}), TypeError,
     "deserializing class 'Embedding'.*`input_dim` must be a positive integer"),
    (lambda: layers.Dense.from_config({'units': 3, 'foo': 1}), TypeError, "deserializing class 'Dense'.*foo"),
    (lambda: layers.InputLayer(shape=(2, 3), batch_size=4, input_tensor=np.zeros((2, 3))), ValueError,
     'Argument `input_tensor` must be a KerasTensor'),
    (lambda: keras.Input((None,), ragged=True), ValueError, '`ragged=True` is not supported with the numpy backend'),
    (lambda: keras.Input((None,), sparse=True), ValueError, '`sparse=True` is not supported with the numpy backend'),
    (lambda: layers.Lambda.from_config(layers.Lambda(lambda x: x ** 2).get_config()), ValueError, 'Lambda'),
    (lambda: iter(keras.KerasTensor((3, 4))), NotImplementedError, 'Iterating over a symbolic KerasTensor'),
    (lambda: len(keras.KerasTensor((3, 4))), TypeError, 'has no len'),
    (lambda: np.array(keras.KerasTensor((3,))), ValueError, 'cannot be used as input to a TensorFlow function'),
])
def test_what_is_refused(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


@pytest.mark.on('numpy')
def test_keras2_takes_all_of_it():
    with config.generation(2):
        assert layers.Dense(3, name='a/b').name == 'a/b'
        assert keras.Variable([1.0], name='a/b').name == 'a/b'
        assert len(keras.KerasTensor((3, 4))) == 3 and len(list(keras.KerasTensor((3, 4)))) == 3
        code = layers.Lambda(lambda x: x ** 2).get_config()
        assert layers.Lambda.from_config(code)(np.array([[3.0]])) == 9.0


@pytest.mark.on('numpy')
def test_a_free_tensor_is_the_input():
    tensor = keras.KerasTensor((2, 3))
    layer = layers.InputLayer(input_tensor=tensor)
    assert layer.output is tensor and layer.batch_shape == (2, 3) and layer.is_placeholder
    model = keras.Model(tensor, ops.square(tensor))
    np.testing.assert_array_equal(model(np.full((2, 3), 3.0, 'float32')), np.full((2, 3), 9.0))
    with pytest.warns(UserWarning, match='Argument `input_shape` is deprecated. Use `shape` instead.'):
        assert layers.InputLayer(input_shape=(3,)).batch_shape == (None, 3)
    assert keras.utils.is_keras_tensor(keras.KerasTensor((2,))) and not keras.utils.is_keras_tensor(np.zeros(2))


@pytest.mark.on('numpy')
def test_config_of_a_function():
    named = {'module': 'builtins', 'class_name': 'function', 'config': 'square', 'registered_name': 'function'}
    layer = layers.Lambda(ops.square, output_shape=(3,), mask=np.ones((2, 3)), name='squared')
    layer_config = layer.get_config()
    assert layer_config['function'] == named and layer_config['output_shape'] == (3,)
    assert layer_config['mask']['config']['value'] == [[1.0] * 3] * 2
    assert set(layer_config) == {'name', 'trainable', 'dtype', 'function', 'arguments', 'output_shape', 'mask'}
    again = layers.Lambda.from_config(layer_config)
    np.testing.assert_array_equal(again.compute_mask(None), np.ones((2, 3)))
    np.testing.assert_array_equal(again(np.full((2, 3), 3.0)), np.full((2, 3), 9.0))
    assert layers.Lambda.from_config(layers.Lambda(square).get_config()).function is square
    made = layers.Lambda(lambda x, by: x * by, arguments={'by': 2.0})
    assert made.get_config()['function']['class_name'] == '__lambda__'
    again = layers.Lambda.from_config(made.get_config(), safe_mode=False)
    np.testing.assert_array_equal(again(np.ones((1, 2))), [[2.0, 2.0]])
    model = keras.Sequential([keras.Input((2,)), made])
    np.testing.assert_array_equal(keras.models.clone_model(model)(np.ones((1, 2))), [[2.0, 2.0]])


@pytest.mark.on('numpy')
def test_use_of_cudnn_is_kept():
    for kind in (layers.GRU, layers.LSTM):
        assert kind(1).use_cudnn == 'auto'
        both = layers.Bidirectional(kind(1, use_cudnn=False))
        assert both.forward_layer.use_cudnn is False and both.backward_layer.use_cudnn is False


def test_remat_is_a_hook():
    layer = layers.Dense(4)
    assert layer.rematerialized_call(layer.call, np.ones((2, 3))) == layer.call

    class Counted(layers.Dense):
        calls = 0

        def rematerialized_call(self, layer_call, *args, **kwargs):
            Counted.calls += 1
            return super().rematerialized_call(layer_call, *args, **kwargs)

    x = np.ones((2, 3), 'float32')
    with keras.RematScope('list_of_layers', layer_names=['meant']):
        meant, other = Counted(4, name='meant'), layers.Dense(4, name='other')
    assert other.rematerialized_call(other.call, x) == other.call
    assert meant(x).shape == (2, 4) and Counted.calls


def test_states_count_the_draws():
    layer = layers.Dropout(0.5, seed=1337)
    layer(np.ones((3, 4), 'float32'), training=True)
    np.testing.assert_array_equal(layer.variables[0].numpy(), [1337, 1])


def test_draws_of_a_stateless_call_follow_from_the_given_state():
    layer = layers.Dropout(0.5, seed=1)
    x = ops.ones((4, 8))
    layer.build((4, 8))
    runs = [layer.stateless_call([], [ops.convert_to_tensor(state)], x, training=True)
            for state in (np.array([5, 3], 'uint32'), np.array([5, 3], 'uint32'), np.array([5, 4], 'uint32'))]
    first, second, third = [ops.convert_to_numpy(outputs) for outputs, _ in runs]
    np.testing.assert_array_equal(first, second)
    assert (first != third).any()
    np.testing.assert_array_equal(ops.convert_to_numpy(runs[0][1][0]), [5, 4])
    np.testing.assert_array_equal(layer.variables[0].numpy(), [1, 0])


@pytest.mark.on('torch')
def test_sizes_that_an_export_leaves_open():
    import torch
    made = torch.export.export(torch.nn.ReLU(), (torch.ones(5, 3),), dynamic_shapes={
        'input': {0: torch.export.Dim('batch')}})
    size = next(node.meta['val'].shape[0] for node in made.graph.nodes if node.op == 'placeholder')
    assert not isinstance(size, int)
    for given, wanted in ((size, 5), ([size, 1], [5, 1]), ([[size]], [[5]])):
        found = ops.convert_to_tensor(given)
        assert found.dtype == torch.int64 and found.tolist() == wanted
    assert ops.convert_to_tensor(torch.sym_float(size)).dtype == torch.float32
    assert ops.convert_to_tensor(size, 'float32').item() == 5.0


@pytest.mark.on('numpy')
def test_configs_as_keras3_writes_them():
    both = layers.Bidirectional(layers.LSTM(3, name='l'), name='b')
    written = both.get_config()
    assert written['layer']['config']['name'] == 'forward_l'
    assert written['backward_layer']['config']['name'] == 'backward_l'
    assert written['backward_layer']['config']['go_backwards'] is True
    assert layers.Bidirectional.from_config(written).get_config() == written
    assert layers.SpatialDropout1D(0.5, name='s').get_config() == {
        'rate': 0.5, 'seed': None, 'name': 's', 'dtype': 'float32'}
    assert 'seed' not in layers.SimpleRNN(3).get_config() and layers.SimpleRNN(3, seed=1).get_config()['seed'] == 1
    normalization = layers.BatchNormalization().get_config()
    assert normalization['synchronized'] is False
    layers.BatchNormalization.from_config(normalization)
    for kind in (layers.LayerNormalization, layers.RMSNormalization):
        layer = kind()
        assert layer.get_config()['axis'] == -1
        layer.build((2, 3))
        assert layer.get_config()['axis'] == [-1]
    with pytest.raises(ValueError, match="Unrecognized keyword arguments passed to Dense: {'foo': 1}"):
        layers.Dense(2, foo=1)


def test_channels_by_themselves_dilate_with_strides():
    x = np.arange(11, dtype='float32').reshape(1, 11, 1)
    layer = layers.DepthwiseConv1D(2, strides=2, dilation_rate=3, depthwise_initializer='ones')
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x))[0, :, 0], [3.0, 7.0, 11.0, 15.0])
    assert layer.compute_output_shape((None, 11, 1)) == (None, 4, 1)
    assert layers.SeparableConv2D(3, 2, strides=2, dilation_rate=2, padding='same')(
        np.ones((1, 8, 8, 2), 'float32')).shape == (1, 4, 4, 3)
    with config.generation('tf'), pytest.raises(ValueError, match='not supported in conjunction'):
        layers.SeparableConv2D(3, 2, strides=2, dilation_rate=2)
