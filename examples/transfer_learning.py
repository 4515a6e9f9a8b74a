"""Transfer learning: what a network learned on the digits 0 to 4 helps it to tell 5 to 9 apart by a few examples.

    python examples/transfer_learning.py --epochs 20

The convolutional base is trained on the first five classes, frozen, and put below a new head. Then its last layer is
freed for fine-tuning at a low rate; models must be compiled anew for that, as in Keras 2.
"""
import argparse

import numpy as np
from sklearn.datasets import load_digits

import keras
from keras import backend as K
from keras.layers import BatchNormalization, Conv2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential

EXAMPLES = 60


def build_base():
    return Sequential([
        Conv2D(16, 3, padding='same', activation='relu', input_shape=(8, 8, 1)),
        BatchNormalization(momentum=0.9),
        MaxPooling2D(),
        Conv2D(32, 3, padding='same', activation='relu', name='last'),
        Flatten(),
    ], name='base')


def with_head(base):
    return Sequential([base, Dense(32, activation='relu'), Dense(5, activation='softmax')])


def compiled(model, rate):
    model.compile(loss='sparse_categorical_crossentropy', optimizer=keras.optimizers.Adam(rate), metrics=['accuracy'])
    return model


def weights_by_layer(model):
    return {layer.name: layer.get_weights() for layer in model.layers}


def moved_layers(before, after):
    """The names of the layers whose weights differ."""
    return sorted(name for name in before
                  if any(not np.array_equal(old, new) for old, new in zip(before[name], after[name])))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--epochs', type=int, default=20, help='epochs on the few examples; a third as many before')
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)

    digits = load_digits()
    images = (digits.images / 16.0).astype('float32')[..., np.newaxis]
    low, high = digits.target < 5, digits.target >= 5
    base = build_base()
    compiled(with_head(base), 0.003).fit(images[low], digits.target[low], batch_size=32,
                                         epochs=max(options.epochs // 3, 1), verbose=0)
    x, y = images[high], digits.target[high] - 5
    few, few_classes, rest, rest_classes = x[:EXAMPLES], y[:EXAMPLES], x[EXAMPLES:], y[EXAMPLES:]

    base.trainable = False
    model = compiled(with_head(base), 0.005)
    before = weights_by_layer(base)
    model.fit(few, few_classes, batch_size=16, epochs=options.epochs, verbose=0)
    moved_when_frozen = moved_layers(before, weights_by_layer(base))
    frozen = model.evaluate(rest, rest_classes, verbose=0)[1]

    base.trainable = True
    for layer in base.layers:
        layer.trainable = layer.name == 'last'
    compiled(model, 0.001).fit(few, few_classes, batch_size=16, epochs=options.epochs, verbose=0)
    tuned = model.evaluate(rest, rest_classes, verbose=0)[1]
    moved = moved_layers(before, weights_by_layer(base))
    print('Transfer learning on %s: %.1f %% of new digits right with a frozen base, %.1f %% after fine-tuning, from %d '
          'examples (chance: 20 %%)' % (K.backend(), 100 * frozen, 100 * tuned, EXAMPLES))
    if moved_when_frozen or moved != ['last']:
        raise SystemExit('Expected no layer of the frozen base to move, and then "last" alone. Moved: %s, %s.'
                         % (moved_when_frozen, moved))
    if not (frozen > 0.6 and tuned > 0.6):
        raise SystemExit('Expected accuracies of 60 % at least.')


if __name__ == '__main__':
    main()
