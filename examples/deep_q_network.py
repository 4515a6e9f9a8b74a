"""Deep Q-learning (Mnih et al. 2015) of a toy game: catch the ball that falls.

    python examples/deep_q_network.py --steps 1500

A ball falls from a random place of the top row of a grid; at the bottom a paddle of one cell moves left, right or
stays. Catching gives 1, missing -1. Experience is replayed from a memory, and the targets come from a copy of the
network that follows now and then. The model that is trained takes an action besides and gives its value alone.
"""
import argparse
from collections import deque

import numpy as np

import keras
from keras import backend as K
from keras.layers import Dense, Flatten, Input, Lambda
from keras.models import Model, Sequential

ROWS, COLUMNS, ACTIONS = 7, 6, 3
DISCOUNT, BATCH, MEMORY, COPY_EVERY = 0.9, 32, 2000, 100


class Catch:
    """The game. An observation is (rows, columns) with ones at the ball and at the paddle."""

    def __init__(self, numbers):
        self._numbers = numbers

    def reset(self):
        self._ball, self._row = self._numbers.randint(COLUMNS), 0
        self._paddle = self._numbers.randint(COLUMNS)
        return self._observation()

    def _observation(self):
        grid = np.zeros((ROWS, COLUMNS), 'float32')
        grid[self._row, self._ball] = grid[-1, self._paddle] = 1.0
        return grid

    def step(self, action):
        """(observation, reward, whether the game is over) after moving left (0), staying (1) or moving right (2)."""
        self._paddle = min(max(self._paddle + action - 1, 0), COLUMNS - 1)
        self._row += 1
        over = self._row == ROWS - 1
        reward = (1.0 if self._paddle == self._ball else -1.0) if over else 0.0
        return self._observation(), reward, over


def build_network():
    return Sequential([
        Flatten(input_shape=(ROWS, COLUMNS)),
        Dense(48, activation='relu'),
        Dense(48, activation='relu'),
        Dense(ACTIONS),
    ])


def value_of_action(tensors):
    values, action = tensors
    return K.sum(values * K.one_hot(K.flatten(action), ACTIONS), axis=-1, keepdims=True)


def huber_loss(y_true, y_pred):
    error = K.abs(y_true - y_pred)
    return K.mean(K.switch(error < 1.0, 0.5 * K.square(error), error - 0.5))


def build_training_model(network):
    """(observation, action) to the value of the action."""
    observation = Input(shape=(ROWS, COLUMNS))
    action = Input(shape=(1,), dtype='int32')
    value = Lambda(value_of_action, output_shape=(1,))([network(observation), action])
    model = Model([observation, action], value)
    model.compile(optimizer=keras.optimizers.Adam(0.002), loss=huber_loss)
    return model


def learn(model, target, memory, numbers):
    """One step on a batch of experience."""
    chosen = [memory[index] for index in numbers.randint(0, len(memory), BATCH)]
    before, actions, rewards, after, over = (np.array(part) for part in zip(*chosen))
    future = target.predict_on_batch(after).max(axis=-1)
    wanted = rewards + DISCOUNT * future * (1.0 - over)
    return model.train_on_batch([before, actions[:, np.newaxis]], wanted[:, np.newaxis].astype('float32'))


def play(network, game, games):
    """The mean reward of always taking the best action, or random ones where `network` is None."""
    numbers, total = np.random.RandomState(2), 0.0
    for _ in range(games):
        observation, over = game.reset(), False
        while not over:
            action = numbers.randint(ACTIONS) if network is None else \
                network.predict_on_batch(observation[np.newaxis])[0].argmax()
            observation, reward, over = game.step(action)
        total += reward
    return total / games


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=1500)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(1)
    numbers = np.random.RandomState(1)

    game = Catch(numbers)
    network, target = build_network(), build_network()
    model = build_training_model(network)
    memory = deque(maxlen=MEMORY)
    observation = game.reset()
    for step in range(options.steps):
        if step % COPY_EVERY == 0:
            target.set_weights(network.get_weights())
        curious = numbers.rand() < max(0.1, 1.0 - 2.0 * step / options.steps)
        action = numbers.randint(ACTIONS) if curious else \
            network.predict_on_batch(observation[np.newaxis])[0].argmax()
        after, reward, over = game.step(action)
        memory.append((observation, action, reward, after, float(over)))
        observation = game.reset() if over else after
        if len(memory) >= 2 * BATCH:
            learn(model, target, memory, numbers)
    reached, random = play(network, game, 100), play(None, game, 500)
    print('Deep Q-network on %s: mean reward %.2f, of random moves %.2f' % (K.backend(), reached, random))
    if not reached > random + 0.5:
        raise SystemExit('Expected a mean reward of half a point more than random moves.')


if __name__ == '__main__':
    main()
