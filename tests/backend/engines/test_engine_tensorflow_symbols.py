"""Functions of TensorFlow on symbolic tensors are part of the graph."""
import os
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras import backend as K

pytestmark = pytest.mark.on('tensorflow')
if K.backend() != 'tensorflow':
    pytest.skip('tests of the tensorflow engine', allow_module_level=True)
tf = pytest.importorskip('tensorflow')

X = np.array([[1., -2., 3.], [0., 5., -6.]], 'float32')


@pytest.mark.parametrize('function, shape, expected', [
    (tf.abs, (None, 3), np.abs(X)),
    (tf.nn.relu, (None, 3), np.maximum(X, 0)),
    (lambda x: tf.concat([x, 2 * x], axis=1), (None, 6), np.concatenate([X, 2 * X], 1)),
    (lambda x: tf.reduce_sum(x, axis=-1, keepdims=True), (None, 1), X.sum(-1, keepdims=True)),
    (lambda x: tf.split(x, 3, axis=1)[1], (None, 1), X[:, 1:2]),
    (lambda x: tf.where(x > 0, x, tf.zeros_like(x)), (None, 3), np.maximum(X, 0)),
    (lambda x: tf.reshape(x, (tf.shape(x)[0], 3, 1)), (None, 3, 1), X[..., None]),
    (lambda x: tf.nn.top_k(x, 2).values, (None, 2), -np.sort(-X, 1)[:, :2]),
    (lambda x: tf.matmul(x, K.variable(np.eye(3))), (None, 3), X),
    (lambda x: tf.constant([1., 2., 3.]) * tf.math.multiply(x, 2.), (None, 3), X * [2, 4, 6]),
    (lambda x: tf.einsum('bi,ij->bj', x, tf.ones((3, 2))), (None, 2), X.sum(1, keepdims=True) * [[1, 1]]),
    (lambda x: tf.add(K.constant([1.]), x), (None, 3), X + 1)])
def test_functions_of_symbolic_tensors(function, shape, expected):
    x = keras.Input((3,))
    y = function(x)
    assert isinstance(y, keras.KerasTensor) and y.shape == shape
    np.testing.assert_allclose(keras.Model(x, y).predict(X), expected, rtol=1e-6)


def test_inside_a_model_that_is_trained_and_written():
    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(1)(tf.nn.relu(keras.layers.Dense(4)(inputs)))
    model = keras.Model(inputs, outputs)
    model.compile('sgd', 'mse')
    before = model.evaluate(X, X[:, :1], verbose=0)
    model.fit(X, X[:, :1], epochs=20, verbose=0)
    assert model.evaluate(X, X[:, :1], verbose=0) < before
    entry = next(entry for entry in model.get_config()['layers'] if entry['class_name'] == 'TFOpLambda')
    assert entry['config']['function'] == 'nn.relu'
    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict(X), model.predict(X), rtol=1e-6)


def test_values_are_computed_at_once():
    assert tf.abs(K.constant([-1.])).numpy() == [1.] and tf.abs(K.variable([-2.])).numpy() == [2.]


def test_shapes_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match='imensions'):
        tf.matmul(keras.Input((3,)), tf.ones((4, 2)))


@pytest.mark.parametrize('engine, said', [('tensorflow', 'nothing'), ('numpy', 'a library that is not the engine')])
def test_the_first_thing_a_program_does(engine, said):
    code = ('import tensorflow as tf, keras\n'
            'try:\n    tf.abs(keras.Input((3,))); print("nothing")\nexcept TypeError as error:\n    print(error)')
    path = os.pathsep.join([os.path.dirname(os.path.dirname(keras.__file__)), os.environ.get('PYTHONPATH', '')])
    done = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, universal_newlines=True, check=True,
                          env=dict(os.environ, KERAS_BACKEND=engine, PYTHONPATH=path))
    assert said in done.stdout


def test_tf_gradients_of_symbolic_tensors():
    x = K.placeholder((None, 3))
    y = x * x
    z = tf.reduce_sum(y * x, axis=-1)
    by_x, by_y = tf.gradients(z, [x, y])
    partial_x, partial_y = tf.compat.v1.gradients(z, [x, y], stop_gradients=[x, y])
    weighted, = tf.gradients([y], [x], grad_ys=[tf.ones_like(x) * 3.0])
    other = K.placeholder((2,))
    assert tf.gradients(z, [other]) == [None]
    zero, = tf.gradients(z, [other], unconnected_gradients='zero')
    values = K.function([x, other], [by_x, by_y, partial_x, partial_y, weighted, zero])([X, np.ones(2)])
    for value, expected in zip(values, [3 * X ** 2, X, X ** 2, X, 6 * X, np.zeros(2)]):
        np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_layers_that_call_tf_gradients():
    class Slope(keras.layers.Layer):
        def call(self, inputs):
            y, x = inputs
            return tf.gradients(y, x)[0]

        def compute_output_shape(self, shapes):
            return shapes[1]

    x = keras.layers.Input((3,))
    y = keras.layers.Lambda(lambda x: x ** 3)(x)
    np.testing.assert_allclose(keras.Model(x, Slope()([y, x])).predict(X), 3 * X ** 2, rtol=1e-5)


def test_tf_gradients_of_tensorflow_itself():
    @tf.function
    def slope(x):
        return tf.gradients(x * x, x)[0]
    assert slope(tf.constant(3.0)).numpy() == 6.0
