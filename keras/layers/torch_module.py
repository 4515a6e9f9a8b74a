"""Modules of PyTorch as layers."""
import base64
import copy

import numpy as np

from keras import generations
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Concretely
from keras.backend.contract.loading import get_engine
from keras.layers.base import Layer
from keras.saving.serialization import SafeModeScope, refuses_code, refuse_code


class _Pickled(str):
    """A module as text, in a config that has not left the process and still knows it."""


class TorchModuleWrapper(Layer):
    """A module of PyTorch (`torch.nn.Module`) as a layer, on the PyTorch engine.

    Args:
        module: the module. Its parameters and buffers are the weights of the layer; trained are those that ask for
            gradients. What calls of the layer train follows `training`; where nobody says it, the mode of the module,
            in Keras 3's generation they train.
        output_shape: the shape of the output, with the batch; default found by running the module.

    Axes are as the module has them: images with their channels first, for the convolutions of PyTorch.

    Example:
        layer = keras.layers.TorchModuleWrapper(torch.nn.Linear(3, 2))
        model = keras.Sequential([keras.Input((3,)), layer])

    Raises:
        NotImplementedError: on other engines. TypeError: for what is no module.
    """

    def __init__(self, module, name=None, output_shape=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.given_output_shape = None if output_shape is None else tuple(output_shape)
        self._run = get_engine().module_of_torch(module)
        self._take_variables()

    def _take_variables(self):
        for variable in dict.fromkeys(self._run.variables.values()):
            variable.path = '%s/%s' % (self.name, variable.name)
            self.list_weight(variable, variable.trainable)
        self.built = not self._run.is_lazy()

    @property
    def module(self):
        """The module."""
        return self._run.module

    def modules_of_library(self):
        return {'module': self.module}

    def build(self, *input_shapes):
        if self._run.is_lazy():
            with Concretely():
                self._run.see([np.zeros([size or 2 for size in shape], 'float32') for shape in input_shapes])
                self._run.adopt(get_engine())
            self._take_variables()
        self.built = True

    def call(self, *args, training=None, **kwargs):
        if context.abstract:
            raise TypeError('%s: a module needs tensors of its own library.' % self.name)
        training = True if training is None and self.ruled('modules_of_torch_are_layers') else training
        return self._run(args, kwargs, training)

    def compute_output_shape(self, input_shape):
        if self.given_output_shape is not None:
            return self.given_output_shape
        return self.shape_by_running(input_shape)

    def save_own_variables(self, store):
        """Write what the `state_dict` of the module has, under its names."""
        for name, variable in self._run.variables.items():
            store[name] = variable

    def load_own_variables(self, store):
        """Set what `save_own_variables` wrote.

        Raises:
            ValueError: where an array is missing.
        """
        missing = [name for name in self._run.variables if name not in store]
        if missing:
            raise ValueError('Layer %s: the file has no %s of the module. It has: %s.'
                             % (self.name, ', '.join(missing), ', '.join(store)))
        for name, variable in self._run.variables.items():
            variable.assign(store[name])

    def loads_in_order(self):
        return False

    def get_config(self):
        text = _Pickled(base64.b64encode(self._run.dumped()).decode('ascii'))
        text.module = self.module
        return dict(super().get_config(), module=text, output_shape=self.given_output_shape)

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """A layer from what `get_config` gave, which holds the module as a pickle: a program, as far as Python knows.

        Args:
            safe_mode: False loads it; default as it is around the call.

        Raises:
            ValueError: unless that is allowed, for a config from outside of this process; in generation 3 for any.
        """
        module = config['module']
        if isinstance(module, _Pickled) and not generations.value('wrapped_modules_are_code'):
            module = copy.deepcopy(module.module)
        elif isinstance(module, str):
            with SafeModeScope(refuses_code() if safe_mode is None else safe_mode):
                refuse_code('a `torch.nn.Module` object via `torch.load()`')
            module = copy.deepcopy(module.module) if isinstance(module, _Pickled) else base64.b64decode(module)
        return cls(**dict(config, module=module))
