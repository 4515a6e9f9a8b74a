"""What NumPy computes, and sets of data that come from it."""
import numpy as np
import tensorflow as tf

from keras.backend.contract import tree
from keras.backend.engines.tensorflow.tensors import DTYPES


def dataset(source, spec):
    """A `tf.data.Dataset` of what `source` yields, see `Engine.batches`."""
    signature = tree.map_structure(lambda leaf: tf.TensorSpec(leaf.shape, DTYPES[str(leaf.dtype)]), spec)
    found = tf.data.Dataset.from_generator(lambda: iter(source), output_signature=signature)
    return found.apply(tf.data.experimental.assert_cardinality(len(source))).prefetch(tf.data.experimental.AUTOTUNE)


def on_host(fn, inputs, dtype, shape):
    """What `fn` of NumPy arrays gives while a function is traced, see `Engine.on_host`."""
    def run(*arrays):
        return np.asarray(fn(*arrays), None if dtype == 'string' else dtype)
    found = tf.numpy_function(run, list(inputs), DTYPES[dtype])
    found.set_shape(shape)
    return found
