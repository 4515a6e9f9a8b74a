"""The update rules of the optimizers, over lists of `Variable`s, so that an engine can update all of them at once.

    sgd_update(variables, gradients, momenta, learning_rate, momentum=0.0, nesterov=False)
    rmsprop_update(variables, gradients, velocities, learning_rate, rho, epsilon, momenta=None, momentum=0.0,
                   averages=None, epsilon_inside=False)
    adagrad_update(variables, gradients, accumulators, learning_rate, epsilon, epsilon_inside=False)
    adadelta_update(variables, gradients, accumulators, delta_accumulators, learning_rate, rho, epsilon)
    adam_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                largest_velocities=None)
    adamax_update(variables, gradients, momenta, norms, step, learning_rate, beta_1, beta_2, epsilon)
    nadam_update(variables, gradients, momenta, velocities, schedule, step, learning_rate, beta_1, beta_2, epsilon,
                 schedule_decay)
    lion_update(variables, gradients, momenta, learning_rate, beta_1, beta_2)
    ftrl_update(variables, gradients, accumulators, linears, learning_rate, learning_rate_power, l1, l2,
                l2_shrinkage, beta)
    lamb_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon)
    adafactor_update(variables, gradients, rows, columns, velocities, step, learning_rate, beta_2_decay, epsilon_1,
                     epsilon_2, clip_threshold, relative_step)
    schedule_free_update(variables, gradients, lasts, velocities, step, learning_rate, beta_1, beta_2, epsilon)
    muon_update(variables, gradients, momenta, learning_rate, momentum, nesterov, coefficients, steps, rms_rate)
    decay_weights(variables, weight_decay, learning_rate)
    clip_by_global_norm(gradients, limit), clip_by_norm(gradients, limit), clip_by_value(gradients, limit) -> gradients

`gradients` holds one native tensor per variable; every slot argument holds one `Variable` per variable. `learning_rate`
is a scalar tensor or a float, `step` the number of the update as a float tensor, 1 for the first. Everything else is a
Python number. Each function reads `.value`, writes with `.assign` and returns nothing. Keras 3 adds epsilon under the
square root (`epsilon_inside`) where Keras 2 adds it to the root.
"""
import functools

from keras.backend.table import primitives as p
from keras.backend.table.composites.math import mean
from keras.backend.table.composites.shape import dtype_of, expand_dims, static_shape
from keras.backend.table.dispatch import composite


def _in_dtype(scalar, variable):
    """A scalar tensor in the dtype of `variable`; Python numbers as they are."""
    if isinstance(scalar, (int, float)) or dtype_of(scalar) == variable.dtype:
        return scalar
    return p.cast(scalar, variable.dtype)


def _moved(slot, value, rate):
    """Move the slot towards `value`: rate * slot + (1 - rate) * value; returns its new value."""
    return slot.assign(slot.value * rate + value * (1.0 - rate))


@composite(tensors=None)
def sgd_update(variables, gradients, momenta, learning_rate, momentum=0.0, nesterov=False):
    """Gradient descent, with momentum where `momentum` is not 0 (then `momenta` are its slots, else None)."""
    for index, (variable, gradient) in enumerate(zip(variables, gradients)):
        change = gradient * _in_dtype(learning_rate, variable)
        if not momentum:
            variable.assign(variable.value - change)
            continue
        velocity = momenta[index].assign(momenta[index].value * momentum - change)
        variable.assign(variable.value + (velocity * momentum - change if nesterov else velocity))


@composite(tensors=None)
def rmsprop_update(variables, gradients, velocities, learning_rate, rho, epsilon, momenta=None, momentum=0.0,
                   averages=None, epsilon_inside=False):
    """RMSprop (Hinton, 2012). `averages`: slots of the centered variant, else None; `momenta`: with `momentum`."""
    for index, (variable, gradient) in enumerate(zip(variables, gradients)):
        variance = _moved(velocities[index], gradient * gradient, rho)
        if averages:
            average = _moved(averages[index], gradient, rho)
            variance = variance - average * average
        change = gradient * _in_dtype(learning_rate, variable) / _root(variance, epsilon, epsilon_inside)
        if momentum:
            change = momenta[index].assign(momenta[index].value * momentum + change)
        variable.assign(variable.value - change)


def _root(x, epsilon, inside):
    return p.sqrt(x + epsilon) if inside else p.sqrt(x) + epsilon


@composite(tensors=None)
def adagrad_update(variables, gradients, accumulators, learning_rate, epsilon, epsilon_inside=False):
    """Adagrad (Duchi et al., 2011)."""
    for variable, gradient, accumulator in zip(variables, gradients, accumulators):
        total = accumulator.assign(accumulator.value + gradient * gradient)
        change = gradient * _in_dtype(learning_rate, variable) / _root(total, epsilon, epsilon_inside)
        variable.assign(variable.value - change)


@composite(tensors=None)
def adadelta_update(variables, gradients, accumulators, delta_accumulators, learning_rate, rho, epsilon):
    """Adadelta (Zeiler, 2012)."""
    for variable, gradient, accumulator, deltas in zip(variables, gradients, accumulators, delta_accumulators):
        total = _moved(accumulator, gradient * gradient, rho)
        delta = gradient * p.sqrt(deltas.value + epsilon) / p.sqrt(total + epsilon)
        _moved(deltas, delta * delta, rho)
        variable.assign(variable.value - delta * _in_dtype(learning_rate, variable))


@composite(tensors=None)
def adam_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                largest_velocities=None):
    """Adam (Kingma and Ba, 2014); with `largest_velocities` the AMSGrad variant (Reddi et al., 2018)."""
    rate = learning_rate * p.sqrt(1.0 - p.power(beta_2, step)) / (1.0 - p.power(beta_1, step))
    for index, (variable, gradient) in enumerate(zip(variables, gradients)):
        momentum = _moved(momenta[index], gradient, beta_1)
        velocity = _moved(velocities[index], gradient * gradient, beta_2)
        if largest_velocities:
            velocity = largest_velocities[index].assign(p.maximum(largest_velocities[index].value, velocity))
        variable.assign(variable.value - momentum * _in_dtype(rate, variable) / (p.sqrt(velocity) + epsilon))


@composite(tensors=None)
def adamax_update(variables, gradients, momenta, norms, step, learning_rate, beta_1, beta_2, epsilon):
    """Adamax: Adam with the infinity norm (Kingma and Ba, 2014, section 7)."""
    rate = learning_rate / (1.0 - p.power(beta_1, step))
    for variable, gradient, slot, norm_slot in zip(variables, gradients, momenta, norms):
        momentum = _moved(slot, gradient, beta_1)
        norm = norm_slot.assign(p.maximum(norm_slot.value * beta_2, p.abs(gradient)))
        variable.assign(variable.value - momentum * _in_dtype(rate, variable) / (norm + epsilon))


@composite(tensors=None)
def nadam_update(variables, gradients, momenta, velocities, schedule, step, learning_rate, beta_1, beta_2, epsilon,
                 schedule_decay):
    """Nadam: Adam with Nesterov momentum (Dozat, 2016).

    `schedule`: a scalar `Variable`, 1 before the first update: the product of the momentum schedule so far.
    `schedule_decay`: 0.004 in Keras 2, 1 in Keras 3.
    """
    now = 1.0 - 0.5 * p.power(0.96, step * schedule_decay)
    later = 1.0 - 0.5 * p.power(0.96, (step + 1.0) * schedule_decay)
    now, later = now * beta_1, later * beta_1
    product = schedule.assign(schedule.value * now)
    from_gradient = (1.0 - now) / (1.0 - product)
    from_momentum = later / (1.0 - product * later)
    correction = 1.0 - p.power(beta_2, step)
    for variable, gradient, slot, velocity_slot in zip(variables, gradients, momenta, velocities):
        momentum = _moved(slot, gradient, beta_1)
        velocity = _moved(velocity_slot, gradient * gradient, beta_2) / _in_dtype(correction, variable)
        change = gradient * _in_dtype(from_gradient, variable) + momentum * _in_dtype(from_momentum, variable)
        change = change * _in_dtype(learning_rate, variable) / (p.sqrt(velocity) + epsilon)
        variable.assign(variable.value - change)


@composite(tensors=None)
def lion_update(variables, gradients, momenta, learning_rate, beta_1, beta_2):
    """Lion: the sign of an interpolated momentum (Chen et al., 2023)."""
    for variable, gradient, slot in zip(variables, gradients, momenta):
        direction = p.sign(slot.value * beta_1 + gradient * (1.0 - beta_1))
        variable.assign(variable.value - direction * _in_dtype(learning_rate, variable))
        _moved(slot, gradient, beta_2)


@composite(tensors=None)
def ftrl_update(variables, gradients, accumulators, linears, learning_rate, learning_rate_power, l1, l2, l2_shrinkage,
                beta):
    """Follow the regularized leader (McMahan et al., 2013). `learning_rate_power` is at most 0."""
    for variable, gradient, accumulator, linear in zip(variables, gradients, accumulators, linears):
        rate = _in_dtype(learning_rate, variable)
        value = variable.value
        power_before = p.power(accumulator.value, -learning_rate_power)
        after = accumulator.assign(accumulator.value + gradient * gradient)
        power_after = p.power(after, -learning_rate_power)
        shrunk = gradient + value * (2.0 * l2_shrinkage)
        total = linear.assign(linear.value + shrunk - (power_after - power_before) / rate * value)
        quadratic = power_after / rate + (beta / rate + 2.0 * l2)
        variable.assign((p.maximum(p.minimum(total, l1), -l1) - total) / quadratic)


@composite(tensors=None)
def lamb_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon):
    """LAMB: Adam's direction at the length of each variable (You et al., 2019)."""
    first, second = 1.0 - p.power(beta_1, step), 1.0 - p.power(beta_2, step)
    for variable, gradient, slot, velocity_slot in zip(variables, gradients, momenta, velocities):
        momentum = _moved(slot, gradient, beta_1) / _in_dtype(first, variable)
        velocity = _moved(velocity_slot, gradient * gradient, beta_2) / _in_dtype(second, variable)
        direction = momentum / (p.sqrt(velocity) + epsilon)
        length, size = _length(variable.value), _length(direction)
        usable = p.logical_and(p.less(0.0, length), p.less(0.0, size))
        ratio = p.where(usable, length / p.where(usable, size, 1.0), 1.0)
        variable.assign(variable.value - direction * (ratio * _in_dtype(learning_rate, variable)))


def _length(x):
    return p.sqrt(p.sum(x * x))


@composite(tensors=None)
def adafactor_update(variables, gradients, rows, columns, velocities, step, learning_rate, beta_2_decay, epsilon_1,
                     epsilon_2, clip_threshold):
    """Adafactor (Shazeer and Stern, 2018).

    For a variable of two or more axes the slots `rows` (last axis left out) and `columns` (last but one left out) are
    used; for others `velocities`. The rate is at most `1 / sqrt(step)`.
    """
    rate = p.minimum(learning_rate, 1.0 / p.sqrt(step))
    decay = 1.0 - p.power(step, beta_2_decay)
    for index, (variable, gradient) in enumerate(zip(variables, gradients)):
        keep = _in_dtype(decay, variable)
        squares = gradient * gradient + epsilon_1
        if len(variable.shape) >= 2:
            row = _moved(rows[index], mean(squares, -1), keep)
            column = _moved(columns[index], mean(squares, -2), keep)
            velocity = expand_dims(row / mean(row, -1, True), -1) * expand_dims(column, -2)
        else:
            velocity = _moved(velocities[index], squares, keep)
        change = gradient / p.sqrt(velocity)
        change = change / p.maximum(_root_mean_square(change) / clip_threshold, 1.0)
        scale = p.maximum(_root_mean_square(variable.value), epsilon_2)
        variable.assign(variable.value - change * (scale * _in_dtype(rate, variable)))


def _root_mean_square(x):
    return p.sqrt(mean(x * x))


@composite(tensors=None)
def schedule_free_update(variables, gradients, lasts, velocities, step, learning_rate, beta_1, beta_2, epsilon):
    """AdamW without a schedule (Defazio et al., 2024).

    `lasts`: where the steps lead; the variables stand between it and the mean of all of it, at `beta_1` of the way.
    """
    correction, part = 1.0 - p.power(beta_2, step), 1.0 / step
    for variable, gradient, last_slot, velocity_slot in zip(variables, gradients, lasts, velocities):
        velocity = _moved(velocity_slot, gradient * gradient, beta_2) / _in_dtype(correction, variable)
        rate, new = _in_dtype(learning_rate, variable), _in_dtype(part, variable)
        change, last = gradient / (p.sqrt(velocity) + epsilon) * rate, last_slot.value
        value = variable.value
        variable.assign(value + (last - value) * new - change * (1.0 - beta_1 * (1.0 - new)))
        last_slot.assign(last - change)


@composite(tensors=None)
def muon_update(variables, gradients, momenta, learning_rate, momentum, nesterov, coefficients, steps, rms_rate):
    """Muon: the momentum of matrices made orthogonal (Jordan et al., 2024). `coefficients`: those of Newton-Schulz."""
    for variable, gradient, slot in zip(variables, gradients, momenta):
        moved = slot.assign(slot.value * momentum + gradient)
        change = near_orthogonal(gradient + moved * momentum if nesterov else moved, coefficients, steps)
        if rms_rate is not None:
            change = change * (rms_rate * max(variable.shape) ** 0.5)
        variable.assign(variable.value - change * _in_dtype(learning_rate, variable))


def near_orthogonal(x, coefficients, steps):
    """The orthogonal matrix next to `x`, roughly, by iterations of a polynomial of degree 5 (Newton and Schulz).

    Raises:
        ValueError: for what is not a matrix.
    """
    if len(static_shape(x)) != 2:
        raise ValueError('Expected a matrix, a gradient or momentum of 2 dimensions. Received: shape %s'
                         % (static_shape(x),))
    first, third, fifth = coefficients
    rows, columns = static_shape(x)
    x = p.transpose(x, (1, 0)) if rows > columns else x
    x = x / (_length(x) + 1e-7)
    for _ in range(steps):
        square = p.matmul(x, p.transpose(x, (1, 0)))
        x = x * first + p.matmul(square * third + p.matmul(square, square) * fifth, x)
    return p.transpose(x, (1, 0)) if rows > columns else x


@composite(tensors=None)
def decay_weights(variables, weight_decay, learning_rate):
    """Decoupled weight decay (Loshchilov and Hutter, 2017): each variable times `1 - weight_decay * learning_rate`."""
    for variable in variables:
        value = variable.value
        variable.assign(value - value * (_in_dtype(learning_rate, variable) * weight_decay))


# --- gradients before the update -----------------------------------------------------------------------------------

@composite(tensors=None)
def clip_by_global_norm(gradients, limit):
    """The gradients, scaled together so that the Euclidean norm of all of them is at most `limit`."""
    squares = [p.cast(p.sum(gradient * gradient), 'float32') for gradient in gradients]
    norm = p.sqrt(functools.reduce(p.add, squares))
    scale = limit / p.maximum(norm, limit)
    return [gradient * _like(scale, gradient) for gradient in gradients]


@composite(tensors=None)
def clip_by_norm(gradients, limit):
    """Each gradient scaled so that its own Euclidean norm is at most `limit`."""
    return [gradient * (limit / p.maximum(_length(gradient), limit)) for gradient in gradients]


@composite(tensors=None)
def clip_by_value(gradients, limit):
    """The gradients with every element cut off at `-limit` and `limit`."""
    return [p.maximum(p.minimum(gradient, limit), -limit) for gradient in gradients]


def _like(scalar, tensor):
    return scalar if dtype_of(tensor) == dtype_of(scalar) else p.cast(scalar, dtype_of(tensor))
