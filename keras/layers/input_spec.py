"""`InputSpec`: what a layer expects of an input."""


class InputSpec:
    """What a layer expects of an input.

    Args:
        dtype: name of the dtype. shape: tuple with None for any size. ndim, min_ndim, max_ndim: the rank.
        axes: {axis: size}.

    Example:
        >>> InputSpec(min_ndim=2, axes={-1: 3})
        InputSpec(min_ndim=2, axes={-1: 3})
    """

    def __init__(self, dtype=None, shape=None, ndim=None, max_ndim=None, min_ndim=None, axes=None,
                 allow_last_axis_squeeze=False, name=None, optional=False):
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.name = name

    def __repr__(self):
        given = [(key, getattr(self, key)) for key in ('dtype', 'shape', 'ndim', 'max_ndim', 'min_ndim', 'axes')]
        return 'InputSpec(%s)' % ', '.join('%s=%s' % pair for pair in given if pair[1])

    def problem(self, shape):
        """What is wrong with a tensor of `shape`, in words, or None."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            return 'expected ndim=%d, found ndim=%d' % (self.ndim, rank)
        if self.max_ndim is not None and rank > self.max_ndim:
            return 'expected max_ndim=%d, found ndim=%d' % (self.max_ndim, rank)
        if self.min_ndim is not None and rank < self.min_ndim:
            return 'expected min_ndim=%d, found ndim=%d' % (self.min_ndim, rank)
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return 'expected axis %d of input shape to have value %d, found %d' % (axis, size, shape[axis])
        if self.shape is not None:
            for expected, size in zip(self.shape, shape):
                if expected is not None and size is not None and expected != size:
                    return 'expected shape=%s, found shape=%s' % (self.shape, tuple(shape))
        return None
