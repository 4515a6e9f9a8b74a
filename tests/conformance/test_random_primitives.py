"""The random primitives of the engine: distribution, range, and that the seed decides."""
import numpy as np
import pytest
from scipy import stats

from keras.backend.state.seeds import SeedGenerator
from keras.backend.table import primitives

COUNT = 20000
DRAWS = {
    'random_uniform': lambda seed: primitives.random_uniform(seed, (COUNT,), 'float32'),
    'random_normal': lambda seed: primitives.random_normal(seed, (COUNT,), 'float32'),
    'random_integers': lambda seed: primitives.random_integers(seed, (COUNT,), -3, 5, 'int32'),
    'random_permutation': lambda seed: primitives.random_permutation(seed, 1000),
}


def draw(engine, name, generator):
    return engine.to_numpy(DRAWS[name](generator.next()))


@pytest.mark.parametrize('name', sorted(DRAWS))
def test_the_seed_decides(engine, name):
    first, second, other = SeedGenerator(7), SeedGenerator(7), SeedGenerator(8)
    a, b, c = [draw(engine, name, generator) for generator in (first, second, other)]
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    later = draw(engine, name, first)
    assert not np.array_equal(a, later)
    assert np.array_equal(later, draw(engine, name, second))


@pytest.mark.parametrize('name', sorted(DRAWS))
def test_a_step_draws_anew_at_every_call(engine, name):
    generator = SeedGenerator(11)
    step = engine.step(lambda: DRAWS[name](generator.next()), generator.variables, generator.variables)
    first, second = engine.to_numpy(step()), engine.to_numpy(step())
    assert not np.array_equal(first, second)


def test_uniform_fills_its_range_evenly(engine):
    values = draw(engine, 'random_uniform', SeedGenerator(1))
    assert values.dtype == np.float32 and 0 <= values.min() and values.max() < 1
    assert stats.kstest(values, 'uniform').pvalue > 1e-3


def test_normal_has_the_normal_distribution(engine):
    values = draw(engine, 'random_normal', SeedGenerator(2))
    assert values.dtype == np.float32
    assert stats.kstest(values, 'norm').pvalue > 1e-3


def test_integers_are_equally_likely_and_below_the_bound(engine):
    values = draw(engine, 'random_integers', SeedGenerator(3))
    assert values.dtype == np.int32
    found, counts = np.unique(values, return_counts=True)
    assert found.tolist() == list(range(-3, 5))
    assert stats.chisquare(counts).pvalue > 1e-3


def test_a_permutation_holds_every_number_once(engine):
    values = draw(engine, 'random_permutation', SeedGenerator(4))
    assert values.dtype == np.int32
    assert sorted(values.tolist()) == list(range(1000))
    assert abs(np.corrcoef(values, np.arange(1000))[0, 1]) < 0.15


def test_consecutive_draws_are_not_correlated(engine):
    generator = SeedGenerator(5)
    first, second = draw(engine, 'random_normal', generator), draw(engine, 'random_normal', generator)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


@pytest.mark.parametrize('shape', [(), (0,), (2, 0, 3), (2, 3)])
def test_any_shape(engine, shape):
    seed = SeedGenerator(6).next()
    assert engine.to_numpy(primitives.random_uniform(seed, shape, 'float32')).shape == shape
    assert engine.to_numpy(primitives.random_normal(seed, shape, 'float32')).shape == shape
    assert engine.to_numpy(primitives.random_integers(seed, shape, 0, 9, 'int32')).shape == shape


@pytest.mark.parametrize('dtype', ['float16', 'float32', 'bfloat16'])
def test_float_dtypes(engine, dtype):
    if dtype not in engine.capabilities.dtypes:
        pytest.skip('%s has no %s' % (engine.name, dtype))
    seed = SeedGenerator(6).next()
    uniform = primitives.random_uniform(seed, (500,), dtype)
    assert engine.dtype_of(uniform) == engine.dtype_of(primitives.random_normal(seed, (500,), dtype)) == dtype
    assert 0 <= engine.to_numpy(uniform).min() and engine.to_numpy(uniform).max() < 1
