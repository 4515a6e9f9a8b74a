"""The networks, held against those of Keras 2.3.1 (keras-applications 1.0.8), tf.keras 2.15 and Keras 3.15.1.

networks.json is what `record.py` prints with these releases: for each network a digest of its layers, their order,
names, arguments and connections and the shapes of their weights, and file, address and hash of its pretrained weights.
"""
import json
import os

import numpy as np
import pytest
import structure

import keras
from keras.applications import assembly

pytestmark = pytest.mark.on('numpy')

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, 'networks.json')) as file:
    RECORDED = json.load(file)
# Without their tops the networks are the same; one of each kind is built so.
# In tf.keras NASNet without its top leaves out what adapts sizes where these are unknown; its weights do not fit then.
RECORDED.pop('tf nasnet.NASNetMobile-notop')
BUILT = sorted(name for name in RECORDED if not name.endswith('-notop') or name.split()[1].split('-')[0] in (
    'convnext.ConvNeXtTiny', 'efficientnet.EfficientNetB0', 'densenet.DenseNet121', 'mobilenet.MobileNet',
    'mobilenet_v2.MobileNetV2', 'mobilenet_v3.MobileNetV3Small', 'nasnet.NASNetMobile', 'vgg16.VGG16'))


def function_of(name):
    module, _, function = name.partition('.')
    home = keras.applications if module == 'mobilenet_v3' else getattr(keras.applications, module)
    return getattr(home, function)


@pytest.fixture
def downloads(monkeypatch):
    """What the networks ask for; nothing is downloaded or loaded."""
    asked = []

    def get_file(name, origin, cache_subdir, file_hash):
        assert cache_subdir == 'models'
        asked.append([name, origin, file_hash])
    monkeypatch.setattr(assembly, 'get_file', get_file)
    monkeypatch.setattr(keras.Model, 'load_weights', lambda self, path: None)
    return asked


@pytest.mark.filterwarnings('ignore:.*Weights for input shape')
@pytest.mark.parametrize('recorded', BUILT)
def test_networks_are_those_of_upstream(recorded, downloads):
    generation, name = recorded.split()
    include_top = not name.endswith('-notop')
    keras.backend.clear_session()
    with keras.config.generation(generation):
        model = function_of(name.replace('-notop', ''))(include_top=include_top)
    described = structure.lines(model)
    label, number, parameters, digest, *weights = RECORDED[recorded]
    assert (model.name, len(described), model.count_params()) == (label, number, parameters)
    assert structure.digest(described) == digest
    file, address, file_hash = downloads[-1]
    assert (file, file_hash) == (weights[0], weights[2])
    if generation != '2':  # there the addresses are older ones for the same files
        assert address == weights[1]


def test_files_that_keras_2_has_elsewhere_are_the_same():
    """By their hashes; but for those of its own ResNet50."""
    hashes = {values[6] for name, values in RECORDED.items() if name[0] != '2'}
    others = {name for name, values in RECORDED.items() if name[0] == '2' and values[6] not in hashes}
    assert {name.split()[1].partition('-')[0] for name in others} <= {'resnet50.ResNet50'}


# --- arguments --------------------------------------------------------------------------------------------------------

def small(name='MobileNet', **kwargs):
    kwargs = dict({'weights': None, 'input_shape': (32, 32, 3), 'alpha': 0.25, 'classes': 5}, **kwargs)
    return getattr(keras.applications, name)(**kwargs)


def test_top_pooling_and_activation():
    x = np.random.rand(2, 32, 32, 3).astype('float32')
    model = small()
    predicted = model.predict(x)
    assert predicted.shape == (2, 5)
    np.testing.assert_allclose(predicted.sum(-1), 1, rtol=1e-5)
    logits = small(classifier_activation=None)
    logits.set_weights(model.get_weights())
    exponents = np.exp(logits.predict(x))
    np.testing.assert_allclose(exponents / exponents.sum(-1, keepdims=True), predicted, atol=1e-6)
    features = small(include_top=False)
    assert features.output_shape == (None, 1, 1, 256)
    pooled = {pooling: small(include_top=False, pooling=pooling) for pooling in ('avg', 'max')}
    for pooling, one in pooled.items():
        one.set_weights(features.get_weights())
        np.testing.assert_allclose(one.predict(x), getattr(features.predict(x), {'avg': 'mean', 'max': 'max'}[pooling])(
            axis=(1, 2)), rtol=1e-5, atol=1e-6)


def test_input_tensor():
    given = keras.Input((32, 32, 3), name='picture')
    model = small(input_tensor=keras.layers.Rescaling(2.0)(given), input_shape=None, include_top=False)
    assert model.input_names == ['picture']
    assert model.layers[1].name.startswith('rescaling')


def test_weights_from_a_path(tmp_path):
    model = small()
    model.save_weights(str(tmp_path / 'weights.h5'))
    again = small(weights=str(tmp_path / 'weights.h5'))
    for ours, theirs in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_several_in_one_model():
    """The names of layers differ, where they are automatic."""
    x = keras.Input((75, 75, 3))
    networks = [keras.applications.InceptionV3(weights=None, include_top=False, pooling='avg', name=name)
                for name in ('first', 'second')]
    assert keras.Model(x, [network(x) for network in networks]).output_shape == [(None, 2048)] * 2


def test_modules_of_keras_applications_are_accepted():
    """As keras-applications itself, and Keras 2's wrappers of it, were called."""
    model = keras.applications.vgg16.VGG16(weights=None, include_top=False, backend=keras.backend, layers=keras.layers,
                                           models=keras.models, utils=keras.utils)
    assert model.output_shape == (None, None, None, 512)

    @keras.applications.keras_modules_injection
    def found(name, **kwargs):
        return name, kwargs
    assert found('a') == ('a', {'backend': keras.backend, 'layers': keras.layers, 'models': keras.models,
                                'utils': keras.utils})


@pytest.mark.parametrize('kwargs, words', [
    ({'weights': 'imagenot'}, "There is no file 'imagenot'"),
    ({'weights': 'imagenet', 'classes': 5}, 'classes.*should be 1000'),
    ({'weights': 'imagenet', 'classes': 1000, 'alpha': 0.3, 'input_shape': None}, 'alpha can be one of'),
    ({'weights': 'imagenet', 'classes': 1000, 'classifier_activation': 'relu'}, 'classifier_activation'),
    ({'weights': 'imagenet', 'include_top': False, 'input_shape': (32, 32, 1)}, '3 channels'),
    ({'input_shape': (31, 32, 3)}, 'at least 32x32'),
    ({'input_shape': (1, 32, 32, 3)}, 'three integers'),
    ({'input_shape': (None, 32, 3)}, 'static'),
    ({'pooling': 'mean'}, 'pooling')])
def test_what_does_not_go_together(kwargs, words):
    with pytest.raises(ValueError, match=words):
        small(**kwargs)


def test_unknown_argument():
    with pytest.raises(TypeError, match='VGG16.*input_size.*include_top'):
        keras.applications.VGG16(input_size=3)


def test_without_network_or_cache(tmp_path, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(tmp_path))
    monkeypatch.setattr('keras.utils.downloads._request', lambda *args: (_ for _ in ()).throw(OSError('unplugged')))
    with pytest.raises(OSError, match='mobilenet_2_5_224_tf.h5: unplugged.*put the file at'):
        keras.applications.MobileNet(alpha=0.25)


@pytest.mark.parametrize('name', ['ResNet50', 'DenseNet121', 'NASNetMobile', 'Xception', 'EfficientNetB0',
                                  'EfficientNetV2B0', 'InceptionV3', 'MobileNetV2', 'MobileNet'])
def test_channels_first(name):
    """The same network with the channels elsewhere: the same weights, the same features."""
    size = 96
    build = getattr(keras.applications, name)
    last = build(weights=None, include_top=False, pooling='avg', input_shape=(size, size, 3))
    data_format = keras.config.image_data_format()
    keras.config.set_image_data_format('channels_first')
    try:
        first = build(weights=None, include_top=False, pooling='avg', input_shape=(3, size, size))
    finally:
        keras.config.set_image_data_format(data_format)
    first.set_weights(last.get_weights())
    x = np.random.rand(1, size, size, 3).astype('float32')
    expected = last.predict(x)
    np.testing.assert_allclose(first.predict(np.moveaxis(x, -1, 1)), expected, rtol=1e-3, atol=1e-4)
