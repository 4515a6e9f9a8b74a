"""Metrics of right and wrong decisions, under Keras 2's names."""
import enum

import numpy as np

from keras import backend as K
from keras import ops
from keras.losses import Reduction
from keras.utils.generic_utils import to_list
from keras.utils.losses_utils import squeeze_or_expand_dimensions

NEG_INF = -1e10


class AUCCurve(str, enum.Enum):
    """What an area lies under; `AUC.curve` is the word alone, which equals the member."""
    ROC = 'ROC'
    PR = 'PR'


class AUCSummationMethod(str, enum.Enum):
    """How an area is added up."""
    INTERPOLATION = 'interpolation'
    MAJORING = 'majoring'
    MINORING = 'minoring'


class ConfusionMatrix(enum.Enum):
    """What a decision may be."""
    TRUE_POSITIVES = 'tp'
    FALSE_POSITIVES = 'fp'
    TRUE_NEGATIVES = 'tn'
    FALSE_NEGATIVES = 'fn'


def assert_thresholds_range(thresholds):
    """Refuse thresholds outside of 0 to 1.

    Raises:
        ValueError: naming them.
    """
    invalid = [threshold for threshold in thresholds or () if threshold is None or not 0 <= threshold <= 1]
    if invalid:
        raise ValueError('Threshold values must be in [0, 1]. Invalid values: %s' % invalid)


def parse_init_thresholds(thresholds, default_threshold=0.5):
    """A list of thresholds, from a number, a list, or None for the default.

    Raises:
        ValueError: if they are not between 0 and 1.
    """
    if thresholds is not None:
        assert_thresholds_range(to_list(thresholds))
    return to_list(default_threshold if thresholds is None else thresholds)


def filter_top_k(x, k):
    """`x` with all but its `k` greatest entries along the last axis replaced by a large negative number.

    Args:
        x: tensor. k: how many.
    """
    _, chosen = ops.top_k(x, k)
    mask = K.sum(K.one_hot(chosen, K.int_shape(x)[-1]), axis=-2)
    return x * mask + NEG_INF * (1 - mask)


def update_state_wrapper(update_state_fn):
    """A decorator that `update_state` needed in Keras 2; here updates count as they are made."""
    return update_state_fn


def result_wrapper(result_fn):
    """A decorator that `result` needed in Keras 2; here it changes nothing."""
    return result_fn


def weighted_assign_add(label, pred, weights, var):
    """An update that adds to `var` how often `label` and `pred` both hold, per row.

    Args:
        label, pred: boolean tensors (thresholds, samples). weights: tensor of the same shape, or None.
        var: variable (thresholds,).
    """
    both = K.cast(label, 'float32') * K.cast(pred, 'float32')
    return K.update_add(var, K.cast(K.sum(both if weights is None else both * weights, axis=1), K.dtype(var)))


def update_confusion_matrix_variables(variables_to_update, y_true, y_pred, thresholds=0.5, top_k=None, class_id=None,
                                      sample_weight=None):
    """Updates that count the decisions of a batch.

    Args:
        variables_to_update: {ConfusionMatrix: variable of shape (thresholds,)}. y_true: tensor of 0 and 1.
        y_pred: tensor of the same shape, from 0 to 1. thresholds: a number or list; what is greater counts as positive.
        top_k: only the `top_k` greatest predictions of each sample count as positive, whatever the threshold.
        class_id: only this entry of the last axis counts. sample_weight: tensor that fits `y_pred` from the first axis
            on, or None.

    Returns:
        List of updates; where code of layers and steps runs, they have happened.

    Raises:
        ValueError: if there is nothing to update.
    """
    known = {key: variable for key, variable in (variables_to_update or {}).items() if key in list(ConfusionMatrix)}
    if not known:
        raise ValueError('Please provide at least one valid confusion matrix variable to update. Valid variable key '
                         'options are: %s. Received: %s' % (list(ConfusionMatrix), list(variables_to_update or {})))
    y_true, y_pred = K.cast(y_true, 'float32'), K.cast(y_pred, 'float32')
    if sample_weight is None:
        y_pred, y_true = squeeze_or_expand_dimensions(y_pred, y_true)
    else:
        y_pred, y_true, sample_weight = squeeze_or_expand_dimensions(y_pred, y_true, K.cast(sample_weight, 'float32'))
    if top_k is not None:
        y_pred = filter_top_k(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
        if sample_weight is not None and K.ndim(sample_weight) > K.ndim(y_pred):
            sample_weight = K.squeeze(sample_weight, -1)

    weights = None if sample_weight is None else K.reshape(K.ones_like(y_pred) * sample_weight, (1, -1))
    levels = K.constant(np.reshape(to_list(thresholds, allow_tuple=True), (-1, 1)))
    positive = K.reshape(y_pred, (1, -1)) > levels
    label = K.reshape(y_true, (1, -1)) + 0 * levels > 0.5
    no, negative = K.equal(K.cast(label, 'float32'), 0.0), K.equal(K.cast(positive, 'float32'), 0.0)
    cases = {ConfusionMatrix.TRUE_POSITIVES: (label, positive), ConfusionMatrix.FALSE_POSITIVES: (no, positive),
             ConfusionMatrix.TRUE_NEGATIVES: (no, negative), ConfusionMatrix.FALSE_NEGATIVES: (label, negative)}
    return [weighted_assign_add(*cases[key], weights=weights, var=variable) for key, variable in known.items()]
