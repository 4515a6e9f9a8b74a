"""Pictures: files, objects of Pillow and arrays."""
import io
import os
import warnings

import numpy as np

from keras import config
from keras.legacy import calls

# What the endings of files that hold pictures may be.
FORMATS = ('png', 'jpg', 'jpeg', 'bmp', 'ppm', 'tif', 'tiff')
_INTERPOLATIONS = ('nearest', 'bilinear', 'bicubic', 'hamming', 'box', 'lanczos')
_COLOR_MODES = {'grayscale': ('L', 'I;16', 'I'), 'rgb': ('RGB',), 'rgba': ('RGBA',)}


def pillow(module='Image'):
    """A module of Pillow.

    Raises:
        ImportError: if Pillow is not there.
    """
    try:
        return getattr(__import__('PIL', fromlist=[module]), module)
    except ImportError as error:
        raise ImportError('Reading, writing and brightening pictures needs Pillow: pip install pillow (%s)' % error)


def checked_data_format(data_format):
    """`data_format`, by default that of the settings.

    Raises:
        ValueError: for an unknown one.
    """
    if data_format is None:
        return config.image_data_format()
    if data_format not in config.DATA_FORMATS:
        raise ValueError('Invalid data_format: %r. Expected "channels_last" or "channels_first".' % (data_format,))
    return data_format


def checked_color_mode(color_mode):
    """`color_mode`.

    Raises:
        ValueError: for an unknown one.
    """
    if color_mode not in _COLOR_MODES:
        raise ValueError('Invalid color mode: %r; expected "rgb", "rgba", or "grayscale".' % (color_mode,))
    return color_mode


def load_img(path, grayscale=False, color_mode='rgb', target_size=None, interpolation='nearest',
             keep_aspect_ratio=False):
    """The picture in a file.

    Args:
        path: path, or an open binary file. grayscale: older spelling of color_mode='grayscale'.
        color_mode: 'grayscale', 'rgb' or 'rgba'. target_size: (height, width) to resize to; default: as it is.
        interpolation: of resizing: 'nearest', 'bilinear', 'bicubic', 'lanczos', 'box' or 'hamming'.
        keep_aspect_ratio: whether what is too long is cut off, from the middle outwards, rather than squeezed.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: without Pillow. OSError: if the file is not there, or no whole picture. ValueError: for an unknown
        mode or interpolation.

    Example:
        picture = keras.utils.load_img('cat.jpg', target_size=(224, 224))
    """
    if grayscale is True:
        warnings.warn('load_img: `grayscale` is deprecated: load_img(path, color_mode="grayscale").',
                      DeprecationWarning, stacklevel=2)
        color_mode = 'grayscale'
    checked_color_mode(color_mode)
    if target_size is not None and interpolation not in _INTERPOLATIONS:
        raise ValueError('Invalid interpolation method %r specified. Supported methods are %s.'
                         % (interpolation, ', '.join(_INTERPOLATIONS)))
    image = _opened(path)
    if image.mode not in _COLOR_MODES[color_mode]:
        image = image.convert(_COLOR_MODES[color_mode][0])
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    methods = getattr(pillow(), 'Resampling', pillow())
    size = (int(target_size[1]), int(target_size[0]))
    box = _middle(image.size, size) if keep_aspect_ratio else None
    return image.resize(size, getattr(methods, interpolation.upper()), box)


def _opened(path):
    """The picture of a file, all of it read."""
    module = pillow()
    name = path if isinstance(path, (str, bytes)) or hasattr(path, '__fspath__') else None
    if name is not None:
        with open(name, 'rb') as file:
            path = io.BytesIO(file.read())
    try:
        image = module.open(path)
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise OSError('%s cannot be read as a picture: %s. The usual causes: it was not copied to its end, or is '
                      'something else, such as a page with an error message.' % (name or 'The file', error))
    return image


def _middle(size, target):
    """The box in the middle of a picture that has the proportions of `target`; both are (width, height)."""
    width = min(size[0], size[1] * target[0] // target[1])
    height = min(size[1], size[0] * target[1] // target[0])
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return left, top, left + width, top + height


def img_to_array(img, data_format=None, dtype=None):
    """The array of a picture.

    Args:
        img: a `PIL.Image.Image`, or an array of rank 2 or 3. data_format: 'channels_last' or 'channels_first', where
            the channels are to be; default as in the settings. dtype: default `keras.config.floatx()`.

    Returns:
        Array of rank 3, a new one.

    Raises:
        ValueError: if the picture has another rank.
    """
    data_format = checked_data_format(data_format)
    x = np.array(img, dtype=dtype or config.floatx())
    if x.ndim == 2:
        return x[np.newaxis] if data_format == 'channels_first' else x[..., np.newaxis]
    if x.ndim != 3:
        raise ValueError('Unsupported image shape: %s. Expected rank 2 or 3.' % (x.shape,))
    return x.transpose(2, 0, 1) if data_format == 'channels_first' else x


def array_to_img(x, data_format=None, scale=True, dtype=None):
    """The picture of an array.

    Args:
        x: array of rank 3, with 1, 3 or 4 channels. data_format: 'channels_last' or 'channels_first', where they are;
            default as in the settings. scale: whether the values are brought to 0 to 255, the least to 0 and the
            greatest to 255. dtype: to compute with; default `keras.config.floatx()`.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ValueError: if the array has another rank or number of channels.
    """
    data_format = checked_data_format(data_format)
    x = np.asarray(x, dtype=dtype or config.floatx())
    if x.ndim != 3:
        raise ValueError('Expected image array to have rank 3 (single image). Got array with shape: %s' % (x.shape,))
    if data_format == 'channels_first':
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - x.min()
        greatest = x.max()
        # In this order, so that the same values are cut off to the same integers as ever.
        x = (x / greatest if greatest else x) * 255
    module, channels = pillow(), x.shape[2]
    if channels == 1 and x.size and x.max() > 255:
        return module.fromarray(x[..., 0].astype('int32'))
    if channels not in (1, 3, 4):
        raise ValueError('Unsupported channel number: %d. Expected 1, 3 or 4; the usual cause is another data_format '
                         'than %r.' % (channels, data_format))
    # By way of int32: the lowest byte of what is out of range.
    return module.fromarray((x[..., 0] if channels == 1 else x).astype('int32').astype('uint8'))


def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs):
    """Write an array to a file as a picture.

    Args:
        path: path, or an open binary file. x, data_format, scale: as in `array_to_img`. file_format: name of a format
            of Pillow; default by the ending of the path. kwargs: passed to `PIL.Image.Image.save`.
    """
    image = array_to_img(x, data_format, scale)
    ending = file_format or os.path.splitext(path if isinstance(path, str) else getattr(path, 'name', ''))[1]
    if image.mode == 'RGBA' and str(ending).lower().strip('.') in ('jpg', 'jpeg'):
        warnings.warn('The JPG format does not support RGBA images, converting to RGB.', stacklevel=2)
        image = image.convert('RGB')
    image.save(path, format='jpeg' if file_format and file_format.lower() == 'jpg' else file_format, **kwargs)


def list_pictures(directory, ext='jpg|jpeg|bmp|png'):
    """The paths of all pictures in a folder and those in it.

    Args:
        directory: path. ext: the endings of their names, with | between them.
    """
    endings = tuple('.' + ending.lower() for ending in ext.split('|'))
    return [os.path.join(folder, name) for folder, _, names in os.walk(directory) for name in names
            if name.lower().endswith(endings)]


calls.install(globals(), calls.PICTURE_ARRAYS)
