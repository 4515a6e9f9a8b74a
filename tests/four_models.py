"""Four small models, five training steps of each: what every engine is held against.

Written with nothing but Keras' public API, so that upstream runs it as well. That is where the recorded numbers
come from: `KERAS_BACKEND=jax python tests/four_models.py` in an environment with upstream Keras 3.15.1.
"""
import os

import numpy as np

from keras import layers, optimizers
from keras.models import Model

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'four_models-3.15.1.npz')
STEPS, BATCH = 5, 12


def mlp():
    x = layers.Input((8,))
    return Model(x, layers.Dense(3, activation='softmax')(layers.Dense(16, activation='tanh')(x)))


def convnet():
    x = layers.Input((8, 8, 3))
    # No bias before the normalization: its gradient is 0, and Adam would step by the sign of the rounding error.
    y = layers.Conv2D(4, 3, padding='same', use_bias=False)(x)
    y = layers.MaxPooling2D()(layers.Activation('relu')(layers.BatchNormalization()(y)))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(6, 3, strides=2)(y))
    return Model(x, layers.Dense(3, activation='softmax')(y))


def masked_lstm():
    x = layers.Input((7,), dtype='int32')
    y = layers.Embedding(11, 5, mask_zero=True)(x)
    y = layers.LSTM(6, return_sequences=True, recurrent_activation='sigmoid')(y)
    y = layers.GRU(4, recurrent_activation='sigmoid', reset_after=False)(y)
    return Model(x, layers.Dense(3, activation='softmax')(y))


def two_in_two_out():
    a, b = layers.Input((5,), name='a'), layers.Input((4, 5), name='b')
    merged = layers.concatenate([layers.Dense(6, activation='relu')(a), layers.Flatten()(layers.Conv1D(2, 2)(b))])
    return Model([a, b], [layers.Dense(3, activation='softmax', name='one')(merged),
                          layers.Dense(1, name='two')(merged)])


def floats(generator, *shape):
    return generator.randn(BATCH, *shape).astype('float32')


def classes(generator):
    return np.eye(3, dtype='float32')[generator.randint(0, 3, BATCH)]


# Name: the model, its losses, and a batch of inputs and targets.
MODELS = {
    'mlp': (mlp, 'categorical_crossentropy', lambda g: (floats(g, 8), classes(g))),
    'convnet': (convnet, 'categorical_crossentropy', lambda g: (floats(g, 8, 8, 3), classes(g))),
    'masked_lstm': (masked_lstm, 'categorical_crossentropy',
                    lambda g: (g.randint(0, 11, (BATCH, 7)).astype('int32'), classes(g))),
    'two_in_two_out': (two_in_two_out, ['categorical_crossentropy', 'mse'],
                       lambda g: ([floats(g, 5), floats(g, 4, 5)], [classes(g), floats(g, 1)])),
}


def start(model, generator):
    """Weights drawn here, not by an initializer: vectors near what the layer starts from, the rest normal."""
    return [(weight + 0.1 * generator.rand(*weight.shape) if weight.ndim == 1 else 0.4 * generator.randn(*weight.shape))
            .astype('float32') for weight in model.get_weights()]


def compiled(name):
    """The model on its way: weights set, Adam and the losses chosen."""
    build, loss, _ = MODELS[name]
    model = build()
    model.set_weights(start(model, np.random.RandomState(1)))
    model.compile(optimizers.Adam(learning_rate=0.01), loss)
    return model


def train(model, name, steps=range(STEPS)):
    """The loss of each of the given steps."""
    batches = np.random.RandomState(3)
    batches = [MODELS[name][2](batches) for _ in range(STEPS)]
    losses = []
    for step in steps:
        model.reset_metrics()
        losses.append(float(np.ravel(model.train_on_batch(*batches[step]))[0]))
    return losses


def predict(model, name):
    """The predictions for one more batch, of all outputs, as one vector."""
    predictions = model.predict(MODELS[name][2](np.random.RandomState(5))[0], verbose=0)
    return np.concatenate([np.ravel(part) for part in
                           (predictions if isinstance(predictions, list) else [predictions])])


def main():
    arrays = {}
    for name in MODELS:
        model = compiled(name)
        arrays[name + '/losses'] = train(model, name)
        arrays[name + '/predictions'] = predict(model, name)
        arrays.update(('%s/w%d' % (name, number), weight) for number, weight in enumerate(model.get_weights()))
    np.savez(RECORD, **arrays)


if __name__ == '__main__':
    main()
