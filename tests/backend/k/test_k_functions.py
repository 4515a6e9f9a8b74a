"""Every function of K on tensors, against NumPy: in graphs, on native tensors of a running layer, and its gradient."""
import os
import sys
import zlib

import numpy as np
import pytest
from scipy import special

from keras import backend as K
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array
from keras.backend.table.cases import B, F, I, P, Q, Sample
from keras.layers.calls import running

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'conformance'))
import references  # noqa: E402

HAS_GRADIENTS = get_engine().capabilities.gradients


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def l2(x, axis):
    return x / np.sqrt((x * x).sum(axis, keepdims=True))


def cross_entropy(target, output):
    output = np.clip(output / output.sum(-1, keepdims=True), 1e-7, 1 - 1e-7)
    return -(target * np.log(output)).sum(-1)


def binary(target, output):
    return -target * np.log(output) - (1 - target) * np.log(1 - output)


def chosen(target, output):
    return cross_entropy(np.eye(output.shape[-1])[target.astype(int)], output)


def normalized(x, mean, var, beta, gamma):
    return (x - mean) / np.sqrt(var + 1e-3) * gamma + beta


def batch_normalized(x, gamma, beta):
    mean, var = x.mean(0), x.var(0)
    return normalized(x, mean, var, beta, gamma), mean, var


def conv(x, kernel, strides=1, padding='valid', data_format='channels_last', dilation=1):
    return references.convolution(x, kernel, strides, padding, data_format, dilation, None, None)


def transposed(x, kernel, size, strides, padding):
    rank = x.ndim - 2
    return references.conv_transpose(x, kernel, (strides,) * rank, padding, (1,) * rank, size)


def pool(mode, x, size, strides, padding, data_format='channels_last'):
    first = data_format == 'channels_first'
    x = np.moveaxis(x, 1, -1) if first else x
    found = references.pool(x, size, strides, padding, mode)
    return np.moveaxis(found, -1, 1) if first else found


def padded(x, *pairs):
    return np.pad(x, pairs, mode='constant')


def running_sum(x, mask=None):
    """The outputs and the last of `K.rnn` with the step (i, s) -> s + i * s + i."""
    state, outputs = np.zeros_like(x[:, 0]), []
    for step in range(x.shape[1]):
        new = state + x[:, step] * state + x[:, step]
        keep = np.ones(len(x), bool) if mask is None else mask[:, step].astype(bool)
        state = np.where(keep[:, None], new, state)
        outputs.append(state)
    return np.stack(outputs, 1), state


def rnn(x, mask=None, **options):
    def step(i, states):
        new = states[0] + i * states[0] + i
        return new, [new]
    last, outputs, states = K.rnn(step, x, [K.zeros_like(x[:, 0])], mask=mask, **options)
    return [outputs, last, states[0]]


def rnn_reference(x, mask=None):
    outputs, last = running_sum(x, mask)
    return [outputs, last, last]


def reversed_rnn(x):
    outputs, last = running_sum(x[:, ::-1])
    return [outputs, last, last]


def with_constants(x, c):
    return K.rnn(lambda i, s: (i * s[1] + s[0], [i * s[1] + s[0]]), x, [K.zeros_like(x[:, 0])], constants=[c])[1]


def repeats(x, y):
    return np.cumsum(x * y[:, None], 1)


class Case:
    """A call of K, the same in NumPy (in float64), and samples of the arguments.

    gradient: whether it has one by the arguments that are floats.
    """

    def __init__(self, name, function, reference, *samples, **options):
        self.name, self.function, self.reference, self.samples = name, function, reference, samples
        self.gradient = options.pop('gradient', True)
        self.tolerance = options.pop('tolerance', 2e-5)
        assert not options

    def arrays(self):
        generator = np.random.RandomState(zlib.crc32(self.name.encode()))
        return [sample.draw(generator) if isinstance(sample, Sample) else np.asarray(sample) for sample in self.samples]

    def expected(self, arrays):
        found = self.reference(*[array.astype('float64') if array.dtype == 'float32' else array for array in arrays])
        return [np.asarray(one) for one in (found if isinstance(found, (list, tuple)) else [found])]


def case(name, function, reference, *samples, **options):
    return pytest.param(Case(name, function, reference, *samples, **options), id=name)


M = F(2, 3)
FLAT = False
CASES = [
    case('abs', K.abs, np.abs, M),
    case('all', lambda x: K.all(x, axis=1), lambda x: x.all(1), B(3, 2), gradient=FLAT),
    case('any', lambda x: K.any(x, axis=-1, keepdims=True), lambda x: x.any(-1, keepdims=True), B(3, 2), gradient=FLAT),
    case('argmax', K.argmax, lambda x: x.argmax(-1), M, gradient=FLAT),
    case('argmin', lambda x: K.argmin(x, axis=0), lambda x: x.argmin(0), M, gradient=FLAT),
    case('batch_dot', K.batch_dot, np.matmul, F(2, 3, 4), F(2, 4, 2)),
    case('batch_dot of vectors', lambda x, y: K.batch_dot(x, y, axes=1), lambda x, y: (x * y).sum(1, keepdims=True),
         F(2, 3), F(2, 3)),
    case('batch_dot of ranks 2 and 3', lambda x, y: K.batch_dot(x, y, axes=(1, 2)),
         lambda x, y: np.einsum('bi,bji->bj', x, y), F(2, 3), F(2, 4, 3)),
    case('batch_dot over the same axis', lambda x, y: K.batch_dot(x, y, axes=2),
         lambda x, y: np.einsum('bij,bkj->bik', x, y), F(2, 3, 4), F(2, 5, 4)),
    case('batch_dot of rank 4', lambda x, y: K.batch_dot(x, y, axes=[3, 1]),
         lambda x, y: np.einsum('bijk,bkl->bijl', x, y), F(2, 3, 2, 4), F(2, 4, 2)),
    case('batch_flatten', K.batch_flatten, lambda x: x.reshape(2, -1), F(2, 3, 2)),
    case('batch_normalization', K.batch_normalization, normalized, F(4, 3), F(3), P(3), F(3), F(3)),
    case('batch_normalization, axis 1', lambda x, m, v, b, g: K.batch_normalization(x, m, v, b, g, axis=1),
         lambda x, *rest: normalized(x, *[one[:, None] for one in rest]), F(2, 3, 4), F(3), P(3), F(3), F(3)),
    case('batch_normalization without scale', lambda x, m, v: K.batch_normalization(x, m, v, None, None),
         lambda x, m, v: normalized(x, m, v, 0, 1), F(4, 3), F(1, 3), P(1, 3)),
    case('bias_add', K.bias_add, np.add, F(2, 4, 3), F(3)),
    case('bias_add, channels first', lambda x, b: K.bias_add(x, b, 'channels_first'), lambda x, b: x + b[:, None, None],
         F(2, 3, 2, 2), F(3)),
    case('binary_crossentropy', K.binary_crossentropy, binary, Q(2, 3), Q(2, 3), tolerance=1e-4),
    case('binary_crossentropy of logits', lambda t, x: K.binary_crossentropy(t, x, from_logits=True),
         lambda t, x: binary(t, sigmoid(x)), Q(2, 3), M, tolerance=1e-4),
    case('cast', lambda x: K.cast(x, 'float32') * 2.0, lambda x: x * 2.0, I(5, 2, 3)),
    case('cast of booleans', lambda x: K.cast(x > 0.5, 'int32'), lambda x: (x > 0.5).astype(int), M, gradient=FLAT),
    case('categorical_crossentropy', K.categorical_crossentropy, cross_entropy, Q(2, 3), Q(2, 3), tolerance=1e-4),
    case('categorical_crossentropy of logits', lambda t, x: K.categorical_crossentropy(t, x, from_logits=True),
         lambda t, x: cross_entropy(t, softmax(x)), Q(2, 3), M, tolerance=1e-4),
    case('clip', lambda x: K.clip(x, -1.0, 0.5), lambda x: np.clip(x, -1, 0.5), M),
    case('concatenate', lambda x, y: K.concatenate([x, y]), lambda x, y: np.concatenate([x, y], -1), M, F(2, 2)),
    case('concatenate, axis 0', lambda x, y: K.concatenate([x, y], axis=0), lambda x, y: np.concatenate([x, y]), M,
         F(1, 3)),
    case('conv1d', lambda x, k: K.conv1d(x, k, 2, 'same'), lambda x, k: conv(x, k, 2, 'same'), F(2, 5, 2), F(3, 2, 2)),
    case('conv1d, causal', lambda x, k: K.conv1d(x, k, padding='causal', dilation_rate=2),
         lambda x, k: conv(x, k, 1, 'causal', dilation=2), F(1, 6, 2), F(2, 2, 2)),
    case('conv2d', K.conv2d, conv, F(1, 4, 4, 2), F(3, 2, 2, 2)),
    case('conv2d, same, strides', lambda x, k: K.conv2d(x, k, (2, 2), 'same'), lambda x, k: conv(x, k, 2, 'same'),
         F(1, 4, 5, 2), F(3, 3, 2, 2)),
    case('conv2d, channels first', lambda x, k: K.conv2d(x, k, data_format='channels_first'),
         lambda x, k: conv(x, k, data_format='channels_first'), F(1, 2, 4, 4), F(2, 2, 2, 3)),
    case('conv2d, dilated', lambda x, k: K.conv2d(x, k, dilation_rate=(2, 2)), lambda x, k: conv(x, k, dilation=2),
         F(1, 5, 5, 1), F(2, 2, 1, 2)),
    case('conv2d_transpose', lambda x, k: K.conv2d_transpose(x, k, (1, 6, 6, 2), (2, 2), 'same'),
         lambda x, k: transposed(x, k, (6, 6), 2, 'same'), F(1, 3, 3, 2), F(3, 3, 2, 2)),
    case('conv3d', lambda x, k: K.conv3d(x, k, padding='same'), lambda x, k: conv(x, k, 1, 'same'), F(1, 3, 3, 3, 1),
         F(2, 2, 2, 1, 2)),
    case('conv3d_transpose', lambda x, k: K.conv3d_transpose(x, k, (1, 4, 4, 4, 1), (2, 2, 2)),
         lambda x, k: transposed(x, k, (4, 4, 4), 2, 'valid'), F(1, 2, 2, 2, 1), F(2, 2, 2, 1, 1)),
    case('cos', K.cos, np.cos, M),
    case('cumprod', lambda x: K.cumprod(x, axis=1), lambda x: np.cumprod(x, 1), M),
    case('cumsum', K.cumsum, lambda x: np.cumsum(x, 0), M),
    case('depthwise_conv2d', lambda x, k: K.depthwise_conv2d(x, k, padding='same'),
         lambda x, k: references.depthwise_conv(x, k, 1, 'same', 'channels_last', 1), F(1, 3, 3, 2), F(2, 2, 2, 2)),
    case('dot', K.dot, np.dot, F(2, 3), F(3, 2)),
    case('dot of ranks 3 and 2', K.dot, np.dot, F(2, 2, 3), F(3, 2)),
    case('dot of rank 3', K.dot, np.dot, F(2, 3), F(2, 3, 2)),
    case('elu', lambda x: K.elu(x, 0.5), lambda x: np.where(x > 0, x, 0.5 * (np.exp(x) - 1)), M),
    case('equal', K.equal, np.equal, I(3, 2, 3), I(3, 2, 3), gradient=FLAT),
    case('exp', K.exp, np.exp, M),
    case('expand_dims', lambda x: K.expand_dims(x, 1), lambda x: x[:, None], M),
    case('flatten', K.flatten, np.ravel, M),
    case('foldl', lambda x: K.foldl(lambda a, b: a * b + b, x), lambda x: (x[0] * x[1] + x[1]) * x[2] + x[2], F(3, 2)),
    case('foldl from a value', lambda x, s: K.foldl(lambda a, b: a - b, x, s), lambda x, s: s - x.sum(0), F(3, 2),
         F(2)),
    case('foldr', lambda x: K.foldr(lambda a, b: a * b + b, x), lambda x: (x[2] * x[1] + x[1]) * x[0] + x[0], F(3, 2)),
    case('foldr with a tensor from outside', lambda x, y: K.foldr(lambda a, b: a + b * y, x),
         lambda x, y: x[2] + (x[0] + x[1]) * y, F(3, 2), F(2)),
    case('gather', K.gather, lambda x, i: x[i], F(4, 2), I(4, 2, 3)),
    case('greater', K.greater, np.greater, M, M, gradient=FLAT),
    case('greater_equal', K.greater_equal, np.greater_equal, M, M, gradient=FLAT),
    case('hard_sigmoid', K.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1), M),
    case('identity', K.identity, lambda x: x, M),
    case('in_top_k', lambda x, t: K.in_top_k(x, t, 2), lambda x, t: (x > x[np.arange(3), t][:, None]).sum(1) < 2,
         F(3, 4), I(4, 3), gradient=FLAT),
    case('l2_normalize', lambda x: K.l2_normalize(x, axis=1), lambda x: l2(x, 1), M),
    case('less', K.less, np.less, M, M, gradient=FLAT),
    case('less_equal', K.less_equal, np.less_equal, M, M, gradient=FLAT),
    case('local_conv1d', lambda x, k: K.local_conv1d(x, k, (2,), (1,)),
         lambda x, k: references.local_conv(x, k, (2,), (1,), 'channels_last'), F(2, 4, 2), F(3, 4, 2)),
    case('local_conv2d', lambda x, k: K.local_conv2d(x, k, (2, 2), (1, 1), (2, 2)),
         lambda x, k: references.local_conv(x, k, (2, 2), (1, 1), 'channels_last'), F(1, 3, 3, 1), F(4, 4, 2)),
    case('log', K.log, np.log, P(2, 3)),
    case('logsumexp', lambda x: K.logsumexp(x, axis=1), lambda x: special.logsumexp(x, 1), M),
    case('map_fn', lambda x: K.map_fn(lambda e: K.sum(e * e), x), lambda x: (x * x).sum(1), M),
    case('map_fn with a tensor from outside', lambda x, y: K.map_fn(lambda e: e * y, x), lambda x, y: x * y, M, F(3)),
    case('map_fn of several tensors', lambda x, y: K.map_fn(lambda e: (e[0] * e[1], e[0] + e[1]), (x, y)),
         lambda x, y: (x * y, x + y), M, M),
    case('max', lambda x: K.max(x, axis=1), lambda x: x.max(1), M),
    case('maximum', K.maximum, np.maximum, M, P(2, 3)),
    case('mean', lambda x: K.mean(x, axis=[0, 2], keepdims=True), lambda x: x.mean((0, 2), keepdims=True), F(2, 3, 2)),
    case('mean of booleans', K.mean, np.mean, B(2, 3), gradient=FLAT),
    case('min', lambda x: K.min(x, axis=0, keepdims=True), lambda x: x.min(0, keepdims=True), M),
    case('minimum', K.minimum, np.minimum, M, P(2, 3)),
    case('normalize_batch_in_training', lambda x, g, b: K.normalize_batch_in_training(x, g, b, [0]), batch_normalized,
         F(4, 3), F(3), F(3), tolerance=1e-4),
    case('not_equal', K.not_equal, np.not_equal, I(3, 2, 3), I(3, 2, 3), gradient=FLAT),
    case('one_hot', lambda x: K.one_hot(x, 4), lambda x: np.eye(4)[x], I(4, 2, 3)),
    case('ones_like', K.ones_like, np.ones_like, M, gradient=FLAT),
    case('permute_dimensions', lambda x: K.permute_dimensions(x, (0, 2, 1)), lambda x: x.transpose(0, 2, 1),
         F(2, 3, 2)),
    case('pool2d', lambda x: K.pool2d(x, (2, 2), (2, 2)), lambda x: pool('max', x, (2, 2), (2, 2), 'valid'),
         F(1, 4, 4, 2)),
    case('pool2d, mean, same', lambda x: K.pool2d(x, (2, 2), (2, 2), 'same', pool_mode='avg'),
         lambda x: pool('avg', x, (2, 2), (2, 2), 'same'), F(1, 3, 3, 1)),
    case('pool2d, channels first', lambda x: K.pool2d(x, (2, 2), data_format='channels_first'),
         lambda x: pool('max', x, (2, 2), (1, 1), 'valid', 'channels_first'), F(1, 2, 3, 3)),
    case('pool3d', lambda x: K.pool3d(x, (2, 2, 2), (2, 2, 2)), lambda x: pool('max', x, (2,) * 3, (2,) * 3, 'valid'),
         F(1, 4, 4, 2, 1)),
    case('pow', lambda x: K.pow(x, 3), lambda x: x ** 3, M),
    case('prod', lambda x: K.prod(x, axis=1), lambda x: x.prod(1), M),
    case('relu', K.relu, lambda x: np.maximum(x, 0), M),
    case('relu with all arguments', lambda x: K.relu(x, alpha=0.1, max_value=1.0, threshold=0.3),
         lambda x: np.where(x < 0.3, 0.1 * (x - 0.3), np.minimum(x, 1)), M),
    case('repeat', lambda x: K.repeat(x, 3), lambda x: np.repeat(x[:, None], 3, 1), M),
    case('repeat_elements', lambda x: K.repeat_elements(x, 2, axis=1), lambda x: np.repeat(x, 2, 1), M),
    case('reshape', lambda x: K.reshape(x, (-1, 2)), lambda x: x.reshape(-1, 2), F(2, 4)),
    case('resize_images', lambda x: K.resize_images(x, 2, 3, 'channels_last'),
         lambda x: x.repeat(2, 1).repeat(3, 2), F(1, 2, 2, 1)),
    case('resize_volumes', lambda x: K.resize_volumes(x, 2, 1, 2, 'channels_first'),
         lambda x: x.repeat(2, 2).repeat(2, 4), F(1, 1, 2, 2, 1)),
    case('reverse', lambda x: K.reverse(x, axes=1), lambda x: x[:, ::-1], M),
    case('rnn', rnn, rnn_reference, F(2, 3, 2)),
    case('rnn with a mask', rnn, rnn_reference, F(2, 3, 2), np.array([[1, 1, 0], [1, 0, 1]], bool)),
    case('rnn backwards', lambda x: rnn(x, go_backwards=True), reversed_rnn, F(2, 3, 2)),
    case('rnn unrolled', lambda x, mask: rnn(x, mask, unroll=True, input_length=3), rnn_reference, F(2, 3, 2),
         np.array([[1, 1, 0], [1, 0, 1]], bool)),
    case('rnn with constants', with_constants, repeats, F(2, 3, 2), F(2, 2)),
    case('rnn with a tensor from outside',
         lambda x, y: K.rnn(lambda i, s: (s[0] + i * y, [s[0] + i * y]), x, [K.zeros_like(x[:, 0])])[1],
         repeats, F(2, 3, 2), F(2, 2)),
    case('round', K.round, np.round, M, gradient=FLAT),
    case('separable_conv1d', lambda x, d, p: K.separable_conv1d(x, d, p),
         lambda x, d, p: references.separable_conv(x, d, p, 1, 'valid', 'channels_last', 1), F(1, 4, 2), F(2, 2, 1),
         F(1, 2, 3)),
    case('separable_conv2d', lambda x, d, p: K.separable_conv2d(x, d, p, padding='same'),
         lambda x, d, p: references.separable_conv(x, d, p, 1, 'same', 'channels_last', 1), F(1, 3, 3, 2),
         F(2, 2, 2, 1), F(1, 1, 2, 2)),
    case('shape', lambda x: K.reshape(x, (K.shape(x)[0] * 3, 1)), lambda x: x.reshape(-1, 1), M),
    case('sigmoid', K.sigmoid, sigmoid, M),
    case('sign', K.sign, np.sign, M, gradient=FLAT),
    case('sin', K.sin, np.sin, M),
    case('size', K.size, np.size, M, gradient=FLAT),
    case('slice', lambda x: K.slice(x, [0, 1], [1, -1]), lambda x: x[:1, 1:], M),
    case('softmax', K.softmax, softmax, M),
    case('softmax, axis 1', lambda x: K.softmax(x, axis=1), lambda x: softmax(x.swapaxes(1, 2)).swapaxes(1, 2),
         F(2, 3, 2)),
    case('softplus', K.softplus, lambda x: np.log1p(np.exp(x)), M),
    case('softsign', K.softsign, lambda x: x / (1 + np.abs(x)), M),
    case('sparse_categorical_crossentropy', K.sparse_categorical_crossentropy, chosen, I(3, 2), Q(2, 3),
         tolerance=1e-4),
    case('sparse_categorical_crossentropy of logits',
         lambda t, x: K.sparse_categorical_crossentropy(t, x, from_logits=True), lambda t, x: chosen(t, softmax(x)),
         I(3, 2), M, tolerance=1e-4),
    case('spatial_2d_padding', lambda x: K.spatial_2d_padding(x, ((1, 0), (2, 1))),
         lambda x: padded(x, (0, 0), (1, 0), (2, 1), (0, 0)), F(1, 2, 2, 1)),
    case('spatial_3d_padding', lambda x: K.spatial_3d_padding(x, data_format='channels_first'),
         lambda x: padded(x, (0, 0), (0, 0), (1, 1), (1, 1), (1, 1)), F(1, 1, 2, 1, 2)),
    case('sqrt', K.sqrt, np.sqrt, P(2, 3)),
    case('square', K.square, np.square, M),
    case('squeeze', lambda x: K.squeeze(x, 1), lambda x: x[:, 0], F(2, 1, 3)),
    case('stack', lambda x, y: K.stack([x, y], axis=1), lambda x, y: np.stack([x, y], 1), M, M),
    case('std', lambda x: K.std(x, axis=0), lambda x: x.std(0), F(4, 2)),
    case('stop_gradient', K.stop_gradient, lambda x: x, M, gradient=FLAT),
    case('sum', K.sum, np.sum, M),
    case('sum over axes', lambda x: K.sum(x, axis=(0, -1)), lambda x: x.sum((0, -1)), F(2, 3, 2)),
    case('switch', lambda c, x, y: K.switch(c, x, y), lambda c, x, y: np.where(c, x, y), B(2, 3), M, M),
    case('switch by rows', lambda c, x, y: K.switch(c, x, y), lambda c, x, y: np.where(c[:, None], x, y),
         np.array([True, False]), M, M),
    case('switch of functions', lambda x, y: K.switch(K.sum(x) > 100.0, lambda: x, lambda: x * y), np.multiply, M, M),
    case('tanh', K.tanh, np.tanh, M),
    case('temporal_padding', lambda x: K.temporal_padding(x, (1, 2)), lambda x: padded(x, (0, 0), (1, 2), (0, 0)),
         F(1, 2, 2)),
    case('tile', lambda x: K.tile(x, (2, 1)), lambda x: np.tile(x, (2, 1)), M),
    case('transpose', K.transpose, np.transpose, M),
    case('var', lambda x: K.var(x, axis=1, keepdims=True), lambda x: x.var(1, keepdims=True), M),
    case('zeros_like', K.zeros_like, np.zeros_like, M, gradient=FLAT),
    case('arithmetic', lambda x, y: (1.0 - x) * y / (2.0 + y ** 2) + (-x), lambda x, y: (1 - x) * y / (2 + y ** 2) - x,
         M, M),
    case('division and remainder', lambda x, y: [x // y, x % y], lambda x, y: [x // y, x % y],
         P(2, 3), P(2, 3), gradient=FLAT),
    case('comparisons', lambda x, y: [x > y, x >= y, x < 0.5, x <= y], lambda x, y: [x > y, x >= y, x < 0.5, x <= y],
         M, M, gradient=FLAT),
    case('logic', lambda x, y: [x & y, x | y, ~x], lambda x, y: [x & y, x | y, ~x], B(2, 3), B(2, 3), gradient=FLAT),
    case('indexing', lambda x: [x[0], x[:, 1:], x[..., -1], x[:, None], x[::2]],
         lambda x: [x[0], x[:, 1:], x[..., -1], x[:, None], x[::2]], F(3, 4)),
]


def listed(found):
    return list(found) if isinstance(found, (list, tuple)) else [found]


def assert_close(found, expected, tolerance):
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        one = np.asarray(to_array(one))
        assert one.shape == other.shape
        if other.dtype.kind == 'f':
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
        else:
            np.testing.assert_array_equal(one, other)


def directional(case, arrays, weights, place, direction):
    """The derivative of the weighted sum of the results by the argument at `place`, by central difference."""
    def total(step):
        moved = [array.astype('float64') if array.dtype == 'float32' else array for array in arrays]
        moved[place] = moved[place] + step * direction
        return sum((weight * result).sum() for weight, result in zip(weights, case.expected(moved)))
    return (total(1e-5) - total(-1e-5)) / 2e-5


@pytest.mark.parametrize('case', CASES)
def test_in_a_graph(case):
    arrays = case.arrays()
    shapes = [array.shape for array in arrays]
    shapes[0] = (None,) + shapes[0][1:]
    places = [K.placeholder(shape, dtype=array.dtype.name) for shape, array in zip(shapes, arrays)]
    outputs = listed(case.function(*places))
    expected = case.expected(arrays)
    generator = np.random.RandomState(5)
    weights = [generator.uniform(0.5, 1.5, result.shape) for result in expected]
    floats = [place for place, array in enumerate(arrays) if array.dtype.kind == 'f'] if case.gradient else []
    gradients = []
    if floats and HAS_GRADIENTS:
        total = sum(K.sum(output * weight.astype('float32')) for output, weight in zip(outputs, weights))
        gradients = K.gradients(total, [places[place] for place in floats])
    found = K.function(places, outputs + gradients)(arrays)
    assert_close(found[:len(outputs)], expected, case.tolerance)
    for place, gradient in zip(floats, found[len(outputs):]):
        direction = generator.uniform(-1, 1, arrays[place].shape)
        assert gradient.shape == arrays[place].shape
        np.testing.assert_allclose((gradient * direction).sum(),
                                   directional(case, arrays, weights, place, direction), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize('case', CASES)
def test_in_a_running_layer(case):
    arrays = case.arrays()
    with running(None):
        found = listed(case.function(*[get_engine().convert(array) for array in arrays]))
    assert_close(found, case.expected(arrays), case.tolerance)


def test_gradients_are_none_where_nothing_can_flow():
    x = K.placeholder((2, 3))
    for output in (K.argmax(x), K.stop_gradient(x), x > 0.0, K.ones_like(x) > 0.5):
        assert K.gradients(K.sum(K.cast(output, 'float32')), x) == [None]


@pytest.mark.parametrize('function, shape, low, high', [
    (lambda: K.random_uniform((200,), -1.0, 2.0), (200,), -1.0, 2.0),
    (lambda: K.random_normal((200,), 3.0, 0.1), (200,), 2.0, 4.0),
    (lambda: K.truncated_normal((200,), 0.0, 1.0), (200,), -2.0, 2.0),
    (lambda: K.random_binomial((200,), 0.5), (200,), 0.0, 1.0),
    (lambda: K.dropout(K.ones((200,)), 0.5), (200,), 0.0, 2.0),
    (lambda: K.random_uniform_variable((200,), 0.0, 1.0), (200,), 0.0, 1.0),
    (lambda: K.random_normal_variable((200,), 0.0, 0.1), (200,), -1.0, 1.0)],
    ids=['uniform', 'normal', 'truncated', 'binomial', 'dropout', 'uniform variable', 'normal variable'])
def test_random(function, shape, low, high):
    drawn = function()
    first = K.eval(drawn)
    assert first.shape == shape and first.min() >= low and first.max() <= high and len(set(first)) > 1
    if not K.is_variable(drawn):
        assert (K.eval(drawn) != first).any()


def test_dropout_with_noise_shape():
    x = K.placeholder((None, 50, 4))
    found = K.function([x], [K.dropout(x, 0.5, noise_shape=(None, 50, 1), seed=3)])([np.ones((2, 50, 4))])[0]
    assert set(np.unique(found)) == {0.0, 2.0}
    np.testing.assert_array_equal(found, np.repeat(found[:, :, :1], 4, 2))


def test_creation():
    np.testing.assert_array_equal(K.eval(K.arange(1, 7, 2)), [1, 3, 5])
    np.testing.assert_array_equal(K.eval(K.eye((2, 3))), np.eye(2, 3))
    np.testing.assert_array_equal(K.eval(K.zeros((2, 2)) + K.ones((2, 2))), np.ones((2, 2)))
    np.testing.assert_array_equal(K.eval(K.constant([[1, 2]], shape=(2, 2))), [[1, 2], [1, 2]])


def test_shapes_are_tensors_and_tuples():
    x = K.placeholder((None, 3))
    value = np.ones((4, 3))
    sizes = K.shape(x)
    found = K.function([x], [sizes, K.prod(sizes), sizes[0] * 2, K.cast(sizes[1:], 'float32'), K.ones_like(x) * 2.0,
                             K.zeros(sizes), K.tile(x, [1, sizes[1]]), x[:, ::-1], x[:sizes[0] // 2]])([value])
    for one, expected in zip(found, [[4, 3], 12, 8, [3.0], value * 2, value * 0, np.ones((4, 9)), value, value[:2]]):
        np.testing.assert_array_equal(one, expected)
    np.testing.assert_array_equal(K.eval(K.shape(K.variable(value) * 2.0)), [4, 3])


def test_on_variables_graphs_follow_the_value():
    x, y = K.variable([[1.0, 2.0]]), K.variable([[3.0], [4.0]])
    product = K.dot(x, y) + K.sum(x * 2.0)
    np.testing.assert_allclose(K.eval(product), [[17.0]])
    K.set_value(x, [[0.0, 1.0]])
    np.testing.assert_allclose(K.eval(product), [[6.0]])


def test_focal_crossentropies():
    target, output = np.array([0.0, 1.0]), np.array([0.3, 0.6])

    def binary(p, alpha=None, gamma=2.0):
        right = np.where(target == 1, p, 1 - p)
        weight = 1.0 if alpha is None else np.where(target == 1, alpha, 1 - alpha)
        return -weight * (1 - right) ** gamma * np.log(right)
    found = K.eval(K.binary_focal_crossentropy(K.constant(target), K.constant(output)))
    np.testing.assert_allclose(found, binary(output), rtol=1e-5)
    found = K.eval(K.binary_focal_crossentropy(K.constant(target), K.constant(output), True, 0.3, 1.0))
    np.testing.assert_allclose(found, binary(output, 0.3, 1.0), rtol=1e-5)
    found = K.eval(K.binary_focal_crossentropy(K.constant(target), K.constant(output), from_logits=True))
    np.testing.assert_allclose(found, binary(1 / (1 + np.exp(-output))), rtol=1e-5)
    found = K.eval(K.categorical_focal_crossentropy(K.constant([[0.0, 1.0]]), K.constant([[0.4, 0.6]])))
    np.testing.assert_allclose(found, [-0.25 * 0.4 ** 2 * np.log(0.6)], rtol=1e-5)


def test_learning_phase_scope():
    with K.learning_phase_scope(1):
        assert K.learning_phase() == 1
        with K.learning_phase_scope(0):
            assert K.learning_phase() == 0
        assert K.learning_phase() == 1
    assert not isinstance(K.learning_phase(), int)
    with pytest.raises(ValueError, match='0 or 1'):
        with K.learning_phase_scope(2):
            pass
