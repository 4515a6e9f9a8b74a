"""In tf.keras crossentropies go by what went into the sigmoid or softmax that gave the predictions."""
import numpy as np
import pytest

import keras

rng = np.random.RandomState(0)
x, classes = rng.rand(8, 4).astype('float32'), rng.randint(0, 3, 8)
one_hot = np.eye(3, dtype='float32')[classes]
kernel = rng.rand(4, 3).astype('float32') - 0.5
logits = x @ kernel


def softmax(values):
    return np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)


def of_classes(probabilities):
    return -np.log(probabilities[np.arange(8), classes]).mean()


def binary(probabilities):
    return -(one_hot * np.log(probabilities) + (1 - one_hot) * np.log(1 - probabilities)).mean()


sigmoid = 1 / (1 + np.exp(-logits))
CASES = [('sigmoid', 'categorical_crossentropy', one_hot, of_classes(softmax(logits)),
          of_classes(sigmoid / sigmoid.sum(axis=1, keepdims=True))),
         ('sigmoid', 'sparse_categorical_crossentropy', classes, of_classes(softmax(logits)),
          of_classes(sigmoid / sigmoid.sum(axis=1, keepdims=True))),
         ('softmax', 'binary_crossentropy', one_hot, binary(sigmoid), binary(softmax(logits))),
         ('sigmoid', 'binary_crossentropy', one_hot, binary(sigmoid), binary(sigmoid)),
         ('softmax', 'categorical_crossentropy', one_hot, of_classes(softmax(logits)), of_classes(softmax(logits)))]


def loss_of(generation, activation, loss, y, apart):
    with keras.config.generation(generation):
        layers = [keras.layers.Dense(3, use_bias=False, activation=None if apart else activation, input_shape=(4,))]
        model = keras.Sequential(layers + [keras.layers.Activation(activation)] * apart)
        model.compile('sgd', loss)
        model.set_weights([kernel])
        return float(model.evaluate(x, y, verbose=0))


@pytest.mark.parametrize('apart', [False, True])
@pytest.mark.parametrize('activation, loss, y, of_logits, of_probabilities', CASES)
def test_of_which_the_loss_is(activation, loss, y, of_logits, of_probabilities, apart):
    assert abs(loss_of('tf', activation, loss, y, apart) - of_logits) < 1e-5
    for generation in (2, 3):
        assert abs(loss_of(generation, activation, loss, y, apart) - of_probabilities) < 1e-5


def test_what_is_not_the_output_of_an_activation_is_a_probability():
    with keras.config.generation('tf'):
        model = keras.Sequential([keras.layers.Dense(3, use_bias=False, activation='sigmoid', input_shape=(4,)),
                                  keras.layers.Lambda(lambda values: values * 1.0)])
        model.compile('sgd', 'binary_crossentropy')
        model.set_weights([kernel])
        assert abs(float(model.evaluate(x, 1 - one_hot, verbose=0)) + (
            (1 - one_hot) * np.log(sigmoid) + one_hot * np.log(1 - sigmoid)).mean()) < 1e-5
