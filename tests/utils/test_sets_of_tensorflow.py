"""Sets of data of Keras 3 in a script that uses TensorFlow's, on another engine."""
import numpy as np
import pytest

import keras


@pytest.mark.on('torch')
def test_in_keras_3_sets_are_of_tensorflow_where_that_is_imported():
    tf = pytest.importorskip('tensorflow')
    x = np.arange(20, dtype='float32').reshape(10, 2)
    arguments = {'sequence_length': 2, 'batch_size': 4}
    before = keras.utils.timeseries_dataset_from_array(x, x[:, 0], **arguments)
    assert not isinstance(before, tf.data.Dataset)
    with keras.config.generation(3):
        found = keras.utils.timeseries_dataset_from_array(x, x[:, 0], **arguments)
        assert isinstance(found, tf.data.Dataset) and len(found) == 3
        model = keras.Sequential([keras.Input((2, 2)), keras.layers.Flatten(), keras.layers.Dense(1)])
        model.compile('sgd', 'mse')
        doubled = found.map(lambda windows, targets: (2 * windows, targets)).prefetch(1)
        assert model.predict(doubled, verbose=0).shape == (9, 1)
        assert np.isfinite(model.fit(found, verbose=0).history['loss'][0])
        words = keras.layers.TextVectorization()
        words.adapt(tf.data.Dataset.from_tensor_slices(['one two', 'two three']).batch(1))
        assert words.get_vocabulary()[2] == 'two'
