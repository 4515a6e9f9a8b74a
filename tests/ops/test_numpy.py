"""keras.ops.numpy against NumPy."""
import numpy as np
import pytest

from keras import ops
from keras.backend.graph.tensors import KerasTensor

GENERATOR = np.random.RandomState(1337)
X = GENERATOR.randn(3, 4).astype('float32')
Y = GENERATOR.randn(3, 4).astype('float32')
P = GENERATOR.rand(3, 4).astype('float32') + 0.1
CUBE = GENERATOR.randn(2, 3, 4).astype('float32')
VECTOR = GENERATOR.randn(4).astype('float32')
INTEGERS = GENERATOR.randint(1, 30, (3, 4)).astype('int32')
MORE = GENERATOR.randint(1, 30, (3, 4)).astype('int32')
HOLES = np.where(GENERATOR.rand(3, 4) < 0.3, np.nan, X).astype('float32')
HOLES[1] = np.nan
EXTREME = np.array([0.5, np.nan, np.inf, -np.inf, -2.0], 'float32')

# (function, positional arguments, keyword arguments); NumPy's function of the same name gives the expected value.
SAME_AS_NUMPY = [
    ('absolute', (X,), {}), ('add', (X, VECTOR), {}), ('all', (X > 0,), {'axis': 1}), ('any', (X > 1,), {'axis': 0}),
    ('allclose', (X, X + 1e-9), {}), ('amax', (X,), {'axis': 0}), ('amin', (X,), {'axis': 1, 'keepdims': True}),
    ('append', (X, Y), {'axis': 1}), ('append', (X, VECTOR), {}), ('arange', (2, 9, 3), {}), ('arange', (5,), {}),
    ('arccos', (P / 2,), {}), ('arccosh', (P + 1,), {}), ('arcsin', (P / 2,), {}), ('arcsinh', (X,), {}),
    ('arctan', (X,), {}), ('arctan2', (X, Y), {}), ('arctanh', (P / 2,), {}), ('argmax', (X,), {}),
    ('argmax', (CUBE,), {'axis': 1, 'keepdims': True}), ('argmin', (X,), {'axis': -1}), ('argmin', (CUBE,), {}),
    ('argsort', (X,), {}), ('array', ([[1.0, 2.0]],), {}), ('average', (X,), {'axis': 1, 'weights': VECTOR ** 2}),
    ('average', (X,), {}), ('bartlett', (6,), {}), ('blackman', (6,), {}), ('hamming', (7,), {}), ('hanning', (7,), {}),
    ('kaiser', (6, 3.0), {}), ('bincount', (INTEGERS[0],), {}),
    ('bincount', (INTEGERS[0],), {'weights': VECTOR, 'minlength': 40}), ('bitwise_and', (INTEGERS, MORE), {}),
    ('bitwise_or', (INTEGERS, MORE), {}), ('bitwise_xor', (INTEGERS, MORE), {}), ('bitwise_not', (INTEGERS,), {}),
    ('left_shift', (INTEGERS, 2), {}), ('right_shift', (INTEGERS, 1), {}), ('broadcast_to', (VECTOR, (3, 4)), {}),
    ('cbrt', (X,), {}), ('ceil', (X,), {}), ('clip', (X, -0.5, 0.5), {}), ('concatenate', ([X, Y],), {}),
    ('corrcoef', (X,), {}), ('correlate', (VECTOR, VECTOR[:3]), {'mode': 'full'}),
    ('correlate', (VECTOR, VECTOR[:2]), {'mode': 'same'}), ('correlate', (VECTOR, VECTOR[:3]), {}), ('cos', (X,), {}),
    ('correlate', (VECTOR[:3], VECTOR), {'mode': 'same'}), ('cosh', (X,), {}), ('count_nonzero', (INTEGERS % 3,), {}),
    ('cross', (X[:, :3], Y[:, :3]), {}), ('cross', (X[:, :2], Y[:, :3]), {}), ('cumprod', (X,), {'axis': 1}),
    ('cumsum', (X,), {}), ('cumsum', (X,), {'axis': 0}), ('deg2rad', (X,), {}), ('rad2deg', (X,), {}),
    ('diag', (VECTOR, 1), {}), ('diag', (X, -1), {}), ('diagflat', (X[:2, :2],), {}), ('diagonal', (CUBE, 1, 1, 2), {}),
    ('diff', (X,), {}), ('diff', (X, 2, 0), {}), ('digitize', (X, np.array([-1.0, 0.0, 0.5], 'float32')), {}),
    ('divide', (X, P), {}), ('dot', (X, CUBE.transpose(0, 2, 1)), {}), ('dot', (X, VECTOR), {}),
    ('dstack', ([X, Y],), {}),
    ('equal', (INTEGERS, MORE), {}), ('exp', (X,), {}), ('exp2', (X,), {}), ('expand_dims', (X, 1), {}),
    ('expm1', (X * 1e-4,), {}), ('eye', (3,), {'k': 1}), ('flip', (CUBE,), {}), ('flip', (CUBE,), {'axis': 1}),
    ('fliplr', (X,), {}), ('flipud', (X,), {}), ('floor', (X,), {}), ('floor_divide', (X, P), {}),
    ('fmax', (EXTREME, 1.0), {}), ('fmin', (EXTREME, 1.0), {}), ('fmod', (X, P), {}), ('full', ((2, 3), 1.5), {}),
    ('full_like', (X, 2.0), {}), ('gcd', (INTEGERS, MORE), {}), ('lcm', (INTEGERS, MORE), {}),
    ('geomspace', (1.0, 100.0, 5), {}), ('greater', (X, Y), {}), ('greater_equal', (INTEGERS, 10), {}),
    ('heaviside', (np.array([-1.0, 0.0, 2.0], 'float32'), 0.5), {}), ('histogram', (X[0],), {'bins': 4}),
    ('histogram', (X[0],), {'bins': 3, 'range': (-1.0, 1.0)}), ('hstack', ([X, Y],), {}),
    ('hstack', ([VECTOR, VECTOR],), {}),
    ('hypot', (X, Y), {}), ('i0', (X * 3,), {}), ('identity', (3,), {}), ('inner', (X, Y), {}),
    ('isclose', (X, X + 1e-9), {}), ('isclose', (EXTREME, EXTREME), {'equal_nan': True}), ('isfinite', (EXTREME,), {}),
    ('isin', (INTEGERS, MORE), {}), ('isinf', (EXTREME,), {}), ('isnan', (EXTREME,), {}), ('isneginf', (EXTREME,), {}),
    ('isposinf', (EXTREME,), {}), ('kron', (X, Y[:2]), {}), ('ldexp', (X, INTEGERS % 4), {}), ('less', (X, Y), {}),
    ('less_equal', (INTEGERS, 10), {}), ('linspace', (-1.0, 2.0, 7), {}), ('linspace', (0.0, VECTOR, 3), {'axis': -1}),
    ('linspace', (0.0, 1.0, 4), {'endpoint': False, 'retstep': True}), ('log', (P,), {}), ('log10', (P,), {}),
    ('log1p', (P * 1e-5,), {}), ('log2', (P,), {}), ('logaddexp', (X, Y), {}), ('logaddexp2', (X, Y), {}),
    ('logical_and', (X > 0, Y > 0), {}), ('logical_not', (X > 0,), {}), ('logical_or', (X > 0, Y > 0), {}),
    ('logical_xor', (X > 0, Y > 0), {}), ('logspace', (0.0, 2.0, 4), {}), ('matmul', (X, Y.T), {}), ('max', (X,), {}),
    ('maximum', (X, 0.1), {}), ('mean', (CUBE,), {'axis': (0, 2)}), ('mean', (INTEGERS,), {}), ('median', (X,), {}),
    ('median', (CUBE,), {'axis': (0, 1), 'keepdims': True}), ('min', (X,), {'axis': 0}), ('minimum', (X, Y), {}),
    ('mod', (X, P), {}), ('moveaxis', (CUBE, 0, -1), {}), ('multiply', (X, 2.5), {}), ('nan_to_num', (EXTREME,), {}),
    ('nan_to_num', (EXTREME,), {'nan': 1.0, 'posinf': 2.0, 'neginf': 3.0}), ('nancumsum', (HOLES,), {'axis': 1}),
    ('nancumprod', (HOLES,), {}), ('nanmax', (HOLES,), {'axis': 1}), ('nanmin', (HOLES,), {}),
    ('nanmean', (HOLES,), {'axis': 0}), ('nanmedian', (HOLES,), {'axis': 1}), ('nanprod', (HOLES,), {'axis': 1}),
    ('nanquantile', (HOLES, 0.3), {'axis': 0, 'keepdims': True}),
    ('nanpercentile', (HOLES, np.array([20.0, 50.0])), {}),
    ('nanstd', (HOLES,), {}), ('nansum', (HOLES,), {'axis': 0}), ('nanvar', (HOLES,), {'axis': 0}),
    ('negative', (X,), {}),
    ('nonzero', (INTEGERS % 3,), {}), ('not_equal', (INTEGERS, MORE), {}), ('ones', ((2, 3),), {}),
    ('ones_like', (X,), {}),
    ('outer', (X, VECTOR), {}), ('pad', (X, 1), {}), ('pad', (X, ((1, 2), (0, 1))), {'mode': 'reflect'}),
    ('pad', (X, (1, 2)), {'mode': 'symmetric'}), ('pad', (X, 2), {'mode': 'edge'}),
    ('pad', (X, ((0, 1), (1, 0))), {'mode': 'constant', 'constant_values': 3.0}), ('percentile', (X, 30.0), {}),
    ('power', (P, X), {}), ('prod', (X,), {'axis': 0}), ('ptp', (X,), {'axis': 1}),
    ('quantile', (X, np.array([0.1, 0.6])), {'axis': 1}), ('quantile', (X, 0.3), {'method': 'lower'}),
    ('quantile', (X, 0.3), {'method': 'higher', 'axis': 0}), ('quantile', (X, 0.35), {'method': 'midpoint'}),
    ('quantile', (X, 0.33), {'method': 'nearest'}), ('ravel', (X,), {}), ('reciprocal', (P,), {}),
    ('repeat', (X, 2), {}),
    ('repeat', (X, [1, 0, 2]), {'axis': 0}), ('reshape', (X, (2, -1)), {}), ('roll', (X, 2), {}),
    ('roll', (X, (1, -1)), {'axis': (0, 1)}), ('rot90', (X,), {}), ('rot90', (X, 3), {}),
    ('rot90', (CUBE, 2, (1, 2)), {}),
    ('round', (X,), {}), ('round', (X, 1), {}), ('select', ([X > 1, X > 0], [X, Y]), {'default': 7.0}),
    ('sign', (X,), {}),
    ('searchsorted', (np.array([0.0, 1.0, 2.0], 'float32'), VECTOR), {}), ('signbit', (X,), {}), ('sin', (X,), {}),
    ('sinc', (np.array([-1.5, 0.0, 0.3], 'float32'),), {}), ('sinh', (X,), {}), ('size', (CUBE,), {}),
    ('sort', (X, 0), {}),
    ('split', (X, 2), {'axis': 1}), ('split', (X, [1, 3]), {'axis': 1}), ('array_split', (X, 3), {'axis': 1}),
    ('hsplit', (X, 2), {}), ('vsplit', (X, 3), {}), ('dsplit', (CUBE, 2), {}), ('sqrt', (P,), {}), ('square', (X,), {}),
    ('squeeze', (X[None, :, :, None],), {}), ('squeeze', (X[None],), {'axis': 0}), ('stack', ([X, Y],), {'axis': 1}),
    ('std', (X,), {'axis': 0}), ('subtract', (X, Y), {}), ('sum', (CUBE,), {'axis': (0, 1)}),
    ('swapaxes', (CUBE, 0, 2), {}),
    ('take', (X, [2, -1], 0), {}), ('take', (X, np.array([[0, 5], [11, 2]])), {}), ('tan', (X,), {}),
    ('tanh', (X,), {}),
    ('take_along_axis', (X, INTEGERS % 4, 1), {}), ('take_along_axis', (X, INTEGERS[:2] % 3, 0), {}),
    ('tensordot', (CUBE, X, ((1, 2), (0, 1))), {}), ('tensordot', (CUBE, Y, 2), {}), ('tile', (X, (2, 1, 3)), {}),
    ('tile', (X, 2), {}), ('trace', (CUBE,), {'axis1': 1, 'axis2': 2}), ('transpose', (CUBE,), {}),
    ('tri', (3, 4, 1), {}),
    ('transpose', (CUBE, (1, 0, 2)), {}), ('trapezoid', (X,), {'dx': 0.5}), ('trapezoid', (X, VECTOR), {}),
    ('tril', (X,), {}), ('triu', (CUBE, 1), {}), ('trunc', (X,), {}), ('unravel_index', (INTEGERS, (4, 4, 4)), {}),
    ('unique', (INTEGERS,), {}), ('unique', (INTEGERS,), {'return_counts': True, 'return_inverse': True}),
    ('vander', (VECTOR,), {}), ('vander', (VECTOR, 3), {'increasing': True}), ('var', (CUBE,), {'axis': 1}),
    ('vdot', (X, Y), {}), ('vstack', ([VECTOR, X],), {}), ('where', (X > 0, X, Y), {}), ('zeros_like', (X,), {}),
    ('empty_like', (X,), {'dtype': 'int32'}), ('zeros', ((2,),), {'dtype': 'int32'}), ('fabs', (X,), {}),
    ('true_divide', (INTEGERS, MORE), {}), ('argpartition', (X, 1), {}), ('angle', (X,), {}),
    ('meshgrid', (VECTOR, X[0, :2]), {}),
    ('meshgrid', (VECTOR, X[0, :2], X[1, :3]), {'indexing': 'ij'}),
]


def _arrays(result):
    if isinstance(result, (list, tuple)):
        return [ops.convert_to_numpy(part) for part in result]
    return [ops.convert_to_numpy(result)]


@pytest.mark.parametrize('case', SAME_AS_NUMPY, ids=lambda case: case[0])
def test_same_as_numpy(case):
    name, args, kwargs = case
    with np.errstate(all='ignore'):
        reference = getattr(np, name, None) or {'trapezoid': getattr(np, 'trapz', None)}[name]
        try:
            expected = reference(*args, **kwargs)
        except TypeError:
            pytest.skip('this NumPy is too old to know the arguments')
    found = _arrays(getattr(ops, name)(*args, **kwargs))
    expected = [np.asarray(part) for part in (expected if isinstance(expected, (list, tuple)) else [expected])]
    if name == 'argpartition':
        np.testing.assert_allclose(np.take_along_axis(X, found[0], -1)[:, 1], np.sort(X, -1)[:, 1])
        return
    assert len(found) == len(expected)
    if name == 'unique' and len(found) > 1:  # before NumPy 2 the numbers of the elements stood in one row
        expected[1] = expected[1].reshape(args[0].shape)
    for one, other in zip(found, expected):
        assert one.shape == other.shape
        if name != 'empty_like':  # NumPy's has what was in the memory
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize('subscripts,shapes', [
    ('ij,jk->ik', [(2, 3), (3, 4)]), ('bij,bjk', [(2, 3, 4), (2, 4, 5)]), ('...ij,kj->...ik', [(5, 2, 3), (4, 3)]),
    ('ij->', [(2, 3)]), ('iij->ij', [(3, 3, 2)]), ('ab,bc,cd->da', [(2, 3), (3, 4), (4, 5)]), ('i,j->ij', [(2,), (3,)]),
    ('btnh,bsnh->bnts', [(2, 3, 4, 5), (2, 6, 4, 5)]), ('ij,ij->i', [(2, 3), (2, 3)]), ('ij,k->j', [(2, 3), (4,)]),
    ('b...,b...->b...', [(2, 3, 4), (2, 3, 4)])])
def test_einsum(subscripts, shapes):
    operands = [GENERATOR.randn(*shape).astype('float32') for shape in shapes]
    found = ops.convert_to_numpy(ops.einsum(subscripts, *operands))
    np.testing.assert_allclose(found, np.einsum(subscripts, *operands), rtol=1e-4, atol=1e-5)


def test_einsum_with_too_few_letters_says_so():
    with pytest.raises(ValueError, match='letters'):
        ops.einsum('ij,jk->ik', X, CUBE)
    with pytest.raises(ValueError, match='operands'):
        ops.einsum('ij->i', X, Y)
    with pytest.raises(ValueError, match='no operand'):
        ops.einsum('ij->k', X)


@pytest.mark.parametrize('key', [
    0, -1, slice(1, None), slice(None, None, 2), (slice(None), 2), (Ellipsis, 1), (None, 1), (slice(None), None, 3),
    (1, slice(0, 3), -2), (slice(None), slice(2, 0, -1)), (0, Ellipsis, None), [2, 0], (slice(None), [1, 1, 3]),
    (1, 2, 3)],
    ids=str)
def test_get_item(key):
    x = GENERATOR.randn(4, 5, 6).astype('float32')
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.get_item(x, key)), x[key])


def test_get_item_of_symbolic_tensors():
    x = KerasTensor((None, 4, 5))
    assert x[:, 0].shape == (None, 5)
    assert x[0].shape == (4, 5)
    assert x[..., None, :2].shape == (None, 4, 1, 2)
    assert x[1:].shape == (None, 4, 5)
    with pytest.raises(IndexError, match='out of range for axis 1'):
        x[:, 4]
    with pytest.raises(IndexError, match='4 indices'):
        x[0, 0, 0, 0]
    with pytest.raises(TypeError, match='booleans'):
        x[np.array([True, False])]


def test_shape_of_symbolic_tensors_has_none():
    assert ops.shape(KerasTensor((None, 3))) == (None, 3)
    assert ops.size(KerasTensor((None, 3))).shape == ()


@pytest.mark.parametrize('function', [
    lambda x: ops.mean(x, axis=0), lambda x: ops.flip(x), lambda x: ops.tile(x, (2, 1, 1)),
    lambda x: ops.repeat(x, 2, 0), lambda x: ops.roll(x, 1, 1), lambda x: ops.median(x, axis=1),
    lambda x: ops.einsum('bij,bik->bjk', x, x),
    lambda x: ops.tensordot(x, x, ((0, 1), (0, 1))), lambda x: ops.tril(x), lambda x: ops.cumsum(x),
    lambda x: ops.reshape(x, (-1, 12)), lambda x: ops.expand_dims(x, (0, -1)), lambda x: ops.var(x, axis=(0, 1)),
    lambda x: ops.take_along_axis(x, ops.argsort(x, axis=0), 0), lambda x: ops.stack([x, x], 1)], ids=range(15))
def test_unknown_batch_sizes(function):
    known, unknown = function(KerasTensor((6, 3, 4))), function(KerasTensor((None, 3, 4)))
    found = ops.shape(function(ops.convert_to_tensor(GENERATOR.randn(6, 3, 4).astype('float32'))))
    assert known.shape == found
    assert len(unknown.shape) == len(found)
    assert all(size in (None, other) for size, other in zip(unknown.shape, found))


@pytest.mark.on('numpy', 'torch')
def test_numbers_at_the_edge():
    """Infinities, NaN, zeros with a sign and sets of nothing count as they do for NumPy."""
    inf, nan = np.inf, np.nan
    x = np.array([0.0, -0.0, 3e38, -inf, inf, nan, 2.0], 'float32')
    with np.errstate(all='ignore'):
        for name in ('signbit', 'arcsinh', 'arccosh', 'median'):
            assert np.allclose(ops.convert_to_numpy(getattr(ops, name)(x)), getattr(np, name)(x), equal_nan=True)
        for name in ('hypot', 'heaviside'):
            found = ops.convert_to_numpy(getattr(ops, name)(x[:, None], x))
            assert np.allclose(found, getattr(np, name)(x[:, None], x), equal_nan=True, rtol=1e-5)
    assert ops.convert_to_numpy(ops.max(np.zeros((0, 2), 'float32'), axis=0, initial=-1.5)).tolist() == [-1.5, -1.5]
    assert ops.convert_to_numpy(ops.sort([[3, 1], [2, 0]], axis=None)).tolist() == [0, 1, 2, 3]
    assert ops.convert_to_numpy(ops.argsort([[3, 1], [2, 0]], axis=None)).tolist() == [3, 1, 2, 0]
    assert float(ops.nanquantile(np.array([-inf, 1.0, 2.0], 'float32'), 0.5)) == 1.0


@pytest.mark.on('numpy')
@pytest.mark.parametrize('array, axes', [(np.ones((2, 3)), (0, 0)), (np.ones((2, 3)), (1, -1)), (np.ones(3), (0, 1)),
                                         (KerasTensor((2, 3)), (0, -2))])
def test_turns_need_two_axes(array, axes):
    """As in NumPy: with one axis given twice the result would be no turn."""
    with pytest.raises(ValueError):
        ops.rot90(array, axes=axes)


@pytest.mark.on('numpy', 'jax', 'torch')
@pytest.mark.parametrize('name, number, expected', [
    ('greater', -5, [True, True]), ('equal', 256, [False, False]), ('maximum', -5, [0, 3]), ('minimum', 300, [0, 3]),
    ('add', 300, [300, 303]), ('not_equal', -253, [True, True])])
def test_numbers_that_narrow_integers_cannot_hold(name, number, expected):
    """They are not cut to the dtype of the tensor, where 256 would be 0."""
    x = np.array([0, 3], 'uint8')
    result = getattr(ops, name)(x, number)
    assert ops.convert_to_numpy(result).tolist() == expected
    symbolic = getattr(ops, name)(KerasTensor((2,), 'uint8'), number)
    assert symbolic.dtype == ops.convert_to_numpy(result).dtype.name
