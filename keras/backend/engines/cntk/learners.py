"""CNTK's own learner for Adam, in the place of the nodes that would update the weights.

A step that only updates weights by `adam_update`, with gradients that nothing has changed, hands them to a learner of
CNTK's, whose kernel takes a fraction of the time of a dozen nodes for each weight. The learner has the moving means in
its own memory. Until somebody asks for them the optimizer's slots are out of date; `settle` brings them up to date, and
has to be called before a slot is read or written.
"""
import threading
import weakref

import cntk
import numpy as np
from cntk import cntk_py
from cntk.internal.utils import _to_cntk_dict_value as in_checkpoint

from keras.backend.engines.cntk.tensors import Tensor, current, data_view, shape_of_node, uid, value_of
from keras.backend.state.variables import Variable
from keras.backend.table.entries import TABLE


class Parameter(cntk_py.Parameter):
    """What keeps a variable. `owner`: the learner that has newer values of it, if any."""
    owner = None


def settle(storages):
    """Have learners give back what is newer than in `storages`."""
    for storage in storages:
        owner = storage.owner
        if owner is not None:
            owner.give_back()


# Held while a learner looks whether slots are free and takes them.
_claiming = threading.Lock()


class Adam:
    """A learner over some variables, and what it has in the place of their slots.

    While `count` is a number, it is the `owner` of all of its slots. Nobody but itself, with its lock held, changes
    that: another learner over some of the slots (a model compiled again with other layers frozen, two models that share
    layers and the optimizer) has it give them back first.
    """

    def __init__(self, parameters, momenta, velocities, beta_1, beta_2, epsilon):
        self.momenta, self.velocities = momenta, velocities
        self.slots = momenta + velocities
        self.learner = cntk.adam(parameters, cntk.learning_parameter_schedule(0.001), cntk.momentum_schedule(beta_1),
                                 unit_gain=True, variance_momentum=cntk.momentum_schedule(beta_2), epsilon=epsilon,
                                 minibatch_size=cntk.learners.IGNORE)
        self.lock = threading.RLock()
        # The number of updates that its means come from; None while the slots have the newest.
        self.count = self.rate = None
        self._is_new = True

    def update(self, rate, step, train):
        """The result of `train()`, which uses the learner, as update number `step` with the learning rate `rate`."""
        while True:
            with self.lock:
                if self.count == step - 1 or self._taken(step - 1):
                    self._set_rate(rate)
                    self._is_new = False
                    found = train()
                    self.count = step
                    return found
            # Without the lock: the other learner may be waiting for it, to get slots from this one.
            settle(self.slots)

    def _set_rate(self, rate):
        if rate != self.rate:
            # At a rate of 0 CNTK would not move the means either; this one is 0 only once it is a float32.
            cntk_py.Learner.reset_learning_rate(self.learner, cntk.learning_parameter_schedule(rate or 1e-300))
            self.rate = rate

    def _taken(self, count):
        """Begin with the means in the slots, after `count` updates. False if other learners have newer ones."""
        self.give_back()
        with _claiming:
            if any(storage.owner is not None for storage in self.slots):
                return False
            for storage in self.slots:
                storage.owner = self
        means = [np.stack([value_of(velocity), value_of(momentum)])
                 for velocity, momentum in zip(self.velocities, self.momenta)]
        # CNTK never frees a list that a checkpoint is given, and a new learner begins with zeros by itself.
        if not self._is_new or count or any([x.any() for x in means]):
            checkpoint = self.learner.create_checkpoint()
            # The learner has them one above the other.
            checkpoint['smoothed_gradients'] = in_checkpoint([x.reshape(-1, x.shape[-1]) for x in means])
            checkpoint['smoothed_count'] = in_checkpoint(float(count))
            self.learner.restore_from_checkpoint(checkpoint)
            self.rate = None
        self.count = count
        return True

    def give_back(self):
        """Put the means into the slots."""
        with self.lock:
            if self.count is not None:
                for means, velocity, momentum in zip(self.learner.create_checkpoint()['smoothed_gradients'],
                                                     self.velocities, self.momenta):
                    both = np.ascontiguousarray(means).reshape((2,) + shape_of_node(velocity))
                    velocity.set_value(data_view(both[0]))
                    momentum.set_value(data_view(both[1]))
            self.count = None
            for storage in self.slots:
                if storage.owner is self:
                    storage.owner = None


# Programs over the same variables go on with one learner.
_learners = weakref.WeakValueDictionary()


class Updates:
    """A call of `adam_update` in a trace: its arguments, and what it has written."""

    def __init__(self, variables, gradients, momenta, velocities, step, learning_rate, *numbers):
        self.variables, self.gradients, self.numbers = variables, gradients, numbers
        self.momenta, self.velocities = momenta, velocities
        self.rate_and_step = [x if type(x) is Tensor else None for x in (learning_rate, step)]
        self.written = {variable: variable.value for variable in self.all_variables()}

    def all_variables(self):
        return list(self.variables) + list(self.momenta) + list(self.velocities)

    def slots(self):
        return [variable.storage for variable in list(self.momenta) + list(self.velocities)]

    def are(self, updates, derivation):
        """Whether these are all of `updates` ([(variable, tensor)]), by the gradients of `derivation` as they are."""
        if len(updates) != len(self.written) or any(self.written.get(variable) is not x for variable, x in updates):
            return False
        boxes = {uid(parameter): uid(box) for parameter, box in zip(derivation.parameters, derivation.boxes)}
        return all(x is not None and not x.has_node() for x in self.rate_and_step) and all(
            type(variable.storage) is Parameter and variable.dtype == 'float32' for variable in self.written) and {
            uid(variable.storage): x.has_node() and uid(x.node)
            for variable, x in zip(self.variables, self.gradients)} == boxes

    def learner(self):
        lists = [[variable.storage for variable in variables]
                 for variables in (self.variables, self.momenta, self.velocities)]
        key = (tuple(map(uid, sum(lists, []))),) + self.numbers
        learner = _learners.get(key)
        if learner is None:
            learner = _learners[key] = Adam(*lists + list(self.numbers))
        return learner


def adam_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                largest_velocities=None):
    """The composite, which a program that knows of this call may leave to a learner."""
    if current.trace is None or largest_velocities:
        return NotImplemented
    arguments = variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon
    TABLE['adam_update'].body(*arguments)
    if all(isinstance(variable, Variable) for variable in [*variables, *momenta, *velocities]):
        current.trace.updates.append(Updates(*arguments))
    return None
