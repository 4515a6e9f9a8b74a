"""Dtypes of PyTorch, tensors from the host, random generators."""
import os

import numpy as np
import torch

from keras.backend.contract.rules import FLOAT8, sum_dtype

try:
    import ml_dtypes  # noqa: F401  (with it NumPy knows 'bfloat16', as scripts of Keras 3 on PyTorch expect)
except ImportError:
    pass

DTYPES = {name: getattr(torch, name) for name in (
    'bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'float16', 'bfloat16', 'float32', 'float64', 'complex64',
    'complex128')}
# What sums are computed in, found before float8 tensors, which can be cast and nothing else, have their names.
UNSIGNED_SUMS = 'int32'
SUMS = {DTYPES[name]: DTYPES[UNSIGNED_SUMS if name == 'uint8' else sum_dtype(name)] for name in DTYPES}
DTYPES.update((name, getattr(torch, name)) for name in FLOAT8 if hasattr(torch, name))
NAMES = {dtype: name for name, dtype in DTYPES.items()}
# PyTorch has no wide unsigned integers, or ones that it neither adds nor compares: the next signed type holds the same
# numbers. Tensors of theirs that come from elsewhere have their names.
for _name, _wider in (('uint16', torch.int32), ('uint32', torch.int64), ('uint64', torch.int64)):
    DTYPES[_name] = _wider
    NAMES[getattr(torch, _name, _wider)] = _name if hasattr(torch, _name) else NAMES[_wider]
    SUMS[getattr(torch, _name, _wider)] = _wider
FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
HALVES = {torch.float16, torch.bfloat16}
INDEX_TYPES = {torch.int32, torch.int64}
# As upstream, which reads the same variable.
DEVICE = torch.device(os.environ.get('KERAS_TORCH_DEVICE') or ('cuda' if torch.cuda.is_available() else 'cpu'))
CUDA = DEVICE.type == 'cuda'
# What PyTorch takes over from NumPy as it is.
_DIRECT = frozenset(np.dtype(name) for name in (
    'bool', 'uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'float32', 'float64'))


def shared(array):
    """A CPU tensor over the memory of a NumPy array, or over a copy where PyTorch cannot take it."""
    # An axis of size 1 may have a negative stride in an array that counts as contiguous.
    if array.dtype in _DIRECT and array.flags.forc and array.flags.behaved and min(array.strides, default=0) >= 0:
        return torch.from_numpy(array)
    if array.dtype.kind not in 'biufc' or array.dtype.name not in DTYPES:
        if array.dtype.name != 'bfloat16':
            raise TypeError('the torch engine has no tensors of dtype %s. The usual cause: strings or ragged lists; '
                            'turn them into numbers first' % array.dtype)
        return torch.from_numpy(array.astype('float32')).to(torch.bfloat16)
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo('int64').max:
        raise OverflowError('PyTorch computes with int64 in the place of uint64, which does not hold %d.' % array.max())
    if array.dtype.kind == 'u' and not hasattr(torch, array.dtype.name):
        array = array.astype(NAMES[DTYPES[array.dtype.name]])
    if not array.flags.writeable or not array.flags.aligned or any(step < 0 for step in array.strides):
        array = np.array(array)
    return torch.from_numpy(array)


def in_float32(function):
    """`function` of tensors, which has no half precision, computed in float32 there; a list of its results."""
    def run(*args):
        if args[0].dtype not in HALVES:
            return list(function(*args))
        wide = [x.float() if isinstance(x, torch.Tensor) else x for x in args]
        return [result.to(args[0].dtype) for result in function(*wide)]
    return staticmethod(run)


def single(function):
    return lambda *args: [function(*args)]


def fourier(real, imaginary):
    result = torch.fft.fft(torch.complex(real, imaginary))
    return result.real, result.imag


def positions(indices):
    """`indices` in a dtype that PyTorch takes for positions (its uint8 would be a mask)."""
    return indices if indices.dtype in INDEX_TYPES else indices.long()


def cumulative(x):
    """The dtype in which sums of `x` along an axis are run: the larger unsigned ones are not offered."""
    dtype = SUMS[x.dtype]
    return dtype if dtype in FLOATS or dtype.is_complex else torch.int64


def _mixed(low, high):
    """64 well mixed bits from two of 32 (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    z = ((low & 0xffffffff) | (high << 32)) + 0x9e3779b97f4a7c15 & 0xffffffffffffffff
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & 0xffffffffffffffff
    z = (z ^ z >> 27) * 0x94d049bb133111eb & 0xffffffffffffffff
    return z ^ z >> 31


def generator_of(seed):
    """The random generator for a seed: itself, or one started from two uint32."""
    if type(seed) is torch.Generator:
        return seed
    low, high = seed.tolist()
    return torch.Generator(DEVICE).manual_seed(_mixed(low, high))
