"""Models that tf.keras of several releases wrote, with ragged inputs, give what they gave there."""
import golden_files as golden
import numpy as np
import pytest

from keras.models import load_model

pytestmark = pytest.mark.on('tensorflow')


def cases():
    found = [pytest.param(entry, file, id='%s:%s' % (generation, file))
             for generation in ('tfkeras2.1', 'tfkeras2.4b', 'tfkeras2.9', 'tfkeras2.15')
             for entry in [golden.models(generation).get('ragged')] if entry for file in entry['files']]
    return found or [pytest.param(None, None, marks=pytest.mark.skip(reason='no golden files beside the repository'))]


@pytest.mark.parametrize('entry, file', cases())
def test_models_predict_what_tf_keras_did(entry, file):
    tf = pytest.importorskip('tensorflow')
    recorded = golden.arrays(entry)
    x = tf.RaggedTensor.from_row_splits(recorded['in0_values'], recorded['in0_row_splits'])
    model = load_model(golden.path(file), compile=False)
    np.testing.assert_allclose(model.predict(x, verbose=0), recorded['out0'], atol=1e-5)
    np.testing.assert_allclose(model(x), recorded['out0'], atol=1e-5)
