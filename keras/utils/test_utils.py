"""Help for tests: small data, and a layer through its whole life."""
import os
import shutil
import tempfile

import numpy as np
from numpy.testing import assert_allclose

from keras import backend as K
from keras.backend.contract.loading import get_engine
from keras.layers import Input
from keras.models import Model, Sequential


def get_test_data(num_train=1000, num_test=500, input_shape=(10,), output_shape=(2,), classification=True,
                  num_classes=2):
    """Data that can be learnt: normal numbers around the class, or around a random number for each sample.

    Args:
        num_train, num_test: numbers of samples. input_shape, output_shape: of one sample, without the batch axis.
        classification: whether targets are class numbers; otherwise they are arrays of `output_shape`.
        num_classes: number of classes.

    Returns:
        ((x_train, y_train), (x_test, y_test)), drawn from NumPy's global generator.

    Example:
        (x, y), _ = get_test_data(100, 20, input_shape=(4,), num_classes=3)
    """
    samples = num_train + num_test
    x = np.zeros((samples,) + tuple(input_shape), dtype='float32')
    if classification:
        y = around = np.random.randint(0, num_classes, size=(samples,))
    else:
        around = np.random.random((samples,))
        y = np.zeros((samples,) + tuple(output_shape), dtype='float32')
    for number in range(samples):
        x[number] = np.random.normal(loc=around[number], scale=0.7, size=input_shape)
        if not classification:
            y[number] = np.random.normal(loc=around[number], scale=0.7, size=output_shape)
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def layer_test(layer_cls, kwargs={}, input_shape=None, input_dtype=None, input_data=None, expected_output=None,
               expected_output_dtype=None, fixed_batch_size=False):
    """Take a layer through its life: made, called, asked for shapes, made again from its config, in models, trained.

    Args:
        layer_cls: the class. kwargs: arguments of its constructor. input_shape: with the batch axis; where an entry is
            None, a size is drawn. input_dtype: default that of the data, else floatx. input_data: array; default drawn.
        expected_output: array that the layer must give, or None. expected_output_dtype: default that of the input.
        fixed_batch_size: whether the size of the batch is told to the layer.

    Returns:
        What the layer gives for the data.

    Raises:
        AssertionError: if anything is not as it must be.
    """
    data = _data(input_shape, input_dtype) if input_data is None else np.asarray(input_data)
    shape = tuple(input_shape or data.shape)
    dtype = input_dtype or (data.dtype.name if input_data is not None else K.floatx())
    layer = layer_cls(**kwargs)
    layer.set_weights(layer.get_weights())
    expected_shape = layer.compute_output_shape(shape if fixed_batch_size else (None,) + shape[1:])

    def symbolic():
        return Input(batch_shape=shape, dtype=dtype) if fixed_batch_size else Input(shape=shape[1:], dtype=dtype)
    inputs = symbolic()
    outputs = layer(inputs)
    wanted = expected_output_dtype or dtype
    assert K.dtype(outputs) == wanted, 'dtype %s instead of %s' % (K.dtype(outputs), wanted)

    model = Model(inputs, outputs)
    given = model.predict(data)
    assert _fits(given.shape, expected_shape), 'shape %s, but compute_output_shape gives %s' % (given.shape,
                                                                                                expected_shape)
    if expected_output is not None:
        assert_allclose(given, expected_output, rtol=1e-3)
    _check_copy(model, Model.from_config(model.get_config()), data, given)
    _check_copy(layer, layer_cls.from_config(layer.get_config()), None, None)

    sequential = Sequential([Input(batch_shape=shape, dtype=dtype) if fixed_batch_size else symbolic(),
                             layer_cls.from_config(layer.get_config())])
    sequential.set_weights(model.get_weights())
    given = sequential.predict(data)
    assert _fits(given.shape, expected_shape)
    if get_engine().capabilities.gradients and np.issubdtype(given.dtype, np.floating) and sequential.trainable_weights:
        sequential.compile('rmsprop', 'mse')
        sequential.train_on_batch(data, np.asarray(given))
    return given


def _data(input_shape, input_dtype):
    if not input_shape:
        raise ValueError('layer_test: give input_shape, with the batch axis, or input_data.')
    sizes = [np.random.randint(1, 4) if size is None else size for size in input_shape]
    return (10 * np.random.random(sizes)).astype(input_dtype or K.floatx())


def _fits(shape, expected):
    return len(shape) == len(expected) and all(wanted in (None, size) for size, wanted in zip(shape, expected))


def _check_copy(original, copy, data, given):
    """A copy from a config has the config, and with the same weights gives the same."""
    assert copy.get_config() == original.get_config(), 'the config of the copy is another'
    if data is None:
        return
    weights = original.get_weights()
    if weights:
        copy.set_weights(weights)
    again = copy.predict(data)
    assert again.shape == given.shape
    assert_allclose(again, given, rtol=2e-3, atol=1e-6)


class tf_file_io_proxy:  # noqa: N801  (its name in Keras 2)
    """A folder that stands for a bucket of Google Cloud Storage, in a `with` block.

    Args:
        file_io_module: the address of what reads and writes buckets, which stays as it is: the paths are of files.
        bucket_name: the name of the folder.

    Example:
        >>> with tf_file_io_proxy('keras.engine.saving.tf_file_io') as bucket:
        ...     bucket.file_exists(bucket.get_filepath('model.h5'))
        False
    """

    def __init__(self, file_io_module=None, bucket_name='bucket'):
        self.file_io_module, self.bucket_name = file_io_module, bucket_name
        self._folder = None

    @property
    def bucket_path(self):
        if self._folder is None:
            raise RuntimeError('tf_file_io_proxy: call start(), or use it in a `with` block.')
        return os.path.join(self._folder, self.bucket_name)

    def get_filepath(self, filename):
        """The path of a file in the bucket."""
        return os.path.join(self.bucket_path, os.path.basename(filename))

    def file_exists(self, filepath):
        return os.path.isfile(filepath)

    def delete_file(self, filepath):
        os.remove(filepath)

    def assert_exists(self, filepath):
        assert self.file_exists(filepath), '%s does not exist' % filepath

    def start(self):
        """Make the folder."""
        self._folder = tempfile.mkdtemp()
        os.mkdir(self.bucket_path)

    def stop(self):
        """Delete the folder, and what is in it."""
        shutil.rmtree(self._folder)
        self._folder = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, traceback):
        self.stop()
