"""Optimizers as parts of a graph, as Keras 2 has them: `get_updates`, `get_gradients`, and optimizers defined by it."""
import functools
import inspect

from keras.backend.derivatives import gradients as gradients_of
from keras.backend.nodes import Update
from keras.backend.rules import AbstractTensor
from keras.backend.state import context
from keras.backend.symbolic import KerasTensor, Node, Plan


class TrainingLoss(KerasTensor):
    """Stands for the loss of a model in `get_updates`: its gradients are those that the training step finds."""

    def __init__(self, variables):
        super().__init__((), 'float32', name='loss')
        self.gradients = {variable: KerasTensor(variable.shape, variable.dtype, name='gradient_of_' + variable.name)
                          for variable in variables}


class Apply:
    """An optimizer's update of `variables` by gradients in the graph."""

    def __init__(self, optimizer, variables):
        self.optimizer, self.variables, self.name = optimizer, variables, 'apply_' + optimizer.name

    def plan_function(self, node, training):
        def run(gradients):
            self.optimizer.apply(gradients, self.variables)
            return self.optimizer.iterations.value
        return run


def symbolic_gradients(loss, variables):
    """The gradients of `loss` by `variables` as symbolic tensors.

    Raises:
        ValueError: where there is none, naming the variable.
    """
    if isinstance(loss, TrainingLoss):
        return [loss.gradients[variable] for variable in variables]
    found = gradients_of(loss, variables)
    missing = [variable.name for variable, gradient in zip(variables, found) if gradient is None]
    if missing:
        raise ValueError('An operation has `None` for gradient: the loss does not depend on %s, or only through '
                         'operations without a gradient (argmax, round, comparisons, stop_gradient).'
                         % ', '.join(missing))
    return found


def update_in_graph(optimizer, variables, gradients):
    """A symbolic tensor that, when it is run, applies `gradients` (not clipped yet) to `variables`."""
    node = Node(Apply(optimizer, variables), [list(gradients)], {}, AbstractTensor((), optimizer.iterations.dtype))
    return node.output_structure


def graph_making(get_updates):
    """`get_updates` of a subclass, with operators on variables making graph while it runs."""
    @functools.wraps(get_updates)
    def run(*args, **kwargs):
        previous, context.symbolic = context.symbolic, True
        try:
            return get_updates(*args, **kwargs)
        finally:
            context.symbolic = previous
    return run


class GraphUpdates:
    """The updates that a subclass's own `get_updates` describes, to be carried out with gradients of a step."""

    def __init__(self, optimizer, variables):
        loss = TrainingLoss(variables)
        names = list(inspect.signature(optimizer.get_updates).parameters)
        arguments = {'loss': loss, 'params': list(variables), 'constraints': {}}
        updates = optimizer.get_updates(**{name: arguments[name] for name in names if name in arguments})
        pairs = [(update.variable, update.new_value) if isinstance(update, Update) else update for update in updates]
        self.targets = [target for target, _ in pairs]
        self._values = [value for _, value in pairs]
        symbolic = [value for value in self._values if isinstance(value, KerasTensor)]
        self._plan = Plan(list(loss.gradients.values()), symbolic,
                          lambda node: node.operation.plan_function(node, True))

    def __call__(self, gradients):
        computed = iter(self._plan(gradients))
        values = [next(computed) if isinstance(value, KerasTensor) else value for value in self._values]
        for target, value in zip(self.targets, values):
            target.assign(value)
