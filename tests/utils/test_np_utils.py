"""One-hot vectors and norms against NumPy expressions."""
import numpy as np
import pytest

import keras
from keras.utils import normalize, to_categorical


@pytest.mark.parametrize('shape', [(), (1,), (5,), (5, 1), (2, 3), (2, 3, 1), (0,)])
def test_to_categorical(shape):
    classes = np.random.RandomState(0).randint(0, 4, size=shape)
    encoded = to_categorical(classes, 4)
    expected = classes[..., 0] if len(shape) > 1 and shape[-1] == 1 else classes
    assert encoded.shape == expected.shape + (4,) and encoded.dtype == np.float32
    assert np.all(encoded.sum(-1) == 1)
    np.testing.assert_array_equal(encoded.argmax(-1), expected)


def test_to_categorical_counts_classes_and_takes_a_dtype():
    encoded = to_categorical([0, 2], dtype='bool')
    assert encoded.tolist() == [[True, False, False], [False, False, True]]


@pytest.mark.parametrize('classes', [[0, 3], [-1, 0]])
def test_to_categorical_refuses_classes_out_of_range(classes):
    with pytest.raises(ValueError, match='must lie between 0 and 2, those given lie between'):
        to_categorical(classes, 3)


@pytest.mark.parametrize('axis, order', [(-1, 2), (0, 2), (1, 1), (-1, np.inf)])
def test_normalize(axis, order):
    x = np.random.RandomState(0).normal(size=(3, 4))
    np.testing.assert_allclose(np.linalg.norm(normalize(x, axis, order), order, axis), 1)
    zeros = np.zeros((2, 2))
    np.testing.assert_array_equal(normalize(zeros), zeros)


def test_several_devices_are_refused_as_on_a_machine_with_one():
    with pytest.raises(ValueError, match='gpus=4, there must be that many devices'):
        keras.utils.multi_gpu_model(keras.Sequential(), gpus=4)


@pytest.mark.on('numpy')
def test_ordinal():
    np.testing.assert_array_equal(keras.utils.to_ordinal([0, 1, 3], 4), [[0, 0, 0], [1, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(keras.utils.to_ordinal([[0], [2]]), [[0, 0], [1, 1]])
    with pytest.raises(ValueError, match='between 0 and 2'):
        keras.utils.to_ordinal([3], 3)


@pytest.mark.on('numpy')
def test_embeddings_of_another_vocabulary(tmp_path):
    matrix, new = np.arange(6.0).reshape(3, 2), ['[UNK]', 'b', 'c', 'a']
    expected = [[0, 1], [4, 5], [1, 1], [2, 3]]
    warm = keras.utils.warmstart_embedding_matrix
    np.testing.assert_array_equal(warm(['[UNK]', 'a', 'b'], new, matrix, 'ones'), expected)
    path = tmp_path / 'words.txt'
    path.write_text('[UNK]\na\nb\n')
    np.testing.assert_array_equal(warm(str(path), new, matrix, np.ones((4, 2))), expected)
    with pytest.raises(ValueError, match='2 words in base_vocabulary, but 3 rows'):
        warm(['a', 'b'], new, matrix)
