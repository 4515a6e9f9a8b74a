"""Plain values in HDF5 files."""
import collections

import h5py
import numpy as np
import pytest

from keras.saving import plain
from keras.saving.opening import open_hdf5
from keras.saving.writing import writing_hdf5

pytestmark = pytest.mark.on('numpy')
VALUE = {'a': [1, 2.5, True, None, 'x', b'\x00\xff', (1, (2,)), {3}], 4: {'deep': float('nan')}, (1, 2): [],
         'small': np.array([[1, 2]], '>i2'), 'large': np.arange(1000.0), 'number': np.float32(0.1),
         'inf': -float('inf')}


def test_values_come_back(tmp_path):
    with h5py.File(str(tmp_path / 'a.h5'), 'w') as file:
        plain.write_plain(file, 'it', VALUE)
    with h5py.File(str(tmp_path / 'a.h5'), 'r') as file:
        assert plain.same(plain.read_plain(file, 'it'), VALUE)
    assert plain.same(plain.copied(VALUE), VALUE)


@pytest.mark.parametrize('value', [len, object(), {'a': [lambda: 0]}, np.array([None])])
def test_others_are_refused(tmp_path, value):
    with h5py.File(str(tmp_path / 'a.h5'), 'w') as file, pytest.raises(plain.NotPlain):
        plain.write_plain(file, 'it', value)
    with pytest.raises(plain.NotPlain):
        plain.copied(value)


def test_changes_are_what_is_not_as_before():
    class Thing:
        pass
    thing = Thing()
    thing.given, thing.order, thing.function, thing.counts = 3, np.arange(3), len, collections.OrderedDict(a=1)
    changes = plain.Changes(thing)
    assert changes.now() == {}
    thing.order[0], thing.counts['a'], thing.new = 9, 2, 'x'
    found = changes.now()
    assert sorted(found) == ['counts', 'new', 'order'] and found['order'].tolist() == [9, 1, 2]
    other = Thing()
    other.given, other.new = 4, None
    changes = plain.Changes(other)
    changes.restore(found)
    assert (other.given, other.new, other.counts['a']) == (4, 'x', 2) and sorted(changes.now()) == sorted(found)


def test_large_arrays_are_left_aside():
    class Thing:
        small, large = np.zeros(2), np.zeros(200)
    thing = Thing()
    thing.small, thing.large = np.zeros(2), np.zeros(200)
    assert list(plain.attributes(thing, 100)) == ['small']


def test_long_deep_and_foreign_values_come_back(tmp_path):
    deep = []
    for _ in range(130):
        deep = [deep]
    value = {'long': list(range(2100000)), 'deep': deep, 'digits': 10 ** 50,
             'other order': np.arange(1000, dtype='>f8'), 'complex': np.arange(1000) * 1j}
    with writing_hdf5(str(tmp_path / 'a.h5')) as file:
        plain.write_plain(file, 'it', value)
    with open_hdf5(str(tmp_path / 'a.h5')) as file:
        assert plain.same(plain.read_plain(file, 'it'), value)
