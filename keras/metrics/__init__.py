"""Metrics: functions of targets and predictions, and objects that gather them over batches."""
import inspect

from keras.losses import (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    categorical_hinge, hinge, huber, kl_divergence,
    kullback_leibler_divergence, log_cosh, logcosh, mean_absolute_error, mean_absolute_percentage_error,
    mean_squared_error, mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge)
from keras.metrics.base import (
    Mean, MeanMetricWrapper, Metric, Reduce, Sum, clone_metric, clone_metrics)
from keras.metrics.confusion import (
    AUC, FalseNegatives, FalsePositives, Precision, PrecisionAtRecall, Recall, RecallAtPrecision,
    SensitivityAtSpecificity, SensitivitySpecificityBase, SpecificityAtSensitivity, TrueNegatives, TruePositives)
from keras.metrics.functions import (
    accuracy, binary_accuracy, categorical_accuracy, cosine, cosine_proximity, cosine_similarity,
    sparse_categorical_accuracy, sparse_top_k_categorical_accuracy, top_k_categorical_accuracy)
from keras.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from keras.metrics.scores import (
    ConcordanceCorrelation, F1Score, FBetaScore, PearsonCorrelation, R2Score, concordance_correlation,
    pearson_correlation)
from keras.metrics.wrappers import (
    Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy, CategoricalHinge,
    CosineSimilarity, Hinge, KLDivergence, LogCoshError, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredError, MeanSquaredLogarithmicError, Poisson, RootMeanSquaredError, SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, SquaredHinge, TopKCategoricalAccuracy)
from keras.saving.serialization import deserialize_keras_object, serialize_keras_object

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
acc = accuracy


def _is_metric(value):
    if inspect.isclass(value):
        return issubclass(value, Metric)
    return inspect.isfunction(value) and 'y_pred' in inspect.signature(value).parameters


_OBJECTS = {name: value for name, value in list(globals().items()) if _is_metric(value)}


def serialize(metric):
    """The name of a metric function, or the config of a metric object."""
    return serialize_keras_object(metric)


def deserialize(config, custom_objects=None):
    """The metric that a config or a name stands for.

    Raises:
        ValueError: for an unknown name, naming those that come near.
    """
    return deserialize_keras_object(config, module_objects=_OBJECTS, custom_objects=custom_objects,
                                    printable_module_name='metric function')


def get(identifier):
    """The metric for a name, a config, a class, a function or a metric object; None stays None.

    Raises:
        ValueError: for anything else.

    Example:
        >>> keras.metrics.get('mse') is keras.metrics.mean_squared_error
        True
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if inspect.isclass(identifier) and issubclass(identifier, Metric):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError('Could not interpret metric: %r. Expected a name such as "accuracy", a config, a function of '
                     '(y_true, y_pred) or a Metric.' % (identifier,))
