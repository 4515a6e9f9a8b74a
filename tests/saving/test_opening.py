"""Files made to do harm: none reads another file, hangs, or takes memory that it does not hold.

The kinds are those of CVE-2025-12058, CVE-2025-12060, CVE-2026-0897 and CVE-2026-1669.
"""
import contextlib
import io
import json
import os
import stat
import time
import zipfile

import h5py
import numpy as np
import pytest

import keras
from keras.models import load_model
from keras.saving import opening
from keras.saving.opening import RefusedFile, open_archive, open_hdf5
from keras.saving.texts import parse_json, parse_yaml

pytestmark = pytest.mark.on('numpy')


def small_model():
    return keras.Sequential([keras.layers.Dense(2, input_shape=(3,), name='dense')], name='small')


@pytest.fixture
def path(tmp_path):
    """A file of a model without checksums, as others write them."""
    path = str(tmp_path / 'model.h5')
    small_model().save(path)
    with h5py.File(path, 'r+') as file:
        groups = [file]
        file.visititems(lambda name, item: groups.append(item) if isinstance(item, h5py.Group) else None)
        for group in groups:
            for name in [name for name in group.attrs if name.startswith('keras_checksum')]:
                del group.attrs[name]
    return path


@pytest.fixture
def secret(tmp_path):
    path = str(tmp_path / 'secret.h5')
    with h5py.File(path, 'w') as file:
        file['kernel'] = np.full((3, 2), 42.0, 'float32')
        group = file.create_group('dense')
        group.attrs['weight_names'] = [b'dense/kernel:0', b'dense/bias:0']
        group['dense/kernel:0'] = np.full((3, 2), 42.0, 'float32')
        group['dense/bias:0'] = np.full((2,), 42.0, 'float32')
    return path


# --- HDF5: what points elsewhere --------------------------------------------------------------------------------------

KERNEL = 'model_weights/dense/dense/kernel:0'


def external_kernel(file, secret):
    del file[KERNEL]
    file[KERNEL] = h5py.ExternalLink(secret, 'kernel')


def external_layer(file, secret):
    del file['model_weights/dense']
    file['model_weights/dense'] = h5py.ExternalLink(secret, 'dense')


def external_weights(file, secret):
    attributes = dict(file['model_weights'].attrs)
    del file['model_weights']
    with h5py.File(secret, 'r+') as other:
        for name, value in attributes.items():
            other.attrs[name] = value
    file['model_weights'] = h5py.ExternalLink(secret, '/')


def soft_link_to_an_external_one(file, secret):
    del file[KERNEL]
    file['away'] = h5py.ExternalLink(secret, 'kernel')
    file[KERNEL] = h5py.SoftLink('/away')


def soft_link_to_itself(file, secret):
    del file[KERNEL]
    file[KERNEL] = h5py.SoftLink('/' + KERNEL)


def external_storage(file, secret):
    del file[KERNEL]
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_external(secret.encode(), 0, 24)
    group = file['model_weights/dense/dense']
    h5py.h5d.create(group.id, b'kernel:0', h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3, 2)), made)


def virtual_data(file, secret):
    del file[KERNEL]
    layout = h5py.VirtualLayout((3, 2), 'float32')
    layout[:] = h5py.VirtualSource(secret, 'kernel', (3, 2))
    file['model_weights/dense/dense'].create_virtual_dataset('kernel:0', layout)


# --- HDF5: sizes and types that cannot be -----------------------------------------------------------------------------

def replaced(file, **how):
    del file[KERNEL]
    return file.create_dataset(KERNEL, **how)


def four_terabytes(file, secret):
    replaced(file, shape=(2 ** 20, 2 ** 20), dtype='float32', chunks=(1024, 1024))


def never_written(file, secret):
    replaced(file, shape=(3, 2), dtype='float32', chunks=None)


def chunks_of_gigabytes(file, secret):
    replaced(file, shape=(3, 2), dtype='float32', maxshape=(None, None), chunks=(20000, 20000), compression='gzip')


def zeros_packed(file, secret):
    config = json.loads(text_of(file.attrs['model_config']))
    config['config']['layers'][0]['config']['batch_input_shape'] = [None, 20000]
    config['config']['layers'][0]['config']['units'] = 5000
    file.attrs['model_config'] = json.dumps(config).encode()
    kernel = replaced(file, shape=(20000, 5000), dtype='float32', chunks=(100, 5000), compression='gzip')
    kernel[:100] = np.zeros((100, 5000), 'float32')


def text_of(value):
    return value.decode() if isinstance(value, bytes) else value


def strings(file, secret):
    replaced(file, data=np.array([[b'1.0', b'2.0']] * 3))


def strings_of_any_length(file, secret):
    replaced(file, shape=(3, 2), dtype=h5py.special_dtype(vlen=str))[:] = '1.0'


def complex_numbers(file, secret):
    replaced(file, data=np.ones((3, 2), 'complex64'))


def records(file, secret):
    replaced(file, data=np.zeros((3, 2), [('a', 'f4'), ('b', 'f4')]))


def references(file, secret):
    replaced(file, shape=(3, 2), dtype=h5py.special_dtype(ref=h5py.Reference))


def arrays_of_arrays(file, secret):
    replaced(file, shape=(3,), dtype='(2,)f4')


def nothing_at_all(file, secret):
    replaced(file, data=h5py.Empty('float32'))


def a_group_for_numbers(file, secret):
    del file[KERNEL]
    file.create_group(KERNEL)


def numbers_for_a_group(file, secret):
    del file['model_weights/dense']
    file['model_weights/dense'] = np.zeros(3)


def a_type_for_numbers(file, secret):
    del file[KERNEL]
    file[KERNEL] = np.dtype('float32')


def other_shape(file, secret):
    replaced(file, data=np.zeros((2, 3), 'float32'))


def no_weights(file, secret):
    del file['model_weights']


def no_names(file, secret):
    del file['model_weights'].attrs['layer_names']


def a_layer_twice(file, secret):
    file['model_weights'].attrs['layer_names'] = [b'dense'] * 2


def a_million_layers(file, secret):
    names = np.array(['layer%07d' % number for number in range(10 ** 6)], 'S12')
    for number, part in enumerate(np.array_split(names, 200)):
        file['model_weights'].attrs['layer_names%d' % number] = part
    del file['model_weights'].attrs['layer_names']


def the_same_layer_a_million_times(file, secret):
    for number in range(200):
        file['model_weights'].attrs['layer_names%d' % number] = np.array([b'dense'] * 5000)
    del file['model_weights'].attrs['layer_names']


def names_are_numbers(file, secret):
    file['model_weights'].attrs['layer_names'] = np.arange(3)


def one_name_alone(file, secret):
    file['model_weights'].attrs['layer_names'] = 3.5


def a_long_string_many_times(file, secret):
    file['model_weights'].attrs.create('layer_names', ['x' * 100000] * 300, dtype=h5py.special_dtype(vlen=str))


def deep_names(file, secret):
    file['model_weights/dense'].attrs['weight_names'] = [b'a/' * 2000 + b'kernel:0', b'dense/bias:0']


def a_group_in_itself(file, secret):
    file['model_weights/dense/again'] = file['model_weights/dense']
    file['model_weights/dense'].attrs['weight_names'] = [b'again/' * 1000 + b'dense/kernel:0', b'dense/bias:0']


def config_with(**changes):
    def change(file, secret):
        file.attrs.update({name: value for name, value in changes.items()})
    return change


CHANGES = dict(
    {change.__name__: change for change in (
        external_kernel, external_layer, external_weights, soft_link_to_an_external_one, soft_link_to_itself,
        external_storage, virtual_data, four_terabytes, never_written, chunks_of_gigabytes, zeros_packed, strings,
        strings_of_any_length, complex_numbers, records, references, arrays_of_arrays, nothing_at_all,
        a_group_for_numbers, numbers_for_a_group, a_type_for_numbers, other_shape, no_weights, no_names, a_layer_twice,
        a_million_layers, the_same_layer_a_million_times, names_are_numbers, one_name_alone, a_long_string_many_times,
        deep_names, a_group_in_itself)},
    config_is_empty=config_with(model_config=b''), config_is_a_number=config_with(model_config=3),
    config_is_a_list=config_with(model_config=b'[]'), config_is_null=config_with(model_config=b'null'),
    config_is_text=config_with(model_config=b'"Sequential"'), config_is_deep=config_with(model_config=b'[' * 10 ** 6),
    config_is_cut=config_with(model_config=b'{"class_name": "S'),
    config_is_no_text=config_with(model_config=b'\xff\xfe' * 9),
    config_is_numbers=config_with(model_config=np.arange(4)), config_names_no_layer=config_with(
        model_config=b'{"class_name": "os.system", "config": {"command": "ls"}}'),
    generations_are_a_list=config_with(keras_generations=b'[3]'),
    generations_are_cut=config_with(keras_generations=b'{'))


@pytest.mark.parametrize('name', sorted(CHANGES))
def test_hostile_hdf5(name, path, secret):
    with h5py.File(path, 'r+') as file:
        CHANGES[name](file, secret)
    before, start = memory(), time.process_time()
    with pytest.raises((OSError, ValueError)) as caught:
        model = load_model(path)
        assert not np.any(model.get_weights()[0] == 42.0)
    assert 20 < len(str(caught.value)) < 10000
    assert time.process_time() - start < 1
    assert memory() - before < 2 * os.path.getsize(path) + 2e7
    if name not in ('no_weights', 'no_names') and not name.startswith('config'):
        model = small_model()
        with contextlib.suppress(OSError, ValueError):
            model.load_weights(path)
        assert not np.any(model.get_weights()[0] == 42.0)


def memory():
    """The bytes that the process has in memory, 0 where the system does not say."""
    try:
        with open('/proc/self/statm') as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        return 0


def test_open_files_of_h5py_are_looked_at_alike(path, secret):
    with h5py.File(path, 'r+') as file:
        external_kernel(file, secret)
        with pytest.raises(RefusedFile, match='link to elsewhere'):
            load_model(file)
        with pytest.raises(RefusedFile, match='link to elsewhere'):
            small_model().load_weights(file['model_weights'])


def test_what_is_read_of_hdf5(tmp_path):
    path = str(tmp_path / 'file.h5')
    with h5py.File(path, 'w') as file:
        file['a/b'] = np.arange(6, dtype='>f4').reshape(2, 3)
        file['a/c'] = np.float64(2.5)
        file['a/flags'] = np.array([True, False])
        file['none'] = np.zeros((0, 3))
        file.create_dataset('packed', data=np.zeros((100, 100)), compression='gzip', shuffle=True)
        file.attrs['text'], file['a'].attrs['names'] = 'ä', [b'x', b'yz']
    with open_hdf5(path) as group:
        assert group.keys() == ['a', 'none', 'packed'] and len(group) == 3 and 'a/b' in group and 'a/d' not in group
        assert group['a'].attrs.get('missing') is None and text_of(group.attrs['text']) == 'ä'
        assert [text_of(name) for name in group['a'].attrs['names']] == ['x', 'yz']
        assert group['a/b'].shape == (2, 3) and group['a/b'].dtype == np.float32
        np.testing.assert_array_equal(group['a/b'].read(), np.arange(6).reshape(2, 3))
        np.testing.assert_array_equal(np.asarray(group['a/flags']), [True, False])
        assert group['a']['c'].read() == 2.5 and group['none'].read().shape == (0, 3)
        assert not group['packed'].read().any()
        assert sorted(path for path, _ in group.datasets()) == ['a/b', 'a/c', 'a/flags', 'none', 'packed']
        with pytest.raises(KeyError, match='a/d'):
            group['a/d']


def test_a_group_that_holds_itself_is_not_walked_for_ever(tmp_path):
    path = str(tmp_path / 'file.h5')
    with h5py.File(path, 'w') as file:
        file['a/x'], file['a/y'] = file.create_group('a'), file['a']
    with open_hdf5(path) as group, pytest.raises(RefusedFile, match='twice'):
        group.datasets()


def test_a_file_of_weights_that_holds_itself_is_refused_at_once(tmp_path):
    path = str(tmp_path / 'round.weights.h5')
    with h5py.File(path, 'w') as file:
        group = file.create_group('layers')
        group['layers'], group['x'] = group, file['/']
    start = time.process_time()
    with pytest.raises((OSError, ValueError)):
        small_model().load_weights(path)
    assert time.process_time() - start < 1


def test_one_group_does_not_stand_for_millions_of_weights(tmp_path):
    path = str(tmp_path / 'many.h5')
    with h5py.File(path, 'w') as file:
        names = [b'%05d' % number for number in range(4000)]
        file.attrs['layer_names'] = np.array(names)
        group = file.create_group('00000')
        group.attrs['weight_names'] = np.array(names)
        for name in names[1:]:
            file[name] = group
    start = time.process_time()
    with pytest.raises(OSError, match='131072 weights'):
        small_model().load_weights(path)
    assert time.process_time() - start < 5  # 16 million would take minutes


@pytest.mark.parametrize('kind', ['fifo', 'device', 'folder', 'socket', 'link_to_a_device'])
def test_only_regular_files_are_opened(kind, tmp_path):
    path = str(tmp_path / 'model.h5')
    if kind == 'fifo':
        os.mkfifo(path)
    elif kind == 'folder':
        os.mkdir(path)
    elif kind == 'socket':
        import socket
        short = os.path.relpath(path)
        if len(short) > 100:
            pytest.skip('the name is too long for a socket')
        server = socket.socket(socket.AF_UNIX)
        server.bind(short)
        server.close()
    elif kind == 'link_to_a_device':
        os.symlink('/dev/zero', path)
    else:
        path = '/dev/zero'
    for load in (load_model, small_model().load_weights):
        with pytest.raises((OSError, ValueError)):
            load(path)
    with pytest.raises(RefusedFile, match='not a file'):
        opening.open_file(path)


def test_damaged_strings_neither_hang_nor_end_python(tmp_path):
    path = str(tmp_path / 'file.h5')
    with h5py.File(path, 'w') as file:
        file.attrs.create('names', ['x' * 50] * 30, dtype=h5py.special_dtype(vlen=str))
    with open(path, 'rb') as file:
        whole = file.read()
    start = whole.find(b'GCOL')
    for damage in (bytes(512), b'\xff' * 512, b'\0' * 8 + b'\xff' * 8):
        for place in (8, 16, 24, 600):
            content = bytearray(whole)
            content[start + place:start + place + len(damage)] = damage
            with open_hdf5(io.BytesIO(bytes(content))) as group:
                with contextlib.suppress(RefusedFile):
                    group.attrs['names']


HDF5 = b'\x89HDF\r\n\x1a\n'


@pytest.mark.parametrize('content', [b'', HDF5, HDF5 + bytes(8), HDF5 + b'\xff' * 200, b'PK\x03\x04' + bytes(99),
                                     bytes(10000), b'GCOL\x01' + bytes(4000)])
def test_what_is_no_hdf5(content, tmp_path):
    path = str(tmp_path / 'model.h5')
    with open(path, 'wb') as file:
        file.write(content)
    for load in (load_model, small_model().load_weights):
        with pytest.raises((OSError, ValueError)):
            load(path)


# --- archives ---------------------------------------------------------------------------------------------------------

def archive_of(*members, **how):
    target = io.BytesIO()
    with zipfile.ZipFile(target, 'w', how.get('compression', zipfile.ZIP_STORED)) as archive:
        for name, content in members:
            archive.writestr(name, content)
    target.seek(0)
    return target


def member(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def overlapping():
    """Two entries of the directory for the same bytes."""
    content = bytearray(archive_of(('aa', bytes(1000)), ('bb', b'')).getvalue())
    first, second = content.find(b'PK\x01\x02'), content.rfind(b'PK\x01\x02')
    content[second + 20:second + 28] = content[first + 20:first + 28]
    return io.BytesIO(bytes(content))


def claiming(size, name='a'):
    content = bytearray(archive_of((name, bytes(100)), compression=zipfile.ZIP_DEFLATED).getvalue())
    entry = content.find(b'PK\x01\x02')
    content[entry + 24:entry + 28] = size.to_bytes(4, 'little')
    return io.BytesIO(bytes(content))


ARCHIVES = {
    'absolute': lambda: archive_of(('/etc/passwd', 'x')), 'up': lambda: archive_of(('../x', 'x')),
    'up_inside': lambda: archive_of(('assets/../../x', 'x')), 'backslashes': lambda: archive_of(('..\\x', 'x')),
    'drive': lambda: archive_of(('C:x', 'x')), 'drive_and_path': lambda: archive_of(('C:\\x', 'x')),
    'here': lambda: archive_of(('./x', 'x')), 'double': lambda: archive_of(('a//x', 'x')),
    'link': lambda: archive_of((member('x', stat.S_IFLNK), '/etc/passwd')),
    'fifo': lambda: archive_of((member('x', stat.S_IFIFO), '')),
    'device': lambda: archive_of((member('x', stat.S_IFCHR), '')),
    'deep': lambda: archive_of(('a/' * 1000 + 'x', 'x')), 'overlapping': overlapping,
    'claims': lambda: claiming(2 ** 31),
    'bomb': lambda: archive_of(('x', bytes(10 ** 8)), compression=zipfile.ZIP_DEFLATED),
    'other_compression': lambda: archive_of(('x', bytes(1000)), compression=zipfile.ZIP_BZIP2),
    'nothing': lambda: io.BytesIO(b''), 'no_archive': lambda: io.BytesIO(b'PK\x03\x04' + bytes(100)),
}


@pytest.mark.parametrize('name', sorted(ARCHIVES))
def test_hostile_archives(name, tmp_path):
    source = ARCHIVES[name]()
    start = time.process_time()
    with pytest.raises(RefusedFile), open_archive(source):
        pass
    assert time.process_time() - start < 1
    path = str(tmp_path / 'model.keras')
    with open(path, 'wb') as file:
        file.write(source.getvalue())
    with pytest.raises((OSError, ValueError)):
        load_model(path)


def test_a_member_twice():
    with pytest.warns(UserWarning):
        source = archive_of(('x', 'a'), ('x', 'b'))
    with pytest.raises(RefusedFile, match='twice'), open_archive(source):
        pass


def test_what_is_read_of_archives(tmp_path):
    inner = io.BytesIO()
    with h5py.File(inner, 'w') as file:
        file['a'] = np.arange(1000.0)
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = str(tmp_path / 'archive.zip')
        with open(path, 'wb') as file:
            members = ('config.json', '{}'), ('d/w.h5', inner.getvalue())
            file.write(archive_of(*members, compression=compression).getvalue())
        with open_archive(path) as archive:
            assert archive.names == ['config.json', 'd/w.h5'] and 'd/w.h5' in archive and 'x' not in archive
            assert archive.read('config.json') == b'{}'
            with archive.open_hdf5('d/w.h5') as group:
                np.testing.assert_array_equal(group['a'].read(), np.arange(1000.0))
            with pytest.raises(RefusedFile, match='more than'):
                archive.read('d/w.h5', limit=100)
            with pytest.raises(KeyError, match='no member'):
                archive.read('x')


def test_damaged_members_are_errors():
    whole = archive_of(('x', bytes(range(256)) * 40)).getvalue()
    for place in range(60, 10000, 500):
        content = bytearray(whole)
        content[place] ^= 4
        with open_archive(io.BytesIO(bytes(content))) as archive, pytest.raises(RefusedFile, match='damaged'):
            with archive.open_file('x'):
                pass


# --- JSON and YAML ----------------------------------------------------------------------------------------------------

def test_json():
    assert parse_json(b'{"a": [1, 2.5, null, true, "x"]}') == {'a': [1, 2.5, None, True, 'x']}
    for text in ('', '{', '[' * 10 ** 5, '[' * 300 + ']' * 300, '1' * 50, b'\xff', '{"a":' * 10 ** 5,
                 '[' + '{},' * 10 ** 7):
        start = time.process_time()
        with pytest.raises(ValueError, match='config'):
            parse_json(text)
        assert time.process_time() - start < 1


LAUGHS = 'a: &a [x, x, x, x, x, x, x, x, x]\n' + ''.join(
    '%s: &%s [%s]\n' % (name, name, ', '.join(['*' + before] * 9)) for before, name in zip('abcdefghi', 'bcdefghij'))
HOSTILE_YAML = [
    LAUGHS, '!!python/object/apply:os.system [ls]', '!!python/object/new:os.system [ls]', '!!python/name:os.system ""',
    '!!python/module:os ""', '!!python/object:keras.layers.Dense {units: 3}', 'a: !!python/tuple {', 'a: &a [*a]',
    'a: &a {b: *a}', 'a: &a {x: 1}\nb: {<<: *a}', '[' * 10 ** 6, '{' * 10 ** 6, '- ' * 4 * 10 ** 5, '? ' * 1000,
    '\n'.join(' ' * depth + 'a:' for depth in range(1500)), '{', '&a [1]: 2', '*nobody', b'\xff\xfe\xff', '\0',
    '--- 1\n--- 2\n', 'a: ' + '1:' * 400000 + '1',
    'a: 0x' + 'f' * 10 ** 6, 'a: ' + '9' * 10 ** 6, '[' + '1,' * 500000 + ']',
]


@pytest.mark.parametrize('number', range(len(HOSTILE_YAML)))
def test_hostile_yaml(number):
    pytest.importorskip('yaml')
    start = time.process_time()
    with pytest.raises(ValueError, match='config'):
        parse_yaml(HOSTILE_YAML[number])
    assert time.process_time() - start < 1


def test_yaml():
    pytest.importorskip('yaml')
    text = 'a: &id001 !!python/tuple [null, 3]\nb: *id001\nc: {d: 1.5, e: !!python/unicode x, f: "[{"}\n'
    assert parse_yaml(text) == {'a': (None, 3), 'b': (None, 3), 'c': {'d': 1.5, 'e': 'x', 'f': '[{'}}


def test_a_config_in_flow_style_is_no_attack():
    yaml = pytest.importorskip('yaml')
    model = keras.Sequential([keras.Input((2,))] + [keras.layers.Dense(3) for _ in range(150)])
    text = yaml.dump(json.loads(model.to_json()), default_flow_style=True)
    assert len(parse_yaml(text)['config']['layers']) == 151
