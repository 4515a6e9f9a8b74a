"""Inception-ResNet, version 2: modules of parallel branches, most of them added to their input; described as data.

The steps of a branch are those of `keras.applications.inception_v3`.
"""
from keras import generations, layers
from keras.applications.assembly import Family, preprocessing, published_as
from keras.applications.imagenet_utils import SIGNED
from keras.applications.inception_v3 import STEM, branch, joined
from keras.layers.scaling import CustomScaleLayer

_MIXED_5B = [[(96, 1, 1)], [(48, 1, 1), (64, 5, 5)], [(64, 1, 1), (96, 3, 3), (96, 3, 3)], ['average', (64, 1, 1)]]
_BLOCK_35 = [[(32, 1, 1)], [(32, 1, 1), (32, 3, 3)], [(32, 1, 1), (48, 3, 3), (64, 3, 3)]]
_MIXED_6A = [[(384, 3, 3, 2)], [(256, 1, 1), (256, 3, 3), (384, 3, 3, 2)], [('max', 2)]]
_BLOCK_17 = [[(192, 1, 1)], [(128, 1, 1), (160, 1, 7), (192, 7, 1)]]
_MIXED_7A = [[(256, 1, 1), (384, 3, 3, 2)], [(256, 1, 1), (288, 3, 3, 2)],
             [(256, 1, 1), (288, 3, 3), (320, 3, 3, 2)], [('max', 2)]]
_BLOCK_8 = [[(192, 1, 1)], [(192, 1, 1), (224, 1, 3), (256, 3, 1)]]

# (name of the module before, its branches, name of the blocks, their number, the scale of what they add, branches)
_STAGES = [('mixed_5b', _MIXED_5B, 'block35', 10, 0.17, _BLOCK_35),
           ('mixed_6a', _MIXED_6A, 'block17', 20, 0.1, _BLOCK_17),
           ('mixed_7a', _MIXED_7A, 'block8', 10, 0.2, _BLOCK_8)]


def _describe(net, x):
    x = branch(net, x, STEM)
    for before, module, name, blocks, scale, branches in _STAGES:
        x = joined(net, x, module, before)
        for number in range(1, blocks + 1):
            is_last = (name, number) == ('block8', 10)
            x = _block(net, x, '%s_%d' % (name, number), 1.0 if is_last else scale, branches)
            if not is_last:
                x = layers.Activation('relu', name='%s_%d_ac' % (name, number))(x)
    x = layers.Conv2D(1536, 1, padding='same', use_bias=False, name='conv_7b')(x)
    x = layers.BatchNormalization(axis=net.axis, scale=False, name='conv_7b_bn')(x)
    return layers.Activation('relu', name='conv_7b_ac')(x)


def _block(net, x, name, scale, branches):
    new = joined(net, x, branches, name + '_mixed')
    new = layers.Conv2D(x.shape[net.axis], 1, padding='same', name=name + '_conv')(new)
    return CustomScaleLayer(scale, name=name if generations.value('inception_blocks_are_named') else None)([x, new])


_FILE = 'inception_resnet_v2_weights_tf_dim_ordering_tf_kernels%s.h5'
_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Szegedy et al., Inception-v4, Inception-ResNet and the impact of residual connections (2016).',
                 _describe, size=299, least=75)

InceptionResNetV2 = _FAMILY.network(
    'InceptionResNetV2', published_as('inception_resnet_v2/', (_FILE % '', 'e693bd0210a403b3192acc6073ad2e96'),
                                      (_FILE % '_notop', 'd19885ff4a710c122648d3b5c3b684e4')),
    called='inception_resnet_v2')
preprocess_input, decode_predictions = preprocessing(__name__, SIGNED)
