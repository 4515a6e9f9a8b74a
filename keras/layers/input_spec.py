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
            return 'expected a tensor of rank %d, found rank %d' % (self.ndim, rank)
        if self.max_ndim is not None and rank > self.max_ndim:
            return 'expected a tensor of rank at most %d, found rank %d' % (self.max_ndim, rank)
        if self.min_ndim is not None and rank < self.min_ndim:
            return 'expected a tensor of rank at least %d, found rank %d' % (self.min_ndim, rank)
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return 'expected size %d at axis %d, found %d' % (size, axis, shape[axis])
        if self.shape is not None:
            for axis, (expected, size) in enumerate(zip(self.shape, shape)):
                if expected is not None and size is not None and expected != size:
                    return 'expected shape %s, found size %d at axis %d' % (self.shape, size, axis)
        return None
