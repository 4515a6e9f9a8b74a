"""Augmentation layers on 32 pictures of 224x224: each by itself and a pipeline of them, ours or upstream's.

Run as a script: `KERAS_BACKEND=torch python augmentation.py [ROUNDS [NAMES]]`, with our keras or upstream's on the
path. NAMES, with commas, are of those below, or `all`. Prints seconds as JSON.
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


def others(layers):
    """More of them, which the table leaves out."""
    return {
        'gray': layers.RandomGrayscale(0.5, seed=1), 'posterization': layers.RandomPosterization(4, seed=1),
        'invert': layers.RandomInvert(0.5, seed=1), 'saturation': layers.RandomSaturation(0.5, seed=1),
        'sharpness': layers.RandomSharpness(0.5, seed=1), 'degeneration': layers.RandomColorDegeneration(0.5, seed=1),
        'erasing': layers.RandomErasing(seed=1), 'blur': layers.RandomGaussianBlur(seed=1),
        'shear': layers.RandomShear(0.2, 0.2, seed=1), 'perspective': layers.RandomPerspective(seed=1),
        'elastic': layers.RandomElasticTransform(seed=1), 'autocontrast': layers.AutoContrast(),
        'equalization': layers.Equalization(), 'solarization': layers.Solarization(seed=1),
        'mixup': layers.MixUp(seed=1), 'cutmix': layers.CutMix(seed=1), 'augmix': layers.AugMix(seed=1),
        'center crop': layers.CenterCrop(160, 160), 'rescaling': layers.Rescaling(1 / 255.)}


def main(rounds, names=None):
    import keras
    pictures = keras.ops.convert_to_tensor(
        (np.random.RandomState(0).rand(BATCH, SIZE, SIZE, 3) * 255).astype('float32'))
    ready = kinds(keras.layers)
    ready['pipeline'] = keras.Sequential([kinds(keras.layers)[name] for name in (
        'flip', 'rotation', 'zoom', 'translation', 'brightness', 'contrast')])

    if names is not None:
        ready.update(others(keras.layers))
        ready = {name: layer for name, layer in ready.items() if names == ['all'] or name in names}

    def applied(layer):
        # To the host, so that engines that work later than they are asked are measured to the end.
        return lambda: keras.ops.convert_to_numpy(layer(pictures, training=True))
    print(json.dumps(dict(zip(ready, timing.alternate([applied(layer) for layer in ready.values()], rounds)))))


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2].split(',') if len(sys.argv) > 2 else None)
