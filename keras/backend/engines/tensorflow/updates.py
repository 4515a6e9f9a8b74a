"""Update rules of optimizers: one kernel per variable, which updates it in place."""

import tensorflow as tf

from keras.backend.contract.context import context
from keras.backend.engines.tensorflow.ledgers import StepLedger
from keras.backend.engines.tensorflow.overrides import override
from keras.backend.engines.tensorflow.tensors import raw


def _update(op, gradients, resources, numbers, use_nesterov=None):
    """Run `op` for every gradient. `resources`: its arguments that are lists of variables; `numbers`: its scalars.

    The kernels write at once, in the order of the graph; what the ledgers remember of the values is forgotten.
    Where an assignment to one of the variables is pending the composite has to run.
    """
    if not _forget([variable for variables in resources.values() for variable in variables]):
        return NotImplemented
    flags = {} if use_nesterov is None else {'use_nesterov': use_nesterov}
    scalars = {}
    for index, gradient in enumerate(gradients):
        if gradient.dtype not in scalars:
            scalars[gradient.dtype] = {name: tf.cast(value, gradient.dtype) for name, value in numbers.items()}
        handles = {name: variables[index].storage.handle for name, variables in resources.items()}
        op(grad=gradient, **handles, **scalars[gradient.dtype], **flags)


def _forget(variables):
    """Drop what the ledgers hold of `variables`; False where one of them is still to be written."""
    ledger, ledgers = context.ledger, []
    while ledger is not None:
        if not ledger.writes.keys().isdisjoint(variables):
            return False
        ledgers.append(ledger)
        ledger = ledger.outer
    for ledger in ledgers:
        for variable in variables:
            ledger.values.pop(variable, None)
            if isinstance(ledger, StepLedger):
                ledger.step.keep(variable)
    return True


def _power(base, step):
    return raw.Pow(x=tf.cast(base, step.dtype), y=step)


@override
def sgd_update(variables, gradients, momenta, learning_rate, momentum=0.0, nesterov=False):
    if momentum:
        return _update(raw.ResourceApplyKerasMomentum, gradients, {'var': variables, 'accum': momenta},
                       {'lr': learning_rate, 'momentum': momentum}, nesterov)
    return _update(lambda grad, **others: raw.ResourceApplyGradientDescent(delta=grad, **others), gradients,
                   {'var': variables}, {'alpha': learning_rate})


@override
def adagrad_update(variables, gradients, accumulators, learning_rate, epsilon, epsilon_inside=False):
    if epsilon_inside:
        return NotImplemented
    return _update(raw.ResourceApplyAdagradV2, gradients, {'var': variables, 'accum': accumulators},
                   {'lr': learning_rate, 'epsilon': epsilon})


@override
def adadelta_update(variables, gradients, accumulators, delta_accumulators, learning_rate, rho, epsilon):
    return _update(raw.ResourceApplyAdadelta, gradients,
                   {'var': variables, 'accum': accumulators, 'accum_update': delta_accumulators},
                   {'lr': learning_rate, 'rho': rho, 'epsilon': epsilon})


@override
def adam_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                largest_velocities=None):
    resources = {'var': variables, 'm': momenta, 'v': velocities}
    numbers = {'beta1_power': _power(beta_1, step), 'beta2_power': _power(beta_2, step), 'lr': learning_rate,
               'beta1': beta_1, 'beta2': beta_2, 'epsilon': epsilon}
    if largest_velocities:
        return _update(raw.ResourceApplyAdamWithAmsgrad, gradients, dict(resources, vhat=largest_velocities), numbers)
    return _update(raw.ResourceApplyAdam, gradients, resources, numbers)


@override
def adamax_update(variables, gradients, momenta, norms, step, learning_rate, beta_1, beta_2, epsilon):
    return _update(raw.ResourceApplyAdaMax, gradients, {'var': variables, 'm': momenta, 'v': norms},
                   {'beta1_power': _power(beta_1, step), 'lr': learning_rate, 'beta1': beta_1, 'beta2': beta_2,
                    'epsilon': epsilon})
