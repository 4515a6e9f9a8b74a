"""What is particular to the JAX engine: pure jitted steps, donation, variables found while tracing."""
import numpy as np
import pytest

import keras
from keras.backend.contract.ledger import AbstractLedger
from keras.backend.contract.loading import engine_name, get_engine, set_backend
from keras.backend.contract.rules import AbstractTensor
from keras.backend.state.seeds import SeedGenerator
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as P

if engine_name() != 'jax':
    pytest.skip('tests of the jax engine (KERAS_BACKEND=jax)', allow_module_level=True)
jax = pytest.importorskip('jax')
jnp = jax.numpy


@pytest.fixture
def engine():
    return get_engine()


def test_writes_commit_after_the_outputs_are_fixed(engine):
    count, total = Variable(1.0), Variable(10.0)

    def fn(x):
        count.assign(count.value + x)
        total.assign(total.value + count.value)
        return {'count': count.value, 'none': None, 'list': [total.value]}

    step = engine.step(fn, [], [count, total])
    outputs = step(np.float32(2.0))
    assert float(outputs['count']) == 3.0 and float(outputs['list'][0]) == 13.0 and outputs['none'] is None
    step(np.float32(1.0))
    assert float(count.numpy()) == 4.0 and float(total.numpy()) == 17.0


def test_a_variable_that_one_run_does_not_write_keeps_its_value(engine):
    v, w = Variable([1.0, 2.0]), Variable([3.0])
    step = engine.step(lambda x: v.assign(v.value * x), [], [v, w])
    step(np.float32(2.0))
    step(np.float32(2.0))
    assert v.numpy().tolist() == [4.0, 8.0] and w.numpy().tolist() == [3.0]


def test_variables_that_were_not_listed_are_found(engine):
    read, written = Variable(1.0), Variable(0.0)

    def fn(x):
        written.assign(written.value + read.value * x)
        return read.value

    step = engine.step(fn, [], [])
    step(np.float32(2.0))
    read.assign(5.0)
    assert float(step(np.float32(2.0))) == 5.0
    assert float(written.numpy()) == 12.0


def test_a_variable_made_while_tracing_keeps_its_value_afterwards(engine):
    made = []

    def fn(x):
        if not made:
            made.append(Variable(lambda shape, dtype: P.full(shape, 2.0, dtype), shape=(2,)))
        made[0].assign(made[0].value + x)
        return made[0].value

    step = engine.step(fn, [], [])
    assert step(np.float32(1.0)).tolist() == [3.0, 3.0]
    assert step(np.float32(1.0)).tolist() == [4.0, 4.0]
    assert made[0].numpy().tolist() == [4.0, 4.0]


def test_arrays_that_others_hold_survive_donation(engine):
    given = jnp.arange(3.0)
    v, w = Variable([0.0, 0.0, 0.0]), Variable([0.0, 0.0, 0.0])
    v.assign(given)
    w.assign(given)
    step = engine.step(lambda x: (v.assign(v.value + x), w.assign(w.value - x)), [], [v, w])
    step(np.float32(1.0))
    kept, view = v.value, np.asarray(v.value)
    step(np.float32(1.0))
    assert given.tolist() == [0.0, 1.0, 2.0]
    assert kept.tolist() == view.tolist() == [1.0, 2.0, 3.0]
    assert v.numpy().tolist() == [2.0, 3.0, 4.0] and w.numpy().tolist() == [-2.0, -1.0, 0.0]


def test_written_variables_are_updated_in_place(engine):
    v = Variable(np.zeros(4096, 'float32'))
    step = engine.step(lambda: v.assign(v.value + 1.0), [], [v])
    step()
    address = v.storage.unsafe_buffer_pointer()
    for _ in range(3):
        step()
    assert v.storage.unsafe_buffer_pointer() == address


def test_a_step_is_traced_once_per_shape(engine):
    traced = []
    v = Variable(0.0)

    def fn(x, extra):
        traced.append(x.shape)
        v.assign(P.where(v.value > 1e9, 0.0, 1.0))
        return P.sum(x)

    step = engine.step(fn, [], [v])
    for size in (2, 3, 2, 3, 2):
        step(np.ones(size, 'float32'), None)
    assert traced == [(2,), (3,)]


def test_variables_follow_a_change_of_engine_between_two_runs(engine):
    v = Variable([1.0])
    step = engine.step(lambda x: v.assign(v.value + x), [], [v])
    step(np.float32(1.0))
    set_backend('numpy')
    try:
        v.assign(v.value * 10)
    finally:
        set_backend('jax')
    step(np.float32(1.0))
    assert v.numpy().tolist() == [21.0]


def test_a_step_within_a_step_is_a_part_of_it(engine):
    v = Variable(1.0)
    inner = engine.step(lambda x: v.assign(v.value * x), [], [v])
    outer = engine.step(lambda x: (inner(x), inner(x))[1], [], [v])
    assert float(outer(np.float32(3.0))) == 9.0
    assert float(v.numpy()) == 9.0


@pytest.mark.parametrize('compiled', [True, False])
def test_writes_within_value_and_grad_come_out(engine, compiled):
    weight, mean, unused = Variable([2.0, 3.0]), Variable(0.0), Variable([1.0])

    def loss():
        mean.assign(mean.value + P.sum(weight.value))
        return P.sum(weight.value * weight.value) * mean.value, {'mean': mean.value, 'nothing': None}

    def fn():
        (value, aux), gradients = engine.value_and_grad(loss, [weight, unused])
        assert gradients[1] is None
        return value, aux['mean'], gradients[0], mean.value

    value, mean_inside, gradient, mean_after = (engine.step(fn, [], []) if compiled else fn)()
    # d/dw (sum w^2)(sum w) = 2 w sum w + sum w^2
    np.testing.assert_allclose(gradient, [2 * 2 * 5 + 13, 2 * 3 * 5 + 13])
    assert float(value) == 13 * 5 and float(mean_inside) == float(mean_after) == 5.0
    assert float(mean.numpy()) == 5.0


def test_seeds_advance_by_each_step(engine):
    generator = SeedGenerator(7)
    step = engine.step(lambda: P.random_uniform(generator.next(), (4,), 'float32'), [], [])
    first, second = step(), step()
    assert np.all(np.asarray(first) != np.asarray(second))
    assert generator.state.numpy().tolist() == [7, 2]
    expected = jax.random.uniform(jax.random.wrap_key_data(np.array([7, 1], 'uint32'), impl='threefry2x32'), (4,))
    np.testing.assert_array_equal(second, expected)


def test_a_bounded_while_loop_has_a_gradient(engine):
    v = Variable(1.5)

    def loss():
        count, x = P.while_loop(lambda count, x: x < 10.0, lambda count, x: [count + 1, x * x],
                                [P.full((), 0, 'int32'), v.value], 8)
        return x, count

    (value, count), (gradient,) = engine.value_and_grad(loss, [v])
    # 1.5^(2^3) = 25.6 after three rounds
    assert int(count) == 3
    np.testing.assert_allclose(value, 1.5 ** 8, rtol=1e-6)
    np.testing.assert_allclose(gradient, 8 * 1.5 ** 7, rtol=1e-6)


def test_control_flow_refuses_to_write_variables(engine):
    v = Variable(0.0)
    with pytest.raises(RuntimeError, match='carry the value'):
        P.scan(lambda carry, x: (carry, [v.assign(carry[0] + x[0])]), [jnp.zeros(())], [jnp.ones(3)])


def test_assigning_under_a_trace_of_jax_itself_is_an_error(engine):
    v = Variable(0.0)
    with pytest.raises(RuntimeError, match='leak'):
        jax.jit(lambda x: v.assign(x))(1.0)
    assert float(v.numpy()) == 0.0


def test_asarray_of_jax_takes_variables_and_see_this_runs_value(engine):
    v = Variable([1.0, 2.0])
    assert jnp.asarray(v).tolist() == [1.0, 2.0]
    step = engine.step(lambda x: jnp.dot(jnp.asarray(v), x), [v], [])
    assert float(step(np.ones(2, 'float32'))) == 3.0
    v.assign([2.0, 2.0])
    assert float(step(np.ones(2, 'float32'))) == 4.0


def test_64_bit_dtypes_become_32_bit_ones_silently(engine, recwarn):
    assert engine.dtype_of(engine.convert(np.arange(3), 'int64')) == 'int32'
    assert engine.dtype_of(engine.convert(np.ones(3))) == 'float32'
    assert engine.dtype_of(P.cast(np.ones(3, 'float32'), 'float64')) == 'float32'
    assert 'float64' not in engine.capabilities.dtypes
    with jax.enable_x64(True):
        assert engine.dtype_of(engine.convert([1.0], 'float64')) == 'float64'
        assert 'float64' in engine.capabilities.dtypes
    assert not recwarn.list


def test_strings_are_refused_with_a_way_out(engine):
    with pytest.raises(NotImplementedError, match='integers'):
        engine.convert(['a', 'b'])
    with pytest.raises(TypeError, match='rectangular'):
        engine.convert({'a': 1})


def test_bfloat16_reaches_the_host_as_float32(engine):
    x = engine.convert([1.5, 2.0], 'bfloat16')
    assert engine.dtype_of(x) == 'bfloat16'
    assert engine.to_numpy(x).dtype == 'float32'
    assert engine.dtype_of(P.multiply(x, 2.0)) == 'bfloat16'


def test_eval_shape_marks_sizes_that_follow_unknown_ones(engine):
    weights = Variable(np.ones((3, 5), 'float32'))

    def fn(x, y):
        return [jnp.dot(x, weights.value), jnp.concatenate([x, y]).sum(1), jnp.full((2,), 1, 'int32')]

    with AbstractLedger():
        shapes = engine.eval_shape(fn, (AbstractTensor((None, 3), 'float32'), AbstractTensor((4, 3), 'float32')))
    assert [(part.shape, part.dtype) for part in shapes] == [
        ((None, 5), 'float32'), ((None,), 'float32'), ((2,), 'int32')]


def test_indices_out_of_range_and_negative_ones_give_nan(engine):
    x = np.arange(5, dtype='float32')
    np.testing.assert_array_equal(P.gather(x, np.array([-1, 2, 9], 'int32'), 0), [np.nan, 2.0, np.nan])


def test_in_a_quiet_time_variables_are_read_and_assigned_as_ever(engine):
    v = Variable(np.ones(1, 'float32'))

    def add(x):
        v.assign(v.value + x)
        return v.value * 1
    step, one = engine.step(add, [], [v]), np.ones(1, 'float32')
    step(one)
    with step.quiet() as run:
        run(one)
        kept = v.value
        assert v.numpy() == 3
        run(one)
        v.assign(np.full(1, 10, 'float32'))
        assert np.asarray(run(one)) == 11
        other = engine.step(lambda: v.value * 2, [v], [])
        assert np.asarray(other()) == 22
        run(one)
    assert v.numpy() == 12 and np.asarray(kept) == 3


def test_an_error_in_a_quiet_time_leaves_the_values_of_the_run_before(engine):
    v = Variable(np.ones(1, 'float32'))

    def add(x):
        if x.shape[0] == 2:
            raise ArithmeticError
        v.assign(v.value + x)
        return v.value * 1
    step, one = engine.step(add, [], [v]), np.ones(1, 'float32')
    step(one)
    with pytest.raises(ArithmeticError):
        with step.quiet() as run:
            run(one)
            run(np.ones(2, 'float32'))
    assert v.numpy() == 3
    step(one)
    assert v.numpy() == 4


def test_loops_in_jit_may_have_bounds_that_jit_knows_nothing_of():
    """KerasHub generates text so: in `jax.jit`, with the values of the weights in a `StatelessScope` in the loop."""
    weight = keras.Variable([2.0, 3.0])

    def looped(n, value):
        def body(i, x, value):
            with keras.StatelessScope([(weight, value)]):
                return i + 1, x + weight.value, value
        return keras.ops.while_loop(lambda i, x, value: i < 10, body, (0, np.zeros(2, 'float32'), value), n)[1]

    def summed(low, high):
        return keras.ops.fori_loop(low, high, lambda i, total: total + i, 0)

    value = np.array([5.0, 7.0], 'float32')
    assert jax.jit(looped)(4, value).tolist() == [20.0, 28.0]
    assert jax.jit(looped)(40, value).tolist() == [50.0, 70.0]
    assert int(jax.jit(summed)(2, 6)) == 14
