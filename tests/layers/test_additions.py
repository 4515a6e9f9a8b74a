"""Losses, metrics and updates that layers and models add, in `call` and in the graph."""
import numpy as np
import pytest

import keras
from keras import backend as K, metrics
from keras.layers import Dense, Input, Layer
from keras.models import Model

needs_gradients = pytest.mark.needs_gradients
X = np.arange(12.0, dtype='float32').reshape(6, 2)


class Penalty(Layer):
    def call(self, inputs):
        self.add_loss(0.5 * K.sum(inputs), inputs=inputs)
        self.add_metric(K.sum(inputs, axis=-1), name='row_sum')
        self.add_metric(K.max(inputs), name='largest', aggregation='mean')
        return inputs * 2.0

    def compute_output_shape(self, input_shape):
        return input_shape


class Centered(Layer):
    """Keeps a moving mean, as custom layers of the Keras 2 years do."""

    def build(self, input_shape):
        self.mean = self.add_weight(name='mean', shape=input_shape[1:], initializer='zeros', trainable=False)
        self.seen = self.add_weight(name='seen', shape=(), initializer='zeros', trainable=False)
        super().build(input_shape)

    def call(self, inputs, training=None):
        mean = K.mean(inputs, axis=0)
        self.add_update([K.moving_average_update(self.mean, mean, 0.5), (self.seen, self.seen + 1.0)], inputs)
        return K.in_train_phase(inputs - mean, inputs - self.mean, training=training)


def identity_model(layer):
    x = Input((2,))
    model = Model(x, layer(x))
    model.compile('sgd', 'mse')
    return model


# --- losses -----------------------------------------------------------------------------------------------------

def test_losses_and_metrics_of_call_are_in_the_logs():
    model = identity_model(Penalty())
    for batch_size in (6, 4):
        logs = dict(zip(['loss', 'row_sum', 'largest'],
                        model.evaluate(X, 2 * X, batch_size=batch_size, verbose=0)))
        assert model.metrics_names == ['loss', 'row_sum', 'largest']
        assert logs['row_sum'] == pytest.approx(X.sum(1).mean())
        # One value per batch, and the mean of these.
        assert logs['largest'] == pytest.approx(np.mean([X[start:start + batch_size].max()
                                                         for start in range(0, 6, batch_size)]))
    assert model.test_on_batch(X, 2 * X)[0] == pytest.approx(0.5 * X.sum())
    assert [metric.name for metric in model.metrics] == ['row_sum', 'largest']


@needs_gradients
def test_metrics_of_call_in_the_history():
    x = Input((2,))
    model = Model(x, Dense(1)(Penalty()(x)))
    model.compile(keras.optimizers.SGD(0.0), 'mse', metrics=['mae'])
    history = model.fit(X, np.zeros((6, 1)), epochs=2, batch_size=3, shuffle=False, verbose=0,
                        validation_data=(X[:3], np.zeros((3, 1)))).history
    assert history['row_sum'] == pytest.approx([X.sum(1).mean()] * 2)
    assert history['val_row_sum'] == pytest.approx([X[:3].sum(1).mean()] * 2)
    assert 'mae' in history and 'val_largest' in history
    by_name = {metric.name: metric for metric in model.metrics}
    assert float(K.eval(by_name['row_sum'].result())) == pytest.approx(X[:3].sum(1).mean())


def test_symbolic_additions_to_models():
    x = Input((2,))
    y = keras.layers.Lambda(lambda t: t * 3.0)(x)
    model = Model(x, y)
    model.add_loss(K.mean(K.square(y - x)))
    model.add_metric(K.sum(y, axis=1), name='total', aggregation='mean')
    model.compile('sgd')
    assert model.metrics_names == ['loss', 'total']
    loss, total = model.evaluate(X, batch_size=6, verbose=0)
    assert loss == pytest.approx(np.mean((2 * X) ** 2)) and total == pytest.approx((3 * X).sum(1).mean())


def test_symbolic_losses_of_layers_and_inner_models():
    x = Input((2,))
    layer = keras.layers.Lambda(lambda t: t + 1.0)
    inner = Model(x, layer(x))
    inner.add_loss(K.mean(inner.output))
    z = Input((2,))
    outer = Model(z, inner(z))
    outer.compile('sgd')
    assert outer.test_on_batch(X) == pytest.approx(X.mean() + 1)
    layer.add_loss(K.max(layer.get_output_at(0)))
    assert len(inner.get_losses_for(None)) == 2 and not inner.get_losses_for(x)
    inner.compile('sgd')
    assert inner.test_on_batch(X) == pytest.approx(X.mean() + 1 + X.max() + 1)


@needs_gradients
def test_losses_are_parts_of_the_graph():
    x = Input((2,))
    dense = Dense(1, kernel_initializer='ones', kernel_regularizer=keras.regularizers.l2(0.5),
                  activity_regularizer=keras.regularizers.l1(0.25))
    model = Model(x, dense(Penalty()(x)))
    total = sum(model.losses)
    value, slope = K.function([x], [total] + K.gradients(total, [dense.kernel]))([X])
    output = 2 * X.sum(1)
    expected = 0.5 * 2 + 0.25 * np.abs(output).sum() + 0.5 * X.sum()
    assert value == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(slope[:, 0], 1 + 0.25 * 2 * X.sum(0), rtol=1e-4)
    assert len(model.get_losses_for(None)) == 1 and len(model.get_losses_for(x)) == 2
    assert len(dense.losses) == 2


def test_losses_of_a_layer_called_on_values():
    layer = Penalty()
    layer(X)
    assert [float(K.eval(loss)) for loss in layer.losses] == [0.5 * X.sum()]


@needs_gradients
def test_losses_of_weights():
    model = keras.Sequential([Dense(1, input_shape=(2,), kernel_initializer='ones', use_bias=False)])
    model.add_loss(K.sum(K.square(model.layers[0].kernel)))
    model.compile(keras.optimizers.SGD(0.25), 'mse', loss_weights=[0.0])
    assert model.train_on_batch(X, np.zeros((6, 1))) == pytest.approx(2.0)
    np.testing.assert_allclose(model.get_weights()[0], [[0.5], [0.5]], rtol=1e-5)


# --- updates ----------------------------------------------------------------------------------------------------

@needs_gradients
def test_updates_of_call_happen_in_training_only():
    layer = Centered()
    x = Input((2,))
    model = Model(x, Dense(1)(layer(x)))
    model.compile('sgd', 'mse')
    model.predict(X)
    model.evaluate(X, np.zeros((6, 1)), verbose=0)
    assert [value.sum() for value in layer.get_weights()] == [0, 0]
    model.fit(X, np.zeros((6, 1)), batch_size=3, epochs=1, shuffle=False, verbose=0)
    mean, seen = layer.get_weights()
    assert seen == 2
    np.testing.assert_allclose(mean, X[:3].mean(0) * 0.25 + X[3:].mean(0) * 0.5, rtol=1e-5)
    np.testing.assert_allclose(K.function([x], [layer.output])([X])[0], X - mean, rtol=1e-5, atol=1e-5)


@needs_gradients
def test_symbolic_updates_run_in_every_training_step():
    x = Input((2,))
    dense = Dense(1)
    model = Model(x, dense(x))
    count, largest = K.variable(0.0), K.variable(0.0)
    dense.add_update(K.update_add(count, 1.0))
    model.add_update([(largest, K.maximum(largest, K.max(x)))], inputs=x)
    assert len(model.updates) == 2 and len(model.get_updates_for(x)) == 1 and len(model.get_updates_for(None)) == 1
    model.compile('sgd', 'mse')
    model.evaluate(X, np.zeros((6, 1)), verbose=0)
    assert K.get_value(count) == 0.0
    model.fit(X, np.zeros((6, 1)), batch_size=2, epochs=2, verbose=0)
    assert K.get_value(count) == 6.0 and K.get_value(largest) == X.max()


# --- errors -----------------------------------------------------------------------------------------------------

def test_metrics_that_cannot_be():
    layer = Layer(name='some_layer')
    with pytest.raises(ValueError, match='some_layer.*name'):
        layer.add_metric(K.placeholder(()))
    with pytest.raises(ValueError, match='mean'):
        layer.add_metric(K.placeholder(()), name='a', aggregation='max')
    with pytest.raises(ValueError, match='symbolic'):
        layer.add_metric(1.0, name='a')


# --- the training graph -----------------------------------------------------------------------------------------

@needs_gradients
def test_total_loss_and_targets():
    model = keras.Sequential([Dense(1, input_shape=(2,), kernel_initializer='ones', use_bias=False,
                                    kernel_regularizer=keras.regularizers.l2(0.5))])
    model.compile(keras.optimizers.SGD(0.01), 'mse')
    gradients = model.optimizer.get_gradients(model.total_loss, model.trainable_weights)
    f = K.function(model.inputs + model.targets + model.sample_weights, [model.total_loss] + gradients)
    y, weights = np.zeros((6, 1)), np.array([1.0, 0.0, 1.0, 1.0, 0.0, 2.0])
    loss, slope = f([X, y, weights])
    output = X.sum(1)
    assert loss == pytest.approx((weights * output ** 2).mean() + 1.0, rel=1e-4)
    np.testing.assert_allclose(slope[:, 0], (2 * weights * output) @ X / 6 + 1.0, rtol=1e-4)
    assert model.test_on_batch(X, y, sample_weight=weights) == pytest.approx(loss, rel=1e-4)


@needs_gradients
def test_the_functions_of_a_compiled_model():
    model = keras.Sequential([Dense(1, input_shape=(2,), kernel_initializer='ones', use_bias=False)])
    model.compile(keras.optimizers.SGD(0.01), 'mse')
    model._make_train_function()
    y, weights = np.zeros((6, 1)), np.ones(6)
    loss = model.train_function([X, y, weights, 1.0])[0]
    assert loss == pytest.approx((X.sum(1) ** 2).mean(), rel=1e-4)
    assert model.get_weights()[0][0, 0] < 1.0
    model._make_predict_function()
    np.testing.assert_allclose(model.predict_function([X, 0.0])[0], model.predict(X), rtol=1e-5)
    model._make_test_function()
    assert model.test_function([X, y, weights, 0.0])[0] == pytest.approx(model.test_on_batch(X, y), rel=1e-4)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation', [2, 'tf', 3])
def test_losses_of_a_layer_called_alone_and_in_a_model(generation):
    with keras.config.generation(generation):
        layer = Penalty()
        layer(X)
        assert len(layer.losses) == 1
        model = keras.Sequential([layer])
        for rows in (X, X[:2]):
            model(rows)
            assert [float(loss) for loss in model.losses] == [rows.sum() / 2]


@needs_gradients
def test_one_name_for_several_values_is_their_mean():
    """As of a layer that is called twice: nothing that `add_metric` is given is left out."""
    class Watched(Layer):
        def call(self, inputs):
            self.add_metric(K.mean(inputs), name='level')
            return inputs

    first, second, watched = Input((2,)), Input((2,)), Watched()
    model = Model([first, second], Dense(1)(keras.layers.add([watched(first), watched(second)])))
    model.compile('sgd', 'mse')
    history = model.fit([X, 3 * X + 1], np.zeros((6, 1)), batch_size=6, verbose=0).history
    np.testing.assert_allclose(history['level'], [2 * np.mean(X) + 0.5], rtol=1e-6)

    x = Input((2,))
    model = Model(x, Dense(1)(x))
    model.add_metric(K.mean(x), name='level')
    model.add_metric(K.mean(2 * x), name='level')
    model.compile('sgd', 'mse')
    assert model.metrics_names.count('level') == 1
    history = model.fit(X, np.zeros((6, 1)), verbose=0).history
    np.testing.assert_allclose(history['level'], [1.5 * np.mean(X)], rtol=1e-6)


def test_a_layer_called_on_variables_reads_them_when_the_graph_runs():
    variable = K.variable(np.ones((2, 3)))
    layer = Dense(4, kernel_initializer='ones', activity_regularizer='l2')
    result = layer(variable)
    assert K.int_shape(result) == (2, 4) and result._keras_history[0] is layer
    run = K.function([], [result, layer.get_losses_for(variable)[0]])
    assert [float(np.sum(value)) for value in run([])] == pytest.approx([24, 0.01 * 8 * 9])
    K.set_value(variable, np.full((2, 3), 2.0))
    assert [float(np.sum(value)) for value in run([])] == pytest.approx([48, 0.01 * 8 * 36])
    assert float(np.asarray(result)[0, 0]) == 6
    with keras.config.generation(3):
        assert not isinstance(Dense(4)(variable), keras.KerasTensor)


@pytest.mark.on('numpy')
def test_packages_append_to_the_metrics_of_a_layer():
    """Keras 3 keeps them in a list of each layer, `_metrics`."""
    outer, inner = Layer(), Layer()
    outer.inner, inner.mean = inner, metrics.Mean(name='a')
    assert outer._metrics == [] and inner._metrics == [inner.mean]
    appended = metrics.Mean(name='b')
    outer._metrics.append(appended)
    inner.late = metrics.Mean(name='c')
    assert [metric.name for metric in inner._metrics] == ['a', 'c']
    assert [metric.name for metric in outer.metrics] == ['b', 'a', 'c']
    outer._metrics = [metrics.Mean(name='d')]
    assert [metric.name for metric in outer.metrics] == ['d', 'a', 'c']


@pytest.mark.on('numpy')
def test_an_attribute_of_the_name_of_a_list_of_keras_3():
    class Named(Layer):
        def __init__(self, metrics):
            super().__init__()
            self._metrics = metrics
    mean = metrics.Mean()
    assert Named({'a': mean})._metrics == {'a': mean} and Named(None)._metrics is None
    layer = Dense(1)
    layer._metrics.append(mean)
    assert layer._metrics == [mean] and layer.metrics == [mean]
