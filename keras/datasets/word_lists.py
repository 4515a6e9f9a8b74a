"""What the data sets of texts share: texts are lists of word numbers, counted from the most frequent word."""
import warnings

import numpy as np


def settle_num_words(num_words, kwargs):
    """`num_words`, or what it was called in Keras 1.

    Raises:
        TypeError: for any other keyword.
    """
    if 'nb_words' in kwargs:
        warnings.warn('load_data: the argument `nb_words` has been renamed `num_words`: load_data(num_words=%r).'
                      % kwargs['nb_words'], DeprecationWarning, stacklevel=3)
        num_words = kwargs.pop('nb_words')
    if kwargs:
        raise TypeError('load_data: Unrecognized keyword arguments: %s' % sorted(kwargs))
    return num_words


def shuffled(texts, labels, generator):
    """Both in the same random order."""
    order = generator.permutation(len(texts))
    return texts[order], labels[order]


def numbered(texts, start_char, index_from):
    """Texts with their start marked and word numbers moved up, as lists of lists."""
    start = [] if start_char is None else [start_char]
    return [start + [word + (index_from or 0) for word in text] for text in texts]


def no_longer_than(maxlen, texts, labels):
    """The texts of fewer than `maxlen` words, with their labels; all of them if it is None.

    Raises:
        ValueError: if there are none.
    """
    if not maxlen:
        return texts, labels
    kept = [number for number, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError('After filtering for sequences shorter than maxlen=%s, no sequence was kept. Increase maxlen.'
                         % maxlen)
    return [texts[number] for number in kept], np.asarray(labels)[kept]


def frequent_words(texts, num_words, skip_top, oov_char):
    """Texts whose words outside `skip_top` <= number < `num_words` are replaced, or left out if `oov_char` is None."""
    # As published: without `num_words` the rarest word of all is replaced as well.
    num_words = num_words or max(max(text) for text in texts)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < num_words] for text in texts]
    return [[word if skip_top <= word < num_words else oov_char for word in text] for text in texts]


def as_lists(texts):
    """An array of lists, also where all have one length."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
