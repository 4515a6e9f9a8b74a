"""The weights of a layer: making them, finding them in attributes and nested layers, reading and setting them."""
import numpy as np

from keras.backend.rules import FLOATS, is_float
from keras.backend.state import SeedGenerator, Variable

_PLAIN = frozenset((int, float, str, bool, type(None), np.ndarray, type(len), type(lambda: 0), type))
_UNTRACKED = frozenset(('_trainable_weights', '_non_trainable_weights', '_inbound_nodes', '_outbound_nodes',
                        '_call_losses', '_initial_weights', '_dtype', 'name', 'input_spec', 'batch_input_shape',
                        '_trained_weights', '_steps', '_small_predictions', '_compiled', '_compile_arguments',
                        '_compile_metrics', '_symbolic_losses', '_symbolic_metrics', '_symbolic_updates', '_additions',
                        '_training_graph', 'optimizer', 'history'))


def _collect(value, variables, layers, seen):
    if isinstance(value, WeightOwner):
        if id(value) not in seen:
            seen.add(id(value))
            layers.append(value)
    elif isinstance(value, Variable):
        if id(value) not in seen:
            seen.add(id(value))
            variables.append(value)
    elif isinstance(value, (list, tuple)):
        for part in value:
            if type(part) not in _PLAIN:
                _collect(part, variables, layers, seen)
    elif isinstance(value, dict):
        for part in value.values():
            if type(part) not in _PLAIN:
                _collect(part, variables, layers, seen)


def _unique(variables):
    return list({id(variable): variable for variable in variables}.values())


def dtype_name(dtype):
    if isinstance(dtype, dict):
        dtype = dtype.get('config', dtype).get('name', dtype)
    name = getattr(dtype, 'name', dtype)
    if name in FLOATS or name in ('bool', 'string', 'complex64', 'complex128'):
        return name
    name = np.dtype(name).name
    return name


class WeightOwner:
    """The part of `Layer` that concerns weights."""

    def add_weight(self, name=None, shape=None, dtype=None, initializer=None, regularizer=None, trainable=True,
                   constraint=None, layout=None, **kwargs):
        """A new weight.

        Args:
            name: its name. shape: tuple of ints, default (). dtype: default that of the layer.
            initializer: name, object or function (shape, dtype); default Glorot uniform for floats, zeros else.
            regularizer: adds to the loss. trainable: whether `fit` changes it.
            constraint: applied after each update. layout: 'conv_kernel' for (spatial..., in, out) kernels.

        Returns:
            A `Variable`; its value is made when it is first needed.
        """
        if isinstance(name, (tuple, list)):  # Keras 3 has the shape first
            name, shape, initializer, dtype = dtype, name, shape, initializer
            name = kwargs.pop('name', name)
        from keras import constraints, initializers, regularizers
        dtype = dtype_name(dtype) if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = 'glorot_uniform' if is_float(dtype) else 'zeros'
        variable = Variable(initializers.delayed(initializers.get(initializer)), shape=() if shape is None else shape,
                            dtype=dtype, trainable=trainable, name=name, constraint=constraints.get(constraint),
                            layout=layout)
        variable.path = '%s/%s' % (self.name, variable.name)
        variable.regularizer = regularizers.get(regularizer)
        (self._trainable_weights if trainable else self._non_trainable_weights).append(variable)
        return variable

    def _own(self):
        """Variables and layers that are attributes of this layer, also within lists, tuples and dictionaries."""
        variables, layers, seen = [], [], set()
        for name, value in self.__dict__.items():
            if name in _UNTRACKED or type(value) in _PLAIN:
                continue
            _collect(value, variables, layers, seen)
        return variables, layers

    @property
    def _layers(self):
        return self._own()[1]

    def _flatten_layers(self):
        """This layer and all layers inside it, each once."""
        found, stack, seen = [], [self], set()
        while stack:
            layer = stack.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            found.append(layer)
            stack.extend(reversed(layer._layers))
        return found

    def _own_weights(self):
        variables, layers = self._own()
        listed = self._trainable_weights + self._non_trainable_weights
        loose = [variable for variable in variables if not any(variable is known for known in listed)]
        trainable = self._trainable_weights + [variable for variable in loose if variable.trainable]
        frozen = self._non_trainable_weights + [variable for variable in loose if not variable.trainable]
        return trainable, frozen, layers

    @property
    def trainable_weights(self):
        """The weights that `fit` changes; none if the layer is not trainable."""
        if not self._trainable:
            return []
        trainable, _, layers = self._own_weights()
        return _unique(trainable + [w for layer in layers for w in layer.trainable_weights])

    @trainable_weights.setter
    def trainable_weights(self, weights):
        self._trainable_weights = list(weights)

    @property
    def non_trainable_weights(self):
        """The weights that `fit` leaves alone, or that the layer itself updates."""
        trainable, frozen, layers = self._own_weights()
        if self._trainable:
            return _unique(frozen + [w for layer in layers for w in layer.non_trainable_weights])
        below = [w for layer in layers for w in layer.trainable_weights]
        return _unique(trainable + below + frozen + [w for layer in layers for w in layer.non_trainable_weights])

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights):
        self._non_trainable_weights = list(weights)

    @property
    def weights(self):
        """All weights: the trainable ones, then the others."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_variables(self):
        return self.trainable_weights

    @property
    def non_trainable_variables(self):
        return [v for v in self.variables if not any(v is w for w in self.trainable_weights)]

    @property
    def seed_generators(self):
        """The seed generators of this layer and of those inside it."""
        found = []
        for layer in self._flatten_layers():
            for name, value in layer.__dict__.items():
                if isinstance(value, SeedGenerator):
                    found.append(value)
        return found

    @property
    def variables(self):
        """The weights and the states of the seed generators."""
        return _unique(self.weights + [generator.state for generator in self.seed_generators])

    @property
    def trainable(self):
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        for layer in self._layers:
            layer.trainable = value

    def get_weights(self):
        """The values of the weights, as a list of NumPy arrays."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights):
        """Set the weights from a list of arrays in the order of `get_weights`.

        Raises:
            ValueError: if their number or a shape differs; then no weight is changed.
        """
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError('Layer %s: set_weights received %d arrays, the layer has %d weights: %s.%s'
                             % (self.name, len(weights), len(variables), [w.name for w in variables],
                                '' if self.built else ' The layer is not built yet: call it on an input first.'))
        arrays = [np.asarray(array) for array in weights]
        for variable, array in zip(variables, arrays):
            if array.shape != variable.shape:
                raise ValueError('Layer %s: weight %s has shape %s, the array given for it has shape %s.'
                                 % (self.name, variable.name, variable.shape, array.shape))
        for variable, array in zip(variables, arrays):
            variable.assign(array)

    def count_params(self):
        """The number of scalars in the weights.

        Raises:
            RuntimeError: if the layer is not built.
        """
        if not self.built:
            raise RuntimeError('Layer %s has no weights yet, so they cannot be counted. Build it first: call it on an '
                               'input or give it an `input_shape`.' % self.name)
        return sum(weight.size for weight in self.weights)
