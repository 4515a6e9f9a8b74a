"""`ImageLayer`: what changes images, and the labels, boxes and masks that belong to them, in one way."""
import functools
import weakref

import numpy as np

from keras import config, ops, random
from keras.backend.contract import tree
from keras.backend.contract.attributes import settings
from keras.backend.contract.loading import foreign_engine, get_engine, lent
from keras.backend.contract.rules import is_float
from keras.backend.graph.tensors import any_symbolic
from keras.backend.table.composites.shape import dtype_of
from keras.backend.table.joined import Joined
from keras.layers.arguments import join_shape, split_shape
from keras.layers.augmentation import boxes as box_formats
from keras.layers.calls import is_ours
from keras.layers.preprocessing.data_layer import Lendable

# The methods that may be called by themselves, also on what a pipeline of another library traces.
_PUBLIC = ('__call__', 'get_random_transformation', 'transform_images', 'transform_labels', 'transform_bounding_boxes',
           'transform_segmentation_masks')
_WHOLE = 'images labels bounding_boxes segmentation_masks'.split()


def _where_traced(method):
    """`method`, run by the engine whose library traces the arguments, if it is not the active one."""
    @functools.wraps(method)
    def run(self, *args, **kwargs):
        with lent(foreign_engine([leaf for leaf in tree.flatten([args, kwargs]) if hasattr(leaf, 'shape')])):
            return method(self, *args, **kwargs)
    return run


class ImageLayer(Lendable):
    """A layer for images (batch, rows, columns, channels), or a single image without the batch.

    It is called on images, or on a dictionary of 'images' and any of 'labels', 'bounding_boxes' (a dictionary of
    'boxes' and 'labels') and 'segmentation_masks', which change along: the dictionary itself is what comes out.

    A call draws one transformation (`get_random_transformation`) and applies it to each part (`transform_images` and
    its kin). A subclass defines what to draw, `drawn(images, seed)`, a structure of tensors with the batch in front or
    None, and what it does: `changed_images(images, transformation)`, and where these do not stay as they are
    `changed_masks`, `changed_labels`, and `changed_boxes` (boxes in the format 'xyxy').

    Args:
        data_format: 'channels_last' or 'channels_first', default from keras.json.
        bounding_box_format: of the boxes in calls, see `keras.utils.bounding_boxes.convert_format`.
    """
    later = ('data_format', 'bounding_box_format')
    # Whether the layer does something in training only.
    only_in_training = True
    # Whether parts of images come to other places.
    moves = False
    # Whether images of integers are not made floats.
    keeps_integers = False
    # Whether `transform_images` makes a batch of one out of a single image.
    makes_batches = False
    # Whether an engine that compiles may take a change of images as a whole: not where it runs other layers by numbers.
    is_whole = True

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in _PUBLIC:
            if name in vars(cls):
                setattr(cls, name, _where_traced(vars(cls)[name]))

    def __init__(self, data_format=None, bounding_box_format=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def declare(self, given):
        super().declare(given)
        if 'data_format' in self.__dict__:
            self.data_format = config.normalize_data_format(self.data_format)
        if 'seed' in given:
            self.seed_generator = random.SeedGenerator(self.seed)

    # --- calls

    @_where_traced
    def __call__(self, data, *args, **kwargs):
        if isinstance(data, (list, tuple)) and not any(hasattr(leaf, 'shape') for leaf in tree.flatten(data)):
            data = np.asarray(data)
        found = super().__call__(data, *args, **kwargs)
        if type(data) is dict and type(found) is dict and not any_symbolic([data, found]):
            data.update(found)  # as Keras 3 has it: the dictionary itself is changed
            return data
        return found

    def call(self, data, training=True):
        """Images, or a dictionary of images and what belongs to them, changed in one way."""
        images = data['images'] if isinstance(data, dict) else data
        self._check_rank(images)
        single = ops.ndim(images) == 3
        batch = tree.map_structure(lambda part: ops.expand_dims(part, 0), data) if single else data
        transformation = self.get_random_transformation(batch, training)
        if not isinstance(batch, dict):
            changed = self.transform_images(batch, transformation, training)
        else:
            changed = dict(batch)
            for name in _WHOLE:
                if name in batch:
                    changed[name] = getattr(self, 'transform_' + name)(batch[name], transformation, training)
        return tree.map_structure(lambda part: ops.squeeze(part, 0), changed) if single else changed

    def _check_rank(self, images):
        if ops.ndim(images) not in (3, 4):
            raise ValueError('Layer %s (%s): Expected the input image to be rank 3 or 4. That is (batch, rows, '
                             'columns, channels), or without the batch. Received the shape %s.'
                             % (self.name, type(self).__name__, tuple(images.shape)))

    @_where_traced
    def get_random_transformation(self, data, training=True, seed=None):
        """What to do to `data`, for the methods that do it; None: nothing.

        Args:
            data: as in a call. training: whether the call is one of training. seed: default the layer's own.
        """
        if self.only_in_training and not training:
            return None
        images = data['images'] if isinstance(data, dict) else data
        return self.drawn(self._with_batch(images), getattr(self, 'seed_generator', None) if seed is None else seed)

    @_where_traced
    def transform_images(self, images, transformation, training=True):
        """Images, changed by what `get_random_transformation` gave; they come out in the layer's float type."""
        images = self.in_floats(images)
        # What moves images computes in wider floats than some layers do.
        return self.in_floats(self._changed(self.changed_images, images, transformation, training))

    @_where_traced
    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        """Masks (batch, rows, columns, channels), moved as the images are; values are never mixed."""
        return self._changed(self.changed_masks, ops.convert_to_tensor(segmentation_masks), transformation, training)

    @_where_traced
    def transform_labels(self, labels, transformation, training=True):
        """Labels of images, where they depend on the transformation."""
        labels = ops.convert_to_tensor(labels)
        return self.changed_labels(labels, transformation) if self._does(transformation, training) else labels

    @_where_traced
    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Boxes of images, moved as the images are and cut at their edges.

        Args:
            bounding_boxes: a dictionary of 'boxes' (batch, boxes, 4) and 'labels' (batch, boxes).

        Raises:
            ValueError: if the layer was not told the `bounding_box_format`.
        """
        if self.bounding_box_format is None:
            raise ValueError('Layer %s (%s) was given bounding boxes; tell it their format, such as '
                             "bounding_box_format='xyxy'." % (self.name, type(self).__name__))
        if not self._does(transformation, training):
            return bounding_boxes
        return self.changed_bounding_boxes(bounding_boxes, transformation)

    def _does(self, transformation, training):
        return bool(training) or not self.only_in_training

    def _changed(self, change, images, transformation, training):
        if not self._does(transformation, training):
            return images
        if self.is_whole and get_engine().joins_operations and is_ours(type(self)):
            change = _joined_changes(self, change.__name__)
        if ops.ndim(images) == 4:
            return change(images, transformation)
        changed = change(ops.expand_dims(images, 0), transformation)
        return changed if self.makes_batches else ops.squeeze(changed, 0)

    # The parts of a single example go the same way.
    def transform_single_image(self, image, transformation, training=True):
        return ops.squeeze(self.transform_images(ops.expand_dims(image, 0), transformation, training), 0)

    def transform_single_label(self, label, transformation, training=True):
        return self.transform_labels(ops.expand_dims(label, 0), transformation, training)[0]

    def transform_single_bounding_box(self, bounding_box, transformation, training=True):
        return self.transform_bounding_boxes(bounding_box, transformation, training)

    def transform_single_segmentation_mask(self, segmentation_mask, transformation, training=True):
        masks = self.transform_segmentation_masks(ops.expand_dims(segmentation_mask, 0), transformation, training)
        return ops.squeeze(masks, 0)

    # --- what subclasses define

    def drawn(self, images, seed):
        """A transformation for images of four axes, with numbers from `seed`."""
        return None

    def changed_images(self, images, transformation):
        """Floats (batch, rows, columns, channels), changed."""
        return images

    def changed_masks(self, masks, transformation):
        """Masks (batch, rows, columns, channels), changed."""
        return masks

    def changed_labels(self, labels, transformation):
        return labels

    def changed_boxes(self, boxes, transformation):
        """Boxes in the format 'xyxy', moved; what lies outside of the image will be cut off."""
        return boxes

    def changed_bounding_boxes(self, bounding_boxes, transformation):
        """The dictionary of boxes and labels, changed."""
        if not self.moves:
            return bounding_boxes
        height, width = self.sizes_of(transformation)
        moved = self.changed_boxes(box_formats.convert_format(bounding_boxes['boxes'], self.bounding_box_format, 'xyxy',
                                                              height, width), transformation)
        height, width = self.sizes_after(height, width)
        clipped = box_formats.clip_to_image_size(dict(bounding_boxes, boxes=moved), height, width)
        return box_formats.convert_format(clipped, 'xyxy', self.bounding_box_format, height, width)

    def sizes_of(self, transformation):
        """(rows, columns) of the images that a transformation was drawn for."""
        shape = transformation['input_shape']
        rows, columns = self.image_axes()
        return shape[rows], shape[columns]

    def sizes_after(self, height, width):
        """(rows, columns) of changed images."""
        return height, width

    # --- for subclasses

    def image_axes(self):
        """The axes of rows and columns, counted from the last."""
        return (-3, -2) if self.data_format == 'channels_last' else (-2, -1)

    def channel_axis(self):
        return -1 if self.data_format == 'channels_last' else -3

    def image_sizes(self, images):
        """The numbers of rows and columns, ints where they are known."""
        sizes = ops.shape(images)
        rows, columns = self.image_axes()
        return sizes[rows], sizes[columns]

    def part(self, images, rows, columns):
        """The part of images between (first, last) rows and columns."""
        key = (slice(*rows), slice(*columns))
        return images[(Ellipsis,) + key + ((slice(None),) if self.data_format == 'channels_last' else ())]

    def draw(self, images, bounds, seed, axes=3):
        """A number between two bounds for each image: (batch, 1, ...) with as many further axes as given."""
        return random.uniform((ops.shape(images)[0],) + (1,) * axes, float(bounds[0]), float(bounds[1]), seed=seed)

    def in_channels_last(self, function, images):
        """`function` of images, which wants the channels behind."""
        if self.data_format == 'channels_last':
            return function(images)
        return ops.transpose(function(ops.transpose(images, (0, 2, 3, 1))), (0, 3, 1, 2))

    def _with_batch(self, images):
        return ops.expand_dims(images, 0) if ops.ndim(images) == 3 else images

    def in_floats(self, images):
        if self.keeps_integers and not is_float(dtype_of(images)):
            return ops.convert_to_tensor(images)
        return images if dtype_of(images) == self.compute_dtype and not isinstance(images, np.ndarray) \
            else ops.cast(images, self.compute_dtype)

    def output_of_size(self, input_shape, height, width):
        """The shape of images of another size."""
        single = len(input_shape) == 3
        shape = (None,) + tuple(input_shape) if single else tuple(input_shape)
        changed = join_shape(shape[0], (height, width), split_shape(shape, self.data_format)[1], self.data_format)
        return changed[1:] if single else changed

    def compute_output_shape(self, input_shape):
        if isinstance(input_shape, dict):
            return dict(input_shape, images=self.compute_output_shape(input_shape['images']))
        return tuple(input_shape)


# For each layer its settings, and what was compiled while it had these.
_changes = weakref.WeakKeyDictionary()


def _joined_changes(layer, name):
    """A method of a layer as `Joined`, anew when an attribute of the layer is another."""
    now = _settings(layer)
    kept = _changes.get(layer)
    if kept is None or kept[0] != now:
        kept = _changes[layer] = now, {}
    if name not in kept[1]:
        this = weakref.ref(layer)
        kept[1][name] = Joined(lambda *args: getattr(this(), name)(*args))
    return kept[1][name]


def _settings(layer):
    """What stands for the attributes of a layer, and of image layers that it holds, when they are compared."""
    return settings(vars(layer), lambda part: _settings(part) if isinstance(part, ImageLayer) else None)


def factor_bounds(factor, least, most, name='factor'):
    """(lower, upper) of a factor that may be one number: then from its opposite, or from `least` where that is not
    below 0.

    Args:
        least, most: what the bounds may be. name: of the argument.

    Raises:
        ValueError: for what is neither a number nor two of them, or lies outside.
    """
    numbers = factor if isinstance(factor, (list, tuple)) else [factor]
    if len(numbers) > 2 or not all(isinstance(number, (int, float)) and not isinstance(number, bool)
                                   for number in numbers):
        numbers = ()
    if len(numbers) == 1:
        numbers = (-abs(numbers[0]), abs(numbers[0])) if least < 0 else (min(least, numbers[0]), numbers[0])
    lower, upper = sorted(numbers) or (None, None)
    if lower is not None and least == 0 and lower == -upper:  # what Keras 3 writes for a single number
        lower = least
    if lower is None or not least <= lower <= upper <= most:
        raise ValueError('The `%s` argument should be a number (or a list of two numbers) in the range [%s, %s]. '
                         'Received: %s=%r' % (name, least, most, name, factor))
    return lower, upper


def to_range(images, original, target):
    """Images with values in one range (lower, upper) as such with values in another."""
    (low, high), (new_low, new_high) = [tuple(map(float, bounds)) for bounds in (original, target)]
    if (low, high) == (new_low, new_high):
        return images
    scale = (new_high - new_low) / (high - low)
    return ops.add(ops.multiply(ops.subtract(images, low), scale), new_low)
