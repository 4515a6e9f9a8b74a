"""`Model`: a layer made of layers, that can be compiled, trained, saved and summarised."""
import importlib
import copy
import json
import re
import warnings

import numpy as np

from keras import config, generations, ops, quantizers, saving
from keras.backend.contract import tree
from keras.backend.contract.context import context, known_mask, note_mask
from keras.backend.contract.ledger import AbstractLedger
from keras.backend.contract.loading import active, get_engine
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Node
from keras.backend.state.uids import numbered_name
from keras.backend.graph.tensors import any_symbolic, is_symbolic
from keras.backend.table.bodies import Closure
from keras.backend.table.composites.shape import dtype_of, static_shape
from keras.backend.table.numbers import NoTruth
from keras.configurable import json_value
from keras.layers.additions import updates_of
from keras.layers.base import Layer
from keras.layers.shapes import map_shapes, shapes_of
from keras.layers.calls import calls, signature_of
from keras.layers.input_layer import Input
from keras.layers.rows import has_rows, in_rows_where, stands_for_rows
from keras.layers.yielding import yielding
from keras.legacy.class_paths import known_as
from keras.models import closures
from keras.models.direct import DirectCall
from keras.models.forward import Forward
from keras.models.functional import (Graph, clone_inputs, graph_config, graph_from_config, with_inputs_of_its_own,
                                     written_additions)
from keras.models.keras2_view import Keras2View
from keras.models.portable import PortableGraph
from keras.models.specs import expected_arguments
from keras.models.state_tree import restore_state, state_tree_of
from keras.models.summary import print_summary
from keras.saving import forms, serialization, states, training_config
from keras.saving.serialization import SafeModeScope
from keras.training.trainer import Trainer

# What the config of a graph holds.
_OF_GRAPHS = frozenset(('name', 'trainable', 'dtype', 'layers', 'input_layers', 'output_layers'))


class of_graph(yielding):
    """A property of the graph of a model. A model without one may have an attribute of its own in its place."""

    def __set__(self, instance, value):
        if getattr(instance, 'layer_graph', None) is not None:
            raise AttributeError('The inputs and outputs of model %s cannot be set: they follow from its graph. Make a '
                                 'new model of its tensors, keras.Model(inputs, outputs).' % instance.name)
        super().__set__(instance, value)


class Model(Trainer, Keras2View, Layer,
            known_as('keras.src.models.model.Model', 'keras.engine.training.Model', 'keras.src.engine.training.Model')):
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

    notes_builds = False
    # Attributes that hold layers, or know of them, besides those that a subclass has.
    _BOOKKEEPING = frozenset(('_made_graph', '_forwards', '_direct', '_training', '_stack', '_chain', '_names'))

    arguments_make_config = True
    _own_input_spec = None

    def __new__(cls, *args, **kwargs):
        made_of_graph = any_symbolic([args, kwargs])
        self = super().__new__(cls, *(() if made_of_graph else args), **({} if made_of_graph else kwargs))
        self._made_graph = None
        self._made_of_graph = made_of_graph
        self.renew_forward()
        return self

    def __init__(self, *args, **kwargs):
        inputs, outputs, kwargs = _graph_arguments(args, kwargs)
        self._gets_graph = inputs is not None
        super().__init__(**kwargs)
        if inputs is not None:
            self.set_graph(inputs, outputs)

    def refuse_arguments(self, unknown):
        if not self._gets_graph or not self.ruled('graphs_take_any_argument'):
            super().refuse_arguments(unknown)
        warnings.warn('%s: the arguments %s are unknown and have no effect.'
                      % (type(self).__name__, ', '.join(sorted(unknown))), stacklevel=3)

    def _default_name(self):
        return numbered_name(self.ruled('name_of_models') if type(self) is Model
                             else self.words_of(type(self).__name__))

    def set_graph(self, inputs, outputs):
        """Make the model what lies between symbolic `inputs` and `outputs`."""
        self._made_graph = with_inputs_of_its_own(Graph(inputs, outputs, self.name))
        self.built = True
        self.renew_forward()

    def renew_forward(self):
        """Have training run what the model is now."""
        self._forwards, self._direct = Forward(self, type(self).call is not Model.call), None
        self.use_forward(self._forwards)

    # --- structure ---------------------------------------------------------------------------------------------

    @property
    def layer_graph(self):
        """The `Graph` between inputs and outputs; None for a subclass that defines `call`."""
        return self._made_graph

    @property
    def _is_graph_network(self):
        return self.layer_graph is not None

    @property
    def layers(self):
        """The layers of the model: for a graph, the ones farthest from the outputs first."""
        return list(self.layer_graph.layers) if self.layer_graph is not None else self.own_parts()[1]

    @layers.setter
    def layers(self, _):
        raise AttributeError('`Model.layers` attribute is reserved and should not be used: the layers of a model '
                             'follow from its graph, or from its other attributes. Choose another name.')

    @yielding
    def operations(self):
        """What runs in the graph of the model, in that order: layers, and operations among them."""
        nodes = self.required_graph().all_nodes()
        return list({id(node.operation): node.operation for node in nodes}.values())

    def own_layers(self):
        own = self.own_parts()[1]
        if self.layer_graph is None:
            return own
        return list({id(layer): layer for layer in self.layer_graph.layers + own}.values())

    def compute_in(self, before, dtype):
        """Keep weights and compute in another float type from now on; what the graph takes and gives is of it, too."""
        super().compute_in(before, dtype)
        for node in self.layer_graph.all_nodes() if self.layer_graph is not None else ():
            for tensor in node.outputs:
                if tensor.dtype == before:
                    tensor.__dict__['dtype'] = dtype

    def tracked_by_name(self):
        optimizer = getattr(self, 'optimizer', None)
        return dict(super().tracked_by_name(), **{} if optimizer is None else {'optimizer': optimizer})

    def saved_signature(self):
        """The arguments that the model takes, where that is known, for files of the engine's own library."""
        from keras.models.specs import expected_arguments
        return expected_arguments(self)

    def _own_weights(self):
        trainable, frozen, _ = super()._own_weights()
        return trainable, frozen, self.own_layers()

    def saved_parts(self):
        found = {name: value for name, value in super().saved_parts().items() if name not in self._BOOKKEEPING}
        return dict(found, layers=self.layers, optimizer=getattr(self, 'optimizer', None))

    def __getstate__(self):
        state = dict(super().__getstate__(), _made_graph=None)
        del state['_forwards'], state['_direct']
        if self.layer_graph is not None:
            state['graph'] = PortableGraph(self.layer_graph, self._forwards.layers_with_additions())
            state['graph_layers'] = self.layer_graph.layers
        return state

    def __setstate__(self, state):
        graph, layers = state.pop('graph', None), state.pop('graph_layers', ())
        super().__setstate__(state)
        if graph is not None:
            self._made_graph = Graph(*graph.restored(), owner=self.name)
            self._made_graph.arrange(layers)
        self._forwards, self._direct = Forward(self, type(self).call is not Model.call), None
        self.use_forward_of_copy(self._forwards)

    def copy_apart(self, **attributes):
        self.layer_graph  # made, if it is not there yet
        made = super().copy_apart(_training=None, **attributes)  # to be compiled anew
        made.renew_forward()
        return made

    def replace_parts(self, instead):
        super().replace_parts(instead)
        if self._made_graph is not None:
            self._made_graph = self._made_graph.with_others(instead)
        self.renew_forward()

    def __copy__(self):
        """A model of the same layers and weights, with a graph and an optimizer of its own."""
        shared = [layer for layer in self.walk_layers() if layer is not self] + self.variables
        return copy.deepcopy(self, {id(part): part for part in shared})

    def quantize(self, mode=None, type_check=True, config=None, filters=None, **kwargs):
        """Keep the weights of all layers that can in few bits from now on. Compile the model again after it.

        Args:
            mode: 'int8', 'int4', 'float8', 'gptq' or 'awq'. config: a `QuantizationConfig` instead; the latter two need
                theirs, which has the data for the calibration and says what the blocks of the model are.
            type_check: whether subclasses of Keras's layers are left alone.
            filters: a regular expression for names, a list of them, or a function of a layer; default all layers.

        Raises:
            ValueError: for a model that is not built, an unknown mode, and unknown arguments; where a calibration
                lacks data or blocks.

        Example:
            >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
            >>> model.quantize('int8')
            >>> model.layers[0].quantization_mode
            'int8'
        """
        if kwargs:
            raise ValueError('Unrecognized keyword arguments passed to %s.quantize: %s'
                             % (type(self).__name__, ', '.join(sorted(kwargs))))
        if not (filters is None or callable(filters) or isinstance(filters, (str, list, tuple))):
            raise ValueError('The `filters` argument must be a regex string, a list of regex strings, or a callable. '
                             'Received: %r of type %s' % (filters, type(filters)))
        config = quantizers.resolved(mode, config)
        if not self.built:
            raise ValueError("Cannot quantize a layer that isn't yet built. The model must be built first before "
                             'calling `quantize()`: call it on an input.')
        if config.mode in ('gptq', 'awq'):
            from keras.models.calibration import calibrate
            structure = config.quantization_layer_structure or self.get_quantization_layer_structure(config.mode)
            calibrate(structure, config, lambda layer: _is_among(layer, filters))
        else:
            self._quantize_layers(config, type_check, filters)
        self._post_quantize(config.mode)

    def _quantize_layers(self, config, type_check, filters):
        for layer in self.walk_layers():
            if layer is self or len(layer.walk_layers()) > 1 or not _is_among(layer, filters):
                continue
            try:
                layer.quantize(config.mode, type_check=type_check, config=config)
            except NotImplementedError as error:
                if layer.weights:
                    warnings.warn(str(error), stacklevel=3)

    def _post_quantize(self, mode, **kwargs):
        """Runs after `quantize`; subclasses of packages drop here what they have compiled."""

    def get_quantization_layer_structure(self, mode=None):
        """The blocks of the model for 'gptq' and 'awq'; None where a subclass does not say them.

        Returns:
            {'pre_block_layers': layers that make of token ids what the first block takes, 'sequential_blocks': the
            layers that follow, one after the other}.
        """
        return None

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

    @property
    def weights(self):
        """All weights: layer by layer, in Keras 1 and 2 the trainable ones, then the others."""
        if not self.ruled('weights_by_layer'):
            return self.weights_by_kind
        return list(self.remembered('weights', self._weights_by_layer))

    def get_weights(self):
        """The values of the weights, layer by layer, as a list of NumPy arrays."""
        return [weight.numpy() for weight in self._weights_by_layer()]

    def _weights_by_layer(self):
        if not self.layers:
            return self.weights_by_kind
        listed = {id(w): w for layer in self.layers for w in layer.weights}
        listed.update((id(w), w) for w in self.weights_by_kind if id(w) not in listed)
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

    @of_graph
    def inputs(self):
        return None if self.layer_graph is None else self.layer_graph.inputs

    @of_graph
    def outputs(self):
        return None if self.layer_graph is None else self.layer_graph.outputs

    @property
    def input(self):
        graph = self.required_graph()
        return graph.given_inputs if self.ruled('lists_of_one_stay') else graph.input_structure

    @property
    def output(self):
        graph = self.required_graph()
        return graph.given_outputs if self.ruled('lists_of_one_stay') else graph.output_structure

    def required_graph(self):
        if self.layer_graph is None:
            raise AttributeError('Model %s is not a graph of layers, so it has no symbolic input and output.'
                                 % self.name)
        return self.layer_graph

    @yielding
    def input_shape(self):
        if self.ruled('lists_of_one_stay'):
            return _shapes_of(self.required_graph().inputs)
        return tree.map_structure(lambda x: x.shape, self.input)

    @yielding
    def output_shape(self):
        if self.ruled('lists_of_one_stay'):
            return _shapes_of(self.required_graph().outputs)
        return tree.map_structure(lambda x: x.shape, self.output)

    @yielding
    def input_names(self):
        return self.required_graph().input_names

    @property
    def input_spec(self):
        """What inputs have to be, besides what the graph says: an `InputSpec`, a list of them, or None."""
        return self._own_input_spec

    @input_spec.setter
    def input_spec(self, spec):
        self._own_input_spec = spec

    @yielding
    def stateful(self):
        """Whether a layer keeps states from batch to batch."""
        return any(layer.stateful for layer in self.own_layers())

    @yielding
    def state_updates(self):
        """The updates of the graph that keep the states of stateful layers."""
        return [update for node in self.own_nodes() if getattr(node.operation, 'stateful', False)
                for update in updates_of(node)]

    def reset_states(self):
        """Reset the states of all stateful layers."""
        for layer in self.walk_layers():
            if layer is not self and hasattr(layer, 'reset_states') and layer.stateful:
                layer.reset_states()

    # --- calling -----------------------------------------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        direct = self._direct
        if direct is not None and len(args) == 1:
            try:
                outputs = direct(args[0], kwargs)
            except Exception as error:
                if isinstance(error, active.engine.signals):
                    raise
                self._direct = None  # the long way says what is wrong
                outputs = None
            if outputs is not None:
                if self._call_losses or self._call_metrics:
                    self._call_losses, self._call_metrics = [], []
                return outputs
        if kwargs and type(self).call is Model.call and self.ruled('models_take_any_argument'):
            kwargs = self._known_arguments(kwargs)
        return super().__call__(*args, **kwargs)

    def _known_arguments(self, kwargs):
        """The arguments of a call without those that a graph of layers has no use for, which a warning names."""
        names = signature_of(type(self)).names
        unknown = sorted(set(kwargs).difference(names, self.context_arguments()))
        if unknown:
            warnings.warn('Model %s was called with %s, which has no effect: a model of layers takes inputs, training '
                          'and mask. (Keras 3 ignores other arguments, too.)' % (self.name, ', '.join(unknown)),
                          stacklevel=3)
        return {name: value for name, value in kwargs.items() if name not in unknown}

    def set_mode_of_calls(self, training):
        super().set_mode_of_calls(training)
        self._direct = None

    def _remember_direct(self, signature, inputs):
        known = self._direct is not None and self._direct.is_current()
        plain = self.compute_dtype == self.variable_dtype and self.activity_regularizer is None \
            and self.mode_of_calls is None and not self.hooked
        if plain and not known and not context.abstract \
                and type(self).call is Model.call and type(self).compute_mask is Model.compute_mask:
            self._direct = DirectCall(self, self._forwards, inputs)

    def ensure_built_for(self, signature, args, kwargs):
        is_subclassed = self.layer_graph is None and type(self).build is Model.build
        kwargs = {name: value for name, value in kwargs.items() if signature.has_kwargs or name in signature.names}
        if is_subclassed and not self.built and stands_for_rows(args[0]):
            # What its `call` does with ragged tensors no run with dense ones would show: its layers are built in it.
            self.build_with([shapes_of(args[0])], build=lambda *_: None)
        elif is_subclassed and not self.built and not context.abstract and any(
                name not in signature.defaults for name in signature.names[1:len(args)] + list(kwargs)):
            # a `call` that does not run with the first of its arguments alone
            self.build_with([shapes_of(args[0])], build=lambda *_: self.abstract_outputs(args, kwargs))
        else:
            super().ensure_built_for(signature, args, kwargs)

    def build(self, input_shape=None):
        """Make the weights for inputs of `input_shape` (batch size included, None for any)."""
        is_subclassed = self.layer_graph is None and type(self).call is not Model.call
        if is_subclassed and input_shape is not None and not context.abstract:
            inputs = _abstract_inputs(input_shape)
            try:
                self.abstract_outputs([inputs], {})
            except NoTruth:
                # The call branches on values. That does no harm where there is nothing to be built.
                if context.tracing is not None or not all(layer.built for layer in self.layers):
                    raise
            if self._built_for is None:
                self._built_for = [input_shape]
        self.built = True

    def call(self, inputs, training=None, mask=None):
        """The outputs for `inputs`, by the graph's plan."""
        graph = self.layer_graph
        if graph is None:
            return self.call_without_graph(inputs)
        graph.check_structure(inputs)
        values, in_rows = graph.flat_inputs(inputs), has_rows(inputs)
        if self.ruled('inputs_are_fitted'):
            values = [_with_mask_of(value, self._fitted(value, tensor)) for value, tensor in zip(values, graph.inputs)]
            missing = [tensor.name for value, tensor in zip(values, graph.inputs)
                       if value is None and not graph.is_optional(tensor)]
            if missing:
                raise ValueError('Model %s: the input %s is not optional, but None is given for it.'
                                 % (self.name, ', '.join(missing)))
        masks = tree.flatten(mask) if mask is not None else []
        if any(one is not None for one in masks):
            variant = graph.variant([one is not None for one in masks])
            return graph.pack_outputs(variant.plan(training)(values + [one for one in masks if one is not None]))
        if in_rows and has_rows(values):
            if not self._forwards.additions().is_empty:
                raise ValueError('Model %s, to which losses, metrics or updates of symbolic tensors were added, is '
                                 'given a ragged tensor, but its Input is not a ragged one: make it with ragged=True.'
                                 % self.name)
            return graph.pack_outputs(graph.outputs_in_rows(values, training))
        if calls.losses is not None and not context.abstract:
            results = self._forwards.with_masks_noted(values, training)
            masks = [known_mask(result) for result, tensor in zip(results, graph.outputs) if tensor.ragged]
            return graph.pack_outputs(in_rows_where(graph.outputs, results + masks) if in_rows else results)
        return graph.pack_outputs(graph.plan(training)(values))

    def takes_rows(self):
        return True

    def call_without_graph(self, inputs):
        """The outputs for `inputs` of a model that is not a graph of layers."""
        raise NotImplementedError('Model %s: a subclass of Model defines `call`, or passes inputs and outputs to '
                                  'super().__init__.' % type(self).__name__)

    def _fitted(self, value, tensor):
        """A value as the input `tensor` of the graph says: of its dtype, with or without a last axis of size 1.

        Raises:
            ValueError: for a value of another shape.
        """
        if not (isinstance(value, (np.ndarray, AbstractTensor)) or get_engine().is_native(value)):
            return value
        shape, expected = static_shape(value), tuple(tensor.shape)
        if len(shape) == len(expected) + 1 and shape[-1] == 1:
            value, shape = ops.squeeze(value, -1), shape[:-1]
        elif len(shape) == len(expected) - 1 and expected[-1] == 1:
            value, shape = ops.expand_dims(value, -1), shape + (1,)
        # A batch may have any size.
        if (len(shape) != len(expected) or any(None not in sizes and sizes[0] != sizes[1]
                                               for sizes in zip(shape[1:], expected[1:]))) \
                and not self.layer_graph.takes_shape(shape):
            raise ValueError("Invalid input shape for the input with name '%s' and path '%s' of model %s: expected "
                             'shape=%s, found shape=%s.' % (
                                 tensor.name, _path_of(tensor, self.input), self.name, expected, shape))
        dtype = dtype_of(value)
        is_cast = dtype == self.compute_dtype and tensor.dtype == self.variable_dtype or tensor.dtype == 'string'
        return value if dtype == tensor.dtype or is_cast else ops.cast(value, tensor.dtype)

    def _symbolic_outputs(self, args, kwargs):
        graph = self.layer_graph
        if graph is None or type(self).call is not Model.call:
            return super()._symbolic_outputs(args, kwargs)
        graph.check_structure(args[0])
        given = graph.flat_inputs(args[0])
        if all(x.shape == own.shape for x, own in zip(given, graph.inputs)):
            return tree.map_structure(lambda x: AbstractTensor(x.shape, x.dtype), graph.output_structure)
        kwargs = {key: value for key, value in kwargs.items() if key != 'mask'}
        return self.abstract_outputs(args, kwargs)

    def compute_mask(self, inputs, mask=None):
        """The masks of the outputs."""
        graph = self.layer_graph
        if graph is None:
            return None
        masks = tree.flatten(mask) if mask is not None else []
        present = [one is not None for one in masks]
        graph = graph.variant(present) if any(present) else graph
        if all(tensor.mask is None for tensor in graph.outputs):
            return None if len(graph.outputs) == 1 else [None] * len(graph.outputs)
        if not any_symbolic(inputs):
            return None
        results = graph_masks(graph, self.layer_graph.flat_inputs(inputs) + [one for one in masks if one is not None])
        return results[0] if len(results) == 1 else results

    def compute_output_shape(self, input_shape):
        """The shapes of the outputs for inputs of `input_shape`."""
        if self.layer_graph is None:
            return self.shape_by_running(input_shape)
        inputs = _abstract_inputs(input_shape)
        with AbstractLedger():
            outputs = self.call(inputs)
        return tree.map_structure(lambda x: x.shape, outputs)

    def _in_graph(self):
        return self.layer_graph is not None

    def own_nodes(self):
        return self.layer_graph.layer_nodes if self.layer_graph is not None else []

    # --- configuration -----------------------------------------------------------------------------------------

    def get_config(self):
        """The graph as plain values; in tf.keras and Keras 3, of a class with a constructor of its own, its arguments.

        Raises:
            NotImplementedError: for a model that is defined by `call`, in Keras 2.
        """
        if (self.layer_graph is None or self._has_own_arguments()) and self.ruled('models_have_configs'):
            return super().get_config()
        if self.layer_graph is None:
            raise NotImplementedError('Model %s is defined by Python code in `call`, which a config cannot hold. '
                                      'Define `get_config` in %s, or save the weights only (save_weights).'
                                      % (self.name, type(self).__name__))
        with serialization.written_by(serialization.form(self)):
            config = dict({'name': self.name}, **graph_config(self.layer_graph, self._saved_additions()))
        return dict(config, trainable=self.trainable) if forms.is_full(self) else config

    def _has_own_arguments(self):
        """Whether the constructor was called with arguments of its own, not with tensors."""
        return not self._made_of_graph and type(self).__init__ is not Model.__init__

    def _saved_additions(self):
        added = [(method, arguments) for method, arguments in self.graph_additions() if method != 'add_update']
        return added if self.ruled('added_losses_are_saved') else ()

    def saves_additions(self):
        """Whether HDF5 files of the model hold what it was given to `add_loss` and `add_metric` outside of layers."""
        return type(self).get_config is Model.get_config and self.layer_graph is not None \
            and bool(written_additions(self.layer_graph, self._saved_additions()))

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A model with fresh weights from what `get_config` gave."""
        if 'layers' not in config:
            if cls is Model:
                raise ValueError('A config of a Model lists its `layers`. Received the keys: %s' % sorted(config))
            return super().from_config(config)
        from keras.saving.serialization import CustomObjectScope
        with CustomObjectScope(custom_objects or {}):
            inputs, outputs, layers, additions = graph_from_config(config)
        # What a `get_config` of one's own has added.
        own = {name: value for name, value in config.items() if name not in _OF_GRAPHS} \
            if cls.__init__ is not Model.__init__ and generations.value('models_have_configs') else {}
        model = cls(inputs, outputs, name=config.get('name'), **own)
        model.layer_graph.arrange(layers)
        model.freeze_as_in(config)
        for addition in additions:
            addition.add_to(model)
        return model

    def freeze_as_in(self, config):
        """Leave the model to no training where its config says so; the layers inside have configs of their own."""
        if config.get('trainable') is False:
            self.freeze_alone()

    def _updated_config(self):
        from keras.version import __version__
        from keras.backend.contract.loading import engine_name
        written = serialization.serialize_keras_object(self) if generations.of(self) == 3 else \
            {'class_name': type(self).__name__, 'config': self.get_config()}
        return dict(written, keras_version=__version__, keras_generations=generations.of_parts(self),
                    backend=engine_name())

    def to_json(self, **kwargs):
        """The architecture as JSON text; `keras.models.model_from_json` reads it. Arguments go to `json.dumps`."""
        return json.dumps(self._updated_config(), default=json_value, **kwargs)

    def to_yaml(self, **kwargs):
        """The architecture as YAML text, for `keras.models.model_from_yaml`. Keyword arguments go to `yaml.dump`.

        Raises:
            ImportError: without PyYAML.
        """
        try:
            import yaml
        except ImportError as error:
            raise ImportError('YAML needs the package PyYAML: pip install pyyaml') from error
        # By way of JSON, so that there are plain values only.
        return yaml.safe_dump(json.loads(self.to_json()), **kwargs)

    def summary(self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
                layer_range=None):
        """Print the layers with their output shapes and numbers of weights, and the memory that they take.

        Args:
            line_length: width in characters; by default as usual, or as the terminal where that is narrower.
            positions: where the columns end, as parts of the width or in characters. print_fn: called with each line;
                default `print`. expand_nested: show the layers of inner models.
            show_trainable: a column that says which layers are trained. layer_range: names, or patterns of names, of
                the first and the last layer to show.

        Raises:
            ValueError: if the model is not built.
        """
        if not self.built and not self.ruled('summary_of_what_is_unbuilt'):
            raise ValueError('Model %s is not built yet: its weights depend on the shape of the input. Call `build()` '
                             'or `fit()` first, or give the first layer an `input_shape`.' % self.name)
        self.warn_of_trainable_change()
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def get_compile_config(self):
        """How the model was compiled, as plain values, for `compile_from_config`; None where it was not."""
        return training_config.in_full(self) if getattr(self, 'optimizer', None) is not None else None

    def compile_from_config(self, config):
        """Compile the model as `get_compile_config` of another one says.

        In Keras 3 a model whose class has a `compile` of its own is left as it is, with a warning, unless it overrides
        this method, too.
        """
        own = not type(self).compile.__module__.startswith('keras.')
        if own and type(self).compile_from_config is Model.compile_from_config \
                and self.ruled('own_compile_is_not_called'):
            warnings.warn("`compile()` was not called as part of model loading because the model's `compile()` method "
                          "is custom. All subclassed Models that have `compile()` overridden should also override "
                          "`get_compile_config()` and `compile_from_config(config)`. Alternatively, call `compile()` "
                          "after loading: model %s." % self.name, stacklevel=2)
            return
        training_config.compile_from(self, dict(config, optimizer_config=config.get('optimizer')))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def get_state_tree(self, value_format='backend_tensor'):
        """The values of all variables as dictionaries in dictionaries.

        Args:
            value_format: 'backend_tensor' or 'numpy_array'.

        Returns:
            {'trainable_variables', 'non_trainable_variables', 'optimizer_variables', 'metrics_variables'}, in each the
            values by the paths of their variables: `tree['trainable_variables']['dense']['kernel']`.

        Raises:
            ValueError: for another format; in Keras 3 where two weights have the same path.

        Example:
            >>> model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,), name='top')])
            >>> model.get_state_tree('numpy_array')['trainable_variables']['top']['kernel'].shape
            (3, 2)
        """
        return state_tree_of(self, value_format)

    def set_state_tree(self, state_tree):
        """Give the variables the values in a tree that `get_state_tree` made; what it lacks stays as it is.

        Raises:
            ValueError: for variables that the model does not have.
        """
        restore_state(self, state_tree)

    # --- files -------------------------------------------------------------------------------------------------

    def save(self, filepath, overwrite=True, include_optimizer=True, **kwargs):
        """Save architecture, weights and optimizer to `filepath`; `keras.models.load_model` reads it.

        The file is written under a temporary name and then renamed, so a failure leaves an existing file as it was.
        """
        saving.save_model(self, filepath, overwrite=overwrite, include_optimizer=include_optimizer, **kwargs)

    def save_weights(self, filepath, overwrite=True, **kwargs):
        """Save the weights to an HDF5 file."""
        saving.save_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath, by_name=False, skip_mismatch=False, reshape=False, **kwargs):
        """Load the weights from an HDF5 file, in the order of the layers or by their names."""
        saving.load_weights(self, filepath, by_name=by_name, skip_mismatch=skip_mismatch, reshape=reshape, **kwargs)

    def write_state(self, group):
        """Write all variables, those of the optimizer and of random generators included, into an HDF5 group."""
        states.write_states(group, self)

    def read_state(self, group):
        """Set all variables to what `write_state` wrote.

        Raises:
            ValueError: where something does not fit the model.
        """
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            try:
                states.read_states(group, self)
            except UserWarning as error:
                raise ValueError(str(error)) from error

    def save_spec(self, dynamic_batch=True):
        """(arguments, keyword arguments) of the model's call, each described as in the engine's own library.

        Args:
            dynamic_batch: whether batches are of any size where the model was built for one.

        Returns:
            None where the model has been neither built nor called.
        """
        expected = expected_arguments(self, dynamic_batch)
        if expected is None:
            return None
        return tuple(tree.map_structure(get_engine().specification, argument) for argument in expected), {}

    def _get_save_spec(self, dynamic_batch=True):
        """What `save_spec` says of the first argument, as TensorFlow's converters ask for it."""
        spec = self.save_spec(dynamic_batch)
        return None if spec is None else spec[0][0]

    def export(self, filepath, format='tf_saved_model', verbose=None, input_signature=None, **kwargs):
        """Write the model as something that another runtime runs, for inference; see `keras.export.export_model`.

        Example:
            >>> model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
            >>> model.export('model.onnx', format='onnx')  # doctest: +SKIP
        """
        # What writes the formats stands above the models, and is found by its name.
        export_model = importlib.import_module('keras.export').export_model
        export_model(self, filepath, format=format, verbose=verbose, input_signature=input_signature, **kwargs)


def _shapes_of(tensors):
    """The shapes of `tensors` as a list; that of a single one itself."""
    shapes = [tensor.shape for tensor in tensors]
    return shapes[0] if len(shapes) == 1 else shapes


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


def _with_mask_of(value, fitted):
    """`fitted`, made of `value`, whose mask goes along."""
    if fitted is not value and calls.masks and known_mask(value) is not None:
        note_mask(fitted, known_mask(value))
    return fitted


def _graph_arguments(args, kwargs):
    """(inputs, outputs, the other keyword arguments) of Model(...)."""
    kwargs = dict(kwargs)
    names = ['inputs', 'outputs', 'name']
    if args and not any_symbolic(list(args)):
        return None, None, dict(zip(['trainable', 'name', 'dtype'], args), **kwargs)
    kwargs.update(zip(names, args))
    inputs, outputs = kwargs.pop('inputs', None), kwargs.pop('outputs', None)
    if (inputs is None) != (outputs is None):
        raise ValueError('Model: give both `inputs` and `outputs`, or neither in a subclass that defines `call`.')
    return inputs, outputs, kwargs


def _abstract_inputs(shapes):
    return map_shapes(lambda shape: AbstractTensor(shape, config.floatx()), shapes)


def clone_model(model, input_tensors=None, clone_function=None, call_function=None, recursive=False, safe_mode=True):
    """A model of the same architecture with fresh weights and layers.

    Args:
        input_tensors: symbolic tensors, variables or arrays to build on, one, a list of one per input, or the structure
            that the model takes; default new inputs.
        clone_function: layer -> its copy; default by its config.
        call_function: (copy, inputs of the layer, keyword arguments) -> outputs; default what the copy gives. It may
            add layers. Not for a `Sequential`.
        recursive: whether inner models are cloned in the same way, layer by layer.
        safe_mode: False runs functions that configs of your own layers hold as code. Those of `Lambda` layers are kept.

    Raises:
        ValueError: for input tensors in another structure than the model takes; for arguments that its class does not
            allow: a model that is defined by `call` is cloned by its config.

    Example:
        >>> copy = keras.models.clone_model(model)
        >>> copy.set_weights(model.get_weights())
    """
    copy_of = clone_function or _copy_of
    with generations.under(model), SafeModeScope(safe_mode):
        if model.layer_graph is None and not hasattr(model, 'clone_layers'):
            if clone_function or call_function or input_tensors is not None:
                raise ValueError('clone_model: `clone_function`, `call_function` and `input_tensors` are only '
                                 'supported for Sequential and functional models. %s %s is defined by its `call`.'
                                 % (type(model).__name__, model.name))
            return _copy_of(model)
        if call_function is not None and hasattr(model, 'clone_layers'):
            raise ValueError('clone_model: `call_function` argument is not supported with Sequential models.')
        return _cloned(model, input_tensors, _recursive(copy_of, call_function) if recursive else copy_of,
                       call_function)


def _copy_of(layer):
    with generations.reading(generations.of_parts(layer)):
        return type(layer).from_config(layer.get_config())


def _recursive(copy_of, call_function):
    """`copy_of` for layers, and for models inside, whose layers are copied one by one."""
    copies = {}

    def copy(layer):
        if id(layer) not in copies:
            is_stack = hasattr(layer, 'clone_layers')
            if is_stack or getattr(layer, 'layer_graph', None) is not None:
                copies[id(layer)] = _cloned(layer, None, copy, None if is_stack else call_function)
            else:
                copies[id(layer)] = copy_of(layer)
        return copies[id(layer)]
    return copy


def _given_inputs(graph, model, given):
    """`input_tensors` as inputs, in the order of those of the graph."""
    is_named = isinstance(given, dict)
    if isinstance(graph.input_structure, dict) and (not is_named or set(given) != set(graph.input_structure)):
        raise ValueError('clone_model: `input_tensors` must have the same structure as model.input: a dictionary with '
                         'the keys %s. Received: %r' % (sorted(graph.input_structure), given))
    given = graph.leaves_of(given) if is_named else tree.flatten(given) if isinstance(given, (list, tuple)) else [given]
    if len(given) != len(graph.inputs):
        raise ValueError('clone_model: model %s has %d inputs (%s), input_tensors holds %d tensors.' % (
            model.name, len(graph.inputs), ', '.join(graph.input_names), len(given)))
    return [Input(tensor=tensor, name=None if is_symbolic(tensor) else 'input_wrapper_for_' + name)
            for tensor, name in zip(given, graph.input_names)]


def _cloned(model, input_tensors, copy_of, call_function):
    if input_tensors is not None:
        input_tensors = _given_inputs(model.required_graph(), model, input_tensors)
    if hasattr(model, 'clone_layers'):
        made = model.clone_layers(copy_of, input_tensors)
        if getattr(model, 'optimizer', None) is not None and model.ruled('clones_of_stacks_are_compiled'):
            made.compile_from_config(model.get_compile_config())
        return made
    graph = model.required_graph()
    tensors = input_tensors or clone_inputs(graph)
    copies = {id(layer): copy_of(layer) for layer in graph.layers if not layer.is_input}
    mapped = {id(old): new for old, new in zip(graph.inputs, tensors)}
    for node in graph.layer_nodes:
        kwargs = {key: value for key, value in node.kwargs.items() if key not in node.implicit}
        args, kwargs = tree.map_structure(lambda leaf: mapped.get(id(leaf), leaf), [list(node.args), kwargs])
        operation = copies.get(id(node.operation))
        if operation is None:
            operation = node.operation
            if isinstance(operation, Closure):  # whose functions may call layers of the model
                operation = closures.read(closures.written(operation),
                                          {layer.name: copies[id(layer)] for layer in closures.layers_in(operation)})
            outputs = operation.call(*args, **kwargs)
        else:
            outputs = call_function(operation, *args, **kwargs) if call_function else operation(*args, **kwargs)
        mapped.update(zip(map(id, node.outputs), tree.flatten(outputs)))
    outputs = tree.map_structure(lambda tensor: mapped[id(tensor)], graph.given_outputs)
    inputs = tree.pack_as(graph.given_inputs, tensors)
    made = Model(inputs, outputs, name=model.name)
    if call_function is not None:
        return made
    made.layer_graph.arrange([copies[id(layer)] if id(layer) in copies
                              else mapped[id(layer.inbound_nodes[0].outputs[0])].node.operation
                              for layer in graph.layers])
    return made


def _is_among(layer, filters):
    """Whether a layer is one of those that `filters` says, see `Model.quantize`."""
    if filters is None or callable(filters):
        return filters is None or bool(filters(layer))
    return any(re.search(pattern, layer.name) for pattern in ([filters] if isinstance(filters, str) else filters))


def _path_of(tensor, structure):
    """The keys on the way to `tensor` in a structure, with dots between them."""
    return next(('.'.join(map(str, path)) for path, leaf in zip(tree.paths(structure), tree.flatten(structure))
                 if leaf is tensor), '')
