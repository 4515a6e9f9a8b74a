"""Gradients as parts of the graph: `K.gradients`, and the operation that runs a part of the graph and back."""
import collections.abc

from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor, is_float
from keras.backend.graph.nodes import Node, free_tensors, nodes_between
from keras.backend.graph.plans import Plan
from keras.backend.graph.reads import Read, symbol_of
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p


def gradients(loss, variables):
    """The gradients of `loss` (the sum of its elements) by `variables`.

    Args:
        loss: symbolic tensor, or a list of them, whose sum counts.
        variables: a symbolic tensor (an input or anything on the way to the loss), a `Variable`, or a list of them.

    Returns:
        A list of symbolic tensors shaped like the variables; None for those on which the loss does not depend.
        They are ordinary parts of the graph: gradients of gradients are possible where the engine can.

    Raises:
        TypeError: for a loss that is not symbolic.

    Example:
        >>> x = K.placeholder((3,))
        >>> K.function([x], K.gradients(K.sum(x * x), x))([np.array([1.0, 2.0, 3.0])])
        [array([2., 4., 6.], dtype=float32)]
    """
    several = isinstance(variables, (list, tuple, collections.abc.ValuesView))
    wanted = list(variables) if several else [variables]
    wanted = [_target(variable) for variable in wanted]
    loss = _symbolic_loss(loss)
    if loss.known_gradients is not None:
        return [loss.known_gradients.get(target) for target in wanted]
    known = [tensor for tensor in free_tensors([loss]) if tensor.known_gradients is not None]
    found = _through_the_graph(loss, known + wanted)
    return [_by_the_chain_rule(target, direct, zip(known, found)) for target, direct in zip(wanted, found[len(known):])]


def partial_gradients(outputs, variables, weights, constants):
    """The gradients of the sum of symbolic `outputs`, as `tf.gradients` gives them.

    Args:
        outputs: list of symbolic tensors. variables: list of symbolic tensors and variables. weights: None, or for each
            output a tensor of its shape that it counts by. constants: symbolic tensors that nothing flows through,
            whatever they follow from; one that is among the variables is differentiated by all the same.

    Returns:
        As `gradients` does.
    """
    if weights is not None:
        outputs = [output if weight is None else p.multiply(output, p.stop_gradient(weight))
                   for output, weight in zip(outputs, weights)]
    return _through_the_graph(_symbolic_loss(list(outputs)), [_target(variable) for variable in variables], constants)


def _by_the_chain_rule(target, direct, by_known):
    """A gradient by `target`: the direct one, and those through tensors whose own gradients are known."""
    total = direct
    for tensor, gradient in by_known:
        if gradient is not None and target in tensor.known_gradients:
            part = p.multiply(tensor.known_gradients[target], gradient)
            total = part if total is None else p.add(total, part)
    return total


def _through_the_graph(loss, wanted, constants=()):
    reached = _differentiable_ancestors(loss, constants)
    found = [target for target in dict.fromkeys(wanted) if id(target) in reached]
    if not found:
        return [None] * len(wanted)
    operation = Gradients(loss, found, constants)
    outputs = [AbstractTensor(tensor.shape, tensor.dtype) for tensor in found + [loss]]
    node = Node(operation, [operation.inputs], {}, outputs)
    by_target = dict(zip(found, node.outputs))
    return [by_target.get(target) for target in wanted]


def _target(variable):
    if isinstance(variable, KerasTensor):
        operation = variable.node.operation if variable.node is not None else None
        return operation.variable if isinstance(operation, Read) else variable
    if isinstance(variable, Variable):
        return variable
    raise TypeError('gradients: gradients are taken by symbolic tensors and variables. Received: %r' % (variable,))


def _symbolic_loss(loss):
    if isinstance(loss, (list, tuple)):
        parts = [p.sum(_symbolic_loss(part)) for part in loss]
        total = parts[0]
        for part in parts[1:]:
            total = p.add(total, part)
        return total
    if isinstance(loss, Variable):
        return symbol_of(loss)
    if not isinstance(loss, KerasTensor):
        raise TypeError('gradients: the loss must be a symbolic tensor, made of placeholders, inputs and variables by '
                        'functions of K. Received: %r. The usual cause: it was computed from numbers, so that nothing '
                        'is known of how it came about.' % (loss,))
    return loss


def _differentiable_ancestors(loss, constants):
    """The ids of what a gradient can flow to `loss` from: tensors of floats, not behind a stop_gradient or one of the
    `constants`; variables."""
    seen, nodes, stack = set(), set(), [loss]
    ends = set(map(id, constants))
    while stack:
        tensor = stack.pop()
        if id(tensor) in seen or not is_float(tensor.dtype):
            continue
        seen.add(id(tensor))
        node = tensor.node
        if node is not None and node.operation.name != 'stop_gradient' and id(tensor) not in ends:
            if node not in nodes:
                nodes.add(node)
                seen.update(map(id, variables_of(node)))
            stack.extend(node.data_inputs)
    return seen


def variables_of(node):
    """The variables that the operation of `node` reads: those of a layer, those of what runs inside, and arguments."""
    operation = node.operation
    if isinstance(operation, Read):
        return [operation.variable]
    inner = [variable for each in getattr(operation, 'inner_nodes', ()) for variable in variables_of(each)]
    arguments = [leaf for leaf in tree.flatten([list(node.args), node.kwargs]) if isinstance(leaf, Variable)]
    return inner + list(getattr(operation, 'weights', ())) + arguments


class Gradients:
    """The operation behind `gradients`: it runs the part of the graph between `targets` and `loss`, and back.

    inputs: the symbolic tensors it needs: the targets among them, then what enters that part from the side.
    inner_nodes: that part of the graph.
    """
    name = 'gradients'

    def __init__(self, loss, targets, constants=()):
        self.loss = loss
        self._constants = list(constants)
        self.variables = [target for target in targets if isinstance(target, Variable)]
        self.targets = targets
        tensors = [target for target in targets if isinstance(target, KerasTensor)]
        self.inner_nodes = inside = self._inside()
        self.made = made = {id(output) for node in inside for output in node.outputs}
        # A target that follows from another one is computed, and a zero is added to it to differentiate by.
        self.roots = [tensor for tensor in tensors if id(tensor) not in made]
        self.followers = [tensor for tensor in tensors if id(tensor) in made]
        entering = {id(tensor): tensor for node in inside for tensor in node.inputs if id(tensor) not in made}
        for tensor in self.roots:
            entering.pop(id(tensor), None)
        if id(loss) not in made and not any(loss is tensor for tensor in self.roots):
            entering[id(loss)] = loss
        self.sides = list(entering.values())
        self.inputs = self.roots + self.followers + self.sides

    def _inside(self):
        """The nodes that depend on a target, in an order in which they can run."""
        outside = free_tensors([self.loss], self._constants) + self._constants
        depends = {id(target) for target in self.targets}
        found = []
        for node in nodes_between(outside, [self.loss]):
            if any(id(each) in depends for each in node.inputs + variables_of(node)):
                found.append(node)
                depends.update(map(id, node.outputs))
        return found

    def plan_function(self, node, training):
        return self.runner([self.loss], training)

    def runner(self, along, training):
        """A function of values for `inputs` that gives the gradients and, besides, the tensors `along`."""
        offsets = {}

        def function_of(node):
            return _with_offsets(node, node.function(training), self.followers, offsets)
        plan = Plan(self.roots + self.sides, [self.loss] + list(along), function_of)
        roots, followers = len(self.roots), len(self.followers)

        def run(values):
            sides = list(values[roots + followers:])

            def forward(*given):
                offsets.update(zip(map(id, self.followers), given[roots:]))
                loss, *rest = plan(list(given[:roots]) + sides)
                return (loss if loss_is_scalar else p.sum(loss)), rest
            points = list(values[:roots]) + [p.full_like(value, 0) for value in values[roots:roots + followers]]
            rest, found = get_engine().gradients(forward, points, self.variables)
            offsets.clear()
            return self._ordered(found, points) + list(rest)
        loss_is_scalar = self.loss.shape == ()
        return run

    def _ordered(self, found, points):
        """The gradients in the order of the targets; zeros where the engine found no way."""
        by_target = dict(zip(self.roots + self.followers + self.variables, found))
        places = dict(zip(self.roots + self.followers, points))
        return [p.full_like(places[target] if target in places else target.value, 0) if by_target[target] is None
                else by_target[target] for target in self.targets]


def _with_offsets(node, function, followers, offsets):
    """`function`, with the offsets added to those of its results that are among `followers`."""
    positions = [index for index, output in enumerate(node.outputs) if any(output is tensor for tensor in followers)]
    if not positions:
        return function

    def run(*args, **kwargs):
        result = function(*args, **kwargs)
        leaves = tree.flatten(result)
        for index in positions:
            leaves[index] = p.add(leaves[index], offsets[id(node.outputs[index])])
        return tree.pack_as(result, leaves)
    return run


class Taken:
    """What a gradient's own run computed on its way, so that it is not computed twice."""
    name = 'taken'

    def __init__(self, cell, index):
        self.cell, self.index = cell, index

    def plan_function(self, node, training):
        return lambda gradient: self.cell[self.index]


class Sharing:
    """Takes from the runs of gradients what else is wanted and lies on their way.

    outputs: the wanted tensors, some of them replaced.
    """

    def __init__(self, wanted, others):
        self.outputs = list(wanted)
        self._along = {}
        everything = self.outputs + others
        for node in nodes_between(free_tensors(everything), everything):
            if isinstance(node.operation, Gradients):
                self._take(node)

    def _take(self, node):
        places = [place for place, tensor in enumerate(self.outputs) if id(tensor) in node.operation.made]
        if places:
            cell = {}
            self._along[node] = ([self.outputs[place] for place in places], cell)
            for index, place in enumerate(places):
                old = self.outputs[place]
                self.outputs[place] = Node(Taken(cell, index), [node.outputs[0]], {},
                                           AbstractTensor(old.shape, old.dtype)).output_structure

    def function_of(self, node, training):
        """What a plan runs for `node`."""
        if node not in self._along:
            return node.function(training)
        along, cell = self._along[node]
        run, count = node.operation.runner([node.operation.loss] + along, training), len(node.outputs)

        def running(values):
            results = run(values)
            cell.update(enumerate(results[count:]))
            return results[:count]
        return running
