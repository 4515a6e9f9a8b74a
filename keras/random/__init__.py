"""Random tensors under Keras 3's names. `seed` is an int, a `SeedGenerator` or None (the process-wide generator)."""
from keras.backend.composites.random import (beta, binomial, categorical, dropout, gamma, normal, randint, shuffle,
                                             truncated_normal, uniform)
from keras.backend.state import SeedGenerator
