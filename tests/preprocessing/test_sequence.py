"""Sequences: padding, pairs of words, windows over time. Numbers of random draws were printed by keras-preprocessing
1.1.2 for the same seeds.
"""
import json
import random

import numpy as np
import pytest

import keras
from keras.preprocessing import sequence as S

pytestmark = pytest.mark.on('numpy')


@pytest.mark.parametrize('arguments, expected', [
    ({}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
    ({'padding': 'post'}, [[1, 0, 0], [2, 3, 0], [4, 5, 6]]),
    ({'maxlen': 2}, [[0, 1], [2, 3], [5, 6]]),
    ({'maxlen': 2, 'truncating': 'post'}, [[0, 1], [2, 3], [4, 5]]),
    ({'maxlen': 4, 'value': -1.0}, [[-1, -1, -1, 1], [-1, -1, 2, 3], [-1, 4, 5, 6]]),
    ({'maxlen': 0}, [[], [], []]),
])
def test_padding(arguments, expected):
    padded = S.pad_sequences([[1], [2, 3], (4, 5, 6)], **arguments)
    assert padded.dtype == 'int32'
    np.testing.assert_array_equal(padded, expected)


def test_padding_of_vectors_strings_and_nothing():
    padded = S.pad_sequences([[], [[1.5, 2]], np.ones((2, 2))], dtype='float32')
    np.testing.assert_array_equal(padded, [[[0, 0], [0, 0]], [[0, 0], [1.5, 2]], [[1, 1], [1, 1]]])
    words = S.pad_sequences([['a'], ['longer', 'b']], dtype=object, value='', padding='post')
    assert words.tolist() == [['a', ''], ['longer', 'b']]
    assert S.pad_sequences([]).shape == (0, 0)
    assert keras.utils.pad_sequences is S.pad_sequences


@pytest.mark.parametrize('arguments, message', [
    ({'sequences': 3}, 'must be iterable'),
    ({'sequences': [1, 2]}, 'non-iterable: entry 0 is 1'),
    ({'sequences': [[1]], 'padding': 'left'}, "padding must be .*'left'"),
    ({'sequences': [[1]], 'truncating': None}, 'truncating must be .*None'),
    ({'sequences': [[1]], 'value': 'none'}, 'not compatible'),
    ({'sequences': [[[1, 2]], [[1]]]}, r'sequence 1 have shape \(1,\), those of the others \(2,\)'),
])
def test_padding_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        S.pad_sequences(**arguments)


def test_sampling_table():
    np.testing.assert_allclose(S.make_sampling_table(4, 1e-3), [0.0315224787519425, 0.0315224787519425,
                                                                0.054759726939176974, 0.07415564097374219], rtol=1e-12)
    # By the law: the word of rank 1 has the frequency 1 / (gamma + 1/2 - 1/12).
    assert S.make_sampling_table(2, 0.01)[1] == pytest.approx((0.01 * (0.577 + 0.5 - 1 / 12)) ** 0.5)
    assert S.make_sampling_table(10, 1.0).max() == 1


def test_skipgrams_are_pairs_within_the_window():
    couples, labels = S.skipgrams([1, 2, 0, 3], 5, window_size=2, negative_samples=1.0, shuffle=False)
    assert couples[:4] == [[1, 2], [2, 1], [2, 3], [3, 2]] and labels == [1] * 4 + [0] * 4
    assert all(couple[0] in (1, 2, 3) and 1 <= couple[1] <= 4 for couple in couples[4:])
    couples, labels = S.skipgrams([1, 2, 3], 4, 1, 0, shuffle=False, categorical=True)
    assert couples == [[1, 2], [2, 1], [2, 3], [3, 2]] and labels == [[0, 1]] * 4
    assert S.skipgrams([], 5) == ([], []) and S.skipgrams([0, 1], 5) == ([], [])


def test_skipgrams_draw_as_ever():
    random.seed(3)
    couples, labels = S.skipgrams(list(range(9)), 9, 2, negative_samples=0.7, categorical=True, seed=5,
                                  sampling_table=S.make_sampling_table(9, 0.1))
    assert couples[:5] == [[4, 2], [4, 7], [4, 5], [2, 7], [4, 4]]
    assert labels[:5] == [[0, 1], [1, 0], [0, 1], [1, 0], [1, 0]]


def test_windows():
    data = np.arange(40).reshape(20, 2)
    windows = S.TimeseriesGenerator(data, np.arange(20), length=5, sampling_rate=2, stride=3, start_index=2,
                                    end_index=17, batch_size=3)
    assert len(windows) == 2
    x, y = windows[0]
    np.testing.assert_array_equal(y, [7, 10, 13])
    np.testing.assert_array_equal(x[:, :, 0] // 2, [[2, 4, 6], [5, 7, 9], [8, 10, 12]])
    np.testing.assert_array_equal(windows[1][1], [16])
    backwards = S.TimeseriesGenerator(data, np.arange(20), length=5, reverse=True)
    np.testing.assert_array_equal(backwards[0][0][0], data[4::-1])
    of_lists = S.TimeseriesGenerator(list(range(6)), list('abcdef'), length=2)
    assert of_lists[0][1].tolist() == list('cdef') and of_lists[0][0].tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]


def test_windows_are_drawn_as_ever():
    np.random.seed(1)
    windows = S.TimeseriesGenerator(np.arange(20), np.arange(20), 5, 2, 3, shuffle=True, batch_size=3)
    assert len(windows) == 2 and [windows[i][1].tolist() for i in range(2)] == [[10, 16, 17], [13, 14, 16]]


def test_windows_as_json():
    windows = S.TimeseriesGenerator(np.arange(6.0), [0] * 6, length=2, batch_size=4)
    written = json.loads(windows.to_json(indent=1))
    assert written['class_name'] == 'TimeseriesGenerator'
    assert json.loads(written['config'].pop('data')) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert json.loads(written['config'].pop('targets')) == [0] * 6
    assert written['config'] == {'length': 2, 'sampling_rate': 1, 'stride': 1, 'start_index': 2, 'end_index': 5,
                                 'shuffle': False, 'reverse': False, 'batch_size': 4}
    with pytest.raises(TypeError, match='data cannot be written as JSON'):
        S.TimeseriesGenerator([{1}, {2}, {3}], [1, 2, 3], length=1).get_config()


def test_windows_refuse():
    with pytest.raises(ValueError, match='Data length is 4, target length is 3'):
        S.TimeseriesGenerator(range(4), range(3), length=1)
    with pytest.raises(ValueError, match='`start_index.length=5 > end_index=3` is disallowed'):
        S.TimeseriesGenerator(range(4), range(4), length=5)
