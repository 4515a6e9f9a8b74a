"""PyTorch's recurrent kernels in the place of composites."""
import torch

from keras.backend.engines.torch.overrides import override
from keras.backend.engines.torch.tensors import HALVES

# PyTorch 2.1 and later say whether a function is being compiled.
_is_compiling = getattr(getattr(torch, 'compiler', None), 'is_compiling', bool)


def _recurrent(run, x, states, weights, go_backwards, return_sequences):
    """[output] + last states of one of PyTorch's recurrent kernels, which keep their states behind a leading axis."""
    x = torch.flip(x, (1,)) if go_backwards else x
    states = tuple(state.unsqueeze(0).contiguous() for state in states)
    output, *states = run(x, states if len(states) > 1 else states[0], weights, True, 1, 0.0, torch.is_grad_enabled(),
                          False, True)
    states = [state.squeeze(0) for state in states]
    return [output if return_sequences else states[0]] + states


def _of_different_lengths(run, x, states, weights, mask, return_sequences):
    """What `_recurrent` gives for rows that end where `mask` does: each is computed as far as it goes.

    NotImplemented where rows have gaps or begin late, and where gradients are wanted: that of a packed sequence takes
    longer than a loop over all steps.
    """
    if torch.is_grad_enabled() or _is_compiling():
        return NotImplemented
    lengths = mask.sum(1)
    if bool((mask[:, 1:] > mask[:, :-1]).any()) or not bool(lengths.all()):
        return NotImplemented
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), True, False)
    states = tuple(state[packed.sorted_indices].unsqueeze(0) for state in states)
    output, *states = run(packed.data, packed.batch_sizes, states if len(states) > 1 else states[0], weights, True, 1,
                          0.0, False, False)
    states = [state.squeeze(0)[packed.unsorted_indices] for state in states]
    if not return_sequences:
        return states[:1] + states
    output = torch.nn.utils.rnn.PackedSequence(output, packed.batch_sizes, packed.sorted_indices,
                                               packed.unsorted_indices)
    output = torch.nn.utils.rnn.pad_packed_sequence(output, True, total_length=x.shape[1])[0]
    return [torch.where(mask.unsqueeze(2), output, states[0].unsqueeze(1))] + states


def _weights(kernel, recurrent_kernel, bias, recurrent_bias=None):
    none = kernel.new_zeros(kernel.shape[-1])
    return [kernel.t(), recurrent_kernel.t(), none if bias is None else bias,
            none if recurrent_bias is None else recurrent_bias]


@override
def simple_rnn_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                        return_sequences=True, activation='tanh', unroll=False):
    run = {'tanh': torch._VF.rnn_tanh, 'relu': torch._VF.rnn_relu}.get(activation)
    if mask is not None or run is None or x.dtype in HALVES:
        return NotImplemented
    return _recurrent(run, x, [h0], _weights(kernel, recurrent_kernel, bias), go_backwards, return_sequences)


@override
def lstm_sequence(x, h0, c0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                  return_sequences=True, activation='tanh', recurrent_activation='sigmoid', unroll=False):
    if (mask is not None and go_backwards or (activation, recurrent_activation) != ('tanh', 'sigmoid')
            or x.dtype in HALVES):
        return NotImplemented
    weights = _weights(kernel, recurrent_kernel, bias)
    if mask is not None:
        return _of_different_lengths(torch._VF.lstm, x, [h0, c0], weights, mask, return_sequences)
    return _recurrent(torch._VF.lstm, x, [h0, c0], weights, go_backwards, return_sequences)


@override
def gru_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False, return_sequences=True,
                 activation='tanh', recurrent_activation='sigmoid', reset_after=False, unroll=False):
    if (mask is not None and go_backwards or not reset_after or x.dtype in HALVES
            or (activation, recurrent_activation) != ('tanh', 'sigmoid')):
        return NotImplemented

    def reordered(weight):
        """PyTorch has the reset gate before the update gate."""
        z, r, candidate = weight.chunk(3, -1)
        return torch.cat((r, z, candidate), -1)
    biases = (None, None) if bias is None else reordered(bias).unbind(0)
    weights = _weights(reordered(kernel), reordered(recurrent_kernel), *biases)
    if mask is not None:
        return _of_different_lengths(torch._VF.gru, x, [h0], weights, mask, return_sequences)
    return _recurrent(torch._VF.gru, x, [h0], weights, go_backwards, return_sequences)
