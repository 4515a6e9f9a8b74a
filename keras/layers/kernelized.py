"""Layers that approximate kernels of support vector machines."""
import math

import numpy as np

from keras import initializers, ops
from keras.backend.contract.rules import numpy_dtype
from keras.layers.base import Layer


class RandomFourierFeatures(Layer):
    """Random features whose inner products approximate a shift-invariant kernel: Rahimi and Recht (2007).

    The outputs are `cos(inputs @ kernel / scale + bias)` with a fixed random kernel; a linear model on top of them is
    close to a kernel machine.

    Args:
        output_dim: the number of features. kernel_initializer: 'gaussian' or 'laplacian', for the kernels of these
            names, or an initializer. scale: of the kernel, a positive number; default the square root of half the
            number of inputs for 'gaussian', 1 for the others.
        trainable: whether the scale is trained.

    Inputs have the shape (batch, inputs), outputs (batch, output_dim).

    Raises:
        ValueError: for a size or scale that is not positive, an unknown kernel, and inputs of another rank.

    Example:
        >>> layer = keras.layers.RandomFourierFeatures(8, 'gaussian', scale=2.0)
        >>> layer(np.ones((3, 5), 'float32')).shape
        (3, 8)
    """

    def __init__(self, output_dim, kernel_initializer='gaussian', scale=None, trainable=False, name=None, **kwargs):
        if output_dim <= 0:
            raise ValueError('RandomFourierFeatures: `output_dim` should be a positive integer. Received: %s'
                             % output_dim)
        if isinstance(kernel_initializer, str) and kernel_initializer.lower() not in _KERNELS:
            raise ValueError("RandomFourierFeatures: Unsupported `kernel_initializer`: %s Expected one of: "
                             "['gaussian', 'laplacian']" % kernel_initializer)
        if scale is not None and scale <= 0.0:
            raise ValueError('RandomFourierFeatures: When provided, `scale` should be a positive float. Received: %s'
                             % scale)
        super().__init__(trainable=trainable, name=name, **kwargs)
        self._kernel = kernel_initializer.lower() if isinstance(kernel_initializer, str) else None
        name = self.name
        self.declare(dict(
            locals(), kernel_initializer=_KERNELS[self._kernel]() if self._kernel else kernel_initializer))

    def build(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError('Layer %s (RandomFourierFeatures): The rank of the input tensor should be 2. Received '
                             'input with rank %d instead. Full input shape received: %s'
                             % (self.name, len(input_shape), tuple(input_shape)))
        if input_shape[1] is None:
            raise ValueError('Layer %s (RandomFourierFeatures): The last dimension of the input tensor should be '
                             'defined. Found `None`. Full input shape received: %s' % (self.name, tuple(input_shape)))
        inputs = input_shape[1]
        scale = self.scale or (math.sqrt(inputs / 2.0) if self._kernel == 'gaussian' else 1.0)
        self.kernel_scale = self.add_weight(name='kernel_scale', shape=(1,), initializer=initializers.Constant(scale),
                                            trainable=True, constraint='non_neg')
        self.unscaled_kernel = self.add_weight(
            name='unscaled_kernel', shape=(inputs, self.output_dim), trainable=False,
            initializer=self.kernel_initializer)
        self.bias = self.add_weight(name='bias', shape=(self.output_dim,), trainable=False,
                                    initializer=initializers.RandomUniform(0.0, 2.0 * math.pi))

    def call(self, inputs):
        kernel = ops.divide(self.unscaled_kernel.value, self.kernel_scale.value)
        return ops.cos(ops.add(ops.matmul(ops.cast(inputs, self.compute_dtype), kernel), self.bias.value))

    def get_config(self):
        """The arguments as plain values."""
        config = super().get_config()
        return dict(config, kernel_initializer=self._kernel) if self._kernel else config

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)


class _Cauchy(initializers.Initializer):
    """Draws from the standard Cauchy distribution, whose characteristic function is the Laplacian kernel."""

    def __call__(self, shape, dtype=None, **kwargs):
        return np.tan(math.pi * (np.random.uniform(size=shape) - 0.5)).astype(numpy_dtype(dtype or 'float32'))


def _gaussian():
    return initializers.RandomNormal(stddev=1.0)


_KERNELS = {'gaussian': _gaussian, 'laplacian': _Cauchy}
