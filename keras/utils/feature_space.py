"""Named features of a table, each with its own preparation, as one."""
import numpy as np

from keras import ops
from keras.backend.contract import tree
from keras.backend.contract.loading import foreign_engine, get_engine, is_native
from keras.backend.graph.tensors import any_symbolic
from keras.layers.base import Layer
from keras.layers.input_layer import Input
from keras.layers.preprocessing.categories import CategoryEncoding, HashedCrossing, Hashing
from keras.layers.preprocessing.data_layer import DataLayer, host_array
from keras.layers.preprocessing.discretization import Discretization
from keras.layers.preprocessing.lookups import IntegerLookup, StringLookup
from keras.layers.preprocessing.normalization import Normalization, Rescaling
from keras.saving import archive
from keras.saving.kinds import deserialize_keras_object
from keras.saving.serialization import register_keras_serializable, serialize_keras_object

_BATCH = 32


@register_keras_serializable('keras.utils')
class TFDIdentity(DataLayer):
    """Numbers as they are."""
    numeric = True
    floats_give_floats = True

    def call(self, inputs):
        return ops.cast(inputs, self.compute_dtype)

    def host(self, x):
        return np.asarray(x, self.compute_dtype)


@register_keras_serializable('keras.utils')
class Feature:
    """How a feature is prepared.

    Args:
        dtype: of the raw values: 'string', 'int64' or 'float32'. preprocessor: a layer, or its config.
        output_mode: 'float' (as the layer gives it), 'int' or 'one_hot'.
    """

    def __init__(self, dtype, preprocessor, output_mode):
        if output_mode not in ('int', 'one_hot', 'float'):
            raise ValueError("Invalid value for argument `output_mode`. Expected one of {'int', 'one_hot', 'float'}. "
                             'Received: output_mode=%s' % (output_mode,))
        self.dtype, self.output_mode = dtype, output_mode
        is_config = isinstance(preprocessor, dict)
        self.preprocessor = deserialize_keras_object(preprocessor) if is_config else preprocessor

    def get_config(self):
        """The arguments of the constructor as plain values."""
        return {'dtype': self.dtype, 'preprocessor': serialize_keras_object(self.preprocessor),
                'output_mode': self.output_mode}

    @classmethod
    def from_config(cls, config):
        """A feature from what `get_config` gave."""
        return cls(**config)

    def is_to_adapt(self):
        """Whether the layer finds something in data first."""
        layer = self.preprocessor
        known = [getattr(layer, name, None) for name in ('input_vocabulary', 'input_mean', 'vocabulary')]
        fixed = isinstance(layer, Discretization) and layer.num_bins is None
        return hasattr(layer, 'adapt') and not fixed and all(value is None for value in known)

    def bins(self):
        """How many integers the layer gives."""
        layer = self.preprocessor
        if hasattr(layer, 'vocabulary_size'):
            return layer.vocabulary_size()
        # Few samples may give fewer bins than were asked for; the row is as long as was said.
        return layer.num_bins if layer.num_bins is not None else len(layer.bin_boundaries) + 1


@register_keras_serializable('keras.utils')
class Cross:
    """Features that count together.

    Args:
        feature_names: tuple of names. crossing_dim: how many bins their combinations go to. output_mode: 'int' or
            'one_hot'.
    """

    def __init__(self, feature_names, crossing_dim, output_mode='one_hot'):
        if output_mode not in ('int', 'one_hot'):
            raise ValueError("Invalid value for argument `output_mode`. Expected one of {'int', 'one_hot'}. Received: "
                             'output_mode=%s' % (output_mode,))
        self.feature_names, self.crossing_dim, self.output_mode = tuple(feature_names), crossing_dim, output_mode

    @property
    def name(self):
        return '_X_'.join(self.feature_names)

    def get_config(self):
        """The arguments of the constructor as plain values."""
        return {'feature_names': self.feature_names, 'crossing_dim': self.crossing_dim,
                'output_mode': self.output_mode}

    @classmethod
    def from_config(cls, config):
        """A cross from what `get_config` gave."""
        return cls(**config)


@register_keras_serializable('keras.utils')
class FeatureSpace(Layer):
    """The columns of a table as numbers for a model.

    Args:
        features: {name: what it is}: 'float', 'float_rescaled', 'float_normalized', 'float_discretized',
            'integer_categorical', 'string_categorical', 'integer_hashed', 'string_hashed', or what the class methods of
            these names give, which take arguments, or what `FeatureSpace.feature` gives for a layer of one's own.
        output_mode: 'concat' for one array, the features one after the other by name, then the crosses; 'dict' for one
            array of each.
        crosses: list of tuples of names, or of what `FeatureSpace.cross` gives. crossing_dim, hashing_dim,
            num_discretization_bins: how many bins crosses, hashed and discretized features have.

    It is called on a dictionary of arrays, lists or tensors of shape (batch,) or (batch, 1), or of single values, on
    NumPy's arrays as well as in the pipelines of other libraries. `adapt` comes first, where a feature needs it.

    Example:
        >>> space = keras.utils.FeatureSpace({'age': 'float', 'city': 'string_categorical'})
        >>> space.adapt({'age': [20, 30], 'city': ['Rome', 'Oslo']})
        >>> np.asarray(space({'age': [25, 40], 'city': ['Oslo', 'Bonn']})).tolist()
        [[25.0, 0.0, 0.0, 1.0], [40.0, 1.0, 0.0, 0.0]]
    """

    def __init__(self, features, output_mode='concat', crosses=None, crossing_dim=32, hashing_dim=32,
                 num_discretization_bins=32, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        if not features:
            raise ValueError('The `features` argument cannot be None or empty.')
        if output_mode not in ('concat', 'dict'):
            raise ValueError("Invalid value for argument `output_mode`. Expected one of {'concat', 'dict'}. Received: "
                             'output_mode=%s' % (output_mode,))
        self.output_mode, self.crossing_dim, self.hashing_dim = output_mode, crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {name: self._feature(name, feature) for name, feature in features.items()}
        self.crosses = [self._cross(cross) for cross in crosses or ()]
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {cross.name: HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses}
        self._adapted = not any(feature.is_to_adapt() for feature in self.features.values())
        for layer in self.preprocessors.values():
            layer.ensure_built((None, 1))
        self._inputs = {name: Input((1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()}
        self._outputs = None

    def _feature(self, name, feature):
        if isinstance(feature, Feature):
            return feature
        if isinstance(feature, dict):
            return deserialize_keras_object(feature)
        makers = {'float': self.float, 'float_rescaled': self.float_rescaled, 'float_normalized': self.float_normalized,
                  'float_discretized': lambda name: self.float_discretized(self.num_discretization_bins, name=name),
                  'integer_categorical': self.integer_categorical, 'string_categorical': self.string_categorical,
                  'integer_hashed': lambda name: self.integer_hashed(self.hashing_dim, name=name),
                  'string_hashed': lambda name: self.string_hashed(self.hashing_dim, name=name)}
        if feature not in makers:
            raise ValueError('Invalid feature %r for %r. Expected one of %s, or what FeatureSpace.feature() gives.'
                             % (feature, name, ', '.join(sorted(makers))))
        return makers[feature](name=name)

    def _cross(self, cross):
        if isinstance(cross, dict):
            cross = deserialize_keras_object(cross)
        if not isinstance(cross, Cross):
            if not self.crossing_dim:
                raise ValueError('When specifying `crosses`, the argument `crossing_dim` (dimensionality of the '
                                 'crossing space) should be specified as well.')
            cross = Cross(cross, self.crossing_dim)
        for name in cross.feature_names:
            if name not in self.features:
                raise ValueError('All features referenced in the `crosses` argument should be present in the '
                                 '`features` dict. Received unknown features: %s' % (cross.feature_names,))
        return cross

    # --- what features are

    @classmethod
    def cross(cls, feature_names, crossing_dim, output_mode='one_hot'):
        """Features that count together, see `Cross`."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype, preprocessor, output_mode):
        """A feature with a layer of one's own, see `Feature`."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name=None):
        """A number as it is."""
        return Feature('float32', TFDIdentity(name=_named(name)), 'float')

    @classmethod
    def float_rescaled(cls, scale=1.0, offset=0.0, name=None):
        """A number, multiplied by `scale`, and `offset` added."""
        return Feature('float32', Rescaling(scale, offset, name=_named(name)), 'float')

    @classmethod
    def float_normalized(cls, name=None):
        """A number minus its mean, divided by its deviation."""
        return Feature('float32', Normalization(axis=-1, name=_named(name)), 'float')

    @classmethod
    def float_discretized(cls, num_bins, bin_boundaries=None, output_mode='one_hot', name=None):
        """The bin of a number."""
        layer = Discretization(num_bins=None if bin_boundaries else num_bins, bin_boundaries=bin_boundaries,
                               name=_named(name))
        return Feature('float32', layer, output_mode)

    @classmethod
    def integer_categorical(cls, max_tokens=None, num_oov_indices=1, output_mode='one_hot', name=None):
        """The place of an integer in a vocabulary."""
        layer = IntegerLookup(max_tokens=max_tokens, num_oov_indices=num_oov_indices, name=_named(name))
        return Feature('int64', layer, output_mode)

    @classmethod
    def string_categorical(cls, max_tokens=None, num_oov_indices=1, output_mode='one_hot', name=None):
        """The place of a string in a vocabulary."""
        layer = StringLookup(max_tokens=max_tokens, num_oov_indices=num_oov_indices, name=_named(name))
        return Feature('string', layer, output_mode)

    @classmethod
    def integer_hashed(cls, num_bins, output_mode='one_hot', name=None):
        """The bin that the hash of an integer gives."""
        return Feature('int64', Hashing(num_bins=num_bins, name=_named(name)), output_mode)

    @classmethod
    def string_hashed(cls, num_bins, output_mode='one_hot', name=None):
        """The bin that the hash of a string gives."""
        return Feature('string', Hashing(num_bins=num_bins, name=_named(name)), output_mode)

    # --- adapting

    def adapt(self, dataset):
        """Let the features find what they need in data: vocabularies, means, boundaries.

        Args:
            dataset: a dictionary of arrays or lists, or something that can be gone through several times and yields
                dictionaries: batches or single rows.
        """
        for name, feature in self.features.items():
            if feature.is_to_adapt():
                feature.preprocessor.adapt(_Column(dataset, name))
        self.note_adapted(True)

    def note_adapted(self, adapted):
        """Say whether the features know what they need."""
        self._adapted, self._outputs = adapted or self._adapted, None

    def _require_adapted(self):
        if not self._adapted:
            raise ValueError('You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.')

    # --- running

    def get_inputs(self):
        """{name: symbolic input} for a model on raw features."""
        return self._inputs

    def get_encoded_features(self):
        """What comes out for `get_inputs()`, symbolic: one tensor, or a dictionary of them.

        Raises:
            ValueError: before `adapt`.
        """
        self._require_adapted()
        if self._outputs is None:
            self._outputs = self._packed(self._encoded(self._inputs, _by_layers), _joined)
        return self._outputs

    def __call__(self, data, *args, **kwargs):
        self._require_adapted()
        if not isinstance(data, dict):
            raise ValueError('A FeatureSpace can only be called with a dict. Received: data=%r (of type %s)'
                             % (data, type(data).__name__))
        missing = [name for name in self.features if name not in data]
        if missing:
            raise ValueError('FeatureSpace %s: no values for the features %s. Received values for %s.'
                             % (self.name, missing, sorted(data)))
        data = {name: data[name] if hasattr(data[name], 'shape') else np.asarray(data[name]) for name in self.features}
        if any_symbolic(data):
            return self._packed(self._encoded(data, _by_layers), _joined)
        engine = foreign_engine(list(data.values()))
        if engine is not None:
            return self._traced(engine, data)
        if any(is_native(part) for part in data.values()) and not all(_has_value(part) for part in data.values()):
            return self._traced(get_engine(), data)
        found = self._on_host([host_array(part) for part in data.values()])
        return tree.map_structure(get_engine().convert, found)

    def call(self, data):
        return self(data)

    def _on_host(self, arrays):
        """What comes out for one NumPy array per feature, as arrays."""
        single = not np.ndim(arrays[0])
        columns = {name: np.asarray(array).reshape((-1, 1) if np.ndim(array) < 2 else np.shape(array))
                   for name, array in zip(self.features, arrays)}
        found = self._encoded(columns, lambda layer, x: layer.host(*x) if isinstance(x, list) else _host(layer, x))
        found = {name: part.astype('float32') if part.dtype == 'float64' else part for name, part in found.items()}
        if single:
            found = {name: part[0] for name, part in found.items()}
        return self._packed(found, lambda parts: np.concatenate([np.asarray(part, 'float32') for part in parts], -1))

    def _traced(self, engine, data):
        """What comes out for tensors that a library traces."""
        tensors = [part if engine.is_native(part) else engine.convert(part) for part in data.values()]
        example = self._on_host([np.zeros(np.ones(len(engine.shape_of(x)), int),
                                          object if engine.dtype_of(x) == 'string' else engine.dtype_of(x))
                                 for x in tensors])
        first = engine.shape_of(tensors[0])[:1]

        def output(part, choose):
            shape = first + part.shape[1:] if first else part.shape
            return engine.on_host(lambda *arrays: choose(self._on_host(arrays)), tensors, part.dtype.name, shape)
        if not isinstance(example, dict):
            return output(example, lambda found: found)
        return {name: output(part, lambda found, name=name: found[name]) for name, part in example.items()}

    def _encoded(self, columns, run):
        """{name: what comes out} for columns of shape (batch, 1); `run(layer, input)` gives what a layer gives."""
        values = {name: run(feature.preprocessor, columns[name]) for name, feature in self.features.items()}
        found = {}
        for name, feature in sorted(self.features.items()):
            one_hot = feature.output_mode == 'one_hot'
            found[name] = run(_one_hot(feature.bins()), values[name]) if one_hot else values[name]
        for cross in self.crosses:
            value = run(self.crossers[cross.name], [values[name] for name in cross.feature_names])
            found[cross.name] = run(_one_hot(cross.crossing_dim), value) if cross.output_mode == 'one_hot' else value
        return found

    def _packed(self, found, join):
        if self.output_mode == 'dict':
            return found
        for name, cross in [(cross.name, cross) for cross in self.crosses] + list(self.features.items()):
            if cross.output_mode == 'int':
                raise ValueError('FeatureSpace %s: output_mode="concat" needs numbers that can stand in one row; the '
                                 'feature %r has output_mode="int". Use "one_hot" for it, or output_mode="dict".'
                                 % (self.name, name))
        return join(list(found.values()))

    # --- configs and files

    def save(self, filepath):
        """Write it, with what `adapt` has found, as a `.keras` file, which `keras.saving.load_model` reads."""
        archive.save_model(self, filepath)

    @property
    def built(self):
        return True

    @built.setter
    def built(self, value):
        """Nothing of its own is built."""

    def get_config(self):
        """The arguments of the constructor as plain values."""
        return {'features': {name: serialize_keras_object(feature) for name, feature in self.features.items()},
                'output_mode': self.output_mode, 'crosses': [serialize_keras_object(cross) for cross in self.crosses],
                'crossing_dim': self.crossing_dim, 'hashing_dim': self.hashing_dim,
                'num_discretization_bins': self.num_discretization_bins, 'name': self.name, 'adapted': self._adapted}

    @classmethod
    def from_config(cls, config):
        """A space from what `get_config` gave; what `adapt` has found comes from the file."""
        config = dict(config)
        adapted = config.pop('adapted', True)
        found = cls(**config)
        found.note_adapted(adapted)
        return found


def _named(name):
    return None if name is None else name + '_preprocessor'


def _one_hot(count):
    return CategoryEncoding(count, output_mode='multi_hot')


def _host(layer, x):
    """What a layer of one input gives for an array, as an array."""
    if not isinstance(layer, DataLayer):
        return host_array(layer(x))
    layer.ensure_built((None,) + x.shape[1:])
    return layer.host(x)


def _by_layers(layer, x):
    return layer(x)


def _joined(tensors):
    return ops.concatenate([ops.cast(tensor, 'float32') for tensor in tensors], -1)


def _has_value(x):
    try:
        host_array(x)
    except Exception:  # each library has its own for a tensor that is traced
        return False
    return True


class _Column:
    """The values of one feature, as batches of shape (batch, 1)."""

    def __init__(self, dataset, name):
        self._dataset, self._name = dataset, name

    def __iter__(self):
        if isinstance(self._dataset, dict):
            yield _column(np.asarray(self._dataset[self._name]))
            return
        waiting = []
        for row in self._dataset:
            value = (row[0] if isinstance(row, (tuple, list)) else row)[self._name]
            value = host_array(value)
            if value.ndim:
                yield _column(value)
                continue
            waiting.append(value)
            if len(waiting) == _BATCH:
                yield _column(np.stack(waiting))
                waiting = []
        if waiting:
            yield _column(np.stack(waiting))


def _column(array):
    return array.reshape(-1, 1) if array.ndim < 2 else array
