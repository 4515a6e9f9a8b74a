"""Random tensors under Keras 3's names. `seed` is an int, a `SeedGenerator` or None (the process-wide generator)."""
from keras.backend.state.seeds import SeedGenerator
from keras.backend.table.composites.random import (beta, binomial, categorical, dropout, gamma, normal, randint,
                                                   shuffle, truncated_normal, uniform)
from keras.saving.kinds import Kind

_KIND = Kind('seed generator', SeedGenerator, functions=None, home=__name__,
             accepts=lambda cls: issubclass(cls, SeedGenerator))
_KIND.enter({'SeedGenerator': SeedGenerator})
