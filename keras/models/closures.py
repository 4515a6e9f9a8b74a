"""Loops and branches of a graph in its config: the functions that were given to them, as lists of calls of the table.

Nothing of a function is written but what it does with tensors, so reading one runs no code from the file. It is a form
of our own: Keras 3 writes the Python function, which it reads with `safe_mode=False` only.
"""
import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.loading import is_native
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import to_array, Variable
from keras.backend.table.bodies import Body, Closure, Place, symbolically
from keras.backend.table.entries import Entry, TABLE
from keras.layers.base import Layer
from keras.saving import values
from keras.saving.serialization import unknown_name_error

CLASS_NAME = '__closure__'


def written(closure):
    """The config of a `Closure`, plain values.

    Raises:
        ValueError: for a function that does something else than operations of the table and calls of layers.
    """
    bodies = {closure.entry.parameters[position]: _written_body(body) for position, body in closure.bodies.items()}
    return {'operation': closure.entry.name, 'bodies': bodies}


def read(config, layers):
    """The `Closure` of a config.

    Args:
        layers: {name: layer}, of the model.

    Raises:
        ValueError: for an operation or layer that is not there.
    """
    entry = _entry(config['operation'])
    return Closure(entry, {entry.parameters.index(name): _read_body(body, layers)
                           for name, body in config['bodies'].items()})


def layers_in(closure):
    """The layers that are called inside of a loop or branch."""
    found = []
    for node in closure.inner_nodes:
        if isinstance(node.operation, Layer):
            found.append(node.operation)
        elif isinstance(node.operation, Closure):
            found.extend(layers_in(node.operation))
    return found


def _written_body(body):
    inputs, captured, calls, outputs = body.flat()
    return {'inputs': [_written_kind(*kind) for kind in inputs],
            'captured': [_written_kind(*kind) for kind in captured],
            'calls': [_written_call(*call) for call in calls], 'outputs': _written(outputs)}


def _written_kind(shape, dtype):
    return {'shape': None if shape is None else list(shape), 'dtype': dtype}


def _written_call(operation, args, kwargs, outputs, implicit, phase):
    call = {'args': [_written(value) for value in args],
            'kwargs': {name: _written(value) for name, value in kwargs.items() if name not in implicit}}
    if isinstance(operation, Entry):
        return dict(call, operation=operation.name)
    if isinstance(operation, Closure):
        return dict(call, closure=written(operation))
    if isinstance(operation, Layer):
        return dict(call, layer=operation.name)
    raise ValueError('The config of a model cannot hold %r, which a function that was given to a loop or branch calls: '
                     'only operations of keras.ops and layers can be written. Put the loop or branch into the `call` '
                     'of a layer of your own.' % (operation,))


def _written(value):
    if isinstance(value, Place):
        return {'__place__': value.number}
    if isinstance(value, slice):
        return {'__slice__': [value.start, value.stop, value.step]}
    if isinstance(value, Variable):
        return _written(value.numpy())
    if isinstance(value, (np.ndarray, np.generic)) or is_native(value):
        array = to_array(value)
        return {'__array__': array.tolist(), 'dtype': array.dtype.name}
    if isinstance(value, dict):
        return {'__dict__': {name: _written(part) for name, part in value.items()}}
    if isinstance(value, tuple):
        return {'__tuple__': [_written(part) for part in value]}
    return [_written(part) for part in value] if isinstance(value, list) else value


_READERS = {
    '__slice__': lambda config, tensors: slice(*config['__slice__']),
    '__array__': lambda config, tensors: values.array_of(config['__array__'], config['dtype']),
    '__dict__': lambda config, tensors: {name: _read(part, tensors) for name, part in config['__dict__'].items()},
    '__tuple__': lambda config, tensors: tuple(_read(config['__tuple__'], tensors)),
    '__place__': lambda config, tensors: tensors[config['__place__']],
}


def _read(value, tensors):
    """What `_written` wrote, with `tensors` in the places."""
    if isinstance(value, dict):
        kind = next(iter(value), None)
        if kind not in _READERS:
            raise unknown_name_error('kind of value', kind, _READERS)
        return _READERS[kind](value, tensors)
    return [_read(part, tensors) for part in value] if isinstance(value, list) else value


def _read_body(config, layers):
    inputs, captured = [[KerasTensor(kind['shape'], kind['dtype'], name='argument') for kind in config[name]]
                        for name in ('inputs', 'captured')]
    tensors = inputs + captured
    with symbolically():
        for call in config['calls']:
            args, kwargs = _read(call['args'], tensors), _read({'__dict__': call['kwargs']}, tensors)
            found = _callable(call, layers)(*args, **kwargs)
            tensors = tensors + [leaf for leaf in tree.flatten(found) if isinstance(leaf, AbstractTensor)]
    body = Body(inputs, _read(config['outputs'], tensors))
    body.captured = captured
    return body


def _callable(call, layers):
    if 'layer' in call:
        if not isinstance(layers.get(call['layer']), Layer):
            raise unknown_name_error('layer of the model', call['layer'], layers)
        return layers[call['layer']]
    return read(call['closure'], layers).call if 'closure' in call else _entry(call['operation']).call


def _entry(name):
    if name not in TABLE:
        raise unknown_name_error('operation', name, TABLE)
    return TABLE[name]
