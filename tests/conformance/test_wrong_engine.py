"""The harness itself: an engine with planted errors must be caught at every one of them, and at nothing else."""
import harness
import numpy as np
import pytest

from keras.backend.contract import rules
from keras.backend.contract.engine import Capabilities
from keras.backend.contract.loading import load_engine
from keras.backend.table.entries import TABLE

Numpy = type(load_engine('numpy'))


def case(name, index=0):
    return harness.Case(TABLE[name], index)


def wrong(**methods):
    return type('WrongEngine', (Numpy,), dict(methods, name='wrong'))()


def shifted_add(self, x, y):
    return np.add(x, y) + np.float32(1e-3)


def sum_over_the_wrong_axis(self, x, axis=None, keepdims=False):
    axis = (np.ndim(x) - 1 - axis % np.ndim(x)) if isinstance(axis, int) else axis
    return np.sum(x, axis, dtype=rules.sum_dtype(x.dtype.name), keepdims=keepdims)


def argmax_in_int64(self, x, axis=-1):
    return np.asarray(np.argmax(x, axis), 'int64')


def exp_in_place(self, x):
    return np.exp(x, out=x) if isinstance(x, np.ndarray) else np.exp(x)


def keepdims_forgotten(self, x, axis=None, keepdims=False):
    return np.max(x, axis)


def scatter_that_overwrites(self, x, indices, updates):
    result = np.array(x)
    result[indices] += updates
    return result


def true_convolution(self, x, kernel, strides, padding, dilation, groups=1):
    turned = kernel[tuple(slice(None, None, -1) for _ in kernel.shape[:-2])]
    return Numpy.conv(self, x, turned, strides, padding, dilation, groups)


def same_padding_at_the_front(self, x, size, strides, padding, mode):
    flipped = tuple(range(1, x.ndim - 1))
    return np.flip(Numpy.pool(self, np.flip(x, flipped), size, strides, padding, mode), flipped)


def mean_that_counts_padding(self, x, size, strides, padding, mode):
    ones = (1,) * len(size)
    if mode == 'max':
        return Numpy.pool(self, x, size, strides, padding, mode)
    total = sum(part for _, part in self._windows(x, size, strides, padding, ones, 0))
    return total / np.float32(np.prod(size))


def rounding_towards_zero(self, x):
    return np.trunc(x)


def only_contiguous(self, x):
    return np.tanh(x) if np.asarray(x).flags.c_contiguous else np.tanh(np.ascontiguousarray(x)[::-1])


def step_that_adds(self, fn, reads, writes, static_batch=False):
    run = Numpy.step(self, fn, reads, writes, static_batch)
    return lambda *args: run(*args) + 1


def never_unsigned(self, x, dtype):
    return np.asarray(x).astype('float32')


PLANTED = [
    ('shifted add', {'add': shifted_add}, 'value', 'add', 0),
    ('wrong axis of sum', {'sum': sum_over_the_wrong_axis}, 'value', 'sum', 1),
    ('dtype of argmax', {'argmax': argmax_in_int64}, 'value', 'argmax', 0),
    ('changed input', {'exp': exp_in_place}, 'value', 'exp', 0),
    ('keepdims forgotten', {'max': keepdims_forgotten}, 'value', 'max', 2),
    ('repeated indices', {'scatter_add': scatter_that_overwrites}, 'value', 'scatter_add', 1),
    ('turned kernel', {'conv': true_convolution}, 'value', 'conv', 0),
    ('padding at the front', {'pool': same_padding_at_the_front}, 'value', 'pool', 1),
    ('padding counted', {'pool': mean_that_counts_padding}, 'value', 'pool', 2),
    ('rounding', {'round': rounding_towards_zero}, 'value', 'round', 0),
    ('cast', {'cast': never_unsigned}, 'value', 'cast', 0),
    ('memory layout', {'tanh': only_contiguous}, 'layouts', 'tanh', 0),
    ('step', {'step': step_that_adds}, 'step', 'negative', 0),
    ('override', {'overrides': {'silu': lambda x: x / (1 + np.exp(-1.702 * x))}}, 'override', 'silu', 0),
    ('override in value', {'overrides': {'silu': lambda x: x / (1 + np.exp(-1.702 * x))}}, 'value', 'silu', 0),
    ('body over a wrong primitive', {'add': shifted_add}, 'value', 'simple_rnn_sequence', 0),
]


@pytest.mark.parametrize('methods, check, name, index', [planted[1:] for planted in PLANTED],
                         ids=[planted[0].replace(' ', '_') for planted in PLANTED])
def test_a_planted_error_is_caught(methods, check, name, index):
    check = getattr(harness, 'check_' + check)
    with harness.activated(wrong()):
        check(case(name, index))
    with harness.activated(wrong(**methods)):
        with pytest.raises(AssertionError):
            check(case(name, index))


class Derivative(Numpy):
    """Gradients by central differences, so that the gradient check itself can be tried out."""
    capabilities = Capabilities(gradients=True, dtypes=Numpy.capabilities.dtypes)
    factor = 1.0

    def value_and_grad(self, fn, variables):
        value, aux = fn()
        gradients = []
        for variable in variables:
            start = variable.numpy()
            gradient = np.zeros(start.shape, 'float32')
            for place in np.ndindex(*start.shape):
                values = []
                for sign in (1, -1):
                    moved = start.copy()
                    moved[place] += sign * 1e-2
                    variable.assign(moved)
                    values.append(float(fn()[0]))
                gradient[place] = self.factor * (values[0] - values[1]) / 2e-2
            variable.assign(start)
            gradients.append(gradient)
        return (value, aux), gradients


def test_a_wrong_gradient_is_caught():
    engine = Derivative()
    with harness.activated(engine):
        harness.check_gradient(case('multiply', 1))
        engine.factor = 1.01
        with pytest.raises(AssertionError, match='gradient of multiply'):
            harness.check_gradient(case('multiply', 1))


def test_a_rule_that_contradicts_the_engine_is_caught(monkeypatch):
    monkeypatch.setattr(TABLE['floor'], 'rule', lambda x: rules.AbstractTensor(x.shape, 'int32'))
    with pytest.raises(AssertionError):
        harness.check_value(case('floor'))


def test_a_rule_that_is_wrong_about_unknown_sizes_is_caught(monkeypatch):
    monkeypatch.setattr(TABLE['sign'], 'rule', lambda x: rules.AbstractTensor([size or 1 for size in x.shape], x.dtype))
    with pytest.raises(AssertionError):
        harness.check_unknown_sizes(case('sign'))


def test_an_expected_failure_is_strict():
    marked, plain = harness.parameters('value', [case('add', 0), case('add', 1)], {('value', 'add-0'): 'known'})
    assert not plain.marks
    assert marked.marks[0].name == 'xfail' and marked.marks[0].kwargs == {'reason': 'known', 'strict': True}
