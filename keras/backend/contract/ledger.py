"""The ledger that stands around a step: the values that variables have in it, and what is written to them.

While a step runs, reads and writes of variables go through the innermost `Ledger` of the thread.
"""
from keras.backend.contract.context import context
from keras.backend.contract.loading import active, get_engine
from keras.backend.contract.rules import AbstractTensor, is_float


class Ledger:
    """The values that variables have during one run of a step, and the writes made in it.

    Args:
        values: {variable: native tensor}, the values to start from.
        outer: the ledger to ask for anything else; None for the outermost.
        missing: called with a variable that neither this ledger nor an outer one knows; gives its value.
    """
    __slots__ = ('values', 'writes', 'outer', 'missing', '_previous')

    def __init__(self, values=None, outer=None, missing=None):
        self.values = dict(values) if values else {}
        self.writes = {}
        self.outer = outer
        self.missing = missing

    def read(self, variable):
        value = self.values.get(variable)
        if value is not None:
            return value
        if self.outer is not None:
            return self.outer.read(variable)
        value = self.missing(variable) if self.missing else variable.load()
        self.values[variable] = value
        return value

    def write(self, variable, value):
        self.values[variable] = value
        self.writes[variable] = value

    def snapshot(self):
        """What `take_back` takes to forget the writes made from now on."""
        return dict(self.writes), dict(self.values)

    def take_back(self, snapshot):
        """Forget the writes made since a `snapshot`; what was only read stays known."""
        writes, values = snapshot
        for variable, value in self.writes.items():
            if writes.get(variable) is not value:
                self.values.pop(variable, None)
                if variable in values:
                    self.values[variable] = values[variable]
        self.writes.clear()
        self.writes.update(writes)

    def __enter__(self):
        self._previous = context.ledger
        context.ledger = self
        return self

    def __exit__(self, *_):
        context.ledger = self._previous


class RerunLedger(Ledger):
    """The ledger of a function that gradients run again: it says values, but not which draws come next."""
    __slots__ = ()


class FacingLedger:
    """Within it the weights of a layer read otherwise than they are kept; what is written gets their own type again.

    Args:
        dtype: the name of the float type in which the layer computes and weights read; None for their own.

    In one within another the type is that of the inner one, of the layer that runs.
    """
    __slots__ = ('dtype', 'outer', '_previous')

    def __init__(self, dtype):
        self.dtype = dtype

    def shown_dtype(self, variable):
        """The type that a variable reads in."""
        kept = variable.kept_dtype
        return kept if self.dtype is None or not is_float(kept) or not variable.autocast else self.dtype

    def read(self, variable):
        value = self.outer.read(variable) if self.outer is not None else variable.load()
        if self.shown_dtype(variable) == variable.kept_dtype:
            return value
        if isinstance(value, AbstractTensor):
            # While a model is written down, a cast is a part of its graph.
            cast = getattr(self.outer, 'cast', None) if context.tracing is not None and not context.abstract else None
            return AbstractTensor(value.shape, self.dtype) if cast is None else cast(value, self.dtype)
        return active.engine.cast(value, self.dtype)

    def write(self, variable, value):
        if not isinstance(value, AbstractTensor) and active.engine.dtype_of(value) != variable.kept_dtype:
            value = active.engine.cast(value, variable.kept_dtype)
        if self.outer is not None:
            return self.outer.write(variable, value)
        context.ledger = None
        try:
            return variable.assign(value)
        finally:
            context.ledger = self

    @property
    def values(self):
        return self.outer.values

    def __enter__(self):
        self._previous = self.outer = context.ledger
        if type(self.outer) is FacingLedger:
            self.outer = self.outer.outer
        context.ledger = self
        return self

    def __exit__(self, *_):
        context.ledger = self._previous


def holding(variables, values):
    """A ledger in which `variables` have been assigned `values`, so that engines leave what they store alone."""
    ledger = Ledger(outer=context.ledger)
    for variable, value in zip(variables, values):
        ledger.write(variable, get_engine().convert(value))
    return ledger


class Stored:
    """What the ledger keeps a value of: variables, and what stands for them. `value` is a native tensor."""
    # Whether a script made the storage by the engine's library, and reads and writes it past the ledger.
    is_adopted = False
    # Whether it reads in the type that a layer computes in.
    autocast = True

    @property
    def kept_dtype(self):
        """The dtype of what is kept, whatever type the layer that runs reads it in."""
        return self.dtype


class Handle(Stored):
    """What `value_and_grad` takes for a variable, to differentiate by a value: it is what the ledger says."""
    trainable = True
    constraint = regularizer = layout = None
    path = name = 'value'

    def __init__(self, shape, dtype):
        self.shape, self.dtype = shape, dtype

    @property
    def value(self):
        return context.ledger.read(self)


class AbstractLedger:
    """The ledger of shape inference: variables read as `AbstractTensor`s, writes are dropped."""
    __slots__ = ('_previous',)

    def read(self, variable):
        return AbstractTensor(variable.shape, variable.kept_dtype)

    def write(self, variable, value):
        pass

    def __enter__(self):
        self._previous = (context.ledger, context.abstract)
        context.ledger, context.abstract = self, True
        return self

    def __exit__(self, *_):
        context.ledger, context.abstract = self._previous


class Concretely:
    """Leave tracing and shape inference for a block: what is computed in it has values now."""

    def __enter__(self):
        self._previous = (context.ledger, context.abstract, context.running)
        self._outside = active.engine.concretely() if active.engine is not None else None
        if self._outside is not None:
            self._outside.__enter__()
        context.ledger, context.abstract, context.running = None, False, True

    def __exit__(self, *error):
        context.ledger, context.abstract, context.running = self._previous
        if self._outside is not None:
            self._outside.__exit__(*error)
