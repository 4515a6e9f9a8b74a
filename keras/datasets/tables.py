"""Data sets that are tables of numbers with one target: shuffled, then split."""
import numpy as np


def load_split(path, test_split, seed, rows=None):
    """The first `rows` of x and y in an .npz file, shuffled alike, as ((x_train, y_train), (x_test, y_test)).

    Raises:
        ValueError: if `test_split` is no fraction.
    """
    check_split(test_split)
    with np.load(path) as file:
        x, y = file['x'][:rows], file['y'][:rows]
    order = np.random.RandomState(seed).permutation(len(x))
    first_of_test = int(len(x) * (1 - test_split))
    train, test = order[:first_of_test], order[first_of_test:]
    return (x[train], y[train]), (x[test], y[test])


def check_split(test_split):
    """Refuse what is no fraction."""
    if not 0 <= test_split < 1:
        raise ValueError('test_split must be a fraction, at least 0 and below 1. Received: %r' % (test_split,))
