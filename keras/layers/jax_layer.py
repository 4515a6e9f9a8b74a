"""Functions written for JAX, and modules of Flax, as layers."""
import importlib
import inspect

import numpy as np

from keras import random
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Concretely
from keras.backend.contract.loading import get_engine, is_native
from keras.backend.contract.rules import FLOATS, is_float
from keras.backend.state.variables import Variable
from keras.backend.table.foreign import FunctionOfJax
from keras.layers.base import Layer
from keras.layers.shapes import map_shapes
from keras.layers.functions import dump_callable, load_callable
from keras.layers.weights import untracked
from keras.saving.serialization import SafeModeScope, form, refuses_code, serialize_keras_object

_KINDS = ('params', 'state')


class JaxLayer(Layer):
    """A function written for JAX as a layer, on the JAX engine, and on TensorFlow by `jax2tf`.

    Args:
        call_fn: function of some of `params`, `state`, `rng`, `inputs` and `training`, by these names; `inputs` it has
            to take. With `state` it returns (outputs, new state), without it the outputs.
        init_fn: function of `inputs` (ones of the shape of the inputs, 1 where a size is unknown) and perhaps `rng` and
            `training` (True); it returns the first params, or (params, state) where `call_fn` takes `state`.
        params, state: nested arrays to start with in the place of what `init_fn` gives. The arrays of `params` are
            trained where they are floats. What is no array or number, a name say, is handed to `call_fn` as it is.
        seed: of `rng`, a key that is another one in every call that trains; in others `rng` is None.
        native_serialization_platforms: on TensorFlow, the devices that `jax2tf` compiles for, such as ['cpu', 'cuda'].

    The attributes `params` and `state` are what the layer was given or `init_fn` made, with variables as leaves.

    Raises:
        ValueError: for functions of other arguments, where nothing says what params there are, or where the state that
            `call_fn` returns is not built like the one it got.
        NotImplementedError: on other engines.

    Example:
        def dense(params, inputs):
            return inputs @ params['kernel'] + params['bias']
        layer = keras.layers.JaxLayer(dense, params={'kernel': np.ones((3, 2)), 'bias': np.zeros(2)})
        model = keras.Sequential([keras.Input((3,)), layer])
    """

    def __init__(self, call_fn, init_fn=None, params=None, state=None, seed=None, native_serialization_platforms=None,
                 **kwargs):
        super().__init__(**kwargs)
        get_engine().function_of_jax(call_fn)  # which refuses where it cannot
        self.call_fn, self.init_fn = call_fn, init_fn
        self.native_serialization_platforms = native_serialization_platforms
        self._call_names = _names_of(call_fn, 'call_fn', _KINDS + ('rng', 'inputs', 'training'))
        self._init_names = () if init_fn is None else _names_of(init_fn, 'init_fn', ('rng', 'inputs', 'training'))
        if init_fn is None and params is None and state is None and set(_KINDS) & set(self._call_names):
            raise ValueError('%s: `init_fn`, `params` and `state` cannot all be `None` when `call_fn` takes a `params` '
                             'or a `state` argument.' % type(self).__name__)
        self.seed_generator = random.SeedGenerator(seed)
        self._keep('params', params)
        self._keep('state', state)

    def build(self, input_shape):
        missing = [kind for kind in _KINDS if kind in self._call_names and getattr(self, kind) is None]
        if missing and self.init_fn is not None:
            found = self._initial(input_shape)
            for kind in missing:
                self._keep(kind, found[kind])
        self.built = True

    def _initial(self, input_shape):
        """What `init_fn` gives: {'params': ..., 'state': ...}."""
        with Concretely():
            seed = np.asarray(get_engine().to_numpy(self.seed_generator.next()))
            inputs = map_shapes(lambda shape: np.ones([size or 1 for size in shape], self.compute_dtype), input_shape)
            values = {'rng': self._first_keys(_key(seed)), 'training': True,
                      'inputs': _library('').tree_util.tree_map(_library('.numpy').asarray, inputs)}
            found = self.init_fn(**{name: values[name] for name in self._init_names})
        return dict(zip(_KINDS, found if 'state' in self._call_names else (found, None)))

    @staticmethod
    def _first_keys(key):
        return key

    @staticmethod
    def _call_keys(key):
        """`rng` for `call_fn`, of the key of a training call, or of None."""
        return key

    @untracked  # JAX knows containers in which we do not look for weights
    def _keep(self, kind, values):
        """Set the attribute `kind` to `values` with a variable in the place of each array and number."""
        leaves, structure = _library('').tree_util.tree_flatten_with_path(values)
        parts = [self._kept(kind, path, leaf) for path, leaf in leaves]
        setattr(self, kind, _library('').tree_util.tree_unflatten(structure, parts))

    def _kept(self, kind, path, leaf):
        if not hasattr(leaf, 'dtype') and not isinstance(leaf, (bool, int, float)):
            return leaf
        array = np.asarray(get_engine().to_numpy(leaf) if is_native(leaf) else leaf)
        if array.dtype == 'float64' or array.dtype.name in FLOATS:
            array = array.astype(self.variable_dtype)
        name = '_'.join(str(getattr(step, 'key', getattr(step, 'name', getattr(step, 'idx', step)))) for step in path)
        variable = Variable(array, dtype=array.dtype.name, name=name or kind,
                            trainable=kind == 'params' and is_float(array.dtype.name))
        variable.path = '%s/%s' % (self.name, variable.name)
        self.list_weight(variable, variable.trainable)
        return variable

    def call(self, inputs, training=False):
        flatten, unflatten = _library('').tree_util.tree_flatten, _library('').tree_util.tree_unflatten
        kept, structure = flatten({kind: getattr(self, kind) for kind in _KINDS})
        variables = [part for part in kept if isinstance(part, Variable)]
        draws = training and 'rng' in self._call_names

        def run(values, seeds, inputs):
            values = iter(values)
            parts = unflatten(structure, [next(values) if isinstance(part, Variable) else part for part in kept])
            known = dict(parts, inputs=inputs, training=bool(training), rng=self._call_keys(*(seeds or [None])))
            return self.call_fn(**{name: known[name] for name in self._call_names})
        operation = FunctionOfJax(run, self.native_serialization_platforms)
        function = operation.on(get_engine()) if context.tracing is None else operation.record
        outputs = function([variable.value for variable in variables], [self.seed_generator.next()] if draws else [],
                           inputs)
        if 'state' not in self._call_names:
            return outputs
        outputs, state = outputs
        self._set_state(state)
        return outputs

    def _set_state(self, state):
        leaves = [_library('').tree_util.tree_flatten_with_path(each)[0] for each in (self.state, state)]
        before, after = [{tuple(map(str, path)): leaf for path, leaf in each} for each in leaves]
        if set(before) != set(after) or any(not isinstance(kept, Variable) and kept is not after[path]
                                            for path, kept in before.items()):
            raise ValueError('%s %s: Structure mismatch: the state that `call_fn` returns has other parts than the one '
                             'that it began with: %s; %s' % (type(self).__name__, self.name, state, self.state))
        if not context.abstract:
            for path, variable in before.items():
                if isinstance(variable, Variable):
                    variable.assign(after[path] if context.tracing is not None else
                                    get_engine().convert(after[path], variable.kept_dtype))

    def get_config(self):
        return dict(super().get_config(), call_fn=_written(self.call_fn), init_fn=_written(self.init_fn),
                    native_serialization_platforms=self.native_serialization_platforms)

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """A layer from what `get_config` gave; see `Lambda.from_config` for the arguments and errors.

        What was given as `params` and `state` is not in a config: `init_fn` makes them again.
        """
        with SafeModeScope(refuses_code() if safe_mode is None else safe_mode):
            return cls(**dict(config, **_functions(cls, config, ('call_fn', 'init_fn'), custom_objects)))


class FlaxLayer(JaxLayer):
    """A module of Flax (`flax.linen.Module`) as a layer, on the engines that `JaxLayer` runs on. It needs `flax`.

    Args:
        module: the module. method: the name of its method, or a function of the module, `inputs` and perhaps
            `training`; default `__call__`.
        variables: what `module.init` gave, to start with; default what it gives. The collection 'params' is trained,
            all others are the layer's state, which `call` may change.

    Random numbers come from a key that differs in every call: of the stream 'dropout' while the layer is trained, of
    'params' when it is built. `params` and `state` have the names of the collections outside: `layer.params['params']`.

    Raises:
        ImportError: where Flax is not installed. TypeError: for a module that is none of `flax.linen`.

    Example:
        layer = keras.layers.FlaxLayer(flax.linen.Dense(4))
        model = keras.Sequential([keras.Input((3,)), layer])
    """

    def __init__(self, module, method=None, variables=None, **kwargs):
        linen = _library('.linen', 'flax')
        if not isinstance(module, linen.Module):
            raise TypeError('FlaxLayer: `module` must be a flax.linen.Module. Received: %r of type %s. A function is '
                            'for `JaxLayer`.' % (module, type(module).__name__))
        self.module, self.method = module, method
        takes_training = 'training' in inspect.signature(self._function()).parameters

        def call_fn(params, state, rng, inputs, training):
            flag = {'training': training} if takes_training else {}
            return module.apply(dict(state or {}, **params or {}), inputs, rngs=rng, method=self._bound(),
                                mutable=_library('.core', 'flax').DenyList(['params']), **flag)

        def init_fn(rng, inputs, training):
            flag = {'training': training} if takes_training else {}
            return _divided(module.init(rng, inputs, method=self._bound(), **flag))
        params, state = (None, None) if variables is None else _divided(variables)
        super().__init__(call_fn, init_fn, params=params, state=state, **kwargs)

    def _function(self):
        """The function behind `method`."""
        if callable(self.method):
            return self.method
        return getattr(type(self.module), self.method or '__call__')

    def _bound(self):
        return self.method if callable(self.method) or self.method is None else getattr(type(self.module), self.method)

    @staticmethod
    def _first_keys(key):
        first, second = _library('.random').split(key)
        return {'params': first, 'dropout': second}

    @staticmethod
    def _call_keys(key):
        return {} if key is None else {'dropout': key}

    def get_config(self):
        config = super().get_config()
        del config['call_fn'], config['init_fn']
        method = self.method
        if getattr(method, '__self__', None) == self.module:  # of the module, so its name says it
            method = method.__name__
        return dict(config, module=serialize_keras_object(self.module),
                    method=_written(method) if callable(method) else method)

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """A layer from what `get_config` gave: the class of the module has `get_config` and is registered."""
        from keras.saving.kinds import deserialize_keras_object
        module = deserialize_keras_object(config['module'], custom_objects=custom_objects)
        if isinstance(config.get('method'), str):
            return cls(**dict(config, module=module))
        with SafeModeScope(refuses_code() if safe_mode is None else safe_mode):
            return cls(**dict(config, **dict(_functions(cls, config, ('method',), custom_objects), module=module)))


def _functions(cls, config, names, custom_objects):
    """{name: function} of those in a config."""
    return {name: load_callable(config[name], None, custom_objects or {}, 'a `%s` whose %s' % (cls.__name__, name))
            for name in names if config.get(name) is not None}


def _divided(variables):
    """What `module.init` gave as (params, state), each with the names of its collections."""
    return ({name: value for name, value in variables.items() if name == 'params'},
            {name: value for name, value in variables.items() if name != 'params'})


def _library(part, name='jax'):
    """A module of the library that the functions are written for."""
    try:
        return importlib.import_module(name + part)
    except ImportError as error:
        raise ImportError('The layer needs the package %r: pip install %s. (%s)' % (name, name, error)) from error


def _key(seed):
    """The random key with the numbers of a seed of ours."""
    return _library('.numpy').asarray(seed.astype('uint32'))


def _names_of(function, what, known):
    """The names of the arguments of a function, if they are such as `known` and `inputs` is one of them."""
    names = list(inspect.signature(function).parameters)
    if 'inputs' not in names:
        raise ValueError('Missing required argument in `%s`: `inputs`. It takes: %s.' % (what, ', '.join(names)))
    for name in names:
        if name not in known:
            raise ValueError('Unsupported argument in `%s`: `%s`, supported arguments are `%s`.'
                             % (what, name, '`, `'.join(known)))
    return names


def _written(function):
    """A function for a config: in files by its name, see `serialize_keras_object`."""
    if function is None:
        return None
    dumped, kind = dump_callable(function)
    return serialize_keras_object(function) if form() is not None and kind == 'function' else dumped
