"""`Input` and `InputLayer`: where a graph begins."""
from keras import config
from keras.backend.rules import AbstractTensor
from keras.backend.symbolic import Node
from keras.layers.base import Layer, get_uid


class InputLayer(Layer):
    """The layer behind `Input`: a placeholder for one array of data.

    Args:
        input_shape: shape without the batch size. batch_size: None for any.
        batch_input_shape (batch_shape): shape with the batch size. dtype: default `floatx`.
    """
    is_input = True

    def __init__(self, input_shape=None, batch_size=None, batch_input_shape=None, dtype=None, input_tensor=None,
                 sparse=False, name=None, batch_shape=None, shape=None, ragged=False, optional=False, **kwargs):
        super().__init__(name=name or self._default_name_for_inputs(), dtype=None, **kwargs)
        batch_input_shape = batch_input_shape if batch_input_shape is not None else batch_shape
        if batch_input_shape is None:
            input_shape = shape if input_shape is None else input_shape
            if input_shape is None:
                raise ValueError('InputLayer: a shape is needed: `input_shape` without the batch size, or '
                                 '`batch_input_shape` with it.')
            batch_input_shape = (batch_size,) + _checked(input_shape, 'shape')
        self.batch_input_shape = _checked(batch_input_shape, 'batch_shape')
        self.sparse = sparse
        self._dtype = str(dtype or config.floatx())
        self.built = True
        node = Node(self, [], {}, AbstractTensor(self.batch_input_shape, self._dtype))
        node.outputs[0].name = self.name
        node.outputs[0].sparse = sparse
        self._inbound_nodes.append(node)

    def _default_name_for_inputs(self):
        return 'input_%d' % get_uid('input')

    def call(self, inputs):
        return inputs

    def get_config(self):
        return {'batch_input_shape': self.batch_input_shape, 'dtype': self._dtype, 'sparse': self.sparse,
                'name': self.name}


def _checked(shape, what):
    if isinstance(shape, int):
        raise ValueError('%s must be a tuple. Received: %r. The usual cause: (%d) instead of (%d,).'
                         % (what, shape, shape, shape))
    return tuple(None if size is None else int(size) for size in shape)


def Input(shape=None, batch_shape=None, name=None, dtype=None, sparse=False, tensor=None, batch_size=None,
          ragged=False):
    """A symbolic tensor where a model begins.

    Args:
        shape: tuple without the batch size; None for sizes that vary.
        batch_shape: tuple with the batch size. name: name of the input. dtype: default `floatx`.
        tensor: a symbolic tensor to use as it is.

    Returns:
        A `KerasTensor`.

    Raises:
        ValueError: if neither shape is given.

    Example:
        >>> x = keras.Input(shape=(32,))
        >>> x.shape
        (None, 32)
    """
    if tensor is not None:
        return tensor
    if shape is None and batch_shape is None:
        raise ValueError('Input: please give `shape` (without the batch size) or `batch_shape` (with it).')
    layer = InputLayer(input_shape=shape, batch_input_shape=batch_shape, batch_size=batch_size, name=name,
                       dtype=dtype, sparse=sparse)
    return layer._inbound_nodes[0].outputs[0]
