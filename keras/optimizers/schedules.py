"""Learning rates that depend on the number of updates made so far."""
import math

from keras import config, ops, random
from keras.configurable import Configurable, declared_config
from keras.saving.kinds import Kind


class LearningRateSchedule(Configurable):
    """Base class: a callable from the number of updates (a scalar) to a learning rate (a scalar tensor).

    Example:
        >>> class Halving(keras.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 * 0.5 ** (step // 100)
        ...     def get_config(self):
        ...         return {}
    """

    def __call__(self, step):
        raise NotImplementedError('%s does not implement __call__(step).' % type(self).__name__)

    def get_config(self):
        raise NotImplementedError('%s does not implement get_config().' % type(self).__name__)


def check_numbers(owner, **given):
    """Refuse text and containers where numbers belong, which would be found in the first step, or never.

    Raises:
        ValueError: naming the argument.
    """
    for name, value in given.items():
        if isinstance(value, (str, bytes, list, tuple, dict)):
            raise ValueError('%s: `%s` must be a number. Received: %.200r' % (type(owner).__name__, name, value))


def _float(step):
    return ops.cast(ops.convert_to_tensor(step), 'float64' if config.floatx() == 'float64' else 'float32')


class _Schedule(LearningRateSchedule):
    """A schedule that declares its arguments: numbers, but for its name and those in `lists`."""
    lists = ()

    def declare(self, given):
        for name in self.lists:
            for value in given[name]:
                check_numbers(self, **{name: value})
        check_numbers(self, **{name: value for name, value in given.items()
                               if name not in ('self', '__class__', 'name') + self.lists})
        super().declare(given)

    def get_config(self):
        return declared_config(self)


class ExponentialDecay(_Schedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate, decay_rate: floats. decay_steps: the number of updates after which one factor of
            `decay_rate` is complete. staircase: round `step / decay_steps` down.

    Example:
        >>> float(keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)(10))
        0.25
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name='ExponentialDecay'):
        super().__init__()
        _check_positive(self, 'decay_steps', decay_steps)
        self.declare(locals())

    def __call__(self, step):
        part = _float(step) / float(self.decay_steps)
        part = ops.floor(part) if self.staircase else part
        return ops.power(float(self.decay_rate), part) * float(self.initial_learning_rate)


class InverseTimeDecay(_Schedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate, decay_rate: floats. decay_steps: number of updates.
        staircase: round `step / decay_steps` down.

    Example:
        >>> float(keras.optimizers.schedules.InverseTimeDecay(0.5, 10, 1.0)(10))
        0.25
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name='InverseTimeDecay'):
        super().__init__()
        _check_positive(self, 'decay_steps', decay_steps)
        self.declare(locals())

    def __call__(self, step):
        part = _float(step) / float(self.decay_steps)
        part = ops.floor(part) if self.staircase else part
        return float(self.initial_learning_rate) / (part * float(self.decay_rate) + 1.0)


class PolynomialDecay(_Schedule):
    """From `initial_learning_rate` to `end_learning_rate` in `decay_steps` updates, along a power of the way left.

    Args:
        initial_learning_rate, end_learning_rate: floats. decay_steps: number of updates. power: 1 is a line.
        cycle: begin anew, with a multiple of `decay_steps`, whenever the end is reached.

    Example:
        >>> float(keras.optimizers.schedules.PolynomialDecay(0.5, 10, 0.0)(5))
        0.25
    """

    def __init__(self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False,
                 name='PolynomialDecay'):
        super().__init__()
        _check_positive(self, 'decay_steps', decay_steps)
        self.declare(locals())

    def __call__(self, step):
        step, length = _float(step), float(self.decay_steps)
        if self.cycle:
            length = ops.maximum(ops.ceil(step / length), 1.0) * length
        else:
            step = ops.minimum(step, length)
        left = ops.power(1.0 - step / length, float(self.power))
        return left * float(self.initial_learning_rate - self.end_learning_rate) + float(self.end_learning_rate)


class PiecewiseConstantDecay(_Schedule):
    """`values[0]` up to and including update `boundaries[0]`, then `values[1]`, and so on.

    Args:
        boundaries: rising list of numbers of updates. values: list of learning rates, one more than boundaries.

    Raises:
        ValueError: if the lengths do not fit.

    Example:
        >>> float(keras.optimizers.schedules.PiecewiseConstantDecay([10], [0.5, 0.25])(11))
        0.25
    """

    lists = ('boundaries', 'values')

    def __init__(self, boundaries, values, name='PiecewiseConstant'):
        super().__init__()
        if len(boundaries) + 1 != len(values):
            raise ValueError('PiecewiseConstantDecay needs one value more than boundaries. Received: %d boundaries and '
                             '%d values.' % (len(boundaries), len(values)))
        boundaries, values = list(boundaries), list(values)
        self.declare(locals())

    def __call__(self, step):
        step = _float(step)
        rate = step * 0.0 + float(self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:]):
            rate = ops.where(ops.greater(step, float(boundary)), float(value), rate)
        return rate


class CosineDecay(_Schedule):
    """Half a cosine wave from `initial_learning_rate` down to `alpha` times it: Loshchilov and Hutter (2016).

    Args:
        initial_learning_rate: where it begins. decay_steps: the length of the half wave in updates.
        alpha: the part of the rate that is left in the end.
        warmup_target: the rate to which it rises on a line first. warmup_steps: in how many updates.

    Example:
        >>> round(float(keras.optimizers.schedules.CosineDecay(0.5, 10)(5)), 3)
        0.25
    """

    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, name='CosineDecay', warmup_target=None,
                 warmup_steps=0):
        super().__init__()
        _check_positive(self, 'decay_steps', decay_steps)
        self.declare(locals())

    def __call__(self, step):
        step = _float(step)
        if self.warmup_target is None:
            return self._decayed(step, float(self.initial_learning_rate))
        start, top, length = float(self.initial_learning_rate), float(self.warmup_target), float(self.warmup_steps)
        rising = step * ((top - start) / max(length, 1.0)) + start
        return ops.where(ops.less(step, length), rising, self._decayed(step - length, top))

    def _decayed(self, step, rate):
        part = ops.clip(step / float(self.decay_steps), 0.0, 1.0)
        wave = (ops.cos(part * math.pi) + 1.0) * 0.5
        return (wave * (1.0 - self.alpha) + self.alpha) * rate


class LinearCosineDecay(_Schedule):
    """Half waves of a cosine under a falling line: Bello et al., Neural optimizer search (2017); of tf.keras.

    With `part` the share of `decay_steps` that has passed, the factor of `initial_learning_rate` is
    `(alpha + 1 - part) * (1 + cos(2 pi num_periods part)) / 2 + beta`.

    Args:
        initial_learning_rate: where it begins. decay_steps: the length in updates. num_periods: how many waves come in
            it, 0.5 is half of one. alpha, beta: see above.

    Example:
        >>> round(float(keras.experimental.LinearCosineDecay(1.0, 10)(5)), 3)
        0.251
    """

    def __init__(self, initial_learning_rate, decay_steps, num_periods=0.5, alpha=0.0, beta=0.001, name=None):
        super().__init__()
        _check_positive(self, 'decay_steps', decay_steps)
        self.declare(locals())

    def __call__(self, step):
        part = ops.clip(_float(step) / float(self.decay_steps), 0.0, 1.0)
        return (self._line(1.0 - part, step) * self._wave(part) + self.beta) * float(self.initial_learning_rate)

    def _line(self, left, step):
        return left + self.alpha

    def _wave(self, part):
        return (ops.cos(part * (2.0 * math.pi * self.num_periods)) + 1.0) * 0.5


class NoisyLinearCosineDecay(LinearCosineDecay):
    """`LinearCosineDecay` whose line has noise that gets less: Bello et al., Neural optimizer search (2017).

    Args:
        initial_variance: of the noise in the first update. variance_decay: at update n it is divided by
            `(1 + n) ** variance_decay`. The others: see `LinearCosineDecay`.

    Example:
        >>> rate = keras.experimental.NoisyLinearCosineDecay(1.0, 10, initial_variance=0.0)
        >>> round(float(rate(5)), 3)
        0.251
    """

    def __init__(self, initial_learning_rate, decay_steps, initial_variance=1.0, variance_decay=0.55, num_periods=0.5,
                 alpha=0.0, beta=0.001, name=None):
        super().__init__(initial_learning_rate, decay_steps, num_periods, alpha, beta, name)
        self.declare(locals())
        self._noise = random.SeedGenerator()

    def _line(self, left, step):
        width = ops.sqrt(self.initial_variance / ops.power(1.0 + _float(step), self.variance_decay))
        return left + width * random.normal((), seed=self._noise) + self.alpha


class CosineDecayRestarts(_Schedule):
    """`CosineDecay` that begins anew whenever it ends: Loshchilov and Hutter, SGDR (2016).

    Args:
        initial_learning_rate: where it begins. first_decay_steps: the length of the first wave in updates.
        t_mul: factor from one length to the next. m_mul: factor from one height to the next.
        alpha: the part of the rate that is left at the end of a wave.

    Example:
        >>> float(keras.optimizers.schedules.CosineDecayRestarts(0.5, 10)(10))
        0.5
    """

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name='SGDRDecay'):
        super().__init__()
        _check_positive(self, 'first_decay_steps', first_decay_steps)
        self.declare(locals())

    def __call__(self, step):
        part = _float(step) / float(self.first_decay_steps)
        if self.t_mul == 1.0:
            wave = ops.floor(part)
            part = part - wave
        else:
            # The waves before number n together have length (t_mul^n - 1) / (t_mul - 1).
            ratio = float(self.t_mul)
            wave = ops.floor(ops.log(part * (ratio - 1.0) + 1.0) / math.log(ratio))
            begin = (ops.power(ratio, wave) - 1.0) / (ratio - 1.0)
            part = (part - begin) / ops.power(ratio, wave)
        height = ops.power(float(self.m_mul), wave) * 0.5
        decayed = (ops.cos(part * math.pi) + 1.0) * height
        return (decayed * (1.0 - self.alpha) + self.alpha) * float(self.initial_learning_rate)


def _check_positive(schedule, argument, value):
    if value <= 0:
        raise ValueError('%s: `%s` must be positive. Received: %r' % (type(schedule).__name__, argument, value))


_KIND = Kind('learning rate schedule', LearningRateSchedule, home=__name__)
_KIND.enter_public(globals())
_, serialize, deserialize = _KIND.module_functions('learning_rate_schedule')
