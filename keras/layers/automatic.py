"""Configs of layers and models of your own that have no `get_config`: the arguments that the constructor was given.

A constructor that declares its arguments (`configurable`) needs none of this.
"""
import inspect

import numpy as np

from keras.configurable import declares
from keras.layers.calls import is_ours
from keras.saving.kinds import deserialize_keras_object
from keras.saving.serialization import get_registered_name

_PLAIN = (str, bool, int, float, np.integer, np.floating, np.bool_, np.ndarray, type(None))
_LINES = """

    def get_config(self):
        config = super().get_config()
        config.update(%s)
        return config
"""
# Arguments of every layer, which `batch_input_shape` in the config stands for, or that are no part of one.
_OF_INPUT = ('input_shape', 'batch_shape', 'batch_size', 'input_dim', 'input_length', 'input_dtype', 'weights')
# Whether the arguments of a class are noted, found out once.
_noted = {}


def notes_arguments(cls):
    """Whether the arguments of the constructor of a class are its config.

    They are where it has a constructor of its own, which names them, and no `get_config`, and the first of Keras's
    classes that it comes from says `arguments_make_config`; what comes from others has the config of those.
    """
    try:
        return _noted[cls]
    except KeyError:
        return _noted.setdefault(cls, _finds_noted(cls))


def _finds_noted(cls):
    if 'arguments_make_config' not in vars(next(each for each in cls.__mro__ if is_ours(each))):
        return False
    return not is_ours(cls.__init__) and is_ours(cls.get_config) and not declares(cls.__init__)


def config_of(layer, given, base):
    """The config of a layer.

    Args:
        given: (args, kwargs) that its constructor was called with. base: {name: plain value} of what every layer has.

    Raises:
        NotImplementedError: where an argument is nothing that a config could hold, with the lines to write.
    """
    parameters = inspect.signature(type(layer).__init__).parameters
    bound = inspect.signature(type(layer).__init__).bind(layer, *given[0], **given[1]).arguments
    others = [name for name, each in parameters.items() if each.kind is each.VAR_KEYWORD]
    values = dict(list(bound.items())[1:])
    for name in others:
        values.update({key: value for key, value in values.pop(name, {}).items() if key not in _OF_INPUT})
    values = {name: value for name, value in values.items() if name not in base}
    surplus = [name for name, each in parameters.items() if each.kind is each.VAR_POSITIONAL]
    unfit = [name for name, value in values.items() if not _is_plain(value) or name in surplus]
    if unfit:
        raise NotImplementedError(
            '%s has no `get_config`, and its %s cannot be written without one: %s. Define it in the class:%s'
            % (_described(layer), ', '.join('`%s`' % name for name in unfit),
               ', '.join('%.60r' % (values[name],) for name in unfit), lines_to_write(type(layer))))
    config = {name: value for name, value in base.items() if others or name in parameters}
    return dict(config, **{name: _written(value) for name, value in values.items()})


def _described(layer):
    return 'Layer %r (%s)' % (layer.name, type(layer).__name__)


def lines_to_write(cls):
    """The `get_config` that a class needs, as text."""
    names = [name for name, each in list(inspect.signature(cls.__init__).parameters.items())[1:]
             if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    return _LINES % ', '.join('%s=self.%s' % (name, name) for name in names)


def _is_plain(value):
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_plain, value.values()))
    return isinstance(value, _PLAIN) or _is_object(value) or _is_named(value)


def _is_object(value):
    return hasattr(value, 'get_config') and not inspect.isclass(value)


def _is_named(value):
    """Whether a function is found by its name."""
    return inspect.isfunction(value) and (is_ours(value) or '>' in get_registered_name(value))


def _written(value):
    if isinstance(value, (list, tuple)):
        return type(value)(map(_written, value)) if type(value) in (list, tuple) else list(map(_written, value))
    if isinstance(value, dict):
        return {key: _written(part) for key, part in value.items()}
    if _is_object(value):
        return {'class_name': get_registered_name(type(value)), 'config': value.get_config()}
    if _is_named(value):
        return {'class_name': 'function', 'config': get_registered_name(value)}
    return value


def made_from(cls, config):
    """A layer of a class whose arguments are noted, from what `config_of` gave.

    Raises:
        TypeError: where arguments are missing, with the lines that write them.
    """
    try:
        return cls(**{name: _read(value) for name, value in config.items()})
    except TypeError as error:
        raise TypeError('%s cannot be made of the config %.300r (%s). The usual cause: `get_config` was missing when '
                        'it was written. Define it in the class:%s'
                        % (cls.__name__, config, error, lines_to_write(cls))) from error


def _read(value):
    if isinstance(value, (list, tuple)):
        return type(value)(map(_read, value))
    if isinstance(value, dict):
        if 'class_name' in value and 'config' in value:
            return deserialize_keras_object(value)
        return {key: _read(part) for key, part in value.items()}
    return value
