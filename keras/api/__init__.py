"""Where TensorFlow looks for `tf.keras`: `keras.api._v2.keras` stands for `keras` itself."""
