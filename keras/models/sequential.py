"""`Sequential`: a stack of layers."""
from keras.backend import tree
from keras.backend.rules import AbstractTensor, is_float
from keras.backend.symbolic import KerasTensor
from keras.layers.base import Layer, shapes_of
from keras.layers.input_layer import Input, InputLayer
from keras.models.model import Model


class Sequential(Model):
    """A linear stack of layers.

    Args:
        layers: list of layers. name: default 'sequential_1', ...

    With the shape of the input known (an `Input`, or `input_shape` given to the first layer), the weights
    are made as layers are added; otherwise when the model first sees data.

    Example:
        >>> model = keras.Sequential([keras.layers.Dense(4, input_shape=(3,)), keras.layers.Dense(2)])
        >>> model.output_shape
        (None, 2)
    """

    def __init__(self, layers=None, trainable=True, name=None):
        super().__init__(trainable=trainable, name=name)
        self._stack = []
        self._chain = []
        for layer in layers or ():
            self.add(layer)

    def _graph_layers(self):
        return [layer for layer in self._stack if not layer.is_input]

    @property
    def layers(self):
        """The layers of the stack, without the input."""
        return self._graph_layers()

    @property
    def _layers(self):
        return self._graph_layers()

    def add(self, layer):
        """Put `layer` on top of the stack.

        Raises:
            TypeError: if it is not a layer. ValueError: if a layer of its name is there, or it has several outputs.
        """
        if isinstance(layer, KerasTensor) and layer.node is not None:
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            raise TypeError('Sequential.add: expected a layer. Received: %r.%s'
                            % (layer, ' The usual cause: a class given without parentheses.'
                               if isinstance(layer, type) else ''))
        if any(layer.name == other.name for other in self._stack):
            raise ValueError('Sequential: a layer named %r is already in model %s; give this one another name.'
                             % (layer.name, self.name))
        self._stack.append(layer)
        self._forget_steps()
        if self._chain:
            try:
                self._extend(layer)
            except Exception:
                self._stack.pop()
                raise
        else:
            self._start(layer)

    def _start(self, layer):
        """Begin the graph if the first layer says what its input is."""
        if len(self._stack) != 1:
            return
        if layer.is_input:
            self._chain = [layer._inbound_nodes[0].outputs[0]]
            return
        shape, dtype = _own_input(layer)
        if shape is not None:
            self._chain = [Input(batch_shape=shape, dtype=dtype, name=layer.name + '_input')]
            self._extend(layer)

    def _extend(self, layer):
        output = layer(self._chain[-1])
        if len(tree.flatten(output)) != 1:
            raise ValueError('Sequential: layer %s has %d outputs; a stack passes on one. Use Model(inputs, outputs).'
                             % (layer.name, len(tree.flatten(output))))
        self._chain.append(tree.flatten(output)[0])
        self._set_graph(self._chain[0], self._chain[-1])

    def pop(self):
        """Remove the top layer.

        Raises:
            TypeError: if the stack is empty.
        """
        if not self._stack:
            raise TypeError('There are no layers in the model.')
        self._stack.pop()
        self._forget_steps()
        if self._chain:
            self._chain.pop()
        self._graph, self.built = None, False
        if len(self._chain) > 1:
            self._set_graph(self._chain[0], self._chain[-1])
        elif self._stack:
            self._chain = self._chain[:1]
        else:
            self._chain = []

    def build(self, input_shape=None):
        """Make the weights for inputs of `input_shape` (batch size included)."""
        if self._graph is None and input_shape is not None:
            self._build_for(tuple(input_shape), None)
        self.built = True

    def _build_for(self, shape, dtype):
        if not self._stack:
            raise ValueError('Sequential model %s has no layers; add some before building or calling it.' % self.name)
        batch = (None,) + tuple(shape[1:])
        self._chain = [Input(batch_shape=batch, dtype=dtype, name=self._stack[0].name + '_input')]
        for layer in self._stack:
            self._extend(layer)

    def _ensure_built_for(self, signature, args, kwargs):
        if self._graph is None:
            shape = shapes_of(args[0])
            if isinstance(shape, (list, tuple)) and shape and isinstance(shape[0], (list, tuple)):
                shape = shape[0]
            leaf = tree.flatten(args[0])[0]
            dtype = leaf.dtype if isinstance(leaf, AbstractTensor) and not is_float(leaf.dtype) else None
            self._build_for(shape, dtype)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None
        self.built = True

    def compute_output_shape(self, input_shape):
        """The shape of the output for inputs of `input_shape`."""
        shape = input_shape
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def get_config(self):
        """The layers as plain values."""
        from keras.saving.serialization import serialize_keras_object
        layers = [serialize_keras_object(layer) for layer in self._stack]
        config = {'name': self.name, 'layers': layers}
        if self._chain and not hasattr(self._stack[0], 'batch_input_shape'):
            config['build_input_shape'] = self._chain[0].shape
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A model with fresh weights from what `get_config` gave."""
        from keras import layers as layer_module
        if isinstance(config, list):  # Keras 1 and early 2 had the list alone
            config = {'layers': config}
        model = cls(name=config.get('name'))
        for entry in config['layers']:
            model.add(layer_module.deserialize(entry, custom_objects=custom_objects))
        shape = config.get('build_input_shape')
        if shape is not None and model._graph is None:
            model._build_for(tuple(shape), None)
        return model

    def _clone_layers(self, copy_of, input_tensors):
        copies = [copy_of(layer) for layer in self._stack if not isinstance(layer, InputLayer)]
        if input_tensors is None and self._chain:
            input_tensors = Input(batch_shape=self._chain[0].shape, dtype=self._chain[0].dtype)
        model = type(self)(name=self.name)
        if input_tensors is not None:
            model.add(tree.flatten(input_tensors)[0])
        for layer in copies:
            model.add(layer)
        return model


def _own_input(layer):
    """(batch shape, dtype) of the input that a layer asks for, (None, None) where it does not say."""
    if isinstance(layer, Model) and layer._graph is not None and len(layer.inputs) == 1:
        return layer.inputs[0].shape, layer.inputs[0].dtype
    if hasattr(layer, 'batch_input_shape'):
        dtype = layer.dtype if getattr(layer, 'input_dtype', None) is None else layer.input_dtype
        return layer.batch_input_shape, dtype
    return None, None
