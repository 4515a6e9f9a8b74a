"""Overrides with nodes of CNTK's own for activations, softmaxes, means and cross-entropies."""
import cntk
import numpy as np
from cntk import cntk_py

from keras.backend.contract import rules
from keras.backend.engines.cntk.operations import reciprocal, sqrt
from keras.backend.engines.cntk.tensors import (Batched, Tensor, abstract, constant_node, host_only, in_graph,
                                                node_type, replaced, scalar_node, short_errors, stage_of, tensors_in,
                                                wrapped)
from keras.backend.table.abstract import evaluate
from keras.backend.table.entries import TABLE


def override(name, function):
    """A function for `Engine.overrides` that has `function` build graph where the tensors are graph."""
    def run(*args):
        tensors = tensors_in(args)
        if host_only(tensors) or any(0 in x.shape for x in tensors):
            return NotImplemented
        promised = evaluate(TABLE[name], replaced(args, abstract))
        stage = stage_of(tensors)
        with short_errors():
            result = function(*replaced(args, lambda x: in_graph(x, stage)))
        if result is NotImplemented:
            return result
        if isinstance(promised, (list, tuple)):
            return type(promised)(part if type(part) is Tensor else wrapped(part, leaf.shape, leaf.dtype, stage)
                                  for part, leaf in zip(result, promised))
        return wrapped(result, promised.shape, promised.dtype, stage)
    run.__name__ = name
    return run


def _one_axis(axis, rank):
    """`axis` if it is one axis, else None."""
    axes = rules.normalize_axes(axis, rank)
    return axes[0] if len(axes) == 1 else None


def elementwise(function):
    """A graph function that stays with the batch axis where its argument has one."""
    def run(x):
        return function(x.node, '') if x.batched is None else Batched(function(x.batched, ''))
    return run


_relu = elementwise(cntk_py.re_lu)
sigmoid = elementwise(cntk_py.sigmoid)


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    if negative_slope or threshold or max_value is not None or not rules.is_float(x.dtype):
        return NotImplemented
    return _relu(x)


def elu(x, alpha=1.0):
    return cntk.elu(x.node, alpha)


def softmax(x, axis=-1):
    axis = _one_axis(axis, len(x.shape))
    return NotImplemented if axis is None else cntk.softmax(x.node, axis=axis)


def log_softmax(x, axis=-1):
    axis = _one_axis(axis, len(x.shape))
    if axis is None:
        return NotImplemented
    return cntk.minus(x.node, cntk.reduce_log_sum_exp(x.node, axis=axis))


def logsumexp(x, axis=None, keepdims=False):
    axes = list(rules.normalize_axes(axis, len(x.shape)))
    largest = cntk.reduce_max(x.node, axis=axes)
    # Where that is infinite, CNTK's own is no number.
    is_finite = cntk.equal(cntk.minus(largest, largest), scalar_node(0, x.dtype))
    return cntk.element_select(is_finite, cntk.reduce_log_sum_exp(x.node, axis=axes), largest)


def mean(x, axis=None, keepdims=False):
    axes = rules.normalize_axes(axis, len(x.shape))
    if not axes or not rules.is_float(x.dtype):
        return NotImplemented
    return cntk.reduce_mean(x.node, axis=list(axes))


def square(x):
    return cntk_py.square(x.node, '')


def binary_crossentropy(target, output, from_logits=False):
    if not from_logits:
        return NotImplemented
    return cntk.minus(cntk.softplus(output.node), cntk.element_times(output.node, target.node))


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """The logarithm of the sum of the exponentials, less the output of the class: one pass where targets sum to 1."""
    if not from_logits:
        return NotImplemented
    axis = rules.normalize_axis(axis, len(output.shape))
    total = cntk.element_times(cntk.reduce_log_sum_exp(output.node, axis=axis),
                               cntk.reduce_sum(target.node, axis=axis))
    return cntk.minus(total, cntk.reduce_sum(cntk.element_times(target.node, output.node), axis=axis))


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    rank = len(output.shape)
    if not from_logits or rules.normalize_axis(axis, rank) != rank - 1 or node_type(output.dtype) == 'float64':
        return NotImplemented
    classes = output.shape[-1]
    hot = cntk.equal(cntk.reshape(target.node, output.shape[:-1] + (1,)),
                     constant_node(np.arange(classes), 'float32'))
    loss = cntk.minus(cntk.reduce_log_sum_exp(output.node, axis=rank - 1),
                      cntk.reduce_sum(cntk.element_times(hot, output.node), axis=rank - 1))
    return cntk.element_select(cntk.reduce_sum(hot, axis=rank - 1), loss, constant_node(np.nan, 'float32'))


def _hard_sigmoid(slope):
    # CNTK's own gives a number for what is none.
    return lambda x: cntk.element_select(cntk.equal(x.node, x.node), cntk.hard_sigmoid(x.node, slope, 0.5), x.node)


hard_sigmoid, hard_sigmoid_keras2 = _hard_sigmoid(1 / 6), _hard_sigmoid(0.2)


def silu(x):
    return cntk.element_times(x.node, cntk.sigmoid(x.node))


def softplus(x):
    return cntk.softplus(x.node)


def rsqrt(x):
    return reciprocal(sqrt(x), x.dtype)


def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=1e-3):
    """Normalized over the last axes, which is where `gamma` and `beta` then fit without being moved."""
    rank = len(x.shape)
    axes = sorted(rules.normalize_axes(axis, rank))
    if axes != list(range(rank - len(axes), rank)):
        return NotImplemented
    difference = cntk.minus(x.node, cntk.reduce_mean(x.node, axis=axes))
    variance = cntk.reduce_mean(cntk.square(difference), axis=axes)
    result = cntk.element_times(difference, cntk.reciprocal(cntk.sqrt(
        cntk.plus(variance, scalar_node(epsilon, x.dtype)))))
    if gamma is not None:
        result = cntk.element_times(result, gamma.node)
    return result if beta is None else cntk.plus(result, beta.node)


OVERRIDES = {name: override(name, function) for name, function in dict(
    relu=relu, elu=elu, softmax=softmax, log_softmax=log_softmax, logsumexp=logsumexp, mean=mean, square=square,
    binary_crossentropy=binary_crossentropy, categorical_crossentropy=categorical_crossentropy,
    sparse_categorical_crossentropy=sparse_categorical_crossentropy, hard_sigmoid=hard_sigmoid,
    hard_sigmoid_keras2=hard_sigmoid_keras2, silu=silu, sigmoid=sigmoid, softplus=softplus, rsqrt=rsqrt,
    layer_normalization=layer_normalization).items()}
