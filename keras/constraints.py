"""Constraints on weights: functions from a weight's value to an allowed one, applied after each update."""
import inspect

from keras import config, ops
from keras.saving.serialization import deserialize_keras_object, serialize_keras_object


class Constraint:
    """Base class: a callable from a weight's value to the allowed value; here any value is allowed.

    Example:
        >>> class AtMostOne(keras.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return keras.ops.minimum(w, 1.0)
    """

    def __call__(self, w):
        return w

    def get_config(self):
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        return '<%s %r>' % (type(self).__name__, self.get_config())


def _norms(w, axis):
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Scale down what has a norm above `max_value`: Srivastava, Hinton et al., Dropout (2014).

    Args:
        max_value: the largest Euclidean norm.
        axis: axis or axes along which norms are taken. For a kernel (inputs, outputs) 0 takes the norm of each
            output's weights; for a convolution's (rows, columns, inputs, outputs) use [0, 1, 2].

    Example:
        >>> keras.constraints.MaxNorm(1.0)(np.array([[3.0], [4.0]]))  # [[0.6], [0.8]]
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w):
        norms = _norms(w, self.axis)
        return ops.multiply(w, ops.minimum(norms, float(self.max_value)) / (norms + config.epsilon()))

    def get_config(self):
        return {'max_value': self.max_value, 'axis': self.axis}


class NonNeg(Constraint):
    """Replace negative weights by 0.

    Example:
        >>> keras.constraints.NonNeg()(np.array([-1.0, 2.0]))  # [0, 2]
    """

    def __call__(self, w):
        return ops.relu(w)


class UnitNorm(Constraint):
    """Scale everything to norm 1.

    Args:
        axis: axis or axes along which norms are taken, see `MaxNorm`.

    Example:
        >>> keras.constraints.UnitNorm()(np.array([[3.0], [4.0]]))  # [[0.6], [0.8]]
    """

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        return ops.divide(w, _norms(w, self.axis) + config.epsilon())

    def get_config(self):
        return {'axis': self.axis}


class MinMaxNorm(Constraint):
    """Scale towards norms between `min_value` and `max_value`.

    Args:
        min_value, max_value: the limits of the Euclidean norm.
        rate: how far each update goes: 1 enforces the limits, less moves towards them.
        axis: axis or axes along which norms are taken, see `MaxNorm`.

    Example:
        >>> keras.constraints.MinMaxNorm(0.5, 1.0)(np.array([[3.0], [4.0]]))  # [[0.6], [0.8]]
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w):
        norms = _norms(w, self.axis)
        allowed = ops.clip(norms, float(self.min_value), float(self.max_value))
        desired = allowed * float(self.rate) + norms * (1.0 - self.rate)
        return ops.multiply(w, desired / (norms + config.epsilon()))

    def get_config(self):
        return {'min_value': self.min_value, 'max_value': self.max_value, 'rate': self.rate, 'axis': self.axis}


max_norm = maxnorm = MaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm
min_max_norm = MinMaxNorm

_OBJECTS = {name: value for name, value in list(globals().items())
            if inspect.isclass(value) and issubclass(value, Constraint)}


def serialize(constraint):
    """The config of a constraint."""
    return serialize_keras_object(constraint)


def deserialize(config, custom_objects=None):
    """The constraint that a config or a name stands for.

    Raises:
        ValueError: for an unknown name, naming those that come near.
    """
    return deserialize_keras_object(config, module_objects=_OBJECTS, custom_objects=custom_objects,
                                    printable_module_name='constraint')


def get(identifier):
    """The constraint for a name, a config or a callable; None stays None.

    Raises:
        ValueError: for anything else.

    Example:
        >>> keras.constraints.get('max_norm').max_value
        2
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if inspect.isclass(identifier):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError('Could not interpret constraint: %r. Expected a name such as "max_norm", a config, or a function '
                     'from a tensor to one of the same shape.' % (identifier,))
