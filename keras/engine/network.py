"""Import aliases: see `keras.models`."""
from keras.backend.symbolic import Node
from keras.layers.base import Layer
from keras.layers.input_layer import InputLayer
from keras.models import Model as Network
from keras.models.summary import print_summary as print_layer_summary
from keras.utils.generic_utils import has_arg, object_list_uid, to_list, unpack_singleton
from keras.utils.io_utils import ask_to_proceed_with_overwrite
from keras.utils.layer_utils import get_source_inputs
