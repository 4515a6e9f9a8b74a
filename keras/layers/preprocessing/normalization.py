"""Numbers: shifted and scaled."""
import numpy as np

from keras import config, ops
from keras.backend.contract.rules import numpy_dtype
from keras.backend.state.variables import to_array
from keras.layers.preprocessing.data_layer import batches_of, DataLayer, PreprocessingLayer


class Normalization(DataLayer, PreprocessingLayer):
    """`(inputs - mean) / sqrt(variance)`, by the mean and variance of data that `adapt` is given.

    Args:
        axis: int, tuple of ints or None: the axes that have a mean and a variance of their own for each index; None for
            one of all. mean, variance: what is known beforehand; both or none. invert: whether to compute
            `inputs * sqrt(variance) + mean`, which takes normalized numbers back.

    Inputs and outputs have the same shape.

    Example:
        >>> layer = keras.layers.Normalization()
        >>> layer.adapt(np.array([[0., 1.], [2., 5.]]))
        >>> np.asarray(layer(np.array([[1., 1.]]))).tolist()
        [[0.0, -1.0]]
    """
    numeric = True
    floats_give_floats = True
    supports_masking = True
    kept_as = {'mean': 'input_mean', 'variance': 'input_variance'}

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError('When setting values directly, both `mean` and `variance` must be set. Received: mean=%s '
                             'and variance=%s' % (mean, variance))
        axis = () if axis is None else tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
        self.declare(locals())
        self._given = None if mean is None else (np.asarray(mean, 'float32'), np.asarray(variance, 'float32'))
        self._broadcast = None

    def build(self, input_shape):
        rank = len(input_shape)
        for axis in self.axis:
            if not -rank <= axis < rank:
                raise ValueError('All `axis` values must be in the range [-%d, %d). Received inputs of shape %s and '
                                 'axis=%s' % (rank, rank, tuple(input_shape), self.axis))
        kept = sorted(axis % rank for axis in self.axis)
        for axis in kept:
            if input_shape[axis] is None:
                raise ValueError('All `axis` values to be kept must have a known shape. Received axis=%s, inputs of '
                                 'shape %s with unknown axis at index: %d' % (self.axis, tuple(input_shape), axis))
        self._kept = tuple(kept)
        self._reduced = tuple(axis for axis in range(rank) if axis not in kept)
        self._broadcast = tuple(input_shape[axis] if axis in kept else 1 for axis in range(rank))
        if self._given is None:
            shape = tuple(input_shape[axis] for axis in kept)
            self.adapt_mean = self.add_weight(name='mean', shape=shape, initializer='zeros', trainable=False)
            self.adapt_variance = self.add_weight(name='variance', shape=shape, initializer='ones', trainable=False)
            self.count = self.add_weight(name='count', shape=(), initializer='zeros', dtype='int32', trainable=False)
        self.built = True

    def _values(self):
        """Mean and variance as NumPy arrays that go with inputs."""
        found = self._given or (to_array(self.adapt_mean), to_array(self.adapt_variance))
        sizes = tuple(self._broadcast[axis] for axis in self._kept)
        return [np.broadcast_to(value, sizes).reshape(self._broadcast) for value in found]

    @property
    def mean(self):
        """The mean in the rank of the inputs; None before anything is known."""
        return self._part(0)

    @property
    def variance(self):
        """The variance in the rank of the inputs; None before anything is known."""
        return self._part(1)

    def _part(self, index):
        if self._broadcast is None:
            return None if self._given is None else self._given[index]
        if self._given is not None:
            return ops.convert_to_tensor(self._values()[index])
        return ops.reshape((self.adapt_mean, self.adapt_variance)[index].value, self._broadcast)

    def adapt(self, data):
        """Take mean and variance of data.

        Args:
            data: array, tensor, or something that yields batches of them: data set, generator, list, `PyDataset`.

        Raises:
            ValueError: for data of another shape than the layer was built for, and without data.
        """
        if self._given is not None:
            raise ValueError('Normalization.adapt: the layer %s was made with `mean` and `variance`.' % self.name)
        total = None
        for batch in batches_of(data):
            if not self.built:
                self.ensure_built((None,) + batch.shape[1:] if batch.ndim else ())
            sizes = [batch.shape[axis] for axis in self._kept if axis < batch.ndim]
            if batch.ndim != len(self._broadcast) or sizes != [self._broadcast[axis] for axis in self._kept]:
                raise ValueError('The layer %s was built for inputs like %s; `adapt` was given data of an incompatible '
                                 'shape: %s.' % (self.name, self._broadcast, batch.shape))
            found = _moments(batch.astype('float64'), self._reduced)
            total = found if total is None else _merged(total, found)
        count, mean, variance = total
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)

    def finalize_state(self):
        """Nothing is left to do: the weights are what the layer computes with."""

    def call(self, inputs):
        if not ops.dtype(inputs).startswith(('float', 'bfloat')):
            inputs = ops.cast(inputs, self.compute_dtype)
        mean, variance = (ops.cast(part, self.compute_dtype) for part in (self.mean, self.variance))
        deviation = ops.maximum(ops.sqrt(variance), config.epsilon())
        return inputs * deviation + mean if self.invert else (inputs - mean) / deviation

    def host(self, x):
        mean, variance = self._values()
        deviation = np.maximum(np.sqrt(variance), config.epsilon())
        return x * deviation + mean if self.invert else (x - mean) / deviation


def _moments(x, axes):
    """(count, mean, variance) over axes."""
    return int(np.prod([x.shape[axis] for axis in axes])), x.mean(axis=axes), x.var(axis=axes)


def _merged(first, second):
    """The moments of two parts together."""
    count = first[0] + second[0]
    share = second[0] / count
    step = second[1] - first[1]
    mean = first[1] + step * share
    return count, mean, first[2] * (1 - share) + second[2] * share + step ** 2 * share * (1 - share)


class Rescaling(DataLayer):
    """`inputs * scale + offset`.

    Args:
        scale, offset: numbers, or lists or arrays that go with the last axes of the inputs; vectors with the channels.
        data_format: 'channels_last' or 'channels_first', where the channels are; default as in the settings.

    Example:
        >>> np.asarray(keras.layers.Rescaling(0.5, offset=1)(np.array([[2., 4.]]))).tolist()
        [[2.0, 3.0]]
    """
    numeric = True
    floats_give_floats = True
    supports_masking = True
    later = ('data_format',)

    def __init__(self, scale, offset=0.0, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def _number(self, value, rank):
        """`scale` or `offset` as an array that goes with inputs; one per channel stands where the channels are."""
        value = np.asarray(value, numpy_dtype(self.compute_dtype))
        if value.ndim == 1 and rank > 2 and config.normalize_data_format(self.data_format) == 'channels_first':
            value = value.reshape((-1,) + (1,) * (rank - 2))
        return value

    def call(self, inputs):
        inputs, rank = ops.cast(inputs, self.compute_dtype), ops.ndim(inputs)
        scale, offset = self._number(self.scale, rank), self._number(self.offset, rank)
        if scale.dtype.name != self.compute_dtype:  # bfloat16, which NumPy does not have
            scale, offset = ops.cast(scale, self.compute_dtype), ops.cast(offset, self.compute_dtype)
        return ops.add(ops.multiply(inputs, scale), offset)

    def host(self, x):
        x = np.asarray(x, numpy_dtype(self.compute_dtype))
        return x * self._number(self.scale, x.ndim) + self._number(self.offset, x.ndim)
