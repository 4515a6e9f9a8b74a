"""MobileNet: convolutions of each channel by itself, and then of all channels at each place."""
import warnings

from keras import generations, layers
from keras.applications.assembly import FOLDER, Family, preprocessing, with_defaults
from keras.applications.imagenet_utils import SIGNED

# Of the blocks behind the first convolution: filters and stride.
_BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1),
           (1024, 2), (1024, 1)]
_ALPHAS = {0.25: '2_5', 0.5: '5_0', 0.75: '7_5', 1.0: '1_0'}
_SIZES = (128, 160, 192, 224)


def _describe(net, x):
    net.trained_on = trained_size(net, 'MobileNet', _ALPHAS, _SIZES)
    net.name = net.name or 'mobilenet_%0.2f_%s' % (net.alpha, net.trained_on)
    if net.weights == 'imagenet' and net.depth_multiplier != 1:
        raise ValueError('MobileNet: if imagenet weights are being loaded, depth multiplier must be 1. Received: '
                         'depth_multiplier=%s' % net.depth_multiplier)
    padding = 'same'
    if generations.value('mobilenet_pads_first'):
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name='conv1_pad')(x)
        padding = 'valid'
    x = layers.Conv2D(int(32 * net.alpha), (3, 3), strides=(2, 2), padding=padding, use_bias=False, name='conv1')(x)
    x = _active(net, x, 'conv1')
    for block, (filters, stride) in enumerate(_BLOCKS, 1):
        if stride == 2:
            x = layers.ZeroPadding2D(((0, 1), (0, 1)), name='conv_pad_%d' % block)(x)
        x = layers.DepthwiseConv2D((3, 3), padding='same' if stride == 1 else 'valid', strides=(stride, stride),
                                   depth_multiplier=net.depth_multiplier, use_bias=False,
                                   name='conv_dw_%d' % block)(x)
        x = _active(net, x, 'conv_dw_%d' % block)
        x = layers.Conv2D(int(filters * net.alpha), (1, 1), padding='same', use_bias=False, strides=(1, 1),
                          name='conv_pw_%d' % block)(x)
        x = _active(net, x, 'conv_pw_%d' % block)
    return x


def _active(net, x, name):
    x = layers.BatchNormalization(axis=net.axis, name=name + '_bn')(x)
    return layers.ReLU(6.0, name=name + '_relu')(x)


def _top(net, x):
    if generations.value('mobilenet_reshapes_first'):
        x = layers.GlobalAveragePooling2D()(x)
        channels = x.shape[-1]
        x = layers.Reshape((1, 1, channels) if net.axis == 3 else (channels, 1, 1), name='reshape_1')(x)
    else:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dropout(net.dropout, name='dropout')(x)
    x = layers.Conv2D(net.classes, (1, 1), padding='same', name='conv_preds')(x)
    x = layers.Reshape((net.classes,), name='reshape_2')(x)
    return layers.Activation(net.classifier_activation, name=generations.value('name_of_mobilenet_top'))(x)


def size_of(sizes):
    """The `size` of networks with weights for several `sizes`: that of the input where it is one of them, else 224."""
    def size(net):
        shape = net.input_shape
        if shape is None and hasattr(net.input_tensor, 'shape'):
            shape = tuple(net.input_tensor.shape)[1:]
        if shape is None or len(shape) != 3:
            return 224
        rows, columns = shape[:2] if net.data_format == 'channels_last' else shape[1:]
        return rows if rows == columns and rows in sizes else 224
    return size


def trained_size(net, name, alphas, sizes):
    """The size of pictures that the weights are for; without pretrained weights, that of the input."""
    rows, columns = net.sizes
    if net.weights != 'imagenet':
        return rows
    if net.alpha not in alphas:
        raise ValueError('%s: if imagenet weights are being loaded, alpha can be one of %s only. Received: alpha=%s'
                         % (name, ', '.join('`%s`' % alpha for alpha in alphas), net.alpha))
    if rows == columns and rows in sizes:
        return rows
    warnings.warn('%s: `input_shape` is undefined or non-square, or `rows` is not in %s. Weights for input shape (224, '
                  '224) will be loaded as the default.' % (name, list(sizes)), stacklevel=5)
    return 224


def _published(net):
    file = 'mobilenet_%s_%d_tf%s.h5' % (_ALPHAS[net.alpha], net.trained_on, '' if net.include_top else '_no_top')
    return file, FOLDER + 'mobilenet/' + file, None


_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Howard et al., MobileNets: efficient convolutional neural networks for mobile vision (2017).',
                 _describe, top=_top, size=size_of(_SIZES), arguments=with_defaults(
                     ('input_shape', None), ('alpha', 1.0), ('depth_multiplier', 1), ('dropout', 1e-3),
                     ('include_top', True)),
                 own="""alpha: factor for the number of filters. depth_multiplier: how many filters each channel has by
            itself. dropout: rate before the last layer. """)

MobileNet = _FAMILY.network('MobileNet', _published)
preprocess_input, decode_predictions = preprocessing(__name__, SIGNED)
