"""`Sequential`: a stack of layers."""
import contextlib
import inspect
import warnings

import numpy as np

from keras import dtype_policies, generations
from keras.backend.contract import tree
from keras.backend.contract.context import recording
from keras.backend.contract.rules import AbstractTensor, is_float
from keras.backend.graph.nodes import free_tensors
from keras.backend.graph.tensors import KerasTensor
from keras.backend.table.composites.shape import dtype_of
from keras.layers.base import Layer
from keras.layers.shapes import map_shapes, shapes_of
from keras.layers.calls import inside
from keras.layers.input_layer import Input, InputLayer
from keras.layers.rows import has_rows, stands_for_rows
from keras.models.functional import Graph
from keras.models.model import Model, of_graph
from keras.saving import forms, serialization


class NoLayer(TypeError, ValueError):
    """What is no layer, or not one of a stack, is added to it: a ValueError in Keras 3, in those before a TypeError."""


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
        self._names = {}
        for layer in layers or ():
            self.add(layer)

    def _graph_layers(self):
        return [layer for layer in self._stack if not layer.is_input]

    @property
    def layers(self):
        """The layers of the stack, without the input."""
        return self._graph_layers()

    @layers.setter
    def layers(self, _):
        raise AttributeError('`Sequential.layers` attribute is reserved and should not be used. Use `add()` and '
                             '`pop()` to change the layers of this model.')

    @property
    def _layers(self):
        return self._graph_layers()

    def add(self, layer, rebuild=True):
        """Put `layer` on top of the stack.

        Args:
            rebuild: taken for scripts of Keras 3, where False puts off making the graph: here a layer adds to it.

        Raises:
            TypeError: if it is not a layer. ValueError: if a layer of its name is there, or it has several outputs.
        """
        if isinstance(layer, KerasTensor) and layer.node is not None:
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            raise NoLayer('Sequential.add: expected a layer. Only instances of `keras.Layer` can be added. '
                          'Received: %r.%s'
                            % (layer, ' The usual cause: a class given without parentheses.'
                               if isinstance(layer, type) else ''))
        if self._has_other(layer):
            raise ValueError('Sequential: a layer named %r is already in model %s; all layers should have unique '
                             'names: give this one another one.' % (layer.name, self.name))
        if layer.is_input and self._chain:
            raise ValueError('Sequential: model %s has already been configured to use input shape %s; another input '
                             'cannot be added.' % (self.name, tree.map_structure(lambda x: x.shape, self._chain[0])))
        self._stack.append(layer)
        self._names[layer.name] = layer
        if self._chain:
            try:
                self._extend(layer)
            except Exception:
                self._stack.pop()
                del self._names[layer.name]
                raise
        else:
            self._start(layer)
            self.renew_forward()

    def _has_other(self, layer):
        """Whether a layer of that name, the layer itself included, is in the stack."""
        known = self._names.get(layer.name)
        return known is not None and known.name == layer.name

    def _start(self, layer):
        """Begin the graph if the first layer says what its input is."""
        if len(self._stack) != 1:
            return
        if layer.is_input:
            self._chain = [layer.inbound_nodes[0].outputs[0]]
            return
        if not isinstance(layer, Model) and layer.inbound_nodes:  # a `Merge` of branches with inputs of their own
            output = layer.inbound_nodes[0].outputs[0]
            self._chain = [free_tensors([output]), output]
            self._made_graph, self.built = None, True
            return
        shape, dtype = _own_input(layer)
        if shape is not None:
            self._chain = [Input(batch_shape=shape, dtype=dtype, name=layer.name + '_input')]
            self._extend(layer)

    def _extend(self, layer):
        # In Keras 3 a stack gives its name to the weights that it makes, in those before it does not.
        self.take_path()
        with inside(self) if self.ruled('stack_in_paths') else contextlib.ExitStack():
            output = layer(self._chain[-1])
        leaves = tree.flatten(output)
        if len(leaves) != 1 and not self.ruled('stacks_pass_structures'):
            raise ValueError('Sequential: layer %s has %d outputs; a stack passes on one. Use Model(inputs, outputs).'
                             % (layer.name, len(leaves)))
        self._chain.append(leaves[0] if len(leaves) == 1 else output)
        self._made_graph, self.built = None, True
        self.renew_forward()

    @property
    def _functional(self):
        """The model of the layers' graph, the input layer among them, as packages built on Keras 3 ask for it."""
        return Model(self.inputs, self.outputs, name=self.name)

    @property
    def layer_graph(self):
        """The `Graph` of the stack; None while the shape of the input is not known."""
        # Made when it is asked for: a stack that grows layer by layer needs no graph in between.
        if self._made_graph is None and len(self._chain) > 1:
            self._made_graph = Graph(self._chain[0], self._chain[-1], self.name)
        if self._made_graph is not None and self._made_graph.takes is None and self.ruled('stacks_take_other_sizes'):
            self._made_graph.takes = self._takes
        return self._made_graph

    def _takes(self, shape):
        """Whether the layers take a batch of `shape`, of which the graph does not know.

        Raises:
            ValueError: as a layer says that it does not.
        """
        if len(self._chain[0].shape) != len(shape):
            return False
        x = AbstractTensor((None,) + tuple(shape[1:]), self._chain[0].dtype)
        for layer in self._graph_layers():
            layer.assert_input_compatibility(x)
            shapes = layer.compute_output_shape(tree.map_structure(lambda part: part.shape, x))
            x = map_shapes(lambda shape, dtype=layer.compute_dtype: AbstractTensor(shape, dtype), shapes)
        return True

    def __getstate__(self):
        return dict(super().__getstate__(), _chain=[])

    def __setstate__(self, state):
        super().__setstate__(state)
        # The graph stands for the chain until here; without one the chain is at most an input.
        if self._made_graph is not None:
            outputs = {node.operation: node.output_structure if len(node.outputs) > 1 else node.outputs[0]
                       for node in self._made_graph.layer_nodes
                       if isinstance(node.operation, Layer)}
            inputs = self._made_graph.inputs
            self._chain = [inputs if len(inputs) > 1 else inputs[0]]
            self._chain += [outputs[layer] for layer in self._graph_layers()]
        elif self._stack and self._stack[0].is_input:
            self._chain = [self._stack[0].inbound_nodes[0].outputs[0]]

    def pop(self, rebuild=True):
        """Remove the top layer, and return it.

        Args:
            rebuild: see `add`.

        Raises:
            TypeError: if the stack is empty.
        """
        if not self._stack:
            raise TypeError('There are no layers in the model.')
        layer = self._stack.pop()
        self._names.pop(layer.name, None)
        if self._stack:
            del self._chain[-1:]
        else:
            self._chain = []
        self._made_graph, self.built = None, len(self._chain) > 1
        self.renew_forward()
        return layer

    @of_graph
    def inputs(self):
        """The symbolic inputs; None, or in Keras 3 no attribute, while their shape is not known."""
        return super().inputs if self.layer_graph is not None or not self.ruled('inputs_need_a_shape') \
            else self.input

    @of_graph
    def outputs(self):
        """The symbolic outputs; None, or in Keras 3 no attribute, while the shape of the inputs is not known."""
        return super().outputs if self.layer_graph is not None or not self.ruled('inputs_need_a_shape') \
            else self.output

    def build(self, input_shape=None):
        """Make the weights for inputs of `input_shape` (batch size included).

        Raises:
            ValueError: in Keras 3 for another shape than that of an `Input` in the stack.
        """
        if self.layer_graph is None and input_shape is not None:
            self._build_for(tuple(input_shape), None)
        elif input_shape is not None and self._stack and self._stack[0].is_input and self.ruled('inputs_need_a_shape') \
                and tuple(input_shape) != tuple(self._chain[0].shape):
            raise ValueError('Sequential: model %s has already been configured to use input shape %s; it cannot be '
                             'built for %s.' % (self.name, self._chain[0].shape, tuple(input_shape)))
        self.built = True

    def get_build_config(self):
        """The shape that the stack takes, for a file; None while it is not known."""
        return {'input_shape': tuple(self._chain[0].shape)} if self._chain else None

    def _build_for(self, shape, dtype, ragged=False):
        if not self._stack:
            raise ValueError('Sequential model %s has no layers; add some before building or calling it.' % self.name)
        batch = (None,) + tuple(shape[1:])
        self._chain = [Input(batch_shape=batch, dtype=dtype, name=self._stack[0].name + '_input',
                             **({'ragged': True} if ragged else {}))]
        with recording():
            try:
                for layer in self._stack:
                    self._extend(layer)
            except NotImplementedError:  # a layer that cannot tell what it gives: there is no graph
                self._chain = []
            except TypeError as error:
                if len(_required(layer)) < 2:
                    raise
                raise NoLayer('Layers added to a Sequential model can only have a single positional argument, the '
                              'input tensor. Layer %s (%s) takes: %s.'
                              % (layer.name, type(layer).__name__, ', '.join(_required(layer)))) from error

    def call_without_graph(self, inputs):
        """The outputs for `inputs`, layer by layer."""
        for layer in self._stack:
            inputs = layer(inputs)
        return inputs

    def ensure_built_for(self, signature, args, kwargs):
        if self.layer_graph is None and not self._takes_several(args[0]):
            shape = shapes_of(args[0])
            if isinstance(shape, (list, tuple)) and shape and isinstance(shape[0], (list, tuple)):
                shape = shape[0]
            leaf, ragged = tree.flatten(args[0])[0], stands_for_rows(args[0])
            leaf = leaf.flat_values if has_rows(leaf) else leaf
            dtype = dtype_of(leaf) if ragged or isinstance(leaf, AbstractTensor) else 'float32'
            self._build_for(shape, 'string' if _is_text(leaf) else None if is_float(dtype) else dtype, ragged)
        self.built = True
        self.take_initial_weights()

    def _takes_several(self, inputs):
        """Whether the first layer is given a dictionary or several tensors, so that there is no graph of the stack."""
        return bool(self._stack) and (isinstance(inputs, dict) or len(tree.flatten(inputs)) > 1)

    def predict_proba(self, x, batch_size=None, verbose=0, steps=None, **kwargs):
        """`predict`, of a classifier: one row of probabilities per sample. Arguments as for `predict`.

        Warns where a number is no probability.
        """
        found = self.predict(x, batch_size=batch_size, verbose=verbose, steps=steps, **kwargs)
        if found.size and (found.min() < 0 or found.max() > 1):
            warnings.warn('Model %s: predict_proba found numbers outside of [0, 1], from %g to %g. The usual cause: a '
                          'last layer without `softmax` or `sigmoid`.' % (self.name, found.min(), found.max()),
                          stacklevel=2)
        return found

    def predict_classes(self, x, batch_size=None, verbose=0, steps=None, **kwargs):
        """The classes of samples, as integers. Arguments as for `predict`.

        Returns:
            The number of the largest output of each sample; for a single output whether it is above 0.5, 0 or 1.
        """
        found = self.predict(x, batch_size=batch_size, verbose=verbose, steps=steps, **kwargs)
        return found.argmax(-1) if found.shape[-1] > 1 else (found > 0.5).astype('int32')

    def compute_output_shape(self, input_shape):
        """The shape of the output for inputs of `input_shape`."""
        shape = input_shape
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def get_config(self):
        """The layers as plain values."""
        listed, form = self._stack, serialization.form(self)
        known = bool(self._chain) and isinstance(self._chain[0], KerasTensor)
        if form is not None and form.lists_input and known and not listed[0].is_input:
            listed = [self._chain[0].node.operation] + listed
        with serialization.written_by(form):
            config = {'name': self.name, 'layers': [serialization.serialize_keras_object(layer) for layer in listed]}
        if known and (forms.is_full(self) or not listed[0].is_input
                      and 'batch_input_shape' not in config['layers'][0]['config']):
            config['build_input_shape'] = self._chain[0].shape
        if forms.is_full(self):
            config.update(trainable=self.trainable, dtype=dtype_policies.serialize(self.dtype_policy))
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A model with fresh weights from what `get_config` gave."""
        from keras import layers as layer_module
        if isinstance(config, list):  # Keras 1 and early 2 had the list alone
            config = {'layers': config}
        elif 'layers' not in config or 'name' not in config and generations.value('configs_are_full'):
            raise ValueError("A Sequential model configuration must be a dictionary containing the 'name' and 'layers' "
                             'keys. Received: %.200r' % (config,))
        model = cls(name=config.get('name'))
        entries, made = _without_implied_input(config['layers']), {}
        _check_names(entries)
        for number in serialization.new_ones_first(entries):
            with generations.reading_part(entries[number]['config'].get('name')):
                made[number] = layer_module.deserialize(entries[number], custom_objects=custom_objects)
        for number, entry in enumerate(entries):  # once all are known: weights take longer
            with generations.reading_part(entry['config'].get('name')):
                model.add(made[number])
        shape = config.get('build_input_shape')
        if shape is not None and model.layer_graph is None:
            model._build_for(tuple(shape), None)
        model.freeze_as_in(config)
        return model

    def clone_layers(self, copy_of, input_tensors):
        """A stack of copies of the layers, see `clone_model`."""
        copies = [copy_of(layer) for layer in self._stack if not isinstance(layer, InputLayer)]
        if input_tensors is None and self._chain and isinstance(self._chain[0], KerasTensor):
            input_tensors = Input(batch_shape=self._chain[0].shape, dtype=self._chain[0].dtype)
        model = type(self)(name=self.name)
        if input_tensors is not None:
            model.add(tree.flatten(input_tensors)[0])
        for layer in copies:
            model.add(layer)
        return model


def _check_names(entries):
    """Refuse two layers of one name before the first is made."""
    met = set()
    for entry in entries:
        if not isinstance(entry, dict) or 'config' not in entry:
            raise ValueError("The configuration of a layer is malformed. Expected a dictionary containing a 'config' "
                             'key. Received: %.200r' % (entry,))
        name = entry['config'].get('name') if isinstance(entry['config'], dict) else None
        if isinstance(name, str) and name in met:
            raise ValueError('Two layers of the configuration have the same name: %.200r.' % name)
        met.add(name if isinstance(name, str) else None)


def _without_implied_input(entries):
    """The layers of a config without an input that the first one makes itself, as in files for all readers."""
    if len(entries) > 1 and entries[0]['class_name'] == 'InputLayer':
        first = dict(entries[1]['config'], **entries[1].get('further', {}))
        if 'batch_input_shape' in first and entries[0]['config'].get('name') == first['name'] + '_input':
            return entries[1:]
    return entries


def _required(layer):
    """The names of the arguments that every call of a layer has to give."""
    return [parameter.name for parameter in inspect.signature(layer.call).parameters.values()
            if parameter.kind == parameter.POSITIONAL_OR_KEYWORD and parameter.default is parameter.empty]


def _is_text(x):
    """Whether a tensor or array holds strings."""
    return isinstance(x, np.ndarray) and x.dtype.kind in 'OUS' or hasattr(x, 'shape') and dtype_of(x) == 'string'


def _own_input(layer):
    """(batch shape, dtype) of the input that a layer asks for, (None, None) where it does not say."""
    if isinstance(layer, Model) and layer.layer_graph is not None and len(layer.inputs) == 1:
        return layer.inputs[0].shape, layer.inputs[0].dtype
    if hasattr(layer, 'batch_input_shape'):
        dtype = layer.dtype if getattr(layer, 'input_dtype', None) is None else layer.input_dtype
        return layer.batch_input_shape, dtype
    return None, None
