"""See `keras.api`."""
