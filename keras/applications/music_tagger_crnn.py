"""A convolutional and recurrent network that tags music, as in Keras 1."""
import os

from keras import config, layers
from keras.applications.audio_conv_utils import BANDS, decode_predictions, preprocess_input  # noqa: F401
from keras.models.model import Model
from keras.utils.downloads import get_file
from keras.utils.layer_utils import get_source_inputs

_FILE = 'music_tagger_crnn_weights_%s_kernels_%s_dim_ordering.h5'
_FOLDER = 'https://github.com/fchollet/deep-learning-models/releases/download/v0.3/'
TH_WEIGHTS_PATH = _FOLDER + _FILE % ('tf', 'th')
TF_WEIGHTS_PATH = _FOLDER + _FILE % ('tf', 'tf')
STEPS = 1366
# Filters of the convolutions, and the sizes of the poolings behind them.
_BLOCKS = [(64, 2), (128, 3), (128, 4), (128, 4)]


def MusicTaggerCRNN(weights='msd', input_tensor=None, include_top=True, classes=50):  # noqa: N802  (the name of the network)
    """A network that finds 50 tags in the mel spectrogram of a piece of music.

    Args:
        weights: 'msd', pretrained on the Million Song Dataset (downloaded at the first use), or None for random ones.
        input_tensor: a symbolic tensor that the network begins with. include_top: whether the network ends in the
            layer that finds tags; without it, it gives 32 features. classes: number of tags.

    Raises:
        ValueError: for other weights. OSError: if the weights are neither in the cache nor can be downloaded.

    Source: Choi et al., Convolutional recurrent neural networks for music classification (2016).

    Example:
        model = keras.applications.music_tagger_crnn.MusicTaggerCRNN(weights=None)
    """
    if weights not in ('msd', None):
        raise ValueError('The `weights` argument should be either `None` (random initialization) or `msd` '
                         '(pre-training on Million Song Dataset). Received: weights=%r' % (weights,))
    last = config.image_data_format() == 'channels_last'
    image = layers.Input(shape=(BANDS, STEPS, 1) if last else (1, BANDS, STEPS)) if input_tensor is None \
        else layers.Input(tensor=input_tensor)
    x = layers.ZeroPadding2D(padding=(0, 37))(image)
    x = layers.BatchNormalization(axis=2 if last else 3, name='bn_0_freq')(x)
    for number, (filters, size) in enumerate(_BLOCKS, 1):
        x = layers.Conv2D(filters, (3, 3), padding='same', name='conv%d' % number)(x)
        x = layers.BatchNormalization(axis=3 if last else 1, name='bn%d' % number)(x)
        x = layers.ELU()(x)
        x = layers.MaxPooling2D((size, size), strides=(size, size), name='pool%d' % number)(x)
    if not last:
        x = layers.Permute((3, 1, 2))(x)
    x = layers.Reshape((15, 128))(x)
    x = layers.GRU(32, return_sequences=True, name='gru1')(x)
    x = layers.GRU(32, return_sequences=False, name='gru2')(x)
    if include_top:
        x = layers.Dense(classes, activation='sigmoid', name='output')(x)
    model = Model(get_source_inputs(image), x)
    if weights == 'msd':
        address = TF_WEIGHTS_PATH if last else TH_WEIGHTS_PATH
        model.load_weights(get_file(os.path.basename(address), address, cache_subdir='models'), by_name=True)
    return model
