"""LSTM cells whose gates see the state of the cell."""
from keras import ops
from keras.layers.recurrent import LSTMCell


class PeepholeLSTMCell(LSTMCell):
    """`LSTMCell` whose gates look at the cell's state as well: Gers, Schraudolph and Schmidhuber (2002).

    The gates of input and forgetting add the state before the step, that of the output the state after it, each times a
    weight of its own per unit. Arguments as for `LSTMCell`, with tf.keras's default of `recurrent_activation`.

    Example:
        >>> cell = keras.experimental.PeepholeLSTMCell(4)
        >>> keras.layers.RNN(cell)(np.ones((2, 5, 3), 'float32')).shape
        (2, 4)
    """

    def __init__(self, units, activation='tanh', recurrent_activation='hard_sigmoid', **kwargs):
        super().__init__(units, activation, recurrent_activation, **kwargs)

    def build(self, input_shape):
        super().build(input_shape)
        self.input_gate_peephole_weights, self.forget_gate_peephole_weights, self.output_gate_peephole_weights = [
            self.add_weight(name=gate + '_gate_peephole_weights', shape=(self.units,),
                            initializer=self.kernel_initializer)
            for gate in ('input', 'forget', 'output')]

    def gated(self, gates, c):
        i, f, candidate, o = gates
        i = self.recurrent_activation(ops.add(i, ops.multiply(c, self.input_gate_peephole_weights.value)))
        f = self.recurrent_activation(ops.add(f, ops.multiply(c, self.forget_gate_peephole_weights.value)))
        c = ops.add(ops.multiply(f, c), ops.multiply(i, self.activation(candidate)))
        o = self.recurrent_activation(ops.add(o, ops.multiply(c, self.output_gate_peephole_weights.value)))
        return o, c
