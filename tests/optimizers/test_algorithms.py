import json
import pickle
import warnings

import numpy as np
import pytest

import golden
from keras import config, constraints, ops, optimizers
from keras.backend.contract.loading import get_engine
from keras.config import generation
from keras.backend.state.variables import Variable


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
    with golden.generation(version):
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
    with pytest.warns(UserWarning, match='Gradients do not exist for variables unused: the loss does not depend'):
        optimizer.apply([np.ones(1, 'float32'), None], [used, unused])
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        optimizer.apply([np.ones(1, 'float32'), None], [used, unused])
    np.testing.assert_allclose(used.numpy(), [-2.5])
    np.testing.assert_allclose(unused.numpy(), [1.0])
    with pytest.raises(ValueError, match='No gradients provided for any variable. There is none for used, unused'):
        optimizer.apply([None, None], [used, unused])


@pytest.mark.on('numpy')
def test_ftrl_lists_its_slots_weight_by_weight():
    """As tf.keras 2.4.4 does, unlike all its other optimizers: iter, a/accumulator, a/linear, b/accumulator, ..."""
    made = [Variable(np.zeros(shape, 'float32')) for shape in ((2,), (3,))]
    optimizer = optimizers.Ftrl(initial_accumulator_value=0.3)
    optimizer.build(made)
    for found in (optimizer.weights, optimizer.state_variables):
        assert [tuple(each.shape) for each in found] == [(), (2,), (2,), (3,), (3,)]
        np.testing.assert_allclose(found[3].numpy(), 0.3)
        np.testing.assert_allclose(found[4].numpy(), 0.0)


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


def test_configs_hold_what_older_readers_know():
    """Keras 2.3.1 knows neither decay in the base class nor the arguments of Keras 3."""
    assert set(optimizers.Optimizer(0.5).get_config()) == {'learning_rate'}
    assert set(optimizers.Lion().get_config()) == {'learning_rate', 'beta_1', 'beta_2'}
    assert set(optimizers.SGD().get_config()) == {'learning_rate', 'momentum', 'decay', 'nesterov'}
    assert optimizers.Lion(decay=0.5, weight_decay=0.1).get_config()['decay'] == 0.5
    assert optimizers.RMSprop(momentum=0.5).get_config()['momentum'] == 0.5


def test_none_is_no_optimizer():
    with pytest.raises(ValueError, match='Could not interpret optimizer: None'):
        optimizers.get(None)


def test_deserialize_changes_nothing_but_the_name_of_the_class():
    """It is written in lower case, as every Keras left it; tests of Keras 2 compare configs that were read."""
    config = {'class_name': 'SGD', 'config': {'learning_rate': 0.5}}
    for _ in range(2):
        assert type(optimizers.deserialize(config)) is optimizers.SGD
        assert config == {'class_name': 'sgd', 'config': {'learning_rate': 0.5}}
    config = {'class_name': 'SGD', 'config': {'learning_rate': 0.5}}

    class Own(optimizers.SGD):
        pass
    assert type(optimizers.deserialize(config, {'SGD': Own})) is Own


# --- what Keras 3 added -----------------------------------------------------------------------------------------------

def schedule_free(values, gradients, rate, beta_1, beta_2, warmup):
    """The published rule in NumPy: y stands at beta_1 between the last step z and the mean x of all z."""
    z, x = values.astype('float64'), values.astype('float64')
    velocity, found = np.zeros_like(z), []
    for step, gradient in enumerate(gradients, 1):
        velocity = beta_2 * velocity + (1 - beta_2) * gradient ** 2
        z = z - rate * min(1.0, step / warmup) * gradient / (np.sqrt(velocity / (1 - beta_2 ** step)) + 1e-8)
        x = x + (z - x) / step
        found.append((1 - beta_1) * z + beta_1 * x)
    return found


def test_schedule_free_adamw():
    gradients = np.random.RandomState(0).normal(size=(5, 3)).astype('float32')
    variable = Variable(np.array([1.0, -2.0, 0.5], 'float32'))
    optimizer = optimizers.ScheduleFreeAdamW(0.05, beta_1=0.8, beta_2=0.99, warmup_steps=3)
    expected = schedule_free(variable.numpy(), gradients, 0.05, 0.8, 0.99, 3)
    for gradient, wanted in zip(gradients, expected):
        optimizer.apply([gradient], [variable])
        np.testing.assert_allclose(variable.numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_muon_moves_matrices_along_orthogonal_ones():
    matrix, vector = Variable(np.zeros((4, 4), 'float32')), Variable(np.zeros(4, 'float32'))
    embedding = Variable(np.zeros((4, 4), 'float32'), name='embeddings')
    optimizer = optimizers.Muon(1.0, rms_rate=None, ns_steps=30, muon_a=1.875, muon_b=-1.25, muon_c=0.375)
    gradient = np.random.RandomState(0).normal(size=(4, 4)).astype('float32')
    optimizer.apply([gradient, gradient[0], gradient], [matrix, vector, embedding])
    # With the coefficients of the iteration that converges, it gives the polar factor of the gradient.
    left, _, right = np.linalg.svd(gradient)
    np.testing.assert_allclose(matrix.numpy(), -left @ right, atol=1e-3)
    np.testing.assert_allclose(embedding.numpy(), -np.sign(gradient), atol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(optimizer.zeropower_via_newtonschulz5(gradient[:3], 30)),
                               np.linalg.svd(gradient[:3])[0] @ np.linalg.svd(gradient[:3], False)[2], atol=1e-3)
    assert optimizer.lr_adjust(gradient) is gradient
    np.testing.assert_allclose(optimizers.Muon(rms_rate=0.2).lr_adjust(np.ones((9, 2))), np.full((9, 2), 0.6))
    assert len(optimizer.state_variables) == 1 + 1 + 2 + 2


def test_several_optimizers():
    first, second = Variable(np.ones(2, 'float32'), name='first'), Variable(np.ones(2, 'float32'), name='second')
    default, fast = optimizers.SGD(0.5, loss_scale_factor=8.0), optimizers.SGD(0.25)
    optimizer = optimizers.MultiOptimizer(optimizers.OptimizerMap(default, {'^first.*': fast}), loss_scale_factor=2.0)
    optimizer.apply([np.full(2, 2.0, 'float32')] * 2, [first, second])
    np.testing.assert_array_equal([first.numpy(), second.numpy()], [[0.75, 0.75], [0.5, 0.5]])
    assert [int(each.iterations.numpy()) for each in [optimizer] + optimizer.optimizers] == [1, 1, 1]
    read = optimizers.deserialize(optimizers.serialize(optimizer))
    assert [float(each.learning_rate.numpy()) for each in read.optimizers] == [0.25, 0.5]
    both = optimizers.OptimizerMap(default, {'fi.*': fast, '.*st': fast, 'fir': fast})
    assert both(second) is default and both['fi.*'] is fast
    with pytest.raises(ValueError, match='Multiple optimizers assigned to variable first'):
        both(first)


@pytest.mark.parametrize('wrapped', [optimizers.LossScaleOptimizer, optimizers.MultiOptimizer])
def test_several_optimizers_hold_no_others(wrapped):
    name, plain = wrapped.__name__, optimizers.SGD()
    chosen = optimizers.OptimizerMap(plain)
    with pytest.raises(ValueError, match='optimizer cannot be %s' % name):
        chosen['.*'] = wrapped(optimizers.SGD())
    optimizer = optimizers.MultiOptimizer(optimizers.OptimizerMap(plain, {'first.*': wrapped(optimizers.SGD())}))
    with pytest.raises(ValueError, match='%s cannot be used inside an MultiOptimizer' % name):
        optimizer.build([Variable(np.ones(2, 'float32'), name='first')])
    with pytest.raises(TypeError, match='default_optimizer must be a Keras Optimizer'):
        optimizers.OptimizerMap('sgd')
    with pytest.raises(ValueError, match='optimizer must be a Keras Optimizer'):
        chosen['.*'] = 'sgd'


def test_gradients_that_are_values():
    kept, trained = Variable(np.ones(2, 'float32')), Variable(np.ones(2, 'float32'))
    kept.overwrite_with_gradient = True
    gradient = np.full(2, 4.0, 'float32')
    optimizers.LossScaleOptimizer(optimizers.SGD(1.0), initial_scale=4.0).apply([gradient] * 2, [kept, trained])
    np.testing.assert_array_equal([kept.numpy(), trained.numpy()], [[4, 4], [0, 0]])


def test_an_optimizer_in_the_style_of_keras_3():
    class Momentum(optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.momenta, self.seen = self.add_optimizer_variables(variables, ['momentum', 'seen'])

        def update_step(self, gradient, variable, learning_rate):
            momentum = self.momenta[self._get_variable_index(variable)]
            self.assign(momentum, momentum.value * 0.5 + gradient)
            self.assign_sub(variable, momentum.value * learning_rate)
    variable = Variable(np.zeros(2, 'float32'))
    optimizer = Momentum(learning_rate=1.0)
    for _ in range(2):
        optimizer.apply([np.ones(2, 'float32')], [variable])
    np.testing.assert_array_equal(variable.numpy(), [-2.5, -2.5])


def test_what_keras_3_says_of_its_variables():
    with generation(3):
        first, second = optimizers.AdamW(), optimizers.AdamW()
        assert first.name.startswith('adam_w') and second.name.startswith('adam_w_') and first.name != second.name
        assert optimizers.deserialize(optimizers.serialize(second)).name == second.name
        second.build([Variable(np.ones(2, 'float32')), Variable(np.ones(2, 'float32'))])
        assert len(second.variables) == 6 and second.variables[1] is second.rate_variable
        assert optimizers.get(None) is None
        with pytest.raises(ValueError, match='Only one of'):
            optimizers.SGD(clipnorm=1.0, clipvalue=1.0)


def test_adafactor_steps_get_shorter_with_and_without_relative_steps():
    """The rate is at most 1 / sqrt(step): 0.5 in the first four steps, as computed by hand."""
    expected, rate = 1.0, 0.5
    variable = Variable(np.ones(4, 'float32'))
    optimizer = optimizers.Adafactor(rate, clip_threshold=0.9, relative_step=False)
    for step in range(1, 7):
        optimizer.apply_gradients([(ops.convert_to_tensor(np.full(4, 0.3, 'float32')), variable)])
        # A constant gradient divided by its own root mean square is 1, which is cut to 0.9.
        expected -= 0.9 * expected * min(rate, step ** -0.5)
        np.testing.assert_allclose(ops.convert_to_numpy(variable.value), np.full(4, expected), rtol=1e-5)


@pytest.mark.parametrize('make,words', [
    (lambda: optimizers.Lion(beta_1=0.0), 'degenerates to SignSGD'),
    (lambda: optimizers.AdamW(weight_decay=None), '`weight_decay` must be a float'),
    (lambda: optimizers.SGD(momentum=2.0), r'`momentum` must be a float between \[0, 1\]'),
    (lambda: optimizers.Ftrl(l1_regularization_strength=-1.0),
     '^`l1_regularization_strength` needs to be positive or zero. Received: l1_regularization_strength=-1.0.$')])
def test_arguments_that_make_no_sense(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.on('numpy')
def test_epsilon_of_each_generation():
    """Keras 2 asks the configuration, tf.keras and Keras 3 have 1e-7 whatever that says."""
    before = config.epsilon()
    config.set_epsilon(1e-3)
    try:
        for generation, expected in ((1, 1e-8), (2, 1e-3), ('tf', 1e-7), (3, 1e-7)):
            with config.generation(generation):
                for made in (optimizers.Adam(), optimizers.RMSprop(), optimizers.Nadam(), optimizers.Adadelta()):
                    assert made.epsilon == expected
                positional = optimizers.Adam(0.001, 0.9, 0.999, 1e-5)
                assert positional.epsilon == 1e-5 and positional.amsgrad is False
    finally:
        config.set_epsilon(before)


@pytest.mark.on('numpy')
def test_variables_are_called_as_in_keras_3():
    def names(made):
        weight = Variable(np.ones(2), name='w')
        made.build([weight])
        return {variable.path.split('/')[-1] for variable in made.variables}
    with generation(3):
        assert {'w_accumulated_grad', 'w_accumulated_delta_var'} < names(optimizers.Adadelta())
        assert {'w_average', 'w_velocity', 'w_average_gradient'} < names(
            optimizers.RMSprop(centered=True, use_ema=True))
    assert {'w_accumulator', 'w_delta_accumulator'} < names(optimizers.Adadelta())


@pytest.mark.on('numpy', 'torch', 'jax', 'tensorflow')
@pytest.mark.parametrize('wrapped', [True, False])
def test_a_scale_of_the_loss_may_be_larger_than_float16_holds(wrapped):
    scale = 2.0 ** 20
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(1.0), initial_scale=scale) if wrapped \
        else optimizers.SGD(1.0, loss_scale_factor=scale)
    variable = Variable(np.array([1.0, 2.0], 'float16'), dtype='float16')
    optimizer.build([variable])
    optimizer.apply([ops.convert_to_tensor(np.array([1024.0, -32768.0], 'float16'))], [variable])
    np.testing.assert_allclose(variable.numpy(), [1 - 2.0 ** -10, 2 + 2.0 ** -5])
    loss = optimizer.scale_loss(ops.convert_to_tensor(np.array(0.5, 'float16')))
    if wrapped:
        assert float(ops.convert_to_numpy(loss)) == 2.0 ** 19


@pytest.mark.on('jax')
def test_sparse_gradients_of_jax():
    sparse = pytest.importorskip('jax.experimental.sparse')
    gradient = np.float32([[0, 2], [0, 0], [1, 0]])
    variables = [Variable(np.ones((3, 2), 'float32')) for _ in range(2)]
    for variable, given in zip(variables, (gradient, sparse.BCOO.fromdense(gradient))):
        optimizer = optimizers.Adagrad(0.5)
        optimizer.build([variable])
        new, _ = optimizer.stateless_apply([each.value for each in optimizer.variables], [given], [variable.value])
        optimizer.apply([given], [variable])
        np.testing.assert_array_equal(np.asarray(new[0]), variable.numpy())
    np.testing.assert_array_equal(variables[0].numpy(), variables[1].numpy())
    assert variables[0].numpy()[0, 1] < 1


@pytest.mark.on('numpy')
def test_a_start_of_zero_is_in_the_config_where_it_is_not_the_default():
    with config.generation(3):
        assert optimizers.Adagrad(initial_accumulator_value=0.0).get_config()['initial_accumulator_value'] == 0.0
