"""Densely connected networks: each block hands on its input along with what it has made of it."""
from keras import generations, layers
from keras.applications.assembly import Family, preprocessing, published_as
from keras.applications.imagenet_utils import NORMALIZED

EPSILON = 1.001e-5
GROWTH = 32


def _active(net, x, name, between='_'):
    x = layers.BatchNormalization(axis=net.axis, epsilon=EPSILON, name=name + between + 'bn')(x)
    return layers.Activation('relu', name=name + between + 'relu')(x)


def _describe(net, x):
    between = generations.value('densenet_begins')
    x = layers.ZeroPadding2D(((3, 3), (3, 3)))(x)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name='conv1%sconv' % between)(x)
    x = _active(net, x, 'conv1', between)
    x = layers.ZeroPadding2D(((1, 1), (1, 1)))(x)
    x = layers.MaxPooling2D(3, strides=2, name='pool1')(x)
    for stack, blocks in enumerate(net.blocks, 2):
        for block in range(1, blocks + 1):
            x = _block(net, x, 'conv%d_block%d' % (stack, block))
        if stack < 5:
            x = _transition(net, x, 'pool%d' % stack)
    x = layers.BatchNormalization(axis=net.axis, epsilon=EPSILON, name='bn')(x)
    return layers.Activation('relu', name='relu')(x)


def _block(net, x, name):
    new = _active(net, x, name + '_0')
    new = layers.Conv2D(4 * GROWTH, 1, use_bias=False, name=name + '_1_conv')(new)
    new = _active(net, new, name + '_1')
    new = layers.Conv2D(GROWTH, 3, padding='same', use_bias=False, name=name + '_2_conv')(new)
    return layers.Concatenate(axis=net.axis, name=name + '_concat')([x, new])


def _transition(net, x, name):
    x = _active(net, x, name)
    x = layers.Conv2D(x.shape[net.axis] // 2, 1, use_bias=False, name=name + '_conv')(x)
    return layers.AveragePooling2D(2, strides=2, name=name + '_pool')(x)


def _files(size, *hashes):
    return published_as('densenet/', *zip(['densenet%d_weights_tf_dim_ordering_tf_kernels%s.h5' % (size, tail)
                                           for tail in ('', '_notop')], hashes))


_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Huang et al., Densely connected convolutional networks (2016).', _describe)

DenseNet121 = _FAMILY.network(
    'DenseNet121', _files(121, '9d60b8095a5708f2dcce2bca79d332c7', '30ee3e1110167f948a6b9946edeeb738'),
    called='densenet121', top_row='name_of_densenet_top', blocks=(6, 12, 24, 16))
DenseNet169 = _FAMILY.network(
    'DenseNet169', _files(169, 'd699b8f76981ab1b30698df4c175e90b', 'b8c4d4c20dd625c148057b9ff1c1176b'),
    called='densenet169', top_row='name_of_densenet_top', blocks=(6, 12, 32, 32))
DenseNet201 = _FAMILY.network(
    'DenseNet201', _files(201, '1ceb130c1ea1b78c3bf6114dbdfd8807', 'c13680b51ded0fb44dff2d8f86ac8bb1'),
    called='densenet201', top_row='name_of_densenet_top', blocks=(6, 12, 48, 32))
preprocess_input, decode_predictions = preprocessing(__name__, NORMALIZED)
