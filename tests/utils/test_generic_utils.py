"""The helpers of `keras.utils.generic_utils`."""
import random

import numpy as np
import pytest

import keras.utils
from keras import config
from keras.utils import generic_utils as G


def test_lists():
    shared = [1]
    assert G.to_list(shared) is shared
    assert G.to_list((1, 2)) == [(1, 2)] and G.to_list((1, 2), allow_tuple=True) == [1, 2]
    assert G.unpack_singleton([3]) == 3 and G.unpack_singleton((3, 4)) == (3, 4)
    assert G.is_all_none(None) and G.is_all_none([None, None]) and not G.is_all_none([None, 0])
    assert G.object_list_uid([shared]) == G.object_list_uid(shared and [shared]) != G.object_list_uid([[1]])


def test_slice_arrays():
    x = np.arange(6)
    np.testing.assert_array_equal(G.slice_arrays(x, 1, 3), [1, 2])
    first, nothing = G.slice_arrays([x, None], [0, 5])
    np.testing.assert_array_equal(first, [0, 5])
    assert nothing is None
    np.testing.assert_array_equal(G.slice_arrays([x], np.array([2, 3]))[0], [2, 3])
    assert G.slice_arrays(None) == [None]
    with pytest.raises(ValueError, match='`stop` must be None'):
        G.slice_arrays(x, [1], 3)


def test_transpose_shape():
    assert G.transpose_shape((2, 5, 6, 3), 'channels_first', (1, 2)) == (2, 3, 5, 6)
    assert G.transpose_shape((2, 5, 3), 'channels_last', (1,)) == (2, 5, 3)
    with pytest.raises(ValueError, match="Received: 'NCHW'"):
        G.transpose_shape((2, 5, 3), 'NCHW', (1,))


def test_check_for_unexpected_keys():
    G.check_for_unexpected_keys('sizes', {'a': 1}, ['a', 'b'])
    with pytest.raises(ValueError, match=r"`sizes`: \['c'\].*\['a', 'b'\]"):
        G.check_for_unexpected_keys('sizes', {'a': 1, 'c': 2}, ['a', 'b'])


def test_functions():
    def power(base, exponent=2, **rest):
        return base ** exponent

    assert G.has_arg(power, 'exponent') and not G.has_arg(power, 'other') and G.has_arg(power, 'other', accept_all=True)
    assert G.getargspec(power).args == ['base', 'exponent']
    assert G.func_load(*G.func_dump(power))(3) == 9


@pytest.mark.parametrize('name, expected', [('Dense', 'dense'), ('MaxPooling2D', 'max_pooling2d'), ('LSTM', 'lstm'),
                                            ('BatchNormalization', 'batch_normalization'), ('ReLU', 're_lu')])
def test_to_snake_case(name, expected):
    assert G.to_snake_case(name) == expected


def test_set_random_seed_repeats_everything():
    draws = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        layer = keras.layers.Dense(3, input_shape=(2,))
        layer.build((None, 2))
        draws.append((random.random(), np.random.rand(), layer.get_weights()[0].tolist()))
    assert draws[0] == draws[1]


def test_sequence_is_iterable_and_says_what_is_missing():
    class Squares(keras.utils.Sequence):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return index ** 2

    assert list(Squares()) == [0, 1, 4]
    with pytest.raises(NotImplementedError, match='PyDataset must define `__len__'):
        len(keras.utils.Sequence())


@pytest.mark.on('numpy')
def test_objects_from_configs_in_both_orders_of_arguments():
    class Mine(keras.layers.Dense):
        pass
    made = {'class_name': 'Mine', 'config': {'units': 2}}
    read = keras.utils.deserialize_keras_object
    assert isinstance(read(made, {'Mine': Mine}), Mine)
    assert isinstance(read(made, None, {'Mine': Mine}), Mine)
    with config.generation(3):
        nested = {'class_name': 'Bidirectional', 'config': {'layer': {'class_name': 'LSTM', 'config': {'units': 2}}}}
        assert isinstance(read(config=made, custom_objects={'Mine': Mine}), Mine)
        assert isinstance(read(nested, {'Mine': Mine}, True), keras.layers.Bidirectional)
    zeros = keras.initializers.Zeros()
    assert keras.utils.serialize_keras_object(obj=zeros) == keras.utils.serialize_keras_object(zeros)
    assert keras.activations.deserialize(config='relu') is keras.activations.relu
