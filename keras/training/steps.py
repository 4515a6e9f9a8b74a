"""The steps that a model runs: one object per kind (train, test, predict), engine and layout of the data."""
import numpy as np

from keras import ops
from keras.backend import tree
from keras.backend.engine import get_engine
from keras.backend.state import to_array
from keras.training.compiled import Tally
from keras.training.graph import LossesInGraph


def _unique(variables):
    return list({id(variable): variable for variable in variables}.values())


class PredictStep:
    """xs -> the outputs, as a list of native tensors.

    Args:
        model: the model. template: the structure that `call` takes its inputs in; None for a graph or one input.
    """

    def __init__(self, model, template):
        self._model, self._template = model, template
        self._structure = None
        self._run = get_engine().step(self._forward, model.variables, [])

    def _forward(self, xs):
        outputs = self._model.infer(laid_out(xs, self._template))
        self._structure = tree.map_structure(lambda _: None, outputs)
        return tree.flatten(outputs)

    def __call__(self, xs):
        return self._run(xs)

    def packed(self, arrays):
        """Host arrays in the structure of the model's outputs."""
        if not tree.is_nested(self._structure):
            return arrays[0]
        packed = tree.pack_as(self._structure, arrays)
        return packed[0] if isinstance(packed, (list, tuple)) and len(packed) == 1 else packed


def laid_out(xs, template):
    """The flat inputs `xs` as `call` takes them."""
    if template is not None:
        return tree.pack_as(template, xs)
    return xs[0] if len(xs) == 1 else xs


class MetricsFound(Exception):
    """Raised, before anything is updated, by a run of a step that meets other `add_metric`s than it expected."""

    def __init__(self, names):
        super().__init__('metrics: %s' % names)
        self.names = names


class TrainOrTestStep:
    """(totals, xs, ys, weights) -> new totals; updates the weights when `training`.

    Args:
        model: a compiled model. training: whether to update. weighted: per output, whether weights are given.
        template: as for `PredictStep`.
    """

    def __init__(self, model, training, weighted, template):
        self._model, self._training, self._template = model, training, template
        self._loss, self._metrics = model._compiled
        self._in_graph = LossesInGraph(model)
        masked = self._masked_outputs(model)
        self.tally = Tally(self._loss, self._metrics, masked, weighted)
        self._has_masks = any(masked)
        self._trained = list(model._trained_weights) if training else []
        self._regularized = [weight for weight in (model._trained_weights or ()) if weight.regularizer is not None]
        self._zeros = np.zeros(self.tally.size, 'float32')
        metric_variables = [v for entry in self.tally.stateful for v in entry.metric.variables]
        if training:
            model.optimizer.build(self._trained)
            writes = _unique(self._trained + model.variables + model.optimizer.variables + metric_variables)
            self._run = get_engine().step(self._train, model.optimizer.read_variables, writes)
        else:
            writes = _unique(metric_variables)
            self._run = get_engine().step(self._test, model.variables, writes)

    @staticmethod
    def _masked_outputs(model):
        if model._graph is not None:
            return [tensor.mask is not None for tensor in model._graph.outputs]
        return [False] * len(model._output_names)

    def begin(self, reset_metrics=True):
        """The totals to start an epoch with."""
        if reset_metrics:
            self.tally.reset()
        return self._zeros

    def __call__(self, totals, xs, ys, weights):
        try:
            return self._run(totals, xs, ys, weights)
        except MetricsFound as found:
            self.tally.added = self._model._added_metrics = found.names
            self._zeros = np.zeros(self.tally.size, 'float32')
            return self._run(self._zeros, xs, ys, weights)

    def check_targets(self, ys):
        """Raise ValueError unless there is one target per output with a loss."""
        expected = len(self._loss.trained_outputs)
        if len(ys) != expected:
            raise ValueError('Model %s: %d target array%s expected, for the outputs %s; received %d.%s' % (
                self._model.name, expected, 's' * (expected != 1),
                [self._model._output_names[index] for index in self._loss.trained_outputs], len(ys),
                ' The usual cause: `y` was left out.' if not ys else ''))

    def keep_metrics(self, totals, samples):
        """Put the totals of the epoch into the metric objects, so that `metric.result()` gives what the logs said."""
        values = to_array(totals)
        position = len(self.tally.means)
        for entry in self.tally.plain:
            _set_mean(entry.metric, values[position], samples)
            position += 1
        for entry in self.tally.ratios:
            _set_mean(entry.metric, values[position], values[position + 1])
            position += 2
        for name in self.tally.added:
            _set_mean(self._model._added_metric(name), values[position], values[position + 1])
            position += 2

    # --- what runs inside the engine's step ----------------------------------------------------------------------

    def _forward(self, xs, ys, weights, training):
        """(the whole loss, what the tally needs)."""
        inputs = laid_out(xs, self._template)
        instead = None
        if self._in_graph.indices:
            self._in_graph.feed(dict(zip(self._loss.trained_outputs, ys)))
            outputs, masks, added, metrics, values = self._model.run(inputs, training, self._has_masks,
                                                                     self._in_graph.values)
            instead = self._in_graph.computed(values)
        else:
            outputs, masks, added, metrics = self._model.run(inputs, training, self._has_masks)
        if [name for name, _ in metrics] != self.tally.added:
            raise MetricsFound([name for name, _ in metrics])
        predictions = tree.flatten(outputs)
        total, each = self._loss(ys, predictions, self._per_output(weights, predictions), masks, instead)
        for weight in self._regularized:
            total = _plus(total, weight.regularizer(weight.value))
        for loss in added:
            total = _plus(total, loss if isinstance(loss, (int, float)) or ops.ndim(loss) == 0 else ops.mean(loss))
        if total is None:
            raise ValueError('Model %s has no loss to minimise: compile it with a `loss`, or call add_loss.'
                             % self._model.name)
        return total, (each if self.tally.several else None, predictions, masks if self._has_masks else None,
                       [value for _, value in metrics])

    @staticmethod
    def _per_output(weights, predictions):
        return list(weights) + [None] * (len(predictions) - len(weights))

    def _train(self, totals, xs, ys, weights):
        engine = get_engine()
        if self._trained:
            (total, found), gradients = engine.value_and_grad(lambda: self._forward(xs, ys, weights, True),
                                                              self._trained)
            self._model.optimizer.apply(gradients, self._trained)
        else:
            total, found = self._forward(xs, ys, weights, True)
        return self._counted(totals, xs, ys, weights, total, found)

    def _test(self, totals, xs, ys, weights):
        return self._counted(totals, xs, ys, weights, *self._forward(xs, ys, weights, False))

    def _counted(self, totals, xs, ys, weights, total, found):
        each, predictions, masks, added = found
        weights, masks = self._per_output(weights, predictions), masks or [None] * len(predictions)
        samples = ops.shape(xs[0])[0]
        return totals + self.tally.vector(total, each, ys, predictions, weights, masks, samples, added)


def _plus(total, value):
    return value if total is None else total + value


def _set_mean(metric, total, count):
    if hasattr(metric, 'total') and hasattr(metric, 'count'):
        metric.total.assign(np.float32(total))
        metric.count.assign(np.float32(count))
