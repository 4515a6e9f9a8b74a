"""Loops and branches in models: what they take from around them, their layers, their configs and files."""
import copy
import pickle

import numpy as np
import pytest

import keras
from keras import layers, ops

X = np.array([[1.0, 2.0, 3.0], [4.0, -5.0, 6.0]], 'float32')

FUNCTIONS = {
    'map': (lambda x: ops.map(lambda v: v * 2 + 1, x), 2 * X + 1),
    'scan': (lambda x: ops.scan(lambda c, v: (c + v, c * 2), np.zeros(3, 'float32'), x)[1], [[0, 0, 0], 2 * X[0]]),
    'cond': (lambda x: ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x - 1), X * 2),
    'while_loop': (lambda x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * 2), (0, x))[1], X * 8),
    'fori_loop': (lambda x: ops.fori_loop(0, 3, lambda i, v: v * 2, x), X * 8),
    'switch': (lambda x: ops.switch(ops.cast(ops.sum(x) > 0, 'int32'), [lambda v: v - 1, lambda v: v * 2], x), X * 2),
    'vectorized_map': (lambda x: ops.vectorized_map(lambda v: v[::-1], x), X[:, ::-1]),
    'associative_scan': (lambda x: ops.associative_scan(lambda a, b: a + b, x, axis=0), np.cumsum(X, 0)),
    'nested': (lambda x: ops.map(lambda v: ops.cond(ops.sum(v) > 5.5, lambda: v, lambda: v * 0), x),
               X * [[1], [0]]),
}


def model_of(function):
    inputs = layers.Input(batch_shape=(2, 3))
    return keras.Model(inputs, function(inputs))


@pytest.mark.parametrize('name', sorted(FUNCTIONS))
def test_a_model_with_a_loop_is_copied_and_written(name, tmp_path):
    function, expected = FUNCTIONS[name]
    model = model_of(function)
    assert np.allclose(model.predict(X, verbose=0), expected)
    copies = [keras.Model.from_config(model.get_config()), keras.models.clone_model(model),
              keras.models.model_from_json(model.to_json())]
    if keras.backend.backend() != 'cntk':  # whose constants cannot be copied
        copies += [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for ending in ('.keras', '.h5'):
        path = str(tmp_path / ('model' + ending))
        model.save(path)
        copies.append(keras.models.load_model(path))
    for made in copies:
        assert np.allclose(made.predict(X, verbose=0), expected)
        assert made.output_shape == (2, 3)


@pytest.mark.on('numpy', 'torch', 'jax', 'tensorflow')
def test_what_a_branch_takes_from_around_it_is_computed_once():
    inputs = layers.Input((50,))
    dropped = layers.Dropout(0.5)(inputs)
    branch = ops.cond(ops.sum(inputs) > 0, lambda: dropped * 3, lambda: dropped)
    outside, inside = keras.Model(inputs, [dropped, branch])(np.ones((4, 50), 'float32'), training=True)
    assert np.allclose(ops.convert_to_numpy(outside) * 3, ops.convert_to_numpy(inside))


@pytest.mark.on('torch', 'jax', 'tensorflow')
def test_moving_averages_move_once():
    inputs = layers.Input((3,))
    normalize = layers.BatchNormalization(momentum=0.5, center=False, scale=False)
    normal = normalize(inputs)
    model = keras.Model(inputs, ops.cond(ops.sum(normal) > -1e9, lambda: normal * 1.0, lambda: normal))
    model.compile('sgd', 'mse')
    model.train_on_batch(X, X)
    assert np.allclose(ops.convert_to_numpy(normalize.moving_mean), 0.5 * X.mean(0))


def with_layer_inside():
    dense = layers.Dense(3, use_bias=False, kernel_initializer='identity', name='inner')
    model = model_of(lambda x: ops.map(lambda v: v + dense(ops.expand_dims(v, 0))[0], x))
    return model, dense


def test_layers_in_a_loop_belong_to_the_model(tmp_path):
    model, dense = with_layer_inside()
    assert model.get_layer('inner') is dense and len(model.weights) == 1
    dense.set_weights([np.eye(3) * 3])
    path = str(tmp_path / 'model.keras')
    model.save(path)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for made in (keras.models.load_model(path), copy.deepcopy(model), clone):
        assert np.allclose(made.predict(X, verbose=0), 4 * X)


@pytest.mark.on('torch', 'jax', 'tensorflow')
def test_layers_in_a_loop_are_trained():
    model, dense = with_layer_inside()
    model.compile(keras.optimizers.SGD(0.1), 'mse')
    model.train_on_batch(X, np.zeros((2, 3), 'float32'))
    # Of mean((x + x W) ** 2) by W, at W = 1.
    assert np.allclose(dense.get_weights()[0], np.eye(3) - 0.1 * 4 * X.T.dot(X) / 6, atol=1e-5)


@pytest.mark.on('numpy')
def test_what_cannot_be_written_is_said_before_a_file_is_made():
    noise = layers.Input(batch_shape=(2, 3))
    model = keras.Model(noise, ops.map(lambda v: v + keras.backend.random_normal((3,)), noise))
    with pytest.raises(ValueError, match='only operations of keras.ops and layers can be written'):
        model.get_config()


@pytest.mark.on('numpy')
def test_an_unknown_operation_in_a_loop_is_named():
    config = model_of(FUNCTIONS['map'][0]).get_config()
    loop, = [entry for entry in config['layers'] if entry['class_name'] == '__closure__']
    loop['config']['bodies']['step']['calls'][0]['operation'] = 'multiplied'
    with pytest.raises(ValueError, match='multipl'):
        keras.Model.from_config(config)


CONSTANTS = {
    'add': (lambda x: x + np.full((2, 3), 2, 'float32'), X + 2),
    'concatenate': (lambda x: ops.concatenate([x, np.ones((1, 3), 'float32')], 0), np.vstack([X, np.ones((1, 3))])),
    'stack': (lambda x: ops.stack([x, np.ones((2, 3), 'float32')], 1), np.stack([X, np.ones((2, 3))], 1)),
    'einsum': (lambda x: ops.einsum('ij,jk->ik', x, np.ones((3, 4), 'float32')), X.dot(np.ones((3, 4)))),
    'take': (lambda x: ops.take(x, np.array([2, 0]), axis=1), X[:, [2, 0]]),
    'where': (lambda x: ops.where(np.array([[True], [False]]), x, 0.0), X * [[1], [0]]),
    'layer': (lambda x: layers.Add()([x, np.ones((2, 3), 'float32')]), X + 1),
}


@pytest.mark.parametrize('generation', [2, 3])
@pytest.mark.parametrize('name', sorted(CONSTANTS))
@pytest.mark.on('numpy', 'torch', 'tensorflow')
def test_arrays_among_the_arguments_of_operations_stay_arrays(name, generation, tmp_path):
    function, expected = CONSTANTS[name]
    with keras.config.generation(generation):
        model = model_of(function)
        copies = [keras.Model.from_config(model.get_config())]
        for ending in ('.keras', '.h5'):
            path = str(tmp_path / ('model' + ending))
            model.save(path)
            copies.append(keras.models.load_model(path))
    for made in copies:
        assert np.allclose(made.predict(X, verbose=0), expected)
