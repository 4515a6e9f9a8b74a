"""Pickles of objects whose classes are defined in functions: the class goes along by its name."""
import copy
import pickle

import numpy as np
import pytest

from keras import layers, losses, metrics, models, optimizers
from keras.saving.serialization import custom_object_scope

pytestmark = pytest.mark.needs_gradients
X, Y = np.ones((4, 3), 'float32'), np.ones((4, 2), 'float32')


def classes():
    class Descent(optimizers.SGD):
        pass

    class Doubled(layers.Dense):
        def call(self, inputs):
            return 2 * super().call(inputs)

    class Error(losses.MeanSquaredError):
        pass

    class Level(metrics.Mean):
        pass

    class Net(models.Model):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.level = inner, Level(name='level')

        def call(self, x):
            return self.inner(x)
    return {cls.__name__: cls for cls in (Descent, Doubled, Error, Level, Net)}


@pytest.mark.parametrize('subclassed', [False, True])
def test_a_model_of_classes_that_a_function_defines(subclassed):
    own = classes()
    model = models.Sequential([own['Doubled'](2, input_shape=(3,))])
    model = own['Net'](model) if subclassed else model
    model.compile(own['Descent'](0.1, momentum=0.5), own['Error']())
    model.fit(X, Y, epochs=2, verbose=0)
    state = pickle.dumps(model)
    with custom_object_scope(own):
        read = pickle.loads(state)
    assert type(read) is type(model) and type(read.optimizer) is own['Descent']
    np.testing.assert_allclose(read.predict(X), model.predict(X), rtol=1e-5)
    # The state of the optimizer went along.
    for each in (model, read):
        each.fit(X, Y, verbose=0)
    np.testing.assert_allclose(read.predict(X), model.predict(X), rtol=1e-4)
    with pytest.raises(ValueError, match='custom_object_scope'):
        pickle.loads(state)


@pytest.mark.on('numpy')
def test_deep_copies_have_the_class_itself():
    own = classes()
    for made in (own['Doubled'](2), own['Descent'](0.1), own['Level'](), own['Error']()):
        assert type(copy.deepcopy(made)) is type(copy.copy(made)) is type(made)
