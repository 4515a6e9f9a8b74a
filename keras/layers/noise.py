"""Layers that add noise in training and pass their inputs on otherwise."""
from keras import ops, random
from keras.layers.arguments import check_rate, checked_noise_shape
from keras.layers.base import Layer  # noqa: F401
from keras.layers.families import SameShape


class _Noise(SameShape):
    later = ('seed', 'noise_shape')

    def __init__(self, seed, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.seed_generator = random.SeedGenerator(seed)

    def in_channels_first(self, rank):
        return self if getattr(self, 'noise_shape', None) is None else None


class GaussianNoise(_Noise):
    """Adds normal noise of mean 0, in training only.

    Args:
        stddev: standard deviation of the noise. seed: int, or None to draw one.
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.declare(locals())
        if not 0 <= stddev:
            raise ValueError('GaussianNoise: `stddev` must not be negative. Received: %r' % (stddev,))

    def call(self, inputs, training=None):
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(ops.shape(inputs), 0.0, self.stddev, self.float_type(inputs), self.seed_generator)
        return ops.add(inputs, noise)


class GaussianDropout(_Noise):
    """Multiplies by normal noise of mean 1 and deviation `sqrt(rate / (1 - rate))`, in training only.

    Args:
        rate: number in [0, 1), as for `Dropout`. seed: int, or None to draw one.

    Source: Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting (2014).
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.declare(locals())
        check_rate(rate, 'GaussianDropout')

    def call(self, inputs, training=None):
        if not training or not 0 < self.rate < 1:
            return inputs
        stddev = (self.rate / (1.0 - self.rate)) ** 0.5
        noise = random.normal(ops.shape(inputs), 1.0, stddev, self.float_type(inputs), self.seed_generator)
        return ops.multiply(inputs, noise)


# The limit of selu for very negative inputs, -alpha * scale (Klambauer et al. 2017, section 3).
_SATURATION = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(_Noise):
    """Dropout that keeps mean and variance of inputs made by `selu`, in training only.

    Args:
        rate: share of the inputs that is set to selu's negative limit.
        noise_shape: shape of the random mask, broadcast to the inputs; None stands for the input's size.
        seed: int, or None to draw one.

    Source: Klambauer et al., Self-normalizing neural networks (2017).
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.declare(locals())
        check_rate(rate, 'AlphaDropout')
        self.noise_shape = checked_noise_shape(noise_shape, 'AlphaDropout')

    def _get_noise_shape(self, inputs):
        sizes = ops.shape(inputs)
        if self.noise_shape is None:
            return sizes
        return tuple(sizes[axis] if size is None else size for axis, size in enumerate(self.noise_shape))

    def call(self, inputs, training=None):
        rate = self.rate
        if not training or not 0 < rate < 1:
            return inputs
        drawn = random.uniform(self._get_noise_shape(inputs), 0.0, 1.0, self.float_type(inputs), self.seed_generator)
        kept = ops.cast(ops.greater_equal(drawn, rate), self.float_type(inputs))
        dropped = ops.multiply(ops.subtract(1.0, kept), _SATURATION)
        # The affine map that restores mean 0 and variance 1 (equation 13 of the paper).
        scale = ((1 - rate) * (1 + rate * _SATURATION ** 2)) ** -0.5
        return ops.add(ops.multiply(ops.add(ops.multiply(inputs, kept), dropped), scale), -scale * _SATURATION * rate)
