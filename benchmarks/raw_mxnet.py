"""The works in plain MXNet (Gluon, NumPy arrays).

`Peer(work)` is hybridized with static memory and shapes, network and loss in one graph: what is compared with.
`Peer(work, hybridize=False)` runs the same imperatively.
"""
import functools

import numpy as np

# MXNet 1.9 names types that NumPy 1.24 removed.
for _name, _type in (('bool', bool), ('int', int), ('float', float), ('complex', complex), ('object', object)):
    if _name not in np.__dict__:
        setattr(np, _name, _type)

import mxnet as mx  # noqa: E402
from mxnet import autograd, gluon  # noqa: E402
from mxnet.gluon import nn, rnn  # noqa: E402

import works  # noqa: E402

mx.npx.set_np()
_DEVICE = mx.gpu() if mx.context.num_gpus() else mx.cpu()


class _Images(nn.HybridBlock):
    """Channels first, as MXNet's convolutions want them."""

    def hybrid_forward(self, F, x):
        return F.np.transpose(x, (0, 3, 1, 2))


class _Recurrent(nn.HybridBlock):
    def __init__(self):
        super(_Recurrent, self).__init__()
        with self.name_scope():
            self.embedding = nn.Embedding(works.VOCABULARY, works.EMBEDDED)
            self.lstm = rnn.LSTM(works.LSTM_UNITS, layout='TNC', input_size=works.EMBEDDED)
            self.dense = nn.Dense(1, in_units=works.LSTM_UNITS)

    def hybrid_forward(self, F, x, h, c):
        # In a graph, MXNet takes the missing first states for empty ones.
        outputs, _ = self.lstm(self.embedding(F.np.transpose(x)), [h, c])
        return self.dense(F.np.squeeze(F.npx.slice(outputs, begin=(-1,), end=(None,)), 0))


class _WithLoss(nn.HybridBlock):
    def __init__(self, network, loss):
        super(_WithLoss, self).__init__()
        with self.name_scope():
            self.network, self.loss = network, loss

    def hybrid_forward(self, F, y, x, *states):
        return self.loss(self.network(x, *states), y)


def _network(work):
    if work == 'lstm':
        return _Recurrent()
    network = nn.HybridSequential()
    if work == 'mlp':
        network.add(nn.Dense(64, activation='relu', in_units=64), nn.Dense(10, in_units=64))
        return network
    network.add(_Images())
    for before, filters in zip((3,) + works.FILTERS, works.FILTERS):
        network.add(nn.Conv2D(filters, 3, padding=1, use_bias=False, in_channels=before),
                    nn.BatchNorm(momentum=works.MOMENTUM, epsilon=works.NORMALIZATION_EPSILON, in_channels=filters),
                    nn.Activation('relu'), nn.MaxPool2D())
    network.add(nn.Dense(10, in_units=4 * 4 * works.FILTERS[-1]))
    return network


class Peer:
    def __init__(self, work, hybridize=True):
        self.network, self.recurrent = _network(work), work == 'lstm'
        loss = gluon.loss.SigmoidBCELoss() if work == 'lstm' else gluon.loss.SoftmaxCrossEntropyLoss()
        self.whole = _WithLoss(self.network, loss)
        self.whole.initialize(mx.init.Xavier(), ctx=_DEVICE)
        if hybridize:
            self.whole.hybridize(static_alloc=True, static_shape=True)
        self.trainer = gluon.Trainer(self.whole.collect_params(), 'adam', {
            'learning_rate': works.LEARNING_RATE, 'beta1': works.BETA_1, 'beta2': works.BETA_2,
            'epsilon': works.EPSILON}, kvstore=None)

    @staticmethod
    def _tensor(x):
        return mx.np.array(x, dtype=x.dtype, ctx=_DEVICE)

    def _inputs(self, x):
        x = self._tensor(x)
        return [x] + (self.network.lstm.begin_state(len(x), ctx=_DEVICE) if self.recurrent else [])

    def fit(self, x, y, batch):
        whole, trainer = self.whole, self.trainer
        order = np.random.permutation(len(x))
        total = mx.np.zeros((), ctx=_DEVICE)
        for start in range(0, len(x), batch):
            chosen = order[start:start + batch]
            inputs, targets = self._inputs(x[chosen]), self._tensor(y[chosen])
            with autograd.record():
                losses = whole(targets, *inputs)
            losses.backward()
            trainer.step(len(chosen))
            total = total + losses.mean()
        return float(total) / (len(x) // batch)

    def evaluate(self, x, y, batch):
        total = mx.np.zeros((), ctx=_DEVICE)
        for start in range(0, len(x), batch):
            inputs, targets = self._inputs(x[start:start + batch]), self._tensor(y[start:start + batch])
            total = total + self.whole(targets, *inputs).mean()
        return float(total) / (len(x) // batch)

    def predict(self, x):
        return self.network(*self._inputs(x)).asnumpy()


ALTERNATIVES = {'imperative': functools.partial(Peer, hybridize=False)}
