"""Handwritten digits."""
import numpy as np

from keras.datasets.origins import FOLDER
from keras.utils.data_utils import get_file

ORIGIN = FOLDER + 'mnist.npz'
FILE_HASH = '731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1'


def load_data(path='mnist.npz'):
    """60,000 and 10,000 pictures of handwritten digits, 28x28, grey.

    Args:
        path: name of the file in the cache, or an absolute path.

    Returns:
        ((x_train, y_train), (x_test, y_test)): x of shape (pictures, 28, 28), y of shape (pictures,) from 0 to 9,
        uint8.

    Example:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    """
    with np.load(get_file(path, origin=ORIGIN, file_hash=FILE_HASH)) as file:
        return (file['x_train'], file['y_train']), (file['x_test'], file['y_test'])
