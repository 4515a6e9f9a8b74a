"""Embedding: integers become vectors."""
from keras import constraints, initializers, ops, regularizers
from keras.backend.composites import nn
from keras.layers.arguments import positive_integer, take_unused, to_list
from keras.layers.base import Layer


class Embedding(Layer):
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

    def __init__(self, input_dim, output_dim, embeddings_initializer='uniform', embeddings_regularizer=None,
                 activity_regularizer=None, embeddings_constraint=None, mask_zero=False, input_length=None, **kwargs):
        take_unused(kwargs, 'Embedding', lora_rank=None, lora_alpha=None, quantization_config=None)
        self.input_length = tuple(input_length) if isinstance(input_length, (list, tuple)) else input_length
        if not {'input_shape', 'batch_input_shape', 'batch_shape'} & set(kwargs):
            kwargs['input_shape'] = tuple(to_list(self.input_length, True))
        elif kwargs.get('batch_input_shape') is not None:
            kwargs['batch_input_shape'] = _flat_shape(kwargs['batch_input_shape'])
        super().__init__(**kwargs)
        self.input_dim = positive_integer(input_dim, 'Embedding', 'input_dim')
        self.output_dim = positive_integer(output_dim, 'Embedding', 'output_dim')
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero

    def build(self, input_shape=None):
        self.embeddings = self.add_weight(
            name='embeddings', shape=(self.input_dim, self.output_dim), initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint)
        self.built = True

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

    def get_config(self):
        config = super().get_config()
        config.update(input_dim=self.input_dim, output_dim=self.output_dim,
                      embeddings_initializer=initializers.serialize(self.embeddings_initializer),
                      embeddings_regularizer=regularizers.serialize(self.embeddings_regularizer),
                      activity_regularizer=regularizers.serialize(self.activity_regularizer),
                      embeddings_constraint=constraints.serialize(self.embeddings_constraint),
                      mask_zero=self.mask_zero, input_length=self.input_length)
        return config


def _flat_shape(shape):
    """Keras 2 wrote (None, (3, 2)) for an `input_length` of two axes."""
    return tuple(part for size in shape for part in (size if isinstance(size, (list, tuple)) else (size,)))
