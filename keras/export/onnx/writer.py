"""From the symbolic tensors of a trace to nodes of ONNX."""
import numpy as np

from keras.backend.contract import tree
from keras.backend.graph.nodes import Ancestry
from keras.backend.state.variables import to_array
from keras.export.onnx import composites, control, elementwise, movement, recurrent, reductions, windows  # noqa: F401
from keras.export.onnx.blocks import Value
from keras.export.onnx.converters import CONVERTERS, REFUSED
from keras.export.walk import CannotExport, Walk


class Writer(Walk):
    """Writes what symbolic tensors are computed by into a `Block`, each once.

    Args:
        trace: the `Trace` that the tensors are from. block: where to. outer: the writer of the graph around a body, and
        arguments: the symbolic tensors that the body is given.
    """

    def __init__(self, trace, block, outer=None, arguments=()):
        super().__init__(trace)
        self.block, self.outer = block, outer
        self.is_constant = trace.constants() if outer is None else outer.is_constant
        self._own = Ancestry(list(arguments)).uses if outer is not None else None

    # --- values

    def known(self, tensor):
        if self.outer is not None and not self._own(tensor):
            return self.outer.value(tensor)
        if tensor in self.trace.seeds:  # runtimes have seeds of their own; nothing uses this one
            return self.block.constant(np.zeros(2, 'uint32'))
        variable = self.trace.variables.get(tensor)
        if variable in self.trace.assigned:  # an input that may be left out
            return self.block.outermost.with_default(variable.numpy(), str(tensor.dtype), variable.path)
        if not self.is_constant(tensor):
            return None
        if variable is None:
            return self.block.constant(self.trace.value_of(tensor), str(tensor.dtype))
        return self.block.deferred(variable.numpy, str(tensor.dtype), tensor.shape, variable.path)

    @staticmethod
    def is_value(leaf):
        return isinstance(leaf, Value)

    @staticmethod
    def dtype_of(value):
        return value.dtype

    def constant(self, leaf, dtype):
        return self.block.constant(to_array(leaf), dtype)

    def cast(self, value, dtype):
        return self.block.cast(value, dtype)

    # --- nodes

    def run_closure(self, node):
        return self._described(node, control.written(self, node))

    def run(self, node, entry):
        convert = CONVERTERS.get(entry.name)
        if convert is None and entry.kind == 'primitive':
            raise CannotExport('the operation %s has no form in ONNX: %s' % (entry.name, REFUSED[entry.name]))
        if convert is None:
            return NotImplemented
        try:
            results = convert(self.block, *self.arguments(entry, node.args))
        except ValueError as error:
            raise CannotExport('%s cannot be written: %s' % (entry.name, error)) from error
        if results is NotImplemented:
            return results
        results = tree.flatten(results) if isinstance(results, (list, tuple)) else [results]
        results = [self.block.cast(value, str(tensor.dtype)) for value, tensor in zip(results, node.outputs)]
        return self._described(node, results)

    @staticmethod
    def _described(node, results):
        """`results` with the shapes that the graph says."""
        for tensor, value in zip(node.outputs, results):
            if not value.is_constant:
                value.shape, value.dtype = tensor.shape, str(tensor.dtype)
        return results

    # --- graphs inside

    def body(self, arguments, given=()):
        """A writer for a body that is given the symbolic tensors `arguments`, and their values in it.

        given: further symbolic tensors that have values of their own there.
        """
        inner = Writer(self.trace, self.block.inner(), self, list(arguments) + list(given))
        values = [inner.block.argument(tensor.shape, str(tensor.dtype)) for tensor in arguments]
        inner.values.update(zip(arguments, values))
        return inner, values

    def with_values(self, tensors, values):
        """A writer to the same block for which the symbolic `tensors` have these values."""
        inner = Writer(self.trace, self.block, self, tensors)
        inner.values.update(zip(tensors, values))
        return inner
