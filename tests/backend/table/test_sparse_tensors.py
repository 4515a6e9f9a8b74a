"""Sparse tensors of TensorFlow and JAX: which operations keep them, values, symbolic marks, models."""
import numpy as np
import pytest

import keras
from keras import layers, ops

A = np.array([[0.0, 2.0, 0.0, -0.5], [3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.25, 0.0]], 'float32')
B = np.array([[1.0, 4.0, 0.0, 0.0], [-3.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.25, 0.0]], 'float32')


def sparse(array):
    if keras.backend.backend() == 'tensorflow':
        import tensorflow as tf
        return tf.sparse.from_dense(array)
    from jax.experimental.sparse import BCOO
    return BCOO.fromdense(array)


def twice(array):
    """An array whose halves stand at the same places, where the library allows that."""
    if keras.backend.backend() == 'tensorflow':
        return sparse(array)
    from jax.experimental.sparse import BCOO
    half = BCOO.fromdense(array / 2)
    return BCOO((np.concatenate([half.data, half.data]), np.concatenate([half.indices, half.indices])),
                shape=half.shape)


def is_sparse(x):
    return type(x).__name__ in ('SparseTensor', 'BCOO')


KEPT = {
    'abs': (lambda x: ops.abs(x), np.abs(A)), 'square': (lambda x: ops.square(x), A ** 2),
    'sqrt': (lambda x: ops.sqrt(ops.abs(x)), np.sqrt(np.abs(A))), 'tanh': (lambda x: ops.tanh(x), np.tanh(A)),
    'negative': (lambda x: ops.negative(x), -A), 'cast': (lambda x: ops.cast(x, 'int32'), A.astype('int32')),
    'scaled': (lambda x: x * 3 if keras.backend.backend() == 'jax' else ops.multiply(x, 3), A * 3),
    'divided': (lambda x: ops.divide(x, 2), A / 2), 'times dense': (lambda x: ops.multiply(x, B), A * B),
    'times row': (lambda x: ops.multiply(B[:1], x), A * B[:1]),
    'times sparse': (lambda x: ops.multiply(x, sparse(B)), A * B),
    'plus sparse': (lambda x: ops.add(x, sparse(B)), A + B),
    'minus sparse': (lambda x: ops.subtract(x, sparse(B)), A - B),
    'maximum': (lambda x: ops.maximum(x, sparse(B)), np.maximum(A, B)),
    'minimum': (lambda x: ops.minimum(x, sparse(B)), np.minimum(A, B)),
    'product': (lambda x: ops.matmul(x, sparse(B.T.copy())), A.dot(B.T)),
    'transpose': (lambda x: ops.transpose(x), A.T), 'reshape': (lambda x: ops.reshape(x, (2, -1)), A.reshape(2, 6)),
    'expand': (lambda x: ops.expand_dims(x, 1), A[:, None]),
    'squeeze': (lambda x: ops.squeeze(ops.expand_dims(x, -1)), A),
    'concatenate': (lambda x: ops.concatenate([x, sparse(B)], 1), np.concatenate([A, B], 1)),
    'sum': (lambda x: ops.sum(x, 1), A.sum(1)), 'sum kept': (lambda x: ops.sum(x, 0, keepdims=True), A.sum(0)[None]),
    'mean': (lambda x: ops.mean(x, 0), A.mean(0)),
    'over row': (lambda x: ops.divide(x, B[:1] + 1), A / (B[:1] + 1)),
    'over zeros': (lambda x: ops.divide(x, np.array([1, 0, np.nan, 0], 'float32')),
                   [[0, np.inf, np.nan, -np.inf], [3, np.nan, np.nan, np.nan], [0, np.nan, np.nan, np.nan]]),
    'imaginary': (lambda x: ops.imag(x), np.zeros_like(A)), 'conj': (lambda x: ops.conj(x), A),
    'digitize': (lambda x: ops.digitize(x, np.array([0.2, 2.5])), np.digitize(A, [0.2, 2.5])),
    'sum of all kept': (lambda x: ops.sum(x, keepdims=True), A.sum().reshape(1, 1)),
    'mean of all kept': (lambda x: ops.mean(x, keepdims=True), A.mean().reshape(1, 1)),
    'batched product': (lambda x: ops.matmul(ops.expand_dims(x, 0), ops.expand_dims(sparse(B.T.copy()), 0)),
                        A.dot(B.T)[None]),
}
DENSE = {
    'exp': (lambda x: ops.exp(x), np.exp(A)), 'plus dense': (lambda x: ops.add(x, B), A + B),
    'plus number': (lambda x: ops.add(x, 1), A + 1), 'times matrix': (lambda x: ops.matmul(x, B.T), A.dot(B.T)),
    'matrix times': (lambda x: ops.matmul(B.T, x), B.T.dot(A)), 'sum of all': (lambda x: ops.sum(x), A.sum()),
    'mixed': (lambda x: ops.concatenate([x, B], 0), np.concatenate([A, B], 0)),
    'relu': (lambda x: ops.relu(x), np.maximum(A, 0)), 'max': (lambda x: ops.max(x, 1), A.max(1)),
    'over sparse': (lambda x: ops.divide(B, ops.add(ops.abs(x), 1)), B / (np.abs(A) + 1)),
    'slice': (lambda x: ops.convert_to_tensor(x, sparse=False), A),
    'softmax': (lambda x: ops.softmax(x), np.exp(A) / np.exp(A).sum(1, keepdims=True)),
}


@pytest.mark.on('tensorflow', 'jax')
@pytest.mark.parametrize('name, make', [(name, sparse) for name in sorted(KEPT) + sorted(DENSE)] + [
    (name, twice) for name in ('square', 'times dense', 'maximum')])
def test_operations_on_sparse_tensors(name, make):
    function, expected = KEPT.get(name) or DENSE[name]
    result = function(make(A))
    assert is_sparse(result) is (name in KEPT)
    assert ops.is_tensor(result) and tuple(ops.shape(result)) == np.shape(expected)
    assert np.allclose(ops.convert_to_numpy(result), expected, atol=1e-6, equal_nan=True)


@pytest.mark.on('tensorflow', 'jax', 'numpy')
def test_symbolic_tensors_are_marked_as_their_values_will_be():
    x, y = keras.Input((3,), sparse=True), keras.Input((3,))
    kept = [ops.abs(x), ops.add(x, x), ops.multiply(x, y), ops.multiply(x, 2), ops.transpose(x), ops.divide(x, 2),
            ops.concatenate([x, x]), ops.sum(x, 1), ops.expand_dims(x, 0), ops.cast(x, 'int32'), ops.divide(x, y),
            ops.sum(x, keepdims=True), ops.imag(x), ops.digitize(x, np.array([0.5, 1.0])),
            ops.bincount(ops.cast(x, 'int32'))]
    dense = [ops.exp(x), ops.add(x, y), ops.add(x, 1), ops.concatenate([x, y]), ops.sum(x), ops.matmul(x, np.eye(3)),
             ops.divide(y, x), ops.digitize(x, np.array([-0.5, 1.0]))]
    assert [tensor.sparse for tensor in kept] == [True] * len(kept)
    assert [tensor.sparse for tensor in dense] == [False] * len(dense)


def slices(array):
    """Rows 0 and 2 of an array, the others are 0."""
    if keras.backend.backend() == 'tensorflow':
        import tensorflow as tf
        return tf.IndexedSlices(tf.constant(array[::2]), [0, 2], array.shape)
    from jax.experimental.sparse import BCOO
    return BCOO((array[::2], np.array([[0], [2]])), shape=array.shape)


OF_SLICES = {
    'abs': np.abs, 'tanh': np.tanh, 'square': np.square, 'doubled': lambda x, np=np: np.multiply(x, 2),
    'halved': lambda x, np=np: np.divide(x, np.ones((4,), 'float32') + 1),
    'times': lambda x, np=np: np.multiply(x, B), 'sum': lambda x, np=np: np.add(x, x),
}


@pytest.mark.on('tensorflow', 'jax')
@pytest.mark.parametrize('name', sorted(OF_SLICES))
def test_whole_slices_are_kept(name):
    """As TensorFlow gives the gradient of a lookup."""
    function, array = OF_SLICES[name], np.array(A)
    array[1] = 0
    expected = function(array)
    result = function(slices(A), np=ops) if name in ('doubled', 'halved', 'times', 'sum') else \
        getattr(ops, name)(slices(A))
    assert type(result).__name__ == 'IndexedSlices' or result.n_dense == 1
    np.testing.assert_allclose(ops.convert_to_numpy(result), expected, rtol=1e-6)


@pytest.mark.on('tensorflow', 'jax')
def test_only_given_elements_are_counted():
    x, weights = np.array([[3, 1, 0], [1, 0, 1]], 'int32'), np.array([[1, 2, 0], [4, 0, 8]], 'int32')
    counts, sums = ops.bincount(sparse(x)), ops.bincount(sparse(x), sparse(weights), 5)
    assert is_sparse(counts) and is_sparse(sums)
    np.testing.assert_array_equal(ops.convert_to_numpy(counts), [[0, 1, 0, 1], [0, 2, 0, 0]])
    np.testing.assert_array_equal(ops.convert_to_numpy(sums), [[0, 2, 0, 1, 0], [0, 12, 0, 0, 0]])


@pytest.mark.on('tensorflow', 'jax')
@pytest.mark.parametrize('make', [
    layers.Identity, layers.Flatten, lambda: layers.Reshape((4, 1)), lambda: layers.Permute((1,)), layers.Dense,
    layers.Add, layers.Subtract, layers.Average, layers.Multiply, layers.Maximum, layers.Minimum, layers.Concatenate,
    lambda: layers.Dot(1)])
def test_layers_say_of_symbolic_tensors_what_their_values_will_be(make):
    layer = make(2) if make is layers.Dense else make()
    x = keras.KerasTensor((3, 4), sparse=True)
    several = isinstance(layer, (type(layers.Add()).__mro__[1], layers.Concatenate, layers.Dot))
    outputs = layer([x, x] if several else x)
    values = layer([sparse(A)] * 2 if several else sparse(A))
    assert outputs.sparse is is_sparse(values) is (make is not layers.Dense)
    dense = keras.KerasTensor((3, 4))
    assert not layer([dense, dense] if several else dense).sparse
    if isinstance(layer, layers.Dot):
        assert np.allclose(ops.convert_to_numpy(values), (A * A).sum(1, keepdims=True))


@pytest.mark.on('jax')
def test_batches_that_share_their_values():
    from jax.experimental import sparse as jax_sparse
    x = jax_sparse.BCOO((np.array([[1.0, 2.0]], 'float32'), np.array([[[0], [2]]])), shape=(2, 3))
    found = ops.add(x, x)
    assert is_sparse(found) and ops.convert_to_numpy(found).tolist() == [[2, 0, 4], [2, 0, 4]]


@pytest.mark.on('tensorflow')
def test_the_gradient_by_a_kernel_has_rows_for_the_columns_that_hold_something():
    import tensorflow as tf
    kernel = np.arange(6.0, dtype='float32').reshape(3, 2)
    layer = layers.Dense(2, use_bias=False, weights=[kernel])
    x = tf.sparse.from_dense(np.array([[0, 2, 0], [0, 3, 0]], 'float32'))
    with tf.GradientTape() as tape:
        tape.watch(x.values)
        loss = tf.reduce_sum(layer(x) * np.array([[1, 2], [3, 4]], 'float32'))
    by_kernel, by_values = tape.gradient(loss, [layer.kernel, x.values])
    assert isinstance(by_kernel, tf.IndexedSlices)
    assert tf.convert_to_tensor(by_kernel).numpy().tolist() == [[0, 0], [11, 16], [0, 0]]
    assert by_values.numpy().tolist() == [1 * 2 + 2 * 3, 3 * 2 + 4 * 3]


@pytest.mark.on('tensorflow', 'jax')
def test_conversion_keeps_or_densifies():
    x = sparse(A)
    assert is_sparse(ops.convert_to_tensor(x)) and is_sparse(ops.convert_to_tensor(x, sparse=True))
    assert not is_sparse(ops.convert_to_tensor(x, sparse=False))
    assert np.array_equal(ops.convert_to_numpy(x), A)
    assert ops.dtype(x) == 'float32'


@pytest.mark.on('numpy', 'torch')
def test_engines_without_sparse_tensors_say_so():
    for refused in (lambda: ops.convert_to_tensor(A, sparse=True), lambda: ops.one_hot([1], 3, sparse=True),
                    lambda: ops.bincount([1, 2], sparse=True), lambda: ops.multi_hot([1], 3, sparse=True),
                    lambda: layers.CategoryEncoding(3, sparse=True)):
        with pytest.raises(ValueError, match='sparse=True'):
            refused()


@pytest.mark.on('torch')
def test_what_pytorch_lacks_for_sparse_tensors_runs_densely():
    import torch
    x = torch.tensor(A).to_sparse()
    assert np.allclose(ops.convert_to_numpy(ops.exp(x)), np.exp(A))
    assert np.allclose(ops.convert_to_numpy(ops.add(x, B)), A + B)
    assert np.allclose(ops.convert_to_numpy(layers.Maximum()([x, x])), A)
    assert np.array_equal(ops.convert_to_numpy(x), A)
    assert layers.Embedding(4, 2)(ops.cast(ops.abs(x), 'int32')).shape == (3, 4, 2)


@pytest.mark.on('tensorflow', 'jax')
def test_integers_as_sparse_rows():
    numbers = np.array([[0, 2], [1, 1]])
    rows = {'multi_hot': [[1, 0, 1], [0, 1, 0]], 'count': [[1, 0, 1], [0, 2, 0]]}
    for mode, expected in rows.items():
        for layer in (layers.CategoryEncoding(3, mode, sparse=True),
                      layers.Discretization([0.5, 1.5], output_mode=mode, sparse=True)):
            found = layer(numbers)
            assert is_sparse(found) and ops.convert_to_numpy(found).tolist() == expected
    for found in (ops.one_hot(numbers, 3, sparse=True), ops.one_hot(numbers, 3, axis=1, sparse=True),
                  ops.multi_hot(numbers, 3, sparse=True), ops.bincount(numbers, sparse=True)):
        assert is_sparse(found)
    words = layers.StringLookup(vocabulary=['a', 'b'], output_mode='multi_hot', sparse=True)(np.array([['a', 'c']]))
    texts = layers.TextVectorization(vocabulary=['a', 'b'], output_mode='count', sparse=True)(['a b b'])
    assert is_sparse(words) and ops.convert_to_numpy(words).tolist() == [[1, 1, 0]]
    assert is_sparse(texts) and ops.convert_to_numpy(texts).tolist() == [[0, 1, 2]]


@pytest.mark.on('tensorflow', 'jax')
def test_sparse_rows_inside_of_a_model_are_trained_on():
    inputs = keras.Input((2,), dtype='int32')
    rows = layers.CategoryEncoding(3, 'count', sparse=True)(inputs)
    assert rows.sparse
    dense = layers.Dense(1, use_bias=False, kernel_initializer='ones')
    model = keras.Model(inputs, dense(rows))
    numbers, counts = np.array([[0, 2], [1, 1]]), np.array([[1, 0, 1], [0, 2, 0]], 'float32')
    assert model.predict(numbers, verbose=0).tolist() == [[2], [2]]
    model.compile(keras.optimizers.SGD(0.1), 'mse')
    model.train_on_batch(numbers, np.zeros((2, 1), 'float32'))
    assert np.allclose(dense.get_weights()[0], 1 - 0.1 * counts.T.dot([[2], [2]]), atol=1e-6)
    again = keras.Model.from_config(model.get_config())
    assert again.layers[1].sparse and again.layers[1].output.sparse


@pytest.mark.on('tensorflow', 'jax')
def test_models_take_sparse_tensors():
    model = keras.Sequential([keras.Input((4,), sparse=True),
                              layers.Dense(2, kernel_initializer='ones', use_bias=False)])
    expected = np.repeat(A.sum(1, keepdims=True), 2, 1)
    assert np.allclose(ops.convert_to_numpy(model(sparse(A))), expected)
    assert np.allclose(model.predict(sparse(A), verbose=0), expected)
    model.compile('sgd', 'mse')
    assert np.isclose(model.evaluate(sparse(A), expected, verbose=0), 0, atol=1e-6)
    assert np.allclose(model.train_on_batch(sparse(A), expected), 0, atol=1e-6)


@pytest.mark.on('jax')
def test_sparse_tensors_under_transformations_of_jax():
    import jax
    kernel = np.ones((4, 2), 'float32')
    run = jax.jit(lambda x, w: ops.sum(ops.matmul(ops.add(ops.square(x), x), w)))
    assert np.isclose(run(twice(A), kernel), 2 * (A ** 2 + A).sum(), atol=1e-5)
    found = jax.grad(lambda w: ops.sum(ops.matmul(sparse(A), w)))(kernel)
    assert np.allclose(found, np.repeat(A.sum(0)[:, None], 2, 1))


def dense(x):
    return ops.convert_to_numpy(ops.convert_to_tensor(x, sparse=False))


@pytest.mark.on('tensorflow', 'jax')
def test_sums_of_small_integers_are_wide():
    small = sparse(np.array([[100, 0, 3], [100, 0, 0]], 'int8'))
    np.testing.assert_array_equal(dense(ops.sum(small, 0)), [200, 0, 3])
    np.testing.assert_allclose(dense(ops.mean(small, 0)), [100, 0, 1.5])


@pytest.mark.on('tensorflow', 'jax')
def test_sparse_tensors_of_zeros_alone():
    zeros = sparse(np.zeros((2, 3), 'float32'))
    for found, shape in ((ops.add(zeros, zeros), (2, 3)), (ops.transpose(zeros), (3, 2)), (ops.sum(zeros, 0), (3,))):
        np.testing.assert_array_equal(dense(found), np.zeros(shape))
    encoded = layers.CategoryEncoding(3, 'multi_hot', sparse=True)(np.array([[0, 1]]))
    np.testing.assert_array_equal(dense(encoded), [[1, 1, 0]])


@pytest.mark.on('tensorflow', 'jax')
@pytest.mark.parametrize('wrong', [lambda x: ops.sum(x, 2), lambda x: ops.concatenate([x, x], 5),
                                   lambda x: ops.expand_dims(x, 7), lambda x: ops.transpose(x, (0, 0))])
def test_axes_that_are_none(wrong):
    with pytest.raises(ValueError, match='out of bounds|permutation'):
        wrong(sparse(A))


@pytest.mark.on('tensorflow', 'jax')
@pytest.mark.parametrize('dtype', ['int8', 'float16'])
def test_products_that_the_library_lacks_run_densely(dtype):
    x, y = np.array([[1, 0], [0, 2]], dtype), np.array([[1, 2], [3, 4]], dtype)
    np.testing.assert_array_equal(dense(ops.matmul(sparse(x), y)), x @ y)
    np.testing.assert_allclose(dense(ops.matmul(sparse(A), [[1.0], [2.0], [3.0], [4.0]])), A @ [[1], [2], [3], [4]])
    assert layers.Dense(2, dtype='mixed_float16')(sparse(A)).shape == (3, 2)


@pytest.mark.on('tensorflow', 'jax')
@pytest.mark.parametrize('axis', [None, (0, 1)], ids=str)
def test_sums_over_all_axes_stay_sparse_in_keras_3(axis):
    x = twice(A)
    assert not is_sparse(ops.sum(x, axis)) and not is_sparse(ops.mean(x, axis))
    with keras.config.generation(3):
        symbolic = keras.KerasTensor((None, 4), sparse=True)
        assert ops.sum(symbolic, axis).sparse and ops.sum(symbolic, axis).shape == ()
        for found, expected in ((ops.sum(x, axis), A.sum()), (ops.mean(x, axis), A.mean())):
            assert is_sparse(found) and found.shape == ()
            np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-6)
