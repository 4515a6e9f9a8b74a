"""Gradients as parts of graphs: of gradients, of what loops read, of layers with inputs that are not floats."""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras.layers import Dense, Input, Lambda, Layer
from keras.models import Sequential

pytestmark = pytest.mark.needs_gradients


def numeric_gradient(function, model, step=3e-3):
    """d function() / d weights by central differences."""
    weights, found = model.get_weights(), []
    for place, weight in enumerate(weights):
        gradient = np.zeros_like(weight)
        for index in np.ndindex(*weight.shape):
            values = []
            for sign in (1, -1):
                moved = [each.copy() for each in weights]
                moved[place][index] += sign * step
                model.set_weights(moved)
                values.append(float(function()))
            gradient[index] = (values[0] - values[1]) / (2 * step)
        found.append(gradient)
    model.set_weights(weights)
    return found


def test_penalty_on_a_gradient_has_gradients_by_the_weights_of_layers_inside():
    critic = Sequential([Dense(4, activation='tanh', input_shape=(2,)), Dense(1, use_bias=False)])
    points, real = Input((2,)), Input((2,))
    between = 0.5 * points + 0.5 * real
    gradient = K.gradients(critic(between), between)[0]
    norm = K.sqrt(K.sum(K.square(gradient), axis=1) + K.epsilon())
    # The critic also enters the loss directly: what it contributes there must not hide what is missing elsewhere.
    loss = 10.0 * K.mean(K.square(norm - 1)) + K.mean(critic(real))
    function = K.function([points, real], [loss] + K.gradients(loss, critic.trainable_weights))
    data = [np.random.randn(5, 2), np.random.randn(5, 2)]
    for ours, expected in zip(function(data)[1:], numeric_gradient(lambda: function(data)[0], critic)):
        np.testing.assert_allclose(ours, expected, rtol=0.01, atol=0.02)


def test_variables_read_in_a_loop():
    matrix = K.variable(2.0 * np.eye(2))
    sequence = K.placeholder((2, 3, 2))

    def step(x, states):
        output = K.dot(x + states[0], matrix)
        return output, [output]

    last, _, _ = K.rnn(step, sequence, [K.zeros((2, 2))])
    by_matrix, by_sequence = K.function([sequence], K.gradients(K.sum(last), [matrix, sequence]))(
        [np.ones((2, 3, 2))])
    # last = x W^3 + x W^2 + x W with all x = (1, 1): the products of W before and after each place of W.
    np.testing.assert_allclose(by_matrix, np.full((2, 2), 2 * (3 * 4 + 2 * 2 + 1)))
    np.testing.assert_allclose(by_sequence[0], [[8, 8], [4, 4], [2, 2]])


def test_lambda_with_integers_first_gives_floats():
    classes, scores = Input((1,), dtype='int32'), Input((3,))

    def chosen(tensors):
        return K.sum(K.one_hot(K.flatten(tensors[0]), 3) * tensors[1], axis=-1, keepdims=True)

    output = Lambda(chosen, output_shape=(1,))([classes, scores])
    assert output.dtype == 'float32' and output.shape == (None, 1)
    gradient, = K.function([classes, scores], K.gradients(K.sum(output), scores))(
        [np.array([[2], [0]]), np.zeros((2, 3))])
    np.testing.assert_array_equal(gradient, [[0, 0, 1], [1, 0, 0]])


def test_lambda_with_floats_may_give_integers():
    output = Lambda(lambda x: K.argmax(x, axis=-1), output_shape=())(Input((3,)))
    assert output.dtype in ('int32', 'int64')


def test_logarithm_of_one_and_little_is_exact_when_compiled():
    from keras import ops
    x = K.placeholder((6,))
    y = ops.log1p(x)
    values = np.array([0.0, 1e-25, 1e-12, 1e-8, 6e-8, 1e-5], 'float32')
    result, gradient = K.function([x], [y] + K.gradients(K.sum(y), x))([values])
    np.testing.assert_allclose(result, np.log1p(values), rtol=1e-6)
    np.testing.assert_allclose(gradient, 1.0 / (1.0 + values), rtol=1e-6)


def test_initializers_written_with_k():
    class Ramp(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return K.reshape(K.arange(0, int(np.prod(shape)), dtype=dtype), shape) + K.constant(1.0, dtype=dtype)

    class Offset(Layer):
        def build(self, input_shape):
            self.offset = self.add_weight(name='offset', shape=(input_shape[-1],), initializer=Ramp())
            super(Offset, self).build(input_shape)

        def call(self, inputs):
            return inputs + self.offset

    model = Sequential([Offset(input_shape=(3,))])
    np.testing.assert_array_equal(model.predict(np.zeros((1, 3))), [[1, 2, 3]])


def test_missing_gradient_among_the_outputs():
    x, y = K.placeholder((2,)), K.placeholder((2,))
    with pytest.raises(ValueError, match='output 1 is None.*K.gradients'):
        K.function([x, y], [x, K.gradients(K.sum(x), y)[0]])
