"""Locally connected layers: convolutions whose filters are not shared between places."""
from keras import activations, ops
from keras.backend.contract.rules import product
from keras.backend.table.composites.conv import local_conv
from keras.layers.arguments import (ANY, join_shape, known_channels, split_shape,
                                    window_lengths)
from keras.layers.base import InputSpec, Layer  # noqa: F401
from keras.layers.families import Spatial


class _LocallyConnected(Spatial):
    paddings = ('valid',)
    without_effect = {'implementation': ANY}

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        sizes, _ = split_shape(input_shape, self.data_format)
        if None in sizes:
            raise ValueError('Layer %r (%s) has weights for every place, so the sizes of its input must be known. '
                             'Received the shape %s.' % (self.name, type(self).__name__, tuple(input_shape)))
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding)
        self.kernel = self.add_weight(
            name='kernel', shape=(product(lengths), product(self.kernel_size) * channels, self.filters))
        self.bias = self.add_weight(name='bias', shape=lengths + (self.filters,)) if self.use_bias else None
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: size for axis, size in enumerate(input_shape)
                                                                 if axis > 0})
        self.built = True

    def call(self, inputs):
        outputs = local_conv(inputs, self.kernel.value, self.kernel_size, self.strides, self.data_format)
        if self.bias is not None:
            bias = self.bias.value
            if self.data_format == 'channels_first':
                # Keras 2 reads the numbers of its bias (places..., filters) as (filters, places...) here.
                bias = ops.reshape(bias, self.bias.shape[-1:] + self.bias.shape[:-1])
            outputs = ops.add(outputs, bias)
        return outputs if self.activation is activations.linear else self.activation(outputs)

    def in_channels_first(self, rank):
        return None

    def compute_output_shape(self, input_shape):
        sizes, _ = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding)
        return join_shape(input_shape[0], lengths, self.filters, self.data_format)


class LocallyConnected1D(_LocallyConnected):
    """`Conv1D` with filters of its own at every step.

    Args:
        filters: number of output channels. kernel_size: width of the window. strides: its step.
        padding: only 'valid'. data_format: 'channels_last' or 'channels_first'.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.
    """
    rank = 1
    takes_steps = True

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format=None, activation=None,
                 use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class LocallyConnected2D(_LocallyConnected):
    """`Conv2D` with filters of its own at every place.

    Args:
        filters: number of output channels. kernel_size: height and width of the window. strides: its steps.
        padding: only 'valid'. data_format: 'channels_last' or 'channels_first'; default from keras.json.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.
    """
    rank = 2

    def __init__(self, filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, activation=None,
                 use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
