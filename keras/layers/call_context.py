"""Arguments of calls that reach the layers inside without being handed on, as `training` does, by Keras 3's name for
them: a layer registers them, and so does the one, above it, that is called with them.
"""
import threading

from keras.layers.calls import signature_of


class _Given(threading.local):
    """Per thread: {name: value} of what the layer calls that run around the code were given, or found."""
    values = {}


_given = _Given()


class ContextArguments:
    """The part of a layer that takes call-context arguments."""

    _call_context_args = frozenset(('training',))

    def _register_call_context_args(self, *names):
        """Have arguments of these names go on to the layers inside, which get those that they have registered.

        Raises:
            RuntimeError: for a layer that has been called.
        """
        if self.has_been_called():
            raise RuntimeError('Layer %s (%s): Cannot add call-context args after the layer has been called.'
                               % (self.name, type(self).__name__))
        self._call_context_args = self._call_context_args | set(names)

    def context_arguments(self):
        """The names that were registered."""
        return self._call_context_args.difference(ContextArguments._call_context_args)

    def within_context(self, function, args, kwargs):
        """What `function` of the arguments gives, those of the context filled in, for this layer and those inside."""
        names, signature = self.context_arguments(), signature_of(type(self))
        kwargs, known = dict(kwargs), dict(_given.values)
        for name in names:
            taken = name in signature.names
            if name in kwargs:
                known[name] = kwargs[name] if taken else kwargs.pop(name)
            elif taken and known.get(name) is not None:
                kwargs[name] = known[name]
            elif taken:
                known[name] = signature.defaults.get(name)
        previous, _given.values = _given.values, known
        try:
            return function(*args, **kwargs)
        finally:
            _given.values = previous

    def filling_in_context(self, function):
        """`function` of a plan, which runs within what the model is called with."""
        def run(*args, **kwargs):
            return self.within_context(function, args, kwargs)
        return run
