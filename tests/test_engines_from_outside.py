"""An engine that another distribution declares by an entry point: see `outside/`, and CONTRIBUTING.md."""
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras.backend.contract.loading import installed_engines

pytestmark = pytest.mark.on('numpy')

OUTSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'outside')
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(keras.__file__)))

# Two classes of points, inside and outside of a circle: no line parts them.
TRAIN = """
import numpy as np
import keras
from keras import layers, models, optimizers
generator = np.random.RandomState(0)
x = generator.uniform(-1, 1, (200, 2)).astype('float32')
y = (np.hypot(x[:, 0], x[:, 1]) < 0.7).astype('float32')[:, None]
np.random.seed(1)
model = models.Sequential([layers.Dense(8, activation='tanh', input_shape=(2,)), layers.Dropout(0.0),
                           layers.BatchNormalization(momentum=0.8), layers.Dense(1, activation='sigmoid')])
model.compile(optimizers.Adam(0.03), 'binary_crossentropy', metrics=['accuracy'])
history = model.fit(x, y, batch_size=50, epochs=25, verbose=0).history
print(keras.backend.backend(), type(keras.backend.eval(keras.backend.zeros((1,)))).__name__)
print(history['loss'][0], history['loss'][-1], model.evaluate(x, y, verbose=0)[1])
"""


def run(code, path=OUTSIDE, **environment):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([ROOT, path] if path else [ROOT]), **environment)
    environment = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run([sys.executable, '-c', code], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True)


def test_it_trains_a_model_with_a_hidden_layer():
    result = run(TRAIN, KERAS_BACKEND='toy')
    assert result.returncode == 0, result.stderr
    assert 'Using toy backend.' in result.stderr
    used, numbers = result.stdout.strip().split('\n')[-2:]
    first, last, accuracy = map(float, numbers.split())
    assert used == 'toy ndarray'
    assert last < 0.5 * first and accuracy > 0.9


def test_it_is_chosen_by_the_file_too(tmp_path):
    (tmp_path / 'keras.json').write_text(json.dumps({'backend': 'toy'}))
    result = run('from keras import backend as K; print(K.eval(K.constant(3.)), K.backend())', KERAS_BACKEND=None,
                 KERAS_HOME=str(tmp_path))
    assert result.stdout.split() == ['3.0', 'toy'], result.stderr


def test_it_is_switched_to_and_listed_among_the_installed_ones():
    result = run('import keras, sys; from keras.backend.contract.loading import installed_engines\n'
                 'print(installed_engines()[-1], "toy_engine" in sys.modules)\n'
                 'with keras.backend.use("toy"): print(keras.backend.backend())\n'
                 'keras.backend.set_backend("toy"); print(keras.backend.backend())', KERAS_BACKEND='numpy')
    assert result.stdout.split() == ['toy', 'False', 'toy', 'toy'], result.stderr


def test_a_wrong_name_is_told_of_it():
    result = run('import keras; keras.backend.set_backend("toi")', KERAS_BACKEND='numpy')
    assert "Unknown backend 'toi'" in result.stderr and 'numpy, toy.' in result.stderr
    assert "Did you mean 'toy'?" in result.stderr


def test_without_its_distribution_there_is_no_such_engine():
    assert 'toy' not in installed_engines()
    result = run('import keras; keras.backend.set_backend("toy")', path=None, KERAS_BACKEND='numpy')
    assert "Unknown backend 'toy'" in result.stderr


def test_what_is_not_installed_with_it_or_broken_is_said(tmp_path):
    for name, entry in (('gone', 'engine_that_is_gone:ENGINE'), ('other', 'mislabelled:ENGINE')):
        folder = tmp_path / (name + '_engine-2.0.dist-info')
        folder.mkdir()
        (folder / 'entry_points.txt').write_text('[keras.engines]\n%s = %s\n' % (name, entry))
    broken = tmp_path / 'broken-1.0.dist-info'
    broken.mkdir()
    (broken / 'entry_points.txt').write_text('keras.engines = [[[\n')
    (tmp_path / 'mislabelled.py').write_text('class ENGINE:\n    name = "something"\n')
    result = run('import keras; keras.backend.set_backend("gone")', path=str(tmp_path), KERAS_BACKEND='numpy')
    assert "'gone'" in result.stderr and 'is not installed' in result.stderr
    assert 'pip install gone_engine' in result.stderr
    result = run('import keras; keras.backend.set_backend("other")', path=str(tmp_path), KERAS_BACKEND='numpy')
    assert "whose `name` is 'something'" in result.stderr


def test_its_gradients_are_those_of_the_formula():
    """The derivative of the sum of squares is twice the values."""
    result = run("""
import numpy as np
import keras
from keras import ops
from keras.backend.contract.loading import get_engine
v = keras.Variable(np.array([1.0, -2.0, 0.5], 'float32'))
print(get_engine().value_and_grad(lambda: (ops.sum(ops.square(v.value)), None), [v])[1][0].tolist())
""", KERAS_BACKEND='toy')
    np.testing.assert_allclose(json.loads(result.stdout), [2.0, -4.0, 1.0], atol=1e-3)
