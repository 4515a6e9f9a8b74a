"""Running the symbolic graph of K: reading variables in it, updates, gradients, evaluation and `Function`."""
import numpy as np

from keras.backend import primitives as p
from keras.backend import tree
from keras.backend.calls import running
from keras.backend.dispatch import value_of
from keras.backend.engine import get_engine
from keras.backend.rules import AbstractTensor, is_float
from keras.backend.state import Variable, context, learning_phase, to_array
from keras.backend.symbolic import KerasTensor, Node, Plan, free_tensors, nodes_between, order


def runs_at_once():
    """Whether operations on variables have values now: in a running step or layer call. Elsewhere they make graph."""
    return context.ledger is not None or context.abstract or context.running


# --- what a graph may hold beside operations and layers ------------------------------------------------------------

class Read:
    """Reads a variable, whenever the graph runs."""

    def __init__(self, variable):
        self.variable, self.name = variable, variable.name

    def plan_function(self, node, training):
        return lambda: self.variable.value


def symbol_of(variable):
    """The symbolic tensor that stands for the value of `variable`; the same one but where an order is asked for."""
    if variable.symbol is not None and not order.before:
        return variable.symbol
    symbol = Node(Read(variable), [], {}, AbstractTensor(variable.shape, variable.dtype)).output_structure
    symbol.sparse = variable.sparse
    if not order.before:
        variable.symbol = symbol
    return symbol


class Deferred:
    """A function without tensor arguments, such as a draw of random numbers, run anew whenever the graph runs."""

    def __init__(self, function, name):
        self.function, self.name = function, name

    def plan_function(self, node, training):
        return self.function


class PhaseFlag:
    """The learning phase as a scalar of the graph."""
    name = 'keras_learning_phase'

    def plan_function(self, node, training):
        return lambda: get_engine().convert(np.bool_(training))


class PhaseChoice:
    """One of two tensors, by the learning phase."""
    name = 'in_train_phase'

    def plan_function(self, node, training):
        return (lambda x, alt: x) if training else (lambda x, alt: alt)


class LearningPhase(KerasTensor):
    """The flag that tells training from testing, to be fed to a `Function`; as a number it is the current setting."""

    def __init__(self):
        node = Node(PhaseFlag(), [], {}, AbstractTensor((), 'bool'))
        super().__init__((), 'bool', name=PhaseFlag.name, node=node)
        node.outputs[0] = node.output_structure = self

    def __bool__(self):
        return bool(learning_phase.value)

    def __int__(self):
        return int(bool(self))

    __index__ = __int__

    def __eq__(self, other):
        return int(self) == other if isinstance(other, (int, bool)) else self is other

    __hash__ = KerasTensor.__hash__


class Assign:
    """Assigns to a variable when the graph runs, and gives the new value."""

    def __init__(self, variable):
        self.variable, self.name = variable, 'update_' + variable.name

    def plan_function(self, node, training):
        def run(value):
            self.variable.assign(value)
            return self.variable.value
        return run


class Printing:
    """Prints a tensor whenever the graph runs."""
    name = 'print_tensor'

    def __init__(self, message):
        self.message = message

    def plan_function(self, node, training):
        return lambda x: get_engine().print_tensor(x, self.message)


class Update(KerasTensor):
    """An assignment of `new_value` to `variable` that takes place when it is evaluated or a `Function` updates by it."""

    def __init__(self, variable, new_value):
        node = Node(Assign(variable), [new_value], {}, AbstractTensor(variable.shape, variable.dtype))
        super().__init__(variable.shape, variable.dtype, name=node.operation.name, node=node)
        node.outputs[0] = node.output_structure = self
        self.variable, self.new_value = variable, new_value


# --- gradients ------------------------------------------------------------------------------------------------------

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
    wanted = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    wanted = [_target(variable) for variable in wanted]
    loss = _symbolic_loss(loss)
    reached = _differentiable_ancestors(loss)
    found = [target for target in dict.fromkeys(wanted) if id(target) in reached]
    if not found:
        return [None] * len(wanted)
    operation = Gradients(loss, found)
    outputs = [AbstractTensor(target.shape, target.dtype) for target in found] + [AbstractTensor(loss.shape, loss.dtype)]
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


def _differentiable_ancestors(loss):
    """The ids of what a gradient can flow to `loss` from: tensors of floats, not behind a stop_gradient; variables."""
    seen, nodes, stack = set(), set(), [loss]
    while stack:
        tensor = stack.pop()
        if id(tensor) in seen or not is_float(tensor.dtype):
            continue
        seen.add(id(tensor))
        node = tensor.node
        if node is not None and node.operation.name != 'stop_gradient':
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

    def __init__(self, loss, targets):
        self.loss = loss
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
        outside = free_tensors([self.loss])
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
            return _with_offsets(node, node.operation.plan_function(node, training), self.followers, offsets)
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
            return node.operation.plan_function(node, training)
        along, cell = self._along[node]
        run, count = node.operation.runner([node.operation.loss] + along, training), len(node.outputs)

        def running(values):
            results = run(values)
            cell.update(enumerate(results[count:]))
            return results[:count]
        return running


# --- running --------------------------------------------------------------------------------------------------------

def is_on_host(node):
    """Whether the operation of `node` computes on the host, so that it cannot be a part of a compiled step."""
    return getattr(node.operation, 'on_host', False)


class Function:
    """What `K.function` gives: from values for `inputs` to the values of `outputs`, as NumPy arrays.

    Args:
        inputs: list (or any nest) of placeholders, of inputs of models, or of any symbolic tensors between; one of
            them may be `K.learning_phase()`, to be fed 0 or 1.
        outputs: symbolic tensors and variables in a list, or in any nest: results have the same structure.
        updates: list of what `K.update` and its kin give, or of pairs (variable, new value): all outputs and new
            values are computed first, then the variables change.

    Raises:
        ValueError: if an output depends on a placeholder that is not among the inputs; in a call, for the wrong number
            of values or a value of the wrong rank or size.
    """

    def __init__(self, inputs, outputs, updates=None, name=None):
        self.inputs, self.outputs, self.name = inputs, _whole(outputs), name or 'function'
        leaves = tree.flatten(inputs)
        self._phase = next((index for index, leaf in enumerate(leaves) if _is_phase(leaf)), None)
        self._placeholders = [_checked_input(leaf) for leaf in leaves if not _is_phase(leaf)]
        symbols = [_symbolic(leaf) for leaf in tree.flatten(self.outputs if outputs is not None else [])]
        self._wanted = [leaf for leaf in symbols if isinstance(leaf, KerasTensor)]
        self._fixed = [None if isinstance(leaf, KerasTensor) else leaf for leaf in symbols]
        self._updates = [_update_pair(update) for update in tree.flatten(_update_list(updates))]
        self._targets = [variable for variable, _ in self._updates if variable is not None]
        values = [_symbolic(value) for _, value in self._updates]
        values_of_updates = [value for value in values if isinstance(value, KerasTensor)]
        self._sharing = Sharing(self._wanted, values_of_updates)
        self._graph = self._sharing.outputs + values_of_updates
        self._new_values = [None if isinstance(value, KerasTensor) else value for value in values]
        self._nodes = nodes_between(self._placeholders, self._graph)
        self._steps = {}

    def __call__(self, inputs=()):
        leaves = self._given(self.inputs, inputs)
        training = bool(learning_phase.value)
        if self._phase is not None:
            training = bool(np.asarray(leaves.pop(self._phase)))
        values = [_fed(value, tensor, self.name) for value, tensor in zip(leaves, self._placeholders)]
        results = iter([to_array(leaf) for leaf in self._step(training)(*values)])
        found = [next(results) if fixed is None else to_array(fixed) for fixed in self._fixed]
        return tree.pack_as(self.outputs, found) if self.outputs is not None else []

    def _given(self, structure, given):
        """The values in `given` for the leaves of `structure`; lists in the place of a leaf are data."""
        if not tree.is_nested(structure):
            return [given]
        if isinstance(structure, dict):
            if not isinstance(given, dict) or sorted(given) != sorted(structure):
                raise ValueError('%s expects a dictionary with the keys %s. Received: %s.' % (
                    self.name, sorted(structure), sorted(given) if isinstance(given, dict) else type(given).__name__))
            return [leaf for key in sorted(structure) for leaf in self._given(structure[key], given[key])]
        if not isinstance(given, (list, tuple)):
            given = [given]
        if len(given) != len(structure):
            raise ValueError('%s expects %d input%s (%s), but it received %d.' % (
                self.name, len(structure), 's' * (len(structure) != 1),
                ', '.join(getattr(part, 'name', repr(part)) for part in structure), len(given)))
        return [leaf for part, value in zip(structure, given) for leaf in self._given(part, value)]

    def _step(self, training):
        engine = get_engine()
        key = (training, engine.name)
        if key not in self._steps:
            run = self._runner(training)
            if not any(map(is_on_host, self._nodes)):
                run = engine.step(run, self._read(), self._targets)
            self._steps[key] = run
        return self._steps[key]

    def _runner(self, training):
        plan = Plan(self._placeholders, self._graph, lambda node: self._sharing.function_of(node, training))
        count = len(self._wanted)

        def run(*values):
            engine = get_engine()
            with running(training):
                results = plan([value if type(value) is not np.ndarray else engine.convert(value) for value in values])
            new = iter(results[count:])
            for (variable, _), fixed in zip(self._updates, self._new_values):
                value = next(new) if fixed is None else fixed
                if variable is not None:
                    variable.assign(value)
            return [engine.convert(result) if type(result) is int else result for result in results[:count]]
        return run

    def _read(self):
        """The variables that the graph is known to read."""
        found = []
        for node in self._nodes:
            operation = node.operation
            found.extend([operation.variable] if isinstance(operation, Read) else getattr(operation, 'variables', ()))
        return list(dict.fromkeys(found))


def _whole(structure):
    """`structure` with shapes, which are tuples of sizes, as vectors."""
    if hasattr(structure, 'tensor'):
        return structure.tensor()
    if isinstance(structure, (list, tuple)) and not hasattr(structure, '_fields'):
        return type(structure)(map(_whole, structure))
    return structure


def _is_phase(leaf):
    return isinstance(leaf, LearningPhase) or type(leaf) in (int, bool)


def _checked_input(leaf):
    if not isinstance(leaf, KerasTensor):
        raise TypeError('K.function: the inputs must be placeholders, inputs of models or other symbolic tensors. '
                        'Received: %r.' % (leaf,))
    return leaf


def _symbolic(leaf):
    """A leaf of the outputs, with variables as symbolic tensors."""
    return symbol_of(leaf) if isinstance(leaf, Variable) else leaf


def _update_list(updates):
    """`updates` as a list in which pairs (variable, new value) are `Update`s."""
    if updates is None:
        return []
    if not isinstance(updates, (list, tuple)):
        raise TypeError('K.function: `updates` must be a list. Received: %r.' % (updates,))
    return [Update(update[0], update[1]) if isinstance(update, (list, tuple)) and len(update) == 2
            and isinstance(update[0], Variable) else update for update in updates]


def _update_pair(update):
    """(variable, its new value), or (None, what is to run) for anything else."""
    return (update.variable, update.new_value) if isinstance(update, Update) else (None, update)


def _fed(value, tensor, owner):
    """A value for a placeholder as an array of its dtype."""
    if hasattr(value, 'toarray'):  # SciPy's sparse matrices
        value = value.toarray()
    if value is None:
        raise ValueError('%s: no value for the input %r.' % (owner, tensor))
    if not isinstance(value, np.ndarray):
        if not isinstance(value, (list, tuple, int, float, bool, np.generic)):
            shape = tuple(get_engine().shape_of(value)) if get_engine().is_native(value) else None
            value = value if shape is not None else to_array(value)
        else:
            value = np.asarray(value)
    shape = value.shape if isinstance(value, np.ndarray) else shape
    if len(shape) != len(tensor.shape) or any(
            size is not None and size != given for size, given in zip(tensor.shape, shape)):
        raise ValueError('%s: the input %s expects an array of shape %s (None for any size), but it received one of '
                         'shape %s.' % (owner, tensor.name, tuple(tensor.shape), tuple(shape)))
    if isinstance(value, np.ndarray) and value.dtype.name != tensor.dtype and tensor.dtype not in ('string', 'bfloat16'):
        value = value.astype(tensor.dtype)
    return value


def function(inputs, outputs, updates=None, name=None, **kwargs):
    """A `Function` from values for `inputs` to the values of `outputs`, which carries out `updates`.

    Args:
        inputs, outputs, updates: see `Function`. kwargs: options of one engine's own compiler are not accepted.

    Example:
        >>> x = K.placeholder((None, 2))
        >>> f = K.function([x], [K.sum(x, axis=1), x * 2])
        >>> f([np.ones((1, 2))])
        [array([2.], dtype=float32), array([[2., 2.]], dtype=float32)]
    """
    if kwargs:
        raise ValueError('Invalid argument %s passed to K.function: it takes inputs, outputs and updates on every '
                         'engine.' % ', '.join(map(repr, sorted(kwargs))))
    return Function(inputs, outputs, updates, name)


def evaluated(x):
    """The value of anything that has one: arrays, variables, native and symbolic tensors."""
    if isinstance(x, KerasTensor):
        x = value_of(x, bool(learning_phase.value))
    return to_array(x)
