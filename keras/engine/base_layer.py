"""Import aliases: see `keras.layers`."""
from keras.backend.symbolic import Node
from keras.layers.base import InputSpec, Layer
from keras.utils.generic_utils import has_arg, is_all_none, object_list_uid, to_list, unpack_singleton
from keras.utils.layer_utils import count_params
