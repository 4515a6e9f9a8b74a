"""What the first generations of Keras said in other words."""
