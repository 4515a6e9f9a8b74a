"""Xception: blocks of separable convolutions, added to their input."""
from keras import layers
from keras.applications.assembly import Family, preprocessing, published_as
from keras.applications.imagenet_utils import SIGNED

# Of the blocks that halve rows and columns: their number in the network and the filters of their two convolutions.
_ENTRY = [(2, (128, 128)), (3, (256, 256)), (4, (728, 728))]
_MIDDLE = range(5, 13)
_EXIT = (13, (728, 1024))


def _describe(net, x):
    for index, (filters, stride) in enumerate([(32, 2), (64, 1)], 1):
        name = 'block1_conv%d' % index
        x = layers.Conv2D(filters, (3, 3), strides=(stride, stride), use_bias=False, name=name)(x)
        x = _normed(net, x, name + '_bn')
        x = layers.Activation('relu', name=name + '_act')(x)
    for block, filters in _ENTRY:
        x = _halving(net, x, block, filters)
    for block in _MIDDLE:
        before = x
        for index in (1, 2, 3):
            x = _separable(net, _relu(x, block, index), 728, block, index)
        x = layers.Add()([x, before])
    x = _halving(net, x, *_EXIT)
    for index, filters in enumerate((1536, 2048), 1):
        x = _relu(_separable(net, x, filters, 14, index), 14, index)
    return x


def _halving(net, x, block, filters):
    before = layers.Conv2D(filters[1], (1, 1), strides=(2, 2), padding='same', use_bias=False)(x)
    before = _normed(net, before)
    for index, number in enumerate(filters, 1):
        x = x if (block, index) == (2, 1) else _relu(x, block, index)
        x = _separable(net, x, number, block, index)
    x = layers.MaxPooling2D((3, 3), strides=(2, 2), padding='same', name='block%d_pool' % block)(x)
    return layers.Add()([x, before])


def _relu(x, block, index):
    return layers.Activation('relu', name='block%d_sepconv%d_act' % (block, index))(x)


def _separable(net, x, filters, block, index):
    name = 'block%d_sepconv%d' % (block, index)
    x = layers.SeparableConv2D(filters, (3, 3), padding='same', use_bias=False, name=name)(x)
    return _normed(net, x, name + '_bn')


def _normed(net, x, name=None):
    return layers.BatchNormalization(axis=net.axis, name=name)(x)


_FILE = 'xception_weights_tf_dim_ordering_tf_kernels%s.h5'
_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Chollet, Xception: deep learning with depthwise separable convolutions (2016).', _describe,
                 size=299, least=71)

Xception = _FAMILY.network(
    'Xception', published_as('xception/', (_FILE % '', '0a58e3b7378bc2990ea3b43d5981f1f6'),
                             (_FILE % '_notop', 'b0042744bf5b25fce3cb969f33bebb97')), called='xception')
preprocess_input, decode_predictions = preprocessing(__name__, SIGNED)
