"""Copies and pickles of layers and models: the same numbers, and nothing in common with the original."""
import copy
import pickle

import numpy as np
import pytest

import keras
from keras import backend as K
from keras import callbacks, config, layers, ops, optimizers
from keras.backend.state.variables import to_array
from keras.models import Model, Sequential

DATA = np.random.RandomState(0).randn(6, 4, 3).astype('float32')
TARGETS = DATA[:, :1, 0]


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


class Scaled(layers.Layer):
    """A custom layer without `get_config`, with a layer inside."""

    def __init__(self, factor):
        super(Scaled, self).__init__()
        self.factor, self.inner = factor, layers.Dense(2)

    def call(self, inputs, training=None):
        return self.inner(inputs) * self.factor


class Subclass(Model):
    def __init__(self):
        super(Subclass, self).__init__()
        self.parts = [layers.Dense(4, activation='tanh'), {'head': layers.Dense(1)}]

    def call(self, inputs):
        return self.parts[1]['head'](self.parts[0](ops.mean(inputs, axis=1)))


def stack():
    return Sequential([layers.Dense(4, input_shape=(4, 3), activation='tanh'), layers.BatchNormalization(),
                       layers.Bidirectional(layers.LSTM(2)), layers.Dropout(0.5), layers.Dense(1)])


def masked():
    x = layers.Input((4, 3))
    hidden = layers.LSTM(3, return_sequences=True)(layers.Masking(0.0)(x))
    shared = layers.Dense(3)
    merged = layers.Add()([shared(hidden), shared(x), ops.tanh(x) * 2.0])
    return Model(x, layers.LSTM(2)(merged))


def nested():
    x = layers.Input((4, 3))
    inner = Model([x], [layers.TimeDistributed(Scaled(3.0))(x)])
    y = layers.Input((4, 3))
    return Model({'in': y}, {'out': [inner(y)], 'other': layers.Flatten()(inner(layers.Activation('relu')(y)))})


def subclass():
    model = Subclass()
    model.predict(DATA)
    return model


def flat(values):
    return np.concatenate([np.ravel(to_array(value)) for value in _leaves(values)])


def _leaves(values):
    if isinstance(values, dict):
        values = [values[key] for key in sorted(values)]
    return [leaf for part in values for leaf in _leaves(part)] if isinstance(values, list) else [values]


@pytest.mark.parametrize('duplicate', [copy.deepcopy, pickled])
@pytest.mark.parametrize('make', [stack, masked, nested, subclass])
def test_copies_of_models_compute_the_same_with_weights_of_their_own(make, duplicate):
    model = make()
    before = flat(model.predict(DATA))
    twin = duplicate(model)
    assert [w.path for w in twin.weights] == [w.path for w in model.weights]
    assert not set(map(id, twin.weights)) & set(map(id, model.weights))
    np.testing.assert_allclose(flat(twin.predict(DATA)), before, rtol=1e-5, atol=1e-6)
    twin.set_weights([value * 2 for value in twin.get_weights()])
    np.testing.assert_allclose(flat(model.predict(DATA)), before, rtol=1e-5, atol=1e-6)
    assert not np.allclose(flat(twin.predict(DATA)), before)
    if make is not subclass:
        assert twin.output_shape == model.output_shape
        assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
        assert twin.layers[1].output.shape == model.layers[1].output.shape


def trained(make):
    model = make()
    model.compile(optimizers.Adam(0.01), 'mse', metrics=['mae'])
    model.fit(DATA, TARGETS, epochs=2, batch_size=6, verbose=0)
    return model


@pytest.mark.needs_gradients
@pytest.mark.parametrize('duplicate', [copy.deepcopy, pickled])
@pytest.mark.parametrize('make', [stack, subclass], ids=['stack', 'subclass'])
def test_copies_train_on_their_own_from_where_the_original_stood(make, duplicate):
    model = trained(make)
    weights, steps = model.get_weights(), int(model.optimizer.iterations.numpy())
    twin = duplicate(model)
    assert twin.optimizer is not model.optimizer and int(twin.optimizer.iterations.numpy()) == steps == 2
    twin.fit(DATA, TARGETS, epochs=2, batch_size=6, verbose=0)
    assert twin.metrics_names == model.metrics_names == ['loss', 'mae']
    for before, now in zip(weights, model.get_weights()):
        np.testing.assert_array_equal(before, now)
    # Where nothing is dropped by chance both go the same way: the slots of the optimizer went along.
    if make is subclass:
        model.fit(DATA, TARGETS, epochs=2, batch_size=6, verbose=0)
        for one, other in zip(model.get_weights(), twin.get_weights()):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert all(not np.array_equal(before, now) for before, now in zip(weights[:2], twin.get_weights()[:2]))


@pytest.mark.needs_gradients
def test_a_copy_trains_what_was_trainable_when_the_original_was_compiled():
    model = stack()
    model.layers[0].trainable = False
    model.compile('sgd', 'mse')
    model.layers[0].trainable = True
    twin = copy.deepcopy(model)
    before = twin.get_weights()
    twin.fit(DATA, TARGETS, verbose=0)
    assert np.array_equal(before[0], twin.get_weights()[0]) and not np.array_equal(before[-2], twin.get_weights()[-2])


@pytest.mark.needs_gradients
@pytest.mark.parametrize('duplicate', [copy.deepcopy, pickled])
def test_a_copy_keeps_the_generation_and_what_was_frozen(duplicate):
    x, y, seen = DATA[:, 0], TARGETS, []
    with config.generation(3):
        model = Sequential([layers.BatchNormalization(momentum=0.5, input_shape=(3,)), layers.Dense(1)])
        model.compile('sgd', 'mse')
    model.layers[0].trainable = False
    twin = duplicate(model)
    twin.train_on_batch(x, y)
    # As compiled: the averages take in the batch.
    np.testing.assert_allclose(twin.get_weights()[2], x.mean(axis=0) / 2, rtol=1e-5)
    twin.fit(x, y, verbose=0, callbacks=callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.extend(logs)))
    # Keras 2 would say the batch and its size as well.
    assert seen == ['loss']


@pytest.mark.parametrize('duplicate', [copy.deepcopy, pickled])
def test_a_copy_can_be_built_upon(duplicate):
    twin = duplicate(stack())
    twin.add(layers.Dense(2, kernel_initializer='ones', use_bias=False))
    twin.pop()
    twin.add(layers.Lambda(ops.negative))
    np.testing.assert_allclose(twin.predict(DATA), -Model(twin.inputs, twin.layers[-2].output).predict(DATA), rtol=1e-5)
    empty = duplicate(Sequential([layers.Input((3,))]))
    empty.add(layers.Dense(2, kernel_initializer='ones'))
    assert empty.predict(np.ones((2, 3))).tolist() == [[3.0, 3.0]] * 2


@pytest.mark.parametrize('duplicate', [copy.deepcopy, pickled])
def test_very_deep_models_can_be_copied(duplicate):
    model = Sequential([layers.Activation('relu', input_shape=(2,))] + [layers.ReLU() for _ in range(1500)])
    assert len(duplicate(model).layers) == 1501


@pytest.mark.parametrize('duplicate', [copy.deepcopy, pickled])
def test_losses_metrics_and_updates_of_the_graph_are_copied(duplicate):
    x = layers.Input((3,))
    layer = layers.Dense(2, kernel_initializer='ones', activity_regularizer='l2')
    y = layer(x)
    model = Model(x, y)
    model.add_loss(K.sum(y))
    layer.add_metric(K.mean(y), name='mean')
    layer.add_update(K.update(layer.bias, K.sum(y, axis=0)))
    twin = duplicate(model)
    assert len(twin.losses) == len(model.losses) == 2 and len(twin.updates) == 1
    values = K.function(twin.inputs, twin.losses)([np.ones((1, 3), 'float32')])
    np.testing.assert_allclose(sorted(values), sorted([6.0, 0.01 * 18]), rtol=1e-5)
    added = dict(twin.layers[1].graph_additions())
    assert added['add_metric'][1] == 'mean'
    assert twin.updates[0].variable is twin.layers[1].bias


@pytest.mark.parametrize('duplicate', [copy.deepcopy, pickled])
def test_a_copied_layer_stands_in_no_graph(duplicate):
    x = layers.Input((3,))
    layer = layers.Dense(2, kernel_regularizer='l1')
    Model(x, layers.Dense(1)(layer(x)))
    twin = duplicate(layer)
    assert twin.inbound_nodes == [] and len(layer.inbound_nodes) == 1 and len(layer.outbound_nodes) == 1
    twin.set_weights([np.ones((3, 2)), np.zeros(2)])
    assert not np.array_equal(twin.get_weights()[0], layer.get_weights()[0])
    np.testing.assert_allclose(to_array(twin(np.ones((1, 3), 'float32'))), [[3.0, 3.0]])
    np.testing.assert_allclose(to_array(twin.losses[0]), 0.06, rtol=1e-5)


def test_a_copied_optimizer_leaves_the_same_variables_undecayed():
    layer = layers.Dense(2)
    layer.build((None, 3))
    optimizer = optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_list=[layer.bias])
    twin, bias = copy.deepcopy((optimizer, layer.bias))
    assert bias in twin._undecayed[0] and layer.bias not in twin._undecayed[0]


@pytest.mark.parametrize('duplicate', [copy.deepcopy, pickled])
def test_lambdas_go_along(duplicate):
    scale = 3.0
    model = Sequential([layers.Dense(2, input_shape=(3,), activation=lambda x: x * scale,
                                     kernel_regularizer=lambda w: ops.sum(w)), layers.Lambda(lambda x: x + 1.0)])
    model.compile('sgd', lambda true, predicted: ops.mean(ops.square(true - predicted)),
                  metrics=[lambda true, predicted: ops.mean(predicted)])
    twin = duplicate(model)
    np.testing.assert_allclose(twin.predict(DATA[0]), model.predict(DATA[0]), rtol=1e-6)
    np.testing.assert_allclose(model.predict(DATA[0]), 3.0 * DATA[0] @ model.get_weights()[0] + 1.0, rtol=1e-5)
    np.testing.assert_allclose(twin.evaluate(DATA[0], DATA[0, :, :2], verbose=0),
                               model.evaluate(DATA[0], DATA[0, :, :2], verbose=0), rtol=1e-6)


@pytest.mark.needs_gradients
def test_shallow_copy_shares_the_layers():
    model = stack()
    model.compile('adam', 'mse')
    model.train_on_batch(DATA, TARGETS)
    twin = copy.copy(model)
    assert twin.layers == model.layers and twin.optimizer is not model.optimizer
    twin.train_on_batch(DATA, TARGETS)
    np.testing.assert_allclose(twin.predict(DATA), model.predict(DATA), rtol=1e-6)


@pytest.mark.on('numpy', 'torch')
def test_layers_inside_of_loops_are_copied():
    inputs, inner = keras.Input((4, 3)), layers.Dense(3)
    for outputs in (ops.map(inner, inputs), [ops.map(inner, inputs), inner(inputs)]):
        model = Model(inputs, outputs)
        copied = keras.models.clone_model(model)
        before = model.get_weights()
        copied.set_weights([weight * 0 for weight in copied.get_weights()])
        assert len(copied.weights) == 2
        np.testing.assert_array_equal(model.get_weights()[0], before[0])
