"""Rematerialization: what a function computes inside is not kept for the gradients, but computed again for them."""
import functools
import threading

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.ledger import AbstractLedger, RerunLedger
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor

_MODES = (None, 'full', 'activations', 'larger_than', 'list_of_layers')


class _Scopes(threading.local):
    """Per thread: the open scopes, the innermost last."""

    def __init__(self):
        self.open = []


_scopes = _Scopes()


def remat(f):
    """`f`, whose intermediate results are not kept for the gradients: these run it again, and it takes less memory.

    Chen et al., 2016. On engines without such a thing, `UnsupportedOperation` is raised when it is called.

    Args:
        f: a function of tensors that gives tensors; it may read variables.

    Example:
        >>> keras.remat(lambda x: keras.ops.tanh(x) * x)(np.zeros(2, 'float32'))
        array([0., 0.], dtype=float32)
    """
    @functools.wraps(f)
    def run(*args, **kwargs):
        leaves = tree.flatten([args, kwargs])
        engine = get_engine()
        if context.abstract or any(isinstance(leaf, AbstractTensor) for leaf in leaves) \
                or not engine.capabilities.gradients:
            return f(*args, **kwargs)
        return _run_twice(engine, f, args, kwargs)
    return run


class _Noting(AbstractLedger):
    """Finds out which variables a function reads."""
    __slots__ = ('seen',)

    def read(self, variable):
        self.seen[variable] = None
        return AbstractLedger.read(self, variable)


def _run_twice(engine, f, args, kwargs):
    """`f` of the arguments by the engine's `rematerialized`, as a function of tensors alone."""
    given = tree.flatten([list(args), kwargs])
    places = [place for place, leaf in enumerate(given) if engine.is_native(leaf)]
    ledger = _Noting()
    ledger.seen = {}
    with ledger:
        f(*tree.map_structure(lambda leaf: _abstract(engine, leaf), list(args)),
          **tree.map_structure(lambda leaf: _abstract(engine, leaf), kwargs))
    variables, found = list(ledger.seen), {}

    def pure(*values):
        leaves = list(given)
        for place, value in zip(places, values):
            leaves[place] = value
        new_args, new_kwargs = tree.pack_as([list(args), kwargs], leaves)
        with RerunLedger(dict(zip(variables, values[len(places):])), outer=context.ledger) as inner:
            outputs = f(*new_args, **new_kwargs)
        found.setdefault('structure', outputs)
        found.setdefault('written', list(inner.writes))
        return tree.flatten(outputs) + [inner.writes[variable] for variable in found['written']]
    values = engine.rematerialized(pure, [given[place] for place in places]
                                   + [variable.value for variable in variables])
    count = len(values) - len(found['written'])
    for variable, value in zip(found['written'], values[count:]):
        variable.assign(value)
    return tree.pack_as(found['structure'], values[:count]) if tree.is_nested(found['structure']) else values[0]


def _abstract(engine, leaf):
    return AbstractTensor(engine.shape_of(leaf), engine.dtype_of(leaf)) if engine.is_native(leaf) else leaf


class RematScope:
    """Operations and layers that are made in this `with` block run under `remat`.

    Args:
        mode: 'full' for all of them, 'list_of_layers' for those named in `layer_names`, 'larger_than' for those whose
            output has more than `output_size_threshold` elements (where that is known), 'activations' for layers that
            are activations, None for none.
        output_size_threshold: for 'larger_than'. layer_names: for 'list_of_layers'.

    Raises:
        ValueError: for another mode.

    Example:
        >>> with keras.RematScope('full'):
        ...     layer = keras.layers.Dense(4)
    """

    def __init__(self, mode='full', output_size_threshold=1024, layer_names=None):
        if mode not in _MODES:
            raise ValueError('RematScope: invalid mode %r. Supported modes are: %s. Received: mode=%r'
                             % (mode, ', '.join(map(repr, _MODES)), mode))
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())

    def __enter__(self):
        _scopes.open.append(self)
        return self

    def __exit__(self, *_):
        _scopes.open.pop()


class Rematerialized:
    """What operations and layers have of the `RematScope` that they were made in."""
    _remat_scope = None

    def rematerialized_call(self, fn, *args, **kwargs):
        """A method as it runs on the arguments: `remat(fn)` where the scope asks for it, else `fn` itself."""
        scope = self._remat_scope
        if scope is None or scope.mode is None:
            return fn
        wanted = {'full': lambda: True, 'list_of_layers': lambda: self.name in scope.layer_names,
                  'activations': lambda: getattr(self, 'activation', None) is not None,
                  'larger_than': lambda: _size_of(fn, args, kwargs) > scope.output_size_threshold}
        return remat(fn) if wanted[scope.mode]() else fn


def take_scope(operation):
    """Have the `call` of a new operation or layer run as the innermost open `RematScope` says."""
    scope = _scopes.open[-1] if _scopes.open else None
    if scope is not None and scope.mode is not None:
        operation._remat_scope = scope
        operation.call = scoped(operation, operation.call)


def scoped(operation, method):
    """A method of an operation as its scope wants it to run."""
    return method if operation._remat_scope is None else functools.partial(_called, operation, method)


def _called(operation, method, *args, **kwargs):
    return operation.rematerialized_call(method, *args, **kwargs)(*args, **kwargs)


def _size_of(method, args, kwargs):
    """The number of elements of what `method` gives; unknown sizes count as 1."""
    engine = get_engine()
    with AbstractLedger():
        found = method(*tree.map_structure(lambda leaf: _abstract(engine, leaf), list(args)),
                       **tree.map_structure(lambda leaf: _abstract(engine, leaf), kwargs))
    sizes = [leaf.shape for leaf in tree.flatten(found) if isinstance(leaf, AbstractTensor)]
    return max([functools.reduce(lambda total, size: total * (size or 1), shape, 1) for shape in sizes] or [0])
