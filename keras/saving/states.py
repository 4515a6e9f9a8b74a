"""What of a model keeps variables, where in a file it stands, and its variables there and back.

The places follow the attributes of the objects, as Keras 3 has them:

    layers/dense/vars           attribute `name`; data sets 0, 1, ... in the order of the object's own variables
    layers/rnn/cell/vars        objects inside of objects
    layers/dropout/seed_generator/vars, .../streams/ENGINE    the states of seed generators, which Keras 3 leaves out
    optimizer/vars
"""
import re
import warnings

import numpy as np

from keras.backend.state.seeds import SeedGenerator
from keras.backend.state.variables import Variable
from keras.layers.weights import WeightOwner
from keras.saving import arrays, checksums
from keras.saving.hdf5_layout import GroupEntry
from keras.saving.opening import Dataset, Group, RefusedFile


# The checksum over all groups of variables stands under this name among the attributes of the group that they are in.
_ALL = checksums.ATTRIBUTE + '_states'


# --- the tree of a model's state ----------------------------------------------------------------------------------

def states(model, skip=()):
    """Pairs (path, object) of all that keeps variables: the layers, the optimizer, seed generators; each once.

    What is in `skip` is left out, and what is only found by way of it.
    A path names the attributes that lead to an object, public ones first; objects in lists and dictionaries go by
    their class and a number.
    """
    found, seen = [], set(map(id, skip))
    stack = [('', model)]
    while stack:
        path, owner = stack.pop()
        if id(owner) in seen:
            continue
        seen.add(id(owner))
        found.append((path, owner))
        stack.extend(reversed([(_joined(path, name), part) for name, part in parts(owner)]))
    return found


def _joined(path, name):
    return '%s/%s' % (path, name) if path else name


def parts(owner):
    """Pairs (relative path, object) of the objects right below one."""
    attributes = owner.saved_parts() if hasattr(owner, 'saved_parts') else {}
    found = []
    # The layers of a graph come first, whatever attributes of a subclass of Model hold them, too.
    first = 'layers' if getattr(owner, 'layer_graph', None) is not None else None
    for name in sorted(attributes, key=lambda name: (name != first, name.startswith('_'), name)):
        value = attributes[name]
        if _keeps_state(value):
            found.append((name, value))
        elif isinstance(value, (list, tuple, dict)):
            found.extend((_joined(name, inner), part) for inner, part in _numbered(value))
    return found


def _keeps_state(value):
    return isinstance(value, (WeightOwner, SeedGenerator)) or hasattr(value, 'save_own_variables')


def _numbered(container):
    values = container.values() if isinstance(container, dict) else container
    counts = {}
    for value in values:
        if _keeps_state(value):
            name = _snake_case(value)
            counts[name] = counts.get(name, -1) + 1
            yield name if counts[name] == 0 else '%s_%d' % (name, counts[name]), value


def _snake_case(part):
    """The class of a part as Keras 3 writes it: separable_conv2d."""
    name = 'Functional' if hasattr(part, 'layer_graph') and type(part).__name__ == 'Model' else type(part).__name__
    name = re.sub('(.)([A-Z][a-z]+)', r'\1_\2', re.sub(r'\W+', '', name))
    return re.sub('([a-z])([A-Z])', r'\1_\2', name).lower()


# --- weights ------------------------------------------------------------------------------------------------------

class Store:
    """The variables of one object in a file, as a dictionary of arrays for `save_own_variables` and its reverse.

    Args:
        group: the HDF5 group, None where the file has none. where: its path, for messages.
    """

    gives_new_arrays = True

    def __init__(self, group, where):
        self.group = group
        self.where = where
        self._written, self._expected = {}, {}

    def keys(self):
        """The names of the arrays."""
        return [] if self.group is None else list(self.group)

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self.keys())

    def __contains__(self, name):
        return self.group is not None and str(name) in self.group

    def __getitem__(self, name):
        if name not in self:
            raise KeyError('There is no array %r in %s of the file.' % (name, self.where))
        group = self.group.part_with(str(name)) if hasattr(self.group, 'part_with') else self.group
        found = _data_set(group, str(name))
        if isinstance(found, Dataset) and isinstance(group, Group):
            if id(group) not in self._expected:
                self._expected[id(group)] = checksums.expected(group, group.keys()) or {}
            found.checksum = self._expected[id(group)].get(str(name))
        return np.asarray(found)

    def __setitem__(self, name, value):
        if isinstance(value, Variable):
            value = arrays.as_bfloat16(value.numpy_view()) if value.dtype == 'bfloat16' else value.numpy_view()
        value = value.numpy() if hasattr(value, 'numpy') else np.asarray(value)
        if isinstance(self.group, GroupEntry) or hasattr(self.group, 'id'):
            self._written[str(name)] = arrays.written(self.group, str(name), value)
        else:
            self.group.create_dataset(str(name), data=value)

    def seal(self):
        """Write the checksums of what was written, where the arrays are in one file; return the last, or None."""
        return checksums.seal(self.group, self._written) if self._written else None

    def shape(self, name):
        """The shape of an array, without reading it."""
        return tuple(_data_set(self.group, str(name)).shape)

    def check(self):
        """Refuse arrays of which one can tell that they cannot be read, before the first is."""
        for name in self.group or ():
            try:
                found = self.group[name]
            except KeyError as error:
                raise RefusedFile('%s of the file lists %s, which is not there: the file is damaged.'
                                  % (self.where, name)) from error
            if isinstance(found, Dataset):
                found.check()


def _data_set(group, name):
    """The array called `name` in a group.

    Raises:
        RefusedFile: where it is a group itself.
    """
    found = group[name]
    if not hasattr(found, 'shape'):
        raise RefusedFile('%s/%s of the file is a group, not numbers: the file is damaged.' % (group.name, name))
    return found


def write_states(file, model, include_optimizer=True, skip=()):
    """Write all variables of a model, but for those of the objects in `skip`, into an HDF5 group."""
    sums = {}
    for path, owner in states(model, skip):
        if not include_optimizer and path.split('/')[0] == 'optimizer':
            continue
        group = file.create_group(_joined(path, 'vars'))
        group.attrs['name'] = owner.name
        total = _write_own(group, group.name, owner)
        if total is not None:
            sums['/' + _joined(path, 'vars')] = total
        _write_streams(file, path, owner)
    if sums and hasattr(file, 'attrs'):
        file.attrs[_ALL] = np.uint32(checksums.of_values(sorted(sums.items())))


def _check_all(file):
    """Compare what is in a file with what was written: a group whose name is damaged would be passed over.

    Raises:
        RefusedFile: where it is another.
    """
    told = file.attrs.get(_ALL) if isinstance(file, Group) else None
    if told is None or np.asarray(told).tolist() == 0:
        return
    above = len(file.name.rstrip('/'))
    sums = {group.name[above:]: checksums.total_of(group) for group in groups_of_variables(file)}
    if np.asarray(told).tolist() != checksums.of_values(sorted(sums.items())):
        raise RefusedFile('%s is damaged, or was changed after it was written: it does not hold what its checksum '
                          'says. If it was changed on purpose, set the attribute `%s` of %s to 0.'
                          % (file.filename, _ALL, file.name))


def _write_own(group, where, owner):
    store = Store(group, where)
    owner.save_own_variables(store)
    return store.seal()


def _write_streams(file, path, owner):
    states = owner.stream_states() if isinstance(owner, SeedGenerator) else {}
    if states:
        store = Store(file.create_group(_joined(path, 'streams')), path)
        for engine, state in states.items():
            store[engine] = state
        store.seal()


def write_seeds(file, model):
    """Write the states of the seed generators of a model alone into an HDF5 group, if there are any."""
    for path, owner in states(model):
        if isinstance(owner, SeedGenerator):
            group = file.require_group('random_state')
            _write_own(group.create_group(_joined(path, 'vars')), path, owner)
            _write_streams(group, path, owner)


def read_seeds(file, model):
    """Set the seed generators of a model to what `write_seeds` wrote, where it did."""
    if 'random_state' in file:
        for path, owner in states(model):
            if isinstance(owner, SeedGenerator):
                _read_seed(file['random_state'], path, owner)


def _read_seed(file, path, owner):
    store = Store(file.get(_joined(path, 'vars')), path)
    if '0' not in store or store.shape('0') != owner.state.shape:
        return
    owner.load_own_variables(store)
    if _joined(path, 'streams') in file:
        streams = Store(file[_joined(path, 'streams')], path)
        owner.restore_streams({engine: streams[engine] for engine in streams})


def read_states(file, model, skip_mismatch=False, skip=()):
    """Set all variables of a model from an HDF5 group; nothing is changed unless all layers fit.

    The objects in `skip` are left as they are.

    Raises:
        ValueError: where something does not fit.
    """
    if hasattr(file, 'read_ahead'):
        file.read_ahead(2)
    pairs = _Places(file).of(states(model, skip))
    misfits = {path: message for path, owner, store in pairs for message in [_misfit(owner, store)] if message}
    if misfits and not skip_mismatch:
        raise ValueError('%s The usual cause: the file was written by a model of another architecture.'
                         % next(iter(misfits.values())))
    for path, _, store in pairs:
        if path not in misfits:
            store.check()
    for message in misfits.values():
        warnings.warn(message + ' Skipping loading this layer due to mismatch of its weights.', stacklevel=4)
    for path, owner, store in pairs:
        if isinstance(owner, SeedGenerator):
            _read_seed(file, path, owner)
        elif path not in misfits:
            owner.load_own_variables(store)


class _Places:
    """Where in a file the variables of objects are, whatever the release called the attributes that lead there.

    tf.keras 2.12 wrote other names for layers, and some attributes have an underscore before their name in one release
    and none in another. An object that has no place of its own takes the only one left over
    that holds arrays of its shapes, or of several the one that is called like it.
    """

    def __init__(self, file):
        self.file = file
        self._left = None

    def of(self, pairs):
        """[(path, object, Store)] for pairs (path, object)."""
        _check_all(self.file)
        found = [(path, owner, self._at(path)) for path, owner in pairs]
        missing = {path for path, owner, group in found if group is None and _own_shapes(owner)}
        if missing:
            taken = {group.name for _, _, group in found if group is not None}
            self._left = [(group.name, group) for group in groups_of_variables(self.file) if group.name not in taken]
        return [(path, owner, _store(self._left_for(path, owner) if path in missing else group, path or '/', owner))
                for path, owner, group in found]

    def _at(self, path):
        inside = _joined(path, 'vars')
        found = next((self.file[known] for known in (inside, as_in_2_12(inside)) if known in self.file), None)
        if found is not None and not hasattr(found, 'keys'):
            raise RefusedFile('%s of the file holds numbers, not a group: the file is damaged.' % inside)
        return found

    def _left_for(self, path, owner):
        shapes = _own_shapes(owner)
        fitting = [(name, group) for name, group in self._left if _shapes_in(group) == shapes]
        if len(fitting) > 1:
            leaf = path.rpartition('/')[2].lstrip('_')
            fitting = [(name, group) for name, group in fitting if name.split('/')[-2].lstrip('_') == leaf] or fitting
        if not fitting:
            return None
        self._left.remove(fitting[0])
        return fitting[0][1]


def _store(group, path, owner):
    """The variables in a group, the numbers behind a quantized kernel in its place."""
    quantized = group is not None and '0' in group and str(_data_set(group, '0').dtype) == 'int8' \
        and len(group) == 1 + len(_own_shapes(owner))
    return Dequantized(group, path) if quantized else Store(group, path)


class Dequantized(Store):
    """The variables of a layer whose kernel is kept as integers, which the last array scales."""

    def keys(self):
        return [str(number) for number in range(len(self.group) - 1)]

    def __getitem__(self, name):
        array = super().__getitem__(name)
        if str(name) != '0':
            return array
        scale = np.asarray(_data_set(self.group, str(len(self.group) - 1)))
        if not np.all(scale) or not np.all(np.isfinite(scale)):
            raise RefusedFile('%s of the file scales numbers by zero or infinity: the file is damaged.' % self.where)
        along = scale.reshape(scale.shape + (1,) * (array.ndim - scale.ndim)) \
            if scale.shape != array.shape[-scale.ndim:] else scale
        return np.asarray(array, scale.dtype) / along


def as_in_2_12(path):
    """The path of an object of Keras 3 as it was in files of tf.keras 2.12."""
    return re.sub(r'(^|/)layers/([^/]*)', _layer_as_in_2_12, path)


def _layer_as_in_2_12(match):
    """The name of a layer as tf.keras 2.12 had it, which counted each one with weights twice."""
    doubled = re.sub(r'_(\d+)$', lambda number: '_%d' % (2 * int(number.group(1))), match.group(2))
    return '%s_layer_checkpoint_dependencies/%s' % (match.group(1), doubled)


def _own_shapes(owner):
    if not isinstance(owner, WeightOwner) or not owner.loads_in_order():
        return []
    return [tuple(variable.shape) for variable in owner.own_variables_in_order()]


def _shapes_in(group):
    return [tuple(_data_set(group, str(number)).shape) for number in range(len(group)) if str(number) in group]


def groups_of_variables(file):
    """The groups `vars` of a file that hold arrays, in the order of their names."""
    found, waiting, met = [], [file], set()
    while waiting:
        group = waiting.pop()
        if hasattr(group, 'is_new') and not group.is_new(met):
            continue
        for name, part in group.items():
            if hasattr(part, 'keys'):
                (found if name == 'vars' and len(part) else waiting).append(part)
    return sorted(found, key=lambda group: group.name)


def _misfit(owner, store):
    """What does not fit between a layer and what a file has for it, None where all does or the layer sees to it."""
    if not isinstance(owner, WeightOwner) or not owner.loads_in_order():
        return None
    variables = owner.own_variables_in_order()
    if len(variables) != len(store):
        return ('Layer %s has %d weights of its own (%s), but received %d variables: the file has that many for it '
                '(%s).%s'
                % (owner.name, len(variables), ', '.join(variable.name for variable in variables), len(store),
                   store.where, '' if owner.built else ' The layer is not built yet. You are loading weights into a '
                   'model that has not yet been built.'))
    for number, variable in enumerate(variables):
        if str(number) not in store or store.shape(number) != tuple(variable.shape):
            found = store.shape(number) if str(number) in store else 'no array'
            return ('Layer %s: weight %s has shape %s, the file has %s for it (%s/%d): the shapes must match.'
                    % (owner.name, variable.name, tuple(variable.shape), found, store.where, number))
    return None
