"""What the first generations of Keras said in other words."""
from keras import lazy

lazy.attach(__name__, modules='arguments backend calls functions interfaces')
