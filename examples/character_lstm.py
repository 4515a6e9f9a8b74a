"""A recurrent network that writes text character by character, boldly or timidly as the temperature says.

    python examples/character_lstm.py --epochs 25

It learns the first stanzas of "Jabberwocky" (Lewis Carroll, 1871). At each step the next character is drawn from the
network's distribution, whose logits are divided by the temperature before.
"""
import argparse

import numpy as np

import keras
from keras import backend as K
from keras.callbacks import LambdaCallback
from keras.layers import LSTM, Dense
from keras.models import Sequential

TEXT = """'Twas brillig, and the slithy toves
Did gyre and gimble in the wabe:
All mimsy were the borogoves,
And the mome raths outgrabe.

"Beware the Jabberwock, my son!
The jaws that bite, the claws that catch!
Beware the Jubjub bird, and shun
The frumious Bandersnatch!"

He took his vorpal sword in hand;
Long time the manxome foe he sought--
So rested he by the Tumtum tree
And stood awhile in thought.
""".lower()
LENGTH, UNITS = 16, 64
CHARACTERS = sorted(set(TEXT))
POSITIONS = {character: index for index, character in enumerate(CHARACTERS)}


def one_hot(text):
    """(characters, vocabulary), a one in each row."""
    result = np.zeros((len(text), len(CHARACTERS)), 'float32')
    result[np.arange(len(text)), [POSITIONS[character] for character in text]] = 1.0
    return result


def windows():
    """Every stretch of LENGTH characters and the character that follows it."""
    encoded = one_hot(TEXT)
    starts = range(len(TEXT) - LENGTH)
    return np.stack([encoded[start:start + LENGTH] for start in starts]), encoded[LENGTH:]


def build_model():
    model = Sequential()
    model.add(LSTM(UNITS, input_shape=(LENGTH, len(CHARACTERS))))
    model.add(Dense(len(CHARACTERS), activation='softmax'))
    model.compile(loss='categorical_crossentropy', optimizer=keras.optimizers.RMSprop(lr=0.01))
    return model


def draw(probabilities, temperature, numbers):
    """The number of a character, drawn after sharpening (temperature below 1) or flattening (above) the odds."""
    logits = np.log(np.maximum(probabilities.astype('float64'), 1e-12)) / temperature
    odds = np.exp(logits - np.max(logits))
    return numbers.choice(len(odds), p=odds / odds.sum())


def write(model, start, count, temperature, numbers):
    """`start` and `count` more characters."""
    text = start
    for _ in range(count):
        probabilities = model.predict(one_hot(text[-LENGTH:])[np.newaxis], verbose=0)[0]
        text += CHARACTERS[draw(probabilities, temperature, numbers)]
    return text


def loss_of_frequencies(targets):
    """The cross-entropy of guessing by the frequencies of the characters alone."""
    frequencies = targets.mean(axis=0)
    return float(-np.sum(frequencies * np.log(np.maximum(frequencies, 1e-12))))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--epochs', type=int, default=25)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    numbers = np.random.RandomState(1)

    x, y = windows()
    model = build_model()

    def on_epoch_end(epoch, logs):
        if epoch + 1 in (options.epochs // 2, options.epochs):
            for temperature in (0.3, 1.0):
                print('Epoch %d, loss %.2f, temperature %.1f: %r' % (
                    epoch + 1, logs['loss'], temperature, write(model, TEXT[:LENGTH], 60, temperature, numbers)))

    model.fit(x, y, batch_size=32, epochs=options.epochs, verbose=0,
              callbacks=[LambdaCallback(on_epoch_end=on_epoch_end)])
    loss, simple = model.evaluate(x, y, verbose=0), loss_of_frequencies(y)
    print('Character LSTM on %s: cross-entropy %.2f, of frequencies alone %.2f' % (K.backend(), loss, simple))
    if not loss < 0.8 * simple:
        raise SystemExit('Expected a cross-entropy clearly below that of the frequencies.')


if __name__ == '__main__':
    main()
