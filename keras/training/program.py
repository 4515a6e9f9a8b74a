"""`Program`: what `compile` makes of a model."""
import collections
import warnings

import numpy as np

from keras import config, generations
from keras import metrics as metrics_module
from keras.backend.contract import tree
from keras.backend.contract.context import learning_phase
from keras.backend.contract.loading import get_engine, outside_graphs
from keras.backend.contract.rules import AbstractTensor
from keras.backend.table.composites.shape import static_shape
from keras.layers.weights import adapter_changes, trainable_changes
from keras.training.compiled import CompiledLoss, CompiledMetrics, is_shown
from keras.training.data.intake import Inputs, Intake, OwnIntake
from keras.training.data.layout import Layout, names_of_parts
from keras.training.data.targets import Target, Targets
from keras.training.graph import TrainingGraph
from keras.training.made_functions import MAKERS, MadeStep
from keras.training.own_steps import MetricsOfModel, OwnCompiled, OwnLogs, OwnStep
from keras.training.results import Averages, Predictions, on_host
from keras.training.steps import PredictStep, TrainOrTestStep, can_repeat
from keras.training.target_tensors import TargetTensors
from keras.training.turns import Turns

# How many batches, and of how many bytes, `steps_per_execution='auto'` puts into one call.
_MOST_BATCHES, _MOST_BYTES = 32, 16 << 20


class NotCompiled(RuntimeError, AttributeError):
    """Something that a model has or does only when it is compiled; as an attribute, it has none before."""


class Program(generations.Dated):
    """A model's loss, metrics, optimizer and steps. The next `compile` replaces it whole.

    It keeps the generation of Keras that it was made under, for what is settled and traced later.

    Args:
        forward: the `Forward` of the model. given: the arguments of `compile`, with the optimizer as an object; None
            for a model that was not compiled, which can only predict. settings: {name: value} of arguments that such a
            model was given one by one.

    Attributes:
        losses, metrics, target_tensors: the `CompiledLoss`, the `CompiledMetrics` and the `TargetTensors`, None until
            the outputs are known.
        trained: the weights that training changes, and frozen_layers: the layers that it leaves alone, as settled by
            then. targets: a `Targets`, None where any will do.
        turns: the `Turns` among threads.
        added_names: the names given to `add_metric` in the last new step; None before the first one.
    """

    def __init__(self, forward, given=None, settings=None):
        self.given, self.settings = given, settings or {}
        self.turns = Turns(forward)
        self.retarget(forward)
        if given is not None and forward.model.built and forward.graph is not None:
            try:
                self._settle(forward.graph.output_names, forward.graph.output_structure)
            except ValueError:
                if not self.ruled('faults_of_losses_show_in_fit'):
                    raise
                self.losses = self.metrics = self.targets = self.target_tensors = None

    def retarget(self, forward):
        """Begin anew with another `Forward`, because the layers of the model have changed; the next data settles it."""
        self.forward = forward
        # A stack that grows layer by layer makes many of these and uses the last: what takes time is made when used.
        self._own = self._compiled = self._all_metrics = None
        self._intake, self._own_intake = Intake(self), OwnIntake(self)
        self.losses = self.metrics = self.targets = self.target_tensors = self.added_names = None
        self.trained, self.frozen_layers = [], []
        self._inputs = None
        self._steps, self._added, self._means, self._made = {}, {}, {}, {}
        self.watch = None
        # Steps for predicting one small array, by its dtype, row shape and engine.
        self._small = {}
        self._names, self.structure = ['output_1'], None
        self._graph = self._running = self._reads_past = None
        # Functions of K by kind, None until scripts ask for them.
        self.functions = dict.fromkeys(('train', 'test', 'predict'))

    def __getstate__(self):
        # Steps are compiled anew, what follows from the outputs is settled anew.
        given = self.given and dict(self.given, target_tensors=None)  # which are parts of another graph
        return {'given': given, 'settings': self.settings, 'trained': self.trained, 'frozen_layers': self.frozen_layers,
                'generation': generations.of(self)}

    def for_copy(self, forward):
        """The program of a copy of the model, given what a copy of this one kept: it trains the same weights."""
        with config.generation(self.generation):
            program = Program(forward, self.given, self.settings)
        if self.trained:
            program.trained, program.frozen_layers = self.trained, self.frozen_layers
        return program

    # --- what it is about ----------------------------------------------------------------------------------------

    @property
    def name(self):
        return self.forward.name

    @property
    def is_compiled(self):
        return self.given is not None

    @property
    def own(self):
        """The kinds of steps that the model defines itself, a set."""
        if self._own is None:
            self._own = self.forward.own_kinds()
        return self._own

    @property
    def compiled(self):
        """For a model that defines its steps, its `OwnCompiled`."""
        if self._compiled is None:
            with generations.under(self):
                self._compiled = OwnCompiled(self._own_compiled)
        return self._compiled

    @property
    def compiled_metrics(self):
        """The compiled metrics as one, a `MetricsOfModel`."""
        if self._all_metrics is None:
            with generations.under(self):
                self._all_metrics = MetricsOfModel(self)
        return self._all_metrics

    @property
    def optimizer(self):
        return self.given['optimizer'] if self.is_compiled else None

    def argument(self, name):
        """What `compile` was given as `name`, or what was set before."""
        return (self.given if self.is_compiled else self.settings).get(name)

    def require_compiled(self, method):
        if not self.is_compiled:
            raise NotCompiled('Model %s must be compiled before %s is called. Call model.compile(optimizer, loss) '
                              'first.' % (self.name, method))

    @property
    def inputs(self):
        """What the inputs of the graph are, None where there is no graph."""
        if self._inputs is None and self.forward.graph is not None:
            self._inputs = Inputs(self.forward.graph)
        return self._inputs

    @property
    def output_names(self):
        return self._names

    @property
    def trained_outputs(self):
        """Indices of the outputs that have a loss, and hence a target."""
        return self.losses.trained_outputs if self.losses is not None else []

    @property
    def masked_outputs(self):
        """For every output, whether it may have a mask."""
        graph = self.forward.graph
        if graph is None or self.forward.own_call:
            return [True] * len(self._names)  # which only a run of `call` could tell
        return [tensor.mask is not None for tensor in graph.outputs]

    @property
    def graph(self):
        """The training as parts of the graph of K, see `TrainingGraph`."""
        if self.forward.graph is None:
            raise AttributeError('Model %s is not a graph of layers, so its training is not a part of a graph.'
                                 % self.name)
        if self._graph is None:
            self._graph = TrainingGraph(self)
        return self._graph

    def make_function(self, kind):
        """Have a function of K among `functions`."""
        if self.functions[kind] is None:
            self.functions[kind] = self.graph.function(kind)

    # --- settling: losses and metrics are set up once the outputs are known --------------------------------------

    @property
    def is_settled(self):
        return self.forward.model.built and (self.losses is not None or not self.is_compiled)

    def settle_for(self, xs, casts, structure, rows=()):
        """Settle from the first data; the model is built where it is not yet.

        Args:
            rows: as in `Layout`.
        """
        layout = Layout(structure, 0, (), rows)
        if any(rows):
            first = [array[:1] if cast is None else array[:1].astype(cast) for array, cast in zip(xs, casts)]
            outputs = self.forward.outputs_of_rows(layout.inputs(list(map(get_engine().convert, first))))
        else:
            outputs = self.forward.outputs_for(layout.inputs([
                AbstractTensor((None,) + array.shape[1:], cast or array.dtype.name)
                for array, cast in zip(xs, casts)]))
        if not self.is_settled:
            graph = self.forward.graph
            self._settle(names_of_parts(outputs) if graph is None else graph.output_names,
                         outputs if graph is None else graph.output_structure)

    def _settle(self, names, outputs):
        self._names, self.structure = list(names), tree.map_structure(lambda _: None, outputs)
        if self.is_compiled:
            with generations.under(self):
                self._settle_losses(tree.flatten(outputs))
            self._settle_weights()

    def _settle_losses(self, outputs):
        graph = self.forward.graph
        losses = CompiledLoss(self.given['loss'], self.given['loss_weights'], self._names, self.structure,
                              named=graph is not None)
        self.metrics = CompiledMetrics(self.given['metrics'], self.given['weighted_metrics'], losses,
                                       [tensor.shape for tensor in outputs])
        self.target_tensors = TargetTensors(self, self.given.get('target_tensors'))
        self.targets = Targets(len(outputs), [
            Target(index, self._names[index], losses.losses[index], outputs[index], graph is not None,
                   generations.of(self))
            for index in losses.trained_outputs if index not in self.target_tensors],
            len(self.target_tensors.values), self.ruled('targets_need_a_loss'), self.structure)
        self.losses = losses

    def _own_compiled(self, y_pred, with_loss):
        """The loss and the metrics for a model that defines its steps, and gives `y_pred`."""
        graph, leaves = self.forward.graph, tree.flatten(y_pred)
        named = graph is not None and len(graph.output_names) == len(leaves)
        names = list(graph.output_names) if named else names_of_parts(y_pred)
        with generations.under(self):
            given = [self.argument('loss'), self.argument('loss_weights')] if with_loss else [None, None]
            losses = CompiledLoss(*given, names, tree.map_structure(lambda _: None, y_pred), named)
            return losses, CompiledMetrics(self.argument('metrics'), self.argument('weighted_metrics'), losses,
                                           [static_shape(tensor) for tensor in leaves], without_losses=True)

    def _settle_weights(self):
        model = self.forward.model
        self.trained = list(model.trainable_weights)
        frozen = {}
        for layer in model.walk_layers():
            if not layer.trainable and id(layer) not in frozen:
                # What is inside a frozen layer is frozen, whatever it says itself; not so in Keras 3.
                inside = [layer] if layer.ruled('parts_say_what_is_trained') else layer.walk_layers()
                frozen.update((id(inner), inner) for inner in inside)
        self.frozen_layers = list(frozen.values())
        self._changes = trainable_changes()

    def check_trainable(self):
        """`warn_of_change`, once for each change."""
        if self._changes != trainable_changes():
            self._changes = trainable_changes()
            self.warn_of_change(stacklevel=5)

    def warn_of_change(self, stacklevel):
        """Warn where `trainable` was changed after compiling, which has no effect on what is trained."""
        if self.losses is not None and set(map(id, self.forward.model.trainable_weights)) != set(map(id, self.trained)):
            warnings.warn('Discrepancy in model %s: `trainable` was changed after compile, and training goes on as '
                          'compiled: %d weights are trained, %d are trainable now. Compile the model again for the '
                          'change to take effect.'
                          % (self.name, len(self.trained), len(self.forward.model.trainable_weights)),
                          stacklevel=stacklevel)

    def watch_gradients(self, watch):
        """Have the training steps show the gradients to `watch.see(gradients)`, None for nobody any more.

        Args:
            watch: has `build`, too: from the list of trained variables to the variables that `see` assigns.
        """
        if watch is not None and 'train' in self.own:
            raise NotImplementedError('Model %s defines its train_step itself, so nobody else sees its gradients.'
                                      % self.name)
        self.watch = watch
        self._steps = {key: step for key, step in self._steps.items() if key[0] != 'train'}

    # --- metrics -------------------------------------------------------------------------------------------------

    def metric_objects(self):
        """The compiled metrics and those of `add_metric`, with the values of the last run."""
        if 'train' in self.own:
            return self.own_metrics()
        if self._running is not None:
            self._running.keep()
        compiled = self._compiled_metrics()
        added = [self.added_metric(name) for name in self._names_of_added()]
        if not self.ruled('metrics_begin_with_loss'):
            return self._distinct(compiled + self.attributes() + added)
        means = self.mean_losses()
        return self._distinct(means[:1] + compiled + means[1:] + self.attributes() + added)

    def mean_losses(self):
        """The metric objects of the loss, and of the losses of several outputs, where they count as metrics."""
        if not self.is_compiled or not self.ruled('metrics_begin_with_loss'):
            return []
        names = self.losses.names_of_parts if self.losses is not None else []
        return [self.compiled.tracker] + [self._means.setdefault(name, metrics_module.Mean(name=name))
                                          for name in names]

    def attributes(self):
        """The metrics that are attributes of the model and its layers."""
        return self.forward.model.metrics_inside()

    @staticmethod
    def _distinct(metrics):
        return list({id(metric): metric for metric in metrics}.values())

    def own_metrics(self):
        """The metrics of steps that the model defines: the mean of the loss, the compiled ones, and its attributes."""
        if self.is_compiled and self.forward.graph is not None:
            try:
                self.compiled.settle(self.forward.graph.pack_outputs(self.forward.graph.outputs))
            except ValueError:
                pass  # A `compute_loss` of its own may hand on something else than the outputs, and then is right.
        return self._distinct(([self.compiled.tracker] if self.is_compiled else []) + self._compiled_metrics()
                              + self.compiled.parts + self.attributes() + list(self._added.values()))

    def metric_entries(self):
        """The compiled metrics as far as they are known, see `CompiledMetrics`."""
        if 'train' in self.own or self.metrics is None:
            return self.compiled.entries
        return self.metrics.entries

    def _compiled_metrics(self):
        """The compiled metrics: one by one, or as one that has them all."""
        if self.ruled('compiled_metrics_are_one') and (self.argument('metrics') or self.argument('weighted_metrics')):
            return [self.compiled_metrics]
        return [entry.metric for entry in self.metric_entries()]

    def _names_of_added(self):
        if self.added_names is not None:
            return list(self.added_names)
        return list(collections.OrderedDict(self.forward.additions().metrics))

    def added_metric(self, name):
        """The metric object for what `add_metric` is given as `name`."""
        if name not in self._added:
            self._added[name] = metrics_module.Mean(name=name)
        return self._added[name]

    def metrics_names(self):
        """The names of what `evaluate` and `train_on_batch` return."""
        if 'train' in self.own:
            return [metric.name for metric in self.forward.model.metrics]
        if self.losses is None:
            return ['loss']
        names = ['loss'] + self.losses.names_in_logs + self.metrics.names_of_numbers(self.metrics.names)
        found = self.metrics.names_of_numbers([metric.name for metric in self.attributes() if is_shown(metric)]) \
            + self._names_of_added()
        return names + list(dict.fromkeys(name for name in found if name not in names))

    def reset_metrics(self):
        # What `compute_loss` and `compute_metrics` count in where a script calls them is not in the steps.
        outside = [] if self._compiled is None else [self._compiled.tracker] + self._compiled.metrics
        for metric in self._distinct(list(self.metric_objects()) + outside):
            metric.reset_state()
        self._running = None

    # --- running -------------------------------------------------------------------------------------------------

    def intake(self, kind):
        """The `Intake` of the data for a kind of run."""
        return self._own_intake if kind in self.own else self._intake

    def step(self, kind, batch):
        """The compiled step for a kind of run on batches like this one; made once per kind, engine and layout."""
        key = (kind, get_engine(), learning_phase.value, batch.layout, adapter_changes())
        step = self._steps.get(key)
        if step is None:
            step = self._steps[key] = self._new_step(kind, batch.layout)
        if kind != 'predict':
            step.check_targets(batch.ys)
        if kind == 'train' and kind not in self.own:
            self.check_trainable()
        return step

    def _new_step(self, kind, layout):
        if kind in self.own:
            return (MadeStep if self.forward.model.makes_function(kind) else OwnStep)(self, kind, layout)
        return PredictStep(self, layout) if kind == 'predict' else TrainOrTestStep(self, kind == 'train', layout)

    def results(self, kind):
        """What gathers the results of a run of a kind."""
        numbered = self.ruled('batch_and_size_in_logs')
        self._made.pop(kind, None)
        if kind == 'predict':
            return Predictions(self.turns, numbered)
        if kind in self.own:
            found = OwnLogs(self.forward.model, self.turns, numbered)
        else:
            found = self._running = Averages(self, self.ruled('own_loss_in_logs'), numbered)
        found.by_name = self.ruled('logs_are_sorted')
        return found

    def made_function(self, kind):
        """The function of steps that the model makes, see `Steps.make_train_function`; once for each run."""
        if kind not in self._made:
            found = getattr(self.forward.model, MAKERS[kind])()
            self._made[kind] = self.functions[kind] if found is None else found
        return self._made[kind]

    def reads_past_ledger(self):
        """Whether scripts made variables of the model themselves, which they read and write past the ledger."""
        if self._reads_past is None:
            self._reads_past = any(variable.is_adopted for variable in self.forward.model.variables)
        return self._reads_past

    def executed(self, steps):
        """How many batches run where `steps` are asked for, by what `steps_per_execution` says."""
        each = self.argument('steps_per_execution')
        whole = type(each) is int and self.ruled('executions_are_whole')
        return -(-steps // each) * each if whole else steps

    def batches_per_call(self, kind, batch, watched):
        """How many batches run between two looks of the callbacks, when `batch` is like most of them.

        Args:
            watched: whether anything is called around single batches.
        """
        wanted = self.argument('steps_per_execution')
        if wanted != 'auto':
            return wanted or 1
        if watched or kind == 'predict' or kind in self.own or not can_repeat(self):
            return 1
        size = sum(array.nbytes for array in batch.xs + batch.ys + batch.weights if array is not None)
        return max(1, min(_MOST_BATCHES, _MOST_BYTES // max(size, 1)))

    @outside_graphs
    def on_batch(self, kind, batch, reset):
        """{name: value} of the loss and the metrics on one batch. `reset`: whether they begin with it."""
        with self.turns.of('train_on_batch' if kind == 'train' else 'test_on_batch'):
            found = self._running if not reset and self._running is not None else self.results(kind)
            found.use(self.step(kind, batch), reset)
            found.take(0, batch)
            return found.found()

    @outside_graphs
    def predict_like_before(self, x):
        """The outputs for a small array like one that was predicted before, or None."""
        step, cast = self._small.get(_kind(x), (None, None))
        if step is None:
            return None
        return step.packed(on_host(self.turns.read(step, [x if cast is None else x.astype(cast)])))

    @outside_graphs
    def predict_at_once(self, x, batch):
        """The outputs for one batch, made from what the user gave as `x`."""
        step = self.step('predict', batch)
        # Where at most the dtype had to be converted, the next small array goes straight in.
        if type(x) is np.ndarray and len(batch.xs) == 1 and batch.xs[0].shape == x.shape:
            cast = None if batch.xs[0].dtype == x.dtype else batch.xs[0].dtype
            if cast is None or x.dtype.kind in 'biuf':
                self._small[_kind(x)] = step, cast
        return step.packed(on_host(self.turns.read(step, batch.xs)))


def _kind(x):
    """What says by which step, and as what dtype, a small array is predicted."""
    return x.dtype, x.shape[1:], get_engine(), learning_phase.value, adapter_changes(), config.floatx()
