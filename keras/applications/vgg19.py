"""VGG with 19 layers."""
from keras import lazy

lazy.attach(__name__, names={'keras.applications.vgg': 'VGG19 decode_predictions preprocess_input'})
