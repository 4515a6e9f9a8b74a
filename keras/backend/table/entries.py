"""The entries of the op table, and what the active engine runs for each."""

from keras.backend.contract import rules
from keras.backend.contract.loading import active, get_engine
from keras.backend.table.joined import Joined

TABLE = {}


class Entry:
    """One operation of the table.

    name: its name. parameters: names of its parameters. tensors: positions of those that are tensors.
    promoted: positions of those that share a dtype. promote: None, 'float', 'same', 'same_float', 'product' or 'bool'.
    functions: positions of those that may be functions. numbers: of those that may be Python's numbers.
    rule: shape and dtype rule of a primitive. of_sizes: the same on two sizes, Python ints. body: the function of a
    composite. check: raises where its arguments do not fit. cases: examples for the conformance suite. impl: what the
    active engine runs.
    """

    def __init__(self, function, kind, tensors, promote, promoted, functions, cases, gradient, rule=None,
                 of_sizes=None, check=None, numbers=''):
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
        self.dtype = self.parameters.index('dtype') if 'dtype' in self.parameters else None
        self.functions = [self.parameters.index(name) for name in functions.split()]
        self.numbers = {self.parameters.index(name) for name in numbers.split()}
        self.rule = rule
        self.body = function
        self.cases = cases
        self.gradient = gradient
        self.of_sizes = of_sizes
        self.check = check
        self.doc = function.__doc__
        self.impl = self._load
        self.call = None
        self._joined = None

    def _load(self, *args):
        get_engine()
        return self.impl(*args)

    def plan_function(self, node, training):
        """What a `Plan` runs for a node of this entry."""
        if self.of_sizes is not None and node.outputs[0].shape == () and rules.is_integer(node.outputs[0].dtype):
            return _sized(self.of_sizes, self.call)
        return self.call

    def bind(self, engine):
        """Find what `engine` runs for this entry."""
        if self.kind == 'primitive':
            if not hasattr(engine, self.name):
                setattr(engine, self.name, engine.unsupported(self.name))
            self.impl = getattr(engine, self.name)
        else:
            # An override may give NotImplemented: the dispatcher, and `run`, go on with the body then.
            override = engine.overrides.get(self.name)
            self._bind_to(self._joined_body(engine) if override is None else override)

    def _bind_to(self, function):
        self.impl = function if self.check is None else _checked(function, self.check)

    def _joined_body(self, engine):
        """The body, compiled whole where the engine does that and nothing but the arguments tells what comes out."""
        if not engine.joins_operations or self.plain or self.functions or 'seed' in self.parameters:
            return self.body
        if self._joined is None:
            self._joined = Joined(self.body, lambda: get_engine().joins_operations and self._bind_to(self.body))
        return self._joined

    def run(self, *args):
        """What the engine gives for arguments that it takes as they are."""
        result = self.impl(*args)
        return self.body(*args) if result is NotImplemented else result

    def __reduce__(self):
        return entry_called, (self.name,)

    def __repr__(self):
        return '<%s %s>' % (self.kind, self.name)


def entry_called(name):
    return TABLE[name]


def _sized(of_sizes, call):
    """Arithmetic on sizes stays arithmetic of Python where the engine knows the sizes."""
    def run(x, y):
        return of_sizes(x, y) if type(x) is int and type(y) is int else call(x, y)
    return run


def _checked(function, check):
    """`function`, reached by arguments that fit: kernels of engines may look past the end of an array otherwise."""
    def run(*args):
        check(*args)
        return function(*args)
    return run


def _bind_all(engine):
    for entry in TABLE.values():
        entry.bind(engine)


active.listeners.append(_bind_all)
