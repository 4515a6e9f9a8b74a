"""Pictures of images with boxes and masks on them, by Pillow, and galleries of images, by matplotlib.

Images come as arrays or tensors (batch, rows, columns, channels), or channels first, and leave as NumPy arrays.
"""
import colorsys
import math

import numpy as np

from keras import config
from keras.ops import convert_to_numpy

_FORMATS = ('xyxy', 'yxyx', 'xywh', 'center_xywh', 'center_yxhw', 'rel_xyxy', 'rel_yxyx')


def _images(images, data_format):
    """The images as an array of uint8 (batch, rows, columns, channels)."""
    images = convert_to_numpy(images)
    if images.ndim != 4:
        raise ValueError('Expected a batch of images of rank 4. Received: images.shape=%s' % (images.shape,))
    if config.normalize_data_format(data_format) == 'channels_first':
        images = np.moveaxis(images, 1, -1)
    return np.clip(images, 0, 255).astype('uint8')


def _scaled(images, value_range):
    """Images with values in `value_range` brought to 0 to 255."""
    low, high = value_range
    return (convert_to_numpy(images).astype('float32') - low) * (255.0 / (high - low))


# --- boxes -----------------------------------------------------------------------------------------------------------

def _corners(boxes, box_format, rows, columns):
    """Boxes (count, 4) as (left, top, right, bottom) in pixels."""
    a, b, c, d = np.moveaxis(np.asarray(boxes, 'float64').reshape(-1, 4), -1, 0)
    if box_format in ('yxyx', 'rel_yxyx', 'center_yxhw'):
        a, b, c, d = b, a, d, c
    if box_format == 'xywh':
        c, d = a + c, b + d
    elif box_format.startswith('center'):
        a, b, c, d = a - c / 2, b - d / 2, a + c / 2, b + d / 2
    elif box_format.startswith('rel'):
        a, b, c, d = a * columns, b * rows, c * columns, d * rows
    return np.stack([a, b, c, d], -1)


def draw_bounding_boxes(images, bounding_boxes, bounding_box_format, class_mapping=None, color=(128, 128, 128),
                        line_thickness=2, text_thickness=1, font_scale=1.0, data_format=None):
    """Images with boxes drawn on them.

    Args:
        images: with values from 0 to 255. bounding_boxes: a dictionary with 'boxes' (batch, count, 4) and 'labels'
            (batch, count), and 'confidences' if wanted; boxes of label -1 are left out.
        bounding_box_format: 'xyxy', 'yxyx', 'xywh', 'center_xywh', 'center_yxhw', 'rel_xyxy' or 'rel_yxyx'.
        class_mapping: {label: its name}, which is written at the box. color: three numbers from 0 to 255.
        line_thickness: of the boxes, in pixels. text_thickness: of the outline of letters beyond the first pixel.
        font_scale: size of the letters, 1.0 for ten pixels.

    Returns:
        An array of uint8 (batch, rows, columns, channels), channels first where the images are.

    Raises:
        ValueError: for boxes that are no such dictionary, or another format. ImportError: without Pillow.

    Example:
        >>> boxes = {'boxes': np.array([[[0, 0, 3, 3]]]), 'labels': np.array([[1]])}
        >>> drawn = keras.visualization.draw_bounding_boxes(np.zeros((1, 5, 5, 3)), boxes, 'xyxy', line_thickness=1)
        >>> drawn[0, 0, :, 0]
        array([128, 128, 128, 128,   0], dtype=uint8)
    """
    from PIL import Image, ImageDraw
    format_name = bounding_box_format.lower()
    if format_name not in _FORMATS:
        raise ValueError('draw_bounding_boxes: `bounding_box_format` must be one of %s. Received: %r'
                         % (', '.join(_FORMATS), bounding_box_format))
    if not isinstance(bounding_boxes, dict) or not {'boxes', 'labels'} <= set(bounding_boxes):
        raise ValueError("draw_bounding_boxes: `bounding_boxes` must be a dictionary with 'boxes' and 'labels'. "
                         'Received: %r' % (bounding_boxes,))
    pixels = _images(images, data_format)
    drawn = []
    for number, image in enumerate(pixels):
        picture = Image.fromarray(image if image.shape[-1] != 1 else np.repeat(image, 3, -1))
        pen = ImageDraw.Draw(picture)
        boxes = _corners(convert_to_numpy(bounding_boxes['boxes'][number]), format_name, *image.shape[:2])
        labels = np.reshape(convert_to_numpy(bounding_boxes['labels'][number]), -1)
        sure = bounding_boxes.get('confidences')
        sure = None if sure is None else np.reshape(convert_to_numpy(sure[number]), -1)
        for place, (corners, label) in enumerate(zip(boxes, labels)):
            if label == -1:
                continue
            pen.rectangle([int(round(each)) for each in corners], outline=tuple(color), width=line_thickness)
            text = _caption(label, None if sure is None else sure[place], class_mapping)
            if text:
                pen.text((corners[0], max(corners[1] - 10 * font_scale, 0)), text, fill=tuple(color),
                         font=_font(font_scale), stroke_width=max(text_thickness - 1, 0))
        drawn.append(np.asarray(picture))
    return _back(np.stack(drawn), data_format)


def _caption(label, confidence, class_mapping):
    name = '' if class_mapping is None else str(class_mapping.get(int(label), int(label)))
    return name if confidence is None else ('%s %.2f' % (name, confidence)).strip()


def _font(scale):
    from PIL import ImageFont
    try:
        return ImageFont.load_default(10 * scale)
    except TypeError:  # Pillow before 10.1 has one size
        return ImageFont.load_default()


def _back(images, data_format):
    return np.moveaxis(images, -1, 1) if config.normalize_data_format(data_format) == 'channels_first' else images


# --- masks -----------------------------------------------------------------------------------------------------------

def _palette(count):
    """Colours far from each other, for `count` classes; the first, the background, is black."""
    others = [colorsys.hsv_to_rgb(number / max(count - 1, 1), 1.0, 1.0) for number in range(count - 1)]
    return {0: (0, 0, 0), **{number: tuple(int(255 * part) for part in rgb) for number, rgb in enumerate(others, 1)}}


def draw_segmentation_masks(images, segmentation_masks, num_classes=None, color_mapping=None, alpha=0.8, blend=True,
                            ignore_index=-1, data_format=None):
    """Images with the class of every pixel laid over them as a colour.

    Args:
        images: with values from 0 to 255. segmentation_masks: integers (batch, rows, columns) or (batch, rows, columns,
            1), the classes. num_classes: how many there are; default the largest and one. color_mapping: {class:
            three numbers from 0 to 255}; default colours far from each other. alpha: how much the colour counts.
        blend: whether the images show through; False shows the colours alone. ignore_index: pixels of that class stay
            as they are.

    Returns:
        An array of uint8 in the shape of the images.

    Raises:
        TypeError: for masks that are no integers. ValueError: for masks of another rank.

    Example:
        >>> images, masks = np.full((1, 1, 2, 3), 100), np.array([[[0, 1]]])
        >>> keras.visualization.draw_segmentation_masks(images, masks, color_mapping={0: (0, 0, 0), 1: (200, 0, 0)},
        ...                                             alpha=0.5)
        array([[[[ 50,  50,  50],
                 [150,  50,  50]]]], dtype=uint8)
    """
    pixels, masks = _images(images, data_format), convert_to_numpy(segmentation_masks)
    if masks.dtype.kind not in 'iu':
        raise TypeError('draw_segmentation_masks: the masks must be integers. Received: %s' % masks.dtype)
    if masks.ndim == 4:
        masks = np.squeeze(masks, 1 if config.normalize_data_format(data_format) == 'channels_first' else -1)
    if masks.shape != pixels.shape[:3]:
        raise ValueError('draw_segmentation_masks: masks of shape %s do not fit images of shape %s'
                         % (masks.shape, pixels.shape))
    known = masks[masks != ignore_index]
    count = num_classes or (int(known.max()) + 1 if known.size else 1)
    colours = np.zeros(masks.shape + (3,), 'float64')
    for label, colour in (color_mapping or _palette(count)).items():
        colours[masks == label] = colour
    shown = pixels * (1 - alpha) + colours * alpha if blend else colours
    shown = np.where((masks == ignore_index)[..., None], pixels, shown)
    return _back(np.clip(shown, 0, 255).astype('uint8'), data_format)


# --- galleries -------------------------------------------------------------------------------------------------------

def _pyplot():
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError('Galleries need matplotlib: pip install matplotlib (%s)' % error)
    return pyplot


def plot_image_gallery(images, y_true=None, y_pred=None, label_map=None, rows=None, cols=None, value_range=(0, 255),
                       scale=2, path=None, show=None, transparent=True, dpi=60, legend_handles=None, data_format=None):
    """Images side by side, as a figure of matplotlib.

    Args:
        images: a batch. y_true, y_pred: labels to write below them. label_map: {label: its name}. rows, cols: of the
            gallery; default nearly a square. value_range: that of the images. scale: size of an image in inches.
        path: where to save the figure. show: whether to show it; default where it is not saved. transparent, dpi: of
            the file. legend_handles: handles of matplotlib for a legend.

    Returns:
        The figure, None where it is shown.

    Raises:
        ValueError: for both `path` and `show`. ImportError: without matplotlib.
    """
    if path is not None and show:
        raise ValueError('plot_image_gallery expects either `path` to be set, or `show` to be true. Received: path=%r, '
                         'show=%r' % (path, show))
    show = path is None if show is None else show
    pyplot = _pyplot()
    pixels = _images(_scaled(images, value_range), data_format)
    cols = cols or (math.ceil(len(pixels) / rows) if rows else math.ceil(math.sqrt(len(pixels))))
    rows = rows or math.ceil(len(pixels) / cols)
    figure, axes = pyplot.subplots(rows, cols, figsize=(cols * scale, rows * scale), squeeze=False)
    for place, axis in enumerate(axes.flat):
        axis.axis('off')
        if place < len(pixels):
            image = pixels[place]
            axis.imshow(image if image.shape[-1] != 1 else image[..., 0], cmap='gray')
            axis.set_title(_title(place, y_true, y_pred, label_map), fontsize=8)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc='lower center')
    if path is not None:
        figure.savefig(path, transparent=transparent, dpi=dpi)
    if show:
        pyplot.show()
        pyplot.close(figure)
        return None
    return figure


def _title(place, y_true, y_pred, label_map):
    parts = []
    for word, labels in (('', y_true), ('predicted: ', y_pred)):
        if labels is not None:
            label = int(np.reshape(convert_to_numpy(labels[place]), -1)[0])
            parts.append(word + str((label_map or {}).get(label, label)))
    return '\n'.join(parts)


def plot_bounding_box_gallery(images, bounding_box_format, y_true=None, y_pred=None, value_range=(0, 255),
                              true_color=(0, 188, 212), pred_color=(255, 235, 59), line_thickness=2, font_scale=1.0,
                              text_thickness=None, class_mapping=None, ground_truth_mapping=None,
                              prediction_mapping=None, legend=False, legend_handles=None, rows=None, cols=None,
                              data_format=None, **kwargs):
    """Images with true and predicted boxes on them, side by side.

    Args:
        images: a batch. bounding_box_format, y_true, y_pred: as the arguments of `draw_bounding_boxes`.
        value_range: that of the images. true_color, pred_color, line_thickness, font_scale, text_thickness: how boxes
            look. class_mapping: {label: its name}; ground_truth_mapping, prediction_mapping: one for each kind of
            boxes. legend: whether the colours are explained. The others go to `plot_image_gallery`.

    Raises:
        ValueError: for both `legend` and `legend_handles`. ImportError: without Pillow or matplotlib.
    """
    if legend and legend_handles:
        raise ValueError('plot_bounding_box_gallery: Only pass `legend` OR `legend_handles`. Received: legend=%r and '
                         'legend_handles=%r' % (legend, legend_handles))
    drawn = _images(_scaled(images, value_range), data_format)
    given = (y_true, true_color, ground_truth_mapping), (y_pred, pred_color, prediction_mapping)
    for boxes, colour, mapping in given:
        if boxes is not None:
            drawn = draw_bounding_boxes(drawn, boxes, bounding_box_format, mapping or class_mapping, colour,
                                        line_thickness, text_thickness or 1, font_scale, 'channels_last')
    if legend:
        from matplotlib import patches
        legend_handles = [patches.Patch(color=np.array(colour) / 255.0, label=label)
                          for colour, label in ((true_color, 'Ground Truth'), (pred_color, 'Prediction'))]
    return plot_image_gallery(drawn, rows=rows, cols=cols, legend_handles=legend_handles, data_format='channels_last',
                              **kwargs)


def plot_segmentation_mask_gallery(images, num_classes, value_range=(0, 255), y_true=None, y_pred=None,
                                   color_mapping=None, blend=True, alpha=0.8, ignore_index=-1, data_format=None,
                                   **kwargs):
    """Images with their true and predicted masks, side by side: for each image the image, then the masks on it.

    Args:
        images: a batch. num_classes, color_mapping, blend, alpha, ignore_index: as for `draw_segmentation_masks`.
            value_range: that of the images. y_true, y_pred: masks, or None. The others go to `plot_image_gallery`.

    Raises:
        ImportError: without matplotlib.
    """
    pixels = _images(_scaled(images, value_range), data_format)
    columns = [pixels]
    for masks in (y_true, y_pred):
        if masks is not None:
            masks = convert_to_numpy(masks)
            if masks.ndim == 4:
                masks = np.squeeze(masks, 1 if config.normalize_data_format(data_format) == 'channels_first' else -1)
            columns.append(draw_segmentation_masks(pixels, masks, num_classes, color_mapping, alpha, blend,
                                                   ignore_index, 'channels_last'))
    shown = np.stack(columns, 1).reshape((-1,) + pixels.shape[1:])
    return plot_image_gallery(shown, rows=len(pixels), cols=len(columns), data_format='channels_last', **kwargs)
