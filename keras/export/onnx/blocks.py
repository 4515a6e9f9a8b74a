"""Graphs of ONNX while they are written: values, and blocks of nodes."""
import numpy as np

from keras.backend.contract.rules import numpy_dtype, result_dtype

# Constants of this many bytes are not held between the reading of a weight and the writing of the file.
LARGE = 1 << 16


class Value:
    """A value of an ONNX graph.

    name: its name there; None for a constant that nothing uses yet. dtype, shape: as the op table has them. wanted: the
    name that a constant is to have. load: for constants, a function that gives the array.
    """
    __slots__ = ('name', 'dtype', 'shape', 'load', 'wanted')

    def __init__(self, name, dtype, shape, load=None, wanted='constant'):
        self.name, self.dtype, self.shape, self.load, self.wanted = name, dtype, tuple(shape), load, wanted

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def is_constant(self):
        return self.load is not None

    @property
    def array(self):
        """What a constant holds, made anew where it is large; None for others."""
        return None if self.load is None else self.load()

    @property
    def nbytes(self):
        """How many bytes a constant has."""
        return int(np.prod(self.shape, dtype='int64')) * np.dtype(numpy_dtype(self.dtype)).itemsize

    def __repr__(self):
        return '<%s %s %s>' % (self.name, self.dtype, self.shape)


class Names:
    """Names that differ throughout a model, and the constants that are stored once, by what they hold."""

    def __init__(self):
        self._taken, self._counts = set(), {}
        self.constants = {}

    def new(self, wanted):
        name = wanted
        while name in self._taken:
            self._counts[wanted] = self._counts.get(wanted, 0) + 1
            name = '%s_%d' % (wanted, self._counts[wanted])
        self._taken.add(name)
        return name


class Block:
    """An ONNX graph that grows: the whole model, or the body of a loop or branch inside it.

    Args:
        outer: the block around it, whose values it may use.
    """

    def __init__(self, outer=None):
        self.outer = outer
        self.names = Names() if outer is None else outer.names
        self.nodes, self.initializers, self._vectors = [], [], {}

    @property
    def outermost(self):
        return self if self.outer is None else self.outer.outermost

    def inner(self):
        return Block(self)

    # --- nodes

    def add(self, kind, *inputs, shape=None, dtype=None, **attributes):
        """The value of a node with one output; its shape and dtype are those of the first input unless given."""
        return self.add_many(kind, inputs, [(inputs[0].shape if shape is None else shape,
                                             inputs[0].dtype if dtype is None else dtype)], **attributes)[0]

    def add_many(self, kind, inputs, outputs, **attributes):
        """The values of a node; `outputs` are (shape, dtype) each, None for one that is not wanted."""
        from onnx import helper
        values = [None if output is None else Value(self.names.new(kind.lower()), output[1], output[0])
                  for output in outputs]
        attributes = {name: value for name, value in attributes.items() if value is not None}
        self.nodes.append(helper.make_node(kind, [self._used(value) for value in inputs],
                                           ['' if value is None else value.name for value in values],
                                           name=self.names.new(kind), **attributes))
        return values

    def argument(self, shape, dtype, name='argument'):
        """A value that the block is given."""
        return Value(self.names.new(name), dtype, shape)

    @staticmethod
    def named(shape, dtype, name):
        """A value of the model that is given to it under this name."""
        return Value(name, dtype, shape)

    def with_default(self, array, dtype, name):
        """A value that the model may be given, and is `array` otherwise."""
        value = self.constant(array, dtype, name.partition(':')[0])
        self._used(value)
        return Value(value.name, dtype, value.shape)

    def renamed(self, value, name):
        """The same value under a name of its own."""
        from onnx import helper
        self.nodes.append(helper.make_node('Identity', [self._used(value)], [name], name=self.names.new('Identity')))
        return Value(name, value.dtype, value.shape)

    def graph(self, name, arguments, results):
        """The block as a graph of ONNX that takes and gives these values."""
        from onnx import helper
        described = [[helper.make_tensor_value_info(value.name, onnx_type(value.dtype), list(value.shape))
                      for value in values] for values in (arguments, results)]
        return helper.make_graph(self.nodes, name, *described)

    def _used(self, value):
        if value is None:
            return ''
        if value.name is None:  # constants are kept among the initializers of the whole model
            value.name = self.names.new(value.wanted)
            self.outermost.initializers.append(value)
        return value.name

    # --- constants

    def constant(self, array, dtype=None, wanted='constant'):
        """A constant; the dtype follows from an array, or from Python's numbers, unless it is given."""
        if dtype is None:
            dtype = result_dtype(type(array)) if type(array) in (int, float, bool) else np.asarray(array).dtype.name
            dtype = 'float32' if dtype == 'float64' and not isinstance(array, np.ndarray) else dtype
        array = np.asarray(array, dtype=numpy_dtype(dtype))
        if array.size > 64 or wanted != 'constant':
            return Value(None, dtype, array.shape, lambda: array, wanted)
        key = (dtype, array.shape, array.tobytes())
        if key not in self.names.constants:
            self.names.constants[key] = Value(None, dtype, array.shape, lambda: array)
        return self.names.constants[key]

    @staticmethod
    def deferred(load, dtype, shape, wanted='constant'):
        """A constant whose array `load` makes when it is written, so that large ones are not held meanwhile."""
        return Value(None, dtype, shape, lambda: np.asarray(load(), dtype=numpy_dtype(dtype)), wanted)

    def derived(self, value, function, shape, dtype=None):
        """The constant that `function` makes of the array of another one, when it is written."""
        load, dtype = value.load, dtype or value.dtype
        if value.nbytes < LARGE:
            return self.constant(function(load()), dtype, value.wanted)
        return self.deferred(lambda: function(load()), dtype, shape, value.wanted)

    def ints(self, *numbers):
        """A vector of int64, as ONNX wants axes and sizes."""
        return self.constant(np.array(numbers, 'int64'))

    def sizes(self, sizes):
        """A vector of int64 from ints and scalars of the graph."""
        if all(isinstance(size, (int, np.integer)) for size in sizes):
            return self.ints(*sizes)
        parts = [self.ints(size) if isinstance(size, (int, np.integer)) else self.as_vector(size) for size in sizes]
        return parts[0] if len(parts) == 1 else self.add('Concat', *parts, shape=(len(parts),), axis=0)

    def as_vector(self, size):
        """A scalar, or an int, as a vector of one int64."""
        if isinstance(size, (int, np.integer)):
            return self.ints(size)
        if size.name not in self._vectors:
            self._vectors[size.name] = self.add('Reshape', self.cast(size, 'int64'), self.ints(1), shape=(1,))
        return self._vectors[size.name]

    # --- what every converter needs

    def cast(self, value, dtype):
        if value.dtype == dtype:
            return value
        if value.is_constant and dtype != 'bfloat16':
            return self.derived(value, lambda array: array.astype(numpy_dtype(dtype)), value.shape, dtype)
        return self.add('Cast', value, dtype=dtype, to=onnx_type(dtype))

    def transpose(self, value, axes):
        axes = [axis % value.ndim for axis in axes]
        if axes == list(range(value.ndim)):
            return value
        shape = [value.shape[axis] for axis in axes]
        if value.is_constant:
            return self.derived(value, lambda array: array.transpose(axes), shape)
        return self.add('Transpose', value, shape=shape, perm=axes)

    def reshape(self, value, sizes, shape=None):
        """`value` reshaped to ints and scalars; `shape` is what is known of the result."""
        if value.is_constant and all(isinstance(size, int) for size in sizes):
            return self._reshaped(value, sizes)
        known = [size if isinstance(size, int) and size >= 0 else None for size in sizes]
        keep_zeros = 1 if 0 in known and -1 not in sizes else None
        return self.add('Reshape', value, self.sizes(sizes), shape=known if shape is None else shape,
                        allowzero=keep_zeros)

    def _reshaped(self, value, sizes):
        shape = np.broadcast_to(np.float32(0), value.shape).reshape(sizes).shape
        return self.derived(value, lambda array: array.reshape(shape), shape)

    def squeeze(self, value, *axes):
        axes = [axis % value.ndim for axis in axes]
        shape = [size for axis, size in enumerate(value.shape) if axis not in axes]
        return self.add('Squeeze', value, self.ints(*axes), shape=shape)

    def unsqueeze(self, value, *axes):
        shape = list(value.shape)
        for axis in sorted(axes):
            shape.insert(axis, 1)
        if value.is_constant:
            return self._reshaped(value, shape)
        return self.add('Unsqueeze', value, self.ints(*axes), shape=shape)

    def shape_of(self, value):
        """The sizes of a value as a vector of int64."""
        if None not in value.shape:
            return self.ints(*value.shape)
        return self.add('Shape', value, shape=(value.ndim,), dtype='int64')

    def in_dtype(self, value, dtype, function):
        """`function(value cast to dtype)`, cast back: for what ONNX does not do in the dtype of `value`."""
        return self.cast(function(self.cast(value, dtype)), value.dtype)


def onnx_type(dtype):
    from onnx import TensorProto
    return getattr(TensorProto, {'float32': 'FLOAT', 'float64': 'DOUBLE'}.get(dtype, dtype.upper()))
