"""scan, cond and while_loop on the engine of the run: values, gradients, structure, and the loop `rnn` over them."""
import numpy as np
import pytest

from keras.backend.contract import tree
from keras.backend.contract.rules import AbstractTensor
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p
from keras.backend.table.composites.rnn import rnn

XS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], 'float32')


def host(engine, structure):
    return tree.map_structure(lambda leaf: engine.to_numpy(leaf), structure)


def add_up(carry, x):
    total = p.add(carry[0], x[0])
    return [total], [p.multiply(total, 2.0)]


@pytest.mark.parametrize('compiled', [False, True])
@pytest.mark.parametrize('reverse', [False, True])
def test_scan_gives_the_carry_and_the_outputs_in_the_order_of_the_inputs(engine, reverse, compiled):
    def run(xs, start):
        return p.scan(add_up, [start], [xs], None, reverse)
    run = engine.step(run, [], []) if compiled else run
    carry, outputs = host(engine, run(engine.convert(XS), engine.convert(np.ones(2, 'float32'))))
    sums = 1 + (np.cumsum(XS[::-1], 0)[::-1] if reverse else np.cumsum(XS, 0))
    assert np.allclose(carry[0], 1 + XS.sum(0))
    assert np.allclose(outputs[0], 2 * sums)


def test_scan_without_inputs_runs_length_times(engine):
    carry, outputs = p.scan(lambda c, x: ([p.multiply(c[0], 2.0)], [c[0]]), [engine.convert(np.float32(1))], [], 4)
    assert host(engine, carry)[0] == 16
    assert host(engine, outputs)[0].tolist() == [1, 2, 4, 8]


def test_scan_without_outputs(engine):
    carry, outputs = p.scan(lambda c, x: ([p.add(c[0], x[0])], []), [engine.convert(np.zeros(2, 'float32'))],
                            [engine.convert(XS)])
    assert host(engine, carry)[0].tolist() == [9, 12]
    assert list(outputs) == []


def test_scan_with_several_carries_inputs_and_dtypes(engine):
    counts = np.array([1, 2, 3], 'int32')

    def step(carry, x):
        return [p.add(carry[0], x[1]), p.maximum(carry[1], x[0])], [carry[0], p.multiply(x[0], x[1])]
    carry, outputs = p.scan(step, [engine.convert(np.int32(0)), engine.convert(np.full(2, -9, 'float32'))],
                            [engine.convert(XS), engine.convert(counts)])
    carry, outputs = host(engine, [list(carry), list(outputs)])
    assert carry[0] == 6 and carry[0].dtype == np.int32
    assert carry[1].tolist() == [5, 6]
    assert outputs[0].tolist() == [0, 1, 3]
    assert np.allclose(outputs[1], XS * counts[:, None])


def test_scan_of_a_single_step(engine):
    carry, outputs = p.scan(add_up, [engine.convert(np.zeros(2, 'float32'))], [engine.convert(XS[:1])])
    assert host(engine, outputs[0]).shape == (1, 2)
    assert host(engine, carry[0]).tolist() == [1, 2]


def test_scan_reads_variables(engine):
    factor = Variable(np.array([2.0, 3.0], 'float32'))
    carry, _ = p.scan(lambda c, x: ([p.add(p.multiply(c[0], factor.value), x[0])], []),
                      [engine.convert(np.zeros(2, 'float32'))], [engine.convert(XS)])
    expected = np.zeros(2)
    for row in XS:
        expected = expected * [2, 3] + row
    assert np.allclose(host(engine, carry[0]), expected)


def test_scan_has_an_abstract_result():
    carry, outputs = p.scan(add_up, [AbstractTensor((None, 2), 'float32')], [AbstractTensor((7, None, 2), 'float32')])
    assert carry[0].shape == (None, 2) and outputs[0].shape == (7, None, 2)


def gradients(engine, function, *arrays):
    variables = [Variable(np.asarray(array, 'float32')) for array in arrays]
    (value, _), found = engine.value_and_grad(lambda: (function(*[v.value for v in variables]), ()), variables)
    return float(engine.to_numpy(value)), [None if g is None else engine.to_numpy(g) for g in found]


@pytest.mark.needs_gradients
@pytest.mark.parametrize('reverse', [False, True])
def test_gradient_of_scan(engine, reverse):
    def total(xs, start, factor):
        carry, outputs = p.scan(lambda c, x: ([p.add(p.multiply(c[0], factor), x[0])], [p.multiply(c[0], c[0])]),
                                [start], [xs], None, reverse)
        return p.add(p.sum(carry[0]), p.sum(outputs[0]))

    def expected(xs, start, factor):
        carry, result = start, 0.0
        for row in xs[::-1] if reverse else xs:
            result, carry = result + np.sum(carry * carry), carry * factor + row
        return result + carry.sum()
    arrays = [XS.astype('float64') / 4, np.array([0.3, -0.4]), np.array([0.9, 1.2])]
    value, found = gradients(engine, total, *arrays)
    assert np.isclose(value, expected(*arrays), rtol=1e-5)
    for number, gradient in enumerate(found):
        for place in np.ndindex(gradient.shape):
            above, below = [[a.copy() for a in arrays] for _ in range(2)]
            above[number][place] += 1e-6
            below[number][place] -= 1e-6
            assert np.isclose(gradient[place], (expected(*above) - expected(*below)) / 2e-6, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('compiled', [False, True])
def test_cond_takes_the_branch(engine, compiled):
    def run(x):
        return p.cond(p.less(p.sum(x), 0.0), lambda v: [p.negative(v), p.sum(v)], lambda v: [v, p.max(v)], [x])
    run = engine.step(run, [], []) if compiled else run
    for x, expected in ((np.array([1.0, 2.0], 'float32'), [[1, 2], 2]),
                        (np.array([-1.0, -2.0], 'float32'), [[1, 2], -3])):
        first, second = host(engine, list(run(engine.convert(x))))
        assert first.tolist() == expected[0] and second == expected[1]


@pytest.mark.needs_gradients
@pytest.mark.parametrize('x, expected', [([1.0, 2.0], [2.0, 4.0]), ([-1.0, -2.0], [-1.0, -1.0])])
def test_gradient_of_cond(engine, x, expected):
    def total(x):
        return p.cond(p.less(p.sum(x), 0.0), lambda v: p.negative(p.sum(v)), lambda v: p.sum(p.multiply(v, v)), [x])
    _, (found,) = gradients(engine, total, x)
    assert np.allclose(found, expected)


def halve(count, x):
    return [p.add(count, 1), p.multiply(x, 0.5)]


@pytest.mark.parametrize('compiled', [False, True])
def test_while_loop_runs_until_the_condition_fails(engine, compiled):
    def run(x):
        return list(p.while_loop(lambda count, x: p.less(1.0, p.max(x)), halve, [engine.convert(np.int32(0)), x]))
    run = engine.step(run, [], []) if compiled else run
    count, x = host(engine, run(engine.convert(np.array([5.0, 12.0], 'float32'))))
    assert count == 4 and x.tolist() == [0.3125, 0.75]
    count, x = host(engine, run(engine.convert(np.array([0.5, 0.25], 'float32'))))
    assert count == 0 and x.tolist() == [0.5, 0.25]


def test_while_loop_stops_at_the_maximum(engine):
    start = [engine.convert(np.int32(0)), engine.convert(np.array([64.0], 'float32'))]
    count, x = host(engine, list(p.while_loop(lambda count, x: p.less(1.0, p.max(x)), halve, start, 3)))
    assert count == 3 and x.tolist() == [8.0]


@pytest.mark.needs_gradients
def test_gradient_of_a_bounded_while_loop(engine):
    def total(x):
        start = [engine.convert(np.int32(0)), x]
        return p.sum(p.while_loop(lambda count, x: p.less(1.0, p.max(x)), halve, start, 10)[1])
    value, (found,) = gradients(engine, total, [5.0, 12.0])
    assert value == 1.0625
    assert np.allclose(found, 1 / 16)


# --- rnn --------------------------------------------------------------------------------------------------------

X = np.random.RandomState(0).normal(size=(2, 5, 3)).astype('float32')
W = np.random.RandomState(1).normal(size=(3, 3)).astype('float32')
MASK = np.array([[True, False, True, True, False], [False, True, False, False, True]])


def rnn_step(x, states):
    h = p.tanh(p.add(x, p.matmul(states[0], W)))
    return p.multiply(h, 2.0), [h, p.add(states[1], 1.0)] if len(states) == 2 else [h, p.add(states[1], states[2])]


def expected_rnn(go_backwards=False, mask=None, zero=False, increment=1.0):
    outputs, states, counts = [], [], []
    for b in range(2):
        h, count, y, line = np.full(3, 0.5), 0.0, np.zeros(3), []
        for t in range(5)[::-1 if go_backwards else 1]:
            if mask is None or mask[b, t]:
                h, count = np.tanh(X[b, t] + h @ W), count + increment
                y = 2 * h
            elif zero:
                y = np.zeros(3)
            line.append(y)
        outputs.append(line)
        states.append(h)
        counts.append([count])
    return np.array(outputs), np.array(states), np.array(counts)


@pytest.mark.parametrize('unroll', [False, True])
@pytest.mark.parametrize('go_backwards', [False, True])
@pytest.mark.parametrize('masked', ['no', 'repeat', 'zero'])
@pytest.mark.parametrize('constants', [False, True])
def test_rnn(engine, unroll, go_backwards, masked, constants):
    start = [np.full((2, 3), 0.5, 'float32'), np.zeros((2, 1), 'float32')]
    last, outputs, states = rnn(rnn_step, X, start, go_backwards, None if masked == 'no' else MASK,
                                [np.full((2, 1), 3.0, 'float32')] if constants else None, unroll,
                                zero_output_for_mask=masked == 'zero')
    wanted, h, count = expected_rnn(go_backwards, None if masked == 'no' else MASK, masked == 'zero',
                                    3.0 if constants else 1.0)
    assert np.allclose(engine.to_numpy(outputs), wanted, atol=1e-5)
    assert np.allclose(engine.to_numpy(last), wanted[:, -1], atol=1e-5)
    assert np.allclose(engine.to_numpy(states[0]), h, atol=1e-5)
    assert np.allclose(engine.to_numpy(states[1]), count)


def test_rnn_time_major_and_only_the_last_output(engine):
    start = [np.full((2, 3), 0.5, 'float32'), np.zeros((2, 1), 'float32')]
    wanted, _, _ = expected_rnn(mask=MASK)
    last, outputs, _ = rnn(rnn_step, X.transpose(1, 0, 2), start, mask=MASK.T, time_major=True)
    assert np.allclose(engine.to_numpy(outputs), wanted.transpose(1, 0, 2), atol=1e-5)
    last, outputs, _ = rnn(rnn_step, X, start, mask=MASK, return_all_outputs=False)
    assert np.allclose(engine.to_numpy(outputs), wanted[:, -1:], atol=1e-5)
    assert np.allclose(engine.to_numpy(last), wanted[:, -1], atol=1e-5)


def test_rnn_with_nested_inputs_states_and_outputs_of_other_ranks(engine):
    images = np.arange(2 * 3 * 2 * 2, dtype='float32').reshape(2, 3, 2, 2)

    def step(x, states):
        (total,), = states
        total = p.add(total, x['image'])
        return {'sum': total, 'flag': x['flag']}, [[total]]
    flags = np.array([[1, 0, 1], [0, 1, 1]], 'int32')
    mask = np.array([[True, True, False], [False, True, True]])
    last, outputs, states = rnn(step, {'image': images, 'flag': flags}, [[np.zeros((2, 2, 2), 'float32')]], mask=mask)
    sums = np.cumsum(images * mask[:, :, None, None], 1)
    assert np.allclose(engine.to_numpy(outputs['sum']), sums)
    assert np.allclose(engine.to_numpy(states[0][0]), sums[:, -1])
    assert engine.to_numpy(last['flag']).tolist() == [0, 1]


def test_unrolling_an_unknown_length_is_refused():
    with pytest.raises(ValueError, match='known number of time steps'):
        rnn(rnn_step, AbstractTensor((2, None, 3), 'float32'),
            [AbstractTensor((2, 3), 'float32'), AbstractTensor((2, 1), 'float32')], unroll=True)
