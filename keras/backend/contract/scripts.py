"""Functions of scripts that run inside a graph of the engine's library."""
import functools

from keras.backend.contract.context import calls, context
from keras.backend.contract.loading import get_engine


def run_script(function, args, kwargs):
    """What a function of a script gives.

    Where it fails because it asks a tensor of a graph for its value, as `if` and `for` do, it runs once more in the
    form in which the engine makes these a part of the graph. What it has added until then, and what ledgers have noted
    of its updates of variables, is taken back; where it has updated a variable past the ledgers, which would then
    happen twice, the error stands. So does that of the second run, for the functions around, too.
    """
    engine = get_engine()
    if not engine.rewrites_scripts or (getattr(function, '__module__', None) or '').startswith('keras.'):
        return function(*args, **kwargs)
    added, known, place = calls.mark(), _snapshots(), engine.place_in_graph()
    try:
        return function(*args, **kwargs)
    except Exception as error:
        again = None if getattr(error, 'of_rewritten', False) else engine.with_branches(function, error)
        if again is None or engine.has_updated_since(place):
            raise
    calls.take_back(added)
    for ledger, snapshot in known:
        ledger.take_back(snapshot)
    try:
        return again(*args, **kwargs)
    except Exception as error:
        error.of_rewritten = True
        raise


def _snapshots():
    """Each of the ledgers of the thread that keep what is written, with what it has to write."""
    found, ledger = [], context.ledger
    while ledger is not None:
        if hasattr(ledger, 'snapshot'):
            found.append((ledger, ledger.snapshot()))
        ledger = getattr(ledger, 'outer', None)
    return found


def scripted(function):
    """`function` of a script, run by `run_script`."""
    @functools.wraps(function)
    def run(*args, **kwargs):
        return run_script(function, args, kwargs)
    return run
