"""What attributes are compared by, where compiled functions are kept as long as these are the same."""
import numpy as np
import pytest

from keras.backend.contract.attributes import looked_at, settings

pytestmark = pytest.mark.on('numpy')


@pytest.mark.parametrize('one, other', [
    (1, True), (1.0, 1), ((1,), [1]), ((1, 2), (1, True)), ({'a': 1}, {'a': 2}), ({'a': [1]}, {'a': (1,)}), (None, 0),
    (np.float32(1), 1.0), (int, float), (len, max)])
def test_settings_of_other_types_or_values_differ(one, other):
    assert settings({'_x': one}) == settings({'_x': one}) != settings({'_x': other})
    hash(tuple(settings({'_x': one}).items()))


def test_what_is_no_setting():
    assert settings({'name': 'a', '_has_run': True, 'x': object(), 'y': [1, object()], 'z': [0] * 2000}) == {}
    assert list(settings({'x': [object()]}, lambda part: 3)) == ['x']
    assert looked_at({'kernel_initializer': 1, 'rate': 2, '_noted': None, '_scale': 4}) == ['rate', '_scale']
    # Numbers under names by which Keras keeps objects are a user's.
    assert list(settings({'streams': 2.0, 'history': 1, '_source': 'a', '_training': None})) == ['streams', 'history',
                                                                                               '_source']
