"""`keras.utils.get_file` against a web server on this machine."""
import hashlib
import io
import os
import socket
import tarfile
import zipfile

import pytest
from serving import serving

import keras
from keras.utils import data_utils

pytestmark = pytest.mark.on('numpy')
CONTENT = bytes(bytearray(range(256))) * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(scope='module')
def server():
    with serving() as site:
        yield site


@pytest.fixture
def site(server):
    server.files = {'data.bin': CONTENT}
    server.breaks, server.requests = [], []
    server.takes_ranges, server.etag = True, '"1"'
    return server


@pytest.fixture
def get(site, tmp_path):
    def get(name='data.bin', fname=None, **arguments):
        return keras.utils.get_file(fname, site.address + name, cache_dir=str(tmp_path), **arguments)
    return get


def content(path):
    with open(path, 'rb') as file:
        return file.read()


def files(folder):
    return sorted(os.path.relpath(os.path.join(place, name), str(folder)).replace(os.sep, '/')
                  for place, _, names in os.walk(str(folder)) for name in names)


def tar_of(members, mode='w:gz'):
    """members: {name: bytes, or (type, target) of a link}."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, value in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(value, bytes):
                info.size = len(value)
                archive.addfile(info, io.BytesIO(value))
            else:
                info.type, info.linkname = value
                archive.addfile(info)
    return buffer.getvalue()


def zip_of(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        for name, value in members.items():
            archive.writestr(name, value)
    return buffer.getvalue()


def test_a_file_is_downloaded_once(get, site, tmp_path, capsys):
    path = get()
    assert path == str(tmp_path / 'datasets' / 'data.bin') and content(path) == CONTENT
    said = capsys.readouterr().out
    assert 'Downloading data from %sdata.bin (256 kB)' % site.address in said and '256000/256000' in said
    assert get() == path and len(site.requests) == 1
    assert get(force_download=True) == path and len(site.requests) == 2
    assert content(get(fname='other', cache_subdir='a/b')) == CONTENT
    assert files(tmp_path) == ['a/b/other', 'datasets/data.bin']


def test_the_cache_is_in_keras_home(site, tmp_path, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(tmp_path / 'home'))
    assert keras.utils.get_file('x', site.address + 'data.bin') == str(tmp_path / 'home' / 'datasets' / 'x')
    absolute = str(tmp_path / 'here')
    assert keras.utils.get_file(absolute, site.address + 'data.bin') == absolute


@pytest.mark.parametrize('arguments', [
    {'file_hash': SHA}, {'md5_hash': MD5}, {'file_hash': MD5.upper(), 'hash_algorithm': 'md5'},
    {'file_hash': hashlib.sha1(CONTENT).hexdigest(), 'hash_algorithm': 'sha1'}])
def test_hashes(get, site, tmp_path, arguments):
    path = get(**arguments)
    with open(path, 'wb') as file:
        file.write(b'outdated')
    assert content(get(**arguments)) == CONTENT
    get(**arguments)
    assert len(site.requests) == 2


def test_a_wrong_hash_leaves_nothing(get, tmp_path):
    with pytest.raises(ValueError, match='Incomplete or corrupted file'):
        get(file_hash='0' * 64)
    assert files(tmp_path) == []


def test_validate_file(tmp_path):
    path = str(tmp_path / 'file')
    with open(path, 'wb') as file:
        file.write(CONTENT)
    assert data_utils.validate_file(path, SHA) and data_utils.validate_file(path, MD5, chunk_size=7)
    assert data_utils.validate_file(path, SHA, 'sha256') and not data_utils.validate_file(path, MD5[::-1])


def test_a_broken_connection_is_taken_up_again(get, site):
    site.breaks = [1000, 5000]
    assert content(get()) == CONTENT
    assert [part for _, part in site.requests] == [None, 'bytes=1000-', 'bytes=5000-']


def test_what_changed_meanwhile_begins_anew(get, site):
    site.breaks = [1000]
    site.takes_ranges = False
    assert content(get()) == CONTENT


def test_a_download_is_resumed_in_the_next_call_if_there_is_a_hash(get, site, tmp_path):
    site.breaks = [1000, 2000, 3000]
    with pytest.raises(OSError, match='URL fetch failure on http.*broke off after 3000 of 256000'):
        get(file_hash=SHA)
    assert files(tmp_path) == ['datasets/data.bin.part']
    assert content(get(file_hash=SHA)) == CONTENT
    assert site.requests[-1] == ('/data.bin', 'bytes=3000-')
    assert files(tmp_path) == ['datasets/data.bin']


@pytest.mark.parametrize('beginning', [b'of something else', CONTENT, CONTENT + b'more'])
def test_a_beginning_of_something_else(get, tmp_path, beginning):
    (tmp_path / 'datasets').mkdir()
    for arguments in ({'file_hash': SHA}, {}):
        with open(str(tmp_path / 'datasets' / 'data.bin.part'), 'wb') as file:
            file.write(beginning)
        assert content(get(force_download=True, **arguments)) == CONTENT
        assert files(tmp_path) == ['datasets/data.bin']


def test_without_a_hash_nothing_is_left(get, site, tmp_path):
    site.breaks = [10, 20, 30]
    with pytest.raises(OSError, match='broke off'):
        get()
    assert files(tmp_path) == []


def test_two_downloads_at_a_time(get, site, tmp_path):
    fcntl = pytest.importorskip('fcntl')
    (tmp_path / 'datasets').mkdir()
    with open(str(tmp_path / 'datasets' / 'data.bin.part'), 'wb') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert content(get(file_hash=SHA)) == CONTENT
    assert files(tmp_path) == ['datasets/data.bin', 'datasets/data.bin.part']


def test_offline(get, tmp_path):
    with pytest.raises(OSError, match='URL fetch failure on .*404 -- Not Found.*put the file at .*missing.bin'):
        get('missing.bin')
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        address = 'http://127.0.0.1:%d/data.bin' % unused.getsockname()[1]
        with pytest.raises(OSError, match='Without a network, put the file at'):
            keras.utils.get_file('data.bin', address, cache_dir=str(tmp_path))
    with pytest.raises(OSError, match='unknown url type'):
        keras.utils.get_file('data.bin', 'no-address', cache_dir=str(tmp_path))
    assert files(tmp_path) == []
    with pytest.raises(ValueError, match='`origin`'):
        keras.utils.get_file('x')
    with pytest.raises(ValueError, match='give `fname`'):
        keras.utils.get_file(origin='http://127.0.0.1/')


def test_untar(get, site, tmp_path):
    site.files['set.tgz'] = tar_of({'set/one': b'1', 'set/deep/two': b'2', 'set/link': (tarfile.SYMTYPE, 'one')})
    folder = get('set.tgz', fname='set', untar=True)
    assert folder == str(tmp_path / 'datasets' / 'set')
    assert files(tmp_path) == ['datasets/set.tar.gz', 'datasets/set/deep/two', 'datasets/set/link', 'datasets/set/one']
    assert content(os.path.join(folder, 'link')) == b'1'
    assert get('set.tgz', fname='set', untar=True) == folder and len(site.requests) == 1


@pytest.mark.parametrize('name, arguments', [
    ('a.tar', {}), ('a.zip', {}), ('a.zip', {'archive_format': 'zip'}), ('a.tar', {'archive_format': ['zip', 'tar']})])
def test_extract(get, site, tmp_path, name, arguments):
    members = {'top': b'0', 'set/one': b'1'}
    site.files[name] = zip_of(members) if name.endswith('zip') else tar_of(members, 'w')
    (tmp_path / 'datasets' / 'set').mkdir(parents=True)
    (tmp_path / 'datasets' / 'set' / 'mine').write_bytes(b'')
    assert get(name, extract=True, **arguments) == str(tmp_path / 'datasets' / name)
    assert files(tmp_path / 'datasets') == [name, 'set/mine', 'set/one', 'top']


@pytest.mark.parametrize('fname, archive, folder', [
    (None, 'set.tgz_archive', 'set.tgz'), ('mine', 'mine_archive', 'mine'), ('a.tar.gz', 'a.tar.gz', 'a_extracted')])
@pytest.mark.parametrize('how', ['extract', 'untar'])
def test_in_keras_3_what_is_extracted_has_a_folder(get, site, tmp_path, fname, archive, folder, how):
    site.files['set.tgz'] = tar_of({'set/one': b'1'})
    with keras.config.generation(3):
        assert get('set.tgz', fname=fname, **{how: True}) == str(tmp_path / 'datasets' / folder)
        assert get('set.tgz', fname=fname, **{how: True}) and len(site.requests) == 1
    assert files(tmp_path) == sorted(['datasets/' + archive, 'datasets/%s/set/one' % folder])


@pytest.mark.parametrize('archive', [
    tar_of({'good': b'', '../evil': b''}), tar_of({'good': b'', '/tmp/keras-evil': b''}),
    tar_of({'good': b'', 'a/../../evil': b''}), tar_of({'good': b'', 'link': (tarfile.SYMTYPE, '/etc')}),
    tar_of({'good': b'', 'link': (tarfile.SYMTYPE, '..'), 'link/evil': b''}),
    tar_of({'good': b'', 'link': (tarfile.LNKTYPE, '../../secret')}),
    tar_of({'good': b'', 'pipe': (tarfile.FIFOTYPE, '')}),
    zip_of({'good': b'', '../evil': b''}), zip_of({'good': b'', '/tmp/keras-evil': b''}),
    zip_of({'good': b'', 'a\\..\\..\\evil': b''})], ids=[
        'tar up', 'tar absolute', 'tar up inside', 'link absolute', 'link up', 'hard link', 'pipe', 'zip up',
        'zip absolute',
        'zip backslashes'])
def test_archives_that_lead_elsewhere_are_refused_as_a_whole(get, site, tmp_path, archive):
    site.files['evil'] = archive
    with pytest.raises(ValueError, match='leads out of the folder|neither file nor folder'):
        get('evil', extract=True)
    assert files(tmp_path) == ['datasets/evil'] and not os.path.exists('/tmp/keras-evil')
    assert os.listdir(str(tmp_path / 'datasets')) == ['evil']


def test_no_archive(get, site, tmp_path):
    with pytest.raises(ValueError, match="no archive of the kind .'tar', 'zip'"):
        get(extract=True)
    assert get(extract=True, archive_format=None)
    with pytest.raises(ValueError, match="archive_format .* Received: 'rar'"):
        get(extract=True, archive_format='rar')
    site.files['cut'] = tar_of({'one': os.urandom(10000)})[:5000]
    with pytest.raises(ValueError, match='is broken'):
        get('cut', extract=True)
    assert files(tmp_path) == ['datasets/cut', 'datasets/data.bin']
