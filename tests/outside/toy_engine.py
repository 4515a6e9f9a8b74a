"""An engine of another distribution: NumPy's operations, with gradients by central differences.

It is as slow as that sounds (two runs of the model for every weight), and exact enough to train a small model.
"""
import numpy as np

from keras.backend.contract.context import context
from keras.backend.contract.engine import Capabilities
from keras.backend.contract.ledger import Ledger
from keras.backend.engines.numpy import NumpyEngine

STEP = 1e-2


class ToyEngine(NumpyEngine):
    name = 'toy'
    capabilities = Capabilities(gradients=True, compiled=False, dynamic_sizes=True,
                                dtypes=('bool', 'int32', 'int64', 'uint32', 'float32', 'float64'))

    def value_and_grad(self, fn, variables):
        values = {variable: np.array(variable.value) for variable in variables}
        (value, aux), writes = self.run(fn, values)

        def moved(variable, index, by):
            changed = values[variable].copy()
            changed[index] += by
            return self.run(fn, {**values, variable: changed})[0][0]

        gradients = []
        for variable in variables:
            gradient = np.empty(variable.shape, variable.dtype)
            for index in np.ndindex(*variable.shape):
                gradient[index] = (moved(variable, index, STEP) - moved(variable, index, -STEP)) / (2 * STEP)
            gradients.append(gradient)
        for variable, written in writes.items():
            variable.assign(written)
        return (value, aux), gradients

    @staticmethod
    def run(fn, values):
        """What `fn` gives with these values of variables, and what it assigns to others, which is not done yet."""
        with Ledger(values, outer=context.ledger, missing=lambda variable: variable.load()) as ledger:
            return fn(), ledger.writes


ENGINE = ToyEngine()
