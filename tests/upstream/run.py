"""Run upstream Keras' own tests on this package: `python tests/upstream/run.py ENGINE [FILE...] [-- PYTEST ARGS]`.

The sources come from PyPI, once, into KERAS_UPSTREAM or a folder of the user's cache, and nothing of them is kept here.
FILE is a file or folder below `keras/src`, as `layers/core/dense_test.py`; without one all tests run, which takes an
hour or two. What the tests import is answered by our public names (`addresses.py`). The environment needs the engine
and `absl-py`.
"""
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

VERSION = '3.15.1'
HERE = os.path.dirname(os.path.abspath(__file__))


def fetched():
    """The folder of upstream's sources."""
    folder = os.environ.get('KERAS_UPSTREAM') or os.path.join(os.path.expanduser('~'), '.cache', 'keras-upstream')
    root = os.path.join(folder, 'keras-' + VERSION)
    if os.path.isdir(root):
        return root
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        subprocess.check_call([sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', '--no-binary', 'keras',
                               '--no-build-isolation', 'keras==' + VERSION, '-d', fresh])
        with tarfile.open(os.path.join(fresh, 'keras-%s.tar.gz' % VERSION)) as archive:
            archive.extractall(fresh)
        os.rename(os.path.join(fresh, 'keras-' + VERSION), root)
    return root


def laid_out(root):
    """A folder with the tests alone: beside their sources they would import these.

    pytest names modules by their folders, and there are `random` and `tree` among these: one more stands above them.
    """
    folder = os.path.join(root + '-tests', 'upstream')
    source = os.path.join(root, 'keras', 'src')
    if not os.path.isdir(folder):
        for place, _, files in os.walk(source):
            for file in files:
                if file.endswith('_test.py'):
                    target = os.path.join(folder, os.path.relpath(place, source), file)
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    shutil.copy(os.path.join(place, file), target)
    return folder


def main(arguments):
    options = arguments[arguments.index('--') + 1:] if '--' in arguments else []
    engine, *files = arguments[:arguments.index('--')] if '--' in arguments else arguments
    root = fetched()
    tests = laid_out(root)
    library = os.path.dirname(os.path.dirname(HERE))
    environment = dict(os.environ, KERAS_BACKEND=engine, KERAS_GENERATION='3', KERAS_UPSTREAM=root, PYTHONHASHSEED='0',
                       PYTHONPATH=os.pathsep.join([HERE, library]))
    pytest = [sys.executable, '-m', 'pytest', '-p', 'addresses', '-p', 'no:cacheprovider', '-c', os.devnull,
              '--rootdir', os.path.dirname(tests), '--import-mode=importlib', '--continue-on-collection-errors',
              '-q', '-rfE', '--tb=short']
    return subprocess.call(pytest + options + [os.path.join(tests, file) for file in files or ['.']],
                           env=environment, cwd=tests)



if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
