"""`keras.src.backend` as Keras 3 has it, beside K; and masks that go with predictions into losses."""
import importlib

import numpy as np
import pytest

import keras

pytestmark = pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')


def test_functions_of_the_backend():
    backend = importlib.import_module('keras.src.backend')
    assert backend.Variable is keras.Variable and backend.KerasTensor is keras.KerasTensor
    x = backend.convert_to_tensor([1.0, -2.0])
    assert backend.is_tensor(x) and backend.standardize_dtype(backend.cast(x, 'float16').dtype) == 'float16'
    np.testing.assert_array_equal(backend.convert_to_numpy(backend.nn.relu(backend.numpy.add(x, 1))), [2, 0])
    assert backend.compute_output_spec(keras.ops.square, keras.KerasTensor((None, 2))).shape == (None, 2)
    assert backend.any_symbolic_tensors((x, [keras.KerasTensor((2,))])) and not backend.any_symbolic_tensors((x,))
    assert backend.standardize_data_format(None) == keras.config.image_data_format()
    with pytest.raises(ValueError, match='data_format'):
        backend.standardize_data_format('first')
    # What K has is still there, and K has nothing of this.
    assert backend.floatx() == 'float32' and backend.placeholder is keras.backend.placeholder
    assert not hasattr(keras.backend, 'Variable')


@pytest.mark.parametrize('address', [
    'core', 'image', 'linalg', 'math', 'nn', 'numpy', 'random', 'tensorflow.core', 'jax.nn', 'torch.numpy',
    'common.dtypes', 'common.global_state',
    'common.keras_tensor', 'common.masking', 'common.name_scope', 'common.remat',
    'common.stateless_scope', 'common.symbolic_scope', 'common.variables'])
def test_modules_of_the_backend(address):
    assert importlib.import_module('keras.src.backend.' + address)


def test_scopes_say_that_they_are_open():
    scope = importlib.import_module('keras.src.backend.common.stateless_scope')
    assert not scope.in_stateless_scope() and scope.get_stateless_scope() is None
    with scope.StatelessScope() as outer:
        with keras.StatelessScope() as inner:
            assert scope.get_stateless_scope() is inner
        assert scope.get_stateless_scope() is outer
    assert not scope.in_stateless_scope()


def test_attributes_of_a_thread():
    state = importlib.import_module('keras.src.backend.common.global_state')
    assert state.get_global_attribute('up3b') is None and state.get_global_attribute('up3b', 3) == 3
    state.get_global_attribute('up3b', 4, set_to_default=True)
    assert state.get_global_attribute('up3b', 3) == 4
    state.set_global_attribute('up3b', None)


@pytest.mark.parametrize('generation,expected', [(3, (0.81 + 0.49 + 0.36) / 3), (2, (0.81 + 0.04 + 0.49 + 0.36) / 4)])
def test_losses_take_masks_that_go_with_predictions(generation, expected):
    backend = importlib.import_module('keras.src.backend')
    predictions = backend.convert_to_tensor(np.array([[0.1], [0.2], [0.3], [0.4]], 'float32'))
    targets = np.array([[1.0], [0.0], [1.0], [1.0]], 'float32')
    backend.set_keras_mask(predictions, backend.convert_to_tensor(np.array([True, False, True, True])))
    assert backend.get_keras_mask(predictions) is not None
    with keras.config.generation(generation):
        found = keras.losses.MeanSquaredError()(targets, predictions)
        weighted = keras.losses.MeanSquaredError()(targets, predictions, np.array([1.0, 5.0, 2.0, 0.0], 'float32'))
    np.testing.assert_allclose(backend.convert_to_numpy(found), expected, rtol=1e-5)
    if generation == 3:
        np.testing.assert_allclose(backend.convert_to_numpy(weighted), (0.81 + 2 * 0.49) / 3, rtol=1e-5)


def test_a_policy_as_the_dtype_of_a_loss():
    loss = keras.losses.MeanSquaredError(dtype=keras.DTypePolicy('mixed_float16'))
    assert keras.ops.dtype(loss(np.ones((2, 3)), np.zeros((2, 3)))) == 'float16'
