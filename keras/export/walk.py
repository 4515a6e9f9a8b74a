"""Walks over a trace, from what is wanted back to what is given: for writing a graph, and for running it elsewhere."""
import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine, is_native
from keras.backend.contract.rules import AbstractTensor, result_dtype
from keras.backend.graph.tensors import KerasTensor, is_placeholder
from keras.backend.state.variables import Variable
from keras.backend.table.abstract import host_dtype, map_tensors, promoted_dtype
from keras.backend.table.bodies import Closure
from keras.backend.table.entries import Entry
from keras.backend.table.foreign import FunctionOfJax


class CannotExport(NotImplementedError):
    """What a format has no form for. `layer` is the name of the layer that does it, '' where that is not known."""
    layer = ''


def assigns(variables):
    """The `CannotExport` for a function that assigns to variables, in a format that keeps nothing."""
    return CannotExport("export: what is exported assigns to %s when it runs, which this format does not keep. Export "
                        "to 'onnx' or 'tf_saved_model', or leave that out where `training` is False."
                        % ', '.join(variable.path or variable.name for variable in variables))


class Walk:
    """Finds for each symbolic tensor of a trace what stands for it, a value of some kind, each once.

    Args:
        trace: the `Trace` that the tensors are from.

    values: {symbolic tensor: its value}; whoever starts a walk puts in what is given.

    A subclass says how a value is made: `known`, `constant`, `cast`, `dtype_of`, `run` (a primitive, or a composite
    that it has a form for) and `run_closure` (a loop or a branch).
    """

    def __init__(self, trace):
        self.trace = trace
        self.values = {}

    # --- what subclasses define

    def known(self, tensor):
        """The value of a tensor that need not be computed by its node; None where it has to be."""
        return None

    def run(self, node, entry):
        """The values of a call of `entry`, a list; NotImplemented for a composite to be run by what it is made of."""
        raise NotImplementedError

    def run_closure(self, node):
        """The values that a loop or branch gives, a list."""
        raise NotImplementedError

    def run_function_of_jax(self, node):
        """The values that a function written for JAX gives, a list."""
        raise CannotExport('it runs a function written for JAX')

    # --- tensors

    def value(self, tensor):
        """The value of a symbolic tensor; whatever it is computed from comes before."""
        stack = [tensor]
        while stack:
            top = stack[-1]
            found = None if top in self.values else self.known(top)
            if found is not None:
                self.values[top] = found
            if top in self.values:
                stack.pop()
            elif is_placeholder(top):
                raise CannotExport('it depends on %r, which has no value in an exported model%s' % (top, _why(top)))
            else:
                waiting = [one for one in top.node.inputs if one not in self.values]
                stack.extend(waiting)
                if not waiting:
                    self._compute(top.node)
        return self.values[tensor]

    def operand(self, leaf, dtype=None):
        """The value of anything that may stand where an operation takes a tensor."""
        if isinstance(leaf, Variable):
            leaf = self.trace.read(leaf)
        if isinstance(leaf, KerasTensor):
            leaf = self.value(leaf)
        elif isinstance(leaf, AbstractTensor):
            raise CannotExport('it computes on the host, for which there is no form in another runtime')
        elif not self.is_value(leaf):
            return self.constant(leaf, dtype or dtype_of(leaf))
        return leaf if dtype is None else self.cast(leaf, dtype)

    # --- nodes

    def _compute(self, node):
        try:
            self.values.update(zip(node.outputs, self._results(node)))
        except CannotExport as error:
            error.layer = error.layer or self.trace.layer_of(node)
            raise

    def _results(self, node):
        operation = node.operation
        if isinstance(operation, Closure):
            return self.run_closure(node)
        if isinstance(operation, FunctionOfJax):
            return self.run_function_of_jax(node)
        if not isinstance(operation, Entry):
            raise CannotExport('%s %r is no operation of the table: it calls functions of the engine itself'
                               % (type(operation).__name__, operation.name))
        results = self.run(node, operation)
        if results is not NotImplemented:
            return results
        with self.trace:
            outputs = tree.flatten(operation.body(*node.args))
        return [self.operand(output, str(tensor.dtype)) for output, tensor in zip(outputs, node.outputs)]

    def arguments(self, entry, args):
        """The arguments of a call as an engine's function takes them, those that share a dtype cast to it."""
        args = map_tensors(entry, args, lambda leaf, position: leaf if leaf is None or _is_number(leaf)
                           else self.operand(leaf))
        dtype = self._common_dtype(entry, args) if entry.promoted else None
        args = map_tensors(entry, args, lambda leaf, position: leaf if leaf is None else self.operand(
            leaf, dtype if position in entry.promoted else None))
        return [self._static(argument) for argument in args]

    def _static(self, argument):
        """Sizes that are scalars of the graph, as values."""
        if isinstance(argument, KerasTensor):
            return self.value(argument)
        if isinstance(argument, tuple):
            return tuple(map(self._static, argument))
        return argument

    def _common_dtype(self, entry, args):
        """The dtype that the promoted arguments of a call are cast to, as the dispatcher chooses it."""
        leaves = [leaf for position in entry.promoted for leaf in tree.flatten([args[position]]) if leaf is not None]
        return str(promoted_dtype(entry, [
            type(leaf) if type(leaf) in (int, float) else 'bool' if type(leaf) is bool else str(self.dtype_of(leaf))
            for leaf in leaves]))


def _why(tensor):
    return ' (a random operation: it draws numbers when it runs)' if tensor.name == 'seed' else ''


def _is_number(leaf):
    return type(leaf) in (int, float, bool)


def dtype_of(leaf):
    """The name of the dtype of a number, an array or a tensor of the active engine."""
    if _is_number(leaf):
        return result_dtype(type(leaf)) if type(leaf) is not bool else 'bool'
    if is_native(leaf) and not isinstance(leaf, np.ndarray):
        return str(get_engine().dtype_of(leaf))
    return str(host_dtype(np.asarray(leaf)))
