"""Hashes of text that are the same on every machine: FarmHash's fingerprint and SipHash."""
import struct

_ALL = 0xffffffffffffffff
_K0, _K1, _K2 = 0xc3a5c85c97cb3127, 0xb492b66fbe98f273, 0x9ae16a3b2f90404f


def _turn(x, count):
    """The 64 bits of `x` turned to the right."""
    return (x >> count | x << (64 - count)) & _ALL


def _mixed(x):
    return x ^ x >> 47


def _pair(u, v, factor):
    a = _mixed((u ^ v) * factor & _ALL)
    return _mixed((v ^ a) * factor & _ALL) * factor & _ALL


def _words(text, *places):
    return [struct.unpack_from('<Q', text, place % len(text))[0] for place in places]


def _up_to_16(text):
    size = len(text)
    factor = _K2 + 2 * size
    if size >= 8:
        first, last = _words(text, 0, -8)
        first = first + _K2 & _ALL
        return _pair(_turn(last, 37) * factor + first & _ALL, (_turn(first, 25) + last) * factor & _ALL, factor)
    if size >= 4:
        first, last = struct.unpack_from('<I', text)[0], struct.unpack_from('<I', text, size - 4)[0]
        return _pair(size + (first << 3), last, factor)
    if not size:
        return _K2
    low, high = text[0] + (text[size >> 1] << 8), size + (text[-1] << 2)
    return _mixed(low * _K2 & _ALL ^ high * _K0 & _ALL) * _K2 & _ALL


def _up_to_64(text):
    size = len(text)
    factor = _K2 + 2 * size
    a, b, c, d = _words(text, 0, 8, -8, -16)
    a = a * (_K1 if size <= 32 else _K2) & _ALL
    c, d = c * factor & _ALL, d * _K2 & _ALL
    y = _turn(a + b & _ALL, 43) + _turn(c, 30) + d & _ALL
    z = _pair(y, a + _turn(b + _K2 & _ALL, 18) + c & _ALL, factor)
    if size <= 32:
        return z
    e, f, g, h = _words(text, 16, 24, -32, -24)
    e, g, h = e * factor & _ALL, (y + g) * factor & _ALL, (z + h) * factor & _ALL
    return _pair(_turn(e + f & _ALL, 43) + _turn(g, 30) + h & _ALL, e + _turn(f + a & _ALL, 18) + g & _ALL, factor)


def _block(words, a, b):
    """Two numbers that go on from `a` and `b` by four words."""
    first, second, third, fourth = words
    a = a + first & _ALL
    b = _turn(b + a + fourth & _ALL, 21)
    sum_ = a + second + third & _ALL
    return sum_ + fourth & _ALL, b + _turn(sum_, 44) + a & _ALL


class _State:
    """The state of the hash of more than 64 bytes."""

    def __init__(self, text):
        self.y = 81 * _K1 + 113 & _ALL
        self.z = _mixed(self.y * _K2 + 113 & _ALL) * _K2 & _ALL
        self.x = 81 * _K2 + _words(text, 0)[0] & _ALL
        self.v, self.w = (0, 0), (0, 0)

    def take(self, text, place, factor, last):
        """Take 64 bytes in; the `last` ones count otherwise."""
        words = struct.unpack_from('<8Q', text, place)
        nine = 9 if last else 1
        x = _turn(self.x + self.y + self.v[0] + words[1] & _ALL, 37) * factor & _ALL
        y = _turn(self.y + self.v[1] + words[6] & _ALL, 42) * factor & _ALL
        x ^= self.w[1] * nine & _ALL
        y = y + self.v[0] * nine + words[5] & _ALL
        z = _turn(self.z + self.w[0] & _ALL, 33) * factor & _ALL
        self.v = _block(words[:4], self.v[1] * factor & _ALL, x + self.w[0] & _ALL)
        self.w = _block(words[4:], z + self.w[1] & _ALL, y + words[2] & _ALL)
        self.x, self.y, self.z = z, y, x


def fingerprint64(text):
    """The fingerprint of `bytes`, an integer below 2 ** 64.

    Source: FarmHash, Pike (2014): `farmhash::Fingerprint64`.
    """
    size = len(text)
    if size <= 16:
        return _up_to_16(text)
    if size <= 64:
        return _up_to_64(text)
    state, rest = _State(text), (size - 1) % 64
    for place in range(0, (size - 1) // 64 * 64, 64):
        state.take(text, place, _K1, False)
    factor = _K1 + (state.z % 256 << 1)
    w = state.w[0] + rest & _ALL
    v = state.v[0] + w & _ALL
    state.v, state.w = (v, state.v[1]), (w + v & _ALL, state.w[1])
    state.take(text, size - 64, factor, True)
    first = _pair(state.v[0], state.w[0], factor) + _mixed(state.y) * _K0 + state.z & _ALL
    return _pair(first, _pair(state.v[1], state.w[1], factor) + state.x & _ALL, factor)


def joined(first, second):
    """The fingerprint of two fingerprints, in this order."""
    factor = 0xc6a4a7935bd1e995
    found = (first ^ factor ^ _mixed(second * factor & _ALL) * factor & _ALL) * factor & _ALL
    return _mixed(_mixed(found) * factor & _ALL)


def siphash(text, key):
    """The keyed hash of `bytes`, an integer below 2 ** 64.

    Args:
        key: two integers below 2 ** 64.

    Source: Aumasson and Bernstein, SipHash: a fast short-input PRF (2012), with 2 and 4 rounds.
    """
    state = [key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
             key[1] ^ 0x7465646279746573]
    whole = len(text) // 8 * 8
    words = list(struct.unpack_from('<%dQ' % (whole // 8), text))
    words.append(int.from_bytes(text[whole:], 'little') | len(text) % 256 << 56)
    for word in words:
        state[3] ^= word
        state = _sip_round(*_sip_round(*state))
        state[0] ^= word
    state[2] ^= 0xff
    for _ in range(4):
        state = _sip_round(*state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_round(a, b, c, d):
    a, c = a + b & _ALL, c + d & _ALL
    b, d = _turn(b, 51) ^ a, _turn(d, 48) ^ c
    a = _turn(a, 32)
    c, a = c + b & _ALL, a + d & _ALL
    b, d = _turn(b, 47) ^ c, _turn(d, 43) ^ a
    return [a, b, _turn(c, 32), d]
