"""Losses that see several outputs at once."""
import collections

import numpy as np
import pytest

import keras
from keras import ops

Pair = collections.namedtuple('Pair', 'left right')
rows = np.arange(12, dtype='float32').reshape(4, 3) / 10
left, right = np.arange(4, dtype='float32').reshape(4, 1), np.ones((4, 1), 'float32')


def absolute(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def together(y_true, y_pred):
    """The absolute differences of all outputs, which have to come in their structure."""
    assert not hasattr(y_pred, 'shape') and type(y_true) is type(y_pred)
    pairs = zip(keras.tree.flatten(y_true), keras.tree.flatten(y_pred))
    return sum(absolute(one, other) for one, other in pairs)


def model_with(structure):
    inputs = keras.Input((3,))
    outputs = [keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(value), name=name)(inputs)
               for value, name in ((0.5, 'first'), (1.0, 'second'))]
    return keras.Model(inputs, structure(*outputs))


def found(loss, structure, weights=None, sample_weight=None):
    with keras.config.generation(3):
        model = model_with(structure)
        model.compile('sgd', loss, loss_weights=weights)
        return model.evaluate(rows, structure(left, right), sample_weight=sample_weight, verbose=0, return_dict=True)


first = np.abs(left - 0.5 * rows.sum(1, keepdims=True))
second = np.abs(right - rows.sum(1, keepdims=True))
STRUCTURES = {'tuple': (lambda a, b: (a, b), ['first', 'second']),
              'named': (Pair, ['first', 'second']),
              'dictionary': (lambda a, b: {'a': a, 'b': b}, ['a', 'b'])}


@pytest.mark.parametrize('kind', sorted(STRUCTURES))
def test_a_list_beside_another_structure_has_losses_of_the_whole_and_of_the_parts(kind):
    structure, names = STRUCTURES[kind]
    logs = found([together, structure(absolute, 'mse')], structure)
    expected = {'%s_loss' % names[0]: first.mean(), '%s_loss' % names[1]: (second ** 2).mean(),
                '%s_loss' % '_'.join(names): (first + second).mean()}
    expected['loss'] = sum(expected.values())
    assert set(logs) == set(expected)
    for name in logs:
        np.testing.assert_allclose(logs[name], expected[name], rtol=1e-5)


@pytest.mark.on('numpy', 'jax')
def test_weights_of_losses_and_samples():
    structure = STRUCTURES['tuple'][0]
    logs = found([together, (absolute, None)], structure, [0.5, (2.0, None)], np.array([1.0, 0.0, 0.0, 3.0]))
    weighted = np.array([[1.0], [0.0], [0.0], [3.0]])
    expected = (0.5 * (first + second) + 2 * first) * weighted
    np.testing.assert_allclose(logs['loss'], expected.mean(), rtol=1e-5)


@pytest.mark.on('numpy', 'torch')
def test_a_part_of_the_outputs_has_a_loss_of_its_own():
    def structure(a, b):
        return {'both': (a, b)}
    with keras.config.generation(3):
        model = model_with(structure)
        model.compile('sgd', {'both': [together, (None, 'mse')]})
        logs = model.evaluate(rows, structure(left, right), verbose=0, return_dict=True)
    assert set(logs) == {'loss', 'both_loss', 'both/second_loss'}
    np.testing.assert_allclose(logs['both_loss'], (first + second).mean(), rtol=1e-5)
    np.testing.assert_allclose(logs['loss'], (first + second + second ** 2).mean(), rtol=1e-5)


@pytest.mark.parametrize('shown', [False, True])
def test_training_by_a_joint_loss_alone(shown):
    with keras.config.generation(3):
        class Shown(keras.Model):
            def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
                return super().compute_loss(x, y, y_pred, sample_weight)
        inputs = keras.Input((3,))
        outputs = tuple(keras.layers.Dense(1, name=name)(inputs) for name in ('first', 'second'))
        model = (Shown if shown else keras.Model)(inputs, outputs)
        model.compile(keras.optimizers.Adam(0.05), [together])
        history = model.fit(rows, (left, right), epochs=20, verbose=0).history
    assert list(history) == ['loss']
    assert history['loss'][-1] < 0.7 * history['loss'][0]
