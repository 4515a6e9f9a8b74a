"""Numbers on their way between files and memory, in pieces that are added up while the processor still has them.

The checksum of an array: it is added up row by row, at the speed of memory, and the sums go through CRC-32.
"""
import bisect
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
# Bytes of a block of arrays that are not large, and where arrays begin.
_BLOCK = 1 << 24
# What lies between two arrays of a block, at most: to read more than that takes longer than another call.
_GAP = 1 << 16
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
    # Types that NumPy does not know itself have an order of bytes in a file only.
    kind = array.dtype.newbyteorder('<').str.replace('<V', '|V')
    told = '%s %s' % (list(array.shape), kind)
    return zlib.crc32(data[len(sums) * 8 * _ROW:], zlib.crc32(sums, zlib.crc32(told.encode('ascii')))) & 0xffffffff


class Blocks:
    """The arrays of a file that are not large, read in blocks of several that lie one behind the other.

    The system gives memory for a block in large pages: to touch each page of each array takes longer than to read it. A
    block takes one call, during which a thread does not keep Python from going on.

    Args:
        places: sorted list of (place, size) of all arrays. read_at: function of a position and a buffer, which it
            fills. pool: function that gives an executor whose threads may call it, or None.
    """

    def __init__(self, places, read_at, pool):
        self._read_at, self._pool, self._ahead = read_at, pool, 0
        self._starts, self._ends, self._left, self._begun = [], [], [], {}
        for place, size in places:
            if size >= LARGE:
                continue
            if not self._starts or place + size - self._starts[-1] > _BLOCK or place - self._ends[-1] > _GAP:
                self._starts.append(place - place % _ALIGNED)
                self._ends.append(0)
                self._left.append(0)
            self._ends[-1] = place + size
            self._left[-1] += 1

    def begin(self, place):
        """Have a thread read the block with the array at a place, which is none of the large ones."""
        self._begin(bisect.bisect_right(self._starts, place) - 1)

    def ahead(self, count):
        """Begin with the first `count` blocks, and with one more whenever one is taken."""
        self._ahead = count
        for number in range(min(len(self._starts), count)):
            self._begin(number)

    def _begin(self, number):
        if number not in self._begun:
            pool = self._pool()
            self._begun[number] = None if pool is None else pool.submit(self._read, number)

    def _read(self, number):
        size = self._ends[number] - self._starts[number]
        block = np.empty(size + _ALIGNED, 'u1')
        first = -block.ctypes.data % _ALIGNED
        block = block[first:first + size]
        self._read_at(self._starts[number], block)
        return block

    def take(self, place, shape, dtype, size):
        """The array at a place, None where its block was not begun. A block is forgotten with the last array in it."""
        number = bisect.bisect_right(self._starts, place) - 1
        if number not in self._begun:
            return None
        waiting = self._begun[number]
        block = self._read(number) if waiting is None else waiting.result()
        self._begun[number] = _Read(block)
        self._left[number] -= 1
        if self._left[number] <= 0:
            del self._begun[number]
            following = number + self._ahead
            if self._ahead and following < len(self._starts) and self._left[following] > 0:
                self._begin(following)
        piece = block[place - self._starts[number]:][:size]
        # A small one would keep all of the block.
        array = np.empty(shape, dtype) if size < MIDDLE else piece.view(dtype).reshape(shape)
        if size < MIDDLE:
            _bytes_of(array)[:] = piece
        return array

    def close(self):
        """Forget what nobody asked for."""
        for waiting in self._begun.values():
            if waiting is not None:
                waiting.cancel()
        self._begun.clear()


class _Read:
    """A block that was read."""

    def __init__(self, block):
        self._block = block

    def result(self):
        return self._block

    def cancel(self):
        pass


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
