"""What a graph of K holds beside operations and layers: updates, draws, the learning phase, prints."""
import numpy as np

from keras.backend.contract.context import learning_phase
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Node
from keras.backend.graph.tensors import KerasTensor


class Deferred:
    """A function without tensor arguments, such as a draw of random numbers, run anew whenever the graph runs."""

    def __init__(self, function, name):
        self.function, self.name = function, name

    def plan_function(self, node, training):
        return self.function


def constant_in_graph(array, dtype, name='constant'):
    """The symbolic tensor whose value is always `array`, a NumPy array."""
    operation = Deferred(lambda: get_engine().convert(array, dtype), name)
    return Node(operation, [], {}, AbstractTensor(array.shape, dtype)).output_structure


class PhaseFlag:
    """The learning phase as a scalar of the graph."""
    name = 'keras_learning_phase'

    def plan_function(self, node, training):
        return lambda: get_engine().convert(np.bool_(training))


class PhaseChoice:
    """One of two tensors, by the learning phase."""
    name = 'in_train_phase'

    def plan_function(self, node, training):
        return (lambda x, alt: x) if training else (lambda x, alt: alt)


class LearningPhase(KerasTensor):
    """The flag that tells training from testing, to be fed to a `Function`; as a number it is the current setting."""

    def __init__(self):
        node = Node(PhaseFlag(), [], {}, AbstractTensor((), 'bool'))
        super().__init__((), 'bool', name=PhaseFlag.name, node=node)
        node.outputs[0] = node.output_structure = self

    def __bool__(self):
        return bool(learning_phase.value)

    def __int__(self):
        return int(bool(self))

    __index__ = __int__

    def __eq__(self, other):
        return int(self) == other if isinstance(other, (int, bool)) else self is other

    __hash__ = KerasTensor.__hash__


class Assign:
    """Assigns to a variable when the graph runs, and gives the new value."""

    def __init__(self, variable):
        self.variable, self.name = variable, 'update_' + variable.name

    def plan_function(self, node, training):
        def run(value):
            self.variable.assign(value)
            return self.variable.value
        return run


class Printing:
    """Prints a tensor whenever the graph runs."""
    name = 'print_tensor'

    def __init__(self, message):
        self.message = message

    def plan_function(self, node, training):
        return lambda x: get_engine().print_tensor(x, self.message)


class Update(KerasTensor):
    """An assignment of `new_value` to `variable`; it takes place when it is evaluated or a `Function` updates by it.

    `change` is the function from old value to new one, where it is known: of an addition, which follows on others.
    """
    change = None

    def __init__(self, variable, new_value):
        node = Node(Assign(variable), [new_value], {}, AbstractTensor(variable.shape, variable.dtype))
        super().__init__(variable.shape, variable.dtype, name=node.operation.name, node=node)
        node.outputs[0] = node.output_structure = self
        self.variable, self.new_value = variable, new_value


def pairs_of(updates):
    """For each of `updates` (variable, its new value), or (None, what is to run) for anything else but a pair.

    Of several of one variable, additions are made to what the one before them gives, as TensorFlow carries them out.
    """
    pairs, latest = [], {}
    for update in {id(update): update for update in updates}.values():
        if not isinstance(update, Update):
            pairs.append(tuple(update) if isinstance(update, (list, tuple)) else (None, update))
            continue
        follows = update.change is not None and update.variable in latest
        value = update.change(latest[update.variable]) if follows else update.new_value
        latest[update.variable] = value
        pairs.append((update.variable, value))
    return pairs
