"""What `compile` was given: the loss and the metrics of every output, and the numbers a batch contributes."""
from keras import losses as losses_module
from keras import metrics as metrics_module
from keras import ops


def per_output(given, names, what):
    """`given` (one thing, a list, a dictionary by output name) as a list with one entry per output.

    Raises:
        ValueError: if the number or the names do not fit.
    """
    if isinstance(given, dict):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise ValueError('Unknown output %s in the dictionary given as `%s`. The outputs of the model are: %s.'
                             % (', '.join(map(repr, unknown)), what, ', '.join(names)))
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError('`%s` has %d entries, but the model has %d outputs: %s.'
                             % (what, len(given), len(names), ', '.join(names)))
        return list(given)
    return [given] * len(names)


class CompiledLoss:
    """The loss of a model: one loss per output, weighted and added up.

    Args:
        loss: name, function, `Loss`, or a list or dictionary of these. loss_weights: floats likewise.
        output_names: names of the outputs.
    """

    def __init__(self, loss, loss_weights, output_names):
        self.losses = [_loss_object(one) for one in per_output(loss, output_names, 'loss')]
        self.weights = per_output(1.0 if loss_weights is None else loss_weights, output_names, 'loss_weights')
        self.output_names = output_names

    def __call__(self, targets, predictions, weights, masks, instead=None):
        """(the total, a list with the loss of every output or None). `instead`: {index: loss} for this call."""
        total, each = None, []
        targets = iter(targets)
        for index, loss in enumerate(self.losses):
            loss = instead.get(index, loss) if instead else loss
            if loss is None:
                each.append(None)
                continue
            value = loss(next(targets), predictions[index], sample_weight=_masked(weights[index], masks[index],
                                                                                  predictions[index].dtype))
            if getattr(value, 'shape', ()) not in ((), []):
                value = ops.mean(value)
            each.append(value)
            factor = self.weights[index]
            part = value if factor in (None, 1, 1.0) else value * _number(factor)
            total = part if total is None else total + part
        return total, each

    @property
    def trained_outputs(self):
        """Indices of the outputs that have a loss, and hence a target."""
        return [index for index, loss in enumerate(self.losses) if loss is not None]


def _number(factor):
    return float(factor) if isinstance(factor, (int, float)) else getattr(factor, 'value', factor)


def _masked(weight, mask, dtype):
    """The sample weight with the mask of the output worked in."""
    if mask is None:
        return weight
    mask = ops.cast(mask, 'float32')
    if weight is None:
        return mask
    while ops.ndim(weight) < ops.ndim(mask):
        weight = ops.expand_dims(weight, -1)
    return weight * mask


def _loss_object(loss):
    """A callable (y_true, y_pred, sample_weight) -> scalar from whatever `compile` takes as a loss."""
    if loss is None or isinstance(loss, losses_module.Loss):
        return loss
    found = losses_module.get(loss)
    if isinstance(found, losses_module.Loss):
        return found
    return losses_module.LossFunctionWrapper(found, name=getattr(found, '__name__', 'loss'))


def is_loss(loss, name):
    function = getattr(loss, 'fn', loss)
    return getattr(function, '__name__', '') == name


class OutputMetric:
    """One metric of one output. `weighted`: sample weights count."""

    def __init__(self, metric, output, weighted):
        self.metric, self.output, self.weighted = metric, output, weighted
        self.is_mean = hasattr(metric, 'contribution')


class CompiledMetrics:
    """The metrics of a model.

    Args:
        metrics, weighted_metrics: lists of names, functions and `Metric`s; for several outputs a list of lists or
            a dictionary by output name.
        loss: the `CompiledLoss`. output_names: names of the outputs. output_shapes: their shapes.
    """

    def __init__(self, metrics, weighted_metrics, loss, output_names, output_shapes):
        self.entries = []
        self._names = set()
        for given, weighted in ((metrics, False), (weighted_metrics, True)):
            for index, chosen in enumerate(_metrics_per_output(given, output_names)):
                for one in chosen:
                    metric = self._metric(one, loss.losses[index], output_shapes[index])
                    self._rename(metric, output_names, index)
                    self.entries.append(OutputMetric(metric, index, weighted))

    def _metric(self, given, loss, shape):
        if isinstance(given, metrics_module.Metric):
            return given
        name = given if isinstance(given, str) else None
        if name in ('accuracy', 'acc'):
            given = _accuracy_for(loss, shape)
        elif name in ('crossentropy', 'ce'):
            given = _crossentropy_for(loss, shape)
        found = metrics_module.get(given)
        if isinstance(found, type):
            found = found()
        if isinstance(found, metrics_module.Metric):
            return found
        return metrics_module.MeanMetricWrapper(found, name=name or getattr(found, '__name__', type(found).__name__))

    def _rename(self, metric, output_names, index):
        """Names in logs: with the output's in front where there are several, and all different."""
        name = metric.name if len(output_names) == 1 else '%s_%s' % (output_names[index], metric.name)
        unique, number = name, 1
        while unique in self._names:
            unique, number = '%s_%d' % (name, number), number + 1
        self._names.add(unique)
        metric._log_name = unique

    @property
    def metrics(self):
        return [entry.metric for entry in self.entries]

    @property
    def names(self):
        return [entry.metric._log_name for entry in self.entries]


def _metrics_per_output(given, names):
    if not given:
        return [[] for _ in names]
    if isinstance(given, dict):
        chosen = per_output(given, names, 'metrics')
    elif isinstance(given, (list, tuple)) and any(isinstance(one, (list, tuple)) for one in given):
        chosen = per_output(list(given), names, 'metrics')
    else:
        chosen = [given] * len(names)
    result = []
    for one in chosen:
        entries = list(one) if isinstance(one, (list, tuple)) else [] if one is None else [one]
        result.append(entries)
    if isinstance(given, (list, tuple)) and len(names) > 1 and not isinstance(given, dict):
        # A metric object given once serves one output only.
        result = [[_own_copy(one) if index else one for one in entries] for index, entries in enumerate(result)]
    return result


def _own_copy(metric):
    if isinstance(metric, metrics_module.Metric):
        return type(metric).from_config(metric.get_config())
    return metric


def _kind_for(loss, shape):
    if is_loss(loss, 'sparse_categorical_crossentropy'):
        return 'sparse_categorical'
    if is_loss(loss, 'categorical_crossentropy') and shape[-1] != 1:
        return 'categorical'
    if (shape and shape[-1] == 1) or is_loss(loss, 'binary_crossentropy'):
        return 'binary'
    return 'categorical'


def _accuracy_for(loss, shape):
    return _kind_for(loss, shape) + '_accuracy'


def _crossentropy_for(loss, shape):
    return _kind_for(loss, shape) + '_crossentropy'


class Tally:
    """The layout of the vector of totals that a step adds to, and the logs read from it.

    Every number that is a mean over samples takes one place (mean times samples); one with weights of its
    own takes two (total and count).
    """

    def __init__(self, loss, metrics, masked, weighted):
        self.loss, self.metrics = loss, metrics
        self.several = len(loss.losses) > 1 and len(loss.trained_outputs) > 1
        self.means = ['loss'] + (['%s_loss' % loss.output_names[i] for i in loss.trained_outputs]
                                 if self.several else [])
        self.stateful = [entry for entry in metrics.entries if not entry.is_mean]
        self.plain, self.ratios = [], []
        for entry in metrics.entries:
            if entry.is_mean:
                counts = masked[entry.output] or (entry.weighted and weighted[entry.output])
                (self.ratios if counts else self.plain).append(entry)
        # The names of what `add_metric` was given.
        self.added = []

    @property
    def size(self):
        return len(self.means) + len(self.plain) + 2 * len(self.ratios) + 2 * len(self.added)

    def vector(self, total, each, targets, predictions, weights, masks, samples, added):
        """The numbers of one batch, as a vector, or as a scalar where there is one; updates the stateful metrics."""
        by_output = dict(zip(self.loss.trained_outputs, targets))
        values = [_times(total, samples)]
        if self.several:
            values += [_times(each[index], samples) for index in self.loss.trained_outputs]
        for entry in self.plain:
            total, count = entry.metric.contribution(by_output[entry.output], predictions[entry.output])
            values.append(_mean_times(total, count, samples))
        for entry in self.ratios:
            weight = _masked(weights[entry.output] if entry.weighted else None, masks[entry.output], None)
            values += list(entry.metric.contribution(by_output[entry.output], predictions[entry.output],
                                                     sample_weight=weight))
        for value in added:
            value = _as_float32(ops.convert_to_tensor(value))
            values += [ops.sum(value), ops.size(value)]
        for entry in self.stateful:
            weight = _masked(weights[entry.output] if entry.weighted else None, masks[entry.output], None)
            entry.metric.update_state(by_output[entry.output], predictions[entry.output], sample_weight=weight)
        if len(values) == 1:
            return values[0]
        return ops.stack([_as_float32(value) for value in values])

    def logs(self, totals, samples):
        """{name: float} from the totals of `samples` samples (both on the host)."""
        found, position = {}, len(self.means)
        for index, name in enumerate(self.means):
            found[name] = float(totals[index]) / samples
        for entry in self.plain:
            found[entry.metric._log_name] = float(totals[position]) / samples
            position += 1
        for entry in self.ratios:
            total, count = float(totals[position]), float(totals[position + 1])
            found[entry.metric._log_name] = total / count if count else 0.0
            position += 2
        for name in self.added:
            found[name] = float(totals[position]) / (float(totals[position + 1]) or 1.0)
            position += 2
        for entry in self.stateful:
            found[entry.metric._log_name] = _host_number(entry.metric.result())
        names = self.means + self.metrics.names + self.added
        return {name: found[name] for name in names}

    def reset(self):
        """Start the metrics anew."""
        for entry in self.stateful:
            entry.metric.reset_state()


def _as_float32(value):
    return ops.cast(value, 'float32') if not isinstance(value, (int, float)) else value


def _times(value, samples):
    return value * (float(samples) if isinstance(samples, int) else ops.cast(samples, 'float32'))


def _mean_times(total, count, samples):
    if isinstance(count, (int, float)) and isinstance(samples, int):
        return total if count == samples else total * (samples / float(count))
    count = float(count) if isinstance(count, (int, float)) else ops.cast(count, 'float32')
    return _times(total / count, samples)


def _host_number(value):
    from keras.backend.state import to_array
    array = to_array(value)
    return float(array) if array.ndim == 0 else array
