"""Import aliases: see `keras.layers` and `keras.models`."""
from keras.backend.symbolic import Node
from keras.engine.network import Network
from keras.layers.base import InputSpec, Layer
from keras.layers.input_layer import Input, InputLayer
from keras.models import Model
from keras.models import Model as Container
from keras.saving.hdf5 import (load_weights_from_hdf5_group, load_weights_from_hdf5_group_by_name,
                               save_weights_to_hdf5_group)
from keras.utils.layer_utils import get_source_inputs
