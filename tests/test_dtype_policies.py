import json

import numpy as np
import pytest

import keras
from keras import dtype_policies, layers, models, optimizers
from keras.backend.contract.loading import get_engine

HALVES = pytest.mark.on('tensorflow', 'jax', 'torch')


@pytest.fixture
def restored():
    yield
    keras.config.settings.dtype_policy = None


@pytest.mark.on('numpy')
@pytest.mark.parametrize('name, cls, compute, variables, mode', [
    ('float32', 'DTypePolicy', 'float32', 'float32', None),
    ('mixed_float16', 'DTypePolicy', 'float16', 'float32', None),
    ('mixed_bfloat16', 'DTypePolicy', 'bfloat16', 'float32', None),
    ('uint8', 'DTypePolicy', 'uint8', 'uint8', None),
    ('int8_from_mixed_bfloat16', 'QuantizedDTypePolicy', 'bfloat16', 'float32', 'int8'),
    ('float8_from_float32', 'QuantizedFloat8DTypePolicy', 'float32', 'float32', 'float8'),
    ('gptq/4/-1_from_float32', 'GPTQDTypePolicy', 'float32', 'float32', 'gptq'),
    ('awq/4/128_from_float32', 'AWQDTypePolicy', 'float32', 'float32', 'awq'),
    ('int4/32_from_float32', 'Int4DTypePolicy', 'float32', 'float32', 'int4')])
def test_names_and_configs_as_keras_3_writes_them(name, cls, compute, variables, mode):
    policy = dtype_policies.get(name)
    assert (policy.name, type(policy).__name__) == (name, cls)
    assert (policy.compute_dtype, policy.variable_dtype, policy.quantization_mode) == (compute, variables, mode)
    written = dtype_policies.serialize(policy)
    assert written['module'] == ('keras' if cls == 'DTypePolicy' else 'keras.dtype_policies')
    assert written['class_name'] == cls and written['registered_name'] is None
    for read in (dtype_policies.deserialize, dtype_policies.get, keras.saving.deserialize_keras_object):
        assert read(json.loads(json.dumps(written))) == policy


@pytest.mark.on('numpy')
@pytest.mark.parametrize('wrong', ['foo', 'mixed_float15', '', 'int8', 'int8_abc_', 'int8_from_',
                                   'awq/8/128_from_float32', 'gptq/4/0_from_float32', 'int8_from_mixed_float16', 123])
def test_what_is_no_policy(wrong):
    with pytest.raises(ValueError):
        dtype_policies.get(wrong)


@pytest.mark.on('numpy')
def test_policies_of_every_generation_are_read():
    for form in ('mixed_float16', {'class_name': 'Policy', 'config': {'name': 'mixed_float16'}},
                 {'class_name': 'PolicyV1', 'config': {'name': 'mixed_float16', 'loss_scale': {
                     'class_name': 'DynamicLossScale', 'config': {}}}},
                 {'module': 'keras', 'class_name': 'DTypePolicy', 'config': {'name': 'mixed_float16'},
                  'registered_name': None}):
        layer = layers.Dense(2, dtype=form)
        assert (layer.compute_dtype, layer.variable_dtype, layer.dtype_policy.name) == (
            'float16', 'float32', 'mixed_float16')


@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation, expected', [
    (2, 'mixed_float16'), ('tf', {'class_name': 'Policy', 'config': {'name': 'mixed_float16'}}),
    (3, {'module': 'keras', 'class_name': 'DTypePolicy', 'config': {'name': 'mixed_float16'},
         'registered_name': None})])
def test_policies_are_written_for_every_generation(generation, expected):
    with keras.config.generation(generation):
        layer = layers.Dense(2, dtype='mixed_float16')
    assert layer.get_config()['dtype'] == expected
    assert type(layer).from_config(layer.get_config()).dtype_policy == layer.dtype_policy


@pytest.mark.on('numpy')
def test_the_global_policy(restored):
    keras.mixed_precision.set_global_policy('mixed_float16')
    assert keras.config.dtype_policy().name == 'mixed_float16'
    assert layers.Dense(2).compute_dtype == 'float16' and keras.DTypePolicy().name == 'mixed_float16'
    assert layers.Dense(2, dtype='float32').compute_dtype == 'float32'
    from keras.src.dtype_policies.dtype_policy import dtype_policy
    assert dtype_policy is keras.config.dtype_policy is keras.mixed_precision.dtype_policy
    with pytest.raises(ValueError, match='Invalid `policy`'):
        keras.config.set_dtype_policy(None)


@pytest.mark.on('numpy')
def test_a_map_has_a_policy_for_each_path():
    policies = dtype_policies.DTypePolicyMap('float32', {'block/first': dtype_policies.get('mixed_float16')})
    policies['block/.*last'] = 'float64'

    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.first = layers.Dense(3, name='first', dtype=self.dtype_policy)
            self.last = layers.Dense(2, name='last', dtype=self.dtype_policy)

        def call(self, inputs):
            return self.last(self.first(inputs))
    block = Block(name='block', dtype=policies)
    block(np.ones((1, 4), 'float32'))
    assert [layer.path for layer in (block, block.first, block.last)] == ['block', 'block/first', 'block/last']
    assert (block.compute_dtype, block.first.compute_dtype, block.last.compute_dtype) == (
        'float32', 'float16', 'float64')
    read = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert dict(read.items()) == dict(policies.items()) and read.default_policy.name == 'float32'
    with pytest.raises(ValueError, match='already exist'):
        policies['block/first'] = 'float32'
    policies['.*ast'] = 'float16'
    with pytest.raises(ValueError, match='matches multiple'):
        policies['block/last']


def test_variables_read_in_the_type_of_the_computation():
    half = 'float16' if get_engine().name != 'theano' else 'float64'

    class Sum(layers.Layer):
        def build(self, input_shape):
            self.cast = self.add_weight(name='cast', shape=(), initializer='ones')
            self.kept = self.add_weight(name='kept', shape=(), initializer='ones', autocast=False)

        def call(self, inputs):
            self.seen = [get_engine().dtype_of(weight.value) for weight in (self.cast, self.kept)]
            return inputs * self.cast.value
    if get_engine().name == 'cntk':
        pytest.skip('CNTK has no other float type on the CPU')
    policy = keras.DTypePolicy('mixed_float16')
    policy.compute_dtype = half
    layer = Sum(dtype=policy)
    outputs = layer(np.ones((2, 2), 'float32'))
    assert layer.seen == [half, 'float32'] and get_engine().dtype_of(outputs) == half


@HALVES
def test_float16_is_trained_under_a_dynamic_scale(restored):
    keras.config.set_dtype_policy('mixed_float16')
    model = models.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(1, dtype='float32')])
    model.compile(optimizers.SGD(0.1), 'mse')
    assert isinstance(model.optimizer, optimizers.LossScaleOptimizer)
    x, y = np.ones((8, 3), 'float32'), np.ones((8, 1), 'float32')
    losses = model.fit(x, y, epochs=4, verbose=0).history['loss']
    assert losses[-1] < losses[0]
    assert all(weight.dtype == 'float32' for weight in model.weights)
    model.compile('sgd', 'mse', auto_scale_loss=False)
    assert isinstance(model.optimizer, optimizers.SGD)


class Seeing(layers.Layer):
    """Notes the dtypes that its weights say they have while it runs."""

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(3,), initializer='ones')
        self.precise = self.add_weight(shape=(3,), initializer='ones', autocast=False)
        self.count = self.add_weight(shape=(), dtype='int32', initializer='zeros')
        self.average = self.add_weight(shape=(), initializer='zeros', trainable=False)
        self.inner = layers.Dense(1, dtype='float32')
        self.inner.build(input_shape)

    def call(self, inputs):
        self.seen = [self.kernel.dtype, self.precise.dtype, self.count.dtype]
        self.read = [keras.backend.standardize_dtype(each.value.dtype) for each in (self.kernel, self.precise)]
        self.average.assign(self.average + 1.0 / 3)
        return keras.ops.add(inputs, self.kernel)


@pytest.mark.on('torch')
@pytest.mark.parametrize('generation, shown', [(2, 'float32'), ('tf', 'float32'), (3, 'float16')])
def test_weights_say_the_type_that_they_read_in_while_a_layer_runs(generation, shown):
    with keras.config.generation(generation):
        layer = Seeing(dtype='mixed_float16')
        layer(np.ones((2, 3), 'float32'))
        assert layer.seen == [shown, 'float32', 'int32'] and layer.read == ['float16', 'float32']
    # Outside of the call nothing has changed, and what was assigned in it keeps its own type.
    assert layer.kernel.dtype == layer.average.dtype == 'float32' and layer.average.numpy().dtype == 'float32'


@pytest.mark.on('torch')
def test_layers_inside_say_their_own_type():
    seen = []

    class Inner(layers.Layer):
        def build(self, input_shape):
            self.weight = self.add_weight(shape=())

        def call(self, inputs):
            seen.append((self.name, self.weight.dtype))
            return inputs

    class Outer(Inner):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.full, self.half = Inner(name='full', dtype='float32'), Inner(name='half', dtype='bfloat16')

        def call(self, inputs):
            outputs = self.half(self.full(super().call(inputs)))
            seen.append(('after', self.weight.dtype))
            return outputs

    with keras.config.generation(3):
        Outer(name='outer', dtype='mixed_float16')(np.ones((2, 3), 'float32'))
    assert seen == [('outer', 'float16'), ('full', 'float32'), ('half', 'bfloat16'), ('after', 'float16')]


@pytest.mark.on('jax', 'torch')
@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
@pytest.mark.parametrize('make', [lambda dtype: keras.layers.RNN(keras.layers.LSTMCell(2), dtype=dtype),
                                  lambda dtype: keras.layers.Bidirectional(keras.layers.LSTM(2), dtype=dtype)])
def test_cells_compute_in_the_16_bits_of_their_layer(dtype, make):
    """As Keras 3.15.1 does, where the weights stay in the float32 of the cell."""
    x = np.ones((2, 3, 4), 'float32')
    with keras.config.generation(3):
        layer = make(dtype)
        assert keras.backend.standardize_dtype(layer(x).dtype) == dtype
    assert {variable.dtype for variable in layer.weights} == {'float32'}
    assert make(dtype).get_config()['dtype'] == dtype  # of the default generation
