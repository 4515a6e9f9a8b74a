"""What convolution and pooling promise on Theano and PyTensor beyond the contract."""
import numpy as np
import pytest

from keras.backend.contract.loading import engine_name

if engine_name() != 'theano':
    pytest.skip('tests of the theano engine (KERAS_BACKEND=theano)', allow_module_level=True)

from keras.backend.engines import numpy as reference  # noqa: E402
from keras.backend.engines.theano import windows  # noqa: E402
from keras.backend.engines.theano.compat import IS_THEANO, T, tensor_type, theano  # noqa: E402
from keras.backend.engines.theano.tensors import static_shape, with_shape  # noqa: E402

NUMPY = reference.ENGINE
needs_pytensor = pytest.mark.skipif(IS_THEANO, reason='Theano has operations of its own')


def variable(*shape):
    return with_shape(tensor_type('float64', shape)(), shape)


def array(*shape):
    return np.random.randn(*shape)


@pytest.mark.parametrize('stride', [1, 2])
def test_one_function_for_inputs_of_any_size(stride):
    x, kernel = variable(None, None, None, 2), array(3, 2, 2, 3)
    y = windows.conv(x, T.constant(kernel), (stride, stride), 'same', (1, 1))
    pooled = windows.pool(y, (3, 3), (2, 2), 'same', 'avg')
    function = theano.function([x], [y, pooled])
    for size in ((1, 5, 6, 2), (2, 8, 7, 2)):
        value = array(*size)
        expected = NUMPY.conv(value, kernel, (stride, stride), 'same', (1, 1))
        found = function(value)
        np.testing.assert_allclose(found[0], expected, atol=1e-10)
        np.testing.assert_allclose(found[1], NUMPY.pool(expected, (3, 3), (2, 2), 'same', 'avg'), atol=1e-10)


def test_transposed_convolution_of_unknown_sizes():
    x, kernel = variable(None, None, None, 2), array(3, 3, 4, 2)
    sizes = (x.shape[1] * 2, x.shape[2] * 2)
    function = theano.function([x], windows.conv_transpose(x, T.constant(kernel), (2, 2), 'same', (1, 1), sizes))
    value = array(2, 3, 4, 2)
    expected = NUMPY.conv_transpose(value, kernel, (2, 2), 'same', (1, 1), (6, 8))
    np.testing.assert_allclose(function(value), expected, atol=1e-10)


def test_static_shapes_of_composites_that_run_channels_first():
    if not IS_THEANO:
        pytest.skip('PyTensor runs channels last')
    x = variable(None, 2, 7, 6)
    y = windows.convolution(x, T.constant(array(3, 3, 2, 5)), 2, 'same', 'channels_first')
    assert static_shape(y) == (None, 5, 4, 3)
    assert static_shape(windows.max_pool(y, 2, None, 'valid', 'channels_first')) == (None, 5, 2, 1)
    with pytest.raises(ValueError, match='does not fit'):
        windows.max_pool(y, 5, None, 'valid', 'channels_first')


@needs_pytensor
@pytest.mark.parametrize('strides', [(1, 1), (2, 2)])
def test_second_derivatives(strides):
    x, kernel = variable(2, 5, 5, 2), variable(3, 3, 2, 3)
    y = windows.pool(windows.conv(x, kernel, strides, 'same', (1, 1)), (2, 2), (1, 1), 'valid', 'max')
    y = windows.pool(y, (2, 2), (1, 1), 'same', 'avg')
    penalty = T.sum(T.grad(T.sum(y ** 3), x) ** 2)
    function = theano.function([x, kernel], [penalty] + T.grad(penalty, [x, kernel]))
    values = [array(2, 5, 5, 2), array(3, 3, 2, 3)]
    gradients = function(*values)[1:]
    for position, gradient in enumerate(gradients):
        direction = array(*gradient.shape)
        ends = [[v + sign * 1e-6 * direction if i == position else v for i, v in enumerate(values)] for sign in (1, -1)]
        slope = (function(*ends[0])[0] - function(*ends[1])[0]) / 2e-6
        assert np.isclose(slope, np.sum(gradient * direction), rtol=1e-4)


@needs_pytensor
def test_gradient_of_a_maximum_goes_to_the_first_of_equal_elements():
    x = variable(1, 4, 4, 1)
    gradient = T.grad(T.sum(windows.pool(x, (2, 2), (2, 2), 'valid', 'max')), x)
    found = theano.function([x], gradient)(np.zeros((1, 4, 4, 1)))[0, :, :, 0]
    np.testing.assert_array_equal(found, [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]])


@needs_pytensor
def test_compiled_by_numba():
    x, kernel = variable(None, 6, 6, 2), variable(3, 3, 2, 3)
    y = windows.pool(windows.conv(x, kernel, (1, 1), 'same', (1, 1)), (2, 2), (2, 2), 'valid', 'max')
    outputs = [y] + T.grad(T.sum(y ** 2), [x, kernel])
    values = array(2, 6, 6, 2), array(3, 3, 2, 3)
    expected = theano.function([x, kernel], outputs)(*values)
    for a, b in zip(theano.function([x, kernel], outputs, mode='NUMBA')(*values), expected):
        np.testing.assert_allclose(a, b, rtol=1e-10)
