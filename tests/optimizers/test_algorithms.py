import json
import pickle
import warnings

import numpy as np
import pytest

import golden
from keras import constraints, ops, optimizers
from keras.backend.engine import get_engine
from keras.backend.state import Variable


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


def apply_once(optimizer, value=(1.0, 2.0), gradient=(1.0, -1.0), **kwargs):
    variable = Variable(np.array(value, 'float32'), name='v', **kwargs)
    optimizer.apply([np.array(gradient, 'float32')], [variable])
    return variable.numpy()


def test_the_learning_rate_may_change_without_a_new_trace():
    optimizer = optimizers.SGD(0.5)
    variable = Variable(np.zeros(2, 'float32'), name='v')
    optimizer.build([variable])
    traces = []

    def fn(gradient):
        traces.append(1)
        optimizer.apply([gradient], [variable])
        return gradient
    step = get_engine().step(fn, [variable], [variable] + optimizer.variables)
    gradient = np.ones(2, 'float32')
    step(gradient)
    step(gradient)
    count = len(traces)
    optimizer.lr = 0.25
    step(gradient)
    np.testing.assert_allclose(variable.numpy(), [-1.25, -1.25])
    assert int(optimizer.iterations.numpy()) == 3
    assert len(traces) == count or not get_engine().capabilities.compiled or get_engine().name == 'torch'


def test_learning_rate_is_a_variable_with_the_old_name_lr():
    optimizer = optimizers.Adam(lr=0.25)
    assert isinstance(optimizer.lr, Variable) and optimizer.lr is optimizer.learning_rate
    optimizer.learning_rate.assign(0.5)
    assert optimizer.get_config()['learning_rate'] == 0.5


def test_decay_divides_the_rate():
    optimizer = optimizers.SGD(1.0, decay=1.0)
    variable = Variable(np.zeros(1, 'float32'))
    for _ in range(3):
        optimizer.apply([np.ones(1, 'float32')], [variable])
    np.testing.assert_allclose(variable.numpy(), [-(1 + 1 / 2 + 1 / 3)], rtol=1e-6)


def test_a_schedule_sees_the_number_of_updates():
    schedule = optimizers.schedules.PiecewiseConstantDecay([0, 1], [1.0, 0.5, 0.25])
    optimizer = optimizers.SGD(schedule)
    variable = Variable(np.zeros(1, 'float32'))
    for _ in range(3):
        optimizer.apply([np.ones(1, 'float32')], [variable])
    np.testing.assert_allclose(variable.numpy(), [-1.75])
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again._schedule.get_config() == schedule.get_config()


def test_constraints_hold_after_the_update():
    result = apply_once(optimizers.SGD(10.0), constraint=constraints.non_neg())
    np.testing.assert_allclose(result, [0.0, 12.0])


def test_clipnorm_is_over_all_gradients_and_clipvalue_by_element():
    np.testing.assert_allclose(apply_once(optimizers.SGD(1.0, clipnorm=1.0), (0, 0), (3, 4)), [-0.6, -0.8], rtol=1e-6)
    np.testing.assert_allclose(apply_once(optimizers.SGD(1.0, clipvalue=2.0), (0, 0), (3, -4)), [-2, 2], rtol=1e-6)
    optimizer = optimizers.SGD(1.0, clipnorm=5.0)
    first, second = Variable(np.zeros(1, 'float32')), Variable(np.zeros(1, 'float32'))
    optimizer.apply([np.array([6.0], 'float32'), np.array([8.0], 'float32')], [first, second])
    np.testing.assert_allclose([first.numpy()[0], second.numpy()[0]], [-3, -4], rtol=1e-6)


def test_missing_gradients_are_named_once():
    optimizer = optimizers.SGD(1.0, momentum=0.5)
    used, unused = Variable(np.zeros(1, 'float32'), name='used'), Variable(np.ones(1, 'float32'), name='unused')
    with pytest.warns(UserWarning, match='No gradient for unused: the loss does not depend on it'):
        optimizer.apply([np.ones(1, 'float32'), None], [used, unused])
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        optimizer.apply([np.ones(1, 'float32'), None], [used, unused])
    np.testing.assert_allclose(used.numpy(), [-2.5])
    np.testing.assert_allclose(unused.numpy(), [1.0])
    with pytest.raises(ValueError, match='No gradients for any variable: used, unused'):
        optimizer.apply([None, None], [used, unused])


def test_state_in_keras_2_order_and_back():
    optimizer = optimizers.Adam()
    variables = [Variable(np.zeros(shape, 'float32')) for shape in ((2, 3), (3,))]
    optimizer.build(variables)
    shapes = [array.shape for array in optimizer.get_weights()]
    assert shapes == [(), (2, 3), (3,), (2, 3), (3,), (1,), (1,)]
    state = [np.full(shape, place, 'float32') for place, shape in enumerate(shapes)]
    optimizer.set_weights(state)
    assert int(optimizer.iterations.numpy()) == 0
    np.testing.assert_array_equal(optimizer.variables[3].numpy(), np.full((2, 3), 3))
    with pytest.raises(ValueError, match='has a state of 7 arrays. Received: 2'):
        optimizer.set_weights(state[:2])


def test_plain_sgd_keeps_no_slots():
    optimizer = optimizers.SGD()
    optimizer.build([Variable(np.zeros(3, 'float32'))])
    assert optimizer.variables == [optimizer.iterations]


def test_variables_seen_later_keep_the_others_state():
    optimizer = optimizers.SGD(1.0, momentum=1.0)
    first, second = Variable(np.zeros(1, 'float32')), Variable(np.zeros(1, 'float32'))
    one = np.ones(1, 'float32')
    optimizer.apply([one], [first])
    optimizer.apply([one, one], [first, second])
    optimizer.apply([one], [second])
    np.testing.assert_allclose([first.numpy()[0], second.numpy()[0]], [-3, -3])


def test_an_optimizer_that_was_not_built_for_a_variable_says_so_inside_a_step():
    optimizer = optimizers.SGD(1.0)
    known, unknown = Variable(np.zeros(1, 'float32')), Variable(np.zeros(1, 'float32'), name='head')
    optimizer.build([known])
    step = get_engine().step(lambda g: optimizer.apply([g], [unknown]) or g, [unknown], [unknown])
    with pytest.raises(ValueError, match='SGD was not built for the variable head'):
        step(np.ones(1, 'float32'))


@pytest.mark.parametrize('optimizer', [
    optimizers.SGD(0.5, momentum=0.25, nesterov=True), optimizers.RMSprop(0.5, rho=0.5, decay=0.25),
    optimizers.Adagrad(0.5, epsilon=0.125), optimizers.Adadelta(0.5), optimizers.Adam(0.5, amsgrad=True, clipnorm=1.0),
    optimizers.Adamax(0.5, clipvalue=0.5), optimizers.Nadam(0.5, schedule_decay=0.5), optimizers.AdamW(0.5),
    optimizers.Lion(0.5, weight_decay=0.25), optimizers.Ftrl(0.5, beta=0.5), optimizers.Lamb(0.5),
    optimizers.Adafactor(0.5, relative_step=False), optimizers.LossScaleOptimizer(optimizers.SGD(0.5))])
def test_config_round_trip(optimizer):
    config = optimizers.serialize(optimizer)
    again = optimizers.deserialize(json.loads(json.dumps(config)))
    assert type(again) is type(optimizer) and again.get_config() == optimizer.get_config()


def test_custom_optimizer_with_one_rule_per_variable():
    class Signs(optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.counts = [self.add_variable_from_reference(variable, 'count') for variable in variables]

        def update_step(self, gradient, variable, learning_rate):
            self.counts[0].assign_add(1.0)
            variable.assign_sub(learning_rate * ops.sign(gradient))
    optimizer = Signs(0.5)
    np.testing.assert_allclose(apply_once(optimizer), [0.5, 2.5])
    np.testing.assert_allclose(optimizer.counts[0].numpy(), [1, 1])


def test_loss_scale_skips_updates_that_are_not_finite():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(1.0), initial_scale=4.0, dynamic_growth_steps=2)
    variable = Variable(np.zeros(1, 'float32'))
    scales = []
    for gradient in (4.0, np.inf, 2.0, 2.0):
        optimizer.apply([np.array([gradient], 'float32')], [variable])
        scales.append(float(optimizer.dynamic_scale.numpy()))
    assert scales == [4.0, 2.0, 2.0, 4.0]
    np.testing.assert_allclose(variable.numpy(), [-3.0])


def test_stateless_apply_changes_nothing():
    optimizer = optimizers.SGD(1.0, momentum=0.5)
    variable = Variable(np.zeros(1, 'float32'))
    optimizer.build([variable])
    state = [v.numpy() for v in optimizer.variables]
    trained, after = optimizer.stateless_apply(state, [np.ones(1, 'float32')], [np.array([5.0], 'float32')])
    np.testing.assert_allclose(get_engine().to_numpy(trained[0]), [4.0])
    assert int(get_engine().to_numpy(after[0])) == 1
    np.testing.assert_allclose(variable.numpy(), [0.0])


def test_pickle_keeps_the_state():
    optimizer = optimizers.SGD(1.0, momentum=1.0)
    apply_once(optimizer)
    again = pickle.loads(pickle.dumps(optimizer))
    assert [w.tolist() for w in again.get_weights()] == [w.tolist() for w in optimizer.get_weights()]


def test_errors():
    with pytest.raises(ValueError, match="Unknown optimizer: 'adma'.*'adam'"):
        optimizers.get('adma')
    with pytest.raises(TypeError, match="SGD does not take the argument 'momentun'"):
        optimizers.SGD(momentun=0.9)
    with pytest.raises(ValueError, match='`clipnorm` must be at least 0'):
        optimizers.SGD(clipnorm=-1)
    with pytest.raises(ValueError, match='received 1 gradients for 2 variables'):
        optimizers.SGD().apply([None], [Variable([1.0]), Variable([1.0])])
    with pytest.raises(ValueError, match='Could not interpret optimizer: 3'):
        optimizers.get(3)


def test_names_in_any_case():
    for name, expected in (('SGD', optimizers.SGD), ('rmsprop', optimizers.RMSprop), ('RMSProp', optimizers.RMSprop),
                           ('adamw', optimizers.AdamW)):
        assert type(optimizers.get(name)) is expected
