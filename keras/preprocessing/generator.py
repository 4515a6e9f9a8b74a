"""Pictures changed at random while a model is trained."""
import warnings

import numpy as np

from keras import config
from keras.preprocessing.affine import (FILL_MODES, apply_affine_transform, apply_channel_shift, brightened,
                                        drawing_from, drawn_zoom, generator, pair)
from keras.preprocessing.data_frames import DataFrameIterator
from keras.preprocessing.iterators import DirectoryIterator, NumpyArrayIterator

# Keeps divisions by a standard deviation of zero harmless.
_EPSILON = 1e-6


class ImageDataGenerator:
    """Batches of pictures, each changed at random: turned, moved, sheared, zoomed, mirrored, coloured, standardized.

    Args:
        featurewise_center, featurewise_std_normalization: whether the mean of all pictures is taken away, and the rest
            divided by the standard deviation, per channel; `fit` finds both. samplewise_center,
            samplewise_std_normalization: the same by the mean and standard deviation of each picture itself.
        zca_whitening: whether pixels are made uncorrelated; `fit` finds how. zca_epsilon: added to variances for that.
        rotation_range: up to how many degrees pictures are turned. width_shift_range, height_shift_range: how far they
            are moved: a number below 1 is a part of the size, an integer n up to n - 1 pixels, a list the pixels to
            choose from, any other number pixels. brightness_range: (least, greatest factor); the values then are 0 to
            255. shear_range: up to how many degrees. zoom_range: (least, greatest factor), or z for (1 - z, 1 + z).
        channel_shift_range: up to how much is added to all values.
        fill_mode, cval: what comes in from outside, as in `apply_affine_transform`. horizontal_flip, vertical_flip:
            whether half of the pictures are mirrored. rescale: factor for all values, applied after all changes.
        preprocessing_function: takes and gives an array of rank 3, after all changes and before `rescale`.
        data_format: 'channels_last' or 'channels_first', where the channels are; default as in the settings.
        validation_split: the part of the data that is for validation, see `subset` of the flows.
        interpolation_order: of the splines between pixels, as in `apply_affine_transform`. dtype: default floatx.

    Raises:
        ValueError: for values that make no sense.

    Example:
        >>> generator = keras.preprocessing.image.ImageDataGenerator(rotation_range=20, horizontal_flip=True)
        >>> pictures, labels = next(generator.flow(np.ones((40, 8, 8, 3)), np.zeros(40), batch_size=16, seed=1))
        >>> pictures.shape, labels.shape
        ((16, 8, 8, 3), (16,))
    """

    def __init__(self, featurewise_center=False, samplewise_center=False, featurewise_std_normalization=False,
                 samplewise_std_normalization=False, zca_whitening=False, zca_epsilon=1e-6, rotation_range=0,
                 width_shift_range=0.0, height_shift_range=0.0, brightness_range=None, shear_range=0.0, zoom_range=0.0,
                 channel_shift_range=0.0, fill_mode='nearest', cval=0.0, horizontal_flip=False, vertical_flip=False,
                 rescale=None, preprocessing_function=None, data_format='channels_last', validation_split=0.0,
                 interpolation_order=1, dtype='float32'):
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = None if brightness_range is None else pair(brightness_range, 'brightness_range')
        self.shear_range = shear_range
        self.zoom_range = _as_zoom_range(zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.interpolation_order = interpolation_order
        self.dtype = dtype or config.floatx()
        self.mean = self.std = self.principal_components = None
        self._set_axes(data_format or config.image_data_format())
        if fill_mode not in FILL_MODES:
            raise ValueError('fill_mode must be one of %s. Received: %r' % (', '.join(FILL_MODES), fill_mode))
        if validation_split and not 0 < validation_split < 1:
            raise ValueError('`validation_split` must be strictly between 0 and 1.  Received: %s' % (validation_split,))
        self._validation_split = validation_split
        self._settle_standardization()

    def _set_axes(self, data_format):
        if data_format not in config.DATA_FORMATS:
            raise ValueError('`data_format` should be "channels_last" (channel after row and column) or '
                             '"channels_first" (channel before row and column). Received: %r' % (data_format,))
        self.data_format = data_format
        first = data_format == 'channels_first'
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)

    def _settle_standardization(self):
        """What needs or replaces what else."""
        def override(name, setting, other):
            warnings.warn('This ImageDataGenerator specifies `%s`, which overrides setting of `%s`.' % (name, other),
                          stacklevel=4)
            setattr(self, other, setting)
        if self.zca_whitening:
            if not self.featurewise_center:
                override('zca_whitening', True, 'featurewise_center')
            if self.featurewise_std_normalization:
                override('zca_whitening', False, 'featurewise_std_normalization')
        if self.featurewise_std_normalization and not self.featurewise_center:
            override('featurewise_std_normalization', True, 'featurewise_center')
        if self.samplewise_std_normalization and not self.samplewise_center:
            override('samplewise_std_normalization', True, 'samplewise_center')

    # --- flows

    def flow(self, x, y=None, batch_size=32, shuffle=True, sample_weight=None, seed=None, save_to_dir=None,
             save_prefix='', save_format='png', subset=None):
        """A `NumpyArrayIterator` over an array of pictures; the arguments are described there."""
        return NumpyArrayIterator(x, y, self, batch_size=batch_size, shuffle=shuffle, sample_weight=sample_weight,
                                  seed=seed, data_format=self.data_format, save_to_dir=save_to_dir,
                                  save_prefix=save_prefix, save_format=save_format, subset=subset, dtype=self.dtype)

    def flow_from_directory(self, directory, target_size=(256, 256), color_mode='rgb', classes=None,
                            class_mode='categorical', batch_size=32, shuffle=True, seed=None, save_to_dir=None,
                            save_prefix='', save_format='png', follow_links=False, subset=None,
                            interpolation='nearest'):
        """A `DirectoryIterator` over a folder with a folder for each class; the arguments are described there."""
        return DirectoryIterator(directory, self, target_size=target_size, color_mode=color_mode, classes=classes,
                                 class_mode=class_mode, batch_size=batch_size, shuffle=shuffle, seed=seed,
                                 data_format=self.data_format, save_to_dir=save_to_dir, save_prefix=save_prefix,
                                 save_format=save_format, follow_links=follow_links, subset=subset,
                                 interpolation=interpolation, dtype=self.dtype)

    def flow_from_dataframe(self, dataframe, directory=None, x_col='filename', y_col='class', weight_col=None,
                            target_size=(256, 256), color_mode='rgb', classes=None, class_mode='categorical',
                            batch_size=32, shuffle=True, seed=None, save_to_dir=None, save_prefix='',
                            save_format='png', subset=None, interpolation='nearest', validate_filenames=True, **kwargs):
        """A `DataFrameIterator` over files that a data frame lists; the arguments are described there."""
        for name in ('has_ext', 'sort', 'drop_duplicates'):
            if name in kwargs:
                warnings.warn('flow_from_dataframe: `%s` has no effect: file names in the data frame are complete, '
                              'rows come in their order, and none is dropped.' % name, DeprecationWarning, stacklevel=2)
                del kwargs[name]
        if kwargs:
            raise TypeError('flow_from_dataframe: Unrecognized keyword arguments: %s' % sorted(kwargs))
        if class_mode == 'other':
            warnings.warn('flow_from_dataframe: the class mode "other" is now called "raw": class_mode="raw".',
                          DeprecationWarning, stacklevel=2)
            class_mode = 'raw'
        return DataFrameIterator(dataframe, directory, self, x_col=x_col, y_col=y_col, weight_col=weight_col,
                                 target_size=target_size, color_mode=color_mode, classes=classes,
                                 class_mode=class_mode, data_format=self.data_format, batch_size=batch_size,
                                 shuffle=shuffle, seed=seed, save_to_dir=save_to_dir, save_prefix=save_prefix,
                                 save_format=save_format, subset=subset, interpolation=interpolation,
                                 validate_filenames=validate_filenames, dtype=self.dtype)

    def fractions(self, subset):
        """Where a subset begins and ends in the data: 'validation' before `validation_split`, 'training' after it.

        Raises:
            ValueError: for another subset.
        """
        if subset not in ('training', 'validation'):
            raise ValueError('Invalid subset name: %r; expected "training" or "validation".' % (subset,))
        return (0, self._validation_split) if subset == 'validation' else (self._validation_split, 1)

    # --- one picture

    def changed(self, x):
        """A picture changed at random and standardized; `x`, array of rank 3, may be overwritten."""
        return self.standardize(self.apply_transform(x, self.get_random_transform(x.shape)))

    def get_random_transform(self, img_shape, seed=None):
        """What is to happen to a picture, for `apply_transform`.

        Args:
            img_shape: tuple of three. seed: of the draws; default: NumPy's global generator draws.

        Returns:
            Dictionary of theta, tx, ty, shear, zx, zy, flip_horizontal, flip_vertical, channel_shift_intensity,
            brightness.
        """
        with drawing_from(None if seed is None else np.random.RandomState(seed)):
            # The order is that of the draws.
            return {
                'theta': self._drawn(self.rotation_range, 0),
                'tx': _drawn_shift(self.height_shift_range, img_shape[self.row_axis - 1]),
                'ty': _drawn_shift(self.width_shift_range, img_shape[self.col_axis - 1]),
                'shear': self._drawn(self.shear_range, 0),
                **dict(zip(('zx', 'zy'), drawn_zoom(self.zoom_range))),
                'flip_horizontal': (generator().random_sample() < 0.5) * self.horizontal_flip,
                'flip_vertical': (generator().random_sample() < 0.5) * self.vertical_flip,
                'channel_shift_intensity': self._drawn(self.channel_shift_range, None),
                'brightness': None if self.brightness_range is None else generator().uniform(*self.brightness_range),
            }

    @staticmethod
    def _drawn(reach, otherwise):
        return generator().uniform(-reach, reach) if reach else otherwise

    def apply_transform(self, x, transform_parameters):
        """A picture changed as `transform_parameters` says.

        Args:
            x: array of rank 3. transform_parameters: dictionary as `get_random_transform` gives it; what is missing
                changes nothing.

        Returns:
            Array of the shape of `x`.
        """
        wanted = transform_parameters.get
        row_axis, col_axis, channel_axis = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        x = apply_affine_transform(
            x, wanted('theta', 0), wanted('tx', 0), wanted('ty', 0), wanted('shear', 0), wanted('zx', 1),
            wanted('zy', 1), row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
            fill_mode=self.fill_mode, cval=self.cval, order=self.interpolation_order)
        if wanted('channel_shift_intensity') is not None:
            x = apply_channel_shift(x, wanted('channel_shift_intensity'), channel_axis)
        if wanted('flip_horizontal', False):
            x = np.flip(x, col_axis)
        if wanted('flip_vertical', False):
            x = np.flip(x, row_axis)
        if wanted('brightness') is not None:
            x = brightened(x, wanted('brightness'), self.data_format)
        return x

    def random_transform(self, x, seed=None):
        """A picture changed at random, not standardized.

        Args:
            x: array of rank 3. seed: of the draws; default: NumPy's global generator draws.
        """
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def standardize(self, x):
        """A picture, or several, standardized as the arguments of the generator say.

        Args:
            x: array of floating point, which may be overwritten.
        """
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + _EPSILON
        if self.featurewise_center and self._is_fit('featurewise_center', self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._is_fit('featurewise_std_normalization', self.std):
            x /= self.std + _EPSILON
        if self.zca_whitening and self._is_fit('zca_whitening', self.principal_components):
            x = x.reshape(-1, self.principal_components.shape[0]).dot(self.principal_components).reshape(x.shape)
        return x

    @staticmethod
    def _is_fit(setting, found):
        if found is None:
            warnings.warn("This ImageDataGenerator specifies `%s`, but it hasn't been fit on any training data. Fit it "
                          'first by calling `.fit(numpy_data)`.' % setting, stacklevel=3)
        return found is not None

    # --- all pictures

    def fit(self, x, augment=False, rounds=1, seed=None):
        """Find mean, standard deviation and principal components of pictures, as far as they are wanted.

        Args:
            x: array of rank 4. augment: whether to look at the pictures as they are after random changes. rounds: how
                often then. seed: of the changes; default: NumPy's global generator draws.

        Raises:
            ValueError: if `x` has another rank.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError('Input to `.fit()` should have rank 4. Got array with shape: %s' % (x.shape,))
        if x.shape[self.channel_axis] not in (1, 3, 4):
            warnings.warn('Expected input to be images (as Numpy array) following the data format convention "%s" '
                          '(channels on axis %d), i.e. expected either 1, 3 or 4 channels on axis %d. However, it was '
                          'passed an array with shape %s (%d channels).'
                          % (self.data_format, self.channel_axis, self.channel_axis, x.shape,
                             x.shape[self.channel_axis]), stacklevel=2)
        if self.rescale:
            x *= self.rescale
        if augment:
            with drawing_from(None if seed is None else np.random.RandomState(seed)):
                changed = np.empty((rounds * len(x),) + x.shape[1:], dtype=self.dtype)
                for number, row in enumerate(changed):
                    row[...] = self.random_transform(x[number % len(x)])
                x = changed
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, axis=axes, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=axes, keepdims=True)[0]
            x /= self.std + _EPSILON
        if self.zca_whitening:
            flat = x.reshape(len(x), -1)
            variances, directions = np.linalg.eigh(flat.T.dot(flat) / len(flat))
            # What should be zero is rounding of either sign.
            scale = 1.0 / np.sqrt(np.abs(variances) + self.zca_epsilon)
            self.principal_components = (directions * scale).dot(directions.T)


def _as_zoom_range(zoom_range):
    if isinstance(zoom_range, (int, float)):
        return [1 - zoom_range, 1 + zoom_range]
    if len(zoom_range) == 2 and all(isinstance(factor, (int, float)) for factor in zoom_range):
        return [zoom_range[0], zoom_range[1]]
    raise ValueError('`zoom_range` should be a float or a tuple or list of two floats. Received: %s' % (zoom_range,))


def _drawn_shift(reach, size):
    """How many pixels a picture of this size is moved."""
    if not np.any(reach):
        return 0
    if np.ndim(reach) == 1 or isinstance(reach, (int, np.integer)):
        # A list of pixels, or up to so many.
        return generator().choice(reach) * generator().choice([-1, 1])
    pixels = generator().uniform(-reach, reach)
    return pixels * size if reach < 1 else pixels
