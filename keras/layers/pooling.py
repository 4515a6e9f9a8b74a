"""Maxima and means: over windows, or over whole axes."""
from keras import config, ops
from keras.backend.composites.conv import average_pool, max_pool, spatial_tuple
from keras.layers.arguments import join_shape, normalize_padding, spatial_axes, split_shape, window_lengths
from keras.layers.base import InputSpec, Layer


class _Pooling(Layer):
    """What pooling over windows shares. `pool`: the operation."""
    pool = None
    begins_channels_first = True

    def __init__(self, rank, pool_size, strides, padding, data_format, kwargs):
        super().__init__(**kwargs)
        self.pool_size = spatial_tuple(pool_size, rank, 'pool_size')
        self.strides = self.pool_size if strides is None else spatial_tuple(strides, rank, 'strides')
        self.padding = normalize_padding(padding)
        self.data_format = config.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)

    def call(self, inputs):
        return self.pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def in_channels_first(self, rank):
        return self._with_data_format()

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.pool_size, self.strides, self.padding)
        return join_shape(input_shape[0], lengths, channels, self.data_format)

    def get_config(self):
        config = super().get_config()
        config.update(pool_size=self.pool_size, strides=self.strides, padding=self.padding,
                      data_format=self.data_format)
        return config


class _MaxPooling(_Pooling):
    pool = staticmethod(max_pool)


class _AveragePooling(_Pooling):
    pool = staticmethod(average_pool)


class MaxPooling1D(_MaxPooling):
    """The maximum of windows along time; arguments as for `MaxPooling2D`.

    Example:
        >>> keras.layers.MaxPooling1D(2)(np.ones((2, 7, 3), 'float32')).shape
        (2, 3, 3)
    """

    def __init__(self, pool_size=2, strides=None, padding='valid', data_format='channels_last', **kwargs):
        super().__init__(1, pool_size, strides, padding, data_format, kwargs)


class MaxPooling2D(_MaxPooling):
    """The maximum of windows of images.

    Args:
        pool_size: height and width of the window (int for both).
        strides: steps of the window, default its size.
        padding: 'valid' (only whole windows) or 'same'.
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
    """

    def __init__(self, pool_size=(2, 2), strides=None, padding='valid', data_format=None, **kwargs):
        super().__init__(2, pool_size, strides, padding, data_format, kwargs)


class MaxPooling3D(_MaxPooling):
    """The maximum of windows of volumes; arguments as for `MaxPooling2D`."""

    def __init__(self, pool_size=(2, 2, 2), strides=None, padding='valid', data_format=None, **kwargs):
        super().__init__(3, pool_size, strides, padding, data_format, kwargs)


class AveragePooling1D(_AveragePooling):
    """The mean of windows along time; arguments as for `AveragePooling2D`."""

    def __init__(self, pool_size=2, strides=None, padding='valid', data_format='channels_last', **kwargs):
        super().__init__(1, pool_size, strides, padding, data_format, kwargs)


class AveragePooling2D(_AveragePooling):
    """The mean of windows of images; padding is not counted.

    Args:
        pool_size: height and width of the window (int for both).
        strides: steps of the window, default its size.
        padding: 'valid' (only whole windows) or 'same'.
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
    """

    def __init__(self, pool_size=(2, 2), strides=None, padding='valid', data_format=None, **kwargs):
        super().__init__(2, pool_size, strides, padding, data_format, kwargs)


class AveragePooling3D(_AveragePooling):
    """The mean of windows of volumes; arguments as for `AveragePooling2D`."""

    def __init__(self, pool_size=(2, 2, 2), strides=None, padding='valid', data_format=None, **kwargs):
        super().__init__(3, pool_size, strides, padding, data_format, kwargs)


# --- over whole axes ----------------------------------------------------------------------------------------------

class _GlobalPooling(Layer):

    def __init__(self, rank, data_format, keepdims, kwargs):
        super().__init__(**kwargs)
        self.data_format = config.normalize_data_format(data_format)
        self.keepdims = keepdims
        self._axes = tuple(spatial_axes(self.data_format, rank + 2))
        self.input_spec = InputSpec(ndim=rank + 2)

    def in_channels_first(self, rank):
        return self._with_data_format(_axes=tuple(spatial_axes('channels_first', rank)))

    def compute_output_shape(self, input_shape):
        sizes, channels = split_shape(input_shape, self.data_format)
        if self.keepdims:
            return join_shape(input_shape[0], (1,) * len(sizes), channels, self.data_format)
        return (input_shape[0], channels)

    def get_config(self):
        config = super().get_config()
        config['data_format'] = self.data_format
        if self.keepdims:
            config['keepdims'] = True
        return config


class _GlobalMaxPooling(_GlobalPooling):

    def call(self, inputs):
        return ops.max(inputs, self._axes, self.keepdims)


class _GlobalAveragePooling(_GlobalPooling):

    def call(self, inputs):
        return ops.mean(inputs, self._axes, self.keepdims)


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The maximum over time: (batch, steps, channels) becomes (batch, channels).

    Args:
        data_format: 'channels_last' or 'channels_first'. keepdims: keep the reduced axis with size 1.
    """

    def __init__(self, data_format='channels_last', keepdims=False, **kwargs):
        super().__init__(1, data_format, keepdims, kwargs)


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The maximum over rows and columns, per channel; arguments as for `GlobalAveragePooling2D`."""

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(2, data_format, keepdims, kwargs)


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """The maximum over a volume, per channel; arguments as for `GlobalAveragePooling2D`."""

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(3, data_format, keepdims, kwargs)


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean over time, of the steps that are not masked: (batch, steps, channels) becomes (batch, channels).

    Args:
        data_format: 'channels_last' or 'channels_first'. keepdims: keep the reduced axis with size 1.
    """

    def __init__(self, data_format='channels_last', keepdims=False, **kwargs):
        super().__init__(1, data_format, keepdims, kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        weights = ops.expand_dims(ops.cast(mask, self.compute_dtype), 2 if self.data_format == 'channels_last' else 1)
        total = ops.sum(ops.multiply(inputs, weights), self._axes, self.keepdims)
        return ops.divide(total, ops.sum(weights, self._axes, self.keepdims))

    def compute_mask(self, inputs, mask=None):
        return None


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean over rows and columns, per channel.

    Args:
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
        keepdims: keep the reduced axes with size 1.

    Source: Lin et al., Network in network (2013).

    Example:
        >>> keras.layers.GlobalAveragePooling2D()(np.ones((2, 4, 4, 3), 'float32')).shape
        (2, 3)
    """

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(2, data_format, keepdims, kwargs)


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """The mean over a volume, per channel; arguments as for `GlobalAveragePooling2D`."""

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(3, data_format, keepdims, kwargs)


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (GlobalAveragePooling1D, GlobalAveragePooling2D,
                                                     GlobalAveragePooling3D)
