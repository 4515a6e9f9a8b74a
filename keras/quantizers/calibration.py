"""GPTQ and AWQ: a matrix in few bits, chosen by what it is multiplied with. In NumPy, with double precision.

Both see of the inputs x, rows of a calibration, no more than their products `x'x` and their mean absolute values.

Sources: Frantar et al., GPTQ (2022); Lin et al., AWQ (2023).
"""
import numpy as np

# Columns whose errors are made good within a block at once, and in the rest of the matrix when the block is done.
_BLOCK = 128


class Inputs:
    """What is known of the inputs of a layer: rows of `size` numbers, added batch by batch.

    Attributes:
        products: (size, size), the sum of x'x over all rows. magnitudes: (size,), the mean of their absolute values.
    """

    def __init__(self, size):
        self.products = np.zeros((size, size))
        self._sums, self.count = np.zeros(size), 0

    def add(self, rows):
        """Take in an array (rows, size)."""
        rows = np.asarray(rows, 'float64')
        self.products += rows.T @ rows
        self._sums += np.abs(rows).sum(0)
        self.count += len(rows)

    @property
    def magnitudes(self):
        return self._sums / max(self.count, 1)


def scales(columns, bits, symmetric=False, together=False):
    """(scale, zero point) of rows of numbers, (rows, columns), as unsigned integers: `(integer - zero) * scale`.

    together: whether all rows have one.
    """
    low, high = np.minimum(columns.min(1), 0.0), np.maximum(columns.max(1), 0.0)
    if together:
        low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
    if symmetric:
        high = np.maximum(-low, high)
        low = -high
    span = np.where(high > low, high - low, 1.0)
    scale = span / (2 ** bits - 1)
    zero = np.full_like(scale, 2 ** (bits - 1)) if symmetric else np.round(-low / scale)
    return scale, np.clip(zero, 0, 2 ** bits - 1)


def rounded(column, scale, zero, bits):
    """The unsigned integers for a column of numbers, with a scale and zero point each."""
    return np.clip(np.round(column / scale) + zero, 0, 2 ** bits - 1)


def gptq(weight, inputs, config):
    """A matrix in integers, column by column, whose errors the columns that follow make good.

    Args:
        weight: (rows, columns), whose columns meet the numbers of an input. inputs: `Inputs`. config: a `GPTQConfig`.

    Returns:
        (integers like `weight`, scales (rows, groups), zero points, number of the group of each column).
    """
    bits, size = config.weight_bits, weight.shape[1]
    group = size if config.group_size == -1 else config.group_size
    weight, hessian = np.array(weight, 'float64'), np.array(inputs.products)
    dead = np.diag(hessian) == 0
    hessian[dead, dead], weight[:, dead] = 1.0, 0.0
    order = np.argsort(-np.diag(hessian), kind='stable') if config.activation_order else np.arange(size)
    weight, factor = weight[:, order], _factor(hessian[order][:, order], config.hessian_damping)
    numbers, found = np.zeros_like(weight), []
    for first in range(0, size, _BLOCK):
        block = slice(first, min(first + _BLOCK, size))
        errors = np.zeros_like(weight[:, block])
        for place in range(block.start, block.stop):
            if place % group == 0:
                now = _spread(weight, errors, factor, place, block, group)
                found.append(scales(now, bits, config.symmetric, not config.per_channel))
            scale, zero = found[-1]
            numbers[:, place] = rounded(weight[:, place], scale, zero, bits)
            error = (weight[:, place] - (numbers[:, place] - zero) * scale) / factor[place, place]
            weight[:, place:block.stop] -= np.outer(error, factor[place, place:block.stop])
            errors[:, place - first] = error
        weight[:, block.stop:] -= errors @ factor[block, block.stop:]
    back = np.argsort(order)
    scale, zero = (np.stack(each, 1) for each in zip(*found))
    return numbers[:, back], scale, zero, (np.arange(size) // group)[back]


def _spread(weight, errors, factor, place, block, group):
    """The columns of the group that begins at `place`, those behind the block as the errors so far leave them."""
    inside = weight[:, place:min(place + group, block.stop)]
    if place + group <= block.stop:
        return inside
    behind = slice(block.stop, place + group)
    return np.concatenate([inside, weight[:, behind] - errors @ factor[block, behind]], 1)


def _factor(hessian, damping):
    """The upper triangle whose square is the inverse of a Hessian; the damping grows until there is one."""
    for _ in range(8):
        damped = hessian + np.eye(len(hessian)) * max(damping, 1e-8) * np.mean(np.diag(hessian))
        try:
            return np.linalg.cholesky(np.linalg.inv(damped)).T
        except np.linalg.LinAlgError:
            damping = max(damping, 1e-8) * 10
    raise ValueError('GPTQ: the inputs of a layer are not finite, or too large. Give other data for the calibration.')


def awq(weight, inputs, config):
    """A matrix in integers whose columns are scaled up before, as the inputs are large which they are multiplied with.

    Args:
        weight, inputs: see `gptq`. config: an `AWQConfig`.

    Returns:
        (integers, scales (rows, groups), zero points, number of the group of each column, factor of each column).
    """
    weight, size = np.asarray(weight, 'float64'), weight.shape[1]
    group = np.arange(size) // (size if config.group_size == -1 else config.group_size)
    best = None
    for point in range(config.num_grid_points):
        factors = np.maximum(inputs.magnitudes, 1e-8) ** (point / config.num_grid_points)
        factors = factors / np.sqrt(factors.max() * factors.min())
        numbers, scale, zero = _grouped(weight * factors, group, config.weight_bits)
        wrong = (numbers - zero[:, group]) * scale[:, group] / factors - weight
        loss = np.sum((wrong @ inputs.products) * wrong)
        if best is None or loss < best[0]:
            best = loss, (numbers, scale, zero, group, factors)
    return best[1]


def nearest(weight, config):
    """What `gptq` or `awq` gives where nothing is known of the inputs: each number rounded to the nearest."""
    size = weight.shape[1]
    group = np.arange(size) // (size if config.group_size == -1 else config.group_size)
    symmetric, together = getattr(config, 'symmetric', False), not getattr(config, 'per_channel', True)
    found = _grouped(np.asarray(weight, 'float64'), group, config.weight_bits, symmetric, together) + (group,)
    return found + (np.ones(size),) if config.mode == 'awq' else found


def _grouped(weight, group, bits, symmetric=False, together=False):
    """(integers, scales, zero points) of a matrix by groups of columns, each number rounded to the nearest."""
    found = [scales(weight[:, group == number], bits, symmetric, together) for number in range(group[-1] + 1)]
    scale, zero = (np.stack(each, 1) for each in zip(*found))
    return rounded(weight, scale[:, group], zero[:, group], bits), scale, zero
