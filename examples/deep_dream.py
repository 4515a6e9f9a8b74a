"""Deep dream (Mordvintsev et al. 2015): an image is changed until it excites the layers of a network.

    python examples/deep_dream.py --steps 20 --folder /tmp

The network has random weights, so no motif of a trained one appears but the textures that its filters answer to. The
gradient with respect to the image comes from `K.gradients`; the network takes images of any size, and dreams at
several of them, the small ones first.
"""
import argparse

import numpy as np
from PIL import Image

import keras
from keras import backend as K
from keras.layers import Conv2D, Input, MaxPooling2D
from keras.models import Model

import pictures

LAYERS = {'block1': 0.5, 'block2': 1.0, 'block3': 1.5}
SIZES = ((48, 72), (64, 96), (96, 144))
RATE = 0.03


def build_network():
    image = x = Input((None, None, 3))
    for index, filters in enumerate((16, 32, 32)):
        x = Conv2D(filters, 3, padding='same', activation='relu', kernel_initializer='he_normal')(x)
        x = Conv2D(filters, 3, padding='same', activation='relu', kernel_initializer='he_normal',
                   name='block%d' % (index + 1))(x)
        x = MaxPooling2D()(x)
    return Model(image, x)


def dreaming_function(network):
    """A function from an image to the excitement and its gradient, scaled to a mean of one."""
    excitement = K.variable(0.0)
    for name, weight in LAYERS.items():
        activation = network.get_layer(name).output
        # The border answers to the padding, not to the picture.
        excitement = excitement + weight * K.mean(K.square(activation[:, 2:-2, 2:-2, :]))
    gradient = K.gradients(excitement, network.input)[0]
    gradient = gradient / K.maximum(K.mean(K.abs(gradient)), K.epsilon())
    return K.function([network.input], [excitement, gradient])


def resized(image, size):
    """(1, rows, columns, 3) at another size; channel by channel, so that values need not be those of colours."""
    channels = [Image.fromarray(image[0, :, :, index]).resize(size[::-1], Image.BICUBIC) for index in range(3)]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)[np.newaxis]


def dream(function, image, steps):
    """`image` after `steps` of gradient ascent, and the excitement before and after."""
    first = float(function([image])[0])
    for _ in range(steps):
        _, gradient = function([image])
        image = np.clip(image + RATE * gradient, -1.0, 1.0)
    return image, first, float(function([image])[0])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=20, help='steps of gradient ascent at each size')
    parser.add_argument('--folder', default='.', help='where the picture goes')
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)

    function = dreaming_function(build_network())
    image = pictures.sample_image('china.jpg', *SIZES[0])
    for size in SIZES:
        # What shrinking took from the photograph is put back at every size; the dream so far is kept.
        original = pictures.sample_image('china.jpg', *size)
        lost = original - resized(pictures.sample_image('china.jpg', *SIZES[0]), size)
        image = np.clip(resized(image, size) + lost, -1.0, 1.0)
        image, first, last = dream(function, image, options.steps)
    path = pictures.save(image[0] / 2.0 + 0.5, options.folder, 'deep_dream.png')
    print('Deep dream on %s: excitement from %.3f to %.3f at the last size; %s' % (K.backend(), first, last, path))
    if not last > 1.2 * first:
        raise SystemExit('Expected the excitement to grow by a fifth at least.')


if __name__ == '__main__':
    main()
