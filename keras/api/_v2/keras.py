"""An alias of the package `keras`, under whatever name it is imported by, and of all its modules.

TensorFlow imports this file both as `keras.api._v2.keras` and as `tensorflow.keras`. It is no package: who walks
through all modules would go round in circles.
"""
from keras.api import opened

opened(__name__)
