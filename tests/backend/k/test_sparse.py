"""Sparse placeholders, variables and inputs: SciPy's matrices go in, and the results are those of dense ones."""
import numpy as np
import pytest
from scipy import sparse

import keras
from keras import backend as K

DENSE = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]], 'float32')
WEIGHTS = np.arange(6.0, dtype='float32').reshape(3, 2)


@pytest.mark.parametrize('kind', [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix])
def test_placeholders(kind):
    x = K.placeholder((None, 3), sparse=True)
    assert K.is_sparse(x) and not K.is_sparse(K.placeholder((None, 3)))
    f = K.function([x], [K.dot(x, K.constant(WEIGHTS)), K.to_dense(x)])
    product, dense = f([kind(DENSE)])
    np.testing.assert_allclose(product, DENSE @ WEIGHTS)
    np.testing.assert_array_equal(dense, DENSE)


def test_variables():
    x = K.variable(sparse.csr_matrix(DENSE))
    assert K.is_sparse(x) and not K.is_sparse(K.to_dense(x))
    np.testing.assert_array_equal(K.eval(K.to_dense(x)), DENSE)
    np.testing.assert_allclose(K.eval(K.dot(x, K.variable(WEIGHTS))), DENSE @ WEIGHTS)
    K.set_value(x, sparse.csr_matrix(DENSE * 2))
    np.testing.assert_array_equal(K.eval(x), DENSE * 2)


def test_joined_sparse_tensors_are_sparse():
    x, y = K.placeholder((None, 3), sparse=True), K.placeholder((None, 3), sparse=True)
    joined = K.concatenate([x, y], axis=0)
    assert K.is_sparse(joined) and not K.is_sparse(K.concatenate([x, K.placeholder((None, 3))]))
    found = K.function([x, y], [joined])([sparse.csr_matrix(DENSE), DENSE])[0]
    np.testing.assert_array_equal(found, np.concatenate([DENSE, DENSE]))


def test_inputs_of_models():
    x = keras.Input((3,), sparse=True)
    assert K.is_sparse(x)
    model = keras.Model(x, keras.layers.Dense(2, use_bias=False)(x))
    model.set_weights([WEIGHTS])
    np.testing.assert_allclose(model.predict(sparse.csr_matrix(DENSE)), DENSE @ WEIGHTS)
    model.compile('sgd', 'mse')
    assert model.test_on_batch(sparse.csr_matrix(DENSE), DENSE @ WEIGHTS) == pytest.approx(0.0)


@pytest.mark.needs_gradients
def test_training_on_sparse_matrices():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
    model.compile(keras.optimizers.SGD(0.1), 'mse')
    rows = sparse.csr_matrix(np.tile(DENSE, (8, 1)))
    history = model.fit(rows, np.tile([[1.0], [2.0]], (8, 1)), batch_size=4, epochs=3, verbose=0).history['loss']
    assert history[-1] < history[0]
    batches = iter([(rows[:4], np.zeros((4, 1)))] * 2)
    assert model.evaluate(batches, steps=2, verbose=0) > 0
