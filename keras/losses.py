"""Loss functions: `f(y_true, y_pred)` gives one value per sample; the classes weigh and reduce them.

Targets may be of any numeric dtype. Where the generations of Keras disagree the functions follow the current setting,
a loss the generation that it was made under; see `keras.generations`.
"""
import math

from keras import config, generations, ops
from keras.backend.contract import rules, tree
from keras.backend.contract.context import calls, carried, carried_mask
from keras.backend.contract.scripts import run_script
from keras.backend.table.composites import losses as _table
from keras.backend.table.composites.losses import (binary_crossentropy_with_epsilon, clipped_logits,
                                                   mean_sparse_categorical_crossentropy)
from keras.backend.table.composites.shape import dtype_of, ndim, shape, static_shape
from keras.configurable import (Configurable, Fixed, argument_of_function, arguments_config, made_with_function,
                                tells_function)
from keras.generations import Default
from keras.saving.kinds import Kind, deserialize_keras_object, serialize_keras_object  # noqa: F401


class Reduction:
    """Names of the ways in which a loss reduces its values to one number."""

    NONE = 'none'
    SUM = 'sum'
    SUM_OVER_BATCH_SIZE = 'sum_over_batch_size'
    AUTO = 'auto'  # of tf.keras, where it is the mean unless a strategy distributes the batch
    MEAN = 'mean'
    MEAN_WITH_SAMPLE_WEIGHT = 'mean_with_sample_weight'

    @classmethod
    def all(cls):
        return (cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE, cls.MEAN, cls.MEAN_WITH_SAMPLE_WEIGHT)

    @classmethod
    def validate(cls, key):
        if key is not None and key not in cls.all():
            raise ValueError('Invalid value for argument `reduction`. Expected one of %s, or None. Received: '
                             'reduction=%r' % (', '.join(cls.all()), key))


# --- weights and reduction ----------------------------------------------------------------------------------------

def broadcast_weights(values, sample_weight):
    """`sample_weight` with axes of size 1 added (or one dropped) at the end, so that it broadcasts to `values`.

    Raises:
        ValueError: if its shape does not fit.
    """
    expected, weights = static_shape(values), static_shape(sample_weight)
    if len(weights) == len(expected) + 1 and weights[-1] == 1:
        return ops.squeeze(sample_weight, -1)
    pairs = zip(weights, expected)
    if not expected:  # one value for the whole batch is weighed by every sample
        return sample_weight
    if len(weights) > len(expected) or any(size not in (1, None, wanted) and wanted is not None
                                           for size, wanted in pairs):
        raise ValueError(_weights_message(expected, weights))
    for _ in range(len(expected) - len(weights) if weights else 0):
        sample_weight = ops.expand_dims(sample_weight, -1)
    return sample_weight


def _weights_message(expected, weights):
    return ('sample_weight of shape %s does not fit the values of shape %s that it is to weigh. Expected one weight '
            'per sample, or shapes that agree from the first axis on.' % (weights, expected))


def weighted(values, sample_weight):
    """`values` times the broadcast weights; as they are where `sample_weight` is None."""
    if sample_weight is None:
        return values
    weights = broadcast_weights(values, sample_weight)
    return ops.multiply(values, weights)


def reduce_values(values, sample_weight=None, reduction='sum_over_batch_size', counted=None):
    """The values of a loss, weighted and reduced.

    Args:
        values: tensor of losses, one per sample (or more). sample_weight: tensor that broadcasts to it, or None.
        reduction: 'sum_over_batch_size' or 'mean' (the sum over the number of values), 'sum', 'none' or None,
            'mean_with_sample_weight' (the sum over the sum of the weights).
        counted: which of the values there are to be counted, a boolean tensor of their shape, or None for all; the
            others are 0.
    """
    if sample_weight is not None and ndim(values) == 1 and static_shape(sample_weight)[1:] == (1,) \
            and generations.value('columns_of_weights_give_columns'):
        values, counted = ops.expand_dims(values, -1), counted if counted is None else ops.expand_dims(counted, -1)
    result = values if sample_weight is None else weighted(values, sample_weight)
    if reduction in (None, 'none') or reduction == 'mean_with_sample_weight' and not static_shape(result):
        return result
    if reduction == 'sum':
        return ops.sum(result)
    if reduction == 'mean_with_sample_weight' and sample_weight is not None:
        weights = broadcast_weights(values, sample_weight)
        if not generations.value('a_weight_counts_once'):
            weights = ops.broadcast_to(weights, shape(values))
        total = ops.sum(weights if counted is None else ops.where(counted, weights, 0))
        safe = ops.where(ops.equal(total, 0.0), 1.0, total)
        return ops.where(ops.equal(total, 0.0), 0.0, ops.sum(result) / safe)
    if counted is None:
        return ops.mean(result)
    return ops.divide_no_nan(ops.sum(result), ops.sum(ops.cast(counted, dtype_of(result))))


def same_rank(targets, predictions):
    """Targets and predictions where one lacks the last axis of size 1: (n,) beside (n, 1) become alike."""
    if tree.is_nested(predictions):
        if not all(isinstance(leaf, (int, float)) for leaf in tree.flatten(predictions)):
            return targets, predictions
        predictions = ops.convert_to_tensor(predictions)  # a nested list of numbers
    true, predicted = static_shape(targets), static_shape(predictions)
    if len(predicted) == len(true) + 1 and predicted[-1] == 1:
        if len(true) > 1 and generations.value('loss_functions_go_by_predictions'):
            return targets, ops.squeeze(predictions, -1)
        return ops.expand_dims(targets, -1), predictions
    if len(true) == len(predicted) + 1 and true[-1] == 1:
        if len(predicted) == 1:
            return targets, ops.expand_dims(predictions, -1)
        return ops.squeeze(targets, -1), predictions
    return targets, predictions


# --- base classes -------------------------------------------------------------------------------------------------

class Loss(Configurable):
    """Base class. A subclass gives `call(y_true, y_pred)`, one value per sample.

    Args:
        reduction: 'sum_over_batch_size', 'sum', 'none' or None, 'mean', 'mean_with_sample_weight'.
        name: for logs. dtype: the dtype of the result or a policy that has it, default that of the predictions (in
            Keras 3 `floatx`).

    Raises:
        ValueError: for an unknown reduction.

    Example:
        >>> class Biggest(keras.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return keras.ops.max(keras.ops.abs(y_true - y_pred), axis=-1)
        >>> Biggest()(np.zeros((2, 3)), np.ones((2, 3)))  # 1
    """

    later = ('dtype',)
    dtype = Fixed('dtypes_are_fixed')

    def __init__(self, reduction='sum_over_batch_size', name=None, dtype=None):
        super().__init__()
        reduction = Reduction.SUM_OVER_BATCH_SIZE if reduction == Reduction.AUTO else reduction
        Reduction.validate(reduction)
        dtype = getattr(dtype, 'compute_dtype', dtype)
        self.declare(locals())

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The loss of a batch, reduced.

        Args:
            y_true, y_pred: targets and predictions.
            sample_weight: one weight per sample, or a tensor whose shape agrees with the losses' from the
                first axis on.
        """
        mask = carried_mask(y_pred) if carried and calls.masks is None and self.ruled('losses_take_masks') else None
        if self.dtype is not None:
            y_pred, y_true = ops.cast(y_pred, self.dtype), _in_dtype(y_true, self.dtype)
        elif self.ruled('losses_in_floatx'):
            # Sums of half precision lose too much.
            y_pred, y_true = tree.map_structure(lambda x: _in_dtype(x, config.floatx()), (y_pred, y_true))
        if mask is None and sample_weight is None and self.reduction in ('sum_over_batch_size', 'mean'):
            result = self._mean_at_once(y_true, y_pred)
            if result is not None:
                return result if self.dtype is None else _in_dtype(result, self.dtype)
        values = self.call(y_true, y_pred)
        if values is None:
            raise ValueError('The loss %s returned None, expected one value per sample. The usual cause: a missing '
                             '`return`.' % (self.name or type(self).__name__))
        counted = self.counted(y_true, values)
        if mask is not None:
            mask = fitting_mask(mask, values)
            counted = mask if counted is None else ops.logical_and(mask, counted)
            values = ops.where(mask, values, 0)
        result = reduce_values(values, sample_weight, self.reduction, counted)
        return result if self.dtype is None else _in_dtype(result, self.dtype)

    def counted(self, y_true, values):
        """Which of the `values` count in means, as a tensor of their shape; None for all."""
        return None

    def _mean_at_once(self, y_true, y_pred):
        """The mean of what `call` gives, where an engine may find it at once; else None."""
        return None

    def call(self, y_true, y_pred):
        raise NotImplementedError('%s does not implement call(y_true, y_pred).' % type(self).__name__)


def fitting_mask(mask, values):
    """A mask in the shape of the values of a loss, of whose axes it has the first ones; as it is beside one value."""
    if not static_shape(values):
        return mask
    while len(static_shape(mask)) > len(static_shape(values)):
        mask = ops.squeeze(mask, -1)
    while len(static_shape(mask)) < len(static_shape(values)):
        mask = ops.expand_dims(mask, -1)
    return ops.broadcast_to(mask, shape(values))


def _in_dtype(x, dtype):
    """Floats in another float type; anything else as it is."""
    return ops.cast(x, dtype) if rules.is_float(dtype_of(x)) and dtype_of(x) != dtype else x


class LossFunctionWrapper(Loss):
    """A loss class made of a function.

    Args:
        fn: function of (y_true, y_pred, **kwargs) that gives one value per sample.
        reduction, name, dtype: see `Loss`. **kwargs: further arguments of the function.

    Example:
        >>> keras.losses.LossFunctionWrapper(keras.losses.mean_squared_error)(np.zeros((2, 3)), np.ones((2, 3)))  # 1
    """

    later = ('dtype', 'axis', 'ignore_class')

    def __init__(self, fn, reduction='sum_over_batch_size', name=None, dtype=None, **kwargs):
        super().__init__(reduction=reduction, name=name, dtype=dtype)
        self.fn = generations.bound(fn, generations.of(self))
        self.arguments = kwargs

    def __getattr__(self, name):
        return argument_of_function(self, 'arguments', name)

    def call(self, y_true, y_pred):
        return run_script(self.fn, same_rank(y_true, y_pred), self.arguments)

    def get_config(self):
        arguments = arguments_config(self, self.fn, self.arguments)
        own = {'fn': serialize(self.fn)} if tells_function(self, LossFunctionWrapper) else {}
        return dict(super().get_config(), **arguments, **own)

    @classmethod
    def from_config(cls, config):
        return made_with_function(cls, config, get)


def _by_predictions(y_true, y_pred, same=True):
    """Targets in the dtype of the predictions, where these are floats, and, if `same`, of as many axes; in Keras 3."""
    if not generations.value('loss_functions_go_by_predictions'):
        return y_true, y_pred
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if rules.is_float(dtype_of(y_pred)) and dtype_of(y_true) != dtype_of(y_pred):
        y_true = ops.cast(y_true, dtype_of(y_pred))
    return same_rank(y_true, y_pred) if same else (y_true, y_pred)


# --- regression ---------------------------------------------------------------------------------------------------

@generations.dependent
def mean_squared_error(y_true, y_pred):
    """The mean of `(y_true - y_pred)^2` over the last axis.

    Example:
        >>> keras.losses.mean_squared_error([[0.0, 2.0]], [[1.0, 2.0]])  # [0.5]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_pred, y_true)), axis=-1)


@generations.dependent
def mean_absolute_error(y_true, y_pred):
    """The mean of `|y_true - y_pred|` over the last axis.

    Example:
        >>> keras.losses.mean_absolute_error([[0.0, 2.0]], [[1.0, 2.0]])  # [0.5]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_pred, y_true)), axis=-1)


@generations.dependent
def mean_absolute_percentage_error(y_true, y_pred):
    """The mean of `100 |y_true - y_pred| / max(|y_true|, epsilon)` over the last axis.

    Example:
        >>> keras.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]])  # [25]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred)
    size = ops.maximum(ops.abs(y_true), config.epsilon())
    return 100.0 * ops.mean(ops.abs(ops.divide(ops.subtract(y_pred, y_true), size)), axis=-1)


@generations.dependent
def mean_squared_logarithmic_error(y_true, y_pred):
    """The mean of `(log(y_true + 1) - log(y_pred + 1))^2` over the last axis; negative numbers count as 0.

    Example:
        >>> keras.losses.mean_squared_logarithmic_error([[0.0]], [[math.e - 1]])  # [1]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(_log_plus_one(y_pred), _log_plus_one(y_true))), axis=-1)


def _log_plus_one(x):
    return ops.log(ops.add(ops.maximum(x, config.epsilon()), 1.0))


@generations.dependent
def logcosh(y_true, y_pred):
    """The mean of `log(cosh(y_pred - y_true))` over the last axis: half the square of small errors, the absolute
    value of large ones less log 2.

    Example:
        >>> keras.losses.logcosh([[0.0]], [[1.0]])  # [0.434]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred)
    y_true, y_pred = _as_floats(y_true, y_pred)
    x = ops.subtract(y_pred, y_true)
    return ops.mean(x + ops.softplus(-2.0 * x) - math.log(2.0), axis=-1)


@generations.dependent
def huber_loss(y_true, y_pred, delta=1.0):
    """Half the square of errors up to `delta`, `delta (|error| - delta / 2)` beyond, elementwise: Huber (1964).

    Example:
        >>> keras.losses.huber_loss([[0.0, 0.0]], [[1.0, 3.0]])  # [[0.5, 2.5]]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred)
    error = ops.abs(ops.subtract(y_pred, y_true))
    near = ops.minimum(error, float(delta))
    return 0.5 * ops.square(near) + float(delta) * (error - near)


@generations.dependent
def huber(y_true, y_pred, delta=1.0):
    """The mean of `huber_loss` over the last axis (Keras 3's function).

    Example:
        >>> keras.losses.huber([[0.0, 0.0]], [[1.0, 3.0]])  # [1.5]
    """
    return ops.mean(huber_loss(y_true, y_pred, delta), axis=-1)


@generations.dependent
def poisson(y_true, y_pred):
    """The mean of `y_pred - y_true log(y_pred)` over the last axis.

    Example:
        >>> keras.losses.poisson([[1.0]], [[1.0]])  # [1]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred, same=False)
    logarithm = ops.log(ops.add(y_pred, config.epsilon()))
    return ops.mean(ops.subtract(y_pred, ops.multiply(logarithm, y_true)), axis=-1)


@generations.dependent
def cosine_similarity(y_true, y_pred, axis=-1):
    """The negative cosine of the angle between targets and predictions along `axis`: -1 where they point the same way.

    Example:
        >>> keras.losses.cosine_similarity([[3.0, 0.0]], [[1.0, 0.0]])  # [-1]
    """
    return ops.negative(cosine_of_angle(y_true, y_pred, axis))


def cosine_of_angle(y_true, y_pred, axis=-1):
    """The cosine of the angle between targets and predictions along `axis`; in Keras 1 divided by the size of it."""
    y_true, y_pred = _as_floats(*_by_predictions(y_true, y_pred))
    products = ops.multiply(_normalized(y_true, axis), _normalized(y_pred, axis))
    return (ops.mean if generations.value('cosine_is_mean_of_products') else ops.sum)(products, axis=axis)


def _normalized(x, axis):
    length = ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))
    return ops.divide(x, length)


# --- margins ------------------------------------------------------------------------------------------------------

def _signs(y_true, y_pred):
    """Targets of 0 and 1 as -1 and 1; others, and those of Keras 1, as they are."""
    if not generations.value('hinge_of_zeros_and_ones'):
        return y_true
    y_true = ops.cast(y_true, ops.convert_to_tensor(y_pred).dtype)
    others = ops.logical_not(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(ops.any(others), y_true, ops.subtract(ops.multiply(y_true, 2), 1))


@generations.dependent
def hinge(y_true, y_pred):
    """The mean of `max(1 - y_true y_pred, 0)` over the last axis; targets are -1 or 1, or all 0 or 1.

    Example:
        >>> keras.losses.hinge([[1.0, -1.0]], [[0.5, -2.0]])  # [0.25]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred, same=False)
    return ops.mean(ops.relu(1.0 - ops.multiply(y_pred, _signs(y_true, y_pred))), axis=-1)


@generations.dependent
def squared_hinge(y_true, y_pred):
    """The mean of `max(1 - y_true y_pred, 0)^2` over the last axis; targets are -1 or 1, or all 0 or 1.

    Example:
        >>> keras.losses.squared_hinge([[1.0, -1.0]], [[0.5, -2.0]])  # [0.125]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred, same=False)
    return ops.mean(ops.square(ops.relu(1.0 - ops.multiply(y_pred, _signs(y_true, y_pred)))), axis=-1)


def categorical_hinge(y_true, y_pred):
    """`max(wrong - right + 1, 0)`: the largest score of a wrong class and that of the right one.

    Example:
        >>> keras.losses.categorical_hinge([[0.0, 1.0]], [[0.25, 0.5]])  # [0.75]
    """
    y_true, y_pred = _as_floats(y_true, y_pred)
    right = ops.sum(ops.multiply(y_pred, y_true), axis=-1)
    wrong = ops.max(ops.multiply(y_pred, ops.subtract(1.0, y_true)), axis=-1)
    return ops.relu(wrong - right + 1.0)


# --- probabilities ------------------------------------------------------------------------------------------------

def _check_same_shape(y_true, y_pred, name):
    """Raise ValueError where targets would be broadcast to the predictions, or these to them.

    Before Keras 3 a number, or one for each sample of predictions that have one, says what it says.
    """
    true, predicted = static_shape(y_true), static_shape(y_pred)
    other = any(None not in (a, b) and a != b for a, b in zip(true, predicted)) if len(true) == len(predicted) \
        else generations.value('loss_functions_go_by_predictions')
    if other:
        raise ValueError('%s: y_true and y_pred must have the same shape. Received: %s and %s. The usual cause: class '
                         'numbers where probabilities are expected.' % (name, true, predicted))


@generations.dependent
def categorical_crossentropy(y_true, y_pred, from_logits=False,
                             label_smoothing=Default('BinaryCrossentropy.label_smoothing'), axis=-1):
    """The cross-entropy of one-hot targets and predicted distributions along `axis`.

    Args:
        y_true: probabilities, one-hot as a rule. y_pred: probabilities (scaled to sum 1), or logits.
        from_logits: `y_pred` are logits.
        label_smoothing: move that much of the targets' mass to all classes alike.

    Example:
        >>> keras.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])  # [0.693]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred, same=False)
    _check_same_shape(y_true, y_pred, 'categorical_crossentropy')
    if label_smoothing:
        y_true = _smoothed(y_true, y_pred, label_smoothing, axis)
    return ops.categorical_crossentropy(y_true, y_pred, from_logits, axis)


def _smoothed(y_true, y_pred, label_smoothing, axis):
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / static_shape(y_pred)[axis])


@generations.dependent
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, axis=-1, ignore_class=None):
    """The cross-entropy of integer targets and predicted distributions along `axis`.

    Args:
        y_true: class numbers, of the shape of the predictions without `axis`, or with size 1 there.
        y_pred: probabilities, or logits with `from_logits`.
        ignore_class: a class number whose samples count 0.

    Example:
        >>> keras.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])  # [0.693]
    """
    if not from_logits and generations.value('sparse_crossentropy_clips_first'):
        y_pred, from_logits = clipped_logits(y_pred), True
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
    if ndim(y_true) == ndim(y_pred):
        y_true = ops.squeeze(y_true, axis)
    y_true = ops.cast(y_true, 'int32')
    counts = ops.not_equal(y_true, ignore_class)
    loss = ops.sparse_categorical_crossentropy(ops.where(counts, y_true, 0), y_pred, from_logits, axis)
    return ops.where(counts, loss, 0.0)


@generations.dependent
def binary_crossentropy(y_true, y_pred, from_logits=False,
                        label_smoothing=Default('BinaryCrossentropy.label_smoothing'), axis=-1):
    """The mean over `axis` of the cross-entropies of independent yes-or-no predictions.

    Args:
        y_true: 0 or 1, or probabilities. y_pred: probabilities, or logits with `from_logits`.
        label_smoothing: move targets that much of the way to 0.5.

    Example:
        >>> keras.losses.binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])  # [0.693]
    """
    y_true, y_pred = _by_predictions(y_true, y_pred, same=False)
    _check_same_shape(y_true, y_pred, 'binary_crossentropy')
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)
    if generations.value('crossentropy_adds_epsilon') and not from_logits:
        return ops.mean(binary_crossentropy_with_epsilon(y_true, y_pred), axis=axis)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits), axis=axis)


def kullback_leibler_divergence(y_true, y_pred):
    """The sum of `y_true log(y_true / y_pred)` over the last axis.

    Example:
        >>> keras.losses.kullback_leibler_divergence([[0.5, 0.5]], [[0.5, 0.5]])  # [0]
    """
    y_true, y_pred = _as_floats(y_true, y_pred)
    y_true = ops.clip(y_true, config.epsilon(), 1.0)
    y_pred = ops.clip(y_pred, config.epsilon(), 1.0)
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), axis=-1)


def binary_focal_crossentropy(y_true, y_pred, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False,
                              label_smoothing=0.0, axis=-1):
    """`binary_crossentropy` with easy examples weighed down: Lin et al., Focal loss (2017).

    Args:
        y_true, y_pred, from_logits, label_smoothing, axis: see `binary_crossentropy`.
        apply_class_balancing: weigh class 1 by `alpha` and class 0 by `1 - alpha`.
        gamma: a prediction that gives the right class the probability p is weighed by `(1 - p)^gamma`.

    Example:
        >>> keras.losses.binary_focal_crossentropy([[1.0]], [[0.5]])  # [0.693 / 4]
    """
    _check_same_shape(y_true, y_pred, 'binary_focal_crossentropy')
    y_true, y_pred = _as_floats(y_true, y_pred)
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    return ops.mean(_table.binary_focal_crossentropy(y_true, y_pred, apply_class_balancing, alpha, gamma, from_logits),
                    axis=axis)


def categorical_focal_crossentropy(y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0,
                                   axis=-1):
    """`categorical_crossentropy` with easy examples weighed down: Lin et al., Focal loss (2017).

    Args:
        y_true, y_pred, from_logits, label_smoothing, axis: see `categorical_crossentropy`.
        alpha: a factor, or one per class.
        gamma: a prediction that gives the right class the probability p is weighed by `(1 - p)^gamma`.

    Example:
        >>> keras.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])  # [0.693 / 16]
    """
    y_true, y_pred = _as_floats(y_true, y_pred)
    if label_smoothing:
        y_true = _smoothed(y_true, y_pred, label_smoothing, axis)
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    return _table.categorical_focal_crossentropy(y_true, y_pred, alpha, gamma, from_logits, axis)


def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """`(1 - p^q) / q` with p the predicted probability of the right class: Zhang and Sabuncu (2018).

    Args:
        y_true: class numbers (n,). y_pred: probabilities (n, classes).
        q: between 0 (cross-entropy) and 1 (mean absolute error).

    Example:
        >>> keras.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], 0.5)  # [1]
    """
    y_pred = ops.convert_to_tensor(y_pred)
    hot = ops.one_hot(ops.cast(y_true, 'int32'), static_shape(y_pred)[-1], dtype=dtype_of(y_pred))
    p = ops.sum(ops.multiply(y_pred, hot), axis=-1)
    return (1.0 - ops.power(p, float(q))) / float(q)


def _as_floats(y_true, y_pred):
    """Both in the float type of the predictions: Python's operators on TensorFlow's tensors mix no types."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    dtype = dtype_of(y_pred) if rules.is_float(dtype_of(y_pred)) else config.floatx()
    return ops.cast(y_true, dtype), ops.cast(y_pred, dtype)


# --- overlap and similarity ---------------------------------------------------------------------------------------

def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """1 less the Tversky index of predicted and true masks: Salehi et al. (2017).

    Args:
        alpha, beta: weights of false negatives and false positives. axis: axes to sum over, default all.

    Example:
        >>> keras.losses.tversky([[1.0, 0.0]], [[1.0, 0.0]])  # 0
    """
    axis = tuple(axis) if isinstance(axis, list) else axis
    y_true, y_pred = _as_floats(y_true, y_pred)
    both = ops.sum(ops.multiply(y_pred, y_true), axis=axis)
    false_positive = ops.sum(ops.multiply(y_pred, ops.subtract(1.0, y_true)), axis=axis)
    false_negative = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis=axis)
    whole = both + false_positive * float(beta) + false_negative * float(alpha)
    return 1.0 - both / (whole + config.epsilon())


def dice(y_true, y_pred, axis=None):
    """1 less the Sorensen-Dice coefficient of predicted and true masks: Milletari et al., V-Net (2016).

    Args:
        axis: axes to sum over, default all.

    Example:
        >>> keras.losses.dice([[1.0, 0.0]], [[1.0, 0.0]])  # 0
    """
    axis = tuple(axis) if isinstance(axis, list) else axis
    y_true, y_pred = _as_floats(y_true, y_pred)
    both = ops.sum(ops.multiply(y_pred, y_true), axis=axis)
    whole = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    return 1.0 - 2.0 * both / (whole + config.epsilon())


def circle(y_true, y_pred, ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4):
    """The circle loss of normalized embeddings: Sun et al. (2020).

    Args:
        y_true: labels (n,). y_pred: embeddings of length 1 (n, features).
        ref_labels, ref_embeddings: what to compare with, default the batch itself.
        remove_diagonal: do not compare a sample with itself. gamma: scale. margin: relaxation.

    Example:
        >>> keras.losses.circle([0, 0], [[1.0, 0.0], [1.0, 0.0]])  # one value per sample
    """
    others, labels = (y_pred, y_true) if ref_embeddings is None else (ref_embeddings, ref_labels)
    labels, y_true = ops.reshape(labels, (1, -1)), ops.reshape(y_true, (-1, 1))
    similarity = ops.matmul(y_pred, ops.transpose(others))
    same = ops.equal(y_true, labels)
    positive = same
    if remove_diagonal and ref_embeddings is None:
        places = ops.arange(shape(y_pred)[0], dtype='int32')
        own = ops.equal(ops.expand_dims(places, 0), ops.expand_dims(places, 1))
        positive = ops.logical_and(same, ops.logical_not(own))
    far, near = ops.relu(1.0 + margin - similarity), ops.relu(similarity + margin)
    positive_terms = _masked_logsumexp(far * (similarity - (1.0 - margin)) * float(-gamma), positive)
    negative_terms = _masked_logsumexp(near * (similarity - margin) * float(gamma), ops.logical_not(same))
    return ops.softplus(positive_terms + negative_terms)


def _masked_logsumexp(x, mask):
    return ops.logsumexp(ops.where(mask, x, -1e9), axis=1)


def ctc(y_true, y_pred):
    """The connectionist temporal classification loss: Graves et al. (2006).

    Args:
        y_true: class numbers (n, length), padded with 0, which also is the blank.
        y_pred: logits (n, time, classes).

    Example:
        >>> keras.losses.ctc(np.array([[1, 2]]), np.zeros((1, 4, 3))).shape
        (1,)
    """
    steps = ops.cast(ops.sum(ops.ones_like(y_pred[:, :, 0]), axis=1), 'int32')
    lengths = ops.sum(ops.cast(ops.not_equal(y_true, 0), 'int32'), axis=-1)
    return ops.ctc_loss(y_true, y_pred, lengths, steps, mask_index=0)


# --- classes ------------------------------------------------------------------------------------------------------

class MeanSquaredError(LossFunctionWrapper):
    """`mean_squared_error` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.MeanSquaredError()([[0.0, 2.0]], [[1.0, 2.0]])  # 0.5
    """

    def __init__(self, reduction='sum_over_batch_size', name='mean_squared_error', dtype=None):
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """`mean_absolute_error` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.MeanAbsoluteError()([[0.0, 2.0]], [[1.0, 2.0]])  # 0.5
    """

    def __init__(self, reduction='sum_over_batch_size', name='mean_absolute_error', dtype=None):
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """`mean_absolute_percentage_error` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]])  # 25
    """

    def __init__(self, reduction='sum_over_batch_size', name='mean_absolute_percentage_error', dtype=None):
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """`mean_squared_logarithmic_error` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.MeanSquaredLogarithmicError()([[1.0]], [[1.0]])  # 0
    """

    def __init__(self, reduction='sum_over_batch_size', name='mean_squared_logarithmic_error', dtype=None):
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class BinaryCrossentropy(LossFunctionWrapper):
    """`binary_crossentropy` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])  # 0.693
    """

    def __init__(self, from_logits=False, label_smoothing=Default('BinaryCrossentropy.label_smoothing'),
                 reduction='sum_over_batch_size',
                 name='binary_crossentropy', axis=-1, dtype=None):
        super().__init__(binary_crossentropy, reduction, name, dtype, from_logits=from_logits,
                         label_smoothing=label_smoothing, axis=axis)


class CategoricalCrossentropy(LossFunctionWrapper):
    """`categorical_crossentropy` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])  # 0.693
    """

    def __init__(self, from_logits=False, label_smoothing=Default('BinaryCrossentropy.label_smoothing'),
                 reduction='sum_over_batch_size',
                 name='categorical_crossentropy', axis=-1, dtype=None):
        super().__init__(categorical_crossentropy, reduction, name, dtype, from_logits=from_logits,
                         label_smoothing=label_smoothing, axis=axis)


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """`sparse_categorical_crossentropy` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])  # 0.693
    """

    def __init__(self, from_logits=False, reduction='sum_over_batch_size', name='sparse_categorical_crossentropy',
                 ignore_class=None, axis=-1, dtype=None):
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, from_logits=from_logits,
                         ignore_class=ignore_class, axis=axis)

    def call(self, y_true, y_pred):
        return self.fn(y_true, y_pred, **self.arguments)

    def _mean_at_once(self, y_true, y_pred):
        arguments = self.arguments
        if type(self) is not SparseCategoricalCrossentropy or self.fn != sparse_categorical_crossentropy \
                or not arguments['from_logits'] or arguments['ignore_class'] is not None:
            return None
        return mean_sparse_categorical_crossentropy(y_true, y_pred, True, arguments['axis'])

    def counted(self, y_true, values):
        ignored = self.arguments['ignore_class']
        if ignored is None:
            return None
        if ndim(y_true) > ndim(values):
            y_true = ops.squeeze(y_true, self.arguments['axis'])
        return ops.not_equal(ops.cast(y_true, 'int32'), ignored)


class Hinge(LossFunctionWrapper):
    """`hinge` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.Hinge()([[1.0, -1.0]], [[0.5, -2.0]])  # 0.25
    """

    def __init__(self, reduction='sum_over_batch_size', name='hinge', dtype=None):
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """`squared_hinge` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.SquaredHinge()([[1.0, -1.0]], [[0.5, -2.0]])  # 0.125
    """

    def __init__(self, reduction='sum_over_batch_size', name='squared_hinge', dtype=None):
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """`categorical_hinge` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.5]])  # 0.75
    """

    def __init__(self, reduction='sum_over_batch_size', name='categorical_hinge', dtype=None):
        super().__init__(categorical_hinge, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """`poisson` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.Poisson()([[1.0]], [[1.0]])  # 1
    """

    def __init__(self, reduction='sum_over_batch_size', name='poisson', dtype=None):
        super().__init__(poisson, reduction, name, dtype)


class LogCosh(LossFunctionWrapper):
    """`logcosh` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.LogCosh()([[0.0]], [[1.0]])  # 0.434
    """

    def __init__(self, reduction='sum_over_batch_size', name=Default('LogCosh.name'), dtype=None):
        super().__init__(logcosh, reduction, name, dtype)


class KLDivergence(LossFunctionWrapper):
    """`kullback_leibler_divergence` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])  # 0
    """

    def __init__(self, reduction='sum_over_batch_size', name=Default('name_of_divergence'),
                 dtype=None):
        super().__init__(kullback_leibler_divergence, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """`huber` as a class, in Keras 1 and 2 `huber_loss`; see `Loss` for the other arguments.

    Example:
        >>> keras.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]])  # 1.5
    """

    def __init__(self, delta=1.0, reduction='sum_over_batch_size', name='huber_loss', dtype=None):
        function = huber if self.ruled('huber_is_mean') else huber_loss
        super().__init__(function, reduction, name, dtype, delta=delta)


class CosineSimilarity(LossFunctionWrapper):
    """`cosine_similarity` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.CosineSimilarity()([[3.0, 0.0]], [[1.0, 0.0]])  # -1
    """

    def __init__(self, axis=-1, reduction='sum_over_batch_size', name='cosine_similarity', dtype=None):
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """`binary_focal_crossentropy` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.BinaryFocalCrossentropy()([[1.0]], [[0.5]])  # 0.693 / 4
    """

    def __init__(self, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0,
                 axis=-1, reduction='sum_over_batch_size', name='binary_focal_crossentropy', dtype=None):
        super().__init__(binary_focal_crossentropy, reduction, name, dtype, alpha=alpha, gamma=gamma, axis=axis,
                         apply_class_balancing=apply_class_balancing, from_logits=from_logits,
                         label_smoothing=label_smoothing)


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """`categorical_focal_crossentropy` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])  # 0.693 / 16
    """

    def __init__(self, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
                 reduction='sum_over_batch_size', name='categorical_focal_crossentropy', dtype=None):
        super().__init__(categorical_focal_crossentropy, reduction, name, dtype, alpha=alpha, gamma=gamma,
                         from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """`categorical_generalized_cross_entropy` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]])  # 1
    """

    def __init__(self, q=0.5, reduction='sum_over_batch_size', name='categorical_generalized_cross_entropy',
                 dtype=None):
        if not 0 < q < 1:
            raise ValueError('CategoricalGeneralizedCrossEntropy: `q` must lie between 0 and 1. Received: q=%r' % (q,))
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)

    def call(self, y_true, y_pred):
        return self.fn(y_true, y_pred, **self.arguments)


class Tversky(LossFunctionWrapper):
    """`tversky` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.Tversky()([[1.0, 0.0]], [[1.0, 0.0]])  # 0
    """

    def __init__(self, alpha=0.5, beta=0.5, reduction='sum_over_batch_size', name='tversky', axis=None, dtype=None):
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)


class Dice(LossFunctionWrapper):
    """`dice` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.Dice()([[1.0, 0.0]], [[1.0, 0.0]])  # 0
    """

    def __init__(self, reduction='sum_over_batch_size', name='dice', axis=None, dtype=None):
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Circle(LossFunctionWrapper):
    """`circle` as a class, see `Loss` for the other arguments.

    Example:
        >>> keras.losses.Circle()([0, 0], [[1.0, 0.0], [1.0, 0.0]])  # a scalar
    """

    def __init__(self, gamma=80.0, margin=0.4, remove_diagonal=True, reduction='sum_over_batch_size', name='circle',
                 dtype=None):
        super().__init__(circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)

    def call(self, y_true, y_pred):
        return self.fn(y_true, y_pred, **self.arguments)

    def counted(self, y_true, values):
        # The samples that have another of their class.
        labels = ops.reshape(y_true, (-1,))
        same = ops.equal(ops.expand_dims(labels, 0), ops.expand_dims(labels, 1))
        alike = ops.sum(ops.cast(same, 'int32'), axis=1)
        return ops.greater(alike, int(self.arguments['remove_diagonal']))


class CTC(LossFunctionWrapper):
    """`ctc` as a class, see `Loss` for the arguments.

    Example:
        >>> keras.losses.CTC()(np.array([[1, 2]]), np.zeros((1, 4, 3)))  # a scalar
    """

    def __init__(self, reduction='sum_over_batch_size', name='ctc', dtype=None):
        super().__init__(ctc, reduction, name, dtype)


bce = BCE = binary_crossentropy
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kl_divergence = kullback_leibler_divergence
log_cosh = logcosh
cosine = cosine_proximity = cosine_similarity


# --- by name ------------------------------------------------------------------------------------------------------

def is_categorical_crossentropy(loss):
    """Whether `loss` (a name, a function or an object) is the categorical cross-entropy."""
    function = getattr(loss, 'fn', loss)
    return function == categorical_crossentropy or loss == 'categorical_crossentropy'


_KIND = Kind('loss function', Loss, functions=('y_true', 'y_pred'), home=__name__,
             expected='a name such as "mse", a config, a function of (y_true, y_pred) or a Loss')
_KIND.enter_public(globals(), also='Reduction is_categorical_crossentropy serialize_keras_object')
get, serialize, deserialize = _KIND.module_functions(
    'loss', 'name', example=">>> keras.losses.get('mse') is keras.losses.mean_squared_error\nTrue")
