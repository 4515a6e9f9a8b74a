"""Checksums of what HDF5 files hold, so that damage is found: not against forgery, but fast.

Those of arrays are found in `arrays`. A group that is sealed has the attribute `keras_checksum`: the checksums of what
is in it, sorted by name, and one over these and all other attributes. 0 in their place says that the group was changed
on purpose.
"""
import itertools
import json
import zlib

import numpy as np

from keras.saving.opening import Group, RefusedFile

# Under this name checksums stand among the attributes of an HDF5 group.
ATTRIBUTE = 'keras_checksum'
# Checksums in one attribute, which holds 64 KiB; more go into keras_checksum1, ...
_IN_ONE = 16000


def of_values(*values):
    """The checksum of plain values, an int below 2**32."""
    return zlib.crc32(json.dumps(values, sort_keys=True).encode('utf-8')) & 0xffffffff


def seal(group, sums, told=None):
    """Write the checksums of what is in a group, which has all its attributes; return the last.

    Args:
        group: a `hdf5_layout.GroupEntry`, or a group of h5py. sums: {name: int} of what is in it.
        told: {name: plain value} of all its attributes, where they are known; they are read otherwise.
    """
    ordered = [sums[name] for name in sorted(sums)]
    told = _told(Group(group.id, None, group.name) if hasattr(group, 'id') else group) if told is None else told
    total = of_values(sorted(sums), ordered, told)
    ordered.append(total)
    for start in range(0, len(ordered), _IN_ONE):
        group.attrs[_numbered(start // _IN_ONE)] = np.array(ordered[start:start + _IN_ONE], 'uint32')
    return total


def _numbered(number):
    return ATTRIBUTE + (str(number) if number else '')


def _told(group):
    """The other attributes of a group, as plain values."""
    return {name: _plain(group.attrs[name]) for name in group.attrs if not name.startswith(ATTRIBUTE)}


def _plain(value):
    value = value.tolist() if hasattr(value, 'tolist') else value
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.decode('utf-8', 'replace') if isinstance(value, bytes) else value


def total_of(group):
    """The checksum over all of a sealed `opening.Group`; None for one that is not sealed."""
    found = _written(group)
    return found[-1] if found else None


def _written(group):
    found = []
    for number in itertools.count():
        part = group.attrs.get(_numbered(number))
        if part is None:
            return found
        found.extend(np.reshape(part, -1).tolist())
        if len(found) < (number + 1) * _IN_ONE:
            return found


def expected(group, names):
    """{name: checksum} of what is in an `opening.Group`, None for one that is not sealed or changed on purpose.

    Raises:
        RefusedFile: where these are not the names that were sealed, or an attribute has changed.
    """
    found = _written(group)
    if not any(found):
        return None
    names = sorted(names)
    if len(found) != len(names) + 1 or found[-1] != of_values(names, found[:-1], _told(group)):
        raise RefusedFile('%s is damaged, or was changed after it was written: %s does not hold what its checksum '
                          'says. If it was changed on purpose, set the attribute `%s` of %s, and of the groups that it '
                          'is in, to 0.' % (group.filename, group.name, ATTRIBUTE, group.name))
    return dict(zip(names, found))


def expect(data_sets, sums):
    """Have data sets, {name: opening.Dataset}, compare what is read with the checksums `sums`, None for no such."""
    for name, data in data_sets.items():
        if sums is not None:
            data.checksum = sums[name]
