"""Masks in custom layers and functional graphs, as Keras 2 has them."""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras.layers import (
    LSTM, Add, Concatenate, Dense, Embedding, Input, Lambda, Layer, Masking, Maximum, Subtract, TimeDistributed,
    concatenate)
from keras.models import Model

WORDS = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
MASK = WORDS != 0


class Mean(Layer):
    """The mean over the steps that count; the mask ends here."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x, mask=None):
        if mask is None:
            return K.mean(x, axis=1)
        mask = K.expand_dims(K.cast(mask, K.floatx()))
        return K.sum(x * mask, axis=1) / K.sum(mask, axis=1)

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[2]


class EverySecond(Layer):
    """Every second step, and of the mask as well."""
    supports_masking = True

    def call(self, x, mask=None):
        return x[:, ::2]

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[:, ::2]

    def compute_output_shape(self, input_shape):
        return input_shape[0], (input_shape[1] + 1) // 2, input_shape[2]


class Scale(Layer):
    """Passes its mask on because it says that it supports masks."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x):
        return x * 2.0


def embedded(x):
    return Embedding(4, 3, mask_zero=True)(x)


def mean(values, mask):
    weights = mask[..., None].astype('float32')
    return (values * weights).sum(1) / weights.sum(1)


def test_the_mask_reaches_the_layer_that_asks_for_it():
    x = Input((None,), dtype='int32')
    embedding = Embedding(4, 3, mask_zero=True)
    model = Model(x, Mean()(Scale()(embedding(x))))
    table = embedding.get_weights()[0]
    np.testing.assert_allclose(model.predict(WORDS), mean(2 * table[WORDS], MASK), rtol=1e-5, atol=1e-6)


def test_a_layer_may_make_another_mask():
    x = Input((4,), dtype='int32')
    embedding = Embedding(4, 3, mask_zero=True)
    second = EverySecond()
    model = Model(x, Mean()(second(embedding(x))))
    table = embedding.get_weights()[0]
    np.testing.assert_allclose(model.predict(WORDS), mean(table[WORDS][:, ::2], MASK[:, ::2]), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(K.function([x], [second.input_mask, second.output_mask])([WORDS])[1], MASK[:, ::2])
    np.testing.assert_array_equal(K.function([x], [embedding.get_output_mask_at(0)])([WORDS])[0], MASK)


def test_a_mask_given_by_hand_wins():
    x, mask = Input((4, 3)), Input((4,), dtype='bool')
    model = Model([x, mask], Mean()(x, mask=mask))
    values = np.random.RandomState(0).randn(2, 4, 3).astype('float32')
    np.testing.assert_allclose(model.predict([values, MASK]), mean(values, MASK), rtol=1e-5, atol=1e-6)


def test_compute_mask_on_symbolic_tensors():
    x = Input((4,), dtype='int32')
    mask = Embedding(4, 3, mask_zero=True).compute_mask(x)
    np.testing.assert_array_equal(K.function([x], [mask])([WORDS])[0], MASK)
    values = Input((4, 2))
    found = K.function([values], [Masking(5.0).compute_mask(values)])([np.array([[[5, 5], [5, 1], [0, 0], [5, 5]]])])
    np.testing.assert_array_equal(found[0], [[False, True, True, False]])


def test_layers_that_do_not_support_masks():
    x = Input((4,), dtype='int32')

    class Plain(Layer):
        def call(self, x):
            return x
    with pytest.raises(TypeError, match='plain.* does not support masking'):
        Plain()(embedded(x))
    with pytest.raises(TypeError, match='does not support masking'):
        Plain().compute_mask([x], np.array([[True, False]]))
    assert Plain().compute_mask([x], [None]) is None
    with keras.config.generation(3), pytest.warns(UserWarning, match='does not support masking'):
        y = Plain()(embedded(x))
    assert y.mask is None


@pytest.mark.parametrize('layer', [Add(), Subtract(), Concatenate(axis=1)])
def test_merges_want_one_mask_per_input(layer):
    x, y = Input((4, 5)), Input((4, 5))
    mask = np.ones((2, 4), bool)
    assert layer.compute_mask([x, y], [None, None]) is None
    for inputs, masks in (([x, y], mask), (x, [None, None]), ([x, y], [None]), ([x, y], [None] * 3)):
        with pytest.raises(ValueError, match='should (be a list|have the same length)'):
            layer.compute_mask(inputs, masks)


def test_the_least_number_of_inputs_of_a_merge():
    x = Input((4, 5))
    for layer in (Add, Maximum, Concatenate):
        with pytest.raises(ValueError, match='at least 2 input.* Received 1'):
            layer()([x])
        for generation in ('tf', 3):
            with keras.config.generation(generation):
                assert layer()([x]).shape == (None, 4, 5)


def test_a_list_of_inputs_that_goes_on_growing():
    x = Input((None, 1))
    inputs = [x, x]
    y = Add()(inputs)
    inputs.append(y)
    model = Model(x, Add()(inputs))
    np.testing.assert_array_equal(model.predict(np.ones((1, 1, 1))), [[[4.0]]])


def test_the_mask_of_several_outputs_is_a_list():
    x = Input((3,))
    model = Model(x, [Dense(2)(x), Dense(2)(x)])
    assert model.compute_mask([x], [None]) == [None, None]
    assert Model(x, Dense(2)(x)).compute_mask([x], [None]) is None


def test_lambdas_and_merges():
    x = Input((4,), dtype='int32')
    e = embedded(x)
    shifted = Lambda(lambda t, mask=None: t + 1.0, mask=lambda inputs, mask=None: mask)(e)
    joined = concatenate([e, shifted])
    np.testing.assert_array_equal(K.function([x], [joined.mask])([WORDS])[0], MASK)


def test_recurrent_layers_with_masks():
    x = Input((None,), dtype='int32')
    embedding = Embedding(4, 3, mask_zero=True)
    lstm = LSTM(2)
    model = Model(x, lstm(embedding(x)))
    for row, length in zip(WORDS, MASK.sum(1)):
        np.testing.assert_allclose(model.predict(row[None]), model.predict(row[None, :length]), rtol=1e-4, atol=1e-5)


def test_masks_of_outputs_weigh_the_loss():
    x = Input((4,), dtype='int32')
    embedding = Embedding(4, 3, mask_zero=True)
    output = TimeDistributed(Dense(1))(embedding(x))
    model = Model(x, output)
    model.compile('sgd', 'mae', sample_weight_mode='temporal')
    targets = np.random.RandomState(1).randn(2, 4, 1).astype('float32')
    errors = np.abs(model.predict(WORDS) - targets)[..., 0]
    assert model.test_on_batch(WORDS, targets) == pytest.approx((errors * MASK).sum() / 8, rel=1e-4)
    weights = np.array([[1, 2, 3, 4], [0, 1, 0, 1]], 'float32')
    assert model.test_on_batch(WORDS, targets, sample_weight=weights) == pytest.approx(
        (errors * MASK * weights).sum() / 8, rel=1e-4)


@pytest.mark.needs_gradients
def test_steps_that_are_masked_get_no_gradient():
    x = Input((4, 2))
    model = Model(x, Mean()(Masking(0.0)(x)))
    values = np.ones((1, 4, 2), 'float32')
    values[0, 2:] = 0
    slope = K.function([x], K.gradients(K.sum(model.output), x))([values])[0]
    np.testing.assert_allclose(slope[0], [[0.5, 0.5], [0.5, 0.5], [0, 0], [0, 0]], atol=1e-6)


def test_masks_on_values():
    layer, embedding = Mean(), Embedding(4, 3, mask_zero=True)
    model = keras.Sequential([embedding, layer])
    found = K.eval(model(WORDS))
    np.testing.assert_allclose(found, mean(embedding.get_weights()[0][WORDS], MASK), rtol=1e-5, atol=1e-6)


@pytest.mark.on('numpy', 'torch')
def test_a_query_that_may_attend_to_nothing_gets_nothing_in_keras_3():
    x = np.arange(24, dtype='float32').reshape(1, 4, 6)
    for generation, weight in [('tf', 0.25), (3, 0.0)]:
        with keras.config.generation(generation):
            layer = keras.layers.MultiHeadAttention(1, 2)
        _, scores = layer(x, x, attention_mask=np.tril(np.ones((1, 4, 4), bool), -1), return_attention_scores=True)
        scores = keras.ops.convert_to_numpy(scores)
        assert np.allclose(scores[0, 0, 0], weight) and np.allclose(scores[0, 0, 1], [1, 0, 0, 0])


@pytest.mark.parametrize('generation, counts, values', [
    (2, [[0, 0, 0, 0]], {'Multiply': [0, 0, 0, 0], 'Maximum': [0, 0, 0, 5], 'Minimum': [0, -2, -3, 0]}),
    (3, [[0, 1, 1, 1]], {'Multiply': [0, -2, -3, 5], 'Maximum': [0, -2, -3, 5], 'Minimum': [0, -2, -3, 5]})])
def test_merging_of_masked_tensors(generation, counts, values):
    first, second = np.array([[[0.], [-2.], [0.], [5.]]], 'float32'), np.array([[[0.], [0.], [-3.], [0.]]], 'float32')
    with keras.config.generation(generation):
        inputs = [Input((4, 1)), Input((4, 1))]
        for name, expected in values.items():
            merged = getattr(keras.layers, name)()([Masking()(x) for x in inputs])
            result, mask = Model(inputs, [merged, Lambda(lambda x: K.cast(x, 'float32'))(merged.mask)]).predict(
                [first, second])
            np.testing.assert_array_equal(result[0, :, 0], expected)
            np.testing.assert_array_equal(mask, counts)
        masked, both = Masking()(inputs[0]), keras.layers.Add()([Masking()(inputs[0]), inputs[1]])
        assert (both.mask is None) == (generation == 3)
        across = Concatenate(axis=2)([masked, inputs[1]])
        mask = Model(inputs, Lambda(lambda x: K.cast(x, 'float32'))(across.mask)).predict([first, second])
        np.testing.assert_array_equal(mask, [[1, 1, 1, 1]] if generation == 3 else [[0, 1, 0, 1]])
        three = keras.layers.Maximum()([masked, inputs[1], Masking()(inputs[1])])
        np.testing.assert_array_equal(Model(inputs, three).predict([first, second])[0, :, 0], [0, 0, 0, 5]
                                      if generation == 2 else [0, 0, -3, 5])


def test_masks_of_several_tensors():
    class Both(Layer):
        def call(self, x, y, x_mask=None, y_mask=None):
            return K.cast(x_mask, 'float32') + 2 * K.cast(y_mask, 'float32')

        def compute_output_shape(self, input_shape):
            return input_shape[:2]

    with keras.config.generation(3):
        x, y = Input((4,), dtype='int32'), Input((4,), dtype='int32')
        embedding, both = Embedding(4, 2, mask_zero=True), Both()
        model = Model([x, y], both(embedding(x), embedding(y)))
        expected = (WORDS != 0) + 2 * (WORDS[::-1] != 0)
        np.testing.assert_array_equal(model.predict([WORDS, WORDS[::-1]]), expected)
        copy = Model.from_config(model.get_config(), {'Both': Both})
        np.testing.assert_array_equal(copy.predict([WORDS, WORDS[::-1]]), expected)
        found = both(embedding(WORDS), y=embedding(WORDS[::-1].copy()))
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected)


def test_a_mask_stays_where_the_tensor_is_cast():
    class Seen(Layer):
        supports_masking = True

        def call(self, x, mask=None):
            self.mask = mask
            return x

    with keras.config.generation(3):
        tensor = keras.ops.convert_to_tensor(np.zeros((1, 2), 'float32'))
        keras.utils.internals.set_keras_mask(tensor, keras.ops.convert_to_tensor(np.array([True, False])))
        layer = Seen(dtype='float64')
        layer(tensor)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer.mask), [True, False])


def test_an_empty_batch_has_no_activity():
    with keras.config.generation(3):
        layer = Dense(2, activity_regularizer='l2')
        layer(np.ones((0, 5), 'float32'))
    assert float(keras.ops.convert_to_numpy(layer.losses[0])) == 0.0


def test_embeddings_without_mask_zero_pass_no_mask_on():
    """As in Keras 2 and 3, whose `compute_mask` gives None there: the numbers are no longer what was masked."""
    embedding = Embedding(4, 3)
    assert embedding.compute_mask(np.ones((2, 3)), np.ones((2, 3), bool)) is None
    masked = Masking()(Input((2, 3)))
    assert masked.mask is not None and embedding(masked).mask is None
