"""`compile(target_tensors=...)`: targets that are tensors rather than data, as Keras 2 had them."""
import numpy as np

from keras.backend.graph.nodes import nodes_between
from keras.backend.graph.reads import Read, symbol_of
from keras.backend.graph.tensors import KerasTensor, is_placeholder
from keras.backend.k.values import constant
from keras.backend.state.variables import Variable


def given_for(target_tensors, names):
    """One tensor or None per output, checked.

    Raises:
        TypeError: for anything but a tensor, a list and a dictionary. ValueError: for another number than there are
            outputs, or an unknown one.
    """
    if target_tensors is None:
        return [None] * len(names)
    if isinstance(target_tensors, (list, tuple)):
        if len(target_tensors) != len(names):
            raise ValueError('When passing a list as `target_tensors`, it should have one entry per model output. The '
                             'model has %d outputs, but you passed target_tensors=%r' % (len(names), target_tensors))
        return list(target_tensors)
    if isinstance(target_tensors, dict):
        unknown = [name for name in target_tensors if name not in names]
        if unknown:
            raise ValueError('Unknown entry in the dictionary `target_tensors`: %s. The outputs of the model are: %s.'
                             % (', '.join(map(repr, unknown)), ', '.join(names)))
        return [target_tensors.get(name) for name in names]
    if not hasattr(target_tensors, 'shape'):
        raise TypeError('Expected `target_tensors` to be a tensor, or a list or dictionary of tensors, but got: %r'
                        % (target_tensors,))
    if len(names) > 1:
        raise ValueError('The model has %d outputs, but you passed a single tensor as `target_tensors`. Expected a '
                         'list or a dict of tensors.' % len(names))
    return [target_tensors]


def _symbol(tensor):
    if isinstance(tensor, Variable):
        return symbol_of(tensor)
    return tensor if isinstance(tensor, KerasTensor) else constant(np.asarray(tensor))


def _is_fed(tensor, inputs):
    return isinstance(tensor, KerasTensor) and is_placeholder(tensor) and not any(tensor is one for one in inputs)


class TargetTensors:
    """The targets that no data is fed for: variables, constants and what is computed from the inputs of the model.

    A placeholder says only that an output has a target, which is fed like any other.

    Args:
        program: a compiled `Program` of a model that is a graph. target_tensors: as `compile` was given them.
    """

    def __init__(self, program, target_tensors):
        graph = program.forward.graph
        inputs = [] if graph is None else graph.inputs
        self._found = {index: _symbol(tensor) for index, tensor in enumerate(
            given_for(target_tensors, program.output_names)) if tensor is not None and not _is_fed(tensor, inputs)}
        if self._found and graph is None:
            raise ValueError('compile: target_tensors need a model that is a graph of layers; model %s is defined by '
                             '`call`. Pass the targets to fit.' % program.name)
        nodes = nodes_between(inputs, list(self._found.values())) if self._found else []
        # The symbolic tensors to compute along with the outputs.
        self.values = list(self._found.values())
        # What the steps read besides the variables of the model.
        self.variables = [node.operation.variable for node in nodes if isinstance(node.operation, Read)]

    def __contains__(self, index):
        return index in self._found

    def complete(self, trained_outputs, fed, computed):
        """The targets of all outputs with a loss, given those `fed` and those `computed`, in their orders."""
        fed, computed = iter(fed), dict(zip(self._found, computed))
        return [computed[index] if index in computed else next(fed) for index in trained_outputs]
