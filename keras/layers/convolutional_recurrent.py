"""Convolutional LSTM: an LSTM whose products are convolutions."""
from keras import ops, random
from keras.backend.table.composites.conv import convolution
from keras.backend.table.composites.nn import bias_add
from keras.generations import Default
from keras.layers.arguments import (channel_axis, check_rate, join_shape, known_channels, split_shape, window_lengths)
from keras.layers.base import InputSpec, Layer  # noqa: F401
from keras.layers.families import Spatial
from keras.layers.recurrent import RNN, OfCell, forget_bias_of_one, zeros_of_batch


class _ConvLSTMCell(Spatial):
    """One time step of a convolutional LSTM over `rank` spatial axes."""
    later = ('seed',)

    def declare(self, given):
        super().declare(given)
        name = type(self).__name__
        if max(self.strides) > 1 and max(self.dilation_rate) > 1 and not self.ruled('dilation_with_strides_waits'):
            raise ValueError('%s: Specifying `strides > 1` is not compatible with `dilation_rate > 1`. Received: '
                             'strides=%s, dilation_rate=%s' % (name, self.strides, self.dilation_rate))
        check_rate(self.dropout, name, 'dropout')
        check_rate(self.recurrent_dropout, name, 'recurrent_dropout')
        if self.dropout or self.recurrent_dropout:
            self.seed_generator = random.SeedGenerator(self.seed)
        self.state_size = (self.filters, self.filters)
        self._masks = None

    def build(self, input_shape):
        channels = known_channels(self, input_shape, self.data_format)
        width = 4 * self.filters
        self.kernel = self.add_weight(name='kernel', shape=self.kernel_size + (channels, width), layout='conv_kernel')
        self.recurrent_kernel = self.add_weight(
            name='recurrent_kernel', shape=self.kernel_size + (self.filters, width), layout='conv_kernel')
        self.bias = None
        if self.use_bias:
            initializer = self.bias_initializer
            if self.unit_forget_bias:
                initializer = forget_bias_of_one(initializer, self.filters)
            self.bias = self.add_weight(name='bias', shape=(width,), initializer=initializer)
        self.built = True

    def state_shape(self, input_shape):
        """The shape of a state, given that of the inputs of one step."""
        sizes, _ = split_shape(input_shape, self.data_format)
        lengths = window_lengths(sizes, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        return join_shape(input_shape[0], lengths, self.filters, self.data_format)

    def draw_masks(self, inputs, states):
        """Draw the dropout masks for one sequence; `inputs` and `states` are those of one time step."""
        self._masks = (self._mask(self.dropout, inputs), self._mask(self.recurrent_dropout, states[0]))

    def forget_masks(self):
        self._masks = None

    def _mask(self, rate, x):
        return random.dropout(ops.ones_like(x), rate, None, self.seed_generator) if rate else None

    def input_conv(self, x, w, b=None, padding='valid'):
        """The convolution of the inputs."""
        result = convolution(x, w, self.strides, padding, self.data_format, self.dilation_rate)
        return result if b is None else bias_add(result, b, channel_axis(self.data_format))

    def recurrent_conv(self, x, w):
        """The convolution of the state, which keeps its size."""
        return convolution(x, w, 1, 'same', self.data_format, 1)

    def call(self, inputs, states, training=None):
        h, c = states
        masks = (None, None)
        if training and (self.dropout or self.recurrent_dropout):
            masks = self._masks or (self._mask(self.dropout, inputs), self._mask(self.recurrent_dropout, h))
        x = inputs if masks[0] is None else ops.multiply(inputs, masks[0])
        masked = h if masks[1] is None else ops.multiply(h, masks[1])
        products = ops.add(self.input_conv(x, self.kernel.value, None if self.bias is None else self.bias.value,
                                           self.padding), self.recurrent_conv(masked, self.recurrent_kernel.value))
        i, f, candidate, o = ops.split(products, 4, channel_axis(self.data_format))
        i, f, o = [self.recurrent_activation(gate) for gate in (i, f, o)]
        c = ops.add(ops.multiply(f, c), ops.multiply(i, self.activation(candidate)))
        h = ops.multiply(o, self.activation(c))
        return h, [h, c]


class ConvLSTM2DCell(_ConvLSTMCell):
    """One time step of a convolutional LSTM over images; arguments as for `ConvLSTM2D`."""
    rank = 2

    def __init__(self, filters, kernel_size, strides=Default('ConvLSTM2D.strides'), padding='valid', data_format=None,
                 dilation_rate=Default('ConvLSTM2D.strides'), activation='tanh',
                 recurrent_activation=Default('ConvLSTM2D.recurrent_activation'), use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.,
                 recurrent_dropout=0., seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class ConvLSTM1DCell(_ConvLSTMCell):
    """One time step of a convolutional LSTM over one spatial axis; arguments as for `ConvLSTM1D`."""
    rank = 1

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1,
                 activation='tanh', recurrent_activation=Default('ConvLSTM2D.recurrent_activation'),
                 use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.,
                 recurrent_dropout=0., seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class ConvLSTM3DCell(_ConvLSTMCell):
    """One time step of a convolutional LSTM over volumes; arguments as for `ConvLSTM3D`."""
    rank = 3

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1,
                 activation='tanh', recurrent_activation=Default('ConvLSTM2D.recurrent_activation'),
                 use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.,
                 recurrent_dropout=0., seed=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())


class ConvRNN2D(RNN):
    """A convolutional cell run over time: input (batch, steps, spatial..., channels), in general images.

    Args:
        cell: a cell with `state_shape(input_shape)`.
        return_sequences, return_state, go_backwards, stateful, unroll: as for `RNN`.
    """
    input_spec = InputSpec(ndim=5)

    def __init__(self, cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False,
                 unroll=False, **kwargs):
        if isinstance(cell, (list, tuple)):
            raise TypeError('%s: convolutional cells cannot be stacked. Put the layers one behind the other, with '
                            'return_sequences=True.' % type(self).__name__)
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll, **kwargs)

    def _output_shape(self, input_shape):
        return self.cell.state_shape((input_shape[0],) + tuple(input_shape[2:]))

    def _state_shapes(self, input_shape):
        return [self._output_shape(input_shape)] * len(self.cell.state_size)

    def get_initial_state(self, inputs):
        """Zeros of the shape of the states."""
        shape = self._output_shape([size if isinstance(size, int) else None for size in ops.shape(inputs)])
        if None in shape[1:]:  # then the convolution itself tells the sizes
            kernel = self.cell.kernel
            nothing = ops.zeros(tuple(kernel.shape[:-1]) + (self.cell.filters,), dtype=self.compute_dtype)
            first = ops.cast(ops.zeros_like(inputs[:, 0]), self.compute_dtype)
            zeros = self.cell.input_conv(first, nothing, padding=self.cell.padding)
            return [zeros for _ in self.cell.state_size]
        return [zeros_of_batch(inputs, None, shape[1:], self.compute_dtype) for _ in self.cell.state_size]


class ConvLSTM2D(OfCell, ConvRNN2D):
    """A convolutional LSTM: an LSTM for sequences of images whose products are convolutions.

    Args:
        filters: number of channels of output and states.
        kernel_size, strides, padding, data_format, dilation_rate: of the convolution of the inputs, as for
            `Conv2D`; that of the states keeps their size.
        activation, recurrent_activation: of candidate and output, and of the gates.
        use_bias, unit_forget_bias: as for `LSTM`; and the initializers, regularizers and constraints.
        dropout, recurrent_dropout: share of the inputs, and of the state, dropped in training.
        return_sequences, return_state, go_backwards, stateful: as for `RNN`.

    Input (batch, steps, rows, columns, channels), or channels third with 'channels_first'.

    Source: Shi et al., Convolutional LSTM network: a machine learning approach for precipitation nowcasting (2015).
    """
    cell_class, cell_name = ConvLSTM2DCell, 'conv_lstm_cell'

    def __init__(self, filters, kernel_size, strides=Default('ConvLSTM2D.strides'), padding='valid', data_format=None,
                 dilation_rate=Default('ConvLSTM2D.strides'), activation='tanh',
                 recurrent_activation=Default('ConvLSTM2D.recurrent_activation'), use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
                 return_sequences=False, go_backwards=False, stateful=False, dropout=0., recurrent_dropout=0.,
                 seed=None, **kwargs):
        super().__init__(locals())


class ConvLSTM1D(OfCell, ConvRNN2D):
    """A convolutional LSTM for sequences of vectors with channels; arguments as for `ConvLSTM2D`.

    Input (batch, steps, size, channels), or channels third with 'channels_first'.
    """
    cell_class, cell_name = ConvLSTM1DCell, 'conv_lstm_cell'
    input_spec = InputSpec(ndim=4)

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1,
                 activation='tanh', recurrent_activation=Default('ConvLSTM2D.recurrent_activation'),
                 use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
                 return_sequences=False, go_backwards=False, stateful=False, dropout=0., recurrent_dropout=0.,
                 seed=None, **kwargs):
        super().__init__(locals())


class ConvLSTM3D(OfCell, ConvRNN2D):
    """A convolutional LSTM for sequences of volumes; arguments as for `ConvLSTM2D`.

    Input (batch, steps, depth, rows, columns, channels), or channels third with 'channels_first'.
    """
    cell_class, cell_name = ConvLSTM3DCell, 'conv_lstm_cell'
    input_spec = InputSpec(ndim=6)

    def __init__(self, filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1,
                 activation='tanh', recurrent_activation=Default('ConvLSTM2D.recurrent_activation'),
                 use_bias=True,
                 kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal', bias_initializer='zeros',
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
                 return_sequences=False, go_backwards=False, stateful=False, dropout=0., recurrent_dropout=0.,
                 seed=None, **kwargs):
        super().__init__(locals())
