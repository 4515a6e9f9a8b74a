"""Import aliases: see `keras.models`."""
from keras.engine.network import Network
from keras.layers.base import Layer
from keras.models import Model
from keras.utils.generic_utils import slice_arrays, to_list, unpack_singleton
