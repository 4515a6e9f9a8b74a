"""Calling a table entry: on native tensors the engine runs, on symbolic ones a node is recorded.

`primitive` and `composite` turn a function into a table entry and a dispatcher with its signature. The
dispatcher looks at the types of the tensor arguments only:

* native tensors whose dtypes agree go straight to the engine's function (or override);
* a `KerasTensor` records a node with the abstract result;
* an `AbstractTensor` gives an `AbstractTensor`, by the primitive's rule or by running the composite;
* anything else (arrays, Python scalars, variables, mixed dtypes) is converted and promoted first.

Errors of the engine are explained after the fact by the rule, so that the happy path pays nothing.
"""
import builtins
import functools
import types

import numpy as np

from keras.backend.contract import rules, tree
from keras.backend.contract.context import context
from keras.backend.contract.engine import UnsupportedOperation
from keras.backend.contract.loading import active, get_engine, is_native, is_ragged
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Node, free_tensors
from keras.backend.graph.plans import value_of
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable
from keras.backend.table import ragged, sparse
from keras.backend.table.abstract import evaluate, evaluate_unranked, host_dtype, map_tensors, mark, promoted_dtype
from keras.backend.table.bodies import record_with_functions
from keras.backend.table.entries import Entry, TABLE

_SCALARS = frozenset((int, float))
# What is no tensor of an engine for sure; NumPy's arrays are constants of a graph also where they are its tensors.
_HOST = (AbstractTensor, Variable, np.ndarray, np.generic, int, float, str, type(None))


def primitive(rule, tensors='x', promote=None, promoted=None, functions='', scalars=False, of_sizes=None, cases=(),
              gradient=None):
    """Declare a primitive. The decorated function has the signature and the docstring, and no body.

    Args:
        rule: function of `rules` with the same positional parameters.
        tensors: names of the tensor parameters; a leading * marks a nested structure of tensors.
        promote: 'float' casts integers to `floatx`, 'same' casts to the common dtype, 'same_float' both, 'bool'
            casts to booleans (what is not 0 is true), 'product' is 'same' but that quantized numbers (int8), into which
            sums of their products do not fit, become int32.
        promoted: the tensor parameters that take part, default all.
        functions: names of the parameters that are functions, the bodies of loops and branches.
        scalars: engines take a Python scalar in the place of the second tensor.
        of_sizes: the same function of two sizes that are Python ints.
        cases: tuples of arguments for the conformance suite.
        gradient: False where there is none to test.
    """
    def declare(function):
        entry = Entry(function, 'primitive', tensors, promote, promoted, functions, cases, gradient, rule, of_sizes)
        return _register(entry, function, scalars)
    return declare


def composite(tensors='x', promote=None, promoted=None, functions='', cases=(), gradient=None, check=None, numbers=''):
    """Declare a composite: an operation written over the primitives, which engines may override.

    `tensors=None` declares one that is never symbolic and takes its arguments as they are (variables, native tensors).
    `functions`: names of the parameters that may be functions, such as activations. `check` has the same parameters and
    raises ValueError where the sizes do not fit; it stands before the kernels of engines, which may trust them blindly.
    `numbers`: names of the tensor parameters that body and kernels take as Python's numbers beside a tensor of floats.
    """
    def declare(function):
        entry = Entry(function, 'composite', tensors, promote, promoted, functions, cases, gradient, check=check,
                      numbers=numbers)
        return _register(entry, function, False)
    return declare


def _register(entry, function, scalars):
    if entry.name in TABLE:
        raise ValueError('operation %s is declared twice' % entry.name)
    TABLE[entry.name] = entry
    if active.engine is not None:
        entry.bind(active.engine)
    entry.call = dispatcher = functools.wraps(function)(_make_dispatcher(entry, scalars))
    dispatcher.entry = entry
    return dispatcher


_TEMPLATE = """
def dispatcher({parameters}):
    if {guard}:
        try:
            {run}
        except Exception as error:
            return failed(entry, ({arguments},), error)
{scalar_path}    return general(entry, ({arguments},))
"""

_SCALAR_PATH = """    if type({x}) in native and type({y}) in scalars and ({x}.dtype in floats{or_integers}):
        try:
            return entry.impl({x}, {y})
        except Exception as error:
            return failed(entry, ({x}, {y}), error)
"""

_OR_INTEGERS = ' or type({y}) is int and {x}.dtype in integers and -2 ** 31 <= {y} < 2 ** 31'

_RUN_PRIMITIVE = 'return entry.impl({arguments})'

# The override of an engine may leave a call to the body.
_RUN_COMPOSITE = """result = entry.impl({arguments})
            return entry.body({arguments}) if result is NotImplemented else result"""

_PLAIN_TEMPLATE = """
def dispatcher({parameters}):
    return entry.body({arguments}) if context.abstract else entry.run({arguments})
"""

_CREATION_TEMPLATE = """
def dispatcher({parameters}):
    if context.abstract:
        return evaluate(entry, ({arguments},))
    return general(entry, ({arguments},))
"""


# A dispatcher compiles its code when it is first called: compiling all would be most of importing the table.
_FIRST_CALL = """
def dispatcher(*args, **kwargs):
    dispatcher.__code__ = code()
    return dispatcher(*args, **kwargs)
"""


def _make_dispatcher(entry, scalars):
    """The dispatcher of an entry; what its code calls are its globals."""
    # Up to Python 3.9 a function finds the builtins through its globals.
    namespace = {'__builtins__': builtins, 'entry': entry, 'native': active.native, 'floats': active.floats,
                 'booleans': active.booleans,
                 'integers': active.integers, 'scalars': _SCALARS, 'failed': _failed, 'general': general,
                 'context': context, 'evaluate': evaluate, 'uniform': _uniform,
                 'code': lambda: _compiled(_source(entry, scalars))}
    dispatcher = types.FunctionType(_compiled(_FIRST_CALL), namespace, entry.name, entry.body.__defaults__)
    namespace['dispatcher'] = dispatcher
    return dispatcher


def _uniform(native, xs):
    """Whether these are native tensors of one dtype in a list or tuple."""
    if type(xs) not in (list, tuple) or not xs or type(xs[0]) not in native:
        return False
    dtype = xs[0].dtype
    for x in xs:
        if type(x) not in native or x.dtype is not dtype and x.dtype != dtype:
            return False
    return True


def _source(entry, scalars):
    """The dispatcher's code, made from the entry's signature: as short as if it were written by hand."""
    values = {'arguments': ', '.join(entry.parameters),
              'parameters': ', '.join(name + '=None' if name in entry.defaults else name for name in entry.parameters)}
    values['guard'] = _guard(entry)
    values['run'] = (_RUN_COMPOSITE if entry.kind == 'composite' else _RUN_PRIMITIVE).format(**values)
    values['scalar_path'] = ''
    if scalars:
        x, y = entry.parameters[:2]
        or_integers = _OR_INTEGERS.format(x=x, y=y) if entry.promote == 'same' else ''
        values['scalar_path'] = _SCALAR_PATH.format(x=x, y=y, or_integers=or_integers)
    template = _TEMPLATE if entry.tensors else _PLAIN_TEMPLATE if entry.plain else _CREATION_TEMPLATE
    return template.format(**values)


# Entries with the same parameters share their code.
_codes = {}


def _compiled(source):
    if source not in _codes:
        namespace = {}
        exec(source, namespace)
        _codes[source] = namespace['dispatcher'].__code__
    return _codes[source]


def _guard(entry):
    """The condition under which arguments may go to the engine as they are."""
    if entry.nested:
        alone = len(entry.tensors) == 1 and not entry.functions and entry.promote in (None, 'same')
        return 'uniform(native, %s)' % entry.parameters[entry.tensors[0]] if alone else 'False'
    conditions = []
    for position in entry.tensors:
        name = entry.parameters[position]
        condition = ('(type({x}) in native or type({x}) in scalars or {x} is None)' if position in entry.numbers else
                     'type({x}) in native').format(x=name)
        if name in entry.defaults and entry.defaults[name] is None:
            condition = '(%s is None or %s)' % (name, condition)
        conditions.append(condition)
    names = [entry.parameters[position] for position in entry.promoted]
    if entry.promote in ('float', 'same_float', 'product'):
        conditions.append('%s.dtype in floats' % names[0])
    elif entry.promote == 'bool':
        conditions.append('%s.dtype in booleans' % names[0])
    for other in names[1:]:
        # Most dtypes are one object each, and TensorFlow compares slowly.
        condition = '({x}.dtype is {y}.dtype or {x}.dtype == {y}.dtype)'.format(x=names[0], y=other)
        if entry.parameters.index(other) in entry.numbers:
            condition = '({y} is None or type({y}) in scalars and {x}.dtype in floats or type({y}) in native and ' \
                        '{condition})'.format(x=names[0], y=other, condition=condition)
        if other in entry.defaults and entry.defaults[other] is None:
            condition = '(%s is None or %s)' % (other, condition)
        conditions.append(condition)
    return ' and '.join(conditions)


# --- the general path -----------------------------------------------------------------------------------------

def general(entry, args):
    """Call `entry` with arguments of any kind."""
    args = _with_name_of_dtype(entry, args) or args
    if context.tracing is not None:  # a variable may be assigned to later on
        args = map_tensors(entry, args, lambda leaf, position: leaf.value if isinstance(leaf, Variable) else leaf)
    leaves = _tensor_leaves(entry, args)
    if context.abstract or any(isinstance(leaf, AbstractTensor) for leaf in leaves):
        # Arrays of the host are constants of a graph, on the engine whose tensors they are as well.
        if not context.abstract and any(not isinstance(leaf, _HOST) and is_native(leaf) for leaf in leaves):
            leaves, args = _valued(leaves, args)
            if not any(isinstance(leaf, AbstractTensor) for leaf in leaves):
                return _run(entry, args)
        if context.abstract or not all(isinstance(leaf, KerasTensor) for leaf in leaves
                                       if isinstance(leaf, AbstractTensor)):
            return evaluate(entry, args)
        return record(entry, args, leaves)
    sparse_types = get_engine().sparse_types()
    if sparse_types and any(type(leaf) in sparse_types for leaf in leaves):
        return sparse.run(entry, args)
    if active.engine.has_ragged and any(map(is_ragged, leaves)):
        return ragged.run(entry, args)
    return _run(entry, args)


def _tensor_leaves(entry, args):
    if not entry.tensors:
        # A creation is symbolic where a size in its arguments is.
        return tree.flatten(list(args))
    leaves = []
    for position in entry.tensors:
        if position in entry.nested:
            leaves.extend(tree.flatten(args[position]))
        else:
            leaves.append(args[position])
    return leaves


def _valued(leaves, args):
    """Symbolic tensors beside native ones, as values where they depend on no placeholder."""
    values = {id(leaf): value_of(leaf) for leaf in leaves if isinstance(leaf, KerasTensor) and not free_tensors([leaf])}
    args = tree.map_structure(lambda leaf: values.get(id(leaf), leaf), list(args))
    return [values.get(id(leaf), leaf) for leaf in leaves], args


def record(entry, args, leaves):
    """A node for a call with symbolic arguments, `leaves` being its tensors; returns its KerasTensors."""
    if entry.functions and any(callable(args[position]) for position in entry.functions):
        # The body of a composite records its own operations; only a primitive needs the functions in its node.
        return record_with_functions(entry, args) if entry.kind == 'primitive' else entry.body(*args)
    try:
        outputs = evaluate(entry, args)
    except Exception:
        outputs = evaluate_unranked(entry, args)
        if outputs is None:
            raise
    made = Node(entry, tuple(args), {}, outputs).output_structure
    if any(getattr(leaf, 'sparse', False) for leaf in leaves) and sparse.is_kept(entry, args):
        made.mark(sparse=True)
    if any(getattr(leaf, 'ragged', False) for leaf in leaves):
        ragged.follow(made, entry.name, leaves, ragged.keeps_rows(entry))
    return made


def _run(entry, args):
    """Convert, promote and run on the active engine."""
    engine = get_engine()
    args = map_tensors(entry, args, _native_or_host)
    if entry.promoted:
        dtype = _common_dtype(entry, args, engine)
        args = map_tensors(entry, args, lambda leaf, position: _converted(
            engine, leaf, dtype if position in entry.promoted else None))
    else:
        args = map_tensors(entry, args, lambda leaf, position: _converted(engine, leaf, None))
    try:
        return entry.run(*args)
    except Exception as error:
        return _without_kernel(entry, args, error)


def _native_or_host(leaf, position):
    """Native tensors and host values as they are; variables by their value; new native types are noted."""
    if type(leaf) in active.native:
        return leaf
    if isinstance(leaf, Variable):
        return _native_or_host(leaf.value, position)
    is_native(leaf)
    return leaf


def _common_dtype(entry, args, engine):
    dtypes = []
    for position in entry.promoted:
        for leaf in tree.flatten(args[position]) if position in entry.nested else [args[position]]:
            if leaf is None:
                continue
            if type(leaf) in active.native:
                dtypes.append(engine.dtype_of(leaf))
            elif type(leaf) in (int, float, bool):
                dtypes.append(rules.weakly(leaf) if type(leaf) is not bool else 'bool')
            elif isinstance(leaf, (np.ndarray, np.generic)):
                dtypes.append(host_dtype(leaf))
            else:
                dtypes.append(engine.dtype_of(engine.convert(leaf)))
    return promoted_dtype(entry, dtypes)


def _converted(engine, leaf, dtype):
    if leaf is None or callable(leaf) and type(leaf) not in active.native:
        return leaf
    if type(leaf) in active.native:
        return leaf if dtype is None or engine.dtype_of(leaf) == dtype else engine.cast(leaf, dtype)
    if dtype is not None and type(leaf) in (int, float, bool):
        return engine.scalar(bool(leaf) if dtype == 'bool' else leaf, dtype)
    if dtype is None and isinstance(leaf, np.ndarray) and leaf.dtype == np.float64:
        dtype = rules.config.floatx()
    return engine.convert(leaf, dtype)


# --- errors -----------------------------------------------------------------------------------------------------

def _failed(entry, args, error):
    """After a failure on the fast path: once more with normalised arguments, or the error with its reason."""
    if getattr(error, 'keras_explained', False) or isinstance(error, active.engine.signals):
        raise error
    if entry.kind == 'composite':
        named = _with_name_of_dtype(entry, args)
        return general(entry, named) if named else _without_kernel(entry, args, error)
    return general(entry, args)


def _with_name_of_dtype(entry, args):
    """`args` with the name of the dtype that an object of a library or type of Python stands for; None if it is one."""
    dtype = None if entry.dtype is None else args[entry.dtype]
    # NumPy's own types cannot be compared with every name before NumPy 1.20.
    if dtype is None or isinstance(dtype, str) and dtype in rules.DTYPES:
        return None
    named = list(args)
    named[entry.dtype] = rules.standard_dtype(dtype)
    return named


# Engines have no kernels of some operations for some of these.
_WIDER = {'bool': 'int32', 'int8': 'int32', 'int16': 'int32', 'uint8': 'int32', 'uint16': 'int32', 'uint32': 'int64',
          'float16': 'float32', 'bfloat16': 'float32'}


def _without_kernel(entry, args, error):
    """A call that failed: without the engine's own kernel, if that is what was missing, or the error with its reason.

    A composite runs by its body, a primitive on wider numbers, whose result is cast to the dtype that the rule says.
    """
    if isinstance(error, active.engine.signals):
        raise error
    strided = map_tensors(entry, args, _strided)
    if any(a is not b for a, b in zip(_tensor_leaves(entry, strided), _tensor_leaves(entry, args))):
        return entry.call(*strided)
    explanation = _explanation(entry, args, error)
    # A number that is no index is the caller's mistake, no kernel that is missing.
    if explanation is error and not entry.functions and not isinstance(error, (UnsupportedOperation, IndexError)):
        try:
            if entry.kind == 'primitive':
                return _widened(entry, args)
            if entry.impl is not entry.body:
                return entry.body(*args)
        except Exception:  # so the reason is another one
            pass
    raise explanation


def _strided(leaf, position):
    return active.engine.strided(leaf) if type(leaf) in active.native else leaf


def _widened(entry, args):
    engine = get_engine()
    chosen = entry.promoted or entry.tensors
    changed = []

    def wider(leaf, position):
        dtype = engine.dtype_of(leaf) if position in chosen and type(leaf) in active.native else None
        if dtype not in _WIDER:
            return leaf
        changed.append(dtype)
        return engine.cast(leaf, _WIDER[dtype])

    wide = map_tensors(entry, args, wider)
    if not changed:
        raise TypeError('no other dtype to try')
    results, described = entry.impl(*wide), evaluate(entry, args)
    # Of two matrices of int8 the dispatcher has made int32, so that these have become int8.
    return tree.pack_as(results, [engine.cast(result, changed[0] if entry.promote == 'product' else abstract.dtype)
                                  for result, abstract in zip(tree.flatten(results), tree.flatten(described))])


def _explanation(entry, args, error):
    """The rule's complaint about `args` if it has one, else the engine's own error."""
    if getattr(error, 'keras_explained', False):
        return error
    try:
        evaluate(entry, args)
    except (ValueError, TypeError) as clear:
        if getattr(clear, 'keras_explained', False) and getattr(clear, 'explains_a_failure', True):
            clear.__cause__ = error
            return clear
    except Exception:  # the abstract run may stumble over the same thing; the engine's error is the one to show
        pass
    return mark(error)
