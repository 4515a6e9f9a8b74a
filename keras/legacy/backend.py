"""K in the words of Keras 1.2: functions and arguments that have other names now. Each warns and forwards."""
import functools

from keras import config
from keras.legacy.arguments import Rename, data_format_of, deprecated, dim_ordering_of, taking_old_names

_DATA_FORMAT = Rename('data_format', data_format_of)
_PADDING = Rename('padding')
_IGNORED = Rename(None)
_CONVOLUTION = {'dim_ordering': _DATA_FORMAT, 'border_mode': _PADDING, 'image_shape': _IGNORED,
                'filter_shape': _IGNORED, 'volume_shape': _IGNORED, 'filter_dilation': Rename('dilation_rate')}
_POOLING = {'dim_ordering': _DATA_FORMAT, 'border_mode': _PADDING}
_RESIZING = {'X': Rename('x'), 'dim_ordering': _DATA_FORMAT}


def _pairs(count):
    """One number per axis, or pairs, as pairs."""
    def convert(padding):
        padding = padding if isinstance(padding, (list, tuple)) else (padding,) * count
        return tuple(tuple(one) if isinstance(one, (list, tuple)) else (one, one) for one in padding)
    return convert


# {function: {old name of an argument: what it is now}}
ARGUMENTS = {
    'batch_get_value': {'xs': Rename('ops')},
    'conv1d': dict(_CONVOLUTION, stride=Rename('strides')),
    'conv2d': _CONVOLUTION,
    'conv3d': _CONVOLUTION,
    'separable_conv2d': _CONVOLUTION,
    'expand_dims': {'dim': Rename('axis')},
    'moving_average_update': {'variable': Rename('x')},
    'one_hot': {'nb_classes': Rename('num_classes')},
    'pool2d': _POOLING,
    'pool3d': _POOLING,
    'random_normal': {'std': Rename('stddev')},
    'random_uniform': {'low': Rename('minval'), 'high': Rename('maxval')},
    'resize_images': _RESIZING,
    'resize_volumes': _RESIZING,
    'spatial_2d_padding': {'dim_ordering': _DATA_FORMAT},
    'spatial_3d_padding': {'dim_ordering': _DATA_FORMAT},
}
# The positions of the kernels of convolutions, which were (out, in, spatial...) with dim_ordering='th'.
_KERNELS = {'conv2d': (1,), 'conv3d': (1,), 'separable_conv2d': (1, 2)}


def install(functions):
    """Let the functions in the dictionary `functions` take the old arguments, and add the old functions to it."""
    transpose = functions['permute_dimensions']
    for name, renames in ARGUMENTS.items():
        prepare = _with_kernels_turned(transpose, _KERNELS[name]) if name in _KERNELS else None
        functions[name] = taking_old_names(functions[name], renames, 'K.' + name, prepare)
    for name, axes in (('spatial_2d_padding', 2), ('spatial_3d_padding', 3)):
        functions[name] = _converting(functions[name], _pairs(axes))
    functions['temporal_padding'] = _converting(functions['temporal_padding'], lambda padding: _pairs(1)(padding)[0]
                                                if isinstance(padding, int) else padding)
    functions.update(_old_functions(functions))


def _converting(function, convert):
    """A padding `function`, whose second argument may be given in Keras 1's form."""
    @functools.wraps(function)
    def run(x, *args, **kwargs):
        if args and _is_old_padding(args[0]):
            args = (_converted(args[0], convert, function),) + args[1:]
        elif _is_old_padding(kwargs.get('padding')):
            kwargs['padding'] = _converted(kwargs['padding'], convert, function)
        return function(x, *args, **kwargs)

    def _is_old_padding(padding):
        if isinstance(padding, int):
            return True
        return function.__name__ != 'temporal_padding' and isinstance(padding, (list, tuple)) and all(
            isinstance(one, int) for one in padding)
    return run


def _converted(padding, convert, function):
    now = convert(padding)
    deprecated('K.%s(padding=%r)' % (function.__name__, padding), 'padding=%r' % (now,), 3)
    return now


def _with_kernels_turned(transpose, positions):
    """Before a convolution with dim_ordering='th': its kernels from (out, in, spatial...) to (spatial..., in, out)."""
    def prepare(args, kwargs):
        if kwargs.get('dim_ordering') != 'th':
            return args, kwargs
        args = [_turned(transpose, arg) if place in positions else arg for place, arg in enumerate(args)]
        return args, {name: _turned(transpose, value) if name.endswith('kernel') else value
                      for name, value in kwargs.items()}
    return prepare


def _turned(transpose, kernel):
    return transpose(kernel, tuple(range(2, len(kernel.shape))) + (1, 0))


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

    made = [asymmetric_temporal_padding, asymmetric_spatial_2d_padding, atrous_conv2d, deconv2d, image_dim_ordering,
            set_image_dim_ordering, legacy_weight_ordering, set_legacy_weight_ordering,
            forwarding('lesser', 'less'), forwarding('lesser_equal', 'less_equal'),
            forwarding('get_variable_shape', 'int_shape')]
    return {function.__name__: function for function in made}
