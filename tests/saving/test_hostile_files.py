"""Files made to do harm, of every kind that is read: refused in words, before they take time or memory.

What the files say of sizes, types and places is wrong here in one way each. `test_opening` has the first of them.
"""
import io
import json
import os
import pickle
import struct
import tarfile
import time
import zipfile
import zlib

import h5py
import numpy as np
import pytest

import keras
from keras.datasets import cifar, pickled
from keras.preprocessing.text import Tokenizer, tokenizer_from_json
from keras.saving import plain, tensor_bundle
from keras.saving.opening import RefusedFile, in_words, open_file, open_hdf5
from keras.saving.texts import parse_yaml
from keras.saving.writing import writing_hdf5

pytestmark = pytest.mark.on('numpy')


def small_model(**compiled):
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,), name='dense')], name='small')
    if compiled:
        model.compile('adam', 'mse')
        model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture(autouse=True)
def at_once():
    start = time.process_time()
    yield
    assert time.process_time() - start < 5


# --- packed numbers ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('how', [
    {}, {'compression': 'gzip'}, {'compression': 'gzip', 'shuffle': True, 'fletcher32': True}, {'shuffle': True},
    {'fletcher32': True}, {'compression': 'lzf', 'shuffle': True}])
@pytest.mark.parametrize('dtype', ['<f4', '>f8', 'i1', '<i8'])
def test_packed_numbers_come_back(how, dtype):
    numbers = np.random.RandomState(0).randint(-100, 100, (10, 11)).astype(dtype)
    for data in (numbers, np.zeros((10, 11), dtype), numbers[:0]):
        file = io.BytesIO()
        with h5py.File(file, 'w') as group:
            group.create_dataset('a', data=data, chunks=(4, 5), maxshape=(None, 11), **how)
        with open_hdf5(file) as group:
            found = group['a'].read()
        assert found.dtype == data.dtype.newbyteorder('=') and found.tolist() == data.tolist()


def packed(part, *filters, **how):
    """A file of one data set whose only part, if there is one, is `part` as it stands."""
    file, shape = io.BytesIO(), how.get('shape', (300,))
    with h5py.File(file, 'w') as group:
        made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        made.set_chunk(how.get('chunk', shape))
        for number, values in filters:
            made.set_filter(number, h5py.h5z.FLAG_OPTIONAL, values)
        kind = h5py.h5t.py_create(np.dtype(how.get('dtype', '<f4')))
        data = h5py.h5d.create(group.id, b'a', kind, h5py.h5s.create_simple(shape), made)
        if part is not None:
            data.write_direct_chunk((0,) * len(shape), part)
    return file


def of_lzf(size):
    """One that says that what `lzf` unpacks has another size; HDF5 notes the right one."""
    content = packed(bytes(100), (32000, ())).getvalue()
    assert content.count(struct.pack('<II', 261, 1200)) == 1
    return io.BytesIO(content.replace(struct.pack('<II', 261, 1200), struct.pack('<II', 261, size)))


GZIP, SHUFFLE = (1, (4,)), (2, (4,))
PACKED = {
    'a bomb': packed(zlib.compress(bytes(10 ** 7), 9), GZIP), 'too little': packed(zlib.compress(bytes(100)), GZIP),
    'a bomb of swapped numbers': packed(zlib.compress(bytes(10 ** 7), 9), GZIP, dtype='>f4'),
    'twice': packed(zlib.compress(zlib.compress(bytes(1200))), GZIP, GZIP),
    'shuffled many times': packed(bytes(1200), *[SHUFFLE] * 30), 'no gzip': packed(b'\xff' * 100, GZIP),
    'cut': packed(zlib.compress(bytes(1200))[:-5], GZIP), 'an unknown filter': packed(bytes(9), (32001, ())),
    'lzf of one byte at a time': of_lzf(1),
    'lzf of gigabytes': of_lzf(4 << 28), 'nothing': packed(None, GZIP),
    'the first part only': packed(bytes(400), shape=(300,), chunk=(100,)),
    'a longer part': packed(bytes(9000)),
    'many zeros': packed(zlib.compress(bytes(1 << 25), 9), GZIP, shape=(1 << 23,)),
}


@pytest.mark.skipif(not hasattr(h5py.h5d.DatasetID, 'get_chunk_info'), reason='this h5py does not tell the parts')
@pytest.mark.parametrize('name', sorted(PACKED))
def test_numbers_that_are_packed_otherwise_than_they_say(name):
    with open_hdf5(PACKED[name]) as group:
        for _ in range(2):
            with pytest.raises(RefusedFile):
                group['a'].read()


def test_the_same_numbers_do_not_stand_for_many(tmp_path):
    path = str(tmp_path / 'model.h5')
    small_model(compiled=True).save(path)
    with h5py.File(path, 'r+') as file:
        file.attrs['keras_checksum'] = np.uint32(0)
        del file['optimizer_weights']
        group = file.create_group('optimizer_weights')
        first = group.create_dataset('0', (300, 300), 'f4', chunks=(300, 300), compression='gzip')
        first[:] = 0
        for number in range(1, 300):
            group[str(number)] = first
        group.attrs['weight_names'] = [str(number).encode() for number in range(300)]
    with pytest.raises(RefusedFile, match='would unpack'):
        keras.models.load_model(path)


def test_all_is_looked_at_before_anything_is_read(tmp_path):
    path = str(tmp_path / 'file.weights.h5')
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,)), keras.layers.Dense(2)])
    model.save_weights(path)
    with h5py.File(path, 'r+') as file:
        names = sorted(name for name in file['layers'] if 'dense' in name)
        last = file['layers'][names[-1]]['vars']
        del last['1']
        last.create_dataset('1', (2,), 'f4', chunks=None)  # which is not there
    before = model.get_weights()
    for weight in model.weights:
        weight.assign(np.ones(weight.shape))
    with pytest.raises(RefusedFile, match='does not hold'):
        model.load_weights(path)
    assert all(np.all(weight == 1) for weight in model.get_weights()) and len(before) == 4


# --- weights of Keras 3 -----------------------------------------------------------------------------------------------

def changed(path, place, value):
    with h5py.File(path, 'r+') as file:
        del file[place]
        if value is None:
            file.create_group(place)
        else:
            file[place] = value


@pytest.mark.parametrize('place, value', [
    ('layers/dense/vars/0', None), ('layers/dense/vars', 3.0), ('layers', 3.0), ('optimizer/vars/0', None)])
@pytest.mark.parametrize('skip', [False, True])
def test_groups_for_numbers_and_numbers_for_groups(place, value, skip, tmp_path):
    path = str(tmp_path / 'file.weights.h5')
    model = small_model(compiled=True)
    model.save_weights(path)
    changed(path, place, value)
    if place == 'layers' and skip:
        return
    with pytest.raises((RefusedFile, ValueError)) as caught:
        model.load_weights(path, skip_mismatch=skip)
    assert len(str(caught.value)) > 30


@pytest.mark.parametrize('scale', [0.0, np.inf])
def test_integers_scaled_by_nothing(scale, tmp_path):
    path = str(tmp_path / 'file.weights.h5')
    small_model().save_weights(path)
    changed(path, 'layers/dense/vars/0', np.ones((3, 2), 'int8'))
    with h5py.File(path, 'r+') as file:
        file['layers/dense/vars/2'] = np.full(2, scale, 'f4')
        del file['layers/dense/vars'].attrs['keras_checksum'], file.attrs['keras_checksum_states']
    with pytest.raises(RefusedFile, match='zero or infinity'):
        small_model().load_weights(path)


@pytest.mark.parametrize('places', [{}, {'a': [[]]}, {'a': [{}]}, {'a': None}, {'a': 3}, {'a': ['a\0b']},
                                    {'a': ['\ud800']}, {'a': ['x' * 5000]}, {'a': ['nobody']}])
def test_shards_that_are_none(places, tmp_path):
    path = tmp_path / 'a.weights.json'
    path.write_text(json.dumps({'metadata': {}, 'weight_map': places}))
    with pytest.raises(OSError):
        small_model().load_weights(str(path))


def test_an_optimizer_without_names(tmp_path):
    path = str(tmp_path / 'model.h5')
    small_model(compiled=True).save(path)
    with h5py.File(path, 'r+') as file:
        file.attrs['keras_checksum'] = np.uint32(0)
        del file['optimizer_weights'].attrs['weight_names'], file['optimizer_weights'].attrs['keras_checksum']
    with pytest.warns(UserWarning, match='starts afresh'):
        keras.models.load_model(path)


# --- checkpoints of TensorFlow ----------------------------------------------------------------------------------------

def varint(number):
    found = b''
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(entries, raw=None):
    if raw is None:
        raw = b''.join(b'\0' + varint(len(key)) + varint(len(value)) + key + value for key, value in entries)
    raw += bytes(4) + struct.pack('<I', 1)
    return len(raw), raw + b'\0' + struct.pack('<I', tensor_bundle._checksum(raw + b'\0'))


def table(entries, raw=None, times=1):
    size, data = block(entries, raw)
    index_size, index = block([(b'%05d' % number, b'\0' + varint(size)) for number in range(times)])
    handles = b'\0\0' + varint(len(data)) + varint(index_size)
    return data + index + handles.ljust(40, b'\0') + struct.pack('<Q', 0xdb4775248b80fb57)


def entry(dtype, shape, offset, size, more=b''):
    sizes = b''.join(field(2, field(1, part & (1 << 64) - 1)) for part in shape)
    return field(1, dtype) + field(2, sizes) + field(4, offset) + field(5, size) + more


def child(number, name):
    return field(1, field(1, number) + field(2, name))


def variable(key):
    return field(2, field(1, b'VARIABLE_VALUE') + field(3, key))


NODES = [child(1, b'layer_with_weights-0'), child(2, b'kernel') + child(3, b'bias'), variable(b'k'), variable(b'y')]


def checkpoint(nodes=NODES, kernel=None, graph=None, where=0):
    """(index, data) of a checkpoint of `small_model`."""
    graph = b''.join(field(1, node) for node in nodes) if graph is None else graph
    graph = varint(len(graph)) + bytes(4) + graph
    size = len(graph)
    entries = [(b'', field(1, 1)), (b'_CHECKPOINTABLE_OBJECT_GRAPH', entry(7, (), 0, size)),
               (b'k', kernel or entry(1, (3, 2), size + where, 24)), (b'y', entry(1, (2,), size + 24, 8))]
    return table(entries), graph + np.arange(8, dtype='<f4').tobytes()


def reloaded(index, data, tmp_path):
    prefix = str(tmp_path / 'checkpoint')
    for name, content in (('.index', index), ('.data-00000-of-00001', data)):
        with open(prefix + name, 'wb') as file:
            file.write(content)
    model = small_model()
    model.load_weights(prefix)
    return model


def test_a_checkpoint_as_it_should_be(tmp_path):
    kernel, bias = reloaded(*checkpoint(), tmp_path=tmp_path).get_weights()
    assert kernel.tolist() == [[0, 1], [2, 3], [4, 5]] and bias.tolist() == [6, 7]


LONG = b'\0' + varint(10 ** 5) + b'\0' + b'a' * 10 ** 5 + b''.join(
    varint(10 ** 5) + b'\x06\0' + b'%06d' % number for number in range(10 ** 5))
GROWING = b'\0\1\0a' + b''.join(varint(number + 1) + b'\1\0b' for number in range(10 ** 5))
CHECKPOINTS = {
    'a shape below zero': checkpoint(kernel=entry(1, (-3, 2), 0, 24)),
    'a shape of exabytes': checkpoint(kernel=entry(1, (1 << 40, 1 << 20), 0, 24)),
    'another size': checkpoint(kernel=entry(1, (3, 2), 0, 20)),
    'an unknown type': checkpoint(kernel=entry(99, (3, 2), 0, 24)),
    'text for a number': checkpoint(kernel=field(1, b'x') + field(2, 3)),
    'a number for a checksum': checkpoint(kernel=entry(1, (3, 2), 0, 24, field(6, 5))),
    'short checksum': checkpoint(kernel=entry(1, (3, 2), 0, 24, field(6, b''))),
    'behind the end': checkpoint(where=1 << 60), 'no objects': checkpoint(graph=b''),
    'no object of that number': checkpoint([child(1 << 63, b'layer_with_weights-0')] + NODES[1:]),
    'numbers for objects': checkpoint(graph=field(1, 5)), 'numbers for children': checkpoint([field(1, 5)]),
    'numbers for names': checkpoint([field(1, field(1, 1) + field(2, 5))]),
    'text for places': checkpoint([field(1, field(1, b'a') + field(2, b'layer_with_weights-0'))]),
    'a weight that is none': checkpoint(NODES[:2] + [b''] + NODES[3:]),
    'a weight that is not there': checkpoint(NODES[:2] + [variable(b'nobody')] + NODES[3:]),
    'a long chain': checkpoint([child(1, b'layer_with_weights-0')] + [
        child(number, b'a') for number in range(2, 20000)]),
    'circles': checkpoint([b''.join(child(number % 3, b'layer_with_weights-%d' % number) for number in range(20000)),
                           b'', b'']),
    'names longer than itself': (table([], LONG), b''), 'names that grow': (table([], GROWING), b''),
    'a block many times': (table([(b'', b'')] * 2000, times=2000), b''),
    'no header': (table([(b'a', b'')]), b''), 'a strange header': (table([(b'', field(1, b'x'))]), b''),
}


@pytest.mark.parametrize('name', sorted(CHECKPOINTS))
def test_hostile_checkpoints(name, tmp_path):
    with pytest.raises((OSError, ValueError)) as caught:
        reloaded(*CHECKPOINTS[name], tmp_path=tmp_path)
    assert type(caught.value) is not ValueError or 'checkpoint' in str(caught.value)


def test_a_checkpoint_says_gigabytes_that_a_sparse_file_has(tmp_path):
    index, _ = checkpoint(kernel=entry(1, (3, 2), 0, 3 << 30))
    prefix = str(tmp_path / 'checkpoint')
    for wanted in (index, table([(b'', b''), (b'_CHECKPOINTABLE_OBJECT_GRAPH', entry(7, (), 0, 3 << 30))])):
        with open(prefix + '.index', 'wb') as file:
            file.write(wanted)
        with open(prefix + '.data-00000-of-00001', 'wb') as file:
            file.write(checkpoint()[1])
            file.truncate(3 << 30)
        with pytest.raises(OSError, match='damaged'):
            small_model().load_weights(prefix)


@pytest.mark.parametrize('content', [b'null', b'[]', b'3', b'"x"', b'{"class_name": "Sequential", "config": {"layers": '
                                     b'[]}, "keras_version": 3}', b'{"class_name": 3, "config": {"layers": []}}'])
def test_a_saved_model_that_says_nothing_of_its_model(content, tmp_path):
    (tmp_path / 'saved_model.pb').write_bytes(b'')
    (tmp_path / 'keras_metadata.pb').write_bytes(
        field(1, field(3, b'root') + field(4, b'_tf_keras_sequential') + field(5, content)))
    with pytest.raises((OSError, ValueError)) as caught:
        keras.models.load_model(str(tmp_path))
    assert len(str(caught.value)) > 30


# --- texts ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('text', [
    'a: &a ' + 'x' * 10 ** 5 + '\nb: [' + ','.join(['*a'] * 5000) + ']', '!!bool x', '? a\n' * 50000,
    '!' + 'a' * 10 ** 6, '[1, 2]: 3\n? {a: 1}\n: 2', '!!set {a, b}', '!!timestamp 2001-99-99', 'a: {<<: 3}',
    '!!python/object/apply:numpy.dtype {args: [O8, 0, 1]}', '!!python/object/apply:numpy.dtype 3',
    '!!python/object/apply:numpy.core.multiarray._reconstruct {args: [1], state: [1]}'])
def test_more_hostile_yaml(text):
    pytest.importorskip('yaml')
    with pytest.raises(ValueError) as caught:
        parse_yaml(text)
    assert len(str(caught.value)) < 2000


def test_texts_are_text():
    for given in (None, 3, {'a': 1}):
        with pytest.raises(TypeError, match='has to be text'):
            keras.models.model_from_json(given)


def tokenizer_with(**changes):
    return json.dumps({'config': dict(Tokenizer().get_config(), **changes)})


@pytest.mark.parametrize('text', ['', 'null', '[]', '3', '{}', '{"config": 3}', '{"config": {}}', '[' * 10 ** 5,
                                  tokenizer_with(bogus=1), tokenizer_with(word_index='3'),
                                  tokenizer_with(word_index='[1]'), tokenizer_with(index_word='{"a": 1}'),
                                  '{"config": %s}' % ('9' * 10 ** 6)])
def test_texts_that_are_no_tokenizer(text):
    with pytest.raises(ValueError, match='tokenizer'):
        tokenizer_from_json(text)


@pytest.mark.parametrize('text', ['{}', '{"a": 1, "b": 2}', '{"list": 3}', '{"other": []}', '{"dtype": "O"}', '{',
                                  '{"dtype": "f4", "array": 7, "shape": [], "scalar": true}',
                                  '{"dtype": "f4", "data": "AA==", "shape": [9], "scalar": false}', '{"bytes": 3}'])
def test_plain_values_that_are_none(text, tmp_path):
    path = str(tmp_path / 'a.h5')
    with h5py.File(path, 'w') as file:
        file.create_dataset('it/text', data=np.frombuffer(text.encode(), 'uint8'))
    with open_hdf5(path) as file, pytest.raises(RefusedFile):
        plain.read_plain(file, 'it')


@pytest.mark.parametrize('zeroed', [1, 64])
def test_damaged_states_are_errors_or_the_same(zeroed, tmp_path):
    path = str(tmp_path / 'a.weights.h5')
    model = small_model(compiled=True)
    value = {'epoch': 3, 'loss': [1.0, 2.0], 'x': np.arange(300.0), 'y': np.arange(3)}
    with writing_hdf5(path) as file:
        model.write_state(file)
        plain.write_plain(file, 'it', value)
    with open(path, 'rb') as file:
        whole = file.read()
    found = []
    for place in range(3, len(whole), 167):
        content = bytearray(whole)
        content[place:place + zeroed] = bytes(zeroed) if zeroed > 1 else bytes([whole[place] ^ 4])
        other = small_model(compiled=True)
        other.set_weights([np.zeros(weight.shape) for weight in other.weights])
        try:
            with open_hdf5(io.BytesIO(bytes(content))) as file:
                other.read_state(file)
                again = plain.read_plain(file, 'it')
        except (OSError, ValueError):
            found.append('error')
            continue
        assert plain.same(again, value)
        assert all(np.array_equal(new, old) for new, old in zip(other.get_weights(), model.get_weights()))
        found.append('same')
    assert found.count('error') > len(found) // 5


@pytest.mark.parametrize('name', ['optimizer', 'layers'])
def test_a_group_under_another_name_is_not_passed_over(name, tmp_path):
    path = str(tmp_path / 'a.weights.h5')
    small_model(compiled=True).save_weights(path)
    with h5py.File(path, 'r+') as file:
        file.move(name, name[:-1] + 'x')
    with pytest.raises(RefusedFile, match='keras_checksum_states'):
        small_model(compiled=True).load_weights(path)


def test_errors_that_do_not_speak_of_the_file_do_so():
    with pytest.raises(RefusedFile, match=r'a\.h5 cannot be read.*KeyError'):
        with in_words('a.h5'):
            raise KeyError('x')
    with pytest.raises(ZeroDivisionError), in_words('a.h5'):
        raise type('Own', (ZeroDivisionError,), {})
    for name in ('a\0b', '\ud800'):
        with pytest.raises(OSError):
            open_file(name)


# --- configs ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('rate', ['1e400', 'fast', float('inf'), float('nan'), None, [1.0, 2.0]])
def test_learning_rates_are_finite_numbers(rate):
    with pytest.raises(ValueError, match='learning_rate'):
        keras.optimizers.deserialize({'class_name': 'Adam', 'config': {'learning_rate': rate}})


def test_an_optimizer_of_tf_keras_takes_its_name_first():
    class Own(keras.optimizers.Optimizer):
        pass
    assert Own('own').name == 'own' and keras.optimizers.Optimizer('own').name == 'own'


@pytest.mark.parametrize('config', [
    {'class_name': 'AUC', 'config': {'num_thresholds': 10 ** 12}},
    {'class_name': 'PrecisionAtRecall', 'config': {'recall': 0.5, 'num_thresholds': 10 ** 12}}])
def test_thresholds_are_not_without_number(config):
    with pytest.raises(ValueError, match='1000000000000|999999999998'):
        keras.metrics.deserialize(config)


@pytest.mark.parametrize('config', [
    {'class_name': 'StringLookup', 'config': {'num_oov_indices': 10 ** 9}},
    {'class_name': 'StringLookup', 'config': {'vocabulary': b'/etc/passwd'}}])
def test_lookups_take_neither_files_nor_all_memory(config):
    with pytest.raises(ValueError):
        keras.layers.deserialize(config)


def test_sizes_beyond_all_memory_are_the_fault_of_the_config():
    with pytest.raises(ValueError, match='STFTSpectrogram|MemoryError'):
        keras.models.model_from_config({'class_name': 'Sequential', 'config': {'name': 'a', 'layers': [
            {'class_name': 'InputLayer', 'config': {'batch_input_shape': [None, 4, 3], 'name': 'b'}},
            {'class_name': 'STFTSpectrogram', 'config': {
                'frame_length': 10 ** 12, 'fft_length': 10 ** 12, 'name': 'c'}}]}})


def chain(order):
    layers = [{'class_name': 'InputLayer', 'name': 'i', 'inbound_nodes': [],
               'config': {'batch_input_shape': [None, 3], 'name': 'i'}}]
    for number in order:
        before = 'd%d' % (number - 1) if number else 'i'
        layers.append({'class_name': 'Activation', 'name': 'd%d' % number, 'inbound_nodes': [[[before, 0, 0, {}]]],
                       'config': {'name': 'd%d' % number, 'activation': 'relu'}})
    return {'class_name': 'Model', 'config': {'name': 'm', 'layers': layers, 'input_layers': [['i', 0, 0]],
                                              'output_layers': [['d%d' % max(order), 0, 0]]}}


def test_layers_in_any_order_take_time_in_their_number():
    for order in (range(1500), range(1499, -1, -1), np.random.RandomState(0).permutation(300).tolist()):
        model = keras.models.model_from_config(chain(order))
        assert [layer.name for layer in model.layers[1:]] == ['d%d' % number for number in sorted(order)] \
            or len(model.layers) == len(list(order)) + 1


# --- archives and data sets -------------------------------------------------------------------------------------------

class Evil:
    def __reduce__(self):
        return os.mkdir, ('was_run',)


def test_data_sets_are_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for content in (pickle.dumps(Evil()), pickle.dumps([0]), b'', b'garbage', pickle.dumps(np.zeros(3))[:-9],
                    b"cnumpy\nfromfile\n(S'/etc/passwd'\ntR.", b"cbuiltins\neval\n(S'1'\ntR."):
        (tmp_path / 'batch').write_bytes(content)
        with pytest.raises((OSError, ValueError)):
            cifar.load_batch(str(tmp_path / 'batch'))
    np.savez(str(tmp_path / 'a.npz'), x=np.array([Evil()], object))
    with pytest.raises(RefusedFile, match='no data'):
        pickled.arrays(str(tmp_path / 'a.npz'))
    assert not os.path.exists('was_run')


def test_data_sets_of_lists_come_back(tmp_path):
    lists = np.array([[1, 2], [3]], object)
    np.savez(str(tmp_path / 'a.npz'), x=lists, y=np.arange(3.0))
    found = pickled.arrays(str(tmp_path / 'a.npz'))
    assert sorted(found) == ['x', 'y'] and found['x'].tolist() == [[1, 2], [3]] and found['y'].tolist() == [0, 1, 2]
    (tmp_path / 'batch').write_bytes(pickle.dumps({b'data': np.zeros((2, 3072), 'u1'), b'labels': [3, 4]}, 2))
    data, labels = cifar.load_batch(str(tmp_path / 'batch'))
    assert data.shape == (2, 3, 32, 32) and labels == [3, 4]


class Zeros(io.RawIOBase):
    def read(self, size=-1):
        return bytes(size)


@pytest.mark.parametrize('kind', ['zip', 'tar.gz'])
def test_archives_do_not_fill_the_disk(kind, tmp_path):
    path = tmp_path / ('archive.' + kind)
    if kind == 'zip':
        with zipfile.ZipFile(str(path), 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr('a', bytes(1 << 27))
    else:
        with tarfile.open(str(path), 'w:gz') as archive:
            member = tarfile.TarInfo('a')
            member.size = 1 << 27
            archive.addfile(member, Zeros())
    with pytest.raises(ValueError, match='unpack'):
        keras.utils.get_file(path.name, origin=path.as_uri(), extract=True, cache_dir=str(tmp_path / 'cache'))
