"""K in the words of Keras 1.2: functions and arguments that have other names now. Each warns and forwards."""
import functools

from keras import config
from keras.legacy import calls
from keras.legacy.arguments import data_format_of, deprecated, dim_ordering_of


def install(functions):
    """Let the functions in the dictionary `functions` take the old arguments, and add the old functions to it."""
    transpose = functions['permute_dimensions']
    calls.install(functions, calls.backend(functools.partial(_turned, transpose)), 'K.')
    functions.update(_old_functions(functions))


def _turned(transpose, kernel):
    """The kernel of a convolution with dim_ordering='th', from (out, in, spatial...) to (spatial..., in, out)."""
    return transpose(kernel, tuple(range(2, len(kernel.shape))) + (1, 0))


def image_dim_ordering():
    """`image_data_format` in Keras 1's words."""
    deprecated('K.image_dim_ordering()', 'K.image_data_format()')
    return dim_ordering_of(config.image_data_format())


def set_image_dim_ordering(dim_ordering):
    """`set_image_data_format` in Keras 1's words."""
    data_format = data_format_of(dim_ordering)
    if data_format is None:
        raise ValueError('set_image_dim_ordering: it must be one of the two. Received: %r' % (dim_ordering,))
    deprecated('K.set_image_dim_ordering(%r)' % dim_ordering, 'K.set_image_data_format(%r)' % data_format)
    config.set_image_data_format(data_format)


def legacy_weight_ordering():
    """False: weights always come in the order of Keras 2."""
    deprecated('K.legacy_weight_ordering()', 'nothing: weights always come in one order')
    return False


def set_legacy_weight_ordering(value):
    """Takes False only.

    Raises:
        ValueError: for anything else.
    """
    deprecated('K.set_legacy_weight_ordering', 'nothing: weights always come in one order')
    if value:
        raise ValueError('set_legacy_weight_ordering: the order of weights before Keras 1 is not offered.')


def _old_functions(functions):
    """The functions that have other names now."""
    def forwarding(old, new):
        @functools.wraps(functions[new])
        def run(*args, **kwargs):
            deprecated('K.' + old, 'K.' + new)
            return functions[new](*args, **kwargs)
        run.__name__ = run.__qualname__ = old
        return run

    def asymmetric_temporal_padding(x, left_pad=1, right_pad=1):
        """`temporal_padding` with other numbers before and after."""
        deprecated('K.asymmetric_temporal_padding', 'K.temporal_padding(x, (left, right))')
        return functions['temporal_padding'](x, (left_pad, right_pad))

    def asymmetric_spatial_2d_padding(x, top_pad=1, bottom_pad=1, left_pad=1, right_pad=1, dim_ordering='default'):
        """`spatial_2d_padding` with other numbers on each side."""
        deprecated('K.asymmetric_spatial_2d_padding', 'K.spatial_2d_padding(x, ((top, bottom), (left, right)))')
        return functions['spatial_2d_padding'](x, ((top_pad, bottom_pad), (left_pad, right_pad)),
                                               data_format_of(dim_ordering))

    def atrous_conv2d(x, kernel, rate=1, border_mode='valid', dim_ordering='default', image_shape=None,
                      filter_shape=None):
        """`conv2d` with a dilated kernel."""
        deprecated('K.atrous_conv2d', 'K.conv2d(x, kernel, dilation_rate=rate)')
        kernel = _turned(functions['permute_dimensions'], kernel) if dim_ordering == 'th' else kernel
        return functions['conv2d'](x, kernel, (1, 1), border_mode, data_format_of(dim_ordering), (rate, rate))

    def deconv2d(x, kernel, output_shape, strides=(1, 1), border_mode='valid', dim_ordering='default',
                 image_shape=None, filter_shape=None):
        """`conv2d_transpose` with a kernel (rows, columns, in, out), with 'th' (out, in, rows, columns)."""
        deprecated('K.deconv2d', 'K.conv2d_transpose, whose kernel is (rows, columns, out, in)')
        order = (2, 3, 0, 1) if dim_ordering == 'th' else (0, 1, 3, 2)
        return functions['conv2d_transpose'](x, functions['permute_dimensions'](kernel, order), output_shape, strides,
                                             border_mode, data_format_of(dim_ordering))

    made = [asymmetric_temporal_padding, asymmetric_spatial_2d_padding, atrous_conv2d, deconv2d, image_dim_ordering,
            set_image_dim_ordering, legacy_weight_ordering, set_legacy_weight_ordering,
            forwarding('lesser', 'less'), forwarding('lesser_equal', 'less_equal'),
            forwarding('get_variable_shape', 'int_shape')]
    return {function.__name__: function for function in made}
