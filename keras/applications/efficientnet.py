"""EfficientNet: one network, found by a search, in sizes that grow in depth, width and resolution together."""
import math

from keras import layers
from keras.applications.assembly import Family, preprocessing, published_as
from keras.applications.imagenet_utils import AS_THEY_ARE, correct_pad

KERNEL_INITIALIZER = {'class_name': 'VarianceScaling',
                      'config': {'scale': 2.0, 'mode': 'fan_out', 'distribution': 'truncated_normal'}}
DENSE_INITIALIZER = {'class_name': 'VarianceScaling',
                     'config': {'scale': 1 / 3, 'mode': 'fan_out', 'distribution': 'uniform'}}
DROP_CONNECT_RATE = 0.2
_DEVIATION = [0.229, 0.224, 0.225]
# Size of the kernel, number of blocks, filters, the factor by which blocks widen, and the stride of the first block.
_STAGES = [(3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1), (5, 4, 192, 6, 2),
           (3, 1, 320, 6, 1)]
SQUEEZED = 0.25


def scaled(filters, width):
    """`filters` times `width`, rounded to a multiple of 8, but not down by more than a tenth."""
    filters *= width
    rounded = max(8, int(filters + 4) // 8 * 8)
    return int(rounded + 8 if rounded < 0.9 * filters else rounded)


def conv(x, filters, kernel_size, name, strides=1, padding='same'):
    """A convolution without bias."""
    return layers.Conv2D(filters, kernel_size, strides=strides, padding=padding, use_bias=False,
                         kernel_initializer=KERNEL_INITIALIZER, name=name)(x)


def depthwise(x, kernel_size, strides, name, padding='same'):
    """A convolution of each channel by itself, without bias."""
    return layers.DepthwiseConv2D(kernel_size, strides=strides, padding=padding, use_bias=False,
                                  depthwise_initializer=KERNEL_INITIALIZER, name=name)(x)


def active(net, x, name, momentum=0.99):
    """Normalized and through swish."""
    x = layers.BatchNormalization(axis=net.axis, momentum=momentum, name=name + 'bn')(x)
    return layers.Activation('swish', name=name + 'activation')(x)


def squeezed(net, x, filters, name):
    """Each channel times a number in (0, 1) that depends on the mean of all channels."""
    channels = x.shape[net.axis]
    mean = layers.GlobalAveragePooling2D(name=name + 'se_squeeze')(x)
    mean = layers.Reshape((1, 1, channels) if net.axis == 3 else (channels, 1, 1), name=name + 'se_reshape')(mean)
    mean = layers.Conv2D(filters, 1, padding='same', activation='swish', kernel_initializer=KERNEL_INITIALIZER,
                         name=name + 'se_reduce')(mean)
    mean = layers.Conv2D(channels, 1, padding='same', activation='sigmoid', kernel_initializer=KERNEL_INITIALIZER,
                         name=name + 'se_expand')(mean)
    return layers.multiply([x, mean], name=name + 'se_excite')


def added(x, before, rate, name):
    """`x` with the input of the block added; in training, whole samples of `x` are dropped."""
    if rate > 0:
        x = layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=name + 'drop')(x)
    return layers.add([x, before], name=name + 'add')


def classified(net, x):
    """The top."""
    x = layers.GlobalAveragePooling2D(name='avg_pool')(x)
    if net.dropout > 0:
        x = layers.Dropout(net.dropout, name='top_dropout')(x)
    return layers.Dense(net.classes, activation=net.classifier_activation, kernel_initializer=DENSE_INITIALIZER,
                        name='predictions')(x)


def _describe(net, x):
    x = layers.Rescaling(1.0 / 255.0)(x)
    x = layers.Normalization(axis=net.axis)(x)
    if net.weights == 'imagenet':
        # The pretrained weights divide by the variance where the deviation was meant.
        x = layers.Rescaling([1.0 / math.sqrt(deviation) for deviation in _DEVIATION],
                             data_format=None if net.axis == 3 else 'channels_first')(x)
    x = layers.ZeroPadding2D(correct_pad(x, 3), name='stem_conv_pad')(x)
    x = active(net, conv(x, scaled(32, net.width), 3, 'stem_conv', 2, 'valid'), 'stem_')
    repeats = [math.ceil(net.depth * stage[1]) for stage in _STAGES]
    number = 0
    for stage, (blocks, (size, _, filters, factor, stride)) in enumerate(zip(repeats, _STAGES), 1):
        for block in range(blocks):
            x = _block(net, x, scaled(filters, net.width), size, stride if block == 0 else 1, factor,
                       DROP_CONNECT_RATE * number / sum(repeats), 'block%d%s_' % (stage, chr(ord('a') + block)))
            number += 1
    return active(net, conv(x, scaled(1280, net.width), 1, 'top_conv'), 'top_')


def _block(net, before, filters, kernel_size, stride, factor, rate, name):
    x, channels = before, before.shape[net.axis]
    if factor > 1:
        x = conv(x, factor * channels, 1, name + 'expand_conv')
        x = layers.BatchNormalization(axis=net.axis, name=name + 'expand_bn')(x)
        x = layers.Activation('swish', name=name + 'expand_activation')(x)
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, kernel_size), name=name + 'dwconv_pad')(x)
    x = depthwise(x, kernel_size, stride, name + 'dwconv', 'valid' if stride == 2 else 'same')
    x = squeezed(net, active(net, x, name), max(1, int(channels * SQUEEZED)), name)
    x = conv(x, filters, 1, name + 'project_conv')
    x = layers.BatchNormalization(axis=net.axis, name=name + 'project_bn')(x)
    return added(x, before, rate, name) if stride == 1 and channels == filters else x


_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Tan and Le, EfficientNet: rethinking model scaling for convolutional neural networks (2019).',
                 _describe, top=classified)
# Width, depth, size of pictures, rate of dropout, and the hashes of the weights with and without the top.
_MEMBERS = [
    (1.0, 1.0, 224, 0.2, '902e53a9f72be733fc0bcb005b3ebbac', '50bc09e76180e00e4465e1a485ddc09d'),
    (1.0, 1.1, 240, 0.2, '1d254153d4ab51201f1646940f018540', '74c4e6b3e1f6a1eea24c589628592432'),
    (1.1, 1.2, 260, 0.3, 'b15cce36ff4dcbd00b6dd88e7857a6ad', '111f8e2ac8aa800a7a99e3239f7bfb39'),
    (1.2, 1.4, 300, 0.3, 'ffd1fdc53d0ce67064dc6a9c7960ede0', 'af6d107764bb5b1abb91932881670226'),
    (1.4, 1.8, 380, 0.4, '18c95ad55216b8f92d7e70b3a046e2fc', 'ebc24e6d6c33eaebbd558eafbeedf1ba'),
    (1.6, 2.2, 456, 0.4, 'ace28f2a6363774853a83a0b21b9421a', '38879255a25d3c92d5e44e04ae6cec6f'),
    (1.8, 2.6, 528, 0.5, '165f6e37dce68623721b423839de8be5', '9ecce42647a20130c1f39a5d4cb75743'),
    (2.0, 3.1, 600, 0.5, '8c03f828fec3ef71311cd463b6759d99', 'cbcfe4450ddf6f3ad90b1b398090fe4a')]


def _member(number):
    width, depth, size, dropout, *hashes = _MEMBERS[number]
    files = zip(['efficientnetb%d%s.h5' % (number, tail) for tail in ('', '_notop')], hashes)
    return _FAMILY.network('EfficientNetB%d' % number,
                           published_as('https://storage.googleapis.com/keras-applications/', *files),
                           called='efficientnetb%d' % number, width=width, depth=depth, size=size, dropout=dropout)


EfficientNetB0, EfficientNetB1, EfficientNetB2, EfficientNetB3 = map(_member, range(4))
EfficientNetB4, EfficientNetB5, EfficientNetB6, EfficientNetB7 = map(_member, range(4, 8))
preprocess_input, decode_predictions = preprocessing(__name__, AS_THEY_ARE)
