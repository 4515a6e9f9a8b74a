"""Loops and branches: CNTK has none that fit, so they are laid out, and `where` chooses among the results."""
from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Ledger
from keras.backend.engines.cntk.tensors import Tensor
from keras.backend.table import primitives as p


class _ReadOnly(Ledger):
    """The ledger of the functions that cond and while_loop run, all of which run."""
    __slots__ = ()

    def write(self, variable, value):
        raise RuntimeError('The variable %s is assigned inside a function given to scan, cond or while_loop. On the '
                           'cntk engine such functions must be pure: carry the value and assign it afterwards.'
                           % variable.path)


def _run(function, args):
    if context.ledger is None:
        return function(*args)
    with _ReadOnly(outer=context.ledger):
        return function(*args)


def _element(x, index):
    part = p.strided_slice(x, (index,), (index + 1,), (1,))
    return p.reshape(part, x.shape[1:])


def _stacked(parts):
    if len(parts) == 1:
        return p.reshape(parts[0], (1,) + parts[0].shape)
    return p.concatenate([p.reshape(part, (1,) + part.shape) for part in parts], 0)


def scan(step, init, xs, length=None, reverse=False):
    leaves = tree.flatten(xs)
    count = leaves[0].shape[0] if leaves else length
    carry, outputs = init, [None] * count
    for index in reversed(range(count)) if reverse else range(count):
        carry, outputs[index] = _run(step, (carry, tree.map_structure(lambda x: _element(x, index), xs)))
    stacked = [_stacked(parts) for parts in zip(*map(tree.flatten, outputs))]
    return carry, tree.pack_as(outputs[0], stacked) if outputs else []


def _chosen(predicate, first, second):
    parts = [p.where(predicate, a, b) for a, b in zip(tree.flatten(first), tree.flatten(second))]
    return tree.pack_as(first, parts)


def cond(predicate, then, otherwise, operands):
    if predicate.host is not None:
        return _run(then if predicate.host else otherwise, operands)
    return _chosen(predicate, _run(then, operands), _run(otherwise, operands))


def while_loop(engine, condition, body, init, maximum_iterations=None):
    values, count, going = list(init), 0, None
    while maximum_iterations is None or count < maximum_iterations:
        goes_on = _run(condition, values)
        going = goes_on if going is None else p.logical_and(going, goes_on)
        if going.host is not None and not going.host:
            break
        if going.host is None and maximum_iterations is None:
            engine.unsupported('while_loop without maximum_iterations in a step')()
        new = list(_run(body, values))
        values = new if going.host is not None else _chosen(going, new, values)
        count += 1
    return [value if isinstance(value, Tensor) else engine.convert(value) for value in values]
