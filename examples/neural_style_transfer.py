"""Neural style transfer (Gatys et al. 2015): a picture with the content of one image and the style of another.

    python examples/neural_style_transfer.py --steps 15 --folder /tmp

Content is what a deep layer answers; style is how the answers of a layer correlate (Gram matrices), which works with
random weights, too. SciPy's L-BFGS minimises over the pixels, with the gradient that `K.gradients` finds.
"""
import argparse

import numpy as np
from scipy.optimize import fmin_l_bfgs_b

import keras
from keras import backend as K
from keras.layers import AveragePooling2D, Conv2D, Input
from keras.models import Model

import pictures

ROWS, COLUMNS = 64, 96
CONTENT_LAYER = 'block3_conv1'
STYLE_LAYERS = ('block1_conv1', 'block2_conv1', 'block3_conv1')
CONTENT_WEIGHT, STYLE_WEIGHT, VARIATION_WEIGHT = 0.05, 1.0, 0.02


def build_network(images):
    """A small network in the manner of VGG with random weights, on a tensor of images."""
    inputs = x = Input(tensor=images)
    for block, filters in enumerate((16, 32, 48)):
        for layer in range(2):
            x = Conv2D(filters, 3, padding='same', activation='relu', kernel_initializer='he_normal',
                       name='block%d_conv%d' % (block + 1, layer + 1))(x)
        x = AveragePooling2D()(x)
    return Model(inputs, x)


def gram_matrix(features):
    """How the channels of (rows, columns, channels) correlate."""
    flat = K.batch_flatten(K.permute_dimensions(features, (2, 0, 1)))
    return K.dot(flat, K.transpose(flat)) / float(np.prod(K.int_shape(features)))


def style_loss(style, combination):
    reference = gram_matrix(style)
    return K.sum(K.square(reference - gram_matrix(combination))) / K.sum(K.square(reference))


def content_loss(content, combination):
    return K.sum(K.square(combination - content)) / K.sum(K.square(content))


def total_variation(image):
    down = K.square(image[:, 1:, :-1, :] - image[:, :-1, :-1, :])
    right = K.square(image[:, :-1, 1:, :] - image[:, :-1, :-1, :])
    return K.mean(K.pow(down + right, 1.25))


class Objective:
    """Loss and gradient as L-BFGS asks for them: of a flat vector of float64, one after the other."""

    def __init__(self, combination, loss):
        self._function = K.function([combination], [loss] + K.gradients(loss, combination))
        self._gradient = None

    def loss(self, x):
        value, gradient = self._function([x.reshape((1, ROWS, COLUMNS, 3))])
        self._gradient = gradient.flatten().astype('float64')
        return float(value)

    def gradient(self, x):
        return self._gradient


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=15, help='iterations of L-BFGS')
    parser.add_argument('--folder', default='.', help='where the picture goes')
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)

    photograph = pictures.sample_image('china.jpg', ROWS, COLUMNS)
    content = K.variable(photograph)
    style = K.variable(pictures.sample_image('flower.jpg', ROWS, COLUMNS))
    combination = K.placeholder((1, ROWS, COLUMNS, 3))
    network = build_network(K.concatenate([content, style, combination], axis=0))
    outputs = {layer.name: layer.output for layer in network.layers}

    loss = K.variable(0.0)
    features = outputs[CONTENT_LAYER]
    loss = loss + CONTENT_WEIGHT * content_loss(features[0], features[2])
    for name in STYLE_LAYERS:
        loss = loss + STYLE_WEIGHT / len(STYLE_LAYERS) * style_loss(outputs[name][1], outputs[name][2])
    loss = loss + VARIATION_WEIGHT * total_variation(combination)

    objective = Objective(combination, loss)
    first = objective.loss(photograph)
    x, last, _ = fmin_l_bfgs_b(objective.loss, photograph.flatten(), fprime=objective.gradient,
                               bounds=[(-1.0, 1.0)] * photograph.size, maxiter=options.steps, maxfun=2 * options.steps)
    path = pictures.save(x.reshape((ROWS, COLUMNS, 3)) / 2.0 + 0.5, options.folder, 'neural_style_transfer.png')
    print('Style transfer on %s: loss from %.4f to %.4f; %s' % (K.backend(), first, last, path))
    if not last < 0.7 * first:
        raise SystemExit('Expected the loss to fall by a third at least.')


if __name__ == '__main__':
    main()
