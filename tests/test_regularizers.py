import numpy as np
import pytest

import golden
from keras import regularizers
from keras.backend.contract.loading import get_engine

X = np.array([[1.0, -2.0], [0.5, 3.0]], 'float32')


def value(x):
    return get_engine().to_numpy(get_engine().convert(x))


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'regularizers'))
def test_golden(version, name, entry):
    if version == '3.15.1' and name == 'l1_l2_5':
        pytest.skip('the defaults of l1_l2 are Keras 2\'s')
    arrays = golden.arrays('functions', version, 'regularizers/' + name)
    regularizer = getattr(regularizers, entry['name'])(*entry['args'], **entry['arguments'])
    golden.assert_close(value(regularizer(arrays['x'])), arrays['value'])


def test_l1_l2():
    np.testing.assert_allclose(value(regularizers.L1L2(0.1, 0.2)(X)), 0.1 * 6.5 + 0.2 * 14.25, rtol=1e-6)
    np.testing.assert_allclose(value(regularizers.l1(l1=0.1)(X)), 0.65, rtol=1e-6)
    assert value(regularizers.L1L2()(X)) == 0.0


def test_orthogonal():
    rows = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]], 'float32')
    cosine = 1 / np.sqrt(2)
    np.testing.assert_allclose(value(regularizers.OrthogonalRegularizer(0.3)(rows)), 0.3 * 2 * cosine / 3, rtol=1e-5)


@pytest.mark.parametrize('regularizer', [regularizers.l1(0.1), regularizers.l1_l2(0.1, 0.2), regularizers.L2(0.3),
                                         regularizers.OrthogonalRegularizer(0.1, 'columns')])
def test_config_round_trip(regularizer):
    again = regularizers.deserialize(regularizers.serialize(regularizer))
    assert type(again) is type(regularizer) and again.get_config() == regularizer.get_config()


def test_get():
    assert regularizers.get(None) is None
    assert regularizers.get('l2').l2 == pytest.approx(0.01)
    assert regularizers.get(np.sum) is np.sum
    with pytest.raises(ValueError, match="Unknown regularizer: 'l3'"):
        regularizers.get('l3')
    with pytest.raises(ValueError, match='Could not interpret regularizer'):
        regularizers.get(0.1)
    with pytest.raises(ValueError, match='factor l1 must be a finite number of at least 0. Received: -1'):
        regularizers.l1(-1)
    with pytest.raises(ValueError, match='must have rank 2'):
        regularizers.OrthogonalRegularizer()(np.zeros(3, 'float32'))


@pytest.mark.on('numpy', 'torch')
def test_no_penalty_is_a_tensor_of_the_type_of_the_weights():
    found = regularizers.L1L2()(get_engine().convert(np.ones((2, 2)), 'float16'))
    assert 'float16' in str(found.dtype) and float(found) == 0.0
