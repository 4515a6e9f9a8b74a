"""Functions of layers that are recorded as a part of the graph: those that take symbolic tensors from around them, as
`Lambda(lambda x: x * other)` does, and those that ask for gradients.
"""
import functools
import types

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.loading import engine_name
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.tensors import KerasTensor
from keras.backend.k.derivatives import gradients
from keras.backend.table.bodies import Body, symbolically
from keras.backend.table.composites.shape import dtype_of, static_shape


def with_captured(function, inputs, kwargs):
    """The graph of `function` and the symbolic tensors from outside that it uses, as one list.

    Args:
        function: what the layer calls. inputs: the symbolic inputs. kwargs: further arguments of the function.

    Returns:
        [`Body`, tensor, ...], or None if the function sees no symbolic tensor but its arguments and asks for no
        gradients.
    """
    if asks_for_gradients(function):
        # By the inputs themselves: one may follow from another, as a score from what it is the score of.
        body = recorded(function, inputs, kwargs)
        return [body] + body.captured
    if not sees_symbols(function, kwargs):
        return None
    body = recorded(function, tree.map_structure(like, inputs), kwargs)
    return [body] + body.captured if body.captured else None


def recorded(function, inputs, kwargs):
    """The `Body` of `function` on symbolic `inputs`."""
    with symbolically():
        return Body(tree.flatten(inputs), function(inputs, **kwargs))


def mark_sparse(node, layer):
    """Say of what a layer gives for sparse symbolic tensors where it is sparse, too, which its `call` on such shows."""
    if not any(tensor.sparse for tensor in node.inputs) or layer.own_parts()[1]:
        return
    stand_ins = {id(tensor): KerasTensor(tensor.shape, tensor.dtype, sparse=tensor.sparse) for tensor in node.inputs}
    args, kwargs = tree.map_structure(lambda leaf: stand_ins.get(id(leaf), leaf), [node.args, node.kwargs])
    try:
        with symbolically():
            outputs = tree.flatten(layer.call(*args, **kwargs))
    except Exception:  # `call` may be code that takes nothing but numbers
        return
    for tensor, output in zip(node.outputs, outputs):
        if getattr(output, 'sparse', False):
            tensor.mark(sparse=True)


def like(x):
    """A placeholder for tensors like `x`, symbolic, abstract or native ones."""
    return KerasTensor(static_shape(x), dtype_of(x), name=getattr(x, 'name', None) or 'input')


def run_captured(inputs, captured, **_):
    """The value of the function, for a list as `with_captured` gives it with values in the place of tensors."""
    if context.abstract:
        return abstract_result(captured)
    return captured[0].function(bool(context.training), captured[1:])(inputs)


def run_recorded(function, inputs, kwargs):
    """The value of a function that asks for gradients, for native or abstract `inputs`."""
    body = recorded(function, tree.map_structure(like, inputs), kwargs)
    if body.captured:
        raise ValueError('The function takes %s from around it, which has no value here: call the layer on symbolic '
                         'tensors.' % body.captured[0])
    return run_captured(inputs, [body])


def abstract_result(captured):
    """The shapes and dtypes of what the function gives."""
    return tree.map_structure(lambda leaf: AbstractTensor(leaf.shape, leaf.dtype) if isinstance(leaf, AbstractTensor)
                              else leaf, captured[0].structure)


def asks_for_gradients(function):
    """Whether the code of a Python function, or of those of yours that it refers to, calls `K.gradients`."""
    seen, waiting = set(), [function]
    while waiting:
        current = waiting.pop()
        current = getattr(current, '__func__', current)
        if id(current) in seen or (getattr(current, '__module__', None) or '').startswith('keras.'):
            continue
        seen.add(id(current))
        values = list(_seen_by(current))
        if _calls_gradients(current, values):
            return True
        waiting.extend(value for value in values + _in_modules(current, values) + [getattr(current, 'func', None)]
                       if isinstance(value, (types.FunctionType, functools.partial)))
    return False


def _calls_gradients(function, values):
    names = _names_in(getattr(function, '__code__', None))
    ours = any(map(_has_gradients, values)) or not names.isdisjoint(_with_gradients())
    return 'gradients' in names and ours or any(value is gradients for value in values)


def _with_gradients():
    """The packages whose `gradients` are asked for: ours and the engine's library."""
    return ('keras', engine_name())


def _has_gradients(value):
    return isinstance(value, types.ModuleType) and value.__name__.partition('.')[0] in _with_gradients()


def _in_modules(function, values):
    """What code takes from modules of yours, those that use such a library themselves, by `module.name`."""
    names = _names_in(getattr(function, '__code__', None))
    modules = [value for value in values if isinstance(value, types.ModuleType) and not _has_gradients(value)
               and any(map(_has_gradients, list(vars(value).values())))]
    return [vars(module)[name] for module in modules for name in names if name in vars(module)]


def _names_in(code):
    """The names that code refers to, those in functions inside it included."""
    if code is None:
        return set()
    return set(code.co_names).union(*[_names_in(constant) for constant in code.co_consts
                                      if isinstance(constant, types.CodeType)])


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
    for name in _names_in(code):
        yield function.__globals__.get(name)
    for value in (function.__defaults__ or ()) + tuple((function.__kwdefaults__ or {}).values()):
        yield value
