"""Sums over the neighbours of pixels."""
from keras import ops
from keras.backend.table.composites.shape import sliced


def along(images, axis, weights, taps):
    """Images filtered along an axis by an odd number of weights, zeros outside.

    Args:
        images: tensor. weights: tensor (taps,). taps: their number.
    """
    reach = taps // 2
    size = ops.shape(images)[axis]
    widths = [(0, 0)] * ops.ndim(images)
    widths[axis] = (reach, taps - 1 - reach)
    padded = ops.pad(images, widths)
    total = None
    for tap in range(taps):
        part = ops.multiply(sliced(padded, axis, tap, tap + size), weights[tap])
        total = part if total is None else ops.add(total, part)
    return total


def gaussian(taps, sigma):
    """(taps,) weights of a bell curve, which sum up to 1. `sigma` may be a tensor."""
    places = ops.subtract(ops.arange(taps, dtype='float32'), (taps - 1) / 2.0)
    weights = ops.exp(ops.divide(ops.multiply(ops.square(places), -0.5), ops.square(ops.cast(sigma, 'float32'))))
    return ops.divide(weights, ops.sum(weights))


def blurred(images, taps, sigmas, axes=(1, 2)):
    """Images blurred along rows and columns, zeros outside.

    Args:
        taps, sigmas: for each axis of `axes`.
    """
    for axis, count, sigma in zip(axes, taps, sigmas):
        images = along(images, axis, ops.cast(gaussian(count, sigma), images.dtype), count)
    return images


def smoothed(images, axes):
    """The mean of each pixel and its eight neighbours, of which the pixel counts five times; zeros outside."""
    total = images
    for axis in axes:
        total = along(total, axis, ops.ones((3,), images.dtype), 3)
    return ops.divide(ops.add(total, ops.multiply(images, 4.0)), 13.0)
