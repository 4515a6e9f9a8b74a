"""Nodes, each one call of an operation (an entry of the op table or a layer), and walks over the graph they make."""
import itertools
import threading

from keras.backend.contract import tree
from keras.backend.contract.context import in_phase
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.tensors import KerasTensor, is_placeholder

_creation_order = itertools.count()


class _Order(threading.local):
    """Per thread: the symbolic tensors that are to be run before whatever is recorded now."""
    before = ()


order = _Order()


class Arguments(dict):
    """What an operation was called with: its keyword arguments by name, all but those that Keras filled in."""

    def __init__(self, node):
        super().__init__((name, value) for name, value in node.kwargs.items() if name not in node.implicit)
        self.args, self.kwargs = tuple(node.args), dict(self)
        self.keras_tensors = node.data_inputs_without_masks()


class Node:
    """One call of an operation on symbolic tensors.

    Args:
        operation: a table entry or a layer. args, kwargs: what it was called with.
        outputs: the structure of AbstractTensors that it gives.
        implicit: names of keyword arguments that Keras filled in (masks); they are not part of a config.
        after: tensors that are run before it, besides those it computes with; they stand last among its inputs.
        first: the name of the first argument, where its tensors have their place among those of `kwargs` by it.

    `number` is its position among the calls of its layer. `phase` is the training flag under which it runs whatever
    that of the run is: the learning phase that was set when a layer was called. `updates` is what K needs to carry out
    by itself what the call assigns to variables, where somebody has asked for it.
    """
    number = 0
    phase = updates = None

    def __init__(self, operation, args, kwargs, outputs, implicit=(), after=(), first=None):
        self.operation = operation
        # A list or dictionary is the caller's, who may go on to change it.
        if any(type(given) in (list, dict) for given in args):
            args = tree.map_structure(_itself, args)
        self.args = args
        self.kwargs = kwargs
        self.implicit = frozenset(implicit)
        self.order = next(_creation_order)
        if first is None:
            leaves = tree.flatten([args, kwargs] if kwargs else args)
        else:
            leaves = tree.flatten(dict(kwargs, **{first: args[0]}))
        self.inputs = [leaf for leaf in leaves if isinstance(leaf, KerasTensor)]
        self.after = tuple(after) or order.before
        self.inputs.extend(self.after)
        name = operation.name
        leaves = [outputs] if type(outputs) is AbstractTensor else tree.flatten(outputs)
        self.outputs = [KerasTensor(leaf.shape, leaf.dtype, name=name if len(leaves) == 1 else '%s:%d' % (name, i),
                                    node=self, index=i) if isinstance(leaf, AbstractTensor) else leaf
                        for i, leaf in enumerate(leaves)]
        self.output_structure = self.outputs[0] if type(outputs) is AbstractTensor \
            else tree.pack_as(outputs, self.outputs)

    def put_output(self, tensor):
        """Have `tensor` be the output at its index."""
        former, self.outputs[tensor.index] = self.outputs[tensor.index], tensor
        self.output_structure = tree.map_structure(lambda leaf: tensor if leaf is former else leaf,
                                                   self.output_structure)

    def function(self, training, instead=None):
        """What a plan runs, for a run with this training flag.

        instead: {id of an operation: the one that runs in its place}
        """
        operation = instead.get(id(self.operation), self.operation) if instead else self.operation
        if self.phase is None:
            return operation.plan_function(self, training)
        return in_phase(self.phase, operation.plan_function(self, self.phase))

    # Keras 2's and Keras 3's view of a node.
    @property
    def arguments(self):
        """The keyword arguments of the call, with what Keras 3 has there: `args`, `kwargs` and `keras_tensors`."""
        return Arguments(self)

    @property
    def outbound_layer(self):
        return self.operation

    @property
    def input_tensors(self):
        if getattr(self.operation, 'is_placeholder', False):  # Keras 2 had it give what goes into it
            return self.outputs
        return self.data_inputs_without_masks()

    def data_inputs_without_masks(self):
        """The tensors it was called on."""
        masks = {id(leaf) for name in self.implicit for leaf in tree.flatten(self.kwargs[name])}
        return [tensor for tensor in self.data_inputs if id(tensor) not in masks]

    @property
    def data_inputs(self):
        """The tensors it computes with."""
        return self.inputs[:len(self.inputs) - len(self.after)]

    @property
    def output_tensors(self):
        return self.outputs

    @property
    def inbound_layers(self):
        return [tensor.node.operation for tensor in self.data_inputs_without_masks() if tensor.node is not None]

    @property
    def input_shapes(self):
        return [tensor.shape for tensor in self.input_tensors]

    @property
    def output_shapes(self):
        return [tensor.shape for tensor in self.outputs]

    @property
    def input_masks(self):
        return [tensor.mask for tensor in self.input_tensors]

    @property
    def output_masks(self):
        return [tensor.mask for tensor in self.outputs]

    def get_config(self):
        """The layers it comes from and the one it belongs to, by name, as Keras 2 had it."""
        tensors = [tensor for tensor in self.data_inputs_without_masks() if tensor.node is not None]
        return {'outbound_layer': self.operation.name,
                'inbound_layers': [tensor.node.operation.name for tensor in tensors],
                'node_indices': [tensor.node.number for tensor in tensors],
                'tensor_indices': [tensor.index for tensor in tensors]}

    def __repr__(self):
        return '<Node of %s>' % self.operation.name


def stand_aside(tensor):
    """A new tensor in the place of `tensor` among the outputs of its node; who computes with `tensor` goes on to."""
    node = tensor.node
    other = KerasTensor(tensor.shape, tensor.dtype, sparse=tensor.sparse, name=tensor.name, node=node,
                        index=tensor.index)
    other.mask = tensor.mask
    node.put_output(other)
    return other


def take_place(tensor, other):
    """Have `tensor` be what `other` is: an output of its node, under its name."""
    tensor.node, tensor.index, tensor.name = other.node, other.index, other.name
    other.node.put_output(tensor)


def _itself(leaf):
    return leaf


def nodes_between(inputs, outputs):
    """The nodes that lead from `inputs` to `outputs`, in an order in which they can run.

    Raises:
        ValueError: if an output depends on a placeholder that is not among the inputs.
    """
    known = {id(tensor) for tensor in inputs}
    ordered, state = [], {}
    stack = [tensor for tensor in reversed(outputs)]
    while stack:
        item = stack.pop()
        if isinstance(item, Node):
            if state[item] != 'done':
                state[item] = 'done'
                ordered.append(item)
            continue
        if id(item) in known:
            continue
        node = item.node
        if is_placeholder(item):
            raise ValueError(_disconnected(item, inputs, ordered))
        if node in state:
            continue
        state[node] = 'open'
        stack.append(node)
        stack.extend(reversed(node.inputs))
    return ordered


def creation_number():
    """A number above the `order` of all nodes that there are, and below that of those to come."""
    return next(_creation_order)


def free_tensors(outputs, known=(), since=None):
    """The placeholders that `outputs` depend on, past the tensors `known`, in the order in which they are met.

    Args:
        since: of `creation_number`; what nodes from before it gave is not looked into, but counts as a placeholder.
    """
    seen, found = {id(tensor) for tensor in known}, []
    stack = list(reversed(outputs))
    while stack:
        tensor = stack.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if is_placeholder(tensor) or since is not None and tensor.node.order < since:
            found.append(tensor)
        else:
            stack.extend(reversed(tensor.node.inputs))
    return found


class Ancestry:
    """What tensors of a graph depend on; every part of the graph is looked at once, however many are asked about.

    Args:
        tensors: the symbolic tensors that the questions are about.
    """

    def __init__(self, tensors):
        self._found = {tensor: (True, False) for tensor in tensors}

    def uses(self, tensor):
        """Whether `tensor` is, or is computed from, one of them."""
        return self._of(tensor)[0]

    def needs_more(self, tensor):
        """Whether `tensor` depends on a placeholder past them."""
        return self._of(tensor)[1]

    def _of(self, tensor):
        found, stack = self._found, [tensor]
        while stack:
            top = stack[-1]
            if top in found:
                stack.pop()
            elif is_placeholder(top):
                found[top] = (False, True)
            else:
                parents = top.node.inputs
                waiting = [parent for parent in parents if parent not in found]
                stack.extend(waiting)
                if not waiting:
                    found[top] = (any(found[parent][0] for parent in parents),
                                  any(found[parent][1] for parent in parents))
        return found[tensor]


def say_where(error, operation):
    """Say in the message of `error`, if nothing has yet, by which layer or operation it was raised."""
    message = error.args[0] if error.args else None
    if type(message) is str and operation.name not in message and getattr(error, 'raised_in', None) is None:
        error.raised_in = operation.name
        error.args = ('%s (Raised in %r.)' % (message, operation),) + error.args[1:]


def _disconnected(tensor, inputs, reached):
    names = [node.operation.name for node in reached]
    return ('Graph disconnected: Output tensors depend on %r, which is not connected to `inputs` of the model. Inputs '
            'given: %s. Reached so far without it: %s. The usual cause: an Input() that was not passed to '
            'Model(inputs=...).'
            % (tensor, ', '.join(map(repr, inputs)), ', '.join(names) or 'none'))
