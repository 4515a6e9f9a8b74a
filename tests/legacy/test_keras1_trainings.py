"""Programs of Keras 1 train as Keras 1.2.2 on Theano trained them, from the same weights."""
import keras1_trainings as trainings
import numpy as np
import pytest

from keras import config
from keras.engine.saving import preprocess_weights_for_loading

pytestmark = [pytest.mark.on('torch'), pytest.mark.filterwarnings('ignore::DeprecationWarning')]


@pytest.fixture(scope='module')
def recorded():
    with np.load(trainings.FILE) as file:
        return {name: file[name] for name in file.files}


def part(recorded, prefix):
    return {name[len(prefix):]: array for name, array in recorded.items() if name.startswith(prefix)}


def set_weights(model, recorded):
    """Give the layers the weights of Keras 1, which come by 'place of the layer/number'."""
    for place, layer in enumerate(trainings.layers_of(model)):
        found = part(recorded, '%d/' % place)
        arrays = [found[str(number)].astype('float32') for number in range(len(found))]
        layer.set_weights(preprocess_weights_for_loading(layer, arrays, '1.2.2', 'theano'))


@pytest.mark.parametrize('name', sorted(trainings.TRAININGS))
def test_training(name, recorded):
    with config.generation(1):
        model, x, y, arguments = trainings.TRAININGS[name]()
        set_weights(model, part(recorded, name + '/weights/'))
        history, scores, predictions = trainings.trained(model, x, y, arguments, name == 'by_generator')
    wanted = part(recorded, name + '/history/')
    assert sorted(history) == sorted(wanted)
    for key, values in wanted.items():
        np.testing.assert_allclose(history[key], values, 2e-4, 2e-5, err_msg=key)
    np.testing.assert_allclose(scores, recorded[name + '/scores'], 2e-4, 2e-5)
    for number, found in enumerate(predictions):
        np.testing.assert_allclose(found, recorded['%s/predictions/%d' % (name, number)], 2e-4, 2e-5)
