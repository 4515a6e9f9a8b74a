"""Metrics: functions of targets and predictions, and objects that gather them over batches."""
from keras import generations
from keras.losses import (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    categorical_hinge, hinge, huber, kl_divergence,
    kullback_leibler_divergence, log_cosh, logcosh, mean_absolute_error, mean_absolute_percentage_error,
    mean_squared_error, mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge)
from keras.metrics.base import (
    Mean, MeanMetricWrapper, MeanTensor, Metric, Reduce, Sum, clone_metric, clone_metrics, snake_case)
from keras.metrics.confusion import (
    AUC, FalseNegatives, FalsePositives, Precision, PrecisionAtRecall, Recall, RecallAtPrecision,
    SensitivityAtSpecificity, SensitivitySpecificityBase, SpecificityAtSensitivity, TrueNegatives, TruePositives)
from keras.metrics.functions import (
    accuracy, binary_accuracy, categorical_accuracy, cosine, cosine_proximity, cosine_similarity,
    sparse_categorical_accuracy, sparse_top_k_categorical_accuracy, top_k_categorical_accuracy)
from keras.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from keras.metrics.keras1 import (
    f1score, fbeta_score, fmeasure, fscore, matthews_correlation, precision, recall)
from keras.metrics.scores import (
    ConcordanceCorrelation, F1Score, FBetaScore, PearsonCorrelation, R2Score, concordance_correlation,
    pearson_correlation)
from keras.metrics.wrappers import (
    Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy, CategoricalHinge,
    CosineSimilarity, Hinge, KLDivergence, LogCoshError, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanRelativeError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson, RootMeanSquaredError,
    SparseCategoricalAccuracy, SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, SquaredHinge,
    TopKCategoricalAccuracy)
from keras.saving.kinds import Kind, deserialize_keras_object, serialize_keras_object  # noqa: F401

bce = BCE = binary_crossentropy
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence
acc = accuracy


_ALIASES = {'bce': BinaryCrossentropy, 'mse': MeanSquaredError, 'mae': MeanAbsoluteError,
            'mape': MeanAbsolutePercentageError, 'msle': MeanSquaredLogarithmicError}
_ALIASES.update({name.upper(): metric for name, metric in _ALIASES.items()})


def _by_name(name):
    """The class that a name stands for in Keras 3, where in the others it is a function that has it."""
    return _CLASSES.get(name) if generations.value('names_are_metric_classes') else None


_KIND = Kind('metric function', Metric, functions=('y_true', 'y_pred'), home=__name__, by_name=_by_name,
             expected='a name such as "accuracy", a config, a function of (y_true, y_pred) or a Metric')
_KIND.enter_public(globals(), also='clone_metric clone_metrics serialize_keras_object')
_CLASSES = dict({snake_case(name): metric for name, metric in _KIND.objects.items() if isinstance(metric, type)},
                **_ALIASES)
get, serialize, deserialize = _KIND.module_functions(
    'metric', example=">>> keras.metrics.get('mse') is keras.metrics.mean_squared_error\nTrue")
