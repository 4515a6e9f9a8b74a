"""Penalties on weights and activities: callables from a tensor to a scalar that is added to the loss."""
import math

from keras import config, ops
from keras.backend.table.composites.shape import dtype_of
from keras.configurable import Configurable
from keras.generations import Default, settled, value
from keras.legacy.arguments import deprecated
from keras.saving.kinds import Kind, deserialize_keras_object, serialize_keras_object  # noqa: F401


class Regularizer(Configurable):
    """Base class: a callable from a tensor to a scalar; here one that adds nothing.

    Example:
        >>> class Biggest(keras.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return keras.ops.max(keras.ops.abs(x))
    """

    def __call__(self, x):
        return 0.0


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x^2)`.

    Args:
        l1, l2: the two factors, at least 0.

    Raises:
        ValueError: for a factor that is not a finite number of at least 0.

    Example:
        >>> keras.regularizers.L1L2(l1=0.1, l2=0.2)(np.array([1.0, -2.0]))  # 0.1 * 3 + 0.2 * 5
    """

    def __init__(self, l1=0.0, l2=0.0):
        super().__init__()
        l1, l2 = _factor('l1', l1), _factor('l2', l2)
        self.declare(locals())

    def __call__(self, x):
        if not (self.l1 or self.l2):
            return ops.convert_to_tensor(0.0, dtype_of(ops.convert_to_tensor(x)))
        penalty = 0.0
        if self.l1:
            penalty = ops.sum(ops.abs(x)) * self.l1
        if self.l2:
            penalty = penalty + ops.sum(ops.square(x)) * self.l2
        return penalty


def _factor(name, value):
    value = 0.0 if value is None else value
    if isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise ValueError('Regularization factor %s must be a finite number of at least 0. Received: %r' % (name, value))
    return float(value)


class L1(L1L2):
    """`l1 * sum(|x|)`.

    Example:
        >>> keras.regularizers.L1(0.1)(np.array([1.0, -2.0]))  # 0.3
    """

    def __init__(self, l1=0.01):
        super().__init__(l1=l1)
        self.declare(locals())


class L2(L1L2):
    """`l2 * sum(x^2)`.

    Example:
        >>> keras.regularizers.L2(0.1)(np.array([1.0, -2.0]))  # 0.5
    """

    def __init__(self, l2=0.01):
        super().__init__(l2=l2)
        self.declare(locals())


# Keras 1 told them apart by name only.
L1L2Regularizer = WeightRegularizer = ActivityRegularizer = L1L2


class EigenvalueRegularizer(Regularizer):
    """`k` times the largest singular value of a matrix, found by nine steps of power iteration.

    Args:
        k: a number of at least 0.

    Raises:
        ValueError: when called for a tensor that is not a matrix.

    Example:
        >>> keras.regularizers.EigenvalueRegularizer(0.1)(np.diag([3.0, 1.0]))  # 0.3
    """

    def __init__(self, k):
        super().__init__()
        k = _factor('k', k)
        self.declare(locals())

    def __call__(self, x):
        if len(ops.shape(x)) != 2:
            raise ValueError('EigenvalueRegularizer takes matrices only. Received a tensor of shape %s.'
                             % (ops.shape(x),))
        square = ops.matmul(ops.transpose(x), x)
        vector = ops.sum(square, axis=1, keepdims=True)
        for _ in range(8):
            vector = ops.matmul(square, vector)
        eigenvalue = ops.divide(ops.sum(vector * ops.matmul(square, vector)), ops.sum(ops.square(vector)))
        return ops.sqrt(eigenvalue) * self.k


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine between different rows (or columns) of a matrix.

    Args:
        factor: a number of at least 0. mode: 'rows' or 'columns'.

    Raises:
        ValueError: for another mode, or when called for a tensor that is not a matrix.

    Example:
        >>> keras.regularizers.OrthogonalRegularizer(0.1)(np.eye(3))  # 0
    """

    def __init__(self, factor=0.01, mode='rows'):
        super().__init__()
        if mode not in ('rows', 'columns'):
            raise ValueError('Invalid value for argument `mode`. Expected one of {"rows", "columns"}. Received: '
                             'mode=%s' % (mode,))
        factor = _factor('factor', factor)
        self.declare(locals())

    def __call__(self, x):
        sizes = ops.shape(x)
        if len(sizes) != 2:
            raise ValueError('Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape=%s' % (sizes,))
        rows = x if self.mode == 'rows' else ops.transpose(x)
        norms = ops.sqrt(ops.maximum(ops.sum(ops.square(rows), axis=1, keepdims=True), config.epsilon() ** 2))
        rows = ops.divide(rows, norms)
        cosines = ops.abs(ops.matmul(rows, ops.transpose(rows)))
        count = sizes[0 if self.mode == 'rows' else 1]
        different = ops.sum(cosines) - ops.sum(ops.square(rows))
        return different * (self.factor / max(count * (count - 1), 1))


def _given(factor, kwargs, name):
    factor = kwargs.pop('l', factor)
    if kwargs:
        raise TypeError('%s() got an unexpected keyword argument %r.' % (name, sorted(kwargs)[0]))
    return factor


def l1(l1=0.01, **kwargs):
    """`L1L2` with the absolute values only; `l` is Keras 2's name of the argument.

    Example:
        >>> keras.regularizers.l1(0.1)(np.array([1.0, -2.0]))  # 0.3
    """
    return (L1 if value('regularizers_of_one_norm') else L1L2)(l1=_given(l1, kwargs, 'l1'))


def l2(l2=0.01, **kwargs):
    """`L1L2` with the squares only; `l` is Keras 2's name of the argument.

    Example:
        >>> keras.regularizers.l2(0.1)(np.array([1.0, -2.0]))  # 0.5
    """
    return (L2 if value('regularizers_of_one_norm') else L1L2)(l2=_given(l2, kwargs, 'l2'))


def l1_l2(l1=Default('l1_l2.l1'), l2=Default('l1_l2.l2')):
    """`L1L2`, with other defaults until Keras 3.

    Example:
        >>> keras.regularizers.l1_l2(0.1, 0.2)(np.array([1.0, -2.0]))  # 1.3
    """
    return L1L2(l1=settled(l1), l2=settled(l2))


orthogonal_regularizer = OrthogonalRegularizer


# --- Keras 1's names ----------------------------------------------------------------------------------------------

def l1l2(l1=0.01, l2=0.01):
    """`l1_l2` in Keras 1."""
    deprecated('l1l2(l1=%r, l2=%r)' % (l1, l2), 'l1_l2(l1=%r, l2=%r)' % (l1, l2))
    return L1L2(l1, l2)


def activity_l1(l=0.01):  # noqa: E741
    """`l1` in Keras 1, for an `activity_regularizer`."""
    deprecated('activity_l1(%r)' % l, 'l1(%r)' % l)
    return L1L2(l1=l)


def activity_l2(l=0.01):  # noqa: E741
    """`l2` in Keras 1, for an `activity_regularizer`."""
    deprecated('activity_l2(%r)' % l, 'l2(%r)' % l)
    return L1L2(l2=l)


def activity_l1l2(l1=0.01, l2=0.01):
    """`l1_l2` in Keras 1, for an `activity_regularizer`."""
    deprecated('activity_l1l2(l1=%r, l2=%r)' % (l1, l2), 'l1_l2(l1=%r, l2=%r)' % (l1, l2))
    return L1L2(l1, l2)


_KIND = Kind('regularizer', Regularizer, functions=('x',), home=__name__,
             expected='a name such as "l2", a config, or a function from a tensor to a scalar')
_KIND.enter_public(globals(), (l1, l2, l1_l2, l1l2, activity_l1, activity_l2, activity_l1l2),
                   also='serialize_keras_object')
get, serialize, deserialize = _KIND.module_functions(
    'regularizer', takes_kwargs=True, example=">>> keras.regularizers.get('l2')(np.array([1.0, -2.0]))  # 0.05")
