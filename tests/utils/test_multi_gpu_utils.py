"""`multi_gpu_model` on devices that the engines pretend to have."""
import os
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras.backend.contract.loading import engine_name

pytestmark = pytest.mark.on('tensorflow', 'jax', 'torch')

PROGRAM = """
import numpy as np
if {engine!r} == 'tensorflow':
    import tensorflow as tf
    cpu = tf.config.list_physical_devices('CPU')[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 4)
import keras
from keras.layers import Dense, Input, concatenate
from keras.models import Model, load_model

def made():
    a, b = Input((3,), name='a'), Input((2,), name='b')
    x = concatenate([Dense(4, activation='tanh')(a), Dense(4)(b)])
    return Model([a, b], [Dense(2, name='first')(x), Dense(1, name='second')(x)])


draw = np.random.RandomState(0)
data = [draw.rand(18, 3).astype('float32'), draw.rand(18, 2).astype('float32')]
wanted = {{'first': draw.rand(18, 2).astype('float32'), 'second': draw.rand(18, 1).astype('float32')}}
plain = made()
other = made()
other.set_weights(plain.get_weights())
both = keras.utils.multi_gpu_model(other, gpus={gpus})
assert both.output_names == ['first', 'second']
histories = []
for model in (plain, both):
    model.compile('adam', 'mse', loss_weights={{'first': 1.0, 'second': 0.5}})
    histories.append(model.fit(data, wanted, batch_size=6, epochs=3, shuffle=False, verbose=0).history)
for name in histories[0]:
    np.testing.assert_allclose(histories[1][name], histories[0][name], 1e-5)
for one, two in zip(plain.predict(data), both.predict(data)):
    np.testing.assert_allclose(one, two, 1e-4, 1e-6)
for one, two in zip(plain.get_weights(), other.get_weights()):
    np.testing.assert_allclose(one, two, 1e-4, 1e-6)
both.save('both.h5')
for one, two in zip(load_model('both.h5').predict(data), plain.predict(data)):
    np.testing.assert_allclose(one, two, 1e-4, 1e-6)
if {engine!r} == 'jax':
    print('devices', len(other.trainable_weights[0].value.sharding.device_set))
else:
    step = tf.function(lambda *xs: both(list(xs)))
    graph = step.get_concrete_function(*data).graph
    print('devices', len({{op.device for op in graph.get_operations() if op.type == 'MatMul'}}))
"""


def test_batches_are_divided(tmp_path):
    if engine_name() == 'torch':
        pytest.skip('PyTorch computes on one device')
    environment = dict(os.environ, XLA_FLAGS='--xla_force_host_platform_device_count=4', KERAS_BACKEND=engine_name())
    environment['PYTHONPATH'] = os.pathsep.join(sys.path)
    printed = subprocess.run([sys.executable, '-c', PROGRAM.format(engine=engine_name(), gpus=[0, 1, 3])], check=True,
                             cwd=str(tmp_path), env=environment, stdout=subprocess.PIPE, universal_newlines=True).stdout
    assert printed.strip().splitlines()[-1] == 'devices 3'


def test_one_device():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    for gpus in (1, [0]):
        with pytest.raises(ValueError, match='gpus >= 2'):
            keras.utils.multi_gpu_model(model, gpus=gpus)
    with pytest.raises(ValueError, match='%s engine computes on .* Train the model itself' % engine_name()):
        keras.utils.multi_gpu_model(model, gpus=9)


def test_a_model_from_a_larger_machine_runs():
    layer = keras.layers.Replicas(keras.layers.Dense(1, kernel_initializer='ones'), gpus=[0, 9])
    model = keras.Sequential([keras.layers.Input((2,)), layer])
    with pytest.warns(UserWarning, match='runs on one'):
        assert model.predict(np.array([[1.0, 2.0]])).tolist() == [[3.0]]
