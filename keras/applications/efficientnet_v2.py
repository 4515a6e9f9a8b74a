"""EfficientNet, version 2: the first stages widen and convolve at once."""
import math

from keras import layers
from keras.applications.assembly import Family, preprocessing, published_as, with_defaults
from keras.applications.imagenet_utils import AS_THEY_ARE
from keras.applications.efficientnet import (DROP_CONNECT_RATE, SQUEEZED, active, added, classified, conv, depthwise,
                                             squeezed)

MOMENTUM = 0.9
# Number of blocks, filters, the factor by which blocks widen, the stride of the first block, and whether the blocks
# widen and convolve at once, without squeezing.
_SMALL = [(2, 24, 1, 1, True), (4, 48, 4, 2, True), (4, 64, 4, 2, True), (6, 128, 4, 2, False), (9, 160, 6, 1, False),
          (15, 256, 6, 2, False)]
_MEDIUM = [(3, 24, 1, 1, True), (5, 48, 4, 2, True), (5, 80, 4, 2, True), (7, 160, 4, 2, False),
           (14, 176, 6, 1, False), (18, 304, 6, 2, False), (5, 512, 6, 1, False)]
_LARGE = [(4, 32, 1, 1, True), (7, 64, 4, 2, True), (7, 96, 4, 2, True), (10, 192, 4, 2, False),
          (19, 224, 6, 1, False), (25, 384, 6, 2, False), (7, 640, 6, 1, False)]
_BASE = [(1, 16, 1, 1, True), (2, 32, 4, 2, True), (2, 48, 4, 2, True), (3, 96, 4, 2, False), (5, 112, 6, 1, False),
         (8, 192, 6, 2, False)]


def _describe(net, x):
    if net.include_preprocessing:
        x = _preprocessed(net, x)
    stem = _scaled(32 if net.is_base else net.stages[0][1], net.width)
    x = active(net, conv(x, stem, 3, 'stem_conv', 2), 'stem_', MOMENTUM)
    repeats = [math.ceil(net.depth * stage[0]) for stage in net.stages]
    # The rate rises as if the network were not deeper, as in the published ones.
    count = sum(stage[0] for stage in net.stages)
    number = 0
    for stage, (blocks, (_, filters, factor, stride, fused)) in enumerate(zip(repeats, net.stages), 1):
        for block in range(blocks):
            x = (_fused if fused else _block)(net, x, _scaled(filters, net.width), stride if block == 0 else 1, factor,
                                              DROP_CONNECT_RATE * number / count,
                                              'block%d%s_' % (stage, chr(ord('a') + block)))
            number += 1
    return active(net, conv(x, _scaled(1280, net.width), 1, 'top_conv'), 'top_', MOMENTUM)


def _scaled(filters, width):
    """`filters` times `width`, rounded to a multiple of 8."""
    return max(8, int(filters * width + 4) // 8 * 8)


def _preprocessed(net, x):
    if net.is_base and x.shape[net.axis] == 3:
        x = layers.Rescaling(scale=1.0 / 255)(x)
        return layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.229 ** 2, 0.224 ** 2, 0.225 ** 2],
                                    axis=net.axis)(x)
    return layers.Rescaling(scale=1.0 / 128.0, offset=-1)(x)


def _normed(net, x, name):
    return layers.BatchNormalization(axis=net.axis, momentum=MOMENTUM, name=name)(x)


def _block(net, before, filters, stride, factor, rate, name):
    x, channels = before, before.shape[net.axis]
    if factor > 1:
        x = _normed(net, conv(x, channels * factor, 1, name + 'expand_conv'), name + 'expand_bn')
        x = layers.Activation('swish', name=name + 'expand_activation')(x)
    x = _normed(net, depthwise(x, 3, stride, name + 'dwconv2'), name + 'bn')
    x = layers.Activation('swish', name=name + 'activation')(x)
    x = squeezed(net, x, max(1, int(channels * SQUEEZED)), name)
    x = _normed(net, conv(x, filters, 1, name + 'project_conv'), name + 'project_bn')
    return added(x, before, rate, name) if stride == 1 and channels == filters else x


def _fused(net, before, filters, stride, factor, rate, name):
    x, channels = before, before.shape[net.axis]
    if factor > 1:
        x = _normed(net, conv(x, channels * factor, 3, name + 'expand_conv', stride), name + 'expand_bn')
        x = layers.Activation('swish', name=name + 'expand_activation')(x)
    x = conv(x, filters, 1 if factor > 1 else 3, name + 'project_conv', 1 if factor > 1 else stride)
    x = _normed(net, x, name + 'project_bn')
    if factor == 1:
        x = layers.Activation('swish', name=name + 'project_activation')(x)
    return added(x, before, rate, name) if stride == 1 and channels == filters else x


_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Tan and Le, EfficientNetV2: smaller models and faster training (2021).', _describe, top=classified,
                 arguments=with_defaults()[:-1] + (('include_preprocessing', True), ('name', None)),
                 own='include_preprocessing: whether the network scales pictures itself. ')
# Stages, width, depth, size of pictures, and the hashes of the weights with and without the top.
_MEMBERS = {
    'B0': (_BASE, 1.0, 1.0, 224, '21ecbf6da12460d5c40bb2f29ceb2188', '893217f2bb855e2983157299931e43ff'),
    'B1': (_BASE, 1.0, 1.1, 240, '069f0534ff22adf035c89e2d9547a9dc', '0e80663031ca32d657f9caa404b6ec37'),
    'B2': (_BASE, 1.1, 1.2, 260, '424e49f28180edbde1e94797771950a7', '1dfe2e7a5d45b6632553a8961ea609eb'),
    'B3': (_BASE, 1.2, 1.4, 300, '1f1fc43bd98a6e4fd8fdfd551e02c7a0', 'f6abf7b5849ac99a89b50dd3fd532856'),
    'S': (_SMALL, 1.0, 1.0, 384, 'e1d88a8495beba45748fedd0cecbe016', 'af0682fb74e8c54910f2d4393339c070'),
    'M': (_MEDIUM, 1.0, 1.0, 480, 'a3bf6aa3276309f4fc6a34aa114c95cd', '1b8dc055df72dde80d614482840fe342'),
    'L': (_LARGE, 1.0, 1.0, 480, '27e6d408b53c7ebc868fefa357689935', 'b0b66b5c863aef5b46e8608fe1711615')}


def _member(name):
    stages, width, depth, size, *hashes = _MEMBERS[name]
    called = 'efficientnetv2-' + name.lower()
    files = zip(['%s%s.h5' % (called, tail) for tail in ('', '_notop')], hashes)
    return _FAMILY.network('EfficientNetV2' + name, published_as('efficientnet_v2/', *files), called=called,
                           stages=stages, is_base=stages is _BASE, width=width, depth=depth, size=size, dropout=0.2)


EfficientNetV2B0, EfficientNetV2B1, EfficientNetV2B2, EfficientNetV2B3 = map(_member, ('B0', 'B1', 'B2', 'B3'))
EfficientNetV2S, EfficientNetV2M, EfficientNetV2L = map(_member, 'SML')
preprocess_input, decode_predictions = preprocessing(__name__, AS_THEY_ARE)
