"""What only the MXNet engine promises: steps that are replayed from recorded graphs, and a NumPy left as it was."""
import gc
import os
import sys

import numpy as np
import pytest

if os.environ['KERAS_BACKEND'] != 'mxnet':
    # MXNet brings the process down where certain other engines have been loaded before it.
    pytest.skip('tested where it is the engine of the run', allow_module_level=True)

from keras import layers, models, ops, optimizers  # noqa: E402
from keras.backend.contract import loading as engines  # noqa: E402
from keras.backend.table import primitives as p  # noqa: E402
from keras.backend.table.composites import optimizers as updates  # noqa: E402
from keras.backend.table.composites import random  # noqa: E402
from keras.backend.state.seeds import SeedGenerator  # noqa: E402
from keras.backend.state.variables import Variable  # noqa: E402

engines.get_engine()
mx = sys.modules['mxnet']
steps = sys.modules['keras.backend.engines.mxnet.steps']


@pytest.fixture
def traced_at_once(monkeypatch):
    monkeypatch.setattr(steps, 'RUNS_BEFORE_TRACING', 0)


def counting(function):
    """`function`, and a list that grows with each of its calls."""
    calls = []

    def run(*args):
        calls.append(1)
        return function(*args)
    return run, calls


def test_numpy_is_left_as_it_was():
    removed = tuple(map(int, np.__version__.split('.')[:2])) >= (1, 24)
    assert not removed or not {'bool', 'int', 'float', 'object', 'str'} & set(vars(np))
    x = mx.np.zeros((2, 2))
    x[:, 0] = 1
    assert x[x > 0].asnumpy().tolist() == [1, 1]


def test_a_step_runs_as_it_is_then_is_traced_then_replayed(engine, monkeypatch):
    monkeypatch.setattr(steps, 'RUNS_BEFORE_TRACING', 1)
    function, calls = counting(lambda x: p.add(x, 1.0))
    step = engine.step(function, [], [])
    for number in range(5):
        assert engine.to_numpy(step(np.full(2, number, 'float32'))).tolist() == [number + 1] * 2
    assert len(calls) == 2
    step(np.zeros(3, 'float32'))
    assert len(calls) == 3


def trained(runs_before_tracing, monkeypatch):
    monkeypatch.setattr(steps, 'RUNS_BEFORE_TRACING', runs_before_tracing)
    generator = np.random.RandomState(0)
    model = models.Sequential([
        layers.Input((6, 6, 2)), layers.Conv2D(4, 3, padding='same'), layers.BatchNormalization(),
        layers.Activation('relu'), layers.MaxPooling2D(), layers.Dropout(0.3, seed=5), layers.Flatten(),
        layers.Dense(3, activation='softmax')])
    for weight in model.weights:
        if weight.dtype == 'float32' and 'variance' not in weight.name:
            weight.assign(generator.normal(size=weight.shape).astype('float32') / 3)
    model.compile(optimizers.Adam(0.01), 'sparse_categorical_crossentropy', metrics=['accuracy'])
    x, y = generator.normal(size=(40, 6, 6, 2)).astype('float32'), generator.randint(0, 3, 40)
    history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    return history, model.get_weights(), model.predict(x, verbose=0)


def test_replayed_training_is_the_same_as_training_run_as_it_is(monkeypatch):
    replayed, direct = trained(0, monkeypatch), trained(10 ** 9, monkeypatch)
    np.testing.assert_allclose(replayed[0]['loss'], direct[0]['loss'], rtol=1e-4)
    for first, second in zip(replayed[1], direct[1]):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(replayed[2], direct[2], rtol=1e-3, atol=1e-5)


def test_a_step_that_asks_for_a_value_keeps_running_as_it_is(engine):
    function, calls = counting(lambda x: p.cond(p.less(p.sum(x), 0.0), p.negative, p.exp, [x]))
    step = engine.step(function, [], [])
    for sign in (1, -1, 1, -1):
        x = np.full(2, sign, 'float32')
        np.testing.assert_allclose(engine.to_numpy(step(x)), np.exp(x) if sign > 0 else -x, rtol=1e-6)
    assert len(calls) >= 4


def test_sizes_may_be_fetched_in_a_traced_step(engine, traced_at_once):
    function, calls = counting(lambda x: p.reshape(x, (ops.shape(x)[0] * engine.convert(np.int32(2)), -1)))
    step = engine.step(function, [], [])
    for _ in range(3):
        assert engine.to_numpy(step(np.zeros((2, 6), 'float32'))).shape == (4, 3)
    assert len(calls) == 1


def test_layers_that_call_mxnet_directly_are_replayed_too(engine, traced_at_once):
    function, calls = counting(lambda x: mx.np.sin(x) * mx.np.cumsum(x, axis=0) + x[1:2])
    step = engine.step(function, [], [])
    for number in range(3):
        x = np.random.RandomState(number).normal(size=(3, 2)).astype('float32')
        np.testing.assert_allclose(engine.to_numpy(step(x)), np.sin(x) * np.cumsum(x, 0) + x[1:2], rtol=1e-5)
    assert len(calls) == 1


def test_arrays_that_mxnet_makes_itself_are_not_taken_for_constants(engine, traced_at_once):
    function, calls = counting(lambda x: mx.np.add(x, mx.np.full((2,), float(len(calls)))))
    step = engine.step(function, [], [])
    found = [engine.to_numpy(step(np.zeros(2, 'float32'))).tolist() for _ in range(3)]
    assert found[0] != found[1] != found[2]


def test_results_stay_as_they_are_when_the_step_runs_again(engine, traced_at_once):
    weight = Variable(np.array([1.0, 2.0], 'float32'))

    def run(x):
        (value, aux), gradients = engine.value_and_grad(
            lambda: (p.sum(p.multiply(weight.value, x)), p.multiply(x, 2.0)), [weight])
        weight.assign(p.subtract(weight.value, gradients[0]))
        return value, aux, gradients[0], x, weight.value
    step = engine.step(run, [weight], [weight])
    results = [step(np.full(2, number, 'float32')) for number in (1, 10, 100)]
    expected = np.array([1.0, 2.0])
    for number, (value, aux, gradient, x, updated) in zip((1, 10, 100), results):
        assert engine.to_numpy(value) == expected.sum() * number
        assert engine.to_numpy(aux).tolist() == [2 * number] * 2
        assert engine.to_numpy(gradient).tolist() == engine.to_numpy(x).tolist() == [number] * 2
        expected = expected - number
        assert engine.to_numpy(updated).tolist() == expected.tolist() != [0, 0]


def test_slots_that_kernels_write_share_memory_with_no_other_variable():
    weight, other = Variable(np.ones(2, 'float32')), Variable(np.zeros(2, 'float32'))
    first, second = Variable(np.zeros(2, 'float32')), Variable(np.zeros(2, 'float32'))
    first.assign(other.value)
    gradient = engines.get_engine().convert(np.ones(2, 'float32'))
    updates.adam_update([weight], [gradient], [first], [second], engines.get_engine().convert(np.float32(1)), 0.5, 0.9,
                        0.999, 1e-7)
    np.testing.assert_allclose(first.numpy(), [0.1, 0.1], rtol=1e-6)
    assert other.numpy().tolist() == [0, 0]
    np.testing.assert_allclose(weight.numpy(), [0.5, 0.5], rtol=1e-5)


def test_kernels_write_only_into_what_variables_store(engine):
    optimizer = optimizers.Adam(0.1)
    weight = Variable(np.ones(2, 'float32'))
    optimizer.build([weight])
    given = [engine.convert(variable.numpy()) for variable in optimizer.variables]
    optimizer.stateless_apply(given, [engine.convert(np.ones(2, 'float32'))], [engine.convert(np.ones(2, 'float32'))])
    for array, variable in zip(given, optimizer.variables):
        assert np.array_equal(engine.to_numpy(array), variable.numpy())


def test_handwritten_loops_find_gradients_by_mxnets_own_means():
    layer = layers.Dense(1, use_bias=False, kernel_initializer='ones')
    layer.build((None, 2))
    for expected in (6.0, 6.0 - 2.0 * (4 + 16)):
        layer.kernel.attach_grad()
        with mx.autograd.record():
            loss = layer(mx.np.array([[2.0, 4.0]])).sum()
        loss.backward()
        assert float(loss) == expected
        assert layer.kernel.grad.asnumpy().tolist() == [[2.0], [4.0]]
        layer.kernel.assign(layer.kernel.value - 2.0 * layer.kernel.grad)


def test_numpy_takes_arrays_and_arrays_take_numpy():
    x = ops.convert_to_tensor(np.array([[1.0, 2.0], [3.0, 4.0]], 'float32'))
    assert np.asarray(x).dtype == 'float32' and np.asarray(x, 'float64').dtype == 'float64'
    np.testing.assert_allclose(x, [[1, 2], [3, 4]])
    assert np.array([x, x]).dtype == 'float32' and np.allclose([x, 2 * x], [[[1, 2], [3, 4]], [[2, 4], [6, 8]]])
    for number in (np.full((2, 2), 2.0), np.full((2,), 2.0, 'float32'), np.array([2, 2])):
        assert (x * number).dtype == np.float32 and (x * number).tolist() == [[2, 4], [6, 8]]
        assert (x > number).tolist() == [[False, False], [True, True]]
        assert (x / number).tolist() == [[0.5, 1.0], [1.5, 2.0]]


def test_variables_beside_arrays(engine):
    variable = Variable(np.array([2.0, 3.0], 'float32'))
    x = engine.convert(np.array([10.0, 20.0], 'float32'))
    for found, expected in ((x * variable, [20, 60]), (x - variable, [8, 17]), (variable + x, [12, 23])):
        assert engine.to_numpy(found).tolist() == expected


def test_a_traced_step_draws_anew_and_starts_again_with_its_seed(engine, traced_at_once):
    generator = SeedGenerator(3)
    step = engine.step(lambda: random.dropout(p.full((50,), 1.0, 'float32'), 0.5, seed=generator), [], [])
    first, second = engine.to_numpy(step()), engine.to_numpy(step())
    assert not np.array_equal(first, second)
    generator.state.assign(generator.initial_state())
    assert np.array_equal(engine.to_numpy(step()), first)


def test_a_step_that_cannot_be_traced_draws_once_only(engine, monkeypatch):
    """What it draws is the same whichever of its runs is the one that is traced in vain."""
    def draws(runs_before):
        monkeypatch.setattr(steps, 'RUNS_BEFORE_TRACING', runs_before)
        generator = SeedGenerator(3)

        def run():
            noise = random.normal((4,), seed=generator)
            return noise * float(engine.to_numpy(ops.sum(noise)) > 0)
        step = engine.step(run, [], [])
        return [engine.to_numpy(step()).tolist() for _ in range(4)]
    assert draws(0) == draws(1) == draws(2) == draws(99)


def test_random_numbers_leave_the_generators_of_numpy_and_mxnet_alone(engine):
    mx.random.seed(7)
    expected = mx.np.random.uniform(size=(3,)).asnumpy()
    mx.random.seed(7)
    before = np.random.get_state()[1].copy()
    engine.to_numpy(random.normal((5,), seed=1))
    assert np.array_equal(before, np.random.get_state()[1])
    assert np.array_equal(expected, mx.np.random.uniform(size=(3,)).asnumpy())


def test_dropout_keeps_the_given_share():
    kept = engines.get_engine().to_numpy(random.dropout(p.full((100000,), 1.0, 'float32'), 0.3, seed=SeedGenerator(1)))
    assert set(np.unique(kept).tolist()) == {0.0, float(np.float32(1 / 0.7))}
    assert abs((kept == 0).mean() - 0.3) < 0.006


def test_gradients_written_in_python_are_left_to_mxnet(engine, traced_at_once):
    class Cube(mx.autograd.Function):
        def forward(self, x):
            self.save_for_backward(x)
            return x * x * x

        def backward(self, dy):
            x, = self.saved_tensors
            return (dy.as_np_ndarray() * 3 * x * x).as_nd_ndarray()
    weight = Variable(np.array([2.0, 3.0], 'float32'))
    step = engine.step(lambda: engine.value_and_grad(lambda: (p.sum(Cube()(weight.value)), ()), [weight])[1][0],
                       [weight], [])
    for _ in range(3):
        np.testing.assert_allclose(engine.to_numpy(step()), [12, 27])


@pytest.mark.parametrize('axis', [1, -1])
def test_batch_normalization_of_sequences_takes_what_a_convolution_gives(axis):
    # With eight filters and more oneDNN keeps the result of the convolution in a layout of its own.
    model = models.Sequential([
        layers.Embedding(20, 8, input_length=10), layers.Conv1D(16, 3, padding='same'),
        layers.BatchNormalization(axis=axis), layers.GlobalMaxPooling1D(), layers.Dense(1)])
    model.compile('adam', 'mse')
    x, y = np.arange(320).reshape(32, 10) % 20, np.arange(32.0)[:, None]
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    hidden = models.Model(model.inputs, model.layers[1].output).predict(x)
    found = models.Model(model.inputs, model.layers[2].output).predict(x)
    gamma, beta, mean, variance = [weight.reshape([-1 if place == axis % 3 else 1 for place in range(3)])
                                   for weight in model.layers[2].get_weights()]
    np.testing.assert_allclose(found, gamma * (hidden - mean) / np.sqrt(variance + 1e-3) + beta, atol=1e-5)


def test_what_was_traced_is_freed(engine, traced_at_once):
    def resident():
        gc.collect()
        with open('/proc/self/statm') as file:
            return int(file.read().split()[1]) * 4096

    def function(x):
        for _ in range(200):
            x = p.add(x, 1.0)
        return x

    def grown(times):
        before = resident()
        for _ in range(times):
            assert engine.to_numpy(engine.step(function, [], [])(np.zeros(2, 'float32')))[0] == 200
        return resident() - before
    grown(10)
    # It was 140 KB for each.
    assert grown(30) < 1.5e6
