from keras.backend import operators  # noqa: F401  (operators of abstract tensors and variables)
