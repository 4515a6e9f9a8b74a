"""The helpers of `keras.engine.training_utils`: values by hand."""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras.engine import training, training_utils as T

pytestmark = pytest.mark.on('numpy')
A, B = np.ones((4, 3)), np.ones((5, 3))


def test_batches():
    assert T.make_batches(5, 2) == training.make_batches(5, 2) == [(0, 2), (2, 4), (4, 5)]
    np.random.seed(0)
    found = T.batch_shuffle(np.arange(9), 2)
    assert sorted(found) == list(range(9)) and found[-1] == 8 and all(found[:8:2] + 1 == found[1:8:2])
    items = T.iter_sequence_infinite([1, 2])
    assert [next(items) for _ in range(3)] == [1, 2, 1]
    assert not T.is_sequence([1]) and training.slice_X([A], 1, 3)[0].shape == (2, 3)


@pytest.mark.parametrize('data, names, shapes', [
    (A, ['a'], [(4, 3)]), ([A], ['a'], [(4, 3)]), ({'b': B, 'a': [1, 2]}, ['a', 'b'], [(2, 1), (5, 3)]),
    ([A, np.ones(4)], ['a', 'b'], [(4, 3), (4, 1)]), ([1.0, 2.0], ['a'], [(2, 1)])])
def test_data(data, names, shapes):
    assert [x.shape for x in T.standardize_input_data(data, names)] == shapes


def test_no_data():
    assert T.standardize_input_data(None, ['a']) == [None] and T.standardize_input_data([], []) == []
    T.standardize_input_data(A, ['a'], [(9, 3)], check_batch_axis=False)


@pytest.mark.parametrize('call, words', [
    (lambda: T.standardize_input_data(A, []), 'expected no data'),
    (lambda: T.standardize_input_data({'a': A}, ['b']), 'No data provided for "b"'),
    (lambda: T.standardize_input_data([A], ['a', 'b'], exception_prefix='input'), 'checking model input.*2, for'),
    (lambda: T.standardize_input_data(A, ['a', 'b']), 'expects 2 arrays'),
    (lambda: T.standardize_input_data(A, ['a'], [(None, 2)]), r'expected a to have shape \(None, 2\)'),
    (lambda: T.standardize_input_data(A, ['a'], [(None, 2, 2)]), 'to have 3 dimensions'),
    (lambda: T.check_array_length_consistency([A, B], [A], [A]), 'All input arrays.*4, 5'),
    (lambda: T.check_array_length_consistency([A], [B], None), 'input 4, target 5, sample_weight 0'),
    (lambda: T.standardize_sample_weights([1, 2, 3], ['a', 'b']), 'list of 3 elements'),
    (lambda: T.standardize_weights(A, sample_weight_mode='temporal'), 'time axis'),
    (lambda: T.standardize_weights(A, sample_weight_mode='time'), '"sample_weight_mode"'),
    (lambda: T.standardize_weights(A, np.ones(3)), 'expected one weight for each sample'),
    (lambda: T.check_loss_and_target_compatibility([A[:, :1]], [keras.losses.categorical_crossentropy], [(4, 1)]),
     'to_categorical'),
    (lambda: T.check_loss_and_target_compatibility([A], [keras.losses.mse], [(4, 2)]), 'to have the same shape')])
def test_what_is_wrong_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_weights():
    assert T.standardize_class_weights(None, ['a', 'b']) == [None, None] == T.standardize_sample_weights([], ['a', 'b'])
    assert T.standardize_class_weights({0: 1.0}, ['a']) == [{0: 1.0}]
    assert T.standardize_class_weights({'b': {0: 1.0}}, ['a', 'b']) == [None, {0: 1.0}]
    with pytest.raises(TypeError, match='several outputs'):
        T.standardize_sample_weights(A, ['a', 'b'])
    y = np.array([0, 1, 2])
    assert T.standardize_weights(y).tolist() == [1, 1, 1]
    assert T.standardize_weights(y, np.array([1.0, 2.0, 4.0]), {0: 0.5, 1: 1.0, 2: 0.25}).tolist() == [0.5, 2, 1]
    assert T.standardize_weights(np.ones((2, 3, 1)), sample_weight_mode='temporal').shape == (2, 3)


def test_objectives():
    weighted = T.weighted_masked_objective(keras.losses.mean_absolute_error)
    y, found = np.zeros((4, 1)), np.array([[1.0], [2.0], [3.0], [4.0]])
    assert K.eval(weighted(y, found, None)) == pytest.approx(2.5)
    assert K.eval(weighted(y, found, np.array([0.0, 1.0, 1.0, 0.0]))) == pytest.approx(5 / 2)
    assert K.eval(weighted(y, found, None, np.array([1, 1, 0, 0]))) == pytest.approx(1.5, abs=1e-5)
    steps = weighted(np.zeros((2, 2, 1)), np.ones((2, 2, 1)), np.array([1.0, 3.0]))
    assert K.eval(steps) == pytest.approx(2.0) and training.weighted_objective(None) is None


def test_metrics():
    assert T.collect_metrics(None, ['a', 'b']) == [[], []] and T.collect_metrics(['mse'], ['a']) == [['mse']]
    assert T.collect_metrics({'b': ['mse']}, ['a', 'b']) == [[], ['mse']]
    with pytest.raises(TypeError, match='list or dictionary'):
        T.collect_metrics('mse', ['a'])


def test_old_arguments():
    with pytest.warns(DeprecationWarning, match=r'slice_arrays.arrays=.arrays., stop=2'):
        assert training.slice_X(X=[A], stop=2)[0].shape == (2, 3)
    with pytest.warns(DeprecationWarning, match=r'sequence=\w+, use_multiprocessing=False'):
        enqueuer = training.GeneratorEnqueuer(generator=iter([1, 2]), pickle_safe=False)
    with pytest.warns(DeprecationWarning, match='workers=1, max_queue_size=2'):
        enqueuer.start(nb_worker=1, max_q_size=2)
    assert next(enqueuer.get()) == 1
    enqueuer.stop()


@pytest.mark.on('numpy')
@pytest.mark.parametrize('lengths', [(4, 1), (1, 4)])
def test_inputs_of_one_predicted_batch_may_differ_in_length(lengths):
    a, b = keras.layers.Input((2,)), keras.layers.Input((2,))
    model = keras.Model([a, b], [keras.layers.Dense(1, kernel_initializer='ones')(x) for x in (a, b)])
    first, second = model.predict_on_batch([np.ones((lengths[0], 2)), np.full((lengths[1], 2), 2.0)])
    assert first.tolist() == [[2.0]] * lengths[0] and second.tolist() == [[4.0]] * lengths[1]


@pytest.mark.on('numpy')
def test_a_model_is_compiled_again_by_its_own_attributes():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    assert model.weighted_metrics is None
    model.compile('sgd', 'mse', metrics=['mae'], weighted_metrics=['mse'], loss_weights=[2.0])
    before = model.evaluate(np.ones((3, 2)), np.ones((3, 1)), verbose=0)
    model.compile(model.optimizer, loss=model.loss, metrics=['mae'], loss_weights=model.loss_weights,
                  sample_weight_mode=model.sample_weight_mode, weighted_metrics=model.weighted_metrics)
    assert model.weighted_metrics == ['mse'] and model.metrics_names == ['loss', 'mae', 'mse']
    np.testing.assert_allclose(model.evaluate(np.ones((3, 2)), np.ones((3, 1)), verbose=0), before, rtol=1e-6)
