"""Data that comes batch by batch, and files from the network."""
import itertools
import os

import numpy as np

from keras.callbacks.progress import Progbar
from keras.legacy import calls
from keras.training.enqueuers import GeneratorEnqueuer, OrderedEnqueuer, SequenceEnqueuer, take
from keras.utils.downloads import get_file
from keras.utils.downloads import hash_file as _hash_file
from keras.utils.downloads import validate_file
from keras.training.data.layout import pack_x_y_sample_weight, unpack_x_y_sample_weight  # noqa: F401


class NoLength(NotImplementedError, TypeError):
    """A set does not say how long it is; `list` and its like take a TypeError for that."""


class PyDataset:
    """Batches by number: the safe way to feed `fit` from disk. `Sequence` is the same class.

    A subclass defines `__getitem__(index)`, which gives a batch (inputs, or inputs and targets, or these and sample
    weights), and `__len__`, their number; or `num_batches`, which is None where there is no end. `on_epoch_begin` and
    `on_epoch_end` are called before and after each epoch.

    Args:
        workers: how many threads make batches ahead of time; with 0 and 1 they are made between the steps.
        use_multiprocessing: whether workers are processes. max_queue_size: how many batches may be ready.

    The arguments hold where `fit`, `evaluate` and `predict` are given none; a subclass need not take them.

    Example:
        >>> class Halves(keras.utils.PyDataset):
        ...     def __len__(self):
        ...         return 2
        ...     def __getitem__(self, index):
        ...         return x[index::2], y[index::2]
        >>> model.fit(Halves(), verbose=0)
    """
    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index):
        raise NotImplementedError('%s must define `__getitem__(index)`, which gives a batch.' % type(self).__name__)

    def __len__(self):
        if type(self).num_batches is not PyDataset.num_batches and self.num_batches is not None:
            return self.num_batches
        raise NoLength('%s must define `__len__()`, the number of batches.' % type(self).__name__)

    @property
    def num_batches(self):
        """The number of batches, None where there is no end."""
        return len(self)

    def on_epoch_begin(self):
        """Before each epoch."""

    def on_epoch_end(self):
        """After each epoch; shuffle here."""

    def __iter__(self):
        try:
            count = self.num_batches
        except NotImplementedError:  # one that says neither this nor `__len__`
            count = None
        return (self[index] for index in (itertools.count() if count is None else range(count)))


# Keras 2's name.
Sequence = PyDataset


# --- for pools of workers that are not ours

_shared = {}


def init_pool(seqs):
    """In a new worker: keep {uid: sequence} for `get_index`."""
    _shared.update(seqs)


def init_pool_generator(gens, random_seed=None):
    """In a new worker: keep {uid: generator} for `next_sample`, and seed NumPy by `random_seed` and the process."""
    _shared.update(gens)
    if random_seed is not None:
        np.random.seed(random_seed + os.getpid() % 1000)


def get_index(uid, i):
    """Batch `i` of the sequence with a uid."""
    return take(_shared[uid], i)


def next_sample(uid):
    """The next batch of the generator with a uid."""
    return take(_shared[uid], None)


calls.install(globals(), calls.FILES)
