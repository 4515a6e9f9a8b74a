"""Layers around another layer: `TimeDistributed`, `Bidirectional` and `SpectralNormalization`."""
from keras import initializers, ops
from keras.backend.contract import rules, tree
from keras.backend.table.composites.math import l2_normalize
from keras.backend.table.composites.shape import dtype_of, join_batch, part_batch, static_shape
from keras.layers.arguments import of_first_input, to_list
from keras.layers.base import InputSpec, Layer
from keras.layers.shapes import map_shapes
from keras.layers.calls import is_ours, signature_of
from keras.layers.functions import has_arg
from keras.saving import forms
from keras.saving.kinds import kind_in


class Wrapper(Layer):
    """The base of layers around another layer.

    Args:
        layer: the layer inside.
    """

    trainable_reaches_inside = True

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ValueError("Layer %r supplied to %s isn't a supported layer type. Please ensure wrapped layer is a "
                             'valid Keras layer.' % (layer, type(self).__name__))
        super().__init__(**kwargs)
        self.declare(locals())

    def build(self, input_shape=None):
        self.layer.ensure_built(input_shape)
        self.built = True

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        return cls(kind_in('keras.layers').deserialize(config.pop('layer'), custom_objects), **config)


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
        self.layer.ensure_built(_of_step(input_shape))
        self.built = True

    def compute_output_shape(self, input_shape):
        inner = self.layer.compute_output_shape(_of_step(input_shape))
        return map_shapes(lambda shape: shape[:1] + tuple(input_shape[1:2]) + shape[1:], inner)

    def call(self, inputs, training=None, mask=None):
        arguments = {}
        if self._takes_training:
            arguments['training'] = training
        if mask is not None:
            self._check_mask(inputs, mask)
        if self._takes_mask and mask is not None and (ops.ndim(mask) > 2 or self._masks_whole_steps()):
            arguments['mask'] = join_batch(mask)
        if training and self._normalizes_step_by_step(inputs):
            return self._each_step(inputs, **arguments)
        outputs = self.layer.call(join_batch(inputs), **arguments)
        if self.layer.activity_regularizer is not None and self.ruled('steps_regularize_activity'):
            self.layer.add_activity_losses(outputs)
        return tree.map_structure(lambda output: part_batch(output, inputs), outputs)

    def _normalizes_step_by_step(self, inputs):
        """Whether each step is a batch of its own to a layer that looks at the whole batch."""
        return static_shape(inputs)[1] is not None and self.ruled('steps_are_normalized_alone') and any(
            getattr(layer, 'masks_samples', False) for layer in self.layer.walk_layers())

    def _each_step(self, inputs, mask=None, **arguments):
        count = static_shape(inputs)[1]
        masks = [{}] * count if mask is None else [
            {'mask': of_step} for of_step in ops.unstack(part_batch(mask, inputs), count, 1)]
        each = [self.layer.call(step, **dict(arguments, **of_step))
                for step, of_step in zip(ops.unstack(inputs, count, 1), masks)]
        stacked = [ops.stack(outputs, 1) for outputs in zip(*map(tree.flatten, each))]
        return tree.pack_as(each[0], stacked)

    def _masks_whole_steps(self):
        """Whether the layer is to know which steps count, to which it is a mask of samples."""
        knows = getattr(self.layer, 'masks_samples', False) or not is_ours(type(self.layer))
        return knows and self.ruled('steps_are_masked_inside')

    def _check_mask(self, inputs, mask):
        found = tuple(static_shape(mask))[:2], tuple(static_shape(inputs))[:2]
        if any(None not in (size, other) and size != other for size, other in zip(*found)):
            raise ValueError('Layer %r: The `mask` passed to the `TimeDistributed` layer has a shape that does not '
                             'begin like that of the inputs, (batch, steps). Received: a mask of shape %s, inputs of '
                             'shape %s.'
                             % (self.name, tuple(static_shape(mask)), tuple(static_shape(inputs))))

    def compute_mask(self, inputs, mask=None):
        """A mask of the steps if there is one, and of what is inside them if the layer makes one."""
        inner_mask = join_batch(mask) if mask is not None and ops.ndim(mask) > 2 else None
        if type(self.layer).compute_mask is Layer.compute_mask and not self.layer.supports_masking:
            return _of_steps(mask)
        inner = self.layer.compute_mask(join_batch(inputs), inner_mask)
        if all(leaf is None for leaf in tree.flatten(inner)):
            return _of_steps(mask)
        return tree.map_structure(lambda leaf: None if leaf is None else part_batch(leaf, inputs), inner)


def _of_step(shape):
    """The shape of the batch of all steps, from that of a batch of sequences."""
    return tuple(shape[:1]) + tuple(shape[2:])


def _of_steps(mask):
    """The mask of whole steps, from one of what is in them: a step counts where anything in it does."""
    return mask if mask is None or ops.ndim(mask) == 2 else ops.any(mask, tuple(range(2, ops.ndim(mask))))


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

    def types_of_cells(self):
        return ('float16', 'bfloat16') if self.ruled('cells_in_16_bits') else ()

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
        for one in (self.forward_layer, self.backward_layer):
            if hasattr(one, 'zero_output_for_mask') and self.ruled('both_directions_mask_with_zeros'):
                one.zero_output_for_mask = one.return_sequences
            if hasattr(layer, 'use_cudnn') and backward_layer is None:
                one.use_cudnn = layer.use_cudnn
        # The forward layer stands for the one given, so that the weights are listed once.
        self.layer = self.forward_layer
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        self.supports_masking = True
        self.input_spec = layer.input_spec
        if weights:
            half = len(weights) // 2
            self.forward_layer.start_with(weights[:half])
            self.backward_layer.start_with(weights[half:])

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
        self.forward_layer.ensure_built(input_shape)
        self.backward_layer.ensure_built(input_shape)
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
        self.forward_layer.num_constants = self.backward_layer.num_constants = len(constants) or None
        if not states and not constants:
            return super().__call__(inputs, **kwargs)
        return super().__call__([inputs] + states + constants, **kwargs)

    def _split(self, inputs, states, constants):
        if isinstance(inputs, (list, tuple)):
            inputs, given = inputs[0], list(inputs[1:])
            count = self.forward_layer.num_constants
            if constants is None and count:
                given, constants = given[:-count], given[-count:]
            if states is None:
                states = given
        states = [] if states is None else to_list(states, True)
        if len(states) % 2:
            raise ValueError('Layer %r (Bidirectional) takes as many initial states for the forward as for the '
                             'backward layer. Received %d tensors.' % (self.name, len(states)))
        return inputs, states, [] if constants is None else to_list(constants, True)

    def named_states(self, inputs):
        """(inputs, {'initial_state': ..., 'constants': ...}) from the list that the layer was called with."""
        inputs, states, constants = self._split(inputs, None, None)
        named = {'initial_state': states, 'constants': constants}
        return inputs, {name: given for name, given in named.items() if given}

    def get_build_config(self):
        """The shape of the inputs; those of states follow from the layer, as Keras 3 has it."""
        config = super().get_build_config()
        return config if self.forward_layer.num_constants else of_first_input(config)

    def assert_input_compatibility(self, inputs):
        super().assert_input_compatibility(inputs[0] if isinstance(inputs, (list, tuple)) else inputs)

    def call(self, inputs, mask=None, training=None, initial_state=None, constants=None):
        inputs, states, constants = self._split(inputs, initial_state, constants)
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        half = len(states) // 2
        both = []
        for layer, initial in ((self.forward_layer, states[:half]), (self.backward_layer, states[half:])):
            both.append(layer.call(inputs, **self._arguments_for(layer, mask, training, initial, constants)))
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

    @staticmethod
    def _arguments_for(layer, mask, training, states, constants):
        """What the `call` of `layer` gets: recurrent layers of one's own may take less than ours."""
        signature = signature_of(type(layer))
        given = {'mask': mask, 'training': training}
        given = {name: value for name, value in given.items() if name in signature.names or signature.has_kwargs}
        if states:
            given['initial_state'] = states
        if constants:
            given['constants'] = constants
        return given

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

    def reset_state(self):
        """Keras 3's name of `reset_states()`."""
        self.reset_states()

    @property
    def states(self):
        return self.forward_layer.states + self.backward_layer.states

    # --- configuration

    def get_config(self):
        config = dict(super().get_config(), merge_mode=self.merge_mode)
        full = forms.is_full(self)
        if not full:
            config['layer']['config'] = _renamed(config['layer']['config'], '')
        if self._given_backward or full:
            config['backward_layer'] = kind_in('keras.layers').serialize(self.backward_layer)
        if self.forward_layer.num_constants is not None:
            config['num_constants'] = self.forward_layer.num_constants
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        if config.get('backward_layer') is not None:
            config['backward_layer'] = kind_in('keras.layers').deserialize(config['backward_layer'], custom_objects)
        num_constants = config.pop('num_constants', None)
        result = super().from_config(config, custom_objects)
        if num_constants is not None:
            result.forward_layer.num_constants = result.backward_layer.num_constants = num_constants
        return result


def _renamed(config, prefix):
    """`config` with the layer's own name behind `prefix`."""
    name = config['name']
    for known in ('forward_', 'backward_'):
        name = name[len(known):] if name.startswith(known) else name
    return dict(config, name=prefix + name)


class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by its largest singular value in every training call.

    Args:
        layer: one with a `kernel` or `embeddings`. power_iterations: how often the singular vector is refined per call.

    Source: Miyato et al., Spectral normalization for generative adversarial networks (2018).
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError('SpectralNormalization: `power_iterations` should be greater than zero. Received: %r'
                             % (power_iterations,))
        self.declare(locals())

    def build(self, input_shape):
        super().build(input_shape)
        kernel = getattr(self.layer, 'kernel', getattr(self.layer, 'embeddings', None))
        if kernel is None:
            raise ValueError("SpectralNormalization: layer %s (%s) object has no attribute 'kernel' nor 'embeddings'."
                             % (self.layer.name, type(self.layer).__name__))
        self.kernel = kernel
        self.vector_u = self.add_weight(name='vector_u', shape=(1, kernel.shape[-1]), trainable=False,
                                        initializer=initializers.TruncatedNormal(stddev=0.02))
        self.built = True

    def call(self, inputs, training=None):
        if training:
            self._normalize()
        outputs = self.layer(inputs, training=training)
        return tree.map_structure(self._in_own_floats, outputs)

    def _in_own_floats(self, output):
        return ops.cast(output, self.compute_dtype) if rules.is_float(dtype_of(output)) else output

    def normalized_weights(self):
        """(the vector that the next power iteration begins with, the kernel divided by its largest singular value)."""
        matrix, largest, u = self._measured()
        return u, ops.reshape(ops.divide(matrix, largest), self.kernel.shape)

    def _measured(self):
        """(the kernel as a matrix, its largest singular value, the vector u) after `power_iterations`."""
        matrix = ops.reshape(self.kernel.value, (-1, self.kernel.shape[-1]))
        u, turned = self.vector_u.value, ops.transpose(matrix)
        for _ in range(self.power_iterations):
            v = l2_normalize(ops.matmul(u, turned))
            u = l2_normalize(ops.matmul(v, matrix))
        u, v = ops.stop_gradient(u), ops.stop_gradient(v)
        largest = ops.matmul(ops.matmul(v, matrix), ops.transpose(u))
        largest = ops.where(ops.equal(largest, 0), ops.ones_like(largest), largest)  # of a kernel of zeros
        return matrix, largest, u

    def _normalize(self):
        matrix, largest, u = self._measured()
        self.vector_u.assign(u)
        # The gradient is that of the kernel as it is now, whatever it was divided by: so it is in Keras 3 on the
        # engines where assigning takes effect at once (TensorFlow, PyTorch).
        change = ops.subtract(ops.divide(matrix, largest), matrix)
        self.kernel.assign(ops.reshape(ops.add(matrix, ops.stop_gradient(change)), self.kernel.shape))

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)
