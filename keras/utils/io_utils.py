"""Files: rows of an HDF5 file as an array, an HDF5 file as a dictionary, and files in memory."""
import io
import os

import numpy as np

from keras.saving.hdf5 import HDF5_OBJECT_HEADER_LIMIT, ask_to_proceed_with_overwrite


class HDF5Matrix:
    """Rows of a data set in an HDF5 file, in the place of an array: they are read when they are asked for.

    Args:
        datapath: path of the file. dataset: name of the data set. start, end: the rows to use; default all.
        normalizer: a function that is applied to what is read.

    Example:
        x = keras.utils.HDF5Matrix('data.h5', 'pictures', normalizer=lambda rows: rows / 255.0)
        model.fit(x, y, shuffle='batch')
    """
    # For `fit` and its kin, which then take rows as they need them.
    reads_rows = True

    def __init__(self, datapath, dataset, start=0, end=None, normalizer=None):
        self.datapath = os.fspath(datapath)
        self.dataset = dataset
        self.normalizer = normalizer
        self._open()
        rows = self._data.shape[0]
        self.start = start
        self.end = rows if end is None else end
        if not 0 <= self.start <= self.end <= rows:
            raise ValueError('HDF5Matrix: rows from %s to %s were asked for; %r in %s has %d.'
                             % (start, end, dataset, self.datapath, rows))

    def _open(self):
        import h5py
        self._file, self._process = h5py.File(self.datapath, 'r'), os.getpid()
        if self.dataset not in self._file:
            raise KeyError('%s has no data set %r, but: %s' % (self.datapath, self.dataset, sorted(self._file)))
        self._data = self._file[self.dataset]

    @property
    def data(self):
        """The data set of h5py."""
        # Processes must not share an open file.
        if self._process != os.getpid():
            self._open()
        return self._data

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name not in ('_file', '_data')}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._open()

    def __len__(self):
        return self.end - self.start

    def __getitem__(self, key):
        rows = self._rows(key)
        return rows if self.normalizer is None else self.normalizer(rows)

    def _rows(self, key):
        if isinstance(key, slice):
            if key.stop is not None and key.stop > len(self):
                raise IndexError('HDF5Matrix: rows up to %s were asked for, there are %d.' % (key.stop, len(self)))
            # h5py reads forwards only.
            begin, end, step = key.indices(len(self))
            if step > 0:
                return self.data[self.start + begin:self.start + max(end, begin):step]
            key = np.arange(begin, end, step)
        if not isinstance(key, (int, np.integer, list, tuple, range, np.ndarray)):
            raise TypeError('HDF5Matrix: rows are chosen by an integer, a slice, a list or an array of integers. '
                             'Received: %r' % (key,))
        chosen = np.asarray(key)
        if chosen.dtype == bool:
            chosen = np.flatnonzero(chosen)
        chosen = np.where(chosen < 0, chosen + len(self), chosen).astype('int64')
        if chosen.size and (chosen.min() < 0 or chosen.max() >= len(self)):
            raise IndexError('HDF5Matrix: row %s was asked for, there are %d.' % (key, len(self)))
        if chosen.ndim == 0:
            return self.data[self.start + int(chosen)]
        # h5py wants rising numbers, each once.
        rising, where = np.unique(chosen, return_inverse=True)
        return self.data[(self.start + rising).tolist()][where.reshape(-1)]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)

    @property
    def _sample(self):
        """One row, as it comes out."""
        sample = self.data[self.start:self.start + 1]
        return sample if self.normalizer is None else np.asarray(self.normalizer(sample))

    @property
    def shape(self):
        """Tuple: the number of rows, then the shape of one."""
        return (len(self),) + tuple(self._sample.shape[1:])

    @property
    def dtype(self):
        """The dtype of what comes out."""
        return self._sample.dtype

    @property
    def ndim(self):
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self):
        """The number of entries."""
        return int(np.prod(self.shape, dtype='int64'))


class H5Dict:
    """An HDF5 group as a dictionary: arrays are data sets, dictionaries groups, everything else attributes.

    Asking for a key that is not there makes a group of that name, unless the file is open for reading only.

    Args:
        path: path of a file, a group of h5py, or a dictionary, which then holds everything in its place.
        mode: how a file is opened, as in h5py; 'w' empties a dictionary.

    Example:
        with keras.utils.H5Dict('values.h5', 'w') as values:
            values['layer']['kernel'] = np.ones((2, 3))
    """

    def __init__(self, path, mode='a'):
        import h5py
        self._is_file = isinstance(path, (str, os.PathLike))
        self.read_only = mode == 'r'
        if self._is_file:
            self.data = h5py.File(os.fspath(path), mode)
        elif isinstance(path, (h5py.Group, dict)):
            self.data = path
            if isinstance(path, dict):
                if mode == 'w':
                    path.clear()
                # Tells a dictionary that stands for a group from one that is a value.
                path['_is_group'] = True
        else:
            raise TypeError('H5Dict: required a path, a group of h5py or a dictionary. Received: %r' % (path,))

    @staticmethod
    def is_supported_type(path):
        """Whether `path` is something that H5Dict takes."""
        import h5py
        return isinstance(path, (str, os.PathLike, dict, h5py.Group))

    @property
    def _is_dict(self):
        return isinstance(self.data, dict)

    def __setitem__(self, name, value):
        if self.read_only:
            raise ValueError('Cannot set item in read-only mode.')
        if self._is_dict:
            self.data[name] = value
        elif name in self.data:
            raise KeyError('Cannot set attribute. Group with name %r exists.' % name)
        elif isinstance(value, (np.ndarray, np.generic)):
            self.data.create_dataset(name, data=value)
        elif isinstance(value, dict):
            H5Dict(self.data.create_group(name)).update(value)
        elif isinstance(value, (list, tuple)):
            self._set_list(name, value)
        else:
            # Bytes that h5py takes for text are text when they are read.
            self.data.attrs[name] = np.bytes_(value) if isinstance(value, bytes) else value

    def _set_list(self, name, values):
        """Write a list as an attribute, in several parts where HDF5 does not take it as one."""
        values = [value.encode('utf-8') if isinstance(value, str) else value for value in values]
        too_long = [value for value in values if isinstance(value, bytes) and len(value) > HDF5_OBJECT_HEADER_LIMIT]
        if too_long:
            raise RuntimeError('An entry of %r is too long for an attribute of HDF5, which holds %d bytes: %r...'
                               % (name, HDF5_OBJECT_HEADER_LIMIT, too_long[0][:60]))
        array = np.asarray(values)
        parts = -(-array.nbytes // HDF5_OBJECT_HEADER_LIMIT)
        if parts <= 1:
            self.data.attrs[name] = array
            return
        for number, part in enumerate(np.array_split(array, parts)):
            self.data.attrs['%s%d' % (name, number)] = part

    def __getitem__(self, name):
        if self._is_dict:
            if name not in self.data and not self.read_only:
                self.data[name] = {'_is_group': True}
            value = self.data[name]
            return H5Dict(value) if isinstance(value, dict) and value.get('_is_group') else value
        if name in self.data.attrs:
            value = self.data.attrs[name]
            return value.tolist() if isinstance(value, (np.bytes_, np.ndarray)) and value.dtype.kind == 'S' else value
        if name in self.data:
            value = self.data[name]
            return H5Dict(value) if hasattr(value, 'keys') else np.asarray(value[()])
        if name + '0' in self.data.attrs:
            return self._list_in_parts(name)
        if self.read_only:
            raise ValueError('Cannot create group in read-only mode: there is no %r.' % name)
        return H5Dict(self.data.create_group(name))

    def _list_in_parts(self, name):
        parts = []
        while '%s%d' % (name, len(parts)) in self.data.attrs:
            parts.append(self.data.attrs['%s%d' % (name, len(parts))])
        return np.concatenate(parts).tolist()

    def __contains__(self, name):
        if self._is_dict:
            return name in self.data
        return name in self.data or name in self.data.attrs or name + '0' in self.data.attrs

    def get(self, key, default=None):
        """The value under `key`, or `default` where there is none."""
        return self[key] if key in self else default

    def update(self, *args):
        """Set the items of dictionaries, or of lists of (name, value)."""
        for given in args:
            for name, value in dict(given).items():
                self[name] = value

    def iter(self):
        """An iterator over the names of data sets and groups."""
        return iter(self.data)

    def __iter__(self):
        return self.iter()

    def __len__(self):
        return len(self.data)

    def close(self):
        """Close the file, if this has opened it."""
        if self._is_file:
            self.data.close()
        elif not self._is_dict:
            self.data.file.flush()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


h5dict = H5Dict


def save_to_binary_h5py(save_function, stream):
    """Let `save_function(file)` write an HDF5 file in memory, and write its bytes to a stream.

    Args:
        save_function: takes a file of h5py. stream: something with `write(bytes)`.
    """
    import h5py
    memory = io.BytesIO()
    with h5py.File(memory, 'w') as file:
        save_function(file)
        file.flush()
    stream.write(memory.getvalue())


def load_from_binary_h5py(load_function, stream):
    """What `load_function(file)` returns for the HDF5 file whose bytes a stream gives.

    Args:
        load_function: takes a file of h5py. stream: something with `read()`.
    """
    import h5py
    with h5py.File(io.BytesIO(stream.read()), 'r') as file:
        return load_function(file)


def save_array(array, name):
    """Write an array into an HDF5 file called `name`."""
    import h5py
    with h5py.File(name, 'w') as file:
        file.create_dataset('array', data=array)


def load_array(name):
    """The array from a file that `save_array` wrote, or the only array of another HDF5 file.

    Raises:
        ValueError: where there are several, or none.
    """
    import h5py
    with h5py.File(name, 'r') as file:
        found = [value for value in file.values() if isinstance(value, h5py.Dataset)]
        if len(found) != 1:
            raise ValueError('load_array: %s has %d arrays, expected one.' % (name, len(found)))
        return found[0][()]
