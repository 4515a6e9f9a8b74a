"""keras.ops.core: conversion, control flow, slices and scatters."""
import numpy as np
import pytest

import keras
from keras import ops
from keras.backend.contract.loading import get_engine
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable

GENERATOR = np.random.RandomState(7)


def value(x):
    return ops.convert_to_numpy(x)


def test_convert_to_tensor():
    assert ops.dtype(ops.convert_to_tensor([1, 2])) == 'int32'
    assert ops.dtype(ops.convert_to_tensor([1.0, 2.0])) == 'float32'
    assert ops.dtype(ops.convert_to_tensor(np.zeros(2))) == 'float32'
    assert ops.dtype(ops.convert_to_tensor(np.zeros(2, 'int8'))) == 'int8'
    assert ops.dtype(ops.convert_to_tensor([1, 0], dtype='bool')) == 'bool'
    np.testing.assert_array_equal(value(ops.convert_to_tensor(Variable([1.0, 2.0]))), [1.0, 2.0])
    symbolic = KerasTensor((None, 2))
    assert ops.convert_to_tensor(symbolic) is symbolic
    assert ops.is_tensor(symbolic) and ops.is_tensor(ops.convert_to_tensor(1.0)) and not ops.is_tensor('text')


def test_a_symbolic_tensor_has_no_value():
    with pytest.raises(ValueError, match='symbolic'):
        ops.convert_to_numpy(KerasTensor((2,)))


@pytest.mark.parametrize('x,dtype,expected', [
    ([-1.5, 3.0, 300.0], 'uint8', [0, 3, 255]), ([-200, 5, 200], 'int8', [-128, 5, 127]),
    ([1e20, -1e20], 'int16', [32767, -32768]), ([1, 0], 'float32', [1.0, 0.0])])
def test_saturate_cast(engine, x, dtype, expected):
    if dtype not in engine.capabilities.dtypes:
        pytest.skip('%s has no %s' % (engine.name, dtype))
    found = value(ops.saturate_cast(ops.convert_to_tensor(x), dtype))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.on('torch', 'tensorflow')
def test_branches_that_give_none():
    condition = KerasTensor((), 'bool')
    assert ops.cond(condition, lambda: None, lambda: None) is None
    one, nothing = ops.cond(condition, lambda: (ops.ones(2), None), lambda: (ops.zeros(2), None))
    assert tuple(one.shape) == (2,) and nothing is None
    for branches in ([lambda: None, lambda: ops.ones(2)], [lambda: ops.ones(2), lambda: None]):
        with pytest.raises(ValueError, match='outputs of the same kind'):
            ops.cond(condition, *branches)


@pytest.mark.on('torch')
def test_shapes_are_plain_tuples():
    assert type(ops.shape(KerasTensor((None, 3)))) is tuple and type(ops.shape(Variable(np.ones(2)))) is tuple


@pytest.mark.on('tensorflow', 'torch', 'numpy', 'jax')
def test_loops_that_begin_with_numbers():
    count, total = ops.while_loop(lambda i, x: i < 4, lambda i, x: (i + 1, x + 0.5 * i), (0, 1.0))
    assert value(count) == 4 and value(total) == 4.0 and ops.is_tensor(count) and ops.is_tensor(total)
    assert value(ops.while_loop(lambda i: i < 9, lambda i: i + 2, 0, maximum_iterations=2)) == 4


@pytest.mark.on('tensorflow', 'torch', 'numpy')
def test_complex_matrices_by_their_singular_values():
    a = np.array([[1 + 2j, 2], [3j, 4 - 1j], [5, 6]], 'complex64')
    b = np.array([1, 2j, 3], 'complex64')
    np.testing.assert_allclose(ops.convert_to_numpy(ops.lstsq(a, b)), np.linalg.lstsq(a, b, None)[0], atol=1e-5)
    u, s, v = map(ops.convert_to_numpy, ops.svd(a, full_matrices=False))
    assert s.dtype == 'float32'
    np.testing.assert_allclose((u * s) @ v, a, atol=1e-5)


@pytest.mark.on('tensorflow')
def test_split_at_indices_of_a_compiled_function():
    import tensorflow as tf
    compiled = tf.function(lambda x, indices: ops.split(x, indices, axis=1), jit_compile=True)
    parts = compiled(tf.constant([[1, 2, 3], [3, 2, 1]]), tf.constant([1, 2]))
    assert [part.numpy().tolist() for part in parts] == [[[1], [3]], [[2], [2]], [[3], [1]]]



def test_cond_and_switch():
    one, two = ops.convert_to_tensor(1.0), ops.convert_to_tensor(2.0)
    assert value(ops.cond(ops.convert_to_tensor(True), lambda: one, lambda: two)) == 1.0
    assert value(ops.cond(False, lambda: one, lambda: two)) == 2.0
    branches = [lambda x: ops.add(x, 1.0), lambda x: ops.multiply(x, 10.0), lambda x: ops.negative(x)]
    for index, expected in ((0, 3.0), (1, 20.0), (2, -2.0), (7, -2.0), (-4, 3.0)):
        assert value(ops.switch(ops.convert_to_tensor(index), branches, two)) == expected
        assert value(ops.switch(index, branches, two)) == expected


def test_scan_with_nested_structures():
    xs = {'a': np.arange(4.0, dtype='float32'), 'b': np.ones((4, 2), 'float32')}

    def step(carry, x):
        total = ops.add(carry[0], x['a'])
        return [total, ops.add(carry[1], x['b'])], (total, None)
    carry, (totals, nothing) = ops.scan(step, [0.0, np.zeros(2, 'float32')], xs)
    assert nothing is None
    np.testing.assert_allclose(value(totals), [0.0, 1.0, 3.0, 6.0])
    np.testing.assert_allclose(value(carry[1]), [4.0, 4.0])
    _, totals = ops.scan(step_back, np.float32(0), xs['a'], reverse=True)
    np.testing.assert_allclose(value(totals), [6.0, 6.0, 5.0, 3.0])


def step_back(carry, x):
    total = ops.add(carry, x)
    return total, total


def test_loops():
    assert value(ops.fori_loop(0, 5, lambda i, total: ops.add(total, i), 0)) == 10
    count, total = ops.while_loop(lambda i, total: ops.less(i, 4), lambda i, total: (ops.add(i, 1), ops.add(total, i)),
                                  (0, 0))
    assert value(count) == 4 and value(total) == 6
    assert value(ops.while_loop(lambda x: ops.less(x, 100.0), lambda x: ops.multiply(x, 2.0), 1.0)) == 128.0
    assert value(ops.while_loop(lambda x: ops.less(x, 100), lambda x: ops.add(x, 1), 0, maximum_iterations=3)) == 3
    np.testing.assert_allclose(value(ops.map(lambda x: ops.multiply(x, x), np.arange(4.0, dtype='float32'))),
                               [0.0, 1.0, 4.0, 9.0])


def test_associative_scan():
    x = GENERATOR.randn(3, 7).astype('float32')
    np.testing.assert_allclose(value(ops.associative_scan(ops.add, x, axis=1)), np.cumsum(x, 1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(value(ops.associative_scan(ops.maximum, x, axis=1, reverse=True)),
                               np.maximum.accumulate(x[:, ::-1], 1)[:, ::-1])


def test_slice_and_slice_update():
    x = GENERATOR.randn(4, 5).astype('float32')
    np.testing.assert_array_equal(value(ops.slice(x, (1, 2), (2, 3))), x[1:3, 2:])
    np.testing.assert_array_equal(value(ops.slice(x, (1, 0), (-1, 2))), x[1:, :2])
    np.testing.assert_array_equal(value(ops.slice(x, ops.convert_to_tensor([1, 2]), (2, 3))), x[1:3, 2:])
    expected = x.copy()
    expected[1:3, 2:4] = 7.0
    for start in ((1, 2), ops.convert_to_tensor([1, 2])):
        np.testing.assert_array_equal(value(ops.slice_update(x, start, np.full((2, 2), 7.0, 'float32'))), expected)


def test_scatter():
    indices = np.array([[0, 1], [2, 3], [0, 1]], 'int32')
    updates = np.array([1.0, 2.0, 4.0], 'float32')
    expected = np.zeros((3, 4), 'float32')
    np.add.at(expected, tuple(indices.T), updates)
    np.testing.assert_array_equal(value(ops.scatter(indices, updates, (3, 4))), expected)
    rows = value(ops.scatter(np.array([[1], [1]], 'int32'), np.ones((2, 3), 'float32'), (2, 3)))
    np.testing.assert_array_equal(rows, [[0.0] * 3, [2.0] * 3])


@pytest.mark.parametrize('reduction,function', [('add', np.add), ('max', np.maximum), ('min', np.minimum),
                                                ('mul', np.multiply)])
def test_scatter_update_with_reduction(reduction, function):
    x = GENERATOR.randn(4, 3).astype('float32')
    indices, updates = np.array([[0, 1], [3, 2], [0, 1]], 'int32'), np.array([-0.5, 2.0, 0.3], 'float32')
    expected = x.copy()
    function.at(expected, tuple(indices.T), updates)
    np.testing.assert_allclose(value(ops.scatter_update(x, indices, updates, reduction)), expected, rtol=1e-5)
    replaced = x.copy()
    replaced[0, 1], replaced[3, 2] = -0.5, 2.0
    np.testing.assert_array_equal(value(ops.scatter_update(x, indices[:2], updates[:2])), replaced)


def test_an_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="'add'"):
        ops.scatter_update(np.zeros(3, 'float32'), np.array([[0]]), np.ones(1, 'float32'), 'mean')


@pytest.mark.on('numpy', 'tensorflow', 'torch', 'jax')
def test_loops_count_in_the_dtype_of_their_bounds():
    seen = []

    def body(index, total):
        seen.append(keras.backend.standardize_dtype(index.dtype))
        return total + ops.cast(index, 'int16')
    start = ops.convert_to_tensor(np.array(0, 'int16'))
    assert int(ops.fori_loop(start, 5, body, ops.convert_to_tensor(np.array(3, 'int16')))) == 13
    assert set(seen) == {'int16'}
    with pytest.raises(TypeError, match='integers'):
        ops.fori_loop(np.float32(0), 5, body, start)


@pytest.mark.on('torch', 'jax', 'tensorflow')
@pytest.mark.parametrize('dtype', ['float8_e4m3fn', 'float8_e5m2'])
def test_float8_is_there_and_back(dtype):
    library = pytest.importorskip({'jax': 'jax.numpy'}.get(keras.backend.backend(), keras.backend.backend()))
    if not hasattr(getattr(getattr(library, 'dtypes', None), 'experimental', library), dtype):
        pytest.skip('an old library')
    found = ops.cast(ops.convert_to_tensor([1.0, -0.75]), dtype)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    assert value(ops.cast(found, 'float32')).tolist() == [1.0, -0.75]
    symbol = ops.cast(KerasTensor((2,)), dtype)
    assert symbol.dtype == dtype and ops.cast(symbol, 'float32').dtype == 'float32'
    with pytest.raises(ValueError, match='no implicit conversions from float8'):
        keras.backend.result_type(dtype, 'bfloat16')


@pytest.mark.on('numpy')
def test_the_mark_of_sparse_tensors_is_taken_off():
    x = KerasTensor((2, 3), sparse=True)
    assert ops.convert_to_tensor(x).sparse and ops.convert_to_tensor(x, sparse=True).sparse
    dense = ops.convert_to_tensor(x, sparse=False)
    assert (dense.sparse, dense.shape, dense.dtype) == (False, (2, 3), 'float32')
    with pytest.raises(ValueError, match='must be a list of the same length as the input shape'):
        ops.transpose(x, axes=[0])


def test_many_trials_are_counted_in_halves():
    drawn = value(keras.random.binomial((5, 2), 50000.0, 0.5, dtype='float16', seed=10))
    assert drawn.dtype == 'float16' and np.abs(drawn.astype('float64') / 50000 - 0.5).max() < 0.02


@pytest.mark.on('numpy', 'tensorflow')
@pytest.mark.parametrize('arguments, expected', [((5, 2), []), ((2, 5), [2, 3, 4]), ((5, 2, -1), [5, 4, 3]),
                                                 ((2, 5, -1), [])])
def test_ranges_between_tensors_may_be_empty(arguments, expected):
    tensors = [ops.convert_to_tensor(number, 'int32') for number in arguments]
    assert ops.convert_to_numpy(ops.arange(*tensors)).tolist() == expected


def test_ints_that_32_bits_cannot_hold():
    numbers, bytes_ = np.array([1, 2, 3], 'int32'), np.array([1, 250], 'uint32')
    if get_engine().name == 'jax':  # which has no int64
        with pytest.raises(OverflowError):
            ops.clip(numbers, 0, 2 ** 40)
        return
    np.testing.assert_array_equal(value(ops.clip(numbers, 0, 2 ** 40)), [1, 2, 3])
    np.testing.assert_array_equal(value(ops.clip(numbers, -2 ** 40, 2)), [1, 2, 2])
    np.testing.assert_array_equal(value(ops.equal(numbers, 2 ** 32 + 1)), [False] * 3)
    np.testing.assert_array_equal(value(ops.less(bytes_, -1)), [False] * 2)
    if 'int64' in get_engine().capabilities.dtypes:
        assert ops.dtype(ops.add(numbers, 2 ** 40)) == 'int64'


@pytest.mark.on('torch')
def test_what_torch_lacks_kernels_for():
    np.testing.assert_array_equal(value(ops.power(np.array([1, 2, -1], 'int32'), -3)), [1, 0, -1])
    total = ops.sum(np.array([200, 100], 'uint8'))
    assert ops.dtype(total) == ops.dtype(ops.sum(KerasTensor((2,), 'uint8'))) == 'int32'
    assert int(total) == 300 and bool(total > 299)


@pytest.mark.on('numpy')
def test_shapes_of_what_is_not_known_yet():
    unknown = KerasTensor((None, 3))
    assert ops.size(unknown).shape == () and ops.size(KerasTensor((2, 3))) == 6
    assert ops.slice(unknown, (0, 1), (2, 2)).shape == (2, 2)
    assert ops.irfft((KerasTensor((4, None)), KerasTensor((4, None)))).shape == (4, None)
    assert ops.reshape(np.zeros((20,)), KerasTensor((2,), 'int32')).shape == (None, None)
    with pytest.raises(ValueError, match='Cannot convert 3 to a shape'):
        KerasTensor(3)
    with pytest.raises(ValueError, match='Input should have rank >= 1'):
        ops.extract_sequences(np.array(42), 5, 1)


def test_values_of_what_was_not_known():
    unknown = keras.Input((None,), dtype='float32')
    model = keras.Model(unknown, [ops.size(unknown), ops.irfft((unknown, unknown * 0))])
    x = np.array([[1.0, 2.0, 4.0], [3.0, -1.0, 5.0]], 'float32')
    size, signal = model(x)
    assert int(value(size)) == 6
    np.testing.assert_allclose(value(signal), np.fft.irfft(x), atol=1e-6)


@pytest.mark.on('jax')
def test_an_int_that_a_loop_makes_a_float_begins_as_one():
    doubled, count, total = ops.while_loop(
        lambda x, count, total: count < 3, lambda x, count, total: (x * 2, count + 1, total + x),
        (np.float32(1), 0, 0))
    assert (float(doubled), int(count), float(total)) == (8, 3, 1 + 2 + 4)
    assert keras.backend.standardize_dtype(total.dtype) == 'float32'
    assert keras.backend.standardize_dtype(count.dtype) == 'int32'
