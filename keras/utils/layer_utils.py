"""Facts about layers and models, and weights in other orders."""
import numpy as np

from keras import backend as K
from keras import initializers, layers
from keras.backend.state.variables import to_array
from keras.models.summary import print_summary
from keras.utils.conv_utils import convert_kernel


def count_params(weights):
    """The number of scalars in a list of weights, each counted once.

    Example:
        >>> count_params(keras.Sequential([keras.layers.Dense(2, input_shape=(3,))]).weights)
        8
    """
    return sum(weight.size for weight in {id(weight): weight for weight in weights}.values())


def warmstart_embedding_matrix(base_vocabulary, new_vocabulary, base_embeddings, new_embeddings_initializer='uniform'):
    """The matrix of an embedding for another vocabulary: the rows of words that both have are kept.

    Args:
        base_vocabulary, new_vocabulary: lists of words, or paths of files with one on each line.
        base_embeddings: the matrix (words, features) of the base vocabulary.
        new_embeddings_initializer: of the rows of new words: a name, an object, or an array of one row for each word of
            the new vocabulary.

    Returns:
        An array (words of the new vocabulary, features).

    Raises:
        ValueError: where the number of rows and of words do not agree.

    Example:
        >>> keras.utils.warmstart_embedding_matrix(['a', 'b'], ['b', 'c'], np.array([[0.0, 1.0], [2.0, 3.0]]), 'ones')
        array([[2., 3.],
               [1., 1.]])
    """
    base, new = map(_words, (base_vocabulary, new_vocabulary))
    matrix = to_array(base_embeddings)
    if len(matrix) != len(base):
        raise ValueError('warmstart_embedding_matrix: %d words in base_vocabulary, but %d rows in base_embeddings.'
                         % (len(base), len(matrix)))
    if isinstance(new_embeddings_initializer, (np.ndarray, list)):
        result = np.array(new_embeddings_initializer, matrix.dtype)
    else:
        drawn = initializers.get(new_embeddings_initializer)((len(new), matrix.shape[1]))
        result = np.array(to_array(drawn), matrix.dtype)
    if result.shape != (len(new), matrix.shape[1]):
        raise ValueError('warmstart_embedding_matrix: expected initial rows of shape %s. Received: %s'
                         % ((len(new), matrix.shape[1]), result.shape))
    rows = {word: row for row, word in enumerate(base)}
    for place, word in enumerate(new):
        if word in rows:
            result[place] = matrix[rows[word]]
    return result


def _words(vocabulary):
    if isinstance(vocabulary, str):
        with open(vocabulary, encoding='utf-8') as file:
            return file.read().splitlines()
    return [word.decode('utf-8') if isinstance(word, bytes) else word for word in np.asarray(vocabulary).tolist()]


def get_source_inputs(tensor, layer=None, node_index=None):
    """The symbolic inputs that `tensor` was computed from, in the order in which they are met.

    Args:
        tensor: a symbolic tensor. layer, node_index: accepted for older scripts; the tensor knows them itself.
    """
    found, seen, stack = [], set(), [tensor]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        node = current.node
        if node is None or getattr(node.operation, 'is_input', False):
            found.append(current)
        else:
            stack.extend(reversed(node.input_tensors))
    return found


def convert_all_kernels_in_model(model):
    """Turn the spatial axes of all convolution kernels of a model over, in place.

    For weights that came from an engine that convolves (Theano) rather than correlates, and back.

    Args:
        model: a model that has been built.
    """
    kernels = {id(weight): weight for weight in model.weights if weight.layout == 'conv_kernel'}
    K.batch_set_value([(kernel, convert_kernel(K.get_value(kernel))) for kernel in kernels.values()])


def convert_dense_weights_data_format(dense, previous_feature_map_shape, target_data_format='channels_first'):
    """Bring the kernel of a Dense layer behind a Flatten into the order of another data format, in place.

    Args:
        dense: the layer. previous_feature_map_shape: the shape that went into Flatten, in the target's format, such as
            (512, 7, 7). target_data_format: 'channels_first' or 'channels_last', what the weights are to be for.

    Raises:
        ValueError: for another format, or if the shape does not fit the kernel.
    """
    if target_data_format not in ('channels_first', 'channels_last'):
        raise ValueError('target_data_format must be "channels_first" or "channels_last". Received: %r'
                         % (target_data_format,))
    weights = dense.get_weights()
    rows, units = weights[0].shape
    target = tuple(previous_feature_map_shape)
    if int(np.prod(target)) != rows:
        raise ValueError('convert_dense_weights_data_format: a feature map of shape %s has %d entries, but the kernel '
                         'of %s has %d rows.' % (target, int(np.prod(target)), dense.name, rows))
    if target_data_format == 'channels_first':
        kernel = np.moveaxis(weights[0].reshape(target[1:] + target[:1] + (units,)), -2, 0)
    else:
        kernel = np.moveaxis(weights[0].reshape(target[-1:] + target[:-1] + (units,)), 0, -2)
    dense.set_weights([kernel.reshape(rows, units)] + weights[1:])


# --- Keras 1's ----------------------------------------------------------------------------------------------------

def layer_from_config(config, custom_objects=None):
    """A layer or model from `{'class_name': ..., 'config': ...}`: `keras.layers.deserialize` now."""
    return layers.deserialize(config, custom_objects)


def count_total_params(layers, layer_set=None):
    """The numbers of trained and of other scalars in the weights of `layers`, each counted once.

    Args:
        layer_set: layers that are counted already; those of `layers` are added to it.
    """
    seen = set() if layer_set is None else layer_set
    fresh = [layer for layer in dict.fromkeys(layers) if layer not in seen]
    seen.update(fresh)
    return (count_params([weight for layer in fresh for weight in layer.trainable_weights]),
            count_params([weight for layer in fresh for weight in layer.non_trainable_weights]))
