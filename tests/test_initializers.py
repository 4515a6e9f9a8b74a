import numpy as np
import pytest

import golden
import keras
from keras import initializers
from keras.backend.state.seeds import SeedGenerator, set_global_seed
from keras.backend.state.variables import Variable


def make(entry):
    return getattr(initializers, entry.get('class_name') or entry['function'])(**entry['arguments'])


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'initializers'))
def test_golden(version, name, entry):
    initializer = make(entry)
    shape = tuple(entry['shape'])
    if 'statistics' not in entry:
        golden.assert_close(initializer(shape), golden.arrays('functions', version, 'initializers/' + name)['value'])
        return
    draws = np.stack([initializer(shape) for _ in range(30)])
    expected = entry['statistics']
    assert draws.dtype == 'float32' and draws.shape[1:] == shape
    assert abs(draws.std() / expected['std'] - 1) < 0.02
    # The mean of the three golden draws lies within a few standard errors of the true one.
    assert abs(draws.mean() - expected['mean']) < 5 * expected['std'] / np.sqrt(3 * np.prod(shape))
    if entry.get('class_name') in ('RandomUniform', 'TruncatedNormal', 'VarianceScaling') or 'function' in entry:
        if 'untruncated' not in entry['config'].get('distribution', ''):
            assert np.abs(draws).max() <= expected['max_abs'] * 1.002


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'initializers'))
def test_config_is_upstreams(version, name, entry):
    if version != '2.3.1':
        pytest.skip('configs are Keras 2\'s')
    assert make(entry).get_config() == entry['config']


@pytest.mark.parametrize('name', ['random_normal', 'uniform', 'truncated_normal', 'glorot_uniform', 'orthogonal',
                                  'HeNormal', 'VarianceScaling'])
def test_seeds(name):
    fresh = initializers.get(name)
    assert not np.array_equal(fresh((4, 3)), fresh((4, 3)))
    seeded = initializers.deserialize({'class_name': type(fresh).__name__, 'config': dict(fresh.get_config(), seed=7)})
    again = initializers.deserialize(initializers.serialize(seeded))
    first, second = seeded((4, 3)), seeded((4, 3))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal([first, second], [again((4, 3)), again((4, 3))])
    with keras.config.generation(3):
        seeded = initializers.deserialize(initializers.serialize(seeded))
    np.testing.assert_array_equal([seeded((4, 3)), seeded((4, 3))], [first, first])
    set_global_seed(1)
    first = fresh((4, 3))
    set_global_seed(1)
    np.testing.assert_array_equal(first, fresh((4, 3)))


def test_a_seed_generator_goes_on():
    initializer = initializers.RandomNormal(seed=SeedGenerator(3))
    first, second = initializer((4,)), initializer((4,))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, initializers.RandomNormal(seed=SeedGenerator(3))((4,)))


@pytest.mark.parametrize('value, shape, expected', [
    ([-1.0, 1.0], (2, 1), [[-1], [1]]), (np.arange(6), (2, 3), [[0, 1, 2], [3, 4, 5]]), ([[1], [2]], (2,), [1, 2]),
    ([7.0], (2, 2), [[7, 7], [7, 7]]), ([1.0, 2.0], (2, 2), [[1, 2], [1, 2]]), (3, (), 3), ([[1, 2], [3, 4]], (4,),
                                                                                            [1, 2, 3, 4])])
def test_a_constant_of_several_values(value, shape, expected):
    found = initializers.Constant(value)(shape)
    assert found.dtype == 'float32'
    np.testing.assert_array_equal(found, np.array(expected, 'float32'))
    loaded = initializers.get({'class_name': 'Constant', 'config': {'value': value}})
    np.testing.assert_array_equal(loaded(shape), found)


def test_a_constant_that_does_not_fit():
    with pytest.raises(ValueError, match=r'3 values of shape \(3,\) .*\(2, 2\)'):
        initializers.Constant([1.0, 2.0, 3.0])((2, 2))


def test_delayed_takes_the_seed_now():
    set_global_seed(5)
    a, b = [initializers.delayed('glorot_uniform') for _ in range(2)]
    last, first = b((3, 2), 'float32'), a((3, 2), 'float32')
    set_global_seed(5)
    a, b = [initializers.delayed('glorot_uniform') for _ in range(2)]
    np.testing.assert_array_equal(a((3, 2), 'float32'), first)
    np.testing.assert_array_equal(b((3, 2), 'float32'), last)


def test_delayed_calls_functions_of_every_signature():
    for function in (lambda shape: np.ones(shape), lambda shape, dtype=None: np.ones(shape, dtype),
                     lambda shape, **kwargs: np.ones(shape, kwargs['dtype'])):
        np.testing.assert_array_equal(initializers.delayed(function)((2,), 'float32'), [1, 1])


def test_variables_draw_once_and_alike_on_every_engine():
    variable = Variable(initializers.delayed(initializers.RandomNormal(stddev=1.0, seed=1337)), (2, 3))
    generator = np.random.Generator(np.random.Philox(key=1337))
    np.testing.assert_array_equal(variable.numpy(), generator.standard_normal((2, 3), dtype='float32'))
    np.testing.assert_array_equal(variable.numpy(), variable.numpy())


@pytest.mark.parametrize('shape', [(6, 4), (4, 6), (2, 3, 5)])
def test_orthogonal(shape):
    matrix = initializers.Orthogonal(gain=2.0)(shape, 'float64').reshape(-1, shape[-1])
    matrix = matrix if matrix.shape[0] < matrix.shape[1] else matrix.T
    np.testing.assert_allclose(matrix.dot(matrix.T), 4 * np.eye(len(matrix)), atol=1e-12)


def test_dtypes():
    for dtype in ('float16', 'float32', 'float64'):
        assert initializers.get('he_uniform')((3, 2), dtype).dtype == dtype
    assert initializers.Zeros()((2,), 'int32').dtype == 'int32'
    assert initializers.RandomNormal(seed=1)((2,), 'bfloat16').dtype == 'float32'


def test_fans():
    assert initializers.compute_fans((4, 5)) == (4, 5)
    assert initializers.compute_fans((3, 3, 4, 5)) == (36, 45)
    assert initializers.compute_fans((9,)) == (3, 3)
    assert initializers.compute_fans((2, 3, 4), input_axes=[0, 1], output_axes=[2]) == (6, 4)


def test_errors():
    with pytest.raises(ValueError, match="Unknown initializer: 'glorot_unifrom'.*'glorot_uniform'"):
        initializers.get('glorot_unifrom')
    with pytest.raises(ValueError, match='Could not interpret initializer: 3'):
        initializers.get(3)
    with pytest.raises(ValueError, match='Argument `scale` must be positive'):
        initializers.VarianceScaling(scale=0)
    with pytest.raises(ValueError, match='Invalid `mode` argument: it must be one of fan_in, fan_out, fan_avg'):
        initializers.VarianceScaling(mode='fan')
    with pytest.raises(ValueError, match='expected a shape of 2 sizes'):
        initializers.Identity()((2, 2, 2))
    with pytest.raises(ValueError, match='at least 2 sizes'):
        initializers.Orthogonal()((2,))


@pytest.mark.on('numpy')
def test_a_vector_has_its_size_for_inputs_in_keras_3():
    assert np.isclose(np.std(initializers.LecunNormal(seed=1)((10000,))), 0.1, rtol=0.05)
    with keras.config.generation(3):
        assert np.isclose(np.std(initializers.LecunNormal(seed=1)((10000,))), 0.01, rtol=0.05)


def test_functions_of_keras_1_get_the_name_of_the_weight():
    """They took `(shape, name)`; those that do not ask for a name are called as ever."""
    from keras import layers
    seen = []

    def halves(shape, name):
        seen.append((shape, name))
        return np.full(shape, 0.5, 'float32')

    layer = layers.SimpleRNN(2, kernel_initializer=halves,
                             recurrent_initializer=lambda shape, name=None: halves(shape, name),
                             bias_initializer=lambda shape: np.ones(shape, 'float32'))
    layer.build((None, 4, 3))
    assert [float(values.ravel()[0]) for values in layer.get_weights()] == [0.5, 0.5, 1.0]
    assert seen == [((3, 2), 'kernel'), ((2, 2), 'recurrent_kernel')]
