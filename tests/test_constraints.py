import numpy as np
import pytest

import golden
from keras import constraints, layers
from keras.backend.contract.loading import get_engine
from keras.models import Sequential


def value(x):
    return get_engine().to_numpy(get_engine().convert(x))


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'constraints'))
def test_golden(version, name, entry):
    arrays = golden.arrays('functions', version, 'constraints/' + name)
    constraint = getattr(constraints, entry['class_name'])(**entry['arguments'])
    golden.assert_close(value(constraint(arrays['x'])), arrays['value'])
    assert constraint.get_config() == entry['config']
    assert type(constraints.deserialize(constraints.serialize(constraint))) is type(constraint)


def test_norms():
    w = np.array([[3.0, 0.3], [4.0, 0.4]], 'float32')
    np.testing.assert_allclose(value(constraints.max_norm(1.0)(w)), [[0.6, 0.3], [0.8, 0.4]], rtol=1e-5)
    np.testing.assert_allclose(value(constraints.unit_norm()(w)), [[0.6, 0.6], [0.8, 0.8]], rtol=1e-5)
    np.testing.assert_allclose(value(constraints.min_max_norm(1.0, 2.0)(w)), [[1.2, 0.6], [1.6, 0.8]], rtol=1e-5)
    np.testing.assert_allclose(value(constraints.non_neg()(-w)), np.zeros((2, 2)))


def test_get():
    assert constraints.get(None) is None
    assert isinstance(constraints.get('maxnorm'), constraints.MaxNorm)
    assert isinstance(constraints.get('NonNeg'), constraints.NonNeg)
    assert isinstance(constraints.get(constraints.UnitNorm), constraints.UnitNorm)
    with pytest.raises(ValueError, match="Unknown constraint: 'max_nrom'.*'max_norm'"):
        constraints.get('max_nrom')
    with pytest.raises(ValueError, match='Could not interpret constraint'):
        constraints.get(2)


def test_a_bound_beyond_the_largest_number_is_none():
    w = np.array([[3.0], [4.0]], 'float32')
    np.testing.assert_allclose(value(constraints.max_norm(1e100)(w)), w, rtol=1e-5)


@pytest.mark.parametrize('size, rings', [(3, [0, 4]), (4, [5, 15]), (5, [6, 12, 18])])
def test_radial_constraint(size, rings):
    """The values are those of tf.keras 2.15."""
    kernel = np.arange(float(size * size)).reshape(size, size, 1, 1)
    found = value(constraints.RadialConstraint()(kernel))[:, :, 0, 0]
    half = found[size // 2, size // 2:]
    np.testing.assert_array_equal(half, rings)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(found, found[::-1, ::-1])
    with pytest.raises(ValueError, match='rank 4'):
        constraints.RadialConstraint()(np.ones((3, 3)))
    with pytest.raises(ValueError, match='square'):
        constraints.RadialConstraint()(np.ones((3, 4, 1, 1)))


@pytest.mark.needs_gradients
def test_radial_constraint_in_training():
    model = Sequential([layers.Conv2D(2, 3, input_shape=(5, 5, 1), kernel_constraint='radial_constraint')])
    model.compile('sgd', 'mse')
    model.fit(np.random.RandomState(0).rand(4, 5, 5, 1), np.zeros((4, 3, 3, 2)), verbose=0)
    kernel = model.get_weights()[0]
    np.testing.assert_allclose(kernel[0], kernel[2])
    np.testing.assert_allclose(kernel[0, 0], kernel[1, 0])
