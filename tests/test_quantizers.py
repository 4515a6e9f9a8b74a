import numpy as np
import pytest

from keras import ops, quantizers
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import Variable

NUMBERS = np.random.RandomState(0).normal(size=(5, 7)).astype('float32')


def arrays(*tensors):
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


def test_the_largest_absolute_value():
    numbers, scale = arrays(*quantizers.AbsMaxQuantizer(axis=-1)(NUMBERS))
    wanted = 127 / (np.abs(NUMBERS).max(1, keepdims=True) + 1e-7)
    np.testing.assert_allclose(scale, wanted, rtol=1e-6)
    np.testing.assert_array_equal(numbers, np.round(NUMBERS * wanted))
    assert numbers.dtype == 'int8'


def test_blocks_with_zero_points():
    given = NUMBERS * np.array([[1], [-1], [0.5], [1], [-1]], 'float32')
    given[[0, 3]], given[[1, 4]] = abs(given[[0, 3]]), -abs(given[[1, 4]])  # 0 lies in the range of every block
    numbers, scale, zero = arrays(*quantizers.abs_max_quantize_grouped_with_zero_point(given, 3))
    block = np.arange(5) // 3
    assert scale.shape == zero.shape == (2, 7) and abs(numbers).max() <= 8
    np.testing.assert_allclose((numbers - zero[block].astype('float32')) * scale[block], given, atol=scale.max())


@pytest.mark.parametrize('axis', [0, 1, -1])
@pytest.mark.parametrize('dtype, low', [('int8', -8), ('uint8', 0)])
def test_two_numbers_in_a_byte(axis, dtype, low):
    numbers = np.random.RandomState(0).randint(low, low + 16, (5, 4)).astype(dtype)
    packed, shape, length = quantizers.pack_int4(numbers, axis, dtype)
    assert arrays(packed)[0].shape == ((3, 4) if axis == 0 else (5, 2)) and arrays(length)[0] == numbers.shape[axis]
    np.testing.assert_array_equal(arrays(quantizers.unpack_int4(packed, length, axis, dtype))[0], numbers)


@pytest.mark.parametrize('dtype', ['float8_e4m3fn', 'float8_e5m2'])
def test_8_bit_floats(dtype):
    if get_engine().name == 'cntk':
        pytest.skip('CNTK orders sums as it likes')
    types = pytest.importorskip('ml_dtypes')
    x = np.concatenate([NUMBERS.ravel() * factor for factor in (1e-4, 1e-2, 1.0, 50.0)] + [np.arange(64) * 2.0 ** -11])
    x = x.astype('float32')
    expected = x.astype(getattr(types, dtype)).astype('float32')
    np.testing.assert_array_equal(arrays(quantizers.quantize_and_dequantize(x, 1.0, dtype, 'float32'))[0], expected)


def test_float8_statistics():
    history = arrays(quantizers.compute_float8_amax_history(np.array([1.0, -3.0], 'float32'),
                                                            np.array([5.0, 6.0, 7.0], 'float32')))[0]
    np.testing.assert_array_equal(history, [3.0, 7.0, 5.0])
    for amax, expected in ((3.0, 3.0 / 448), (0.0, 4.0)):
        assert float(arrays(quantizers.compute_float8_scale(amax, 4.0, 448.0))[0]) == pytest.approx(expected)


@pytest.mark.parametrize('least, most, begin, end', [(0.5, 128.0, 0.0, 127.5), (-0.1, 127.4, 0.0, 127.5),
                                                     (-128.0, -0.5, -127.5, 0.0)])
def test_the_range_of_fake_numbers_has_0(least, most, begin, end):
    x = np.array([begin - 1, begin, begin + 0.3, end, end + 1], 'float32')
    found = arrays(quantizers.fake_quant_with_min_max_vars(x, least, most))[0]
    np.testing.assert_allclose(found, [begin, begin, begin + 0.5, end, end], atol=1e-4)


@pytest.mark.needs_gradients
# CNTK divides with another last bit, so that -0.5 is no longer the number where the range begins.
@pytest.mark.on('torch', 'jax', 'tensorflow', 'theano', 'mxnet')
def test_gradients_of_fake_numbers():
    # By Keras 3.15.1 on JAX.
    x = np.array([-1.3, -0.5, 0.0, 0.1, 0.77, 1.01, 2.5], 'float32')
    least, most = (Variable(np.array(value, 'float32')) for value in (-0.5, 1.0))
    inputs = Variable(x)
    _, (dx, dleast, dmost) = get_engine().value_and_grad(
        lambda: (ops.sum(quantizers.fake_quant_with_min_max_vars(inputs.value, least.value, most.value)), None),
        [inputs, least, most])
    np.testing.assert_allclose(arrays(dx)[0], [0, 1, 1, 1, 1, 0, 0])
    assert (float(arrays(dleast)[0]), float(arrays(dmost)[0])) == (2.0, 2.0)


def test_fake_numbers_of_few_bits_round_ties_up():
    x = np.array([0.1, 0.3, 0.77], 'float32')  # by Keras 3.15.1 on JAX
    found = arrays(quantizers.fake_quant_with_min_max_vars(x, 0.0, 1.0, 4))[0]
    np.testing.assert_allclose(found, [2 / 15, 5 / 15, 12 / 15], atol=1e-6)


@pytest.mark.on('numpy')
def test_configs():
    for config in (quantizers.Int8QuantizationConfig(quantizers.AbsMaxQuantizer(axis=0)),
                   quantizers.Int4QuantizationConfig(block_size=64), quantizers.GPTQConfig(None, None),
                   quantizers.AWQConfig(None, None)):
        read = quantizers.deserialize(quantizers.serialize(config))
        assert type(read) is type(config) and read.get_config() == config.get_config()
    with pytest.raises(ValueError, match='does not support'):
        quantizers.Int4QuantizationConfig(quantizers.AbsMaxQuantizer(value_range=(-8, 7)))
    with pytest.raises(ValueError, match='value_range'):
        quantizers.AbsMaxQuantizer(value_range=(-256, 256))
    with pytest.raises(ValueError, match='Contradictory'):
        quantizers.resolved('int4', quantizers.Int8QuantizationConfig())
    assert type(quantizers.resolved(None, 'int4')) is quantizers.Int4QuantizationConfig
    for mode, config, words in (
            ('gptq', None, 'For GPTQ, you must pass a `GPTQConfig` object in the `config` argument.'),
            ('awq', None, 'For AWQ, you must pass an `AWQConfig` object in the `config` argument.'),
            ('gptq', {'weight_bits': 4}, 'Argument `config` must be an instance of `QuantizationConfig`'),
            (None, None, 'You must provide either `mode` or `config` to `quantize`')):
        with pytest.raises(ValueError, match=words):
            quantizers.resolved(mode, config)
    with pytest.raises(NotImplementedError, match='Do not instantiate QuantizationConfig directly'):
        quantizers.resolved('gptq', quantizers.QuantizationConfig())
