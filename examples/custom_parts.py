"""A layer, an initializer, a constraint, a loss, a metric and an optimizer of one's own, written as for Keras 2.

    python examples/custom_parts.py --epochs 12

Together they make a classifier of handwritten digits by prototypes: the layer measures how far an image lies from each
of a few prototypes, which the constraint keeps among the images. The model is saved and loaded with its parts.
"""
import argparse
import os
import tempfile

import numpy as np
from sklearn.datasets import load_digits

import keras
from keras import backend as K
from keras.constraints import Constraint
from keras.initializers import Initializer
from keras.layers import Dense, Layer
from keras.models import Sequential, load_model
from keras.optimizers import Optimizer

PROTOTYPES = 40


class Stripes(Initializer):
    """Values in [low, high) that go up and down along each row, every row at a frequency of its own."""

    def __init__(self, low=0.0, high=1.0):
        self.low, self.high = low, high

    def __call__(self, shape, dtype=None):
        rows, columns = shape
        waves = np.sin(np.outer(np.arange(1, rows + 1) * 0.7, np.arange(columns)))
        return K.constant(self.low + (self.high - self.low) * (waves + 1.0) / 2.0, dtype=dtype)

    def get_config(self):
        return {'low': self.low, 'high': self.high}


class Between(Constraint):
    """Keeps weights between two bounds."""

    def __init__(self, low=0.0, high=1.0):
        self.low, self.high = low, high

    def __call__(self, w):
        return K.clip(w, self.low, self.high)

    def get_config(self):
        return {'low': self.low, 'high': self.high}


class Prototypes(Layer):
    """exp(-width * squared distance) of each input from each of `units` points."""

    def __init__(self, units, **kwargs):
        super(Prototypes, self).__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.points = self.add_weight(name='points', shape=(self.units, input_shape[-1]), initializer=Stripes(),
                                      constraint=Between(0.0, 1.0), trainable=True)
        self.width = self.add_weight(name='width', shape=(1,), initializer='ones', trainable=True)
        super(Prototypes, self).build(input_shape)

    def call(self, inputs):
        crossed = K.dot(inputs, K.transpose(self.points))
        own = K.sum(K.square(inputs), axis=-1, keepdims=True)
        distances = own - 2.0 * crossed + K.sum(K.square(self.points), axis=-1)
        return K.exp(-K.softplus(self.width) * distances / K.int_shape(inputs)[-1] * 4.0)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        config = super(Prototypes, self).get_config()
        config['units'] = self.units
        return config


class SignedMomentum(Optimizer):
    """Lion (Chen et al. 2023): steps of one size in the direction of the momentum's sign, with decay over time."""

    def __init__(self, lr=0.001, beta_1=0.9, beta_2=0.99, decay=0.0, **kwargs):
        super(SignedMomentum, self).__init__(**kwargs)
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype='int64', name='iterations')
            self.lr = K.variable(lr, name='lr')
            self.beta_1 = K.variable(beta_1, name='beta_1')
            self.beta_2 = K.variable(beta_2, name='beta_2')
            self.decay = K.variable(decay, name='decay')

    def get_updates(self, loss, params):
        gradients = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay)))
        momenta = [K.zeros(K.int_shape(param), dtype=K.dtype(param)) for param in params]
        self.weights = [self.iterations] + momenta
        for param, gradient, momentum in zip(params, gradients, momenta):
            direction = K.sign(self.beta_1 * momentum + (1.0 - self.beta_1) * gradient)
            new_param = param - lr * direction
            if getattr(param, 'constraint', None) is not None:
                new_param = param.constraint(new_param)
            self.updates.append(K.update(momentum, self.beta_2 * momentum + (1.0 - self.beta_2) * gradient))
            self.updates.append(K.update(param, new_param))
        return self.updates

    def get_config(self):
        config = {name: float(K.get_value(getattr(self, name))) for name in ('lr', 'beta_1', 'beta_2', 'decay')}
        return dict(super(SignedMomentum, self).get_config(), **config)


def focal_loss(y_true, y_pred):
    """Cross-entropy that cares less about what is nearly right (Lin et al. 2017)."""
    y_pred = K.clip(y_pred, K.epsilon(), 1.0 - K.epsilon())
    return -K.sum(y_true * K.pow(1.0 - y_pred, 2.0) * K.log(y_pred), axis=-1)


def mean_confidence(y_true, y_pred):
    """The mean of the greatest probability."""
    return K.mean(K.max(y_pred, axis=-1))


CUSTOM = {'Prototypes': Prototypes, 'Stripes': Stripes, 'Between': Between, 'SignedMomentum': SignedMomentum,
          'focal_loss': focal_loss, 'mean_confidence': mean_confidence}


def build_model():
    model = Sequential([
        Prototypes(PROTOTYPES, input_shape=(64,), name='prototypes'),
        Dense(10, activation='softmax'),
    ])
    model.compile(loss=focal_loss, optimizer=SignedMomentum(lr=0.01, decay=0.002),
                  metrics=['accuracy', mean_confidence])
    return model


def saved_and_loaded(model):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'model.h5')
        model.save(path)
        return load_model(path, custom_objects=CUSTOM)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--epochs', type=int, default=12)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)

    digits = load_digits()
    x, y = (digits.data / 16.0).astype('float32'), keras.utils.to_categorical(digits.target, 10)
    model = build_model()
    model.fit(x[:1400], y[:1400], batch_size=32, epochs=options.epochs, verbose=0)
    _, accuracy, confidence = model.evaluate(x[1400:], y[1400:], verbose=0)
    points = K.get_value(model.get_layer('prototypes').points)
    predicted = model.predict(x[1400:])
    loaded = saved_and_loaded(model)
    difference = float(np.max(np.abs(loaded.predict(x[1400:]) - predicted)))
    loaded.fit(x[:320], y[:320], batch_size=32, epochs=1, verbose=0)
    print('Custom parts on %s: accuracy %.1f %%, mean confidence %.3f, prototypes in [%.2f, %.2f], %d steps, loaded '
          'model differs by %g' % (K.backend(), 100 * accuracy, confidence, points.min(), points.max(),
                                   K.get_value(model.optimizer.iterations), difference))
    if not accuracy > 0.7:
        raise SystemExit('Expected an accuracy of 70 % at least.')
    if abs(confidence - np.mean(np.max(predicted, axis=-1))) > 1e-3:
        raise SystemExit('Expected the metric to be the mean of the greatest probabilities.')
    if points.min() < 0.0 or points.max() > 1.0:
        raise SystemExit('Expected the constraint to hold.')
    if K.get_value(model.optimizer.iterations) != options.epochs * 44 or difference > 1e-6:
        raise SystemExit('Expected one update per batch, and the same predictions from the loaded model.')


if __name__ == '__main__':
    main()
