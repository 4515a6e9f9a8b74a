"""The command line: convert, inspect, doctor; what they print and how they end."""
import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

import keras
from keras import layers
from keras.command import main

pytestmark = pytest.mark.on('numpy')
X = np.random.RandomState(0).normal(size=(3, 4)).astype('float32')


@pytest.fixture
def model():
    made = keras.Sequential([layers.Dense(3, input_shape=(4,), name='first'), layers.Dense(2, name='second')],
                            name='stack')
    made.compile('adam', 'mse', metrics=['mae'])
    return made


def run(capsys, *arguments):
    """(exit code, what was printed, what was said of errors)."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:
        code = end.code
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def report(capsys, *arguments):
    code, printed, _ = run(capsys, *arguments + ('--json',))
    assert code == 0
    return json.loads(printed)


# --- convert ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('source, target', [('a.h5', 'b.keras'), ('a.keras', 'b.h5'), ('a.keras', 'b.hdf5')])
def test_models_keep_their_predictions(model, source, target, tmp_path, capsys):
    model.save(str(tmp_path / source))
    found = report(capsys, 'convert', tmp_path / source, tmp_path / target)
    assert (found['layers'], found['weights'], found['parameters']) == (2, 4, 23)
    loaded = keras.models.load_model(str(tmp_path / target))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.optimizer is not None


@pytest.mark.parametrize('suffix', ['json', 'yaml'])
def test_architecture_and_weights_apart_and_together(model, suffix, tmp_path, capsys):
    if not hasattr(model, 'to_yaml') and suffix == 'yaml':
        pytest.skip('no YAML yet')
    model.save(str(tmp_path / 'a.keras'))
    architecture, weights = tmp_path / ('a.' + suffix), tmp_path / 'a.weights.h5'
    assert run(capsys, 'convert', tmp_path / 'a.keras', architecture)[0] == 0
    assert run(capsys, 'convert', tmp_path / 'a.keras', weights)[0] == 0
    assert run(capsys, 'convert', weights, tmp_path / 'b.h5', '--architecture', architecture)[0] == 0
    np.testing.assert_array_equal(keras.models.load_model(str(tmp_path / 'b.h5'), compile=False).predict(X),
                                  model.predict(X))


def test_refusals_of_convert(model, tmp_path, capsys):
    model.save(str(tmp_path / 'a.keras'))
    (tmp_path / 'b.h5').write_bytes(b'mine')
    code, _, error = run(capsys, 'convert', tmp_path / 'a.keras', tmp_path / 'b.h5')
    assert code == 1 and '--overwrite' in error and (tmp_path / 'b.h5').read_bytes() == b'mine'
    assert run(capsys, 'convert', tmp_path / 'a.keras', tmp_path / 'b.h5', '--overwrite')[0] == 0
    code, _, error = run(capsys, 'convert', tmp_path / 'a.keras', tmp_path / 'b.xyz')
    assert code == 1 and '--to' in error
    code, _, error = run(capsys, 'convert', tmp_path / 'none.keras', tmp_path / 'c.h5')
    assert code == 1 and 'none.keras' in error
    assert run(capsys, 'convert', tmp_path / 'a.keras')[0] == 2


def test_what_a_file_lacks_is_said(model, tmp_path, capsys):
    (tmp_path / 'a.json').write_text(model.to_json())
    code, printed, _ = run(capsys, 'convert', tmp_path / 'a.json', tmp_path / 'b.h5')
    assert code == 0 and 'holds no weights' in printed
    assert 'NOTE' not in run(capsys, 'convert', tmp_path / 'a.json', tmp_path / 'b.yaml')[1]
    for name in ('a.weights.h5', 'a.h5', 'a.weights.json'):
        model.save_weights(str(tmp_path / name))
        code, _, error = run(capsys, 'convert', tmp_path / name, tmp_path / 'c.keras')
        assert code == 1 and '--architecture' in error and not (tmp_path / 'c.keras').exists()
    code, _, error = run(capsys, 'convert', tmp_path / 'a.json', tmp_path / 'd', '--to', 'bogus')
    assert code == 1 and all(name in error for name in ('bogus', 'keras', 'yaml', 'onnx', 'tfjs'))


def test_files_are_known_by_their_contents(model, tmp_path, capsys):
    model.save(str(tmp_path / 'a.h5'))
    model.save(str(tmp_path / 'a.keras'))
    (tmp_path / 'a.json').write_text(model.to_json())
    for source, other in (('a.h5', 'b.json'), ('a.keras', 'b.yaml'), ('a.json', 'b.keras'), ('a.json', 'b.txt')):
        (tmp_path / other).write_bytes((tmp_path / source).read_bytes())
        assert run(capsys, 'convert', tmp_path / other, tmp_path / 'c.h5', '--overwrite')[0] == 0
    (tmp_path / 'cut.keras').write_bytes((tmp_path / 'a.keras').read_bytes()[:900])
    (tmp_path / 'none.h5').write_bytes(b'')
    (tmp_path / 'none.json').write_bytes(b'')
    (tmp_path / 'bytes.json').write_bytes(b'\xff\xfe\x00')
    for name, said in (('cut.keras', 'zip archive'), ('none.h5', 'is empty'), ('none.json', 'is empty'),
                       ('bytes.json', 'no file that Keras reads'), ('missing.json', 'no file'), ('.', 'a folder')):
        for command in (['convert', tmp_path / name, tmp_path / 'd.keras'], ['inspect', tmp_path / name]):
            code, _, error = run(capsys, *command)
            assert code == 1 and said in error and name in error


def test_code_is_run_only_where_it_is_asked_for(tmp_path, capsys):
    keras.Sequential([layers.Lambda(lambda x: x * 2, input_shape=(4,))]).save(str(tmp_path / 'a.h5'))
    code, _, error = run(capsys, 'convert', tmp_path / 'a.h5', tmp_path / 'b.keras')
    assert code == 1 and 'safe_mode' in error and not (tmp_path / 'b.keras').exists()
    assert run(capsys, 'convert', tmp_path / 'a.h5', tmp_path / 'b.keras', '--unsafe')[0] == 0


# --- inspect ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('name, kind', [('a.keras', '.keras'), ('a.h5', 'HDF5 model')])
def test_inspected_models(model, name, kind, tmp_path, capsys):
    model.optimizer.build(model.trainable_variables)
    model.save(str(tmp_path / name))
    found = report(capsys, 'inspect', tmp_path / name)
    assert found['format'].startswith(kind) and found['written_by']['written_by'] == 'keras ' + keras.__version__
    names = [layer['name'] for layer in found['layers'] if layer['class'] == 'Dense']
    assert names == ['first', 'second'] and found['model']['name'] == 'stack'
    assert found['totals']['numbers'] == 23 and found['totals']['arrays'] == 4
    assert found['optimizer']['class'] == 'Adam' and found['optimizer']['arrays'] in (9, 10)
    assert found['code'] == [] and found['oddities'] == []
    assert 'Dense' in run(capsys, 'inspect', tmp_path / name)[1]


@pytest.mark.parametrize('name', ['a.weights.h5', 'a.weights.json', 'a.h5'])
def test_inspected_weights(model, name, tmp_path, capsys):
    model.save_weights(str(tmp_path / name))
    assert report(capsys, 'inspect', tmp_path / name)['totals']['numbers'] == 23


def test_code_and_classes_of_others_are_named(tmp_path, capsys):
    class Mine(layers.Layer):
        def call(self, inputs):
            return inputs

    model = keras.Sequential([layers.Lambda(lambda x: x * 2, input_shape=(4,), name='twice'), Mine(name='own')])
    for name in ('a.h5', 'a.keras'):
        model.save(str(tmp_path / name))
        code = report(capsys, 'inspect', tmp_path / name)['code']
        assert any('twice' in one and 'byte code' in one for one in code)
        assert any('Mine' in one and 'own' in one for one in code)


def test_oddities(model, tmp_path, capsys):
    path = str(tmp_path / 'a.h5')
    model.save(path)
    with h5py.File(path, 'r+') as file:
        del file['model_weights']['first']['first/bias:0']
    assert any('first/bias:0' in one for one in report(capsys, 'inspect', path)['oddities'])
    with h5py.File(path, 'r+') as file:
        del file['model_weights']
    assert any('model_weights' in one for one in report(capsys, 'inspect', path)['oddities'])


def test_files_that_are_none(tmp_path, capsys):
    (tmp_path / 'a.h5').write_bytes(b'nothing')
    code, printed, error = run(capsys, 'inspect', tmp_path / 'a.h5', '--json')
    assert code == 1 and error.startswith('keras: ') and 'error' in json.loads(printed)
    assert run(capsys, 'inspect', tmp_path / 'none.h5')[0] == 1


# --- doctor -------------------------------------------------------------------------------------------------------

def test_doctor(capsys):
    found = report(capsys, 'doctor')
    assert found['engine'] == 'numpy' and found['devices'] == ['CPU'] and found['usable']
    assert found['engines']['numpy']['version'] == np.__version__
    assert found['packages']['h5py']['version'] == h5py.__version__
    assert 'KERAS_BACKEND' in found['settings']['environment']


def test_module_runs_and_alone_is_doctor():
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    ended = subprocess.run([sys.executable, '-m', 'keras'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=environment)
    assert ended.returncode == 0 and b'engine: numpy' in ended.stdout


@pytest.mark.parametrize('command', ['convert', 'inspect', 'doctor'])
def test_help(command, capsys):
    code, printed, _ = run(capsys, command, '--help')
    assert code == 0 and 'Exit codes' in printed


# --- what Keras does not read ---------------------------------------------------------------------------------------

def _foreign_files(model, folder):
    """{what is said of it: path} of files of other runtimes and libraries."""
    import struct
    import zipfile
    header = json.dumps({'w': {'dtype': 'F16', 'shape': [2, 3], 'data_offsets': [0, 12]}}).encode()
    contents = {'a.tflite': b'\x1c\0\0\0TFL3' + b'\0' * 20, 'a.xml': b'<?xml version="1.0"?>\n<net name="m">',
                'a.safetensors': struct.pack('<Q', len(header)) + header + b'\0' * 12,
                'a.mlir': b'\0' * 40 + b'ML\xefR\rStableHLO_v1.0', 'a.pkl': b'\x80\x04}.', 'a.gguf': b'GGUF\3\0\0\0'}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    for name, member in (('a.pt2', 'a/archive_format'), ('a.pt', 'a/data.pkl'), ('a.npz', 'w.npy')):
        with zipfile.ZipFile(str(folder / name), 'w') as archive:
            archive.writestr(member, b'1')
    model.export(str(folder / 'tfjs'), format='tfjs')
    (folder / 'orbax').mkdir()
    (folder / 'orbax' / '_CHECKPOINT_METADATA').write_bytes(b'{}')
    return {'TensorFlow Lite': 'a.tflite', 'OpenVINO': 'a.xml', 'safetensors': 'a.safetensors', 'StableHLO': 'a.mlir',
            'pickle': 'a.pkl',
            'GGUF': 'a.gguf', 'program of PyTorch': 'a.pt2', 'file of PyTorch': 'a.pt', 'NumPy': 'a.npz',
            'TensorFlow.js': 'tfjs', 'Orbax': 'orbax'}


def test_formats_of_others_are_named(model, tmp_path, capsys):
    for said, name in _foreign_files(model, tmp_path).items():
        found = report(capsys, 'inspect', tmp_path / name)
        assert said in found['format'] and found['use']
        code, printed, error = run(capsys, 'convert', tmp_path / name, tmp_path / 'b.keras', '--json')
        assert code == 1 and said in error and error.count('\n') == 1 and said in json.loads(printed)['error']
        with pytest.raises(OSError, match=said):
            keras.models.load_model(str(tmp_path / name))
    assert not (tmp_path / 'b.keras').exists()
    found = report(capsys, 'inspect', tmp_path / 'a.safetensors')
    assert found['weights'] == {'': [{'name': 'w', 'shape': [2, 3], 'dtype': 'F16', 'bytes': 12}]}
    found = report(capsys, 'inspect', tmp_path / 'tfjs')
    assert found['totals']['numbers'] == 23
    assert [layer['name'] for layer in found['layers']][-2:] == ['first', 'second']


def test_models_of_onnx_are_looked_into(model, tmp_path, capsys):
    pytest.importorskip('onnx')
    assert run(capsys, 'convert', _saved(model, tmp_path), tmp_path / 'a.onnx')[0] == 0
    found = report(capsys, 'inspect', tmp_path / 'a.onnx')
    assert found['format'] == 'a model of ONNX' and found['written_by'] == {'producer': 'keras'}
    assert (len(found['inputs']), found['outputs']) == (1, ['second'])
    kernels = [weight for weight in found['weights'][''] if weight['shape'] == [4, 3]]
    assert [weight['dtype'] for weight in kernels] == ['float32']
    (tmp_path / 'b.onnx').write_bytes((tmp_path / 'a.onnx').read_bytes()[:-40])
    assert run(capsys, 'inspect', tmp_path / 'b.onnx')[0] == 1


def _saved(model, folder):
    model.save(str(folder / 'source.keras'))
    return folder / 'source.keras'


def test_malformed_lists_of_weights_are_refused(tmp_path, capsys):
    (tmp_path / 'a').mkdir()
    for manifest in ([3], [{'weights': 3}], [{'weights': [{'name': 'w'}]}], [{'weights': [{
            'name': 'w', 'shape': 'x', 'dtype': 'f'}]}]):
        (tmp_path / 'a' / 'model.json').write_text(json.dumps({'modelTopology': {}, 'weightsManifest': manifest}))
        code, _, error = run(capsys, 'inspect', tmp_path / 'a')
        assert code == 1 and 'list of weights' in error
