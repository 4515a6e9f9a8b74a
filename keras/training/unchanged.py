"""Whether what a step goes by, the attributes of layers and of other objects, is what it was."""
import functools
import operator
import types

import numpy as np

from keras.backend.contract import tree
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

# Attributes by which no step goes: accounts that objects keep, what only says how weights were made, and what is
# counted (see `_counts`).
_NEVER_LOOKED_AT = frozenset((
    '_inbound_nodes', '_outbound_nodes', '_call_losses', '_call_metrics', '_symbolic_losses', '_symbolic_metrics',
    '_symbolic_updates', '_direct_dtype', '_direct_shape', '_ignores_phase', '_initial_weights', '_source',
    '_built_for', '_was_built', '_has_run', '_trainable', '_trainable_weights', '_non_trainable_weights',
    '_forward', '_direct', '_training', '_warned', '_path', '_made_under', 'name', 'history', 'streams', 'input_spec',
    'stop_training', 'stop_evaluating', 'stop_predicting'))
# What does not change, or is watched elsewhere (layers and variables).
_LASTING = (type(None), bool, int, float, complex, str, bytes, np.generic, np.dtype, type(Ellipsis), DTypePolicy,
            InputSpec, Initializer, Variable, KerasTensor, Entry, types.BuiltinFunctionType)


class _NotSeen(Exception):
    """There is something of which nobody can tell whether it has changed."""


class Unchanged:
    """Watches what a step goes by: the layers of a model, and other objects.

    Args:
        forward: the `Forward` of the model. objects: what else the step looks at.
    """

    def __init__(self, forward, objects):
        self._forward, self._objects = forward, objects
        self._counts = None

    def can_be_seen(self):
        """Whether all of it is of kinds whose changes are seen; `holds` says from now on whether there was one."""
        forward = self._forward
        if forward.graph is None or forward.own_call or not forward.additions().is_empty:
            return False
        self._dicts, self._lists, self._empty, self._sets = [], [], [], []
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
        except KeyError:  # an attribute is gone
            return False

    def _are_same(self):
        for part, get, values, size in self._dicts:
            if not all(map(operator.is_, get(part), values)) or len(part) != size and len(_names(part)) != len(values):
                return False
        for part, values in self._lists:
            if len(part) != len(values) or not all(map(operator.is_, part, values)):
                return False
        return not any(self._empty) and all([part == values for part, values in self._sets])

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
        names = _names(part)
        values = [part[name] for name in names]
        if names:
            get = operator.itemgetter(*names) if len(names) > 1 else functools.partial(_one, names[0])
            self._dicts.append((part, get, values, len(part)))
        for value in values:
            self._see(value)

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


def _names(part):
    return [name for name in part if name not in _NEVER_LOOKED_AT and not str(name).endswith('_initializer')]


def _one(name, part):
    return (part[name],)


def _counts():
    """What is counted of all that steps go by, and the settings."""
    return (active.activations, adapter_changes(), additions_made(), trainable_changes(), learning_phase.value,
            settings.floatx, settings.epsilon, settings.image_data_format)
