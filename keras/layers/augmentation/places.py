"""Layers that move the parts of images to random places, in training."""
import math

from keras import ops, random
from keras.backend.table.composites.sampling import (FILL_MODES, INTERPOLATIONS, grid, perspective_matrix, projected,
                                                       sampled)
from keras.backend.table.composites.shape import dtype_of
from keras.layers.augmentation.boxes import around, shifted
from keras.layers.augmentation.filters import blurred
from keras.layers.augmentation.image_layer import ImageLayer, factor_bounds


class RandomFlip(ImageLayer):
    """Mirror images turned, at random, in training.

    Args:
        mode: 'horizontal', 'vertical' or 'horizontal_and_vertical'. seed: int, or None to draw one.
        data_format: 'channels_last' or 'channels_first', default from keras.json.
        bounding_box_format: of boxes that are given along, see `keras.utils.bounding_boxes.convert_format`.

    Example:
        >>> images = np.arange(4.0).reshape(1, 1, 4, 1)
        >>> layer = keras.layers.RandomFlip('horizontal')
        >>> turned = {'flips': np.array([[True]]), 'input_shape': (1, 1, 4, 1)}
        >>> keras.ops.convert_to_numpy(layer.transform_images(images, turned)).ravel().tolist()
        [3.0, 2.0, 1.0, 0.0]
    """
    moves = True

    def __init__(self, mode='horizontal_and_vertical', seed=None, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        if mode not in ('horizontal', 'vertical', 'horizontal_and_vertical'):
            raise ValueError("RandomFlip: Unknown `mode`; it must be 'horizontal', 'vertical' or "
                             "'horizontal_and_vertical'. Received: %r" % (mode,))
        self.declare(locals())

    def drawn(self, images, seed):
        alone = self.mode == 'horizontal_and_vertical' and not self.ruled('images_change_as_in_3')
        directions = 2 if alone else 1
        numbers = random.uniform((ops.shape(images)[0], 1, 1, directions), seed=seed)
        return {'flips': ops.less_equal(numbers, 0.5), 'input_shape': ops.shape(images)}

    def _directions(self, transformation):
        """('horizontal' or 'vertical', which images) for each that turns; which: (batch, 1, 1, 1)."""
        flips = ops.convert_to_tensor(transformation['flips'])
        several = ops.ndim(flips) == 4 and flips.shape[-1] == 2
        for place, name in enumerate(('horizontal', 'vertical')):
            if name in self.mode:
                yield name, ops.reshape(flips[..., place] if several else flips, (-1, 1, 1, 1))

    def changed_images(self, images, transformation):
        rows, columns = self.image_axes()
        for name, turned in self._directions(transformation):
            images = ops.where(turned, ops.flip(images, columns if name == 'horizontal' else rows), images)
        return images

    changed_masks = changed_images

    def changed_boxes(self, boxes, transformation):
        height, width = self.sizes_of(transformation)
        for name, turned in self._directions(transformation):
            left, top, right, bottom = [boxes[..., place] for place in range(4)]
            if name == 'horizontal':
                mirrored = [ops.subtract(width, right), top, ops.subtract(width, left), bottom]
            else:
                mirrored = [left, ops.subtract(height, bottom), right, ops.subtract(height, top)]
            turned = ops.reshape(turned, (-1,) + (1,) * (ops.ndim(boxes) - 1))
            boxes = ops.where(turned, ops.stack(mirrored, -1), boxes)
        return boxes


class _Moved(ImageLayer):
    """Layers that read each pixel from another place, by a matrix for each image."""
    moves = True
    fill_mode = 'constant'

    def declare(self, given):
        super().declare(given)
        if 'interpolation' not in given:
            return
        for name, known in (('fill_mode', FILL_MODES), ('interpolation', INTERPOLATIONS)):
            if getattr(self, name) not in known:
                raise ValueError('%s: Unknown `%s`; it must be one of %s. Received: %r' % (
                    type(self).__name__, name, ', '.join(map(repr, known)), getattr(self, name)))

    def matrix(self, images, transformation):
        """(batch, 8), see `keras.backend.table.composites.sampling.projected`."""
        raise NotImplementedError('%s must define `matrix`.' % type(self).__name__)

    def changed_images(self, images, transformation):
        return self.moved(images, transformation, self.interpolation)

    def changed_masks(self, masks, transformation):
        dtype = dtype_of(masks)
        moved = self.moved(ops.cast(masks, self.compute_dtype), transformation, 'nearest')
        return ops.cast(moved, dtype)

    def moved(self, images, transformation, interpolation):
        matrix = self.matrix(images, transformation)
        return self.in_channels_last(lambda last: projected(last, matrix, interpolation, self.fill_mode,
                                                            float(self.fill_value)), images)

    def float_sizes(self, images):
        """The numbers of rows and columns as floats."""
        return [float(size) if isinstance(size, int) else ops.cast(size, 'float32')
                for size in self.image_sizes(images)]


def _matrix(a0, a1, a2, b0, b1, b2):
    """Numbers (batch,), or of Python, as matrices (batch, 8)."""
    numbers = [a0, a1, a2, b0, b1, b2, 0.0, 0.0]
    like = next(number for number in numbers if hasattr(number, 'shape'))
    return ops.stack([number if hasattr(number, 'shape') else ops.full_like(like, number) for number in numbers], -1)


class RandomRotation(_Moved):
    """Images turned around their middle by a random angle, in training.

    Args:
        factor: of a full turn: `f` for angles between `-f` and `f`, or (lower, upper).
        fill_mode: what lies outside: 'reflect', 'wrap', 'nearest' or 'constant' (`fill_value`).
        interpolation: 'bilinear' or 'nearest'. seed: int, or None to draw one.
        data_format, bounding_box_format: see `RandomFlip`.
    """

    def __init__(self, factor, fill_mode='reflect', interpolation='bilinear', seed=None, fill_value=0.0,
                 data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, -1.0, 1.0)

    def drawn(self, images, seed):
        lower, upper = self._bounds
        angles = random.uniform((ops.shape(images)[0],), lower * 360.0, upper * 360.0, seed=seed)
        height, width = self.image_sizes(images)
        return {'angle': angles, 'rotation_matrix': self._rotation(angles, *self.float_sizes(images)),
                'image_height': height, 'image_width': width, 'batch_size': ops.shape(images)[0]}

    @staticmethod
    def _rotation(angles, height, width):
        radians = ops.multiply(angles, math.pi / 180.0)
        cosine, sine = ops.cos(radians), ops.sin(radians)
        x, y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
        return _matrix(cosine, ops.negative(sine), ops.add(ops.subtract(x, ops.multiply(cosine, x)),
                                                           ops.multiply(sine, y)),
                       sine, cosine, ops.subtract(ops.subtract(y, ops.multiply(cosine, y)), ops.multiply(sine, x)))

    def matrix(self, images, transformation):
        return ops.reshape(transformation['rotation_matrix'], (-1, 8))

    def sizes_of(self, transformation):
        return transformation['image_height'], transformation['image_width']

    def changed_boxes(self, boxes, transformation):
        height, width = [ops.cast(size, 'float32') for size in self.sizes_of(transformation)]
        radians = ops.reshape(ops.multiply(ops.cast(transformation['angle'], 'float32'), math.pi / 180.0), (-1, 1, 1))
        cosine, sine = ops.cos(radians), ops.sin(radians)
        middle_x, middle_y = [ops.divide(ops.subtract(size, 1.0), 2.0) for size in (width, height)]

        def move(x, y):
            x, y = ops.subtract(x, middle_x), ops.subtract(y, middle_y)
            return (ops.add(ops.add(ops.multiply(cosine, x), ops.multiply(sine, y)), middle_x),
                    ops.add(ops.subtract(ops.multiply(cosine, y), ops.multiply(sine, x)), middle_y))
        return around(boxes, move)


class RandomTranslation(_Moved):
    """Images moved by a random share of their size, in training.

    Args:
        height_factor, width_factor: `f` for shares between `-f` and `f`, or (lower, upper); positive ones move down
            and to the right.
        fill_mode, interpolation, fill_value, seed, data_format, bounding_box_format: see `RandomRotation`.
    """

    def __init__(self, height_factor, width_factor, fill_mode='reflect', interpolation='bilinear', seed=None,
                 fill_value=0.0, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = [factor_bounds(factor, -1.0, 1.0, name) for factor, name in (
            (height_factor, 'height_factor'), (width_factor, 'width_factor'))]

    def drawn(self, images, seed):
        down, along = [ops.multiply(self.draw(images, bounds, seed, 0), size)
                       for bounds, size in zip(self._bounds, self.float_sizes(images))]
        return {'translations': ops.stack([along, down], -1),
                'input_shape': ops.shape(images)}

    def matrix(self, images, transformation):
        moves = ops.cast(ops.reshape(transformation['translations'], (-1, 2)), self.compute_dtype)
        return _matrix(1.0, 0.0, ops.negative(moves[:, 0]), 0.0, 1.0, ops.negative(moves[:, 1]))

    def changed_boxes(self, boxes, transformation):
        moves = ops.cast(ops.reshape(transformation['translations'], (-1, 2, 1)), 'float32')
        if ops.ndim(boxes) == 2:  # of a single image
            moves = moves[0]
            return shifted(boxes, moves[0], moves[1])
        return shifted(boxes, moves[:, 0], moves[:, 1])


class RandomZoom(_Moved):
    """Images made larger or smaller at random around their middle, in training.

    Args:
        height_factor, width_factor: `f` for sizes between `1 - f` and `1 + f` of what is shown, or (lower, upper):
            negative ones show less, larger. width_factor: default that of the height, to keep the proportions.
        fill_mode, interpolation, fill_value, seed, data_format, bounding_box_format: see `RandomRotation`.
    """

    def __init__(self, height_factor, width_factor=None, fill_mode='reflect', interpolation='bilinear', seed=None,
                 fill_value=0.0, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = [None if factor is None else factor_bounds(factor, -1.0, 1.0, name) for factor, name in (
            (height_factor, 'height_factor'), (width_factor, 'width_factor'))]

    def drawn(self, images, seed):
        height = ops.add(self.draw(images, self._bounds[0], seed, 1), 1.0)
        width = height if self._bounds[1] is None else ops.add(self.draw(images, self._bounds[1], seed, 1), 1.0)
        return {'height_zoom': height, 'width_zoom': width, 'input_shape': ops.shape(images)}

    def _zooms(self, transformation, dtype):
        return [ops.reshape(ops.cast(transformation[name], dtype), (-1,)) for name in ('height_zoom', 'width_zoom')]

    def matrix(self, images, transformation):
        height, width = self.float_sizes(images)
        zoom_y, zoom_x = self._zooms(transformation, self.compute_dtype)
        return _matrix(zoom_x, 0.0, ops.multiply(ops.subtract(1.0, zoom_x), (width - 1.0) / 2.0),
                       0.0, zoom_y, ops.multiply(ops.subtract(1.0, zoom_y), (height - 1.0) / 2.0))

    def changed_boxes(self, boxes, transformation):
        middle_y, middle_x = [ops.divide(ops.subtract(ops.cast(size, 'float32'), 1.0), 2.0)
                              for size in self.sizes_of(transformation)]
        zoom_y, zoom_x = [ops.reshape(zoom, (-1, 1, 1)) for zoom in self._zooms(transformation, 'float32')]
        return around(boxes, lambda x, y: (
            ops.add(ops.divide(ops.subtract(x, middle_x), zoom_x), middle_x),
            ops.add(ops.divide(ops.subtract(y, middle_y), zoom_y), middle_y)))


class RandomShear(_Moved):
    """Images whose rows or columns slide along each other, in training.

    Args:
        x_factor: how far rows slide, as a share: `f` for shares between `-f` and `f`, or (lower, upper). y_factor: the
            same for columns.
        interpolation, fill_mode, fill_value, data_format, seed, bounding_box_format: see `RandomRotation`.
    """

    def __init__(self, x_factor=0.0, y_factor=0.0, interpolation='bilinear', fill_mode='reflect', fill_value=0.0,
                 data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = [factor_bounds(factor, -1.0, 1.0, name) for factor, name in (
            (x_factor, 'x_factor'), (y_factor, 'y_factor'))]

    def drawn(self, images, seed):
        # Half of the images are sheared the other way.
        way = ops.where(ops.greater(self.draw(images, (0, 1), seed, 1), 0.5), -1.0, 1.0)
        down, along = [self.draw(images, bounds, seed, 1) for bounds in self._bounds[::-1]]
        return {'shear_factor': ops.multiply(ops.concatenate([along, down], -1), way), 'input_shape': ops.shape(images)}

    def matrix(self, images, transformation):
        shear = ops.cast(ops.reshape(transformation['shear_factor'], (-1, 2)), self.compute_dtype)
        return _matrix(1.0, shear[:, 0], 0.0, shear[:, 1], 1.0, 0.0)

    def changed_boxes(self, boxes, transformation):
        height, width = [ops.cast(size, 'float32') for size in self.sizes_of(transformation)]
        shear = ops.cast(ops.reshape(transformation['shear_factor'], (-1, 2, 1, 1)), 'float32')

        def slide_rows(x, y):
            return ops.subtract(x, ops.multiply(ops.multiply(shear[:, 0], ops.divide(width, height)), y)), y

        def slide_columns(x, y):
            return x, ops.subtract(y, ops.multiply(ops.multiply(shear[:, 1], ops.divide(height, width)), x))
        return around(around(boxes, slide_rows), slide_columns)


class RandomPerspective(_Moved):
    """Images seen from another side, in training.

    Args:
        factor: `f` for the probability with which an image changes, or (lower, upper), between which the probability
            is drawn.
        scale: how far corners move, as a share of the size: between 0 and 1.
        interpolation, fill_value, seed, data_format, bounding_box_format: see `RandomRotation`.
    """

    def __init__(self, factor=1.0, scale=1.0, interpolation='bilinear', fill_value=0.0, seed=None, data_format=None,
                 **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, 0.0, 1.0)
        if not 0.0 <= scale <= 1.0:
            raise ValueError('RandomPerspective: `scale` must be between 0 and 1. Received: %r' % (scale,))

    def drawn(self, images, seed):
        height, width = self.float_sizes(images)
        batch = ops.shape(images)[0]
        zero = ops.zeros((batch,))
        right, bottom = [ops.add(zero, size - 1.0) for size in (width, height)]
        start = ops.stack([ops.stack(point, -1) for point in ((zero, zero), (right, zero), (zero, bottom),
                                                              (right, bottom))], 1)
        changes = chosen(images, self._bounds, seed)
        # Shares of where the corners are: what is at 0 stays there.
        shares = random.uniform((batch, 4, 2), -0.5 * self.scale, 0.5 * self.scale, seed=seed)
        return {'apply_perspective': changes, 'start_points': start,
                'end_points': ops.add(start, ops.multiply(start, shares)), 'input_shape': ops.shape(images)}

    def _points(self, transformation, dtype):
        """(where points are in the image, where they come to), those of images that stay at the same places."""
        start, end = [ops.cast(transformation[name], dtype) for name in ('start_points', 'end_points')]
        moves = ops.reshape(transformation['apply_perspective'], (-1, 1, 1))
        return start, ops.where(moves, end, start)

    def moved(self, images, transformation, interpolation):
        start, end = self._points(transformation, 'float32')
        matrix = ops.cast(perspective_matrix(end, start), self.compute_dtype)
        moved = self.in_channels_last(lambda last: projected(last, matrix, interpolation, 'constant',
                                                             float(self.fill_value), True), images)
        return ops.where(ops.reshape(transformation['apply_perspective'], (-1, 1, 1, 1)), moved, images)

    def changed_boxes(self, boxes, transformation):
        start, end = self._points(transformation, 'float32')
        matrix = perspective_matrix(start, end)
        a0, a1, a2, b0, b1, b2, c0, c1 = [ops.reshape(matrix[:, place], (-1, 1, 1)) for place in range(8)]

        def move(x, y):
            scale = ops.add(ops.add(ops.multiply(c0, x), ops.multiply(c1, y)), 1.0)
            return (ops.divide(ops.add(ops.add(ops.multiply(a0, x), ops.multiply(a1, y)), a2), scale),
                    ops.divide(ops.add(ops.add(ops.multiply(b0, x), ops.multiply(b1, y)), b2), scale))
        return around(boxes, move)


def chosen(images, bounds, seed):
    """(batch,): which images change, with a probability that is drawn between the bounds."""
    probability, number = [random.uniform((ops.shape(images)[0],), float(lower), float(upper), seed=seed)
                           for lower, upper in (bounds, (0, 1))]
    # Numbers drawn are below 1: a probability of 1 takes all, one of 0 none.
    return ops.less(number, probability)


class RandomElasticTransform(_Moved):
    """Images bent at random, each place a little otherwise, in training.

    Args:
        factor: `f` for the probability with which an image changes, or (lower, upper), between which it is drawn.
        scale: how strongly: `s` for strengths between 0 and `s`, or (lower, upper); at 1 places move by a few pixels.
        interpolation, fill_mode, fill_value, seed, data_format: see `RandomRotation`.
        value_range: of the images; it changes nothing, since values are only moved.

    Source: Simard et al., Best practices for convolutional neural networks applied to visual document analysis (2003).
    """

    def __init__(self, factor=1.0, scale=1.0, interpolation='bilinear', fill_mode='reflect', fill_value=0.0,
                 value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, 0.0, 1.0)
        self._scales = factor_bounds(scale, 0.0, 1.0, 'scale')

    def drawn(self, images, seed):
        lower, upper = map(float, self._scales)
        return {'apply_transform': chosen(images, self._bounds, seed),
                'distortion_factor': random.uniform((), lower, upper, seed=seed),
                'noise': self._noise(images, seed), 'input_shape': ops.shape(images)}

    def _noise(self, images, seed):
        return random.uniform((ops.shape(images)[0],) + tuple(self.image_sizes(images)) + (2,), -1.0, 1.0, seed=seed)

    def moved(self, images, transformation, interpolation):
        noise = transformation.get('noise')
        noise = self._noise(images, transformation.get('seed')) if noise is None else noise
        shares = ops.multiply(blurred(noise, (_TAPS, _TAPS), (_SIGMA, _SIGMA)),
                              ops.multiply(ops.cast(transformation['distortion_factor'], 'float32'), _STRENGTH))

        def bend(last):
            y, x = grid(last)
            return sampled(last, ops.add(shares[..., 1], y), ops.add(shares[..., 0], x), interpolation, self.fill_mode,
                           float(self.fill_value))
        bent = self.in_channels_last(bend, images)
        return ops.where(ops.reshape(transformation['apply_transform'], (-1, 1, 1, 1)), bent, images)

    def changed_bounding_boxes(self, bounding_boxes, transformation):
        # Nothing moves far enough to leave its box.
        return bounding_boxes


# Of the noise that bends images: how far it is smoothed, in pixels, and how far it then moves them.
_TAPS, _SIGMA, _STRENGTH = 13, 4.0, 40.0
