"""Where the data sets are that their authors do not serve themselves."""

FOLDER = 'https://storage.googleapis.com/tensorflow/tf-keras-datasets/'
