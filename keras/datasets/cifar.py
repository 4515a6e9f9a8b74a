"""The files that the CIFAR data sets come in."""
import numpy as np

from keras import config
from keras.datasets import pickled


def load_batch(fpath, label_key='labels'):
    """Pictures and labels of one file.

    Args:
        fpath: path of a pickled dictionary. label_key: under which the labels are.

    Returns:
        (data, labels): array of shape (pictures, 3, 32, 32), uint8, and list of integers.
    """
    content = pickled.load(fpath, encoding='bytes')
    if not isinstance(content, dict):
        raise ValueError('%s holds no dictionary, but: %.200r' % (fpath, content))
    content = {key.decode() if isinstance(key, bytes) else key: value for key, value in content.items()}
    if label_key not in content:
        raise ValueError('%s holds no %r, but: %s' % (fpath, label_key, sorted(content)))
    return content['data'].reshape(-1, 3, 32, 32), content[label_key]


def arranged(parts):
    """(pictures, labels) of files one after the other, as `load_data` returns them."""
    x = np.concatenate([data for data, _ in parts])
    y = np.concatenate([np.asarray(labels, 'uint8') for _, labels in parts]).reshape(-1, 1)
    if config.image_data_format() == 'channels_last':
        x = x.transpose(0, 2, 3, 1)
    return x, y
