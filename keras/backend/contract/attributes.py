"""By which attributes of layers, and of objects inside, something is computed, and what these are compared by.

Compiled functions are kept as long as these attributes are what they were: the steps that PyTorch's engine writes down
(`training.unchanged`), what `nnx.jit` compiles (`engines.nnx`), and the changes of image layers.
"""
import types

import numpy as np

# Attributes by which nothing is computed: accounts that objects keep, what only says how weights were made, what is the
# same as other attributes (of a policy the dtypes are), and the weights, which are looked at elsewhere.
ACCOUNTS = frozenset((
    '_inbound_nodes', '_outbound_nodes', '_call_losses', '_call_metrics', '_symbolic_losses', '_symbolic_metrics',
    '_symbolic_updates', '_direct_dtype', '_direct_shape', '_ignores_phase', '_initial_weights', '_source',
    '_policy', '_built_for', '_was_built', '_has_run', '_trainable_weights', '_non_trainable_weights',
    '_forwards', '_direct', '_training', '_warned', '_path', '_made_under', '_noted', 'name', 'history', 'streams',
    'input_spec', 'stop_training', 'stop_evaluating', 'stop_predicting'))
# What Keras keeps under these of them is an object, or nothing: a plain value there is a user's.
_OBJECTS = frozenset(('_source', '_policy', '_forwards', '_direct', '_training', '_noted', 'history', 'streams',
                      'input_spec'))
# What only says how weights are made, by the ends of the names.
ONLY_TO_MAKE = ('_initializer',)
_SETTINGS = frozenset((type(None), bool, int, float, complex, str, bytes, types.FunctionType,
                       types.BuiltinFunctionType))
# Longer ones are data, of which no setting is made.
_LONGEST = 1000


def looked_at(attributes, accounts=ACCOUNTS, ends=ONLY_TO_MAKE):
    """The names of those of `attributes`, a dictionary, by which something is computed."""
    return [name for name, value in attributes.items() if (name not in accounts or _is_of_a_user(name, value))
            and not str(name).endswith(ends)]


def _is_of_a_user(name, value):
    return name in _OBJECTS and isinstance(value, (bool, int, float, complex, str))


def settings(attributes, inside=None):
    """{name: what stands for it when it is compared} of the attributes that are plain values and by which something is
    computed.

    Args:
        attributes: the dictionary of an object. inside: function of another object, also one in tuples, lists and
            dictionaries, that gives what stands for it, None for what is no setting.

    Example:
        >>> settings({'units': 3, 'name': 'dense', '_rates': (True,), 'kernel': object()})
        {'units': (<class 'int'>, 3), '_rates': (<class 'tuple'>, ((<class 'bool'>, True),))}
    """
    found = {}
    for name, value in attributes.items():
        if name not in ACCOUNTS or _is_of_a_user(name, value):
            kind = type(value)
            key = (kind, value) if kind in _SETTINGS else _key(value, inside)
            if key is not None:
                found[name] = key
    return found


def _key(value, inside):
    kind = type(value)
    if kind in _SETTINGS or isinstance(value, type):
        return kind, value
    if kind in (tuple, list, dict) and len(value) <= _LONGEST:
        parts = tuple([_key(part, inside) for part in (value.items() if kind is dict else value)])
        return None if None in parts else (kind, parts)
    if isinstance(value, np.generic):
        return kind, value.item()
    return None if inside is None else inside(value)
