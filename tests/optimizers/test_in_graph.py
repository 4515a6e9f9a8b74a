"""Optimizers as Keras 2 scripts define them: by `get_updates` and `get_gradients` of their own, and around others."""
import copy

import numpy as np
import pytest

import keras
from keras import backend as K
from keras.optimizers import SGD, Adam, Optimizer

pytestmark = pytest.mark.needs_gradients

X, Y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.zeros((2, 1))


def weights_after(optimizer, steps=1):
    """The kernel after training by the mean of (w0, 2 w1) squared from (1, 1): its gradients are (w0, 4 w1)."""
    layer = keras.layers.Dense(1, use_bias=False, input_shape=(2,), kernel_initializer='ones')
    model = keras.Sequential([layer])
    model.compile(optimizer, 'mse')
    for _ in range(steps):
        model.train_on_batch(X, Y)
    return model.get_weights()[0][:, 0]


class Unchanged(SGD):
    def get_updates(self, loss, params):
        return super().get_updates(loss, params)


class Shrinking(SGD):
    def get_updates(self, loss, params):
        updates = super().get_updates(params=params, loss=loss)
        with K.control_dependencies(updates):
            return updates + [K.update(param, param * 0.5) for param in params]


class Reversed(SGD):
    def get_gradients(self, loss, params):
        return [-gradient for gradient in super().get_gradients(loss, params)]


class Normalized(SGD):
    def get_gradients(self, loss, params):
        return [gradient / K.sqrt(K.sum(K.square(gradient))) for gradient in K.gradients(loss, params)]


class Around(Optimizer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def get_updates(self, loss, params):
        return self.inner.get_updates(loss, params)


class Lookahead(Optimizer):
    """Every second step the weights go half of the way from where they were then to where they are."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    @property
    def iterations(self):
        return self.inner.iterations

    @property
    def lr(self):
        return self.inner.lr

    @lr.setter
    def lr(self, value):
        self.inner.lr = value

    def get_updates(self, loss, params):
        due = K.equal((self.iterations + 1) % 2, 0)
        slow = [K.variable(K.get_value(param)) for param in params]
        self.updates = self.inner.get_updates(loss, params)
        with K.control_dependencies(self.updates):
            for param, old in zip(params, slow):
                new = old + 0.5 * (param - old)
                self.updates.append(K.update(old, K.switch(due, new, old)))
                self.updates.append(K.update(param, K.switch(due, new, param)))
        self.weights = self.inner.weights + slow
        return self.updates


def test_get_updates_that_calls_that_of_the_base():
    np.testing.assert_allclose(weights_after(Unchanged(0.1), 2), [0.81, 0.36], rtol=1e-5)
    np.testing.assert_allclose(weights_after(Shrinking(0.1), 2), [0.45 * 0.45, 0.3 * 0.3], rtol=1e-5)


@pytest.mark.parametrize('make', [lambda: SGD(0.1, momentum=0.9), lambda: Adam(0.1), lambda: keras.optimizers.Nadam(),
                                  lambda: keras.optimizers.Adadelta(decay=0.1)])
def test_an_optimizer_around_another_one(make):
    optimizer, plain = Around(make()), make()
    np.testing.assert_allclose(weights_after(optimizer, 3), weights_after(plain, 3), rtol=1e-5)
    assert int(optimizer.inner.iterations) == 3
    assert len(optimizer.get_weights()) == len(plain.variables)
    for found, expected in zip(optimizer.get_weights(), plain.variables):
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4)


def test_an_optimizer_around_another_one_that_goes_on_after_it():
    optimizer = Lookahead(SGD(0.1))
    # 1 - 0.1 = 0.9, 0.9 - 0.09 = 0.81, half of the way from 1: 0.905; then the same again.
    np.testing.assert_allclose(weights_after(optimizer, 4), [0.905 ** 2, (1 - 0.5 * 0.64) ** 2], rtol=1e-5)
    assert len(optimizer.get_weights()) == len(optimizer.inner.get_weights()) + 1
    optimizer.lr = 0.0
    assert float(optimizer.inner.lr) == 0.0


@pytest.mark.parametrize('make', [lambda: SGD(0.1, momentum=0.9), lambda: Adam(0.1, amsgrad=True),
                                  lambda: keras.optimizers.Nadam(0.1)])
def test_updates_of_ours_are_one_for_each_variable(make):
    """A wrapper that puts a function in the place of `K.update` sees what becomes of each weight, and may change it."""
    class Halved(Around):
        def get_updates(self, loss, params):
            seen, plain = [], K.update
            K.update = lambda variable, value: seen.append((variable, value))
            try:
                self.inner.get_updates(loss, params)
            finally:
                K.update = plain
            targets = [variable for variable, _ in seen]
            assert [targets.count(param) for param in params] == [1] * len(params)
            return [K.update_add(self.inner.iterations, 1)] + [
                K.update(variable, (variable + value) * 0.5 if variable in params else value)
                for variable, value in seen if variable is not self.inner.iterations]
    plain, halved = weights_after(make()), weights_after(Halved(make()))
    np.testing.assert_allclose(halved, 0.5 + plain / 2, rtol=1e-5)


class OwnRates(Around):
    """The learning rate of each weight is its own, as keras-lr-multiplier has it."""

    def get_updates(self, loss, params):
        if not self.updates:
            rate = self.inner.lr
            for number, param in enumerate(params):
                self.inner.lr = rate * float(number)
                self.updates += self.inner.get_updates(loss, [param])
            self.inner.lr = rate
        return self.updates


@pytest.mark.parametrize('make', [lambda: SGD(0.1, momentum=0.9), lambda: keras.optimizers.Nadam(0.1)])
def test_updates_keep_the_learning_rate_that_was_set_when_they_were_made(make):
    def trained(optimizer):
        model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,), kernel_initializer='ones')])
        model.compile(optimizer, 'mse')
        for _ in range(3):
            model.train_on_batch(X, Y)
        return model.get_weights()
    kernel, bias = trained(OwnRates(make()))
    np.testing.assert_allclose(kernel, np.ones((2, 1)))
    alone = keras.Sequential([keras.layers.Dense(1, input_shape=(2,), kernel_initializer='ones')])
    alone.layers[0].kernel.trainable = False
    alone.compile(make(), 'mse')
    for _ in range(3):
        alone.train_on_batch(X, Y)
    assert abs(float(bias[0])) > 0.01
    np.testing.assert_allclose(bias, alone.get_weights()[1], rtol=1e-5)


class Counting(SGD):
    """Steps of 0, 1, 2 and so on times the learning rate; the count is a variable of `get_updates`."""

    def get_updates(self, loss, params):
        count = K.variable(0.0)
        return [K.update(param, param - self.lr * count * gradient) for param, gradient
                in zip(params, self.get_gradients(loss, params))] + [K.update_add(count, 1.0)]


def test_updates_are_made_once_for_all_steps():
    """Batches with sample weights have another step; what the optimizer has counted stays."""
    layer = keras.layers.Dense(1, use_bias=False, input_shape=(2,), kernel_initializer='ones')
    model = keras.Sequential([layer])
    model.compile(Counting(0.1), 'mse')
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y, sample_weight=np.ones(2))
    np.testing.assert_allclose(model.get_weights()[0][:, 0], [0.9, 0.6], rtol=1e-5)
    model.train_on_batch(X, Y)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], [0.9 * 0.8, 0.6 * 0.2], rtol=1e-5)


def test_two_models_with_one_optimizer():
    optimizer, models = Unchanged(0.1), []
    for _ in range(2):
        models.append(keras.Sequential([keras.layers.Dense(1, use_bias=False, input_shape=(2,),
                                                           kernel_initializer='ones')]))
        models[-1].compile(optimizer, 'mse')
    for model in models * 2:
        model.train_on_batch(X, Y)
    for model in models:
        np.testing.assert_allclose(model.get_weights()[0][:, 0], [0.81, 0.36], rtol=1e-5)


def test_gradients_of_ones_own():
    np.testing.assert_allclose(weights_after(Reversed(0.1)), [1.1, 1.4], rtol=1e-5)
    np.testing.assert_allclose(weights_after(Normalized(0.1)), 1 - 0.1 * np.array([1, 4]) / np.sqrt(17), rtol=1e-5)
    optimizer = SGD(0.1)
    plain = optimizer.get_gradients
    optimizer.get_gradients = lambda loss, params: [gradient * 0.0 for gradient in plain(loss, params)]
    np.testing.assert_allclose(weights_after(optimizer, 2), [1, 1])


def test_gradients_of_ones_own_are_clipped_where_they_ask_for_it():
    # Keras 2 clips in `get_gradients`, so one that does not call the base's leaves the gradients as they are.
    np.testing.assert_allclose(weights_after(Reversed(0.1, clipvalue=2.0)), [1.1, 1.2], rtol=1e-5)
    np.testing.assert_allclose(weights_after(Reversed(0.1, clipnorm=1.0)), 1 + 0.1 * np.array([1, 4]) / np.sqrt(17),
                               rtol=1e-5)

    class Unclipped(SGD):
        def get_gradients(self, loss, params):
            return K.gradients(loss, params)
    np.testing.assert_allclose(weights_after(Unclipped(0.1, clipvalue=0.5)), [0.9, 0.6], rtol=1e-5)


class Scaled(SGD):
    """Gradients of a scaled loss, scaled back: no change."""

    def get_gradients(self, loss, params):
        return [gradient / 8.0 for gradient in super().get_gradients(loss * 8.0, params)]


class Penalized(SGD):
    def get_gradients(self, loss, params):
        return K.gradients(loss + sum(0.5 * K.sum(K.square(param)) for param in params), params)


class OfTheSquare(SGD):
    """Of the square of the loss L, which is 2.5 at first: 2 L times the gradients."""

    def get_updates(self, loss, params):
        self.seen = K.variable(0.0)
        return super().get_updates(K.square(loss), params) + [K.update(self.seen, loss)]


def test_gradients_of_what_follows_from_the_loss():
    np.testing.assert_allclose(weights_after(Scaled(0.1)), [0.9, 0.6], rtol=1e-5)
    np.testing.assert_allclose(weights_after(Penalized(0.1)), [0.8, 0.5], rtol=1e-5)
    optimizer = OfTheSquare(0.01)
    np.testing.assert_allclose(weights_after(optimizer), [1 - 0.05, 1 - 0.2], rtol=1e-5)
    assert float(optimizer.seen) == pytest.approx(2.5)
    alone = keras.Variable([1.0])
    optimizer = OfTheSquare(0.01)
    optimizer.build([alone])
    with pytest.raises(ValueError, match='value of the loss'):
        optimizer.apply_gradients([(np.ones(1, 'float32'), alone)])


def test_get_updates_set_on_an_optimizer():
    optimizer = SGD(0.1)
    plain = optimizer.get_updates

    def twice(loss, params):
        updates = plain(loss, params)
        with K.control_dependencies(updates):
            return updates + [K.update_add(param, K.zeros_like(param) + 1.0) for param in params]
    optimizer.get_updates = twice
    np.testing.assert_allclose(weights_after(optimizer), [1.9, 1.6], rtol=1e-5)


def test_updates_in_a_function():
    for optimizer in (SGD(0.1), Around(SGD(0.1)), Unchanged(0.1)):
        w = K.variable([1.0, 1.0])
        loss = K.sum(K.square(w) * [0.5, 2.0])
        train = K.function([], [loss], updates=optimizer.get_updates(loss=loss, params=[w]))
        assert [train([])[0], train([])[0]] == pytest.approx([2.5, 0.405 + 0.72])
        np.testing.assert_allclose(K.get_value(w), [0.81, 0.36], rtol=1e-5)
    # The number of updates comes first, as in Keras 2: scripts that accumulate gradients leave it out.
    optimizer, w = SGD(0.1), K.variable([1.0])
    run = K.function([], [], updates=optimizer.get_updates(K.sum(w), [w])[1:])
    run([])
    assert int(optimizer.iterations) == 0 and K.get_value(w)[0] == pytest.approx(0.9)


def test_a_learning_rate_that_is_a_part_of_the_graph():
    optimizer = SGD(0.1)
    optimizer.lr = K.switch(K.equal(optimizer.iterations, 0), K.constant(0.1), K.constant(0.0))
    np.testing.assert_allclose(weights_after(optimizer, 3), [0.9, 0.6], rtol=1e-5)


def test_a_copy_builds_its_updates_anew():
    optimizer = Around(SGD(0.1))
    weights_after(optimizer)
    np.testing.assert_allclose(weights_after(copy.deepcopy(optimizer)), [0.9, 0.6], rtol=1e-5)


def test_accumulation_is_for_training_steps():
    with pytest.raises(ValueError, match='accumulated in training steps only'):
        weights_after(Unchanged(0.1, gradient_accumulation_steps=2))


@pytest.mark.parametrize('generation', [2, 3])
def test_a_wrapper_has_the_counter_of_what_it_wraps(generation):
    class Around(Optimizer):
        def __init__(self, optimizer, **kwargs):
            super().__init__(**kwargs)
            self.optimizer = optimizer

        @property
        def iterations(self):
            return self.optimizer.iterations

        def get_updates(self, loss, params):
            return self.optimizer.get_updates(loss, params)

    with keras.config.generation(generation):
        np.testing.assert_allclose(weights_after(Around(SGD(0.1))), [0.9, 0.6], rtol=1e-5)


@pytest.mark.on('numpy', 'torch')
def test_a_subclass_may_extend_the_counter():
    class Around(Optimizer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        @Optimizer.iterations.setter
        def iterations(self, variable):
            self.inner.iterations = variable

    optimizer, counter = Around(SGD()), K.variable(3, dtype='int64')
    optimizer.iterations = counter
    assert optimizer.inner.iterations is counter and int(optimizer.inner.iterations) == 3


class Assigning(Optimizer):
    """Gradient descent that counts its steps, by assignments as `how` says."""

    def __init__(self, how):
        super().__init__()
        self.how, self.count = how, K.variable(0.0)

    def get_updates(self, loss, params):
        step = self.count.assign_add(1.0)
        K.set_value(self.count, 3.0)  # takes place at once
        moves = [param.assign_sub(0.1 * gradient) for param, gradient in zip(params, self.get_gradients(loss, params))]
        return [step] + moves if self.how == 'listed' else []


@pytest.mark.parametrize('how', ['listed', 'not listed'])
def test_assignments_are_updates_of_every_step(how):
    optimizer = Assigning(how)
    np.testing.assert_allclose(weights_after(optimizer, steps=3), [0.9 ** 3, 0.6 ** 3], rtol=1e-5)
    assert K.get_value(optimizer.count) == 3.0 + 3.0


class Twice(SGD):
    """Updates one variable several times; `how` gives the updates."""

    def __init__(self, how, listed):
        super().__init__(0.1)
        self.how, self.listed, self.count = how, listed, K.variable(0.0)

    def get_updates(self, loss, params):
        updates = super().get_updates(loss, params)
        made = self.how(self.count)
        return updates + (made if self.listed else [])


def _the_same_one(count):
    update = K.update_add(count, 1.0)
    return [update, update]


@pytest.mark.parametrize('listed', [True, False])
@pytest.mark.parametrize('how, expected, recorded', [
    (lambda count: [count.assign_add(1.0), count.assign_add(1.0)], 6.0, True),
    (lambda count: [count.assign(5.0), count.assign_sub(1.0)], 4.0, True),
    (lambda count: [count.assign_add(1.0), K.update_add(count, 1.0)][:1], 3.0, True),
    (lambda count: [K.update_add(count, 1.0), K.update_add(count, 1.0)], 6.0, False),
    (lambda count: [K.update_add(count, 1.0), K.update_sub(count, 3.0)], -6.0, False),
    (_the_same_one, 3.0, False),
])
def test_additions_to_one_variable_add_up(how, expected, recorded, listed):
    """After three steps, as Keras 2.3.1 on TensorFlow 1.15 counts them where they are listed."""
    optimizer = Twice(how, listed)
    weights_after(optimizer, steps=3)
    assert K.get_value(optimizer.count) == (expected if listed or recorded else 0.0)


def test_additions_to_one_variable_in_a_function():
    count = K.variable(0.0)
    run = K.function([], [K.constant(0.0)], updates=[K.update_add(count, 1.0), K.update_sub(count, 3.0)])
    run([])
    run([])
    assert K.get_value(count) == -4.0
