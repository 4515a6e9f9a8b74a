"""Functions that were written for another library as parts of a graph."""
from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine
from keras.backend.graph.nodes import Node
from keras.backend.table.abstract import abstracted


class FunctionOfJax:
    """An operation that runs a function written for JAX; the arguments are those of `Engine.function_of_jax`."""

    name = 'function_of_jax'

    def __init__(self, fn, platforms):
        self.fn, self.platforms = fn, platforms

    def plan_function(self, node, training):
        return self.on(get_engine())

    def on(self, engine):
        """The function, of tensors of `engine`."""
        return engine.function_of_jax(self.fn, self.platforms)

    def record(self, *args):
        """A node that runs it on `args`, (structures of) symbolic tensors; the outputs."""
        outputs = get_engine().eval_shape(self.fn, tree.map_structure(abstracted, list(args)))
        return Node(self, list(args), {}, outputs).output_structure
