"""Functions inside a graph: the bodies of loops and branches that are given to an operation on symbolic tensors.

A body may use symbolic tensors from around it. It is recorded once as a graph of its own; what it takes from outside
becomes an input of the node, so that the node can run anywhere.
"""
from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.ledger import AbstractLedger
from keras.backend.graph.nodes import Node, free_tensors, nodes_between, now
from keras.backend.graph.plans import Plan
from keras.backend.graph.tensors import KerasTensor
from keras.backend.table.abstract import abstracted, evaluate


class symbolically:
    """Record operations on symbolic tensors for a block, also while shapes are inferred."""

    def __enter__(self):
        self._previous = (context.ledger, context.abstract)
        context.ledger, context.abstract = context.tracing, False

    def __exit__(self, *_):
        context.ledger, context.abstract = self._previous


class Body:
    """The graph of a function: what it takes, what it gives, and the tensors from outside that it uses.

    Args:
        since: what `now` gave before the function ran: what was computed then is not computed again inside.
    """

    def __init__(self, inputs, outputs, since=0):
        self.inputs, self.structure = inputs, outputs
        leaves = tree.flatten(outputs)
        self._symbolic = [leaf for leaf in leaves if isinstance(leaf, KerasTensor)]
        self._rest = [None if isinstance(leaf, KerasTensor) else leaf for leaf in leaves]
        own = {id(tensor) for tensor in inputs}
        self.captured = [tensor for tensor in free_tensors(self._symbolic, self.inputs, since)
                         if id(tensor) not in own]

    @property
    def nodes(self):
        """The nodes between what it takes and what it gives."""
        return nodes_between(self.inputs + self.captured, self._symbolic)

    def function(self, training, outside):
        """The function to run, given values for the captured tensors."""
        plan = Plan(self.inputs + self.captured, self._symbolic,
                    lambda node: node.function(training))

        def run(*args):
            results = iter(plan(tree.flatten(list(args)) + list(outside)))
            leaves = [next(results) if rest is None else rest for rest in self._rest]
            return tree.pack_as(self.structure, leaves)
        return run


class Closure:
    """An entry of the op table with `Body`s in the place of its functions."""

    def __init__(self, entry, bodies):
        self.entry, self.bodies, self.name = entry, bodies, entry.name

    @property
    def inner_nodes(self):
        return [node for body in self.bodies.values() for node in body.nodes]

    def plan_function(self, node, training):
        def run(args, *captured):
            remaining = iter(captured)
            filled = list(args)
            for position, body in self.bodies.items():
                filled[position] = body.function(training, [next(remaining) for _ in body.captured])
            return self.entry.call(*filled)
        return run


def record_with_functions(entry, args):
    """A node for a call of a primitive, some of whose arguments are functions."""
    bodies, args = {}, list(args)

    def traced(position, function):
        def run(*abstract):
            inputs = tree.map_structure(lambda leaf: KerasTensor(leaf.shape, leaf.dtype, name='argument'),
                                        list(abstract))
            since = now()
            with symbolically():
                outputs = function(*inputs)
            bodies[position] = Body(tree.flatten(inputs), outputs, since)
            with AbstractLedger():
                return tree.map_structure(abstracted, outputs)
        return run

    functions = {position: args[position] for position in entry.functions}
    for position, function in functions.items():
        args[position] = traced(position, function)
    outputs = evaluate(entry, args)
    for position in functions:
        args[position] = None
        if position not in bodies:  # a rule need not run every function; the shapes of its arguments are those of init
            bodies[position] = _body_on(functions[position], args[entry.tensors[0]])
    captured = [tensor for position in bodies for tensor in bodies[position].captured]
    ordered = {position: bodies[position] for position in bodies}
    return Node(Closure(entry, ordered), [args] + captured, {}, outputs).output_structure


def _body_on(function, init):
    inputs = [KerasTensor(leaf.shape, leaf.dtype, name='argument')
              for leaf in map(abstracted, tree.flatten(init))]
    since = now()
    with symbolically():
        return Body(inputs, function(*inputs), since)
