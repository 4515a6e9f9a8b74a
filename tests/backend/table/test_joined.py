"""Functions of several operations, which an engine that joins operations compiles for calls that come often."""
import collections

import numpy as np
import pytest

import keras
from keras import layers, ops
from keras.backend.contract.loading import get_engine
from keras.backend.table.joined import MOST_CALLS, TIMES, Joined

pytestmark = pytest.mark.skipif(not get_engine().joins_operations, reason='the engine does not join operations')


def counting(function):
    """`function`, and a list that grows when it runs."""
    runs = []

    def run(*args):
        runs.append(args)
        return function(*args)
    return run, runs


def tensor(*numbers):
    return ops.convert_to_tensor(np.array(numbers, 'float32'))


def test_what_comes_often_is_compiled_for_its_plain_values():
    body, runs = counting(lambda x, factor, options: x * factor + options['shift'][1])
    call, x = Joined(body), tensor(1, 2)
    for _ in range(2 * TIMES):
        for factor in (2.0, 3.0, 2, -0.0, 0.0):
            found = call(x, factor, {'shift': [x, 1.0]})
            np.testing.assert_array_equal(np.asarray(found), np.array([1, 2]) * factor + 1)
            assert np.array_equal(np.signbit(call(x, factor, {'shift': [x, -0.0]})), [factor < 0 or (
                factor == 0 and str(factor)[0] == '-')] * 2)
    known = len(runs)
    call(x, 2.0, {'shift': [x, 1.0]})
    assert len(runs) == known
    assert np.asarray(call(tensor(1, 2, 3), 2.0, {'shift': [x, 1.0]})).tolist() == [3, 5, 7]
    assert len(runs) == known + 1


def test_what_looks_at_values_runs_as_it_is():
    body, runs = counting(lambda x: x + x + 1.0 if float(x[0]) > 0 else x - x - 1.0)
    call = Joined(body)
    for number in (1, -1) * (2 * TIMES):
        assert np.asarray(call(tensor(number))).tolist() == [3.0 if number > 0 else -1.0]


def test_what_gives_plain_values_goes_on_giving_them():
    call = Joined(lambda x: (x.shape[0], x * x + x))
    for _ in range(2 * TIMES):
        assert type(call(tensor(1, 2))[0]) is int


def test_single_operations_are_left_alone():
    left = []
    call = Joined(lambda x, y: ops.add(x, y), lambda: left.append(True))
    for size in (1, 2):
        for _ in range(TIMES):
            call(tensor(*range(size)), tensor(*range(size)))
    assert left == [True]


def test_settings_and_tracing():
    call = Joined(lambda x: x * x + keras.config.epsilon())
    for _ in range(2 * TIMES):
        call(tensor(0, 1))
    before = keras.config.epsilon()
    try:
        keras.config.set_epsilon(0.25)
        assert np.asarray(call(tensor(0, 1))).tolist() == [0.25, 1.25]
    finally:
        keras.config.set_epsilon(before)
    import jax
    assert float(jax.grad(lambda x: call(x).sum())(tensor(3.0))[0]) == 6.0


@pytest.mark.parametrize('name, args, expected', [
    ('quantile', (np.array([[3, 1, 2]], 'float32'), 0.5), 2.0),
    ('gcd', (np.array([12, 7]), np.array([18, 14])), [6, 7]),
    ('linspace', (0.0, 1.0, 5), np.linspace(0, 1, 5)), ('nanmean', (np.array([1, np.nan, 4], 'float32'),), 2.5),
    ('take_along_axis', (np.array([[5., 6.]], 'float32'), np.array([[1, 0]]), 1), [[6, 5]]),
    ('isclose', (np.ones(2, 'float32'), np.array([1, 1.1], 'float32')), [True, False]),
    ('one_hot', (np.array([0, 2]), 3), np.eye(3)[[0, 2]]), ('tile', (np.arange(2.), (2,)), [0, 1, 0, 1]),
    ('norm', (np.array([3, 4], 'float32'),), 5.0), ('hypot', (np.array([3.0]), np.array([4.0])), [5.0])])
def test_operations_give_the_same_when_compiled(name, args, expected):
    args = [ops.convert_to_tensor(arg) if isinstance(arg, np.ndarray) else arg for arg in args]
    found = [np.asarray(getattr(ops, name)(*args)) for _ in range(TIMES + 2)]
    for one in found:
        np.testing.assert_allclose(one, expected, rtol=1e-6)
        assert one.dtype == found[0].dtype


def test_changes_of_images_follow_the_attributes_of_their_layer():
    images = tensor(*range(2 * 4 * 4 * 3)).reshape(2, 4, 4, 3) * 2
    layer = layers.RandomBrightness(0.5, value_range=(0, 255))
    change = {'rgb_delta': tensor(100.0, 10.0).reshape(2, 1, 1, 1)}
    for _ in range(TIMES + 2):
        found = np.asarray(layer.transform_images(images, change))
        np.testing.assert_array_equal(found, np.clip(np.asarray(images) + np.asarray(change['rgb_delta']), 0, 255))
    layer.value_range = (0, 50)
    assert np.asarray(layer.transform_images(images, change)).max() == 50


def test_draws_go_on_changing():
    layer = layers.RandomContrast(0.9, seed=3)
    images = tensor(*range(48)).reshape(1, 4, 4, 3)
    means = collections.Counter(float(np.asarray(layer(images, training=True)).std()) for _ in range(8))
    assert len(means) == 8


def test_layers_with_compiled_changes_are_freed():
    import gc
    import weakref
    layer, images = layers.RandomContrast(0.9, seed=3), tensor(*range(48)).reshape(1, 4, 4, 3)
    for _ in range(TIMES + 2):
        layer(images, training=True)
    gone = weakref.ref(layer)
    del layer
    gc.collect()
    assert gone() is None


def test_numbers_that_are_others_each_time_leave_room_for_calls_that_come_again():
    body, runs = counting(lambda x, factor, nothing: x * factor + ops.sum(x))
    call, x = Joined(body), tensor(1, 2)
    for number in range(3 * MOST_CALLS):
        call(x, float(number), 0)
    for _ in range(TIMES):
        call(x, 0.5, float('nan'))
    known = len(runs)
    np.testing.assert_array_equal(np.asarray(call(x, 0.5, float('nan'))), [3.5, 4.0])
    # Compiling has run the body once more within the last of these calls.
    assert len(runs) == known


def test_changes_of_images_follow_the_layers_inside():
    images = np.full((1, 2, 2, 3), 200.0, 'float32')
    layer = layers.RandomColorJitter(value_range=(0, 255), brightness_factor=(1.0, 1.0), seed=0)
    for _ in range(2 * TIMES):
        assert np.max(layer(images, training=True)) == 255.0
    layer._parts['brightness'].value_range = (0, 100)
    assert np.max(layer(images, training=True)) == 100.0
