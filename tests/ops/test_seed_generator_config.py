"""`SeedGenerator` by its config."""
import numpy as np
import pytest

import keras


@pytest.mark.on('numpy')
def test_seed_generator_comes_back_from_its_config():
    config = keras.saving.serialize_keras_object(keras.random.SeedGenerator(42, name='mine'))
    found = keras.saving.deserialize_keras_object(config)
    assert type(found) is keras.random.SeedGenerator and found.name == 'mine'
    assert found.get_config() == {'seed': 42, 'name': 'mine'}


def test_what_next_gives_is_a_seed():
    first, second = [keras.random.SeedGenerator(5) for _ in range(2)]
    expected = keras.ops.convert_to_numpy(keras.random.uniform((4,), seed=first))
    found = keras.ops.convert_to_numpy(keras.random.uniform((4,), seed=second.next()))
    np.testing.assert_array_equal(found, expected)
    seeds = [keras.ops.convert_to_numpy(second.next()) for _ in range(3)]
    assert [(seed.dtype.kind in 'iu', seed.shape) for seed in seeds] == [(True, (2,))] * 3
    keras.random.uniform((4,), seed=second)
    seeds.append(keras.ops.convert_to_numpy(second.next()))
    assert len({tuple(seed) for seed in seeds}) == 4
    for wrong in ('seed', 1.5):
        with pytest.raises(ValueError, match='Argument `seed` must be either an integer'):
            keras.random.uniform((4,), seed=wrong)
    with pytest.raises(ValueError, match='requires a floating point `dtype`'):
        keras.random.uniform((4,), dtype='int64')
    with pytest.raises(ValueError, match='requires an integer `dtype`'):
        keras.random.randint((4,), 0, 3, dtype='float64')


@pytest.mark.on('jax')
def test_keys_of_jax_are_seeds_and_traces_need_one():
    jax = pytest.importorskip('jax')
    key = jax.random.PRNGKey(1234)
    once, again = [keras.random.randint((3, 5), 0, 10, seed=key) for _ in range(2)]
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(jax.jit(lambda key: keras.random.randint((3, 5), 0, 10, seed=key))(key), once)
    with pytest.raises(ValueError, match='you should only use seeded random ops'):
        jax.jit(lambda: keras.random.uniform((2,)))()


@pytest.mark.on('tensorflow')
def test_large_seeds_of_tensorflow_wrap_as_in_keras_3():
    found, expected = [keras.ops.convert_to_numpy(keras.random.uniform((4,), seed=seed))
                       for seed in (2 ** 31 - 2 + 1001, 1001)]
    np.testing.assert_array_equal(found, expected)
