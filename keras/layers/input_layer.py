"""`Input` and `InputLayer`: where a graph begins."""
import warnings


from keras import config
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor, standard_dtype
from keras.backend.graph.nodes import Node, stand_aside, take_place
from keras.backend.graph.tensors import is_symbolic
from keras.backend.state.variables import Variable, to_array
from keras.backend.state.uids import numbered_name
from keras.generations import Default
from keras.layers.arguments import checked_sizes
from keras.layers.base import Layer
from keras.layers.rows import RowsThere
from keras.saving import forms


class InputLayer(Layer):
    """The layer behind `Input`: a placeholder for one array of data.

    Args:
        input_shape: shape without the batch size. batch_size: None for any.
        batch_input_shape (batch_shape): shape with the batch size. dtype: default `floatx`.
        input_tensor: a variable, tensor or array to take the data from: nothing is fed then.
        sparse: whether SciPy's sparse matrices are fed; layers get their batches dense. Sparse tensors of the engine's
            library that the model is called on stay as they are. In Keras 3's generation True is for engines whose
            library has such tensors.
        ragged: whether rows of different lengths are fed: ragged tensors of TensorFlow on its engine, in which one axis
            is ragged, the one behind the batch. Layers of Keras get them filled up, with a mask, code of yours
            gets the ragged tensors themselves, and outputs that follow the rows are ragged; on other engines it has no
            effect, with a warning.
    """
    is_input = True

    def __init__(self, input_shape=None, batch_size=None, batch_input_shape=None, dtype=None, input_tensor=None,
                 sparse=Default('Input.sparse'), name=None, batch_shape=None, shape=None,
                 ragged=Default('Input.ragged'), optional=False, **kwargs):
        super().__init__(name=name or self._default_name_for_inputs(), dtype=None, **kwargs)
        batch_shape = batch_shape if batch_input_shape is None else batch_input_shape
        shape = shape if input_shape is None else input_shape
        self._source = None
        if input_shape is not None and self.ruled('shape_is_for_placeholders'):
            warnings.warn('Argument `input_shape` is deprecated. Use `shape` instead.', stacklevel=2)
        if input_tensor is None:
            batch_shape = _with_batch(self.name, shape, batch_shape, batch_size)
        elif not is_symbolic(input_tensor) and self.ruled('shape_is_for_placeholders'):
            raise ValueError('Input %r: Argument `input_tensor` must be a KerasTensor. Received: %r (of type %s)'
                             % (self.name, input_tensor, type(input_tensor).__name__))
        else:
            source = _Source(input_tensor)
            source.check(self.name, shape=shape, batch_shape=batch_shape, batch_size=batch_size, dtype=dtype,
                         sparse=sparse or None)
            batch_shape, dtype = source.shape, source.dtype
            # A symbolic tensor before which nothing comes is what is fed.
            self._source = None if _is_free(input_tensor) else source
        self.batch_input_shape = _checked(batch_shape, self.name)
        self.sparse, self.ragged, self.optional = bool(sparse), bool(ragged), bool(optional)
        if (sparse or ragged) and self.ruled('shape_is_for_placeholders'):
            self._refuse_unknown_kinds()
        if ragged and not get_engine().has_ragged:
            warnings.warn('Input %r: ragged=True has no effect, inputs are dense here. Pad rows of different lengths '
                          'with keras.utils.pad_sequences, and have the padding masked, so that the results are those '
                          'of the rows alone: Embedding(..., mask_zero=True) or a layer Masking behind the input.'
                          % self.name, stacklevel=3)
        self._dtype, self._calls_in = str(standard_dtype(dtype or config.floatx())), None
        self.built = True
        self._make_tensor()
        if _is_free(input_tensor):
            take_place(input_tensor, self.inbound_nodes[0].outputs[0])

    def _refuse_unknown_kinds(self):
        engine = get_engine()
        for name, known, instead in (
                ('sparse', engine.sparse_types(), 'Feed dense arrays.'),
                ('ragged', engine.has_ragged, 'Pad rows of different lengths with keras.utils.pad_sequences and mask '
                                              'the padding.')):
            if getattr(self, name) and not known:
                raise ValueError('Input %r: `%s=True` is not supported with the %s backend. %s'
                                 % (self.name, name, engine.name, instead))
        if self.sparse and self.ragged:
            raise ValueError('Input %r cannot have `sparse=True` and `ragged=True` at the same time.' % self.name)

    @property
    def batch_shape(self):
        """The shape with the batch size."""
        return self.batch_input_shape

    @property
    def is_placeholder(self):
        """Whether it waits for data."""
        return self._source is None

    def _make_tensor(self):
        given = [self._source.tensor] if self._source is not None and is_symbolic(self._source.tensor) else []
        node = Node(self, given, {}, AbstractTensor(self.batch_input_shape, self._dtype))
        node.outputs[0].name = self.name
        node.outputs[0].mark(self.sparse, self.ragged)
        if self.ragged and len(self.batch_input_shape) > 1 and get_engine().has_ragged:
            node.outputs[0].mask = RowsThere()(node.outputs[0])
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

    def call(self, inputs=None):
        return inputs

    def get_config(self):
        if forms.is_full(self):
            return {'batch_shape': self.batch_shape, 'dtype': self._dtype, 'sparse': self.sparse,
                    'ragged': self.ragged, 'name': self.name, 'optional': self.optional}
        return {'batch_input_shape': self.batch_input_shape, 'dtype': self._dtype, 'sparse': self.sparse,
                'name': self.name, **({'optional': True} if self.optional else {}),
                **({'ragged': True} if self.ragged else {})}


class _Source:
    """What an input takes its data from; a variable in here is no weight of the layer."""

    def __init__(self, tensor):
        if not isinstance(tensor, (AbstractTensor, Variable)):
            tensor = Variable(to_array(tensor), trainable=False)
        self.tensor = tensor
        self.shape, self.dtype = tuple(tensor.shape), tensor.dtype

    def value(self):
        return self.tensor.value

    def check(self, name, **arguments):
        """Raise for arguments of an input that say something else than the tensor."""
        mine = {'shape': self.shape[1:], 'batch_shape': self.shape, 'batch_size': (self.shape or (None,))[0],
                'dtype': self.dtype, 'sparse': getattr(self.tensor, 'sparse', False)}
        for argument, value in arguments.items():
            value = tuple(value) if isinstance(value, list) else value
            if value is not None and value != mine[argument]:
                raise ValueError('Input %r: when providing the `input_tensor` argument, you cannot provide an '
                                 'incompatible `%s` argument. Received: %s=%r, the tensor has %r.'
                                 % (name, argument, argument, value, mine[argument]))


def _with_batch(name, shape, batch_shape, batch_size):
    """The shape with the batch size, from the arguments that say it."""
    said = (None, None) if batch_shape is None else (tuple(batch_shape[1:]), tuple(batch_shape[:1]))
    for argument, value, other in (('shape', shape, said[0]), ('batch_size', batch_size, said[1])):
        value = (value,) if isinstance(value, int) else value
        if None not in (value, other) and tuple(value) != other:
            raise ValueError('Input %r: you cannot pass both `%s` and `batch_shape` (`batch_input_shape`) where they '
                             'differ; the latter has the batch size in it. Received: %s=%r, batch_shape=%r'
                             % (name, argument, argument, value, batch_shape))
    if shape is None and batch_shape is None:
        raise ValueError('Input %r: you must pass a `shape` argument. It is without the batch size; `batch_shape` '
                         'is with it.' % name)
    return (batch_size,) + _checked(shape, name) if batch_shape is None else batch_shape


def _checked(shape, name):
    if isinstance(shape, int):
        raise ValueError('Input %r: the shape must be a tuple. Received: %r. The usual cause: (%d) instead of (%d,).'
                         % (name, shape, shape, shape))
    return checked_sizes(shape, name)


def _is_free(tensor):
    return is_symbolic(tensor) and tensor.node is None


def _begun(tensor, name):
    """`tensor`, of `K`, as what an `InputLayer` gives: models begin with it, and have the layer among theirs."""
    if _is_free(tensor):
        InputLayer(input_tensor=tensor, sparse=tensor.sparse, name=name)
    else:
        layer = InputLayer(input_tensor=stand_aside(tensor), sparse=tensor.sparse, name=name)
        take_place(tensor, layer.inbound_nodes[0].outputs[0])
    return tensor


def Input(shape=None, batch_shape=None, name=None, dtype=None, sparse=Default('Input.sparse'), tensor=None,
          batch_size=None, ragged=Default('Input.ragged'), optional=False):
    """A symbolic tensor where a model begins.

    Args:
        shape: tuple without the batch size; None for sizes that vary.
        batch_shape: tuple with the batch size. name: name of the input. dtype: default `floatx`.
        tensor: where the data comes from, which is not fed then: a variable, tensor or array; a symbolic tensor is
            used as it is, a placeholder fed as ever.
        optional: whether None may be given for it: the layers that are called on it get the None.
        batch_size: None for any. sparse, ragged: see `InputLayer`.

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
        return tensor if tensor.node is not None and isinstance(tensor.node.operation, Layer) else _begun(tensor, name)
    if tensor is not None:
        return InputLayer(input_tensor=tensor, name=name).inbound_nodes[0].outputs[0]
    if shape is None and batch_shape is None:
        raise ValueError('Input: please give `shape` (without the batch size) or `batch_shape` (with it).')
    layer = InputLayer(shape=shape, batch_shape=batch_shape, batch_size=batch_size, name=name,
                       dtype=dtype, sparse=sparse, ragged=ragged, optional=optional)
    return layer.inbound_nodes[0].outputs[0]
