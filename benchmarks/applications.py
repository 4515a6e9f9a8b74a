"""What it takes to build each network of `keras.applications`, without weights. Prints seconds as JSON.

Run as a script: `KERAS_BACKEND=jax python applications.py [NAME...]`, with our keras or upstream's on the path.
"""
import gc
import json
import sys

import timing

NAMES = ('VGG16 VGG19 ResNet50 ResNet101 ResNet152 ResNet50V2 ResNet101V2 ResNet152V2 InceptionV3 InceptionResNetV2 '
         'Xception MobileNet MobileNetV2 MobileNetV3Small MobileNetV3Large DenseNet121 DenseNet169 DenseNet201 '
         'NASNetMobile NASNetLarge EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 '
         'EfficientNetB5 EfficientNetB6 EfficientNetB7 EfficientNetV2B0 EfficientNetV2B1 EfficientNetV2B2 '
         'EfficientNetV2B3 EfficientNetV2S EfficientNetV2M EfficientNetV2L ConvNeXtTiny ConvNeXtSmall ConvNeXtBase '
         'ConvNeXtLarge ConvNeXtXLarge').split()


def main(names):
    import keras
    # The first one loads what all of them need.
    keras.applications.MobileNet(weights=None)
    result = {}
    for name in names:
        keras.backend.clear_session()
        gc.collect()
        start = timing.now()
        getattr(keras.applications, name)(weights=None)
        result[name] = timing.now() - start
    print(json.dumps(result))


if __name__ == '__main__':
    main(sys.argv[1:] or NAMES)
