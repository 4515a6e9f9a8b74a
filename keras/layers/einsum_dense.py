"""`EinsumDense`: a dense layer over any axes."""
import warnings

import numpy as np

from keras import activations, initializers, ops
from keras.layers.adapted import Adapted
from keras.layers.arguments import ANY


class EinsumDense(Adapted):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: one of einsum for two operands, such as 'abc,cd->abd'; '...' may stand for axes at the beginning or
            at the end of the inputs.
        output_shape: the sizes of the output without the batch and what '...' stands for: an int or a tuple, None for
            sizes that are those of the input.
        activation: name or function, default none.
        bias_axes: the letters of the output's axes along which there is a bias, default no bias.
        kernel_..., bias_...: initializers, regularizers and constraints of the weights.

    Raises:
        ValueError: for an equation that is not of that form.

    Example:
        >>> layer = keras.layers.EinsumDense('ab,bc->ac', output_shape=4, bias_axes='c')
        >>> layer(np.ones((2, 3), 'float32')).shape
        (2, 4)
    """
    kept_as = {'output_shape': 'partial_output_shape'}
    faced = 'kernel'
    modes = ('int8', 'int4', 'float8', 'gptq', 'awq')
    without_effect = {'gptq_unpacked_column_size': ANY}
    names_regularizer = True

    def __init__(self, equation, output_shape, activation=None, bias_axes=None, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, lora_rank=None, lora_alpha=None,
                 quantization_config=None, **kwargs):
        super().__init__(lora_rank, lora_alpha, quantization_config, **kwargs)
        output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.declare(locals())

    def build(self, input_shape):
        input_shape, named = tuple(input_shape), self.equation.replace(' ', '').partition(',')[0]
        if '...' not in named:  # for inputs with more axes there may be weights; `call` refuses them
            input_shape = input_shape[:len(named)]
        analysis = Equation(self.equation, self.bias_axes, input_shape, self.partial_output_shape, self.name)
        self.full_output_shape = analysis.output_shape
        self.kernel = self.add_weight(name='kernel', shape=analysis.kernel_shape,
                                      initializer=self._by_equation(self.kernel_initializer, analysis.letters))
        self.bias = None
        if self.bias_axes is not None:
            self.bias = self.add_weight(name='bias', shape=analysis.bias_shape)
        self.letters = analysis.letters
        self._dense_at_last = self._is_dense()
        self.adapt_weights()

    def _by_equation(self, initializer, letters):
        """The initializer, which goes by the numbers of inputs and outputs that the equation says."""
        if not self.ruled('equations_say_fans') or not isinstance(initializer, initializers.VarianceScaling) \
                or None not in (initializer.input_axes, initializer.output_axes):
            return initializer
        given, kernel, output = letters
        axes = [[axis for axis, letter in enumerate(kernel) if (letter in output) == of_output]
                for of_output in (False, True)]
        return type(initializer).from_config(dict(initializer.get_config(), seed=initializer.seed, input_axes=axes[0],
                                                  output_axes=axes[1]))

    # The letters of the axes of inputs, kernel and output, those of '...' left out.
    letters = None
    _dense_at_last = False

    def reduced_axes(self):
        given, kernel, output = self.letters
        return tuple(axis for axis, letter in enumerate(kernel) if letter not in output)

    def input_axes(self):
        given, kernel, output = self.letters
        # Counted from the side on which '...' does not stand.
        first = -len(given) if self.equation.replace(' ', '').startswith('...') else 0
        return tuple(first + axis for axis, letter in enumerate(given) if letter not in output)

    def _order(self):
        """The axes of the kernel, those first that are summed over."""
        reduced = self.reduced_axes()
        return reduced + tuple(axis for axis in range(len(self.letters[1])) if axis not in reduced)

    def as_matrix(self, weight):
        rows = int(np.prod([weight.shape[axis] for axis in self.reduced_axes()]))
        return np.transpose(weight, self._order()).reshape(rows, -1)

    def packed_matrix(self, weight):
        # Keras 3 reshapes the kernel as it is, also where what is summed over does not come first.
        return weight.reshape(int(np.prod([weight.shape[axis] for axis in self.reduced_axes()])), -1)

    def from_packed(self, matrix):
        return ops.reshape(matrix, self.faced_shape())

    def input_rows(self, inputs):
        given, kernel, output = self.letters
        reduced = [kernel[axis] for axis in self.reduced_axes()]
        if any(letter in kernel and letter in output for letter in given):
            raise NotImplementedError('Layer %s (EinsumDense): the equation %r multiplies by another matrix for each '
                                      'place of the inputs, which is not calibrated.' % (self.name, self.equation))
        first = inputs.ndim - len(given) if self.equation.replace(' ', '').startswith('...') else 0
        axes = [first + given.index(letter) for letter in reduced]
        rows = np.moveaxis(inputs, axes, range(-len(axes), 0))
        return rows.reshape(-1, int(np.prod(rows.shape[rows.ndim - len(axes):])))

    def from_matrix(self, matrix):
        shape, order = self.faced_shape(), self._order()
        return ops.transpose(ops.reshape(matrix, [shape[axis] for axis in order]), np.argsort(order).tolist())

    def written_scale(self, scale):
        given, kernel, output = self.letters
        axes = {letter: size for letter, size in zip(kernel, scale.shape)}
        kept = [letter for letter in output if letter in kernel]
        scale = np.transpose(np.squeeze(scale, self.reduced_axes()),
                             [[letter for letter in kernel if letter in output].index(letter) for letter in kept])
        return scale.reshape([axes[letter] if letter in kept else 1 for letter in output])

    def read_scale(self, scale):
        given, kernel, output = self.letters
        kept = [letter for letter in output if letter in kernel]
        scale = ops.reshape(scale, [self.faced_shape()[kernel.index(letter)] for letter in kept])
        scale = ops.transpose(scale, [kept.index(letter) for letter in kernel if letter in kept])
        return ops.reshape(scale, [size if letter in kept else 1 for letter, size in zip(kernel, self.faced_shape())])

    # What packages look at by the names that it has in Keras 3.

    @property
    def _int4_block_size(self):
        return self.of_mode('int4', lambda: self.quantization_config.block_size if self.quantization_config.has_blocks
                        else None)

    @property
    def _int4_unpacked_column_size(self):
        return self.of_mode('int4', self.columns_of_bits)

    @property
    def gptq_unpacked_column_size(self):
        """The number of columns of the matrix whose bits GPTQ chooses; None without."""
        return self.kernel_scale.shape[0] if self.is_quantized and self.quantization_mode == 'gptq' else None

    @property
    def awq_unpacked_column_size(self):
        """The number of columns of the matrix whose bits AWQ chooses; None without."""
        return self.kernel_scale.shape[0] if self.is_quantized and self.quantization_mode == 'awq' else None

    @property
    def original_kernel_shape(self):
        """The shape of the kernel before it was quantized."""
        return tuple(self.faced_shape())

    def product(self, inputs, weight):
        return ops.einsum(self.equation, inputs, weight)

    def _is_dense(self):
        """Whether the last axes of the inputs become the last ones of the output, all of which the bias has."""
        given, kernel, output = self.letters
        before = len(self.reduced_axes())
        free = given[:len(given) - before]
        return before > 0 and '...' not in self.equation and given == free + kernel[:before] \
            and output == free + kernel[before:] \
            and (self.bias is None or self.bias.shape == self.kernel.shape[before:])

    def _dense(self, inputs):
        """What `einsum` and the bias give, by the product of matrices that engines are best at."""
        sizes, shape, before = list(ops.shape(inputs)), self.kernel.shape, len(self.reduced_axes())
        rows, columns = int(np.prod(shape[:before])), int(np.prod(shape[before:]))
        if before > 1:
            inputs = ops.reshape(inputs, sizes[:-before] + [rows])
        kernel = ops.reshape(self.kernel.value, (rows, columns))
        bias = None if self.bias is None else ops.reshape(self.bias.value, (columns,))
        outputs = ops.linear(inputs, kernel, bias)
        return outputs if len(shape) == before + 1 else ops.reshape(outputs, sizes[:-before] + list(shape[before:]))

    def call(self, inputs):
        if self._dense_at_last and not self.is_quantized and ops.ndim(inputs) == len(self.letters[0]):
            outputs = self._dense(inputs)
            return outputs if self.activation is activations.linear else self.activation(outputs)
        outputs = self.quantized_product(inputs) if self.is_quantized else self.product(inputs, self.kernel.value)
        if self.bias is not None:
            outputs = self.biased(outputs, self.bias.value) if self.is_quantized \
                else ops.add(outputs, self.bias.value)
        return outputs if self.activation is activations.linear else self.activation(outputs)

    def compute_output_shape(self, input_shape):
        return Equation(self.equation, self.bias_axes, tuple(input_shape), self.partial_output_shape,
                        self.name).output_shape


class Equation:
    """What an equation of einsum says for inputs of a shape: the shapes of kernel, bias and output."""

    def __init__(self, equation, bias_axes, input_shape, output_sizes, owner):
        operands, _, output = equation.replace(' ', '').partition('->')
        given, _, kernel = operands.partition(',')
        self.wrong = 'Layer %s (EinsumDense): the equation %r %%s.' % (owner, equation)
        if not kernel or not output or '...' in kernel or ('...' in given) != ('...' in output):
            raise ValueError(self.wrong % "is not of the form 'ab,bc->ac', with '...' in inputs and output only")
        left, right = given.startswith('...'), given.endswith('...') and given != '...'
        names, wanted = given.replace('...', ''), output.replace('...', '')
        self.letters = names, kernel, wanted
        rest = len(input_shape) - len(names)
        if rest and not (left or right) or rest < 0:
            raise ValueError(self.wrong % ('is for inputs of %d axes; they have the shape %s' % (
                len(names), input_shape)))
        elided = input_shape[:rest] if left else input_shape[len(names):]
        sizes = dict(zip(names, input_shape[rest:] if left else input_shape))
        named = wanted if left else wanted[1:]
        if left or right and len(output_sizes) > len(named):  # sizes of what `...` stands for follow from the inputs
            output_sizes = output_sizes[-len(named):] if left else output_sizes[:len(named)]
        sizes = self._with_output(sizes, named, output_sizes)
        unknown = [name for name in kernel if sizes.get(name) is None]
        if unknown:
            raise ValueError(self.wrong % ('has an axis %r in the kernel, whose size neither the inputs %s nor '
                                           'output_shape=%s say' % (unknown[0], input_shape, output_sizes)))
        self.kernel_shape = tuple(sizes[name] for name in kernel)
        found = tuple(sizes.get(name) for name in wanted)
        self.output_shape = elided + found if left else found + (elided if right else ())
        self.bias_shape = self._bias_shape(bias_axes, wanted, sizes, len(elided) if right else 0)

    def _with_output(self, sizes, names, output_sizes):
        if len(names) < len(output_sizes):
            warnings.warn(self.wrong % ('has %d axes in the output beside the batch and `...`, output_shape=%s has %d, '
                                        'of which the last have no effect'
                                        % (len(names), output_sizes, len(output_sizes))), stacklevel=2)
        elif len(names) > len(output_sizes):
            raise ValueError(self.wrong % ('has %d axes in the output beside the batch and `...`, output_shape=%s has '
                                           '%d' % (len(names), output_sizes, len(output_sizes))))
        sizes = dict(sizes)
        for name, size in zip(names, output_sizes):
            if size is not None and sizes.get(name) not in (None, size):
                raise ValueError(self.wrong % ('has the axis %r of size %d in the inputs and %d in output_shape' % (
                    name, sizes[name], size)))
            sizes[name] = sizes.get(name) if size is None else size
        return sizes

    def _bias_shape(self, bias_axes, wanted, sizes, behind):
        if not bias_axes:
            return ()
        strange = [name for name in bias_axes if name not in wanted]
        if strange:
            raise ValueError(self.wrong % ('has no axis %r in the output, which bias_axes names' % strange[0]))
        first = min(wanted.index(name) for name in bias_axes)
        return tuple(sizes[name] if name in bias_axes else 1 for name in wanted[first:]) + (1,) * behind
