"""Named arrays in HDF5 files, at the address where packages look for them."""
import io
import zipfile

import numpy as np
import pytest

import keras
from keras import layers
from keras.saving.stores import H5IOStore

pytestmark = pytest.mark.on('numpy')


def test_packages_find_it_where_keras3_has_it():
    from keras.src.saving import saving_lib
    assert saving_lib.H5IOStore is H5IOStore


def test_what_is_put_in_comes_out(tmp_path):
    path = tmp_path / 'some.lora.h5'
    store = H5IOStore(path, mode='w')
    group = store.make('lora')
    group['rank'], group['wrong'] = 4, 1
    del group['wrong']
    store.make('lora/3', metadata={'name': 'third'})['kernel'] = np.arange(6.0).reshape(2, 3)
    store.make('never used')
    store.close()
    store = H5IOStore(str(path))
    assert list(store.get('lora')) == ['rank'] and int(store.get('lora')['rank'][()]) == 4
    np.testing.assert_array_equal(store.get('lora/3')['kernel'], [[0, 1, 2], [3, 4, 5]])
    assert not store.get('never used') and not store.get('lora/4')
    store.close()


def test_h5py_finds_the_arrays_where_keras3_writes_them(tmp_path):
    h5py = pytest.importorskip('h5py')
    store = H5IOStore(str(tmp_path / 'some.h5'), mode='w')
    store.make('')['a'] = [1, 2]
    store.make('inner', metadata={'name': 'x'})['b'] = np.float32(3)
    store.close()
    with h5py.File(str(tmp_path / 'some.h5'), 'r') as file:
        assert file['vars/a'][()].tolist() == [1, 2] and float(file['inner/vars/b'][()]) == 3
        assert file['inner/vars'].attrs['name'] in ('x', b'x') and set(file) == {'vars', 'inner'}


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_weights_of_layers(dtype):
    layer, file = layers.Dense(2, dtype=dtype), io.BytesIO()
    layer.build((None, 3))
    store = H5IOStore(file, mode='w')
    store.make('dense')['kernel'] = layer.kernel
    store.close()
    np.testing.assert_array_equal(H5IOStore(file).get('dense')['kernel'], np.asarray(layer.get_weights()[0], 'float32'))


def test_a_file_inside_an_archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        store = H5IOStore('inner.h5', archive=archive, mode='w')
        store.make('x')['a'] = 7
        store.close()
    with zipfile.ZipFile(file) as archive:
        assert H5IOStore('inner.h5', archive=archive).get('x')['a'] == 7


def test_what_cannot_be_is_said(tmp_path):
    path = str(tmp_path / 'some.h5')
    with pytest.raises(TypeError, match='`path_or_io` should be a `str`, `pathlib.Path` or `io.BytesIO` object'):
        H5IOStore(None, mode='w')
    with pytest.raises(ValueError, match="`mode` should be either 'w' or 'r'"):
        H5IOStore(path, mode='x')
    with pytest.raises(ValueError, match='`archive` should be `None`'):
        H5IOStore(io.BytesIO(), archive='archive', mode='w')
    store = H5IOStore(path, mode='w')
    with pytest.raises(ValueError, match='`metadata` should be a dict or `None`'):
        store.make('vars', metadata='metadata')
    with pytest.raises(ValueError, match='`get` is only allowed in read mode'):
        store.get('vars')
    store.make('vars')['a'] = 1
    store.close()
    store = H5IOStore(path)
    with pytest.raises(ValueError, match='`make` is only allowed in write mode'):
        store.make('vars')
    with pytest.raises(ValueError, match='Setting a value is only allowed in write mode'):
        store.get('vars')['b'] = 1
    with pytest.raises(ValueError, match='Deleting a value is only allowed in write mode'):
        del store.get('vars')['a']


@pytest.mark.on('torch', 'jax')
def test_tensors_go_in():
    file = io.BytesIO()
    store = H5IOStore(file, mode='w')
    group = store.make('a')
    group['half'], group['kernel'] = keras.ops.ones((2,), 'bfloat16'), keras.Variable([3.0]).value
    store.close()
    found = H5IOStore(file).get('a')
    np.testing.assert_array_equal(np.asarray(found['half'], 'float32'), [1, 1])
    np.testing.assert_array_equal(found['kernel'], [3])
