"""Operations that only Keras 3 has, and operations, functions and scopes of its graph, against NumPy and by hand."""
import numpy as np
import pytest
import scipy.ndimage

import keras
from keras import ops

GENERATOR = np.random.RandomState(1337)
IMAGES = GENERATOR.rand(2, 5, 6, 3).astype('float32')
ON_NUMPY = pytest.mark.on('numpy')
TRAINS = pytest.mark.on('torch', 'tensorflow', 'jax')


def close(actual, expected, tolerance=1e-5):
    actual = ops.convert_to_numpy(actual)
    assert actual.shape == np.shape(expected)
    assert np.allclose(actual, expected, rtol=tolerance, atol=tolerance)


# --- numbers

@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_complex_numbers():
    real, imaginary = GENERATOR.randn(2, 3).astype('float32')
    z = ops.view_as_complex(np.stack([real, imaginary], -1))
    close(ops.real(z), real)
    close(ops.imag(z), imaginary)
    close(ops.angle(z), np.angle(real + 1j * imaginary))
    close(ops.abs(z), np.hypot(real, imaginary))
    close(ops.view_as_real(ops.conj(z)), np.stack([real, -imaginary], -1))
    close(ops.view_as_real(ops.polar(ops.abs(z), ops.angle(z))), np.stack([real, imaginary], -1))
    assert ops.convert_to_numpy(ops.isreal(ops.view_as_complex([[1.0, 0.0], [1.0, 2.0]]))).tolist() == [True, False]


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_bits_of_floats():
    x = np.array([1.0, -2.0, 0.0, 3.0], 'float32')
    y = np.array([2.0, 1.0, 1.0, 3.0], 'float32')
    assert ops.convert_to_numpy(ops.nextafter(x, y)).tolist() == np.nextafter(x, y).tolist()
    assert ops.convert_to_numpy(ops.view(x, 'int32')).tolist() == x.view('int32').tolist()
    assert ops.convert_to_numpy(ops.view(x, 'uint8')).tolist() == x.view('uint8').tolist()
    assert ops.view(keras.KerasTensor((None, 4)), 'int16').shape == (None, 8)


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_eigenvalues_of_any_matrix():
    matrix = np.array([[0.0, 1.0], [-1.0, 0.0]], 'float32')
    values, vectors = map(ops.convert_to_numpy, ops.eig(matrix))
    assert np.allclose(sorted(values, key=lambda z: z.imag), [-1j, 1j], atol=1e-5)
    assert np.allclose(matrix.dot(vectors), vectors * values, atol=1e-5)


@ON_NUMPY
def test_rounding_to_tens():
    assert ops.round(np.array([15, 25, -15, 149]), -1).tolist() == np.round([15, 25, -15, 149], -1).tolist()
    close(ops.round(np.array([15.0, 149.0]), -1), [20.0, 150.0])


@ON_NUMPY
def test_decompositions_of_matrices_that_are_not_square():
    matrix = GENERATOR.randn(4, 3).astype('float32')
    q, r = ops.qr(matrix, mode='complete')
    assert q.shape == (4, 4) and r.shape == (4, 3)
    close(ops.matmul(q, r), matrix)
    close(ops.matmul(ops.transpose(q), q), np.eye(4))
    for x in (matrix, matrix.T):
        packed, pivots = map(ops.convert_to_numpy, ops.lu_factor(x))
        lower = np.tril(packed[:, :3], -1) + np.eye(len(x), 3)
        exchanged = x.copy()
        for row, other in enumerate(pivots):
            exchanged[[row, other]] = exchanged[[other, row]]
        assert np.allclose(lower.dot(np.triu(packed[:3])), exchanged, atol=1e-5)


# --- shapes

@ON_NUMPY
@pytest.mark.parametrize('pattern, sizes, expected', [
    ('b h w c -> b c h w', {}, IMAGES.transpose(0, 3, 1, 2)), ('b h w c -> (b h) (w c)', {}, IMAGES.reshape(10, 18)),
    ('b h (w two) c -> b h w (two c)', {'two': 2}, IMAGES.reshape(2, 5, 3, 6)),
    ('b ... c -> c b ...', {}, IMAGES.transpose(3, 0, 1, 2)), ('b h w c -> b 1 h w c', {}, IMAGES[:, None])])
def test_rearranged_axes(pattern, sizes, expected):
    close(ops.rearrange(IMAGES, pattern, **sizes), expected)


@ON_NUMPY
@pytest.mark.parametrize('pattern, sizes', [
    ('a b -> a b', {}), ('a b c d -> a b c', {}), ('a b c (d e) -> a b c d e', {}), ('a b c d -> a b c d', {'x': 2}),
    ('a b c (d e) -> a b c d e', {'d': 2}), ('a b c d', {})])
def test_patterns_that_do_not_fit(pattern, sizes):
    with pytest.raises(ValueError, match='rearrange'):
        ops.rearrange(IMAGES, pattern, **sizes)


@ON_NUMPY
def test_unfolded_and_folded_images():
    images = IMAGES.transpose(0, 3, 1, 2)
    columns = ops.unfold(images, (2, 3), stride=(1, 2), padding=1)
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), mode='constant')
    blocks = [padded[:, :, y:y + 2, x:x + 3].reshape(2, -1) for y in range(6) for x in range(0, 6, 2)]
    close(columns, np.stack(blocks, -1))
    counts = np.zeros((7, 8))
    for y in range(6):
        for x in range(0, 6, 2):
            counts[y:y + 2, x:x + 3] += 1
    close(ops.fold(columns, (5, 6), (2, 3), stride=(1, 2), padding=1), images * counts[1:-1, 1:-1])


@ON_NUMPY
def test_a_function_for_every_entry():
    dot = ops.vectorize(lambda a, b: ops.sum(ops.multiply(a, b)), signature='(n),(n)->()')
    left, right = GENERATOR.rand(3, 1, 4), GENERATOR.rand(2, 4)
    close(dot(left, right), np.sum(left * right, -1))
    with pytest.raises(ValueError, match='signature'):
        ops.vectorize(lambda a: a, signature='nonsense')(1.0)


# --- images

@ON_NUMPY
@pytest.mark.skipif(tuple(map(int, scipy.__version__.split('.')[:2])) < (1, 6), reason='SciPy has fewer modes')
@pytest.mark.parametrize('ours, theirs', [('constant', 'grid-constant'), ('nearest', 'nearest'), ('wrap', 'grid-wrap'),
                                          ('mirror', 'mirror'), ('reflect', 'reflect')])
@pytest.mark.parametrize('order', [0, 1])
def test_values_between_elements(ours, theirs, order):
    places = [GENERATOR.uniform(-3, 8, (4, 5)).astype('float32') for _ in range(2)]
    expected = scipy.ndimage.map_coordinates(IMAGES[0, :, :, 0], places, order=order, mode=theirs, cval=0.5)
    close(ops.image.map_coordinates(IMAGES[0, :, :, 0], places, order, ours, 0.5), expected, 1e-4)


@ON_NUMPY
def test_perspective_with_the_corners_in_place_is_no_change():
    corners = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 4.0], [5.0, 4.0]], 'float32')
    close(ops.image.perspective_transform(IMAGES, corners[None], corners[None]), IMAGES, 1e-4)
    moved = ops.image.perspective_transform(IMAGES, corners[None], corners[None] + np.float32([1.0, 0.0]))
    close(moved[:, :, 1:], IMAGES[:, :, :-1], 1e-4)


@ON_NUMPY
def test_filters_against_scipy():
    bell = np.exp(-0.5 * np.arange(-1, 2) ** 2)
    kernel = np.outer(bell, bell) / bell.sum() ** 2
    blurred = [scipy.ndimage.convolve(IMAGES[0, :, :, channel], kernel, mode='constant') for channel in range(3)]
    close(ops.image.gaussian_blur(IMAGES)[0], np.stack(blurred, -1))
    edges = [scipy.ndimage.sobel(IMAGES[0, :, :, 1], axis, mode='constant') for axis in (0, 1)]
    close(ops.image.sobel_edges(IMAGES)[0, :, :, 1], np.stack(edges, -1))


@ON_NUMPY
def test_resized_in_proportion():
    image = np.arange(24.0).reshape(1, 4, 6, 1)
    close(ops.image.resize(image, (4, 4), crop_to_aspect_ratio=True), image[:, :, 1:5])
    padded = ops.image.resize(image, (6, 6), pad_to_aspect_ratio=True, fill_value=-1.0)
    close(padded, np.pad(image, ((0, 0), (1, 1), (0, 0), (0, 0)), mode='constant', constant_values=-1))
    assert ops.image.resize((image * 10).astype('uint8'), (2, 2)).dtype == 'uint8'
    assert ops.image.resize(keras.KerasTensor((None, None, None, 3)), (4, 5)).shape == (None, 4, 5, 3)


# --- gradients

@TRAINS
def test_derivative_along_a_direction():
    x, direction = np.array([0.1, 0.5], 'float32'), np.array([1.0, 2.0], 'float32')
    value, derivative, aux = ops.jvp(lambda x: (ops.sin(x) * x[0], ops.square(x)), (x,), (direction,), has_aux=True)
    close(value, np.sin(x) * x[0])
    close(derivative, np.cos(x) * direction * x[0] + np.sin(x) * direction[0])
    close(aux, x ** 2)


@TRAINS
def test_a_gradient_of_ones_own():
    @ops.custom_gradient
    def softplus(x):
        e = ops.exp(x)
        return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    gradient = keras.grad(lambda x: ops.sum(softplus(x)), ops.convert_to_tensor([100.0, 0.0]))
    close(gradient, [1.0, 0.5])


@TRAINS
def test_rematerialized_layers_train_alike():
    def model():
        return keras.Sequential([
            keras.layers.Input((3,)), keras.layers.Dense(4, 'tanh'), keras.layers.Dropout(0.5, seed=1),
            keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    x = GENERATOR.rand(8, 3).astype('float32')
    plain = model()
    with keras.RematScope('full'):
        again = model()
    again.set_weights(plain.get_weights())
    for each in (plain, again):
        each.compile('sgd', 'mse')
        each.fit(x, x[:, :1], epochs=2, verbose=0, shuffle=False)
    for one, other in zip(plain.get_weights(), again.get_weights()):
        assert np.allclose(one, other, atol=1e-5)


# --- graphs and scopes

@ON_NUMPY
def test_operations_of_ones_own():
    class Scaled(keras.Operation):
        def __init__(self, factor, name=None):
            super().__init__(name=name)
            self.factor = factor

        def call(self, x, y=0.0):
            return self.factor * x + y
    operation = Scaled(3.0, name='scaled')
    x = keras.KerasTensor((None, 2))
    out = operation(x, y=x)
    assert out.shape == (None, 2) and operation.input == [x, x] and operation.output is out
    close(keras.Function(x, out)(np.ones((1, 2), 'float32')), [[4.0, 4.0]])
    assert Scaled.from_config(operation.get_config()).factor == 3.0
    assert isinstance(keras.layers.Dense(1), keras.Operation)
    with pytest.raises(ValueError, match='cannot contain'):
        Scaled(1.0, name='a/b')


@ON_NUMPY
def test_functions_look_at_what_they_are_given():
    x = keras.KerasTensor((2, 3))
    function = keras.Function({'x': x}, {'y': x * 2})
    close(function({'x': np.ones((2, 3), 'float32')})['y'], 2 * np.ones((2, 3)))
    with pytest.raises(ValueError, match='invalid input structure'):
        function(np.ones((2, 3)))
    with pytest.raises(ValueError, match='incompatible inputs'):
        function({'x': np.ones((4, 3))})


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_values_of_variables_in_a_scope():
    a, b = keras.Variable(np.zeros(2)), keras.Variable(np.zeros(2))
    with keras.StatelessScope([(a, np.ones(2, 'float32'))]) as scope:
        b.assign(a + 1.0)
        close(b + 0.0, [2.0, 2.0])
    assert b.numpy().tolist() == [0.0, 0.0]
    close(scope.get_current_value(b), [2.0, 2.0])
    for mapping in ([('v', np.ones(2))], [(a, np.ones(3))]):
        with pytest.raises(ValueError, match='in argument `mapping` must be'):
            keras.StatelessScope(mapping)


@ON_NUMPY
def test_variables_compare_by_value_in_keras3():
    v = keras.Variable([1.0, 2.0])
    assert (v == 1.0) is False and v == v and {v: 1}[v] == 1
    with keras.config.generation(3):
        assert np.asarray(v == 1.0).tolist() == [True, False] and np.asarray(v != 1.0).tolist() == [False, True]
        assert v in [keras.Variable(1.0), v]


def test_small_integers_do_not_overflow_on_the_way():
    small = np.array([200, 0, 250, 100], 'uint8')
    assert float(ops.convert_to_numpy(ops.trapezoid(small))) == 100 + 125 + 175
    flags, ids = np.array([True, False, True]), np.array([0, 0, 1])
    for found, expected in ((ops.segment_min(small, np.array([0, 0, 1, 1]), num_segments=2), [0, 100]),
                            (ops.segment_min(np.array([-128, 5], 'int8'), np.array([0, 0]), num_segments=1), [-128]),
                            (ops.segment_min(np.array([127], 'int8'), np.array([1]), num_segments=2), [127, 127]),
                            (ops.segment_max(np.array([-128], 'int8'), np.array([1]), num_segments=2), [-128, -128]),
                            (ops.segment_min(flags, ids, num_segments=2), [False, True]),
                            (ops.segment_max(flags, ids, num_segments=2), [True, True])):
        np.testing.assert_array_equal(ops.convert_to_numpy(found), expected)


def test_take_along_no_axis():
    found = ops.take_along_axis(np.array([[1, 2], [3, 4]]), np.array([[3, 0], [1, 1]]), axis=None)
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [4, 1, 2, 2])


@pytest.mark.on('torch', 'numpy')
def test_rematerialized_calls_are_functions_to_call():
    class Twice(keras.Operation):
        quantization_mode = None

        def call(self, x):
            return x

        def quantized_call(self, x):
            return 2 * x
    plain = Twice()
    assert plain.rematerialized_call(plain.call, 1) == plain.call
    with keras.RematScope('full'):
        scoped, layer = Twice(), keras.layers.Dense(3)
    x = np.ones((2, 3), 'float32')
    assert scoped.rematerialized_call(scoped.call, x) != scoped.call
    scoped.quantization_mode = 'int8'
    assert np.array_equal(keras.ops.convert_to_numpy(scoped(keras.ops.convert_to_tensor(x))), 2 * x)
    expected = keras.ops.convert_to_numpy(layer(x))
    layer.quantize('int8')
    assert np.allclose(keras.ops.convert_to_numpy(layer(x)), expected, atol=0.05)


@TRAINS
def test_attention_has_the_type_of_its_queries_beside_another_bias():
    query = ops.cast(np.ones((1, 2, 1, 2), 'float32'), 'float16')
    found = ops.dot_product_attention(query, query, query, bias=np.zeros((1, 1, 2, 2), 'float32'))
    assert keras.backend.standardize_dtype(found.dtype) == 'float16'


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_a_blur_by_tensors_is_that_by_numbers():
    inputs = [keras.Input(batch_shape=(2, 5, 6, 3))] + [keras.Input(batch_shape=(2,)) for _ in range(2)]
    model = keras.Model(inputs, ops.image.gaussian_blur(*inputs))
    for size, sigma in ((3, 3), (1.0, 1.0)), ((4, 5), (2.0, 0.7)), ((2, 1), (1.0, 3.0)), ((9, 8), (2.0, 2.0)):
        # NumPy's own bells, along rows and columns. The odd place of an even size comes after the pixel.
        expected = IMAGES.astype('float64')
        for axis, (length, deviation) in zip((2, 1), zip(size, sigma)):
            bell = np.exp(-0.5 * ((np.arange(length) - (length - 1) / 2) / deviation) ** 2)
            expected = scipy.ndimage.correlate1d(expected, bell / bell.sum(), axis, mode='constant',
                                                 origin=-1 if length % 2 == 0 else 0)
        close(ops.image.gaussian_blur(IMAGES, size, sigma), expected)
        close(model([IMAGES, np.array(size, 'float32'), np.array(sigma, 'float32')]), expected)
    single = keras.KerasTensor((20, 20, 3))
    assert ops.image.gaussian_blur(single, keras.KerasTensor((2,)), keras.KerasTensor((2,))).shape == (20, 20, 3)
    with pytest.raises(ValueError, match='known size'):
        ops.image.gaussian_blur(keras.KerasTensor((None, 20, 3)), (3, 3), keras.KerasTensor((2,)))


@pytest.mark.on('jax')
def test_a_blur_by_a_traced_deviation():
    import jax
    found = jax.jit(lambda sigma: ops.image.gaussian_blur(IMAGES, (3, 5), sigma))(np.array([1.0, 2.0], 'float32'))
    close(found, ops.convert_to_numpy(ops.image.gaussian_blur(IMAGES, (3, 5), (1.0, 2.0))))
