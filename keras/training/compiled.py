"""What `compile` was given: the loss and the metrics of every output, and the numbers a batch contributes."""
import copy

import numpy as np

from keras import config, generations
from keras import losses as losses_module
from keras import metrics as metrics_module
from keras import ops
from keras.backend.contract import tree
from keras.backend.contract.loading import is_native
from keras.backend.contract.rules import is_float
from keras.backend.state.variables import to_array
from keras.backend.table.composites.losses import count_in
from keras.backend.table.composites.shape import dtype_of, static_shape
from keras.training.joint_losses import apart


class UnknownOutput(ValueError, KeyError):
    """A name in an argument of `compile` that no output has: in Keras 3 a KeyError or a ValueError."""

    __str__ = Exception.__str__


def per_output(given, names, what, structure=None):
    """`given` (one thing, a list, a dictionary by output name, or nested as the outputs are) as a list by output.

    Args:
        names: of the outputs. what: the argument, for messages. structure: what the outputs stand in, None for a list.

    Raises:
        UnknownOutput: if the names do not fit. ValueError: if the number does not.
    """
    no_weights = what == 'sample_weight' and isinstance(given, (list, tuple)) and not given
    if is_deep(structure) and tree.is_nested(given) and not no_weights and (
            not isinstance(given, dict) or not set(names).issuperset(given)
            or isinstance(structure, dict) and set(structure).issuperset(given)):
        return _along(structure, given, what, ())
    if isinstance(given, dict):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise UnknownOutput("Invalid `%s`: Unknown output %s in the dictionary. Its keys, in the `%s` argument, "
                                "can't be found in either the model's output or the targets. Expected keys: %s."
                                % (what, ', '.join(map(repr, unknown)), what, ', '.join(names)))
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError('%s`%s` has %d entries, but the model has %d outputs: %s.'
                             % ('You should provide one `sample_weight` array per output in `y`. '
                                if what == 'sample_weight' else '', what, len(given), len(names), ', '.join(names)))
        return list(given)
    return [given] * len(names)


def is_deep(structure):
    """Whether some output stands in more than one list or dictionary."""
    return tree.is_nested(structure) and any(map(tree.is_nested, tree.parts(structure).values()))


def _along(structure, given, what, path):
    """`given` as a list with an entry for each leaf of `structure`; what stands beside a part is for all in it."""
    count, is_one = len(tree.flatten(structure)), not tree.is_nested(structure)
    if not tree.is_nested(given) or is_one and (not isinstance(given, dict) or 'class_name' in given):
        return [given] * count
    if isinstance(given, (list, tuple)) and len(given) == count and not any(map(tree.is_nested, given)):
        return list(given)
    parts, found = {} if is_one else tree.parts(structure), tree.parts(given)
    unknown = [key for key in found if key not in parts]
    if unknown or isinstance(given, dict) != isinstance(structure, dict):
        raise UnknownOutput("The path: %s in the `%s` argument, can't be found in the model's output, which stands in "
                            "%r there." % (path + tuple(unknown[:1]), what, structure))
    return [one for key, part in parts.items() for one in _along(part, found.get(key), what, path + (key,))]


_CROSSENTROPIES = ('binary_crossentropy', 'categorical_crossentropy', 'sparse_categorical_crossentropy')


class CompiledLoss:
    """The loss of a model: one loss per output, weighted and added up.

    Args:
        loss: name, function, `Loss`, or a list or dictionary of these, nested as the outputs are; a list in the place
            of an output's loss is the sum of those in it. loss_weights: floats likewise, or an array.
        output_names: names of the outputs. structure: what they stand in. named: False where the outputs in lists have
            names only because everything has to be called something.

    `trained_outputs` are the indices of the outputs that have a loss, and hence a target; `joint` the `JointLoss`es,
    whose values follow those of the outputs; `nameless` the indices of outputs whose names are not in the logs.
    """

    def __init__(self, loss, loss_weights, output_names, structure=None, named=True):
        weights = _weights_like(loss, _without_arrays(loss_weights), structure)
        found, flat, self.joint = apart(loss, weights, structure, output_names), structure, []
        if found is not None:
            loss, weights, self.joint = found
            flat = None
        self.weights = per_output(1.0 if weights is None else weights, output_names, 'loss_weights', flat)
        given = per_output(loss, output_names, 'loss', flat)
        self.losses = [_loss_object(one) for one in given]
        for index, (one, weight) in enumerate(zip(self.losses, self.weights)):
            if isinstance(one, SumOfLosses):
                self.losses[index], self.weights[index] = one.weighted(weight), None
            elif isinstance(weight, (list, tuple)) and len(weight) == 1:
                self.weights[index] = weight[0]
        joined = {index for joint in self.joint for index in joint.indices}
        self.trained_outputs = [index for index, loss in enumerate(self.losses)
                                if loss is not None or index in joined]
        self.output_names, self.structure = output_names, structure
        self._as_given = list(structure) if isinstance(structure, dict) and len(structure) == len(output_names) else []
        take_logits = generations.value('crossentropies_take_logits')
        self._on_logits = [_on_logits(one) if take_logits else None for one in self.losses]
        self.takes_logits = any(one is not None for one in self._on_logits)
        self._names_one = not generations.value('logs_by_name')
        self._places, self.nameless = list(output_names), frozenset()
        if not named and tree.is_nested(structure) and generations.value('outputs_go_by_losses'):
            if is_deep(structure) or not isinstance(structure, dict):
                self.nameless = frozenset(range(len(output_names)))
            output_names = _names_by_losses(given, self.losses, tree.paths(structure), output_names)
        if is_deep(structure) and not self._names_one:
            self._places = ['/'.join(map(str, path[:-1] + (name if isinstance(path[-1], int) else path[-1],)))
                            for path, name in zip(tree.paths(structure), output_names)]
        elif self.nameless:
            self._places = output_names
        self._divides_by_mask = generations.value('masked_loss_is_mean_of_rest')
        self._divides_by_weights = generations.value('zero_weights_leave_the_mean')

    def __call__(self, targets, predictions, weights, masks, instead=None, logits=None):
        """(the total, a list with the loss of every output or None).

        Args:
            instead: {index: loss} for this call. logits: what `noting_logits` gave, where `takes_logits`.
        """
        total, each = None, []
        targets = dict(zip(self.trained_outputs, targets))
        for index, loss in enumerate(self.losses):
            loss = instead.get(index, loss) if instead else loss
            if loss is None:
                each.append(None)
                continue
            weight, mask = weights[index], masks[index]
            if weight is not None or mask is not None:
                dtype = dtype_of(predictions[index])
                weight = self._weight(loss, weight, mask, dtype if is_float(dtype) else config.floatx())
            prediction, on_logits = predictions[index], self._on_logits[index]
            if on_logits is not None and logits and id(prediction) in logits and loss is self.losses[index]:
                loss, prediction = on_logits, logits[id(prediction)][1]
            value = loss(targets[index], prediction, sample_weight=weight)
            if getattr(value, 'shape', ()) not in ((), []):
                value = ops.mean(value)
            each.append(value)
            factor = self.weights[index]
            part = value if factor in (None, 1, 1.0) else value * _number(factor)
            total = part if total is None else total + part
        for joint in self.joint:
            value = ops.mean(joint(targets, predictions, weights))
            each.append(value)
            part = value if joint.weight is None else value * _number(joint.weight)
            total = part if total is None else total + part
        return total, each

    def _weight(self, loss, weight, mask, dtype):
        """The sample weight of an output, with its mask."""
        if getattr(loss, 'reduction', None) in ('sum_over_batch_size', 'mean'):
            if self._divides_by_mask and mask is not None:
                mask = _of_mean_one(ops.cast(mask, dtype))
            if self._divides_by_weights and weight is not None:
                weight = weight * _of_mean_one(ops.cast(ops.not_equal(weight, 0), dtype))
        return masked(weight, mask, dtype)

    @property
    def names_of_parts(self):
        """The names of the outputs' losses in logs, where there is more than one output."""
        if len(self.losses if self._names_one and not self.joint else self.parts) < 2:
            return []
        return ['%s_loss' % (self._places + [joint.name for joint in self.joint])[place] for place in self.parts]

    @property
    def parts(self):
        """Which of the losses that a call gives there are: indices of outputs, those of joint losses after them."""
        count = len(self.losses)
        return [index for index, loss in enumerate(self.losses) if loss is not None] \
            + list(range(count, count + len(self.joint)))

    @property
    def names_in_logs(self):
        """The same in the order of the logs: Keras 3 leaves the outputs of a dictionary in their order."""
        names = self.names_of_parts
        if self._names_one or not self._as_given or not names:
            return names
        place = dict(zip(self.parts, names))
        return [place[index] for index in map(sorted(self._as_given).index, self._as_given) if index in place] \
            + names[len(names) - len(self.joint):]


def _names_by_losses(given, losses, paths, names):
    """`names` of outputs, with those of the losses in the place of the names of outputs in lists.

    Args:
        given, losses: the losses by output, as given and as objects. paths: where the outputs stand.
    """
    found = []
    for one, loss, path, name in zip(given, losses, paths, names):
        if isinstance(path[-1], int) and loss is not None:
            name = plain = one if isinstance(one, str) else (loss.name or 'loss').strip('<>')
            beside, number = [at[:-1] + (known,) for at, known in zip(paths, found)], 1
            while path[:-1] + (name,) in beside:
                name, number = '%s_%d' % (plain, number), number + 1
        found.append(name)
    return found


def _without_arrays(weights):
    """`weights` with numbers and lists of them in the place of arrays and tensors; variables, which change, stay."""
    return tree.map_structure(lambda leaf: to_array(leaf).tolist() if isinstance(leaf, np.ndarray) or is_native(leaf)
                              else leaf, weights)


def _weights_like(loss, weights, structure):
    """`weights` in the structure of `loss` where they are a plain list, but the outputs, and with them losses, nested.

    Raises:
        ValueError: where there are more or fewer of them than losses.
    """
    if not is_deep(structure) or not isinstance(loss, dict) or not isinstance(weights, (list, tuple)):
        return weights
    count = len(tree.flatten(loss))
    if len(weights) != count:
        raise ValueError('`loss_weights` must match the number of losses, got %d losses and %d weights.'
                         % (count, len(weights)))
    return tree.pack_as(loss, weights)


class SumOfLosses(losses_module.Loss):
    """The sum of several losses of one output. What targets it takes is for the first of them to say.

    Args:
        losses: the `Loss`es. factors: floats, one for each, or None.
    """

    def __init__(self, losses, factors=None):
        super().__init__(reduction=getattr(losses[0], 'reduction', 'sum_over_batch_size'))
        self._losses, self._factors = losses, factors
        self.fn, self.arguments = getattr(losses[0], 'fn', None), getattr(losses[0], 'arguments', {})

    def weighted(self, weights):
        """The sum with other factors: one for all, or one for each loss."""
        if not isinstance(weights, (list, tuple)):
            weights = [weights] * len(self._losses)
        if len(weights) != len(self._losses):
            raise ValueError('`loss_weights` must match the number of losses, got %d losses and %d weights for an '
                             'output.' % (len(self._losses), len(weights)))
        return SumOfLosses(self._losses, [1.0 if weight is None else _number(weight) for weight in weights])

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The sum, a scalar."""
        values = [ops.mean(loss(y_true, y_pred, sample_weight=sample_weight)) for loss in self._losses]
        return sum(value if factor == 1 else value * factor for value, factor in zip(values, self._factors))


def _number(factor):
    return float(factor) if isinstance(factor, (int, float)) else getattr(factor, 'value', factor)


def _of_mean_one(flags):
    """Numbers 0 and 1 scaled so that their mean is 1, which makes a mean of products one over those that count."""
    return flags / ops.maximum(ops.mean(flags), config.epsilon())


def masked(weight, mask, dtype):
    """The sample weight with the mask of the output worked in, of `dtype` or else of `floatx`."""
    if mask is None:
        return weight
    mask = ops.cast(mask, dtype or config.floatx())
    if weight is None:
        return mask
    while ops.ndim(weight) < ops.ndim(mask):
        weight = ops.expand_dims(weight, -1)
    return ops.multiply(weight, mask)


def _on_logits(loss):
    """A crossentropy of probabilities as one of logits; None for another loss."""
    if not isinstance(loss, losses_module.LossFunctionWrapper) or loss.arguments.get('from_logits') \
            or not any(is_loss(loss, name) for name in _CROSSENTROPIES):
        return None
    of_logits = copy.copy(loss)
    of_logits.arguments = dict(loss.arguments, from_logits=True)
    return of_logits


def _loss_object(loss):
    """A callable (y_true, y_pred, sample_weight) -> scalar from whatever `compile` takes as a loss."""
    if isinstance(loss, (list, tuple)) and loss:
        losses = [one for one in map(_loss_object, loss) if one is not None]
        return SumOfLosses(losses) if len(loss) > 1 and losses else losses[0] if losses else None
    if loss is None or isinstance(loss, losses_module.Loss):
        return loss
    if loss in ('crossentropy', 'ce'):
        return losses_module.LossFunctionWrapper(_by_shapes('crossentropy'), name='crossentropy')
    found = losses_module.get(loss)
    if isinstance(found, losses_module.Loss):
        return found
    return losses_module.LossFunctionWrapper(found, name=getattr(found, '__name__', 'loss'))


def wants_class_numbers(loss):
    """Whether the targets of a loss are numbers of classes, not values like the predictions."""
    return is_loss(loss, 'sparse_categorical_crossentropy')


# Functions of keras.losses that compare targets with predictions element by element.
_ELEMENT_BY_ELEMENT = frozenset((
    'mean_squared_error', 'mean_absolute_error', 'mean_absolute_percentage_error', 'mean_squared_logarithmic_error',
    'squared_hinge', 'hinge', 'categorical_hinge', 'logcosh', 'log_cosh', 'huber', 'huber_loss', 'binary_crossentropy',
    'categorical_crossentropy', 'kullback_leibler_divergence', 'kl_divergence', 'poisson', 'cosine_proximity',
    'cosine_similarity'))


def wants_same_shape(loss, generation):
    """Whether targets must have the shape of the predictions that `loss` compares them with."""
    function = getattr(loss, 'fn', None)
    name = getattr(function, '__name__', '')
    if getattr(function, '__module__', '') != 'keras.losses':
        return False
    return name == 'categorical_crossentropy' or name in _ELEMENT_BY_ELEMENT and generations.value(
        'targets_have_shapes_of_outputs', generation)


def is_loss(loss, name):
    function = getattr(loss, 'fn', loss)
    return getattr(function, '__name__', '') == name


class OutputMetric:
    """One metric of one output. `name`: in logs. `weighted`: sample weights count."""

    def __init__(self, metric, name, output, weighted):
        self.metric, self.name, self.output, self.weighted = metric, name, output, weighted
        self.is_mean = getattr(metric, 'is_plain_mean', False)


class CompiledMetrics:
    """The metrics of a model. Outputs without a loss have none, because nothing is known of their targets.

    Args:
        metrics, weighted_metrics: lists of names, functions and `Metric`s; for several outputs a list of lists,
            a dictionary by output name, or nested as the outputs are.
        loss: the `CompiledLoss`. output_shapes: the shapes of the outputs.
        without_losses: outputs without a loss have metrics, too: the model computes its loss itself.
    """

    def __init__(self, metrics, weighted_metrics, loss, output_shapes, without_losses=False):
        self.entries = []
        # {name of a metric: the names of the numbers that it gives}, of those that have given several.
        self.said = {}
        names = loss.output_names
        for given, weighted in ((metrics, False), (weighted_metrics, True)):
            argument = 'weighted_metrics' if weighted else 'metrics'
            for index, chosen in enumerate(_metrics_per_output(given, names, argument, loss.structure)):
                for one in chosen if index in loss.trained_outputs or without_losses else ():
                    metric = self._metric(one, loss.losses[index], output_shapes[index])
                    has_name = len(names) > 1 and index not in loss.nameless
                    name = self._name(metric.name, names[index] if has_name else None, weighted)
                    self.entries.append(OutputMetric(metric, name, index, weighted))
        if len(names) > 1 and generations.value('logs_by_name'):
            self.entries.sort(key=lambda entry: entry.name)
        elif generations.value('logs_by_output'):
            self.entries.sort(key=lambda entry: entry.output)

    def _metric(self, given, loss, shape):
        if isinstance(given, metrics_module.Metric):
            return given
        name = given if isinstance(given, str) else None
        if name in ('accuracy', 'acc'):
            given = _suitable('accuracy', loss, shape)
        elif name in ('crossentropy', 'ce'):
            given = _suitable('crossentropy', loss, shape)
        found = metrics_module.get(given)
        if isinstance(found, type):
            found = found()
        if isinstance(found, metrics_module.Metric):
            if name is not None and generations.value('names_are_metric_classes'):
                found.name = name
            return found
        own = getattr(found, '__name__', type(found).__name__)
        if generations.value('metrics_by_function'):
            name = 'acc' if name in ('accuracy', 'acc') else None
            own = 'cosine_proximity' if own == 'cosine_similarity' else own
        return metrics_module.MeanMetricWrapper(found, name=name or own)

    def _name(self, name, output, weighted):
        """The name in the logs of a metric of an output; None where there is only one."""
        full = name if output is None else '%s_%s' % (output, name)
        if weighted and full in self.names and generations.value('weighted_metrics_say_so'):
            full = 'weighted_' + name if output is None else '%s_weighted_%s' % (output, name)
        return self._unique(full)

    def _unique(self, name):
        unique, number = name, 1
        while unique in self.names:
            unique, number = '%s_%d' % (name, number), number + 1
        return unique

    @property
    def metrics(self):
        return [entry.metric for entry in self.entries]

    @property
    def names(self):
        return [entry.name for entry in self.entries]

    def note(self, name, numbers):
        """Take a note of the names in `numbers`, what the metric called `name` gives; returns them."""
        if list(numbers) != [name]:
            self.said[name] = list(numbers)
        elif name in self.said:
            del self.said[name]
        return numbers

    def names_of_numbers(self, names):
        """`names` of metrics, in the place of each those of the numbers that it gives, as far as that is known."""
        return [number for name in names for number in self.said.get(name, [name])]


def _metrics_per_output(given, names, argument, structure):
    if not given:
        return [[] for _ in names]
    if isinstance(given, dict):
        chosen = per_output(given, names, argument, structure)
    elif isinstance(given, (list, tuple)) and any(isinstance(one, (list, tuple)) for one in given):
        chosen = per_output(list(given), names, argument)
    elif isinstance(given, (list, tuple)) and len(given) == len(names) and generations.value('metric_per_output'):
        chosen = list(given)
    else:
        chosen = [given] * len(names)
    result, seen = [], []
    for one in chosen:
        entries = list(one) if isinstance(one, (list, tuple)) else [] if one is None else [one]
        # A metric object given once serves one output only.
        result.append([metrics_module.clone_metric(entry) if any(entry is other for other in seen) else entry
                       for entry in entries])
        seen += [entry for entry in entries if isinstance(entry, metrics_module.Metric)]
    return result


def _kind_for(loss, shape):
    if is_loss(loss, 'sparse_categorical_crossentropy'):
        return 'sparse_categorical'
    if is_loss(loss, 'categorical_crossentropy') and shape[-1] != 1:
        return 'categorical'
    if (shape and shape[-1] == 1) or is_loss(loss, 'binary_crossentropy'):
        return 'binary'
    return 'categorical'


def _suitable(what, loss, shape):
    """The 'accuracy' or 'crossentropy' that suits an output, by name or as a function."""
    return _by_shapes(what) if generations.value('accuracy_by_shape') else '%s_%s' % (_kind_for(loss, shape), what)


def _by_shapes(what):
    def choose(y_true, y_pred):
        true, predicted = static_shape(y_true), static_shape(y_pred)
        kind = 'categorical'
        if predicted and predicted[-1] == 1:
            kind = 'binary'
        elif len(true) < len(predicted) or true[-1] == 1:
            kind = 'sparse_categorical'
        return getattr(metrics_module, '%s_%s' % (kind, what))(y_true, y_pred)
    choose.__name__ = what
    return choose


class Tally:
    """The layout of the vector of totals that a step adds to, and the logs read from it.

    Every number that is a mean over samples takes one place (mean times samples); one that is weighed otherwise takes
    two (total and count).

    Args:
        loss, metrics: the `CompiledLoss` and the `CompiledMetrics`. masked: for every output, whether it has a mask.
        attributes: the metrics that layers have as attributes, which their `call` updates. dtype: of the vector.
    """

    def __init__(self, loss, metrics, masked, attributes, dtype):
        self.loss, self.metrics, self.dtype = loss, metrics, dtype
        compiled = set(map(id, metrics.metrics))
        self.attributes = [metric for metric in attributes if id(metric) not in compiled]
        self.several = bool(loss.names_of_parts)
        self.means = ['loss'] + loss.names_of_parts
        self.stateful = [entry for entry in metrics.entries if not entry.is_mean]
        self.plain, self.ratios = [], []
        for entry in metrics.entries:
            if entry.is_mean:
                (self.ratios if masked[entry.output] or entry.weighted else self.plain).append(entry)
        # The names of what `add_metric` was given.
        self.added = []

    @property
    def size(self):
        return len(self.means) + len(self.plain) + 2 * len(self.ratios) + 2 * len(self.added)

    @property
    def zeros(self):
        """What the totals begin with."""
        return np.zeros(self.size, self.dtype)

    @property
    def names(self):
        """The names in the logs, but for those of the attributes."""
        return self._compiled_names + self.added

    @property
    def _compiled_names(self):
        return ['loss'] + self.loss.names_in_logs + self.metrics.names

    @property
    def variables(self):
        """The variables that steps update beside the vector."""
        metrics = [entry.metric for entry in self.stateful] + self.attributes
        return [variable for metric in metrics for variable in metric.variables]

    def counted(self, totals, total, each, targets, predictions, weights, masks, samples, added):
        """`totals` with the numbers of one batch; updates the stateful metrics."""
        by_output, values = dict(zip(self.loss.trained_outputs, targets)), []
        if self.several:
            values += [_times(self._in_dtype(each[index]), samples) for index in self.loss.parts]
        for entry in self.plain:
            part, count = entry.metric.contribution(by_output[entry.output], predictions[entry.output])
            values.append(_mean_times(self._in_dtype(part), count, samples))
        for entry in self.ratios:
            weight = masked(weights[entry.output] if entry.weighted else None, masks[entry.output], None)
            values += list(entry.metric.contribution(by_output[entry.output], predictions[entry.output],
                                                     sample_weight=weight))
        for value in added:
            value = self._in_dtype(ops.convert_to_tensor(value))
            values += [ops.sum(value), ops.size(value)]
        for entry in self.stateful:
            weight = masked(weights[entry.output] if entry.weighted else None, masks[entry.output], None)
            entry.metric.update_state(by_output[entry.output], predictions[entry.output], sample_weight=weight)
        total = self._in_dtype(total)
        if not values and isinstance(samples, int):
            return count_in(totals, total, float(samples))
        return totals + ops.stack([self._in_dtype(value) for value in [_times(total, samples)] + values])

    def _in_dtype(self, value):
        if isinstance(value, (int, float)) or dtype_of(value) == self.dtype:
            return value
        return ops.cast(value, self.dtype)

    def logs(self, totals, samples):
        """{name: float} from the totals of `samples` samples (both on the host)."""
        found, position = {}, len(self.means)
        for index, name in enumerate(self.means):
            found[name] = float(totals[index]) / samples
        for entry in self.plain:
            found[entry.name] = float(totals[position]) / samples
            position += 1
        for entry in self.ratios:
            total, count = float(totals[position]), float(totals[position + 1])
            found[entry.name] = total / count if count else 0.0
            position += 2
        for name in self.added:
            found[name] = float(totals[position]) / (float(totals[position + 1]) or 1.0)
            position += 2
        for entry in self.stateful:
            found[entry.name] = entry.metric.result()
        logs = {}
        for name in self._compiled_names:
            logs.update(self.metrics.note(name, _named_numbers(name, found[name])))
        for metric in filter(is_shown, self.attributes):
            for name, value in self.metrics.note(metric.name, _named_numbers(metric.name, metric.result())).items():
                if name not in self._compiled_names:
                    logs[name] = value
        logs.update((name, found[name]) for name in self.added)
        return logs

    def keep(self, totals, samples, added, means=()):
        """Put the totals into the metric objects, so that `metric.result()` gives what the logs said.

        Args:
            added: {name: metric} for what `add_metric` was given. means: the metrics of the losses, if any.
        """
        for total, metric in zip(totals, means):
            _set_mean(metric, total, samples)
        position = len(self.means)
        for entry in self.plain:
            _set_mean(entry.metric, totals[position], samples)
            position += 1
        for metric in [entry.metric for entry in self.ratios] + [added[name] for name in self.added]:
            _set_mean(metric, totals[position], totals[position + 1])
            position += 2

    def reset(self):
        """Start the metrics anew."""
        for metric in [entry.metric for entry in self.stateful] + self.attributes:
            metric.reset_state()


def is_shown(metric):
    """Whether a metric that is an attribute of a layer stands in the logs: in Keras 2 those that are updated do."""
    if not metric.built:
        return False
    return not metric.ruled('attributes_show_when_updated') or any(
        np.any(variable.numpy()) for variable in metric.variables)


def _times(value, samples):
    return value * (float(samples) if isinstance(samples, int) else ops.cast(samples, dtype_of(value)))


def _mean_times(total, count, samples):
    if isinstance(count, (int, float)) and isinstance(samples, int):
        return total if count == samples else total * (samples / float(count))
    count = float(count) if isinstance(count, (int, float)) else ops.cast(count, dtype_of(total))
    return _times(total / count, samples)


def _named_numbers(name, result):
    """{name: number} of what a metric says: of several numbers each has a name of its own."""
    if isinstance(result, float):
        return {name: result}
    named = result if isinstance(result, dict) else {name: result}
    return {name: _host_number(value) for name, value in named.items()}


def _host_number(value):
    array = to_array(value)
    return float(array) if array.ndim == 0 else array


def _set_mean(metric, total, count):
    if hasattr(metric, 'total') and hasattr(metric, 'count'):
        metric.total.assign(np.float32(total))
        metric.count.assign(np.float32(count))
