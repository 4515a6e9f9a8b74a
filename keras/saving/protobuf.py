"""The wire format of protocol buffers, read without their library: a message as {number of a field: [values]}."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def varint(data, place):
    """(number, the place behind it) of the variable-length number at `place`.

    Raises:
        ValueError: where the data ends within it.
    """
    number = shift = 0
    while shift < 70 and place < len(data):
        byte = data[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
    raise ValueError('A number at byte %d is cut short.' % place)


def fields(data):
    """{number: [values]} of a message: numbers as ints, of 4 or 8 bytes as bytes, and so what has a length.

    Raises:
        ValueError: for bytes that are no message.

    Example:
        >>> fields(bytes([8, 5, 18, 2, 104, 105]))
        {1: [5], 2: [b'hi']}
    """
    if not isinstance(data, bytes):
        raise ValueError('A message is expected, not %.100r.' % (data,))
    found, place, size = {}, 0, len(data)
    while place < size:
        key, place = varint(data, place)
        kind, number = key & 7, key >> 3
        if kind == _VARINT:
            value, place = varint(data, place)
        elif kind in (_FIXED64, _FIXED32, _BYTES):
            length = {_FIXED64: 8, _FIXED32: 4}.get(kind)
            if length is None:
                length, place = varint(data, place)
            if length > size - place:
                raise ValueError('A field of %d bytes at byte %d goes past the end of its message.' % (length, place))
            value, place = bytes(data[place:place + length]), place + length
        else:
            raise ValueError('Byte %d does not begin a field of a message.' % place)
        found.setdefault(number, []).append(value)
    return found


def text(values):
    """The last of some values as text, '' where there is none.

    Raises:
        ValueError: where it is a number.
    """
    if values and not isinstance(values[-1], bytes):
        raise ValueError('Text is expected, not %.100r.' % (values[-1],))
    return values[-1].decode('utf-8', 'replace') if values else ''


def integer(values, default=0):
    """The last of some values as a number, `default` where there is none.

    Raises:
        ValueError: where it is text.
    """
    if values and not isinstance(values[-1], int):
        raise ValueError('A number is expected, not %.100r.' % (values[-1],))
    return values[-1] if values else default


def signed(number):
    """A number of 64 bits with its sign."""
    return number - (1 << 64) if number >> 63 else number
