"""`compile(target_tensors=...)`: the numbers are those of NumPy."""
import numpy as np
import pytest

from keras import backend as K
from keras.layers import Dense, Input
from keras.models import Model, Sequential

pytestmark = [pytest.mark.on('torch', 'tensorflow', 'jax')]
X = np.linspace(-1, 1, 12, dtype='float32').reshape(4, 3)


def two_outputs():
    x = Input((3,))
    return x, Model(x, [Dense(2, name='a')(x), Dense(3, name='b')(x)])


def outputs_of(model):
    kernel_a, bias_a, kernel_b, bias_b = model.get_weights()
    return X @ kernel_a + bias_a, X @ kernel_b + bias_b


def test_variables_and_what_is_computed_from_inputs_are_targets():
    x, model = two_outputs()
    target = K.variable(np.ones((4, 2)))
    model.compile('sgd', 'mse', target_tensors=[target, 2 * x], metrics=['mae'])
    a, b = outputs_of(model)
    second = np.mean((b - 2 * X) ** 2)
    expected = [np.mean((a - 1) ** 2) + second, np.mean((a - 1) ** 2), second,
                np.mean(np.abs(a - 1)), np.mean(np.abs(b - 2 * X))]
    np.testing.assert_allclose(model.evaluate(X, None, verbose=0), expected, 1e-5)
    K.set_value(target, np.full((4, 2), 3.0))  # what the variable holds when the step runs
    first = np.mean((a - 3) ** 2)
    np.testing.assert_allclose(model.train_on_batch(X)[:3], [first + second, first, second], 1e-5)
    assert model.evaluate(X, verbose=0)[0] < first + second


def test_some_targets_are_fed():
    x, model = two_outputs()
    model.compile('sgd', 'mse', target_tensors={'b': x})
    a, b = outputs_of(model)
    found = model.train_on_batch(X, np.ones((4, 2)), sample_weight={'a': np.arange(4.0)}, class_weight=None)
    first = np.mean((a - 1) ** 2 * np.arange(4.0)[:, None])
    np.testing.assert_allclose(found[1:], [first, np.mean((b - X) ** 2)], 1e-5)
    with pytest.raises(ValueError, match='2 target arrays|expected'):
        model.train_on_batch(X)


def test_placeholders_are_fed():
    _, model = two_outputs()
    model.compile('sgd', 'mse', target_tensors=[K.placeholder((None, 2)), K.placeholder((None, 3))])
    a, b = outputs_of(model)
    np.testing.assert_allclose(model.test_on_batch(X, [np.ones((4, 2)), X])[1:],
                               [np.mean((a - 1) ** 2), np.mean((b - X) ** 2)], 1e-5)


@pytest.mark.parametrize('given, error, words', [
    ([0], ValueError, 'one entry per model output. The model has 2 outputs'),
    ({'c': 0}, ValueError, "Unknown entry.*'c'.*outputs of the model are: a, b"),
    (set(), TypeError, 'a tensor, or a list or dictionary')])
def test_what_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        two_outputs()[1].compile('sgd', 'mse', target_tensors=given)
    with pytest.raises(ValueError, match='passed a single tensor'):
        two_outputs()[1].compile('sgd', 'mse', target_tensors=np.ones((4, 2)))


def test_no_other_targets():
    model = Sequential([Dense(2, input_shape=(3,))])
    model.compile('sgd', 'mse', target_tensors=np.ones((4, 2)))
    with pytest.raises(ValueError, match='compiled with target_tensors'):
        model.train_on_batch(X, np.ones((4, 2)))
    assert len(model.fit(X, batch_size=4, verbose=0).history['loss']) == 1
