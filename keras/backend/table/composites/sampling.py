"""Images read at other places than those of their pixels: what moves, turns and bends them."""
from keras.backend.table import primitives as p
from keras.backend.table.cases import F, U
from keras.backend.table.composites.math import greater_equal, less_equal
from keras.backend.table.composites.shape import dtype_of, expand_dims, resized, shape, stack, static_shape
from keras.backend.table.dispatch import composite

INTERPOLATIONS = ('bilinear', 'nearest')
# Of layers; operations have one more.
FILL_MODES = ('constant', 'nearest', 'reflect', 'wrap')
MODES_OF_OPERATIONS = FILL_MODES + ('mirror',)


@composite('images y x', promote='same', cases=[
    (F(2, 3, 4, 2), F(2, 2, 5), F(2, 2, 5)), (F(2, 3, 4, 2), F(2, 2, 5), F(2, 2, 5), 'bilinear', 'reflect'),
    (F(1, 3, 4, 1), F(1, 2, 2), F(1, 2, 2), 'bilinear', 'constant', 2.0),
    (F(1, 3, 4, 1), F(1, 2, 2), F(1, 2, 2), 'nearest', 'wrap'),
    (F(1, 3, 1, 1), F(1, 2, 2), F(1, 2, 2), 'bilinear', 'mirror')], gradient=False)
def sampled(images, y, x, interpolation='bilinear', fill_mode='nearest', fill_value=0.0):
    """The values of images at places between and beyond their pixels.

    Args:
        images: floats (batch, rows, columns, channels). y, x: rows and columns to read, floats (batch, height, width),
            counted from the middle of the first pixel.
        interpolation: 'bilinear' or 'nearest'.
        fill_mode: what lies outside: 'constant' (`fill_value`), 'nearest' (the edge), 'reflect' (mirrored at the outer
            edge of the last pixel), 'mirror' (at its middle) or 'wrap' (the other end follows).

    Returns:
        Floats (batch, height, width, channels).

    Raises:
        ValueError: for another interpolation or fill mode.
    """
    if interpolation not in INTERPOLATIONS:
        raise ValueError('`interpolation` must be one of %s. Received: %r'
                         % (', '.join(map(repr, INTERPOLATIONS)), interpolation))
    if fill_mode not in MODES_OF_OPERATIONS:
        raise ValueError('`fill_mode` must be one of %s. Received: %r'
                         % (', '.join(map(repr, MODES_OF_OPERATIONS)), fill_mode))
    pixels = _Pixels(images, y, fill_mode, fill_value)
    if interpolation == 'nearest':
        return pixels.at(pixels.row(_rounded(y)), pixels.column(_rounded(x)))
    top, left = p.floor(y), p.floor(x)
    down, right = expand_dims(p.subtract(y, top), -1), expand_dims(p.subtract(x, left), -1)
    columns = pixels.column(left), pixels.column(p.add(left, 1.0))
    upper, lower = [_mixed(pixels.at(row, columns[0]), pixels.at(row, columns[1]), right)
                    for row in (pixels.row(top), pixels.row(p.add(top, 1.0)))]
    return _mixed(upper, lower, down)


def _mixed(first, second, share):
    return p.add(first, p.multiply(p.subtract(second, first), share))


def _rounded(places):
    """The nearest whole numbers, halves away from 0."""
    return p.multiply(p.sign(places), p.floor(p.add(p.abs(places), 0.5)))


class _Pixels:
    """The pixels of images in one long row, to be gathered from."""

    def __init__(self, images, places, fill_mode, fill_value):
        batch, self.rows, self.columns, channels = shape(images)
        self.fill_mode, self.fill_value = fill_mode, fill_value
        self.flat = resized(images, (batch * self.rows * self.columns, channels))
        self.sizes = tuple(shape(places)) + (channels,)
        of_image = p.multiply(p.arange(batch, dtype='int32'), self.rows * self.columns)
        self.first = p.reshape(of_image, (-1, 1, 1))

    def row(self, places):
        """(offsets of the first pixels of whole rows, whether these are inside; None where that does not matter)."""
        places, inside = self.column(places, self.rows)
        return p.multiply(places, self.columns), inside

    def column(self, places, size=None):
        """(whole columns within the images, whether they were inside; None where that does not matter)."""
        size = self.columns if size is None else size
        inside = None
        if self.fill_mode == 'constant':
            last = float(size - 1) if isinstance(size, int) else p.cast(size - 1, dtype_of(places))
            inside = p.logical_and(greater_equal(places, 0.0), less_equal(places, last))
        # What is further away than any pixel may not fit into an integer.
        places = p.cast(p.maximum(p.minimum(places, 2.0 ** 24), -2.0 ** 24), 'int32')
        if self.fill_mode == 'wrap':
            places = p.mod(places, size)
        elif self.fill_mode == 'reflect':
            places = p.mod(places, 2 * size)
            places = p.minimum(places, p.subtract(2 * size - 1, places))
        elif self.fill_mode == 'mirror':
            period = max(2 * size - 2, 1) if isinstance(size, int) else p.maximum(2 * size - 2, 1)
            places = p.mod(places, period)
            places = p.minimum(places, p.abs(p.subtract(2 * size - 2, places)))
        else:
            places = p.maximum(p.minimum(places, size - 1), 0)
        return places, inside

    def at(self, row, column):
        places = p.add(self.first, p.add(row[0], column[0]))
        found = resized(p.gather(self.flat, p.reshape(places, (-1,)), 0), self.sizes)
        if row[1] is None:
            return found
        return p.where(expand_dims(p.logical_and(row[1], column[1]), -1), found, self.fill_value)


def grid(images):
    """(rows, columns) of the pixels of images (batch, rows, columns, channels): (1, rows, 1), (1, 1, columns)."""
    _, rows, columns, _ = shape(images)
    return (p.reshape(p.arange(rows, dtype='float32'), (1, -1, 1)),
            p.reshape(p.arange(columns, dtype='float32'), (1, 1, -1)))


def _eight_numbers(images, transform, *rest):
    if static_shape(transform)[-1] not in (8, None):
        raise ValueError('`transform` must be of shape (batch, 8). Received: %s'
                         % (tuple(static_shape(transform)),))


def _four_points(start_points, end_points):
    for name, points in (('start_points', start_points), ('end_points', end_points)):
        if any(size not in (wanted, None) for size, wanted in zip(static_shape(points)[1:], (4, 2))):
            raise ValueError('`%s` must be of shape (batch, 4, 2). Received: %s'
                             % (name, tuple(static_shape(points))))
    batches = [static_shape(points)[0] for points in (start_points, end_points)]
    if None not in batches and batches[0] != batches[1]:
        raise ValueError('`start_points` are for %d images, `end_points` for %d.' % tuple(batches))


@composite('images transform', promote='same', check=_eight_numbers, cases=[
    (F(2, 3, 4, 2), U(2, 8)), (F(1, 3, 4, 1), U(1, 8), 'nearest', 'reflect', 0.0, True)], gradient=False)
def projected(images, transform, interpolation='bilinear', fill_mode='constant', fill_value=0.0, perspective=False):
    """Images read where a matrix sends each pixel.

    Args:
        images: floats (batch, rows, columns, channels).
        transform: (batch, 8): a0, a1, a2, b0, b1, b2, c0, c1. The pixel (x, y) of the result is the one of the image
            at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) with k = c0 x + c1 y + 1, or 1 unless `perspective`.
        interpolation, fill_mode, fill_value: see `sampled`.
    """
    _eight_numbers(images, transform)
    y, x = grid(images)
    numbers = [p.reshape(transform[:, place], (-1, 1, 1)) for place in range(8)]
    y, x = p.cast(y, dtype_of(transform)), p.cast(x, dtype_of(transform))
    new_x, new_y = [p.add(p.add(p.multiply(a, x), p.multiply(b, y)), c) for a, b, c in (numbers[:3], numbers[3:6])]
    if perspective:
        scale = p.add(p.add(p.multiply(numbers[6], x), p.multiply(numbers[7], y)), 1.0)
        new_x, new_y = p.divide(new_x, scale), p.divide(new_y, scale)
    return sampled(images, new_y, new_x, interpolation, fill_mode, fill_value)


@composite('start_points end_points', promote='same', check=_four_points, cases=[
    (F(2, 4, 2), F(2, 4, 2)), (F(1, 4, 2), F(1, 4, 2))], gradient=False)
def perspective_matrix(start_points, end_points):
    """The numbers of the perspective (for `projected`) that sends four points (x, y) to four others: (batch, 8).

    Args:
        start_points, end_points: (batch, 4, 2), where the points are and where they come to.

    Source: Heckbert, Fundamentals of texture mapping and image warping (1989), section 2.2.3.
    """
    _four_points(start_points, end_points)
    x, y = start_points[:, :, 0], start_points[:, :, 1]
    u, v = end_points[:, :, 0], end_points[:, :, 1]
    zero, one = p.full_like(x, 0.0), p.full_like(x, 1.0)
    for_u = stack([x, y, one, zero, zero, zero, p.negative(p.multiply(u, x)), p.negative(p.multiply(u, y))], -1)
    for_v = stack([zero, zero, zero, x, y, one, p.negative(p.multiply(v, x)), p.negative(p.multiply(v, y))], -1)
    equations = p.concatenate([for_u, for_v], 1)
    return p.solve(equations, expand_dims(p.concatenate([u, v], 1), -1))[:, :, 0]
