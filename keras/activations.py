"""Activation functions: elementwise functions of a tensor (but for the softmaxes), by name or as such.

`hard_sigmoid` depends on the generation of Keras, see `keras.generations`.
"""
import warnings

from keras import generations, ops
from keras.backend.contract.context import with_logits
from keras.backend.table.composites import nn
from keras.saving.kinds import Kind, deserialize_keras_object, kind_in  # noqa: F401
from keras.saving.serialization import InvalidConfig


def linear(x):
    """`x` as it is.

    Example:
        >>> keras.activations.linear(3.0)
        3.0
    """
    return x


def relu(x, alpha=0.0, max_value=None, threshold=0.0, negative_slope=0.0):
    """The rectified linear unit: `max(x, 0)` by default.

    In general `max_value` from there on, `x` between `threshold` and `max_value`, and
    `alpha * (x - threshold)` below the threshold.

    Args:
        x: a tensor. alpha: slope below the threshold. max_value: where it saturates, default nowhere.
        threshold: where it begins. negative_slope: Keras 3's name for `alpha`.

    Example:
        >>> keras.activations.relu(np.array([-1.0, 2.0]))  # [0, 2]
    """
    return nn.relu(x, negative_slope or alpha, max_value, threshold)


def elu(x, alpha=1.0):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere: Clevert et al., exponential linear units (2015).

    Example:
        >>> keras.activations.elu(np.array([-1.0, 2.0]))  # [-0.632, 2]
    """
    return ops.elu(x, alpha)


def selu(x):
    """The self-normalizing `elu`, scaled: Klambauer et al. (2017). Use it with `lecun_normal`.

    Example:
        >>> keras.activations.selu(np.array([-1.0, 2.0]))  # [-1.111, 2.101]
    """
    return ops.selu(x)


def softplus(x):
    """`log(exp(x) + 1)`.

    Example:
        >>> keras.activations.softplus(np.array([0.0]))  # [0.693]
    """
    return ops.softplus(x)


def softsign(x):
    """`x / (|x| + 1)`.

    Example:
        >>> keras.activations.softsign(np.array([1.0]))  # [0.5]
    """
    return ops.softsign(x)


def sigmoid(x):
    """`1 / (1 + exp(-x))`.

    Example:
        >>> keras.activations.sigmoid(np.array([0.0]))  # [0.5]
    """
    return with_logits(ops.sigmoid(x), x)


@generations.dependent
def hard_sigmoid(x):
    """A piecewise linear `sigmoid`: `0.2 x + 0.5`, in Keras 3 `x / 6 + 0.5`, cut off at 0 and 1.

    Example:
        >>> keras.activations.hard_sigmoid(np.array([-3.0, 0.0, 1.0]))  # [0, 0.5, 0.7]
    """
    return nn.hard_sigmoid(x) if generations.value('hard_sigmoid_sixth') else nn.hard_sigmoid_keras2(x)


def tanh(x):
    """The hyperbolic tangent.

    Example:
        >>> keras.activations.tanh(np.array([0.0]))  # [0]
    """
    return ops.tanh(x)


def exponential(x):
    """`exp(x)`.

    Example:
        >>> keras.activations.exponential(np.array([0.0]))  # [1]
    """
    return ops.exp(x)


@generations.dependent
def softmax(x, axis=-1):
    """`exp(x)` divided by its sum along `axis`.

    Args:
        x: a tensor of logits. axis: an int, or a tuple of them.

    Raises:
        ValueError: before Keras 3, for a tensor of a single axis.

    Example:
        >>> keras.activations.softmax(np.array([[0.0, 0.0]]))  # [[0.5, 0.5]]
    """
    rank = ops.ndim(x)
    if rank < 2 and not generations.value('softmax_of_vectors'):
        raise ValueError('softmax expects a tensor of at least 2 axes, the first of them the batch. Received one of '
                         '%d.' % rank)
    return with_logits(nn.softmax(x, axis), x)


def log_softmax(x, axis=-1):
    """The logarithm of `softmax`.

    Example:
        >>> keras.activations.log_softmax(np.array([[0.0, 0.0]]))  # [[-0.693, -0.693]]
    """
    return ops.log_softmax(x, axis)


def leaky_relu(x, negative_slope=0.2):
    """`x` where positive, `negative_slope * x` elsewhere.

    Example:
        >>> keras.activations.leaky_relu(np.array([-1.0, 2.0]))  # [-0.2, 2]
    """
    return ops.leaky_relu(x, negative_slope)


def relu6(x):
    """`relu` that saturates at 6.

    Example:
        >>> keras.activations.relu6(np.array([7.0]))  # [6]
    """
    return ops.relu6(x)


def celu(x, alpha=1.0):
    """`x` where positive, `alpha * (exp(x / alpha) - 1)` elsewhere: Barron (2017).

    Example:
        >>> keras.activations.celu(np.array([-1.0, 2.0]))  # [-0.632, 2]
    """
    return ops.celu(x, alpha)


def gelu(x, approximate=False):
    """`x` times the normal distribution function of `x`: Hendrycks and Gimpel (2016).

    Args:
        x: a tensor. approximate: use the formula with tanh.

    Example:
        >>> keras.activations.gelu(np.array([1.0]))  # [0.841]
    """
    return ops.gelu(x, approximate)


def glu(x, axis=-1):
    """The first half of `x` along `axis` times the `sigmoid` of the second: Dauphin et al. (2016).

    Example:
        >>> keras.activations.glu(np.array([[2.0, 0.0]]))  # [[1]]
    """
    return ops.glu(x, axis)


def silu(x):
    """`x * sigmoid(x)`, also called swish: Ramachandran et al. (2017).

    Example:
        >>> keras.activations.silu(np.array([0.0]))  # [0]
    """
    return ops.silu(x)


def hard_silu(x):
    """`x * clip(x / 6 + 0.5, 0, 1)`, also called hard swish: Howard et al., MobileNetV3 (2019).

    Example:
        >>> keras.activations.hard_silu(np.array([-3.0, 3.0]))  # [0, 3]
    """
    return ops.hard_silu(x)


def hard_tanh(x):
    """`x` cut off at -1 and 1.

    Example:
        >>> keras.activations.hard_tanh(np.array([-3.0, 0.5]))  # [-1, 0.5]
    """
    return ops.hard_tanh(x)


def hard_shrink(x, threshold=0.5):
    """`x` where its absolute value is above `threshold`, 0 elsewhere.

    Example:
        >>> keras.activations.hard_shrink(np.array([0.2, 2.0]))  # [0, 2]
    """
    return ops.hard_shrink(x, threshold)


def soft_shrink(x, threshold=0.5):
    """`x` moved towards 0 by `threshold`, 0 where it is nearer than that.

    Example:
        >>> keras.activations.soft_shrink(np.array([0.2, 2.0]))  # [0, 1.5]
    """
    return ops.soft_shrink(x, threshold)


def tanh_shrink(x):
    """`x - tanh(x)`.

    Example:
        >>> keras.activations.tanh_shrink(np.array([0.0]))  # [0]
    """
    return ops.tanh_shrink(x)


def log_sigmoid(x):
    """The logarithm of `sigmoid`.

    Example:
        >>> keras.activations.log_sigmoid(np.array([0.0]))  # [-0.693]
    """
    return ops.log_sigmoid(x)


def mish(x):
    """`x * tanh(softplus(x))`: Misra (2019).

    Example:
        >>> keras.activations.mish(np.array([0.0]))  # [0]
    """
    return ops.multiply(ops.tanh(ops.softplus(x)), x)


def sparse_plus(x):
    """0 up to -1, `x` from 1 on, `(x + 1)^2 / 4` between.

    Example:
        >>> keras.activations.sparse_plus(np.array([0.0]))  # [0.25]
    """
    return ops.sparse_plus(x)


def sparse_sigmoid(x):
    """0 up to -1, 1 from 1 on, `(x + 1) / 2` between.

    Example:
        >>> keras.activations.sparse_sigmoid(np.array([0.0]))  # [0.5]
    """
    return ops.sparse_sigmoid(x)


def sparsemax(x, axis=-1):
    """The point of the probability simplex nearest to `x` along `axis`: Martins and Astudillo (2016).

    Example:
        >>> keras.activations.sparsemax(np.array([[2.0, 0.0]]))  # [[1, 0]]
    """
    return ops.sparsemax(x, axis)


def squareplus(x, b=4):
    """`(x + sqrt(x^2 + b)) / 2`: Barron (2021).

    Example:
        >>> keras.activations.squareplus(np.array([0.0]))  # [1]
    """
    return ops.squareplus(x, b)


def threshold(x, threshold, default_value):
    """`x` where above `threshold`, `default_value` elsewhere.

    Example:
        >>> keras.activations.threshold(np.array([0.2, 2.0]), 1.0, 0.0)  # [0, 2]
    """
    return ops.threshold(x, threshold, default_value)


swish = silu
hard_swish = hard_silu


# Layers serve as activations, too; Keras 2's configs do not say where they live.
class _Activations(Kind):

    def get(self, identifier):
        is_layer = hasattr(identifier, 'inbound_nodes') and not isinstance(identifier, type)
        if is_layer and generations.value('layer_as_activation_warns'):
            warnings.warn('%s is a layer, given as an activation function. Put it into the model behind the layer that '
                          'it is given to instead.' % identifier.name, stacklevel=3)
        return super().get(identifier)

    def find(self, name, custom_objects=None, module=None):
        found = super().find(name, custom_objects, module)
        if isinstance(found, type) and kind_in('keras.layers').objects.get(found.__name__) is found \
                and not getattr(found, 'serves_as_activation', False):
            raise InvalidConfig('The layer %s is no activation function: what it gives has another shape than its '
                                'input, or it takes more than one. Expected %s, or a layer that works element by '
                                'element such as ReLU. Put the layer into the model by itself.'
                                % (found.__name__, self.expected))
        return found


_KIND = _Activations('activation function', functions=('x',), for_none=linear, home=__name__,
                     includes=('keras.layers',), expected='a name such as "relu" or a function of one tensor')
_KIND.enter_public(globals(), also='')

# What looks along an axis; all other functions here work element by element.
_ALONG_AXIS = (softmax, log_softmax, sparsemax, glu)
_ELEMENTWISE = tuple(function for function in _KIND.objects.values() if function not in _ALONG_AXIS)


def is_elementwise(activation):
    """Whether `activation`, a function or None, is one of this module that works element by element."""
    return activation is None or activation in _ELEMENTWISE


get, serialize, deserialize = _KIND.module_functions(
    'activation', 'name', also='config', example=">>> keras.activations.get('relu') is keras.activations.relu\nTrue")
