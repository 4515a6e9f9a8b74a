"""Nested structures: lists, tuples, named tuples, dictionaries, deques. Everything else is a leaf, `None` included.

The leaves stand in the order of positions and, for a `dict` or `defaultdict`, of sorted keys; an `OrderedDict` keeps
the order of its own.
"""
import collections

_SEQUENCES = (list, tuple, collections.deque)


class MAP_TO_NONE:
    """What the function of `traverse` returns (the class or an instance) to put None in the place of a part."""


# --- one level -------------------------------------------------------------------------------------------------------

def is_nested(structure):
    """Whether `structure` is a list, tuple, deque or dictionary (of any of their subclasses).

    Example:
        >>> keras.tree.is_nested([1]), keras.tree.is_nested('ab')
        (True, False)
    """
    return isinstance(structure, _SEQUENCES + (dict,))


def _keys(structure):
    """The keys of the parts of a nested structure, in the order of its leaves."""
    if not isinstance(structure, dict):
        return range(len(structure))
    if isinstance(structure, collections.OrderedDict):
        return list(structure)
    try:
        return sorted(structure)
    except TypeError:  # keys of several kinds
        return sorted(structure, key=lambda key: (type(key).__qualname__, key))


def _parts(structure):
    return [structure[key] for key in _keys(structure)]


def _rebuilt(structure, parts):
    """A structure like `structure`, of other parts in the order of its leaves."""
    kind = type(structure)
    if isinstance(structure, dict):
        new = dict(zip(_keys(structure), parts))
        pairs = [(key, new[key]) for key in structure]
        if isinstance(structure, collections.defaultdict):
            return kind(structure.default_factory, pairs)
        return kind(pairs)
    if hasattr(structure, '_fields'):
        return kind(*parts)
    return kind(parts, structure.maxlen) if isinstance(structure, collections.deque) else kind(parts)


def _called(function):
    if not callable(function):
        raise TypeError('`func` must be callable. Received: %r of type %s' % (function, type(function).__name__))
    return function


# --- leaves ----------------------------------------------------------------------------------------------------------

def flatten(structure):
    """The leaves of `structure` as a list.

    Example:
        >>> keras.tree.flatten({'b': [1, 2], 'a': 3})
        [3, 1, 2]
    """
    return [leaf for _, leaf in flatten_with_path(structure)]


def flatten_with_path(structure):
    """Pairs (path, leaf); a path is the tuple of keys and positions that lead to the leaf.

    Example:
        >>> keras.tree.flatten_with_path({'b': [1, 2], 'a': 3})
        [(('a',), 3), (('b', 0), 1), (('b', 1), 2)]
    """
    found = []
    _collect((), structure, found)
    return found


def _collect(path, structure, found):
    if not is_nested(structure):
        found.append((path, structure))
        return
    for key in _keys(structure):
        _collect(path + (key,), structure[key], found)


def pack_sequence_as(structure, flat_sequence):
    """The leaves in the list `flat_sequence`, laid out as `structure` is.

    Raises:
        TypeError: if `flat_sequence` is not a sequence. ValueError: if it has not as many leaves as `structure`.

    Example:
        >>> keras.tree.pack_sequence_as({'b': [0, 0], 'a': 0}, [1, 2, 3])
        {'b': [2, 3], 'a': 1}
    """
    if not isinstance(flat_sequence, _SEQUENCES):
        raise TypeError('pack_sequence_as: `flat_sequence` must be a list or another sequence of leaves. Received: %r '
                        'of type %s' % (flat_sequence, type(flat_sequence).__name__))
    count = len(flatten(structure))
    if count != len(flat_sequence):
        raise ValueError('pack_sequence_as: the structure has %d leaves, `flat_sequence` has %d. Received: '
                         'structure=%r, flat_sequence=%r' % (count, len(flat_sequence), structure, flat_sequence))
    leaves = iter(flat_sequence)
    return map_structure(lambda _: next(leaves), structure)


# --- maps ------------------------------------------------------------------------------------------------------------

def map_structure(func, *structures, none_is_leaf=True):
    """The first structure with `func` of the leaves in that place of all structures.

    Args:
        none_is_leaf: False leaves None alone; it has to stand in all structures then.

    Raises:
        TypeError: if `func` is not callable. ValueError: without a structure, or where they differ in their layout.

    Example:
        >>> keras.tree.map_structure(lambda x, y: x + y, {'a': 1, 'b': [2]}, {'a': 10, 'b': [20]})
        {'a': 11, 'b': [22]}
    """
    _called(func)
    if not structures:
        raise ValueError('map_structure: at least one structure is needed.')
    for other in structures[1:]:
        _check_same(structures[0], other, 'map_structure')
    return _mapped(func, structures, none_is_leaf)


def _mapped(func, structures, none_is_leaf):
    first = structures[0]
    if is_nested(first):
        # By the keys of the first: an `OrderedDict` may have another order than the next one.
        return _rebuilt(first, [_mapped(func, [each[key] for each in structures], none_is_leaf)
                                for key in _keys(first)])
    if first is None and not none_is_leaf:
        if any(other is not None for other in structures[1:]):
            raise ValueError('map_structure: None stands for no leaf, so it has to stand in all structures. Received '
                             'in one place: %r' % (structures,))
        return None
    return func(*structures)


def map_structure_up_to(shallow_structure, func, *structures):
    """`shallow_structure` with `func` of what stands in the place of its leaves in all of `structures`, nested or not.

    Raises:
        TypeError: if `func` is not callable. ValueError: without a structure, or where one is laid out otherwise.

    Example:
        >>> keras.tree.map_structure_up_to([0, 0], lambda x, shape: (x, shape), [1, 2], [(3, 4), (5,)])
        [(1, (3, 4)), (2, (5,))]
    """
    _called(func)
    if not structures:
        raise ValueError('map_structure_up_to: at least one structure is needed.')
    if not is_nested(shallow_structure):
        return func(*structures)
    for other in structures:
        _check_level(shallow_structure, other, 'map_structure_up_to')
    return _rebuilt(shallow_structure, [map_structure_up_to(shallow_structure[key], func,
                                                            *[each[key] for each in structures])
                                        for key in _keys(shallow_structure)])


def traverse(func, structure, top_down=True):
    """`structure` with every part, nested or not, replaced by what `func` returns for it.

    Args:
        func: gives another part (what is in that is not looked at), None to leave the part and go on inside of it, or
            `MAP_TO_NONE` for None. top_down: whether a structure comes before its parts, or after them.

    Raises:
        TypeError: if `func` is not callable.

    Example:
        >>> keras.tree.traverse(lambda x: tuple(x) if isinstance(x, list) else None, [1, [2]], top_down=False)
        (1, (2,))
    """
    _called(func)

    def answered(part):
        answer = func(part)
        if answer is None:
            return False, part
        return True, None if answer is MAP_TO_NONE or isinstance(answer, MAP_TO_NONE) else answer

    def visit(part):
        if top_down:
            replaced, part = answered(part)
            if replaced:
                return part
        if is_nested(part):
            part = _rebuilt(part, [visit(inner) for inner in _parts(part)])
        return part if top_down else answered(part)[1]
    return visit(structure)


def lists_to_tuples(structure):
    """`structure` with tuples in the place of lists.

    Example:
        >>> keras.tree.lists_to_tuples([1, {'a': [2, 3]}])
        (1, {'a': (2, 3)})
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def _is_shape(x):
    return isinstance(x, (list, tuple)) and all(size is None or isinstance(size, int) for size in x)


def map_shape_structure(func, structure):
    """`structure` with `func` of every shape in it: lists and tuples of ints and None count as leaves.

    Raises:
        TypeError: if `func` is not callable.

    Example:
        >>> keras.tree.map_shape_structure(len, {'a': (2, 3), 'b': [(None,), ()]})
        {'a': 2, 'b': [1, 0]}
    """
    _called(func)
    if not is_nested(structure) or _is_shape(structure):
        return func(structure)
    return _rebuilt(structure, [map_shape_structure(func, part) for part in _parts(structure)])


# --- comparisons -----------------------------------------------------------------------------------------------------

def assert_same_structure(a, b, check_types=None):
    """Raise ValueError unless `a` and `b` are laid out alike.

    Kinds have to be the same, but that all dictionaries are one kind; `check_types` is without effect, as in Keras 3.

    Example:
        >>> keras.tree.assert_same_structure([1, {'a': 2}], [3, {'a': 4}])
    """
    _check_same(a, b, 'assert_same_structure')


def assert_same_paths(a, b):
    """Raise ValueError unless the leaves of `a` and `b` have the same paths, whatever the kinds on the way.

    Example:
        >>> keras.tree.assert_same_paths([1, 2], (3, 4))
    """
    first, second = [{path for path, _ in flatten_with_path(each)} for each in (a, b)]
    if first != second:
        raise ValueError("`a` and `b` don't have the same paths. Only in `a`: %s. Only in `b`: %s."
                         % (sorted(first - second, key=str), sorted(second - first, key=str)))


def _check_same(a, b, name):
    if not is_nested(a) and not is_nested(b):
        return
    _check_level(a, b, name)
    for key in _keys(a):
        _check_same(a[key], b[key], name)


def _kind(structure):
    return dict if isinstance(structure, dict) else type(structure)


def _check_level(a, b, name):
    """Raise ValueError unless two structures have the same kind and the same keys."""
    if not is_nested(a) or not is_nested(b) or _kind(a) is not _kind(b):
        raise ValueError("%s: the structures don't have the same nested structure: expected a %s, found a %s. "
                         'Received: %r and %r' % (name, type(a).__name__, type(b).__name__, a, b))
    if isinstance(a, dict) and set(a) != set(b) or len(a) != len(b):
        what = 'dictionary key mismatch, %s and %s' % (list(a), list(b)) if isinstance(a, dict) \
            else 'Node arity mismatch, lengths %d and %d' % (len(a), len(b))
        raise ValueError("%s: the structures don't have the same nested structure: %s. Received: %r and "
                         '%r' % (name, what, a, b))
