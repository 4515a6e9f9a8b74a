"""Reviews of films, as word numbers."""
import json

import numpy as np

from keras import generations
from keras.datasets import pickled
from keras.datasets.origins import FOLDER
from keras.datasets.word_lists import as_lists, frequent_words, no_longer_than, numbered, settle_num_words, shuffled
from keras.utils.data_utils import get_file

ORIGIN = FOLDER + 'imdb.npz'
FILE_HASH = '69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f'
INDEX_ORIGIN = FOLDER + 'imdb_word_index.json'
INDEX_HASH = 'bfafd718b763782e994055a2d397834f'


def load_data(path='imdb.npz', num_words=None, skip_top=0, maxlen=None, seed=113, start_char=1, oov_char=2,
              index_from=3, **kwargs):
    """25,000 and 25,000 reviews of films, as lists of word numbers, and whether they are favourable.

    Args:
        path: name of the file in the cache. num_words: only words with a number below this are kept; default: all.
        skip_top: how many of the most frequent numbers are not kept. maxlen: only reviews of fewer words are kept.
            In Keras 1 and 2 the training part then takes reviews of the test part to keep its size. seed: of the
            shuffling. start_char: number before each review; None for none. oov_char: number in the place of words
            that are not kept; None leaves them out. index_from: is added to the numbers of the words.

    Returns:
        ((x_train, y_train), (x_test, y_test)): x arrays of lists, y arrays of 1 for favourable and 0.

    Raises:
        ValueError: if no review is shorter than `maxlen`.

    Example:
        (x_train, y_train), (x_test, y_test) = keras.datasets.imdb.load_data(num_words=20000)
    """
    num_words = settle_num_words(num_words, kwargs)
    file = pickled.arrays(get_file(path, origin=ORIGIN, file_hash=FILE_HASH))
    parts = [(file['x_' + part], file['y_' + part]) for part in ('train', 'test')]
    generator = np.random.RandomState(seed)
    parts = [shuffled(texts, labels, generator) for texts, labels in parts]
    parts = [(numbered(texts, start_char, index_from), labels) for texts, labels in parts]
    split = len(parts[0][0])
    if not generations.value('imdb_maxlen_moves_split'):
        parts = [no_longer_than(maxlen, texts, labels) for texts, labels in parts]
        split = len(parts[0][0])
    texts, labels = no_longer_than(maxlen, parts[0][0] + parts[1][0], np.concatenate([y for _, y in parts]))
    texts = as_lists(frequent_words(texts, num_words, skip_top, oov_char))
    return (texts[:split], labels[:split]), (texts[split:], labels[split:])


def get_word_index(path='imdb_word_index.json'):
    """{word: number}, numbers from 1 and without `index_from`.

    Args:
        path: name of the file in the cache.
    """
    with open(get_file(path, origin=INDEX_ORIGIN, file_hash=INDEX_HASH), encoding='utf-8') as file:
        return json.load(file)
