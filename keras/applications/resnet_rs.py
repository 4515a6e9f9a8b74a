"""ResNet-RS, of tf.keras 2: residual networks that squeeze channels, trained and scaled anew."""
from keras import layers
from keras.applications.assembly import FOLDER, Family, preprocessing
from keras.applications.imagenet_utils import AS_THEY_ARE

_KERNEL = {'class_name': 'VarianceScaling',
           'config': {'scale': 2.0, 'mode': 'fan_out', 'distribution': 'truncated_normal'}}


def _describe(net, x):
    if net.include_preprocessing:
        x = layers.Rescaling(scale=1.0 / 255)(x)
        if x.shape[net.axis] == 3:
            x = layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.229 ** 2, 0.224 ** 2, 0.225 ** 2],
                                     axis=net.axis)(x)
    for number, (filters, stride) in enumerate([(32, 2), (32, 1), (64, 1), (64, 2)], 1):
        x = _conv(x, filters, 3, 'stem_1_stem_conv_%d' % number, stride)
        x = _relu(_normed(net, x, 'stem_1_stem_batch_norm_%d' % number), 'stem_1_stem_act_%d' % number)
    for group, (filters, blocks) in enumerate(zip((64, 128, 256, 512), net.blocks), 2):
        for block in range(blocks):
            x = _block(net, x, filters, 2 if block == 0 and group > 2 else 1, block == 0, net.dropped * group / 5,
                       'BlockGroup%d__block_%d_' % (group, block))
    return x


def _conv(x, filters, size, name, stride=1):
    if stride > 1:
        x = layers.ZeroPadding2D(((1, 1), (1, 1)))(x)
    return layers.Conv2D(filters, size, strides=stride, padding='same' if stride == 1 else 'valid', use_bias=False,
                         kernel_initializer=_KERNEL, name=name)(x)


def _normed(net, x, name):
    return layers.BatchNormalization(axis=net.axis, momentum=0.0, epsilon=1e-5, name=name)(x)


def _relu(x, name):
    return layers.Activation('relu', name=name)(x)


def _block(net, before, filters, stride, projects, rate, name):
    shortcut = before
    if projects:
        if stride == 2:
            shortcut = layers.AveragePooling2D((2, 2), strides=(2, 2), padding='same',
                                               name=name + '_projection_pooling')(shortcut)
        shortcut = _conv(shortcut, 4 * filters, 1, name + '_projection_conv')
        shortcut = _normed(net, shortcut, name + '_projection_batch_norm')
    x = _relu(_normed(net, _conv(before, filters, 1, name + '_conv_1'), name + 'batch_norm_1'), name + '_act_1')
    x = _conv(x, filters, 3, name + '_conv_2', stride)
    x = _relu(_normed(net, x, name + '_batch_norm_2'), name + '_act_2')
    x = _normed(net, _conv(x, 4 * filters, 1, name + '_conv_3'), name + '_batch_norm_3')
    x = _squeezed(net, x, filters, name + '_se_se_')
    if rate > 0:
        x = layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=name + '_drop')(x)
    return _relu(layers.Add()([x, shortcut]), name + '_output_act')


def _squeezed(net, x, filters, name):
    channels = 4 * filters
    mean = layers.GlobalAveragePooling2D(name=name + 'squeeze')(x)
    mean = layers.Reshape((1, 1, channels) if net.axis == 3 else (channels, 1, 1), name=name + 'reshape')(mean)
    mean = layers.Conv2D(filters, 1, padding='same', activation='relu', kernel_initializer=_KERNEL,
                         name=name + 'reduce')(mean)
    mean = layers.Conv2D(channels, 1, padding='same', activation='sigmoid', kernel_initializer=_KERNEL,
                         name=name + 'expand')(mean)
    return layers.multiply([x, mean], name=name + 'excite')


def _top(net, x):
    x = layers.GlobalAveragePooling2D(name='avg_pool')(x)
    x = layers.Dropout(net.dropout, name='top_dropout')(x)
    return layers.Dense(net.classes, activation=net.classifier_activation, name='predictions')(x)


# Depth: blocks of the groups, rates at which blocks and the inputs of the last layer are dropped, and the hashes of
# the weights with and without the top, by the size of the pictures that they were trained on.
_MEMBERS = {
    50: ((3, 4, 6, 3), 0, 0.25, {160: ('69d9d925319f00a8bdd4af23c04e4102', '90daa68cd26c95aa6c5d25451e095529')}),
    101: ((3, 4, 23, 3), 0, 0.25, {160: ('544b3434d00efc199d66e9058c7f3379', '82d5b90c5ce9d710da639d6216d0f979'),
                                   192: ('eb285be29ab42cf4835ff20a5e3b5d23', 'f9a0f6b85faa9c3db2b6e233c4eebb5b')}),
    152: ((3, 8, 36, 3), 0, 0.25, {192: ('8d72a301ed8a6f11a47c4ced4396e338', '5fbf7ac2155cb4d5a6180ee9e3aa8704'),
                                   224: ('31a46a92ab21b84193d0d71dd8c3d03b', 'dc8b2cba2005552eafa3167f00dc2133'),
                                   256: ('ba6271b99bdeb4e7a9b15c05964ef4ad', 'fa79794252dbe47c89130f65349d654a')}),
    200: ((3, 24, 36, 3), 0.1, 0.25, {256: ('a76930b741884e09ce90fa7450747d5f', 'bbdb3994718dfc0d1cd45d7eff3f3d9c')}),
    270: ((4, 29, 53, 4), 0.1, 0.25, {256: ('20d575825ba26176b03cb51012a367a8', '2c42ecb22e35f3e23d2f70babce0a2aa')}),
    350: ((4, 36, 72, 4), 0.1, 0.4, {256: ('f4a039dc3c421321b7fc240494574a68', '6e44b55025bbdff8f51692a023143d66'),
                                     320: ('7ccb858cc738305e8ceb3c0140bee393', 'ab0c1f9079d2f85a9facbd2c88aa6079')}),
    420: ((4, 44, 87, 4), 0.1, 0.4, {320: ('ae0eb9bed39e64fc8d7e0db4018dc7e8', 'fe6217c32be8305b1889657172b98884')})}


def _published(net):
    size = max([each for each in net.sizes if each] or [224])
    trained = min(net.hashes, key=lambda each: abs(each - size))
    file = '%s-i%d%s.h5' % ('resnet-rs-%d' % net.depth, trained, '' if net.include_top else '_notop')
    return file, FOLDER + 'resnet_rs/' + file, net.hashes[trained][0 if net.include_top else 1]


_FAMILY = Family(__name__, 'The residual network %s, with pretrained weights or without.',
                 'Bello et al., Revisiting ResNets: improved training and scaling strategies (2021).', _describe,
                 top=_top, own='include_preprocessing: whether the network scales pictures itself. ',
                 arguments=(('include_top', True), ('weights', 'imagenet'), ('classes', 1000), ('input_shape', None),
                            ('input_tensor', None), ('pooling', None), ('classifier_activation', 'softmax'),
                            ('include_preprocessing', True), ('name', None)))


def _member(depth):
    blocks, dropped, dropout, hashes = _MEMBERS[depth]
    called = 'resnet-rs-%d' % depth
    return _FAMILY.network('ResNetRS%d' % depth, _published, called=called, depth=depth, blocks=blocks, dropped=dropped,
                           dropout=dropout, hashes=hashes)


ResNetRS50, ResNetRS101, ResNetRS152, ResNetRS200 = map(_member, (50, 101, 152, 200))
ResNetRS270, ResNetRS350, ResNetRS420 = map(_member, (270, 350, 420))
preprocess_input, decode_predictions = preprocessing(__name__, AS_THEY_ARE)
