"""Functions inside a graph: the bodies of loops and branches that are given to an operation on symbolic tensors.

A body may use symbolic tensors from around it. It is recorded once as a graph of its own; what it takes from outside,
computed before it, becomes an input of the node: it is not computed again inside, and the node can run anywhere.
"""
from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.ledger import AbstractLedger
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import creation_number, free_tensors, Node, nodes_between
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


class Place:
    """Stands for the tensor at a place of the list of all tensors of a body."""
    __slots__ = ('number',)

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        return Place, (self.number,)


class Body:
    """The graph of a function: what it takes, what it gives, and the tensors from outside that it uses.

    Args:
        since: a `creation_number`: nodes from before it are outside. None: all that it depends on is a part of it.
    """

    def __init__(self, inputs, outputs, since=None):
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

    def flat(self):
        """(kinds of the inputs, those of what it takes from outside, calls, outputs), without a node in them.

        A kind is (shape, dtype), a call (operation, args, kwargs, outputs, implicit, phase) with `Place`s for tensors,
        its outputs a structure of `AbstractTensor`s. `unflattened` makes a body of it.
        """
        places = {id(tensor): Place(number) for number, tensor in enumerate(self.inputs + self.captured)}

        def placed(structure):
            return tree.map_structure(lambda leaf: places[id(leaf)] if isinstance(leaf, KerasTensor) else leaf,
                                      structure)
        calls, count = [], len(places)
        for node in self.nodes:
            args, kwargs = placed([list(node.args), dict(node.kwargs)])
            outputs = tree.map_structure(lambda leaf: AbstractTensor(leaf.shape, leaf.dtype), node.output_structure)
            calls.append((node.operation, args, kwargs, outputs, sorted(node.implicit), node.phase))
            for number, tensor in enumerate(node.outputs, count):
                places.setdefault(id(tensor), Place(number))
            count += len(node.outputs)
        kinds = [[(tensor.shape, tensor.dtype) for tensor in tensors] for tensors in (self.inputs, self.captured)]
        return kinds[0], kinds[1], calls, placed(self.structure)

    def __reduce__(self):
        return unflattened, self.flat()


def unflattened(inputs, captured, calls, outputs):
    """The `Body` that `Body.flat` describes."""
    tensors = [KerasTensor(shape, dtype, name='argument') for shape, dtype in list(inputs) + list(captured)]

    def filled(structure):
        return tree.map_structure(lambda leaf: tensors[leaf.number] if isinstance(leaf, Place) else leaf, structure)
    for operation, args, kwargs, results, implicit, phase in calls:
        node = Node(operation, filled(args), filled(kwargs), results, implicit)
        node.phase = phase
        tensors.extend(node.outputs)
    body = Body(tensors[:len(inputs)], filled(outputs))
    body.captured = tensors[len(inputs):len(inputs) + len(captured)]
    return body


class Closure:
    """An entry of the op table with `Body`s in the place of its functions: {position of the argument: body}."""

    def __init__(self, entry, bodies):
        self.entry, self.bodies, self.name = entry, bodies, entry.name

    @property
    def inner_nodes(self):
        return [node for body in self.bodies.values() for node in body.nodes]

    def call(self, args, *captured):
        """The call as a node of another graph: with these arguments, and tensors from outside of the bodies."""
        described = tree.map_structure(lambda leaf: AbstractTensor(leaf.shape, leaf.dtype)
                                       if isinstance(leaf, AbstractTensor) else leaf, [list(args)] + list(captured))
        with AbstractLedger():
            outputs = self.plan_function(None, False)(*described)
        return Node(self, [list(args)] + list(captured), {}, outputs).output_structure

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
    bodies, args, since = {}, list(args), creation_number()

    def traced(position, function):
        def run(*abstract):
            inputs = tree.map_structure(lambda leaf: KerasTensor(leaf.shape, leaf.dtype, name='argument'),
                                        list(abstract))
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
            bodies[position] = _body_on(functions[position], args[entry.tensors[0]], since)
    captured = [tensor for position in bodies for tensor in bodies[position].captured]
    ordered = {position: bodies[position] for position in bodies}
    return Node(Closure(entry, ordered), [args] + captured, {}, outputs).output_structure


def _body_on(function, init, since):
    inputs = [KerasTensor(leaf.shape, leaf.dtype, name='argument')
              for leaf in map(abstracted, tree.flatten(init))]
    with symbolically():
        return Body(inputs, function(*inputs), since)
