"""Nested lists, tuples and dictionaries of leaves. `None` is a leaf; dictionaries go by sorted key."""


def flatten(structure):
    """The leaves of `structure`, depth first."""
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    return [structure]


def is_nested(structure):
    return isinstance(structure, (list, tuple, dict))


def map_structure(function, structure):
    """`structure` with `function` applied to every leaf; named tuples and dictionary types are kept."""
    if isinstance(structure, (list, tuple)):
        return _rebuilt(structure, [map_structure(function, part) for part in structure])
    if isinstance(structure, dict):
        mapped = {key: map_structure(function, structure[key]) for key in sorted(structure)}
        return type(structure)((key, mapped[key]) for key in structure)
    return function(structure)


def pack_as(structure, leaves):
    """The `leaves`, in the order of `flatten`, laid out as `structure` is."""
    remaining = iter(leaves)
    return map_structure(lambda _: next(remaining), structure)


def _rebuilt(sequence, parts):
    if hasattr(sequence, '_fields'):
        return type(sequence)(*parts)
    return type(sequence)(parts) if type(sequence) in (list, tuple) else list(parts)
