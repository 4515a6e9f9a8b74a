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
import operator
import types

import numpy as np

from keras.backend import rules, tree
from keras.backend.calls import running
from keras.backend.engine import active, get_engine
from keras.backend.rules import AbstractTensor
from keras.backend.state import AbstractLedger, Variable, context
from keras.backend.symbolic import KerasTensor, Node, Plan, free_tensors

TABLE = {}
_FUNCTION_PARAMETERS = {'step', 'then', 'otherwise', 'condition', 'body', 'step_function', 'activation',
                        'recurrent_activation', 'fn'}
_SCALARS = frozenset((int, float))


class Entry:
    """One operation of the table.

    name: its name. parameters: names of its parameters. tensors: positions of those that are tensors.
    promoted: positions of those that share a dtype. promote: None, 'float', 'same' or 'same_float'.
    rule: shape and dtype rule of a primitive. body: the function of a composite. cases: examples for
    the conformance suite. impl: what the active engine runs.
    """

    def __init__(self, function, kind, tensors, promote, promoted, rule, cases, gradient):
        self.name = function.__name__
        self.kind = kind
        code, defaults = function.__code__, function.__defaults__ or ()
        self.parameters = list(code.co_varnames[:code.co_argcount])
        self.defaults = dict(zip(self.parameters[len(self.parameters) - len(defaults):], defaults))
        self.plain = tensors is None
        tensors = tensors or ''
        self.tensors = [self.parameters.index(name.lstrip('*')) for name in tensors.split()]
        self.nested = {self.parameters.index(name[1:]) for name in tensors.split() if name.startswith('*')}
        names = tensors.split() if promoted is None else promoted.split()
        self.promoted = [self.parameters.index(name.lstrip('*')) for name in names] if promote else []
        self.promote = promote
        # Whether an argument may be a function: the body of a loop or a branch, an activation.
        self.has_functions = bool(_FUNCTION_PARAMETERS.intersection(self.parameters))
        self.rule = rule
        self.body = function
        self.cases = cases
        self.gradient = gradient
        self.doc = function.__doc__
        self.impl = self._load
        self.call = None

    def _load(self, *args):
        get_engine()
        return self.impl(*args)

    def plan_function(self, node, training):
        """What a `Plan` runs for a node of this entry."""
        of_sizes = _OF_SIZES.get(self.name)
        if of_sizes is not None and node.outputs[0].shape == () and rules.is_integer(node.outputs[0].dtype):
            return _sized(of_sizes, self.call)
        return self.call

    def bind(self, engine):
        """Find what `engine` runs for this entry."""
        if self.kind == 'primitive':
            self.impl = getattr(engine, self.name)
        elif self.name in engine.overrides:
            override = engine.overrides[self.name]
            # What is not written in Python knows nothing of NotImplemented.
            self.impl = override if type(override) is types.BuiltinFunctionType else _guarded(override, self.body)
        else:
            self.impl = self.body

    def __repr__(self):
        return '<%s %s>' % (self.kind, self.name)


# Arithmetic on sizes stays arithmetic of Python where the engine knows the sizes.
_OF_SIZES = {'add': operator.add, 'subtract': operator.sub, 'multiply': operator.mul, 'floor_divide': operator.floordiv,
             'mod': operator.mod, 'maximum': max, 'minimum': min}


def _sized(of_sizes, call):
    def run(x, y):
        return of_sizes(x, y) if type(x) is int and type(y) is int else call(x, y)
    return run


def _guarded(override, body):
    def run(*args):
        result = override(*args)
        return body(*args) if result is NotImplemented else result
    return run


def _bind_all(engine):
    for entry in TABLE.values():
        entry.bind(engine)


active.listeners.append(_bind_all)


def primitive(rule, tensors='x', promote=None, promoted=None, scalars=False, cases=(), gradient=None):
    """Declare a primitive. The decorated function has the signature and the docstring, and no body.

    Args:
        rule: function of `rules` with the same positional parameters.
        tensors: names of the tensor parameters; a leading * marks a nested structure of tensors.
        promote: 'float' casts integers to `floatx`, 'same' casts to the common dtype, 'same_float' both.
        promoted: the tensor parameters that take part, default all.
        scalars: engines take a Python scalar in the place of the second tensor.
        cases: tuples of arguments for the conformance suite.
        gradient: False where there is none to test.
    """
    def declare(function):
        entry = Entry(function, 'primitive', tensors, promote, promoted, rule, cases, gradient)
        return _register(entry, function, scalars)
    return declare


def composite(tensors='x', promote=None, promoted=None, cases=(), gradient=None):
    """Declare a composite: an operation written over the primitives, which engines may override.

    `tensors=None` declares one that is never symbolic and takes its arguments as they are (variables, native tensors).
    """
    def declare(function):
        entry = Entry(function, 'composite', tensors, promote, promoted, None, cases, gradient)
        return _register(entry, function, False)
    return declare


def _register(entry, function, scalars):
    if entry.name in TABLE:
        raise ValueError('operation %s is declared twice' % entry.name)
    TABLE[entry.name] = entry
    if active.engine is not None:
        entry.bind(active.engine)
    entry.call = dispatcher = _make_dispatcher(entry, scalars)
    dispatcher.__doc__ = function.__doc__
    dispatcher.__module__ = function.__module__
    dispatcher.__qualname__ = entry.name
    dispatcher.entry = entry
    return dispatcher


_TEMPLATE = """
def dispatcher({parameters}):
    if {guard}:
        try:
            return entry.impl({arguments})
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

_PLAIN_TEMPLATE = """
def dispatcher({parameters}):
    return entry.body({arguments}) if context.abstract else entry.impl({arguments})
"""

_CREATION_TEMPLATE = """
def dispatcher({parameters}):
    if context.abstract:
        return evaluate(entry, ({arguments},))
    return general(entry, ({arguments},))
"""


def _make_dispatcher(entry, scalars):
    """Compile the dispatcher from the entry's signature: as short as if it were written by hand."""
    values = {'arguments': ', '.join(entry.parameters),
              'parameters': ', '.join(name + '=None' if name in entry.defaults else name for name in entry.parameters)}
    values['guard'] = _guard(entry)
    values['scalar_path'] = ''
    if scalars:
        x, y = entry.parameters[:2]
        or_integers = _OR_INTEGERS.format(x=x, y=y) if entry.promote == 'same' else ''
        values['scalar_path'] = _SCALAR_PATH.format(x=x, y=y, or_integers=or_integers)
    template = _TEMPLATE if entry.tensors else _PLAIN_TEMPLATE if entry.plain else _CREATION_TEMPLATE
    # Up to Python 3.9 a function finds the builtins through its globals.
    namespace = {'__builtins__': builtins, 'entry': entry, 'native': active.native, 'floats': active.floats,
                 'integers': active.integers, 'scalars': _SCALARS, 'failed': _failed, 'general': general,
                 'context': context, 'evaluate': evaluate}
    return types.FunctionType(_compiled(template.format(**values)), namespace, entry.name, entry.body.__defaults__)


# Entries with the same parameters share their code: compiling is most of what importing the table costs.
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
        return 'False'
    conditions = []
    for position in entry.tensors:
        name = entry.parameters[position]
        condition = 'type(%s) in native' % name
        if name in entry.defaults and entry.defaults[name] is None:
            condition = '(%s is None or %s)' % (name, condition)
        conditions.append(condition)
    names = [entry.parameters[position] for position in entry.promoted]
    if entry.promote in ('float', 'same_float'):
        conditions.append('%s.dtype in floats' % names[0])
    for other in names[1:]:
        condition = '%s.dtype == %s.dtype' % (names[0], other)
        if other in entry.defaults and entry.defaults[other] is None:
            condition = '(%s is None or %s)' % (other, condition)
        conditions.append(condition)
    return ' and '.join(conditions)


# --- the general path -----------------------------------------------------------------------------------------

def general(entry, args):
    """Call `entry` with arguments of any kind."""
    leaves = _tensor_leaves(entry, args)
    if context.abstract or any(isinstance(leaf, AbstractTensor) for leaf in leaves):
        # Arrays of the host are constants of a graph, on the engine whose tensors they are as well.
        if not context.abstract and any(type(leaf) in active.native and type(leaf) is not np.ndarray
                                        for leaf in leaves):
            leaves, args = _valued(leaves, args)
            if not any(isinstance(leaf, AbstractTensor) for leaf in leaves):
                return _run(entry, args)
        if context.abstract or not all(isinstance(leaf, KerasTensor) for leaf in leaves
                                       if isinstance(leaf, AbstractTensor)):
            return evaluate(entry, args)
        return record(entry, args)
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


def _map_tensors(entry, args, function):
    args = list(args)
    for position in range(len(args)):
        if position in entry.nested:
            args[position] = tree.map_structure(lambda leaf: function(leaf, position), args[position])
        elif position in entry.tensors:
            args[position] = None if args[position] is None else function(args[position], position)
        elif entry.kind == 'primitive':
            args[position] = _static(args[position])
    return args


def _static(argument):
    """A static argument in its canonical form: tuples for lists, Python numbers for NumPy's, names for dtypes."""
    if type(argument).__name__.lower().endswith('dtype'):  # NumPy's or the engine's own
        return getattr(argument, 'name', None) or str(argument).rsplit('.', 1)[-1]
    if isinstance(argument, type) and issubclass(argument, np.generic):
        return np.dtype(argument).name
    if isinstance(argument, (list, tuple)):
        return tuple(_static(part) for part in argument)
    if isinstance(argument, np.generic) or type(argument) is np.ndarray and argument.ndim == 0:
        return argument.item()
    return argument


def _valued(leaves, args):
    """Symbolic tensors beside native ones, as values where they depend on no placeholder."""
    values = {id(leaf): value_of(leaf) for leaf in leaves if isinstance(leaf, KerasTensor) and not free_tensors([leaf])}
    args = tree.map_structure(lambda leaf: values.get(id(leaf), leaf), list(args))
    return [values.get(id(leaf), leaf) for leaf in leaves], args


def value_of(tensor, training=False):
    """The value of a symbolic tensor that depends on no placeholder, as a native tensor.

    Raises:
        ValueError: if it depends on a placeholder.
    """
    plan = Plan([], [tensor], lambda node: node.operation.plan_function(node, training))
    with running(training):
        return plan([])[0]


def record(entry, args):
    """A node for a call with symbolic arguments; returns its KerasTensors."""
    if entry.has_functions:
        from keras.backend import closures
        if any(map(closures.is_function, args)):
            # The body of a composite records its own operations; only a primitive needs the functions in its node.
            return closures.record_with_functions(entry, args) if entry.kind == 'primitive' else entry.body(*args)
    return Node(entry, tuple(args), {}, evaluate(entry, args)).output_structure


def evaluate(entry, args):
    """The call on the abstract engine: AbstractTensors from AbstractTensors."""
    abstract = _map_tensors(entry, args, _abstracted)
    try:
        if entry.rule is not None:
            return entry.rule(*abstract)
        with AbstractLedger():
            return entry.body(*abstract)
    except (ValueError, TypeError) as error:
        raise _explained(error, entry, abstract) from None


def _abstracted(leaf, position=None):
    if type(leaf) is AbstractTensor:
        return leaf
    if isinstance(leaf, AbstractTensor) or isinstance(leaf, Variable):
        return AbstractTensor(leaf.shape, leaf.dtype)
    if type(leaf) in (int, float, bool) or leaf is None or callable(leaf):
        return leaf
    if type(leaf) in active.native:
        return AbstractTensor(active.engine.shape_of(leaf), active.engine.dtype_of(leaf))
    if isinstance(leaf, (np.ndarray, np.generic, list, tuple)):
        array = np.asarray(leaf)
        return AbstractTensor(array.shape, _host_dtype(array))
    engine = get_engine()
    if engine.is_native(leaf):
        active.native.add(type(leaf))
        return AbstractTensor(engine.shape_of(leaf), engine.dtype_of(leaf))
    raise TypeError('expected a tensor, received %s: %r' % (type(leaf).__name__, leaf))


def _host_dtype(array):
    """The dtype that a NumPy array counts with: its float64 is Python's default, not a wish for 64 bits."""
    name = array.dtype.name
    return rules.config.floatx() if name == 'float64' else 'string' if array.dtype.kind in 'USO' else name


def _run(entry, args):
    """Convert, promote and run on the active engine."""
    engine = get_engine()
    args = _map_tensors(entry, args, _native_or_host)
    if entry.promoted:
        dtype = _common_dtype(entry, args, engine)
        args = _map_tensors(entry, args, lambda leaf, position: _converted(
            engine, leaf, dtype if position in entry.promoted else None))
    else:
        args = _map_tensors(entry, args, lambda leaf, position: _converted(engine, leaf, None))
    try:
        return entry.impl(*args)
    except Exception as error:
        raise _explanation(entry, args, error)


def _native_or_host(leaf, position):
    """Native tensors and host values as they are; variables by their value; new native types are noted."""
    if type(leaf) in active.native:
        return leaf
    if isinstance(leaf, Variable):
        return _native_or_host(leaf.value, position)
    if get_engine().is_native(leaf):
        active.native.add(type(leaf))
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
                dtypes.append(type(leaf) if type(leaf) is not bool else 'bool')
            elif isinstance(leaf, (np.ndarray, np.generic)):
                dtypes.append(_host_dtype(leaf))
            else:
                dtypes.append(engine.dtype_of(engine.convert(leaf)))
    dtype = rules.result_dtype(*dtypes)
    return rules.float_dtype(dtype) if entry.promote in ('float', 'same_float') else dtype


def _converted(engine, leaf, dtype):
    if leaf is None or callable(leaf) and type(leaf) not in active.native:
        return leaf
    if type(leaf) in active.native:
        return leaf if dtype is None or engine.dtype_of(leaf) == dtype else engine.cast(leaf, dtype)
    if dtype is not None and type(leaf) in (int, float, bool):
        return engine.scalar(leaf, dtype)
    if dtype is None and isinstance(leaf, np.ndarray) and leaf.dtype == np.float64:
        dtype = rules.config.floatx()
    return engine.convert(leaf, dtype)


# --- errors -----------------------------------------------------------------------------------------------------

def _failed(entry, args, error):
    """After a failure on the fast path: once more with normalised arguments, or the error with its reason."""
    if getattr(error, '_keras_explained', False):
        raise error
    if entry.kind == 'composite':
        raise _explanation(entry, args, error)
    return general(entry, args)


def _explanation(entry, args, error):
    """The rule's complaint about `args` if it has one, else the engine's own error."""
    if getattr(error, '_keras_explained', False):
        return error
    try:
        evaluate(entry, args)
    except (ValueError, TypeError) as clear:
        if getattr(clear, '_keras_explained', False):
            clear.__cause__ = error
            return clear
    except Exception:  # the abstract run may stumble over the same thing; the engine's error is the one to show
        pass
    return _mark(error)


def _explained(error, entry, args):
    if getattr(error, '_keras_explained', False):
        return error
    described = ', '.join('%s: %s' % (name, _describe(value)) for name, value in zip(entry.parameters, args))
    return _mark(type(error)('%s: %s. Received: %s.' % (entry.name, str(error).rstrip('.'), described)))


def _describe(value):
    if isinstance(value, AbstractTensor):
        return rules.describe(value)
    if isinstance(value, (list, tuple)) and any(isinstance(part, AbstractTensor) for part in value):
        return '[%s]' % ', '.join(map(_describe, value))
    return repr(value)


def _mark(error):
    try:
        error._keras_explained = True
    except AttributeError:  # exceptions with slots cannot be marked, and need not be
        pass
    return error
