"""A generative adversarial network (Goodfellow et al. 2014) of handwritten digits, made of parts that freeze.

    python examples/gan.py --steps 400 --folder /tmp

The discriminator is compiled while it is trainable; then it is frozen and becomes a part of the model that trains the
generator. As in Keras 2, each compiled model keeps what was trainable when it was compiled.
"""
import argparse

import numpy as np
from sklearn.datasets import load_digits

import keras
from keras import backend as K
from keras.layers import BatchNormalization, Dense, Dropout, Input, LeakyReLU
from keras.models import Model, Sequential

import pictures

PIXELS, NOISE, BATCH = 64, 16, 64


def build_generator():
    return Sequential([
        Dense(64, input_dim=NOISE),
        LeakyReLU(0.2),
        BatchNormalization(momentum=0.8),
        Dense(128),
        LeakyReLU(0.2),
        BatchNormalization(momentum=0.8),
        Dense(PIXELS, activation='sigmoid'),
    ], name='generator')


def build_discriminator():
    return Sequential([
        Dense(128, input_dim=PIXELS),
        LeakyReLU(0.2),
        Dropout(0.3),
        Dense(64),
        LeakyReLU(0.2),
        Dense(1, activation='sigmoid'),
    ], name='discriminator')


def build_models():
    """The generator, the discriminator to train, and the generator in front of the frozen discriminator."""
    generator, discriminator = build_generator(), build_discriminator()
    discriminator.compile(loss='binary_crossentropy', optimizer=keras.optimizers.Adam(0.001, beta_1=0.5),
                          metrics=['accuracy'])
    discriminator.trainable = False
    noise = Input(shape=(NOISE,))
    combined = Model(noise, discriminator(generator(noise)))
    combined.compile(loss='binary_crossentropy', optimizer=keras.optimizers.Adam(0.001, beta_1=0.5))
    return generator, discriminator, combined


def distance(images, others):
    """How far the means and deviations of the pixels lie apart."""
    return float(np.mean(np.abs(images.mean(0) - others.mean(0)) + np.abs(images.std(0) - others.std(0))))


def change(before, after):
    return max(float(np.max(np.abs(old - new))) for old, new in zip(before, after))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=400)
    parser.add_argument('--folder', default='.', help='where the picture goes')
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    numbers = np.random.RandomState(1)

    real = (load_digits().data / 16.0).astype('float32')
    generator, discriminator, combined = build_models()
    fixed = numbers.normal(size=(512, NOISE)).astype('float32')
    first = distance(generator.predict(fixed), real)
    truth, lie = np.full((BATCH, 1), 0.9), np.zeros((BATCH, 1))
    moved = 0.0
    for step in range(options.steps):
        noise = numbers.normal(size=(BATCH, NOISE)).astype('float32')
        chosen = real[numbers.randint(0, len(real), BATCH)]
        discriminator.train_on_batch(chosen, truth)
        discriminator.train_on_batch(generator.predict_on_batch(noise), lie)
        before = discriminator.get_weights() if step == 0 else None
        combined.train_on_batch(noise, np.ones((BATCH, 1)))
        if step == 0:
            moved = change(before, discriminator.get_weights())
    made = generator.predict(fixed)
    last = distance(made, real)
    path = pictures.save(pictures.grid(made[:48].reshape((-1, 8, 8)), 12), options.folder, 'gan.png')
    print('GAN on %s: distance of made from real digits from %.3f to %.3f; %s' % (K.backend(), first, last, path))
    if moved != 0.0:
        raise SystemExit('Expected the frozen discriminator to stay as it is. It moved by %g.' % moved)
    if not last < 0.7 * first:
        raise SystemExit('Expected the made digits to come closer to real ones by a third.')


if __name__ == '__main__':
    main()
