"""VGG with 16 layers."""
from keras import lazy

lazy.attach(__name__, names={'keras.applications.vgg': 'VGG16 decode_predictions preprocess_input'})
