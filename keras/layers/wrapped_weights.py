"""Weights that a layer written for tf.keras wraps, so that they read otherwise than they are kept (as Larq does).

Such a layer overrides `_add_variable_with_custom_getter`, which `add_weight` calls: what it makes of the getter's
variable is read in its place.
"""
import copy

import numpy as np

from keras.backend.contract.context import context
from keras.backend.state.variables import Variable


class Latent:
    """A weight as it is kept, with the methods that wrappers written for `tf.Variable` call."""

    def __init__(self, variable):
        self._variable = variable

    def value(self):
        """The value as a native tensor."""
        return Variable.value.fget(self._variable)

    read_value = value

    def numpy(self):
        """The value as a NumPy array."""
        return np.array(Variable.numpy_view(self._variable))

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.numpy(), dtype)

    def _dense_var_to_tensor(self, dtype=None, name=None, as_ref=False):
        # By this name TensorFlow makes a tensor of a variable.
        return self.value()

    __tf_tensor__ = _dense_var_to_tensor

    def __getattr__(self, name):
        if name == '_variable' or name.startswith('__'):  # what copying asks for, of this object
            raise AttributeError(name)
        try:
            return object.__getattribute__(self._variable, name)
        except AttributeError:
            return Variable.__getattr__(self._variable, name)


class WrappedWeight(Variable):
    """A weight that reads as its wrapper says, the attribute `wrapper`; updates, files and copies have what is kept."""

    @property
    def value(self):
        """What the wrapper makes of the value, as a native tensor; where only shapes are known, that of the weight."""
        return Variable.value.fget(self) if context.abstract else self.wrapper.value()

    def numpy(self):
        """What the wrapper makes of the value, as a NumPy array."""
        return np.array(self.wrapper.numpy())

    def __getstate__(self):
        return dict(super().__getstate__(), _initializer=np.array(self.numpy_view()))

    def __deepcopy__(self, memo):
        made = super().__deepcopy__(memo)
        made.wrapper = copy.deepcopy(self.wrapper, memo)  # around the copy, which the memo knows
        return made

    def __getattr__(self, name):
        own = vars(vars(self).get('wrapper', self))
        return own[name] if name in own else super().__getattr__(name)


def read_as_wrapped(variable, wrap):
    """`variable`, read as `wrap` wraps it, which is given the getter that makes it."""
    wrapper = wrap(lambda *args, **kwargs: Latent(variable))
    if not isinstance(wrapper, Latent):
        variable.__class__ = WrappedWeight
        variable.wrapper = wrapper
    return variable
