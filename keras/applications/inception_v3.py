"""Inception, version 3: modules of parallel branches, described as data.

A branch is a list of steps, each (filters, rows, columns[, stride]) for a convolution, 'average' or ('max', stride) for
a pooling of 3x3. A step that is a list of branches splits, and its results are joined. A stride of 2 goes without
padding.
"""
from keras import layers
from keras.applications.assembly import Family, preprocessing, published_as
from keras.applications.imagenet_utils import SIGNED

STEM = [(32, 3, 3, 2), (32, 3, 3, 1, 'valid'), (64, 3, 3), ('max', 2), (80, 1, 1, 1, 'valid'),
         (192, 3, 3, 1, 'valid'), ('max', 2)]


def _of_5x5(pooled):
    return [[(64, 1, 1)], [(48, 1, 1), (64, 5, 5)], [(64, 1, 1), (96, 3, 3), (96, 3, 3)],
            ['average', (pooled, 1, 1)]]


def _of_7x7(inner):
    return [[(192, 1, 1)], [(inner, 1, 1), (inner, 1, 7), (192, 7, 1)],
            [(inner, 1, 1), (inner, 7, 1), (inner, 1, 7), (inner, 7, 1), (192, 1, 7)], ['average', (192, 1, 1)]]


def _wide(name):
    split = [[(384, 1, 3)], [(384, 3, 1)]]
    return [[(320, 1, 1)], [(384, 1, 1), (name, split)], [(448, 1, 1), (384, 3, 3), (None, split)],
            ['average', (192, 1, 1)]]


_MODULES = [_of_5x5(32), _of_5x5(64), _of_5x5(64),
            [[(384, 3, 3, 2)], [(64, 1, 1), (96, 3, 3), (96, 3, 3, 2)], [('max', 2)]],
            _of_7x7(128), _of_7x7(160), _of_7x7(160), _of_7x7(192),
            [[(192, 1, 1), (320, 3, 3, 2)], [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, 2)], [('max', 2)]],
            _wide('mixed9_0'), _wide('mixed9_1')]


def _describe(net, x):
    x = branch(net, x, STEM)
    for number, module in enumerate(_MODULES):
        x = joined(net, x, module, 'mixed%d' % number)
    return x


def joined(net, x, branches, name=None):
    """The results of branches, one behind the other along the channels."""
    return layers.Concatenate(axis=net.axis, name=name)([branch(net, x, steps) for steps in branches])


def branch(net, x, steps):
    """What the steps of a branch make of `x`."""
    for step in steps:
        if step == 'average':
            x = layers.AveragePooling2D((3, 3), strides=(1, 1), padding='same')(x)
        elif step[0] == 'max':
            x = layers.MaxPooling2D((3, 3), strides=(2, 2))(x)
        elif isinstance(step[1], list):
            x = joined(net, x, step[1], step[0])
        else:
            x = convolution(net.axis, x, *step)
    return x


def convolution(axis, x, filters, rows, columns, stride=1, padding=None, name=None):
    """A convolution, normalized and through relu; axis: of the channels, name: of the last layer."""
    x = layers.Conv2D(filters, (rows, columns), strides=stride, use_bias=False, name=name and name + '_conv',
                      padding=padding or ('same' if stride == 1 else 'valid'))(x)
    x = layers.BatchNormalization(axis=axis, scale=False, name=name and name + '_bn')(x)
    return layers.Activation('relu', name=name)(x)


_FILE = 'inception_v3_weights_tf_dim_ordering_tf_kernels%s.h5'
_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Szegedy et al., Rethinking the Inception architecture for computer vision (2015).', _describe,
                 size=299, least=75)

InceptionV3 = _FAMILY.network(
    'InceptionV3', published_as('inception_v3/', (_FILE % '', '9a0d58056eeedaa3f26cb7ebd46da564'),
                                (_FILE % '_notop', 'bcbd6486424b2319ff4ef7d526e38f63')), called='inception_v3')
preprocess_input, decode_predictions = preprocessing(__name__, SIGNED)
