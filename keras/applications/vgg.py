"""The networks of the Visual Geometry Group: blocks of 3x3 convolutions, each followed by a pooling."""
from keras import layers
from keras.applications.assembly import Family, preprocessing, published_as
from keras.applications.imagenet_utils import CENTRED


def _describe(net, x):
    for block, (convolutions, filters) in enumerate(net.blocks, 1):
        for index in range(1, convolutions + 1):
            x = layers.Conv2D(filters, (3, 3), activation='relu', padding='same',
                              name='block%d_conv%d' % (block, index))(x)
        x = layers.MaxPooling2D((2, 2), strides=(2, 2), name='block%d_pool' % block)(x)
    return x


def _top(net, x):
    x = layers.Flatten(name='flatten')(x)
    x = layers.Dense(4096, activation='relu', name='fc1')(x)
    x = layers.Dense(4096, activation='relu', name='fc2')(x)
    return layers.Dense(net.classes, activation=net.classifier_activation, name='predictions')(x)


FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                'Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition (2014).',
                _describe, top=_top)
_FILE = 'vgg%s_weights_tf_dim_ordering_tf_kernels%s.h5'

VGG16 = FAMILY.network(
    'VGG16', published_as('vgg16/', (_FILE % (16, ''), '64373286793e3c8b2b4e3219cbf3544b'),
                          (_FILE % (16, '_notop'), '6d6bbae143d832006294945121d1f1fc')),
    called='vgg16', blocks=((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)))
VGG19 = FAMILY.network(
    'VGG19', published_as('vgg19/', (_FILE % (19, ''), 'cbe5617147190e668d6c5d5026f83318'),
                          (_FILE % (19, '_notop'), '253f8cb515780f3b799900260a226db6')),
    called='vgg19', blocks=((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)))
preprocess_input, decode_predictions = preprocessing(__name__, CENTRED)
