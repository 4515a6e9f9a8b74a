"""Quantizers, and how a layer is quantized."""
from keras.configurable import Configurable, plain
from keras.quantizers import functions
from keras.saving.kinds import kind_in


class Quantizer(Configurable):
    """Base class of what makes integers of floats.

    Args:
        output_dtype: the type of the integers.

    Example:
        >>> class Rounding(keras.quantizers.Quantizer):
        ...     def __call__(self, x):
        ...         return keras.ops.cast(keras.ops.round(x), self.output_dtype), 1.0
    """

    def __init__(self, output_dtype='int8'):
        super().__init__()
        self.output_dtype = output_dtype

    def __call__(self, x):
        """(integers, scale) for a tensor."""
        return x

    def get_config(self):
        raise NotImplementedError('%s does not implement get_config()' % self)


class AbsMaxQuantizer(Quantizer):
    """The largest absolute value along some axes becomes the largest integer, see `abs_max_quantize`.

    Args:
        axis: int or ints; None where each call says them. value_range: the smallest and the largest integer.
        epsilon: keeps the divisor away from 0. output_dtype: the type of the integers.

    Raises:
        ValueError: for a range that the type does not hold.

    Example:
        >>> numbers, scale = keras.quantizers.AbsMaxQuantizer(axis=-1)(np.array([[1.0, -4.0]], 'float32'))
        >>> [int(number) for number in numbers[0]]
        [32, -127]
    """

    def __init__(self, axis=None, value_range=(-127, 127), epsilon=1e-07, output_dtype='int8'):
        super().__init__(output_dtype)
        self.axis = None if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.value_range, self.epsilon = value_range, epsilon
        largest = functions.largest_of(output_dtype)
        if value_range[0] < -largest - 1 or value_range[1] > largest:
            raise ValueError('AbsMaxQuantizer: value_range=%s does not fit into output_dtype=%r.'
                             % (tuple(value_range), output_dtype))

    def __call__(self, x, axis=None, to_numpy=False):
        axis = self.axis if axis is None else axis
        return functions.abs_max_quantize(x, axis, self.value_range, self.output_dtype, self.epsilon, to_numpy)

    def get_config(self):
        config = {'value_range': self.value_range, 'epsilon': self.epsilon, 'output_dtype': self.output_dtype}
        return config if self.axis is None else dict(config, axis=self.axis)

    def __repr__(self):
        return '<AbsMaxQuantizer %r>' % self.get_config()


class QuantizationConfig(Configurable):
    """Base class of the ways to quantize a layer.

    Args:
        weight_quantizer: the quantizer of the weights; None for that of the mode.
        activation_quantizer: that of the inputs; None to leave them as they are.

    Example:
        >>> keras.quantizers.Int8QuantizationConfig(activation_quantizer=None).mode
        'int8'
    """

    def __init__(self, weight_quantizer=None, activation_quantizer=None):
        super().__init__()
        self.weight_quantizer, self.activation_quantizer = weight_quantizer, activation_quantizer

    @property
    def mode(self):
        raise NotImplementedError('%s does not say its mode. Do not instantiate QuantizationConfig directly. '
                                  'Subclasses must implement this property.' % type(self).__name__)

    def dtype_policy_string(self):
        """The mode, as policies begin with it."""
        return self.mode

    def get_config(self):
        return {'weight_quantizer': plain(self.weight_quantizer),
                'activation_quantizer': plain(self.activation_quantizer)}

    @classmethod
    def from_config(cls, config):
        read = kind_in('keras.quantizers').get
        return cls(**{name: read(value) if name.endswith('_quantizer') else value for name, value in config.items()})

    @staticmethod
    def weight_quantizer_or_default(config, default):
        """The weight quantizer of a config that may be None, or may leave it open."""
        return default if config is None or config.weight_quantizer is None else config.weight_quantizer

    @staticmethod
    def activation_quantizer_or_default(config, default):
        """The activation quantizer of a config; `default` where there is no config."""
        return default if config is None else config.activation_quantizer

    def check_range(self, least, most):
        """Raise ValueError unless the weight quantizer makes int8 between two numbers."""
        quantizer = self.weight_quantizer
        if quantizer is None:
            return
        if getattr(quantizer, 'output_dtype', 'int8') != 'int8':
            raise ValueError("%s needs a weight_quantizer with output_dtype='int8'. Received: output_dtype=%r"
                             % (type(self).__name__, quantizer.output_dtype))
        values = getattr(quantizer, 'value_range', (least, most))
        if values[0] < least or values[1] > most:
            raise ValueError('%s needs a weight_quantizer whose value_range lies within [%d, %d]. Received: '
                             'value_range=%s' % (type(self).__name__, least, most, tuple(values)))


class Int8QuantizationConfig(QuantizationConfig):
    """8 bit integers: weights, and inputs as they come.

    Args:
        weight_quantizer: default by the largest absolute value of each column. activation_quantizer: 'default' for the
            largest absolute value of each row; None leaves the inputs as they are.

    Example:
        >>> keras.quantizers.Int8QuantizationConfig().activation_quantizer.value_range
        (-127, 127)
    """
    mode = 'int8'

    def __init__(self, weight_quantizer=None, activation_quantizer='default'):
        super().__init__(weight_quantizer, AbsMaxQuantizer() if activation_quantizer == 'default'
                         else activation_quantizer)
        self.check_range(-128, 127)


class Int4QuantizationConfig(QuantizationConfig):
    """4 bit integers for the weights, two in a byte.

    Args:
        weight_quantizer, activation_quantizer: only with one scale for each column; by default inputs stay as they are.
        block_size: rows of a block with a scale and zero point of its own; None or -1 for one scale for each column.

    Raises:
        ValueError: for another block size, or a quantizer together with blocks.

    Example:
        >>> keras.quantizers.Int4QuantizationConfig(block_size=64).dtype_policy_string()
        'int4/64'
    """
    mode = 'int4'

    def __init__(self, weight_quantizer=None, activation_quantizer='default', block_size=128):
        super().__init__(weight_quantizer, None if activation_quantizer == 'default' else activation_quantizer)
        if block_size is not None and block_size != -1 and (not isinstance(block_size, int) or block_size < 1):
            raise ValueError('Int4QuantizationConfig: block_size must be None, -1 or a positive integer. Received: '
                             'block_size=%r' % (block_size,))
        self.block_size = block_size
        if self.has_blocks and (self.weight_quantizer is not None or self.activation_quantizer is not None):
            raise ValueError('Int4QuantizationConfig: sub-channel quantization (block_size=%d) does not support '
                             'quantizers of your own. Set block_size=None.' % block_size)
        self.check_range(-8, 7)

    @property
    def has_blocks(self):
        """Whether there is more than one scale for a column."""
        return self.block_size not in (None, -1)

    def dtype_policy_string(self):
        return 'int4/%d' % (self.block_size if self.has_blocks else -1)

    def get_config(self):
        return dict(super().get_config(), block_size=self.block_size)


class Float8QuantizationConfig(QuantizationConfig):
    """8 bit floats, in training as well.

    Example:
        >>> keras.quantizers.Float8QuantizationConfig().mode
        'float8'
    """
    mode = 'float8'

    def __init__(self):
        super().__init__()

    def get_config(self):
        return {}


class _Calibrated(QuantizationConfig):
    """What is quantized with a look at data: the data, the tokenizer and the layers are no part of a config."""

    def _checked(self, **numbers):
        for name, value in numbers.items():
            if value <= 0:
                raise ValueError('%s: %s must be a positive integer. Received: %r' % (type(self).__name__, name, value))
        if self.group_size < -1 or self.group_size == 0:
            raise ValueError('Invalid group_size. Supported values are -1 (a whole column) and positive integers. '
                             'Received: %r'
                             % (self.group_size,))

    def dtype_policy_string(self):
        """'MODE/BITS/GROUP_SIZE', as policies begin."""
        return '%s/%d/%d' % (self.mode, self.weight_bits, self.group_size)

    def get_config(self):
        names = [name for name in vars(self) if name in self._arguments]
        return dict({name: getattr(self, name) for name in names}, dataset=None, tokenizer=None,
                    quantization_layer_structure=None)

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class GPTQConfig(_Calibrated):
    """How GPTQ quantizes: column by column, errors made good by the columns that follow.

    Args:
        dataset: texts or token ids. tokenizer: of texts. weight_bits: 2, 3, 4 or 8. num_samples, sequence_length: of
            the data that is looked at. per_channel: whether each column has a scale. hessian_damping: part of the mean
            diagonal that is added to it. group_size: columns with one scale, -1 for all. symmetric: whether there are
            no zero points. activation_order: the columns with large inputs first. quantization_layer_structure:
            {'pre_block_layers', 'sequential_blocks'}: which layers.

    Raises:
        ValueError: for a number out of its range.

    Source: Frantar et al., GPTQ (2022).

    Example:
        >>> keras.quantizers.GPTQConfig(None, None, weight_bits=4, group_size=64).dtype_policy_string()
        'gptq/4/64'
    """
    mode = 'gptq'
    _arguments = ('weight_bits', 'num_samples', 'per_channel', 'sequence_length', 'hessian_damping', 'group_size',
                  'symmetric', 'activation_order', 'quantization_layer_structure')

    def __init__(self, dataset, tokenizer, weight_bits=4, num_samples=128, per_channel=True, sequence_length=512,
                 hessian_damping=0.01, group_size=128, symmetric=False, activation_order=False,
                 quantization_layer_structure=None):
        super().__init__()
        self.dataset, self.tokenizer, self.weight_bits, self.num_samples = dataset, tokenizer, weight_bits, num_samples
        self.per_channel, self.sequence_length = per_channel, sequence_length
        self.hessian_damping, self.group_size, self.symmetric = hessian_damping, group_size, symmetric
        self.activation_order, self.quantization_layer_structure = activation_order, quantization_layer_structure
        if weight_bits not in (2, 3, 4, 8):
            raise ValueError('Unsupported weight_bits: %r. GPTQ has 2, 3, 4 or 8.' % (weight_bits,))
        self._checked(num_samples=num_samples, sequence_length=sequence_length)
        if not 0 <= hessian_damping <= 1:
            raise ValueError('GPTQConfig: hessian_damping must be between 0 and 1. Received: %r' % (hessian_damping,))


class AWQConfig(_Calibrated):
    """How AWQ quantizes: weights of large inputs are scaled up before.

    Args:
        dataset, tokenizer, num_samples, sequence_length, group_size, quantization_layer_structure: see `GPTQConfig`.
        weight_bits: 4. num_grid_points: number of scales that are tried.

    Raises:
        ValueError: for a number out of its range.

    Source: Lin et al., AWQ (2023).

    Example:
        >>> keras.quantizers.AWQConfig(None, None).dtype_policy_string()
        'awq/4/128'
    """
    mode = 'awq'
    _arguments = ('weight_bits', 'num_samples', 'sequence_length', 'group_size', 'num_grid_points',
                  'quantization_layer_structure')

    def __init__(self, dataset, tokenizer, weight_bits=4, num_samples=128, sequence_length=512, group_size=128,
                 num_grid_points=20, quantization_layer_structure=None):
        super().__init__()
        self.dataset, self.tokenizer, self.weight_bits, self.num_samples = dataset, tokenizer, weight_bits, num_samples
        self.sequence_length, self.group_size, self.num_grid_points = sequence_length, group_size, num_grid_points
        self.quantization_layer_structure = quantization_layer_structure
        if weight_bits != 4:
            raise ValueError('AWQConfig: AWQ only supports 4-bit weights. Received: weight_bits=%r' % (weight_bits,))
        self._checked(num_samples=num_samples, sequence_length=sequence_length, num_grid_points=num_grid_points)


def resolved(mode, config):
    """The config for a mode, or for a config (an object, or the name of a mode) with or without its mode.

    Raises:
        ValueError: for an unknown mode, for one that does not fit the config, and where a config is needed.
    """
    simple = {'int8': Int8QuantizationConfig, 'int4': Int4QuantizationConfig, 'float8': Float8QuantizationConfig}
    calibrated = {'gptq': GPTQConfig, 'awq': AWQConfig}
    if isinstance(config, str):
        mode, config = config, None
    if config is not None and not isinstance(config, QuantizationConfig):
        raise ValueError('Argument `config` must be an instance of `QuantizationConfig`. Received: config=%r (of '
                         'type %s)' % (config, type(config).__name__))
    if mode is None and config is None:
        raise ValueError('You must provide either `mode` or `config` to `quantize`.')
    found = mode if config is None else config.mode
    if mode is not None and mode not in simple and mode not in calibrated:
        raise ValueError('Invalid quantization mode. Expected one of %s. Received: mode=%s'
                         % (tuple(simple) + tuple(calibrated), mode))
    if mode is not None and mode != found:
        raise ValueError('Contradictory arguments: mode=%r, and a config for %r.' % (mode, found))
    if found in calibrated and not isinstance(config, calibrated[found]):
        name = calibrated[found].__name__
        if config is None:
            raise ValueError('For %s, you must pass %s `%s` object in the `config` argument.'
                             % (found.upper(), 'an' if name[0] == 'A' else 'a', name))
        raise ValueError('Mode %r requires a valid `config` argument of type `%s`. Received: %r'
                         % (found, name, config))
    return simple[found]() if config is None else config
