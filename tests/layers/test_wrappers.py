"""Layers around other layers, on inputs with sizes that are not known before the data comes."""
import numpy as np
import pytest

from keras import Input, config, layers, ops, regularizers
from keras.backend.state.variables import to_array
from keras.backend.table.composites.shape import dtype_of
from keras.models import Model, Sequential
from keras.optimizers import SGD


def conv(x, layer):
    kernel, bias = layer.get_weights()
    size = len(kernel)
    windows = np.stack([x[:, start:x.shape[1] - size + start + 1] for start in range(size)], 2)
    return np.einsum('blsc,scf->blf', windows, kernel) + bias


def dense(x, layer):
    kernel, bias = layer.get_weights()
    return x.dot(kernel) + bias


INNER = [
    (lambda: layers.Dense(2), dense),
    (lambda: layers.Conv1D(2, 3), conv),
    (lambda: layers.Lambda(lambda x: x * 2), lambda x, layer: x * 2),
    (lambda: layers.GlobalMaxPooling1D(), lambda x, layer: x.max(1)),
    (lambda: layers.TimeDistributed(layers.Dense(2)), dense),
    (lambda: layers.Masking(9.0), lambda x, layer: x),
]


@pytest.mark.parametrize('make, expected', INNER)
@pytest.mark.parametrize('unknown', [(), (0,), (0, 1), (0, 2), (1, 2), (0, 1, 2)], ids=str)
def test_time_distributed_with_sizes_that_are_not_known(make, expected, unknown):
    data = np.random.RandomState(0).randn(2, 4, 5, 3).astype('float32')
    shape = [None if axis in unknown else size for axis, size in enumerate(data.shape)]
    inner, x = make(), layers.Input(batch_shape=shape)
    model = Model(x, layers.TimeDistributed(inner)(x))
    steps = np.stack([expected(data[:, step], inner) for step in range(4)], 1)
    np.testing.assert_allclose(model.predict(data, batch_size=2), steps, rtol=1e-4, atol=1e-5)


def test_recurrent_layers_over_sequences_of_sequences_of_any_length():
    data = np.random.RandomState(0).randn(2, 4, 5, 3).astype('float32')
    x, inner = layers.Input((None, None, 3)), layers.LSTM(2, return_sequences=True, return_state=True)
    whole, h, c = layers.TimeDistributed(inner)(x)
    results = Model(x, [whole, h, c]).predict(data)
    y = layers.Input((5, 3))
    alone = Model(y, inner(y))
    for step in range(4):
        for found, expected in zip(results, alone.predict(data[:, step])):
            np.testing.assert_allclose(found[:, step], expected, rtol=1e-4, atol=1e-5)


def test_masks_of_words_and_of_sentences():
    """Padding words are masked for the inner layer; a sentence of padding is masked for the outer one."""
    words = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]], [[2, 0, 0], [0, 0, 0], [0, 0, 0]]])
    x = layers.Input((None, None))
    embedding, inner, outer = layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2), layers.LSTM(2)
    sentences = layers.TimeDistributed(inner)(layers.TimeDistributed(embedding)(x))
    found = Model(x, outer(sentences)).predict(words)
    for text, expected in (([[1, 2], [3]], found[0]), ([[2]], found[1])):
        vectors = [inner(embedding.get_weights()[0][None, sentence]) for sentence in text]
        alone = outer(np.stack([to_array(vector)[0] for vector in vectors])[None])
        np.testing.assert_allclose(to_array(alone)[0], expected, rtol=1e-4, atol=1e-5)


def test_time_distributed_keeps_the_structure_of_a_model():
    x = layers.Input((3,))
    inner = Model(x, {'twice': layers.Lambda(lambda x: x * 2)(x), 'pair': [x, layers.Lambda(lambda x: x + 1)(x)]})
    steps = layers.Input((None, 3))
    found = layers.TimeDistributed(inner)(steps)
    data = np.random.RandomState(0).randn(2, 4, 3).astype('float32')
    results = Model(steps, found).predict(data)
    np.testing.assert_allclose(results['twice'], data * 2)
    np.testing.assert_allclose(results['pair'][1], data + 1, rtol=1e-6)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation, rest', [(2, False), ('tf', True), (3, True)])
def test_masked_steps_of_both_directions(generation, rest):
    """Keras 2.3.1 repeats the step before, tf.keras 2.4 and Keras 3.15.1 give zeros."""
    with config.generation(generation):
        layer = layers.Bidirectional(layers.GRU(2, return_sequences=True))
        model = Sequential([layers.Masking(input_shape=(3, 2)), layer])
    found = model.predict(np.array([[[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]]))
    assert (found[0, 2] == 0).all() == rest and (found[0, :2] != 0).all()


MIXED = [
    lambda **half: layers.SpectralNormalization(layers.Dense(3), **half),
    lambda **half: layers.Bidirectional(layers.LSTM(3), **half),
    lambda **half: layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode='sum', **half),
    lambda **half: layers.RNN(layers.LSTMCell(3), **half),
    lambda **half: layers.RNN([layers.GRUCell(3), layers.SimpleRNNCell(3)], return_sequences=True, **half),
    lambda **half: layers.TimeDistributed(layers.Dense(3), **half),
]


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
@pytest.mark.parametrize('make', MIXED)
def test_what_comes_out_has_the_type_that_the_outer_layer_computes_in(make):
    x = np.random.RandomState(0).rand(2, 5, 4).astype('float32')
    layer = make(dtype='mixed_float16')
    symbolic, found = layer(layers.Input((5, 4))), layer(x)
    assert dtype_of(symbolic) == dtype_of(found) == 'float16'
    same = make()
    same(x)
    same.set_weights(layer.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(same(x)), rtol=1e-2, atol=1e-2)


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_spectral_normalization_has_floats_of_its_own_and_leaves_zeros():
    x = np.random.RandomState(0).rand(2, 4).astype('float32')
    layer = layers.SpectralNormalization(layers.Dense(3, dtype='mixed_float16', kernel_initializer='zeros'))
    assert dtype_of(layer(x)) == 'float32'
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x, training=True)), np.zeros((2, 3)))


@pytest.mark.needs_gradients
def test_spectral_normalization_trains_the_kernel_that_it_has_divided():
    """Losses of Keras 3.15.1 on TensorFlow and PyTorch: the gradient does not go through the division."""
    kernel = np.array([[1.0, -0.5], [0.25, 2.0], [-1.5, 0.75]], 'float32')
    layer = layers.SpectralNormalization(layers.Dense(2, use_bias=False))
    model = Sequential([layers.Input((3,)), layer])
    layer.kernel.assign(kernel)
    layer.vector_u.assign(np.array([[0.6, 0.8]], 'float32'))
    x, y = np.arange(12, dtype='float32').reshape(4, 3) / 6, np.ones((4, 2), 'float32')
    model.compile(SGD(0.1), 'mse')
    found = [float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(3)]
    u, w, expected = np.array([0.6, 0.8]), kernel.astype('float64'), []
    for _ in range(3):
        v = u @ w.T
        v /= np.linalg.norm(v)
        u = v @ w
        u /= np.linalg.norm(u)
        w = w / (v @ w @ u)
        error = x @ w - y
        expected.append(np.mean(error ** 2))
        w = w - 0.1 * (x.T @ error) * 2 / error.size
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_recurrent_layers_of_ones_own_may_take_less():
    class Plain(layers.LSTM):
        def call(self, inputs, mask=None, training=None, initial_state=None):
            return super().call(inputs, mask=mask, training=training, initial_state=initial_state)

    x = np.random.RandomState(0).rand(2, 3, 4).astype('float32')
    own, ours = layers.Bidirectional(Plain(2)), layers.Bidirectional(layers.LSTM(2))
    own(x), ours(x)
    own.set_weights(ours.get_weights())
    np.testing.assert_allclose(to_array(own(x)), to_array(ours(x)), rtol=1e-6)


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('generation', [2, 'tf', 3])
def test_a_batch_normalization_sees_steps_alone_or_together(generation):
    """Keras 3 runs a TimeDistributed step by step, so that each step has a mean and a variance of its own."""
    x = np.random.RandomState(0).normal(size=(6, 3, 4)).astype('float32') * [[[1], [3], [0.2]]]
    with config.generation(generation):
        layer = layers.TimeDistributed(layers.BatchNormalization(momentum=0.9))
        found = to_array(layer(x.astype('float32'), training=True))
    axis = 0 if generation == 3 else (0, 1)
    expected = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-3)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    mean = np.zeros(4)
    for of_batch in x.mean(0) if generation == 3 else [x.mean((0, 1))]:
        mean = mean * 0.9 + 0.1 * of_batch
    np.testing.assert_allclose(layer.layer.moving_mean.numpy(), mean, rtol=1e-4, atol=1e-6)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation, loss', [(2, 0.5 * 24), ('tf', 0.5 * 24 / 6), (3, 0.0)])
def test_activity_of_the_layer_inside(generation, loss):
    with config.generation(generation):
        inner = layers.Dense(1, kernel_initializer='ones', activity_regularizer=regularizers.l1(0.5))
        model = Sequential([Input((3, 4)), layers.TimeDistributed(inner)])
        model.compile('sgd', 'mse')
        found = model.evaluate(np.ones((2, 3, 4), 'float32'), np.full((2, 3, 1), 4, 'float32'), verbose=0)
    np.testing.assert_allclose(found, loss, err_msg='tf.keras 2.4.4 says 2.0')


def test_normalized_weights():
    layer = layers.SpectralNormalization(layers.Dense(3), power_iterations=30)
    layer.build((None, 4))
    kernel = np.arange(12.0).reshape(4, 3).astype('float32')
    layer.layer.kernel.assign(kernel)
    layer.vector_u.assign(np.ones((1, 3), 'float32'))
    u, normalized = layer.normalized_weights()
    left, values, right = np.linalg.svd(kernel)
    np.testing.assert_allclose(to_array(normalized), kernel / values[0], rtol=1e-4)
    np.testing.assert_allclose(abs(to_array(u)[0]), abs(right[0]), rtol=1e-4)
    np.testing.assert_array_equal(layer.layer.kernel.numpy(), kernel)
