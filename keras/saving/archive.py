"""Models and weights in the formats of Keras 3.

A `.keras` file is a zip archive:

    metadata.json       keras_version, date_saved; ours also written_by and keras_generations, and, where it was
                        compiled under others, training_generations
    config.json         the model in the form of `saving.forms`, its compile_config among it
    model.weights.h5    all variables; alone this is what `.weights.h5` files are
    assets/             files that layers write themselves

Where the variables stand says `states`.
"""
import contextlib
import functools
import json
import os
import tempfile
import time
import zipfile
import zlib

from keras import generations
from keras.configurable import json_value
from keras.saving import forms, training_config, values, versions
from keras.saving.kinds import kind_in
from keras.saving.opening import LONGEST_TEXT, RefusedFile, check_entries, open_archive, open_file, open_hdf5
from keras.saving.texts import parse_json
from keras.saving.serialization import CustomObjectScope, SafeModeScope
from keras.saving.states import as_in_2_12, groups_of_variables, read_states, states, write_states
from keras.saving.writing import whole_file, writing_hdf5

METADATA, CONFIG, WEIGHTS, ASSETS = 'metadata.json', 'config.json', 'model.weights.h5', 'assets'
# The release of Keras 3 whose format this is; readers of Keras 3 look at its first number.
FORMAT_VERSION = '3.15.1'


# --- whole models -------------------------------------------------------------------------------------------------

def save_model(model, filepath, include_optimizer=True):
    """Write a model as a `.keras` archive.

    Args:
        filepath: path, or binary file object. include_optimizer: whether the training configuration and the state of
            the optimizer go along.
    """
    texts = {METADATA: json.dumps(metadata_of(model)), CONFIG: json.dumps(_config_of(model, include_optimizer),
                                                                          default=json_value)}
    with contextlib.ExitStack() as stack:
        file = filepath if hasattr(filepath, 'write') else stack.enter_context(whole_file(filepath))
        with zipfile.ZipFile(file, 'w') as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
            with _hdf5_member(archive, WEIGHTS) as weights:
                write_states(weights, model, include_optimizer)
            _write_assets(archive, model)


def metadata_of(model):
    """What a file says of itself."""
    from keras.version import __version__
    found = {'keras_version': FORMAT_VERSION, 'date_saved': time.strftime('%Y-%m-%d@%H:%M:%S'),
             'written_by': 'keras ' + __version__, 'keras_generations': generations.of_parts(model)}
    if getattr(model, 'optimizer', None) is not None:
        made_under = training_config.generations_of(model)
        if made_under != {'': generations.of(model)}:
            found['training_generations'] = made_under
    return found


def _config_of(model, include_optimizer):
    config = forms.KERAS3(model)
    if not include_optimizer:
        config.pop('compile_config', None)
    return config


@contextlib.contextmanager
def _hdf5_member(archive, name):
    """An `h5py.File` that becomes the last member of an archive, written in its place: nothing is copied."""
    info, file = zipfile.ZipInfo(name, time.localtime()[:6]), archive.fp
    info.external_attr = 0o600 << 16
    info.CRC = info.compress_size = info.file_size = 0
    info.header_offset = archive.start_dir
    file.seek(info.header_offset)
    file.write(info.FileHeader(zip64=True))
    member = _Window(file)
    with writing_hdf5(member) as inside:
        yield inside
    info.file_size = info.compress_size = member.size
    info.CRC = member.checksum()
    file.seek(info.header_offset)
    file.write(info.FileHeader(zip64=True))
    archive.start_dir = member.start + member.size
    file.seek(archive.start_dir)
    archive.filelist.append(info)
    archive.NameToInfo[name] = info


class _Window:
    """What follows the position of a file, as a file."""

    def __init__(self, file):
        self.file = file
        self.start = file.tell()
        self.size = self._position = 0

    def seek(self, offset, whence=os.SEEK_SET):
        self._position = offset + (0, self._position, self.size)[whence]
        return self._position

    def tell(self):
        return self._position

    def write(self, data):
        self.file.seek(self.start + self._position)
        self.file.write(data)
        self._position += memoryview(data).nbytes
        self.size = max(self.size, self._position)
        return memoryview(data).nbytes

    def readinto(self, buffer):
        view = memoryview(buffer).cast('B')
        self.file.seek(self.start + self._position)
        data = self.file.read(len(view))
        view[:len(data)] = data
        view[len(data):] = bytes(len(view) - len(data))
        self._position += len(view)
        return len(view)

    def read(self, size):
        data = bytearray(size)
        self.readinto(data)
        return bytes(data)

    def truncate(self, size=None):
        self.size = self._position if size is None else size
        self.file.truncate(self.start + self.size)
        return self.size

    def flush(self):
        self.file.flush()

    def checksum(self):
        """The CRC-32 of all of it."""
        self.file.seek(self.start)
        found, rest = 0, self.size
        while rest:
            part = self.file.read(min(rest, 1 << 20))
            found, rest = zlib.crc32(part, found), rest - len(part)
        return found


def _with_assets(model, method):
    return [(path, owner) for path, owner in states(model) if hasattr(owner, method)]


def _write_assets(archive, model):
    for name, data in assets_of(model):
        archive.writestr('/'.join([ASSETS, name]), data)


def assets_of(model):
    """(path, bytes) of the files that layers write themselves."""
    for path, owner in _with_assets(model, 'save_assets'):
        with tempfile.TemporaryDirectory() as folder:
            owner.save_assets(folder)
            for here, _, names in os.walk(folder):
                for name in names:
                    inside = os.path.relpath(os.path.join(here, name), folder).replace(os.sep, '/')
                    with open(os.path.join(here, name), 'rb') as file:
                        yield '/'.join([path, inside]), file.read()


class Folder:
    """The files in a folder, as the members of an `Archive`."""

    def __init__(self, path):
        self.filename = path
        self.names = sorted(os.path.relpath(os.path.join(here, name), path).replace(os.sep, '/')
                            for here, _, names in os.walk(path) for name in names)
        # A link to nowhere, as editors leave them, is not a file.
        self.names = [name for name in self.names if os.path.exists(self._path(name))]
        self.nbytes = sum(self.size(name) for name in self.names)

    def __contains__(self, name):
        return name in self.names

    def _path(self, name):
        return os.path.join(self.filename, *name.split('/'))

    def size(self, name):
        """How many bytes a file has."""
        return os.path.getsize(self._path(name))

    def read(self, name, limit=LONGEST_TEXT):
        """The bytes of a file, at most `limit`.

        Raises:
            RefusedFile: where it is larger, or no regular file.
        """
        if self.size(name) > limit:
            raise RefusedFile('%s: %s has %d bytes, more than the %d that are read.'
                              % (self.filename, name[:200], self.size(name), limit))
        with open_file(self._path(name)) as file:
            return file.read()

    def open_hdf5(self, name):
        """The root of an HDF5 file, for a `with` block."""
        return open_hdf5(self._path(name))


@contextlib.contextmanager
def _opened(source):
    """The `Archive` at a path, or the `Folder` that one was unpacked to."""
    if isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
        yield Folder(os.fspath(source))
        return
    with open_archive(source) as archive:
        yield archive


def load_model(filepath, custom_objects=None, compile=True):
    """The model in a `.keras` archive, compiled as it was, the state of its optimizer included.

    Args:
        filepath: path, also of a folder with its members, or binary file object.
        custom_objects: {name: class or function} of your own.
        compile: whether to compile it.
    """
    with _opened(filepath) as archive, CustomObjectScope(custom_objects or {}):
        metadata = _content(archive, METADATA)
        model = model_from(_content(archive, CONFIG), metadata, compile)
        _read_assets(archive, model)
        _check_members(archive, WEIGHTS)
        with archive.open_hdf5(WEIGHTS) as file:
            read_states(file, model)
    return model


def model_from(config, metadata, compile=True):
    """The model that a config describes, compiled as it was.

    Args:
        config, metadata: what the file says of the model and of itself. compile: whether to compile it.
    """
    config = values.decoded(config)
    versions.completed(config, metadata.get('keras_version', '3'))
    with generations.reading(generations_in(metadata)):
        model = kind_in('keras.models').deserialize(config)
    compile_config = config.get('compile_config')
    if compile and compile_config:
        with generations.reading(metadata.get('training_generations') or generations.of(model)):
            model.compile_from_config(compile_config)
    return model


def _content(archive, name):
    """What a member of an archive says, a dictionary."""
    _check_members(archive, name)
    text = archive.read(name)
    check_entries(text, archive.filename, archive.nbytes)
    found = parse_json(text, name)
    if not isinstance(found, dict):
        raise ValueError('%s is no model in the format of Keras 3: its %s says %.100r'
                         % (archive.filename, name, found))
    return found


def _check_members(archive, *names):
    missing = [name for name in names if name not in archive]
    if missing:
        raise ValueError('%s is no whole model in the format of Keras 3: there is no %s in it, but: %.200s'
                         % (archive.filename, ' and no '.join(missing), ', '.join(archive.names) or 'nothing'))


def generations_in(metadata):
    """The generations of what is in a file, from its metadata."""
    return metadata.get('keras_generations') or generations.of_version(str(metadata.get('keras_version', '3')))


def _read_assets(archive, model):
    prefix = ASSETS + '/'
    names = [name for name in archive.names if name.startswith(prefix) and not name.endswith('/')]
    give_assets(model, {name[len(prefix):]: functools.partial(archive.read, name) for name in names})


def give_assets(model, files):
    """Have layers read the files that they have written themselves.

    Args:
        files: {path: function that gives the bytes}.
    """
    for path, owner in _with_assets(model, 'load_assets'):
        for prefix in (path + '/', as_in_2_12(path) + '/'):
            inside = [name for name in files if name.startswith(prefix)]
            if inside:
                break
        with tempfile.TemporaryDirectory() as folder:
            for name in inside:
                target = os.path.join(folder, *name[len(prefix):].split('/'))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, 'wb') as file:
                    file.write(files[name]())
            if inside:
                with SafeModeScope(None):  # the files in the folder come from the archive itself
                    owner.load_assets(folder)


# --- weights alone ------------------------------------------------------------------------------------------------

def save_weights(model, filepath, skip=()):
    """Write all variables of a model, those of the optimizer included, as a `.weights.h5` file."""
    with writing_hdf5(filepath) as file:
        write_states(file, model, skip=skip)


def is_in_full(file):
    """Whether an open HDF5 file has the layout of `.weights.h5`."""
    if 'layer_names' in file.attrs or 'layer_names0' in file.attrs or 'model_weights' in file:
        return False
    # Each object has a group for its variables, even if there are none in it; tf.keras 2.12 called layers otherwise.
    return 'vars' in file or 'layers' in file or '_layer_checkpoint_dependencies' in file \
        or bool(groups_of_variables(file))


def load_weights_of_model(model, filepath, skip_mismatch=False):
    """Set all variables of a model from those in a `.keras` archive."""
    with _opened(filepath) as archive:
        _check_members(archive, WEIGHTS)
        with archive.open_hdf5(WEIGHTS) as file:
            read_states(file, model, skip_mismatch)
