"""Traces run by the primitives of an engine that is not the active one: its formats for the models of all engines."""
import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.ledger import Ledger
from keras.backend.state.seeds import SeedGenerator
from keras.backend.state.variables import to_array
from keras.export.tracing import Trace
from keras.export.walk import Walk, assigns


class Moved:
    """A variable with storage on another engine."""

    def __init__(self, variable, engine):
        self.engine = engine
        self.path, self.name, self.trainable = variable.path, variable.name, variable.trainable
        self.shape, self.dtype = variable.shape, variable.dtype
        self.storage = engine.new_variable(variable.numpy(), variable)

    def load(self):
        return self.engine.load(self.storage)

    def store(self, value):
        self.storage = self.engine.store(self.storage, value)


class Draws:
    """The seeds of random operations there, each another one whenever the function runs."""

    def __init__(self, engine):
        self.state = Moved(SeedGenerator().state, engine)

    def next(self):
        seed = self.state.load()
        self.state.store(self.state.engine.add(seed, self.state.engine.convert(np.array([0, 1], 'uint32'), 'uint32')))
        return seed


class Running(Walk):
    """A run of a trace on `engine`.

    Args:
        weights: a function that gives the tensor of that engine for a variable. draws: `Draws`, where the format keeps
            what is assigned.
    """

    def __init__(self, trace, engine, weights, draws=None):
        super().__init__(trace)
        self.engine, self.weights, self.draws = engine, weights, draws

    def known(self, tensor):
        if tensor in self.trace.seeds and self.draws is not None:
            return self.draws.next()
        variable = self.trace.variables.get(tensor)
        return None if variable is None else self.weights(variable)

    def is_value(self, leaf):
        return self.engine.is_native(leaf)

    def dtype_of(self, value):
        return self.engine.dtype_of(value)

    def constant(self, leaf, dtype):
        if type(leaf) in (int, float, bool):
            return self.engine.scalar(leaf, dtype)
        return self.engine.convert(to_array(leaf), dtype)

    def cast(self, value, dtype):
        return value if self.engine.dtype_of(value) == dtype else self.engine.cast(value, dtype)

    def run(self, node, entry):
        if entry.name == 'size_along':
            x, axis = node.args
            return [self.engine.dynamic_shape(self.operand(x))[axis]]
        if entry.kind != 'primitive':
            return NotImplemented
        results = getattr(self.engine, entry.name)(*self.arguments(entry, node.args))
        return tree.flatten(results) if isinstance(results, (list, tuple)) else [results]

    def run_closure(self, node):
        operation, args = node.operation, list(node.args[0])
        for position, body in operation.bodies.items():
            args[position] = self._function(body)
        positions = operation.entry.tensors
        args = [tree.map_structure(self.operand, arg) if position in positions else arg
                for position, arg in enumerate(args)]
        return tree.flatten(getattr(self.engine, operation.name)(*args))

    def run_function_of_jax(self, node):
        return tree.flatten(node.operation.on(self.engine)(*tree.map_structure(self.operand, node.args)))

    def _function(self, body):
        """A body of a loop or branch as a function of tensors of the engine."""
        def run(*args):
            inner = Running(self.trace, self.engine, self.weights, self.draws)
            # What is known around it is seen in it; what it finds besides belongs to this run of it.
            inner.values.update(self.values)
            inner.values.update(zip(body.inputs, tree.flatten(list(args))))
            return tree.map_structure(inner.operand, body.structure)
        return run


def serving_elsewhere(call, signature, engine, variables, keeps_states):
    """`call`, a function of tensors of the active engine, as one of tensors of `engine`.

    Args:
        signature: (structures of) symbolic tensors, one for each argument. variables: what it may read.
        keeps_states: whether what it assigns to variables is kept there.

    Returns:
        The function, which takes `values` as well, and the variables moved to `engine`.

    Raises:
        CannotExport: where it assigns to variables and that is not kept.
    """
    trace = Trace(engine.data_format, keeping_states=True)
    structure = trace.structure_of(call, signature)
    if trace.assigned and not keeps_states:
        raise assigns(trace.assigned)
    inputs = tree.flatten(list(signature))
    moved = {variable: Moved(variable, engine) for variable in
             list(variables) + list(trace.variables.values()) + list(trace.assigned)}
    draws = Draws(engine) if keeps_states else None

    def run(*args, values=None):
        def weight(variable):
            given = None if values is None else values.get(moved[variable])
            return moved[variable].load() if given is None else given
        walk = Running(trace, engine, weight, draws)
        walk.values.update(zip(inputs, map(engine.convert, tree.flatten(list(args)))))
        with Ledger():
            outputs = tree.map_structure(lambda leaf: None if leaf is None else walk.operand(leaf), structure)
            after = [(moved[variable], walk.operand(value, str(variable.dtype)))
                     for variable, value in trace.assigned.items()]
        for variable, value in after:
            variable.store(value)
        return outputs
    return run, list(moved.values()) + ([draws.state] if keeps_states else [])
