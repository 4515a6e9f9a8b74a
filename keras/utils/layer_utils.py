"""Facts about layers and models."""
from keras.models.summary import print_summary


def count_params(weights):
    """The number of scalars in a list of weights, each counted once.

    Example:
        >>> count_params(keras.Sequential([keras.layers.Dense(2, input_shape=(3,))]).weights)
        8
    """
    return sum(weight.size for weight in {id(weight): weight for weight in weights}.values())


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
