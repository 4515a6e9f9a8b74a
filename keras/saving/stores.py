"""Arrays by name in groups of an HDF5 file, as packages keep them beside a model (low-rank updates of KerasHub)."""
import io
import os
from collections.abc import MutableMapping
from contextlib import ExitStack

import numpy as np

from keras.backend.state.variables import to_array
from keras.saving import arrays
from keras.saving.opening import Dataset, open_hdf5
from keras.saving.writing import writing_hdf5

# The group inside of each path that has the arrays, as in Keras 3's files of weights.
_ARRAYS = 'vars'


class H5IOStore:
    """An HDF5 file with named arrays in groups, which Keras 3 has at `keras.src.saving.saving_lib`.

    What is put in is written as a whole by `close`.

    Args:
        path_or_io: path, or `io.BytesIO`; with an `archive` the name of the member.
        archive: an open `zipfile.ZipFile`, which holds the file. mode: 'r' or 'w'.

    Raises:
        TypeError: for something else as `path_or_io`. ValueError: for another mode, or an archive beside a `BytesIO`.
        OSError: where the file cannot be read.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> store = keras.saving.stores.H5IOStore(file, mode='w')
        >>> store.make('lora')['rank'] = 4
        >>> store.close()
        >>> int(keras.saving.stores.H5IOStore(file).get('lora')['rank'])
        4
    """

    def __init__(self, path_or_io, archive=None, mode='r'):
        if mode not in ('r', 'w'):
            raise ValueError("`mode` should be either 'w' or 'r'. Received: %r" % (mode,))
        if isinstance(path_or_io, io.BytesIO) and archive is not None:
            raise ValueError('When `path_or_io` is an `io.BytesIO` object, `archive` should be `None`: the file is '
                             'either in the archive, under a name, or in memory.')
        if not isinstance(path_or_io, (str, io.BytesIO)) and not hasattr(path_or_io, '__fspath__'):
            raise TypeError('`path_or_io` should be a `str`, `pathlib.Path` or `io.BytesIO` object. Received: %r'
                            % (path_or_io,))
        self.mode = mode
        self._target, self._archive = path_or_io, archive
        self._groups, self._metadata = {}, {}
        self._stack = ExitStack()
        if mode == 'r':
            file = path_or_io if archive is None else io.BytesIO(archive.read(os.fspath(path_or_io)))
            self._file = self._stack.enter_context(open_hdf5(file))

    def make(self, path, metadata=None):
        """A new group: a dictionary whose values go into the file as arrays.

        Args:
            path: its name, with '/' between the parts; '' for the root. metadata: a dictionary of its attributes.

        Raises:
            ValueError: where the store reads, or the metadata are no dictionary.
        """
        if self.mode != 'w':
            raise ValueError('`make` is only allowed in write mode.')
        if not isinstance(metadata, (dict, type(None))):
            raise ValueError('`metadata` should be a dict or `None`. Received: %r' % (metadata,))
        if metadata:
            self._metadata.setdefault(path, {}).update(metadata)
        return _Group(self._groups.setdefault(path, {}), True)

    def get(self, path):
        """The arrays of a group, a dictionary; empty where there is no such group.

        Raises:
            ValueError: where the store writes.
        """
        if self.mode != 'r':
            raise ValueError('`get` is only allowed in read mode.')
        place = '%s/%s' % (path, _ARRAYS) if path else _ARRAYS
        found = self._file[place] if place in self._file else {}
        return _Group({name: item for name, item in found.items() if isinstance(item, Dataset)}, False)

    def close(self):
        """Write the file, where the store writes; let go of it, where it reads."""
        if self.mode == 'w' and self._groups is not None:
            target = self._target if self._archive is None else io.BytesIO()
            with writing_hdf5(target) as root:
                self._write(root)
            if self._archive is not None:
                self._archive.writestr(os.fspath(self._target), target.getvalue())
            self._groups = None
        self._stack.close()

    def _write(self, root):
        for path, values in self._groups.items():
            # A group without arrays and attributes is not in the file.
            if values or path in self._metadata:
                group = root.require_group('%s/%s' % (path, _ARRAYS) if path else _ARRAYS)
                for name, value in self._metadata.get(path, {}).items():
                    group.attrs[name] = value
                for name, value in values.items():
                    arrays.written(group, name, value)


class _Group(MutableMapping):
    """The arrays of one group of an `H5IOStore`."""

    def __init__(self, values, writable):
        self._values, self._writable = values, writable

    def __getitem__(self, name):
        array = np.asarray(self._values[name])
        return arrays.of_bfloat16(array) if array.dtype == arrays.BFLOAT16 else array

    def __setitem__(self, name, value):
        if not self._writable:
            raise ValueError('Setting a value is only allowed in write mode.')
        is_bfloat16 = 'bfloat16' in str(getattr(value, 'dtype', ''))
        array = np.array(to_array(value))
        self._values[name] = arrays.as_bfloat16(array) if is_bfloat16 else array

    def __delitem__(self, name):
        if not self._writable:
            raise ValueError('Deleting a value is only allowed in write mode.')
        del self._values[name]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)
