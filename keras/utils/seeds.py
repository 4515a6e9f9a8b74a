"""One seed for everything."""
import random

import numpy as np

from keras.backend.state.seeds import set_global_seed


def set_random_seed(seed):
    """Seed Python's `random`, NumPy, the initial weights, dropout and the shuffling of `fit`.

    Args:
        seed: an int from 0 to 2**32 - 1.

    Example:
        >>> keras.utils.set_random_seed(1337)
    """
    random.seed(seed)
    np.random.seed(seed)
    set_global_seed(seed)
