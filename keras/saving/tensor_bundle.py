"""Checkpoints of TensorFlow, read without it: `PREFIX.index`, a table of names, and `PREFIX.data-...`, the arrays.

The index is a table of LevelDB: blocks of sorted keys, each written as what it adds to the one before, with the places
of the blocks at the end. What belongs to what in a model is one of the entries, the graph of objects.
"""
import collections.abc
import io
import os
import struct

import numpy as np

from keras.saving.opening import MOST_NAMES, open_file
from keras.saving.texts import LONGEST_TEXT
from keras.saving.protobuf import fields, integer, signed, text, varint

_MAGIC = 0xdb4775248b80fb57
_FOOTER = 48
_OBJECTS = '_CHECKPOINTABLE_OBJECT_GRAPH'
_STRING, _BFLOAT16 = 7, 14
_DTYPES = {1: 'float32', 2: 'float64', 3: 'int32', 4: 'uint8', 5: 'int16', 6: 'int8', 8: 'complex64', 9: 'int64',
           10: 'bool', 17: 'uint16', 18: 'complex128', 19: 'float16', 22: 'uint32', 23: 'uint64'}
# More than any index needs; the arrays are in other files.
_LARGEST_INDEX = 1 << 28
# The keys of an index, written out, have at most so many times its bytes, or this many.
_KEYS_TIMES, _KEYS_FREELY = 8, 1 << 20
# Arrays of up to so many bytes are compared with their checksums, which takes Python a while.
_CHECKED = 1 << 18


def is_checkpoint(path):
    """Whether `path` is the name of a checkpoint: `PREFIX` where `PREFIX.index` is a file."""
    return os.path.isfile('%s.index' % (path,))


class Checkpoint:
    """The arrays of a checkpoint by name, and the graph of the objects that they belong to.

    Args:
        prefix: the name that the checkpoint was saved under.

    Raises:
        OSError: for files that are cut short, damaged or something else.
    """

    def __init__(self, prefix):
        self.prefix = os.fspath(prefix)
        try:
            self._entries = {key.decode('utf-8'): value for key, value in _table(_bytes_of(self.prefix + '.index'))}
            if '' not in self._entries:
                raise ValueError('it has no header')
            header = fields(self._entries.pop(''))
            self._shards = integer(header.get(1), 1)
            if integer(header.get(2)):
                raise ValueError('its numbers are written the other way round (big-endian)')
        except (ValueError, IndexError, struct.error) as error:
            raise self._damaged(error)

    def _damaged(self, error):
        return OSError('%s.index cannot be read as the index of a TensorFlow checkpoint (%s). The usual cause: it was '
                       'cut short while it was written or copied, or it holds something else.' % (self.prefix, error))

    @property
    def names(self):
        return sorted(self._entries)

    def _entry(self, name):
        if name not in self._entries:
            raise self._damaged('it has no array %.200r' % name)
        try:
            return _Entry(fields(self._entries[name]))
        except (ValueError, struct.error) as error:
            raise self._damaged(error)

    def shape(self, name):
        return self._entry(name).shape

    def array(self, name):
        """The array called `name`.

        Raises:
            OSError: where there is none, or its data is not there.
        """
        entry = self._entry(name)
        data = self._data(name, entry)
        if entry.checksum and entry.dtype != _STRING and len(data) <= _CHECKED and _checksum(data) != entry.checksum:
            raise OSError('The array %s of %s is damaged: its bytes are not those that were written.'
                          % (name, self.prefix))
        try:
            return entry.array(data)
        except ValueError as error:
            raise OSError('The array %s of %s is damaged: %s' % (name, self.prefix, error))

    def _data(self, name, entry):
        path = '%s.data-%05d-of-%05d' % (self.prefix, entry.shard, self._shards)
        if not os.path.isfile(path) or entry.offset + entry.size > os.path.getsize(path):
            raise OSError('%s is missing or too short for what the index says is in it. The usual cause: a checkpoint '
                          'that was not copied whole; it is several files of the same name.' % path)
        if not entry.may_have_its_size:
            raise OSError('The array %s of %s is damaged: it has the shape %s and %d bytes.'
                          % (name, self.prefix, entry.shape, entry.size))
        with io.BufferedReader(open_file(path)) as file:
            file.seek(entry.offset)
            data = file.read(entry.size)
        if len(data) != entry.size:
            raise OSError('%s was cut short.' % path)
        return data

    def root(self):
        """The `Node` of the object that was saved.

        Raises:
            ValueError: for a checkpoint of names only, as TensorFlow 1 wrote them.
        """
        if _OBJECTS not in self._entries:
            raise ValueError('%s is a checkpoint of names without objects, as TensorFlow 1 wrote it; only those of '
                             'tf.keras models can be loaded.' % self.prefix)
        try:
            return _Nodes(self, fields(self.array(_OBJECTS).item()).get(1, [])).node(0)
        except ValueError as error:
            raise self._damaged(error)

    def malformed(self, error):
        """The OSError for an object that cannot be read."""
        return self._damaged(error)


class _Nodes:
    """The objects of a checkpoint, each of which is made when it is asked for."""

    def __init__(self, checkpoint, messages):
        self.checkpoint = checkpoint
        self._messages = messages
        self._made = {}

    def node(self, place):
        if place not in self._made:
            try:
                if place >= len(self._messages):
                    raise ValueError('there is no object of the number %d' % place)
                self._made[place] = Node(self, fields(self._messages[place]))
            except ValueError as error:
                raise self.checkpoint.malformed(error)
        return self._made[place]


class Node:
    """An object of a checkpoint: `children` {name: Node}, `values` {attribute: name of an array}, `slots`."""

    def __init__(self, nodes, message):
        self.checkpoint = nodes.checkpoint
        references = map(fields, message.get(1, []))
        self.children = _Children(nodes, {text(child.get(2)): integer(child.get(1)) for child in references})
        self._nodes, self._slots = nodes, message.get(3, [])
        attributes = [fields(attribute) for attribute in message.get(2, [])]
        self.values = {text(each.get(1)): text(each.get(3)) for each in attributes}
        self.full_name = text(attributes[0].get(2)) if attributes else ''

    @property
    def slots(self):
        """{(the node of a variable, name of the slot): the slot's node}, at the node of an optimizer."""
        node = self._nodes.node
        try:
            return {(node(integer(slot.get(1))), text(slot.get(2))): node(integer(slot.get(3)))
                    for slot in map(fields, self._slots)}
        except ValueError as error:
            raise self.checkpoint.malformed(error)

    @property
    def is_variable(self):
        return 'VARIABLE_VALUE' in self.values

    def _name(self):
        if not self.is_variable:
            raise self.checkpoint.malformed('an object that is to be a weight is none')
        return self.values['VARIABLE_VALUE']

    def shape(self):
        """The shape of a variable, of which nothing is read."""
        return self.checkpoint.shape(self._name())

    def array(self):
        return self.checkpoint.array(self._name())

    def holds_weights(self, without, barren, visits):
        """Whether a variable is below, by other names than those in `without`.

        Args:
            barren: nodes known to have none, to which those that are found are added. visits: a list of the number of
                nodes looked at so far, which has an end.
        """
        met, waiting = {self}, [self]
        while waiting:
            node = waiting.pop()
            if node.is_variable:
                return True
            visits[0] += 1 + len(node.children)
            if visits[0] > MOST_NAMES:
                raise self.checkpoint.malformed('its objects refer to each other too often')
            below = {child for name, child in node.children.items() if name not in without} - met - barren
            met |= below
            waiting.extend(below)
        barren |= met
        return False


class _Children(collections.abc.Mapping):
    """The nodes below one by their names, in the order of the file."""

    def __init__(self, nodes, places):
        self._nodes = nodes
        self._places = places

    def __getitem__(self, name):
        return self._nodes.node(self._places[name])

    def __contains__(self, name):
        return name in self._places

    def __iter__(self):
        return iter(self._places)

    def __len__(self):
        return len(self._places)


class _Entry:
    """Where an array is."""

    def __init__(self, message):
        self.dtype = integer(message.get(1))
        shape = fields(message.get(2, [b''])[-1])
        self.shape = tuple(signed(integer(fields(size).get(1))) for size in shape.get(2, []))
        self.shard, self.offset, self.size = [integer(message.get(place)) for place in (3, 4, 5)]
        checksum = message.get(6, [bytes(4)])[-1]
        if 7 in message:
            raise ValueError('an array in slices, which is not read')
        if any(size < 0 for size in self.shape) or len(self.shape) > 32 or not isinstance(checksum, bytes):
            raise ValueError('an array of a shape that cannot be: %.200r' % (self.shape,))
        self.checksum = struct.unpack('<I', checksum)[0]
        self.count = 1
        for size in self.shape:
            self.count *= size

    @property
    def may_have_its_size(self):
        """Whether the size goes with the shape, as far as can be told before the bytes are read."""
        if self.dtype == _STRING:
            return self.count <= self.size <= LONGEST_TEXT
        width = 2 if self.dtype == _BFLOAT16 else np.dtype(_DTYPES.get(self.dtype, 'V1')).itemsize
        return self.size == self.count * width or self.dtype not in _DTYPES

    def array(self, data):
        if self.dtype == _STRING:
            return _strings(data, self.shape)
        if self.dtype == _BFLOAT16:
            wide = np.frombuffer(data, '<u2').astype('<u4') << 16
            return wide.view('<f4').reshape(self.shape)
        if self.dtype not in _DTYPES:
            raise ValueError('its dtype has the number %d, which is not known.' % self.dtype)
        return np.frombuffer(data, np.dtype(_DTYPES[self.dtype]).newbyteorder('<')).reshape(self.shape)


def _strings(data, shape):
    """An array of bytes: the lengths, a checksum of them, the bytes themselves."""
    count, lengths, place = int(np.prod(shape, dtype='int64')), [], 0
    for _ in range(count):
        length, place = varint(data, place)
        lengths.append(length)
    place += 4
    if place + sum(lengths) != len(data):
        raise ValueError('the lengths of its strings do not add up to its size.')
    found = np.empty(count, object)
    for number, length in enumerate(lengths):
        found[number], place = data[place:place + length], place + length
    return found.reshape(shape)


# --- the table --------------------------------------------------------------------------------------------------------

def _bytes_of(path):
    size = os.path.getsize(path)
    if size > _LARGEST_INDEX:
        raise ValueError('%d bytes are too many for an index' % size)
    with open_file(path) as file:
        return file.read(size)


def _table(data):
    """(key, value) of all entries of a table."""
    if len(data) < _FOOTER or struct.unpack('<Q', data[-8:])[0] != _MAGIC:
        raise ValueError('it does not end as one')
    _, place = _handle(data, len(data) - _FOOTER)
    index, _ = _handle(data, place)
    end, letters = 0, 0
    for _, value in _block(data, *index):
        (start, size), _ = _handle(value, 0)
        if start < end:
            raise ValueError('its blocks overlap')
        end = start + size
        for key, found in _block(data, start, size):
            letters += len(key)
            if letters > max(_KEYS_TIMES * len(data), _KEYS_FREELY):
                raise ValueError('its names are longer than itself')
            yield key, found


def _polynomials():
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82f63b78 if number & 1 else 0)
        table.append(number)
    return table


_POLYNOMIALS = _polynomials()


def _checksum(data):
    """The CRC-32C of some bytes, turned as LevelDB keeps it."""
    found = 0xffffffff
    for byte in data:
        found = found >> 8 ^ _POLYNOMIALS[(found ^ byte) & 255]
    found ^= 0xffffffff
    return ((found >> 15 | found << 17) + 0xa282ead8) & 0xffffffff


def _handle(data, place):
    """((offset, size) of a block, the place behind)."""
    offset, place = varint(data, place)
    size, place = varint(data, place)
    return (offset, size), place


def _block(data, offset, size):
    """(key, value) of the entries of a block."""
    if offset + size + 5 > len(data) or size < 4:
        raise ValueError('a block of %d bytes at byte %d goes past its end' % (size, offset))
    if _checksum(data[offset:offset + size + 1]) != struct.unpack('<I', data[offset + size + 1:offset + size + 5])[0]:
        raise ValueError('a block at byte %d is damaged' % offset)
    if data[offset + size]:
        raise ValueError('its blocks are compressed, which is not read')
    block = data[offset:offset + size]
    end = size - 4 - 4 * struct.unpack('<I', block[-4:])[0]
    if end < 0:
        raise ValueError('a block at byte %d is too short' % offset)
    key, place, letters = b'', 0, 0
    while place < end:
        shared, place = varint(block, place)
        added, place = varint(block, place)
        length, place = varint(block, place)
        if shared > len(key) or place + added + length > end:
            raise ValueError('a block at byte %d is damaged' % offset)
        letters += shared + added
        if letters > max(_KEYS_TIMES * len(data), _KEYS_FREELY):
            raise ValueError('its names are longer than itself')
        key = key[:shared] + block[place:place + added]
        place += added
        yield key, block[place:place + length]
        place += length
