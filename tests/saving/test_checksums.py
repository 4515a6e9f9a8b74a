"""Damage to files that were written here is an error, never another model."""
import io
import os
import random
import signal

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keras
from keras.models import load_model
from keras.saving import arrays, checksums
from keras.saving.opening import open_hdf5

pytestmark = pytest.mark.on('numpy')


# --- the checksum -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('size', [0, 1, 7, 8, 1023, 4096, 5000])
def test_every_bit_counts(size):
    array = np.random.randint(0, 255, size).astype('uint8')
    before = arrays.checksum(array)
    assert before == arrays.checksum(array.copy())
    for place in range(0, size, 97):
        for bit in range(8):
            array[place] ^= 1 << bit
            assert arrays.checksum(array) != before
            array[place] ^= 1 << bit


def test_shape_and_dtype_count():
    numbers = np.arange(12, dtype='float32')
    different = [numbers, numbers.reshape(3, 4), numbers.reshape(4, 3), numbers.view('int32'), numbers[:11],
                 numbers.astype('float64')]
    assert len(set(map(arrays.checksum, different))) == len(different)
    assert arrays.checksum(numbers.reshape(3, 4).T) == arrays.checksum(numbers.reshape(3, 4).T.copy())


def test_groups_of_many_arrays():
    target, sums = io.BytesIO(), {str(number): number for number in range(40000)}
    with h5py.File(target, 'w') as file:
        file.attrs['name'] = 'x'
        total = checksums.seal(file, sums)
    with open_hdf5(target) as group:
        assert checksums.expected(group, list(sums)) == sums and checksums.total_of(group) == total
        with pytest.raises(OSError, match='damaged'):
            checksums.expected(group, list(sums)[1:])


# --- damaged files ----------------------------------------------------------------------------------------------------

def trained_model():
    model = keras.Sequential([keras.layers.Dense(8, input_shape=(4,), activation='relu'),
                              keras.layers.BatchNormalization(), keras.layers.Dense(3)])
    model.compile('adam', 'mse')
    model.optimizer.build(model.trainable_variables)
    for number, variable in enumerate(model.optimizer.variables):
        variable.assign(np.full(variable.shape, number + 1.5 if variable.dtype != 'int64' else 7))
    return model


def state(model):
    optimizer = model.optimizer
    return ([weight.tobytes() for weight in model.get_weights()], model.to_json(), str(optimizer.get_config()),
            [variable.numpy().tobytes() for variable in optimizer.variables])


@pytest.fixture(scope='module', params=['.h5', '.keras'])
def saved(request, tmp_path_factory):
    """(path, its content, the state of the model in it)"""
    path = str(tmp_path_factory.mktemp('saved') / ('model' + request.param))
    trained_model().save(path)
    with open(path, 'rb') as file:
        return path, file.read(), state(load_model(path))


def outcome(path, content, whole):
    """What loading gives in a process of its own: 'same', 'error', or something that must not be."""
    with open(path, 'wb') as file:
        file.write(content)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            found = 'same' if state(load_model(path)) == whole else 'different'
        except (OSError, ValueError):
            found = 'error'
        except BaseException as error:
            found = repr(error)[:200]
        os.write(writing, found.encode())
        os._exit(0)
    os.close(writing)
    found = os.read(reading, 1000).decode()
    os.close(reading)
    status = os.waitpid(child, 0)[1]
    return found or 'ended by %d' % status


def flipped(content, chance):
    damaged = bytearray(content)
    damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return damaged


def zeroed(content, chance):
    damaged, size = bytearray(content), chance.choice([64, 512, 4096])
    start = chance.randrange(0, len(content), size)
    damaged[start:start + size] = bytes(len(damaged[start:start + size]))
    return damaged


def cut(content, chance):
    return content[:chance.randrange(len(content))]


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='processes of POSIX')
@pytest.mark.parametrize('damage', [flipped, zeroed, cut])
def test_damaged_files_are_errors(damage, saved):
    path, content, whole = saved
    if path.endswith('.h5') and h5py.version.hdf5_version_tuple < (1, 12):
        pytest.skip('HDF5 %s ends the process on some damaged files' % h5py.version.hdf5_version)
    chance, found = random.Random(7), {}
    for _ in range(40):
        damaged = bytes(damage(content, chance))
        result = outcome(path, damaged, whole)
        found[result] = found.get(result, 0) + 1
    assert set(found) <= {'same', 'error'} and found.get('error')


# --- files that nobody wrote ------------------------------------------------------------------------------------------

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        'class_name', 'config', 'name', 'layers', 'units', 'module', 'registered_name', 'function', 'inbound_nodes',
        'input_layers', 'output_layers', 'batch_input_shape', 'activation', 'build_config', 'further', 'dtype']),
        inner, max_size=4)), max_leaves=12)
NAMES = st.sampled_from(['Sequential', 'Model', 'Functional', 'Dense', 'Lambda', 'TimeDistributed', 'function',
                         '__lambda__', '__operation__', 'InputLayer', 'relu', 'Adam', 'system', ''])
LAYERS = st.fixed_dictionaries({'class_name': NAMES, 'config': JSON})
MODELS = st.fixed_dictionaries({'class_name': NAMES, 'config': st.fixed_dictionaries({
    'name': JSON, 'layers': st.lists(LAYERS | JSON, max_size=3), 'input_layers': JSON, 'output_layers': JSON})})


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(MODELS | LAYERS | JSON)
def test_any_config_makes_a_model_or_a_clear_error(config):
    try:
        keras.models.model_from_config(config)
    except (ValueError, TypeError) as error:
        assert str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.binary(max_size=200), st.integers(0, 3000))
def test_any_bytes_are_refused(data, place):
    target = io.BytesIO()
    with h5py.File(target, 'w') as file:
        file.attrs['model_config'] = b'{}'
    content = target.getvalue()
    for damaged in (data, content[:place] + data + content[place + len(data):]):
        with pytest.raises((OSError, ValueError)):
            load_model(io.BytesIO(damaged))


def test_weights_in_the_layout_of_keras_3(tmp_path):
    path = str(tmp_path / 'model.weights.h5')
    model = trained_model()
    model.save_weights(path)
    with open(path, 'rb') as file:
        content = file.read()
    places = [content.index(variable.numpy().tobytes()) for variable in model.weights + model.optimizer.variables
              if len(set(variable.numpy().ravel().tolist())) > 2]
    assert places
    for place in places:
        changed = bytearray(content)
        changed[place + 5] ^= 4
        with pytest.raises(OSError, match='damaged'):
            model.load_weights(io.BytesIO(bytes(changed)))
    model.load_weights(path)
