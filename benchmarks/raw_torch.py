"""The works in plain PyTorch: eager modules, fused Adam, channels-last memory for images."""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import works

_DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


class _Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(works.VOCABULARY, works.EMBEDDED)
        self.lstm = nn.LSTM(works.EMBEDDED, works.LSTM_UNITS, batch_first=True)
        self.dense = nn.Linear(works.LSTM_UNITS, 1)

    def forward(self, x):
        _, (h, _) = self.lstm(self.embedding(x))
        return self.dense(h[0])


def _normalized(before, filters, size, stride, padding=0):
    return nn.Sequential(nn.Conv2d(before, filters, size, stride, padding),
                         nn.BatchNorm2d(filters, works.RESIDUAL_EPSILON, 1 - works.MOMENTUM))


class _Block(nn.Module):
    def __init__(self, before, filters, stride, widens):
        super().__init__()
        self.shortcut = _normalized(before, 4 * filters, 1, stride) if widens else nn.Identity()
        self.inner = nn.Sequential(_normalized(before, filters, 1, stride), nn.ReLU(),
                                   _normalized(filters, filters, 3, 1, 1), nn.ReLU(),
                                   _normalized(filters, 4 * filters, 1, 1))

    def forward(self, x):
        return F.relu(self.shortcut(x) + self.inner(x))


def _residual():
    parts = [_normalized(3, 64, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    before = 64
    for stack, (filters, blocks) in enumerate(works.STACKS):
        for block in range(blocks):
            parts.append(_Block(before, filters, 2 if block == 0 and stack > 0 else 1, block == 0))
            before = 4 * filters
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), _Flat(), nn.Linear(2048, 10)).to(
        memory_format=torch.channels_last)


class _Flat(nn.Module):
    def forward(self, x):
        return x.flatten(1)


def _network(work):
    if work == 'mlp':
        return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    if work == 'lstm':
        return _Recurrent()
    if work == 'resnet50':
        return _residual()
    parts = []
    for before, filters in zip((3,) + works.FILTERS, works.FILTERS):
        parts += [nn.Conv2d(before, filters, 3, padding=1, bias=False),
                  nn.BatchNorm2d(filters, works.NORMALIZATION_EPSILON, 1 - works.MOMENTUM), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*parts, _Flat(), nn.Linear(4 * 4 * works.FILTERS[-1], 10)).to(
        memory_format=torch.channels_last)


class Peer:
    def __init__(self, work):
        self.network = _network(work).to(_DEVICE)
        self.images = work in ('conv', 'resnet50')
        self.loss = F.binary_cross_entropy_with_logits if work == 'lstm' else F.cross_entropy
        self.optimizer = torch.optim.Adam(self.network.parameters(), works.LEARNING_RATE,
                                          (works.BETA_1, works.BETA_2), works.EPSILON, fused=True)

    def _input(self, x):
        x = torch.from_numpy(x).to(_DEVICE)
        return x.permute(0, 3, 1, 2) if self.images else x

    def fit(self, x, y, batch):
        network, optimizer, loss = self.network.train(), self.optimizer, self.loss
        order = np.random.permutation(len(x))
        total = torch.zeros((), device=_DEVICE)
        for start in range(0, len(x), batch):
            chosen = order[start:start + batch]
            value = loss(network(self._input(x[chosen])), torch.from_numpy(y[chosen]).to(_DEVICE))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += value.detach()
        return float(total) / (len(x) // batch)

    def evaluate(self, x, y, batch):
        network, loss = self.network.eval(), self.loss
        total = torch.zeros((), device=_DEVICE)
        with torch.inference_mode():
            for start in range(0, len(x), batch):
                logits = network(self._input(x[start:start + batch]))
                total += loss(logits, torch.from_numpy(y[start:start + batch]).to(_DEVICE))
        return float(total) / (len(x) // batch)

    def predict(self, x):
        with torch.inference_mode():
            return self.network.eval()(self._input(x)).cpu().numpy()

    def call(self, x):
        with torch.no_grad():
            return self.network(x)
