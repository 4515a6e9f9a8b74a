"""A Wasserstein GAN with gradient penalty (Gulrajani et al. 2017) on eight clusters in the plane.

    python examples/wasserstein_gan_gp.py --steps 300 --folder /tmp

The critic's loss holds the norm of its own gradient with respect to points between real and made ones, so training it
takes gradients of gradients. Two functions train by hand: their updates come from `Optimizer.get_updates`. The picture
shows the made points (dark) over the real ones (grey).
"""
import argparse

import numpy as np

import keras
from keras import backend as K
from keras.layers import Dense, Input
from keras.models import Sequential

import pictures

NOISE, UNITS, BATCH, CRITIC_STEPS = 2, 64, 128, 3
PENALTY, CLUSTERS, SPREAD = 1.0, 8, 0.05


def real_points(count, numbers):
    """Points around `CLUSTERS` centres on the unit circle."""
    angles = numbers.randint(0, CLUSTERS, count) * 2 * np.pi / CLUSTERS
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return (centres + SPREAD * numbers.normal(size=(count, 2))).astype('float32')


def build_network(outputs, name):
    return Sequential([
        Dense(UNITS, activation='relu', input_shape=(2,)),
        Dense(UNITS, activation='relu'),
        Dense(outputs),
    ], name=name)


def critic_function(generator, critic):
    """Trains the critic on real points and noise; gives its estimate of the distance and the penalty."""
    real, noise = Input(shape=(2,)), Input(shape=(NOISE,))
    made = generator(noise)
    share = K.random_uniform((BATCH, 1))
    between = share * real + (1 - share) * made
    gradient = K.gradients(critic(between), between)[0]
    norm = K.sqrt(K.sum(K.square(gradient), axis=1) + K.epsilon())
    penalty = K.mean(K.square(norm - 1))
    distance = K.mean(critic(real)) - K.mean(critic(made))
    optimizer = keras.optimizers.Adam(0.001, beta_1=0.5, beta_2=0.9)
    updates = optimizer.get_updates(PENALTY * penalty - distance, critic.trainable_weights)
    return K.function([real, noise], [distance, penalty], updates=updates)


def generator_function(generator, critic):
    """Trains the generator on noise."""
    noise = Input(shape=(NOISE,))
    loss = -K.mean(critic(generator(noise)))
    optimizer = keras.optimizers.Adam(0.001, beta_1=0.5, beta_2=0.9)
    return K.function([noise], [loss], updates=optimizer.get_updates(loss, generator.trainable_weights))


def mean_distance(points):
    """How far points lie from the nearest centre, and the share of the centres that are the nearest of some."""
    angles = np.arange(CLUSTERS) * 2 * np.pi / CLUSTERS
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distances = np.linalg.norm(points[:, np.newaxis] - centres, axis=-1)
    reached = np.bincount(distances.argmin(axis=1), minlength=CLUSTERS) > len(points) // 100
    return float(distances.min(axis=1).mean()), float(reached.mean())


def scatter(real, made, size=200):
    """A picture of points in [-1.5, 1.5] in both directions."""
    picture = np.ones((size, size))
    for points, shade in ((real, 0.75), (made, 0.1)):
        places = np.clip((points + 1.5) / 3.0 * size, 0, size - 1).astype(int)
        picture[places[:, 1], places[:, 0]] = shade
    return picture


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=300, help='steps of the generator')
    parser.add_argument('--folder', default='.', help='where the picture goes')
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    numbers = np.random.RandomState(1)

    def noise(count=BATCH):
        return numbers.normal(size=(count, NOISE)).astype('float32')

    generator, critic = build_network(2, 'generator'), build_network(1, 'critic')
    train_critic = critic_function(generator, critic)
    train_generator = generator_function(generator, critic)
    try:
        train_critic([real_points(BATCH, numbers), noise()])
    except NotImplementedError as error:
        raise SystemExit('The penalty needs gradients of gradients, which %s does not have: %s' % (K.backend(), error))
    fixed = noise(1000)
    first, _ = mean_distance(generator.predict(fixed))
    for _ in range(options.steps):
        for _ in range(CRITIC_STEPS):
            distance, penalty = train_critic([real_points(BATCH, numbers), noise()])
        train_generator([noise()])
    made = generator.predict(fixed)
    last, reached = mean_distance(made)
    path = pictures.save(scatter(real_points(1000, numbers), made), options.folder, 'wasserstein_gan_gp.png')
    print('WGAN-GP on %s: distance to the nearest cluster from %.3f to %.3f, %d %% of the clusters reached, '
          'penalty %.3f; %s' % (K.backend(), first, last, 100 * reached, penalty, path))
    if not (np.isfinite(distance) and penalty < 0.5):
        raise SystemExit('Expected the gradient of the critic to have a norm of about one.')
    if not (last < 0.6 * first and reached >= 0.5):
        raise SystemExit('Expected the made points to come closer to half of the clusters at least.')


if __name__ == '__main__':
    main()
