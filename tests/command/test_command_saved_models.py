"""The command line with the folders that TensorFlow writes."""
import json

import pytest

import keras
from keras import layers
from keras.command import main

pytestmark = pytest.mark.on('tensorflow')


@pytest.mark.parametrize('wanted', ['tf', 'tf_saved_model'])
def test_saved_models(wanted, tmp_path, capsys):
    keras.Sequential([layers.Dense(3, input_shape=(4,))]).save(str(tmp_path / 'a.keras'))
    target = str(tmp_path / 'b')
    capsys.readouterr()
    assert main(['convert', str(tmp_path / 'a.keras'), target, '--to', wanted, '--json']) == 0
    assert json.loads(capsys.readouterr().out)['format'] == wanted
    if wanted == 'tf':
        assert main(['inspect', target, '--json']) == 0
        found = json.loads(capsys.readouterr().out)
        assert found['totals']['numbers'] == 15 and 'SavedModel' in found['format'] and found['code']
        assert main(['convert', target, str(tmp_path / 'c.h5')]) == 0
