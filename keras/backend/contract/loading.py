"""The engines there are, and how one is chosen, loaded and switched.

An engine may come from another distribution: by an entry point of the group `keras.engines`, whose name is the
engine's and whose value is `module:object`, the object an instance of `Engine`.
"""
import collections
import functools
import importlib
import importlib.util
import os
import sys
import threading

import numpy as np

from keras import config, lazy
from keras.backend.contract import rules

configparser = lazy.Later('configparser')
glob = lazy.Later('glob')


GROUP = 'keras.engines'


class Known(collections.namedtuple('Known', 'title modules command before address formats objects methods')):
    """What is known of an engine that is not loaded.

    title: its name as people write it. modules: packages of which one must be installed. command: how to install one.
    before: {package: (major, minor)}: packages which, where older than that, may not have been imported before this
    engine's, or the process dies. address: 'module:object' where it is found, for one that is not among ours. formats:
    those that only this engine exports models to. objects: the module, beside the engines, that makes variables and
    layers objects of a library over the engine's where the settings ask for it. methods: of the library's class that
    layers are objects of: who looks for one, while the engine is not loaded, has it loaded.
    """

    def __new__(cls, title, modules, command, before=None, address=None, formats=(), objects=None,
                methods=()):
        return super().__new__(cls, title, modules, command, before or {}, address, formats, objects, methods)


# The order is the order of preference.
KNOWN_ENGINES = {
    'tensorflow': Known('TensorFlow', ('tensorflow',), 'pip install tensorflow',
                        formats=('tf_saved_model', 'tflite', 'litert')),
    'theano': Known('Theano', ('theano', 'pytensor'),
                    'pip install theano  (Python 3.6 to 3.8) or pip install pytensor'),
    'cntk': Known('CNTK', ('cntk',), 'pip install cntk  (Python 3.6)'),
    'mxnet': Known('MXNet', ('mxnet',), 'pip install mxnet "numpy<2"', before={'tensorflow': (2, 5)}),
    'jax': Known('JAX', ('jax',), 'pip install jax', formats=('stablehlo',), objects='nnx'),
    'torch': Known('PyTorch', ('torch',), 'pip install torch', formats=('torch',), methods=frozenset(
        'parameters named_parameters buffers named_buffers modules named_modules children named_children state_dict '
        'load_state_dict to cuda cpu zero_grad requires_grad_ register_forward_hook register_forward_pre_hook '
        'register_full_backward_hook'.split())),
    'numpy': Known('NumPy', ('numpy',), 'pip install numpy'),
}


class Active:
    """The engine of this process. `native`: its tensor types, as far as they have been met; `others`: types that have
    been found to be none of them; `floats`, `booleans`, `integers`: its `..._dtypes`.

    `activations`: how often an engine was chosen; until that changes, variables stay where they are. `lent`: whether
    the engine is there for one block only, see `lent`. The sets are changed in place, never replaced: the dispatchers
    hold on to them.
    """

    def __init__(self):
        self.engine = None
        self.native = set()
        self.others = set()
        self.floats = set()
        self.booleans = set()
        self.integers = set()
        self.activations = 0
        self.lent = False
        self.listeners = []

    def layer_bases(self):
        """The class that all layers are objects of on this engine, in a tuple; where there is none, an empty one."""
        base = self.engine and self.engine.layer_base
        return () if base is None else (base,)


active = Active()
_loading = threading.RLock()
_loaded = {}
# Engines of other distributions that have been asked for by name.
_others = {}


def engines_of_others():
    """{name: Known} of the engines that other distributions declare. Reads their metadata, and imports nothing.

    The files are read here, since Python has a module for it from 3.8 on only; anew each time, as packages may be
    installed while a notebook runs.
    """
    found = {}
    for folder in sys.path:
        for path in sorted(glob.glob(os.path.join(glob.escape(folder or os.curdir), '*-info', 'entry_points.txt'))):
            for name, address in _entries(path):
                if name not in KNOWN_ENGINES:
                    module = address.partition(':')[0].strip()
                    found.setdefault(name, Known(name, (module.partition('.')[0],), 'pip install ' + _owner(path),
                                                 address=address))
    return found


def _entries(path):
    """The entry points of our group in a file: pairs (name, address)."""
    try:
        with open(path, encoding='utf-8') as file:
            text = file.read()
        if GROUP not in text:
            return []
        parser = configparser.ConfigParser(delimiters=('=',), interpolation=None)
        parser.optionxform = str
        parser.read_string(text)
    except (OSError, ValueError, configparser.Error):  # somebody else's broken package is none of our matter
        return []
    return parser.items(GROUP) if parser.has_section(GROUP) else []


def _owner(path):
    """The name of the distribution that a file of metadata belongs to."""
    return os.path.basename(os.path.dirname(path)).partition('-')[0]


def installed_engines():
    """Names of the engines whose package is installed, in order of preference. Imports none of them."""
    return list(_installed(KNOWN_ENGINES)) + list(_installed(engines_of_others()))


def _installed(engines):
    return (name for name, known in engines.items() if any(map(is_installed, known.modules)))


def is_installed(module):
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
        config.settings.backend = next(_installed(KNOWN_ENGINES), 'numpy')
    return config.settings.backend


def get_engine():
    """The active engine; the first call loads it, and says on standard error which one it is."""
    if active.engine is None:
        with _loading:
            if active.engine is None:
                engine = load_engine(engine_name())
                print('Using %s backend. Generation %s of Keras.'
                      % (known_engine(engine.name).title, config.get_generation()), file=sys.stderr)
                activate(engine)
    return active.engine


def variable_in(value):
    """The variable that stands for one of the engine's own library, see `Engine.variable_of`; other values as they are.
    """
    engine = active.engine
    if engine is None:
        if type(value).__module__.partition('.')[0] not in known_engine(engine_name()).modules:
            return value
        engine = get_engine()
    return engine.variable_of(value) if engine.makes_variables else value


def class_for_library(cls):
    """`cls`, the class of variables, or where `nnx_enabled` is set the subclass whose objects are those of NNX, too.

    Raises:
        ImportError: where that is not installed.
    """
    module = known_engine(engine_name()).objects if config.settings.nnx_enabled else None
    if module is None:
        return cls
    try:
        return importlib.import_module('keras.backend.engines.' + module).variable_class(cls)
    except ImportError as error:
        raise ImportError('To use NNX with the JAX backend, you must install `flax`: pip install flax. It is asked for '
                          'by KERAS_NNX_ENABLED or "nnx_enabled" in keras.json. (%s)' % error) from error


def join(cls, name):
    """Let objects of `cls` be objects of the class, too, that the engine's library has for such: `engine.<name>`.

    Where no engine is loaded yet, they become so when one is.
    """
    def take(engine):
        base = getattr(engine, name)
        if base is not None and not issubclass(cls, base):
            cls.__bases__ += (base,)
            if hasattr(base, 'joined_by'):
                base.joined_by(cls)
    active.listeners.append(take)
    if active.engine is not None:
        take(active.engine)


def meet_the_engine():
    """Load the engine if the program has imported its library: functions of that may then get what is made now.

    An engine tells its library's functions how to take symbolic tensors and variables when it is loaded; NumPy's have
    protocols for that.
    """
    if active.engine is None and engine_name() != 'numpy' \
            and any(module in sys.modules for module in known_engine(engine_name()).modules):
        get_engine()


def load_engine(name, source=None):
    """The engine called `name`, imported at the first call.

    Args:
        source: what asked for it, for messages; by default where the setting comes from.

    Raises:
        ValueError: for a name that is not an engine's. ImportError: where its package is not installed, or where
            importing it now would end the process.
    """
    if name in _loaded:
        return _loaded[name]
    source = source or config.settings.backend_source
    known = known_engine(name, source)
    if not any(map(is_installed, known.modules)):
        raise ImportError('The backend %r (chosen by %s) is not installed. Install it with: %s\nor choose another one '
                          'with KERAS_BACKEND=... or in keras.json. Installed here: %s.'
                          % (name, source, known.command, ', '.join(installed_engines())))
    mind_the_order(name)
    # Some engines draw from NumPy's global generator while they are imported; a script that seeded it must
    # get the same numbers on every engine.
    state = np.random.get_state()
    module, _, attribute = (known.address or 'keras.backend.engines.%s:ENGINE' % name).partition(':')
    engine = getattr(importlib.import_module(module.strip()), attribute.strip() or 'ENGINE')
    np.random.set_state(state)
    if engine.name != name:
        raise ImportError('The entry point %r of the group %s gives an engine whose `name` is %r; both must be the '
                          'same.' % (name, GROUP, engine.name))
    _loaded[name] = engine
    return engine


def known_engine(name, source=None):
    """What is known of the engine called `name`, one of ours or of another distribution.

    Raises:
        ValueError: if there is no such engine; it says that `source` asked for it.
    """
    known = KNOWN_ENGINES.get(name) or _others.get(name)
    if known is None:
        _others.update(engines_of_others())
        if name not in _others:
            names = list(KNOWN_ENGINES) + sorted(_others)
            raise ValueError('Unknown backend %r, from %s. Available: %s.%s Which device it uses is a setting of its '
                             'library.' % (name, source or config.settings.backend_source, ', '.join(names),
                                           _near_match(name, names)))
        known = _others[name]
    return known


def mind_the_order(name):
    """Before the engine `name` is imported: load those that were asked for and would not survive coming after it.

    Where its package is there already, it is too late for them, which they say when they are wanted themselves.
    """
    for other in config.settings.backends:
        late = set(known_engine(name).modules) & set(known_engine(other).before)
        if late and not late & set(sys.modules):
            load_engine(other)
    module = known_engine(name).modules[0]
    for package, release in known_engine(name).before.items():
        if module not in sys.modules and package in sys.modules and _release(sys.modules[package]) < release:
            raise ImportError(
                'The backend %r can no longer be loaded in this process: %s %s is already imported, and importing %s '
                'after it ends the process with a segmentation fault. Either name all engines that this process is to '
                'use, the active one first, and leave the order to keras: KERAS_BACKEND=%s,%s or the same as "backend" '
                'in keras.json. Or put `import %s` at the top of the program, before %s is imported.'
                % (name, package, sys.modules[package].__version__, module, package, name, module, package))


def _release(module):
    return tuple(int(part) for part in module.__version__.split('.')[:2])


def _near_match(name, names):
    import difflib
    matches = difflib.get_close_matches(str(name), names, n=1)
    return ' Did you mean %r?' % matches[0] if matches else ''


def is_native(x):
    """Whether `x` is a tensor of the active engine; its type is asked for once."""
    kind = type(x)
    if kind in active.native:
        return True
    if kind in active.others:
        return False
    found = get_engine().is_native(x)
    (active.native if found else active.others).add(kind)
    return found


def is_sparse(x):
    """Whether `x` is a sparse tensor of the active engine's library."""
    return active.engine is not None and type(x) in active.engine.sparse_types()


def is_ragged(x):
    """Whether `x` is a ragged tensor of the active engine's library."""
    return active.engine is not None and active.engine.has_ragged and active.engine.is_ragged(x)


def foreign_engine(tensors):
    """The engine, other than the active one, whose library traces one of `tensors`; None where there is no such."""
    for tensor in tensors:
        package = type(tensor).__module__.partition('.')[0]
        # Tensors with a value are converted instead.
        if hasattr(tensor, 'numpy') or isinstance(tensor, np.ndarray) or is_native(tensor):
            continue
        for name, known in KNOWN_ENGINES.items():
            if package in known.modules and load_engine(name).is_native(tensor):
                return load_engine(name)
    return None


def activate(engine):
    active.others.clear()
    active.native.clear()
    active.native.update(engine.native_types)
    active.floats.clear()
    active.floats.update(engine.float_dtypes)
    active.booleans.clear()
    active.booleans.update(engine.boolean_dtypes)
    active.integers.clear()
    active.integers.update(engine.integer_dtypes)
    rules.sums.unsigned = engine.unsigned_sums
    active.engine = engine
    active.activations += 1
    for listener in active.listeners:
        listener(engine)


class Forked:
    """What stands in a forked child process for an engine that does not survive that: described, it runs nothing.

    Args:
        engine: the `Engine`.
    """

    def __init__(self, engine):
        self._engine = engine

    def is_native(self, x):
        return self._engine.is_native(x)

    def __getattr__(self, name):
        value = getattr(self._engine, name)
        if callable(value):
            raise RuntimeError('This process was forked from one in which %s had run already: the threads of the '
                               'engine stayed behind, and it would wait for them for ever. Start processes by '
                               "multiprocessing.get_context('spawn'), or fork before the first operation."
                               % known_engine(self._engine.name).title)
        return value


def _after_fork():
    if active.engine is None:
        return
    if active.engine.survives_fork:
        active.engine.after_fork()
    else:
        active.engine = Forked(active.engine)
        # Nothing goes past it to functions that are bound already.
        active.native.clear()


def _await_forks():
    """Have `_after_fork` called in forked processes. Python 3.6 tells nobody of a fork, so there `os.fork` does it."""
    if hasattr(os, 'register_at_fork'):
        os.register_at_fork(after_in_child=_after_fork)
    elif hasattr(os, 'fork'):
        fork = os.fork

        @functools.wraps(fork)
        def telling_fork():
            process = fork()
            if not process:
                _after_fork()
            return process
        os.fork = telling_fork


_await_forks()


def set_backend(backend):
    """Make `backend` the engine of this process. Variables move along when they are next used.

    Args:
        backend: 'tensorflow', 'theano', 'cntk', 'mxnet', 'jax', 'torch', 'numpy', or the name of an engine which
            another distribution declares.

    Raises:
        ValueError: for an unknown name. ImportError: if the engine is not installed, naming the pip command, and if
            it would not survive being imported after one that is there already, naming the ways out.

    Example:
        >>> keras.backend.set_backend('numpy')
        >>> keras.backend.backend()
        'numpy'
    """
    engine = load_engine(backend, 'set_backend(%r)' % (backend,))
    with _loading:
        activate(engine)


def outside_graphs(function):
    """`function`, which computes even where the script is inside of a graph of the engine's own library.

    Servers call models so that were written for TensorFlow 1: `with graph.as_default(): model.predict(x)`.
    """
    @functools.wraps(function)
    def run(*args, **kwargs):
        outside = None if active.engine is None else active.engine.leaving_graph()
        if outside is None:
            return function(*args, **kwargs)
        with outside:
            return function(*args, **kwargs)
    return run


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


class lent:
    """Run a block on another engine, whose library traces tensors in it (`tf.data.Dataset.map`).

    Variables stay where they are; seeds are drawn by `Engine.pipeline_seed`. No other thread may run operations
    meanwhile, so the block should only trace.

    Args:
        engine: an `Engine`, or None: then nothing changes.
    """

    def __init__(self, engine):
        self.engine = engine

    def __enter__(self):
        if self.engine is not None:
            _loading.acquire()
            self._previous = get_engine(), active.activations, active.lent
            activate(self.engine)
            active.lent = True

    def __exit__(self, *_):
        if self.engine is not None:
            engine, activations, active.lent = self._previous
            activate(engine)
            active.activations = activations
            _loading.release()
