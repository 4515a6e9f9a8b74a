"""Files from the network: a folder that keeps them, hashes, archives."""
import hashlib
import http.client
import os
import shutil
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
import zlib
from contextlib import contextmanager
from urllib.parse import urlsplit

from keras import config, generations
from keras.callbacks.progress import Progbar

_CHUNK_BYTES = 1 << 16
# A server that says nothing for so long is taken for dead; a broken connection is taken up again so often.
_TIMEOUT_SECONDS = 60
_ATTEMPTS = 3


def get_file(fname=None, origin=None, untar=False, md5_hash=None, file_hash=None, cache_subdir='datasets',
             hash_algorithm='auto', extract=False, archive_format='auto', cache_dir=None, force_download=False):
    """The path of a file that is downloaded unless it is in the cache.

    The file has its final name only when it is whole and its hash is right. A download that broke off is taken up
    where it stopped: within one call if the server can do so, in a later call if there is a hash to tell that the
    whole is right.

    Args:
        fname: name in the cache, or an absolute path; default the last part of `origin`. origin: address of the file.
        untar: whether it is a tar archive, to be kept as `fname`.tar.gz and extracted once; the path of `fname` in
            the same folder is returned (generation 3: as `extract`). md5_hash: older name of `file_hash`.
        file_hash: as hexadecimal digits; a file in the cache with another hash is downloaded again.
        cache_subdir: folder inside `cache_dir`.
        hash_algorithm: 'md5', 'sha256' or another of `hashlib`; 'auto' goes by the length. extract: whether the
            archive is extracted next to itself; the path of the archive is returned. In generation 3 it is extracted
            into a folder of its own, whose path is returned: `fname`, the archive beside it is `fname`_archive; or, of
            an `fname` with dots, what is before the first of them with `_extracted`.
        archive_format: 'auto' (tar or zip), 'tar', 'zip', a list of these, or None for no archive.
        cache_dir: default `$KERAS_HOME`, else `~/.keras`. force_download: whether to download what is in the cache.

    Returns:
        Path of the file, or of what `untar` has extracted.

    Raises:
        OSError: if the address cannot be reached. ValueError: if the file has another hash, is no archive, or is an
        archive with members that belong outside the folder.

    Example:
        path = keras.utils.get_file('weights.h5', 'https://example.org/weights.h5', cache_subdir='models')
    """
    if origin is None:
        raise ValueError('get_file: `origin`, the address of the file, is missing.')
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, 'md5'
    name = os.fspath(fname or os.path.basename(urlsplit(origin).path))
    if not name:
        raise ValueError('get_file: the address %r does not end in the name of a file; give `fname`.' % origin)
    folder = os.path.join(_writable(os.path.expanduser(os.fspath(cache_dir or config.keras_home()))), cache_subdir)
    kept = os.path.join(folder, name)
    in_folder = (extract or untar) and generations.value('archive_gets_folder')
    path, kept = _archive_and_folder(kept, fname is not None) if in_folder else \
        (kept + '.tar.gz' if untar else kept, kept)
    os.makedirs(os.path.dirname(path), exist_ok=True)

    is_new = force_download or not _is_right(path, file_hash, hash_algorithm)
    if is_new:
        _fetch(origin, path, file_hash, hash_algorithm)
    if untar and not in_folder:
        if is_new or not os.path.exists(kept):
            _extract(path, folder, 'tar')
        return kept
    if in_folder:
        os.makedirs(kept, exist_ok=True)
    if (extract or untar) and archive_format is not None:
        _extract(path, kept if in_folder else folder, 'tar' if untar else archive_format)
    return kept if in_folder else path


def _archive_and_folder(path, is_given):
    """Where Keras 3 keeps an archive and what is in it. `is_given`: whether the name was, or comes from the address."""
    folder, name = os.path.split(path)
    if is_given and '.' in name:
        return path, os.path.join(folder, name[:name.index('.')] + '_extracted')
    return path + '_archive', path


def _writable(folder):
    """`folder`, or one of the same name under the system's temporary folder where it cannot be written."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        pass
    return folder if os.access(folder, os.W_OK) else os.path.join(tempfile.gettempdir(), '.keras')


# --- hashes

def validate_file(fpath, file_hash, algorithm='auto', chunk_size=65535):
    """Whether a file has this hash.

    Args:
        fpath: path. file_hash: hexadecimal digits. algorithm: one of `hashlib`, or 'auto', SHA-256 for a hash of 64
            digits and MD5 for others. chunk_size: bytes read at a time.
    """
    if algorithm == 'auto':
        algorithm = 'sha256' if len(file_hash) == 64 else 'md5'
    return hash_file(fpath, algorithm, chunk_size) == str(file_hash).lower()


def hash_file(fpath, algorithm='sha256', chunk_size=65535):
    """The hash of a file as hexadecimal digits; the arguments are those of `validate_file`."""
    found = hashlib.new('sha256' if algorithm == 'auto' else algorithm)
    with open(fpath, 'rb') as file:
        for chunk in iter(lambda: file.read(chunk_size), b''):
            found.update(chunk)
    return found.hexdigest()


def _is_right(path, file_hash, algorithm):
    """Whether a file is in the cache, with the right hash if there is one to know."""
    if not os.path.exists(path):
        return False
    if file_hash is None or validate_file(path, file_hash, algorithm):
        return True
    print('The file %s in the cache has another hash than %s, because it is incomplete or outdated; it is downloaded '
          'again.' % (path, file_hash))
    return False


# --- downloads

def _fetch(origin, path, file_hash, algorithm):
    """Download `origin`; only what is whole and right is put at `path`."""
    with _partial_file(path) as part:
        if file_hash is None:
            # Nothing could tell whether an older beginning goes with what the server has now.
            part.truncate(0)
        try:
            resumed = _download(origin, part)
            if resumed and not validate_file(part.name, file_hash, algorithm):
                part.truncate(0)
                _download(origin, part)
        except (OSError, ValueError, http.client.HTTPException) as error:
            if file_hash is None:
                os.remove(part.name)
            raise _failure(origin, path, error)
        if file_hash is not None and not validate_file(part.name, file_hash, algorithm):
            os.remove(part.name)
            raise ValueError('get_file: Incomplete or corrupted file: what %s gave for %s does not have the hash %s. '
                             'Nothing was kept.' % (origin, os.path.basename(path), file_hash))
        if os.name == 'nt':
            # There an open file keeps its name. Elsewhere nobody may open it in between.
            part.close()
        os.replace(part.name, path)


def _failure(origin, path, error):
    reason = '%s -- %s' % (error.code, error.msg) if isinstance(error, urllib.error.HTTPError) else \
        getattr(error, 'reason', error)
    return OSError('URL fetch failure on %s: %s. Without a network, put the file at %s yourself.'
                   % (origin, reason, path))


@contextmanager
def _partial_file(path):
    """The open file of a download that is under way: `path`.part, or one of its own where that is in use."""
    part, is_own = open(path + '.part', 'ab'), False
    if not _locked(part):
        part.close()
        part, is_own = open('%s.%d-%d.part' % (path, os.getpid(), threading.get_ident()), 'ab'), True
    with part:
        try:
            yield part
        finally:
            if is_own and os.path.exists(part.name):
                os.remove(part.name)


def _locked(part):
    """Whether this process alone writes to `part`, and it still is the file of that name."""
    try:
        import fcntl
    except ImportError:
        # Windows keeps others from replacing an open file by itself.
        return True
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(part.fileno()), os.stat(part.name))
    except OSError:
        return False


def _download(origin, part):
    """Append what is missing to `part`; whether it began with bytes of an earlier call."""
    earlier = validator = None
    for attempt in range(_ATTEMPTS):
        have = part.seek(0, os.SEEK_END)
        if earlier is None:
            earlier = have
        try:
            with _request(origin, have, validator) as response:
                if have and response.getcode() != 206:
                    part.truncate(0)
                    have = earlier = 0
                validator = response.headers.get('ETag') or response.headers.get('Last-Modified')
                _copy(response, part, have, origin)
                return earlier > 0
        except urllib.error.HTTPError as error:
            if error.code != 416 or not have:
                raise
            # There is nothing behind what we have: it is the whole, or the beginning of something else.
            if earlier:
                return True
            part.truncate(0)
        except (OSError, http.client.HTTPException):
            if attempt + 1 == _ATTEMPTS or part.seek(0, os.SEEK_END) == 0:
                raise
    raise OSError('the server gives no whole file')


def _request(origin, have, validator):
    headers = {'User-Agent': 'keras'}
    if have:
        headers['Range'] = 'bytes=%d-' % have
        if validator:
            headers['If-Range'] = validator
    return urllib.request.urlopen(urllib.request.Request(origin, headers=headers), timeout=_TIMEOUT_SECONDS)


def _copy(response, part, have, origin):
    length = response.headers.get('Content-Length')
    total = int(length) + have if length and length.isdigit() else None
    print('Downloading data from %s%s%s' % (origin, '' if total is None else ' (%s)' % _size(total),
                                            ', from byte %d on' % have if have else ''))
    bar = Progbar(total, unit_name='byte')
    done = have
    for chunk in iter(lambda: response.read(_CHUNK_BYTES), b''):
        part.write(chunk)
        done += len(chunk)
        bar.update(done, finalize=False)
    bar.update(done, finalize=True)
    part.flush()
    if total is not None and done != total:
        raise OSError('the connection broke off after %d of %d bytes' % (done, total))


def _size(number):
    for unit in ('bytes', 'kB', 'MB'):
        if number < 999.5:
            return '%.3g %s' % (number, unit)
        number /= 1000
    return '%.3g GB' % number


# --- archives

def _extract(path, folder, archive_format):
    """Extract a tar or zip archive into `folder`: all of it, or, if something is wrong, nothing."""
    formats = ['tar', 'zip'] if archive_format == 'auto' else \
        [archive_format] if isinstance(archive_format, str) else list(archive_format)
    for name in formats:
        if name not in _ARCHIVES:
            raise ValueError('get_file: archive_format must be "auto", "tar", "zip", a list of them, or None. '
                             'Received: %r' % (archive_format,))
        is_archive, open_archive, check = _ARCHIVES[name]
        if is_archive(path):
            return _extract_all(path, folder, open_archive, check)
    raise ValueError('get_file: %s is no archive of the kind %s; the usual cause is a page with an error message in '
                     'the place of the file. Give its hash, or archive_format=None.' % (path, formats))


def _extract_all(path, folder, open_archive, check):
    # Aside first, so that nothing half extracted stands where others look for it.
    aside = tempfile.mkdtemp(prefix='.extracting-', dir=folder)
    try:
        with open_archive(path) as archive:
            check(archive)
            # The filter, where Python has it, also keeps devices and rights of others out.
            archive.extractall(aside, **({'filter': 'data'} if hasattr(archive, 'extraction_filter') else {}))
        for entry in os.listdir(aside):
            _move(os.path.join(aside, entry), os.path.join(folder, entry))
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise ValueError('get_file: the archive %s is broken: %s. Delete it to have it downloaded again.'
                         % (path, error))
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _move(source, target):
    """Move a file or folder; the files of a folder go into one that is there already."""
    if os.path.isdir(source) and not os.path.islink(source) and os.path.isdir(target):
        for entry in os.listdir(source):
            _move(os.path.join(source, entry), os.path.join(target, entry))
    else:
        os.replace(source, target)


# What an archive may unpack to: so many times its size, or this many bytes.
_UNPACKED_TIMES, _UNPACKED_FREELY = 200, 1 << 26


def _check_size(size, name):
    """Refuse an archive whose members are `size` bytes or more."""
    if size > max(_UNPACKED_FREELY, _UNPACKED_TIMES * os.path.getsize(name)):
        raise ValueError('get_file: the archive %s has %d bytes, but would unpack to at least %d: it is made to fill '
                         'the disk, or holds almost nothing but zeros. Unpack it yourself (extract=False) if it is '
                         'to be so.' % (name, os.path.getsize(name), size))


def _check_tar(archive):
    unpacked = 0
    # One after the other: what is behind the header of a bomb is not looked at.
    for member in archive:
        unpacked += max(member.size, 0)
        _check_size(unpacked, archive.name)
        if not (member.isfile() or member.isdir() or member.islnk() or member.issym()):
            raise ValueError('get_file: %s holds %r, which is neither file nor folder.' % (archive.name, member.name))
        _check_inside(member.name, archive.name)
        if member.islnk() or member.issym():
            _check_inside(member.linkname, archive.name, 'a link to ')


def _check_zip(archive):
    _check_size(sum(member.file_size for member in archive.infolist()), archive.filename)
    for name in archive.namelist():
        _check_inside(name, archive.filename)


def _check_inside(name, archive, what=''):
    """Names that go upwards or begin at the root would lead out of the folder, by themselves or through links."""
    parts = name.replace('\\', '/')
    if parts.startswith('/') or '..' in parts.split('/') or os.path.splitdrive(name)[0]:
        raise ValueError('get_file: the archive %s holds %s%r, which leads out of the folder that it is extracted to. '
                         'Nothing was extracted: such an archive is an attack or a mistake.' % (archive, what, name))


_ARCHIVES = {'tar': (tarfile.is_tarfile, tarfile.open, _check_tar),
             'zip': (zipfile.is_zipfile, zipfile.ZipFile, _check_zip)}
