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
