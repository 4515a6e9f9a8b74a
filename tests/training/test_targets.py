"""Data that a model cannot mean is refused, or warned of, before it trains on it."""
import warnings

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('torch', 'mxnet')
X = np.random.RandomState(0).rand(6, 4).astype('float32')
CLASSES = np.array([0, 1, 2, 0, 1, 2])


def compiled(loss, units=3, activation=None):
    model = keras.Sequential([layers.Dense(units, activation=activation, input_shape=(4,))])
    model.compile('sgd', loss)
    return model


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3, activation='softmax')

    def call(self, x):
        return self.dense(x)


class OwnStep(Subclass):
    def train_step(self, data):
        return super().train_step(data)


def made(kind, loss):
    if kind is keras.Sequential:
        return compiled(loss, activation='softmax')
    model = kind()
    model.compile('sgd', loss)
    return model


@pytest.mark.parametrize('kind', [keras.Sequential, Subclass, OwnStep])
@pytest.mark.parametrize('loss, y, words', [
    ('categorical_crossentropy', CLASSES, 'sparse_categorical_crossentropy'),
    ('sparse_categorical_crossentropy', np.eye(3)[CLASSES], 'use the loss categorical_crossentropy'),
    ('mse', CLASSES, 'sparse_categorical_crossentropy.*Dense\\(1\\)')])
def test_the_loss_that_fits_is_named(kind, loss, y, words):
    with pytest.raises(ValueError, match=words):
        made(kind, loss).fit(X, y, verbose=0)


@pytest.mark.parametrize('kind', [keras.Sequential, Subclass])
@pytest.mark.parametrize('wrong', [CLASSES + 1, CLASSES - 1, CLASSES + 0.5, np.full(6, np.nan)])
def test_numbers_that_are_no_classes(kind, wrong):
    with pytest.raises(ValueError, match='the output has 3 classes'):
        made(kind, 'sparse_categorical_crossentropy').fit(X, wrong, verbose=0)


def test_shares_are_between_0_and_1():
    model = compiled('binary_crossentropy', 1, 'sigmoid')
    with pytest.warns(UserWarning, match='holds 2, but binary_crossentropy'):
        model.fit(X, CLASSES, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        model.fit(X, CLASSES % 2, verbose=0)


@pytest.mark.parametrize('wrong', [X.astype('complex64'), X.astype(str), X.astype('S9'), X.astype(str).astype(object),
                                   np.full((6, 4), np.datetime64('2020-01-01')),
                                   np.full((6, 4), np.timedelta64(1, 's'))])
def test_what_is_no_number(wrong):
    model = compiled('mse', 4)
    for call in (model.predict, model.predict_on_batch, lambda x: model.fit(x, X, verbose=0),
                 lambda y: model.fit(X, y, verbose=0), lambda w: model.fit(X, X, sample_weight=w[:, 0], verbose=0)):
        with pytest.raises(ValueError, match='must hold numbers|holds complex numbers'):
            call(wrong)


def test_the_column_is_named():
    wrong = X.astype(object)
    wrong[0, 2] = 'red'
    with pytest.raises(ValueError, match="'red' in column 2"):
        compiled('mse').predict(wrong)
    pandas = pytest.importorskip('pandas')
    frame = pandas.DataFrame(X, columns=list('abcd'))
    for column in (['x'] * 6, pandas.date_range('2020-01-01', periods=6), pandas.Categorical(['x'] * 6)):
        frame['b'] = column
        with pytest.raises(ValueError, match="the columns 'b' hold no numbers"):
            compiled('mse').predict(frame)


@pytest.mark.parametrize('kind', ['>f8', '>f4', '>i4', np.longdouble, bool])
def test_every_representation_of_numbers(kind):
    x, y = (X > 0.5).astype(kind), CLASSES.astype(kind) > 1
    weights = []
    for given in ((x, y.astype(kind)), ((X > 0.5).astype('float32'), y.astype('float32'))):
        model = made(Subclass, 'sparse_categorical_crossentropy')
        model.build((None, 4))
        model.set_weights([np.ones((4, 3)) / 8, np.arange(3.)])
        model.fit(*given, verbose=0, shuffle=False)
        weights.append(model.get_weights())
    np.testing.assert_allclose(weights[0][0], weights[1][0], rtol=1e-6)


def test_names_that_nothing_has():
    a, b = keras.Input((1,), name='a'), keras.Input((1,), name='b')
    model = keras.Model([a, b], [layers.Dense(1, name='p')(a), layers.Dense(1, name='q')(b)])
    model.compile('sgd', 'mse')
    x, y = {'a': X[:, 0], 'b': X[:, 1]}, {'p': X[:, 2], 'q': X[:, 3]}
    with pytest.raises(ValueError, match="holds 'z', but the outputs are: p, q"):
        model.fit(x, dict(y, z=X), verbose=0)
    with pytest.warns(UserWarning, match="holds 'z', which no input is called"):
        model.fit(dict(x, z=X), y, verbose=0)


def batches(count):
    for _ in range(count):
        yield X, X


def test_a_generator_that_ends_early_says_so():
    model = compiled('mse', 4)
    for run in (lambda: model.evaluate(batches(2), steps=3, verbose=0), lambda: model.predict(batches(2), steps=3),
                lambda: model.fit(X, X, validation_data=batches(2), validation_steps=3, verbose=0)):
        with pytest.warns(UserWarning, match='ran out of data before the 3 batches'):
            run()


@pytest.mark.parametrize('arguments', [dict(epochs=-1), dict(initial_epoch=-1), dict(epochs='3'), dict(shuffle='rows'),
                                       dict(validation_freq=0, validation_data=(X, X))])
def test_arguments_without_a_meaning(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        compiled('mse', 4).fit(X, X, verbose=0, **arguments)


def test_outputs_in_a_dictionary_go_by_its_keys():
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.other = layers.Dense(1), layers.Dense(1)

        def call(self, x):
            return {'b': self.one(x), 'a': self.other(x)}
    x = keras.Input((4,))
    graph = keras.Model(x, {'b': layers.Dense(1)(x), 'a': layers.Dense(1)(x)})
    for model in (Two(), graph):
        model.compile('sgd', {'a': 'mse', 'b': ['mae']}, metrics={'b': ['mse']})
        model.build((None, 4))
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        found = model.evaluate(X, {'a': X[:, 0], 'b': X[:, 1]}, verbose=0, return_dict=True)
        np.testing.assert_allclose([found['a_loss'], found['b_loss'], found['b_mse']],
                                   [(X[:, 0] ** 2).mean(), X[:, 1].mean(), (X[:, 1] ** 2).mean()], rtol=1e-5)


def test_arrays_like_those_before_are_looked_at_all_the_same():
    model = keras.models.Sequential([layers.Dense(3, activation='softmax', input_shape=(2,))])
    model.compile('sgd', 'sparse_categorical_crossentropy')
    x, y = np.ones((4, 2), 'float32'), np.array([0, 1, 2, 0])
    for _ in range(3):
        assert model.train_on_batch(x, y) > 0
    with pytest.raises(ValueError, match='class 3'):
        model.train_on_batch(x, y + 1)
    with pytest.raises(ValueError, match='same number of samples'):
        model.train_on_batch(x, y[:3])
    with pytest.raises(ValueError, match='class -1'):
        model.test_on_batch(x, y - 1)
    # Other types and shapes, weights, and rows that do not follow on each other go their own ways.
    expected = model.test_on_batch(x, y)
    for given in ((x.astype('float64'), y), (x, y[:, None]), (np.repeat(x, 2, 0)[::2], y), (x, y, np.ones(4)),
                  (x.astype('>f4'), y.astype('>i8')), (x[:2], y[:2])):
        model.test_on_batch(*given)
    np.testing.assert_allclose(model.test_on_batch(np.repeat(x, 2, 0)[::2], y), expected, rtol=1e-6)
    np.testing.assert_allclose(model.test_on_batch(x, y, np.zeros(4)), 0)
    np.testing.assert_allclose(model.test_on_batch(x, y), expected, rtol=1e-6)
