"""The state of a model as a tree, and inputs that may be left out."""
import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('torch', 'mxnet')
X = np.random.RandomState(0).rand(6, 4).astype('float32')


def test_a_tree_brings_back_the_state():
    model = keras.Sequential([layers.Dense(2, input_shape=(4,), name='top'), layers.BatchNormalization(name='norm')])
    model.compile('adam', 'mse', metrics=['mae'])
    model.fit(X, X[:, :2], verbose=0)
    tree, weights = model.get_state_tree(), model.get_weights()
    assert sorted(tree) == ['metrics_variables', 'non_trainable_variables', 'optimizer_variables',
                            'trainable_variables']
    assert sorted(tree['trainable_variables']) == ['norm', 'top']
    np.testing.assert_array_equal(model.get_state_tree('numpy_array')['trainable_variables']['top']['kernel'],
                                  weights[0])
    iterations = int(np.array(model.optimizer.iterations))
    model.fit(X, X[:, :2], verbose=0)
    assert not np.allclose(model.get_weights()[0], weights[0])
    model.set_state_tree(tree)
    for found, expected in zip(model.get_weights(), weights):
        np.testing.assert_array_equal(found, expected)
    assert int(np.array(model.optimizer.iterations)) == iterations


def test_two_weights_of_one_path():
    for generation in (2, 3):
        with keras.config.generation(generation):
            class Own(keras.Model):
                def __init__(self):
                    super().__init__()
                    self.one, self.other = layers.Dense(2, name='top'), layers.Dense(2, name='top')

                def call(self, x):
                    return self.other(self.one(x))
            model = Own()
            model(X)
            if generation == 3:
                with pytest.raises(ValueError, match="variable path is found twice in the model: '.*top/kernel'"):
                    model.get_state_tree()
            else:
                assert len(model.get_state_tree()['trainable_variables']) > 0


def test_trees_that_do_not_fit():
    model = keras.Sequential([layers.Dense(2, input_shape=(4,), name='top')])
    with pytest.raises(ValueError, match='value_format=list'):
        model.get_state_tree('list')
    with pytest.raises(ValueError, match="unknown part 'weights'"):
        model.set_state_tree({'weights': {}})
    with pytest.raises(ValueError, match='no variable top/scale'):
        model.set_state_tree({'trainable_variables': {'top': {'scale': np.ones(2)}}})


class MaybeSum(layers.Layer):
    def call(self, x, y=None):
        return x if y is None else x + y

    def compute_output_shape(self, shape, *others):
        return shape


def test_an_input_that_may_be_left_out():
    a, b = keras.Input((2,), name='a'), keras.Input((2,), name='b', optional=True)
    model = keras.Model([a, b], layers.Dense(1, kernel_initializer='ones')(MaybeSum()(a, b)))
    model.compile(keras.optimizers.SGD(0.0), 'mse')
    x, other = X[:, :2], X[:, 2:]
    alone, both = x.sum(1, keepdims=True), (x + other).sum(1, keepdims=True)
    for given, expected in (([x, None], alone), ({'a': x}, alone), ({'a': x, 'b': None}, alone), ([x, other], both)):
        for size in (4, 32):
            np.testing.assert_allclose(model.predict(given, batch_size=size), expected, rtol=1e-5)
        assert model.fit(given, np.zeros(6), batch_size=4, verbose=0).history['loss'][0] == pytest.approx(
            (expected ** 2).mean(), rel=1e-4)
    assert model.get_config()['layers'][1]['config']['optional'] is True
    with pytest.raises(ValueError, match='no data for the inputs .*a'):
        model.predict({'b': x})
