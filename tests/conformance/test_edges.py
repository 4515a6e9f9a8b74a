"""Values at the edges: ties, signs, halves, infinities, overlaps, and decompositions checked by what they satisfy."""
import numpy as np
import pytest

from keras.backend.table import primitives as p

INF, NAN = np.inf, np.nan


def array(*values):
    return np.array(values, 'int32' if all(isinstance(value, int) for value in values) else 'float32')


EDGES = [
    (p.round, [array(0.5, 1.5, 2.5, -0.5, -1.5, 2.4)], [0, 2, 2, -0.0, -2, 2]),
    (p.floor, [array(-1.5, 1.5, -2.0)], [-2, 1, -2]),
    (p.sign, [array(-2.0, 0.0, 3.0)], [-1, 0, 1]),
    (p.sign, [array(-2, 0, 3)], [-1, 0, 1]),
    (p.abs, [array(-2, 0, 3)], [2, 0, 3]),
    (p.floor_divide, [array(7, -7, 7, -7), array(2, 2, -2, -2)], [3, -4, -4, 3]),
    (p.mod, [array(7, -7, 7, -7), array(3, 3, -3, -3)], [1, 2, -2, -1]),
    (p.mod, [array(7.5, -7.5, 7.5), array(2.0, 2.0, -2.0)], [1.5, 0.5, -0.5]),
    (p.floor_divide, [array(7.5, -7.5), array(2.0, 2.0)], [3, -4]),
    (p.isfinite, [array(1.0, INF, -INF, NAN)], [True, False, False, False]),
    (p.exp, [array(-INF, 0.0, 200.0)], [0, 1, INF]),
    (p.log, [array(0.0, 1.0, INF)], [-INF, 0, INF]),
    (p.sqrt, [array(0.0, 4.0, INF)], [0, 2, INF]),
    (p.tanh, [array(-INF, 0.0, 50.0)], [-1, 0, 1]),
    (p.erf, [array(-INF, 0.0, 9.0)], [-1, 0, 1]),
    (p.erfinv, [array(-1.0, 0.0, 1.0)], [-INF, 0, INF]),
    (p.divide, [array(1.0, -1.0, 0.0), array(0.0, 0.0, 0.0)], [INF, -INF, NAN]),
    (p.power, [array(2.0, 0.0, -2.0), array(-1.0, 0.0, 2.0)], [0.5, 1, 4]),
    (p.power, [array(2, 3, -2), array(3, 0, 3)], [8, 1, -8]),
    (p.maximum, [array(1.0, -INF), array(-1.0, INF)], [1, INF]),
    (p.arctan2, [array(0.0, 1.0, -1.0, 0.0), array(1.0, 0.0, 0.0, -1.0)], [0, np.pi / 2, -np.pi / 2, np.pi]),
    (p.equal, [array(1.0, NAN), array(1.0, NAN)], [True, False]),
    (p.less, [array(1, 2), array(2, 2)], [True, False]),
    (p.where, [np.array([True, False]), array(1.0, NAN), array(NAN, 2.0)], [1, 2]),
    (lambda x: p.cast(x, 'int32'), [array(1.9, -1.9, 0.0)], [1, -1, 0]),
    (lambda x: p.cast(x, 'bool'), [array(0.0, -0.5, 2.0)], [False, True, True]),
    (lambda x: p.cast(x, 'uint8'), [array(0, 255)], [0, 255]),
    (p.argmax, [array(1.0, 3.0, 3.0)], 1),
    (p.argmax, [array(-INF, -INF)], 0),
    (p.argsort, [array(2.0, 1.0, 2.0, 1.0)], [1, 3, 0, 2]),
    (lambda x: p.top_k(x, 2)[0], [array(3.0, 1.0, 3.0, 2.0)], [3, 3]),
    (lambda x: p.searchsorted(array(1.0, 2.0, 2.0, 3.0), x), [array(2.0, 0.0, 9.0)], [1, 0, 4]),
    (lambda x: p.searchsorted(array(1.0, 2.0, 2.0, 3.0), x, 'right'), [array(2.0, 0.0, 9.0)], [3, 0, 4]),
    (lambda x: p.sum(x, 0), [np.zeros((0, 2), 'float32')], [0, 0]),
    (lambda x: p.prod(x, 0), [np.zeros((0, 2), 'float32')], [1, 1]),
    (lambda x: p.sum(x, ()), [array(1.0, 2.0)], [1, 2]),
    (lambda x: p.max(x, -1), [np.array([[-INF, -INF], [1, NAN]], 'float32')[:1]], [-INF]),
    (p.bitwise_and, [array(-1, 6), array(5, 3)], [5, 2]),
    (p.right_shift, [array(-8, 9), array(1, 2)], [-4, 2]),
    (lambda x: p.strided_slice(x, (-2,), (None,), (1,)), [array(1.0, 2.0, 3.0)], [2, 3]),
    (lambda x: p.strided_slice(x, (3,), (0,), (-2,)), [array(0.0, 1.0, 2.0, 3.0)], [3, 1]),
    (lambda x: p.strided_slice(x, (2,), (9,), (1,)), [array(0.0, 1.0, 2.0, 3.0)], [2, 3]),
    (lambda x: p.strided_slice(x, (3,), (1,), (1,)), [array(0.0, 1.0, 2.0, 3.0)], []),
    (lambda x: p.gather(x, array(2, 0, 2)), [array(5.0, 6.0, 7.0)], [7, 5, 7]),
    (lambda x: p.scatter_update(x, array(2, 0), array(8.0, 9.0)), [array(5.0, 6.0, 7.0)], [9, 6, 8]),
    (lambda x: p.scatter_add(x, array(1, 1, 1), array(1.0, 2.0, 3.0)), [array(0.0, 0.0)], [0, 6]),
    (lambda x: p.cumsum(x, 0), [np.zeros((0,), 'float32')], []),
    (lambda x: p.matmul(x, np.zeros((0, 2), 'float32')), [np.zeros((3, 0), 'float32')], np.zeros((3, 2))),
]


@pytest.mark.parametrize('number', range(len(EDGES)))
def test_edge(engine, number):
    function, args, expected = EDGES[number]
    with np.errstate(all='ignore'):
        found = engine.to_numpy(function(*[engine.convert(arg) for arg in args]))
    assert found.shape == np.shape(expected)
    if found.dtype.kind in 'biu':
        assert found.tolist() == np.asarray(expected).tolist()
    else:
        assert np.allclose(found, expected, rtol=1e-6, atol=1e-6, equal_nan=True), found


def test_max_pooling_of_negative_numbers_does_not_see_the_padding(engine):
    x = engine.convert(np.full((1, 3, 3, 1), -5.0, 'float32'))
    assert np.all(engine.to_numpy(p.pool(x, (2, 2), (2, 2), 'same', 'max')) == -5)
    assert np.all(engine.to_numpy(p.pool(x, (2, 2), (2, 2), 'same', 'avg')) == -5)


MATRICES = np.random.RandomState(0).normal(size=(2, 4, 3)).astype('float32')


@pytest.mark.parametrize('x', [MATRICES, MATRICES[0], MATRICES.swapaxes(1, 2), MATRICES[1].T], ids=str)
def test_qr(engine, x):
    q, r = [engine.to_numpy(part) for part in p.qr(engine.convert(x))]
    inner = min(x.shape[-2:])
    assert q.shape == x.shape[:-1] + (inner,) and r.shape == x.shape[:-2] + (inner, x.shape[-1])
    assert np.allclose(q @ r, x, atol=1e-5)
    assert np.allclose(np.swapaxes(q, -1, -2) @ q, np.eye(inner), atol=1e-5)
    assert np.allclose(np.tril(r, -1), 0, atol=1e-6)


@pytest.mark.parametrize('x', [MATRICES, MATRICES[0], MATRICES.swapaxes(1, 2)], ids=str)
def test_svd(engine, x):
    u, s, v = [engine.to_numpy(part) for part in p.svd(engine.convert(x))]
    assert np.allclose(s, np.linalg.svd(x.astype('float64'), compute_uv=False), atol=1e-5)
    assert np.allclose((u * s[..., None, :]) @ v, x, atol=1e-5)


@pytest.mark.parametrize('x', [MATRICES, MATRICES[0]], ids=str)
def test_eigh(engine, x):
    x = np.swapaxes(x, -1, -2) @ x
    values, vectors = [engine.to_numpy(part) for part in p.eigh(engine.convert(x))]
    assert np.allclose(values, np.linalg.eigvalsh(x.astype('float64')), atol=1e-4)
    assert np.allclose(x @ vectors, vectors * values[..., None, :], atol=1e-4)


ERRORS = [
    (lambda: p.matmul(np.ones((2, 3), 'float32'), np.ones((4, 2), 'float32')), 'matmul: the last size of'),
    (lambda: p.add(np.ones((2, 3), 'float32'), np.ones((2,), 'float32')), 'add: shapes .* cannot be broadcast'),
    (lambda: p.reshape(np.ones((2, 3), 'float32'), (4, -1)), 'reshape: 6 elements'),
    (lambda: p.sum(np.ones((2, 3), 'float32'), 2), 'sum: axis 2 is out of bounds'),
    (lambda: p.concatenate([np.ones((2, 3), 'float32'), np.ones((3, 2), 'float32')], 0),
     'concatenate: shapes .* differ'),
    (lambda: p.conv(np.ones((1, 5, 3), 'float32'), np.ones((2, 4, 1), 'float32'), (1,), 'valid', (1,), 1),
     'conv: the input has 3 channels'),
    (lambda: p.pool(np.ones((1, 3, 1), 'float32'), (4,), (1,), 'valid', 'max'), 'pool: .*[Aa] window of 4'),
]


@pytest.mark.parametrize('number', range(len(ERRORS)))
def test_errors_name_the_operation_and_the_cause(engine, number):
    call, message = ERRORS[number]
    with pytest.raises((ValueError, TypeError), match=message):
        call()
