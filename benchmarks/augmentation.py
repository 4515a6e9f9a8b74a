"""Augmentation layers on 32 pictures of 224x224: each by itself and a pipeline of them, ours or upstream's.

Run as a script: `KERAS_BACKEND=torch python augmentation.py [ROUNDS]`, with our keras or upstream's on the path. Prints
seconds as JSON.
"""
import json
import sys

import numpy as np
import timing

BATCH, SIZE = 32, 224


def kinds(layers):
    """{name: a layer}, all drawing from the same seed."""
    return {
        'flip': layers.RandomFlip(seed=1), 'rotation': layers.RandomRotation(0.1, seed=1),
        'zoom': layers.RandomZoom(0.2, seed=1), 'translation': layers.RandomTranslation(0.2, 0.2, seed=1),
        'crop': layers.RandomCrop(192, 192, seed=1), 'brightness': layers.RandomBrightness(0.2, seed=1),
        'contrast': layers.RandomContrast(0.2, seed=1), 'hue': layers.RandomHue(0.1, seed=1),
        'color jitter': layers.RandomColorJitter(brightness_factor=0.2, contrast_factor=0.2, seed=1),
        'RandAugment': layers.RandAugment(seed=1), 'resize': layers.Resizing(160, 160)}


def main(rounds):
    import keras
    pictures = keras.ops.convert_to_tensor(
        (np.random.RandomState(0).rand(BATCH, SIZE, SIZE, 3) * 255).astype('float32'))
    ready = kinds(keras.layers)
    ready['pipeline'] = keras.Sequential([kinds(keras.layers)[name] for name in (
        'flip', 'rotation', 'zoom', 'translation', 'brightness', 'contrast')])

    def applied(layer):
        # To the host, so that engines that work later than they are asked are measured to the end.
        return lambda: keras.ops.convert_to_numpy(layer(pictures, training=True))
    print(json.dumps(dict(zip(ready, timing.alternate([applied(layer) for layer in ready.values()], rounds)))))


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
