"""A variational autoencoder (Kingma and Welling 2013) as one `train_step` that runs on every engine.

    python examples/vae_train_step.py --epochs 20

The gradients come from `keras.value_and_grad`, which computes nothing twice on any engine. Beside it,
`variational_autoencoder.py` has the same in the manner of Keras 2.
"""
import argparse

import numpy as np
from sklearn.datasets import load_digits

import keras
from keras import layers, ops

PIXELS, CODE = 64, 4


class VAE(keras.Model):
    """An encoder that gives a distribution of codes, and a decoder."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(64, activation='relu', input_shape=(PIXELS,)),
                                         layers.Dense(2 * CODE)])
        self.decoder = keras.Sequential([layers.Dense(64, activation='relu', input_shape=(CODE,)),
                                         layers.Dense(PIXELS, activation='sigmoid')])
        self.noise = keras.random.SeedGenerator(1)
        self.losses_by_name = [keras.metrics.Mean(name=name) for name in ('loss', 'reconstruction', 'divergence')]

    @property
    def metrics(self):
        return self.losses_by_name

    def parts_of_loss(self, x):
        """(reconstruction, divergence), means over the batch of sums."""
        mean, log_variance = ops.split(self.encoder(x), 2, axis=-1)
        draw = keras.random.normal(ops.shape(mean), seed=self.noise)
        decoded = self.decoder(mean + ops.exp(0.5 * log_variance) * draw)
        decoded = ops.clip(decoded, 1e-6, 1 - 1e-6)
        likelihood = x * ops.log(decoded) + (1 - x) * ops.log(1 - decoded)
        divergence = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
        return -ops.mean(ops.sum(likelihood, axis=-1)), ops.mean(ops.sum(divergence, axis=-1))

    def train_step(self, x):
        def loss():
            parts = self.parts_of_loss(x)
            return parts[0] + parts[1], parts
        weights = self.trainable_weights
        (total, parts), gradients = keras.value_and_grad(loss, weights, has_aux=True)
        self.optimizer.apply(gradients, weights)
        for metric, value in zip(self.metrics, (total,) + parts):
            metric.update_state(value)
        return {metric.name: metric.result() for metric in self.metrics}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--epochs', type=int, default=20)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    x = (load_digits().data / 16).astype('float32')
    vae = VAE()
    vae.compile(keras.optimizers.Adam(0.003))
    history = vae.fit(x, batch_size=64, epochs=options.epochs, verbose=2).history
    codes = vae.encoder.predict(x)[:, :CODE]
    error = np.abs(vae.decoder.predict(codes) - x).mean()
    print('VAE by train_step on %s: mean error of a pixel %.3f, of the mean picture %.3f.'
          % (keras.backend.backend(), error, np.abs(x.mean(0) - x).mean()))
    if not (history['loss'][-1] < history['loss'][0] and error < 0.8 * np.abs(x.mean(0) - x).mean()):
        raise SystemExit('Expected a falling loss, and an error below 0.8 of that of the mean picture.')


if __name__ == '__main__':
    main()
