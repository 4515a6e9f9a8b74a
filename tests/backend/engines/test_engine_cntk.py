"""What is particular to the CNTK engine: its tensors, stages, native training steps and refusals."""
import gc

import numpy as np
import pytest

import keras
from keras import backend as K, layers, ops
from keras.backend.contract.engine import UnsupportedOperation
from keras.backend.contract.loading import get_engine
from keras.backend.state.seeds import SeedGenerator
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p

if get_engine().name != 'cntk':
    pytest.skip('tests of the cntk engine', allow_module_level=True)

from cntk import cntk_py  # noqa: E402

from keras.backend.engines.cntk import steps  # noqa: E402


def programs(step):
    return list(step.compiled.programs.values())


def host(x):
    return get_engine().to_numpy(x)


# --- tensors ----------------------------------------------------------------------------------------------------

def test_integers_are_exact_in_a_step(engine):
    large = np.array([2 ** 53 + 1, -7], 'int64')
    step = engine.step(lambda x: [x + 1, p.cast(p.bitwise_and(x, np.int64(255)), 'float32')], [], [])
    plus, low = map(host, step(large))
    assert plus.tolist() == [2 ** 53 + 2, -6] and plus.dtype == np.int64
    assert low.tolist() == [1, 249]
    assert not programs(step)[0].stages, 'nothing here is for the graph'


def test_a_tensor_of_a_trace_has_no_truth_value(engine):
    with pytest.raises(TypeError, match='no truth value'):
        engine.step(lambda x: x * 2.0 if p.sum(x) > 0.0 else x, [], [])(np.ones(2, 'float32'))


def test_known_tensors_are_numbers(engine):
    x = engine.convert(3)
    assert int(x) == 3 and float(x) == 3.0 and list(range(x)) == [0, 1, 2] and bool(x > 2)


@pytest.mark.parametrize('function', [p.lgamma, p.digamma, p.erfinv, lambda x: p.svd(x)[1], lambda x: p.qr(x)[1]])
def test_numpy_runs_within_the_graph_what_cntk_has_no_kernel_for(engine, function):
    x = np.random.RandomState(0).uniform(0.1, 0.9, (3, 2)).astype('float32')
    inside = engine.step(lambda x: function(x * 1.0), [], [])(x)
    assert np.allclose(host(inside), host(function(engine.convert(x))), atol=1e-6)


def test_what_has_no_elements(engine):
    step = engine.step(lambda x, y: [p.concatenate([x, y], 0), p.sum(x, 0), p.matmul(p.transpose(x), x)], [], [])
    joined, total, product = map(host, step(np.zeros((0, 2), 'float32'), np.ones((3, 2), 'float32')))
    assert joined.tolist() == [[1, 1]] * 3 and total.tolist() == [0, 0] and product.tolist() == [[0, 0], [0, 0]]


# --- steps ------------------------------------------------------------------------------------------------------

def compiled_model():
    model = keras.Sequential([layers.Dense(3, activation='tanh', input_shape=(4,)), layers.Dropout(0.2),
                              layers.BatchNormalization(), layers.Dense(1)])
    model.compile('adam', 'mse')
    return model


def test_a_training_step_is_one_native_call_for_every_batch_size():
    model = compiled_model()
    x, y = np.random.randn(10, 4).astype('float32'), np.random.randn(10, 1).astype('float32')
    before = model.get_weights()
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights()))
    step = model._training.step('train', model._training.intake('train').arrays(x, y).whole())
    made = programs(step.run)
    assert [type(stage) for program in made for stage in program.stages] == [steps.Training] * 2
    for count in (1, 3, 10):
        assert model.predict(x[:count], verbose=0).shape == (count, 1)


def test_steps_of_all_signatures_share_the_variables(engine):
    total = Variable(np.zeros(2, 'float32'))

    def add(x):
        total.assign_add(p.sum(x, 0))
    step = engine.step(add, [], [total])
    for count in (3, 2, 3):
        step(np.ones((count, 2), 'float32'))
    assert len(programs(step)) == 2
    assert total.numpy().tolist() == [8, 8]


def test_writes_commit_together(engine):
    first, second = Variable(np.float32([1, 2])), Variable(np.float32([3, 4]))

    def exchange(x=None):
        a, b = first.value, second.value
        (_, _), (gradient,) = engine.value_and_grad(
            lambda: (p.sum(a * a if x is None else a * x), ()), [first])
        first.assign(b + gradient * 0.0)
        second.assign(a + gradient * 0.0)
    step = engine.step(exchange, [], [first, second])
    step(np.ones(2, 'float32'))
    assert [type(stage) for stage in programs(step)[0].stages] == [steps.Training]
    assert first.numpy().tolist() == [3, 4] and second.numpy().tolist() == [1, 2]
    # Without an input there is nothing for a trainer to do.
    step()
    assert first.numpy().tolist() == [1, 2] and second.numpy().tolist() == [3, 4]


def test_gradients_that_are_given_out_take_two_stages(engine):
    w = Variable(np.float32([1, 2]))

    def run(x):
        (value, _), (gradient,) = engine.value_and_grad(lambda: (p.sum(w.value * w.value * x), ()), [w])
        w.assign(w.value - gradient * value)
        return gradient
    step = engine.step(run, [w], [w])
    assert host(step(np.float32([1, 3]))).tolist() == [2, 12]
    assert w.numpy().tolist() == [1 - 2 * 13, 2 - 12 * 13]


def test_two_gradients_in_one_step_the_second_after_an_update(engine):
    """As an adversarial network is trained: the second loss sees what the first one's gradient has changed."""
    w = Variable(np.float32(3.0))

    def run():
        for _ in range(2):
            (_, _), (gradient,) = engine.value_and_grad(lambda: (w.value * w.value, ()), [w])
            w.assign(w.value - gradient * 0.25)
    engine.step(run, [w], [w])()
    assert w.numpy() == 0.75


def test_gradients_by_what_is_no_parameter(engine):
    """By an argument, by a result, and none by what has no part in it."""
    x, y, z = [Variable(np.zeros(2, 'float32')) for _ in range(3)]

    def run(value):
        x.assign(value)
        y.assign(p.exp(value) * 2.0)
        _, gradients = engine.value_and_grad(lambda: (p.sum(x.value * x.value * y.value), ()), [x, y, z])
        assert gradients[2] is None
        return gradients[:2]
    value = np.float32([0.5, -1.0])
    by_x, by_y = map(host, engine.step(run, [x, y, z], [x, y])(value))
    assert np.allclose(by_x, 4 * value * np.exp(value), rtol=1e-5)
    assert np.allclose(by_y, value ** 2, rtol=1e-5)


def test_a_learning_rate_set_between_steps_counts():
    model = keras.Sequential([layers.Dense(1, use_bias=False, input_shape=(1,), kernel_initializer='ones')])
    model.compile(keras.optimizers.SGD(0.0), 'mse')
    x, y = np.ones((1, 1), 'float32'), np.zeros((1, 1), 'float32')
    model.train_on_batch(x, y)
    assert model.get_weights()[0] == 1.0
    model.optimizer.learning_rate = 0.25
    model.train_on_batch(x, y)
    assert model.get_weights()[0] == 0.5


def test_random_numbers_are_those_of_numpy_s_generator(engine):
    generator = SeedGenerator(5)
    step = engine.step(lambda: p.random_uniform(generator.next(), (3,), 'float32') * 1.0, [], generator.variables)
    for number in range(2):
        wanted = np.random.Generator(np.random.Philox(key=[5, number])).random(3).astype('float32')
        assert np.array_equal(host(step()), wanted)


def test_variables_that_moved_away_and_back_are_found_again(engine):
    w = Variable(np.ones(2, 'float32'))
    step = engine.step(lambda x: w.assign(w.value + x), [w], [w])
    step(np.ones(2, 'float32'))
    with keras.backend.use('numpy'):
        w.assign(w.value * 10.0)
    step(np.ones(2, 'float32'))
    assert w.numpy().tolist() == [21, 21]


# --- recurrence, windows ----------------------------------------------------------------------------------------

@pytest.mark.parametrize('layer', [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_a_long_sequence_is_one_loop_in_the_network(layer):
    x = layers.Input((60, 2))
    model = keras.Model(x, layer(3)(x))
    values = np.random.RandomState(0).randn(2, 60, 2).astype('float32')
    found = model.predict(values, verbose=0)
    with keras.backend.use('numpy'):
        wanted = model.predict(values, verbose=0)
    assert np.allclose(found, wanted, atol=1e-5)


def test_first_batch_after_a_prediction_trains_a_convolution():
    """CNTK's libraries divided by the number of threads, which was 0 then."""
    model = keras.Sequential([layers.Conv2D(2, 3, input_shape=(6, 6, 2)), layers.Flatten(), layers.Dense(1)])
    model.compile('sgd', 'mse')
    x = np.ones((4, 6, 6, 2), 'float32')
    assert np.isfinite(model.predict(x, verbose=0)).all()
    assert np.isfinite(model.train_on_batch(x, np.ones((4, 1), 'float32')))


# --- refusals ---------------------------------------------------------------------------------------------------

@pytest.mark.refusals_are_errors
@pytest.mark.parametrize('refused, message', [
    (lambda: Variable(np.ones(2), dtype='float16').value, 'float32'),
    (lambda: layers.Dense(2, dtype='float16')(np.ones((1, 2), 'float32')), 'float32'),
    (lambda: ops.convert_to_tensor('text'), 'integers'),
    (lambda: p.cast(np.ones(2, 'float32'), 'float16'), 'float32')])
def test_refusals_say_what_to_do(refused, message):
    with pytest.raises(UnsupportedOperation, match='cntk engine.*' + message):
        refused()


@pytest.mark.refusals_are_errors
def test_a_loop_without_a_bound_is_refused_in_a_step_only(engine):
    def run(x):
        return p.while_loop(lambda x: p.less(p.max(x), 10.0), lambda x: [x * 2.0], [x])[0]
    assert host(run(engine.convert(np.float32([3.0])))).tolist() == [12.0]
    with pytest.raises(UnsupportedOperation, match='maximum_iterations'):
        engine.step(run, [], [])(np.float32([3.0]))


def test_the_numbers_in_a_graph_go_with_it():
    def run(number):
        x = K.placeholder((2,))
        np.testing.assert_allclose(K.function([x], [x * number])([[1.0, 2.0]])[0], [number, 2 * number], rtol=1e-6)

    def constants():
        gc.collect()
        return sum(isinstance(each, cntk_py.Constant) for each in gc.get_objects())
    run(0.5)
    before = constants()
    for number in range(20):
        run(number + 0.25)
    assert constants() <= before
