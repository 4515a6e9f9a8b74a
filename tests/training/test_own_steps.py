"""Steps that models define themselves: `train_step` and its kin, for every engine and in the manner of each."""
import numpy as np
import pytest

import keras
from keras import layers, ops

pytestmark = pytest.mark.needs_gradients

X = np.random.RandomState(0).randn(64, 3).astype('float32')
Y = X.dot(np.array([[1.0], [-2.0], [0.5]], 'float32'))


def gradient_descent(epochs, batch, rate=0.01):
    """The losses of the last batches of the epochs, and the kernel and bias in the end, of a linear model from ones."""
    kernel, bias, losses = np.ones((3, 1)), np.zeros(1), []
    for _ in range(epochs):
        for start in range(0, len(X), batch):
            x, y = X[start:start + batch].astype('float64'), Y[start:start + batch].astype('float64')
            error = x.dot(kernel) + bias - y
            losses.append((error ** 2).mean())
            kernel = kernel - rate * 2 * x.T.dot(error) / len(x)
            bias = bias - rate * 2 * error.mean(axis=0)
    return losses[len(X) // batch - 1::len(X) // batch], losses, kernel, bias


def linear(model_class):
    inputs = keras.Input((3,))
    return model_class(inputs, layers.Dense(1, kernel_initializer='ones')(inputs))


class Taped(keras.Model):
    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(self(x, training=True) - y))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {'loss': loss, 'twice': 2.0 * loss}


class OfFunction(keras.Model):
    def train_step(self, data):
        x, y = data
        loss, gradients = keras.value_and_grad(lambda: ops.mean(ops.square(self(x, training=True) - y)),
                                               self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {'loss': loss, 'twice': 2.0 * loss}


@pytest.mark.parametrize('model_class', [Taped, OfFunction])
def test_one_train_step_for_every_engine(model_class):
    model = linear(model_class)
    model.compile('sgd')
    history = model.fit(X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0).history
    last, _, kernel, bias = gradient_descent(3, 16)
    np.testing.assert_allclose(history['loss'], last, rtol=1e-4)
    np.testing.assert_allclose(history['twice'], np.multiply(last, 2), rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], bias, rtol=1e-4, atol=1e-5)


class OwnLoss(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred - y))


class ByParent(keras.Model):
    def train_step(self, data):
        logs = super(ByParent, self).train_step(data)
        return dict(logs, extra=ops.sum(data[0]) * 0.0 + 7.0)


@pytest.mark.parametrize('model_class, loss', [(OwnLoss, None), (ByParent, 'mse')])
def test_the_steps_of_the_base_class_count_loss_and_metrics_over_the_epoch(model_class, loss):
    model = linear(model_class)
    model.compile('sgd', loss, metrics=['mae'])
    history = model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y)).history
    _, losses, kernel, bias = gradient_descent(2, 16)
    np.testing.assert_allclose(history['loss'], np.reshape(losses, (2, 4)).mean(axis=1), rtol=1e-4)
    assert history.get('extra', [7.0, 7.0]) == [7.0, 7.0]
    error = X.dot(kernel) + bias - Y
    np.testing.assert_allclose([history['val_loss'][-1], history['val_mae'][-1]],
                               [np.square(error).mean(), np.abs(error).mean()], rtol=1e-4)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), [np.square(error).mean(), np.abs(error).mean()],
                               rtol=1e-4)


class Subclassed(keras.Model):
    """Without inputs and outputs, with a metric of its own."""

    def __init__(self):
        super().__init__()
        self.dense, self.mean = layers.Dense(1, kernel_initializer='ones'), keras.metrics.Mean(name='loss')

    def call(self, x):
        return self.dense(x)

    @property
    def metrics(self):
        return [self.mean]

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(self(x, training=True) - y))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.mean.update_state(loss)
        return {'loss': self.mean.result()}


def test_metrics_of_its_own_start_anew_in_every_epoch():
    model = Subclassed()
    model.compile('sgd')
    history = model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history['loss'], np.reshape(gradient_descent(2, 16)[1], (2, 4)).mean(axis=1), rtol=1e-4)


def batches():
    while True:
        for start in range(0, 64, 16):
            yield X[start:start + 16], Y[start:start + 16]


def test_generators_and_sources_of_batches_arrive_as_they_are():
    model = linear(Taped)
    model.compile('sgd')
    history = model.fit(batches(), steps_per_epoch=4, epochs=2, verbose=0).history
    np.testing.assert_allclose(history['loss'], gradient_descent(2, 16)[0], rtol=1e-4)


class Weighted(keras.Model):
    def test_step(self, data):
        x, y, sample_weight = data
        return {'mine': ops.sum(sample_weight * ops.abs(self(x['a']) - y)[:, 0])}

    def predict_step(self, data):
        return {'once': self(data['a']), 'twice': 2.0 * self(data['a'])}

    def call(self, x, training=None):
        return ops.sum(x, axis=-1, keepdims=True)


def test_test_step_and_predict_step_take_and_give_structures():
    model = Weighted()
    model.compile()
    weights = np.arange(64, dtype='float32')
    found = model.evaluate({'a': X}, Y, sample_weight=weights, batch_size=64, verbose=0, return_dict=True)
    np.testing.assert_allclose(found['mine'], (weights * np.abs(X.sum(axis=1) - Y[:, 0])).sum(), rtol=1e-4)
    predicted = model.predict({'a': X}, batch_size=10)
    np.testing.assert_allclose(predicted['twice'], 2 * X.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(predicted['once'], X.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-5)


class TwoPlayers(keras.Model):
    """Two tapes in a step, the second behind an update by the first, with a draw in between."""

    def __init__(self):
        super().__init__()
        self.first = self.add_weight(name='first', shape=(1,), initializer='ones')
        self.second = self.add_weight(name='second', shape=(1,), initializer='ones')
        self.built = True
        self.noise = keras.random.SeedGenerator(3)

    def train_step(self, data):
        # Draws must be the same where a tape runs the step again.
        draw = keras.random.uniform((1,), seed=self.noise) * 0.0
        with keras.GradientTape() as tape:
            loss = ops.sum((self.first * self.second) ** 2) + ops.sum(draw)
        self.one.apply(tape.gradient(loss, [self.first]), [self.first])
        with keras.GradientTape() as tape:
            other = ops.sum(self.first * self.second ** 3) + ops.sum(draw)
        self.other.apply(tape.gradient(other, [self.second]), [self.second])
        return {'loss': loss, 'other': other}


def test_two_tapes_and_two_optimizers_in_a_step():
    model = TwoPlayers()
    model.compile()
    model.one, model.other = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
    history = model.fit(X[:4], batch_size=2, epochs=1, verbose=0).history
    a = b = 1.0
    for _ in range(2):
        loss = (a * b) ** 2
        a -= 0.1 * 2 * a * b * b
        other = a * b ** 3
        b -= 0.1 * 3 * a * b * b
    np.testing.assert_allclose([history['loss'][0], history['other'][0]], [loss, other], rtol=1e-5)
    np.testing.assert_allclose([float(model.first.numpy()[0]), float(model.second.numpy()[0])], [a, b], rtol=1e-5)


def test_run_eagerly_runs_python_at_every_batch(engine):
    if 'eager_step' in engine.capabilities.unsupported:
        pytest.skip('declared: %s' % engine.capabilities.unsupported['eager_step'])
    seen = []

    class Watched(Taped):
        def train_step(self, data):
            seen.append(float(np.asarray(keras.backend.eval(ops.sum(data[0])))))
            return super(Watched, self).train_step(data)
    model = linear(Watched)
    model.compile('sgd', run_eagerly=True)
    history = model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(sorted(set(np.round(seen, 3))), sorted(np.round(X.reshape(4, -1).sum(axis=1), 3)),
                               atol=2e-3)
    np.testing.assert_allclose(history['loss'], gradient_descent(2, 16)[0], rtol=1e-4)


def test_a_step_that_returns_no_dictionary_is_refused():
    class Wrong(Taped):
        def train_step(self, data):
            return super(Wrong, self).train_step(data)['loss']
    model = linear(Wrong)
    model.compile('sgd')
    with pytest.raises(TypeError, match='dictionary'):
        model.fit(X, Y, verbose=0)


def test_train_step_without_a_loss_says_so():
    class Plain(keras.Model):
        def train_step(self, data):
            return super(Plain, self).train_step(data)
    model = linear(Plain)
    model.compile('sgd')
    with pytest.raises(ValueError, match='no loss to minimise'):
        model.fit(X, Y, verbose=0)


# --- in the manner of an engine ----------------------------------------------------------------------------------

def native_class(name):
    """A model whose train_step is written with the engine's own tools."""
    if name == 'tensorflow':
        import tensorflow as tf

        class Native(keras.Model):
            def train_step(self, data):
                x, y = data
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean((self(x, training=True) - y) ** 2)
                gradients = tape.gradient(loss, self.trainable_variables)
                self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
                return {'loss': loss}
    elif name == 'torch':
        import torch

        class Native(keras.Model):
            def train_step(self, data):
                x, y = data
                self.zero_grad()
                loss = torch.mean((self(x, training=True) - y) ** 2)
                loss.backward()
                weights = list(self.trainable_weights)
                with torch.no_grad():
                    self.optimizer.apply([weight.value.grad for weight in weights], weights)
                return {'loss': loss}
    else:
        import jax

        class Native(keras.Model):
            def loss_of(self, trainable, rest, x, y):
                y_pred, rest = self.stateless_call(trainable, rest, x, training=True)
                return ops.mean((y_pred - y) ** 2), rest

            def train_step(self, state, data):
                trainable, rest, optimizer, metrics = state
                x, y = data
                (loss, rest), gradients = jax.value_and_grad(self.loss_of, has_aux=True)(trainable, rest, x, y)
                trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
                return {'loss': loss}, (trainable, rest, optimizer, metrics)

            def test_step(self, state, data):
                trainable, rest, metrics = state
                y_pred, rest = self.stateless_call(trainable, rest, data[0], training=False)
                return {'loss': ops.mean((y_pred - data[1]) ** 2)}, (trainable, rest, metrics)
    return Native


@pytest.mark.on('tensorflow', 'torch', 'jax')
def test_train_step_with_the_tools_of_the_engine(engine):
    model = linear(native_class(engine.name))
    model.compile('sgd')
    history = model.fit(X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0).history
    last, _, kernel, bias = gradient_descent(3, 16)
    np.testing.assert_allclose(history['loss'], last, rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4, atol=1e-5)
    if engine.name == 'jax':
        np.testing.assert_allclose(model.evaluate(X, Y, batch_size=64, verbose=0),
                                   np.square(X.dot(kernel) + bias - Y).mean(), rtol=1e-4)


# --- the steps of the base class do what the built-in ones do

class Own(keras.Model):
    def train_step(self, data):
        return super(Own, self).train_step(data)


def masked_model(model_class):
    inputs = keras.Input((5,))
    x = layers.Embedding(4, 3, mask_zero=True, embeddings_initializer='ones')(inputs)
    return model_class(inputs, layers.LSTM(1, return_sequences=True, kernel_initializer='ones',
                                           recurrent_initializer='ones')(x))


def test_masks_reach_the_loss_and_the_metrics_of_overridden_steps():
    x = np.array([[1, 2, 0, 0, 0], [3, 1, 2, 1, 0], [1, 1, 1, 1, 1], [2, 0, 0, 0, 0]])
    y = np.random.RandomState(1).rand(4, 5, 1).astype('float32')
    model = masked_model(Own)
    error, mask = model.predict(x)[..., 0] - y[..., 0], x != 0
    model.compile(keras.optimizers.SGD(0.0), 'mse', metrics=['mae'])
    for history in (model.fit(x, y, batch_size=4, verbose=0).history,
                    {name: [value] for name, value in model.evaluate(x, y, verbose=0, return_dict=True).items()}):
        # In Keras 2 the mean of what the mask leaves is over all, that of a metric over what counts.
        np.testing.assert_allclose(history['loss'], [(error ** 2 * mask).mean()], rtol=1e-4)
        np.testing.assert_allclose(history['mae'], [np.abs(error)[mask].mean()], rtol=1e-4)


def two_outputs(model_class):
    inputs = keras.Input((3,))
    return model_class(inputs, [layers.Dense(1, name='zz', kernel_initializer='ones')(inputs),
                                layers.Dense(2, name='aa', kernel_initializer='ones')(inputs)])


def test_outputs_go_by_name_in_overridden_steps():
    y = {'aa': np.concatenate([Y, -Y], axis=1), 'zz': Y + 1}
    model = two_outputs(Own)
    model.compile(keras.optimizers.SGD(0.0), {'zz': 'mse', 'aa': 'mae'}, metrics={'aa': ['mse']},
                  loss_weights={'zz': 2.0, 'aa': 1.0})
    history = model.fit(X, y, batch_size=16, verbose=0).history
    sums = X.sum(axis=1, keepdims=True)
    first, second = np.square(sums - y['zz']).mean(), np.abs(sums - y['aa']).mean()
    expected = {'loss': 2 * first + second, 'zz_loss': first, 'aa_loss': second,
                'aa_mse': np.square(sums - y['aa']).mean()}
    assert set(history) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(history[name], [value], rtol=1e-4)


def test_what_is_added_counts_in_overridden_steps():
    inputs = keras.Input((3,))
    model = Own(inputs, layers.Dense(1, kernel_initializer='ones',
                                     kernel_regularizer=keras.regularizers.l2(0.1))(inputs))
    model.add_loss(keras.backend.mean(model.output ** 2))
    model.add_metric(keras.backend.mean(model.output), name='added')
    model.compile(keras.optimizers.SGD(0.0), 'mse')
    history = model.fit(X, Y, batch_size=16, verbose=0).history
    sums = X.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(history['loss'], [np.square(sums - Y).mean() + np.square(sums).mean() + 0.1 * 3],
                               rtol=1e-4)
    np.testing.assert_allclose(history['added'], [sums.mean()], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize('make', [masked_model, two_outputs])
def test_built_in_steps_that_run_eagerly_do_the_same(make, engine):
    if 'eager_step' in engine.capabilities.unsupported:
        pytest.skip('declared: %s' % engine.capabilities.unsupported['eager_step'])
    x = np.random.RandomState(2).randint(0, 3, (8, 5)) if make is masked_model else X[:8]
    y = np.ones((8, 5, 1)) if make is masked_model else [np.ones((8, 1)), np.ones((8, 2))]
    found = []
    for eagerly in (False, True):
        model = make(keras.Model)
        model.compile('sgd', 'mse', metrics=['mae'], run_eagerly=eagerly)
        found.append(model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history)
    assert set(found[0]) == set(found[1])
    for name, values in found[0].items():
        np.testing.assert_allclose(found[1][name], values, rtol=1e-4)


def test_masks_leave_a_model_inside_of_another():
    class Outer(keras.Model):
        def __init__(self):
            super(Outer, self).__init__()
            inputs = keras.Input((4,))
            self.inner = keras.Model(inputs, layers.Embedding(
                3, 1, mask_zero=True,
                embeddings_initializer=keras.initializers.Constant([[0.0], [1.0], [3.0]]))(inputs))
            self.pool = layers.GlobalAveragePooling1D()

        def call(self, x):
            return self.pool(self.inner(x))
    x = np.array([[1, 2, 0, 0], [1, 1, 1, 0]])
    np.testing.assert_allclose(Outer().predict(x), [[2.0], [1.0]], rtol=1e-5)


class ByFunction(keras.Model):
    def train_step(self, data):
        x, y = data

        def loss():
            outputs = self(x, training=True)
            return self.compute_loss(x=x, y=y, y_pred=outputs), outputs
        (_, outputs), gradients = keras.value_and_grad(loss, self.trainable_variables, has_aux=True)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.compute_metrics(x, y, outputs)


@pytest.mark.parametrize('base', [keras.Model, ByFunction])
def test_masks_of_models_without_a_graph_reach_metrics(base):
    class Masked(base):
        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(5, 4, mask_zero=True, embeddings_initializer='ones')
            self.dense = layers.Dense(1, kernel_initializer='ones')

        def call(self, x):
            return self.dense(self.embedding(x))
    x, y = np.array([[1, 2, 0], [3, 0, 0]]), np.random.RandomState(1).rand(2, 3, 1)
    model = Masked()
    model.compile('sgd', 'mse', metrics=['mae'])
    # The model is not built: the function asks for variables that its first call makes.
    found = model.fit(x, y, verbose=0).history['mae'][0]
    assert found == pytest.approx((4 - y)[x > 0].mean(), rel=1e-5)


@pytest.mark.on('torch', 'tensorflow', 'jax')
def test_functions_of_steps_that_a_model_makes_are_what_runs():
    called = []

    def counting(kind):
        def make(self, force=False):
            function = getattr(super(Made, self), 'make_%s_function' % kind)(force)

            def run(*given):
                called.append(kind)
                return function(*given)
            return run
        return make

    class Made(keras.Model):
        make_train_function = counting('train')
        make_test_function = counting('test')
        make_predict_function = counting('predict')
    _, losses, kernel, bias = gradient_descent(1, 32)
    model = linear(Made)
    model.compile(keras.optimizers.SGD(0.01), 'mse')
    model.fit(X, Y, batch_size=32, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4)
    np.testing.assert_allclose(model.predict(X, batch_size=32), X.dot(kernel) + bias, rtol=1e-3, atol=1e-4)
    assert called == ['train', 'train', 'predict', 'predict']
    assert model.evaluate(X, Y, batch_size=32, verbose=0) == pytest.approx(
        ((X.dot(kernel) + bias - Y) ** 2).mean(), rel=1e-3)
    assert called[4:] == ['test', 'test']


@pytest.mark.on('torch', 'tensorflow')
def test_a_function_of_steps_takes_its_batches_from_an_iterator():
    class Made(keras.Model):
        def make_train_function(self, force=False):
            def run(iterator):
                return self.train_step(next(iterator))
            if keras.config.backend() == 'tensorflow':
                import tensorflow as tf
                run = tf.function(run)  # which would take a batch of Python's for a constant
            self.train_function = run
    _, losses, kernel, _ = gradient_descent(2, 16)
    model = linear(Made)
    model.compile(keras.optimizers.SGD(0.01), 'mse')
    model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4)


@pytest.mark.on('jax')
def test_a_function_of_steps_for_jax_takes_and_gives_the_state():
    class Made(keras.Model):
        def make_train_function(self, force=False):
            function = super().make_train_function(force)

            def run(state, iterator):
                logs, state = function(state, iterator)
                return {'doubled': 2 * logs['loss']}, state
            return run
    _, losses, kernel, _ = gradient_descent(1, 64)
    model = linear(Made)
    model.compile(keras.optimizers.SGD(0.01), 'mse')
    history = model.fit(X, Y, batch_size=64, shuffle=False, verbose=0).history
    assert history['doubled'][0] == pytest.approx(2 * losses[0], rel=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4)


class OfTfKeras(keras.Model):
    """As scripts for tf.keras 2.2 to 2.15 have it."""

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


def test_compiled_loss_and_metrics_as_tf_keras_has_them():
    model = linear(OfTfKeras)
    assert model.compiled_loss is None and model.compiled_metrics is None
    model.compile(keras.optimizers.SGD(0.01), 'mse', metrics=['mae'])
    history = model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    _, losses, kernel, bias = gradient_descent(2, 16)
    np.testing.assert_allclose(history['loss'], [np.mean(losses[:4]), np.mean(losses[4:])], rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4)
    assert set(history) == {'loss', 'mae'} or set(history) == {'loss', 'mean_absolute_error'}
    assert model.compiled_loss.metrics[0].name == 'loss' and len(model.compiled_metrics.metrics) == 1


def test_minimize_a_function():
    variable = keras.Variable([1.0, -2.0])
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.minimize(lambda: ops.sum(ops.square(variable.value)), [variable])
    np.testing.assert_allclose(variable.numpy(), [0.8, -1.6], rtol=1e-6)
    with pytest.raises(ValueError, match='tape'):
        optimizer.minimize(ops.sum(variable.value), lambda: [variable])


class JaxByParent(keras.Model):
    def train_step(self, state, data):
        logs, state = super(JaxByParent, self).train_step(state, data)
        return dict(logs, extra=7.0), state

    def test_step(self, state, data):
        logs, state = super(JaxByParent, self).test_step(state, data)
        return dict(logs, extra=5.0), state

    def predict_step(self, state, data):
        outputs, others = super(JaxByParent, self).predict_step(state, data)
        return outputs * 2, others


@pytest.mark.on('jax')
def test_steps_for_jax_by_those_of_the_base_class():
    model = linear(JaxByParent)
    model.compile('sgd', 'mse', metrics=['mae'])
    assert model.predict(X[:2], verbose=0)[:, 0] == pytest.approx(2 * X[:2].sum(axis=1), rel=1e-5)
    history = model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y)).history
    _, losses, kernel, bias = gradient_descent(2, 16)
    assert history['loss'] == pytest.approx(np.reshape(losses, (2, 4)).mean(axis=1), rel=1e-4)
    assert history['extra'] == [7.0, 7.0] and history['val_extra'] == [5.0, 5.0]
    assert history['val_loss'][-1] == pytest.approx(np.mean((X.dot(kernel) + bias - Y) ** 2), rel=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4, atol=1e-5)


def state_of(model):
    return [[variable.value for variable in part] for part in (
        model.trainable_variables, model.non_trainable_variables, model.metrics_variables)]


def test_the_loss_as_a_function_of_the_state():
    model = linear(keras.Model)
    model.compile('sgd', 'mse')
    trained, others, metrics = state_of(model)
    doubled = [value * 2 for value in trained]
    loss, (unscaled, outputs, _, _) = model.compute_loss_and_updates(doubled, others, metrics, X, Y, None)
    expected = 2 * X.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ops.convert_to_numpy(outputs), expected, rtol=1e-5)
    assert float(loss) == float(unscaled) == pytest.approx(np.mean((expected - Y) ** 2), rel=1e-5)
    loss, state = model.stateless_compute_loss(trained, others, metrics, X, Y, ops.convert_to_tensor(Y + 1))
    assert float(loss) == pytest.approx(1.0, rel=1e-5) and len(state) == 3
    assert model.get_weights()[0] == pytest.approx(np.ones((3, 1)))
    with pytest.raises(ValueError, match='The state has to consist of'):
        model.compute_loss_and_updates(trained[:1], others, metrics, X, Y, None)


@pytest.mark.on('jax')
def test_the_loss_as_a_function_for_the_gradients_of_jax():
    import jax
    model = linear(keras.Model)
    model.compile('sgd', 'mse')
    function = jax.jit(jax.grad(model.compute_loss_and_updates, has_aux=True))
    gradients, _ = function(*state_of(model) + [X, Y, None])
    error = X.sum(axis=1, keepdims=True) - Y
    np.testing.assert_allclose(gradients[0], 2 * X.T.dot(error) / len(X), rtol=1e-4)


@pytest.mark.on('torch')
def test_compute_loss_may_do_without_training():
    class Older(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return 3 * super(Older, self).compute_loss(x, y, y_pred, sample_weight)
    model = linear(Older)
    model.compile('sgd', 'mse')
    loss = 3 * np.mean((X.sum(axis=1, keepdims=True) - Y) ** 2)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(loss, rel=1e-5)
    assert model.fit(X, Y, batch_size=64, verbose=0).history['loss'][0] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize('wrong', [3, -1])
def test_labels_out_of_range_are_found_in_steps_of_its_own(wrong):
    inputs = keras.Input((3,))
    model = ByParent(inputs, layers.Dense(3, activation='softmax')(inputs))
    model.compile('sgd', 'sparse_categorical_crossentropy')
    labels = np.arange(64) % 3
    model.fit(X, labels, batch_size=16, verbose=0)
    before = model.get_weights()[0]
    labels[2] = wrong
    with pytest.raises(ValueError, match='holds class %d, but the output has 3 classes' % wrong):
        model.fit(X, labels, batch_size=64, verbose=0)
    with pytest.raises(ValueError, match='holds class %d, but the output has 3 classes' % wrong):
        model.fit(X, labels, batch_size=16, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)


@pytest.mark.on('torch', 'jax', 'tensorflow', 'theano', 'mxnet', 'cntk')
def test_batches_of_an_epoch_in_one_go_and_with_callbacks_between_them():
    """Where nothing listens, the values of the weights may stay with the step from batch to batch."""
    class Halved(keras.Model):
        def train_step(self, data):
            x, y = data
            with keras.GradientTape() as tape:
                loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True)) * 0.5
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {'half': loss}

    def trained(*callbacks):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((3,))
        model = Halved(inputs, keras.layers.Dense(2)(keras.layers.Dense(4, activation='tanh')(inputs)))
        model.compile('adam', 'mse')
        history = model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=list(callbacks)).history
        return history['half'], model.get_weights()
    x, y = np.random.RandomState(0).normal(size=(2, 19, 3)).astype('float32')
    y, seen = y[:, :2], []
    listener = keras.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs['half']))
    (losses, weights), (found, others) = trained(), trained(listener)
    assert len(seen) == 15
    np.testing.assert_allclose(losses, found, rtol=1e-6)
    np.testing.assert_allclose(losses, seen[4::5], rtol=1e-6)
    for one, other in zip(weights, others):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.on('torch', 'jax', 'tensorflow')
def test_classes_beyond_the_outputs_are_found_in_every_batch():
    class Same(keras.Model):
        def train_step(self, data):
            return super().train_step(data)
    inputs = keras.Input((3,))
    model = Same(inputs, keras.layers.Dense(2, activation='softmax')(inputs))
    model.compile('sgd', 'sparse_categorical_crossentropy')
    x, y = np.ones((12, 3), 'float32'), np.zeros(12, 'int64')
    y[9] = 2
    with pytest.raises(ValueError, match='holds class 2, but the output has 2 classes'):
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    assert np.isfinite(model.get_weights()[0]).all()
    y[9] = 1
    model.fit(x, y, batch_size=4, verbose=0)


@pytest.mark.needs_gradients
def test_a_loss_of_more_outputs_in_training_only():
    class Twice(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            if training:
                y, y_pred = [y, y], [y_pred, y_pred]
            return super().compute_loss(x, y, y_pred, sample_weight)
    inputs = keras.Input((3,))
    model = Twice(inputs, keras.layers.Dense(1)(inputs))
    model.compile('sgd', 'mse', metrics=['mae'])
    x, y = np.ones((8, 3), 'float32'), np.ones((8, 1), 'float32')
    history = model.fit(x, y, validation_data=(x, y), verbose=0).history
    error = model.predict(x, verbose=0) - y
    assert history['val_loss'][0] == pytest.approx(np.mean(error ** 2), rel=1e-4)
    assert history['val_mae'][0] == pytest.approx(np.mean(abs(error)), rel=1e-4)


def test_reset_metrics_reaches_what_is_counted_outside_of_steps():
    inputs = keras.Input((2,))
    ends = {name: keras.layers.Activation('linear', name=name)(inputs) for name in 'ab'}
    with keras.config.generation(3):
        model = keras.Model(inputs, ends)
        model.compile('sgd', metrics={name: keras.metrics.MeanSquaredError() for name in 'ab'})
        zeros = np.zeros((3, 2), 'float32')
        for wrong in (0.0, 1.0):
            model.reset_metrics()
            found = model.compute_metrics(None, {'a': zeros, 'b': zeros}, {'a': zeros, 'b': zeros + wrong})
            assert float(found['b_mean_squared_error']) == wrong


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('nested', [False, True])
def test_no_sample_weights_at_all_for_several_outputs(nested):
    inputs = keras.Input((2,))
    ends = [keras.layers.Dense(1, name=name)(inputs) for name in 'ab']
    model = keras.Model(inputs, [{'a': ends[0]}, [ends[1]]] if nested else ends)
    model.compile('sgd', 'mse')
    x, y = np.ones((4, 2), 'float32'), np.ones((4, 1), 'float32')
    with pytest.raises(ValueError, match='one `sample_weight` array per output'):
        model.evaluate(x, [{'a': y}, [y]] if nested else [y, y], sample_weight=[], verbose=0)
