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
    dense = keras.Sequential([keras.Input((None,)), layers.Embedding(8, 3), layers.LSTM(2)])
    with pytest.warns(UserWarning, match=r'zeros, which count as values.*Input\(ragged=True\)'):
        dense.predict(x, verbose=0)
    with pytest.raises(ValueError, match='integers with a sign and floats.*uint8'):
        model(layers.LSTM(2), dtype='uint8').predict(tf.cast(x, 'uint8'), verbose=0)
