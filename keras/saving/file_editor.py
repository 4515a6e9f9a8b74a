"""`KerasFileEditor`: the weights in a file, looked at, renamed, taken out, put in, and saved anew."""
import json

import numpy as np

from keras.saving.archive import CONFIG, METADATA, WEIGHTS
from keras.saving.opening import open_archive, open_hdf5
from keras.saving.texts import parse_json
from keras.saving.states import Store, states
from keras.saving.writing import writing_hdf5


class KerasFileEditor:
    """The variables in a `.keras` or `.weights.h5` file, by the objects that they belong to.

    Args:
        filepath: path of the file. Nothing in it is changed: `save` writes another one.

    Raises:
        ValueError: for a file with another ending. OSError: where it cannot be read.

    Attributes:
        weights_dict: {path of an object: {name of a weight: array}}, such as {'layers/dense/vars': {'0': ...}}.
        metadata, config: of a `.keras` file, as dictionaries; None otherwise.

    Example:
        >>> model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,), name='first')])
        >>> model.save_weights('model.weights.h5')
        >>> editor = keras.saving.KerasFileEditor('model.weights.h5')
        >>> editor.rename_object('dense', new_name='other')
        >>> sorted(editor.weights_dict)
        ['layers/other/vars']
    """

    def __init__(self, filepath):
        self.filepath = str(filepath)
        self.metadata = self.config = None
        if self.filepath.endswith('.keras'):
            with open_archive(filepath) as archive:
                self.metadata = parse_json(archive.read(METADATA), METADATA)
                self.config = parse_json(archive.read(CONFIG), CONFIG)
                with archive.open_hdf5(WEIGHTS) as file:
                    self._read(file)
        elif self.filepath.endswith('.weights.h5'):
            with open_hdf5(filepath) as file:
                self._read(file)
        else:
            raise ValueError('KerasFileEditor: expected a file that ends in .keras or .weights.h5. Received: %s'
                             % filepath)

    def _read(self, file):
        self.weights_dict, self._names = {}, {}
        for path, data in file.datasets():
            owner, _, name = path.rpartition('/')
            self.weights_dict.setdefault(owner, {})[name] = data.read()
        for owner in self.weights_dict:
            if 'name' in file[owner].attrs:
                self._names[owner] = file[owner].attrs['name']

    # --- looking

    def summary(self):
        """Print the objects with the shapes of their weights."""
        for path, weights in sorted(self.weights_dict.items()):
            print(path)
            for name, array in sorted(weights.items()):
                print('    %s: shape=%s, dtype=%s' % (name, array.shape, array.dtype))

    def compare(self, reference_model):
        """Compare with a model, printing what differs.

        Returns:
            {'status': 'success' or 'error', 'error_count', 'match_count'}: of objects that are missing on one side
            and weights of others that are, or have other shapes, and of weights that fit.
        """
        expected, errors, matches = _Collected(reference_model).weights, 0, 0
        for path in sorted(set(expected) ^ set(self.weights_dict)):
            errors += 1
            print('%s: in the %s only' % (path, 'model' if path in expected else 'file'))
        for path in sorted(set(expected) & set(self.weights_dict)):
            here, there = self.weights_dict[path], expected[path]
            for name in sorted(set(here) | set(there)):
                if name in here and name in there and here[name].shape == there[name].shape:
                    matches += 1
                    continue
                errors += 1
                print('%s/%s: in the file %s, in the model %s' % (
                    path, name, *['not there' if name not in side else 'shape %s' % (side[name].shape,)
                                  for side in (here, there)]))
        return {'status': 'error' if errors else 'success', 'error_count': errors, 'match_count': matches}

    # --- changing

    def _paths(self, name):
        """The paths of the objects with weights at or below a path, or below the objects of a name.

        Raises:
            KeyError: where there is none.
        """
        name = name.strip('/')
        found = [path for path in self.weights_dict if path == name or path.startswith(name + '/')]
        if not found:
            found = [path for path in self.weights_dict if name in path.split('/')]
        if not found:
            raise KeyError('%s has no object %r; it has: %s' % (self.filepath, name, ', '.join(self.weights_dict)))
        return found

    def rename_object(self, object_name, new_name):
        """Give an object, by its name or path, another name.

        Raises:
            KeyError: where there is no such object. ValueError: where the new name is taken.
        """
        old, new = object_name.strip('/'), new_name.strip('/').rpartition('/')[2]
        for path in self._paths(object_name):
            if '/' in old:
                renamed = '/'.join([old.rpartition('/')[0], new]) + path[len(old):]
            else:
                renamed = '/'.join(new if part == old else part for part in path.split('/'))
            if renamed in self.weights_dict:
                raise ValueError('%s: there is an object %s already.' % (self.filepath, renamed))
            self.weights_dict[renamed] = self.weights_dict.pop(path)
            self._names[renamed] = self._names.pop(path, new)

    def delete_object(self, object_name):
        """Take out an object, by its name or path, and what is in it."""
        for path in self._paths(object_name):
            del self.weights_dict[path]

    def add_object(self, object_path, weights):
        """Put in an object: its path, and {name: array} of its weights.

        Raises:
            ValueError: where there is one at that path.
        """
        path = object_path.strip('/')
        path = path if path.endswith('vars') else path + '/vars'
        if path in self.weights_dict:
            raise ValueError('%s: there is an object %s already.' % (self.filepath, path))
        self.weights_dict[path] = {str(name): np.asarray(array) for name, array in weights.items()}

    def delete_weight(self, object_name, weight_name):
        """Take a weight out of an object."""
        owned = self.weights_dict[self._only_path(object_name)]
        if str(weight_name) not in owned:
            raise KeyError('%s: %s has no weight %r, but: %s' % (self.filepath, object_name, weight_name,
                                                                ', '.join(owned)))
        del owned[str(weight_name)]

    def add_weights(self, object_name, weights):
        """Put weights {name: array} into an object, in the place of those of the same names."""
        self.weights_dict[self._only_path(object_name)].update(
            {str(name): np.asarray(array) for name, array in weights.items()})

    def _only_path(self, name):
        found = self._paths(name)
        if len(found) > 1:
            raise ValueError('%s: %r are several objects: %s. Give a path.' % (self.filepath, name, ', '.join(found)))
        return found[0]

    # --- saving

    def save(self, filepath):
        """Write the weights as a `.weights.h5` file."""
        if not str(filepath).endswith('.weights.h5'):
            raise ValueError('KerasFileEditor.save: expected a name that ends in .weights.h5. Received: %s' % filepath)
        with writing_hdf5(filepath) as file:
            for path, weights in self.weights_dict.items():
                group = file.create_group(path)
                group.attrs['name'] = self._names.get(path, path.split('/')[-2] if '/' in path else path)
                for name, array in weights.items():
                    group.create_dataset(name, data=array)

    resave_weights = save

    def __repr__(self):
        return '<KerasFileEditor %s: %s>' % (self.filepath, json.dumps(sorted(self.weights_dict)))


class _Collected:
    """The arrays that a model would write, by object."""

    def __init__(self, model):
        self.weights = {}
        for path, owner in states(model):
            group = _Shapes()
            owner.save_own_variables(Store(group, path))
            if group.arrays:
                self.weights[path + '/vars' if path else 'vars'] = group.arrays


class _Shapes:
    """A group that keeps what is written to it."""

    def __init__(self):
        self.arrays = {}

    def create_dataset(self, name, data):
        self.arrays[name] = data
