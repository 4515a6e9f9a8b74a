"""The works that are timed: data, and the model in Keras. Runs on our keras and on upstream's (from 2.2.4 on) alike.

a `mlp`: 64-64-10, batch 32. b `conv`: three blocks of convolution, batch normalization and pooling on 32x32x3,
batch 64. c `lstm`: embedding and LSTM(128) over 100 steps, batch 32. d `resnet50`: `keras.applications.ResNet50` on
224x224x3 with ten classes, batch 8; on its own, for it takes long.
"""
import os
import sys

import numpy as np

WORKS = ('mlp', 'conv', 'lstm')
BATCH = {'mlp': 32, 'conv': 64, 'lstm': 32, 'resnet50': 8}
STEPS = {'mlp': 300, 'conv': 6, 'lstm': 8, 'resnet50': 1}
# ResNet-50: filters and number of blocks, and the epsilon of its normalization.
STACKS, RESIDUAL_EPSILON = ((64, 3), (128, 4), (256, 6), (512, 3)), 1.001e-5
FILTERS = (32, 64, 64)
VOCABULARY, EMBEDDED, LSTM_UNITS, LENGTH = 2000, 64, 128, 100
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
MOMENTUM, NORMALIZATION_EPSILON = 0.99, 1e-3


def data(work, steps=None, data_format='channels_last'):
    """Inputs and targets as NumPy arrays for `steps` steps."""
    count = (steps or STEPS[work]) * BATCH[work]
    generator = np.random.RandomState(0)
    if work == 'lstm':
        x = generator.randint(0, VOCABULARY, (count, LENGTH)).astype('int32')
        return x, generator.randint(0, 2, (count, 1)).astype('float32')
    size = 224 if work == 'resnet50' else 32
    shape = (64,) if work == 'mlp' else (size, size, 3) if data_format == 'channels_last' else (3, size, size)
    return generator.rand(count, *shape).astype('float32'), generator.randint(0, 10, count).astype('int64')


def model(work, data_format='channels_last'):
    """The compiled Keras model of a work: of ours, of Keras 3, 2.3.1 or keras-mxnet 2.2.4."""
    import keras
    layers = keras.layers
    if work == 'resnet50':
        network = keras.applications.ResNet50(weights=None, classes=10, classifier_activation=None)
        inputs, outputs = network.inputs[0], network.outputs[0]
    elif work == 'mlp':
        inputs = keras.Input((64,))
        outputs = layers.Dense(10)(layers.Dense(64, activation='relu')(inputs))
    elif work == 'conv':
        last = data_format == 'channels_last'
        inputs = x = keras.Input((32, 32, 3) if last else (3, 32, 32))
        for filters in FILTERS:
            x = layers.Conv2D(filters, 3, padding='same', use_bias=False, data_format=data_format)(x)
            x = layers.BatchNormalization(axis=-1 if last else 1)(x)
            x = layers.MaxPooling2D(data_format=data_format)(layers.Activation('relu')(x))
        outputs = layers.Dense(10)(layers.Flatten()(x))
    else:
        inputs = keras.Input((LENGTH,), dtype='int32')
        x = layers.Embedding(VOCABULARY, EMBEDDED)(inputs)
        outputs = layers.Dense(1)(layers.LSTM(LSTM_UNITS, recurrent_activation='sigmoid')(x))
    result = keras.models.Model(inputs, outputs)
    result.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), loss=_loss(keras, work))
    return result


def _loss(keras, work):
    """The crossentropy of logits; Keras 2 has it in its backend only."""
    if int(keras.__version__.split('.')[0]) > 2:
        return (keras.losses.BinaryCrossentropy(from_logits=True) if work == 'lstm' else
                keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    K = keras.backend
    if work == 'lstm':
        return lambda y_true, y_pred: K.mean(K.binary_crossentropy(y_true, y_pred, from_logits=True), axis=-1)
    return lambda y_true, y_pred: K.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)


def residual_network():
    """ResNet-50 (He et al. 2015): 50 layers with weights to multiply by, 25.6 million of them."""
    import keras
    layers = keras.layers

    def normalized(x, filters, size, strides=1, relu=True):
        x = layers.Conv2D(filters, size, strides=strides, padding='same')(x)
        x = layers.BatchNormalization()(x)
        return layers.Activation('relu')(x) if relu else x

    inputs = layers.Input((224, 224, 3))
    x = layers.MaxPooling2D(3, strides=2, padding='same')(normalized(inputs, 64, 7, 2))
    for stage, (filters, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(blocks):
            strides = 2 if block == 0 and stage > 0 else 1
            shortcut = normalized(x, 4 * filters, 1, strides, relu=False) if block == 0 else x
            inner = normalized(normalized(x, filters, 1, strides), filters, 3)
            x = layers.Activation('relu')(layers.Add()([normalized(inner, 4 * filters, 1, relu=False), shortcut]))
    outputs = layers.Dense(1000, activation='softmax')(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, outputs)


def residual_convolutions():
    """(name, channels before, filters, size, stride) of the convolutions of ResNet-50, by their places."""
    yield 'stem', 3, 64, 7, 2
    before = 64
    for stack, (filters, blocks) in enumerate(STACKS):
        for block in range(blocks):
            name, stride = '%d_%d' % (stack, block), 2 if block == 0 and stack > 0 else 1
            if block == 0:
                yield name + '_0', before, 4 * filters, 1, stride
            yield name + '_1', before, filters, 1, stride
            yield name + '_2', filters, filters, 3, 1
            yield name + '_3', filters, 4 * filters, 1, 1
            before = 4 * filters


def raw_peer(engine, work):
    """The same work in the engine's own terms, as an expert would write it: see `raw_jax.py` and its kin."""
    import importlib
    return importlib.import_module('raw_' + engine).Peer(work)


def keras_is_upstream():
    """Whether this process measures upstream's keras; if so, MXNet forgets what the raw code has switched on."""
    upstream = os.environ.get('KERAS_BENCHMARK_PEER') == 'upstream'
    if upstream and 'mxnet' in sys.modules:
        sys.modules['mxnet'].npx.reset_np()
    return upstream


def raw_alternatives(engine):
    """{name: Peer} of slower ways to write the same on that engine, where its raw code has any."""
    import importlib
    return getattr(importlib.import_module('raw_' + engine), 'ALTERNATIVES', {})


def initial_weights(work):
    """NumPy arrays by name, drawn small: the start of the raw peers."""
    shapes = {'mlp': {'w1': (64, 64), 'b1': (64,), 'w2': (64, 10), 'b2': (10,)},
              'lstm': {'table': (VOCABULARY, EMBEDDED), 'kernel': (EMBEDDED, 4 * LSTM_UNITS),
                       'recurrent': (LSTM_UNITS, 4 * LSTM_UNITS), 'bias': (4 * LSTM_UNITS,),
                       'w': (LSTM_UNITS, 1), 'b': (1,)},
              'conv': {'w': (4 * 4 * FILTERS[-1], 10), 'b': (10,)}, 'resnet50': {'w': (2048, 10), 'b': (10,)}}[work]
    if work == 'resnet50':
        for name, before, filters, size, _ in residual_convolutions():
            shapes.update({'kernel' + name: (size, size, before, filters), 'bias' + name: (filters,),
                           'scale' + name: (filters,), 'offset' + name: (filters,)})
    if work == 'conv':
        for index, (before, filters) in enumerate(zip((3,) + FILTERS, FILTERS)):
            shapes.update({'kernel%d' % index: (3, 3, before, filters), 'scale%d' % index: (filters,),
                           'offset%d' % index: (filters,)})
    generator = np.random.RandomState(1)
    return {name: np.ones(shape, 'float32') if name.startswith('scale') else
            np.zeros(shape, 'float32') if len(shape) == 1 else
            (generator.randn(*shape) / np.sqrt(np.prod(shape[:-1]))).astype('float32')
            for name, shape in shapes.items()}
