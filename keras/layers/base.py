"""`Layer`: weights, building, calling on symbolic and on native tensors, and the configuration of a layer.

How a call goes: symbolic inputs record a node (the layer's `call` is not run when it has a shape rule);
native tensors run `call` at once. What is the same for every call is found out once per class
(`signature_of`) or once per instance, never per call.
"""
import itertools
import re
import warnings

import numpy as np

from keras import config
from keras.backend import dispatch, tree
from keras.backend.engine import active, get_engine
from keras.backend.rules import AbstractTensor, is_float
from keras.backend.state import AbstractLedger, Variable, context, get_uid, learning_phase
from keras.backend.symbolic import KerasTensor, Node, any_symbolic
from keras.layers.additions import Additions
from keras.layers.calls import calls, noted_mask, running, signature_of
from keras.layers.graph_view import GraphView
from keras.layers.input_spec import InputSpec  # noqa: F401  (part of the address keras.layers.base)
from keras.layers.weights import WeightOwner, dtype_name


class Layer(WeightOwner, GraphView, Additions):
    """The base of all layers: a function of tensors with weights of its own.

    Args:
        trainable: whether `fit` changes the weights. name: default: the class in snake case and a number.
        dtype: name of the float type of weights and computation; default `floatx`.
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
    supports_masking = False
    stateful = False
    dynamic = False
    # Arguments of `call` that the layer gives itself on symbolic inputs; they are no part of a config.
    implicit_arguments = ()
    # Whether a chain of layers that run with the channels first may begin here: the layer gains by it.
    begins_channels_first = False
    # Whether floats give floats. A subclass with a shape rule of its own and other outputs says so here.
    floats_give_floats = True

    def __new__(cls, *args, **kwargs):
        # State lives here rather than in __init__ so that layers work whose __init__ sets attributes first.
        self = object.__new__(cls)
        self.built = False
        self._trainable = True
        self._trainable_weights = []
        self._non_trainable_weights = []
        self._inbound_nodes = []
        self._outbound_nodes = []
        self._call_losses, self._symbolic_losses = [], []
        self._symbolic_metrics, self._symbolic_updates = [], []
        self._initial_weights = None
        self._direct_dtype = None
        self._ignores_phase = False
        self._dtype = config.settings.floatx
        self.activity_regularizer = None
        return self

    def __init__(self, trainable=True, name=None, dtype=None, activity_regularizer=None, autocast=True, **kwargs):
        self.name = name or self._default_name()
        self._trainable = bool(trainable)
        if dtype is not None:
            self._dtype = dtype_name(dtype)
        self.autocast = autocast
        if activity_regularizer is not None:
            from keras import regularizers
            self.activity_regularizer = regularizers.get(activity_regularizer)
        self._read_input_arguments(kwargs)
        if kwargs:
            raise TypeError('%s: unknown keyword argument %s. Arguments that every layer takes: name, dtype, '
                            'trainable, activity_regularizer, input_shape, batch_input_shape, batch_size, weights.'
                            % (type(self).__name__, ', '.join(map(repr, sorted(kwargs)))))

    def _default_name(self):
        base = snake_case(type(self).__name__)
        return '%s_%d' % (base, get_uid(base))

    def _read_input_arguments(self, kwargs):
        self._initial_weights = kwargs.pop('weights', None)
        batch_size = kwargs.pop('batch_size', None)
        kwargs.pop('input_dtype', None)
        shape = kwargs.pop('input_shape', None)
        batch_shape = kwargs.pop('batch_input_shape', kwargs.pop('batch_shape', None))
        input_dim = kwargs.pop('input_dim', None)
        if shape is None and input_dim is not None:
            shape = (input_dim,)
        if batch_shape is None and shape is not None:
            shape = (shape,) if isinstance(shape, int) else tuple(shape)
            batch_shape = (batch_size,) + shape
        if batch_shape is not None:
            self.batch_input_shape = tuple(batch_shape)

    # --- what subclasses define --------------------------------------------------------------------------------

    def build(self, input_shape):
        """Make the weights, given the shape of the input (a list of shapes for a list of inputs)."""
        self.built = True

    def call(self, inputs, **kwargs):
        """The computation."""
        return inputs

    def compute_output_shape(self, input_shape):
        """The shape of the output for `input_shape`; None stands for unknown sizes.

        The default runs `call` on the abstract engine.
        """
        self._ensure_built(input_shape)
        inputs = map_shapes(lambda shape: AbstractTensor(shape, self.compute_dtype), input_shape)
        return tree.map_structure(lambda out: out.shape, self._abstract_outputs([inputs], {}))

    def compute_mask(self, inputs, mask=None):
        """The mask of the output, given those of the inputs: by default the same one, if masks are supported."""
        if not self.supports_masking:
            if any(leaf is not None for leaf in tree.flatten(mask)):
                warnings.warn('Layer %s does not support masking; the mask of its input ends here.' % self.name,
                              stacklevel=3)
            return None
        return mask

    def get_config(self):
        """The constructor's arguments as plain values, enough for `from_config`."""
        result = {'name': self.name, 'trainable': self._trainable, 'dtype': self._dtype}
        if hasattr(self, 'batch_input_shape'):
            result['batch_input_shape'] = self.batch_input_shape
        if self.activity_regularizer is not None and 'activity_regularizer' not in result:
            from keras import regularizers
            result['activity_regularizer'] = regularizers.serialize(self.activity_regularizer)
        return result

    @classmethod
    def from_config(cls, config):
        """A layer from what `get_config` gave."""
        return cls(**config)

    # --- dtype -------------------------------------------------------------------------------------------------

    @property
    def dtype(self):
        return self._dtype

    @property
    def compute_dtype(self):
        """The float type of the computation."""
        return self._dtype

    @property
    def variable_dtype(self):
        """The float type of the weights."""
        return self._dtype

    # --- calling -----------------------------------------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        # The short way: one native tensor of the layer's own dtype, nothing to decide.
        if len(args) == 1 and not kwargs:
            inputs = args[0]
            if type(inputs) in active.native and inputs.dtype is self._direct_dtype and learning_phase.value is None \
                    and (calls.losses is None or self._ignores_phase and not calls.masks):
                try:
                    return self.call(inputs)
                except Exception:
                    self.assert_input_compatibility(inputs)
                    raise
        return self._call(args, kwargs)

    def _call(self, args, kwargs):
        signature = signature_of(type(self))
        if not args:
            args, kwargs = self._positional(signature, kwargs)
        if any_symbolic([list(args), kwargs]) and not context.abstract:
            return self._call_symbolically(signature, list(args), dict(kwargs))
        return self._call_on_values(signature, list(args), dict(kwargs))

    def _positional(self, signature, kwargs):
        first = signature.names[0] if signature.names else None
        if first not in kwargs:
            raise TypeError('Layer %s was called without an input.' % self.name)
        kwargs = dict(kwargs)
        return (kwargs.pop(first),), kwargs

    # --- on symbolic tensors

    def _call_symbolically(self, signature, args, kwargs, register=True):
        implicit = ()
        masks = tree.map_structure(lambda x: getattr(x, 'mask', None), args[0])
        if signature.takes_mask and kwargs.get('mask') is None and len(args) < 2 + signature.names.index('mask') - 1:
            if any(mask is not None for mask in tree.flatten(masks)):
                kwargs['mask'], implicit = masks, ('mask',)
        elif kwargs.get('mask') is not None:
            masks = kwargs['mask']
        if kwargs.get('training', 0) is None:
            del kwargs['training']
        self._ensure_built_for(signature, args, kwargs)
        self.assert_input_compatibility(args[0])
        implicit += tuple(name for name in self.implicit_arguments if name in kwargs)
        node = Node(self, args, kwargs, self._symbolic_outputs(args, kwargs), implicit)
        if register:
            self._inbound_nodes.append(node)
            for tensor in node.inputs:
                layer = tensor.node.operation if tensor.node is not None else None
                if isinstance(layer, Layer):
                    layer._outbound_nodes.append(node)
        self._attach_masks(node, args[0], masks)
        return node.output_structure

    def _attach_masks(self, node, inputs, masks):
        if type(self).compute_mask is Layer.compute_mask and all(mask is None for mask in tree.flatten(masks)):
            return
        if isinstance(masks, (list, tuple)) and all(mask is None for mask in masks):
            masks = None if not isinstance(inputs, (list, tuple)) else masks
        mask = self.compute_mask(inputs, masks)
        if mask is None:
            return
        given = list(mask) if isinstance(mask, (list, tuple)) else [mask]
        for tensor, one in zip(node.outputs, given):
            tensor.mask = one

    def _symbolic_outputs(self, args, kwargs):
        """The structure of AbstractTensors that the call gives."""
        if hasattr(self, 'compute_output_spec'):
            specs = self.compute_output_spec(*args, **kwargs)
            return tree.map_structure(lambda spec: AbstractTensor(spec.shape, spec.dtype), specs)
        if type(self).compute_output_shape is not Layer.compute_output_shape and len(args) == 1:
            shapes = tree.map_structure(lambda x: tuple(x.shape), args[0])
            dtypes = self._output_dtypes(args, kwargs)
            return map_shapes(lambda shape: AbstractTensor(shape, next(dtypes)), self.compute_output_shape(shapes))
        return self._abstract_outputs(args, kwargs)

    def _output_dtypes(self, args, kwargs):
        """An iterator over the dtypes of the outputs."""
        given = [leaf.dtype for leaf in tree.flatten(args) if isinstance(leaf, AbstractTensor)]
        if self.floats_give_floats and (all(is_float(dtype) for dtype in given) or self.weights):
            return itertools.repeat(self.compute_dtype)
        try:
            return iter([leaf.dtype for leaf in tree.flatten(self._abstract_outputs(args, kwargs))])
        except Exception:  # `call` may be code that takes nothing but numbers; the shape rule is all there is then
            return itertools.repeat(given[0])

    def _abstract_outputs(self, args, kwargs):
        args, kwargs = tree.map_structure(_strip, args), tree.map_structure(_strip, kwargs)
        try:
            with AbstractLedger(), running(kwargs.get('training')):
                outputs = self.call(*args, **kwargs)
        except Exception as error:
            if getattr(error, '_keras_explained', False):
                raise
            outputs = self._engine_outputs(args, kwargs, error)
        return tree.map_structure(lambda out: out if out is None else dispatch._abstracted(out), outputs)

    def _engine_outputs(self, args, kwargs, error):
        """For layers that call the engine directly: the engine's own abstract evaluation."""
        leaves = [leaf for leaf in tree.flatten([args, kwargs]) if isinstance(leaf, AbstractTensor)]

        def run(*values):
            remaining = iter(values)
            filled = tree.map_structure(lambda leaf: next(remaining) if isinstance(leaf, AbstractTensor) else leaf,
                                        [args, kwargs])
            with running(None):
                return self.call(*filled[0], **filled[1])
        try:
            return get_engine().eval_shape(run, leaves)
        except Exception:
            raise error

    # --- on values

    def _call_on_values(self, signature, args, kwargs):
        given = args[0]
        args, kwargs = self._converted(args), self._converted(kwargs)
        if not self.built:
            self._ensure_built_for(signature, args, kwargs)
        self.assert_input_compatibility(args[0])
        training = self._training_flag(signature, kwargs)
        mask = self._values_mask(signature, args, kwargs)
        if calls.losses is None:
            with running(training) as block:
                outputs = self._run(args, kwargs, mask)
            self._call_losses = losses = block.losses
        else:
            before = len(calls.losses)
            outputs = self._run(args, kwargs, mask)
            losses = calls.losses[before:]
        if len(args) == 1 and mask is None and not losses and args[0] is given and type(given) in active.native:
            self._remember_direct(signature, given)
        return outputs

    def _training_flag(self, signature, kwargs):
        """The flag for this call and the calls inside it: the argument, else the outer call's, else the default."""
        training = kwargs.get('training')
        if training is None:
            training = context.training
        if training is None:
            training = learning_phase.value
        if training is None and signature.defaults.get('training') is not None:
            training = signature.defaults['training']
        if signature.takes_training and training is not None:
            kwargs['training'] = training
        elif not signature.takes_training and not signature.has_kwargs:
            kwargs.pop('training', None)
        return training

    def _values_mask(self, signature, args, kwargs):
        mask = kwargs.get('mask')
        if mask is None and calls.masks:
            mask = tree.map_structure(noted_mask, args[0])
            if all(leaf is None for leaf in tree.flatten(mask)):
                mask = None
            elif signature.takes_mask:
                kwargs['mask'] = mask
        if not signature.takes_mask and not signature.has_kwargs:
            kwargs.pop('mask', None)
        return mask

    def _run(self, args, kwargs, mask):
        previous = context.training
        if 'training' in kwargs:
            context.training = kwargs['training']
        try:
            outputs = self.call(*args, **kwargs)
        finally:
            context.training = previous
        if self.activity_regularizer is not None:
            self._add_activity_losses(outputs)
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
        given = list(result) if isinstance(result, (list, tuple)) else [result]
        for tensor, one in zip(tree.flatten(outputs), given):
            if one is not None:
                calls.masks[id(tensor)] = (tensor, one)

    def _remember_direct(self, signature, inputs):
        """Let calls like this one take the short way: nothing was converted and nothing depends on the call."""
        if self.activity_regularizer is None and type(self).compute_mask is Layer.compute_mask and not context.abstract:
            self._ignores_phase = not signature.takes_training and not signature.has_kwargs
            self._direct_dtype = inputs.dtype

    def _converted(self, structure):
        """`structure` with arrays and variables as native tensors, floats in the layer's dtype."""
        if isinstance(structure, (list, tuple)) and structure and all(
                isinstance(leaf, (int, float)) and not isinstance(leaf, bool) for leaf in tree.flatten(structure)):
            return structure
        return tree.map_structure(self._converted_leaf, structure)

    def _converted_leaf(self, x):
        if isinstance(x, AbstractTensor) or x is None or isinstance(x, (bool, str, int, float)):
            return _strip(x)
        engine = get_engine()
        if isinstance(x, Variable):
            x = x.value
        elif isinstance(x, (np.ndarray, np.generic)):
            if context.abstract:
                return dispatch._abstracted(x)
            x = engine.convert(x, self.compute_dtype if x.dtype.kind == 'f' else None)
        elif type(x) not in active.native:
            if not engine.is_native(x):
                return self._foreign(x, engine)
            active.native.add(type(x))
        if self.autocast and hasattr(x, 'dtype') and getattr(x, 'dtype', None) in active.floats:
            if engine.dtype_of(x) != self.compute_dtype:
                x = engine.cast(x, self.compute_dtype)
        return x

    @staticmethod
    def _foreign(x, engine):
        """Another library's tensor, as a tensor of the active engine; other objects as they are."""
        return engine.convert(np.asarray(x)) if hasattr(x, '__array__') or hasattr(x, '__dlpack__') else x

    # --- building

    def _ensure_built_for(self, signature, args, kwargs):
        if self.built:
            return
        self.assert_input_compatibility(args[0])
        if len(signature.build_names) > 1:
            bound = dict(zip(signature.names, args))
            bound.update(kwargs)
            shapes = {name + '_shape': shapes_of(value) for name, value in bound.items()}
            self._build_with([shapes[name] for name in signature.build_names if name in shapes])
        else:
            self._ensure_built(shapes_of(args[0]))

    def _ensure_built(self, input_shape):
        if not self.built:
            self._build_with([input_shape])

    def _build_with(self, shapes):
        self.build(*shapes)
        self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def assert_input_compatibility(self, inputs):
        """Check `inputs` against `input_spec`.

        Raises:
            ValueError: naming the layer, what was expected and what came.
        """
        if self.input_spec is None:
            return
        specs = list(self.input_spec) if isinstance(self.input_spec, (list, tuple)) else [self.input_spec]
        tensors = tree.flatten(inputs)
        if len(tensors) != len(specs):
            raise ValueError('Layer %s expects %d inputs, but it received %d.' % (self.name, len(specs), len(tensors)))
        for position, (tensor, spec) in enumerate(zip(tensors, specs)):
            shape = _shape_of(tensor)
            problem = spec.problem(shape) if shape is not None and spec is not None else None
            if problem:
                raise ValueError('Input %d is incompatible with layer %s: %s. Full shape received: %s. The usual '
                                 'cause: a missing Flatten or Reshape before the layer, data without its batch or '
                                 'channel axis, or an input_shape that differs from the data.'
                                 % (position, self.name, problem, tuple(shape)))

    def __getattr__(self, name):
        attribute = getattr(type(self), name, None)
        if isinstance(attribute, property):  # it raised AttributeError: let its own message through
            return attribute.fget(self)
        made_by_build = name in ('kernel', 'bias', 'embeddings', 'gamma', 'recurrent_kernel')
        if made_by_build and not self.__dict__.get('built', True):
            raise AttributeError('Layer %s has no %r yet: weights are made when the layer is built. Call it on an '
                                 'input first, or call build(input_shape).' % (self.__dict__.get('name', '?'), name))
        raise AttributeError('%r object has no attribute %r' % (type(self).__name__, name))

    # --- for plans -----------------------------------------------------------------------------------------------

    def plan_function(self, node, training):
        """What a `Plan` runs for `node`: `call` with the training flag filled in."""
        signature = signature_of(type(self))
        function = self.call
        if signature.takes_training and 'training' not in node.kwargs and len(node.args) <= signature.names.index(
                'training'):
            function = _with_training(function, training)
        if self.activity_regularizer is not None:
            function = self._regularizing(function)
        if self.autocast and any(is_float(x.dtype) and x.dtype != self.compute_dtype for x in node.inputs):
            function = self._casting(function)
        return function

    def in_channels_first(self, rank):
        """The layer for inputs of `rank` axes whose channels are moved from the last axis to the second.

        Plans use it on engines that prefer that order. Outputs of the same rank have their channels moved, too.

        Returns:
            The layer itself where the place of the channels is all the same to it, a copy of it that shares its
            weights, or None where the channels have to stay last.
        """
        return None

    def _copy_with(self, **attributes):
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, **attributes)
        return copy

    def _with_data_format(self, **attributes):
        """`in_channels_first` of layers with a `data_format`."""
        if self.data_format != 'channels_last':
            return None
        return self._copy_with(data_format='channels_first', **attributes)

    def _regularizing(self, function):
        def run(*args, **kwargs):
            outputs = function(*args, **kwargs)
            self._add_activity_losses(outputs)
            return outputs
        return run

    def _casting(self, function):
        def run(*args, **kwargs):
            return function(*self._converted(list(args)), **self._converted(kwargs))
        return run

    @property
    def path(self):
        return self.name

    def stateless_call(self, trainable_values, non_trainable_values, *args, **kwargs):
        """The call as a pure function of the weights, for `jax.grad` and its like.

        Args:
            trainable_values, non_trainable_values: native tensors, one per `trainable_variables` and
                `non_trainable_variables`.

        Returns:
            The outputs, and the new values of the non-trainable variables.
        """
        from keras.backend.state import Ledger
        frozen = self.non_trainable_variables
        values = dict(zip(self.trainable_variables, trainable_values))
        values.update(zip(frozen, non_trainable_values))
        with Ledger(values) as ledger:
            outputs = self(*args, **kwargs)
        return outputs, [ledger.values[variable] for variable in frozen]

    def __repr__(self):
        return '<%s name=%s, built=%s>' % (type(self).__name__, self.name, self.built)


def snake_case(name):
    partial = re.sub('(.)([A-Z][a-z0-9]+)', r'\1_\2', name)
    snake = re.sub('([a-z])([A-Z])', r'\1_\2', partial).lower()
    return 'private' + snake if snake.startswith('_') else snake


def _strip(leaf):
    if isinstance(leaf, KerasTensor):
        return AbstractTensor(leaf.shape, leaf.dtype)
    return leaf


def _shape_of(x):
    if isinstance(x, AbstractTensor):
        return x.shape
    if type(x) in active.native:
        return active.engine.shape_of(x)
    shape = getattr(x, 'shape', None)
    return None if shape is None else tuple(shape)


def shapes_of(structure):
    if structure is None:
        return None
    return tree.map_structure(_shape_of, structure)


def map_shapes(function, shapes):
    """Apply `function` to every shape of a structure whose leaves are tuples of ints and None."""
    if isinstance(shapes, dict):
        return {key: map_shapes(function, value) for key, value in shapes.items()}
    if isinstance(shapes, (list, tuple)) and any(isinstance(part, (list, tuple, dict)) for part in shapes):
        return [map_shapes(function, part) for part in shapes]
    return function(tuple(shapes))


def _with_training(function, training):
    def run(*args, **kwargs):
        return function(*args, training=training, **kwargs)
    return run
