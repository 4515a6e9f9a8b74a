"""`Optimizer`: the learning rate, clipping, the slots, and everything else that is the same for all of them.

An optimizer is pure in the sense of the ledger: it reads `variable.value`, calls an update rule of
`keras.backend.table.composites.optimizers` on lists of variables, and assigns. Nothing here depends on an engine.

Where the generations of Keras disagree an optimizer follows the one that it was made under, see `keras.generations`.
"""
import contextlib
import functools
import operator
import re
import warnings

import numpy as np

from keras import backend as K
from keras import config, generations, initializers, ops
from keras.backend.contract.context import context, recording_assignments
from keras.backend.contract.ledger import holding
from keras.backend.contract.loading import active, get_engine, join
from keras.backend.contract.rules import numpy_dtype
from keras.backend.graph.plans import value_of
from keras.backend.graph.reads import symbol_of
from keras.backend.graph.tensors import KerasTensor
from keras.backend.k.operations import Update
from keras.backend.state.uids import numbered_name
from keras.backend.state.variables import Variable
from keras.backend.table.composites import optimizers as rules
from keras.backend.table.composites.shape import dtype_of
from keras.backend.table.primitives import cond
from keras.configurable import Configurable, declared_arguments
from keras.optimizers.graph import GraphUpdates, graph_making, new_values, symbolic_gradients, update_in_graph
from keras.gradients import value_and_grad
from keras.legacy.updates import of_any_keras
from keras.optimizers.protocol import OptimizerProtocol, ours, takes_rate
from keras.optimizers.schedules import LearningRateSchedule, check_numbers
from keras.optimizers.schedules import deserialize as deserialize_schedule


# What all optimizers write into their configs only where it is not the default; those of Keras 3 know no decay, either.
LATER = ('name', 'clipnorm', 'clipvalue', 'weight_decay', 'global_clipnorm', 'use_ema', 'ema_momentum',
         'ema_overwrite_frequency', 'loss_scale_factor', 'gradient_accumulation_steps')


_WORDS = re.compile('(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])')


def divided(gradient, scale):
    """A gradient divided by a scale of the loss, in its own dtype. float16 does not hold scales from 65,536 on."""
    dtype = dtype_of(gradient)
    if dtype == 'float16':
        return ops.cast(ops.divide(ops.cast(gradient, 'float32'), scale), dtype)
    return gradient / (scale if isinstance(scale, (int, float)) else ops.cast(scale, dtype))


class Optimizer(OptimizerProtocol, Configurable):
    """Base class of the optimizers.

    Args:
        learning_rate: a float, a `LearningRateSchedule`, or a function without arguments. `lr` is its old name.
        decay: the learning rate of update i (counted from 0) is divided by `1 + decay * i`.
        clipnorm: scale the gradients down so that the norm of all of them together is at most this (in tf.keras and
            Keras 3, the norm of each one). global_clipnorm: the norm of all of them, in every generation.
        clipvalue: cut every element of the gradients off at plus and minus this.
        weight_decay: before each update subtract `weight_decay * learning_rate` times its value from a variable.
        use_ema: keep moving averages of the variables; `finalize_variable_values` puts them in place.
        ema_momentum: their momentum. ema_overwrite_frequency: put them in place every that many updates.
        loss_scale_factor: the factor by which the loss was multiplied; gradients are divided by it.
        gradient_accumulation_steps: update once in that many calls, with the mean of their gradients.
        name: default the class's name in lower case.

    Raises:
        ValueError: for a negative argument or gradients without a variable. TypeError: for an unknown argument.

    A custom optimizer defines `build(variables)`, making its slots with `add_variable_from_reference`, and
    `update_step(gradient, variable, learning_rate)`; or what tf.keras's `OptimizerV2` asks for, see
    `keras.optimizers.protocol`.

    Example:
        >>> optimizer = keras.optimizers.SGD(learning_rate=0.1)
        >>> v = keras.Variable([1.0, 2.0])
        >>> optimizer.apply_gradients([(np.ones(2, 'float32'), v)])
        >>> v.numpy()
        array([0.9, 1.9], dtype=float32)
    """

    later = ('decay',) + LATER
    kept_as = {'learning_rate': '_given_rate', 'name': '_given_name'}
    # The names of the slots, one variable each per model variable, in the order of Keras 2's weights.
    slot_names = ()
    # What variables of slots are called otherwise in Keras 3.
    slot_names_in_3 = {}
    # Whether those weights are all slots of one variable, then those of the next; else slot after slot.
    slots_by_weight = False
    # For optimizers defined by `get_updates`: what they set `weights` to, the updates once they are built (one for each
    # list of variables, the newest first), and the loss that the next ones belong to.
    _given_weights = _seen_loss = None
    _graph_updates = ()
    # The number of calls, where several make one update.
    _calls = None
    # Whether the variables hold their moving averages, and these the variables' values.
    averages_in_place = False

    def __init__(self, learning_rate=0.01, name=None, decay=0.0, clipnorm=None, clipvalue=None, weight_decay=None,
                 global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
                 loss_scale_factor=None, gradient_accumulation_steps=None, **kwargs):
        super().__init__()
        # The base class of tf.keras takes the name first, and no learning rate; so do subclasses made for it.
        if isinstance(learning_rate, str) and not _is_own(type(self)):
            learning_rate, name = 0.01 if name is None else name, learning_rate
        learning_rate = kwargs.pop('lr', learning_rate)
        kwargs.pop('jit_compile', None)  # tf.keras 2.9 to 2.15 wrote these two into configs
        kwargs.pop('is_legacy_optimizer', None)
        if kwargs:
            raise TypeError('%s does not take the argument%s %s.' % (
                type(self).__name__, 's' if len(kwargs) > 1 else '', ', '.join(map(repr, sorted(kwargs)))))
        check_numbers(self, clipnorm=clipnorm, clipvalue=clipvalue, decay=decay)
        for argument, value in (('clipnorm', clipnorm), ('clipvalue', clipvalue), ('decay', decay)):
            if value is not None and value < 0:
                raise ValueError('%s: `%s` must be at least 0. Received: %r' % (type(self).__name__, argument, value))
        given = [way for way in (clipnorm, clipvalue, global_clipnorm) if way is not None]
        if len(given) > 1 and self.ruled('one_way_of_clipping'):
            raise ValueError('%s: Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: '
                             'clipnorm=%s, clipvalue=%s, global_clipnorm=%s'
                             % (type(self).__name__, clipnorm, clipvalue, global_clipnorm))
        decay = float(decay or 0.0)
        self.built = False
        # Past the attributes of a subclass: one that wraps another optimizer may have a property of that name.
        counter = vars(self)['iterations'] = Variable(0, dtype='int32', trainable=False, name='iterations')
        self.updates = []
        self._schedule = None
        self.rate_variable = Variable(0.0, dtype=_scalar_dtype(), trainable=False, name='learning_rate')
        self.declare(locals())
        if self.ruled('counter_is_iteration'):
            counter.name = 'iteration'
            for variable in (counter, self.rate_variable):
                variable.path = '%s/%s' % (self.name, variable.name)
        self.trained_variables, self._places = [], {}
        self._slots = {slot: [] for slot in self.slot_names}
        self._own, self._averages, self._accumulated = [], [], []
        self._undecayed = (set(), ())
        self._warned = set()
        self._overwrites = False

    # --- the learning rate ----------------------------------------------------------------------------------------

    @property
    def learning_rate(self):
        """The variable that holds the learning rate; with a schedule, the value for the next update."""
        return self.rate_variable if self._schedule is None else self._scheduled()

    @learning_rate.setter
    def learning_rate(self, value):
        self._set_learning_rate(value)

    lr = learning_rate

    @property
    def iterations(self):
        """The variable that counts the updates. Subclasses may extend this property."""
        return vars(self)['iterations']

    @iterations.setter
    def iterations(self, variable):
        vars(self)['iterations'] = variable

    @property
    def _name(self):
        """What tf.keras keeps the name in, which those who wrap an optimizer read."""
        return self.name

    @_name.setter
    def _name(self, value):
        self.name = value

    @property
    def rate_source(self):
        """What the learning rate comes from: the variable, a schedule or a function."""
        return self.rate_variable if self._schedule is None else self._schedule

    @property
    def _given_rate(self):
        return float(self.rate_variable.numpy()) if self._schedule is None else self._schedule

    @_given_rate.setter
    def _given_rate(self, value):
        self._set_learning_rate(value)

    @property
    def _given_name(self):
        by_default = self.name == type(self).__name__.lower() and not self.ruled('optimizers_are_numbered')
        return None if by_default else self.name

    @_given_name.setter
    def _given_name(self, name):
        if not name and self.ruled('optimizers_are_numbered'):
            name = numbered_name(_WORDS.sub('_', type(self).__name__).lower())
        self.name = name or type(self).__name__.lower()

    def _set_learning_rate(self, value):
        if isinstance(value, dict):
            value = deserialize_schedule(value)
        if isinstance(value, Variable):
            self._schedule, self.rate_variable = None, value
        elif callable(value):
            self._schedule = value
        elif isinstance(value, KerasTensor):
            self._schedule = functools.partial(value_of, value)
        else:
            self._schedule = None
            self.rate_variable.assign(self._checked_rate(value))

    def declare(self, given):
        numbers = [name for name, argument in declared_arguments(type(self)).items() if type(argument.default) is float]
        check_numbers(self, **{name: given[name] for name in numbers if name in given and name != 'learning_rate'})
        super().declare(given)

    def _checked_rate(self, value):
        try:
            rate = None if value is None else np.asarray(value, numpy_dtype(self.rate_variable.dtype))
        except (ValueError, TypeError, OverflowError):
            rate = None
        if rate is None or isinstance(value, str) or rate.shape or not np.isfinite(rate):
            raise ValueError('%s: `learning_rate` must be a finite number, a schedule, or a function without '
                             'arguments. Received: %.200r' % (type(self).__name__, value))
        return rate

    def _scheduled(self):
        if isinstance(self._schedule, LearningRateSchedule):
            return self._schedule(self.iterations.value)
        return self._schedule()

    def current_learning_rate(self):
        """The learning rate of the next update as a scalar, the decay included."""
        rate = self.rate_variable.value if self._schedule is None else self._scheduled()
        if self.decay:
            rate = rate / (ops.cast(self.iterations.value, self.rate_variable.dtype) * self.decay + 1.0)
        return rate

    def step_number(self):
        """The number of the update that is being made, 1 for the first, as a float scalar."""
        return ops.cast(self.iterations.value + 1, self.rate_variable.dtype)

    # --- state ----------------------------------------------------------------------------------------------------

    def build(self, variables):
        """Make the slots for `variables`, those that training changes. Variables known already keep theirs."""
        variables = ours(variables)
        if self._is_defined_in_graph():
            self._build_updates(variables)
        else:
            self._build_slots(variables)

    def _build_slots(self, variables):
        fresh = [variable for variable in variables if id(variable) not in self._places]
        self.built = True
        if self.gradient_accumulation_steps and not self._accumulated:
            self._calls = self.add_variable((), 'zeros', 'int32', name='calls')
        names = self.slot_names_in_3 if self.ruled('slots_are_called_as_in_3') else {}
        for variable in fresh:
            self._places[id(variable)] = len(self.trained_variables)
            self.trained_variables.append(variable)
            for slot in self.live_slots():
                shape = self.slot_shape(slot, variable)
                self._slots[slot].append(None if shape is None else self._new_slot(
                    variable, names.get(slot, slot), shape, self.slot_initializer(slot)))
            if self.use_ema:
                self._averages.append(self._new_slot(variable, 'average'))
            if self.gradient_accumulation_steps:
                self._accumulated.append(self._new_slot(variable, 'gradient_accumulator'))
            self._overwrites |= bool(variable.overwrite_with_gradient)
        if fresh:
            with recording_assignments(None):
                self.create_slots_of(fresh)
            if active.engine is not None:
                active.engine.note_built(self)

    def tracked_by_name(self):
        """{number: variable} of the state, for checkpoints of the engine's library."""
        return {str(number): variable for number, variable in enumerate(self.variables_in_order())}

    def live_slots(self):
        """The names of the slots that the optimizer, with its arguments, uses."""
        return self.slot_names

    def slot_shape(self, slot, variable):
        """The shape of a slot of `variable`; None where it has none."""
        return variable.shape

    def slot_initializer(self, slot):
        return 'zeros'

    def _new_slot(self, reference, name, shape=None, initializer='zeros'):
        slot = Variable(initializers.delayed(initializer), reference.shape if shape is None else shape, reference.dtype,
                        trainable=False, name='%s_%s' % (reference.path.replace('/', '_').replace(':', '_'), name),
                        layout=reference.layout if shape in (None, reference.shape) else None)
        slot.path = '%s/%s' % (self.name, slot.name)
        slot.distribution, slot.like = reference.distribution, reference
        return slot

    def add_variable_from_reference(self, reference_variable=None, name=None, initializer='zeros', model_variable=None,
                                    variable_name=None, shape=None, initial_value=None):
        """A slot of the shape and dtype of `reference_variable`, for custom optimizers.

        Args:
            model_variable, variable_name, shape, initial_value: what tf.keras calls the first two; another shape than
                that of the variable; and an array of first values.
        """
        reference = model_variable if reference_variable is None else reference_variable
        if initial_value is not None:
            initializer = initializers.Constant(np.asarray(initial_value))
        slot = self._new_slot(reference, name or variable_name or 'slot', shape, initializer)
        self._own.append(slot)
        return slot

    def add_optimizer_variables(self, trainable_variables, name, initializer='zeros'):
        """A list: a slot for each of `trainable_variables`; for several names, a tuple of lists."""
        if isinstance(name, str):
            return [self.add_variable_from_reference(variable, name, initializer) for variable in trainable_variables]
        initializers_of = [initializer] * len(name) if isinstance(initializer, str) else initializer
        return tuple(self.add_optimizer_variables(trainable_variables, *each) for each in zip(name, initializers_of))

    def add_variable(self, shape, initializer='zeros', dtype=None, aggregation='none', layout=None, name=None):
        """A variable of any shape, for custom optimizers."""
        slot = Variable(initializers.delayed(initializer), tuple(shape), dtype, trainable=False, name=name or 'slot',
                        layout=layout)
        slot.path = '%s/%s' % (self.name, slot.name)
        self._own.append(slot)
        return slot

    @property
    def variables(self):
        """The variables of the optimizer's state, the number of updates first, then in Keras 3 the learning rate."""
        return self.variables_in_order() if self.ruled('rate_among_variables') else self.state_variables

    @property
    def state_variables(self):
        """All variables that an update may change, beside those that it is for."""
        if self._graph_updates:
            targets = dict.fromkeys(target for updates in self._graph_updates for target in updates.targets)
            return [target for target in targets if id(target) not in self._places]
        return self.own_variables

    @property
    def own_variables(self):
        """The variables that the optimizer itself makes, whatever a subclass's `get_updates` adds to them."""
        slots = self._as_listed([self._slots[slot] for slot in self.live_slots()])
        return [self.iterations] + self._own + slots + self._averages + self._accumulated + self.variables_inside

    @property
    def read_variables(self):
        """The variables that an update reads and leaves as they are."""
        return self._rate_variables + self.hyper_variables

    @property
    def _rate_variables(self):
        return [self.rate_variable] if self._schedule is None else []

    @property
    def weights(self):
        """The state in Keras 2's order, with the slots that Keras 2 has whether it uses them or not."""
        if self._given_weights is not None:
            return self._given_weights
        if self._graph_updates:
            return self.state_variables
        live = self.live_slots()
        slots = self._as_listed([self._slots[slot] if slot in live else self._unused(slot) for slot in self.slot_names])
        return [self.iterations] + self._own + slots + self._averages + self._accumulated + self.variables_inside

    def _as_listed(self, slots):
        """The variables of several slots in the order of Keras 2's weights."""
        return [variable for group in (zip(*slots) if self.slots_by_weight else slots)
                for variable in group if variable is not None]

    @weights.setter
    def weights(self, variables):
        self._given_weights = list(variables)

    def _unused(self, slot):
        return [Variable(np.zeros(self.slot_shape(slot, variable)), dtype=variable.dtype, trainable=False,
                         name='%s_%s' % (variable.name, slot)) for variable in self.trained_variables]

    # --- in files of Keras 3's formats

    # Slots in the order of Keras 3's files: those of one group weight by weight; None: all of them are one group.
    slot_groups = None

    def variables_in_order(self):
        """The variables of the state in the order of Keras 3, the learning rate among them."""
        if self._graph_updates:
            return self.state_variables
        live = self.live_slots()
        # Keras 3 has a schedule in the place of `decay`.
        rate = [] if self.decay else self._rate_variables
        found = [self.iterations] + rate + self._averages + self._accumulated
        for group in self.slot_groups or (self.slot_names,):
            slots = [self._slots[slot] for slot in group if slot in live]
            found.extend(variable for of_weight in zip(*slots) for variable in of_weight if variable is not None)
        return found + [variable for variable in self._own if variable is not self._calls] + self.variables_inside

    def save_own_variables(self, store):
        """Write the state: `store['0'] = array` and so on, in the order of Keras 3."""
        for number, variable in enumerate(self.variables_in_order()):
            # Keras 3 counts the calls where several make one update.
            store[str(number)] = self._calls if variable is self.iterations and self._calls is not None else variable

    def load_own_variables(self, store):
        """Set what `save_own_variables` wrote, from a dictionary; nothing, with a warning, where they do not fit.
        """
        variables = self.variables_in_order()
        arrays = [store[str(number)] for number in range(len(store)) if str(number) in store]
        if len(arrays) <= 1 + len(self._rate_variables):  # of an optimizer that had not been built
            variables = variables[:len(arrays)]
        elif len(arrays) == len(variables) - 1:  # tf.keras has the learning rate in the config only
            variables = [variable for variable in variables if variable is not self.rate_variable]
        if [np.shape(array) for array in arrays] != [tuple(variable.shape) for variable in variables]:
            warnings.warn('The state of the optimizer %s in the file does not fit (%d arrays in the file, %d variables '
                          'of the optimizer); it starts afresh. The usual cause: another set of layers was trainable '
                          'when the file was written.' % (type(self).__name__, len(store), len(variables)),
                          stacklevel=4)
            return
        for variable, array in zip(variables, arrays):
            if variable is self.iterations and self._calls is not None:
                self._calls.assign(array)
                array = np.asarray(array) // self.gradient_accumulation_steps
            variable.assign(array)

    def get_weights(self):
        """The values of `weights`, a list of NumPy arrays."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights):
        """Set the state from a list of arrays, as `get_weights` of this optimizer or of Keras 2's gives it.

        Raises:
            ValueError: if the number of arrays or a shape does not fit.
        """
        targets = self.variables if self.ruled('rate_among_variables') else self.weights
        if len(weights) != len(targets):
            targets = self.variables_in_order() if len(weights) == len(self.variables_in_order()) \
                else self.state_variables
        if len(weights) != len(targets):
            raise ValueError('You are calling `set_weights` of an optimizer: %s has a state of %d arrays. '
                             'Received: %d. The usual cause: the optimizer was not built '
                             'for the same variables; call build(model.trainable_variables) first.'
                             % (type(self).__name__, len(self.weights), len(weights)))
        for variable, value in zip(targets, weights):
            value = value.numpy() if isinstance(value, Variable) else value
            variable.assign(np.asarray(value).reshape(variable.shape) if variable is self.iterations else value)

    # --- updates --------------------------------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars, name=None, experimental_aggregate_gradients=True):
        """One update from pairs of (gradient, variable).

        Args:
            grads_and_vars: the pairs. name: taken for older scripts; nothing is called by it.
            experimental_aggregate_gradients: whether the `_aggregate_gradients` of a subclass is asked.

        Returns:
            The variable that counts the updates.
        """
        pairs = list(grads_and_vars)
        if experimental_aggregate_gradients:
            pairs = self.aggregated(pairs)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def aggregate_gradients(self, grads_and_vars):
        """The pairs of gradients and variables as they are: there is one process, whose step sees all of a batch."""
        return list(grads_and_vars)

    def compute_gradients(self, loss, var_list, grad_loss=None, tape=None):
        """Pairs of (gradient, variable) for `loss`.

        Args:
            loss: a function without arguments, or a tensor that was computed under `tape`. var_list: a list of
                variables, or a function that gives it.
            grad_loss: the gradient of what comes after the loss, with a `tape` only.
            tape: a `keras.GradientTape`, or the engine's own.

        Raises:
            ValueError: for a tensor without a tape, or `grad_loss` without one.
        """
        variables = ours(var_list() if callable(var_list) else var_list)
        if tape is not None:
            loss = loss() if callable(loss) else loss
            further = {} if grad_loss is None else {'output_gradients': grad_loss}
            return list(zip(tape.gradient(loss, variables, **further), variables))
        if not callable(loss) or grad_loss is not None:
            raise ValueError('%s: a loss that is a tensor and `grad_loss` need the `tape` under which the loss was '
                             'computed; without one give a function that computes the loss.' % type(self).__name__)
        return list(zip(value_and_grad(loss, variables)[1], variables))

    def apply(self, grads, trainable_variables=None):
        """One update.

        Args:
            grads: a list of gradients, tensors or None where a variable does not influence the loss.
            trainable_variables: the variables they belong to, the engine's own (`tf.Variable`) among them; default
                those that `build` was given.
        """
        get_engine().check_update()
        variables, gradients = self.having_gradients(trainable_variables, grads)
        if self._graph_updates:
            return self._apply_in_graph(variables, gradients)
        if self.loss_scale_factor is not None:
            gradients = self.unscaled(variables, gradients, self.loss_scale_factor)
        if self.gradient_accumulation_steps:
            self._accumulate(variables, gradients)
        else:
            self._apply(variables, gradients)

    @staticmethod
    def unscaled(variables, gradients, scale):
        """The gradients divided by a scale of the loss; what overwrites its variable is no gradient, and stays."""
        return [gradient if variable.overwrite_with_gradient else divided(gradient, scale)
                for variable, gradient in zip(variables, gradients)]

    def having_gradients(self, variables, gradients):
        """The variables with a gradient (where all have one: `trained_variables` itself), the gradients as tensors.

        Args:
            variables: Keras's or the engine's own; None stands for those that the optimizer was built for.
            gradients: a list of tensors and None.
        """
        variables = self.trained_variables if variables is None else ours(variables)
        if len(gradients) != len(variables):
            raise ValueError('%s.apply: received %d gradients for %d variables.'
                             % (type(self).__name__, len(gradients), len(variables)))
        if type(None) in map(type, gradients):
            variables, gradients = self._with_gradient(variables, gradients)
        if len(variables) == len(self.trained_variables) and all(map(operator.is_, variables, self.trained_variables)):
            variables = self.trained_variables
        else:
            self._check_built(variables)
        native = active.native
        if not native.issuperset(map(type, gradients)):
            # Sparse ones are dense from here on; `ops.convert_to_tensor` would leave them as they are.
            sparse, convert = get_engine().sparse_types(), get_engine().convert
            gradients = [gradient if type(gradient) in native else
                         convert(gradient) if type(gradient) in sparse else ops.convert_to_tensor(gradient)
                         for gradient in gradients]
        return variables, gradients

    def _with_gradient(self, variables, gradients):
        missing = [variable.path for variable, gradient in zip(variables, gradients) if gradient is None]
        if len(missing) == len(variables):
            raise ValueError('No gradients provided for any variable. There is none for %s. The usual cause: the loss '
                             'does not depend on the model, or goes through an operation without a gradient.'
                             % ', '.join(missing))
        if not self._warned.issuperset(missing):
            self._warned.update(missing)
            them = 'it' if len(missing) == 1 else 'them'
            warnings.warn('Gradients do not exist for variables %s: the loss does not depend on %s, so training leaves '
                          '%s as it is.' % (', '.join(missing), them, them), stacklevel=5)
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
        if self._overwrites:
            variables, gradients = self._overwrite(variables, gradients)
        if variables:
            self.apply_clipped(self._clipped(gradients), variables)
        self.iterations.assign(self.iterations.value + 1)

    @staticmethod
    def _overwrite(variables, gradients):
        """Set the variables whose gradients are their new values (`overwrite_with_gradient`), and give the others."""
        left = []
        for variable, gradient in zip(variables, gradients):
            if variable.overwrite_with_gradient:
                variable.assign(gradient)
            else:
                left.append((variable, gradient))
        return [variable for variable, _ in left], [gradient for _, gradient in left]

    def see_loss(self, loss):
        """Take note of the loss that the gradients of the next `apply` belong to."""
        if self._graph_updates:
            self._seen_loss = loss

    def apply_clipped(self, gradients, variables):
        """Update `variables` by gradients that have been clipped, without counting it."""
        rate = self.current_learning_rate()
        if self.updates_by_parts():
            self.update_by_parts(variables, gradients)
        else:
            self.decay_weights(variables, rate)
            self.update(variables, gradients, rate)
        if self.use_ema and not self.gradient_accumulation_steps:
            self._average(variables, self.iterations.value)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))

    def decay_weights(self, variables, learning_rate):
        """Make those of `variables` smaller that decay."""
        if self.weight_decay is not None and not self.has_hyper('weight_decay'):
            decayed = [variable for variable in variables if self.is_decayed(variable)]
            rules.decay_weights(decayed, float(self.weight_decay), learning_rate)

    def update(self, variables, gradients, learning_rate):
        """Update all `variables` (a list) at once; by default one after the other with `update_step`."""
        rate = (learning_rate,) if takes_rate(type(self).update_step) else ()
        for variable, gradient in zip(variables, gradients):
            self.update_step(gradient, variable, *rate)

    def has_update(self):
        """Whether the class, one of Keras's say, updates all variables at once."""
        return type(self).update is not Optimizer.update

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable; what a custom optimizer defines."""
        if self.has_update():
            return self.update([variable], [ops.convert_to_tensor(gradient)], learning_rate)
        raise NotImplementedError('%s defines neither `update_step(gradient, variable, learning_rate)` nor `update`.'
                                  % type(self).__name__)

    # --- for update rules of your own -----------------------------------------------------------------------------

    def assign(self, variable, value):
        """Set a variable."""
        variable.assign(ops.cast(value, variable.dtype))

    def assign_add(self, variable, value):
        """Add to a variable."""
        variable.assign(variable.value + ops.cast(value, variable.dtype))

    def assign_sub(self, variable, value):
        """Subtract from a variable."""
        variable.assign(variable.value - ops.cast(value, variable.dtype))

    def knows(self, variable):
        """Whether it has been built for a variable."""
        return id(variable) in self._places

    def place_of(self, variable):
        """The number of a variable among those that the optimizer has been built for."""
        return self._places[id(variable)]

    _get_variable_index = place_of

    @property
    def _trainable_variables(self):
        return self.trained_variables

    def slots(self, slot, variables):
        """The variables of the slot called `slot` that belong to `variables`, a list."""
        found = self._slots[slot]
        if variables is self.trained_variables:
            return found
        return [found[self._places[id(variable)]] for variable in variables]

    def _clipped(self, gradients):
        if self.clipnorm:
            clip = rules.clip_by_norm if self.ruled('clipnorm_of_each') else rules.clip_by_global_norm
            gradients = clip(gradients, float(self.clipnorm))
        if self.global_clipnorm:
            gradients = rules.clip_by_global_norm(gradients, float(self.global_clipnorm))
        if self.clipvalue:
            gradients = rules.clip_by_value(gradients, float(self.clipvalue))
        return gradients

    def _clip_gradients(self, grads):
        # Optimizers written for Keras 3 call it.
        return self._clipped([ops.convert_to_tensor(gradient) for gradient in grads])

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Leave variables out of the weight decay: those in `var_list`, and those whose name matches `var_names`."""
        self._undecayed = (set(ours(var_list or ())), tuple(var_names or ()))

    def is_decayed(self, variable):
        excluded, names = self._undecayed
        return variable not in excluded and not any(re.search(name, variable.path) for name in names)

    # --- as a part of a graph ---------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in ('get_updates', 'get_gradients'):
            if name in cls.__dict__:
                setattr(cls, name, graph_making(cls.__dict__[name]))

    def get_gradients(self, loss, params):
        """The gradients of the symbolic `loss` by the variables `params`, clipped, as symbolic tensors.

        A subclass, or a function set on the optimizer, may give others: updates are made by them, in `fit` as well.

        Raises:
            ValueError: for a variable on which the loss does not depend.
        """
        found = symbolic_gradients(loss, params)
        if self.loss_scale_factor is not None:
            found = [gradient / self.loss_scale_factor for gradient in found]
        if self.clipnorm:
            squares = [ops.sum(ops.square(gradient)) for gradient in found]
            norms = squares if self.ruled('clipnorm_of_each') else [sum(squares, 0.0)] * len(found)
            found = [clip_norm(gradient, self.clipnorm, ops.sqrt(norm)) for gradient, norm in zip(found, norms)]
        if self.global_clipnorm:
            norm = ops.sqrt(sum([ops.sum(ops.square(gradient)) for gradient in found], 0.0))
            found = [clip_norm(gradient, self.global_clipnorm, norm) for gradient in found]
        if self.clipvalue:
            found = [ops.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in found]
        return found

    @of_any_keras
    def get_updates(self, loss, params):
        """One update of the variables `params` that lowers the symbolic `loss`, for `K.function(..., updates=...)`.

        An optimizer may also be defined by overriding this method, as in Keras 2: from nothing, by adding to the
        updates that `super().get_updates(loss, params)` gives, or with those of another optimizer.

        Returns:
            A list: the update of `iterations`, then those of `params`.

        Raises:
            ValueError: with `gradient_accumulation_steps`, which only training steps know.
        """
        if self.gradient_accumulation_steps:
            raise ValueError('%s: gradients are accumulated in training steps only, not in `get_updates` or with '
                             '`get_gradients` of your own.' % type(self).__name__)
        params = list(params)
        self._build_slots(params)
        gradients = self.get_gradients(loss, params)
        # By the names in K, where wrappers put functions of their own to see the updates.
        counted = K.update_add(self.iterations, 1)
        if isinstance(counted, Update):
            # Where each weight has a call of its own, these together are one step still.
            counted.change = None
        self.updates = [counted]
        if self.updates_by_parts():
            self.updates.append(update_in_graph(self, params, gradients))
        else:
            self.updates.extend(K.update(variable, value) for variable, value
                                in new_values(self, params, gradients, self._rate_in_graph()))
        return self.updates

    def _rate_in_graph(self):
        """The learning rate as it is now: a symbolic tensor, or the function that gives it."""
        if self._schedule is None:
            return symbol_of(self.rate_variable)
        return self._schedule.args[0] if getattr(self._schedule, 'func', None) is value_of else self._schedule

    @contextlib.contextmanager
    def at_rate(self, rate):
        """Update by the learning rate that the function or schedule `rate` gives, within a block."""
        previous, self._schedule = self._schedule, rate
        try:
            yield
        finally:
            self._schedule = previous

    def targets_of(self, variables):
        """All that an update of `variables` may change, but for the number of updates."""
        chosen = set(map(id, variables))
        own = [slot for slot in self.own_variables
               if slot is not self.iterations and (slot.like is None or id(slot.like) in chosen)]
        return own + list(variables)

    def _is_defined_in_graph(self):
        """Whether updates or gradients come from another `get_updates` or `get_gradients` than those above."""
        # Who changes the gradients of a step, too, does in `get_gradients` the same for graphs.
        names = ('get_updates',) if self.changes_gradients() else ('get_updates', 'get_gradients')
        return any(getattr(getattr(self, name), '__func__', None) is not getattr(Optimizer, name) for name in names)

    def _build_updates(self, variables):
        """Ask for the updates of `variables`; once for each list of them, as the state goes by what is made there."""
        variables, made_by = list(variables), (self.get_updates, self.get_gradients)
        former = next((updates for updates in self._graph_updates if updates.are_of(variables)), None)
        if former is not None and former.made_by == made_by:
            return
        self._graph_updates = (GraphUpdates(self, variables, made_by, former),) + tuple(
            updates for updates in self._graph_updates if updates is not former)
        self.built = True
        for variable in variables:
            if id(variable) not in self._places:
                self._places[id(variable)] = len(self.trained_variables)
                self.trained_variables.append(variable)

    def _apply_in_graph(self, variables, gradients):
        loss, self._seen_loss = self._seen_loss, None
        if not any(updates.know(variables) for updates in self._graph_updates):
            self._build_updates(variables)
        known = [updates for updates in self._graph_updates if updates.know(variables)]
        min(known, key=len)(variables, gradients, loss)

    # --- accumulation and averages ----------------------------------------------------------------------------------

    def _accumulate(self, variables, gradients):
        """Add to the accumulated gradients; every so many calls, make the update they call for."""
        count = int(self.gradient_accumulation_steps)
        sums = [self._accumulated[self._places[id(variable)]] for variable in variables]
        totals = [ops.maximum(total.value, gradient) if variable.overwrite_with_gradient else total.value + gradient
                  for total, gradient, variable in zip(sums, gradients, variables)]
        due, before = ops.equal(ops.mod(self._calls.value + 1, count), 0), self.iterations.value

        def update():
            self._apply(variables, self.unscaled(variables, totals, float(count)))
        update_if(due, update, self.state_of(variables))
        for slot, total in zip(sums, totals):
            slot.assign(ops.where(due, ops.zeros_like(total), total))
        self._calls.assign_add(1)
        if self.use_ema:  # every call counts in the averages
            self._average(variables, before)

    def state_of(self, variables):
        """Everything that an update of `variables` may assign."""
        return list({id(variable): variable for variable in self.state_variables + list(variables)}.values())

    def _average(self, variables, iterations):
        first = ops.cast(ops.equal(iterations, 0), self.rate_variable.dtype)
        momentum = (1.0 - first) * self.ema_momentum
        frequency = self.ema_overwrite_frequency
        due = None if frequency is None else ops.equal(ops.mod(iterations + 1, int(frequency)), 0)
        for variable in variables:
            slot = self._averages[self._places[id(variable)]]
            keep = momentum if self.rate_variable.dtype == variable.dtype else ops.cast(momentum, variable.dtype)
            average = slot.assign(slot.value * keep + variable.value * (1.0 - keep))
            if due is not None:
                variable.assign(ops.where(due, average, variable.value))

    def finalize_variable_values(self, var_list=None):
        """Put the moving averages in the place of the variables, where `use_ema` keeps them."""
        if not self.use_ema:
            return
        for variable in self.trained_variables if var_list is None else ours(var_list):
            average = self._averages[self._places[id(variable)]]
            target, source = (average, variable) if self.averages_in_place else (variable, average)
            target.assign(source.value)
        self.averages_in_place = False

    def exchange_averages(self):
        """Exchange the variables and their moving averages; a second call changes them back.

        Raises:
            ValueError: where the optimizer keeps no averages.
        """
        if not self.use_ema:
            raise ValueError('The optimizer %s keeps no moving averages of the weights: it was made with use_ema=False.'
                             % self.name)
        for variable, average in zip(self.trained_variables, self._averages):
            value = np.array(variable.numpy())
            variable.assign(average.value)
            average.assign(value)
        self.averages_in_place = not self.averages_in_place

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
        variables = self.variables + self.trained_variables
        with holding(variables, list(optimizer_variables) + list(trainable_variables)) as ledger:
            self.apply(grads, self.trained_variables)
        return [ledger.read(v) for v in self.trained_variables], [ledger.read(v) for v in self.variables]

    # --- configuration ------------------------------------------------------------------------------------------------

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """An optimizer from what `get_config`, of any generation, gave."""
        arguments = dict(config)
        if isinstance(arguments.get('learning_rate'), dict):
            arguments['learning_rate'] = deserialize_schedule(arguments['learning_rate'], custom_objects)
        with generations.reading_optimizer(arguments):
            return cls(**arguments)

    def __getstate__(self):
        # Places go by identity, which a copy does not share; updates in a graph are built anew.
        return dict(vars(self), _places=None, _graph_updates=(), updates=[],
                    built=self.built and not self._graph_updates)

    def __setstate__(self, state):
        vars(self).update(state)
        self._places = {id(variable): place for place, variable in enumerate(self.trained_variables)}


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


join(Optimizer, 'state_base')


def _is_own(cls):
    """Whether a class is one of Keras's optimizers, and not their base."""
    return cls.__module__.startswith('keras.') and cls is not Optimizer


def _scalar_dtype():
    return 'float64' if config.floatx() == 'float64' else 'float32'


def with_epsilon(epsilon):
    """`epsilon`, or the default of the generation for None: in Keras 2 that of the configuration."""
    epsilon = generations.settled(epsilon)
    if epsilon is None:
        epsilon = generations.value('optimizer_epsilon')
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
