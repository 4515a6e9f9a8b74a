"""The Keras API on TensorFlow, JAX, PyTorch and NumPy. Importing this imports no engine."""
from keras.version import __version__
from keras import (activations, backend, callbacks, config, constraints, initializers, layers, losses, metrics, models,
                   objectives, ops, optimizers, random, regularizers, saving, utils)
from keras.backend.state import Variable
from keras.backend.symbolic import KerasTensor
from keras.initializers import Initializer
from keras.layers import Input, InputSpec, Layer
from keras.losses import Loss
from keras.metrics import Metric
from keras.models import Model, Sequential
from keras.optimizers import Optimizer
from keras.regularizers import Regularizer


def version():
    """The version of this package, as a string."""
    return __version__
