"""Data before it reaches a model: pictures, sequences and text."""
from keras import lazy

lazy.attach(__name__, modules='affine data_frames generator image iterators sequence text',
            names={'keras.utils.directories': 'image_dataset_from_directory text_dataset_from_directory',
                   'keras.utils.sample_sets': 'timeseries_dataset_from_array'})
