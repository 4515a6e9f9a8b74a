"""Files that are written whole: after a kill, a full disk or another failure the old file is there, or the new one."""
import contextlib
import errno
import io
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading

import h5py
import numpy as np
import pytest

import keras
from keras.models import load_model
from keras.saving import writing
from keras.saving.writing import SteadyFile, sweep, whole_file, whole_folder, writing_hdf5

pytestmark = pytest.mark.on('numpy')
NAMES = ['model.h5', 'model.keras', 'model.weights.h5', 'weights.h5']


def small_model():
    return keras.Sequential([keras.layers.Dense(2, input_shape=(3,), name='dense')])


def save(model, path):
    (model.save_weights if 'weights' in os.path.basename(path) else model.save)(path)


def load(path):
    """The weights in a file."""
    if 'weights' not in os.path.basename(path):
        return load_model(path, compile=False).get_weights()
    model = small_model()
    model.load_weights(path)
    return model.get_weights()


# --- the file itself --------------------------------------------------------------------------------------------------

def test_the_file_appears_when_it_is_whole(tmp_path):
    path = str(tmp_path / 'missing' / 'folders' / 'file')
    with whole_file(path) as file:
        file.write(b'0123456789')
        file.seek(4)
        file.write(b'xy')
        assert file.tell() == 6 and file.read(2) == b'67'
        file.seek(0)
        assert file.read() == b'0123xy6789'
        assert not os.path.exists(path)
        assert len(os.listdir(os.path.dirname(path))) == 1
    with open(path, 'rb') as file:
        assert file.read() == b'0123xy6789'
    assert os.listdir(os.path.dirname(path)) == ['file']


def test_a_failure_leaves_the_old_file(tmp_path):
    path = str(tmp_path / 'file')
    with open(path, 'wb') as file:
        file.write(b'old')
    for failure in (KeyError('x'), KeyboardInterrupt(), OSError('y')):
        with pytest.raises(type(failure)), whole_file(path) as file:
            file.write(b'new')
            raise failure
        with open(path, 'rb') as file:
            assert file.read() == b'old'
        assert os.listdir(str(tmp_path)) == ['file']


@pytest.mark.skipif(os.name != 'posix', reason='permissions of POSIX')
@pytest.mark.parametrize('mode', [0o600, 0o640, 0o644, 0o755])
def test_permissions_are_kept_and_the_temporary_file_is_private(mode, tmp_path):
    path = str(tmp_path / 'file')
    with open(path, 'wb'):
        pass
    os.chmod(path, mode)
    with whole_file(path) as file:
        file.write(b'x')
        partial, = [name for name in os.listdir(str(tmp_path)) if name != 'file']
        assert stat.S_IMODE(os.stat(str(tmp_path / partial)).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path).st_mode) == mode


@pytest.mark.skipif(os.name != 'posix', reason='permissions of POSIX')
def test_new_files_have_the_permissions_of_new_files(tmp_path):
    old = os.umask(0o027)
    try:
        with whole_file(str(tmp_path / 'file')) as file:
            file.write(b'x')
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat(str(tmp_path / 'file')).st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() != 0, reason='only root can give files away')
def test_the_owner_is_kept(tmp_path):
    path = str(tmp_path / 'model.h5')
    small_model().save(path)
    os.chown(path, 1234, 5678)
    small_model().save(path)
    assert (os.stat(path).st_uid, os.stat(path).st_gid) == (1234, 5678)


def test_links_are_kept(tmp_path):
    target, link = str(tmp_path / 'real.h5'), str(tmp_path / 'link.h5')
    os.symlink(target, link)
    for _ in range(2):
        small_model().save(link)
        assert os.path.islink(link) and not os.path.islink(target)
    assert sorted(os.listdir(str(tmp_path))) == ['link.h5', 'real.h5']


@pytest.mark.parametrize('name', NAMES)
def test_only_regular_files_are_replaced(name, tmp_path):
    path = str(tmp_path / name)
    os.mkfifo(path)
    with pytest.raises(ValueError, match='FIFO'):
        save(small_model(), path)
    assert stat.S_ISFIFO(os.stat(path).st_mode)
    os.remove(path)
    os.mkdir(path)
    with pytest.raises(ValueError, match='folder'):
        save(small_model(), path)
    os.rmdir(path)
    os.symlink('/dev/null', path)
    with pytest.raises(ValueError, match='device'):
        save(small_model(), path)
    assert stat.S_ISCHR(os.stat('/dev/null').st_mode)


@pytest.mark.parametrize('name', NAMES)
def test_missing_folders_are_made(name, tmp_path):
    model, path = small_model(), str(tmp_path / 'a' / 'b' / name)
    save(model, path)
    np.testing.assert_array_equal(load(path)[0], model.get_weights()[0])


def test_a_vanished_folder_is_an_error_in_words(tmp_path):
    folder = tmp_path / 'folder'
    with pytest.raises(OSError, match='folder has vanished'), whole_file(str(folder / 'file')) as file:
        file.write(b'x')
        for name in os.listdir(str(folder)):
            os.remove(str(folder / name))
        folder.rmdir()
    assert not folder.exists()


# --- leftovers --------------------------------------------------------------------------------------------------------

def test_leftovers_of_the_dead_are_swept_and_the_living_are_left(tmp_path):
    pytest.importorskip('fcntl')
    dead = tmp_path / '.model.h5.0123abcd.keras-partial'
    dead.write_bytes(b'x')
    (tmp_path / '.x.01234567.keras-partial').mkdir()
    others = ['.other.partial', 'model.h5.0123abcd.keras-partial', '.x.nothexno.keras-partial']
    for name in others:
        (tmp_path / name).write_bytes(b'x')
    with whole_file(str(tmp_path / 'one')) as one:
        one.write(b'1')
        with whole_file(str(tmp_path / 'two')) as two:
            two.write(b'2')
        sweep(str(tmp_path))
    assert sorted(os.listdir(str(tmp_path))) == sorted(others + ['one', 'two'])


def test_several_threads_save_under_one_name(tmp_path):
    path, failures = str(tmp_path / 'file'), []

    def work(number):
        try:
            for _ in range(10):
                with whole_file(path) as file:
                    file.write(bytes([number]) * 10000)
        except Exception as error:
            failures.append(error)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with open(path, 'rb') as file:
        content = file.read()
    assert len(content) == 10000 and len(set(content)) == 1
    assert os.listdir(str(tmp_path)) == ['file']


KILLED = """
    import sys
    import numpy as np, keras
    model = keras.Sequential([keras.layers.Dense(300, input_shape=(300,), name='dense')])
    print('ready', flush=True)
    number = 0
    while True:
        number += 1
        model.set_weights([np.full((300, 300), number, 'float32'), np.full((300,), number, 'float32')])
        model.save(sys.argv[1])
"""


@pytest.mark.skipif(os.name != 'posix', reason='kill -9')
@pytest.mark.parametrize('name', ['model.h5', 'model.keras'])
def test_killed_writers(name, tmp_path):
    path = str(tmp_path / name)
    for wait in (0.15, 0.05, 0.1):
        writer = subprocess.Popen([sys.executable, '-W', 'ignore', '-c', textwrap.dedent(KILLED), path],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  env=dict(os.environ, KERAS_BACKEND='numpy', PYTHONPATH=os.pathsep.join(sys.path)))
        writer.stdout.readline()
        deadline = threading.Event()
        while not os.path.exists(path) and writer.poll() is None:
            deadline.wait(0.01)
        deadline.wait(wait)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        kernel, bias = load_model(path, compile=False).get_weights()
        assert len(np.unique(kernel)) == 1 and np.unique(kernel) == np.unique(bias)
    small_model().save(path)
    assert os.listdir(str(tmp_path)) == [name]


# --- the full disk ----------------------------------------------------------------------------------------------------

class FullDisk(io.RawIOBase):
    """A file on a disk with room for so many bytes."""

    def __init__(self, room):
        super().__init__()
        self.room = room
        self.content = io.BytesIO()

    def seek(self, offset, whence=0):
        return self.content.seek(offset, whence)

    def write(self, data):
        count = min(len(data), max(self.room - self.content.tell(), 0), 1000)
        if not count:
            raise OSError(errno.ENOSPC, 'No space left on device')
        return self.content.write(data[:count])

    def readinto(self, buffer):
        return self.content.readinto(buffer)

    def truncate(self, size=None):
        return self.content.truncate(size)


@pytest.mark.parametrize('room', [0, 10, 100, 1000, 3000, 5000, 10 ** 6])
def test_hdf5_survives_a_full_disk(room):
    steady = SteadyFile(FullDisk(room))
    with h5py.File(steady, 'w') as file:
        for number in range(20):
            file['data%d' % number] = np.full(100, number)
    if room == 10 ** 6:
        steady.finish()
    else:
        with pytest.raises(OSError) as caught:
            steady.finish()
        assert caught.value.errno == errno.ENOSPC


LIMITED = """
    import resource, signal, sys
    import numpy as np, keras
    model = keras.Sequential([keras.layers.Dense(300, input_shape=(300,), name='dense')])
    resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
    for name in sys.argv[1:]:
        try:
            (model.save_weights if 'weights' in name else model.save)(name)
        except OSError as error:
            print('%d %s' % (error.errno, error))
"""


@pytest.mark.skipif(os.name != 'posix', reason='ulimit')
def test_the_limit_of_a_file_is_an_error_in_words(tmp_path):
    names = [str(tmp_path / name) for name in NAMES]
    for name in names:
        with open(name, 'wb') as file:
            file.write(b'old')
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', textwrap.dedent(LIMITED)] + names,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, KERAS_BACKEND='numpy', PYTHONPATH=os.pathsep.join(sys.path)))
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0, done.stderr.decode()
    assert len(lines) == len(names)
    for line in lines:
        assert line.startswith('%d ' % errno.EFBIG) and 'ulimit -f' in line and 'unchanged' in line
    assert sorted(os.listdir(str(tmp_path))) == sorted(NAMES)
    for name in names:
        with open(name, 'rb') as file:
            assert file.read() == b'old'


@pytest.fixture
def small_disk(tmp_path):
    disk = str(tmp_path / 'disk')
    os.mkdir(disk)
    if subprocess.call(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], stderr=subprocess.DEVNULL):
        pytest.skip('this process may not mount a file system')
    yield disk
    subprocess.call(['umount', '-l', disk])


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='tmpfs')
@pytest.mark.parametrize('name', NAMES)
def test_a_full_disk_is_an_error_in_words(name, small_disk):
    path = os.path.join(small_disk, name)
    small = small_model()
    save(small, path)
    large = keras.Sequential([keras.layers.Dense(300, input_shape=(300,), name='dense')])
    for _ in range(3):
        with pytest.raises(OSError, match='no space left on the device.*unchanged') as caught:
            save(large, path)
        assert caught.value.errno == errno.ENOSPC
        assert os.listdir(small_disk) == [name]
    np.testing.assert_array_equal(load(path)[0], small.get_weights()[0])


# --- HDF5 and folders -------------------------------------------------------------------------------------------------

def test_writing_hdf5(tmp_path):
    path = str(tmp_path / 'file.h5')
    with writing_hdf5(path) as file:
        file['a'] = np.arange(5)
    target = io.BytesIO()
    with writing_hdf5(target) as file:
        file['a'] = np.arange(5)
    for source in (path, io.BytesIO(target.getvalue())):
        with h5py.File(source, 'r') as file:
            np.testing.assert_array_equal(file['a'][()], np.arange(5))


def test_whole_folders(tmp_path):
    path = str(tmp_path / 'a' / 'folder')
    for number in (1, 2):
        with whole_folder(path) as new:
            with open(os.path.join(new, 'file%d' % number), 'w') as file:
                file.write('x')
        assert sorted(os.listdir(path)) == ['file1', 'file2'][:number]  # what else there is stays
    os.remove(os.path.join(path, 'file1'))
    with pytest.raises(KeyError), whole_folder(path) as new:
        raise KeyError('x')
    assert os.listdir(path) == ['file2'] and os.listdir(str(tmp_path / 'a')) == ['folder']
    # A writer that was killed between two renames.
    os.rename(path, str(tmp_path / 'a' / '.folder.01234567.keras-old'))
    with pytest.raises(KeyError), whole_folder(path) as new:
        raise KeyError('x')
    assert os.listdir(path) == ['file2'] and os.listdir(str(tmp_path / 'a')) == ['folder']
    with pytest.raises(ValueError, match='a file'), whole_folder(os.path.join(path, 'file2')):
        pass
    # And one that was killed before it had moved over what else there was.
    os.mkdir(str(tmp_path / 'a' / '.folder.01234567.keras-old'))
    (tmp_path / 'a' / '.folder.01234567.keras-old' / 'notes').write_text(u'mine')
    with whole_folder(path) as new:
        with open(os.path.join(new, 'file3'), 'w') as file:
            file.write('x')
    assert sorted(os.listdir(path)) == ['file2', 'file3', 'notes'] and os.listdir(str(tmp_path / 'a')) == ['folder']


def test_the_explanation_keeps_the_number():
    error = writing.explained_error('file', OSError(errno.ENOSPC, 'x'))
    assert error.errno == errno.ENOSPC and json.dumps(str(error))


def test_a_set_of_files_that_is_half_replaced_says_so(tmp_path, monkeypatch):
    paths = [str(tmp_path / name) for name in 'ab']
    replaced = []

    def replace(old, new):
        if replaced:
            raise OSError(errno.ENOSPC, 'full')
        replaced.append(new)
    with pytest.raises(OSError, match='1 of 2 are the new ones already'):
        with writing.at_once() as together, contextlib.ExitStack() as stack:
            for path in paths:
                stack.enter_context(writing.whole_file(path, together=together)).write(b'x')
            monkeypatch.setattr(os, 'replace', replace)
            stack.close()
