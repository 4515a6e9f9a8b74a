import h5py
import numpy as np
import pytest

from keras.saving import hdf5_parts

pytestmark = pytest.mark.on('numpy')


@pytest.mark.parametrize('array', [np.arange(6, dtype='float32').reshape(2, 3).T, np.float64(3),
                                   np.zeros((0, 2), 'int32'),
                                   np.array([True, False]), np.arange(4, dtype='>i2'), np.array([b'ab', b'c'])])
def test_arrays_come_back(tmp_path, array):
    array = np.asarray(array)
    with h5py.File(str(tmp_path / 'x.h5'), 'w') as file:
        group = hdf5_parts.new_group(file, u'\u00e4/b')
        hdf5_parts.new_dataset(group, 'c/d:0', array)
        hdf5_parts.set_attribute(group, 'e', np.zeros(1))
        hdf5_parts.set_attribute(group, 'e', array)
    with h5py.File(str(tmp_path / 'x.h5'), 'r') as file:
        for found in (file[u'\u00e4/b/c/d:0'][()], file[u'\u00e4/b'].attrs['e']):
            np.testing.assert_array_equal(found, array)
            assert np.asarray(found).dtype == array.dtype


def test_what_is_there_is_not_replaced(tmp_path):
    with h5py.File(str(tmp_path / 'x.h5'), 'w') as file:
        hdf5_parts.new_dataset(file, 'a', np.zeros(2))
        with pytest.raises((ValueError, RuntimeError, OSError)):
            hdf5_parts.new_dataset(file, 'a', np.zeros(2))
        with pytest.raises((ValueError, RuntimeError, OSError)):
            hdf5_parts.new_group(file, 'a')
