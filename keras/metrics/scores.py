"""Scores of whole data sets: F-beta, the coefficient of determination, and correlations."""
from keras import config, ops
from keras.backend.table.composites.shape import shape, static_shape
from keras.losses import broadcast_weights
from keras.metrics.base import MeanMetricWrapper, Metric


def _columns(metric, y_true, y_pred):
    """The number of columns of targets and predictions: with other axes the sums of the metric would be others."""
    of_true, of_pred = static_shape(y_true), static_shape(y_pred)
    if len(of_pred) != 2 or len(of_true) != 2:
        raise ValueError('%s expects 2D inputs with shape (batch_size, output_dim). Received input shapes: '
                         'y_pred.shape=%s and y_true.shape=%s.' % (type(metric).__name__, of_pred, of_true))
    if of_pred[-1] is None and of_true[-1] is None:
        raise ValueError('%s expects 2D inputs with shape (batch_size, output_dim), with output_dim fully defined (not '
                         'None). Received input shapes: y_pred.shape=%s and y_true.shape=%s.'
                         % (type(metric).__name__, of_pred, of_true))
    return of_true[-1] if of_pred[-1] is None else of_pred[-1]


class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall of each class: van Rijsbergen (1979).

    Args:
        average: None for one value per class; 'micro' counts over all classes at once; 'macro' is the mean over
            classes, 'weighted' that with the number of targets of each class as weights.
        beta: how many times as much recall counts as precision.
        threshold: predictions above it are positive; default the largest along the last axis.
        name, dtype: see `Metric`.

    Targets and predictions have shape (samples, classes).

    Raises:
        ValueError: for an unknown average, or a beta or threshold that is not positive.

    Example:
        >>> y_true, y_pred = [[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]]
        >>> round(float(keras.metrics.FBetaScore(average='micro')(y_true, y_pred)), 3)
        0.5
    """

    AVERAGES = (None, 'micro', 'macro', 'weighted')

    def __init__(self, average=None, beta=1.0, threshold=None, name='fbeta_score', dtype=None):
        super().__init__(name=name, dtype=dtype)
        if average not in self.AVERAGES:
            raise ValueError("%s: Invalid `average` argument value. Expected one of: {None, 'micro', 'macro', "
                             "'weighted'}. Received: average=%s" % (type(self).__name__, average))
        if not isinstance(beta, float):
            raise ValueError('%s: Invalid `beta` argument value. It should be a Python float. Received: beta=%s of '
                             "type '%s'" % (type(self).__name__, beta, type(beta)))
        if beta <= 0:
            raise ValueError('%s: Invalid `beta` argument value. It should be > 0. Received: beta=%s'
                             % (type(self).__name__, beta))
        if threshold is not None and not isinstance(threshold, float):
            raise ValueError('%s: Invalid `threshold` argument value. It should be a Python float. Received: '
                             "threshold=%s of type '%s'" % (type(self).__name__, threshold, type(threshold)))
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError('%s: Invalid `threshold` argument value. It should verify 0 < threshold <= 1. Received: '
                             'threshold=%s' % (type(self).__name__, threshold))
        self.declare(locals())
        self.built = False

    def _build(self, classes):
        size = () if self.average == 'micro' else (classes,)
        self.true_positives = self.add_weight('true_positives', size, dtype=self.dtype)
        self.false_positives = self.add_weight('false_positives', size, dtype=self.dtype)
        self.false_negatives = self.add_weight('false_negatives', size, dtype=self.dtype)
        self.intermediate_weights = self.add_weight('intermediate_weights', size, dtype=self.dtype)
        self.built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch.

        Args:
            y_true, y_pred: of shape (samples, classes). sample_weight: one weight per sample, or None.
        """
        columns = _columns(self, y_true, y_pred)
        if not self.built:
            self._build(columns)
        y_true, y_pred = ops.cast(y_true, self.dtype), ops.cast(y_pred, self.dtype)
        if self.threshold is None:
            decided = ops.logical_and(ops.greater_equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True)),
                                      ops.greater(ops.abs(y_pred), 1e-9))
        else:
            decided = ops.greater(y_pred, float(self.threshold))
        decided = ops.cast(decided, self.dtype)
        weights = 1.0 if sample_weight is None else broadcast_weights(y_pred, ops.cast(sample_weight, self.dtype))
        axis = None if self.average == 'micro' else 0
        for slot, counted in ((self.true_positives, decided * y_true), (self.false_positives, decided * (1.0 - y_true)),
                              (self.false_negatives, (1.0 - decided) * y_true), (self.intermediate_weights, y_true)):
            slot.assign_add(ops.sum(counted * weights, axis=axis))

    def result(self):
        right = self.true_positives.value
        precision = ops.divide_no_nan(right, right + self.false_positives.value)
        recall = ops.divide_no_nan(right, right + self.false_negatives.value)
        square = float(self.beta) ** 2
        score = ops.divide_no_nan(precision * recall * (1.0 + square), precision * square + recall)
        if self.average == 'macro':
            return ops.mean(score)
        if self.average == 'weighted':
            support = self.intermediate_weights.value
            return ops.divide_no_nan(ops.sum(score * support), ops.sum(support))
        return score


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall: `FBetaScore` with beta 1.

    Args:
        average, threshold, name, dtype: see `FBetaScore`.

    Example:
        >>> y_true, y_pred = [[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]]
        >>> round(float(keras.metrics.F1Score(average='micro')(y_true, y_pred)), 3)
        0.5
    """

    def __init__(self, average=None, threshold=None, name='f1_score', dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)
        self.declare(locals())


class R2Score(Metric):
    """The coefficient of determination: 1 less the share of the targets' variance that predictions leave.

    Args:
        class_aggregation: 'uniform_average', 'variance_weighted_average', or None for one value per column.
        num_regressors: number of inputs of the regression, for the adjusted score; 0 for the plain one. Every
            column of a sample counts as an observation, as upstream has it.
        name, dtype: see `Metric`.

    Targets and predictions have shape (samples, columns), anything else is a ValueError.

    Raises:
        ValueError: for an unknown aggregation or a negative number.

    Example:
        >>> round(float(keras.metrics.R2Score()([[1.0], [3.0], [2.0]], [[1.0], [3.0], [1.0]])), 2)
        0.5
    """

    AGGREGATIONS = (None, 'uniform_average', 'variance_weighted_average')

    def __init__(self, class_aggregation='uniform_average', num_regressors=0, name='r2_score', dtype=None):
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in self.AGGREGATIONS:
            raise ValueError('R2Score: Invalid value for argument `class_aggregation`. Expected one of %s. '
                             'Received: %r' % (self.AGGREGATIONS, class_aggregation))
        if num_regressors < 0:
            raise ValueError('R2Score: Invalid value for argument `num_regressors`. Expected a number >= 0. '
                             'Received: %r' % (num_regressors,))
        self.declare(locals())
        self.num_samples = self.add_weight('num_samples')
        self.built = False

    def _build(self, columns):
        self.weight = self.add_weight('weight', (columns,))
        self.total = self.add_weight('total', (columns,))
        self.squares = self.add_weight('squares', (columns,))
        self.residual = self.add_weight('residual', (columns,))
        self.built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true, y_pred: of shape (samples, columns). sample_weight: one weight per sample, or None.
        """
        columns = _columns(self, y_true, y_pred)
        if not self.built:
            self._build(columns)
        y_true, y_pred = ops.cast(y_true, self.dtype), ops.cast(y_pred, self.dtype)
        weights = ops.ones_like(y_true)
        if sample_weight is not None:
            weights = ops.broadcast_to(broadcast_weights(y_true, ops.cast(sample_weight, self.dtype)), shape(y_true))
        for slot, added in ((self.weight, weights), (self.total, y_true * weights),
                            (self.squares, ops.square(y_true) * weights),
                            (self.residual, ops.square(y_true - y_pred) * weights)):
            slot.assign_add(ops.sum(added, axis=0))
        self.num_samples.assign_add(ops.sum(ops.ones_like(y_true)))

    def result(self):
        total = self.total.value
        variance = self.squares.value - total * ops.divide_no_nan(total, self.weight.value)
        score = ops.where(ops.equal(variance, 0.0), 0.0, 1.0 - ops.divide_no_nan(self.residual.value, variance))
        if self.class_aggregation == 'uniform_average':
            score = ops.mean(score)
        elif self.class_aggregation == 'variance_weighted_average':
            score = ops.divide_no_nan(ops.sum(score * variance), ops.sum(variance))
        if not self.num_regressors:
            return score
        free = self.num_samples.value - (self.num_regressors + 1.0)
        adjusted = 1.0 - (1.0 - score) * (self.num_samples.value - 1.0) / ops.maximum(free, 1.0)
        return ops.where(ops.greater(free, 0.0), adjusted, score)


def pearson_correlation(y_true, y_pred, axis=-1):
    """The correlation of targets and predictions along `axis`: Pearson (1895).

    Example:
        >>> keras.metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])  # [1]
    """
    true, predicted = _centered(y_true, axis), _centered(y_pred, axis)
    sizes = ops.sum(ops.square(true), axis=axis) * ops.sum(ops.square(predicted), axis=axis)
    return ops.divide_no_nan(ops.sum(true * predicted, axis=axis), ops.sqrt(sizes))


def concordance_correlation(y_true, y_pred, axis=-1):
    """How near targets and predictions are to the line of equality along `axis`: Lin (1989).

    Example:
        >>> keras.metrics.concordance_correlation([[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]])  # [1]
    """
    true, predicted = _centered(y_true, axis), _centered(y_pred, axis)
    shift = ops.square(ops.subtract(ops.mean(y_true, axis=axis), ops.mean(y_pred, axis=axis)))
    spread = ops.mean(ops.square(true), axis=axis) + ops.mean(ops.square(predicted), axis=axis)
    return 2.0 * ops.mean(true * predicted, axis=axis) / (spread + shift + config.epsilon())


def _centered(x, axis):
    return ops.subtract(x, ops.mean(x, axis=axis, keepdims=True))


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation`.

    Example:
        >>> round(float(keras.metrics.PearsonCorrelation()([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])), 3)
        1.0
    """

    later = ()

    def __init__(self, name='pearson_correlation', dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation`.

    Example:
        >>> round(float(keras.metrics.ConcordanceCorrelation()([[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]])), 3)
        1.0
    """

    later = ()

    def __init__(self, name='concordance_correlation', dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
