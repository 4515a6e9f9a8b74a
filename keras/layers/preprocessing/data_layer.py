"""`DataLayer`: a layer that runs in models, on the data of the host, strings included, and in foreign pipelines."""
import itertools

import numpy as np

from keras import ops
from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.loading import engine_name, foreign_engine, get_engine, is_native, is_sparse, lent
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.tensors import any_symbolic, KerasTensor
from keras.backend.state.variables import to_array
from keras.layers.base import Layer
from keras.layers.shapes import map_shapes


class _Backend:
    """Operations by their modules in Keras 3, and the name of the engine that runs them as `_backend`."""

    @property
    def _backend(self):
        return engine_name()

    def __getattr__(self, name):
        from keras.src import backend
        return getattr(backend, name)


class Lendable(Layer):
    """A layer whose `call` may run in pipelines of another library, by that library.

    A subclass finds operations in `self.backend`, by their modules in Keras 3: `self.backend.numpy.where`.
    """

    backend = _Backend()

    def _get_seed_generator(self, backend=None):
        """The generator that seeds the draws, on whatever engine the layer runs."""
        return getattr(self, 'generator', None) or getattr(self, 'seed_generator', None)


class PreprocessingLayer(Layer):
    """tf.keras's base class of layers that learn from data before training.

    A subclass defines `update_state(batch)`, and where it needs them `reset_state()` and `finalize_state()`.

    Example:
        >>> class Largest(keras.layers.experimental.preprocessing.PreprocessingLayer):
        ...     def reset_state(self):
        ...         self.largest = 0.0
        ...     def update_state(self, data):
        ...         self.largest = max(self.largest, float(np.max(data)))
        ...     def call(self, inputs):
        ...         return inputs / self.largest
        >>> layer = Largest()
        >>> layer.adapt(np.array([[2.0], [4.0]]))
        >>> layer.largest
        4.0
    """

    def update_state(self, data):
        """Take a batch, a NumPy array, into account."""
        raise NotImplementedError('%s must define `update_state`.' % type(self).__name__)

    def reset_state(self):
        """Forget what was seen."""

    def finalize_state(self):
        """Make of what was seen what `call` computes with."""

    def adapt(self, data, batch_size=None, steps=None):
        """Learn from data: `reset_state`, `update_state` for each batch, `finalize_state`.

        Args:
            data: array, tensor, or something that yields batches of them: data set, generator, list, `PyDataset`.
            batch_size: of the batches into which an array is cut; default all of it at once.
            steps: how many batches to take; default all.

        Raises:
            ValueError: without data.
        """
        if batch_size is not None and hasattr(data, 'shape'):
            data = [data[start:start + batch_size] for start in range(0, len(data), batch_size)]
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()


class DataLayer(Lendable):
    """A layer that NumPy can compute.

    A subclass defines `host`, a function of one NumPy array per input that gives an array, `compute_output_shape`, and
    `output_dtype`. One that is `numeric` defines `call` as well, with operations, and may have gradients then; all
    others are computed by NumPy inside of models, too. One that defines `call` alone runs by that everywhere.

    On tensors that a pipeline of another library traces (`tf.data.Dataset.map`) `host` becomes a part of the pipeline,
    whatever the engine is.
    """
    numeric = False
    # Whether rows come out as sparse tensors.
    sparse = False
    # Whether they come out as ragged tensors: what is 0 at the end of a row is left out.
    ragged = False
    floats_give_floats = False

    def parts(self, inputs):
        """The inputs as a list, each a tensor or an array."""
        return [inputs if hasattr(inputs, 'shape') else np.asarray(inputs)]

    def host(self, *arrays, **options):
        """The outputs for NumPy arrays, as a NumPy array."""
        raise NotImplementedError('%s must define `host`.' % type(self).__name__)

    @property
    def output_dtype(self):
        """The name of the dtype of the outputs."""
        return self.compute_dtype

    @property
    def is_elementwise(self):
        """Whether sparse tensors come out of such: the layer is applied to what they hold."""
        return False

    @property
    def direct_dtype(self):
        """The name of the dtype of the outputs where the layer is called on values by itself."""
        return self.output_dtype

    def __call__(self, inputs, *args, **kwargs):
        if context.abstract or any_symbolic([inputs, list(args), kwargs]):
            outputs = super().__call__(inputs, *args, **kwargs)
            if self.ragged and isinstance(outputs, KerasTensor):
                outputs.mark(ragged=True)
                outputs.mask = ops.not_equal(outputs, 0)
            if self.sparse and isinstance(outputs, KerasTensor):
                outputs.mark(sparse=True)
            return outputs
        if self._goes_by_call():
            with lent(foreign_engine([leaf for leaf in tree.flatten(inputs) if hasattr(leaf, 'shape')])):
                return super().__call__(inputs, *args, **kwargs)
        if self.is_elementwise and is_sparse(inputs):
            engine = get_engine()
            return engine.sparse_with(inputs, self(engine.sparse_parts(inputs)[1], *args, **kwargs))
        parts = self.parts(inputs)
        engine = foreign_engine(parts)
        if engine is not None:
            return self._on(engine, [part if engine.is_native(part) else engine.convert(part) for part in parts],
                            *args, dtype=self.direct_dtype, **kwargs)
        if self.numeric:
            return super().__call__(self._numbers(inputs), *args, **kwargs)
        if any(is_native(part) for part in parts) and not self._is_beyond(get_engine()):
            found = super().__call__(parts[0] if len(parts) == 1 else parts, *args, **kwargs)
            return found if self.direct_dtype == self.output_dtype else ops.cast(found, self.direct_dtype)
        arrays = [host_array(part) for part in parts]
        self._build_for([array.shape for array in arrays])
        return self.delivered(self.host(*arrays, *args, **kwargs))

    def _goes_by_call(self):
        """Whether a class that defines `call` alone stands before the one whose `host` there is."""
        for cls in type(self).__mro__:
            if 'host' in vars(cls):
                return cls is DataLayer
            if 'call' in vars(cls):
                return True
        return False

    @staticmethod
    def _numbers(inputs):
        return np.asarray(inputs) if isinstance(inputs, (list, tuple)) and not any(
            hasattr(leaf, 'shape') for leaf in tree.flatten(inputs)) else inputs

    def _build_for(self, shapes):
        self.ensure_built(shapes[0] if len(shapes) == 1 else shapes)

    def delivered(self, array):
        """A result of `host` for a direct call as a tensor; strings as they are where the engine has no tensors of
        them."""
        engine = get_engine()
        if self._is_beyond(engine):
            return array
        return self._in_rows(engine, engine.convert(array, self.direct_dtype))

    def _in_rows(self, engine, tensor):
        return engine.sparse_from(tensor) if self.sparse else engine.ragged_from(tensor) if self.ragged else tensor

    def _is_beyond(self, engine):
        """Whether the outputs are strings, which the engine has no tensors of."""
        return self.output_dtype == 'string' and 'string' in engine.capabilities.unsupported

    def _on(self, engine, parts, *args, dtype=None, **kwargs):
        """The outputs for tensors of an engine, by NumPy."""
        dtype = dtype or self.output_dtype
        shapes = [engine.shape_of(part) for part in parts]
        self._build_for(shapes)
        shape = self.compute_output_shape(shapes[0] if len(shapes) == 1 else shapes)
        if any(isinstance(part, AbstractTensor) for part in parts):
            return self._in_rows(engine, map_shapes(lambda shape: AbstractTensor(shape, dtype), shape))
        found = engine.on_host(lambda *arrays: self.host(*arrays, *args, **kwargs), parts, dtype, shape)
        return self._in_rows(engine, found)

    def call(self, inputs):
        return self._on(get_engine(), self.parts(inputs))

    def plan_function(self, node, training):
        function = super().plan_function(node, training)
        # Within a model rows are filled up, with a mask.
        return (lambda *args, **kwargs: get_engine().rows_filled(function(*args, **kwargs))[0]) if self.ragged \
            else function

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs, *args, **kwargs):
        """What comes out for symbolic `inputs`."""
        shapes = [tuple(part.shape) for part in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]
        shape = self.compute_output_shape(shapes if isinstance(inputs, (list, tuple)) else shapes[0])
        return AbstractTensor(shape, self.output_dtype)


def batches_of(data, steps=None):
    """Yield the batches of data that `adapt` is given, inputs only, as NumPy arrays.

    Args:
        data: an array, tensor or list of numbers or strings, which is one batch; or a list, generator, data set or
            `PyDataset` of batches: arrays, or tuples that begin with one. steps: how many batches to take; default all.

    Raises:
        ValueError: if there is none. TypeError: for a batch that is no array.
    """
    if hasattr(data, 'dtype') or isinstance(data, (str, bytes, int, float)) or _is_one_array(data):
        batches = [data if hasattr(data, 'dtype') else np.asarray(data)]
    elif hasattr(data, '__getitem__') and hasattr(data, '__len__'):
        batches = (data[index] for index in range(len(data)))
    elif hasattr(data, '__iter__'):
        batches = data
    else:
        raise TypeError('adapt: expected an array, or something that yields batches. Received: %r' % (data,))
    count = 0
    for count, batch in enumerate(itertools.islice(batches, steps), 1):
        if isinstance(batch, (tuple, list)) and batch:
            batch = np.asarray(batch) if _is_one_array(batch) else batch[0]
        if not hasattr(batch, 'shape'):
            raise TypeError('adapt: each batch must be an array or tensor, with a `.shape`. Received: %r' % (batch,))
        yield host_array(batch)
    if not count:
        raise ValueError('adapt: there is no data: an empty iterable.')


def _is_one_array(data):
    """Whether nested lists hold numbers or strings, and not arrays."""
    return isinstance(data, (list, tuple)) and bool(data) and not any(hasattr(leaf, 'shape') and np.ndim(leaf) for leaf
                                                                      in tree.flatten(data))


def host_array(x):
    """A NumPy array of an array, list or tensor, also of one that belongs to another library than the engine's."""
    if not hasattr(x, 'shape'):
        return np.asarray(x)
    return np.asarray(x.numpy()) if hasattr(x, 'numpy') and not is_native(x) else to_array(x)


def texts(array):
    """An array of strings, bytes or other objects as one of `str`."""
    array = np.asarray(array)
    if array.dtype.kind == 'U':
        return array
    return np.array(list_of_texts(array), dtype=str).reshape(array.shape)


def list_of_texts(array):
    """The entries of an array of strings, bytes or other objects as a list of `str`."""
    values = array.ravel().tolist()
    if array.dtype.kind == 'f':
        return ['%f' % value for value in values]
    if array.dtype.kind == 'U' or set(map(type, values)) == {str}:
        return values
    return [value if type(value) is str else value.decode('utf-8', 'replace') if isinstance(value, bytes)
            else str(value) for value in values]


def by_unique(function, array):
    """`function`, from a list of different values to a list of integers, applied to the entries of an array, or list.
    """
    if isinstance(array, list) or array.dtype.kind in 'OU':  # to hash strings takes less time than to sort them
        values = array if isinstance(array, list) else array.ravel().tolist()
        known = list(dict.fromkeys(values))
        places = dict(zip(known, function(known)))
        found = np.fromiter(map(places.__getitem__, values), 'int64', len(values))
        return found if isinstance(array, list) else found.reshape(array.shape)
    values, places = np.unique(array, return_inverse=True)
    return np.array(function(values.tolist()), dtype='int64')[places.reshape(array.shape)] if array.size else \
        np.zeros(array.shape, 'int64')
