"""The protocol of tf.keras's `OptimizerV2`, by which optimizers of other people are written.

Such a class has hyperparameters (`_set_hyper`, `_get_hyper`), makes slots (`_create_slots`, `add_slot`) and updates one
variable at a time (`_resource_apply_dense`, `_resource_apply_sparse`), or changes what becomes of the gradients
(`_compute_gradients`, `_aggregate_gradients`, `apply_gradients`). Its methods get what the engine's own library takes
for variables (`Engine.native_variable`); while they run nothing stands between these and their values.
"""
import functools
import inspect
import numbers

import numpy as np

from keras import ops
from keras.backend.contract.context import at_once
from keras.backend.contract.ledger import Concretely, Stored
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import Variable, to_array
from keras.configurable import declared_arguments, plain
from keras.optimizers.schedules import LearningRateSchedule

_UPDATES = frozenset(['_resource_apply_dense', '_resource_apply_sparse'])
_WAY_OF_GRADIENTS = frozenset(['_compute_gradients', '_aggregate_gradients', 'apply_gradients'])
# What tf.keras calls the slots of the optimizers that both have.
_SLOTS = {'m': ('momentum',), 'v': ('velocity', 'norm'), 'vhat': ('velocity_hat',), 'rms': ('velocity',),
          'mg': ('average',), 'accum_grad': ('accumulator',), 'accum_var': ('delta_accumulator',)}


@functools.lru_cache(maxsize=None)
def parts_of_others(cls):
    """Those of the protocol's methods that a class has from outside of this package."""
    found = [(name, next(base for base in cls.__mro__ if name in vars(base))) for name in _UPDATES | _WAY_OF_GRADIENTS]
    return frozenset(name for name, definer in found if definer.__module__.partition('.')[0] != 'keras')


@functools.lru_cache(maxsize=1024)
def takes_rate(update_step):
    """Whether an `update_step` is given the learning rate, as in Keras 3: from tf.keras 2.11 on it is not."""
    kinds = [parameter.kind for parameter in inspect.signature(update_step).parameters.values()]
    return len(kinds) > 3 or inspect.Parameter.VAR_POSITIONAL in kinds


def ours(variables):
    """The variables, of those that the engine's own library made the ones that stand for them.

    Raises:
        TypeError: for what is no variable.
    """
    found = [variable if isinstance(variable, Stored) else get_engine().variable_of(variable)
             for variable in variables]
    strange = [variable for variable in found if not isinstance(variable, Stored)]
    if strange:
        raise TypeError('An optimizer changes variables: of Keras, or of TensorFlow where that is the engine. Received '
                        '%.200r. The usual cause: a tensor, or a parameter of another library: put its value into '
                        'keras.Variable(value).' % (strange[0],))
    return found


class GradientsFound:
    """Stands for the tape of a training step, whose gradients are known: `gradient(loss, variables)` gives them."""

    def __init__(self, variables, gradients):
        self._found = {id(variable): gradient for variable, gradient in zip(variables, gradients)}

    def gradient(self, target, sources, **_):
        return [self._found[id(variable)] for variable in sources]


def _dtype_name(dtype):
    return getattr(dtype, 'name', dtype)


class OptimizerProtocol:
    """What a subclass written for `OptimizerV2` calls and overrides; a part of `Optimizer`."""

    _use_locking = True
    _HAS_AGGREGATE_GRAD = True

    # --- hyperparameters ------------------------------------------------------------------------------------------

    def _set_hyper(self, name, value):
        """Keep a hyperparameter: a number, which may be changed later, a schedule or a function."""
        name = 'learning_rate' if name == 'lr' else name
        vars(self).setdefault('_hypers_set', set()).add(name)
        if name in declared_arguments(type(self)) and name != 'weight_decay':
            return setattr(self, name, value)
        hypers = vars(self).setdefault('_hyper', {})
        vars(self).pop(name, None)
        is_number = isinstance(value, (numbers.Number, np.ndarray)) or hasattr(value, 'dtype')
        if is_number and isinstance(hypers.get(name), Variable):
            hypers[name].assign(np.asarray(to_array(value), hypers[name].dtype))
        else:
            dtype = 'bool' if isinstance(value, bool) else self.rate_variable.dtype
            if isinstance(value, numbers.Integral) and not isinstance(value, bool):
                vars(self).setdefault('_hypers_whole', set()).add(name)
            hypers[name] = Variable(to_array(value), (), dtype, trainable=False, name=name) \
                if is_number and not isinstance(value, Variable) else value

    def _get_hyper(self, name, dtype=None):
        """The value of a hyperparameter; a schedule as it is."""
        value = self._kept_hyper(name)
        if isinstance(value, LearningRateSchedule):
            return value
        value = value() if callable(value) else value
        value = value.value if isinstance(value, Variable) else value
        return ops.convert_to_tensor(value) if dtype is None else ops.cast(value, _dtype_name(dtype))

    def _serialize_hyperparameter(self, name):
        """The value of a hyperparameter, given by its name or itself, as a config holds it."""
        value = self._kept_hyper(name) if isinstance(name, str) else name
        if callable(value) and not isinstance(value, LearningRateSchedule):
            value = value()
        value = plain(to_array(value)) if isinstance(value, Variable) or hasattr(value, 'dtype') else plain(value)
        whole = isinstance(name, str) and name in vars(self).get('_hypers_whole', ())
        return int(value) if whole and isinstance(value, float) and value.is_integer() else value

    def _kept_hyper(self, name):
        return self.rate_source if name in ('lr', 'learning_rate') else getattr(self, name)

    @property
    def hyper_variables(self):
        """The variables of the hyperparameters, the learning rate's not among them."""
        return [value for value in vars(self).get('_hyper', {}).values() if isinstance(value, Variable)]

    # What optimizers written for tf.keras from 2.11 on call.

    def _build_learning_rate(self, learning_rate):
        self.learning_rate = learning_rate
        return self.learning_rate

    def _var_key(self, variable):
        return id(ours([variable])[0])

    @property
    def _index_dict(self):
        return {id(variable): place for place, variable in enumerate(self.trained_variables)}

    def has_hyper(self, name):
        return name in vars(self).get('_hyper', ())

    def __getattr__(self, name):
        if name in vars(self).get('_hyper', ()):
            return vars(self)['_hyper'][name]
        raise AttributeError('%r object has no attribute %r' % (type(self).__name__, name))

    def __setattr__(self, name, value):
        if name in vars(self).get('_hyper', ()):
            self._set_hyper(name, value)
        else:
            super().__setattr__(name, value)

    def get_config(self):
        """The constructor's arguments; of a class written for `OptimizerV2`, no learning rate that it has not set."""
        config = super().get_config()
        if self.updates_by_parts() and not self.has_update() \
                and 'learning_rate' not in vars(self).get('_hypers_set', ()):
            config.pop('learning_rate', None)
        return {name: self._serialize_hyperparameter(name) if self.has_hyper(name) else value
                for name, value in config.items()}

    @property
    def _initial_decay(self):
        return self.decay

    @property
    def _iterations(self):
        return self.iterations

    @_iterations.setter
    def _iterations(self, value):
        vars(self)['iterations'] = value

    def _decayed_lr(self, var_dtype):
        """The learning rate of the next update, the schedule and the decay included."""
        return ops.cast(self.current_learning_rate(), _dtype_name(var_dtype))

    # --- slots ----------------------------------------------------------------------------------------------------

    def _create_slots(self, var_list):
        """Make the slots with `add_slot`; what a subclass overrides. Here, those that the optimizer has anyway."""
        unknown = [variable for variable in ours(var_list) if not self.knows(variable)]
        if unknown:
            self._create_all_weights(unknown)

    def _create_hypers(self):
        """Hyperparameters are made when they are set."""

    def _create_all_weights(self, var_list):
        self.build(var_list)

    def create_slots_of(self, variables):
        """Let a subclass make its slots for `variables`, which are new."""
        with Concretely():
            self._create_slots(list(map(get_engine().native_variable, variables)))

    def add_slot(self, var, slot_name, initializer='zeros', shape=None):
        """The slot of a variable called `slot_name`, made if there is none. `initializer` may be a tensor."""
        variable, slots = get_engine().variable_of(var), vars(self).setdefault('_added_slots', {})
        if not self.knows(variable):  # an optimizer around this one asks
            self.build([variable])
        key = slot_name, self.place_of(variable)
        if key not in slots:
            is_rule = callable(initializer) or isinstance(initializer, (str, dict))
            value = None if is_rule else to_array(initializer)
            shape = shape if shape is not None else variable.shape if is_rule else value.shape
            slots[key] = self.add_variable_from_reference(variable, slot_name, initializer if is_rule else 'zeros') \
                if tuple(shape) == variable.shape else self.add_variable(
                    shape, initializer if is_rule else 'zeros', variable.dtype,
                    name='%s_%s' % (variable.path.replace('/', '_').replace(':', '_'), slot_name))
            if not is_rule:
                slots[key].assign(value)
        return self._handed(slots[key], var)

    def get_slot(self, var, slot_name):
        """The slot of a variable, as a Keras variable or as the engine's own, whichever `var` is.

        Raises:
            KeyError: if there is none.
        """
        variable = get_engine().variable_of(var)
        key = slot_name, self.place_of(variable)
        found = vars(self).get('_added_slots', {}).get(key)
        if found is None:
            known = [name for name in (slot_name,) + _SLOTS.get(slot_name, ()) if name in self.live_slots()]
            if not known:
                raise KeyError('%s has no slot %r. It has: %s.' % (
                    type(self).__name__, slot_name, ', '.join(self.get_slot_names()) or 'none'))
            found = self.slots(known[0], [variable])[0]
        return self._handed(found, var)

    def _track_trackable(self, trackable, name, overwrite=False):
        """Take the state of an optimizer inside of this one for a part of it."""
        if isinstance(trackable, OptimizerProtocol):
            vars(self).setdefault('_inside', {})[name] = trackable

    @property
    def variables_inside(self):
        """The slots of the optimizers inside of this one."""
        return [variable for optimizer in vars(self).get('_inside', {}).values()
                for variable in optimizer.own_variables if variable is not optimizer.iterations
                and variable is not self.iterations]

    @property
    def _weights(self):
        return self.own_variables[:]

    def get_slot_names(self):
        """The names of the slots."""
        added = [name for name, _ in vars(self).get('_added_slots', {})]
        return list(dict.fromkeys(list(self.live_slots()) + added))

    @staticmethod
    def _handed(slot, var):
        return slot if isinstance(var, Variable) else get_engine().native_variable(slot)

    @property
    def _dense_apply_args(self):
        return list(inspect.signature(self._resource_apply_dense).parameters)

    @property
    def _sparse_apply_args(self):
        return list(inspect.signature(self._resource_apply_sparse).parameters)

    # --- updates --------------------------------------------------------------------------------------------------

    def updates_by_parts(self):
        """Whether a subclass updates one variable at a time as `OptimizerV2` has it."""
        return not _UPDATES.isdisjoint(parts_of_others(type(self)))

    def changes_gradients(self):
        """Whether a subclass says itself what becomes of the gradients of a training step."""
        return not _WAY_OF_GRADIENTS.isdisjoint(parts_of_others(type(self)))

    def follow(self, gradients, variables, loss=None):
        """One update by the gradients of a training step, by way of all that a subclass overrides."""
        if not self.changes_gradients():
            return self.apply(gradients, variables)
        pairs = self._compute_gradients(loss, variables, grad_loss=None, tape=GradientsFound(variables, gradients))
        return self.apply_gradients(pairs)

    def minimize(self, loss, var_list, grad_loss=None, name=None, tape=None):
        """One update that makes `loss` smaller, as tf.keras has it: `compute_gradients`, then `apply_gradients`.

        Args:
            loss: a function without arguments, or a tensor that was computed under `tape`.
            var_list: a list of variables, or a function that gives it. grad_loss: see `compute_gradients`.
            name: taken for older scripts; nothing is called by it.
        """
        return self.apply_gradients(self._compute_gradients(loss, var_list, grad_loss=grad_loss, tape=tape))

    def _compute_gradients(self, loss, var_list, grad_loss=None, tape=None):
        return self.compute_gradients(loss, var_list, grad_loss, tape)

    def _aggregate_gradients(self, grads_and_vars):
        return grads_and_vars

    def aggregated(self, pairs):
        """Pairs of (gradient, variable) after `_aggregate_gradients`, which gave gradients alone in TensorFlow 2.2."""
        found = list(self._aggregate_gradients(pairs))
        if any(not isinstance(each, (tuple, list)) for each in found):
            return list(zip(found, [variable for _, variable in pairs]))
        return found

    def update_by_parts(self, variables, gradients):
        """Update `variables` with the methods of a subclass."""
        engine = get_engine()
        takes_slices = '_resource_apply_sparse' in parts_of_others(type(self))
        inside = [variable for optimizer in vars(self).get('_inside', {}).values()
                  for variable in optimizer.read_variables]
        with engine.in_storage(list(variables) + self.state_variables + self.read_variables + inside), at_once():
            natives = list(map(engine.native_variable, variables))
            state = self._prepare(natives)
            for gradient, native in zip(gradients, natives):
                slices = engine.slices_of(gradient) if takes_slices else None
                if slices is None:
                    _with_state(self._resource_apply_dense, state)(gradient, native)
                else:
                    _with_state(self._resource_apply_sparse_duplicate_indices, state)(slices[0], native, slices[1])

    def _prepare(self, var_list):
        """{(device, dtype): {name: value}}: what `_prepare_local` computes once for all variables of a kind."""
        state = {}
        for key in dict.fromkeys(map(_place_and_dtype, var_list)):
            state[key] = {}
            self._prepare_local(key[0], key[1], state)
        return state

    def _prepare_local(self, var_device, var_dtype, apply_state):
        apply_state.setdefault((var_device, var_dtype), {})['lr_t'] = self._decayed_lr(var_dtype)

    def _fallback_apply_state(self, var_device, var_dtype):
        state = {(var_device, var_dtype): {}}
        self._prepare_local(var_device, var_dtype, state)
        return state[var_device, var_dtype]

    def _resource_apply_dense(self, grad, handle, apply_state=None):
        """Update one variable by the rule of the optimizer that a subclass extends."""
        variable = get_engine().variable_of(handle)
        rate = self.current_learning_rate()
        self.decay_weights([variable], rate)
        self.update([variable], [grad], rate)
        return variable.value

    def _resource_apply_sparse(self, grad, handle, indices, apply_state=None):
        rows = ops.segment_sum(grad, indices, num_segments=int(handle.shape[0]))
        return OptimizerProtocol._resource_apply_dense(self, rows, handle, apply_state)

    def _resource_apply_sparse_duplicate_indices(self, grad, handle, indices, **kwargs):
        """Update the rows `indices`, which come once each here."""
        return self._resource_apply_sparse(grad, handle, indices,
                                           **_taken(self._resource_apply_sparse, kwargs))

    @staticmethod
    def _resource_scatter_add(x, i, v):
        variable = get_engine().variable_of(x)
        variable.assign(variable.value + ops.segment_sum(v, i, num_segments=variable.shape[0]))
        return variable.value

    @staticmethod
    def _resource_scatter_update(x, i, v):
        variable = get_engine().variable_of(x)
        variable.assign(ops.scatter_update(variable.value, ops.expand_dims(i, -1), v))
        return variable.value


def _place_and_dtype(var):
    return getattr(var, 'device', ''), getattr(var.dtype, 'base_dtype', var.dtype)


def _taken(method, arguments):
    """Those of `arguments` that a method takes."""
    parameters = inspect.signature(method).parameters.values()
    is_open = any(each.kind is each.VAR_KEYWORD for each in parameters)
    return {name: value for name, value in arguments.items() if is_open or name in [each.name for each in parameters]}


def _with_state(method, state):
    """A method that updates a variable, with `apply_state` where it takes that."""
    return functools.partial(method, **_taken(method, {'apply_state': state}))
