"""Activations, softmax, normalization and cross-entropies against NumPy and SciPy expressions."""
import numpy as np
import pytest
from scipy import special

from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import to_array
from keras.backend.table.composites import losses, nn

GENERATOR = np.random.RandomState(5)
X = (GENERATOR.randn(4, 6) * 3).astype('float32')
EXTREME = np.array([-1e4, -90.0, -1.0, 0.0, 1.0, 90.0, 1e4], 'float32')


def close(found, expected, tolerance=2e-6):
    found = to_array(found)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=tolerance)


ACTIVATIONS = [
    ('relu', {}, lambda x: np.maximum(x, 0)), ('relu', {'negative_slope': 0.1}, lambda x: np.where(x > 0, x, 0.1 * x)),
    ('relu', {'max_value': 1.0}, lambda x: np.clip(x, 0, 1)),
    ('relu', {'threshold': 1.0}, lambda x: np.where(x > 1, x, 0)),
    ('relu', {'negative_slope': 0.2, 'max_value': 2.0, 'threshold': 0.5},
     lambda x: np.where(x >= 2, 2.0, np.where(x > 0.5, x, 0.2 * (x - 0.5)))),
    ('leaky_relu', {}, lambda x: np.where(x > 0, x, 0.2 * x)), ('relu6', {}, lambda x: np.clip(x, 0, 6)),
    ('elu', {'alpha': 0.7}, lambda x: np.where(x > 0, x, 0.7 * np.expm1(np.minimum(x, 0)))),
    ('selu', {}, lambda x: 1.05070098 * np.where(x > 0, x, 1.67326324 * np.expm1(np.minimum(x, 0)))),
    ('celu', {'alpha': 2.0}, lambda x: np.maximum(x, 0) + 2 * np.expm1(np.minimum(x, 0) / 2)),
    ('gelu', {'approximate': False}, lambda x: x * special.ndtr(x)),
    ('gelu', {}, lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x.astype('float64') ** 3)))),
    ('sigmoid', {}, special.expit), ('silu', {}, lambda x: x * special.expit(x)),
    ('hard_sigmoid', {}, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    ('hard_sigmoid_keras2', {}, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    ('hard_silu', {}, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)), ('hard_tanh', {}, lambda x: np.clip(x, -1, 1)),
    ('softplus', {}, lambda x: np.logaddexp(x, 0)), ('log_sigmoid', {}, lambda x: -np.logaddexp(-x, 0)),
    ('softsign', {}, lambda x: x / (1 + np.abs(x))), ('tanh_shrink', {}, lambda x: x - np.tanh(x)),
    ('soft_shrink', {}, lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)),
    ('hard_shrink', {}, lambda x: np.where(np.abs(x) > 0.5, x, 0)),
    ('threshold', {'threshold': 0.5, 'default_value': -1.0}, lambda x: np.where(x > 0.5, x, -1.0)),
    ('squareplus', {}, lambda x: (x + np.sqrt(x * x + 4)) / 2),
    ('sparse_plus', {}, lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x))),
    ('sparse_sigmoid', {}, lambda x: np.clip((x + 1) / 2, 0, 1)),
]


@pytest.mark.parametrize('name,arguments,expected', ACTIVATIONS, ids=lambda part: part if isinstance(part, str) else '')
def test_activations(name, arguments, expected):
    close(getattr(nn, name)(X, **arguments), expected(X), 1e-5)
    with np.errstate(over='ignore'):
        found = to_array(getattr(nn, name)(EXTREME, **arguments))
    assert np.isfinite(found).all()
    # squareplus takes squares, so that 1e4 costs it digits.
    np.testing.assert_allclose(found, expected(EXTREME.astype('float64')), rtol=1e-5, atol=2e-3)


def test_glu():
    close(nn.glu(X, -1), X[:, :3] * special.expit(X[:, 3:]))


@pytest.mark.parametrize('axis', [-1, 0, (0, 1)])
def test_softmax(axis):
    close(nn.softmax(X, axis), special.softmax(X, axis))
    close(nn.log_softmax(X, axis), special.log_softmax(X, axis), 1e-5)
    assert np.isfinite(to_array(nn.softmax(EXTREME))).all()


def test_sparsemax_projects_onto_the_simplex():
    found = to_array(nn.sparsemax(X))
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)
    assert (found >= 0).all()
    close(nn.sparsemax(np.array([0.5, 0.3, -1.0], 'float32')), [0.6, 0.4, 0.0])


def test_linear_contracts_the_last_axis():
    x = GENERATOR.randn(2, 3, 4).astype('float32')
    kernel, bias = GENERATOR.randn(4, 5).astype('float32'), GENERATOR.randn(5).astype('float32')
    close(nn.linear(x, kernel, bias), np.dot(x, kernel) + bias, 1e-5)
    close(nn.linear(x[0], kernel), np.dot(x[0], kernel), 1e-5)
    assert nn.linear(KerasTensor((None, None, 4)), kernel, bias).shape == (None, None, 5)
    with pytest.raises(ValueError, match=r'\(2, 3, 4\)'):
        nn.linear(x, kernel.T, bias)


def test_batch_normalization():
    x = GENERATOR.randn(3, 4, 5).astype('float32')
    gamma, beta = GENERATOR.rand(4).astype('float32'), GENERATOR.randn(4).astype('float32')
    mean, variance = x.mean((0, 2)), x.var((0, 2))
    column = (slice(None), None)
    expected = (x - mean[column]) / np.sqrt(variance[column] + 1e-3) * gamma[column] + beta[column]
    close(nn.batch_normalization(x, mean, variance, 1, beta, gamma), expected, 1e-5)
    output, found_mean, found_variance = nn.batch_normalization_train(x, 1, beta, gamma)
    close(output, expected, 1e-5)
    close(found_mean, mean)
    close(found_variance, variance)


def test_layer_and_rms_normalization():
    x = GENERATOR.randn(3, 4, 5).astype('float32')
    gamma, beta = GENERATOR.rand(4).astype('float32'), GENERATOR.randn(4).astype('float32')
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-3)
    close(nn.layer_normalization(x, gamma, beta, 1), expected * gamma[:, None] + beta[:, None], 1e-5)
    close(nn.rms_normalization(x, None, -1, 1e-6), x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6), 1e-5)


def test_moments_and_embedding():
    mean, variance = nn.moments(X, 0)
    close(mean, X.mean(0))
    close(variance, X.var(0), 1e-5)
    close(nn.embedding(np.array([[0, 2]]), X), X[np.array([[0, 2]])])
    close(nn.embedding(np.array([1.0, 3.0], 'float32'), X), X[[1, 3]])


# --- cross-entropies --------------------------------------------------------------------------------------------

PROBABILITIES = special.softmax(X, -1).astype('float32')
CLASSES = np.array([0, 5, 2, 3], 'int32')


def test_categorical_crossentropy():
    target = np.eye(6, dtype='float32')[CLASSES]
    expected = -special.log_softmax(X, -1)[np.arange(4), CLASSES]
    close(losses.categorical_crossentropy(target, X, True), expected, 1e-5)
    close(losses.categorical_crossentropy(target, PROBABILITIES), expected, 1e-5)
    close(losses.categorical_crossentropy(target.T, PROBABILITIES.T * 3, False, 0), expected, 1e-5)
    close(losses.sparse_categorical_crossentropy(CLASSES, X, True), expected, 1e-5)
    close(losses.sparse_categorical_crossentropy(CLASSES[:, None].astype('float32'), PROBABILITIES), expected, 1e-5)
    close(losses.sparse_categorical_crossentropy(CLASSES[None], X.T[None], True, 1), expected[None], 1e-5)


def test_certain_and_wrong_predictions_stay_finite():
    certain = np.array([[1.0, 0.0]], 'float32')
    close(losses.categorical_crossentropy(certain[:, ::-1], certain), [-np.log(1e-7)], 1e-3)
    close(losses.sparse_categorical_crossentropy([1], certain), [-np.log(1e-7)], 1e-3)
    close(losses.binary_crossentropy(1.0 - certain, certain), [[-np.log(1.1920929e-7), -np.log(1e-7)]], 1e-3)
    assert np.isfinite(to_array(losses.binary_crossentropy(np.ones(7, 'float32'), EXTREME, True))).all()


def test_binary_crossentropy():
    target = GENERATOR.rand(4, 6).astype('float32')
    expected = -(target * special.log_expit(X) + (1 - target) * special.log_expit(-X)) if hasattr(
        special, 'log_expit') else target * np.logaddexp(0, -X) + (1 - target) * np.logaddexp(0, X)
    close(losses.binary_crossentropy(target, X, True), expected, 1e-5)
    close(losses.binary_crossentropy(target, special.expit(X)), expected, 1e-4)


def test_ctc_loss_is_the_sum_over_all_alignments():
    import itertools
    logits = GENERATOR.randn(2, 4, 3).astype('float32')
    targets, lengths = np.array([[1, 2], [1, 1]]), np.array([4, 4])
    logs = special.log_softmax(logits, -1)
    for sample in range(2):
        total = -np.inf
        for path in itertools.product(range(3), repeat=4):
            labels = [label for index, label in enumerate(path) if label and (not index or path[index - 1] != label)]
            if labels == targets[sample].tolist():
                total = np.logaddexp(total, logs[sample, np.arange(4), list(path)].sum())
        found = to_array(losses.ctc_loss(targets, logits, np.array([2, 2]), lengths))[sample]
        np.testing.assert_allclose(found, -total, rtol=1e-4)
    shorter = to_array(losses.ctc_loss(targets[:1], logits[:1], np.array([1]), np.array([2])))
    paths = [(1, 1), (0, 1), (1, 0)]
    expected = -np.logaddexp.reduce([logs[0, 0, a] + logs[0, 1, b] for a, b in paths])
    np.testing.assert_allclose(shorter, expected, rtol=1e-4)
