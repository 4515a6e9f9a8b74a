"""Cross-entropies, written once. Each gives one value per distribution: the class axis is summed over."""
from keras import config
from keras.backend.table import primitives as p
from keras.backend.table.cases import F, I, Q, Sample
from keras.backend.table.composites.math import clip, less_equal, logaddexp, mean
from keras.backend.table.composites.nn import log_softmax, sigmoid, softmax, softplus
from keras.backend.table.composites.shape import (dtype_of, expand_dims, moveaxis, ndim, one_hot, shape, sliced,
                                                  squeeze, stack, take_along_axis, unstack)
from keras.backend.table.dispatch import composite


@composite('target output', promote='same_float', cases=[(Q(2, 3), Q(2, 3)), (Q(2, 3), F(2, 3), True)])
def binary_crossentropy(target, output, from_logits=False):
    """`-target log(output) - (1 - target) log(1 - output)`, element by element.

    Probabilities are clipped to [epsilon, 1 - epsilon]. With `from_logits` the output goes through a sigmoid first,
    without overflow.

    Example:
        >>> keras.ops.binary_crossentropy([1.0], [0.5])
        array([0.6931472], dtype=float32)
    """
    if from_logits:
        return softplus(output) - output * target
    output = _clipped(output)
    return -(target * p.log(output) + (1.0 - target) * p.log(1.0 - output))


@composite('totals value', promote='same_float', cases=[(F(1), F(1), 32.0)])
def count_in(totals, value, samples):
    """`totals + value * samples`: the mean of so many samples, a number, joins a sum."""
    return totals + value * samples


def binary_crossentropy_with_epsilon(target, output):
    """`binary_crossentropy` of probabilities to which epsilon is added once they are clipped, as in Keras 2."""
    epsilon, output = config.epsilon(), _clipped(output)
    target = p.cast(target, dtype_of(output))
    return -(target * p.log(output + epsilon) + (1.0 - target) * p.log(1.0 - output + epsilon))


def binary_focal_crossentropy(target, output, balanced, alpha, gamma, from_logits):
    """`binary_crossentropy` times `(1 - p)^gamma`, p the probability of the right class, element by element.

    With `balanced`, class 1 is weighed by `alpha` and class 0 by `1 - alpha`.
    """
    target = p.cast(target, dtype_of(output))
    probability = sigmoid(output) if from_logits else output
    right = probability * target + (1.0 - target) * (1.0 - probability)
    loss = p.power(1.0 - right, float(gamma)) * binary_crossentropy(target, probability, False)
    return loss * (target * float(alpha) + (1.0 - target) * (1.0 - alpha)) if balanced else loss


def categorical_focal_crossentropy(target, output, alpha, gamma, from_logits, axis):
    """`categorical_crossentropy` with each class weighed by `alpha * (1 - p)^gamma`, p its probability."""
    target = p.cast(target, dtype_of(output))
    probability = softmax(output, axis) if from_logits else output
    probability = _clipped(probability / p.sum(probability, axis, True))
    weights = p.multiply(p.power(1.0 - probability, float(gamma)), alpha)
    return -p.sum(weights * p.log(probability) * target, axis)


def clipped_logits(output):
    """The logarithms of clipped probabilities: logits of what they are when scaled to sum 1, as in Keras 2."""
    return p.log(_clipped(output))


@composite('target output', promote='same_float', cases=[(Q(2, 3), Q(2, 3)), (Q(2, 3), F(2, 3), True),
                                                         (Q(2, 3, 4), Q(2, 3, 4), False, 1)])
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """`-sum(target * log(output))` over `axis`.

    Without `from_logits`, the output is scaled to sum 1 and clipped to [epsilon, 1 - epsilon] first; with it, it
    goes through a softmax.

    Example:
        >>> keras.ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        array([0.6931472], dtype=float32)
    """
    return -p.sum(target * _log_probabilities(output, from_logits, axis), axis)


@composite('target output', promoted='output', promote='float', cases=[
    (I(3, 4), Q(4, 3)), (I(3, 4, 1), F(4, 3), True), (I(3, 2, 4), Q(2, 3, 4), False, 1)])
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """`-log(output)` at the class `target`, integers in the shape of `output` without `axis` (or with size 1 there).

    Where a number is none of a class the result is NaN, or the engine raises.

    Example:
        >>> keras.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        array([0.6931472], dtype=float32)
    """
    if ndim(target) == ndim(output) and ndim(target):
        target = squeeze(target, axis)
    if dtype_of(target) not in ('int32', 'int64'):
        # A narrow integer may not hold the number of classes.
        target = p.cast(target, 'int32')
    last = moveaxis(output, axis, -1) if axis not in (-1, ndim(output) - 1) else output
    logs = _log_probabilities(last, from_logits, -1)
    classes = shape(logs)[-1]
    losses = -p.sum(logs * one_hot(target, classes, -1, dtype_of(logs)), -1)
    return p.where(p.logical_or(p.less(target, 0), less_equal(classes, target)), float('nan'), losses)


@composite('target output', promoted='output', promote='float', cases=[(I(3, 4), F(4, 3), True)])
def mean_sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """The mean of `sparse_categorical_crossentropy`."""
    return mean(sparse_categorical_crossentropy(target, output, from_logits, axis))



# Stands for the logarithm of 0: finite, so that gradients stay so too.
_LOG_ZERO = -1e30


@composite('target output target_length output_length', promoted='output', promote='float', cases=[
    (I(3, 2, 3), F(2, 8, 5), Sample('int', (2,), 1, 4), Sample('int', (2,), 7, 9), 4)])
def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """Connectionist temporal classification (Graves et al., 2006): `-log p(target | output)`, one value per sample.

    Args:
        target: integer classes (batch, labels). output: logits (batch, time, classes).
        target_length, output_length: integers (batch,), how much of each counts.
        mask_index: the class that stands for no label.

    Example:
        >>> keras.ops.ctc_loss([[1]], np.zeros((1, 2, 2)), [1], [2])
        array([0.28768207])
    """
    target = p.cast(target, 'int32')
    if dtype_of(output) in ('float16', 'bfloat16'):
        output = p.cast(output, 'float32')
    logs = p.transpose(log_softmax(output, -1), (1, 0, 2))
    batch, labels = shape(target)
    blanks = p.full_like(target, mask_index)
    # A blank before every label and one behind the last.
    path = p.reshape(stack([blanks, target], 2), (batch, labels * 2))
    path = p.concatenate([path, sliced(blanks, 1, 0, 1)], 1)
    # A label may follow the one before it without a blank between them where they differ.
    before = p.concatenate([p.full_like(sliced(path, 1, 0, 2), mask_index), sliced(path, 1, 0, -2)], 1)
    places = expand_dims(p.arange(labels * 2 + 1, dtype='int32'), 0)
    skips = p.logical_and(p.equal(p.mod(places, 2), 1), p.logical_not(p.equal(path, before)))
    start = p.broadcast_to(p.less(places, 2), shape(path))
    first = _emitted(logs, 0, path)
    alpha = p.where(start, first, p.full_like(first, _LOG_ZERO))
    steps = p.arange(1, shape(logs)[0], dtype='int32')

    def step(carry, xs):
        alpha, emitted = carry[0], take_along_axis(xs[0], path, 1)
        new = logaddexp(alpha, _moved_right(alpha, 1))
        two = _moved_right(alpha, 2)
        new = logaddexp(new, p.where(skips, two, p.full_like(two, _LOG_ZERO)))
        new = p.maximum(new + emitted, _LOG_ZERO)
        going = expand_dims(p.less(xs[1], p.cast(output_length, 'int32')), 1)
        return [p.where(going, new, alpha)], []
    (alpha,), _ = p.scan(step, [alpha], [sliced(logs, 0, 1, None), steps], None, False)
    last = expand_dims(p.cast(target_length, 'int32'), 1) * 2
    ends = take_along_axis(alpha, p.concatenate([last, p.maximum(last - 1, 0)], 1), 1)
    empty = p.equal(p.cast(target_length, 'int32'), 0)
    final, label = unstack(ends, 2, 1)
    return -p.where(empty, final, logaddexp(final, label))


def _emitted(logs, time, path):
    return take_along_axis(squeeze(sliced(logs, 0, time, time + 1), 0), path, 1)


def _moved_right(x, places):
    return p.concatenate([p.full_like(sliced(x, 1, 0, places), _LOG_ZERO), sliced(x, 1, 0, -places)], 1)


def _log_probabilities(output, from_logits, axis):
    if from_logits:
        return log_softmax(output, axis)
    return p.log(_clipped(output / p.sum(output, axis, True)))


def _clipped(output):
    return clip(output, config.epsilon(), 1.0 - config.epsilon())
