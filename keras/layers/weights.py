"""The weights of a layer: making them, finding them in attributes and nested layers, reading and setting them."""
import copy
import functools
import re
import threading
import warnings

import numpy as np

from keras.backend.contract.context import calls
from keras.backend.contract.ledger import Stored
from keras.backend.contract.loading import is_native, variable_in
from keras.backend.contract.rules import FLOATS, AbstractTensor, dtype_named, is_float
from keras.backend.graph.plans import value_of
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.scopes import current_names, name_scope as scope_of_names
from keras.backend.state.seeds import SeedGenerator
from keras.backend.state.variables import Variable, trainable_variables_changes
from keras.backend.table.composites.shape import dtype_of
from keras.configurable import declared_arguments
from keras.layers.calls import signature_of
from keras.layers.noted import PLAIN, Noted, Parts, Unnoted, tree_of
from keras.layers.wrapped_weights import read_as_wrapped
from keras.layers.yielding import yielding
from keras.saving.kinds import kind_in

_CONTAINERS = frozenset((list, tuple, dict))
# Types in which there are no weights: those of ours are added when they are met.
_without_weights = set(PLAIN)
_UNTRACKED = frozenset(('_trainable_weights', '_non_trainable_weights', '_inbound_nodes', '_outbound_nodes',
                        '_call_losses', '_call_metrics', '_initial_weights', '_dtype', 'name', 'input_spec',
                        'batch_input_shape',
                        '_symbolic_losses', '_symbolic_metrics', '_symbolic_updates', 'copy_of',
                        '_given_arguments', '_noted', '_forward_hooks', '_forward_pre_hooks', '_backward_hooks',
                        '_backward_pre_hooks', '_state_dict_hooks', '_load_state_dict_pre_hooks', '_own_modules'))
# Attributes that may change without there being other weights, layers or metrics: the lists of weights may not.
_WITHOUT_PARTS = _UNTRACKED - {'_trainable_weights', '_non_trainable_weights'} | {
    '_policy', '_built_for', '_extras', '_made_under', '_forwards', '_direct', '_training', '_activity_regularizer'}


def _collect(value, variables, layers, seen):
    if isinstance(value, WeightOwner):
        if id(value) not in seen:
            seen.add(id(value))
            layers.append(value)
    elif isinstance(value, Variable):
        if id(value) not in seen:
            seen.add(id(value))
            variables.append(value)
    elif isinstance(value, (list, tuple, dict)):
        if id(value) in seen:  # a list that is in itself
            return
        seen.add(id(value))
        for part in value.values() if isinstance(value, dict) else value:
            if type(part) not in PLAIN:
                _collect(part, variables, layers, seen)
    else:
        variable = variable_in(value)
        if variable is not value:
            _collect(variable, variables, layers, seen)
        elif type(value).__module__.startswith('keras.'):
            _without_weights.add(type(value))


def parts_in(value):
    """The variables and the layers in an attribute, which may be a list, tuple or dictionary of such."""
    variables, layers = [], []
    _collect(value, variables, layers, set())
    return variables, layers


def _with_others(value, instead, around):
    """`value` with other objects, {id of one: the other}, in lists, tuples, dictionaries and seed generators.

    around: the ids of the lists and dictionaries that it is in.
    """
    if id(value) in instead:
        return instead[id(value)]
    if isinstance(value, SeedGenerator) and id(value.state) in instead:
        generator = copy.copy(value)
        generator.state = instead[id(value.state)]
        return generator
    if not isinstance(value, (list, tuple, dict)) or id(value) in around:
        return value
    around = around | {id(value)}
    parts = list(value.values() if isinstance(value, dict) else value)
    others = [_with_others(part, instead, around) for part in parts]
    if all(part is other for part, other in zip(parts, others)):
        return value
    if isinstance(value, tuple):
        return type(value)(*others) if hasattr(value, '_fields') else type(value)(others)
    made = copy.copy(value)
    for key, other in zip(value if isinstance(value, dict) else range(len(others)), others):
        made[key] = other
    return made


def _free(name, taken):
    """`name`, with a number where it is taken."""
    number, found = 0, name
    while found in taken:
        number += 1
        found = '%s_%d' % (name, number)
    return found


def _unique(variables):
    return list({id(variable): variable for variable in variables}.values())


def dtype_name(dtype):
    if isinstance(dtype, dict):
        dtype = dtype.get('config', dtype).get('name', dtype)
    name = dtype_named(getattr(dtype, 'name', dtype))
    if name in FLOATS or name in ('bool', 'string', 'complex64', 'complex128'):
        return str(name)
    return np.dtype(name).name


class _Order(threading.local):
    """Per thread: whether weights stand where their layers listed them, whatever became of their `trainable` since."""
    as_listed = False


_order = _Order()


def _as_listed(function):
    """What `function` gives while weights stand where their layers listed them."""
    before, _order.as_listed = _order.as_listed, True
    try:
        return function()
    finally:
        _order.as_listed = before


# How often `trainable` of a layer was set, so that models know when to look again.
_trainable_set = [0]


def trainable_changes():
    return _trainable_set[0]


# How often weights of layers were quantized or given low-rank updates, so that what was compiled is made anew.
_adapters_changed = [0]


def adapter_changes():
    return _adapters_changed[0]


def change_adapters():
    """Note that weights read otherwise from now on."""
    _adapters_changed[0] += 1
    _trainable_set[0] += 1


def shape_may_be_first(add_weight):
    """A decorator for `add_weight`, so that it takes a shape in the place of the name.

    Keras 1 and 2.0 went on with (initializer, name, ...), Keras 3 with (initializer, dtype, trainable, ...): what
    follows the initializer is told by its type.
    """
    @functools.wraps(add_weight)
    def wrapper(self, *args, **kwargs):
        if args and isinstance(args[0], str) and self.ruled('flags_are_given_by_name'):
            raise ValueError('Layer %s: add_weight: the name is a keyword argument: add_weight(name=%r, shape=...); '
                             'what comes first is the shape.' % (self.name, args[0]))
        if len(args) > 3 and self.ruled('flags_are_given_by_name'):
            raise TypeError('Layer %s: add_weight takes at most 3 positional arguments (shape, initializer, dtype). '
                            'Received: %r. Give the others by name.' % (self.name, args))
        if args and args[0] is not None and not isinstance(args[0], str):
            if 'shape' in kwargs:
                raise ValueError('Layer %s: add_weight: `shape` was passed both positionally and as a keyword '
                                 'argument. Received: %r and shape=%r' % (self.name, args[0], kwargs['shape']))
            kwargs = dict(_told_by_type(self, args[1:]), shape=args[0], **kwargs)
            args = ()
        return add_weight(self, *args, **kwargs)
    return wrapper


def _told_by_type(layer, args):
    """{argument: value} of what follows a shape that comes first."""
    from keras.constraints import Constraint
    from keras.regularizers import Regularizer
    found = {'initializer': args[0]} if args else {}
    for value in args[1:]:
        if isinstance(value, bool):
            found['autocast' if 'trainable' in found else 'trainable'] = value
        elif isinstance(value, str):
            found['dtype' if _names_dtype(value) else 'name'] = value
        elif isinstance(value, (Regularizer, Constraint)):
            found['regularizer' if isinstance(value, Regularizer) else 'constraint'] = value
        elif value is not None:
            raise TypeError('Layer %s: add_weight(shape, initializer, ...) takes further arguments by name. Received: '
                            '%r.' % (layer.name, value))
    return found


def _names_dtype(text):
    """Whether `text` is the name of a dtype; NumPy has letters for them, too, which names of weights may be."""
    try:
        return dtype_name(text) == text
    except TypeError:
        return False


def untracked(method):
    """A decorator for methods: layers and variables in attributes that the method sets are no parts of the layer."""
    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        before = dict(self.__dict__)
        result = method(self, *args, **kwargs)
        names = {name for name, value in self.__dict__.items() if before.get(name, wrapper) is not value}
        self._untracked = self._untracked.union(names)
        return result
    return wrapper


_WEIGHTS_OF_LAYERS = ('kernel', 'bias', 'gamma', 'beta', 'moving_mean', 'moving_variance', 'embeddings',
                      'recurrent_kernel', 'depthwise_kernel', 'pointwise_kernel')


def _is_tensor(value):
    if value is None or isinstance(value, Stored):  # as nearly always, and before there is an engine
        return False
    return isinstance(value, AbstractTensor) or is_native(value)


def _generators_in(attributes):
    """The seed generators among attributes, in their order; containers may hold themselves."""
    found, seen, stack = [], set(), list(attributes.values())[::-1]
    while stack:
        value = stack.pop()
        if isinstance(value, SeedGenerator):
            found.append(value)
        elif type(value) in _CONTAINERS and value and id(value) not in seen:
            seen.add(id(value))
            stack.extend(reversed(list(value.values() if type(value) is dict else value)))
    return found


class Substitute(Stored):
    """Reads like a weight: a tensor that a script has put in the place of one, by `layer.kernel = tensor`."""

    trainable = False
    constraint = regularizer = layout = None

    def __init__(self, tensor, name):
        self._tensor, self.name, self.path = tensor, name, name
        self.shape, self.dtype = tuple(tensor.shape), dtype_of(tensor)

    @property
    def value(self):
        return value_of(self._tensor) if isinstance(self._tensor, KerasTensor) else self._tensor


class _NeverLocked:
    """What Keras 3's layers keep a record of their weights by, which its subclasses unlock to add more."""
    locked = False

    def unlock(self):
        """Allow new weights, which are allowed anyway."""

    def lock(self, msg=None):
        """Forbid them in Keras 3, whose record would miss them; here nothing can be missed."""


def _has_own_weights(cls):
    """Whether a class says by itself which weights there are."""
    return _has_own_kinds(cls) or not getattr(cls.weights, 'fget', _has_own_kinds).__module__.startswith('keras.')


def _has_own_kinds(cls):
    """Whether a class says by itself which weights are trained."""
    return cls.trainable_weights is not WeightOwner.trainable_weights \
        or cls.non_trainable_weights is not WeightOwner.non_trainable_weights


def _is_walked_as_ours(cls):
    """Whether what is inside of a layer follows from its attributes, for all that the class says."""
    return all(getattr(found, '__module__', '').startswith('keras.') for found in (
        getattr(cls._layers, 'fget', None), cls.own_layers, cls.own_parts, cls._own_weights, cls.walk_layers))


def _right_inside(layer):
    """The layers in a layer: those that its class lists, where it does. A list of its own may not be of all of them."""
    return layer.own_layers() if '_layers' in layer.__dict__ else layer._layers


class WeightOwner:
    """The part of `Layer` that concerns weights."""

    # Whether setting `trainable` always sets it on the layers inside, too.
    trainable_reaches_inside = False
    # The layer that this one is a copy of, for plans, see `Layer.in_channels_first`.
    copy_of = None
    # Attributes in which weights and layers are not looked for.
    _untracked = _UNTRACKED

    # Whether hooks of the engine's library run around calls.
    hooked = False

    def types_of_cells(self):
        """In which types weights of layers inside, as of cells, read in the layer's own, even where its own are so."""
        return ()

    def take_hooks(self):
        """Have calls run the hooks of the engine's library, in graphs and steps, too."""
        self.hooked, self._direct_dtype = True, None
        change_adapters()

    def named_weights(self):
        """{name: weight} of the weights that the layer has itself, for the engine's library."""
        found = {}
        for weight in self.own_variables_in_order():
            found[_free(weight.path.rpartition('/')[2].replace('.', '_'), found)] = weight
        return found

    def named_parts(self):
        """{name: layer} of the layers right inside, for the engine's library.

        What stands in an attribute goes by its name, anything else by the name that it was given; numbers that Keras
        gave count within the layer, so that names do not depend on what else a program has made.
        """
        attributes = {id(value): name for name, value in vars(self).items() if isinstance(value, WeightOwner)}
        found = {}
        for part in _right_inside(self):
            name = attributes.get(id(part))
            if name is None:
                given = self.words_of(type(part).__name__)
                automatic = re.match(re.escape(given) + r'(_\d+)?$', part.name)
                name = _free((given if automatic else part.name).replace('.', '_').replace('/', '_'),
                             set(found).union(vars(self)))
            found[name] = part
        return found

    def tracked_by_name(self):
        """{name: variable or layer} of all that a checkpoint of the engine's library has to keep."""
        found = dict(self.named_weights())
        for name, part in self.named_parts().items():
            found[_free(name, found)] = part
        for generator in _generators_in(vars(self)):
            found[_free('seed', found)] = generator.state
        return found

    def copy_apart(self, **attributes):
        """A copy with other attributes, for `replace_parts`; what is noted of the layer it finds for itself."""
        own = {name: copy.copy(value) for name, value in self.__dict__.items() if isinstance(value, (list, dict))}
        return self.copy_with(_direct_dtype=None, _direct_shape=None, **dict(own, **attributes))

    def states_by_name(self):
        """{name: variable} of what the layer keeps from call to call and is neither a weight nor of a generator."""
        return {}

    def replace_parts(self, instead):
        """Have other weights and layers in the place of those that the attributes hold: {id of one: the other}.

        A seed generator whose state is another becomes a copy that has it.
        """
        for name, value in list(self.__dict__.items()):
            if name != 'copy_of' and type(value) not in PLAIN:
                self.__dict__[name] = _with_others(value, instead, set())

    def modules_of_library(self):
        """{name: module} of the engine's library that the layer is made of, and nothing else."""
        return {}

    def compute_in(self, before, dtype):
        """Keep weights and compute in the float type `dtype` instead of that `before`, from now on."""
        from keras import dtype_policies
        self.take_policy(dtype_policies.get(dtype))
        change_adapters()

    def layer_of_module(self, module):
        """What stands for a module of PyTorch that is set as an attribute: in Keras 3's generation a layer."""
        if not self.ruled('modules_of_torch_are_layers'):
            return module
        return kind_in('keras.layers').find('TorchModuleWrapper')(module)

    def start_weights(self):
        self._built = self._was_built = False
        self._trainable = True
        self._trainable_weights, self._non_trainable_weights = [], []
        self._initial_weights = None
        self._noted = Noted()

    def accept_substitutes(self):
        """Let tensors that a script has put in the place of weights read like those. Whether there are such."""
        found = [name for name in _WEIGHTS_OF_LAYERS if name in vars(self) and _is_tensor(vars(self)[name])]
        for name in found:
            vars(self)[name] = Substitute(vars(self)[name], name)
        for weights in (self._trainable_weights, self._non_trainable_weights):
            weights[:] = [weight for weight in weights if isinstance(weight, Variable)]
        return bool(found)

    def has_frozen_weights(self):
        """Whether the layer has weights of its own that `fit` leaves alone, whether it is trainable or not."""
        return bool(self._non_trainable_weights) or bool(self._own_weights()[1])

    def list_weight(self, variable, trainable, first=False):
        """Count `variable` among the weights, as the first or the last one."""
        weights = self._trainable_weights if trainable else self._non_trainable_weights
        weights.insert(0 if first else len(weights), variable)

    def unlist_weight(self, variable):
        """Count it among them no more."""
        for weights in (self._trainable_weights, self._non_trainable_weights):
            weights[:] = [weight for weight in weights if weight is not variable]

    def __delattr__(self, name):
        value = vars(self).get(name)
        super().__delattr__(name)
        if isinstance(value, Variable):
            self.unlist_weight(value)

    def weights_made(self):
        return self._trainable_weights + self._non_trainable_weights

    def forget_replaced(self, before):
        """Forget those of the weights `before` that building anew has put others in the place of."""
        if before:
            gone = set(map(id, before)) - set(map(id, self.own_parts()[0]))
            for weights in (self._trainable_weights, self._non_trainable_weights):
                weights[:] = [weight for weight in weights if id(weight) not in gone]

    def add_variable(self, shape, initializer, dtype=None, trainable=True, autocast=True, regularizer=None,
                     constraint=None, name=None):
        """`add_weight` under the name and with the order of arguments that Keras 3 has beside it."""
        return self.add_weight(name=name, shape=shape, dtype=dtype, initializer=initializer, regularizer=regularizer,
                               trainable=trainable, constraint=constraint, autocast=autocast)

    @shape_may_be_first
    def add_weight(self, name=None, shape=None, dtype=None, initializer=None, regularizer=None, trainable=True,
                   constraint=None, layout=None, autocast=True, **kwargs):
        """A new weight.

        Args:
            name: its name. shape: tuple of ints, default (). dtype: default that of the layer. The shape may come
                first, followed by the initializer, as in Keras 1, 2.0 and 3.
            initializer: name, object or function (shape, dtype); default Glorot uniform for floats, zeros else.
            regularizer: adds to the loss. trainable: whether `fit` changes it.
            constraint: applied after each update.
            autocast: whether it reads in the type of the computation where that is another one.
            layout: 'conv_kernel' for (spatial..., in, out) kernels, 'depthwise_kernel' for those of one channel each.

        Where the layer declares arguments `NAME_initializer`, `NAME_regularizer` and `NAME_constraint` for the weight
        (for the weight `recurrent_kernel` also `recurrent_initializer`), they are taken for what is not given.

        Returns:
            A `Variable`; its value is made when it is first needed.
        """
        from keras import constraints, initializers, regularizers
        in_call = self.built and calls.losses is not None and not self.runs_build
        if in_call and self.ruled('call_makes_no_weights'):
            raise ValueError('Layer %s: You cannot add new elements of state (variables or sub-layers) to a layer that '
                             'is already built: `call` makes the weight %r. Make it in `build`.' % (self.name, name))
        if in_call and name is not None and any(
                weight.path.endswith('%s/%s' % (self.name, name)) for weight in self.weights_made()):
            raise ValueError('Layer %s: `call` makes the weight %r anew in every run. Make it in `build`, or once: '
                             'where the attribute that holds it is None.' % (self.name, name))
        dtype = dtype_name(dtype) if dtype is not None else self.variable_dtype
        initializer, regularizer, constraint = self._with_declared(name, initializer, regularizer, constraint)
        if initializer is None:
            initializer = 'glorot_uniform' if is_float(dtype) else 'zeros'
        variable = Variable(initializers.delayed(initializer, name), shape=() if shape is None else shape, dtype=dtype,
                            trainable=trainable, name=name, constraint=constraints.get(constraint),
                            layout=layout, autocast=autocast)
        scope = '/'.join(current_names())
        variable.path = '/'.join(filter(None, [scope, self.path_of_weights(), variable.name]))
        if self.ruled('weight_names_in_full'):
            variable.name = '/'.join(filter(None, [scope, self.name, variable.name])) + ':0'
        variable.regularizer = regularizers.get(regularizer)
        (self._trainable_weights if trainable else self._non_trainable_weights).append(variable)
        if type(self)._add_variable_with_custom_getter is WeightOwner._add_variable_with_custom_getter:
            return variable
        return read_as_wrapped(variable, lambda getter: self._add_variable_with_custom_getter(
            name=name, getter=getter, shape=variable.shape, dtype=dtype, trainable=trainable, initializer=initializer))

    def _add_variable_with_custom_getter(self, name, getter=None, **given):
        # Layers written for tf.keras override it, see `wrapped_weights`.
        return getter(name=name, **given)

    def _with_declared(self, weight, *given):
        """The initializer, regularizer and constraint of a weight, from the layer's arguments where they are None."""
        arguments = declared_arguments(type(self))
        name = str(weight)
        prefixes = (name, name[:-len('_kernel')]) if name.endswith('_kernel') else (name,)
        for place, what in enumerate(('initializer', 'regularizer', 'constraint')):
            found = [prefix + '_' + what for prefix in prefixes if prefix + '_' + what in arguments]
            yield getattr(self, found[0]) if given[place] is None and found else given[place]

    def own_parts(self):
        """Variables and layers that are attributes of this layer, also within lists, tuples and dictionaries."""
        parts = self.parts_seen()
        if parts.found is None:
            parts.found = self._look_for_parts()
        return list(parts.found[0]), list(parts.found[1])

    def parts_seen(self):
        """The `Parts` in which is kept what the attributes hold, as long as they are as they are now."""
        noted = self.__dict__.get('_noted')
        if noted is None:  # no `__init__` of ours has run
            return Unnoted()
        seen = noted.parts
        if seen is None or not seen.hold(self.__dict__):
            noted.asked += 1
            seen = noted.parts = Parts(self.__dict__, _WITHOUT_PARTS) if noted.asked > 2 else Unnoted()
        return seen

    def tree_seen(self):
        """The `Tree` of this layer where it is known and nothing in it has changed, else None."""
        noted = self.__dict__.get('_noted')
        known = None if noted is None else noted.tree
        return known if known is not None and known.holds(self) else None

    def _look_for_parts(self):
        variables, layers, seen = [], [], set()
        for name, value in self.__dict__.items():
            if type(value) in _without_weights or name in self._untracked:
                continue
            known = len(variables)
            _collect(value, variables, layers, seen)
            for variable in variables[known:]:
                if variable.is_adopted:
                    self._adopt(variable, name)
        if not all(map(self._counts, variables)):
            variables = list(filter(self._counts, variables))
        return variables, layers

    def _adopt(self, variable, attribute):
        """Give a variable that is not Keras's a name, and say where it does not count."""
        if variable.path == variable.name:  # as adopted: no layer has it yet
            variable.name = attribute if variable.name == 'Variable' else variable.name
            variable.path = '/'.join([self.name, variable.name])
            if self.ruled('weight_names_in_full'):
                variable.name = variable.path + ':0'
            if not self._counts(variable) and variable.trainable:
                warnings.warn('Layer %s: the attribute %r is a variable of the engine, which is no weight of the layer '
                              'in Keras 3: it is not trained and not saved. Make it with self.add_weight, or use the '
                              'generation of tf.keras (KERAS_GENERATION=tf), where it is one.'
                              % (self.name, attribute), stacklevel=2)

    def _counts(self, variable):
        return not variable.is_adopted or self.ruled('variables_of_engine_are_weights')

    @yielding
    def _call_has_training_arg(self):
        return signature_of(type(self)).takes_training

    @yielding
    def _call_has_mask_arg(self):
        return signature_of(type(self)).takes_mask

    @yielding
    def _layers(self):
        return self.own_layers()

    def own_layers(self):
        """The layers right inside of this one."""
        return self.own_parts()[1]

    def _flatten_layers(self, include_self=True, recursive=True):
        """This layer and those inside it, as packages built on tf.keras and Keras 3 ask for them."""
        found = self.walk_layers() if recursive else [self] + _right_inside(self)
        return found if include_self else found[1:]

    @yielding
    def submodules(self):
        """All layers inside this one, a tuple, under tf.keras's name."""
        return tuple(self.walk_layers()[1:])

    @yielding
    def name_scope(self):
        """A `with` block in which variables are made below the name of the layer, as of `tf.Module`."""
        return scope_of_names(self.name)

    def finalize_state(self):
        """Called where tf.keras would make tables of what `adapt` has learned; by itself it does nothing."""

    def walk_layers(self):
        """This layer and all layers inside it, each once."""
        known = self.tree_seen()
        if known is not None:
            return [self] + known.inside
        found, stack, seen = [], [self], set()
        while stack:
            layer = stack.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            found.append(layer)
            stack.extend(reversed(_right_inside(layer)))
        self._note_tree(found)
        return list(found)

    def _note_tree(self, layers):
        """Keep `layers`, this one first, as its `Tree`, where that is possible; gives it."""
        noted = self.__dict__.get('_noted')
        if noted is None:
            return None
        known = noted.tree = tree_of(layers) if all(map(_is_walked_as_ours, set(map(type, layers)))) else None
        return known

    def _own_weights(self):
        variables, layers = self.own_parts()
        listed = set(map(id, self.weights_made()))
        loose = [variable for variable in variables if id(variable) not in listed]
        listed, set_apart = [], []
        for weight in self._trainable_weights:
            (listed if _order.as_listed or getattr(weight, 'trainable', True) else set_apart).append(weight)
        trainable = listed + [variable for variable in loose if variable.trainable]
        frozen = set_apart + self._non_trainable_weights + [variable for variable in loose if not variable.trainable]
        return trainable, frozen, layers

    @property
    def trainable_weights(self):
        """The weights that `fit` changes; none if the layer is not trainable."""
        return self._kinds_inside()[0] if self._trainable else []

    @trainable_weights.setter
    def trainable_weights(self, weights):
        self._trainable_weights = list(weights)

    @property
    def non_trainable_weights(self):
        """The weights that `fit` leaves alone, or that the layer itself updates."""
        trained, others = self._kinds_inside()
        return others if self._trainable else trained + others

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights):
        self._non_trainable_weights = list(weights)

    def _kinds_inside(self):
        """(trainable weights, the others), which one walk finds both."""
        visited = []
        trainable, others = self.remembered('kinds', lambda: self._look_for_kinds(visited), visited)
        return list(trainable), list(others)

    def remembered(self, what, find, visited=None):
        """What `find` gives, which follows from this layer and those inside and is kept until one of them changes.

        Args:
            visited: list that `find` fills with those layers where nobody has walked to them yet.
        """
        known, key = self.tree_seen(), (what, trainable_variables_changes(), _order.as_listed)
        found = None if known is None else known.facts.get(key)
        if found is not None:
            return found
        found = find()
        if known is None:
            known = self._note_tree(list({id(layer): layer for layer in visited}.values()) if visited else
                                    self.walk_layers())
        if known is not None and not any(map(_has_own_weights, set(map(type, [self] + known.inside)))):
            known.facts = {other: fact for other, fact in known.facts.items() if other[1:] == key[1:]}
            known.facts[key] = found
        return found

    def _look_for_kinds(self, visited):
        visited.append(self)
        trainable, frozen, layers = self._own_weights()
        if not self._trainable and self.ruled('parts_say_what_is_trained'):
            trainable, frozen = [], trainable + frozen
        for layer in layers:
            of_layer = layer._kinds(visited)
            trainable, frozen = trainable + of_layer[0], frozen + of_layer[1]
        if not self._trainable and not self.ruled('parts_say_what_is_trained'):
            trainable, frozen = [], trainable + frozen
        trainable = _unique(trainable)
        # A weight that several layers have is trained where one of them is.
        return trainable, _unique(trainable + frozen)[len(trainable):]

    def _kinds(self, visited=None):
        if _has_own_kinds(type(self)):
            if visited is not None:
                visited.extend(self.walk_layers())
            return self.trainable_weights, self.non_trainable_weights
        return self._kinds_inside() if visited is None else self._look_for_kinds(visited)

    @property
    def weights(self):
        """All weights: the trainable ones, then the others; in Keras 3 those of the layer, then those of each inside.

        Setting `trainable` of a weight does not move it.
        """
        if not self.ruled('weights_part_by_part') or not self.own_parts()[1]:
            return self.weights_by_kind
        return list(self.remembered('weights', lambda: _unique(self.own_variables_in_order() + [
            weight for layer in self.own_parts()[1] for weight in layer.weights])))

    @property
    def weights_by_kind(self):
        """The weights as HDF5 files have them: the trainable ones first, inside of nested models, too."""
        found = self._both_kinds()
        if _order.as_listed or not any(getattr(weight, 'made_trainable', False) and not weight.trainable
                                       for weight in found):
            return found
        return _as_listed(self._both_kinds)

    def _both_kinds(self):
        trainable, frozen = self._kinds()
        return trainable + frozen

    @property
    def trainable_variables(self):
        return self.trainable_weights

    @property
    def non_trainable_variables(self):
        trained = set(map(id, self.trainable_weights))
        return [variable for variable in self.variables if id(variable) not in trained]

    # --- in files of Keras 3's formats

    def saved_parts(self):
        """{attribute: layer, seed generator, or list or dictionary of them} of what is saved along."""
        return {name: value for name, value in self.__dict__.items()
                if name not in self._untracked and type(value) not in PLAIN}

    def _track_trackable(self, trackable, name, overwrite=False):
        # So wrappers written for tf.keras (those of TensorFlow Model Optimization) say what is inside of them.
        if overwrite or name not in self.__dict__:
            setattr(self, name, trackable)
        return trackable

    # By these names subclasses written for Keras 3 find the weights that are their own.
    _trainable_variables = property(lambda self: [v for v in self.own_variables_in_order() if v.made_trainable])
    _non_trainable_variables = property(lambda self: [v for v in self.own_variables_in_order() if not v.made_trainable])

    # And so they change which these are. Weights may come and go at any time here: there is nothing to unlock.
    _tracker = _NeverLocked()

    def _track_variable(self, variable):
        self.list_weight(variable, variable.trainable)

    def _untrack_variable(self, variable):
        self.unlist_weight(variable)

    def own_variables_in_order(self):
        """The weights that are its own and not of layers inside, those for training first."""
        trainable, frozen, _ = _as_listed(self._own_weights)
        return _unique(trainable + frozen)

    def save_own_variables(self, store):
        """Write the weights that are its own: `store[name] = array`, by default under '0', '1', ..."""
        for number, variable in enumerate(self.own_variables_in_order()):
            store[str(number)] = variable

    def load_own_variables(self, store):
        """Set what `save_own_variables` wrote, from a dictionary of arrays.

        Raises:
            ValueError: for another number of arrays, or another shape.
        """
        variables = self.own_variables_in_order()
        if len(store) != len(variables):
            raise ValueError('Layer %s has %d weights of its own (%s). Received %d arrays: %s.%s' % (
                self.name, len(variables), ', '.join(variable.name for variable in variables), len(store),
                ', '.join(map(str, store)), '' if self.built else ' The layer is not built yet.'))
        for number, variable in enumerate(variables):
            assign = variable.assign_new if getattr(store, 'gives_new_arrays', False) else variable.assign
            assign(store[str(number)])

    def loads_in_order(self):
        """Whether `load_own_variables` is the one that every layer has."""
        return type(self).load_own_variables is WeightOwner.load_own_variables

    @yielding
    def seed_generators(self):
        """The seed generators of this layer and of those inside it, in lists and dictionaries as well."""
        return self.generators_inside()

    def generators_inside(self):
        return [generator for layer in self.walk_layers() for generator in _generators_in(layer.__dict__)]

    @property
    def variables(self):
        """The weights and the states of the seed generators."""
        return _unique(self.weights + [generator.state for generator in self.generators_inside()])

    @property
    def trainable(self):
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        _trainable_set[0] += 1
        if self.ruled('trainable_reaches_weights'):
            self.tell_weights()
        if self.trainable_reaches_inside or self.ruled('trainable_reaches_inside'):
            for layer in _right_inside(self):
                layer.trainable = value

    def freeze_alone(self):
        """Say that the layer is not trainable, without touching the layers inside."""
        self._trainable = False
        _trainable_set[0] += 1

    def tell_weights(self):
        """Have the weights that the layer trains say whether it is trainable."""
        for weight in self._trainable_weights:
            weight.trainable = self._trainable

    def is_frozen(self):
        """Whether training leaves the layer alone. In a step of a compiled model this was settled by `compile`."""
        layer = self.copy_of or self
        return not layer._trainable if calls.frozen is None else id(layer) in calls.frozen

    def get_weights(self):
        """The values of the weights, as a list of NumPy arrays."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights):
        """Set the weights from a list of arrays in the order of `get_weights`.

        Raises:
            ValueError: if their number or a shape differs; then no weight is changed.
        """
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError('Layer %s: set_weights received %d arrays, the layer has %d weights: %s.%s'
                             % (self.name, len(weights), len(variables), [w.name for w in variables],
                                '' if self.built else ' The layer is not built yet: call it on an input first.'))
        arrays = [np.asarray(array) for array in weights]
        for variable, array in zip(variables, arrays):
            if array.shape != variable.shape:
                raise ValueError('Layer %s: weight %s has shape %s, the array given for it has shape %s.'
                                 % (self.name, variable.name, variable.shape, array.shape))
        for variable, array in zip(variables, arrays):
            variable.assign(array)

    def start_with(self, weights):
        """Set the weights to a list of arrays as soon as there are weights; None: nothing is to be set."""
        self._initial_weights = weights
        if self.built:
            self.take_initial_weights()

    def take_constraints(self):
        """Give weights the constraints that `build` put into a dictionary {weight: constraint}, as in Keras 1."""
        given = self.__dict__.get('constraints')
        if isinstance(given, dict) and given and all(isinstance(each, Variable) for each in given):
            from keras import constraints
            for variable, constraint in given.items():
                variable.constraint = constraints.get(constraint)

    def take_initial_weights(self):
        """Set the weights that were given beforehand, now that there are weights."""
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def count_params(self):
        """The number of scalars in the weights.

        Raises:
            RuntimeError: if the layer is not built.
        """
        if not self.built:
            raise RuntimeError('Layer %s has no weights yet, so they cannot be counted. Build it first: call it on an '
                               'input or give it an `input_shape`.' % self.name)
        return sum(weight.size for weight in self.weights)
