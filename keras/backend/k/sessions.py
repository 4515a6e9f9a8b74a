"""Sessions: `K.get_session().run(...)` for scripts that evaluate the graph of K as they did a TensorFlow graph."""
import warnings
import weakref

from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine
from keras.backend.graph.reads import symbol_of
from keras.backend.graph.tensors import KerasTensor, all_there_is
from keras.backend.k.compiled import Function
from keras.backend.state.variables import Variable


class Session:
    """Runs parts of the graph of K. Variables have values without it, so there is nothing to initialize or close.

    Example:
        >>> x = K.placeholder((2,))
        >>> K.get_session().run(x * 2, feed_dict={x: [1.0, 2.0]})
        array([2., 4.], dtype=float32)
    """

    def __init__(self):
        # What is compiled lives with a symbolic tensor that it fetches, so that it goes when the graph goes.
        self._owners = weakref.WeakSet()

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """The values of `fetches`: symbolic tensors, variables and updates, in any nest.

        Args:
            feed_dict: {placeholder, input of a model or `K.learning_phase()`: value}.
            options, run_metadata: what TensorFlow 1 traces a run by; a warning here, since nothing is traced.

        Raises:
            ValueError: if a fetch depends on a placeholder that is not fed, or a value does not fit.
        """
        if options is not None or run_metadata is not None:
            warnings.warn('Session.run: `options` and `run_metadata` have no effect. Times by layer: the '
                          'callback keras.callbacks.LayerProfiler.', stacklevel=2)
        fed = list(feed_dict or {})
        return self._function(fed, fetches)([feed_dict[tensor] for tensor in fed])

    def _function(self, fed, fetches):
        leaves = tree.flatten([fetches, fed])
        owner = next((leaf for leaf in leaves if isinstance(leaf, (KerasTensor, Variable))), None)
        if owner is None:
            return Function(fed, fetches, name='Session.run')
        owner = symbol_of(owner) if isinstance(owner, Variable) else owner
        self._owners.add(owner)
        functions = vars(owner).setdefault('functions', {})
        # A function keeps its tensors alive, so that their ids stay theirs.
        key = id(self), repr(tree.map_structure(lambda _: None, fetches)), tuple(map(id, leaves))
        if key not in functions:
            functions[key] = Function(fed, fetches, name='Session.run')
        return functions[key]

    @property
    def graph(self):
        return all_there_is

    def as_default(self):
        return self

    def close(self):
        """Forget what was compiled."""
        for owner in self._owners:
            vars(owner).pop('functions', None)
        self._owners.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


_current = [Session()]


def get_session():
    """The session of K, see `Session`."""
    return _current[0]


def set_session(session):
    """Use `session`: one of K's, or one of the engine's own, whose options for devices the engine then takes over.

    Raises:
        TypeError: if the engine in use has no such sessions.
    """
    if isinstance(session, Session):
        _current[0] = session
    else:
        get_engine().use_session(session)
