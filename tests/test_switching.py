"""Several engines in one process: what one of them built and trained predicts, trains on and saves under the others.

Runs in the process of the NumPy engine, as a process does that names all its engines in KERAS_BACKEND.
"""
import os

import four_models
import numpy as np
import pytest

from keras import backend, config, models
from keras.backend.contract.loading import installed_engines

ENGINES = [name for name in installed_engines() if name != 'numpy']

pytestmark = [pytest.mark.skipif(os.environ['KERAS_BACKEND'] != 'numpy',
                                 reason='runs once, in the process of the NumPy engine'),
              pytest.mark.skipif(len(ENGINES) < 2, reason='fewer than two engines with gradients are installed')]
if os.environ['KERAS_BACKEND'] == 'numpy':
    # What KERAS_BACKEND=numpy,tensorflow,... says; here, so that it holds whichever test loads the first engine.
    config.settings.backends = ('numpy',) + tuple(ENGINES)


def assert_same_predictions(ours, theirs, engine):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6, err_msg=engine)


@pytest.mark.parametrize('name', sorted(four_models.MODELS))
def test_engines_agree_and_each_ones_model_predicts_the_same_on_all(name):
    """Five steps from the same weights on the same batches: losses within 2e-5, weights within 2e-5; then predictions
    of each of the trained models on every engine, within 1e-4 of each other."""
    first = None
    for engine in ENGINES:
        with backend.use(engine):
            model = four_models.compiled(name)
            losses, weights = four_models.train(model, name), model.get_weights()
            here = four_models.predict(model, name)
        first = first or (losses, weights)
        np.testing.assert_allclose(losses, first[0], rtol=2e-5, err_msg=engine)
        for variable, ours, theirs in zip(model.weights, weights, first[1]):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5, err_msg='%s on %s' % (variable.path, engine))
        for other in ENGINES + ['numpy']:
            with backend.use(other):
                assert_same_predictions(four_models.predict(model, name), here, '%s under %s' % (engine, other))


@pytest.mark.parametrize('name', ['convnet', 'masked_lstm'])
def test_training_goes_on_under_another_engine(name):
    """A step under each engine in turn, optimizer and moving averages included, is five steps under one."""
    with backend.use(ENGINES[0]):
        alone = four_models.compiled(name)
        expected = four_models.train(alone, name)
        moving = four_models.compiled(name)
    losses = []
    for step in range(four_models.STEPS):
        with backend.use(ENGINES[step % len(ENGINES)]):
            losses += four_models.train(moving, name, [step])
    np.testing.assert_allclose(losses, expected, rtol=2e-5)
    for variable, ours, theirs in zip(alone.weights, moving.get_weights(), alone.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-5, err_msg=variable.path)


def test_a_file_written_under_one_engine_is_read_under_the_others(tmp_path):
    for engine in ENGINES:
        path = str(tmp_path / (engine + '.h5'))
        with backend.use(engine):
            model = four_models.compiled('convnet')
            four_models.train(model, 'convnet', [0])
            expected = four_models.predict(model, 'convnet')
            model.save(path)
        for other in ENGINES + ['numpy']:
            with backend.use(other):
                assert_same_predictions(four_models.predict(models.load_model(path), 'convnet'), expected,
                                        '%s under %s' % (engine, other))


def test_a_variable_moves_along():
    variable = backend.variable(np.arange(6.0).reshape(2, 3))
    for number, engine in enumerate(ENGINES + ['numpy'] + ENGINES):
        with backend.use(engine):
            np.testing.assert_array_equal(backend.get_value(variable), np.arange(6.0).reshape(2, 3) + number)
            variable.assign(variable.value + 1.0)


def test_the_same_seed_gives_the_same_initial_weights():
    found = []
    for engine in ENGINES:
        np.random.seed(1337)
        with backend.use(engine):
            found.append(four_models.two_in_two_out().get_weights())
    for weights in found[1:]:
        for ours, theirs in zip(found[0], weights):
            np.testing.assert_array_equal(ours, theirs)
