"""`Recurrent`, the base of recurrent layers before there were cells, for layers of your own that extend it."""
from keras import ops, random
from keras.backend.contract.context import context
from keras.backend.state.variables import Variable, to_array
from keras.backend.table.composites import nn
from keras.backend.table.composites.rnn import rnn
from keras.layers.arguments import to_list
from keras.layers.base import InputSpec, Layer
from keras.layers.functions import has_arg
from keras.layers.recurrent import first_shape


class Recurrent(Layer):
    """The base of recurrent layers in Keras 1 and early Keras 2. `RNN` with a cell has taken its place.

    Args:
        return_sequences: the outputs of all steps instead of the last. return_state: the last states as well.
        go_backwards: from the last step to the first. stateful: go on where the last batch ended.
        unroll: a copy of the computation for every step instead of a loop.
        implementation: kept as an attribute, for the subclass to heed.

    A subclass defines `step(inputs, states)`, which returns (output, list of new states), and sets `units` (in Keras 1
    `output_dim`) and, in `build`, `states`: a list with None for each state. It may define `get_initial_state(inputs)`
    (`get_initial_states`), `get_constants(inputs)`, which are given to `step` behind the states, and
    `preprocess_input(inputs)`.
    """
    takes_steps = True
    supports_masking = True

    def __init__(self, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
                 implementation=0, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.input_spec = [InputSpec(ndim=3)]
        self._values = None

    # --- states

    @property
    def states(self):
        """None for each state, or the variables that keep them between batches."""
        return self._values.variables if self._values is not None and self._values.variables is not None \
            else self.__dict__.get('_unset', [None])

    @states.setter
    def states(self, states):
        if any(isinstance(state, Variable) for state in states):
            self._values = _Kept(list(states))
        else:
            self._values, self._unset = None, list(states)

    def reset_states(self, states=None):
        """Set the states of a stateful layer to zero, or to a list of arrays.

        Raises:
            AttributeError: if the layer is not stateful. ValueError: if the batch size is not known.
        """
        if not self.stateful:
            raise AttributeError('Layer %s must be stateful to have its states reset.' % self.name)
        if self._values is None:
            self._make_states(self.inbound_nodes[0].input_shapes[0] if self.inbound_nodes else (None,))
        given = [0.0] * len(self.states) if states is None else to_list(states, True)
        for variable, value in zip(self.states, given):
            variable.assign(ops.zeros(variable.shape) if states is None else value)

    def _make_states(self, input_shape):
        if input_shape[0] is None:
            raise ValueError('Layer %r (%s) is stateful, so the batch size must be known. Give the first layer of a '
                             'Sequential model a batch_input_shape, or an Input a batch_shape.'
                             % (self.name, type(self).__name__))
        self._values = _Kept([Variable(to_array(0.0), shape=shape, trainable=False)
                              for shape in self._state_shapes(input_shape)])

    def _state_shapes(self, input_shape):
        return [(input_shape[0], self._units())] * len(self.states)

    def _units(self):
        units = self.__dict__.get('units', self.__dict__.get('output_dim'))
        if units is None:
            raise AttributeError('Layer %r (%s) must set `units` in its constructor: the size of its output.'
                                 % (self.name, type(self).__name__))
        return units

    # --- what subclasses define

    def step(self, inputs, states):
        """(output, list of new states) for one step; `states` are followed by the constants."""
        raise NotImplementedError('%s must define step(inputs, states).' % type(self).__name__)

    def get_constants(self, inputs, training=None):
        """Tensors that are the same for all steps."""
        return []

    def get_initial_state(self, inputs):
        """The states to begin with: zeros."""
        return [ops.zeros(shape, self.compute_dtype) for shape in self._state_shapes(ops.shape(inputs))]

    def preprocess_input(self, inputs, training=None):
        """What the steps run on instead of the inputs."""
        return inputs

    # --- calling

    def compute_output_shape(self, input_shape):
        shape = first_shape(input_shape)
        output = shape[:2] + (self._units(),) if self.return_sequences else (shape[0], self._units())
        return [output] + self._state_shapes(shape) if self.return_state else output

    def compute_mask(self, inputs, mask=None):
        mask = (mask[0] if isinstance(mask, (list, tuple)) else mask) if self.return_sequences else None
        return [mask] + [None] * len(self.states) if self.return_state else mask

    def __call__(self, inputs, initial_state=None, **kwargs):
        if isinstance(inputs, (list, tuple)):
            inputs, initial_state = inputs[0], list(inputs[1:]) or initial_state
        if initial_state is None:
            return super().__call__(inputs, **kwargs)
        return super().__call__([inputs] + to_list(initial_state, True), **kwargs)

    def assert_input_compatibility(self, inputs):
        super().assert_input_compatibility(inputs[0] if isinstance(inputs, (list, tuple)) else inputs)

    def ensure_built(self, input_shape):
        super().ensure_built(first_shape(input_shape))
        if self.stateful and self._values is None:
            self._make_states(first_shape(input_shape))

    def call(self, inputs, mask=None, training=None):
        initial = None
        if isinstance(inputs, (list, tuple)):
            inputs, initial = inputs[0], list(inputs[1:])
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if not initial:
            initial = [ops.add(state.value, 0.0) for state in self.states] if self.stateful else \
                self._asked('get_initial_state', inputs)
        constants = self._asked('get_constants', inputs, training)
        steps = self._asked('preprocess_input', inputs, training)
        for weight in self.weights:
            weight.value  # read before the loop: what its body reads would belong to the body
        last, outputs, states = rnn(self._run_step, steps, initial, self.go_backwards, mask, constants, self.unroll,
                                    inputs.shape[1])
        if self.stateful and context.keeping_states:
            for variable, value in zip(self.states, states):
                variable.assign(value)
        output = outputs if self.return_sequences else last
        return [output] + list(states) if self.return_state else output

    def _run_step(self, inputs, states):
        output, states = self.step(inputs, states)
        return output, to_list(states, True)

    def _asked(self, name, inputs, training=None):
        """What the method `name` gives, under its name in Keras 1 where a subclass has that, with the training flag
        where it takes one.
        """
        method = getattr(self, name + 's' if name == 'get_initial_state' and hasattr(type(self), name + 's') else name)
        found = method(inputs, training=training) if has_arg(method, 'training') else method(inputs)
        return found if name == 'preprocess_input' else to_list(found, True)


class _Kept:
    """The variables of the states, which are no weights of the layer."""

    def __init__(self, variables):
        self.variables = variables


class ConvRecurrent2D(Recurrent):
    """The base of recurrent layers over images (batch, steps, rows, columns, channels); see `Recurrent`.

    Args:
        filters, kernel_size, strides, padding, data_format, dilation_rate: as for `ConvLSTM2D`, kept as attributes.
        return_sequences, go_backwards, stateful: as for `Recurrent`.
    """

    def __init__(self, filters=None, kernel_size=None, strides=(1, 1), padding='valid', data_format=None,
                 dilation_rate=(1, 1), return_sequences=False, go_backwards=False, stateful=False, **kwargs):
        super().__init__(return_sequences=return_sequences, go_backwards=go_backwards, stateful=stateful, **kwargs)
        self.declare(locals())
        self.input_spec = [InputSpec(ndim=5)]


def time_distributed_dense(x, w, b=None, dropout=None, input_dim=None, output_dim=None, timesteps=None,
                           training=None):
    """`x @ w + b` for every step of `x` (batch, steps, size); with `dropout` the same part of the sizes is dropped.

    input_dim, output_dim, timesteps: the sizes, which the tensors know themselves.
    """
    if dropout and training:
        sizes = ops.shape(x)
        x = random.dropout(x, dropout, (sizes[0], 1, sizes[2]))
    return nn.linear(x, w, b)
