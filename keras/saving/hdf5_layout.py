"""HDF5 files as they lie on the disk: laid out at once when a model is saved, and found again without a search.

A file of ours has, one behind the other:

    the first block     96 bytes, as in all files of the first version of HDF5
    arrays              in the order in which they were given
    all the rest        headers of groups and arrays, lists of names, texts
    an index            JSON, its length and `_MAGIC`; behind what HDF5 takes for the end, where others do not look

Who reads such a file lays out what the index says once more, and believes it only where every byte outside of the
arrays is that of the file: whatever another program changed in between, it changed some of these or moved the end.
"""
import functools
import json
import re
import struct
import sys

import numpy as np

_MAGIC = b'KerasIdx'
_TAIL = struct.Struct('<Q8s')
_NOWHERE = (1 << 64) - 1
# The sizes of lists of names: the half of what one holds, as all versions of the library have it by default.
_LEAF, _NODE = 4, 16
_SIZE_OF_NODE = 24 + 2 * _NODE * 16 + 8
# A collection of texts is no smaller.
_COLLECTION = 4096
# Where arrays of more than a page begin, so that they can be used where they lie in a piece of the file.
_ALIGNED, _PAGE = 64, 4096
# The first block, up to the root's entry.
_FIRST = struct.Struct('<8sBBBxBBBxHHIQQQQ')
_ENTRY = struct.Struct('<QQI4xQQ')
START = _FIRST.size + _ENTRY.size
_HEADER, _MESSAGE = struct.Struct('<BxHII4x'), struct.Struct('<HHB3x')
_ATTRIBUTE = struct.Struct('<BxHHH')
_SPACE, _CONTIGUOUS = struct.Struct('<BBB5x'), struct.Struct('<BBQQ')
_HEAP = struct.Struct('<4sB3xQQQ')
_SYMBOLS, _TREE = struct.Struct('<4sBxH'), struct.Struct('<4sBBHQQ')
_TEXTS, _TEXT, _REFERENCE = struct.Struct('<4sB3xQ'), struct.Struct('<HHIQ'), struct.Struct('<IQI')
# Kinds of messages in a header.
_SPACE_MESSAGE, _TYPE_MESSAGE, _FILL_MESSAGE, _PLACE_MESSAGE, _ATTRIBUTE_MESSAGE, _NAMES_MESSAGE = 1, 3, 5, 8, 12, 17
_NO_FILL = b'\2\2\2\1\0\0\0\0'
_FLOATS = {2: (15, 16, 10, 5, 0, 10, 15), 4: (31, 32, 23, 8, 0, 23, 127), 8: (63, 64, 52, 11, 0, 52, 1023)}
_OF_BYTES = b'\x10\0\0\0\1\0\0\0\0\0\x08\0'
# Dtypes of arrays and attributes that an index may name.
_NUMBERS = re.compile(r'(?:<f[248]|[<|][iu][1248]|\|V[12])$')
_IN_ATTRIBUTES = re.compile(r'(?:<f[248]|[<|][iu][1248]|\|S[1-9]\d{0,4})$')
# The fewest bytes that a group, an array and an attribute take, without the numbers.
_LEAST_GROUP, _LEAST_ARRAY, _LEAST_ATTRIBUTE = 600, 100, 40


# --- what is in a file ------------------------------------------------------------------------------------------------

class _Attributes(dict):
    """Attributes by name: str, bytes (text in ASCII) and arrays."""

    def __setitem__(self, name, value):
        super().__setitem__(name, value if isinstance(value, (str, bytes)) else np.asarray(value))


def count_bytes(shape, dtype):
    """How many bytes an array has; an int of Python, which no shape makes too large."""
    count = dtype.itemsize
    for size in shape:
        count *= size
    return count


class ArrayEntry:
    """An array in a file: where it begins, its shape and dtype, its attributes."""
    __slots__ = ('place', 'shape', 'dtype', 'attrs')

    def __init__(self, place, shape, dtype):
        self.place, self.shape, self.dtype = place, tuple(shape), dtype
        self.attrs = _Attributes()

    @property
    def nbytes(self):
        """How many bytes it has."""
        return count_bytes(self.shape, self.dtype)


class GroupEntry:
    """A group of a file that is written, with as much of what h5py's groups have as writers need.

    Args:
        put: function that writes an array to the file and returns its place. name: path in the file.
    """
    __slots__ = ('name', 'attrs', 'parts', '_put')

    def __init__(self, put=None, name='/'):
        self.name = name
        self.attrs = _Attributes()
        self.parts = {}
        self._put = put

    def create_group(self, path):
        """A new group; those on the way are made as well.

        Raises:
            ValueError: where there is something of that name.
        """
        group, name = self._owner_of(path)
        return group._new(name)

    def require_group(self, path):
        """The group at a path, which is made where it is not there."""
        found = self
        for name in _names_in(path):
            found = found.parts[name] if name in found.parts else found._new(name)
        return found

    def create_dataset(self, path, data):
        """Write an array.

        Raises:
            ValueError: where there is something of that name.
        """
        group, name = self._owner_of(path)
        group._check_free(name)
        data = np.asarray(data)
        if data.dtype.kind in 'UO':
            raise TypeError('%s/%s: HDF5 files have arrays of numbers, not of %s.'
                            % (self.name.rstrip('/'), path, data.dtype))
        found = ArrayEntry(self._put(data), data.shape, data.dtype)
        group.parts[name] = found
        return found

    __setitem__ = create_dataset

    def __getitem__(self, path):
        found = self
        for name in _names_in(path):
            found = found.parts[name]
        return found

    def __contains__(self, path):
        try:
            return self[path] is not None
        except (KeyError, AttributeError):
            return False

    def _owner_of(self, path):
        names = _names_in(path)
        if not names:
            raise ValueError('A name in an HDF5 file is empty: %r' % (path,))
        return self.require_group('/'.join(names[:-1])), names[-1]

    def _check_free(self, name):
        if name in self.parts or '\0' in name:
            raise ValueError('%s: a name that is taken, or that HDF5 does not have: %r' % (self.name, name))

    def _new(self, name):
        self._check_free(name)
        found = self.parts[name] = GroupEntry(self._put, '%s/%s' % (self.name.rstrip('/'), name))
        return found


def _names_in(path):
    return [name for name in path.split('/') if name not in ('', '.')]


# --- as bytes ---------------------------------------------------------------------------------------------------------

def _padded(data):
    return data + bytes(-len(data) % 8)


def _message(kind, body, flags=0):
    body += bytes(-len(body) % 8)
    if len(body) >= 1 << 16:
        raise ValueError('An attribute of an HDF5 file has %d bytes, more than the 64 KiB that it may have.'
                         % len(body))
    return _MESSAGE.pack(kind, len(body), flags) + body


def _header(messages, before=b'', count=0):
    """A header of messages, and of `count` that are in one piece before them."""
    body = before + b''.join(messages)
    return _HEADER.pack(1, len(messages) + count, 1, len(body)) + body


@functools.lru_cache(maxsize=None)
def _type(dtype):
    """A dtype as HDF5 describes it."""
    size = dtype.itemsize
    if dtype.kind in 'iu':
        return struct.pack('<BBHIHH', 0x10, 8 if dtype.kind == 'i' else 0, 0, size, 0, 8 * size)
    if dtype.kind == 'f' and size in _FLOATS:
        sign, precision, *rest = _FLOATS[size]
        return struct.pack('<BBBxIHHBBBBI', 0x11, 0x20, sign, size, 0, precision, *rest)
    if dtype.kind == 'S' or dtype.kind == 'V' and dtype.names is None:
        return struct.pack('<BBHI', 0x13 if dtype.kind == 'S' else 0x15, dtype.kind == 'S', 0, size)
    # Behind two bytes that say what it is.
    from h5py import h5t
    return h5t.py_create(dtype, logical=True).encode()[2:]


def _type_of_text(utf8):
    return struct.pack('<BBBxI', 0x19, 1, utf8, 16) + _OF_BYTES


def _space(shape):
    # Twice: as large as it is, and as large as it may become.
    sizes = struct.pack('<%dQ' % len(shape), *shape)
    return _SPACE.pack(1, len(shape), 1 if shape else 0) + 2 * sizes


# A model has many arrays and attributes of few kinds.
@functools.lru_cache(maxsize=1000)
def _before_place(shape, dtype):
    return _message(_SPACE_MESSAGE, _space(shape)) + _message(_TYPE_MESSAGE, _type(dtype), 1) + \
        _message(_FILL_MESSAGE, _NO_FILL, 1)


@functools.lru_cache(maxsize=1000)
def _before_values(name, kind, shape):
    encoded, space = name.encode('utf-8') + b'\0', _space(shape)
    return _ATTRIBUTE.pack(1, len(encoded), len(kind), len(space)) + _padded(encoded) + _padded(kind) + _padded(space)


class _Layout:
    """The groups of a file, laid out from a place on.

    parts: the bytes, in pieces. place: where the next one goes.
    """

    def __init__(self, start):
        self.parts = []
        self.place = start
        self._texts, self._room = None, 0

    def put(self, data):
        """The place of bytes, a multiple of eight."""
        place, rest = self.place, -len(data) % 8
        self.parts.append(data + bytes(rest) if rest else data)
        self.place += len(data) + rest
        return place

    def reference(self, text):
        """What stands for a text, which goes into a collection with others."""
        if not text:
            return bytes(_REFERENCE.size)
        needed = _TEXT.size + len(_padded(text))
        if needed > self._room:
            self._close_texts()
            # The pieces come first, so that it is known where the collection is.
            size = max(_COLLECTION, _TEXTS.size + needed)
            self._texts = (len(self.parts), self.place, size, [])
            self._room = size - _TEXTS.size
            self.put(bytes(size))
        self._room -= needed
        _, place, _, found = self._texts
        found.append(text)
        return _REFERENCE.pack(len(text), place, len(found))

    def _close_texts(self):
        if self._texts is None:
            return
        number, _, size, texts = self._texts
        pieces = [_TEXTS.pack(b'GCOL', 1, size)]
        for index, text in enumerate(texts):
            pieces.append(_TEXT.pack(index + 1, 0, 0, len(text)) + _padded(text))
        if self._room >= _TEXT.size:
            pieces.append(_TEXT.pack(0, 0, 0, self._room))
        self.parts[number] = b''.join(pieces).ljust(size, b'\0')

    def finish(self):
        """All bytes that were laid out."""
        self._close_texts()
        return b''.join(self.parts)

    def attributes(self, attrs):
        """The messages for attributes."""
        return [_message(_ATTRIBUTE_MESSAGE, self._attribute(name, value)) for name, value in attrs.items()]

    def _attribute(self, name, value):
        if isinstance(value, (str, bytes)):
            utf8 = isinstance(value, str)
            kind, shape, data = _type_of_text(utf8), (), self.reference(value.encode('utf-8') if utf8 else value)
        elif value.dtype.kind in 'UO':
            kind, shape = _type_of_text(True), value.shape
            data = b''.join(self.reference(text if isinstance(text, bytes) else text.encode('utf-8'))
                            for text in value.reshape(-1).tolist())
        else:
            value = as_in_file(value)
            kind, shape, data = _type(value.dtype), value.shape, value.tobytes()
        return _before_values(name, kind, shape) + data

    def array(self, entry):
        """The place of the header of an array."""
        size = entry.nbytes
        place = _message(_PLACE_MESSAGE, _CONTIGUOUS.pack(3, 1, entry.place if size else _NOWHERE, size))
        return self.put(_header([place] + self.attributes(entry.attrs), _before_place(entry.shape, entry.dtype), 3))

    def group(self, entry):
        """(place of the header of a group, of the tree of its names, of their heap)."""
        names, offsets, entries = [bytes(8)], [], []
        offset = 8
        for name, part in sorted((name.encode('utf-8'), part) for name, part in entry.parts.items()):
            if isinstance(part, GroupEntry):
                place, tree, heap = self.group(part)
                entries.append(_ENTRY.pack(offset, place, 1, tree, heap))
            else:
                entries.append(_ENTRY.pack(offset, self.array(part), 0, 0, 0))
            names.append(_padded(name + b'\0'))
            offsets.append(offset)
            offset += len(names[-1])
        # One: nothing in it is free.
        heap = self.put(_HEAP.pack(b'HEAP', 0, offset, 1, self.place + _HEAP.size) + b''.join(names))
        tree = self._tree(entries, offsets)
        return self.put(_header([_message(_NAMES_MESSAGE, struct.pack('<QQ', tree, heap))]
                                + self.attributes(entry.attrs))), tree, heap

    def _tree(self, entries, offsets):
        """The place of the tree over entries in the order of their names."""
        parts, size = [], _SYMBOLS.size + 2 * _LEAF * _ENTRY.size
        for start in range(0, len(entries), 2 * _LEAF):
            here = entries[start:start + 2 * _LEAF]
            place = self.put((_SYMBOLS.pack(b'SNOD', 1, len(here)) + b''.join(here)).ljust(size, b'\0'))
            parts.append((place, offsets[start + len(here) - 1]))
        level = 0
        while True:
            parts = self._nodes(parts, level)
            if len(parts) == 1:
                return parts[0][0]
            level += 1

    def _nodes(self, parts, level):
        """[(place, last name)] of the nodes of one level over such pairs of the level below."""
        found, first, before = [], self.place, 0
        count = max(-(-len(parts) // (2 * _NODE)), 1)
        for number in range(count):
            here = parts[2 * _NODE * number:2 * _NODE * (number + 1)]
            left = first + (number - 1) * _SIZE_OF_NODE if number else _NOWHERE
            right = first + (number + 1) * _SIZE_OF_NODE if number + 1 < count else _NOWHERE
            # Names and places in turns, beginning with the last name on the left.
            told = [before] + [value for pair in here for value in pair]
            place = self.put((_TREE.pack(b'TREE', 0, level, len(here), left, right)
                              + struct.pack('<%dQ' % len(told), *told)).ljust(_SIZE_OF_NODE, b'\0'))
            before = told[-1]
            found.append((place, before))
        return found


def as_in_file(array):
    """An array in one piece and in the order of bytes that files have."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder('<')).reshape(np.shape(array))


def laid_out(root, start):
    """(the first block, all that stands from `start` on) of a file with the groups in `root`, a `GroupEntry`."""
    layout = _Layout(start)
    place, tree, heap = layout.group(root)
    first = _FIRST.pack(b'\x89HDF\r\n\x1a\n', 0, 0, 0, 0, 8, 8, _LEAF, _NODE, 0, 0, _NOWHERE, layout.place, _NOWHERE)
    return first + _ENTRY.pack(0, place, 1, tree, heap), layout.finish()


# --- writing ----------------------------------------------------------------------------------------------------------

class Writer:
    """An HDF5 file that is written to a binary file.

    Args:
        file: with `seek` and `write`.

    Attributes:
        root: its `GroupEntry`; arrays are written when they are given to it, everything else by `finish`.
    """

    def __init__(self, file):
        self.file = file
        self.root = GroupEntry(self._put)
        self._place = START
        file.seek(0)
        file.write(bytes(START))

    def _put(self, array):
        array = as_in_file(array)
        self._write(bytes(-self._place % (_ALIGNED if array.nbytes > _PAGE else 8)))
        place = self._place
        if array.size:
            self._write(array.reshape(-1).view('u1'))
        return place

    def _write(self, data):
        view = memoryview(data)
        self._place += view.nbytes
        while view.nbytes:
            count = self.file.write(view)
            if count is None:  # what is no file in every respect writes all of it
                return
            if count <= 0:
                raise OSError('%r writes nothing of what it is given.' % (self.file,))
            view = view[count:]

    def finish(self):
        """Write what is not there yet."""
        self._write(bytes(-self._place % 8))
        start = self._place
        first, rest = laid_out(self.root, start)
        self._write(rest)
        described = _described(self.root)
        if described is not None:
            index = json.dumps([start, described]).encode('ascii')
            self._write(index + _TAIL.pack(len(index), _MAGIC))
        if hasattr(self.file, 'truncate'):
            self.file.truncate(self._place)
        self.file.seek(0)
        self.file.write(first)


def _described(entry):
    """What an index says of an entry; None where it cannot."""
    attrs = {name: _told(value) for name, value in entry.attrs.items()}
    if None in attrs.values():
        return None
    if isinstance(entry, ArrayEntry):
        kind = entry.dtype.newbyteorder('<').str
        return [attrs, entry.place, entry.shape, kind] if _NUMBERS.match(kind) else None
    parts = {name: _described(part) for name, part in entry.parts.items()}
    return None if None in parts.values() else [attrs, parts]


def _told(value):
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes):
        return [value.decode('latin-1'), 0]
    kind = value.dtype.newbyteorder('<').str
    if not _IN_ATTRIBUTES.match(kind):
        return None
    flat = value.reshape(-1).tolist()
    return [kind, value.shape, [part.decode('latin-1') for part in flat] if value.dtype.kind == 'S' else flat]


# --- reading ----------------------------------------------------------------------------------------------------------

def kept(size, at, parse):
    """(`GroupEntry` of the root, where arrays are) of a file that was written here and not changed since.

    Args:
        size: of the file, in bytes. at: function of a place and a size that gives bytes of the file. parse: function
            that gives the values in JSON.

    Returns:
        The entry, and a sorted list of (place, size) of all arrays; (None, None) for any other file.
    """
    length, magic = _TAIL.unpack(at(size - _TAIL.size, _TAIL.size)) if size > START + _TAIL.size else (0, b'')
    end = size - _TAIL.size - length
    if magic != _MAGIC or end < START or sys.byteorder != 'little':
        return None, None
    try:
        start, described = parse(bytes(at(end, length)))
        if not START <= start <= end:
            return None, None
        root, places = _Reading(start, end).read(described)
        first, rest = laid_out(root, start)
        same = first == bytes(at(0, START)) and len(rest) == end - start and rest == bytes(at(start, len(rest)))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, struct.error, RecursionError):
        return None, None
    return (root, places) if same else (None, None)


class _Reading:
    """Makes the entries that an index tells of, none of which says what cannot be in a file.

    Args:
        start, end: of what is neither array nor index.
    """

    def __init__(self, start, end):
        self.start = start
        self.rest = end - start
        self._places = []

    def read(self, described):
        """(entry of the root, sorted list of (place, size) of all arrays)"""
        root, reached = self._group(described, '/'), START
        self._places.sort()
        for place, size in self._places:
            if place < reached or place + size > self.start:
                raise ValueError('arrays that overlap')
            reached = place + size
        return root, self._places

    def _take(self, size):
        self.rest -= size
        if self.rest < 0:
            raise ValueError('more than there is room for')

    def _group(self, described, name):
        attrs, parts = described
        self._take(_LEAST_GROUP)
        group = GroupEntry(None, name)
        self._attributes(group, attrs)
        for part, inside in parts.items():
            if part in ('', '.') or '/' in part or '\0' in part:
                raise ValueError('a name that leads elsewhere')
            group.parts[part] = self._group(inside, '%s/%s' % (name.rstrip('/'), part)) if len(inside) == 2 \
                else self._array(*inside)
        return group

    def _array(self, attrs, place, shape, kind):
        self._take(_LEAST_ARRAY)
        if not _NUMBERS.match(kind) or not all(type(size) is int and 0 <= size < 1 << 63 for size in shape):
            raise ValueError('an array that is none')
        array = ArrayEntry(place, shape, np.dtype(kind))
        self._attributes(array, attrs)
        if array.nbytes:
            self._places.append((place, array.nbytes))
        return array

    def _attributes(self, entry, attrs):
        for name, told in attrs.items():
            self._take(_LEAST_ATTRIBUTE)
            if len(told) == 1:
                entry.attrs[name] = told[0]
            elif len(told) == 2:
                entry.attrs[name] = told[0].encode('latin-1')
            else:
                entry.attrs[name] = self._values(*told)

    def _values(self, kind, shape, flat):
        if not _IN_ATTRIBUTES.match(kind):
            raise ValueError('a dtype that is none of an attribute')
        dtype = np.dtype(kind)
        self._take(dtype.itemsize * len(flat))
        flat = [value.encode('latin-1') for value in flat] if dtype.kind == 'S' else flat
        return np.array(flat, dtype).reshape(shape)
