"""Penalties on weights and activities: callables from a tensor to a scalar that is added to the loss."""
import inspect
import math

from keras import config, ops
from keras.saving.serialization import deserialize_keras_object, serialize_keras_object


class Regularizer:
    """Base class: a callable from a tensor to a scalar; here one that adds nothing.

    Example:
        >>> class Biggest(keras.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return keras.ops.max(keras.ops.abs(x))
    """

    def __call__(self, x):
        return 0.0

    def get_config(self):
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        return '<%s %r>' % (type(self).__name__, self.get_config())


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
        self.l1 = _factor('l1', l1)
        self.l2 = _factor('l2', l2)

    def __call__(self, x):
        penalty = 0.0
        if self.l1:
            penalty = ops.sum(ops.abs(x)) * self.l1
        if self.l2:
            penalty = penalty + ops.sum(ops.square(x)) * self.l2
        return penalty

    def get_config(self):
        return {'l1': self.l1, 'l2': self.l2}


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

    def get_config(self):
        return {'l1': self.l1}


class L2(L1L2):
    """`l2 * sum(x^2)`.

    Example:
        >>> keras.regularizers.L2(0.1)(np.array([1.0, -2.0]))  # 0.5
    """

    def __init__(self, l2=0.01):
        super().__init__(l2=l2)

    def get_config(self):
        return {'l2': self.l2}


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
        if mode not in ('rows', 'columns'):
            raise ValueError('OrthogonalRegularizer: `mode` must be "rows" or "columns". Received: %r' % (mode,))
        self.factor = _factor('factor', factor)
        self.mode = mode

    def __call__(self, x):
        sizes = ops.shape(x)
        if len(sizes) != 2:
            raise ValueError('OrthogonalRegularizer takes matrices only. Received a tensor of shape %s.' % (sizes,))
        rows = x if self.mode == 'rows' else ops.transpose(x)
        norms = ops.sqrt(ops.maximum(ops.sum(ops.square(rows), axis=1, keepdims=True), config.epsilon() ** 2))
        rows = ops.divide(rows, norms)
        cosines = ops.abs(ops.matmul(rows, ops.transpose(rows)))
        count = sizes[0 if self.mode == 'rows' else 1]
        different = ops.sum(cosines) - ops.sum(ops.square(rows))
        return different * (self.factor / max(count * (count - 1), 1))

    def get_config(self):
        return {'factor': self.factor, 'mode': self.mode}


def l1(l=0.01, l1=None):  # noqa: E741
    """`L1L2` with the absolute values only; `l1` is Keras 3's name of the argument.

    Example:
        >>> keras.regularizers.l1(0.1)(np.array([1.0, -2.0]))  # 0.3
    """
    return L1L2(l1=l if l1 is None else l1)


def l2(l=0.01, l2=None):  # noqa: E741
    """`L1L2` with the squares only; `l2` is Keras 3's name of the argument.

    Example:
        >>> keras.regularizers.l2(0.1)(np.array([1.0, -2.0]))  # 0.5
    """
    return L1L2(l2=l if l2 is None else l2)


def l1_l2(l1=0.01, l2=0.01):
    """`L1L2`, with other defaults.

    Example:
        >>> keras.regularizers.l1_l2(0.1, 0.2)(np.array([1.0, -2.0]))  # 1.3
    """
    return L1L2(l1=l1, l2=l2)


orthogonal_regularizer = OrthogonalRegularizer


def serialize(regularizer):
    """The config of a regularizer."""
    return serialize_keras_object(regularizer)


def deserialize(config, custom_objects=None):
    """The regularizer that a config or a name stands for.

    Raises:
        ValueError: for an unknown name, naming those that come near.
    """
    found = deserialize_keras_object(config, module_objects=_OBJECTS, custom_objects=custom_objects,
                                     printable_module_name='regularizer')
    return found() if found in _MAKERS else found


_MAKERS = (l1, l2, l1_l2)
_OBJECTS = {name: value for name, value in list(globals().items())
            if value in _MAKERS or inspect.isclass(value) and issubclass(value, Regularizer)}


def get(identifier):
    """The regularizer for a name, a config or a callable from tensor to scalar; None stays None.

    Raises:
        ValueError: for anything else.

    Example:
        >>> keras.regularizers.get('l2')(np.array([1.0, -2.0]))  # 0.05
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if identifier in _MAKERS or inspect.isclass(identifier):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError('Could not interpret regularizer: %r. Expected a name such as "l2", a config, or a function '
                     'from a tensor to a scalar.' % (identifier,))
