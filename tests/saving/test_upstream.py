"""Files of ours in the hands of upstream: the same predictions, the same losses when training goes on.

Each run needs an interpreter with the package, named by an environment variable: KERAS_TEST_KERAS2 (Keras 2.3.1),
KERAS_TEST_TFKERAS (tf.keras 2.x), KERAS_TEST_KERAS3 (Keras 3.15). Without it the tests are skipped.
"""
import json
import os
import subprocess

import numpy as np
import pytest

import many_models
from many_models import MODELS, READERS, trained

pytestmark = pytest.mark.on('numpy', 'torch')
HERE = os.path.dirname(os.path.abspath(__file__))
OPTIMIZERS = ['sgd', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'adamax', 'nadam']
SUFFIXES = {'keras2': ['.h5'], 'tfkeras': ['.h5'], 'keras3': ['.h5', '.keras']}
# Keras 3 wants the state of an optimizer in another order than Keras 2.
SUFFIXES_WITH_STATE = {'keras2': ['.h5'], 'tfkeras': ['.h5'], 'keras3': ['.keras']}
# Keras 2.3.1 on TensorFlow leaves it to chance whether these see the number of updates before or after it is raised.
BY_CHANCE = ('adam', 'adamax', 'nadam')


def interpreter(reader):
    found = os.environ.get('KERAS_TEST_' + reader.upper())
    if not found:
        pytest.skip('KERAS_TEST_%s names no interpreter' % reader.upper())
    return found


def read_by(reader, folder, tasks, given):
    """{name: array} of what the reader got from the files."""
    command = interpreter(reader)
    np.savez(os.path.join(folder, 'given.npz'), **given)
    with open(os.path.join(folder, 'tasks.json'), 'w') as file:
        json.dump(tasks, file)
    environment = {key: value for key, value in os.environ.items() if key not in ('PYTHONPATH', 'KERAS_BACKEND')}
    environment.update(KERAS_TEST_READER=reader)
    if reader == 'keras3':
        environment.update(KERAS_BACKEND='jax')
    subprocess.run([command, os.path.join(HERE, 'upstream_reader.py'), str(folder)], check=True, cwd=str(folder),
                   env=environment, stdout=subprocess.DEVNULL)
    with np.load(os.path.join(folder, 'results.npz')) as results:
        return dict(results)


@pytest.mark.parametrize('reader', sorted(SUFFIXES))
def test_predictions(reader, tmp_path):
    interpreter(reader)
    tasks, given, expected = [], {}, {}
    for name, make in MODELS.items():
        if reader not in READERS[name]:
            continue
        model, inputs = make()
        outputs = model.predict(inputs if len(inputs) > 1 else inputs[0])
        given.update({'%s_in%d' % (name, number): array for number, array in enumerate(inputs)})
        for suffix in SUFFIXES[reader]:
            model.save(str(tmp_path / (name + suffix)))
            task = {'file': name + suffix, 'inputs': ['%s_in%d' % (name, n) for n in range(len(inputs))], 'steps': 0}
            if suffix == '.keras':
                task['weights'] = name + '.weights.h5'
                model.save_weights(str(tmp_path / task['weights']))
            tasks.append(task)
            expected[name + suffix] = outputs if isinstance(outputs, list) else [outputs]
    found = read_by(reader, str(tmp_path), tasks, given)
    errors = {name: str(found[name + '/error']) for name in expected if name + '/error' in found}
    assert not errors, errors
    for name, outputs in expected.items():
        for number, output in enumerate(outputs):
            np.testing.assert_allclose(found['%s/out%d' % (name, number)], output, rtol=1e-5, atol=2e-5, err_msg=name)


@pytest.mark.needs_gradients
@pytest.mark.parametrize('reader', sorted(SUFFIXES))
def test_training_goes_on(reader, tmp_path):
    interpreter(reader)
    tasks, given, expected = [], {}, {}
    generation = {'keras2': 2, 'tfkeras': 'tf', 'keras3': 3}[reader]
    for optimizer in OPTIMIZERS:
        if reader == 'keras2' and optimizer in BY_CHANCE:
            continue
        with many_models.keras.config.generation(generation):
            model, x, y = trained(optimizer)
        given.update({optimizer + '_x': x, optimizer + '_y': y})
        for suffix in SUFFIXES_WITH_STATE[reader]:
            model.save(str(tmp_path / (optimizer + suffix)))
            tasks.append({'file': optimizer + suffix, 'inputs': [optimizer + '_x'], 'targets': optimizer + '_y',
                          'steps': 3})
        losses = [model.train_on_batch(x, y) for _ in range(3)]
        expected.update({optimizer + suffix: losses for suffix in SUFFIXES_WITH_STATE[reader]})
    found = read_by(reader, str(tmp_path), tasks, given)
    errors = {name: str(found[name + '/error']) for name in expected if name + '/error' in found}
    assert not errors, errors
    misses = {}
    for name, losses in expected.items():
        if not np.allclose(found[name + '/losses'], losses, rtol=1e-4):
            misses[name] = (found[name + '/losses'], losses)
    assert not misses, misses
