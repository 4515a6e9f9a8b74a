"""What Keras 3 refuses, computes and calls otherwise, beside its numbers (3.15.1)."""
import numpy as np
import pytest

import keras
from keras import config, initializers, layers
from keras.utils import internals

pytestmark = pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')


def to_array(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('make, kind, words', [
    (lambda: layers.Dropout(0.5, noise_shape='ab'), ValueError, 'Expected a tuple or list of integers'),
    (lambda: layers.Dropout(0.5, noise_shape=(2, 1.5)), ValueError, 'Expected all elements to be integers or None'),
    (lambda: layers.AlphaDropout(0.5, noise_shape=(2, 0)), ValueError, 'Expected all dimensions to be positive'),
    (lambda: layers.Reshape((-2, 5)), ValueError, 'non-negative integer.*-1.*target_shape=.-2, 5'),
    (lambda: layers.Reshape((-1, -1)), ValueError, 'at most one unknown dimension'),
    (lambda: layers.RepeatVector('3'), TypeError, 'Expected an integer value for `n`'),
    (lambda: layers.RepeatVector(0), ValueError, 'should be a positive integer'),
    (lambda: layers.UpSampling1D(2.5), TypeError, 'Expected an integer value for `size`'),
    (lambda: layers.Cropping1D((1,)), ValueError, '`cropping`'),
    (lambda: layers.ZeroPadding1D((1,)), ValueError, '`padding`'),
    (lambda: layers.Cropping2D(2)(np.ones((1, 4, 9, 1))), ValueError, 'smaller than the corresponding spatial'),
    (lambda: layers.LayerNormalization(axis={'axis': -1}), TypeError, "list/tuple of ints for the argument 'axis'"),
    (lambda: layers.GroupNormalization(groups=1.5), ValueError, 'argument `groups`'),
    (lambda: layers.GroupNormalization(groups=5)(np.ones((2, 4))), ValueError, 'more than the number of channels'),
    (lambda: layers.BatchNormalization(renorm=True, renorm_clipping={'rmax': 0., 'rmin': 1.}), ValueError,
     'rmax should be'),
    (lambda: layers.Attention()([np.ones((1, 2, 2))] * 2, mask=np.ones((1, 2))), ValueError, 'mask must be a list'),
    (lambda: layers.MultiHeadAttention(2, 3, output_shape=8.0), ValueError, 'Invalid `output_shape`'),
    (lambda: layers.TimeDistributed(layers.Dense(2))(np.ones((4, 5, 3)), mask=np.ones((4, 6), bool)), ValueError,
     'The `mask` passed to the `TimeDistributed` layer has a shape'),
    (lambda: layers.Softmax()(np.ones((1, 3)), mask=np.ones((1, 1, 3))), ValueError, 'must not have more dimensions'),
    (lambda: initializers.get(np.ones((2, 2)))((3, 3)), ValueError, 'Expected `shape` to be'),
])
def test_what_is_refused(make, kind, words):
    with config.generation(3), pytest.raises(kind, match=words):
        make()


def test_shapes_of_attention():
    for layer in (layers.MultiHeadAttention(2, 3), layers.GroupQueryAttention(3, 4, 2)):
        assert layer.compute_output_shape((7, 4, 8), [7, 2, 8], (7, 2, 3)) == (7, 4, 8)
        with pytest.raises(ValueError, match='must be equal'):
            layer.compute_output_shape((2, 4, 8), (2, 2, 8), (2, 1, 7))
    layer = layers.MultiHeadAttention(2, 3, output_shape=(3, 4))
    assert layer.compute_output_shape((7, 4, 8), (7, 2, 8)) == (7, 4, 3, 4)


def test_queries_that_are_masked_attend_evenly_since_tf_keras():
    for generation, evenly in ((2, False), ('tf', True), (3, True)):
        with config.generation(generation):
            layer = layers.MultiHeadAttention(1, 2)
            query, value = (keras.ops.convert_to_tensor(np.random.RandomState(seed).normal(size=(1, 3, 4)).astype(
                'float32')) for seed in (1, 2))
            plain = to_array(layer(query, value))
            internals.set_keras_mask(query, keras.ops.convert_to_tensor(np.array([[True, True, False]])))
            masked = to_array(layer(query, value))
        np.testing.assert_allclose(masked[0, :2], plain[0, :2], atol=1e-6)
        mean = np.mean(to_array(layer.value_dense(value))[0], 0)
        expected = to_array(layer.output_dense(keras.ops.convert_to_tensor(mean[None, None])))[0, 0]
        assert np.allclose(masked[0, 2], expected, atol=1e-5) == evenly


def test_deviations_that_are_all_the_scale_there_is():
    with config.generation(3):
        layer = layers.LayerNormalization(rms_scaling=True)
        x = np.arange(5, dtype='float32')[None]
        np.testing.assert_allclose(to_array(layer(x)), x / np.sqrt(2 + 1e-3), rtol=1e-5)
        assert len(layer.weights) == 1
        again = layers.LayerNormalization.from_config(layer.get_config())
        assert again.rms_scaling and layers.LayerNormalization().get_config()['rms_scaling'] is False
    with config.generation('tf'):
        assert 'rms_scaling' not in layers.LayerNormalization().get_config()


def test_deviations_begin_at_the_root_of_variances():
    layer = layers.BatchNormalization(renorm=True, moving_variance_initializer=initializers.Constant(4.0))
    layer.build((None, 3))
    np.testing.assert_allclose(layer.moving_stddev.numpy(), [2.0] * 3)
    np.testing.assert_allclose(layer.renorm_stddev.numpy(), [2.0] * 3)


def test_numbers_too_large_for_16_bits_are_normalized():
    for make in (layers.GroupNormalization, layers.LayerNormalization):
        layer = make(**dict({'groups': 2} if make is layers.GroupNormalization else {}, dtype='mixed_float16'))
        result = layer(keras.ops.convert_to_tensor(np.full((2, 4, 8), 7e4, 'float32')))
        assert keras.ops.dtype(result) == 'float16' and not np.isnan(to_array(result)).any()


def test_kernels_of_equations_begin_by_what_is_summed_over():
    for generation, deviation in ((3, 32 ** -0.5), (2, 256 ** -0.5)):
        with config.generation(generation):
            layer = layers.MultiHeadAttention(8, 16, kernel_initializer='lecun_normal')
            layer.build((None, 10, 32), (None, 10, 32))
        assert np.std(layer.query_dense.kernel.numpy()) == pytest.approx(deviation, rel=0.1)


def test_an_outer_product_is_an_equation():
    layer = layers.EinsumDense('i,d->id', output_shape=(2,))
    x = np.array([1.0, 2.0], 'float32')
    np.testing.assert_allclose(to_array(layer(x)), np.outer(x, layer.kernel.numpy()), rtol=1e-6)


def test_steps_that_do_not_count_in_a_layer_of_ones_own():
    class Counted(layers.Layer):
        supports_masking = True

        def call(self, inputs, mask=None):
            return inputs if mask is None else inputs * keras.ops.cast(keras.ops.expand_dims(mask, -1), inputs.dtype)

    x, mask = np.ones((2, 3, 1), 'float32'), np.array([[True, False, True], [False, True, True]])
    for generation in (2, 'tf', 3):
        with config.generation(generation):
            found = to_array(layers.TimeDistributed(Counted())(x, mask=mask))
        np.testing.assert_array_equal(found[..., 0], np.ones((2, 3)) if generation == 2 else mask)


def test_initializers_of_values_windows_and_generators():
    values = np.arange(4.0, dtype='float32').reshape(2, 2)
    np.testing.assert_array_equal(initializers.get(values)((2, 2)), values)
    drawn = initializers.RandomNormal(seed=keras.random.SeedGenerator(3))
    again = initializers.deserialize(initializers.serialize(drawn))
    assert isinstance(again.seed, keras.random.SeedGenerator) and again((2, 2)).shape == (2, 2)
    angles = -2 * np.pi * np.outer(np.arange(8), np.arange(5)) / 8
    np.testing.assert_allclose(initializers.STFT('real', None)((8, 1, 5))[:, 0], np.cos(angles), atol=1e-6)
    window = pytest.importorskip('scipy.signal').get_window('nuttall', 8, False)
    np.testing.assert_allclose(initializers.STFT('imag', 'nuttall', 'density')((8, 1, 5))[:, 0],
                               np.sin(angles) * window[:, None] / np.linalg.norm(window), atol=1e-6)


def test_regularizers_of_one_norm():
    for generation, names in ((2, ('L1L2', 'L1L2')), (3, ('L1', 'L2'))):
        with config.generation(generation):
            assert tuple(type(keras.regularizers.get(name)).__name__ for name in ('l1', 'l2')) == names


def test_both_directions_reset():
    with config.generation(3):
        layer = layers.Bidirectional(layers.LSTM(2, stateful=True))
        x = np.ones((2, 3, 4), 'float32')
        first = to_array(layer(x))
        assert not np.allclose(to_array(layer(x)), first)
        layer.reset_state()
        np.testing.assert_allclose(to_array(layer(x)), first, rtol=1e-6)


@pytest.mark.on('numpy')
def test_what_layers_of_ones_own_are_told():
    class Named(layers.Dense):
        def __init__(self, units, dtype=None, **kwargs):
            assert dtype is None or isinstance(dtype, str)
            super().__init__(units, dtype=dtype, **kwargs)

    class Unsaid(layers.Layer):
        def build(self, foo_shape, bar):
            self.built = True

        def call(self, foo, bar):
            return foo + bar

    class Measured(layers.Layer):
        def __init__(self, inner=None):
            super().__init__()
            self.inner, self.metric = inner, keras.metrics.MeanSquaredError()

    with config.generation(3):
        assert Named.from_config(layers.Dense(2, dtype='bfloat16').get_config()).dtype == 'bfloat16'
        with pytest.raises(ValueError, match='argument `bar`, which does not end in `_shape`'):
            Unsaid()(np.ones((1, 2)), np.ones((1, 2)))
        for wrong in ('yes', None, 1):
            with pytest.raises(ValueError, match='`trainable` to be a boolean'):
                layers.Dense(2, trainable=wrong)
        with pytest.raises(NotImplementedError, match='does not have a `quantize` method implemented'):
            layers.Layer().quantize('int8')
        with pytest.raises(ValueError, match='both positionally and as a keyword'):
            layers.Layer().add_weight((3,), shape=(3,))
    assert len(Measured(Measured()).metrics) == 2
    assert layers.Dense(2, trainable=1).trainable


@pytest.mark.on('numpy')
def test_calibrated_bits_need_data():
    layer = layers.Dense(3)
    layer.build((2, 4))
    with pytest.raises(ValueError, match='Implicitly enabling GPTQ quantization.*is not supported'):
        layer.dtype_policy = 'gptq/4/-1_from_float32'


@pytest.mark.on('numpy')
@pytest.mark.parametrize('make, words', [
    (lambda: layers.LeakyReLU(negative_slope=-1), 'The negative_slope value of a Leaky ReLU layer cannot be None or'),
    (lambda: layers.ReLU(threshold=-10), 'threshold of a ReLU layer cannot be None or a negative value. Received: t'),
    (lambda: layers.ReLU(max_value=-10), 'max_value of a ReLU layer cannot be a negative value. Received: max_value'),
    (lambda: layers.RandomBrightness(0.1, value_range=[10]), 'The `value_range` argument should be a list of two num'),
    (lambda: layers.RandomBrightness(0.1)(np.ones((4, 4))), 'Expected the input image to be rank 3 or 4.'),
])
def test_words_of_numbers_that_are_refused(make, words):
    with config.generation(3), pytest.raises(ValueError, match=words):
        make()


@pytest.mark.on('numpy')
def test_slopes_below_zero_in_keras2():
    assert layers.LeakyReLU(-1).alpha == -1
    np.testing.assert_array_equal(layers.ReLU(threshold=-1)(np.array([-0.5, -2])), [-0.5, 0])


@pytest.mark.parametrize('make', [
    lambda: layers.Layer(), lambda: type('Bare', (layers.Layer,), {})()])
def test_a_layer_without_a_call_of_its_own(make):
    np.testing.assert_array_equal(to_array(make()(np.ones((2, 2)))), np.ones((2, 2)))
    with config.generation(3):
        for inputs in (np.ones((2, 2)), layers.Input((2,))):
            with pytest.raises(NotImplementedError, match='does not have a `call` method implemented'):
                make()(inputs)


def test_softmax_is_built_at_once_and_refuses_axes():
    with config.generation(3):
        assert layers.Softmax().built and layers.Softmax([1, 2]).built
    for inputs in (np.ones((2, 2)), layers.Input((2,))):
        with pytest.raises(ValueError, match='does not name an axis'):
            layers.Softmax(2)(inputs)


class Adding(layers.Layer):
    def call(self, inputs):
        self.add_loss(keras.ops.sum(inputs))
        return inputs


@pytest.mark.parametrize('make', [
    Adding, lambda: layers.ActivityRegularization(l1=1), lambda: layers.Activation('relu', activity_regularizer='l1')])
def test_calls_on_symbols_leave_no_losses(make):
    with config.generation(3):
        layer, inputs = make(), layers.Input((3,))
        model = keras.Model(inputs, layer(inputs))
        assert layer.losses == model.losses == []
        model(np.ones((2, 3), 'float32'))
        assert len(model.losses) == 1
        model.compile('sgd', 'mse')
        assert model.evaluate(np.zeros((2, 3)) + 2, np.zeros((2, 3)) + 2, verbose=0) > 0
    layer = make()
    layer(layers.Input((3,)))
    assert len(layer.losses) == 1
