"""Layouts of a plan: on engines that want the channels of images first, chains of image layers run that way round.

A graph of channels-last layers is rewritten before it becomes a plan: convolutions and poolings, and what lies between
them and allows it, run on tensors with the channels on axis 1; a transpose stands where such a chain begins or ends.
Weights and results are the same.
"""
from keras.backend.contract import tree
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Node, nodes_between
from keras.backend.graph.tensors import KerasTensor
from keras.backend.table import primitives
from keras.backend.table.entries import Entry
from keras.layers.base import Layer

# Operations of the table that do the same in either layout, given tensors of one rank and numbers.
_ELEMENTWISE = frozenset(
    'add subtract multiply divide maximum minimum negative abs exp log sqrt square tanh sigmoid relu relu6 elu selu '
    'silu gelu softplus softsign leaky_relu hard_sigmoid clip'.split())


def channels_first(inputs, outputs):
    """Symbolic tensors that give what `outputs` give, computed from the same `inputs` with channels first inside."""
    nodes = nodes_between(inputs, outputs)
    if not any(_begins(node) for node in nodes):
        return outputs
    rewriting = _Rewriting()
    for node in nodes:
        rewriting.add(node)
    return [rewriting.plain(tensor) for tensor in outputs]


def _begins(node):
    return isinstance(node.operation, Layer) and node.operation.begins_channels_first


class ChannelsFirst:
    """A layer that runs on inputs with the channels moved from the last axis to the second."""

    def __init__(self, layer, rank):
        self.layer, self.rank, self.name = layer, rank, layer.name

    def plan_function(self, node, training):
        # The copy is made when the plan runs: whether the layer is trainable, say, may change after the plan is made.
        return lambda *args: self.layer.in_channels_first(self.rank).plan_function(node, training)(*args)


class _Rewriting:
    """The nodes of a graph one after the other, each in the better of two layouts.

    _plain, _moved: the new tensors that stand for the old ones, by id, as they were and with the channels moved.
    """

    def __init__(self):
        self._plain, self._moved = {}, {}

    def add(self, node):
        operation = self._in_channels_first(node)
        if operation is not None:
            self._add_moved(node, operation)
        elif any(id(tensor) in self._plain or id(tensor) in self._moved for tensor in node.inputs):
            new = self._node(node, node.operation, self.plain, lambda output: output)
            self._plain.update((id(old), tensor) for old, tensor in zip(node.outputs, new.outputs))

    def _add_moved(self, node, operation):
        rank = len(node.inputs[0].shape)
        new = self._node(node, operation, self.moved,
                         lambda output: _moved_shape(output) if len(output.shape) == rank else output)
        for old, tensor in zip(node.outputs, new.outputs):
            (self._moved if len(old.shape) == rank else self._plain)[id(old)] = tensor

    @staticmethod
    def _node(node, operation, replace, describe):
        args, kwargs = tree.map_structure(lambda leaf: replace(leaf) if isinstance(leaf, KerasTensor) else leaf,
                                          [list(node.args), dict(node.kwargs)])
        outputs = tree.map_structure(lambda leaf: describe(leaf) if isinstance(leaf, KerasTensor) else leaf,
                                     node.output_structure)
        new = Node(operation, args, kwargs, outputs, node.implicit)
        new.phase = node.phase
        return new

    def _in_channels_first(self, node):
        """What runs `node` with the channels first, or None where it has to or had better stay as it is."""
        ranks = {len(tensor.shape) for tensor in node.inputs}
        if len(ranks) != 1 or min(ranks) < 3 or node.kwargs:
            return None
        if not _begins(node) and not any(id(tensor) in self._moved for tensor in node.inputs):
            return None
        operation, rank = node.operation, ranks.pop()
        if isinstance(operation, Entry):
            plain = all(isinstance(leaf, (KerasTensor, int, float)) for leaf in tree.flatten(list(node.args)))
            return operation if operation.name in _ELEMENTWISE and plain else None
        if not isinstance(operation, Layer) or operation.activity_regularizer is not None or len(node.args) != 1 \
                or not type(operation).__module__.startswith('keras.layers.'):
            return None
        return None if operation.in_channels_first(rank) is None else ChannelsFirst(operation, rank)

    def plain(self, tensor):
        """The new tensor for an old one, channels last."""
        if id(tensor) not in self._plain:
            if id(tensor) not in self._moved:
                return tensor
            rank = len(tensor.shape)
            self._plain[id(tensor)] = primitives.transpose(self._moved[id(tensor)],
                                                           (0,) + tuple(range(2, rank)) + (1,))
        return self._plain[id(tensor)]

    def moved(self, tensor):
        """The new tensor for an old one, channels first."""
        if id(tensor) not in self._moved:
            rank = len(tensor.shape)
            self._moved[id(tensor)] = primitives.transpose(self.plain(tensor),
                                                           (0, rank - 1) + tuple(range(1, rank - 1)))
        return self._moved[id(tensor)]


def _moved_shape(tensor):
    shape = tuple(tensor.shape)
    return AbstractTensor(shape[:1] + shape[-1:] + shape[1:-1], tensor.dtype)
