"""`CuDNNGRU` and `CuDNNLSTM`: GRU and LSTM with cuDNN's two biases. They run on every engine and device."""
from keras import ops
from keras.backend.table.composites.rnn import gru_sequence, lstm_sequence
from keras.layers.arguments import positive_integer
from keras.layers.base import InputSpec
from keras.layers.recurrent import RNN, first_shape


class _Sizes:
    """What `RNN` asks of a cell; there is none, since the sequence runs as a whole."""

    def __init__(self, state_size, output_size):
        self.state_size = state_size
        self.output_size = output_size

    def call(self, inputs, states):
        raise NotImplementedError('cuDNN layers have no cell that could be called for one step.')


class _CuDNNRNN(RNN):
    """gates: how many times `units` wide the weights are. states: how many states there are."""
    input_spec = InputSpec(ndim=3)
    gates = None
    number_of_states = 1

    def __init__(self, units, **kwargs):
        units = positive_integer(units, type(self).__name__, 'units')
        super().__init__(_Sizes([units] * self.number_of_states, units), **kwargs)
        self.declare(locals())

    def build(self, input_shape):
        shape = first_shape(input_shape)
        width = self.gates * self.units
        self.kernel = self.add_weight(name='kernel', shape=(shape[-1], width))
        self.recurrent_kernel = self.add_weight(name='recurrent_kernel', shape=(self.units, width))
        self.bias = self.add_weight(name='bias', shape=(2 * width,), initializer=self._bias_start())
        self.input_spec = InputSpec(ndim=3, axes={-1: shape[-1]})
        if self.stateful:
            self.make_states(shape)
        self.built = True

    def _bias_start(self):
        return self.bias_initializer

    def get_config(self):
        config = super().get_config()
        del config['cell'], config['unroll']
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


class CuDNNGRU(_CuDNNRNN):
    """A GRU with `reset_after` and cuDNN's layout of the biases (those of the inputs, then the recurrent ones).

    Args:
        units: size of output and state.
        kernel_..., recurrent_..., bias_..., activity_regularizer, return_...: as for `GRU`.
    """
    gates = 3

    def __init__(self, units, kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal',
                 bias_initializer='zeros', kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
                 return_sequences=False, return_state=False, stateful=False, **kwargs):
        super().__init__(units, return_sequences=return_sequences, return_state=return_state, stateful=stateful,
                         **kwargs)
        self.declare(locals())

    def _run_over_time(self, inputs, states, constants, mask, training):
        bias = ops.reshape(self.bias.value, (2, 3 * self.units))
        output, *states = gru_sequence(inputs, states[0], self.kernel.value, self.recurrent_kernel.value, bias, mask,
                                       self.go_backwards, self.return_sequences, 'tanh', 'sigmoid', True, False)
        return output, states


class CuDNNLSTM(_CuDNNRNN):
    """An LSTM with cuDNN's two biases (that of the inputs, then the recurrent one).

    Args:
        units: size of output and states.
        unit_forget_bias: begin with a bias of 1 for the forget gate.
        kernel_..., recurrent_..., bias_..., activity_regularizer, return_...: as for `LSTM`.
    """
    gates = 4
    number_of_states = 2

    def __init__(self, units, kernel_initializer='glorot_uniform', recurrent_initializer='orthogonal',
                 bias_initializer='zeros', unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None,
                 bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
                 bias_constraint=None, return_sequences=False, return_state=False, stateful=False, **kwargs):
        super().__init__(units, return_sequences=return_sequences, return_state=return_state, stateful=stateful,
                         **kwargs)
        self.declare(locals())

    def _bias_start(self):
        if not self.unit_forget_bias:
            return self.bias_initializer

        def initialize(shape, dtype=None):
            bias = self.bias_initializer(shape, dtype=dtype)
            bias[5 * self.units:6 * self.units] = 1
            return bias
        return initialize

    def _run_over_time(self, inputs, states, constants, mask, training):
        first, second = ops.split(self.bias.value, 2, 0)
        output, *states = lstm_sequence(inputs, states[0], states[1], self.kernel.value, self.recurrent_kernel.value,
                                        ops.add(first, second), mask, self.go_backwards, self.return_sequences, 'tanh',
                                        'sigmoid', False)
        return output, states
