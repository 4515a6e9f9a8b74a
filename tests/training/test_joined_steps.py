"""`jit_compile=True` on PyTorch: parts of a step go through `torch.compile`."""
import shutil
import warnings

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('torch')


def perceptron():
    return [layers.Dense(16, activation='relu', input_shape=(5,)), layers.Dense(3, activation='softmax')]


def convnet():
    return [layers.Conv2D(4, 3, activation='relu', input_shape=(6, 6, 2)), layers.BatchNormalization(),
            layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3, activation='softmax')]


def trained(stack, **kwargs):
    """The weights, the loss and the accuracy after five steps, and the predictions for five batches."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(stack())
    model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'], **kwargs)
    random = np.random.RandomState(0)
    x = random.rand(40, *model.input_shape[1:]).astype('float32')
    y = random.randint(0, 3, 40)
    history = model.fit(x, y, batch_size=8, verbose=0, shuffle=False).history
    return model.get_weights() + [history['loss'], history['accuracy'], model.predict(x, batch_size=8)]


@pytest.mark.skipif(shutil.which('g++') is None, reason='torch.compile needs a C++ compiler')
@pytest.mark.parametrize('stack', [perceptron, convnet])
def test_same_numbers_as_uncompiled(stack, monkeypatch):
    torch = pytest.importorskip('torch', '2.0')
    compiled, original = [], torch.compile
    monkeypatch.setattr(torch, 'compile', lambda function, **kwargs: (
        compiled.append(function), original(function, **kwargs))[1])
    expected = trained(stack)
    assert not compiled
    with warnings.catch_warnings():
        warnings.filterwarnings('error', message='jit_compile')
        found = trained(stack, jit_compile=True)
    assert len(compiled) >= 2  # of the training and of the predictions
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def failing(function, **kwargs):
    raise RuntimeError('no C++ compiler\nwas found')


def test_where_nothing_can_be_compiled(monkeypatch):
    torch = pytest.importorskip('torch', '2.0')
    expected = trained(perceptron)
    monkeypatch.setattr(torch, 'compile', failing)
    with pytest.warns(UserWarning, match='jit_compile.*RuntimeError: no C.. compiler was found') as record:
        found = trained(perceptron, jit_compile=True)
    # One for training, one for predicting.
    assert len([one for one in record if 'jit_compile' in str(one.message)]) == 2
    for one, other in zip(found, expected):
        np.testing.assert_array_equal(one, other)


class Same(layers.Layer):
    def call(self, x):
        return x


def test_a_step_that_cannot_be_written_down():
    with pytest.warns(UserWarning, match='jit_compile=True: a step runs uncompiled.*of your own'):
        trained(lambda: [layers.Dense(3, input_shape=(5,)), Same(), layers.Activation('softmax')], jit_compile=True)


class Own(keras.Model):
    def train_step(self, data):
        return {'loss': 0.0 * keras.ops.sum(data[0])}


def test_steps_of_the_model_are_not_compiled():
    x = layers.Input((2,))
    model = Own(x, layers.Dense(1)(x))
    model.compile('sgd', 'mse', jit_compile=True)
    with pytest.warns(UserWarning, match='jit_compile=True has no effect on the train_step'):
        model.fit(np.zeros((4, 2), 'float32'), np.zeros((4, 1), 'float32'), verbose=0)
