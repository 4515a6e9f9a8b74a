"""The works in plain Theano, or PyTensor where Theano is not installed: one function with updates per kind of step.

Images are channels first for Theano's own convolution. Batch normalization is written out: `batch_normalization_train`
took 146 ms a step of the `conv` work instead of 90. The maximum of four strided slices pools: 94 ms in all against
101 with `pool_2d`. PyTensor has no convolution: there patches are gathered by slices of channels-last images and
multiplied.
"""
import ctypes.util
import os

import numpy as np

for _prefix, _ldflags in (('THEANO', 'blas.ldflags'), ('PYTENSOR', 'blas__ldflags')):
    _flags = [os.environ.get(_prefix + '_FLAGS', ''), 'floatX=float32']
    if ctypes.util.find_library('openblas'):
        _flags.append(_ldflags + '=-lopenblas')
    os.environ[_prefix + '_FLAGS'] = ','.join(filter(None, _flags))

try:
    import theano
    import theano.tensor as T
    OLD = True
except ImportError:
    import pytensor as theano
    import pytensor.tensor as T
    OLD = False

import works  # noqa: E402


def _mode(work):
    """Theano's fast mode, keeping its buffers from call to call; of PyTensor's modes the faster one for each work.

    (One thread, PyTensor 3.0.7: Numba's MLP step takes 39 us, C's 90; the LSTM's 91 and 81 ms, after 350 and 105 s of
    compiling; Numba had not compiled the convolutions after a quarter of an hour.)
    """
    if not OLD:
        return 'NUMBA' if work == 'mlp' else 'CVM'
    return theano.compile.mode.Mode(linker=theano.gof.vm.VM_Linker(allow_gc=False, use_cloop=True),
                                    optimizer='fast_run')


def _relu(x):
    return T.nnet.relu(x) if OLD else T.maximum(x, np.float32(0))


def _mlp(weights, statistics, x, training):
    hidden = _relu(T.dot(x, weights['w1']) + weights['b1'])
    return T.dot(hidden, weights['w2']) + weights['b2'], []


def _patches_product(x, kernel, size):
    """Convolution of channels-last images with 'same' padding as one product of gathered patches."""
    _, _, before, filters = kernel.type.shape
    padded = T.set_subtensor(T.zeros((x.shape[0], size + 2, size + 2, before))[:, 1:-1, 1:-1], x)
    patches = T.concatenate([padded[:, i:i + size, j:j + size] for i in range(3) for j in range(3)], 3)
    product = T.dot(patches.reshape((-1, 9 * before)), kernel.reshape((9 * before, filters)))
    return product.reshape((-1, size, size, filters))


def _normalized(x, scale, offset, moving, training):
    def mean_of(x):
        if not OLD:
            return x.mean((0, 1, 2))
        # In two steps: faster than `mean` over three axes.
        return x.sum((2, 3)).sum(0) / T.cast(x.shape[0] * x.shape[2] * x.shape[3], 'float32')

    def broad(vector):
        return vector.dimshuffle('x', 0, 'x', 'x') if OLD else vector

    updates, (mean, variance) = [], moving
    if training:
        mean = mean_of(x)
        variance = mean_of(T.sqr(x - broad(mean)))
        rest = np.float32(1 - works.MOMENTUM)
        updates = [(old, old + (new - old) * rest) for old, new in zip(moving, (mean, variance))]
    factor = scale / T.sqrt(variance + np.float32(works.NORMALIZATION_EPSILON))
    return (x - broad(mean)) * broad(factor) + broad(offset), updates


def _conv(weights, statistics, x, training):
    updates, size = [], 32
    if OLD:
        x = x.dimshuffle(0, 3, 1, 2)
    for index, moving in enumerate(statistics):
        kernel = weights['kernel%d' % index]
        if OLD:
            x = T.nnet.conv2d(x, kernel, border_mode='half', filter_flip=False)
        else:
            x = _patches_product(x, kernel, size)
        x, more = _normalized(x, weights['scale%d' % index], weights['offset%d' % index], moving, training)
        updates += more
        x = _relu(x)
        corners = [x[(slice(None),) * (2 if OLD else 1) + (slice(row, None, 2), slice(column, None, 2))]
                   for row in range(2) for column in range(2)]
        x = T.maximum(T.maximum(*corners[:2]), T.maximum(*corners[2:]))
        size //= 2
    flat = x.reshape((x.shape[0], 4 * 4 * works.FILTERS[-1]))
    return T.dot(flat, weights['w']) + weights['b'], updates


def _lstm(weights, statistics, x, training):
    batch, units = x.shape[0], works.LSTM_UNITS
    sigmoid = T.nnet.sigmoid if OLD else T.sigmoid
    embedded = weights['table'][x.T.flatten()]
    projected = T.dot(embedded, weights['kernel']) + weights['bias']

    def step(projected, h, c, recurrent):
        z = projected + T.dot(h, recurrent)
        i, f, g, o = (z[:, gate * units:(gate + 1) * units] for gate in range(4))
        c = sigmoid(f) * c + sigmoid(i) * T.tanh(g)
        return sigmoid(o) * T.tanh(c), c

    zeros = T.zeros((batch, units))
    results = theano.scan(step, [projected.reshape((works.LENGTH, batch, 4 * units))], [zeros, zeros],
                          [weights['recurrent']], strict=True, **({} if OLD else {'return_updates': False}))
    h = (results[0] if OLD else results)[0][-1]
    return T.dot(h, weights['w']) + weights['b'], []


def _binary_crossentropy(logits, y):
    return (T.nnet.softplus(logits) if OLD else T.softplus(logits)).mean() - (logits * y).mean()


def _sparse_crossentropy(logits, y):
    if OLD:
        return T.nnet.categorical_crossentropy(T.nnet.softmax(logits), y).mean()
    return -T.special.log_softmax(logits, axis=1)[T.arange(y.shape[0]), y].mean()


def _adam(loss, variables):
    count = theano.shared(np.float32(0))
    new_count = count + np.float32(1)
    one = np.float32(1)
    powers = [np.float32(beta) ** new_count for beta in (works.BETA_1, works.BETA_2)]
    rate = np.float32(works.LEARNING_RATE) * T.sqrt(one - powers[1]) / (one - powers[0])
    updates = [(count, new_count)]
    for variable, gradient in zip(variables, T.grad(loss, variables)):
        first, second = (theano.shared(np.zeros_like(variable.get_value(borrow=True))) for _ in range(2))
        new_first = first + (gradient - first) * np.float32(1 - works.BETA_1)
        new_second = second + (T.sqr(gradient) - second) * np.float32(1 - works.BETA_2)
        updates += [(first, new_first), (second, new_second), (
            variable, variable - rate * new_first / (T.sqrt(new_second) + np.float32(works.EPSILON)))]
    return updates


class Peer:
    def __init__(self, work):
        forward = {'mlp': _mlp, 'conv': _conv, 'lstm': _lstm}[work]
        loss_of = _binary_crossentropy if work == 'lstm' else _sparse_crossentropy
        weights = {}
        for name, value in works.initial_weights(work).items():
            if OLD and work == 'conv':
                if name.startswith('kernel'):
                    value = value.transpose(3, 2, 0, 1)
                elif name == 'w':
                    value = value.reshape(4, 4, -1, 10).transpose(2, 0, 1, 3).reshape(value.shape)
            value = np.ascontiguousarray(value)
            weights[name] = theano.shared(value, name) if OLD else theano.shared(value, name, shape=value.shape)
        statistics = []
        if work == 'conv':
            statistics = [(theano.shared(np.zeros(n, 'float32')), theano.shared(np.ones(n, 'float32')))
                          for n in works.FILTERS]
        x = T.imatrix() if work == 'lstm' else T.matrix() if work == 'mlp' else T.tensor4()
        y = T.matrix() if work == 'lstm' else T.lvector()
        self.total = theano.shared(np.float32(0))

        def function(inputs, outputs, updates):
            compiled = theano.function([theano.In(v, borrow=True) for v in inputs], outputs, updates=updates,
                                       mode=_mode(work))
            compiled.trust_input = True
            return compiled

        logits, updates = forward(weights, statistics, x, True)
        loss = loss_of(logits, y)
        updates = updates + _adam(loss, list(weights.values())) + [(self.total, self.total + loss)]
        self._make = {'train': lambda: function([x, y], [], updates)}
        inferred, _ = forward(weights, statistics, x, False)
        self._make['test'] = lambda: function([x, y], [], [(self.total, self.total + loss_of(inferred, y))])
        self._make['predict'] = lambda: function([x], inferred, [])
        self._functions = {}

    def _function(self, name):
        if name not in self._functions:
            self._functions[name] = self._make[name]()
        return self._functions[name]

    def _run(self, name, x, y, batch, order):
        step = self._function(name)
        self.total.set_value(np.float32(0))
        for start in range(0, len(x), batch):
            chosen = slice(start, start + batch) if order is None else order[start:start + batch]
            step(x[chosen], y[chosen])
        return float(self.total.get_value()) / (len(x) // batch)

    def fit(self, x, y, batch):
        return self._run('train', x, y, batch, np.random.permutation(len(x)))

    def evaluate(self, x, y, batch):
        return self._run('test', x, y, batch, None)

    def predict(self, x):
        return self._function('predict')(x)
