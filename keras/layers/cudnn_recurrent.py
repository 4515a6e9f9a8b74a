"""`CuDNNGRU` and `CuDNNLSTM`: GRU and LSTM with cuDNN's two biases. They run on every engine and device."""
from keras import constraints, initializers, ops, regularizers
from keras.backend.composites.rnn import gru_sequence, lstm_sequence
from keras.layers.arguments import positive_integer
from keras.layers.base import InputSpec, Layer
from keras.layers.recurrent import RNN, _first_shape


class _Sizes:
    """What `RNN` asks of a cell; there is none, since the sequence runs as a whole."""

    def __init__(self, state_size, output_size):
        self.state_size = state_size
        self.output_size = output_size

    def call(self, inputs, states):
        raise NotImplementedError('cuDNN layers have no cell that could be called for one step.')


class _CuDNNRNN(RNN):
    """gates: how many times `units` wide the weights are. states: how many states there are."""
    gates = None
    number_of_states = 1

    def __init__(self, units, activity_regularizer, loop, kwargs, **weights):
        self.units = positive_integer(units, type(self).__name__, 'units')
        sizes = _Sizes([self.units] * self.number_of_states, self.units)
        super().__init__(sizes, **loop, **kwargs)
        for kind in ('kernel', 'recurrent', 'bias'):
            setattr(self, kind + '_initializer', initializers.get(weights[kind + '_initializer']))
            setattr(self, kind + '_regularizer', regularizers.get(weights[kind + '_regularizer']))
            setattr(self, kind + '_constraint', constraints.get(weights[kind + '_constraint']))
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape):
        shape = _first_shape(input_shape)
        width = self.gates * self.units
        self.kernel = self.add_weight(name='kernel', shape=(shape[-1], width), initializer=self.kernel_initializer,
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.recurrent_kernel = self.add_weight(
            name='recurrent_kernel', shape=(self.units, width), initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint)
        self.bias = self.add_weight(name='bias', shape=(2 * width,), initializer=self._bias_start(),
                                    regularizer=self.bias_regularizer, constraint=self.bias_constraint)
        self.input_spec = InputSpec(ndim=3, axes={-1: shape[-1]})
        if self.stateful:
            self._make_states(shape)
        self.built = True

    def _bias_start(self):
        return self.bias_initializer

    def get_config(self):
        config = Layer.get_config(self)
        config.update(units=self.units, return_sequences=self.return_sequences, return_state=self.return_state,
                      go_backwards=self.go_backwards, stateful=self.stateful,
                      activity_regularizer=regularizers.serialize(self.activity_regularizer))
        for kind in ('kernel', 'recurrent', 'bias'):
            config[kind + '_initializer'] = initializers.serialize(getattr(self, kind + '_initializer'))
            config[kind + '_regularizer'] = regularizers.serialize(getattr(self, kind + '_regularizer'))
            config[kind + '_constraint'] = constraints.serialize(getattr(self, kind + '_constraint'))
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
        super().__init__(units, activity_regularizer,
                         dict(return_sequences=return_sequences, return_state=return_state, stateful=stateful), kwargs,
                         kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
                         bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
                         recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
                         kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
                         bias_constraint=bias_constraint)

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
        self.unit_forget_bias = unit_forget_bias
        super().__init__(units, activity_regularizer,
                         dict(return_sequences=return_sequences, return_state=return_state, stateful=stateful), kwargs,
                         kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
                         bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
                         recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
                         kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
                         bias_constraint=bias_constraint)

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

    def get_config(self):
        config = super().get_config()
        config['unit_forget_bias'] = self.unit_forget_bias
        return config
