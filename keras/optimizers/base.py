"""`Optimizer`: the learning rate, clipping, the slots, and everything else that is the same for all of them.

An optimizer is pure in the sense of the ledger: it reads `variable.value`, calls an update rule of
`keras.backend.composites.optimizers` on lists of variables, and assigns. Nothing here depends on an engine.

Where the generations disagree an optimizer is Keras 2's; `generation=3`, which `from_config` chooses for the
configs that Keras 3 writes, makes it Keras 3's (what that changes is said at each optimizer).
"""
import operator
import re
import warnings

import numpy as np

from keras import config, initializers, ops
from keras.backend.composites import optimizers as rules
from keras.backend.composites.shape import dtype_of
from keras.backend.engine import active
from keras.backend.primitives import cond
from keras.backend.state import Ledger, Variable, context, numpy_dtype
from keras.optimizers.graph import GraphUpdates, graph_making, symbolic_gradients, update_in_graph
from keras.optimizers.schedules import LearningRateSchedule
from keras.optimizers.schedules import deserialize as deserialize_schedule
from keras.optimizers.schedules import serialize as serialize_schedule

# Arguments that only Keras 3 has, with their defaults; they are written into configs where they differ.
LATER_ARGUMENTS = {'weight_decay': None, 'global_clipnorm': None, 'use_ema': False, 'ema_momentum': 0.99,
                   'ema_overwrite_frequency': None, 'loss_scale_factor': None, 'gradient_accumulation_steps': None}


class Optimizer:
    """Base class of the optimizers.

    Args:
        learning_rate: a float, a `LearningRateSchedule`, or a function without arguments. `lr` is its old name.
        decay: the learning rate of update i (counted from 0) is divided by `1 + decay * i`.
        clipnorm: scale the gradients down so that the norm of all of them together is at most this (with
            `generation=3`, the norm of each one). global_clipnorm: the norm of all of them, in either generation.
        clipvalue: cut every element of the gradients off at plus and minus this.
        weight_decay: before each update subtract `weight_decay * learning_rate` times its value from a variable.
        use_ema: keep moving averages of the variables; `finalize_variable_values` puts them in place.
        ema_momentum: their momentum. ema_overwrite_frequency: put them in place every that many updates.
        loss_scale_factor: the factor by which the loss was multiplied; gradients are divided by it.
        gradient_accumulation_steps: update once in that many calls, with the mean of their gradients.
        name: default the class's name in lower case.
        generation: 2 or 3, see the module.

    Raises:
        ValueError: for a negative argument or gradients without a variable. TypeError: for an unknown argument.

    A custom optimizer defines `build(variables)`, making its slots with `add_variable_from_reference`, and
    `update_step(gradient, variable, learning_rate)`.

    Example:
        >>> optimizer = keras.optimizers.SGD(learning_rate=0.1)
        >>> v = keras.Variable([1.0, 2.0])
        >>> optimizer.apply_gradients([(np.ones(2, 'float32'), v)])
        >>> v.numpy()
        array([0.9, 1.9], dtype=float32)
    """

    # The names of the slots, one variable each per model variable, in the order of Keras 2's weights.
    slot_names = ()
    # For optimizers defined by `get_updates`: what they set `weights` to, and the updates once they are built.
    _given_weights = _graph_updates = None

    def __init__(self, learning_rate=0.01, name=None, decay=0.0, clipnorm=None, clipvalue=None, generation=2, **kwargs):
        learning_rate = kwargs.pop('lr', learning_rate)
        for argument, default in LATER_ARGUMENTS.items():
            setattr(self, argument, kwargs.pop(argument, default))
        kwargs.pop('jit_compile', None)  # tf.keras 2.11 to 2.15 wrote these two into configs
        kwargs.pop('is_legacy_optimizer', None)
        if kwargs:
            raise TypeError('%s does not take the argument%s %s.' % (
                type(self).__name__, 's' if len(kwargs) > 1 else '', ', '.join(map(repr, sorted(kwargs)))))
        for argument, value in (('clipnorm', clipnorm), ('clipvalue', clipvalue), ('decay', decay)):
            if value is not None and value < 0:
                raise ValueError('%s: `%s` must be at least 0. Received: %r' % (type(self).__name__, argument, value))
        self.name = name or type(self).__name__.lower()
        self.generation = generation
        self.clipnorm, self.clipvalue = clipnorm, clipvalue
        self.decay = float(decay or 0.0)
        self.built = False
        self.iterations = Variable(0, dtype='int32', trainable=False, name='iterations')
        self._schedule = None
        self._rate = Variable(0.0, dtype=_scalar_dtype(), trainable=False, name='learning_rate')
        self._set_learning_rate(learning_rate)
        self._trained, self._places = [], {}
        self._slots = {slot: [] for slot in self.slot_names}
        self._own, self._averages, self._accumulated = [], [], []
        self._undecayed = (set(), ())
        self._warned = set()

    # --- the learning rate ----------------------------------------------------------------------------------------

    @property
    def learning_rate(self):
        """The variable that holds the learning rate; with a schedule, the value for the next update."""
        return self._rate if self._schedule is None else self._scheduled()

    @learning_rate.setter
    def learning_rate(self, value):
        self._set_learning_rate(value)

    lr = learning_rate

    def _set_learning_rate(self, value):
        if isinstance(value, dict):
            value = deserialize_schedule(value)
        if isinstance(value, Variable):
            self._schedule, self._rate = None, value
        elif callable(value):
            self._schedule = value
        else:
            self._schedule = None
            self._rate.assign(np.asarray(value, numpy_dtype(self._rate.dtype)))

    def _scheduled(self):
        if isinstance(self._schedule, LearningRateSchedule):
            return self._schedule(self.iterations.value)
        return self._schedule()

    def current_learning_rate(self):
        """The learning rate of the next update as a scalar, the decay included."""
        rate = self._rate.value if self._schedule is None else self._scheduled()
        if self.decay:
            rate = rate / (ops.cast(self.iterations.value, self._rate.dtype) * self.decay + 1.0)
        return rate

    def step_number(self):
        """The number of the update that is being made, 1 for the first, as a float scalar."""
        return ops.cast(self.iterations.value + 1, self._rate.dtype)

    # --- state ----------------------------------------------------------------------------------------------------

    def build(self, variables):
        """Make the slots for `variables`, those that training changes. Variables known already keep theirs."""
        if self._is_defined_by_get_updates():
            return self._build_updates(variables)
        fresh = [variable for variable in variables if id(variable) not in self._places]
        self.built = True
        if self.gradient_accumulation_steps and not self._accumulated:
            self._calls = self.add_variable((), 'zeros', 'int32', name='calls')
        for variable in fresh:
            self._places[id(variable)] = len(self._trained)
            self._trained.append(variable)
            for slot in self.live_slots():
                self._slots[slot].append(self._new_slot(variable, slot, self.slot_shape(slot, variable),
                                                        self.slot_initializer(slot)))
            if self.use_ema:
                self._averages.append(self._new_slot(variable, 'average'))
            if self.gradient_accumulation_steps:
                self._accumulated.append(self._new_slot(variable, 'gradient_accumulator'))

    def live_slots(self):
        """The names of the slots that the optimizer, with its arguments, uses."""
        return self.slot_names

    def slot_shape(self, slot, variable):
        """The shape of a slot of `variable`."""
        return variable.shape

    def slot_initializer(self, slot):
        return 'zeros'

    def _new_slot(self, reference, name, shape=None, initializer='zeros'):
        slot = Variable(initializers.delayed(initializer), reference.shape if shape is None else shape, reference.dtype,
                        trainable=False, name='%s_%s' % (reference.path.replace('/', '_').replace(':', '_'), name),
                        layout=reference.layout if shape in (None, reference.shape) else None)
        slot.path = '%s/%s' % (self.name, slot.name)
        return slot

    def add_variable_from_reference(self, reference_variable, name=None, initializer='zeros'):
        """A slot of the shape and dtype of `reference_variable`, for custom optimizers."""
        slot = self._new_slot(reference_variable, name or 'slot', None, initializer)
        self._own.append(slot)
        return slot

    def add_variable(self, shape, initializer='zeros', dtype=None, aggregation='none', name=None):
        """A variable of any shape, for custom optimizers."""
        slot = Variable(initializers.delayed(initializer), tuple(shape), dtype, trainable=False, name=name or 'slot')
        slot.path = '%s/%s' % (self.name, slot.name)
        self._own.append(slot)
        return slot

    @property
    def variables(self):
        """All variables of the optimizer's state that it uses, the number of updates first; see `learning_rate`."""
        if self._graph_updates is not None:
            return [target for target in self._graph_updates.targets if id(target) not in self._places]
        slots = [variable for slot in self.live_slots() for variable in self._slots[slot]]
        return [self.iterations] + self._own + slots + self._averages + self._accumulated

    @property
    def read_variables(self):
        """The variables that an update reads and leaves as they are."""
        return [self._rate] if self._schedule is None else []

    @property
    def weights(self):
        """The state in Keras 2's order, with the slots that Keras 2 has whether it uses them or not."""
        if self._given_weights is not None:
            return self._given_weights
        live, found = self.live_slots(), [self.iterations] + self._own
        for slot in self.slot_names:
            found.extend(self._slots[slot] if slot in live else self._unused(slot))
        return found + self._averages + self._accumulated

    @weights.setter
    def weights(self, variables):
        self._given_weights = list(variables)

    def _unused(self, slot):
        return [Variable(np.zeros(self.slot_shape(slot, variable)), dtype=variable.dtype, trainable=False,
                         name='%s_%s' % (variable.name, slot)) for variable in self._trained]

    def get_weights(self):
        """The values of `weights`, a list of NumPy arrays."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights):
        """Set the state from a list of arrays, as `get_weights` of this optimizer or of Keras 2's gives it.

        Raises:
            ValueError: if the number of arrays or a shape does not fit.
        """
        targets = self.weights
        if len(weights) != len(targets):
            targets = self.variables
        if len(weights) != len(targets):
            raise ValueError('%s has a state of %d arrays. Received: %d. The usual cause: the optimizer was not built '
                             'for the same variables; call build(model.trainable_variables) first.'
                             % (type(self).__name__, len(self.weights), len(weights)))
        for variable, value in zip(targets, weights):
            variable.assign(np.asarray(value).reshape(variable.shape) if variable is self.iterations else value)

    # --- updates --------------------------------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars):
        """One update from pairs of (gradient, variable)."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])

    def apply(self, grads, trainable_variables=None):
        """One update.

        Args:
            grads: a list of gradients, tensors or None where a variable does not influence the loss.
            trainable_variables: the variables they belong to, default those that `build` was given.
        """
        variables = self._trained if trainable_variables is None else trainable_variables
        if len(grads) != len(variables):
            raise ValueError('%s.apply: received %d gradients for %d variables.'
                             % (type(self).__name__, len(grads), len(variables)))
        variables, gradients = self._usable(variables, grads)
        if self._graph_updates is not None:
            return self._graph_updates(gradients)
        if self.loss_scale_factor is not None:
            gradients = [gradient / self.loss_scale_factor for gradient in gradients]
        if self.gradient_accumulation_steps:
            self._accumulate(variables, gradients)
        else:
            self._apply(variables, gradients)

    def _usable(self, variables, gradients):
        """The variables that have a gradient, and the gradients as tensors. All variables come as `_trained` itself."""
        if type(None) in map(type, gradients):
            variables, gradients = self._with_gradient(variables, gradients)
        if len(variables) == len(self._trained) and all(map(operator.is_, variables, self._trained)):
            variables = self._trained
        else:
            self._check_built(variables)
        native = active.native
        if not native.issuperset(map(type, gradients)):
            gradients = [gradient if type(gradient) in native else ops.convert_to_tensor(gradient)
                         for gradient in gradients]
        return variables, gradients

    def _with_gradient(self, variables, gradients):
        missing = [variable.path for variable, gradient in zip(variables, gradients) if gradient is None]
        if len(missing) == len(variables):
            raise ValueError('No gradients for any variable: %s. The usual cause: the loss does not depend on the '
                             'model, or goes through an operation without a gradient.' % ', '.join(missing))
        if not self._warned.issuperset(missing):
            self._warned.update(missing)
            them = 'it' if len(missing) == 1 else 'them'
            warnings.warn('No gradient for %s: the loss does not depend on %s, so training leaves %s as it is.'
                          % (', '.join(missing), them, them), stacklevel=5)
        pairs = [(variable, gradient) for variable, gradient in zip(variables, gradients) if gradient is not None]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def _check_built(self, variables):
        """Build for variables that are new; an error where slots can no longer be made."""
        unknown = [variable for variable in variables if id(variable) not in self._places]
        if unknown and self.built and context.ledger is not None:
            raise ValueError('%s was not built for the variable%s %s. Call build() with all variables that are to be '
                             'trained before the first step; after a change of `trainable`, compile again.' % (
                                 type(self).__name__, 's' if len(unknown) > 1 else '',
                                 ', '.join(variable.path for variable in unknown)))
        if unknown or not self.built:
            self.build(variables)

    def _apply(self, variables, gradients):
        gradients = self._clipped(gradients)
        rate = self.current_learning_rate()
        if self.weight_decay is not None:
            decayed = [variable for variable in variables if self._is_decayed(variable)]
            rules.decay_weights(decayed, float(self.weight_decay), rate)
        self.update(variables, gradients, rate)
        if self.use_ema:
            self._average(variables)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))
        self.iterations.assign(self.iterations.value + 1)

    def update(self, variables, gradients, learning_rate):
        """Update all `variables` (a list) at once; by default one after the other with `update_step`."""
        for variable, gradient in zip(variables, gradients):
            self.update_step(gradient, variable, learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable; what a custom optimizer defines."""
        raise NotImplementedError('%s defines neither `update_step(gradient, variable, learning_rate)` nor `update`.'
                                  % type(self).__name__)

    def slots(self, slot, variables):
        """The variables of the slot called `slot` that belong to `variables`, a list."""
        found = self._slots[slot]
        if variables is self._trained:
            return found
        return [found[self._places[id(variable)]] for variable in variables]

    def _clipped(self, gradients):
        if self.clipnorm:
            clip = rules.clip_by_norm if self.generation == 3 else rules.clip_by_global_norm
            gradients = clip(gradients, float(self.clipnorm))
        if self.global_clipnorm:
            gradients = rules.clip_by_global_norm(gradients, float(self.global_clipnorm))
        if self.clipvalue:
            gradients = rules.clip_by_value(gradients, float(self.clipvalue))
        return gradients

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Leave variables out of the weight decay: those in `var_list`, and those whose name matches `var_names`."""
        self._undecayed = ({id(variable) for variable in var_list or ()}, tuple(var_names or ()))

    def _is_decayed(self, variable):
        excluded, names = self._undecayed
        return id(variable) not in excluded and not any(re.search(name, variable.path) for name in names)

    # --- as a part of a graph ---------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if 'get_updates' in cls.__dict__:
            cls.get_updates = graph_making(cls.__dict__['get_updates'])

    def get_gradients(self, loss, params):
        """The gradients of the symbolic `loss` by the variables `params`, clipped, as symbolic tensors.

        Raises:
            ValueError: for a variable on which the loss does not depend.
        """
        found = symbolic_gradients(loss, params)
        if self.clipnorm:
            norm = ops.sqrt(sum([ops.sum(ops.square(gradient)) for gradient in found], 0.0))
            found = [clip_norm(gradient, self.clipnorm, norm) for gradient in found]
        if self.clipvalue:
            found = [ops.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in found]
        return found

    def get_updates(self, loss, params):
        """One update of the variables `params` that lowers the symbolic `loss`, for `K.function(..., updates=...)`.

        An optimizer may also be defined by overriding this method, as in Keras 2.
        """
        self.build(params)
        return [update_in_graph(self, list(params), symbolic_gradients(loss, params))]

    def _is_defined_by_get_updates(self):
        return type(self).get_updates is not Optimizer.get_updates

    def _build_updates(self, variables):
        self._graph_updates = GraphUpdates(self, list(variables))
        self._trained, self.built = list(variables), True
        self._places = {id(variable): place for place, variable in enumerate(self._trained)}

    # --- accumulation and averages ----------------------------------------------------------------------------------

    def _accumulate(self, variables, gradients):
        """Add to the accumulated gradients; every so many calls, make the update they call for."""
        count = int(self.gradient_accumulation_steps)
        sums = [self._accumulated[self._places[id(variable)]] for variable in variables]
        totals = [total.value + gradient for total, gradient in zip(sums, gradients)]
        due = ops.equal(ops.mod(self._calls.value + 1, count), 0)

        def update():
            self._apply(variables, [total / float(count) for total in totals])
        update_if(due, update, self._state_of(variables))
        for slot, total in zip(sums, totals):
            slot.assign(ops.where(due, ops.zeros_like(total), total))
        self._calls.assign_add(1)

    def _state_of(self, variables):
        """Everything that an update of `variables` may assign."""
        return list({id(variable): variable for variable in self.variables + list(variables)}.values())

    def _average(self, variables):
        first = ops.cast(ops.equal(self.iterations.value, 0), self._rate.dtype)
        momentum = (1.0 - first) * self.ema_momentum
        frequency = self.ema_overwrite_frequency
        due = None if frequency is None else ops.equal(ops.mod(self.iterations.value + 1, int(frequency)), 0)
        for variable in variables:
            slot = self._averages[self._places[id(variable)]]
            keep = momentum if self._rate.dtype == variable.dtype else ops.cast(momentum, variable.dtype)
            average = slot.assign(slot.value * keep + variable.value * (1.0 - keep))
            if due is not None:
                variable.assign(ops.where(due, average, variable.value))

    def finalize_variable_values(self, var_list=None):
        """Put the moving averages in the place of the variables, where `use_ema` keeps them."""
        if not self.use_ema:
            return
        for variable in self._trained if var_list is None else var_list:
            variable.assign(self._averages[self._places[id(variable)]].value)

    def scale_loss(self, loss):
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        """One update of given values; nothing is changed.

        Args:
            optimizer_variables: values of `variables`. grads: gradients. trainable_variables: values of the variables
                that `build` was given.

        Returns:
            The new values of the trained variables, and those of the optimizer.
        """
        variables = self.variables + self._trained
        with holding(variables, list(optimizer_variables) + list(trainable_variables)) as ledger:
            self.apply(grads, self._trained)
        return [ledger.read(v) for v in self._trained], [ledger.read(v) for v in self.variables]

    # --- configuration ------------------------------------------------------------------------------------------------

    def get_config(self):
        """The constructor's arguments; those that only Keras 3 has where they are not the default."""
        rate = self._rate
        arguments = {'learning_rate': float(rate.numpy()) if self._schedule is None
                     else serialize_schedule(self._schedule)}
        for argument in ('clipnorm', 'clipvalue'):
            if getattr(self, argument) is not None:
                arguments[argument] = getattr(self, argument)
        for argument, default in LATER_ARGUMENTS.items():
            if getattr(self, argument) != default:
                arguments[argument] = getattr(self, argument)
        if self.name != type(self).__name__.lower():
            arguments['name'] = self.name
        if self.generation != 2:
            arguments['generation'] = self.generation
        return arguments

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """An optimizer from what `get_config`, of any generation, gave."""
        arguments = dict(config)
        if 'ema_momentum' in arguments and 'gradient_accumulation_steps' in arguments:
            # Only Keras 3 writes all of its arguments.
            arguments.setdefault('generation', 3)
        if isinstance(arguments.get('learning_rate'), dict):
            arguments['learning_rate'] = deserialize_schedule(arguments['learning_rate'], custom_objects)
        return cls(**arguments)

    def __repr__(self):
        return '<%s %r>' % (type(self).__name__, self.get_config())

    def __getstate__(self):
        # Places go by identity, which a copy does not share.
        return dict(vars(self), _places=None, _graph_updates=None)

    def __setstate__(self, state):
        vars(self).update(state)
        self._places = {id(variable): place for place, variable in enumerate(self._trained)}


def holding(variables, values):
    """A ledger in which `variables` have been assigned `values`, so that engines leave what they store alone."""
    ledger = Ledger(outer=context.ledger)
    for variable, value in zip(variables, values):
        ledger.write(variable, ops.convert_to_tensor(value))
    return ledger


def update_if(condition, update, variables):
    """Run `update()`, which assigns some of `variables`, if the scalar boolean `condition` holds."""
    def then(*values):
        with holding(variables, values) as ledger:
            update()
        return [ledger.read(variable) for variable in variables]

    def otherwise(*values):
        return list(values)

    values = cond(condition, then, otherwise, [variable.value for variable in variables])
    for variable, value in zip(variables, values):
        variable.assign(value)


def _scalar_dtype():
    return 'float64' if config.floatx() == 'float64' else 'float32'


def with_epsilon(epsilon):
    """`epsilon`, or the default of the configuration for None, as Keras 2 has it."""
    return config.epsilon() if epsilon is None else float(epsilon)


def clip_norm(g, c, n):
    """The gradient `g` scaled by `c / n` where its norm `n` is at least `c`; as it is for `c` of 0.

    Example:
        >>> keras.optimizers.clip_norm(np.array([3.0, 4.0]), 1.0, 5.0)  # [0.6, 0.8]
    """
    if c <= 0:
        return g
    dtype = dtype_of(g)
    return ops.multiply(g, ops.where(ops.greater_equal(n, c), ops.divide(ops.cast(float(c), dtype), n), 1.0))
