"""Operations and functions of one's own in graphs, as Keras 3 has them: `Operation` and `Function`."""
import abc
import inspect
import re

from keras.backend.contract import tree
from keras.backend.contract.ledger import AbstractLedger
from keras.backend.contract.loading import get_engine, is_native
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Node
from keras.backend.graph.plans import Plan
from keras.backend.graph.tensors import any_symbolic, KerasTensor
from keras.backend.state.remat import Rematerialized, scoped, take_scope
from keras.backend.state.scopes import checked_name
from keras.backend.state.uids import numbered_name

_PLAIN = (str, int, float, bool, type(None))


class Operation(Rematerialized, metaclass=abc.ABCMeta):
    """A computation that can be a part of a graph. All layers are operations.

    A subclass defines `call`, and `compute_output_spec` where running `call` without values does not say what comes
    out.

    Args:
        name: default the class's with a number.

    Raises:
        ValueError: for a name that is no string, or has a `/` in it.

    Example:
        >>> class Double(keras.Operation):
        ...     def call(self, x):
        ...         return 2 * x
        >>> Double()(keras.KerasTensor((None, 3))).shape
        (None, 3)
        >>> Double()(np.array([1.0, 2.0]))
        array([2., 4.])
    """

    def __new__(cls, *args, **kwargs):
        instance = super().__new__(cls)
        instance.given_arguments = args, kwargs
        take_scope(instance)
        return instance

    def __init__(self, name=None):
        if name is None:
            name = numbered_name(re.sub('([a-z0-9])([A-Z])', r'\1_\2', type(self).__name__).lower(), True)
        self.name = checked_name(name, type(self).__name__)
        self._inbound_nodes = []

    def call(self, *args, **kwargs):
        """The computation, of tensors."""
        raise NotImplementedError('%s has no `call` method.' % type(self).__name__)

    def quantized_call(self, *args, **kwargs):
        """The computation where `quantization_mode` is set."""
        raise NotImplementedError('%s has no `quantized_call` method.' % type(self).__name__)

    def compute_output_spec(self, *args, **kwargs):
        """The structure of `KerasTensor`s that `call` gives for symbolic arguments."""
        def abstract(leaf):
            return AbstractTensor(leaf.shape, leaf.dtype) if isinstance(leaf, AbstractTensor) else leaf
        with AbstractLedger():
            found = self.call(*tree.map_structure(abstract, args), **tree.map_structure(abstract, kwargs))
        return tree.map_structure(lambda leaf: KerasTensor(leaf.shape, leaf.dtype)
                                  if isinstance(leaf, AbstractTensor) else leaf, found)

    def symbolic_call(self, *args, **kwargs):
        """Record the call in the graph; returns its symbolic outputs."""
        def plain(leaf):
            return AbstractTensor(leaf.shape, leaf.dtype) if isinstance(leaf, AbstractTensor) else leaf
        outputs = tree.map_structure(plain, self.compute_output_spec(*args, **kwargs))
        node = Node(self, args, kwargs, outputs)
        self._inbound_nodes.append(node)
        return node.output_structure

    def __call__(self, *args, **kwargs):
        if any_symbolic([list(args), kwargs]):
            return self.symbolic_call(*args, **kwargs)
        return self._run(*args, **kwargs)

    def _run(self, *args, **kwargs):
        if getattr(self, 'quantization_mode', None) is None:
            return self.call(*args, **kwargs)
        return scoped(self, self.quantized_call)(*args, **kwargs)

    def plan_function(self, node, training):
        """What a `Plan` runs for a node of this operation."""
        return self._run

    # --- description -------------------------------------------------------------------------------------------

    @property
    def input(self):
        """The symbolic inputs of the first call: a tensor, or a list of them."""
        inputs = self._first_node('input').inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output(self):
        """The symbolic outputs of the first call: a tensor, or a list of them."""
        outputs = self._first_node('output').outputs
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def _first_node(self, what):
        if not self._inbound_nodes:
            raise AttributeError('%s has no %s yet: it has not been called on a symbolic tensor.' % (self.name, what))
        return self._inbound_nodes[0]

    def get_config(self):
        """The constructor's arguments.

        Raises:
            NotImplementedError: where they are not plain values and the class has no `get_config` of its own.
        """
        if type(self).get_config is not Operation.get_config:
            return {'name': self.name}
        args, kwargs = self.given_arguments
        signature = inspect.signature(type(self).__init__)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        config = {}
        for name, value in list(bound.arguments.items())[1:]:
            kind = signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL or not _is_plain(value):
                raise NotImplementedError('%s.get_config: the argument %r of the constructor is no plain value: %r. '
                                          'Define get_config() in the class.' % (type(self).__name__, name, value))
            config.update(value if kind is inspect.Parameter.VAR_KEYWORD else {name: value})
        takes_name = 'name' in signature.parameters or any(
            parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in signature.parameters.values())
        return dict(config, name=self.name) if takes_name else config

    @classmethod
    def from_config(cls, config):
        """An operation from what `get_config` gave."""
        return cls(**config)

    def __repr__(self):
        return '<Operation name=%s>' % self.name


def _is_plain(value):
    return all(isinstance(leaf, _PLAIN) for leaf in tree.flatten(value))


class Function(Operation):
    """The computation that leads from symbolic inputs to symbolic outputs, without weights of its own.

    Args:
        inputs: a symbolic tensor, or a nested structure of them. outputs: likewise. name: default 'function' and a
            number.

    Raises:
        ValueError: if an output depends on a placeholder that is not among the inputs.

    Example:
        >>> x = keras.KerasTensor((None, 2))
        >>> keras.Function(x, x * 3)(np.ones((1, 2), 'float32'))
        array([[3., 3.]], dtype=float32)
    """

    def __init__(self, inputs, outputs, name=None):
        super().__init__(name=name)
        self._inputs_structure, self._outputs_structure = inputs, outputs
        self.inputs, self.outputs = tree.flatten(inputs), tree.flatten(outputs)
        if not self.inputs:
            raise ValueError('Function %s: `inputs` argument cannot be empty. Received: inputs=%r'
                             % (self.name, inputs))
        if not self.outputs:
            raise ValueError('Function %s: `outputs` argument cannot be empty. Received: outputs=%r'
                             % (self.name, outputs))
        self._plan = Plan(self.inputs, self.outputs, lambda node: node.function(False))

    @property
    def operations(self):
        """What the graph calls, each once, in running order."""
        return list(dict.fromkeys(node.operation for node in self._plan.nodes))

    input = property(lambda self: self._inputs_structure)
    output = property(lambda self: self._outputs_structure)

    def call(self, inputs):
        """The outputs for `inputs`, both in the structures that the function was made with."""
        values = self._checked(inputs)
        values = [value if isinstance(value, AbstractTensor) or is_native(value) else
                  get_engine().convert(value, tensor.dtype) for value, tensor in zip(values, self.inputs)]
        return self._packed(self._plan(values))

    def compute_output_spec(self, inputs):
        values = [AbstractTensor(value.shape, value.dtype) for value in self._checked(inputs)]
        with AbstractLedger():
            found = self._plan(values)
        return self._packed([KerasTensor(leaf.shape, leaf.dtype) for leaf in found])

    def compute_output_shape(self, input_shape):
        """The shapes of the outputs for those of the inputs, in their structures."""
        shapes = [input_shape] if len(self.inputs) == 1 and not tree.is_nested(self._inputs_structure) else \
            _shapes_in(input_shape)
        tensors = [KerasTensor(shape, tensor.dtype) for shape, tensor in zip(shapes, self.inputs)]
        specs = self.compute_output_spec(tree.pack_as(self._inputs_structure, tensors)
                                         if tree.is_nested(self._inputs_structure) else tensors[0])
        return tree.map_structure(lambda leaf: leaf.shape, specs)

    def get_config(self):
        raise NotImplementedError('%s is a part of a graph and has no config of its own; a keras.Model of the same '
                                  'inputs and outputs has one.' % self.name)

    def _packed(self, leaves):
        return tree.pack_as(self._outputs_structure, leaves) if tree.is_nested(self._outputs_structure) else leaves[0]

    def _checked(self, inputs):
        """The leaves of `inputs`, whose structure and shapes fit."""
        leaves = tree.flatten(inputs)
        marks = [tree.map_structure(lambda leaf: 0, each) for each in (inputs, self._inputs_structure)]
        if marks[0] != marks[1]:
            raise ValueError('Function %s was called with an invalid input structure. Expected: %r. Received: %r.'
                             % (self.name, self._inputs_structure, inputs))
        for leaf, tensor in zip(leaves, self.inputs):
            shape = getattr(leaf, 'shape', ())
            if len(shape) != len(tensor.shape) or any(
                    None not in (size, expected) and size != expected for size, expected in zip(shape, tensor.shape)):
                raise ValueError('Function %s was called with incompatible inputs: expected shape %s, received %s.'
                                 % (self.name, tensor.shape, tuple(shape)))
        return leaves


def _shapes_in(structure):
    """The shapes in a nested structure of them."""
    if isinstance(structure, dict):
        return [shape for key in sorted(structure) for shape in _shapes_in(structure[key])]
    if all(size is None or isinstance(size, int) for size in structure):
        return [tuple(structure)]
    return [shape for part in structure for shape in _shapes_in(part)]
