"""A generative adversarial network (Goodfellow et al. 2014) as one `train_step` that runs on every engine.

    python examples/gan_train_step.py --epochs 30

The step takes the gradients with `keras.GradientTape` and updates two networks by an optimizer each; `fit` compiles it
as the engine does its own steps. Beside it, `gan.py` has the same in the manner of Keras 2.
"""
import argparse

import numpy as np
from sklearn.datasets import load_digits

import keras
from keras import layers, ops

PIXELS, NOISE = 64, 16


class GAN(keras.Model):
    """A generator, and the discriminator that tells its pictures from real ones."""

    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([
            layers.Dense(64, activation='relu', input_shape=(NOISE,)), layers.BatchNormalization(momentum=0.8),
            layers.Dense(128, activation='relu'), layers.Dense(PIXELS, activation='sigmoid')])
        self.discriminator = keras.Sequential([
            layers.Dense(128, input_shape=(PIXELS,)), layers.LeakyReLU(0.2), layers.Dropout(0.3),
            layers.Dense(64), layers.LeakyReLU(0.2), layers.Dense(1)])
        self.noise = keras.random.SeedGenerator(1)
        self.loss_of_discriminator = keras.metrics.Mean(name='d_loss')
        self.loss_of_generator = keras.metrics.Mean(name='g_loss')

    @property
    def metrics(self):
        return [self.loss_of_discriminator, self.loss_of_generator]

    def compile(self, d_optimizer, g_optimizer, loss):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_of = d_optimizer, g_optimizer, loss

    def generate(self, count):
        return self.generator(keras.random.normal((count, NOISE), seed=self.noise), training=True)

    def train_step(self, real):
        count = ops.shape(real)[0]
        truth = ops.concatenate([ops.ones((count, 1)), ops.zeros((count, 1))], axis=0)
        pictures = ops.concatenate([real, self.generate(count)], axis=0)
        weights = self.discriminator.trainable_weights
        with keras.GradientTape() as tape:
            d_loss = self.loss_of(truth, self.discriminator(pictures, training=True))
        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)

        weights = self.generator.trainable_weights
        with keras.GradientTape() as tape:
            # The generator is to have its pictures taken for real ones.
            g_loss = self.loss_of(ops.ones((count, 1)), self.discriminator(self.generate(count), training=True))
        self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)
        self.loss_of_discriminator.update_state(d_loss)
        self.loss_of_generator.update_state(g_loss)
        return {metric.name: metric.result() for metric in self.metrics}


def distance(images, others):
    """How far the means and deviations of the pixels lie apart."""
    return float(np.mean(np.abs(images.mean(0) - others.mean(0)) + np.abs(images.std(0) - others.std(0))))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--epochs', type=int, default=30)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    real = (load_digits().data / 16).astype('float32')
    gan = GAN()
    gan.compile(keras.optimizers.Adam(0.001, beta_1=0.5), keras.optimizers.Adam(0.001, beta_1=0.5),
                keras.losses.BinaryCrossentropy(from_logits=True))
    noise = np.random.RandomState(0).normal(size=(500, NOISE)).astype('float32')
    before = distance(gan.generator.predict(noise), real)
    gan.fit(real, batch_size=64, epochs=options.epochs, verbose=2)
    after = distance(gan.generator.predict(noise), real)
    print('GAN by train_step on %s: distance of its pictures from real ones %.3f before, %.3f after.'
          % (keras.backend.backend(), before, after))
    if not after < 0.6 * before:
        raise SystemExit('Expected the distance to fall below 0.6 of what it was.')


if __name__ == '__main__':
    main()
