"""Sound on its way into `MusicTaggerCRNN`, and tags on their way out, as in Keras 1."""
import numpy as np

from keras import config
from keras.applications.imagenet_utils import format_of

# The 50 tags of the Million Song Dataset that are most frequent on Last.fm.
TAGS = ['rock', 'pop', 'alternative', 'indie', 'electronic', 'female vocalists', 'dance', '00s', 'alternative rock',
        'jazz', 'beautiful', 'metal', 'chillout', 'male vocalists', 'classic rock', 'soul', 'indie rock', 'Mellow',
        'electronica', '80s', 'folk', '90s', 'chill', 'instrumental', 'punk', 'oldies', 'blues', 'hard rock',
        'ambient', 'acoustic', 'experimental', 'female vocalist', 'guitar', 'Hip-Hop', '70s', 'party', 'country',
        'easy listening', 'sexy', 'catchy', 'funk', 'electro', 'heavy metal', 'Progressive rock', '60s', 'rnb',
        'indie pop', 'sad', 'House', 'happy']
# Samples per second, length of the windows and their distance in samples, mel bands, and seconds.
RATE, WINDOW, HOP, BANDS, SECONDS = 12000, 512, 256, 96, 29.12


def preprocess_input(audio_path, dim_ordering='default'):
    """The log of the mel spectrogram of the 29.12 seconds in the middle of a sound file.

    Args:
        audio_path: path of the file; what is shorter is filled with silence. dim_ordering: 'tf' or 'th', default from
            keras.json.

    Returns:
        Array (96, 1366, 1), or (1, 96, 1366) with the channels first.

    Raises:
        ImportError: if librosa is not there: pip install librosa.
    """
    data_format = format_of(None if dim_ordering == 'default' else dim_ordering, {})
    try:
        import librosa
    except ImportError as error:
        raise ImportError('Reading sound needs librosa: pip install librosa (%s)' % error)
    sound, _ = librosa.load(audio_path, sr=RATE)
    wanted = int(SECONDS * RATE)
    if len(sound) < wanted:
        sound = np.hstack([sound, np.zeros(wanted - len(sound), sound.dtype)])
    else:
        first = (len(sound) - wanted) // 2
        sound = sound[first:first + wanted]
    power = librosa.feature.melspectrogram(y=sound, sr=RATE, hop_length=HOP, n_fft=WINDOW, n_mels=BANDS) ** 2
    decibels = librosa.power_to_db(power, ref=1.0).astype(config.floatx())
    return np.expand_dims(decibels, 2 if data_format == 'channels_last' else 0)


def decode_predictions(preds, top_n=5):
    """The most probable tags of each piece.

    Args:
        preds: array (pieces, 50). top_n: how many of the tags.

    Returns:
        One list per piece of (tag, probability), the most probable first.

    Raises:
        ValueError: for another shape.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != len(TAGS):
        raise ValueError('decode_predictions: expected probabilities of shape (pieces, 50). Received the shape %s.'
                         % (preds.shape,))
    return [[(TAGS[index], float(row[index])) for index in np.argsort(-row, kind='stable')[:top_n]] for row in preds]
