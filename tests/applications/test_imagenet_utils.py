"""Pictures on their way in and predictions on their way out.

Expected numbers follow from the definition of the modes; those of `decode_predictions` from the file that the test
makes.
"""
import hashlib
import json

import numpy as np
import pytest

import keras
from keras import ops
from keras.applications import imagenet_utils as utils

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
EXPECTED = {'caffe': lambda x: x[..., ::-1] - [103.939, 116.779, 123.68], 'tf': lambda x: x / 127.5 - 1,
            'torch': lambda x: (x / 255 - MEAN) / DEVIATION}


def pictures(shape=(2, 4, 5, 3)):
    return np.random.RandomState(0).uniform(0, 255, shape)


@pytest.mark.parametrize('mode', sorted(EXPECTED))
@pytest.mark.parametrize('shape', [(2, 4, 5, 3), (4, 5, 3)])
def test_arrays_and_tensors(mode, shape):
    x = pictures(shape)
    expected = EXPECTED[mode](x)
    np.testing.assert_allclose(utils.preprocess_input(x.copy(), mode=mode), expected, rtol=1e-6)
    first = np.moveaxis(x, -1, -3)
    found = utils.preprocess_input(first.copy(), 'channels_first', mode)
    np.testing.assert_allclose(found, np.moveaxis(expected, -1, -3), rtol=1e-6)
    tensor = ops.convert_to_tensor(x.astype('float32'))
    np.testing.assert_allclose(ops.convert_to_numpy(utils.preprocess_input(tensor, mode=mode)), expected, rtol=1e-4,
                               atol=1e-4)


@pytest.mark.parametrize('mode', sorted(EXPECTED))
def test_symbolic(mode):
    x = pictures().astype('float32')
    for data_format, data in (('channels_last', x), ('channels_first', np.moveaxis(x, -1, 1))):
        given = keras.Input(data.shape[1:])
        model = keras.Model(given, utils.preprocess_input(given, data_format, mode))
        expected = EXPECTED[mode](x)
        expected = expected if data_format == 'channels_last' else np.moveaxis(expected, -1, 1)
        np.testing.assert_allclose(model.predict(data), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.on('numpy')
def test_integers_become_floats_and_floats_keep_their_type():
    whole = np.full((1, 2, 2, 3), 255, 'uint8')
    assert utils.preprocess_input(whole, mode='tf').dtype == 'float32'
    assert whole.dtype == 'uint8' and whole.max() == 255
    for dtype in ('float16', 'float64'):
        assert utils.preprocess_input(pictures().astype(dtype), mode='torch').dtype == dtype
    frozen = pictures()
    frozen.setflags(write=False)
    np.testing.assert_allclose(utils.preprocess_input(frozen, mode='tf'), frozen / 127.5 - 1)


@pytest.mark.on('numpy')
@pytest.mark.parametrize('module, mode', [('vgg16', 'caffe'), ('vgg19', 'caffe'), ('resnet', 'caffe'),
                                          ('resnet50', 'caffe'), ('resnet_v2', 'tf'), ('inception_v3', 'tf'),
                                          ('inception_resnet_v2', 'tf'), ('xception', 'tf'), ('mobilenet', 'tf'),
                                          ('mobilenet_v2', 'tf'), ('nasnet', 'tf'), ('densenet', 'torch'),
                                          ('efficientnet', None), ('efficientnet_v2', None), ('convnext', None)])
def test_modes_of_the_networks(module, mode):
    x = pictures()
    found = getattr(keras.applications, module).preprocess_input(x.copy())
    np.testing.assert_allclose(found, x if mode is None else EXPECTED[mode](x))


@pytest.mark.on('numpy')
def test_what_is_no_picture():
    with pytest.raises(ValueError, match='mode.*caffe'):
        utils.preprocess_input(pictures(), mode='some')
    with pytest.raises(ValueError, match='data_format'):
        keras.applications.vgg16.preprocess_input(pictures(), data_format='channels_middle')
    with pytest.raises(ValueError, match=r'three colours.*\(2, 4, 5, 1\)'):
        utils.preprocess_input(pictures((2, 4, 5, 1)))


@pytest.mark.on('numpy')
def test_decode_predictions(tmp_path, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(tmp_path))
    content = json.dumps({str(index): ['n%08d' % index, 'thing_%d' % index] for index in range(1000)}).encode()
    monkeypatch.setattr(utils, 'CLASS_INDEX', None)
    monkeypatch.setattr(utils, 'CLASS_INDEX_HASH', hashlib.md5(content).hexdigest())
    (tmp_path / 'models').mkdir()
    (tmp_path / 'models' / 'imagenet_class_index.json').write_bytes(content)
    predicted = np.zeros((2, 1000), 'float32')
    predicted[0, [7, 3, 999]] = 0.2, 0.7, 0.1
    predicted[1, 5] = 1
    for preds in (predicted, ops.convert_to_tensor(predicted)):
        first, second = keras.applications.vgg16.decode_predictions(preds, top=3)
        assert [entry[:2] for entry in first] == [('n00000003', 'thing_3'), ('n00000007', 'thing_7'),
                                                  ('n00000999', 'thing_999')]
        assert np.isclose(first[0][2], 0.7) and second[0] == ('n00000005', 'thing_5', 1.0)
    with pytest.raises(ValueError, match=r'1000.*\(2, 10\)'):
        utils.decode_predictions(predicted[:, :10])


# --- shapes -----------------------------------------------------------------------------------------------------------

@pytest.mark.on('numpy')
def test_shapes_of_inputs():
    obtain = utils.obtain_input_shape
    last, first = 'channels_last', 'channels_first'
    assert obtain(None, 224, 32, last, True, 'imagenet') == (224, 224, 3)
    assert obtain(None, 224, 32, first, True, None) == (3, 224, 224)
    assert obtain(None, 224, 32, last, False, None) == (None, None, 3)
    assert obtain((64, 48, 3), 224, 32, last, False, 'imagenet') == (64, 48, 3)
    assert obtain((1, 64, 48), 224, 32, first, True, None) == (1, 64, 48)
    with pytest.warns(UserWarning, match='99 input channels'):
        assert obtain((64, 64, 99), None, 32, last, False, 'file') == (64, 64, 99)
    for shape, flatten, weights in [((64, 64, 3), True, 'imagenet'), ((16, 64, 3), False, None), ((64,), False, None),
                                    ((64, 64, 5), False, 'imagenet'), ((None, None, 3), True, None)]:
        with pytest.raises(ValueError, match='nput'):
            obtain(shape, 224, 32, last, flatten, weights)


@pytest.mark.on('numpy')
def test_padding_before_strides():
    """With it a convolution without padding has windows where one with 'same' has them for odd sizes."""
    assert utils.correct_pad(keras.Input((15, 16, 3)), 3) == ((1, 1), (0, 1))
    assert utils.correct_pad(keras.Input((None, None, 3)), (5, 3)) == ((1, 2), (0, 1))
