"""Attention where a mask leaves nothing to attend to: the mean of the values, and no gradient, whatever kernel runs."""
import numpy as np
import pytest

from keras import KerasTensor, config, layers, ops
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import Variable, to_array
from keras.backend.table.primitives import multiply, sum as total

RANDOM = np.random.RandomState(0)
ALLOWED = np.array([[[True, False, True], [False] * 3, [True] * 3, [False, True, False]]])
FACTORS = RANDOM.normal(size=(1, 4, 2, 5)).astype('float32')


def tensors():
    return [RANDOM.normal(size=(1, length, 2, 5)).astype('float32') for length in (4, 3, 3)]


def softmax_attention(query, key, value):
    """(Outputs, gradients of the sum of outputs times FACTORS by query, key, value), in NumPy."""
    scores = np.einsum('bthw,bshw->bhts', query, key) / np.sqrt(5)
    scores = np.where(ALLOWED[:, None], scores, -np.inf)
    scores[:, :, 1] = 0
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    by_weights = np.einsum('bthw,bshw->bhts', FACTORS, value)
    by_scores = weights * (by_weights - (by_weights * weights).sum(-1, keepdims=True)) / np.sqrt(5)
    by_scores[:, :, 1] = 0
    return np.einsum('bhts,bshw->bthw', weights, value), [
        np.einsum('bhts,bshw->bthw', by_scores, key), np.einsum('bhts,bthw->bshw', by_scores, query),
        np.einsum('bhts,bthw->bshw', weights, FACTORS)]


@pytest.mark.needs_gradients
def test_no_gradient_through_a_query_that_attends_nowhere():
    given = tensors()
    expected, gradients = softmax_attention(*given)
    variables = [Variable(x) for x in given]

    def loss():
        outputs = ops.dot_product_attention(*[x.value for x in variables], mask=get_engine().convert(ALLOWED[:, None]))
        return total(multiply(outputs, get_engine().convert(FACTORS))), outputs
    (_, outputs), found = get_engine().value_and_grad(loss, variables)
    np.testing.assert_allclose(to_array(outputs), expected, atol=1e-5)
    for ours, theirs in zip(found, gradients):
        np.testing.assert_allclose(to_array(ours), theirs, atol=1e-5)


@pytest.mark.parametrize('causal', [False, True])
def test_the_mean_of_the_values_in_float16(causal):
    query, key, value = [(4 * x).astype('float16') for x in tensors()]
    outputs = to_array(ops.dot_product_attention(query, key, value, mask=ALLOWED[:, None], is_causal=causal))
    np.testing.assert_allclose(outputs[:, 1], value.astype('float32').mean(1), atol=2e-2)
    if causal:
        np.testing.assert_allclose(outputs[:, 0], value[:, 0], atol=1e-2)


@pytest.mark.parametrize('make', [lambda: layers.MultiHeadAttention(2, 5), lambda: layers.GroupQueryAttention(5, 4, 2)])
def test_layers(make):
    """What a masked query gives, and by whole rows of a mask of attention, is what the mean of the values gives."""
    with config.generation(3):
        layer = make()
        query, value = RANDOM.normal(size=(1, 4, 6)), RANDOM.normal(size=(1, 3, 6))
        outputs = to_array(layer(query, value, attention_mask=ALLOWED))
        values = to_array(layer.value_dense(value)).mean(1, keepdims=True)
        heads = 4 // values.shape[2] if isinstance(layer, layers.GroupQueryAttention) else 1
        mean = to_array(layer.output_dense(np.repeat(values, heads, 2)))
        np.testing.assert_allclose(outputs[:, 1], mean[:, 0], atol=1e-5)
        assert np.abs(outputs[:, 0] - mean[:, 0]).max() > 1e-3


def test_query_mask_of_grouped_queries():
    """It counts as an argument, too, as in Keras 3.15.1, whose `MultiHeadAttention` looks at the query's own alone."""
    with config.generation(3):
        layer = layers.GroupQueryAttention(5, 4, 2)
        query, value = RANDOM.normal(size=(1, 4, 6)), RANDOM.normal(size=(1, 3, 6))
        mask = np.array([[True, False, True, True]])
        outputs = to_array(layer(query, value, query_mask=mask))
        by_rows = to_array(layer(query, value, attention_mask=np.repeat(mask[:, :, None], 3, 2)))
        plain = to_array(layer(query, value))
        np.testing.assert_allclose(outputs, by_rows, atol=1e-5)
        np.testing.assert_allclose(outputs[mask], plain[mask], atol=1e-5)
        assert np.abs(outputs - plain)[:, 1].max() > 1e-3


@pytest.mark.on('torch', 'jax', 'tensorflow')
def test_masks_of_numbers_and_infinite_biases():
    draw = np.random.RandomState(0)
    q, k, v = [draw.randn(1, 3, 2, 4).astype('float32') for _ in range(3)]
    allowed = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1]], bool)[None, None]
    bias = np.where(np.tril(np.ones((3, 3), bool)), 0.0, -np.inf).astype('float32')[None, None]
    logits = np.einsum('bqhd,bkhd->bhqk', q, k) / 2.0
    logits = np.where(allowed & (bias == 0), logits, -np.inf)
    logits[:, :, 0] = 0.0
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    expected = np.einsum('bhqk,bkhd->bqhd', weights / weights.sum(-1, keepdims=True), v)
    for mask in (allowed, allowed.astype('int32') * 255):
        found = ops.dot_product_attention(q, k, v, bias=bias, mask=mask, flash_attention=False)
        np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.on('numpy')
def test_unknown_numbers_of_heads():
    """The shapes that Keras 3.15.1 gives."""
    query = KerasTensor((2, 4, None, 8))
    for mask in ((2, None, 4, 4), (None, None, None, None), (4, 4)):
        found = ops.dot_product_attention(query, query, query, mask=KerasTensor(mask, 'bool'))
        assert found.shape == (2, 4, None, 8)
    with pytest.raises(ValueError, match='have to be known'):
        ops.dot_product_attention(query, KerasTensor((2, 4, 3, 8)), KerasTensor((2, 4, 3, 8)))


def test_a_bias_keeps_its_numbers_and_the_type_of_floats():
    integers = np.ones((1, 3, 2, 4), 'int32') * np.arange(3, dtype='int32')[None, :, None, None]
    bias = np.ones((1, 2, 3, 3), 'float32') * np.array([0.9, 0, 0], 'float32')
    found = to_array(ops.dot_product_attention(*[integers] * 3, bias=bias))
    floats = to_array(ops.dot_product_attention(*[integers.astype('float32')] * 3, bias=bias))
    np.testing.assert_allclose(found, floats, rtol=1e-5)
