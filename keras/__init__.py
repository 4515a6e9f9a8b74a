"""The Keras API on TensorFlow, JAX, PyTorch and NumPy. Importing this imports no engine."""
from keras.version import __version__
from keras import config
