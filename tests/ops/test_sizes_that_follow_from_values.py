"""Operations whose shapes follow from values, or from sizes that are not known, and what they refuse."""
import numpy as np
import pytest

import keras
from keras import ops

close = np.testing.assert_allclose


def value(x):
    return keras.tree.map_structure(ops.convert_to_numpy, x)


def ran(function, *arrays):
    """What `function` gives in a model whose inputs have no known sizes but ranks and dtypes."""
    placeholders = [keras.Input(batch_shape=(None,) * array.ndim, dtype=array.dtype.name) for array in arrays]
    outputs = function(*placeholders)
    return outputs, keras.Model(placeholders, outputs)


X = np.array([[3, 0, 1], [0, 3, 1], [3, 0, 1]], 'int32')


def test_unique_in_a_graph():
    (values, index, inverse, counts), _ = ran(
        lambda x: ops.unique(x, return_index=True, return_inverse=True, return_counts=True), X)
    assert [part.shape for part in (values, index, inverse, counts)] == [(None,), (None,), (None, None), (None,)]
    values, inverse = ops.unique(keras.KerasTensor((2, 4)), axis=1, return_inverse=True, size=6)
    assert values.shape == (2, 6) and inverse.shape == (4,)


def test_unique_of_slices_and_sizes():
    values, index, inverse, counts = value(ops.unique(X, True, True, True, True, axis=0))
    close(values, [[0, 3, 1], [3, 0, 1]])
    close(index, [1, 0])
    close(inverse, [1, 0, 1])
    close(counts, [1, 2])
    values, counts = value(ops.unique(np.array([3, 1, 3]), return_counts=True, size=4))
    close(values, [1, 3, 0, 0])
    close(counts, [1, 2, 0, 0])
    values, index = value(ops.unique(np.array([3, 1, 3]), return_index=True, size=4, fill_value=-1))
    close(values, [1, 3, -1, -1])
    close(index, [1, 0, 1, 1])
    close(value(ops.unique(np.array([3, 1, 2]), size=2)), [1, 2])
    assert value(ops.unique(X, return_inverse=True)[1]).shape == (3, 3)


def test_nonzero_and_bincount_in_a_graph():
    (rows, columns), _ = ran(ops.nonzero, X)
    assert rows.shape == columns.shape == (None,) and rows.dtype == 'int32'
    close(np.stack(value(ops.nonzero(X))), np.stack(np.nonzero(X)))
    counts, _ = ran(ops.bincount, X)
    assert counts.shape == (None, None) and counts.dtype == 'int32'
    close(value(ops.bincount(X, minlength=5)), [np.bincount(row, minlength=5) for row in X])
    if keras.backend.backend() in ('tensorflow', 'jax'):
        found = ops.bincount(X, minlength=5, sparse=True)
        close(value(ops.convert_to_tensor(found, sparse=False)), value(ops.bincount(X, minlength=5)))
    else:
        with pytest.raises(ValueError, match='sparse'):
            ops.bincount(X, sparse=True)


@pytest.mark.parametrize('name,expected', [('sum', [[1, 2], [8, 10], [0, 0]]), ('prod', [[1, 2], [15, 24], [1, 1]])])
def test_segments_leave_out_ids_that_are_none(name, expected):
    data = np.array([[1, 2], [3, 4], [5, 6], [9, 9], [8, 8]], 'float32')
    ids = np.array([0, 1, 1, -1, 3], 'int32')
    reduce = getattr(ops, 'segment_' + name)
    close(value(reduce(data, ids, num_segments=3)), expected)
    assert value(reduce(data, ids)).shape == (4, 2)
    symbolic = keras.KerasTensor((5, 2))
    assert reduce(symbolic, keras.KerasTensor((5,), 'int32')).shape == (None, 2)
    assert reduce(symbolic, keras.KerasTensor((5,), 'int32'), num_segments=7).shape == (7, 2)


def test_segments_that_are_empty():
    data, ids = np.array([1.0, -2.0], 'float32'), np.array([2, 2])
    close(value(ops.segment_max(data, ids, 3)), [-np.inf, -np.inf, 1])
    close(value(ops.segment_min(data, ids, 3)), [np.inf, np.inf, -2])
    with pytest.raises(ValueError, match='should be an 1-D vector'):
        ops.segment_sum(data, np.array([[0, 1]]))
    with pytest.raises(ValueError, match='same leading dimension'):
        ops.segment_sum(data, np.array([0, 1, 2]))


def test_associative_scan_of_unknown_length():
    x = np.arange(1.0, 7, dtype='float32').reshape(3, 2)
    for reverse in (False, True):
        symbolic, model = ran(lambda a: ops.associative_scan(ops.add, a, reverse=reverse), x)
        assert symbolic.shape == (None, None)
        expected = np.cumsum(x[::-1], 0)[::-1] if reverse else np.cumsum(x, 0)
        close(value(ops.associative_scan(ops.add, x, reverse=reverse)), expected)
        close(model.predict(x, verbose=0), expected)
    with pytest.raises(ValueError, match='first dimension'):
        ops.associative_scan(lambda a, b: a, (x, x[:2]))


def test_parts_of_an_unknown_size():
    parts, model = ran(lambda x: ops.array_split(x, 3), np.zeros((7, 2), 'float32'))
    assert [part.shape for part in parts] == [(None, None)] * 3
    found = model.predict_on_batch(np.arange(14.0, dtype='float32').reshape(7, 2))
    close(np.asarray(found[0]), [[0, 1], [2, 3], [4, 5]])
    close(np.asarray(found[2]), [[10, 11], [12, 13]])


def test_the_rest_of_a_slice_that_begins_at_a_tensor():
    x = np.arange(12).reshape(3, 4)
    start = ops.convert_to_tensor([1, 2])
    close(value(ops.slice(x, start, (-1, -1))), x[1:, 2:])
    assert ops.slice(keras.KerasTensor((3, 4)), keras.KerasTensor((2,), 'int32'), (-1, 2)).shape == (None, 2)
    with pytest.raises(ValueError, match='dimensions in `inputs` must match.* dimensions in `shape`'):
        ops.slice(x, (1, 1), (2, 2, 2))


def test_multi_hot_reduces_axis_one():
    x = np.array([[[0], [2]]])
    close(value(ops.multi_hot(x, 3)), [[[1, 0, 1]]])
    close(value(ops.multi_hot(np.array([0, 2]), 3)), [1, 0, 1])


@pytest.mark.parametrize('function', [ops.cholesky, ops.inv, ops.det, ops.cholesky_inverse])
def test_matrices_that_may_not_be_square(function):
    with pytest.raises(ValueError):
        function(keras.KerasTensor((None, None, 20)))
    with pytest.raises(ValueError):
        function(keras.KerasTensor((None, 20, 15)))


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_a_matrix_that_has_no_cholesky_factor():
    with pytest.raises(ValueError):
        ops.cholesky(np.array([[0.0, 1.0], [1.0, 0.0]], 'float32'))


def test_errors_of_linear_algebra():
    for kind in (ValueError, IndexError, RuntimeError):
        with pytest.raises(kind):
            ops.norm(np.ones(3, 'float32'), axis=1)
        with pytest.raises(kind):
            ops.norm(np.ones((3, 3), 'float32'), ord=3)
    for kind in (ValueError, IndexError):
        with pytest.raises(kind, match='axis 10 is out of bounds'):
            ops.unstack(np.ones((3, 3)), axis=10)


def test_arguments_of_stft():
    x = np.ones(8, 'float32')
    with pytest.raises(TypeError, match='`float32` or `float64`'):
        ops.stft(np.arange(8), 4, 2, 4)
    for arguments, words in (((4, 0, 4), 'positive integer'), ((4, 2, 2), '`fft_length` must equal or'),
                             ((4, 2, 4, 'round'), 'If a string is passed'),
                             ((4, 2, 4, np.ones(5)), 'The shape of `window`')):
        with pytest.raises(ValueError, match=words):
            ops.stft(x, *arguments)


def test_positions_broadcast_along_the_other_axes():
    x = np.arange(6.0, dtype='float32').reshape(2, 3)
    indices = np.array([[2, 0, 1, 1]])
    close(value(ops.take_along_axis(x, indices, axis=1)), np.take_along_axis(x, indices, 1))
    close(value(ops.take_along_axis(x[:1], np.array([[0], [2]]), axis=1)), [[0], [2]])
    assert ops.take_along_axis(keras.KerasTensor((None, 3)), keras.KerasTensor((1, 5), 'int32'), 1).shape == (None, 5)
    with pytest.raises(ValueError):
        ops.take_along_axis(x, np.zeros((3, 1), 'int32'), axis=1)


def test_one_shift_for_several_axes():
    x = np.arange(12).reshape(3, 4)
    close(value(ops.roll(x, 1, axis=(0, 1))), np.roll(x, 1, axis=(0, 1)))
    close(value(ops.roll(x, (1, 2), axis=1)), np.roll(x, (1, 2), axis=1))
    with pytest.raises(ValueError, match='out of bounds'):
        ops.roll(keras.KerasTensor((None, 3)), 1, axis=2)


def test_arrangements():
    x, y = np.array([[1, 2]]), np.array([[3], [4]])
    close(value(ops.concatenate([x, y], axis=None)), [1, 2, 3, 4])
    first, second, rest = ops.hsplit(keras.KerasTensor((3, None)), [1, 3])
    assert (first.shape, second.shape, rest.shape) == ((3, 1), (3, 2), (3, None))
    close(value(ops.repeat(x, np.array([2]), axis=1)), [[1, 1, 2, 2]])
    close(value(ops.nancumsum(np.array([[1.0, np.nan, 2.0]], 'float32'), axis=(1,))), [[1, 1, 3]])
    weighted = ops.average(keras.KerasTensor((None, None, 3)), axis=2, weights=keras.KerasTensor((3,)))
    assert weighted.shape == (None, None)
    close(value(ops.average(np.array([[1.0, 4.0]], 'float32'), axis=-1, weights=[3.0, 1.0])), [1.75])


@pytest.mark.parametrize('call,words', [
    (lambda: ops.reshape(np.zeros(20), (-2, 5)), r'non-negative integer.*-1.*newshape=\(-2, 5\)'),
    (lambda: ops.reshape(np.zeros(20), (-1, -1, 5)), r'at most one unknown dimension.*newshape=\(-1, -1, 5\)'),
    (lambda: ops.inner(np.zeros((5, 3)), np.zeros(4)), 'last dimension'),
    (lambda: ops.meshgrid(np.zeros(2), np.zeros(2), indexing='kk'), 'indexing'),
    (lambda: ops.argpartition(np.zeros(3), (1, 2)), 'kth'),
    (lambda: ops.average(np.zeros((2, 3, 3)), weights=np.zeros((2, 4))), 'weights'),
    (lambda: ops.get_item(keras.KerasTensor((None, 5)), (slice(None), 17)), 'out of range'),
    (lambda: ops.swapaxes(np.zeros((2, 3)), 5, 0), 'axis 5 is out of bounds'),
    (lambda: ops.split(np.zeros((2, 3)), 2, 5), 'axis 5 is out of bounds'),
    (lambda: ops.digitize(np.zeros(3), np.zeros((2, 3))), 'bins')])
def test_wrong_arguments(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_dtypes_of_results_are_those_of_the_tensor():
    x, scale = np.ones((2, 3), 'float16'), np.ones(3, 'float32')
    assert ops.dtype(ops.layer_normalization(x, scale)) == ops.dtype(ops.rms_normalization(x, scale)) == 'float16'
    logits = np.zeros((1, 3, 3), 'float16')
    assert ops.dtype(ops.ctc_loss(np.array([[1]]), logits, np.array([1]), np.array([3]))) == 'float32'
    large = np.array([-741.0, 353.2, 1099.0, -1807.0, 502.8, -83.4, 333.5, -130.9], 'float16')
    mean, variance = value(ops.moments(large, axes=[0]))
    close(mean, np.float16(large.astype('float32').mean()))
    assert variance == np.finfo('float16').max


@pytest.mark.parametrize('call,words', [
    (lambda: ops.space_to_depth(np.ones((1, 2, 2, 1)), 1), '`block_size` must be at least 2'),
    (lambda: ops.depth_to_space(np.ones((1, 2, 2, 4)), -1), '`block_size` must be at least 2'),
    (lambda: ops.fold(np.ones((1, 2, 3, 4)), (4, 4), 2), '3D'),
    (lambda: ops.normalize(np.ones(3), order=2.5), 'Argument `order` must be an int >= 1'),
    (lambda: ops.ctc_decode(np.ones((1, 2, 3)), [2], strategy='best'), 'Invalid strategy'),
    (lambda: ops.conv(keras.KerasTensor((2, 10, 3)), keras.KerasTensor((3, 5, 4))), 'channels must match the kernel'),
    (lambda: ops.batch_normalization(keras.KerasTensor((None, 5)), keras.KerasTensor((5,)), keras.KerasTensor((5,)), -1,
                                     offset=keras.KerasTensor((3,))), '`offset` must be a vector of length 5'),
    (lambda: ops.pad(np.ones(3), 1, mode='reflect', constant_values=0), '`constant_values` can only be provided'),
    (lambda: ops.where(np.array([True]), 1.0), 'should be `None`'),
    (lambda: keras.Function(keras.KerasTensor((2,)), []), '`outputs` argument cannot be empty')])
def test_more_wrong_arguments(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_softmax_over_one_element_warns():
    with pytest.warns(UserWarning, match=r'softmax over axis 1 of a tensor of shape \(2, 1\)'):
        ops.softmax(np.ones((2, 1)), 1)
    with pytest.warns(UserWarning, match='rms_scaling'):
        ops.layer_normalization(np.ones((2, 3)), rms_scaling=True)


def test_trapezoid_of_places_along_an_axis():
    places, heights = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 6.0]], 'float32'), np.ones((3, 2), 'float32')
    close(value(ops.trapezoid(heights, x=places, axis=0)), [3, 6])
    assert ops.dtype(ops.arange(3, dtype='int')) == ops.dtype(ops.cast(1.5, int)) == 'int32'
    with pytest.raises(TypeError, match='integers'):
        ops.eye(3.0)


def test_images_of_unknown_sizes_up_to_a_target():
    image = np.arange(1.0, 13, dtype='float32').reshape(3, 4, 1)
    padded, model = ran(lambda x: ops.image.pad_images(x, 1, None, None, 2, target_height=5, target_width=8), image)
    assert padded.shape == (5, 8, None)
    close(model.predict_on_batch(image), np.pad(image, ((1, 1), (2, 2), (0, 0))))
    cropped, model = ran(lambda x: ops.image.crop_images(x, 1, None, None, 1, target_height=2, target_width=2), image)
    assert cropped.shape == (2, 2, None)
    close(model.predict_on_batch(image), image[1:3, 1:3])
    with pytest.raises(ValueError, match='target_height must be >= 0'):
        ops.image.pad_images(image, 0, 0, target_height=-1, target_width=8)
    with pytest.raises(ValueError, match='top_cropping must be >= 0'):
        ops.image.crop_images(image, -1, 0, target_height=2, target_width=2)
    with pytest.raises(ValueError, match='expected at least rank 2'):
        ops.image.map_coordinates(image, np.zeros(3), 0)


@pytest.mark.parametrize('call,words', [
    (lambda: ops.fft(np.ones(3)), 'should be a tuple of two tensors'),
    (lambda: ops.fft2((np.ones((2, 3)), np.ones((2, 2)))), 'parts should have the same shape'),
    (lambda: ops.ifft2((np.ones(3), np.ones(3))), 'rank >= 2'),
    (lambda: ops.irfft((np.ones(3),)), 'should be a tuple of two tensors'),
    (lambda: ops.istft((np.ones((2, 3, 4)), np.ones((2, 3))), 5, 2, 10), 'parts should have the same shape'),
    (lambda: ops.rfft(np.array(5.0)), 'rank >= 1')])
def test_parts_of_complex_numbers(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_arrays_from_tensors_may_be_written_to():
    array = ops.convert_to_numpy(ops.convert_to_tensor([1.0, 2.0]))
    array[0] = 3.0
    close(array, [3, 2])


@pytest.mark.on('numpy')
def test_symbols_whose_sizes_do_not_say_what_comes_out():
    open_size = keras.KerasTensor((None, 1))
    with pytest.raises(ValueError, match='squeeze axis 0'):
        ops.squeeze(open_size, axis=0)
    assert ops.squeeze(open_size, axis=-1).shape == ops.squeeze(open_size).shape == (None,)
    with pytest.raises(ValueError, match='cannot be None'):
        ops.concatenate([open_size, open_size], axis=None)
    for shape, word in (((None, 10, 3), 'height'), ((10, None, 3), 'width')):
        with pytest.raises(ValueError, match='When the %s of the images is unknown' % word):
            ops.image.crop_images(keras.KerasTensor(shape), 2, 3, 4, 5)


def test_products_of_int8_hold_their_sums():
    x, y = np.full((2, 3), 100, 'int8'), np.full((3, 2), 100, 'int8')
    found = ops.matmul(x, y)
    assert keras.backend.standardize_dtype(found.dtype) == 'int32'
    close(value(found), np.full((2, 2), 30000))
    assert ops.matmul(keras.KerasTensor((2, 3), 'int8'), keras.KerasTensor((3, 2), 'int8')).dtype == 'int32'


@pytest.mark.on('numpy')
def test_a_blur_whose_size_is_symbolic():
    image = np.zeros((5, 5, 1), 'float32')
    image[2, 2] = 1.0
    shapes = keras.Input(batch_shape=(2,)), keras.Input(batch_shape=(2,))
    blurred = ops.image.gaussian_blur(keras.Input(batch_shape=(5, 5, 1)), *shapes)
    assert blurred.shape == (5, 5, 1)
    bell = np.exp(-0.5 * np.arange(-1, 2) ** 2)
    close(value(ops.image.gaussian_blur(image, np.array([3, 3]), np.array([1.0, 1.0])))[1:4, 1:4, 0],
          np.outer(bell, bell) / bell.sum() ** 2, rtol=1e-5)


@pytest.mark.on('numpy')
def test_running_sums_over_no_axis_only_drop_nan():
    x = np.array([[1.0, np.nan]], 'float32')
    close(value(ops.nancumsum(x, axis=())), [[1, 0]])
    close(value(ops.nancumprod(x, axis=())), [[1, 1]])


@pytest.mark.on('numpy', 'tensorflow', 'jax', 'torch')
def test_bincount_of_nothing_and_of_weights_of_few_bits():
    for shape, minlength in (((0,), 3), ((0,), 0), ((2, 0), 2), ((0, 3), 2)):
        assert tuple(ops.bincount(np.zeros(shape, 'int32'), minlength=minlength).shape) == shape[:-1] + (minlength,)
    x = np.array([[1, 2, 2], [0, 1, 1]], 'int32')
    found = ops.bincount(x, weights=np.ones((2, 3), 'bool'), minlength=4)
    close(value(found), [[0, 1, 2, 0], [1, 2, 0, 0]])
    close(value(ops.bincount(np.ones(5000, 'int32'), weights=np.ones(5000, 'float16'))), [0, 5000])
