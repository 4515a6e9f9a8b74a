"""Weights of cuDNN's recurrent layers and of the plain ones read into each other."""
import h5py
import numpy as np
import pytest

import keras
from keras.layers import GRU, LSTM, Bidirectional, CuDNNGRU, CuDNNLSTM

pytestmark = pytest.mark.on('numpy')
X = np.random.RandomState(0).normal(size=(2, 3, 5)).astype('float32')
KINDS = [(CuDNNLSTM, lambda units, **kwargs: LSTM(units, recurrent_activation='sigmoid', **kwargs)),
         (CuDNNGRU, lambda units, **kwargs: GRU(units, recurrent_activation='sigmoid', reset_after=True, **kwargs))]


def model_of(layer):
    model = keras.Sequential([layer])
    model.build((None, 3, 5))
    model.set_weights([np.random.RandomState(1).normal(size=weight.shape) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize('cudnn, plain', KINDS)
@pytest.mark.parametrize('wrapped', [False, True])
def test_either_kind_reads_the_other(tmp_path, cudnn, plain, wrapped):
    path = str(tmp_path / 'weights.h5')
    kinds = [(lambda units, kind=kind: Bidirectional(kind(units))) if wrapped else kind for kind in (cudnn, plain)]
    for first, second in (kinds, kinds[::-1], kinds[:1] * 2, kinds[1:] * 2):
        writer, reader = model_of(first(4)), keras.Sequential([second(4)])
        reader.build((None, 3, 5))
        writer.save_weights(path)
        reader.load_weights(path)
        np.testing.assert_allclose(reader.predict(X, verbose=0), writer.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_files_hold_what_cudnn_wants(tmp_path):
    """cuDNN reads the numbers of a gate's kernel as a matrix (units, inputs), row by row."""
    path, model = str(tmp_path / 'weights.h5'), model_of(CuDNNLSTM(4, name='rnn'))
    model.save_weights(path)
    kernel, recurrent, bias = model.get_weights()
    with h5py.File(path, 'r') as file:
        names = [name.decode() for name in file['rnn'].attrs['weight_names']]
        stored = {name.split('/')[-1]: file['rnn'][name][()] for name in names}
    np.testing.assert_array_equal(stored['kernel:0'][:, 4:8].reshape(4, 5), kernel[:, 4:8].T)
    np.testing.assert_array_equal(stored['recurrent_kernel:0'][:, :4], recurrent[:, :4].T)
    np.testing.assert_array_equal(stored['bias:0'], bias)


def test_another_number_of_biases_is_an_error(tmp_path):
    path, model = str(tmp_path / 'weights.h5'), model_of(CuDNNGRU(4))
    model.save_weights(path)
    reader = keras.Sequential([GRU(4, reset_after=False)])
    reader.build((None, 3, 5))
    with pytest.raises(ValueError, match='shape'):
        reader.load_weights(path)
