"""Optimizers as parts of a graph, as Keras 2 has them: `get_updates` and `get_gradients`, also of one's own."""
import functools
import inspect

from keras.backend.contract.context import context, recording_assignments
from keras.backend.contract.ledger import holding
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Node, free_tensors
from keras.backend.graph.plans import Plan
from keras.backend.graph.tensors import KerasTensor
from keras.backend.k.derivatives import gradients as gradients_of
from keras.backend.k.operations import Assign, pairs_of, Update
from keras.backend.table import primitives as p


class TrainingLoss(KerasTensor):
    """Stands for the loss of a model in `get_updates`: its gradients are those that the training step finds."""

    def __init__(self, variables):
        super().__init__((), 'float32', name='loss')
        self.known_gradients = {each: KerasTensor(each.shape, each.dtype, name='gradient_of_' + each.name)
                                for each in variables}


class Apply:
    """An optimizer's update of `variables` by gradients in the graph, which are clipped already."""

    def __init__(self, optimizer, variables):
        self.optimizer, self.variables, self.name = optimizer, variables, 'apply_' + optimizer.name

    def plan_function(self, node, training):
        def run(gradients):
            self.optimizer.apply_clipped(gradients, self.variables)
            return self.optimizer.iterations.value
        return run


class NewValues:
    """What an optimizer's update of `variables` by gradients in the graph, clipped already, makes of `targets`.

    rate: a function that gives the learning rate, where it is not a part of the graph.
    """

    def __init__(self, optimizer, variables, targets, rate):
        self.optimizer, self.variables, self.targets, self.rate = optimizer, variables, targets, rate
        self.name = 'new_values_' + optimizer.name

    def plan_function(self, node, training):
        def run(rates, gradients):
            rate = (lambda: rates[0]) if rates else self.rate
            # Other tensors than those stored, which engines would update in place.
            held = [p.stop_gradient(target.value) for target in self.targets]
            with holding(self.targets, held), self.optimizer.at_rate(rate):
                self.optimizer.apply_clipped(gradients, self.variables)
                return [target.value for target in self.targets]
        return run


def symbolic_gradients(loss, variables):
    """The gradients of `loss` by `variables` as symbolic tensors.

    Raises:
        ValueError: where there is none, naming the variable.
    """
    found = gradients_of(loss, variables)
    missing = [variable.name for variable, gradient in zip(variables, found) if gradient is None]
    if missing:
        raise ValueError('An operation has `None` for gradient: the loss does not depend on %s, or only through '
                         'operations without a gradient (argmax, round, comparisons, stop_gradient).'
                         % ', '.join(missing))
    return found


def update_in_graph(optimizer, variables, gradients):
    """A symbolic tensor that, when it is run, updates `variables` by `gradients`, clipped ones."""
    node = Node(Apply(optimizer, variables), [list(gradients)], {}, AbstractTensor((), optimizer.iterations.dtype))
    return node.output_structure


def new_values(optimizer, variables, gradients, rate):
    """Pairs of (variable, its new value, a symbolic tensor) for all that an update of `variables` changes.

    Args:
        gradients: symbolic tensors, clipped. rate: a symbolic tensor, or a function that gives the learning rate.
    """
    targets = optimizer.targets_of(variables)
    rates, function = ([rate], None) if isinstance(rate, KerasTensor) else ([], rate)
    node = Node(NewValues(optimizer, variables, targets, function), [rates, list(gradients)], {},
                [AbstractTensor(target.shape, target.dtype) for target in targets])
    return list(zip(targets, node.outputs))


def graph_making(method):
    """A method of a subclass, with operators on variables making graph while it runs."""
    @functools.wraps(method)
    def run(*args, **kwargs):
        previous, context.symbolic = context.symbolic, True
        try:
            if method.__name__ == 'get_updates' and context.record_assignment is None:
                return _with_assignments(method, *args, **kwargs)
            return method(*args, **kwargs)
        finally:
            context.symbolic = previous
    return run


def _with_assignments(get_updates, *args, **kwargs):
    """The updates that `get_updates` gives and those that it makes by `assign` of variables without listing them."""
    made = []

    def record(variable, value):
        made.append(Update(variable, value))
        return made[-1]
    with recording_assignments(record):
        updates = get_updates(*args, **kwargs)
    listed = set(map(id, updates))
    return list(updates) + [update for update in made if id(update) not in listed]


class GraphUpdates:
    """The updates that a `get_updates` describes, to be carried out with gradients of a step.

    targets: the variables that they may change. made_by: the functions that they come from.

    Args:
        former: updates of the same variables, whose placeholders these take over (a `get_updates` may keep its own).
    """

    def __init__(self, optimizer, variables, made_by, former=None):
        loss = TrainingLoss(variables) if former is None else former.placeholder
        self.placeholder, self.made_by, self._inputs = loss, made_by, loss.known_gradients
        self._pairs = pairs_of(_updates_of(optimizer, loss, variables))
        symbolic = [value for _, value in self._pairs if isinstance(value, KerasTensor)]
        self._plan = Plan([loss] + list(self._inputs.values()), symbolic, lambda node: node.function(True))
        self._needs_loss = any(tensor is loss for tensor in free_tensors(symbolic))
        self.targets = self._found_targets()

    def _found_targets(self):
        found = [target for target, _ in self._pairs if target is not None]
        for operation in [node.operation for node in self._plan.nodes]:
            if isinstance(operation, Assign):
                found.append(operation.variable)
            elif isinstance(operation, Apply):
                found.extend(operation.optimizer.own_variables + operation.variables)
        return list(dict.fromkeys(found))

    def __len__(self):
        return len(self._inputs)

    def are_of(self, variables):
        """Whether they update `variables` and no others."""
        return list(self._inputs) == list(variables)

    def know(self, variables):
        """Whether `variables` are among those that they update."""
        return all(variable in self._inputs for variable in variables)

    def __call__(self, variables, gradients, loss=None):
        given = dict(zip(variables, gradients))
        if self._needs_loss and loss is None:
            raise ValueError('The updates of the optimizer are computed from the value of the loss, which `fit` and '
                             '`train_on_batch` know; `apply_gradients` does not.')
        computed = iter(self._plan([loss] + [given[variable] if variable in given else p.full_like(variable.value, 0)
                                             for variable in self._inputs]))
        values = [next(computed) if isinstance(value, KerasTensor) else value for _, value in self._pairs]
        for (target, _), value in zip(self._pairs, values):
            if target is not None:
                target.assign(value)


def _updates_of(optimizer, loss, variables):
    names = list(inspect.signature(optimizer.get_updates).parameters)
    arguments = {'loss': loss, 'params': list(variables), 'constraints': {}}
    return _with_assignments(optimizer.get_updates, **{name: arguments[name] for name in names if name in arguments})
