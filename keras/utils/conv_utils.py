"""Sizes and kernels of convolutions."""
import numpy as np


def normalize_tuple(value, n, name):
    """`value` as a tuple of `n` integers.

    Args:
        value: an integer, which counts for all, or `n` integers. n: how many. name: of the argument, for messages.

    Raises:
        ValueError: if it is something else.

    Example:
        >>> normalize_tuple(3, 2, 'kernel_size')
        (3, 3)
    """
    if isinstance(value, (int, np.integer)):
        return (int(value),) * n
    entries = tuple(value) if hasattr(value, '__iter__') else ()
    if len(entries) != n or not all(isinstance(entry, (int, np.integer)) for entry in entries):
        raise ValueError('The `%s` argument must be a tuple of %d integers. Received: %r' % (name, n, value))
    return tuple(int(entry) for entry in entries)


def normalize_padding(value):
    """`value` in lower case: 'valid', 'same', or 'causal', which only Conv1D knows.

    Raises:
        ValueError: if it is something else.
    """
    padding = value.lower() if isinstance(value, str) else value
    if padding not in ('valid', 'same', 'causal'):
        raise ValueError('The `padding` argument must be one of "valid", "same" (or "causal" for Conv1D). Received: %r'
                         % (value,))
    return padding


def _check_padding(padding, known):
    if padding not in known:
        # As in Keras 2, which asserted it.
        raise AssertionError('padding must be one of %s. Received: %r' % (', '.join(known), padding))


def conv_output_length(input_length, filter_size, padding, stride, dilation=1):
    """The length of what a convolution gives; None where that of its input is None.

    Args:
        input_length: integer or None. filter_size, stride, dilation: integers.
        padding: 'same', 'valid', 'full' or 'causal'.

    Example:
        >>> conv_output_length(10, filter_size=3, padding='valid', stride=2)
        4
    """
    _check_padding(padding, ('same', 'valid', 'full', 'causal'))
    if input_length is None:
        return None
    reach = (filter_size - 1) * dilation
    length = {'valid': input_length - reach, 'full': input_length + reach}.get(padding, input_length)
    return (length + stride - 1) // stride


def conv_input_length(output_length, filter_size, padding, stride):
    """The least length of the input of a convolution that gives `output_length`; None where that is None.

    Args:
        output_length: integer or None. filter_size, stride: integers. padding: 'same', 'valid' or 'full'.
    """
    _check_padding(padding, ('same', 'valid', 'full'))
    if output_length is None:
        return None
    around = {'same': filter_size // 2, 'valid': 0, 'full': filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * around + filter_size


def deconv_length(dim_size, stride_size, kernel_size, padding, output_padding, dilation=1):
    """The length of what a transposed convolution gives; None where that of its input is None.

    Args:
        dim_size: the length of its input, or None. stride_size, kernel_size, dilation: integers.
        padding: 'same', 'valid' or 'full'. output_padding: how much is added at one end, or None, which makes the
            length with 'same' that of the input times the stride.
    """
    _check_padding(padding, ('same', 'valid', 'full'))
    if dim_size is None:
        return None
    reach = (kernel_size - 1) * dilation + 1
    if output_padding is None:
        return dim_size * stride_size + {'valid': max(reach - stride_size, 0), 'full': -(stride_size + reach - 2),
                                         'same': 0}[padding]
    around = {'same': reach // 2, 'valid': 0, 'full': reach - 1}[padding]
    return (dim_size - 1) * stride_size + reach - 2 * around + output_padding


def convert_kernel(kernel, dim_ordering=None):
    """A convolution kernel with its spatial axes turned over: what convolves, from what correlates, and back.

    Args:
        kernel: array of rank 3 to 5, channels last. dim_ordering: 'th' for one of Keras 1, (out, in, spatial...).

    Raises:
        ValueError: for another rank.

    Example:
        >>> convert_kernel(np.arange(3).reshape(3, 1, 1))[:, 0, 0]
        array([2, 1, 0])
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError('Invalid kernel shape: %s. Expected rank 3, 4 or 5.' % (kernel.shape,))
    turned = (slice(None, None, -1),) * (kernel.ndim - 2)
    return np.copy(kernel[(slice(None),) * 2 + turned if dim_ordering == 'th' else turned])
