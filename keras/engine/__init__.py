"""Import aliases only: scripts of Keras 1 and 2 import layers and models from here."""
from keras.layers.base import InputSpec, Layer
from keras.layers.input_layer import Input, InputLayer
from keras.models import Model
from keras.utils.layer_utils import get_source_inputs
