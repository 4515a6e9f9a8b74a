"""CTC decoding against all labellings, one by one."""
import itertools

import numpy as np
import pytest

from keras import backend as K
from keras import ops
from keras.backend.contract.loading import get_engine
from keras.layers.calls import running


def labelling(path, blank):
    merged = [label for label, _ in itertools.groupby(path)]
    return tuple(label for label in merged if label != blank)


def by_enumeration(probabilities):
    """{labelling: its probability}, the sum over all paths."""
    steps, classes = probabilities.shape
    found = {}
    for path in itertools.product(range(classes), repeat=steps):
        key = labelling(path, classes - 1)
        found[key] = found.get(key, 0.0) + np.prod([row[label] for row, label in zip(probabilities, path)])
    return found


def probabilities(steps, classes, seed, batch=2):
    drawn = np.random.RandomState(seed).gamma(0.7, size=(batch, steps, classes)) + 1e-3
    return (drawn / drawn.sum(-1, keepdims=True)).astype('float32')


def row(labels, found):
    """The labels of a padded row."""
    assert all(label == -1 for label in found[len(labels):])
    return tuple(label for label in found if label != -1)


@pytest.mark.parametrize('seed', range(4))
def test_search_finds_the_likeliest_labellings(seed):
    y = probabilities(5, 3, seed)
    paths, scores = K.ctc_decode(y, np.array([5, 4]), greedy=False, beam_width=100, top_paths=3)
    paths, scores = [K.eval(path) for path in paths], K.eval(scores)
    assert len(paths) == 3 and scores.shape == (2, 3)
    for sample, length in enumerate([5, 4]):
        everything = by_enumeration(y[sample, :length])
        best = sorted(everything, key=everything.get, reverse=True)[:3]
        for rank, labels in enumerate(best):
            assert row(labels, paths[rank][sample]) == labels
            assert scores[sample, rank] == pytest.approx(np.log(everything[labels]), abs=1e-3)


def test_the_greedy_way():
    #         0    0    -    0    1    1    -
    path = [0, 0, 2, 0, 1, 1, 2]
    y = np.full((1, 7, 3), 0.1, 'float32')
    y[0, np.arange(7), path] = 0.8
    labels, scores = K.ctc_decode(np.concatenate([y, y]), np.array([7, 2]))
    np.testing.assert_array_equal(K.eval(labels[0]), [[0, 0, 1], [0, -1, -1]])
    np.testing.assert_allclose(K.eval(scores), [[-7 * np.log(0.8)], [-2 * np.log(0.8)]], rtol=1e-5)


def test_merging_what_repeats():
    y = np.array([[[0.9, 0.05, 0.05], [0.05, 0.05, 0.9], [0.9, 0.05, 0.05]]], 'float32')
    apart = K.ctc_decode(y, np.array([3]), greedy=False, beam_width=10)[0][0]
    together = K.ctc_decode(y, np.array([3]), greedy=False, beam_width=10, merge_repeated=True)[0][0]
    assert K.eval(apart).tolist() == [[0, 0]] and K.eval(together).tolist() == [[0]]


def test_keras_3_says_which_class_is_the_blank():
    y = np.log(np.array([[[.1, .1, .8], [.1, .8, .1], [.1, .8, .1], [.8, .1, .1], [.1, .8, .1]]], 'float32'))
    labels, scores = ops.ctc_decode(y, np.array([5]))
    assert K.eval(labels).tolist() == [[[2, 1, 1, -1, -1]]]
    np.testing.assert_allclose(K.eval(scores), [[-5 * np.log(0.8)]], rtol=1e-5)
    assert K.eval(ops.ctc_decode(y, np.array([5]), mask_index=2)[0]).tolist() == [[[1, 0, 1, -1, -1]]]
    assert K.eval(ops.ctc_decode(y, np.array([5]), merge_repeated=False)[0]).tolist() == [[[2, 1, 1, 1, -1]]]
    labels, scores = ops.ctc_decode(y + 1.0, np.array([5]), 'beam_search', beam_width=10, top_paths=2)
    everything = by_enumeration(np.exp(y[0])[:, [1, 2, 0]])
    best = sorted(everything, key=everything.get, reverse=True)[:2]
    assert [row(path, found[0]) for path, found in zip(best, K.eval(labels))] == [
        tuple(label + 1 for label in path) for path in best]
    np.testing.assert_allclose(K.eval(scores)[0], [np.log(everything[path]) for path in best], atol=1e-3)
    with pytest.raises(ValueError, match="'greedy' or 'beam_search'"):
        ops.ctc_decode(y, np.array([5]), 'best')


def test_in_a_graph_and_in_a_running_layer():
    y, lengths = K.placeholder((None, None, 3)), K.placeholder((None,), dtype='int32')
    labels, scores = K.ctc_decode(y, lengths)
    assert labels[0].shape == (None, None) and scores.shape == (None, 1)
    f = K.function([y, lengths], [labels[0], K.sum(scores)])
    for steps in (4, 6):
        value = probabilities(steps, 3, steps)
        found, total = f([value, [steps, steps]])
        with running(None):
            same = K.ctc_decode(*map(get_engine().convert, (value, np.array([steps, steps]))))
            np.testing.assert_array_equal(K.eval(same[0][0]), found)
            np.testing.assert_allclose(K.eval(same[1]).sum(), total, rtol=1e-5)


def test_more_paths_than_there_are():
    with pytest.raises(ValueError, match='top_paths=5.*beam_width=3'):
        K.ctc_decode(probabilities(3, 3, 0), np.array([3, 3]), greedy=False, beam_width=3, top_paths=5)
    with pytest.raises(ValueError, match='only 2 labellings'):
        K.eval(K.ctc_decode(probabilities(1, 2, 0), np.array([1, 1]), greedy=False, top_paths=4)[0][0])


def test_labels_as_a_sparse_matrix():
    found = K.ctc_label_dense_to_sparse(np.array([[1, 2, 0], [3, 0, 0]]), np.array([2, 1]))
    np.testing.assert_array_equal(K.eval(found.indices), [[0, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(K.eval(found.values), [1, 2, 3])
    np.testing.assert_array_equal(K.eval(found.dense_shape), [2, 3])


def test_cost_is_that_of_the_labelling():
    y = probabilities(4, 3, 7)
    labels = np.array([[0, 1], [1, 0]])
    found = K.eval(K.ctc_batch_cost(labels, y, np.array([[4], [3]]), np.array([[2], [1]])))
    expected = [-np.log(by_enumeration(y[0])[0, 1]), -np.log(by_enumeration(y[1, :3])[1, ])]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-3)
