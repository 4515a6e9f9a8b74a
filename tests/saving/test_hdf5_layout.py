"""HDF5 files that are laid out here are files of HDF5, and what their index says is believed only where it is so."""
import io
import json
import os
import struct
import time

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keras
from keras.saving import arrays as reading, hdf5_layout
from keras.saving.opening import open_hdf5
from keras.saving.writing import writing_hdf5

pytestmark = pytest.mark.on('numpy')
ARRAYS = [np.arange(6, dtype='float32').reshape(2, 3).T, np.array(3.), np.zeros((0, 2), 'int32'),
          np.arange(4, dtype='>i2'), np.arange(3, dtype='uint8'), np.float16([1.5, -2]), np.array(7, 'int64')]
OTHERS = [np.array([True, False]), np.array([1 + 2j]), np.array([b'ab', b'c'])]
ATTRIBUTES = {'text': u'w\u00e4', 'ascii': b'abc', 'empty': '', 'names': np.array([b'ab', b'c']), 'none': np.zeros(0),
              'number': np.int64(5), 'long': b'x' * 200000, 'numbers': np.arange(3, dtype='uint32')}


def content_of(path, fill):
    with writing_hdf5(path) as file:
        fill(file)
    with open(path, 'rb') as file:
        return file.read()


def is_believed(source):
    with open_hdf5(source) as group:
        return type(group).__name__ == '_KeptGroup'


def text(value):
    return value.decode('utf-8') if isinstance(value, bytes) else value


def same(found, expected):
    if isinstance(expected, (str, bytes)):
        return text(found) == text(expected)
    expected = np.asarray(expected)
    return np.array_equal(found, expected) and np.shape(found) == expected.shape and \
        np.asarray(found).dtype.newbyteorder('=') == expected.dtype.newbyteorder('=')


@pytest.mark.parametrize('arrays', [ARRAYS, ARRAYS + OTHERS], ids=['indexed', 'with others'])
def test_arrays_and_attributes_come_back(arrays, tmp_path):
    def fill(file):
        group = file.create_group(u'a/\u00e4')
        for number, array in enumerate(arrays):
            group['%d:0' % number] = array
        for name, value in ATTRIBUTES.items():
            group.attrs[name] = value
    path = str(tmp_path / 'x.h5')
    content_of(path, fill)
    assert is_believed(path) == (arrays is ARRAYS)
    with h5py.File(path, 'r') as file, open_hdf5(path) as group:
        assert all(same(file[u'a/\u00e4'].attrs[name], value) for name, value in ATTRIBUTES.items())
        assert all(same(group[u'a/\u00e4'].attrs[name], value) for name, value in ATTRIBUTES.items())
        for number, array in enumerate(arrays):
            assert same(file[u'a/\u00e4/%d:0' % number][()], array)
            if array.dtype.kind not in 'cS':
                assert same(group[u'a/\u00e4/%d:0' % number].read(), array)


@pytest.mark.parametrize('count', [0, 1, 8, 9, 256, 257, 8193])
def test_groups_of_any_size_can_be_changed_by_other_programs(count, tmp_path):
    path, names = str(tmp_path / 'x.h5'), ['layer_%d' % number for number in range(count)]

    def fill(file):
        for name in names:
            file.create_group(name).attrs['name'] = name
    content_of(path, fill)
    with open_hdf5(path) as group:
        assert group.keys() == sorted(names)
    with h5py.File(path, 'r+') as file:
        assert list(file) == sorted(names) and all(file[name].attrs['name'] == name for name in names[::50])
        for number in range(40):
            file.create_dataset('between/%d' % number, data=np.arange(number))
            file.create_group('layer_%d_more' % number)
        if count:
            del file[names[count // 2]]
    with h5py.File(path, 'r') as file:
        assert len(file) == count + 40 + (0 if count else 1)
        assert file['between/39'][5] == 5
    assert not is_believed(path)


def test_many_attributes_and_texts(tmp_path):
    names = np.array([b'layer_%d' % number for number in range(4000)])

    def fill(file):
        for number in range(5):
            file.attrs['names%d' % number] = names
        for number in range(300):
            file.create_group(str(number)).attrs['text'] = 'some text ' * (number % 50)
    content_of(str(tmp_path / 'x.h5'), fill)
    with h5py.File(str(tmp_path / 'x.h5'), 'r') as file:
        assert all(np.array_equal(file.attrs['names%d' % number], names) for number in range(5))
        assert all(file[str(number)].attrs['text'] == 'some text ' * (number % 50) for number in range(300))


def test_names_that_are_taken_or_impossible(tmp_path):
    with writing_hdf5(str(tmp_path / 'x.h5')) as file:
        file.create_group('a/b')
        file['c'] = np.zeros(2)
        for name in ('a', 'c', 'a/b', 'x\0y', ''):
            with pytest.raises(ValueError):
                file.create_group(name)
        for name in ('a', 'c'):
            with pytest.raises(ValueError):
                file[name] = np.zeros(2)
        with pytest.raises(TypeError, match='numbers'):
            file['text'] = np.array(['a'])
        with pytest.raises(ValueError, match='64 KiB'):
            file.attrs['large'] = np.zeros(10000)
            hdf5_layout.laid_out(file, 96)
        del file.attrs['large']


# --- what changed later -----------------------------------------------------------------------------------------------

@pytest.fixture
def saved(tmp_path):
    path = str(tmp_path / 'model.h5')
    model = keras.Sequential([keras.layers.Dense(40, input_shape=(30,), name='dense')])
    model.save(path)
    assert is_believed(path)
    return path, model


def test_arrays_that_another_program_replaced_are_not_read_from_where_they_were(saved):
    path, _ = saved
    name, new = 'model_weights/dense/dense/kernel:0', np.full((30, 40), 7, 'float32')
    with h5py.File(path, 'r+') as file:
        del file[name]
        file[name] = new
    assert not is_believed(path)
    with open_hdf5(path) as group:
        np.testing.assert_array_equal(group[name].read(), new)
    with pytest.raises(OSError, match='damaged'):
        keras.models.load_model(path)
    with h5py.File(path, 'r+') as file:
        for group in ('/', 'model_weights', 'model_weights/dense'):
            file[group].attrs['keras_checksum'] = 0
    np.testing.assert_array_equal(keras.models.load_model(path).get_weights()[0], new)


def test_values_that_were_changed_in_their_place_are_noticed(saved):
    path, _ = saved
    with h5py.File(path, 'r+') as file:
        file['model_weights/dense/dense/kernel:0'][3, 3] += 1
    with pytest.raises(OSError, match='damaged'):
        keras.models.load_model(path)


def test_attributes_that_changed_are_noticed(saved):
    path, _ = saved
    with h5py.File(path, 'r+') as file:
        file.attrs['backend'] = 'theano'
    assert not is_believed(path)
    with open_hdf5(path) as group:
        assert group.attrs['backend'] == 'theano'


def test_without_the_index_the_file_is_the_same(saved):
    path, model = saved
    with h5py.File(path, 'r') as file:
        end = struct.unpack('<Q', open(path, 'rb').read()[40:48])[0]
        assert end < os.path.getsize(path) and 'model_config' in file.attrs
    os.truncate(path, end)
    assert not is_believed(path)
    np.testing.assert_array_equal(keras.models.load_model(path).get_weights()[0], model.get_weights()[0])


# --- an index that lies -----------------------------------------------------------------------------------------------

def with_index(content, index):
    end, text = struct.unpack('<Q', content[40:48])[0], json.dumps(index).encode()
    return content[:end] + text + struct.pack('<Q', len(text)) + b'KerasIdx'


def index_of(content):
    length, = struct.unpack('<Q', content[-16:-8])
    return json.loads(content[-16 - length:-16].decode())


def small_content():
    target = io.BytesIO()
    with writing_hdf5(target) as file:
        file['a/x'] = np.arange(4, dtype='float32')
        file['a/y'] = np.arange(5, dtype='float32')
        file.attrs['text'] = 'abc'
        file.attrs['names'] = np.array([b'x', b'y'])
    return target.getvalue()


def test_an_index_that_says_something_else_is_not_believed():
    content = small_content()
    start, (attrs, parts) = index_of(content)
    x, y = parts['a'][1]['x'], parts['a'][1]['y']
    assert is_believed(io.BytesIO(with_index(content, [start, [attrs, parts]])))
    for lie in ([attrs, {'a': [{}, {'x': y, 'y': x}]}], [attrs, {'a': [{}, {'x': x}]}], [{}, parts],
                [attrs, {'a': [{}, {'x': x, 'y': x}]}], [dict(attrs, text=['abd']), parts],
                [dict(attrs, names=['|S60000', [2], ['x', 'y']]), parts], [attrs, {'b': parts['a']}],
                [attrs, {'a': [{}, {'x': x, 'y': [{}, 0, [5], '<f4']}]}], [attrs, {'a/b': parts['a']}],
                [attrs, {'a': [{}, {'x': x, 'y': y[:2] + [[1 << 62, 1 << 62], '<f4']}]}]):
        for begin in (start, 96, 0, -1, 1 << 70, 'x', None):
            changed = io.BytesIO(with_index(content, [begin, lie]))
            assert not is_believed(changed)
            with open_hdf5(changed) as group:
                assert group.attrs['text'] == 'abc' and group['a/y'].read().tolist() == [0, 1, 2, 3, 4]


JSON = st.recursive(st.none() | st.integers() | st.text(max_size=3) | st.sampled_from(['<f4', '|S70000', '|V2']),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.sampled_from(['a', 'x', '', '.', 'a/b', 'text']), inner, max_size=3), max_leaves=12)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(JSON, st.integers(90, 200))
def test_any_index_is_survived(index, start):
    content = small_content()
    for told in (index, [start, index], [start, [{}, {'a': [{}, index]}]], [start, [index, {}]]):
        assert not is_believed(io.BytesIO(with_index(content, told)))


def test_an_index_that_is_much_takes_no_time():
    content = small_content()
    start = index_of(content)[0]
    for lie in ([{}, {str(number): [{}, {}] for number in range(30000)}], [{str(n): ['x'] for n in range(30000)}, {}],
                [{}, {str(number): [{}, 96, [1], '<f4'] for number in range(20000)}]):
        begin = time.process_time()
        assert not is_believed(io.BytesIO(with_index(content, [start, lie])))
        assert time.process_time() - begin < 1


class Sink:
    """A file whose `write` says nothing, or that nothing was written."""

    def __init__(self, says):
        self.file, self._says = io.BytesIO(), says

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        self.file.write(data)
        return self._says


def test_files_whose_write_says_nothing_are_written_once():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    sink = Sink(None)
    model.save_weights(sink)
    sink.file.seek(0)
    with h5py.File(sink.file, 'r') as file:
        assert 'layer_names' in file.attrs
    with pytest.raises(OSError, match='writes nothing'):
        hdf5_layout.Writer(Sink(0)).root.create_dataset('a', np.ones(3))


def test_large_arrays_between_small_ones_are_not_read_twice():
    places = [(100, 80000), (80100, 1 << 22), (80100 + (1 << 22), 80000)]
    read = []
    blocks = reading.Blocks(places, lambda start, buffer: read.append(len(buffer)), lambda: None)
    blocks.ahead(2)
    for place, size in (places[0], places[2]):
        blocks.take(place, (size,), np.dtype('u1'), size)
    assert sum(read) < 170000
