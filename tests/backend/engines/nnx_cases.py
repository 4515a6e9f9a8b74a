"""Models as modules of Flax NNX. `test_nnx.py` runs this file in a process in which NNX is enabled."""
import copy
import pickle

import numpy as np
import pytest

import keras
from keras import layers

jax = pytest.importorskip('jax')
nnx = pytest.importorskip('flax.nnx')
optax = pytest.importorskip('optax')

X = np.random.RandomState(0).rand(4, 3).astype('float32')
Y = X.sum(1, keepdims=True)
TRAINABLE = nnx.All(keras.Variable, lambda path, variable: variable.trainable)


def filled(layer):
    for number, weight in enumerate(layer.weights):
        weight.assign(np.random.RandomState(number).rand(*weight.shape).astype('float32'))
    return layer


def dense(units=2, size=3):
    layer = layers.Dense(units)
    layer.build((None, size))
    return filled(layer)


def stack(*parts):
    return filled(keras.Sequential([keras.Input((3,))] + list(parts)))


def graph():
    x = keras.Input((3,))
    y = layers.Dense(2)(x)
    return filled(keras.Model(x, layers.Dense(1)(layers.BatchNormalization()(y))))


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.parts = layers.Dense(2), [layers.BatchNormalization(), layers.Dense(1)]

    def call(self, inputs, training=None):
        return self.parts[1](self.parts[0](self.first(inputs), training=training))


def own():
    model = Own()
    model(X)
    return filled(model)


def paths(state):
    return [path for path, _ in nnx.to_flat_state(state)]


def test_enabled():
    assert keras.config.is_nnx_enabled()
    assert isinstance(dense(), nnx.Module) and isinstance(dense().kernel, nnx.Variable)
    assert not isinstance(X, keras.Variable)


def test_a_variable_is_split_and_merged():
    variable = keras.Variable(jax.numpy.array(1.0), name='v', trainable=False)
    definition, state = nnx.split(variable)
    other = nnx.merge(definition, jax.tree.map(lambda value: value + 1, state))
    assert float(other.value) == 2 and float(variable.value) == 1
    assert type(other) is keras.Variable and other.name == 'v' and other.trainable is False


def test_operators_of_variables_stay_those_of_keras():
    variable = keras.Variable([1.0, 2.0])
    variable[...] = jax.numpy.array([3.0, 4.0])
    assert (variable + 1).tolist() == [4, 5] and float(jax.numpy.sum(variable)) == 7 and variable[0] == 3
    variable.value = np.array([5.0, 6.0], 'float32')
    total = variable
    total += 1
    assert total.tolist() == [6, 7] and variable.numpy().tolist() == [5, 6]
    assert variable in {variable} and bool(keras.Variable(0.0)) is False
    assert keras.Variable(variable).numpy().tolist() == [5, 6]


def test_what_describes_a_variable_is_read_and_set():
    variable = keras.Variable([1.0, 2.0], name='v')
    variable.set_metadata(sharding_names_of_mine=('a',))
    assert variable.get_metadata('name') == 'v' and variable.get_metadata('sharding_names_of_mine') == ('a',)
    variable.del_metadata('sharding_names_of_mine')
    assert not variable.has_metadata('sharding_names_of_mine') and not variable.has_metadata('held')


def test_the_state_of_a_model_goes_by_names():
    model = stack(layers.Dense(2, name='a'), layers.BatchNormalization(name='b'), layers.Dropout(0.5, name='c'))
    assert paths(nnx.state(model)) == [
        ('a', 'bias'), ('a', 'kernel'), ('b', 'beta'), ('b', 'gamma'), ('b', 'moving_mean'), ('b', 'moving_variance'),
        ('c', 'seed')]
    model.layers[0].trainable = False
    assert paths(nnx.state(model, TRAINABLE)) == [('b', 'beta'), ('b', 'gamma')]


@pytest.mark.parametrize('make', [graph, own, lambda: stack(layers.Dense(2), layers.BatchNormalization(),
                                                            layers.Dense(1))])
def test_a_loop_of_nnx_trains_as_it_does_in_keras_3(make):
    model = make()
    optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=TRAINABLE)

    @nnx.jit
    def step(model, optimizer, x, y):
        def loss(model):
            return jax.numpy.mean((model(x, training=True) - y) ** 2)
        value, gradients = nnx.value_and_grad(loss, argnums=nnx.DiffState(0, TRAINABLE))(model)
        optimizer.update(model, gradients)
        return value
    found = [float(step(model, optimizer, X, Y)) for _ in range(4)]
    # Of Keras 3.15.1 with KERAS_NNX_ENABLED=1.
    np.testing.assert_allclose(found, [1.15431678, 0.23843645, 0.04244664, 0.01404839], rtol=1e-5)
    weights = {weight.path.rpartition('/')[2].partition(':')[0]: weight.numpy() for weight in model.weights}
    np.testing.assert_allclose(weights['moving_mean'], [0.98387, 0.60013], atol=1e-5)
    np.testing.assert_allclose(weights['gamma'], [0.33385, -0.02067], atol=1e-5)
    model.compile('sgd', 'mse')
    assert np.isfinite(model.fit(X, Y, verbose=0).history['loss'][0])


def test_gradients_are_those_of_the_formula():
    layer = dense()
    gradients = nnx.grad(lambda layer: (layer(X) ** 2).sum(), argnums=nnx.DiffState(0, keras.Variable))(layer)
    outputs = X @ layer.kernel.numpy() + layer.bias.numpy()
    np.testing.assert_allclose(gradients['kernel'].get_value(), 2 * X.T @ outputs, rtol=1e-5)
    np.testing.assert_allclose(gradients['bias'].get_value(), 2 * outputs.sum(0), rtol=1e-5)


def test_gradients_go_to_optimizers_of_keras():
    layer, before = dense(), dense().get_weights()
    gradients = nnx.grad(lambda layer: layer(X).sum(), argnums=nnx.DiffState(0, TRAINABLE))(layer)
    keras.optimizers.SGD(0.5).apply_gradients([(gradients['kernel'].get_value(), layer.kernel),
                                               (gradients['bias'].get_value(), layer.bias)])
    np.testing.assert_allclose(layer.kernel.numpy(), before[0] - 0.5 * X.sum(0)[:, None], rtol=1e-5)
    np.testing.assert_allclose(layer.bias.numpy(), before[1] - 0.5 * len(X), rtol=1e-5)


def test_update_sets_the_weights():
    model = stack(layers.Dense(2))
    nnx.update(model, jax.tree.map(lambda value: value * 2, nnx.state(model)))
    kernel, bias = dense().get_weights()
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * (X @ kernel + bias), rtol=1e-5)


def test_a_merged_model_has_weights_and_a_graph_of_its_own():
    shared, inner = layers.Dense(3), stack(layers.Dense(3), layers.BatchNormalization())
    x = keras.Input((3,))
    model = filled(keras.Model(x, layers.Dense(1)(inner(shared(shared(x))))))
    definition, state = nnx.split(model)
    other = nnx.merge(definition, jax.tree.map(lambda value: value * 2, state))
    expected = keras.models.clone_model(model)
    expected.set_weights([weight * 2 for weight in model.get_weights()])
    before = model(X)
    np.testing.assert_allclose(other(X), expected(X), rtol=1e-5)
    np.testing.assert_allclose(other.get_layer(shared.name).kernel, shared.kernel.numpy() * 2)
    np.testing.assert_array_equal(model(X), before)
    with pytest.raises(Exception, match='compile'):
        other.fit(X, Y, verbose=0)
    other.compile('sgd', 'mse')
    other.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model(X), before)


@pytest.mark.parametrize('make', [
    lambda: [layers.Bidirectional(layers.LSTM(4, return_sequences=True)), layers.GRU(2)],
    lambda: [layers.Conv1D(2, 2), layers.Flatten(), layers.Dense(2)],
    lambda: [layers.TimeDistributed(layers.Dense(2)), layers.LayerNormalization()]])
def test_layers_of_layers_run_in_jit(make):
    model = filled(keras.Sequential([keras.Input((5, 3))] + make()))
    x = np.random.RandomState(1).rand(2, 5, 3).astype('float32')
    np.testing.assert_allclose(nnx.jit(lambda model, x: model(x))(model, x), model.predict(x, verbose=0), atol=1e-6)


def test_masks_reach_the_layers_of_a_copy():
    model = filled(keras.Sequential([keras.Input((5,), dtype='int32'), layers.Embedding(4, 3, mask_zero=True),
                                     layers.LSTM(2)]))
    x = np.array([[1, 2, 3, 0, 0], [1, 0, 0, 0, 0]], 'int32')
    np.testing.assert_allclose(nnx.jit(lambda model, x: model(x))(model, x), model.predict(x, verbose=0), atol=1e-6)


def test_states_and_seeds_go_on():
    model = keras.Sequential([keras.Input(batch_shape=(2, 5, 3)), layers.LSTM(2, stateful=True)])
    x = np.random.RandomState(1).rand(2, 5, 3).astype('float32')
    expected = [np.asarray(model(x)), np.asarray(model(x))]
    model.reset_states()
    call = nnx.jit(lambda model, x: model(x))
    np.testing.assert_allclose(call(model, x), expected[0], atol=1e-6)
    np.testing.assert_allclose(call(model, x), expected[1], atol=1e-6)
    dropout = layers.Dropout(0.5, seed=1)
    drop = nnx.jit(lambda layer, x: layer(x, training=True))
    first, ones = layers.Dropout(0.5, seed=1), np.ones((9, 9), 'float32')
    np.testing.assert_array_equal(drop(dropout, ones), first(ones, training=True))
    np.testing.assert_array_equal(drop(dropout, ones), first(ones, training=True))


def test_settings_that_change_are_seen():
    traced, layer = [], layers.Dropout(0.5)

    @nnx.jit
    def call(layer, x):
        traced.append(layer.rate)
        return layer(x, training=True)
    call(layer, X), call(layer, X)
    layer.rate = 0.0
    np.testing.assert_array_equal(call(layer, X), X)
    assert traced == [0.5, 0.0]


def test_transformations_of_loops_keep_what_layers_update():
    layer = layers.BatchNormalization(momentum=0.5)
    layer.build((None, 3))
    nnx.fori_loop(0, 2, lambda number, carry: (carry[0], carry[0](carry[1], training=True))[:1] + carry[1:],
                  (layer, jax.numpy.asarray(X)))
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.75 * X.mean(0), rtol=1e-5)
    nnx.cond(jax.numpy.array(True), lambda layer, x: layer(x, training=True), lambda layer, x: layer(x), layer, X)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.875 * X.mean(0), rtol=1e-5)
    repeat = nnx.scan(lambda x, layer: layer(x), in_axes=(nnx.Carry, None), out_axes=nnx.Carry, length=2)
    layer = dense(3)
    np.testing.assert_allclose(repeat(X, layer), layer(layer(X)), rtol=1e-5)
    np.testing.assert_allclose(nnx.vmap(lambda layer, x: layer(x[None])[0], in_axes=(None, 0))(layer, X), layer(X),
                               rtol=1e-5)


def test_modules_of_both_libraries_hold_each_other():
    class Module(nnx.Module):
        def __init__(self, rngs):
            self.linear, self.dense = nnx.Linear(3, 3, rngs=rngs), dense()

        def __call__(self, x):
            return self.dense(self.linear(x))

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.linear, self.dense = nnx.Linear(3, 3, rngs=nnx.Rngs(0)), dense()

        def call(self, x):
            return self.dense(self.linear(x))

    for module in (Module(nnx.Rngs(0)), Outer()):
        assert set(paths(nnx.state(module))) == {(part, name) for part in ('linear', 'dense')
                                                 for name in ('kernel', 'bias')}
        expected = (X @ np.asarray(module.linear.kernel[...])) @ module.dense.kernel.numpy() + module.dense.bias.numpy()
        np.testing.assert_allclose(nnx.jit(lambda module, x: module(x))(module, X), expected, rtol=1e-5)


def test_mixed_precision_keeps_the_types_of_weights():
    model = stack(layers.Dense(2, dtype='mixed_bfloat16'))
    gradients = nnx.grad(lambda model: model(X).astype('float32').sum(),
                         argnums=nnx.DiffState(0, keras.Variable))(model)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(gradients)} == {'float32'}
    assert str(nnx.jit(lambda model, x: model(x))(model, X).dtype) == 'bfloat16'


def test_copies_and_files(tmp_path):
    model = stack(layers.Dense(2), layers.BatchNormalization(), layers.Dropout(0.5))
    model.save(str(tmp_path / 'model.keras'))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), nnx.clone(model),
                  keras.models.load_model(str(tmp_path / 'model.keras'))):
        assert isinstance(other.weights[0], nnx.Variable) and other.weights[0] is not model.weights[0]
        np.testing.assert_allclose(other(X), model(X), rtol=1e-6)
    assert str(model) == repr(model)


def test_train_and_eval_say_how_calls_go():
    layer = layers.Dropout(0.9, seed=0)
    layer.train()
    assert not np.allclose(layer(X), X)
    layer.eval()
    np.testing.assert_array_equal(layer(X), X)


def test_what_cannot_be_is_said():
    with pytest.raises(ValueError, match='built inside of a function that NNX'):
        nnx.jit(lambda layer, x: layer(x))(layers.Dense(2), X)
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    with pytest.raises(RuntimeError, match='get the model as an argument'):
        nnx.jit(lambda x: layer(x, training=True))(X)
    with pytest.raises(ValueError, match='neither add'):
        nnx.pop(dense(), keras.Variable)


def test_settings_in_tuples_are_seen_by_jit():
    layer, x = layers.Conv1D(1, 1), np.ones((1, 4, 1), 'float32')
    layer(x)
    call = nnx.jit(lambda layer, x: layer(x))
    assert call(layer, x).shape == (1, 4, 1)
    layer.strides = (2,)
    assert call(layer, x).shape == (1, 2, 1)


class Scaled(layers.Layer):
    def __init__(self):
        super().__init__()
        self._scale, self._steps, self._calls = 2.0, [1, 3], 0

    def call(self, inputs):
        self._calls += 1
        return inputs * self._scale * self._steps[-1]


def test_private_settings_are_seen_by_jit():
    layer = Scaled()
    call = nnx.jit(lambda layer, x: layer(x))
    np.testing.assert_array_equal(call(layer, X), X * np.float32(6))
    layer._scale = 4.0
    np.testing.assert_array_equal(call(layer, X), X * np.float32(12))
    layer._steps.append(1)
    np.testing.assert_array_equal(call(layer, X), X * np.float32(4))
    other, state = nnx.split(layer)
    layer._scale = 1.0
    np.testing.assert_array_equal(nnx.merge(other, state)(X), X * np.float32(4))


def test_calls_that_change_nothing_are_compiled_once():
    for model in graph(), own(), filled(keras.Sequential([keras.Input((5, 3)), layers.LSTM(2), layers.Dropout(0.5)])):
        traced = []
        call = nnx.jit(lambda model, x: (traced.append(1), model(x, training=True))[1])
        x = np.ones((4,) + tuple(model.inputs[0].shape[1:] if model.inputs else (3,)), 'float32')
        for _ in range(3):
            call(model, x)
            model(x)
        assert len(traced) == 1
