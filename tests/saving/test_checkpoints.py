"""Checkpoints and SavedModels, written by TensorFlow under the names of tf.keras."""
import numpy as np
import pytest

import keras
from keras import layers
from keras.saving.tensor_bundle import Checkpoint

pytestmark = pytest.mark.on('tensorflow')
RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(8, 4)).astype('float32')
Y = RANDOM.normal(size=(8, 2)).astype('float32')


def model():
    made = keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.BatchNormalization(), layers.Reshape((1, 3)),
                             layers.Bidirectional(layers.LSTM(2)), layers.Dense(2)])
    made.compile('adam', 'mse')
    return made


def test_checkpoint(tmp_path):
    """tf.keras 2.15 was seen to read such a file and to go on equally; it follows the graph, by these names."""
    import tensorflow as tf
    made, path = model(), str(tmp_path / 'sub' / 'cp.ckpt')
    made.train_on_batch(X, Y)
    made.save_weights(path)
    names = dict(tf.train.list_variables(path))
    end = '/.ATTRIBUTES/VARIABLE_VALUE'
    root = Checkpoint(path).root()
    layers_in_order = [root.children['layer_with_weights-%d' % number] for number in range(4)]
    assert layers_in_order[0].children['kernel'].array().shape == (4, 3)
    assert layers_in_order[1].children['moving_mean'].array().shape == (3,)
    cell = layers_in_order[2].children['backward_layer'].children['cell']
    assert cell.children['recurrent_kernel'].array().shape == (2, 8)
    assert names['optimizer/_variables/2' + end] == [4, 3] and 'optimizer/_iterations' + end in names
    other = model()
    other.load_weights(path)
    for _ in range(2):
        np.testing.assert_allclose(other.train_on_batch(X, Y), made.train_on_batch(X, Y), rtol=1e-6)
    assert tf.train.latest_checkpoint(str(tmp_path / 'sub')) == path


def test_saved_model(tmp_path):
    import tensorflow as tf
    made, path = model(), str(tmp_path / 'folder')
    made.train_on_batch(X, Y)
    made.save(path)
    # The variables live as long as what was loaded.
    everything = tf.saved_model.load(path)
    served = everything.signatures['serving_default']
    found = list(served(tf.constant(X)).values()) if not served.structured_input_signature[1] else list(
        served(**{name: tf.constant(X) for name in served.structured_input_signature[1]}).values())
    np.testing.assert_allclose(found[0].numpy(), made.predict(X), rtol=1e-5, atol=1e-6)
    loaded = keras.models.load_model(path)
    np.testing.assert_allclose(loaded.train_on_batch(X, Y), made.train_on_batch(X, Y), rtol=1e-6)
