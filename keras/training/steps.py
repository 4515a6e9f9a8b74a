"""The steps that a program runs: one object per kind (train, test, predict), engine and layout of the data."""
import collections
import warnings

import numpy as np

from keras import config, generations, ops
from keras.backend.contract import placement, tree
from keras.backend.contract.context import noting_logits
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import is_float
from keras.backend.state.variables import native_result
from keras.backend.table.composites.shape import dtype_of
from keras.layers.calls import is_ours
from keras.layers.rows import has_rows, ragged_of_marked, with_ends_marked, without_rows
from keras.training.compiled import Tally
from keras.training.graph import LossesInGraph
from keras.training.unchanged import Unchanged


# Losses that are the mean of a number for each value of the last axis.
_MEANS_OF_VALUES = frozenset("""mean_squared_error mean_absolute_error mean_absolute_percentage_error
    mean_squared_logarithmic_error binary_crossentropy hinge squared_hinge huber huber_loss log_cosh logcosh
    poisson""".split())


def _unique(variables):
    return list({id(variable): variable for variable in variables}.values())


def under(program, function):
    """`function`, run under the generation of Keras that `program` was made under."""
    generation = generations.of(program)

    def run(*args):
        if config.get_generation() == generation:
            return function(*args)
        with config.generation(generation):
            return function(*args)
    return run


def made_step(program, function, reads, writes, *looked_at):
    """`function` as a step of the engine; where `compile` was told to run eagerly, one that runs as plain Python.

    Args:
        looked_at: the objects, besides the layers of the model, by which `function` goes; none: it may be anything.
    """
    make, options, engine = step_maker(program), {}, get_engine()
    if looked_at and make in (engine.step, engine.joined_step):
        options['unchanged'] = Unchanged(program.forward, looked_at)
    return make(under(program, function), reads, writes, **options)


def step_maker(program):
    """What makes a step of the engine from (function, reads, writes), as `compile` was told."""
    engine, joined = get_engine(), program.argument('jit_compile')
    if program.argument('run_eagerly') or joined is False and engine.joins_operations:
        return engine.eager_step
    return engine.joined_step if joined is True else engine.step


def can_repeat(program):
    """Whether many steps of `program` are to run in one call of the engine."""
    engine = get_engine()
    return engine.repeats_steps and step_maker(program) != engine.eager_step and not program.reads_past_ledger()


def stacked(batches):
    """[xs, ys, weights] of all `batches`, each array with a new first axis that goes over these."""
    def joined(arrays):
        return None if arrays[0] is None else np.stack(arrays)
    return [list(map(joined, zip(*[getattr(batch, part) for batch in batches]))) for part in ('xs', 'ys', 'weights')]


class PredictStep:
    """xs -> the outputs, as a list of native tensors.

    Args:
        program: a `Program`. layout: the `Layout` of the data.
    """

    def __init__(self, program, layout):
        forward = self._forwards = program.forward
        self._layout = layout
        self._structure = None
        # For every output whether it comes as a ragged tensor, by the marks at the ends of its rows.
        self.rows = []
        self._run = made_step(program, self._predict, forward.model.variables, [], forward.graph)

    def _predict(self, xs):
        outputs = self._forwards.infer(self._layout.inputs(placement.batch(xs)))
        self._structure = tree.map_structure(lambda _: None, outputs) if tree.is_nested(outputs) else None
        if not has_rows(outputs):
            self.rows = []
            return list(map(native_result, tree.flatten(outputs)))
        outputs, masks = without_rows(outputs)
        self.rows = [mask is not None for mask in masks]
        return [native_result(x) if mask is None else with_ends_marked(x, mask)
                for x, mask in zip(tree.flatten(outputs), masks)]

    def __call__(self, xs):
        return self._run(xs)

    @property
    def quiet(self):
        """See `Engine.step`."""
        return getattr(self._run, 'quiet', None)

    def packed(self, arrays):
        """Host arrays in the structure of the model's outputs."""
        if self.rows:
            arrays = [ragged_of_marked([array]) if ragged and type(array) is np.ndarray else array
                      for array, ragged in zip(arrays, self.rows)]
        if not tree.is_nested(self._structure):
            return arrays[0]
        packed = tree.pack_as(self._structure, arrays)
        return packed[0] if isinstance(packed, (list, tuple)) and len(packed) == 1 else packed


class MetricsFound(Exception):
    """Raised, before anything is updated, by a run of a step that meets other `add_metric`s than it expected."""

    def __init__(self, names):
        super().__init__('metrics: %s' % names)
        self.names = names


class TrainOrTestStep:
    """`run`: (totals, xs, ys, weights) -> new totals, laid out by `tally`; updates the weights when `training`.

    Args:
        program: a compiled `Program`. training: whether to update. layout: the `Layout` of the data.
    """

    def __init__(self, program, training, layout):
        self._program, self._layout = program, layout
        self._forwards, self._loss = program.forward, program.losses
        self._metrics_see_masks = program.ruled('metrics_see_masks')
        attributes = program.attributes()
        self._attributes = [metric.name for metric in attributes]
        self.tally = Tally(program.losses, program.metrics,
                           [masked and self._metrics_see_masks for masked in program.masked_outputs],
                           attributes, 'float64' if config.floatx() == 'float64' else 'float32')
        self._in_graph, self._target_tensors = LossesInGraph(program), program.target_tensors
        self._along = self._in_graph.values + self._target_tensors.values
        self._frozen = frozenset(map(id, program.frozen_layers))
        self._has_masks = any(program.masked_outputs)
        self._trained = list(program.trained) if training else []
        self._regularized = program.forward.model.regularized_weights(program.trained)
        metric_variables = self.tally.variables
        variables = self._forwards.model.variables
        if training:
            optimizer = program.optimizer
            optimizer.build(self._trained)
            self._watch = program.watch
            watched = self._watch.build(self._trained) if self._watch is not None else []
            writes = _unique(self._trained + variables + optimizer.state_variables + metric_variables + watched)
            reads = optimizer.read_variables + self._target_tensors.variables
            self._made_of = self._train, [v for v in reads if v not in writes], writes
        else:
            self._made_of = (self._test, _unique(variables + self._target_tensors.variables),
                             _unique(metric_variables))
        looked_at = [program.losses, self.tally, self._along] + ([program.optimizer, self._watch] if training else [])
        # (totals, xs, ys, weights) -> new totals
        self.run = made_step(program, *self._made_of, *looked_at)
        self._repeated = None

    def several(self, totals, batches):
        """The totals after all `batches`, which are of one shape, in one call."""
        if self._repeated is None:
            function, reads, writes = self._made_of
            self._repeated = get_engine().repeated_step(under(self._program, function), reads, writes,
                                                        self._program.argument('jit_compile') is True)
        return self._repeated(totals, stacked(batches))

    def expect(self, names):
        """Make room for what `add_metric` is given under these `names`."""
        self.tally.added = self._program.added_names = names

    def check_targets(self, ys):
        """Raise ValueError unless there is one target per output with a loss."""
        names = self._program.targets.names
        if len(ys) != len(names):
            raise ValueError('Model %s: %d target array%s expected, for the outputs %s; received %d.%s' % (
                self._program.name, len(names), 's' * (len(names) != 1), names, len(ys),
                ' The usual cause: `y` was left out.' if not ys else ''))

    # --- what runs inside the engine's step ----------------------------------------------------------------------

    def _loss_of(self, xs, ys, weights, training):
        """(the whole loss, what the tally needs)."""
        if self._in_graph.indices:
            self._in_graph.feed(dict(zip(self._loss.trained_outputs, ys)))
        with noting_logits(self._loss.takes_logits) as logits:
            outputs, masks, added, metrics, values = self._forwards.run(
                self._layout.inputs(xs), training, self._has_masks, self._along, self._frozen)
        if self._target_tensors.values:
            ys = self._target_tensors.complete(self._loss.trained_outputs, ys, values[len(self._in_graph.values):])
        if metrics or self.tally.added:
            metrics = _by_name(sorted(metrics, key=self._place))
            names = [name for name, _ in metrics]
            if names != self.tally.added:
                self._refuse_equal_names(names)
                raise MetricsFound(names)
        predictions = tree.flatten(outputs)
        counted = masks
        if get_engine().has_ragged:
            ys, predictions, masks, counted = self._without_rows(ys, predictions, masks)
        total, each = self._loss(ys, predictions, self._per_output(weights, predictions), counted,
                                 self._in_graph.computed(values) if values else None, logits)
        for weight in self._regularized:
            total = _plus(total, weight.regularizer(weight.value))
        for loss in added:
            total = _plus(total, loss if isinstance(loss, (int, float)) or ops.ndim(loss) == 0 else ops.mean(loss))
        if total is None:
            raise ValueError('Model %s has no loss to minimise: compile it with a `loss`, or call add_loss.'
                             % self._program.name)
        return total, (ys, each if self.tally.several else None, predictions, masks if self._has_masks else None,
                       [value for _, value in metrics])

    def _without_rows(self, ys, predictions, masks):
        """(targets, predictions of which none is ragged, masks, what losses take in the place of the masks)"""
        graph = self._forwards.graph
        if has_rows(predictions):
            predictions, masks, ragged = self._filled(ys, predictions, masks)
        else:
            ragged = [] if graph is None or self._forwards.own_call else [tensor.ragged for tensor in graph.outputs]
        # Where what is ragged is the last axis, of which losses make one number.
        last = [place for place, is_one in enumerate(ragged) if is_one and masks[place] is not None
                and ops.ndim(predictions[place]) == 2]
        if not last:
            return ys, predictions, masks, masks
        ys, predictions, counted = self._by_value(ys, predictions, masks, last)
        return ys, predictions, masks, counted

    def _filled(self, ys, predictions, masks):
        """(ragged predictions as dense ones, as long as their targets; the masks; for each whether it was ragged)"""
        widths = [None] * len(predictions)
        for place, y in zip(self._loss.trained_outputs, ys):
            if y is not None and ops.ndim(y) > 1:
                widths[place] = ops.shape(y)[1]
        predictions, found = without_rows(predictions, widths)
        masks = [mask if of_rows is None else of_rows for mask, of_rows in zip(masks, found)]
        return predictions, masks, [of_rows is not None for of_rows in found]

    def _by_value(self, ys, predictions, masks, places):
        """(targets, predictions, what losses take in the place of masks), where masks are of the values of rows.

        A loss that is the mean over a row gets each value as one, with the weight that gives the mean of what is there.

        Raises:
            ValueError: for another loss of ours, which would count what rows are filled up with.
        """
        ys, predictions, counted = list(ys), list(predictions), list(masks)
        numbers = {place: number for number, place in enumerate(self._loss.trained_outputs) if number < len(ys)}
        for place in places:
            loss = self._loss.losses[place]
            function = getattr(loss, 'fn', loss)
            if loss is None or getattr(function, '__name__', '') not in _MEANS_OF_VALUES:
                if loss is not None and is_ours(type(loss) if function is loss else function):
                    raise ValueError('Model %s: the loss %r of rows of different lengths is not a mean over their '
                                     'values. Give the model an output with one more axis, or pad the rows.'
                                     % (self._program.name, getattr(loss, 'name', loss)))
                if loss is not None:
                    warnings.warn('Model %s: the loss %r is given rows of different lengths, filled up with zeros, '
                                  'which it may count.' % (self._program.name, getattr(loss, 'name', loss)),
                                  stacklevel=2)
                counted[place] = None
                continue
            dtype, number = dtype_of(predictions[place]), numbers.get(place)
            there = ops.cast(masks[place], dtype if is_float(dtype) else config.floatx())
            predictions[place] = ops.expand_dims(predictions[place], -1)
            counted[place] = there / ops.maximum(ops.mean(there, 1, keepdims=True), 1e-7)
            if number is not None and ys[number] is not None and ops.ndim(ys[number]) == 2:
                ys[number] = ops.expand_dims(ys[number], -1)
        return ys, predictions, counted

    def _place(self, named):
        """Where a pair (name, value) of `add_metric` stands: metrics that are attributes of a layer come first."""
        return self._attributes.index(named[0]) if named[0] in self._attributes else len(self._attributes)

    def _refuse_equal_names(self, names):
        several = [name for name in names if self._attributes.count(name) > 1]
        if several and self._program.ruled('added_metrics_differ_in_name'):
            raise ValueError('Please provide different names for the metrics you have added: model %s has %d metrics '
                             'with the name %r.' % (self._program.name, self._attributes.count(several[0]), several[0]))

    @staticmethod
    def _per_output(weights, predictions):
        missing = len(predictions) - len(weights)
        return list(weights) + [None] * missing if missing else weights

    def _train(self, totals, xs, ys, weights):
        engine = get_engine()
        xs, ys, weights = placement.batch([xs, ys, weights])
        if self._trained:
            optimizer = self._program.optimizer

            def scaled():
                total, found = self._loss_of(xs, ys, weights, True)
                return optimizer.scale_loss(total), (total, found)
            (_, (total, found)), gradients = engine.value_and_grad(scaled, self._trained)
            optimizer.see_loss(total)
            if self._watch is not None:
                self._watch.see(gradients)
            optimizer.follow(gradients, self._trained, total)
        else:
            total, found = self._loss_of(xs, ys, weights, True)
        return self._counted(totals, xs, weights, total, found)

    def _test(self, totals, xs, ys, weights):
        xs, ys, weights = placement.batch([xs, ys, weights])
        return self._counted(totals, xs, weights, *self._loss_of(xs, ys, weights, False))

    def _counted(self, totals, xs, weights, total, found):
        ys, each, predictions, masks, added = found
        weights, masks = self._per_output(weights, predictions), \
            masks if masks and self._metrics_see_masks else [None] * len(predictions)
        counted = xs[0] if xs and xs[0] is not None else next((x for x in xs if x is not None), predictions[0])
        samples = ops.shape(counted)[0]
        return self.tally.counted(totals, total, each, ys, predictions, weights, masks, samples, added)


def _by_name(metrics):
    """Pairs (name, value) with one for each name: the mean of all that it was given, as by a layer that is shared."""
    found = collections.OrderedDict()
    for name, value in metrics:
        found.setdefault(name, []).append(value)
    return [(name, values[0] if len(values) == 1 else ops.divide(sum(map(ops.mean, values[1:]), ops.mean(values[0])),
                                                                 float(len(values))))
            for name, values in found.items()]


def _plus(total, value):
    return value if total is None else total + value
