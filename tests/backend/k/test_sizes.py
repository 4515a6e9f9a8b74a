"""What `K.shape` gives is a tensor of K: in graphs, in layers and in losses, with sizes known and unknown."""
import numpy as np
import pytest

import keras
from keras import backend as K

X = np.arange(24.0).reshape(2, 3, 4).astype('float32')
SHAPE = (2, 3, 4)

# name: (a function of a tensor, its value for X)
VALUES = {
    'whole': (lambda x: K.shape(x), [2, 3, 4]),
    'part': (lambda x: K.shape(x)[1:], [3, 4]),
    'backwards': (lambda x: K.shape(x)[..., ::-1], [4, 3, 2]),
    'by a tensor': (lambda x: K.shape(x)[K.constant(1, dtype='int32')], 3),
    'one': (lambda x: K.shape(x)[0], 2),
    'last': (lambda x: K.shape(x)[-1], 4),
    'times': (lambda x: K.shape(x)[1:3] * 32, [96, 128]),
    'times reflected': (lambda x: 32 * K.shape(x)[1:3], [96, 128]),
    'plus': (lambda x: K.shape(x) + 1, [3, 4, 5]),
    'plus a list': (lambda x: K.shape(x) + [1, 2, 3], [3, 5, 7]),
    'plus a shape': (lambda x: K.shape(x) + K.shape(x), [4, 6, 8]),
    'minus': (lambda x: 10 - K.shape(x), [8, 7, 6]),
    'whole quotient': (lambda x: K.shape(x) // 2, [1, 1, 2]),
    'rest': (lambda x: K.shape(x) % 2, [0, 1, 0]),
    'negative': (lambda x: -K.shape(x), [-2, -3, -4]),
    'quotient': (lambda x: K.shape(x) / 2, [1, 1.5, 2]),
    'power': (lambda x: K.shape(x) ** 2, [4, 9, 16]),
    'compared': (lambda x: K.shape(x) > 2, [False, True, True]),
    'arithmetic of one': (lambda x: (K.shape(x)[0] * 3 - 1) // 2 + K.shape(x)[1] % 2, 3),
    'stack': (lambda x: K.stack([K.shape(x)[0], 12]), [2, 12]),
    'stack of products': (lambda x: K.stack([K.shape(x)[0] * K.shape(x)[1], K.shape(x)[2]]), [6, 4]),
    'stack of shapes': (lambda x: K.stack([K.shape(x), K.shape(x)]), [[2, 3, 4], [2, 3, 4]]),
    'concatenate': (lambda x: K.concatenate([K.shape(x)[:1], [7, 8]]), [2, 7, 8]),
    'concatenate shapes': (lambda x: K.concatenate([K.shape(x)[:1], K.shape(x)[2:]]), [2, 4]),
    'concatenate a constant': (lambda x: K.concatenate([K.shape(x)[:1], K.constant([7], dtype='int32')]), [2, 7]),
    'concatenate floats': (lambda x: K.concatenate([K.shape(x)[:1], K.constant([0.5])]), [2, 0.5]),
    'expand_dims': (lambda x: K.concatenate([K.expand_dims(K.shape(x)[0], 0), K.shape(x)[1:]]), [2, 3, 4]),
    'prod': (lambda x: K.prod(K.shape(x)[1:]), 12),
    'prod kept': (lambda x: K.prod(K.shape(x)[1:], axis=0, keepdims=True), [12]),
    'sum': (lambda x: K.sum(K.shape(x)), 9),
    'max': (lambda x: K.max(K.shape(x)), 4),
    'min': (lambda x: K.min(K.shape(x)[1:]), 3),
    'mean': (lambda x: K.mean(K.cast(K.shape(x), 'float32')), 3),
    'maximum': (lambda x: K.maximum(K.shape(x), 3), [3, 3, 4]),
    'minimum': (lambda x: K.minimum(K.shape(x), K.shape(x)[1]), [2, 3, 3]),
    'maximum of two': (lambda x: K.maximum(K.shape(x)[0], K.shape(x)[1]), 3),
    'cast': (lambda x: K.cast(K.shape(x), 'float32'), [2, 3, 4]),
    'cast one': (lambda x: K.cast(K.shape(x)[0], 'float32') / 4, 0.5),
    'cast to int64': (lambda x: K.cast(K.shape(x), 'int64'), [2, 3, 4]),
    'gather': (lambda x: K.gather(K.shape(x), [2, 0]), [4, 2]),
    'gather by a tensor': (lambda x: K.gather(K.shape(x), K.constant([1], dtype='int32')), [3]),
    'slice': (lambda x: K.slice(K.shape(x), [1], [2]), [3, 4]),
    'reverse': (lambda x: K.reverse(K.shape(x), 0), [4, 3, 2]),
    'equal': (lambda x: K.equal(K.shape(x), [2, 3, 5]), [True, True, False]),
    'equal one': (lambda x: K.switch(K.equal(K.shape(x)[0], 2), K.constant(5.0), K.constant(6.0)), 5),
    'of a known shape': (lambda x: K.shape(K.ones((2, 3)))[K.constant(1, dtype='int32')], 3),
    'its shape': (lambda x: K.shape(K.shape(x)), [3]),
    'size': (lambda x: K.size(x), 24),
    'arange': (lambda x: K.arange(K.shape(x)[1]), [0, 1, 2]),
    'reshape': (lambda x: K.reshape(K.shape(x), (3, 1)), [[2], [3], [4]]),
    'times floats': (lambda x: K.cast(K.shape(x), 'float32') * K.constant([0.5, 1.0, 2.0]), [1, 3, 8]),
    'times a tensor': (lambda x: K.shape(x) * K.constant([1, 2, 3], dtype='int32'), [2, 6, 12]),
    'iterated': (lambda x: [size for size in K.shape(x)][1], 3),
}
# name: (a function of a tensor that gives a tensor, its value for X)
USES = {
    'tile': (lambda x: K.tile(x[:1], K.stack([K.shape(x)[0], 1, 1])), np.tile(X[:1], (2, 1, 1))),
    'tile by a shape': (lambda x: K.tile(x[:1, :1, :1], K.shape(x)), np.zeros(SHAPE)),
    'reshape': (lambda x: K.reshape(x, K.shape(x)), X),
    'reshape by a stack': (lambda x: K.reshape(x, K.stack([K.shape(x)[0], 12])), X.reshape(2, 12)),
    'reshape by a product': (lambda x: K.reshape(x, K.stack([K.shape(x)[0], K.prod(K.shape(x)[1:])])),
                             X.reshape(2, 12)),
    'reshape by a tuple': (lambda x: K.reshape(x, (K.shape(x)[0], K.shape(x)[1] * K.shape(x)[2])), X.reshape(2, 12)),
    'reshape with -1': (lambda x: K.reshape(x, (-1, K.shape(x)[2])), X.reshape(6, 4)),
    'reshape by parts': (lambda x: K.reshape(x, K.concatenate([K.shape(x)[:1], K.shape(x)[2:], K.shape(x)[1:2]])),
                         X.reshape(2, 4, 3)),
    'ones alone': (lambda x: K.ones(K.shape(x)), np.ones(SHAPE)),
    'zeros alone': (lambda x: K.zeros((2, 3)), np.zeros((2, 3))),
    'identity matrix': (lambda x: K.eye(2), np.eye(2)),
    'zeros': (lambda x: K.zeros(K.shape(x)) + x, X),
    'ones by a stack': (lambda x: x[:, :, :1] * K.ones(K.stack([K.shape(x)[0], 3, 1])), X[:, :, :1]),
    'random': (lambda x: K.random_uniform(K.shape(x)[:2]) * 0.0 + x[:, :, 0], X[:, :, 0]),
    'slice': (lambda x: K.slice(x, [0, 1, 0], K.stack([K.shape(x)[0], 2, K.shape(x)[2]])), X[:, 1:]),
    'indexed': (lambda x: x[:, :K.shape(x)[1] - 1], X[:, :2]),
    'indexed by half': (lambda x: x[:K.shape(x)[0] // 2], X[:1]),
    'repeat': (lambda x: K.repeat_elements(x, K.shape(x)[0], 1), np.repeat(X, 2, 1)),
    'one_hot': (lambda x: K.one_hot(K.cast(x[:, 0, 0] / 12, 'int32'), K.shape(x)[1]), [[1, 0, 0], [0, 1, 0]]),
    'dropout': (lambda x: K.dropout(x, 0.0, noise_shape=(K.shape(x)[0], 1, 4)), X),
}
INPUTS = {'unknown batch': (None, 3, 4), 'unknown length': (None, None, 4), 'all known': (2, 3, 4)}


def graph_value(function, shape):
    x = K.placeholder(shape)
    return K.function([x], [function(x)])([X])[0]


def layer_value(function, shape, weights):
    """The sum of the elements of the function's value inside a layer, times `weights`."""
    class Inside(keras.layers.Layer):
        def call(self, x):
            return x[:, :, 0] * 0.0 + K.sum(K.flatten(K.cast(function(x), 'float32')) * weights)
    inputs = keras.Input(batch_shape=shape)
    return keras.Model(inputs, Inside()(inputs)).predict(X, batch_size=2)[0, 0]


@pytest.mark.parametrize('inputs', ['unknown batch', 'unknown length'])
@pytest.mark.parametrize('name', sorted(VALUES))
def test_in_a_graph(name, inputs):
    function, expected = VALUES[name]
    found = np.asarray(graph_value(function, INPUTS[inputs]))
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize('name', sorted(VALUES))
def test_in_a_layer(name, inputs='unknown length'):
    function, expected = VALUES[name]
    weights = 10.0 ** np.arange(np.size(expected), dtype='float32')
    found = layer_value(function, INPUTS[inputs], K.variable(weights))
    np.testing.assert_allclose(found, np.sum(np.ravel(expected) * weights), rtol=1e-6)


@pytest.mark.parametrize('inputs', sorted(INPUTS))
@pytest.mark.parametrize('name', sorted(USES))
def test_where_a_shape_is_wanted(name, inputs):
    function, expected = USES[name]
    np.testing.assert_allclose(graph_value(function, INPUTS[inputs]), expected)
    tensor = keras.Input(batch_shape=INPUTS[inputs])
    model = keras.Model(tensor, keras.layers.Lambda(function)(tensor))
    np.testing.assert_allclose(model.predict(X, batch_size=2), expected)


def test_of_variables_and_constants():
    for x in (K.variable(X), K.constant(X)):
        shape = K.shape(x)
        assert K.eval(shape).tolist() == [2, 3, 4] and np.asarray(shape).tolist() == [2, 3, 4]
        assert K.eval(shape * 2).tolist() == [4, 6, 8] and K.eval(K.prod(shape)) == 24
        assert K.is_tensor(shape) and K.dtype(shape) == 'int32' and K.ndim(shape) == 1 and K.int_shape(shape) == (3,)


def test_in_a_loss():
    def loss(y_true, y_pred):
        count = K.cast(K.shape(y_pred)[0] * K.prod(K.shape(y_pred)[1:]), K.floatx())
        return K.sum(K.square(y_true - K.reshape(y_pred, K.stack([K.shape(y_true)[0], 1])))) / count

    model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,), kernel_initializer='ones')])
    model.compile('sgd', loss, metrics=[lambda t, p: K.cast(K.shape(p)[0], 'float32')])
    assert model.test_on_batch(np.ones((4, 3)), np.zeros((4, 1))) == pytest.approx([9.0, 4.0])


@pytest.mark.needs_gradients
def test_in_a_loss_that_is_trained():
    def loss(y_true, y_pred):
        return K.sum(K.square(y_true - y_pred)) / K.cast(K.prod(K.shape(y_pred)), 'float32')

    model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,), kernel_initializer='ones')])
    model.compile(keras.optimizers.SGD(0.1), loss)
    model.train_on_batch(np.ones((4, 3)), np.zeros((4, 1)))
    np.testing.assert_allclose(model.get_weights()[0], np.full((3, 1), 0.4), rtol=1e-5)


def test_shapes_that_are_given_otherwise():
    for shape in (3, (3,), [3], np.array([3]), K.constant([3], dtype='int32'), K.variable([3], 'int32')):
        assert K.eval(K.zeros(shape)).shape == K.eval(K.ones(shape)).shape == (3,)
        assert K.eval(K.random_uniform(shape)).shape == K.eval(K.random_normal(shape)).shape == (3,)
        assert K.eval(K.reshape(K.constant([[1.0, 2.0, 3.0]]), shape)).shape == (3,)
        assert K.eval(K.tile(K.constant([1.0]), shape)).shape == (3,)
    assert K.eval(K.tile(K.constant([[1.0, 2.0]]), 2)).shape == (1, 4)
