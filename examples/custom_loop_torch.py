"""A training loop written by hand in PyTorch around a Keras model.

    KERAS_BACKEND=torch python examples/custom_loop_torch.py

The model takes and returns `torch.Tensor`s; its weights are leaf tensors that any `torch.optim` optimizer takes.
"""
import numpy as np
import torch
from sklearn.datasets import load_digits

import keras
from keras.layers import Dense

EPOCHS, BATCH_SIZE, RATE = 10, 32, 0.1


def main():
    keras.utils.set_random_seed(1337)
    digits = load_digits()
    x, y = torch.tensor(digits.data / 16.0, dtype=torch.float32), torch.tensor(digits.target)
    model = keras.Sequential([Dense(64, activation='relu', input_shape=(64,)), Dense(10)])
    weights = [variable.storage for variable in model.trainable_variables]
    x, y = x.to(weights[0].device), y.to(weights[0].device)
    optimizer = torch.optim.SGD(weights, lr=RATE)

    order = np.random.RandomState(0)
    for epoch in range(EPOCHS):
        for chosen in torch.as_tensor(order.permutation(len(x))).split(BATCH_SIZE):
            loss = torch.nn.functional.cross_entropy(model(x[chosen], training=True), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print('Epoch %d: loss of the last batch %.4f' % (epoch + 1, loss.item()))

    with torch.no_grad():
        accuracy = (model(x).argmax(-1) == y).float().mean().item()
    print('Training accuracy: %.2f %%' % (100 * accuracy))
    return accuracy


if __name__ == '__main__':
    main()
