"""Masks with two axes beside outputs with two axes, which are no rows of different lengths."""
import numpy as np
import pytest

import keras
from keras import layers, ops

W = np.random.RandomState(0).rand(5, 4)


class Pool(layers.Layer):
    supports_masking = True

    def call(self, x):
        return ops.mean(x, 1)


@pytest.mark.on('tensorflow', 'torch')
@pytest.mark.needs_gradients
def test_a_mask_of_one_step_beside_classes():
    """The loss is taken over all classes; a step that is masked out does not count (Keras 2's mean is over all)."""
    inputs = keras.Input((1,), dtype='int32')
    embedding = layers.Embedding(5, 4, mask_zero=True, embeddings_initializer=keras.initializers.Constant(W))
    model = keras.Model(inputs, Pool()(embedding(inputs)))
    model.compile('sgd', 'categorical_crossentropy', metrics=['accuracy'])
    x, y = np.array([[1], [2], [0]]), np.eye(4)[[0, 1, 2]]
    predicted = W[x[:, 0]]
    losses = -np.log((predicted / predicted.sum(-1, keepdims=True) * y).sum(-1)) * [1, 1, 0]
    loss, accuracy = model.evaluate(x, y, verbose=0, batch_size=3)
    assert accuracy == 0.0
    np.testing.assert_allclose(loss, losses.sum() / 3, rtol=1e-4)
