"""scan, cond and while_loop."""
import itertools

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Ledger
from keras.backend.engines.theano import compat
from keras.backend.engines.theano.compat import (Apply, Op, T, Tensor, TensorConstant, fitting_type, ifelse,
                                                 tensor_type, until)
from keras.backend.engines.theano.tensors import cloned, dependents, is_computable, static_shape, value_of, with_shape
from keras.backend.engines.theano.steps import compiled


class _ReadOnly(Ledger):
    """The ledger of the functions that scan, cond and while_loop run."""
    __slots__ = ()

    def read(self, variable):
        return variable.load() if self.outer is None else self.outer.read(variable)

    def write(self, variable, value):
        raise RuntimeError('The variable %s is assigned inside a function given to scan, cond or while_loop. On the '
                           'theano engine such functions must be pure: carry the value and assign it afterwards.'
                           % variable.path)


class _Inner:
    """A function traced on variables of its own.

    Args:
        function: takes and gives nested tensors. arguments: the structure of its arguments, made of (dtype, shape).
        engine: to convert what the function gives.

    placeholders: the variables that stand for the arguments. structure: what the function gave. results: its leaves.
    closure: the variables of the graph around it that it uses; captured: the same as scan takes them.
    """

    def __init__(self, function, arguments, kinds, engine):
        self.placeholders = [with_shape(tensor_type(dtype, shape)(), shape) for dtype, shape in kinds]
        with _ReadOnly(outer=context.ledger):
            self.structure = function(*tree.pack_as(arguments, self.placeholders))
        self.results = [engine.convert(leaf) for leaf in tree.flatten(self.structure)]
        self.closure = _closure(self.results, self.placeholders)
        # Constants among the non-sequences would be left out by Theano's scan.
        self.captured = [T.tensor_copy(x) if isinstance(x, TensorConstant) else x for x in self.closure]

    def on(self, arguments, closure):
        """The results for other arguments and closure."""
        replaced = dict(zip(self.placeholders + self.closure, list(arguments) + list(closure)))
        return cloned(self.results, replaced)


def _closure(results, placeholders):
    """What `results` use that does not depend on `placeholders`, as near to the results as possible."""
    depends, order = dependents(set(placeholders), results)
    used = itertools.chain(results, *[node.inputs for node in order])
    variables = _values_of_variables()
    return [x for x in dict.fromkeys(used) if not depends[x] and isinstance(x, Tensor)
            and (not isinstance(x, TensorConstant) or x in variables)]


def _values_of_variables():
    """What the ledgers of the thread hold: outside of steps these are constants that one may differentiate by."""
    found, ledger = set(), context.ledger
    while ledger is not None:
        found.update(ledger.values.values())
        ledger = ledger.outer
    return found


def _kinds(leaves, sliced=False):
    return [(x.dtype, static_shape(x)[1:] if sliced else static_shape(x)) for x in leaves]


def scan(engine, step, init, xs, length=None, reverse=False):
    """`Engine.scan` by Theano's scan, with everything the step uses of the graph around it as a non-sequence."""
    first, sequences = [engine.convert(x) for x in tree.flatten(init)], [engine.convert(x) for x in tree.flatten(xs)]
    count = next((size for size in [static_shape(x)[0] for x in sequences] if size is not None), length)
    inner = _Inner(step, (init, xs), _kinds(first) + _kinds(sequences, True), engine)
    carried = len(first)
    types = [x.type for x in inner.placeholders[:carried]]
    _, structure = inner.structure
    if count == 0:
        outputs = [engine.full((0,) + static_shape(x), 0, x.dtype) for x in inner.results[carried:]]
        return tree.pack_as(init, first), tree.pack_as(structure, outputs)

    def run(*args):
        elements, carry = args[:len(sequences)], args[len(sequences):len(sequences) + carried]
        results = inner.on(carry + elements, args[len(sequences) + carried:])
        return [fitting_type(x, kind) for x, kind in zip(results, types)] + results[carried:]

    outputs = compat.scan(run, sequences, first + [None] * (len(inner.results) - carried), inner.captured,
                          None if sequences else length, reverse)
    last = [with_shape(x[-1], shape) for x, (_, shape) in zip(outputs, _kinds(first))]
    stacked = [with_shape(x[::-1] if reverse else x, (count,) + static_shape(result))
               for x, result in zip(outputs[carried:], inner.results[carried:])]
    return tree.pack_as(init, last), tree.pack_as(structure, stacked)


def _joined(condition, first, second):
    """`first` where the scalar condition holds, else `second`; only one of them is computed."""
    shape = tuple([a if a == b else None for a, b in zip(static_shape(first), static_shape(second))])
    kind = tensor_type(first.dtype, shape)
    return with_shape(ifelse(condition, fitting_type(first, kind), fitting_type(second, kind)), shape)


def cond(engine, predicate, then, otherwise, operands):
    """`Engine.cond`: a choice now where the predicate has a value, else both branches in the graph, one of them run."""
    if is_computable(predicate) and context.ledger is None:
        return then(*operands) if value_of(predicate) else otherwise(*operands)
    with _ReadOnly(outer=context.ledger):
        first, second = then(*operands), otherwise(*operands)
    leaves = [_joined(predicate, engine.convert(a), engine.convert(b))
              for a, b in zip(tree.flatten(first), tree.flatten(second))]
    return tree.pack_as(first, leaves)


def while_loop(engine, condition, body, init, maximum_iterations=None):
    """`Engine.while_loop`: at once where everything has a value; bounded, a scan; else an operation of its own."""
    values = [engine.convert(x) for x in tree.flatten(init)]
    if context.ledger is None and all(map(is_computable, values)):
        return _loop_now(engine, condition, body, init, maximum_iterations)
    if maximum_iterations == 0:
        return list(init)
    goes_on = _Inner(condition, init, _kinds(values), engine)
    inner = _Inner(body, init, _kinds(values), engine)
    types = [x.type for x in inner.placeholders]
    count, split = len(values), len(inner.closure)
    if maximum_iterations is None:
        loop = WhileLoop(goes_on, inner, types)
        results = loop(*([fitting_type(x, kind) for x, kind in zip(values, types)] + inner.closure + goes_on.closure),
                       return_list=True)
        return list(tree.pack_as(init, [with_shape(x, static_shape(old)) for x, old in zip(results, values)]))

    def run(*args):
        closure = args[count:]
        new = [fitting_type(x, kind) for x, kind in zip(inner.on(args[:count], closure[:split]), types)]
        return new, until(T.invert(goes_on.on(new, closure[split:])[0]))

    outputs = compat.scan(run, [], values, inner.captured + goes_on.captured, maximum_iterations, False)
    started = goes_on.on(values, goes_on.closure)[0]
    last = [_joined(started, with_shape(x[-1], static_shape(old)), old) for x, old in zip(outputs, values)]
    return list(tree.pack_as(init, last))


def _loop_now(engine, condition, body, init, maximum_iterations):
    values, count = list(init), 0
    while value_of(engine.convert(condition(*values))) and (maximum_iterations is None or count < maximum_iterations):
        values, count = list(body(*values)), count + 1
        for leaf in tree.flatten(values):
            value_of(engine.convert(leaf))
    return values


class WhileLoop(Op):
    """Compiled functions run from Python as long as a condition holds. It has no gradient.

    Args:
        goes_on, inner: the condition and the body, each an `_Inner` of the same arguments. types: those of the values.
    """

    def __init__(self, goes_on, inner, types):
        self.types = list(types)
        inputs = [kind() for kind in types]
        closures = [[x.type() for x in part.closure] for part in (inner, goes_on)]
        new = [fitting_type(x, kind) for x, kind in zip(inner.on(inputs, closures[0]), types)]
        self.inputs = inputs + closures[0] + closures[1]
        self.first, self.next = goes_on.on(inputs, closures[1]), new + goes_on.on(new, closures[1])
        self.functions = None

    def make_node(self, *inputs):
        return Apply(self, list(inputs), [kind() for kind in self.types])

    def perform(self, node, inputs, outputs, params=None):
        if self.functions is None:
            self.functions = [compiled(self.inputs, results) for results in (self.first, self.next)]
        count = len(self.types)
        values, closure = list(inputs[:count]), list(inputs[count:])
        goes_on = self.functions[0](*(values + closure))[0]
        while goes_on:
            *values, goes_on = self.functions[1](*(values + closure))
        for storage, value in zip(outputs, values):
            storage[0] = np.array(value)

    def connection_pattern(self, node):
        return [[False] * len(node.outputs) for _ in node.inputs]
