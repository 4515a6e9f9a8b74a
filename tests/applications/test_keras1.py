"""What `keras.applications` had in Keras 1."""
import numpy as np
import pytest

import keras
from keras.applications import audio_conv_utils, inception_v3, music_tagger_crnn, resnet50, vgg16, xception

pytestmark = pytest.mark.on('numpy')


def test_the_tagger_of_music():
    """Sizes by the paper: 1366 steps, filled up to 1440, and 96 bands come down to 15 steps of 128 features."""
    for data_format, shape in (('channels_last', (96, 1366, 1)), ('channels_first', (1, 96, 1366))):
        keras.config.set_image_data_format(data_format)
        try:
            model = music_tagger_crnn.MusicTaggerCRNN(weights=None)
        finally:
            keras.config.set_image_data_format('channels_last')
        assert model.input_shape == (None,) + shape and model.output_shape == (None, 50)
        assert model.get_layer('gru1').input_shape == (None, 15, 128)
    with pytest.raises(ValueError, match='msd'):
        music_tagger_crnn.MusicTaggerCRNN(weights='imagenet')


def test_tags():
    predicted = np.zeros((1, 50))
    predicted[0, [9, 0]] = 0.5, 0.4
    assert audio_conv_utils.decode_predictions(predicted, top_n=2) == [[('jazz', 0.5), ('rock', 0.4)]]
    with pytest.raises(ValueError, match='50'):
        audio_conv_utils.decode_predictions(np.zeros((1, 4)))


def test_names_of_modules():
    assert vgg16.TF_WEIGHTS_PATH.endswith('v0.1/vgg16_weights_tf_dim_ordering_tf_kernels.h5')
    assert resnet50.TH_WEIGHTS_PATH_NO_TOP.endswith('v0.2/resnet50_weights_th_dim_ordering_th_kernels_notop.h5')
    assert xception.TF_WEIGHTS_PATH_NO_TOP.endswith('v0.4/xception_weights_tf_dim_ordering_tf_kernels_notop.h5')
    assert vgg16.Convolution2D is keras.layers.Convolution2D


def test_blocks():
    x = keras.Input((8, 8, 3))
    x = inception_v3.conv2d_bn(x, 6, 3, 3, subsample=(2, 2), name='first')
    x = resnet50.conv_block(x, 3, (2, 2, 8), 2, 'a', strides=(1, 1))
    model = keras.Model(keras.utils.get_source_inputs(x), resnet50.identity_block(
        x, 3, (2, 2, 8), 2, 'b'))
    assert model.output_shape == (None, 4, 4, 8)
    assert model.get_layer('res2a_branch1') and model.get_layer('bn2b_branch2c') and model.get_layer('first_bn')
