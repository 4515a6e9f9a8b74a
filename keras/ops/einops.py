"""Axes rearranged by a pattern in the notation of einops (Rogozhnikov, 2022)."""
import re

from keras.backend.table import primitives as p
from keras.backend.table.composites.shape import multiply_sizes, resized, shape

_TOKEN = re.compile(r'\(|\)|\.\.\.|\w+|\S')


def rearrange(tensor, pattern, **axes_lengths):
    """`tensor` with its axes split, joined and put in another order.

    Args:
        pattern: `'before -> after'`. Each side names the axes; names in parentheses are the parts of one axis, `1` is
            an axis of size 1, `...` stands for all axes that are not named. **axes_lengths: the sizes of parts, where
            they do not follow from the others.

    Raises:
        ValueError: if the pattern does not fit the tensor, or its sides do not name the same axes.

    Example:
        >>> keras.ops.rearrange(np.arange(6).reshape(2, 3), 'rows columns -> columns rows')
        array([[0, 3],
               [1, 4],
               [2, 5]])
        >>> keras.ops.rearrange(np.arange(6), '(a b) -> a b', a=2)
        array([[0, 1, 2],
               [3, 4, 5]])
    """
    sides = pattern.split('->')
    if len(sides) != 2:
        raise ValueError("rearrange: the pattern must have one '->'. Received: %r" % (pattern,))
    sizes = tuple(shape(tensor))
    before, after = [_parsed(side, pattern) for side in sides]
    before, after = _written_out(before, after, len(sizes), pattern)
    if len(before) != len(sizes):
        raise ValueError('rearrange: the pattern %r names %d axes; the tensor has the shape %s'
                         % (pattern, len(before), sizes))
    lengths = _lengths(before, sizes, axes_lengths, pattern)
    old = [name for group in before for name in group]
    new = [name for group in after for name in group]
    if sorted(old) != sorted(new) or len(set(old)) != len(old):
        raise ValueError('rearrange: both sides of the pattern must name the same axes, each once. Received: %r'
                         % (pattern,))
    parts = resized(tensor, [lengths[name] for name in old])
    moved = p.transpose(parts, tuple(old.index(name) for name in new))
    return resized(moved, [multiply_sizes([lengths[name] for name in group]) for group in after])


def _parsed(side, pattern):
    """A side as a list of axes, each a list of names; '...' stands alone in its list."""
    groups, inside = [], None
    for token in _TOKEN.findall(side):
        if token == '(' and inside is None:
            inside = []
        elif token == ')' and inside is not None:
            groups.append(inside)
            inside = None
        elif token == '...' or re.match(r'[^\W\d]\w*$', token) or token == '1':
            if inside is not None:
                inside += [] if token == '1' else [token]
            else:
                groups.append([] if token == '1' else [token])
        else:
            raise ValueError('rearrange: %r makes no sense in the pattern %r' % (token, pattern))
    if inside is not None:
        raise ValueError('rearrange: a parenthesis is not closed in the pattern %r' % (pattern,))
    return groups


def _written_out(before, after, rank, pattern):
    """Both sides with names in the place of '...'."""
    if [len(group) for group in before if '...' in group] not in ([], [1]):
        raise ValueError("rearrange: '...' may stand once on the left, as an axis of its own. Received: %r"
                         % (pattern,))
    names = ['...%d' % number for number in range(rank - len(before) + 1)]
    left = [part for group in before for part in ([[name] for name in names] if group == ['...'] else [group])]
    right = []
    for group in after:
        if group == ['...']:
            right += [[name] for name in names]
        else:
            right.append([part for name in group for part in (names if name == '...' else [name])])
    return left, right


def _lengths(groups, sizes, given, pattern):
    """The size of each named axis."""
    lengths = dict(given)
    for group, size in zip(groups, sizes):
        unknown = [name for name in group if name not in lengths]
        known = multiply_sizes([lengths[name] for name in group if name in lengths])
        if len(unknown) > 1:
            raise ValueError('rearrange: the sizes of %s do not follow from the shape %s; give all but one by name. '
                             'Pattern: %r' % (', '.join(unknown), sizes, pattern))
        if unknown:
            lengths[unknown[0]] = size if len(group) == 1 else None if size is None else size // known
            known = None if size is None else known * lengths[unknown[0]]
        if isinstance(size, int) and isinstance(known, int) and size != known:
            raise ValueError('rearrange: an axis of size %d cannot be (%s) with the sizes %s. Pattern: %r'
                             % (size, ' '.join(group), [lengths[name] for name in group], pattern))
    extra = sorted(set(given) - {name for group in groups for name in group})
    if extra:
        raise ValueError('rearrange: no axis of the pattern %r is called %s' % (pattern, ', '.join(extra)))
    return lengths
