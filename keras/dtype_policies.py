"""Dtype policies: in which float type a layer keeps its weights, in which it computes, and how it is quantized.

A policy goes by its name: 'float32', 'mixed_float16' (weights in float32, computation in float16), 'mixed_bfloat16',
'int8_from_mixed_bfloat16' (quantized to int8, what is left in mixed_bfloat16). `DTypePolicyMap` gives each layer of a
model its own. The policy of new layers is `keras.config.dtype_policy()`.
"""
import re
from collections.abc import MutableMapping

from keras import config
from keras.backend.contract.loading import get_engine, is_native
from keras.backend.contract.rules import DTYPES, AbstractTensor, dtype_named, is_float, standard_dtype
from keras.backend.table import primitives
from keras.saving import forms
from keras.saving.kinds import Kind

MODES = ('int8', 'float8', 'int4', 'gptq', 'awq')


class DTypePolicy:
    """The float types of a layer.

    Args:
        name: a dtype ('float32'), 'mixed_float16' or 'mixed_bfloat16'; None for the name of the global policy.

    Attributes:
        compute_dtype, variable_dtype: the types of the computation and of the weights. quantization_mode: 'int8',
            'float8', 'int4', 'gptq', 'awq' or None.

    Raises:
        ValueError: for an unknown name. TypeError: for one that is no string.

    Example:
        >>> policy = keras.DTypePolicy('mixed_float16')
        >>> policy.compute_dtype, policy.variable_dtype
        ('float16', 'float32')
        >>> keras.layers.Dense(2, dtype=policy)(np.ones((1, 2), 'float32')).dtype
        dtype('float16')
    """
    quantization_mode = None

    def __init__(self, name=None):
        name = current().name if name is None else name
        _check_string(name)
        self.compute_dtype, self.variable_dtype = _dtypes_of(name)
        self.name = name

    def convert_input(self, x, autocast, dtype):
        """`x` as a layer takes it: a tensor if it is an array, floats in `dtype` where `autocast` is True."""
        if isinstance(x, AbstractTensor):
            return primitives.cast(x, dtype) if autocast and is_float(x.dtype) and x.dtype != dtype else x
        if not is_native(x) and not hasattr(x, '__array__'):
            return x
        engine = get_engine()
        x = x if is_native(x) else engine.convert(x)
        found = engine.dtype_of(x)
        return engine.cast(x, dtype) if autocast and is_float(found) and found != dtype else x

    def get_config(self):
        return {'name': self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __eq__(self, other):
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash((type(self), self.name))

    def __repr__(self):
        return '<%s "%s">' % (type(self).__name__, self.name)


FloatDTypePolicy = DTypePolicy


class QuantizedDTypePolicy(DTypePolicy):
    """The policy of a quantized layer.

    Args:
        mode: 'int8', 'float8', 'int4', 'gptq' or 'awq'. source_name: the name of the policy it had before, default
            that of the global one.

    Raises:
        ValueError: for an unknown mode, and for 8 bit integers together with float16, which overflows.

    Example:
        >>> keras.dtype_policies.QuantizedDTypePolicy('int8', 'mixed_bfloat16').name
        'int8_from_mixed_bfloat16'
    """

    def __init__(self, mode, source_name=None):
        if source_name is None:
            source_name = getattr(current(), 'source_name', current().name)
        _check_string(source_name)
        self.source_name = source_name
        self.quantization_mode = self._checked_mode(mode)
        self.compute_dtype, self.variable_dtype = _dtypes_of(source_name)
        self.name = '%s_from_%s' % (mode, source_name)
        self._given_mode = mode
        if self.quantization_mode == 'int8' and self.compute_dtype == 'float16':
            raise ValueError('The policy %r does not work: what 8 bit integers add up to overflows in float16, so that '
                             'this combination doesn\'t work well. Use float32 or mixed_bfloat16.' % self.name)

    def _checked_mode(self, mode):
        if mode not in MODES:
            raise ValueError('Invalid quantization mode. Expected one of %s. Received: mode=%s' % (MODES, mode))
        return mode

    @property
    def _source_name(self):
        return self.source_name

    def get_config(self):
        return {'mode': self._given_mode, 'source_name': self.source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The policy of a layer that computes with 8 bit floats.

    Args:
        mode, source_name: see `QuantizedDTypePolicy`. amax_history_length: how many of the last largest absolute values
            the scales follow.

    Example:
        >>> keras.dtype_policies.QuantizedFloat8DTypePolicy('float8', 'float32').amax_history_length
        1024
    """
    default_amax_history_length = 1024

    def __init__(self, mode, source_name=None, amax_history_length=1024):
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError('`amax_history_length` must be an integer. Received: amax_history_length=%r'
                            % (amax_history_length,))
        self.amax_history_length = amax_history_length

    def get_config(self):
        return dict(super().get_config(), amax_history_length=self.amax_history_length)


class _PolicyWithNumbers(QuantizedDTypePolicy):
    """A policy whose mode has numbers behind it: 'gptq/4/128'."""
    _words = ()

    def _checked_mode(self, mode):
        parts = mode.split('/')
        numbers = parts[1:]
        if parts[0] != self._words[0] or len(numbers) != len(self._words) - 1 \
                or not all(re.fullmatch('-?[0-9]+', number) for number in numbers):
            raise ValueError('Invalid mode %r. Expected the form %s.' % (mode, '/'.join(self._words)))
        for word, number in zip(self._words[1:], numbers):
            setattr(self, word, int(number))
        for word in ('group_size', 'block_size'):
            size = getattr(self, word, -1)
            if size < 1 and size != -1:
                raise ValueError('Invalid mode %r: `%s` must be positive, or -1 for all of a column at once.'
                                 % (mode, word))
        self.mode = parts[0]
        return parts[0]


class GPTQDTypePolicy(_PolicyWithNumbers):
    """The policy of a layer quantized by GPTQ.

    Args:
        mode: 'gptq/BITS/GROUP_SIZE'. source_name: see `QuantizedDTypePolicy`.

    Example:
        >>> keras.dtype_policies.GPTQDTypePolicy('gptq/4/128', 'float32').weight_bits
        4
    """
    _words = ('gptq', 'weight_bits', 'group_size')

    def __init__(self, mode, source_name=None):
        super().__init__(mode, source_name)
        if self.weight_bits not in (2, 3, 4, 8):
            raise ValueError('Invalid mode %r: GPTQ has weights of 2, 3, 4 or 8 bits.' % mode)


class AWQDTypePolicy(_PolicyWithNumbers):
    """The policy of a layer quantized by AWQ.

    Args:
        mode: 'awq/4/GROUP_SIZE'. source_name: see `QuantizedDTypePolicy`.

    Example:
        >>> keras.dtype_policies.AWQDTypePolicy('awq/4/128', 'float32').group_size
        128
    """
    _words = ('awq', 'weight_bits', 'group_size')

    def __init__(self, mode, source_name=None):
        super().__init__(mode, source_name)
        if self.weight_bits != 4:
            raise ValueError('Invalid mode %r: AWQ only supports 4-bit weights.' % mode)


class Int4DTypePolicy(_PolicyWithNumbers):
    """The policy of a layer quantized to 4 bit integers in blocks.

    Args:
        mode: 'int4/BLOCK_SIZE'. source_name: see `QuantizedDTypePolicy`.

    Example:
        >>> keras.dtype_policies.Int4DTypePolicy('int4/128', 'float32').block_size
        128
    """
    _words = ('int4', 'block_size')


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """A policy for each path of a layer.

    Args:
        default_policy: the policy (or its name) of layers that no path names; default the global policy.
        policy_map: {path, or regular expression for whole paths: policy}.

    Raises:
        TypeError: if `policy_map` is no dictionary. ValueError: for a path that is given twice, that two expressions
            match, or a value that is no policy.

    Example:
        >>> policies = keras.dtype_policies.DTypePolicyMap('float32')
        >>> policies['encoder/.*'] = keras.DTypePolicy('mixed_bfloat16')
        >>> policies['encoder/dense'].name, policies['decoder/dense'].name
        ('mixed_bfloat16', 'float32')
    """

    def __init__(self, default_policy=None, policy_map=None):
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError('If specified, `policy_map` must be a dict. Received: %r' % (policy_map,))
        self._default = None if default_policy is None else get(default_policy)
        self._policies = dict(policy_map or {})

    @property
    def default_policy(self):
        return current() if self._default is None else self._default

    name = property(lambda self: 'map_' + self.default_policy.name)
    compute_dtype = property(lambda self: self.default_policy.compute_dtype)
    variable_dtype = property(lambda self: self.default_policy.variable_dtype)
    quantization_mode = property(lambda self: self.default_policy.quantization_mode)

    def __getitem__(self, path):
        if path in self._policies:
            return self._policies[path]
        matches = [key for key in self._policies if re.fullmatch(key, path)]
        if len(matches) > 1:
            raise ValueError("Path '%s' matches multiple dtype policy specifications of the DTypePolicyMap: %s. Make "
                             'each path match one of them only.' % (path, matches))
        return self._policies[matches[0]] if matches else self.default_policy

    def __setitem__(self, path, policy):
        if path in self._policies:
            raise ValueError('%s already exist in the DTypePolicyMap with the value %s. Remove it first.'
                             % (path, self._policies[path]))
        try:
            self._policies[path] = get(policy)
        except (ValueError, TypeError):
            raise ValueError('Cannot interpret the assigned value. Expected a policy or its name. Received: %r'
                             % (policy,)) from None

    def __delitem__(self, path):
        del self._policies[path]

    def pop(self, path, *default):
        """Remove the policy of a path, and give it.

        Raises:
            KeyError: where no policy was set for it and no default is given.
        """
        return self._policies.pop(path, *default)

    def __contains__(self, path):
        return path in self._policies

    def __len__(self):
        return len(self._policies)

    def __iter__(self):
        return iter(self._policies)

    def get_config(self):
        found = {}
        for path, policy in self._policies.items():
            entry = found[path] = serialize(policy)
            if self._default is None:  # then all follow the global policy of whoever reads this
                entry['config'].update((name, None) for name in ('name', 'source_name') if name in entry['config'])
        return {'default_policy': None if self._default is None else self._default.name, 'policy_map': found}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        policies = {path: deserialize(policy, custom_objects)
                    for path, policy in (config.get('policy_map') or {}).items()}
        return cls(config.get('default_policy'), policies)

    def __hash__(self):
        return id(self)

    def __repr__(self):
        return '<DTypePolicyMap at 0x%x default_policy=%s, mapping=%s>' % (
            id(self), self.default_policy.name, [(path, policy.name) for path, policy in self.items()])


def _check_string(name):
    if not isinstance(name, str):
        raise TypeError("'name' must be a string, such as 'mixed_float16'. Received: name=%r (of type %s)"
                        % (name, type(name)))


def _dtypes_of(name):
    """(dtype of the computation, that of the weights) for the name of a policy that is not quantized."""
    if name in ('mixed_float16', 'mixed_bfloat16'):
        return name[len('mixed_'):], 'float32'
    name = standard_dtype(name)  # 'int' and 'float', too
    if name not in DTYPES:
        raise ValueError('Cannot convert %r to a mixed precision DTypePolicy. Valid policies are mixed_float16, '
                         'mixed_bfloat16 and the names of dtypes such as float32.' % name)
    return str(name), str(name)


# --- the global policy, and policies by name --------------------------------------------------------------------------

# Policies that have been asked for by their names; they never change.
_by_name = {}


def current():
    """The global policy: what was set, else that of `floatx`."""
    return config.settings.dtype_policy or _named(config.settings.floatx)


def global_policy():
    """The policy of new layers: what `set_dtype_policy` was given, else the one of `keras.config.floatx()`.

    Example:
        >>> keras.config.dtype_policy()
        <DTypePolicy "float32">
    """
    return current()


def set_dtype_policy(policy):
    """Set the policy of new layers.

    Args:
        policy: a policy, or its name, such as 'mixed_float16'.

    Raises:
        ValueError: for anything else.

    Example:
        >>> keras.config.set_dtype_policy('mixed_bfloat16')
        >>> keras.layers.Dense(2).compute_dtype
        'bfloat16'
        >>> keras.config.set_dtype_policy('float32')
    """
    if not isinstance(policy, (str, DTypePolicy)):
        raise ValueError('Invalid `policy` argument. Expected the name of a dtype policy or a `DTypePolicy`. '
                         'Received: policy=%r (of type %s)' % (policy, type(policy)))
    config.settings.dtype_policy = get(policy)


def _named(name):
    policy = _by_name.get(name)
    if policy is None:
        policy = _by_name[str(name)] = _made(str(name))
    return policy


def _made(name):
    mode, found, source = name.partition('_from_')
    family = mode.partition('/')[0]
    if family not in MODES and family.partition('_')[0] not in MODES:
        return DTypePolicy(name)
    if not found or family not in MODES:
        raise ValueError('Cannot convert `policy` into a valid pair (`mode`, `source_name`) of a quantized policy, '
                         'such as int8_from_float32. Received: policy=%s' % name)
    if '/' in mode:
        classes = {'gptq': GPTQDTypePolicy, 'awq': AWQDTypePolicy, 'int4': Int4DTypePolicy}
        if family in classes:
            return classes[family](mode, source)
    return (QuantizedFloat8DTypePolicy if mode == 'float8' else QuantizedDTypePolicy)(mode, source)


class _Policies(Kind):
    """Policies go by names of their own; what a file of tf.keras calls `Policy` or `PolicyV1` is one, too."""

    def get(self, identifier, kwargs=None):
        if identifier is None:
            return current()
        if isinstance(identifier, DTypePolicy):
            return identifier
        if isinstance(identifier, str):
            return _named(identifier)
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        name = getattr(identifier, 'name', None)
        if isinstance(name, str) and hasattr(identifier, 'compute_dtype'):
            return _named(name)  # the policy of another library, such as tf.keras
        try:
            name = dtype_named(identifier)
        except TypeError:
            name = None
        if name in DTYPES:
            return _named(name)
        raise ValueError('Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy. '
                         'Received: dtype=%r' % (identifier,))

    def deserialize(self, identifier, custom_objects=None):
        if isinstance(identifier, str):
            return _named(identifier)
        if isinstance(identifier, dict) and 'class_name' not in identifier and set(identifier) == {'name'}:
            return _named(identifier['name'])
        if isinstance(identifier, dict) and identifier.get('class_name') in ('Policy', 'PolicyV1'):
            # tf.keras; PolicyV1 kept the scale of the loss, which belongs to the optimizer.
            name = (identifier.get('config') or {}).get('name')
            return current() if name in ('_infer', 'infer', None) else _named(name)
        return super().deserialize(identifier, custom_objects)

    def serialize(self, policy):
        return forms.KERAS3(policy)


_KIND = _Policies('dtype policy', DTypePolicy, functions=None, accepts=lambda cls: issubclass(cls, DTypePolicy),
                  home=__name__, expected='a name such as "mixed_float16", a config or a policy')
_KIND.enter_public(globals())
get, serialize, deserialize = _KIND.module_functions(
    'dtype_policy', example=">>> keras.dtype_policies.get('mixed_bfloat16').compute_dtype\n'bfloat16'")
