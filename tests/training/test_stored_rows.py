"""Training on arrays in a file, which are read as they are needed."""
import h5py
import numpy as np
import pytest

import keras
from keras.training.data.host import StoredRows, rows_of

X = np.random.RandomState(0).rand(20, 3)
Y = X.sum(axis=1, keepdims=True)


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / 'data.h5')
    with h5py.File(path, 'w') as file:
        file['x'], file['y'] = X, Y
    return path


@pytest.mark.parametrize('rows', [slice(2, 7), slice(None), slice(5, 2), np.array([7, 3, 4, 3, 9]), np.array([], int),
                                  np.array([5, 6, 7]), np.array([8, 9, 2, 3, 4, 11, 12]),
                                  np.array([13, 1, 0, 2, 3, 12])])
def test_rows(path, rows):
    stored = StoredRows(keras.utils.HDF5Matrix(path, 'x'))
    np.testing.assert_array_equal(stored[rows], X[rows])
    np.testing.assert_array_equal(rows_of(stored, 4, 18)[rows], X[4:18][rows])
    assert stored.astype('float32')[rows].dtype == 'float32' and stored.dtype == 'float64'
    assert len(stored) == 20 and stored.nbytes == X.nbytes and stored.ndim == 2


@pytest.mark.needs_gradients
@pytest.mark.parametrize('shuffle', [False, True, 'batch'])
def test_training(path, shuffle):
    def losses(x, y):
        np.random.seed(3)
        model = keras.Sequential([keras.layers.Dense(1, kernel_initializer='ones', input_shape=(3,))])
        model.compile(keras.optimizers.SGD(0.01), 'mse')
        return model.fit(x, y, epochs=2, batch_size=4, shuffle=shuffle, validation_split=0.2, verbose=0).history
    stored = losses(keras.utils.HDF5Matrix(path, 'x'), keras.utils.HDF5Matrix(path, 'y'))
    for name, values in losses(X, Y).items():
        np.testing.assert_allclose(stored[name], values, rtol=1e-6)
