"""Residual networks: stacks of blocks whose output is added to their input. Both versions.

A row of the table of stacks is (filters, number of blocks); the first block of all stacks but the first halves rows and
columns in version 1, the last block of all stacks but the last in version 2.
"""
from keras import layers
from keras.applications.assembly import Family, preprocessing, published_as
from keras.applications.imagenet_utils import CENTRED

EPSILON = 1.001e-5


def _normed(net, x, name):
    return layers.BatchNormalization(axis=net.axis, epsilon=EPSILON, name=name)(x)


def _relu(x, name):
    return layers.Activation('relu', name=name)(x)


def _stem(net, x):
    x = layers.ZeroPadding2D(((3, 3), (3, 3)), name='conv1_pad')(x)
    return layers.Conv2D(64, 7, strides=2, name='conv1_conv')(x)


def _pool(x):
    x = layers.ZeroPadding2D(((1, 1), (1, 1)), name='pool1_pad')(x)
    return layers.MaxPooling2D(3, strides=2, name='pool1_pool')(x)


def _describe(net, x):
    x = _pool(_relu(_normed(net, _stem(net, x), 'conv1_bn'), 'conv1_relu'))
    for stack, (filters, blocks) in enumerate(net.stacks, 2):
        for block in range(1, blocks + 1):
            name = 'conv%d_block%d' % (stack, block)
            x = _block(net, x, filters, 2 if block == 1 and stack > 2 else 1, block == 1, name)
    return x


def _block(net, x, filters, stride, widens, name):
    shortcut = x
    if widens:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=name + '_0_conv')(x)
        shortcut = _normed(net, shortcut, name + '_0_bn')
    x = layers.Conv2D(filters, 1, strides=stride, name=name + '_1_conv')(x)
    x = _relu(_normed(net, x, name + '_1_bn'), name + '_1_relu')
    x = layers.Conv2D(filters, 3, padding='same', name=name + '_2_conv')(x)
    x = _relu(_normed(net, x, name + '_2_bn'), name + '_2_relu')
    x = layers.Conv2D(4 * filters, 1, name=name + '_3_conv')(x)
    x = layers.Add(name=name + '_add')([shortcut, _normed(net, x, name + '_3_bn')])
    return _relu(x, name + '_out')


def _describe_v2(net, x):
    x = _pool(_stem(net, x))
    for stack, (filters, blocks) in enumerate(net.stacks, 2):
        for block in range(1, blocks + 1):
            name = 'conv%d_block%d' % (stack, block)
            x = _block_v2(net, x, filters, 2 if block == blocks and stack < 5 else 1, block == 1, name)
    return _relu(_normed(net, x, 'post_bn'), 'post_relu')


def _block_v2(net, x, filters, stride, widens, name):
    before = _relu(_normed(net, x, name + '_preact_bn'), name + '_preact_relu')
    if widens:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=name + '_0_conv')(before)
    else:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = layers.Conv2D(filters, 1, strides=1, use_bias=False, name=name + '_1_conv')(before)
    x = _relu(_normed(net, x, name + '_1_bn'), name + '_1_relu')
    x = layers.ZeroPadding2D(((1, 1), (1, 1)), name=name + '_2_pad')(x)
    x = layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=name + '_2_conv')(x)
    x = _relu(_normed(net, x, name + '_2_bn'), name + '_2_relu')
    x = layers.Conv2D(4 * filters, 1, name=name + '_3_conv')(x)
    return layers.Add(name=name + '_out')([shortcut, x])


def _files(name, *hashes):
    return published_as('resnet/', *zip([name + '_weights_tf_dim_ordering_tf_kernels%s.h5' % tail
                                         for tail in ('', '_notop')], hashes))


FAMILY = Family('keras.applications.resnet', 'The residual network %s, with pretrained weights or without.',
                'He et al., Deep residual learning for image recognition (2015).', _describe)
FAMILY_V2 = Family('keras.applications.resnet_v2',
                   'The residual network %s, normalized before each convolution, with pretrained weights or without.',
                   'He et al., Identity mappings in deep residual networks (2016).', _describe_v2)
STACKS = {50: ((64, 3), (128, 4), (256, 6), (512, 3)),
          101: ((64, 3), (128, 4), (256, 23), (512, 3)),
          152: ((64, 3), (128, 8), (256, 36), (512, 3))}
_TOP = 'name_of_resnet_top'

ResNet50 = FAMILY.network(
    'ResNet50', _files('resnet50', '2cb95161c43110f7111970584f804107', '4d473c1dd8becc155b73f8504c6f6626'),
    called='resnet50', stacks=STACKS[50], top_row=_TOP)
ResNet101 = FAMILY.network(
    'ResNet101', _files('resnet101', 'f1aeb4b969a6efcfb50fad2f0c20cfc5', '88cf7a10940856eca736dc7b7e228a21'),
    called='resnet101', stacks=STACKS[101], top_row=_TOP)
ResNet152 = FAMILY.network(
    'ResNet152', _files('resnet152', '100835be76be38e30d865e96f2aaae62', 'ee4c566cf9a93f14d82f913c2dc6dd0c'),
    called='resnet152', stacks=STACKS[152], top_row=_TOP)
ResNet50V2 = FAMILY_V2.network(
    'ResNet50V2', _files('resnet50v2', '3ef43a0b657b3be2300d5770ece849e0', 'fac2f116257151a9d068a22e544a4917'),
    called='resnet50v2', stacks=STACKS[50], top_row=_TOP)
ResNet101V2 = FAMILY_V2.network(
    'ResNet101V2', _files('resnet101v2', '6343647c601c52e1368623803854d971', 'c0ed64b8031c3730f411d2eb4eea35b5'),
    called='resnet101v2', stacks=STACKS[101], top_row=_TOP)
ResNet152V2 = FAMILY_V2.network(
    'ResNet152V2', _files('resnet152v2', 'a49b44d1979771252814e80f8ec446f9', 'ed17cf2e0169df9d443503ef94b23b33'),
    called='resnet152v2', stacks=STACKS[152], top_row=_TOP)
preprocess_input, decode_predictions = preprocessing(__name__, CENTRED)
