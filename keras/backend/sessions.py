"""Sessions: `K.get_session().run(...)` for scripts that evaluate the graph of K as they did a TensorFlow graph."""
from keras.backend import tree
from keras.backend.engine import get_engine
from keras.backend.function import Function


class Session:
    """Runs parts of the graph of K. Variables have values without it, so there is nothing to initialize or close.

    Example:
        >>> x = K.placeholder((2,))
        >>> K.get_session().run(x * 2, feed_dict={x: [1.0, 2.0]})
        array([2., 4.], dtype=float32)
    """

    def __init__(self):
        self._functions = {}

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """The values of `fetches`: symbolic tensors, variables and updates, in any nest.

        Args:
            feed_dict: {placeholder, input of a model or `K.learning_phase()`: value}.

        Raises:
            ValueError: if a fetch depends on a placeholder that is not fed, or a value does not fit.
        """
        fed = list(feed_dict or {})
        # The tensors are in the key so that they live as long as it: their ids stay theirs.
        structure = repr(tree.map_structure(lambda _: None, fetches))
        key = structure, tuple(_Identity(leaf) for leaf in tree.flatten([fetches, fed]))
        if key not in self._functions:
            self._functions[key] = Function(fed, fetches, name='Session.run')
        return self._functions[key]([feed_dict[tensor] for tensor in fed])

    @property
    def graph(self):
        """The one graph there is."""
        return self

    def as_default(self):
        return self

    def close(self):
        """Forget what was compiled."""
        self._functions.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


class _Identity:
    def __init__(self, item):
        self.item = item

    def __hash__(self):
        return id(self.item)

    def __eq__(self, other):
        return self.item is other.item


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
