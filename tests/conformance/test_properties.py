"""Rules against NumPy for arbitrary shapes, axes and slices, and the engine on a sample of them."""
import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from keras.backend.contract import rules
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor
from keras.backend.table import primitives as p

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
# Engines compile for every new shape: few examples of them.
FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
SIZES = st.sampled_from([0, 1, 2, 3, 4])
SHAPES = st.lists(SIZES, min_size=0, max_size=4).map(tuple)


def numpy_result(function, *args):
    try:
        return function(*args)
    except (ValueError, IndexError, TypeError):
        return None


@QUICK
@given(SHAPES, SHAPES)
def test_broadcasting_is_numpys(first, second):
    expected = numpy_result(lambda: np.broadcast(np.empty(first), np.empty(second)).shape)
    try:
        found = rules.broadcast_shapes(first, second)
    except ValueError:
        found = None
    assert found == expected


@QUICK
@given(SHAPES, SHAPES, st.data())
def test_broadcasting_with_unknown_sizes_admits_the_real_ones(first, second, data):
    expected = numpy_result(lambda: np.broadcast(np.empty(first), np.empty(second)).shape)
    assume(expected is not None)
    hidden = [tuple(None if data.draw(st.booleans()) else size for size in shape) for shape in (first, second)]
    found = rules.broadcast_shapes(*hidden)
    assert len(found) == len(expected)
    assert all(size in (None, real) for size, real in zip(found, expected))


@QUICK
@given(SHAPES.filter(len), st.data(), st.booleans())
def test_reductions_have_numpys_shape(shape, data, keepdims):
    axis = data.draw(st.one_of(st.none(), st.integers(-5, 5), st.lists(st.integers(-5, 5), max_size=3).map(tuple)))
    expected = numpy_result(lambda: np.sum(np.empty(shape), axis=axis, keepdims=keepdims).shape)
    try:
        found = rules.reduction(AbstractTensor(shape, 'float32'), axis, keepdims).shape
    except ValueError:
        found = None
    assert found == expected


@QUICK
@given(SHAPES, SHAPES)
def test_matmul_has_numpys_shape(first, second):
    expected = numpy_result(lambda: np.matmul(np.ones(first), np.ones(second)).shape)
    try:
        found = rules.matmul(AbstractTensor(first, 'float32'), AbstractTensor(second, 'float32')).shape
    except ValueError:
        found = None
    assert found == expected


@QUICK
@given(SHAPES, st.lists(st.sampled_from([-1, 0, 1, 2, 3, 4, 6]), max_size=4).map(tuple))
def test_reshape_has_numpys_shape(shape, target):
    expected = numpy_result(lambda: np.empty(shape).reshape(target).shape)
    try:
        found = rules.reshape(AbstractTensor(shape, 'float32'), target).shape
    except ValueError:
        found = None
    if -1 in target and 0 in target:
        # NumPy refuses to divide by 0; a rule may say that the size is 0.
        assert expected is None or found == expected
    else:
        assert found == expected


BOUND = st.one_of(st.none(), st.integers(-6, 6))
STEP = st.sampled_from([1, 1, 2, -1, -2, 3])


@QUICK
@given(SHAPES, st.data())
def test_slices_have_numpys_shape(shape, data):
    bounds = data.draw(st.lists(st.tuples(BOUND, BOUND, STEP), max_size=len(shape)))
    expected = np.empty(shape)[tuple(slice(*each) for each in bounds)].shape
    starts, stops, steps = [tuple(each[part] for each in bounds) for part in range(3)]
    assert rules.strided_slice(AbstractTensor(shape, 'float32'), starts, stops, steps).shape == expected


@QUICK
@given(st.lists(SHAPES, min_size=1, max_size=3), st.integers(-4, 4))
def test_concatenation_has_numpys_shape(shapes, axis):
    expected = numpy_result(lambda: np.concatenate([np.empty(shape) for shape in shapes], axis).shape)
    try:
        found = rules.concatenate([AbstractTensor(shape, 'float32') for shape in shapes], axis).shape
    except ValueError:
        found = None
    assert found == expected


@QUICK
@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
def test_window_lengths_count_the_windows(size, window, stride, dilation):
    extent = (window - 1) * dilation + 1
    starts = [start for start in range(0, size, stride) if start + extent <= size]
    if starts:
        assert rules.window_length(size, window, stride, 'valid', dilation) == len(starts)
    assert rules.window_length(size, window, stride, 'same', dilation) == len(range(0, size, stride))


def numbers(shape):
    return np.arange(int(np.prod(shape)), dtype='float32').reshape(shape) - 3


@FEW
@given(SHAPES, SHAPES)
def test_engine_broadcasts(first, second):
    expected = numpy_result(lambda: numbers(first) + numbers(second))
    assume(expected is not None)
    engine = get_engine()
    found = engine.to_numpy(p.add(engine.convert(numbers(first)), engine.convert(numbers(second))))
    assert found.shape == expected.shape and np.array_equal(found, expected)


@FEW
@given(SHAPES, st.data(), st.booleans())
def test_engine_reduces_any_axes(shape, data, keepdims):
    rank = len(shape)
    axis = data.draw(st.one_of(st.none(), st.sets(st.integers(-rank, -1), max_size=rank).map(tuple))
                     if rank else st.none())
    engine = get_engine()
    found = engine.to_numpy(p.sum(engine.convert(numbers(shape)), axis, keepdims))
    expected = np.sum(numbers(shape), axis=axis, keepdims=keepdims)
    assert found.shape == expected.shape and np.allclose(found, expected)


@FEW
@given(SHAPES, st.data())
def test_engine_slices(shape, data):
    bounds = data.draw(st.lists(st.tuples(BOUND, BOUND, STEP), min_size=min(1, len(shape)), max_size=len(shape)))
    starts, stops, steps = [tuple(each[part] for each in bounds) for part in range(3)]
    expected = numbers(shape)[tuple(slice(*each) for each in bounds)]
    engine = get_engine()
    found = engine.to_numpy(p.strided_slice(engine.convert(numbers(shape)), starts, stops, steps))
    assert found.shape == expected.shape and np.array_equal(found, expected)
