"""The data sets, from small files of the same format on a web server of this machine.

Numbers of the shuffled ones were printed by Keras 2.3.1 and 3.15.1 for the same files.
"""
import gzip
import hashlib
import io
import json
import os
import pickle
import re
import sys
import tarfile

import numpy as np
import pytest
from serving import serving

import keras
from keras.datasets import pickled
from keras.datasets import (boston_housing, california_housing, cifar, cifar10, cifar100, fashion_mnist, imdb, mnist,
                            reuters)

pytestmark = pytest.mark.on('numpy')


@pytest.fixture(scope='module')
def site():
    with serving() as site:
        yield site


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(tmp_path))
    return tmp_path


@pytest.fixture
def publish(site, monkeypatch):
    """Put a file on the server, where the module looks for it, and its hash into the module."""
    def publish(module, name, content, origin='ORIGIN', file_hash='FILE_HASH'):
        site.files[name] = content
        monkeypatch.setattr(module, origin, site.address + name)
        monkeypatch.setattr(module, file_hash, hashlib.sha256(content).hexdigest())
        site.requests[:] = []
    return publish


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def ragged(lists):
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    return array


def test_addresses_and_hashes():
    for module in (boston_housing, california_housing, cifar10, cifar100, imdb, mnist, reuters):
        assert module.ORIGIN.startswith('https://') and re.match('[0-9a-f]{64}$', module.FILE_HASH)
        assert module.get_file is keras.utils.get_file
    assert sorted(fashion_mnist.FILE_HASHES) == sorted('%s-%s-ubyte.gz' % (part, kind) for part in ('train', 't10k')
                                                       for kind in ('images-idx3', 'labels-idx1'))


def test_mnist(publish, site, home):
    arrays = {'x_train': np.arange(3 * 784, dtype='uint8').reshape(3, 28, 28), 'y_train': np.array([1, 2, 3], 'uint8'),
              'x_test': np.ones((1, 28, 28), 'uint8'), 'y_test': np.array([4], 'uint8')}
    publish(mnist, 'mnist.npz', npz(**arrays))
    for _ in range(2):
        (x_train, y_train), (x_test, y_test) = mnist.load_data()
        for found, name in ((x_train, 'x_train'), (y_train, 'y_train'), (x_test, 'x_test'), (y_test, 'y_test')):
            np.testing.assert_array_equal(found, arrays[name])
            assert found.dtype == 'uint8'
    assert len(site.requests) == 1 and os.listdir(str(home / 'datasets')) == ['mnist.npz']
    # Another name in the cache is another file; the cache works without the server.
    mnist.load_data('digits.npz')
    assert len(site.requests) == 2
    del site.files['mnist.npz']
    mnist.load_data('digits.npz')
    with pytest.raises(OSError, match='URL fetch failure'):
        mnist.load_data('elsewhere.npz')


def test_fashion_mnist(site, monkeypatch, home):
    def idx(array):
        return gzip.compress(bytes(bytearray([0, 0, 8, array.ndim])) + np.array(array.shape, '>i4').tobytes()
                             + array.tobytes())
    monkeypatch.setattr(fashion_mnist, 'ORIGIN', site.address)
    arrays = {'train-images-idx3': np.arange(2 * 784, dtype='uint8').reshape(2, 28, 28),
              'train-labels-idx1': np.array([9, 0], 'uint8'),
              't10k-images-idx3': np.ones((1, 28, 28), 'uint8'), 't10k-labels-idx1': np.array([3], 'uint8')}
    for name, array in arrays.items():
        site.files[name + '-ubyte.gz'] = idx(array)
        monkeypatch.setitem(fashion_mnist.FILE_HASHES, name + '-ubyte.gz', hashlib.md5(idx(array)).hexdigest())
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    for found, array in zip((x_train, y_train, x_test, y_test), arrays.values()):
        np.testing.assert_array_equal(found, array)
    assert len(os.listdir(str(home / 'datasets' / 'fashion-mnist'))) == 4


def cifar_archive(folder, parts, label_keys):
    """A tar archive with, per part, pictures that hold their own number, and labels."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w:gz') as archive:
        for number, part in enumerate(parts):
            data = np.full((2, 3072), number, 'uint8')
            data[:, 1024:2048] = 100
            batch = {b'data': data}
            batch.update((key, [number, number + 1]) for key in label_keys)
            content = pickle.dumps(batch, protocol=2)
            info = tarfile.TarInfo('%s/%s' % (folder, part))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_cifar10(publish, home):
    parts = ['test_batch'] + ['data_batch_%d' % number for number in range(1, 6)]
    publish(cifar10, 'cifar-10.tgz', cifar_archive('cifar-10-batches-py', parts, [b'labels']))
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert x_train.shape == (10, 32, 32, 3) and x_test.shape == (2, 32, 32, 3) and x_train.dtype == 'uint8'
    np.testing.assert_array_equal(y_train[:, 0], [1, 2, 2, 3, 3, 4, 4, 5, 5, 6])
    assert y_test.tolist() == [[0], [1]] and y_train.dtype == y_test.dtype == 'uint8'
    assert (x_train[:, :, :, 1] == 100).all() and (x_train[2, :, :, ::2] == 2).all()
    keras.backend.set_image_data_format('channels_first')
    try:
        assert cifar10.load_data()[0][0].shape == (10, 3, 32, 32)
    finally:
        keras.backend.set_image_data_format('channels_last')
    path = str(home / 'datasets' / 'cifar-10-batches-py' / 'test_batch')
    assert cifar.load_batch(path)[0].shape == (2, 3, 32, 32)
    with pytest.raises(ValueError, match="holds no 'fine_labels', but"):
        cifar.load_batch(path, 'fine_labels')


def test_cifar100(publish):
    publish(cifar100, 'cifar-100.tgz',
            cifar_archive('cifar-100-python', ['train', 'test'], [b'fine_labels', b'coarse_labels']))
    for mode in ('fine', 'coarse'):
        (x_train, y_train), (x_test, y_test) = cifar100.load_data(label_mode=mode)
        assert x_train.shape == x_test.shape == (2, 32, 32, 3) and y_train.tolist() == [[0], [1]]
        assert y_test.tolist() == [[1], [2]]
    with pytest.raises(ValueError, match="Received: 'gross'"):
        cifar100.load_data('gross')


def test_boston_housing(publish):
    publish(boston_housing, 'boston_housing.npz', npz(x=np.arange(20.0).reshape(10, 2), y=np.arange(10.0)))
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data(test_split=0.3)
    assert y_train.tolist() == [9, 3, 6, 1, 0, 7, 4] and y_test.tolist() == [8, 2, 5]
    np.testing.assert_array_equal(x_train[:, 0] / 2, y_train)
    with pytest.raises(ValueError, match='Received: 1.5'):
        boston_housing.load_data(test_split=1.5)


def test_california_housing(publish):
    publish(california_housing, 'california_housing.npz', npz(x=np.arange(700.0)[:, None], y=np.arange(700.0)))
    (x_train, y_train), (x_test, y_test) = california_housing.load_data()
    assert len(x_train) == 560 and len(y_test) == 140
    (_, y_train), (_, y_test) = california_housing.load_data('small')
    assert sorted(np.concatenate([y_train, y_test])) == list(range(600)) and len(y_test) == 120
    with pytest.raises(ValueError, match="Received: 'tiny'"):
        california_housing.load_data('tiny')


TEXTS = [[5, 1], [2, 9, 3], [7], [4, 4, 8, 6]]


def lists(texts):
    assert texts.dtype == object
    return [list(text) for text in texts]


@pytest.mark.parametrize('arguments, expected', [
    ({}, [[1, 8, 4], [1, 5, 2, 6], [1, 10], [1, 7, 7, 11, 9]]),
    ({'start_char': None, 'index_from': 0, 'num_words': 100}, TEXTS),
    ({'start_char': None, 'index_from': None, 'num_words': 6, 'skip_top': 2}, [[5, 2], [2, 2, 3], [2], [4, 4, 2, 2]]),
    ({'num_words': 8, 'oov_char': None}, [[1, 4], [1, 5, 6], [1], [1, 7, 7]]),
])
def test_reuters(publish, arguments, expected):
    publish(reuters, 'reuters.npz', npz(x=ragged(TEXTS), y=np.arange(4)))
    (x_train, y_train), (x_test, y_test) = reuters.load_data(test_split=0.5, **arguments)
    order = list(y_train) + list(y_test)
    assert order == np.random.RandomState(113).permutation(4).tolist() and len(x_train) == 2
    assert lists(x_train) + lists(x_test) == [expected[number] for number in order]


def test_reuters_maxlen(publish):
    publish(reuters, 'reuters.npz', npz(x=ragged(TEXTS), y=np.arange(4)))
    (x_train, y_train), (x_test, y_test) = reuters.load_data(maxlen=4, test_split=0.5)
    assert sorted(list(y_train) + list(y_test)) == [0, 2] and len(x_train) == len(x_test) == 1
    with pytest.raises(ValueError, match='shorter than maxlen=1'):
        reuters.load_data(maxlen=1)


def test_imdb(publish):
    publish(imdb, 'imdb.npz', npz(x_train=ragged(TEXTS), y_train=np.arange(4), x_test=ragged([[1], [2, 2], [3, 3, 3]]),
                                  y_test=np.arange(3)))
    (x_train, y_train), (x_test, y_test) = imdb.load_data(start_char=None, index_from=None, num_words=50)
    generator = np.random.RandomState(113)
    assert y_train.tolist() == generator.permutation(4).tolist()
    assert y_test.tolist() == generator.permutation(3).tolist()
    assert lists(x_train) == [TEXTS[number] for number in y_train]
    assert lists(x_test) == [[number + 1] * (number + 1) for number in y_test]


@pytest.mark.parametrize('generation, train, test', [(2, 4, 0), (3, 2, 2)])
def test_imdb_maxlen_goes_by_the_generation(publish, generation, train, test):
    publish(imdb, 'imdb.npz', npz(x_train=ragged(TEXTS), y_train=np.arange(4), x_test=ragged([[1], [2, 2], [3, 3, 3]]),
                                  y_test=np.arange(3)))
    with keras.config.generation(generation):
        (x_train, y_train), (x_test, y_test) = imdb.load_data(maxlen=4)
        assert len(x_train) == len(y_train) == train and len(x_test) == len(y_test) == test
        with pytest.raises(ValueError, match='shorter than maxlen=2'):
            imdb.load_data(maxlen=2)


@pytest.mark.parametrize('module', [imdb, reuters])
def test_words(publish, module):
    publish(module, 'index.json', json.dumps({'caf\u00e9': 1, 'b': 2}).encode(), 'INDEX_ORIGIN', 'INDEX_HASH')
    assert module.get_word_index() == {'caf\u00e9': 1, 'b': 2}
    with pytest.raises(TypeError, match="Unrecognized keyword arguments: .'words'"):
        module.load_data(words=3)


def test_keras_1_spelling(publish):
    publish(reuters, 'reuters.npz', npz(x=ragged(TEXTS), y=np.arange(4)))
    with pytest.warns(DeprecationWarning, match=r'load_data\(num_words=7\)'):
        (x_train, _), _ = reuters.load_data(nb_words=7)
    assert max(max(text) for text in x_train) < 7


def test_topics():
    assert len(reuters.get_label_names()) == 46 and reuters.get_label_names()[3] == 'earn'


@pytest.mark.skipif(sys.version_info < (3, 8), reason='Python before 3.8 knows no such pickles')
def test_pickles_of_today_are_data_too(tmp_path):
    path = str(tmp_path / 'batch')
    with open(path, 'wb') as file:
        pickle.dump({b'data': np.arange(9000, dtype='uint8')}, file, protocol=5)
    assert pickled.load(path)[b'data'].tolist() == np.arange(9000, dtype='uint8').tolist()
