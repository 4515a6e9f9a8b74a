"""Functions of scripts that run inside a graph of the engine's library."""
import functools

from keras.backend.contract.context import calls, context
from keras.backend.contract.loading import get_engine


def run_script(function, args, kwargs):
    """What a function of a script gives.

    Where it fails because it asks a tensor of a graph for its value, as `if` and `for` do, it runs once more in the
    form in which the engine makes these a part of the graph. What it has added until then is taken back; where it has
    updated a variable before, which would then happen twice, the error stands.
    """
    engine = get_engine()
    if not engine.rewrites_scripts or (getattr(function, '__module__', None) or '').startswith('keras.'):
        return function(*args, **kwargs)
    added, written, place = calls.mark(), _writes(), engine.place_in_graph()
    try:
        return function(*args, **kwargs)
    except Exception as error:
        again = engine.with_branches(function, error)
        if again is None or _writes() != written or engine.has_updated_since(place):
            raise
        calls.take_back(added)
        return again(*args, **kwargs)


def _writes():
    """What the ledgers of the thread have to write, told by the identity of the values."""
    found, ledger = [], context.ledger
    while ledger is not None:
        found.append([(id(variable), id(value)) for variable, value in getattr(ledger, 'writes', {}).items()])
        ledger = getattr(ledger, 'outer', None)
    return found


def scripted(function):
    """`function` of a script, run by `run_script`."""
    @functools.wraps(function)
    def run(*args, **kwargs):
        return run_script(function, args, kwargs)
    return run
