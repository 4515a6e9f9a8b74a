"""What the pretrained networks share: how pictures go in, what comes out, and which shapes they take."""
import json
import warnings

import numpy as np

from keras import config, ops
from keras.backend.table.composites.shape import static_shape
from keras.utils.downloads import get_file

CLASS_INDEX = None
CLASS_INDEX_PATH = 'https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json'
CLASS_INDEX_HASH = 'c2c37ea517e94d9795004a39431a14cb'
CLASSES = 1000

# Where the pretrained weights are.
FOLDER = 'https://storage.googleapis.com/tensorflow/keras-applications/'
# The modes of `preprocess_input`, by what becomes of pictures.
CENTRED, SIGNED, NORMALIZED, AS_THEY_ARE = 'caffe', 'tf', 'torch', 'identity'
# How a mode scales pictures, in this order: the colours turned from RGB to BGR, a divisor, a mean that is subtracted
# and a deviation that divides, one each per colour.
MODES = {
    CENTRED: (True, None, (103.939, 116.779, 123.68), None),
    SIGNED: (False, 127.5, (1.0, 1.0, 1.0), None),
    NORMALIZED: (False, 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    AS_THEY_ARE: (False, None, None, None),
}
# What Keras 1 called the data formats.
_FORMATS = {'tf': 'channels_last', 'th': 'channels_first', 'default': None}


def preprocess_input(x, data_format=None, mode='caffe', **kwargs):
    """Pictures as the pretrained networks expect them.

    Args:
        x: one picture or a batch, RGB from 0 to 255: an array, a tensor of the engine or a symbolic tensor. An array of
            floats is changed in place, as upstream does it; give a copy to keep it.
        data_format: 'channels_last' or 'channels_first'; default from keras.json.
        mode: 'caffe' turns RGB to BGR and subtracts the mean of ImageNet; 'tf' scales to [-1, 1]; 'torch' scales to
            [0, 1] and then by mean and deviation of ImageNet.

    Returns:
        An array or tensor of the shape of `x`, of the dtype of `x` if that is a float, else `floatx`.

    Raises:
        ValueError: for another mode or data format, or if `x` is no picture of three colours.

    Example:
        >>> keras.applications.imagenet_utils.preprocess_input(np.full((1, 1, 3), 255.0), mode='tf')
        array([[[1., 1., 1.]]])
    """
    if mode not in (CENTRED, SIGNED, NORMALIZED):
        raise ValueError('preprocess_input: expected mode to be one of `caffe`, `tf` or `torch`. Received: mode=%r'
                         % (mode,))
    return preprocessed(x, format_of(data_format, kwargs), mode)


def format_of(data_format, kwargs):
    """The data format, from the arguments of all generations."""
    data_format = kwargs.pop('dim_ordering', data_format)
    for name in ('backend', 'layers', 'models', 'utils'):  # the modules that keras-applications was handed
        kwargs.pop(name, None)
    if kwargs:
        raise TypeError('preprocess_input() got an unexpected argument %r' % sorted(kwargs)[0])
    data_format = _FORMATS.get(data_format, data_format)
    if data_format not in (None,) + config.DATA_FORMATS:
        raise ValueError('preprocess_input: expected data_format to be one of `channels_first` or `channels_last`. '
                         'Received: data_format=%r' % (data_format,))
    return data_format or config.image_data_format()


def preprocessed(x, data_format, mode):
    """`x` scaled by one of `MODES`; for the networks, whose arguments have been checked."""
    if mode == AS_THEY_ARE:
        return x
    is_array = isinstance(x, (np.ndarray, list, tuple, np.generic))
    x = np.asarray(x) if is_array else x
    shape = x.shape if is_array else static_shape(x)
    rank = len(shape)
    axis = rank - 1 if data_format == 'channels_last' else rank - 3
    if rank not in (3, 4) or shape[axis] not in (3, None):
        raise ValueError('preprocess_input: expected a picture of three colours, or a batch of them, with '
                         'data_format=%r. Received the shape %s.' % (data_format, tuple(shape)))
    return (_scale_array if is_array else _scale_tensor)(x, axis, rank, *MODES[mode])


def _per_color(values, axis, rank, dtype):
    return np.reshape(np.asarray(values, dtype), [3 if index == axis else 1 for index in range(rank)])


def _scale_array(x, axis, rank, turned, divisor, mean, deviation):
    if not issubclass(x.dtype.type, np.floating):
        x = x.astype(config.floatx())
    elif not x.flags.writeable:
        x = x.copy()
    if turned:
        x = x[tuple(slice(None, None, -1) if index == axis else slice(None) for index in range(rank))]
    if divisor is not None:
        x /= divisor
    x -= _per_color(mean, axis, rank, x.dtype)
    if deviation is not None:
        x /= _per_color(deviation, axis, rank, x.dtype)
    return x


def _scale_tensor(x, axis, rank, turned, divisor, mean, deviation):
    dtype = ops.dtype(x)
    if 'float' not in dtype:
        dtype = config.floatx()
        x = ops.cast(x, dtype)
    if turned:
        x = ops.flip(x, axis)
    if divisor is not None:
        x = ops.divide(x, divisor)
    x = ops.subtract(x, ops.cast(_per_color(mean, axis, rank, 'float32'), dtype))
    return x if deviation is None else ops.divide(x, ops.cast(_per_color(deviation, axis, rank, 'float32'), dtype))


def decode_predictions(preds, top=5, **kwargs):
    """The most probable classes of ImageNet for each picture.

    Args:
        preds: what a network with its 1000 classes predicted, of shape (pictures, 1000). top: how many of the classes.

    Returns:
        One list per picture of (number in WordNet, name, probability), the most probable first.

    Raises:
        ValueError: for another shape. OSError: if the names of the classes (35 kB) are not in the cache and cannot be
        downloaded.

    Example:
        for _, name, probability in keras.applications.imagenet_utils.decode_predictions(model.predict(x), top=3)[0]:
            print(name, probability)
    """
    global CLASS_INDEX
    for name in ('backend', 'layers', 'models', 'utils'):
        kwargs.pop(name, None)
    if kwargs:
        raise TypeError('decode_predictions() got an unexpected argument %r' % sorted(kwargs)[0])
    preds = preds if isinstance(preds, np.ndarray) else ops.convert_to_numpy(preds)
    if preds.ndim != 2 or preds.shape[1] != CLASSES:
        raise ValueError('`decode_predictions` expects a batch of predictions (i.e. a 2D array of shape (samples, '
                         '1000)). Found array with shape: %s. The usual cause: a network with classes of its own or '
                         'without its top.' % (preds.shape,))
    if CLASS_INDEX is None:
        path = get_file('imagenet_class_index.json', CLASS_INDEX_PATH, cache_subdir='models',
                        file_hash=CLASS_INDEX_HASH)
        with open(path, encoding='utf-8') as file:
            CLASS_INDEX = json.load(file)
    return [[tuple(CLASS_INDEX[str(index)]) + (row[index],) for index in np.argsort(-row, kind='stable')[:top]]
            for row in preds]


# --- shapes and arguments of networks ---------------------------------------------------------------------------------

def obtain_input_shape(input_shape, default_size, min_size, data_format, require_flatten, weights=None):
    """The shape of the pictures that a network is to take, without the batch.

    Args:
        input_shape: what the user gave, or None. default_size: height and width that the network was trained with.
        min_size: the least that it can do with. data_format: 'channels_last' or 'channels_first'.
        require_flatten: whether the network needs a size that is known. weights: 'imagenet' wants three colours, and
            where a size is needed the one of the training.

    Raises:
        ValueError: if the shape does not fit.
    """
    last = data_format == 'channels_last'
    given = tuple(input_shape) if input_shape is not None else None
    channels = 3
    if weights != 'imagenet' and given and len(given) == 3:
        channels = given[-1 if last else 0]
        if channels not in (1, 3):
            warnings.warn('This model usually expects 1 or 3 input channels. However, it was passed an input_shape '
                          'with %s input channels.' % channels, stacklevel=3)
    default = _shape(default_size, default_size, channels, last)
    if weights == 'imagenet' and require_flatten:
        if given is not None and given != default:
            raise ValueError('When setting `include_top=True` and loading `imagenet` weights, `input_shape` should be '
                             '%s. Received: input_shape=%s. With include_top=False other sizes are possible.'
                             % (default, given))
        return default
    if given is None and not require_flatten:
        return _shape(None, None, 3, last)
    if given is None:
        given = default
    else:
        _check_shape(given, min_size, last, weights)
    if require_flatten and None in given:
        raise ValueError('If `include_top` is True, you should specify a static `input_shape`. Received: '
                         'input_shape=%s' % (given,))
    return given


def _shape(rows, columns, channels, last):
    return (rows, columns, channels) if last else (channels, rows, columns)


def _check_shape(given, min_size, last, weights):
    if len(given) != 3:
        raise ValueError('`input_shape` must be a tuple of three integers, without the batch. Received: input_shape=%s'
                         % (given,))
    channels, sizes = (given[-1], given[:-1]) if last else (given[0], given[1:])
    if channels != 3 and weights == 'imagenet':
        raise ValueError('The input must have 3 channels for the weights of ImageNet; Received `input_shape=%s`. The '
                         'usual cause: the channels are not where the data format %s has them, or pictures in grey.'
                         % (given, 'channels_last' if last else 'channels_first'))
    if any(size is not None and size < min_size for size in sizes):
        raise ValueError('Input size must be at least %dx%d; Received: input_shape=%s'
                         % (min_size, min_size, given))


# What keras-applications called it; many scripts import that.
_obtain_input_shape = obtain_input_shape


def validate_activation(classifier_activation, weights):
    """Check that the activation of the top goes with the weights: pretrained ones are for probabilities or logits.

    Raises:
        ValueError: if it does not.
    """
    if weights is None:
        return
    from keras import activations
    activation = activations.get(classifier_activation)
    if getattr(activation, '__name__', '') not in ('softmax', 'linear'):
        raise ValueError('Only `None` and `softmax` activations are allowed for the `classifier_activation` argument '
                         'when using pretrained weights, with `include_top=True`; Received: '
                         'classifier_activation=%s' % (classifier_activation,))


def correct_pad(inputs, kernel_size):
    """The zeros before and after rows and columns, with which a convolution of stride 2 and padding 'valid' gives what
    one with 'same' gives for odd sizes.

    Args:
        inputs: the symbolic tensor that is padded. kernel_size: int or a pair.

    Returns:
        ((top, bottom), (left, right)).
    """
    first = 1 if config.image_data_format() == 'channels_last' else 2
    sizes = inputs.shape[first:first + 2]
    kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
    return tuple((width // 2 - (1 if size is None else 1 - size % 2), width // 2)
                 for size, width in zip(sizes, kernel))
