"""Keras 1's initializers: functions of a shape that give a variable. `keras.initializers` has taken their place."""
import functools

import numpy as np

from keras import backend as K
from keras import config, initializers
from keras.legacy.arguments import INITIALIZATIONS


def _drawn(make, shape, name, dim_ordering):
    """A variable with values for `shape`, of the initializer that `make` gives; kernels with dim_ordering='th' are
    (out, in, spatial...).
    """
    with config.generation(1):
        initializer = make()
    turned = dim_ordering == 'th' and len(shape) > 3
    values = initializer(tuple(shape[2:]) + (shape[1], shape[0]) if turned else tuple(shape))
    order = (len(shape) - 1, len(shape) - 2) + tuple(range(len(shape) - 2))
    return K.variable(np.transpose(values, order) if turned else values, name=name)


def uniform(shape, scale=0.05, name=None, dim_ordering='th'):
    """A variable with numbers between `-scale` and `scale`.

    Example:
        >>> keras.initializations.uniform((2, 3)).shape
        (2, 3)
    """
    return _drawn(lambda: initializers.RandomUniform(-scale, scale), shape, name, dim_ordering)


def normal(shape, scale=0.05, name=None, dim_ordering='th'):
    """A variable with normally distributed numbers of standard deviation `scale`."""
    return _drawn(lambda: initializers.RandomNormal(stddev=scale), shape, name, dim_ordering)


def lecun_uniform(shape, name=None, dim_ordering='th'):
    """See `keras.initializers.lecun_uniform`."""
    return _drawn(initializers.lecun_uniform, shape, name, dim_ordering)


def glorot_normal(shape, name=None, dim_ordering='th'):
    """See `keras.initializers.glorot_normal`."""
    return _drawn(initializers.glorot_normal, shape, name, dim_ordering)


def glorot_uniform(shape, name=None, dim_ordering='th'):
    """See `keras.initializers.glorot_uniform`."""
    return _drawn(initializers.glorot_uniform, shape, name, dim_ordering)


def he_normal(shape, name=None, dim_ordering='th'):
    """See `keras.initializers.he_normal`."""
    return _drawn(initializers.he_normal, shape, name, dim_ordering)


def he_uniform(shape, name=None, dim_ordering='th'):
    """See `keras.initializers.he_uniform`."""
    return _drawn(initializers.he_uniform, shape, name, dim_ordering)


def orthogonal(shape, scale=1.1, name=None, dim_ordering='th'):
    """See `keras.initializers.Orthogonal`; `scale` is the factor."""
    return _drawn(lambda: initializers.Orthogonal(scale), shape, name, dim_ordering)


def identity(shape, scale=1, name=None, dim_ordering='th'):
    """See `keras.initializers.Identity`; `scale` is the factor."""
    return _drawn(lambda: initializers.Identity(scale), shape, name, dim_ordering)


def zero(shape, name=None, dim_ordering='th'):
    """A variable with zeros."""
    return K.zeros(shape, name=name)


def one(shape, name=None, dim_ordering='th'):
    """A variable with ones."""
    return K.ones(shape, name=name)


def get(identifier, **kwargs):
    """The function of that name, or one of your own as it is, with the keyword arguments `kwargs`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> keras.initializations.get('one')((2,)).numpy()
        array([1., 1.], dtype=float32)
    """
    if callable(identifier):
        function = identifier
    elif identifier in INITIALIZATIONS:
        function = globals()[identifier]
    else:
        raise ValueError('Unknown initialization: %r. Those of Keras 1: %s.'
                         % (identifier, ', '.join(sorted(INITIALIZATIONS))))
    return functools.partial(function, **kwargs) if kwargs else function
