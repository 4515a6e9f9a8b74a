"""Functions of tensors that the engine compiles whole, once they are called again and again in the same way.

Where an engine joins operations (JAX), what consists of ten of them takes ten calls at once, and one when compiled.
What is compiled is a function of tensors alone: all other arguments are constants in it, and part of its key.
"""
import functools

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.loading import active, get_engine, is_native
from keras.config import settings

# How often a call comes before it is compiled, and for how many kinds of calls that is done.
TIMES, MOST_CALLS = 3, 32
# Of how many kinds compiling has to fail before none is looked at any more.
MOST_MISSES = 2
_PLAIN = frozenset((type(None), bool, int, float, str))
# For types that have been seen, whether their objects are tensors with values.
_are_tensors = {}


class _Hole:
    """Where a tensor stands in the arguments of a compiled call."""


class Joined:
    """`body` as a function of the same arguments, compiled for calls that come often.

    Args:
        body: a function of tensors and plain values (in tuples, lists and dictionaries, too), without side effects.
        leave: called when it turns out that compiling does not pay, or cannot be; from then on `body` is what runs.
    """

    def __init__(self, body, leave=None):
        self.body, self._leave = body, leave
        self._counts, self._compiled = {}, {}
        self._misses, self._is_over = 0, False

    def __call__(self, *args):
        # Within a step all is compiled as it is.
        if self._is_over or context.ledger is not None:
            return self.body(*args)
        key, tensors = [settings.floatx, settings.epsilon, settings.image_data_format], []
        for arg in args:
            if not _sort(arg, key, tensors):
                return self.body(*args)
        key = tuple(key)
        run = self._compiled.get(key)
        return self._counted(key, args, tensors) if run is None else run(*tensors)

    def _counted(self, key, args, tensors):
        count = self._counts.get(key, 0) + 1
        if len(self._counts) >= MOST_CALLS:
            # Room for calls that come again: numbers that are others each time fill it.
            self._counts = {known: times for known, times in self._counts.items() if times > 1}
        if count > 1 or len(self._counts) < MOST_CALLS:
            self._counts[key] = count
        result = self.body(*args)
        if count == TIMES:
            self._compile(key, args, tensors, result)
        return result

    def _compile(self, key, args, tensors, result):
        pattern = [_with_holes(arg) for arg in args]

        def run(*tensors):
            return self.body(*_filled(pattern, iter(tensors)))
        try:
            # Sizes and other numbers of Python would come out as tensors.
            joined = get_engine().joined(run, tensors) if all(map(is_native, tree.flatten(result))) else None
        except Exception:  # it looks at the values, or assigns variables
            joined = None
        if joined is not None:
            self._compiled[key] = joined
            return
        self._misses += 1
        if not self._compiled and self._misses >= MOST_MISSES:
            self._is_over = True
            if self._leave is not None:
                self._leave()


def joined(function):
    """A function of the library that is made of operations, on tensors and plain values, as `Joined` runs it."""
    whole = Joined(lambda args, kwargs: function(*args, **kwargs))

    @functools.wraps(function)
    def run(*args, **kwargs):
        if active.engine is None or not active.engine.joins_operations:
            return function(*args, **kwargs)
        return whole(args, kwargs)
    return run


def _sort(value, key, tensors):
    """Add a tensor to `tensors`, and to `key` what a call is compiled for; False where that is not known."""
    kind = type(value)
    if _are_tensors.get(kind):
        tensors.append(value)
        key += (value.shape, value.dtype)
    elif kind in _PLAIN:
        # 0.0 and -0.0 are equal, and what is no number is not equal to itself.
        key += (kind, repr(value) if kind is float and (not value or value != value) else value)
    elif kind is tuple or kind is list:
        key += (kind, len(value))
        return all([_sort(part, key, tensors) for part in value])
    elif kind is dict:
        key += (kind, tuple(value))
        return all([_sort(part, key, tensors) for part in value.values()])
    elif kind not in _are_tensors and is_native(value):
        _are_tensors[kind] = get_engine().has_values(value)
        return _are_tensors[kind] and _sort(value, key, tensors)
    else:
        return False
    return True


def _with_holes(value):
    if type(value) in (tuple, list):
        return type(value)(_with_holes(part) for part in value)
    if type(value) is dict:
        return {name: _with_holes(part) for name, part in value.items()}
    return _Hole if _are_tensors.get(type(value)) else value


def _filled(value, tensors):
    if type(value) in (tuple, list):
        return type(value)(_filled(part, tensors) for part in value)
    if type(value) is dict:
        return {name: _filled(part, tensors) for name, part in value.items()}
    return next(tensors) if value is _Hole else value
