"""What the modules of `keras.applications` had besides in Keras 1: addresses of weights, and a building block."""
from keras import config
from keras.applications.inception_v3 import convolution

_FOLDER = 'https://github.com/fchollet/deep-learning-models/releases/download/'


def _addresses(version, name):
    """Of the weights for channels first and last, each with the top and without."""
    return tuple('%s%s/%s_weights_%s_dim_ordering_%s_kernels%s.h5' % (_FOLDER, version, name, order, order, tail)
                 for order in ('th', 'tf') for tail in ('', '_notop'))


VGG16_TH, VGG16_TH_NO_TOP, VGG16_TF, VGG16_TF_NO_TOP = _addresses('v0.1', 'vgg16')
VGG19_TH, VGG19_TH_NO_TOP, VGG19_TF, VGG19_TF_NO_TOP = _addresses('v0.1', 'vgg19')
RESNET50_TH, RESNET50_TH_NO_TOP, RESNET50_TF, RESNET50_TF_NO_TOP = _addresses('v0.2', 'resnet50')
INCEPTION_TH, INCEPTION_TH_NO_TOP, INCEPTION_TF, INCEPTION_TF_NO_TOP = _addresses('v0.2', 'inception_v3')
XCEPTION_TF, XCEPTION_TF_NO_TOP = _addresses('v0.4', 'xception')[2:]


def conv2d_bn(x, nb_filter, nb_row, nb_col, border_mode='same', subsample=(1, 1), name=None):
    """A convolution, normalized and through relu, as the Inception networks are made of.

    Args:
        x: symbolic tensor. nb_filter: number of filters. nb_row, nb_col: size of the window. border_mode: 'same' or
            'valid'. subsample: strides. name: of the last layer.
    """
    axis = 3 if config.image_data_format() == 'channels_last' else 1
    return convolution(axis, x, nb_filter, nb_row, nb_col, subsample, border_mode, name)
