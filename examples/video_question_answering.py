"""Answers to questions about videos, in the architecture of many such programs of the Keras 2 years.

    python examples/video_question_answering.py --epochs 12

A video shows a coloured square on each of its four frames. An image encoder goes over the frames (TimeDistributed) and
an LSTM over what it saw; the question is embedded and read by another LSTM; both are concatenated, and the answer is
one of the colours.
"""
import argparse

import numpy as np

import keras
from keras import backend as K
from keras.layers import LSTM, Conv2D, Dense, Embedding, Flatten, Input, MaxPooling2D, TimeDistributed, concatenate
from keras.models import Model, Sequential

FRAMES, SIZE, WORDS = 4, 10, 6
COLOURS = {'red': (1.0, 0.1, 0.1), 'green': (0.1, 1.0, 0.1), 'blue': (0.1, 0.1, 1.0)}
ANSWERS = sorted(COLOURS)
QUESTIONS = {'what colour comes first': 0, 'what is the first colour': 0,
             'what colour comes last': -1, 'which colour is the last one': -1}
VOCABULARY = {word: index + 1 for index, word in enumerate(sorted(set(' '.join(QUESTIONS).split())))}


def encoded(question):
    """The numbers of the words, with zeros in front."""
    numbers = [VOCABULARY[word] for word in question.split()]
    return [0] * (WORDS - len(numbers)) + numbers


def make_data(count, numbers):
    """Videos, questions as text, and the numbers of the answers."""
    videos = 0.1 * numbers.rand(count, FRAMES, SIZE, SIZE, 3).astype('float32')
    colours = numbers.randint(0, len(ANSWERS), (count, FRAMES))
    for video, shown in zip(videos, colours):
        for frame, colour in zip(video, shown):
            row, column = numbers.randint(0, SIZE - 4, 2)
            frame[row:row + 4, column:column + 4] = COLOURS[ANSWERS[colour]]
    questions = [sorted(QUESTIONS)[index] for index in numbers.randint(0, len(QUESTIONS), count)]
    answers = np.array([shown[QUESTIONS[question]] for shown, question in zip(colours, questions)])
    return videos, questions, answers


def build_model():
    image_encoder = Sequential([
        Conv2D(8, 3, activation='relu', padding='same', input_shape=(SIZE, SIZE, 3)),
        MaxPooling2D(),
        Conv2D(8, 3, activation='relu'),
        Flatten(),
        Dense(16, activation='relu'),
    ], name='image_encoder')
    video = Input(shape=(FRAMES, SIZE, SIZE, 3), name='video')
    seen = LSTM(32)(TimeDistributed(image_encoder)(video))
    question = Input(shape=(WORDS,), dtype='int32', name='question')
    asked = LSTM(16)(Embedding(len(VOCABULARY) + 1, 8, input_length=WORDS, mask_zero=True)(question))
    merged = Dense(32, activation='relu')(concatenate([seen, asked]))
    answer = Dense(len(ANSWERS), activation='softmax', name='answer')(merged)
    model = Model([video, question], answer)
    model.compile(optimizer=keras.optimizers.Adam(0.005), loss='sparse_categorical_crossentropy',
                  metrics=['accuracy'])
    return model


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--epochs', type=int, default=12)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    numbers = np.random.RandomState(1)

    videos, questions, answers = make_data(1000, numbers)
    model = build_model()
    model.fit({'video': videos, 'question': np.array([encoded(text) for text in questions])}, answers,
              epochs=options.epochs, batch_size=32, verbose=0)
    videos, questions, answers = make_data(300, numbers)
    inputs = [videos, np.array([encoded(text) for text in questions])]
    accuracy = model.evaluate(inputs, answers, verbose=0)[1]
    for question, choice, answer in zip(questions[:4], model.predict(inputs)[:4].argmax(axis=-1), answers):
        print('  %s? -- %s (%s)' % (question.capitalize(), ANSWERS[choice], 'right' if choice == answer else 'wrong'))
    print('Video question answering on %s: %.1f %% of new questions answered rightly (chance: 33 %%)'
          % (K.backend(), 100 * accuracy))
    if not accuracy > 0.55:
        raise SystemExit('Expected at least 55 % right answers.')


if __name__ == '__main__':
    main()
