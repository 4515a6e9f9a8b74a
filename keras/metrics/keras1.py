"""The metrics of Keras 1 for binary targets: each gives one number for the whole batch.

The numbers of `fit` and `evaluate` are means of them over the batches, which is why Keras 2 dropped them: the classes
`Precision`, `Recall` and `FBetaScore` count over all samples.
"""
from keras import config, ops


def _on(x):
    """`x` rounded to 0 or 1."""
    return ops.round(ops.clip(x, 0.0, 1.0))


def _share(part, whole):
    return ops.divide(part, ops.add(whole, config.epsilon()))


def precision(y_true, y_pred):
    """The share of true ones among the predicted ones.

    Example:
        >>> keras.metrics.precision([1.0, 0.0, 1.0], [0.9, 0.8, 0.1])  # 0.5
    """
    return _share(ops.sum(_on(ops.multiply(y_true, y_pred))), ops.sum(_on(y_pred)))


def recall(y_true, y_pred):
    """The share of predicted ones among the true ones.

    Example:
        >>> keras.metrics.recall([1.0, 0.0, 1.0], [0.9, 0.8, 0.1])  # 0.5
    """
    return _share(ops.sum(_on(ops.multiply(y_true, y_pred))), ops.sum(_on(y_true)))


def fbeta_score(y_true, y_pred, beta=1):
    """The weighted harmonic mean of precision and recall: recall counts `beta` times as much.

    Raises:
        ValueError: for a negative `beta`.

    Example:
        >>> keras.metrics.fbeta_score([1.0, 0.0, 1.0], [0.9, 0.8, 0.1], beta=2)  # 0.5
    """
    if beta < 0:
        raise ValueError('fbeta_score: `beta` must be at least 0. Received: %r' % (beta,))
    weight, p, r = float(beta) ** 2, precision(y_true, y_pred), recall(y_true, y_pred)
    # Without true ones both are 0, and so is the score.
    return _share((1 + weight) * p * r, weight * p + r)


def fmeasure(y_true, y_pred):
    """The harmonic mean of precision and recall.

    Example:
        >>> keras.metrics.fmeasure([1.0, 0.0, 1.0], [0.9, 0.8, 0.1])  # 0.5
    """
    return fbeta_score(y_true, y_pred, beta=1)


f1score = fscore = fmeasure


def matthews_correlation(y_true, y_pred):
    """The correlation between true and predicted ones, from -1 to 1 (Matthews, 1975).

    Example:
        >>> keras.metrics.matthews_correlation([1.0, 0.0, 1.0, 0.0], [0.9, 0.1, 0.8, 0.2])  # 1
    """
    found, true = _on(y_pred), _on(y_true)
    tp, tn = ops.sum(true * found), ops.sum((1.0 - true) * (1.0 - found))
    fp, fn = ops.sum((1.0 - true) * found), ops.sum(true * (1.0 - found))
    return _share(tp * tn - fp * fn, ops.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))
