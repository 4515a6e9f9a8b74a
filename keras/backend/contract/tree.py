"""Nested lists, tuples and dictionaries of leaves. `None` is a leaf; dictionaries go by sorted key."""
import collections

# Types that have been seen to be leaves: almost every question is answered here, without isinstance.
_leaf_types = set()


def flatten(structure):
    """The leaves of `structure`, depth first."""
    if type(structure) in _leaf_types:
        return [structure]
    leaves = []
    _collect(structure, leaves)
    return leaves


def _collect(structure, leaves):
    kind = type(structure)
    if kind in _leaf_types:
        leaves.append(structure)
    elif kind is list or kind is tuple or isinstance(structure, (list, tuple)):
        for part in structure:
            _collect(part, leaves)
    elif kind is dict or isinstance(structure, dict):
        for key in sorted(structure):
            _collect(structure[key], leaves)
    else:
        _leaf_types.add(kind)
        leaves.append(structure)


def is_nested(structure):
    return isinstance(structure, (list, tuple, dict))


def parts(nested):
    """The parts of a list or dictionary by their keys, in the order of `flatten`."""
    return collections.OrderedDict(sorted(nested.items()) if isinstance(nested, dict) else enumerate(nested))


def paths(structure, path=()):
    """For each leaf of `structure` the keys on the way to it, a tuple."""
    if not is_nested(structure):
        return [path]
    return [found for key, part in parts(structure).items() for found in paths(part, path + (key,))]


def map_structure(function, structure):
    """`structure` with `function` applied to every leaf; named tuples and dictionary types are kept."""
    kind = type(structure)
    if kind in _leaf_types:
        return function(structure)
    if kind is list or kind is tuple:
        # Of most lists all parts are leaves: they are asked here, without a call for each.
        parts = [function(part) if type(part) in _leaf_types else map_structure(function, part) for part in structure]
        return parts if kind is list else tuple(parts)
    if isinstance(structure, (list, tuple)):
        return _rebuilt(structure, [map_structure(function, part) for part in structure])
    if isinstance(structure, dict):
        mapped = {key: map_structure(function, structure[key]) for key in sorted(structure)}
        return kind((key, mapped[key]) for key in structure)
    _leaf_types.add(kind)
    return function(structure)


def pack_as(structure, leaves):
    """The `leaves`, in the order of `flatten`, laid out as `structure` is."""
    remaining = iter(leaves)
    return map_structure(lambda _: next(remaining), structure)


def _rebuilt(sequence, parts):
    if hasattr(sequence, '_fields'):
        return type(sequence)(*parts)
    return tuple(parts) if isinstance(sequence, tuple) else list(parts)
