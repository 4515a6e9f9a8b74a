"""Graphs as flat lists, to be copied and pickled however deep they are."""
from keras.backend.contract import tree
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Ancestry, Node, nodes_between
from keras.backend.graph.tensors import KerasTensor
from keras.layers.base import Layer
from keras.layers.input_layer import InputLayer


class _Place:
    """Stands for the tensor at a place of the list of all tensors."""
    __slots__ = ('number',)

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        return _Place, (self.number,)


class PortableGraph:
    """The tensors and calls of a `Graph`, and what was added to its layers, without a reference from call to call.

    Args:
        graph: the `Graph`. layers: those whose losses, metrics and updates go along.
    """

    def __init__(self, graph, layers):
        ancestry = Ancestry(graph.inputs)
        added = [(layer, [addition for addition in layer.graph_additions()
                          if all(not ancestry.needs_more(tensor) for tensor in _symbolic(addition))])
                 for layer in layers]
        wanted = graph.outputs + [tensor for _, additions in added for tensor in _symbolic(additions)]
        wanted += [tensor.mask for node in nodes_between(graph.inputs, wanted) for tensor in node.outputs
                   if tensor.mask is not None]
        nodes = nodes_between(graph.inputs, wanted)
        self._numbers, self._count = {}, 0
        self.inputs = [self._input(tensor) for tensor in graph.inputs]
        self.calls = [self._call(node) for node in nodes]
        self.structures = self._placed([graph.given_inputs, graph.given_outputs])
        self.masks = [(number, self._numbers[tensor.mask]) for tensor, number in list(self._numbers.items())
                      if tensor.mask in self._numbers]
        self.added = [(layer, self._placed(additions)) for layer, additions in added if additions]
        del self._numbers, self._count

    def _number(self, tensor):
        # A place for each output of each call; an input of the graph that a call gives as well keeps its first one.
        self._numbers.setdefault(tensor, self._count)
        self._count += 1

    def _placed(self, structure):
        return tree.map_structure(
            lambda leaf: _Place(self._numbers[leaf]) if isinstance(leaf, KerasTensor) else leaf, structure)

    def _input(self, tensor):
        self._number(tensor)
        layer = tensor.node.operation if tensor.node is not None else None
        return layer if isinstance(layer, InputLayer) else (tensor.shape, tensor.dtype, tensor.name)

    def _call(self, node):
        args, kwargs, after = self._placed([list(node.args), dict(node.kwargs), list(node.after)])
        outputs = tree.map_structure(lambda leaf: AbstractTensor(leaf.shape, leaf.dtype), node.output_structure)
        for tensor in node.outputs:
            self._number(tensor)
        return node.operation, args, kwargs, after, outputs, sorted(node.implicit), node.phase

    def restored(self):
        """(the structure of the inputs, that of the outputs), of new tensors; the layers know of their calls."""
        tensors = [layer.inbound_nodes[0].outputs[0] if isinstance(layer, InputLayer)
                   else KerasTensor(layer[0], layer[1], name=layer[2]) for layer in self.inputs]

        def filled(structure):
            return tree.map_structure(
                lambda leaf: tensors[leaf.number] if isinstance(leaf, _Place) else leaf, structure)
        for operation, args, kwargs, after, outputs, implicit, phase in self.calls:
            node = Node(operation, filled(args), filled(kwargs), outputs, implicit, filled(after))
            node.phase = phase
            tensors.extend(node.outputs)
            if isinstance(operation, Layer):
                operation.note_call(node)
        for number, mask in self.masks:
            tensors[number].mask = tensors[mask]
        for layer, additions in self.added:
            layer.take_graph_additions(filled(additions))
        return filled(self.structures)


def _symbolic(structure):
    return [leaf for leaf in tree.flatten(structure) if isinstance(leaf, KerasTensor)]
