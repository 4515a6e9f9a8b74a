"""Ledgers of graphs: what a script assigns inside of TensorFlow's own branches and loops, and gradients beside that."""
import tensorflow as tf

from keras.backend.contract.ledger import Ledger
from keras.backend.engines.tensorflow.tensors import executing_eagerly, raw


def _chain(ledger):
    while ledger is not None:
        yield ledger
        ledger = ledger.outer


class GraphLedger(Ledger):
    """A ledger that belongs to the graph in which it was made.

    A value of an inner graph, a branch of `tf.cond` say, cannot leave it. What is assigned there goes to the storage
    of the variable at once, which from then on is read anew each time (`stored`, one set for a ledger and those in it).
    """
    __slots__ = ('graph', 'stored')

    def __init__(self, values=None, outer=None, missing=None):
        super().__init__(values, outer, missing)
        self.graph = None if executing_eagerly() else tf.compat.v1.get_default_graph()
        around = next((each for each in _chain(outer) if isinstance(each, GraphLedger)), None)
        self.stored = set() if around is None else around.stored

    def read(self, variable):
        if variable in self.stored:
            return variable.storage.value()
        return super().read(variable)

    def is_left(self):
        """Whether an inner graph is being made."""
        return not executing_eagerly() and tf.compat.v1.get_default_graph() is not self.graph

    def write(self, variable, value):
        if self.is_left():
            self._store(variable, value)
        else:
            self.stored.discard(variable)
            super().write(variable, value)

    def _store(self, variable, value):
        pending = None
        for ledger in _chain(self):
            written = getattr(ledger, 'writes', {}).pop(variable, None)
            pending = written if pending is None else pending
            ledger.values.pop(variable, None)
            if isinstance(ledger, GraphLedger):
                ledger.keep(variable)
        if pending is not None:
            with tf.init_scope() if self.graph is None else self.graph.as_default():
                raw.AssignVariableOp(resource=variable.storage.handle, value=pending)
        self.stored.add(variable)
        raw.AssignVariableOp(resource=variable.storage.handle, value=value)

    def snapshot(self):
        return super().snapshot() + (set(self.stored),)

    def take_back(self, snapshot):
        super().take_back(snapshot[:2])
        self.stored.update(snapshot[2])

    def keep(self, variable):
        """Note that the storage of `variable` is used."""


class StepLedger(GraphLedger):
    """The ledger of a trace; it knows the step."""
    __slots__ = ('step',)

    def keep(self, variable):
        self.step.keep(variable)


class WatchedLedger(GraphLedger):
    """The ledger of gradients by variables: those are gradients by the values that the variables have when they are
    read. As with TensorFlow's own variables nothing passes back through an assignment.

    Args:
        tape: a `tf.GradientTape`.
        values: {variable: what it reads as}, of all that gradients are taken by; the tape watches these already.
        outer: the ledger around.
    """
    __slots__ = ('watched', '_tape')

    def __init__(self, tape, values, outer):
        super().__init__(values, outer)
        self._tape = tape
        self.watched = {variable: [value] for variable, value in values.items()}

    def read(self, variable):
        value = super().read(variable)
        if variable in self.stored and variable in self.watched and not self.is_left():
            self._watch(variable, value)
        return value

    def write(self, variable, value):
        if variable in self.watched and not self.is_left():
            value = tf.stop_gradient(value)
            self._watch(variable, value)
        super().write(variable, value)

    def _watch(self, variable, value):
        self._tape.watch(value)
        self.watched[variable].append(value)
