"""`Model`: a layer made of layers, that can be compiled, trained, saved and summarised."""
import json

import numpy as np

from keras import config
from keras.backend import tree
from keras.backend.rules import AbstractTensor
from keras.backend.state import AbstractLedger, context
from keras.backend.symbolic import Node, Plan, any_symbolic
from keras.layers.additions import GraphAdditions
from keras.layers.base import Layer, get_uid, map_shapes, snake_case
from keras.layers.calls import calls, running, signature_of
from keras.models.functional import Graph, clone_inputs, graph_config, graph_from_config
from keras.models.summary import print_summary
from keras.training.trainer import Trainer


class Model(Trainer, Layer):
    """Layers grouped into one object with training and inference.

    Made in two ways: `Model(inputs, outputs)` from symbolic tensors (nested lists and dictionaries of them),
    or by subclassing: make the layers in `__init__`, use them in `call`.

    Args:
        inputs: symbolic tensor(s) made by `Input`. outputs: symbolic tensor(s) computed from them.
        name: default 'model_1', ...

    Example:
        >>> x = keras.Input((3,))
        >>> model = keras.Model(x, keras.layers.Dense(2)(x))
        >>> model.predict(np.zeros((4, 3))).shape
        (4, 2)
    """

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        self._graph = None
        self._additions = None
        self._forget_steps()
        return self

    def __init__(self, *args, **kwargs):
        inputs, outputs, kwargs = _graph_arguments(args, kwargs)
        super().__init__(**kwargs)
        if inputs is not None:
            self._set_graph(inputs, outputs)

    def _default_name(self):
        base = 'model' if type(self) is Model else snake_case(type(self).__name__)
        return '%s_%d' % (base, get_uid(base))

    def _set_graph(self, inputs, outputs):
        self._graph = Graph(inputs, outputs, self.name)
        self._additions = None
        self.built = True

    # --- structure ---------------------------------------------------------------------------------------------

    @property
    def _is_graph_network(self):
        return self._graph is not None

    @property
    def layers(self):
        """The layers of the model: for a graph, the ones farthest from the outputs first."""
        return list(self._graph.layers) if self._graph is not None else self._own()[1]

    @property
    def _layers(self):
        own = self._own()[1]
        if self._graph is None:
            return own
        return list({id(layer): layer for layer in self._graph.layers + own}.values())

    def _own_weights(self):
        trainable, frozen, _ = super()._own_weights()
        return trainable, frozen, self._layers

    def get_layer(self, name=None, index=None):
        """A layer by its name or its position in `layers`.

        Raises:
            ValueError: if there is none.
        """
        if index is not None:
            if index >= len(self.layers):
                raise ValueError('Model %s has %d layers; there is no layer %d.' % (self.name, len(self.layers), index))
            return self.layers[index]
        if name is None:
            raise ValueError('get_layer: give a name or an index.')
        for layer in self.layers:
            if layer.name == name:
                return layer
        import difflib
        near = difflib.get_close_matches(str(name), [layer.name for layer in self.layers], n=3)
        raise ValueError('Model %s has no layer %r.%s Its layers: %s.'
                         % (self.name, name, ' Did you mean %s?' % ' or '.join(map(repr, near)) if near else '',
                            ', '.join(layer.name for layer in self.layers)))

    def get_weights(self):
        """The values of the weights, layer by layer, as a list of NumPy arrays."""
        return [weight.numpy() for weight in self._weights_by_layer()]

    def _weights_by_layer(self):
        if not self.layers:
            return self.weights
        listed = {id(w): w for layer in self.layers for w in layer.weights}
        listed.update((id(w), w) for w in self.weights if id(w) not in listed)
        return list(listed.values())

    def set_weights(self, weights):
        """Set the weights from a list of arrays in the order of `get_weights`.

        Raises:
            ValueError: if their number or a shape differs; then no weight is changed.
        """
        variables = self._weights_by_layer()
        if len(variables) != len(weights):
            raise ValueError('Model %s: set_weights received %d arrays, the model has %d weights.%s'
                             % (self.name, len(weights), len(variables),
                                '' if self.built else ' The model is not built yet: call it on data first.'))
        for variable, array in zip(variables, weights):
            if np.shape(array) != variable.shape:
                raise ValueError('Model %s: weight %s has shape %s, the array given for it has shape %s.'
                                 % (self.name, variable.path, variable.shape, np.shape(array)))
        for variable, array in zip(variables, weights):
            variable.assign(np.asarray(array))

    @property
    def inputs(self):
        return None if self._graph is None else self._graph.inputs

    @property
    def outputs(self):
        return None if self._graph is None else self._graph.outputs

    @property
    def input(self):
        return _packed(self._required_graph().input_structure)

    @property
    def output(self):
        return _packed(self._required_graph().output_structure)

    def _required_graph(self):
        if self._graph is None:
            raise AttributeError('Model %s is not a graph of layers, so it has no symbolic input and output.'
                                 % self.name)
        return self._graph

    @property
    def input_shape(self):
        return tree.map_structure(lambda x: x.shape, self.input)

    @property
    def output_shape(self):
        return tree.map_structure(lambda x: x.shape, self.output)

    @property
    def input_names(self):
        return self._required_graph().input_names

    @property
    def output_names(self):
        return self._graph.output_names if self._graph is not None else getattr(self, '_output_names', ['output_1'])

    @property
    def input_spec(self):
        return None

    @property
    def state_updates(self):
        return []

    def reset_states(self):
        """Reset the states of all stateful layers."""
        for layer in self._flatten_layers():
            if layer is not self and hasattr(layer, 'reset_states') and layer.stateful:
                layer.reset_states()

    # --- calling -----------------------------------------------------------------------------------------------

    def build(self, input_shape=None):
        """Make the weights for inputs of `input_shape` (batch size included, None for any)."""
        is_subclassed = self._graph is None and type(self).call is not Model.call
        if is_subclassed and input_shape is not None and not context.abstract:
            inputs = _abstract_inputs(input_shape)
            self._abstract_outputs([inputs], {})
        self.built = True

    def call(self, inputs, training=None, mask=None):
        """The outputs for `inputs`, by the graph's plan."""
        graph = self._graph
        if graph is None:
            raise NotImplementedError('Model %s: a subclass of Model defines `call`, or passes inputs and outputs to '
                                      'super().__init__.' % type(self).__name__)
        values = graph.flat_inputs(inputs)
        masks = tree.flatten(mask) if mask is not None else []
        if any(one is not None for one in masks):
            variant = graph.variant([one is not None for one in masks])
            return graph.pack_outputs(variant.plan(training)(values + [one for one in masks if one is not None]))
        if calls.losses is not None and not context.abstract:
            return graph.pack_outputs(self._with_additions(values, training, []))
        return graph.pack_outputs(graph.plan(training)(values))

    def _with_additions(self, values, training, extra):
        """The outputs of the graph and the tensors `extra`; what was added to the graph goes to the running call."""
        additions = self.additions()
        results = self._graph.plan(training, extra + additions.tensors(training))(values)
        wanted = len(self._graph.outputs) + len(extra)
        additions.note(results[wanted:], training)
        return results[:wanted]

    def additions(self):
        """The losses, metrics and updates that were added to the graph, see `GraphAdditions`."""
        if self._additions is None or not self._additions.is_current():
            # Models inside this one hand on theirs when they are called.
            layers = [layer for layer in self._flatten_layers() if layer is self or not isinstance(layer, Model)]
            self._additions = GraphAdditions(self, layers)
        return self._additions

    def run(self, inputs, training, with_masks=False, along=()):
        """The outputs for native `inputs` in a training or test step.

        Returns:
            (outputs, the masks of the outputs: a list with None where there is none, losses added, metrics added as
            pairs (name, value)), and, where there are tensors `along` of its graph, the list of their values.
        """
        with running(training) as block:
            if self._graph is None or type(self).call is not Model.call:
                outputs = self(inputs, training=training) if self._takes_training() else self(inputs)
                noted = [(calls.masks or {}).get(id(leaf)) for leaf in tree.flatten(outputs)]
                masks = [None if one is None else one[1] for one in noted]
                additions = self.additions()
                along = Plan([], additions.tensors(training), lambda node: node.operation.plan_function(node, training))
                additions.note(along([]), training)
                return outputs, masks, block.losses, block.metrics
            graph = self._graph
            extra = [tensor.mask for tensor in graph.outputs if tensor.mask is not None] if with_masks else []
            leaves = self._with_additions(graph.flat_inputs(inputs), training, extra + list(along))
        outputs, found = leaves[:len(graph.outputs)], iter(leaves[len(graph.outputs):])
        masks = [next(found) if with_masks and tensor.mask is not None else None for tensor in graph.outputs]
        results = graph.pack_outputs(outputs), masks, block.losses, block.metrics
        return results + (list(found),) if along else results

    def infer(self, inputs):
        """The outputs for native `inputs` in a step of `predict`."""
        with running(False):
            if self._graph is None or type(self).call is not Model.call:
                return self(inputs, training=False) if self._takes_training() else self(inputs)
            return self._graph.pack_outputs(self._graph.plan(False)(self._graph.flat_inputs(inputs)))

    def _takes_training(self):
        signature = signature_of(type(self))
        return signature.takes_training or signature.has_kwargs

    def _symbolic_outputs(self, args, kwargs):
        graph = self._graph
        if graph is None or type(self).call is not Model.call:
            return super()._symbolic_outputs(args, kwargs)
        given = graph.flat_inputs(args[0])
        if all(x.shape == own.shape for x, own in zip(given, graph.inputs)):
            return tree.map_structure(lambda x: AbstractTensor(x.shape, x.dtype), _packed(graph.output_structure))
        kwargs = {key: value for key, value in kwargs.items() if key != 'mask'}
        return self._abstract_outputs(args, kwargs)

    def compute_mask(self, inputs, mask=None):
        """The masks of the outputs."""
        graph = self._graph
        if graph is None:
            return None
        masks = tree.flatten(mask) if mask is not None else []
        present = [one is not None for one in masks]
        graph = graph.variant(present) if any(present) else graph
        if all(tensor.mask is None for tensor in graph.outputs):
            return None
        if not any_symbolic(inputs):
            return None
        results = graph_masks(graph, self._graph.flat_inputs(inputs) + [one for one in masks if one is not None])
        return results[0] if len(results) == 1 else results

    def compute_output_shape(self, input_shape):
        """The shapes of the outputs for inputs of `input_shape`."""
        if self._graph is None:
            return super().compute_output_shape(input_shape)
        inputs = _abstract_inputs(input_shape)
        with AbstractLedger():
            outputs = self.call(inputs)
        return tree.map_structure(lambda x: x.shape, outputs)

    def _in_graph(self):
        return self._graph is not None

    def _loss_nodes(self):
        return self._graph.layer_nodes if self._graph is not None else []

    # --- configuration -----------------------------------------------------------------------------------------

    def get_config(self):
        """The graph as plain values.

        Raises:
            NotImplementedError: for a subclassed model that does not define it.
        """
        if self._graph is None:
            raise NotImplementedError('Model %s is defined by Python code in `call`, which a config cannot hold. '
                                      'Define `get_config` in %s, or save the weights only (save_weights).'
                                      % (self.name, type(self).__name__))
        return dict({'name': self.name}, **graph_config(self._graph))

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A model with fresh weights from what `get_config` gave."""
        if 'layers' not in config:
            return cls(**config)
        from keras.saving.serialization import CustomObjectScope
        with CustomObjectScope(custom_objects or {}):
            inputs, outputs, _ = graph_from_config(config)
        return cls(inputs, outputs, name=config.get('name'))

    def _updated_config(self):
        from keras.version import __version__
        from keras.backend.engine import engine_name
        return {'class_name': type(self).__name__, 'config': self.get_config(), 'keras_version': __version__,
                'backend': engine_name()}

    def to_json(self, **kwargs):
        """The architecture as JSON text; `keras.models.model_from_json` reads it. Arguments go to `json.dumps`."""
        return json.dumps(self._updated_config(), default=_json_value, **kwargs)

    def summary(self, line_length=None, positions=None, print_fn=None, **kwargs):
        """Print the layers with their output shapes and numbers of weights.

        Args:
            line_length: width in characters. positions: relative positions of the columns.
            print_fn: called with each line; default `print`.

        Raises:
            ValueError: if the model is not built.
        """
        if not self.built:
            raise ValueError('Model %s is not built yet: its weights depend on the shape of the input. Call `build()` '
                             'or `fit()` first, or give the first layer an `input_shape`.' % self.name)
        print_summary(self, line_length=line_length, positions=positions, print_fn=print_fn)

    # --- files -------------------------------------------------------------------------------------------------

    def save(self, filepath, overwrite=True, include_optimizer=True, **kwargs):
        """Save architecture, weights and optimizer to `filepath`; `keras.models.load_model` reads it.

        The file is written under a temporary name and then renamed, so a failure leaves an existing file as it was.
        """
        from keras import saving
        saving.save_model(self, filepath, overwrite=overwrite, include_optimizer=include_optimizer, **kwargs)

    def save_weights(self, filepath, overwrite=True, **kwargs):
        """Save the weights to an HDF5 file."""
        from keras import saving
        saving.save_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath, by_name=False, skip_mismatch=False, reshape=False, **kwargs):
        """Load the weights from an HDF5 file, in the order of the layers or by their names."""
        from keras import saving
        saving.load_weights(self, filepath, by_name=by_name, skip_mismatch=skip_mismatch, reshape=reshape, **kwargs)


class _GraphMasks:
    """An operation that runs a graph for the masks of its outputs."""
    name = 'output_masks'

    def __init__(self, graph):
        self.graph = graph

    def plan_function(self, node, training):
        graph = self.graph
        count = len(graph.outputs)
        masks = [tensor.mask for tensor in graph.outputs if tensor.mask is not None]
        return lambda *values: graph.plan(training, masks)(list(values))[count:]


def graph_masks(graph, tensors):
    """Symbolic masks of the outputs of `graph` called on symbolic `tensors`; None for outputs without."""
    masks = [tensor.mask for tensor in graph.outputs]
    found = [AbstractTensor(mask.shape, 'bool') for mask in masks if mask is not None]
    results = iter(Node(_GraphMasks(graph), list(tensors), {}, found).outputs)
    return [None if mask is None else next(results) for mask in masks]


def _graph_arguments(args, kwargs):
    """(inputs, outputs, the other keyword arguments) of Model(...), Keras 1's `input` and `output` included."""
    kwargs = dict(kwargs)
    names = ['inputs', 'outputs', 'name']
    if args and not any_symbolic(list(args)):
        return None, None, dict(zip(['trainable', 'name', 'dtype'], args), **kwargs)
    kwargs.update(zip(names, args))
    inputs = kwargs.pop('inputs', kwargs.pop('input', None))
    outputs = kwargs.pop('outputs', kwargs.pop('output', None))
    if (inputs is None) != (outputs is None):
        raise ValueError('Model: give both `inputs` and `outputs`, or neither in a subclass that defines `call`.')
    return inputs, outputs, kwargs


def _packed(structure):
    """A list of one tensor as that tensor, as Keras 2 shows the inputs and outputs of a model."""
    if isinstance(structure, (list, tuple)) and len(structure) == 1:
        return structure[0]
    return structure


def _abstract_inputs(shapes):
    return map_shapes(lambda shape: AbstractTensor(shape, config.floatx()), shapes)


def _json_value(value):
    if hasattr(value, 'tolist'):
        return value.tolist()
    if hasattr(value, 'get_config'):
        return {'class_name': type(value).__name__, 'config': value.get_config()}
    if callable(value):
        return value.__name__
    raise TypeError('to_json: %r of type %s cannot be written as JSON. The usual cause: get_config of a custom layer '
                    'returns an object instead of a plain value.' % (value, type(value).__name__))


def clone_model(model, input_tensors=None, clone_function=None):
    """A model of the same architecture with fresh weights and layers.

    Args:
        input_tensors: symbolic tensors to build on; default new inputs.
        clone_function: layer -> its copy; default by its config.

    Example:
        >>> copy = keras.models.clone_model(model)
        >>> copy.set_weights(model.get_weights())
    """
    copy_of = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))
    if hasattr(model, '_clone_layers'):
        return model._clone_layers(copy_of, input_tensors)
    graph = model._required_graph()
    tensors = tree.flatten(input_tensors) if input_tensors is not None else clone_inputs(graph)
    copies = {id(layer): copy_of(layer) for layer in graph.layers if not layer.is_input}
    mapped = {id(old): new for old, new in zip(graph.inputs, tensors)}
    for node in graph.layer_nodes:
        kwargs = {key: value for key, value in node.kwargs.items() if key not in node.implicit}
        args, kwargs = tree.map_structure(lambda leaf: mapped.get(id(leaf), leaf), [list(node.args), kwargs])
        operation = copies.get(id(node.operation))
        outputs = operation(*args, **kwargs) if operation is not None else node.operation.call(*args, **kwargs)
        mapped.update(zip(map(id, node.outputs), tree.flatten(outputs)))
    outputs = tree.map_structure(lambda tensor: mapped[id(tensor)], graph.output_structure)
    inputs = tree.pack_as(graph.input_structure, tensors)
    return Model(inputs, outputs, name=model.name)
