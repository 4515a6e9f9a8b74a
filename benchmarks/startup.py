"""Importing NumPy and keras, touching a model, and building ResNet-50 without an engine, in a process of its own.

Prints processor seconds as JSON: what else the machine does tells nothing about how much there is to load.
"""
import json
import sys
from time import process_time

begun = process_time()
import numpy  # noqa: E402, F401

numpy_loaded = process_time()
import keras  # noqa: E402

keras_loaded = process_time()
keras.Sequential([keras.layers.Dense(1)])
touched = process_time()
import works  # noqa: E402

start = process_time()
network = works.residual_network()
built = process_time()
loaded = [name for name in ('tensorflow', 'jax', 'torch', 'theano', 'pytensor', 'mxnet', 'cntk') if name in sys.modules]
print(json.dumps({'numpy': numpy_loaded - begun, 'import': keras_loaded - numpy_loaded, 'touch': touched - keras_loaded,
                  'build': built - start, 'weights': network.count_params(), 'engines loaded': loaded,
                  'version': keras.__version__}))
