"""Data that comes batch by batch."""


class Sequence:
    """Batches by number: the safe way to feed `fit` from disk.

    A subclass defines `__getitem__(index)`, which gives a batch (inputs, or inputs and targets, or these and sample
    weights), and `__len__`, their number. `on_epoch_end` is called after each epoch.

    Example:
        >>> class Halves(keras.utils.Sequence):
        ...     def __len__(self):
        ...         return 2
        ...     def __getitem__(self, index):
        ...         return x[index::2], y[index::2]
        >>> model.fit(Halves(), verbose=0)
    """

    def __getitem__(self, index):
        raise NotImplementedError('%s must define `__getitem__(index)`, which gives a batch.' % type(self).__name__)

    def __len__(self):
        raise NotImplementedError('%s must define `__len__()`, the number of batches.' % type(self).__name__)

    def on_epoch_end(self):
        """After each epoch; shuffle here."""

    def __iter__(self):
        return (self[index] for index in range(len(self)))
