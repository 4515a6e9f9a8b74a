"""Which format a file has: by its name when it is written, by its contents when it is read.

    .h5, .hdf5        HDF5 in the layout of Keras 2 (`hdf5`)
    .weights.h5       the weights of Keras 3 (`archive`); a whole model in the layout of Keras 2
    .weights.json     those weights in several files (`shards`)
    .keras            a model of Keras 3 (`archive`)
    a folder          a SavedModel of tf.keras (`tf_files`), or checkpoints of Orbax (`orbax`); a name with .index and
                      .data files, a checkpoint of TensorFlow
    anything else     on an engine that has formats of its own those, as tf.keras does: a SavedModel for a model, a
                      checkpoint for weights; else HDF5 in the layout of Keras 2
"""
import os
import warnings
import zipfile

from keras import generations
from keras.backend.contract.loading import get_engine
from keras.backend.state.seeds import undisturbed
from keras.saving import archive, checkpoints, foreign, hdf5, orbax, shards, states, tf_files
from keras.saving.opening import in_words, kind_by_start
from keras.saving.serialization import CustomObjectScope, SafeModeScope
from keras.saving.writing import whole_folder


def _name(target):
    return os.fspath(target) if isinstance(target, (str, os.PathLike)) else ''


_FORMATS = {'keras': 'keras', 'keras_v3': 'keras', 'h5': 'h5', 'hdf5': 'h5', 'tf': 'tf'}
# Where a SavedModel of ours keeps the model itself: TensorFlow leaves that folder to whoever writes it.
EXTRA = os.path.join('assets.extra', 'model.keras')


def _format_of(target, save_format, weights=False):
    """'keras', 'h5', 'shards' or 'tf', by the argument `save_format` or the name."""
    name = _name(target)
    if name and not weights and generations.value('files_have_extensions'):
        _check_extension(name, save_format)
    if save_format is not None:
        if save_format not in _FORMATS:
            raise ValueError('Unknown save_format: %r. Expected one of: %s.' % (save_format, ', '.join(_FORMATS)))
        return _FORMATS[save_format]
    if name.endswith('.keras') or weights and name.endswith('.weights.h5'):
        return 'keras'
    if weights and name.endswith(shards.SUFFIX):
        return 'shards'
    if not name or name.endswith(('.h5', '.hdf5')):
        return 'h5'
    return 'tf' if get_engine().writes_checkpoints else 'h5'


def _check_extension(name, save_format):
    """Raise ValueError for the name of a model's file that Keras 3 does not take."""
    if name.endswith(('.keras', '.h5', '.hdf5')):
        return
    if save_format:
        raise ValueError('save_model: The `save_format` argument is deprecated in Keras 3. Leave it out, and give a '
                         'name that ends in `.keras` or `.h5`. Received: filepath=%r, save_format=%r'
                         % (name, save_format))
    raise ValueError('save_model: Invalid filepath extension for saving. Give a name that ends in `.keras` (Keras 3\'s '
                     'format) or `.h5`; `model.export` writes a SavedModel. Received: filepath=%r' % (name,))


def save_model(model, filepath, overwrite=True, include_optimizer=True, save_format=None, **kwargs):
    """Save architecture, weights, training configuration and optimizer state.

    Args:
        model: the model.
        filepath: path, open `h5py.File` or group, or binary file object. A name that ends in `.keras` asks for the
            format of Keras 3, `.h5` and `.hdf5` for HDF5 in the layout of Keras 2; any other for a SavedModel on
            TensorFlow, else for HDF5 as well.
        overwrite: False asks on the terminal before an existing file is replaced.
        include_optimizer: whether to save the training configuration and the optimizer's state.
        save_format: 'keras', 'h5' or 'tf', whatever the name is.
        zipped: False writes the members of a `.keras` archive into a folder, which `load_model` reads.

    Raises:
        NotImplementedError: for a subclassed model without `get_config`. TypeError: if a config holds something that
            JSON cannot.

    Example:
        >>> keras.saving.save_model(model, 'model.keras')
    """
    zipped = kwargs.pop('zipped', True)
    if zipped is False and _name(filepath).endswith(('.keras', '.h5', '.hdf5')):
        raise ValueError('save_model: with `zipped=False` the model is a folder, whose name should not end in '
                         '`.keras` or `.h5`. Received: %s' % filepath)
    if zipped is False and not _is_path(filepath):
        raise TypeError('save_model: with `zipped=False` the model is a folder, so `filepath` has to be the path of '
                        'one. Received: %r' % (filepath,))
    wanted = 'keras' if zipped is False else _format_of(filepath, save_format)
    _refuse_unknown('save_model', kwargs)
    if not hdf5.may_write(filepath, overwrite):
        return
    if wanted != 'h5' or not model.saves_additions():
        _warn_of_additions(model)
    if zipped is False:
        _save_unzipped(model, filepath, include_optimizer)
    elif wanted == 'keras':
        archive.save_model(model, filepath, include_optimizer)
    elif wanted == 'tf':
        _save_saved_model(model, filepath, include_optimizer)
    else:
        hdf5.save_model(model, filepath, True, include_optimizer)


# Arguments of tf.keras and Keras 3 that change nothing here, and what needs no warning.
_WITHOUT_EFFECT = {'signatures': (None,), 'options': (None,), 'save_traces': (None, True)}


class UnknownArgument(TypeError, ValueError):
    """An argument that saving does not take: a TypeError in Keras 2, in Keras 3 a ValueError."""


def _refuse_unknown(method, kwargs):
    for name, given in kwargs.items():
        if name not in _WITHOUT_EFFECT:
            raise UnknownArgument('%s: Invalid keyword arguments, such as an unknown argument %r. The following '
                                  'argument(s) are not supported: %s.'
                                  % (method, name, [name for name in kwargs if name not in _WITHOUT_EFFECT]))
        if given not in _WITHOUT_EFFECT[name]:
            warnings.warn('%s: %s=%r has no effect.' % (method, name, given), stacklevel=4)


def _warn_of_additions(model):
    added = sorted({method for method, _ in model.graph_additions() if method != 'add_update'})
    if added:
        warnings.warn('Model %s: what was given to %s outside of layers is not saved; add it to the loaded model again '
                      'before training.' % (model.name, ' and '.join(added)), stacklevel=4)


def _save_saved_model(model, filepath, include_optimizer):
    """Write what TensorFlow serves, with the model itself beside it."""
    with whole_folder(filepath) as folder:
        inside = os.path.join(folder, 'saved_model')
        model.export(inside, format='tf_saved_model', verbose=False)
        for name in os.listdir(inside):
            os.rename(os.path.join(inside, name), os.path.join(folder, name))
        os.rmdir(inside)
        archive.save_model(model, os.path.join(folder, EXTRA), include_optimizer)


def _save_unzipped(model, filepath, include_optimizer):
    with whole_folder(filepath) as folder:
        path = os.path.join(folder, 'model.keras')
        archive.save_model(model, path, include_optimizer)
        with zipfile.ZipFile(path) as file:
            file.extractall(folder)
        os.remove(path)


@undisturbed()
def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """A model from a file, with its weights, compiled as it was, optimizer state included.

    Args:
        filepath: path, open `h5py.File` or group, or binary file object.
        custom_objects: {name: class or function} of your own layers, losses, ... compile: whether to compile it.
        safe_mode: False runs functions that the file holds as code, which could do anything on this machine.

    Raises:
        OSError: if the file cannot be read. ValueError: if it holds weights only, names something unknown, or holds
            code.

    Example:
        >>> model.save('model.keras')
        >>> keras.models.load_model('model.keras').count_params() == model.count_params()
        True
    """
    if _is_path(filepath) and os.path.isfile(os.path.join(os.fspath(filepath), EXTRA)):
        filepath = os.path.join(os.fspath(filepath), EXTRA)
    with SafeModeScope(safe_mode), in_words(filepath):
        if _is_path(filepath) and tf_files.is_saved_model(filepath):
            with CustomObjectScope(custom_objects or {}):
                return tf_files.load_saved_model(filepath, compile)
        if _is_path(filepath) and orbax.is_checkpoint(filepath):
            return orbax.load_model(filepath, custom_objects, compile)
        if _is_path(filepath):
            foreign.refuse(filepath)
        load = archive.load_model if _is_archive(filepath) else hdf5.load_model
        return load(filepath, custom_objects, compile)


def _is_path(source):
    return isinstance(source, (str, os.PathLike))


def _is_archive(source):
    if _is_path(source) and os.path.isdir(source):
        return os.path.isfile(os.path.join(os.fspath(source), archive.CONFIG))
    return _is_path(source) and os.path.isfile(source) and (kind_by_start(source) == 'zip'
                                                            or zipfile.is_zipfile(source))


def save_weights(model, filepath, overwrite=True, save_format=None, max_shard_size=None, objects_to_skip=None,
                 **kwargs):
    """Save the weights.

    Args:
        filepath: as in `save_model`. A name that ends in `.weights.h5` asks for the layout of Keras 3, with the state
            of the optimizer, `.weights.json` for several such files; `.h5` and `.hdf5` for the layout of Keras 2; any
            other for a checkpoint on TensorFlow, else for the layout of Keras 2 as well.
        overwrite, save_format: as in `save_model`.
        max_shard_size: gigabytes in each of the files of `.weights.json`.
        objects_to_skip: list of layers, an optimizer and the like whose variables are left out (`.weights.h5` only).

    Raises:
        ValueError: if the model has no weights yet; for `max_shard_size` and `objects_to_skip` with another name.
    """
    _refuse_unknown('save_weights', kwargs)
    wanted = _format_of(filepath, save_format, weights=True)
    if max_shard_size is not None and wanted != 'shards':
        raise ValueError('save_weights: `max_shard_size` needs a name that ends in .weights.json. Received: %r'
                         % (filepath,))
    if objects_to_skip and wanted != 'keras':
        raise ValueError('save_weights: `objects_to_skip` needs a name that ends in .weights.h5. Received: %r'
                         % (filepath,))
    if not model.built and not model.weights:
        raise ValueError('You are saving a model that has not yet been built. Model %s has no weights yet, so there is '
                         'nothing to save. Call it on data, or `build` it, first.' % model.name)
    if not hdf5.may_write(filepath, overwrite):
        return
    if wanted == 'keras':
        archive.save_weights(model, filepath, objects_to_skip or ())
    elif wanted == 'shards':
        shards.save(model, filepath, 5 if max_shard_size is None else max_shard_size)
    elif wanted == 'tf':
        checkpoints.save(model, filepath)
    else:
        hdf5.save_weights(model, filepath)


def load_weights(model, filepath, by_name=False, skip_mismatch=False, reshape=False, objects_to_skip=None, **kwargs):
    """Set the weights of `model` from a file of weights, or of a whole model.

    Args:
        filepath: path, open `h5py.File` or group, or binary file object.
        by_name: for layers of the same name instead of in the order of the layers.
        skip_mismatch: leave layers that do not fit as they are, with a warning.
        reshape: accept arrays of another shape but equal size.
        objects_to_skip: list of layers, an optimizer and the like that are left as they are (`.weights.h5` only).

    Raises:
        OSError: if the file cannot be read. ValueError: if something does not fit; then no weight is changed.
    """
    _refuse_unknown('load_weights', kwargs)
    with in_words(filepath):
        _load_weights(model, filepath, by_name, skip_mismatch, reshape, objects_to_skip)


def _load_weights(model, filepath, by_name, skip_mismatch, reshape, skip):
    asked = by_name or reshape
    if skip is not None and not _name(filepath).endswith('.weights.h5'):
        raise ValueError("load_weights: `objects_to_skip` only supports loading '.weights.h5' files. Received: %r"
                         % (filepath,))
    skip = skip or ()
    if _is_path(filepath) and tf_files.is_saved_model(filepath):
        filepath = tf_files.checkpoint_in(filepath)
    if _is_path(filepath) and tf_files.is_checkpoint(filepath):
        _refuse_names(filepath, asked)
        tf_files.load_checkpoint(model, filepath, skip_mismatch)
        return
    if _name(filepath).endswith(shards.SUFFIX):
        _refuse_names(filepath, asked)
        shards.load(model, filepath, skip_mismatch)
        return
    if _is_path(filepath) and orbax.is_checkpoint(filepath):
        _refuse_names(filepath, asked)
        if skip_mismatch:
            raise ValueError('load_weights: skip_mismatch=True is not possible for a checkpoint of Orbax (%s), whose '
                             'variables go by their paths. Load the parts that fit by model.set_state_tree.' % filepath)
        orbax.load_weights(model, filepath)
        return
    if _is_archive(filepath):
        _refuse_names(filepath, asked)
        archive.load_weights_of_model(model, filepath, skip_mismatch)
        return
    with hdf5.reading(filepath) as file:
        if archive.is_in_full(file):
            _refuse_names(filepath, asked)
            states.read_states(file, model, skip_mismatch, skip)
            return
        hdf5.load_weights(model, file, by_name, skip_mismatch, reshape)


def _refuse_names(filepath, asked):
    if asked:
        raise ValueError("load_weights: an argument `by_name` or `reshape` only supports loading legacy '.h5' or "
                         "'.hdf5' files. %s has its weights by their places in the model: leave it out." % (filepath,))
