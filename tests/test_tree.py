"""keras.tree: nested structures, with the results that Keras 3.15.1 gives for them."""
import collections

import pytest

from keras import tree

pytestmark = pytest.mark.on('numpy')

Point = collections.namedtuple('Point', 'x y')
ORDERED = collections.OrderedDict([('b', 1), ('a', [2, 3])])


@pytest.mark.parametrize('structure, leaves', [
    ({'b': 1, 'a': 2}, [2, 1]), (ORDERED, [1, 2, 3]), (None, [None]), ([], []), (Point(1, (2, 3)), [1, 2, 3]),
    (collections.deque([1, [2]]), [1, 2]), (collections.defaultdict(list, {'b': 1, 'a': 2}), [2, 1])])
def test_leaves_and_back(structure, leaves):
    assert tree.flatten(structure) == leaves
    packed = tree.pack_sequence_as(structure, [leaf and 10 * leaf for leaf in leaves])
    assert type(packed) is type(structure)
    assert tree.flatten(packed) == [leaf and 10 * leaf for leaf in leaves]
    assert tree.is_nested(structure) is (structure is not None)


def test_paths():
    assert tree.flatten_with_path(ORDERED) == [(('b',), 1), (('a', 0), 2), (('a', 1), 3)]
    assert tree.flatten_with_path(3) == [((), 3)]
    tree.assert_same_paths([1, 2], {0: 1, 1: 2})
    with pytest.raises(ValueError, match="don't have the same paths"):
        tree.assert_same_paths({'a': 1}, [1])


def test_maps():
    assert tree.map_structure(lambda a, b: a + b, ORDERED, ORDERED) == {'b': 2, 'a': [4, 6]}
    assert tree.map_structure(lambda a: (a,), [1, None]) == [(1,), (None,)]
    assert tree.map_structure(lambda a: (a,), [1, None], none_is_leaf=False) == [(1,), None]
    up_to = tree.map_structure_up_to([0, [0, 0]], lambda *parts: parts, [1, [2, 3]], [10, [[20], 30]])
    assert up_to == [(1, 10), [(2, [20]), (3, 30)]]
    assert tree.map_shape_structure(len, {'a': (1, 2), 'b': [(3, None), ()]}) == {'a': 2, 'b': [2, 0]}


def test_traversal():
    def without_tuples(part):
        return tree.MAP_TO_NONE if isinstance(part, tuple) else None
    assert tree.traverse(without_tuples, [(1, 2), [3]]) == [None, [3]]
    larger = tree.traverse(lambda part: None if tree.is_nested(part) else part + 1, [1, (2, {'a': 3})])
    assert larger == [2, (3, {'a': 4})]
    assert tree.lists_to_tuples([1, [2, {'a': [3]}]]) == (1, (2, {'a': (3,)}))


@pytest.mark.parametrize('first, second', [([1, 2], [1]), ([1, 2], (1, 2)), ([1, 2], [1, [2]]), ({'a': 1}, {'b': 1}),
                                           (Point(1, 2), (1, 2)), ([1], 3)])
def test_structures_that_differ(first, second):
    for compare in (tree.assert_same_structure, lambda a, b: tree.map_structure(lambda x, y: 0, a, b)):
        with pytest.raises(ValueError, match="don't have the same nested structure"):
            compare(first, second)


def test_dictionaries_are_one_kind():
    tree.assert_same_structure({'a': 1}, collections.OrderedDict(a=1))


def test_what_is_no_function_or_sequence():
    for call in (lambda: tree.map_structure(3, [1]), lambda: tree.traverse(3, [1]),
                 lambda: tree.pack_sequence_as([1], 5)):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match='2 leaves'):
        tree.pack_sequence_as([1, 2], [1])
    with pytest.raises(ValueError, match='at least one structure'):
        tree.map_structure(lambda: 0)


def test_what_differs_is_named_as_in_keras_3():
    for other, phrase in (([1, 2, 3], 'Node arity mismatch'), ([1, {'b': 2}], 'Dictionary key|dictionary key')):
        with pytest.raises(ValueError, match=phrase):
            tree.assert_same_structure([1, {'a': 2}], other)
