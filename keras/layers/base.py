"""`Layer`: weights, building, calling on symbolic and on native tensors, and the configuration of a layer.

How a call goes: symbolic inputs record a node (the layer's `call` is not run when it has a shape rule);
native tensors run `call` at once. What is the same for every call is found out once per class
(`signature_of`) or once per instance, never per call.
"""
import functools
import inspect
import itertools
import re
import warnings

import numpy as np

from keras import config as settings, dtype_policies, generations
from keras.backend.contract import placement, tree
from keras.backend.contract.context import (carried, carry_mask, context, known_mask, learning_phase, runs_at_once)
from keras.backend.contract.ledger import AbstractLedger, FacingLedger, holding
from keras.backend.contract.loading import (
    active, engine_name, get_engine, is_native, is_ragged, join, known_engine, meet_the_engine)
from keras.backend.contract.rules import AbstractTensor, Shape, is_float
from keras.backend.contract.scripts import run_script, scripted
from keras.backend.graph.nodes import Node, say_where
from keras.backend.graph.operations import Operation
from keras.backend.graph.reads import symbol_of
from keras.backend.graph.tensors import KerasTensor, any_symbolic
from keras.backend.state.remat import Rematerialized, take_scope
from keras.backend.state.scopes import checked_name
from keras.backend.state.uids import numbered_name
from keras.backend.state.variables import Variable
from keras.backend.table import abstract, primitives
from keras.backend.table.composites.shape import dtype_of
from keras.configurable import Configurable, declared_config
from keras.layers import automatic
from keras.layers.additions import Additions
from keras.layers.arguments import WITH_WARNING, checked_sizes, drop_without_effect
from keras.layers.call_context import ContextArguments
from keras.layers.captured import abstract_result, mark_sparse, run_captured, run_recorded, with_captured
from keras.layers.calls import calls, inside, is_ours, note_mask, path_inside, running, signature_of
from keras.layers.graph_view import GraphView
from keras.layers.input_spec import InputSpec  # noqa: F401  (part of the address keras.layers.base)
from keras.layers.noted import Noted
from keras.layers.quantizable import Quantizable
from keras.layers.rows import (evaluated, filled, has_rows, in_rows, mark_rows, rows_given, rows_mapped,
                               run_in_rows)
from keras.layers.shapes import map_shapes, plain_shapes, shape_of, shaped, shapes_of
from keras.layers.weights import WeightOwner
from keras.layers.wrapped import building, laying_out, with_training, with_training_instead
from keras.layers.yielding import yielding
from keras.legacy import calls as calls_of_keras1
from keras.legacy.arguments import quietly
from keras.legacy.class_paths import known_as
from keras.saving import forms
from keras.saving.serialization import InvalidConfig


# An engine that is at hand gives its class to `Layer` before there are any others: to change the bases of all classes
# of layers takes longer than a first training step on PyTorch.
meet_the_engine()


class UnknownArgument(TypeError, ValueError):
    """A keyword argument that a layer does not know: a TypeError in Keras 2, a ValueError in Keras 3."""


class Layer(WeightOwner, GraphView, Additions, Quantizable, Rematerialized, ContextArguments, Configurable,
            known_as('keras.src.layers.layer.Layer', 'keras.engine.base_layer.Layer'),
            *active.layer_bases()):
    """The base of all layers: a function of tensors with weights of its own.

    Args:
        trainable: whether `fit` changes the weights. name: default: the class in snake case and a number.
        dtype: a float type of weights and computation, or a `keras.DTypePolicy` (its name, its config) such as
            'mixed_bfloat16', which keeps the weights in float32 and computes in 16 bits; default the global policy.
        activity_regularizer: function of the output that adds to the loss, or its name.
        kwargs: `input_shape` or `batch_input_shape` for the first layer of a Sequential model (`input_dim` and
            `input_length` mean the same in shorter words), `batch_size`, `weights` (initial values).

    A subclass defines `call(inputs)` and, where it has weights, `build(input_shape)`; it may define
    `compute_output_shape`, `compute_mask` and `get_config`.

    Example:
        >>> class Scale(keras.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(name='factor', shape=input_shape[-1:], initializer='ones')
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(keras.Input((3,))).shape
        (None, 3)
    """
    is_input = False
    input_spec = None
    # Subclasses without `get_config` have the arguments of their constructors as their config.
    arguments_make_config = True
    # Whether the input is (batch, steps, size), of which `input_length` and `input_dim` give the last two.
    takes_steps = False
    supports_masking = False
    # Whether Keras 3's configs of the class have an `activity_regularizer` where there is none, too.
    names_regularizer = False
    # Whether there is never anything to build, unless a subclass says `build`.
    nothing_to_build = False
    stateful = False
    dynamic = False
    # Whether a `build` that is called by hand does all that one before a call does.
    notes_builds = True
    # Whether what `call` gets is made tensors of the engine. Layers of KerasHub say no: they want strings, too.
    _convert_input_args = True
    # Whether the layer itself gives `call` the masks of several tensors.
    fills_in_masks = False
    # Whether `build` runs.
    runs_build = False
    # Whether `call` ran before, so that the layers inside are built.
    _has_run = False
    # Whether calls train that do not say it, as scripts for the engine's library have set it; None: as Keras has it.
    mode_of_calls = None
    # Arguments of other generations that change nothing here: {name: the only value that is taken, ANY for all}.
    without_effect = {}
    # Arguments of `call` that the layer gives itself on symbolic inputs; they are no part of a config. `captured` is
    # the graph of `call`, where that has to be a part of the graph, and what it takes from around it.
    implicit_arguments = ('captured',)
    # Whether a chain of layers that run with the channels first may begin here: the layer gains by it.
    begins_channels_first = False
    # Whether floats give floats. A subclass with a shape rule of its own and other outputs says so here.
    floats_give_floats = True
    # What subclasses override in other Kerases, and without effect here.
    not_asked = frozenset()
    _OF_THE_GRAPH = ('_inbound_nodes', '_outbound_nodes', '_call_losses', '_call_metrics', '_symbolic_losses',
                     '_symbolic_metrics', '_symbolic_updates')

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # Keras 1 called the shape rule so; a class that defines one of the two has both.
        own = vars(cls)
        rule = own.get('compute_output_shape') or own.get('get_output_shape_for')
        if rule is not None:
            rule = shaped(rule) if is_ours(cls) else rule
            cls.compute_output_shape = rule
            cls.get_output_shape_for = own.get('get_output_shape_for', rule)
        for name in cls.not_asked.intersection(own) if not is_ours(cls) and 'call' not in own else ():
            warnings.warn('%s.%s is never called: here %s does not go by it. Override `call` instead.'
                          % (cls.__name__, name, cls.__mro__[1].__name__), stacklevel=2)
        if inspect.isfunction(own.get('build')) and (cls.notes_builds or not is_ours(cls)):
            cls.build = _noted(own['build']) if cls.notes_builds else _placed(own['build'])

    def __new__(cls, *args, **kwargs):
        meet_the_engine()
        # State lives here rather than in __init__ so that layers work whose __init__ sets attributes first.
        self = super().__new__(cls)
        self.start_weights()
        self.start_graph_view()
        self.start_additions()
        self._direct_dtype = self._direct_shape = None
        self._ignores_phase = False
        self._built_for = None
        self._path = None
        self._policy = None
        self.take_policy(dtype_policies.current())
        self._activity_regularizer = None
        if automatic.notes_arguments(cls):
            self._given_arguments = args, kwargs
        take_scope(self)
        return self

    def __init__(self, trainable=True, name=None, dtype=None, activity_regularizer=None, autocast=True, **kwargs):
        self.name = name or self._default_name()
        if self.ruled('names_have_no_slash'):
            checked_name(self.name, type(self).__name__)
        if not isinstance(trainable, (int, np.bool_)) or type(trainable) is int and self.ruled('trainable_is_boolean'):
            raise ValueError('Layer %s (%s): expected argument `trainable` to be a boolean. Received: trainable=%r'
                             % (self.name, type(self).__name__, trainable))
        self._trainable = bool(trainable)
        if dtype is not None:
            self.take_policy(dtype_policies.get(dtype))
        self.autocast = autocast
        if activity_regularizer is not None:
            from keras import regularizers
            self.activity_regularizer = regularizers.get(activity_regularizer)
        self._read_input_arguments(kwargs)
        drop_without_effect(kwargs, self)
        if kwargs:
            self.refuse_arguments(kwargs)

    def refuse_arguments(self, unknown):
        """Raise TypeError for the `unknown` keyword arguments of a constructor."""
        raise UnknownArgument(
            '%s: unknown keyword argument %s. Arguments that every layer takes: name, dtype, trainable, '
            'activity_regularizer, input_shape, batch_input_shape, batch_size, weights. (Unrecognized keyword '
            'arguments passed to %s: %.300r)'
            % (type(self).__name__, ', '.join(map(repr, sorted(unknown))), type(self).__name__, unknown))

    def _default_name(self):
        name = type(self).__name__
        return numbered_name(self.words_of(name) if self.ruled('names_in_snake_case') else name.lower())

    def words_of(self, name):
        """The name of a class in lower case, with an underscore between words, as the generation has it."""
        return snake_case(name, self.ruled('digits_make_words'))

    def _read_input_arguments(self, kwargs):
        self._initial_weights = kwargs.pop('weights', None)
        batch_size = kwargs.pop('batch_size', None)
        input_dtype = kwargs.pop('input_dtype', None)
        if input_dtype is not None:
            self.input_dtype = input_dtype
        shape = kwargs.pop('input_shape', None)
        batch_shape = kwargs.pop('batch_input_shape', kwargs.pop('batch_shape', None))
        input_dim, input_length = kwargs.pop('input_dim', None), kwargs.pop('input_length', None)
        if shape is None and input_dim is not None:
            shape = (input_length, input_dim) if self.takes_steps else (input_dim,)
        if batch_shape is None and shape is not None:
            shape = (shape,) if isinstance(shape, int) else tuple(shape)
            batch_shape = (batch_size,) + shape
        if batch_shape is not None:
            several = bool(batch_shape) and all(isinstance(shape, (list, tuple)) for shape in batch_shape)
            self.batch_input_shape = tuple(checked_sizes(shape, self.name) for shape in batch_shape) if several \
                else checked_sizes(batch_shape, self.name)

    @classmethod
    def from_config(cls, config):
        """A layer from what `get_config` gave."""
        # Configs of other generations hold what has no effect there either: no reason to warn.
        known = {name: value for name, value in config.items() if cls.without_effect.get(name) is not WITH_WARNING}
        if isinstance(known.get('dtype'), dict):
            policy = dtype_policies.get(known['dtype'])
            # Subclasses may know names only.
            plain = not isinstance(policy, dtype_policies.DTypePolicyMap) and policy.quantization_mode is None
            known['dtype'] = policy.name if plain else policy
        with quietly():
            try:
                return automatic.made_from(cls, known) if automatic.notes_arguments(cls) else cls(**known)
            except Exception as error:
                if isinstance(error, InvalidConfig) or not generations.value('wrong_configs_are_type_errors'):
                    raise
                raise InvalidConfig('Error when deserializing class %r using config=%.500r. Exception encountered: %s'
                                    % (cls.__name__, config, error)) from error

    # --- what subclasses define --------------------------------------------------------------------------------

    def build(self, input_shape):
        """Make the weights, given the shape of the input (a list of shapes for a list of inputs)."""
        self.built = True

    def _build_at_init(self):
        # So subclasses written for Keras 3 say that their constructor makes all weights.
        self.built = self._built or type(self).build is Layer.build

    def call(self, inputs, **kwargs):
        """The computation.

        Raises:
            NotImplementedError: in Keras 3's generation, where a layer has no `call` of its own.
        """
        if self.ruled('call_has_to_be_written'):
            raise NotImplementedError('Layer %s does not have a `call` method implemented (layer %r). The usual cause: '
                                      'the method has another name, or is indented too far.'
                                      % (type(self).__name__, self.name))
        return inputs

    @shaped
    def compute_output_shape(self, input_shape):
        """The shape of the output for `input_shape`; None stands for unknown sizes.

        The default runs `call` on the abstract engine; a rule that goes on from the default gets `input_shape`, in
        Keras 2.
        """
        if type(self).compute_output_shape is not Layer.compute_output_shape and self.ruled('default_shape_is_input'):
            return input_shape
        if input_shape is None and type(self).call is Layer.call:
            raise NotImplementedError('Layer %s does not have a `compute_output_shape` method implemented. Define '
                                      '`compute_output_shape(self, input_shape)` in its class, or `call`.'
                                      % type(self).__name__)
        return self.shape_by_running(input_shape)

    get_output_shape_for = compute_output_shape

    def shape_by_running(self, input_shape):
        """The shape of what `call` gives on the abstract engine."""
        self.ensure_built(input_shape)
        inputs = map_shapes(lambda shape: AbstractTensor(shape, self.compute_dtype), input_shape)
        return tree.map_structure(lambda out: out.shape, self.abstract_outputs([inputs], {}))

    def compute_output_spec(self, *args, **kwargs):
        """What a call on symbolic tensors gives: symbolic tensors of the shapes and dtypes, which are in no graph.

        A subclass may define it, for outputs that do not follow from the shapes of the inputs alone.
        """
        self.ensure_built_for(signature_of(type(self)), args, kwargs)
        outputs = self._unlisted(self._symbolic_outputs(list(args), dict(kwargs)))
        return tree.map_structure(lambda spec: KerasTensor(spec.shape, spec.dtype), outputs)

    def compute_output_signature(self, input_signature):
        """The signatures (`tf.TensorSpec`, or what else has `shape` and `dtype`) of outputs for those of inputs."""
        shape = self.compute_output_shape(tree.map_structure(lambda spec: tuple(spec.shape), input_signature))
        kind = type(tree.flatten(input_signature)[0])
        several = isinstance(shape, list) and shape and isinstance(shape[0], (list, tuple))
        made = [kind(shape=tuple(each), dtype=self.compute_dtype) for each in (shape if several else [shape])]
        return made if several else made[0]

    def symbolic_call(self, *args, **kwargs):
        """What a call on symbolic tensors gives, see `compute_output_spec`."""
        return self.compute_output_spec(*args, **kwargs)

    def compute_mask(self, inputs, mask=None):
        """The mask of the output, given those of the inputs: by default the same one, if masks are supported.

        Raises:
            TypeError: for a mask, where masks are not supported; tf.keras and Keras 3 warn.
        """
        if not self.supports_masking:
            if any(leaf is not None for leaf in tree.flatten(mask)):
                if self.ruled('mask_has_to_be_supported'):
                    raise TypeError('Layer %s does not support masking, but its input has a mask: %r. Set '
                                    'supports_masking = True or define compute_mask in its class %s, or put a layer '
                                    'before it that ends the mask.' % (self.name, mask, type(self).__name__))
                warnings.warn('Layer %s does not support masking; the mask of its input ends here.' % self.name,
                              stacklevel=3)
            return None
        return mask

    def get_config(self):
        """The constructor's arguments as plain values, enough for `from_config`."""
        result = {'name': self.name, 'trainable': self._trainable, 'dtype': self._written_policy()}
        if hasattr(self, 'batch_input_shape') and not forms.is_full(self):
            result['batch_input_shape'] = self.batch_input_shape
        result.update(declared_config(self))
        if result.get('activity_regularizer', 0) is None and not self.names_regularizer \
                and self.ruled('configs_name_no_activity_regularizer'):
            del result['activity_regularizer']
        if self.activity_regularizer is not None and 'activity_regularizer' not in result:
            from keras import regularizers
            result['activity_regularizer'] = regularizers.serialize(self.activity_regularizer)
        if automatic.notes_arguments(type(self)):
            return automatic.config_of(self, self._given_arguments, result)
        return result

    # --- dtype -------------------------------------------------------------------------------------------------

    @property
    def dtype(self):
        """The float type of the weights."""
        return self._dtype

    @property
    def compute_dtype(self):
        """The float type of the computation."""
        return self._calls_in or self._dtype

    # By these names subclasses written for tf.keras and Keras 3 find them.
    _compute_dtype = yielding(lambda self: self.compute_dtype)
    _dtype_policy = yielding(lambda self: self._policy)

    @yielding
    def input_dtype(self):
        """The float type that inputs are brought to: that of the computation."""
        return self.compute_dtype

    @property
    def dtype_policy(self):
        """The `keras.DTypePolicy` of the layer."""
        return self._policy

    @dtype_policy.setter
    def dtype_policy(self, policy):
        policy = dtype_policies.get(policy)
        if isinstance(self._policy, dtype_policies.DTypePolicyMap) and self.path in self._policy:
            self._policy.pop(self.path)
        if isinstance(self._policy, dtype_policies.DTypePolicyMap) \
                and not isinstance(policy, dtype_policies.DTypePolicyMap):
            self._policy[self.path] = policy
            policy = self._policy
        self.take_policy(policy)

    def take_policy(self, policy):
        """Compute by a `DTypePolicy` from now on."""
        self._policy = policy
        self._follow_policy()

    def _follow_policy(self):
        policy = self.own_policy()
        self._dtype, own = policy.variable_dtype, policy.compute_dtype
        self._calls_in = own if own != self._dtype or own in self.types_of_cells() else None
        self._direct_dtype = None
        if policy.quantization_mode is not None:
            self.follow_quantization(policy)

    def own_policy(self):
        """The policy of the layer itself, where those of several stand in one map."""
        if isinstance(self._policy, dtype_policies.DTypePolicyMap):
            return self._policy[self._path or self.__dict__.get('name', '')]
        return self._policy

    def _written_policy(self):
        """The policy as the configs of the layer's generation have it."""
        form, policy = self.ruled('dtype_in_configs'), self._policy
        inner = {layer.path: layer.own_policy() for layer in self.walk_layers()
                 if layer is not self and layer.quantization_mode is not None}
        if inner and not isinstance(policy, dtype_policies.DTypePolicyMap):  # layers inside are made by this one
            policy = dtype_policies.DTypePolicyMap(policy.name, inner)
        if isinstance(policy, dtype_policies.DTypePolicyMap) or form == 'DTypePolicy' \
                or policy.quantization_mode == 'float8':
            return dtype_policies.serialize(policy)
        if form == 'Policy' and self._calls_in not in (None, self._dtype):
            return {'class_name': 'Policy', 'config': {'name': policy.name}}
        return policy.name

    @property
    def metrics_variables(self):
        """The variables of the metrics that the layer has."""
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def variable_dtype(self):
        """The float type of the weights."""
        return self._dtype

    # --- what decides how calls go -------------------------------------------------------------------------------

    @property
    def built(self):
        """Whether the weights are there. Set it to False to have them made anew, for the next input."""
        return self._built or self.nothing_to_build and type(self).build is Layer.build \
            and self.ruled('built_from_the_start')

    @built.setter
    def built(self, value):
        self._built, self._was_built = bool(value), self._was_built or bool(value)
        self._direct_dtype = None
        if value and not self._trainable and self.ruled('trainable_reaches_weights'):
            self.tell_weights()

    @property
    def activity_regularizer(self):
        """The function of the output that adds to the loss, or None."""
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, regularizer):
        self._activity_regularizer = regularizer
        self._direct_dtype = None

    @property
    def uses_learning_phase(self):
        """Whether the output is another one in training than in prediction: `call` asks, and no rate of 0 answers."""
        rates = [getattr(self, name) for name in ('rate', 'dropout', 'recurrent_dropout') if hasattr(self, name)]
        parts = self.own_parts()[1] if signature_of(type(self)).takes_training and not rates else ()
        if parts:
            return any(part.uses_learning_phase for part in parts)
        return signature_of(type(self)).takes_training and (not rates or any(rates))

    # --- calling -----------------------------------------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        # The short way: one native tensor of the layer's own dtype, nothing to decide.
        if len(args) == 1 and not kwargs:
            inputs = args[0]
            if type(inputs) in active.native and inputs.dtype is self._direct_dtype \
                    and (self._direct_shape is None or self._direct_shape == inputs.shape) \
                    and learning_phase.value is None \
                    and (calls.losses is None or self._ignores_phase and not calls.masks) and not carried:
                previous, context.running = context.running, True
                try:
                    scripts = active.engine.rewrites_scripts
                    return run_script(self.call, (inputs,), {}) if scripts else self.call(inputs)
                except Exception as error:
                    if isinstance(error, AttributeError) and self.accept_substitutes():
                        return self._call_with(args, kwargs)
                    self.assert_input_compatibility(inputs)
                    say_where(error, self)
                    raise
                finally:
                    context.running = previous
        if '_call_context_args' in self.__dict__:
            return self.within_context(self._call_in_context, args, kwargs)
        return self._call_with(args, kwargs)

    def has_been_called(self):
        """Whether it ran, or stands in a graph."""
        return self._has_run or bool(self.inbound_nodes)

    def _call_in_context(self, *args, **kwargs):
        return self._call_with(args, kwargs)

    def _call_with(self, args, kwargs):
        signature = signature_of(type(self))
        by_name = not args
        if by_name:
            args, kwargs = self._positional(signature, kwargs)
        if len(args) > 1 and self.ruled('flags_are_given_by_name'):
            self._check_positional(signature, args)
        if signature.masked and not self.fills_in_masks and self.ruled('masks_by_argument'):
            kwargs = self._with_masks(signature, args, kwargs)
        if any_symbolic([list(args), kwargs]) and not context.abstract and context.tracing is None:
            first = signature.names[0] if by_name and self.ruled('first_argument_by_name') else None
            return self.call_symbolically(signature, list(args), dict(kwargs), first=first)
        if self._reads_in_graph(args[0]):
            args = (tree.map_structure(symbol_of, args[0]),) + args[1:]
            return self.call_symbolically(signature, list(args), dict(kwargs))
        if self.hooked and not context.abstract:
            return self.with_hooks(self._call_hooked)(*args, **kwargs)
        return self._call_on_values(signature, list(args), dict(kwargs))

    def _call_hooked(self, *args, **kwargs):
        return self._call_on_values(signature_of(type(self)), list(args), dict(kwargs))

    def call_past_hooks(self, args, kwargs):
        """The call, without the hooks of the engine's library."""
        return self._call_hooked(*args, **kwargs) if self.hooked else self(*args, **kwargs)

    def _check_positional(self, signature, args):
        """Raise ValueError for numbers and text that are given by position behind the first argument of `call`."""
        for name, value in zip(signature.names[1:], args[1:]):
            if isinstance(value, (bool, int, float, str)):
                raise ValueError('Layer %s (%s): Only input tensors may be passed as positional arguments. Pass %r by '
                                 'name: %s=%r.' % (self.name, type(self).__name__, value, name, value))

    def _reads_in_graph(self, inputs):
        """Whether `inputs` are variables and nothing else, which a call of Keras 2 reads whenever its graph runs."""
        given = inputs if type(inputs) in (list, tuple) else [inputs]
        return bool(given) and all(isinstance(each, Variable) for each in given) and not runs_at_once() \
            and context.tracing is None and self.ruled('variables_are_read_in_graph')

    def _with_masks(self, signature, args, kwargs):
        """`kwargs` with the masks of tensors for which `call` has arguments, `x_mask` for `x`."""
        given = dict(zip(signature.names, args))
        given.update(kwargs)
        found = {mask: tree.map_structure(mask_of, given[name]) for name, mask in signature.masked
                 if given.get(name) is not None and given.get(mask) is None}
        found = {name: mask for name, mask in found.items() if any(leaf is not None for leaf in tree.flatten(mask))}
        self.implicit_arguments = type(self).implicit_arguments + tuple(found)
        return dict(kwargs, **found)

    def _positional(self, signature, kwargs):
        first = signature.names[0] if signature.names else None
        if first not in kwargs:
            raise TypeError('Layer %s was called without an input.' % self.name)
        kwargs = dict(kwargs)
        return (kwargs.pop(first),), kwargs

    # --- on symbolic tensors

    def call_symbolically(self, signature, args, kwargs, register=True, first=None):
        implicit = ()
        rows, masks = rows_given(self, args[0])
        if signature.takes_mask and kwargs.get('mask') is None and len(args) < 2 + signature.names.index('mask') - 1:
            if any(mask is not None for mask in tree.flatten(masks)):
                kwargs['mask'], implicit = masks, ('mask',)
        elif kwargs.get('mask') is not None:
            masks = kwargs['mask']
        if kwargs.get('training', 0) is None:
            del kwargs['training']
        self._check_names(signature, kwargs)
        self.ensure_built_for(signature, args, kwargs)
        self.assert_input_compatibility(args[0])
        if type(self).call.__module__.startswith('keras.'):
            self.accept_substitutes()
        captured = self._captured(signature, args, kwargs)
        if captured is not None:
            kwargs['captured'] = captured
        implicit += tuple(name for name in self.implicit_arguments if name in kwargs)
        outputs, ragged = (self._symbolic_outputs(args, kwargs), None) if rows is None else evaluated(
            self._scripted_call, *tree.map_structure(self._described, [args, kwargs]), rows)
        if rows is not None:
            kwargs['rows'], implicit = rows, implicit + ('rows',)
        outputs = self._unlisted(outputs)
        if outputs is None:
            raise ValueError('Layer %s (%s) gave None. The usual cause: a `call` or a function without `return`.'
                             % (self.name, type(self).__name__))
        node = Node(self, args, kwargs, outputs, implicit, first=first)
        node.phase = learning_phase.value
        mark_sparse(node, self)
        if register:
            self.note_call(node)
        self._attach_masks(node, args[0], masks)
        mark_rows(node, signature.takes_mask, ragged)
        return node.output_structure

    def _check_names(self, signature, kwargs):
        """Take out of `kwargs` what every call may be given; whatever else `call` does not take is an error."""
        if signature.has_kwargs:
            return
        for name in set(kwargs).difference(signature.names):
            if name not in ('training', 'mask'):
                raise TypeError('Layer %s (%s) was called with an argument %r that its `call` does not take. It takes: '
                                '%s.' % (self.name, type(self).__name__, name, ', '.join(signature.names)))
            del kwargs[name]

    def _captured(self, signature, args, kwargs):
        """The graph of `call` and what it takes from around it, see `with_captured`; None where it simply runs."""
        return with_captured(self.call, args[0], kwargs) if self._asks_for_gradients() else None

    def _asks_for_gradients(self):
        """Whether `call` calls `K.gradients`, so that it has to be a part of the graph."""
        return signature_of(type(self)).asks_for_gradients

    def runs_scripts(self):
        """Whether `call` is code of the user."""
        return self.runs_given_code or not is_ours(type(self).call)

    def takes_rows(self):
        """Whether `call` gets ragged tensors as they are; others get them filled up, with a mask."""
        return self.runs_scripts()

    def _outputs_of_call(self, args, kwargs):
        try:
            return self._outputs(args, kwargs)
        except AttributeError:
            if not self.accept_substitutes():
                raise
            return self._outputs(args, kwargs)

    def _outputs(self, args, kwargs):
        if self._asks_for_gradients():
            return run_recorded(self.call, args[0], kwargs)
        call = self.call
        if placement.current[0] is not None and placement.output_layout(self.path) is not None:
            call = laying_out(call, placement.output_layout(self.path))
        if self._reads_otherwise() or type(context.ledger) is FacingLedger:
            return self.run_in_compute_dtype(scripted(call), args, kwargs)
        return run_script(call, args, kwargs)

    def _reads_otherwise(self):
        """Whether weights read otherwise in `call` than they are kept."""
        return self._calls_in is not None and self.autocast

    def run_in_compute_dtype(self, function, args, kwargs):
        """`function` of a call, where weights read otherwise than they are kept."""
        with FacingLedger(self._calls_in if self.autocast else None):
            return function(*args, **kwargs)

    def _attach_masks(self, node, inputs, masks):
        if type(self).compute_mask is Layer.compute_mask and all(mask is None for mask in tree.flatten(masks)):
            return
        if isinstance(masks, (list, tuple)) and all(mask is None for mask in masks):
            masks = None if not isinstance(inputs, (list, tuple)) else masks
        mask = self.compute_mask(inputs, masks)
        if mask is None:
            return
        for tensor, one in zip(node.outputs, tree.flatten(mask)):
            tensor.mask = one

    def _unlisted(self, outputs):
        """What comes out of a call, on the graph and in a run, for the `outputs` of `call`."""
        alone = type(outputs) is list and len(outputs) == 1 and self.ruled('list_of_one_is_it')
        return outputs[0] if alone else outputs

    def _symbolic_outputs(self, args, kwargs):
        """The structure of AbstractTensors that the call gives."""
        if 'captured' in kwargs:
            return abstract_result(kwargs['captured'])
        if type(self).compute_output_spec is not Layer.compute_output_spec:
            specs = self.compute_output_spec(*args, **kwargs)
            return tree.map_structure(lambda spec: AbstractTensor(spec.shape, spec.dtype), specs)
        has_rule = type(self).compute_output_shape is not Layer.compute_output_shape and not self._rule_is_call()
        outgrew = signature_of(type(self)).outgrew_shape_rule
        if has_rule and (outgrew or self._call_builds()):
            try:
                outputs = self.abstract_outputs(args, kwargs)
                if outgrew and outputs is not None:
                    return outputs
            except Exception:  # `call` may be code that takes nothing but numbers; the shape rule is all there is then
                pass
        if has_rule and len(args) == 1 and not signature_of(type(self)).rule_takes_several:
            shapes = tree.map_structure(lambda x: Shape(x.shape), args[0])
            dtypes = self._output_dtypes(args, kwargs)
            try:
                return map_shapes(lambda shape: AbstractTensor(shape, next(dtypes)), self.compute_output_shape(shapes))
            except StopIteration:  # the rule describes more outputs than `call` gives
                pass
        try:
            return self.abstract_outputs(args, kwargs)
        except Exception:  # `call` of several tensors may be code that takes nothing but numbers, too
            if not has_rule or len(args) + len(kwargs) < 2:
                raise
            return self._outputs_by_rule(args, kwargs)

    def _outputs_by_rule(self, args, kwargs):
        """What the shape rule says of a call with several tensors, in the layer's type.

        As in Keras 3 its arguments are those of `call` with `_shape` behind them, or it has one, for the first.
        """
        shapes = {name + '_shape': shapes_of(value) for name, value in
                  list(zip(signature_of(type(self)).names, args)) + list(kwargs.items())
                  if any(isinstance(leaf, AbstractTensor) for leaf in tree.flatten(value))}
        wanted = [name for name in inspect.signature(self.compute_output_shape).parameters if name in shapes]
        found = self.compute_output_shape(**{name: shapes[name] for name in wanted}) if len(wanted) > 1 \
            else self.compute_output_shape(shapes_of(args[0]))
        return map_shapes(lambda shape: AbstractTensor(shape, self.compute_dtype), found)

    def _rule_is_call(self):
        """Whether the shape rule, too, runs `call`, on a tensor of the dtype of the layer instead of the input's."""
        return False

    def _call_builds(self):
        """Whether there are layers inside that get their weights when `call` runs."""
        return type(self).build is Layer.build and any(not layer.built for layer in self.own_parts()[1])

    def _output_dtypes(self, args, kwargs):
        """An iterator over the dtypes of the outputs."""
        given = [leaf.dtype for leaf in tree.flatten(args) if isinstance(leaf, AbstractTensor)]
        if self.floats_give_floats and (all(is_float(dtype) for dtype in given) or self.weights):
            kept = set(given) if self._keeps_dtypes() and given else {self.compute_dtype}
            if len(kept) == 1:
                return itertools.repeat(*kept)
        try:
            return iter([leaf.dtype for leaf in tree.flatten(self.abstract_outputs(args, kwargs))])
        except Exception:  # `call` may be code that takes nothing but numbers; the shape rule is all there is then
            return itertools.repeat(given[0])

    def abstract_outputs(self, args, kwargs):
        args, kwargs = tree.map_structure(self._described, args), tree.map_structure(self._described, kwargs)
        try:
            with AbstractLedger(), running(kwargs.get('training')), inside(self):
                outputs = self._outputs_of_call(args, kwargs)
        except Exception as error:
            say_where(error, self)
            if getattr(error, 'keras_explained', False):
                raise
            outputs = self._engine_outputs(args, kwargs, error)
        return tree.map_structure(lambda out: out if out is None else abstract.abstracted(out), outputs)

    def _engine_outputs(self, args, kwargs, error):
        """For layers that call the engine directly: the engine's own abstract evaluation."""
        try:
            return evaluated(self._scripted_call, args, kwargs)[0]
        except Exception:
            raise error

    def _scripted_call(self, *args, **kwargs):
        with running(None), inside(self):
            return run_script(self.call, args, kwargs)

    # --- on values

    def _call_on_values(self, signature, args, kwargs):
        given = args[0]
        if self._convert_input_args:
            args, kwargs = self._converted(args), self._converted(kwargs)
        if not self._built:
            self.ensure_built_for(signature, args, kwargs)
            if self._convert_input_args and not self._keeps_dtypes():  # now that it has weights
                args, kwargs = self._converted(args), self._converted(kwargs)
        self.assert_input_compatibility(args[0])
        made = len(self.weights_made())
        training = self._training_flag(signature, kwargs)
        ragged = has_rows(given) and not self.takes_rows()
        mask = self._values_mask(signature, args[0] if ragged else given, kwargs)
        if calls.losses is None:
            with running(training) as block:
                outputs = self._run_with(args, kwargs, mask)
                masks = calls.masks
            if masks and calls.masks is not None:
                calls.masks.update(masks)
            elif masks:
                for tensor in tree.flatten(outputs):
                    if id(tensor) in masks:
                        carry_mask(*masks[id(tensor)])
            self._call_losses, self._call_metrics, losses = block.losses, block.metrics, block.losses
        else:
            before = len(calls.losses)
            outputs = self._run_with(args, kwargs, mask)
            losses = calls.losses[before:]
        result = self._unlisted(in_rows(outputs) if ragged else outputs)
        if len(args) == 1 and mask is None and not losses and args[0] is given and type(given) in active.native \
                and result is outputs and made == len(self.weights_made()):
            self._remember_direct(signature, given)
        return result

    def _training_flag(self, signature, kwargs):
        """The flag for this call and the calls inside it: the argument, else the outer call's, else the default."""
        training = kwargs.get('training')
        if training is None:
            training = context.training
        if training is None:
            training = learning_phase.value if self.mode_of_calls is None else self.mode_of_calls
        if training is None and signature.defaults.get('training') is not None:
            training = signature.defaults['training']
        if signature.takes_training and training is not None:
            kwargs['training'] = training
        elif not signature.takes_training and not signature.has_kwargs:
            kwargs.pop('training', None)
        return training

    def _values_mask(self, signature, given, kwargs):
        mask = kwargs.get('mask')
        # What scripts carry from call to call ends in silence where it is not supported.
        if mask is None and (calls.masks or carried and (
                signature.takes_mask or self.supports_masking or type(self).compute_mask is not Layer.compute_mask)):
            mask = tree.map_structure(known_mask, given)
            if all(leaf is None for leaf in tree.flatten(mask)):
                mask = None
            elif signature.takes_mask:
                kwargs['mask'] = mask
        if not signature.takes_mask and not signature.has_kwargs:
            kwargs.pop('mask', None)
        return mask

    def _run_with(self, args, kwargs, mask):
        previous = context.training
        if 'training' in kwargs:
            context.training = kwargs['training']
        try:
            if self._has_run:
                outputs = self._outputs_of_call(args, kwargs)
            else:
                with inside(self):
                    outputs = self._outputs_of_call(args, kwargs)
                self._has_run = True
        except Exception as error:
            say_where(error, self)
            raise
        finally:
            context.training = previous
        if self.activity_regularizer is not None:
            self.add_activity_losses(outputs)
        if mask is not None or type(self).compute_mask is not Layer.compute_mask:
            self._note_masks(args[0], mask, outputs)
        return outputs

    def _note_masks(self, inputs, mask, outputs):
        """Keep the masks of native outputs for the layers called next inside the same outermost call."""
        if calls.masks is None:
            return
        result = self.compute_mask(inputs, mask)
        if result is None:
            return
        for tensor, one in zip(tree.flatten(outputs), tree.flatten(result)):
            if one is not None:
                note_mask(tensor, one)

    def _remember_direct(self, signature, inputs):
        """Let calls like this one take the short way: nothing was converted and nothing depends on the call."""
        if self._calls_in is None and self.activity_regularizer is None and not context.abstract \
                and self.mode_of_calls is None and not self.hooked and not self.context_arguments() \
                and placement.output_layout(self.path) is None \
                and type(self).compute_mask is Layer.compute_mask:
            self._ignores_phase = not signature.takes_training and not signature.has_kwargs
            self._direct_dtype = inputs.dtype
            # What has been checked need not be checked again, as long as the shape is the same.
            self._direct_shape = None if self.input_spec is None else inputs.shape

    def _converted(self, structure):
        """`structure` with arrays and variables as native tensors, floats in the layer's dtype."""
        if isinstance(structure, (list, tuple)) and structure and all(
                isinstance(leaf, (int, float)) and not isinstance(leaf, bool) for leaf in tree.flatten(structure)):
            return structure
        return tree.map_structure(self._converted_leaf, structure)

    def _converted_leaf(self, x):
        if isinstance(x, KerasTensor) and context.tracing is not None and not context.abstract:
            return primitives.cast(x, self.compute_dtype) if self._casts(x.dtype) else x
        if isinstance(x, AbstractTensor) or x is None or isinstance(x, (bool, str, int, float)):
            return self._described(x)
        engine = get_engine()
        if isinstance(x, Variable):
            x = x.value
        elif isinstance(x, (np.ndarray, np.generic)):
            if context.abstract:
                return abstract.abstracted(x)
            casts = x.dtype.kind == 'f' and is_float(self.compute_dtype)
            x = engine.convert(x, self._dtype_of_arrays() if casts else None)
        elif is_ragged(x):
            return rows_mapped(x, self._converted_leaf) if self.takes_rows() else self._converted_leaf(filled(x))
        elif type(x) not in active.native and not is_native(x):
            x = self._foreign(x, engine)
        if self.autocast and hasattr(x, 'dtype') and getattr(x, 'dtype', None) in active.floats:
            if self._casts(engine.dtype_of(x)):
                x = primitives.cast(x, self.compute_dtype)
        return x

    def _described(self, leaf):
        """An argument as `call` sees it where shapes are found: floats in the layer's dtype."""
        leaf = _strip(leaf)
        casts = isinstance(leaf, AbstractTensor) and self._casts(leaf.dtype)
        return AbstractTensor(leaf.shape, self.compute_dtype) if casts else leaf

    def _casts(self, dtype):
        """Whether inputs of a dtype are cast: floats to the layer's own, where that is one of floats."""
        own = self.compute_dtype
        return self.autocast and dtype != own and is_float(dtype) and is_float(own) and not self._keeps_dtypes()

    def _keeps_dtypes(self):
        """Whether the layer computes in the dtype of its inputs: without weights, where nothing else was asked for."""
        return self._calls_in is None and self.compute_dtype == settings.floatx() \
            and not self.ruled('inputs_are_cast') and not self.weights

    def float_type(self, inputs):
        """The float type to compute with `inputs` in, as they come to `call`."""
        dtype = dtype_of(inputs)
        return dtype if is_float(dtype) else self.compute_dtype

    def _dtype_of_arrays(self):
        """The float type that inputs get which are arrays of floats."""
        return self.compute_dtype

    @staticmethod
    def _foreign(x, engine):
        """Another library's tensor, as a tensor of the active engine; other objects as they are."""
        if not hasattr(x, '__array__') and not hasattr(x, '__dlpack__'):
            return x
        # A variable of the engine's own library has gradients, which an array has not.
        of_engine = type(x).__module__.partition('.')[0] in known_engine(engine.name).modules
        return engine.convert(x if of_engine else np.asarray(x))

    # --- building

    def ensure_built_for(self, signature, args, kwargs):
        if self._built:
            return
        self.assert_input_compatibility(args[0])
        if len(signature.build_names) > 1:
            bound = dict(zip(signature.names, args))
            bound.update(kwargs)
            shapes = {name + '_shape': shapes_of(value) for name, value in bound.items()}
            signature.check_build(type(self), shapes)
            self.build_with([shapes[name] for name in signature.build_names if name in shapes])
        else:
            self.ensure_built(shapes_of(args[0]))

    def ensure_built(self, input_shape):
        if not self._built:
            self.build_with([input_shape])

    def get_build_config(self):
        """The shapes that the layer was built for, for a file; None where they are not known."""
        if self._built_for is None:
            return None
        names, shapes = signature_of(type(self)).build_names, [plain_shapes(shape) for shape in self._built_for]
        return {'input_shape': (shapes or [None])[0]} if len(names) < 2 else {'shapes_dict': dict(zip(names, shapes))}

    def build_from_config(self, config):
        """Make the weights for what `get_build_config` gave; where `build` takes others, when the layer is called."""
        signature = signature_of(type(self))
        given = config.get('shapes_dict') or {'input_shape': config.get('input_shape')}
        names = signature.build_names if len(signature.build_names) > 1 or len(given) > 1 else list(given)
        known = any(given.get(name) is not None for name in names) \
            and all(name in given for name in names if name in signature.needed_shapes)
        if not self._built and (known or signature.builds_without_shape):
            self.build_with([map_shapes(tuple, given[name]) for name in itertools.takewhile(given.__contains__, names)])

    def build_with(self, shapes, build=None):
        self._built_for = shapes
        self.take_path()
        before = self.weights_made() if self._was_built else ()
        runs = calls.losses is not None and context.ledger is not None and context.training is not None \
            and not context.abstract
        known = {id(weight) for weight in self.weights} if runs else ()
        with inside(self), building(self):
            (build or self.build)(*[map_shapes(Shape, shape) for shape in shapes])
        if runs and any(id(weight) not in known for weight in self.weights):
            raise ValueError('Layer %s is built while a step runs, which would not train its weights. The usual cause: '
                             'a layer made in `call`: make it in __init__; or one that only runs in training: build '
                             'it before.' % self.name)
        self.built = True
        self.forget_replaced(before)
        self.take_constraints()
        self.take_initial_weights()
        if active.engine is not None:
            active.engine.note_built(self)

    def take_path(self):
        """Note which layers this one is built in, which a policy by path may depend on."""
        if self._path is None:
            self._path = path_inside(self.name)
            if isinstance(self._policy, dtype_policies.DTypePolicyMap):
                self._follow_policy()

    def path_of_weights(self):
        """The path of weights that are made now. In the constructor nobody knows who the layer will belong to."""
        if self._path is None and not self.runs_build and not self._built:
            return path_inside(self.name)
        self.take_path()
        return self.path

    def assert_input_compatibility(self, inputs):
        """Check `inputs` against `input_spec`.

        Raises:
            ValueError: naming the layer, what was expected and what came.
        """
        if self.input_spec is None:
            return
        several = isinstance(self.input_spec, (list, tuple))
        specs = list(self.input_spec) if several else [self.input_spec]
        tensors = tree.flatten(inputs)
        if len(tensors) != len(specs):
            raise ValueError('Layer "%s" expects %d input(s), but it received %d input tensors.'
                             % (self.name, len(specs), len(tensors)))
        if isinstance(inputs, dict) and not several:
            raise ValueError('Layer %s expects one tensor, but it received a dictionary with the keys %s.'
                             % (self.name, sorted(map(str, inputs))))
        for position, (tensor, spec) in enumerate(zip(tensors, specs)):
            shape = shape_of(tensor)
            if shape is None and spec is not None and not isinstance(tensor, (int, float)):
                raise TypeError('Layer %s expects a tensor, but it received %r. The usual cause: a layer that was '
                                'itself not called on a tensor, or a function that returns nothing.'
                                % (self.name, tensor))
            problem = spec.problem(shape) if shape is not None and spec is not None else None
            if problem:
                raise ValueError('Input %d of layer "%s" is incompatible with the layer: %s. Full shape received: %s. '
                                 'The usual cause: a missing Flatten or Reshape before the layer, data without its '
                                 'batch or channel axis, or an input_shape that differs from the data.'
                                 % (position, self.name, problem, tuple(shape)))

    def __getattr__(self, name):
        attribute = getattr(type(self), name, None)
        if isinstance(attribute, property):  # it raised AttributeError: let its own message through
            return attribute.fget(self)
        made_by_build = name in ('kernel', 'bias', 'embeddings', 'gamma', 'recurrent_kernel')
        if made_by_build and not self.__dict__.get('_built', True):
            raise AttributeError('Layer %s has no %r yet: weights are made when the layer is built. Call it on an '
                                 'input first, or call build(input_shape).' % (self.__dict__.get('name', '?'), name))
        if name in calls_of_keras1.ATTRIBUTES:
            return calls_of_keras1.old_attribute(self, name)
        if active.engine is None and name in known_engine(engine_name()).methods:
            get_engine()
            return getattr(self, name)
        if hasattr(active.engine and active.engine.layer_base, '__getattr__'):
            return super().__getattr__(name)
        raise AttributeError('%r object has no attribute %r' % (type(self).__name__, name))

    def set_mode_of_calls(self, training):
        """Let calls train, or not, that do not say it."""
        self.mode_of_calls, self._direct_dtype = training, None

    # Whether `call` runs a function that a script gave, as that of `Lambda`.
    runs_given_code = False

    # --- for plans -----------------------------------------------------------------------------------------------

    def plan_function(self, node, training):
        """What a `Plan` runs for `node`: `call` with the training flag filled in."""
        signature = signature_of(type(self))
        function = self.call if 'captured' not in node.kwargs else run_captured
        if self.runs_scripts():
            function = get_engine().out_of_place(scripted(function))
        function = run_in_rows(function) if 'rows' in node.kwargs else function
        if signature.takes_training and len(node.args) <= signature.names.index('training'):
            function = self._told_whether_training(function, node, training, signature)
        if self.activity_regularizer is not None:
            function = self._regularizing(function)
        if self._reads_otherwise():
            function = self._in_compute_dtype(function)
        if self.context_arguments():
            function = self.filling_in_context(function)
        layout = placement.output_layout(self.path)
        if layout is not None:
            function = laying_out(function, layout)
        if any(self._casts(x.dtype) for x in node.inputs):
            function = self._casting(function)
        return self.with_hooks(function) if self.hooked else function

    def _told_whether_training(self, function, node, training, signature):
        """`function` with the training flag of a run; None where nobody has said what it is."""
        overrules = self.ruled('runs_overrule_calls')
        if 'training' in node.kwargs:
            return with_training_instead(function, training) if overrules and training is not None else function
        if training is None and overrules and 'training' in signature.defaults:
            return function
        return with_training(function, bool(training))

    def in_channels_first(self, rank):
        """The layer for inputs of `rank` axes whose channels are moved from the last axis to the second.

        Plans use it on engines that prefer that order. Outputs of the same rank have their channels moved, too.

        Returns:
            The layer itself where the place of the channels is all the same to it, a copy of it that shares its
            weights, or None where the channels have to stay last.
        """
        return None

    def copy_with(self, **attributes):
        """A copy with other attributes, which shares its weights."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, copy_of=self.copy_of or self, _noted=Noted(), **attributes)
        return copy

    def in_other_format(self, **attributes):
        """`in_channels_first` of layers with a `data_format`."""
        if self.data_format != 'channels_last':
            return None
        return self.copy_with(data_format='channels_first', **attributes)

    def _in_compute_dtype(self, function):
        def run(*args, **kwargs):
            return self.run_in_compute_dtype(function, args, kwargs)
        return run

    def _regularizing(self, function):
        def run(*args, **kwargs):
            outputs = function(*args, **kwargs)
            self.add_activity_losses(outputs)
            return outputs
        return run

    def _casting(self, function):
        def run(*args, **kwargs):
            return function(*self._converted(list(args)), **self._converted(kwargs))
        return run

    @property
    def path(self):
        """The names of the layers it was built in, and its own: 'encoder/dense'."""
        return self._path or self.name

    def stateless_call(self, trainable_variables, non_trainable_variables, *args, **kwargs):
        """The call as a pure function of the weights, for `jax.grad` and its like.

        Args:
            trainable_variables, non_trainable_variables: values (or variables), one per `trainable_variables` and
                `non_trainable_variables` of the layer.
            return_losses: whether the losses that the call adds are returned, too.

        Returns:
            The outputs, and the new values of the non-trainable variables; with `return_losses` a list of losses.

        Raises:
            ValueError: if the numbers of values and variables differ, or the layer is not built.
        """
        return_losses = kwargs.pop('return_losses', False)
        if not self.built:
            raise ValueError('Layer %s is not built, so it has no variables yet to give values for. Call it on an '
                             'input first, or call build(input_shape).' % self.name)
        frozen = self.non_trainable_variables
        variables = self.trainable_variables + frozen
        given = list(trainable_variables) + list(non_trainable_variables)
        if len(variables) != len(given):
            raise ValueError('Layer %s: stateless_call expects %d trainable and %d other values. Received: %d and %d.'
                             % (self.name, len(variables) - len(frozen), len(frozen), len(trainable_variables),
                                len(non_trainable_variables)))
        with holding(variables, given) as ledger:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else None
        values = [ledger.read(variable) for variable in frozen]
        return (outputs, values, losses) if return_losses else (outputs, values)

    def __getstate__(self):
        # A copy stands in no graph: a model gives its layers the calls that belong to it. Notes are not copied.
        state = dict(self.__dict__, _direct_dtype=None, _direct_shape=None)
        for name in [name for name in state if name == '_noted' or name.startswith('_self_')]:
            del state[name]
        for name in self._OF_THE_GRAPH:
            state[name] = []
        return state

    def __setstate__(self, state):
        self.__dict__.update(state, _noted=Noted())

    def __repr__(self):
        return '<%s name=%s, built=%s>' % (type(self).__name__, self.name, self.built)


Operation.register(Layer)


join(Layer, 'layer_base')


def snake_case(name, digits=True):
    partial = re.sub('(.)([A-Z][a-z%s]+)' % ('0-9' if digits else ''), r'\1_\2', name)
    snake = re.sub('([a-z])([A-Z])', r'\1_\2', partial).lower()
    return 'private' + snake if snake.startswith('_') else snake


def mask_of(tensor):
    """The mask that goes with a tensor, symbolic or not, or None."""
    return getattr(tensor, 'mask', None) if isinstance(tensor, KerasTensor) else known_mask(tensor)


def _strip(leaf):
    if isinstance(leaf, KerasTensor):
        return AbstractTensor(leaf.shape, leaf.dtype)
    return leaf


def _noted(build):
    """A `build` that makes everything of a layer, as in front of a call, when it is called by hand."""
    @functools.wraps(build)
    def wrapper(self, *args, **kwargs):
        if self.runs_build:
            return build(self, *args, **kwargs)
        names = signature_of(type(self)).build_names[len(args):]
        while names and names[-1] not in kwargs:
            names = names[:-1]
        shapes = list(args) + [kwargs.get(name) for name in names]
        return self.build_with(shapes, lambda *shapes: build(self, *args, **kwargs))
    return wrapper


def _placed(build):
    """A `build` of a model: its layers have the model's name in their paths, files keep what it was called with."""
    @functools.wraps(build)
    def wrapper(self, *args, **kwargs):
        self.take_path()
        if self._built_for is None and args and not kwargs and isinstance(args[0], dict):
            self._built_for = list(args)
        with inside(self):
            return build(self, *args, **kwargs)
    return wrapper
