"""Layers as modules of PyTorch (`torch.nn.Module`), and modules of PyTorch as layers run them."""
import collections
import io
import threading

import torch
from torch.func import functional_call
from torch.nn.parameter import UninitializedTensorMixin

from keras.backend.contract.context import context
from keras.backend.engines.torch.recorded import unrecordable
from keras.backend.engines.torch.tensors import DEVICE, FLOATS, NAMES
from keras.backend.state.variables import Variable

# What `torch.nn.Module.__init__` gives every module; layers have it from the first hook or buffer on.
_TABLES = ('_buffers', '_backward_hooks', '_backward_pre_hooks', '_forward_hooks', '_forward_hooks_with_kwargs',
           '_forward_hooks_always_called', '_forward_pre_hooks', '_forward_pre_hooks_with_kwargs', '_state_dict_hooks',
           '_state_dict_pre_hooks', '_load_state_dict_pre_hooks', '_load_state_dict_post_hooks')


# Those of what a script registers beside the weights and layers.
_OWN_TABLES = ('_buffers', '_own_parameters', '_own_modules')
# Types of most attributes, about which there is nothing to decide.
_SIMPLE = frozenset((bool, int, float, str, type(None), list, tuple, dict, set, type(len), type(lambda: 0), Variable))


class _Looked:
    """An attribute of the class that an attribute of the object goes before, unlike one that is a property."""

    def __init__(self, function):
        self.function = function
        self.__doc__ = function.__doc__

    def __get__(self, layer, cls):
        return self if layer is None else self.function(layer)


class _Called(threading.local):
    """Per thread: {id of a layer: what `forward` is to run, while PyTorch's code runs the hooks around it}."""

    def __init__(self):
        self.functions = {}


_called = _Called()


class _Tensors(collections.abc.MutableMapping):
    """{name: tensor} of the weights that a layer has itself. What is put in becomes the storage of the weight."""

    def __init__(self, layer):
        self._layer = layer
        self._weights = {} if layer.modules_of_library() else layer.named_weights()
        self._others = layer.__dict__.get('_own_parameters', {})
        for name, value in vars(layer).items():
            if isinstance(value, torch.nn.Parameter) and name not in self._weights:
                self._others = dict(self._others, **{name: value})

    def weight(self, name):
        """The weight of that name, None where there is none."""
        return self._weights.get(name)

    def __getitem__(self, name):
        return _tensor(self._weights[name]) if name in self._weights else self._others[name]

    def __setitem__(self, name, tensor):
        weight = self._weights.get(name)
        if weight is None:
            self._layer.start_tables()
            self._layer.__dict__.setdefault('_own_parameters', {})[name] = tensor
            return
        weight.storage  # made, if it is not there yet
        weight.held = tensor

    def __delitem__(self, name):
        if name in self._weights:
            raise KeyError('Layer %s: the weight %r stays one of the layer. The usual cause: functional_call without '
                           'a tensor for it.' % (self._layer.name, name))
        self._others.pop(name)
        self._layer.__dict__.get('_own_parameters', {}).pop(name, None)

    def __iter__(self):
        return iter(list(self._weights) + list(self._others))

    def __len__(self):
        return len(self._weights) + len(self._others)


def _parts_of(layer):
    """{name: module} of what is right inside of a layer."""
    inside = layer.modules_of_library()
    if not inside:
        inside = layer.named_parts()
        inside.update((name, value) for name, value in vars(layer).items()
                      if isinstance(value, torch.nn.Module) and not isinstance(value, LayerModule))
    return dict(inside, **layer.__dict__.get('_own_modules', {}))


def _with_tables(name):
    """A method of modules that needs the tables which PyTorch gives every module."""
    method = getattr(torch.nn.Module, name)

    def run(self, *args, **kwargs):
        self.start_tables()
        return method(self, *args, **kwargs)
    run.__name__, run.__doc__ = name, method.__doc__
    return run


class LayerModule(torch.nn.Module):
    """What makes layers modules of PyTorch: it is put behind the bases of the class `Layer`.

    PyTorch's own code does the work, on views of what the layer has: `_parameters` are the weights that it has itself,
    `_modules` the layers right inside.
    """

    __dir__ = object.__dir__

    def __setattr__(self, name, value):
        if type(value) in _SIMPLE:  # torch.compile knows `object.__setattr__` by that name only
            return object.__setattr__(self, name, value)
        table = self._table_of(name)
        if table is not None:
            table[name] = value
            return
        if isinstance(value, torch.nn.Module) and not isinstance(value, LayerModule):
            value = self.layer_of_module(value)
        elif isinstance(value, torch.Tensor) and isinstance(value, torch.nn.Parameter):
            tensors = _Tensors(self)
            weight = tensors.weight(name)
            if weight is not None and weight is vars(self).get(name) and weight.shape == tuple(value.shape):
                tensors[name] = value  # as `load_state_dict(assign=True)` sets weights
                return
        object.__setattr__(self, name, value)

    def __delattr__(self, name):
        table = self._table_of(name)
        if table is None:
            object.__delattr__(self, name)
        else:
            del table[name]

    def _table_of(self, name):
        """The table of buffers, parameters or modules of PyTorch in which there is that name, None for none."""
        if '_forward_hooks' in self.__dict__:
            for table in _OWN_TABLES:
                if name in self.__dict__.get(table, ()):
                    return self.__dict__[table]
        return None

    def __getattr__(self, name):
        if not name.startswith('__'):
            for table in _OWN_TABLES:
                if name in self.__dict__.get(table, ()):
                    return self.__dict__[table][name]
            if '_built' in self.__dict__ and not name.startswith('_'):
                found = _parts_of(self).get(name)
                if found is not None:
                    return found
        raise AttributeError('%r object has no attribute %r' % (type(self).__name__, name))

    @_Looked
    def _parameters(self):
        """{name: tensor} of the weights of the layer itself; those of frozen layers have requires_grad=False."""
        return _Tensors(self)

    @_Looked
    def _modules(self):
        """{name: module} of what is right inside."""
        return _parts_of(self)

    @_Looked
    def _non_persistent_buffers_set(self):
        return set()

    @_Looked
    def _is_full_backward_hook(self):
        return None

    @_Looked
    def training(self):
        """Whether calls that do not say it are those of a training; None: what Keras says."""
        return self.mode_of_calls

    def start_tables(self):
        """Have the tables that hooks and buffers are kept in, from now on."""
        if '_forward_hooks' not in self.__dict__:
            self.__dict__.update({name: collections.OrderedDict() for name in _TABLES}, _own_modules={},
                                 _non_persistent_buffers_set=set(), _is_full_backward_hook=None)

    for _name in ('register_buffer', 'register_state_dict_pre_hook', 'register_state_dict_post_hook',
                  '_register_state_dict_hook', 'register_load_state_dict_pre_hook',
                  'register_load_state_dict_post_hook', '_register_load_state_dict_pre_hook'):
        if hasattr(torch.nn.Module, _name):
            locals()[_name] = _with_tables(_name)

    def register_parameter(self, name, param):
        """A parameter beside the weights of the layer: for loops of PyTorch, not for `fit`."""
        if hasattr(self, name) or '.' in name or not name:
            raise KeyError('Layer %s: %r cannot be the name of a new parameter.' % (self.name, name))
        self.start_tables()
        self.__dict__.setdefault('_own_parameters', {})[name] = param

    def add_module(self, name, module):
        """A module beside the layers inside: for code of PyTorch, not for `fit`."""
        if not isinstance(module, torch.nn.Module) or '.' in name or not name:
            raise TypeError('Layer %s: add_module takes a name without dots and a module. Received: %r, %r.'
                            % (self.name, name, module))
        self.start_tables()
        self._own_modules[name] = module

    register_module = add_module

    def train(self, mode=True):
        """Let calls that do not say `training` train, or not. Returns the layer."""
        for layer in self.walk_layers():
            layer.set_mode_of_calls(bool(mode))
        return self

    def get_parameter(self, target):
        """The tensor of the weight of that name: 'dense.kernel'."""
        path, _, name = target.rpartition('.')
        tensor = self.get_submodule(path)._parameters.get(name)
        if tensor is None:
            raise AttributeError('%s has no parameter %r.' % (self._get_name(), target))
        return tensor

    def forward(self, *args, **kwargs):
        """The call, without hooks around it."""
        function = _called.functions.pop(id(self), None)
        return self.call_past_hooks(args, kwargs) if function is None else function(*args, **kwargs)

    def with_hooks(self, function):
        """`function`, a call of the layer, with the hooks around it that are registered when it runs."""
        def run(*args, **kwargs):
            unrecordable('it has hooks')
            _called.functions[id(self)] = function
            try:
                return torch.nn.Module.__call__(self, *args, **kwargs)
            finally:
                _called.functions.pop(id(self), None)
        return run

    # --- weights

    @_Looked
    def torch_params(self):
        """{path: tensor} of all variables of the layer, the states of its random numbers included."""
        return {variable.path: _tensor(variable) for variable in self.variables}

    def requires_grad_(self, requires_grad=True):
        """Freeze the weights that `fit` would train, or have them trained again. Returns the layer."""
        for weight in self.weights:
            if weight.made_trainable:
                weight.trainable = bool(requires_grad)
        return self

    def _apply(self, fn, recurse=True):
        """What `to`, `cuda`, `half` and their like call.

        Raises:
            ValueError: where that would move the weights away from the device on which the engine computes.
        """
        own = [dtype for dtype in FLOATS if NAMES[dtype] == self.variable_dtype]
        dtype = own[0] if own else torch.float32
        with torch.no_grad():
            probe = fn(torch.empty(0, dtype=dtype, device=DEVICE))
        if probe.device.type not in (DEVICE.type, 'meta'):
            raise ValueError('Layer %s: its weights are on %s, where the engine computes, and stay there; %s was asked '
                             'for. Choose the device by the environment variable KERAS_TORCH_DEVICE before keras is '
                             'imported.' % (self.name, DEVICE, probe.device))
        super()._apply(fn, recurse)
        for weight in self.own_variables_in_order():
            if NAMES[weight.storage.dtype] != weight.dtype:
                weight.dtype = NAMES[weight.storage.dtype]
        if own and probe.dtype is not dtype:
            self.compute_in(NAMES[dtype], NAMES[probe.dtype])
        return self

    def _replicate_for_data_parallel(self):
        raise NotImplementedError('Layer %s: nn.DataParallel cannot copy layers of Keras to several devices of one '
                                  'process. Use torch.nn.parallel.DistributedDataParallel, one process for each '
                                  'device.' % self.name)


def _hooking(name):
    register = _with_tables(name)

    def run(self, *args, **kwargs):
        self.take_hooks()
        return register(self, *args, **kwargs)
    run.__name__, run.__doc__ = name, register.__doc__
    return run


for _name in ('register_forward_hook', 'register_forward_pre_hook', 'register_full_backward_hook',
              'register_full_backward_pre_hook', 'register_backward_hook'):
    setattr(LayerModule, _name, _hooking(_name))
for _name in _TABLES:
    setattr(LayerModule, _name, _Looked(lambda layer: {}))


def _tensor(weight):
    """The tensor of a weight, marked when `trainable` has changed: what a script says of it stands until then.

    One that PyTorch has put in the place of ours for a while (`functional_call`) has no mark.
    """
    tensor, trainable = weight.storage, bool(weight.trainable)
    if tensor.is_floating_point() and getattr(tensor, '_keras_trainable', trainable) is not trainable:
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
