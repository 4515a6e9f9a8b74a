"""Keras 1's spellings of K warn and do what they did."""
import json
import os
import warnings

import numpy as np
import pytest

from keras import backend as K

X = np.arange(16.0, dtype='float32').reshape(1, 4, 4, 1)
KERNEL = np.arange(8.0, dtype='float32').reshape(2, 2, 1, 2)


def warned(function, *args, **kwargs):
    """The value of a call, which must warn of its spelling, with this file as the place."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        result = function(*args, **kwargs)
    caught = [one for one in caught if issubclass(one.category, DeprecationWarning) and 'Keras 1' in str(one.message)]
    assert caught and os.path.basename(caught[0].filename) == os.path.basename(__file__), caught
    return K.eval(result) if K.is_tensor(result) else result


def first(x):
    return np.moveaxis(x, -1, 1)


@pytest.mark.parametrize('old, new', [
    (lambda: K.conv2d(X, KERNEL, border_mode='same', dim_ordering='tf'), lambda: K.conv2d(X, KERNEL, padding='same')),
    (lambda: K.conv2d(X, KERNEL, filter_dilation=(2, 2), image_shape=(1, 4, 4, 1)),
     lambda: K.conv2d(X, KERNEL, dilation_rate=(2, 2))),
    (lambda: K.conv2d(first(X), KERNEL.transpose(3, 2, 0, 1), dim_ordering='th'),
     lambda: K.permute_dimensions(K.conv2d(X, KERNEL), (0, 3, 1, 2))),
    (lambda: K.conv2d(first(X), KERNEL.transpose(3, 2, 0, 1), (1, 1), 'valid', 'th'),
     lambda: K.permute_dimensions(K.conv2d(X, KERNEL), (0, 3, 1, 2))),
    (lambda: K.conv1d(X[:, :, 0], KERNEL[0], stride=2), lambda: K.conv1d(X[:, :, 0], KERNEL[0], strides=2)),
    (lambda: K.atrous_conv2d(X, KERNEL, rate=2), lambda: K.conv2d(X, KERNEL, dilation_rate=(2, 2))),
    (lambda: K.deconv2d(X, KERNEL, (1, 8, 8, 2), (2, 2), 'same'),
     lambda: K.conv2d_transpose(X, KERNEL.swapaxes(2, 3), (1, 8, 8, 2), (2, 2), 'same')),
    (lambda: K.pool2d(X, (2, 2), border_mode='same'), lambda: K.pool2d(X, (2, 2), padding='same')),
    (lambda: K.expand_dims(X, dim=1), lambda: K.expand_dims(X, axis=1)),
    (lambda: K.one_hot(np.array([1, 0]), nb_classes=3), lambda: K.one_hot(np.array([1, 0]), 3)),
    (lambda: K.resize_images(X=X, height_factor=2, width_factor=1, dim_ordering='tf'),
     lambda: K.resize_images(X, 2, 1, 'channels_last')),
    (lambda: K.resize_images(first(X), 2, 1, 'th'), lambda: K.resize_images(first(X), 2, 1, 'channels_first')),
    (lambda: K.spatial_2d_padding(X, (1, 2)), lambda: K.spatial_2d_padding(X, ((1, 1), (2, 2)))),
    (lambda: K.temporal_padding(X[:, :, 0], 2), lambda: K.temporal_padding(X[:, :, 0], (2, 2))),
    (lambda: K.asymmetric_temporal_padding(X[:, :, 0], 2, 0), lambda: K.temporal_padding(X[:, :, 0], (2, 0))),
    (lambda: K.asymmetric_spatial_2d_padding(X, 1, 0, 2, 1), lambda: K.spatial_2d_padding(X, ((1, 0), (2, 1)))),
    (lambda: K.lesser(X, 3.0), lambda: K.less(X, 3.0)), (lambda: K.lesser_equal(X, 3.0), lambda: K.less_equal(X, 3.0))])
def test_old_and_new_agree(old, new):
    np.testing.assert_allclose(warned(old), K.eval(new()))


def test_random_numbers():
    drawn = warned(lambda: K.random_normal((50,), mean=2.0, std=0.01))
    assert abs(drawn.mean() - 2.0) < 0.1
    drawn = warned(lambda: K.random_uniform((50,), low=3.0, high=4.0))
    assert drawn.min() >= 3.0 and drawn.max() <= 4.0


def test_variables_and_shapes():
    v = K.variable(np.ones((2, 3)))
    assert warned(lambda: K.get_variable_shape(v)) == (2, 3)
    assert warned(lambda: K.batch_get_value(xs=[v]))[0].shape == (2, 3)
    update = K.moving_average_update
    assert warned(lambda: update(variable=v, value=K.zeros((2, 3)), momentum=0.5))[0, 0] == 0.5


def test_dim_ordering():
    before = K.image_data_format()
    try:
        warned(lambda: K.set_image_dim_ordering('th'))
        assert K.image_data_format() == 'channels_first' and warned(lambda: K.image_dim_ordering()) == 'th'
    finally:
        K.set_image_data_format(before)
    with pytest.raises(ValueError, match="'th', 'tf'"):
        K.set_image_dim_ordering('theano')


def test_both_spellings_are_too_many():
    with pytest.raises(TypeError, match='same argument'):
        K.conv2d(X, KERNEL, padding='same', border_mode='same')


def test_new_spellings_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        K.eval(K.spatial_2d_padding(K.conv2d(X, KERNEL, padding='same')))
        K.eval(K.temporal_padding(X[:, :, 0]))


def test_every_name_of_keras_1():
    path = os.path.join(os.path.dirname(__file__), '..', '..', '..', 'shared', 'spec', 'keras-1.2.2.json')
    if not os.path.exists(path):
        pytest.skip('the list of names is not here')
    with open(path) as file:
        names = json.load(file)['modules']['keras.backend']
    assert [name for name in names if not hasattr(K, name)] == []
