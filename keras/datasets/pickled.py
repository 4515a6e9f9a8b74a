"""Data sets that come as pickles, read as data: lists, dictionaries and arrays, and nothing that runs code."""
import io
import pickle

import numpy as np

from keras.saving.opening import RefusedFile, open_archive, open_file

# What arrays are made of in pickles, by all versions of NumPy.
_ALLOWED = {'numpy': ('ndarray', 'dtype'), 'numpy.core.multiarray': ('_reconstruct', 'scalar'),
            'numpy._core.multiarray': ('_reconstruct', 'scalar'), 'numpy.core.numeric': ('_frombuffer',),
            'numpy._core.numeric': ('_frombuffer',), '_codecs': ('encode',)}


class _Reader(pickle.Unpickler):
    def find_class(self, module, name):
        if name not in _ALLOWED.get(module, ()):
            raise pickle.UnpicklingError('it names %s.%s, which is no data' % (module, name))
        return super().find_class(module, name)


def load(path, encoding='ASCII'):
    """What a pickle holds.

    Args:
        path: of the file. encoding: how strings of Python 2 are read, see `pickle.load`.

    Raises:
        RefusedFile: for a pickle of anything but data, and for what is none.
    """
    with open_file(path) as file:
        return _loaded(io.BufferedReader(file) if isinstance(file, io.RawIOBase) else file, path, encoding)


def _loaded(file, path, encoding='ASCII'):
    try:
        return _Reader(file, encoding=encoding).load()
    except Exception as error:  # a damaged pickle raises anything
        raise RefusedFile('%s cannot be read as data (%s: %s). The usual cause: it is damaged, or is no part of this '
                          'data set.' % (path, type(error).__name__, error)) from error


def arrays(path):
    """{name: array} of an .npz file, in which there may be arrays of lists.

    Raises:
        RefusedFile: for a file that is none, or holds anything but data.
    """
    found = {}
    with open_archive(path) as archive:
        for name in archive.names:
            content = io.BytesIO(archive.read(name, archive.size(name)))
            found[name[:-len('.npy')]] = _array(content, '%s in %s' % (name, path))
    return found


def _array(file, path):
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    except (ValueError, SyntaxError) as error:
        raise RefusedFile('%s is no array (%s).' % (path, error)) from error
    if not dtype.hasobject:
        file.seek(0)
        return np.lib.format.read_array(file)
    array = _loaded(file, path)
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise RefusedFile('%s is not the array that it says.' % path)
    return array
