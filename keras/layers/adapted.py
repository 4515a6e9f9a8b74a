"""`Adapted`: layers whose weight has other faces: quantized to few bits, or with a low-rank update beside it (LoRA).

The stored weight is then `_kernel`, say, and `kernel` a `Face` of it, as Keras 3 shows it: the integers, or the weight
with the update added. `faced_value()` is what `call` computes with: the numbers that the integers stand for, and the
update added. Where a layer is neither, all of this costs nothing.

GPTQ and AWQ keep their bits in `quantized_kernel`. A layer that `quantize` has given room for these goes on with its
weight, until a calibration or a file has filled them (`is_gptq_calibrated`).
"""
import warnings

import numpy as np

from keras import dtype_policies, initializers, ops, quantizers
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Concretely, Stored
from keras.backend.state.variables import Variable
from keras.backend.table.composites.shape import dtype_of
from keras.layers.base import Layer
from keras.layers.weights import change_adapters
from keras.quantizers import calibration


# What chooses the bits of weights by what these are multiplied with.
_CALIBRATED = {'gptq': calibration.gptq, 'awq': calibration.awq}


class Face(Stored):
    """What a weight shows. `value` is a native tensor; it cannot be assigned."""

    trainable = False
    constraint = regularizer = layout = None

    def __init__(self, layer, name):
        self.layer, self.name = layer, name
        self.path = '%s/%s' % (layer.name, name)

    @property
    def value(self):
        return self.layer.shown_value()

    @property
    def shape(self):
        return tuple(self.layer.shown_shape())

    @property
    def dtype(self):
        return self.layer.shown_dtype()

    def numpy(self):
        """The value as a NumPy array."""
        return ops.convert_to_numpy(self.value)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.numpy(), dtype)


class Adapted(Layer):
    """The base of layers that can be quantized, or trained by low-rank updates.

    Args:
        lora_rank: the rank of an update that is trained in the place of the kernel; None for none. lora_alpha: the
            update is scaled by `lora_alpha / lora_rank`; default the rank. quantization_config: a `QuantizationConfig`,
            or its config, for a layer whose policy is quantized.

    Sources: Hu et al., LoRA (2021); Jacob et al., Quantization and Training of Neural Networks (2017).
    """

    later = ('lora_rank', 'lora_alpha', 'quantization_config')
    # The name of the weight, and the modes that a layer has beside low-rank updates.
    faced = 'kernel'
    modes = ()
    lora_enabled = False
    is_quantized = False
    # The shape of the weight that integers stand for.
    _full_shape = None
    # Whether the bits of GPTQ or AWQ are chosen, so that the layer computes with them.
    is_gptq_calibrated = is_awq_calibrated = False

    def __init__(self, lora_rank=None, lora_alpha=None, quantization_config=None, **kwargs):
        super().__init__(**kwargs)
        quantization_config = quantizers.get(quantization_config)
        Layer.declare(self, locals())  # not what a family makes of it, whose arguments come later
        self._extras = []

    def __getattr__(self, name):
        own = vars(self)
        if name == type(self).faced and ('_' + name in own or 'quantized_kernel' in own):
            return Face(self, name)
        if name == '_' + type(self).faced and name[1:] in own:
            return own[name[1:]]
        return super().__getattr__(name)

    # --- what kinds of layers say ------------------------------------------------------------------------------------

    def reduced_axes(self):
        """The axes of the weight that are summed over, or looked along."""
        return (0,)

    def as_matrix(self, weight):
        """The weight as a matrix (summed over, not)."""
        return weight

    def from_matrix(self, matrix):
        """`as_matrix` back."""
        return matrix

    def packed_matrix(self, weight):
        """The weight as the matrix whose columns int4 packs, as files have it."""
        return weight

    def from_packed(self, matrix):
        """`packed_matrix` back."""
        return matrix

    def written_scale(self, scale):
        """The scale, which has axes of size 1 for `reduced_axes`, as files have it."""
        return np.squeeze(scale, self.reduced_axes())

    def read_scale(self, scale):
        """`written_scale` back, on tensors."""
        for axis in sorted(axis % len(self.faced_shape()) for axis in self.reduced_axes()):
            scale = ops.expand_dims(scale, axis)
        return scale

    def input_axes(self):
        """The axes of the inputs over which each row of integers has a scale; None where inputs are no floats."""
        return (-1,)

    # --- the face ----------------------------------------------------------------------------------------------------

    def faced_shape(self):
        """The shape of the weight that `call` computes with."""
        return self._full_shape or self._stored().shape

    def _stored(self):
        own = vars(self)
        return own[next(name for name in ('_' + self.faced, self.faced, 'quantized_kernel') if name in own)]

    @property
    def _waits(self):
        """Whether there is room for bits of GPTQ or AWQ, which no calibration has chosen yet."""
        return self.is_quantized and self.quantization_config.mode in _CALIBRATED \
            and not (self.is_gptq_calibrated or self.is_awq_calibrated)

    def _has_bits(self):
        """Whether the layer computes with numbers that integers stand for."""
        return self.is_quantized and self.quantization_config.mode != 'float8' and not self._waits

    def faced_value(self):
        """What `call` computes with."""
        value = self._numbers() if self._has_bits() else self._stored().value
        return self._with_update(value) if self.lora_enabled else value

    def _with_update(self, value):
        return ops.cast(ops.add(value, self._update()), self.compute_dtype)

    def shown_value(self):
        """What `kernel` is: the integers of a quantized weight, the weight with the update added."""
        value = self._integers() if self._has_bits() else self._stored().value
        return self._with_update(value) if self.lora_enabled else value

    def shown_shape(self):
        """The shape of `shown_value`: GPTQ and AWQ have (not summed over, summed over)."""
        if not self._has_bits() or self.quantization_config.mode not in _CALIBRATED:
            return self.faced_shape()
        return self._extra('scale').shape[0], self._stored_bits().shape[1]

    def shown_dtype(self):
        """The dtype of `shown_value`."""
        if self.lora_enabled:
            return self.compute_dtype
        return self._stored_bits().dtype if self._has_bits() else self._stored().dtype

    def _stored_bits(self):
        return vars(self)['quantized_kernel'] if self.quantization_config.mode in _CALIBRATED else self._stored()

    def _integers(self):
        """The integers of a quantized weight, of which bytes may hold two."""
        mode, stored = self.quantization_config.mode, self._stored_bits().value
        if mode == 'int8' or mode in _CALIBRATED and self.quantization_config.weight_bits != 4:
            return stored
        if mode in _CALIBRATED:
            return quantizers.unpack_int4(stored, self._extra('scale').shape[0], axis=0, dtype='uint8')
        return self.from_packed(quantizers.unpack_int4(stored, self.columns_of_bits(), axis=-1))

    def _update(self):
        """The update of low rank."""
        first, second = self._lora
        return ops.multiply(ops.matmul(first.value, second.value), float(self.lora_alpha) / self.lora_rank)

    def biased(self, outputs, bias):
        """The outputs of a quantized product with a bias, which 8 bit floats take as a bfloat16, as Keras 3 has it."""
        if self.quantization_mode == 'float8' and self.compute_dtype == 'float32':
            bias = ops.cast(ops.cast(bias, 'bfloat16'), 'float32')
        return ops.add(outputs, bias)

    def product(self, inputs, weight):
        """The product of inputs and the weight."""
        return ops.matmul(inputs, weight)

    def quantized_product(self, inputs):
        """The product of inputs and the weight, which is kept in few bits. Updates see the inputs as they are."""
        if self.quantization_mode == 'float8':
            return self._float8_product(inputs)
        rounded = self.rounded_inputs(inputs, self.input_axes())
        if rounded is None:
            return self.product(inputs, self.faced_value())
        outputs = self.product(rounded, self._numbers())
        if not self.lora_enabled:
            return outputs
        return ops.cast(ops.add(outputs, self.product(inputs, self._update())), self.compute_dtype)

    def _numbers(self):
        """The floats that the bits stand for."""
        mode, dtype = self.quantization_config.mode, self.compute_dtype
        if mode in _CALIBRATED:
            return self._calibrated_numbers(dtype)
        stored, scale = self._stored().value, ops.cast(self._extra('scale').value, dtype)
        if mode == 'int8':
            return ops.divide(ops.cast(stored, dtype), self.read_scale(scale))
        matrix = ops.cast(quantizers.unpack_int4(stored, self.columns_of_bits(), axis=-1), dtype)
        if len(self._extras) == 1:
            return self.from_packed(ops.divide(matrix, self._by_row(scale)))
        block = ops.cast(self._extra('g_idx').value, 'int32')
        zero = ops.cast(self._extra('zero').value, dtype)
        scale, zero = (ops.take(each, block, axis=self._block_axis()) for each in (scale, zero))
        return self.from_packed(ops.multiply(ops.subtract(matrix, zero), scale))

    def _calibrated_numbers(self, dtype):
        """The floats of weights that GPTQ or AWQ has chosen: a matrix (not summed over, summed over)."""
        block = ops.cast(self._extra('g_idx').value, 'int32')
        scale, zero = (ops.take(ops.cast(self._extra(name).value, dtype), block, axis=1) for name in ('scale', 'zero'))
        matrix = ops.multiply(ops.subtract(ops.cast(self._integers(), dtype), zero), scale)
        if self.quantization_config.mode == 'awq':
            matrix = ops.divide(matrix, ops.cast(self._extra('awq_scales').value, dtype))
        return self.from_matrix(ops.transpose(matrix))

    def columns_of_bits(self):
        """The size of the axis along which two numbers share a byte."""
        return int(np.prod(self.faced_shape())) // self._stored().shape[0]

    def _block_axis(self):
        return 0

    def _by_row(self, scale):
        """A scale for each column, to be broadcast to the matrix."""
        return scale

    def _extra(self, name):
        return next(variable for variable in self._extras if variable.name.rpartition('/')[2].split(':')[0].endswith(
            name))

    def _float8_product(self, inputs):
        """The product of 8 bit floats, whose gradient by the result is rounded to such, too."""
        scales, histories = self._extras[::2], self._extras[1::2]
        given = zip((inputs, self.faced_value()), scales, histories)
        outputs = self.product(*[rounded_to_float8(x, scale.value, history.value) for x, scale, history in given])
        if not context.training:
            return outputs
        return with_float8_gradient(outputs, scales[2].value, histories[2].value)

    def rounded_inputs(self, inputs, axes):
        """The inputs as they read after they have been integers, with a scale for each row over `axes`.

        None where they stay as they are.
        """
        quantizer = self.quantization_config.activation_quantizer
        if quantizer is None or axes is None:
            return None
        numbers, scale = quantizer(inputs, axis=axes)
        dtype = self.compute_dtype
        rounded = ops.divide(ops.cast(numbers, dtype), ops.cast(scale, dtype))
        # The gradient is that of the inputs themselves.
        return ops.add(inputs, ops.stop_gradient(ops.subtract(rounded, inputs)))

    # --- making the other faces --------------------------------------------------------------------------------------

    def adapt_weights(self):
        """What the constructor asked for, once there are weights."""
        if self.own_policy().quantization_mode is not None and not self.is_quantized:
            self._quantize(self.quantization_config or _config_of(self.own_policy(), None), fresh=True)
        self.built = True
        if self.lora_rank and not self.lora_enabled:
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    def _replace(self, variable=None):
        """Let the weight be kept as `variable`, or as it is, and read through a `Face`."""
        own = vars(self)
        before = self._stored()
        own['_' + self.faced] = before if variable is None else variable
        own.pop(self.faced, None)
        if variable is not None:
            self.unlist_weight(before)
            self.list_weight(variable, False, first=True)
        self._direct_dtype = None
        change_adapters()

    def new_weight(self, name, value, trainable=False, regularizer=None):
        """A weight beside the layer's own, from an array or an initializer with a shape."""
        array, shape = value if isinstance(value, tuple) else (value, None)
        dtype = array.dtype.name if shape is None and array.dtype.kind in 'iu' else self.variable_dtype
        if name.startswith('lora_'):
            dtype = 'float32'  # small updates would be lost in 16 bits
        variable = Variable(array if shape is None else initializers.delayed(array), shape, dtype, trainable=trainable,
                            name=name)
        variable.path, variable.regularizer = '%s/%s' % (self.path, name), regularizer
        if self.ruled('weight_names_in_full'):
            variable.name = '%s/%s:0' % (self.name, name)
        return variable

    def enable_lora(self, rank, a_initializer='he_uniform', b_initializer='zeros', lora_alpha=None):
        """Train an update of low rank instead of the weight, which stays as it is. Compile the model again after it.

        Args:
            rank: of the update. a_initializer, b_initializer: of its two factors. lora_alpha: the update is scaled by
                `lora_alpha / rank`; default the rank.

        Raises:
            ValueError: for a layer that is not built, has a constraint on the weight, or has an update already.
            NotImplementedError: for a layer that is quantized by GPTQ.
        """
        if getattr(self, self.faced + '_constraint', None) is not None:
            raise ValueError('Layer %s: lora is incompatible with %s constraints. Remove %s_constraint.'
                             % (self.name, 'embedding' if self.faced == 'embeddings' else self.faced, self.faced))
        if not self.built:
            raise ValueError("Cannot enable lora on a layer that isn't yet built. Build %s first." % self.name)
        if self.lora_enabled:
            raise ValueError('Layer %s: lora is already enabled.' % self.name)
        if self.quantization_mode == 'gptq':
            raise NotImplementedError('Layer %s: lora is not currently supported with GPTQ quantization. Enable it '
                                      'before, on a layer that is not quantized.' % self.name)
        shape, stored = tuple(self.faced_shape()), self._stored()
        regularizer = getattr(self, self.faced + '_regularizer', None)
        shapes = shape[:-1] + (rank,), (rank, shape[-1])
        self._lora = tuple(
            self.new_weight('lora_%s_%s' % (self.faced, letter), (initializers.get(initializer), size), True,
                             regularizer)
            for letter, initializer, size in zip('ab', (a_initializer, b_initializer), shapes))
        for letter, factor in zip('ab', self._lora):
            setattr(self, 'lora_%s_%s' % (self.faced, letter), factor)
        stored.trainable = False  # and it stands where it did
        for factor in self._lora:
            self.list_weight(factor, True)
        self.lora_rank, self.lora_alpha, self.lora_enabled = rank, rank if lora_alpha is None else lora_alpha, True
        self._replace()

    def quantize(self, mode=None, type_check=True, config=None):
        """Keep the weight in few bits from now on. Compile the model again after it.

        Args:
            mode: 'int8', 'int4', 'float8', or with its config 'gptq' or 'awq', which see no data here: `Model.quantize`
                calibrates. config: a `QuantizationConfig` instead. type_check: whether subclasses refuse.

        Raises:
            ValueError: for a layer that is not built, is quantized already, or an unknown mode.
            NotImplementedError: for a subclass, and for a mode that the layer does not have.
        """
        if type_check and 'faced' not in vars(type(self)):
            raise NotImplementedError('Layer %s (%s): a subclass is not quantized, since its `call` may be another. '
                                      'With type_check=False it is.' % (self.name, type(self).__name__))
        if self.is_quantized:
            raise ValueError("Layer '%s' is already quantized with dtype_policy='%s'. Received: mode=%s"
                             % (self.name, self.own_policy().name, mode))
        config = quantizers.resolved(mode, config if config is not None else self.quantization_config)
        if not self.built:
            raise ValueError("Cannot quantize a layer that isn't yet built. Build %s first." % self.name)
        policy = dtype_policies.get('%s_from_%s' % (config.dtype_policy_string(), self.own_policy().name))
        self._quantize(config)
        self.dtype_policy = policy

    def take_policy(self, policy):
        super().take_policy(policy)
        own = self.own_policy()
        if vars(self).get('_built') and own.quantization_mode is not None and not self.is_quantized:
            if own.quantization_mode in _CALIBRATED:
                raise ValueError('Layer %s: Implicitly enabling %s quantization by setting `dtype_policy` is not '
                                 'supported: it goes by data. Use `Model.quantize`.'
                                 % (self.name, own.quantization_mode.upper()))
            self._quantize(_config_of(own))

    @property
    def inputs_quantizer(self):
        """What rounds the inputs of a layer that is quantized to integers, or None."""
        config = self.quantization_config if self.is_quantized else None
        return getattr(config, 'activation_quantizer', None)

    def calibrate(self, config, inputs):
        """`quantize` by GPTQ or AWQ, for `calibration.Inputs`, the rows of `input_rows`."""
        policy = dtype_policies.get('%s_from_%s' % (config.dtype_policy_string(), self.own_policy().name))
        self._quantize(config, inputs=inputs)
        self.dtype_policy = policy

    def input_rows(self, inputs):
        """NumPy arrays of inputs as rows that the matrix of the weight is multiplied with."""
        return inputs.reshape(-1, inputs.shape[-1])

    def quantized_build(self, input_shape, mode, config=None):
        """Make the variables of a quantized weight in the place of the weight. `build` and `quantize` do.

        Args:
            input_shape: the shape of the weight; None for that of the layer. mode, config: see `quantize`.
        """
        if mode not in self.modes:
            raise self.wrong_mode(mode)
        if input_shape is not None and tuple(input_shape) != tuple(self.faced_shape()):
            warnings.warn('Layer %s: quantized_build(input_shape=%s) has no effect: the weight is made in its own '
                          'shape, %s.' % (self.name, tuple(input_shape), tuple(self.faced_shape())), stacklevel=2)
        self._quantize(config or _config_of(self.own_policy(), None) if self.quantization_mode == mode
                       else quantizers.resolved(mode, config), fresh=True)

    def _call_of_family(self, *args, **kwargs):
        """`call` of the family: a subclass's own has not been written for integers."""
        if self.quantization_mode not in self.modes:
            raise self.wrong_mode(self.quantization_mode)
        own = next(cls for cls in type(self).__mro__ if 'faced' in vars(cls))
        return own.call(self, *args, **kwargs)

    _int8_call = _int4_call = _float8_call = _gptq_call = _awq_call = _call_of_family

    def _quantize(self, config, fresh=False, inputs=None):
        """Keep the weight in the bits that `config` says. `fresh`: its numbers are still to come from a file."""
        if config.mode not in self.modes:
            raise NotImplementedError('Layer %s (%s) cannot be quantized to %r. It can to: %s.' % (
                self.name, type(self).__name__, config.mode, ', '.join(self.modes) or 'nothing'))
        if config.mode == 'float8':
            return self._use_float8(config)
        shape, calibrated = tuple(self.faced_shape()), config.mode in _CALIBRATED
        weight = np.zeros(shape, 'float32') if fresh else np.asarray(self._stored().numpy(), 'float32')
        with Concretely():  # a layer inside another one is built while that one's shapes are found
            stored, extras = self.bits_of(weight, config, inputs)
        waits = calibrated and inputs is None and not fresh
        if waits:
            stored, extras = np.zeros_like(stored), [(np.ones_like if array.dtype.kind == 'f' and array.ndim > 1
                                                      else np.zeros_like)(array) for array in extras]
        names = [self.faced + '_scale']
        if len(extras) > 1:
            names += [self.faced + '_zero', 'awq_scales'][:len(extras) - 2] + ['g_idx']
        self._full_shape = shape
        self._extras = [self.new_weight(name, array) for name, array in zip(names, extras)]
        if calibrated:
            self._keep_bits(self.new_weight(self.faced, stored), waits)
        else:
            self._replace(self.new_weight(self.faced, stored))
        for name, variable in zip(names, self._extras):
            setattr(self, name, variable)
            self.list_weight(variable, False)
        self.quantization_config, self.is_quantized = config, True
        if calibrated:
            setattr(self, 'is_%s_calibrated' % config.mode, not waits)

    def _keep_bits(self, variable, waits):
        """Have `quantized_kernel`, in the place of the weight or, where the layer `waits`, beside it."""
        self._replace()
        self.quantized_kernel = variable
        self.list_weight(variable, False, first=not waits)
        if not waits:
            self.unlist_weight(vars(self).pop('_' + self.faced))

    def _use_float8(self, config):
        """Make the scales and what they follow; training overwrites them."""
        length = getattr(self.own_policy(), 'amax_history_length',
                         dtype_policies.QuantizedFloat8DTypePolicy.default_amax_history_length)
        self._extras = []
        for part in ('inputs', self.faced, 'outputs_grad'):
            for name, value in (('scale', np.ones(())), ('amax_history', np.zeros(length))):
                variable = self.new_weight('%s_%s' % (part, name), value.astype('float32'), True)
                variable.overwrite_with_gradient, variable.autocast = True, False
                setattr(self, '%s_%s' % (part, name), variable)
                self._extras.append(variable)
                self.list_weight(variable, True)
        self.quantization_config, self.is_quantized = config, True
        self._direct_dtype = None
        change_adapters()

    def bits_of(self, weight, config, inputs=None):
        """(the integers, [scale] or [scale, zero point, perhaps factors, number of the block]) as NumPy arrays."""
        if config.mode in _CALIBRATED:
            matrix = np.asarray(self.as_matrix(weight)).T
            found = calibration.nearest(matrix, config) if inputs is None \
                else _CALIBRATED[config.mode](matrix, inputs, config)
            numbers, scale, zero, block, *factors = found
            numbers = numbers.astype('uint8')
            if config.weight_bits == 4:
                numbers = ops.convert_to_numpy(quantizers.pack_int4(numbers, axis=0, dtype='uint8')[0])
            return numbers, [scale, zero.astype('uint8')] + factors + [block.astype('float32')]
        if config.mode == 'int8' or not config.has_blocks:
            least = -127 if config.mode == 'int8' else -8
            quantizer = config.weight_quantizer or quantizers.AbsMaxQuantizer(
                value_range=(least, 127 if config.mode == 'int8' else 7))
            if config.mode == 'int8':
                numbers, scale = quantizer(weight, axis=self.reduced_axes(), to_numpy=True)
                return numbers, [self.written_scale(scale)]
            numbers, scale = quantizer(self.packed_matrix(weight), axis=self._block_axis(), to_numpy=True)
            return _packed(numbers), [np.squeeze(scale, self._block_axis())]
        along = self._block_axis()
        matrix = np.asarray(self.packed_matrix(weight))
        matrix = matrix.T if along else matrix
        found = quantizers.abs_max_quantize_grouped_with_zero_point(matrix, config.block_size, to_numpy=True)
        numbers, scale, zero = (each.T if along else each for each in found)
        return _packed(numbers), [scale, zero, np.floor(np.arange(matrix.shape[0]) / config.block_size).astype(
            'float32')]

    # --- what packages look at by the names that it has in Keras 3 -----------------------------------------------

    @property
    def _is_quantized(self):
        return self.is_quantized

    @_is_quantized.setter
    def _is_quantized(self, value):
        self.is_quantized = bool(value)

    @property
    def _int4_block_size(self):
        return self.of_mode('int4', lambda: self.quantization_config.block_size)

    @property
    def _orig_input_dim(self):
        return self.of_mode('int4', lambda: self._full_shape[0])

    @property
    def _orig_output_dim(self):
        return self.of_mode('int4', lambda: self._full_shape[-1])

    def of_mode(self, mode, value):
        """`value()` of a layer that is quantized in a mode; else AttributeError."""
        if not self.is_quantized or self.quantization_config.mode != mode:
            raise AttributeError('Layer %s is not quantized to %s.' % (self.name, mode))
        return value()

    def _get_kernel_with_merged_lora(self):
        """(the kernel as files have it, its scale, its zero point)"""
        arrays, own = self._merged(), vars(self)
        if self.quantization_mode in (None,) + tuple(_CALIBRATED):
            return getattr(self, self.faced), None, None
        variables = self._stored(), own.get(self.faced + '_scale'), own.get(self.faced + '_zero')
        return tuple(arrays.get(id(variable), variable) for variable in variables)

    # --- files -------------------------------------------------------------------------------------------------------

    @property
    def variable_serialization_spec(self):
        """{mode: the names of the variables in the order of files}. A subclass may say others."""
        weight, scale, zero = self.faced, self.faced + '_scale', self.faced + '_zero'
        float8 = ['%s_%s' % (part, name) for part in ('inputs', weight, 'outputs_grad')
                  for name in ('scale', 'amax_history')]
        orders = {None: [weight, 'bias'], 'int8': [weight, 'bias', scale],
                  'int4': [weight, 'bias', scale, zero, 'g_idx'], 'float8': [weight, 'bias'] + float8,
                  'gptq': ['bias', 'quantized_kernel', scale, zero, 'g_idx'],
                  'awq': ['bias', 'quantized_kernel', scale, zero, 'awq_scales', 'g_idx']}
        return {mode: orders[mode] for mode in (None,) + self.modes}

    def own_variables_in_order(self):
        """As files have them: the weight, the bias, what makes numbers of bits; low-rank updates are in the weight."""
        if not self.is_quantized and not self.lora_enabled:
            return super().own_variables_in_order()
        names = self.variable_serialization_spec[self.quantization_mode if self.is_quantized else None]
        found = [self._stored() if name == self.faced else vars(self).get(name) for name in names]
        return [variable for variable in found if variable is not None]

    def save_own_variables(self, store):
        arrays = self._merged()
        for number, variable in enumerate(self.own_variables_in_order()):
            store[str(number)] = arrays.get(id(variable), variable)

    def _merged(self):
        """{id of a variable: its array in files}, where that is another one than in memory: updates are merged into the
        weight, bits that no calibration has chosen are the nearest."""
        if not self.lora_enabled and not self._waits:
            return {}
        merged = np.asarray(ops.convert_to_numpy(self.faced_value()))
        if not self.is_quantized or self.quantization_mode == 'float8':
            return {id(self._stored()): merged}
        stored, extras = self.bits_of(np.asarray(merged, 'float32'), self.quantization_config)
        return dict(zip(map(id, [self._stored_bits()] + self._extras), [stored] + extras))

    def load_own_variables(self, store):
        super().load_own_variables(store)
        if self.lora_enabled:
            for factor in self._lora:
                factor.assign(np.zeros(factor.shape, 'float32'))
        if self._waits:
            setattr(self, 'is_%s_calibrated' % self.quantization_config.mode, True)
            self.unlist_weight(vars(self).pop('_' + self.faced))
            change_adapters()

    def loads_in_order(self):
        return True


def rounded_to_float8(x, scale, history):
    """`x` as 8 bit floats hold it. The gradients by scale and history are what these are to be after a training step
    (`overwrite_with_gradient`): the scale follows the history, and is used from the next step on."""
    dtype = dtype_of(x)
    if not context.training:
        return quantizers.quantize_and_dequantize(x, scale, 'float8_e4m3fn', dtype)

    def rounded(x, scale, history):
        following = _following(x, scale, history, 448.0)

        def gradient(*args, **kwargs):
            return ((kwargs['upstream'] if 'upstream' in kwargs else args[0]),) + following
        return quantizers.quantize_and_dequantize(x, scale, 'float8_e4m3fn', dtype), gradient
    return ops.custom_gradient(rounded)(x, scale, history)


def with_float8_gradient(x, scale, history):
    """`x`, whose gradient is rounded to 8 bit floats."""
    def passed(x, scale, history):
        def gradient(*args, **kwargs):
            upstream = kwargs['upstream'] if 'upstream' in kwargs else args[0]
            rounded = quantizers.quantize_and_dequantize(upstream, scale, 'float8_e5m2', dtype_of(upstream))
            return (rounded,) + _following(upstream, scale, history, 57344.0)
        return ops.multiply(x, 1.0), gradient
    return ops.custom_gradient(passed)(x, scale, history)


def _following(x, scale, history, largest):
    """The scale and the history after `x`."""
    return (quantizers.compute_float8_scale(ops.max(history), scale, largest),
            quantizers.compute_float8_amax_history(x, history))


def _packed(numbers):
    return ops.convert_to_numpy(quantizers.pack_int4(numbers, axis=-1)[0])


def _config_of(policy, *block_size):
    """How a layer is quantized whose policy alone says it. `block_size`: of 4 bits where it does not."""
    mode = policy.quantization_mode
    if mode == 'int4' and isinstance(policy, dtype_policies.Int4DTypePolicy):
        return quantizers.Int4QuantizationConfig(block_size=policy.block_size)
    if mode in _CALIBRATED:
        kind = quantizers.GPTQConfig if mode == 'gptq' else quantizers.AWQConfig
        return kind(None, None, weight_bits=policy.weight_bits, group_size=policy.group_size)
    if mode == 'int4' and block_size:
        return quantizers.Int4QuantizationConfig(block_size=block_size[0])
    return quantizers.resolved(mode, None)
