"""Locally connected layers: convolutions whose filters are not shared between places."""
import numpy as np

from keras import activations, ops
from keras.backend.contract.rules import product
from keras.backend.table.composites.conv import local_conv
from keras.layers.arguments import join_shape, known_channels, split_shape, window_lengths
from keras.layers.base import InputSpec, Layer  # noqa: F401
from keras.layers.families import Spatial


class _LocallyConnected(Spatial):
    later = ('implementation',)

    def declare(self, arguments):
        implementation = arguments['implementation']
        if implementation not in (1, 2, 3):
            raise ValueError('`implementation` must be 1, 2 or 3. Received: %r' % (implementation,))
        self.paddings = ('valid',) if implementation == 1 else ('valid', 'same')
        super().declare(arguments)

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        sizes, _ = split_shape(input_shape, self.data_format)
        if None in sizes:
            raise ValueError('Layer %r (%s) has weights for every place, so the sizes of its input must be known. '
                             'Received the shape %s.' % (self.name, type(self).__name__, tuple(input_shape)))
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding)
        shape = (product(lengths), product(self.kernel_size) * channels, self.filters)
        if self.implementation != 1:
            self._ways, self._channels = _ways(sizes, lengths, self.kernel_size, self.strides, self.padding), channels
            given, made = (join_shape(None, of, count, self.data_format)[1:]
                           for of, count in ((sizes, channels), (lengths, self.filters)))
            self._made = tuple(made)
            shape = given + made if self.implementation == 2 else (int(self._ways.sum()) * channels * self.filters,)
        self.kernel = self.add_weight(name='kernel', shape=shape)
        self.bias = self.add_weight(name='bias', shape=lengths + (self.filters,)) if self.use_bias else None
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: size for axis, size in enumerate(input_shape)
                                                                 if axis > 0})
        self.built = True

    def call(self, inputs):
        if self.implementation == 1:
            outputs = local_conv(inputs, self.kernel.value, self.kernel_size, self.strides, self.data_format)
        else:
            outputs = self._by_matrix(inputs)
        if self.bias is not None:
            bias = self.bias.value
            if self.data_format == 'channels_first':
                # Keras 2 reads the numbers of its bias (places..., filters) as (filters, places...) here.
                bias = ops.reshape(bias, self.bias.shape[-1:] + self.bias.shape[:-1])
            outputs = ops.add(outputs, bias)
        return outputs if self.activation is activations.linear else self.activation(outputs)

    def _by_matrix(self, inputs):
        """The product with one matrix from all inputs to all outputs, as tf.keras keeps the kernel by choice."""
        connected = np.multiply.outer(self._ways, np.ones((self._channels, self.filters), bool))
        # (inputs, outputs, channels, filters) in the order in which the data format has them
        first = self.data_format == 'channels_first'
        connected = connected.transpose((2, 0, 3, 1) if first else (0, 2, 1, 3))
        count = connected.shape[0] * connected.shape[1]
        connected = connected.reshape(count, -1)
        kernel = self.kernel.value
        if self.implementation == 2:
            matrix = ops.multiply(ops.reshape(kernel, connected.shape), ops.cast(connected, self.compute_dtype))
        else:
            # The weights stand in the order of the outputs, those of one output in the order of its inputs.
            places = np.full(connected.T.shape, self.kernel.shape[0])
            places[connected.T] = np.arange(self.kernel.shape[0])
            matrix = ops.take(ops.concatenate([kernel, ops.zeros((1,), self.compute_dtype)], 0), places.T, axis=0)
        outputs = ops.matmul(ops.reshape(inputs, (-1, count)), matrix)
        return ops.reshape(outputs, (-1,) + self._made)

    def in_channels_first(self, rank):
        return None

    def compute_output_shape(self, input_shape):
        sizes, _ = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding)
        return join_shape(input_shape[0], lengths, self.filters, self.data_format)


def _ways(sizes, lengths, kernel_size, strides, padding):
    """Which of the places of the inputs go into which of those of the outputs, an array of booleans."""
    found = np.ones((1, 1), bool)
    for size, length, width, stride in zip(sizes, lengths, kernel_size, strides):
        start = np.arange(length) * stride - (width // 2 if padding == 'same' else 0)
        place = np.arange(size)[:, None]
        found = np.kron(found, (place >= start) & (place < start + width))
    return found


class LocallyConnected1D(_LocallyConnected):
    """`Conv1D` with filters of its own at every step.

    Args:
        filters: number of output channels. kernel_size: width of the window. strides: its step.
        padding: 'valid', or 'same' with implementation 2 or 3.
        data_format: 'channels_last' or 'channels_first'.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.
        implementation: how the kernel is kept: 1 window by window, 2 as a matrix from all inputs to all outputs, 3 as
            those of its numbers that are not always 0.
    """
    rank = 1
    takes_steps = True

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format=None, activation=None,
                 use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, implementation=1, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class LocallyConnected2D(_LocallyConnected):
    """`Conv2D` with filters of its own at every place.

    Args:
        filters: number of output channels. kernel_size: height and width of the window. strides: its steps.
        padding: 'valid', or 'same' with implementation 2 or 3.
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.
        implementation: how the kernel is kept: 1 window by window, 2 as a matrix from all inputs to all outputs, 3 as
            those of its numbers that are not always 0.
    """
    rank = 2

    def __init__(self, filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, activation=None,
                 use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, implementation=1, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
