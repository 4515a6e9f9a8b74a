"""Blocks in which variables, names and devices are others: `StatelessScope`, `name_scope`, `device`."""
import threading
import warnings

from keras.backend.contract.context import calls, context, running
from keras.backend.contract.ledger import Ledger, Stored
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor


class StatelessScope:
    """A `with` block in which variables have other values, and what is assigned to them stays in the scope.

    Args:
        state_mapping: pairs (variable, value). collect_losses: whether `losses` gathers what layers add in the block.
        initialize_variables: without effect here: the values of new variables are drawn when they are first used.

    Raises:
        ValueError: for a key that is no variable, or a value of another shape.

    Example:
        >>> v = keras.Variable([1.0, 2.0])
        >>> with keras.StatelessScope([(v, np.zeros(2, 'float32'))]) as scope:
        ...     v.assign_add([3.0, 3.0])
        >>> scope.get_current_value(v), v.numpy()
        (array([3., 3.], dtype=float32), array([1., 2.], dtype=float32))
    """

    def __init__(self, state_mapping=None, collect_losses=False, initialize_variables=True):
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses = []
        self.state_mapping = {}
        engine = get_engine()
        for variable, value in state_mapping or {}:
            if not isinstance(variable, Stored):
                raise ValueError('StatelessScope: all keys in argument `mapping` must be Variable instances. Received: '
                                 '%r' % (variable,))
            if isinstance(value, AbstractTensor):  # in a run for shapes
                shape = value.shape
            else:
                value = engine.convert(value, variable.kept_dtype)
                shape = tuple(engine.shape_of(value))
            if shape != variable.shape:
                raise ValueError('StatelessScope: all values in argument `mapping` must be tensors with a shape that '
                                 'matches the corresponding variable shape. Received: %s for %r.' % (shape, variable))
            self.state_mapping[variable] = value

    def __enter__(self):
        self._ledger = Ledger(self.state_mapping, outer=context.ledger)
        self._ledger.writes.update(self.state_mapping)
        self._running = running(context.training) if self.collect_losses else None
        if self._running is not None:
            self._running.__enter__()
            calls.losses = self.losses
        self._ledger.__enter__()
        _open.scopes.append(self)
        return self

    def __exit__(self, *error):
        _open.scopes.remove(self)
        self._ledger.__exit__(*error)
        if self._running is not None:
            self._running.__exit__(*error)

    def add_loss(self, loss):
        """Put a loss among `losses`."""
        self.losses.append(loss)

    def add_update(self, update):
        """Give a variable another value in the scope: a pair (variable, value)."""
        variable, value = update
        self._ledger.write(variable, value)

    def get_current_value(self, variable):
        """The value that a variable has in the scope; None for one that was neither given nor assigned."""
        return self._ledger.writes.get(variable)


class _Open(threading.local):
    """Per thread: how many `SymbolicScope`s are open, the open `StatelessScope`s and the names of the open
    `name_scope`s, the innermost last."""
    symbolic = 0

    def __init__(self):
        self.names = []
        self.scopes = []


_open = _Open()


def open_scope():
    """The innermost open `StatelessScope`, or None."""
    return _open.scopes[-1] if _open.scopes else None


class SymbolicScope:
    """A `with` block that says that shapes are being found, for code of one's own that asks `in_symbolic_scope()`.

    Example:
        >>> with keras.SymbolicScope():
        ...     in_symbolic_scope()
        True
    """

    def __enter__(self):
        _open.symbolic += 1
        return self

    def __exit__(self, *_):
        _open.symbolic -= 1


def in_symbolic_scope():
    """Whether shapes are being found: in a `SymbolicScope`, and where a layer or operation runs for its shapes only."""
    return bool(_open.symbolic) or context.abstract


def checked_name(name, what):
    """`name`, in which `/` would part it as it parts paths.

    Raises:
        ValueError: for a name that is no text or has a `/` in it. `what`: whose name it is, in words.
    """
    if not isinstance(name, str) or '/' in name:
        raise ValueError('%s: Argument `name` must be a string and cannot contain character `/`. Received: name=%r '
                         '(of type %s)' % (what, name, type(name).__name__))
    return name


class name_scope:
    """A `with` block whose name is put before the paths of the variables that are made in it.

    Args:
        name: a string without `/`. Further arguments, those of upstream's engines, have no effect and warn.

    Raises:
        ValueError: for a name that is no string, or has a `/` in it.

    Example:
        >>> with keras.name_scope('outer'):
        ...     keras.Variable([1.0], name='v').path
        'outer/v'
    """

    def __init__(self, name, *args, **kwargs):
        checked_name(name, 'name_scope')
        if args or kwargs:
            warnings.warn('name_scope %r: the arguments behind the name have no effect: %s.'
                          % (name, ', '.join([repr(arg) for arg in args] + sorted(kwargs))), stacklevel=2)
        self.name = name

    def __enter__(self):
        _open.names.append(self.name)
        return self

    def __exit__(self, *_):
        _open.names.pop()


def current_names():
    """The names of the open `name_scope`s, the innermost last."""
    return _open.names


def device(device_name):
    """A `with` block whose tensors are made on another device of the engine.

    Args:
        device_name: 'cpu', 'gpu', 'cpu:0', 'gpu:1' and so on.

    Raises:
        ValueError: for what is no such name. UnsupportedOperation: where the engine does not choose devices by blocks.

    Example:
        >>> with keras.device('cpu:0'):
        ...     x = keras.ops.ones((2,))
    """
    if not isinstance(device_name, str):
        raise ValueError('device: `device_name` must be a string such as "cpu:0". Received: device_name=\'%s\''
                         % (device_name,))
    kind, _, number = device_name.lower().strip('/').replace('device:', '').partition(':')
    kind = {'cuda': 'gpu'}.get(kind, kind)
    if kind not in ('cpu', 'gpu', 'tpu', 'mps', 'xpu') or number and not number.isdigit():
        raise ValueError('device: `device_name` must be a kind of device and, if wanted, a number, such as "cpu:0" or '
                         '"gpu:1". Received: device_name=%r' % (device_name,))
    return get_engine().on_device(kind, int(number or 0))
