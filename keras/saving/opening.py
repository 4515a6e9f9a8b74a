"""Opening what others wrote: HDF5 files and zip archives, which may neither harm nor exhaust the reader.

Everything that comes from a file is opened here; `texts` reads its texts, `chunks` its packed numbers. What a file
says of sizes is compared with the bytes that it has before anything is read, links lead nowhere else, and
names are no deeper or more numerous than a model needs.
"""
import contextlib
import io
import json
import os
import stat
import threading
import zlib

import numpy as np

from keras import lazy
from keras.saving import arrays, hdf5_layout
from keras.saving.chunks import Chunks
from keras.saving.texts import DEEPEST, LONGEST_TEXT, RAW_ERRORS, text_of

tempfile = lazy.Later('tempfile')
zipfile = lazy.Later('zipfile')

# Packed data may unpack to this many bytes, or to so many times its own size.
UNPACKED_FREELY = 1 << 24
UNPACKED_TIMES = 100
# The numbers in an HDF5 file together may unpack to so many times its size.
_NUMBERS_TIMES = 32
# Names in one list or group.
MOST_NAMES = 1 << 17


class RefusedFile(OSError, ValueError):
    """A file that is not read: it is damaged, or made to do harm."""


@contextlib.contextmanager
def in_words(source):
    """Errors in the `with` block, which reads a file, that do not say that it is the file's fault, as ones that do.

    Args:
        source: path of the file, or what else it is read from.

    Raises:
        RefusedFile: in the place of a bare KeyError, say.
    """
    try:
        yield
    except RAW_ERRORS as error:
        if type(error) not in RAW_ERRORS and not isinstance(error, MemoryError) or _is_of_users(error.__traceback__):
            raise
        raise RefusedFile('%s cannot be read: it does not hold what a file of its kind has (%s: %.500s). The usual '
                          'cause: it is damaged, or was made by something else.'
                          % (source if isinstance(source, (str, os.PathLike)) else _name_of(source),
                             type(error).__name__, error)) from error


# What reads files for Keras; all else that is called on the way, layers of one's own say, is users' code.
_READERS = frozenset(('keras', 'h5py', 'numpy', 'yaml'))
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep


def _is_of_users(traceback):
    """Whether an error came from code that is neither of Keras nor of what reads files for it."""
    traceback = traceback.tb_next.tb_next if traceback.tb_next else None  # behind the `with` statement itself
    while traceback is not None:
        frame = traceback.tb_frame
        path = frame.f_code.co_filename
        if frame.f_globals.get('__name__', '').partition('.')[0] not in _READERS and 'site-packages' not in path \
                and not path.startswith((_LIBRARY, '<frozen')):
            return True
        traceback = traceback.tb_next
    return False


# --- files ------------------------------------------------------------------------------------------------------------

_KINDS_OF_FILES = ((stat.S_ISDIR, 'a folder'), (stat.S_ISFIFO, 'a FIFO'), (stat.S_ISSOCK, 'a socket'),
                   (stat.S_ISCHR, 'a device'), (stat.S_ISBLK, 'a device'))


def kind_of_file(path):
    """'a folder', 'a FIFO', 'a device' or 'a socket'; None for a regular file. Links are followed.

    Raises:
        OSError: where there is none.
    """
    mode = os.stat(path).st_mode
    return next((name for is_one, name in _KINDS_OF_FILES if is_one(mode)), None)


class NoFile(FileNotFoundError, ValueError):
    """There is no file of that name; Keras 3 has a ValueError for it."""


def open_file(path):
    """A regular file, open for reading, without a buffer.

    Raises:
        FileNotFoundError: where there is none. RefusedFile: for a folder, device, FIFO or socket.
    """
    path = os.fspath(path)
    try:
        kind = kind_of_file(path)
    except (FileNotFoundError, NotADirectoryError):
        known = path.endswith(('.keras', '.h5', '.hdf5', '.json'))
        raise NoFile('File not found. There is no file %s. Please ensure the file is an accessible `.keras` zip file, '
                     'or one of another format.%s'
                     % (path, '' if known else ' (File format not supported: the name says none.)')) from None
    except ValueError as error:
        raise RefusedFile('No file can have the name %.200r (%s).' % (path, error)) from None
    if kind is not None:
        raise RefusedFile('%s is %s, not a file.' % (path, kind))
    return open(path, 'rb', buffering=0)


# How files begin that models are kept in.
_HDF5, _ZIP = b'\x89HDF\r\n\x1a\n', b'PK\x03\x04'


def kind_by_start(path):
    """'hdf5' or 'zip' by how a file begins, whatever its name; None for anything else.

    Raises:
        FileNotFoundError: where there is none. RefusedFile: for a folder, device, FIFO or socket.
    """
    with open_file(path) as file:
        start = file.read(len(_HDF5))
    return 'hdf5' if start == _HDF5 else 'zip' if start.startswith(_ZIP) else None


def _name_of(file):
    name = getattr(file, 'name', None)
    return name if isinstance(name, str) else 'The file'


class _Section:
    """The bytes from `start` to `start + size` of a binary file, as a file that can be read."""

    def __init__(self, file, start=0, size=None):
        self.file = file
        self.start = start
        self.size = file.seek(0, os.SEEK_END) - start if size is None else size
        self.name = _name_of(file)
        self._position = 0
        self._lock = threading.Lock()
        # Of a file without a position; -1 for a section of another one, which knows.
        self._number = -1 if isinstance(file, _Section) else \
            file.fileno() if isinstance(file, io.FileIO) and hasattr(os, 'preadv') else None

    def seek(self, offset, whence=os.SEEK_SET):
        self._position = offset + (0, self._position, self.size)[whence]
        return self._position

    def tell(self):
        return self._position

    def seekable(self):
        return True

    def readable(self):
        return True

    def writable(self):
        return False

    def read(self, size=-1):
        rest = max(self.size - self._position, 0)
        array = bytearray(rest if size is None or size < 0 else min(size, rest))
        self.readinto(array)
        return bytes(array)

    def readinto(self, buffer):
        view = memoryview(buffer).cast('B')
        if self._position + len(view) > self.size:
            raise RefusedFile('%s ends too early: it was cut short, or is damaged.' % self.name)
        self.file.seek(self.start + self._position)
        done = 0
        while done < len(view):
            count = self._into(view[done:])
            if not count:
                raise RefusedFile('%s ends too early: it was cut short, or is damaged.' % self.name)
            done += count
        self._position += done
        return done

    def read_at(self, position, buffer):
        """Fill a buffer with the bytes at a position; threads may do so at the same time.

        Raises:
            RefusedFile: where the file ends before.
        """
        view = memoryview(buffer)
        if not 0 <= position <= self.size - view.nbytes:
            raise RefusedFile('%s ends too early: it was cut short, or is damaged.' % self.name)
        if isinstance(self.file, _Section):
            self.file.read_at(self.start + position, view)
        elif self.is_direct:
            self._read_directly(self.start + position, view.cast('B'))
        else:
            with self._lock:
                # Whoever reads from the position does not see that somebody reads elsewhere.
                before = self._position
                self.seek(position)
                _Section.readinto(self, view)
                self._position = before

    @property
    def is_direct(self):
        """Whether the file has no position that readers would have to share."""
        return self._number is not None if self._number != -1 else self.file.is_direct

    def _read_directly(self, place, view):
        done = 0
        while done < len(view):
            count = os.preadv(self._number, [view[done:] if done else view], place + done)
            if not count:
                raise RefusedFile('%s ends too early: it was cut short, or is damaged.' % self.name)
            done += count

    def _into(self, view):
        if hasattr(self.file, 'readinto'):
            return self.file.readinto(view)
        data = self.file.read(len(view))
        view[:len(data)] = data
        return len(data)

    def flush(self):
        pass


# --- HDF5 -------------------------------------------------------------------------------------------------------------

_FLOAT32 = np.dtype('<f4')
# The address of what is not there.
_NOWHERE = (1 << 64) - 1
_HEAP = b'GCOL\x01\0\0\0'
# Compression and checksums that h5py brings along: others would load a library.
_FILTERS = {1: 'gzip', 2: 'shuffle', 3: 'fletcher32', 32000: 'lzf'}


class _HDF5Source(_Section):
    """What HDF5 reads from. Strings of variable length lie in heaps, on whose damages the library hangs or crashes.

    Not all versions of the library survive an error while they read: they are given zeros.

    longest: the size of the longest string in the heaps that were read. allowed: how long one may be.
    cut: whether something was read behind the end of the file.
    """
    longest = 0
    allowed = None
    cut = False

    def __init__(self, file):
        super().__init__(file)
        self._pool = None
        self._taken, self._stored, self._unpacked = set(), 0, 0

    def take(self, name, stored, unpacked):
        """Note that the numbers called `name` are to be read.

        Args:
            stored: their bytes in the file. unpacked: their bytes in memory.

        Raises:
            RefusedFile: where all of them together are more than the file can hold: the same bytes stand for many.
        """
        if name in self._taken:
            return
        self._taken.add(name)
        self._stored, self._unpacked = self._stored + stored, self._unpacked + unpacked
        if self._stored > 2 * self.size:
            raise RefusedFile('%s says that more numbers are in it than it has bytes.' % self.name)
        if self._unpacked > max(UNPACKED_FREELY, _NUMBERS_TIMES * self.size):
            raise RefusedFile('%s has %d bytes, but its numbers would unpack to many times as many.'
                              % (self.name, self.size))

    @property
    def pool(self):
        """An executor for `read_at`, None where threads would wait for each other."""
        if self._pool is None and self.is_direct:
            # On old Pythons it brings `multiprocessing` along.
            from concurrent.futures import ThreadPoolExecutor
            self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1))
        return self._pool

    def close(self):
        """End the threads of the pool."""
        if self._pool is not None:
            self._pool.shutdown()

    def readinto(self, buffer):
        start, view = self._position, memoryview(buffer)
        if view.format != 'B' or view.ndim != 1:
            view = view.cast('B')
        there = min(len(view), max(self.size - start, 0))
        self.read_at(start, view[:there])
        if there < len(view):
            self.cut = True
            view[there:] = bytes(len(view) - there)
        if view[:8] == _HEAP:
            try:
                self._check_heap(start)
            except RefusedFile:
                view[:8] = bytes(8)
        self._position = start + len(view)
        return len(view)

    def _check_heap(self, start):
        """Refuse a heap whose entries do not follow one on the other to its end."""
        size = int.from_bytes(self.at(start + 8, 8), 'little')
        if not 16 <= size <= self.size - start:
            raise self.damaged('a list of strings is larger than the file')
        heap, place = self.at(start, size), 16
        while place + 16 <= size:
            number, length = heap[place:place + 2], int.from_bytes(heap[place + 8:place + 16], 'little')
            taken = 16 + -(-length // 8) * 8 if any(number) else length
            if taken < 16 or place + taken > size:
                raise self.damaged('a list of strings in it is broken')
            if any(number):
                self.longest = max(self.longest, length)
            place += taken
        self.check_longest()

    def at(self, start, size):
        """Bytes of the file, fewer where it ends."""
        data = bytearray(max(min(size, self.size - start), 0))
        if data:
            self.read_at(start, data)
        return data

    def check_longest(self):
        if self.allowed is not None and self.longest > self.allowed:
            raise RefusedFile('%s holds a list of names of %d bytes each.' % (self.name, self.longest))

    def damaged(self, what):
        return RefusedFile('%s is damaged or was cut short: %s.' % (self.name, what))


@contextlib.contextmanager
def open_hdf5(source):
    """The root `Group` of an HDF5 file, for a `with` block: what is in it can be read, and nothing else.

    Args:
        source: path, open `h5py.File` or group, a `Group` of here, or a binary file object that can seek.

    Raises:
        FileNotFoundError: where there is no such file. RefusedFile: where it is no whole HDF5 file.
        ValueError: where `source` is something else.
    """
    if isinstance(source, Group):
        yield source
    elif hasattr(source, 'attrs') and hasattr(source, 'create_group'):
        yield Group(source.id, None, source.name)
    elif isinstance(source, (str, bytes)) or hasattr(source, '__fspath__'):
        path = os.fspath(source)
        with open_file(path) as file, _open_library(_HDF5Source(file)) as group:
            yield group
    elif hasattr(source, 'read') and hasattr(source, 'seek'):
        with _open_library(_HDF5Source(source)) as group:
            yield group
    else:
        raise ValueError('Expected a path, an open h5py file or group, or a binary file object. Received: %r'
                         % (source,))


@contextlib.contextmanager
def _open_library(source):
    source.seek(0)
    start = source.read(min(16, source.size))
    # Offsets and lengths of eight bytes, as all but files of the smallest machines have them.
    sizes = start[13:15] if start[8:9] in (b'\0', b'\1') else start[9:11]
    if start[:8] != _HDF5 or sizes != b'\x08\x08':
        other = 'it is a zip archive, such as a model in the `.keras` format of Keras 3' if start[:2] == b'PK' \
            else 'it does not begin like one' if source.size else 'it is empty'
        raise RefusedFile('%s cannot be read as an HDF5 file (%s). The usual cause: it was cut short while it was '
                          'written, copied or downloaded, or it holds something else.' % (source.name, other))
    with _open_kept(source) as group:
        if group is not None:
            yield group
            return
    _check_beginning(source)
    try:
        import h5py
        file = h5py.File(source, 'r')
        root = file['/'].id
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise RefusedFile('%s cannot be read as an HDF5 file (%s). The usual cause: it was cut short while it was '
                          'written, copied or downloaded.' % (source.name, error)) from error
    with file:
        group = Group(root, source, '/')
        try:
            yield group
        finally:
            source.close()
            # Closing a file looks at each object in it that is still open.
            group.forget()


@contextlib.contextmanager
def _open_kept(source):
    """The root `Group` of a file with an index that is believed, for a `with` block; None for any other."""
    entry, places = hdf5_layout.kept(source.size, source.at, lambda text: json.loads(text_of(text, 'index')))
    if entry is None:
        yield None
        return
    blocks = arrays.Blocks(places, source.read_at, lambda: source.pool)
    try:
        yield _KeptGroup(entry, source, '/', blocks)
    finally:
        blocks.close()
        source.close()


def _check_beginning(source):
    """Refuse a file whose first block leads nowhere: older libraries end Python on it. Newer blocks have a checksum.

    Raises:
        RefusedFile: where it does.
    """
    head = source.at(0, 100)
    if head[8] > 3:
        raise source.damaged('its first block is of version %d' % head[8])
    if head[8] > 1:
        return
    start = 24 if head[8] == 0 else 28
    base, _, end, driver, _, root = [int.from_bytes(head[place:place + 8], 'little')
                                        for place in range(start, start + 48, 8)]
    kind, tree, heap = [int.from_bytes(head[start + place:start + place + size], 'little')
                        for place, size in ((48, 4), (56, 8), (64, 8))]
    wrong = any(head[9:13]) or any(head[15:16]) or not any(head[16:18]) or not any(head[18:20]) or base \
        or end > source.size or driver != _NOWHERE or kind > 1 or source.at(root, 1) != b'\1'
    if wrong or kind == 1 and (source.at(tree, 4), source.at(heap, 4)) != (b'TREE', b'HEAP'):
        raise source.damaged('its first block does not lead to what is in it')


class _Object:
    """What groups and data sets share.

    name: path inside the file. filename: of the file. attrs: the attributes, a mapping for reading.
    """

    def __init__(self, id, source, name):
        self._id = id
        self._source = source
        self.name = name
        self.attrs = Attributes(id, source, name)

    @property
    def filename(self):
        found = self._for_python().file.filename if self._source is None else self._source.name
        return found if isinstance(found, str) else 'The file'

    def _for_python(self):
        return _for_python(self._id)

    def refused(self, why):
        return RefusedFile('%s: %s %s.' % (self.filename, self.name, why))


class Attributes:
    """The attributes of a group or data set, for reading: numbers and strings of a reasonable size."""

    def __init__(self, id, source, owner):
        self._id = id
        self._source = source
        self._owner = owner
        self._read = {}

    def _reading(self, *what):
        return _Refusing(self._source, self._owner, *what)

    def __contains__(self, name):
        if name in self._read:
            return True
        import h5py
        with self._reading('the attribute %s', name):
            return h5py.h5a.exists(self._id, name.encode('utf-8'))

    def keys(self):
        from h5py import h5a
        with self._reading('the list of attributes'):
            names = []
            # What the library calls must not raise.
            h5a.iterate(self._id, names.append)
            return [name.decode('utf-8') for name in names]

    def __iter__(self):
        return iter(self.keys())

    def get(self, name, default=None):
        return self[name] if name in self else default

    def __getitem__(self, name):
        """
        Raises:
            KeyError: where there is none. RefusedFile: where it is too large, of another type, or damaged.
        """
        if name not in self._read:
            if name not in self:
                raise KeyError('%s has no attribute %r.' % (self._owner, name))
            try:
                with self._reading('the attribute %s', name):
                    self._read[name] = self._checked(name)
            finally:
                if self._source is not None:
                    self._source.allowed = None
        return self._read[name]

    def refused(self, name, why):
        return RefusedFile('%s: the attribute %s of %s %s.' % (
            'The file' if self._source is None else self._source.name, name, self._owner, why))

    def _checked(self, name):
        """What the attribute holds, if it is of a reasonable type and size."""
        import h5py
        h5t = h5py.h5t
        opened = h5py.h5a.open(self._id, name.encode('utf-8'))
        kind, space = opened.get_type(), opened.get_space()
        count, is_text = space.get_simple_extent_npoints(), isinstance(kind, h5t.TypeStringID)
        if not is_text and not isinstance(kind, (h5t.TypeIntegerID, h5t.TypeFloatID, h5t.TypeEnumID)):
            raise self.refused(name, 'is neither text nor numbers')
        if count > MOST_NAMES or count * kind.get_size() > LONGEST_TEXT:
            raise self.refused(name, 'has %d entries, which is too many' % count)
        of_any_length = is_text and kind.is_variable_str()
        if of_any_length and self._source is not None:
            self._check_lengths(name, count)
        dtype = np.dtype('S%d' % kind.get_size()) if is_text and not of_any_length else opened.dtype
        shape = space.get_simple_extent_dims()
        if not shape or dtype.kind not in 'iufS':
            return _for_python(self._id).attrs[name]
        array = np.empty(shape, dtype)
        opened.read(array)
        return array

    def _check_lengths(self, name, count):
        """Refuse strings that say that they are longer than the file, or one string that stands for many."""
        from h5py import h5o
        entries = _entries_of_attribute(self._source, h5o.get_info(self._id).addr, name)
        if entries is not None:
            lengths = [int.from_bytes(entries[start:start + 4], 'little') for start in range(0, 16 * count, 16)]
            if sum(lengths) > self._source.size:
                raise self.refused(name, 'says that it has %d bytes, more than the file' % sum(lengths))
        elif count > 1:
            self._source.allowed = (UNPACKED_FREELY << 4) // count
            self._source.check_longest()


def _entries_of_attribute(source, address, name):
    """What an attribute holds as it lies in the header of its object; None where it lies elsewhere.

    For strings of variable length that is 16 bytes each: the length, and where in a heap they are.
    """
    for kind, body in _messages(source, address):
        if kind != 0x0c or len(body) < 8:
            continue
        sizes = [int.from_bytes(body[place:place + 2], 'little') for place in (2, 4, 6)]
        place = 9 if body[0] == 3 else 8
        if bytes(body[place:place + sizes[0]]).rstrip(b'\0') == name.encode('utf-8'):
            # The first version begins all parts at multiples of eight.
            return body[place + sum(-(-size // 8) * 8 if body[0] == 1 else size for size in sizes):]
    return None


def _messages(source, address):
    """(kind, bytes) of the messages in the header of an object, in both versions of headers."""
    head = source.at(address, 40)
    second = head[:4] == b'OHDR'
    if second:
        flags = head[5]
        place = 6 + (16 if flags & 32 else 0) + (4 if flags & 16 else 0)
        width = 1 << (flags & 3)
        blocks = [(address + place + width, int.from_bytes(head[place:place + width], 'little'))]
        names = 6 if flags & 4 else 4
    else:
        blocks, names = [(address + 16, int.from_bytes(head[8:12], 'little'))], 8
    seen = set()
    while blocks:
        start, size = blocks.pop(0)
        if start in seen or len(seen) > MOST_NAMES:
            raise source.damaged('the header of an object goes in circles')
        seen.add(start)
        block, place = source.at(start, size), 4 if second and len(seen) > 1 else 0
        while place + names <= len(block):
            kind = block[place] if second else int.from_bytes(block[place:place + 2], 'little')
            length = int.from_bytes(block[place + 1:place + 3] if second else block[place + 2:place + 4], 'little')
            body = block[place + names:place + names + length]
            if kind == 0x10 and len(body) >= 16:
                blocks.append((int.from_bytes(body[:8], 'little'), int.from_bytes(body[8:16], 'little')))
            yield kind, body
            place += names + length


class _Refusing:
    """What the library raises on damaged files in the `with` block, whatever it is, as a `RefusedFile`.

    Args:
        source: of the file, or None. owner: path of a group or data set. what: in it, with names in `what`.
    """
    __slots__ = ('_source', '_owner', '_what')

    def __init__(self, source, owner, *what):
        self._source, self._owner, self._what = source, owner, what

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None or issubclass(kind, RefusedFile) or not issubclass(kind, (
                OSError, RuntimeError, ValueError, TypeError, KeyError, UnicodeError, SystemError)):
            return
        raise RefusedFile('%s: %s of %s cannot be read (%s). The file is damaged or was cut short.' % (
            'The file' if self._source is None else self._source.name, self._what[0] % self._what[1:],
            self._owner, error)) from error


def _for_python(id):
    """The object of h5py around one of HDF5."""
    import h5py
    return (h5py.Group if isinstance(id, h5py.h5g.GroupID) else h5py.Dataset)(id)


class Group(_Object):
    """A group of an HDF5 file: a mapping, for reading, of names and paths to groups and data sets."""

    def __init__(self, id, source, name):
        super().__init__(id, source, name)
        # What is opened stays open: a reader asks for it several times.
        self._children = {}
        self._names = None

    def __contains__(self, path):
        return self.get(path) is not None

    def __getitem__(self, path):
        """
        Raises:
            KeyError: where there is none. RefusedFile: for a link, and where it cannot be read.
        """
        found = self.get(path)
        if found is None:
            raise KeyError('%s: there is no %s in %s.' % (self.filename, path, self.name))
        return found

    def get(self, path, default=None):
        """What is at a path, `default` where there is nothing. Each link on the way is looked at."""
        found = self
        for part in _parts(path):
            found = found._child(part) if isinstance(found, Group) else None
            if found is None:
                return default
        return found

    def _child(self, name):
        """What is called `name` in the group, None for nothing."""
        found = self._children.get(name)
        if found is None:
            found = self._opened(name)
            if found is not None:
                self._children[name] = found
        return found

    def forget(self):
        """Let go of what is inside."""
        self._children.clear()

    def _opened(self, name):
        import h5py
        with _Refusing(self._source, self.name, 'what is called %s', name):
            links, encoded = self._id.links, name.encode('utf-8')
            try:
                kind = links.get_info(encoded).type
            except (KeyError, RuntimeError, OSError):
                if not links.exists(encoded):
                    return None
                raise
            if kind != h5py.h5l.TYPE_HARD:
                raise RefusedFile('%s: %s in %s is a link to elsewhere (%s), which is not followed.'
                                  % (self.filename, name, self.name,
                                     'SoftLink' if kind == h5py.h5l.TYPE_SOFT else 'ExternalLink'))
            found = h5py.h5o.open(self._id, encoded)
            path = '%s/%s' % (self.name.rstrip('/'), name)
            if isinstance(found, h5py.h5g.GroupID):
                return Group(found, self._source, path)
            if isinstance(found, h5py.h5d.DatasetID):
                return Dataset(found, self._source, path)
        raise RefusedFile('%s: %s is neither a group nor data.' % (self.filename, name))

    def __len__(self):
        return len(self.keys())

    def keys(self):
        """The names in the group, a list.

        Raises:
            RefusedFile: where there are too many, or they cannot be read.
        """
        if self._names is None:
            with _Refusing(self._source, self.name, 'the content'):
                group = self._for_python()
                if len(group) > MOST_NAMES:
                    raise self.refused('holds %d names' % len(group))
                self._names = _checked_names(list(group))
        return list(self._names)

    def __iter__(self):
        return iter(self.keys())

    def items(self):
        """(name, group or data set) of what is in the group.

        Raises:
            RefusedFile: where the group has a name but nothing of that name.
        """
        found = [(name, self.get(name)) for name in self.keys()]
        missing = [name for name, item in found if item is None]
        if missing:
            raise self.refused('lists %s, which is not there: the file is damaged' % missing[0])
        return found

    def datasets(self):
        """(path, data set) of all data sets in the group and the groups in it.

        Raises:
            RefusedFile: where there are too many, or a group is met twice.
        """
        found, waiting, met = [], [('', self)], set()
        while waiting:
            path, group = waiting.pop()
            if not group.is_new(met):
                raise group.refused('is in the file twice')
            for name, item in group.items():
                if isinstance(item, Dataset):
                    found.append((path + name, item))
                else:
                    waiting.append((path + name + '/', item))
            if len(found) + len(waiting) > MOST_NAMES:
                raise self.refused('holds too much')
        return found

    def read_ahead(self, blocks):
        """Have threads begin with what is in the file, as far as it is known where it lies: all of it is wanted.

        Args:
            blocks: of 16 MB each, that there may be in memory before anybody asks for what is in them.
        """

    def is_new(self, met):
        """Whether the group is none of those `met`, among which it then is."""
        import h5py
        with _Refusing(self._source, self.name, 'the address'):
            found = h5py.h5o.get_info(self._id)
        before = len(met)
        met.add((found.fileno, found.addr))
        return len(met) > before


def _checked_names(names):
    if not all(isinstance(name, str) for name in names):
        raise ValueError('a name is no text')
    return names


def _parts(path):
    parts = [part for part in path.split('/') if part not in ('', '.')]
    if len(parts) > DEEPEST:
        raise RefusedFile('A name in an HDF5 file is nested too deeply: %s...' % path[:60])
    return parts


def _type_in_file(kind):
    """(dtype, whether the bytes of a number are the same in memory) of a type of HDF5."""
    import h5py
    if kind.equal(h5py.h5t.IEEE_F32LE):
        return _FLOAT32, _FLOAT32.isnative
    dtype = kind.dtype
    return dtype, dtype.kind in 'fiu' and dtype.isnative and kind.equal(h5py.h5t.py_create(dtype))


class Dataset(_Object):
    """Numbers in an HDF5 file. Nothing is read before `read()`.

    shape: tuple. dtype: of NumPy, in the machine's byte order. checksum: what that of `arrays` has to be; None for
    whatever it is.
    """
    checksum = None
    # What `check` gave; the packed parts, where they are unpacked here.
    _checked = _chunks = None

    def __init__(self, id, source, name):
        super().__init__(id, source, name)
        with _Refusing(source, name, 'the type'):
            shape = id.shape
            # Whether the bytes are in the file as they are in memory.
            stored_as, self._is_as_in_memory = _type_in_file(id.get_type())
        self.shape = tuple(map(int, shape)) if shape is not None else None
        self.dtype = stored_as.newbyteorder('=')

    @property
    def nbytes(self):
        """How many bytes the numbers have in memory."""
        return hdf5_layout.count_bytes(self.shape, self.dtype)

    def read(self):
        """The numbers as an array.

        Raises:
            RefusedFile: where they are not in the file, no numbers, or damaged.
        """
        place = self.check()
        with _Refusing(self._source, self.name, 'the data'):
            if place is not None:
                return self._read_at(place)
            array = self._read_otherwise()
            return self._compared(array, None if self.checksum is None else arrays.checksum(array))

    def _read_otherwise(self):
        return np.asarray(self._for_python()[()], self.dtype) if self._chunks is None else self._chunks.read()

    def check(self):
        """Look at everything that can be told before the numbers are in memory.

        Returns:
            Where they begin in the file if they lie there in one piece, as in memory; None otherwise.

        Raises:
            RefusedFile: as `read` does.
        """
        if self._checked is None:
            with _Refusing(self._source, self.name, 'the data'):
                place = self._place()
                if place is None:
                    self._check()
                elif self._source is not None:
                    self._source.take(self.name, self.nbytes, self.nbytes)
                self._checked = (place,)
        return self._checked[0]

    def start(self):
        """A function that gives what `read` does; a thread begins with numbers of middle size meanwhile.

        What is smaller is not worth it, what is larger several threads read at once.
        """
        place = self.check()
        if self._source is None or not arrays.MIDDLE <= self.nbytes < arrays.LARGE or self._source.pool is None:
            return self.read
        if place is None:
            return self.read
        return self._source.pool.submit(self._read_at, place).result

    def _place(self):
        """Where the numbers begin in the file if they lie there in one piece, as in memory; None otherwise."""
        if self._source is None or not self._is_as_in_memory or self.shape is None or not self.nbytes:
            return None
        # Only what is in one piece, and in this file, has one.
        place = self._id.get_offset()
        if place is not None and (self._id.get_storage_size() != self.nbytes
                                  or place + self.nbytes > self._source.size):
            raise self._too_short()
        return place

    def _read_at(self, place):
        array = np.empty(self.shape, self.dtype)
        return self._compared(array, arrays.filled(array, self._source.read_at, place, self.checksum is not None,
                                                   self._source.pool))

    def _compared(self, array, found):
        if self._source is not None and self._source.cut:
            raise self.refused('lies in part behind the end of the file, which was cut short')
        if self.checksum is not None and found != self.checksum:
            raise self.refused('is not what was written: the file is damaged')
        return arrays.of_bfloat16(array) if self.dtype == arrays.BFLOAT16 else array

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.read(), dtype)

    def _check(self):
        import h5py
        h5d = h5py.h5d
        # Raw bytes stand for dtypes that HDF5 does not know: bfloat16 and those of one byte.
        opaque = self.dtype.kind == 'V' and self.dtype.names is None and self.dtype.itemsize <= 2
        if self.shape is None or not (self.dtype.kind in 'fiub' or opaque) or self.dtype.subdtype is not None:
            raise self.refused('holds %s where numbers are expected' % (
                'nothing' if self.shape is None else 'values of type %s' % self.dtype))
        made = self._id.get_create_plist()
        layout = made.get_layout()
        if layout not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED) or made.get_external_count():
            raise self.refused('has its data in other files, which are not read')
        stored = self._id.get_storage_size()
        if layout == h5d.CHUNKED:
            self._check_chunks(made, stored)
        elif self.nbytes != stored or self._outside(layout == h5d.CONTIGUOUS):
            raise self._too_short()

    def _too_short(self):
        return self.refused('says that it has the shape %s, %d bytes, but the file does not hold as many'
                             % (self.shape, self.nbytes))

    def _outside(self, contiguous):
        if self._source is None or not contiguous or not self.nbytes:
            return False
        offset = self._id.get_offset()
        return offset is None or offset + self.nbytes > self._source.size

    def _check_chunks(self, made, stored):
        filters = [made.get_filter(number) for number in range(made.get_nfilters())]
        names = [_FILTERS.get(each[0]) for each in filters]
        chunk = self.dtype.itemsize
        for size in made.get_chunk():
            chunk *= int(size)
        # The filter trusts what the file says of the size.
        lies = any(name == 'lzf' and tuple(each[2][2:3]) != (chunk,) for name, each in zip(names, filters))
        if None in names or len(set(names)) != len(names) or lies:
            raise self.refused('is compressed in a way that is not read')
        if self._source is not None and stored > self._source.size:
            raise self.refused('says that it has %d bytes, more than the file' % stored)
        if max(self.nbytes, chunk) > max(UNPACKED_FREELY, _NUMBERS_TIMES * stored):
            raise self.refused('says that it has the shape %s, %d bytes, but only %d bytes are stored for it'
                                % (self.shape, self.nbytes, stored))
        if self._source is None or not self.nbytes:
            return
        self._source.take(self.name, stored, self.nbytes)
        if not hasattr(self._id, 'get_chunk_info'):  # an older h5py
            return
        chunks = Chunks(self, self._id, made.get_chunk(), names, self._source)
        if 'lzf' in names:
            return
        if self._is_as_in_memory:
            self._chunks = chunks
        if not self._is_as_in_memory or self.nbytes > self._source.size:
            chunks.rehearse()


class _KeptAttributes(Attributes):
    """Those of which an index tells."""

    def __init__(self, values, source, owner):
        super().__init__(None, source, owner)
        self._read = {name: value.decode('utf-8', 'surrogateescape') if isinstance(value, bytes)
                      else value[()] if getattr(value, 'shape', None) == () else value
                      for name, value in values.items()}

    def __contains__(self, name):
        return name in self._read

    def keys(self):
        return list(self._read)


class _KeptGroup(Group):
    """A group of which an index tells."""

    def __init__(self, entry, source, name, blocks):
        super().__init__(None, source, name)
        self.attrs = _KeptAttributes(entry.attrs, source, name)
        self._entry, self._blocks = entry, blocks

    def read_ahead(self, blocks):
        self._blocks.ahead(blocks)

    def _opened(self, name):
        entry = self._entry.parts.get(name)
        if entry is None:
            return None
        kind = _KeptGroup if isinstance(entry, hdf5_layout.GroupEntry) else _KeptDataset
        return kind(entry, self._source, '%s/%s' % (self.name.rstrip('/'), name), self._blocks)

    def keys(self):
        if len(self._entry.parts) > MOST_NAMES:
            raise self.refused('holds %d names' % len(self._entry.parts))
        return sorted(self._entry.parts, key=lambda name: name.encode('utf-8'))

    def is_new(self, met):
        before = len(met)
        met.add(id(self._entry))
        return len(met) > before


class _KeptDataset(Dataset):
    """An array of which an index tells."""

    def __init__(self, entry, source, name, blocks):
        super(Dataset, self).__init__(None, source, name)
        self.attrs = _KeptAttributes(entry.attrs, source, name)
        self.shape, self.dtype = entry.shape, entry.dtype.newbyteorder('=')
        self._entry, self._blocks = entry, blocks

    def start(self):
        if 0 < self.nbytes < arrays.LARGE:
            self._blocks.begin(self._entry.place)
        return self.read

    def _read_at(self, place):
        size = self.nbytes
        array = self._blocks.take(place, self.shape, self.dtype, size) if size < arrays.LARGE else None
        if array is None:
            return super()._read_at(place)
        return self._compared(array, None if self.checksum is None else arrays.checksum(array))

    def _place(self):
        return self._entry.place if self.nbytes else None

    def _check(self):
        """There is nothing in it to look at."""

    def _read_otherwise(self):
        return np.empty(self.shape, self.dtype)


# --- zip archives -----------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def open_archive(source):
    """The `Archive` in a zip file, for a `with` block.

    Args:
        source: path, or binary file object that can seek.

    Raises:
        FileNotFoundError: where there is no such file. RefusedFile: where it is no whole archive, or a member would
            lead out of it, or says of itself what cannot be.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(source, (str, bytes)) or hasattr(source, '__fspath__'):
            source = stack.enter_context(open_file(source))
        section = _Section(source)
        try:
            archive = stack.enter_context(zipfile.ZipFile(io.BufferedReader(_Raw(section))))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
            raise RefusedFile('%s cannot be read as a zip archive (%s). The usual cause: it was cut short while it was '
                              'written, copied or downloaded.' % (section.name, error)) from error
        yield Archive(archive, section)


class _Raw(io.RawIOBase):
    """A section as the raw file below a buffer, where reads may end early."""

    def __init__(self, section):
        super().__init__()
        self._section = section

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=os.SEEK_SET):
        return self._section.seek(offset, whence)

    def tell(self):
        return self._section.tell()

    def readinto(self, buffer):
        rest = max(self._section.size - self._section.tell(), 0)
        return self._section.readinto(memoryview(buffer)[:rest]) if rest else 0


class Archive:
    """The members of a zip archive, for reading.

    names: their names, a list. filename: of the archive. nbytes: its size.
    """

    def __init__(self, archive, section):
        self._archive = archive
        self._section = section
        self.filename = section.name
        self.nbytes = section.size
        members = archive.infolist()
        self._check_sizes(members)
        self._members = {}
        for member in members:
            self._check_member(member)
            self._members[member.filename] = member
        self.names = list(self._members)

    def refused(self, why, *values):
        return RefusedFile('%s: %s.' % (self.filename, why % values))

    def _check_sizes(self, members):
        if len(members) > MOST_NAMES or sum(member.compress_size for member in members) > self._section.size:
            raise self.refused('the archive says that its members are larger than itself')

    def _check_member(self, member):
        name = member.filename
        parts = name.rstrip('/').split('/')
        if os.path.isabs(name) or name != member.orig_filename or '\\' in name or ':' in parts[0] or '\0' in name \
                or any(part in ('', '.', '..') for part in parts) or len(parts) > DEEPEST:
            raise self.refused('the member %r would lead out of the archive', name[:200])
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self.refused('the member %r is a link or a device', name[:200])
        if name in self._members:
            raise self.refused('the member %r is there twice', name[:200])
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.refused('the member %r is encrypted, or compressed in a way that is not read', name[:200])
        stored = member.compress_type == zipfile.ZIP_STORED
        if member.file_size > max(UNPACKED_FREELY, UNPACKED_TIMES * member.compress_size) or \
                stored and member.file_size != member.compress_size:
            raise self.refused('the member %r says that its %d bytes unpack to %d: a decompression bomb', name[:200],
                               member.compress_size, member.file_size)

    def __contains__(self, name):
        return name in self._members

    def size(self, name):
        """How many bytes a member has."""
        return self._member(name).file_size

    def _member(self, name):
        if name not in self._members:
            raise KeyError('%s has no member %r, but: %s' % (self.filename, name, ', '.join(self.names[:20])))
        return self._members[name]

    def read(self, name, limit=LONGEST_TEXT):
        """The bytes of a member, at most `limit`.

        Raises:
            KeyError: where there is none. RefusedFile: where it is larger, or damaged.
        """
        if self.size(name) > limit:
            raise self.refused('the member %r has %d bytes, more than the %d that are read', name, self.size(name),
                                limit)
        with self._opened(name) as file:
            return file.read()

    @contextlib.contextmanager
    def _opened(self, name):
        try:
            with self._archive.open(self._member(name)) as file:
                yield file
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise self.refused('the member %r is damaged (%s)', name, error) from error

    @contextlib.contextmanager
    def open_file(self, name):
        """A member as a binary file that can seek, whole and undamaged, for a `with` block; it stays on the disk.

        Raises:
            KeyError: where there is none. RefusedFile: where it is damaged.
        """
        member = self._member(name)
        with contextlib.ExitStack() as stack:
            if member.compress_type != zipfile.ZIP_STORED:
                target = stack.enter_context(tempfile.TemporaryFile())
            else:
                target = None
            with self._opened(name) as file:
                # Read to its end, which compares the checksum.
                for part in iter(lambda: file.read(1 << 20), b''):
                    if target is not None:
                        target.write(part)
            yield target if target is not None else self._stored(member)

    def _stored(self, member):
        return _Section(self._section, self._start(member), member.file_size)

    def _start(self, member):
        """Where in the file the bytes of a stored member begin."""
        header = bytearray(30)
        self._section.read_at(member.header_offset, header)
        return member.header_offset + 30 + int.from_bytes(header[26:28], 'little') + \
            int.from_bytes(header[28:30], 'little')

    @contextlib.contextmanager
    def open_hdf5(self, name):
        """The root `Group` of a member that is an HDF5 file, for a `with` block.

        One of ours has checksums of its own: its bytes are not read twice.
        """
        member = self._member(name)
        with contextlib.ExitStack() as stack:
            if member.compress_type == zipfile.ZIP_STORED:
                group = stack.enter_context(_open_kept(_HDF5Source(self._stored(member))))
            else:
                group = None
            if group is None:
                group = stack.enter_context(open_hdf5(stack.enter_context(self.open_file(name))))
            yield group


def check_entries(text, filename, size):
    """Refuse packed text with more entries than a file of this size could hold as it is.

    Raises:
        RefusedFile: where it is so.
    """
    if sum(map(text.count, (b'{', b'[', b',', b':'))) > max(300000, size // 3):
        raise RefusedFile('%s: a config of too many entries is packed into its %d bytes.' % (filename, size))
