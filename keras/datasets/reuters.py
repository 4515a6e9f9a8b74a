"""Newswires, as word numbers."""
import json

import numpy as np

from keras.datasets import pickled
from keras.datasets.origins import FOLDER
from keras.datasets.tables import check_split
from keras.datasets.word_lists import as_lists, frequent_words, no_longer_than, numbered, settle_num_words, shuffled
from keras.utils.data_utils import get_file

ORIGIN = FOLDER + 'reuters.npz'
FILE_HASH = 'd6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916'
INDEX_ORIGIN = FOLDER + 'reuters_word_index.json'
INDEX_HASH = '4d44cc38712099c9e383dc6e5f11a921'
LABEL_NAMES = tuple("""
    cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude
    nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel
    rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead
    """.split())


def load_data(path='reuters.npz', num_words=None, skip_top=0, maxlen=None, test_split=0.2, seed=113, start_char=1,
              oov_char=2, index_from=3, **kwargs):
    """11,228 newswires of 1987 as lists of word numbers, in 46 topics.

    Args:
        path: name of the file in the cache. num_words: only words with a number below this are kept; default: all.
        skip_top: how many of the most frequent numbers are not kept. maxlen: only newswires of fewer words are kept.
        test_split: fraction to test on. seed: of the shuffling. start_char: number before each newswire; None for
            none. oov_char: number in the place of words that are not kept; None leaves them out. index_from: is added
            to the numbers of the words.

    Returns:
        ((x_train, y_train), (x_test, y_test)): x arrays of lists, y arrays of topics from 0 to 45.

    Raises:
        ValueError: if no newswire is shorter than `maxlen`, or `test_split` is no fraction.

    Example:
        (x_train, y_train), (x_test, y_test) = keras.datasets.reuters.load_data(num_words=10000)
    """
    num_words = settle_num_words(num_words, kwargs)
    check_split(test_split)
    file = pickled.arrays(get_file(path, origin=ORIGIN, file_hash=FILE_HASH))
    texts, labels = shuffled(file['x'], file['y'], np.random.RandomState(seed))
    texts, labels = no_longer_than(maxlen, numbered(texts, start_char, index_from), labels)
    texts = as_lists(frequent_words(texts, num_words, skip_top, oov_char))
    split = int(len(texts) * (1 - test_split))
    return (texts[:split], labels[:split]), (texts[split:], labels[split:])


def get_word_index(path='reuters_word_index.json'):
    """{word: number}, numbers from 1 and without `index_from`.

    Args:
        path: name of the file in the cache.
    """
    with open(get_file(path, origin=INDEX_ORIGIN, file_hash=INDEX_HASH), encoding='utf-8') as file:
        return json.load(file)


def get_label_names():
    """The names of the 46 topics, in the order of their numbers."""
    return LABEL_NAMES
