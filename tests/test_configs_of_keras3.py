"""What `get_config` gives in Keras 3's generation is what Keras 3 gives, name by name."""
import json

import pytest

import keras
from tests import configs

pytestmark = pytest.mark.on('numpy')

# What says the same in other words, or less of it: ranges of random numbers stand as they were given; layers that
# Keras 3 makes itself, as `_NEVER_FROZEN` of `saving.forms`.
IN_OTHER_WORDS = {
    'layers': {'factor', 'x_factor', 'y_factor', 'threshold_factor', 'addition_factor', 'sigma', 'scale', 'kernel_size',
               'autocast', 'trainable', 'seed'},
    'regularizers': {'l1', 'factor'},  # 0.01 in single precision there
}
NAMES_OF_DTYPES = ('SpatialDropout1D', 'SpatialDropout2D', 'SpatialDropout3D')
WITH_LESS = {'Layer': {'activity_regularizer'}, 'Loss': {'name'}}
with open(configs.RECORD) as file:
    CASES = json.load(file)


@pytest.mark.parametrize('home, name, arguments, expected', CASES, ids=['%s.%s' % tuple(case[:2]) for case in CASES])
def test_config(home, name, arguments, expected):
    with keras.config.generation(3):
        keras.utils.clear_session(free_memory=False)
        found = configs.config_of(home, name, arguments)
    ignored = IN_OTHER_WORDS.get(home, set()) | WITH_LESS.get(name, set())
    ignored = ignored | {'dtype'} if name in NAMES_OF_DTYPES else ignored
    assert {key: value for key, value in found.items() if key not in ignored} == \
        {key: value for key, value in expected.items() if key not in ignored}


@pytest.mark.parametrize('name', ['Dense', 'Conv2D', 'LSTM', 'MultiHeadAttention', 'BatchNormalization', 'LeakyReLU'])
def test_configs_of_keras_3_make_the_object_again(name):
    with keras.config.generation(3):
        cls = getattr(keras.layers, name)
        config = cls(**configs.arguments_of(name)).get_config()
        assert cls.from_config(config).get_config() == config


def test_objects_inside_say_their_module():
    """So that readers of Keras 3 find them, as its own configs do."""
    with keras.config.generation(3):
        config = keras.layers.Dense(3).get_config()
    assert config['kernel_initializer'] == {
        'module': 'keras.initializers', 'class_name': 'GlorotUniform', 'registered_name': None,
        'config': {'seed': None, 'input_axes': None, 'output_axes': None}}


def test_hdf5_files_keep_to_the_words_of_keras_2(tmp_path):
    h5py = pytest.importorskip('h5py')
    with keras.config.generation(3):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name='one')])
        model.save(str(tmp_path / 'model.h5'))
        with h5py.File(str(tmp_path / 'model.h5'), 'r') as file:
            written = json.loads(file.attrs['model_config'])
    one = [layer['config'] for layer in written['config']['layers'] if layer['config']['name'] == 'one'][0]
    assert one['kernel_initializer'] == {'class_name': 'VarianceScaling', 'config': {
        'scale': 1.0, 'mode': 'fan_avg', 'distribution': 'uniform', 'seed': None}}
    assert 'lora_rank' not in one and 'quantization_config' not in one
