"""Connectionist temporal classification (Graves et al. 2006): reading sequences without being told what is where.

    python examples/ctc_sequences.py --epochs 15

A signal holds a few bumps of different shapes, each at a time of its own and for a time of its own; the label is the
list of the shapes. `K.ctc_batch_cost` in a Lambda layer is the loss, `K.ctc_decode` reads the network's answers.
"""
import argparse

import numpy as np

import keras
from keras import backend as K
from keras.layers import GRU, Bidirectional, Conv1D, Dense, Input, Lambda
from keras.models import Model

STEPS, FEATURES, SYMBOLS, LONGEST = 24, 4, 3, 4
BLANK = SYMBOLS


def make_data(count, numbers):
    """Signals (count, STEPS, FEATURES), labels (count, LONGEST) with zeros behind, and their lengths (count, 1)."""
    patterns = np.array([[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]], 'float32')
    signals = 0.2 * numbers.normal(size=(count, STEPS, FEATURES)).astype('float32')
    labels, lengths = np.zeros((count, LONGEST), 'int32'), numbers.randint(1, LONGEST + 1, (count, 1)).astype('int32')
    for signal, label, length in zip(signals, labels, lengths[:, 0]):
        label[:length] = numbers.randint(0, SYMBOLS, length)
        time = 0
        for symbol in label[:length]:
            start = time + numbers.randint(1, 3)
            time = start + numbers.randint(2, 5)
            signal[start:time] += patterns[symbol]
    return signals, labels, lengths


def ctc_loss(tensors):
    labels, probabilities, input_length, label_length = tensors
    return K.ctc_batch_cost(labels, probabilities, input_length, label_length)


def build_models():
    """The network, and the model that gives its loss."""
    signal = Input(shape=(STEPS, FEATURES), name='signal')
    x = Conv1D(16, 3, padding='same', activation='relu')(signal)
    x = Bidirectional(GRU(16, return_sequences=True))(x)
    probabilities = Dense(SYMBOLS + 1, activation='softmax', name='probabilities')(x)
    labels = Input(shape=(LONGEST,), dtype='int32', name='labels')
    input_length = Input(shape=(1,), dtype='int32', name='input_length')
    label_length = Input(shape=(1,), dtype='int32', name='label_length')
    loss = Lambda(ctc_loss, output_shape=(1,), name='ctc')([labels, probabilities, input_length, label_length])
    model = Model([signal, labels, input_length, label_length], loss)
    model.compile(loss={'ctc': lambda y_true, y_pred: y_pred}, optimizer=keras.optimizers.Adam(0.01))
    return Model(signal, probabilities), model


def edit_distance(ours, theirs):
    """The least number of insertions, deletions and replacements between two lists."""
    row = list(range(len(theirs) + 1))
    for i, left in enumerate(ours):
        previous, row[0] = row[0], i + 1
        for j, right in enumerate(theirs):
            previous, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, previous + (left != right))
    return row[-1]


def decoded(probabilities, greedy):
    """The symbols of each sequence, as lists."""
    lengths = np.full(len(probabilities), probabilities.shape[1])
    best = K.ctc_decode(K.constant(probabilities), lengths, greedy=greedy, beam_width=8, top_paths=1)[0][0]
    return [[int(symbol) for symbol in row if symbol >= 0] for row in K.get_value(best)]


def error_rate(found, labels, lengths):
    """Edits per symbol."""
    edits = sum(edit_distance(ours, list(label[:length])) for ours, label, length in zip(found, labels, lengths[:, 0]))
    return edits / float(lengths.sum())


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--epochs', type=int, default=15)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    numbers = np.random.RandomState(1)

    network, model = build_models()
    signals, labels, lengths = make_data(640, numbers)
    steps = np.full((len(signals), 1), STEPS, 'int32')
    model.fit([signals, labels, steps, lengths], np.zeros((len(signals), 1)), epochs=options.epochs, batch_size=32,
              verbose=0)
    signals, labels, lengths = make_data(100, numbers)
    probabilities = network.predict(signals)
    greedy, beam = (error_rate(decoded(probabilities, way), labels, lengths) for way in (True, False))
    for found, label, length in zip(decoded(probabilities[:3], True), labels, lengths[:, 0]):
        print('  read %s, was %s' % (found, label[:length].tolist()))
    print('CTC on %s: %.1f %% errors per symbol by greedy decoding, %.1f %% by beam search (nothing read: 100 %%)'
          % (K.backend(), 100 * greedy, 100 * beam))
    if not (greedy < 0.4 and beam < 0.4):
        raise SystemExit('Expected less than 40 % errors.')


if __name__ == '__main__':
    main()
