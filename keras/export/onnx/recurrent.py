"""Converters of the standard recurrent sequences to ONNX's LSTM, GRU and RNN.

With a mask, with activations or floats of other kinds, or with kernels that are computed, the steps are written as a
Scan.
"""
import numpy as np

from keras.export.onnx.converters import converter
from keras.export.onnx.movement import flip

# Keras' activations there: (name, alpha, beta).
_ACTIVATIONS = {'tanh': ('Tanh', 0.0, 0.0), 'sigmoid': ('Sigmoid', 0.0, 0.0), 'relu': ('Relu', 0.0, 0.0),
                'hard_sigmoid': ('HardSigmoid', 1 / 6, 0.5), 'hard_sigmoid_keras2': ('HardSigmoid', 0.2, 0.5)}

# Those that runtimes have these operations for.
_DTYPES = ('float32', 'float16')


def _fits(x, mask, activations, *weights):
    known = all(isinstance(name, str) and name in _ACTIVATIONS for name in activations)
    return known and x.dtype in _DTYPES and mask is None and all(
        weight is None or weight.is_constant for weight in weights)


def _gates(array, order):
    """A kernel (inputs, gates * units) as ONNX has it: (1, gates * units, inputs), its gates in another order."""
    parts = np.split(array, len(order), -1)
    return np.concatenate([parts[gate] for gate in order], -1).T[None]


def _weights(block, dtype, kernel, recurrent_kernel, bias, order):
    """W, R and B of ONNX; `bias` is (gates * units,) or, with one for the recurrent product, (2, gates * units)."""
    width = recurrent_kernel.shape[1]
    both = np.zeros((2, width)) if bias is None else np.zeros((2, width)) + np.stack(
        [bias.array, np.zeros(width)]) if bias.ndim == 1 else bias.array
    both = np.concatenate([_gates(row[None], order).reshape(-1) for row in both])
    arrays = [_gates(kernel.array, order), _gates(recurrent_kernel.array, order), both[None]]
    names = [part.wanted for part in (kernel, recurrent_kernel)] + ['bias' if bias is None else bias.wanted]
    return [block.constant(array, dtype, name) for array, name in zip(arrays, names)]


def _sequence(block, kind, x, weights, states, activations, units, go_backwards, return_sequences, **attributes):
    """[output] and the last states."""
    names, alphas, betas = zip(*[_ACTIVATIONS[name] for name in activations])
    steps = block.transpose(x, (1, 0, 2))
    batch, time = x.shape[:2]
    outputs = [((time, 1, batch, units), x.dtype)] + [((1, batch, units), x.dtype) for _ in states]
    results = block.add_many(
        kind, [steps] + weights + [None] + [block.unsqueeze(state, 0) for state in states], outputs, hidden_size=units,
        direction='reverse' if go_backwards else 'forward', activations=list(names), activation_alpha=list(alphas),
        activation_beta=list(betas), **attributes)
    last = [block.squeeze(state, 0) for state in results[1:]]
    if not return_sequences:
        return last[:1] + last
    output = block.squeeze(results[0], 1)
    if go_backwards:  # ONNX keeps the order of the inputs, Keras that of processing
        output = flip(block, output, (0,))
    return [block.transpose(output, (1, 0, 2))] + last


@converter
def lstm_sequence(block, x, h0, c0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences, activation,
                  recurrent_activation, unroll):
    if not _fits(x, mask, (activation, recurrent_activation), kernel, recurrent_kernel, bias):
        return NotImplemented
    weights = _weights(block, x.dtype, kernel, recurrent_kernel, bias, (0, 3, 1, 2))
    return _sequence(block, 'LSTM', x, weights, [h0, c0], (recurrent_activation, activation, activation),
                     recurrent_kernel.shape[0], go_backwards, return_sequences)


@converter
def gru_sequence(block, x, h0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences, activation,
                 recurrent_activation, reset_after, unroll):
    if not _fits(x, mask, (activation, recurrent_activation), kernel, recurrent_kernel, bias):
        return NotImplemented
    weights = _weights(block, x.dtype, kernel, recurrent_kernel, bias, (0, 1, 2))
    return _sequence(block, 'GRU', x, weights, [h0], (recurrent_activation, activation), recurrent_kernel.shape[0],
                     go_backwards, return_sequences, linear_before_reset=int(reset_after))


@converter
def simple_rnn_sequence(block, x, h0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences, activation,
                        unroll):
    if not _fits(x, mask, (activation,), kernel, recurrent_kernel, bias):
        return NotImplemented
    weights = _weights(block, x.dtype, kernel, recurrent_kernel, bias, (0,))
    return _sequence(block, 'RNN', x, weights, [h0], (activation,), recurrent_kernel.shape[0], go_backwards,
                     return_sequences)
