"""Layers that bring images, and the numbers of boxes, to a size."""
import numpy as np

from keras import ops, random
from keras.backend.contract.context import context
from keras.backend.contract.engine import UnsupportedOperation
from keras.backend.contract.loading import get_engine
from keras.layers.arguments import positive_integer, split_shape
from keras.layers.augmentation.boxes import shifted
from keras.layers.augmentation.image_layer import ImageLayer


class _Sized(ImageLayer):
    """Layers whose images have a size that is given, in training and elsewhere."""
    only_in_training = False
    moves = True

    def declare(self, given):
        super().declare(given)
        for name in ('height', 'width'):
            if name in given:
                setattr(self, name, positive_integer(getattr(self, name), type(self).__name__, name))

    def drawn(self, images, seed):
        return {'input_shape': ops.shape(images)}

    def sizes_after(self, height, width):
        return self.height, self.width

    def compute_output_shape(self, input_shape):
        if isinstance(input_shape, dict):
            return super().compute_output_shape(input_shape)
        return self.output_of_size(input_shape, self.height, self.width)


class Resizing(_Sized):
    """Images at another size.

    Args:
        height, width: the new size. interpolation: see `keras.ops.image.resize`.
        crop_to_aspect_ratio: cut the images to the new proportions first, around their middle, so that nothing is
            distorted. pad_to_aspect_ratio: add `fill_value` around them instead.
        antialias: whether images that become smaller are smoothed. data_format, bounding_box_format: see `RandomFlip`.
    """
    later = ('pad_to_aspect_ratio', 'fill_mode', 'fill_value', 'antialias', 'data_format', 'bounding_box_format')

    def __init__(self, height, width, interpolation='bilinear', crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
                 fill_mode='constant', fill_value=0.0, antialias=False, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError('Resizing: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True.')
        self.declare(locals())

    @property
    def keeps_integers(self):
        return self.ruled('resized_integers_are_rounded')

    def changed_images(self, images, transformation):
        return self._resized(images, str(self.interpolation).lower())

    def changed_masks(self, masks, transformation):
        return self._resized(masks, 'nearest')

    def changed_boxes(self, boxes, transformation):
        height, width = self.sizes_of(transformation)
        scales = [self.height / height, self.width / width]
        if self.crop_to_aspect_ratio or self.pad_to_aspect_ratio:
            scales = [max(scales) if self.crop_to_aspect_ratio else min(scales)] * 2
        top, left = [int((new - old * scale) / 2) for new, old, scale in zip((self.height, self.width), (height, width),
                                                                             scales)]
        return ops.add(ops.multiply(boxes, np.array(scales[::-1] * 2, 'float32')),
                       np.array([left, top] * 2, 'float32'))

    def _resized(self, images, interpolation):
        if self.crop_to_aspect_ratio:
            images = self._cropped(images)
        return ops.image.resize(images, (self.height, self.width), interpolation,
                                self.antialias and interpolation != 'nearest', data_format=self.data_format,
                                pad_to_aspect_ratio=self.pad_to_aspect_ratio, fill_value=self.fill_value)

    def _cropped(self, images):
        return self.part(images, *fitting_part(self.image_sizes(images), (self.height, self.width)))


def fitting_part(sizes, target):
    """((first, last) row, (first, last) column) of the largest part around the middle with the proportions of `target`.
    """
    rows, columns = sizes
    height = min(rows, int(float(columns * target[0]) / target[1]))
    width = min(columns, int(float(rows * target[1]) / target[0]))
    top, left = int(float(rows - height) / 2), int(float(columns - width) / 2)
    return (top, top + height), (left, left + width)


def boxes_in(boxes, part, height, width):
    """Boxes of images of which a part ((first, last) row, (first, last) column) is scaled to a height and width."""
    (top, bottom), (left, right) = part
    scales = [width / (right - left), height / (bottom - top)] * 2
    return ops.multiply(ops.subtract(boxes, np.array([left, top] * 2, 'float32')), np.array(scales, 'float32'))


class CenterCrop(_Sized):
    """The middle of images; where they are smaller than that, they are resized first and keep their proportions.

    Args:
        height, width: the size of what is cut out. data_format, bounding_box_format: see `RandomFlip`.
    """
    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())

    def changed_images(self, images, transformation):
        return self._resized(self.part(images, *self._middle(self.image_sizes(images))))

    def _resized(self, images):
        if self.image_sizes(images) == (self.height, self.width):
            return images
        return ops.image.resize(images, (self.height, self.width), data_format=self.data_format)

    def changed_masks(self, masks, transformation):
        # Resized like images, as in Keras 3.
        return self.changed_images(self.in_floats(masks), transformation)

    def changed_boxes(self, boxes, transformation):
        return boxes_in(boxes, self._middle(self.sizes_of(transformation)), self.height, self.width)

    def _middle(self, sizes):
        """The part that is cut out, and then scaled where it is of another size."""
        rows, columns = sizes
        if not (isinstance(rows, int) and isinstance(columns, int)):
            raise ValueError('Layer %s (%s) needs images whose size is known. Received rows and columns: %s, %s.'
                             % (self.name, type(self).__name__, rows, columns))
        if rows < self.height or columns < self.width:
            return fitting_part(sizes, (self.height, self.width))
        top, left = (rows - self.height) // 2, (columns - self.width) // 2
        return (top, top + self.height), (left, left + self.width)


class RandomCrop(CenterCrop):
    """A part of images at a random place in training, the same for the whole batch.

    Where images are smaller than it, they are scaled. Elsewhere than in training images stay whole (in generations
    before 3 they are scaled then, too, the largest part of the proportions around the middle).

    Args:
        height, width: the size of the part. seed: int, or None to draw one.
        data_format, bounding_box_format: see `RandomFlip`.
    """

    def __init__(self, height, width, seed=None, data_format=None, name=None, **kwargs):
        super().__init__(height, width, data_format=data_format, name=name, **kwargs)
        name = self.name  # one has been made where none was given
        self.declare(locals())

    @property
    def only_in_training(self):
        return self.ruled('images_change_as_in_3')

    def get_random_transformation(self, data, training=True, seed=None):
        images = data['images'] if isinstance(data, dict) else data
        rows, columns = self.image_sizes(images)
        # Of the same height or width Keras 3 takes the middle, others crop along the other axis alone.
        fits = (rows > self.height and columns > self.width) if self.ruled('images_change_as_in_3') else \
            (rows >= self.height and columns >= self.width)
        if not training or not fits:
            return {'input_shape': ops.shape(images)}
        return super().get_random_transformation(data, training, seed)

    def drawn(self, images, seed):
        starts = [ops.cast(random.uniform((), 0.0, float(size - wanted + 1), seed=seed), 'int32') for size, wanted in
                  zip(self.image_sizes(images), (self.height, self.width))]
        return {'height_start': starts[0], 'width_start': starts[1], 'input_shape': ops.shape(images)}

    def changed_images(self, images, transformation):
        if 'height_start' not in transformation:
            return super().changed_images(images, transformation)
        starts = [0] * 4
        sizes = list(ops.shape(images))
        for axis, name, wanted in zip(self.image_axes(), ('height_start', 'width_start'), (self.height, self.width)):
            starts[axis], sizes[axis] = transformation[name], wanted
        return ops.slice(images, starts, sizes)

    def changed_boxes(self, boxes, transformation):
        if 'height_start' not in transformation:
            return super().changed_boxes(boxes, transformation)
        left, top = [ops.negative(ops.cast(transformation[name], 'float32'))
                     for name in ('width_start', 'height_start')]
        return shifted(boxes, left, top)

    def _middle(self, sizes):
        part = fitting_part(sizes, (self.height, self.width))
        if not self.ruled('images_change_as_in_3'):
            return part
        # From the corner of that part on, as much as there is.
        return tuple((first, min(first + wanted, size)) for (first, _), wanted, size in zip(
            part, (self.height, self.width), sizes))


class _RandomlySized(ImageLayer):
    """Images stretched along one axis by a random factor in training, the same for the whole batch; as in tf.keras.

    Args:
        factor: `f` for sizes between `1 - f` and `1 + f` of what they were, or (lower, upper): what is added to 1.
        interpolation: 'bilinear' or 'nearest'. seed: int, or None to draw one. data_format: see `RandomFlip`.

    Raises:
        ValueError: for factors of -1 or less, and another interpolation.
        UnsupportedOperation: where a step is compiled for sizes that are known (JAX, MXNet, CNTK).
    """
    # The axis among (rows, columns).
    stretched = None

    def __init__(self, factor, interpolation='bilinear', seed=None, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        pair = tuple(factor) if isinstance(factor, (tuple, list)) else (-factor, factor)
        if pair[1] < pair[0]:
            raise ValueError('%s: `factor` argument cannot have an upper bound lesser than the lower bound. Received: '
                             'factor=%r' % (type(self).__name__, factor))
        if pair[0] <= -1 and pair[0] != pair[1] or pair[1] <= -1:
            raise ValueError('%s: `factor` argument must have values larger than -1. Received: factor=%r'
                             % (type(self).__name__, factor))
        if interpolation not in ('bilinear', 'nearest'):
            raise ValueError("%s: `interpolation` must be 'bilinear' or 'nearest'. Received: interpolation=%r"
                             % (type(self).__name__, interpolation))
        self._bounds = pair

    def drawn(self, images, seed):
        return {'factor': random.uniform((), 1.0 + self._bounds[0], 1.0 + self._bounds[1], seed=seed),
                'input_shape': ops.shape(images)}

    def _stretched(self, images, factor, interpolation):
        engine = get_engine()
        able = engine.capabilities
        if able.compiled and not able.dynamic_sizes and context.ledger is not None and not context.abstract:
            raise UnsupportedOperation(engine.name, type(self).__name__, 'its steps are compiled for sizes that are '
                                       'known; call the layer on batches before they go into `fit`')
        axis = self.image_axes()[self.stretched]
        before = ops.cast(ops.shape(images)[axis], 'float32')
        after = ops.cast(ops.multiply(before, factor), 'int32')
        places = ops.cast(ops.arange(after, dtype='int32'), 'float32')
        places = ops.multiply(ops.add(places, 0.5), ops.divide(before, ops.cast(after, 'float32')))
        last = ops.subtract(before, 1.0)

        def taken(places):
            return ops.take(images, ops.cast(ops.clip(places, 0.0, last), 'int32'), axis=axis)
        if interpolation == 'nearest':
            return taken(ops.floor(places))
        places = ops.subtract(places, 0.5)
        first = ops.floor(places)
        share = ops.reshape(ops.cast(ops.subtract(places, first), self.compute_dtype), (-1,) + (1,) * (-1 - axis))
        low, high = taken(first), taken(ops.add(first, 1.0))
        return ops.add(low, ops.multiply(ops.subtract(high, low), share))

    def changed_images(self, images, transformation):
        return self._stretched(images, transformation['factor'], self.interpolation)

    def changed_masks(self, masks, transformation):
        return self._stretched(masks, transformation['factor'], 'nearest')

    def changed_bounding_boxes(self, bounding_boxes, transformation):
        """Refused: tf.keras's layers of this kind know no boxes.

        Raises:
            ValueError: always.
        """
        raise ValueError('Layer %s (%s) does not move bounding boxes. Use RandomZoom, which does.'
                         % (self.name, type(self).__name__))

    def compute_output_shape(self, input_shape):
        if isinstance(input_shape, dict):
            return super().compute_output_shape(input_shape)
        sizes = list(split_shape((None,) * (len(input_shape) == 3) + tuple(input_shape), self.data_format)[0])
        sizes[self.stretched] = None
        return self.output_of_size(input_shape, *sizes)


class RandomHeight(_RandomlySized):
    __doc__ = _RandomlySized.__doc__.replace('along one axis', 'to a random height').replace(' by a random factor', '')
    stretched = 0


class RandomWidth(_RandomlySized):
    __doc__ = _RandomlySized.__doc__.replace('along one axis', 'to a random width').replace(' by a random factor', '')
    stretched = 1


class MaxNumBoundingBoxes(ImageLayer):
    """Images with a certain number of bounding boxes: the first ones, or filled up.

    Args:
        max_number: of boxes. fill_value: of the numbers and labels of boxes that are none.
        data_format, bounding_box_format: see `RandomFlip`.
    """
    only_in_training = False

    def __init__(self, max_number, fill_value=-1, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.max_number = positive_integer(max_number, 'MaxNumBoundingBoxes', 'max_number')

    def changed_bounding_boxes(self, bounding_boxes, transformation):
        result = dict(bounding_boxes)
        for name, rank in (('boxes', 2), ('labels', 1)):
            if name in bounding_boxes:
                values = ops.convert_to_tensor(bounding_boxes[name])
                result[name] = self._filled(values, ops.ndim(values) - rank)
        return result

    def _filled(self, values, axis):
        key = (slice(None),) * axis
        values = values[key + (slice(0, self.max_number),)]
        widths = [(0, 0)] * ops.ndim(values)
        widths[axis] = (0, self.max_number - ops.shape(values)[axis])
        return ops.pad(values, widths, constant_values=self.fill_value)

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, dict) or 'bounding_boxes' not in input_shape:
            return super().compute_output_shape(input_shape)
        shapes = dict(input_shape['bounding_boxes'])
        for name, rank in (('boxes', 2), ('labels', 1)):
            if name in shapes:
                shape = list(shapes[name])
                shape[len(shape) - rank] = self.max_number
                shapes[name] = tuple(shape)
        return dict(input_shape, bounding_boxes=shapes)
