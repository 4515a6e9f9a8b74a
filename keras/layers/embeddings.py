"""Embedding: integers become vectors."""
import numpy as np

from keras import ops, quantizers
from keras.backend.contract.ledger import Concretely
from keras.backend.contract.rules import AbstractTensor
from keras.backend.table.composites import nn
from keras.layers.adapted import Adapted
from keras.layers.arguments import WITH_WARNING, positive_integer, to_list
from keras.layers.base import Layer  # noqa: F401  (part of the address keras.layers.embeddings)
from keras.layers.rows import mask_of_rows


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
    names_regularizer = True

    def __init__(self, input_dim, output_dim, embeddings_initializer='uniform', embeddings_regularizer=None,
                 activity_regularizer=None, embeddings_constraint=None, mask_zero=False, input_length=None,
                 lora_rank=None, lora_alpha=None, quantization_config=None, **kwargs):
        input_length = tuple(input_length) if isinstance(input_length, (list, tuple)) else input_length
        if not {'input_shape', 'batch_input_shape', 'batch_shape'} & set(kwargs):
            if input_length is not None or self.ruled('embeddings_are_inputs'):
                kwargs['input_shape'] = tuple(to_list(input_length, True))
        elif kwargs.get('batch_input_shape') is not None:
            kwargs['batch_input_shape'] = _flat_shape(kwargs['batch_input_shape'])
        super().__init__(lora_rank, lora_alpha, quantization_config, **kwargs)
        self.declare(locals())
        for name in ('input_dim', 'output_dim'):
            value = getattr(self, name)
            setattr(self, name, positive_integer(value, 'Embedding', name, floats=False))
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
        if not self.mask_zero:
            return mask_of_rows(inputs, mask)
        zeros = ops.not_equal(inputs, 0)
        return zeros if mask is None else ops.logical_and(zeros, mask)

    def call(self, inputs):
        rows = ops.cast(inputs, 'int32')
        if self.ruled('negative_rows_from_end'):
            rows = ops.where(ops.less(rows, 0), ops.add(rows, self.input_dim), rows)
        return nn.embedding(rows, self.faced_value() if self.is_quantized else self.embeddings.value)

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
            another one, which is quantized, too.
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
        self.embeddings = self.add_weight(name='embeddings', shape=(self.input_dim, self.output_dim))
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name='reverse_embeddings', shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer, regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint)
        self.adapt_weights()

    def _quantize(self, config, fresh=False, inputs=None):
        super()._quantize(config, fresh, inputs)
        if self.tie_weights:
            return
        table = self.reverse_embeddings
        weight = np.zeros(table.shape, 'float32') if fresh else np.asarray(table.numpy(), 'float32')
        with Concretely():
            stored, extras = self.bits_of(weight.T, config)
        self.unlist_weight(table)
        # The blocks are those of the other table, which looks along an axis of the same size.
        for ending, array in zip(('', '_scale', '_zero'), [stored] + extras[:2]):
            name = 'reverse_embeddings' + ending
            if ending == '_zero':  # Keras 3 keeps this one as floats
                array = array.astype('float32')
            variable = self.new_weight(name, np.ascontiguousarray(array.T))
            setattr(self, name, variable)
            self.list_weight(variable, False)

    @property
    def variable_serialization_spec(self):
        """See `Adapted`; the other table comes last."""
        endings = {'int8': ('', '_scale'), 'int4': ('', '_scale', '_zero')}
        found = super().variable_serialization_spec
        return found if self.tie_weights else {
            mode: names + ['reverse_embeddings' + ending for ending in endings.get(mode, ('',))]
            for mode, names in found.items()}

    def compute_output_shape(self, input_shape, reverse=False):
        if reverse:
            return tuple(input_shape)[:-1] + (self.input_dim,)
        return super().compute_output_shape(input_shape)

    def _reverse_kernel(self):
        """The matrix (output_dim, input_dim) of the way back."""
        if self.tie_weights:
            return ops.transpose(self.faced_value())
        stored = self.reverse_embeddings.value
        if not self.is_quantized:
            return stored
        dtype = self.compute_dtype
        scale = ops.cast(self.reverse_embeddings_scale.value, dtype)
        if self.quantization_mode == 'int8':
            return ops.divide(ops.cast(stored, dtype), scale)
        matrix = ops.cast(quantizers.unpack_int4(stored, self.output_dim, axis=0), dtype)
        if 'reverse_embeddings_zero' not in vars(self):
            return ops.divide(matrix, scale)
        block = ops.cast(self.g_idx.value, 'int32')
        zero = ops.cast(self.reverse_embeddings_zero.value, dtype)
        scale, zero = (ops.take(each, block, axis=0) for each in (scale, zero))
        return ops.multiply(ops.subtract(matrix, zero), scale)

    def call(self, inputs, reverse=False):
        if not reverse:
            return super().call(inputs)
        kernel = self._reverse_kernel()
        rounded = self.rounded_inputs(inputs, (-1,)) if self.is_quantized else None
        inputs = inputs if rounded is None else rounded
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
