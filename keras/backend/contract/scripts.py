"""Functions of scripts that run inside a graph of the engine's library."""
import functools

from keras.backend.contract.context import calls
from keras.backend.contract.loading import get_engine


def run_script(function, args, kwargs):
    """What a function of a script gives.

    Where it fails because it asks a tensor of a graph for its value, as `if` and `for` do, it runs once more in the
    form in which the engine makes these a part of the graph; what it has added until then is taken back.
    """
    added = calls.mark()
    try:
        return function(*args, **kwargs)
    except Exception as error:
        again = with_branches(function, error)
        if again is None:
            raise
        calls.take_back(added)
        return again(*args, **kwargs)


def with_branches(function, error):
    """The form of `function`, which raised `error`, that `run_script` runs; None where that would not help."""
    if (getattr(function, '__module__', None) or '').startswith('keras.'):
        return None
    return get_engine().with_branches(function, error)


def scripted(function):
    """`function` of a script, run by `run_script`."""
    @functools.wraps(function)
    def run(*args, **kwargs):
        return run_script(function, args, kwargs)
    return run
