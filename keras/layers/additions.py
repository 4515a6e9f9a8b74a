"""What layers give a model besides their outputs: losses, metrics and updates, from `call` or in the graph."""
from keras import ops
from keras.backend import tree
from keras.backend.nodes import Update, runs_at_once, symbol_of
from keras.backend.rules import AbstractTensor
from keras.backend.state import Variable, context, learning_phase
from keras.backend.symbolic import KerasTensor, Node, free_tensors
from keras.layers.calls import calls, running

# How often something was added to the graph, so that models know when to look again.
_made = [0]


def additions_made():
    return _made[0]


class Additions:
    """The part of `Layer` that concerns losses, metrics and updates.

    In `call` they belong to this run; outside of it they are symbolic tensors of the graph.
    """

    def add_loss(self, losses, inputs=None):
        """Add to the loss that `fit` minimises.

        Args:
            losses: a tensor or a list of them; of what is not a scalar the mean counts. In `call`: values of this
                run. Elsewhere: symbolic tensors made from tensors of the model, or from weights.
            inputs: accepted; what a loss depends on is known.
        """
        for loss in _listed(losses):
            if isinstance(loss, KerasTensor):
                self._symbolic_losses.append(loss)
                _made[0] += 1
            elif loss is None or context.abstract:
                continue
            elif calls.losses is not None:
                calls.losses.append(loss)
            else:
                self._call_losses.append(loss)

    def add_metric(self, value, name=None, aggregation='mean'):
        """Show the mean of `value` over an epoch in the logs.

        Args:
            value: a tensor: in `call` a value of this run, elsewhere a symbolic tensor made from tensors of the model.
            name: its name in the logs. aggregation: 'mean'.

        Raises:
            ValueError: without a name, for another aggregation, or for a number outside of `call`.
        """
        if name is None:
            raise ValueError('Layer %s: add_metric needs a name: add_metric(value, name=...).' % self.name)
        if aggregation not in ('mean', None):
            raise ValueError("Layer %s: add_metric aggregates by 'mean'. Received: %r" % (self.name, aggregation))
        if isinstance(value, KerasTensor):
            self._symbolic_metrics.append((name, value))
            _made[0] += 1
        elif context.abstract:
            return
        elif calls.metrics is None:
            raise ValueError('Layer %s: outside of `call` add_metric takes symbolic tensors. Received: %r.'
                             % (self.name, value))
        else:
            calls.metrics.append((name, value))

    def add_update(self, updates, inputs=None):
        """Have updates carried out in every training step (of a layer with `stateful=True`: in every run).

        Args:
            updates: what `K.update` and its kin gave, or pairs (variable, new value), or a list of these. In `call`
                they belong to this run; elsewhere they are parts of the graph.
            inputs: accepted; what an update depends on is known.
        """
        if context.abstract:
            return
        for update in _listed(updates):
            if calls.losses is None:
                self._add_symbolic_update(update)
            elif _is_pair(update):
                if self._updates_now():
                    update[0].assign(update[1])
            elif not self._updates_now():
                _take_back(update)

    def _add_symbolic_update(self, update):
        update = Update(*update) if _is_pair(update) else update
        if isinstance(update, Update):
            self._symbolic_updates.append(update)
            _made[0] += 1

    def _updates_now(self):
        training = learning_phase.value if context.training is None else context.training
        return bool(training) or self.stateful

    def _add_activity_losses(self, outputs):
        for output in tree.flatten(outputs):
            self.add_loss(self.activity_regularizer(output))

    def _regularized(self):
        return [weight for weight in self.trainable_weights if weight.regularizer is not None]

    # --- what was added ------------------------------------------------------------------------------------------

    @property
    def losses(self):
        """The regularization losses of the weights, and what was added: in a graph symbolic, else by the last call."""
        if runs_at_once() or not self._in_graph():
            return [weight.regularizer(weight.value) for weight in self._regularized()] + list(self._call_losses)
        return self._regularization() + self._conditional_losses() + list(self._call_losses)

    @property
    def metrics(self):
        """The metric objects that are attributes of this layer."""
        from keras.metrics import Metric
        return [value for value in self.__dict__.values() if isinstance(value, Metric)]

    @property
    def updates(self):
        """The updates of the graph that were added to this layer and those inside it."""
        return [update for layer in self._flatten_layers() for update in layer._symbolic_updates]

    def get_losses_for(self, inputs):
        """The symbolic losses that depend on the tensors `inputs`; for None those that depend on no input."""
        return _depending(self._regularization() + self._conditional_losses(), inputs, lambda loss: loss)

    def get_updates_for(self, inputs):
        """The updates that depend on the tensors `inputs`; for None those that depend on no input."""
        return _depending(self.updates, inputs, lambda update: update.new_value)

    def _in_graph(self):
        return bool(self._inbound_nodes)

    def _loss_nodes(self):
        """The nodes of the graph whose runs may add losses."""
        return self._inbound_nodes

    def _regularization(self):
        return [weight.regularizer(symbol_of(weight)) for weight in self._regularized()]

    def _conditional_losses(self):
        found = [loss for layer in self._flatten_layers() for loss in layer._symbolic_losses]
        return found + [_losses_of_call(node) for node in self._loss_nodes() if _adds_losses(node.operation)]


class GraphAdditions:
    """What was added to the graph of a model, or to its layers, to be computed along with its outputs.

    Args:
        model: the model. layers: those whose additions count.
    """

    def __init__(self, model, layers):
        known = {id(tensor) for tensor in model.inputs or ()}

        def reachable(tensor, owner):
            return owner is model or all(id(free) in known for free in free_tensors([tensor]))
        self.losses = [loss for layer in layers for loss in layer._symbolic_losses if reachable(loss, layer)]
        self.metrics = [pair for layer in layers for pair in layer._symbolic_metrics if reachable(pair[1], layer)]
        updates = [update for layer in layers for update in layer._symbolic_updates
                   if reachable(update.new_value, layer)]
        self._updates = updates
        self._new_values = [update.new_value for update in updates if isinstance(update.new_value, KerasTensor)]
        self._seen = additions_made()

    def is_current(self):
        return self._seen == additions_made()

    def tensors(self, training):
        """What is to be computed along."""
        return self.losses + [value for _, value in self.metrics] + (self._new_values if training else [])

    def note(self, values, training):
        """Hand the `values` of `tensors` on to the running call."""
        remaining = iter(values)
        calls.losses.extend(next(remaining) for _ in self.losses)
        calls.metrics.extend((name, next(remaining)) for name, _ in self.metrics)
        if training:
            for update in self._updates:
                symbolic = isinstance(update.new_value, KerasTensor)
                update.variable.assign(next(remaining) if symbolic else update.new_value)


class LossesOfCall:
    """An operation that runs a layer for the losses that the run adds, and sums them up."""

    def __init__(self, layer):
        self.layer, self.name = layer, layer.name + '_losses'

    @property
    def weights(self):
        """The variables that it reads."""
        return self.layer.weights

    def plan_function(self, node, training):
        function = self.layer.plan_function(node, training)

        def run(*args, **kwargs):
            with running(training) as block:
                function(*args, **kwargs)
            means = [loss if ops.ndim(loss) == 0 else ops.mean(loss) for loss in block.losses]
            return sum(means[1:], means[0]) if means else ops.zeros(())
        return run


def _losses_of_call(node):
    operation = LossesOfCall(node.operation)
    return Node(operation, node.args, node.kwargs, AbstractTensor((), node.operation.compute_dtype)).output_structure


def _adds_losses(layer):
    """Whether running `layer` may add losses: it, or a layer inside it, has an activity regularizer or says so."""
    return any(inner.activity_regularizer is not None or 'add_loss' in getattr(
        getattr(type(inner).call, '__code__', None), 'co_names', ()) for inner in layer._flatten_layers())


def _listed(given):
    """One thing or a list of them, as a list; a pair (variable, value) is one thing."""
    return list(given) if isinstance(given, (list, tuple)) and not _is_pair(given) else [given]


def _is_pair(update):
    return isinstance(update, (list, tuple)) and len(update) == 2 and isinstance(update[0], Variable) \
        and not isinstance(update[1], (list, tuple))


def _take_back(update):
    """Undo what `K.update` did in this call and gave `update` for."""
    for result, variable, old in reversed(context.assigned or ()):
        if result is update:
            variable.assign(old)
            return


def _depending(items, inputs, tensor_of):
    if inputs is None:
        return [item for item in items if not _free(tensor_of(item))]
    known = {id(tensor) for tensor in tree.flatten(inputs)}
    return [item for item in items if _ancestors(tensor_of(item)) & known]


def _free(tensor):
    return free_tensors([tensor]) if isinstance(tensor, KerasTensor) else []


def _ancestors(tensor):
    """The ids of `tensor` and of all tensors it follows from."""
    seen, stack = set(), [tensor] if isinstance(tensor, KerasTensor) else []
    while stack:
        one = stack.pop()
        if id(one) not in seen:
            seen.add(id(one))
            stack.extend(one.node.inputs if one.node is not None else ())
    return seen
