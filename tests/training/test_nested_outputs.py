"""Losses, their weights, targets and sample weights that are nested as the outputs of a model are."""
import collections

import numpy as np
import pytest

import keras
from keras import config, layers

Pair = collections.namedtuple('Pair', 'left right')
X = np.arange(12.).reshape(4, 3).astype('float32')
C, D, B = [X.sum(axis=1, keepdims=True).repeat(2, axis=1) * factor for factor in (.1, .2, .3)]
YC, YD, YB = [np.full((4, 2), value, 'float32') for value in (1, 2, 3)]


def squared(y, found):
    return np.mean((y - found) ** 2)


def absolute(y, found):
    return np.mean(np.abs(y - found))


NESTED = [lambda c, d, b: {'a': {'c': c, 'd': d}, 'b': b}, lambda c, d, b: {'a': [c, d], 'b': b},
          lambda c, d, b: {'a': Pair(c, d), 'b': b}, lambda c, d, b: [{'a': c}, (d, b)]]
LOSSES = [{'a': {'c': 'mse', 'd': 'mae'}}, {'a': ['mse', 'mae']}, {'a': Pair('mse', 'mae')},
          [{'a': 'mse'}, ('mae', None)]]


def made(nest, subclassed):
    rows = [layers.Dense(2, kernel_initializer=keras.initializers.Constant(factor), name=name)
            for name, factor in (('c', .1), ('d', .2), ('b', .3))]
    if not subclassed:
        x = keras.Input((3,))
        return keras.Model(x, nest(*[row(x) for row in rows]))

    class Nested(keras.Model):
        def __init__(self):
            super().__init__()
            self.rows = rows

        def call(self, x):
            return nest(*[row(x) for row in self.rows])
    return Nested()


def evaluated(model, y, **kwargs):
    return model.evaluate(X, y, verbose=0, return_dict=True, **kwargs)


@pytest.mark.parametrize('subclassed', (False, True))
@pytest.mark.parametrize('nest, loss', list(zip(NESTED, LOSSES)))
def test_losses_of_some_outputs(nest, loss, subclassed):
    with config.generation(3):
        model = made(nest, subclassed)
        model.compile('sgd', loss)
        found = evaluated(model, nest(YC, YD, YB))
        assert found['loss'] == pytest.approx(squared(YC, C) + absolute(YD, D), rel=1e-5)
        if loss is LOSSES[0]:
            assert sorted(found) == ['a/c_loss', 'a/d_loss', 'loss']
            assert found['a/d_loss'] == pytest.approx(absolute(YD, D), rel=1e-5)


@pytest.mark.parametrize('subclassed', (False, True))
@pytest.mark.parametrize('loss, weights', [
    ('mse', None), ({'a': {'c': 'mse', 'd': 'mse'}, 'b': 'mse'}, {'a': {'c': 1., 'd': 2.}, 'b': 3.}),
    ({'a': {'c': 'mse', 'd': 'mse'}, 'b': 'mse'}, [1., 2., 3.]), ({'a': 'mse', 'b': 'mse'}, {'a': 2., 'b': 1.})])
def test_weights_of_losses(loss, weights, subclassed):
    c, d, b = (1, 1, 1) if weights is None else (2, 2, 1) if weights == {'a': 2., 'b': 1.} else (1, 2, 3)
    model = made(NESTED[0], subclassed)
    model.compile('sgd', loss, loss_weights=weights)
    assert evaluated(model, NESTED[0](YC, YD, YB))['loss'] == pytest.approx(
        c * squared(YC, C) + d * squared(YD, D) + b * squared(YB, B), rel=1e-5)


def test_sample_weights_are_nested_too():
    model = made(NESTED[0], False)
    model.compile('sgd', 'mse')
    weights = NESTED[0](*[np.array([0, 0, 0, factor], 'float32') for factor in (4., 8., 0.)])
    found = evaluated(model, NESTED[0](YC, YD, YB), sample_weight=weights)
    with config.generation(3):
        again = made(NESTED[0], False)
        again.compile('sgd', 'mse')
        total = evaluated(again, NESTED[0](YC, YD, YB), sample_weight=weights)['loss']
    assert total == pytest.approx(squared(YC[3], C[3]) + 2 * squared(YD[3], D[3]), rel=1e-5)
    assert found['loss'] == pytest.approx(total, rel=1e-5)


def test_targets_by_the_names_of_outputs():
    model = made(NESTED[0], False)
    model.compile('sgd', {'c': 'mse', 'd': 'mae'})
    assert evaluated(model, {'c': YC, 'd': YD})['loss'] == pytest.approx(squared(YC, C) + absolute(YD, D), rel=1e-5)


@pytest.mark.parametrize('subclassed', (False, True))
def test_several_losses_of_one_output(subclassed):
    with config.generation(3):
        model = made(lambda c, d, b: {'a': c, 'b': b}, subclassed)
        model.compile('sgd', {'a': ['mse', 'mae'], 'b': ['mae']}, loss_weights={'a': [1., 2.], 'b': 3.})
        found = evaluated(model, {'a': YC, 'b': YB})
    assert found['a_loss'] == pytest.approx(squared(YC, C) + 2 * absolute(YC, C), rel=1e-5)
    assert found['loss'] == pytest.approx(found['a_loss'] + 3 * absolute(YB, B), rel=1e-5)


def test_training_goes_down_the_whole_sum():
    if keras.backend.backend() == 'numpy':
        pytest.skip('no gradients')
    model = made(NESTED[0], True)
    model.compile(keras.optimizers.SGD(1e-3), {'a': {'c': ['mse', 'mae'], 'd': 'mse'}})
    losses = model.fit(X, NESTED[0](YC, YD, YB), epochs=5, verbose=0).history['loss']
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(np.asarray(model.predict(X)['b']), B, rtol=1e-5)  # has no loss


@pytest.mark.parametrize('loss, weights, expected', [
    ({'a': {'c': 'mse'}, 'b': {'d': 'mae'}}, None, "'b', 'd'.*can't be found in the model's output"),
    ({'a': {'z': 'mse'}}, None, "'a', 'z'.*can't be found in the model's output"),
    ({'a': {'c': 'mse', 'd': 'mae'}}, [1], 'must match the number of losses, got 2 losses and 1 weights'),
    ({'b': ['mse', 'mae']}, {'b': [1., 2., 3.]}, 'must match the number of losses, got 2 losses and 3 weights')])
@pytest.mark.on('numpy')
def test_what_does_not_fit(loss, weights, expected):
    model = made(NESTED[0], False)
    with pytest.raises(ValueError, match=expected):
        model.compile('sgd', loss, loss_weights=weights)


@pytest.mark.on('numpy')
def test_missing_targets_are_named():
    model = made(NESTED[0], False)
    model.compile('sgd', 'mse')
    with pytest.raises(ValueError, match=r"no target for \['c', 'd'\]"):
        model.evaluate(X, {'b': YB}, verbose=0)
