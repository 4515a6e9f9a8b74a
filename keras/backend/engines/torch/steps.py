"""What steps and gradients need: values cut off from the graph, or from memory that is about to change."""
import threading

import torch

from keras.backend.contract import tree

_run_backward = getattr(getattr(torch.autograd.Variable, '_execution_engine', None), 'run_backward', None)


# What `torch.no_grad` and `torch.enable_grad` call, without the objects that they make, which a small step would feel.
_set_grad_enabled = getattr(torch._C, '_set_grad_enabled', torch.set_grad_enabled)


class recording:
    """Whether the engine records for gradients within a `with` block."""
    __slots__ = ('_wanted', '_previous')

    def __init__(self, wanted):
        self._wanted = wanted

    def __enter__(self):
        self._previous = torch.is_grad_enabled()
        _set_grad_enabled(self._wanted)

    def __exit__(self, *_):
        _set_grad_enabled(self._previous)


class _Depth(threading.local):
    """How many calls of `value_and_grad` are running in this thread, one within the other."""
    count = 0

    def __enter__(self):
        self.count += 1

    def __exit__(self, *_):
        self.count -= 1


depth = _Depth()


def constant(value):
    return value.detach() if value.requires_grad else value


def constants(structure):
    """`structure` without the graph that gradients would need."""
    kind = type(structure)
    if kind is torch.Tensor:
        return constant(structure)
    if kind is list or kind is tuple:
        return kind([constants(part) for part in structure])
    return tree.map_structure(lambda x: constant(x) if isinstance(x, torch.Tensor) else x, structure)


def gradients_of(value, leaves):
    """`torch.autograd.grad` of a scalar, past its checks in Python, which would cost a tenth of a small step."""
    if value.ndim or _run_backward is None:
        return torch.autograd.grad(value, leaves, allow_unused=True)
    return _run_backward((value,), (torch.ones_like(value),), False, False, leaves, allow_unreachable=True,
                         accumulate_grad=False)


class _Rerun(threading.local):
    """Per thread: {random stream: its state at the first draw} of a function that is to be run again."""
    streams = None


rerun = _Rerun()


class Recorder:
    """PyTorch records by itself; this has values take part in it."""

    def __init__(self):
        self._enabled = torch.enable_grad()

    def __enter__(self):
        self._enabled.__enter__()

    def __exit__(self, *error):
        self._enabled.__exit__(*error)

    def watch(self, value):
        return value if value.requires_grad else value.requires_grad_()

    def gradients(self, targets, factors, values):
        pairs = [(target, torch.ones_like(target) if factor is None else factor)
                 for target, factor in zip(targets, factors) if target.requires_grad]
        if not pairs:
            return [None] * len(values)
        targets, factors = zip(*pairs)
        # Inside of another tape the gradients are recorded, too.
        return torch.autograd.grad(targets, values, factors, retain_graph=True, create_graph=torch.is_grad_enabled(),
                                   allow_unused=True)


def unaliased(structure, tensors):
    """`structure` with copies of the leaves that share memory with `tensors`, which are about to change."""
    kept = None

    def fixed(leaf):
        nonlocal kept
        if not isinstance(leaf, torch.Tensor):
            return leaf
        if kept is None:
            kept = set(map(id, tensors))
        if id(leaf) in kept:
            return leaf.detach().clone()
        if leaf._is_view() or leaf.requires_grad:
            leaf = leaf.detach()
            memory = leaf.untyped_storage().data_ptr()
            if any(tensor.untyped_storage().data_ptr() == memory for tensor in tensors):
                return leaf.clone()
        return leaf
    return tree.map_structure(fixed, structure)


class _OwnGradient(torch.autograd.Function):
    """A function whose gradients its own second result gives."""

    @staticmethod
    def forward(ctx, fn, structure, *values):
        with torch.enable_grad():
            result, ctx.gradient = fn(*[value.detach() for value in values])
        structure.append(result)
        leaves = [leaf.detach() for leaf in tree.flatten(result)]
        return leaves[0] if len(leaves) == 1 else tuple(leaves)

    @staticmethod
    def backward(ctx, *factors):
        found = ctx.gradient(*factors)
        return (None, None) + (tuple(found) if isinstance(found, (list, tuple)) else (found,))


def with_own_gradient(fn, values):
    """`fn(*values)[0]`, with the gradients that `fn(*values)[1]` gives."""
    structure = []
    result = _OwnGradient.apply(fn, structure, *values)
    leaves = list(result) if isinstance(result, tuple) else [result]
    return tree.pack_as(structure[0], leaves) if tree.is_nested(structure[0]) else leaves[0]
