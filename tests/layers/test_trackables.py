"""Layers, models, optimizers and metrics in TensorFlow's own checkpoints, modules and SavedModels."""
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('tensorflow')
X = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0], [2.0, 1.0, 1.0], [0.0, -1.0, 0.5]], 'float32')
Y = X[:, :2] - X[:, 1:]


@pytest.fixture
def tf():
    tf = pytest.importorskip('tensorflow')
    if not hasattr(getattr(tf, '__internal__', None), 'tracking'):
        pytest.skip('this release of TensorFlow does not say how it tracks objects')
    return tf


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.others = layers.Dense(3, activation='tanh'), [layers.Dropout(0.5), layers.Dense(2)]

    def call(self, x, training=None):
        return self.others[1](self.others[0](self.first(x), training=training))


def trained(model):
    model.compile('adam', 'mse')
    model.fit(X, Y, verbose=0)
    return model


def test_checkpoints_keep_models_and_optimizers(tf, tmp_path):
    model, other = trained(Own()), trained(Own())
    mean = keras.metrics.Mean()
    mean.update_state([1.0, 2.0])
    path = tf.train.Checkpoint(model=model, optimizer=model.optimizer, mean=mean).save(str(tmp_path / 'c'))
    names = [name for name, _ in tf.train.list_variables(path)]
    assert 'model/first/kernel/.ATTRIBUTES/VARIABLE_VALUE' in names
    assert 'model/dense/bias/.ATTRIBUTES/VARIABLE_VALUE' in names  # it stands in a list
    again = keras.metrics.Mean()
    status = tf.train.Checkpoint(model=other, optimizer=other.optimizer, mean=again).restore(path)
    status.assert_consumed()
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    for ours, theirs in zip(other.optimizer.variables, model.optimizer.variables):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert float(again.result()) == 1.5


def test_what_is_built_later_is_restored_then(tf, tmp_path):
    model, later = Own(), Own()
    expected = model(X)
    path = tf.train.Checkpoint(net=model).save(str(tmp_path / 'c'))
    tf.train.Checkpoint(net=later).restore(path)
    np.testing.assert_array_equal(later(X), expected)
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(net=later), str(tmp_path / 'managed'), max_to_keep=1)
    assert manager.save() == manager.latest_checkpoint


def test_saved_models_serve_and_keep_functions(tf, tmp_path):
    class Scaled(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.factor = layers.Dense(2), tf.Variable(2.0)

        def call(self, x):
            return self.dense(x) * self.factor

        @tf.function(input_signature=[tf.TensorSpec([])])
        def set_factor(self, value):
            self.factor.assign(value)
    graph = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)])
    for number, model in enumerate((graph, Own(), Scaled())):
        expected = np.asarray(model(X))
        tf.saved_model.save(model, str(tmp_path / str(number)))
        loaded = tf.saved_model.load(str(tmp_path / str(number)))
        served = loaded.signatures['serving_default'](tf.constant(X[:2]))
        np.testing.assert_allclose(served['output_0'], expected[:2], rtol=1e-5, atol=1e-6)
    loaded.set_factor(tf.constant(0.0))
    assert not np.asarray(loaded.signatures['serving_default'](tf.constant(X))['output_0']).any()

    class Module(tf.Module):
        def __init__(self):
            self.inner = graph

        @tf.function
        def __call__(self, x):
            return self.inner(x)
    module = Module()
    expected = module(tf.constant(X))
    tf.saved_model.save(module, str(tmp_path / 'module'))
    loaded = tf.saved_model.load(str(tmp_path / 'module'))
    np.testing.assert_allclose(loaded(tf.constant(X)), expected, rtol=1e-5)


def test_several_inputs_are_served_by_name(tf, tmp_path):
    first, second = keras.Input((3,)), keras.Input((2,))
    model = keras.Model([first, second], [layers.Dense(1)(first), layers.Dense(1)(second)])
    expected = model([X, Y])
    tf.saved_model.save(model, str(tmp_path / 'm'))
    loaded = tf.saved_model.load(str(tmp_path / 'm'))
    served = loaded.signatures['serving_default'](inputs=tf.constant(X), inputs_1=tf.constant(Y))
    for number in (0, 1):
        np.testing.assert_allclose(served['output_%d' % number], expected[number], rtol=1e-5, atol=1e-6)


def test_updates_in_replicas_of_a_strategy_are_refused(tf):
    code = """
import tensorflow as tf
tf.config.set_logical_device_configuration(tf.config.list_physical_devices('CPU')[0],
                                           [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
strategy = tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])
with strategy.scope():
    variable, optimizer = keras.Variable([1.0, 2.0]), keras.optimizers.SGD(0.5)
    optimizer.build([variable])

def update():
    optimizer.apply([tf.ones(2)], [variable])
try:
    strategy.run(update)
except NotImplementedError as error:
    print('refused', 'strategy.reduce' in str(error))
gradients = strategy.run(lambda: tf.ones(2) * variable.value)
optimizer.apply([strategy.reduce('SUM', gradients, axis=None)], [variable])
print(variable.numpy().tolist())
"""
    done = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)
    assert done.stdout.split('\n')[:2] == ['refused True', '[0.0, 0.0]'], done.stdout + done.stderr


def test_a_strategy_with_replicas_has_no_effect_and_says_so(tf):
    code = """
import warnings
import numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(tf.config.list_physical_devices('CPU')[0],
                                           [tf.config.LogicalDeviceConfiguration()] * 2)
import keras

def told(strategy):
    with strategy.scope(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer='ones')])
        model.compile(keras.optimizers.SGD(0.5), 'mse')
    model.fit(np.ones((4, 1)), np.zeros((4, 1)), batch_size=4, verbose=0)
    return ['2 replicas, but trains on one device' in str(one.message) for one in said], model.layers[0].kernel.numpy()
print(told(tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])))
print(told(tf.distribute.OneDeviceStrategy('CPU:0')))
"""
    done = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)
    # The gradient of the mean of (1 * 1 - 0) ** 2 by the weight is 2.
    assert done.stdout.split('\n')[:2] == [
        '([True], array([[0.]], dtype=float32))', '([], array([[0.]], dtype=float32))'], done.stdout + done.stderr
