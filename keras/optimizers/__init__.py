"""Optimizers: how `fit` changes the weights."""
import inspect

from keras.optimizers import schedules
from keras.optimizers.algorithms import (
    SGD, Adadelta, Adafactor, Adagrad, Adam, Adamax, AdamW, Ftrl, Lamb, Lion, LossScaleOptimizer, Nadam, RMSprop,
    TFOptimizer)
from keras.optimizers.base import Optimizer, clip_norm
from keras.saving.serialization import deserialize_keras_object, serialize_keras_object

sgd, rmsprop, adagrad, adadelta, adam, adamax, nadam = SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam

_OBJECTS = {}
for _name, _value in list(globals().items()):
    if inspect.isclass(_value) and issubclass(_value, Optimizer):
        _OBJECTS[_name] = _OBJECTS[_name.lower()] = _value


def serialize(optimizer):
    """The config of an optimizer: `{'class_name', 'config'}`."""
    return serialize_keras_object(optimizer)


def deserialize(config, custom_objects=None):
    """The optimizer that a config or a name, in any case, stands for.

    Raises:
        ValueError: for an unknown name, naming those that come near.
    """
    name = config.get('class_name') if isinstance(config, dict) else config
    if isinstance(name, str) and name.lower() in _OBJECTS and name not in _OBJECTS:
        config = dict(config, class_name=name.lower()) if isinstance(config, dict) else name.lower()
    return deserialize_keras_object(config, module_objects=_OBJECTS, custom_objects=custom_objects,
                                    printable_module_name='optimizer')


def get(identifier):
    """The optimizer for a name, a config, a class or an optimizer.

    Raises:
        ValueError: for anything else.

    Example:
        >>> keras.optimizers.get('sgd').momentum
        0.0
    """
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if inspect.isclass(identifier) and issubclass(identifier, Optimizer):
        return identifier()
    if isinstance(identifier, Optimizer):
        return identifier
    if hasattr(identifier, 'apply_gradients'):
        return TFOptimizer(identifier)
    raise ValueError('Could not interpret optimizer: %r. Expected a name such as "adam", a config, or an optimizer '
                     'of keras.optimizers.' % (identifier,))
