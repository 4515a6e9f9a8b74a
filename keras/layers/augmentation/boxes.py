"""Bounding boxes: their formats, what moves and cuts them, and how far two of them agree."""
import math

from keras import ops
from keras.backend.table.composites.shape import static_shape

# The four numbers of each format: corners, or a middle or corner and sizes; whether they are shares of the image.
FORMATS = ('xyxy', 'yxyx', 'xywh', 'center_xywh', 'center_yxhw', 'rel_xyxy', 'rel_yxyx', 'rel_xywh', 'rel_center_xywh')


def _checked(box_format, name='bounding_box_format'):
    if not isinstance(box_format, str) or box_format.lower() not in FORMATS:
        raise ValueError('`%s` must be one of %s. Received: %r' % (name, ', '.join(FORMATS), box_format))
    return box_format.lower()


def convert_format(boxes, source, target, height=None, width=None, dtype='float32'):
    """Boxes in another format.

    Args:
        boxes: tensor (..., boxes, 4), or a dictionary with such a tensor as 'boxes', of which a copy comes back.
        source, target: 'xyxy' (left, top, right, bottom), 'yxyx', 'xywh' (left, top, width, height), 'center_xywh',
            'center_yxhw', or with 'rel_' in front, as shares of the image, 'rel_xyxy', 'rel_yxyx', 'rel_xywh' and
            'rel_center_xywh'.
        height, width: of the image, where just one of the formats is relative. dtype: of the result.

    Raises:
        ValueError: for another format, boxes without four numbers, or where the size of the image is missing.

    Example:
        >>> boxes = np.array([[10, 20, 30, 60]])
        >>> keras.ops.convert_to_numpy(keras.utils.bounding_boxes.convert_format(boxes, 'xyxy', 'xywh')).tolist()
        [[10.0, 20.0, 20.0, 40.0]]
    """
    if isinstance(boxes, dict):
        return dict(boxes, boxes=convert_format(boxes['boxes'], source, target, height, width, dtype))
    source, target = _checked(source, 'source'), _checked(target, 'target')
    boxes = ops.cast(boxes, dtype)
    if static_shape(boxes)[-1] not in (4, None):
        raise ValueError('Bounding boxes have four numbers each, on the last axis. Received the shape %s.'
                         % (tuple(boxes.shape),))
    relative = source.startswith('rel_'), target.startswith('rel_')
    if relative[0] != relative[1] and (height is None or width is None):
        raise ValueError('convert_format must receive `height` and `width` of the image when one of the formats is '
                         'relative and the other is not. Received: source=%r, target=%r, height=%r, width=%r'
                         % (source, target, height, width))
    if source == target:
        return boxes
    left, top, right, bottom = _corners(boxes, source.replace('rel_', ''))
    if relative[0] != relative[1]:
        change = ops.multiply if relative[0] else ops.divide
        height, width = ops.cast(height, dtype), ops.cast(width, dtype)
        left, right = change(left, width), change(right, width)
        top, bottom = change(top, height), change(bottom, height)
    return ops.concatenate(_numbers(left, top, right, bottom, target.replace('rel_', '')), -1)


def _corners(boxes, box_format):
    """(left, top, right, bottom) of boxes in an absolute format, each with the last axis of size 1."""
    first, second, third, fourth = [boxes[..., place:place + 1] for place in range(4)]
    if box_format in ('yxyx', 'center_yxhw'):
        first, second, third, fourth = second, first, fourth, third
    if box_format in ('xyxy', 'yxyx'):
        return first, second, third, fourth
    if box_format == 'xywh':
        return first, second, ops.add(first, third), ops.add(second, fourth)
    half_width, half_height = ops.divide(third, 2), ops.divide(fourth, 2)
    return (ops.subtract(first, half_width), ops.subtract(second, half_height),
            ops.add(first, half_width), ops.add(second, half_height))


def _numbers(left, top, right, bottom, box_format):
    """The numbers of an absolute format for corners."""
    if box_format == 'xyxy':
        return [left, top, right, bottom]
    if box_format == 'yxyx':
        return [top, left, bottom, right]
    width, height = ops.subtract(right, left), ops.subtract(bottom, top)
    if box_format == 'xywh':
        return [left, top, width, height]
    middle = [ops.divide(ops.add(left, right), 2), ops.divide(ops.add(top, bottom), 2)]
    return middle + [width, height] if box_format == 'center_xywh' else middle[::-1] + [height, width]


# --- what happens to boxes when their images change -----------------------------------------------------------------

def clip_to_image_size(bounding_boxes, height=None, width=None, bounding_box_format='xyxy'):
    """Boxes without what lies outside of the image. Of those that lie outside altogether the labels become -1.

    Args:
        bounding_boxes: a dictionary of 'boxes' (..., boxes, 4) and 'labels' (..., boxes).
        height, width: of the image; relative formats need none.

    Returns:
        A new dictionary.
    """
    boxes, labels = bounding_boxes['boxes'], bounding_boxes.get('labels')
    relative = _checked(bounding_box_format).startswith('rel_')
    if not relative and (height is None or width is None):
        raise ValueError('clip_to_image_size: `height` and `width` must be given for the format %r.'
                         % bounding_box_format)
    corners = 'rel_xyxy' if relative else 'xyxy'
    left, top, right, bottom = _corners(convert_format(boxes, bounding_box_format, corners), 'xyxy')
    height, width = (1.0, 1.0) if relative else (ops.cast(height, 'float32'), ops.cast(width, 'float32'))
    left, right = [ops.clip(value, 0.0, width) for value in (left, right)]
    top, bottom = [ops.clip(value, 0.0, height) for value in (top, bottom)]
    clipped = ops.concatenate([left, top, right, bottom], -1)
    result = dict(bounding_boxes, boxes=convert_format(clipped, corners, bounding_box_format))
    if labels is not None:
        area = ops.squeeze(ops.multiply(ops.subtract(right, left), ops.subtract(bottom, top)), -1)
        labels = labels if hasattr(labels, 'shape') else ops.convert_to_tensor(labels)
        outside = ops.less_equal(area, 0.0)
        result['labels'] = ops.where(outside, ops.cast(-1, labels.dtype), labels)
    return result


def affine_transform(boxes, angle, translate_x, translate_y, scale, shear_x, shear_y, height, width, center_x=None,
                     center_y=None, bounding_box_format='xyxy'):
    """The boxes around boxes that are turned, sheared, scaled and moved.

    Args:
        boxes: tensor (batch, boxes, 4). angle: in degrees, clockwise on the screen; this and the next are (batch,).
        translate_x, translate_y: in pixels. scale: factor. shear_x, shear_y: in degrees.
        height, width: of the images. center_x, center_y: what stays in place, as shares of the image, default 0.5.
        bounding_box_format: see `convert_format`.

    Returns:
        Boxes of the same format.
    """
    box_format = _checked(bounding_box_format)
    corners = convert_format(boxes, box_format, 'xyxy', height, width)
    middle = [(0.5 if share is None else share) * size for share, size in ((center_x, width), (center_y, height))]
    angle, shear_x, shear_y = [ops.multiply(ops.cast(value, 'float32'), math.pi / 180.0)
                               for value in (angle, shear_x, shear_y)]
    cosine, sine = ops.cos(angle), ops.sin(angle)
    tangent_x, tangent_y = [ops.divide(ops.sin(value), ops.cos(value)) for value in (shear_x, shear_y)]
    # Turned after it was sheared along both axes.
    a = ops.multiply(ops.add(cosine, ops.multiply(sine, tangent_y)), scale)
    b = ops.multiply(ops.subtract(ops.multiply(cosine, tangent_x), sine), scale)
    c = ops.multiply(ops.subtract(sine, ops.multiply(cosine, tangent_y)), scale)
    d = ops.multiply(ops.add(cosine, ops.multiply(sine, tangent_x)), scale)

    def move(x, y):
        x, y = ops.subtract(x, middle[0]), ops.subtract(y, middle[1])
        a_, b_, c_, d_, tx, ty = [ops.reshape(ops.cast(value, 'float32'), (-1, 1, 1))
                                  for value in (a, b, c, d, translate_x, translate_y)]
        return (ops.add(ops.add(ops.multiply(a_, x), ops.multiply(b_, y)), ops.add(tx, middle[0])),
                ops.add(ops.add(ops.multiply(c_, x), ops.multiply(d_, y)), ops.add(ty, middle[1])))
    return convert_format(around(corners, move), 'xyxy', box_format, height, width)


def around(boxes, move):
    """The boxes around what `move`, a function of x and y, makes of the corners of boxes (..., 4) in 'xyxy'."""
    left, top, right, bottom = _corners(boxes, 'xyxy')
    x, y = move(ops.concatenate([left, right, left, right], -1), ops.concatenate([top, top, bottom, bottom], -1))
    x, y = ops.add(x, ops.zeros_like(y)), ops.add(y, ops.zeros_like(x))
    return ops.stack([ops.min(x, -1), ops.min(y, -1), ops.max(x, -1), ops.max(y, -1)], -1)


def shifted(boxes, right, down):
    """Boxes in 'xyxy' moved."""
    return ops.add(boxes, ops.stack([right, down, right, down], -1))


def crop(boxes, top, left, height, width, bounding_box_format='xyxy'):
    """Boxes of images of which a part is cut out, in the places they have there. They may reach beyond it.

    Args:
        boxes: tensor (..., 4). top, left: where the part begins. height, width: of the whole image, for relative
            formats.
    """
    corners = convert_format(boxes, bounding_box_format, 'xyxy', height, width)
    return convert_format(ops.subtract(corners, _offset(top, left)), 'xyxy', bounding_box_format, height, width)


def pad(boxes, top, left, height=None, width=None, bounding_box_format='xyxy'):
    """Boxes of images that are padded, in the places they have then.

    Args:
        boxes: tensor (..., 4). top, left: rows and columns in front. height, width: for relative formats.
    """
    corners = convert_format(boxes, bounding_box_format, 'xyxy', height, width)
    return convert_format(ops.add(corners, _offset(top, left)), 'xyxy', bounding_box_format, height, width)


def _offset(top, left):
    return ops.stack([ops.cast(value, 'float32') for value in (left, top, left, top)], -1)


# --- how far two boxes agree ----------------------------------------------------------------------------------------

def _pairwise(boxes1, boxes2, bounding_box_format, image_shape):
    height, width = (None, None) if image_shape is None else image_shape[:2]
    target = 'rel_xyxy' if _checked(bounding_box_format).startswith('rel') else 'xyxy'
    return [_corners(convert_format(boxes, bounding_box_format, target, height, width), 'xyxy')
            for boxes in (boxes1, boxes2)]


def _area(left, top, right, bottom):
    return ops.multiply(ops.subtract(right, left), ops.subtract(bottom, top))


def _common(first, second):
    """The area that boxes have in common."""
    left, top = ops.maximum(first[0], second[0]), ops.maximum(first[1], second[1])
    right, bottom = ops.minimum(first[2], second[2]), ops.minimum(first[3], second[3])
    return ops.multiply(ops.maximum(ops.subtract(right, left), 0.0), ops.maximum(ops.subtract(bottom, top), 0.0))


def compute_iou(boxes1, boxes2, bounding_box_format, use_masking=False, mask_val=-1, image_shape=None):
    """The area that boxes have in common, as a share of the area that they cover together; each with each.

    Args:
        boxes1, boxes2: tensors (boxes, 4) or (batch, boxes, 4).
        use_masking: whether boxes whose numbers are below 0, as padding is, agree `mask_val` with all others.
        image_shape: (rows, columns, channels); not needed.

    Returns:
        Floats (boxes1, boxes2), or with the batch in front.

    Example:
        >>> boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2]])
        >>> shares = keras.utils.bounding_boxes.compute_iou(boxes, boxes[:1], 'xyxy')
        >>> keras.ops.convert_to_numpy(shares).round(3).tolist()
        [[1.0], [0.333]]
    """
    for name, boxes in (('boxes1', boxes1), ('boxes2', boxes2)):
        if len(boxes.shape) not in (2, 3):
            raise ValueError('compute_iou: `%s` must be of rank 2 or 3. Received the shape %s.'
                             % (name, tuple(boxes.shape)))
    first, second = _pairwise(boxes1, boxes2, bounding_box_format, image_shape)
    second = [ops.swapaxes(part, -1, -2) for part in second]
    common = _common(first, second)
    together = ops.subtract(ops.add(_area(*first), _area(*second)), common)
    result = ops.divide(common, ops.add(together, 1e-7))
    if not use_masking:
        return result
    absent = ops.logical_or(ops.less(ops.minimum(*first[:2]), 0.0), ops.less(ops.minimum(*second[:2]), 0.0))
    return ops.where(absent, float(mask_val), result)


def compute_ciou(boxes1, boxes2, bounding_box_format, image_shape=None):
    """The complete intersection over union: that of `compute_iou` less the distance and the difference in proportions.

    Args:
        boxes1, boxes2: tensors (..., 4), compared pair by pair. image_shape: see `compute_iou`.

    Returns:
        Floats (...).

    Source: Zheng et al., Distance-IoU loss (2020).
    """
    first, second = _pairwise(boxes1, boxes2, bounding_box_format, image_shape)
    epsilon = 1e-7
    common = _common(first, second)
    sizes = [(ops.subtract(box[2], box[0]), ops.add(ops.subtract(box[3], box[1]), epsilon)) for box in (first, second)]
    together = ops.add(ops.subtract(ops.add(_area(*first), _area(*second)), common), epsilon)
    iou = ops.divide(common, together)
    hull_width = ops.subtract(ops.maximum(first[2], second[2]), ops.minimum(first[0], second[0]))
    hull_height = ops.subtract(ops.maximum(first[3], second[3]), ops.minimum(first[1], second[1]))
    diagonal = ops.add(ops.add(ops.square(hull_width), ops.square(hull_height)), epsilon)
    apart = [ops.divide(ops.square(ops.subtract(ops.add(second[place], second[place + 2]),
                                                ops.add(first[place], first[place + 2]))), 4.0) for place in (0, 1)]
    angles = [ops.arctan(ops.divide(width, height)) for width, height in sizes]
    proportions = ops.multiply(ops.square(ops.subtract(angles[1], angles[0])), 4.0 / math.pi ** 2)
    weight = ops.divide(proportions, ops.add(ops.subtract(proportions, iou), 1.0 + epsilon))
    result = ops.subtract(iou, ops.add(ops.divide(ops.add(*apart), diagonal), ops.multiply(proportions, weight)))
    return ops.squeeze(result, -1)


# --- boxes as what a detector predicts --------------------------------------------------------------------------------

def encode_box_to_deltas(anchors, boxes, anchor_format, box_format, encoding_format='center_yxhw', variance=None,
                         image_shape=None):
    """Boxes as distances from anchors and logarithms of their sizes, in units of the anchors.

    Args:
        anchors: tensor (anchors, 4). boxes: tensor (anchors, 4) or (batch, anchors, 4).
        encoding_format: 'center_xywh' or 'center_yxhw'. variance: four numbers that the deltas are divided by.
        image_shape: (rows, columns, channels), where a format is relative.

    Source: Girshick, Fast R-CNN (2015), appendix C of R-CNN (2014).
    """
    variance = _checked_variance(variance, encoding_format)
    height, width = (None, None) if image_shape is None else image_shape[:2]
    anchors = convert_format(anchors, anchor_format, encoding_format, height, width)
    boxes = convert_format(boxes, box_format, encoding_format, height, width)
    anchors_size, boxes_size = [ops.maximum(part[..., 2:], 1e-7) for part in (anchors, boxes)]
    deltas = ops.concatenate([ops.divide(ops.subtract(boxes[..., :2], anchors[..., :2]), anchors_size),
                              ops.log(ops.divide(boxes_size, anchors_size))], -1)
    return deltas if variance is None else ops.divide(deltas, variance)


def decode_deltas_to_boxes(anchors, boxes_delta, anchor_format, box_format, encoded_format='center_yxhw', variance=None,
                           image_shape=None):
    """The boxes that `encode_box_to_deltas` made deltas of.

    Args:
        anchors: tensor (anchors, 4), or a dictionary of such for several levels.
        boxes_delta: tensor (anchors, 4) or (batch, anchors, 4), or a dictionary of such.
        anchor_format: of the anchors. box_format: of the result. encoded_format, variance, image_shape: see there.
    """
    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        return {level: decode_deltas_to_boxes(anchors[level], boxes_delta[level], anchor_format, box_format,
                                              encoded_format, variance, image_shape) for level in anchors}
    variance = _checked_variance(variance, encoded_format)
    height, width = (None, None) if image_shape is None else image_shape[:2]
    anchors = convert_format(anchors, anchor_format, encoded_format, height, width)
    deltas = boxes_delta if variance is None else ops.multiply(boxes_delta, variance)
    boxes = ops.concatenate([ops.add(ops.multiply(deltas[..., :2], anchors[..., 2:]), anchors[..., :2]),
                             ops.multiply(ops.exp(deltas[..., 2:]), anchors[..., 2:])], -1)
    return convert_format(boxes, encoded_format, box_format, height, width)


def _checked_variance(variance, encoding):
    if encoding not in ('center_xywh', 'center_yxhw'):
        raise ValueError("The encoding of boxes must be 'center_xywh' or 'center_yxhw'. Received: %r" % (encoding,))
    if variance is not None and ops.shape(variance)[-1] != 4:
        raise ValueError('`variance` must be four numbers. Received: %r' % (variance,))
    return None if variance is None else ops.convert_to_tensor(variance, 'float32')
