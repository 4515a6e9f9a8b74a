"""Text as numbers."""
import collections
import hashlib
import json
import math
import warnings

import numpy as np

from keras.saving.texts import parse_json

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(text, filters=FILTERS, lower=True, split=' '):
    """The words of a text.

    Args:
        text: string. filters: characters that separate words like `split`. lower: whether to change to lower case.
        split: what separates words.

    Example:
        >>> text_to_word_sequence('One two, THREE!')
        ['one', 'two', 'three']
    """
    text = text.lower() if lower else text
    return [word for word in text.translate({ord(character): split for character in filters}).split(split) if word]


def one_hot(text, n, filters=FILTERS, lower=True, split=' ', analyzer=None):
    """Numbers from 1 to n - 1 for the words of a text, by Python's `hash`; two words may share one.

    Python salts the hash of strings: numbers differ from one process to the next unless PYTHONHASHSEED is set.
    `hashing_trick` with 'md5' gives the same ones always.

    Args:
        text: string. n: size of the vocabulary. filters, lower, split: as in `text_to_word_sequence`.
        analyzer: a function from the text to its words, used instead.
    """
    return hashing_trick(text, n, hash, filters, lower, split, analyzer)


def hashing_trick(text, n, hash_function=None, filters=FILTERS, lower=True, split=' ', analyzer=None):
    """Numbers from 1 to n - 1 for the words of a text, by a hash function; two words may share one.

    Args:
        text: string. n: size of the vocabulary. hash_function: None for Python's `hash`, which differs from process to
            process, 'md5', or a function from a string to an integer. filters, lower, split: as in
            `text_to_word_sequence`. analyzer: a function from the text to its words, used instead.

    Example:
        >>> hashing_trick('one two one', 100, 'md5')
        [39, 78, 39]
    """
    if hash_function is None:
        hash_function = hash
    elif hash_function == 'md5':
        hash_function = _md5
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def _md5(word):
    return int(hashlib.md5(word.encode()).hexdigest(), 16)


class Tokenizer:
    """Numbers for words (or characters), by how often they occur in the texts that it was fitted on.

    The most frequent word has number 1, or 2 where there is an `oov_token`, which is 1. Number 0 is never used.

    Args:
        num_words: only numbers below this are given out; None for all. filters, lower, split: as in
            `text_to_word_sequence`. char_level: whether characters take the place of words. oov_token: a word that
            stands for those that are unknown or too rare; None leaves them out. document_count: number of texts seen.
        analyzer: a function from a text to its words, used instead of `text_to_word_sequence`.

    A text may also be a list of words.

    Attributes:
        word_counts: {word: how often it occurred}. word_docs: {word: in how many texts}. word_index: {word: number},
        index_word: {number: word}, index_docs: {number: in how many texts}. document_count: number of texts.

    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(['a cat and a dog', 'a cat'])
        >>> tokenizer.texts_to_sequences(['a dog and a bird'])
        [[1, 4, 3, 1]]
    """

    def __init__(self, num_words=None, filters=FILTERS, lower=True, split=' ', char_level=False, oov_token=None,
                 document_count=0, analyzer=None, **kwargs):
        if 'nb_words' in kwargs:
            warnings.warn('Tokenizer: the argument `nb_words` has been renamed `num_words`: Tokenizer(num_words=%r).'
                          % kwargs['nb_words'], DeprecationWarning, stacklevel=2)
            num_words = kwargs.pop('nb_words')
        if kwargs:
            raise TypeError('Tokenizer: Unrecognized keyword arguments: %s' % sorted(kwargs))
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.document_count = document_count
        self.analyzer = analyzer
        self.word_counts = collections.OrderedDict()
        self.word_docs = collections.defaultdict(int)
        self.index_docs = collections.defaultdict(int)
        self.word_index = {}
        self.index_word = {}

    def _texts(self, texts):
        """`texts`, one after the other, each seen to be one."""
        if isinstance(texts, str) and not self.char_level:
            warnings.warn('Tokenizer: a string in the place of a list of texts counts as one text for each of its '
                          'characters. A single text goes into a list: [text].', stacklevel=4)
        for number, text in enumerate(texts):
            if text is None or isinstance(text, (bool, int, float)):
                raise TypeError('Tokenizer: text number %d is %r, expected a string or a list of words. The usual '
                                'cause: gaps in a table, which df.fillna("") fills.' % (number, text))
            yield text

    def _words(self, text):
        if self.char_level or isinstance(text, list):
            if not self.lower:
                return text
            return [word.lower() for word in text] if isinstance(text, list) else text.lower()
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts):
        """Learn the words of texts, in addition to those learnt before.

        Args:
            texts: list or generator of strings, or of lists of words.
        """
        for text in self._texts(texts):
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        by_count = sorted(self.word_counts, key=self.word_counts.get, reverse=True)
        if self.oov_token is not None:
            by_count.insert(0, self.oov_token)
        # A word that is also the oov_token keeps the later number.
        self.word_index = {word: number for number, word in enumerate(by_count, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences):
        """Learn in how many sequences each number occurs, for `sequences_to_matrix`.

        Args:
            sequences: list of lists of numbers.
        """
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    def texts_to_sequences(self, texts):
        """A list of numbers for each text.

        Raises:
            ValueError: if the tokenizer has not been fitted on texts.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts):
        """Like `texts_to_sequences`, one text after the other."""
        self._check_fitted('texts_to_sequences')
        unknown = self.word_index.get(self.oov_token)
        for text in self._texts(texts):
            numbers = (self.word_index.get(word) for word in self._words(text))
            yield self._in_range(numbers, unknown)

    def sequences_to_texts(self, sequences):
        """The text of each list of numbers, words with a space between them.

        Raises:
            ValueError: if the tokenizer has not been fitted on texts.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences):
        """Like `sequences_to_texts`, one after the other."""
        self._check_fitted('sequences_to_texts')
        unknown = self.word_index.get(self.oov_token)
        for sequence in sequences:
            numbers = (number if number in self.index_word else None for number in sequence)
            yield ' '.join(self.index_word[number] for number in self._in_range(numbers, unknown))

    def _in_range(self, numbers, unknown):
        """Known numbers below `num_words`; `unknown` in the place of others, which are left out where it is None."""
        found = (unknown if number is None or self.num_words and number >= self.num_words else number
                 for number in numbers)
        return [number for number in found if number is not None]

    def _check_fitted(self, method):
        if not self.word_index:
            raise ValueError('Tokenizer.%s: the tokenizer knows no words. Call fit_on_texts(texts) first, with at '
                             'least one text that is not empty.' % method)

    def texts_to_matrix(self, texts, mode='binary'):
        """One row for each text, as `sequences_to_matrix` makes them."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences, mode='binary'):
        """One row for each sequence, with a column for each number below `num_words`.

        Args:
            sequences: list of lists of numbers. mode: what stands in a column: 'binary' 1 where the number occurs,
                'count' how often, 'freq' which part of the sequence, 'tfidf' (1 + log(count)) * log(1 + documents /
                (1 + documents with the number)).

        Returns:
            Array of shape (len(sequences), num_words), float64.

        Raises:
            ValueError: for another mode, or without `num_words` before fitting.
        """
        if mode not in ('binary', 'count', 'freq', 'tfidf'):
            raise ValueError('Tokenizer: Unknown vectorization mode: %r. Expected "binary", "count", "freq" or "tfidf".'
                             % (mode,))
        if not self.num_words and not self.word_index:
            raise ValueError('Tokenizer: Specify a dimension (`num_words` argument), or fit on some text data first.')
        if mode == 'tfidf' and not self.document_count:
            raise ValueError('Tokenizer: Fit the Tokenizer on some data before using tfidf mode.')
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in zip(matrix, sequences):
            for number, count in collections.Counter(sequence).items():
                if number < columns:
                    row[number] = self._entry(number, count, len(sequence), mode)
        return matrix

    def _entry(self, number, count, length, mode):
        if mode == 'binary':
            return 1
        if mode == 'count':
            return count
        if mode == 'freq':
            return count / length
        return (1 + math.log(count)) * math.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))

    def get_config(self):
        """The arguments and what was learnt, as JSON can hold them; the tables are JSON texts themselves."""
        config = {name: getattr(self, name) for name in (
            'num_words', 'filters', 'lower', 'split', 'char_level', 'oov_token', 'document_count')}
        config.update((name, json.dumps(getattr(self, name))) for name in _TABLES)
        return config

    def to_json(self, **kwargs):
        """The tokenizer as a JSON text, for `tokenizer_from_json`. kwargs: passed to `json.dumps`."""
        return json.dumps({'class_name': type(self).__name__, 'config': self.get_config()}, **kwargs)


# The tables of a tokenizer, and whether their keys are numbers, which JSON turns into strings.
_TABLES = {'word_counts': False, 'word_docs': False, 'word_index': False, 'index_docs': True, 'index_word': True}


def tokenizer_from_json(json_string):
    """The tokenizer that `Tokenizer.to_json` has written.

    Raises:
        ValueError: for a text that is something else.

    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(['a cat'])
        >>> tokenizer_from_json(tokenizer.to_json()).word_index
        {'a': 1, 'cat': 2}
    """
    content = parse_json(json_string, 'tokenizer', is_limited=False)
    try:
        config = dict(content['config'])
        tables = {name: parse_json(config.pop(name), name, is_limited=False) for name in _TABLES}
        tokenizer = Tokenizer(**config)
        for name, by_number in _TABLES.items():
            found = tables[name]
            # Into the dictionaries that are there: two of them count from 0.
            getattr(tokenizer, name).update({int(key): value for key, value in found.items()} if by_number else found)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError('The text is no tokenizer that `Tokenizer.to_json` has written (%s: %.500s).'
                         % (type(error).__name__, error)) from error
    return tokenizer
