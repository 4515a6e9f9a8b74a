"""Small colour pictures in 100 classes."""
import os

from keras.datasets.cifar import arranged, load_batch
from keras.utils.data_utils import get_file

ORIGIN = 'https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz'
FILE_HASH = '85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7'


def load_data(label_mode='fine'):
    """50,000 and 10,000 colour pictures, 32x32, in 100 classes of 20 kinds.

    Args:
        label_mode: 'fine' for the classes, 'coarse' for the kinds.

    Returns:
        ((x_train, y_train), (x_test, y_test)): x of shape (pictures, 32, 32, 3), or (pictures, 3, 32, 32) where
        `image_data_format` is 'channels_first', y of shape (pictures, 1), uint8.

    Raises:
        ValueError: for another `label_mode`.

    Example:
        (x_train, y_train), (x_test, y_test) = keras.datasets.cifar100.load_data()
    """
    if label_mode not in ('fine', 'coarse'):
        raise ValueError('cifar100: `label_mode` must be one of "fine", "coarse". Received: %r' % (label_mode,))
    folder = get_file('cifar-100-python', origin=ORIGIN, untar=True, file_hash=FILE_HASH)
    return tuple(arranged([load_batch(os.path.join(folder, part), label_mode + '_labels')])
                 for part in ('train', 'test'))
