"""Batches made by workers while a model runs: the same numbers, and errors that say where they come from."""
import traceback
import warnings

import numpy as np
import pytest

import keras

X = np.random.RandomState(0).rand(24, 3).astype('float32')
Y = X.sum(axis=1, keepdims=True)
once = pytest.mark.on('numpy')
forks = pytest.mark.filterwarnings('ignore:.*fork.*:DeprecationWarning')


class Rows(keras.utils.Sequence):
    def __init__(self, fault=None):
        self.epochs, self.fault = 0, fault

    def __len__(self):
        return 6

    def __getitem__(self, index):
        if self.fault == index:
            raise KeyError('row %d is gone' % index)
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows] * (self.epochs + 1)

    def on_epoch_end(self):
        self.epochs += 1


def linear():
    model = keras.Sequential([keras.layers.Dense(1, kernel_initializer='ones', input_shape=(3,))])
    model.compile(keras.optimizers.SGD(0.01), 'mse')
    return model


@pytest.mark.needs_gradients
@pytest.mark.parametrize('shuffle', [False, True])
def test_training_with_threads(shuffle):
    def losses(**arguments):
        np.random.seed(1)
        sequence = Rows()
        found = linear().fit(sequence, epochs=3, verbose=0, shuffle=shuffle, validation_data=Rows(), **arguments)
        assert sequence.epochs == 3
        return found.history
    assert losses(workers=3, max_queue_size=2) == losses()


@pytest.mark.needs_gradients
def test_training_from_a_generator_with_a_thread():
    def batches():
        while True:
            for index in range(6):
                yield Rows()[index]
    one, other = linear(), linear()
    one.fit_generator(iter(Rows()[index % 6] for index in range(12)), steps_per_epoch=4, epochs=2, verbose=0)
    history = other.fit_generator(batches(), steps_per_epoch=4, epochs=2, verbose=0, workers=2, max_queue_size=1)
    assert len(history.history['loss']) == 2


@pytest.mark.needs_gradients
def test_a_part_of_a_step_is_a_step():
    def count(total):
        taken = []
        return taken, ((taken.append(index) or Rows()[0]) for index in range(total))
    for call, steps, expected in (
            (lambda model, data: model.fit_generator(data, steps_per_epoch=2.5, epochs=2, verbose=0), 50, 6),
            (lambda model, data: model.fit(X, Y, verbose=0, validation_data=data, validation_steps=2.5), 50, 3),
            (lambda model, data: model.evaluate_generator(data, steps=1.5), 50, 2),
            (lambda model, data: model.predict_generator(data, steps=np.float32(3)), 50, 3)):
        taken, data = count(steps)
        call(linear(), data)
        assert len(taken) == expected


@once
@forks
@pytest.mark.parametrize('arguments', [dict(workers=3), dict(workers=2, use_multiprocessing=True),
                                       dict(use_multiprocessing=True), dict(workers=0)])
def test_predicting(arguments):
    model = linear()
    expected = model.predict(X)
    with warnings.catch_warnings():
        warnings.filterwarnings('error', message='.*no effect')
        np.testing.assert_allclose(model.predict(Rows(), **arguments), expected, rtol=1e-6)
        np.testing.assert_allclose(model.predict_generator(Rows(), steps=3, **arguments), expected[:12], rtol=1e-6)
        assert model.evaluate_generator(Rows(), **arguments) == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)


@once
@forks
@pytest.mark.parametrize('use_multiprocessing', [False, True])
def test_errors_of_workers(use_multiprocessing):
    with pytest.raises(KeyError, match='row 2 is gone') as caught:
        linear().predict(Rows(fault=2), workers=3, use_multiprocessing=use_multiprocessing)
    assert 'in __getitem__' in ''.join(traceback.format_exception(caught.type, caught.value, caught.tb))


@once
@forks
def test_what_workers_cannot_do():
    model = linear()
    with pytest.warns(UserWarning, match='no effect on ndarray'):
        model.predict(X, workers=3, verbose=0)
    with pytest.warns(UserWarning, match='may give the same batches several times'):
        model.predict(iter([X[:4], X[4:8]]), workers=2, use_multiprocessing=True)
