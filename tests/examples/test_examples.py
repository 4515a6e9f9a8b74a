"""The examples run as a user runs them, in a process of their own, on the engine of the test run."""
import os
import re
import subprocess
import sys

import pytest

from keras.backend.contract.loading import engine_name

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))

EXAMPLES = os.path.join(ROOT, 'examples')
CHECKSUM = ('import sys; sys.path.insert(0, %r); import keras, digits_cnn; keras.utils.set_random_seed(1337); '
            'print(digits_cnn.checksum(digits_cnn.build_model()))' % EXAMPLES)


def run(*arguments, engine=None):
    environment = dict(os.environ, KERAS_BACKEND=engine or engine_name(), PYTHONPATH=ROOT)
    for flags in ('THEANO_FLAGS', 'PYTENSOR_FLAGS'):
        # conftest.py's, which have graphs compiled fast and run slowly.
        environment.pop(flags, None)
    done = subprocess.run([sys.executable] + list(arguments), env=environment, timeout=600, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.needs_gradients
def test_digits():
    printed = run(os.path.join(EXAMPLES, 'digits_cnn.py'))
    assert printed.startswith('Engine: %s\n' % engine_name())
    start = re.search(r'^Initial weights: (\w+)$', printed, re.M).group(1)
    assert start == run('-c', CHECKSUM, engine='numpy').strip()
    assert float(re.search(r'Test accuracy: ([\d.]+) %', printed).group(1)) >= 97
    assert float(re.search(r'largest difference of predictions: (\S+)', printed).group(1)) <= 1e-6


@pytest.mark.parametrize('name', ['tensorflow', 'jax', 'torch'])
def test_training_loop_by_hand(name):
    if engine_name() != name:
        pytest.skip('this loop is written in another engine')
    printed = run(os.path.join(EXAMPLES, 'custom_loop_%s.py' % name))
    assert float(re.search(r'Training accuracy: ([\d.]+) %', printed).group(1)) >= 95
