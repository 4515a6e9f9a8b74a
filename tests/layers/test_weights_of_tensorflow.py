"""Layers whose weights are `tf.Variable`s, as guides of TensorFlow 2 write them."""
import numpy as np
import pytest

import keras
from keras import config, layers

pytestmark = pytest.mark.on('tensorflow')
X = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]], 'float32')


class Linear(layers.Layer):
    def __init__(self, units=2):
        super().__init__()
        import tensorflow as tf
        self.w = tf.Variable(tf.ones((3, units)))
        self.b = tf.Variable(tf.zeros((units,)))
        self.seen = tf.Variable(0.0, trainable=False)

    def call(self, x):
        import tensorflow as tf
        self.seen.assign_add(tf.reduce_sum(x))
        return tf.matmul(x, self.w) + self.b


@pytest.fixture(params=[2, 'tf'])
def generation(request):
    with config.generation(request.param):
        yield request.param


def test_they_are_weights_of_the_layer(generation):
    layer = Linear()
    names = [weight.name.rpartition('/')[2] for weight in layer.weights]
    assert names == ['w:0', 'b:0', 'seen:0']
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (2, 1)
    layer.set_weights([np.full((3, 2), 2.0), np.ones(2), 0.0])
    np.testing.assert_array_equal(layer(X), 2 * X.sum(axis=1, keepdims=True) + [[1, 1]])
    np.testing.assert_array_equal(layer.get_weights()[2], X.sum())
    layer.trainable = False
    assert not layer.trainable_weights and len(layer.weights) == 3


@pytest.mark.parametrize('steps_per_execution', [1, 2])
def test_they_are_trained(generation, steps_per_execution):
    model = keras.Sequential([layers.Input((3,)), Linear(1)])
    model.compile(keras.optimizers.SGD(0.1), 'mse', steps_per_execution=steps_per_execution)
    model.fit(X, np.zeros((2, 1)), batch_size=1, epochs=1, shuffle=False, verbose=0)
    w, b = np.ones((3, 1)), np.zeros(1)
    for x in X.astype('float64'):
        slope = 2 * (x @ w + b)
        w, b = w - 0.1 * slope * x[:, None], b - 0.1 * slope
    np.testing.assert_allclose(model.layers[-1].w.numpy(), w, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], b, rtol=1e-5)
    assert model.layers[-1].seen.numpy() == X.sum()


def test_a_tape_of_tensorflow_finds_their_gradients(generation):
    import tensorflow as tf
    layer = Linear(1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(X))
    kernel, bias = tape.gradient(loss, layer.trainable_weights)
    np.testing.assert_array_equal(kernel[:, 0], X.sum(axis=0))
    np.testing.assert_array_equal(bias, [2])


def test_files_hold_them(generation, tmp_path):
    path = str(tmp_path / 'layer.weights.h5')
    model = keras.Sequential([layers.Input((3,)), Linear()])
    model.layers[-1].w.assign_add(np.ones((3, 2), 'float32'))
    model.save_weights(path)
    other = keras.Sequential([layers.Input((3,)), Linear()])
    other.load_weights(path)
    np.testing.assert_array_equal(other.layers[-1].w.numpy(), np.full((3, 2), 2.0))


def test_names_of_their_own_are_kept_behind_that_of_the_layer():
    import tensorflow as tf
    with config.generation('tf'):
        layer = layers.Layer(name='outer')
        layer.w = tf.Variable(1.0, name='scope/w')
        with keras.name_scope('elsewhere'):
            assert [weight.name for weight in layer.weights] == ['outer/scope/w:0']
    with config.generation(3):
        layer = layers.Layer(name='outer')
        layer.w = tf.Variable(1.0, name='scope/w')
        with pytest.warns(UserWarning, match="the attribute 'w' is a variable of the engine"):
            assert not layer.weights


def test_in_keras_3_they_are_none_and_this_is_said():
    with config.generation(3):
        layer = Linear()
        with pytest.warns(UserWarning, match="the attribute 'w' is a variable of the engine.*self.add_weight"):
            assert not layer.weights


class Held(layers.Layer):
    """A layer that hands its weight to a module, which reads what is no `tf.Variable` once and for all."""
    def build(self, shape):
        import tensorflow as tf
        weight = self.add_weight(name='w', shape=(3, 2), initializer='ones')
        self.module = tf.Module(name='held')
        self.module.held = weight if isinstance(weight, tf.Variable) else tf.convert_to_tensor(weight)

    def call(self, x):
        import tensorflow as tf
        return tf.matmul(x, tf.convert_to_tensor(self.module.held))


def test_weights_of_ours_are_variables_to_other_packages(generation):
    import tensorflow as tf
    if not hasattr(tf.Variable, 'register'):
        pytest.skip('the class tf.Variable of this release takes no others for its own')
    layer = Held()
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(0.1), 'mse')
    model.fit(X, np.zeros((2, 2)), epochs=1, verbose=0)
    # By the rule of the chain: d/dw mean((xw)²) = x'(xw) / 2, where each of the four errors counts a quarter.
    expected = 1 - 0.1 * X.T @ (X @ np.ones((3, 2))) / 2
    np.testing.assert_allclose(layer.get_weights()[0], expected, rtol=1e-5)
    assert [id(variable) for variable in layer.module.trainable_variables] == [id(layer.weights[0])]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(X))
    np.testing.assert_allclose(tape.gradient(loss, layer.module.trainable_variables)[0], X.sum(0)[:, None] + [[0, 0]])
    assert keras.backend.get_value(layer.weights[0]) is not None and keras.backend.is_variable(layer.weights[0])
