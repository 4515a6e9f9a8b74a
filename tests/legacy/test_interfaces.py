"""What custom optimizers and layers of the Keras 2 years import from keras.legacy."""
import pytest

import keras
from keras import backend as K
from keras.legacy import interfaces


def test_decorators_leave_functions_as_they_are():
    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        return [loss, params]
    assert get_updates(None, 1, 2) == [1, 2]
    assert get_updates.__name__ == 'get_updates'


@pytest.mark.needs_gradients
def test_an_optimizer_that_is_decorated():
    class Sign(keras.optimizers.Optimizer):
        @interfaces.legacy_get_updates_support
        def get_updates(self, loss, params):
            self.updates = [K.update_sub(p, 0.5 * K.sign(g)) for p, g in zip(params, self.get_gradients(loss, params))]
            return self.updates
    v = K.variable([2.0, -2.0])
    K.function([], [], Sign().get_updates(K.sum(K.square(v)), [v]))([])
    assert K.get_value(v).tolist() == [1.5, -1.5]
