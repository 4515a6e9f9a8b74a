"""Shapes have the methods of TensorFlow's, by which scripts of tf.keras ask them; shape rules of several tensors."""
import numpy as np

import keras
from keras import ops


def test_shapes_of_symbolic_tensors_and_weights_have_as_list():
    x = keras.Input((3, 4))
    assert x.shape.as_list() == [None, 3, 4] and x.shape == (None, 3, 4)
    layer = keras.layers.Dense(2)
    assert layer(x).shape.as_list() == [None, 3, 2]
    assert layer.kernel.shape.as_list() == [4, 2] and layer.kernel.shape.rank == 2
    assert layer.kernel.shape.is_fully_defined() and not x.shape.is_fully_defined()


def test_build_gets_shapes_with_as_list():
    seen = []

    class Scaled(keras.layers.Layer):
        def build(self, input_shape):
            seen.append(input_shape.as_list())

        def call(self, x):
            seen.append(x.shape.as_list())
            return x

    Scaled()(keras.Input((5,)))
    assert seen[0] == [None, 5] and seen[1] == [None, 5]


def test_a_rule_asked_with_a_shape_that_has_as_list_answers_with_one():
    shape = keras.Input((7, 3)).shape
    assert keras.layers.Conv1D(2, 3).compute_output_shape(shape).as_list() == [None, 5, 2]


def test_the_shape_rule_stands_in_for_a_call_of_several_tensors_that_takes_only_numbers():
    class Steps(keras.layers.Layer):
        def call(self, x, state):
            return ops.stack([x[:, step] + state for step in range(int(ops.shape(x)[1]))], axis=1)

        def compute_output_shape(self, input_shape):
            return input_shape

    x, state = keras.Input((None, 2)), keras.Input((2,))
    model = keras.Model([x, state], Steps()(x, state))
    assert model.output_shape == (None, None, 2)
    assert np.allclose(model.predict([np.ones((1, 3, 2)), np.ones((1, 2))], verbose=0), 2)


def test_weights_of_metrics_take_what_tf_keras_says_of_replicas():
    metric = keras.metrics.Mean()
    weight = metric.add_weight(name='seen', shape=(2,), initializer='ones', aggregation='sum', synchronization='auto')
    assert weight.shape == (2,)


def test_structures_keep_tuples_of_other_types_tuples():
    assert keras.tree.map_structure(lambda size: size, keras.Input((3,)).shape) == (None, 3)
