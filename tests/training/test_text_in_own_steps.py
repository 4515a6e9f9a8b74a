"""Text in the batches of steps that a model defines itself, on engines whose library has tensors of it."""
import numpy as np
import pytest

import keras
from keras.backend.contract.loading import get_engine


@pytest.mark.on('tensorflow')
def test_own_train_step_gets_text():
    import tensorflow as tf
    seen = []

    class Model(keras.Model):
        def train_step(self, data):
            seen.append(data['word'].dtype)
            return {'letters': tf.reduce_sum(tf.strings.length(data['word']))}

    model = Model()
    model.compile('sgd')
    data = tf.data.Dataset.from_tensor_slices({'word': ['a', 'bcd']}).batch(2)
    assert model.fit(data, verbose=0).history['letters'] == [4] and seen[0] == tf.string


@pytest.mark.on('numpy')
def test_other_engines_say_that_it_must_be_numbers():
    class Model(keras.Model):
        def train_step(self, data):
            return {}

    model = Model()
    model.compile('sgd')
    assert not get_engine().has_strings
    with pytest.raises(ValueError, match='must hold numbers'):
        model.fit(np.array(['a', 'b']), verbose=0)
