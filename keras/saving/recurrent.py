"""Weights of recurrent layers as files have them, which differ between cuDNN's layers and the plain ones.

cuDNN holds the matrix of each gate turned, and two biases. Here the kernels of `CuDNNLSTM` and `CuDNNGRU` are those of
`LSTM` and `GRU`; in files they are cuDNN's, so that either kind can be read into the other.
"""
import numpy as np

_GATES = {'LSTM': 4, 'CuDNNLSTM': 4, 'GRU': 3, 'CuDNNGRU': 3}


def _kind(layer):
    return next((cls.__name__ for cls in type(layer).__mro__ if cls.__name__ in _GATES), None)


class _Weights:
    """The three weights of a recurrent layer, by their places among the weights of the layer around it."""

    def __init__(self, layer, kind, places):
        self.kind, self.gates, self.units = kind, _GATES[kind], layer.units
        owner = layer if kind.startswith('CuDNN') else layer.cell
        self.places = [places.get(id(weight)) for weight in (owner.kernel, owner.recurrent_kernel, owner.bias)]
        self.bias_shape = None if owner.bias is None else tuple(owner.bias.shape)

    @property
    def is_whole(self):
        return None not in self.places

    @property
    def is_cudnn(self):
        return self.kind.startswith('CuDNN')

    @property
    def shape_of_cudnn(self):
        return (2 * self.gates * self.units,)


def _found(layer, variables):
    if len(variables) < 3:  # two kernels and a bias
        return
    places = {id(variable): place for place, variable in enumerate(variables)}
    for part in layer.walk_layers():
        kind = _kind(part)
        if kind is not None and part.built and part.weights_by_kind:
            weights = _Weights(part, kind, places)
            if weights.is_whole:
                yield weights


def read(layer, variables, data):
    """What a file has for `variables` of a layer, with those of recurrent layers as they are kept here.

    Args:
        data: one object with `shape` and `read()` for each variable. Those that fit as they are stay as they are.

    Returns:
        A list of such objects, and of arrays.
    """
    data = list(data)
    for weights in _found(layer, variables):
        kernel, recurrent, bias = weights.places
        shape = tuple(data[bias].shape)
        fits = all(tuple(data[place].shape) == tuple(variables[place].shape) for place in (kernel, recurrent))
        if fits and shape == weights.shape_of_cudnn:
            data[kernel] = _turned(data[kernel].read(), weights.gates, 'F')
            data[recurrent] = _turned(data[recurrent].read(), weights.gates, 'C', True)
            data[bias] = _as_plain(data[bias].read(), weights)
        elif fits and weights.is_cudnn and shape in ((4 * weights.units,), (2, 3 * weights.units)):
            array = data[bias].read()
            data[bias] = np.tile(0.5 * array, 2) if array.ndim == 1 else array.reshape(-1)
    return data


def _as_plain(bias, weights):
    if weights.is_cudnn:
        return bias
    halves = bias.reshape(2, -1)
    return halves.sum(0) if weights.bias_shape == halves.shape[1:] and weights.gates == 4 else halves


def _turned(kernel, gates, order, square=False):
    """The matrices of all gates turned, from cuDNN's ('F') or to them ('C')."""
    parts = np.split(kernel, gates, 1)
    return np.concatenate([part.T if square else part.T.reshape(part.shape, order=order) for part in parts], 1)


def written(layer, variables, arrays):
    """The arrays of `variables` of a layer as a file has them."""
    found = [weights for weights in _found(layer, variables) if weights.is_cudnn]
    arrays = list(arrays) if found else arrays
    for weights in found:
        kernel, recurrent, _ = weights.places
        arrays[kernel] = _turned(arrays[kernel], weights.gates, 'C')
        arrays[recurrent] = _turned(arrays[recurrent], weights.gates, 'C', True)
    return arrays
