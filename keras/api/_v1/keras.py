"""The same as `keras.api._v2.keras`, for `tensorflow.compat.v1.keras`."""
from keras.api import opened

opened(__name__)
