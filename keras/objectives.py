"""Keras 1's name for `keras.losses`."""
from keras.losses import *  # noqa: F401,F403
