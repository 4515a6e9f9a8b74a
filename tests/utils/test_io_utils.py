"""HDF5Matrix, H5Dict and HDF5 files in memory."""
import io
import pickle

import h5py
import numpy as np
import pytest

import keras
from keras.utils import H5Dict, HDF5Matrix, io_utils

pytestmark = pytest.mark.on('numpy')
ROWS = np.arange(40).reshape(10, 4)


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / 'rows.h5')
    with h5py.File(path, 'w') as file:
        file['rows'] = ROWS
    return path


@pytest.mark.parametrize('key', [
    0, -1, np.int64(3), slice(None), slice(1, 3), slice(4, None), slice(-2, None), slice(None, None, -1), slice(3, 1),
    slice(0, 6, 2), [0, 2], [4, 1, 1], np.array([5, 0]), np.array([True, False, True, False, False, False]), (1, 2)])
def test_rows(path, key):
    rows = HDF5Matrix(path, 'rows', 2, 8)
    expected = ROWS[2:8][list(key) if isinstance(key, tuple) else key]
    np.testing.assert_array_equal(rows[key], expected)
    np.testing.assert_array_equal(HDF5Matrix(path, 'rows', 2, 8, normalizer=lambda x: x / 2.0)[key], expected / 2.0)


def test_facts(path):
    rows = HDF5Matrix(path, 'rows', start=2, end=8)
    assert (len(rows), rows.shape, rows.dtype, rows.ndim, rows.size) == (6, (6, 4), ROWS.dtype, 2, 24)
    halves = HDF5Matrix(path, 'rows', normalizer=lambda x: x[:, :3].astype('float32') / 2)
    assert halves.shape == (10, 3) and halves.dtype == 'float32' and halves.size == 30
    np.testing.assert_array_equal(np.asarray(halves), ROWS[:, :3] / 2.0)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rows))[0], ROWS[2])


@pytest.mark.parametrize('key', [6, -7, [0, 6], slice(0, 7)])
def test_no_such_row(path, key):
    with pytest.raises(IndexError, match='HDF5Matrix'):
        HDF5Matrix(path, 'rows', 2, 8)[key]


@pytest.mark.parametrize('key', ['rows', None, 1.5])
def test_no_number_of_a_row(path, key):
    with pytest.raises(TypeError, match='HDF5Matrix'):
        HDF5Matrix(path, 'rows', 2, 8)[key]


def test_no_such_data(path, tmp_path):
    with pytest.raises(KeyError, match="no data set 'columns', but: .'rows'"):
        HDF5Matrix(path, 'columns')
    with pytest.raises(ValueError, match='rows from 3 to 11 were asked for.* has 10'):
        HDF5Matrix(path, 'rows', 3, 11)
    with pytest.raises(OSError):
        HDF5Matrix(str(tmp_path / 'nothing.h5'), 'rows')


def test_a_model_takes_it(path, monkeypatch):
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer='ones', input_shape=(4,))])
    model.compile('sgd', 'mse')
    read = []
    get = HDF5Matrix._rows
    monkeypatch.setattr(HDF5Matrix, '_rows', lambda self, key: read.append(key) or get(self, key))
    monkeypatch.setattr('keras.training.data.arrays._CHUNK_BYTES', 1)
    rows = HDF5Matrix(path, 'rows', 1, normalizer=lambda x: x * 2)
    expected = 2 * ROWS[1:].sum(axis=1)
    np.testing.assert_allclose(model.predict(rows, batch_size=4)[:, 0], expected)
    assert read == [slice(0, 4), slice(4, 8), slice(8, 9)]
    assert model.evaluate(rows, expected, verbose=0) == 0
    with h5py.File(path, 'r') as file:
        np.testing.assert_allclose(model.predict(file['rows'], batch_size=3)[:, 0], ROWS.sum(axis=1))


@pytest.mark.parametrize('kind', ['path', 'group', 'dictionary'])
def test_h5dict(tmp_path, kind):
    target = {'path': tmp_path / 'values.h5', 'group': None, 'dictionary': {'old': 1}}[kind]
    if kind == 'group':
        target = h5py.File(str(tmp_path / 'group.h5'), 'w')
    with H5Dict(target, 'w') as values:
        values['array'] = np.arange(3)
        values['text'], values['bytes'], values['number'] = 'caf\u00e9', b'ab', 3
        values['names'] = [b'a', b'bc']
        values['layer']['kernel'] = np.ones((2, 3))
        values.update({'more': np.zeros(1)}, [('scalar', np.float32(2))])
        values['text'] = 'again'
        np.testing.assert_array_equal(values['array'], [0, 1, 2])
        assert values['text'] == 'again' and values['number'] == 3 and values['scalar'] == 2
        assert values['names'] == [b'a', b'bc'] and values['bytes'] == b'ab'
        assert isinstance(values['layer'], H5Dict) and values['layer']['kernel'].shape == (2, 3)
        assert 'array' in values and 'text' in values and 'nothing' not in values
        assert values.get('nothing', 5) == 5 and 'nothing' not in values and values.get('number') == 3
        assert {'array', 'layer', 'more', 'scalar'} <= set(values) and len(values) == len(list(values))
    if kind == 'group':
        target.close()


def test_h5dict_on_files(tmp_path):
    path = str(tmp_path / 'values.h5')
    many = [('name %d ' % number).encode() * 20 for number in range(1000)]
    with H5Dict(path) as values:
        values['array'], values['many'], values['words'] = np.arange(3), many, ['a', 'b']
        values['nested'] = {'one': np.ones(1), 'two': 2}
        with pytest.raises(KeyError, match="name 'array' exists"):
            values['array'] = 1
        with pytest.raises(RuntimeError, match='too long'):
            values['long'] = [b'x' * 70000]
    with H5Dict(path, 'r') as values:
        assert values['many'] == many and values['words'] == [b'a', b'b'] and values['nested']['two'] == 2
        with pytest.raises(ValueError, match='Cannot set item in read-only mode'):
            values['other'] = 1
        with pytest.raises(ValueError, match="Cannot create group in read-only mode: there is no 'other'"):
            values['other']
    with pytest.raises(TypeError, match='Received: 3'):
        H5Dict(3)
    assert io_utils.h5dict is H5Dict and H5Dict.is_supported_type({}) and not H5Dict.is_supported_type(3)
    assert H5Dict.is_supported_type(path) and H5Dict.is_supported_type(tmp_path)


def test_files_in_memory():
    stream = io.BytesIO()
    io_utils.save_to_binary_h5py(lambda file: file.create_dataset('x', data=[1, 2]), stream)
    stream.seek(0)
    assert io_utils.load_from_binary_h5py(lambda file: file['x'][()].tolist(), stream) == [1, 2]
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    stream = io.BytesIO()
    io_utils.save_to_binary_h5py(model.save, stream)
    stream.seek(0)
    loaded = io_utils.load_from_binary_h5py(keras.models.load_model, stream)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
