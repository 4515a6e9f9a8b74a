"""Sequences: rows of one length, pairs of words for embeddings, windows over time series."""
import json
import random

import numpy as np

from keras.utils.data_utils import Sequence
from keras.utils.sequence_utils import pad_sequences

# The Euler-Mascheroni constant, to the digits that the published tables were made with.
_GAMMA = 0.577


def make_sampling_table(size, sampling_factor=1e-5):
    """The chance of keeping the word of each rank, as word2vec draws them, if words follow Zipf's law.

    A word of frequency f is kept with the chance min(1, sqrt(sampling_factor / f)), where the word of rank r has the
    frequency 1 / (r * (log(r) + 0.577) + 1/2 - 1 / (12 * r)).

    Args:
        size: number of words. sampling_factor: the frequency below which words are always kept.

    Returns:
        Array of shape (size,). Rank 0, which stands for no word, counts as rank 1.

    Example:
        >>> make_sampling_table(3)
        array([0.00315225, 0.00315225, 0.00547   ])
    """
    rank = np.maximum(np.arange(size), 1)
    inverse_frequency = rank * (np.log(rank) + _GAMMA) + 0.5 - 1.0 / (12.0 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * inverse_frequency))


def skipgrams(sequence, vocabulary_size, window_size=4, negative_samples=1.0, shuffle=True, categorical=False,
              sampling_table=None, seed=None):
    """Pairs of words that occur near each other, and as many random ones.

    Args:
        sequence: list of word numbers; 0 stands for no word and is passed over. vocabulary_size: the highest number
            and one. window_size: how far apart the words of a pair may be. negative_samples: random pairs per true one.
        shuffle: whether the pairs are in random order; otherwise the true ones come first. categorical: whether labels
            are [0, 1] and [1, 0] instead of 1 and 0. sampling_table: the chance of keeping each word, as
            `make_sampling_table` gives it. seed: of the order alone.

    Returns:
        (couples, labels): lists of [word, other word] and of 1 for true, 0 for random pairs. Draws come from Python's
        `random`.

    Example:
        >>> skipgrams([1, 2, 3], vocabulary_size=4, window_size=1, negative_samples=0, shuffle=False)
        ([[1, 2], [2, 1], [2, 3], [3, 2]], [1, 1, 1, 1])
    """
    couples = []
    for position, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        first = max(position - window_size, 0)
        couples.extend([word, sequence[other]] for other in range(first, min(position + window_size + 1, len(sequence)))
                       if other != position and sequence[other])
    labels = [[0, 1] if categorical else 1 for _ in couples]

    if negative_samples > 0:
        words = [word for word, _ in couples]
        random.shuffle(words)
        for number in range(int(len(couples) * negative_samples)):
            couples.append([words[number % len(words)], random.randint(1, vocabulary_size - 1)])
            labels.append([1, 0] if categorical else 0)

    if shuffle:
        random.seed(random.randint(0, 10 ** 7) if seed is None else seed)
        order = list(range(len(couples)))
        random.shuffle(order)
        # One seed orders couples and labels alike.
        couples, labels = [couples[at] for at in order], [labels[at] for at in order]
    return couples, labels


class TimeseriesGenerator(Sequence):
    """Batches of windows over a time series, each with the target that follows it.

    The window before position p holds data[p - length], data[p - length + sampling_rate], ... up to p; its target is
    targets[p].

    Args:
        data: list or array, time on the first axis. targets: the same length as `data`. length: how far a window
            reaches back. sampling_rate: steps between entries of a window. stride: steps between windows.
        start_index, end_index: the part of `data` to use; `end_index` is used itself. shuffle: draw windows at random,
            with NumPy's global generator. reverse: whether windows run backwards in time. batch_size: windows per
            batch (the last batch may be smaller).

    Raises:
        ValueError: if data and targets differ in length, or no window fits.

    Example:
        >>> generator = TimeseriesGenerator(np.arange(10), np.arange(10), length=4, batch_size=2)
        >>> generator[0]
        (array([[0, 1, 2, 3],
               [1, 2, 3, 4]]), array([4, 5]))
    """

    def __init__(self, data, targets, length, sampling_rate=1, stride=1, start_index=0, end_index=None, shuffle=False,
                 reverse=False, batch_size=128):
        if len(data) != len(targets):
            raise ValueError('TimeseriesGenerator: Data and targets have to be of same length. Data length is %d, '
                             'target length is %d.' % (len(data), len(targets)))
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError('TimeseriesGenerator: `start_index+length=%i > end_index=%i` is disallowed, as no part of '
                             'the sequence would be left to be used as current step.'
                             % (self.start_index, self.end_index))

    def __len__(self):
        covered = self.batch_size * self.stride
        return (self.end_index - self.start_index + covered) // covered

    def __getitem__(self, index):
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            covered = self.batch_size * self.stride
            begin = self.start_index + covered * index
            rows = range(begin, min(begin + covered, self.end_index + 1), self.stride)
        windows = np.array([self.data[row - self.length:row:self.sampling_rate] for row in rows])
        return windows[:, ::-1] if self.reverse else windows, np.array([self.targets[row] for row in rows])

    def get_config(self):
        """The arguments, as JSON can hold them; `data` and `targets` are JSON texts themselves.

        Raises:
            TypeError: if data or targets cannot be written as JSON.
        """
        config = {name: getattr(self, name) for name in (
            'length', 'sampling_rate', 'stride', 'start_index', 'end_index', 'shuffle', 'reverse', 'batch_size')}
        for name in ('data', 'targets'):
            value = getattr(self, name)
            try:
                config[name] = json.dumps(np.asarray(value).tolist())
            except TypeError as error:
                raise TypeError('TimeseriesGenerator: %s cannot be written as JSON: %s' % (name, error))
        return config

    def to_json(self, **kwargs):
        """The generator as a JSON text. kwargs: passed to `json.dumps`."""
        return json.dumps({'class_name': type(self).__name__, 'config': self.get_config()}, **kwargs)
