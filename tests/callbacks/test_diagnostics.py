"""What looks into a training sees what is there."""
import time

import numpy as np
import pytest

import keras
from keras import callbacks as C
from keras import layers

pytestmark = pytest.mark.needs_gradients
on_three = pytest.mark.on('torch', 'jax', 'mxnet')
on_one = pytest.mark.on('torch', 'mxnet')
X = np.random.RandomState(0).normal(size=(12, 3)).astype('float32')


def linear(*more, **arguments):
    inputs = keras.Input((3,))
    x = layers.Dense(3, name='first')(inputs)
    for layer in more:
        x = layer(x)
    model = keras.Model(inputs, layers.Dense(1, name='last')(x))
    model.compile(keras.optimizers.SGD(0.01), 'mse', **arguments)
    return model


@on_one
def test_throughput_and_the_share_of_waiting():
    class Slow(keras.utils.Sequence):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            time.sleep(0.05)
            return np.zeros((4, 7), 'int32'), np.zeros((4, 1), 'float32')

    model = keras.Sequential([layers.Embedding(3, 2, input_length=7), layers.Flatten(), layers.Dense(1)])
    model.compile('sgd', 'mse')
    model.fit(Slow(), verbose=0)
    history = model.fit(Slow(), verbose=0, shuffle=False, callbacks=[C.Throughput()]).history
    assert 0 < history['samples_per_second'][0] < 12 / 0.15
    assert history['tokens_per_second'][0] == pytest.approx(7 * history['samples_per_second'][0])
    assert history['data_wait'][0] == pytest.approx(0.15 * history['samples_per_second'][0] / 12, abs=0.3)
    assert 0 < history['data_wait'][0] <= 1


@on_three
def test_norms_are_those_of_the_step():
    model, norms = linear(), C.GradientNorms(1)
    before = model.get_weights()
    history = model.fit(X, X[:, :1], batch_size=12, epochs=2, verbose=0, callbacks=[norms]).history
    # The gradients of the mean of squares, by hand.
    w1, b1, w2, b2 = [np.asarray(value, 'float64') for value in before]
    hidden = X @ w1 + b1
    error = 2 * (hidden @ w2 + b2 - X[:, :1]) / 12
    gradients = [X.T @ (error @ w2.T), (error @ w2.T).sum(0), hidden.T @ error, error.sum(0)]
    watched = C.GradientNorms('epoch')
    model.set_weights(before)
    found = model.fit(X, X[:, :1], batch_size=12, epochs=1, verbose=0, callbacks=[watched]).history
    np.testing.assert_allclose(list(watched.history[-1]['gradients'].values()),
                               [np.linalg.norm(gradient) for gradient in gradients], rtol=1e-4)
    total = np.sqrt(sum((gradient ** 2).sum() for gradient in gradients))
    assert found['gradient_norm'][0] == pytest.approx(total, rel=1e-4)
    assert history['gradient_norm'][0] == pytest.approx(total, rel=1e-4)
    assert [entry['batch'] for entry in norms.history] == [1, 2]
    assert history['gradient_norm'][1] != history['gradient_norm'][0]
    weights = np.sqrt(sum((np.asarray(weight, 'float64') ** 2).sum() for weight in model.get_weights()))
    assert found['weight_norm'][0] == pytest.approx(weights, rel=1e-5)
    # The step of a training without the callback is the usual one again.
    assert 'gradient_norm' not in model.fit(X, X[:, :1], verbose=0).history


@on_one
def test_first_layer_that_turns_nan_is_named():
    model = linear(layers.Lambda(lambda x: x - 1e30, name='down'),
                   layers.Lambda(lambda x: keras.ops.log(x), name='logarithm'))
    before = model.get_weights()
    with pytest.raises(FloatingPointError, match=r'output 0 of the layer logarithm \(Lambda\): .*36 of 36 .* are NaN'):
        model.fit(X, X[:, :1], batch_size=12, verbose=0, callbacks=[C.NaNDetector()])
    for array, other in zip(model.get_weights(), before):
        np.testing.assert_array_equal(array, other)


class Logarithm(layers.Layer):
    def call(self, x):
        return keras.ops.log(x * 0.0 - 2.0)


class Inside(keras.Model):
    """A model that is defined by `call`, with the layer that gives NaN inside of another one."""

    def __init__(self):
        super().__init__()
        self.part = keras.Sequential([layers.Dense(3), Logarithm(name='logarithm'), layers.Dense(2, name='behind')])
        self.last = layers.Dense(1)

    def call(self, x):
        return self.last(self.part(x))


class WithStep(Inside):
    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            loss = keras.ops.mean(keras.ops.square(self(x, training=True) - y))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {'d_loss': loss}


@pytest.mark.parametrize('make', [Inside, WithStep, lambda: linear(Inside().part),
                                  lambda: linear(layers.RepeatVector(2), layers.TimeDistributed(
                                      Logarithm(name='logarithm')), layers.Flatten())])
def test_layer_that_turns_nan_is_named_inside_of_others(make):
    model = make()
    model.compile('sgd', 'mse')
    with pytest.raises(FloatingPointError, match=r'output 0 of the layer logarithm \(Logarithm\)'):
        model.fit(X, X[:, :1], batch_size=12, verbose=0, callbacks=[C.NaNDetector()])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    # The layers are what they were.
    assert all('call' not in vars(layer) for layer in model.walk_layers())


@pytest.mark.on('torch')
def test_nothing_is_said_of_layers_where_a_model_runs_by_its_step_alone():
    class Alone(keras.Model):
        def train_step(self, data):
            return {'loss': keras.ops.log(keras.ops.mean(data[0]) * 0.0 - 1.0)}
    model = Alone()
    model.compile('sgd')
    with pytest.raises(FloatingPointError, match='the loss, or what a layer gives: the model has no `call`'):
        model.fit(X, X, verbose=0, callbacks=[C.NaNDetector()])


@on_one
def test_inputs_targets_weights_and_gradients_that_are_nan_are_named():
    def fit(model, x, y):
        with pytest.raises(FloatingPointError) as caught:
            model.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=[C.NaNDetector()])
        return str(caught.value)
    model, bad = linear(), X.copy()
    bad[5, 1] = np.nan
    message = fit(model, bad, X[:, :1])
    assert message.startswith('Batch 1:') and 'input 0 of the batch: shape (4, 3), 1 of 12' in message
    assert 'target 0 of the batch' in fit(model, X, bad[:, 1:2])
    model.set_weights([np.full((3, 3), np.inf)] + model.get_weights()[1:])
    assert 'the weight' in fit(model, X, X[:, :1]) and 'kernel' in fit(model, X, X[:, :1])
    # The root has an infinite slope at 0, where it is finite itself.
    model = linear(layers.Lambda(lambda x: keras.ops.sqrt(x * 0.0), name='root'))
    assert 'the gradient of' in fit(model, X, X[:, :1] + 1)


@on_one
def test_finite_training_goes_on_under_the_detector():
    assert len(linear().fit(X, X[:, :1], verbose=0, epochs=2, callbacks=[C.NaNDetector()]).history['loss']) == 2


@on_one
def test_layers_are_timed(capsys):
    model = keras.Sequential([layers.Dense(3, input_shape=(3,), name='quick'), layers.Dense(1, name='other')])
    model.compile('sgd', 'mse')
    profiler = C.LayerProfiler(repetitions=2)
    model.fit(X, X[:, :1], batch_size=6, verbose=0, callbacks=[profiler])
    assert [row[:3] for row in profiler.table] == [('quick', 'Dense', (6, 3)), ('other', 'Dense', (6, 1))]
    assert all(row[3] > 0 for row in profiler.table)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and 'quick (Dense) (6, 3)' in '\n'.join(lines)
    assert set(profiler.backward) == {'quick', 'other'}


@pytest.mark.on('torch')  # engines that compile sleep once, when they trace
def test_layers_are_timed_backward():
    """A layer whose gradients take long by themselves, and one that has none."""
    @keras.ops.custom_gradient
    def slow(x):
        def gradient(*args, upstream=None):
            time.sleep(0.02)
            return upstream if upstream is not None else args[0]
        return x * 1.0, gradient
    model = keras.Sequential([layers.Embedding(4, 2, input_length=3, name='table'), layers.Flatten(),
                              layers.Lambda(slow, name='slow'), layers.Dense(1, name='last')])
    model.compile('sgd', 'mse')
    profiler = C.LayerProfiler(repetitions=1, verbose=0)
    model.fit(np.ones((12, 3), 'int32'), X[:, :1], batch_size=6, verbose=0, callbacks=[profiler])
    assert {'table', 'slow', 'last'} <= set(profiler.backward)
    assert profiler.backward['slow'] > 0.01 > profiler.backward['last']
