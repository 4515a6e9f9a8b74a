"""Configuration: the file, the environment, what is wrong with either, and choosing the engine."""
import json
import os
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest

from keras import config
from keras.backend.contract import loading as engine_module
from keras.backend.contract.loading import KNOWN_ENGINES, Known, installed_engines, load_engine

pytestmark = pytest.mark.on('numpy')

DEFAULTS = {'floatx': 'float32', 'epsilon': 1e-07, 'image_data_format': 'channels_last'}


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


def test_several_engines(home, monkeypatch):
    write(home, json.dumps({'backend': 'tensorflow, mxnet'}))
    settings = config.Settings()
    assert (settings.backend, settings.backends) == ('tensorflow', ('tensorflow', 'mxnet'))
    monkeypatch.setenv('KERAS_BACKEND', 'cntk,theano,')
    settings = config.Settings()
    assert (settings.backend, settings.backends) == ('cntk', ('cntk', 'theano'))


@pytest.mark.parametrize('text, complaint', [
    ('{"backend": ', 'not valid JSON'), ('[1, 2]', 'not a JSON object'), ('', 'not valid JSON'),
    ('{"floatx": "float31"}', "floatx is 'float31'"), ('{"epsilon": -1}', 'epsilon is -1'),
    ('{"image_data_format": "first"}', 'image_data_format'), ('{"image_dim_ordering": "xx"}', 'image_dim_ordering'),
    ('{"backend": 3}', 'backend is 3'), ('{"backend": " , "}', "backend is ' , '")])
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
    for name in sorted(set(KNOWN_ENGINES) - set(installed_engines())):
        with pytest.raises(ImportError, match='pip install'):
            load_engine(name)


def fresh_process(code, tmp_path, **variables):
    """What `code` prints on standard output and on standard error, in a process without KERAS_BACKEND of ours."""
    environment = {key: value for key, value in os.environ.items() if key != 'KERAS_BACKEND'}
    environment.update(variables, KERAS_HOME=str(tmp_path))
    done = subprocess.run([sys.executable, '-c', code], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_nnx_is_enabled_by_file_and_variable(tmp_path):
    def enabled(**variables):
        return fresh_process('import keras; print(keras.config.is_nnx_enabled())', tmp_path, **variables)[0].strip()

    (tmp_path / 'keras.json').write_text('{"backend": "numpy"}')
    assert enabled() == 'False' and enabled(KERAS_NNX_ENABLED='true') == enabled(KERAS_NNX_ENABLED='1') == 'True'
    (tmp_path / 'keras.json').write_text('{"backend": "numpy", "nnx_enabled": true}')
    assert enabled() == 'True' and enabled(KERAS_NNX_ENABLED='false') == 'False'
    code = 'import keras; print(keras.config.get_generation())'
    assert fresh_process(code, tmp_path)[0].strip() == '3'
    assert fresh_process(code, tmp_path, KERAS_GENERATION='2')[0].strip() == '2'


def test_the_choice_of_engine_is_made_by_file_and_variable(tmp_path):
    def chosen(**variables):
        return fresh_process('from keras import backend as K; print(K.backend())', tmp_path, **variables)[0].strip()

    (tmp_path / 'keras.json').write_text('{"backend": "torch"}')
    assert chosen() == 'torch'
    assert chosen(KERAS_BACKEND='jax') == 'jax'
    assert chosen(KERAS_BACKEND='cntk, theano') == 'cntk'
    (tmp_path / 'keras.json').write_text('{"backend": "mxnet,tensorflow"}')
    assert chosen() == 'mxnet'
    (tmp_path / 'keras.json').write_text('{}')
    assert chosen() in KNOWN_ENGINES


def test_the_first_run_does_not_decide_on_an_engine_for_later_ones(tmp_path):
    code = 'from keras import backend as K; print(K.backend()); K.eval(K.constant(1.))'
    home = tmp_path / 'new'
    first, second = [fresh_process(code, home)[0].strip() for _ in range(2)]
    assert first == second == installed_engines()[0]
    assert json.loads((home / 'keras.json').read_text()) == DEFAULTS


USE = 'from keras import backend as K; K.eval(K.constant(1.)); K.eval(K.constant(2.))'


@pytest.mark.parametrize('how', ['file', 'variable'])
def test_the_first_use_says_which_engine_runs(tmp_path, how):
    (tmp_path / 'keras.json').write_text('{"backend": "%s"}' % ('numpy' if how == 'file' else 'cntk'))
    printed, said = fresh_process(USE, tmp_path, **({} if how == 'file' else {'KERAS_BACKEND': 'numpy'}))
    assert printed == '' and said == 'Using NumPy backend. Generation 2 of Keras.\n'


def test_importing_and_switching_by_hand_say_nothing(tmp_path):
    code = 'import keras; keras.backend.set_backend("numpy"); ' + USE
    assert fresh_process(code, tmp_path, KERAS_BACKEND='torch') == ('', '')


@pytest.mark.skipif(not {'tensorflow', 'mxnet'} <= set(installed_engines()) or sys.version_info > (3, 7),
                    reason='needs MXNet and TensorFlow 2.4')
@pytest.mark.skipif(os.environ['KERAS_BACKEND'] != 'numpy', reason='runs once, beside the NumPy engine')
class TestAnEngineThatMustBeImportedFirst:
    """MXNet 1.9.1, imported after TensorFlow 2.4 (2.5 is fine), ends the process with a segmentation fault."""

    SWITCH = USE + '; K.set_backend("%s"); print(K.backend(), K.eval(K.constant(3.)))'

    @pytest.mark.parametrize('first, second', [('tensorflow', 'mxnet'), ('mxnet', 'tensorflow')])
    def test_engines_named_together_live_together(self, tmp_path, first, second):
        printed, _ = fresh_process(self.SWITCH % second, tmp_path, KERAS_BACKEND='%s,%s' % (first, second))
        assert printed.split() == [second, '3.0']

    def test_named_in_the_file(self, tmp_path):
        (tmp_path / 'keras.json').write_text('{"backend": "tensorflow, mxnet"}')
        assert fresh_process(self.SWITCH % 'mxnet', tmp_path)[0].split() == ['mxnet', '3.0']

    def test_the_right_order_needs_no_names(self, tmp_path):
        printed, _ = fresh_process(self.SWITCH % 'tensorflow', tmp_path, KERAS_BACKEND='mxnet')
        assert printed.split() == ['tensorflow', '3.0']

    @pytest.mark.parametrize('code', [SWITCH % 'mxnet', 'import tensorflow, keras; keras.backend.set_backend("mxnet")',
                                      'import tensorflow, keras\nwith keras.backend.use("mxnet"): pass'])
    def test_too_late_is_refused_with_the_ways_out(self, tmp_path, code):
        code = 'try:\n    %s\nexcept ImportError as error:\n    print(error)' % code.replace('\n', '\n    ')
        printed, _ = fresh_process(code, tmp_path, KERAS_BACKEND='tensorflow')
        assert 'segmentation fault' in printed and 'tensorflow 2.4.4 is already imported' in printed
        assert 'KERAS_BACKEND=tensorflow,mxnet' in printed and '`import mxnet`' in printed

    def test_imported_in_time_by_the_program(self, tmp_path):
        printed, _ = fresh_process('import mxnet, tensorflow; ' + self.SWITCH % 'mxnet', tmp_path,
                                   KERAS_BACKEND='tensorflow')
        assert printed.split() == ['mxnet', '3.0']


def test_what_must_come_first_is_loaded_first(monkeypatch):
    """The mechanism, without the engines: names, packages and the loader's record are made up."""
    loads = []
    monkeypatch.setattr(engine_module, 'KNOWN_ENGINES', {
        'old': Known('Old', ('old_package',), ''), 'new': Known('New', ('new_package',), '', {'old_package': (2, 10)})})
    monkeypatch.setattr(engine_module, 'load_engine', loads.append)
    monkeypatch.setattr(config.settings, 'backends', ('old', 'new'))
    engine_module.mind_the_order('old')
    engine_module.mind_the_order('new')
    assert loads == ['new']
    monkeypatch.setitem(sys.modules, 'old_package', SimpleNamespace(__version__='1.0'))
    engine_module.mind_the_order('old')
    assert loads == ['new'], 'what is imported already is met by an error of the other only'
    monkeypatch.delitem(sys.modules, 'old_package')
    monkeypatch.setattr(config.settings, 'backends', ('old', 'nwe'))
    with pytest.raises(ValueError, match="'nwe'.*Did you mean 'new'"):
        engine_module.mind_the_order('old')


@pytest.mark.parametrize('version, refused', [('2.9.1', True), ('1.12', True), ('2.10.0', False), ('3.0.0-rc1', False)])
def test_too_late_depends_on_the_release(monkeypatch, version, refused):
    monkeypatch.setitem(KNOWN_ENGINES, 'new', Known('New', ('new_package',), '', {'old_package': (2, 10)}))
    monkeypatch.setitem(sys.modules, 'old_package', SimpleNamespace(__version__=version))
    if refused:
        with pytest.raises(ImportError, match='old_package %s is already imported' % version):
            engine_module.mind_the_order('new')
    else:
        engine_module.mind_the_order('new')
    monkeypatch.setitem(sys.modules, 'new_package', config)
    engine_module.mind_the_order('new')


@pytest.mark.on('numpy')
def test_packages_of_keras_3_decide_before_those_of_tf_keras(monkeypatch):
    from keras import config
    for order, expected in (((3, 'tf'), 3), (('tf', 3), 3), (('tf',), 'tf')):
        monkeypatch.setattr(config.settings, 'default_generation', config.DEFAULT_GENERATION)
        for generation in order:
            config.settings.follow_package(generation)
        assert config.settings.default_generation == expected
