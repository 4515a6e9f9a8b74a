"""Layers that make one tensor of several, and the functions that apply them."""
from keras import ops
from keras.backend.contract import rules
from keras.backend.table.composites.math import batch_dot, l2_normalize
from keras.layers.base import Layer


class _Merge(Layer):
    """What merging shares: a list of inputs; those of lower rank get axes of size 1 behind the batch."""
    fewest = 1
    supports_masking = True

    def build(self, input_shape):
        self._checked(input_shape)
        self.built = True

    def _checked(self, shapes):
        if not isinstance(shapes, (list, tuple)) or not shapes or not isinstance(shapes[0], (list, tuple)):
            raise ValueError('Layer %r (%s) must be called on a list of tensors. Received the shape %s. The usual '
                             'cause: %s()(a, b) instead of %s()([a, b]).'
                             % (self.name, type(self).__name__, shapes, type(self).__name__, type(self).__name__))
        fewest = max(self.fewest, self.ruled('merges_at_least'))
        if len(shapes) < fewest:
            raise ValueError('Layer %r (%s) needs at least %d inputs. Received %d.'
                             % (self.name, type(self).__name__, fewest, len(shapes)))
        batches = {shape[0] for shape in shapes if shape and shape[0] is not None}
        if len(batches) > 1:
            raise ValueError('Layer %r (%s) cannot merge inputs with different batch sizes. Received the shapes %s.'
                             % (self.name, type(self).__name__, list(shapes)))
        return [tuple(shape) for shape in shapes]

    def call(self, inputs):
        ranks = [ops.ndim(x) for x in inputs]
        if len(set(ranks)) > 1:
            inputs = [_with_rank(x, max(ranks)) for x in inputs]
        result = inputs[0]
        for x in inputs[1:]:
            result = self._merge(result, x)
        return result

    def in_channels_first(self, rank):
        return self

    def _merge(self, x, y):
        raise NotImplementedError('%s must define _merge(x, y).' % type(self).__name__)

    def compute_output_shape(self, input_shape):
        shapes = self._checked(input_shape)
        rank = max(map(len, shapes))
        padded = [shape[:1] + (1,) * (rank - len(shape)) + shape[1:] for shape in shapes]
        try:
            return rules.broadcast_shapes(*padded)
        except ValueError as error:
            raise ValueError('Layer %r (%s): %s.' % (self.name, type(self).__name__, error)) from None

    def compute_mask(self, inputs, mask=None):
        masks = [each for each in self._masks(inputs, mask) if each is not None]
        if not masks:
            return None
        result = masks[0]
        for each in masks[1:]:
            result = ops.logical_and(result, each)
        return result

    def _masks(self, inputs, mask):
        """The masks as a list, one per input; an empty one where there is none."""
        if mask is None:
            return []
        if not isinstance(mask, (list, tuple)) or not isinstance(inputs, (list, tuple)) or len(mask) != len(inputs):
            raise ValueError('Layer %r (%s): compute_mask expects a list of inputs and a list with a mask or None for '
                             'each of them. Received: inputs=%r, mask=%r.'
                             % (self.name, type(self).__name__, inputs, mask))
        return list(mask)


def _with_rank(x, rank):
    for _ in range(rank - ops.ndim(x)):
        x = ops.expand_dims(x, 1)
    return x


class Add(_Merge):
    """The sum of the inputs, broadcast.

    Example:
        >>> keras.layers.Add()([np.ones((2, 3), 'float32'), np.ones((2, 3), 'float32')])[0]
        array([2., 2., 2.], dtype=float32)
    """

    def _merge(self, x, y):
        return ops.add(x, y)


class Subtract(_Merge):
    """The first of two inputs minus the second."""
    fewest = 2

    def _checked(self, shapes):
        shapes = super()._checked(shapes)
        if len(shapes) != 2:
            raise ValueError('Layer %r (Subtract) needs exactly 2 inputs. Received %d.' % (self.name, len(shapes)))
        return shapes

    def _merge(self, x, y):
        return ops.subtract(x, y)


class Multiply(_Merge):
    """The elementwise product of the inputs, broadcast."""

    def _merge(self, x, y):
        return ops.multiply(x, y)


class Average(_Merge):
    """The elementwise mean of the inputs, broadcast."""

    def _merge(self, x, y):
        return ops.add(x, y)

    def call(self, inputs):
        return ops.divide(super().call(inputs), float(len(inputs)))


class Maximum(_Merge):
    """The elementwise maximum of the inputs, broadcast."""

    def _merge(self, x, y):
        return ops.maximum(x, y)


class Minimum(_Merge):
    """The elementwise minimum of the inputs, broadcast."""

    def _merge(self, x, y):
        return ops.minimum(x, y)


class Concatenate(_Merge):
    """The inputs one behind the other along `axis`; the other sizes must agree.

    Args:
        axis: the axis, counted with the batch; default the last.

    Example:
        >>> keras.layers.Concatenate()([np.ones((2, 3)), np.ones((2, 5))]).shape
        (2, 8)
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def call(self, inputs):
        return ops.concatenate(inputs, self.axis)

    def in_channels_first(self, rank):
        axis = self.axis % rank
        return self.copy_with(axis=1 if axis == rank - 1 else axis + 1 if axis else 0)

    def compute_output_shape(self, input_shape):
        shapes = self._checked(input_shape)
        try:
            return rules.concatenate([rules.AbstractTensor(shape, 'float32') for shape in shapes], self.axis).shape
        except ValueError as error:
            raise ValueError('Layer %r (Concatenate): %s. Received the shapes %s.'
                             % (self.name, error, shapes)) from None

    def compute_mask(self, inputs, mask=None):
        given, masks = self._masks(inputs, mask), []
        if all(each is None for each in given):
            return None
        for x, each in zip(inputs, given):
            if each is not None and ops.ndim(each) == ops.ndim(x):
                masks.append(ops.cast(each, 'bool'))
                continue
            everywhere = ops.cast(ops.ones_like(x), 'bool')
            if each is not None:
                while ops.ndim(each) < ops.ndim(x):
                    each = ops.expand_dims(each, -1)
                everywhere = ops.logical_and(everywhere, each)
            masks.append(everywhere)
        return ops.all(ops.concatenate(masks, self.axis), -1)


class Dot(_Merge):
    """The product of two inputs over one axis of each, sample by sample.

    Args:
        axes: the axis over which the product is taken, or a pair of axes, counted with the batch.
        normalize: scale to length 1 along those axes first: the result is the cosine of the angle.

    Example:
        >>> keras.layers.Dot(axes=1)([np.ones((2, 3), 'float32'), np.ones((2, 3), 'float32')])
        array([[3.],
               [3.]], dtype=float32)
    """
    fewest = 2

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
            raise ValueError('Dot: `axes` must be an int or a pair of ints. Received: %r' % (axes,))
        self.pair = tuple(pair)

    def call(self, inputs):
        x, y = inputs
        if self.normalize:
            x, y = l2_normalize(x, self.pair[0]), l2_normalize(y, self.pair[1])
        return batch_dot(x, y, self.pair)

    def in_channels_first(self, rank):
        return None

    def compute_output_shape(self, input_shape):
        shapes = self._checked(input_shape)
        if len(shapes) != 2:
            raise ValueError('Layer %r (Dot) needs exactly 2 inputs. Received %d.' % (self.name, len(shapes)))
        axes = [rules.normalize_axis(axis, len(shape), 'axes entry') for axis, shape in zip(self.pair, shapes)]
        sizes = [shape[axis] for axis, shape in zip(axes, shapes)]
        if 0 in axes or None not in sizes and sizes[0] != sizes[1]:
            raise ValueError('Layer %r (Dot): axes=%r must name axes of equal size behind the batch. Received the '
                             'shapes %s.' % (self.name, self.axes, shapes))
        kept = [[size for axis, size in enumerate(shape) if axis not in (0, dropped)]
                for shape, dropped in zip(shapes, axes)]
        batch = shapes[0][0] if shapes[0][0] is not None else shapes[1][0]
        return (batch,) + (tuple(kept[0] + kept[1]) or (1,))

    def compute_mask(self, inputs, mask=None):
        return None


# --- functions ----------------------------------------------------------------------------------------------------

def add(inputs, **kwargs):
    """`Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)


def subtract(inputs, **kwargs):
    """`Subtract(**kwargs)(inputs)`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs, **kwargs):
    """`Multiply(**kwargs)(inputs)`."""
    return Multiply(**kwargs)(inputs)


def average(inputs, **kwargs):
    """`Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)


def maximum(inputs, **kwargs):
    """`Maximum(**kwargs)(inputs)`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs, **kwargs):
    """`Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """`Concatenate(axis, **kwargs)(inputs)`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs, axes, normalize=False, **kwargs):
    """`Dot(axes, normalize, **kwargs)(inputs)`."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
