"""Intersection over union of predicted and true classes, for segmentation."""
import warnings

import numpy as np

from keras import ops
from keras.backend.contract.rules import is_float, is_integer
from keras.backend.table.composites.shape import dtype_of
from keras.backend.table.primitives import scatter_add
from keras.metrics.base import Metric


class _ConfusionMatrix(Metric):
    """A matrix of counts: rows are true classes, columns predicted ones.

    Args:
        num_classes: number of classes. name: see `Metric`.
        dtype: of the counts, in Keras 3 integers unless said otherwise.
        ignore_class: a true class whose samples are left out.
        sparse_y_true, sparse_y_pred: class numbers; otherwise one-hot or probabilities along `axis`.

    Samples whose true or predicted number is no class are left out.
    """
    later = ('ignore_class', 'sparse_y_true', 'sparse_y_pred', 'axis')

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True,
                 axis=-1):
        if dtype is None and self.ruled('pixels_are_counted_in_integers'):
            dtype = 'int32'
        super().__init__(name=name, dtype=dtype)
        self.declare(locals())
        self.total_cm = self.add_weight('total_confusion_matrix', (num_classes, num_classes), dtype=self.dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch.

        Args:
            y_true, y_pred: targets and predictions. sample_weight: one weight per class number, or None.
        """
        true = self._numbers(y_true, self.sparse_y_true)
        predicted = self._numbers(y_pred, self.sparse_y_pred)
        dtype = self.total_cm.dtype
        weights = ops.ones_like(true, dtype)
        if sample_weight is not None:
            if is_integer(dtype) and is_float(dtype_of(sample_weight)):
                warnings.warn('%s: You are passing weight as `float`, but dtype is `int`: type casting cuts them to '
                              "whole numbers. Give the metric dtype='float32' to keep them." % self.name, stacklevel=3)
            weights = ops.cast(ops.reshape(sample_weight, (-1,)), dtype)
        if self.ignore_class is not None:
            weights = ops.where(ops.not_equal(true, int(self.ignore_class)), weights, 0)
        # A number that is no class has no cell.
        inside = ops.logical_and(self._is_class(true), self._is_class(predicted))
        weights = ops.where(inside, weights, 0)
        places = ops.where(inside, true * int(self.num_classes) + predicted, 0)
        cells = scatter_add(ops.zeros((self.num_classes ** 2,), dtype), places, weights)
        self.total_cm.assign_add(ops.reshape(cells, self.total_cm.shape))

    def _is_class(self, numbers):
        return ops.logical_and(ops.greater_equal(numbers, 0), ops.less(numbers, int(self.num_classes)))

    def _numbers(self, classes, sparse):
        if not sparse:
            classes = ops.argmax(classes, axis=self.axis)
        return ops.cast(ops.reshape(classes, (-1,)), 'int32')

    def _ratios(self):
        """Intersection over union for each class, and whether the class occurs."""
        matrix = ops.cast(self.total_cm.value, 'float32')
        both = ops.diagonal(matrix)
        either = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - both
        return ops.divide_no_nan(both, either), ops.cast(ops.greater(either, 0.0), 'float32')


class MeanIoU(_ConfusionMatrix):
    """The mean over classes of intersection over union: right pixels over pixels with the class in either map.

    Args:
        num_classes: number of classes. name, dtype: see `Metric`.
        ignore_class: a true class whose samples are left out.
        sparse_y_true, sparse_y_pred: class numbers; otherwise one-hot or probabilities along `axis`.

    Example:
        >>> round(float(keras.metrics.MeanIoU(2)([0, 0, 1, 1], [0, 1, 0, 1])), 3)
        0.333
    """

    def result(self):
        ratios, occurs = self._ratios()
        return ops.divide_no_nan(ops.sum(ratios * occurs), ops.sum(occurs))


class IoU(_ConfusionMatrix):
    """The mean over some classes of intersection over union, see `MeanIoU`.

    Args:
        num_classes: number of classes. target_class_ids: those that count. Others: see `MeanIoU`.

    Example:
        >>> round(float(keras.metrics.IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1])), 3)
        0.333
    """

    def __init__(self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_true=True,
                 sparse_y_pred=True, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        if max(target_class_ids) >= num_classes:
            raise ValueError('%s: a target class %d needs more than %d classes.'
                             % (type(self).__name__, max(target_class_ids), num_classes))
        target_class_ids = list(target_class_ids)
        self.declare(locals())

    def result(self):
        ratios, occurs = self._ratios()
        wanted = np.zeros(self.num_classes, 'float32')
        wanted[self.target_class_ids] = 1
        occurs = ops.multiply(occurs, wanted)
        return ops.divide_no_nan(ops.sum(ratios * occurs), ops.sum(occurs))


class BinaryIoU(IoU):
    """`IoU` of predictions that are split into classes 0 and 1 at a threshold.

    Args:
        target_class_ids: the classes that count. threshold: from it on a prediction is 1. name, dtype: see `Metric`.

    Example:
        >>> round(float(keras.metrics.BinaryIoU([0, 1])([0, 0, 1, 1], [0.2, 0.6, 0.4, 0.9])), 3)
        0.333
    """

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.declare(locals())

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch, see `MeanIoU`."""
        decided = ops.cast(ops.greater_equal(y_pred, float(self.threshold)), 'int32')
        super().update_state(y_true, decided, sample_weight)


class OneHotIoU(IoU):
    """`IoU` of one-hot targets and probabilities.

    Args:
        num_classes, target_class_ids, name, dtype, ignore_class, axis: see `IoU`.
        sparse_y_pred: predictions are class numbers.

    Example:
        >>> float(keras.metrics.OneHotIoU(2, [0])([[1, 0], [0, 1]], [[0.8, 0.2], [0.1, 0.9]]))
        1.0
    """
    later = ('ignore_class', 'axis')

    def __init__(self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False,
                 axis=-1):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)
        self.declare(locals())


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot targets and probabilities.

    Args:
        num_classes, name, dtype, ignore_class, axis: see `MeanIoU`. sparse_y_pred: predictions are class numbers.

    Example:
        >>> float(keras.metrics.OneHotMeanIoU(2)([[1, 0], [0, 1]], [[0.8, 0.2], [0.1, 0.9]]))
        1.0
    """
    later = ('ignore_class', 'axis')

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
        self.declare(locals())
