"""Operations with functions in a graph (`scan`, `cond`, `while_loop`, `vectorized_map`) as plain values, for configs.

What a function does is written, not the function: the operations of its body, each with the numbers of the tensors that
it takes. They are counted from the arguments on: arguments, tensors from around the function, results of one operation
after the other.
"""
import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.loading import is_native
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable, to_array
from keras.backend.table.bodies import Closure
from keras.backend.table.entries import Entry, TABLE

CLASS_NAME = '__operation_with_functions__'


def is_closure(operation):
    return isinstance(operation, Closure)


def written(node):
    """(plain values, the symbolic tensors that they are about) for a node with functions.

    Raises:
        ValueError: where a function holds what cannot be written, such as a layer.
    """
    tensors = [leaf for leaf in tree.flatten(list(node.args)) if isinstance(leaf, KerasTensor)]
    return _closure(node, _numbered(tensors)), tensors


def _numbered(tensors):
    numbers = {}
    for number, tensor in enumerate(tensors):
        numbers.setdefault(id(tensor), number)
    return numbers


def _closure(node, numbers):
    captured = iter(node.args[1:])
    functions = {str(position): _body(body, [numbers[id(next(captured))] for _ in body.captured])
                 for position, body in node.operation.bodies.items()}
    return {'operation': node.operation.name, 'args': _encoded(node.args[0], numbers), 'functions': functions}


def _body(body, captured):
    tensors, nodes = list(body.inputs) + list(body.captured), []
    for node in body.nodes:
        numbers = _numbered(tensors)
        if isinstance(node.operation, Closure):
            nodes.append(_closure(node, numbers))
        elif isinstance(node.operation, Entry):
            nodes.append({'operation': node.operation.name, 'args': _encoded(list(node.args), numbers)})
        else:
            raise ValueError('The model cannot be written: a function in it uses %r, and files hold operations of '
                             'keras.ops there, no layers. Call the layer outside of the function, or put the whole '
                             'operation into a layer of your own.' % (node.operation,))
        tensors.extend(node.outputs)
    return {'captured': captured, 'nodes': nodes, 'outputs': _encoded(body.structure, _numbered(tensors))}


def _encoded(value, numbers):
    if isinstance(value, KerasTensor):
        return {'tensor': numbers[id(value)]}
    if isinstance(value, (list, tuple)):
        parts = [_encoded(part, numbers) for part in value]
        return parts if isinstance(value, list) else {'tuple': parts}
    if isinstance(value, dict):
        return {'dict': {key: _encoded(part, numbers) for key, part in value.items()}}
    if isinstance(value, (np.ndarray, np.generic, Variable)) or is_native(value):
        array = to_array(value)
        return {'array': array.tolist(), 'dtype': array.dtype.name}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ValueError('The model cannot be written: an operation in it takes %r.' % (value,))


def _decoded(value, tensors):
    if isinstance(value, list):
        return [_decoded(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    if 'tensor' in value:
        return tensors[value['tensor']]
    if 'tuple' in value:
        return tuple(_decoded(part, tensors) for part in value['tuple'])
    if 'dict' in value:
        return {key: _decoded(part, tensors) for key, part in value['dict'].items()}
    return np.array(value['array'], value['dtype'])


class Read:
    """The operation that `written` gave the plain values of, called on its tensors."""

    def __init__(self, config):
        self._config = config

    def __call__(self, *tensors):
        return _run(self._config, tensors)


def _run(node, tensors):
    """What an operation, with functions or without, gives for the tensors so far."""
    if node['operation'] not in TABLE:
        raise ValueError('The configuration of the model has the operation %.50r, which is not known.'
                         % (node['operation'],))
    args = _decoded(node['args'], tensors)
    for position, body in node.get('functions', {}).items():
        args[int(position)] = _function(body, [tensors[number] for number in body['captured']])
    return TABLE[node['operation']].call(*args)


def _function(body, captured):
    def run(*args):
        tensors = tree.flatten(list(args)) + captured
        for node in body['nodes']:
            tensors.extend(tree.flatten(_run(node, tensors)))
        return _decoded(body['outputs'], tensors)
    return run
