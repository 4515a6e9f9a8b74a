"""Configuration: the file, the environment, what is wrong with either, and choosing the engine."""
import json
import os
import subprocess
import sys
import warnings

import pytest

from keras import config
from keras.backend.engine import KNOWN_ENGINES, load_engine

DEFAULTS = {'floatx': 'float32', 'epsilon': 1e-07, 'backend': 'tensorflow', 'image_data_format': 'channels_last'}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv('KERAS_HOME', str(tmp_path / 'keras'))
    monkeypatch.delenv('KERAS_BACKEND', raising=False)
    return tmp_path / 'keras'


def write(home, text):
    home.mkdir()
    (home / 'keras.json').write_text(text)


def read_with_warnings():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        settings = config.Settings()
    return settings, ' '.join(str(warning.message) for warning in caught)


def test_the_file_is_written_with_defaults_on_first_use(home):
    settings = config.Settings()
    assert json.loads((home / 'keras.json').read_text()) == DEFAULTS
    assert (settings.floatx, settings.epsilon, settings.image_data_format) == ('float32', 1e-07, 'channels_last')


def test_the_file_is_read_and_never_rewritten(home):
    text = '{"backend": "jax",   "floatx": "float64", "epsilon": 0.001, "image_data_format": "channels_first"}'
    write(home, text)
    settings, complaints = read_with_warnings()
    assert (settings.backend, settings.floatx, settings.epsilon) == ('jax', 'float64', 0.001)
    assert settings.image_data_format == 'channels_first'
    assert complaints == '' and (home / 'keras.json').read_text() == text


@pytest.mark.parametrize('ordering, data_format', [('th', 'channels_first'), ('tf', 'channels_last')])
def test_image_dim_ordering_of_keras_1(home, ordering, data_format):
    write(home, json.dumps({'backend': 'theano', 'image_dim_ordering': ordering}))
    settings, complaints = read_with_warnings()
    assert (settings.image_data_format, settings.backend, complaints) == (data_format, 'theano', '')


def test_the_environment_wins(home, monkeypatch):
    write(home, json.dumps({'backend': 'jax'}))
    monkeypatch.setenv('KERAS_BACKEND', 'torch')
    assert config.Settings().backend == 'torch'


@pytest.mark.parametrize('text, complaint', [
    ('{"backend": ', 'not valid JSON'), ('[1, 2]', 'not a JSON object'), ('', 'not valid JSON'),
    ('{"floatx": "float31"}', "floatx is 'float31'"), ('{"epsilon": -1}', 'epsilon is -1'),
    ('{"image_data_format": "first"}', 'image_data_format'), ('{"image_dim_ordering": "xx"}', 'image_dim_ordering'),
    ('{"backend": 3}', 'backend is 3')])
def test_a_corrupt_file_gives_a_warning_and_stays(home, text, complaint):
    write(home, text)
    settings, complaints = read_with_warnings()
    assert complaint in complaints and 'keras.json' in complaints and 'ignored' in complaints
    assert (settings.floatx, settings.image_data_format) == ('float32', 'channels_last')
    assert (home / 'keras.json').read_text() == text


def test_a_file_that_cannot_be_read_gives_a_warning(home):
    (home / 'keras.json').mkdir(parents=True)  # a folder in its place: unreadable for root, too
    settings, complaints = read_with_warnings()
    assert 'cannot be read' in complaints and settings.floatx == 'float32'


def test_a_home_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('KERAS_HOME', str(tmp_path / 'file' / 'below'))
    settings, complaints = read_with_warnings()
    assert settings.floatx == 'float32' and complaints == ''


@pytest.mark.parametrize('call', [lambda: config.set_floatx('float12'), lambda: config.set_epsilon('small'),
                                  lambda: config.set_image_data_format('middle'),
                                  lambda: config.normalize_data_format('NHWC')])
def test_setters_refuse_what_is_unknown(call):
    with pytest.raises(ValueError, match='Received|Expected'):
        call()


def test_unknown_engine_has_near_matches_and_missing_engine_the_pip_command():
    with pytest.raises(ValueError, match="Did you mean 'tensorflow'"):
        load_engine('tensorfow')
    missing = [name for name in ('cntk', 'mxnet', 'theano') if name not in _installed()]
    for name in missing:
        with pytest.raises(ImportError, match='pip install'):
            load_engine(name)


def _installed():
    from keras.backend.engine import installed_engines
    return installed_engines()


def test_the_choice_of_engine_is_made_by_file_and_variable(tmp_path):
    code = 'from keras import backend as K; print(K.backend())'

    def chosen(**variables):
        environment = {key: value for key, value in os.environ.items() if key != 'KERAS_BACKEND'}
        environment.update(variables, KERAS_HOME=str(tmp_path))
        return subprocess.check_output([sys.executable, '-c', code], env=environment).decode().split()[-1]

    (tmp_path / 'keras.json').write_text('{"backend": "torch"}')
    assert chosen() == 'torch'
    assert chosen(KERAS_BACKEND='jax') == 'jax'
    (tmp_path / 'keras.json').write_text('{}')
    assert chosen() in KNOWN_ENGINES
