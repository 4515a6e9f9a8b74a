"""MobileNet, version 2: blocks that widen, convolve each channel by itself, and narrow again."""
from keras import generations, layers
from keras.applications.assembly import FOLDER, Family, preprocessing, with_defaults
from keras.applications.imagenet_utils import SIGNED, correct_pad
from keras.applications.mobilenet import size_of, trained_size

# Filters, stride of the first block, number of blocks and factor by which they widen.
_STAGES = [(16, 1, 1, 1), (24, 2, 2, 6), (32, 2, 3, 6), (64, 2, 4, 6), (96, 1, 3, 6), (160, 2, 3, 6), (320, 1, 1, 6)]
_ALPHAS = (0.35, 0.50, 0.75, 1.0, 1.3, 1.4)
_SIZES = (96, 128, 160, 192, 224)


def divisible(number, divisor=8, least=None):
    """`number` rounded to a multiple of `divisor`, but not down by more than a tenth."""
    rounded = max(divisor if least is None else least, int(number + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * number else rounded


def _describe(net, x):
    net.trained_on = trained_size(net, 'MobileNetV2', _ALPHAS, _SIZES)
    net.name = net.name or 'mobilenetv2_%0.2f_%s' % (net.alpha, net.trained_on)
    padding = 'same'
    if generations.value('mobilenet_pads_first'):
        x = layers.ZeroPadding2D(correct_pad(x, 3), name='Conv1_pad')(x)
        padding = 'valid'
    x = layers.Conv2D(divisible(32 * net.alpha), 3, strides=(2, 2), padding=padding, use_bias=False, name='Conv1')(x)
    x = _relu(_normed(net, x, 'bn_Conv1'), 'Conv1_relu')
    number = 0
    for filters, stride, blocks, factor in _STAGES:
        for block in range(blocks):
            name = 'block_%d_' % number if number else 'expanded_conv_'
            x = _block(net, x, divisible(int(filters * net.alpha)), stride if block == 0 else 1, factor, name)
            number += 1
    x = layers.Conv2D(divisible(1280 * net.alpha) if net.alpha > 1 else 1280, 1, use_bias=False, name='Conv_1')(x)
    return _relu(_normed(net, x, 'Conv_1_bn'), 'out_relu')


def _block(net, x, filters, stride, factor, name):
    before, channels = x, x.shape[net.axis]
    if factor > 1:
        x = layers.Conv2D(factor * channels, 1, padding='same', use_bias=False, name=name + 'expand')(x)
        x = _relu(_normed(net, x, name + 'expand_BN'), name + 'expand_relu')
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, 3), name=name + 'pad')(x)
    x = layers.DepthwiseConv2D(3, strides=stride, use_bias=False, padding='same' if stride == 1 else 'valid',
                               name=name + 'depthwise')(x)
    x = _relu(_normed(net, x, name + 'depthwise_BN'), name + 'depthwise_relu')
    x = layers.Conv2D(filters, 1, padding='same', use_bias=False, name=name + 'project')(x)
    x = _normed(net, x, name + 'project_BN')
    return layers.Add(name=name + 'add')([before, x]) if channels == filters and stride == 1 else x


def _normed(net, x, name):
    return layers.BatchNormalization(axis=net.axis, epsilon=1e-3, momentum=0.999, name=name)(x)


def _relu(x, name):
    return layers.ReLU(6.0, name=name)(x)


def _top(net, x):
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(net.classes, activation=net.classifier_activation,
                        name=generations.value('name_of_mobilenet_v2_top'))(x)


def _published(net):
    file = 'mobilenet_v2_weights_tf_dim_ordering_tf_kernels_%s_%d%s.h5' % (
        float(net.alpha), net.trained_on, '' if net.include_top else '_no_top')
    return file, FOLDER + 'mobilenet_v2/' + file, None


_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks (2018).', _describe, top=_top,
                 size=size_of(_SIZES), arguments=with_defaults(
                     ('input_shape', None), ('alpha', 1.0), ('include_top', True)),
                 own='alpha: factor for the number of filters. ')

MobileNetV2 = _FAMILY.network('MobileNetV2', _published)
preprocess_input, decode_predictions = preprocessing(__name__, SIGNED)
