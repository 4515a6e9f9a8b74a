"""`K.set_learning_phase`: models made or run under it. Expected values: Keras 2.3.1 on TensorFlow 1.15, where not said
otherwise."""
import numpy as np
import pytest

from keras import backend as K
from keras.layers import BatchNormalization, Dense, Dropout, Input, Lambda, Layer
from keras.models import Model, Sequential

ONES = np.ones((1, 200))
DATA = np.random.RandomState(0).randn(10, 3) * 5 + 3


@pytest.fixture(autouse=True)
def phase_is_forgotten():
    yield
    K.clear_session()


class InPhase(Layer):
    """By the learning phase, which `call` asks for itself."""

    def call(self, x):
        return K.in_train_phase(x * 2.0, x)


class OwnModel(Model):
    def __init__(self):
        super().__init__()
        self.dropout = Dropout(0.5)

    def call(self, x):
        return self.dropout(x)


def model_of(layer, size=200):
    x = Input((size,))
    model = Model(x, layer(x))
    model.compile('sgd', 'mse')
    return model


MAKERS = {'functional': lambda: model_of(Dropout(0.5)),
          'sequential': lambda: Sequential([Dropout(0.5, input_shape=(200,))]),
          'nested': lambda: model_of(Sequential([Dropout(0.5, input_shape=(200,))])),
          'in call': lambda: model_of(InPhase()),
          'lambda': lambda: model_of(Lambda(lambda x: K.in_train_phase(0 * x, x)))}


def acts(model):
    """Whether what a layer does in training shows in a prediction."""
    return bool((model.predict(ONES) != 1).any())


@pytest.mark.parametrize('make', [MAKERS[name] for name in sorted(MAKERS)])
def test_a_model_keeps_the_phase_that_it_is_made_under(make):
    K.set_learning_phase(1)
    training = make()
    assert acts(training)
    K.set_learning_phase(0)
    testing = make()
    assert acts(training) and not acts(testing)
    K.set_learning_phase(1)
    assert acts(training) and not acts(testing)
    K.clear_session()
    assert acts(training) and not acts(testing) and not acts(make())


@pytest.mark.parametrize('make', [OwnModel] + [MAKERS[name] for name in sorted(MAKERS)])
def test_a_phase_that_is_set_later_holds_for_the_runs_that_follow(make):
    # In Keras 2 this was left to chance: such models went on as in testing, in `fit` as well.
    model = make()
    assert not acts(model)
    K.set_learning_phase(1)
    assert acts(model)
    K.set_learning_phase(0)
    assert not acts(model)
    K.set_learning_phase(1)
    assert acts(model)


def test_what_a_layer_is_told_comes_first():
    K.set_learning_phase(0)
    x = Input((200,))
    assert acts(Model(x, Dropout(0.5)(x, training=True)))
    K.set_learning_phase(1)
    assert not acts(Model(x, Dropout(0.5)(x, training=False)))


def test_batch_normalization_in_phase_1_takes_the_statistics_of_the_batch_and_keeps_none():
    K.set_learning_phase(1)
    layer = BatchNormalization()
    model = model_of(layer, 3)
    np.testing.assert_allclose(model.predict(DATA).mean(0), np.zeros(3), atol=1e-6)
    assert model.evaluate(DATA, 0 * DATA, verbose=0) == pytest.approx(0.99996, abs=1e-4)
    for found, expected in zip(layer.get_weights(), [1, 0, 0, 1]):
        np.testing.assert_array_equal(found, np.full(3, expected))


def test_batch_normalization_that_is_told_to_train_keeps_no_statistics_in_prediction():
    x, layer = Input((3,)), BatchNormalization()
    model = Model(x, layer(x, training=True))
    np.testing.assert_allclose(model.predict(DATA).mean(0), np.zeros(3), atol=1e-6)
    np.testing.assert_array_equal(layer.get_weights()[2], np.zeros(3))


@pytest.mark.needs_gradients
@pytest.mark.parametrize('before', [True, False])
def test_training_in_phase_0(before):
    if before:
        K.set_learning_phase(0)
    layer = BatchNormalization(momentum=0.5)
    normalizing, dropping = model_of(layer, 3), model_of(Dropout(0.5))
    K.set_learning_phase(0)
    normalizing.fit(DATA, 0 * DATA, verbose=0)
    np.testing.assert_allclose(layer.get_weights()[0], [0.49019587, 0.66303945, 0.718935], rtol=1e-5)
    np.testing.assert_allclose(layer.get_weights()[1], [-0.05167285, -0.03319977, -0.01936093], rtol=1e-5)
    assert dropping.train_on_batch(ONES, 0 * ONES) == dropping.test_on_batch(ONES, 0 * ONES) == 1.0


@pytest.mark.needs_gradients
def test_training_goes_on_in_phase_1():
    K.set_learning_phase(1)
    model = Sequential([Dropout(0.5, input_shape=(200,)), Dense(1, kernel_initializer='ones')])
    model.compile('sgd', 'mse')
    model.fit(ONES, [[0.0]], verbose=0)
    assert (model.get_weights()[0] != 1).any() and (model.get_weights()[0] == 1).any()
    first, second = [model.evaluate(ONES, [[0.0]], verbose=0) for _ in range(2)]
    assert first != second
