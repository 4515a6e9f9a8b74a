"""Models and weights in the HDF5 format of Keras 2.

    attributes  model_config, training_config (JSON), keras_version, backend
    model_weights/            attribute layer_names
        LAYER/                attribute weight_names; one data set per weight, under its name
    optimizer_weights/        attribute weight_names; likewise
    top_level_model_weights/  weights that a subclassed model holds itself

A file of weights only has the inside of `model_weights` at its root. h5py is imported when a file is first touched.
"""
import contextlib
import io
import json
import os
import shutil
import threading
import warnings

import numpy as np

from keras.saving import training_config
from keras.saving.serialization import CustomObjectScope

# HDF5 keeps the attributes of a group in a header that cannot be larger than 64 KiB, less its own overhead.
HDF5_OBJECT_HEADER_LIMIT = 64512

# The `backend` written into files says how convolution kernels are stored. Ours are correlated, with the layout
# (spatial, in, out), on every engine, which readers know under this name; files of the others are turned over.
KERNEL_CONVENTION = 'tensorflow'
TURNED_CONVENTIONS = ('theano',)
_WITH_CONVOLUTION_KERNELS = ('Conv1D', 'Conv2D', 'Conv3D', 'Conv2DTranspose', 'Conv3DTranspose', 'ConvLSTM2D',
                             'ConvLSTM2DCell')


# --- files --------------------------------------------------------------------------------------------------------

def _text(value):
    """A string from what different h5py versions give for one."""
    return value.decode('utf-8') if isinstance(value, bytes) else str(value)


def _is_group(target):
    return hasattr(target, 'attrs') and hasattr(target, 'create_group')


def _is_path(target):
    return isinstance(target, (str, bytes)) or hasattr(target, '__fspath__')


def _check_target(target):
    if not (_is_group(target) or _is_path(target) or hasattr(target, 'read') or hasattr(target, 'write')):
        raise ValueError('Expected a path, an open h5py file or group, or a binary file object. Received: %r'
                         % (target,))


@contextlib.contextmanager
def reading(source):
    """The HDF5 group in `source`: a path, an open `h5py.File` or group, or a binary file object.

    Raises:
        OSError: if there is no such file, or it is no whole HDF5 file.
    """
    import h5py
    _check_target(source)
    if _is_group(source):
        yield source
        return
    if _is_path(source) and not os.path.exists(source):
        raise FileNotFoundError('There is no file %s.' % os.fspath(source))
    try:
        file = h5py.File(os.fspath(source) if _is_path(source) else source, 'r')
    except OSError as error:
        raise _unreadable(source, error)
    with file:
        yield file


def _unreadable(source, error):
    with contextlib.suppress(OSError, TypeError):
        with open(os.fspath(source), 'rb') as file:
            if file.read(2) == b'PK':
                return OSError('%s is a zip archive, probably a model in the `.keras` format of Keras 3, which is not '
                               'read yet. Save the model as HDF5 (a name ending in .h5) to load it here.' % source)
    return OSError('%s cannot be read as an HDF5 file (%s). The usual cause: it was cut short while it was written, '
                   'copied or downloaded, or it holds something else.' % (source, error))


@contextlib.contextmanager
def writing(target):
    """An empty HDF5 group to write to `target`: a path, an open `h5py.File` or group, or a binary file object.

    A path is written under a temporary name beside it and renamed at the end, so that after a failure an existing
    file is what it was.
    """
    import h5py
    _check_target(target)
    if _is_group(target):
        yield target
    elif not _is_path(target):
        with h5py.File(target, 'w') as file:
            yield file
    else:
        path = os.path.realpath(os.fspath(target))
        partial = '%s.%d-%d.partial' % (path, os.getpid(), threading.get_ident())
        try:
            with h5py.File(partial, 'w') as file:
                yield file
            if os.path.exists(path):
                shutil.copymode(path, partial)
            os.replace(partial, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(partial)


def ask_to_proceed_with_overwrite(filepath):
    """Ask on the terminal whether `filepath` may be overwritten."""
    answer = ''
    while answer not in ('y', 'n'):
        answer = input('[WARNING] %s already exists - overwrite? [y/n] ' % (filepath,)).strip().lower()
    return answer == 'y'


def _may_write(target, overwrite):
    if overwrite or not _is_path(target) or not os.path.exists(target):
        return True
    return ask_to_proceed_with_overwrite(os.fspath(target))


def save_attributes(group, name, values):
    """Write a list of names as the attribute `name`, split into `name0`, `name1`, ... where it is too large for one.

    Raises:
        RuntimeError: if a single entry is larger than an attribute may be.
    """
    encoded = [value.encode('utf-8') for value in values]
    too_long = [value for value in values if len(value.encode('utf-8')) > HDF5_OBJECT_HEADER_LIMIT]
    if too_long:
        raise RuntimeError('A name of %d characters is too long for HDF5, which allows %d bytes: %s...'
                           % (len(too_long[0]), HDF5_OBJECT_HEADER_LIMIT, too_long[0][:60]))
    longest = max((len(value) for value in encoded), default=1)
    per_chunk = max(HDF5_OBJECT_HEADER_LIMIT // longest, 1)
    chunks = [encoded[start:start + per_chunk] for start in range(0, len(encoded), per_chunk)]
    if len(chunks) <= 1:
        group.attrs[name] = encoded
        return
    for number, chunk in enumerate(chunks):
        group.attrs['%s%d' % (name, number)] = chunk


def load_attributes(group, name):
    """The list of names that `save_attributes` wrote."""
    if name in group.attrs:
        return [_text(value) for value in group.attrs[name]]
    found, number = [], 0
    while '%s%d' % (name, number) in group.attrs:
        found.extend(_text(value) for value in group.attrs['%s%d' % (name, number)])
        number += 1
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


def _save_weights(group, variables):
    names = _weight_names(variables)
    save_attributes(group, 'weight_names', names)
    for name, variable in zip(names, variables):
        group.create_dataset(name, data=variable.numpy())


def _loose_weights(model):
    """Weights of `model` that belong to none of its layers."""
    inside = {id(weight) for layer in model.layers for weight in layer.weights}
    return [weight for weight in model.weights if id(weight) not in inside]


def save_weights_to_hdf5_group(group, layers):
    """Write the weights of a list of layers into an HDF5 group."""
    from keras.version import __version__
    save_attributes(group, 'layer_names', [layer.name for layer in layers])
    group.attrs['backend'] = KERNEL_CONVENTION.encode('utf-8')
    group.attrs['keras_version'] = __version__.encode('utf-8')
    for layer in layers:
        _save_weights(group.create_group(layer.name), layer.weights)


def _save_model_weights(group, model):
    save_weights_to_hdf5_group(group, model.layers)
    loose = _loose_weights(model)
    if loose:
        _save_weights(group.create_group('top_level_model_weights'), loose)


def save_model(model, filepath, overwrite=True, include_optimizer=True, **kwargs):
    """Save architecture, weights, training configuration and optimizer state in one HDF5 file.

    Args:
        model: the model. filepath: path, open `h5py.File` or group, or binary file object.
        overwrite: False asks on the terminal before an existing file is replaced.
        include_optimizer: whether to save the training configuration and the optimizer's state.

    Raises:
        ValueError: for a name that ends in `.keras`. NotImplementedError: for a subclassed model without
            `get_config`. TypeError: if a config holds something that JSON cannot.

    Example:
        >>> keras.models.save_model(model, 'model.h5')
    """
    if _is_path(filepath) and os.fspath(filepath).endswith('.keras'):
        raise ValueError('Models are saved in the HDF5 format, not in the `.keras` format of Keras 3: choose a name '
                         'that ends in .h5. Received: %s' % filepath)
    from keras.version import __version__
    architecture = {'class_name': type(model).__name__, 'config': model.get_config()}
    attributes = {'model_config': to_json(architecture), 'keras_version': __version__, 'backend': KERNEL_CONVENTION}
    optimizer = getattr(model, 'optimizer', None) if include_optimizer else None
    if optimizer is not None:
        attributes['training_config'] = to_json(training_config.of_model(model))
    if not _may_write(filepath, overwrite):
        return
    with writing(filepath) as file:
        for name, value in attributes.items():
            file.attrs[name] = value.encode('utf-8')
        _save_model_weights(file.create_group('model_weights'), model)
        if optimizer is not None and optimizer.built:
            _save_weights(file.create_group('optimizer_weights'), optimizer.variables)


def to_json(config):
    """JSON text of a config that may hold NumPy values and nested objects."""
    return json.dumps(config, default=_json_value)


def _json_value(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if hasattr(value, 'get_config'):
        return {'class_name': type(value).__name__, 'config': value.get_config()}
    if callable(value) and hasattr(value, '__name__'):
        return value.__name__
    raise TypeError('%r of type %s cannot be saved. The usual cause: `get_config` of a custom layer returns an object '
                    'instead of plain values.' % (value, type(value).__name__))


def save_weights(model, filepath, overwrite=True, **kwargs):
    """Save the weights of all layers in an HDF5 file; arguments as in `save_model`.

    Raises:
        ValueError: if the model has no weights yet.
    """
    if not model.built and not model.weights:
        raise ValueError('Model %s has no weights yet, so there is nothing to save. Call it on data, or `build` it, '
                         'first.' % model.name)
    if _may_write(filepath, overwrite):
        with writing(filepath) as file:
            _save_model_weights(file, model)


# --- weights from files -------------------------------------------------------------------------------------------

def _read_arrays(group):
    """([name], [array]) of the weights in a group.

    Raises:
        OSError: where the file says there is one but it is not there or damaged.
    """
    names = load_attributes(group, 'weight_names')
    try:
        return names, [np.asarray(group[name]) for name in names]
    except (OSError, KeyError, RuntimeError) as error:
        raise OSError('The weights in %s of %s cannot be read (%s). The file is damaged or was cut short.'
                      % (group.name, getattr(group.file, 'filename', 'the file'), error))


def _root_of_weights(file):
    has_names = 'layer_names' in file.attrs or 'layer_names0' in file.attrs
    group = file['model_weights'] if not has_names and 'model_weights' in file else file
    if 'layer_names' not in group.attrs and 'layer_names0' not in group.attrs:
        raise ValueError('%s holds no weights in a Keras HDF5 format: there is no list of layer names in it.'
                         % getattr(file, 'filename', 'The file'))
    return group


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


def _turned_kernels(layer):
    """Ids of the variables inside `layer` that are convolution kernels."""
    found = set()
    for inner in layer._flatten_layers():
        if type(inner).__name__ in _WITH_CONVOLUTION_KERNELS:
            found.update(id(weight) for weight in inner.weights if weight.ndim >= 3)
    return found


def _turn_over(kernel):
    spatial = tuple(slice(None, None, -1) for _ in range(kernel.ndim - 2))
    return kernel[spatial]


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
        self.turned = _text(group.attrs.get('backend', '')) in TURNED_CONVENTIONS
        self.pairs = []

    def names_with_weights(self):
        names = load_attributes(self.group, 'layer_names')
        return [name for name in names if load_attributes(self.group[name], 'weight_names')]

    def take(self, layer, variables, name):
        """Note the arrays of the file's layer `name` for `variables` of `layer`."""
        names, arrays = _read_arrays(self.group[name])
        if len(arrays) != len(variables):
            self._mismatch('Layer %s has %d weights (%s), the file has %d for it (%s, layer %s).%s'
                           % (layer.name, len(variables), ', '.join(variable.name for variable in variables),
                              len(arrays), ', '.join(names), name,
                              '' if layer.built else ' The layer is not built yet.'))
            return
        turned = _turned_kernels(layer) if self.turned else ()
        pairs = []
        for variable, array in zip(variables, _in_order_of(variables, names, arrays)):
            if array.shape != variable.shape and self.reshape and array.size == variable.size:
                array = array.reshape(variable.shape)
            if array.shape != variable.shape:
                self._mismatch('Layer %s: weight %s has shape %s, the file has shape %s for it (layer %s).'
                               % (layer.name, variable.name, variable.shape, array.shape, name))
                return
            pairs.append((variable, _turn_over(array) if id(variable) in turned else array))
        self.pairs.extend(pairs)

    def _mismatch(self, message):
        if not self.skip_mismatch:
            raise ValueError(message + ' The usual cause: the file was written by a model of another architecture.')
        warnings.warn(message + ' It was skipped.', stacklevel=4)

    def assign(self):
        for variable, array in self.pairs:
            variable.assign(array)


def _pair_in_order(reader, layers):
    names = reader.names_with_weights()
    layers = [layer for layer in layers if layer.weights]
    if len(layers) != len(names):
        raise ValueError('The file has weights for %d layers (%s), the model has %d layers with weights (%s). The '
                         'usual cause: the file was written by a model of another architecture; `by_name=True` '
                         'loads the layers whose names agree.'
                         % (len(names), ', '.join(names), len(layers), ', '.join(layer.name for layer in layers)))
    for layer, name in zip(layers, names):
        reader.take(layer, layer.weights, name)


def _pair_by_name(reader, layers):
    by_name = {layer.name: layer for layer in layers}
    for name in reader.names_with_weights():
        if name in by_name:
            reader.take(by_name[name], by_name[name].weights, name)


def load_weights_from_hdf5_group(f, layers, reshape=False):
    """Set the weights of a list of layers from an HDF5 group, in order; nothing is changed unless everything fits."""
    reader = _WeightReader(f, reshape)
    _pair_in_order(reader, layers)
    reader.assign()


def load_weights_from_hdf5_group_by_name(f, layers, skip_mismatch=False, reshape=False):
    """Set the weights of those layers that have a group of their name in the HDF5 group."""
    reader = _WeightReader(f, reshape, skip_mismatch)
    _pair_by_name(reader, layers)
    reader.assign()


def _load_model_weights(group, model, by_name=False, skip_mismatch=False, reshape=False):
    reader = _WeightReader(group, reshape, skip_mismatch)
    (_pair_by_name if by_name else _pair_in_order)(reader, model.layers)
    loose = _loose_weights(model)
    if loose and 'top_level_model_weights' in group:
        reader.take(model, loose, 'top_level_model_weights')
    reader.assign()


def load_weights(model, filepath, by_name=False, skip_mismatch=False, reshape=False, **kwargs):
    """Set the weights of `model` from an HDF5 file of weights, or of a whole model.

    Args:
        filepath: path, open `h5py.File` or group, or binary file object.
        by_name: for layers of the same name instead of in the order of the layers.
        skip_mismatch: leave layers that do not fit as they are, with a warning.
        reshape: accept arrays of another shape but equal size.

    Raises:
        OSError: if the file cannot be read. ValueError: if something does not fit; then no weight is changed.
    """
    if not model.built and not model.weights:
        raise ValueError('Model %s has no weights yet to load into. Call it on data, or `build` it, first.'
                         % model.name)
    with reading(filepath) as file:
        _load_model_weights(_root_of_weights(file), model, by_name, skip_mismatch, reshape)


def load_model(filepath, custom_objects=None, compile=True, **kwargs):
    """A model from an HDF5 file, with its weights, compiled as it was, optimizer state included.

    Args:
        filepath: path, open `h5py.File` or group, or binary file object.
        custom_objects: {name: class or function} of your own layers, losses, ... compile: whether to compile it.

    Raises:
        OSError: if the file cannot be read. ValueError: if it holds weights only, or names something unknown.

    Example:
        >>> model = keras.models.load_model('model.h5')
    """
    from keras.models import model_from_config
    with reading(filepath) as file, CustomObjectScope(custom_objects or {}):
        if 'model_config' not in file.attrs:
            raise ValueError('%s holds no model, only weights: build the model in code and call `model.load_weights`.'
                             % getattr(file, 'filename', 'The file'))
        model = model_from_config(json.loads(_text(file.attrs['model_config'])))
        if 'model_weights' in file:
            _load_model_weights(_root_of_weights(file), model)
        if compile:
            _compile(model, file)
    return model


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
    training_config.compile_from(model, json.loads(_text(file.attrs['training_config'])))
    if 'optimizer_weights' in file:
        training_config.restore_optimizer(model, *_read_arrays(file['optimizer_weights']))
