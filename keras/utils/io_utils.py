"""Files: the question before one is overwritten."""
from keras.saving.hdf5 import HDF5_OBJECT_HEADER_LIMIT, ask_to_proceed_with_overwrite
