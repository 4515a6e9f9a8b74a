"""Embedding: integers become vectors."""
import warnings

from keras import ops
from keras.backend.contract.rules import AbstractTensor
from keras.backend.table.composites import nn
from keras.layers.adapted import Adapted
from keras.layers.arguments import WITH_WARNING, positive_integer, to_list
from keras.layers.base import Layer  # noqa: F401  (part of the address keras.layers.embeddings)


class Embedding(Adapted):
    """The rows of a table at integer positions.

    Args:
        input_dim: number of rows; the inputs are integers below it.
        output_dim: size of a row.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table.
        activity_regularizer: penalty on the output.
        mask_zero: whether 0 marks padding; it is then masked.
        input_length: length of the sequences (an int or one per axis), needed only in front of `Flatten`.

    Input (batch, ...) of integers, output (batch, ..., output_dim).

    Example:
        >>> keras.layers.Embedding(10, 3)(np.array([[1, 2]])).shape
        (1, 2, 3)
    """
    without_effect = {'dropout': WITH_WARNING}
    faced = 'embeddings'
    modes = ('int8', 'int4')

    def __init__(self, input_dim, output_dim, embeddings_initializer='uniform', embeddings_regularizer=None,
                 activity_regularizer=None, embeddings_constraint=None, mask_zero=False, input_length=None,
                 lora_rank=None, lora_alpha=None, quantization_config=None, **kwargs):
        input_length = tuple(input_length) if isinstance(input_length, (list, tuple)) else input_length
        if not {'input_shape', 'batch_input_shape', 'batch_shape'} & set(kwargs):
            kwargs['input_shape'] = tuple(to_list(input_length, True))
        elif kwargs.get('batch_input_shape') is not None:
            kwargs['batch_input_shape'] = _flat_shape(kwargs['batch_input_shape'])
        super().__init__(lora_rank, lora_alpha, quantization_config, **kwargs)
        self.declare(locals())
        for name in ('input_dim', 'output_dim'):
            value = getattr(self, name)
            setattr(self, name, positive_integer(None if isinstance(value, float) else value, 'Embedding', name))
        self.supports_masking = mask_zero
        if self._initial_weights is not None:
            if not isinstance(self._initial_weights, (list, tuple)):
                self._initial_weights = [self._initial_weights]
            self.ensure_built(None)

    def build(self, input_shape=None):
        self.embeddings = self.add_weight(name='embeddings', shape=(self.input_dim, self.output_dim))
        self.adapt_weights()

    def reduced_axes(self):
        return (1,)

    def _block_axis(self):
        return 1

    def _by_row(self, scale):
        return ops.expand_dims(scale, 1)

    def input_axes(self):
        return None

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def call(self, inputs):
        return nn.embedding(ops.cast(inputs, 'int32'), self.embeddings.value)

    def compute_output_shape(self, input_shape):
        input_shape = tuple(input_shape)
        if self.input_length is None:
            return input_shape + (self.output_dim,)
        lengths = to_list(self.input_length, True)
        if len(lengths) != len(input_shape) - 1:
            raise ValueError('Layer %r (Embedding): input_length=%r does not fit an input of shape %s.'
                             % (self.name, self.input_length, input_shape))
        sizes = []
        for length, size in zip(lengths, input_shape[1:]):
            if length is not None and size is not None and length != size:
                raise ValueError('Layer %r (Embedding): input_length=%r does not fit an input of shape %s.'
                                 % (self.name, self.input_length, input_shape))
            sizes.append(size if length is None else length)
        return input_shape[:1] + tuple(sizes) + (self.output_dim,)


class ReversibleEmbedding(Embedding):
    """An embedding that is also read backwards: `layer(x, reverse=True)` gives a number for each row of the table.

    Args:
        input_dim, output_dim: see `Embedding`.
        tie_weights: whether both directions share the table; else `reverse_embeddings` (output_dim, input_dim) is
            another one.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero: see `Embedding`.
        reverse_dtype: float type of the way back, default that of the layer.
        logit_soft_cap: `c` for `c * tanh(x / c)` of what comes back, None for `x` itself.

    Forwards (batch, ...) of integers becomes (batch, ..., output_dim), backwards (batch, ..., output_dim) becomes
    (batch, ..., input_dim).

    Source: Press and Wolf, Using the output embedding to improve language models (2016).

    Example:
        >>> layer = keras.layers.ReversibleEmbedding(10, 3)
        >>> layer(layer(np.array([[1, 2]])), reverse=True).shape
        (1, 2, 10)
    """

    faced = 'embeddings'

    def __init__(self, input_dim, output_dim, tie_weights=True, embeddings_initializer='uniform',
                 embeddings_regularizer=None, embeddings_constraint=None, mask_zero=False, reverse_dtype=None,
                 logit_soft_cap=None, **kwargs):
        super().__init__(input_dim, output_dim, embeddings_initializer=embeddings_initializer,
                         embeddings_regularizer=embeddings_regularizer, embeddings_constraint=embeddings_constraint,
                         mask_zero=mask_zero, **kwargs)
        self.declare(locals())

    def build(self, input_shape=None):
        super().build(input_shape)
        if not self.tie_weights:
            self.built = False
            self.reverse_embeddings = self.add_weight(
                name='reverse_embeddings', shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer, regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint)
            self.built = True

    def _quantize(self, config, fresh=False, inputs=None):
        super()._quantize(config, fresh, inputs)
        if not self.tie_weights:
            warnings.warn('Layer %s (ReversibleEmbedding): %r keeps the table in few bits; with tie_weights=False the '
                          'one for the way back stays in floats.' % (self.name, config.mode), stacklevel=3)

    def call(self, inputs, reverse=False):
        if not reverse:
            return super().call(inputs)
        kernel = ops.transpose(self.embeddings.value) if self.tie_weights else self.reverse_embeddings.value
        if self.reverse_dtype is not None:
            inputs, kernel = ops.cast(inputs, self.reverse_dtype), ops.cast(kernel, self.reverse_dtype)
        logits = ops.matmul(inputs, kernel)
        if self.logit_soft_cap is None:
            return logits
        return ops.multiply(ops.tanh(ops.divide(logits, self.logit_soft_cap)), self.logit_soft_cap)

    def _attach_masks(self, node, inputs, masks):
        if len(node.outputs[0].shape) > len(inputs.shape):
            super()._attach_masks(node, inputs, masks)

    def _note_masks(self, inputs, mask, outputs):
        if ops.ndim(outputs) > ops.ndim(inputs):  # what comes back are numbers for rows, not rows of padding
            super()._note_masks(inputs, mask, outputs)

    def compute_output_spec(self, inputs, reverse=False):
        """What comes out for symbolic `inputs`."""
        shape = tuple(inputs.shape)
        if not reverse:
            return AbstractTensor(shape + (self.output_dim,), self.compute_dtype)
        return AbstractTensor(shape[:-1] + (self.input_dim,), self.reverse_dtype or self.compute_dtype)


def _flat_shape(shape):
    """Keras 2 wrote (None, (3, 2)) for an `input_length` of two axes."""
    return tuple(part for size in shape for part in (size if isinstance(size, (list, tuple)) else (size,)))
