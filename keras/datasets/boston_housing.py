"""House prices in the suburbs of Boston in the 1970s."""
from keras.datasets.origins import FOLDER
from keras.datasets.tables import load_split
from keras.utils.data_utils import get_file

ORIGIN = FOLDER + 'boston_housing.npz'
FILE_HASH = 'f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5'


def load_data(path='boston_housing.npz', test_split=0.2, seed=113):
    """506 suburbs of Boston with 13 numbers each, and the median price of their houses in thousands of dollars.

    The data has a column about race, made by a formula that its authors chose; it is here because much that was
    published uses it, not as an example to follow.

    Args:
        path: name of the file in the cache. test_split: fraction of the suburbs to test on. seed: of the shuffling.

    Returns:
        ((x_train, y_train), (x_test, y_test)): x of shape (suburbs, 13), y of shape (suburbs,), float64.

    Example:
        (x_train, y_train), (x_test, y_test) = keras.datasets.boston_housing.load_data()
    """
    return load_split(get_file(path, origin=ORIGIN, file_hash=FILE_HASH), test_split, seed)
