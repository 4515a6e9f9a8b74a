"""Adam by CNTK's own learner: the weights and the slots are those of the formula whatever happens between the steps."""
import gc
import sys
import threading

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


class Rule:
    """Adam over some of several weights at a time, in NumPy and float64; one count for all, as an optimizer has it."""

    def __init__(self, weights):
        self.weights = [np.array(w, 'float64') for w in weights]
        self.means, self.squares = ([0 * w for w in self.weights] for _ in range(2))
        self.step = 0

    def update(self, gradients, rate=0.05):
        """`gradients`: {index of the weight: its gradient}."""
        self.step += 1
        rate_now = rate * np.sqrt(1 - 0.999 ** self.step) / (1 - 0.9 ** self.step)
        for index, gradient in gradients.items():
            self.means[index] = 0.9 * self.means[index] + 0.1 * gradient
            self.squares[index] = 0.999 * self.squares[index] + 0.001 * gradient ** 2
            self.weights[index] -= rate_now * self.means[index] / (np.sqrt(self.squares[index]) + 1e-7)

    def gradients(self, first, second):
        """Those of the mean squared error of two layers with a tanh in between, whose kernels are these."""
        w = self.weights
        hidden = np.tanh(X @ w[first] + w[first + 1])
        error = 2 * (hidden @ w[second] + w[second + 1] - Y) / Y.size
        back = (error @ w[second].T) * (1 - hidden ** 2)
        return {first: X.T @ back, first + 1: back.sum(0), second: hidden.T @ error, second + 1: error.sum(0)}


def two_layers():
    return [layers.Dense(3, activation='tanh', input_shape=(4,)), layers.Dense(2)]


def close(found, expected, atol=2e-5):
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=atol)


@pytest.mark.parametrize('read', [False, True])
def test_layers_are_frozen_and_trained_again_with_one_optimizer(read, tmp_path):
    model = keras.Sequential(two_layers())
    model.compile(keras.optimizers.Adam(0.05), 'mse')
    rule = Rule(model.get_weights())
    # The steps take turns, those compiled first among them: their learners are still there.
    for frozen in (None, 0, None, 1, 0, None):
        for index, layer in enumerate(model.layers):
            layer.trainable = index != frozen
        model.compile(model.optimizer, 'mse')
        for _ in range(3):
            model.train_on_batch(X, Y)
            gradients = rule.gradients(0, 2)
            rule.update({index: g for index, g in gradients.items() if index // 2 != frozen})
        if read:
            close(model.get_weights(), rule.weights)
            close(model.optimizer.get_weights()[1:9], rule.means + rule.squares, 1e-6)
    close(model.get_weights(), rule.weights)
    model.save(str(tmp_path / 'model.h5'))
    again = keras.models.load_model(str(tmp_path / 'model.h5'))
    close(again.optimizer.get_weights()[1:9], rule.means + rule.squares, 1e-6)
    again.train_on_batch(X, Y)
    rule.update(rule.gradients(0, 2))
    close(again.get_weights(), rule.weights)


def shared():
    """Two models with one optimizer and one layer in common, and their `Rule`: the kernels are 0 and 2, 0 and 4."""
    inputs = layers.Input((4,))
    hidden = layers.Dense(3, activation='tanh')(inputs)
    models = [keras.Model(inputs, layers.Dense(2)(hidden)) for _ in range(2)]
    optimizer = keras.optimizers.Adam(0.05)
    for model in models:
        model.compile(optimizer, 'mse')
    return models, Rule(models[0].get_weights() + models[1].get_weights()[2:])


def test_models_share_a_layer_and_the_optimizer():
    (one, other), rule = shared()
    for turn in range(8):
        for model, second in ((one, 2), (other, 4)) * (1 + turn % 2):
            model.train_on_batch(X, Y)
            rule.update(rule.gradients(0, second))
        if turn == 3:
            new = [w / 2 for w in one.get_weights()]
            one.set_weights(new)
            rule.weights[:4] = [np.array(w, 'float64') for w in new]
    close(one.get_weights(), rule.weights[:4])
    close(other.get_weights(), rule.weights[:2] + rule.weights[4:])


def test_models_share_nothing_but_the_optimizer():
    optimizer = keras.optimizers.Adam(0.05)
    models = [keras.Sequential(two_layers()) for _ in range(2)]
    for model in models:
        model.compile(optimizer, 'mse')
    rule = Rule(models[0].get_weights() + models[1].get_weights())
    for _ in range(4):
        for model, first in zip(models, (0, 4)):
            model.train_on_batch(X, Y)
            rule.update(rule.gradients(first, first + 2))
    close(models[0].get_weights() + models[1].get_weights(), rule.weights)


def test_threads_that_train_models_with_slots_in_common_do_not_wait_for_each_other_for_ever():
    models, _ = shared()
    for model in models:
        model.train_on_batch(X, Y)
    done = []

    def train(model):
        for _ in range(100):
            model.train_on_batch(X, Y)
        done.append(model)
    threads = [threading.Thread(target=train, args=(model,), daemon=True) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 2
    assert all(np.isfinite(w).all() for model in models for w in model.get_weights() + model.optimizer.get_weights())


def test_a_first_training_makes_no_list_for_a_checkpoint(pair, monkeypatch):
    """CNTK never frees them: it was 1.4 KB for every slot of every model."""
    model, formula = pair
    model.predict(X)
    learners, made = sys.modules['keras.backend.engines.cntk.learners'], []
    monkeypatch.setattr(learners, 'in_checkpoint', made.append)
    for _ in range(3):
        model.train_on_batch(X, Y)
        formula.train(X, Y, 0.01)
    assert not made
    for found, wanted in zip(model.get_weights(), formula.weights):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
