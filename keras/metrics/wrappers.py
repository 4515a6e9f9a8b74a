"""Metrics that are the mean of a function of targets and predictions."""
import numpy as np

from keras import losses, ops
from keras.backend.table.composites.shape import shape
from keras.generations import Default
from keras.losses import broadcast_weights
from keras.metrics import functions
from keras.metrics.base import Mean, MeanMetricWrapper


class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets.

    Example:
        >>> float(keras.metrics.Accuracy()([1, 2], [1, 3]))
        0.5
    """

    def __init__(self, name='accuracy', dtype=None):
        super().__init__(functions.accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions are on the right side of the threshold, see `binary_accuracy`.

    Example:
        >>> float(keras.metrics.BinaryAccuracy()([[0.0, 1.0]], [[0.2, 0.3]]))
        0.5
    """

    def __init__(self, name='binary_accuracy', dtype=None, threshold=0.5):
        super().__init__(functions.binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the most probable class is the true one; targets are one-hot.

    Example:
        >>> float(keras.metrics.CategoricalAccuracy()([[0.0, 1.0]], [[0.4, 0.6]]))
        1.0
    """

    def __init__(self, name='categorical_accuracy', dtype=None):
        super().__init__(functions.categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the most probable class is the true one; targets are class numbers.

    Example:
        >>> float(keras.metrics.SparseCategoricalAccuracy()([1], [[0.4, 0.6]]))
        1.0
    """

    def __init__(self, name='sparse_categorical_accuracy', dtype=None):
        super().__init__(functions.sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the true class is among the `k` most probable; targets are one-hot.

    Example:
        >>> float(keras.metrics.TopKCategoricalAccuracy(k=2)([[0.0, 1.0, 0.0]], [[0.5, 0.4, 0.1]]))
        1.0
    """

    def __init__(self, k=5, name='top_k_categorical_accuracy', dtype=None):
        super().__init__(functions.top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the true class is among the `k` most probable; targets are class numbers.

    Example:
        >>> float(keras.metrics.SparseTopKCategoricalAccuracy(k=2)([1], [[0.5, 0.4, 0.1]]))
        1.0
    """

    def __init__(self, k=5, name='sparse_top_k_categorical_accuracy', dtype=None, from_sorted_ids=False):
        super().__init__(functions.sparse_top_k_categorical_accuracy, name, dtype, k=k,
                         from_sorted_ids=from_sorted_ids)


class MeanSquaredError(MeanMetricWrapper):
    """The mean of `keras.losses.mean_squared_error`.

    Example:
        >>> float(keras.metrics.MeanSquaredError()([[0.0, 2.0]], [[1.0, 2.0]]))
        0.5
    """

    def __init__(self, name='mean_squared_error', dtype=None):
        super().__init__(losses.mean_squared_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The square root of the mean squared difference.

    Example:
        >>> float(keras.metrics.RootMeanSquaredError()([[0.0, 0.0]], [[1.0, 1.0]]))
        1.0
    """

    def __init__(self, name='root_mean_squared_error', dtype=None):
        super().__init__(name, dtype)

    def contribution(self, y_true, y_pred, sample_weight=None):
        """What a batch adds to the sum of squares and to the count, see `Reduce.contribution`."""
        y_true, y_pred = losses.same_rank(y_true, y_pred)
        return super().contribution(ops.square(ops.subtract(y_pred, y_true)), sample_weight)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true, y_pred: targets and predictions. sample_weight: one weight per sample, or None.
        """
        self.add_to_mean(*self.contribution(y_true, y_pred, sample_weight))

    def result(self):
        return ops.sqrt(super().result())


class MeanRelativeError(Mean):
    """The mean of `|y_true - y_pred| / normalizer`; where the normalizer is 0, 0 counts.

    Args:
        normalizer: what to divide by, of the shape of the predictions or one that broadcasts to it.
        name, dtype: see `Metric`.

    Example:
        >>> float(keras.metrics.MeanRelativeError([1.0, 4.0])([1.0, 2.0], [2.0, 4.0]))
        0.75
    """

    def __init__(self, normalizer, name=None, dtype=None):
        super().__init__(name or 'mean_relative_error', dtype)
        name = self.name
        self.declare(locals())
        self.normalizer = np.asarray(normalizer, self.dtype)

    def contribution(self, y_true, y_pred, sample_weight=None):
        """What a batch adds to the sum of errors and to the count, see `Reduce.contribution`."""
        y_true, y_pred = losses.same_rank(ops.cast(y_true, self.dtype), ops.cast(y_pred, self.dtype))
        errors = ops.divide_no_nan(ops.abs(ops.subtract(y_true, y_pred)), self.normalizer)
        return super().contribution(errors, sample_weight)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true, y_pred: targets and predictions. sample_weight: weights that broadcast to them, or None.
        """
        self.add_to_mean(*self.contribution(y_true, y_pred, sample_weight))

    def get_config(self):
        return dict(super().get_config(), normalizer=self.normalizer.tolist())


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of `keras.losses.mean_absolute_error`.

    Example:
        >>> float(keras.metrics.MeanAbsoluteError()([[0.0, 2.0]], [[1.0, 2.0]]))
        0.5
    """

    def __init__(self, name='mean_absolute_error', dtype=None):
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of `keras.losses.mean_absolute_percentage_error`.

    Example:
        >>> float(keras.metrics.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
        25.0
    """

    def __init__(self, name='mean_absolute_percentage_error', dtype=None):
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of `keras.losses.mean_squared_logarithmic_error`.

    Example:
        >>> float(keras.metrics.MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
        0.0
    """

    def __init__(self, name='mean_squared_logarithmic_error', dtype=None):
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine between targets and predictions along `axis`.

    Example:
        >>> float(keras.metrics.CosineSimilarity()([[3.0, 0.0]], [[1.0, 0.0]]))
        1.0
    """

    later = ()

    def __init__(self, name='cosine_similarity', dtype=None, axis=-1):
        super().__init__(losses.cosine_of_angle, name, dtype, axis=axis)


class LogCoshError(MeanMetricWrapper):
    """The mean of `keras.losses.logcosh`.

    Example:
        >>> float(keras.metrics.LogCoshError()([[1.0]], [[1.0]]))
        0.0
    """

    def __init__(self, name='logcosh', dtype=None):
        super().__init__(losses.logcosh, name, dtype)


class Poisson(MeanMetricWrapper):
    """The mean of `keras.losses.poisson`.

    Example:
        >>> round(float(keras.metrics.Poisson()([[1.0]], [[1.0]])), 4)
        1.0
    """

    def __init__(self, name='poisson', dtype=None):
        super().__init__(losses.poisson, name, dtype)


class KLDivergence(MeanMetricWrapper):
    """The mean of `keras.losses.kullback_leibler_divergence`.

    Example:
        >>> float(keras.metrics.KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
        0.0
    """

    def __init__(self, name=Default('KLDivergence.name'), dtype=None):
        super().__init__(losses.kullback_leibler_divergence, name, dtype)


class Hinge(MeanMetricWrapper):
    """The mean of `keras.losses.hinge`.

    Example:
        >>> float(keras.metrics.Hinge()([[1.0, -1.0]], [[0.5, -2.0]]))
        0.25
    """

    def __init__(self, name='hinge', dtype=None):
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """The mean of `keras.losses.squared_hinge`.

    Example:
        >>> float(keras.metrics.SquaredHinge()([[1.0, -1.0]], [[0.5, -2.0]]))
        0.125
    """

    def __init__(self, name='squared_hinge', dtype=None):
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """The mean of `keras.losses.categorical_hinge`.

    Example:
        >>> float(keras.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.5]]))
        0.75
    """

    def __init__(self, name='categorical_hinge', dtype=None):
        super().__init__(losses.categorical_hinge, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `keras.losses.binary_crossentropy`.

    Example:
        >>> round(float(keras.metrics.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
        0.693
    """

    def __init__(self, name='binary_crossentropy', dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(losses.binary_crossentropy, name, dtype, from_logits=from_logits,
                         label_smoothing=label_smoothing)


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `keras.losses.categorical_crossentropy`.

    Example:
        >>> round(float(keras.metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 3)
        0.693
    """

    def __init__(self, name='categorical_crossentropy', dtype=None, from_logits=False, label_smoothing=0, axis=-1):
        super().__init__(losses.categorical_crossentropy, name, dtype, from_logits=from_logits,
                         label_smoothing=label_smoothing, axis=axis)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `keras.losses.sparse_categorical_crossentropy`.

    Example:
        >>> round(float(keras.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 3)
        0.693
    """

    later = ('ignore_class',)

    def __init__(self, name='sparse_categorical_crossentropy', dtype=None, from_logits=False, axis=-1,
                 ignore_class=None):
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, from_logits=from_logits, axis=axis,
                         ignore_class=ignore_class)

    def contribution(self, y_true, y_pred, sample_weight=None):
        """What a batch adds to the sum and to the count; among weights, those of `ignore_class` are 0."""
        if sample_weight is None or self.ignore_class is None:
            return super().contribution(y_true, y_pred, sample_weight)
        values = self.values(y_true, y_pred)
        kept = ops.reshape(ops.not_equal(y_true, int(self.ignore_class)), shape(values))
        weights = broadcast_weights(values, ops.cast(sample_weight, self.dtype))
        return Mean.contribution(self, values, ops.multiply(weights, ops.cast(kept, self.dtype)))
