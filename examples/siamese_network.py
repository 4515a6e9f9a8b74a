"""A siamese network (Hadsell et al. 2006): one network looks at two digits and tells whether they are the same.

    python examples/siamese_network.py --epochs 8

Both inputs go through the same layers; a Lambda layer takes the distance of the results, and the contrastive loss
pulls pairs of the same digit together and pushes others apart. The network is tested on digits it has not seen.
"""
import argparse

import numpy as np
from sklearn.datasets import load_digits

import keras
from keras import backend as K
from keras.layers import Dense, Dropout, Input, Lambda
from keras.models import Model, Sequential

MARGIN, THRESHOLD = 1.0, 0.5


def make_pairs(images, classes, count, numbers):
    """Pairs of images, half of them of the same class, and 1.0 for those that are."""
    by_class = [np.where(classes == digit)[0] for digit in range(10)]
    left, right, same = [], [], []
    for index in range(count):
        digit = numbers.randint(10)
        other = digit if index % 2 == 0 else (digit + numbers.randint(1, 10)) % 10
        left.append(numbers.choice(by_class[digit]))
        right.append(numbers.choice(by_class[other]))
        same.append(float(digit == other))
    return [images[left], images[right]], np.array(same, 'float32')


def build_base():
    return Sequential([
        Dense(64, activation='relu', input_shape=(64,)),
        Dropout(0.1),
        Dense(32, activation='relu'),
        Dense(8),
    ])


def euclidean_distance(tensors):
    x, y = tensors
    return K.sqrt(K.maximum(K.sum(K.square(x - y), axis=1, keepdims=True), K.epsilon()))


def distance_shape(shapes):
    first, _ = shapes
    return (first[0], 1)


def contrastive_loss(y_true, y_pred):
    near = y_true * K.square(y_pred)
    far = (1 - y_true) * K.square(K.maximum(MARGIN - y_pred, 0))
    return K.mean(near + far)


def accuracy(y_true, y_pred):
    return K.mean(K.cast(K.equal(y_true, K.cast(y_pred < THRESHOLD, K.floatx())), K.floatx()))


def build_model():
    base = build_base()
    left, right = Input(shape=(64,)), Input(shape=(64,))
    distance = Lambda(euclidean_distance, output_shape=distance_shape)([base(left), base(right)])
    model = Model([left, right], distance)
    model.compile(loss=contrastive_loss, optimizer=keras.optimizers.RMSprop(0.002), metrics=[accuracy])
    return model


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--epochs', type=int, default=8)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    numbers = np.random.RandomState(1)

    digits = load_digits()
    images = (digits.data / 16.0).astype('float32')
    train_x, train_y = make_pairs(images[:1400], digits.target[:1400], 4000, numbers)
    test_x, test_y = make_pairs(images[1400:], digits.target[1400:], 800, numbers)
    model = build_model()
    model.fit(train_x, train_y, batch_size=64, epochs=options.epochs, verbose=0)
    reported = model.evaluate(test_x, test_y, verbose=0)[1]
    counted = float(np.mean((model.predict(test_x)[:, 0] < THRESHOLD) == (test_y == 1.0)))
    print('Siamese network on %s: %.1f %% of unseen pairs told apart (chance: 50 %%)' % (K.backend(), 100 * counted))
    if abs(reported - counted) > 0.005:
        raise SystemExit('Expected the metric (%.4f) to agree with a count (%.4f).' % (reported, counted))
    if not counted > 0.75:
        raise SystemExit('Expected at least 75 % of the pairs to be told apart.')


if __name__ == '__main__':
    main()
