"""Initial values of weights, drawn on the host by NumPy's Philox generator: the same on every engine.

An initializer is a callable `(shape, dtype=None)` that gives a NumPy array. One with a `seed` gives the same
values at every call for the same shape; one without takes a fresh seed at every call, which follows from
`keras.utils.set_random_seed` (or `np.random.seed`). Weights are drawn when their value is first needed;
`delayed` fixes the seed when the weight is made, so that the order of use does not change the numbers.
"""
import inspect
import math

import numpy as np

from keras import config
from keras.backend.state import draw_host_seed, numpy_dtype
from keras.saving.serialization import deserialize_keras_object, serialize_keras_object

# Standard deviation of the standard normal distribution cut off at -2 and 2.
TRUNCATED_DEVIATION = 0.87962566103423978


class Initializer:
    """Base class: a callable `(shape, dtype=None)` that gives an array of that shape.

    Example:
        >>> class Sevens(keras.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return np.full(shape, 7, dtype)
    """

    def __call__(self, shape, dtype=None):
        raise NotImplementedError('%s does not implement __call__(shape, dtype=None).' % type(self).__name__)

    def get_config(self):
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """An initializer from what `get_config` gave; the `dtype` that tf.keras adds is ignored."""
        arguments = dict(config)
        arguments.pop('dtype', None)
        return cls(**arguments)

    def clone(self):
        return type(self).from_config(self.get_config())

    def __repr__(self):
        return '<%s %r>' % (type(self).__name__, self.get_config())


def _array(values, dtype):
    return np.asarray(values).astype(numpy_dtype(dtype or config.floatx()))


class Zeros(Initializer):
    """All zeros.

    Example:
        >>> keras.initializers.Zeros()((2,))
        array([0., 0.], dtype=float32)
    """

    def __call__(self, shape, dtype=None):
        return _array(np.zeros(shape), dtype)


class Ones(Initializer):
    """All ones.

    Example:
        >>> keras.initializers.Ones()((2,))
        array([1., 1.], dtype=float32)
    """

    def __call__(self, shape, dtype=None):
        return _array(np.ones(shape), dtype)


class Constant(Initializer):
    """One constant everywhere.

    Args:
        value: a number, or an array that broadcasts to the shape.

    Example:
        >>> keras.initializers.Constant(2.5)((2,))
        array([2.5, 2.5], dtype=float32)
    """

    def __init__(self, value=0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return _array(np.broadcast_to(np.asarray(self.value), tuple(shape)), dtype)

    def get_config(self):
        value = self.value
        return {'value': value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value}


class Identity(Initializer):
    """A multiple of the identity matrix; with rows or columns of zeros where the matrix is not square.

    Args:
        gain: the factor.

    Raises:
        ValueError: when called for a shape that is not two-dimensional.

    Example:
        >>> keras.initializers.Identity(2)((2, 2))
        array([[2., 0.],
               [0., 2.]], dtype=float32)
    """

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError('Identity makes matrices only, expected a shape of 2 sizes. Received: shape=%s'
                             % (tuple(shape),))
        return _array(self.gain * np.eye(*shape), dtype)

    def get_config(self):
        return {'gain': self.gain}


class STFT(Initializer):
    """The kernels of a short-time Fourier transform by convolution, of shape (frame length, 1, bins).

    Args:
        side: 'real' (cosines) or 'imag' (negative sines).
        window: 'hann', 'hamming', 'blackman', 'bartlett', an array of the frame's length, or None.
        scaling: 'density' (the window has Euclidean norm 1), 'spectrum' (it sums to 1) or None.
        periodic: make the window for a period one longer than the frame.

    Raises:
        ValueError: for an unknown side, window or scaling.

    Example:
        >>> keras.initializers.STFT('real', window=None, scaling=None)((4, 1, 3))[:, 0, 1].round(3) + 0.0
        array([ 1.,  0., -1.,  0.], dtype=float32)
    """

    WINDOWS = {'hann': np.hanning, 'hamming': np.hamming, 'blackman': np.blackman, 'bartlett': np.bartlett}

    def __init__(self, side='real', window='hann', scaling='density', periodic=False):
        if side not in ('real', 'imag'):
            raise ValueError('STFT: `side` must be "real" or "imag". Received: %r' % (side,))
        if isinstance(window, str) and window not in self.WINDOWS:
            raise ValueError('STFT: `window` must be one of %s, an array or None. Received: %r'
                             % (', '.join(sorted(self.WINDOWS)), window))
        if scaling not in ('density', 'spectrum', None):
            raise ValueError('STFT: `scaling` must be "density", "spectrum" or None. Received: %r' % (scaling,))
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape, dtype=None):
        length, _, bins = shape
        window = self._window(length)
        angles = 2 * np.pi * np.outer(np.arange(length), np.arange(bins)) / max(2 * (bins - 1), 1)
        waves = np.cos(angles) if self.side == 'real' else -np.sin(angles)
        return _array(np.broadcast_to((waves * window[:, None])[:, None], tuple(shape)), dtype)

    def _window(self, length):
        if isinstance(self.window, str):
            make = self.WINDOWS[self.window]
            window = make(length + 1)[:-1] if self.periodic else make(length)
        else:
            window = np.ones(length) if self.window is None else np.asarray(self.window, 'float64')
        if self.scaling == 'density':
            return window / np.sqrt(np.sum(window ** 2))
        return window / np.sum(window) if self.scaling == 'spectrum' else window

    def get_config(self):
        return {'side': self.side, 'window': self.window, 'scaling': self.scaling, 'periodic': self.periodic}


# --- random -----------------------------------------------------------------------------------------------------

def _host_seed(seed):
    """The int that a draw starts from: `seed`, a fresh one for None, the next of a SeedGenerator."""
    if seed is None:
        return draw_host_seed()
    if hasattr(seed, 'next'):
        state = seed.state.numpy()
        seed.state.assign(state + np.array([0, 1], dtype='uint32'))
        return int(state[0]) << 32 | int(state[1])
    return int(seed)


class RandomInitializer(Initializer):
    """Base of the random initializers. A subclass gives `draw(generator, shape, dtype)`.

    Args:
        seed: an int, a `SeedGenerator`, or None for a fresh seed at every call.
    """

    def __init__(self, seed=None):
        self.seed = seed

    def __call__(self, shape, dtype=None):
        return self.sample(_host_seed(self.seed), shape, dtype)

    def sample(self, seed, shape, dtype=None):
        """The values for `shape` that follow from the int `seed`."""
        dtype = numpy_dtype(dtype or config.floatx())
        generator = np.random.Generator(np.random.Philox(key=seed & 0xffffffffffffffff))
        # The generators make float32 and float64; other types are rounded from float32.
        drawn = dtype if dtype.name == 'float64' else np.dtype('float32')
        return np.asarray(self.draw(generator, tuple(shape), drawn)).astype(dtype, copy=False)

    def draw(self, generator, shape, dtype):
        raise NotImplementedError

    def get_config(self):
        if hasattr(self.seed, 'get_config'):
            return {'seed': serialize_keras_object(self.seed)}
        return {'seed': self.seed}


def _normal(generator, shape, dtype, mean, stddev):
    values = generator.standard_normal(shape, dtype=dtype)
    return values * dtype.type(stddev) + dtype.type(mean)


def _uniform(generator, shape, dtype, low, high):
    return generator.random(shape, dtype=dtype) * dtype.type(high - low) + dtype.type(low)


def _truncated_normal(generator, shape, dtype, mean, stddev):
    """Normal values of which those further than two deviations from the mean are drawn again."""
    values = generator.standard_normal(int(np.prod(shape, dtype='int64')), dtype=dtype)
    outside = np.flatnonzero(np.abs(values) > 2)
    while len(outside):
        values[outside] = generator.standard_normal(len(outside), dtype=dtype)
        outside = outside[np.abs(values[outside]) > 2]
    return values.reshape(shape) * dtype.type(stddev) + dtype.type(mean)


class RandomNormal(RandomInitializer):
    """Values from the normal distribution.

    Args:
        mean, stddev: of the distribution. seed: an int for the same values at every call.

    Example:
        >>> keras.initializers.RandomNormal(stddev=0.01, seed=1337)((2, 3)).shape
        (2, 3)
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def draw(self, generator, shape, dtype):
        return _normal(generator, shape, dtype, self.mean, self.stddev)

    def get_config(self):
        return dict(super().get_config(), mean=self.mean, stddev=self.stddev)


class RandomUniform(RandomInitializer):
    """Values spread evenly over [minval, maxval).

    Args:
        minval, maxval: the limits. seed: an int for the same values at every call.

    Example:
        >>> keras.initializers.RandomUniform(0, 1, seed=1337)((2, 3)).min() >= 0
        True
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def draw(self, generator, shape, dtype):
        return _uniform(generator, shape, dtype, self.minval, self.maxval)

    def get_config(self):
        return dict(super().get_config(), minval=self.minval, maxval=self.maxval)


class TruncatedNormal(RandomInitializer):
    """Values from the normal distribution, drawn again where further than two deviations from the mean.

    Args:
        mean, stddev: of the normal distribution before it is cut off. seed: an int for the same values.

    Example:
        >>> abs(keras.initializers.TruncatedNormal(stddev=1.0, seed=1337)((9, 9))).max() <= 2
        True
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def draw(self, generator, shape, dtype):
        return _truncated_normal(generator, shape, dtype, self.mean, self.stddev)

    def get_config(self):
        return dict(super().get_config(), mean=self.mean, stddev=self.stddev)


class VarianceScaling(RandomInitializer):
    """Values whose variance is `scale / n`, where n is the number of inputs or outputs of a unit.

    Args:
        scale: a positive number.
        mode: 'fan_in' (n = inputs), 'fan_out' (n = outputs) or 'fan_avg' (n = their mean).
        distribution: 'normal' or 'truncated_normal' (cut off at two deviations), 'untruncated_normal', 'uniform'.
        seed: an int for the same values at every call.
        input_axes, output_axes: the axes of the shape whose sizes multiply to the number of inputs and outputs;
            default: the last but one axis and the last, each times the sizes before them.

    Raises:
        ValueError: for a scale that is not positive, or an unknown mode or distribution.

    Example:
        >>> keras.initializers.VarianceScaling(2.0, 'fan_in', 'uniform', seed=1337)((4, 3)).shape
        (4, 3)
    """

    MODES = ('fan_in', 'fan_out', 'fan_avg')
    DISTRIBUTIONS = ('normal', 'uniform', 'truncated_normal', 'untruncated_normal')

    def __init__(self, scale=1.0, mode='fan_in', distribution='normal', seed=None, input_axes=None, output_axes=None):
        super().__init__(seed)
        if scale <= 0:
            raise ValueError('VarianceScaling: `scale` must be a positive number. Received: scale=%r' % (scale,))
        self.scale = scale
        self.mode = _one_of('mode', mode, self.MODES)
        self.distribution = _one_of('distribution', distribution, self.DISTRIBUTIONS)
        self.input_axes = _axes(input_axes)
        self.output_axes = _axes(output_axes)

    def draw(self, generator, shape, dtype):
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        count = {'fan_in': fan_in, 'fan_out': fan_out, 'fan_avg': (fan_in + fan_out) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1.0, count))
        if self.distribution == 'uniform':
            limit = math.sqrt(3.0) * deviation
            return _uniform(generator, shape, dtype, -limit, limit)
        if self.distribution == 'untruncated_normal':
            return _normal(generator, shape, dtype, 0.0, deviation)
        return _truncated_normal(generator, shape, dtype, 0.0, deviation / TRUNCATED_DEVIATION)

    def get_config(self):
        arguments = dict(super().get_config(), scale=self.scale, mode=self.mode, distribution=self.distribution)
        if self.input_axes is not None or self.output_axes is not None:
            arguments.update(input_axes=self.input_axes, output_axes=self.output_axes)
        return arguments


def _one_of(argument, value, allowed):
    name = str(value).lower()
    if name not in allowed:
        raise ValueError('VarianceScaling: `%s` must be one of %s. Received: %r'
                         % (argument, ', '.join(allowed), value))
    return name


def _axes(axes):
    return [axes] if isinstance(axes, int) else None if axes is None else list(axes)


def compute_fans(shape, input_axes=None, output_axes=None):
    """The number of inputs and outputs of a unit whose weights have `shape`.

    Kernels are (spatial..., inputs, outputs). A shape of another kind, a vector say, counts as the square
    root of its size in both directions.
    """
    if input_axes is not None or output_axes is not None:
        default = compute_fans(shape)
        return tuple(default[which] if axes is None else int(np.prod([shape[axis] for axis in axes]))
                     for which, axes in enumerate((input_axes, output_axes)))
    if len(shape) < 2:
        root = math.sqrt(np.prod(shape, dtype='float64'))
        return root, root
    field = int(np.prod(shape[:-2], dtype='int64'))
    return shape[-2] * field, shape[-1] * field


class Orthogonal(RandomInitializer):
    """A random orthogonal matrix: its rows or its columns, whichever are fewer, are orthonormal.

    Shapes of more axes are made from the matrix of (all but the last, last).

    Args:
        gain: a factor. seed: an int for the same values at every call.

    Raises:
        ValueError: when called for a shape of fewer than two sizes.

    Reference: Saxe, McClelland, Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks (2013).

    Example:
        >>> q = keras.initializers.Orthogonal(seed=1337)((3, 3))
        >>> np.allclose(q.dot(q.T), np.eye(3), atol=1e-6)
        True
    """

    def __init__(self, gain=1.0, seed=None):
        super().__init__(seed)
        self.gain = gain

    def draw(self, generator, shape, dtype):
        if len(shape) < 2:
            raise ValueError('Orthogonal needs a shape of at least 2 sizes. Received: shape=%s' % (shape,))
        rows, columns = int(np.prod(shape[:-1], dtype='int64')), shape[-1]
        matrix = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(matrix)
        # Fixing the signs makes the matrix uniform over the orthogonal ones (Mezzadri 2007).
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)

    def get_config(self):
        return dict(super().get_config(), gain=self.gain)


# --- the schemes of the papers ------------------------------------------------------------------------------------

def glorot_uniform(seed=None):
    """Uniform with variance 2 / (inputs + outputs): Glorot and Bengio, Understanding the difficulty of training
    deep feedforward neural networks (2010). Also called Xavier uniform.

    Example:
        >>> keras.initializers.glorot_uniform(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return VarianceScaling(1.0, 'fan_avg', 'uniform', seed)


def glorot_normal(seed=None):
    """Truncated normal with variance 2 / (inputs + outputs): Glorot and Bengio (2010).

    Example:
        >>> keras.initializers.glorot_normal(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return VarianceScaling(1.0, 'fan_avg', 'normal', seed)


def he_normal(seed=None):
    """Truncated normal with variance 2 / inputs: He et al., Delving deep into rectifiers (2015).

    Example:
        >>> keras.initializers.he_normal(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return VarianceScaling(2.0, 'fan_in', 'normal', seed)


def he_uniform(seed=None):
    """Uniform with variance 2 / inputs: He et al. (2015).

    Example:
        >>> keras.initializers.he_uniform(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return VarianceScaling(2.0, 'fan_in', 'uniform', seed)


def lecun_normal(seed=None):
    """Truncated normal with variance 1 / inputs: LeCun et al., Efficient backprop (1998); what SELU needs.

    Example:
        >>> keras.initializers.lecun_normal(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return VarianceScaling(1.0, 'fan_in', 'normal', seed)


def lecun_uniform(seed=None):
    """Uniform with variance 1 / inputs: LeCun et al. (1998).

    Example:
        >>> keras.initializers.lecun_uniform(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return VarianceScaling(1.0, 'fan_in', 'uniform', seed)


class _Scheme(VarianceScaling):
    """`VarianceScaling` with everything but the seed and the axes fixed, as Keras 3 names it."""

    arguments = ()

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self.arguments, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self):
        arguments = super().get_config()
        return {name: arguments[name] for name in ('seed', 'input_axes', 'output_axes') if name in arguments}


class GlorotUniform(_Scheme):
    """`glorot_uniform` as a class."""
    arguments = (1.0, 'fan_avg', 'uniform')


class GlorotNormal(_Scheme):
    """`glorot_normal` as a class."""
    arguments = (1.0, 'fan_avg', 'truncated_normal')


class HeNormal(_Scheme):
    """`he_normal` as a class."""
    arguments = (2.0, 'fan_in', 'truncated_normal')


class HeUniform(_Scheme):
    """`he_uniform` as a class."""
    arguments = (2.0, 'fan_in', 'uniform')


class LecunNormal(_Scheme):
    """`lecun_normal` as a class."""
    arguments = (1.0, 'fan_in', 'truncated_normal')


class LecunUniform(_Scheme):
    """`lecun_uniform` as a class."""
    arguments = (1.0, 'fan_in', 'uniform')


zero = zeros = Zeros
one = ones = Ones
constant = Constant
uniform = random_uniform = RandomUniform
normal = random_normal = RandomNormal
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
identity = IdentityInitializer = Identity
orthogonal = OrthogonalInitializer = Orthogonal
stft = STFTInitializer = STFT


# --- by name ------------------------------------------------------------------------------------------------------

def serialize(initializer):
    """The config of an initializer: `{'class_name', 'config'}`."""
    return serialize_keras_object(initializer)


def deserialize(config, custom_objects=None):
    """The initializer that a config or a name stands for.

    Raises:
        ValueError: for an unknown name, naming those that come near.
    """
    found = deserialize_keras_object(config, module_objects=_objects(), custom_objects=custom_objects,
                                     printable_module_name='initializer')
    # `glorot_uniform` and its like make an initializer; other functions of that name are one.
    return found() if found in _SCHEMES else found


_SCHEMES = (glorot_uniform, glorot_normal, he_normal, he_uniform, lecun_normal, lecun_uniform)


def _objects():
    return {name: value for name, value in globals().items()
            if value in _SCHEMES or inspect.isclass(value) and issubclass(value, Initializer)}


def get(identifier):
    """The initializer for a name, a config, a class or a callable `(shape, dtype=None)`; None stays None.

    Raises:
        ValueError: for anything else.

    Example:
        >>> keras.initializers.get('he_normal')((4, 3)).shape
        (4, 3)
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if identifier in _SCHEMES or inspect.isclass(identifier):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError('Could not interpret initializer: %r. Expected a name such as "glorot_uniform", a config, or a '
                     'function of (shape, dtype).' % (identifier,))


def delayed(initializer):
    """A function `(shape, dtype)` that draws later the values which `initializer` is to give now.

    The seed of a random initializer is taken now, so that the weights of a model do not depend on the order
    in which they are first used. A function of your own is called as it is, with the dtype if it takes one.

    Args:
        initializer: anything that `get` takes.

    Example:
        >>> draw = keras.initializers.delayed('glorot_uniform')
        >>> (draw((2, 3), 'float32') == draw((2, 3), 'float32')).all()
        True
    """
    initializer = get(initializer)
    if isinstance(initializer, RandomInitializer) and type(initializer).__call__ is RandomInitializer.__call__:
        seed = _host_seed(initializer.seed)
        return lambda shape, dtype: initializer.sample(seed, shape, dtype)
    if isinstance(initializer, Initializer) or _takes_dtype(initializer):
        return lambda shape, dtype: initializer(shape, dtype=dtype)
    return lambda shape, dtype: initializer(shape)


def _takes_dtype(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(parameter.name == 'dtype' or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
