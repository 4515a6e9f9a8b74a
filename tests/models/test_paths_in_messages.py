"""Messages name the place of an input or output in its structure."""
import numpy as np
import pytest

import keras
from keras import config

pytestmark = pytest.mark.on('numpy')


def test_output_that_is_not_connected():
    first, second = keras.Input((2,), name='first'), keras.Input((2,), name='second')
    outputs = {'known': first * 2.0, 'other': [first + 1.0, second * 2.0]}
    with pytest.raises(ValueError, match='not connected to `inputs`.*Output with path `other.1` is not connected'):
        keras.Model({'first': first}, outputs)
    with pytest.raises(ValueError, match='Graph disconnected'):
        keras.Model(first, second * 2.0)


def test_input_of_another_shape():
    with config.generation(3):
        x, other, wrong = keras.Input((3,), name='my_input'), keras.Input((1,)), np.zeros((2, 4))
        for inputs, path, given in ((x, '', wrong), ([other, {'foo': x}], '1.foo', [np.zeros((2, 1)), {'foo': wrong}])):
            model = keras.Model(inputs, x * 2.0)
            with pytest.raises(ValueError, match="name 'my_input' and path '%s' of" % path):
                model(given)
