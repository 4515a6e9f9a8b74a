"""Models inside of `with graph.as_default():`, as servers and scripts of the TensorFlow 1 years call them."""
import threading

import numpy as np
import pytest

from keras import backend as K
from keras.layers import BatchNormalization, Dense, LSTM
from keras.models import Sequential, load_model

pytestmark = pytest.mark.on('tensorflow')
X, Y = np.ones((6, 4, 2), 'float32'), np.ones((6, 1), 'float32')


def compiled():
    model = Sequential([LSTM(3, input_shape=(4, 2)), BatchNormalization(), Dense(1)])
    model.compile('sgd', 'mse', metrics=['mae'])
    return model


def test_a_model_of_outside_is_called_inside():
    import tensorflow as tf
    model = compiled()
    expected, graph, found = model.predict(X), tf.compat.v1.get_default_graph(), []

    def serve():
        with graph.as_default():
            found.append(model.predict(X))
            found.append(model.predict(X, batch_size=4))
            found.append(model.predict_on_batch(X))

    serve()
    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    assert len(found) == 6
    for values in found:
        np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_a_model_is_made_trained_and_read_inside(tmp_path):
    import tensorflow as tf
    path, graph = str(tmp_path / 'model.h5'), tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph).as_default():
        model = compiled()
        before = model.get_weights()
        first = model.evaluate(X, Y, verbose=0)[0]
        losses = model.fit(X, Y, epochs=3, verbose=0).history['loss'] + [model.train_on_batch(X, Y)[0]]
        assert len(losses) == 4 and model.test_on_batch(X, Y)[0] < first
        assert not all(np.array_equal(old, new) for old, new in zip(before, model.get_weights()))
        model.save(path)
        expected = model.predict(X)
        model.set_weights(before)
    with graph.as_default():
        np.testing.assert_allclose(load_model(path).predict(X), expected, rtol=1e-5)
    assert [np.array_equal(old, new) for old, new in zip(before, model.get_weights())] == [True] * len(before)


def test_variables_and_functions_inside():
    import tensorflow as tf
    with tf.Graph().as_default():
        variable, x = K.variable([1.0, 2.0]), K.placeholder((2,))
        K.set_value(variable, [3.0, 4.0])
        function = K.function([x], [x * variable], updates=[(variable, variable + 1.0)])
        assert function([[1.0, 2.0]])[0].tolist() == [3.0, 8.0]
        assert K.get_value(variable).tolist() == [4.0, 5.0] and K.eval(variable + 1.0).tolist() == [5.0, 6.0]
        assert K.get_session().run(x + 1.0, feed_dict={x: [1.0, 2.0]}).tolist() == [2.0, 3.0]
