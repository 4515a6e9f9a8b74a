"""Variables and layers as objects of Flax NNX, where `nnx_enabled` in keras.json or KERAS_NNX_ENABLED asks for it.

NNX takes objects apart (`nnx.split`, and in front of all that it transforms), puts copies of them together again, and
writes what became of the copies into the originals. What it finds in a layer are the weights, seeds and layers right
inside, by their names; everything else stays with the original, which `_Made` knows. The value of a variable is where
it always is: NNX gets and sets `Variable.held`.
"""
import collections
import copy
import operator

import jax
from flax import nnx
from jax import lax

from keras import lazy
from keras.backend.contract.attributes import settings
from keras.backend.contract.context import context
from keras.backend.contract.ledger import FacingLedger, Stored
from keras.backend.contract.loading import active

# Attributes of a variable that a copy has otherwise; all others say what it is.
_OF_THE_VALUE = frozenset(('held', 'holder', '_initializer', 'symbol'))
# What NNX wants to know of each of its variables: that no other library keeps the value.
_REQUIRED = {'hijax': False, 'ref': False, 'eager_sharding': False}
_graphlib = lazy.Later('flax.nnx.graphlib')


class _Description(collections.abc.MutableMapping):
    """What a variable is besides its value, as NNX reads and writes it."""

    def __init__(self, variable):
        self._of = variable.__dict__

    def __getitem__(self, name):
        if name in _REQUIRED:
            return _REQUIRED[name]
        if name in _OF_THE_VALUE:
            raise KeyError(name)
        return self._of[name]

    def __setitem__(self, name, value):
        if name not in _REQUIRED:
            self._of[name] = value

    def __delitem__(self, name):
        if name not in _REQUIRED:
            del self._of[name]

    def __iter__(self):
        return iter([name for name in self._of if name not in _OF_THE_VALUE] + list(_REQUIRED))

    def __len__(self):
        return len(list(iter(self)))

    def copy(self):
        return dict(self)

    def __eq__(self, other):
        return dict(self) == dict(other)

    __hash__ = None


def variable_class(cls):
    """The subclass of `cls`, the class of variables, whose objects are variables of NNX."""
    in_place = {'__i%s__' % name: lambda self, other: NotImplemented  # as `a = a + b`
                for name in 'add sub mul matmul truediv floordiv mod pow lshift rshift and xor or'.split()}
    return type(nnx.Variable)(cls.__name__, (_Variable, cls, nnx.Variable), dict(
        in_place, __doc__=cls.__doc__, __module__=cls.__module__, __qualname__=cls.__qualname__))


class _Variable:
    """What a variable of NNX has otherwise than one that is none."""
    hijax = ref = eager_sharding = False
    shape = None
    __setattr__, __delattr__ = object.__setattr__, object.__delattr__
    __hash__, __str__ = object.__hash__, object.__str__

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        nnx.Variable._trace_state.__set__(self, nnx.tracers.TraceState())
        return self

    def __init__(self, initializer, *args, **kwargs):
        # NNX's variables can be called, but are no functions of a shape.
        super().__init__(initializer.numpy() if isinstance(initializer, Stored) else initializer, *args, **kwargs)

    @property
    def _raw_value(self):
        ledger = context.ledger
        while type(ledger) is FacingLedger:
            ledger = ledger.outer
        return self.load() if ledger is None else ledger.read(self)

    @_raw_value.setter
    def _raw_value(self, value):
        self.__dict__.update(held=value, holder=active.engine, _initializer=None)
        self.__dict__.setdefault('symbol', None)

    @property
    def _var_metadata(self):
        return _Description(self)

    @_var_metadata.setter
    def _var_metadata(self, metadata):
        self.__dict__.update((name, value) for name, value in metadata.items() if name not in _REQUIRED)

    @property
    def value(self):
        return super().value

    @value.setter
    def value(self, value):
        self.assign(value)

    def __jax_array__(self):
        return self.value

    def __bool__(self):
        return bool(self.value)

    def __setstate__(self, state):
        self.__dict__.update(state)

    def stored(self, storage, value):
        """A copy that NNX made for a function that JAX traces keeps what that computes."""
        if isinstance(value, jax.core.Tracer) and self._can_update:
            return lax.convert_element_type(value, value.dtype)
        return super().stored(storage, value)


class _Made:
    """What a layer is besides its parts: equal for a layer and its copies while they compute the same."""
    __slots__ = ('layer', 'settings', '_key')

    def __init__(self, layer):
        self.layer = layer.copy_of or layer
        keys = settings(vars(layer))
        keys.pop('_made_graph', None)  # of a model: None until it is asked for, and then made of the parts
        self.settings = {name: copy.copy(vars(layer)[name]) for name in keys}
        self._key = tuple(sorted(keys.items(), key=operator.itemgetter(0)))

    def __eq__(self, other):
        return type(other) is _Made and self.layer is other.layer and self._key == other._key

    def __hash__(self):
        return hash((id(self.layer), self._key))

    def __repr__(self):
        return repr(self.layer)


class _Class(type(nnx.Module)):
    """The class of classes of layers: their objects are made as all others."""
    __call__, __instancecheck__ = type.__call__, type.__instancecheck__


class LayerNode(nnx.Module, metaclass=_Class, pytree=False):
    """What makes layers modules of NNX: it is put behind the bases of the class `Layer`."""

    __setattr__, __delattr__ = object.__setattr__, object.__delattr__
    __str__, __deepcopy__ = object.__str__, None

    def __init_subclass__(cls, **kwargs):
        _graphlib.register_graph_node_type(
            cls, flatten=LayerNode.parts_and_kind, set_key=LayerNode.refuse_part, pop_key=LayerNode.refuse_part,
            create_empty=LayerNode.copy_without_parts, clear=LayerNode.keep_everything, init=LayerNode.take_parts)

    def _check_valid_context(self, error_msg):
        """Where a layer was made does not matter to what it may be used for; its variables say it for themselves."""

    @classmethod
    def joined_by(cls, layer_class):
        """Know a class of layers, and all below it, that were there before."""
        cls.__init_subclass__.__func__(layer_class)
        for each in layer_class.__subclasses__():
            cls.joined_by(each)

    def parts_by_name(self):
        """{name: variable, layer or object of NNX} right inside."""
        found = {name: part for name, part in self.tracked_by_name().items()
                 if isinstance(part, (LayerNode, nnx.Variable))}
        found.update(self.states_by_name())
        found.update((name, value) for name, value in vars(self).items() if name != 'copy_of'
                     and isinstance(value, (nnx.Pytree, nnx.Variable)) and not isinstance(value, (LayerNode, Stored)))
        return found

    def parts_and_kind(self):
        return sorted(self.parts_by_name().items()), _Made(self)

    @staticmethod
    def copy_without_parts(made):
        return made.layer.copy_apart(**{name: copy.copy(value) for name, value in made.settings.items()})

    def keep_everything(self):
        """Called before `take_parts` where the layer gets what became of a copy: its parts have it already."""

    def take_parts(self, parts):
        """Have `parts`, pairs (name, variable or layer), in the place of those that the layer has by these names."""
        before, parts = self.parts_by_name(), dict(parts)
        if set(before) != set(parts):
            raise ValueError(
                'Layer %s has the parts %s, and gets %s. The usual cause: it is built inside of a function that NNX '
                'transforms (nnx.jit, nnx.grad, ...); build it before, by a call on an input or by build(input_shape).'
                % (self.name, sorted(before), sorted(parts)))
        instead = {id(before[name]): part for name, part in parts.items() if part is not before[name]}
        if instead:
            self.replace_parts(instead)

    def refuse_part(self, name, value=None):
        raise ValueError('Layer %s: NNX may neither add %r to it nor take that out. Use add_weight, and nnx.split with '
                         'filters in the place of nnx.pop.' % (self.name, name))

    def train(self, **attributes):
        """Have calls train that do not say it, and set the attributes of modules of NNX that are inside."""
        self._set_modes(True)
        return super().train(**attributes)

    def eval(self, **attributes):
        """Have calls not train that do not say it, and set the attributes of modules of NNX that are inside."""
        self._set_modes(False)
        return super().eval(**attributes)

    def _set_modes(self, training):
        for layer in self.walk_layers():
            layer.set_mode_of_calls(training)
