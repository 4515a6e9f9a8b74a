"""Update rules of optimizers: all variables in one call, in place."""
import functools

import torch

from keras.backend.contract.context import context
from keras.backend.contract.loading import active
from keras.backend.engines.torch.overrides import override
from keras.backend.engines.torch.recorded import as_one_call, unrecordable
from keras.backend.engines.torch.steps import depth
from keras.backend.engines.torch.tensors import CUDA


class _InPlace:
    """The tensors of lists of variables, to be changed in place in a `with` block.

    A variable that has been assigned in this step already has a value beside its storage: that is changed
    as a copy, and assigned at the end.
    """

    def __init__(self, *lists):
        self._assigned = []
        engine, ledger = active.engine, context.ledger
        self.tensors = [[variable.held if variable.holder is engine else variable.storage for variable in variables]
                        for variables in lists]
        # In a step that has written nothing yet, the ledger has what is stored.
        if ledger is not None and (ledger.writes or ledger.outer is not None or depth.count):
            for variables, tensors in zip(lists, self.tensors):
                self._take_assigned(variables, tensors, ledger)

    def _take_assigned(self, variables, tensors, ledger):
        values = ledger.values
        for index, variable in enumerate(variables):
            value = values.get(variable)
            if value is None and ledger.outer is not None:
                value = ledger.read(variable)
            if value is not None and value is not tensors[index]:
                unrecordable('it updates what it has assigned')
                tensors[index] = value.detach().clone()
                self._assigned.append((variable, tensors[index]))

    def __enter__(self):
        self._grad_was_on = torch.is_grad_enabled()
        if self._grad_was_on:
            torch.set_grad_enabled(False)
        return self.tensors

    def __exit__(self, *error):
        if self._grad_was_on:
            torch.set_grad_enabled(True)
        for variable, value in self._assigned:
            variable.assign(value)


def _rate(x):
    """A scalar as a number, unless that would mean waiting for the device."""
    return x.item() if isinstance(x, torch.Tensor) and not x.is_cuda else x


def _move(tensors, changes, rate):
    """tensors -= rate * changes."""
    if isinstance(rate, torch.Tensor):
        torch._foreach_sub_(tensors, torch._foreach_mul(changes, rate))
    else:
        torch._foreach_add_(tensors, changes, alpha=-rate)


def _update(function):
    """Override an update rule, except for an empty list, which PyTorch's functions for lists refuse."""
    @functools.wraps(function)
    def run(variables, *args):
        return as_one_call(function, variables, *args) if variables else NotImplemented
    function.writes_variables = True
    return override(run)


@_update
def sgd_update(variables, gradients, momenta, learning_rate, momentum=0.0, nesterov=False):
    rate = _rate(learning_rate)
    with _InPlace(variables, momenta if momentum else ()) as (values, velocities):
        if not momentum:
            _move(values, gradients, rate)
            return
        torch._foreach_mul_(velocities, momentum)
        _move(velocities, gradients, rate)
        torch._foreach_add_(values, velocities, alpha=momentum if nesterov else 1.0)
        if nesterov:
            _move(values, gradients, rate)


@_update
def rmsprop_update(variables, gradients, velocities, learning_rate, rho, epsilon, momenta=None, momentum=0.0,
                   averages=None, epsilon_inside=False):
    if averages or momentum:
        return NotImplemented
    with _InPlace(variables, velocities) as (values, squares):
        torch._foreach_mul_(squares, rho)
        torch._foreach_addcmul_(squares, gradients, gradients, 1.0 - rho)
        roots = torch._foreach_add(squares, epsilon) if epsilon_inside else torch._foreach_sqrt(squares)
        torch._foreach_sqrt_(roots) if epsilon_inside else torch._foreach_add_(roots, epsilon)
        _move(values, torch._foreach_div(gradients, roots), _rate(learning_rate))


def _in_line(variables, gradients, *slots):
    """The gradients as a kernel needs them that goes through the memory of all tensors in a straight line.

    Gradients that lie differently from their variable are copied. None where a dtype differs, or where a slot lies
    differently, which follows from the layout (see `new_variable`).
    """
    for group in slots:
        for variable, slot in zip(variables, group):
            if slot.layout != variable.layout or slot.dtype != variable.dtype:
                return None
    result = []
    for variable, gradient in zip(variables, gradients):
        storage = variable.storage
        if gradient.shape != storage.shape:
            raise ValueError('The gradient of variable %s has shape %s, the variable has %s.'
                             % (variable.path, tuple(gradient.shape), variable.shape))
        if gradient.dtype is not storage.dtype:
            return None
        straight = gradient.stride() == storage.stride()
        result.append(gradient if straight else torch.empty_like(storage, requires_grad=False).copy_(gradient))
    return result


@_update
def adam_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                largest_velocities=None):
    straight = None if CUDA else _in_line(variables, gradients, momenta, velocities, largest_velocities or ())
    if straight is None:
        return _adam_by_parts(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                              largest_velocities)
    # The kernel adds epsilon to the corrected root, Keras to the uncorrected one.
    epsilon = epsilon / (1.0 - beta_2 ** step.item()) ** 0.5
    steps = [step] * len(straight)
    with _InPlace(variables, momenta, velocities, largest_velocities or ()) as lists:
        values, straight, first, second, largest = [list(map(_flat, tensors))
                                                    for tensors in (lists[0], straight, *lists[1:])]
        torch._fused_adam_(values, straight, first, second, largest, steps, lr=_rate(learning_rate), beta1=beta_1,
                           beta2=beta_2, weight_decay=0.0, eps=epsilon, amsgrad=bool(largest), maximize=False)


def _flat(tensor):
    """A tensor that fills its memory, as one row where its axes lie otherwise: the kernel copies such gradients."""
    return tensor if tensor.is_contiguous() else tensor.as_strided((tensor.numel(),), (1,))


def _adam_by_parts(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                   largest_velocities):
    rate = learning_rate * torch.sqrt(1.0 - torch.pow(beta_2, step)) / (1.0 - torch.pow(beta_1, step))
    with _InPlace(variables, momenta, velocities, largest_velocities or ()) as (values, first, second, largest):
        torch._foreach_mul_(first, beta_1)
        torch._foreach_add_(first, gradients, alpha=1.0 - beta_1)
        torch._foreach_mul_(second, beta_2)
        torch._foreach_addcmul_(second, gradients, gradients, 1.0 - beta_2)
        if largest:
            torch._foreach_maximum_(largest, second)
        roots = torch._foreach_sqrt(largest or second)
        torch._foreach_add_(roots, epsilon)
        _move(values, torch._foreach_div(first, roots), _rate(rate))


@_update
def decay_weights(variables, weight_decay, learning_rate):
    with _InPlace(variables) as (values,):
        torch._foreach_mul_(values, 1.0 - weight_decay * _rate(learning_rate))


@override
def clip_by_global_norm(gradients, limit):
    norms = torch._foreach_norm(gradients)
    norm = torch.linalg.vector_norm(torch.stack([part.float() for part in norms]))
    return torch._foreach_mul(gradients, limit / torch.clamp(norm, min=limit))


@override
def clip_by_value(gradients, limit):
    return torch._foreach_clamp_max(torch._foreach_clamp_min(gradients, -limit), limit)
