"""Strings and integers as their places in a vocabulary, and back."""
import collections
import io
import itertools
import os

import numpy as np

from keras.backend.state.variables import to_array
from keras.layers.arguments import ANY
from keras.layers.preprocessing.categories import bins_of, checked_salt
from keras.layers.preprocessing.hashed_words import HashedWords
from keras.layers.preprocessing.data_layer import batches_of, by_unique, DataLayer, PreprocessingLayer, texts
from keras.layers.preprocessing.encodings import checked_mode, encoded, encoded_shape, MODES, refuse_sparse
from keras.saving.forms import is_full
from keras.saving.opening import open_file
from keras.saving.serialization import refuse_file

_MODES = MODES + ('tf_idf',)
_FILE = 'vocabulary.txt'
_FLOATS_FILE = 'idf_weights.txt'


# Each place for unknown tokens is kept in a list.
_MOST_UNKNOWN = 1 << 20


class Vocabulary:
    """Tokens in order, with the places that come before them.

    Args:
        tokens: the tokens. mask: the token of place 0, or None. oov: the token of the unknown. oov_count: how many
            places the unknown have.
    """

    def __init__(self, tokens, mask, oov, oov_count):
        self.tokens = list(tokens)
        self.special = ([] if mask is None else [mask]) + [oov] * oov_count
        self.places = {token: place for place, token in enumerate(self.tokens, len(self.special))}
        if mask is not None:
            self.places[mask] = 0
        self.first_oov = 0 if mask is None else 1

    def __len__(self):
        return len(self.special) + len(self.tokens)


class VocabularyLayer(DataLayer, PreprocessingLayer):
    """A layer with an argument `vocabulary`, which a config may not take from a file."""
    without_effect = {'vocabulary_size': ANY}
    vocabulary_dtype = 'string'

    @classmethod
    def from_config(cls, config):
        """A layer from what `get_config` gave.

        Raises:
            ValueError: where it names a file for the vocabulary, unless code in configs is allowed.
        """
        if isinstance(config.get('vocabulary'), (str, bytes)):
            refuse_file('the vocabulary of a %s' % cls.__name__, config['vocabulary'])
        return super().from_config(config)

    def size_in_config(self):
        """What configs of Keras 3 have for the size of the vocabulary."""
        return self.vocabulary_size()

    def get_config(self):
        """The arguments of the constructor as plain values."""
        config = super().get_config()
        if is_full(self):
            config['vocabulary_size'] = self.size_in_config()
        return config

    @property
    def dtype(self):
        """What the layer goes by in Keras 3: the type of the vocabulary; elsewhere the float type of its rows."""
        return self.vocabulary_dtype if self.ruled('lookups_go_by_integers') else super().dtype

    @property
    def direct_dtype(self):
        rows = self.output_mode in ('one_hot', 'multi_hot', 'count') and self.ruled('lookups_go_by_integers')
        return 'int64' if rows else self.output_dtype


class Lookup(VocabularyLayer):
    """What the layers with a vocabulary share; a constructor keeps its arguments and calls `set_up`.

    Attributes:
        vocabulary_dtype: 'string' or a type of integers.
    """
    oov_method = 'floormod'
    kept_as = {'vocabulary': 'input_vocabulary', 'idf_weights': 'input_idf_weights'}

    def set_up(self):
        """Check the arguments and take the vocabulary, where there is one.

        Raises:
            ValueError: for arguments that do not go together.
        """
        if self.max_tokens is not None and self.max_tokens <= 1:
            raise ValueError('If set, `max_tokens` must be greater than 1. Received: max_tokens=%s' % self.max_tokens)
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ValueError('If pad_to_max_tokens is True, must set `max_tokens`. You passed: max_tokens=None')
        if self.num_oov_indices < 0:
            raise ValueError('`num_oov_indices` must be greater than or equal to 0. Received: num_oov_indices=%s'
                             % self.num_oov_indices)
        if self.num_oov_indices > _MOST_UNKNOWN:
            raise ValueError('`num_oov_indices` must be at most %d. Received: num_oov_indices=%s'
                             % (_MOST_UNKNOWN, self.num_oov_indices))
        self.output_mode = checked_mode(self.output_mode, _MODES)
        if self.invert and self.output_mode != 'int':
            raise ValueError("`output_mode` must be `'int'` when `invert` is true. Received: output_mode=%s"
                             % self.output_mode)
        refuse_sparse(type(self).__name__, self.sparse, self.output_mode)
        if self.input_idf_weights is not None and self.output_mode != 'tf_idf':
            raise ValueError("`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: "
                             'idf_weights=%s and output_mode=%s' % (self.input_idf_weights, self.output_mode))
        self.salt = checked_salt(self.salt, type(self).__name__)
        if self.oov_method not in ('floormod', 'farmhash'):
            raise ValueError("`oov_method` must be 'floormod' or 'farmhash'. Received: %r" % (self.oov_method,))
        if self.salt is not None and self.vocabulary_dtype != 'string' and self.oov_method != 'farmhash':
            raise ValueError("`salt` goes with oov_method='farmhash'. Received: oov_method=%r" % self.oov_method)
        self._vocabulary = self._new_vocabulary(())
        self._idf, self._has_tokens, self._size_in_use = None, False, None
        self.reset_state()
        if self.input_vocabulary is not None:
            self.set_vocabulary(self.input_vocabulary, self.input_idf_weights)
        if isinstance(self.input_vocabulary, str):
            # The file may be elsewhere tomorrow: its tokens are saved like those that `adapt` finds.
            self.input_vocabulary = None

    def _new_vocabulary(self, tokens):
        # Rows of numbers have no place for the mask.
        mask = self.mask_token if self.output_mode == 'int' else None
        return Vocabulary(tokens, mask, self.oov_token, self.num_oov_indices)

    # --- the vocabulary

    def get_vocabulary(self, include_special_tokens=True):
        """The tokens in order, as a list.

        Args:
            include_special_tokens: whether mask and unknown come along.
        """
        found = self._vocabulary
        return (found.special if include_special_tokens else []) + list(found.tokens)

    def vocabulary_size(self):
        """How many places there are, those for mask and unknown included."""
        return len(self._vocabulary)

    def size_in_config(self):
        return len(self._vocabulary) if self._has_tokens else None

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Take a vocabulary in the place of what `adapt` finds.

        Args:
            vocabulary: list or array of tokens, with or without those for mask and unknown at its front, or the path of
                a text file with a token in each line. idf_weights: with output_mode='tf_idf', a number per token.

        Raises:
            ValueError: for a file that is not there, tokens that occur twice, or more tokens than `max_tokens`.
        """
        tokens = self._read(vocabulary)
        if not tokens:
            raise ValueError('Cannot set an empty vocabulary. Received: vocabulary=%s' % (vocabulary,))
        special = self._new_vocabulary(()).special
        begins = tokens[:len(special)] == special
        kept = tokens[len(special):] if begins else tokens
        self._check_tokens(kept, special)
        idf_weights = self._checked_idf(idf_weights, len(tokens))
        if idf_weights is not None:
            front = [] if begins else [idf_weights.mean()] * len(special)
            idf_weights = np.concatenate([front, idf_weights]).astype('float32')
        self._take(kept, idf_weights)

    def _read(self, vocabulary):
        if not isinstance(vocabulary, str):
            tokens = to_array(vocabulary).ravel() if hasattr(vocabulary, 'shape') else np.asarray(list(vocabulary))
        elif not os.path.exists(vocabulary):
            raise ValueError('Vocabulary file %s does not exist.' % vocabulary)
        else:
            with open_file(vocabulary) as file:
                tokens = np.asarray(io.TextIOWrapper(io.BufferedReader(file), encoding='utf-8').read().split('\n'))
            tokens = tokens[:-1] if len(tokens) and tokens[-1] == '' else tokens
        return self._as_tokens(tokens).tolist()

    def _as_tokens(self, array):
        """An array of tokens in the type of the vocabulary."""
        if self.vocabulary_dtype == 'string':
            return texts(array)
        array = texts(array) if np.asarray(array).dtype.kind in 'OSU' else np.asarray(array)
        return array.astype('int64')

    def _check_tokens(self, tokens, special):
        repeated = [token for token, count in collections.Counter(tokens).items() if count > 1]
        if repeated:
            raise ValueError('The passed vocabulary has at least one repeated term. Please uniquify your dataset. The '
                             'repeated terms are: %s' % repeated)
        reserved = [('mask', self.mask_token)] + ([('OOV', self.oov_token)] if self.invert else [])
        for what, token in reserved:
            if token is not None and token in tokens:
                raise ValueError(
                    'Found reserved %s token at unexpected location in `vocabulary`. Note that passed `vocabulary` '
                    'does not need to include the OOV and mask tokens. Either remove all mask and OOV tokens, or '
                    'include them only at the start of the vocabulary in precisely this order: %s. Received: %s=%r at '
                    'position %d' % (what, special, what, token, tokens.index(token)))
        if self.max_tokens is not None and len(tokens) + len(special) > self.max_tokens:
            raise ValueError('Attempted to set a vocabulary larger than the maximum vocab size. Received vocabulary '
                             'size is %d; `max_tokens` is %d.' % (len(tokens) + len(special), self.max_tokens))

    def _checked_idf(self, weights, count):
        if self.output_mode != 'tf_idf':
            if weights is not None:
                raise ValueError("`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: %s"
                                 % (weights,))
            return None
        if weights is None:
            raise ValueError("`idf_weights` must be set if output_mode is 'tf_idf'.")
        weights = np.asarray(weights, 'float32')
        if weights.shape != (count,):
            raise ValueError('`idf_weights` must be the same length as vocabulary. len(idf_weights) is %s; '
                             'len(vocabulary) is %d.' % (weights.shape, count))
        return weights

    def _take(self, tokens, idf_weights):
        found = self._new_vocabulary(tokens)
        if self._size_in_use is not None and len(found) != self._size_in_use:
            raise RuntimeError('When using `output_mode=%s` and `pad_to_max_tokens=False`, the vocabulary size cannot '
                               'be changed after the layer is called. Old vocab size is %d, new vocab size is %d'
                               % (self.output_mode, self._size_in_use, len(found)))
        self._vocabulary, self._idf, self._has_tokens = found, idf_weights, bool(tokens)

    # --- adapting

    def reset_state(self):
        """Forget what `update_state` has been given."""
        self._counts, self._documents, self._document_count = collections.Counter(), collections.Counter(), 0

    def update_state(self, data):
        """Count the tokens of a batch; each row is a document."""
        found = self._as_tokens(data)
        rows = found.reshape(-1, 1) if found.ndim < 2 else found.reshape(len(found), -1)
        self.count_rows(rows.tolist())

    def count_tokens(self, counts):
        """Count tokens by {token: how often}, where nobody asks in which document they are."""
        self._counts.update(counts)

    def count_rows(self, rows):
        """Count the tokens of documents, lists of tokens."""
        self._counts.update(itertools.chain.from_iterable(rows))
        if self.output_mode == 'tf_idf':
            self._document_count += len(rows)
            for row in rows:
                self._documents.update(set(row))

    def finalize_state(self):
        """Make a vocabulary of what was counted: the frequent tokens first."""
        if self.input_vocabulary is not None or not self._counts:
            return
        special = self._new_vocabulary(()).special
        counted = [(count, token) for token, count in self._counts.items()
                   if token not in (self.mask_token, self.oov_token)]
        tokens = [token for _, token in sorted(counted, reverse=True)]
        if self.max_tokens is not None:
            tokens = tokens[:self.max_tokens - len(special)]
        weights = None
        if self.output_mode == 'tf_idf':
            weights = np.log(1 + self._document_count / (1 + np.array([self._documents[token] for token in tokens])))
            weights = np.concatenate([[weights.mean()] * len(special), weights]).astype('float32')
        self._take(tokens, weights)
        self.reset_state()

    def adapt(self, data, steps=None):
        """Make a vocabulary of data.

        Args:
            data: array, list, tensor, or something that yields batches of them: data set, generator, `PyDataset`.
            steps: how many batches to take; default all.

        Raises:
            ValueError: if the layer has been given a vocabulary, and without data.
        """
        if self.input_vocabulary is not None:
            raise ValueError('Cannot adapt layer %r after setting a static vocabulary via `vocabulary` argument.'
                             % self.name)
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    # --- running

    @property
    def is_elementwise(self):
        return self.output_mode == 'int'

    @property
    def output_dtype(self):
        if self.invert:
            return self.vocabulary_dtype
        return 'int64' if self.output_mode == 'int' else self.compute_dtype

    @property
    def idf_weights(self):
        """With output_mode='tf_idf' a number per place, else None."""
        return self._idf

    def _depth(self):
        return self.max_tokens if self.pad_to_max_tokens else len(self._vocabulary)

    def compute_output_shape(self, input_shape):
        return encoded_shape(input_shape, self.output_mode, self._depth())

    # A vocabulary, and the same as `HashedWords`.
    _hashed = None

    def places_of(self, tokens):
        """The places of a list of tokens, as an array; -1 for what has none."""
        self._check_vocabulary()
        known = self._vocabulary
        if self.num_oov_indices == 1 and self._masked() is None:
            return np.fromiter(map(known.places.get, tokens, itertools.repeat(known.first_oov)), 'int64', len(tokens))
        return by_unique(self._places, tokens)

    def hashed_words(self):
        """The vocabulary as `HashedWords`; None where words have places that these do not know."""
        if self.num_oov_indices != 1 or not self._has_tokens:
            return None
        if self._hashed is None or self._hashed[0] is not self._vocabulary:
            self._hashed = self._vocabulary, HashedWords(self._vocabulary.places, self._vocabulary.first_oov)
        return self._hashed[1] if self._hashed[1].usable else None

    def rows_of(self, tokens, rows, count):
        """Rows of numbers for a list of tokens, as `output_mode` says, by the number of the row of each."""
        return self.rows_at(self.places_of(tokens), rows, count)

    def rows_at(self, places, rows, count):
        """`rows_of` for the places of tokens."""
        self._check_vocabulary()
        rows, places = rows[places >= 0], places[places >= 0]
        found = np.zeros((count, self._depth()), 'int64' if self.direct_dtype == 'int64' else 'float32')
        if self.output_mode == 'multi_hot':
            found[rows, places] = 1.0
        else:
            np.add.at(found, (rows, places), 1.0)
        return self._weighted(found)

    def _weighted(self, rows):
        if self._idf is None:
            return rows
        return rows * np.pad(self._idf, (0, self._depth() - len(self._idf)), mode='constant')

    def _check_vocabulary(self):
        if not self._has_tokens:
            raise RuntimeError('When using `output_mode=%s` and `pad_to_max_tokens=%s`, you must set the layer\'s '
                               'vocabulary before calling it: the layer %s has none. Pass `vocabulary` to the layer, '
                               'call `adapt(data)`, or `set_vocabulary(...)`.'
                               % (self.output_mode, self.pad_to_max_tokens, self.name))
        if not self.pad_to_max_tokens and self.output_mode != 'int' and not self.invert:
            self._size_in_use = len(self._vocabulary)

    def host(self, x):
        self._check_vocabulary()
        if self.invert:
            return self._inverted(np.asarray(x))
        numbers = by_unique(self._places, self._as_tokens(x))
        if self.output_mode == 'int':
            return numbers
        mode = 'count' if self.output_mode == 'tf_idf' else self.output_mode
        return self._weighted(encoded(numbers, mode, self._depth()))

    def _places(self, values):
        known = self._vocabulary
        unknown = {value for value in values if value not in known.places and value != self._masked()}
        if unknown and not self.num_oov_indices:
            raise ValueError('When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values %s, '
                             'consider setting `num_oov_indices=1`.' % sorted(unknown)[:10])
        bins = dict(zip(unknown, self._bins(list(unknown))))
        # What is masked has no place in a row.
        return [known.places.get(value, -1 if value == self._masked() else known.first_oov + bins.get(value, 0))
                for value in values]

    def _masked(self):
        return self.mask_token if self.output_mode != 'int' else None

    def _bins(self, values):
        count = self.num_oov_indices
        if count < 2:
            return [0] * len(values)
        if self.vocabulary_dtype != 'string' and self.oov_method == 'floormod':
            return [value % count for value in values]
        return bins_of(list(map(str, values)), count, self.salt)

    def _inverted(self, numbers):
        tokens = self.get_vocabulary()
        table = np.array(tokens + [self.oov_token], None if self.vocabulary_dtype == 'string' else 'int64')
        places = np.where((numbers >= 0) & (numbers < len(tokens)), numbers, len(tokens)).astype('int64')
        found = table[places]
        return found.astype(object) if self.vocabulary_dtype == 'string' else found

    # --- files

    def save_own_variables(self, store):
        """Write the weights of tokens, as Keras 3 has them beside the vocabulary."""
        super().save_own_variables(store)
        if self._idf is not None:
            store['idf_weights'] = self._idf

    def load_own_variables(self, store):
        """Set what `save_own_variables` wrote; files of before have the weights with the vocabulary alone."""
        if 'idf_weights' in store:
            self._idf = np.asarray(store['idf_weights'], 'float32')[:len(self._vocabulary)]

    def save_assets(self, dir_path):
        """Write the vocabulary into a folder."""
        if self.input_vocabulary is not None:
            return
        with open(os.path.join(dir_path, _FILE), 'w', encoding='utf-8', newline='\n') as file:
            file.write('\n'.join(map(str, self.get_vocabulary())))
        if self._idf is not None:
            np.savetxt(os.path.join(dir_path, _FLOATS_FILE), self._idf)

    def load_assets(self, dir_path):
        """Read the vocabulary from a folder."""
        if self.input_vocabulary is not None:
            return
        with open(os.path.join(dir_path, _FILE), encoding='utf-8') as file:
            tokens = file.read().split('\n')
        tokens = tokens[:-1] if tokens[-1:] == [''] and len(tokens) > 1 else tokens
        special = self._new_vocabulary(()).special
        tokens = self._as_tokens(np.asarray(tokens[len(special):], str)).tolist() if tokens[len(special):] else []
        self._check_tokens(tokens, special)
        weights = os.path.join(dir_path, _FLOATS_FILE)
        self._take(tokens, np.loadtxt(weights, 'float32', ndmin=1) if os.path.exists(weights) else None)


class IndexLookup(Lookup):
    """Tokens as their places in a vocabulary: `StringLookup` and `IntegerLookup` with every argument to be given."""

    def __init__(self, max_tokens, num_oov_indices, mask_token, oov_token, vocabulary_dtype, vocabulary=None,
                 idf_weights=None, invert=False, output_mode='int', sparse=False, pad_to_max_tokens=False,
                 oov_method='floormod', salt=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.set_up()


class StringLookup(Lookup):
    """Strings as their places in a vocabulary.

    Args:
        max_tokens: how many places there are at most. num_oov_indices: how many places the unknown have, by their hash.
        mask_token: the string of place 0, or None. oov_token: what unknown places become with `invert`.
        vocabulary: list of strings, or path of a text file; default: what `adapt` finds. idf_weights: with
            output_mode='tf_idf', a number per string.
        invert: whether places are looked up, and strings come out. output_mode: 'int', 'one_hot', or, of axis 1,
            'multi_hot', 'count' or 'tf_idf'. pad_to_max_tokens: whether rows have `max_tokens` numbers. sparse: as in
            `CategoryEncoding`. encoding: must be 'utf-8'. salt: one or two integers that choose another hash for the
            unknown.

    Outputs are int64 of the shape of the inputs; rows are floats inside of models, else integers in Keras 3's
    generation (but for 'tf_idf'). Strings come out as NumPy arrays on engines without tensors of them, as lists in
    Keras 3's generation.

    Example:
        >>> layer = keras.layers.StringLookup(vocabulary=['a', 'b'])
        >>> np.asarray(layer(['b', 'z', 'a'])).tolist()
        [2, 0, 1]
    """
    without_effect = {'vocabulary_size': ANY, 'oov_method': ANY, 'vocabulary_dtype': ANY}

    def __init__(self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token='[UNK]', vocabulary=None,
                 idf_weights=None, invert=False, output_mode='int', pad_to_max_tokens=False, sparse=False,
                 encoding='utf-8', salt=None, **kwargs):
        super().__init__(**kwargs)
        if encoding != 'utf-8':
            raise ValueError('%s: `encoding` must be "utf-8". Received: %r' % (type(self).__name__, encoding))
        self.declare(locals())
        self.set_up()

    def get_config(self):
        """The arguments of the constructor as plain values."""
        config = super().get_config()
        return dict(config, oov_method=self.oov_method) if is_full(self) else config

    def delivered(self, array):
        strings = super().delivered(array)
        as_list = isinstance(strings, np.ndarray) and self.invert and self.ruled('strings_come_out_in_lists')
        return strings.tolist() if as_list else strings


class IntegerLookup(Lookup):
    """Integers as their places in a vocabulary.

    Args:
        oov_token: what unknown places become with `invert`. vocabulary_dtype: must be 'int64'.
        oov_method: which of several places an unknown integer has: 'floormod', by the rest of a division, or
            'farmhash'. The others are those of `StringLookup`.

    Example:
        >>> layer = keras.layers.IntegerLookup(vocabulary=[12, 36])
        >>> np.asarray(layer(np.array([36, 5, 12]))).tolist()
        [2, 0, 1]
    """

    def __init__(self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token=-1, vocabulary=None,
                 vocabulary_dtype='int64', idf_weights=None, invert=False, output_mode='int', sparse=False,
                 pad_to_max_tokens=False, oov_method='floormod', salt=None, **kwargs):
        super().__init__(**kwargs)
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError('If `max_tokens` is set for `IntegerLookup`, it must be greater than 1. Received: '
                             'max_tokens=%s' % max_tokens)
        if vocabulary_dtype != 'int64':
            raise ValueError('If `vocabulary_dtype` is set for `IntegerLookup`, it must be "int64". Received: %r'
                             % (vocabulary_dtype,))
        self.declare(locals())
        self.set_up()
