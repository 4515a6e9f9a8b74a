"""Functions written for JAX, and modules of Flax, as layers."""
import sys

import numpy as np
import pytest

import keras
from keras import layers

on_jax = pytest.mark.on('jax')
X = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]], 'float32')
KERNEL = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]], 'float32')


def dense(params, inputs):
    return inputs @ params['kernel'] + params['bias']


def counting(params, state, inputs, training):
    return inputs * params['by'], {'calls': state['calls'] + (1 if training else 0)}


def start(rng, inputs):
    import jax.numpy as jnp
    return {'by': jnp.full(inputs.shape[-1:], 2.0)}, {'calls': jnp.zeros((), 'int32')}


@pytest.mark.on('jax', 'tensorflow')
def test_the_parameters_are_trained():
    pytest.importorskip('jax')
    layer = layers.JaxLayer(dense, params={'kernel': KERNEL, 'bias': np.zeros(2, 'float32')})
    model = keras.Sequential([keras.Input((3,)), layer])
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ KERNEL, rtol=1e-5)
    assert model.output_shape == (None, 2) and [weight.name for weight in layer.trainable_weights] == ['bias', 'kernel']
    model.compile(keras.optimizers.SGD(0.1), 'mse')
    model.fit(X, np.zeros((2, 2)), batch_size=2, verbose=0)
    # d mean((x k)^2) / dk = 2 x' x k / 4
    np.testing.assert_allclose(layer.get_weights()[1], KERNEL - 0.1 * 2 * X.T @ X @ KERNEL / 4, rtol=1e-5)


@pytest.mark.on('tensorflow')
def test_without_jax_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'jax', None)
    monkeypatch.delitem(sys.modules, 'keras.backend.engines.tensorflow.jax_functions', raising=False)
    with pytest.raises(ImportError, match='pip install jax'):
        layers.JaxLayer(dense, params={})


@on_jax
def test_state_and_files(tmp_path):
    layer = layers.JaxLayer(counting, start)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile('sgd', 'mse')
    model.fit(X, X, batch_size=1, epochs=2, verbose=0)
    assert [int(weight.numpy()) for weight in layer.non_trainable_weights] == [4]
    model.save(str(tmp_path / 'model.keras'))
    with pytest.raises(ValueError, match='Unknown function .counting.'):
        keras.models.load_model(str(tmp_path / 'model.keras'))
    loaded = keras.models.load_model(str(tmp_path / 'model.keras'), {'counting': counting, 'start': start})
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert keras.models.clone_model(model).predict(X, verbose=0).tolist() == (2 * X).tolist()


@on_jax
@pytest.mark.parametrize('policy, close', [('float32', 1e-5), ('mixed_bfloat16', 0.05)])
def test_export_for_tensorflow(policy, close, tmp_path):
    tf = pytest.importorskip('tensorflow')
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, dtype=policy),
                              layers.JaxLayer(counting, start, dtype=policy)])
    model.export(str(tmp_path / 'model'), format='tf_saved_model', verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / 'model'))
    np.testing.assert_allclose(np.asarray(loaded.serve(X), 'float32'), model.predict(X, verbose=0), close, close)
    with pytest.raises(NotImplementedError, match='JAX'):
        model.export(str(tmp_path / 'model.onnx'), format='onnx', verbose=False)


@on_jax
def test_the_key_differs_from_call_to_call():
    import jax
    layer = layers.JaxLayer(lambda rng, inputs: jax.random.normal(rng, inputs.shape), seed=3)
    first, second = [np.asarray(layer(X, training=True)) for _ in range(2)]
    assert not np.any(first == second)
    again = layers.JaxLayer(lambda rng, inputs: jax.random.normal(rng, inputs.shape), seed=3)
    np.testing.assert_array_equal(again(X, training=True), first)


@pytest.mark.on('jax', 'tensorflow')
def test_there_is_no_key_where_nothing_is_trained():
    pytest.importorskip('jax')
    layer = layers.JaxLayer(lambda rng, inputs: inputs if rng is None else -inputs)
    np.testing.assert_array_equal(layer(X), X)
    np.testing.assert_array_equal(layer(X, training=True), -X)


@pytest.mark.on('jax', 'tensorflow')
def test_parts_that_are_no_arrays_reach_the_function():
    pytest.importorskip('jax')

    def scaled(params, state, inputs):
        assert state['none'] is None
        return inputs * params[0] * {'twice': 2.0}[state['how']], dict(state, calls=state['calls'] + 1)

    layer = layers.JaxLayer(scaled, params=[3.0], state={'how': 'twice', 'none': None, 'calls': 0}, dtype='float32')
    if keras.backend.backend() == 'jax':  # jax2tf returns no text
        np.testing.assert_array_equal(layer(X), 6 * X)
    assert layer.state['how'] == 'twice' and layer.state['none'] is None
    assert layer.params[0].dtype == 'float32' and layer.state['calls'].dtype.startswith('int')
    assert layer.trainable_weights == layer.params


@pytest.mark.on('jax', 'tensorflow')
@pytest.mark.parametrize('start', [None, [0.0], {'state': {}}, {'state': [[0.0]]}])
def test_a_state_of_another_structure(start):
    jax = pytest.importorskip('jax')
    layer = layers.JaxLayer(lambda params, state, inputs: (inputs, {'state': [jax.numpy.ones([])]}), params={},
                            state=start)
    with pytest.raises(ValueError, match='Structure mismatch'):
        layer(X)


@pytest.mark.on('jax', 'tensorflow')
def test_init_fn_has_to_take_inputs_only():
    jax = pytest.importorskip('jax')
    layer = layers.JaxLayer(lambda params, inputs: inputs * params, lambda inputs: jax.numpy.sum(inputs, 0))
    np.testing.assert_array_equal(layer(X), 2 * X)


@on_jax
@pytest.mark.parametrize('make, message', [
    (lambda: layers.JaxLayer(dense), 'cannot all be `None`'),
    (lambda: layers.JaxLayer(lambda params: params, params=1.0), 'Missing required argument in `call_fn`: `inputs`'),
    (lambda: layers.JaxLayer(lambda inputs, size: inputs), 'Unsupported argument in `call_fn`: `size`'),
    (lambda: layers.JaxLayer(dense, lambda rng: None), 'Missing required argument in `init_fn`: `inputs`')])
def test_wrong_functions(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.on('numpy')
def test_other_engines_refuse():
    with pytest.raises(NotImplementedError, match='functions of JAX'):
        layers.JaxLayer(dense, params={})


@on_jax
def test_a_module_of_flax(tmp_path):
    linen = pytest.importorskip('flax.linen')

    class Block(linen.Module):
        size: int = 4

        def get_config(self):
            return {'size': self.size}

        @linen.compact
        def __call__(self, inputs, training):
            x = linen.BatchNorm(use_running_average=not training)(linen.Dense(self.size)(inputs))
            return linen.Dropout(0.5, deterministic=not training)(x)

    Block.from_config = classmethod(lambda cls, config: cls(**config))
    layer = layers.FlaxLayer(Block())
    model = keras.Sequential([keras.Input((3,)), layer])
    assert model.output_shape == (None, 4)
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (4, 2)
    model.compile('sgd', 'mse')
    before = [weight.numpy() for weight in layer.non_trainable_weights]
    model.fit(X, np.ones((2, 4)), verbose=0)
    assert all(np.any(old != new.numpy()) for old, new in zip(before, layer.non_trainable_weights))
    model.save(str(tmp_path / 'model.keras'))
    loaded = keras.models.load_model(str(tmp_path / 'model.keras'), {'Block': Block})
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(TypeError, match='flax.linen.Module'):
        layers.FlaxLayer(dense)
