"""Prints what upstream's networks are, as JSON: run in an environment with upstream's Keras, never with ours.

    python record.py 2 > ... (Keras 2.3.1), python record.py tf (tf.keras 2.15), KERAS_BACKEND=jax python record.py 3

{'GENERATION MODULE.FUNCTION': [name of the model, number of layers, of parameters, digest of `structure.lines`, file of
the pretrained weights, its address, its hash]}, with '-notop' behind networks without their top. Nothing is downloaded.
networks.json holds what this printed for the three, put together.
"""
import importlib
import json
import sys

import structure

MODULES = ('convnext densenet efficientnet efficientnet_v2 inception_resnet_v2 inception_v3 mobilenet mobilenet_v2 '
           'mobilenet_v3 nasnet regnet resnet resnet50 resnet_rs resnet_v2 vgg16 vgg19 xception').split()


def pretend_to_download(generation):
    """Let upstream's networks ask for their weights in vain; the list of (file, address, hash) asked for."""
    import keras
    asked = []

    def get_file(fname=None, origin=None, *args, **kwargs):
        asked.append([fname, origin, kwargs.get('md5_hash') or kwargs.get('file_hash')])
        return '/nowhere'
    address = {'2': 'keras.utils', 'tf': 'keras.src.utils.data_utils', '3': 'keras.src.utils.file_utils'}[generation]
    importlib.import_module(address).get_file = get_file
    model = importlib.import_module('keras.engine.network').Network if generation == '2' else keras.Model
    model.load_weights = keras.models.Model.load_weights = lambda *args, **kwargs: None
    return asked


def functions():
    for name in MODULES:
        try:
            module = importlib.import_module('keras.applications.' + name)
        except ImportError:
            continue
        found = [each for each in dir(module) if each[0].isupper() and callable(getattr(module, each))]
        if name == 'mobilenet_v3':
            module, found = importlib.import_module('keras.applications'), ['MobileNetV3Small', 'MobileNetV3Large']
        for each in found:
            yield name + '.' + each, getattr(module, each)


def main(generation):
    import keras
    asked = pretend_to_download(generation)
    recorded = {}
    for name, function in functions():
        for include_top in (True, False):
            keras.backend.clear_session()
            model = function(include_top=include_top, weights='imagenet')
            described = structure.lines(model)
            recorded['%s %s%s' % (generation, name, '' if include_top else '-notop')] = [
                model.name, len(described), int(model.count_params()), structure.digest(described)] + asked[-1]
    print(json.dumps(recorded, sort_keys=True))


if __name__ == '__main__':
    main(sys.argv[1])
