"""Sums over the neighbours of pixels, with zeros outside, of images with the channels behind."""
from keras import ops

# Up to so many weights one filter of rows and columns is faster than one after the other.
_MOST_AT_ONCE = 25


def gaussian(taps, sigma):
    """(taps,) weights of a bell curve, which sum up to 1. `sigma` may be a tensor."""
    places = ops.subtract(ops.arange(taps, dtype='float32'), (taps - 1) / 2.0)
    weights = ops.exp(ops.divide(ops.multiply(ops.square(places), -0.5), ops.square(ops.cast(sigma, 'float32'))))
    return ops.divide(weights, ops.sum(weights))


def _filtered(images, weights):
    """Images filtered by `weights` (rows, columns), the same for all channels."""
    rows, columns = ops.shape(weights)
    kernel = ops.tile(ops.reshape(ops.cast(weights, images.dtype), (rows, columns, 1, 1)),
                      (1, 1, ops.shape(images)[-1], 1))
    return ops.depthwise_conv(images, kernel, padding='same', data_format='channels_last')


def blurred(images, taps, sigmas):
    """Images blurred along rows and columns.

    Args:
        images: (batch, rows, columns, channels). taps, sigmas: of the bell curve along the rows' axis and the columns'.
    """
    down, along = [gaussian(count, sigma) for count, sigma in zip(taps, sigmas)]
    down, along = ops.expand_dims(down, 1), ops.expand_dims(along, 0)
    if taps[0] * taps[1] <= _MOST_AT_ONCE:
        return _filtered(images, ops.multiply(down, along))
    return _filtered(_filtered(images, down), along)


def smoothed(images):
    """The mean of each pixel and its eight neighbours, of which the pixel counts five times."""
    return _filtered(images, ops.convert_to_tensor([[1 / 13.0] * 3, [1 / 13.0, 5 / 13.0, 1 / 13.0], [1 / 13.0] * 3]))
