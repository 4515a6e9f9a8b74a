"""Scripts that make their own `tf.Variable`s: what optimizes an image, say, or a module that is no layer."""
import numpy as np
import pytest

import keras
from keras import layers, optimizers

pytestmark = pytest.mark.on('tensorflow')


def descended(steps, rate, start):
    """Gradient descent on the sum of squares: every step takes 2 * rate of the value away."""
    return np.asarray(start) * (1 - 2 * rate) ** steps


@pytest.mark.parametrize('traced', [False, True])
def test_gradients_are_applied_to_them(traced):
    import tensorflow as tf
    v, optimizer = tf.Variable([1.0, 2.0, 3.0]), optimizers.SGD(0.1)

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(v ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, v), v)])
    run = tf.function(step) if traced else step
    for _ in range(3):
        run()
    np.testing.assert_allclose(v.numpy(), descended(3, 0.1, [1.0, 2.0, 3.0]), rtol=1e-6)
    assert int(optimizer.iterations) == 3


def test_a_function_is_minimized_by_them():
    import tensorflow as tf
    v, optimizer = tf.Variable([1.0, -2.0]), optimizers.SGD(0.1)
    for _ in range(2):
        optimizer.minimize(lambda: tf.reduce_sum(v ** 2), [v])
    np.testing.assert_allclose(v.numpy(), descended(2, 0.1, [1.0, -2.0]), rtol=1e-6)


def test_slots_are_those_of_the_variable():
    import tensorflow as tf
    v, optimizer = tf.Variable([1.0, 2.0]), optimizers.Adam(0.1)
    for _ in range(2):
        optimizer.apply_gradients([(tf.constant([1.0, -1.0]), v)])
    # Adam (Kingma and Ba, 2014) with a constant gradient moves by the rate against its sign.
    np.testing.assert_allclose(v.numpy(), [0.8, 2.2], rtol=1e-5)


def test_a_model_called_on_one_passes_gradients_on():
    import tensorflow as tf
    model = keras.Sequential([layers.Dense(2, use_bias=False, input_shape=(3,))])
    image = tf.Variable(np.ones((1, 3)), dtype='float32')
    for call in (model, model.layers[0]):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(call(image))
        np.testing.assert_allclose(tape.gradient(loss, image)[0], model.get_weights()[0].sum(axis=1), rtol=1e-6)


def test_doubles_are_cast_as_tensors_are():
    import tensorflow as tf
    layer = layers.Dense(2)
    assert layer(tf.Variable(np.ones((1, 3)), dtype='float64')).dtype == 'float32'


def test_what_is_no_variable_is_named():
    import tensorflow as tf
    with pytest.raises(TypeError, match='An optimizer changes variables.*keras.Variable'):
        optimizers.SGD(0.1).apply_gradients([(tf.constant([1.0]), tf.constant([1.0]))])


def test_rectifiers_of_a_constant_from_outside_of_the_step():
    import tensorflow as tf
    from keras.backend.contract.loading import get_engine
    constant = tf.constant([-1.0, 2.0])
    step = get_engine().step(lambda x: x + keras.ops.relu(constant), [], [])
    np.testing.assert_array_equal(step(tf.constant([1.0, 1.0])), [1, 3])


@pytest.mark.parametrize('generation', ['tf', 3])
def test_a_scale_of_the_loss_takes_them(generation):
    import tensorflow as tf
    with keras.config.generation(generation):
        optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=8.0)
    v = tf.Variable([1.0, -2.0])
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = optimizer.scale_loss(tf.reduce_sum(v ** 2))
        gradients = [tape.gradient(loss, v)]
        # In tf.keras' generation a loop divides by the scale itself.
        optimizer.apply_gradients([(gradients[0] / 8.0 if generation == 'tf' else gradients[0], v)])
    np.testing.assert_allclose(v.numpy(), descended(2, 0.1, [1.0, -2.0]), rtol=1e-6)


def test_several_optimizers_take_them():
    import tensorflow as tf
    a, b = tf.Variable([1.0], name='first'), tf.Variable([1.0], name='second')
    optimizer = optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.SGD(0.1), {'second.*': optimizers.SGD(0.5)}))
    optimizer.build([a, b])
    optimizer.apply_gradients([(tf.constant([1.0]), a), (tf.constant([1.0]), b)])
    np.testing.assert_allclose([a.numpy()[0], b.numpy()[0]], [0.9, 0.5], rtol=1e-6)


def test_averages_and_weight_decay_know_them():
    import tensorflow as tf
    v = tf.Variable([1.0])
    optimizer = optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay([v])
    optimizer.apply_gradients([(tf.constant([1.0]), v)])
    np.testing.assert_allclose(v.numpy(), [0.5], rtol=1e-6)
    average = [found.numpy() for found in optimizer.variables if 'average' in found.name]
    optimizer.finalize_variable_values([v])
    np.testing.assert_allclose(v.numpy(), average[0], rtol=1e-6)


def test_a_scale_of_the_loss_counts_gradients():
    import tensorflow as tf
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.1))
    with pytest.raises(ValueError, match='received 1 gradients for 2 variables'):
        optimizer.apply([tf.constant([1.0])], [tf.Variable([1.0]), tf.Variable([1.0])])
