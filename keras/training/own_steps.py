"""Steps that a model defines itself: `train_step`, `test_step`, `predict_step`, and the losses and metrics of these."""
import contextlib
import functools
import inspect
import warnings

import numpy as np

from keras import generations
from keras import metrics as metrics_module
from keras import ops
from keras.backend.contract import tree
from keras.backend.contract.context import at_once, calls, noted_mask
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor
from keras.backend.contract.scripts import run_script
from keras.backend.state.variables import Variable, native_result, to_array
from keras.backend.table.composites.shape import dtype_of, static_shape
from keras.gradients import Script
from keras.layers.functions import has_arg
from keras.optimizers import Optimizer
from keras.training.compiled import masked, per_output
from keras.training.data.targets import Target, check_shapes
from keras.training.results import Results
from keras.training.steps import under

METHODS = {'train': 'train_step', 'test': 'test_step', 'predict': 'predict_step'}
# What the steps of `Trainer` call, so that overriding it changes them.
_PARTS = {'train': ('compute_loss', 'compute_metrics', 'get_metrics_result'), 'predict': ()}
_PARTS['test'] = _PARTS['train']


def defines_own(model, kind, base):
    """Whether the class of `model` (or the object) defines the step of a kind, or a part of it, otherwise than `base`.
    """
    return any(getattr(getattr(model, name), '__func__', None) is not getattr(base, name)
               for name in (METHODS[kind], 'make_%s_function' % kind) + _PARTS[kind])


class OwnStep:
    """Runs the method of a model for batches of a layout.

    Args:
        program: a `Program`. kind: 'train', 'test' or 'predict'. layout: the `Layout` of the data.
    """

    def __init__(self, program, kind, layout):
        self._model, self._layout = program.forward.model, layout
        self._compiled = program.compiled
        # The batch, the places of its tensors in it by identity, and what is known of those that are targets.
        self._xs, self._places, self._targets = None, {}, {}
        self._method = getattr(self._model, METHODS[kind])
        self._structure = None
        self._was_built = self._model.built
        self._kind = kind
        if kind == 'train':
            self._build_optimizer()
        variables = state_of(self._model)
        run = self._with_state if self._takes_state() else self._plainly
        run = under(program, run)
        engine = get_engine()
        if engine.recorder() is None:
            run = Script(run)
        if program.argument('jit_compile') is True and not engine.joins_operations:
            warnings.warn('jit_compile=True has no effect on the %s of model %s on the %s engine: what a model defines '
                          'itself is not handed to a compiler that joins operations.'
                          % (METHODS[kind], program.name, engine.name), stacklevel=2)
        self._run = engine.scripted_step(run, variables, variables if kind != 'predict' else [],
                                         bool(program.argument('run_eagerly')))

    def _takes_state(self):
        """Whether the method is written for JAX: `train_step(self, state, data)`.

        One that passes on `*args` is called as Keras 3 calls it on the engine: one without a recorder is like JAX.
        """
        parameters = inspect.signature(self._method).parameters.values()
        named = [p for p in parameters
                 if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
        passes_on = not named and any(p.kind == p.VAR_POSITIONAL for p in parameters)
        return len(named) == 2 or passes_on and get_engine().recorder() is None

    def _build_optimizer(self):
        # Slots are made before the step, where there are weights to make them for.
        optimizer = getattr(self._model, 'optimizer', None)
        if isinstance(optimizer, Optimizer) and not optimizer.built and self._model.built:
            optimizer.build(self._model.trainable_variables)

    def _plainly(self, data):
        with at_once():
            return self._flat(run_script(self._method, [self._inputs(data)], {}))

    def _with_state(self, data):
        parts = state_parts(self._model, self._kind)
        with at_once():
            found, state = self._method(values_of(parts), self._inputs(data))
            if self._kind == 'predict':
                parts = parts[1:]
                state = (state,)
            assign_state(parts, state)
            return self._flat(found)

    def _inputs(self, data):
        self._places = {id(leaf): place for place, leaf in enumerate(data)}
        return self._layout.inputs(data)

    def look_at(self, tensor, make_target):
        """Note that `tensor` is a target of a loss; where it is one of the batch, its values are looked at on the host.

        Args:
            make_target: function without arguments that gives the `Target`.
        """
        place = self._places.get(id(tensor))
        if place is not None and place not in self._targets:
            target = make_target()
            target.fitting(self._xs[place], self._model.name)
            self._targets[place] = target, np.shape(self._xs[place])[1:]

    def _flat(self, found):
        self._structure = tree.map_structure(lambda _: None, found)
        return list(map(native_result, tree.flatten(found)))

    def __call__(self, xs):
        return self._looked_at(self._built_run, xs)

    def _looked_at(self, run, xs):
        """`run` on a batch, after a look at its targets, as far as they are known."""
        for place, (target, shape) in self._targets.items():
            array = xs[place]
            if type(array) is np.ndarray and array.shape[1:] == shape:
                target.look_at(array, self._model.name)
            else:
                target.fitting(array, self._model.name)
        self._xs, self._compiled.step = xs, self
        try:
            return run(xs)
        finally:
            self._xs = self._compiled.step = None
            self._places = {}

    @property
    def quiet(self):
        """What `Engine.step` says of a time in which nothing runs but the step, for the method; None: nothing."""
        quiet = getattr(self._run, 'quiet', None)
        return None if quiet is None or not self._was_built else functools.partial(self._quietly, quiet)

    @contextlib.contextmanager
    def _quietly(self, quiet):
        with quiet() as run:
            yield functools.partial(self._looked_at, run)

    def _built_run(self, xs):
        if self._was_built:
            return self._run(xs)
        try:
            found = self._run(xs)
        except Exception:
            if not self._model.built:
                raise
            # The method asked for the variables before its first call of the model made them.
            self._was_built = True
            return self._run(xs)
        self._was_built = self._model.built
        return found

    def packed(self, leaves):
        """What the method returned, with `leaves` in its places."""
        return tree.pack_as(self._structure, leaves) if tree.is_nested(self._structure) else leaves[0]

    @staticmethod
    def check_targets(ys):
        """The method says itself what it does with its data."""


def state_parts(model, kind):
    """The variables in the order of the state that JAX's `train_step`, `test_step` or `predict_step` takes."""
    parts = [model.trainable_variables, model.non_trainable_variables]
    if kind == 'train':
        parts.append(getattr(getattr(model, 'optimizer', None), 'variables', []))
    return parts if kind == 'predict' else parts + [model.metrics_variables]


def values_of(parts):
    """The state: a tuple of lists of the values of the variables in `parts`."""
    return tuple([[variable.value for variable in part] for part in parts])


def assign_state(parts, state):
    """Give the variables in `parts` the values in `state`, which is in the same order."""
    for variables, values in zip(parts, state):
        for variable, value in zip(variables, values):
            variable.assign(value)


def loss_by(model, x, y, y_pred, sample_weight, training):
    """What the `compute_loss` of a model gives for a batch; overrides of before Keras 3.4 take no `training`."""
    arguments = {'x': x, 'y': y, 'y_pred': y_pred, 'sample_weight': sample_weight}
    if has_arg(model.compute_loss, 'training', accept_all=True):
        arguments['training'] = training
    return model.compute_loss(**arguments)


def state_of(model):
    """All variables that a step of the model may change: of the model, its optimizers, metrics and seeds."""
    found = list(model.variables) + list(model.metrics_variables)
    for value in [getattr(model, 'optimizer', None)] + list(vars(model).values()):
        for leaf in tree.flatten(value) if not isinstance(value, dict) else value.values():
            if isinstance(leaf, Optimizer):
                found += leaf.variables + leaf.read_variables
            elif isinstance(leaf, Variable):
                found.append(leaf)
    return list({id(variable): variable for variable in found}.values())


class OwnLogs(Results):
    """The logs of steps that the model defines: what the last one returned.

    Args:
        model: the model. turns: its `Turns`. numbered: as in `Results`.
    """

    def __init__(self, model, turns, numbered):
        super().__init__(numbered)
        self._model, self._turns = model, turns
        self._step = self._last = None

    def use(self, step, reset=True):
        """Go on with `step`. `reset`: whether the metrics start anew where this is the first one."""
        if self._step is None and reset:
            for metric in self._model.metrics:
                metric.reset_state()
        self._step = step

    def run(self, batch):
        with self._turns.steps:
            self._last = self._step(batch.xs)

    def take_quietly(self, batches):
        self.take(0, next(batches))
        quiet = getattr(self._step, 'quiet', None)
        if quiet is None:
            super().take_quietly(batches)
            return
        with quiet() as run:
            for number, batch in enumerate(batches, 1):
                with self._turns.steps:
                    self._last = run(batch.xs)
                self.samples += batch.size
                self.batch, self.size, self._is_stale = number, batch.size, True

    def variables(self):
        return [variable for metric in self._model.metrics for variable in metric.variables]

    def found(self):
        """{name: number}."""
        logs, flat = self._step.packed([_number(leaf) for leaf in self._last]), {}
        if not isinstance(logs, dict):
            raise TypeError('train_step and test_step have to return a dictionary {name: scalar}. Received: %s.'
                            % type(logs).__name__)
        for name, value in logs.items():
            flat.update(value if isinstance(value, dict) else {name: value})
        return flat

    metrics = found

    def keep(self):
        """The step has updated the metric objects itself."""


def _number(leaf):
    array = to_array(leaf)
    return float(array) if array.ndim == 0 else array


class OwnCompiled:
    """The loss and the metrics that `compile` was given, for steps that a model defines.

    Args:
        make: function(outputs, with_loss) -> (`CompiledLoss`, `CompiledMetrics`), from `Program`; without the loss
            where that is one of other outputs.
    """

    def __init__(self, make):
        self._make = make
        # The `OwnStep` that runs, if any.
        self.step = None
        self._loss = self._metrics = None
        # [(what predictions stand in, whether with the loss, their pair)]: a `compute_loss` may hand on other ones.
        self._made = []
        self.tracker = metrics_module.Mean(name='loss')
        # The mean losses of the outputs, where there are several, by name.
        self._parts = {}

    def settle(self, y_pred):
        """Make loss and metrics for a model that gives `y_pred`, where they are not made yet."""
        if self._loss is None:
            self._loss_for(y_pred)
        if self._metrics is None:
            self._metrics_for(y_pred)

    def _made_for(self, y_pred, with_loss=True):
        structure = tree.map_structure(lambda _: None, y_pred)
        for known, has_loss, made in self._made:
            if known == structure and (has_loss or not with_loss):
                return made
        self._made.append((structure, with_loss, self._make(y_pred, with_loss)))
        return self._made[-1][2]

    def _loss_for(self, y_pred):
        loss = self._made_for(y_pred)[0]
        if loss is not self._loss:
            self._loss = loss
            self._parts = {name: self._parts.get(name) or metrics_module.Mean(name=name)
                           for name in loss.names_of_parts}
        return loss

    def _metrics_for(self, y_pred):
        self._metrics = self._made_for(y_pred, self._loss is None)[1]
        return self._metrics

    @property
    def metrics(self):
        """The metric objects, as far as they are known."""
        return self.parts + [entry.metric for entry in self.entries]

    @property
    def parts(self):
        """The means of the losses of several outputs."""
        return list(self._parts.values())

    @property
    def entries(self):
        """The compiled metrics, see `CompiledMetrics`."""
        return [] if self._metrics is None else self._metrics.entries

    def loss(self, x, y, y_pred, sample_weight, added):
        """The whole loss, None where there is nothing that it could consist of."""
        loss, total = self._loss_for(y_pred), None
        if loss.trained_outputs and y is not None:
            targets, predictions, weights, masks = self._by_output(loss, y, y_pred, sample_weight)
            for index in loss.trained_outputs:
                self._check(loss, index, targets[index], predictions[index])
            total, each = loss([targets[index] for index in loss.trained_outputs], predictions, weights, masks)
            for index, part in zip(loss.parts, self._parts.values()):
                part.update_state(each[index], sample_weight=samples_of(y_pred))
        for value in added:
            total = value if total is None else total + value
        return total

    def _by_output(self, loss, y, y_pred, sample_weight):
        """Lists of targets, predictions, sample weights and masks, with one entry or None for every output."""
        predictions = tree.flatten(y_pred)
        masks = [noted_mask(leaf) if calls.masks else None for leaf in predictions]
        return self._listed(y, loss, 'y'), predictions, self._listed(sample_weight, loss, 'sample_weight'), masks

    def _check(self, loss, index, target, prediction):
        if not hasattr(target, 'shape') or loss.losses[index] is None:
            return
        one, name, shape = loss.losses[index], loss.output_names[index], static_shape(prediction)
        check_shapes(one, static_shape(target), shape, generations.of(one), 'with steps of its own', name)
        if self.step is not None:
            self.step.look_at(target, lambda: Target(index, name, one, AbstractTensor(shape, dtype_of(prediction)),
                                                     False, generations.of(one)))

    @staticmethod
    def _listed(given, loss, what):
        names = loss.output_names
        if isinstance(given, dict):
            return per_output(given, names, what, loss.structure)
        leaves = tree.flatten(given)
        if what == 'sample_weight' and len(leaves) == 1:
            return leaves * len(names)
        if len(leaves) != len(names):  # of a list, only outputs with a loss have targets
            found = dict(zip(loss.trained_outputs, leaves)) if len(leaves) == len(loss.trained_outputs) else {}
            if not found:
                raise ValueError('%s`%s` has %d parts, but the model has %d outputs: %s.'
                                 % ('y_true and y_pred have different structures. ' if what == 'y' else '', what,
                                    len(leaves), len(names), ', '.join(names)))
            return [found.get(index) for index in range(len(names))]
        return leaves

    def update_metrics(self, y, y_pred, sample_weight):
        """Take a batch into account."""
        metrics = self._metrics_for(y_pred)
        if not metrics.entries:
            return
        loss = self._made_for(y_pred, False)[0]
        if loss is not self._loss and isinstance(y, (list, tuple)):
            y = list(y)[:len(loss.output_names)]  # `compute_loss` has made more outputs of those of the model
        targets, predictions, weights, masks = self._by_output(loss, y, y_pred, sample_weight)
        for entry in metrics.entries:
            weight = masked(weights[entry.output] if entry.weighted else None, masks[entry.output], None)
            entry.metric.update_state(targets[entry.output], predictions[entry.output], sample_weight=weight)

    def results(self):
        """{name: value} of the losses of the outputs and of the compiled metrics."""
        found = {name: part.result() for name, part in self._parts.items()}
        found.update((entry.name, entry.metric.result()) for entry in self.entries)
        return found


class LossOfModel:
    """`model.compiled_loss`, as steps written for tf.keras 2.2 to 2.15 call it: the loss of a batch, which it counts.

    Args:
        compiled: the `OwnCompiled` of the model.
    """

    def __init__(self, compiled):
        self._compiled = compiled

    def __call__(self, y_true, y_pred, sample_weight=None, regularization_losses=None):
        """The whole loss, that of `regularization_losses` (usually `model.losses`) included."""
        total = self._compiled.loss(y_pred, y_true, y_pred, sample_weight, list(regularization_losses or ()))
        if total is None:
            raise ValueError('There is no loss: the model was compiled without one, and `regularization_losses` is '
                             'empty.')
        self._compiled.tracker.update_state(total, sample_weight=samples_of(y_pred))
        return total

    @property
    def metrics(self):
        """The metric that has the mean of the loss."""
        return [self._compiled.tracker]


class MetricsOfModel(metrics_module.Metric):
    """The compiled metrics as one: `model.compiled_metrics` of tf.keras 2.2 to 2.15, one of `model.metrics` in Keras 3.

    Args:
        program: the `Program` of the model.
    """

    def __init__(self, program):
        super().__init__(name='compile_metrics')
        self._program = program

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take a batch into account; weights count where they are to."""
        self._program.compiled.update_metrics(y_true, y_pred, sample_weight)

    def result(self):
        """{name: value}."""
        return {entry.name: entry.metric.result() for entry in self._program.metric_entries()}

    @property
    def metrics(self):
        """The metric objects, as far as they are known."""
        return [entry.metric for entry in self._program.metric_entries()]

    @property
    def variables(self):
        return [variable for metric in self.metrics for variable in metric.variables]

    def reset_state(self):
        for metric in self.metrics:
            metric.reset_state()


def samples_of(x):
    """The number of samples in the inputs `x`, as a float scalar."""
    return ops.cast(ops.shape(tree.flatten(x)[0])[0], 'float32')
