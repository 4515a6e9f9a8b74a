"""Text as integers: standardized, split, looked up."""
import itertools
import string

import numpy as np

from keras.backend.contract.loading import get_engine
from keras.layers.preprocessing.data_layer import batches_of, list_of_texts, texts
from keras.layers.preprocessing.encodings import checked_mode
from keras.layers.preprocessing.hashed_words import counted
from keras.layers.preprocessing.lookups import StringLookup, VocabularyLayer

# What each way to standardize replaces and leaves out.
_STANDARDS = {'lower': (True, ''), 'strip_punctuation': (False, string.punctuation),
              'lower_and_strip_punctuation': (True, string.punctuation)}
# From how many texts on hashes pay.
_MANY = 100
_SPLITS = {'whitespace': str.split, 'character': list}


def _change(standard):
    """One of `_STANDARDS`, or None, as a function of UTF-8 in bytes."""
    lower, signs = _STANDARDS.get(standard, (False, ''))
    table = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode()) if lower else None
    return lambda text: text.translate(table, signs.encode())


def standardized(found, standard):
    """A list of texts as one of `_STANDARDS` has them, all at once: that takes a tenth of the time."""
    if standard is None or not found:
        return found
    joined = '\0'.join(found)
    if joined.count('\0') == len(found) - 1:
        try:
            return _change(standard)(joined.encode('utf-8')).decode('utf-8').split('\0')
        except UnicodeEncodeError:
            pass
    lower, signs = _STANDARDS[standard]
    upper = string.ascii_uppercase if lower else ''
    table = str.maketrans(upper, upper.lower(), signs)
    return [text.translate(table) for text in found]


class TextVectorization(VocabularyLayer):
    """Texts as the places of their words in a vocabulary.

    Args:
        max_tokens: how many places there are at most.
        standardize: 'lower_and_strip_punctuation' (of the letters and signs of ASCII), 'lower', 'strip_punctuation',
            None, or a function of an array of `str` (of a tensor of strings where the engine has such).
        split: 'whitespace', 'character', None, or a function that gives a list of words for each text.
        ngrams: None, the greatest number of words that are taken together, or a tuple of such numbers.
        output_mode: 'int', or a row for each text: 'multi_hot', 'count' or 'tf_idf'.
        output_sequence_length: with 'int', to cut off or fill up with 0 to; default: the longest text.
        vocabulary: list of strings, or path of a text file; default: what `adapt` finds. idf_weights: with 'tf_idf', a
            number per string. pad_to_max_tokens: whether rows have `max_tokens` numbers.
        sparse: as in `CategoryEncoding`. ragged: with 'int' on TensorFlow, whether texts keep their own lengths, as
            `tf.RaggedTensor`; inside of models with a mask. encoding: must be 'utf-8'.

    Inputs: texts of shape (), (batch,) or (batch, 1). Outputs: (batch, words), where 0 fills up and 1 is the unknown
    word, or (batch, places), where 0 is the unknown word.

    Example:
        >>> layer = keras.layers.TextVectorization(vocabulary=['cat', 'sat'])
        >>> np.asarray(layer(['The cat sat!', 'Cat?'])).tolist()
        [[1, 2, 3], [2, 0, 0]]
    """
    def __init__(self, max_tokens=None, standardize='lower_and_strip_punctuation', split='whitespace', ngrams=None,
                 output_mode='int', output_sequence_length=None, pad_to_max_tokens=False, vocabulary=None,
                 idf_weights=None, sparse=False, ragged=False, encoding='utf-8', **kwargs):
        super().__init__(**kwargs)
        output_mode = checked_mode(output_mode, ('int', 'one_hot', 'multi_hot', 'count', 'tf_idf'))
        for name, value, known in (('standardize', standardize, _STANDARDS), ('split', split, _SPLITS)):
            if value is not None and not callable(value) and value not in known:
                raise ValueError('`%s` must be one of %s, None or a function. Received: %s=%r'
                                 % (name, ', '.join(sorted(known)), name, value))
        if ngrams is not None and not (isinstance(ngrams, int) or isinstance(ngrams, (tuple, list))
                                       and all(isinstance(size, int) for size in ngrams)):
            raise ValueError('`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams=%r'
                             % (ngrams,))
        if output_sequence_length is not None and output_mode != 'int':
            raise ValueError("`output_sequence_length` must not be set if `output_mode` is not 'int'. Received "
                             'output_sequence_length=%s.' % output_sequence_length)
        if ragged and (output_mode != 'int' or not get_engine().has_ragged):
            raise ValueError("TextVectorization: ragged=True goes with output_mode='int' on the TensorFlow engine "
                             'alone. Leave it out, and short texts are filled up with 0. Received: output_mode=%r, '
                             'engine %s' % (output_mode, get_engine().name))
        self.declare(locals())
        self._lookup = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, pad_to_max_tokens=pad_to_max_tokens,
            mask_token='' if output_mode == 'int' else None, output_mode=output_mode, sparse=sparse, encoding=encoding,
            name=self.name + '_lookup')

    # --- words

    def _applied(self, function, array):
        """What a function of the user gives for an array of `str`: an array, or a list of lists."""
        engine = get_engine()
        has_strings = 'string' not in engine.capabilities.unsupported
        found = function(engine.convert(array.astype(object), 'string') if has_strings else array)
        if hasattr(found, 'to_list'):
            return found.to_list()
        return engine.to_numpy(found) if has_strings and engine.is_native(found) else found

    def _words(self, array, most=None):
        """The words of each text, for an array of texts of rank 1; of those that are split at spaces perhaps the first
        ones, `most` and the rest."""
        if callable(self.standardize):
            found = list_of_texts(np.asarray(self._applied(self.standardize, texts(array))))
        else:
            found = standardized(list_of_texts(array), self.standardize)
        if callable(self.split):
            rows = [[word.decode('utf-8') if isinstance(word, bytes) else str(word) for word in row]
                    for row in self._applied(self.split, np.array(found, str))]
        elif self.split == 'whitespace' and most is not None and self.ngrams is None:
            rows = [text.split(None, most) for text in found]
        else:
            rows = [_SPLITS[self.split](text) if self.split else [text] for text in found]
        return [self._with_ngrams(row) for row in rows] if self.ngrams is not None else rows

    def _with_ngrams(self, words):
        sizes = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [' '.join(words[start:start + size]) for size in sizes for start in range(len(words) - size + 1)]

    def _flat(self, x):
        """The texts of an input as an array of rank 1."""
        x = np.asarray(x)
        if self.split is not None and x.ndim > 1 and x.shape[-1] != 1:
            raise ValueError('When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last '
                             'shape dimension must be 1. Received: inputs.shape=%s with rank=%d' % (x.shape, x.ndim))
        return x.reshape(-1)

    def _places(self, rows, length):
        """The places of lists of words as one array, filled up with that of ''."""
        length = max(map(len, rows), default=0) if length is None else length
        rows = [row if len(row) <= length else row[:length] for row in rows]
        found = np.full((len(rows), length), self._lookup.places_of([''])[0])
        lengths = np.fromiter(map(len, rows), 'int64', len(rows))
        found[np.arange(length) < lengths[:, None]] = self._lookup.places_of(
            list(itertools.chain.from_iterable(rows)))
        return found

    def parts(self, inputs):
        if isinstance(inputs, (list, tuple)) and all(type(text) is str for text in inputs):
            return [np.array(inputs, object)]  # as long as its longest text NumPy would make every one
        return super().parts(inputs)

    # --- the vocabulary

    def adapt(self, data, batch_size=None, steps=None):
        """Make a vocabulary of the words of texts.

        Args:
            data: array, list, tensor, or something that yields batches of them: data set, generator, `PyDataset`.
            batch_size: without effect: all of an array is taken at once. steps: how many batches; default all.

        Raises:
            ValueError: if the layer has been given a vocabulary, and without data.
        """
        if self._lookup.input_vocabulary is not None:
            raise ValueError('Cannot adapt layer %r after setting a static vocabulary via `vocabulary` argument.'
                             % self.name)
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self):
        """Forget what `update_state` has been given."""
        self._lookup.reset_state()

    def update_state(self, data):
        """Count the words of a batch of texts."""
        found = self._flat(data)
        counts = counted(list_of_texts(found), _change(self.standardize)) if self._goes_by_hashes(
            found) and self.output_mode != 'tf_idf' else None
        if counts is None:
            self._lookup.count_rows([row for row in self._words(found) if row])
        else:
            self._lookup.count_tokens(counts)

    def finalize_state(self):
        """Make a vocabulary of what was counted."""
        self._lookup.finalize_state()

    def get_vocabulary(self, include_special_tokens=True):
        """The words in order, as a list; see `StringLookup.get_vocabulary`."""
        return self._lookup.get_vocabulary(include_special_tokens)

    def vocabulary_size(self):
        """How many places there are."""
        return self._lookup.vocabulary_size()

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Take a vocabulary; see `StringLookup.set_vocabulary`."""
        self._lookup.set_vocabulary(vocabulary, idf_weights)

    def save_assets(self, dir_path):
        """Write the vocabulary into a folder."""
        self._lookup.save_assets(dir_path)

    def load_assets(self, dir_path):
        """Read the vocabulary from a folder."""
        self._lookup.load_assets(dir_path)

    # --- running

    @property
    def output_dtype(self):
        return self._lookup.output_dtype

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        batch = shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
        if self.output_mode != 'int':
            return batch + (self._lookup.compute_output_shape((1,))[-1],)
        if self.split is None:
            return shape if self.output_sequence_length is None else shape[:1] + (self.output_sequence_length,)
        return batch + (self.output_sequence_length,)

    def _goes_by_hashes(self, x):
        """Whether the words of texts need no object of Python each: many, in plain words."""
        return np.size(x) >= _MANY and self.split == 'whitespace' and self.ngrams is None and not callable(
            self.standardize)

    def _by_hashes(self, x):
        """What `host` gives for many texts; None where words cannot go by hashes."""
        words = self._lookup.hashed_words() if self._goes_by_hashes(x) else None
        if words is None:
            return None
        found, change = list_of_texts(self._flat(x)), _change(self.standardize)
        if self.output_mode == 'int':
            return words.places(found, self.output_sequence_length, change)
        pairs = words.pairs(found, change)
        return pairs and self._lookup.rows_at(*pairs, len(found))

    def host(self, x):
        found = self._by_hashes(x)
        if found is not None:
            return found
        rows = self._words(self._flat(x), self.output_sequence_length)
        shape = np.shape(x)
        if self.split is None and self.output_mode == 'int' and self.ngrams is None:
            found = self._places(rows, 1).reshape(shape)
            if self.output_sequence_length is None:
                return found
            rows = found.reshape(shape[0], -1)[:, :self.output_sequence_length]
            return np.pad(rows, ((0, 0), (0, self.output_sequence_length - rows.shape[1])), mode='constant')
        if self.output_mode == 'int':
            found = self._places(rows, self.output_sequence_length)
        else:
            numbers = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
            found = self._lookup.rows_of(list(itertools.chain.from_iterable(rows)), numbers, len(rows))
        return found[0] if not shape else found
