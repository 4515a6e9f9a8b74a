"""Layers that make one tensor of several, and the functions that apply them."""
from keras import ops
from keras.backend.contract import rules
from keras.backend.table.composites.math import batch_dot, l2_normalize
from keras.layers.base import Layer


class _Merge(Layer):
    """What merging shares: a list of inputs; those of lower rank get axes of size 1 behind the batch."""
    # The number of inputs, if only one will do.
    exactly = None
    supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.built = True

    def _checked(self, shapes):
        if not isinstance(shapes, (list, tuple)) or not shapes or not isinstance(shapes[0], (list, tuple)):
            raise ValueError('Layer %r: a %s layer should be called on a list of inputs. Received the shape %s. The '
                             'usual cause: %s()(a, b) instead of %s()([a, b]).'
                             % ((self.name, type(self).__name__, shapes) + 2 * (type(self).__name__,)))
        if self.exactly not in (None, len(shapes)):
            raise ValueError('Layer %r: a %s layer should be called on exactly %d inputs. Received %d.'
                             % (self.name, type(self).__name__, self.exactly, len(shapes)))
        fewest = self.ruled('merges_at_least')
        if len(shapes) < fewest:
            raise ValueError('Layer %r: a %s layer should be called on a list of at least %d input(s). Received %d.'
                             % (self.name, type(self).__name__, fewest, len(shapes)))
        batches = {shape[0] for shape in shapes if shape and shape[0] is not None}
        if len(batches) > 1:
            raise ValueError('Layer %r (%s): Cannot merge tensors with different batch sizes. Received the shapes %s.'
                             % (self.name, type(self).__name__, list(shapes)))
        return [tuple(shape) for shape in shapes]

    def call(self, inputs):
        ranks = [ops.ndim(x) for x in inputs]
        if len(set(ranks)) > 1:
            inputs = [_with_rank(x, max(ranks)) for x in inputs]
        return self._merge_function(inputs)

    def _merge_function(self, inputs):
        """The inputs, which have one rank, as one: what subclasses in scripts define."""
        result = inputs[0]
        for x in inputs[1:]:
            result = self._merge(result, x)
        return result

    def in_channels_first(self, rank):
        return self

    def _merge(self, x, y):
        raise NotImplementedError('%s must define _merge_function(inputs).' % type(self).__name__)

    def compute_output_shape(self, input_shape):
        shapes = self._checked(input_shape)
        rank = max(map(len, shapes))
        padded = [shape[:1] + (1,) * (rank - len(shape)) + shape[1:] for shape in shapes]
        try:
            return rules.broadcast_shapes(*padded)
        except ValueError as error:
            raise ValueError('Layer %r (%s): Inputs have incompatible shapes: %s.'
                             % (self.name, type(self).__name__, error)) from None

    def compute_mask(self, inputs, mask=None):
        given = self._masks(inputs, mask)
        masks = [each for each in given if each is not None]
        by_any = self.ruled('merges_by_any_mask')
        if not masks or by_any and len(masks) < len(given):
            return None
        result = masks[0]
        for each in masks[1:]:
            result = ops.logical_or(result, each) if by_any else ops.logical_and(result, each)
        return result

    def _masks(self, inputs, mask):
        """The masks as a list, one per input; an empty one where there is none."""
        if mask is None:
            return []
        for name, value in (('mask', mask), ('inputs', inputs)):
            if not isinstance(value, (list, tuple)):
                raise ValueError('Layer %r (%s): `%s` should be a list. Received: %s=%r'
                                 % (self.name, type(self).__name__, name, name, value))
        if len(mask) != len(inputs):
            raise ValueError('Layer %r (%s): the lists `inputs` and `mask` should have the same length. Received: %d '
                             'inputs, %d masks.' % (self.name, type(self).__name__, len(inputs), len(mask)))
        return list(mask)


def _with_rank(x, rank):
    for _ in range(rank - ops.ndim(x)):
        x = ops.expand_dims(x, 1)
    return x


class _MaskedMerge(_Merge):
    """A merging that leaves out the inputs in which a step does not count, in Keras 3."""
    # Where the axes of the inputs stand that the masks lack.
    open_axis = -1

    def call(self, inputs, mask=None):
        if mask is None or all(each is None for each in mask) or not self.ruled('merges_by_any_mask') \
                or type(self)._merge_function is not _Merge._merge_function:
            return super().call(inputs)
        rank = max(map(ops.ndim, inputs))
        inputs = [_with_rank(x, rank) for x in inputs]
        masks = [each if each is None else self._like(each, x) for x, each in zip(inputs, mask)]
        result, counts = inputs[0], masks[0]
        for x, each in zip(inputs[1:], masks[1:]):
            merged = self._merge(result, x)
            if each is not None:
                merged = ops.where(each, merged, result)
            if counts is not None:
                merged = ops.where(counts, merged, x if each is None else ops.where(each, x, result))
            result, counts = merged, None if each is None or counts is None else ops.logical_or(counts, each)
        return result if counts is None else self._closed(result, counts)

    def _like(self, mask, x):
        mask = ops.cast(mask, 'bool')
        while ops.ndim(mask) < ops.ndim(x):
            mask = ops.expand_dims(mask, self.open_axis)
        return mask

    def _closed(self, result, counts):
        """What the output is where no input counts."""
        return result

    def in_channels_first(self, rank):
        return self.copy_with(open_axis=1)


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
    exactly = 2

    def _merge(self, x, y):
        return ops.subtract(x, y)


class Multiply(_MaskedMerge):
    """The elementwise product of the inputs, broadcast."""

    def _merge(self, x, y):
        return ops.multiply(x, y)

    def _closed(self, result, counts):
        return ops.where(counts, result, ops.zeros_like(result))


class Average(_Merge):
    """The elementwise mean of the inputs, broadcast."""

    def _merge(self, x, y):
        return ops.add(x, y)

    def _merge_function(self, inputs):
        return ops.divide(super()._merge_function(inputs), float(len(inputs)))


class Maximum(_MaskedMerge):
    """The elementwise maximum of the inputs, broadcast."""

    def _merge(self, x, y):
        return ops.maximum(x, y)


class Minimum(_MaskedMerge):
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
        return self._merge_function(inputs)

    def _merge_function(self, inputs):
        return ops.concatenate(inputs, self.axis)

    def in_channels_first(self, rank):
        axis = self.axis % rank
        return self.copy_with(axis=1 if axis == rank - 1 else axis + 1 if axis else 0)

    def compute_output_shape(self, input_shape):
        shapes = self._checked(input_shape)
        try:
            return rules.concatenate([rules.AbstractTensor(shape, 'float32') for shape in shapes], self.axis).shape
        except ValueError as error:
            raise ValueError('Layer %r: a Concatenate layer requires inputs with matching shapes except for the '
                             'concatenation axis: %s. Received the shapes %s.' % (self.name, error, shapes)) from None

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
        counts = ops.any if self.ruled('merges_by_any_mask') else ops.all
        return counts(ops.concatenate(masks, self.axis), -1)


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
    exactly = 2

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
            raise ValueError('Dot: `axes` must be an int or a pair of ints. Received: %r' % (axes,))
        self.pair = tuple(pair)

    def call(self, inputs):
        return self._merge_function(inputs)

    def _merge_function(self, inputs):
        x, y = inputs
        if self.normalize:
            x, y = l2_normalize(x, self.pair[0]), l2_normalize(y, self.pair[1])
        return batch_dot(x, y, self.pair)

    def in_channels_first(self, rank):
        return None

    def compute_output_shape(self, input_shape):
        shapes = self._checked(input_shape)
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


def dot(inputs, axes=-1, normalize=False, **kwargs):
    """`Dot(axes, normalize, **kwargs)(inputs)`."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
