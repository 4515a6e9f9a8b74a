"""`SeedGenerator` by its config."""
import pytest

import keras


@pytest.mark.on('numpy')
def test_seed_generator_comes_back_from_its_config():
    config = keras.saving.serialize_keras_object(keras.random.SeedGenerator(42, name='mine'))
    found = keras.saving.deserialize_keras_object(config)
    assert type(found) is keras.random.SeedGenerator and found.name == 'mine'
    assert found.get_config() == {'seed': 42, 'name': 'mine'}
