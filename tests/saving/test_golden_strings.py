"""Golden files of models that look up words, on engines that have strings."""
import zipfile

import golden_files as golden
import pytest

from keras.models import load_model

pytestmark = pytest.mark.on('numpy', 'tensorflow')

FILES = [('tfkeras2.4b', 'tfkeras2.4b-prep_text.savedmodel.zip'), ('tfkeras2.12', 'tfkeras2.12-prep_text.keras'),
         ('tfkeras2.15', 'tfkeras2.15-prep_text.keras')]


@pytest.mark.parametrize('generation, name', FILES)
def test_vocabularies_come_along(generation, name, tmp_path):
    if not golden.models(generation):
        pytest.skip('no golden files beside the repository')
    path = golden.path(name)
    if name.endswith('.zip'):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(str(tmp_path))
        path = str(tmp_path)
    recorded = golden.arrays(golden.models(generation)['prep_text'])
    found = load_model(path, compile=False).predict(recorded['in0'], verbose=0)
    assert golden.largest_error(found, recorded['out0']) < 1e-5
