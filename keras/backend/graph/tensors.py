"""Symbolic tensors: a shape, a dtype and the node that made it. Nothing here touches an engine."""
import warnings

from keras.backend.contract import tree
from keras.backend.contract.rules import AbstractTensor
from keras.legacy.class_paths import known_as


class Graph:
    """What scripts for TensorFlow 1 find as `tensor.graph` and `session.graph`: there is one, always in use."""

    def as_default(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


all_there_is = Graph()
# What a symbolic tensor is made with: set later, the graph would say one thing and do another.
_FIXED = frozenset(['shape', 'dtype', 'sparse', 'ragged'])


class Reference:
    """Stands for a tensor as a key of dictionaries and in sets, whatever `==` means for tensors."""

    def __init__(self, tensor):
        self._tensor = tensor

    def deref(self):
        """The tensor."""
        return self._tensor

    def __eq__(self, other):
        return isinstance(other, Reference) and other.deref() is self._tensor

    def __hash__(self):
        return id(self._tensor)


class KerasTensor(AbstractTensor, known_as('keras.src.backend.common.keras_tensor.KerasTensor')):
    """A symbolic tensor.

    Args:
        shape: tuple with None for unknown sizes, the batch size included.
        dtype: name of the dtype.
        name: for messages and summaries.
        node, index: the node that made it and its position among the node's outputs; a tensor without a
            node is a placeholder.

    `mask` is the boolean KerasTensor that goes with it, or None. `known_gradients` is {variable: its gradient} for what
    stands for a loss whose gradients are found elsewhere. `mean_of` is (metric, values) for what a metric made of the
    mean of the tensor `values`.
    """
    known_gradients = mean_of = None

    def __setitem__(self, key, value):
        raise TypeError('A symbolic tensor cannot be written into: %r. Use `keras.ops.slice_update(x, start, values)` '
                        'or `keras.ops.scatter_update(x, indices, values)`, which give a new tensor.' % (self,))

    def __init__(self, shape, dtype='float32', sparse=False, ragged=False, record_history=True, name=None,
                 node=None, index=0):
        if isinstance(shape, int):
            raise ValueError('Cannot convert %r to a shape, which is a tuple of sizes, each an int or None.' % (shape,))
        super().__init__(shape, dtype)
        if not record_history:
            warnings.warn('KerasTensor: record_history=False has no effect: what is computed from a symbolic tensor is '
                          'always a part of the graph.', stacklevel=2)
        if sparse and ragged:
            raise ValueError('KerasTensor cannot have `sparse=True` and `ragged=True` at the same time.')
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self.name = name or 'keras_tensor'
        self.node = node
        self.index = index
        self.mask = None

    def __setattr__(self, name, value):
        if name in _FIXED and name in self.__dict__:
            raise AttributeError('The `%s` attribute of KerasTensor is immutable. One should create a new instance of '
                                 'KerasTensor for this.' % name)
        super().__setattr__(name, value)

    def mark(self, sparse=False, ragged=False):
        """Say of a tensor that was just made what its values will be like."""
        self.__dict__.update(sparse=bool(sparse), ragged=bool(ragged))

    def ref(self):
        """What stands for the tensor as a key of a dictionary; its `deref()` gives the tensor."""
        return Reference(self)

    experimental_ref = ref

    @property
    def _keras_history(self):
        """(layer, node index, tensor index), as Keras 2 scripts read it."""
        if self.node is None:
            return (None, 0, self.index)
        return (self.node.operation, self.node.number, self.index)

    @property
    def _uses_learning_phase(self):
        return uses_learning_phase(self)

    @property
    def _keras_shape(self):
        return self.shape

    @property
    def graph(self):
        return all_there_is

    def __hash__(self):
        return id(self)

    def __repr__(self):
        return '<KerasTensor shape=%s, dtype=%s, sparse=%s, ragged=%s, name=%s>' % (
            self.shape, self.dtype, self.sparse, self.ragged, self.name)


def uses_learning_phase(tensor):
    """Whether a symbolic tensor is another one in training than in prediction, as Keras 2 scripts ask."""
    stack, seen = [tensor], set()
    while stack:
        node = stack.pop().node
        if node is None or node in seen:
            continue
        if node.phase is None and node.kwargs.get('training') is None \
                and getattr(node.operation, 'uses_learning_phase', False):
            return True
        seen.add(node)
        stack.extend(node.inputs)
    return False


def is_symbolic(x):
    return isinstance(x, KerasTensor)


def any_symbolic(structure):
    return any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(structure))


def is_placeholder(tensor):
    """Whether a symbolic tensor waits for data: it was made by no operation, or by `Input`."""
    node = tensor.node
    return node is None or not node.inputs and getattr(node.operation, 'is_placeholder', False)
