import numpy as np
import pytest

import golden
from keras import optimizers
from keras.backend.state import Variable

SHARED = ('sgd', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'adamax', 'nadam')


def run(optimizer, shared):
    """The variables after ten steps on the golden gradients, and their trajectories."""
    variables = [Variable(shared['w%d' % place], name='w%d' % place) for place in range(3)]
    optimizer.build(variables)
    trajectories = [[], [], []]
    for step in range(10):
        optimizer.apply([shared['grad%d@%d' % (place, step)] for place in range(3)], variables)
        for trajectory, variable in zip(trajectories, variables):
            trajectory.append(variable.numpy())
    return variables, trajectories


@pytest.mark.parametrize('version, name, entry', golden.entries('optimizers', 'cases'))
def test_golden(version, name, entry):
    if name.startswith(('muon', 'schedulefree')):
        pytest.skip('%s is not there yet' % entry['class_name'])
    optimizer = optimizers.deserialize({'class_name': entry['class_name'], 'config': entry['config']})
    expected = golden.arrays('optimizers', version, name)
    shared = golden.top_level('optimizers', version)
    variables, trajectories = run(optimizer, shared)
    for place, trajectory in enumerate(trajectories):
        golden.assert_close(np.array(trajectory), expected['w%d' % place])
    if version == '2.3.1':
        assert {key: value for key, value in optimizer.get_config().items()} == pytest.approx(entry['config'])
        assert len(optimizer.get_weights()) == entry['state_weights']
        if name == 'sgd' or optimizer.live_slots() != optimizer.slot_names:
            return  # Keras 2 fills slots that it never reads; ours stay 0
        for place, array in enumerate(optimizer.get_weights()):
            golden.assert_close(array, expected['state%d' % place])
    optimizer.finalize_variable_values(variables)
    for place, variable in enumerate(variables):
        if 'final%d' % place in expected:
            golden.assert_close(variable.numpy(), expected['final%d' % place])
