"""ResNet-50 as Keras 1 and 2 have it, with its own names of layers; later generations get that of `residual`."""
import functools

from keras import config, generations, layers
from keras.applications import residual
from keras.applications.assembly import Family, published_as
from keras.applications.residual import decode_predictions, preprocess_input  # noqa: F401

# Filters of the three convolutions and number of blocks.
_STAGES = {2: ((64, 64, 256), 3), 3: ((128, 128, 512), 4), 4: ((256, 256, 1024), 6), 5: ((512, 512, 2048), 3)}
_FOLDER = 'https://github.com/fchollet/deep-learning-models/releases/download/v0.2/'


def _describe(net, x):
    x = layers.ZeroPadding2D((3, 3), name='conv1_pad')(x)
    x = layers.Conv2D(64, (7, 7), strides=(2, 2), kernel_initializer='he_normal', name='conv1')(x)
    x = layers.BatchNormalization(axis=net.axis, name='bn_conv1')(x)
    x = layers.Activation('relu')(x)
    x = layers.ZeroPadding2D((1, 1), name='pool1_pad')(x)
    x = layers.MaxPooling2D((3, 3), strides=(2, 2))(x)
    for stage, (filters, blocks) in _STAGES.items():
        x = conv_block(x, 3, filters, stage, 'a', strides=(1, 1) if stage == 2 else (2, 2))
        for block in range(1, blocks):
            x = identity_block(x, 3, filters, stage, 'abcdef'[block])
    return x


def _step(x, filters, kernel_size, place, strides=(1, 1), padding='valid'):
    axis = 3 if config.image_data_format() == 'channels_last' else 1
    x = layers.Conv2D(filters, kernel_size, strides=strides, padding=padding, kernel_initializer='he_normal',
                      name='res' + place)(x)
    return layers.BatchNormalization(axis=axis, name='bn' + place)(x)


def _branch(x, kernel_size, filters, place, strides=(1, 1)):
    x = layers.Activation('relu')(_step(x, filters[0], (1, 1), place + '2a', strides))
    x = layers.Activation('relu')(_step(x, filters[1], kernel_size, place + '2b', padding='same'))
    return _step(x, filters[2], (1, 1), place + '2c')


def identity_block(input_tensor, kernel_size, filters, stage, block):
    """Three convolutions, added to their input.

    Args:
        input_tensor: symbolic tensor with filters[2] channels. kernel_size: of the convolution in the middle.
        filters: of the three convolutions. stage, block: a number and a letter, for the names of the layers.
    """
    x = _branch(input_tensor, kernel_size, filters, '%s%s_branch' % (stage, block))
    return layers.Activation('relu')(layers.add([x, input_tensor]))


def conv_block(input_tensor, kernel_size, filters, stage, block, strides=(2, 2)):
    """Three convolutions, added to a convolution of their input; arguments as of `identity_block`.

    Args:
        strides: of the first convolution and of that beside the three.
    """
    place = '%s%s_branch' % (stage, block)
    x = _branch(input_tensor, kernel_size, filters, place, strides)
    shortcut = _step(input_tensor, filters[2], (1, 1), place + '1', strides)
    return layers.Activation('relu')(layers.add([x, shortcut]))


def _top(net, x):
    x = layers.GlobalAveragePooling2D(name='avg_pool')(x)
    return layers.Dense(net.classes, activation=net.classifier_activation, name='fc1000')(x)


_FILE = 'resnet50_weights_tf_dim_ordering_tf_kernels%s.h5'
_of_2015 = Family(__name__, 'The residual network %s, with pretrained weights or without.',
                  'He et al., Deep residual learning for image recognition (2015).', _describe, top=_top).network(
    'ResNet50', published_as(_FOLDER, (_FILE % '', 'a7b3fe01876f51b976af0dea6bc144eb'),
                             (_FILE % '_notop', 'a268eb855778b3df3c7506639542a6af')), called='resnet50')


@functools.wraps(residual.ResNet50)
def ResNet50(*args, **kwargs):  # noqa: N802  (the name of the network)
    build = _of_2015 if generations.value('resnet50_of_2015') else residual.ResNet50
    return build(*args, **kwargs)


ResNet50.__module__ = __name__
