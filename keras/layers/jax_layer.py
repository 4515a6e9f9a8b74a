"""Functions written for JAX, and modules of Flax, as layers."""
import importlib
import inspect

import numpy as np

from keras import random
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Concretely
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import is_float
from keras.backend.state.variables import Variable
from keras.layers.base import Layer, map_shapes
from keras.layers.functions import dump_callable, load_callable
from keras.saving.serialization import SafeModeScope, form, in_safe_mode, serialize_keras_object

_KINDS = ('params', 'state')


class JaxLayer(Layer):
    """A function written for JAX as a layer, on the JAX engine, and on TensorFlow by `jax2tf`.

    Args:
        call_fn: function of some of `params`, `state`, `rng`, `inputs` and `training`, by these names; `inputs` it has
            to take. With `state` it returns (outputs, new state), without it the outputs.
        init_fn: function of `rng`, `inputs` (ones of the shape of the inputs, 1 where a size is unknown) and perhaps
            `training` (True); it returns the first params, or (params, state) where `call_fn` takes `state`.
        params, state: nested arrays to start with in the place of what `init_fn` gives. The arrays of `params` are
            trained where they are floats.
        seed: of `rng`, a key that is another one in every call.
        native_serialization_platforms: on TensorFlow, the devices that `jax2tf` compiles for, such as ['cpu', 'cuda'].

    Raises:
        ValueError: for functions of other arguments, or where nothing says what params there are.
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
        self._call_names = _names_of(call_fn, 'call_fn', _KINDS + ('rng', 'inputs', 'training'), ('inputs',))
        self._init_names = () if init_fn is None else _names_of(init_fn, 'init_fn', ('rng', 'inputs', 'training'),
                                                                ('rng', 'inputs'))
        if init_fn is None and params is None and state is None and set(_KINDS) & set(self._call_names):
            raise ValueError('%s: `init_fn`, `params` and `state` cannot all be `None` when `call_fn` takes a `params` '
                             'or a `state` argument.' % type(self).__name__)
        self.seed_generator = random.SeedGenerator(seed)
        self._given = {'params': params, 'state': state}
        self._structures, self._parts = {}, {}
        if init_fn is None:
            self._keep_all(self._given)

    def build(self, input_shape):
        wanted = [kind for kind in _KINDS if kind in self._call_names]
        if any(self._given[kind] is None for kind in wanted) and self.init_fn is not None:
            self._keep_all(dict(self._initial(input_shape), **{kind: value for kind, value in self._given.items()
                                                               if value is not None}))
        elif not self._structures:
            self._keep_all(self._given)
        self.built = True

    def _initial(self, input_shape):
        """What `init_fn` gives: {'params': ..., 'state': ...}."""
        with Concretely():
            seed = np.asarray(get_engine().to_numpy(self.seed_generator.next()))
            inputs = map_shapes(lambda shape: np.ones([size or 1 for size in shape], self.compute_dtype), input_shape)
            values = {'rng': self._first_keys(_key(seed)), 'training': True,
                      'inputs': _library('').tree_util.tree_map(_library('.numpy').asarray, inputs)}
            found = self.init_fn(**{name: values[name] for name in self._init_names})
        return dict(zip(_KINDS, found)) if 'state' in self._call_names else {'params': found}

    @staticmethod
    def _first_keys(key):
        return key

    def _keep_all(self, values):
        """Make variables of what is nested in `values`."""
        for kind in _KINDS:
            leaves, self._structures[kind] = _library('').tree_util.tree_flatten_with_path(values.get(kind))
            made = []
            for path, leaf in leaves:
                array = np.asarray(leaf)
                name = '_'.join(str(getattr(step, 'key', getattr(step, 'name', getattr(step, 'idx', step))))
                                for step in path)
                variable = Variable(array, dtype=array.dtype.name, name=name or kind, autocast=kind == 'params',
                                    trainable=kind == 'params' and is_float(array.dtype.name))
                variable.path = '%s/%s' % (self.name, variable.name)
                self.list_weight(variable, variable.trainable)
                made.append(variable)
            self._parts[kind] = made

    def call(self, inputs, training=False):
        names = [name for name in self._call_names if name != 'training']
        values = {'inputs': inputs}
        for kind in _KINDS:
            values[kind] = self._nested(kind, [variable.value for variable in self._parts[kind]])
        if 'rng' in names:
            values['rng'] = self.seed_generator.next()
        fixed = {'training': bool(training)} if 'training' in self._call_names else {}

        def run(*given):
            return self.call_fn(**dict(zip(names, given), **fixed))
        outputs = get_engine().function_of_jax(run, self.native_serialization_platforms)(
            *[values[name] for name in names])
        if 'state' not in names:
            return outputs
        outputs, state = outputs
        if not context.abstract:
            for variable, value in zip(self._parts['state'], _library('').tree_util.tree_leaves(state)):
                variable.assign(get_engine().convert(value, variable.dtype))
        return outputs

    def _nested(self, kind, values):
        return _library('').tree_util.tree_unflatten(self._structures[kind], values)

    def get_config(self):
        return dict(super().get_config(), call_fn=_written(self.call_fn), init_fn=_written(self.init_fn),
                    native_serialization_platforms=self.native_serialization_platforms)

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """A layer from what `get_config` gave; see `Lambda.from_config` for the arguments and errors.

        What was given as `params` and `state` is not in a config: `init_fn` makes them again.
        """
        with SafeModeScope(in_safe_mode() if safe_mode is None else safe_mode):
            read = {name: load_callable(config[name], None, custom_objects or {}, 'a `%s` whose %s' % (
                cls.__name__, name)) for name in ('call_fn', 'init_fn') if config.get(name) is not None}
            return cls(**dict(config, **read))


class FlaxLayer(JaxLayer):
    """A module of Flax (`flax.linen.Module`) as a layer, on the engines that `JaxLayer` runs on. It needs `flax`.

    Args:
        module: the module. method: the name of its method, or a function of the module, `inputs` and perhaps
            `training`; default `__call__`.
        variables: what `module.init` gave, to start with; default what it gives. The collection 'params' is trained,
            all others are the layer's state, which `call` may change.

    Random numbers come from one key, which differs in every call, for each of the streams 'params' and 'dropout'.

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
            return module.apply(dict(state or {}, params=params), inputs, rngs=self._keys(rng), method=self._bound(),
                                mutable=_library('.core', 'flax').DenyList(['params']), **flag)

        def init_fn(rng, inputs, training):
            flag = {'training': training} if takes_training else {}
            made = dict(module.init(rng, inputs, method=self._bound(), **flag))
            return made.pop('params', {}), made
        variables = dict(variables or {})
        super().__init__(call_fn, init_fn, params=variables.pop('params', None), state=variables or None, **kwargs)

    def _function(self):
        """The function behind `method`."""
        if callable(self.method):
            return self.method
        return getattr(type(self.module), self.method or '__call__')

    def _bound(self):
        return self.method if callable(self.method) or self.method is None else getattr(type(self.module), self.method)

    @staticmethod
    def _first_keys(key):
        return FlaxLayer._keys(key)

    @staticmethod
    def _keys(key):
        first, second = _library('.random').split(key)
        return {'params': first, 'dropout': second}

    def get_config(self):
        config = super().get_config()
        del config['call_fn'], config['init_fn']
        method = self.method
        return dict(config, module=serialize_keras_object(self.module),
                    method=_written(method) if callable(method) else method)

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """A layer from what `get_config` gave: the class of the module has `get_config` and is registered."""
        from keras.saving.kinds import deserialize_keras_object
        module = deserialize_keras_object(config['module'], custom_objects=custom_objects)
        return cls(**dict(config, module=module))


def _library(part, name='jax'):
    """A module of the library that the functions are written for."""
    try:
        return importlib.import_module(name + part)
    except ImportError as error:
        raise ImportError('The layer needs the package %r: pip install %s. (%s)' % (name, name, error)) from error


def _key(seed):
    """The random key with the numbers of a seed of ours."""
    return _library('.numpy').asarray(seed.astype('uint32'))


def _names_of(function, what, known, needed):
    """The names of the arguments of a function, if they are such as `known`."""
    names = list(inspect.signature(function).parameters)
    for name in needed:
        if name not in names:
            raise ValueError('Missing required argument in `%s`: `%s`. It takes: %s.' % (what, name, ', '.join(names)))
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
