"""Small colour pictures in 10 classes."""
import os

from keras.datasets.cifar import arranged, load_batch
from keras.utils.data_utils import get_file

ORIGIN = 'https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz'
FILE_HASH = '6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce'


def load_data():
    """50,000 and 10,000 colour pictures, 32x32, in 10 classes.

    The classes: aeroplane, car, bird, cat, deer, dog, frog, horse, ship, lorry.

    Returns:
        ((x_train, y_train), (x_test, y_test)): x of shape (pictures, 32, 32, 3), or (pictures, 3, 32, 32) where
        `image_data_format` is 'channels_first', y of shape (pictures, 1) from 0 to 9, uint8.

    Example:
        (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
    """
    folder = get_file('cifar-10-batches-py', origin=ORIGIN, untar=True, file_hash=FILE_HASH)
    train = [load_batch(os.path.join(folder, 'data_batch_%d' % number)) for number in range(1, 6)]
    return arranged(train), arranged([load_batch(os.path.join(folder, 'test_batch'))])
