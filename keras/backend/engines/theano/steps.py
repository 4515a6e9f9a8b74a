"""Steps, each a `theano.function` per kind of arguments, and gradients."""
import contextlib
import sys
import threading

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Ledger
from keras.backend.contract.loading import active
from keras.backend.contract.rules import is_float
from keras.backend.engines.theano.compat import (DisconnectedType, NullType, T, Tensor, TensorConstant, fitting_type,
                                                 new_constant, runner, step_mode, tensor_type, theano)
from keras.backend.engines.theano.tensors import dependents, static_shape, with_shape


# For graphs too long for Python's limit of recursion, by which Theano walks through them when it compiles.
_DEEP_STACK, _DEEP_LIMIT = 2 ** 29, 200000


def compiled(inputs, outputs, updates=()):
    """The compiled `theano.function`."""
    def run():
        return theano.function(inputs, outputs, updates=list(updates), mode=step_mode(), on_unused_input='ignore')
    try:
        return run()
    except RecursionError:
        return _with_deep_stack(run)


def _with_deep_stack(function):
    """What `function` gives in a thread that may recurse far."""
    results = []
    limit, size = sys.getrecursionlimit(), threading.stack_size(_DEEP_STACK)
    sys.setrecursionlimit(_DEEP_LIMIT)
    try:
        thread = threading.Thread(target=_kept, args=(function, results))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    result, error = results[0]
    if error is not None:
        raise error
    return result


def _kept(function, results):
    try:
        results.append((function(), None))
    except Exception as error:  # it is raised where the thread was started
        results.append((None, error))


class Step:
    """A function over variables as compiled functions, one per signature of its arguments. See `Engine.step`.

    A signature is the rank, the dtype and the sizes of the arguments but the first one: that is the batch's and stays
    open, unless `static_batch`. Theano wants to know which sizes are 1, to be broadcast, so an argument whose first
    size is 1 beside others with more makes a signature of its own; a batch of one sample does not. A function that
    cannot do without the first sizes is traced with those it is called with.
    """

    def __init__(self, engine, fn, static_batch):
        self.engine, self.fn, self.static_batch = engine, fn, static_batch
        self.programs = {}  # (kinds of arguments, shapes) -> Program
        self.latest = {}  # kinds of arguments -> the shapes of the latest program
        self.by_shapes, self.last = {}, None
        self.lock = threading.RLock()

    def __call__(self, *args):
        values, signature = [], []
        for leaf in _flattened(args):
            kind = type(leaf)
            if kind is TensorConstant:
                leaf = leaf.data
            elif leaf is None:
                signature.append(None)
                continue
            elif kind is not np.ndarray or not leaf.flags.aligned or not leaf.dtype.isnative:
                leaf = self.engine.to_numpy(self.engine.convert(leaf))
            values.append(leaf)
            signature.append(leaf.dtype.num)
            signature.append(leaf.shape)
        signature = tuple(signature)
        with self.lock:
            program = self.by_shapes.get(signature)
            if program is None:
                program = self._program(args, values, signature)
            self.last = program
            return program(values)

    @contextlib.contextmanager
    def quiet(self):
        """A context for a time in which arguments are alike but for their first sizes, see `Engine.step`.

        Results stay arrays, as they come, instead of becoming constants of Theano's each time.
        """
        quick, made, (at, index) = {}, [], (0, 0)

        def run(*args):
            nonlocal at, index
            if quick:
                known = quick.get(args[at][index].shape)
                if known is not None:
                    return known(*args)
            with self.lock:
                result, program = self(*args), self.last
            if not program.gives_plainly:
                return result
            leaves = [leaf for leaf in _flattened(args) if leaf is not None]
            places = _places(args)
            if places and program.takes_plainly and all(
                    [type(leaf) is np.ndarray and leaf.flags.aligned and leaf.dtype.isnative for leaf in leaves]):
                at, index = places[-1]
                quick[leaves[-1].shape] = program.taking(places, len(args), self.lock)
                made.append(program)
            return [one.data for one in result] if type(result) is list else result.data
        try:
            yield run
        finally:
            for program in made:
                program.run.let_go()

    def _program(self, args, values, signature):
        """The program for arguments of these shapes; made if there is none."""
        if len(self.by_shapes) > 1000:
            self.by_shapes.clear()
        kinds = (tuple([value.dtype.name for value in values]), tuple([value.ndim for value in values]),
                 _layout(args))
        candidates = list(dict.fromkeys(self._candidates([value.shape for value in values], self.latest.get(kinds))))
        found = [self.programs[kinds, shapes] for shapes in candidates if (kinds, shapes) in self.programs]
        program = found[0] if found else None
        if program is None:
            program = self._traced(args, kinds, candidates)
        self.by_shapes[signature] = program
        return program

    def _candidates(self, shapes, latest):
        """Shapes to trace with, the most general ones first."""
        if not self.static_batch:
            sizes = {shape[0] for shape in shapes if shape}
            one_of_many = bool(sizes - {1})
            yield tuple([shape if not shape or shape[0] == 1 and one_of_many else (None,) + shape[1:]
                         for shape in shapes])
            if latest is not None:
                yield tuple([shape if not shape or before[0] == shape[0] else (None,) + shape[1:]
                             for before, shape in zip(latest, shapes)])
        yield tuple(shapes)

    def _traced(self, args, kinds, candidates):
        """A new program. Where the first sizes must be known, those of a kernel for example, tracing fails without."""
        for shapes in candidates:
            try:
                program = Program(self, args, list(zip(kinds[0], shapes)))
                break
            except Exception:
                if shapes is candidates[-1]:
                    raise
        self.programs[kinds, shapes] = program
        self.latest[kinds] = shapes
        return program


def _flattened(args):
    """`tree.flatten`, in less time for tensors and lists of them."""
    leaves = []
    for arg in args:
        kind = type(arg)
        if kind is TensorConstant or kind is np.ndarray:
            leaves.append(arg)
        elif kind is list and all([type(part) in _LEAVES for part in arg]):
            leaves += arg
        else:
            leaves += tree.flatten(arg)
    return leaves


def _places(args):
    """Where in arguments, arrays and lists of arrays and None, the arrays are: pairs (number of the argument, place in
    it or None), an empty list where the last is no part of a list."""
    places = []
    for number, arg in enumerate(args):
        if type(arg) is list:
            places += [(number, place) for place, leaf in enumerate(arg) if leaf is not None]
        elif arg is not None:
            places.append((number, None))
    return places if places and places[-1][1] is not None else []


_LEAVES = frozenset((np.ndarray, TensorConstant, type(None)))


def _layout(args):
    """The structure of arguments and the places of None in it, hashable."""
    return str(tree.map_structure(lambda leaf: leaf is None, list(args)))


class Program:
    """One compiled function of a step.

    Args:
        step: the `Step`. args: the arguments of a call, for their structure. kinds: (dtype, shape) of each tensor.
    """

    def __init__(self, step, args, kinds):
        self.engine = step.engine
        inputs = [with_shape(tensor_type(dtype, shape)(), shape) for dtype, shape in kinds]
        remaining = iter(inputs)
        args = tree.map_structure(lambda leaf: None if leaf is None else next(remaining), args)
        with Ledger(missing=lambda variable: variable.storage) as ledger:
            results = step.fn(*args)
        leaves = tree.flatten(results)
        outputs = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        updates = [(variable.storage, fitting_type(value, variable.storage.type))
                   for variable, value in ledger.writes.items() if value is not variable.storage]
        self.variables = list(dict.fromkeys(list(ledger.values) + list(ledger.writes)))
        self.activations = active.activations
        self.run = runner(compiled(inputs, outputs, updates))
        self.pack = _packer(results, leaves)
        self._gives_one = isinstance(results, Tensor)
        self.gives_plainly = self._gives_one or self.pack is list

    def __call__(self, values):
        self._follow()
        return self.pack(list(map(new_constant, self.run(values))))

    @property
    def takes_plainly(self):
        """Whether there is a shorter way to run it, while the variables are here."""
        return hasattr(self.run, 'taking')

    def taking(self, places, count, lock):
        """A function of `count` arguments, with the arrays at `places`, that gives the one result as an array, or a
        list of those that are one."""
        names = ['a%d' % number for number in range(count)]
        return self.run.taking([names[number] if place is None else '%s[%d]' % (names[number], place)
                                for number, place in places], names, lock, self._gives_one)

    def _follow(self):
        """Have the variables on this engine."""
        if self.activations != active.activations:
            for variable in self.variables:
                variable.storage
            self.activations = active.activations


def _packer(structure, leaves):
    """A function that lays results out as `structure`; what is no tensor in it is handed out as it is."""
    if isinstance(structure, Tensor):
        return lambda results: results[0]
    if type(structure) is list and all(isinstance(leaf, Tensor) for leaf in structure):
        return list
    fixed = [None if isinstance(leaf, Tensor) else leaf for leaf in leaves]
    tensors = [isinstance(leaf, Tensor) for leaf in leaves]
    layout = tree.map_structure(lambda leaf: None, structure)

    def pack(results):
        remaining = iter(results)
        return tree.pack_as(layout, [next(remaining) if tensor else leaf for tensor, leaf in zip(tensors, fixed)])
    return pack


# --- gradients ----------------------------------------------------------------------------------------------------

def value_and_grad(fn, variables):
    """See `Engine.value_and_grad`."""
    values = {}
    for variable in dict.fromkeys(variables):
        value = variable.value
        # Two variables that hold one value have gradients of their own.
        values[variable] = T.tensor_copy(value) if any(value is other for other in values.values()) else value
    with Ledger(values, outer=context.ledger) as ledger:
        value, aux = fn()
    gradients = gradients_of(value, [values[variable] if is_float(variable.dtype) else None for variable in variables])
    for variable, written in ledger.writes.items():
        variable.assign(written)
    return (value, aux), gradients


class Recorder:
    """A tape over Theano's graph, in which everything is recorded."""

    def __enter__(self):
        pass

    def __exit__(self, *error):
        pass

    def watch(self, value):
        # Two variables that hold one value have gradients of their own.
        return with_shape(T.tensor_copy(value), static_shape(value))

    def gradients(self, targets, factors, values):
        total = sum([T.sum(target if factor is None else target * factor) for target, factor in zip(targets, factors)])
        return gradients_of(total, values)


def gradients_of(value, sources):
    """The gradients of the scalar `value` by `sources`; None where there is none, or for a source that is None.

    The chain rule backwards over the graph, as `theano.grad` applies it, but without recursion, which long graphs
    would drive beyond Python's limit. Tensors of integers end the way of a gradient.
    """
    wanted = {source for source in sources if source is not None}
    found = {value: T.ones_like(value)}
    for node in reversed(dependents(wanted, [value])[1]):
        gradients = [found.get(output) for output in node.outputs]
        if all(gradient is None for gradient in gradients):
            continue
        gradients = [DisconnectedType()() if gradient is None else gradient for gradient in gradients]
        for source, gradient in zip(node.inputs, node.op.L_op(node.inputs, node.outputs, gradients)):
            if isinstance(gradient, Tensor) and is_float(getattr(source.type, 'dtype', '')):
                gradient = T.cast(gradient, source.dtype)
                found[source] = found[source] + gradient if source in found else gradient
            elif isinstance(gradient.type, NullType) and is_float(getattr(source.type, 'dtype', '')):
                raise NotImplementedError('The theano engine has no gradient of %s: %s'
                                          % (node.op, gradient.type.why_null))
    return [with_shape(found[source], static_shape(source)) if source in found else None for source in sources]
