"""Slopes at the places where functions are put together of pieces: 0, ties and ends. Values from calculus."""
import math

import numpy as np
import pytest

import keras
from keras import ops
from keras.backend.contract.loading import engine_name


pytestmark = pytest.mark.skipif(engine_name() == 'numpy', reason='NumPy has no gradients')

# (name, arguments, the slope by each)
SMOOTH = [
    ('arcsinh', (0.0,), (1,)), ('arcsinh', (1.0,), (math.sqrt(0.5),)), ('sinh', (0.0,), (1,)), ('tanh', (0.0,), (1,)),
    ('arctanh', (0.0,), (1,)), ('arctan', (0.0,), (1,)), ('expm1', (0.0,), (1,)), ('log1p', (0.0,), (1,)),
    ('erf', (0.0,), (2 / math.sqrt(math.pi),)), ('sigmoid', (0.0,), (0.25,)), ('softplus', (0.0,), (0.5,)),
    ('log_sigmoid', (0.0,), (0.5,)), ('softsign', (0.0,), (1,)), ('gelu', (0.0,), (0.5,)), ('silu', (0.0,), (0.5,)),
    ('elu', (0.0,), (1,)), ('celu', (0.0,), (1,)), ('squareplus', (0.0,), (0.5,)), ('tanh_shrink', (0.0,), (0,)),
    ('sinc', (0.0,), (0,)), ('cbrt', (8.0,), (1 / 12,)), ('square', (0.0,), (0,)),
    ('logaddexp', (0.0, 0.0), (0.5, 0.5)), ('logaddexp2', (0.0, 0.0), (0.5, 0.5)),
    ('logaddexp', (2.0, -50.0), (1, 0)), ('hypot', (3.0, 0.0), (1, 0)), ('hypot', (1.0, 1.0), (0.5 ** 0.5,) * 2),
    ('arctan2', (0.0, 1.0), (1, 0)), ('multiply', (0.0, 0.0), (0, 0)),
    ('softplus', (80.0,), (1,)), ('softplus', (-80.0,), (0,)), ('log_sigmoid', (-80.0,), (1,)),
    ('tanh', (80.0,), (0,)), ('arcsinh', (3e15,), (1 / 3e15,)), ('gelu', (30.0,), (1,)), ('gelu', (-30.0,), (0,)),
    ('divide_no_nan', (1.0, 0.0), (0, 0)), ('mish', (0.0,), (0.6,)), ('selu', (1.0,), (1.0507009873554805,)),
]


def slopes(function, arguments):
    variables = [keras.Variable(np.float32(one).reshape(1)) for one in arguments]
    _, found = keras.value_and_grad(lambda: ops.sum(function(*[v.value for v in variables])), variables)
    return [float(ops.convert_to_numpy(slope)[0]) for slope in found]


@pytest.mark.parametrize('name, arguments, expected', SMOOTH, ids=lambda x: x if isinstance(x, str) else None)
def test_slopes_of_smooth_functions(name, arguments, expected):
    function = getattr(ops, name, None) or getattr(keras.activations, name)
    np.testing.assert_allclose(slopes(function, arguments), expected, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize('loss, expected', [
    ('log_cosh', 0.0), ('huber', 0.0), ('mean_squared_error', 0.0)])
def test_losses_without_an_error_have_no_slope(loss, expected):
    function = getattr(keras.losses, loss)
    assert slopes(lambda y: function(ops.zeros((1,)), y), (0.0,)) == [expected]


@pytest.mark.parametrize('target', [0.0, 1.0])
@pytest.mark.parametrize('logit', [0.0, 40.0, -40.0])
def test_crossentropy_of_logits(target, logit):
    """The slope is sigmoid(logit) - target, also for the logits 0 of a layer that starts with zeros."""
    found = slopes(lambda y: keras.losses.binary_crossentropy(ops.full((1,), target), y, from_logits=True), (logit,))
    np.testing.assert_allclose(found, [1 / (1 + math.exp(-logit)) - target], rtol=1e-5, atol=1e-7)


def test_sums_of_nothing():
    minus, plus = np.float32(-np.inf), np.float32(np.inf)
    found = ops.logaddexp(np.array([minus, minus, plus, plus]), np.array([minus, np.float32(1), np.float32(1), plus]))
    assert ops.convert_to_numpy(found).tolist() == [minus, 1, plus, plus]


def test_lengths_of_nothing_have_finite_slopes():
    for function in (lambda x: ops.normalize(x, axis=-1), lambda x: keras.losses.cosine_similarity(x, x + 1.0)):
        assert np.isfinite(slopes(function, (0.0,))).all()
