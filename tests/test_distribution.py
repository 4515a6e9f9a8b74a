"""keras.distribution: descriptions everywhere, and models spread over devices on JAX."""
import os
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras import distribution

DEVICES = ['cpu:%d' % number for number in range(8)]


@pytest.mark.on('numpy')
def test_several_devices_can_be_described():
    mesh = distribution.DeviceMesh((4, 2), ['data', 'model'], DEVICES)
    layouts = distribution.LayoutMap(mesh)
    layouts['.*kernel'] = (None, 'model')
    spread = distribution.ModelParallel(layout_map=layouts, batch_dim_name='data')
    assert spread.num_model_replicas == 4 and spread.get_data_layout((8, 3)).axes == ('data', None)
    assert spread.get_variable_layout(keras.Variable(np.ones((2, 2)), name='kernel')).axes == (None, 'model')
    assert spread.get_variable_layout(keras.Variable(np.ones(2), name='bias')).axes == (None,)
    assert distribution.DataParallel(devices=DEVICES).num_model_replicas == 8
    with spread.scope():
        assert distribution.distribution() is spread
    assert distribution.distribution() is None


@pytest.mark.on('numpy')
def test_other_engines_say_that_they_spread_nothing():
    mesh = distribution.DeviceMesh((8,), ['data'], DEVICES)
    with pytest.raises(NotImplementedError, match='several devices'):
        distribution.distribute_tensor(np.ones(8), distribution.TensorLayout(['data'], mesh))
    with distribution.DataParallel(mesh).scope():
        variable = keras.Variable(np.ones(8))
    with pytest.raises(NotImplementedError, match='several devices'):
        variable.value
    with pytest.raises(ValueError, match='no device mesh'):
        distribution.distribute_tensor(np.ones(8), distribution.TensorLayout(['data']))


def test_one_device_is_what_runs_anyway():
    with distribution.DataParallel(devices=['cpu:0']).scope():
        model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
        model.compile('sgd', 'mse')
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    assert model.predict(np.ones((4, 3)), verbose=0).shape == (4, 2)


SCRIPT = r"""
import jax, numpy as np, keras
from keras import distribution as d, layers
random = np.random.RandomState(0)
x, y = random.rand(40, 6).astype('float32'), random.rand(40, 4).astype('float32')
seen = []

class Look(layers.Layer):
    def call(self, x):
        jax.debug.inspect_array_sharding(x, callback=lambda sharding: seen.append(sharding.shard_shape(x.shape)))
        return x

def results(look=()):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6,))] + list(look) + [
        layers.Dense(8, activation='tanh', name='one'), layers.BatchNormalization(), layers.Dropout(0.5),
        layers.Dense(4, name='two')])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), 'mse', metrics=['mae'])
    history = model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    return model, list(map(np.asarray, list(history.values()) + [model.evaluate(x, y, batch_size=10, verbose=0)] +
                           [model.predict(x, verbose=0)] + model.get_weights()))

def same(found):
    for one, other in zip(expected, found):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)

model, expected = results()
assert d.list_devices() == ['cpu:%d' % number for number in range(8)]
d.set_distribution(d.DataParallel())
model, found = results([Look()])
same(found)
assert (2, 6) in seen, seen
assert model.layers[1].kernel.value.sharding.is_fully_replicated
d.set_distribution(None)

mesh = d.DeviceMesh((2, 4), ['batch', 'model'])
layouts = d.LayoutMap(mesh)
layouts['one/kernel'], layouts['two/kernel'] = (None, 'model'), ('model', None)
layouts['one/output'] = ('batch', 'model')
with d.ModelParallel(layout_map=layouts, batch_dim_name='batch').scope():
    model, found = results()
same(found)
first = model.layers[0].kernel
assert first.value.sharding.shard_shape((6, 8)) == (6, 2), first.value.sharding
slots = [v for v in model.optimizer.variables if v.shape == (6, 8)]
assert slots and slots[0].value.sharding == first.value.sharding
first.assign(np.zeros((6, 8)))
assert first.value.sharding.shard_shape((6, 8)) == (6, 2)
whole = d.distribute_tensor(np.ones((8, 3)), d.TensorLayout(['model', None], mesh))
assert whole.sharding.shard_shape((8, 3)) == (2, 3)
with d.DataParallel().scope():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert model.weights[0]._value.sharding.is_fully_replicated
    model.compile('adam', 'mse', steps_per_execution=2)
    before = [weight.value.sharding for weight in model.weights]
    model.fit(np.ones((32, 3)), np.ones((32, 2)), batch_size=8, verbose=0)
    assert [weight.value.sharding for weight in model.weights] == before  # the words, too: P(None,) is not P()
native = jax.sharding.NamedSharding(mesh.backend_mesh, jax.sharding.PartitionSpec('batch', None))
for run in (d.distribute_tensor, jax.jit(d.distribute_tensor, static_argnums=1)):
    assert run(np.ones((8, 3)), native).sharding.is_equivalent_to(native, 2)
print('the same')
"""


@pytest.mark.on('jax')
def test_models_on_eight_devices_give_what_one_gives():
    environment = dict(os.environ, XLA_FLAGS='--xla_force_host_platform_device_count=8', JAX_PLATFORMS='cpu')
    found = subprocess.run([sys.executable, '-c', SCRIPT], env=environment, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=300)
    assert found.stdout.decode().strip().endswith('the same'), found.stdout.decode()
