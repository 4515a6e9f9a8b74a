"""What packages take from inside of other Kerases."""
import threading

import numpy as np
import pytest

import keras
from keras import layers
from keras.utils import internals

pytestmark = pytest.mark.on('numpy')


class Sized:
    def __init__(self, sizes):
        self.sizes = sizes

    def as_list(self):
        return self.sizes


def test_symbolic_types():
    class Coercible:
        pass
    assert internals.is_symbolic_tensor(keras.Input((2,))) and not internals.is_symbolic_tensor(np.ones(2))
    assert not internals.is_symbolic_tensor(Coercible())
    keras.__internal__.utils.register_symbolic_tensor_type(Coercible)
    assert internals.is_symbolic_tensor(Coercible())


def test_shapes_of_tensorflow_become_tuples():
    class Rule:
        @keras.utils.tf_utils.shape_type_conversion
        def rule(self, shape):
            return [shape, list(shape)]
    assert Rule().rule(Sized([None, 2])) == [(None, 2), [None, 2]]
    assert Rule().rule([Sized([1]), Sized([2])]) == [[(1,), (2,)], [(1,), (2,)]]
    assert internals.standardize_shape(Sized([None, np.int64(2)])) == (None, 2)
    for wrong in (None, (-1, 2), ('a',)):
        with pytest.raises(ValueError):
            internals.standardize_shape(wrong)


def test_parts_that_are_none():
    class Holds(layers.Layer):
        def __init__(self):
            super().__init__()
            self.mine = layers.Dense(1)
            self.refer_to(layers.Dense(1))

        @keras.utils.tracking.no_automatic_dependency_tracking
        def refer_to(self, other):
            self.other, self.others = other, [other]

        def call(self, inputs):
            return self.mine(inputs) + self.other(inputs)

    layer = Holds()
    layer(np.ones((1, 2), 'float32'))
    assert len(layer.weights) == 2 and layer._layers == [layer.mine]
    assert len(Holds().weights) == 0 and layer.other.built


def test_masks_that_a_layer_asks_for():
    class Asks(layers.Layer):
        def call(self, inputs):
            mask = internals.get_keras_mask(inputs)
            internals.set_keras_mask(inputs, mask)
            self.seen = mask
            return inputs

    tensor = layers.Embedding(3, 2, mask_zero=True)(keras.Input((4,), dtype='int32'))
    assert internals.get_keras_mask(tensor) is tensor.mask is not None

    class Both(layers.Layer):
        def call(self, inputs):
            return asks(embedding(inputs))

    asks, embedding = Asks(), layers.Embedding(3, 2, mask_zero=True)
    asks.supports_masking = True
    Both()(np.array([[1, 0]]))
    np.testing.assert_array_equal(np.asarray(asks.seen), [[True, False]])
    outside = keras.ops.convert_to_tensor(np.ones((1, 2, 3), 'float32'))
    assert internals.get_keras_mask(outside) is None
    mask = keras.ops.convert_to_tensor(np.array([[True, False]]))
    internals.set_keras_mask(outside, mask)
    assert internals.get_keras_mask(outside) is mask


def test_grain_is_asked_for_where_it_runs():
    assert internals.in_grain_data_pipeline() is False


def test_a_cell_of_ones_own():
    class Total(layers.AbstractRNNCell):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        @property
        def state_size(self):
            return [self.units, 1]

        @property
        def output_size(self):
            return self.units

        def call(self, inputs, states):
            total, count = states
            return inputs + total, [inputs + total, count + 1]
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype('float32')
    output, total, count = layers.RNN(Total(4), return_state=True)(x)
    np.testing.assert_allclose(np.asarray(output), x.sum(1), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(count), np.full((2, 1), 3.0))
    assert [tuple(each.shape) for each in Total(4).get_initial_state(batch_size=5)] == [(5, 4), (5, 1)]
    with pytest.raises(NotImplementedError, match='state_size'):
        layers.AbstractRNNCell().state_size
    with pytest.raises(ValueError, match='batch_size'):
        Total(4).get_initial_state()


def test_layers_inside_of_others_in_one_list():
    inner = keras.Sequential([layers.Dense(2, input_shape=(3,), name='deep')], name='inner')
    outer = keras.Sequential([inner, layers.Dense(1, name='last')])
    names = [layer.name for layer in outer._flatten_layers(include_self=False)]
    assert {'inner', 'deep', 'last'} <= set(names) and outer.name not in names
    assert 'deep' not in [layer.name for layer in outer._flatten_layers(recursive=False)]


@pytest.mark.on('numpy', 'torch')
def test_values_are_kept_by_thread_until_they_are_cleared():
    made = []
    cache = keras.backend.ContextValueCache(lambda count=0: made.append(count) or made[-1:])
    first = cache.setdefault(kwargs={'count': 2})
    assert cache.setdefault(kwargs={'count': 3}) is first and made == [2]
    others = []
    thread = threading.Thread(target=lambda: others.append(cache.setdefault()))
    thread.start()
    thread.join()
    assert others == [[0]] and cache.setdefault() is first
    cache.clear()
    assert cache.setdefault(kwargs={'count': 4}) == [4]


def test_a_reference_to_a_tensor_is_a_key():
    first, second = keras.Input((2,)), keras.Input((2,))
    known = {first.ref(): 'first', second.experimental_ref(): 'second'}
    assert known[first.ref()] == 'first' and known[second.ref()] == 'second' and first.ref().deref() is first


def test_the_graph_of_tensorflow():
    if keras.backend.backend() == 'tensorflow':
        import tensorflow as tf
        with tf.Graph().as_default() as graph:
            assert keras.backend.get_graph() is graph
    else:
        with pytest.raises(NotImplementedError, match='TensorFlow'):
            keras.backend.get_graph()


def test_shapes_have_the_methods_of_tensorflows():
    shape = keras.Input((2, 3)).shape
    assert shape[1:].as_list() == [2, 3] and shape[1:].num_elements() == 6 and shape.num_elements() is None
    assert shape[:-1].concatenate([4, 5]) == (None, 2, 4, 5) and shape[:-1].concatenate(4) == (None, 2, 4)
    assert shape.with_rank(3) is shape and shape[1] == 2 and shape[1:] == (2, 3)
    with pytest.raises(ValueError, match='rank 2'):
        shape.with_rank(2)
