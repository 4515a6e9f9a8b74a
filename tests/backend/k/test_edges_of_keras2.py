"""Functions of K where their arguments are at an edge. Expected values: printed by Keras 2.3.1 on TensorFlow 1.15."""
import numpy as np
import pytest

import keras
from keras import backend as K

INF, NAN = np.inf, np.nan


def floats(*values):
    return K.constant(values)


def ints(*values):
    return K.constant(values, dtype='int32')


CASES = [
    (lambda: K.sqrt(floats(-4, 0, 4, INF, NAN)), [0, 0, 2, INF, NAN]),
    (lambda: K.pow(floats(-2, 0, 2), 0.5), [NAN, 0, 1.4142135]),
    (lambda: K.pow(ints(-2, 0, 2), 3), [-8, 0, 8]),
    (lambda: K.pow(floats(0), -1.0), [INF]),
    (lambda: K.log(floats(0, -1, 1)), [-INF, NAN, 0]),
    (lambda: K.clip(floats(-5, 0, 5), 3.0, 1.0), [3, 3, 3]),
    (lambda: K.clip(floats(-5, 0, 5), None, 1.0), [-5, 0, 1]),
    (lambda: K.clip(ints(-5, 0, 5), -1, 1), [-1, 0, 1]),
    (lambda: K.argmax(K.constant([[1, 3, 3], [2, 2, 2]])), [1, 0]),
    (lambda: K.argmin(K.constant([[1, 3, 1], [2, 2, 2]])), [0, 0]),
    (lambda: K.argmax(K.constant([[1, 3, 3], [2, 2, 2]]), axis=0), [1, 0, 0]),
    (lambda: K.round(floats(0.5, 1.5, 2.5, -0.5, -1.5)), [0, 2, 2, 0, -2]),
    (lambda: K.mean(K.constant([True, False, True], dtype='bool')), 2 / 3),
    (lambda: K.std(K.constant([True, False, True], dtype='bool')), 0.4714045),
    (lambda: K.relu(floats(-2, -0.5, 0.5, 2, 8), max_value=6, threshold=1.0), [0, 0, 0, 2, 6]),
    (lambda: K.relu(floats(-2, -0.5, 0.5, 2, 8), alpha=0.1, threshold=1.0, max_value=3.0), [-0.3, -0.15, -0.05, 2, 3]),
    (lambda: K.relu(floats(-2, -0.5, 0.5, 2, 8), max_value=0.0), [0, 0, 0, 0, 0]),
    (lambda: K.softmax(K.constant([[1, 2], [3, 5]]), axis=0), [[0.1192029, 0.0474259], [0.8807970, 0.9525741]]),
    (lambda: K.softmax(floats(1, 2)), [0.2689414, 0.7310586]),
    (lambda: K.softplus(floats(-200, 0, 200)), [0, 0.6931472, 200]),
    (lambda: K.l2_normalize(K.constant([[0, 0], [3, 4]]), axis=1), [[0, 0], [0.6, 0.8]]),
    (lambda: K.binary_crossentropy(floats(0, 1, 1), floats(0, 0, 1)), [0, 15.4249487, 0]),
    (lambda: K.categorical_crossentropy(K.constant([[0, 1]]), K.constant([[1, 0]])), [16.1180954]),
    (lambda: K.sparse_categorical_crossentropy(floats(1), K.constant([[0.2, 0.6]])), [0.2876820]),
    (lambda: K.sparse_categorical_crossentropy(floats(1), K.constant([[0.0, 0.0]])), [0.6931472]),
    (lambda: K.one_hot(ints(0, 5, -1), 3), [[1, 0, 0], [0, 0, 0], [0, 0, 0]]),
    (lambda: K.in_top_k(K.constant([[1, 2, 2, 0]]), ints(2), 1), [True]),
    (lambda: K.arange(-2), np.zeros(0)),
    (lambda: K.arange(2.5), [0, 1, 2]),
    (lambda: K.arange(0, 1, 0.25), [0, 0.25, 0.5, 0.75]),
    (lambda: K.arange(5, 0, -2), [5, 3, 1]),
    (lambda: K.arange(K.constant(3, dtype='int32')), [0, 1, 2]),
    (lambda: K.cast(floats(1.7, -1.7), 'int32'), [1, -1]),
    (lambda: ints(-3, 3) // 2, [-2, 1]),
    (lambda: ints(-3, 3) % 2, [1, 1]),
    (lambda: K.zeros(3), [0, 0, 0]),
]


@pytest.mark.parametrize('case', range(len(CASES)))
def test_value(case):
    function, expected = CASES[case]
    found = K.eval(function())
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_dtypes():
    for made, dtype in [(K.round(ints(1)), 'int32'), (K.zeros_like(ints(1)), 'float32'),
                        (K.ones_like(ints(1)), 'float32'), (K.ones_like(ints(1), 'int32'), 'int32'),
                        (K.arange(2.5), 'float32'), (K.arange(2), 'int32'), (K.arange(2, dtype='float32'), 'float32'),
                        (K.pow(ints(2), 2), 'int32'), (K.clip(ints(2), 0, 1), 'int32')]:
        assert K.dtype(made) == dtype


@pytest.mark.needs_gradients
def test_gradients_of_the_root():
    x = K.placeholder((3,))
    np.testing.assert_allclose(K.function([x], K.gradients(K.sum(K.sqrt(x)), x))([[-4.0, 0.0, 4.0]])[0], [0, INF, 0.25])


def test_the_generation_of_keras_3_has_its_cross_entropies():
    with keras.config.generation(3):
        found = K.eval(K.binary_crossentropy(floats(1), floats(0)))
    np.testing.assert_allclose(found, [16.1180954], rtol=1e-5)


@pytest.mark.parametrize('function, expected', [
    (K.sqrt, 2.0), (K.hard_sigmoid, 1.0), (K.square, 16.0), (keras.ops.tanh, np.tanh(4.0)), (K.relu, 4.0),
    (keras.ops.leaky_relu, 4.0)])
def test_a_layer_of_a_function_of_keras_comes_back_from_its_config(function, expected):
    layer = keras.layers.Lambda(function, input_shape=(1,))
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.function.__name__ == function.__name__
    np.testing.assert_allclose(keras.Sequential([again]).predict(np.array([[4.0]]))[0, 0], expected, rtol=1e-5)


def test_a_layer_of_an_unknown_function_is_explained():
    config = {'class_name': 'Lambda', 'config': {'function': 'no_such_function', 'function_type': 'function'}}
    with pytest.raises(ValueError, match='no_such_function.*custom_objects'):
        keras.layers.deserialize(config)
    for name in ('eval', 'set_backend', '__import__', 'function'):  # what is no function of tensors
        config['config']['function'] = name
        with pytest.raises(ValueError, match='Unknown function'):
            keras.layers.deserialize(config)
