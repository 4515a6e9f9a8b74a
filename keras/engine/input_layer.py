"""Import aliases: see `keras.layers`."""
from keras.backend.symbolic import Node
from keras.layers.base import Layer
from keras.layers.input_layer import Input, InputLayer
from keras.utils.generic_utils import unpack_singleton
