"""A variational autoencoder (Kingma & Welling 2013) of handwritten digits, with its loss given by `add_loss`.

    python examples/variational_autoencoder.py --epochs 30 --folder /tmp

The picture shows what the decoder makes of a grid of points of the latent plane.
"""
import argparse

import numpy as np
from sklearn.datasets import load_digits

import keras
from keras import backend as K
from keras.layers import Dense, Input, Lambda
from keras.losses import binary_crossentropy
from keras.models import Model

import pictures

PIXELS, HIDDEN, LATENT = 64, 64, 2


def sample(arguments):
    """A draw from the normal distribution of the given mean and logarithm of the variance."""
    mean, log_variance = arguments
    noise = K.random_normal(shape=(K.shape(mean)[0], K.int_shape(mean)[1]))
    return mean + K.exp(0.5 * log_variance) * noise


def build_models():
    """The autoencoder, with its loss, and the decoder."""
    image = Input(shape=(PIXELS,), name='image')
    hidden = Dense(HIDDEN, activation='relu')(image)
    mean = Dense(LATENT, name='mean')(hidden)
    log_variance = Dense(LATENT, name='log_variance')(hidden)
    code = Lambda(sample, output_shape=(LATENT,), name='code')([mean, log_variance])

    latent = Input(shape=(LATENT,), name='latent')
    decoded = Dense(HIDDEN, activation='relu')(latent)
    decoded = Dense(PIXELS, activation='sigmoid')(decoded)
    decoder = Model(latent, decoded, name='decoder')

    reconstruction = decoder(code)
    autoencoder = Model(image, reconstruction, name='autoencoder')
    differences = PIXELS * binary_crossentropy(image, reconstruction)
    divergence = -0.5 * K.sum(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1)
    autoencoder.add_loss(K.mean(differences + divergence))
    autoencoder.compile(optimizer=keras.optimizers.Adam(0.005))
    return autoencoder, decoder


def loss_of_the_mean_image(images):
    """What a decoder reaches that always gives the mean image: the least that a code is good for."""
    mean = np.clip(images.mean(axis=0), 1e-7, 1 - 1e-7)
    return float(np.mean(-np.sum(images * np.log(mean) + (1 - images) * np.log(1 - mean), axis=-1)))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--epochs', type=int, default=30)
    parser.add_argument('--folder', default='.', help='where the picture goes')
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)

    images = (load_digits().data / 16.0).astype('float32')
    autoencoder, decoder = build_models()
    autoencoder.fit(images, epochs=options.epochs, batch_size=64, verbose=0)
    loss = autoencoder.evaluate(images, batch_size=64, verbose=0)

    ticks = np.linspace(-2.0, 2.0, 12)
    codes = np.array([(x, y) for y in ticks for x in ticks], 'float32')
    manifold = decoder.predict(codes).reshape((-1, 8, 8))
    path = pictures.save(pictures.grid(manifold, 12), options.folder, 'variational_autoencoder.png')
    simple = loss_of_the_mean_image(images)
    print('Variational autoencoder on %s: loss %.2f, of the mean image %.2f; %s' % (K.backend(), loss, simple, path))
    if not loss < simple - 1.0:
        raise SystemExit('Expected a loss clearly below that of the mean image.')


if __name__ == '__main__':
    main()
