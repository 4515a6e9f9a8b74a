"""Images read at other places: the same numbers and slopes whether an engine has a kernel for it or not."""
import numpy as np
import pytest
import scipy
from scipy import ndimage

import keras
from keras import ops

# Turned by 0.3, enlarged and moved; halves and places outside among what is read.
TURN = np.array([[0.955, -0.295, 1.5, 0.295, 0.955, -2.0, 0, 0], [0.5, 0, 7.5, 0, 0.5, -0.5, 0, 0]], 'float32')
IMAGES = np.random.RandomState(0).rand(2, 6, 7, 2).astype('float32')
SCIPY = {'constant': 'grid-constant', 'nearest': 'nearest', 'wrap': 'grid-wrap', 'mirror': 'mirror',
         'reflect': 'reflect'}


def by_scipy(images, transforms, order, mode):
    def read(image, numbers):
        a0, a1, a2, b0, b1, b2 = numbers[:6].astype('float64')
        return np.stack([ndimage.affine_transform(plane.astype('float64'), [[b1, b0], [a1, a0]], [b2, a2], order=order,
                                                  mode=SCIPY[mode], cval=0.25) for plane in np.moveaxis(image, -1, 0)],
                        -1)
    return np.stack([read(image, numbers) for image, numbers in zip(images, transforms)])


@pytest.mark.skipif(tuple(map(int, scipy.__version__.split('.')[:2])) < (1, 6), reason='SciPy has fewer modes')
@pytest.mark.parametrize('mode', sorted(SCIPY))
def test_affine_transform_agrees_with_scipy(mode):
    found = ops.convert_to_numpy(ops.image.affine_transform(IMAGES, TURN, 'bilinear', mode, 0.25))
    np.testing.assert_allclose(found, by_scipy(IMAGES, TURN, 1, mode), atol=1e-5)


@pytest.mark.parametrize('fill_mode', ['constant', 'reflect', 'wrap'])
def test_the_slopes_by_images_and_by_the_transform_are_those_of_differences(fill_mode):
    factors = np.random.RandomState(1).rand(*IMAGES.shape).astype('float32')
    # Away from whole places, where the values have corners.
    turn = TURN + np.float32(0.013)
    images, transform = keras.Variable(IMAGES), keras.Variable(turn)

    def total():
        found = ops.image.affine_transform(images, transform, 'bilinear', fill_mode)
        return ops.sum(ops.multiply(found, factors))
    _, slopes = keras.value_and_grad(total, [images, transform])
    slopes = [ops.convert_to_numpy(slope) for slope in slopes]

    def by_differences(variable, place, step):
        start, ends = ops.convert_to_numpy(variable.value).copy(), []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * step
            variable.assign(moved)
            ends.append(float(ops.convert_to_numpy(total())))
        variable.assign(start)
        return (ends[0] - ends[1]) / (2 * step)
    for place in [(0, 2, 3, 1), (1, 3, 5, 0)]:
        np.testing.assert_allclose(slopes[0][place], by_differences(images, place, 1e-1), atol=5e-3)
    for place in [(0, 2), (1, 5)]:
        np.testing.assert_allclose(slopes[1][place], by_differences(transform, place, 2e-3), rtol=0.02, atol=0.05)


def test_halves_are_read_at_exact_places_of_large_images():
    wide = np.zeros((1, 1, 600, 1), 'float16')
    wide[0, 0, 501] = 1
    moved = ops.image.affine_transform(wide, np.array([[1.0, 0, 0.25, 0, 1, 0, 0, 0]], 'float32'))
    found = ops.convert_to_numpy(moved)
    assert str(found.dtype) == 'float16'
    np.testing.assert_allclose(found[0, 0, 499:503, 0], [0, 0.25, 0.75, 0], atol=1e-3)


@pytest.mark.parametrize('old, new', [((6, 7), (9, 4)), ((5, 8), (5, 16)), ((7, 3), (2, 2))])
def test_bilinear_resizing_reads_at_the_centres_of_the_new_pixels(old, new):
    images = np.random.RandomState(2).rand(2, *(old + (3,))).astype('float32')
    rows, columns = [np.clip((np.arange(to) + 0.5) * size / to - 0.5, 0, size - 1) for size, to in zip(old, new)]
    places = np.meshgrid(rows, columns, indexing='ij')
    expected = np.stack([np.stack([ndimage.map_coordinates(image[..., channel], places, order=1) for channel in
                                   range(3)], -1) for image in images])
    np.testing.assert_allclose(ops.convert_to_numpy(ops.image.resize(images, new)), expected, atol=1e-5)
