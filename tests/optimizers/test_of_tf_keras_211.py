"""Optimizers of other people as they are written for tf.keras from 2.11 on."""
import numpy as np
import pytest

import keras
from keras import ops


class Momentum(keras.optimizers.Optimizer):
    def __init__(self, learning_rate=0.1, momentum=0.9, name='Momentum', **kwargs):
        super().__init__(name=name, **kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.momentum = momentum

    def build(self, var_list):
        super().build(var_list)
        self.velocities = [self.add_variable_from_reference(model_variable=variable, variable_name='v')
                           for variable in var_list]

    def update_step(self, gradient, variable):
        velocity = self.velocities[self._index_dict[self._var_key(variable)]]
        velocity.assign(self.momentum * velocity.value - ops.cast(self.learning_rate, 'float32') * gradient)
        variable.assign(variable.value + velocity.value)

    def get_config(self):
        return dict(super().get_config(), momentum=self.momentum,
                    learning_rate=self._serialize_hyperparameter(self._learning_rate))


@pytest.mark.on('numpy', 'tensorflow', 'torch', 'jax')
def test_update_step_without_a_learning_rate():
    optimizer, variable = Momentum(0.5), keras.Variable(np.array([1., 2.], 'float32'))
    optimizer.build([variable])
    for _ in range(2):
        optimizer.apply_gradients([(ops.convert_to_tensor(np.array([1., -1.], 'float32')), variable)])
    # v = -0.5, then 0.9 * -0.5 - 0.5 = -0.95
    assert np.allclose(ops.convert_to_numpy(variable.value), [1 - 1.45, 2 + 1.45])
    assert abs(optimizer.get_config()['learning_rate'] - 0.5) < 1e-7
