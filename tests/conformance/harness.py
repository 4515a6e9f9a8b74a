"""The checks of the conformance suite, as functions of a case on the active engine.

A case is one entry of the op table with one set of example arguments. Every check raises AssertionError where
the engine does not do what the table says. Which cases are known to fail, and why, says `expected.py`.
"""
import contextlib
import functools
import importlib
import itertools
import pkgutil
import zlib

import numpy as np
import pytest

from keras import config
from keras.backend.contract import loading as engines, tree
from keras.backend.contract.rules import AbstractTensor, is_float
from keras.backend.graph.plans import Plan
from keras.backend.graph.tensors import KerasTensor, is_symbolic
from keras.backend.state.variables import Variable
from keras.backend.table import composites, primitives
from keras.backend.table.abstract import evaluate
from keras.backend.table.cases import Sample
from keras.backend.table.entries import TABLE

from references import REFERENCES, TOLERANCES

for _module in pkgutil.iter_modules(composites.__path__):
    importlib.import_module('keras.backend.table.composites.' + _module.name)
importlib.import_module('keras.backend.table.operators')

# Parameters whose sizes are always known: weights.
WEIGHTS = {'kernel', 'recurrent_kernel', 'depthwise_kernel', 'pointwise_kernel', 'bias', 'table', 'h0', 'c0', 'gamma',
           'beta', 'scale', 'offset', 'mean', 'variance'}

# Entries with an argument that names the sizes of all axes but the batch's.
BATCH_ONLY = {'conv_transpose'}
# Entries of symmetric matrices, whose gradient is defined among symmetric matrices only.
SYMMETRIC = {'cholesky', 'eigh'}

# Entries of which only that many of the outputs have a gradient; the others are constants by definition.
DIFFERENTIABLE_OUTPUTS = {'batch_normalization_train': 1}


class Case:
    """One entry with one set of arguments, drawn anew, always the same, for every check."""

    def __init__(self, entry, index):
        self.entry = entry
        self.index = index

    @property
    def id(self):
        return '%s-%d' % (self.entry.name, self.index)

    def arguments(self):
        """The arguments, NumPy arrays in the place of tensors, defaults filled in."""
        generator = np.random.RandomState(zlib.crc32(self.id.encode()))
        args = tree.map_structure(lambda leaf: leaf.draw(generator) if isinstance(leaf, Sample) else leaf,
                                  list(self.entry.cases[self.index]))
        defaults = [self.entry.defaults[name] for name in self.entry.parameters[len(args):]]
        return args + defaults

    def is_weight(self, position):
        return self.entry.parameters[position] in WEIGHTS


def is_array(leaf):
    return isinstance(leaf, (np.ndarray, np.generic))


def table_cases(kind=None, first=False, tensors=False):
    """All cases of the table; `first`: one per entry; `tensors`: only of entries that take tensors."""
    return [Case(entry, index) for entry in TABLE.values() for index in range(len(entry.cases))
            if (kind in (None, entry.kind)) and not (first and index) and (entry.tensors or not tensors)]


def parameters(check, cases, expected):
    """pytest parameters for `cases`, the ones in the table of expected failures marked as such."""
    result = []
    for case in cases:
        reason = expected.get((check, case.id)) or expected.get((check, case.entry.name))
        marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
        result.append(pytest.param(case, id=case.id, marks=marks))
    return result


@contextlib.contextmanager
def activated(engine):
    """Have `engine` (an instance, registered or not) run the operations for a block."""
    previous = engines.get_engine()
    engines.activate(engine)
    try:
        yield engine
    finally:
        engines.activate(previous)


@contextlib.contextmanager
def float64():
    previous = config.floatx()
    config.set_floatx('float64')
    try:
        yield
    finally:
        config.set_floatx(previous)


# --- helpers ----------------------------------------------------------------------------------------------------

def call(entry, args):
    return entry.call(*args)


def native(args):
    engine = engines.get_engine()
    return tree.map_structure(lambda leaf: engine.convert(leaf) if is_array(leaf) else leaf, args)


def natives(tensors, args):
    """The tensors that `native` made of the arrays in `args`."""
    return [leaf for leaf, old in zip(tree.flatten(tensors), tree.flatten(args)) if is_array(old)]


def abstract(args):
    return tree.map_structure(
        lambda leaf: AbstractTensor(leaf.shape, leaf.dtype.name) if is_array(leaf) else leaf, args)


def host(structure):
    """The leaves of a result as NumPy arrays."""
    return [np.asarray(engines.get_engine().to_numpy(leaf)) for leaf in tree.flatten(structure)]


def dtypes(structure):
    return [engines.get_engine().dtype_of(leaf) for leaf in tree.flatten(structure)]


def arrays(args):
    return [leaf for leaf in tree.flatten(args) if is_array(leaf)]


def replaced(args, leaves):
    """`args` with the arrays in it replaced by `leaves`."""
    remaining = iter(leaves)
    return tree.map_structure(lambda leaf: next(remaining) if is_array(leaf) else leaf, args)


def assert_close(actual, expected, name='', factor=1.0, what='value'):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, '%s of %s: shape %s, expected %s' % (
        what, name, actual.shape, expected.shape)
    if actual.size == 0:
        return
    if actual.dtype.kind in 'biu' and expected.dtype.kind in 'biu':
        assert np.array_equal(actual, expected), '%s of %s: %s, expected %s' % (what, name, actual, expected)
        return
    tolerance = factor * (2e-3 if actual.dtype == np.float16 else TOLERANCES.get(name, 2e-5))
    actual, expected = actual.astype('float64'), expected.astype('float64')
    with np.errstate(invalid='ignore'):
        error = np.abs(actual - expected) / (1 + np.abs(expected))
    wrong = ~((error <= tolerance) | (actual == expected) | (np.isnan(actual) & np.isnan(expected)))
    assert not wrong.any(), '%s of %s: largest error %g, allowed %g\n%s\nexpected\n%s' % (
        what, name, np.nanmax(error), tolerance, actual, expected)


def numpy_engine():
    return engines.load_engine('numpy')


def reference(case, args):
    """The expected leaves: by the expression in `references.py`, else by the NumPy engine; None on itself."""
    entry = case.entry
    if entry.name in REFERENCES:
        doubles = tree.map_structure(lambda leaf: leaf.astype('float64') if is_array(leaf) and leaf.dtype.kind == 'f'
                                     else leaf, args)
        result = REFERENCES[entry.name](*doubles)
        return [np.asarray(leaf) for leaf in tree.flatten(result)]
    if type(engines.get_engine()) is type(numpy_engine()):
        return None
    return by_numpy_engine(entry, args)


def by_numpy_engine(entry, args):
    with activated(numpy_engine()):
        return host(call(entry, args))


# --- the checks -------------------------------------------------------------------------------------------------

def check_value(case, compiled=False):
    """Value against the reference; shape and dtype against the abstract result; the inputs stay as they were."""
    args = case.arguments()
    originals = [leaf.copy() for leaf in arrays(args)]
    tensors = native(args)
    result = in_step(case, args)(*natives(tensors, args)) if compiled else call(case.entry, tensors)
    promised = tree.flatten(evaluate(case.entry, abstract(args)))
    values = host(result)
    assert [value.shape for value in values] == [leaf.shape for leaf in promised]
    assert dtypes(result) == [leaf.dtype for leaf in promised]
    expected = reference(case, args)
    if expected is not None:
        assert len(values) == len(expected)
        for value, wanted in zip(values, expected):
            assert_close(value, wanted, case.entry.name)
    for old, new, array in zip(originals, host(natives(tensors, args)), arrays(args)):
        assert np.array_equal(old, new) and np.array_equal(old, array), '%s changed its input' % case.entry.name


def check_layouts(case):
    """Arrays and tensors whose elements do not lie side by side, arrays on the host, and variables."""
    args = case.arguments()
    plain = host(call(case.entry, native(args)))
    engine = engines.get_engine()

    def transposed_native(leaf):
        axes = tuple(range(leaf.ndim))[::-1]
        return primitives.transpose(engine.convert(np.ascontiguousarray(leaf.transpose(axes))), axes)

    def variable(leaf):
        return Variable(leaf, dtype=leaf.dtype.name)

    forms = {'strided array': _strided, 'transposed tensor': transposed_native, 'variable': variable}
    for what, form in forms.items():
        result = host(call(case.entry, replaced(args, [form(leaf) for leaf in arrays(args)])))
        for value, expected in zip(result, plain):
            assert_close(value, expected, case.entry.name, what=what)


def _strided(leaf):
    """The same numbers as every second element of a larger array in Fortran order, counted backwards."""
    if leaf.ndim == 0:
        return leaf
    large = np.zeros(tuple(2 * size for size in leaf.shape), leaf.dtype, order='F')
    view = large[tuple(slice(None, None, -2) for _ in leaf.shape)]
    view[...] = leaf
    return view


def check_unknown_sizes(case):
    """The abstract result with any of the sizes unknown is compatible with the real one."""
    args = case.arguments()
    real = tree.flatten(evaluate(case.entry, abstract(args)))
    axes = [(position, number, axis) for position in case.entry.tensors if not case.is_weight(position)
            for number, leaf in enumerate(tree.flatten(args[position])) if is_array(leaf) for axis in range(leaf.ndim)]
    for unknown in _subsets(axes):
        given = list(abstract(args))
        for position in case.entry.tensors:
            given[position] = _forget(given[position], [(n, axis) for p, n, axis in unknown if p == position])
        try:
            result = tree.flatten(evaluate(case.entry, given))
        except ValueError as error:
            assert 'known' in str(error), '%s with %s: %s' % (case.id, given, error)
            continue
        assert len(result) == len(real)
        for leaf, true in zip(result, real):
            assert leaf.dtype == true.dtype
            assert len(leaf.shape) == len(true.shape), (given, leaf, true)
            assert all(size in (None, known) for size, known in zip(leaf.shape, true.shape)), (given, leaf, true)


def _subsets(axes):
    if len(axes) <= 5:
        return [subset for count in range(len(axes) + 1) for subset in itertools.combinations(axes, count)]
    generator = np.random.RandomState(len(axes))
    drawn = [[axis for axis in axes if generator.rand() < 0.5] for _ in range(20)]
    return drawn + [[axis] for axis in axes] + [axes]


def _forget(structure, unknown):
    numbers = itertools.count()

    def forget(leaf):
        number = next(numbers)
        if not isinstance(leaf, AbstractTensor):
            return leaf
        return AbstractTensor([None if (number, axis) in unknown else size for axis, size in enumerate(leaf.shape)],
                              leaf.dtype)
    return tree.map_structure(forget, structure)


def check_symbolic(case):
    """Recorded on symbolic tensors and replayed by a plan, the result is that of the direct call."""
    args = case.arguments()
    inputs = []

    def placeholder(leaf):
        if is_array(leaf):
            inputs.append(KerasTensor(leaf.shape, leaf.dtype.name))
            return inputs[-1]
        return leaf

    outputs = call(case.entry, tree.map_structure(placeholder, args))
    leaves = tree.flatten(outputs)
    assert all(is_symbolic(leaf) for leaf in leaves)
    plan = Plan(inputs, leaves, lambda node: node.operation.call)
    values = natives(native(args), args)
    for value, expected in zip(host(plan(values)), host(call(case.entry, native(args)))):
        assert_close(value, expected, case.entry.name)


def in_step(case, args):
    """A step that runs the case's entry on the arrays among its arguments."""
    return engines.get_engine().step(lambda *leaves: call(case.entry, replaced(args, leaves)), [], [])


def check_step(case):
    """Compiled as a step, the result is that of the direct call."""
    args = case.arguments()
    result = in_step(case, args)(*arrays(args))
    for value, expected in zip(host(result), host(call(case.entry, native(args)))):
        assert_close(value, expected, case.entry.name)


def check_changing_sizes(case):
    """A step called with other batch sizes, and then all other sizes, gives what the NumPy engine gives."""
    args = case.arguments()
    step = in_step(case, args)
    step(*arrays(args))
    for axes in ((0,),) if case.entry.name in BATCH_ONLY else ((0,), (0, 1)):
        larger = _enlarged(case, args, axes)
        try:
            expected = by_numpy_engine(case.entry, larger)
        except (ValueError, IndexError, np.linalg.LinAlgError):  # the entry does not allow these sizes
            continue
        try:
            found = host(step(*arrays(larger)))
        except ValueError as error:
            assert 'known' in str(error), error
            continue
        for value, wanted in zip(found, expected):
            assert_close(value, wanted, case.entry.name)


def _enlarged(case, args, axes):
    def enlarge(leaf):
        for axis in axes:
            if is_array(leaf) and leaf.ndim > axis:
                leaf = np.concatenate([leaf, leaf], axis)
        return leaf
    return [tree.map_structure(enlarge, arg) if position in case.entry.tensors and not case.is_weight(position) else arg
            for position, arg in enumerate(args)]


def check_override(case):
    """The engine's own version of a composite against the composite's body."""
    args, entry = case.arguments(), case.entry
    fast = call(entry, native(args))
    override, entry.impl = entry.impl, entry.body
    try:
        slow = call(entry, native(args))
    finally:
        entry.impl = override
    assert dtypes(fast) == dtypes(slow)
    for value, expected in zip(host(fast), host(slow)):
        assert_close(value, expected, entry.name)


def check_gradient(case):
    """`value_and_grad` against central differences of the NumPy engine in float64, along random directions."""
    args = case.arguments()
    generator = np.random.RandomState(len(case.id))
    doubles = tree.map_structure(lambda leaf: leaf.astype('float64') if is_array(leaf) and leaf.dtype.kind == 'f'
                                 else leaf, args)
    floats = [leaf for leaf in arrays(doubles) if leaf.dtype.kind == 'f']
    outputs = tree.flatten(evaluate(case.entry, abstract(args)))
    factors = [np.asarray(generator.uniform(0.5, 1.5, leaf.shape)) for leaf in outputs]

    for factor in factors[DIFFERENTIABLE_OUTPUTS.get(case.entry.name, len(factors)):]:
        factor[...] = 0

    def value(leaves):
        remaining = iter(leaves)
        filled = replaced(doubles, [next(remaining) if leaf.dtype.kind == 'f' else leaf for leaf in arrays(doubles)])
        with activated(numpy_engine()), float64():
            results = host(call(case.entry, filled))
        return sum(np.sum(result * factor) for result, factor in zip(results, factors) if result.dtype.kind == 'f')

    found, gradients = _engine_gradients(case, args, factors)
    assert_close(found, value(floats), case.entry.name, factor=10)
    for position, (leaf, gradient) in enumerate(zip(floats, gradients)):
        gradient = np.zeros(leaf.shape) if gradient is None else np.asarray(gradient, 'float64')
        assert gradient.shape == leaf.shape
        for _ in range(2):
            direction = generator.normal(size=leaf.shape)
            if case.entry.name in SYMMETRIC:
                direction = direction + np.swapaxes(direction, -1, -2)
            step = 1e-5 * direction
            above, below = [value(floats[:position] + [leaf + sign * step] + floats[position + 1:]) for sign in (1, -1)]
            numeric = (above - below) / 2e-5
            analytic = np.sum(gradient * direction)
            allowed = TOLERANCES.get(case.entry.name, 2e-5) * 20 * (1 + np.sum(np.abs(gradient * direction)))
            assert abs(numeric - analytic) <= allowed, 'gradient of %s by tensor %d: %g, central difference %g' % (
                case.id, position, analytic, numeric)


def _engine_gradients(case, args, factors):
    """The value and the gradients, found in one step, as training finds them."""
    engine = engines.get_engine()
    variables = [Variable(leaf) if leaf.dtype.kind == 'f' else None for leaf in arrays(args)]
    wanted = [variable for variable in variables if variable is not None]

    def total():
        leaves = [leaf if variable is None else variable.value for leaf, variable in zip(arrays(args), variables)]
        result = tree.flatten(call(case.entry, replaced(args, leaves)))
        parts = [primitives.sum(primitives.multiply(leaf, engine.convert(factor.astype('float32'))))
                 for leaf, factor in zip(result, factors) if is_float(engine.dtype_of(leaf))]
        return functools.reduce(primitives.add, parts), ()

    def run():
        (value, _), gradients = engine.value_and_grad(total, wanted)
        return [value] + list(gradients)

    value, *gradients = engine.step(run, wanted, [])()
    return engine.to_numpy(value), [None if gradient is None else engine.to_numpy(gradient) for gradient in gradients]


def has_arrays(case):
    return bool(arrays(case.arguments()))


def differentiable(case):
    args = case.arguments()
    declared = case.entry.gradient is not False or case.entry.name in DIFFERENTIABLE_OUTPUTS
    if not declared or not any(leaf.dtype == np.float32 and leaf.size for leaf in arrays(args)):
        return False
    return any(leaf.dtype in ('float32', 'float64') for leaf in tree.flatten(evaluate(case.entry, abstract(args))))
