"""Metrics as functions: `f(y_true, y_pred)` gives one value per sample."""
from keras import config, generations, ops
from keras.backend.table.composites.shape import ndim, static_shape
from keras.losses import cosine_of_angle


def accuracy(y_true, y_pred):
    """1 where target and prediction are equal, 0 elsewhere.

    Example:
        >>> keras.metrics.accuracy([1, 2], [1, 3])  # [1, 0]
    """
    return ops.cast(ops.equal(y_true, y_pred), config.floatx())


@generations.dependent
def binary_accuracy(y_true, y_pred, threshold=0.5):
    """The share, over the last axis, of predictions on the right side of the threshold; in Keras 3 for each element.

    Args:
        y_true: 0 or 1. y_pred: probabilities. threshold: above it a prediction counts as 1.

    Example:
        >>> keras.metrics.binary_accuracy([[0.0, 1.0]], [[0.2, 0.3]])  # [0.5]
    """
    predicted = ops.round(y_pred) if generations.value('accuracy_rounds_predictions') else \
        ops.greater(y_pred, float(threshold))
    right = accuracy(ops.cast(y_true, config.floatx()), ops.cast(predicted, config.floatx()))
    return right if generations.value('accuracy_of_elements') else ops.mean(right, axis=-1)


def categorical_accuracy(y_true, y_pred):
    """1 where the most probable class is the true one; targets are one-hot.

    Example:
        >>> keras.metrics.categorical_accuracy([[0.0, 1.0]], [[0.4, 0.6]])  # [1]
    """
    return ops.cast(ops.equal(ops.argmax(y_true, -1), ops.argmax(y_pred, -1)), config.floatx())


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where the most probable class is the true one; targets are class numbers.

    Args:
        y_true: class numbers, of the shape of the predictions without the last axis or with size 1 there.

    Example:
        >>> keras.metrics.sparse_categorical_accuracy([1], [[0.4, 0.6]])  # [1]
    """
    return ops.cast(ops.equal(_classes(y_true, y_pred), ops.argmax(y_pred, -1)), config.floatx())


def _classes(y_true, y_pred):
    """Class numbers (int32) without a last axis of size 1."""
    if ndim(y_true) == ndim(y_pred):
        y_true = ops.squeeze(y_true, -1)
    return ops.cast(y_true, 'int32')


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1 where the true class is among the `k` most probable; targets are one-hot.

    Example:
        >>> keras.metrics.top_k_categorical_accuracy([[0.0, 1.0, 0.0]], [[0.5, 0.4, 0.1]], k=2)  # [1]
    """
    return _in_top_k(ops.argmax(y_true, -1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """1 where the true class is among the `k` most probable; targets are class numbers.

    Args:
        from_sorted_ids: `y_pred` are class numbers, the most probable first.

    Example:
        >>> keras.metrics.sparse_top_k_categorical_accuracy([1], [[0.5, 0.4, 0.1]], k=2)  # [1]
    """
    classes = _classes(y_true, y_pred)
    if not from_sorted_ids:
        return _in_top_k(classes, y_pred, k)
    hits = ops.equal(ops.expand_dims(classes, -1), ops.cast(y_pred[..., :k], 'int32'))
    return ops.cast(ops.any(hits, axis=-1), config.floatx())


def _in_top_k(classes, y_pred, k):
    """1 where fewer than `k` predictions are above that of the class. NaN counts as above."""
    hot = ops.cast(ops.one_hot(classes, static_shape(y_pred)[-1], dtype='int32'), 'bool')
    score = ops.max(ops.where(hot, y_pred, -float('inf')), axis=-1, keepdims=True)
    above = ops.logical_not(ops.less_equal(y_pred, score))
    return ops.cast(ops.less(ops.sum(ops.cast(above, 'int32'), axis=-1), int(k)), config.floatx())


@generations.dependent
def cosine_similarity(y_true, y_pred, axis=-1):
    """The cosine of the angle between targets and predictions along `axis`; as a loss, and in Keras 1, it is negative.

    Example:
        >>> keras.metrics.cosine_similarity([[3.0, 0.0]], [[1.0, 0.0]])  # [1]
    """
    found = cosine_of_angle(y_true, y_pred, axis)
    return ops.negative(found) if generations.value('cosine_is_mean_of_products') else found


cosine = cosine_proximity = cosine_similarity
