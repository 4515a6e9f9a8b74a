"""Models as modules of Flax NNX, in a process in which that is enabled when Keras is imported."""
import os
import subprocess
import sys

import pytest

import keras


def run(arguments, **environment):
    done = subprocess.run([sys.executable] + arguments, env=dict(os.environ, **environment), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    return done.returncode, done.stdout


@pytest.mark.skipif(keras.backend.backend() != 'jax', reason='NNX is a library over JAX')
def test_models_are_modules_of_nnx():
    pytest.importorskip('flax.nnx')
    code, said = run(['-m', 'pytest', '-q', '-p', 'no:cacheprovider', __file__.replace('test_nnx', 'nnx_cases')],
                     KERAS_NNX_ENABLED='1')
    assert code == 0 and ' passed' in said, said


@pytest.mark.on('numpy')
def test_other_engines_do_not_mind():
    code, said = run(['-c', 'import sys, keras; print(keras.Variable([1.0]), "flax" in sys.modules)'],
                     KERAS_NNX_ENABLED='1')
    assert code == 0 and said.splitlines()[-1].endswith('False'), said


@pytest.mark.skipif(keras.backend.backend() != 'jax', reason='NNX is a library over JAX')
def test_a_missing_flax_is_said():
    code, said = run(['-c', 'import sys; sys.modules["flax"] = None; import keras; keras.Variable([1.0])'],
                     KERAS_NNX_ENABLED='1')
    assert code and 'you must install `flax`' in said


@pytest.mark.skipif(keras.backend.backend() != 'jax', reason='NNX is a library over JAX')
def test_nothing_is_imported_where_it_is_not_enabled():
    code, said = run(['-c', 'import sys, keras; keras.layers.Dense(2)(keras.ops.ones((2, 3))); '
                            'print("flax" in sys.modules, "keras.backend.engines.nnx" in sys.modules)'],
                     KERAS_NNX_ENABLED='')
    assert code == 0 and said.splitlines()[-1] == 'False False', said
