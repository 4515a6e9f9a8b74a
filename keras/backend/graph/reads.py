"""Variables as parts of a graph."""
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Node, order


class Read:
    """Reads a variable, whenever the graph runs."""

    def __init__(self, variable):
        self.variable, self.name = variable, variable.name

    def plan_function(self, node, training):
        return lambda: self.variable.value


def symbol_of(variable):
    """The symbolic tensor that stands for the value of `variable`; the same one but where an order is asked for."""
    if variable.symbol is not None and not order.before:
        return variable.symbol
    symbol = Node(Read(variable), [], {}, AbstractTensor(variable.shape, variable.kept_dtype)).output_structure
    symbol.mark(sparse=variable.sparse)
    if not order.before:
        variable.symbol = symbol
    return symbol
