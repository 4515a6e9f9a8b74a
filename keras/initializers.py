"""Initial values of weights, drawn on the host by NumPy's Philox generator: the same on every engine.

An initializer is a callable `(shape, dtype=None)` that gives a NumPy array. One with a `seed` gives values that
follow from it: in Keras 2 others at every call, in tf.keras and Keras 3 the same ones (`keras.generations`); one
without takes a fresh seed at every call, which follows from `keras.utils.set_random_seed` (or `np.random.seed`).
Weights are drawn when their value is first needed; `delayed` fixes the seed when the weight is made, so that the
order of use does not change the numbers.
"""
import inspect
import math

import numpy as np

from keras import config, generations
from keras.backend.contract.loading import active, is_native
from keras.backend.contract.rules import numpy_dtype
from keras.backend.state.seeds import SeedGenerator, draw_host_seed
from keras.backend.state.variables import in_shape, to_array
from keras.configurable import Configurable
from keras.generations import Default
from keras.saving.kinds import Kind, deserialize_keras_object, serialize_keras_object  # noqa: F401

# Standard deviation of the standard normal distribution cut off at -2 and 2.
TRUNCATED_DEVIATION = 0.87962566103423978


class Initializer(Configurable):
    """Base class: a callable `(shape, dtype=None)` that gives an array of that shape.

    Example:
        >>> class Sevens(keras.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return np.full(shape, 7, dtype)
    """

    def __call__(self, shape, dtype=None):
        raise NotImplementedError('%s does not implement __call__(shape, dtype=None).' % type(self).__name__)

    def delayed(self):
        """A function `(shape, dtype)` that gives later what a call would give now."""
        return lambda shape, dtype: self(shape, dtype=dtype)

    @classmethod
    def from_config(cls, config):
        """An initializer from what `get_config` gave; the `dtype` that tf.keras adds is ignored."""
        return cls(**{name: value for name, value in config.items() if name != 'dtype'})

    def clone(self):
        return type(self).from_config(self.get_config())


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
        value: a number, or an array or list: of as many values as the shape has, which are put in in their order, or
            one that broadcasts to it.

    Example:
        >>> keras.initializers.Constant(2.5)((2,))
        array([2.5, 2.5], dtype=float32)
    """

    def __init__(self, value=Default('Constant.value')):
        super().__init__()
        self.declare(locals())

    def __call__(self, shape, dtype=None):
        return _array(in_shape(np.asarray(self.value), shape), dtype)


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
        super().__init__()
        self.declare(locals())

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError('Identity makes matrices only, expected a shape of 2 sizes. Received: shape=%s'
                             % (tuple(shape),))
        return _array(self.gain * np.eye(*shape), dtype)


class STFT(Initializer):
    """The kernels of a short-time Fourier transform by convolution, of shape (frame length, 1, bins).

    Args:
        side: 'real' (cosines) or 'imag' (negative sines).
        window: 'hann', 'hamming', 'blackman', 'bartlett', an array of the frame's length, or None.
        scaling: 'density' (the window has Euclidean norm 1), 'spectrum' (it sums to 1) or None; without a window there
            is none.
        periodic: make the window for a period one longer than the frame.

    Raises:
        ValueError: for an unknown side, window or scaling.

    Example:
        >>> keras.initializers.STFT('real', window=None, scaling=None)((4, 1, 3))[:, 0, 1].round(3) + 0.0
        array([ 1.,  0., -1.,  0.], dtype=float32)
    """

    WINDOWS = {'hann': np.hanning, 'hamming': np.hamming, 'blackman': np.blackman, 'bartlett': np.bartlett}

    def __init__(self, side='real', window='hann', scaling='density', periodic=False):
        super().__init__()
        if side not in ('real', 'imag'):
            raise ValueError('STFT: `side` must be "real" or "imag". Received: %r' % (side,))
        if isinstance(window, str) and window not in self.WINDOWS and not _window_of_scipy(window, 4, False):
            raise ValueError('STFT: `window` must be one of %s, with SciPy one of its names, an array or None. '
                             'Received: %r' % (', '.join(sorted(self.WINDOWS)), window))
        if scaling not in ('density', 'spectrum', None):
            raise ValueError('STFT: `scaling` must be "density", "spectrum" or None. Received: %r' % (scaling,))
        self.declare(locals())

    def __call__(self, shape, dtype=None):
        length, _, bins = shape
        window = self._window(length)
        angles = 2 * np.pi * np.outer(np.arange(length), np.arange(bins)) / max(2 * (bins - 1), 1)
        waves = np.cos(angles) if self.side == 'real' else -np.sin(angles)
        return _array(np.broadcast_to((waves * window[:, None])[:, None], tuple(shape)), dtype)

    def _window(self, length):
        if self.window is None:
            return np.ones(length)
        if not isinstance(self.window, str):
            window = np.asarray(self.window, 'float64')
        elif self.window in self.WINDOWS:
            make = self.WINDOWS[self.window]
            window = make(length + 1)[:-1] if self.periodic else make(length)
        else:
            window = _window_of_scipy(self.window, length, self.periodic)[0]
        if self.scaling == 'density':
            return window / np.sqrt(np.sum(window ** 2))
        return window / np.sum(window) if self.scaling == 'spectrum' else window


def _window_of_scipy(name, length, periodic):
    """[the window that SciPy calls `name`], or []."""
    try:
        from scipy.signal import get_window
        return [get_window(name, length, periodic)]
    except (ImportError, ValueError):
        return []


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
        seed: an int, a `SeedGenerator`, or None for a fresh seed at every call. In Keras 2 every call takes the int
            that follows.
    """

    def __init__(self, seed=None):
        super().__init__()
        self.declare(locals())

    def declare(self, given):
        super().declare(given)
        if isinstance(self.seed, dict):  # the config of a generator
            self.seed = SeedGenerator(**self.seed['config'])

    _calls = 0

    def __call__(self, shape, dtype=None):
        return self.sample(self._next_seed(), shape, dtype)

    def _next_seed(self):
        seed = _host_seed(self.seed)
        if isinstance(self.seed, (int, np.integer)) and self.ruled('seed_goes_on'):
            seed, self._calls = seed + self._calls, self._calls + 1
        return seed

    def delayed(self):
        if type(self).__call__ is not RandomInitializer.__call__:
            return super().delayed()
        seed = self._next_seed()
        return lambda shape, dtype: self.sample(seed, shape, dtype)

    def sample(self, seed, shape, dtype=None):
        """The values for `shape` that follow from the int `seed`."""
        dtype = numpy_dtype(dtype or config.floatx())
        generator = np.random.Generator(np.random.Philox(key=seed & 0xffffffffffffffff))
        # The generators make float32 and float64; other types are rounded from float32.
        drawn = dtype if dtype.name == 'float64' else np.dtype('float32')
        return np.asarray(self.draw(generator, tuple(shape), drawn)).astype(dtype, copy=False)

    def draw(self, generator, shape, dtype):
        raise NotImplementedError


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
        mean, stddev: of the distribution. seed: an int for values that follow from it.

    Example:
        >>> keras.initializers.RandomNormal(stddev=0.01, seed=1337)((2, 3)).shape
        (2, 3)
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.declare(locals())

    def draw(self, generator, shape, dtype):
        return _normal(generator, shape, dtype, self.mean, self.stddev)


class RandomUniform(RandomInitializer):
    """Values spread evenly over [minval, maxval).

    Args:
        minval, maxval: the limits. seed: an int for values that follow from it.

    Example:
        >>> keras.initializers.RandomUniform(0, 1, seed=1337)((2, 3)).min() >= 0
        True
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.declare(locals())

    def draw(self, generator, shape, dtype):
        return _uniform(generator, shape, dtype, self.minval, self.maxval)


class TruncatedNormal(RandomInitializer):
    """Values from the normal distribution, drawn again where further than two deviations from the mean.

    Args:
        mean, stddev: of the normal distribution before it is cut off. seed: an int for values that follow from it.

    Example:
        >>> abs(keras.initializers.TruncatedNormal(stddev=1.0, seed=1337)((9, 9))).max() <= 2
        True
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.declare(locals())

    def draw(self, generator, shape, dtype):
        return _truncated_normal(generator, shape, dtype, self.mean, self.stddev)


class VarianceScaling(RandomInitializer):
    """Values whose variance is `scale / n`, where n is the number of inputs or outputs of a unit.

    Args:
        scale: a positive number.
        mode: 'fan_in' (n = inputs), 'fan_out' (n = outputs) or 'fan_avg' (n = their mean).
        distribution: 'normal' or 'truncated_normal' (cut off at two deviations), 'untruncated_normal', 'uniform'.
        seed: an int for values that follow from it.
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
    later = ('input_axes', 'output_axes')

    def __init__(self, scale=1.0, mode='fan_in', distribution=Default('VarianceScaling.distribution'), seed=None,
                 input_axes=None, output_axes=None):
        super().__init__(seed)
        if scale <= 0:
            raise ValueError('VarianceScaling: Argument `scale` must be positive float. Received: scale=%r' % (scale,))
        self.declare(locals())
        self.mode = _one_of('mode', mode, self.MODES)
        self.distribution = _one_of('distribution', self.distribution, self.DISTRIBUTIONS)
        self.input_axes = _axes(input_axes)
        self.output_axes = _axes(output_axes)

    def draw(self, generator, shape, dtype):
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes, self.ruled('fans_of_vectors'))
        count = {'fan_in': fan_in, 'fan_out': fan_out, 'fan_avg': (fan_in + fan_out) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1.0, count))
        if self.distribution == 'uniform':
            limit = math.sqrt(3.0) * deviation
            return _uniform(generator, shape, dtype, -limit, limit)
        if self.distribution == 'untruncated_normal' or (
                self.distribution == 'normal' and not self.ruled('normal_is_cut_off')):
            return _normal(generator, shape, dtype, 0.0, deviation)
        return _truncated_normal(generator, shape, dtype, 0.0, deviation / TRUNCATED_DEVIATION)


def _one_of(argument, value, allowed):
    name = str(value).lower()
    if name not in allowed:
        raise ValueError('VarianceScaling: Invalid `%s` argument: it must be one of %s. Received: %r'
                         % (argument, ', '.join(allowed), value))
    return name


def _axes(axes):
    return [axes] if isinstance(axes, int) else None if axes is None else list(axes)


def compute_fans(shape, input_axes=None, output_axes=None, of_vectors='root'):
    """The number of inputs and outputs of a unit whose weights have `shape`.

    Kernels are (spatial..., inputs, outputs). A vector counts as its size in both directions, or as the square root of
    that where `of_vectors` is 'root'.
    """
    if input_axes is not None or output_axes is not None:
        default = compute_fans(shape, of_vectors=of_vectors)
        return tuple(default[which] if axes is None else int(np.prod([shape[axis] for axis in axes]))
                     for which, axes in enumerate((input_axes, output_axes)))
    if len(shape) < 2:
        size = np.prod(shape, dtype='float64')
        return (math.sqrt(size),) * 2 if of_vectors == 'root' else (int(size),) * 2
    field = int(np.prod(shape[:-2], dtype='int64'))
    return shape[-2] * field, shape[-1] * field


_compute_fans = compute_fans  # the name of Keras 2, which initializers in scripts import


class Orthogonal(RandomInitializer):
    """A random orthogonal matrix: its rows or its columns, whichever are fewer, are orthonormal.

    Shapes of more axes are made from the matrix of (all but the last, last).

    Args:
        gain: a factor. seed: an int for values that follow from it.

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
        self.declare(locals())

    def draw(self, generator, shape, dtype):
        if len(shape) < 2:
            raise ValueError('Orthogonal needs a shape of at least 2 sizes. Received: shape=%s' % (shape,))
        rows, columns = int(np.prod(shape[:-1], dtype='int64')), shape[-1]
        matrix = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(matrix)
        # Fixing the signs makes the matrix uniform over the orthogonal ones (Mezzadri 2007).
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)


def _scheme(cls, seed, input_axes, output_axes):
    """What the function of a scheme gives: in Keras 3 an object of its class, before a `VarianceScaling`."""
    if generations.value('schemes_are_classes'):
        return cls(seed, input_axes, output_axes)
    return VarianceScaling(*_old_words(cls.arguments), seed=seed, input_axes=input_axes, output_axes=output_axes)


def _old_words(arguments):
    """(scale, mode, distribution), the last one by the name that Keras 2 knows."""
    return arguments[:2] + (arguments[2].rpartition('_')[2],)


# --- the schemes of the papers ------------------------------------------------------------------------------------

def glorot_uniform(seed=None, input_axes=None, output_axes=None):
    """Uniform with variance 2 / (inputs + outputs): Glorot and Bengio, Understanding the difficulty of training
    deep feedforward neural networks (2010). Also called Xavier uniform.

    Example:
        >>> keras.initializers.glorot_uniform(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return _scheme(GlorotUniform, seed, input_axes, output_axes)


def glorot_normal(seed=None, input_axes=None, output_axes=None):
    """Truncated normal with variance 2 / (inputs + outputs): Glorot and Bengio (2010).

    Example:
        >>> keras.initializers.glorot_normal(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return _scheme(GlorotNormal, seed, input_axes, output_axes)


def he_normal(seed=None, input_axes=None, output_axes=None):
    """Truncated normal with variance 2 / inputs: He et al., Delving deep into rectifiers (2015).

    Example:
        >>> keras.initializers.he_normal(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return _scheme(HeNormal, seed, input_axes, output_axes)


def he_uniform(seed=None, input_axes=None, output_axes=None):
    """Uniform with variance 2 / inputs: He et al. (2015).

    Example:
        >>> keras.initializers.he_uniform(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return _scheme(HeUniform, seed, input_axes, output_axes)


def lecun_normal(seed=None, input_axes=None, output_axes=None):
    """Truncated normal with variance 1 / inputs: LeCun et al., Efficient backprop (1998); what SELU needs.

    Example:
        >>> keras.initializers.lecun_normal(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return _scheme(LecunNormal, seed, input_axes, output_axes)


def lecun_uniform(seed=None, input_axes=None, output_axes=None):
    """Uniform with variance 1 / inputs: LeCun et al. (1998).

    Example:
        >>> keras.initializers.lecun_uniform(seed=1337)((4, 3)).shape
        (4, 3)
    """
    return _scheme(LecunUniform, seed, input_axes, output_axes)


class _Scheme(VarianceScaling):
    """`VarianceScaling` with everything but the seed and the axes fixed, as Keras 3 names it."""

    arguments = ()

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self.arguments, seed=seed, input_axes=input_axes, output_axes=output_axes)
        self.declare(locals())

    def in_words_of_keras_2(self):
        """The class and the config by which Keras 2 and tf.keras know it as well."""
        config = dict(zip(('scale', 'mode', 'distribution'), _old_words(self.arguments)), seed=self.seed)
        return {'class_name': 'VarianceScaling', 'config': config}


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

_KIND = Kind('initializer', Initializer, functions=('shape', 'dtype'), home=__name__,
             expected='a name such as "glorot_uniform", a config, or a function of (shape, dtype)')
# `glorot_uniform` and its like make an initializer; other functions are one.
_KIND.enter_public(globals(), (glorot_uniform, glorot_normal, he_normal, he_uniform, lecun_normal, lecun_uniform),
                   also='serialize_keras_object')
_get, serialize, deserialize = _KIND.module_functions('initializer')


def get(identifier):
    """An initializer from a name such as "glorot_uniform", a config, or a function of (shape, dtype), as it is.

    An array or a tensor stands for its own values; None for none.

    Raises:
        ValueError: for anything else.

    Example:
        >>> keras.initializers.get('he_normal')((4, 3)).shape
        (4, 3)
    """
    if isinstance(identifier, np.ndarray) or active.engine is not None and is_native(identifier):
        return _values(to_array(identifier))
    return _get(identifier)


def _values(array):
    def initialize(shape, dtype=None):
        if tuple(shape) != array.shape:
            raise ValueError('Expected `shape` to be %s, that of the array which initializes. Received: shape=%s'
                             % (array.shape, tuple(shape)))
        return _array(array, dtype)
    return initialize


def delayed(initializer, name=None):
    """A function `(shape, dtype)` that draws later the values which `initializer` is to give now.

    The seed of a random initializer is taken now, so that the weights of a model do not depend on the order
    in which they are first used. A function of your own is called as it is, with the dtype if it takes one, and with
    the `name` of the weight if it takes that, as those of Keras 1 did.

    Args:
        initializer: anything that `get` takes. name: of the weight.

    Example:
        >>> draw = keras.initializers.delayed('glorot_uniform')
        >>> (draw((2, 3), 'float32') == draw((2, 3), 'float32')).all()
        True
    """
    initializer = get(initializer)
    if isinstance(initializer, Initializer):
        return initializer.delayed()
    taken = _taken(initializer)
    named = {'name': name} if 'name' in taken else {}
    if 'dtype' in taken:
        return lambda shape, dtype: initializer(shape, dtype=dtype, **named)
    return lambda shape, dtype: initializer(shape, **named)


def _taken(function):
    """Which of `dtype` and `name` a function takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ['dtype']
    return ['dtype' if parameter.kind is parameter.VAR_KEYWORD else parameter.name for parameter in parameters]
