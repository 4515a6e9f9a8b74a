"""Whether what a step goes by, the attributes of layers and of other objects, is what it was."""
import functools
import itertools
import operator
import types

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.attributes import ACCOUNTS, ONLY_TO_MAKE, looked_at
from keras.backend.contract.context import learning_phase
from keras.backend.contract.loading import active
from keras.backend.graph.reads import Read
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable
from keras.backend.table.entries import Entry
from keras.config import settings
from keras.dtype_policies import DTypePolicy
from keras.initializers import Initializer
from keras.layers.additions import additions_made
from keras.layers.base import Layer
from keras.layers.calls import is_ours
from keras.layers.input_spec import InputSpec
from keras.layers.weights import adapter_changes, trainable_changes

# Attributes that are not looked at: what is counted (see `_counts`), too.
_NEVER_LOOKED_AT = ACCOUNTS | {'_trainable'}
# Such are, by the ends of their names, in steps that do not train those of what training adds to weights.
_ONLY_TO_TRAIN = ONLY_TO_MAKE + ('kernel_regularizer', 'bias_regularizer', '_constraint')
_get, chain = operator.itemgetter.__call__, itertools.chain.from_iterable
# What does not change, or is watched elsewhere (layers and variables).
_LASTING = (type(None), bool, int, float, complex, str, bytes, np.generic, np.dtype, type(Ellipsis), DTypePolicy,
            InputSpec, Initializer, Variable, KerasTensor, Entry, types.BuiltinFunctionType)


class _NotSeen(Exception):
    """There is something of which nobody can tell whether it has changed."""


class Unchanged:
    """Watches what a step goes by: the layers of a model, and other objects.

    Args:
        forward: the `Forward` of the model. objects: what else the step looks at. trains: whether it changes weights.
    """

    def __init__(self, forward, objects, trains=True):
        self._forwards, self._objects = forward, objects
        self._ignored = ONLY_TO_MAKE if trains else _ONLY_TO_TRAIN
        self._counts = None

    def can_be_seen(self):
        """Whether all of it is of kinds whose changes are seen; `holds` says from now on whether there was one."""
        forward = self._forwards
        if forward.graph is None or forward.own_call or not forward.additions().is_empty:
            return False
        # Dictionaries, how many names each has, and how many of these are looked at.
        self._dicts, self._sizes, self._counted = [], [], []
        self._compared, self._identical = _Values(), _Values()
        self._lists, self._empty, self._sets = [], [], []
        self._seen, self._alive = set(), []
        try:
            layers = forward.model.walk_layers()
            for layer in layers:
                self._see_layer(layer, set(map(id, layers)))
            for one in self._objects:
                self._see(one)
        except _NotSeen:
            return False
        self._counts = _counts()
        return True

    def holds(self):
        """Whether nothing has changed."""
        if self._counts != _counts():
            return False
        try:
            return self._are_same()
        except Exception:  # an attribute is gone, or is something now that cannot be compared
            return False

    def _are_same(self):
        compared, identical = self._compared, self._identical
        if list(map(_get, compared.getters, compared.parts)) != compared.values \
                or not all(map(operator.is_, chain(map(_get, identical.getters, identical.parts)),
                               chain(identical.values))):
            return False
        if list(map(len, self._dicts)) != self._sizes \
                and [len(self._names(part)) for part in self._dicts] != self._counted:
            return False
        for part, values in self._lists:
            if len(part) != len(values) or not all(map(operator.is_, part, values)):
                return False
        return not any(self._empty) and (not self._sets or all([part == values for part, values in self._sets]))

    # --- what there is to see

    def _see_layer(self, layer, known):
        if not is_ours(type(layer)):
            raise _NotSeen
        graph = getattr(layer, 'layer_graph', None)
        for node in graph.layer_nodes if graph is not None else ():
            operation = node.operation
            if not isinstance(operation, (Entry, Read)) and id(operation) not in known:
                raise _NotSeen
            for argument in tree.flatten([list(node.args), dict(node.kwargs)]):
                self._see(argument)
        if not layer.is_input:
            self._see_dict(vars(layer))

    def _see_dict(self, part):
        names = self._names(part)
        if names:
            for values, compared in ((self._compared, True), (self._identical, False)):
                values.add(part, [name for name in names if _is_compared(part[name]) is compared])
            self._dicts.append(part)
            self._sizes.append(len(part))
            self._counted.append(len(names))
        elif not part:
            self._empty.append(part)
        for name in names:
            self._see(part[name])

    def _names(self, part):
        return looked_at(part, _NEVER_LOOKED_AT, self._ignored)

    def _see(self, value):
        if isinstance(value, _LASTING) or isinstance(value, Layer) or type(value) in active.native \
                or id(value) in self._seen:
            return
        self._seen.add(id(value))
        self._alive.append(value)
        if isinstance(value, (tuple, frozenset)):
            for part in value:
                self._see(part)
        elif isinstance(value, list):
            self._lists.append((value, list(value))) if value else self._empty.append(value)
            for part in value:
                self._see(part)
        elif isinstance(value, dict):
            self._see_dict(value)
        elif isinstance(value, set):
            self._sets.append((value, set(value)))
            self._see(tuple(value))
        elif isinstance(value, types.MethodType):
            self._see(value.__func__)
            self._see(value.__self__)
        elif isinstance(value, functools.partial):
            self._see([value.func, list(value.args), dict(value.keywords)])
        else:
            self._see_object(value)

    def _see_object(self, value):
        if isinstance(value, type):
            if is_ours(value):
                return
        elif isinstance(value, types.FunctionType):
            if is_ours(value):
                for cell in value.__closure__ or ():
                    self._see(cell.cell_contents)
                return
        elif is_ours(type(value)) and hasattr(value, '__dict__') and not hasattr(type(value), '__slots__'):
            if not hasattr(value, 'layer_nodes'):  # a graph, which stays as it was made
                self._see_dict(vars(value))
            return
        raise _NotSeen


class _Values:
    """Some values of each of several dictionaries, to be gone through in C: this is most of what Python adds to the
    compiled call of a small model."""

    def __init__(self):
        self.getters, self.parts, self.values = [], [], []

    def add(self, part, names):
        if names:
            # An `itemgetter` of one name gives no tuple.
            self.getters.append(operator.itemgetter(*(names if len(names) > 1 else names * 2)))
            self.parts.append(part)
            self.values.append(self.getters[-1](part))


def _is_compared(value):
    """Whether it is enough that a value is equal to what was there, which is found out in a third of the time that
    `is` takes: nothing else is equal, or steps cannot tell the difference. Other numbers may be of another type; where
    variables are compared by elements, the truth value of several raises."""
    return value is None or type(value) in (bool, str) or type(value).__eq__ is object.__eq__ \
        or isinstance(value, Variable) and bool(value.shape) and all(size and size > 1 for size in value.shape)


def _counts():
    """What is counted of all that steps go by, and the settings."""
    return (active.activations, adapter_changes(), additions_made(), trainable_changes(), learning_phase.value,
            settings.floatx, settings.epsilon, settings.image_data_format)
