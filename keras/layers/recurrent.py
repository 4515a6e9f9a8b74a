"""Recurrent layers: `RNN`, which runs a cell over time, the standard cells, and their layers.

A cell is a layer with `call(inputs, states)`, which returns `(output, new_states)` for one time step, and
`state_size`, the size of its state or a list of sizes. Whatever is random is drawn once per sequence, before the
loop over time.
"""
import numpy as np

from keras import activations, generations, initializers, ops, random
from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.rules import is_float
from keras.backend.state.seeds import global_seed_generator
from keras.backend.state.variables import Variable, to_array
from keras.backend.table.composites import nn
from keras.backend.table.composites.rnn import gru_sequence, lstm_sequence, rnn, simple_rnn_sequence
from keras.backend.table.composites.shape import dtype_of, ndim, static_shape
from keras.configurable import declared_arguments
from keras.generations import Default
from keras.layers.arguments import ANY, check_rate, of_first_input, positive_integer, to_list
from keras.layers.base import InputSpec, Layer
from keras.layers.calls import is_ours
from keras.layers.functions import has_arg
from keras.saving import forms
from keras.saving.kinds import kind_in


# --- cells --------------------------------------------------------------------------------------------------------

class AbstractRNNCell(Layer):
    """The base of cells of your own, as tf.keras has it.

    A subclass defines `call(inputs, states)`, which gives (output, list of new states), `state_size` (an int, or a list
    of them or of shapes) and `output_size`.

    Example:
        >>> class Sum(keras.layers.AbstractRNNCell):
        ...     state_size = output_size = 4
        ...     def call(self, inputs, states):
        ...         total = inputs + states[0]
        ...         return total, [total]
        >>> float(keras.layers.RNN(Sum())(np.ones((1, 5, 4), 'float32'))[0, 0])
        5.0
    """

    @property
    def state_size(self):
        """The size or sizes of the states."""
        raise NotImplementedError('%s has to define `state_size`.' % type(self).__name__)

    @property
    def output_size(self):
        """The size of the output."""
        raise NotImplementedError('%s has to define `output_size`.' % type(self).__name__)

    def call(self, inputs, states):
        """One step: (output, list of new states)."""
        raise NotImplementedError('%s has to define `call(inputs, states)`.' % type(self).__name__)

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        """Zeros in the structure of `state_size`, for the batch of `inputs` or of `batch_size`."""
        if inputs is None and batch_size is None:
            raise ValueError('%s.get_initial_state needs `inputs` or `batch_size`.' % type(self).__name__)
        dtype = dtype or (self.compute_dtype if inputs is None else inputs.dtype)
        zeros = [zeros_of_batch(inputs, None if inputs is not None else batch_size, size, dtype)
                 for size in state_sizes(self)]
        return zeros if isinstance(self.state_size, (list, tuple)) else zeros[0]


class DropoutRNNCell:
    """A cell, besides `Layer`, that drops the same elements of its inputs and its state at every step of a sequence.

    The cell has the attributes `dropout` and `recurrent_dropout`, rates, may have a `seed_generator`, and asks for its
    masks in `call`. A mask is drawn anew at every step from a seed that belongs to the sequence.

    Example:
        >>> from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell
        >>> class Cell(DropoutRNNCell, keras.layers.Layer):
        ...     state_size = 2
        ...     dropout, recurrent_dropout = 0.5, 0.0
        ...     def call(self, inputs, states, training=False):
        ...         mask = self.get_dropout_mask_for_cell(inputs, training)
        ...         return inputs * mask, [inputs * mask]
        >>> y = np.array(keras.layers.RNN(Cell(), return_sequences=True)(np.ones((1, 9, 2), 'float32'), training=True))
        >>> len(np.unique(y[0], axis=0))
        1
    """
    # How many masks Keras 3's `get_dropout_mask` gives: a list of them if more than one.
    dropout_mask_count = 1
    # The seeds of the sequence that is being run, of the inputs' masks and the state's; outside of one None.
    _seeds = None

    def draw_masks(self, inputs, states):
        """Fix the masks for one sequence; `inputs` and `states` are those of one time step."""
        generator = getattr(self, 'seed_generator', None) or global_seed_generator()
        self._seeds = generator.next(), generator.next()

    def forget_masks(self):
        """Let the next masks be others."""
        self._seeds = None

    # Keras calls by these names what tells a sequence from the next.
    reset_dropout_mask = reset_recurrent_dropout_mask = forget_masks

    def get_dropout_mask_for_cell(self, inputs, training, count=1):
        """The mask for inputs, or a list of `count` masks: factors, all 1 outside training; None for a rate of 0."""
        return self._masks_like(inputs, self.dropout, 0, training, count)

    def get_recurrent_dropout_mask_for_cell(self, inputs, training, count=1):
        """The mask for the state, or a list of `count` masks; see `get_dropout_mask_for_cell`."""
        return self._masks_like(inputs, self.recurrent_dropout, 1, training, count)

    def get_dropout_mask(self, step_input):
        """The mask for inputs in training, or a list of `dropout_mask_count`; None for a rate of 0."""
        return self.get_dropout_mask_for_cell(step_input, True, self.dropout_mask_count)

    def get_recurrent_dropout_mask(self, step_input):
        """The mask for the state in training, or a list of `dropout_mask_count`; None for a rate of 0."""
        return self.get_recurrent_dropout_mask_for_cell(step_input, True, self.dropout_mask_count)

    def _masks_like(self, inputs, rate, place, training, count):
        if not rate:
            return None
        masks = ops.stack([ops.ones_like(inputs)] * count)
        if training:
            seed = self._seeds[place] if self._seeds else getattr(self, 'seed_generator', None)
            masks = random.dropout(masks, rate, None, seed)
        return masks[0] if count == 1 else [masks[number] for number in range(count)]


class _Cell(DropoutRNNCell, Layer):
    """What the standard cells share: weights, dropout masks, configuration.

    gates: how many times `units` wide the weights are. number_of_states: how many of that size there are.
    implementation: with 1 every gate has dropout masks of its own.
    """
    gates = number_of_states = 1
    implementation = 2
    later = ('seed',)
    not_asked = frozenset(('get_dropout_mask', 'get_recurrent_dropout_mask', 'get_dropout_mask_for_cell',
                           'get_recurrent_dropout_mask_for_cell'))

    def declare(self, given):
        super().declare(given)
        name = type(self).__name__
        self.units = positive_integer(self.units, name, 'units')
        self.implementation = _implementation(self.implementation)
        check_rate(self.dropout, name, 'dropout')
        check_rate(self.recurrent_dropout, name, 'recurrent_dropout')
        if self.dropout or self.recurrent_dropout:
            self.seed_generator = random.SeedGenerator(self.seed)
        self.output_size = self.units
        self.state_size = self.units if self.number_of_states == 1 else [self.units] * self.number_of_states
        self._masks = None

    def _bias_shape(self):
        return (self.gates * self.units,)

    def _bias_initializer(self):
        return self.bias_initializer

    def _recurrent_initializer(self):
        initializer = self.recurrent_initializer
        return each_gate(initializer, self.gates) if isinstance(initializer, initializers.Identity) else initializer

    def build(self, input_shape):
        size = input_shape[-1]
        if size is None:
            raise ValueError('Layer %r (%s) needs inputs whose number of features is known. Received the shape %s of '
                             'one step.' % (self.name, type(self).__name__, tuple(input_shape)))
        width = self.gates * self.units
        self.kernel = self.add_weight(name='kernel', shape=(size, width))
        self.recurrent_kernel = self.add_weight(name='recurrent_kernel', shape=(self.units, width),
                                                initializer=self._recurrent_initializer())
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(name='bias', shape=self._bias_shape(), initializer=self._bias_initializer())
        self.built = True

    # --- dropout

    def draw_masks(self, inputs, states):
        if is_ours(type(self).call):
            self._masks = self._drawn_masks(inputs)
        else:  # it asks for its masks by the names of Keras
            super().draw_masks(inputs, states)

    def forget_masks(self):
        super().forget_masks()
        self._masks = None

    reset_dropout_mask = reset_recurrent_dropout_mask = forget_masks

    def _drawn_masks(self, inputs):
        batch = ops.shape(inputs)[0]
        count = self.gates if self._separate_masks() else 1
        return (self._mask_list(self.dropout, (batch, self.kernel.shape[0]), count),
                self._mask_list(self.recurrent_dropout, (batch, self.units), count))

    def _separate_masks(self):
        """Whether every gate has masks of its own."""
        return self.implementation == 1

    def _mask_list(self, rate, shape, count):
        if not rate:
            return None
        ones = ops.ones(shape, self.compute_dtype)
        return [random.dropout(ones, rate, None, self.seed_generator) for _ in range(count)]

    def _masks_for(self, inputs, training):
        if not training or not (self.dropout or self.recurrent_dropout):
            return None, None
        return self._masks or self._drawn_masks(inputs)

    def _products(self, x, masks, kernel, bias=None):
        """`x @ kernel + bias`, one tensor per gate, with `x` masked for each."""
        if masks is not None and len(masks) > 1:
            kernels = ops.split(kernel, self.gates, -1)
            biases = [None] * self.gates if bias is None else ops.split(bias, self.gates, -1)
            return [nn.linear(ops.multiply(x, mask), part, offset)
                    for mask, part, offset in zip(masks, kernels, biases)]
        if masks is not None:
            x = ops.multiply(x, masks[0])
        return ops.split(nn.linear(x, kernel, bias), self.gates, -1)

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        """Zeros, one tensor per state."""
        return [zeros_of_batch(inputs, batch_size, size, dtype or self.compute_dtype) for size in state_sizes(self)]


def _only_state(states):
    """The state of a cell that has one, given in a list or by itself."""
    return states[0] if isinstance(states, (list, tuple)) else states


def _given_as(states, state):
    """The new state of a cell that has one, in a list where the one before was."""
    return [state] if isinstance(states, (list, tuple)) else state


class SimpleRNNCell(_Cell):
    """One time step of a fully connected recurrent layer; arguments as for `SimpleRNN`."""

    def __init__(self, units, activation='tanh', use_bias=True, kernel_initializer='glorot_uniform',
                 recurrent_initializer='orthogonal', bias_initializer='zeros', kernel_regularizer=None,
                 recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
                 bias_constraint=None, dropout=0., recurrent_dropout=0., seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def call(self, inputs, states, training=None):
        input_masks, state_masks = self._masks_for(inputs, training)
        bias = None if self.bias is None else self.bias.value
        x, = self._products(inputs, input_masks, self.kernel.value, bias)
        h, = self._products(_only_state(states), state_masks, self.recurrent_kernel.value)
        output = self.activation(ops.add(x, h))
        return output, _given_as(states, output)


class GRUCell(_Cell):
    """One time step of a GRU; arguments as for `GRU`."""
    gates = 3

    def __init__(self, units, activation='tanh', recurrent_activation=Default('GRU.recurrent_activation'),
                 use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None,
                 recurrent_constraint=None, bias_constraint=None, dropout=0., recurrent_dropout=0., implementation=2,
                 reset_after=Default('GRU.reset_after'), seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def _bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def call(self, inputs, states, training=None):
        input_masks, state_masks = self._masks_for(inputs, training)
        bias = None if self.bias is None else self.bias.value
        input_bias, recurrent_bias = (bias[0], bias[1]) if self.reset_after and bias is not None else (bias, None)
        h, kernel = _only_state(states), self.recurrent_kernel.value
        x_z, x_r, x_h = self._products(inputs, input_masks, self.kernel.value, input_bias)
        h_z, h_r, h_h = self._products(h, state_masks, kernel, recurrent_bias)
        z = self.recurrent_activation(ops.add(x_z, h_z))
        r = self.recurrent_activation(ops.add(x_r, h_r))
        if self.reset_after:
            recurrent = ops.multiply(r, h_h)
        else:
            masked = h if state_masks is None else ops.multiply(h, state_masks[-1])
            recurrent = ops.matmul(ops.multiply(r, masked), ops.split(kernel, 3, -1)[2])
        candidate = self.activation(ops.add(x_h, recurrent))
        output = ops.add(ops.multiply(z, h), ops.multiply(ops.subtract(1.0, z), candidate))
        return output, _given_as(states, output)


class LSTMCell(_Cell):
    """One time step of an LSTM; arguments as for `LSTM`."""
    gates = 4
    number_of_states = 2

    def __init__(self, units, activation='tanh', recurrent_activation=Default('LSTM.recurrent_activation'),
                 use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.,
                 recurrent_dropout=0., implementation=2, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def _bias_initializer(self):
        return forget_bias_of_one(self.bias_initializer, self.units) if self.unit_forget_bias else \
            self.bias_initializer

    def call(self, inputs, states, training=None):
        input_masks, state_masks = self._masks_for(inputs, training)
        bias = None if self.bias is None else self.bias.value
        h, c = states
        xs = self._products(inputs, input_masks, self.kernel.value, bias)
        hs = self._products(h, state_masks, self.recurrent_kernel.value)
        o, c = self.gated([ops.add(x, y) for x, y in zip(xs, hs)], c)
        h = ops.multiply(o, self.activation(c))
        return h, [h, c]

    def _compute_carry_and_output_fused(self, z, c_tm1):
        # By this name cells written for tf.keras end their step: (new state, output gate).
        return self.gated(z, c_tm1)[::-1]

    def gated(self, gates, c):
        """(the output gate, the new state of the cell) for the sums of the gates' inputs and the state before."""
        i, f, candidate, o = gates
        i, f, o = [self.recurrent_activation(gate) for gate in (i, f, o)]
        return o, ops.add(ops.multiply(f, c), ops.multiply(i, self.activation(candidate)))


def forget_bias_of_one(initializer, units):
    """`initializer` for a bias (4 * units,), with ones for the forget gate (Jozefowicz et al. 2015)."""
    def initialize(shape, dtype=None):
        bias = initializer(shape, dtype=dtype)
        bias[units:2 * units] = 1
        return bias
    return initialize


def each_gate(initializer, gates):
    """`initializer` for a kernel (units, gates * units), used for the kernel of each gate by itself."""
    def initialize(shape, dtype=None):
        parts = [initializer((shape[0], shape[1] // gates), dtype=dtype) for _ in range(gates)]
        return np.concatenate([to_array(part) for part in parts], axis=1)
    return initialize


def _implementation(value):
    """1 or 2; Keras 1's and tf.keras's 0 means 1."""
    if value not in (0, 1, 2):
        raise ValueError('`implementation` must be 1 or 2. Received: %r' % (value,))
    return value or 1


class StackedRNNCells(Layer):
    """Several cells as one: each takes the output of the one before.

    Args:
        cells: list of cells.
        reverse_state_order: the states of the last cell come first, as in Keras 2.1 and before.

    Example:
        >>> cell = keras.layers.StackedRNNCells([keras.layers.LSTMCell(4), keras.layers.LSTMCell(3)])
        >>> keras.layers.RNN(cell)(np.ones((2, 5, 6), 'float32')).shape
        (2, 3)
    """

    later = ('reverse_state_order',)

    def __init__(self, cells, reverse_state_order=False, **kwargs):
        super().__init__(**kwargs)
        cells = list(cells)
        for cell in cells:
            _check_cell(cell)
        self.declare(locals())

    @property
    def state_size(self):
        """The sizes of all states as a tuple, cell after cell."""
        return tuple(size for cell in self.in_order_of_states() for size in state_sizes(cell))

    def in_order_of_states(self):
        """The cells in the order in which their states are listed."""
        return self.cells[::-1] if self.reverse_state_order else self.cells

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        """The first states of each cell, a list of them: zeros, where the cell does not say otherwise."""
        found = []
        for cell in self.in_order_of_states():
            make = getattr(cell, 'get_initial_state', None)
            if make is None:
                zeros = [zeros_of_batch(inputs, batch_size, size, dtype or self.compute_dtype)
                         for size in state_sizes(cell)]
                found.append(zeros if len(zeros) > 1 else zeros[0])
            else:
                given = {'inputs': inputs, 'batch_size': batch_size, 'dtype': dtype}
                if inputs is not None and not has_arg(make, 'inputs'):
                    given['batch_size'] = ops.shape(inputs)[0]
                found.append(make(**{name: value for name, value in given.items() if has_arg(make, name)}))
        return found

    @property
    def output_size(self):
        return output_size(self.cells[-1])

    def build(self, input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        constants = input_shape[1:] if isinstance(input_shape, list) else []
        for cell in self.cells:
            if isinstance(cell, Layer):
                takes_constants = constants and has_arg(cell.call, 'constants')
                cell.ensure_built([shape] + constants if takes_constants else shape)
            shape = (shape[0], output_size(cell))
        self.built = True

    def call(self, inputs, states, constants=None, training=None):
        remaining, new_states = iter(tree.flatten(states)), {}
        by_place = [[next(remaining) for _ in state_sizes(cell)] for cell in self.in_order_of_states()]
        if self.reverse_state_order:
            by_place.reverse()
        for place, (cell, own) in enumerate(zip(self.cells, by_place)):
            inputs, states_of_cell = cell.call(inputs, own, **_cell_arguments(cell, constants, training))
            new_states[place] = to_list(states_of_cell, True)
        places = sorted(new_states, reverse=self.reverse_state_order)
        new_states = [state for place in places for state in new_states[place]]
        return inputs, new_states

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        cells = [kind_in('keras.layers').deserialize(cell, custom_objects) for cell in config.pop('cells')]
        return cls(cells, **config)


def _check_cell(cell):
    if not hasattr(cell, 'call') or not hasattr(cell, 'state_size'):
        raise ValueError('A recurrent cell needs a method `call(inputs, states)` and an attribute `state_size`. '
                         'Received: %r' % (cell,))


def state_sizes(cell):
    """The sizes of the states of `cell`, as a list of ints or shapes."""
    sizes = cell.state_size
    return list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]


def output_size(cell):
    """The size of the output of `cell`: by default that of its first state."""
    size = getattr(cell, 'output_size', None)
    return state_sizes(cell)[0] if size is None else size


def _cell_arguments(cell, constants, training):
    arguments = {}
    if has_arg(cell.call, 'training'):
        arguments['training'] = training
    if constants and has_arg(cell.call, 'constants'):
        arguments['constants'] = constants
    return arguments


def _with_batch(batch, size):
    return (batch,) + (tuple(size) if isinstance(size, (list, tuple)) else (size,))


def _in_floats_of(inputs, state):
    """A state of a cell, whose dtype may be another one, as what runs over `inputs` keeps it."""
    dtype = dtype_of(inputs)
    return ops.cast(state, dtype) if is_float(dtype) and is_float(dtype_of(state)) else state


def zeros_of_batch(inputs, batch_size, size, dtype):
    """Zeros for each sample of `inputs`, or `batch_size` of them; `size` is an int or a shape."""
    if batch_size is None:
        batch_size = ops.shape(inputs)[0]
    if batch_size is not None:
        return ops.zeros(_with_batch(batch_size, size), dtype)
    # Symbolic inputs: how many samples there are is known when the graph runs.
    of_samples = ops.any(ops.zeros_like(inputs, dtype='bool'), axis=tuple(range(1, ndim(inputs))))
    sizes = _with_batch(1, size)
    return ops.add(ops.reshape(ops.cast(of_samples, dtype), (-1,) + (1,) * (len(sizes) - 1)), ops.zeros(sizes, dtype))


# --- the layer ------------------------------------------------------------------------------------------------------

class _States:
    """Variables that are state and not weights; a layer's weights are not looked for in here."""

    def __init__(self, variables):
        self.variables = variables


class RNN(Layer):
    """A cell run over the time axis of its inputs.

    Args:
        cell: a cell, or a list of cells that are stacked.
        return_sequences: give the outputs of all steps, not only of the last.
        return_state: give the last states too, as a list behind the output.
        go_backwards: begin at the last step; outputs are then in that order.
        stateful: begin each batch with the states at the end of the one before, sample by sample; needs a fixed
            batch size. `reset_states()` sets them to zero.
        unroll: lay out the steps one by one: faster for short sequences of a known length.
        zero_output_for_mask: outputs of masked steps are zero.
        num_constants: how many of the tensors in a list of inputs are constants for the cell, see below.

    The call takes `mask` (batch, steps), `initial_state` (a list of tensors) and `constants` (a list of tensors
    given to the cell at each step). Input (batch, steps, ...). Where a step is masked, the states stay as they
    are and the output repeats the one before.

    Example:
        >>> keras.layers.RNN(keras.layers.SimpleRNNCell(3), return_sequences=True)(np.ones((2, 5, 4), 'float32')).shape
        (2, 5, 3)
    """

    input_spec = InputSpec(min_ndim=3)
    supports_masking = True
    later = ('zero_output_for_mask', 'num_constants')
    without_effect = {'time_major': False}
    takes_steps = True

    not_asked = frozenset(('inner_loop',))

    def __init__(self, cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False,
                 unroll=False, zero_output_for_mask=False, num_constants=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        _check_cell(cell)
        self.declare(locals())
        self._states = None

    def types_of_cells(self):
        return ('float16', 'bfloat16') if self.ruled('cells_in_16_bits') else ()

    # --- shapes

    def _state_shapes(self, input_shape):
        """The shapes of the states for inputs of `input_shape`."""
        return [_with_batch(input_shape[0], size) for size in state_sizes(self.cell)]

    def _by_cell(self, parts):
        """What there is for each state as the states are returned."""
        if not isinstance(self.cell, StackedRNNCells) or not self.ruled('stacked_states_in_lists'):
            return parts
        remaining = iter(parts)
        found = []
        for cell in self.cell.in_order_of_states():
            own = [next(remaining) for _ in state_sizes(cell)]
            # The state of a cell that says one size, and makes no list of states, is no list.
            is_list = isinstance(cell.state_size, (list, tuple)) or hasattr(cell, 'get_initial_state')
            found.append(own if is_list else own[0])
        return found

    def _output_shape(self, input_shape):
        return _with_batch(input_shape[0], output_size(self.cell))

    def compute_output_shape(self, input_shape):
        input_shape = first_shape(input_shape)
        output = self._output_shape(input_shape)
        if self.return_sequences:
            output = (output[0], input_shape[1]) + output[1:]
        return [output] + self._by_cell(self._state_shapes(input_shape)) if self.return_state else output

    def compute_mask(self, inputs, mask=None):
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        return [mask] + self._by_cell([None] * len(state_sizes(self.cell))) if self.return_state else mask

    def build(self, input_shape):
        constants = []
        if self.num_constants:
            constants = [tuple(shape) for shape in input_shape[-self.num_constants:]]
        input_shape = first_shape(input_shape)
        step_shape = (input_shape[0],) + tuple(input_shape[2:])
        if isinstance(self.cell, Layer):
            self.cell.ensure_built([step_shape] + constants if constants else step_shape)
        if self.stateful:
            self.make_states(input_shape)
        self.built = True

    # --- states

    def make_states(self, input_shape):
        shapes = self._state_shapes(input_shape)
        if any(None in shape for shape in shapes):
            raise ValueError('Layer %r (%s) is stateful, so the batch size must be known (and the sizes of its '
                             'states). Received inputs of shape %s. Give batch_input_shape=(batch size, ...) to the '
                             'first layer of a Sequential model, or batch_shape to Input.'
                             % (self.name, type(self).__name__, tuple(input_shape)))
        self._states = _States([Variable(initializers.Zeros(), shape=shape, dtype=self.compute_dtype, trainable=False,
                                         name='%s_state_%d' % (self.name, index))
                                for index, shape in enumerate(shapes)])

    def states_by_name(self):
        states = [] if self._states is None else self._states.variables
        return {'state_%d' % number: state for number, state in enumerate(states)}

    def replace_parts(self, instead):
        super().replace_parts(instead)
        if self._states is not None:
            self._states = _States([instead.get(id(state), state) for state in self._states.variables])

    @property
    def states(self):
        """The state variables of a stateful layer; a None for each state otherwise."""
        if self._states is None:
            return [None] * len(state_sizes(self.cell))
        return self._states.variables

    @states.setter
    def states(self, values):
        self.reset_states(values)

    def reset_states(self, states=None):
        """Set the states of a stateful layer to zero, or to the arrays `states`.

        Raises:
            AttributeError: if the layer is not stateful, or not built yet. ValueError: for a wrong number of
                arrays, or a wrong shape.
        """
        if not self.stateful:
            raise AttributeError('Layer %r (%s) must be stateful to have states that can be reset.'
                                 % (self.name, type(self).__name__))
        if self._states is None:
            raise AttributeError('Layer %r (%s) has no states yet. Build it first: call it, or give the model an input '
                                 'shape with a batch size.' % (self.name, type(self).__name__))
        variables = self._states.variables
        if states is None:
            for variable in variables:
                variable.assign(initializers.Zeros()(variable.shape, variable.dtype))
            return
        states = to_list(states, True)
        if len(states) != len(variables):
            raise ValueError('Layer %r (%s) has %d states, reset_states received %d arrays.'
                             % (self.name, type(self).__name__, len(variables), len(states)))
        for variable, value in zip(variables, states):
            variable.assign(value)

    def reset_state(self):
        """Keras 3's name of `reset_states()`."""
        self.reset_states()

    def get_initial_state(self, inputs=None, batch_size=None):
        """The states to begin with: zeros, unless the cell says otherwise.

        Args:
            inputs: those of a call. batch_size: how many samples, where there are no inputs; as in Keras 3 it may be
                the only argument.
        """
        if inputs is None or isinstance(inputs, int):
            return self._states_of_cell(inputs if batch_size is None else batch_size)
        make = getattr(self.cell, 'get_initial_state', None)
        if make is None:
            return [zeros_of_batch(inputs, None, size, self.compute_dtype) for size in state_sizes(self.cell)]
        given = {'inputs': inputs} if has_arg(make, 'inputs') else {'batch_size': ops.shape(inputs)[0]}
        return [_in_floats_of(inputs, state) for state in tree.flatten(make(**given))]

    def _states_of_cell(self, batch_size):
        make = getattr(self.cell, 'get_initial_state', None)
        if make is None:
            return [zeros_of_batch(None, batch_size, size, self.compute_dtype) for size in state_sizes(self.cell)]
        return tree.flatten(make(batch_size=batch_size))

    # --- calling

    def __call__(self, inputs, initial_state=None, constants=None, **kwargs):
        inputs, states, constants = self._split(inputs, initial_state, constants)
        if constants:
            self.num_constants = len(constants)
        if not states and not constants:
            return super().__call__(inputs, **kwargs)
        # One list, as Keras 2 has it: states and constants are inputs like any other.
        return super().__call__([inputs] + states + constants, **kwargs)

    def _split(self, inputs, states, constants):
        """(inputs, list of states, list of constants) from what a call was given."""
        if isinstance(inputs, (list, tuple)):
            inputs, given = inputs[0], list(inputs[1:])
            if constants is None and self.num_constants:
                given, constants = given[:-self.num_constants], given[-self.num_constants:]
            if states is None:
                states = given
        states = [] if states is None else tree.flatten(to_list(states, True))
        constants = [] if constants is None else to_list(constants, True)
        if states and len(states) != len(state_sizes(self.cell)):
            raise ValueError('Layer %r (%s) has %d states, but it was called with %d initial states.'
                             % (self.name, type(self).__name__, len(state_sizes(self.cell)), len(states)))
        return inputs, states, constants

    def named_states(self, inputs):
        """(inputs, {'initial_state': ..., 'constants': ...}) from the list that the layer was called with."""
        inputs, states, constants = self._split(inputs, None, None)
        named = {'initial_state': self._by_cell(states) if states else None, 'constants': constants}
        return inputs, {name: given for name, given in named.items() if given}

    def get_build_config(self):
        """The shape of the inputs; those of states follow from the layer, as Keras 3 has it."""
        config = super().get_build_config()
        return config if self.num_constants else of_first_input(config)

    def assert_input_compatibility(self, inputs):
        super().assert_input_compatibility(inputs[0] if isinstance(inputs, (list, tuple)) else inputs)

    def call(self, inputs, mask=None, training=None, initial_state=None, constants=None):
        inputs, states, constants = self._split(inputs, initial_state, constants)
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if not states and self.stateful:
            # A copy: the states are written below, and engines that write in place need them for the gradient.
            states = [ops.add(state.value, 0.0) for state in self._states.variables]
        elif not states:
            states = self.get_initial_state(inputs)
        self._check_rows(inputs, states)
        output, states = self._run_over_time(inputs, states, constants, mask, training)
        if self.stateful and context.keeping_states:
            for variable, value in zip(self._states.variables, states):
                variable.assign(value)
        return [output] + self._by_cell(list(states)) if self.return_state else output

    def _check_rows(self, inputs, states):
        rows = static_shape(inputs)[0]
        found = [static_shape(state)[0] for state in states if ndim(state)]
        if rows is not None and any(count is not None and count != rows for count in found):
            cause = 'a stateful layer takes batches of one size only' if self.stateful else \
                'an `initial_state` of another batch'
            raise ValueError('Layer %r (%s) received a batch size of %d, but its states are for %s. The usual '
                             'cause: %s.' % (self.name, type(self).__name__, rows, ' and '.join(map(str, found)),
                                             cause))

    def _run_over_time(self, inputs, states, constants, mask, training):
        """(output, last states), by the general loop over the cell."""
        arguments = _cell_arguments(self.cell, constants, training)

        def step(x, states):
            output, states = self.cell.call(x, states, **arguments)
            return output, to_list(states, True)
        dropping = self._draw_masks(inputs, states) if training else []
        # Read here: the value that a loop's body reads would belong to the body on engines that trace it.
        for weight in getattr(self.cell, 'weights', ()):
            weight.value
        try:
            last, outputs, states = rnn(step, inputs, states, self.go_backwards, mask, None, self.unroll, None, False,
                                        self.zero_output_for_mask, self.return_sequences)
        finally:
            for cell in dropping:
                cell.forget_masks()
        return outputs if self.return_sequences else last, states

    @staticmethod
    def _maybe_reset_cell_dropout_mask(cell):
        # By this name the `call` of subclasses written for tf.keras begins a sequence.
        if hasattr(cell, 'forget_masks'):
            cell.forget_masks()

    def _draw_masks(self, inputs, states):
        if not isinstance(self.cell, Layer):
            return []
        cells = [cell for cell in self.cell.walk_layers() if hasattr(cell, 'draw_masks')]
        for cell in cells:
            cell.draw_masks(inputs[:, 0], states)
        return cells

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**dict(config, cell=kind_in('keras.layers').deserialize(config['cell'], custom_objects)))


def first_shape(shape):
    """The shape of the inputs proper, where those of states and constants follow."""
    return tuple(shape[0]) if isinstance(shape[0], (list, tuple)) else tuple(shape)


# --- layers of one standard cell --------------------------------------------------------------------------------------

def _of_cell(name):
    def get(self):
        return getattr(self.cell, name)
    get.__doc__ = 'The `%s` of the cell.' % name
    return property(get)


class OfCell:
    """The part of an RNN that makes its own cell: its arguments are those of the cell and of `RNN`.

    cell_class: the class of the cell. A constructor hands on its `locals()`.
    """
    cell_class = None
    # What the cell is called where its layer has a name.
    cell_name = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if 'cell_class' in vars(cls):
            for name in declared_arguments(cls.cell_class):
                setattr(cls, name, _of_cell(name))

    def __init__(self, given):
        arguments = dict(given, **given['kwargs'])
        for name in ('self', 'kwargs', '__class__'):
            del arguments[name]
        of_cell = {name: arguments.pop(name) for name in declared_arguments(self.cell_class) if name in arguments}
        of_cell.update({name: arguments[name] for name in ('dtype', 'trainable') if name in arguments})
        if generations.value('cells_are_not_numbered'):
            of_cell['name'] = self.cell_name
        super().__init__(self.cell_class(**of_cell), **arguments)

    def get_config(self):
        config = super().get_config()
        config.setdefault('activity_regularizer', None)
        of_cell = config.pop('cell')['config']
        if forms.is_full(self):
            of_cell = {name: value for name, value in of_cell.items()
                       if value is not None or name not in forms.only_given_in_3(type(self))}
        return dict({name: of_cell[name] for name in declared_arguments(self.cell_class) if name in of_cell}, **config)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


class _CellLayer(OfCell, RNN):
    """An RNN of one standard cell, which runs as a whole sequence where nothing stands against it."""
    input_spec = InputSpec(ndim=3)
    # Every engine decides by itself.
    without_effect = dict(RNN.without_effect, use_cudnn=ANY)

    def __init__(self, given):
        super().__init__(given)
        if 'use_cudnn' in given['kwargs']:
            self.use_cudnn = given['kwargs']['use_cudnn']

    def build(self, input_shape):
        super().build(input_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: first_shape(input_shape)[-1]})

    def _run_over_time(self, inputs, states, constants, mask, training):
        cell = self.cell
        dropping = training and (cell.recurrent_dropout or cell.dropout and cell._separate_masks())
        if dropping or constants or self.zero_output_for_mask:
            return super()._run_over_time(inputs, states, constants, mask, training)
        if training and cell.dropout:
            masks, _ = cell._drawn_masks(inputs)
            inputs = ops.multiply(inputs, ops.expand_dims(masks[0], 1))
        bias = None if cell.bias is None else cell.bias.value
        output, *states = self._sequence(inputs, states, cell.kernel.value, cell.recurrent_kernel.value, bias, mask)
        return output, states


def _named(activation):
    """The name of a common activation, by which engines know it; the function otherwise."""
    if activation == activations.hard_sigmoid and hasattr(activation, 'generation'):
        sixth = generations.value('hard_sigmoid_sixth', activation.generation)
        return 'hard_sigmoid' if sixth else 'hard_sigmoid_keras2'
    return {activations.tanh: 'tanh', activations.sigmoid: 'sigmoid', activations.relu: 'relu',
            activations.linear: 'linear'}.get(activation, activation)


class SimpleRNN(_CellLayer):
    """A fully connected recurrent layer: `h = activation(x @ kernel + h @ recurrent_kernel + bias)`.

    Args:
        units: size of output and state.
        activation: of the output. use_bias: whether a bias is added.
        kernel_..., recurrent_..., bias_...: initializers, regularizers and constraints of the weights.
        activity_regularizer: penalty on the output.
        dropout, recurrent_dropout: share of the inputs, and of the state, dropped in training; the same ones at
            all steps of a sequence (Gal and Ghahramani 2016).
        return_sequences, return_state, go_backwards, stateful, unroll: as for `RNN`.

    Input (batch, steps, features), output (batch, units) or (batch, steps, units).
    """
    cell_class, cell_name = SimpleRNNCell, 'simple_rnn_cell'
    without_effect = dict(_CellLayer.without_effect, implementation=ANY)

    def __init__(self, units, activation='tanh', use_bias=True, kernel_initializer='glorot_uniform',
                 recurrent_initializer='orthogonal', bias_initializer='zeros', kernel_regularizer=None,
                 recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 recurrent_constraint=None, bias_constraint=None, dropout=0., recurrent_dropout=0.,
                 return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
                 **kwargs):
        super().__init__(locals())

    def _sequence(self, inputs, states, kernel, recurrent_kernel, bias, mask):
        return simple_rnn_sequence(inputs, states[0], kernel, recurrent_kernel, bias, mask, self.go_backwards,
                                   self.return_sequences, _named(self.cell.activation), self.unroll)


class GRU(_CellLayer):
    """Gated recurrent units.

    Args:
        units: size of output and state.
        activation, recurrent_activation: of the candidate state, and of the gates.
        use_bias: whether a bias is added.
        kernel_..., recurrent_..., bias_...: initializers, regularizers and constraints of the weights.
        activity_regularizer: penalty on the output.
        dropout, recurrent_dropout: as for `SimpleRNN`.
        implementation: with 1 every gate has dropout masks of its own, with 2 they share one; otherwise the same.
        return_sequences, return_state, go_backwards, stateful, unroll: as for `RNN`.
        reset_after: apply the reset gate after the recurrent product, as cuDNN (and Keras 3 by default) does.

    Input (batch, steps, features), output (batch, units) or (batch, steps, units).

    Source: Cho et al., Learning phrase representations using RNN encoder-decoder (2014).
    """
    cell_class, cell_name = GRUCell, 'gru_cell'
    use_cudnn = 'auto'

    def __init__(self, units, activation='tanh', recurrent_activation=Default('GRU.recurrent_activation'),
                 use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.,
                 recurrent_dropout=0., implementation=2, return_sequences=False, return_state=False,
                 go_backwards=False, stateful=False, unroll=False, reset_after=Default('GRU.reset_after'), **kwargs):
        super().__init__(locals())

    def _sequence(self, inputs, states, kernel, recurrent_kernel, bias, mask):
        cell = self.cell
        return gru_sequence(inputs, states[0], kernel, recurrent_kernel, bias, mask, self.go_backwards,
                            self.return_sequences, _named(cell.activation), _named(cell.recurrent_activation),
                            cell.reset_after, self.unroll)


class LSTM(_CellLayer):
    """Long short-term memory.

    Args:
        units: size of output and states.
        activation, recurrent_activation: of candidate and output, and of the gates.
        use_bias: whether a bias is added.
        unit_forget_bias: begin with a bias of 1 for the forget gate (Jozefowicz et al. 2015).
        kernel_..., recurrent_..., bias_...: initializers, regularizers and constraints of the weights.
        activity_regularizer: penalty on the output.
        dropout, recurrent_dropout: as for `SimpleRNN`.
        implementation: with 1 every gate has dropout masks of its own, with 2 they share one; otherwise the same.
        return_sequences, return_state, go_backwards, stateful, unroll: as for `RNN`. The states are h and c.

    Input (batch, steps, features), output (batch, units) or (batch, steps, units).

    Source: Hochreiter and Schmidhuber, Long short-term memory (1997).

    Example:
        >>> output, h, c = keras.layers.LSTM(3, return_state=True)(np.ones((2, 5, 4), 'float32'))
        >>> output.shape, c.shape
        ((2, 3), (2, 3))
    """
    cell_class, cell_name = LSTMCell, 'lstm_cell'
    use_cudnn = 'auto'

    def __init__(self, units, activation='tanh', recurrent_activation=Default('LSTM.recurrent_activation'),
                 use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
                 dropout=0., recurrent_dropout=0., implementation=2, return_sequences=False, return_state=False,
                 go_backwards=False, stateful=False, unroll=False, **kwargs):
        super().__init__(locals())

    def _sequence(self, inputs, states, kernel, recurrent_kernel, bias, mask):
        return lstm_sequence(inputs, states[0], states[1], kernel, recurrent_kernel, bias, mask, self.go_backwards,
                             self.return_sequences, _named(self.cell.activation),
                             _named(self.cell.recurrent_activation), self.unroll)
