"""Weights of samples from weights of classes."""
import warnings

import numpy as np

from keras import generations
from keras.backend.contract import tree


def class_weights_by_output(given, names):
    """`class_weight` of `fit` as one {class: weight} or None per output of the model.

    Args:
        given: {class: weight}, or an array or list of weights by class number; for several outputs a dictionary of
            these by name, or a list of them.

    Raises:
        TypeError: for anything else. ValueError: where it does not say which output it is for.
    """
    if isinstance(given, str) and given == 'auto':
        # A word of Keras 0.x, which Keras 1 and 2 took and did nothing with.
        warnings.warn("class_weight='auto' has no effect, as in Keras 1 and 2. For balanced classes give "
                      '{c: len(y) / (classes * count[c])} of your data.', stacklevel=2)
        given = None
    if given is None:
        return [None] * len(names)
    if isinstance(given, str):
        raise TypeError('class_weight: expected {class: weight} or a list of weights by class. Received: %r' % given)
    if len(names) == 1 and not (isinstance(given, dict) and set(given) == set(names)):
        by_output = [given[0] if _is_list_of_tables(given) and len(given) == 1 else given]
    elif isinstance(given, dict) and set(given) <= set(names):
        by_output = [given.get(name) for name in names]
    elif _is_list_of_tables(given) and len(given) == len(names):
        by_output = list(given)
    else:
        raise ValueError('`class_weight` is only supported for Models with a single output as it is: this one has %d '
                         '(%s). Give a dictionary of class weights by their names, or a list with one entry for each. '
                         'Received: %r'
                         % (len(names), ', '.join(names), given))
    return [_table(one) for one in by_output]


def _is_list_of_tables(given):
    return isinstance(given, (list, tuple)) and any(one is None or isinstance(one, dict) or tree.is_nested(one)
                                                    for one in given)


def _table(given):
    if given is None or isinstance(given, dict):
        return given or None
    weights = np.asarray(given)
    if weights.ndim != 1 or weights.dtype.kind not in 'fiu':
        raise TypeError('class_weight: expected {class: weight} or a list of weights by class. Received: %r' % (given,))
    return dict(enumerate(weights.tolist()))


def refuse_both(class_weight, sample_weight):
    """Raise ValueError where both are given, in Keras 3."""
    if class_weight is not None and sample_weight is not None and generations.value('class_or_sample_weights'):
        raise ValueError('You cannot `class_weight` and `sample_weight` at the same time: Keras 3 takes one of them. '
                         'Multiply the weights of the samples by those of their classes yourself.')


def weights_of_classes(y, table):
    """One weight per sample from {class: weight}; `y` holds class indices or one-hot rows.

    Raises:
        ValueError: if a class in `y` has no weight, before Keras 3, where its weight is 1.
    """
    y = np.asarray(y)
    if y.ndim > 2:
        raise ValueError('class_weight needs targets of rank 1 or 2. Received targets of shape %s; use sample_weight.'
                         % (y.shape,))
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    classes = np.rint(classes).astype(int)
    table = {int(key): weight for key, weight in table.items()}
    missing = sorted(set(np.unique(classes).tolist()) - set(table))
    if missing and generations.value('classes_without_weight_have_one'):
        table.update(dict.fromkeys(missing, 1.0))
    elif missing:
        raise ValueError('class_weight gives no weight for the classes %s, which occur in the data.' % missing)
    places = np.zeros(max(max(classes), max(table)) + 1, dtype='float32')
    places[list(table)] = list(table.values())
    return places[classes]
