"""Plain values (numbers, texts, arrays, containers) in HDF5 files: data that runs no code when it is read."""
import base64
import json

import numpy as np

from keras.saving import arrays, checksums
from keras.saving.opening import Group, RefusedFile, in_words
from keras.saving.texts import parse_json

# Arrays up to this size stand in the text, larger ones beside it.
_IN_TEXT = 1 << 10
# The data set with the text; without checksums it was called 'text'.
_TEXT = 'plain'


class NotPlain(TypeError):
    """Raised for a value that is not plain."""


def copied(value):
    """A copy of a plain value, its arrays included.

    Raises:
        NotPlain: where there is something else in it.
    """
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if type(value) is np.ndarray and value.dtype.kind in 'biufc' or isinstance(value, np.generic):
        return value.copy()
    if type(value) in (list, tuple, set):
        return type(value)(map(copied, value))
    if isinstance(value, dict) and type(value).__module__ in ('builtins', 'collections'):
        return {copied(key): copied(part) for key, part in value.items()}
    raise NotPlain('%s is no plain value.' % type(value).__name__)


def attributes(owner, most_bytes=None):
    """{name: copy} of the attributes of an object that are plain values, without arrays of more than `most_bytes`."""
    found = {}
    for name, value in getattr(owner, '__dict__', {}).items():
        if most_bytes is not None and getattr(value, 'nbytes', 0) > most_bytes:
            continue
        try:
            found[name] = copied(value)
        except NotPlain:
            pass
    return found


class Changes:
    """Which plain attributes of an object have changed since this was made, and their values.

    Args:
        owner: the object. most_bytes: arrays above this size are left aside; None for no limit.
    """

    def __init__(self, owner, most_bytes=None):
        self._owner, self._most_bytes = owner, most_bytes
        self._before = attributes(owner, most_bytes)
        self._changed = ()

    def now(self):
        """{name: copy of the value} of those that have changed."""
        found = attributes(self._owner, self._most_bytes)
        return {name: value for name, value in found.items() if name in self._changed or not (
            name in self._before and same(self._before[name], value))}

    def restore(self, state):
        """Give the object the attributes that `now` gave, which count as changed from now on."""
        vars(self._owner).update(state)
        self._changed = set(state)


def same(first, second):
    """Whether two plain values are equal, in their types and arrays, too; NaN equals NaN."""
    if type(first) is not type(second):
        return False
    if isinstance(first, (np.ndarray, np.generic)):
        return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    return first == second or first != first and second != second


def write_plain(group, name, value):
    """Write a plain value into an HDF5 group.

    Raises:
        NotPlain: where there is something else in it.
    """
    beside = []
    text = json.dumps(_as_json(value, beside))
    inner = group.create_group(name)
    parts = {str(number): array for number, array in enumerate(beside)}
    parts[_TEXT] = np.frombuffer(text.encode(), 'uint8')
    checksums.seal(inner, {part: arrays.written(inner, part, array) for part, array in parts.items()})


def read_plain(group, name):
    """The value that `write_plain` wrote.

    Raises:
        RefusedFile: where it is something else.
    """
    with in_words(group.filename):
        inner = group[name]
        if isinstance(inner, Group) and _TEXT in inner:
            names = inner.keys()
            sums = checksums.expected(inner, names)
            if sums is None:
                raise RefusedFile('%s: what is called %s is damaged: it has lost its checksums.'
                                  % (group.filename, name))
            checksums.expect({part: inner[part] for part in names}, sums)
        try:
            # What has its checksums was written here, of values of any length and depth.
            values = json.loads(np.asarray(inner[_TEXT]).tobytes().decode()) if _TEXT in inner else \
                parse_json(np.asarray(inner['text']).tobytes(), name)
            return _from_json(values, inner)
        except ValueError as error:
            raise RefusedFile('%s: what is called %s is no value that was written (%s).'
                              % (group.filename, name, error)) from error


def _as_json(value, beside):
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is bytes:
        return {'bytes': base64.b64encode(value).decode()}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in 'biufc':
        array = np.asarray(value)
        kind = {'dtype': array.dtype.str, 'shape': array.shape, 'scalar': isinstance(value, np.generic)}
        if array.nbytes > _IN_TEXT:
            beside.append(np.frombuffer(array.tobytes(), 'uint8'))  # as it lies there, in its own order of bytes
            return dict(kind, array=len(beside) - 1)
        return dict(kind, data=base64.b64encode(array.tobytes()).decode())
    if type(value) in (list, tuple, set):
        return {type(value).__name__: [_as_json(part, beside) for part in value]}
    if isinstance(value, dict) and type(value).__module__ in ('builtins', 'collections'):
        return {'dict': [[_as_json(key, beside), _as_json(part, beside)] for key, part in value.items()]}
    raise NotPlain('%s is no plain value.' % type(value).__name__)


def _from_json(value, group):
    if not isinstance(value, dict):
        return value
    if 'dtype' in value:
        data = np.asarray(group[str(value['array'])]).tobytes() if 'array' in value else \
            base64.b64decode(value['data'])
        array = np.frombuffer(data, value['dtype']).reshape(value['shape']).copy()
        return array[()] if value['scalar'] else array
    (kind, parts), = value.items()
    if kind == 'bytes':
        return base64.b64decode(parts)
    if kind == 'dict':
        return {_from_json(key, group): _from_json(part, group) for key, part in parts}
    return {'list': list, 'tuple': tuple, 'set': set}[kind](_from_json(part, group) for part in parts)
