"""Images under small filters: blurs, edges, and the similarity of two images."""
import numpy as np

from keras import config
from keras.backend.contract.loading import get_engine, is_native
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import to_array
from keras.backend.table import primitives as p
from keras.backend.table.composites import conv as convolutions
from keras.backend.table.composites.math import mean
from keras.backend.table.composites.shape import (dtype_of, expand_dims, moveaxis, ndim, resized, shape, sliced, stack,
                                                  static_shape)
from keras.backend.table.dispatch import composite
from keras.backend.table.numbers import has_value
from keras.ops.pictures import as_channels_last, channels_back, check_images, from_floats, width_of


def _filtered(images, kernel, padding):
    """Images (batch, rows, columns, channels) whose channels are correlated with one kernel (rows, columns)."""
    batch, rows, columns, channels = shape(images)
    # Every channel as an image of its own, so that the number of channels need not be known.
    flat = resized(p.transpose(images, (0, 3, 1, 2)), (-1, rows, columns, 1))
    if isinstance(kernel, np.ndarray):
        kernel = kernel.astype('float32')
    kernel = p.cast(expand_dims(kernel, (2, 3)), dtype_of(images))
    found = p.conv(flat, kernel, (1, 1), padding, (1, 1))
    new_rows, new_columns = shape(found)[1:3]
    return p.transpose(resized(found, (batch, channels, new_rows, new_columns)), (0, 2, 3, 1))


def _bell(size, sigma):
    places = np.arange(size) - (size - 1) / 2
    weights = np.exp(-0.5 * (places / sigma) ** 2)
    return weights / weights.sum()


def _bell_of_tensors(size, sigma, length):
    """`_bell` in the middle of zeros, of the least odd size that covers `length` places from any of them."""
    middle = p.multiply(p.subtract(size, 1.0), 0.5)
    places = p.add(np.arange(1.0 - length, length, dtype='float32'), p.floor(middle))
    distance = p.divide(p.subtract(places, middle), sigma)
    weights = p.exp(p.multiply(p.multiply(distance, distance), -0.5))
    inside = p.logical_and(p.less(-0.5, places), p.less(places, size))
    weights = p.multiply(weights, p.cast(inside, 'float32'))
    return p.divide(weights, p.sum(weights))


def gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    """Images blurred by a Gaussian bell, with zeros around them.

    Args:
        images: (batch, rows, columns, channels), or a single one, or channels first. kernel_size, sigma: the size of
            the bell in pixels and its deviation, a pair (x, y) each. They may be tensors of a graph, and traced: then
            the size of the images is to be known, and the bell ends where twice that size does.

    Raises:
        ValueError: for another rank, and for an unknown size of the images where it has to be known.

    Example:
        >>> image = np.zeros((3, 3, 1), 'float32')
        >>> image[1, 1] = 1.0
        >>> keras.ops.image.gaussian_blur(image)[1, :, 0]
        array([0.1238414 , 0.20417996, 0.1238414 ], dtype=float32)
    """
    if _is_open(kernel_size) or _is_open(sigma):
        return _blurred_by_tensors(images, _as_tensor(kernel_size), _as_tensor(sigma),
                                   config.normalize_data_format(data_format))
    sizes, deviations = [[float(each) for each in to_array(pair)] for pair in (kernel_size, sigma)]
    return _blurred(images, tuple(map(int, sizes)), tuple(deviations), config.normalize_data_format(data_format))


@composite('images')
def _blurred(images, kernel_size, sigma, data_format):
    """`gaussian_blur` by numbers."""
    check_images(images)
    dtype = dtype_of(images)
    values, form = as_channels_last(p.cast(images, width_of(dtype)), data_format)
    kernel = np.outer(_bell(kernel_size[1], sigma[1]), _bell(kernel_size[0], sigma[0]))
    return channels_back(from_floats(_filtered(values, kernel, 'same'), dtype), form)


def _is_open(pair):
    """Whether numbers have no values yet."""
    return any(isinstance(each, KerasTensor) and not has_value(each) or is_native(each)
               and not get_engine().has_values(each) for each in (pair if isinstance(pair, (list, tuple)) else [pair]))


def _as_tensor(pair):
    return p.cast(stack(list(pair)) if isinstance(pair, (list, tuple)) else pair, 'float32')


@composite('images kernel_size sigma')
def _blurred_by_tensors(images, kernel_size, sigma, data_format):
    """`gaussian_blur` by tensors."""
    check_images(images)
    dtype = dtype_of(images)
    values, form = as_channels_last(p.cast(images, width_of(dtype)), data_format)
    sizes = static_shape(values)[1:3]
    if None in sizes:
        raise ValueError('gaussian_blur: where kernel_size and sigma are tensors of a graph the images have a known '
                         'size. Received: images of shape %s' % (static_shape(images),))
    columns, rows = [_bell_of_tensors(sliced(kernel_size, 0, axis, axis + 1), sliced(sigma, 0, axis, axis + 1), size)
                     for axis, size in enumerate(reversed(sizes))]
    kernel = p.multiply(expand_dims(rows, 1), columns)
    return channels_back(from_floats(_filtered(values, kernel, 'same'), dtype), form)


@composite('images')
def sobel_edges(images, data_format=None):
    """How fast images change downwards and to the right, by Sobel's filters (1968), with zeros around them.

    Args:
        images: (batch, rows, columns, channels), or channels first.

    Returns:
        A tensor like `images` with a last axis of 2: the change along the rows, and along the columns.

    Raises:
        ValueError: unless `images` is a batch of images.

    Example:
        >>> ramp = np.tile(np.arange(3.0), (3, 1)).reshape(1, 3, 3, 1)
        >>> keras.ops.image.sobel_edges(ramp)[0, 1, 1, 0]  # down, to the right
        array([0., 8.])
    """
    if ndim(images) != 4:
        raise ValueError('Invalid images rank: expected rank 4 (batch of images). Received: '
                         'images.shape=%s' % (static_shape(images),))
    values, _ = as_channels_last(p.cast(images, width_of(dtype_of(images))), data_format)
    down = np.outer([-1.0, 0.0, 1.0], [1.0, 2.0, 1.0])
    edges = [_filtered(values, kernel, 'same') for kernel in (down, down.T)]
    if config.normalize_data_format(data_format) == 'channels_first':
        edges = [moveaxis(each, -1, 1) for each in edges]
    sizes = tuple(shape(edges[0])) + (1,)
    return p.concatenate([resized(each, sizes) for each in edges], -1)


@composite('image1 image2')
def ssim(image1, image2, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, data_format=None):
    """The structural similarity of images (Wang et al., 2004), 1 for equal ones.

    Args:
        image1, image2: (batch, rows, columns, channels), or single ones, or channels first. max_val: the largest value
            there may be. filter_size, filter_sigma: the window, a Gaussian bell. k1, k2: what keeps divisions stable.

    Returns:
        A tensor (batch,), a scalar for single images.

    Raises:
        ValueError: for another rank.

    Example:
        >>> image = np.tile(np.arange(12.0) / 12, (12, 1)).reshape(12, 12, 1)
        >>> float(keras.ops.image.ssim(image, image))
        1.0
    """
    for images in (image1, image2):
        check_images(images)
    first, second = [as_channels_last(p.cast(images, width_of(dtype_of(images))), data_format)[0]
                     for images in (image1, image2)]
    kernel = np.outer(_bell(filter_size, filter_sigma), _bell(filter_size, filter_sigma))
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2

    def local(images):
        return _filtered(images, kernel, 'valid')
    mean1, mean2 = local(first), local(second)
    product, squares = p.multiply(mean1, mean2), p.add(p.multiply(mean1, mean1), p.multiply(mean2, mean2))
    covariance = p.subtract(local(p.multiply(first, second)), product)
    variances = p.subtract(local(p.add(p.multiply(first, first), p.multiply(second, second))), squares)
    similar = p.divide(p.multiply(p.add(p.multiply(product, 2.0), c1), p.add(p.multiply(covariance, 2.0), c2)),
                       p.multiply(p.add(squares, c1), p.add(variances, c2)))
    result = mean(similar, (1, 2, 3))
    return resized(result, ()) if ndim(image1) == 3 else result
