"""Import aliases: see `keras.models` and `keras.saving`."""
from keras.models import load_model, model_from_config, model_from_json, save_model
from keras.saving.hdf5 import (HDF5_OBJECT_HEADER_LIMIT, ask_to_proceed_with_overwrite,
                               load_attributes as load_attributes_from_hdf5_group, load_weights_from_hdf5_group,
                               load_weights_from_hdf5_group_by_name, pickle_model,
                               save_attributes as save_attributes_to_hdf5_group, save_weights_to_hdf5_group,
                               unpickle_model)
