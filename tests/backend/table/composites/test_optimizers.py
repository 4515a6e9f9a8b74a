"""The update rules against ten steps of upstream's optimizers."""
import json
import os

import numpy as np
import pytest

from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import Variable
from keras.backend.table.composites import optimizers as rules

GOLDEN = os.path.join(os.path.dirname(__file__), '..', '..', '..', '..', '..', 'shared', 'golden')
pytestmark = pytest.mark.skipif(not os.path.isdir(GOLDEN), reason='the golden files are not here')


def _slots(variables, value=0.0):
    return [Variable(np.full(v.shape, value, 'float32')) for v in variables]


def _sgd(v, c, keras3):
    momenta = _slots(v)
    return lambda g, lr, t: rules.sgd_update(v, g, momenta, lr, c['momentum'], c['nesterov'])


def _rmsprop(v, c, keras3):
    velocities, momenta, averages = _slots(v), _slots(v), _slots(v)
    return lambda g, lr, t: rules.rmsprop_update(
        v, g, velocities, lr, c['rho'], c['epsilon'], momenta, c.get('momentum', 0.0),
        averages if c.get('centered') else None, keras3)


def _adagrad(v, c, keras3):
    slots = _slots(v, c.get('initial_accumulator_value', 0.0))
    return lambda g, lr, t: rules.adagrad_update(v, g, slots, lr, c['epsilon'], keras3)


def _adadelta(v, c, keras3):
    slots, deltas = _slots(v), _slots(v)
    return lambda g, lr, t: rules.adadelta_update(v, g, slots, deltas, lr, c['rho'], c['epsilon'])


def _adam(v, c, keras3):
    m, n, largest = _slots(v), _slots(v), _slots(v)
    return lambda g, lr, t: rules.adam_update(v, g, m, n, t, lr, c['beta_1'], c['beta_2'], c['epsilon'],
                                              largest if c['amsgrad'] else None)


def _adamax(v, c, keras3):
    m, n = _slots(v), _slots(v)
    return lambda g, lr, t: rules.adamax_update(v, g, m, n, t, lr, c['beta_1'], c['beta_2'], c['epsilon'])


def _nadam(v, c, keras3):
    m, n, schedule = _slots(v), _slots(v), Variable(1.0, dtype='float32')
    return lambda g, lr, t: rules.nadam_update(v, g, m, n, schedule, t, lr, c['beta_1'], c['beta_2'], c['epsilon'],
                                               c.get('schedule_decay', 1.0))


def _lion(v, c, keras3):
    m = _slots(v)
    return lambda g, lr, t: rules.lion_update(v, g, m, lr, c['beta_1'], c['beta_2'])


def _ftrl(v, c, keras3):
    accumulators, linears = _slots(v, c['initial_accumulator_value']), _slots(v)
    return lambda g, lr, t: rules.ftrl_update(
        v, g, accumulators, linears, lr, c['learning_rate_power'], c['l1_regularization_strength'],
        c['l2_regularization_strength'], c['l2_shrinkage_regularization_strength'], c['beta'])


def _lamb(v, c, keras3):
    m, n = _slots(v), _slots(v)
    return lambda g, lr, t: rules.lamb_update(v, g, m, n, t, lr, c['beta_1'], c['beta_2'], c['epsilon'])


def _adafactor(v, c, keras3):
    rows = [Variable(np.zeros(x.shape[:-1], 'float32')) for x in v]
    columns = [Variable(np.zeros(x.shape[:-2] + x.shape[-1:], 'float32')) for x in v]
    velocities = _slots(v)
    return lambda g, lr, t: rules.adafactor_update(
        v, g, rows, columns, velocities, t, lr, c['beta_2_decay'], c['epsilon_1'], c['epsilon_2'],
        c['clip_threshold'])


MAKERS = {'SGD': _sgd, 'RMSprop': _rmsprop, 'Adagrad': _adagrad, 'Adadelta': _adadelta, 'Adam': _adam, 'AdamW': _adam,
          'Adamax': _adamax, 'Nadam': _nadam, 'Lion': _lion, 'Ftrl': _ftrl, 'Lamb': _lamb, 'Adafactor': _adafactor}
CLASSES = {name.lower(): name for name in MAKERS}
OTHER_FEATURES = ('clip', '_ema', '_exp', '_sched_', '_accum', 'lossscale')


def _golden(version):
    with open(os.path.join(GOLDEN, 'optimizers-%s.json' % version)) as file:
        cases = json.load(file)['cases']
    return {name: case for name, case in cases.items()
            if name.split('_')[0] in CLASSES and not any(feature in name for feature in OTHER_FEATURES)}


def _all_cases():
    if not os.path.isdir(GOLDEN):
        return []
    return [(version, name) for version in ('2.3.1', '3.15.1') for name in sorted(_golden(version))]


@pytest.mark.parametrize('version,name', _all_cases())
def test_ten_steps(version, name):
    config = _golden(version)[name]['config']
    arrays = np.load(os.path.join(GOLDEN, 'optimizers-%s.npz' % version))
    engine, keras3 = get_engine(), version.startswith('3')
    variables = [Variable(arrays['w%d' % index]) for index in range(3)]
    update = MAKERS[CLASSES[name.split('_')[0]]](variables, config, keras3)
    for step in range(10):
        gradients = [engine.convert(arrays['grad%d@%d' % (index, step)]) for index in range(3)]
        rate = config['learning_rate'] / (1.0 + (config.get('decay') or 0.0) * step)
        rate = engine.convert(np.float32(rate))
        if config.get('weight_decay'):
            rules.decay_weights(variables, config['weight_decay'], rate)
        update(gradients, rate, engine.convert(np.float32(step + 1)))
        for index, variable in enumerate(variables):
            expected = arrays['%s/w%d' % (name, index)][step]
            error = np.abs(variable.numpy() - expected) / (1 + np.abs(expected))
            assert error.max() < 1e-5, 'weight %d after step %d' % (index, step)
