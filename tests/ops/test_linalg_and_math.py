"""keras.ops.linalg, math and image against NumPy."""
import colorsys

import numpy as np
import pytest

from keras import config, ops

GENERATOR = np.random.RandomState(11)
SQUARE = GENERATOR.randn(2, 4, 4).astype('float32')
POSITIVE = np.matmul(SQUARE, SQUARE.transpose(0, 2, 1)) + 4 * np.eye(4, dtype='float32')
TALL = GENERATOR.randn(5, 3).astype('float32')


def value(x):
    return ops.convert_to_numpy(x)


def close(found, expected, tolerance=1e-4):
    np.testing.assert_allclose(value(found), expected, rtol=tolerance, atol=tolerance)


def test_solutions_and_inverses():
    b = GENERATOR.randn(2, 4, 3).astype('float32')
    close(ops.solve(POSITIVE, b), np.linalg.solve(POSITIVE, b))
    close(ops.solve(POSITIVE[0], b[0, :, 0]), np.linalg.solve(POSITIVE[0], b[0, :, 0]))
    close(ops.inv(POSITIVE), np.linalg.inv(POSITIVE))
    close(ops.solve_triangular(POSITIVE, b, lower=True), np.linalg.solve(np.tril(POSITIVE), b))
    close(ops.pinv(TALL), np.linalg.pinv(TALL))
    close(ops.lstsq(TALL, np.arange(5.0, dtype='float32')), np.linalg.lstsq(TALL, np.arange(5.0), rcond=None)[0])


def test_cholesky():
    lower = np.linalg.cholesky(POSITIVE)
    close(ops.cholesky(POSITIVE), lower)
    close(ops.cholesky(POSITIVE, upper=True), lower.transpose(0, 2, 1))
    close(ops.cholesky_inverse(lower), np.linalg.inv(POSITIVE))


def test_determinants():
    close(ops.det(SQUARE), np.linalg.det(SQUARE), 1e-3)
    swapped = np.array([[0.0, 2.0], [3.0, 0.0]], 'float32')
    close(ops.det(swapped), -6.0)
    close(ops.det(np.zeros((2, 2), 'float32')), 0.0)
    sign, logarithm = ops.slogdet(SQUARE)
    expected = np.linalg.slogdet(SQUARE)
    close(sign, expected[0])
    close(logarithm, expected[1], 1e-3)
    close(ops.logdet(POSITIVE), np.linalg.slogdet(POSITIVE)[1])


def test_lu_factor():
    packed, pivots = [value(part) for part in ops.lu_factor(SQUARE[0])]
    rows = SQUARE[0].copy()
    for k, pivot in enumerate(pivots):
        rows[[k, pivot]] = rows[[pivot, k]]
    np.testing.assert_allclose(np.matmul(np.tril(packed, -1) + np.eye(4), np.triu(packed)), rows, atol=1e-5)
    assert np.abs(np.tril(packed, -1)).max() <= 1.0 + 1e-6


def test_svd_qr_eigh():
    u, s, v = [value(part) for part in ops.svd(TALL)]
    assert u.shape == (5, 5) and v.shape == (3, 3)
    np.testing.assert_allclose(np.matmul(u.T, u), np.eye(5), atol=1e-5)
    np.testing.assert_allclose(np.matmul(u[:, :3] * s, v), TALL, atol=1e-5)
    close(ops.svd(TALL, compute_uv=False), np.linalg.svd(TALL, compute_uv=False))
    q, r = [value(part) for part in ops.qr(TALL)]
    np.testing.assert_allclose(np.matmul(q, r), TALL, atol=1e-5)
    values, vectors = [value(part) for part in ops.eigh(POSITIVE)]
    np.testing.assert_allclose(np.matmul(POSITIVE, vectors), vectors * values[:, None, :], atol=1e-3)
    assert value(ops.linalg.matrix_rank(np.outer([1.0, 2.0], [3.0, 4.0]).astype('float32'))) == 1


@pytest.mark.parametrize('order,axis', [
    (None, None), (None, 1), (2, 0), (1, 1), (np.inf, 1), (-np.inf, 0), (0, 1), (3, 1), ('fro', (0, 1)),
    ('nuc', (0, 1)),
    (1, (0, 1)), (-1, (0, 1)), (np.inf, (0, 1)), (-np.inf, (0, 1)), (2, (0, 1)), (-2, (0, 1)), (1, (1, 0))])
@pytest.mark.parametrize('keepdims', [False, True])
def test_norm(order, axis, keepdims):
    close(ops.norm(TALL, order, axis, keepdims), np.linalg.norm(TALL, order, axis, keepdims))


def test_norm_of_three_axes_is_refused():
    with pytest.raises(ValueError, match='one or two axes'):
        ops.norm(SQUARE, axis=(0, 1, 2))


def test_top_k():
    x = GENERATOR.permutation(12).reshape(2, 6).astype('float32')
    values, indices = ops.top_k(x, 3)
    np.testing.assert_array_equal(value(values), -np.sort(-x)[:, :3])
    np.testing.assert_array_equal(value(indices), np.argsort(-x)[:, :3])
    np.testing.assert_array_equal(value(ops.in_top_k([0, 5], x, 6)), [True, True])
    np.testing.assert_array_equal(value(ops.in_top_k(np.argmin(x, -1), x, 5)), [False, False])


def test_segments():
    data = GENERATOR.randn(5, 2).astype('float32')
    ids = np.array([0, 2, 0, 2, 2], 'int32')
    parts = [data[ids == index] for index in range(3)]
    close(ops.segment_sum(data, ids), [part.sum(0) for part in parts])
    close(ops.segment_prod(data, ids), [part.prod(0) for part in parts])
    for found, function in ((ops.segment_max(data, ids), np.max), (ops.segment_min(data, ids), np.min)):
        close(value(found)[[0, 2]], [function(parts[index], 0) for index in (0, 2)])
    assert value(ops.segment_sum(data, ids, num_segments=4)).shape == (4, 2)


def test_fourier():
    real, imaginary = GENERATOR.randn(2, 3, 8).astype('float32'), GENERATOR.randn(2, 3, 8).astype('float32')
    for found, expected in ((ops.fft((real, imaginary)), np.fft.fft(real + 1j * imaginary)),
                            (ops.fft2((real, imaginary)), np.fft.fft2(real + 1j * imaginary)),
                            (ops.ifft2((real, imaginary)), np.fft.ifft2(real + 1j * imaginary)),
                            (ops.rfft(real), np.fft.rfft(real)), (ops.rfft(real, 5), np.fft.rfft(real, 5)),
                            (ops.rfft(real, 12), np.fft.rfft(real, 12))):
        close(found[0], expected.real)
        close(found[1], expected.imag)
    spectrum = np.fft.rfft(real)
    pair = spectrum.real.astype('float32'), spectrum.imag.astype('float32')
    close(ops.irfft(pair), real)
    close(ops.irfft(pair, 7), np.fft.irfft(spectrum, 7))


@pytest.mark.parametrize('window', ['hann', 'hamming'])
def test_a_signal_comes_back_from_its_short_time_transform(window):
    x = GENERATOR.randn(2, 64).astype('float32')
    transformed = ops.stft(x, 16, 4, 16, window)
    assert value(transformed[0]).shape == (2, 17, 9)
    close(ops.istft(transformed, 16, 4, 16, length=64, window=window), x)


@pytest.mark.on('numpy', 'tensorflow', 'torch')
def test_the_ends_of_a_signal_in_keras_3_are_those_of_the_engine():
    x = GENERATOR.randn(2, 64).astype('float32')
    with config.generation(3):
        found = value(ops.istft(ops.stft(x, 16, 4, 16), 16, 4, 16, length=64))
    # Hann's squares of four windows, 4 apart, add up to 1.5; fewer of them are on the first samples and the last.
    squares = np.sin(np.pi * np.arange(16) / 16) ** 4
    there = np.zeros(80)
    for start in range(0, 65, 4):
        there[start:start + 16] += squares
    close(found, x * there[8:72] / 1.5 if config.backend() == 'tensorflow' else x)


def test_without_a_window_the_parts_of_a_signal_are_only_added():
    x = GENERATOR.randn(2, 64).astype('float32')
    found = ops.istft(ops.stft(x, 16, 4, 16, None), 16, 4, 16, length=64, window=None)
    close(found[:, 8:48], 4 * x[:, 8:48])  # each sample is in 16 / 4 of them


def test_extract_sequences():
    close(ops.extract_sequences(np.arange(7.0, dtype='float32'), 3, 2), [[0, 1, 2], [2, 3, 4], [4, 5, 6]])


def test_cdist():
    x, y = GENERATOR.randn(3, 2).astype('float32'), GENERATOR.randn(4, 2).astype('float32')
    close(ops.cdist(x, y), np.linalg.norm(x[:, None] - y[None], axis=-1))


def test_colours():
    image = GENERATOR.rand(1, 3, 4, 3).astype('float32')
    expected = np.apply_along_axis(lambda pixel: colorsys.rgb_to_hsv(*pixel), -1, image)
    close(ops.image.rgb_to_hsv(image), expected)
    close(ops.image.hsv_to_rgb(expected.astype('float32')), image)
    close(ops.image.rgb_to_grayscale(image), np.dot(image, [0.2989, 0.587, 0.114])[..., None])
    first = ops.image.rgb_to_hsv(image.transpose(0, 3, 1, 2), data_format='channels_first')
    close(first, expected.transpose(0, 3, 1, 2))


def test_padding_and_cropping_images():
    image = GENERATOR.rand(2, 3, 4, 1).astype('float32')
    padded = ops.image.pad_images(image, 1, 2, target_height=6, target_width=7)
    close(padded, np.pad(image, ((0, 0), (1, 2), (2, 1), (0, 0)), mode='constant'))
    close(ops.image.crop_images(padded, 1, 2, target_height=3, target_width=4), image)
    with pytest.raises(ValueError, match='exactly two'):
        ops.image.pad_images(image, 1, 2)
    with pytest.raises(ValueError, match='does not fit'):
        ops.image.crop_images(image, 1, 0, target_height=5, target_width=4)
