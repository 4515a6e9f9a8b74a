"""ResNet, version 2."""
from keras import lazy
from keras.applications.assembly import preprocessing
from keras.applications.imagenet_utils import SIGNED

preprocess_input, decode_predictions = preprocessing(__name__, SIGNED)

lazy.attach(__name__, names={'keras.applications.residual': 'ResNet101V2 ResNet152V2 ResNet50V2'})
