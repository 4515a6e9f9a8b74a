"""Import aliases: see `keras.models`."""
from keras.layers.base import Layer
from keras.layers.input_layer import Input, InputLayer
from keras.models import Model, Sequential
