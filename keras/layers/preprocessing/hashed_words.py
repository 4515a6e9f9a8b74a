"""The words of many texts, split at spaces, looked up and counted by NumPy: no object of Python for each word.

A word goes by a polynomial of its bytes modulo 2 ** 64; the sums over all prefixes of a buffer give that of every word
at once (Karp and Rabin, Efficient randomized pattern-matching algorithms, 1987).
"""
import collections
import os

import numpy as np

# Another one in each process, so that nobody can choose words that fall together.
_FACTOR = int.from_bytes(os.urandom(8), 'little') & ~7 | 5
_INVERSE = pow(_FACTOR, 2 ** 62 - 1, 2 ** 64)
# How many texts are taken together: what they need has to fit into the processor's caches.
_TOGETHER = 1000
# Of how many such parts words are counted together.
_COUNTED_TOGETHER = 20
# What separates words: bytes of ASCII, and what has several bytes in UTF-8.
_IN_WORDS = bytes(not (place == 0 or place < 128 and chr(place).isspace()) for place in range(256))
_WIDE_SPACES = [chr(place).encode() for place in range(128, 0x3001) if chr(place).isspace()]
_SLOTS = 16
_SHIFT = 64 - _SLOTS


class _Hashes:
    """The hashes of the words of buffers."""

    def __init__(self):
        self._powers = self._inverses = np.ones(1, 'uint64')

    def __call__(self, buffer, starts, ends):
        if len(buffer) > len(self._powers):
            ones = np.ones(len(buffer), 'uint64')
            self._powers, self._inverses = [np.multiply.accumulate(np.concatenate(
                [ones[:1], ones[1:] * np.uint64(factor)])) for factor in (_FACTOR, _INVERSE)]
        sums = np.zeros(len(buffer) + 1, 'uint64')
        np.cumsum(buffer * self._powers[:len(buffer)], out=sums[1:])
        return (sums[ends] - sums[starts]) * self._inverses[starts]


class HashedWords:
    """A vocabulary of words for `places`.

    Args:
        places: {word: place}. unknown: the place of all other words. `usable` is whether no two words are alike.
    """

    def __init__(self, places, unknown):
        words = [word for word in places if word and '\0' not in word and word.split() == [word]]
        encoded = _encoded(words) if words else None
        self.unknown, self._hashes = unknown, _Hashes()
        self.usable = encoded is not None
        if not self.usable:
            return
        encoded += b'\0'
        hashes = self._hashes(np.frombuffer(encoded, 'uint8'), *_edges(encoded))
        order = np.argsort(hashes)
        self._sorted = hashes[order]
        self._places = np.array([places[word] for word in words], 'int64')[order]
        self.usable = not np.any(self._sorted[1:] == self._sorted[:-1])
        slots = _slots(self._sorted)
        # For each slot the last word in it, and whether there are others.
        self._last, self._crowded = np.zeros(2 ** _SLOTS, 'int64'), np.bincount(slots, minlength=2 ** _SLOTS) > 1
        self._last[slots] = np.arange(len(slots))

    def _found(self, hashes):
        slots = _slots(hashes)
        nearest = self._last[slots]
        others = self._sorted[nearest] != hashes
        result = self._places[nearest]
        result[others] = self.unknown
        open_ = np.flatnonzero(others & self._crowded[slots])
        exact = np.minimum(np.searchsorted(self._sorted, hashes[open_]), len(self._sorted) - 1)
        result[open_] = np.where(self._sorted[exact] == hashes[open_], self._places[exact], self.unknown)
        return result

    def places(self, texts, length, prepare):
        """(texts, length) of the places of words, 0 behind the last one.

        Args:
            texts: list of `str`. length: None for that of the longest text. prepare: what is done to texts, as bytes.

        Returns:
            None where a text cannot be told from its neighbours, or has no UTF-8.
        """
        parts = []
        for part in _parts(texts, prepare):
            if part is None:
                return None
            parts.append(self._rows(*part, length=length))
        width = max(part.shape[1] for part in parts)
        return np.concatenate([part if part.shape[1] == width else np.pad(
            part, ((0, 0), (0, width - part.shape[1])), mode='constant') for part in parts])

    def _rows(self, buffer, starts, ends, first, behind, length):
        length = int(np.max(behind - first)) if length is None else length
        # Row by row: which words stand in the columns there are.
        kept = np.minimum(behind - first, length)
        column = np.arange(kept.sum()) - np.repeat(np.cumsum(kept) - kept, kept)
        chosen = np.repeat(first, kept) + column
        found = np.zeros((len(first), length), 'int64')
        found[np.repeat(np.arange(len(first)), kept), column] = self._found(
            self._hashes(buffer, starts[chosen], ends[chosen]))
        return found

    def pairs(self, texts, prepare):
        """The places of all words, and the number of the text of each; None as from `places`."""
        places, numbers, texts_before = [], [], 0
        for part in _parts(texts, prepare):
            if part is None:
                return None
            buffer, starts, ends, first, behind = part
            places.append(self._found(self._hashes(buffer, starts, ends)))
            numbers.append(np.repeat(np.arange(texts_before, texts_before + len(first)), behind - first))
            texts_before += len(first)
        return np.concatenate(places), np.concatenate(numbers)


def counted(texts, prepare):
    """How often which word occurs in texts, as a `Counter`; None as from `HashedWords.places`.

    Args:
        texts: list of `str`. prepare: what is done to texts, as bytes.
    """
    result, hashes, waiting, size = collections.Counter(), _Hashes(), [], 0
    for number, part in enumerate(_parts(texts, prepare), 1):
        if part is None:
            return None
        buffer, starts, ends = part[:3]
        waiting.append((hashes(buffer, starts, ends), starts + size, ends + size, buffer.tobytes()))
        size += len(buffer)
        if not number % _COUNTED_TOGETHER or number * _TOGETHER >= len(texts):
            found, starts, ends = [np.concatenate(arrays) for arrays in list(zip(*waiting))[:3]]
            _count(result, found, starts, ends, b''.join(data for _, _, _, data in waiting))
            waiting, size = [], 0
    return result


def _count(counts, found, starts, ends, data):
    """Add to a `Counter` the words of bytes, by their hashes and where they begin and end."""
    shift = _SHIFT
    # Each round puts words into slots; those that are like the last one that came into their slot are counted.
    while len(found):
        slots = _slots(found, shift)
        last = np.zeros(2 ** _SLOTS, 'int64')
        last[slots] = np.arange(len(found))
        same = found[last[slots]] == found
        counted_here = np.bincount(slots[same], minlength=2 ** _SLOTS)
        used = np.flatnonzero(counted_here)
        for start, end, count in zip(starts[last[used]].tolist(), ends[last[used]].tolist(),
                                     counted_here[used].tolist()):
            counts[data[start:end].decode('utf-8')] += count
        found, starts, ends = found[~same], starts[~same], ends[~same]
        shift = (shift - 7) % _SHIFT


def _slots(hashes, shift=_SHIFT):
    return (hashes * np.uint64(_FACTOR) >> np.uint64(shift)).astype('int64') & (2 ** _SLOTS - 1)


def _parts(texts, prepare):
    """For some texts after the other a buffer, where its words begin and end, which is the first one of each text, and
    which the first one behind it; or None."""
    for start in range(0, len(texts), _TOGETHER):
        data = _encoded(texts[start:start + _TOGETHER])
        if data is None:
            yield None
            return
        data = prepare(data) + b'\0'
        buffer, (starts, ends) = np.frombuffer(data, 'uint8'), _edges(data)
        behind = np.searchsorted(starts, np.flatnonzero(buffer == 0))
        yield buffer, starts, ends, np.concatenate([[0], behind[:-1]]), behind


def _encoded(texts):
    """Texts as bytes with 0 between them, spaces of one byte; None where that is not theirs alone."""
    joined = '\0'.join(texts)
    if joined.count('\0') != len(texts) - 1:
        return None
    try:
        data = joined.encode('utf-8')
    except UnicodeEncodeError:
        return None
    if len(data) > len(joined):
        for space in _WIDE_SPACES:
            if space in data:
                data = data.replace(space, b' ')
    return data


def _edges(data):
    """Where the words of bytes begin and end; the last byte is in none."""
    inside = np.frombuffer(data.translate(_IN_WORDS), bool)
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    edges = np.concatenate([[0], edges]) if inside[0] else edges
    return edges[::2], edges[1::2]
