"""How layers read their arguments, and shapes with a data format. Nothing here is a tensor."""
import warnings

from keras.backend.contract.rules import transposed_length, window_length


def normalize_padding(value, allowed=('valid', 'same')):
    """`value` in lower case.

    Raises:
        ValueError: if it is not one of `allowed`.
    """
    padding = str(value).lower()
    if padding not in allowed:
        raise ValueError('The `padding` argument must be one of %s. Received: %r'
                         % (', '.join('"%s"' % name for name in allowed), value))
    return padding


def positive_integer(value, layer, name, floats=True):
    """`value` as an int above 0.

    Args:
        floats: whether a float without a fraction will do.

    Raises:
        ValueError: for anything else, naming the layer and the argument.
    """
    if value is None or not _is_size(value) or int(value) <= 0 or isinstance(value, float) and not floats:
        raise ValueError('%s: Invalid value for argument `%s`. Expected a strictly positive value. Received %s=%.200r. '
                         '`%s` must be a positive integer.' % (layer, name, name, value, name))
    return int(value)


def checked_sizes(shape, layer):
    """A shape as a tuple of ints and None.

    Raises:
        ValueError: for a size that is no whole number of at least 0, naming the layer.
    """
    if isinstance(shape, (str, dict)) or not hasattr(shape, '__iter__'):
        raise ValueError('Layer %r: a shape must be a tuple of sizes. Received: %.200r' % (layer, shape))
    shape = tuple(shape)
    for size in shape:
        if not _is_size(size):
            raise ValueError('Layer %r: the sizes of a shape must be whole numbers of at least 0, or None where a size '
                             'varies. Received: %.200r in %.200r' % (layer, size, shape))
    return tuple(None if size is None else int(size) for size in shape)


def _is_size(size):
    if size is None:
        return True
    if isinstance(size, (bool, str, bytes)) or not hasattr(size, '__int__'):
        return False
    try:
        return int(size) == size and int(size) >= 0
    except (TypeError, ValueError, OverflowError):  # arrays of several numbers, infinity
        return False


ANY = object()
# Taken as upstream takes it, where it changes nothing either: with a warning.
WITH_WARNING = object()


def drop_without_effect(kwargs, layer):
    """Take the arguments out of `kwargs` that `layer.without_effect` names.

    Raises:
        NotImplementedError: for a value that would have an effect where the argument is known.
    """
    for name in set(kwargs).intersection(layer.without_effect):
        given, neutral = kwargs.pop(name), layer.without_effect[name]
        if neutral is WITH_WARNING:
            warnings.warn('%s: `%s` has no effect. The usual cause: the name of an argument of a similar layer.'
                          % (type(layer).__name__, name), stacklevel=4)
        elif neutral is not ANY and given is not None and given != neutral:
            raise NotImplementedError('%s: `%s` is only accepted as %r. Received: %r'
                                      % (type(layer).__name__, name, neutral, given))


def check_rate(rate, layer, name='rate'):
    """`rate` as a number in [0, 1].

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(rate, (int, float)) and not hasattr(rate, '__float__') or not 0 <= rate <= 1:
        raise ValueError('%s: Invalid value received for argument `%s`. Expected a float value between 0 and 1. '
                         'Received: %s=%r' % (layer, name, name, rate))
    return rate


def checked_noise_shape(shape, layer):
    """The shape of random numbers as a tuple of ints above 0, sizes of tensors and None, or None.

    Raises:
        ValueError: for anything else.
    """
    if shape is None:
        return None
    wrong = None
    if not isinstance(shape, (tuple, list)):
        wrong = 'a tuple or list of integers'
    elif any(isinstance(size, (float, str, bool)) for size in shape):
        wrong = 'all elements to be integers or None'
    elif any(isinstance(size, int) and size <= 0 for size in shape):
        wrong = 'all dimensions to be positive integers or None'
    if wrong:
        raise ValueError('%s: Invalid value received for argument `noise_shape`. Expected %s. Received: noise_shape=%r'
                         % (layer, wrong, shape))
    return tuple(shape)


# --- shapes with a data format --------------------------------------------------------------------------------

def channel_axis(data_format):
    return -1 if data_format == 'channels_last' else 1


def spatial_axes(data_format, rank):
    """The axes of a tensor of `rank` that are neither batch nor channels."""
    return list(range(1, rank - 1)) if data_format == 'channels_last' else list(range(2, rank))


def split_shape(shape, data_format):
    """(spatial sizes, number of channels) of a shape with a batch."""
    shape = tuple(shape)
    if data_format == 'channels_last':
        return shape[1:-1], shape[-1]
    return shape[2:], shape[1]


def join_shape(batch, spatial, channels, data_format):
    """The shape with that batch, spatial sizes and number of channels."""
    if data_format == 'channels_last':
        return (batch,) + tuple(spatial) + (channels,)
    return (batch, channels) + tuple(spatial)


def known_channels(layer, shape, data_format):
    """The number of channels of an input of `shape`.

    Raises:
        ValueError: where it is not known.
    """
    channels = split_shape(shape, data_format)[1]
    if channels is None:
        raise ValueError('Layer %r (%s) needs inputs whose number of channels is known. Received the shape %s with '
                         'data_format=%r. The usual cause: the channels are not where data_format says, or '
                         'input_shape leaves them open.' % (layer.name, type(layer).__name__, tuple(shape),
                                                            data_format))
    return channels


def window_lengths(sizes, windows, strides, padding, dilation=None):
    """The numbers of windows along each spatial axis; 'causal' counts as 'same'."""
    padding = 'same' if padding == 'causal' else padding
    dilation = dilation or (1,) * len(windows)
    return tuple(window_length(size, window, stride, padding, rate)
                 for size, window, stride, rate in zip(sizes, windows, strides, dilation))


def transposed_lengths(sizes, windows, strides, padding, output_padding, dilation):
    """The spatial sizes that a transposed convolution gives."""
    output_padding = output_padding or (None,) * len(windows)
    return tuple(transposed_length(size, window, stride, padding, extra, rate) for size, window, stride, extra, rate
                 in zip(sizes, windows, strides, output_padding, dilation))


def to_list(x, allow_tuple=False):
    """`x` as a list: a list as it is, with `allow_tuple` a tuple's elements, anything else as the only element."""
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def of_first_input(build_config):
    """A build config (or None) with the shape of the first of several inputs alone, from which the layer is built."""
    shape = build_config['input_shape'] if build_config else None
    if shape and isinstance(shape[0], list):
        build_config['input_shape'] = shape[0]
    return build_config
