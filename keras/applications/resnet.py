"""ResNet, version 1."""
from keras import lazy

lazy.attach(__name__, names={
    'keras.applications.residual': 'ResNet101 ResNet152 ResNet50 decode_predictions preprocess_input'})
