"""ConvNeXt: convolutional networks made after the fashion of transformers."""
from keras import layers
from keras.applications.assembly import Family, preprocessing, published_as, with_defaults
from keras.applications.imagenet_utils import AS_THEY_ARE
from keras.layers.scaling import LayerScale
from keras.models.sequential import Sequential

_MEAN = [0.485 * 255, 0.456 * 255, 0.406 * 255]
_VARIANCE = [(0.229 * 255) ** 2, (0.224 * 255) ** 2, (0.225 * 255) ** 2]


def _describe(net, x):
    if net.data_format == 'channels_first':
        raise ValueError('ConvNeXt does not support the `channels_first` image data format. Switch to '
                         '`channels_last` by keras.config.set_image_data_format.')
    if net.include_preprocessing and x.shape[-1] == 3:
        x = layers.Normalization(mean=_MEAN, variance=_VARIANCE, name=net.name + '_prestem_normalization')(x)
    for stage, (blocks, filters) in enumerate(zip(net.blocks, net.filters)):
        x = (_downsampling if stage else _stem)(net.name, filters, stage - 1)(x)
        for block in range(blocks):
            x = _block(x, filters, '%s_stage_%d_block_%d' % (net.name, stage, block))
    if not net.include_top:
        return layers.LayerNormalization(epsilon=1e-6)(x if net.pooling is None else net.pooled(x))
    return x


def _stem(name, filters, _):
    return Sequential([
        layers.Conv2D(filters, kernel_size=4, strides=4, name=name + '_stem_conv'),
        layers.LayerNormalization(epsilon=1e-6, name=name + '_stem_layernorm')], name=name + '_stem')


def _downsampling(name, filters, number):
    return Sequential([
        layers.LayerNormalization(epsilon=1e-6, name='%s_downsampling_layernorm_%d' % (name, number)),
        layers.Conv2D(filters, kernel_size=2, strides=2, name='%s_downsampling_conv_%d' % (name, number))],
        name='%s_downsampling_block_%d' % (name, number))


def _block(x, filters, name):
    new = layers.Conv2D(filters, kernel_size=7, padding='same', groups=filters, name=name + '_depthwise_conv')(x)
    new = layers.LayerNormalization(epsilon=1e-6, name=name + '_layernorm')(new)
    new = layers.Dense(4 * filters, name=name + '_pointwise_conv_1')(new)
    new = layers.Activation('gelu', name=name + '_gelu')(new)
    new = layers.Dense(filters, name=name + '_pointwise_conv_2')(new)
    new = LayerScale(1e-6, filters, name=name + '_layer_scale')(new)
    return x + layers.Activation('linear', name=name + '_identity')(new)


def _top(net, x):
    x = layers.GlobalAveragePooling2D(name=net.name + '_head_gap')(x)
    x = layers.LayerNormalization(epsilon=1e-6, name=net.name + '_head_layernorm')(x)
    return layers.Dense(net.classes, activation=net.classifier_activation, name=net.name + '_head_dense')(x)


_FAMILY = Family(__name__, 'The network %s, with pretrained weights or without.',
                 'Liu et al., A ConvNet for the 2020s (2022).', _describe, top=_top, pools_itself=True,
                 arguments=with_defaults(('include_top', True), ('include_preprocessing', True)),
                 own='include_preprocessing: whether the network normalizes pictures itself. ')
# Blocks and filters of the stages, and the hashes of the weights with and without the top.
_MEMBERS = {
    'tiny': ((3, 3, 9, 3), (96, 192, 384, 768),
             '8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff',
             'd547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1'),
    'small': ((3, 3, 27, 3), (96, 192, 384, 768),
              'ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c',
              '6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab'),
    'base': ((3, 3, 27, 3), (128, 256, 512, 1024),
             '52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6',
             '40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45'),
    'large': ((3, 3, 27, 3), (192, 384, 768, 1536),
              '070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6',
              '96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd'),
    'xlarge': ((3, 3, 27, 3), (256, 512, 1024, 2048),
               'c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee',
               'de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05')}


def _member(name, size):
    blocks, filters, *hashes = _MEMBERS[size]
    files = zip(['convnext_%s%s.h5' % (size, tail) for tail in ('', '_notop')], hashes)
    return _FAMILY.network(name, published_as('convnext/', *files), called='convnext_' + size, blocks=blocks,
                           filters=filters)


ConvNeXtTiny = _member('ConvNeXtTiny', 'tiny')
ConvNeXtSmall = _member('ConvNeXtSmall', 'small')
ConvNeXtBase = _member('ConvNeXtBase', 'base')
ConvNeXtLarge = _member('ConvNeXtLarge', 'large')
ConvNeXtXLarge = _member('ConvNeXtXLarge', 'xlarge')
preprocess_input, decode_predictions = preprocessing(__name__, AS_THEY_ARE)
