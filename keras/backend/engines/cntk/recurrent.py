"""The standard recurrent cells over a sequence axis of CNTK's: one loop in the network, instead of a node per step.

The samples get a batch axis and the time steps a sequence axis, on which `past_value` is the step before. What a step
needs beside its inputs (the mask, initial states that are not 0) goes along as further columns of the inputs.
"""
import cntk
import numpy as np

from keras.backend.engines.cntk.tensors import (Tensor, abstract, constant_node, host_only, in_graph, node_type,
                                                replaced, short_errors, stage_of, tensors_in, wrapped)
from keras.backend.table import primitives as p
from keras.backend.table.abstract import evaluate
from keras.backend.table.entries import TABLE

_ACTIVATIONS = {
    'tanh': cntk.tanh, 'sigmoid': cntk.sigmoid, 'relu': cntk.relu, 'linear': lambda x: x,
    'hard_sigmoid': lambda x: cntk.hard_sigmoid(x, 1 / 6, 0.5),
    'hard_sigmoid_keras2': lambda x: cntk.hard_sigmoid(x, 0.2, 0.5)}


def _gates(z, count, units):
    return [cntk.slice(z, 0, index * units, (index + 1) * units) for index in range(count)]


def _projected(x, kernel, bias):
    """`x` times a kernel, plus a bias; nodes, but for a bias that may be a tensor or None."""
    bias = bias.node if type(bias) is Tensor else bias
    product = cntk.times(x, kernel)
    return product if bias is None else cntk.plus(product, bias)


def _recurrence(x, initial, mask, backwards, make):
    """Run a cell over time.

    Args:
        x: tensor (batch, time, features). initial: tensors (batch, units), the first states. mask: tensor (batch,
            time, ...) or None. make: called with the inputs of a step and the states before it, gives the new states.

    Returns:
        Nodes: the first state at all steps (batch, time, units), and the last states (batch, units).
    """
    batch, time = x.shape[:2]
    zeros = [h.host is not None and not h.host.any() for h in initial]
    columns, widths = [x.node], [x.shape[2]]
    if mask is not None:
        columns.append(cntk.reshape(mask.node, (batch, time, 1)))
        widths.append(1)
    for h, zero in zip(initial, zeros):
        if not zero:
            spread = constant_node(np.zeros((batch, time, h.shape[1])), node_type(x.dtype))
            columns.append(cntk.plus(cntk.reshape(h.node, (batch, 1, h.shape[1])), spread))
            widths.append(h.shape[1])
    joined = cntk.splice(*columns, axis=2) if len(columns) > 1 else columns[0]
    if backwards and time > 1:
        joined = cntk.slice(joined, 1, 0, time, -1)
    sequence = cntk.to_sequence(cntk.to_batch(joined))
    ends = np.cumsum(widths)
    parts = [cntk.slice(sequence, 0, int(end - width), int(end)) for end, width in zip(ends, widths)] \
        if len(widths) > 1 else [sequence]
    step_mask = parts[1] if mask is not None else None
    starts = iter(parts[1 + (mask is not None):])
    places = [cntk.placeholder((h.shape[1],)) for h in initial]
    before = [cntk.sequence.past_value(place) for place in places]
    first = cntk.sequence.is_first(sequence)
    before = [old if zero else _selected(first, next(starts), old, h.shape[1], x.dtype)
              for old, zero, h in zip(before, zeros, initial)]
    after = make(parts[0], before)
    if step_mask is not None:
        after = [_selected(step_mask, new, old, h.shape[1], x.dtype) for new, old, h in zip(after, before, initial)]
    whole = cntk.combine(after)
    whole.replace_placeholders(dict(zip(places, whole.outputs)))
    states = list(whole.outputs)
    unpacked = cntk.unpack_batch(cntk.sequence.unpack(states[0], 0, no_mask_output=True))
    return unpacked, [cntk.unpack_batch(cntk.sequence.last(state)) for state in states]


def _selected(flag, first, second, units, dtype):
    """`first` where `flag`, a single number, is 1, else `second`, vectors of `units`."""
    return cntk.element_select(cntk.plus(flag, constant_node(np.zeros(units), node_type(dtype))), first, second)


# --- the cells ------------------------------------------------------------------------------------------------------

def _simple_cell(kernel, recurrent_kernel, bias, activation):
    def make(x, before):
        z = cntk.plus(_projected(x, kernel.node, bias), cntk.times(before[0], recurrent_kernel.node))
        return [activation(z)]
    return make


def _lstm_cell(kernel, recurrent_kernel, bias, activation, gate):
    units = recurrent_kernel.shape[0]

    def make(x, before):
        h, c = before
        z = cntk.plus(_projected(x, kernel.node, bias), cntk.times(h, recurrent_kernel.node))
        i, f, g, o = _gates(z, 4, units)
        c = cntk.plus(cntk.element_times(gate(f), c), cntk.element_times(gate(i), activation(g)))
        return [cntk.element_times(gate(o), activation(c)), c]
    return make


def _gru_cell(kernel, recurrent_kernel, bias, activation, gate, reset_after):
    units = recurrent_kernel.shape[0]
    recurrent = recurrent_kernel.node
    input_bias = recurrent_bias = None
    if bias is not None and reset_after:
        input_bias, recurrent_bias = [cntk.reshape(cntk.slice(bias.node, 0, row, row + 1), (3 * units,))
                                      for row in (0, 1)]
    elif bias is not None:
        input_bias = bias.node

    def make(x, before):
        h, = before
        z = _projected(x, kernel.node, input_bias)
        if reset_after:
            product = _projected(h, recurrent, recurrent_bias)
            update, reset = [gate(cntk.plus(a, b)) for a, b in zip(_gates(z, 2, units), _gates(product, 2, units))]
            inner = cntk.element_times(reset, _gates(product, 3, units)[2])
        else:
            product = cntk.times(h, cntk.slice(recurrent, 1, 0, 2 * units))
            update, reset = [gate(cntk.plus(a, b)) for a, b in zip(_gates(z, 2, units), _gates(product, 2, units))]
            inner = cntk.times(cntk.element_times(reset, h), cntk.slice(recurrent, 1, 2 * units, 3 * units))
        candidate = activation(cntk.plus(_gates(z, 3, units)[2], inner))
        return [cntk.plus(candidate, cntk.element_times(update, cntk.minus(h, candidate)))]
    return make


# --- overrides ------------------------------------------------------------------------------------------------------

def _run(name, args, x, initial, mask, go_backwards, return_sequences, make, weights):
    """[output] + the last states as the composite `name` gives them for `args`."""
    evaluate(TABLE[name], replaced(args, abstract))
    tensors = [x, *initial, *[weight for weight in weights if weight is not None]] + ([] if mask is None else [mask])
    stage = stage_of(tensors)
    placed = {id(tensor): in_graph(tensor, stage) for tensor in tensors}
    shape, units = x.shape[:2], initial[0].shape[1]
    with short_errors():
        cell = make(*[None if weight is None else placed[id(weight)] for weight in weights])
        states = [placed[id(h)] for h in initial]
        sequence, last = _recurrence(placed[id(x)], states, None if mask is None else placed[id(mask)], go_backwards,
                                     cell)
        last = [wrapped(state, h.shape, x.dtype, stage) for state, h in zip(last, initial)]
        output = wrapped(sequence, shape + (units,), x.dtype, stage) if return_sequences else last[0]
    if mask is not None and not (initial[0].host is not None and not initial[0].host.any()):
        output = _zero_before_first(output, mask, go_backwards, return_sequences)
    return [output] + last


def _zero_before_first(output, mask, go_backwards, return_sequences):
    """`output` with zeros, not the initial state, up to the first step that the mask lets through."""
    steps = p.cast(p.reshape(mask, mask.shape[:2]), 'int32')
    if not return_sequences:
        return p.where(p.less(0, p.max(steps, 1, True)), output, 0.0)
    steps = p.cumsum(p.flip(steps, (1,)) if go_backwards else steps, 1)
    return p.where(p.reshape(p.less(0, steps), steps.shape + (1,)), output, 0.0)


def _native(args, activations):
    """Whether the sequence can run here: in the graph, with activations that are known by name."""
    tensors = tensors_in(args)
    return all(activation in _ACTIVATIONS for activation in activations if not callable(activation)) and \
        not any(map(callable, activations)) and not host_only(tensors) and not any(0 in x.shape for x in tensors)


def simple_rnn_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                        return_sequences=True, activation='tanh', unroll=False):
    args = (x, h0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences, activation, unroll)
    if not _native(args, [activation]):
        return NotImplemented
    return _run('simple_rnn_sequence', args, x, [h0], mask, go_backwards, return_sequences,
                lambda *weights: _simple_cell(*weights, _ACTIVATIONS[activation]), [kernel, recurrent_kernel, bias])


def lstm_sequence(x, h0, c0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                  return_sequences=True, activation='tanh', recurrent_activation='sigmoid', unroll=False):
    args = (x, h0, c0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences, activation,
            recurrent_activation, unroll)
    if not _native(args, [activation, recurrent_activation]):
        return NotImplemented
    functions = _ACTIVATIONS[activation], _ACTIVATIONS[recurrent_activation]
    return _run('lstm_sequence', args, x, [h0, c0], mask, go_backwards, return_sequences,
                lambda *weights: _lstm_cell(*weights, *functions), [kernel, recurrent_kernel, bias])


def gru_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False, return_sequences=True,
                 activation='tanh', recurrent_activation='sigmoid', reset_after=False, unroll=False):
    args = (x, h0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences, activation,
            recurrent_activation, reset_after, unroll)
    if not _native(args, [activation, recurrent_activation]):
        return NotImplemented
    functions = _ACTIVATIONS[activation], _ACTIVATIONS[recurrent_activation]
    return _run('gru_sequence', args, x, [h0], mask, go_backwards, return_sequences,
                lambda *weights: _gru_cell(*weights, *functions, reset_after), [kernel, recurrent_kernel, bias])


OVERRIDES = dict(simple_rnn_sequence=simple_rnn_sequence, lstm_sequence=lstm_sequence, gru_sequence=gru_sequence)
