"""The examples run as a user runs them, in a process of their own, on the engine of the test run."""
import os
import re
import subprocess
import sys

import pytest

from keras.backend.engine import engine_name

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))

# crc32 over the bytes of the initial weights, which come from NumPy and are the same everywhere.
DIGITS_WEIGHTS = 'to be filled'


def run(script):
    environment = dict(os.environ, KERAS_BACKEND=engine_name(), PYTHONPATH=ROOT)
    done = subprocess.run([sys.executable, os.path.join(ROOT, 'examples', script)], env=environment, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.needs_gradients
def test_digits():
    printed = run('digits_cnn.py')
    assert re.search(r'^Initial weights: (\w+)$', printed, re.M).group(1) == DIGITS_WEIGHTS
    assert float(re.search(r'Test accuracy: ([\d.]+) %', printed).group(1)) >= 97
    assert float(re.search(r'largest difference of predictions: (\S+)', printed).group(1)) <= 1e-6


@pytest.mark.parametrize('name', ['tensorflow', 'jax', 'torch'])
def test_training_loop_by_hand(name):
    if engine_name() != name:
        pytest.skip('this loop is written in another engine')
    printed = run('custom_loop_%s.py' % name)
    assert float(re.search(r'Training accuracy: ([\d.]+) %', printed).group(1)) >= 95
