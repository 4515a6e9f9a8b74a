"""Weights in several files of a limited size, as Keras 3 has them.

    NAME.weights.json           {'metadata': {'total_size', ours 'checksums': {file: {group: checksum}}},
                                'weight_map': {'/layers/dense/vars': [files]}}
    NAME_00000.weights.h5, ...  each a part of a `.weights.h5` file
"""
import contextlib
import json
import os

from keras.saving import arrays, checksums
from keras.saving.opening import RefusedFile, open_file, open_hdf5
from keras.saving.texts import LONGEST_TEXT, parse_json
from keras.saving.states import read_states, write_states
from keras.saving.writing import at_once, whole_file, writing_hdf5

SUFFIX = '.weights.json'
# Bytes in the unit of `max_shard_size`.
_GIGABYTE = 1 << 30


def save(model, filepath, max_shard_size):
    """Write all variables of a model.

    Args:
        filepath: path that ends in `.weights.json`. max_shard_size: gigabytes for one file at most.

    Raises:
        ValueError: where a single variable is larger than that.
    """
    prefix = os.fspath(filepath)[:-len(SUFFIX)]
    with at_once() as together, contextlib.ExitStack() as stack:
        file = stack.enter_context(whole_file(filepath, together))
        writer = _Writer(prefix, int(max_shard_size * _GIGABYTE), stack, together)
        write_states(writer, model)
        writer.seal()
        index = {'metadata': {'total_size': writer.total, 'checksums': writer.totals}, 'weight_map': writer.places}
        file.write(json.dumps(index, indent=4).encode('utf-8'))


class _Writer:
    """What `write_states` writes to: groups that go on in the next file where one is full."""

    def __init__(self, prefix, limit, stack, together):
        self.prefix = prefix
        self.limit = limit
        self.total = 0
        self.places, self.totals = {}, {}
        self._stack, self._together = stack, together
        self._count = 0
        self._sums = {}
        self._next()

    def _next(self):
        self.name = '%s_%05d.weights.h5' % (self.prefix, self._count)
        self.file = self._stack.enter_context(writing_hdf5(self.name, self._together))
        self._count, self._size = self._count + 1, 0

    def seal(self):
        """Write the checksums of what the file has by now."""
        for group, sums in self._sums.items():
            self.totals.setdefault(os.path.basename(self.name), {})[group] = checksums.seal(self.file[group], sums)
        self._sums = {}

    def create_group(self, path):
        return _Part(self, '/' + path.lstrip('/'))

    def put(self, group, name, data):
        if data.nbytes > self.limit:
            raise ValueError('%s/%s has %d bytes, more than `max_shard_size` allows for one file (%d).'
                             % (group, name, data.nbytes, self.limit))
        if self._size and self._size + data.nbytes > self.limit:
            self.seal()
            self._next()
        self._sums.setdefault(group, {})[name] = arrays.written(self.file.require_group(group), name, data)
        self._size, self.total = self._size + data.nbytes, self.total + data.nbytes
        files, file = self.places.setdefault('/' + group.lstrip('/'), []), os.path.basename(self.name)
        if file not in files:
            files.append(file)


class _Part:
    """A group of a `_Writer`."""

    def __init__(self, writer, name):
        self.name = name
        self._writer = writer
        self.attrs = writer.file.require_group(name).attrs

    def create_dataset(self, name, data):
        self._writer.put(self.name, name, data)


def load(model, filepath, skip_mismatch=False):
    """Set all variables of a model from what `save` wrote.

    Raises:
        OSError: where a file is missing or damaged. ValueError: where something does not fit.
    """
    with contextlib.ExitStack() as stack:
        read_states(_Reader(filepath, stack), model, skip_mismatch)


class _Reader:
    """What `read_states` reads from: the groups of all files."""

    def __init__(self, filepath, stack):
        with open_file(filepath) as file:
            index = parse_json(file.read(LONGEST_TEXT), filepath)
        places = index.get('weight_map') if isinstance(index, dict) else None
        if not isinstance(places, dict):
            raise RefusedFile('%s is no index of sharded weights: it has no `weight_map`.' % filepath)
        listed = [name for files in places.values() for name in (files if isinstance(files, list) else [files])]
        if not listed or not all(isinstance(name, str) for name in listed):
            raise RefusedFile('%s: its `weight_map` does not name files.' % filepath)
        names = set(listed)
        folder, self._files = os.path.dirname(os.fspath(filepath)), []
        for name in sorted(names):
            if os.path.basename(name) != name or name in ('', '.', '..'):
                raise RefusedFile('%s: the shard %r would lead out of the folder.' % (filepath, name))
            self._files.append(stack.enter_context(open_hdf5(os.path.join(folder, name))))
        self._check_sums(index, dict(zip(sorted(names), self._files)))

    @staticmethod
    def _check_sums(index, files):
        """Refuse files that do not belong together: a save was broken off between them, or two met."""
        metadata = index.get('metadata')
        sums = metadata.get('checksums', {}) if isinstance(metadata, dict) else {}
        if not isinstance(sums, dict) or not all(isinstance(groups, dict) for groups in sums.values()):
            raise RefusedFile('An index of sharded weights has checksums that are none: it is damaged.')
        for name, groups in sums.items():
            for group, total in groups.items():
                found = files[name].get(group) if name in files else None
                if name in files and (found is None or checksums.total_of(found) not in (0, total)):
                    raise RefusedFile('%s is not the file of which the index tells: a save was broken off, or two '
                                      'programs saved at the same time, or it is damaged (%s).'
                                      % (files[name].filename, group))

    def __contains__(self, path):
        return any(path in file for file in self._files)

    def __getitem__(self, path):
        return _Merged([file[path] for file in self._files if path in file])

    def get(self, path, default=None):
        return self[path] if path in self else default

    def keys(self):
        return self['/'].keys()


class _Merged:
    """Groups of one path in several files, as one."""

    def __init__(self, groups):
        self._groups = groups
        self.name = groups[0].name

    def keys(self):
        return list(dict.fromkeys(name for group in self._groups for name in group))

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self.keys())

    def __contains__(self, name):
        return any(name in group for group in self._groups)

    def part_with(self, name):
        """The group of one file that has `name`."""
        return next(group for group in self._groups if name in group)

    def __getitem__(self, name):
        found = [group[name] for group in self._groups if name in group]
        return _Merged(found) if hasattr(found[0], 'keys') else found[0]

    def items(self):
        return [(name, self[name]) for name in self.keys()]

    def is_new(self, met):
        """Whether one of the groups is none of those `met`, among which they then are."""
        return any([group.is_new(met) for group in self._groups])
