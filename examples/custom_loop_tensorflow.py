"""A training loop written by hand in TensorFlow around a Keras model.

    KERAS_BACKEND=tensorflow python examples/custom_loop_tensorflow.py

The model takes and returns `tf.Tensor`s, and `tf.GradientTape` sees through it.
"""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import keras
from keras.layers import Dense

EPOCHS, BATCH_SIZE, RATE = 10, 32, 0.1


def main():
    keras.utils.set_random_seed(1337)
    digits = load_digits()
    x, y = (digits.data / 16.0).astype('float32'), digits.target.astype('int64')
    model = keras.Sequential([Dense(64, activation='relu', input_shape=(64,)), Dense(10)])

    @tf.function
    def step(images, classes):
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        for variable, gradient in zip(model.trainable_variables, gradients):
            variable.assign_sub(RATE * gradient)
        return loss

    order = np.random.RandomState(0)
    for epoch in range(EPOCHS):
        shuffled = order.permutation(len(x))
        for start in range(0, len(x), BATCH_SIZE):
            chosen = shuffled[start:start + BATCH_SIZE]
            loss = step(tf.constant(x[chosen]), tf.constant(y[chosen]))
        print('Epoch %d: loss of the last batch %.4f' % (epoch + 1, float(loss)))

    accuracy = np.mean(np.argmax(model(tf.constant(x)).numpy(), axis=-1) == y)
    print('Training accuracy: %.2f %%' % (100 * accuracy))
    return accuracy


if __name__ == '__main__':
    main()
