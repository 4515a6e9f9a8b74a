"""Checkpoints by Orbax: folders that `keras.callbacks.OrbaxCheckpoint` and Keras 3's write, named by their steps.

    5/pytree          the variables as `Model.get_state_tree` gives them
    5/model_config    {'config': the model in the form of `.keras` files as JSON, 'metadata': as in these; ours}
    5/assets          the bytes of the files that layers write themselves, in dictionaries by their paths

Arrays are read by Orbax, into numbers and nothing else; the description of the model goes through the same checks as
that in a `.keras` file.
"""
import functools
import json
import os
import re
import stat
import warnings

import numpy as np

from keras.configurable import json_value
from keras.saving import archive, forms
from keras.saving.opening import UNPACKED_FREELY, UNPACKED_TIMES, RefusedFile, check_entries
from keras.saving.serialization import CustomObjectScope
from keras.saving.texts import parse_json

STATE, MODEL, ASSETS = 'pytree', 'model_config', 'assets'
_DEEPEST = 50
_WEIGHTS = ('trainable_variables', 'non_trainable_variables')


def library():
    """The interface of Orbax.

    Raises:
        ImportError: where it is missing or too old, with the command that installs it.
    """
    try:
        import orbax.checkpoint
        return orbax.checkpoint.v1
    except (ImportError, AttributeError) as error:
        raise ImportError('OrbaxCheckpoint requires the \'orbax-checkpoint\' package, which needs JAX. You can install '
                          'it via pip install orbax-checkpoint (0.11.25 or later): %s' % error) from error


# --- writing ------------------------------------------------------------------------------------------------------

def content(model, weights_only=False):
    """What a checkpoint of a model holds: {name: nested dictionaries}."""
    tree = model.get_state_tree('numpy_array')
    if weights_only:
        return {STATE: {part: tree[part] for part in _WEIGHTS}}
    text = json.dumps(forms.KERAS3(model), default=json_value)
    found = {STATE: tree, MODEL: {'config': text, 'metadata': archive.metadata_of(model)}}
    assets = {}
    for name, data in archive.assets_of(model):
        pieces = name.split('/')
        place = assets
        for piece in pieces[:-1]:
            place = place.setdefault(piece, {})
        place[pieces[-1]] = np.frombuffer(data, 'uint8')
    if assets:
        found[ASSETS] = assets
    return found


# --- reading ------------------------------------------------------------------------------------------------------

def is_checkpoint(path):
    """Whether a folder is a checkpoint of a model, or holds some."""
    return os.path.isdir(path) and (os.path.isdir(os.path.join(path, STATE)) or bool(_steps_in(path)))


def _steps_in(path):
    """{step: the name of its folder}."""
    return {int(name): name for name in os.listdir(path)
            if re.match('[0-9]+$', name) and os.path.isdir(os.path.join(path, name, STATE))}


def step_of(path, step=None):
    """The folder of one checkpoint: that of a step, or else the latest in `path`, or `path` itself.

    Raises:
        FileNotFoundError: where it is not there.
    """
    path = os.path.abspath(os.fspath(path))
    if step is None and os.path.isdir(os.path.join(path, STATE)):
        return path
    steps = _steps_in(path) if os.path.isdir(path) else {}
    if not steps or step is not None and step not in steps:
        raise FileNotFoundError('%s holds no checkpoint%s. It has: %s.' % (
            path, '' if step is None else ' of step %d' % step, ', '.join(map(str, sorted(steps))) or 'none'))
    return os.path.join(path, steps[max(steps) if step is None else step])


def _read(folder, name, expected=0):
    """What stands under a name of a checkpoint.

    Args:
        expected: as many bytes of arrays are read however small the files are.

    Raises:
        RefusedFile: where the folder holds links or what is no file, its arrays are out of all proportion to its files,
            or Orbax cannot make anything of it.
    """
    stored = 0
    for place, folders, files in os.walk(folder):
        for each in folders + files:
            status = os.lstat(os.path.join(place, each))
            kind, stored = status.st_mode, stored + status.st_size
            if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
                raise RefusedFile('The checkpoint %s is not read: %s in it is neither a file nor a folder.'
                                  % (folder, os.path.relpath(os.path.join(place, each), folder)))
    checkpoints = library()
    try:
        # Before anything is unpacked: an array may be announced that no memory holds.
        wanted = _bytes_in(checkpoints.checkpointables_metadata(folder).metadata[name])
        most = max(UNPACKED_FREELY, UNPACKED_TIMES * stored, expected)
        if wanted > most:
            raise RefusedFile('The checkpoint %s is not read: its files of %d bytes announce %d bytes of arrays in %s. '
                              'Up to %d are read.' % (folder, stored, wanted, name, most))
        return checkpoints.load_checkpointables(folder, {name: None})[name]
    except RefusedFile:
        raise
    except Exception as error:  # Orbax has errors of its own for each way in which a folder can be damaged
        raise RefusedFile('The checkpoint %s cannot be read (%s: %.500s). The usual cause: it is damaged, or was made '
                          'by something else.' % (folder, type(error).__name__, error)) from error


def _bytes_in(tree):
    """The size of the arrays that the metadata of a checkpoint announces, unpacked."""
    if isinstance(tree, dict):
        return sum(map(_bytes_in, tree.values()))
    if isinstance(tree, (list, tuple)):
        return sum(map(_bytes_in, tree))
    shape, dtype = getattr(tree, 'shape', None), getattr(tree, 'dtype', None)
    if shape is None or dtype is None:
        return 0
    size = np.dtype(dtype).itemsize
    for one in shape:
        size *= int(one)
    return size


def load_model(path, custom_objects=None, compile=True):
    """The model in a checkpoint, with its state.

    Args:
        path: folder of a checkpoint, or one that holds some, of which the latest is read.
        custom_objects: {name: class or function} of your own. compile: whether to compile it.

    Raises:
        ValueError: for a checkpoint of weights alone, and where something does not fit.
    """
    folder = step_of(path)
    if not os.path.isdir(os.path.join(folder, MODEL)):
        raise ValueError('%s does not contain model configuration: it holds weights alone, as `save_weights_only=True` '
                         'writes it. Build the model, then call `model.load_weights`.' % folder)
    described = _read(folder, MODEL)
    text = described.get('config') if isinstance(described, dict) else None
    if not isinstance(text, str):
        raise ValueError('%s: the description of the model is none: %.100r' % (folder, described))
    check_entries(text.encode('utf-8'), folder, len(text))
    metadata = described.get('metadata')
    with CustomObjectScope(custom_objects or {}):
        model = archive.model_from(parse_json(text, folder), metadata if isinstance(metadata, dict) else {}, compile)
        if os.path.isdir(os.path.join(folder, ASSETS)):
            files = dict(_files(_read(folder, ASSETS), ()))
            archive.give_assets(model, {name: functools.partial(bytes, data) for name, data in files.items()})
        load_weights(model, folder)
    return model


def _files(tree, path):
    """(path, bytes) of each file."""
    for name, part in tree.items():
        pieces = path + (str(name),)
        if name in ('', '.', '..') or len(pieces) > _DEEPEST or any(sign in pieces[-1] for sign in '/\\:\0'):
            raise RefusedFile('The checkpoint has a file that is called %.200r.' % ('/'.join(pieces),))
        if isinstance(part, dict):
            for pair in _files(part, pieces):
                yield pair
        else:
            yield '/'.join(pieces), np.asarray(part, 'uint8').tobytes()


def load_weights(model, path):
    """Set the variables of a model from those in a checkpoint, the state of its optimizer included where it has one.

    Raises:
        ValueError: where it is that of another model.
    """
    folder = step_of(path)
    own = model.get_state_tree('numpy_array')
    # Four times the model: the state of an optimizer with averages that the model is not compiled with.
    found = _read(folder, STATE, 4 * _bytes_in(own))
    if not isinstance(found, dict):
        raise ValueError('%s holds no variables of a model: %.100r' % (folder, found))
    wanted = {part: _by_path(found.get(part) or {}) for part in own}
    if wanted['optimizer_variables'] and getattr(model, 'optimizer', None) is not None:
        model.optimizer.build(model.trainable_variables)
        own = model.get_state_tree('numpy_array')
    for part in _WEIGHTS:
        missing = set(_by_path(own[part])) - set(wanted[part])
        if missing:
            raise ValueError('%s is the checkpoint of another model: it has no %s among its %s, but: %s.' % (
                folder, ', '.join(sorted('/'.join(path) for path in missing)), part,
                ', '.join(sorted('/'.join(path) for path in wanted[part])) or 'none'))
    _warn_of_state(wanted['optimizer_variables'], _by_path(own['optimizer_variables']), folder)
    fitting = {}
    for part, values in wanted.items():
        places = _by_path(own[part])
        # A model that is not compiled, or has not met these metrics, has no use for the rest.
        fitting[part] = _nested({path: np.asarray(value) for path, value in values.items()
                                 if part in _WEIGHTS or path in places})
    model.set_state_tree(fitting)


def _warn_of_state(found, own, folder):
    """Say so where the state of the optimizer is another one's; a model that is not compiled has no use for it."""
    missing, left = set(own) - set(found), set(found) - set(own)
    if found and own and (missing or left):
        warnings.warn('%s holds the state of another optimizer: it has no %s, and %s has no place here. What is '
                      'missing stays as it is.' % (folder, _listed(missing), _listed(left)), stacklevel=4)


def _listed(paths):
    return ', '.join(sorted('/'.join(path) for path in paths)) or 'other variable'


def _by_path(tree, path=()):
    """{path: value} of what stands in nested dictionaries."""
    found = {}
    for name, part in tree.items():
        if isinstance(part, dict):
            found.update(_by_path(part, path + (name,)))
        else:
            found[path + (name,)] = part
    return found


def _nested(values):
    tree = {}
    for path, value in values.items():
        place = tree
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
    return tree
