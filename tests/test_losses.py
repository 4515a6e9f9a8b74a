import numpy as np
import pytest

import golden
from keras import losses
from keras.backend.engine import get_engine

DIFFERENT = {
    ('2.3.1', 'binary_crossentropy_edge'): 'Keras 2 adds epsilon to probabilities that it has clipped to epsilon already',
}


def value(x):
    return get_engine().to_numpy(get_engine().convert(x))


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'losses'))
def test_golden(version, name, entry):
    if (version, name) in DIFFERENT:
        pytest.skip(DIFFERENT[version, name])
    arrays = golden.arrays('functions', version, 'losses/' + name)
    function = entry.get('function')
    if function:
        result = getattr(losses, function)(arrays['y_true'], arrays['y_pred'], **entry['arguments'])
    else:
        loss = losses.deserialize({'class_name': entry['class_name'], 'config': entry['config']})
        if version == '2.3.1':
            assert loss.get_config() == entry['config']
        result = loss(arrays['y_true'], arrays['y_pred'], arrays.get('sample_weight'))
    golden.assert_close(value(result), arrays['value'])
