"""Images whose pixels are taken from other places: affine, projective and elastic transforms, and resampling."""
import itertools

from keras.backend.contract import rules
from keras.backend.table import primitives as p
from keras.backend.table.composites.conv import KERNELS_OF_TENSORS
from keras.backend.table.composites.math import less_equal
from keras.backend.table.composites.random import normal
from keras.backend.table.composites.sampling import INTERPOLATIONS, MODES_OF_OPERATIONS, grid, projected, sampled
from keras.backend.table.composites.shape import (dtype_of, expand_dims, moveaxis, ndim, resized, shape,
                                                  sliced, squeeze, stack, static_shape, unstack)
from keras.backend.table.dispatch import composite
from keras.ops.filters import gaussian_blur
from keras.ops.pictures import as_channels_last, channels_back, check_images, from_floats, width_of
from keras.random import SeedGenerator


# --- from places ------------------------------------------------------------------------------------------------

@composite('inputs *coordinates')
def map_coordinates(inputs, coordinates, order, fill_mode='constant', fill_value=0):
    """The values of an array at places between its elements.

    Args:
        inputs: a tensor of any rank. coordinates: a tensor (rank, ...), or a list of one tensor for each axis: the
            places, counted from 0 in elements.
        order: 0 takes the nearest element, 1 goes straight from each to the next.
        fill_mode: what lies outside: 'constant' `fill_value`; 'nearest' the last element, on and on; 'wrap' the array
            over again; 'mirror' the array turned around its last element; 'reflect' turned around its edge.

    Returns:
        A tensor of the shape and dtype of `inputs` at those places: (...). Integers are rounded.

    Raises:
        ValueError: for places of another rank, another order or mode.

    Example:
        >>> keras.ops.image.map_coordinates(np.array([0.0, 10.0, 20.0]), [np.array([0.5, 1.25])], order=1)
        array([ 5. , 12.5])
    """
    if order not in (0, 1):
        raise ValueError('`order` must be 0 or 1. Received: order=%r' % (order,))
    _check_fill_mode(fill_mode)
    if not isinstance(coordinates, (list, tuple)) and ndim(coordinates) < 2:
        raise ValueError('Invalid coordinates rank: expected at least rank 2. Received: shape %s'
                         % (static_shape(coordinates),))
    places = list(coordinates) if isinstance(coordinates, (list, tuple)) else unstack(coordinates)
    if len(places) != ndim(inputs):
        raise ValueError('Invalid coordinates rank: the first axis of `coordinates` must be the same as the rank of '
                         '`inputs`. Received: %d places for inputs of shape %s' % (len(places), static_shape(inputs)))
    dtype = dtype_of(inputs)
    values = p.cast(inputs, 'float32') if rules.is_integer(dtype) or dtype == 'bool' else inputs
    places = [p.cast(place, 'float32') if dtype_of(place) != 'float64' else place for place in places]
    found = _mapped(values, places, order, fill_mode, fill_value)
    return from_floats(found, dtype, half_up=True)


def _mapped(values, places, order, fill_mode, fill_value):
    """The float `values` at `places`, one tensor for each axis."""
    sizes = shape(values)
    flat = resized(values, (-1,))
    axes = [_neighbours(place, order) for place in places]
    total = None
    for corner in itertools.product(*axes):
        index, inside, weight = 0, None, None
        for axis, (position, part) in enumerate(corner):
            taken, valid = _taken(position, sizes[axis], fill_mode)
            index = p.add(p.multiply(index, sizes[axis]), taken)
            inside = valid if inside is None or valid is None else p.logical_and(inside, valid)
            weight = part if weight is None or part is None else p.multiply(weight, part)
        value = p.gather(flat, index, 0)
        if inside is not None:
            value = p.where(inside, value, p.full_like(value, fill_value))
        value = value if weight is None else p.multiply(value, p.cast(weight, dtype_of(value)))
        total = value if total is None else p.add(total, value)
    return total


def _neighbours(place, order):
    """[(whole position, weight)] of the elements on both sides of a place."""
    if order == 0:
        # Halves go away from 0.
        return [(p.cast(p.multiply(p.sign(place), p.floor(p.add(p.abs(place), 0.5))), 'int32'), None)]
    low = p.floor(place)
    above = p.subtract(place, low)
    low = p.cast(low, 'int32')
    return [(low, p.subtract(1.0, above)), (p.add(low, 1), above)]


def _taken(position, size, fill_mode):
    """(position inside, whether it was inside or None) along an axis of `size`."""
    last = p.subtract(size, 1) if not isinstance(size, int) else size - 1
    if fill_mode == 'constant':
        valid = p.logical_and(less_equal(0, position), less_equal(position, last))
        return p.minimum(p.maximum(position, 0), last), valid
    if fill_mode == 'wrap':
        return p.mod(position, size), None
    if fill_mode == 'mirror':
        period = max(2 * last, 1) if isinstance(last, int) else p.maximum(p.multiply(last, 2), 1)
        position = p.mod(position, period)
        return p.minimum(position, p.subtract(period, position)) if last != 0 else p.multiply(position, 0), None
    if fill_mode == 'reflect':
        period = p.multiply(size, 2) if not isinstance(size, int) else 2 * size
        position = p.mod(position, period)
        return p.minimum(position, p.subtract(p.subtract(period, 1), position)), None
    return p.minimum(p.maximum(position, 0), last), None


def _check_interpolation(interpolation):
    if interpolation not in INTERPOLATIONS:
        raise ValueError("Invalid value for argument `interpolation`. Expected one of 'nearest', 'bilinear'. Received: "
                         'interpolation=%r' % (interpolation,))


def _check_fill_mode(fill_mode):
    if fill_mode not in MODES_OF_OPERATIONS:
        raise ValueError('Invalid value for argument `fill_mode`. Expected one of %s. Received: '
                         'fill_mode=%r' % (', '.join(MODES_OF_OPERATIONS), fill_mode))


# --- transforms -------------------------------------------------------------------------------------------------

@composite('images transform')
def affine_transform(images, transform, interpolation='bilinear', fill_mode='constant', fill_value=0,
                     data_format=None):
    """Images turned, moved, sheared or enlarged.

    Args:
        images: (batch, rows, columns, channels), or a single one, or channels first.
        transform: (batch, 8) or (8,): `[a0, a1, a2, b0, b1, b2, c0, c1]`. The pixel (x, y) of the result is taken from
            `(a0 x + a1 y + a2, b0 x + b1 y + b2)`; `c0` and `c1` are without effect, as in Keras 3.
        interpolation: 'bilinear' or 'nearest'. fill_mode, fill_value: what lies outside, as for `map_coordinates`.

    Raises:
        ValueError: for another rank, interpolation or mode.

    Example:
        >>> image = np.arange(4.0).reshape(2, 2, 1)
        >>> keras.ops.image.affine_transform(image, np.array([1.0, 0, 1, 0, 1, 0, 0, 0]))[..., 0]  # to the left
        array([[1., 0.],
               [3., 0.]])
    """
    check_images(images)
    if ndim(transform) not in (1, 2):
        raise ValueError('Invalid transform rank: expected rank 1 (single transform) or rank 2 (batch '
                         'of transforms). Received: transform.shape=%s' % (static_shape(transform),))
    _check_interpolation(interpolation)
    _check_fill_mode(fill_mode)
    factors = expand_dims(transform, 0) if ndim(transform) == 1 else transform
    return _projected(images, factors, interpolation, fill_mode, fill_value, data_format, False)


def _projected(images, factors, interpolation, fill_mode, fill_value, data_format, perspective):
    values, form = as_channels_last(images, data_format)
    floats = _in_floats(values)
    factors = p.broadcast_to(p.cast(factors, dtype_of(floats)), (shape(values)[0], 8))
    found = projected(floats, factors, interpolation, fill_mode, fill_value, perspective)
    return channels_back(from_floats(found, dtype_of(values), half_up=True), form)


def _in_floats(values):
    """In 32 bits at least: halves do not tell the places in a large image apart."""
    return values if dtype_of(values) == 'float64' else p.cast(values, 'float32')


@composite('images start_points end_points')
def perspective_transform(images, start_points, end_points, interpolation='bilinear', fill_value=0, data_format=None):
    """Images seen from another side: the projective map that brings `start_points` to `end_points`.

    Args:
        images: (batch, rows, columns, channels), or a single one, or channels first.
        start_points, end_points: (batch, 4, 2) or (4, 2), four corners as (x, y), before and after.
        interpolation: 'bilinear' or 'nearest'. fill_value: the value of what lies outside.

    Raises:
        ValueError: for another rank or interpolation.

    Example:
        >>> corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> image = np.arange(4.0).reshape(2, 2, 1)
        >>> keras.ops.image.perspective_transform(image, corners, corners)[..., 0]
        array([[0., 1.],
               [2., 3.]])
    """
    check_images(images)
    for name, points in (('start_points', start_points), ('end_points', end_points)):
        if ndim(points) not in (2, 3) or tuple(static_shape(points)[-2:]) != (4, 2):
            raise ValueError('Invalid %s shape: expected (4, 2) for a single image or (N, 4, 2) '
                             'for a batch. Received shape: %s' % (name, static_shape(points)))
    if ndim(start_points) != ndim(end_points):
        raise ValueError('start_points and end_points must have the same rank. Received: shapes '
                         '%s and %s' % (static_shape(start_points), static_shape(end_points)))
    _check_interpolation(interpolation)
    return _projected(images, homography(start_points, end_points), interpolation, 'constant', fill_value, data_format,
                      True)


def homography(start_points, end_points):
    """(batch, 8): the projective map, as factors, that takes `end_points` (batch, 4, 2) to `start_points`."""
    start, end = [p.cast(points if ndim(points) == 3 else expand_dims(points, 0), 'float32')
                  for points in (start_points, end_points)]
    lines, targets = [], []
    for corner in range(4):
        (u, v), (x, y) = [[resized(part, (-1,)) for part in unstack(sliced(each, 1, corner, corner + 1), 2, -1)]
                          for each in (start, end)]
        one, zero = p.full_like(x, 1.0), p.full_like(x, 0.0)
        lines.append(stack([x, y, one, zero, zero, zero, p.negative(p.multiply(u, x)), p.negative(p.multiply(u, y))],
                           -1))
        lines.append(stack([zero, zero, zero, x, y, one, p.negative(p.multiply(v, x)), p.negative(p.multiply(v, y))],
                           -1))
        targets += [u, v]
    return squeeze(p.solve(stack(lines, 1), expand_dims(stack(targets, -1), -1)), -1)


@composite('images')
def elastic_transform(images, alpha=20.0, sigma=5.0, interpolation='bilinear', fill_mode='reflect', fill_value=0.0,
                      seed=None, data_format=None):
    """Images whose pixels are moved by a smooth random field (Simard et al., 2003).

    Args:
        images: (batch, rows, columns, channels), or a single one, or channels first. alpha: how strong the moves are.
        sigma: how smooth. interpolation, fill_mode, fill_value: as for `affine_transform`. seed: an int, a
            `SeedGenerator` or None.

    Example:
        >>> keras.ops.image.elastic_transform(np.ones((4, 4, 1)), sigma=1.0, seed=1337).shape
        (4, 4, 1)
    """
    check_images(images)
    _check_interpolation(interpolation)
    _check_fill_mode(fill_mode)
    values, form = as_channels_last(images, data_format)
    batch, rows, columns = shape(values)[:3]
    width = int(6 * sigma) | 1
    seed = seed if isinstance(seed, SeedGenerator) or seed is None else SeedGenerator(seed)
    moves = []
    for _ in range(2):
        drawn = p.multiply(normal((batch, rows, columns, 1), dtype='float32', seed=seed), float(sigma))
        smooth = gaussian_blur(drawn, (width, width), (float(sigma), float(sigma)), 'channels_last')
        moves.append(p.multiply(squeeze(smooth, -1), float(alpha)))
    y, x = grid(values)
    floats = _in_floats(values)
    places = [p.cast(p.add(start, move), dtype_of(floats)) for start, move in ((y, moves[1]), (x, moves[0]))]
    found = sampled(floats, places[0], places[1], interpolation, fill_mode, fill_value)
    return channels_back(from_floats(found, dtype_of(values), half_up=True), form)


# --- resampling -------------------------------------------------------------------------------------------------

_KERNELS = {alias: KERNELS_OF_TENSORS[name] for name, aliases in {
    'bilinear': 'linear bilinear trilinear', 'bicubic': 'cubic bicubic tricubic', 'lanczos3': 'lanczos3',
    'lanczos5': 'lanczos5'}.items() for alias in aliases.split()}


@composite('images scale translation')
def scale_and_translate(images, output_shape, scale, translation, spatial_dims, method, antialias=True):
    """A tensor resampled along some axes: made larger by `scale`, then moved by `translation`.

    Args:
        images: a tensor of any rank. output_shape: the shape of the result. scale, translation: a number for each of
            `spatial_dims`. spatial_dims: the axes. method: 'linear', 'cubic', 'lanczos3', 'lanczos5' (or 'bilinear',
            'trilinear', 'bicubic', 'tricubic'). antialias: widen the kernel where an axis shrinks.

    Raises:
        ValueError: for another method.

    Example:
        >>> keras.ops.image.scale_and_translate(np.array([0.0, 10.0]), (4,), np.array([2.0]), np.array([0.0]), (0,),
        ...                                     'linear')
        array([ 0. ,  2.5,  7.5, 10. ])
    """
    if method not in _KERNELS:
        raise ValueError('Invalid value for argument `method`. Expected one of %s. Received: '
                         'method=%r' % (', '.join(sorted(_KERNELS)), method))
    dtype = dtype_of(images)
    result = p.cast(images, width_of(dtype))
    scales, moves = [unstack(p.cast(each, 'float32'), len(spatial_dims)) for each in (scale, translation)]
    for axis, factor, move in zip(spatial_dims, scales, moves):
        weights = p.cast(_weights(shape(result)[axis], output_shape[axis], factor, move, _KERNELS[method], antialias),
                         dtype_of(result))
        result = moveaxis(p.matmul(moveaxis(result, axis, -1), weights), -1, axis)
    return from_floats(result, dtype)


def _weights(old, new, scale, translation, kernel, antialias):
    """The matrix (old, new) that resamples an axis."""
    inverse = p.divide(1.0, scale)
    centres = p.multiply(p.subtract(p.add(p.cast(p.arange(new, dtype='int32'), 'float32'), 0.5), translation), inverse)
    centres = p.subtract(centres, 0.5)
    places = p.cast(p.arange(old, dtype='int32'), 'float32')
    distance = p.abs(p.subtract(expand_dims(places, 1), expand_dims(centres, 0)))
    weights = kernel(p.divide(distance, p.maximum(inverse, 1.0)) if antialias else distance)
    total = p.sum(weights, 0, True)
    enough = p.less(1.1920929e-4, p.abs(total))
    weights = p.where(enough, p.divide(weights, p.where(enough, total, 1.0)), 0.0)
    last = p.cast(old, 'float32')
    inside = p.logical_and(less_equal(-0.5, centres), less_equal(centres, p.subtract(last, 0.5)))
    return p.where(expand_dims(inside, 0), weights, 0.0)
