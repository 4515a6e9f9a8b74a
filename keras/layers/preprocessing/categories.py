"""Categories as numbers: encoding, hashing, crossing."""
import numpy as np

from keras import dtype_policies
from keras.backend.contract.loading import is_sparse
from keras.layers.preprocessing.data_layer import by_unique, DataLayer, texts
from keras.layers.preprocessing.encodings import checked_mode, encoded, encoded_shape, encoded_tensor, refuse_sparse
from keras.layers.preprocessing.hashes import fingerprint64, joined, siphash
from keras.saving import forms

# The number that TensorFlow begins crosses with.
_CROSS_KEY = 0xDECAFCAFFE


class CategoryEncoding(DataLayer):
    """Integers as rows.

    Args:
        num_tokens: how many categories there are; other integers count nowhere.
        output_mode: 'one_hot', a row for each integer; or, for those along axis 1 together, 'multi_hot' or 'count'.
        sparse: whether the rows are a sparse tensor of TensorFlow or JAX; other engines have none. They are dense on
            the way: it saves no memory while they are made.

    Outputs: 'one_hot' (..., num_tokens), a last axis of size 1 is dropped before; else (batch, num_tokens) for inputs
    (batch, size), and (num_tokens,) for a vector.

    Example:
        >>> layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode='multi_hot')
        >>> np.asarray(layer(np.array([[0, 1], [3, 3]]))).tolist()
        [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """
    numeric = True

    def __init__(self, num_tokens=None, output_mode='multi_hot', sparse=False, **kwargs):
        super().__init__(**kwargs)
        output_mode = checked_mode(output_mode, ('count', 'one_hot', 'multi_hot'))
        if num_tokens is None:
            raise ValueError('num_tokens must be set to use this layer. If the number of tokens is not known '
                             'beforehand, use the IntegerLookup layer instead.')
        if num_tokens < 1:
            raise ValueError('`num_tokens` must be >= 1. Received: num_tokens=%s.' % num_tokens)
        refuse_sparse('CategoryEncoding', sparse, output_mode)
        self.declare(locals())

    def _check(self, count_weights):
        if count_weights is not None and self.output_mode != 'count':
            raise ValueError('`count_weights` is not used when `output_mode` is not `"count"`. Received: '
                             'count_weights=%s' % (count_weights,))

    def call(self, inputs, count_weights=None):
        self._check(count_weights)
        return encoded_tensor(inputs, self.output_mode, self.num_tokens, self.compute_dtype, count_weights,
                              self.sparse)

    def host(self, x, count_weights=None):
        self._check(count_weights)
        return encoded(x, self.output_mode, self.num_tokens, count_weights)

    def compute_output_shape(self, input_shape):
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)


def checked_salt(salt, owner):
    """`salt` as a pair of integers, or None.

    Raises:
        ValueError: for anything else.
    """
    if salt is None:
        return None
    if isinstance(salt, (list, tuple)) and len(salt) == 2:
        return list(salt)
    if isinstance(salt, (int, np.integer)):
        return [int(salt), int(salt)]
    raise ValueError('The `salt` argument for `%s` can only be a tuple of size 2 integers, or a single integer. '
                     'Received: salt=%r.' % (owner, salt))


def bins_of(values, count, salt=None):
    """The bins, of `count`, of a list of strings."""
    if salt is None:
        return [fingerprint64(value.encode('utf-8')) % count for value in values]
    key = [int(part) % 2 ** 64 for part in salt]
    return [siphash(value.encode('utf-8'), key) % count for value in values]


class _Hashed(DataLayer):
    """What hashing and crossing share: integers, or rows of them."""

    def __init__(self, dtype=None, **kwargs):
        name = None if dtype is None else dtype_policies.get(dtype).variable_dtype
        # Integers are no dtype of a layer.
        is_int = name is not None and 'int' in name
        self._output_int = name if is_int else 'int64'
        super().__init__(dtype=None if is_int else dtype, **kwargs)

    @property
    def output_dtype(self):
        return self._output_int if self.output_mode == 'int' else self.compute_dtype

    @property
    def dtype(self):
        """The type of the integers in Keras 3; elsewhere the float type of rows."""
        by_integers = self.output_mode == 'int' and self.ruled('lookups_go_by_integers')
        return self._output_int if by_integers else super().dtype

    def _check_bins(self, num_bins, output_mode, sparse):
        name = type(self).__name__
        if num_bins is None or num_bins <= 0:
            raise ValueError('The `num_bins` for `%s` cannot be `None` or non-positive values. Received: num_bins=%s.'
                             % (name, num_bins))
        mode = checked_mode(output_mode)
        refuse_sparse(name, sparse, mode)
        return mode

    def get_config(self):
        """The arguments of the constructor as plain values."""
        return dict(super().get_config(), dtype=self.output_dtype)


class Hashing(_Hashed):
    """Strings and integers as the numbers of bins, without a vocabulary.

    Args:
        num_bins: how many bins. mask_value: what goes into bin 0, which nothing else does then. salt: one or two
            integers that choose another hash (SipHash instead of FarmHash).
        output_mode: 'int', 'one_hot', or, of axis 1, 'multi_hot' or 'count'. sparse: as in `CategoryEncoding`.
        dtype: of the outputs: an integer type with 'int' (default int64), else a float type.

    Source: FarmHash, Pike (2014); SipHash, Aumasson and Bernstein (2012).

    Example:
        >>> np.asarray(keras.layers.Hashing(num_bins=3)(['A', 'B', 'C'])).tolist()
        [1, 0, 1]
    """

    def __init__(self, num_bins, mask_value=None, salt=None, output_mode='int', sparse=False, **kwargs):
        dtype = kwargs.get('dtype')
        if output_mode == 'int' and dtype is not None and 'int' not in dtype_policies.get(dtype).variable_dtype:
            raise ValueError('When `output_mode="int"`, `dtype` should be an integer type, Received: dtype=%s' % dtype)
        super().__init__(**kwargs)
        output_mode = self._check_bins(num_bins, output_mode, sparse)
        salt = checked_salt(salt, 'Hashing')
        self.declare(locals())

    def get_config(self):
        config = super().get_config()
        if forms.is_full(self):
            config['dtype'] = dtype_policies.serialize(dtype_policies.get(config['dtype']))
        return config

    def host(self, x):
        x = np.asarray(x)
        # The type of the layer is that of integers, which other numbers are made.
        found = texts(x.astype('int64') if x.dtype.kind == 'f' else x)
        masks = self.mask_value is not None and self.num_bins > 1
        numbers = by_unique(lambda values: bins_of(values, self.num_bins - masks, self.salt), found) + masks
        if self.mask_value is not None:
            numbers = np.where(found == str(self.mask_value), 0, numbers)
        return encoded(numbers, self.output_mode, self.num_bins)

    @property
    def is_elementwise(self):
        return self.output_mode == 'int'

    def compute_output_shape(self, input_shape):
        return encoded_shape(input_shape, self.output_mode, self.num_bins)


class HashedCrossing(_Hashed):
    """Several categories together as the number of a bin.

    Args:
        num_bins: how many bins. output_mode: 'int' or 'one_hot'. sparse: as in `CategoryEncoding`.
        dtype: of the outputs.

    Inputs: a list or tuple of two or more arrays of integers or strings of one shape: (), (batch,) or (batch, 1).

    Example:
        >>> layer = keras.layers.HashedCrossing(num_bins=5)
        >>> np.asarray(layer((np.array(['A', 'B']), np.array([101, 101])))).tolist()
        [1, 4]
    """

    def __init__(self, num_bins, output_mode='int', sparse=False, **kwargs):
        super().__init__(**kwargs)
        output_mode = self._check_bins(num_bins, output_mode, sparse)
        if output_mode not in ('int', 'one_hot'):
            raise ValueError('Invalid value for argument `output_mode`. Expected one of (\'int\', \'one_hot\'). '
                             'Received: output_mode=%s' % output_mode)
        self.declare(locals())

    def parts(self, inputs):
        if not isinstance(inputs, (list, tuple)):
            raise ValueError('`HashedCrossing` should be called on a list or tuple of inputs. Received: inputs=%r'
                             % (inputs,))
        if len(inputs) < 2:
            raise ValueError('`HashedCrossing` should be called on at least two inputs. Received: inputs=%r'
                             % (inputs,))
        if any(map(is_sparse, inputs)):
            raise ValueError('All `HashedCrossing` inputs should be dense tensors. Received: inputs=%r' % (inputs,))
        return [part if hasattr(part, 'shape') else np.asarray(part) for part in inputs]

    def build(self, input_shape):
        for shape in input_shape:
            if len(shape) > 2 or len(shape) == 2 and shape[1] != 1:
                raise ValueError('All `HashedCrossing` inputs should have shape `()`, `(batch_size)` or '
                                 '`(batch_size, 1)`. Received: %s' % (tuple(map(tuple, input_shape)),))
        self.built = True

    def host(self, *arrays):
        sizes = np.shape(arrays[0])
        total = [_CROSS_KEY] * int(np.prod(sizes, dtype=int))
        for array in arrays:
            if np.asarray(array).dtype.kind == 'f':
                raise ValueError('All `HashedCrossing` inputs should have an integer or string dtype. Received: %s'
                                 % np.asarray(array).dtype)
            total = [joined(one, value) for one, value in zip(total, _fingerprints(array))]
        numbers = np.array([value % self.num_bins for value in total], 'int64').reshape(sizes)
        return encoded(numbers, self.output_mode, self.num_bins)

    def compute_output_shape(self, input_shape):
        return encoded_shape(input_shape[0], self.output_mode, self.num_bins)


def _fingerprints(array):
    """What each entry of an array of integers or strings adds to a cross."""
    array = np.asarray(array)
    if array.dtype.kind in 'iub':
        return [int(value) % 2 ** 64 for value in array.ravel().tolist()]
    return [fingerprint64(value.encode('utf-8')) for value in texts(array).ravel().tolist()]
