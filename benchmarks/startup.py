"""Importing keras, and building ResNet-50 without an engine, in a process of its own. Prints seconds as JSON."""
import json
import sys

import timing

start = timing.now()
import keras  # noqa: E402

imported = timing.now() - start
import works  # noqa: E402

start = timing.now()
network = works.residual_network()
built = timing.now() - start
loaded = [name for name in ('tensorflow', 'jax', 'torch', 'theano', 'pytensor', 'mxnet', 'cntk') if name in sys.modules]
print(json.dumps({'import': imported, 'build': built, 'weights': network.count_params(), 'engines loaded': loaded,
                  'version': keras.__version__}))
