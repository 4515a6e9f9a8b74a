"""The same models, weights and batches on every engine: losses and weights agree.

Every engine is held against upstream Keras 3.15.1 (recorded in `four_models-3.15.1.npz`), in its own process; so
engines agree that no environment holds together. Those that one holds are compared with each other in test_switching.
"""
import four_models
import numpy as np
import pytest

RECORD = np.load(four_models.RECORD)

# Largest difference of weights, and of predictions relative to them. Our moving variance is Keras 2's, which counts the
# samples differently from Keras 3's: by 1 in 768 here.
TOLERANCES = {'mlp': 2e-5, 'masked_lstm': 2e-5, 'two_in_two_out': 2e-5, 'convnet': 1e-3}


@pytest.mark.needs_gradients
@pytest.mark.parametrize('name', sorted(four_models.MODELS))
def test_five_steps_agree_with_upstream(name):
    model = four_models.compiled(name)
    losses = four_models.train(model, name)
    np.testing.assert_allclose(losses, RECORD[name + '/losses'], rtol=2e-5)
    for number, (variable, weight) in enumerate(zip(model.weights, model.get_weights())):
        np.testing.assert_allclose(weight, RECORD['%s/w%d' % (name, number)], rtol=0, atol=TOLERANCES[name],
                                   err_msg=variable.path)
    np.testing.assert_allclose(four_models.predict(model, name), RECORD[name + '/predictions'],
                               rtol=max(1e-4, TOLERANCES[name]), atol=1e-6)


@pytest.mark.parametrize('name', sorted(four_models.MODELS))
def test_predictions_agree_with_upstream(name):
    """With upstream's weights after the five steps: the engine without gradients, too."""
    model = four_models.MODELS[name][0]()
    model.set_weights([RECORD['%s/w%d' % (name, number)] for number in range(len(model.weights))])
    np.testing.assert_allclose(four_models.predict(model, name), RECORD[name + '/predictions'], rtol=2e-5, atol=1e-6)
