import numpy as np
import pytest

from keras.saving.values import DEEPEST, decoded

pytestmark = pytest.mark.on('numpy')


@pytest.mark.parametrize('written, value', [
    ({'class_name': '__tuple__', 'items': [None, 3]}, (None, 3)),
    ({'class_name': 'TensorShape', 'items': [None, 4]}, (None, 4)),
    ({'class_name': '__ellipsis__'}, Ellipsis),
    ({'class_name': '__numpy__', 'config': {'value': 6.0, 'dtype': 'float32'}}, 6.0),
    ({'class_name': '__slice__', 'config': {'start': 0, 'stop': 3, 'step': None}}, slice(0, 3, None)),
    ({'class_name': 'TypeSpec', 'type_spec': 'tf.DType', 'serialized': 'float32'}, 'float32'),
    ({'class_name': 'Dense', 'config': {'units': {'class_name': '__tuple__', 'items': [1]}}},
     {'class_name': 'Dense', 'config': {'units': (1,)}})])
def test_dictionaries_that_stand_for_values(written, value):
    assert decoded([written]) == [value]


def test_arrays():
    found = decoded({'class_name': '__tensor__', 'config': {'value': [[1, 2]], 'dtype': 'int32'}})
    assert found.dtype == 'int32'
    np.testing.assert_array_equal(found, [[1, 2]])


def test_what_holds_code_stays_as_it_is():
    code = {'class_name': '__lambda__', 'config': {'value': 'x'}}
    assert decoded(code) == code


def test_deep_configs_are_refused():
    config = 1
    for _ in range(DEEPEST + 2):
        config = [config]
    with pytest.raises(ValueError, match='deep'):
        decoded(config)


def test_values_that_cannot_be_made_are_named():
    with pytest.raises(ValueError, match='__slice__'):
        decoded({'class_name': '__slice__', 'config': {}})


def test_arrays_are_of_numbers_or_text():
    def read(numbers, dtype):
        return decoded({'class_name': '__numpy__', 'config': {'value': numbers, 'dtype': dtype}})
    assert read([1, 2], 'int8').dtype == np.int8
    # The size that a dtype of text says may be any: it would be allocated.
    assert read(['a', 'bc'], 'U300000000').dtype == np.dtype('U2')
    with pytest.raises(ValueError, match='neither of numbers nor of text'):
        read([None], 'O')
