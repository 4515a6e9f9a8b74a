"""`KerasFileEditor`: weights renamed, taken out and put in without a model."""
import numpy as np
import pytest

import keras
from keras import layers
from keras.saving import KerasFileEditor

pytestmark = pytest.mark.on('numpy')


def model(units=2):
    return keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(units)])


@pytest.fixture(params=['.weights.h5', '.keras'])
def editor(request, tmp_path):
    made, path = model(), str(tmp_path / ('x' + request.param))
    made.save_weights(path) if request.param == '.weights.h5' else made.save(path)
    found = KerasFileEditor(path)
    found.made, found.folder = made, tmp_path
    return found


def test_looking(editor, capsys):
    assert set(editor.weights_dict) == {'layers/dense/vars', 'layers/dense_1/vars'}
    editor.summary()
    assert 'shape=(4, 3)' in capsys.readouterr().out
    assert editor.compare(model()) == {'status': 'success', 'error_count': 0, 'match_count': 4}
    assert editor.compare(model(5)) == {'status': 'error', 'error_count': 2, 'match_count': 2}


def test_changing_and_saving(editor):
    editor.rename_object('dense_1', new_name='head')
    editor.add_object('layers/dense_1', {'0': np.ones((3, 7))})
    editor.add_weights('dense_1', {'1': np.zeros(7)})
    editor.delete_object('head')
    editor.save(str(editor.folder / 'y.weights.h5'))
    other = model(7)
    other.load_weights(str(editor.folder / 'y.weights.h5'))
    np.testing.assert_array_equal(other.get_weights()[2], np.ones((3, 7)))
    np.testing.assert_array_equal(other.get_weights()[0], editor.made.get_weights()[0])


def test_faults(editor, tmp_path):
    with pytest.raises(KeyError, match='nothing'):
        editor.delete_object('nothing')
    with pytest.raises(ValueError, match='already'):
        editor.rename_object('dense_1', 'dense')
    with pytest.raises(KeyError, match='no weight'):
        editor.delete_weight('dense', '9')
    with pytest.raises(ValueError, match='.weights.h5'):
        editor.save(str(tmp_path / 'y.h5'))
    with pytest.raises(ValueError, match='.keras'):
        KerasFileEditor('x.h5')
