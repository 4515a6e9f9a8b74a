"""Several threads that use one model, and processes that are forked from one that has run."""
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import keras
from keras import layers, metrics, optimizers
from keras.backend.contract.loading import get_engine
from keras.models import Model

pytestmark = pytest.mark.needs_gradients

X = np.random.RandomState(0).rand(64, 4).astype('float32')


def twins():
    """A model whose two layers are the same at all times, but not within an update."""
    inputs = layers.Input((4,))
    outputs = layers.concatenate([layers.Dense(1, kernel_initializer='zeros')(inputs) for _ in range(2)])
    model = Model(inputs, outputs)
    model.compile(optimizers.SGD(0.01), 'mse')
    return model


TARGETS = np.ones((64, 2), 'float32')


def at_once(function, count=8):
    """What `function` gives in so many threads."""
    found = []
    threads = [threading.Thread(target=lambda: found.append(function())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_trainings_of_one_model_run_one_after_the_other():
    found = at_once(lambda: twins().fit(X, TARGETS, verbose=0, shuffle=False).history['loss'])
    assert all(losses == pytest.approx(found[0]) for losses in found) and len(found) == 8
    model, expected = twins(), twins()
    found = at_once(lambda: model.fit(X, TARGETS, verbose=0, shuffle=False).history['loss'])
    expected = [expected.fit(X, TARGETS, verbose=0, shuffle=False).history['loss'] for _ in range(8)]
    assert sorted(found) == pytest.approx(np.array(sorted(expected)))


def test_tests_of_one_model_have_metrics_of_their_own():
    inputs = layers.Input((4,))
    model = Model(inputs, layers.Dense(1, activation='sigmoid')(inputs))
    model.compile('sgd', 'binary_crossentropy', metrics=[metrics.AUC()])
    targets = (X[:, :1] > 0.5).astype('float32')
    expected = model.evaluate(X, targets, verbose=0)
    assert at_once(lambda: model.evaluate(X, targets, verbose=0)) == [pytest.approx(expected)] * 8


def test_predictions_beside_a_training_see_whole_updates():
    model = twins()
    model.predict(X, verbose=0)
    thread = threading.Thread(target=lambda: model.fit(X, TARGETS, epochs=40, batch_size=4, verbose=0))
    thread.start()
    seen = 0
    while thread.is_alive():
        found = model.predict(X[:8], verbose=0)
        np.testing.assert_array_equal(found[:, 0], found[:, 1])
        seen += 1
    assert seen


SCRIPT = """
import os, numpy as np, signal
from keras import layers, models
model = models.Sequential([layers.Dense(64, input_shape=(64,)), layers.Dense(1)])
x = np.ones((512, 64), 'float32')
model.predict(x)
child = os.fork()
if not child:
    signal.alarm(100)
    try:
        print('shape', model.predict(x).shape)
    except RuntimeError as error:
        print(error)
    os.sys.stdout.flush()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.on('torch', 'jax', 'tensorflow')
def test_a_process_that_is_forked_after_the_engine_has_run():
    found = subprocess.run([sys.executable, '-W', 'ignore', '-c', SCRIPT], stdout=subprocess.PIPE, timeout=200,
                           check=True, env=dict(os.environ, OMP_NUM_THREADS='2')).stdout.decode()
    assert ('shape (512, 1)' if get_engine().survives_fork else 'was forked from one in which') in found


def test_one_model_predicts_in_several_threads():
    model = keras.Sequential([keras.layers.Dense(16, activation='relu', input_shape=(8,)), keras.layers.Dense(4)])
    data = [np.random.RandomState(seed).rand(64, 8).astype('float32') for seed in range(4)]
    expected, wrong = [model.predict(x, batch_size=16, verbose=0) for x in data], []

    def predict(x, right):
        for _ in range(20):
            if not np.allclose(model.predict(x, batch_size=16, verbose=0), right, atol=1e-5):
                wrong.append(x)
    threads = [threading.Thread(target=predict, args=pair) for pair in zip(data, expected)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
