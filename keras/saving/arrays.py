"""Numbers on their way between files and memory, in pieces that are added up while the processor still has them.

The checksum of an array: it is added up row by row, at the speed of memory, and the sums go through CRC-32.
"""
import threading
import zlib

import numpy as np

from keras.saving import hdf5_layout

# Words of eight bytes that are added up to one: a page of memory.
_ROW = 512
# Bytes that are read and added up in one go: whole rows, which fit into the cache of a processor.
_PIECE = 1 << 19
# The dtype of NumPy that stands for bfloat16, which it does not know.
BFLOAT16 = np.dtype('V2')
# From these sizes on a thread is worth its while, and several.
MIDDLE = 1 << 16
LARGE = 1 << 21
# Bytes that are asked of the system at once for arrays of middle size, which then come in large pages.
_BLOCK = 1 << 24
_ALIGNED = 64


def of_bfloat16(array):
    """The float32 array with the numbers of one of `BFLOAT16`."""
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    return (array.view('u2').astype('u4') << 16).view('f4')


def as_bfloat16(array):
    """Numbers of bfloat16, which are given as float32, as an array of `BFLOAT16`; as they are where they are none.

    Example:
        >>> bits = keras.saving.arrays.as_bfloat16(np.float32([1.5, -2]))
        >>> keras.saving.arrays.of_bfloat16(bits).tolist()
        [1.5, -2.0]
    """
    array = np.ascontiguousarray(array, 'f4').reshape(np.shape(array))
    bits = array.view('u4')
    # An engine without bfloat16 computes with more digits.
    return array if (bits & 0xffff).any() else (bits >> 16).astype('u2').view(BFLOAT16)


def checksum(array):
    """The checksum of an array: of its shape, dtype and bytes, an int below 2**32.

    Example:
        >>> keras.saving.arrays.checksum(np.zeros(3)) == keras.saving.arrays.checksum(np.zeros(4))
        False
    """
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    data = _bytes_of(array)
    sums = np.empty(len(data) // (8 * _ROW), '<u8')
    _add_rows(data, sums)
    return _finished(array, data, sums)


def _bytes_of(array):
    return array.reshape(-1).view('u1')


def _add_rows(data, sums):
    """Set `sums` to those of the rows that begin in `data`."""
    rows = len(data) // (8 * _ROW)
    np.add.reduce(data[:rows * 8 * _ROW].view('<u8').reshape(rows, _ROW), axis=1, out=sums[:rows])


def _finished(array, data, sums):
    told = '%s %s' % (list(array.shape), array.dtype.newbyteorder('<').str)
    return zlib.crc32(data[len(sums) * 8 * _ROW:], zlib.crc32(sums, zlib.crc32(told.encode('ascii')))) & 0xffffffff


class Room:
    """Memory for arrays of middle size that are read one after the other: to touch each page for itself takes longer
    than to read it.
    """

    def __init__(self):
        self._block, self._used = np.empty(0, 'u1'), 0

    def empty(self, shape, dtype):
        """An array with nothing in it yet.

        Args:
            shape: tuple. dtype: of NumPy.
        """
        count = int(np.prod(shape, dtype='int64')) * dtype.itemsize
        if count > len(self._block) - self._used:
            self._block = np.empty(max(_BLOCK, count + _ALIGNED), 'u1')
            self._used = -self._block.ctypes.data % _ALIGNED
        piece = self._block[self._used:self._used + count]
        self._used += count + -count % _ALIGNED
        return piece.view(dtype).reshape(shape)


def filled(array, read_at, start, summed, pool=None):
    """Read the bytes of an array that lie in one piece in a file; returns their checksum, None unless `summed`.

    Args:
        array: contiguous, with nothing in it yet. read_at: function of a position and a buffer, which it fills.
        start: the position of the first byte. summed: whether a checksum is wanted.
        pool: an executor whose threads may call `read_at` at the same time, or None.
    """
    data = _bytes_of(array)
    sums = np.empty(len(data) // (8 * _ROW) if summed else 0, '<u8')

    def fill(place):
        piece = data[place:place + _PIECE]
        read_at(start + place, piece)
        if summed:
            _add_rows(piece, sums[place // (8 * _ROW):])
    list((map if pool is None or array.nbytes < LARGE else pool.map)(fill, range(0, len(data), _PIECE)))
    return _finished(array, data, sums) if summed else None


def written(group, name, array):
    """Write an array as a data set into a group; returns its checksum, which a thread finds out meanwhile.

    Args:
        group: a `hdf5_layout.GroupEntry`, or a group of h5py. name: of the data set. array: the array.
    """
    array = hdf5_layout.as_in_file(np.asarray(array))
    if array.nbytes < LARGE:
        # In this order the processor has it at hand for both.
        found = checksum(array)
        _create(group, name, array)
        return found
    found = []
    thread = threading.Thread(target=lambda: found.append(checksum(array)))
    thread.start()
    try:
        _create(group, name, array)
    finally:
        thread.join()
    return found[0]


def _create(group, name, array):
    made = group.create_dataset(name, data=array)
    if array.dtype == BFLOAT16:  # as in Keras 3
        made.attrs['dtype'] = 'bfloat16'
