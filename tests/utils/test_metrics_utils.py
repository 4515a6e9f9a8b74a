"""Helpers of losses and metrics under Keras 2's names; numbers were printed by Keras 2.3.1 on TensorFlow 1.15."""
import numpy as np
import pytest

from keras import backend as K
from keras.utils import losses_utils as L
from keras.utils import metrics_utils as M

LOSSES = [[1., 2., 3.], [4., 5., 6.]]


@pytest.mark.parametrize('weight, total', [
    (None, 21), (2., 42), ([1., 3.], 51), ([[1.], [0.]], 6), ([[1., 2., 0.], [0., 0., 1.]], 11)])
def test_weighted_losses(weight, total):
    weight = weight if weight is None or isinstance(weight, float) else K.constant(weight)
    assert K.eval(L.compute_weighted_loss(K.constant(LOSSES), weight, 'sum')) == total
    assert K.eval(L.compute_weighted_loss(K.constant(LOSSES), weight)) == pytest.approx(total / 6)
    assert K.eval(L.compute_weighted_loss(K.constant(LOSSES), weight, 'none')).sum() == total


def test_reduced_losses():
    assert K.eval(L.reduce_weighted_loss(K.constant(LOSSES), L.Reduction.SUM)) == 21
    with pytest.raises(ValueError, match="'most'"):
        L.reduce_weighted_loss(K.constant(LOSSES), 'most')
    assert M.Reduction is L.Reduction


@pytest.mark.parametrize('given, expected', [
    (((2, 1), (2,)), ((2,), (2,))), (((2,), (2, 1)), ((2,), (2,))), (((2, 3), (2,)), ((2, 3), (2,))),
    (((2, 1), (2,), (2,)), ((2,), (2,), (2,))), (((2, 3), (2, 3), (2,)), ((2, 3), (2, 3), (2, 1))),
    (((2,), (2,), (2, 1)), ((2,), (2,), (2,))), (((2, 1), None, (2,)), ((2, 1), None, (2, 1))),
    (((2, 3, 4), (2, 3, 4), (2, 3)), ((2, 3, 4), (2, 3, 4), (2, 3, 1))), (((2, 3), (2, 3), ()), ((2, 3), (2, 3), ()))])
def test_ranks(given, expected):
    tensors = [None if shape is None else K.constant(np.ones(shape)) for shape in given]
    found = L.squeeze_or_expand_dimensions(*tensors)
    assert tuple(None if tensor is None else K.int_shape(tensor) for tensor in found) == expected


def test_thresholds():
    assert M.parse_init_thresholds(None) == [0.5] and M.parse_init_thresholds(None, .3) == [.3]
    assert M.parse_init_thresholds(.2) == [.2] and M.parse_init_thresholds([.2, .3]) == [.2, .3]
    with pytest.raises(ValueError, match=r'must be in \[0, 1\]. Invalid values: .2, None.'):
        M.assert_thresholds_range([.5, 2, None])


def test_names():
    assert [curve.value for curve in M.AUCCurve] == ['ROC', 'PR']
    assert M.AUCSummationMethod('minoring') is M.AUCSummationMethod.MINORING
    assert [case.value for case in M.ConfusionMatrix] == ['tp', 'fp', 'tn', 'fn']


def test_the_greatest():
    found = K.eval(M.filter_top_k(K.constant([[1., 5., 3.], [4., 2., 9.]]), 2))
    np.testing.assert_array_equal(found, [[M.NEG_INF, 5, 3], [4, M.NEG_INF, 9]])


@pytest.mark.parametrize('arguments, expected', [
    ({}, ([4, 1], [2, 2], [2, 2], [0, 3])), ({'sample_weight': [1., 3.]}, ([8, 1], [4, 4], [4, 4], [0, 7])),
    ({'class_id': 1}, ([2, 1], [0, 0], [0, 0], [0, 1])), ({'top_k': 2}, ([2, 1], [2, 2], [2, 2], [2, 3]))])
def test_decisions_are_counted(arguments, expected):
    variables = {case: K.variable(np.zeros(2)) for case in M.ConfusionMatrix}
    y_true, y_pred = K.constant([[0, 1, 1, 0], [1, 1, 0, 0]]), K.constant([[.2, .9, .4, .7], [.3, .6, .8, .1]])
    arguments = {name: K.constant(value) if isinstance(value, list) else value for name, value in arguments.items()}
    updates = M.update_confusion_matrix_variables(variables, y_true, y_pred, thresholds=[.25, .65], **arguments)
    K.function([], [K.constant(0.)], updates=updates)([])
    for case, numbers in zip(M.ConfusionMatrix, expected):
        np.testing.assert_array_equal(K.get_value(variables[case]), numbers)


def test_nothing_to_count():
    with pytest.raises(ValueError, match='at least one valid confusion matrix variable'):
        M.update_confusion_matrix_variables({'tp': 1}, K.constant([1.]), K.constant([1.]))


def test_decorators():
    assert M.result_wrapper(len) is len and M.update_state_wrapper(len) is len
