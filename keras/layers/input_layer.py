"""`Input` and `InputLayer`: where a graph begins."""
import warnings

from keras import config
from keras.backend.contract.rules import AbstractTensor, dtype_named
from keras.backend.graph.nodes import Node
from keras.backend.graph.tensors import is_symbolic
from keras.backend.state.variables import Variable, to_array
from keras.backend.state.uids import numbered_name
from keras.layers.arguments import checked_sizes
from keras.layers.base import Layer


class InputLayer(Layer):
    """The layer behind `Input`: a placeholder for one array of data.

    Args:
        input_shape: shape without the batch size. batch_size: None for any.
        batch_input_shape (batch_shape): shape with the batch size. dtype: default `floatx`.
        input_tensor: a variable, tensor or array to take the data from: nothing is fed then.
        sparse: whether SciPy's sparse matrices are fed; layers get them dense.
        ragged: True has no effect, with a warning.
    """
    is_input = True

    def __init__(self, input_shape=None, batch_size=None, batch_input_shape=None, dtype=None, input_tensor=None,
                 sparse=False, name=None, batch_shape=None, shape=None, ragged=False, optional=False, **kwargs):
        super().__init__(name=name or self._default_name_for_inputs(), dtype=None, **kwargs)
        batch_input_shape = batch_input_shape if batch_input_shape is not None else batch_shape
        self._source = None
        if input_tensor is not None:
            self._source = _Source(input_tensor)
            batch_input_shape, dtype = self._source.shape, self._source.dtype
        if batch_input_shape is None:
            input_shape = shape if input_shape is None else input_shape
            if input_shape is None:
                raise ValueError('InputLayer: a shape is needed: `input_shape` without the batch size, or '
                                 '`batch_input_shape` with it.')
            batch_input_shape = (batch_size,) + _checked(input_shape, self.name)
        self.batch_input_shape = _checked(batch_input_shape, self.name)
        self.sparse, self.optional = sparse, bool(optional)
        if ragged:
            warnings.warn('Input %r: ragged=True has no effect, inputs are dense here. Pad rows of different lengths '
                          'with keras.utils.pad_sequences, and have the padding masked, so that the results are those '
                          'of the rows alone: Embedding(..., mask_zero=True) or a layer Masking behind the input.'
                          % self.name, stacklevel=3)
        self._dtype, self._compute_dtype = str(dtype_named(dtype or config.floatx())), None
        self.built = True
        self._make_tensor()

    @property
    def is_placeholder(self):
        """Whether it waits for data."""
        return self._source is None

    def _make_tensor(self):
        given = [self._source.tensor] if self._source is not None and is_symbolic(self._source.tensor) else []
        node = Node(self, given, {}, AbstractTensor(self.batch_input_shape, self._dtype))
        node.outputs[0].name = self.name
        node.outputs[0].sparse = self.sparse
        self.note_call(node)

    def _default_name_for_inputs(self):
        base = self.ruled('name_of_inputs')
        return numbered_name(base, from_zero=base != 'input')

    def __setstate__(self, state):
        super().__setstate__(state)
        self._make_tensor()

    def plan_function(self, node, training):
        """What a `Plan` runs: it is asked only for what needs no feeding."""
        return self.call if node.inputs else self._source.value

    def call(self, inputs):
        return inputs

    def get_config(self):
        return {'batch_input_shape': self.batch_input_shape, 'dtype': self._dtype, 'sparse': self.sparse,
                'name': self.name, **({'optional': True} if self.optional else {})}


class _Source:
    """What an input takes its data from; a variable in here is no weight of the layer."""

    def __init__(self, tensor):
        if not isinstance(tensor, (AbstractTensor, Variable)):
            tensor = Variable(to_array(tensor), trainable=False)
        self.tensor = tensor
        self.shape, self.dtype = tuple(tensor.shape), tensor.dtype

    def value(self):
        return self.tensor.value


def _checked(shape, name):
    if isinstance(shape, int):
        raise ValueError('Input %r: the shape must be a tuple. Received: %r. The usual cause: (%d) instead of (%d,).'
                         % (name, shape, shape, shape))
    return checked_sizes(shape, name)


def Input(shape=None, batch_shape=None, name=None, dtype=None, sparse=False, tensor=None, batch_size=None,
          ragged=False, optional=False):
    """A symbolic tensor where a model begins.

    Args:
        shape: tuple without the batch size; None for sizes that vary.
        batch_shape: tuple with the batch size. name: name of the input. dtype: default `floatx`.
        tensor: where the data comes from, which is not fed then: a variable, tensor or array; a symbolic tensor is
            used as it is.
        optional: whether None may be given for it: the layers that are called on it get the None.

    Returns:
        A `KerasTensor`.

    Raises:
        ValueError: if neither shape is given.

    Example:
        >>> x = keras.Input(shape=(32,))
        >>> x.shape
        (None, 32)
    """
    if is_symbolic(tensor):
        return tensor
    if tensor is not None:
        return InputLayer(input_tensor=tensor, name=name).inbound_nodes[0].outputs[0]
    if shape is None and batch_shape is None:
        raise ValueError('Input: please give `shape` (without the batch size) or `batch_shape` (with it).')
    layer = InputLayer(input_shape=shape, batch_input_shape=batch_shape, batch_size=batch_size, name=name,
                       dtype=dtype, sparse=sparse, ragged=ragged, optional=optional)
    return layer.inbound_nodes[0].outputs[0]
