"""Networks for pictures, with weights pretrained on ImageNet; each module holds a family or a member of one."""
import functools

from keras import lazy


def keras_modules_injection(base_fun):
    """Let a function of the package keras-applications have the modules of this Keras that it asks for.

    Args:
        base_fun: function with keyword arguments `backend`, `layers`, `models` and `utils`.
    """
    @functools.wraps(base_fun)
    def with_modules(*args, **kwargs):
        from keras import backend, layers, models, utils
        modules = {'backend': backend, 'layers': layers, 'models': models, 'utils': utils}
        return base_fun(*args, **dict(modules, **kwargs))
    return with_modules


lazy.attach(
    __name__,
    modules="""audio_conv_utils convnext densenet efficientnet efficientnet_v2 imagenet_utils inception_resnet_v2
               inception_v3 mobilenet mobilenet_v2 mobilenet_v3 music_tagger_crnn nasnet regnet resnet
               resnet50 resnet_rs resnet_v2 vgg16 vgg19 xception""",
    names={
        'keras.applications.convnext': 'ConvNeXtBase ConvNeXtLarge ConvNeXtSmall ConvNeXtTiny ConvNeXtXLarge',
        'keras.applications.densenet': 'DenseNet121 DenseNet169 DenseNet201',
        'keras.applications.efficientnet': """
            EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 EfficientNetB5 EfficientNetB6
            EfficientNetB7""",
        'keras.applications.efficientnet_v2': """
            EfficientNetV2B0 EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2L EfficientNetV2M
            EfficientNetV2S""",
        'keras.applications.inception_resnet_v2': 'InceptionResNetV2',
        'keras.applications.inception_v3': 'InceptionV3',
        'keras.applications.mobilenet': 'MobileNet',
        'keras.applications.mobilenet_v2': 'MobileNetV2',
        'keras.applications.mobilenet_v3': 'MobileNetV3Large MobileNetV3Small',
        'keras.applications.nasnet': 'NASNetLarge NASNetMobile',
        'keras.applications.regnet': """
            RegNetX002 RegNetX004 RegNetX006 RegNetX008 RegNetX016 RegNetX032 RegNetX040 RegNetX064 RegNetX080
            RegNetX120 RegNetX160 RegNetX320 RegNetY002 RegNetY004 RegNetY006 RegNetY008 RegNetY016 RegNetY032
            RegNetY040 RegNetY064 RegNetY080 RegNetY120 RegNetY160 RegNetY320""",
        'keras.applications.residual': 'ResNet101 ResNet101V2 ResNet152 ResNet152V2 ResNet50V2',
        'keras.applications.resnet50': 'ResNet50',
        'keras.applications.resnet_rs': """
            ResNetRS50 ResNetRS101 ResNetRS152 ResNetRS200 ResNetRS270 ResNetRS350 ResNetRS420""",
        'keras.applications.vgg': 'VGG16 VGG19',
        'keras.applications.xception': 'Xception',
    })
