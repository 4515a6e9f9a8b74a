"""Layers as modules of PyTorch (`torch.nn.Module`), and modules of PyTorch as layers run them."""
import io

import torch
from torch.func import functional_call
from torch.nn.parameter import UninitializedTensorMixin

from keras.backend.contract.context import context
from keras.backend.engines.torch.tensors import DEVICE, NAMES
from keras.backend.state.variables import Variable


class _Looked:
    """An attribute of the class that an attribute of the object goes before, unlike one that is a property."""

    def __init__(self, function):
        self.function = function
        self.__doc__ = function.__doc__

    def __get__(self, layer, cls):
        return self if layer is None else self.function(layer)


class LayerModule(torch.nn.Module):
    """What makes layers modules of PyTorch: it is put behind the bases of the class `Layer`.

    A layer is one module without others in it, so that the modules around it find each weight once, under its path.
    """

    # Setting an attribute has nothing to do with modules, but that modules of PyTorch become layers.
    __delattr__, __dir__ = object.__delattr__, object.__dir__

    def __setattr__(self, name, value):
        if isinstance(value, torch.nn.Module) and not isinstance(value, LayerModule):
            value = self.layer_of_module(value)
        object.__setattr__(self, name, value)

    @_Looked
    def _parameters(self):
        """{path: tensor}; those of frozen layers have requires_grad=False."""
        return dict(self.named_parameters())

    @_Looked
    def _modules(self):
        """The modules inside, which the layer stands for."""
        return {}

    _buffers = _non_persistent_buffers_set = _load_state_dict_pre_hooks = _load_state_dict_post_hooks = _modules
    _forward_hooks = _forward_pre_hooks = _backward_hooks = _backward_pre_hooks = _modules

    @_Looked
    def training(self):
        """Whether calls that do not say it are those of a training; None: what Keras says."""
        return self.mode_of_calls

    def train(self, mode=True):
        """Let calls that do not say `training` train, or not. Returns the layer."""
        for layer in self.walk_layers():
            layer.set_mode_of_calls(bool(mode))
        return self

    def forward(self, *args, **kwargs):
        """The call."""
        return self(*args, **kwargs)

    # --- weights

    def named_parameters(self, prefix='', recurse=True, remove_duplicate=True):
        """Pairs (path, tensor) of all weights; those that `fit` leaves alone have requires_grad=False."""
        for weight in self.weights:
            yield prefix + ('.' if prefix else '') + weight.path.replace('/', '.'), _tensor(weight)

    def parameters(self, recurse=True):
        """The tensors of the weights."""
        return iter([tensor for _, tensor in self.named_parameters()])

    @_Looked
    def torch_params(self):
        """{path: tensor} of all variables of the layer, the states of its random numbers included."""
        return {variable.path: _tensor(variable) for variable in self.variables}

    def named_modules(self, memo=None, prefix='', remove_duplicate=True):
        """Pairs (path, layer) of this layer and those inside."""
        memo = set() if memo is None else memo
        for layer in self.walk_layers():
            if layer not in memo:
                memo.add(layer)
                yield prefix + ('' if layer is self else ('.' if prefix else '') + layer.path.replace('/', '.')), layer

    def named_children(self):
        """Pairs (name, layer) of the layers right inside."""
        return iter([(layer.name, layer) for layer in self._layers])

    def requires_grad_(self, requires_grad=True):
        """Freeze the weights that `fit` would train, or have them trained again. Returns the layer."""
        for weight in self.weights:
            if weight.made_trainable:
                weight.trainable = bool(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Forget the gradients that `backward` left."""
        for tensor in self.parameters():
            if set_to_none:
                tensor.grad = None
            elif tensor.grad is not None:
                tensor.grad.zero_()

    def state_dict(self, destination=None, prefix='', keep_vars=False):
        """{path: tensor}."""
        destination = {} if destination is None else destination
        for name, tensor in self.named_parameters():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        return destination

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Set the weights from what `state_dict` gave. Values are copied, whatever `assign` says.

        Raises:
            ValueError: where `strict`, if a weight is missing or there are others.
        """
        missing, others = [], []
        self._load_from_state_dict(state_dict, '', {}, strict, missing, others, [])
        if strict and (missing or others):
            raise ValueError('load_state_dict: missing weights %s, unknown weights %s.'
                             % (sorted(missing), sorted(others)))

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                              error_msgs):
        weights = {prefix + weight.path.replace('/', '.'): weight for weight in self.weights}
        missing_keys.extend(name for name in weights if name not in state_dict)
        unexpected_keys.extend(name for name in state_dict if name.startswith(prefix) and name not in weights)
        for name, weight in weights.items():
            if name in state_dict:
                weight.assign(state_dict[name])

    def _apply(self, fn, recurse=True):
        """What `to`, `cuda`, `half` and their like call.

        Raises:
            ValueError: where that would move the weights, or change their type, which are the engine's matter.
        """
        for name, tensor in self.named_parameters():
            moved = fn(tensor)
            if moved.device != tensor.device or moved.dtype != tensor.dtype:
                raise ValueError(
                    'Layer %s: the weight %s is %s on %s and stays so; %s on %s was asked for. The engine computes on '
                    '%s (see CUDA_VISIBLE_DEVICES); the types of a layer are those of its `dtype`, a policy such as '
                    "'mixed_bfloat16'." % (self.name, name, tensor.dtype, tensor.device, moved.dtype, moved.device,
                                           DEVICE))
        return self

    def _no_hooks(self, *args, **kwargs):
        raise NotImplementedError('Layer %s calls no hooks of PyTorch. Take what it gives as an output of a model, or '
                                  'put it into a torch.nn.Sequential and hook into that.' % self.name)

    register_forward_hook = register_forward_pre_hook = register_full_backward_hook = _no_hooks
    register_full_backward_pre_hook = register_backward_hook = register_state_dict_pre_hook = _no_hooks


def _tensor(weight):
    """The tensor of a weight, marked when `trainable` has changed: what a script says of it stands until then."""
    tensor, trainable = weight.storage, bool(weight.trainable)
    if tensor.is_floating_point() and getattr(tensor, '_keras_trainable', None) is not trainable:
        tensor._keras_trainable = trainable
        tensor.requires_grad_(trainable)
    return tensor


def _never(shape, dtype):
    raise RuntimeError('The value of a parameter is in its module.')


class Run:
    """A module of PyTorch whose parameters and buffers are variables of ours.

    Args:
        module: the module, or the bytes that `dumped` gave, which may be any program.

    Attributes:
        variables: {name: variable}, as `state_dict` calls them. What is not in that is none, and shared ones are one.
    """

    def __init__(self, module, engine):
        if isinstance(module, bytes):
            module = torch.load(io.BytesIO(module), weights_only=False)
        if not isinstance(module, torch.nn.Module):
            raise TypeError('TorchModuleWrapper: `module` must be a torch.nn.Module. Received: %r of type %s.'
                            % (module, type(module).__name__))
        self.module = module.to(DEVICE)
        self.variables, self.buffers = {}, []
        self.adopt(engine)

    def adopt(self, engine):
        """Make variables of the parameters and buffers, unless a lazy module has none yet."""
        if self.is_lazy():
            return
        parameters = {id(tensor) for tensor in self.module.parameters()}
        known = {}
        for name, tensor in self.module.state_dict(keep_vars=True).items():
            if id(tensor) not in known:
                variable = Variable(_never, tuple(tensor.shape), NAMES[tensor.dtype], name=name.replace('.', '_'),
                                    trainable=id(tensor) in parameters and tensor.requires_grad)
                variable.held, variable.holder = tensor, engine
                known[id(tensor)] = variable
            self.variables[name] = known[id(tensor)]
            if id(tensor) not in parameters:
                self.buffers.append(name)

    def is_lazy(self):
        """Whether there are parameters whose shape the first call finds."""
        return any(isinstance(tensor, UninitializedTensorMixin) for tensor in self.module.parameters())

    def see(self, arrays):
        """Call the module once, on NumPy arrays, for its parameters to get their shapes."""
        with torch.no_grad():
            self.module(*[torch.from_numpy(array).to(DEVICE) for array in arrays])

    def __call__(self, args, kwargs, training):
        """What the module gives; `training` None leaves its mode alone."""
        if training is not None and self.module.training is not bool(training):
            self.module.train(bool(training))
        values = {name: variable.value for name, variable in self.variables.items()}
        # What the module writes are copies, which become the values of variables along with all others.
        written = self.buffers if self.module.training and context.ledger is not None else ()
        if not written and all(value is self.variables[name].held for name, value in values.items()):
            return self.module(*args, **kwargs)
        values.update({name: values[name].clone() for name in written})
        outputs = functional_call(self.module, values, tuple(args), kwargs)
        for name in written:
            self.variables[name].assign(values[name])
        return outputs

    def dumped(self):
        """The module with its numbers as bytes."""
        buffer = io.BytesIO()
        torch.save(self.module, buffer)
        return buffer.getvalue()

    def tensors(self):
        """{name: NumPy array} of what a file is to hold."""
        return {name: variable.numpy() for name, variable in self.variables.items()}
