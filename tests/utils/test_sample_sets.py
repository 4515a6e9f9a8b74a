"""Windows over series, sets that are split, and sets of batches that workers make."""
import itertools
import logging
import sys

import numpy as np
import pytest

import keras
from keras.utils import (Config, PyDataset, pack_x_y_sample_weight, split_dataset, standardize_dtype,
                         timeseries_dataset_from_array, unpack_x_y_sample_weight)

pytestmark = pytest.mark.on('numpy', 'tensorflow')


def lists(batches):
    return [[np.asarray(part).tolist() for part in batch] if isinstance(batch, tuple) else np.asarray(batch).tolist()
            for batch in batches]


def test_windows():
    # Keras 3.15.1 on the same series gives these batches.
    found = timeseries_dataset_from_array(np.arange(20) * 10, np.arange(20), 3, sequence_stride=2, sampling_rate=2,
                                          batch_size=4, start_index=2, end_index=17)
    assert lists(found) == [
        [[[20, 40, 60], [40, 60, 80], [60, 80, 100], [80, 100, 120]], [2, 4, 6, 8]],
        [[[100, 120, 140], [120, 140, 160]], [10, 12]]]
    assert lists(timeseries_dataset_from_array(np.arange(6.), None, 4, batch_size=None)) == [
        [0., 1., 2., 3.], [1., 2., 3., 4.], [2., 3., 4., 5.]]
    shuffled = timeseries_dataset_from_array(np.arange(30), np.arange(30), 2, batch_size=29, shuffle=True, seed=1)
    first, second = lists(shuffled)[0], lists(shuffled)[0]
    assert first != second and sorted(first[1]) == sorted(second[1]) == list(range(29))
    assert [window[0] for window in first[0]] == first[1]


@pytest.mark.parametrize('arguments, message', [
    ({'start_index': -1}, '`start_index` must be 0 or greater'), ({'start_index': 11}, '`start_index` must be lower'),
    ({'end_index': -1}, '`end_index` must be higher than 0'), ({'end_index': 11}, '`end_index` must be lower'),
    ({'start_index': 5, 'end_index': 4}, '`end_index` must be higher than `start_index`'),
    ({'sampling_rate': 0}, '`sampling_rate` must be higher'), ({'sequence_stride': 20}, '`sequence_stride` must be'),
    ({'format': 'x'}, '`format` should be'), ({'sampling_rate': 9}, 'no window of 3 entries'),
    ({'batch_size': 0}, 'batch_size must be')])
def test_windows_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        timeseries_dataset_from_array(np.arange(10), None, 3, **arguments)


@pytest.mark.parametrize('count, sizes, left', [
    (10, {'left_size': 0.25}, 2), (10, {'left_size': 0.75}, 8), (10, {'right_size': 0.25}, 8),
    (7, {'left_size': 0.5}, 4), (7, {'right_size': 0.5}, 3), (10, {'left_size': 3}, 3), (10, {'right_size': 3}, 7)])
def test_split_sizes(count, sizes, left):
    # As Keras 3.15.1 splits.
    first, second = split_dataset(np.arange(count), **sizes)
    assert lists(first) == list(range(left)) and lists(second) == list(range(left, count))


def test_split_structures():
    x, y = np.arange(12).reshape(6, 2), np.arange(6)
    left, right = split_dataset((x, y), left_size=4, shuffle=True, seed=0)
    assert len(left) == 4 and len(right) == 2
    assert sorted(sample[1] for sample in lists(left) + lists(right)) == list(range(6))
    assert all(row == [2 * number, 2 * number + 1] for row, number in lists(left))
    assert [np.asarray(part).shape for part in next(iter(left.batch(3)))] == [(3, 2), (3,)]
    left, _ = split_dataset(iter([{'a': 1, 'b': 2}] * 4), left_size=1)
    assert {name: int(value) for name, value in next(iter(left)).items()} == {'a': 1, 'b': 2}


@pytest.mark.parametrize('dataset, sizes, error, message', [
    (np.arange(9), {}, ValueError, 'At least one of'), (5, {'left_size': 1}, TypeError, 'Unsupported'),
    (np.arange(9), {'left_size': 1.5}, ValueError, '`left_size` should'),
    (np.arange(9), {'left_size': 20}, ValueError, '`left_size` should'),
    (np.arange(9), {'left_size': 'a'}, TypeError, 'Invalid `left_size`'),
    (np.arange(9), {'left_size': 0.7, 'right_size': 0.7}, ValueError, 'greater than 1'),
    (np.arange(9), {'left_size': 6, 'right_size': 6}, ValueError, 'smaller than the number of samples'),
    ([1, 2], {'left_size': 1}, ValueError, 'Expected a list of')])
def test_splits_that_do_not_fit(dataset, sizes, error, message):
    with pytest.raises(error, match=message):
        split_dataset(dataset, **sizes)


class Numbers(PyDataset):
    calls = ()

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.full((2, 1), index), np.full((2, 1), index)

    def on_epoch_begin(self):
        self.calls += ('begin',)

    def on_epoch_end(self):
        self.calls += ('end',)


class Endless(Numbers):
    num_batches = None


def test_a_set_says_how_its_batches_are_made():
    found = Numbers(workers=2, use_multiprocessing=False, max_queue_size=3)
    assert (found.workers, found.use_multiprocessing, found.max_queue_size, found.num_batches) == (2, False, 3, 3)
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,), kernel_initializer='ones')])
    assert model.predict(found)[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
    assert found.calls == ('begin', 'end')
    assert model.predict(Endless(), steps=4)[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    with pytest.raises(ValueError, match='never ends'):
        model.predict(Endless())
    assert [x[0, 0] for x, _ in itertools.islice(Endless(), 4)] == [0, 1, 2, 3]
    assert keras.utils.Sequence is PyDataset


def test_packing():
    # As Keras 3.15.1 packs.
    assert pack_x_y_sample_weight(1) == 1 and pack_x_y_sample_weight([1, 2]) == ([1, 2],)
    assert pack_x_y_sample_weight(1, 2) == (1, 2) and pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    assert unpack_x_y_sample_weight([1, 2]) == (1, 2, None) and unpack_x_y_sample_weight(1) == (1, None, None)
    with pytest.raises(ValueError, match='Data is expected to be in format'):
        unpack_x_y_sample_weight((1, 2, 3, 4))


def test_config():
    config = Config(a=1)
    config.b, config['c'] = 2, 3
    config.update(d=4)
    assert config.as_dict() == {'a': 1, 'b': 2, 'c': 3, 'd': 4} and config.pop('d') == 4 and 'd' not in config
    assert config.to_json() == '{"a": 1, "b": 2, "c": 3}' and config.get('z', 9) == 9 and len(config) == 3
    config.freeze()
    for change in (lambda: setattr(config, 'a', 2), lambda: config.pop('a'), lambda: config.update(a=2)):
        with pytest.raises(ValueError, match='config is frozen'):
            change()
    config.unfreeze()
    config.a = 5
    assert config.frozen is False and config['a'] == 5
    with pytest.raises(AttributeError, match='Unknown attribute'):
        config.z


def test_names_of_dtypes():
    found = [standardize_dtype(dtype) for dtype in (None, 'int8', np.dtype('bool'), np.float64, float, str)]
    assert found == ['float32', 'int8', 'bool', 'float64', 'float32', 'string']
    assert standardize_dtype(keras.ops.convert_to_tensor(np.ones(1, 'int16')).dtype) == 'int16'
    with pytest.raises(ValueError, match='Invalid dtype'):
        standardize_dtype('nonsense')


def test_progress_goes_to_the_logger(caplog, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, 'absl.logging', raising=False)  # which another test may have brought
    keras.utils.disable_interactive_logging()
    try:
        assert not keras.utils.is_interactive_logging_enabled()
        with caplog.at_level(logging.INFO, 'keras'):
            keras.utils.Progbar(2).update(2)
        assert '2/2' in caplog.text and capsys.readouterr().out == ''
    finally:
        keras.utils.enable_interactive_logging()


def test_batches_of_a_set_that_says_only_how_many():
    class Three(keras.utils.PyDataset):
        num_batches = 3

        def __getitem__(self, index):
            return index

    class Endless(keras.utils.PyDataset):
        def __getitem__(self, index):
            return index
    assert list(Three()) == [0, 1, 2]
    batches = iter(Endless())
    assert [next(batches) for _ in range(4)] == [0, 1, 2, 3]
