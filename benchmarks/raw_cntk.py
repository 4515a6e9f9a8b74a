"""The works in plain CNTK: the default batch axis, a sequence axis for the LSTM, channels first, native learners.

What was tried and kept (one thread, processor time): the native `train_minibatch` with `Value`s made beforehand takes
two thirds of the time of `Trainer.train_minibatch` with arrays; `adam` with `minibatch_size=IGNORE` is Adam of the mean
gradient and a quarter faster than the same in `universal`; 16 samples of temporary memory make a convolution 15 %
faster; the product of kernel and inputs stays outside the recurrence.
"""
import os
import warnings

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    import cntk as C
    from cntk import cntk_py

import works

C.try_set_default_device(C.cpu())
if os.environ.get('OMP_NUM_THREADS'):
    # CNTK takes all cores whatever that says, and its threads wait for each other in a loop.
    cntk_py.set_max_num_cputhreads(int(os.environ['OMP_NUM_THREADS']))


def _mlp(weights, x, statistics):
    hidden = C.relu(C.times(x, weights['w1']) + weights['b1'])
    return C.times(hidden, weights['w2']) + weights['b2']


def _conv(weights, x, statistics):
    for index, filters in enumerate(works.FILTERS):
        x = C.convolution(weights['kernel%d' % index], x, auto_padding=[False, True, True],
                          max_temp_mem_size_in_samples=16)
        mean, variance, count = statistics[index]
        x = C.batch_normalization(x, weights['scale%d' % index], weights['offset%d' % index], mean, variance, True,
                                  running_count=count, epsilon=works.NORMALIZATION_EPSILON, use_cudnn_engine=False,
                                  normalization_time_constant=-works.BATCH['conv'] / np.log(works.MOMENTUM))
        x = C.pooling(C.relu(x), C.MAX_POOLING, (2, 2), (2, 2))
    return C.times(C.reshape(x, (-1,)), weights['w']) + weights['b']


def _lstm(weights, x, statistics):
    projected = C.times(C.gather(weights['table'], x), weights['kernel']) + weights['bias']
    units = works.LSTM_UNITS
    h, c = C.placeholder((units,)), C.placeholder((units,))
    z = projected + C.times(C.sequence.past_value(h), weights['recurrent'])
    i, f, g, o = (C.slice(z, 0, gate * units, (gate + 1) * units) for gate in range(4))
    new_c = C.sigmoid(f) * C.sequence.past_value(c) + C.sigmoid(i) * C.tanh(g)
    new_h = C.sigmoid(o) * C.tanh(new_c)
    new_h.replace_placeholders({h: new_h.output, c: new_c.output})
    return C.times(C.sequence.last(new_h), weights['w']) + weights['b']


def _parameter(name, value):
    if name.startswith('kernel') and value.ndim == 4:
        value = value.transpose(3, 2, 0, 1)
    elif name == 'w' and value.shape[0] == 16 * works.FILTERS[-1]:
        value = value.reshape(4, 4, -1, value.shape[1]).transpose(2, 0, 1, 3).reshape(value.shape)
    return C.parameter(value.shape, init=np.ascontiguousarray(value))


class Peer:
    def __init__(self, work):
        forward = {'mlp': _mlp, 'conv': _conv, 'lstm': _lstm}[work]
        self.work, self.device = work, C.cpu()
        weights = {name: _parameter(name, value) for name, value in works.initial_weights(work).items()}
        # A count of one: with none the first batch would replace the moving averages.
        statistics = [(C.constant(0, (n,)), C.constant(1, (n,)), C.constant(1, ())) for n in works.FILTERS]
        self.x = C.sequence.input_variable(()) if work == 'lstm' else \
            C.input_variable((64,) if work == 'mlp' else (3, 32, 32))
        self.y = C.input_variable((1,))
        self.logits = forward(weights, self.x, statistics)
        if work == 'lstm':
            loss = C.reduce_sum(C.softplus(self.logits) - self.logits * self.y)
        else:
            loss = C.cross_entropy_with_softmax(self.logits, C.reshape(C.one_hot(self.y, 10), (10,)))
        self.loss = loss
        learner = C.adam(list(weights.values()), C.learning_parameter_schedule(works.LEARNING_RATE),
                         C.momentum_schedule(works.BETA_1), unit_gain=True, epsilon=works.EPSILON,
                         variance_momentum=C.momentum_schedule(works.BETA_2), minibatch_size=C.learners.IGNORE)
        self.trainer = C.Trainer(None, (loss, None), [learner])

    def _value(self, array):
        return cntk_py.Value(cntk_py.NDArrayView(array, self.device, False, False))

    def _input(self, x):
        if self.work == 'conv':
            x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        return self._value(x if x.dtype == np.float32 else x.astype(np.float32))

    def _arguments(self, x, y):
        return {self.x: self._input(x), self.y: self._value(y.reshape(-1, 1).astype(np.float32))}

    def fit(self, x, y, batch):
        order = np.random.permutation(len(x))
        trainer, step, average = self.trainer, cntk_py.Trainer.train_minibatch, \
            cntk_py.Trainer.previous_minibatch_loss_average
        total = 0.0
        for start in range(0, len(x), batch):
            chosen = order[start:start + batch]
            step(trainer, self._arguments(x[chosen], y[chosen]), False, self.device)
            total += average(trainer)
        return total / (len(x) // batch)

    def _outputs(self, function, arguments):
        outputs = {function.output: None}
        cntk_py.Function._forward(function, arguments, outputs, self.device, set(), set())
        (value,) = outputs.values()
        return value.data().to_ndarray()

    def evaluate(self, x, y, batch):
        total = 0.0
        for start in range(0, len(x), batch):
            total += self._outputs(self.loss, self._arguments(x[start:start + batch], y[start:start + batch])).mean()
        return total / (len(x) // batch)

    def predict(self, x):
        return self._outputs(self.logits, {self.x: self._input(x)})
