import warnings

import numpy as np
import pytest

import golden
from keras import activations, backend as K, config, layers
from keras.backend.contract.loading import get_engine


DIFFERENT = {
    ('2.3.1', 'softmax_opt3'): 'Keras 2.3.1 ignores the axis of a matrix',
    ('3.15.1', 'sparsemax'): 'upstream\'s result is all zeros where the logits lie far apart: no distribution',
    ('3.15.1', 'sparsemax_opt14'): 'as above',
}


def value(x):
    return get_engine().to_numpy(get_engine().convert(x))


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'activations'))
def test_golden(version, name, entry):
    if (version, name) in DIFFERENT:
        pytest.skip(DIFFERENT[version, name])
    arrays = golden.arrays('functions', version, 'activations/' + name)
    with golden.generation(version):
        result = getattr(activations, entry['function'])(arrays['x'], **entry['arguments'])
    golden.assert_close(value(result), arrays['y'])


def test_get_by_name_config_and_callable():
    assert activations.get('relu') is activations.relu
    assert activations.get(None) is activations.linear
    assert activations.get(np.sin) is np.sin
    assert activations.serialize(activations.get('hard_sigmoid')) == 'hard_sigmoid'
    assert activations.deserialize(activations.serialize(activations.swish)) is activations.silu


def test_unknown_name_is_answered_with_near_ones():
    with pytest.raises(ValueError, match="Unknown activation function: 'rellu'.*'relu'"):
        activations.get('rellu')
    with pytest.raises(ValueError, match='Could not interpret'):
        activations.get(3)


def test_custom_objects():
    from keras.saving.serialization import custom_object_scope
    with custom_object_scope({'double': np.abs}):
        assert activations.get('double') is np.abs
    with pytest.raises(ValueError):
        activations.get('double')


def test_negative_slope_is_alpha():
    x = np.array([-2.0, 3.0], 'float32')
    np.testing.assert_allclose(value(activations.relu(x, negative_slope=0.5)), [-1.0, 3.0])
    np.testing.assert_allclose(value(activations.relu(x, alpha=0.5)), [-1.0, 3.0])


def test_softmax_takes_the_axis():
    x = np.array([[1.0, 2.0], [3.0, 5.0]], 'float32')
    expected = np.exp(x) / np.exp(x).sum(0)
    np.testing.assert_allclose(value(activations.softmax(x, axis=0)), expected, rtol=1e-5)


def test_sparsemax_is_the_projection_on_the_simplex():
    x = np.array([[2.0, 0.0, -1.0], [0.3, 0.2, 0.1]], 'float32')
    np.testing.assert_allclose(value(activations.sparsemax(x)), [[1, 0, 0], [0.43333, 0.33333, 0.23333]], atol=1e-4)


def test_softmax_of_a_vector():
    for generation in (1, 2, 'tf'):
        with config.generation(generation), pytest.raises(ValueError, match='at least 2 axes'):
            activations.softmax(np.array([0.0, 0.0], 'float32'))
    with config.generation(3):
        np.testing.assert_allclose(value(activations.softmax(np.array([0.0, 0.0], 'float32'))), [0.5, 0.5])
    with pytest.raises(ValueError, match='at least 2 axes'):
        activations.softmax(K.placeholder(ndim=1))


def test_a_layer_as_an_activation_gives_a_warning():
    layer = layers.PReLU()
    with pytest.warns(UserWarning, match='p_re_lu.* is a layer'):
        assert activations.get(layer) is layer
    with config.generation(3), warnings.catch_warnings():
        warnings.simplefilter('error')
        assert activations.get(layer) is layer
