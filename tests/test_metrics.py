import numpy as np
import pytest

import golden
from keras import metrics
from keras.backend.engine import get_engine

DIFFERENT = {
    ('3.15.1', 'SensitivityAtSpecificity'): 'Keras 3 takes the best threshold, Keras 2 the nearest',
    ('3.15.1', 'SensitivityAtSpecificity_w'): 'Keras 3 takes the best threshold, Keras 2 the nearest',
    ('3.15.1', 'binary_accuracy'): 'one value per element in Keras 3, per sample in Keras 2',
    ('3.15.1', 'binary_accuracy_thr'): 'one value per element in Keras 3, per sample in Keras 2',
}


def value(x):
    return get_engine().to_numpy(get_engine().convert(x))


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'metrics'))
def test_golden(version, name, entry):
    if (version, name) in DIFFERENT:
        pytest.skip(DIFFERENT[version, name])
    arrays = golden.arrays('functions', version, 'metrics/' + name)
    if 'function' in entry:
        result = getattr(metrics, entry['function'])(arrays['y_true'], arrays['y_pred'], **entry['arguments'])
        golden.assert_close(value(result), arrays['value'])
        return
    metric = metrics.deserialize({'class_name': entry['class_name'], 'config': entry['config']})
    for batch in ('@0', '@1'):
        given = [arrays[key + batch] for key in ('values', 'y_true', 'y_pred') if key + batch in arrays]
        metric.update_state(*given, sample_weight=arrays.get('sample_weight' + batch))
        golden.assert_close(value(metric.result()), arrays['result' + batch])
