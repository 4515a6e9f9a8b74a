"""Pictures of clothes."""
import gzip
import os

import numpy as np

from keras.datasets.origins import FOLDER
from keras.utils.data_utils import get_file

ORIGIN = FOLDER
# MD5, as the authors of the data published them.
FILE_HASHES = {
    'train-images-idx3-ubyte.gz': '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
    'train-labels-idx1-ubyte.gz': '25c81989df183df01b3e8a0aad5dffbe',
    't10k-images-idx3-ubyte.gz': 'bef4ecab320f06d8554ea6380940ec79',
    't10k-labels-idx1-ubyte.gz': 'bb300cfdad3c16e7a12a480ee83cd310',
}


def load_data():
    """60,000 and 10,000 pictures of clothes in 10 classes, 28x28, grey.

    The classes: T-shirt or top, trousers, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.

    Returns:
        ((x_train, y_train), (x_test, y_test)): x of shape (pictures, 28, 28), y of shape (pictures,) from 0 to 9,
        uint8.

    Example:
        (x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    """
    return tuple((_read('%s-images-idx3-ubyte.gz' % part), _read('%s-labels-idx1-ubyte.gz' % part))
                 for part in ('train', 't10k'))


def _read(name):
    """The array in a file of the IDX format: two zeros, type (8: bytes), rank, sizes as big-endian int32, data."""
    path = get_file(name, origin=ORIGIN + name, file_hash=FILE_HASHES[name],
                    cache_subdir=os.path.join('datasets', 'fashion-mnist'))
    with gzip.open(path, 'rb') as file:
        content = file.read()
    rank = content[3]
    shape = np.frombuffer(content, '>i4', count=rank, offset=4)
    return np.frombuffer(content, 'uint8', offset=4 + 4 * rank).reshape(shape)
