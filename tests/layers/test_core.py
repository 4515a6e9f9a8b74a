"""Core layers, merging, normalization, noise: values by NumPy, masks, errors."""
import json

import numpy as np
import pytest

import keras
from keras import backend as K
from keras import config, layers, ops
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array
from keras.models import Model


def normal(*shape):
    return np.random.RandomState(sum(shape)).normal(size=shape).astype('float32')


def test_dense_is_a_product_over_the_last_axis():
    layer, x = layers.Dense(4, activation='relu', bias_initializer='ones'), normal(2, 3, 5)
    y = to_array(layer(x))
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(y, np.maximum(np.einsum('abi,io->abo', x, kernel) + bias, 0), rtol=1e-5, atol=1e-6)


def test_dense_activation_may_be_changed_afterwards():
    layer, x = layers.Dense(3, use_bias=False), normal(2, 4)
    linear = to_array(layer(x))
    layer.activation = ops.tanh
    np.testing.assert_allclose(to_array(layer(x)), np.tanh(linear), rtol=1e-5)


def test_dropout_keeps_the_mean_and_is_repeatable():
    x = np.ones((200, 100), 'float32')
    first, second = [to_array(layers.Dropout(0.3, seed=5)(x, training=True)) for _ in range(2)]
    np.testing.assert_array_equal(first, second)
    assert set(np.unique(first.round(4))) == {0.0, np.float32(1 / 0.7).round(4)}
    assert abs((first == 0).mean() - 0.3) < 0.02
    layer = layers.Dropout(0.3, seed=5)
    assert np.any(to_array(layer(x, training=True)) != to_array(layer(x, training=True)))
    np.testing.assert_array_equal(to_array(layer(x)), x)


def test_spatial_dropout_drops_whole_maps():
    y = to_array(layers.SpatialDropout2D(0.5, seed=2)(np.ones((4, 3, 3, 8), 'float32'), training=True))
    assert set(np.unique(y.mean((1, 2)))) <= {0.0, 2.0}
    layer = layers.SpatialDropout2D(0.5, 'channels_first', seed=2)
    y = to_array(layer(np.ones((4, 8, 3, 3), 'float32'), training=True))
    assert set(np.unique(y.mean((2, 3)))) <= {0.0, 2.0}


def test_noise_layers_have_the_moments_they_promise():
    x = np.random.RandomState(0).normal(size=(300, 300)).astype('float32')
    noise = to_array(layers.GaussianNoise(0.5, seed=1)(x, training=True)) - x
    assert abs(noise.mean()) < 0.01 and abs(noise.std() - 0.5) < 0.01
    factor = to_array(layers.GaussianDropout(0.2, seed=1)(np.ones_like(x), training=True))
    assert abs(factor.mean() - 1) < 0.01 and abs(factor.std() - 0.5) < 0.01
    kept = to_array(layers.AlphaDropout(0.2, seed=1)(x, training=True))
    assert abs(kept.mean()) < 0.02 and abs(kept.std() - 1) < 0.02


def test_masking_marks_steps_and_zeroes_them():
    x = np.array([[[1, 2], [7, 7], [7, 3]]], 'float32')
    layer = layers.Masking(7)
    np.testing.assert_array_equal(to_array(layer(x)), [[[1, 2], [0, 0], [7, 3]]])
    mask = layer.compute_mask(get_engine().convert(x))
    np.testing.assert_array_equal(to_array(mask), [[True, False, True]])


def test_lambda_with_arguments_and_shapes():
    layer = layers.Lambda(lambda x, factor: x * factor, arguments={'factor': 3.0})
    np.testing.assert_allclose(to_array(layer(np.ones((2, 3), 'float32'))), 3.0)
    assert layer(layers.Input((5,))).shape == (None, 5)
    again = layers.deserialize(layers.serialize(layer))
    np.testing.assert_allclose(to_array(again(np.ones((2, 3), 'float32'))), 3.0)
    assert layers.Lambda(lambda x: x[:, :2], output_shape=(2,))(layers.Input((5,))).shape == (None, 2)
    assert layers.Lambda(lambda x: x[:, :2])(layers.Input((5,))).shape == (None, 2)


def triple(x):
    return x * 3.0


def test_lambda_with_a_named_function_is_loaded_by_name():
    within = layers.serialize(layers.Lambda(triple))
    # A config that has not left the process knows the function.
    np.testing.assert_allclose(to_array(layers.deserialize(within)(np.ones((1, 2), 'float32'))), 3.0)
    config = json.loads(json.dumps(within))
    again = layers.deserialize(config, custom_objects={'triple': triple})
    np.testing.assert_allclose(to_array(again(np.ones((1, 2), 'float32'))), 3.0)
    with pytest.raises(ValueError, match="Unknown function 'triple'"):
        layers.deserialize(config)


def test_reshape_and_flatten_with_unknown_sizes():
    assert layers.Reshape((-1, 2))(layers.Input((None, 4))).shape == (None, None, 2)
    assert layers.Reshape((-1, 2))(layers.Input((3, 4))).shape == (None, 6, 2)
    assert layers.Flatten()(layers.Input((None, 4))).shape == (None, None)
    x = normal(2, 3, 4)
    np.testing.assert_array_equal(to_array(layers.Flatten('channels_first')(x)), x.transpose(0, 2, 1).reshape(2, -1))


def test_batch_normalization_normalizes_and_remembers():
    layer, x = layers.BatchNormalization(momentum=0.75, epsilon=1e-4), normal(50, 3) * 4 + 2
    y = to_array(layer(x, training=True))
    np.testing.assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-4), rtol=1e-3, atol=1e-4)
    _, _, mean, variance = layer.get_weights()
    np.testing.assert_allclose(mean, 0.25 * x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(variance, 0.75 + 0.25 * x.var(0) * 50 / (49 - 1e-4), rtol=1e-4)
    inference = to_array(layer(x))
    np.testing.assert_allclose(inference, (x - mean) / np.sqrt(variance + 1e-4), rtol=1e-3, atol=1e-4)
    layer.trainable = False
    np.testing.assert_array_equal(to_array(layer(x, training=True)), y)
    np.testing.assert_array_equal(layer.get_weights()[2], mean)


@pytest.mark.parametrize('generation', ['tf', 3])
def test_frozen_batch_normalization_of_later_generations_uses_its_averages(generation):
    x = normal(50, 3) * 4 + 2
    with keras.config.generation(generation):
        layer = layers.BatchNormalization(momentum=0.75)
    layer(x, training=True)
    inference, averages = to_array(layer(x)), layer.get_weights()
    np.testing.assert_allclose(averages[3], 0.75 + 0.25 * x.var(0), rtol=1e-4)
    layer.trainable = False
    np.testing.assert_allclose(to_array(layer(x, training=True)), inference, rtol=1e-5)
    np.testing.assert_array_equal(layer.get_weights()[2], averages[2])


def test_layer_normalization():
    x = normal(3, 4, 5)
    y = to_array(layers.LayerNormalization(epsilon=1e-5)(x))
    expected = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_average_pooling_over_time_leaves_masked_steps_out():
    x, mask = normal(2, 4, 3), np.array([[1, 1, 0, 0], [1, 1, 1, 0]], bool)
    y = to_array(layers.GlobalAveragePooling1D()(x, mask=mask))
    np.testing.assert_allclose(y, [x[0, :2].mean(0), x[1, :3].mean(0)], rtol=1e-5)


def test_merges_broadcast_and_combine_masks():
    x, y = normal(2, 3, 4), normal(2, 4)
    np.testing.assert_allclose(to_array(layers.Add()([x, y])), x + y[:, None], rtol=1e-6)
    masks = [np.array([[True, False]]), None, np.array([[True, True]])]
    converted = [None if mask is None else get_engine().convert(mask) for mask in masks]
    assert to_array(layers.Add().compute_mask([None] * 3, converted)).tolist() == [[True, False]]
    x, y = normal(2, 3, 4), normal(2, 5, 4)
    np.testing.assert_allclose(to_array(layers.Dot(2)([x, y])), np.einsum('bic,bjc->bij', x, y), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('make, message', [
    (lambda: layers.Dense(0), 'Dense: Invalid value for argument `units`.*Received units=0. `units` must be a'),
    (lambda: layers.Dense(3)(layers.Input((None,))), 'last size is known'),
    (lambda: layers.GaussianDropout(1.5), 'Invalid value received for argument `rate`.*Received: rate=1.5'),
    (lambda: layers.Permute((0, 1)), '`dims`, which must name the axes 1 to n'),
    (lambda: layers.Reshape((5,))(layers.Input((4,))), 'Reshape.*4 elements of shape'),
    (lambda: layers.Conv2D(3, (3, 3, 3)), 'The `kernel_size` argument must be a tuple of 2 integers'),
    (lambda: layers.Conv2D(3, 3, padding='causal'), '`padding` argument must be one of "valid", "same"'),
    (lambda: layers.Conv1D(3, 3, padding='causal', data_format='channels_first'), 'causal padding in `Conv1D`'),
    (lambda: layers.Conv2D(3, 3, strides=2, dilation_rate=2)(layers.Input((8, 8, 3))),
     '`strides > 1` not supported in conjunction'),
    (lambda: layers.Conv2D(3, 3)(layers.Input((8, 8))), 'expected ndim=4, found ndim=3'),
    (lambda: layers.Conv2D(3, 9)(layers.Input((8, 8, 1))), 'does not fit into a size of 8'),
    (lambda: layers.Conv2D(3, 3, groups=2), 'evenly divisible by the number of groups. Received: groups=2, filters=3'),
    (lambda: layers.Conv2D(4, 3)(layers.Input((8, 8, None))), 'number of channels is known'),
    (lambda: layers.Conv2DTranspose(3, 3, strides=2, output_padding=2), '`output_padding` must be strictly less'),
    (lambda: layers.Cropping1D(4)(layers.Input((6, 1))), '`cropping` parameter of `Cropping1D` layer must be smaller'),
    (lambda: layers.UpSampling2D(interpolation='cubic'), '`interpolation` must be one of'),
    (lambda: layers.Add()(layers.Input((3,))), 'should be called on a list of inputs'),
    (lambda: layers.Add()([layers.Input((3,)), layers.Input((4,))]), 'Add.*cannot be broadcast'),
    (lambda: layers.Subtract()([layers.Input((3,))] * 3), 'exactly 2 inputs'),
    (lambda: layers.Concatenate()([layers.Input((3, 2)), layers.Input((4, 2))]), 'differ outside axis'),
    (lambda: layers.Dot(1)([layers.Input((3,)), layers.Input((4,))]), 'must name axes of equal size'),
    (lambda: layers.BatchNormalization(axis=3)(layers.Input((3,))), 'axis=3 does not name an axis'),
    (lambda: layers.Embedding(0, 3), '`input_dim` must be a positive integer'),
    (lambda: layers.LocallyConnected1D(2, 3, padding='same'), '`padding` argument must be one of "valid"'),
    (lambda: layers.PReLU()(layers.Input((None, 3))), 'shared_axes'),
    (lambda: layers.deserialize({'class_name': 'Dens', 'config': {}}), "Unknown layer: 'Dens'.*'Dense'"),
])
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_lambdas_may_use_symbolic_tensors_from_around_them():
    x, other = layers.Input((3,)), layers.Input((3,))
    layer = layers.Lambda(lambda t: t * other + K.in_train_phase(0.0, 1.0))
    doubled = layer(x)
    kept = layers.Lambda(lambda t, arg: t - arg, arguments={'arg': other})(doubled)
    model = keras.Model([x, other], [doubled, kept])
    a, b = np.arange(6.0, dtype='float32').reshape(2, 3), np.full((2, 3), 3.0, 'float32')
    first, second = model.predict([a, b])
    np.testing.assert_allclose(first, a * b + 1)
    np.testing.assert_allclose(second, a * b + 1 - b)
    with pytest.raises(ValueError, match='disconnected'):
        keras.Model(x, doubled)
    assert layer.input is x


@pytest.mark.needs_gradients
@pytest.mark.parametrize('function, before, slope', [
    (lambda x, w: x * w, 2.0, 1.0), (lambda x, w: w * x, 2.0, 1.0), (lambda x, w: x / w, 0.5, -0.25),
    (lambda x, w: x - w, -1.0, -1.0), (lambda x, w: (1.0 + w) - x, 2.0, 1.0), (lambda x, w: x ** w, 1.0, 0.0)],
    ids=['x * w', 'w * x', 'x / w', 'x - w', '1 + w - x', 'x ** w'])
def test_operators_on_tensors_and_weights(function, before, slope):
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(name='w', shape=(input_shape[-1],), initializer='ones')
            super().build(input_shape)

        def call(self, x):
            return function(x, self.w)

        def compute_output_shape(self, input_shape):
            return input_shape
    model = keras.Sequential([Own(input_shape=(2,))])
    model.compile(keras.optimizers.SGD(1.0), lambda y_true, y_pred: K.sum(y_pred, axis=-1) / 2.0)
    ones = np.ones((4, 2))
    model.predict(ones)
    model.set_weights([np.full(2, 2.0)])
    np.testing.assert_allclose(model.predict(ones), np.full((4, 2), before), rtol=1e-5)
    model.train_on_batch(ones, ones)
    np.testing.assert_allclose(model.get_weights()[0], np.full(2, 2.0 - slope / 2), rtol=1e-5)


@pytest.mark.on('numpy', 'torch', 'jax', 'theano')
def test_cropping_all_there_is():
    """Keras 2 gives what is empty, Keras 3 refuses it."""
    for layer, shape, left in [(layers.Cropping1D(2), (4, 2), (0, 2)),
                               (layers.Cropping2D((1, 2)), (5, 4, 2), (3, 0, 2)),
                               (layers.Cropping3D(1, 'channels_first'), (1, 3, 2, 4), (1, 1, 0, 2))]:
        x = layers.Input(shape)
        assert Model(x, layer(x)).predict(np.ones((3,) + shape)).shape == (3,) + left
        with config.generation(3), pytest.raises(ValueError, match='should be smaller|must be smaller'):
            layer.from_config(layer.get_config())(np.ones((3,) + shape))


@pytest.mark.on('numpy', 'tensorflow')
def test_a_lambda_is_asked_with_the_dtype_of_its_input_only():
    seen = set()

    def doubled(x):
        seen.add(keras.backend.dtype(x))
        return x + x
    output = layers.Lambda(doubled)(keras.Input((3,), dtype='float64'))
    assert seen == {'float64'} and output.dtype == 'float64'


@pytest.mark.on('numpy')
def test_a_stack_that_begins_with_an_embedding():
    def stack():
        return keras.Sequential([keras.layers.Embedding(10, 4), keras.layers.Flatten(), keras.layers.Dense(2)])

    with config.generation(3):
        model = stack()
        assert not model.built
        assert model.predict(np.ones((3, 5), 'int32'), verbose=0).shape == (3, 2)
    with pytest.raises(ValueError, match='last size is known'):
        stack()
