"""The graph: `KerasTensor`, `Node`, and `Plan`, the straight list of calls that a graph is run from.

A `KerasTensor` is a shape, a dtype and the `Node` that made it. A node is one call of an operation: an
entry of the op table or a layer. Nothing here touches an engine.
"""
import itertools
import threading

from keras.backend import tree
from keras.backend.rules import AbstractTensor, Shape

_creation_order = itertools.count()


class _Order(threading.local):
    """Per thread: the symbolic tensors that are to be run before whatever is recorded now."""
    before = ()


order = _Order()


class KerasTensor(AbstractTensor):
    """A symbolic tensor.

    Args:
        shape: tuple with None for unknown sizes, the batch size included.
        dtype: name of the dtype.
        name: for messages and summaries.
        node, index: the node that made it and its position among the node's outputs; a tensor without a
            node is a placeholder.

    `mask` is the boolean KerasTensor that goes with it, or None.
    """

    def __init__(self, shape, dtype='float32', sparse=False, ragged=False, record_history=True, name=None,
                 node=None, index=0):
        super().__init__(shape, dtype)
        self.sparse = sparse
        self.ragged = ragged
        self.name = name or 'keras_tensor'
        self.node = node
        self.index = index
        self.mask = None

    @property
    def _keras_history(self):
        """(layer, node index, tensor index), as Keras 2 scripts read it."""
        if self.node is None:
            return (None, 0, self.index)
        operation = self.node.operation
        nodes = getattr(operation, '_inbound_nodes', [self.node])
        position = nodes.index(self.node) if self.node in nodes else 0
        return (operation, position, self.index)

    @property
    def _keras_shape(self):
        return self.shape

    def get_shape(self):
        return Shape(self.shape)

    def __hash__(self):
        return id(self)

    def __repr__(self):
        return '<KerasTensor %s shape=%s dtype=%s>' % (self.name, self.shape, self.dtype)

    def __array__(self, *_, **__):
        raise TypeError('%r is symbolic: it has no value, so NumPy functions cannot take it. Use the functions of '
                        'keras.ops (or keras.backend), or wrap the computation in a layer.' % (self,))


class Node:
    """One call of an operation on symbolic tensors.

    Args:
        operation: a table entry or a layer. args, kwargs: what it was called with.
        outputs: the structure of AbstractTensors that it gives.
        implicit: names of keyword arguments that Keras filled in (masks); they are not part of a config.

    `after` are tensors that are run before it, besides those it computes with; they stand last among its inputs.
    """

    def __init__(self, operation, args, kwargs, outputs, implicit=()):
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.implicit = frozenset(implicit)
        self.order = next(_creation_order)
        leaves = tree.flatten([args, kwargs] if kwargs else args)
        self.inputs = [leaf for leaf in leaves if isinstance(leaf, KerasTensor)]
        self.after = order.before
        self.inputs.extend(self.after)
        name = operation.name
        leaves = [outputs] if type(outputs) is AbstractTensor else tree.flatten(outputs)
        self.outputs = [KerasTensor(leaf.shape, leaf.dtype, name=name if len(leaves) == 1 else '%s:%d' % (name, i),
                                    node=self, index=i) if isinstance(leaf, AbstractTensor) else leaf
                        for i, leaf in enumerate(leaves)]
        self.output_structure = self.outputs[0] if type(outputs) is AbstractTensor \
            else tree.pack_as(outputs, self.outputs)

    # Keras 2's view of a node.
    @property
    def outbound_layer(self):
        return self.operation

    @property
    def input_tensors(self):
        masks = [leaf for name in self.implicit for leaf in tree.flatten(self.kwargs[name])]
        return [tensor for tensor in self.data_inputs if not any(tensor is mask for mask in masks)]

    @property
    def data_inputs(self):
        """The tensors it computes with."""
        return self.inputs[:len(self.inputs) - len(self.after)]

    @property
    def output_tensors(self):
        return self.outputs

    @property
    def inbound_layers(self):
        return [tensor.node.operation for tensor in self.input_tensors if tensor.node is not None]

    @property
    def input_shapes(self):
        return [tensor.shape for tensor in self.input_tensors]

    @property
    def output_shapes(self):
        return [tensor.shape for tensor in self.outputs]

    def __repr__(self):
        return '<Node of %s>' % self.operation.name


def is_symbolic(x):
    return isinstance(x, KerasTensor)


def any_symbolic(structure):
    return any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(structure))


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


def is_placeholder(tensor):
    """Whether a symbolic tensor waits for data: it was made by no operation, or by `Input`."""
    node = tensor.node
    return node is None or not node.inputs and getattr(node.operation, 'is_input', False)


def free_tensors(outputs, known=()):
    """The placeholders that `outputs` depend on, past the tensors `known`, in the order in which they are met."""
    seen, found = {id(tensor) for tensor in known}, []
    stack = list(reversed(outputs))
    while stack:
        tensor = stack.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if is_placeholder(tensor):
            found.append(tensor)
        else:
            stack.extend(reversed(tensor.node.inputs))
    return found


def _disconnected(tensor, inputs, reached):
    names = [node.operation.name for node in reached]
    return ('Graph disconnected: the outputs depend on %r, which is not among the inputs of the model. Inputs given: '
            '%s. Reached so far without it: %s. The usual cause: an Input() that was not passed to Model(inputs=...).'
            % (tensor, ', '.join(map(repr, inputs)), ', '.join(names) or 'none'))


class Plan:
    """A graph flattened into a straight list of (function, arguments, results).

    Args:
        inputs, outputs: lists of KerasTensors.
        function_of: called with a node once, at build time; gives the function that runs it on values.

    `plan(values)` takes one value per input and returns one per output. Values are dropped after
    their last use.
    """

    def __init__(self, inputs, outputs, function_of):
        self.nodes = nodes_between(inputs, outputs)
        slots = {id(tensor): index for index, tensor in enumerate(inputs)}
        for node in self.nodes:
            for tensor in node.outputs:
                slots.setdefault(id(tensor), len(slots))
        self._size = len(slots)
        self._count = len(inputs)
        self._results = [slots[id(tensor)] for tensor in outputs]
        self._steps = [self._step(node, slots, function_of(node)) for node in self.nodes]
        self._dead = self._dead_after(slots)
        self._calls = list(zip(self._steps, self._dead))

    @staticmethod
    def _step(node, slots, function):
        targets = [slots[id(tensor)] for tensor in node.outputs]
        target = targets[0] if len(targets) == 1 and node.output_structure is node.outputs[0] else targets
        if len(node.args) == 1 and isinstance(node.args[0], KerasTensor) and not node.kwargs:
            return function, slots[id(node.args[0])], target
        return _with_arguments(node, slots, function), None, target

    def _dead_after(self, slots):
        last = {}
        for position, node in enumerate(self.nodes):
            for tensor in itertools.chain(node.inputs, node.outputs):
                last[slots[id(tensor)]] = position
        dead = [[] for _ in self.nodes]
        for slot, position in last.items():
            if slot not in self._results:
                dead[position].append(slot)
        return dead

    def __call__(self, inputs):
        values = list(inputs) + [None] * (self._size - self._count)
        for (function, source, target), dead in self._calls:
            result = function(values) if source is None else function(values[source])
            if type(target) is int:
                values[target] = result
            else:
                for slot, value in zip(target, tree.flatten(result)):
                    values[slot] = value
            for slot in dead:
                values[slot] = None
        return [values[slot] for slot in self._results]


def _with_arguments(node, slots, function):
    """A function of all values that calls `function` with the node's arguments filled in."""
    def fill(leaf):
        return _Slot(slots[id(leaf)]) if isinstance(leaf, KerasTensor) else leaf
    args = tree.map_structure(fill, list(node.args))
    kwargs = tree.map_structure(fill, dict(node.kwargs))
    if not kwargs and all(isinstance(argument, _Slot) for argument in args):
        positions = [argument.index for argument in args]
        if len(positions) == 2:
            first, second = positions
            return lambda values: function(values[first], values[second])
        return lambda values: function(*[values[position] for position in positions])
    if not any(tree.is_nested(argument) for argument in args + list(kwargs.values())):
        return _with_flat_arguments(args, kwargs, function)

    def run(values):
        def value(leaf):
            return values[leaf.index] if type(leaf) is _Slot else leaf
        return function(*tree.map_structure(value, args), **tree.map_structure(value, kwargs))
    return run


def _with_flat_arguments(args, kwargs, function):
    """As `_with_arguments`, for arguments that are tensors or anything else, but no lists."""
    template = [None if isinstance(argument, _Slot) else argument for argument in args]
    places = [(place, argument.index) for place, argument in enumerate(args) if isinstance(argument, _Slot)]
    fixed = {name: value for name, value in kwargs.items() if not isinstance(value, _Slot)}
    named = [(name, value.index) for name, value in kwargs.items() if isinstance(value, _Slot)]
    if len(args) == 2 and len(places) == 1 and not kwargs:  # a tensor and a number: most arithmetic
        (place, index), = places
        other = args[1 - place]
        if place:
            return lambda values: function(other, values[index])
        return lambda values: function(values[index], other)

    def run(values):
        filled = template.copy()
        for place, index in places:
            filled[place] = values[index]
        if named:
            return function(*filled, **dict(fixed, **{name: values[index] for name, index in named}))
        return function(*filled, **fixed)
    return run


class _Slot:
    __slots__ = ('index',)

    def __init__(self, index):
        self.index = index
