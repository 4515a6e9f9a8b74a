"""Convolutions over one to three spatial axes, and the layers that pad, crop and enlarge them."""
from keras import activations, config, constraints, initializers, regularizers
from keras.backend.composites import conv
from keras.backend.composites.conv import spatial_pairs, spatial_tuple
from keras.backend.composites.nn import bias_add
from keras.layers.arguments import (channel_axis, join_shape, known_channels, normalize_padding, positive_integer,
                                    split_shape, transposed_lengths, window_lengths)
from keras.layers.base import InputSpec, Layer
from keras.layers.pooling import (AveragePooling1D, AveragePooling2D, AveragePooling3D, MaxPooling1D,  # noqa: F401
                                  MaxPooling2D, MaxPooling3D)


class _Conv(Layer):
    """What all convolutions share.

    rank: number of spatial axes. weight_kinds: names of the kinds of weights with an initializer, a regularizer
    and a constraint each, besides the bias.
    """
    weight_kinds = ('kernel',)
    paddings = ('valid', 'same')
    begins_channels_first = True

    def __init__(self, rank, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                 kwargs, activity_regularizer=None, **weights):
        super().__init__(**kwargs)
        name = type(self).__name__
        self.rank = rank
        self.filters = None if filters is None else positive_integer(filters, name, 'filters')
        self.kernel_size = spatial_tuple(kernel_size, rank, 'kernel_size')
        self.strides = spatial_tuple(strides, rank, 'strides')
        self.padding = normalize_padding(padding, self.paddings)
        self.data_format = config.normalize_data_format(data_format)
        self._channel_axis = channel_axis(self.data_format)
        self.dilation_rate = spatial_tuple(dilation_rate, rank, 'dilation_rate')
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError('%s: strides above 1 cannot be combined with a dilation_rate above 1. Received: '
                             'strides=%s, dilation_rate=%s' % (name, self.strides, self.dilation_rate))
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        for kind in self.weight_kinds + ('bias',):
            setattr(self, kind + '_initializer', initializers.get(weights[kind + '_initializer']))
            setattr(self, kind + '_regularizer', regularizers.get(weights[kind + '_regularizer']))
            setattr(self, kind + '_constraint', constraints.get(weights[kind + '_constraint']))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec = InputSpec(ndim=rank + 2)

    def _add_kind(self, kind, shape, name=None, layout='conv_kernel'):
        return self.add_weight(name=name or kind, shape=shape, initializer=getattr(self, kind + '_initializer'),
                               regularizer=getattr(self, kind + '_regularizer'),
                               constraint=getattr(self, kind + '_constraint'), layout=layout)

    def _finish_build(self, channels, bias_size):
        self.bias = self._add_kind('bias', (bias_size,), layout=None) if self.use_bias else None
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        self.built = True

    def _finish(self, outputs):
        if self.bias is not None:
            outputs = bias_add(outputs, self.bias.value, self._channel_axis)
        return self._activated(outputs)

    def _activated(self, outputs):
        activation = self.activation
        return outputs if activation is activations.linear else activation(outputs)

    def in_channels_first(self, rank):
        if self.padding == 'causal' or not activations.is_elementwise(self.activation):
            return None
        return self._with_data_format(_channel_axis=1)

    def compute_output_shape(self, input_shape):
        sizes, _ = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        return join_shape(input_shape[0], lengths, self.filters, self.data_format)

    def get_config(self):
        config = super().get_config()
        if self.filters is not None:
            config['filters'] = self.filters
        config.update(kernel_size=self.kernel_size, strides=self.strides, padding=self.padding,
                      data_format=self.data_format, dilation_rate=self.dilation_rate,
                      activation=activations.serialize(self.activation), use_bias=self.use_bias,
                      activity_regularizer=regularizers.serialize(self.activity_regularizer))
        for kind in self.weight_kinds + ('bias',):
            config[kind + '_initializer'] = initializers.serialize(getattr(self, kind + '_initializer'))
            config[kind + '_regularizer'] = regularizers.serialize(getattr(self, kind + '_regularizer'))
            config[kind + '_constraint'] = constraints.serialize(getattr(self, kind + '_constraint'))
        return config


class _PlainConv(_Conv):
    """A convolution with one kernel (spatial..., channels / groups, filters)."""

    def __init__(self, *args, groups=1, **kwargs):
        super().__init__(*args, **kwargs)
        self.groups = positive_integer(groups, type(self).__name__, 'groups')
        if self.filters % self.groups:
            raise ValueError('%s: `filters` must be a multiple of `groups`. Received: filters=%d, groups=%d'
                             % (type(self).__name__, self.filters, self.groups))

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        if channels % self.groups:
            raise ValueError('Layer %r (%s): the number of input channels, %d, must be a multiple of groups=%d. '
                             'Received the shape %s.' % (self.name, type(self).__name__, channels, self.groups,
                                                         tuple(input_shape)))
        self.kernel = self._add_kind('kernel', self.kernel_size + (channels // self.groups, self.filters))
        self._finish_build(channels, self.filters)

    def call(self, inputs):
        bias = self.bias
        return self._activated(conv.convolution(inputs, self.kernel.value, self.strides, self.padding, self.data_format,
                                                self.dilation_rate, self.groups, None if bias is None else bias.value))

    def get_config(self):
        config = super().get_config()
        if self.groups != 1:
            config['groups'] = self.groups
        return config


class Conv1D(_PlainConv):
    """Convolution along time, or any one axis.

    Args:
        filters: number of output channels.
        kernel_size: width of the window (int or tuple of one).
        strides: step of the window. dilation_rate: distance of the elements of the window.
        padding: 'valid' (none), 'same' (as many outputs as inputs over strides) or 'causal' (no output depends on
            later inputs).
        data_format: 'channels_last' (batch, steps, channels) or 'channels_first' (batch, channels, steps).
        groups: the channels are split into so many groups that are convolved separately.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.

    Example:
        >>> keras.layers.Conv1D(4, 3)(np.ones((2, 10, 3), 'float32')).shape
        (2, 8, 4)
    """
    paddings = ('valid', 'same', 'causal')

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format='channels_last', dilation_rate=1,
                 activation=None, use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, groups=1, **kwargs):
        super().__init__(1, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, groups=groups, kernel_initializer=kernel_initializer,
                         bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
                         bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
                         bias_constraint=bias_constraint)
        if self.padding == 'causal' and self.data_format != 'channels_last':
            raise ValueError('When using causal padding in `Conv1D`, `data_format` must be "channels_last".')


class Conv2D(_PlainConv):
    """Convolution over images.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window (int for both).
        strides: steps of the window. dilation_rate: distance of the elements of the window.
        padding: 'valid' (none) or 'same' (as many outputs as inputs over strides).
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'; default from keras.json.
        groups: the channels are split into so many groups that are convolved separately.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.

    Example:
        >>> keras.layers.Conv2D(4, 3, padding='same')(np.ones((2, 8, 8, 3), 'float32')).shape
        (2, 8, 8, 4)
    """

    def __init__(self, filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1),
                 activation=None, use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, groups=1, **kwargs):
        super().__init__(2, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, groups=groups, kernel_initializer=kernel_initializer,
                         bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
                         bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
                         bias_constraint=bias_constraint)


class Conv3D(_PlainConv):
    """Convolution over volumes (batch, depth, rows, columns, channels).

    Args:
        filters: number of output channels.
        kernel_size: depth, height and width of the window (int for all).
        strides, padding, data_format, dilation_rate, groups: as for `Conv2D`.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.
    """

    def __init__(self, filters, kernel_size, strides=(1, 1, 1), padding='valid', data_format=None,
                 dilation_rate=(1, 1, 1), activation=None, use_bias=True, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, groups=1, **kwargs):
        super().__init__(3, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, groups=groups, kernel_initializer=kernel_initializer,
                         bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
                         bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
                         bias_constraint=bias_constraint)


# --- transposed -------------------------------------------------------------------------------------------------

class _ConvTranspose(_Conv):
    """The gradient of a convolution by its input; the kernel is (spatial..., filters, channels)."""

    def __init__(self, *args, output_padding=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = spatial_tuple(output_padding, self.rank, 'output_padding', lowest=0)
            if any(extra >= stride for extra, stride in zip(self.output_padding, self.strides)):
                raise ValueError('%s: `output_padding` must be smaller than the stride along the same axis. Received: '
                                 'output_padding=%s, strides=%s' % (type(self).__name__, self.output_padding,
                                                                    self.strides))

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        self.kernel = self._add_kind('kernel', self.kernel_size + (self.filters, channels))
        self._finish_build(channels, self.filters)

    def call(self, inputs):
        return self._finish(conv.convolution_transpose(inputs, self.kernel.value, self.strides, self.padding,
                                                       self.output_padding, self.data_format, self.dilation_rate))

    def compute_output_shape(self, input_shape):
        sizes, _ = split_shape(input_shape, self.data_format)
        lengths = transposed_lengths(sizes, self.kernel_size, self.strides, self.padding, self.output_padding,
                                     self.dilation_rate)
        return join_shape(input_shape[0], lengths, self.filters, self.data_format)

    def get_config(self):
        config = super().get_config()
        config['output_padding'] = self.output_padding
        return config


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution along one axis, which enlarges it by `strides`; arguments as for `Conv2DTranspose`."""

    def __init__(self, filters, kernel_size, strides=1, padding='valid', output_padding=None, data_format=None,
                 dilation_rate=1, activation=None, use_bias=True, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(1, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, output_padding=output_padding,
                         kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
                         kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
                         kernel_constraint=kernel_constraint, bias_constraint=bias_constraint)


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution ("deconvolution") over images, which enlarges them by `strides`.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window (int for both).
        strides: factors of enlargement. padding: 'valid' or 'same'.
        output_padding: added to the rows and columns of the output, each below its stride; None works them out.
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
        dilation_rate: distance of the elements of the window.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.

    Source: Zeiler et al., Deconvolutional networks (2010).

    Example:
        >>> keras.layers.Conv2DTranspose(4, 3, strides=2, padding='same')(np.ones((2, 8, 8, 3), 'float32')).shape
        (2, 16, 16, 4)
    """

    def __init__(self, filters, kernel_size, strides=(1, 1), padding='valid', output_padding=None, data_format=None,
                 dilation_rate=(1, 1), activation=None, use_bias=True, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(2, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, output_padding=output_padding,
                         kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
                         kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
                         kernel_constraint=kernel_constraint, bias_constraint=bias_constraint)


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over volumes, which enlarges them by `strides`; arguments as for `Conv2DTranspose`."""

    def __init__(self, filters, kernel_size, strides=(1, 1, 1), padding='valid', output_padding=None,
                 data_format=None, activation=None, use_bias=True, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, dilation_rate=(1, 1, 1), **kwargs):
        super().__init__(3, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, output_padding=output_padding,
                         kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
                         kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
                         kernel_constraint=kernel_constraint, bias_constraint=bias_constraint)


# --- depthwise and separable --------------------------------------------------------------------------------------

class _DepthwiseConv(_Conv):
    """Each channel is convolved with `depth_multiplier` filters of its own."""
    weight_kinds = ('depthwise',)

    def __init__(self, *args, depth_multiplier=1, **kwargs):
        super().__init__(*args, **kwargs)
        self.depth_multiplier = positive_integer(depth_multiplier, type(self).__name__, 'depth_multiplier')

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        self.depthwise_kernel = self._add_kind('depthwise', self.kernel_size + (channels, self.depth_multiplier),
                                               'depthwise_kernel')
        self._finish_build(channels, channels * self.depth_multiplier)

    def call(self, inputs):
        return self._finish(conv.depthwise_conv(inputs, self.depthwise_kernel.value, self.strides, self.padding,
                                                self.data_format, self.dilation_rate))

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        channels = None if channels is None else channels * self.depth_multiplier
        return join_shape(input_shape[0], lengths, channels, self.data_format)

    def get_config(self):
        config = super().get_config()
        config['depth_multiplier'] = self.depth_multiplier
        return config


class DepthwiseConv1D(_DepthwiseConv):
    """Convolution of each channel along one axis; arguments as for `DepthwiseConv2D`."""

    def __init__(self, kernel_size, strides=1, padding='valid', depth_multiplier=1, data_format=None, dilation_rate=1,
                 activation=None, use_bias=True, depthwise_initializer='glorot_uniform', bias_initializer='zeros',
                 depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 depthwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(1, None, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, depth_multiplier=depth_multiplier,
                         depthwise_initializer=depthwise_initializer, bias_initializer=bias_initializer,
                         depthwise_regularizer=depthwise_regularizer, bias_regularizer=bias_regularizer,
                         depthwise_constraint=depthwise_constraint, bias_constraint=bias_constraint)


class DepthwiseConv2D(_DepthwiseConv):
    """Convolution of each channel of an image with filters of its own.

    Args:
        kernel_size: height and width of the window (int for both).
        strides, padding, data_format, dilation_rate: as for `Conv2D`.
        depth_multiplier: number of filters, and output channels, per input channel.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.

    Example:
        >>> keras.layers.DepthwiseConv2D(3, depth_multiplier=2)(np.ones((2, 8, 8, 3), 'float32')).shape
        (2, 6, 6, 6)
    """

    def __init__(self, kernel_size, strides=(1, 1), padding='valid', depth_multiplier=1, data_format=None,
                 dilation_rate=(1, 1), activation=None, use_bias=True, depthwise_initializer='glorot_uniform',
                 bias_initializer='zeros', depthwise_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, depthwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(2, None, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, depth_multiplier=depth_multiplier,
                         depthwise_initializer=depthwise_initializer, bias_initializer=bias_initializer,
                         depthwise_regularizer=depthwise_regularizer, bias_regularizer=bias_regularizer,
                         depthwise_constraint=depthwise_constraint, bias_constraint=bias_constraint)


class _SeparableConv(_Conv):
    """A depthwise convolution and a 1x1 convolution that mixes the channels."""
    weight_kinds = ('depthwise', 'pointwise')

    def __init__(self, *args, depth_multiplier=1, **kwargs):
        super().__init__(*args, **kwargs)
        self.depth_multiplier = positive_integer(depth_multiplier, type(self).__name__, 'depth_multiplier')

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        self.depthwise_kernel = self._add_kind('depthwise', self.kernel_size + (channels, self.depth_multiplier),
                                               'depthwise_kernel')
        self.pointwise_kernel = self._add_kind(
            'pointwise', (1,) * self.rank + (channels * self.depth_multiplier, self.filters), 'pointwise_kernel')
        self._finish_build(channels, self.filters)

    def call(self, inputs):
        return self._finish(conv.separable_conv(inputs, self.depthwise_kernel.value, self.pointwise_kernel.value,
                                                self.strides, self.padding, self.data_format, self.dilation_rate))

    def get_config(self):
        config = super().get_config()
        config['depth_multiplier'] = self.depth_multiplier
        return config


class SeparableConv1D(_SeparableConv):
    """Depthwise convolution along one axis, then a mixture of the channels; arguments as for `SeparableConv2D`."""
    paddings = ('valid', 'same', 'causal')

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format='channels_last', dilation_rate=1,
                 depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer='glorot_uniform',
                 pointwise_initializer='glorot_uniform', bias_initializer='zeros', depthwise_regularizer=None,
                 pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 depthwise_constraint=None, pointwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(1, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, depth_multiplier=depth_multiplier,
                         depthwise_initializer=depthwise_initializer, pointwise_initializer=pointwise_initializer,
                         bias_initializer=bias_initializer, depthwise_regularizer=depthwise_regularizer,
                         pointwise_regularizer=pointwise_regularizer, bias_regularizer=bias_regularizer,
                         depthwise_constraint=depthwise_constraint, pointwise_constraint=pointwise_constraint,
                         bias_constraint=bias_constraint)


class SeparableConv2D(_SeparableConv):
    """Depthwise convolution over images, then a 1x1 convolution that mixes the channels.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window (int for both).
        strides, padding, data_format, dilation_rate: as for `Conv2D`.
        depth_multiplier: number of depthwise filters per input channel.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.

    Source: Chollet, Xception: deep learning with depthwise separable convolutions (2017).
    """

    def __init__(self, filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1),
                 depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer='glorot_uniform',
                 pointwise_initializer='glorot_uniform', bias_initializer='zeros', depthwise_regularizer=None,
                 pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 depthwise_constraint=None, pointwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(2, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         kwargs, activity_regularizer, depth_multiplier=depth_multiplier,
                         depthwise_initializer=depthwise_initializer, pointwise_initializer=pointwise_initializer,
                         bias_initializer=bias_initializer, depthwise_regularizer=depthwise_regularizer,
                         pointwise_regularizer=pointwise_regularizer, bias_regularizer=bias_regularizer,
                         depthwise_constraint=depthwise_constraint, pointwise_constraint=pointwise_constraint,
                         bias_constraint=bias_constraint)


# --- padding and cropping -----------------------------------------------------------------------------------------

class _ZeroPadding(Layer):

    def __init__(self, rank, padding, data_format, kwargs):
        super().__init__(**kwargs)
        self.rank = rank
        self._pairs = spatial_pairs(padding, rank, 'padding')
        self.padding = self._pairs[0] if rank == 1 else self._pairs
        self.data_format = config.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)

    def call(self, inputs):
        return conv.spatial_padding(inputs, self._pairs, self.data_format)

    def in_channels_first(self, rank):
        return self._with_data_format()

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        sizes = [None if size is None else size + before + after for size, (before, after) in zip(sizes, self._pairs)]
        return join_shape(input_shape[0], sizes, channels, self.data_format)

    def get_config(self):
        config = super().get_config()
        config['padding'] = self.padding
        config['data_format'] = self.data_format
        return config


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps of (batch, steps, channels).

    Args:
        padding: number of zeros on both sides, or a pair (before, after).
    """

    def __init__(self, padding=1, data_format='channels_last', **kwargs):
        super().__init__(1, padding, data_format, kwargs)


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images.

    Args:
        padding: an int; (rows, columns); or ((top, bottom), (left, right)).
        data_format: 'channels_last' or 'channels_first'; default from keras.json.

    Example:
        >>> keras.layers.ZeroPadding2D(((1, 0), (2, 2)))(np.ones((1, 3, 3, 1), 'float32')).shape
        (1, 4, 7, 1)
    """

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(2, padding, data_format, kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes.

    Args:
        padding: an int, three ints, or three pairs (before, after).
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
    """

    def __init__(self, padding=(1, 1, 1), data_format=None, **kwargs):
        super().__init__(3, padding, data_format, kwargs)


class _Cropping(Layer):

    def __init__(self, rank, cropping, data_format, kwargs):
        super().__init__(**kwargs)
        self.rank = rank
        self._pairs = spatial_pairs(cropping, rank, 'cropping')
        self.cropping = self._pairs[0] if rank == 1 else self._pairs
        self.data_format = config.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)

    def call(self, inputs):
        return conv.spatial_cropping(inputs, self._pairs, self.data_format)

    def in_channels_first(self, rank):
        return self._with_data_format()

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        sizes = [None if size is None else size - before - after for size, (before, after) in zip(sizes, self._pairs)]
        if any(size is not None and size <= 0 for size in sizes):
            raise ValueError('Layer %r (%s): cropping=%s leaves nothing of an input of shape %s.'
                             % (self.name, type(self).__name__, self.cropping, tuple(input_shape)))
        return join_shape(input_shape[0], sizes, channels, self.data_format)

    def get_config(self):
        config = super().get_config()
        config['cropping'] = self.cropping
        config['data_format'] = self.data_format
        return config


class Cropping1D(_Cropping):
    """(batch, steps, channels) without its first and last steps.

    Args:
        cropping: number of steps cut off on both sides, or a pair (before, after).
    """

    def __init__(self, cropping=(1, 1), data_format='channels_last', **kwargs):
        super().__init__(1, cropping, data_format, kwargs)


class Cropping2D(_Cropping):
    """Images without their borders.

    Args:
        cropping: an int; (rows, columns); or ((top, bottom), (left, right)).
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
    """

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(2, cropping, data_format, kwargs)


class Cropping3D(_Cropping):
    """Volumes without their borders.

    Args:
        cropping: an int, three ints, or three pairs (before, after).
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
    """

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(3, cropping, data_format, kwargs)


# --- enlarging ----------------------------------------------------------------------------------------------------

class _UpSampling(Layer):
    interpolation = 'nearest'

    def __init__(self, rank, size, data_format, kwargs):
        super().__init__(**kwargs)
        self._factors = spatial_tuple(size, rank, 'size')
        self.size = self._factors if rank > 1 else self._factors[0]
        self.data_format = config.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)

    def call(self, inputs):
        return conv.upsampling(inputs, self._factors, self.interpolation, self.data_format, False)

    def in_channels_first(self, rank):
        return self._with_data_format()

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        sizes = [None if size is None else size * factor for size, factor in zip(sizes, self._factors)]
        return join_shape(input_shape[0], sizes, channels, self.data_format)

    def get_config(self):
        config = super().get_config()
        config['size'] = self.size
        config['data_format'] = self.data_format
        return config


class UpSampling1D(_UpSampling):
    """Each step of (batch, steps, channels) repeated.

    Args:
        size: number of repetitions.
    """

    def __init__(self, size=2, data_format='channels_last', **kwargs):
        super().__init__(1, size, data_format, kwargs)


class UpSampling2D(_UpSampling):
    """Images enlarged by whole factors.

    Args:
        size: factors of rows and columns (int for both).
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
        interpolation: 'nearest' repeats rows and columns, 'bilinear' interpolates between them, counting from the
            corners as Keras 2 does; 'bicubic', 'lanczos3' and 'lanczos5' count from the centres.

    Example:
        >>> keras.layers.UpSampling2D((2, 3))(np.ones((1, 2, 2, 1), 'float32')).shape
        (1, 4, 6, 1)
    """

    def __init__(self, size=(2, 2), data_format=None, interpolation='nearest', **kwargs):
        super().__init__(2, size, data_format, kwargs)
        kinds = ('nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5')
        if interpolation not in kinds:
            raise ValueError('UpSampling2D: `interpolation` must be one of %s. Received: %r'
                             % (', '.join(kinds), interpolation))
        self.interpolation = interpolation

    def get_config(self):
        config = super().get_config()
        config['interpolation'] = self.interpolation
        return config


class UpSampling3D(_UpSampling):
    """Volumes enlarged by whole factors.

    Args:
        size: factors of depth, rows and columns (int for all).
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
    """

    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(3, size, data_format, kwargs)


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
Convolution2DTranspose = Deconvolution2D = Deconv2D = Conv2DTranspose
Convolution3DTranspose = Deconvolution3D = Deconv3D = Conv3DTranspose
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
