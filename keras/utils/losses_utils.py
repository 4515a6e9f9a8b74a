"""Losses: weights and reductions, under Keras 2's names."""
from keras import backend as K
from keras.losses import Reduction, broadcast_weights, reduce_values


def _drops(one, other):
    """Whether `one` has the rank of `other` and an axis of size 1 behind."""
    return K.ndim(one) - K.ndim(other) == 1 and K.int_shape(one)[-1] == 1


def squeeze_or_expand_dimensions(y_pred, y_true=None, sample_weight=None):
    """Predictions, targets and weights with axes of size 1 dropped or added at the end, so that their ranks agree.

    Args:
        y_pred: tensor. y_true: tensor or None. sample_weight: tensor or None.

    Returns:
        (y_pred, y_true), with sample_weight as a third where it is given.
    """
    if y_true is not None:
        if _drops(y_pred, y_true):
            y_pred = K.squeeze(y_pred, -1)
        elif _drops(y_true, y_pred):
            y_true = K.squeeze(y_true, -1)
    if sample_weight is None:
        return y_pred, y_true
    if K.ndim(sample_weight) and _drops(sample_weight, y_pred):
        sample_weight = K.squeeze(sample_weight, -1)
    elif K.ndim(sample_weight) and K.ndim(y_pred) - K.ndim(sample_weight) == 1:
        sample_weight = K.expand_dims(sample_weight, -1)
    return y_pred, y_true, sample_weight


def compute_weighted_loss(losses, sample_weight=None, reduction=Reduction.SUM_OVER_BATCH_SIZE, name=None):
    """Losses times weights, reduced.

    Args:
        losses: tensor. sample_weight: a number or tensor that fits `losses` from the first axis on, or None.
        reduction: 'none', 'sum' or 'sum_over_batch_size'. name: accepted for older scripts.

    Raises:
        ValueError: for another reduction.
    """
    Reduction.validate(reduction)
    if sample_weight is not None and not K.is_tensor(sample_weight):
        sample_weight = K.cast_to_floatx(sample_weight)
    return reduce_values(losses, sample_weight, reduction)


def reduce_weighted_loss(weighted_losses, reduction=Reduction.SUM_OVER_BATCH_SIZE):
    """Losses that are weighted already, reduced."""
    return compute_weighted_loss(weighted_losses, None, reduction)
