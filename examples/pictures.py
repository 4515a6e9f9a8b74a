"""What the examples share: pictures in, pictures out."""
import os

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image


def sample_image(name, rows, columns):
    """One of scikit-learn's bundled photographs ('china.jpg', 'flower.jpg') as (1, rows, columns, 3) in [-1, 1]."""
    image = Image.fromarray(load_sample_image(name)).resize((columns, rows), Image.BICUBIC)
    return np.asarray(image, 'float32')[np.newaxis] / 127.5 - 1.0


def save(image, folder, name):
    """Write `image`, (rows, columns) or (rows, columns, 3) in [0, 1], as a PNG file; give its path."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    Image.fromarray(np.uint8(np.clip(image, 0.0, 1.0) * 255.0 + 0.5)).save(path)
    return path


def grid(images, columns, zoom=4):
    """Images (count, rows, columns) side by side in one, enlarged, with a gap of a pixel between them."""
    images = np.pad(np.asarray(images), ((0, 0), (0, 1), (0, 1)), 'constant', constant_values=1.0)
    rows = [np.concatenate(list(images[start:start + columns]), axis=1)
            for start in range(0, len(images) - columns + 1, columns)]
    return np.kron(np.concatenate(rows), np.ones((zoom, zoom)))
