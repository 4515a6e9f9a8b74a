"""Writing files whole: whatever happens meanwhile, the old file or the new one is there, and nothing in between.

The bytes go to a temporary file in the same folder, which takes the place of the old one when they are on the disk.
"""
import contextlib
import errno
import os
import re
import stat
import threading

from keras import lazy
from keras.saving import hdf5_layout
from keras.saving.opening import kind_of_file

shutil = lazy.Later('shutil')

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# Bytes of a piece that waits for those that follow, of what waits together, and of what goes to the disk meanwhile.
_SMALL, _MOST, _BEHIND = 1 << 12, 1 << 16, 1 << 24
# .NAME.RANDOM.keras-partial; its writer keeps it locked.
_PARTIAL = re.compile(r'^\..*\.[0-9a-f]{8}\.keras-partial$')
_REASONS = {errno.ENOSPC: 'there is no space left on the device', errno.EDQUOT: 'the quota of the disk is used up',
            errno.EFBIG: 'the file would be larger than this process may write (ulimit -f)',
            errno.EROFS: 'the file system is for reading only', errno.ENOENT: 'its folder has vanished'}


@contextlib.contextmanager
def whole_file(path, together=None):
    """A binary file to write and read, which takes the place of `path` when the `with` block ends without an error.

    Missing folders are made. Permissions, owner and links of an existing file are kept; leftovers of writers that
    were killed are swept.

    Args:
        path: where it is to be. together: what `at_once` gave, where several files are to change together.

    Raises:
        OSError: where it cannot be written; what was there before is left as it was. ValueError: where `path` is a
            folder, a device, a FIFO or a socket.

    Example:
        with whole_file('notes.txt') as file:
            file.write(b'...')
    """
    path = os.path.realpath(os.fspath(path))
    old = _checked(path)
    folder = os.path.dirname(path)
    with _explained(path):
        os.makedirs(folder, exist_ok=True)
        sweep(folder)
        file, partial = _new_partial(path, old)
    try:
        with file, contextlib.closing(_Behind(file.fileno())) as behind:
            steady = SteadyFile(file, behind)
            yield steady
            with _explained(path):
                steady.finish()
                _keep_owner(file.fileno(), old)
                os.fsync(file.fileno())
                if together is None:
                    os.replace(partial, path)
                    _flush_folder(folder)
                else:
                    together.append((partial, path))
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(partial)
        raise


@contextlib.contextmanager
def at_once():
    """A list for `whole_file`, whose files take their places one after the other when the `with` block ends well.

    All are to be opened before the first is closed: what is closed and not yet in its place looks like a leftover.
    """
    together = []
    try:
        yield together
        for number, (partial, path) in enumerate(together):
            left = 'Of the files that belong together %d of %d are the new ones already, and they cannot be read ' \
                   'until all are saved again' % (number, len(together))
            with _explained(path, left if number else _UNCHANGED):
                os.replace(partial, path)
    except BaseException:
        for partial, _ in together:
            with contextlib.suppress(OSError):
                os.remove(partial)
        raise
    for folder in {os.path.dirname(path) for _, path in together}:
        _flush_folder(folder)


def _checked(path):
    """The status of the file at `path`, None where there is none, if it may be replaced."""
    try:
        kind = kind_of_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if kind is not None:
        raise ValueError('%s is %s: a file that is saved would take its place. Choose another name.' % (path, kind))
    old = os.stat(path)
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, 'The file may not be written', path)
    if hasattr(os, 'geteuid') and os.geteuid() not in (0, old.st_uid):
        raise PermissionError(errno.EPERM, 'The file belongs to another user, and would be yours after it is saved; '
                                           'choose another name', path)
    return old


_UNCHANGED = 'What was there before is unchanged'


@contextlib.contextmanager
def _explained(path, left=_UNCHANGED):
    """Errors of the system with the file and what they mean, and what they leave there."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno)
        if reason is None or getattr(error, 'explained', False):
            raise
        raise explained_error(path, error, left) from error


def explained_error(path, error, left=_UNCHANGED):
    """The OSError `error` in words: what could not be written and why."""
    reason = _REASONS.get(error.errno, error.strerror or str(error))
    better = OSError(error.errno, '%s could not be saved: %s. %s' % (path, reason, left))
    better.explained = True
    return better


def _new_partial(path, old):
    """(file, its path) of a new, locked file beside `path`, private where the file that it replaces may be."""
    mode = 0o666 if old is None else 0o600
    while True:
        partial = _beside(path, 'partial')
        number = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, 'O_BINARY', 0), mode)
        file = os.fdopen(number, 'w+b', buffering=0)
        # `sweep` of another process may have come between.
        if _lock(number) and _is_at(number, partial):
            return file, partial
        file.close()


def _beside(path, what):
    """A hidden name that is not taken, in the folder of `path`."""
    folder, name = os.path.split(path)
    return os.path.join(folder, '.%s.%s.keras-%s' % (name[:100], os.urandom(4).hex(), what))


def _lock(number):
    """Whether an open file could be locked, as far as the system has locks."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        pass
    return True


def _is_at(number, path):
    try:
        return os.path.samestat(os.fstat(number), os.stat(path))
    except FileNotFoundError:
        return False


def sweep(folder):
    """Remove what writers that were killed have left in `folder`."""
    if fcntl is None:
        return
    for name in os.listdir(folder):
        if _PARTIAL.match(name):
            # Whoever writes it has locked it; what belongs to another user is left to him.
            with contextlib.suppress(OSError):
                _remove_unlocked(os.path.join(folder, name))


def _remove_unlocked(path):
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(os.fstat(number).st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.remove(path)
    finally:
        os.close(number)


def _keep_owner(number, old):
    """Give the open file the permissions and owner of the old one, if there is one."""
    if old is None or not hasattr(os, 'fchown'):
        return
    new = os.fstat(number)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(PermissionError):  # a group to which one does not belong
            os.fchown(number, old.st_uid, old.st_gid)
    os.fchmod(number, stat.S_IMODE(old.st_mode))


def _flush_folder(folder):
    if os.name != 'posix':
        return
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


class _Behind:
    """Brings what was written to the disk while more is written.

    Args:
        number: of the open file.
    """

    def __init__(self, number):
        self._number = number
        self._waiting = 0
        self._thread = None
        self._error = None

    def wrote(self, size):
        """Take note of bytes that were written."""
        self._waiting += size
        if self._waiting >= _BEHIND and (self._thread is None or not self._thread.is_alive()):
            self.close()
            self._waiting = 0
            self._thread = threading.Thread(target=self._flush)
            self._thread.start()

    def _flush(self):
        try:
            getattr(os, 'fdatasync', os.fsync)(self._number)
        except OSError as error:
            self._error = error

    def check(self):
        """Wait for what has begun.

        Raises:
            OSError: where the disk did not take it; nobody is told twice by the system.
        """
        self.close()
        if self._error is not None:
            raise self._error

    def close(self):
        """Wait for what has begun: the number may belong to another file later."""
        if self._thread is not None:
            self._thread.join()


class SteadyFile:
    """A file for libraries that do not survive errors of the disk: it keeps the first one, and `finish` raises it.

    Args:
        file: a raw binary file. behind: what is told how much was written, or None.
    """

    def __init__(self, file, behind=None):
        self.file = file
        self.error = None
        self._behind = behind
        self._position = 0
        self._size = 0
        # Small pieces that follow one on the other, and where they begin: HDF5 writes its headers in such.
        self._gathered, self._begin = bytearray(), 0

    def write(self, data):
        """Write all bytes at the position, which moves behind them."""
        view = memoryview(data).cast('B')
        if len(view) > _SMALL or self._position != self._begin + len(self._gathered) or len(self._gathered) > _MOST:
            self.flush()
            self._begin = self._position
        if len(view) > _SMALL:
            self._write_at(self._position, view)
        else:
            self._gathered += view
        self._position += len(view)
        self._size = max(self._size, self._position)
        return len(view)

    def _write_at(self, place, view):
        if self.error is None:
            try:
                self.file.seek(place)
                size = len(view)
                while view:
                    view = view[self.file.write(view):]
                if self._behind is not None:
                    self._behind.wrote(size)
            except OSError as error:
                self.error = error

    def readinto(self, buffer):
        """Fill the buffer from the position; what was never written is zero."""
        view = memoryview(buffer).cast('B')
        self.flush()
        self.file.seek(self._position)
        count = self.file.readinto(view) or 0
        while 0 < count < len(view):
            more = self.file.readinto(view[count:])
            if not more:
                break
            count += more
        view[count:] = bytes(len(view) - count)
        self._position += len(view)
        return len(view)

    def read(self, size=-1):
        """The next `size` bytes, by default all that follow."""
        rest = max(self._size - self._position, 0)
        data = bytearray(rest if size is None or size < 0 else min(size, rest))
        self.readinto(data)
        return bytes(data)

    def seek(self, offset, whence=os.SEEK_SET):
        """Move to another position and return it."""
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def tell(self):
        """The position."""
        return self._position

    def truncate(self, size=None):
        """Set the size of the file, by default to the position."""
        self._size = self._position if size is None else size
        self.flush()
        if self.error is None:
            try:
                self.file.truncate(self._size)
            except OSError as error:
                self.error = error
        return self._size

    def flush(self):
        """Hand what was written to the system."""
        gathered, self._gathered = self._gathered, bytearray()
        if gathered:
            self._write_at(self._begin, memoryview(gathered))

    def close(self):
        """Nothing: the file is closed where it was opened."""

    def seekable(self):
        return True

    def readable(self):
        return True

    def writable(self):
        return True

    def check(self):
        """Raise the error of an earlier write.

        Raises:
            OSError: such as a full disk.
        """
        self.flush()
        if self.error is not None:
            raise self.error

    def finish(self):
        """`check`, and the errors of what was brought to the disk meanwhile."""
        self.check()
        if self._behind is not None:
            self._behind.check()


@contextlib.contextmanager
def writing_hdf5(target, together=None):
    """The root of a new HDF5 file, a `hdf5_layout.GroupEntry`, written when the `with` block ends without an error.

    Args:
        target: path, or binary file object with `seek` and `write`. together: see `whole_file`.

    Raises:
        OSError: where it cannot be written; what was there before is left as it was.
    """
    if not (isinstance(target, (str, bytes)) or hasattr(target, '__fspath__')):
        writer = hdf5_layout.Writer(target)
        yield writer.root
        writer.finish()
        return
    with whole_file(target, together) as steady:
        writer = hdf5_layout.Writer(steady)
        yield writer.root
        writer.finish()
        with _explained(os.fspath(target)):
            steady.check()


@contextlib.contextmanager
def whole_folder(path):
    """The path of an empty folder, which takes the place of the folder at `path` when the `with` block ends well.

    Files and folders of other names stay, as they are not what is written here.

    Raises:
        OSError: where it cannot be written. ValueError: where `path` is there and no folder.
    """
    path = os.path.realpath(os.fspath(path))
    if os.path.exists(path) and not os.path.isdir(path):
        raise ValueError('%s is %s: a folder that is saved would take its place. Choose another name.'
                         % (path, kind_of_file(path) or 'a file'))
    new, parent = _beside(path, 'partial'), os.path.dirname(path)
    with _explained(path):
        os.makedirs(parent, exist_ok=True)
        sweep(parent)
        _restore_old(path)
        os.mkdir(new)
    number = os.open(new, os.O_RDONLY) if fcntl is not None else None
    try:
        if number is not None:
            _lock(number)
        with _explained(path):
            yield new
            _flush_tree(new)
            _put_in_place(new, path)
            _flush_folder(parent)
    finally:
        if number is not None:
            os.close(number)
        shutil.rmtree(new, ignore_errors=True)


def _flush_tree(folder):
    for inner, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(inner, name), 'rb') as file:
                os.fsync(file.fileno())
        _flush_folder(inner)


def _put_in_place(new, path):
    """Rename the folder `new` to `path`; the old one is moved aside before, and back where that fails."""
    if not os.path.exists(path):
        os.replace(new, path)
        return
    shutil.copymode(path, new)
    aside = _beside(path, 'old')
    os.replace(path, aside)
    try:
        os.replace(new, path)
    except BaseException:
        os.replace(aside, path)
        raise
    _take_over(aside, path)


def _take_over(aside, path):
    """Move what the folder `aside` has and the one at `path` has not to the latter, and remove the rest."""
    for name in set(os.listdir(aside)).difference(os.listdir(path)):
        os.replace(os.path.join(aside, name), os.path.join(path, name))
    shutil.rmtree(aside, ignore_errors=True)


def _restore_old(path):
    """Put a folder back that a writer had moved aside when it was killed, or what the new one lacks of it."""
    folder, name = os.path.split(path)
    pattern = re.compile(r'^\.%s\.[0-9a-f]{8}\.keras-old$' % re.escape(name[:100]))
    for old in filter(pattern.match, os.listdir(folder)):
        aside = os.path.join(folder, old)
        if os.path.exists(path):
            _take_over(aside, path)
        else:
            os.replace(aside, path)
