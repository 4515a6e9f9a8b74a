"""The forms in which objects are written into files.

That of HDF5 files is Keras 2's, in those words that tf.keras and Keras 3 understand as well: {'class_name', 'config'}.
In `.keras` files every object says the module that Keras 3 has it in, and how it was built:

    {'module', 'class_name', 'config', 'registered_name', 'build_config', 'compile_config', 'further'}

`further` is ours: arguments that Keras 3 does not know, or that say there what `config` says in other words. Keras 3
reads over it; here it goes over `config` (`kinds`).
"""
import inspect
import warnings

import numpy as np

from keras import generations
from keras.saving import kinds, serialization
from keras.saving.code import func_dump
from keras.saving.kinds import HOMES, kind_in
from keras.saving.serialization import get_registered_name

# Arguments that Keras 3 does not know, by the class that has them.
_UNKNOWN = {
    'Attention': ('causal',),
    'AdditiveAttention': ('causal',),
    'BatchNormalization': ('mode',),
    'ConvLSTM2D': ('num_constants',),
    'Cropping1D': ('data_format',),
    'Embedding': ('input_length',),
    'GRU': ('implementation', 'num_constants'),
    'GRUCell': ('implementation',),
    'LSTM': ('implementation', 'num_constants'),
    'LSTMCell': ('implementation',),
    'MultiHeadAttention': ('uses_masks',),
    'RNN': ('num_constants',),
    'Bidirectional': ('num_constants',),
    'SimpleRNN': ('num_constants',),
    'SpatialDropout1D': ('noise_shape',),
    'SpatialDropout2D': ('noise_shape',),
    'SpatialDropout3D': ('noise_shape',),
    'StackedRNNCells': ('reverse_state_order',),
    'UpSampling1D': ('data_format',),
    'Nadam': ('schedule_decay',),
}
# Arguments that its configs have only where they are given; before a name that means two classes stands the module.
_ONLY_GIVEN = {
    'Adapted': ('lora_rank', 'lora_alpha'),
    'BaseConv': ('quantization_config',),
    'CategoryEncoding': ('sparse',),
    'ContrastLimitedAdaptiveHistogramEqualization': ('bins',),
    'metrics.CosineSimilarity': ('axis',),
    'GroupedQueryAttention': ('flash_attention',),
    'Huber': ('delta',),
    'Identity': ('gain',),
    'ImageLayer': ('bounding_box_format',),
    'Loss': ('dtype',),
    'MaxNumBoundingBoxes': ('fill_value',),
    'MultiHeadAttention': ('flash_attention',),
    'Optimizer': ('decay',),
    'RandomGrayscale': ('seed',),
    'Rescaling': ('data_format',),
    'SimpleRNN': ('seed',),
    'losses.SparseCategoricalCrossentropy': ('axis',),
    'SparseTopKCategoricalAccuracy': ('from_sorted_ids',),
}
# Values of arguments that stand for something else in Keras 3: {(argument, value): row of `generations`}.
_MEANS_OTHER = {('activation', 'hard_sigmoid'): 'hard_sigmoid_sixth',
                ('recurrent_activation', 'hard_sigmoid'): 'hard_sigmoid_sixth',
                ('interpolation', 'bilinear'): 'bilinear_centers'}
# Functions that Keras 3 reads by another name only.
FUNCTIONS_IN_3 = {'kullback_leibler_divergence': 'kl_divergence', 'logcosh': 'log_cosh'}
# Layers that take neither `trainable` nor `noise_shape` in Keras 3.
_NEVER_FROZEN = ('SpatialDropout1D', 'SpatialDropout2D', 'SpatialDropout3D', 'Discretization')
_MODELS = ('Model', 'Sequential')
# Arguments that hold layers.
_LAYERS_INSIDE = ('layer', 'backward_layer', 'cell', 'cells')


class Form:
    """The form of objects in a file.

    Attributes:
        graph: how the calls of a graph are written, see `models.functional`.
        lists_input: whether a Sequential begins with its input, where its first layer has the shape.
    """
    graph = 'plain'
    lists_input = True

    def __call__(self, instance):
        """The config of an object; None stays None, a function of Keras's own is its name.

        Raises:
            ValueError: if it has neither `get_config` nor a name.
        """
        if instance is None:
            return None
        if not inspect.isclass(instance) and hasattr(instance, 'get_config'):
            with serialization.written_by(self):
                return self.of_object(instance)
        if not hasattr(instance, '__name__'):
            raise ValueError('Cannot serialize %r: it has neither a `get_config()` method nor a name.' % (instance,))
        return self.of_function(instance)

    def of_object(self, instance):
        return {'class_name': get_registered_name(type(instance)), 'config': instance.get_config()}

    def of_function(self, function):
        return get_registered_name(function)


class HDF5Form(Form):
    """Keras 2's, as all its readers understand it.

    Keras 2 counts the calls of a nested model from 1 and Keras 3 from 0, so that each call stands there twice.
    """
    graph = 'doubled'

    def of_object(self, instance):
        if hasattr(instance, 'in_words_of_keras_2'):
            return instance.in_words_of_keras_2()
        entry = super().of_object(instance)
        config, home = entry['config'], home_of(type(instance))
        if home == 'keras.layers':
            _name_policy(config)
            if type(instance).__name__ in _NEVER_FROZEN:
                _drop_defaults(config, trainable=True, noise_shape=None)
            for name in _LAYERS_INSIDE:
                _say_module(config.get(name))
        if home in ('keras.quantizers', 'keras.optimizers.schedules'):
            entry.update(module=home, registered_name=None)
        if type(instance).__name__ == 'CosineDecay':  # tf.keras before 2.13 knows no rise
            _drop_defaults(config, warmup_target=None, warmup_steps=0)
        if home == 'keras.optimizers':
            if generations.of(instance) == 3:
                _drop_defaults(config, schedule_decay=1.0)
            if isinstance(config.get('inner_optimizer'), dict):
                config['inner_optimizer'].update(module=home, registered_name=None)
        return entry


def _name_policy(config):
    """A policy without more to say than its name goes by it, which every reader knows."""
    policy = config.get('dtype')
    if isinstance(policy, dict) and policy.get('class_name') in ('DTypePolicy', 'Policy'):
        config['dtype'] = policy['config']['name']


def _drop_defaults(config, **defaults):
    for name, value in defaults.items():
        if config.get(name) == value:
            config.pop(name, None)


def _say_module(inside):
    """Layers inside of layers need to say for Keras 3 where they are from."""
    for entry in inside if isinstance(inside, list) else [inside]:
        if isinstance(entry, dict) and '>' not in entry['class_name']:
            entry.update(module='keras' if entry['class_name'] in _MODELS else 'keras.layers', registered_name=None)


class Keras3Form(Form):
    """That of Keras 3.

    Example:
        >>> keras.saving.forms.KERAS3(keras.initializers.Zeros())['module']
        'keras.initializers'
    """
    graph = 'full'

    def of_function(self, function):
        name = get_registered_name(function)
        # What was found by its name may be marked with the generation that it belongs to.
        own = inspect.unwrap(function)
        if any(inspect.unwrap(kind.objects.get(name, len)) is own for kind in map(kind_in, HOMES)):
            return FUNCTIONS_IN_3.get(name, name)
        if own.__name__ == '<lambda>':
            return {'class_name': '__lambda__', 'config': dict(zip(('code', 'defaults', 'closure'), func_dump(own)))}
        if inspect.isclass(function):
            return {'module': function.__module__, 'class_name': 'class', 'config': function.__name__,
                    'registered_name': name}
        return {'module': 'builtins', 'class_name': 'function', 'config': name, 'registered_name': 'function'}

    def of_object(self, instance):
        cls = type(instance)
        name, config, home = cls.__name__, instance.get_config(), home_of(cls)
        entry = {'module': home or cls.__module__, 'class_name': name, 'config': config,
                 'registered_name': None if home else get_registered_name(cls)}
        if getattr(instance, 'layer_graph', None) is not None and name == 'Model':
            entry.update(module='keras.src.models.functional', class_name='Functional', registered_name='Functional')
        further = _taken_out(config, _UNKNOWN.get(name, ())) if home else {}
        if home == 'keras.layers':
            _rewrite_layer(config, further, name)
        if home == 'keras.optimizers':
            _rewrite_decay(config, further)
        for hook, key in (('get_build_config', 'build_config'), ('get_compile_config', 'compile_config')):
            found = getattr(instance, hook)() if hasattr(instance, hook) else None
            if found:
                entry[key] = found
        if further:
            entry['further'] = further
        if home == 'keras.layers':
            _warn_of_meaning(instance, config)
        return entry


def _warn_of_meaning(layer, config):
    for (argument, value), name in _MEANS_OTHER.items():
        row = generations.ROWS[name]
        if config.get(argument) == value and row.values[generations.of(layer)] != row.values[3] \
                and (argument != 'interpolation' or type(layer).__name__ in row.where):
            warnings.warn('Layer %s: %s=%r is that of Keras %s. The file is read so here; in Keras 3 the model gives '
                          'other numbers (there %s).'
                          % (layer.name, argument, value, generations.of(layer), row.sentence), stacklevel=2)


def is_full(instance):
    """Whether the config of an object is written as Keras 3 does: with every argument that it has there."""
    return serialization.form(instance) is KERAS3 and instance.ruled('configs_are_full')


def only_given_in_3(cls):
    """The arguments of a class that stand in configs of Keras 3's generation only where they are not the default."""
    words = [word for base in cls.__mro__
             for word in (base.__name__, '%s.%s' % ((base.__module__ + '.').split('.')[1], base.__name__))]
    return {name for word in words for table in (_UNKNOWN, _ONLY_GIVEN) for name in table.get(word, ())}


def home_of(cls):
    """The public module in which Keras 3 has a class of Keras; None for one of your own."""
    if not cls.__module__.startswith('keras.'):
        return None
    if cls.__name__ in _MODELS + ('DTypePolicy',):
        return 'keras'
    return next((home for home in HOMES if kind_in(home).objects.get(cls.__name__) is cls), None)


def _taken_out(config, names):
    return {name: config.pop(name) for name in names if name in config}


def _rewrite_layer(config, further, name):
    """A layer other than the input does not say in Keras 3 what comes in."""
    if name == 'InputLayer':
        config['batch_shape'] = config.pop('batch_input_shape', config.get('batch_shape'))
    else:
        further.update(_taken_out(config, ('batch_input_shape',)))
    if name in _NEVER_FROZEN:
        further.update(_taken_out(config, ('trainable',)))
    if name == 'Lambda':
        _rewrite_functions(config, further)


def _rewrite_functions(config, further):
    """The functions of a Lambda are objects in Keras 3, which has no say on the kind of an `output_shape`."""
    for name in ('function', 'mask', 'output_shape'):
        kind = config.pop(name + '_type', None)
        if kind == 'lambda':
            further.update({name: config[name], name + '_type': kind})
            code = dict(zip(('code', 'defaults', 'closure'), config[name]))
            config[name] = {'class_name': '__lambda__', 'config': code}
        elif kind == 'function':
            further.update({name: config[name], name + '_type': kind})
            config[name] = {'module': 'builtins', 'class_name': 'function', 'config': config[name],
                            'registered_name': config[name]}


def _rewrite_decay(config, further):
    """Keras 2's `decay` is a schedule in Keras 3."""
    decay = config.pop('decay', 0.0)
    if decay:
        further.update(decay=decay, learning_rate=config['learning_rate'])
        schedule = {'initial_learning_rate': config['learning_rate'], 'decay_steps': 1, 'decay_rate': decay,
                    'staircase': False, 'name': 'InverseTimeDecay'}
        config['learning_rate'] = {'module': 'keras.optimizers.schedules', 'class_name': 'InverseTimeDecay',
                                   'config': schedule, 'registered_name': None}


HDF5, KERAS3 = HDF5Form(), Keras3Form()


def _by_generation(instance):
    return KERAS3 if generations.of(instance, None) == 3 else None


serialization.form_by_generation = _by_generation


def serialize_keras_object(obj):
    """What stands for an object, function or value in a file of Keras 3; `deserialize_keras_object` reads it.

    Example:
        >>> config = keras.saving.serialize_keras_object(keras.layers.Dense(3))
        >>> config['module'], config['class_name'], config['registered_name']
        ('keras.layers', 'Dense', None)
        >>> keras.saving.deserialize_keras_object(config).units
        3

    Raises:
        ValueError: if it has neither `get_config` nor a name.
    """
    if obj is None or isinstance(obj, (str, bool, int, float)):
        return obj
    if isinstance(obj, bytes):
        return {'class_name': '__bytes__', 'config': {'value': obj.decode('utf-8')}}
    if isinstance(obj, list):
        return [serialize_keras_object(part) for part in obj]
    if isinstance(obj, tuple):
        return {'class_name': '__tuple__', 'config': [serialize_keras_object(part) for part in obj]}
    if isinstance(obj, dict):
        return {key: serialize_keras_object(part) for key, part in obj.items()}
    if isinstance(obj, np.ndarray):
        return {'class_name': '__numpy__', 'config': {'value': obj.tolist(), 'dtype': obj.dtype.name}}
    if isinstance(obj, np.generic):
        return obj.item()
    if obj is Ellipsis:
        return {'class_name': '__ellipsis__', 'config': {}}
    if isinstance(obj, slice):
        return {'class_name': '__slice__', 'config': {name: serialize_keras_object(getattr(obj, name))
                                                      for name in ('start', 'stop', 'step')}}
    if hasattr(obj, '__array__') and hasattr(obj, 'shape'):  # a tensor of some library
        array = np.asarray(obj)
        return {'class_name': '__tensor__', 'config': {'value': array.tolist(), 'dtype': array.dtype.name}}
    name = type(obj).__name__
    if name == 'TensorShape':  # this and the others TensorFlow's
        return obj.as_list() if obj.rank is not None else None
    if name == 'DType' and hasattr(obj, 'as_numpy_dtype'):
        return obj.name
    if name == 'TensorSpec' and hasattr(obj, 'is_compatible_with'):
        return {'class_name': '__typespec__', 'spec_name': name, 'module': type(obj).__module__,
                'config': [serialize_keras_object(part) for part in (obj.shape, obj.dtype, obj.name)],
                'registered_name': None}
    found = KERAS3(obj)
    if isinstance(found, dict) and isinstance(found.get('config'), dict):
        found['config'] = _with_objects(found['config'])
    return found


def _with_objects(config):
    """The config of a class of one's own, which may keep objects and functions in it, with what stands for these."""
    if isinstance(config, dict):
        return {key: _with_objects(part) for key, part in config.items()}
    if isinstance(config, list):
        return [_with_objects(part) for part in config]
    return serialize_keras_object(config) if hasattr(config, 'get_config') or inspect.isroutine(config) else config


def deserialize_keras_object(config, custom_objects=None, safe_mode=True, **kwargs):
    """The object, function or value that `serialize_keras_object` described; a name stands for what it names.

    Args:
        config: a dictionary, a list of them, a name or a plain value.
        custom_objects: {name: class or function} of your own.
        safe_mode: False lets code in the config run, such as that of a lambda.
        kwargs: `module_objects` and `printable_module_name`, as `keras.utils.deserialize_keras_object` takes them.

    Example:
        >>> config = keras.saving.serialize_keras_object(keras.layers.Dense(3))
        >>> keras.saving.deserialize_keras_object(config).units
        3

    Raises:
        ValueError: for an unknown name, and for code in safe mode.
    """
    with serialization.SafeModeScope(safe_mode and serialization.refuses_code()):
        if kwargs.get('module_objects') is None and kinds.holds_others(config):
            # by the name in this module, where packages put a function of theirs while they read (BayesFlow)
            return kinds.with_others_read(config, lambda part: deserialize_keras_object(part, custom_objects))
        return kinds.deserialize_keras_object(config, custom_objects=custom_objects, **kwargs)
