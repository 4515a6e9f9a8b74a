"""Subclasses of MultiHeadAttention that go by the names it has inside of Keras 3, as those of KerasHub do."""

import numpy as np

from keras import layers, ops


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def reference(layer, x, allowed=None):
    """The layer in NumPy, and its weights of the values."""
    (wq, bq), (wk, bk), (wv, bv), (wo, bo) = [
        [w.numpy() for w in dense.weights]
        for dense in (layer.query_dense, layer.key_dense, layer.value_dense, layer.output_dense)
    ]
    q, k, v = [np.einsum('btz,znh->btnh', x, w) + b for w, b in ((wq, bq), (wk, bk), (wv, bv))]
    scores = np.einsum('btnh,bsnh->bnts', q, k) / np.sqrt(q.shape[-1])
    if allowed is not None:
        scores = np.where(allowed, scores, -1e9)
    weights = softmax(scores)
    return np.einsum('btnh,nhz->btz', np.einsum('bnts,bsnh->btnh', weights, v), wo) + bo, weights


class Cached(layers.MultiHeadAttention):
    def call(self, query, value, return_scores=False):
        result, scores = self._compute_attention(
            query=self._query_dense(query),
            key=self._key_dense(value),
            value=self._value_dense(value),
            attention_mask=self._compute_attention_mask(query, value, use_causal_mask=True),
            training=None,
            return_attention_scores=return_scores,
        )
        return self._output_dense(result), scores


def test_compute_attention_gives_scores():
    x = np.random.RandomState(0).rand(2, 4, 6).astype('float32')
    layer = Cached(num_heads=2, key_dim=3)
    result, scores = layer(x, x, return_scores=True)
    expected, weights = reference(layer, x, np.tril(np.ones((4, 4), bool)))
    np.testing.assert_allclose(ops.convert_to_numpy(scores), weights, atol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(result), expected, atol=1e-5)


class OwnProjections(layers.MultiHeadAttention):
    def build(self, query_shape, value_shape, key_shape=None):
        self._use_bias = False
        for name, size in (('query', self._key_dim), ('key', self._key_dim), ('value', self._value_dim)):
            dense = layers.EinsumDense(
                'abc,cde->abde',
                [None, self._num_heads, size],
                bias_axes='de',
                name=name,
                **self._get_common_kwargs_for_sublayer(),
            )
            dense.build(query_shape)
            setattr(self, '_%s_dense' % name, dense)
        self._output_dense = layers.EinsumDense('abcd,cde->abe', [None, query_shape[-1]], bias_axes='e', name='out')
        self._output_dense.build(tuple(query_shape[:-1]) + (self._num_heads, self._value_dim))
        self._build_attention(len(query_shape) + 1)

    def call(self, query, value):
        heads = self._query_dense(query), self._key_dense(query), self._value_dense(query)
        scores = ops.einsum(self._dot_product_equation, heads[1], heads[0] / np.sqrt(self._key_dim).astype('float32'))
        weights = self._dropout_layer(self._masked_softmax(scores))
        return self._output_dense(ops.einsum(self._combine_equation, weights, heads[2]))


def test_projections_of_its_own():
    x = np.random.RandomState(0).rand(2, 4, 6).astype('float32')
    layer = OwnProjections(num_heads=2, key_dim=3)
    result = layer(x, x)
    assert layer.query_dense is layer._query_dense and layer.use_bias is False and len(layer.weights) == 8
    np.testing.assert_allclose(ops.convert_to_numpy(result), reference(layer, x)[0], atol=1e-5)


class Sharp(layers.MultiHeadAttention):
    def _masked_softmax(self, attention_scores, attention_mask=None):
        return ops.softmax(attention_scores * 0.0, axis=-1)


def test_a_softmax_of_its_own_is_used():
    x = np.random.RandomState(0).rand(1, 4, 6).astype('float32')
    scores = Sharp(num_heads=2, key_dim=3)(x, x, return_attention_scores=True)[1]
    np.testing.assert_allclose(ops.convert_to_numpy(scores), np.full((1, 2, 4, 4), 0.25), rtol=1e-6)
    layer = Sharp(num_heads=2, key_dim=3)
    plain = layers.MultiHeadAttention(num_heads=2, key_dim=3)
    layer(x, x), plain(x, x)
    plain.set_weights(layer.get_weights())
    assert np.abs(ops.convert_to_numpy(layer(x, x)) - ops.convert_to_numpy(plain(x, x))).max() > 1e-6


def test_shape_rule():
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=3, output_shape=7)
    assert layer.compute_output_shape(query_shape=(2, 4, 6), value_shape=(2, 5, 6)) == (2, 4, 7)
    grouped = layers.GroupQueryAttention(2, 4, 2)
    assert grouped.compute_output_shape(query_shape=(2, 4, 6), value_shape=(2, 5, 6)) == (2, 4, 6)
