"""How a model was compiled, as plain values, and back; the state of its optimizer."""
import warnings

import numpy as np

from keras import generations
from keras.backend.contract.loading import get_engine
from keras.configurable import plain
from keras.saving import forms
from keras.saving.serialization import reading_config_of, serialize_keras_object

# Arguments of `compile` that files keep beside the optimizer.
_KEPT = ('loss', 'metrics', 'weighted_metrics', 'sample_weight_mode', 'loss_weights')


def of_model(model):
    """The training configuration of a compiled model, in the form of Keras 2."""
    given = model.compile_arguments
    config = {name: plain(given.get(name)) for name in _KEPT}
    config['metrics'] = [] if config['metrics'] is None else config['metrics']
    return dict(optimizer_config=serialize_keras_object(model.optimizer), **config)


def for_hdf5(model):
    """The same for HDF5 files: Keras 3 knows the losses in them by their full names only."""
    config = of_model(model)
    full = dict(config, loss=_full_names(config['loss']))
    if generations.value('files_say_which_accuracy', model.compile_generation):
        return _with_accuracies(full, model)
    return _in_words_of_3(full) if model.compile_generation == 3 else full


def _with_accuracies(config, model):
    """tf.keras reads 'accuracy' as the share of equal numbers, whatever the loss: its own files say which one it is."""
    names, shapes = model.output_names, [each.shape for each in model.outputs] if model.outputs else []

    def told(metric, index):
        if metric not in ('accuracy', 'acc', 'crossentropy', 'ce') or index >= len(shapes):
            return metric
        kind = 'sparse_categorical' if 'sparse' in str(_of_output(config['loss'], index, names)).lower() else \
            'binary' if shapes[index][-1] == 1 else 'categorical'
        what = 'accuracy' if metric in ('accuracy', 'acc') else 'crossentropy'
        return {'class_name': 'MeanMetricWrapper',
                'config': {'name': metric, 'dtype': 'float32', 'fn': '%s_%s' % (kind, what)}}

    def all_told(given, index):
        return [told(one, index) for one in given] if isinstance(given, (list, tuple)) else told(given, index)

    def of_outputs(given):
        if isinstance(given, dict) and not _is_config(given):
            return {name: all_told(one, names.index(name)) if name in names else one for name, one in given.items()}
        if isinstance(given, (list, tuple)) and len(names) > 1:
            return [all_told(one, index) if isinstance(one, (list, tuple)) else one for index, one in enumerate(given)]
        return all_told(given, 0)
    return dict(config, **{key: of_outputs(config[key]) for key in ('metrics', 'weighted_metrics')})


def _of_output(value, index, names):
    """What a list or dictionary has for an output; anything else is for all of them."""
    if isinstance(value, dict) and not _is_config(value):
        return value.get(names[index])
    return value[index] if isinstance(value, (list, tuple)) else value


def _full_names(loss):
    from keras import losses
    if isinstance(loss, str):
        # A function of one's own stays the name that it has.
        found = getattr(losses, loss, None)
        return getattr(losses.get(loss), '__name__', loss) if callable(found) else loss
    if isinstance(loss, (list, tuple)):
        return [_full_names(one) for one in loss]
    if isinstance(loss, dict) and not _is_config(loss):
        return {name: _full_names(one) for name, one in loss.items()}
    return loss


def _in_words_of_3(config):
    """The names of losses and metrics that Keras 3 reads by another name only."""
    def renamed(value):
        if isinstance(value, str):
            return forms.FUNCTIONS_IN_3.get(value, value)
        if isinstance(value, (list, tuple)):
            return [renamed(one) for one in value]
        if isinstance(value, dict) and not _is_config(value):
            return {name: renamed(one) for name, one in value.items()}
        return value
    return dict(config, **{name: renamed(config[name]) for name in ('loss', 'metrics', 'weighted_metrics')})


def in_full(model):
    """The training configuration of a compiled model, in the form of Keras 3: arguments of `compile`."""
    config = of_model(model)
    config = _in_words_of_3(config) if model.compile_generation == 3 else config
    found = {name: config[name] for name in ('loss', 'loss_weights', 'metrics', 'weighted_metrics')}
    together = model.steps_per_execution
    joins = get_engine().joins_operations
    return dict(found, optimizer=config['optimizer_config'], run_eagerly=model.run_eagerly,
                steps_per_execution=1 if together == 'auto' else together,
                jit_compile='auto' if model.jit_compile == joins else not joins)


def generations_of(model):
    """The generations of a compiled model's training, in the form of `generations.of_parts`."""
    found = {'': model.compile_generation}
    if generations.of(model.optimizer) != found['']:
        found['optimizer'] = generations.of(model.optimizer)
    return found


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
    if not isinstance(config.get('config'), dict):  # a function of your own
        return metrics.deserialize(config)
    inner = dict(config.get('config') or {})
    if isinstance(inner.get('name'), str):
        inner['name'] = _without_output(inner['name'], output_names)
    if config['class_name'] == 'MeanMetricWrapper':
        return metrics.MeanMetricWrapper(metrics.deserialize(inner.pop('fn')), name=inner.get('name'))
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
    """The optimizer's config. What tf.keras calls `decay` in Nadam is Keras's `schedule_decay`.

    Around an optimizer that scales losses it wrote other arguments, which came and went.
    """
    if isinstance(config, str):
        return config
    inner = dict(config['config'])
    if config['class_name'].startswith('LossScaleOptimizer'):
        return _loss_scaling(inner)
    if config['class_name'] == 'Nadam' and 'schedule_decay' not in inner and 'decay' in inner:
        inner.update(schedule_decay=inner.pop('decay'))
    return dict(config, config=inner)


def _loss_scaling(given):
    scale = (given.get('loss_scale') or {}).get('config', {})
    found = {'inner_optimizer': _optimizer_config(given.get('inner_optimizer', given.get('optimizer'))),
             'initial_scale': scale.get('initial_loss_scale', given.get('initial_scale')),
             'dynamic_growth_steps': scale.get('increment_period', given.get('dynamic_growth_steps'))}
    found.update({name: given[name] for name in ('name', 'clipnorm', 'clipvalue') if name in given})
    return {'class_name': 'LossScaleOptimizer', 'config': {name: value for name, value in found.items()
                                                           if value is not None}}


def compile_from(model, config):
    """Compile `model` as the training configuration `config` says."""
    from keras import losses, optimizers
    names = model.output_names
    with reading_config_of('compile', None):
        arguments = {name: config.get(name) for name in ('sample_weight_mode', 'loss_weights')}
        # How steps are compiled is for the engine to say that is here now.
        # Only what differs from the default: a `compile` of the model's own need not have these arguments.
        arguments.update((name, config[name]) for name, default in (('run_eagerly', False), ('steps_per_execution', 1))
                         if config.get(name, default) not in (None, default))
        with generations.reading_part('optimizer'):
            optimizer = optimizers.deserialize(_optimizer_config(config['optimizer_config']))
        arguments.update(loss=_objects(config.get('loss'), losses.deserialize),
                         metrics=_metrics(config.get('metrics'), names),
                         weighted_metrics=_metrics(config.get('weighted_metrics'), names))
    model.compile(optimizer=optimizer, **arguments)


def _kinds_of_slots(names):
    """What each name of an optimizer's variable says of the kind of slot, by the generation that wrote it."""
    if names[0] == 'iteration:0':  # tf.keras from 2.11 on: Adam/m/dense/kernel:0
        return [name.split('/')[1] for name in names[1:]]
    return [name.rpartition('/')[2] for name in names[1:]]  # Adam/dense/kernel/m:0


def _grouped_by_slot(names, arrays):
    """The step counter, then the arrays of one kind of slot after the other, where a file has them weight by weight.

    Averages of the weights come last, as we keep them.
    """
    if not names:
        return arrays
    kinds = _kinds_of_slots(names)
    order = sorted(range(len(kinds)), key=lambda index: (kinds[index] == 'average', kinds.index(kinds[index])))
    return arrays[:1] + [arrays[1 + index] for index in order]


def _by_weight(names, arrays, slots):
    """The step counter, then the slots of one weight after the other, whichever way a file has them."""
    groups = [[array for name, array in zip(names[1:], arrays[1:]) if name.endswith((slot, slot + ':0'))]
              for slot in slots]
    inside = {id(array) for group in groups for array in group}
    return arrays[:1] + [array for group in zip(*groups) for array in group] + [
        array for array in arrays[1:] if id(array) not in inside]


def _without_rate(names, arrays):
    """The names and arrays without the learning rate, which the config of the optimizer has."""
    kept = [index for index, name in enumerate(names) if not name.endswith('/learning_rate')]
    return [names[index] for index in kept], [arrays[index] for index in kept]


def _fits(variables, arrays):
    return len(arrays) >= len(variables) and all(
        np.shape(array) == tuple(variable.shape) for array, variable in zip(arrays, variables))


def restore_optimizer(model, names, arrays, adapted=lambda slot, array: array):
    """Set the state of the optimizer of `model` from arrays: the step counter, then one group per kind of slot.

    adapted: function of a variable of the optimizer and the array for it that gives the array to take.

    Keras 2.3.1 keeps slots that an optimizer does not need (momentum 0, `amsgrad=False`); they are left out.
    """
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    if names and names[0].endswith('/iteration'):  # Keras 3: in the order of its own files
        optimizer.load_own_variables({str(number): array for number, array in enumerate(arrays)})
        return
    names, arrays = _without_rate(names, arrays)
    variables = optimizer.state_variables
    of_both = len(arrays) == len(variables) and _fits(variables, arrays)
    if hasattr(optimizer, 'inner_optimizer') and not of_both:
        optimizer = optimizer.inner_optimizer  # of tf.keras, which kept the state of that one only
        variables = optimizer.state_variables
    if optimizer.slots_by_weight:
        arrays = _by_weight(names, arrays, optimizer.slot_names)
    elif hasattr(optimizer, 'inner_optimizer'):
        pass  # in the order in which they are written here
    elif not _fits(variables, arrays) or any('iteration' in name for name in names[:1]):
        arrays = _grouped_by_slot(names, arrays)
    needless = len(variables) == 1 or not any(np.any(array) for array in arrays[len(variables):])
    if not _fits(variables, arrays) or not needless:
        warnings.warn('The state of the optimizer %s in the file does not fit (%d arrays in the file, %d variables of '
                      'the optimizer); it starts afresh. The usual cause: another set of layers was trainable when the '
                      'file was written.' % (type(optimizer).__name__, len(arrays), len(variables)), stacklevel=4)
        return
    for variable, array in zip(variables, arrays):
        variable.assign(adapted(variable, array))
