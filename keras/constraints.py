"""Constraints on weights: functions from a weight's value to an allowed one, applied after each update."""
import numpy as np

from keras import config, ops
from keras.backend.table.composites.shape import static_shape
from keras.configurable import Configurable
from keras.legacy import calls
from keras.saving.kinds import Kind, deserialize_keras_object, serialize_keras_object  # noqa: F401


class Constraint(Configurable):
    """Base class: a callable from a weight's value to the allowed value; here any value is allowed.

    Example:
        >>> class AtMostOne(keras.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return keras.ops.minimum(w, 1.0)
    """

    def __call__(self, w):
        return w


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
        super().__init__()
        self.declare(locals())

    def __call__(self, w):
        norms = _norms(w, self.axis)
        return ops.multiply(w, ops.minimum(norms, float(self.max_value)) / (norms + config.epsilon()))


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
        super().__init__()
        self.declare(locals())

    def __call__(self, w):
        return ops.divide(w, _norms(w, self.axis) + config.epsilon())


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
        super().__init__()
        self.declare(locals())

    def __call__(self, w):
        norms = _norms(w, self.axis)
        allowed = ops.clip(norms, float(self.min_value), float(self.max_value))
        desired = allowed * float(self.rate) + norms * (1.0 - self.rate)
        return ops.multiply(w, desired / (norms + config.epsilon()))


class RadialConstraint(Constraint):
    """Give all weights of a square kernel that lie equally far from its middle the same value.

    A ring gets the value that the diagonal of the kernel has there, as in tf.keras: for 5x5 the middle is `w[1, 1]`,
    the rings around it `w[2, 2]` and `w[3, 3]`.

    Raises:
        ValueError: for weights that are not of shape (size, size, inputs, outputs).

    Example:
        >>> kernel = np.arange(9.0).reshape(3, 3, 1, 1)
        >>> rings = keras.constraints.RadialConstraint()(kernel)
        >>> keras.ops.convert_to_numpy(rings)[:, :, 0, 0].tolist()
        [[4.0, 4.0, 4.0], [4.0, 0.0, 4.0], [4.0, 4.0, 4.0]]
    """

    def __call__(self, w):
        shape = static_shape(w)
        if len(shape) != 4:
            raise ValueError('The weight tensor must have rank 4. Received weight tensor with shape: %s' % (shape,))
        size = shape[0]
        if size != shape[1] or size < 2:
            raise ValueError('RadialConstraint: the kernel must be square, of at least 2x2. Received weight tensor '
                             'with shape: %s' % (shape,))
        rows, columns = np.indices((size, size))
        # The ring of each place, counted from the middle.
        ring = np.maximum(abs(2 * rows - size + 1), abs(2 * columns - size + 1)) // 2
        place = size // 2 - 1 + ring + (size % 2 == 0) * (ring > 0)
        flat = ops.reshape(w, (size * size,) + shape[2:])
        return ops.reshape(ops.take(flat, (place * (size + 1)).ravel(), axis=0), shape)


max_norm = maxnorm = MaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm
min_max_norm = MinMaxNorm
radial_constraint = RadialConstraint

_KIND = Kind('constraint', Constraint, functions=('w',), home=__name__,
             expected='a name such as "max_norm", a config, or a function from a tensor to one of the same shape')
_KIND.enter_public(globals(), also='serialize_keras_object')
get, serialize, deserialize = _KIND.module_functions(
    'constraint', takes_kwargs=True, example=">>> keras.constraints.get('max_norm').max_value\n2")
calls.install(globals(), calls.CONSTRAINTS)
