"""The dtypes in which operations of `keras.ops` compute."""
import numpy as np

from keras import generations
from keras.backend.contract import rules
from keras.backend.contract.loading import get_engine
from keras.backend.table import primitives as p
from keras.backend.table.composites.shape import dtype_of
from keras.ops.core import convert_to_tensor


def is_whole(x):
    return dtype_of(x) == 'bool' or rules.is_integer(dtype_of(x))


def common_dtype(*xs):
    """The dtype in which tensors and numbers meet."""
    return rules.result_dtype(*[rules.weakly(x) if isinstance(x, (bool, int, float)) else dtype_of(x) for x in xs])


def together(*xs, **options):
    """The tensors and numbers in the dtype in which they meet, or in `dtype`."""
    dtype = options.get('dtype') or common_dtype(*xs)
    # A number takes its dtype on the host: alone it would be an int32 first, which may not hold it. Of 64 bits it is
    # by itself, or nowhere.
    on_host = (bool, float) if dtype == 'int64' else (bool, int, float)
    with np.errstate(over='ignore'):
        return [p.cast(np.asarray(x, rules.numpy_dtype(dtype)) if type(x) in on_host else x, dtype) for x in xs]


def floating(*xs):
    """The tensors and numbers in the float dtype in which they meet."""
    return together(*xs, dtype=rules.float_dtype(common_dtype(*xs)))


def exact(x):
    """`x`, integers of 64 bits as float64: what Keras 3 does in some operations that give floats."""
    return p.cast(x, 'float64') if dtype_of(x) == 'int64' else x


def as_tensor(x):
    return x if isinstance(x, rules.AbstractTensor) else convert_to_tensor(x)


def largest(dtype):
    """The largest finite number of a float dtype."""
    return 3.3895314e38 if dtype == 'bfloat16' else float(np.finfo(dtype).max)


def library_decides_edges():
    """Whether edge cases are what the engine's library makes of them, as in Keras 3."""
    return get_engine().has_edges_of_its_own and generations.value('edges_of_the_library')
