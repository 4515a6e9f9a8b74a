"""Utilities under the names that scripts know."""
from keras.saving.serialization import (CustomObjectScope, custom_object_scope, deserialize_keras_object,
                                        get_custom_objects, get_registered_name, get_registered_object,
                                        register_keras_serializable, serialize_keras_object)
from keras.utils.data_utils import Sequence
from keras.utils.generic_utils import Progbar
from keras.utils.layer_utils import get_source_inputs, print_summary
from keras.utils.np_utils import normalize, to_categorical
from keras.utils.seeds import set_random_seed
