"""Packed data sets of HDF5, unpacked here."""
import zlib

import numpy as np


class Chunks:
    """The packed parts of a data set, unpacked here: the library goes on unpacking whatever comes out.

    Args:
        owner: the `Dataset`. id: of HDF5. sizes: the shape of one part. names: of its filters, in the order in which
            they were applied.

    Raises:
        RefusedFile: where parts are missing, or not in the file.
    """

    def __init__(self, owner, id, sizes, names, source):
        self._owner = owner
        self._sizes = tuple(map(int, sizes))
        self._names = names
        self._source = source
        count = 1
        for size, whole in zip(self._sizes, owner.shape):
            count *= -(-whole // size)
        self._width = id.get_type().get_size()
        self._bytes = int(np.prod(self._sizes, dtype='int64')) * self._width
        found = [] if id.get_num_chunks() != count else [id.get_chunk_info(number) for number in range(count)]
        self._places = {tuple(info.chunk_offset): (info.byte_offset, info.size, info.filter_mask) for info in found}
        if len(self._places) != count or any(
                place is None or not 0 <= place <= place + size <= source.size or size > self._bytes + 4096
                for place, size, _ in self._places.values()):
            raise owner.refused('is not in the file as a whole')

    def read(self):
        """All of it as one array."""
        array = np.empty(self._owner.shape, self._owner.dtype)
        for offset in self._places:
            part = array[tuple(slice(begin, begin + size) for begin, size in zip(offset, self._sizes))]
            content = np.frombuffer(self._unpacked(offset), array.dtype).reshape(self._sizes)
            part[...] = content[tuple(map(slice, part.shape))]
        return array

    def rehearse(self):
        """Unpack all of it, part by part, and keep nothing."""
        for offset in self._places:
            self._unpacked(offset)

    def _unpacked(self, offset):
        place, size, skipped = self._places[offset]
        data = self._source.at(place, size)
        for number in reversed(range(len(self._names))):
            if not skipped >> number & 1:
                data = getattr(self, '_without_' + self._names[number])(data)
        if len(data) != self._bytes:
            raise self._damaged()
        return data

    def _damaged(self):
        return self._owner.refused('cannot be unpacked: the file is damaged')

    def _without_gzip(self, data):
        unpacking = zlib.decompressobj()
        try:
            found = unpacking.decompress(data, self._bytes + 4)
        except zlib.error:
            raise self._damaged() from None
        if not unpacking.eof:
            raise self._damaged()
        return found

    def _without_shuffle(self, data):
        if len(data) % self._width:
            raise self._damaged()
        return np.frombuffer(data, 'u1').reshape(self._width, -1).T.tobytes()

    def _without_fletcher32(self, data):
        if len(data) < 4 or _fletcher32(data[:-4]) != int.from_bytes(data[-4:], 'little'):
            raise self._damaged()
        return data[:-4]


def _fletcher32(data):
    """The checksum of Fletcher as HDF5 has it."""
    words = np.frombuffer(bytes(data[:len(data) // 2 * 2]), '>u2').astype('u8')
    if len(data) % 2:
        words = np.append(words, np.uint64(data[-1] << 8))
    first = second = 0
    for start in range(0, len(words), 1 << 20):
        part = words[start:start + (1 << 20)]
        sums = np.cumsum(part)
        second = (second + len(part) * first + int(np.sum(sums % np.uint64(65535)))) % 65535
        first = (first + int(sums[-1])) % 65535
    return ((second or 65535) << 16 | (first or 65535)) if words.any() else 0
