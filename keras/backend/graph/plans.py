"""Plans: the straight list of calls that a graph is run from."""
import itertools

from keras.backend.contract import tree
from keras.backend.contract.context import running
from keras.backend.contract.loading import outside_graphs
from keras.backend.graph.nodes import nodes_between, say_where
from keras.backend.graph.tensors import KerasTensor


class Plan:
    """A graph flattened into a straight list of (function, arguments, results).

    Args:
        inputs, outputs: lists of KerasTensors.
        function_of: called with a node once, at build time; gives the function that runs it on values.

    `plan(values)` takes one value per input and returns one per output. Values are dropped after
    their last use. The first run sees whether each call gives what the graph says.
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
        self._calls = [((self._first(position), step[1], step[2]), dead)
                       for position, (step, dead) in enumerate(zip(self._steps, self._dead))]

    @staticmethod
    def _step(node, slots, function):
        targets = [slots[id(tensor)] for tensor in node.outputs]
        target = targets[0] if len(targets) == 1 and node.output_structure is node.outputs[0] else targets
        if len(node.args) == 1 and isinstance(node.args[0], KerasTensor) and not node.kwargs:
            return function, slots[id(node.args[0])], target
        return _with_arguments(node, slots, function), None, target

    def _first(self, position):
        """What runs a call for the first time: it checks the result, and puts the function itself in its place."""
        function, source, target = self._steps[position]

        def run(argument):
            result = function(argument)
            lasting = _checked(self.nodes[position], function, result)
            self._calls[position] = (lasting, source, target), self._dead[position]
            return result if lasting is function else tree.flatten(result)[0]
        return run

    def _dead_after(self, slots):
        last = {}
        for position, node in enumerate(self.nodes):
            for tensor in itertools.chain(node.inputs, node.outputs):
                last[slots[id(tensor)]] = position
        dead, kept = [[] for _ in self.nodes], set(self._results)
        for slot, position in last.items():
            if slot not in kept:
                dead[position].append(slot)
        return dead

    def __call__(self, inputs):
        values = list(inputs) + [None] * (self._size - self._count)
        target = None
        try:
            for (function, source, target), dead in self._calls:
                result = function(values) if source is None else function(values[source])
                if type(target) is int:
                    values[target] = result
                else:
                    for slot, value in zip(target, tree.flatten(result)):
                        values[slot] = value
                for slot in dead:
                    values[slot] = None
        except Exception as error:
            self._say_where(error, target)
            raise
        return [values[slot] for slot in self._results]

    def _say_where(self, error, target):
        """Name the operation that gives the slots `target` in the message of its error."""
        for node, step in zip(self.nodes, self._steps):
            if step[2] is target:
                say_where(error, node.operation)


def _checked(node, function, result):
    """The function to run for `node` from now on, after its first `result`.

    Raises:
        ValueError: if that has not as many tensors as the outputs of the node.
    """
    alone = node.output_structure is node.outputs[0] if node.outputs else False
    if alone and not isinstance(result, (list, tuple, dict)):
        return function
    found = len(tree.flatten(result))
    if found < len(node.outputs) and _decides_on_calls(node.operation):
        return function
    if found != len(node.outputs):
        raise ValueError('%s %r gave %d tensors; its output shapes were said to be %s. The usual cause: a '
                         'compute_output_shape or output_shape that describes another result than `call` returns.'
                         % (type(node.operation).__name__, node.operation.name, found, node.output_shapes))
    return (lambda argument: tree.flatten(function(argument))[0]) if alone else function


def _decides_on_calls(operation):
    """Whether what a call of a user's layer gives is another matter than what `call` gives: it has a `__call__`."""
    module = getattr(getattr(type(operation), '__call__', None), '__module__', None)
    return isinstance(module, str) and module.partition('.')[0] != 'keras'


@outside_graphs
def value_of(tensor, training=False):
    """The value of a symbolic tensor that depends on no placeholder, as a native tensor.

    Raises:
        ValueError: if it depends on a placeholder.
    """
    plan = Plan([], [tensor], lambda node: node.function(training))
    with running(training):
        return plan([])[0]


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
