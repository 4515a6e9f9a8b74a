"""Locally connected layers: convolutions whose filters are not shared between places."""
from keras import activations, config, constraints, initializers, ops, regularizers
from keras.backend.composites.conv import local_conv, spatial_tuple
from keras.backend.rules import product
from keras.layers.arguments import (join_shape, known_channels, normalize_padding, positive_integer, split_shape,
                                    window_lengths)
from keras.layers.base import InputSpec, Layer


class _LocallyConnected(Layer):

    def __init__(self, rank, filters, kernel_size, strides, padding, data_format, activation, use_bias, kwargs,
                 activity_regularizer, **weights):
        super().__init__(**kwargs)
        name = type(self).__name__
        self.filters = positive_integer(filters, name, 'filters')
        self.kernel_size = spatial_tuple(kernel_size, rank, 'kernel_size')
        self.strides = spatial_tuple(strides, rank, 'strides')
        self.padding = normalize_padding(padding, ('valid',))
        self.data_format = config.normalize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        for kind in ('kernel', 'bias'):
            setattr(self, kind + '_initializer', initializers.get(weights[kind + '_initializer']))
            setattr(self, kind + '_regularizer', regularizers.get(weights[kind + '_regularizer']))
            setattr(self, kind + '_constraint', constraints.get(weights[kind + '_constraint']))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec = InputSpec(ndim=rank + 2)

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        sizes, _ = split_shape(input_shape, self.data_format)
        if None in sizes:
            raise ValueError('Layer %r (%s) has weights for every place, so the sizes of its input must be known. '
                             'Received the shape %s.' % (self.name, type(self).__name__, tuple(input_shape)))
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding)
        self.kernel = self.add_weight(
            name='kernel', shape=(product(lengths), product(self.kernel_size) * channels, self.filters),
            initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(name='bias', shape=lengths + (self.filters,),
                                        initializer=self.bias_initializer, regularizer=self.bias_regularizer,
                                        constraint=self.bias_constraint)
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

    def compute_output_shape(self, input_shape):
        sizes, _ = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding)
        return join_shape(input_shape[0], lengths, self.filters, self.data_format)

    def get_config(self):
        config = super().get_config()
        config.update(filters=self.filters, kernel_size=self.kernel_size, strides=self.strides, padding=self.padding,
                      data_format=self.data_format, activation=activations.serialize(self.activation),
                      use_bias=self.use_bias,
                      activity_regularizer=regularizers.serialize(self.activity_regularizer))
        for kind in ('kernel', 'bias'):
            config[kind + '_initializer'] = initializers.serialize(getattr(self, kind + '_initializer'))
            config[kind + '_regularizer'] = regularizers.serialize(getattr(self, kind + '_regularizer'))
            config[kind + '_constraint'] = constraints.serialize(getattr(self, kind + '_constraint'))
        return config


class LocallyConnected1D(_LocallyConnected):
    """`Conv1D` with filters of its own at every step.

    Args:
        filters: number of output channels. kernel_size: width of the window. strides: its step.
        padding: only 'valid'. data_format: 'channels_last' or 'channels_first'.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.
    """

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format=None, activation=None,
                 use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, **kwargs):
        super().__init__(1, filters, kernel_size, strides, padding, data_format, activation, use_bias, kwargs,
                         activity_regularizer, kernel_initializer=kernel_initializer,
                         bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
                         bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
                         bias_constraint=bias_constraint)


class LocallyConnected2D(_LocallyConnected):
    """`Conv2D` with filters of its own at every place.

    Args:
        filters: number of output channels. kernel_size: height and width of the window. strides: its steps.
        padding: only 'valid'. data_format: 'channels_last' or 'channels_first'; default from keras.json.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.
    """

    def __init__(self, filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, activation=None,
                 use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, **kwargs):
        super().__init__(2, filters, kernel_size, strides, padding, data_format, activation, use_bias, kwargs,
                         activity_regularizer, kernel_initializer=kernel_initializer,
                         bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
                         bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
                         bias_constraint=bias_constraint)
