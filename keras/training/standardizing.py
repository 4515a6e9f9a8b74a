"""How Keras 1 and 2 brought data, weights and losses into one form, for loops of your own that ask for it.

`fit` itself goes by `keras.training.data`. The names are those of `keras.engine.training_utils`, and of
`keras.engine.training` in Keras 1.
"""
import numpy as np

from keras import backend as K
from keras.legacy import calls
from keras.training.data.class_weights import weights_of_classes
from keras.training.data.host import as_host_array

# --- batches ------------------------------------------------------------------------------------------------------


def make_batches(size, batch_size):
    """(begin, end) of each batch of `size` samples.

    Example:
        >>> make_batches(5, 2)
        [(0, 2), (2, 4), (4, 5)]
    """
    return [(begin, min(size, begin + batch_size)) for begin in range(0, size, batch_size)]


def batch_shuffle(index_array, batch_size):
    """The indices with whole batches in random order; what does not fill a batch stays behind.

    Example:
        >>> batch_shuffle(np.arange(5), 2)[-1]
        4
    """
    whole = len(index_array) // batch_size * batch_size
    batches = np.array(index_array[:whole]).reshape(-1, batch_size)
    np.random.shuffle(batches)
    return np.append(batches.reshape(-1), index_array[whole:])


def is_sequence(seq):
    """Whether `seq` gives batches by number, as `keras.utils.Sequence` does."""
    return all(hasattr(seq, name) for name in ('__getitem__', '__len__', 'on_epoch_end'))


def iter_sequence_infinite(seq):
    """The entries of a sequence, again and again."""
    while True:
        for item in seq:
            yield item


# --- data ---------------------------------------------------------------------------------------------------------

def standardize_input_data(data, names, shapes=None, check_batch_axis=True, exception_prefix=''):
    """A list with one array for each of `names`; arrays of rank 1 get an axis behind.

    Args:
        data: an array, a list of them, a dictionary by name, or None. names: of inputs or outputs.
        shapes: what the arrays must have, with None for any size. check_batch_axis: whether the first size counts.
        exception_prefix: what the data is, for messages.

    Raises:
        ValueError: where something is missing or does not fit.

    Example:
        >>> [x.shape for x in standardize_input_data({'a': [1, 2], 'b': np.ones((2, 3))}, ['a', 'b'])]
        [(2, 1), (2, 3)]
    """
    if not names:
        if data is not None and (not hasattr(data, '__len__') or len(data)):
            raise ValueError('Error when checking model %s: expected no data, but got: %r' % (exception_prefix, data))
        return []
    arrays = [None if array is None else as_host_array(array)
              for array in _by_name(data, names, exception_prefix)]
    arrays = [array[:, np.newaxis] if array is not None and array.ndim == 1 else array for array in arrays]
    for name, array, shape in zip(names, arrays, shapes or ()):
        if array is not None and shape is not None:
            _check_shape(name, array, shape, check_batch_axis, exception_prefix)
    return arrays


def _by_name(data, names, what):
    if data is None:
        return [None] * len(names)
    if isinstance(data, dict):
        missing = [name for name in names if name not in data]
        if missing:
            raise ValueError('No data provided for "%s". Need data for each key in: %s' % (missing[0], list(names)))
        return [data[name] for name in names]
    if isinstance(data, (list, tuple)) and (len(names) > 1 or len(data) == 1 or hasattr(data[0], 'shape')):
        if len(data) != len(names):
            raise ValueError('Error when checking model %s: the list of arrays that you are passing does not have the '
                             'size that the model expects: %d, for %s, instead of %d.'
                             % (what, len(names), list(names), len(data)))
        return list(data)
    if len(names) > 1:
        raise ValueError('Error when checking model %s: the model expects %d arrays, for %s, and received one.'
                         % (what, len(names), list(names)))
    return [data]


def _check_shape(name, array, shape, with_batch, what):
    given, wanted = array.shape[not with_batch:], tuple(shape)[not with_batch:]
    if array.ndim != len(shape):
        raise ValueError('Error when checking %s: expected %s to have %d dimensions, but got array with shape %s'
                         % (what, name, len(shape), array.shape))
    if any(size not in (None, found) for found, size in zip(given, wanted)):
        raise ValueError('Error when checking %s: expected %s to have shape %s but got array with shape %s'
                         % (what, name, wanted, given))


def check_array_length_consistency(inputs, targets, weights=None):
    """Check that inputs, targets and weights have as many samples; None has none.

    Raises:
        ValueError: where they have not.
    """
    lengths = {what: _lengths(arrays) for what, arrays in (('input', inputs), ('target', targets),
                                                           ('sample_weight', weights))}
    for what, found in lengths.items():
        if len(found) > 1:
            raise ValueError('All %s arrays should have the same number of samples. Got: %s'
                             % (what, sorted(found)))
    if lengths['input'] != lengths['target'] or lengths['target'] != lengths['sample_weight']:
        raise ValueError('Input arrays, target arrays and sample weights should have the same number of samples. '
                         'Found: %s' % ', '.join('%s %d' % (what, min(found)) for what, found in lengths.items()))


def _lengths(arrays):
    arrays = arrays if isinstance(arrays, (list, tuple)) else [arrays]
    return {0 if array is None else array.shape[0] for array in arrays} or {0}


# --- weights ------------------------------------------------------------------------------------------------------

def standardize_sample_or_class_weights(x_weight, output_names, weight_type):
    """One entry of weights, or None, for each output.

    Args:
        x_weight: None, the weights of the only output, a list, or a dictionary by name.
        weight_type: 'sample_weight' or 'class_weight', for messages.

    Raises:
        ValueError, TypeError: where it does not say which output it is for.

    Example:
        >>> standardize_sample_or_class_weights({'b': [1, 2]}, ['a', 'b'], 'sample_weight')
        [None, [1, 2]]
    """
    if x_weight is None or isinstance(x_weight, (list, dict)) and not x_weight:
        return [None] * len(output_names)
    if len(output_names) == 1:
        if isinstance(x_weight, list) and len(x_weight) == 1:
            return x_weight
        return [x_weight[output_names[0]] if isinstance(x_weight, dict) and output_names[0] in x_weight else x_weight]
    if isinstance(x_weight, list):
        if len(x_weight) != len(output_names):
            raise ValueError('Provided `%s` was a list of %d elements, but the model has %d outputs. One `%s` array '
                             'per output is needed.' % (weight_type, len(x_weight), len(output_names), weight_type))
        return x_weight
    if isinstance(x_weight, dict):
        return [x_weight.get(name) for name in output_names]
    raise TypeError('The model has several outputs, so `%s` should be a list or a dictionary. Received: %r'
                    % (weight_type, x_weight))


def standardize_class_weights(class_weight, output_names):
    """`standardize_sample_or_class_weights` of class weights."""
    return standardize_sample_or_class_weights(class_weight, output_names, 'class_weight')


def standardize_sample_weights(sample_weight, output_names):
    """`standardize_sample_or_class_weights` of sample weights."""
    return standardize_sample_or_class_weights(sample_weight, output_names, 'sample_weight')


def standardize_weights(y, sample_weight=None, class_weight=None, sample_weight_mode=None):
    """One weight for each sample, with `sample_weight_mode='temporal'` for each of its steps.

    Args:
        y: the targets. sample_weight: an array. class_weight: {class: weight}, which it is multiplied by.

    Raises:
        ValueError: where the ranks do not fit.

    Example:
        >>> standardize_weights(np.array([0, 1, 1]), class_weight={0: 0.5, 1: 1.5})
        array([0.5, 1.5, 1.5], dtype=float32)
    """
    if sample_weight_mode not in (None, 'temporal'):
        raise ValueError('"sample_weight_mode" should be None or "temporal". Received: %r' % (sample_weight_mode,))
    axes = 2 if sample_weight_mode else 1
    if sample_weight_mode and y.ndim < 3:
        raise ValueError('Temporal sample weights need targets with a time axis and one behind it. Received targets of '
                         'shape %s.' % (y.shape,))
    weights = np.ones(y.shape[:axes], K.floatx()) if sample_weight is None else np.asarray(sample_weight)
    if weights.ndim > y.ndim or weights.shape != y.shape[:weights.ndim] or sample_weight_mode is None \
            and weights.ndim != 1:
        raise ValueError('Found a sample_weight array of shape %s for targets of shape %s; expected one weight for '
                         'each %s.' % (weights.shape, y.shape, 'step' if sample_weight_mode else 'sample'))
    return weights * weights_of_classes(y, class_weight) if isinstance(class_weight, dict) else weights


# --- losses and metrics -------------------------------------------------------------------------------------------

def weighted_masked_objective(fn):
    """The mean of the loss `fn` as a function (y_true, y_pred, weights, mask), divided by the share that counts."""
    if fn is None:
        return None

    def weighted(y_true, y_pred, weights, mask=None):
        scores = fn(y_true, y_pred)
        if mask is not None:
            mask = K.cast(mask, K.floatx())
            scores = scores * mask / (K.mean(mask) + K.epsilon())
        if weights is not None:
            surplus = K.ndim(scores) - K.ndim(weights)
            scores = K.mean(scores, axis=list(range(K.ndim(scores) - surplus, K.ndim(scores)))) if surplus else scores
            scores = scores * weights / K.mean(K.cast(K.not_equal(weights, 0), K.floatx()))
        return K.mean(scores)
    return weighted


def check_loss_and_target_compatibility(targets, loss_fns, feed_output_shapes):
    """Check that targets suit their losses.

    Raises:
        ValueError: for class numbers where categorical cross-entropy wants one-hot rows, and for targets of another
            shape than the output where the loss compares them element by element.
    """
    compared = ('mean_squared_error', 'binary_crossentropy', 'categorical_crossentropy')
    for y, loss, shape in zip(targets, loss_fns, feed_output_shapes):
        name = getattr(loss, '__name__', getattr(loss, 'name', None))
        if y is None or loss is None or name not in compared:
            continue
        if name == 'categorical_crossentropy' and y.shape[-1] == 1:
            raise ValueError('You are passing a target array of shape %s while using as loss '
                             '`categorical_crossentropy`, which expects one row of ones and zeros per sample. For '
                             'class numbers use `sparse_categorical_crossentropy`, or `keras.utils.to_categorical`.'
                             % (y.shape,))
        if len(y.shape) != len(shape) or any(None not in pair and pair[0] != pair[1]
                                             for pair in zip(y.shape[1:], shape[1:])):
            raise ValueError('A target array with shape %s was passed for an output of shape %s while using as loss '
                             '`%s`. This loss expects targets to have the same shape as the output.'
                             % (y.shape, tuple(shape), name))


def collect_metrics(metrics, output_names):
    """One list of metrics for each output, from a list for all or a dictionary by name.

    Raises:
        TypeError: for anything else.

    Example:
        >>> collect_metrics({'a': 'mse'}, ['a', 'b'])
        [['mse'], []]
    """
    if not metrics:
        return [[] for _ in output_names]
    if isinstance(metrics, list):
        return [list(metrics) for _ in output_names]
    if isinstance(metrics, dict):
        found = [metrics.get(name, []) for name in output_names]
        return [each if isinstance(each, list) else [each] for each in found]
    raise TypeError('Type of `metrics` argument not understood. Expected a list or dictionary, found: %r' % (metrics,))


calls.install(globals(), calls.TARGETS)
check_array_lengths = check_array_length_consistency
weighted_objective = weighted_masked_objective
