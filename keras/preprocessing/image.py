"""Pictures: reading, changing at random, batches of them."""
from keras.legacy import calls
from keras.preprocessing.affine import (apply_affine_transform, apply_brightness_shift, apply_channel_shift,
                                        apply_transform, flip_axis, random_brightness, random_channel_shift,
                                        random_rotation, random_shear, random_shift, random_zoom,
                                        transform_matrix_offset_center)
from keras.preprocessing.data_frames import DataFrameIterator
from keras.preprocessing.generator import ImageDataGenerator
from keras.preprocessing.iterators import BatchFromFilesMixin, DirectoryIterator, Iterator, NumpyArrayIterator
from keras.utils.image_utils import array_to_img, img_to_array, list_pictures, load_img, save_img
from keras.utils.resizing import smart_resize

calls.install(globals(), calls.PICTURES)
