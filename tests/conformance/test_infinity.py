"""Infinities and poles: what NumPy gives, also inside of a compiled step."""
import numpy as np
import pytest

from keras import ops
from keras.backend.contract.loading import engine_name, get_engine

INF = np.inf
X = np.array([[-INF, 1.0, 2.0], [INF, -1.0, 0.0], [-INF, -INF, -INF], [INF, 0.0, 3.0]], 'float32')
FINITE = np.array([[0.0, 1.0, 2.0], [-3.0, -1.0, 0.5]], 'float32')


def _log_sum(x):
    largest = x.max(-1, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    return np.log(np.exp(x - largest).sum(-1)) + largest[..., 0]


CASES = {
    'log': (ops.log, np.log, FINITE), 'log1p': (ops.log1p, np.log1p, FINITE - 1), 'sqrt': (ops.sqrt, np.sqrt, FINITE),
    'sqrt of none': (ops.sqrt, np.sqrt, X * 0), 'rsqrt': (ops.rsqrt, lambda x: 1 / np.sqrt(x), FINITE),
    'reciprocal': (ops.reciprocal, lambda x: 1 / x, FINITE), 'ratio': (lambda x: x / x, lambda x: x / x, FINITE),
    'by 0': (lambda x: x / 0.0, lambda x: x / np.float32(0), FINITE),
    'power': (lambda x: ops.power(x, -1.0), lambda x: np.power(x, np.float32(-1)), FINITE),
    'logsumexp': (lambda x: ops.logsumexp(x, axis=-1), _log_sum, X[[0, 2]]), 'round': (ops.round, np.round, X),
    'erf': (lambda x: ops.erf(x * INF), np.sign, FINITE[:, 1:2]),
    'max': (lambda x: ops.max(x, -1), lambda x: x.max(-1), X),
    'sort': (lambda x: ops.sort(x, axis=-1), lambda x: np.sort(x, -1), X),
    'masked': (lambda x: ops.where(x > 0, x, -INF), lambda x: np.where(x > 0, x, -INF), FINITE),
    'padded': (lambda x: ops.pad(x, ((0, 0), (1, 1)), constant_values=-INF),
               lambda x: np.pad(x, ((0, 0), (1, 1)), constant_values=-INF), FINITE),
    'replaced': (lambda x: ops.scatter_update(x, np.array([[0]]), np.ones((1, 3), 'float32')),
                 lambda x: np.concatenate([np.ones((1, 3)), x[1:]]), X),
}


@pytest.mark.parametrize('case', sorted(CASES))
def test_values(case):
    function, expected, x = CASES[case]
    engine = get_engine()
    with np.errstate(all='ignore'):
        expected = expected(x)
    for run in (function, engine.step(function, [], [])):
        found = engine.to_numpy(run(engine.convert(x)))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(engine_name() == 'mxnet', reason='MXNet adds with a correction, which infinity makes no number')
def test_sums():
    found = ops.convert_to_numpy(ops.sum(ops.convert_to_tensor(X[[0, 2]]), -1))
    np.testing.assert_array_equal(found, [-INF, -INF])
    found = ops.convert_to_numpy(ops.logsumexp(ops.convert_to_tensor(np.abs(X)), -1))
    np.testing.assert_array_equal(found, [INF] * 4)


@pytest.mark.skipif(engine_name() == 'cntk', reason="CNTK's ReLU is a product with 0, which makes -inf no number")
def test_relu():
    found = ops.convert_to_numpy(ops.relu(ops.convert_to_tensor(X)))
    np.testing.assert_array_equal(found, np.maximum(X, 0))


@pytest.mark.skipif(engine_name() == 'numpy', reason='it has no gradients')
def test_the_gradient_of_the_logarithm_below_zero():
    engine = get_engine()
    x = np.array([-2.0, -1.0, 2.0, 4.0], 'float32')
    step = engine.step(lambda t: engine.gradients(lambda u: (ops.sum(ops.log(u)), ()), [t])[1][0], [], [])
    np.testing.assert_allclose(engine.to_numpy(step(engine.convert(x))), 1 / x, rtol=1e-6)
