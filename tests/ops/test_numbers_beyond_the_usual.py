"""Complex numbers, ints that 32 bits cannot hold, wide unsigned ones and what overflows on the way, against NumPy."""
import numpy as np
import pytest

import keras
from keras import ops

HOLD_COMPLEX = pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
GENERATOR = np.random.RandomState(1337)
X = (GENERATOR.randn(3, 4) + 1j * GENERATOR.randn(3, 4)).astype('complex64')


def close(actual, expected, tolerance=1e-4):
    actual = ops.convert_to_numpy(actual)
    assert actual.shape == np.shape(expected) and actual.dtype.kind == np.asarray(expected).dtype.kind
    assert np.allclose(actual, expected, rtol=tolerance, atol=tolerance)


@HOLD_COMPLEX
@pytest.mark.parametrize('function, arguments, expected', [
    (ops.abs, (X,), np.abs(X)), (ops.var, (X, 0), np.var(X, 0)), (ops.std, (X,), np.std(X)),
    (ops.norm, (X,), np.linalg.norm(X)), (ops.norm, (X, None, 1), np.linalg.norm(X, axis=1)),
    (ops.norm, (X, 'fro'), np.linalg.norm(X, 'fro')), (ops.norm, (X, 1), np.linalg.norm(X, 1)),
    (ops.norm, (X, np.inf, 0), np.linalg.norm(X, np.inf, 0)), (ops.norm, (X, 3, 0), np.linalg.norm(X, 3, 0)),
    (ops.vdot, (X, 2 * X[::-1]), np.vdot(X, 2 * X[::-1])), (ops.det, (X[:, :3],), np.linalg.det(X[:, :3])),
    (ops.inv, (X[:, :3],), np.linalg.inv(X[:, :3]))])
def test_complex(function, arguments, expected):
    close(function(*arguments), expected)


@pytest.mark.on('numpy', 'torch', 'jax')
def test_complex_matrices():
    close(ops.pinv(X), np.linalg.pinv(X))
    b = np.array([1, 2j, 3, 4], 'complex64')
    close(ops.lstsq(X.T, b), np.linalg.lstsq(X.T, b, rcond=None)[0])
    close(ops.corrcoef(X), np.corrcoef(X))


@HOLD_COMPLEX
def test_sign_of_a_complex_determinant():
    sign, size = ops.slogdet(X[:, :3])
    expected = np.linalg.slogdet(X[:, :3])
    close(sign, expected[0])
    close(size, expected[1])
    sign, size = ops.slogdet(np.array([[1, 2], [2, 4]], 'complex64'))
    assert ops.convert_to_numpy(sign) == 0 and ops.convert_to_numpy(size) == -np.inf


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax', 'theano')
def test_logarithm_of_any_determinant():
    x = np.array([[[1.0, 2.0], [3.0, 4.5]], [[2.0, 1.0], [1.0, 3.0]]], 'float32')
    close(ops.logdet(x), np.log([1.5, 5.0]))


@pytest.mark.on('numpy', 'torch', 'tensorflow')
def test_ints_beyond_32_bits():
    wide, x = 2 ** 40, np.array([1, 2, -3], 'int64')
    assert keras.backend.dtype(ops.convert_to_tensor(wide)) == 'int64'
    assert ops.convert_to_numpy(ops.convert_to_tensor([wide, 1])).tolist() == [wide, 1]
    assert ops.convert_to_numpy(ops.gcd(x, wide)).tolist() == np.gcd(x, wide).tolist()
    assert ops.convert_to_numpy(ops.lcm(x, wide)).tolist() == np.lcm(x, wide).tolist()
    assert ops.convert_to_numpy(ops.fmod(x, wide)).tolist() == np.fmod(x, wide).tolist()
    floats = x.astype('float32')
    close(ops.divide(ops.hypot(floats, wide), wide), np.ones(3))
    close(ops.divide(ops.logaddexp2(floats, wide), wide), np.ones(3))
    close(ops.fmod(floats, wide), floats)


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
@pytest.mark.parametrize('function', [ops.fmod, ops.gcd, ops.lcm])
def test_numbers_of_python_do_not_widen(function):
    assert keras.backend.dtype(function(np.array([7, 9], 'int8'), 3)) == 'int8'


def test_powers_of_two_at_the_ends():
    x, powers = np.array([0.0, 1.0, 1e-30, 1.5], 'float32'), np.array([300, 127, 200, -149])
    close(ops.ldexp(x, powers.astype('int32')), np.ldexp(x, powers))


@pytest.mark.on('torch', 'jax', 'tensorflow', 'numpy')
@pytest.mark.parametrize('dtype', ['uint16', 'uint32'])
def test_wide_unsigned_numbers(dtype):
    """PyTorch holds them in the next signed type."""
    x = ops.convert_to_tensor(np.array([1, 2, 3], dtype))
    assert ops.convert_to_numpy(ops.add(x, x)).tolist() == [2, 4, 6]
    assert ops.convert_to_numpy(x + x).tolist() == [2, 4, 6]
    assert ops.convert_to_numpy(ops.less(x, 2)).tolist() == [True, False, False]
    assert int(ops.max(x)) == 3 and int(ops.sum(x)) == 6
    drawn = ops.convert_to_numpy(keras.random.randint((100,), 3, 6, dtype=dtype, seed=1337))
    assert drawn.min() == 3 and drawn.max() == 5


@pytest.mark.on('torch')
def test_numpy_knows_bfloat16():
    assert ops.convert_to_numpy(ops.convert_to_tensor(np.array([1.5], 'bfloat16'))).tolist() == [1.5]


@pytest.mark.on('numpy')
@pytest.mark.parametrize('arguments, message', [
    ((np.ones((2, 3)),), '1-dimensional'), ((np.ones(3), -1), 'non-negative integer'),
    ((np.ones(3), 2, (1,)), 'tuple of two elements'), ((np.ones(3), 2, (5, 1)), 'must be greater than the first')])
def test_histograms_that_there_are_not(arguments, message):
    with pytest.raises(ValueError, match=message):
        ops.histogram(*arguments)


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
@pytest.mark.parametrize('strides, dilation', [(2, 3), (3, 2), ((1, 2), (2, 1))])
def test_patches_with_strides_and_gaps(strides, dilation):
    image = np.arange(9 * 8, dtype='float32').reshape(1, 9, 8, 1)
    found = ops.image.extract_patches(image, 2, strides=strides, dilation_rate=dilation)
    (down, right), (rows, columns) = np.broadcast_to(strides, 2), np.broadcast_to(dilation, 2)
    expected = [[[image[0, y + a * rows, x + b * columns, 0] for a in (0, 1) for b in (0, 1)]
                 for x in range(0, 8 - columns, right)] for y in range(0, 9 - rows, down)]
    close(found[0], np.array(expected, 'float32'))


@pytest.mark.on('numpy')
def test_sizes_of_patches_of_volumes():
    with pytest.raises(TypeError, match='tuple of length 3'):
        ops.image.extract_patches_3d(np.zeros((1, 4, 4, 4, 1)), (2, 2))


@pytest.mark.on('numpy', 'torch', 'jax', 'tensorflow')
def test_an_odd_number_of_missing_rows():
    """Keras 3.15.1 puts 3 rows above 5 and below, where 12 would be the proportion."""
    image = np.ones((5, 6, 1), 'float32')
    found = ops.image.resize(image, (11, 6), 'nearest', pad_to_aspect_ratio=True, fill_value=2.0)
    assert ops.convert_to_numpy(found)[0, 0, 0] == 2
    image = np.arange(3, dtype='float32').reshape(3, 1, 1) * np.ones((3, 4, 1), 'float32')
    found = ops.image.resize(image, (4, 4), 'nearest', pad_to_aspect_ratio=True, fill_value=9.0)
    assert ops.convert_to_numpy(found)[:, 0, 0].tolist() == [0, 1, 1, 2]


@pytest.mark.on('numpy')
@pytest.mark.parametrize('other', [lambda: ops.zeros((4,)), lambda: (ops.zeros((3,)),),
                                   lambda: ops.zeros((3,), 'int32')])
def test_symbolic_branches_of_two_kinds(other):
    with pytest.raises(ValueError, match='outputs of the same kind'):
        ops.cond(keras.KerasTensor((), dtype='bool'), lambda: ops.ones((3,)), other)


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_the_index_of_a_loop_does_not_widen():
    # Of rank 1: old releases of NumPy widen their scalars themselves.
    result = ops.fori_loop(0, 4, lambda i, x: x + i, np.array([1.5], 'float32'))
    assert keras.backend.dtype(result) == 'float32' and float(result[0]) == 7.5


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_sums_too_large_for_halves():
    """65504 is the largest float16."""
    x = np.array([65504, 65504, 65504], 'float16')
    assert float(ops.mean(x)) == 65504 and keras.backend.dtype(ops.mean(x)) == 'float16'


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
@pytest.mark.parametrize('axis', [0, -1, None])
def test_order_of_one_number(axis):
    assert ops.convert_to_numpy(ops.argsort(np.array(5), axis)).ravel().tolist() == [0]


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_products_of_quantized_matrices():
    """As in Keras 3.15.1: `matmul` of two of int8 gives int32, `dot` and `tensordot` int8."""
    x, y = np.full((3, 16), 100, 'int8'), np.full((16, 2), 100, 'int8')
    assert ops.convert_to_numpy(ops.matmul(x, y)).tolist() == [[160000] * 2] * 3
    symbolic = keras.KerasTensor((3, 16), 'int8'), keras.KerasTensor((16, 2), 'int8')
    for a, b in (x, y), symbolic:
        found = ops.matmul(a, b), ops.dot(a, b), ops.tensordot(a, b, 1), ops.matmul(a, ops.cast(b, 'uint8')), \
            ops.matmul(a, ops.cast(b, 'bool'))
        assert [keras.backend.standardize_dtype(part.dtype) for part in found] == [
            'int32', 'int8', 'int8', 'int16', 'int8']


@pytest.mark.on('numpy', 'jax')
def test_places_of_floats_that_are_not_normal():
    """On CPUs XLA compares those as if they were 0."""
    tiny = float.fromhex('0x1p-149')
    for row in [-1.0, -0.0, tiny], [0.0, 1e-38, -tiny, 0.0, 5.0], [-tiny, 2 * -tiny], [np.inf, np.nan, -np.inf], \
            [-0.0, 0.0], [0.0, -0.0], [-np.inf, -np.inf]:
        x = np.array(row, 'float32')
        assert int(ops.argmax(x)) == np.argmax(x) and int(ops.argmin(x)) == np.argmin(x)
    x = np.random.RandomState(0).normal(size=(4, 5, 6)).astype('float32')
    for dtype in 'float16', 'float32':
        for axis in 0, 1, -1:
            assert (ops.convert_to_numpy(ops.argmin(x.astype(dtype), axis)) == x.astype(dtype).argmin(axis)).all()


@pytest.mark.on('jax')
def test_sparse_booleans():
    made = ops.one_hot(np.arange(3), 3, dtype='bool', sparse=True)
    assert keras.backend.is_sparse(made) and made.dtype == bool
    assert ops.convert_to_numpy(made).tolist() == np.eye(3, dtype=bool).tolist()
    dense = ops.convert_to_tensor(made, sparse=False)
    assert dense.dtype == bool and dense.tolist() == np.eye(3, dtype=bool).tolist()


@pytest.mark.on('tensorflow')
def test_sparse_tensors_are_tensors():
    import tensorflow as tf
    x = tf.sparse.from_dense([[0.0, 2.0]])
    assert keras.backend.is_tensor(x) and keras.backend.is_sparse(x) and not keras.backend.is_sparse(tf.ones(2))
    assert ops.convert_to_numpy(keras.backend.to_dense(x)).tolist() == [[0.0, 2.0]]


@pytest.mark.on('jax')
def test_ints_that_jax_does_not_hold():
    for wide in (lambda: ops.convert_to_tensor(2 ** 40), lambda: ops.isclose(2 ** 40, 0),
                 lambda: ops.array([3 * 10 ** 9]), lambda: ops.gcd(2 ** 40, 2 ** 35)):
        with pytest.raises(OverflowError, match='does not fit into int32'):
            wide()
    assert ops.add(ops.ones((1,)), 2 ** 40) == np.float32(2 ** 40)


@pytest.mark.on('torch')
def test_unsigned_ints_that_pytorch_does_not_hold():
    assert int(ops.convert_to_tensor(np.array(2 ** 63 - 1, 'uint64'))) == 2 ** 63 - 1
    with pytest.raises(OverflowError, match='uint64'):
        ops.convert_to_tensor(np.array([2 ** 63 + 5], 'uint64'))


@HOLD_COMPLEX
def test_norms_of_complex_vectors_along_an_axis():
    for order in (None, 2, 1, np.inf, 3):
        close(ops.norm(X, order, 1), np.linalg.norm(X, order, 1))


@pytest.mark.on('numpy', 'torch', 'tensorflow')
def test_branches_that_give_numbers_of_python():
    x = keras.Input((3,))
    model = keras.Model(x, x * ops.cond(ops.any(x > 0), lambda: 1.0, lambda: 2.0))
    for sign, expected in ((1.0, 1.0), (-1.0, -2.0)):
        found = model.predict(np.full((1, 3), sign, 'float32'), verbose=0)
        np.testing.assert_allclose(found, np.full((1, 3), expected))


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_bounds_of_numpy_do_not_widen():
    found = ops.fori_loop(np.int64(0), np.int64(3), lambda i, total: total + i * ops.ones((1,)), ops.zeros((1,)))
    assert keras.backend.standardize_dtype(found.dtype) == 'float32' and float(found[0]) == 3.0


@pytest.mark.on('tensorflow')
def test_edges_of_tensorflow_in_keras_3():
    # Numbers of Keras 3.15.1 on TensorFlow.
    zeros, data = np.array([-1.0, -0.0, 0.0], 'float32'), np.ones(2, 'float32')
    assert int(ops.argmax(zeros)) == 1 and float(ops.segment_max(data, np.array([0, 0]), 2)[1]) == -np.inf
    with keras.config.generation(3):
        assert int(ops.argmax(zeros)) == 2 and int(ops.argmin(np.array([0.0, -0.0], 'float32'))) == 1
        assert ops.argmax(zeros[None], 1, keepdims=True).numpy().tolist() == [[2]]
        found = ops.convert_to_numpy(ops.segment_max(data, np.array([0, 0]), 2))
        np.testing.assert_array_equal(found, [1, np.finfo('float32').min])
