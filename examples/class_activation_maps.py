"""Class activation maps (Zhou et al. 2016) and Grad-CAM (Selvaraju et al. 2017): where a network sees what it names.

    python examples/class_activation_maps.py --epochs 10 --folder /tmp

A network learns to name the digit that hides somewhere in a noisy picture. It is never told where, yet both maps point
at the place. The first weighs the last feature maps by the weights of the class, the second by the mean gradients of
the class's score.
"""
import argparse

import numpy as np
from sklearn.datasets import load_digits

import keras
from keras import backend as K
from keras.layers import Conv2D, Dense, GlobalAveragePooling2D, Input, MaxPooling2D
from keras.models import Model

import pictures

SIZE, DIGIT, CLASSES = 24, 8, (0, 1, 7)


def make_data(digits, count, numbers):
    """Pictures, classes, and the row and column of the digit's corner."""
    candidates = np.where(np.isin(digits.target, CLASSES))[0]
    chosen = numbers.choice(candidates, count)
    corners = numbers.randint(0, SIZE - DIGIT + 1, (count, 2))
    images = 0.3 * numbers.rand(count, SIZE, SIZE, 1).astype('float32')
    for image, index, (row, column) in zip(images, chosen, corners):
        image[row:row + DIGIT, column:column + DIGIT, 0] += digits.images[index] / 16.0
    return images, np.array([CLASSES.index(digits.target[index]) for index in chosen]), corners


def build_model():
    image = Input(shape=(SIZE, SIZE, 1))
    x = Conv2D(16, 3, activation='relu', padding='same')(image)
    x = MaxPooling2D()(x)
    x = Conv2D(32, 3, activation='relu', padding='same')(x)
    x = Conv2D(32, 3, activation='relu', padding='same', name='features')(x)
    x = GlobalAveragePooling2D()(x)
    model = Model(image, Dense(len(CLASSES), activation='softmax', name='classes')(x))
    model.compile(optimizer=keras.optimizers.Adam(0.005), loss='sparse_categorical_crossentropy',
                  metrics=['accuracy'])
    return model


def class_activation_maps(model, images):
    """(count, rows, columns): the feature maps weighed by the weights of the likeliest class."""
    function = K.function([model.input], [model.get_layer('features').output, model.output])
    features, predictions = function([images])
    kernel, _ = model.get_layer('classes').get_weights()
    return np.einsum('nrcf,nf->nrc', features, kernel[:, predictions.argmax(axis=-1)].T)


def gradient_maps(model, images):
    """(count, rows, columns): the feature maps weighed by the mean gradients of the greatest score."""
    features = model.get_layer('features').output
    gradient = K.gradients(K.sum(K.log(K.max(model.output, axis=-1))), features)[0]
    weights = K.mean(gradient, axis=(1, 2), keepdims=True)
    return K.function([model.input], [K.relu(K.sum(weights * features, axis=-1))])([images])[0]


def share_inside(maps, corners):
    """How often the greatest value of a map lies in the digit's square."""
    scale = SIZE // maps.shape[1]
    found = 0
    for heat, (row, column) in zip(maps, corners):
        at = (np.array(np.unravel_index(heat.argmax(), heat.shape)) + 0.5) * scale
        found += row <= at[0] < row + DIGIT and column <= at[1] < column + DIGIT
    return found / float(len(maps))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--epochs', type=int, default=10)
    parser.add_argument('--folder', default='.', help='where the picture goes')
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    numbers = np.random.RandomState(1)

    digits = load_digits()
    images, classes, _ = make_data(digits, 1200, numbers)
    model = build_model()
    model.fit(images, classes, batch_size=32, epochs=options.epochs, verbose=0)
    images, classes, corners = make_data(digits, 200, numbers)
    accuracy = model.evaluate(images, classes, verbose=0)[1]
    maps = class_activation_maps(model, images)
    by_weights, by_gradients = share_inside(maps, corners), share_inside(gradient_maps(model, images), corners)

    heat = np.kron(np.maximum(maps[:8], 0) / maps[:8].max(axis=(1, 2), keepdims=True), np.ones((1, 2, 2)))
    both = np.concatenate([np.minimum(images[:8, :, :, 0], 1.0), heat])
    path = pictures.save(pictures.grid(both, 8), options.folder, 'class_activation_maps.png')
    print('Class activation maps on %s: accuracy %.1f %%; the map points at the digit in %.1f %% of the pictures, by '
          'gradients in %.1f %% (chance: 11 %%); %s'
          % (K.backend(), 100 * accuracy, 100 * by_weights, 100 * by_gradients, path))
    if not (accuracy > 0.6 and by_weights > 0.5 and by_gradients > 0.5):
        raise SystemExit('Expected an accuracy of 60 %, and maps that point at the digit in half of the pictures.')


if __name__ == '__main__':
    main()
