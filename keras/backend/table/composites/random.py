"""Random tensors, dropout and shuffling, written once over the random primitives.

`seed` everywhere: a `SeedGenerator`, which moves on with every call; an int, which gives the same numbers at every
call; or None for the process-wide generator.
"""
import math

import numpy as np

from keras import config
from keras.backend.contract import rules
from keras.backend.contract.context import context
from keras.backend.contract.loading import get_engine, is_native
from keras.backend.contract.rules import AbstractTensor
from keras.backend.state.seeds import SeedGenerator, global_seed_generator
from keras.backend.state.variables import Variable, to_array
from keras.backend.table import primitives as p
from keras.backend.table.composites.shape import dtype_of, expand_dims, resized, shape, shape_tuple
from keras.backend.table.dispatch import composite

# Proposals drawn per element by `gamma`. Marsaglia and Tsang's method accepts 95 % or more of them, so that all fail
# for one element in 10^20.
_GAMMA_PROPOSALS = 16


def draw_seed(seed, part=0):
    """The seed argument of a random primitive. `part` tells the draws of one call apart.

    Raises:
        ValueError: if `seed` is neither a `SeedGenerator`, its state or a key of one, nor an int, nor None.
    """
    if seed is None:
        return global_seed_generator().draw()
    if isinstance(seed, SeedGenerator):
        return seed.draw()
    if isinstance(seed, Variable):
        seed = seed.value
    if isinstance(seed, AbstractTensor) and seed.shape == (2,) and rules.is_integer(seed.dtype):
        return AbstractTensor((2,), 'uint32')
    if is_native(seed):
        return _of_key(seed, part)
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
        raise _no_seed(seed)
    if context.abstract:
        return AbstractTensor((2,), 'uint32')
    return get_engine().constant_seed(int(seed) + part * 0x9e3779b9)


def _of_key(seed, part):
    """A key of two numbers, as `SeedGenerator.next` and `jax.random.PRNGKey` give it, as the seed of a draw."""
    if not hasattr(seed, 'shape'):
        return seed  # a generator of the engine's library
    if get_engine().shape_of(seed) != (2,) or not rules.is_integer(dtype_of(seed)):
        raise _no_seed(seed)
    seed = p.cast(seed, 'uint32')
    return p.add(seed, np.array([part * 0x9e3779b9 & 0xffffffff, 0], 'uint32')) if part else seed


def _no_seed(seed):
    return ValueError('Argument `seed` must be either an integer, a keras.random.SeedGenerator, what its method `next` '
                      'gives, or None. Received: %r' % (seed,))


def _float_name(dtype, operation):
    dtype = dtype or config.floatx()
    if not rules.is_float(dtype):
        raise ValueError('`keras.random.%s` requires a floating point `dtype`. For integers use random.randint. '
                         'Received: dtype=%r' % (operation, dtype))
    return dtype


@composite(tensors='', gradient=False)
def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Floats drawn uniformly from [minval, maxval).

    Example:
        >>> keras.random.uniform((2, 3), -1.0, 1.0, seed=1337).shape
        (2, 3)
    """
    dtype = _float_name(dtype, 'uniform')
    values = p.random_uniform(draw_seed(seed), shape_tuple(shape), dtype)
    return p.add(p.multiply(values, maxval - minval), minval)


@composite(tensors='', gradient=False)
def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Floats drawn from the normal distribution.

    Example:
        >>> keras.random.normal((2, 3), seed=1337).shape
        (2, 3)
    """
    values = p.random_normal(draw_seed(seed), shape_tuple(shape), _float_name(dtype, 'normal'))
    return p.add(p.multiply(values, stddev), mean)


@composite(tensors='', gradient=False)
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Floats drawn from the normal distribution, those further than two deviations from the mean left out.

    Example:
        >>> keras.random.truncated_normal((2, 3), seed=1337).shape
        (2, 3)
    """
    dtype = _float_name(dtype, 'truncated_normal')
    # The inverse of the distribution function, at uniform points between its values at -2 and 2.
    bound = math.erf(2.0 / math.sqrt(2.0))
    points = p.random_uniform(draw_seed(seed), shape_tuple(shape), dtype) * (2.0 * bound) - bound
    return p.add(p.multiply(p.erfinv(points), stddev * math.sqrt(2.0)), mean)


@composite(tensors='', gradient=False)
def randint(shape, minval, maxval, dtype='int32', seed=None):
    """Integers drawn uniformly from [minval, maxval).

    Example:
        >>> keras.random.randint((2,), 0, 10, seed=1337).shape
        (2,)
    """
    if not rules.is_integer(dtype):
        raise ValueError('`keras.random.randint` requires an integer `dtype`. For floats use random.uniform. '
                         'Received: dtype=%r' % (dtype,))
    return p.random_integers(draw_seed(seed), shape_tuple(shape), minval, maxval, dtype)


@composite('logits', promote='float', gradient=False)
def categorical(logits, num_samples, dtype='int32', seed=None):
    """Classes drawn with the probabilities `softmax(logits)`: from (batch, classes) to (batch, num_samples).

    Example:
        >>> keras.random.categorical(np.log([[0.5, 0.5]]), 3, seed=1337).shape
        (1, 3)
    """
    batch, classes = shape(logits)
    drawn = p.random_uniform(draw_seed(seed), (batch, num_samples, classes), dtype_of(logits))
    # The largest of logits plus Gumbel noise is distributed like that (Gumbel, 1954).
    smallest = 1e-7 if dtype_of(logits) in ('float32', 'float64') else 1e-4
    gumbel = -p.log(-p.log(p.maximum(drawn, smallest)))
    return p.cast(p.argmax(expand_dims(logits, 1) + gumbel, -1), dtype)


@composite(gradient=False)
def shuffle(x, axis=0, seed=None):
    """The slices of `x` along `axis` in random order.

    Example:
        >>> sorted(keras.random.shuffle(np.array([1, 2, 3]), seed=1337).tolist())
        [1, 2, 3]
    """
    return p.gather(x, p.random_permutation(draw_seed(seed), shape(x)[axis]), axis)


@composite('inputs', promote='float')
def dropout(inputs, rate, noise_shape=None, seed=None):
    """`inputs` with elements set to 0 with probability `rate` and the others divided by `1 - rate`.

    Srivastava et al., 2014.

    Args:
        noise_shape: the shape of the mask, which is broadcast to that of `inputs`; None in it stands for its size.

    Example:
        >>> kept = keras.random.dropout(np.ones(1000), 0.5, seed=1337)
        >>> sorted(set(kept.tolist()))
        [0.0, 2.0]
    """
    if isinstance(rate, (int, float)) and not 0 <= rate <= 1:
        raise ValueError('rate must be between 0 and 1, received %r' % (rate,))
    if rate == 0:
        return inputs
    if rate == 1:
        return inputs * 0.0
    sizes = shape(inputs)
    if noise_shape is not None:
        sizes = tuple(size if given is None else given for given, size in zip(noise_shape, sizes))
    kept = p.cast(p.less(rate, p.random_uniform(draw_seed(seed), sizes, dtype_of(inputs))), dtype_of(inputs))
    return inputs * (kept * (1.0 / (1.0 - rate)))


@composite('alpha', gradient=False)
def standard_gamma(alpha, sizes, dtype, seed):
    """Gamma variates of shape parameter `alpha` and scale 1 (Marsaglia and Tsang, 2000)."""
    alpha = p.broadcast_to(p.cast(alpha, dtype), sizes)
    small = p.less(alpha, 1.0)
    d = p.where(small, alpha + 1.0, alpha) - 1.0 / 3.0
    c = 1.0 / p.sqrt(d * 9.0)
    proposals = (_GAMMA_PROPOSALS,) + tuple(sizes)
    z = p.random_normal(draw_seed(seed, 1), proposals, dtype)
    u = p.random_uniform(draw_seed(seed, 2), proposals, dtype)
    root = z * c + 1.0
    v = p.maximum(root, 1e-6)
    v = v * v * v
    accepted = p.logical_and(p.less(0.0, root),
                             p.less(p.log(p.maximum(u, 1e-30)), z * z * 0.5 + d * (1.0 - v + p.log(v))))
    first = expand_dims(p.argmax(p.cast(accepted, 'int32'), 0), 0)
    chosen = p.equal(resized(p.arange(_GAMMA_PROPOSALS, dtype='int32'), (_GAMMA_PROPOSALS,) + (1,) * len(sizes)), first)
    result = d * p.sum(p.where(chosen, v, p.full_like(v, 0.0)), 0)
    # Below 1: a variate of alpha + 1 times a uniform one to the power of 1 / alpha.
    boost = p.random_uniform(draw_seed(seed, 3), sizes, dtype)
    boost = p.power(p.maximum(boost, 1e-30), 1.0 / p.maximum(alpha, 1e-6))
    return p.where(small, result * boost, result)


def gamma(shape, alpha, dtype=None, seed=None):
    """Floats drawn from the gamma distribution of shape parameter `alpha` (broadcast to `shape`) and scale 1.

    Example:
        >>> keras.random.gamma((2,), 2.0, seed=1337).shape
        (2,)
    """
    return standard_gamma(alpha, shape_tuple(shape), _float_name(dtype, 'gamma'), seed)


def beta(shape, alpha, beta, dtype=None, seed=None):
    """Floats drawn from the beta distribution of parameters `alpha` and `beta` (broadcast to `shape`).

    Example:
        >>> keras.random.beta((2,), 2.0, 3.0, seed=1337).shape
        (2,)
    """
    dtype = _float_name(dtype, 'beta')
    second_seed = seed if seed is None or isinstance(seed, SeedGenerator) else int(seed) + 7919
    first = standard_gamma(alpha, shape_tuple(shape), dtype, seed)
    second = standard_gamma(beta, shape_tuple(shape), dtype, second_seed)
    return p.divide(first, p.add(first, second))


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """Floats with whole values: successes in `counts` trials (a number or array) with `probabilities` each.

    Example:
        >>> keras.random.binomial((2,), 10, 0.5, seed=1337).shape
        (2,)
    """
    dtype = _float_name(dtype, 'binomial')
    counts = np.asarray(to_array(counts), 'int32')
    return binomial_trials(probabilities, counts, shape_tuple(shape), int(counts.max()),
                     dtype, seed)


@composite('probabilities counts', gradient=False)
def binomial_trials(probabilities, counts, sizes, most, dtype, seed):
    """Successes in `counts` (at most `most`) trials."""
    # Halves have a thousand steps between 0 and 1 and cannot count further than 2048.
    counted = 'float64' if dtype == 'float64' else 'float32'
    drawn = p.random_uniform(draw_seed(seed), (most,) + tuple(sizes), counted)
    success = p.less(drawn, p.cast(probabilities, counted))
    trial = resized(p.arange(most, dtype='int32'), (most,) + (1,) * len(sizes))
    return p.cast(p.sum(p.cast(p.logical_and(success, p.less(trial, counts)), counted), 0), dtype)
