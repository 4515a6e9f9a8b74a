"""Numbers as the bins that they lie in."""
import numpy as np

from keras import ops
from keras.layers.preprocessing.data_layer import batches_of, DataLayer, PreprocessingLayer
from keras.layers.preprocessing.encodings import checked_mode, encoded, encoded_shape, encoded_tensor, refuse_sparse
from keras.saving import forms


class Discretization(DataLayer, PreprocessingLayer):
    """The number of the bin that a number lies in.

    Args:
        bin_boundaries: list of rising numbers, the lower ends of all bins but the first. num_bins: how many bins of the
            same number of samples `adapt` is to find; one of the two. epsilon: how exact it is to be, as a fraction of
            the samples.
        output_mode: 'int', 'one_hot', or, of axis 1, 'multi_hot' or 'count'. sparse: as in `CategoryEncoding`.

    Outputs are int32 of the shape of the inputs; with another mode floats of shape (..., bins).

    Example:
        >>> np.asarray(keras.layers.Discretization([0., 1.])(np.array([-1., 0., 3.]))).tolist()
        [0, 1, 2]
    """
    numeric = True

    def __init__(self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode='int', sparse=False, **kwargs):
        super().__init__(**kwargs)
        if bin_boundaries is not None and num_bins is not None:
            raise ValueError('Both `num_bins` and `bin_boundaries` should not be set. Received: num_bins=%s and '
                             'bin_boundaries=%s' % (num_bins, bin_boundaries))
        if bin_boundaries is None and num_bins is None:
            raise ValueError('You need to set either `num_bins` or `bin_boundaries`.')
        if num_bins is not None and num_bins < 0:
            raise ValueError('`num_bins` must be greater than or equal to 0. Received: `num_bins=%s`' % num_bins)
        output_mode = checked_mode(output_mode)
        refuse_sparse('Discretization', sparse, output_mode)
        bin_boundaries = None if bin_boundaries is None else [float(bound) for bound in np.asarray(bin_boundaries)]
        self.declare(locals())
        self.reset_state()

    @property
    def output_dtype(self):
        return 'int32' if self.output_mode == 'int' else self.compute_dtype

    def get_config(self):
        config = super().get_config()
        return dict(config, dtype=self.dtype) if forms.is_full(self) else config

    def reset_state(self):
        """Forget what `update_state` has been given."""
        self._summary = np.zeros((2, 0), 'float32')

    def update_state(self, data):
        """Take a batch of numbers in."""
        values = np.sort(np.ravel(data).astype('float32'))
        step = max(len(values) * self.epsilon, 1)
        # The last of each group of samples stands for it.
        kept = values[int(step - 1)::int(step)]
        found = np.stack([kept, np.full(len(kept), step, 'float32')])
        merged = np.concatenate([self._summary, found], axis=1)
        merged = merged[:, np.argsort(merged[0])]
        self._summary = _compressed(merged, self.epsilon)

    def finalize_state(self):
        """Find the boundaries."""
        if self.num_bins is not None:
            self.bin_boundaries = _compressed(self._summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def adapt(self, data, steps=None):
        """Find the boundaries of bins that hold the same number of samples.

        Args:
            data: array, tensor, or something that yields batches of them: data set, generator, list, `PyDataset`.
            steps: how many batches to take; default all.

        Raises:
            ValueError: if the layer was made with `bin_boundaries`, and without data.
        """
        if self.num_bins is None:
            raise ValueError('Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use '
                             '`num_bins` instead.')
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def _known_boundaries(self):
        if self.bin_boundaries is None:
            raise ValueError('You need to either pass the `bin_boundaries` argument at construction time or call '
                             '`adapt(dataset)` before calling the layer %s.' % self.name)
        return self.bin_boundaries

    def compute_output_shape(self, input_shape):
        return encoded_shape(input_shape, self.output_mode, self._depth())

    def _depth(self):
        return self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1

    def call(self, inputs):
        bounds = np.asarray(self._known_boundaries(), 'float32')
        above = ops.greater_equal(ops.expand_dims(ops.cast(inputs, 'float32'), -1), bounds)
        numbers = ops.sum(ops.cast(above, 'int32'), -1)
        return encoded_tensor(numbers, self.output_mode, self._depth(), self.compute_dtype, sparse=self.sparse)

    def host(self, x):
        numbers = np.searchsorted(np.asarray(self._known_boundaries(), 'float32'), np.asarray(x, 'float32'), 'right')
        return encoded(numbers.astype('int32'), self.output_mode, self._depth())

    @classmethod
    def from_config(cls, config):
        """A layer from what `get_config` gave, with what `adapt` has found."""
        config = dict(config)
        found = config.pop('bin_boundaries') if config.get('num_bins') is not None else None
        layer = super().from_config(config)
        layer.bin_boundaries = found if found is not None else layer.bin_boundaries
        return layer


def _compressed(summary, epsilon):
    """A summary (values, weights) of no more entries than one for every fraction `epsilon` of the weight."""
    if summary.shape[1] * epsilon < 1:
        return summary
    percents = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = np.cumsum(summary[1])
    shares = weights / weights[-1]
    values, weights = np.interp(percents, shares, summary[0]), np.interp(percents, shares, weights)
    return np.stack([values, np.ediff1d(weights, to_begin=weights[0])]).astype('float32')
