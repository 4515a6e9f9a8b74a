"""What layers give a model besides their outputs: losses, metrics and updates, from `call` or in the graph."""
import functools

from keras import ops
from keras.backend.contract import tree
from keras.backend.contract.context import context, learning_phase, noted_metric, runs_at_once
from keras.backend.contract.ledger import AbstractLedger, Ledger
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Ancestry, Node
from keras.backend.graph.reads import symbol_of
from keras.backend.graph.tensors import KerasTensor
from keras.backend.k.operations import Update
from keras.backend.state.variables import Variable
from keras.layers.calls import calls, running
from keras.layers.yielding import yielding

# Types of attributes that are no metrics and have none inside; most attributes are of these.
_PLAIN = frozenset((int, float, str, bool, type(None), type(len), type(lambda: 0), type, Variable))


@functools.lru_cache(maxsize=256)  # not all: classes that scripts make again and again are to be freed
def _is_metric(kind):
    """Whether objects of a type are metrics."""
    from keras.metrics import Metric
    return issubclass(kind, Metric)


# How often something was added to the graph, so that models know when to look again.
_made = [0]


def additions_made():
    return _made[0]


class Additions:
    """The part of `Layer` that concerns losses, metrics and updates.

    In `call` they belong to this run; outside of it they are symbolic tensors of the graph.
    """

    def start_additions(self):
        self._call_losses, self._call_metrics, self._symbolic_losses = [], [], []
        self._symbolic_metrics, self._symbolic_updates = [], []

    def add_loss(self, losses=None, inputs=None, loss=None):
        """Add to the loss that `fit` minimises.

        Args:
            losses: a tensor or a list of them; of what is not a scalar the mean counts. In `call`: values of this
                run. Elsewhere: symbolic tensors made from tensors of the model, or from weights.
            loss: what Keras 3 calls `losses`.
            inputs: the symbolic tensors that the loss belongs to, for `get_losses_for`; None: to no input.
        """
        for loss in _listed(losses if loss is None else loss):
            if isinstance(loss, KerasTensor) or calls.losses is None and isinstance(loss, (int, float)):
                self._symbolic_losses.append((loss, _symbolic_inputs(inputs)))
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
            value: a tensor: in `call` a value of this run, elsewhere a symbolic tensor made from tensors of the model;
                also what a `Mean` or another metric that is one gave for these.
            name: its name in the logs, default that of the metric. aggregation: 'mean'.

        A metric that is an attribute of the layer is in the logs by itself. What it gave in `call` is added nowhere
        else, and a value under its name is one that it takes into account.

        Raises:
            ValueError: without a name, for another aggregation, or for a number outside of `call`.
        """
        mean_of = getattr(value, 'mean_of', None)
        if mean_of is not None:
            name, value = name or mean_of[0].name, mean_of[1]
        metric = noted_metric(value)
        if metric is not None:
            name = name or metric.name
        if name is None:
            raise ValueError('Layer %s: add_metric needs a name: add_metric(value, name=...).' % self.name)
        if aggregation not in ('mean', None):
            raise ValueError("Layer %s: add_metric aggregates by 'mean'. Received: %r" % (self.name, aggregation))
        if calls.metrics is not None and not context.abstract and not isinstance(value, KerasTensor) \
                and self._takes_metric(name, value, metric):
            return
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

    def _takes_metric(self, name, value, metric):
        """Whether a metric that is an attribute of the layer stands for what `add_metric` is given in `call`.

        Args:
            metric: the one that gave `value`, or None.
        """
        made = self.metrics_made()
        named = [one for one in made if one.name == name]
        if len(named) > 1 and self.ruled('added_metrics_differ_in_name'):
            raise ValueError('Please provide different names for the metrics you have added: layer %s has %d metrics '
                             'with the name %r.' % (self.name, len(named), name))
        if any(one is metric for one in made):
            return True
        if metric is None and named:
            named[0].update_state(value)
        return metric is None and bool(named)

    def add_update(self, updates, inputs=None):
        """Have updates carried out in every training step (of a layer with `stateful=True`: in every run).

        Args:
            updates: what `K.update` and its kin gave, or pairs (variable, new value), or a list of these. In `call`
                they belong to this run; elsewhere they are parts of the graph.
            inputs: the symbolic tensors that the updates belong to, for `get_updates_for`; None: to no input.
        """
        for update in _listed(updates):
            if calls.losses is None:
                self._add_symbolic_update(update, inputs)
            elif _is_pair(update):
                if context.abstract or self._updates_now():
                    update[0].assign(update[1])
            elif not context.abstract and not self._updates_now():
                _take_back(update)

    def _add_symbolic_update(self, update, inputs):
        update = Update(*update) if _is_pair(update) else update
        self._symbolic_updates.append((update, _symbolic_inputs(inputs)))
        _made[0] += 1

    def _updates_now(self):
        training = learning_phase.value if context.training is None else context.training
        return bool(training and context.updating) or self.stateful and context.keeping_states

    def graph_additions(self):
        """What was added to the graph, as pairs (method, arguments) that add it to another layer."""
        return [('add_loss', (loss, inputs)) for loss, inputs in self._symbolic_losses] \
            + [('add_metric', (value, name)) for name, value in self._symbolic_metrics] \
            + [('add_update', ((update.variable, update.new_value), inputs))
               for update, inputs in self._symbolic_updates if isinstance(update, Update)]

    def take_graph_additions(self, additions):
        """Add what `graph_additions` of another gave."""
        for method, arguments in additions:
            getattr(self, method)(*arguments)

    def add_activity_losses(self, outputs):
        for output in tree.flatten(outputs):
            loss = self.activity_regularizer(output)
            if self.ruled('activity_loss_per_sample'):
                loss = loss / ops.maximum(ops.cast(ops.shape(output)[0], output.dtype), 1.0)  # of an empty batch: 0
            self.add_loss(loss)

    def regularized_weights(self, trained=None):
        """The weights whose regularizers add to the loss. `trained`: those that are trained, default the trainable."""
        regularized = [weight for weight in self.weights if weight.regularizer is not None]
        if not regularized or self.ruled('frozen_weights_are_regularized'):
            return regularized
        trained = set(map(id, self.trainable_weights if trained is None else trained))
        return [weight for weight in regularized if id(weight) in trained]

    # --- what was added ------------------------------------------------------------------------------------------

    @property
    def losses(self):
        """The regularization losses of the weights, and what was added: in a graph symbolic, else by the last call."""
        if not self.ruled('losses_in_graph'):
            added = [loss for layer in self.walk_layers() for loss, _ in layer._symbolic_losses]
            return self._regularization_now() + added + list(self._call_losses)
        if runs_at_once() or not self._in_graph():
            numbers = [loss for loss, _ in self._symbolic_losses if isinstance(loss, (int, float))]
            return self._regularization_now() + numbers + list(self._call_losses)
        if self._call_losses:  # by a call on values, which ran what the graph says: the same losses, as numbers
            return self._regularization_now() + list(self._call_losses)
        return self._regularization() + [loss for loss, _ in self._conditional_losses()]

    def _regularization_now(self):
        return [weight.regularizer(weight.value) for weight in self.regularized_weights()]

    @property
    def metrics(self):
        """The metric objects that are attributes of this layer and of those inside it."""
        return self.metrics_inside()

    def metrics_inside(self):
        """What `metrics` is, whatever a subclass has it say; those of layers inside as well."""
        return list(self.remembered('metrics', self._look_for_metrics_inside))

    def _look_for_metrics_inside(self):
        found = [metric for layer in self.walk_layers() for metric in layer.metrics_made()]
        return list({id(metric): metric for metric in found}.values())

    @property
    def _metrics(self):
        # Keras 3's list of the metrics of this layer itself, to which packages append (BayesFlow), or what a subclass
        # calls so.
        if '_metrics' in vars(self):
            return vars(self)['_metrics']
        kept = vars(self).setdefault('own_metrics', [])
        kept.extend(metric for metric in self.metrics_made() if not any(metric is known for known in kept))
        return kept

    @_metrics.setter
    def _metrics(self, metrics):
        vars(self).pop('own_metrics', None)
        vars(self)['_metrics'] = metrics

    def metrics_made(self):
        """The metric objects that are attributes of this layer itself."""
        parts = self.parts_seen()
        if parts.metrics is None:
            parts.metrics = self._look_for_metrics()
        return list(parts.metrics)

    def _look_for_metrics(self):
        found = []
        for value in self.__dict__.values():
            kind = type(value)
            if kind not in _PLAIN:
                if issubclass(kind, dict):
                    value = value.values()
                elif not issubclass(kind, (list, tuple)):
                    value = (value,)
                found += [part for part in value if _is_metric(type(part))]
        return found

    def metrics_of_call(self):
        """What the last call gave to `add_metric`, as pairs (name, value)."""
        return list(self._call_metrics)

    def take_metrics_of_call(self, pairs):
        """Have `metrics_of_call` give these pairs: values as they are outside of the block that found them."""
        self._call_metrics = list(pairs)

    @yielding
    def updates(self):
        """The updates of the graph: what was added, and what calls assign to weights and states, for K to carry out.

        None of them is left where neither is to change: the layer is not trainable, and has no states.
        """
        return [update for update, _ in self._updates_with_inputs()]

    def _updates_with_inputs(self):
        if not (self.trainable or self.stateful):
            return []
        added = [pair for layer in self.walk_layers() for pair in layer._symbolic_updates]
        return added + [(update, node.inputs) for node in self.own_nodes() for update in updates_of(node)]

    def get_losses_for(self, inputs):
        """The symbolic losses that belong to the tensors `inputs`, or to what is computed from them.

        Args:
            inputs: symbolic tensors; None for the losses that belong to no input, those of weights among them.
        """
        found = [(loss, None) for loss in self._regularization()] + self._conditional_losses()
        return _belonging(found, inputs)

    def get_updates_for(self, inputs):
        """The updates that belong to the tensors `inputs`, or to what is computed from them; None: to no input."""
        return _belonging(self._updates_with_inputs(), inputs)

    def _in_graph(self):
        return bool(self._inbound_nodes)

    def own_nodes(self):
        """The nodes of the graph whose runs are runs of this layer, or of the layers of this model."""
        return self._inbound_nodes

    def _regularization(self):
        return [weight.regularizer(symbol_of(weight)) for weight in self.regularized_weights()]

    def _conditional_losses(self):
        found = [pair for layer in self.walk_layers() for pair in layer._symbolic_losses]
        return found + [(_losses_of_call(node), node.inputs) for node in self.own_nodes()
                        if _adds_losses(node.operation)]


class GraphAdditions:
    """What was added to the graph of a model, or to its layers, to be computed along with its outputs.

    Args:
        model: the model. layers: those whose additions count.
    """

    def __init__(self, model, layers):
        ancestry = Ancestry(() if model.layer_graph is None else model.inputs)

        def reachable(tensor, owner):
            return owner is model or not isinstance(tensor, KerasTensor) or not ancestry.needs_more(tensor)
        self.losses = [_symbolic_loss(loss, layer.compute_dtype) for layer in layers
                       for loss, _ in layer._symbolic_losses if reachable(loss, layer)]
        self.metrics = [pair for layer in layers for pair in layer._symbolic_metrics if reachable(pair[1], layer)]
        updates = [update for layer in layers for update, _ in layer._symbolic_updates
                   if isinstance(update, Update) and reachable(update.new_value, layer)]
        self._updates = updates
        self._new_values = [update.new_value for update in updates if isinstance(update.new_value, KerasTensor)]
        self.is_empty = not (self.losses or self.metrics or updates)
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


def _symbolic_loss(loss, dtype):
    return loss if isinstance(loss, KerasTensor) else Node(Constant(loss), [], {}, AbstractTensor((), dtype)).outputs[0]


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
            with running(training, updating=False, keeping_states=False) as block:
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
        getattr(type(inner).call, '__code__', None), 'co_names', ()) for inner in layer.walk_layers())


class Constant:
    """A number as a part of the graph."""
    name = 'constant'

    def __init__(self, number):
        self.number = number

    def plan_function(self, node, training):
        return lambda: ops.full((), self.number, node.outputs[0].dtype)


class UpdatesOfCall:
    """An operation that runs a layer for what the run assigns to `variables`, whatever the learning phase."""

    def __init__(self, layer, variables):
        self.layer, self.variables, self.name = layer, variables, layer.name + '_updates'

    @property
    def weights(self):
        """The variables that it reads."""
        return self.layer.weights

    def plan_function(self, node, training):
        function = self.layer.plan_function(node, True)

        def run(*args, **kwargs):
            with running(True), Ledger(outer=context.ledger) as ledger:
                function(*args, **kwargs)
                return [ledger.read(variable) for variable in self.variables]
        return run


class _Noting(AbstractLedger):
    """The ledger of shape inference that notes the variables written to."""

    def __init__(self):
        self.written = {}

    def write(self, variable, value):
        self.written[variable] = value


def updates_of(node):
    """The `Update`s that carry out what a call of a layer assigns to its weights and states."""
    layer = node.operation
    if not isinstance(layer, Additions) or not (layer.trainable or layer.stateful) or not _may_assign(layer):
        return []
    variables = _assigned_by(node)
    if node.updates is None or [update.variable for update in node.updates] != variables:
        results = [AbstractTensor(variable.shape, variable.dtype) for variable in variables]
        run = Node(UpdatesOfCall(layer, variables), node.args, node.kwargs, results)
        node.updates = [Update(variable, value) for variable, value in zip(variables, run.outputs)]
    return node.updates


def _may_assign(layer):
    return any(inner.stateful or inner.has_frozen_weights() for inner in layer.walk_layers())


def _assigned_by(node):
    layer = node.operation
    args, kwargs = tree.map_structure(
        lambda leaf: AbstractTensor(leaf.shape, leaf.dtype) if isinstance(leaf, KerasTensor) else leaf,
        [list(node.args), dict(node.kwargs)])
    function = layer.plan_function(node, True)
    try:
        with _Noting() as ledger, running(True):
            function(*args, **kwargs)
    except Exception:  # `call` may be code that takes nothing but numbers: then what it assigns is not known
        return []
    seeds = {generator.state for generator in layer.generators_inside()}
    return [variable for variable in ledger.written if variable not in seeds]


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


def _symbolic_inputs(inputs):
    return None if inputs is None else [leaf for leaf in tree.flatten(inputs) if isinstance(leaf, KerasTensor)]


def _belonging(pairs, inputs):
    """Of pairs (item, the tensors it belongs to) the items that belong to `inputs`; None: to nothing."""
    if inputs is None:
        return [item for item, owners in pairs if owners is None]
    ancestry = Ancestry([symbol_of(leaf) if isinstance(leaf, Variable) else leaf for leaf in tree.flatten(inputs)])
    return [item for item, owners in pairs if owners is not None and any(map(ancestry.uses, owners))]
