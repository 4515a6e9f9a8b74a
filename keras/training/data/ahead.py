"""Batches that are on their way to the device while the step before them runs."""
import numpy as np

from keras.backend.contract.loading import get_engine
from keras.training.data.layout import Batch


def sent_ahead(batches):
    """The same batches, each sent to the device before the one before it is given.

    An end or an error of the source comes behind the batches that it gave before.
    """
    waiting = error = None
    while error is None:
        try:
            coming = _sent(next(batches))
        except Exception as reason:  # StopIteration, too
            error = reason
        if waiting is not None:
            yield waiting()
        if error is None:
            waiting = coming
    if not isinstance(error, StopIteration):
        raise error


def _sent(batch):
    """A function that gives a `Batch` on the device, to which it is on its way; as it is unless it holds numbers."""
    arrays = batch.xs + batch.ys + batch.weights
    if not all(x is None or type(x) is np.ndarray and x.dtype.kind in 'biuf' for x in arrays):
        return lambda: batch
    arrived, first, second = get_engine().sent(arrays), len(batch.xs), len(batch.xs) + len(batch.ys)

    def give():
        tensors = arrived()
        return Batch(tensors[:first], tensors[first:second], tensors[second:], batch.size, batch.layout)
    return give
