import numpy as np
import pytest

import keras
from keras import Input, Model, Sequential, layers, optimizers, quantizers
from keras.saving import load_model

RANDOM = np.random.RandomState(0)


def dense():
    return layers.Dense(6, name='layer'), RANDOM.normal(size=(3, 10)).astype('float32')


def einsum():
    return (layers.EinsumDense('abc,cde->abde', (None, 3, 4), bias_axes='de', name='layer'),
            RANDOM.normal(size=(2, 5, 10)).astype('float32'))


def middle():
    return (layers.EinsumDense('abc,dce->abed', (None, 4, 3), name='layer'),
            RANDOM.normal(size=(2, 5, 10)).astype('float32'))


def embedding():
    return layers.Embedding(11, 6, name='layer'), RANDOM.randint(0, 11, (2, 4))


def convolution():
    return layers.Conv2D(4, 3, name='layer'), RANDOM.normal(size=(2, 6, 6, 2)).astype('float32')


ALL = [dense, einsum, middle, embedding]


def built(make):
    layer, x = make()
    model = Sequential([Input(x.shape[1:], dtype=x.dtype.name), layer])
    model.set_weights([RANDOM.normal(size=weight.shape).astype('float32') for weight in model.weights])
    return model, layer, x


def with_kernel(make, kernel, bias, x):
    """What the layer gives with another kernel."""
    model, layer, _ = built(make)
    model.set_weights([kernel] if bias is None else [kernel, bias])
    return model.predict(x, verbose=0)


def parts(layer):
    bias = getattr(layer, 'bias', None)
    return getattr(layer, layer.faced).numpy(), None if bias is None else bias.numpy()


@pytest.mark.parametrize('make, rows', [(dense, 0), (einsum, 0), (middle, 1), (embedding, 1)])
def test_int8_weights_are_those_of_the_largest_absolute_value(make, rows):
    model, layer, x = built(make)
    kernel, bias = parts(layer)
    model.predict(x, verbose=0)
    model.quantize(config=quantizers.Int8QuantizationConfig(activation_quantizer=None))
    scale = 127 / (np.abs(kernel).max(rows, keepdims=True) + 1e-7)
    rounded = np.clip(np.round(kernel * scale), -127, 127) / scale
    assert layer.quantization_mode == 'int8' and layer.weights[-1 if bias is None else 1].dtype in ('int8', 'float32')
    # `kernel` shows the integers, as in Keras 3.
    shown = getattr(layer, layer.faced)
    assert shown.dtype == 'int8' and tuple(shown.shape) == kernel.shape
    np.testing.assert_array_equal(shown.numpy(), np.round(rounded * scale))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer.faced_value()), rounded, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(x, verbose=0), with_kernel(make, rounded.astype('float32'), bias, x),
                               rtol=1e-4, atol=1e-5)


def test_int8_inputs_are_rounded_as_well():
    model, layer, x = built(dense)
    kernel, bias = parts(layer)
    model.quantize('int8')
    row, column = 127 / (np.abs(x).max(1, keepdims=True) + 1e-7), 127 / (np.abs(kernel).max(0) + 1e-7)
    expected = np.round(x * row) @ np.round(kernel * column) / (row * column) + bias
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('make', ALL)
@pytest.mark.parametrize('block', [None, 4, 128])
def test_int4_is_near_and_packed(make, block):
    model, layer, x = built(make)
    kernel, bias = parts(layer)
    model.quantize(config=quantizers.Int4QuantizationConfig(block_size=block))
    stored = layer.own_variables_in_order()[0]
    assert stored.dtype == 'int8' and 2 * stored.size == kernel.size
    shown = getattr(layer, layer.faced)
    assert shown.dtype == 'int8' and tuple(shown.shape) == kernel.shape
    assert shown.numpy().min() >= -8 and shown.numpy().max() <= 7
    face = keras.ops.convert_to_numpy(layer.faced_value())
    # No number is further away than half a step, which is at most the whole range of the weight over 15. (Keras 3 cuts
    # numbers off in blocks that do not contain 0.)
    if block != 4:
        assert np.abs(face - kernel).max() <= 2 * np.abs(kernel).max() / 14 * (1 if block else 0.51)
    np.testing.assert_allclose(model.predict(x, verbose=0), with_kernel(make, face, bias, x), rtol=1e-4, atol=1e-4)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('make', [dense, einsum, middle])
def test_int4_packs_the_kernel_as_it_lies(make):
    # Keras 3.15.1 reshapes it to (summed over, not), also where what is summed over does not come first.
    model, layer, x = built(make)
    matrix = layer.kernel.numpy().reshape(10, -1)
    model.quantize(config=quantizers.Int4QuantizationConfig(block_size=None))
    scale = 7 / (np.abs(matrix).max(0) + 1e-7)
    numbers = np.clip(np.round(matrix * scale), -8, 7).astype('int8')
    packed = (numbers[:, ::2] & 15 | (numbers[:, 1::2] & 15) << 4).astype('int8')
    np.testing.assert_array_equal(layer.own_variables_in_order()[0].numpy(), packed)
    np.testing.assert_allclose(layer.kernel_scale.numpy(), scale, rtol=1e-6)
    np.testing.assert_array_equal(layer.kernel.numpy().reshape(10, -1), numbers)


@pytest.mark.parametrize('make', ALL + [convolution])
def test_low_rank_updates(make):
    model, layer, x = built(make)
    kernel, bias = parts(layer)
    before = model.predict(x, verbose=0)
    layer.enable_lora(2, lora_alpha=3)
    np.testing.assert_allclose(model.predict(x, verbose=0), before, rtol=1e-5, atol=1e-5)
    first, second = (getattr(layer, 'lora_%s_%s' % (layer.faced, letter)) for letter in 'ab')
    second.assign(RANDOM.normal(size=second.shape).astype('float32'))
    merged = kernel + 1.5 * first.numpy() @ second.numpy()
    np.testing.assert_allclose(getattr(layer, layer.faced).numpy(), merged, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), with_kernel(make, merged, bias, x), rtol=1e-4, atol=1e-4)
    assert [weight.shape for weight in layer.non_trainable_weights] == [kernel.shape]
    with pytest.raises(ValueError, match='already enabled'):
        layer.enable_lora(2)


@pytest.mark.on('torch', 'tensorflow', 'jax', 'mxnet', 'theano')
@pytest.mark.parametrize('make', [dense, embedding])
@pytest.mark.parametrize('mode', [None, 'int8', 'int4'])
def test_training_changes_the_update_and_nothing_else(make, mode):
    model, layer, x = built(make)
    layer.enable_lora(2)
    if mode is not None:
        model.quantize(mode)
    model.compile(optimizers.SGD(0.1), 'mse')
    stored, factor = layer.own_variables_in_order()[0].numpy(), layer.lora_rank and layer._lora[1].numpy()
    y = np.zeros(model.predict(x, verbose=0).shape, 'float32')
    losses = model.fit(x, y, epochs=4, verbose=0).history['loss']
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(layer.own_variables_in_order()[0].numpy(), stored)
    assert not np.array_equal(layer._lora[1].numpy(), factor)


@pytest.mark.parametrize('make', ALL)
@pytest.mark.parametrize('kind', ['int8', 'int4', 'lora', 'lora int8'])
def test_files(make, kind, tmp_path):
    model, layer, x = built(make)
    if 'lora' in kind:
        layer.enable_lora(2)
        layer._lora[1].assign(RANDOM.normal(size=layer._lora[1].shape).astype('float32'))
    if 'int' in kind:
        model.quantize(kind.split()[-1])
    expected = model.predict(x, verbose=0)
    model.save(str(tmp_path / 'model.keras'))
    read = load_model(str(tmp_path / 'model.keras'))
    assert read.layers[-1].lora_enabled == ('lora' in kind)
    assert read.layers[-1].quantization_mode == layer.quantization_mode
    # An update that is merged into few bits loses some.
    np.testing.assert_allclose(read.predict(x, verbose=0), expected, rtol=1e-4, atol=0.6 if ' ' in kind else 1e-5)


@pytest.mark.on('numpy')
def test_what_is_refused():
    layer = layers.Dense(2)
    for call in (lambda: layer.quantize('int8'), lambda: layer.enable_lora(2)):
        with pytest.raises(ValueError, match="isn't yet built"):
            call()
    layer.build((None, 3))
    with pytest.raises(ValueError, match='Invalid quantization mode'):
        layer.quantize('int7')
    layer.quantize('int8')
    with pytest.raises(ValueError, match='already quantized'):
        layer.quantize('int4')

    class Own(layers.Dense):
        pass
    own = Own(2)
    own.build((None, 3))
    with pytest.raises(NotImplementedError):
        own.quantize('int8')
    own.quantize('int8', type_check=False)
    with pytest.raises(ValueError, match='incompatible with kernel constraints'):
        layers.Dense(2, kernel_constraint='max_norm').enable_lora(2)


@pytest.mark.on('numpy')
def test_a_policy_and_filters_say_what_is_quantized():
    layer = layers.Dense(4, dtype='int8_from_float32')
    assert layer(np.ones((1, 4), 'float32')).shape == (1, 4)
    assert [weight.dtype for weight in layer.weights] == ['float32', 'int8', 'float32']
    layer = layers.Dense(4)
    layer.build((None, 4))
    layer.dtype_policy = 'int4_from_float32'
    assert layer.quantization_config.mode == 'int4' and len(layer.variables) == 5
    # Without a layer to quantize, the policy alone says that there are no blocks (Keras 3.15.1).
    layer = layers.Dense(4, dtype='int4_from_float32')
    layer.build((None, 4))
    assert layer.quantization_config.mode == 'int4' and len(layer.variables) == 3
    model = Sequential([layers.Dense(4, name='first', input_shape=(4,)), layers.Dense(4, name='last')])
    model.quantize('int8', filters='^last')
    assert [layer.quantization_mode for layer in model.layers] == [None, 'int8']


@pytest.mark.on('torch', 'tensorflow', 'jax')
def test_float8_scales_follow_what_training_sees(tmp_path):
    layer = layers.Dense(4)
    model = Sequential([Input((3,)), layer])
    model.quantize('float8')
    assert len(layer.trainable_weights) == 8 and not layer.non_trainable_weights
    types, x = pytest.importorskip('ml_dtypes'), RANDOM.normal(size=(8, 3)).astype('float32')
    y = RANDOM.normal(size=(8, 4)).astype('float32')

    def rounded(values, scale, kind=types.float8_e4m3fn, largest=448):
        return np.clip(values / scale, -largest, largest).astype(kind).astype('float32') * scale

    def half(values):  # Keras 3 adds the bias as a bfloat16
        return values.astype(types.bfloat16).astype('float32')
    model.compile(optimizers.SGD(0.1), 'mse')
    kernel, bias, scales, seen = layer.kernel.numpy(), np.zeros(4, 'float32'), np.ones(3, 'float32'), [[0], [0], [0]]
    for _ in range(4):
        # A step computes with the scales that the steps before have left (Micikevicius et al., 2022).
        inner = rounded(x, scales[0]) @ rounded(kernel, scales[1]) + half(bias)
        np.testing.assert_allclose(model.train_on_batch(x, y), np.mean((inner - y) ** 2), rtol=1e-5)
        wrong = 2 * (inner - y) / y.size
        by_result = rounded(wrong, scales[2], types.float8_e5m2, 57344)
        change = rounded(x, scales[0]).T @ by_result
        amax = [np.abs(values).max() for values in (x, kernel, wrong)]
        scales = np.array([max(past) / largest if max(past) else scale for past, largest, scale in
                           zip(seen, (448, 448, 57344), scales)], 'float32')
        for past, largest in zip(seen, amax):
            past.append(largest)
        kernel, bias = kernel - 0.1 * change, bias - 0.1 * half(wrong.sum(0))
        np.testing.assert_allclose(layer.kernel.numpy(), kernel, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose([getattr(layer, name + '_scale').numpy() for name in ('inputs', 'kernel')],
                                   scales[:2], rtol=1e-5)
        np.testing.assert_allclose(layer.inputs_amax_history.numpy()[0], amax[0])
    assert layer.outputs_grad_amax_history.numpy()[0] > 0
    model.save(str(tmp_path / 'model.keras'))
    read = load_model(str(tmp_path / 'model.keras'))
    np.testing.assert_allclose(read.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


@keras.saving.register_keras_serializable('test_adapted')
class Around(layers.Layer):
    """A layer that has its quantized layer built by its call, while shapes are found."""

    def __init__(self, policy=None, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(4, dtype=policy, name='inner')

    def call(self, inputs):
        return self.inner(inputs)

    def get_config(self):
        return dict(super().get_config(), policy=self.inner.dtype_policy.name)


@pytest.mark.parametrize('mode', ['int8', 'int4'])
@pytest.mark.filterwarnings('ignore:.*quantize. method')
def test_a_layer_quantized_inside_another_one_is_read_as_it_was(tmp_path, mode):
    inputs = Input((6,))
    model = Model(inputs, Around()(inputs))
    model.quantize(mode)
    x = RANDOM.normal(size=(5, 6)).astype('float32')
    model.save(str(tmp_path / 'model.keras'))
    read = load_model(str(tmp_path / 'model.keras'))
    assert read.layers[-1].inner.is_quantized
    for weight, other in zip(model.get_weights(), read.get_weights()):
        assert weight.dtype == other.dtype
        np.testing.assert_array_equal(weight, other)
    np.testing.assert_allclose(read.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('make', [dense, einsum])
@pytest.mark.parametrize('mode, kind', [('gptq', quantizers.GPTQConfig), ('awq', quantizers.AWQConfig)])
def test_until_it_is_calibrated_a_layer_computes_with_its_weight(make, mode, kind, tmp_path):
    model, layer, x = built(make)
    before = model.predict(x, verbose=0)
    layer.quantize(mode, config=kind(None, None, group_size=5))
    assert layer.quantization_mode == mode and not getattr(layer, 'is_%s_calibrated' % mode)
    assert layer.quantized_kernel.dtype == 'uint8' and not layer.quantized_kernel.numpy().any()
    np.testing.assert_allclose(model.predict(x, verbose=0), before, rtol=2e-6)
    # Files have the nearest numbers.
    model.save(str(tmp_path / 'model.keras'))
    read = load_model(str(tmp_path / 'model.keras'))
    found = read.layers[-1]
    assert getattr(found, 'is_%s_calibrated' % mode) and not hasattr(found, '_kernel')
    assert found.kernel.dtype == 'uint8' and found.kernel.numpy().max() == 15
    assert tuple(found.kernel.shape) == (np.prod(layer.kernel.shape) // 10, 10)
    np.testing.assert_allclose(read.predict(x, verbose=0), before, atol=1.5)


class Scaled(layers.Layer):
    """A layer with a quantization of its own, by the methods that Keras 3 asks."""

    def build(self, input_shape):
        if self.quantization_mode:
            self.quantized_build(input_shape, self.quantization_mode)
        else:
            self.factor = self.add_weight(shape=input_shape[-1:], initializer='ones', name='factor')
        self.built = True

    def call(self, inputs):
        return inputs * self.factor

    def quantized_build(self, input_shape, mode, config=None):
        self.factor = self.add_weight(shape=input_shape[-1:], dtype='int8', trainable=False, initializer='zeros',
                                      name='factor')
        self.factor_scale = self.add_weight(shape=(), trainable=False, initializer='ones', name='factor_scale')
        self._is_quantized = True

    def quantize(self, mode, type_check=True, config=None):
        assert isinstance(config, quantizers.Int8QuantizationConfig)
        value = self.factor.numpy()
        numbers, scale = quantizers.abs_max_quantize(value, 0, to_numpy=True)
        del self.factor
        self.quantized_build((None,) + value.shape, mode, config)
        self.factor.assign(numbers)
        self.factor_scale.assign(scale[0])
        self.dtype_policy = keras.dtype_policies.get('%s_from_%s' % (mode, self.dtype_policy.name))

    def _int8_call(self, inputs):
        return inputs * keras.ops.cast(self.factor, self.compute_dtype) / self.factor_scale


def test_layers_of_scripts_are_quantized_by_their_own_methods():
    layer = Scaled()
    model = Sequential([Input((3,)), layer])
    layer.factor.assign([1.0, -2.0, 0.3])
    x = np.ones((2, 3), 'float32')
    model.predict(x, verbose=0)
    model.quantize('int8')
    assert [weight.dtype for weight in layer.weights] == ['int8', 'float32'] and not layer.trainable_weights
    expected = np.round(np.array([1.0, -2.0, 0.3]) * 63.5) / 63.5
    np.testing.assert_allclose(model.predict(x, verbose=0)[0], expected, rtol=1e-4)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x))[0], expected, rtol=1e-4)
    with pytest.raises(ValueError, match='already quantized'):
        layer.quantize('int8')
    again = Scaled(dtype='int8_from_float32')
    again(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(keras.ops.convert_to_numpy(again(x))[0], expected, rtol=1e-4)


@pytest.mark.on('numpy')
def test_what_a_layer_without_quantization_says():
    layer = layers.Flatten()
    for call in (lambda: layer.quantized_build((2,), 'int8'), lambda: layer._int8_call(1),
                 lambda: layer.quantize('int8')):
        with pytest.raises(NotImplementedError, match='does not have a `.*` method implemented'):
            call()
    with pytest.raises(NotImplementedError, match='Invalid quantization mode'):
        layer.quantized_call(1)


@pytest.mark.on('numpy')
def test_a_subclass_whose_type_is_not_checked_computes_as_its_family():
    class Twice(layers.Dense):
        def call(self, inputs):
            return 2 * keras.ops.matmul(inputs, self.kernel)

    layer = Twice(2)
    x = np.ones((1, 3), 'float32')
    layer(x)
    expected = x @ layer.kernel.numpy()
    layer.quantize('int8', type_check=False)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x)), expected, rtol=0.03)


@pytest.mark.on('numpy')
def test_models_of_packages_are_told_that_they_were_quantized():
    told = []

    class Told(Model):
        def _post_quantize(self, mode, **kwargs):
            super()._post_quantize(mode, **kwargs)
            told.append(mode)

    inputs = Input((3,))
    Told(inputs, layers.Dense(2)(inputs)).quantize('int8')
    assert told == ['int8']


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('mode', ['int8', 'int4', 'float8'])
def test_files_know_the_quantized_layers_inside_of_others(mode, tmp_path):
    inputs = Input((5, 8))
    model = Model(inputs, layers.TimeDistributed(layers.Dense(3))(layers.MultiHeadAttention(2, 4)(inputs, inputs)))
    model.quantize(mode)
    x = RANDOM.normal(size=(2, 5, 8)).astype('float32')
    expected = model.predict(x, verbose=0)
    model.save(str(tmp_path / 'model.keras'))
    read = load_model(str(tmp_path / 'model.keras'))
    assert [layer.quantization_mode for layer in read.layers[1]._flatten_layers(False) if layer.weights] == [mode] * 4
    np.testing.assert_allclose(read.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.on('numpy')
def test_low_rank_updates_of_8_bit_floats():
    model, layer, x = built(dense)
    model.quantize('float8')
    before = model.predict(x, verbose=0)
    layer.enable_lora(2)
    np.testing.assert_allclose(model.predict(x, verbose=0), before, rtol=1e-5, atol=1e-5)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation', [2, 3])
def test_quantize_of_a_script_gets_what_it_names(generation):
    class Own(keras.layers.Dense):
        def quantize(self, mode, type_check=True):
            self.told = mode, type_check
    with keras.config.generation(generation):
        layer = Own(2)
        layer.build((None, 3))
        layer.quantize('int8', False)
    assert layer.told == ('int8', False)


@pytest.mark.on('numpy')
def test_policies_may_be_set_by_their_names_of_old():
    class Own(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self._dtype_policy = 'of its own'
    assert Own()._dtype_policy == 'of its own'


@pytest.mark.on('numpy')
def test_another_shape_for_a_quantized_weight_warns():
    layer = layers.Dense(2)
    layer.build((None, 3))
    with pytest.warns(UserWarning, match='has no effect'):
        layer.quantized_build((5, 2), 'int8')
