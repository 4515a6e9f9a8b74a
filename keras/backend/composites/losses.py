"""Cross-entropies, written once. Each gives one value per distribution: the class axis is summed over."""
from keras import config
from keras.backend import primitives as p
from keras.backend import rules
from keras.backend.cases import F, I, Q
from keras.backend.composites.math import clip, log1p
from keras.backend.composites.nn import log_softmax
from keras.backend.composites.shape import dtype_of, moveaxis, ndim, one_hot, shape, squeeze
from keras.backend.dispatch import composite


@composite('target output', promote='same_float', cases=[(Q(2, 3), Q(2, 3)), (Q(2, 3), F(2, 3), True)])
def binary_crossentropy(target, output, from_logits=False):
    """`-target log(output) - (1 - target) log(1 - output)`, element by element.

    Probabilities are clipped to [epsilon, 1 - epsilon]. With `from_logits` the output goes through a sigmoid first,
    without overflow.
    """
    if from_logits:
        return p.maximum(output, 0.0) - output * target + log1p(p.exp(-p.abs(output)))
    output = _clipped(output)
    return -(target * p.log(output) + (1.0 - target) * p.log(1.0 - output))


@composite('target output', promote='same_float', cases=[(Q(2, 3), Q(2, 3)), (Q(2, 3), F(2, 3), True),
                                                         (Q(2, 3, 4), Q(2, 3, 4), False, 1)])
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """`-sum(target * log(output))` over `axis`.

    Without `from_logits`, the output is scaled to sum 1 and clipped to [epsilon, 1 - epsilon] first; with it, it
    goes through a softmax.
    """
    return -p.sum(target * _log_probabilities(output, from_logits, axis), axis)


@composite('target output', promoted='output', promote='float', cases=[
    (I(3, 4), Q(4, 3)), (I(3, 4, 1), F(4, 3), True), (I(3, 2, 4), Q(2, 3, 4), False, 1)])
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """`-log(output)` at the class `target`, integers in the shape of `output` without `axis` (or with size 1 there)."""
    if ndim(target) == ndim(output) and ndim(target):
        target = squeeze(target, axis)
    if not rules.is_integer(dtype_of(target)):
        target = p.cast(target, 'int32')
    last = moveaxis(output, axis, -1) if axis not in (-1, ndim(output) - 1) else output
    logs = _log_probabilities(last, from_logits, -1)
    return -p.sum(logs * one_hot(target, shape(logs)[-1], -1, dtype_of(logs)), -1)


def _log_probabilities(output, from_logits, axis):
    if from_logits:
        return log_softmax(output, axis)
    return p.log(_clipped(output / p.sum(output, axis, True)))


def _clipped(output):
    return clip(output, config.epsilon(), 1.0 - config.epsilon())
