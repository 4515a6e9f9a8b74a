"""Layers whose `build` is called by their owner, as packages for Keras 3 do; orders and paths as in Keras 3.15.1."""

import numpy as np
import pytest

import keras
from keras import config, layers

pytestmark = pytest.mark.on('numpy')


@pytest.fixture(autouse=True, params=[2, 3])
def generation(request):
    with config.generation(request.param):
        yield request.param


class Inner(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3, name='dense')
        self.builds = 0

    def build(self, input_shape):
        self.builds += 1
        self.scale = self.add_weight(name='scale', shape=(3,), initializer='ones')
        self.dense.build(input_shape)

    def call(self, x):
        return self.dense(x) * self.scale


class Outer(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = Inner(name='inner')
        self.attention = layers.MultiHeadAttention(2, 4, name='attention')

    def build(self, input_shape):
        self.attention.build(query_shape=input_shape, value_shape=input_shape)
        self.inner.build(input_shape)

    def call(self, x):
        return self.inner(self.attention(x, x))


def test_parts_are_built_once_and_know_where_they_stand():
    outer = Outer(name='outer')
    outer(np.ones((2, 5, 4), 'float32'))
    assert outer.inner.builds == 1 and outer.inner.built and len(outer.inner.weights) == 3
    paths = {weight.path for weight in outer.weights}
    assert {'outer/inner/scale', 'outer/inner/dense/kernel', 'outer/attention/query/kernel'} < paths


def test_build_config_of_a_layer_built_directly():
    outer = Outer()
    outer.build((None, 5, 4))
    assert outer.built and outer.get_build_config() == {'input_shape': [None, 5, 4]}
    assert outer.attention.get_build_config() == {
        'shapes_dict': {'query_shape': [None, 5, 4], 'value_shape': [None, 5, 4]}
    }


class Derived(Inner):
    def build(self, input_shape):
        super().build(input_shape)
        self.shift = self.add_weight(name='shift', shape=(3,), initializer='zeros')


def test_build_of_a_base_class_is_a_part_of_it():
    layer = Derived(name='derived')
    layer.build((None, 4))
    assert layer.builds == 1 and layer.built
    assert layer.shift.path == 'derived/shift' and layer.scale.path == 'derived/scale'


class Normed(layers.Layer):
    """A rule for shapes and no `build`: what is inside is built by `call`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = layers.LayerNormalization(name='norm')

    def call(self, x):
        return self.norm(x)

    def compute_output_shape(self, input_shape):
        return input_shape


def test_what_call_builds_is_there_when_the_graph_is():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Normed()(inputs))
    assert len(model.weights) == 2


class TwoRules(layers.Layer):
    def call(self, first, second):
        return first + second

    def compute_output_shape(self, first_shape, second_shape):
        return first_shape


def test_shape_rule_with_several_shapes():
    assert TwoRules()(keras.Input((4,)), second=keras.Input((4,))).shape == (None, 4)


class ConvBlock(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = layers.BatchNormalization(name='norm')
        self.dense = layers.Dense(2, name='dense')

    def build(self, input_shape):
        self.norm.build(input_shape)
        self.dense.build(input_shape)
        self.scale = self.add_weight(name='scale', shape=(2,))

    def call(self, x):
        return self.dense(self.norm(x)) * self.scale


def test_order_of_weights(generation):
    block = ConvBlock()
    block.build((None, 3))
    inside = ['gamma', 'beta', 'moving_mean', 'moving_variance', 'kernel', 'bias']
    expected = (
        ['scale'] + inside
        if generation == 3
        else ['scale', 'gamma', 'beta', 'kernel', 'bias', 'moving_mean', 'moving_variance']
    )
    assert [weight.path.split('/')[-1] for weight in block.weights] == expected


class Backbone(keras.Model):
    """A graph whose layers are attributes, too, in an order that is not that of the graph."""

    def __init__(self, **kwargs):
        first, second = keras.Input((4,), name='first'), keras.Input((4,), name='second')
        self.z_dense, self.a_dense = layers.Dense(4, name='of_first'), layers.Dense(4, name='of_second')
        outputs = layers.Add()([layers.Dense(4)(self.z_dense(first)), self.a_dense(second)])
        super().__init__([first, second], outputs, **kwargs)

    def get_config(self):
        return {}


def test_layers_of_a_graph_stand_in_files_by_the_graph(generation, tmp_path):
    from keras.saving.states import states

    if generation == 2:
        pytest.skip('a subclass of Model sets attributes after super().__init__ there')
    model = Backbone()
    places = {owner.name: path for path, owner in states(model) if isinstance(owner, layers.Dense)}
    assert places['of_first'] == 'layers/dense' and places['of_second'].startswith('layers/dense_')
    x = [np.random.rand(2, 4).astype('float32') for _ in range(2)]
    model.save(str(tmp_path / 'm.keras'))
    again = keras.models.load_model(str(tmp_path / 'm.keras'), custom_objects={'Backbone': Backbone})
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


class Own(layers.Layer):
    def build(self, input_shape):
        self.a = self.add_weight(name='a', shape=(2,))
        self.b = self.add_weight(name='b', shape=(2,), trainable=False)

    def load_own_variables(self, store):
        for number, variable in enumerate(self._trainable_variables + self._non_trainable_variables):
            variable.assign(store[str(number)])


def test_own_variables_by_the_names_of_keras_3():
    layer = Own()
    layer.build((None, 2))
    layer.load_own_variables({'0': np.ones(2), '1': np.zeros(2)})
    assert [weight.numpy().tolist() for weight in layer.weights] == [[1, 1], [0, 0]]


class Wrapped(layers.Wrapper):
    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self._track_trackable(layer, name='layer')
        self._track_trackable(layers.Dense(2), name='beside')

    def call(self, x):
        return self.beside(self.layer(x))


def test_parts_that_wrappers_of_tf_keras_name():
    layer = Wrapped(layers.Dense(3))
    assert layer(np.ones((1, 4), 'float32')).shape == (1, 2) and len(layer.weights) == 4


def test_class_of_raw_operations_at_the_address_of_tf_keras():
    from keras.engine import base_layer
    assert isinstance(base_layer.TensorFlowOpLayer, type)


class WithRest(layers.Layer):
    """Takes more shapes than it names, as layers of bayesflow do."""

    def build(self, input_shape, **shapes):
        self.scale = self.add_weight(name='scale', shape=(input_shape[-1],), initializer='ones')

    def call(self, inputs, **options):
        return inputs * self.scale


def test_shapes_that_build_does_not_name():
    layer = WithRest()
    layer.build((4, 2), conditions_shape=(4, 3))
    assert layer.built
    layer(np.ones((4, 2), 'float32'))
    assert len(layer.weights) == 1
