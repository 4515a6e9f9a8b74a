"""Moving averages of the weights: in the model while it is tested, saved and at the end."""
import numpy as np
import pytest

import keras
from keras import config
from keras.callbacks import Callback, SwapEMAWeights

pytestmark = [pytest.mark.on('torch', 'mxnet'), pytest.mark.needs_gradients]
X = np.ones((4, 1), 'float32')


class Weights(Callback):
    """Notes the only weight at every turn."""

    def __init__(self):
        super().__init__()
        self.seen = {'batch': [], 'test': [], 'epoch': []}

    def note(self, name):
        self.seen[name].append(float(self.model.get_weights()[0][0, 0]))

    def on_train_batch_end(self, batch, logs=None):
        self.note('batch')

    def on_test_batch_end(self, batch, logs=None):
        self.note('test')

    def on_epoch_end(self, epoch, logs=None):
        self.note('epoch')


def trained(swapping, generation=3, **arguments):
    """What a weight was, of a model whose every update adds 0.25 * 2 * (1 - w) to it, and the model."""
    with config.generation(generation):
        model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer='zeros', input_shape=(1,))])
        model.compile(keras.optimizers.SGD(0.25, use_ema=True, ema_momentum=0.5), 'mse')
        weights = Weights()
        model.fit(X, X, batch_size=2, epochs=2, verbose=0, validation_data=(X, X),
                  callbacks=([swapping] if swapping else []) + [weights], **arguments)
    return weights.seen, model


def expected():
    """(the weight after each update, its average): 1 - 0.5 ** n, and w, then (average + w) / 2."""
    values, average, averages = [1 - 0.5 ** (n + 1) for n in range(4)], None, []
    for value in values:
        average = value if average is None else 0.5 * average + 0.5 * value
        averages.append(average)
    return values, averages


@pytest.mark.parametrize('on_epoch', [False, True])
def test_model_is_tested_with_averages(on_epoch):
    values, averages = expected()
    seen, model = trained(SwapEMAWeights(on_epoch))
    np.testing.assert_allclose(seen['batch'], values)
    np.testing.assert_allclose(seen['test'], [averages[1]] * 2 + [averages[3]] * 2 if len(seen['test']) == 4
                               else [averages[1], averages[3]])
    np.testing.assert_allclose(seen['epoch'], [averages[1], averages[3]] if on_epoch else [values[1], values[3]])
    np.testing.assert_allclose(model.get_weights()[0], [[averages[3]]])


@pytest.mark.parametrize('generation', [2, 3])
def test_weights_at_the_end_of_fit_are_the_averages(generation):
    _, model = trained(None, generation)
    np.testing.assert_allclose(model.get_weights()[0], [[expected()[1][3]]])


def test_evaluate_leaves_the_weights_as_they_were():
    _, model = trained(None)
    model.set_weights([np.full((1, 1), 7.0)])
    weights = model.get_weights()
    seen = Weights()
    model.evaluate(X, X, verbose=0, callbacks=[SwapEMAWeights(), seen])
    np.testing.assert_allclose(seen.seen['test'], [expected()[1][3]] * len(seen.seen['test']))
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])


def test_optimizer_without_averages_is_refused():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
    model.compile('sgd', 'mse')
    with pytest.raises(ValueError, match='use_ema=True'):
        model.evaluate(X, X, verbose=0, callbacks=[SwapEMAWeights()])
