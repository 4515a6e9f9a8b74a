"""Models and weights in the HDF5 format of Keras 2.

    attributes  model_config, training_config (JSON), keras_version (always one of Keras 2, which readers look for),
                backend; ours also written_by, keras_generations
                and, where it was compiled under others, training_generations (JSON)
    model_weights/            attribute layer_names
        LAYER/                attribute weight_names; one data set per weight, under its name
    optimizer_weights/        attribute weight_names; likewise
    top_level_model_weights/  weights that a subclassed model holds itself
    random_state/             ours: the states of the seed generators, as in `states`

A file of weights only has the inside of `model_weights` at its root. h5py is imported when a file is first touched.
"""
import contextlib
import io
import json
import os
import re
import warnings

import numpy as np

from keras import config, generations
from keras.configurable import json_value
from keras.layers.base import snake_case
from keras.saving import arrays, checksums, forms, keras1, recurrent, training_config, values, versions
from keras.saving.kinds import kind_in
from keras.saving.opening import MOST_NAMES, Dataset, Group, open_hdf5
from keras.saving.texts import parse_json
from keras.saving.serialization import CustomObjectScope, written_by
from keras.saving.states import read_seeds, write_seeds
from keras.saving.writing import writing_hdf5

# HDF5 keeps the attributes of a group in a header that cannot be larger than 64 KiB, less its own overhead.
HDF5_OBJECT_HEADER_LIMIT = 64512

# The `backend` written into files says how convolution kernels are stored. Ours are correlated, with the layout
# (spatial, in, out), on every engine, which readers know under this name; files of the others are turned over.
KERNEL_CONVENTION = 'tensorflow'
TURNED_CONVENTIONS = ('theano',)
# The group of weights that belong to the model itself.
_LOOSE = 'top_level_model_weights'


# --- files --------------------------------------------------------------------------------------------------------

def _text(value):
    """A string from what different h5py versions give for one."""
    return value.decode('utf-8') if isinstance(value, bytes) else str(value)


def _is_path(target):
    return isinstance(target, (str, bytes)) or hasattr(target, '__fspath__')


@contextlib.contextmanager
def reading(source):
    """The root `opening.Group` of `source`: a path, an open `h5py.File` or group, or a binary file object.

    Raises:
        OSError: if there is no such file, or it is no whole HDF5 file.
    """
    with open_hdf5(source) as group:
        yield group


@contextlib.contextmanager
def writing(target):
    """An empty HDF5 group to write to `target`: a path, an open `h5py.File` or group, or a binary file object.

    After a failure an existing file is what it was.
    """
    if hasattr(target, 'attrs') and hasattr(target, 'create_group'):
        yield target
        return
    if not (_is_path(target) or hasattr(target, 'write')):
        raise ValueError('Expected a path, an open h5py file or group, or a binary file object. Received: %r'
                         % (target,))
    with writing_hdf5(target) as file:
        yield file


def ask_to_proceed_with_overwrite(filepath):
    """Ask on the terminal whether `filepath` may be overwritten."""
    answer = ''
    while answer not in ('y', 'n'):
        answer = input('[WARNING] %s already exists - overwrite? [y/n] ' % (filepath,)).strip().lower()
    return answer == 'y'


def may_write(target, overwrite):
    """Whether `target` may be written: with `overwrite=False` the user is asked where there is a file."""
    if overwrite or not _is_path(target) or not os.path.exists(target):
        return True
    return ask_to_proceed_with_overwrite(os.fspath(target))


def save_attributes(group, name, data):
    """Write a list of names as the attribute `name`, split into `name0`, `name1`, ... where it is too large for one.

    Returns:
        {attribute: list} of what was written.

    Raises:
        RuntimeError: if a single entry is larger than an attribute may be.
    """
    encoded = [value.encode('utf-8') for value in data]
    too_long = [value for value in data if len(value.encode('utf-8')) > HDF5_OBJECT_HEADER_LIMIT]
    if too_long:
        raise RuntimeError('A name of %d characters is too long for HDF5, which allows %d bytes: %s...'
                           % (len(too_long[0]), HDF5_OBJECT_HEADER_LIMIT, too_long[0][:60]))
    longest = max((len(value) for value in encoded), default=1)
    per_chunk = max(HDF5_OBJECT_HEADER_LIMIT // longest, 1)
    chunks = [encoded[start:start + per_chunk] for start in range(0, len(encoded), per_chunk)]
    named = {name: encoded} if len(chunks) <= 1 else {'%s%d' % (name, at): chunk for at, chunk in enumerate(chunks)}
    for part, chunk in named.items():
        # As an array: h5py makes strings of variable length of a list, which lie elsewhere in the file.
        group.attrs[part] = np.array(chunk) if chunk else np.zeros(0)
    return {part: [value.decode('utf-8') for value in chunk] for part, chunk in named.items()}


def load_attributes(group, name):
    """The list of names that `save_attributes` wrote."""
    whole = group.attrs.get(name)
    if whole is not None:
        return [_text(value) for value in np.reshape(whole, -1).tolist()]
    found, number = [], 0
    while '%s%d' % (name, number) in group.attrs:
        found.extend(_text(value) for value in np.reshape(group.attrs['%s%d' % (name, number)], -1))
        number += 1
        if len(found) > MOST_NAMES:
            raise OSError('%s of %s are more than the %d that a model may have.' % (name, group.name, MOST_NAMES))
    return found


# --- weights to files --------------------------------------------------------------------------------------------

def _weight_names(variables):
    """Names for data sets, in the form `dense_1/kernel:0`, all different."""
    names, taken = [], set()
    for variable in variables:
        name, number = variable.path, 1
        while name in taken:
            name, number = '%s_%d' % (variable.path, number), number + 1
        taken.add(name)
        names.append(name if ':' in name else name + ':0')
    return names


def _save_weights(group, variables, layer=None):
    """Write weights into a group; returns the checksum over all of them."""
    names, sums = _weight_names(variables), {}
    told = save_attributes(group, 'weight_names', names)
    numbers = (variable.numpy_view() for variable in variables)
    if layer is not None:
        numbers = recurrent.written(layer, variables, numbers)
    for name, array in zip(names, numbers):
        sums[name] = arrays.written(group, name, array)
    return checksums.seal(group, sums, told)


def _weights_of(layers):
    """[(layer, its weights)]"""
    return [(layer, layer.weights_by_kind) for layer in layers]


def _loose_weights(model, pairs):
    """Weights of `model` that belong to none of its layers, which are there with their weights."""
    inside = {id(weight) for _, weights in pairs for weight in weights}
    return [weight for weight in model.weights if id(weight) not in inside]


def save_weights_to_hdf5_group(group, layers):
    """Write the weights of a list of layers into an HDF5 group."""
    checksums.seal(group, _save_layers(group, _weights_of(layers)))


def _save_layers(group, pairs):
    """Write the weights of layers into a group; returns {layer: checksum}."""
    from keras.version import __version__
    save_attributes(group, 'layer_names', [layer.name for layer, _ in pairs])
    group.attrs['backend'] = KERNEL_CONVENTION.encode('utf-8')
    group.attrs['keras_version'] = generations.FILE_VERSIONS[2].encode('utf-8')
    group.attrs['written_by'] = ('keras ' + __version__).encode('utf-8')
    return {layer.name: _save_weights(group.create_group(layer.name), weights, layer) for layer, weights in pairs}


def _save_model_weights(group, model):
    pairs = _weights_of(model.layers)
    sums = _save_layers(group, pairs)
    loose = _loose_weights(model, pairs)
    if loose:
        sums[_LOOSE] = _save_weights(group.create_group(_LOOSE), loose)
    return checksums.seal(group, sums)


def save_model(model, filepath, overwrite=True, include_optimizer=True):
    """Save architecture, weights, training configuration and optimizer state in one HDF5 file.

    Args:
        model: the model. filepath: path, open `h5py.File` or group, or binary file object.
        overwrite: False asks on the terminal before an existing file is replaced.
        include_optimizer: whether to save the training configuration and the optimizer's state.

    Raises:
        NotImplementedError: for a subclassed model without `get_config`. TypeError: if a config holds something that
            JSON cannot.

    Example:
        >>> keras.models.save_model(model, 'model.h5')
    """
    from keras.version import __version__
    attributes = {'model_config': to_json(forms.HDF5(model)), 'keras_version': generations.version_of(model),
                  'written_by': 'keras ' + __version__, 'backend': KERNEL_CONVENTION,
                  'keras_generations': to_json(generations.of_parts(model))}
    optimizer = getattr(model, 'optimizer', None) if include_optimizer else None
    if optimizer is not None:
        with written_by(forms.HDF5):
            attributes['training_config'] = to_json(training_config.for_hdf5(model))
        made_under = training_config.generations_of(model)
        if made_under != {'': generations.of(model)}:
            attributes['training_generations'] = to_json(made_under)
    if not may_write(filepath, overwrite):
        return
    with writing(filepath) as file:
        for name, value in attributes.items():
            file.attrs[name] = value.encode('utf-8')
        sums = {'model_weights': _save_model_weights(file.create_group('model_weights'), model)}
        if optimizer is not None and optimizer.built:
            sums['optimizer_weights'] = _save_weights(file.create_group('optimizer_weights'), optimizer.state_variables)
        write_seeds(file, model)
        checksums.seal(file, sums)


def to_json(config):
    """JSON text of a config that may hold NumPy values and nested objects."""
    return json.dumps(config, default=json_value)


def save_weights(model, filepath, overwrite=True):
    """Save the weights of all layers in an HDF5 file; arguments as in `save_model`.

    Raises:
        ValueError: if the model has no weights yet.
    """
    if not model.built and not model.weights:
        raise ValueError('Model %s has no weights yet, so there is nothing to save. Call it on data, or `build` it, '
                         'first.' % model.name)
    if may_write(filepath, overwrite):
        with writing(filepath) as file:
            _save_model_weights(file, model)


# --- weights from files -------------------------------------------------------------------------------------------

def _data_sets(group):
    """([name], [opening.Dataset]) of the weights in a group, of which nothing is read yet.

    Raises:
        OSError: where the file says there is one but it is not there or damaged.
    """
    names = load_attributes(group, 'weight_names')
    try:
        found = [group[name] for name in names]
    except KeyError as error:
        raise OSError('The weights in %s of %s cannot be read (%s). The file is damaged or was cut short.'
                      % (group.name, group.filename, error.args[0]))
    for name, data in zip(names, found):
        if not isinstance(data, Dataset):
            raise OSError('%s: the weight %s in %s is a group, not numbers.' % (group.filename, name, group.name))
    checksums.expect(dict(zip(names, found)), checksums.expected(group, names))
    return names, found


def _layer_group(group, name):
    found = group.get(name)
    if not isinstance(found, Group):
        raise OSError('%s: %s says that there are weights of layer %r, but it has none. The file is damaged or was '
                      'cut short.' % (group.filename, group.name, name))
    return found


def _root_of_weights(file):
    has_names = 'layer_names' in file.attrs or 'layer_names0' in file.attrs
    group = file['model_weights'] if not has_names and 'model_weights' in file else file
    if 'layer_names' not in group.attrs and 'layer_names0' not in group.attrs:
        raise ValueError('%s holds no weights in a Keras HDF5 format: there is no list of layer names in it.'
                         % file.filename)
    names = load_attributes(group, 'layer_names')
    if len(set(names)) != len(names):
        raise OSError('%s lists the weights of a layer twice: the file is damaged.' % group.filename)
    _check_sealed(group, names + [name for name in (_LOOSE,) if name in group])
    return group


def _check_sealed(group, names):
    """Compare the checksums of groups in a group with what it says of them.

    Raises:
        OSError: where one is another, or missing.
    """
    sums = checksums.expected(group, names)
    inside = {name: checksums.total_of(_layer_group(group, name)) for name in names}
    unsealed = sums is None and checksums.total_of(group) is None
    if unsealed and any(total is not None for total in inside.values()) or sums is not None and sums != inside:
        raise OSError('%s is damaged, or was changed after it was written: the checksums in %s differ.'
                      % (group.filename, group.name))


def _key(name):
    """A weight's name without what differs between generations: `dense_1/kernel` from `dense_1/kernel:0`."""
    return '/'.join(name.rpartition(':')[0].split('/')[-2:] if ':' in name else name.split('/')[-2:])


def _in_order_of(variables, names, arrays):
    """The arrays in the order of `variables`: by name where all names agree, else as they are.

    Names settle what the order cannot: which weights come first depends on what was trainable when the file was
    written.
    """
    by_name = dict(zip(map(_key, names), arrays))
    keys = [_key(variable.path) for variable in variables]
    if len(by_name) == len(arrays) == len(set(keys)) and set(keys) == set(by_name):
        return [by_name[key] for key in keys]
    return arrays


def _turn_over(kernel):
    spatial = tuple(slice(None, None, -1) for _ in range(kernel.ndim - 2))
    return kernel[spatial]


class _Numbers:
    """An array in the place of a data set."""

    def __init__(self, array):
        self.array, self.shape = array, array.shape

    def read(self):
        return self.array

    def start(self):
        return self.read


class _WeightReader:
    """Pairs the weights of a model's layers with the arrays of a file; assigns only when everything fits.

    Args:
        group: the HDF5 group with one group per layer. reshape: accept arrays of another shape but equal size.
        skip_mismatch: leave weights that do not fit as they are, with a warning.
    """

    def __init__(self, group, reshape=False, skip_mismatch=False):
        self.group = group
        self.reshape = reshape
        self.skip_mismatch = skip_mismatch
        self.backend = _text(group.attrs.get('backend', ''))
        self.version = _text(group.attrs.get('keras_version', '1'))
        self.is_ours = 'written_by' in group.attrs
        self.order_differs = False  # of the channels, in a file of Keras 1
        self.pairs = []

    def names_with_weights(self):
        """The names of the file's layers that have weights, in order."""
        found, count = [], 0
        for name in load_attributes(self.group, 'layer_names'):
            weights = len(load_attributes(_layer_group(self.group, name), 'weight_names'))
            count += weights
            if count > MOST_NAMES:
                raise OSError('%s lists more than the %d weights that a model may have.'
                              % (self.group.filename, MOST_NAMES))
            if weights:
                found.append(name)
        return found

    def take(self, layer, variables, name):
        """Note the arrays of the file's layer `name` for `variables` of `layer`; their shapes are compared first."""
        names, arrays = _data_sets(_layer_group(self.group, name))
        turned = self.backend in TURNED_CONVENTIONS
        if keras1.is_keras_1(names):
            turned = turned or not self.backend and keras1.is_of_theano(names)
            arrays = self._now(layer, names, arrays)
            variables = layer.weights_by_kind
        if len(arrays) != len(variables):
            self._mismatch('Layer %s expects %d weights (%s), but the saved layer has %d (%s, layer %s).%s'
                           % (layer.name, len(variables), ', '.join(variable.name for variable in variables),
                              len(arrays), ', '.join(names), name,
                              '' if layer.built else ' The layer is not built yet.'))
            return
        pairs = []
        arrays = recurrent.read(layer, variables, _in_order_of(variables, names, arrays))
        for variable, array in zip(variables, arrays):
            array = array if hasattr(array, 'read') else _Numbers(array)
            reshaped = self.reshape and np.prod(array.shape) == np.prod(variable.shape)
            if array.shape != variable.shape and not reshaped:
                self._mismatch('Layer %s: weight %s has shape %s, but the saved weight has shape %s (layer %s).'
                               % (layer.name, variable.name, variable.shape, array.shape, name))
                return
            if self.order_differs and variable is getattr(layer, 'kernel', None) and len(array.shape) == 2:
                array = _Numbers(keras1.for_other_order(layer, array.read()))
            pairs.append((variable, array, turned and variable.layout == 'conv_kernel'))
        # Threads read what fits while the next layer is looked at.
        self.pairs.extend((variable, array.start(), is_turned) for variable, array, is_turned in pairs)

    def _now(self, layer, names, data_sets):
        """The arrays that Keras 1 wrote for a layer in today's form, as far as they may be read for it."""
        count = sum(int(np.prod(data.shape, dtype='int64')) for data in data_sets)
        if count > sum(weight.size for weight in layer.weights_by_kind):
            return data_sets
        arrays = [data.read() for data in data_sets]
        keras1.adapt(layer, arrays)
        arrays, moved = keras1.converted(layer, names, arrays)
        self.order_differs = self.order_differs or moved
        return [_Numbers(array) for array in arrays]

    def _mismatch(self, message):
        if not self.skip_mismatch:
            raise ValueError(message + ' The usual cause: the file was written by a model of another architecture.')
        warnings.warn(message + ' Skipping loading this layer due to mismatch of its weights.', stacklevel=4)

    def assign(self):
        read = [finish() for _, finish, _ in self.pairs]
        for variable, _, turned in reversed(self.pairs):
            # What is assigned is held here no more.
            self.pairs.pop()
            array = read.pop().reshape(variable.shape)
            variable.assign_new(_turn_over(array) if turned else array)


def _pair_in_order(reader, layers):
    names = reader.names_with_weights()
    pairs = [(layer, layer.weights_by_kind) for layer in keras1.unmerged(layers)]
    layers = [(layer, weights) for layer, weights in pairs if weights]
    if len(layers) != len(names):
        raise ValueError('Cannot load weights of %d layers into a model with %d layers. Those in the file: %s; those '
                         'of the model that have weights: %s. The usual cause: the file was written by a model of '
                         'another architecture; `by_name=True` loads the layers whose names agree.'
                         % (len(names), len(layers), ', '.join(names), ', '.join(layer.name for layer, _ in layers)))
    for (layer, weights), name in zip(layers, names):
        reader.take(layer, weights, name)


def _pair_by_name(reader, layers):
    names = reader.names_with_weights()
    by_name = {layer.name: layer for layer in layers}
    if not reader.is_ours:  # our own files are read by the names that they have
        by_name.update(_counted_otherwise(names, layers, generations.of_version(reader.version)))
    for name in names:
        if by_name.get(name) is not None:
            reader.take(by_name[name], by_name[name].weights_by_kind, name)


def _counted_otherwise(names, layers, generation):
    """{name in a file: layer, or None} where the file's generation begins to count automatic names elsewhere.

    Keras 2 calls its layers dense_1, dense_2, ..., tf.keras and Keras 3 dense, dense_1, ...: the first is the first,
    not the one that happens to have the same number.

    Raises:
        ValueError: where there are another number of layers of a class, so that none can be told by its name.
    """
    found, classes = {}, {}
    for layer in layers:
        if layer.weights_by_kind and layer.ruled('names_from_zero') != generations.value('names_from_zero', generation):
            classes.setdefault(type(layer).__name__, []).append(layer)
    for name_of_class, of_class in classes.items():
        base = snake_case(name_of_class, generations.value('digits_make_words', generation))
        numbered = [(_number(layer.name, layer.words_of(name_of_class)), layer) for layer in of_class]
        ours = sorted([pair for pair in numbered if pair[0] is not None], key=lambda pair: pair[0])
        theirs = sorted((_number(name, base), name) for name in names if _number(name, base) is not None)
        if not ours or not theirs or [layer.name for _, layer in ours] == [name for _, name in theirs]:
            continue
        if len(ours) != len(theirs):
            raise ValueError('The file has weights for %d layers with automatic names of %s (%s), the model has %d '
                             '(%s), and they are counted from another number. Give the layers names of their own, or '
                             'load in the order of the layers (by_name=False).'
                             % (len(theirs), base, ', '.join(name for _, name in theirs), len(ours),
                                ', '.join(layer.name for _, layer in ours)))
        found.update((name, layer) for (_, name), (_, layer) in zip(theirs, ours))
    return found


def _number(name, base):
    """The number in an automatic name, 0 for `base` itself; None for another name."""
    match = re.match(r'%s(?:_(\d+))?$' % re.escape(base), name)
    return None if match is None else int(match.group(1) or 0)


def load_weights_from_hdf5_group(f, layers, reshape=False):
    """Set the weights of a list of layers from an HDF5 group, in order; nothing is changed unless everything fits."""
    with reading(f) as group:
        reader = _WeightReader(group, reshape)
        _pair_in_order(reader, layers)
        reader.assign()


def load_weights_from_hdf5_group_by_name(f, layers, skip_mismatch=False, reshape=False):
    """Set the weights of those layers that have a group of their name in the HDF5 group."""
    with reading(f) as group:
        reader = _WeightReader(group, reshape, skip_mismatch)
        _pair_by_name(reader, layers)
        reader.assign()


def preprocess_weights_for_loading(layer, weights, original_keras_version=None, original_backend=None, reshape=False):
    """Arrays of a file for a layer or model as `set_weights` takes them, whichever Keras and engine wrote the file.

    Args:
        layer: the layer or model. weights: list of arrays, in their order in files; what Keras 1 kept apart,
            such as the gates of an LSTM, in its order.
        original_keras_version: of the file, such as '1.2.2'; None for Keras 2 and later. original_backend: its engine;
            Theano's kernels of convolutions are turned over. Recurrent layers of cuDNN and plain ones are turned into
            each other. reshape: whether arrays with the right number of values in another shape are taken.

    Returns:
        List of arrays.

    Raises:
        ValueError: where there is another number of arrays than the layer has weights, or a shape does not fit.

    Example:
        >>> model = keras.Sequential([keras.layers.Conv1D(2, 3, input_shape=(5, 4))])
        >>> kernel, bias = preprocess_weights_for_loading(model, [np.zeros((3, 1, 4, 2)), np.zeros(2)], '1.2.2')
        >>> kernel.shape
        (3, 4, 2)
    """
    variables, arrays = layer.weights_by_kind, [np.asarray(array) for array in weights]
    if generations.of_version(original_keras_version or '2.3.1') == 1:
        arrays = keras1.in_order(layer, arrays)
    if len(arrays) != len(variables):
        raise ValueError('Layer %s has %d weights, but %d arrays were given for it.'
                         % (layer.name, len(variables), len(arrays)))
    read = [array if isinstance(array, np.ndarray) else array.read()
            for array in recurrent.read(layer, variables, [_Numbers(array) for array in arrays])]
    turned = original_backend in TURNED_CONVENTIONS
    read = [_turn_over(array) if turned and variable.layout == 'conv_kernel' else array
            for variable, array in zip(variables, read)]
    return [_fitted(layer, variable, array, reshape) for variable, array in zip(variables, read)]


def _fitted(layer, variable, array, reshape):
    shape = tuple(variable.shape)
    if array.shape != shape and not (reshape and array.size == variable.size):
        raise ValueError('Layer %s: weight %s has shape %s, an array of shape %s was given for it. The usual cause: '
                         'the file was written by a layer with other arguments.'
                         % (layer.name, variable.name, shape, array.shape))
    return array.reshape(shape)


def _load_model_weights(group, model, by_name=False, skip_mismatch=False, reshape=False):
    reader = _WeightReader(group, reshape, skip_mismatch)
    (_pair_by_name if by_name else _pair_in_order)(reader, model.layers)
    loose = _loose_weights(model, _weights_of(model.layers)) if _LOOSE in group else ()
    if loose:
        reader.take(model, loose, _LOOSE)
    reader.assign()


def load_weights(model, filepath, by_name=False, skip_mismatch=False, reshape=False):
    """`formats.load_weights` from a file in the layout of Keras 2, or an open one."""
    if not model.built and not model.weights:
        raise ValueError('Model %s has no weights yet to load into. Call it on data, or `build` it, first.'
                         % model.name)
    with reading(filepath) as file:
        _load_model_weights(_root_of_weights(file), model, by_name, skip_mismatch, reshape)


class WeightsAlone(ValueError):
    """A file that holds weights and no model."""


def load_model(filepath, custom_objects=None, compile=True):
    """A model from an HDF5 file, with its weights, compiled as it was, optimizer state included.

    Args:
        filepath: path, open `h5py.File` or group, or binary file object.
        custom_objects: {name: class or function} of your own layers, losses, ... compile: whether to compile it.

    Raises:
        OSError: if the file cannot be read. ValueError: if it holds weights only, or names something unknown.

    Example:
        >>> model.save('model.h5')
        >>> keras.models.load_model('model.h5').count_params() == model.count_params()
        True
    """
    with reading(filepath) as file, CustomObjectScope(custom_objects or {}):
        if 'model_config' not in file.attrs:
            raise WeightsAlone('%s holds no model, only weights: build the model in code and call '
                               '`model.load_weights`.' % file.filename)
        _check_sealed(file, [name for name in ('model_weights', 'optimizer_weights') if name in file])
        with generations.reading(_generations(file)):
            config = _model_config(file)
            file.read_ahead(8)
            model = kind_in('keras.models').deserialize(config)
            if 'model_weights' not in file:
                raise OSError('%s has the config of a model but no `model_weights`: it is damaged or was cut short. '
                              'The architecture alone is read by `model_from_json`.' % file.filename)
            _load_model_weights(_root_of_weights(file), model)
            read_seeds(file, model)
            if compile:
                with generations.reading(_training_generations(file)):
                    _compile(model, file)
    return model


def _model_config(file):
    text = _text(file.attrs['model_config'])
    config = parse_json(text, 'model_config')
    if values.may_be_in(text):
        config = values.decoded(config)
    if not isinstance(config, dict):
        raise ValueError('The model_config of %s is no config of a model: %.200r' % (file.filename, config))
    if 'written_by' in file.attrs:  # ours say all, whatever version others are told
        return config
    return versions.completed(config, _text(file.attrs.get('keras_version', '1')))


def _generations(file):
    """The generations of what is in the file, see `generations.of_parts`. Files of early Keras 1 say nothing."""
    if 'keras_generations' in file.attrs:
        return parse_json(_text(file.attrs['keras_generations']))
    return generations.of_version(_text(file.attrs.get('keras_version', '1')))


def _training_generations(file):
    if 'training_generations' in file.attrs:
        return parse_json(_text(file.attrs['training_generations']))
    return config.get_generation()


def pickle_model(model):
    """The bytes of an HDF5 file with the model, for `pickle`."""
    target = io.BytesIO()
    save_model(model, target)
    return target.getvalue()


def unpickle_model(state):
    """The model from what `pickle_model` gave."""
    with reading(io.BytesIO(state)) as file:
        return load_model(file, compile='training_config' in file.attrs)


def _compile(model, file):
    if 'training_config' not in file.attrs:
        warnings.warn('No training configuration found in the file: the model was not compiled. Compile it to train '
                      'or evaluate it.', stacklevel=3)
        return
    settings = parse_json(_text(file.attrs['training_config']), 'training_config')
    training_config.compile_from(model, values.decoded(settings))
    if 'optimizer_weights' in file:
        names, arrays = _optimizer_state(model, file)
        turned = _is_turned(_root_of_weights(file))
        training_config.restore_optimizer(model, names, arrays, lambda slot, array: (
            _turn_over(array) if turned and slot.layout == 'conv_kernel' else array))


def _is_turned(group):
    """Whether an engine held the weights in a group that turns kernels over."""
    backend = _text(group.attrs.get('backend', ''))
    names = [name for layer in load_attributes(group, 'layer_names')
             for name in load_attributes(_layer_group(group, layer), 'weight_names')]
    return backend in TURNED_CONVENTIONS or not backend and keras1.is_keras_1(names) and keras1.is_of_theano(names)


def _optimizer_state(model, file):
    """The names and arrays of the state of the optimizer in a file."""
    names, data_sets = _data_sets(file['optimizer_weights'])
    arrays = [data.read() for data in data_sets]
    group = _root_of_weights(file)

    def names_of(layer):
        return load_attributes(_layer_group(group, layer.name), 'weight_names') if layer.name in group else []
    if all(keras1.is_keras_1(names_of(layer)) for layer in keras1.unmerged(model.layers) if layer.weights_by_kind):
        state = keras1.optimizer_state(model, names_of, arrays)
        if state is not None:
            return ['training/update:0'] * len(state), state
    return names, arrays
