"""How a model was compiled, as plain values, and back; the state of its optimizer."""
import warnings

import numpy as np

from keras.saving.serialization import serialize_keras_object

# Arguments of `compile` that files keep beside the optimizer.
_KEPT = ('loss', 'metrics', 'weighted_metrics', 'sample_weight_mode', 'loss_weights')


def _plain(value):
    """Names and configs for losses, metrics and optimizers anywhere inside lists and dictionaries."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return serialize_keras_object(value)


def of_model(model):
    """The training configuration of a compiled model, in the form of Keras 2."""
    given = model._compile_arguments
    config = {name: _plain(given.get(name)) for name in _KEPT}
    config['metrics'] = [] if config['metrics'] is None else config['metrics']
    return dict(optimizer_config=serialize_keras_object(model.optimizer), **config)


def _is_config(value):
    return isinstance(value, dict) and 'class_name' in value


def _objects(value, make):
    """`value` with every config in it made an object by `make`."""
    if _is_config(value):
        return make(value)
    if isinstance(value, (list, tuple)):
        return [_objects(item, make) for item in value]
    if isinstance(value, dict):
        return {key: _objects(item, make) for key, item in value.items()}
    return value


def _metric(config, output_names):
    """A metric from its config. tf.keras writes the function inside a wrapper, the output's name before its own."""
    from keras import metrics
    inner = dict(config.get('config') or {})
    if isinstance(inner.get('name'), str):
        inner['name'] = _without_output(inner['name'], output_names)
    if config['class_name'] == 'MeanMetricWrapper':
        return metrics.MeanMetricWrapper(metrics.get(inner.pop('fn')), name=inner.get('name'))
    return metrics.deserialize(dict(config, config=inner))


def _without_output(name, output_names):
    for output in output_names if len(output_names) > 1 else ():
        if name.startswith(output + '_'):
            return name[len(output) + 1:]
    return name


def _metrics(value, output_names):
    made = _objects(value, lambda config: _metric(config, output_names))
    if isinstance(made, list) and len(output_names) == len(made) and all(isinstance(one, list) for one in made):
        return [[metric for metric in one if metric is not None] for one in made]
    return made


def _optimizer_config(config):
    """The optimizer's config. What tf.keras calls `decay` in Nadam is Keras's `schedule_decay`."""
    inner = dict(config['config'])
    if config['class_name'] == 'Nadam' and 'schedule_decay' not in inner and 'decay' in inner:
        inner.update(schedule_decay=inner.pop('decay'))
    return dict(config, config=inner)


def compile_from(model, config):
    """Compile `model` as the training configuration `config` says."""
    from keras import losses, optimizers
    names = model.output_names
    arguments = {name: config.get(name) for name in ('sample_weight_mode', 'loss_weights')}
    model.compile(optimizer=optimizers.deserialize(_optimizer_config(config['optimizer_config'])),
                  loss=_objects(config.get('loss'), losses.deserialize),
                  metrics=_metrics(config.get('metrics'), names),
                  weighted_metrics=_metrics(config.get('weighted_metrics'), names), **arguments)


def _grouped_by_slot(names, arrays):
    """The step counter, then the arrays of one kind of slot after the other, where a file has them weight by weight."""
    kinds = [name.rpartition('/')[2] for name in names[1:]]
    order = sorted(range(len(kinds)), key=lambda index: kinds.index(kinds[index]))
    return arrays[:1] + [arrays[1 + index] for index in order]


def _fits(variables, arrays):
    return len(arrays) >= len(variables) and all(
        np.shape(array) == tuple(variable.shape) for array, variable in zip(arrays, variables))


def restore_optimizer(model, names, arrays):
    """Set the state of the optimizer of `model` from arrays: the step counter, then one group per kind of slot.

    Keras 2.3.1 keeps slots that an optimizer does not need (momentum 0, `amsgrad=False`); they are left out.
    """
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    variables = optimizer.variables
    if not _fits(variables, arrays):
        arrays = _grouped_by_slot(names, arrays)
    needless = len(variables) == 1 or not any(np.any(array) for array in arrays[len(variables):])
    if not _fits(variables, arrays) or not needless:
        warnings.warn('The state of the optimizer %s in the file does not fit (%d arrays in the file, %d variables of '
                      'the optimizer); it starts afresh. The usual cause: another set of layers was trainable when the '
                      'file was written.' % (type(optimizer).__name__, len(arrays), len(variables)), stacklevel=4)
        return
    for variable, array in zip(variables, arrays):
        variable.assign(array)
