"""Layers around another layer: `TimeDistributed` and `Bidirectional`."""
from keras import ops
from keras.backend import rules
from keras.layers.arguments import to_list
from keras.layers.base import InputSpec, Layer
from keras.layers.functions import has_arg


class Wrapper(Layer):
    """The base of layers around another layer.

    Args:
        layer: the layer inside.
    """

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ValueError('%s must be given a layer. Received: %r' % (type(self).__name__, layer))
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape=None):
        self.layer._ensure_built(input_shape)
        self.built = True

    def get_config(self):
        from keras.layers import serialize
        config = super().get_config()
        config['layer'] = serialize(self.layer)
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        from keras.layers import deserialize
        config = dict(config)
        return cls(deserialize(config.pop('layer'), custom_objects), **config)


class TimeDistributed(Wrapper):
    """A layer applied to every time step.

    Args:
        layer: the layer. Input (batch, steps, ...), output (batch, steps, ...).

    Example:
        >>> keras.layers.TimeDistributed(keras.layers.Dense(3))(np.ones((2, 5, 4), 'float32')).shape
        (2, 5, 3)
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.supports_masking = True
        self.input_spec = InputSpec(min_ndim=2)
        self._takes_mask = has_arg(layer.call, 'mask')
        self._takes_training = has_arg(layer.call, 'training')

    def build(self, input_shape):
        input_shape = tuple(input_shape)
        self.layer._ensure_built((input_shape[0],) + input_shape[2:])
        self.built = True

    def compute_output_shape(self, input_shape):
        input_shape = tuple(input_shape)
        inner = self.layer.compute_output_shape((input_shape[0],) + input_shape[2:])
        if isinstance(inner, list):
            return [tuple(shape[:1]) + input_shape[1:2] + tuple(shape[1:]) for shape in inner]
        return tuple(inner[:1]) + input_shape[1:2] + tuple(inner[1:])

    def call(self, inputs, training=None, mask=None):
        arguments = {}
        if self._takes_training:
            arguments['training'] = training
        if self._takes_mask and mask is not None and ops.ndim(mask) > 2:
            arguments['mask'] = _joined(mask)
        sizes = ops.shape(inputs)
        outputs = self.layer.call(_joined(inputs), **arguments)
        if self.layer.activity_regularizer is not None:
            self.layer._add_activity_losses(outputs)
        if isinstance(outputs, (list, tuple)):
            return [_parted(output, sizes) for output in outputs]
        return _parted(outputs, sizes)

    def compute_mask(self, inputs, mask=None):
        """A mask of the steps if there is one, and of what is inside them if the layer makes one."""
        inner_mask = _joined(mask) if mask is not None and ops.ndim(mask) > 2 else None
        if type(self.layer).compute_mask is Layer.compute_mask and not self.layer.supports_masking:
            return mask if mask is None or ops.ndim(mask) == 2 else ops.any(mask, tuple(range(2, ops.ndim(mask))))
        inner = self.layer.compute_mask(_joined(inputs), inner_mask)
        if inner is None:
            return None if mask is None else ops.any(mask, tuple(range(2, ops.ndim(mask)))) \
                if ops.ndim(mask) > 2 else mask
        return _parted(inner, ops.shape(inputs))


def _joined(x):
    """(batch, steps, ...) as (batch * steps, ...)."""
    sizes = ops.shape(x)
    inner = sizes[2:]
    if 0 in [size for size in sizes if isinstance(size, int)]:
        return ops.reshape(x, (sizes[0] * sizes[1],) + inner)
    return ops.reshape(x, (-1,) + inner)


def _parted(x, sizes):
    """(batch * steps, ...) as (batch, steps, ...), given the sizes of the inputs."""
    batch = sizes[0] if isinstance(sizes[0], int) or not isinstance(sizes[1], int) else -1
    return ops.reshape(x, (batch, sizes[1]) + ops.shape(x)[1:])


class Bidirectional(Wrapper):
    """A recurrent layer, and the same run backwards.

    Args:
        layer: the recurrent layer.
        merge_mode: how the two outputs become one: 'concat', 'sum', 'mul', 'ave', or None for a list of both.
        weights: initial values of the weights of both, forward ones first.
        backward_layer: the layer to run backwards, default a copy of `layer` with weights of its own.

    With `return_state` the states of both follow the output, forward ones first.

    Source: Schuster and Paliwal, Bidirectional recurrent neural networks (1997).

    Example:
        >>> keras.layers.Bidirectional(keras.layers.LSTM(3))(np.ones((2, 5, 4), 'float32')).shape
        (2, 6)
    """

    def __init__(self, layer, merge_mode='concat', weights=None, backward_layer=None, **kwargs):
        super().__init__(layer, **kwargs)
        if merge_mode not in ('sum', 'mul', 'ave', 'concat', None):
            raise ValueError('Bidirectional: `merge_mode` must be "sum", "mul", "ave", "concat" or None. Received: %r'
                             % (merge_mode,))
        for name in ('go_backwards', 'return_sequences', 'return_state', 'stateful'):
            if not hasattr(layer, name):
                raise ValueError('Bidirectional: the layer must be recurrent, with an attribute %r. Received: %r'
                                 % (name, layer))
        self.merge_mode = merge_mode
        self._given_backward = backward_layer is not None
        self.forward_layer, self.backward_layer = self._both(layer, backward_layer)
        # The forward layer stands for the one given, so that the weights are listed once.
        self.layer = self.forward_layer
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        self.supports_masking = True
        self.input_spec = layer.input_spec
        if weights:
            half = len(weights) // 2
            self.forward_layer._initial_weights = weights[:half]
            self.backward_layer._initial_weights = weights[half:]

    def _both(self, layer, backward_layer):
        config = layer.get_config()
        forward = type(layer).from_config(_renamed(config, 'forward_'))
        if backward_layer is None:
            config['go_backwards'] = not config['go_backwards']
            return forward, type(layer).from_config(_renamed(config, 'backward_'))
        if backward_layer.go_backwards == layer.go_backwards:
            raise ValueError('Bidirectional: `backward_layer` must run in the other direction than `layer`; both have '
                             'go_backwards=%s.' % layer.go_backwards)
        return forward, backward_layer

    # --- building

    def build(self, input_shape):
        self.forward_layer._ensure_built(input_shape)
        self.backward_layer._ensure_built(input_shape)
        self.built = True

    def compute_output_shape(self, input_shape):
        shapes = self.forward_layer.compute_output_shape(input_shape)
        output, states = (tuple(shapes[0]), list(shapes[1:])) if self.return_state else (tuple(shapes), [])
        if self.merge_mode == 'concat':
            output = output[:-1] + (rules.product((2, output[-1])),)
        outputs = [output, output] if self.merge_mode is None else [output]
        if self.return_state:
            return outputs + states + states
        return outputs if self.merge_mode is None else output

    def compute_mask(self, inputs, mask=None):
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        masks = [mask, mask] if self.merge_mode is None else mask
        if not self.return_state:
            return masks
        states = [None] * (2 * len(self.forward_layer.states))
        return (masks if isinstance(masks, list) else [masks]) + states

    # --- calling

    def __call__(self, inputs, initial_state=None, constants=None, **kwargs):
        inputs, states, constants = self._split(inputs, initial_state, constants)
        self.forward_layer._num_constants = self.backward_layer._num_constants = len(constants) or None
        if not states and not constants:
            return super().__call__(inputs, **kwargs)
        return super().__call__([inputs] + states + constants, **kwargs)

    def _split(self, inputs, states, constants):
        if isinstance(inputs, (list, tuple)):
            inputs, given = inputs[0], list(inputs[1:])
            count = self.forward_layer._num_constants
            if constants is None and count:
                given, constants = given[:-count], given[-count:]
            if states is None:
                states = given
        states = [] if states is None else to_list(states, True)
        if len(states) % 2:
            raise ValueError('Layer %r (Bidirectional) takes as many initial states for the forward as for the '
                             'backward layer. Received %d tensors.' % (self.name, len(states)))
        return inputs, states, [] if constants is None else to_list(constants, True)

    def assert_input_compatibility(self, inputs):
        super().assert_input_compatibility(inputs[0] if isinstance(inputs, (list, tuple)) else inputs)

    def call(self, inputs, mask=None, training=None, initial_state=None, constants=None):
        inputs, states, constants = self._split(inputs, initial_state, constants)
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        half = len(states) // 2
        both = []
        for layer, initial in ((self.forward_layer, states[:half]), (self.backward_layer, states[half:])):
            both.append(layer.call(inputs, mask=mask, training=training, initial_state=initial or None,
                                   constants=constants or None))
        forward, backward = both
        states = []
        if self.return_state:
            states = list(forward[1:]) + list(backward[1:])
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            backward = ops.flip(backward, 1)
        merged = self._merged(forward, backward)
        if not self.return_state:
            return merged
        return (merged if isinstance(merged, list) else [merged]) + states

    def _merged(self, forward, backward):
        if self.merge_mode is None:
            return [forward, backward]
        if self.merge_mode == 'concat':
            return ops.concatenate([forward, backward], -1)
        if self.merge_mode == 'mul':
            return ops.multiply(forward, backward)
        total = ops.add(forward, backward)
        return total if self.merge_mode == 'sum' else ops.multiply(total, 0.5)

    def reset_states(self):
        """Set the states of both layers to zero."""
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    @property
    def states(self):
        return self.forward_layer.states + self.backward_layer.states

    # --- configuration

    def get_config(self):
        from keras.layers import serialize
        config = super().get_config()
        config['layer'] = serialize(self.forward_layer)
        config['layer']['config'] = _renamed(config['layer']['config'], '')
        config['merge_mode'] = self.merge_mode
        if self._given_backward:
            config['backward_layer'] = serialize(self.backward_layer)
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        from keras.layers import deserialize
        config = dict(config)
        if config.get('backward_layer') is not None:
            config['backward_layer'] = deserialize(config['backward_layer'], custom_objects)
        num_constants = config.pop('num_constants', None)
        result = super().from_config(config, custom_objects)
        result.forward_layer._num_constants = result.backward_layer._num_constants = num_constants
        return result


def _renamed(config, prefix):
    """`config` with the layer's own name behind `prefix`."""
    name = config['name']
    for known in ('forward_', 'backward_'):
        name = name[len(known):] if name.startswith(known) else name
    return dict(config, name=prefix + name)
