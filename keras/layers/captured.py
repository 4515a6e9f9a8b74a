"""Symbolic tensors that the function of a layer takes from around it: `Lambda(lambda x: x * other)`."""
import functools

from keras.backend import tree
from keras.backend.closures import Body, symbolically
from keras.backend.state import context
from keras.backend.symbolic import KerasTensor


def with_captured(function, inputs, kwargs):
    """The graph of `function` and the symbolic tensors from outside that it uses, as one list.

    Args:
        function: what the layer calls. inputs: the symbolic inputs. kwargs: further arguments of the function.

    Returns:
        [`Body`, tensor, ...], or None if the function sees no symbolic tensor but its arguments.
    """
    if not sees_symbols(function, kwargs):
        return None
    own = tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype, name=x.name), inputs)
    with symbolically():
        body = Body(tree.flatten(own), function(own, **kwargs))
    return [body] + body.captured if body.captured else None


def run_captured(captured, inputs):
    """The value of the function, for a list as `with_captured` gives it with values in the place of tensors."""
    return captured[0].function(bool(context.training), captured[1:])(inputs)


def sees_symbols(function, kwargs=None):
    """Whether the code of a Python function refers to symbolic tensors from outside, or `kwargs` hold some."""
    return any(isinstance(leaf, KerasTensor) for leaf in tree.flatten([list(_seen_by(function)), kwargs]))


def _seen_by(function):
    """The values that the code of a Python function refers to: of its closure, its globals and its defaults."""
    if isinstance(function, functools.partial):
        yield from function.args + tuple(function.keywords.values()) + tuple(_seen_by(function.func))
    function = getattr(function, '__func__', function)
    code = getattr(function, '__code__', None)
    if code is None:
        return
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that has no value yet
            continue
    for name in code.co_names:
        yield function.__globals__.get(name)
    for value in (function.__defaults__ or ()) + tuple((function.__kwdefaults__ or {}).values()):
        yield value
