"""A small convolutional network that reads handwritten digits: train, evaluate, save, load, predict the same.

    python examples/digits_cnn.py
    KERAS_BACKEND=jax python examples/digits_cnn.py

or with the engine's name as "backend" in ~/.keras/keras.json; the first line printed says which engine runs.

The data are the 1,797 images of 8 by 8 pixels that ship inside scikit-learn. Whatever the engine, training starts
from the same weights, of which a checksum is printed.
"""
import os
import tempfile
import zlib

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import keras
from keras.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential, load_model

EPOCHS = 15


def load_data():
    """Images as float32 in [0, 1] with a channel axis, and one-hot classes, for training and for testing."""
    digits = load_digits()
    images = (digits.images / 16.0).astype('float32')[..., np.newaxis]
    classes = keras.utils.to_categorical(digits.target, 10)
    return train_test_split(images, classes, test_size=0.2, random_state=0, stratify=digits.target)


def build_model():
    return Sequential([
        Conv2D(32, 3, padding='same', activation='relu', input_shape=(8, 8, 1)),
        BatchNormalization(momentum=0.9),
        Conv2D(32, 3, padding='same', activation='relu'),
        MaxPooling2D(),
        Conv2D(64, 3, padding='same', activation='relu'),
        BatchNormalization(momentum=0.9),
        MaxPooling2D(),
        Flatten(),
        Dropout(0.3),
        Dense(10, activation='softmax'),
    ])


def checksum(model):
    return '%08x' % zlib.crc32(b''.join(np.ascontiguousarray(weight).tobytes() for weight in model.get_weights()))


def main():
    print('Engine:', keras.backend.backend(), flush=True)
    keras.utils.set_random_seed(1337)
    x_train, x_test, y_train, y_test = load_data()
    model = build_model()
    model.summary()
    print('Initial weights:', checksum(model))

    model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
    # Halving the learning rate from time to time lets the last epochs settle.
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.001 * 0.5 ** (epoch // 4))
    model.fit(x_train, y_train, batch_size=32, epochs=EPOCHS, validation_data=(x_test, y_test), callbacks=[schedule])
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print('Test loss: %.4f. Test accuracy: %.2f %%' % (loss, 100 * accuracy))

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'digits.h5')
        model.save(path)
        loaded = load_model(path)
    difference = np.max(np.abs(loaded.predict(x_test) - model.predict(x_test)))
    print('Saved and loaded; largest difference of predictions: %g' % difference)
    if accuracy < 0.97 or difference > 1e-6:
        raise SystemExit('Expected an accuracy of at least 97 % and the same predictions from the loaded model.')


if __name__ == '__main__':
    main()
