"""Optimizers of other people, written for `OptimizerV2` of tf.keras."""
import copy

import numpy as np
import pytest

import keras
from keras import backend as K
from keras.optimizers import SGD, Adam, LossScaleOptimizer, Optimizer

pytestmark = pytest.mark.on('tensorflow', 'jax', 'torch', 'theano')
in_tensorflow = pytest.mark.on('tensorflow')

X, Y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.zeros((2, 1))
SLOPES = np.array([1.0, 4.0])


def model_with(optimizer, **arguments):
    """A model whose kernel (w0, w1) has the gradients (w0, 4 w1), from (1, 1) on."""
    layer = keras.layers.Dense(1, use_bias=False, input_shape=(2,), kernel_initializer='ones', **arguments)
    model = keras.Sequential([layer])
    model.compile(optimizer, 'mse')
    return model


def weights_after(optimizer, steps=1, **arguments):
    model = model_with(optimizer, **arguments)
    model.fit(X, Y, epochs=steps, verbose=0)
    return model.get_weights()[0][:, 0]


class Momentum(Optimizer):
    """Heavy ball with K functions only, for every engine."""

    def __init__(self, learning_rate=0.1, rho=0.5, name='Momentum', **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper('learning_rate', kwargs.get('lr', learning_rate))
        self._set_hyper('decay', self._initial_decay)
        self._set_hyper('rho', rho)

    def _create_slots(self, var_list):
        for var in var_list:
            self.add_slot(var, 'ball')

    def _resource_apply_dense(self, grad, var):
        ball = self.get_slot(var, 'ball')
        found = K.update(ball, self._get_hyper('rho', var.dtype) * ball + grad)
        return K.update_sub(var, self._decayed_lr(var.dtype) * found)

    def get_config(self):
        return dict(super().get_config(), rho=self._serialize_hyperparameter('rho'))


def heavy_ball(steps, rate=0.1, rho=0.5, decay=0.0):
    w, ball = np.ones(2), np.zeros(2)
    for step in range(steps):
        ball = rho * ball + SLOPES * w
        w = w - rate / (1 + decay * step) * ball
    return w, ball


class TestOnEveryEngine:
    def test_training(self):
        np.testing.assert_allclose(weights_after(Momentum(decay=0.5), 3), heavy_ball(3, decay=0.5)[0], rtol=1e-5)

    def test_a_hyperparameter_changed_between_steps(self):
        optimizer = Momentum()
        model = model_with(optimizer)
        model.train_on_batch(X, Y)
        optimizer.rho = 0.25
        model.train_on_batch(X, Y)
        w, ball = heavy_ball(1)
        np.testing.assert_allclose(model.get_weights()[0][:, 0], w - 0.1 * (0.25 * ball + SLOPES * w), rtol=1e-5)
        assert float(optimizer.rho.numpy()) == 0.25

    def test_slots_are_saved_with_the_model(self, tmp_path):
        model = model_with(Momentum(rho=0.75))
        model.fit(X, Y, epochs=2, verbose=0)
        for name in ('model.h5', 'model.keras'):
            path = str(tmp_path / name)
            model.save(path)
            again = keras.models.load_model(path, custom_objects={'Momentum': Momentum})
            assert again.optimizer.get_config()['rho'] == 0.75
            again.train_on_batch(X, Y)
            np.testing.assert_allclose(again.get_weights()[0][:, 0], heavy_ball(3, rho=0.75)[0], rtol=1e-5)
            variable = again.trainable_variables[0]
            np.testing.assert_allclose(again.optimizer.get_slot(variable, 'ball').numpy()[:, 0],
                                       heavy_ball(3, rho=0.75)[1], rtol=1e-5)

    def test_the_way_of_gradients(self):
        """As Horovod has it: gradients are changed once on their way, whatever the way is."""
        optimizer = Doubled(0.125)
        np.testing.assert_allclose(weights_after(optimizer), [0.75, 0.0], atol=1e-6)
        assert optimizer.seen[:3] == ['compute', 'aggregate', 'apply']


class Doubled(SGD):
    def __init__(self, *args, **kwargs):
        self.seen = []
        super().__init__(*args, **kwargs)

    def _compute_gradients(self, loss, var_list, grad_loss=None, tape=None):
        self.seen.append('compute')
        return [(gradient * 2.0, variable) for gradient, variable in
                super()._compute_gradients(loss, var_list, grad_loss, tape=tape)]

    def get_gradients(self, loss, params):
        return [gradient * 2.0 for gradient in super().get_gradients(loss, params)]

    def _aggregate_gradients(self, grads_and_vars):
        self.seen.append('aggregate')
        return [gradient for gradient, _ in super()._aggregate_gradients(grads_and_vars)]

    def apply_gradients(self, *args, **kwargs):
        found = super().apply_gradients(*args, **kwargs)
        self.seen.append('apply')
        return found


@in_tensorflow
def test_gradients_are_changed_within_a_scale_of_the_loss():
    np.testing.assert_allclose(weights_after(LossScaleOptimizer(Doubled(0.125))), [0.75, 0.0], atol=1e-6)


@in_tensorflow
@pytest.mark.parametrize('generation', ['tf', 3])
def test_gradients_are_changed_around_a_scale_of_the_loss(generation):
    class Around(LossScaleOptimizer):
        def apply_gradients(self, grads_and_vars, **kwargs):
            return super().apply_gradients([(gradient * 2.0, variable) for gradient, variable in grads_and_vars])
    with keras.config.generation(generation):
        optimizer = Around(SGD(0.125))
    np.testing.assert_allclose(weights_after(optimizer), [0.75, 0.0], atol=1e-6)


@in_tensorflow
def test_minimize_goes_the_same_way():
    optimizer, v = Doubled(0.125), keras.Variable([2.0])
    optimizer.minimize(lambda: K.sum(v * v), [v])
    np.testing.assert_allclose(v.numpy(), [1.0])
    assert optimizer.seen == ['compute', 'aggregate', 'apply']


class InTensorFlow(Momentum):
    """The same with the functions and dtypes of TensorFlow, and `apply_state`."""

    def _prepare_local(self, var_device, var_dtype, apply_state):
        import tensorflow as tf
        super()._prepare_local(var_device, var_dtype, apply_state)
        apply_state[var_device, var_dtype]['rho'] = tf.identity(self._get_hyper('rho', var_dtype))

    def _resource_apply_dense(self, grad, var, apply_state=None):
        key = var.device, var.dtype.base_dtype
        known = (apply_state or {}).get(key) or self._fallback_apply_state(*key)
        ball = self.get_slot(var, 'ball')
        ball.assign(known['rho'] * ball + grad, use_locking=self._use_locking)
        return var.assign_sub(known['lr_t'] * ball, use_locking=self._use_locking)


@in_tensorflow
@pytest.mark.parametrize('arguments, wanted', [({}, heavy_ball(4)[0]), ({'gradient_accumulation_steps': 2},
                                                                       heavy_ball(2)[0])])
def test_with_functions_of_tensorflow(arguments, wanted):
    np.testing.assert_allclose(weights_after(InTensorFlow(**arguments), 4), wanted, rtol=1e-5)


@in_tensorflow
def test_within_a_scale_of_the_loss():
    np.testing.assert_allclose(weights_after(LossScaleOptimizer(InTensorFlow()), 3), heavy_ball(3)[0], rtol=1e-5)


@in_tensorflow
def test_a_constraint_sees_the_new_value():
    found = weights_after(InTensorFlow(0.5), kernel_constraint='non_neg')
    np.testing.assert_allclose(found, [0.5, 0.0])


@in_tensorflow
def test_a_constraint_sees_what_an_optimizer_of_the_engine_did():
    class Descent:
        def apply_gradients(self, pairs):
            for gradient, variable in pairs:
                variable.assign_sub(0.5 * gradient)
    np.testing.assert_allclose(weights_after(Descent(), kernel_constraint='non_neg'), [0.5, 0.0])


@in_tensorflow
def test_a_copy_has_slots_of_its_own():
    model = model_with(InTensorFlow())
    model.train_on_batch(X, Y)
    again = copy.deepcopy(model.optimizer)
    mine, theirs = model.optimizer.variables[-1], again.variables[-1]
    assert mine is not theirs
    np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


class Decoupled(Adam):
    """Weight decay around the update of Adam."""

    def __init__(self, weight_decay, **kwargs):
        super().__init__(**kwargs)
        self._set_hyper('weight_decay', weight_decay)

    def _resource_apply_dense(self, grad, var, apply_state=None):
        var.assign_sub(self._get_hyper('weight_decay', var.dtype) * var)
        return super()._resource_apply_dense(grad, var, apply_state=apply_state)


@in_tensorflow
@pytest.mark.parametrize('amsgrad', [False, True])
def test_around_an_optimizer_of_keras(amsgrad):
    w, m, v = np.ones(2), np.zeros(2), np.zeros(2)
    for t in range(1, 4):
        gradient = SLOPES * w
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient ** 2
        w = w * 0.75 - 0.1 * m / (1 - 0.9 ** t) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-7)
    if amsgrad:
        optimizer = Decoupled(0.25, learning_rate=0.1, amsgrad=True)
        assert weights_after(optimizer).shape == (2,)
        assert optimizer.get_slot(optimizer.trained_variables[0], 'vhat').shape == (2, 1)
    else:
        np.testing.assert_allclose(weights_after(Decoupled(0.25, learning_rate=0.1), 3), w, rtol=1e-4)


class HalfWay(Optimizer):
    """Goes half as far as the optimizer inside, and counts in a slot of its own how often."""

    def __init__(self, optimizer, name='HalfWay', **kwargs):
        super().__init__(name, **kwargs)
        self._optimizer = keras.optimizers.get(optimizer)
        self._track_trackable(self._optimizer, 'inner')

    def _create_slots(self, var_list):
        self._optimizer._create_slots(var_list)
        for var in var_list:
            self.add_slot(var, 'count', initializer=np.full((), 5.0))

    def _prepare(self, var_list):
        return self._optimizer._prepare(var_list)

    def apply_gradients(self, grads_and_vars, name=None, **kwargs):
        self._optimizer._iterations = self.iterations
        return super().apply_gradients(grads_and_vars, name, **kwargs)

    def _resource_apply_dense(self, grad, var):
        before = var.read_value()
        self._optimizer._resource_apply_dense(grad, var)
        self.get_slot(var, 'count').assign_add(1.0)
        return var.assign(before + 0.5 * (var - before))

    def get_config(self):
        return dict(super().get_config(), optimizer=keras.optimizers.serialize(self._optimizer))


def half_way(steps):
    w, ball = np.ones(2), np.zeros(2)
    for _ in range(steps):
        ball = 0.5 * ball + SLOPES * w
        w = w - 0.05 * ball
    return w


@in_tensorflow
def test_around_another_one(tmp_path):
    np.testing.assert_allclose(weights_after(HalfWay(SGD(0.5)), 3), (1 - 0.25 * SLOPES) ** 3, atol=1e-6)
    model = model_with(HalfWay(Momentum()))
    model.fit(X, Y, epochs=3, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], half_way(3), rtol=1e-5)
    path = str(tmp_path / 'model.h5')
    model.save(path)
    again = keras.models.load_model(path, custom_objects={'Momentum': Momentum, 'HalfWay': HalfWay})
    again.fit(X, Y, verbose=0)
    np.testing.assert_allclose(again.get_weights()[0][:, 0], half_way(4), rtol=1e-5)
    assert again.optimizer.get_slot(again.trainable_variables[0], 'count').numpy() == 9.0


class TouchedOnly(Momentum):
    """The momentum of a row goes on only where the batch has the row."""

    def _resource_apply_sparse(self, grad, var, indices):
        import tensorflow as tf
        ball = self.get_slot(var, 'ball')
        rows = 0.5 * tf.gather(ball, indices) + grad
        self._resource_scatter_update(ball, indices, rows)
        return self._resource_scatter_add(var, indices, -self._decayed_lr(var.dtype) * rows)


@in_tensorflow
def test_gradients_in_slices():
    model = keras.Sequential([keras.layers.Embedding(3, 1, embeddings_initializer='ones', input_length=2)])
    model.compile(TouchedOnly(0.1), lambda y, p: K.sum(p, axis=(1, 2)))
    for rows in ([0, 0], [1, 2], [1, 1]):
        model.train_on_batch(np.array([rows]), np.zeros((1, 2, 1)))
    np.testing.assert_allclose(model.get_weights()[0][:, 0], [1 - 0.2, 1 - 0.1 - 0.25, 1 - 0.1], rtol=1e-5)


@in_tensorflow
def test_a_slot_that_is_missing_is_named():
    optimizer, v = InTensorFlow(), keras.Variable([1.0])
    optimizer.build([v])
    with pytest.raises(KeyError, match="no slot 'm'. It has: ball"):
        optimizer.get_slot(v, 'm')
