"""Knowledge distillation (Hinton et al. 2015): a small network learns from a large one, on every engine.

    python examples/distillation.py --epochs 20

The student overrides `compute_loss` alone: the rest of the training step is Keras's own, metrics included.
"""
import argparse

import numpy as np
from sklearn.datasets import load_digits

import keras
from keras import layers, ops


class Distiller(keras.Model):
    """A student that is trained on labels and on what the teacher says.

    Args:
        student, teacher: models that give logits. weight: how much the labels count beside the teacher.
        temperature: by which both logits are divided before they are compared.
    """

    def __init__(self, student, teacher, weight=0.1, temperature=3.0):
        super().__init__()
        self.student, self.teacher = student, teacher
        self.teacher.trainable = False
        self.weight, self.temperature = weight, temperature

    def call(self, x, training=None):
        return self.student(x, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        by_labels = super().compute_loss(x, y, y_pred, sample_weight, training)
        soft = ops.softmax(self.teacher(x, training=False) / self.temperature)
        logarithms = ops.log_softmax(y_pred / self.temperature)
        by_teacher = -ops.mean(ops.sum(soft * logarithms, axis=-1)) * self.temperature ** 2
        return self.weight * by_labels + (1 - self.weight) * by_teacher


def network(units, name):
    return keras.Sequential([layers.Dense(units, activation='relu', input_shape=(64,)), layers.Dense(10)], name=name)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--epochs', type=int, default=20)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    digits = load_digits()
    x, y = (digits.data / 16).astype('float32'), digits.target.astype('int32')
    order = np.random.RandomState(0).permutation(len(x))
    x, y = x[order], y[order]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    teacher = network(256, 'teacher')
    teacher.compile(keras.optimizers.Adam(0.003), loss, metrics=['accuracy'])
    teacher.fit(x[:1300], y[:1300], epochs=options.epochs, batch_size=32, verbose=0)
    distiller = Distiller(network(12, 'student'), teacher)
    distiller.compile(keras.optimizers.Adam(0.003), loss, metrics=['accuracy'])
    distiller.fit(x[:1300], y[:1300], epochs=options.epochs, batch_size=32, verbose=2)
    accuracies = [model.evaluate(x[1300:], y[1300:], verbose=0, return_dict=True)['accuracy']
                  for model in (teacher, distiller)]
    print('Distillation on %s: accuracy of the teacher %.3f, of the student %.3f.'
          % ((keras.backend.backend(),) + tuple(accuracies)))
    if min(accuracies) < 0.85:
        raise SystemExit('Expected accuracies of at least 0.85.')


if __name__ == '__main__':
    main()
