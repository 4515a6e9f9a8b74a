"""Weights by a formula from their place, kind and shape, so that two libraries can have the same without a file.

Also the networks of `predictions.json`, which holds what `record_predictions.py` printed with upstream's releases.
"""
import zlib

import numpy as np

# Generation, module, function, arguments; the pictures are squares of the size in `input_shape`, without the channels.
CASES = [
    ('2', 'mobilenet', 'MobileNet', {'alpha': 0.25, 'input_shape': 32}),
    ('3', 'mobilenet_v2', 'MobileNetV2', {'alpha': 0.35, 'input_shape': 32}),
    ('3', '', 'MobileNetV3Small', {'alpha': 0.75, 'input_shape': 32}),
    ('2', 'mobilenet_v2', 'MobileNetV2', {'alpha': 0.35, 'input_shape': 32}),
    ('3', 'mobilenet', 'MobileNet', {'alpha': 0.25, 'input_shape': 32}),
    ('3', '', 'MobileNetV3Large', {'minimalistic': True, 'input_shape': 32}),
    ('2', 'densenet', 'DenseNet121', {'input_shape': 32}),
    ('3', 'densenet', 'DenseNet121', {'input_shape': 32}),
    ('2', 'nasnet', 'NASNetMobile', {'input_shape': 33}),
    ('3', 'nasnet', 'NASNetMobile', {'input_shape': 33}),
    ('2', 'resnet50', 'ResNet50', {'include_top': False, 'pooling': 'avg', 'input_shape': 32}),
    ('2', 'resnet', 'ResNet101', {'include_top': False, 'pooling': 'avg', 'input_shape': 32}),
    ('3', 'resnet50', 'ResNet50', {'include_top': False, 'pooling': 'avg', 'input_shape': 45}),
    ('2', 'resnet_v2', 'ResNet50V2', {'input_shape': 32}),
    ('3', 'resnet_v2', 'ResNet50V2', {'input_shape': 32}),
    ('2', 'vgg16', 'VGG16', {'include_top': False, 'pooling': 'max', 'input_shape': 32}),
    ('3', 'vgg19', 'VGG19', {'include_top': False, 'pooling': 'avg', 'input_shape': 32}),
    ('2', 'inception_v3', 'InceptionV3', {'input_shape': 75}),
    ('3', 'inception_v3', 'InceptionV3', {'input_shape': 75}),
    ('2', 'inception_resnet_v2', 'InceptionResNetV2', {'include_top': False, 'pooling': 'avg', 'input_shape': 75}),
    ('3', 'inception_resnet_v2', 'InceptionResNetV2', {'include_top': False, 'pooling': 'avg', 'input_shape': 75}),
    ('2', 'xception', 'Xception', {'include_top': False, 'pooling': 'avg', 'input_shape': 71}),
    ('3', 'xception', 'Xception', {'include_top': False, 'pooling': 'avg', 'input_shape': 71}),
    ('3', 'efficientnet', 'EfficientNetB0', {'input_shape': 40}),
    ('3', 'efficientnet_v2', 'EfficientNetV2B0', {'input_shape': 40}),
    ('3', 'efficientnet_v2', 'EfficientNetV2S', {'input_shape': 32, 'include_top': False, 'pooling': 'avg'}),
    ('3', 'convnext', 'ConvNeXtTiny', {'input_shape': 40}),
]
CLASSES = 7
# These take pictures from 0 to 255.
# The variance of kernels, where the usual one would have the picture fade on its way through the layers.
GAINS = {'mobilenet': 3.2, 'MobileNetV3Small': 2.4, 'efficientnet': 2.4, 'inception_v3': 2.0}
SCALE_THEMSELVES = ('', 'efficientnet', 'efficientnet_v2', 'convnext')


def name_of(case):
    generation, module, function, arguments = case
    return ' '.join([generation, module, function] + ['%s=%s' % pair for pair in sorted(arguments.items())])


def arguments_of(case):
    arguments = dict(case[3], weights=None)
    size = arguments.pop('input_shape')
    if arguments.get('include_top', True):
        arguments['classes'] = CLASSES
    return dict(arguments, input_shape=(size, size, 3))


def pictures(case):
    size = case[3]['input_shape']
    x = np.random.RandomState(size).uniform(-1, 1, (2, size, size, 3))
    return ((x + 1) * 127.5 if case[1] in SCALE_THEMSELVES else x).astype('float32')


def weight(layer, index, name, shape, gain):
    """The value for the weight number `index` of layer number `layer`, called `name`."""
    generator = np.random.RandomState(zlib.crc32(('%d %d %s' % (layer, index, tuple(shape))).encode()))
    kind = name.split(':')[0].split('/')[-1]
    if kind == 'count':
        return np.zeros(shape, 'int32')
    # Numbers that repeat, so that large networks do not take long.
    value = np.resize(generator.standard_normal(10007), shape)
    if kind.endswith('kernel'):
        # A depthwise kernel, whatever it is called, has one input channel for each output.
        inputs = np.prod(shape[:-2] if shape[-1] == 1 else shape[:-1])
        return (value * np.sqrt(gain / inputs)).astype('float32')
    # Keras 3's LayerScale has no name for its gamma.
    if kind in ('gamma', 'variance', 'moving_variance') or kind.startswith('variable'):
        return (1 + 0.1 * np.clip(value, -3, 3)).astype('float32')
    return (0.1 * value).astype('float32')


def set_weights(case, model, backend):
    """Give all layers of a model their weights by the formula; `backend` is keras.backend."""
    holders = [layer for layer in model.layers if layer.weights]
    gain = GAINS.get(case[1] or case[2], 1.6)
    pairs = [(variable, weight(place, index, variable.name, tuple(int(size) for size in variable.shape), gain))
             for place, layer in enumerate(holders) for index, variable in enumerate(layer.weights)]
    if hasattr(backend, 'batch_set_value'):
        backend.batch_set_value(pairs)  # one by one takes Keras 2 minutes
    else:
        for variable, value in pairs:
            variable.assign(value)
