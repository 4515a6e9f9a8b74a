"""Running the symbolic graph of K: `Function`, and evaluation."""
import collections.abc

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.context import learning_phase, running
from keras.backend.contract.loading import active, get_engine, outside_graphs
from keras.backend.contract.rules import is_integer
from keras.backend.graph.nodes import nodes_between
from keras.backend.graph.plans import Plan, value_of
from keras.backend.graph.reads import Read, symbol_of
from keras.backend.graph.tensors import KerasTensor
from keras.backend.k.derivatives import Sharing
from keras.backend.k.operations import LearningPhase, pairs_of, Update
from keras.backend.state.variables import Variable, native_result, to_array
from keras.backend.table.entries import Entry


def is_on_host(node):
    """Whether the operation of `node` computes on the host, so that it cannot be a part of a compiled step.

    On engines that trace with fixed sizes those do, too, a size of whose results follows from the data.
    """
    return getattr(node.operation, 'on_host', False) \
        or not get_engine().capabilities.dynamic_sizes and _has_size_from_data(node)


def _has_size_from_data(node):
    """Whether an argument of `node` that is no tensor, such as a shape, holds a number that is not made of sizes."""
    entry = node.operation
    if not isinstance(entry, Entry):
        return False
    static = [argument for position, argument in enumerate(node.args) if position not in entry.tensors]
    sizes = [leaf for leaf in tree.flatten(static)
             if isinstance(leaf, KerasTensor) and leaf.shape == () and is_integer(leaf.dtype)]
    return not all(map(_is_made_of_sizes, sizes))


def _is_made_of_sizes(tensor):
    entry = tensor.node.operation if tensor.node is not None else None
    if not isinstance(entry, Entry):
        return False
    return entry.name == 'size_along' or entry.of_sizes is not None and all(map(_is_made_of_sizes, tensor.node.inputs))


class Function:
    """What `K.function` gives: from values for `inputs` to the values of `outputs`, as NumPy arrays.

    Args:
        inputs: list (or any nest) of placeholders, of inputs of models, or of any symbolic tensors between; one of
            them may be `K.learning_phase()`, to be fed 0 or 1.
        outputs: symbolic tensors and variables in a list, or in any nest: results have the same structure.
        updates: list of what `K.update` and its kin give, or of pairs (variable, new value): all outputs and new
            values are computed first, then the variables change.

    Raises:
        ValueError: if an output depends on a placeholder that is not among the inputs; in a call, for the wrong number
            of values or a value of the wrong rank or size.
    """

    def __init__(self, inputs, outputs, updates=[], name=None):
        self.inputs, self.outputs, self.name = inputs, _whole(outputs), name or 'function'
        leaves = tree.flatten(inputs)
        self._phase = next((index for index, leaf in enumerate(leaves) if _is_phase(leaf)), None)
        self._placeholders = [_checked_input(leaf) for leaf in leaves if not _is_phase(leaf)]
        symbols = [_symbolic(leaf) for leaf in tree.flatten(self.outputs if outputs is not None else [])]
        if any(leaf is None for leaf in symbols):
            raise ValueError('K.function: output %d is None. The usual cause: K.gradients gives None for what the loss '
                             'does not depend on.' % [leaf is None for leaf in symbols].index(True))
        self._wanted = [leaf for leaf in symbols if isinstance(leaf, KerasTensor)]
        self._fixed = [None if isinstance(leaf, KerasTensor) else leaf for leaf in symbols]
        self._updates = pairs_of(tree.flatten(_update_list(updates)))
        self._targets = [variable for variable, _ in self._updates if variable is not None]
        values = [_symbolic(value) for _, value in self._updates]
        values_of_updates = [value for value in values if isinstance(value, KerasTensor)]
        self._sharing = Sharing(self._wanted, values_of_updates)
        self._graph = self._sharing.outputs + values_of_updates
        self._new_values = [None if isinstance(value, KerasTensor) else value for value in values]
        self._nodes = nodes_between(self._placeholders, self._graph)
        self._steps = {}
        # What nearly all calls are like is checked for quickly; the rest takes the general way.
        self._plain_inputs = type(inputs) is list and not any(map(tree.is_nested, inputs))
        self._plain_outputs = type(outputs) is list and all(isinstance(leaf, KerasTensor) for leaf in self.outputs)
        self._fits = [_fits(tensor) for tensor in self._placeholders]

    @outside_graphs
    def __call__(self, inputs=()):
        if self._plain_inputs and type(inputs) is list and len(inputs) == len(self.inputs):
            leaves = inputs.copy()
        else:
            leaves = self._given(self.inputs, inputs)
        training = bool(learning_phase.value)
        if self._phase is not None:
            training = bool(np.asarray(leaves.pop(self._phase)))
        values = [value if fits(value) else _fed(value, tensor, self.name)
                  for value, tensor, fits in zip(leaves, self._placeholders, self._fits)]
        engine = get_engine()
        to_numpy, native = engine.to_numpy, active.native
        results = [to_numpy(leaf) if type(leaf) in native else to_array(leaf)
                   for leaf in self._step(training, engine)(*values)]
        return results if self._plain_outputs else self._packed(iter(results))

    def _packed(self, results):
        found = [next(results) if fixed is None else to_array(fixed) for fixed in self._fixed]
        return tree.pack_as(self.outputs, found) if self.outputs is not None else []

    def _given(self, structure, given):
        """The values in `given` for the leaves of `structure`; lists in the place of a leaf are data."""
        if not tree.is_nested(structure):
            return [given]
        if isinstance(structure, dict):
            if not isinstance(given, dict) or sorted(given) != sorted(structure):
                raise ValueError('%s expects a dictionary with the keys %s. Received: %s.' % (
                    self.name, sorted(structure), sorted(given) if isinstance(given, dict) else type(given).__name__))
            return [leaf for key in sorted(structure) for leaf in self._given(structure[key], given[key])]
        if not isinstance(given, (list, tuple)):
            given = [given]
        if len(given) == len(structure) - 1 and _is_phase(structure[-1]):
            # As Keras 2 on TensorFlow: the phase is the one that is set, now or when the function was made.
            given = list(given) + [learning_phase.value if isinstance(structure[-1], LearningPhase) else structure[-1]]
        if len(given) != len(structure):
            raise ValueError('%s expects %d input%s (%s), but it received %d.' % (
                self.name, len(structure), 's' * (len(structure) != 1),
                ', '.join(getattr(part, 'name', repr(part)) for part in structure), len(given)))
        return [leaf for part, value in zip(structure, given) for leaf in self._given(part, value)]

    def _step(self, training, engine):
        key = (training, engine)
        run = self._steps.get(key)
        if run is None:
            run = self._runner(training)
            if not any(map(is_on_host, self._nodes)):
                run = engine.step(run, self._read(), self._targets)
            self._steps[key] = run
        return run

    def _runner(self, training):
        plan = Plan(self._placeholders, self._graph, lambda node: self._sharing.function_of(node, training))
        count = len(self._wanted)

        def run(*values):
            engine = get_engine()
            with running(training, updating=False, keeping_states=False):
                results = plan([value if type(value) is not np.ndarray else engine.convert(value) for value in values])
            new = iter(results[count:])
            for (variable, _), fixed in zip(self._updates, self._new_values):
                value = next(new) if fixed is None else fixed
                if variable is not None:
                    variable.assign(value)
            return list(map(native_result, results[:count]))
        return run

    def _read(self):
        """The variables that the graph is known to read."""
        found = []
        for node in self._nodes:
            operation = node.operation
            found.extend([operation.variable] if isinstance(operation, Read) else getattr(operation, 'variables', ()))
        return list(dict.fromkeys(found))


def _whole(structure):
    """`structure` with shapes, which are tuples of sizes, as vectors."""
    if hasattr(structure, 'tensor'):
        return structure.tensor()
    if isinstance(structure, (list, tuple)) and not hasattr(structure, '_fields'):
        return type(structure)(map(_whole, structure))
    if isinstance(structure, collections.abc.ValuesView):  # of a dictionary
        return [_whole(part) for part in structure]
    return structure


def _is_phase(leaf):
    return isinstance(leaf, LearningPhase) or type(leaf) in (int, bool)


def _checked_input(leaf):
    if not isinstance(leaf, KerasTensor):
        raise TypeError('K.function: the inputs must be placeholders, inputs of models or other symbolic tensors. '
                        'Received: %r.' % (leaf,))
    return leaf


def _symbolic(leaf):
    """A leaf of the outputs, with variables as symbolic tensors."""
    return symbol_of(leaf) if isinstance(leaf, Variable) else leaf


def _update_list(updates):
    """`updates` as a list in which pairs (variable, new value) are `Update`s."""
    if updates is None:
        return []
    if not isinstance(updates, (list, tuple)):
        raise TypeError('K.function: `updates` must be a list. Received: %r.' % (updates,))
    return [Update(update[0], update[1]) if isinstance(update, (list, tuple)) and len(update) == 2
            and isinstance(update[0], Variable) else update for update in updates]


def _fits(tensor):
    """A function that says whether a value is an array just as the placeholder `tensor` wants it."""
    rank = None if tensor.shape is None else len(tensor.shape)
    known = [(axis, size) for axis, size in enumerate(tensor.shape or ()) if size is not None]
    dtype = None if tensor.dtype in ('string', 'bfloat16') else np.dtype(tensor.dtype)

    def fits(value):
        if type(value) is not np.ndarray or value.dtype is not dtype or value.ndim != rank:
            return False
        shape = value.shape
        for axis, size in known:
            if shape[axis] != size:
                return False
        return True
    return fits


def _fed(value, tensor, owner):
    """A value for a placeholder as an array of its dtype."""
    if hasattr(value, 'toarray'):  # SciPy's sparse matrices
        value = value.toarray()
    if value is None:
        raise ValueError('%s: no value for the input %r.' % (owner, tensor))
    if not isinstance(value, np.ndarray):
        if not isinstance(value, (list, tuple, int, float, bool, np.generic)):
            shape = tuple(get_engine().shape_of(value)) if get_engine().is_native(value) else None
            value = value if shape is not None else to_array(value)
        else:
            value = np.asarray(value)
    shape = value.shape if isinstance(value, np.ndarray) else shape
    if tensor.shape is not None and (len(shape) != len(tensor.shape) or any(
            size is not None and size != given for size, given in zip(tensor.shape, shape))):
        raise ValueError('%s: the input %s expects an array of shape %s (None for any size), but it received one of '
                         'shape %s.' % (owner, tensor.name, tuple(tensor.shape), tuple(shape)))
    if not isinstance(value, np.ndarray) or value.dtype.name == tensor.dtype or tensor.dtype in ('string', 'bfloat16'):
        return value
    return value.astype(tensor.dtype)


def function(inputs, outputs, updates=None, name=None, **kwargs):
    """A `Function` from values for `inputs` to the values of `outputs`, which carries out `updates`.

    Args:
        inputs, outputs, updates: see `Function`. kwargs: options of one engine's own compiler are not accepted.

    Example:
        >>> x = K.placeholder((None, 2))
        >>> f = K.function([x], [K.sum(x, axis=1), x * 2])
        >>> f([np.ones((1, 2))])
        [array([2.], dtype=float32), array([[2., 2.]], dtype=float32)]
    """
    if kwargs:
        raise ValueError('Invalid argument %s passed to K.function: it takes inputs, outputs and updates on every '
                         'engine.' % ', '.join(map(repr, sorted(kwargs))))
    return Function(inputs, outputs, updates, name)


def evaluated(x):
    """The value of anything that has one: arrays, variables, native and symbolic tensors."""
    if isinstance(x, KerasTensor):
        x = value_of(x, bool(learning_phase.value))
    return to_array(x)
