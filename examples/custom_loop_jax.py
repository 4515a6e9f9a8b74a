"""A training loop written by hand in JAX around a Keras model.

    KERAS_BACKEND=jax python examples/custom_loop_jax.py

`model.stateless_call` is a pure function of the weights, so `jax.grad` and `jax.jit` take it as it is.
"""
import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits

import keras
from keras.layers import BatchNormalization, Dense

EPOCHS, BATCH_SIZE, RATE = 10, 32, 0.1


def main():
    keras.utils.set_random_seed(1337)
    digits = load_digits()
    x, y = (digits.data / 16.0).astype('float32'), digits.target
    model = keras.Sequential([Dense(64, activation='relu', input_shape=(64,)), BatchNormalization(), Dense(10)])

    def loss_of(trainable, other, images, classes):
        logits, other = model.stateless_call(trainable, other, images, training=True)
        losses = -jnp.take_along_axis(jax.nn.log_softmax(logits), classes[:, None], axis=1)
        return jnp.mean(losses), other

    @jax.jit
    def step(trainable, other, images, classes):
        (loss, other), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, other, images, classes)
        trainable = [value - RATE * gradient for value, gradient in zip(trainable, gradients)]
        return loss, trainable, other

    trainable = [variable.value for variable in model.trainable_variables]
    other = [variable.value for variable in model.non_trainable_variables]
    order = np.random.RandomState(0)
    for epoch in range(EPOCHS):
        shuffled = order.permutation(len(x))
        for start in range(0, len(x) - BATCH_SIZE + 1, BATCH_SIZE):
            chosen = shuffled[start:start + BATCH_SIZE]
            loss, trainable, other = step(trainable, other, x[chosen], y[chosen])
        print('Epoch %d: loss of the last batch %.4f' % (epoch + 1, float(loss)))

    for variable, value in zip(model.trainable_variables + model.non_trainable_variables, trainable + other):
        variable.assign(value)
    accuracy = float(np.mean(np.argmax(np.asarray(model(jnp.asarray(x))), axis=-1) == y))
    print('Training accuracy: %.2f %%' % (100 * accuracy))
    return accuracy


if __name__ == '__main__':
    main()
