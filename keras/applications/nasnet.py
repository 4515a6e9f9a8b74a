"""NASNet: cells that a search has found, stacked. A cell works on the outputs of the two cells before it."""
from keras import generations, layers
from keras.applications.assembly import Family, preprocessing, published_as, with_defaults
from keras.applications.imagenet_utils import SIGNED, correct_pad

GROWTH = 2


def _describe(net, x):
    if net.name in ('nasnet_mobile', 'nasnet_large'):
        net.name = generations.value('name_of_nasnet') or net.name
    filters = net.penultimate_filters // 24
    x = layers.Conv2D(net.stem_filters, (3, 3), strides=(2, 2), use_bias=False, kernel_initializer='he_normal',
                      name='stem_conv1')(x)
    x = _normed(net, x, 'stem_bn1')
    x, before = _reduction(net, x, None, filters // GROWTH ** 2, 'stem_1')
    x, before = _reduction(net, x, before, filters // GROWTH, 'stem_2')
    for stage in range(3):
        first = stage * net.cells + (stage > 0)
        if stage:
            x, skipped = _reduction(net, x, before, filters * GROWTH ** stage, 'reduce_%d' % (stage * net.cells))
            before = before if net.skips_reduction else skipped
        for number in range(first, first + net.cells):
            x, before = _normal(net, x, before, filters * GROWTH ** stage, str(number))
    return layers.Activation('relu')(x)


def _top(net, x):
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(net.classes, activation=net.classifier_activation, name='predictions')(x)


def _normed(net, x, name):
    return layers.BatchNormalization(axis=net.axis, momentum=0.9997, epsilon=1e-3, name=name)(x)


def _pointwise(net, x, filters, name):
    return layers.Conv2D(filters, (1, 1), padding='same', use_bias=False, kernel_initializer='he_normal',
                         name=name)(x)


def _separable(net, x, filters, size, strides, name):
    x = layers.Activation('relu')(x)
    padding = 'same'
    if strides == 2:
        x = layers.ZeroPadding2D(correct_pad(x, size), name='separable_conv_1_pad_' + name)(x)
        padding = 'valid'
    for index in (1, 2):
        if index == 2:
            x, strides, padding = layers.Activation('relu')(x), 1, 'same'
        x = layers.SeparableConv2D(filters, (size, size), strides=(strides, strides), padding=padding, use_bias=False,
                                   name='separable_conv_%d_%s' % (index, name))(x)
        x = _normed(net, x, 'separable_conv_%d_bn_%s' % (index, name))
    return x


def _adjusted(net, before, x, filters, cell):
    """The output of the cell before the last, with the rows, columns and channels that this cell wants."""
    if before is None:
        return x
    row = 1 if net.axis == 3 else 2
    if before.shape[row] != x.shape[row]:
        before = layers.Activation('relu', name='adjust_relu_1_' + cell)(before)
        parts = []
        for index in (1, 2):
            part = before
            if index == 2:  # moved by one pixel
                part = layers.ZeroPadding2D(((0, 1), (0, 1)))(part)
                part = layers.Cropping2D(((1, 0), (1, 0)))(part)
            part = layers.AveragePooling2D((1, 1), strides=(2, 2), name='adjust_avg_pool_%d_%s' % (index, cell))(part)
            parts.append(_pointwise(net, part, filters // 2, 'adjust_conv_%d_%s' % (index, cell)))
        before = layers.Concatenate(axis=net.axis)(parts)
    elif before.shape[net.axis] != filters:
        before = layers.Activation('relu')(before)
        before = _pointwise(net, before, filters, 'adjust_conv_projection_' + cell)
    else:
        return before
    return _normed(net, before, 'adjust_bn_' + cell)


def _entered(net, x, before, filters, kind, cell):
    """Both inputs of a cell as its blocks take them."""
    before = _adjusted(net, before, x, filters, cell)
    x = _pointwise(net, layers.Activation('relu')(x), filters, '%s_conv_1_%s' % (kind, cell))
    return _normed(net, x, '%s_bn_1_%s' % (kind, cell)), before


def _average(x, name):
    return layers.AveragePooling2D((3, 3), strides=(1, 1), padding='same', name=name)(x)


def _normal(net, x, before, filters, cell):
    """(output, input) of a cell that keeps rows and columns."""
    name = 'normal_%s_' + cell
    h, p = _entered(net, x, before, filters, 'normal', cell)
    added = [
        [_separable(net, h, filters, 5, 1, name % 'left1'), _separable(net, p, filters, 3, 1, name % 'right1')],
        [_separable(net, p, filters, 5, 1, name % 'left2'), _separable(net, p, filters, 3, 1, name % 'right2')],
        [_average(h, name % 'left3'), p],
        [_average(p, name % 'left4'), _average(p, name % 'right4')],
        [_separable(net, h, filters, 3, 1, name % 'left5'), h]]
    results = [layers.Add(name=name % ('add_%d' % index))(pair) for index, pair in enumerate(added, 1)]
    return layers.Concatenate(axis=net.axis, name=name % 'concat')([p] + results), x


def _reduction(net, x, before, filters, cell):
    """(output, input) of a cell that halves rows and columns."""
    name = 'reduction_%s_' + cell
    h, p = _entered(net, x, before, filters, 'reduction', cell)
    padded = layers.ZeroPadding2D(correct_pad(h, 3), name=name % 'pad_1')(h)

    def pooled(kind, place):
        return kind((3, 3), strides=(2, 2), name=name % place)(padded)

    first = layers.Add(name=name % 'add_1')([_separable(net, h, filters, 5, 2, name % 'left1'),
                                             _separable(net, p, filters, 7, 2, name % 'right1')])
    second = layers.Add(name=name % 'add_2')([pooled(layers.MaxPooling2D, 'left2'),
                                              _separable(net, p, filters, 7, 2, name % 'right2')])
    third = layers.Add(name=name % 'add3')([pooled(layers.AveragePooling2D, 'left3'),
                                            _separable(net, p, filters, 5, 2, name % 'right3')])
    fourth = layers.Add()([second, _average(first, name % 'left4')])
    fifth = layers.Add(name=name % 'add4')([_separable(net, first, filters, 3, 1, name % 'left4'),
                                            pooled(layers.MaxPooling2D, 'right5')])
    return layers.Concatenate(axis=net.axis, name=name % 'concat')([second, third, fourth, fifth]), x


def _files(size, *hashes):
    names = ['NASNet-%s.h5' % size, 'NASNet-%s-no-top.h5' % size]
    saved = ['nasnet_%s.h5' % size, 'nasnet_%s_no_top.h5' % size]
    usual = published_as('nasnet/', *zip(names, hashes))

    def published(net):
        file, address, file_hash = usual(net)
        return saved[names.index(file)], address, file_hash
    return published


_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Zoph et al., Learning transferable architectures for scalable image recognition (2017).', _describe,
                 top=_top, sized='always', arguments=with_defaults(('input_shape', None)))

NASNetMobile = _FAMILY.network(
    'NASNetMobile', _files('mobile', '020fb642bf7360b370c678b08e0adf61', '1ed92395b5b598bdda52abe5c0dbfd63'),
    called='nasnet_mobile', penultimate_filters=1056, cells=4, stem_filters=32, skips_reduction=False)
NASNetLarge = _FAMILY.network(
    'NASNetLarge', _files('large', '11577c9a518f0070763c2b964a382f17', 'd81d89dc07e6e56530c4e77faddd61b5'),
    called='nasnet_large', penultimate_filters=4032, cells=6, stem_filters=96, skips_reduction=True, size=331)
preprocess_input, decode_predictions = preprocessing(__name__, SIGNED)
