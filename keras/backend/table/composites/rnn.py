"""Recurrence, written once over `scan`: the general loop `rnn`, and the sequences of the standard cells.

For engines that have fused kernels, the entries worth overriding, with their positional signatures:

    simple_rnn_sequence(x, h0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences,
                        activation, unroll)                                               -> [output, h]
    gru_sequence(x, h0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences,
                 activation, recurrent_activation, reset_after, unroll)                   -> [output, h]
    lstm_sequence(x, h0, c0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences,
                  activation, recurrent_activation, unroll)                               -> [output, h, c]

`x` is (batch, time, features), `h0` and `c0` (batch, units), `kernel` (features, gates * units),
`recurrent_kernel` (units, gates * units), `bias` (gates * units,), for a GRU with `reset_after` (2, gates *
units) with the input's bias first, or None. Gates stand in Keras' order: i, f, c, o and z, r, h. `mask` is a
boolean (batch, time) or None. Activations are names, 'tanh', 'sigmoid', 'hard_sigmoid' (Keras 3's),
'hard_sigmoid_keras2', 'relu' or 'linear', or functions; an override may return NotImplemented for all but the
names it knows. `output` is (batch, time, units) with `return_sequences`, else (batch, units), with
`go_backwards` in the order of processing; `h` and `c` are the last states (batch, units).
"""
from keras.backend.contract import tree
from keras.backend.contract.loading import active
from keras.backend.table import primitives as p
from keras.backend.table.cases import B, F
from keras.backend.table.composites.math import any as any_true
from keras.backend.table.composites.nn import hard_sigmoid, hard_sigmoid_keras2, relu, sigmoid
from keras.backend.table.composites.shape import (expand_dims, ndim, sliced, split, squeeze, stack, static_shape,
                                                  zeros_like)
from keras.backend.table.dispatch import composite

_ACTIVATIONS = {'tanh': p.tanh, 'sigmoid': sigmoid, 'hard_sigmoid': hard_sigmoid, 'relu': relu,
                'hard_sigmoid_keras2': hard_sigmoid_keras2, 'linear': lambda x: x}


def _activation(activation):
    return activation if callable(activation) else _ACTIVATIONS[activation]


def _swapped(x):
    """`x` with its first two axes, batch and time, exchanged."""
    return p.transpose(x, (1, 0) + tuple(range(2, ndim(x))))


def _element(x, index):
    """`x[index]` for an int, on axis 0."""
    return squeeze(sliced(x, 0, index, None if index == -1 else index + 1), 0)


def _steps(step, init, xs, length, reverse, unroll):
    """`scan`, or with `unroll` the same as a straight sequence of operations."""
    if not unroll:
        return p.scan(step, init, xs, length, reverse)
    count = static_shape(xs[0])[0] or length
    if count is None:
        raise ValueError('unrolling needs a known number of time steps. Received inputs of shape %s (time first). '
                         'Give the number in the input shape, or use unroll=False.' % (static_shape(xs[0]),))
    carry, outputs = init, [None] * count
    for index in reversed(range(count)) if reverse else range(count):
        carry, outputs[index] = step(carry, [_element(x, index) for x in xs])
    return carry, [stack(parts, 0) for parts in zip(*outputs)]


# --- the general loop -------------------------------------------------------------------------------------------

@composite('*inputs *initial_states mask *constants', functions='step_function', gradient=False)
def rnn(step_function, inputs, initial_states, go_backwards=False, mask=None, constants=None, unroll=False,
        input_length=None, time_major=False, zero_output_for_mask=False, return_all_outputs=True):
    """Run `step_function` over the time axis of `inputs`.

    Args:
        step_function: `output, new_states = step_function(input, states)` for one time step: `input` (batch,
            ...), `states` in the structure of `initial_states`, followed by the `constants`. Pure; the new
            states have the shapes and dtypes of the old ones.
        inputs: tensor (batch, time, ...), or a structure of them.
        initial_states: list of tensors (batch, ...), which may be nested.
        go_backwards: begin at the last time step. The outputs then stand in the order of processing.
        mask: boolean tensor (batch, time) or (batch, time, 1). Where it is False the states stay as they
            are and the previous output is repeated (zeros before the first).
        constants: list of tensors handed to every step behind the states, or None.
        unroll: lay the steps out one by one; faster for short sequences, needs a known number of them.
        input_length: the number of steps, where the inputs do not tell.
        time_major: inputs, mask and outputs are (time, batch, ...).
        zero_output_for_mask: give zeros where the mask is False.
        return_all_outputs: False keeps only the last of `outputs`.

    Returns:
        (last_output, outputs, new_states): (batch, ...), (batch, time, ...) and a list.

    Raises:
        ValueError: where `unroll` meets an unknown number of steps.
    """
    xs = tree.flatten(inputs) if time_major else [_swapped(x) for x in tree.flatten(inputs)]
    constants = list(constants or [])
    layout = []

    def cell(carry, x):
        states = list(tree.pack_as(list(initial_states), carry))
        output, states = step_function(tree.pack_as(inputs, x), states + constants)
        layout[:] = [tree.map_structure(lambda _: None, output)]
        return tree.flatten(output), tree.flatten(list(states))

    states = tree.flatten(list(initial_states))
    run = _plain if mask is None else _zeroing if zero_output_for_mask else _repeating
    if mask is not None:
        xs = xs + [_mask_steps(mask, time_major)]
    states, outputs = run(cell, states, xs, (input_length, go_backwards, unroll))
    last = [_element(output, 0 if go_backwards else -1) for output in outputs]
    time = 0 if time_major else 1
    if not return_all_outputs:
        outputs = [expand_dims(output, time) for output in last]
    else:
        outputs = [_ordered(output, go_backwards, time_major) for output in outputs]
    return tree.pack_as(layout[0], last), tree.pack_as(layout[0], outputs), tree.pack_as(list(initial_states), states)


def _mask_steps(mask, time_major):
    """The mask as (time, batch, 1)."""
    mask = mask if ndim(mask) == 3 else expand_dims(mask, -1)
    return p.cast(mask if time_major else _swapped(mask), 'bool')


def _ordered(output, go_backwards, time_major):
    """Outputs (time, batch, ...) in the order of processing and in the layout asked for."""
    output = p.flip(output, (0,)) if go_backwards else output
    return output if time_major else _swapped(output)


def _plain(cell, states, xs, how):
    def step(carry, x):
        output, carry = cell(carry, x)
        return carry, output
    return _steps(step, states, xs, *how)


def _zeroing(cell, states, xs, how):
    def step(carry, x):
        output, new = cell(carry, x[:-1])
        return _chosen(x[-1], new, carry), [_chosen_one(x[-1], part, 0.0) for part in output]
    return _steps(step, states, xs, *how)


def _repeating(cell, states, xs, how):
    count = len(states)

    def step(carry, x):
        output, new = cell(carry[:count], x[:-1])
        output = _chosen(x[-1], output, carry[count:])
        return _chosen(x[-1], new, carry[:count]) + output, output
    # Only shapes and dtypes of this one output are used; nothing else tells them.
    output, _ = cell(states, [_element(x, 0) for x in xs[:-1]])
    carry, outputs = _steps(step, states + [zeros_like(part) for part in output], xs, *how)
    return carry[:count], outputs


def _chosen(mask, new, old):
    return [_chosen_one(mask, first, second) for first, second in zip(new, old)]


def _chosen_one(mask, new, old):
    """`new` where `mask` (batch, 1) is True, else `old`."""
    rank = ndim(new)
    return p.where(mask if rank == 2 else p.reshape(mask, (-1,) + (1,) * (rank - 1)), new, old)


# --- the standard cells -----------------------------------------------------------------------------------------

def _gate_inputs(x, kernel, bias, split=lambda z: [z]):
    """The share of the inputs in the gates: (xs to scan over, what makes the share of one step from its element).

    One product for all steps, where the engine does not do better with one in each.
    """
    def project(x):
        product = p.matmul(x, kernel)
        return split(product if bias is None else p.add(product, bias))

    x = _swapped(x)
    if active.engine is not None and active.engine.projects_each_step:
        return [x], lambda element: project(element[0])
    return project(x), lambda element: element


def _sequence(update, states, inputs, mask, go_backwards, return_sequences, unroll):
    """`states = update(states, x)` over time; the output is the first state. [output] + the last states.

    `inputs`: what `_gate_inputs` gives.
    """
    xs, share = inputs

    def step(carry, x):
        new = update(carry, share(x if mask is None else x[:-1]))
        if mask is not None:
            new = [p.where(x[-1], first, second) for first, second in zip(new, carry)]
        return new, new[:1] if return_sequences else []

    xs = xs if mask is None else xs + [_mask_steps(mask, False)]
    states, outputs = _steps(step, states, xs, None, go_backwards, unroll)
    if return_sequences:
        return [_ordered(_before_first_zero(outputs[0], mask, go_backwards), go_backwards, False)] + list(states)
    if mask is None:
        return [states[0]] + list(states)
    return [p.where(any_true(p.cast(mask, 'bool'), 1, True), states[0], 0.0)] + list(states)


def _before_first_zero(outputs, mask, go_backwards):
    """`outputs` (time, batch, units), which repeat the initial state before the first step, with zeros there."""
    if mask is None:
        return outputs
    steps = p.cast(_mask_steps(mask, False), 'int32')
    steps = p.flip(p.cumsum(p.flip(steps, (0,)), 0), (0,)) if go_backwards else p.cumsum(steps, 0)
    return p.where(p.less(0, steps), outputs, 0.0)


def _fits(x, states, kernel, recurrent_kernel, bias, mask, gates, bias_shape=None):
    """Raise ValueError where the sizes of the arguments of a sequence do not belong together."""
    x, kernel, recurrent_kernel = static_shape(x), static_shape(kernel), static_shape(recurrent_kernel)
    units = recurrent_kernel[0]
    for state in map(static_shape, states):
        if len(state) != 2 or state[1] != units or None not in (state[0], x[0]) and state[0] != x[0]:
            raise ValueError('the inputs have %s rows (samples), so each state must have the shape (%s, %s); one has '
                             '%s. The usual cause: an initial state, or a stateful layer, for batches of another size'
                             % (x[0], x[0], units, state))
    width = gates * units
    expected = [('kernel', kernel, (x[2], width)), ('recurrent_kernel', recurrent_kernel, (units, width))]
    if bias is not None:
        expected.append(('bias', static_shape(bias), bias_shape or (width,)))
    if mask is not None and None not in x[:2] + static_shape(mask):
        expected.append(('mask', static_shape(mask), x[:2]))
    for name, shape, wanted in expected:
        if shape != wanted and None not in wanted:
            raise ValueError('`%s` must have the shape %s, it has %s' % (name, wanted, shape))


def _simple_rnn_fits(x, h0, kernel, recurrent_kernel, bias=None, mask=None, *_):
    _fits(x, [h0], kernel, recurrent_kernel, bias, mask, 1)


def _lstm_fits(x, h0, c0, kernel, recurrent_kernel, bias=None, mask=None, *_):
    _fits(x, [h0, c0], kernel, recurrent_kernel, bias, mask, 4)


def _gru_fits(x, h0, kernel, recurrent_kernel, bias, mask, go_backwards, return_sequences, activation,
              recurrent_activation, reset_after, unroll):
    _fits(x, [h0], kernel, recurrent_kernel, bias, mask, 3, (2, static_shape(kernel)[1]) if reset_after else None)


@composite('x h0 kernel recurrent_kernel bias mask', promote='same', check=_simple_rnn_fits,
           promoted='x h0 kernel recurrent_kernel bias', functions='activation', cases=[
    (F(2, 4, 3), F(2, 5), F(3, 5), F(5, 5), F(5)), (F(2, 4, 3), F(2, 5), F(3, 5), F(5, 5), F(5), B(2, 4), True),
    (F(2, 4, 3), F(2, 5), F(3, 5), F(5, 5), None, B(2, 4), False, False, 'relu', True)])
def simple_rnn_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                        return_sequences=True, activation='tanh', unroll=False):
    """h = activation(x W + b + h U) over time. Arguments and results are told at the top of this module."""
    act = _activation(activation)

    def update(states, x):
        return [act(p.add(x[0], p.matmul(states[0], recurrent_kernel)))]
    return _sequence(update, [h0], _gate_inputs(x, kernel, bias), mask, go_backwards, return_sequences, unroll)


@composite('x h0 c0 kernel recurrent_kernel bias mask', promote='same', promoted='x h0 c0 kernel recurrent_kernel bias',
           functions='activation recurrent_activation', check=_lstm_fits,
           cases=[(F(2, 4, 3), F(2, 2), F(2, 2), F(3, 8), F(2, 8), F(8)),
                  (F(2, 4, 3), F(2, 2), F(2, 2), F(3, 8), F(2, 8), F(8), B(2, 4), True),
                  (F(2, 4, 3), F(2, 2), F(2, 2), F(3, 8), F(2, 8), None, None, True, False, 'relu', 'linear'),
                  (F(2, 4, 3), F(2, 2), F(2, 2), F(3, 8), F(2, 8), F(8), B(2, 4), False, False, 'tanh', 'sigmoid',
                   True)])
def lstm_sequence(x, h0, c0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                  return_sequences=True, activation='tanh', recurrent_activation='sigmoid', unroll=False):
    """Long short-term memory (Hochreiter and Schmidhuber 1997) over time; see the top of this module."""
    act, gate_act = _activation(activation), _activation(recurrent_activation)

    def update(states, x):
        h, c = states
        i, f, g, o = split(p.add(x[0], p.matmul(h, recurrent_kernel)), 4, -1)
        i, f, o = gate_act(i), gate_act(f), gate_act(o)
        c = p.add(p.multiply(f, c), p.multiply(i, act(g)))
        return [p.multiply(o, act(c)), c]
    return _sequence(update, [h0, c0], _gate_inputs(x, kernel, bias), mask, go_backwards, return_sequences, unroll)


@composite('x h0 kernel recurrent_kernel bias mask', promote='same',
           promoted='x h0 kernel recurrent_kernel bias', functions='activation recurrent_activation', check=_gru_fits,
           cases=[
    (F(2, 4, 3), F(2, 2), F(3, 6), F(2, 6), F(6)),
    (F(2, 4, 3), F(2, 2), F(3, 6), F(2, 6), F(2, 6), B(2, 4), True, True, 'tanh', 'sigmoid', True),
    (F(2, 4, 3), F(2, 2), F(3, 6), F(2, 6), None, None, True, False, 'relu', 'linear'),
    (F(2, 4, 3), F(2, 2), F(3, 6), F(2, 6), F(2, 6), B(2, 4), False, False, 'tanh', 'sigmoid', True, True)])
def gru_sequence(x, h0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False, return_sequences=True,
                 activation='tanh', recurrent_activation='sigmoid', reset_after=False, unroll=False):
    """Gated recurrent units (Cho et al. 2014) over time; see the top of this module.

    With `reset_after` the reset gate is applied after the recurrent product (as in cuDNN), else before.
    """
    units = static_shape(recurrent_kernel)[0]
    input_bias = recurrent_bias = None
    if bias is not None:
        input_bias, recurrent_bias = (_element(bias, 0), _element(bias, 1)) if reset_after else (bias, None)
    gates = [recurrent_kernel, recurrent_bias, units, _activation(activation), recurrent_activation]
    if reset_after and not callable(recurrent_activation) and active.engine is not None \
            and active.engine.projects_each_step:
        inputs = _gate_inputs(x, kernel, input_bias, lambda z: split(z, 3, -1))
        return _sequence(_gru_gate_by_gate(*gates), [h0], inputs, mask, go_backwards, return_sequences, unroll)
    inputs = _gate_inputs(x, kernel, input_bias,
                          lambda z: [sliced(z, -1, 0, 2 * units), sliced(z, -1, 2 * units, None)])
    update = (_gru_reset_after if reset_after else _gru_reset_before)(*gates)
    return _sequence(update, [h0], inputs, mask, go_backwards, return_sequences, unroll)


def _update_and_reset(z, activation):
    if callable(activation):
        return [activation(part) for part in split(z, 2, -1)]
    # A named activation works elementwise: one call for both gates costs less than two.
    return split(_activation(activation)(z), 2, -1)


def _interpolated(h, candidate, z):
    return [p.add(candidate, p.multiply(z, p.subtract(h, candidate)))]


def _gru_reset_after(kernel, bias, units, activation, recurrent_activation):
    def update(states, x):
        h = states[0]
        recurrent = p.matmul(h, kernel) if bias is None else p.add(p.matmul(h, kernel), bias)
        z, r = _update_and_reset(p.add(x[0], sliced(recurrent, -1, 0, 2 * units)), recurrent_activation)
        return _interpolated(h, activation(p.add(x[1], p.multiply(r, sliced(recurrent, -1, 2 * units, None)))), z)
    return update


def _gru_gate_by_gate(kernel, bias, units, activation, recurrent_activation):
    """As `_gru_reset_after`, in the form whose gradient a compiler makes the best of: parts that are cut once."""
    gate = _activation(recurrent_activation)

    def update(states, x):
        h = states[0]
        recurrent = p.matmul(h, kernel) if bias is None else p.add(p.matmul(h, kernel), bias)
        of_update, of_reset, of_candidate = split(recurrent, 3, -1)
        z, r = gate(p.add(x[0], of_update)), gate(p.add(x[1], of_reset))
        candidate = activation(p.add(x[2], p.multiply(r, of_candidate)))
        return [p.add(p.multiply(z, h), p.multiply(p.subtract(1.0, z), candidate))]
    return update


def _gru_reset_before(kernel, _, units, activation, recurrent_activation):
    gates, candidate = sliced(kernel, -1, 0, 2 * units), sliced(kernel, -1, 2 * units, None)

    def update(states, x):
        h = states[0]
        z, r = _update_and_reset(p.add(x[0], p.matmul(h, gates)), recurrent_activation)
        return _interpolated(h, activation(p.add(x[1], p.matmul(p.multiply(r, h), candidate))), z)
    return update
