"""Models with `scan`, `cond`, `while_loop` and their kin in configs and files."""
import json

import numpy as np
import pytest

import keras
from keras import ops

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]], 'float32')


def _nested(x):
    steps = ops.scan(lambda carry, row: (ops.cond(ops.sum(row) > 1.0, lambda: carry + row, lambda: carry * 2.0), carry),
                     ops.ones((3,)), x)
    return steps[0], steps[1]


def _beside(x):
    total = ops.sum(x)
    return ops.while_loop(lambda a, count: count < 3, lambda a, count: (a + total, count + 1), (x, 0))[0]


FUNCTIONS = {'vectorized_map': lambda x: ops.vectorized_map(lambda r: r * r + np.float32([1, 2, 3]), x),
             'cond': lambda x: ops.cond(ops.any(x > 2.5), lambda: x + 1.0, lambda: x - 1.0),
             'fori_loop': lambda x: ops.fori_loop(0, 3, lambda step, a: a * 2.0, x), 'nested': _nested, 'beside': _beside}


@pytest.mark.parametrize('name', sorted(FUNCTIONS))
def test_functions_in_configs(name):
    inputs = keras.Input(batch_shape=(2, 3))
    model = keras.Model(inputs, FUNCTIONS[name](inputs))
    read = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
    for found, expected in zip(keras.tree.flatten(read(X)), keras.tree.flatten(model(X))):
        np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(expected), rtol=1e-6)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('file', ['m.keras', 'm.h5'])
def test_functions_in_files(tmp_path, file):
    inputs = keras.Input(batch_shape=(2, 3))
    hidden = keras.layers.Dense(3)(inputs)
    model = keras.Model(inputs, _beside(hidden))
    with pytest.warns(UserWarning, match='while_loop in the model has no like'):
        model.save(str(tmp_path / file))
    read = keras.models.load_model(str(tmp_path / file))
    np.testing.assert_allclose(read.predict(X), model.predict(X), rtol=1e-6)


@pytest.mark.on('numpy')
def test_layers_in_functions_are_refused():
    inputs, layer = keras.Input(batch_shape=(2, 3)), keras.layers.Dense(3)
    model = keras.Model(inputs, ops.cond(ops.any(inputs > 0), lambda: layer(inputs), lambda: inputs))
    with pytest.raises(ValueError, match='cannot be written: a function in it uses .*Dense'):
        model.get_config()
    config = keras.Model(inputs, _beside(inputs)).get_config()
    next(entry for entry in config['layers'] if 'functions' in entry['config'])['config']['operation'] = 'system'
    with pytest.raises(ValueError, match="the operation 'system', which is not known"):
        keras.Model.from_config(config)
