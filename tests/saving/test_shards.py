"""Weights in several files."""
import json
import os

import numpy as np
import pytest

import keras
from keras import layers

X = np.ones((2, 30), 'float32')


def model():
    made = keras.Sequential([layers.Dense(400, input_shape=(30,), name='a'), layers.Dense(400, name='b'),
                             layers.Dropout(0.1), layers.Dense(10, name='c')])
    made.compile('adam', 'mse')
    made.optimizer.build(made.trainable_variables)
    return made


def test_layout_is_that_of_keras_3(tmp_path):
    """The files and the map that Keras 3.15.1 writes for this model at the same size."""
    made = model()
    made.save_weights(str(tmp_path / 'm.weights.json'), max_shard_size=0.001)
    assert sorted(os.listdir(str(tmp_path))) == [
        'm.weights.json', 'm_00000.weights.h5', 'm_00001.weights.h5', 'm_00002.weights.h5']
    index = json.loads((tmp_path / 'm.weights.json').read_text())
    places = {path: files for path, files in index['weight_map'].items() if 'seed_generator' not in path}
    assert places == {'/layers/dense/vars': ['m_00000.weights.h5'], '/layers/dense_1/vars': ['m_00000.weights.h5'],
                      '/layers/dense_2/vars': ['m_00000.weights.h5'],
                      '/optimizer/vars': ['m_00000.weights.h5', 'm_00001.weights.h5', 'm_00002.weights.h5']}
    other = model()
    other.load_weights(str(tmp_path / 'm.weights.json'))
    np.testing.assert_array_equal(other.predict(X), made.predict(X))


def test_faults(tmp_path):
    made, path = model(), str(tmp_path / 'm.weights.json')
    with pytest.raises(ValueError, match='max_shard_size'):
        made.save_weights(path, max_shard_size=0.0001)
    assert os.listdir(str(tmp_path)) == []
    with pytest.raises(ValueError, match='.weights.json'):
        made.save_weights(str(tmp_path / 'm.weights.h5'), max_shard_size=1)
    made.save_weights(path, max_shard_size=0.001)
    os.remove(str(tmp_path / 'm_00001.weights.h5'))
    with pytest.raises(OSError, match='m_00001'):
        made.load_weights(path)
    index = json.loads((tmp_path / 'm.weights.json').read_text())
    index['weight_map']['/layers/dense/vars'] = ['../m_00000.weights.h5']
    (tmp_path / 'm.weights.json').write_text(json.dumps(index))
    with pytest.raises(OSError, match='lead out'):
        made.load_weights(path)


@pytest.mark.on('numpy')
def test_damage_is_found(tmp_path):
    made, path = model(), str(tmp_path / 'm.weights.json')
    made.save_weights(path, max_shard_size=0.001)
    shard = tmp_path / 'm_00000.weights.h5'
    content = bytearray(shard.read_bytes())
    content[content.index(made.get_weights()[0].tobytes()) + 1000] ^= 1
    shard.write_bytes(bytes(content))
    with pytest.raises(OSError, match='damaged'):
        made.load_weights(path)


@pytest.mark.on('numpy')
def test_files_of_two_saves_are_not_mixed(tmp_path):
    made, path = model(), str(tmp_path / 'm.weights.json')
    made.save_weights(path, max_shard_size=0.001)
    first = {name: (tmp_path / name).read_bytes() for name in os.listdir(str(tmp_path))}
    for weight in made.weights:
        weight.assign(np.ones(weight.shape))
    made.save_weights(path, max_shard_size=0.001)
    assert sorted(os.listdir(str(tmp_path))) == sorted(first)
    new = (tmp_path / 'm_00000.weights.h5').read_bytes()
    (tmp_path / 'm_00000.weights.h5').write_bytes(first['m_00000.weights.h5'])
    with pytest.raises(OSError, match='m_00000.*not the file'):
        made.load_weights(path)
    (tmp_path / 'm_00000.weights.h5').write_bytes(new)
    other = model()
    other.load_weights(path)
    assert all(np.all(weight == 1) for weight in other.get_weights())
