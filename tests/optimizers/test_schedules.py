import math

import numpy as np
import pytest

import keras
from keras import optimizers
from keras.backend.contract.loading import get_engine
from keras.optimizers import schedules


def rate(schedule, step):
    return float(get_engine().to_numpy(schedule(step)))


@pytest.mark.parametrize('schedule, step, expected', [
    (schedules.ExponentialDecay(0.5, 10, 0.5), 5, 0.5 * 0.5 ** 0.5),
    (schedules.ExponentialDecay(0.5, 10, 0.5, staircase=True), 19, 0.25),
    (schedules.InverseTimeDecay(0.5, 10, 2.0), 5, 0.25),
    (schedules.InverseTimeDecay(0.5, 10, 2.0, staircase=True), 5, 0.5),
    (schedules.PolynomialDecay(1.0, 10, 0.5, power=2.0), 5, 0.5 + 0.5 * 0.25),
    (schedules.PolynomialDecay(1.0, 10, 0.5), 99, 0.5),
    (schedules.PolynomialDecay(1.0, 10, 0.0, cycle=True), 15, 0.25),
    (schedules.PiecewiseConstantDecay([3, 5], [1.0, 0.5, 0.25]), 3, 1.0),
    (schedules.PiecewiseConstantDecay([3, 5], [1.0, 0.5, 0.25]), 4, 0.5),
    (schedules.PiecewiseConstantDecay([3, 5], [1.0, 0.5, 0.25]), 6, 0.25),
    (schedules.CosineDecay(0.5, 10, alpha=0.1), 99, 0.05),
    (schedules.CosineDecay(0.5, 12), 4, 0.5 * (1 + math.cos(math.pi / 3)) / 2),
    (schedules.CosineDecay(0.1, 10, warmup_target=0.5, warmup_steps=4), 2, 0.3),
    (schedules.CosineDecay(0.1, 10, warmup_target=0.5, warmup_steps=4), 4, 0.5),
    # Without a step to rise in it is at the target at once.
    (schedules.CosineDecay(0.1, 10, warmup_target=0.5, warmup_steps=0), 0, 0.5),
    (schedules.CosineDecayRestarts(0.5, 4, t_mul=1.0, m_mul=0.5), 6, 0.125),
    (schedules.CosineDecayRestarts(0.5, 4), 8, 0.25)])
def test_values(schedule, step, expected):
    assert rate(schedule, step) == pytest.approx(expected, rel=1e-5)
    assert rate(schedule, np.int32(step)) == pytest.approx(expected, rel=1e-5)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config()


def test_errors():
    with pytest.raises(ValueError, match='ExponentialDecay: `decay_steps` must be positive. Received: 0'):
        schedules.ExponentialDecay(0.1, 0, 0.5)
    with pytest.raises(ValueError, match='1 boundaries and 1 values'):
        schedules.PiecewiseConstantDecay([1], [0.1])
    with pytest.raises(ValueError, match="Unknown learning rate schedule: 'CosinDecay'.*'CosineDecay'"):
        schedules.deserialize('CosinDecay')


@pytest.mark.on('numpy')
@pytest.mark.parametrize('make, argument', [
    (lambda: optimizers.Adam(beta_1='x'), 'beta_1'),
    (lambda: optimizers.SGD(clipnorm=[1.0]), 'clipnorm'),
    (lambda: schedules.PiecewiseConstantDecay([1], 'ab'), 'values'),
    (lambda: schedules.ExponentialDecay('a', 1, 2), 'initial_learning_rate')])
def test_text_is_no_number(make, argument):
    with pytest.raises(ValueError, match='`%s` must be a number' % argument):
        make()


@pytest.mark.on('numpy')
def test_linear_cosine_decay():
    def expected(step, rate, length, periods=0.5, alpha=0.0, beta=0.001):
        part = min(step, length) / length
        return rate * ((alpha + 1 - part) * 0.5 * (1 + np.cos(2 * np.pi * periods * part)) + beta)
    for arguments in ((1.0, 10), (0.5, 10, 2.0, 0.1, 0.01)):
        rate = keras.experimental.LinearCosineDecay(*arguments)
        for step in (0, 3, 7, 10, 12):
            assert float(rate(step)) == pytest.approx(expected(step, *arguments), rel=1e-5)
    keras.utils.set_random_seed(0)
    noisy = keras.experimental.NoisyLinearCosineDecay(1.0, 10)
    drawn = np.array([float(noisy(4)) for _ in range(400)])
    wave = 0.5 * (1 + np.cos(0.4 * np.pi))
    assert drawn.mean() == pytest.approx(0.6 * wave + 0.001, abs=0.08)
    assert drawn.std() == pytest.approx(wave * np.sqrt(5 ** -0.55), rel=0.12)
