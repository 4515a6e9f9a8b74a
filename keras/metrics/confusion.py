"""Metrics that count right and wrong decisions at one or more thresholds."""
import numpy as np

from keras import ops
from keras.backend.table.composites.shape import shape, static_shape
from keras.backend.table.primitives import scatter_add
from keras.losses import broadcast_weights, same_rank
from keras.metrics.base import Metric
from keras.saving import forms


# --- counting -----------------------------------------------------------------------------------------------------

def decision_counts(y_true, y_pred, thresholds, sample_weight=None, top_k=None, class_id=None):
    """The (weighted) numbers of right and wrong decisions for each threshold.

    A prediction above the threshold decides for the class. The thresholds are counted at once: every prediction
    goes into the bin between the thresholds around it, and the counts are sums over bins.

    Args:
        y_true: targets, not 0 where the class is right. y_pred: predictions, any shape.
        thresholds: rising list of floats. sample_weight: weights that broadcast to the predictions, or None.
        top_k: only the `top_k` largest predictions along the last axis decide for their class.
        class_id: look at this class along the last axis only.

    Returns:
        True positives, false positives, true negatives and false negatives, each of shape (len(thresholds),).
    """
    y_true, y_pred = same_rank(ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred))
    y_pred = ops.cast(y_pred, 'float32')
    if top_k is not None:
        y_pred = _only_top_k(y_pred, top_k)
    if class_id is not None:
        if len(static_shape(y_pred)) < 2:
            raise ValueError('When class_id is provided, y_pred must be a 2D array with shape (num_samples, '
                             'num_classes), found shape: %s' % (static_shape(y_pred),))
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    positive = ops.cast(ops.cast(y_true, 'bool'), 'float32')
    weights = ops.ones_like(y_pred)
    if sample_weight is not None:
        weights = ops.broadcast_to(broadcast_weights(y_pred, ops.cast(sample_weight, 'float32')), shape(y_pred))
    positive = ops.broadcast_to(positive, shape(y_pred))
    y_pred, positive, weights = [ops.reshape(x, (-1,)) for x in (y_pred, positive, weights)]
    limits = ops.convert_to_tensor(np.asarray(thresholds, 'float32'))
    bins = ops.searchsorted(limits, y_pred)
    positives = _above(bins, weights * positive, len(thresholds))
    negatives = _above(bins, weights * (1.0 - positive), len(thresholds))
    true_positive, false_positive = positives[1:], negatives[1:]
    return true_positive, false_positive, negatives[:1] - false_positive, positives[:1] - true_positive


def _only_top_k(y_pred, k):
    """The predictions with all but the `k` largest along the last axis made minus infinity (a large number).

    Of equal ones those that stand first count as larger.
    """
    last = ops.top_k(y_pred, k)[0][..., -1:]
    above, ties = ops.greater(y_pred, last), ops.cast(ops.equal(y_pred, last), 'int32')
    room = k - ops.sum(ops.cast(above, 'int32'), axis=-1, keepdims=True)
    taken = ops.logical_and(ops.cast(ties, 'bool'), ops.less_equal(ops.cumsum(ties, axis=-1), room))
    return ops.where(ops.logical_or(above, taken), y_pred, LOWEST)


LOWEST = -1e10


def _above(bins, weights, count):
    """For each number n from 0 to `count`, the weights in bins from n on."""
    histogram = scatter_add(ops.zeros((count + 1,), 'float32'), bins, weights)
    return ops.flip(ops.cumsum(ops.flip(histogram, (0,)), 0), (0,))


def checked_thresholds(thresholds, default):
    """The thresholds as a list.

    Raises:
        ValueError: for one outside [0, 1].
    """
    if thresholds is None:
        return [default]
    found = [thresholds] if isinstance(thresholds, (int, float)) else list(thresholds)
    wrong = [threshold for threshold in found if threshold is None or not 0 <= threshold <= 1]
    if wrong:
        raise ValueError('Threshold values must be in [0, 1]. Received: %r' % (wrong,))
    return found


def _sorted_counts(thresholds, *args):
    """`decision_counts` for thresholds in any order, in that order."""
    order = np.argsort(thresholds, kind='stable')
    counts = decision_counts(args[0], args[1], [thresholds[place] for place in order], *args[2:])
    if list(order) == sorted(order):
        return counts
    back = np.argsort(order, kind='stable').astype('int32')
    return [ops.take(count, back, axis=0) for count in counts]


# --- counts as metrics ----------------------------------------------------------------------------------------------

class _DecisionCount(Metric):
    """The number of decisions of one kind, for each threshold.

    Args:
        thresholds: a float or a list of them in [0, 1], default 0.5. name, dtype: see `Metric`.
    """

    kept_as = {'thresholds': 'init_thresholds'}
    kind = None

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.declare(locals())
        self.thresholds = checked_thresholds(thresholds, 0.5)
        self.accumulator = self.add_weight('accumulator', (len(self.thresholds),))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch.

        Args:
            y_true, y_pred: targets and predictions of one shape. sample_weight: weights, or None.
        """
        counts = _sorted_counts(self.thresholds, y_true, y_pred, sample_weight)
        self.accumulator.assign_add(ops.cast(counts[self.kind], self.dtype))

    def result(self):
        value = self.accumulator.value
        return value[0] if len(self.thresholds) == 1 else value


class TruePositives(_DecisionCount):
    """The number of positive predictions whose target is 1.

    Example:
        >>> float(keras.metrics.TruePositives()([0, 1, 1], [0.2, 0.9, 0.1]))
        1.0
    """
    kind = 0


class FalsePositives(_DecisionCount):
    """The number of positive predictions whose target is 0.

    Example:
        >>> float(keras.metrics.FalsePositives()([0, 1, 1], [0.7, 0.9, 0.1]))
        1.0
    """
    kind = 1


class TrueNegatives(_DecisionCount):
    """The number of negative predictions whose target is 0.

    Example:
        >>> float(keras.metrics.TrueNegatives()([0, 1, 1], [0.2, 0.9, 0.1]))
        1.0
    """
    kind = 2


class FalseNegatives(_DecisionCount):
    """The number of negative predictions whose target is 1.

    Example:
        >>> float(keras.metrics.FalseNegatives()([0, 1, 1], [0.2, 0.9, 0.1]))
        1.0
    """
    kind = 3


class _Ratio(Metric):
    """True positives over true positives plus another count."""

    kept_as = {'thresholds': 'init_thresholds'}
    other, other_name = None, None

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.declare(locals())
        # With `top_k` it is the rank that decides, so any score will do.
        self.thresholds = checked_thresholds(thresholds, 0.5 if top_k is None else LOWEST)
        self.true_positives = self.add_weight('true_positives', (len(self.thresholds),))
        setattr(self, self.other_name, self.add_weight(self.other_name, (len(self.thresholds),)))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch.

        Args:
            y_true, y_pred: targets and predictions of one shape. sample_weight: weights, or None.
        """
        counts = _sorted_counts(self.thresholds, y_true, y_pred, sample_weight, self.top_k, self.class_id)
        self.true_positives.assign_add(ops.cast(counts[0], self.dtype))
        getattr(self, self.other_name).assign_add(ops.cast(counts[self.other], self.dtype))

    def result(self):
        right = self.true_positives.value
        ratio = ops.divide_no_nan(right, right + getattr(self, self.other_name).value)
        return ratio[0] if len(self.thresholds) == 1 else ratio


class Precision(_Ratio):
    """The share of positive predictions that are right.

    Args:
        thresholds: a float or a list of them in [0, 1]; default 0.5, or none with `top_k`.
        top_k: only the `top_k` largest predictions along the last axis are positive.
        class_id: look at this class along the last axis only. name, dtype: see `Metric`.

    Example:
        >>> float(keras.metrics.Precision()([0, 1, 1], [0.7, 0.9, 0.1]))
        0.5
    """
    other, other_name = 1, 'false_positives'


class Recall(_Ratio):
    """The share of targets of 1 that are predicted.

    Args:
        thresholds, top_k, class_id: see `Precision`. name, dtype: see `Metric`.

    Example:
        >>> float(keras.metrics.Recall()([0, 1, 1], [0.7, 0.9, 0.1]))
        0.5
    """
    other, other_name = 3, 'false_negatives'


# --- over all thresholds --------------------------------------------------------------------------------------------

# More are no nearer to the truth in float32, and a file could ask for any number.
MOST_THRESHOLDS = 1 << 18


def evenly_spaced(count):
    """`count` numbers strictly between 0 and 1, at equal distances.

    Raises:
        ValueError: for more than `MOST_THRESHOLDS`.
    """
    if count > MOST_THRESHOLDS:
        raise ValueError('%d thresholds are more than the %d that a metric may have.' % (count, MOST_THRESHOLDS))
    return [(place + 1) / (count + 1) for place in range(count)]


class _FourCounts(Metric):
    """The four counts for each of the rising list `thresholds` of the subclass."""

    def _add_counts(self, shape):
        self.true_positives = self.add_weight('true_positives', shape)
        self.true_negatives = self.add_weight('true_negatives', shape)
        self.false_positives = self.add_weight('false_positives', shape)
        self.false_negatives = self.add_weight('false_negatives', shape)

    def _count(self, counts):
        slots = (self.true_positives, self.false_positives, self.true_negatives, self.false_negatives)
        for slot, count in zip(slots, counts):
            slot.assign_add(ops.cast(count, self.dtype))

    def _ratio(self, part, rest):
        return ops.divide_no_nan(part.value, part.value + rest.value)


class SensitivitySpecificityBase(_FourCounts):
    """Base of the metrics that look for the threshold at which one ratio has a wanted value.

    Args:
        value: the wanted value in [0, 1]. num_thresholds: number of thresholds between 0 and 1 to look at.
        name, dtype: see `Metric`. class_id: look at this class along the last axis only.

    Raises:
        ValueError: for a number of thresholds that is not positive or a value outside [0, 1].
    """
    later = ('class_id',)
    wanted = 'value'

    def __init__(self, value, num_thresholds=200, name=None, dtype=None, class_id=None):
        super().__init__(name=name, dtype=dtype)
        if num_thresholds <= 0:
            raise ValueError('%s: Argument `num_thresholds` must be an integer > 0. Received: num_thresholds=%r'
                             % (type(self).__name__, num_thresholds))
        if not 0 <= value <= 1:
            raise ValueError('%s: `%s` must be in the range [0, 1]. Received: %s=%r'
                             % (type(self).__name__, self.wanted, self.wanted, value))
        self.declare(locals())
        self.thresholds = [0.5] if num_thresholds == 1 else [0.0] + evenly_spaced(num_thresholds - 2) + [1.0]
        self._add_counts((len(self.thresholds),))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch.

        Args:
            y_true, y_pred: targets and predictions of one shape. sample_weight: weights, or None.
        """
        self._count(decision_counts(y_true, y_pred, self.thresholds, sample_weight, None, self.class_id))

    def _at_value(self, constrained, wanted):
        """`wanted` at the threshold at which `constrained` is nearest to the value; later, see `_largest_where`."""
        if self.ruled('constraint_must_hold'):
            return self._largest_where(constrained, wanted)
        return ops.take(wanted, ops.argmin(ops.abs(constrained - float(self.value))), axis=0)

    def _largest_where(self, constrained, wanted):
        """The largest value of `wanted` where `constrained` is at least the value; 0 if it nowhere is."""
        return ops.max(ops.where(ops.greater_equal(constrained, float(self.value)), wanted, 0.0))

    @property
    def _sensitivity(self):
        return self._ratio(self.true_positives, self.false_negatives)

    @property
    def _specificity(self):
        return self._ratio(self.true_negatives, self.false_positives)

    @property
    def _precision(self):
        return self._ratio(self.true_positives, self.false_positives)


class SensitivityAtSpecificity(SensitivitySpecificityBase):
    """The share of targets of 1 that are predicted, at the threshold whose specificity is nearest to a wanted one.

    Args:
        specificity: the wanted share of targets of 0 that are predicted. Others: see `SensitivitySpecificityBase`.

    Example:
        >>> float(keras.metrics.SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8]))
        1.0
    """

    wanted = 'specificity'

    def __init__(self, specificity, num_thresholds=200, name=None, dtype=None, class_id=None):
        super().__init__(specificity, num_thresholds, name, dtype, class_id)
        self.declare(locals())

    def result(self):
        return self._at_value(self._specificity, self._sensitivity)


class SpecificityAtSensitivity(SensitivitySpecificityBase):
    """The share of targets of 0 that are predicted, at the threshold whose sensitivity is nearest to a wanted one.

    Args:
        sensitivity: the wanted share of targets of 1 that are predicted. Others: see `SensitivitySpecificityBase`.

    Example:
        >>> float(keras.metrics.SpecificityAtSensitivity(0.5)([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8]))
        1.0
    """

    wanted = 'sensitivity'

    def __init__(self, sensitivity, num_thresholds=200, name=None, dtype=None, class_id=None):
        super().__init__(sensitivity, num_thresholds, name, dtype, class_id)
        self.declare(locals())

    def result(self):
        return self._at_value(self._sensitivity, self._specificity)


class PrecisionAtRecall(SensitivitySpecificityBase):
    """The largest precision at a threshold whose recall is at least a wanted one.

    Args:
        recall: the wanted share of targets of 1 that are predicted. Others: see `SensitivitySpecificityBase`.

    Example:
        >>> float(keras.metrics.PrecisionAtRecall(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8]))
        1.0
    """

    wanted = 'recall'

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, name, dtype, class_id)
        self.declare(locals())

    def result(self):
        return self._largest_where(self._sensitivity, self._precision)


class RecallAtPrecision(SensitivitySpecificityBase):
    """The largest recall at a threshold whose precision is at least a wanted one.

    Args:
        precision: the wanted share of positive predictions that are right. Others: see `SensitivitySpecificityBase`.

    Example:
        >>> float(keras.metrics.RecallAtPrecision(0.8)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8]))
        0.5
    """

    wanted = 'precision'

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, name, dtype, class_id)
        self.declare(locals())

    def result(self):
        return self._largest_where(self._precision, self._sensitivity)


class AUC(_FourCounts):
    """The area under the ROC or the precision-recall curve, from counts at a number of thresholds.

    Args:
        num_thresholds: number of thresholds; more are nearer to the true area.
        curve: 'ROC', 'PR' or 'PRGAIN' (Flach and Kull, 2015).
        summation_method: 'interpolation' (trapezoids; for PR the curve of Davis and Goadrich, 2006), 'minoring' or
            'majoring' (the lower or higher end of each interval).
        name, dtype: see `Metric`.
        thresholds: a list of floats in [0, 1] to use instead.
        multi_label: the mean of the areas of each label, the last axis of targets and predictions.
        num_labels: number of labels, default what the first batch has. label_weights: their weights in that mean.
        from_logits: predictions are logits.

    Raises:
        ValueError: for an unknown curve or method, or fewer than two thresholds.

    Example:
        >>> round(float(keras.metrics.AUC()([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8])), 2)
        0.75
    """

    CURVES = ('ROC', 'PR', 'PRGAIN')
    METHODS = ('interpolation', 'minoring', 'majoring')
    later = ('multi_label', 'num_labels', 'label_weights', 'from_logits')
    kept_as = {'thresholds': '_inner_thresholds'}

    def __init__(self, num_thresholds=200, curve='ROC', summation_method='interpolation', name=None, dtype=None,
                 thresholds=None, multi_label=False, num_labels=None, label_weights=None, from_logits=False):
        super().__init__(name=name, dtype=dtype)
        for argument, value, allowed in (('curve', curve, self.CURVES),
                                         ('summation method', summation_method, self.METHODS)):
            if value not in allowed:
                raise ValueError('AUC: Invalid AUC %s value: "%s". Expected values are %s'
                                 % (argument, value, list(allowed)))
        if thresholds is None and (not isinstance(num_thresholds, int) or num_thresholds <= 1):
            raise ValueError('AUC: Argument `num_thresholds` must be an integer > 1. Received: num_thresholds=%r'
                             % (num_thresholds,))
        self.declare(locals())
        inner = evenly_spaced(num_thresholds - 2) if thresholds is None else sorted(checked_thresholds(thresholds, 0.5))
        self.num_thresholds = len(inner) + 2
        # Just outside [0, 1], so that predictions of exactly 0 and 1 are on the right side.
        self.thresholds = [-1e-7] + inner + [1.0 + 1e-7]
        self._inner_thresholds, self._evenly = inner, thresholds is None
        self.built = False
        if num_labels is not None or not multi_label:
            self._build(num_labels)

    def get_config(self):
        config = super().get_config()
        if self._evenly and forms.is_full(self):
            del config['thresholds']
        return config

    def _build(self, num_labels):
        self._add_counts((self.num_thresholds, num_labels) if self.multi_label else (self.num_thresholds,))
        self.num_labels, self.built = num_labels, True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch.

        Args:
            y_true, y_pred: targets and predictions of one shape. sample_weight: weights, or None.
        """
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        if not self.built:
            self._build(static_shape(y_pred)[-1])
        if not self.multi_label:
            if self.label_weights is not None:
                sample_weight = self._times_label_weights(sample_weight, y_pred)
            self._count(decision_counts(y_true, y_pred, self.thresholds, sample_weight))
            return
        each = [decision_counts(y_true, y_pred, self.thresholds, self._label_weight(sample_weight, y_pred, label),
                                None, label) for label in range(self.num_labels)]
        self._count([ops.stack(list(counts), axis=-1) for counts in zip(*each)])

    def _times_label_weights(self, sample_weight, y_pred):
        weights = ops.broadcast_to(np.asarray(self.label_weights, 'float32'), shape(y_pred))
        if sample_weight is None:
            return weights
        return ops.multiply(weights, broadcast_weights(y_pred, ops.cast(sample_weight, 'float32')))

    @staticmethod
    def _label_weight(sample_weight, y_pred, label):
        if sample_weight is not None and static_shape(sample_weight) == static_shape(y_pred):
            return sample_weight[..., label]
        return sample_weight

    def result(self):
        if self.curve == 'PR' and self.summation_method == 'interpolation':
            areas = self.interpolate_pr_auc()
        else:
            recall = self._ratio(self.true_positives, self.false_negatives)
            if self.curve == 'PRGAIN':
                x, y = self._gain(self.false_negatives, 0.0), self._gain(self.false_positives, 1.0)
            elif self.curve == 'ROC':
                x, y = self._ratio(self.false_positives, self.true_negatives), recall
            else:
                x, y = recall, self._ratio(self.true_positives, self.false_positives)
            areas = ops.sum((x[:-1] - x[1:]) * self._heights(y), axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = np.asarray(self.label_weights, 'float32')
        return ops.sum(ops.multiply(areas, weights / weights.sum()))

    def _gain(self, wrong, of_nothing):
        """How much better than always saying yes the precision or recall is that suffers from the `wrong`.

        `of_nothing` is its value where nothing is found.
        """
        right = self.true_positives.value
        odds = ops.divide_no_nan(right + self.false_negatives.value, self.false_positives + self.true_negatives.value)
        gain = ops.relu(1.0 - odds * ops.divide_no_nan(wrong.value, right))
        return ops.where(ops.greater(right, 0.0), gain, of_nothing)

    def _heights(self, y):
        if self.summation_method == 'interpolation':
            return (y[:-1] + y[1:]) * 0.5
        return (ops.minimum if self.summation_method == 'minoring' else ops.maximum)(y[:-1], y[1:])

    def interpolate_pr_auc(self):
        """The area under the precision-recall curve on which counts, not ratios, are interpolated.

        Between two thresholds the true positives are a linear function of the positives p, slope * p + offset;
        precision is integrated over recall along it.
        """
        right, wrong, missed = self.true_positives.value, self.false_positives.value, self.false_negatives.value
        positives = right + wrong
        slope = ops.divide_no_nan(right[:-1] - right[1:], ops.relu(positives[:-1] - positives[1:]))
        offset = right[1:] - slope * positives[1:]
        both = ops.logical_and(ops.greater(positives[:-1], 0.0), ops.greater(positives[1:], 0.0))
        growth = ops.where(both, ops.divide_no_nan(positives[:-1], ops.relu(positives[1:])), 1.0)
        area = slope * (right[:-1] - right[1:] + offset * ops.log(growth))
        return ops.sum(ops.divide_no_nan(area, ops.relu(right[1:] + missed[1:])), axis=0)
