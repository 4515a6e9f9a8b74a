"""MobileNet, version 3: found by a search; blocks with numbers for the channels that depend on the mean of all."""
from keras import layers
from keras.applications.assembly import FOLDER, Family, preprocessing
from keras.applications.imagenet_utils import AS_THEY_ARE, correct_pad
from keras.applications.mobilenet_v2 import divisible

# The factor by which a block widens, filters, size of the kernel, stride, whether channels are squeezed, and whether
# the activation is the hard swish. A network that is minimalistic has kernels of 3x3, and neither of the latter two.
_SMALL = [(1, 16, 3, 2, True, False), (72 / 16, 24, 3, 2, False, False), (88 / 24, 24, 3, 1, False, False),
          (4, 40, 5, 2, True, True), (6, 40, 5, 1, True, True), (6, 40, 5, 1, True, True), (3, 48, 5, 1, True, True),
          (3, 48, 5, 1, True, True), (6, 96, 5, 2, True, True), (6, 96, 5, 1, True, True), (6, 96, 5, 1, True, True)]
_LARGE = [(1, 16, 3, 1, False, False), (4, 24, 3, 2, False, False), (3, 24, 3, 1, False, False),
          (3, 40, 5, 2, True, False), (3, 40, 5, 1, True, False), (3, 40, 5, 1, True, False),
          (6, 80, 3, 2, False, True), (2.5, 80, 3, 1, False, True), (2.3, 80, 3, 1, False, True),
          (2.3, 80, 3, 1, False, True), (6, 112, 3, 1, True, True), (6, 112, 3, 1, True, True),
          (6, 160, 5, 2, True, True), (6, 160, 5, 1, True, True), (6, 160, 5, 1, True, True)]
SQUEEZED = 0.25


def _describe(net, x):
    _check_alpha(net)
    if net.include_preprocessing:
        x = layers.Rescaling(scale=1.0 / 127.5, offset=-1.0)(x)
    x = layers.Conv2D(16, kernel_size=3, strides=(2, 2), padding='same', use_bias=False, name='conv')(x)
    x = _active(net, _normed(net, x, 'conv_bn'), True)
    for number, block in enumerate(net.blocks):
        x = _block(net, x, 'expanded_conv_%d_' % number if number else 'expanded_conv_', number > 0, *block)
    channels = divisible(x.shape[net.axis] * 6)
    x = layers.Conv2D(channels, kernel_size=1, padding='same', use_bias=False, name='conv_1')(x)
    return _active(net, _normed(net, x, 'conv_1_bn'), True)


def _check_alpha(net):
    alphas = (1.0,) if net.minimalistic else (0.75, 1.0)
    if net.weights == 'imagenet' and net.alpha not in alphas:
        raise ValueError('%s: if imagenet weights are being loaded, alpha can be one of %s only%s. Received: alpha=%s'
                         % (net.member.name, ', '.join('`%s`' % alpha for alpha in alphas),
                            ' for a minimalistic one' if net.minimalistic else '', net.alpha))


def _normed(net, x, name):
    return layers.BatchNormalization(axis=net.axis, epsilon=1e-3, momentum=0.999, name=name)(x)


def _active(net, x, hard):
    return layers.Activation('hard_silu')(x) if hard and not net.minimalistic else layers.ReLU()(x)


def _block(net, before, name, widens, factor, filters, size, stride, squeezes, hard):
    size = 3 if net.minimalistic else size
    filters = divisible(filters * net.alpha)
    x, channels = before, before.shape[net.axis]
    wide = divisible(channels * factor)
    if widens:
        x = layers.Conv2D(wide, kernel_size=1, padding='same', use_bias=False, name=name + 'expand')(x)
        x = _active(net, _normed(net, x, name + 'expand_bn'), hard)
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, size), name=name + 'depthwise_pad')(x)
    x = layers.DepthwiseConv2D(size, strides=stride, padding='same' if stride == 1 else 'valid', use_bias=False,
                               name=name + 'depthwise')(x)
    x = _active(net, _normed(net, x, name + 'depthwise_bn'), hard)
    if squeezes and not net.minimalistic:
        x = _squeezed(x, wide, name + 'squeeze_excite_')
    x = layers.Conv2D(filters, kernel_size=1, padding='same', use_bias=False, name=name + 'project')(x)
    x = _normed(net, x, name + 'project_bn')
    return layers.Add(name=name + 'add')([before, x]) if stride == 1 and channels == filters else x


def _squeezed(x, filters, name):
    mean = layers.GlobalAveragePooling2D(keepdims=True, name=name + 'avg_pool')(x)
    mean = layers.Conv2D(divisible(filters * SQUEEZED), kernel_size=1, padding='same', name=name + 'conv')(mean)
    mean = layers.ReLU(name=name + 'relu')(mean)
    mean = layers.Conv2D(filters, kernel_size=1, padding='same', name=name + 'conv_1')(mean)
    return layers.Multiply(name=name + 'mul')([x, layers.ReLU(6.0)(mean + 3.0) * (1.0 / 6.0)])


def _top(net, x):
    channels = divisible(net.last * net.alpha) if net.alpha > 1.0 else net.last
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = _active(net, layers.Conv2D(channels, kernel_size=1, padding='same', name='conv_2')(x), True)
    if net.dropout_rate > 0:
        x = layers.Dropout(net.dropout_rate)(x)
    x = layers.Conv2D(net.classes, kernel_size=1, padding='same', name='logits')(x)
    x = layers.Flatten()(x)
    return layers.Activation(activation=net.classifier_activation, name='predictions')(x)


# Versions of the weights, each with the hashes of the files with and without the top.
_HASHES = {
    'large_224_0.75_float': ('765b44a33ad4005b3ac83185abf1d0eb', '40af19a13ebea4e2ee0c676887f69a2e'),
    'large_224_1.0_float': ('59e551e166be033d707958cf9e29a6a7', '07fb09a5933dd0c8eaafa16978110389'),
    'large_minimalistic_224_1.0_float': ('675e7b876c45c57e9e63e6d90a36599c', 'ec5221f64a2f6d1ef965a614bdae7973'),
    'small_224_0.75_float': ('cb65d4e5be93758266aa0a7f2c6708b7', 'ebdb5cc8e0b497cd13a7c275d475c819'),
    'small_224_1.0_float': ('8768d4c2e7dee89b9d02b2d03d65d862', 'd3e8ec802a04aa4fc771ee12a9a9b836'),
    'small_minimalistic_224_1.0_float': ('99cd97fb2fcdad2bf028eb838de69e37', 'cde8136e733e811080d9fcd8a252f7e4')}


def _published(net):
    version = '%s%s_224_%s_float' % (net.size_name, '_minimalistic' * bool(net.minimalistic), float(net.alpha))
    file = 'weights_mobilenet_v3_%s%s.h5' % (version, '' if net.include_top else '_no_top_v2')
    return file, FOLDER + 'mobilenet_v3/' + file, _HASHES[version][0 if net.include_top else 1]


_FAMILY = Family('keras.applications', 'The network %s, with pretrained weights or without.',
                 'Howard et al., Searching for MobileNetV3 (2019).', _describe, top=_top, sized='never',
                 arguments=(('input_shape', None), ('alpha', 1.0), ('minimalistic', False), ('include_top', True),
                            ('weights', 'imagenet'), ('input_tensor', None), ('classes', 1000), ('pooling', None),
                            ('dropout_rate', 0.2), ('classifier_activation', 'softmax'),
                            ('include_preprocessing', True), ('name', None)),
                 own="""alpha: factor for the number of filters. minimalistic: whether the network does without the
            parts that are slow on some devices. dropout_rate: before the last layer. include_preprocessing: whether
            the network scales pictures itself. """)

MobileNetV3Small = _FAMILY.network('MobileNetV3Small', _published, called='MobileNetV3Small', blocks=_SMALL, last=1024,
                                   size_name='small')
MobileNetV3Large = _FAMILY.network('MobileNetV3Large', _published, called='MobileNetV3Large', blocks=_LARGE, last=1280,
                                   size_name='large')
preprocess_input, decode_predictions = preprocessing(__name__, AS_THEY_ARE)
