"""Adam by CNTK's own learner: the weights and the slots are those of the formula whatever happens between the steps."""
import gc

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('cntk')
RANDOM = np.random.RandomState(0)
X, Y = RANDOM.randn(20, 4).astype('float32'), RANDOM.randn(20, 2).astype('float32')


class Formula:
    """A layer of two units trained by Adam, in NumPy and float64."""

    def __init__(self, weights):
        self.weights = [np.array(w, 'float64') for w in weights]
        self.means, self.squares = ([0 * w for w in self.weights] for _ in range(2))
        self.step = 0

    def train(self, x, y, rate):
        self.step += 1
        error = 2 * (x @ self.weights[0] + self.weights[1] - y) / y.size
        for index, gradient in enumerate((x.T @ error, error.sum(0))):
            self.means[index] = 0.9 * self.means[index] + 0.1 * gradient
            self.squares[index] = 0.999 * self.squares[index] + 0.001 * gradient ** 2
            rate_now = rate * np.sqrt(1 - 0.999 ** self.step) / (1 - 0.9 ** self.step)
            self.weights[index] -= rate_now * self.means[index] / (np.sqrt(self.squares[index]) + 1e-7)


@pytest.fixture
def pair():
    model = keras.Sequential([layers.Dense(2, input_shape=(4,))])
    model.compile(keras.optimizers.Adam(0.01), 'mse')
    return model, Formula(model.get_weights())


def compare(model, formula):
    for found, expected in zip(model.get_weights(), formula.weights):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def both(model, formula, x=X, y=Y, rate=0.01):
    keras.backend.set_value(model.optimizer.lr, rate)
    model.train_on_batch(x, y)
    formula.train(x, y, rate)


def test_epochs_with_a_short_last_batch_and_other_rates(pair):
    model, formula = pair
    model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    for _ in range(3):
        for start in (0, 8, 16):
            formula.train(X[start:start + 8], Y[start:start + 8], 0.01)
    # At a rate of 0 the means move, too.
    for rate in (0.0, 0.05):
        both(model, formula, rate=rate)
    compare(model, formula)
    slots = model.optimizer.get_weights()[1:5]
    for found, expected in zip(slots, formula.means + formula.squares):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    both(model, formula, X[:3], Y[:3])
    compare(model, formula)


def test_slots_weights_and_the_count_are_set(pair):
    model, formula = pair
    for _ in range(3):
        both(model, formula)
    weights = model.optimizer.get_weights()
    model.optimizer.set_weights([np.array(1)] + [0 * w for w in weights[1:]])
    model.set_weights([2 * w for w in model.get_weights()])
    formula = Formula(model.get_weights())
    formula.step = 1
    both(model, formula)
    compare(model, formula)


def test_another_step_takes_over(pair, tmp_path):
    model, formula = pair
    both(model, formula)
    model.compile(model.optimizer, 'mse')
    gc.collect()
    both(model, formula)
    # By operations: clipping is none of the learner's matters.
    model.optimizer.clipnorm = 1e9
    model.compile(model.optimizer, 'mse')
    both(model, formula)
    model.optimizer.clipnorm = None
    model.compile(model.optimizer, 'mse')
    both(model, formula)
    compare(model, formula)
    model.save(str(tmp_path / 'model.h5'))
    again = keras.models.load_model(str(tmp_path / 'model.h5'))
    for network in (model, again):
        network.train_on_batch(X, Y)
    for found, expected in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(found, expected)


def test_a_learning_rate_that_is_zero_at_first_and_constraints(pair):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.0, 0.01])
    model = keras.Sequential([layers.Dense(2, input_shape=(4,), kernel_constraint='non_neg')])
    model.compile(keras.optimizers.Adam(schedule), 'mse')
    before = model.get_weights()
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(model.get_weights()[0], np.maximum(before[0], 0))
    for _ in range(3):
        model.train_on_batch(X, Y)
    assert (model.get_weights()[0] >= 0).all() and abs(model.get_weights()[1]).min() > 0
