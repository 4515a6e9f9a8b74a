"""Layers declare their arguments; subclasses in the manners of all generations go on working."""
import inspect

import numpy as np
import pytest

import keras
from keras import initializers, layers, regularizers
from keras.configurable import Configurable, declared_arguments


class Keras2Dense(layers.Dense):
    """Sets attributes first, extends the config by hand."""

    def __init__(self, units, factor=2.0, **kwargs):
        self.factor = factor
        super(Keras2Dense, self).__init__(units, **kwargs)

    def call(self, inputs):
        return super(Keras2Dense, self).call(inputs) * self.factor

    def get_config(self):
        config = {'factor': self.factor}
        base_config = super(Keras2Dense, self).get_config()
        return dict(list(base_config.items()) + list(config.items()))


class AlwaysRelu(layers.Dense):
    """Fewer arguments than the base."""

    def __init__(self, units):
        super().__init__(units, activation='relu')

    def get_config(self):
        return {'units': self.units}


class AnyArguments(layers.Conv2D):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


class OwnLayer(layers.Layer):
    """Nothing of the base's config."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def get_config(self):
        return {'size': self.size}


class WithoutConfig(layers.Dense):
    def __init__(self, units, more, **kwargs):
        super().__init__(units, **kwargs)
        self.more = more


class Declaring(layers.Dense):
    def __init__(self, units, gate_activation='relu', steps=(1, 2), **kwargs):
        super().__init__(units, **kwargs)
        self.declare(locals())


def test_subclasses_in_the_manner_of_keras_2():
    layer = Keras2Dense(3, factor=4.0, kernel_initializer='ones', name='mine')
    config = layer.get_config()
    assert config['factor'] == 4.0 and config['units'] == 3
    again = Keras2Dense.from_config(config)
    assert again.factor == 4.0 and again.get_config() == config
    np.testing.assert_allclose(np.asarray(keras.ops.convert_to_numpy(layer(np.ones((1, 2), 'float32')))), [[8, 8, 8]])


def test_subclasses_with_other_arguments():
    assert AlwaysRelu.from_config(AlwaysRelu(3).get_config()).activation is keras.activations.relu
    layer = AnyArguments(4, 3, padding='same')
    assert AnyArguments.from_config(layer.get_config()).get_config() == layer.get_config()
    assert OwnLayer.from_config(OwnLayer(5).get_config()).size == 5


def test_a_subclass_without_config_has_that_of_the_base():
    layer = WithoutConfig(3, more=1, name='same')
    assert layer.get_config() == layers.Dense(3, name='same').get_config()


def test_a_subclass_may_declare_arguments_of_its_own():
    layer = Declaring(3, 'tanh', kernel_regularizer='l2')
    assert layer.gate_activation is keras.activations.tanh
    config = layer.get_config()
    assert config['gate_activation'] == 'tanh' and config['steps'] == (1, 2)
    assert config['kernel_regularizer']['class_name'] == 'L1L2'
    assert Declaring.from_config(config).get_config() == config


def test_weights_take_what_the_arguments_say():
    class Gate(layers.Layer):
        def __init__(self, kernel_initializer='ones', kernel_constraint='non_neg', recurrent_regularizer='l2',
                     **kwargs):
            super().__init__(**kwargs)
            self.declare(locals())

        def build(self, input_shape):
            self.kernel = self.add_weight(name='kernel', shape=(2,))
            self.recurrent_kernel = self.add_weight(name='recurrent_kernel', shape=(2,))
            self.given = self.add_weight(name='kernel', shape=(2,), initializer='zeros')
            self.other = self.add_weight(name='other_kernel_2', shape=(2,))

    layer = Gate()
    layer.build((None, 2))
    assert layer.kernel.numpy().tolist() == [1, 1]
    assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg) and layer.kernel.regularizer is None
    assert isinstance(layer.recurrent_kernel.regularizer, regularizers.L1L2)
    assert layer.given.numpy().tolist() == [0, 0]
    assert layer.other.constraint is None and layer.other.regularizer is None


def test_what_a_layer_does_not_declare_is_not_taken_for_weights():
    class Plain(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.kernel_regularizer = regularizers.get('l2')

        def build(self, input_shape):
            self.kernel = self.add_weight(name='kernel', shape=(2,), initializer='ones')

    layer = Plain()
    layer.build((None, 2))
    assert layer.kernel.regularizer is None


@pytest.mark.parametrize('make, name, value', [
    (lambda **given: layers.LSTM(3, **given), 'time_major', True),
    (lambda **given: layers.Conv2DTranspose(3, 3, **given), 'groups', 2)])
def test_arguments_that_have_no_effect_are_taken_with_the_value_that_says_so(make, name, value):
    with pytest.raises(NotImplementedError, match='`%s` is only accepted as' % name):
        make(**{name: value})
    neutral = type(make()).without_effect[name]
    assert make(**{name: neutral}).get_config().keys() == make().get_config().keys()
    with pytest.raises(TypeError, match="unknown keyword argument 'wrong'"):
        make(wrong=1)


def test_convolution_kernels_say_so():
    def layouts(layer, shape):
        layer.build(shape)
        return [weight.layout for weight in layer.weights]
    image = (None, 8, 8, 2)
    assert layouts(layers.Conv2D(4, 3), image) == ['conv_kernel', None]
    assert layouts(layers.Conv2DTranspose(4, 3), image) == ['conv_kernel', None]
    assert layouts(layers.SeparableConv2D(4, 3), image) == ['depthwise_kernel', 'conv_kernel', None]
    assert layouts(layers.DepthwiseConv2D(3), image) == ['depthwise_kernel', None]
    assert layouts(layers.ConvLSTM2D(4, 3), (None, 5, 8, 8, 2)) == ['conv_kernel', 'conv_kernel', None]
    assert layouts(layers.Dense(4), (None, 3)) == [None, None]


def public_layers():
    return sorted({cls for cls in vars(layers).values() if inspect.isclass(cls) and issubclass(cls, layers.Layer)},
                  key=lambda cls: cls.__name__)


@pytest.mark.parametrize('layer_class', public_layers(), ids=lambda cls: cls.__name__)
def test_signatures_name_every_argument(layer_class):
    """Every declared argument stands in the signature that `help` shows, or in that of a base."""
    assert issubclass(layer_class, Configurable)
    shown = set()
    for base in layer_class.__mro__:
        if '__init__' in vars(base):
            shown.update(inspect.signature(base.__init__).parameters)
    assert set(declared_arguments(layer_class)) <= shown
    assert 'given' not in inspect.signature(layer_class.__init__).parameters


def test_initializers_are_objects_and_configs_plain():
    layer = layers.LSTM(3, recurrent_initializer='he_normal', activation='relu')
    assert isinstance(layer.recurrent_initializer, initializers.VarianceScaling)
    assert layer.cell.recurrent_initializer is layer.recurrent_initializer
    config = layer.get_config()
    assert config['activation'] == 'relu' and config['recurrent_initializer']['class_name'] == 'VarianceScaling'


# --- constructors that declare nothing --------------------------------------------------------------------------------

class Scaled(layers.Layer):
    """A layer as many are: it keeps its arguments itself, and has no `get_config`."""

    def __init__(self, factor, offset=(0.0, 1.0), start=None, squash=None, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.offset, self.start, self.squash = factor, offset, start, squash

    def call(self, inputs):
        return inputs * self.factor + self.offset[1]


class ClosedScaled(layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


def test_arguments_are_the_config_of_layers_without_one(tmp_path):
    made = Scaled(3.0, start=keras.initializers.Constant(2.0), squash=keras.activations.tanh, name='scaled',
                  input_shape=(2,))
    copy = Scaled.from_config(made.get_config())
    assert copy.factor == 3.0 and copy.offset == (0.0, 1.0) and copy.name == 'scaled'
    assert copy.start.value == 2.0 and copy.squash is keras.activations.tanh
    assert copy.batch_input_shape == (None, 2)
    model, x = keras.Sequential([made]), np.array([[1.0, 2.0]], 'float32')
    for name in ('model.h5', 'model.keras'):
        model.save(str(tmp_path / name))
        loaded = keras.models.load_model(str(tmp_path / name), custom_objects={'Scaled': Scaled}, compile=False)
        np.testing.assert_allclose(loaded.predict(x), 3 * x + 1)
    closed = ClosedScaled(4)
    assert closed.get_config() == {'factor': 4}
    assert ClosedScaled.from_config(closed.get_config()).factor == 4


def test_arguments_that_are_no_config_give_the_lines_to_write():
    with pytest.raises(NotImplementedError) as caught:
        ClosedScaled(open).get_config()
    assert '`factor`' in str(caught.value) and 'config.update(factor=self.factor)' in str(caught.value)
    with pytest.raises(TypeError, match='def get_config'):
        Scaled.from_config({'name': 'scaled'})
