"""Random composites: moments of the distributions, what seeds mean, and errors."""
import numpy as np
import pytest

from keras.backend.contract.ledger import AbstractLedger
from keras.backend.graph.plans import Plan
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.seeds import SeedGenerator, set_global_seed
from keras.backend.state.variables import to_array
from keras.backend.table.composites import random

COUNT = 20000


def draw(function, *args, **kwargs):
    return to_array(function(*args, **kwargs))


@pytest.mark.parametrize('name,args,mean,deviation', [
    ('uniform', (-1.0, 3.0), 1.0, 4.0 / np.sqrt(12)), ('normal', (2.0, 0.5), 2.0, 0.5),
    ('truncated_normal', (1.0, 2.0), 1.0, 2.0 * 0.8796257), ('gamma', (0.4,), 0.4, np.sqrt(0.4)),
    ('gamma', (3.0,), 3.0, np.sqrt(3.0)), ('beta', (2.0, 3.0), 0.4, 0.2), ('binomial', (10, 0.3), 3.0, np.sqrt(2.1))])
def test_moments(name, args, mean, deviation):
    x = draw(getattr(random, name), (COUNT,), *args, seed=3)
    assert x.dtype == 'float32'
    assert abs(x.mean() - mean) < 5 * deviation / np.sqrt(COUNT)
    assert abs(x.std() / deviation - 1) < 0.05


def test_bounds():
    assert np.abs(draw(random.truncated_normal, (COUNT,), seed=1)).max() <= 2.0
    integers = draw(random.randint, (COUNT,), -2, 4, seed=1)
    assert integers.dtype == 'int32' and set(integers) == set(range(-2, 4))


def test_parameters_broadcast():
    x = draw(random.gamma, (COUNT, 2), np.array([0.5, 4.0], 'float32'), seed=1)
    np.testing.assert_allclose(x.mean(0), [0.5, 4.0], rtol=0.05)
    x = draw(random.binomial, (COUNT, 2), np.array([2, 8]), np.array([0.5, 0.25], 'float32'), seed=1)
    np.testing.assert_allclose(x.mean(0), [1.0, 2.0], rtol=0.05)
    assert (x.max(0) <= [2, 8]).all()


def test_categorical():
    drawn = draw(random.categorical, np.log(np.array([[0.2, 0.3, 0.5], [1.0, 1e-9, 1e-9]], 'float32')), COUNT, seed=1)
    assert drawn.shape == (2, COUNT)
    np.testing.assert_allclose(np.bincount(drawn[0]) / COUNT, [0.2, 0.3, 0.5], atol=0.02)
    assert (drawn[1] == 0).all()


def test_shuffle_keeps_the_slices():
    x = np.arange(20).reshape(2, 10).astype('int32')
    shuffled = draw(random.shuffle, x, 1, seed=4)
    assert not np.array_equal(shuffled, x)
    np.testing.assert_array_equal(np.sort(shuffled, 1), x)
    np.testing.assert_array_equal(shuffled[1] - shuffled[0], 10)


def test_dropout():
    x = np.ones((200, 100), 'float32')
    dropped = draw(random.dropout, x, 0.3, seed=1)
    np.testing.assert_allclose(np.unique(dropped), [0.0, 1 / 0.7], rtol=1e-6)
    assert abs((dropped == 0).mean() - 0.3) < 0.02
    rows = draw(random.dropout, x, 0.5, (None, 1), seed=1)
    assert (rows == rows[:, :1]).all() and 0 < (rows == 0).mean() < 1
    np.testing.assert_array_equal(draw(random.dropout, x, 0.0), x)
    assert not draw(random.dropout, x, 1.0).any()
    with pytest.raises(ValueError, match='between 0 and 1'):
        random.dropout(x, 1.5)


def test_what_seeds_mean():
    assert np.array_equal(draw(random.uniform, (5,), seed=1), draw(random.uniform, (5,), seed=1))
    assert not np.array_equal(draw(random.uniform, (5,), seed=1), draw(random.uniform, (5,), seed=2))
    generator = SeedGenerator(7)
    first, second = draw(random.normal, (5,), seed=generator), draw(random.normal, (5,), seed=generator)
    assert not np.array_equal(first, second)
    again = SeedGenerator(7)
    np.testing.assert_array_equal(draw(random.normal, (5,), seed=again), first)
    np.testing.assert_array_equal(draw(random.normal, (5,), seed=again), second)
    assert not np.array_equal(draw(random.uniform, (5,)), draw(random.uniform, (5,)))
    set_global_seed(3)
    one = draw(random.uniform, (5,))
    set_global_seed(3)
    np.testing.assert_array_equal(draw(random.uniform, (5,)), one)


def test_wrong_seeds_and_dtypes_are_refused():
    with pytest.raises(ValueError, match='SeedGenerator'):
        random.uniform((2,), seed='1')
    with pytest.raises(ValueError, match='randint'):
        random.uniform((2,), dtype='int32')
    with pytest.raises(ValueError, match='uniform'):
        random.randint((2,), 0, 3, dtype='float32')


def test_symbolic_and_abstract():
    x = KerasTensor((None, 3))
    y = random.dropout(x, 0.5, None, SeedGenerator(1))
    assert y.shape == (None, 3) and y.node.operation.name == 'dropout'
    plan = Plan([x], [y], lambda node: node.operation.call)
    ones = random.uniform((50, 3), 1.0, 1.0)
    assert not np.array_equal(to_array(plan([ones])[0]), to_array(plan([ones])[0]))
    with AbstractLedger():
        assert random.normal((2, 3), seed=5).shape == (2, 3)
