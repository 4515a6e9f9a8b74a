"""Maxima and means: over windows, or over whole axes."""
import numpy as np

from keras import ops
from keras.backend.table.composites.conv import average_pool, max_pool, spatial_tuple
from keras.backend.table.composites.shape import dtype_of
from keras.generations import Default
from keras.layers.arguments import join_shape, spatial_axes, split_shape, window_lengths
from keras.layers.base import InputSpec, Layer  # noqa: F401
from keras.layers.families import Spatial


class BasePooling(Spatial):
    """What pooling over windows shares. `pool`: the operation."""
    nothing_to_build = True
    pool = None
    begins_channels_first = True

    def declare(self, given):
        super().declare(given)
        if self.strides is None:
            self.strides = self.pool_size

    def call(self, inputs):
        if type(self)._pooling_function is not BasePooling._pooling_function:
            return self._pooled_by_subclass(inputs)
        return self.pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def _pooling_function(self, inputs, pool_size, strides, padding, data_format):
        """The operation, by the name under which scripts for Keras 2 override it."""
        return self.pool(inputs, pool_size, strides, padding, data_format)

    def _pooled_by_subclass(self, inputs):
        """What a subclass's own function gives; of one axis it gets images with a second axis of size 1."""
        lone = self.rank == 1
        axis = 2 if self.data_format == 'channels_last' else 3
        outputs = self._pooling_function(
            inputs=ops.expand_dims(inputs, axis) if lone else inputs, pool_size=self.pool_size + (1,) * lone,
            strides=self.strides + (1,) * lone, padding=self.padding, data_format=self.data_format)
        return ops.squeeze(outputs, axis) if lone else outputs

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.pool_size, self.strides, self.padding)
        return join_shape(input_shape[0], lengths, channels, self.data_format)


class _Pooling1D(BasePooling):
    rank = 1

    def __init__(self, pool_size=2, strides=None, padding='valid',
                 data_format=Default('MaxPooling1D.data_format'), **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class _Pooling2D(BasePooling):
    rank = 2

    def __init__(self, pool_size=(2, 2), strides=None, padding='valid', data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class _Pooling3D(BasePooling):
    rank = 3

    def __init__(self, pool_size=(2, 2, 2), strides=None, padding='valid', data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class MaxPooling1D(_Pooling1D):
    """The maximum of windows along time; arguments as for `MaxPooling2D`.

    Example:
        >>> keras.layers.MaxPooling1D(2)(np.ones((2, 7, 3), 'float32')).shape
        (2, 3, 3)
    """
    pool = staticmethod(max_pool)


class MaxPooling2D(_Pooling2D):
    """The maximum of windows of images.

    Args:
        pool_size: height and width of the window (int for both).
        strides: steps of the window, default its size.
        padding: 'valid' (only whole windows) or 'same'.
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
    """
    pool = staticmethod(max_pool)


class MaxPooling3D(_Pooling3D):
    """The maximum of windows of volumes; arguments as for `MaxPooling2D`."""
    pool = staticmethod(max_pool)


class AveragePooling1D(_Pooling1D):
    """The mean of windows along time; arguments as for `AveragePooling2D`."""
    pool = staticmethod(average_pool)


class AveragePooling2D(_Pooling2D):
    """The mean of windows of images; arguments as for `MaxPooling2D`. Padding is not counted."""
    pool = staticmethod(average_pool)


class AveragePooling3D(_Pooling3D):
    """The mean of windows of volumes; arguments as for `AveragePooling2D`."""
    pool = staticmethod(average_pool)


# --- over whole axes ----------------------------------------------------------------------------------------------

class BaseGlobalPooling(Spatial):
    """What pooling over all places shares. `reduce`: the operation."""
    nothing_to_build = True
    reduce = None
    later = ('keepdims',)

    def declare(self, given):
        super().declare(given)
        self._axes = tuple(spatial_axes(self.data_format, self.rank + 2))

    def in_channels_first(self, rank):
        return self.in_other_format(_axes=tuple(spatial_axes('channels_first', rank)))

    def call(self, inputs):
        return self.reduce(inputs, self._axes, self.keepdims)

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        if self.keepdims:
            return join_shape(input_shape[0], (1,) * len(sizes), channels, self.data_format)
        return (input_shape[0], channels)


class _GlobalPooling1D(BaseGlobalPooling):
    rank = 1

    def __init__(self, data_format=Default('MaxPooling1D.data_format'), keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class _GlobalPooling2D(BaseGlobalPooling):
    rank = 2

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class _GlobalPooling3D(BaseGlobalPooling):
    rank = 3

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The maximum over time: (batch, steps, channels) becomes (batch, channels).

    Args:
        data_format: 'channels_last' or 'channels_first'. keepdims: keep the reduced axis with size 1.
    """
    reduce = staticmethod(ops.max)


class GlobalMaxPooling2D(_GlobalPooling2D):
    """The maximum over rows and columns, per channel; arguments as for `GlobalAveragePooling2D`."""
    reduce = staticmethod(ops.max)


class GlobalMaxPooling3D(_GlobalPooling3D):
    """The maximum over a volume, per channel; arguments as for `GlobalAveragePooling2D`."""
    reduce = staticmethod(ops.max)


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean over time, of the steps that are not masked: (batch, steps, channels) becomes (batch, channels).

    Args:
        data_format: 'channels_last' or 'channels_first'. keepdims: keep the reduced axis with size 1.
    """
    reduce = staticmethod(ops.mean)
    supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        weights = ops.cast(mask, self.float_type(inputs))
        weights = ops.expand_dims(weights, 2 if self.data_format == 'channels_last' else 1)
        total = ops.sum(ops.multiply(inputs, weights), self._axes, self.keepdims)
        return ops.divide(total, ops.sum(weights, self._axes, self.keepdims))

    def compute_mask(self, inputs, mask=None):
        return None


class GlobalAveragePooling2D(_GlobalPooling2D):
    """The mean over rows and columns, per channel.

    Args:
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
        keepdims: keep the reduced axes with size 1.

    Source: Lin et al., Network in network (2013).

    Example:
        >>> keras.layers.GlobalAveragePooling2D()(np.ones((2, 4, 4, 3), 'float32')).shape
        (2, 3)
    """
    reduce = staticmethod(ops.mean)


class GlobalAveragePooling3D(_GlobalPooling3D):
    """The mean over a volume, per channel; arguments as for `GlobalAveragePooling2D`."""
    reduce = staticmethod(ops.mean)


# --- over windows that follow from the size of the output ---------------------------------------------------------

class _AdaptivePooling(Spatial):
    """What pooling to a given size shares. `mean`: whether it is the mean of a window, else its maximum."""
    mean = False

    def __init__(self, output_size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.output_size = spatial_tuple(output_size, self.rank, 'output_size')

    def call(self, inputs):
        first = 1 if self.data_format == 'channels_last' else 2
        for axis, size in enumerate(self.output_size, first):
            inputs = self._along(inputs, axis, size)
        return inputs

    def _along(self, x, axis, size):
        sizes = list(ops.shape(x))
        windows = _adaptive_windows if isinstance(sizes[axis], int) else _windows_of_unknown
        places, shares = windows(sizes[axis], size)
        gathered = ops.take(x, ops.reshape(places, (-1,)), axis)
        gathered = ops.reshape(gathered, sizes[:axis] + list(ops.shape(places)) + sizes[axis + 1:])
        shares = ops.reshape(shares, tuple(ops.shape(shares)) + (1,) * (len(sizes) - axis - 1))
        if not self.mean:
            # A place that is there again is left out: it would get the gradient of the maximum as often.
            dtype = dtype_of(gathered)
            lowest = float(np.finfo('float16' if dtype == 'float16' else 'float32').min)
            # Added, not chosen by `where`, which some engines have for five axes at most.
            left_out = ops.where(ops.greater(shares, 0), ops.zeros_like(shares), ops.full_like(shares, lowest))
            return ops.max(ops.add(gathered, ops.cast(left_out, dtype)), axis + 1)
        return ops.sum(ops.multiply(gathered, ops.cast(shares, gathered.dtype)), axis + 1)

    def compute_output_shape(self, input_shape):
        return join_shape(input_shape[0], self.output_size, split_shape(input_shape, self.data_format)[1],
                          self.data_format)


def _adaptive_windows(length, count):
    """(places, shares), both (count, longest window): what each of `count` windows over an axis holds, and its shares.

    Windows begin at the last whole place before their part of the axis and end at the first one behind it; shorter ones
    hold their last place again, with no share.
    """
    starts = np.arange(count) * length // count
    stops = -(-(np.arange(count) + 1) * length // count)
    places = starts[:, None] + np.arange((stops - starts).max())
    inside = places < stops[:, None]
    shares = inside / inside.sum(1, keepdims=True)
    return np.minimum(places, stops[:, None] - 1).astype('int32'), shares.astype('float32')


def _windows_of_unknown(length, count):
    """`_adaptive_windows` for a length that is a scalar tensor, with room for one place more."""
    numbers = np.arange(count, dtype='int32')
    starts = ops.floor_divide(ops.multiply(length, numbers), count)
    stops = ops.floor_divide(ops.multiply(length, numbers + 1) + (count - 1), count)
    longest = ops.floor_divide(length + (count - 1), count) + 1
    starts, stops = ops.expand_dims(starts, 1), ops.expand_dims(stops, 1)
    places = ops.add(starts, ops.expand_dims(ops.arange(longest, dtype='int32'), 0))
    inside = ops.cast(ops.less(places, stops), 'float32')
    return ops.minimum(places, stops - 1), ops.divide(inside, ops.cast(stops - starts, 'float32'))


class _Adaptive1D(_AdaptivePooling):
    rank = 1


class _Adaptive2D(_AdaptivePooling):
    rank = 2


class _Adaptive3D(_AdaptivePooling):
    rank = 3


class AdaptiveMaxPooling1D(_Adaptive1D):
    """The maxima of as many windows along time as are wanted; arguments as for `AdaptiveAveragePooling2D`."""


class AdaptiveMaxPooling2D(_Adaptive2D):
    """The maxima of as many windows of images as are wanted; arguments as for `AdaptiveAveragePooling2D`."""


class AdaptiveMaxPooling3D(_Adaptive3D):
    """The maxima of as many windows of volumes as are wanted; arguments as for `AdaptiveAveragePooling2D`."""


class AdaptiveAveragePooling1D(_Adaptive1D):
    """The means of as many windows along time as are wanted; arguments as for `AdaptiveAveragePooling2D`."""
    mean = True


class AdaptiveAveragePooling2D(_Adaptive2D):
    """The means of as many windows of images as are wanted, which together cover each image.

    Args:
        output_size: the numbers of windows: an int, or one for each spatial axis.
        data_format: 'channels_last' or 'channels_first', default from keras.json.

    Source: He et al., Spatial pyramid pooling in deep convolutional networks for visual recognition (2014).

    Example:
        >>> keras.layers.AdaptiveAveragePooling2D((2, 3))(np.ones((1, 7, 6, 2), 'float32')).shape
        (1, 2, 3, 2)
    """
    mean = True


class AdaptiveAveragePooling3D(_Adaptive3D):
    """The means of as many windows of volumes as are wanted; arguments as for `AdaptiveAveragePooling2D`."""
    mean = True


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (GlobalAveragePooling1D, GlobalAveragePooling2D,
                                                     GlobalAveragePooling3D)
