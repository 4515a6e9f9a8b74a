"""Weights as Keras 1 kept them, in today's arrays: gates of recurrent layers apart, kernels by `dim_ordering`.

The weights of a layer were called after it, `lstm_1_W_i`, so that those of layers within layers can be told apart, and
in the order of these names stood the state of an optimizer. Where TensorFlow wrote the file they end in `:0`.
"""
import re

import numpy as np

# What the names of weights ended in.
_ENDINGS = re.compile(r'_(W_carry|b_carry|[WUb]_[icfozrh]|[WUb]|gamma|beta|running_mean|running_std|alphas|betas|'
                      r'depthwise_kernel|pointwise_kernel|[ta]_left|[ta]_right)(:0)?$')
_STATISTICS = ('running_mean', 'running_std')


def is_keras_1(names):
    """Whether the weights of a file are called as Keras 1 did."""
    return bool(names) and all(_ENDINGS.search(name) or re.match(r'param_\d+$', name) for name in names)


def is_of_theano(names):
    """Whether Theano held the weights, given that Keras 1 wrote them."""
    return not any(name.endswith(':0') for name in names)


class Owner:
    """The weights of one innermost layer of a file: their names and arrays in the order of Keras 1."""

    def __init__(self, prefix):
        self.prefix, self.names, self.arrays = prefix, [], []


def owners(names, arrays):
    """The `Owner`s of the weights that a file has for a layer or model, in their order."""
    found = {}
    for number, (name, array) in enumerate(zip(names, arrays)):
        ending = _ENDINGS.search(name)
        prefix = name[:ending.start()] if ending else ''
        owner = found.setdefault(prefix, Owner(prefix))
        owner.names.append(name)
        owner.arrays.append(array)
    return list(found.values())


def innermost(layer):
    """The layers with weights in a layer or model that hold them themselves, as Keras 1 counted them."""
    if hasattr(layer, 'cell'):
        return [layer]
    inside = list(layer.layers) if hasattr(layer, 'layers') else layer.own_parts()[1]
    if hasattr(layer, 'backward_layer'):
        inside = [layer.forward_layer, layer.backward_layer]
    inside = [part for part in inside if part.weights_by_kind]
    if not inside or layer.weights_made():
        return [layer] if layer.weights_by_kind else []
    return [part for each in inside for part in innermost(each)]


def converted(layer, names, arrays):
    """The arrays for `layer.weights_by_kind`, given those that Keras 1 wrote for the layer or model.

    Returns:
        (the arrays, True where a kernel was for images whose channels stand elsewhere than here), or (`arrays`, False)
        where they cannot be told apart.
    """
    layers, given = innermost(layer), owners(names, arrays)
    if len(given) != len(layers):
        return arrays, False
    by_name = {owner.prefix: owner for owner in given}
    if set(by_name) == {part.name for part in layers}:
        given = [by_name[part.name] for part in layers]
    found, moved = {}, False
    for part, owner in zip(layers, given):
        made, elsewhere = _of_layer(part, owner.arrays)
        moved = moved or elsewhere
        if len(made) != len(part.weights_by_kind):
            return arrays, False
        found.update({id(variable): array for variable, array in zip(part.weights_by_kind, made)})
    return [found[id(variable)] for variable in layer.weights_by_kind], moved


def in_order(layer, arrays):
    """The arrays for `layer.weights_by_kind`, given those of Keras 1 without their names: layer by layer; `arrays` as
    they are where their number does not fit."""
    found, place = {}, 0
    for part in innermost(layer):
        count = 3 * _gates(part) if _gates(part) and _is_apart(part, arrays[place:]) else len(part.weights_by_kind)
        made, _ = _of_layer(part, arrays[place:place + count])
        if len(made) != len(part.weights_by_kind):
            return arrays
        found.update({id(variable): array for variable, array in zip(part.weights_by_kind, made)})
        place += count
    return [found[id(variable)] for variable in layer.weights_by_kind] if place == len(arrays) else arrays


def _gates(layer):
    """How many gates a layer has of which Keras 1 kept each apart; 0 for other layers."""
    kinds = _kinds(layer)
    return 4 if 'LSTM' in kinds or 'ConvLSTM2D' in kinds else 3 if 'GRU' in kinds else 0


def _is_apart(layer, arrays):
    """Whether `arrays` begin with kernel, recurrent kernel and bias of one gate."""
    return bool(arrays) and arrays[0].size * _gates(layer) == layer.weights_by_kind[0].size


def unmerged(layers):
    """The layers, with those that a `Merge` at the beginning of a stack puts together before the others."""
    found = {}
    for layer in layers:
        inside = layer.layers if type(layer).__name__ == 'Merge' else [layer]
        for part in inside:
            branch = unmerged(part.layers) if part is not layer and hasattr(part, 'layer_graph') else [part]
            found.update((id(each), each) for each in branch)
    return list(found.values())


def adapt(layer, arrays):
    """Let a `PReLU` share what it shared where the weights are from: its config did not say so."""
    if 'PReLU' not in _kinds(layer) or len(arrays) != 1 or arrays[0].ndim != len(layer.alpha.shape):
        return
    shared = [axis for axis, (here, there) in enumerate(zip(layer.alpha.shape, arrays[0].shape), 1)
              if there == 1 and here != 1]
    if shared:
        shape = (None,) + tuple(layer.alpha.shape)
        layer.shared_axes, layer.built = shared, False
        layer.ensure_built(shape)


# --- one layer --------------------------------------------------------------------------------------------------------

def _kinds(layer):
    return [cls.__name__ for cls in type(layer).__mro__]


def _of_layer(layer, arrays):
    kinds = _kinds(layer)
    if 'LSTM' in kinds and len(arrays) == 12:
        return _joined(arrays, (0, 2, 1, 3)), False
    if 'GRU' in kinds and len(arrays) == 9:
        return _joined(arrays, (0, 1, 2)), False
    if 'ConvLSTM2D' in kinds and len(arrays) == 12:
        wanted = [tuple(weight.shape[:-1]) + (weight.shape[-1] // 4,) for weight in layer.weights_by_kind]
        kernels = [_kernel(layer, array, wanted[place % 3]) if array.ndim == 4 else (array, False)
                   for place, array in enumerate(arrays)]
        return _joined([array for array, _ in kernels], (0, 2, 1, 3)), any(moved for _, moved in kernels)
    if 'Conv1D' in kinds and arrays[0].ndim == 4:
        return [arrays[0][:, 0]] + arrays[1:], False
    if 'Conv2DTranspose' in kinds:
        kernel, moved = _kernel(layer, arrays[0], None)
        return [np.swapaxes(kernel, -1, -2)] + arrays[1:], moved
    made = [_kernel(layer, array, tuple(weight.shape)) if array.ndim >= 4 and hasattr(layer, 'data_format')
            else (array, False) for array, weight in zip(arrays, layer.weights_by_kind)]
    return [array for array, _ in made] + arrays[len(made):], any(moved for _, moved in made)


def _joined(arrays, gates):
    """[kernel, recurrent kernel, bias] of arrays that come in threes, one for each gate."""
    return [np.concatenate([arrays[3 * gate + which] for gate in gates], -1) for which in range(3)]


def _kernel(layer, kernel, wanted):
    """(kernel as (spatial..., in, out), whether its layer held the channels elsewhere)."""
    spatial = tuple(range(2, kernel.ndim))
    first = np.transpose(kernel, spatial + (1, 0))  # (out, in, spatial...) where dim_ordering was 'th'
    is_first = layer.data_format == 'channels_first'
    if wanted is not None and first.shape != kernel.shape and (first if is_first else kernel).shape != wanted \
            and (kernel if is_first else first).shape == wanted:
        return (kernel if is_first else first), True
    return (first if is_first else kernel), False


def for_other_order(layer, kernel):
    """The kernel of a `Dense` behind a `Flatten`, where the file is of a model with the channels elsewhere."""
    shape = _before_flattening(layer)
    if shape is None or None in shape[1:] or len(shape) < 4:
        return kernel
    *spatial, channels = shape[1:]
    if kernel.shape[0] != int(np.prod(spatial)) * channels:
        return kernel
    apart = kernel.reshape([channels] + spatial + [-1])
    order = list(range(1, len(spatial) + 1)) + [0, len(spatial) + 1]
    return np.transpose(apart, order).reshape(kernel.shape)


def _before_flattening(layer):
    """The shape that a `Flatten` before `layer` gets, where only layers that keep the order stand between; or None."""
    node = layer.inbound_nodes[0] if layer.inbound_nodes else None
    while node is not None and len(node.inputs) == 1:
        tensor = node.inputs[0]
        if type(node.operation).__name__ == 'Flatten':
            return tuple(tensor.shape)
        if node.operation is not layer and tuple(tensor.shape) != tuple(node.outputs[0].shape):
            return None
        node = tensor.node
    return None


# --- optimizers -------------------------------------------------------------------------------------------------------

def optimizer_state(model, names_of, arrays):
    """The state of an optimizer as it is kept now: the number of updates, then one group per slot.

    Args:
        names_of: function of a layer that gives the names of its weights in the file.
        arrays: those of the file, in the order of the names of what was trained.

    Returns:
        The arrays, or None where they do not fit the model.
    """
    places = [(layer, names_of(layer)) for layer in unmerged(model.layers) if layer.weights_by_kind]
    trained = [name for layer, names in places for name in _trained(layer, names)]
    if not trained or not arrays:
        return None
    counter = [np.asarray(arrays[0])] if np.ndim(arrays[0]) == 0 else [np.zeros((), 'int32')]
    rest = arrays[len(arrays) % len(trained):] if np.ndim(arrays[0]) == 0 else list(arrays)
    if len(rest) % len(trained):
        return None
    state = counter
    for start in range(0, len(rest), len(trained)):
        slot = dict(zip(sorted(trained), rest[start:start + len(trained)]))
        state = state + _slot(model, places, slot)
    return state


def _trained(layer, names):
    """Those of the names of a layer's weights that belong to something trained."""
    frozen = {part.name for part in innermost(layer) if not part.trainable_weights}
    return [name for owner in owners(names, names) if owner.prefix not in frozen for name in owner.names
            if not _ENDINGS.search(name) or _ENDINGS.search(name).group(1) not in _STATISTICS]


def _slot(model, places, slot):
    """The arrays of one slot, in the order of `model.trainable_weights`."""
    found = {}
    for layer, names in places:
        if not any(name in slot for name in names):
            continue
        # What was not trained has no slot; nothing is kept of what stands for it here.
        given = [slot[name] if name in slot else np.zeros(1) for name in names]
        made, _ = converted(layer, names, given)
        found.update({id(variable): array for variable, array in zip(layer.weights_by_kind, made)})
    return [found[id(variable)] for variable in model.trainable_weights]
