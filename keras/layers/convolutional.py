"""Convolutions over one to three spatial axes, and the layers that pad, crop and enlarge them."""
from keras import activations
from keras.backend.table.composites import conv
from keras.backend.table.composites.conv import spatial_pairs, spatial_tuple
from keras.backend.table.composites.nn import bias_add
from keras.backend.table.composites.shape import static_shape
from keras.generations import Default
from keras.layers.adapted import Adapted
from keras.layers.arguments import (WITH_WARNING, channel_axis, join_shape, known_channels, split_shape,
                                    transposed_lengths, window_lengths)
from keras.layers.base import InputSpec, Layer  # noqa: F401
from keras.layers.families import Spatial
from keras.layers.pooling import (AveragePooling1D, AveragePooling2D, AveragePooling3D, MaxPooling1D,  # noqa: F401
                                  MaxPooling2D, MaxPooling3D)


class Conv(Spatial):
    """What all convolutions share."""
    paddings = ('valid', 'same', 'full')
    begins_channels_first = True
    names_regularizer = True

    # Whether each channel is convolved by itself.
    of_each_channel = False

    def declare(self, given):
        super().declare(given)
        self._channel_axis = channel_axis(self.data_format)
        if not self.ruled('dilation_with_strides_waits'):
            self._check_dilation()

    def _check_dilation(self):
        if max(self.strides) > 1 and max(self.dilation_rate) > 1 \
                and not (self.of_each_channel and self.ruled('channels_dilate_with_strides')):
            raise ValueError('%s: `strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: '
                             'strides=%s and dilation_rate=%s'
                             % (type(self).__name__, self.strides, self.dilation_rate))

    def _finish_build(self, channels, bias_size):
        self._check_dilation()
        self.bias = self.add_weight(name='bias', shape=(bias_size,)) if self.use_bias else None
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
        if self.padding in ('causal', 'full') or not activations.is_elementwise(self.activation):
            return None
        return self.in_other_format(_channel_axis=1)

    def compute_output_shape(self, input_shape):
        sizes, _ = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        return join_shape(input_shape[0], lengths, self.filters, self.data_format)


class BaseConv(Conv, Adapted):
    """A convolution with one kernel (spatial..., channels / groups, filters)."""
    later = ('groups',) + Adapted.later
    faced = 'kernel'

    def declare(self, given):
        super().declare(given)
        if self.filters % self.groups:
            raise ValueError('%s: The number of filters must be evenly divisible by the number of groups. Received: '
                             'groups=%d, filters=%d.' % (type(self).__name__, self.groups, self.filters))

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        if channels % self.groups:
            raise ValueError('Layer %r (%s): the number of input channels, %d, must be a multiple of groups=%d. '
                             'Received the shape %s.' % (self.name, type(self).__name__, channels, self.groups,
                                                         tuple(input_shape)))
        self.kernel = self.add_weight(name='kernel', shape=self.kernel_size + (channels // self.groups, self.filters),
                                      layout='conv_kernel')
        self._finish_build(channels, self.filters)
        self.adapt_weights()

    def convolution_op(self, inputs, kernel):
        """The convolution alone, which subclasses may override: with a kernel of their making, say.

        Args:
            inputs: tensor, as for the layer. kernel: tensor of the shape of `kernel`.
        """
        return conv.convolution(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate,
                                self.groups)

    def call(self, inputs):
        if type(self).convolution_op is not BaseConv.convolution_op:
            return self._finish(self.convolution_op(inputs, self.kernel.value))
        bias = self.bias
        return self._activated(conv.convolution(inputs, self.kernel.value, self.strides, self.padding, self.data_format,
                                                self.dilation_rate, self.groups, None if bias is None else bias.value))


class Conv1D(BaseConv):
    """Convolution along time, or any one axis.

    Args:
        filters: number of output channels.
        kernel_size: width of the window (int or tuple of one).
        strides: step of the window. dilation_rate: distance of the elements of the window.
        padding: 'valid' (none), 'same' (as many outputs as inputs over strides), 'full' (every window that meets the
            input) or 'causal' (no output depends on later inputs).
        data_format: 'channels_last' (batch, steps, channels) or 'channels_first' (batch, channels, steps).
        groups: the channels are split into so many groups that are convolved separately.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.

    Example:
        >>> keras.layers.Conv1D(4, 3)(np.ones((2, 10, 3), 'float32')).shape
        (2, 8, 4)
    """
    rank = 1
    takes_steps = True
    paddings = ('valid', 'same', 'full', 'causal')

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format=Default('Conv1D.data_format'),
                 dilation_rate=1,
                 activation=None, use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, groups=1, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        if (self.padding == 'causal' and self.data_format != 'channels_last'
                and not self.ruled('causal_channels_first')):
            raise ValueError('When using causal padding in `Conv1D`, `data_format` must be "channels_last".')


class Conv2D(BaseConv):
    """Convolution over images.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window (int for both).
        strides: steps of the window. dilation_rate: distance of the elements of the window.
        padding: 'valid' (none), 'same' (as many outputs as inputs over strides) or 'full' (every window that meets the
            input).
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'; default from keras.json.
        groups: the channels are split into so many groups that are convolved separately.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.

    Example:
        >>> keras.layers.Conv2D(4, 3, padding='same')(np.ones((2, 8, 8, 3), 'float32')).shape
        (2, 8, 8, 4)
    """
    rank = 2

    def __init__(self, filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1),
                 activation=None, use_bias=True, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, groups=1, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class Conv3D(BaseConv):
    """Convolution over volumes (batch, depth, rows, columns, channels).

    Args:
        filters: number of output channels.
        kernel_size: depth, height and width of the window (int for all).
        strides, padding, data_format, dilation_rate, groups: as for `Conv2D`.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.
    """
    rank = 3

    def __init__(self, filters, kernel_size, strides=(1, 1, 1), padding='valid', data_format=None,
                 dilation_rate=(1, 1, 1), activation=None, use_bias=True, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, groups=1, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


# --- transposed -------------------------------------------------------------------------------------------------

class BaseConvTranspose(Conv):
    """The gradient of a convolution by its input; the kernel is (spatial..., filters, channels)."""
    without_effect = {'groups': 1}

    def declare(self, given):
        super().declare(given)
        if self.output_padding is not None:
            self.output_padding = spatial_tuple(self.output_padding, self.rank, 'output_padding', lowest=0)
            if any(extra >= stride for extra, stride in zip(self.output_padding, self.strides)):
                raise ValueError('%s: `output_padding` must be strictly less than `strides` along the same axis. '
                                 'Received: output_padding=%s, strides=%s' % (type(self).__name__, self.output_padding,
                                                                    self.strides))

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        self.kernel = self.add_weight(name='kernel', shape=self.kernel_size + (self.filters, channels),
                                      layout='conv_kernel')
        self._finish_build(channels, self.filters)

    def call(self, inputs):
        return self._finish(conv.convolution_transpose(inputs, self.kernel.value, self.strides, self.padding,
                                                       self.output_padding, self.data_format, self.dilation_rate))

    def compute_output_shape(self, input_shape):
        sizes, _ = split_shape(input_shape, self.data_format)
        lengths = transposed_lengths(sizes, self.kernel_size, self.strides, self.padding, self.output_padding,
                                     self.dilation_rate)
        return join_shape(input_shape[0], lengths, self.filters, self.data_format)


class Conv1DTranspose(BaseConvTranspose):
    """Transposed convolution along one axis, which enlarges it by `strides`; arguments as for `Conv2DTranspose`."""
    rank = 1

    def __init__(self, filters, kernel_size, strides=1, padding='valid', output_padding=None, data_format=None,
                 dilation_rate=1, activation=None, use_bias=True, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class Conv2DTranspose(BaseConvTranspose):
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
    rank = 2

    def __init__(self, filters, kernel_size, strides=(1, 1), padding='valid', output_padding=None, data_format=None,
                 dilation_rate=(1, 1), activation=None, use_bias=True, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class Conv3DTranspose(BaseConvTranspose):
    """Transposed convolution over volumes, which enlarges them by `strides`; arguments as for `Conv2DTranspose`."""
    rank = 3

    def __init__(self, filters, kernel_size, strides=(1, 1, 1), padding='valid', output_padding=None,
                 data_format=None, activation=None, use_bias=True, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, dilation_rate=(1, 1, 1), **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


# --- depthwise and separable --------------------------------------------------------------------------------------

# What Keras 2 takes for Conv2D's sake, and tf.keras writes.
_OF_CONV = {'kernel_initializer': WITH_WARNING, 'kernel_regularizer': WITH_WARNING, 'kernel_constraint': WITH_WARNING,
            'groups': 1}


class BaseDepthwiseConv(Conv):
    """Each channel is convolved with `depth_multiplier` filters of its own."""
    filters = None
    of_each_channel = True
    without_effect = _OF_CONV

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        self.depthwise_kernel = self.add_weight(
            name=self.ruled('name_of_depthwise_kernel'), layout='depthwise_kernel',
            shape=self.kernel_size + (channels, self.depth_multiplier), initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer, constraint=self.depthwise_constraint)
        self._finish_build(channels, channels * self.depth_multiplier)

    def call(self, inputs):
        return self._finish(conv.depthwise_conv(inputs, self.depthwise_kernel.value, self.strides, self.padding,
                                                self.data_format, self.dilation_rate))

    @property
    def kernel(self):
        """The depthwise kernel, as Keras 3 calls it."""
        return self.depthwise_kernel

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        channels = None if channels is None else channels * self.depth_multiplier
        return join_shape(input_shape[0], lengths, channels, self.data_format)


class DepthwiseConv1D(BaseDepthwiseConv):
    """Convolution of each channel along one axis; arguments as for `DepthwiseConv2D`."""
    rank = 1

    def __init__(self, kernel_size, strides=1, padding='valid', depth_multiplier=1, data_format=None, dilation_rate=1,
                 activation=None, use_bias=True, depthwise_initializer='glorot_uniform', bias_initializer='zeros',
                 depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 depthwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class DepthwiseConv2D(BaseDepthwiseConv):
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
    rank = 2

    def __init__(self, kernel_size, strides=(1, 1), padding='valid', depth_multiplier=1, data_format=None,
                 dilation_rate=(1, 1), activation=None, use_bias=True, depthwise_initializer='glorot_uniform',
                 bias_initializer='zeros', depthwise_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, depthwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class BaseSeparableConv(Conv):
    """A depthwise convolution and a 1x1 convolution that mixes the channels."""
    of_each_channel = True
    without_effect = _OF_CONV

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        self.depthwise_kernel = self.add_weight(name='depthwise_kernel', layout='depthwise_kernel',
                                                shape=self.kernel_size + (channels, self.depth_multiplier))
        self.pointwise_kernel = self.add_weight(
            name='pointwise_kernel', layout='conv_kernel',
            shape=(1,) * self.rank + (channels * self.depth_multiplier, self.filters))
        self._finish_build(channels, self.filters)

    def call(self, inputs):
        return self._finish(conv.separable_conv(inputs, self.depthwise_kernel.value, self.pointwise_kernel.value,
                                                self.strides, self.padding, self.data_format, self.dilation_rate))


class SeparableConv1D(BaseSeparableConv):
    """Depthwise convolution along one axis, then a mixture of the channels; arguments as for `SeparableConv2D`."""
    rank = 1
    paddings = ('valid', 'same', 'full', 'causal')

    def __init__(self, filters, kernel_size, strides=1, padding='valid',
                 data_format=Default('SeparableConv1D.data_format'), dilation_rate=1,
                 depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer='glorot_uniform',
                 pointwise_initializer='glorot_uniform', bias_initializer='zeros', depthwise_regularizer=None,
                 pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 depthwise_constraint=None, pointwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class SeparableConv2D(BaseSeparableConv):
    """Depthwise convolution over images, then a 1x1 convolution that mixes the channels.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window (int for both).
        strides, padding, data_format, dilation_rate: as for `Conv2D`.
        depth_multiplier: number of depthwise filters per input channel.
        activation, use_bias, and the initializers, regularizers and constraints: as for `Dense`.

    Source: Chollet, Xception: deep learning with depthwise separable convolutions (2017).
    """
    rank = 2

    def __init__(self, filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1),
                 depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer='glorot_uniform',
                 pointwise_initializer='glorot_uniform', bias_initializer='zeros', depthwise_regularizer=None,
                 pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 depthwise_constraint=None, pointwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


# --- padding and cropping -----------------------------------------------------------------------------------------

class _Bordered(Spatial):
    """Padding and cropping: `border` is the argument that says how much."""
    border = None
    paddings = ()

    def declare(self, given):
        super().declare(given)
        self._pairs = spatial_pairs(getattr(self, self.border), self.rank, self.border)
        setattr(self, self.border, self._pairs[0] if self.rank == 1 else self._pairs)


class _ZeroPadding(_Bordered):
    border = 'padding'

    def call(self, inputs):
        return conv.spatial_padding(inputs, self._pairs, self.data_format)

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        sizes = [None if size is None else size + before + after for size, (before, after) in zip(sizes, self._pairs)]
        return join_shape(input_shape[0], sizes, channels, self.data_format)


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps of (batch, steps, channels).

    Args:
        padding: number of zeros on both sides, or a pair (before, after).
    """
    rank = 1
    later = ('data_format',)

    def __init__(self, padding=1, data_format=Default('Conv1D.data_format'), **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images.

    Args:
        padding: an int; (rows, columns); or ((top, bottom), (left, right)).
        data_format: 'channels_last' or 'channels_first'; default from keras.json.

    Example:
        >>> keras.layers.ZeroPadding2D(((1, 0), (2, 2)))(np.ones((1, 3, 3, 1), 'float32')).shape
        (1, 4, 7, 1)
    """
    rank = 2

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes.

    Args:
        padding: an int, three ints, or three pairs (before, after).
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
    """
    rank = 3

    def __init__(self, padding=Default('ZeroPadding3D.padding'), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class _Cropping(_Bordered):
    border = 'cropping'

    def call(self, inputs):
        self.compute_output_shape(static_shape(inputs))
        return conv.spatial_cropping(inputs, self._pairs, self.data_format)

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        sizes = [None if size is None else size - before - after for size, (before, after) in zip(sizes, self._pairs)]
        lowest = 1 if self.ruled('cropping_leaves_some') else 0
        if any(size is not None and size < lowest for size in sizes):
            raise ValueError('Layer %r (%s): %s' % (self.name, type(self).__name__,
                                                    conv.too_much_cropped(self._pairs, input_shape)))
        return join_shape(input_shape[0], sizes, channels, self.data_format)


class Cropping1D(_Cropping):
    """(batch, steps, channels) without its first and last steps.

    Args:
        cropping: number of steps cut off on both sides, or a pair (before, after).
    """
    rank = 1
    later = ('data_format',)

    def __init__(self, cropping=(1, 1), data_format='channels_last', **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class Cropping2D(_Cropping):
    """Images without their borders; `cropping` as the `padding` of `ZeroPadding2D`."""
    rank = 2

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class Cropping3D(_Cropping):
    """Volumes without their borders; `cropping` as the `padding` of `ZeroPadding3D`."""
    rank = 3

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


# --- enlarging ----------------------------------------------------------------------------------------------------

class _UpSampling(Spatial):
    interpolation = 'nearest'

    def declare(self, given):
        super().declare(given)
        self._factors = spatial_tuple(self.size, self.rank, 'size')
        self.size = self._factors if self.rank > 1 else self._factors[0]

    def call(self, inputs):
        return conv.upsampling(inputs, self._factors, self.interpolation, self.data_format,
                               self.ruled('bilinear_centers'))

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        sizes = [None if size is None else size * factor for size, factor in zip(sizes, self._factors)]
        return join_shape(input_shape[0], sizes, channels, self.data_format)


class UpSampling1D(_UpSampling):
    """Each step of (batch, steps, channels) repeated.

    Args:
        size: number of repetitions.
    """
    rank = 1
    later = ('data_format',)

    def __init__(self, size=2, data_format='channels_last', **kwargs):
        super().__init__(**kwargs)
        only = size[0] if isinstance(size, (tuple, list)) and len(size) == 1 else size
        if isinstance(only, bool) or not hasattr(only, '__index__'):
            raise TypeError('UpSampling1D: Expected an integer value for `size`. Received: size=%r' % (size,))
        if only <= 0:
            raise ValueError('UpSampling1D: the value of `size` should be a positive integer. Received: size=%r'
                             % (size,))
        self.declare(locals())


class UpSampling2D(_UpSampling):
    """Images enlarged by whole factors.

    Args:
        size: factors of rows and columns (int for both).
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
        interpolation: 'nearest' repeats rows and columns, 'bilinear' interpolates between them, counting from the
            corners, in tf.keras and Keras 3 from the centres of pixels; 'bicubic', 'lanczos3' and 'lanczos5' count from
            the centres.

    Example:
        >>> keras.layers.UpSampling2D((2, 3))(np.ones((1, 2, 2, 1), 'float32')).shape
        (1, 4, 6, 1)
    """
    rank = 2

    def __init__(self, size=(2, 2), data_format=None, interpolation='nearest', **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        kinds = ('nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5')
        if interpolation not in kinds:
            raise ValueError('UpSampling2D: `interpolation` must be one of %s. Received: %r'
                             % (', '.join(kinds), interpolation))


class UpSampling3D(_UpSampling):
    """Volumes enlarged by whole factors of depth, rows and columns (`size`, an int for all)."""
    rank = 3

    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
Convolution2DTranspose = Deconvolution2D = Deconv2D = Conv2DTranspose
Convolution1DTranspose = Conv1DTranspose
Convolution3DTranspose = Deconvolution3D = Deconv3D = Conv3DTranspose
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
