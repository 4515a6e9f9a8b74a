"""Models and objects to files and configs, and back."""
from keras.saving.hdf5 import load_model, load_weights, save_model, save_weights
from keras.saving.serialization import (
    CustomObjectScope, custom_object_scope, deserialize_keras_object, get_custom_objects, get_registered_name,
    get_registered_object, register_keras_serializable, serialize_keras_object)
