"""Ragged tensors of TensorFlow as inputs: the results are those of each row by itself."""
import copy

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('tensorflow')
ROWS = [[3, 1, 4, 1], [5, 2], [6], [2, 2, 3]]
Y = np.arange(4.0)[:, None].astype('float32')


@pytest.fixture
def tf():
    return pytest.importorskip('tensorflow')


@pytest.fixture
def x(tf):
    return tf.ragged.constant(ROWS, dtype=tf.int64)


def model(*parts, **options):
    inputs = keras.Input((None,), ragged=True, **options)
    outputs = layers.Embedding(8, 3)(inputs)
    for part in parts:
        outputs = part(outputs)
    return keras.Model(inputs, outputs)


def row_by_row(model):
    return np.concatenate([model.predict(np.array([row]), verbose=0) for row in ROWS])


@pytest.mark.parametrize('dtype', ['float32', 'int64', 'int32'])
@pytest.mark.parametrize('parts', [
    lambda: [layers.LSTM(2)], lambda: [layers.GlobalAveragePooling1D(), layers.Dense(1)],
    lambda: [layers.Dense(2, activation='tanh'), layers.Bidirectional(layers.GRU(2, return_sequences=True)),
             layers.TimeDistributed(layers.Dense(2)), layers.SimpleRNN(2)]])
def test_short_rows_give_what_they_give_alone(x, parts, dtype):
    tested = model(*parts(), dtype=dtype)
    expected = row_by_row(tested)
    np.testing.assert_allclose(tested.predict(x, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(tested.predict(x, batch_size=3, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(tested(x), expected, atol=1e-6)


def test_rows_of_vectors(tf):
    inputs = keras.Input((None, 2), ragged=True)
    tested = keras.Model(inputs, layers.LSTM(2)(layers.Dense(3)(inputs)))
    x = tf.RaggedTensor.from_row_lengths(np.random.RandomState(0).rand(6, 2).astype('float32'), [1, 2, 3])
    expected = np.concatenate([tested.predict(x[number].numpy()[None], verbose=0) for number in range(3)])
    np.testing.assert_allclose(tested.predict(x, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(tested(x), expected, atol=1e-6)


def test_training_is_that_on_masked_padding(tf, x):
    tested = model(layers.LSTM(2), layers.Dense(1))
    padded = keras.Sequential([keras.Input((None,)), layers.Embedding(9, 3, mask_zero=True), layers.LSTM(2),
                               layers.Dense(1)])
    embeddings, *others = tested.get_weights()
    padded.set_weights([np.concatenate([np.zeros((1, 3), 'float32'), embeddings])] + others)
    data = np.array([[number + 1 for number in row] + [0] * (4 - len(row)) for row in ROWS])
    losses = []
    for trained, fed in ((tested, x), (padded, data)):
        trained.compile('sgd', 'mse')
        losses.append(trained.fit(fed, Y, epochs=2, batch_size=2, shuffle=False, verbose=0).history['loss'])
        losses[-1].append(trained.evaluate(fed, Y, verbose=0))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    batches = tf.data.Dataset.from_tensor_slices((x, Y)).batch(2)
    np.testing.assert_allclose(tested.evaluate(batches, verbose=0), losses[0][-1], rtol=1e-5)


def test_models_in_models_several_inputs_and_stacks(x):
    inputs = [keras.Input((None,), ragged=True), keras.Input((None,), ragged=True)]
    embedding = layers.Embedding(8, 3)
    both = layers.Concatenate(axis=1)([embedding(each) for each in inputs])
    tested = keras.Model(inputs, layers.LSTM(2)(both))
    expected = np.concatenate([tested.predict([np.array([row]), np.array([row])], verbose=0) for row in ROWS])
    np.testing.assert_allclose(tested.predict([x, x], verbose=0), expected, atol=1e-6)
    inner, outer = model(layers.LSTM(2)), keras.Input((None,), ragged=True)
    tested = keras.Model(outer, layers.Dense(1)(inner(outer)))
    np.testing.assert_allclose(tested.predict(x, verbose=0), row_by_row(tested), atol=1e-6)
    tested = keras.Sequential([keras.Input((None,), ragged=True), layers.Embedding(8, 3), layers.LSTM(2)])
    np.testing.assert_allclose(tested.predict(x, verbose=0), row_by_row(tested), atol=1e-6)


def test_files_and_copies_take_ragged_tensors_too(x, tmp_path):
    tested = model(layers.LSTM(2))
    expected = row_by_row(tested)
    others = [copy.deepcopy(tested), keras.models.clone_model(tested)]
    others[1].set_weights(tested.get_weights())
    for name in ('a.keras', 'a.h5'):
        tested.save(str(tmp_path / name))
        others.append(keras.models.load_model(str(tmp_path / name), compile=False))
    for other in others:
        np.testing.assert_allclose(other.predict(x, verbose=0), expected, atol=1e-6)


def test_layers_that_are_called_one_by_one(x):
    embedding, lstm = layers.Embedding(8, 3), layers.LSTM(2)
    expected = np.concatenate([lstm(embedding(np.array([row]))) for row in ROWS])
    np.testing.assert_allclose(lstm(embedding(x)), expected, atol=1e-6)


def test_texts_of_their_own_lengths(tf):
    vectorize = layers.TextVectorization(ragged=True)
    vectorize.adapt(['a b c', 'b c d'])
    inputs = keras.Input((), dtype='string')
    tested = keras.Model(inputs, layers.LSTM(2)(layers.Embedding(8, 3)(vectorize(inputs))))
    texts = ['a b', 'c', 'a d b c']
    expected = np.concatenate([tested.predict(tf.constant([text]), verbose=0) for text in texts])
    np.testing.assert_allclose(tested.predict(tf.constant(texts), verbose=0), expected, atol=1e-6)


def test_what_counts_the_zeros_says_so(tf, x):
    with pytest.raises(TypeError, match='does not support masking'):
        model(layers.GlobalMaxPooling1D())
    dense = keras.Sequential([keras.Input((None,)), layers.Embedding(8, 3), layers.GlobalMaxPooling1D()])
    with pytest.warns(UserWarning, match=r'zeros, which count as values.*Input\(ragged=True\)'):
        dense.predict(x, verbose=0)
    with pytest.raises(ValueError, match='integers with a sign and floats.*uint8'):
        model(layers.LSTM(2), dtype='uint8').predict(tf.cast(x, 'uint8'), verbose=0)


class Pooled(layers.Layer):
    """Means of rows, as a script takes them from a ragged tensor."""

    def call(self, x):
        import tensorflow as tf
        return tf.reduce_mean(x, axis=1)


class Doubled(layers.Layer):
    def call(self, x):
        return x * 2


class Script(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding, self.pooled, self.dense = layers.Embedding(8, 3), Pooled(), layers.Dense(1)

    def call(self, x):
        return self.dense(self.pooled(self.embedding(x)))


def lists(x):
    return x.to_list()


def test_layers_of_ours_give_ragged_tensors_for_ragged_ones(tf, x):
    embedding, dense = layers.Embedding(8, 3), layers.Dense(2, activation='tanh')
    found = dense(embedding(x))
    assert isinstance(found, tf.RaggedTensor) and found.shape.as_list() == [4, None, 2]
    for row, values in zip(ROWS, found):
        np.testing.assert_allclose(values, dense(embedding(np.array([row])))[0], atol=1e-6)
    assert not isinstance(layers.LSTM(2)(found), tf.RaggedTensor)


def test_code_of_scripts_gets_the_ragged_tensor_itself(tf, x):
    rows = layers.Embedding(8, 3)(x)
    expected = [np.mean(row, 0) for row in lists(rows)]
    for layer in (Pooled(), layers.Lambda(lambda t: tf.reduce_mean(t, axis=1)), keras.Sequential([Pooled()])):
        np.testing.assert_allclose(layer(rows), expected, atol=1e-6)
    assert lists(Doubled()(x)) == [[2 * number for number in row] for row in ROWS]


def test_models_of_scripts(tf, x):
    tested = Script()
    expected = np.concatenate([tested(tf.ragged.constant([row])) for row in ROWS])
    np.testing.assert_allclose(tested(x), expected, atol=1e-6)
    np.testing.assert_allclose(tested.predict(x, verbose=0, batch_size=3), expected, atol=1e-6)
    tested.compile('sgd', 'mse')
    np.testing.assert_allclose(tested.evaluate(x, Y, verbose=0), np.mean((expected - Y) ** 2), rtol=1e-5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((tested(x) - Y) ** 2)
    before, gradient = tested.dense.get_weights()[0], tape.gradient(loss, tested.dense.trainable_weights[0])
    tested.fit(x, Y, batch_size=4, verbose=0)
    np.testing.assert_allclose(tested.dense.get_weights()[0], before - 0.01 * gradient, rtol=1e-5)


def test_layers_of_scripts_inside_of_graphs(tf, x):
    inputs = keras.Input((None,), ragged=True)
    doubled = Doubled()(inputs)
    assert doubled.ragged
    tested = keras.Model(inputs, layers.LSTM(2)(layers.Embedding(16, 3)(doubled)))
    np.testing.assert_allclose(tested.predict(x, verbose=0), row_by_row(tested), atol=1e-6)
    tested = keras.Model(inputs, Pooled()(layers.Embedding(8, 3)(inputs)))
    np.testing.assert_allclose(tested.predict(x, verbose=0), row_by_row(tested), atol=1e-6)
    np.testing.assert_allclose(tested(x), row_by_row(tested), atol=1e-6)


@pytest.mark.parametrize('ragged', [True, False])
def test_outputs_in_rows_come_out_so(tf, x, ragged):
    inputs = keras.Input((None,), **({'ragged': True} if ragged else {}))
    tested = keras.Model(inputs, layers.Dense(2)(layers.Embedding(8, 3)(inputs)))
    weights = tested.get_weights()
    for found in (tested(x), tested.predict(x, verbose=0), tested.predict(x, batch_size=3, verbose=0),
                  tested.predict_on_batch(x)):
        assert isinstance(found, tf.RaggedTensor)
        for row, values in zip(ROWS, found):
            np.testing.assert_allclose(values, weights[0][row] @ weights[1] + weights[2], atol=1e-6)


@pytest.mark.parametrize('make', [Doubled, Script, lambda: keras.Model(*(lambda x: (x, Doubled()(x)))(
    keras.Input((None,))))], ids=['layer', 'model', 'graph'])
def test_stacks_that_are_not_built_yet(tf, x, make):
    part = make()
    stack = keras.Sequential([part])
    stack.compile('sgd', 'mse')
    stack.fit(tf.cast(x, 'float32'), Y if make is Script else tf.cast(x, 'float32'), verbose=0)
    found, expected = stack.predict(x, verbose=0), part(x)
    if make is Script:
        np.testing.assert_allclose(found, expected, atol=1e-6)
    else:
        assert lists(found) == lists(expected)


def test_losses_of_rows_are_the_means_of_rows(tf):
    x, y = tf.ragged.constant([[1.], [2, 3, 4]]), tf.ragged.constant([[0.], [1, 1, 4]])
    tested = keras.Sequential([keras.Input((None,), ragged=True), layers.Lambda(lambda t: t * 1.)])
    tested.compile('sgd', 'mse')
    np.testing.assert_allclose(tested.evaluate(x, y, verbose=0), np.mean([1., np.mean([1., 4., 0.])]), rtol=1e-6)
    tested.compile('sgd', 'cosine_similarity')
    with pytest.raises(ValueError, match='cosine_similarity.*is not a mean over their values'):
        tested.evaluate(x, y, verbose=0)
    tested.compile('sgd', lambda y_true, y_pred: keras.ops.sum(y_pred - y_true))
    with pytest.warns(UserWarning, match='filled up with zeros, which it may count'):
        np.testing.assert_allclose(tested.evaluate(x, y, verbose=0), 4.0)


def test_operations_on_symbols(tf, x):
    inputs = keras.Input((None,), ragged=True)
    tested = keras.Model(inputs, layers.LSTM(2)(layers.Embedding(8, 3)(inputs) * 2. + 1.))
    np.testing.assert_allclose(tested.predict(x, verbose=0), row_by_row(tested), atol=1e-6)
    for function in (lambda t: keras.ops.mean(t, axis=1), lambda t: tf.reduce_mean(t, axis=1)):
        with pytest.warns(UserWarning, match='filled up with zeros, which count here'):
            function(layers.Embedding(8, 3)(inputs))


def test_conversions(tf, x):
    assert keras.ops.convert_to_tensor(x) is x and keras.ops.convert_to_tensor(x, dtype='int32').dtype == tf.int32
    padded = [row + [0] * (4 - len(row)) for row in ROWS]
    dense = keras.ops.convert_to_tensor(x, ragged=False)
    assert not isinstance(dense, tf.RaggedTensor)
    np.testing.assert_array_equal(dense, padded)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(x), padded)
    assert tuple(keras.ops.shape(x)) == (4, None) and keras.ops.ndim(x) == 2 and keras.ops.dtype(x) == 'int64'
    assert keras.ops.is_tensor(x)


def test_numbers_of_all_values(tf):
    x = tf.ragged.constant([[1., 2., 3.], [4.], [5., 6.]])
    assert float(keras.ops.mean(x)) == 3.5 and float(keras.ops.max(-x)) == -1.0
    assert keras.ops.multiply(x, np.float32(2)).to_list() == [[2., 4., 6.], [8.], [10., 12.]]
    with pytest.warns(UserWarning, match='filled up with zeros'):
        keras.ops.mean(x, axis=1)
