"""ReversibleEmbedding in few bits."""
import numpy as np
import pytest

import keras
from keras import layers, quantizers

IDS = np.array([[1, 4, 2], [0, 9, 3]])


@pytest.mark.on('numpy', 'torch', 'jax', 'tensorflow')
@pytest.mark.parametrize('tied', [True, False])
@pytest.mark.parametrize('mode, block, close', [('int8', None, 0.01), ('int4', None, 0.1), ('int4', 4, 0.1)])
def test_both_tables_are_quantized(tied, mode, block, close, tmp_path):
    layer = layers.ReversibleEmbedding(10, 7, tie_weights=tied)
    model = keras.Sequential([keras.Input((3,), dtype='int32'), layer])
    rows, queries = layer(IDS), np.random.RandomState(1).normal(size=(2, 3, 7)).astype('float32')
    logits = np.asarray(keras.ops.convert_to_numpy(layer(queries, reverse=True)))
    config = quantizers.Int8QuantizationConfig() if mode == 'int8' else quantizers.Int4QuantizationConfig(
        block_size=block)
    layer.quantize(config=config)
    assert not layer.trainable_weights
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(IDS)), keras.ops.convert_to_numpy(rows), atol=close)
    back = keras.ops.convert_to_numpy(layer(queries, reverse=True))
    np.testing.assert_allclose(back, logits, atol=2 * close)
    if not tied:
        assert layer.reverse_embeddings.dtype == 'int8'
        assert layer.reverse_embeddings.shape == ((7, 10) if mode == 'int8' else (4, 10))
        assert layer.reverse_embeddings_scale.shape == ((10,) if block is None else (2, 10))
    model.save(str(tmp_path / 'model.keras'))
    loaded = keras.models.load_model(str(tmp_path / 'model.keras')).layers[-1]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(loaded(queries, reverse=True)), back)


@pytest.mark.on('numpy')
def test_a_quantized_policy_makes_both():
    layer = layers.ReversibleEmbedding(10, 7, tie_weights=False, dtype='int8_from_float32')
    layer.build()
    assert not layer.trainable_weights and len(layer.non_trainable_weights) == 4
    assert keras.ops.shape(layer(np.ones((2, 7), 'float32'), reverse=True)) == (2, 10)
