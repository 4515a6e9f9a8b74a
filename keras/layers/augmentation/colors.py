"""Layers that change the colors of images, mostly at random and in training."""
from keras import ops, random
from keras.backend.contract.loading import get_engine
from keras.backend.table import primitives
from keras.layers.augmentation.filters import blurred, smoothed
from keras.layers.augmentation.image_layer import ImageLayer, factor_bounds, to_range
from keras.layers.augmentation.places import chosen
from keras.ops.ordering import row_counts

_BYTES = (0, 255)


class _Colored(ImageLayer):
    """Layers that know between which numbers (lower, upper) the colors lie."""
    value_range = _BYTES

    def declare(self, given):
        super().declare(given)
        bounds = self.value_range
        if not isinstance(bounds, (list, tuple)) or len(bounds) != 2 or not bounds[0] < bounds[1]:
            raise ValueError('%s: The `value_range` argument should be a list of two numbers (or a tuple), the '
                             'lower one first. Received: %r' % (type(self).__name__, bounds))

    def cut(self, images):
        """Images without values beyond the range."""
        return ops.clip(images, float(self.value_range[0]), float(self.value_range[1]))

    def in_range(self, function, images, target):
        """`function` of images whose values are in the range `target`, brought back and cut."""
        changed = function(to_range(images, self.value_range, target))
        return self.cut(to_range(changed, target, self.value_range))


class RandomContrast(_Colored):
    """The distance of images from their mean scaled at random, in training.

    Args:
        factor: `f` for factors between 1 (in generations before 3 `1 - f`) and `1 + f`, or (lower, upper) for
            `1 - lower` and `1 + upper`.
        value_range: what the values are cut to. seed: int, or None to draw one.
        data_format, bounding_box_format: see `RandomFlip`.

    Example:
        >>> layer = keras.layers.RandomContrast(0.5)
        >>> images = np.array([0.0, 200.0]).reshape(1, 1, 2, 1)
        >>> doubled = layer.transform_images(images, {'contrast_factor': 0.5})
        >>> keras.ops.convert_to_numpy(doubled).ravel().tolist()
        [50.0, 150.0]
    """
    later = ('value_range', 'data_format', 'bounding_box_format')

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        lower, upper = factor if isinstance(factor, (list, tuple)) and len(factor) == 2 else (factor, factor)
        for number in (lower, upper):
            factor_bounds(number, 0.0, 1.0)
        lower = 0.0 if lower is factor and self.ruled('images_change_as_in_3') else lower
        self._bounds = 1.0 - lower, 1.0 + upper

    def drawn(self, images, seed):
        return {'contrast_factor': self.draw(images, self._bounds, seed)}

    def changed_images(self, images, transformation):
        mean = ops.mean(images, self.image_axes(), keepdims=True)
        factors = ops.cast(transformation['contrast_factor'], images.dtype)
        return self.cut(ops.add(ops.multiply(ops.subtract(images, mean), factors), mean))


class RandomBrightness(_Colored):
    """Brighter or darker images, at random, in training.

    Args:
        factor: `f` for shares between `-f` and `f` of the value range that are added, or (lower, upper).
        value_range: of the images, which they are cut to. seed: int, or None to draw one.
        data_format, bounding_box_format: see `RandomFlip`.
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, -1.0, 1.0)

    def drawn(self, images, seed):
        lower, upper = map(float, self.value_range)
        return {'rgb_delta': ops.multiply(self.draw(images, self._bounds, seed), upper - lower)}

    def changed_images(self, images, transformation):
        return self.cut(ops.add(images, ops.cast(transformation['rgb_delta'], images.dtype)))


def _per_image(values, images):
    """One number for each image, as floats (batch, 1, 1, 1)."""
    return ops.cast(ops.reshape(values, (-1, 1, 1, 1)), images.dtype)


class RandomHue(_Colored):
    """RGB images whose hue is moved along the circle of colors, in training.

    Args:
        factor: `f` for moves by up to `f` half turns in both directions, or (lower, upper), both within 0 and 1.
        value_range, data_format, seed, bounding_box_format: see `RandomBrightness`.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, 0.0 if not isinstance(factor, (list, tuple)) else -1.0, 1.0)

    def drawn(self, images, seed):
        back, turns = self.draw(images, (0, 1), seed, 0), self.draw(images, self._bounds, seed, 0)
        return {'factor': ops.multiply(ops.where(ops.greater(back, 0.5), ops.negative(turns), turns), 0.5)}

    def changed_images(self, images, transformation):
        return self.in_range(lambda given: self._turned(given, transformation['factor']), images, (0, 1))

    def _turned(self, images, turns):
        hue, saturation, value = _hsv(images, self.data_format)
        hue = ops.mod(ops.add(hue, ops.squeeze(_per_image(turns, images), self.channel_axis())), 1.0)
        return _rgb(hue, saturation, value, self.data_format)


def _hsv(images, data_format):
    """[hue, saturation, value], each (batch, rows, columns), of RGB images with values in [0, 1]."""
    return ops.unstack(ops.image.rgb_to_hsv(images, data_format), 3, -1 if data_format == 'channels_last' else -3)


def _rgb(hue, saturation, value, data_format):
    axis = -1 if data_format == 'channels_last' else -3
    return ops.image.hsv_to_rgb(ops.stack([hue, saturation, value], axis), data_format)


class RandomSaturation(_Colored):
    """RGB images made paler or stronger in color, in training.

    Args:
        factor: `f` for numbers between `-f` and `f`, or (lower, upper): 0 and less takes all color away, 0.5 changes
            nothing, 1 makes colors as strong as they can be.
        value_range, data_format, seed, bounding_box_format: see `RandomBrightness`.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, -1.0, 1.0)

    def drawn(self, images, seed):
        factors = self.draw(images, self._bounds, seed, 0)
        return {'factor': ops.divide(factors, ops.add(ops.subtract(1.0, factors), 1e-7))}

    def changed_images(self, images, transformation):
        # Saturation does not depend on the range of the values; it is Keras 3 that cuts it to this range.
        factors = ops.squeeze(_per_image(transformation['factor'], images), self.channel_axis())
        hue, saturation, value = _hsv(images, self.data_format)
        return _rgb(hue, self.cut(ops.multiply(saturation, factors)), value, self.data_format)


class RandomColorDegeneration(_Colored):
    """RGB images mixed with their gray ones, in training.

    Args:
        factor: `f` for shares of gray between `-f` and `f`, or (lower, upper); negative ones make colors stronger.
        value_range, data_format, seed, bounding_box_format: see `RandomBrightness`.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, -1.0, 1.0)

    def drawn(self, images, seed):
        return {'factor': self.draw(images, self._bounds, seed)}

    def changed_images(self, images, transformation):
        gray = ops.image.rgb_to_grayscale(images, self.data_format)
        factor = _per_image(transformation['factor'], images)
        return self.cut(ops.add(images, ops.multiply(ops.subtract(gray, images), factor)))


class RandomGrayscale(ImageLayer):
    """Some RGB images made gray, with three channels still, in training.

    Args:
        factor: the probability for each image. data_format, seed, bounding_box_format: see `RandomFlip`.
    """

    keeps_integers = True

    def __init__(self, factor=0.5, data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        if not 0 <= factor <= 1:
            raise ValueError('RandomGrayscale: `factor` should be between 0 and 1. Received: factor=%r' % (factor,))

    def drawn(self, images, seed):
        return ops.less(self.draw(images, (0, 1), seed), float(self.factor))

    def changed_images(self, images, transformation):
        gray = ops.image.rgb_to_grayscale(images, self.data_format)
        return ops.where(ops.reshape(transformation, (-1, 1, 1, 1)), gray, images)


class RandomErasing(_Colored):
    """A rectangle of some images covered, in training.

    Args:
        factor: `f` for the probability with which an image changes, or (lower, upper), between which it is drawn.
        scale: of the image's area that is covered: `s` for shares between 0 and `s`, or (lower, upper).
        fill_value: what covers it, or None for noise. value_range, seed, data_format: see `RandomBrightness`.

    Source: Zhong et al., Random erasing data augmentation (2017).
    """
    makes_batches = True

    def __init__(self, factor=1.0, scale=(0.02, 0.33), fill_value=None, value_range=(0, 255), seed=None,
                 data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, 0.0, 1.0)
        self._areas = factor_bounds(scale, 0.0, 1.0, 'scale')

    def drawn(self, images, seed):
        lower, upper = self._areas
        sides = ops.sqrt(random.uniform((ops.shape(images)[0], 2), float(lower), float(upper), seed=seed))
        inside, _ = rectangles(self, images, (sides[:, 0], sides[:, 1]), seed)
        changes = chosen(images, self._bounds, seed)
        filling = ops.multiply(random.normal(ops.shape(images), seed=seed), float(self.value_range[1])) \
            if self.fill_value is None else float(self.fill_value)
        return {'apply_erasing': changes, 'batch_masks': inside, 'fill_value': filling}

    def changed_images(self, images, transformation):
        covered = ops.logical_and(ops.reshape(transformation['apply_erasing'], (-1, 1, 1, 1)),
                                  transformation['batch_masks'])
        return ops.where(covered, ops.cast(transformation['fill_value'], images.dtype), images)


def rectangles(layer, images, sizes, seed):
    """Rectangles at random places within images.

    Args:
        sizes: width and height, as shares of those of the image: (batch,) each.

    Returns:
        Booleans like one channel of images, True inside; and the share of the image that is inside, (batch,).
    """
    inside, share = None, 1.0
    for axis, size, side in zip(layer.image_axes()[::-1], layer.image_sizes(images)[::-1], sizes):
        whole = float(size) if isinstance(size, int) else ops.cast(size, 'float32')
        length = ops.multiply(side, whole)
        first = ops.multiply(random.uniform((ops.shape(images)[0],), seed=seed), ops.subtract(whole, length))
        shape = [1] * 4
        shape[axis] = -1
        first, last = [ops.reshape(edge, (-1, 1, 1, 1)) for edge in (first, ops.add(first, length))]
        places = ops.reshape(ops.arange(size, dtype='float32'), shape)
        along = ops.logical_and(ops.greater_equal(places, first), ops.less(places, last))
        inside = along if inside is None else ops.logical_and(inside, along)
        share = ops.multiply(share, ops.divide(length, whole))
    return inside, share


class RandomInvert(_Colored):
    """The negatives of some images, in training.

    Args:
        factor: `f` for the probability with which an image changes, or (lower, upper), between which it is drawn.
        value_range, seed, data_format, bounding_box_format: see `RandomBrightness`.
    """

    def __init__(self, factor=1.0, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, 0.0, 1.0)

    def drawn(self, images, seed):
        return {'apply_inversion': chosen(images, self._bounds, seed)}

    def changed_images(self, images, transformation):
        inverted = ops.subtract(float(sum(self.value_range)), images)
        return ops.where(ops.reshape(transformation['apply_inversion'], (-1, 1, 1, 1)), inverted, images)


class RandomPosterization(_Colored):
    """Images with fewer different colors, in training: values lose their last bits.

    Args:
        factor: from 1 to 8: `f` for bits from 1 to below `f` that are kept, or (lower, upper), `upper` left out.
        value_range, data_format, seed, bounding_box_format: see `RandomBrightness`.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, 1, 8)

    def drawn(self, images, seed):
        lower, upper = map(int, self._bounds)
        kept = random.randint((ops.shape(images)[0],), lower, upper, seed=seed) if lower < upper else \
            ops.full((ops.shape(images)[0],), lower, 'int32')
        return {'shift_factor': ops.subtract(8, kept)}

    def changed_images(self, images, transformation):
        shift = ops.reshape(ops.cast(transformation['shift_factor'], 'float32'), (-1, 1, 1, 1))
        step = ops.round(ops.exp2(shift))
        if get_engine().has_short_integers:
            bits = ops.cast(ops.negative(step), 'int16')
            values = ops.bitwise_and(ops.cast(to_range(images, self.value_range, _BYTES), 'int16'), bits)
            return to_range(ops.cast(values, images.dtype), _BYTES, self.value_range)
        share, step = [ops.cast(number, images.dtype) for number in (ops.divide(1.0, step), step)]

        def cut(given):
            return ops.multiply(ops.floor(ops.multiply(given, share)), step)
        return self.in_range(cut, images, _BYTES)


class RandomSharpness(_Colored):
    """Images made sharper at random, in training: they move away from what is blurred of them.

    Args:
        factor: `f` for strengths between 0 and `f`, or (lower, upper): 0 blurs, 0.5 changes nothing, 1 sharpens.
        value_range, data_format, seed, bounding_box_format: see `RandomBrightness`.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, 0.0, 1.0)

    def drawn(self, images, seed):
        return {'factor': self.draw(images, self._bounds, seed, 0)}

    def changed_images(self, images, transformation):
        factor = _per_image(transformation['factor'], images)
        soft = self.in_channels_last(smoothed, images)
        return self.cut(ops.add(soft, ops.multiply(ops.subtract(images, soft), ops.multiply(factor, 2.0))))


class RandomGaussianBlur(_Colored):
    """Some images blurred, in training.

    Args:
        factor: `f` for the probability with which an image changes, or (lower, upper), between which it is drawn.
        kernel_size: of the filter, an int or (rows, columns). sigma: `s` for widths of up to `s` pixels,
            or (lower, upper).
        value_range, data_format, seed, bounding_box_format: see `RandomBrightness`.
    """

    def __init__(self, factor=1.0, kernel_size=3, sigma=1.0, value_range=(0, 255), data_format=None, seed=None,
                 **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, 0.0, 1.0)
        self._taps = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
        if len(self._taps) != 2 or not all(isinstance(taps, int) and taps > 0 and taps % 2 for taps in self._taps):
            raise ValueError('`kernel_size` must be an odd number, or a tuple of two. Received: kernel_size=%r'
                             % (kernel_size,))
        self._sigmas = sigma if isinstance(sigma, (list, tuple)) else (0, sigma)
        if len(self._sigmas) != 2 or min(self._sigmas) < 0:
            raise ValueError('`sigma` must be a number of at least 0, or two of them. Received: sigma=%r' % (sigma,))

    def drawn(self, images, seed):
        lower, upper = sorted(map(float, self._sigmas))
        changes = chosen(images, self._bounds, seed)
        # A bell of no width is one pixel.
        return {'should_apply_blur': changes,
                'blur_factor': ops.add(random.uniform((2,), lower, upper, seed=seed), 1e-6)}

    def changed_images(self, images, transformation):
        sigmas = transformation['blur_factor']
        soft = self.in_channels_last(lambda given: blurred(given, self._taps[::-1], (sigmas[1], sigmas[0])), images)
        return self.cut(ops.where(ops.reshape(transformation['should_apply_blur'], (-1, 1, 1, 1)), soft, images))


class Solarization(_Colored):
    """Images whose bright values are inverted, as film does that is lit too long, in training.

    Args:
        addition_factor: what is added to all values before: `f` for shares of 255 between 0 and `f`, or (lower, upper).
        threshold_factor: from where values are inverted, as `addition_factor`.
        value_range, seed, data_format, bounding_box_format: see `RandomBrightness`.
    """

    def __init__(self, addition_factor=0.0, threshold_factor=0.0, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self._additions, self._thresholds = [factor_bounds(factor, 0.0, 1.0, name) for factor, name in (
            (addition_factor, 'addition_factor'), (threshold_factor, 'threshold_factor'))]

    def drawn(self, images, seed):
        # Of two bounds it is the upper one that is a share of 255, as in Keras 3.
        return {name: self.draw(images, (bounds[0], bounds[1] * 255.0), seed)
                for name, bounds in (('additions', self._additions), ('thresholds', self._thresholds))}

    def changed_images(self, images, transformation):
        added, threshold = [_per_image(transformation[name], images) for name in ('additions', 'thresholds')]

        def invert(given):
            given = ops.clip(ops.add(given, added), 0.0, 255.0)
            return ops.where(ops.less(given, threshold), given, ops.subtract(255.0, given))
        return self.in_range(invert, images, _BYTES)


class AutoContrast(_Colored):
    """Images whose channels are stretched to the whole range of values.

    Args:
        value_range, data_format, bounding_box_format: see `RandomBrightness`.
    """
    only_in_training = False

    def __init__(self, value_range=(0, 255), **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def changed_images(self, images, transformation):
        return self.in_range(self._stretched, images, _BYTES)

    def _stretched(self, images):
        axes = self.image_axes()
        low, high = ops.min(images, axes, keepdims=True), ops.max(images, axes, keepdims=True)
        flat = ops.equal(low, high)
        scale = ops.divide(255.0, ops.where(flat, 1.0, ops.subtract(high, low)))
        return ops.where(flat, images, ops.multiply(ops.subtract(images, low), scale))


class RandomColorJitter(_Colored):
    """Brightness, contrast, saturation and hue of RGB images changed at random, in training, in this order.

    Args:
        value_range: of the images.
        brightness_factor: see `RandomBrightness`; this and the next three are None where nothing is to change.
        contrast_factor: see `RandomContrast`. saturation_factor: see `RandomSaturation`. hue_factor: see `RandomHue`.
        seed: int, or None to draw one. data_format, bounding_box_format: see `RandomFlip`.
    """

    def __init__(self, value_range=(0, 255), brightness_factor=None, contrast_factor=None, saturation_factor=None,
                 hue_factor=None, seed=None, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        parts = (('brightness', RandomBrightness, brightness_factor), ('contrast', RandomContrast, contrast_factor),
                 ('saturation', RandomSaturation, saturation_factor), ('hue', RandomHue, hue_factor))
        self._parts = {name: cls(factor, value_range=value_range, data_format=self.data_format, dtype=self.dtype)
                       for name, cls, factor in parts if factor is not None}

    def drawn(self, images, seed):
        return {name: part.drawn(images, seed) for name, part in self._parts.items()}

    def changed_images(self, images, transformation):
        for name, part in self._parts.items():
            images = part.changed_images(images, transformation[name])
        return images


# --- by histograms ----------------------------------------------------------------------------------------------------

class Equalization(_Colored):
    """Images whose values are spread so that each occurs about as often in a batch, channel by channel, in training.

    Args:
        value_range: of the images. bins: number of different values.
        data_format, bounding_box_format: see `RandomFlip`.

    Source: Gonzalez and Woods, Digital image processing, section 3.3.
    """

    def __init__(self, value_range=(0, 255), bins=256, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())

    def changed_images(self, images, transformation):
        return self.in_range(lambda given: self.in_channels_last(self.equalized, given), images, _BYTES)

    def equalized(self, images):
        sizes = ops.shape(images)
        last = float(self.bins - 1)
        values = ops.cast(ops.clip(ops.multiply(images, last / 255.0), 0.0, last), 'int32')
        rows = ops.reshape(ops.transpose(values, (3, 0, 1, 2)), (sizes[3], -1))
        counts = ops.cast(row_counts(rows, self.bins), 'float32')
        below = ops.cumsum(counts, -1)
        total = below[:, -1:]
        first = ops.min(ops.where(ops.greater(counts, 0.0), below, total), -1, keepdims=True)
        spread = ops.subtract(total, first)
        single = ops.equal(spread, 0.0)
        table = ops.round(ops.divide(ops.multiply(ops.subtract(below, first), 255.0), ops.where(single, 1.0, spread)))
        # Channel by channel in one table, so that the images stay as they lie.
        offsets = ops.multiply(ops.arange(sizes[3], dtype='int32'), self.bins)
        found = primitives.gather(ops.reshape(ops.clip(table, 0.0, 255.0), (-1,)), ops.add(values, offsets), 0)
        return ops.where(ops.reshape(single, (1, 1, 1, -1)), images, found)
