"""House prices in California, by the census of 1990."""
from keras.datasets.origins import FOLDER
from keras.datasets.tables import load_split
from keras.utils.data_utils import get_file

ORIGIN = FOLDER + 'california_housing.npz'
FILE_HASH = '1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f'
# The small version is the beginning of the large one.
_SMALL = 600


def load_data(version='large', path='california_housing.npz', test_split=0.2, seed=113):
    """20,640 districts of California with 8 numbers each, and the median price of their houses in dollars.

    The numbers: longitude, latitude, median age of houses, rooms, bedrooms, people, households, median income.

    Args:
        version: 'large', or 'small' for 600 districts around San Francisco. path: name of the file in the cache.
        test_split: fraction of the districts to test on. seed: of the shuffling.

    Returns:
        ((x_train, y_train), (x_test, y_test)): x of shape (districts, 8), y of shape (districts,), float32.

    Raises:
        ValueError: for another version.

    Example:
        (x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data()
    """
    if version not in ('large', 'small'):
        raise ValueError('california_housing: version must be "large" or "small". Received: %r' % (version,))
    path = get_file(path, origin=ORIGIN, file_hash=FILE_HASH)
    return load_split(path, test_split, seed, _SMALL if version == 'small' else None)
