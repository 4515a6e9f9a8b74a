"""Equalization that looks at parts of images."""
import numpy as np

from keras import ops
from keras.layers.augmentation.colors import Equalization
from keras.ops.ordering import row_counts

_BINS = 256


class ContrastLimitedAdaptiveHistogramEqualization(Equalization):
    """Images equalized tile by tile, with a limit to how much contrast may grow (CLAHE); not in training only.

    Args:
        value_range: of the images.
        clip_limit: how often a value may occur in a tile, as a multiple of the mean over all 256 values; what goes
            beyond is spread over all.
        tile_grid_size: numbers of tiles along rows and columns. data_format, bounding_box_format: see `RandomFlip`.

    Source: Zuiderveld, Contrast limited adaptive histogram equalization, in Graphics Gems IV (1994).
    """
    only_in_training = False

    def __init__(self, value_range=(0, 255), clip_limit=4.0, tile_grid_size=(8, 8), data_format=None, **kwargs):
        super().__init__(value_range=value_range, data_format=data_format, **kwargs)
        self.declare(locals())
        if len(tile_grid_size) != 2 or not all(isinstance(size, int) and size > 0 for size in tile_grid_size):
            raise ValueError('ContrastLimitedAdaptiveHistogramEqualization: `tile_grid_size` must be two ints above 0. '
                             'Received: %r' % (tile_grid_size,))

    def equalized(self, images):
        batch, height, width, channels = ops.shape(images)
        values = ops.reshape(ops.transpose(ops.cast(ops.clip(images, 0.0, 255.0), 'int32'), (0, 3, 1, 2)),
                             (-1, height, width))
        sizes = [-(-size // tiles) for size, tiles in zip((height, width), self.tile_grid_size)]
        tables = ops.reshape(self._tables(values, sizes), (-1,))
        rows, columns = [_neighbours(size, length, tiles) for size, length, tiles in zip(
            (height, width), sizes, self.tile_grid_size)]
        of_image = ops.multiply(ops.arange(ops.shape(values)[0], dtype='int32'), int(np.prod(self.tile_grid_size)))

        def found(row, column):
            tile = ops.add(ops.reshape(of_image, (-1, 1, 1)),
                           row[:, None] * self.tile_grid_size[1] + column[None, :])
            places = ops.add(ops.multiply(tile, _BINS), values)
            return ops.reshape(ops.take(tables, ops.reshape(places, (-1,)), 0), (-1, height, width))

        def between(row):
            return _mixed(found(row, columns[0]), found(row, columns[1]), columns[2][None, None, :])
        mixed = _mixed(between(rows[0]), between(rows[1]), rows[2][None, :, None])
        return ops.transpose(ops.reshape(mixed, (-1, channels, height, width)), (0, 2, 3, 1))

    def _tables(self, values, sizes):
        """(tiles of all images, 256): what each value becomes in each tile of images (images, rows, columns)."""
        for axis, size, tiles in zip((1, 2), sizes, self.tile_grid_size):
            length = ops.shape(values)[axis]
            places = np.arange(size * tiles)
            mirrored = np.maximum(np.where(places < length, places, 2 * length - 2 - places), 0)
            values = ops.take(values, mirrored.astype('int32'), axis)
        down, along = self.tile_grid_size
        apart = ops.transpose(ops.reshape(values, (-1, down, sizes[0], along, sizes[1])), (0, 1, 3, 2, 4))
        count = sizes[0] * sizes[1]
        counts = ops.cast(row_counts(ops.reshape(apart, (-1, count)), _BINS), 'float32')
        limit = self.clip_limit * count / _BINS
        beyond = ops.sum(ops.maximum(ops.subtract(counts, limit), 0.0), -1, keepdims=True)
        below = ops.cumsum(ops.add(ops.minimum(counts, limit), ops.divide(beyond, float(_BINS))), -1)
        first, last = below[:, :1], below[:, -1:]
        return ops.divide(ops.multiply(ops.subtract(below, first), 255.0), ops.maximum(ops.subtract(last, first), 1e-9))


def _neighbours(size, length, tiles):
    """(the tile before each place of an axis, the one behind it, how near it is to that)."""
    places = np.arange(size) / length - 0.5
    before = np.floor(places)
    return (np.clip(before, 0, tiles - 1).astype('int32'), np.clip(before + 1, 0, tiles - 1).astype('int32'),
            (places - before).astype('float32'))


def _mixed(first, second, share):
    return ops.add(first, ops.multiply(ops.subtract(second, first), share))
