"""The words of many ASCII texts, split at spaces and looked up by NumPy: no object of Python for each word.

A word goes by a polynomial of its bytes modulo 2 ** 64; the sums over all prefixes of a buffer give that of every word
at once (Karp and Rabin, Efficient randomized pattern-matching algorithms, 1987).
"""
import numpy as np

_FACTOR = 0x9E3779B97F4A7C15
_INVERSE = pow(_FACTOR, 2 ** 62 - 1, 2 ** 64)
# How many texts are taken together: what they need has to fit into the processor's caches.
_TOGETHER = 1000
_IN_WORDS = np.ones(256, bool)
_IN_WORDS[[0] + [place for place in range(128) if chr(place).isspace()]] = False
_SLOTS = 16


class HashedWords:
    """A vocabulary of words for `places`.

    Args:
        places: {word: place}. unknown: the place of all other words. `usable` is whether no two words are alike.
    """

    def __init__(self, places, unknown):
        words = [word for word in places if word and '\0' not in word and word.split() == [word] and _is_ascii(word)]
        self.unknown = unknown
        buffer = np.frombuffer('\0'.join(words).encode('ascii') + b'\0', 'uint8')
        self._powers = self._inverses = np.ones(1, 'uint64')
        hashes = self._hashes(buffer, *_edges(buffer)) if words else np.zeros(0, 'uint64')
        order = np.argsort(hashes)
        self._sorted = hashes[order]
        self._places = np.array([places[word] for word in words], 'int64')[order]
        self.usable = len(words) > 0 and not np.any(self._sorted[1:] == self._sorted[:-1])
        slots = self._slots(self._sorted)
        # For each slot the last word in it, and whether there are others.
        self._last, self._crowded = np.zeros(2 ** _SLOTS, 'int64'), np.bincount(slots, minlength=2 ** _SLOTS) > 1
        self._last[slots] = np.arange(len(slots))

    @staticmethod
    def _slots(hashes):
        return (hashes * np.uint64(_FACTOR) >> np.uint64(64 - _SLOTS)).astype('int64')

    def _hashes(self, buffer, starts, ends):
        if len(buffer) > len(self._powers):
            ones = np.ones(len(buffer), 'uint64')
            self._powers, self._inverses = [np.multiply.accumulate(np.concatenate(
                [ones[:1], ones[1:] * np.uint64(factor)])) for factor in (_FACTOR, _INVERSE)]
        sums = np.zeros(len(buffer) + 1, 'uint64')
        np.cumsum(buffer * self._powers[:len(buffer)], out=sums[1:])
        return (sums[ends] - sums[starts]) * self._inverses[starts]

    def _found(self, hashes):
        slots = self._slots(hashes)
        nearest = self._last[slots]
        result = np.where(self._sorted[nearest] == hashes, self._places[nearest], self.unknown)
        open_ = np.flatnonzero((self._sorted[nearest] != hashes) & self._crowded[slots])
        exact = np.minimum(np.searchsorted(self._sorted, hashes[open_]), len(self._sorted) - 1)
        result[open_] = np.where(self._sorted[exact] == hashes[open_], self._places[exact], self.unknown)
        return result

    def places(self, texts, length, prepare):
        """(texts, length) of the places of words, 0 behind the last one.

        Args:
            texts: list of `str`. length: None for that of the longest text. prepare: what is done to texts, as bytes.

        Returns:
            None where a text is not ASCII.
        """
        parts = [self._part(texts[start:start + _TOGETHER], length, prepare)
                 for start in range(0, len(texts), _TOGETHER)]
        if any(part is None for part in parts):
            return None
        width = max(part.shape[1] for part in parts)
        return np.concatenate([part if part.shape[1] == width else np.pad(
            part, ((0, 0), (0, width - part.shape[1])), mode='constant') for part in parts])

    def _part(self, texts, length, prepare):
        joined = '\0'.join(texts)
        if joined.count('\0') != len(texts) - 1 or not _is_ascii(joined):
            return None
        buffer = np.frombuffer(prepare(joined.encode('ascii')) + b'\0', 'uint8')
        starts, ends = _edges(buffer)
        behind = np.searchsorted(starts, np.flatnonzero(buffer == 0))
        first = np.concatenate([[0], behind[:-1]])
        length = int(np.max(behind - first)) if length is None else length
        # Row by row: which words stand in the columns there are.
        kept = np.minimum(behind - first, length)
        column = np.arange(kept.sum()) - np.repeat(np.cumsum(kept) - kept, kept)
        chosen = np.repeat(first, kept) + column
        found = np.zeros((len(texts), length), 'int64')
        found[np.repeat(np.arange(len(texts)), kept), column] = self._found(
            self._hashes(buffer, starts[chosen], ends[chosen]))
        return found


def _edges(buffer):
    """Where the words of a buffer begin and end; its last byte is in none."""
    inside = _IN_WORDS[buffer]
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    edges = np.concatenate([[0], edges]) if inside[0] else edges
    return edges[::2], edges[1::2]


def _is_ascii(text):
    try:
        text.encode('ascii')
        return True
    except UnicodeEncodeError:
        return False
