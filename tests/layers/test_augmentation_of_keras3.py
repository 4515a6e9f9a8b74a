"""Augmentation in Keras 3's generation: what keras 3.15.1 gives."""
import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.skipif(keras.config.backend() not in ('numpy', 'torch', 'jax', 'tensorflow'),
                                reason='engines that Keras 3 has')
IMAGES = np.random.RandomState(0).rand(2, 6, 8, 3).astype('float32') * 255


@pytest.fixture(autouse=True)
def generation_3():
    with keras.config.generation(3):
        yield


def test_a_dictionary_is_changed_itself():
    data = {'images': IMAGES, 'labels': np.eye(2, dtype='float32')}
    found = layers.CenterCrop(4, 4)(data)
    assert found is data and tuple(data['images'].shape) == (2, 4, 4, 3)


def test_crops_leave_images_whole_outside_of_training():
    layer = layers.RandomCrop(4, 4)
    assert tuple(layer(IMAGES, training=False).shape) == (2, 6, 8, 3)
    found = keras.ops.convert_to_numpy(layer(IMAGES, training=True))
    assert any(np.array_equal(found, IMAGES[:, row:row + 4, column:column + 4]) for row in range(3)
               for column in range(5))


def test_saturation_is_cut_to_the_range_of_values():
    """At full strength (0.8 / 0.2 = 4) saturations above 1 stay, which makes colors negative."""
    image = np.array([[[[100.0, 50.0, 50.0]]]], 'float32')  # saturation 0.5, value 100
    found = keras.ops.convert_to_numpy(layers.RandomSaturation((0.8, 0.8))(image))
    np.testing.assert_allclose(found.ravel(), [100, -100, -100], atol=1e-2)


def test_flips_go_both_ways_at_once():
    found = keras.ops.convert_to_numpy(layers.RandomFlip(seed=1)(np.repeat(IMAGES, 10, 0)))
    for image, before in zip(found, np.repeat(IMAGES, 10, 0)):
        assert np.array_equal(image, before) or np.array_equal(image, before[::-1, ::-1])


def test_contrast_is_only_raised():
    layer = layers.RandomContrast(0.5, seed=1)
    factors = keras.ops.convert_to_numpy(layer.get_random_transformation(
        np.zeros((200, 2, 2, 3), 'float32'))['contrast_factor'])
    assert 1.0 <= factors.min() < 1.1 and 1.4 < factors.max() <= 1.5


def test_flat_images_stay_when_equalized():
    image = np.full((1, 4, 4, 1), 0.3, 'float32')
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layers.Equalization()(image)), image)


def test_corners_at_zero_stay_in_perspective():
    found = layers.RandomPerspective(1.0, 0.5, seed=1).get_random_transformation(IMAGES)
    ends = keras.ops.convert_to_numpy(found['end_points'])
    assert not ends[:, 0].any() and not ends[:, 1, 1].any() and not ends[:, 2, 0].any()
    assert (np.abs(ends[:, 3] / [7, 5] - 1) <= 0.25).all()


@pytest.mark.on('jax')
def test_seeded_draws_are_those_of_keras_3():
    images = np.random.RandomState(0).rand(3, 6, 8, 3).astype('float32') * 255
    for layer, total in ((layers.RandomTranslation(.3, .2, seed=3), 54254), (layers.RandomCrop(3, 4, seed=3), 14524),
                         (layers.RandomHue(.3, seed=3), 54692), (layers.RandomShear(.3, .2, seed=3), 54212),
                         (layers.RandomPerspective(.8, .5, seed=3), 50150)):
        assert abs(float(np.asarray(layer(images), 'float64').sum()) - total) < 2


@pytest.mark.on('numpy')
def test_resizing_pads_alike_on_both_sides():
    """As `ops.image.resize`: of 7 missing rows 3 come on each side, and the eleven are stretched."""
    x = np.random.RandomState(0).uniform(0, 1, (2, 5, 8, 1)).astype('float32')
    padded = np.pad(x, ((0, 0), (3, 3), (0, 0), (0, 0)), constant_values=0.5)
    found = layers.Resizing(6, 4, pad_to_aspect_ratio=True, fill_value=0.5)(x)
    np.testing.assert_allclose(found, keras.ops.image.resize(padded, (6, 4)), atol=1e-6)
