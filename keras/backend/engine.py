"""What an engine is, and how one is chosen, loaded and switched.

An engine is one module in `keras.backend.engines` that defines a subclass of `Engine` named `ENGINE`'s
class and an instance `ENGINE`. It gives

* the session methods below (convert, store, step, value_and_grad, ...);
* one method per primitive of `primitives.py`, under the same name and with the same positional
  arguments. They receive native tensors whose dtypes are already promoted, static arguments already
  normalised (tuples instead of lists), and return native tensors of the dtype the rule says;
* `overrides`: composite name -> function with the composite's signature, for fused kernels. It may return
  `NotImplemented` to have the composite run instead;
* `capabilities`: what it can do, see `Capabilities`.

Conventions of the contract: tensors are native and nothing is ever pinned on them; convolution is
correlation on channels-last data with kernels (spatial..., in, out); axes are static and may be negative;
shapes are tuples of ints in which sizes unknown while tracing are engine scalars; one -1 is allowed.
"""
import collections
import contextlib
import importlib
import importlib.util
import sys
import threading

import numpy as np

from keras import config
from keras.backend import tree
from keras.backend.rules import AbstractTensor

class Known(collections.namedtuple('Known', 'title modules command before')):
    """What is known of an engine that is not loaded.

    title: its name as people write it. modules: packages of which one must be installed. command: how to install one.
    before: {package: (major, minor)}: packages which, where older than that, may not have been imported before this
    engine's, or the process dies.
    """

    def __new__(cls, title, modules, command, before=None):
        return super().__new__(cls, title, modules, command, before or {})


# The order is the order of preference.
KNOWN_ENGINES = {
    'tensorflow': Known('TensorFlow', ('tensorflow',), 'pip install tensorflow'),
    'theano': Known('Theano', ('theano', 'pytensor'),
                    'pip install theano  (Python 3.6 to 3.8) or pip install pytensor'),
    'cntk': Known('CNTK', ('cntk',), 'pip install cntk  (Python 3.6)'),
    'mxnet': Known('MXNet', ('mxnet',), 'pip install mxnet "numpy<2"', before={'tensorflow': (2, 5)}),
    'jax': Known('JAX', ('jax',), 'pip install jax'),
    'torch': Known('PyTorch', ('torch',), 'pip install torch'),
    'numpy': Known('NumPy', ('numpy',), 'pip install numpy'),
}


class UnsupportedOperation(NotImplementedError):
    """What an engine declares that it cannot do. `engine` and `operation` are names."""

    def __init__(self, engine, operation, reason):
        super().__init__('The %s engine does not offer %r: %s.' % (engine, operation, reason))
        self.engine, self.operation = engine, operation


class Capabilities:
    """What an engine can do. The conformance suite and `docs/engines.md` read this table.

    gradients: `value_and_grad` works. compiled: `step` traces its function (so a Python side effect runs
    once). deferred: outside a step, too, operations make graph, which runs when a value is asked for.
    dynamic_sizes: sizes may be unknown while tracing. both_branches: `cond` evaluates both branches.
    dtypes: names of the dtypes tensors may have. unsupported: {operation: reason and way out}; an operation is
    an entry of the op table, a method of the contract, or a few words such as 'tensors of float16'.
    """

    def __init__(self, gradients=True, compiled=True, deferred=False, dynamic_sizes=False, both_branches=False,
                 dtypes=(), unsupported=None):
        self.gradients = gradients
        self.compiled = compiled
        self.deferred = deferred
        self.dynamic_sizes = dynamic_sizes
        self.both_branches = both_branches
        self.dtypes = tuple(dtypes)
        self.unsupported = dict(unsupported or {})


class Engine:
    """The contract. A subclass defines every method here and every primitive of the op table."""

    name = None
    capabilities = Capabilities()
    overrides = {}
    # Types of tensors that are known beforehand; others are noted when they are met, see `is_native`.
    native_types = ()
    # Native integer dtypes, of 32 bits or more, beside which add, subtract and multiply take a Python int as it is.
    integer_dtypes = frozenset()
    # Names that a `Variable` hands through to its storage, so that the engine's own tools accept variables.
    variable_attributes = ()
    # Whether recurrent layers should multiply their inputs by the kernel in each step of the scan, not before it.
    projects_each_step = False
    # Where the engine's own convolutions want the channels: a plan runs chains of image layers that way round.
    data_format = 'channels_last'
    # The numbers that stand in for an unknown size where shapes are found by running a function, see `eval_shape`.
    stand_ins = (11, 13)

    def __getattr__(self, name):
        # Only reached for what the engine does not define.
        if name.startswith('__'):
            raise AttributeError(name)
        return self.unsupported(name)

    def unsupported(self, operation):
        """A function that raises the one error for what this engine cannot do."""
        reason = self.capabilities.unsupported.get(operation, 'use another engine for this model')

        def refuse(*args, **kwargs):
            raise UnsupportedOperation(self.name, operation, reason)
        return refuse

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        """Whether `x` is a tensor of this engine, tracers included. Only asked once per Python type."""
        raise NotImplementedError

    def convert(self, x, dtype=None):
        """A native tensor from an array, a nested list, a scalar, or a native tensor.

        Without `dtype`, arrays keep theirs, Python floats become `floatx` and Python ints int32.
        """
        raise NotImplementedError

    def scalar(self, value, dtype):
        """A Python scalar in a form that the primitives take beside tensors of `dtype`."""
        return self.convert(value, dtype)

    def to_numpy(self, x):
        """A NumPy array with the value of `x`; waits for the device. bfloat16 becomes float32."""
        raise NotImplementedError

    def dtype_of(self, x):
        """The dtype of a native tensor, as a name."""
        raise NotImplementedError

    def shape_of(self, x):
        """The static shape of a native tensor: a tuple of ints, None for sizes unknown while tracing."""
        raise NotImplementedError

    def dynamic_shape(self, x):
        """The shape of a native tensor for computing with: engine scalars for sizes unknown while tracing."""
        return self.shape_of(x)

    @property
    def float_dtypes(self):
        """The native dtype objects that count as floats, as a set (what `tensor.dtype` gives)."""
        raise NotImplementedError

    # --- state -----------------------------------------------------------------------------------------------

    def new_variable(self, value, variable):
        """Storage for `variable` (see `state.Variable`), holding the NumPy array `value`."""
        raise NotImplementedError

    def load(self, storage):
        """The current value of a storage, as a native tensor."""
        raise NotImplementedError

    def store(self, storage, value):
        """Write `value` (native, of the storage's shape and dtype); return the storage to keep from now on."""
        raise NotImplementedError

    def variable_attribute(self, variable, name):
        """What `variable.<name>` is, for a name among `variable_attributes`."""
        return getattr(variable.storage, name)

    def concretely(self):
        """A context in which operations run at once although a step is being traced."""
        return contextlib.ExitStack()

    def draw_seed(self, generator):
        """The seed argument for the random primitives, advancing `generator` (a `state.SeedGenerator`)."""
        return generator.advance()

    def constant_seed(self, value):
        """The seed argument for the random primitives that stands for the int `value` at every call."""
        return self.convert(np.array([value & 0xffffffff, 0], dtype='uint32'))

    # --- running ---------------------------------------------------------------------------------------------

    def step(self, fn, reads, writes, static_batch=False):
        """A callable that runs `fn(*args)` as one unit: traced and compiled where the engine does that.

        Args:
            fn: function of nested native tensors that returns nested native tensors. It reads variables
                through `variable.value` and writes them through `variable.assign`.
            reads: variables that fn reads. writes: those it may assign. A variable that is read without
                being listed is found while tracing and added.
            static_batch: trace anew for every batch size even where the engine could leave it open.

        The outputs are fixed before the writes; then all writes commit together. Arrays given as
        arguments are converted. Calling never waits for the device.
        """
        raise NotImplementedError

    def value_and_grad(self, fn, variables):
        """`(value, aux), gradients` of `value, aux = fn()`, a scalar, by the values of `variables`.

        Assignments that fn makes stay in force. The gradient by a variable that does not influence the
        value is None.
        """
        return self.unsupported('value_and_grad')()

    @contextlib.contextmanager
    def differentiating_once(self):
        """A block that finds gradients, for engines without gradients of gradients: it refuses to be nested."""
        from keras.backend.state import context
        if context.differentiating:
            self.unsupported('gradients of gradients')()
        context.differentiating = True
        try:
            yield
        finally:
            context.differentiating = False

    def gradients(self, fn, values, variables=()):
        """`rest, gradients` where `total, rest = fn(*values)`, a scalar, by the native `values` and by `variables`.

        Within another `gradients` the results are differentiable again, unless the engine declares
        'gradients of gradients' unsupported.
        """
        from keras.backend.state import Handle, Ledger, context
        handles = [Handle(self.shape_of(value), self.dtype_of(value)) for value in values]
        with Ledger(dict(zip(handles, values)), outer=context.ledger) as ledger:
            (_, rest), found = self.value_and_grad(lambda: fn(*[handle.value for handle in handles]),
                                                   handles + list(variables))
        for variable, value in ledger.writes.items():
            variable.assign(value)
        return rest, found

    def eval_shape(self, fn, args):
        """Shapes and dtypes of `fn(*args)` for `AbstractTensor`s, by the engine's own abstract evaluation.

        The last resort for layers that call the engine directly. A size that is unknown in `args` is unknown in a
        result where it comes out different with two numbers in its place.
        """
        from keras.backend.state import context
        previous, context.abstract = context.abstract, False
        try:
            results = [self.results_for(fn, args, size) for size in self.stand_ins]
        finally:
            context.abstract = previous
        merged = [AbstractTensor([a if a == b else None for a, b in zip(first.shape, second.shape)],
                                 self.dtype_of(first)) if hasattr(first, 'shape') else first
                  for first, second in zip(*map(tree.flatten, results))]
        return tree.pack_as(results[0], merged)

    def results_for(self, fn, args, size):
        """What `fn` gives, its shapes and dtypes at least, with the number `size` in the place of unknown sizes."""
        return self.unsupported('eval_shape')()

    def seed(self, value):
        """Seed whatever random state of its own the engine has."""

    def print_tensor(self, x, message):
        """Print `message` and the value of the native tensor `x` whenever this runs; return `x`."""
        print(message, self.to_numpy(x))
        return x

    def use_session(self, session):
        """Take over the options of `session`, an object of the engine's own library (`K.set_session`)."""
        raise TypeError('K.set_session: the %s engine has no sessions to take options from. Received: %r. Configure '
                        'its devices with its own library, or with environment variables such as '
                        'CUDA_VISIBLE_DEVICES.' % (KNOWN_ENGINES[self.name].title, session))

    def wait(self, x):
        """Return `x` once the device has computed it."""
        return x


class Active:
    """The engine of this process. `native`: its tensor types; `floats`, `integers`: its `..._dtypes`.

    `activations`: how often an engine was chosen; until that changes, variables stay where they are. The sets are
    changed in place, never replaced: the dispatchers hold on to them.
    """

    def __init__(self):
        self.engine = None
        self.native = set()
        self.floats = set()
        self.integers = set()
        self.activations = 0
        self.listeners = []


active = Active()
_loading = threading.RLock()
_loaded = {}


def installed_engines():
    """Names of the engines whose package is installed, in order of preference. Imports none of them."""
    return [name for name, known in KNOWN_ENGINES.items() if any(_is_installed(module) for module in known.modules)]


def _is_installed(module):
    if module in sys.modules:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def engine_name():
    """The name of the engine in use, or of the one that the first operation will load."""
    if active.engine is not None:
        return active.engine.name
    if config.settings.backend is None:
        config.settings.backend = next(iter(installed_engines()), 'numpy')
    return config.settings.backend


def get_engine():
    """The active engine; the first call loads it, and says on standard error which one it is."""
    if active.engine is None:
        with _loading:
            if active.engine is None:
                engine = load_engine(engine_name())
                print('Using %s backend.' % KNOWN_ENGINES[engine.name].title, file=sys.stderr)
                _activate(engine)
    return active.engine


def load_engine(name):
    """The engine called `name`, imported at the first call.

    Raises:
        ValueError: for a name that is not an engine's. ImportError: where its package is not installed, or where
            importing it now would end the process.
    """
    if name in _loaded:
        return _loaded[name]
    modules, command = _known(name)[1:3]
    if not any(_is_installed(module) for module in modules):
        raise ImportError('The backend %r (chosen by %s) is not installed. Install it with: %s\nor choose another one '
                          'with KERAS_BACKEND=... or in keras.json. Installed here: %s.'
                          % (name, config.settings.backend_source, command, ', '.join(installed_engines())))
    _mind_the_order(name)
    # Some engines draw from NumPy's global generator while they are imported; a script that seeded it must
    # get the same numbers on every engine.
    state = np.random.get_state()
    module = importlib.import_module('keras.backend.engines.' + name)
    np.random.set_state(state)
    _loaded[name] = module.ENGINE
    return module.ENGINE


def _known(name):
    if name not in KNOWN_ENGINES:
        raise ValueError('Unknown backend %r, from %s. Available: %s.%s'
                         % (name, config.settings.backend_source, ', '.join(KNOWN_ENGINES), _near_match(name)))
    return KNOWN_ENGINES[name]


def _mind_the_order(name):
    """Before the engine `name` is imported: load those that were asked for and would not survive coming after it."""
    for other in config.settings.backends:
        if set(_known(name).modules) & set(_known(other).before):
            load_engine(other)
    module = _known(name).modules[0]
    for package, release in _known(name).before.items():
        if module not in sys.modules and package in sys.modules and _release(sys.modules[package]) < release:
            raise ImportError(
                'The backend %r can no longer be loaded in this process: %s %s is already imported, and importing %s '
                'after it ends the process with a segmentation fault. Either name all engines that this process is to '
                'use, the active one first, and leave the order to keras: KERAS_BACKEND=%s,%s or the same as "backend" '
                'in keras.json. Or put `import %s` at the top of the program, before %s is imported.'
                % (name, package, sys.modules[package].__version__, module, package, name, module, package))


def _release(module):
    return tuple(int(part) for part in module.__version__.split('.')[:2])


def _near_match(name):
    import difflib
    matches = difflib.get_close_matches(str(name), KNOWN_ENGINES, n=1)
    return ' Did you mean %r?' % matches[0] if matches else ''


def _activate(engine):
    active.native.clear()
    active.native.update(engine.native_types)
    active.floats.clear()
    active.floats.update(engine.float_dtypes)
    active.integers.clear()
    active.integers.update(engine.integer_dtypes)
    active.engine = engine
    active.activations += 1
    for listener in active.listeners:
        listener(engine)


def set_backend(name):
    """Make `name` the engine of this process. Variables move along when they are next used.

    Args:
        name: 'tensorflow', 'theano', 'cntk', 'mxnet', 'jax', 'torch' or 'numpy'.

    Raises:
        ValueError: for an unknown name. ImportError: if the engine is not installed, naming the pip command, and if
            it would not survive being imported after one that is there already, naming the ways out.

    Example:
        >>> keras.backend.set_backend('numpy')
        >>> keras.backend.backend()
        'numpy'
    """
    engine = load_engine(name)
    with _loading:
        _activate(engine)


class use:
    """Switch the engine for a `with` block: `with keras.backend.use('jax'): model.predict(x)`."""

    def __init__(self, name):
        self.name = name
        self._previous = None

    def __enter__(self):
        self._previous = get_engine().name
        set_backend(self.name)
        return get_engine()

    def __exit__(self, *_):
        set_backend(self._previous)
