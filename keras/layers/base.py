"""`Layer`: weights, building, calling on symbolic and on native tensors, and the configuration of a layer.

How a call goes: symbolic inputs record a node (the layer's `call` is not run when it has a shape rule);
native tensors run `call` at once. What is the same for every call is found out once per class
(`signature_of`) or once per instance, never per call.
"""
import inspect
import re
import threading
import warnings

import numpy as np

from keras import config
from keras.backend import dispatch, tree
from keras.backend.engine import active, get_engine
from keras.backend.rules import FLOATS, AbstractTensor, is_float
from keras.backend.state import AbstractLedger, SeedGenerator, Variable, context, get_uid, learning_phase
from keras.backend.symbolic import KerasTensor, Node, any_symbolic


class _Calls(threading.local):
    """Per thread, what holds for the layer calls that run inside another one.

    losses: collects what `add_loss` is given, None outside. (The training flag is in `state.context`.)
    masks: {id(tensor): (tensor, mask)} for native tensors that carry one; empty most of the time.
    """
    losses = None
    masks = None


calls = _Calls()


class running:
    """Run a block as one outermost call: collects losses, and knows the training flag."""

    def __init__(self, training):
        self.training = training
        self.losses = []

    def __enter__(self):
        self._previous = (context.training, calls.losses, calls.masks)
        context.training, calls.losses, calls.masks = self.training, self.losses, {}
        return self

    def __exit__(self, *_):
        context.training, calls.losses, calls.masks = self._previous


class CallSignature:
    """What a layer class's `call` and `build` take, found out once per class."""

    def __init__(self, layer_class):
        parameters = inspect.signature(layer_class.call).parameters
        names = [name for name in parameters if name != 'self']
        self.names = names
        kinds = [parameter.kind for parameter in parameters.values()]
        self.has_kwargs = inspect.Parameter.VAR_KEYWORD in kinds
        self.takes_training = 'training' in names
        self.takes_mask = 'mask' in names
        self.defaults = {name: parameters[name].default for name in names
                         if parameters[name].default is not inspect.Parameter.empty}
        self.build_names = [name for name, parameter in inspect.signature(layer_class.build).parameters.items()
                            if name != 'self' and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]


_signatures = {}


def signature_of(layer_class):
    try:
        return _signatures[layer_class]
    except KeyError:
        return _signatures.setdefault(layer_class, CallSignature(layer_class))


class InputSpec:
    """What a layer expects of an input.

    Args:
        dtype: name of the dtype. shape: tuple with None for any size. ndim, min_ndim, max_ndim: the rank.
        axes: {axis: size}.

    Example:
        >>> InputSpec(min_ndim=2, axes={-1: 3})
        InputSpec(min_ndim=2, axes={-1: 3})
    """

    def __init__(self, dtype=None, shape=None, ndim=None, max_ndim=None, min_ndim=None, axes=None,
                 allow_last_axis_squeeze=False, name=None, optional=False):
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.name = name

    def __repr__(self):
        given = [(key, getattr(self, key)) for key in ('dtype', 'shape', 'ndim', 'max_ndim', 'min_ndim', 'axes')]
        return 'InputSpec(%s)' % ', '.join('%s=%s' % pair for pair in given if pair[1])

    def problem(self, shape):
        """What is wrong with a tensor of `shape`, in words, or None."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            return 'expected a tensor of rank %d, found rank %d' % (self.ndim, rank)
        if self.max_ndim is not None and rank > self.max_ndim:
            return 'expected a tensor of rank at most %d, found rank %d' % (self.max_ndim, rank)
        if self.min_ndim is not None and rank < self.min_ndim:
            return 'expected a tensor of rank at least %d, found rank %d' % (self.min_ndim, rank)
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return 'expected size %d at axis %d, found %d' % (size, axis, shape[axis])
        if self.shape is not None:
            for axis, (expected, size) in enumerate(zip(self.shape, shape)):
                if expected is not None and size is not None and expected != size:
                    return 'expected shape %s, found size %d at axis %d' % (self.shape, size, axis)
        return None


class Layer:
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
    # A subclass that gives other than floats from floats says so here.
    output_dtype = None

    def __new__(cls, *args, **kwargs):
        # State lives here rather than in __init__ so that layers work whose __init__ sets attributes first.
        self = object.__new__(cls)
        self.built = False
        self._trainable = True
        self._trainable_weights = []
        self._non_trainable_weights = []
        self._inbound_nodes = []
        self._outbound_nodes = []
        self._call_losses = []
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
            self._dtype = _dtype_name(dtype)
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
        base = _snake_case(type(self).__name__)
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
        inputs = _map_shapes(lambda shape: AbstractTensor(shape, self.compute_dtype), input_shape)
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

    # --- weights -----------------------------------------------------------------------------------------------

    def add_weight(self, name=None, shape=None, dtype=None, initializer=None, regularizer=None, trainable=True,
                   constraint=None, layout=None, **kwargs):
        """A new weight.

        Args:
            name: its name. shape: tuple of ints, default (). dtype: default that of the layer.
            initializer: name, object or function (shape, dtype); default Glorot uniform for floats, zeros else.
            regularizer: adds to the loss. trainable: whether `fit` changes it.
            constraint: applied after each update. layout: 'conv_kernel' for (spatial..., in, out) kernels.

        Returns:
            A `Variable`; its value is made when it is first needed.
        """
        if isinstance(name, (tuple, list)):  # Keras 3 has the shape first
            name, shape, initializer, dtype = dtype, name, shape, initializer
            name = kwargs.pop('name', name)
        from keras import constraints, initializers, regularizers
        dtype = _dtype_name(dtype) if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = 'glorot_uniform' if is_float(dtype) else 'zeros'
        variable = Variable(initializers.delayed(initializers.get(initializer)), shape=() if shape is None else shape,
                            dtype=dtype, trainable=trainable, name=name, constraint=constraints.get(constraint),
                            layout=layout)
        variable.path = '%s/%s' % (self.name, variable.name)
        variable.regularizer = regularizers.get(regularizer)
        (self._trainable_weights if trainable else self._non_trainable_weights).append(variable)
        return variable

    def _own(self):
        """Variables and layers that are attributes of this layer, also within lists, tuples and dictionaries."""
        variables, layers, seen = [], [], set()
        for name, value in self.__dict__.items():
            if name in _UNTRACKED or type(value) in _PLAIN:
                continue
            _collect(value, variables, layers, seen)
        return variables, layers

    @property
    def _layers(self):
        return self._own()[1]

    def _flatten_layers(self):
        """This layer and all layers inside it, each once."""
        found, stack, seen = [], [self], set()
        while stack:
            layer = stack.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            found.append(layer)
            stack.extend(reversed(layer._layers))
        return found

    def _own_weights(self):
        variables, layers = self._own()
        listed = self._trainable_weights + self._non_trainable_weights
        loose = [variable for variable in variables if not any(variable is known for known in listed)]
        trainable = self._trainable_weights + [variable for variable in loose if variable.trainable]
        frozen = self._non_trainable_weights + [variable for variable in loose if not variable.trainable]
        return trainable, frozen, layers

    @property
    def trainable_weights(self):
        """The weights that `fit` changes; none if the layer is not trainable."""
        if not self._trainable:
            return []
        trainable, _, layers = self._own_weights()
        return _unique(trainable + [w for layer in layers for w in layer.trainable_weights])

    @trainable_weights.setter
    def trainable_weights(self, weights):
        self._trainable_weights = list(weights)

    @property
    def non_trainable_weights(self):
        """The weights that `fit` leaves alone, or that the layer itself updates."""
        trainable, frozen, layers = self._own_weights()
        if self._trainable:
            return _unique(frozen + [w for layer in layers for w in layer.non_trainable_weights])
        below = [w for layer in layers for w in layer.trainable_weights]
        return _unique(trainable + below + frozen + [w for layer in layers for w in layer.non_trainable_weights])

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights):
        self._non_trainable_weights = list(weights)

    @property
    def weights(self):
        """All weights: the trainable ones, then the others."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_variables(self):
        return self.trainable_weights

    @property
    def non_trainable_variables(self):
        return [v for v in self.variables if not any(v is w for w in self.trainable_weights)]

    @property
    def seed_generators(self):
        """The seed generators of this layer and of those inside it."""
        found = []
        for layer in self._flatten_layers():
            for name, value in layer.__dict__.items():
                if isinstance(value, SeedGenerator):
                    found.append(value)
        return found

    @property
    def variables(self):
        """The weights and the states of the seed generators."""
        return _unique(self.weights + [generator.state for generator in self.seed_generators])

    @property
    def trainable(self):
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        for layer in self._layers:
            layer.trainable = value

    def get_weights(self):
        """The values of the weights, as a list of NumPy arrays."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights):
        """Set the weights from a list of arrays in the order of `get_weights`.

        Raises:
            ValueError: if their number or a shape differs; then no weight is changed.
        """
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError('Layer %s: set_weights received %d arrays, the layer has %d weights: %s.%s'
                             % (self.name, len(weights), len(variables), [w.name for w in variables],
                                '' if self.built else ' The layer is not built yet: call it on an input first.'))
        arrays = [np.asarray(array) for array in weights]
        for variable, array in zip(variables, arrays):
            if array.shape != variable.shape:
                raise ValueError('Layer %s: weight %s has shape %s, the array given for it has shape %s.'
                                 % (self.name, variable.name, variable.shape, array.shape))
        for variable, array in zip(variables, arrays):
            variable.assign(array)

    def count_params(self):
        """The number of scalars in the weights.

        Raises:
            RuntimeError: if the layer is not built.
        """
        if not self.built:
            raise RuntimeError('Layer %s has no weights yet, so they cannot be counted. Build it first: call it on an '
                               'input or give it an `input_shape`.' % self.name)
        return sum(weight.size for weight in self.weights)

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
            dtype = self._output_dtype(args[0])
            return _map_shapes(lambda shape: AbstractTensor(shape, dtype), self.compute_output_shape(shapes))
        return self._abstract_outputs(args, kwargs)

    def _output_dtype(self, inputs):
        if self.output_dtype is not None:
            return self.output_dtype
        dtypes = [leaf.dtype for leaf in tree.flatten(inputs) if isinstance(leaf, AbstractTensor)]
        if all(is_float(dtype) for dtype in dtypes) or self.weights:
            return self.compute_dtype
        return dtypes[0]

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
            mask = tree.map_structure(_noted_mask, args[0])
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
            shapes = {name + '_shape': _shapes_of(value) for name, value in bound.items()}
            self._build_with([shapes[name] for name in signature.build_names if name in shapes])
        else:
            self._ensure_built(_shapes_of(args[0]))

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

    # --- losses, updates ---------------------------------------------------------------------------------------

    def add_loss(self, losses, inputs=None):
        """Add scalars to the loss that `fit` minimises. In `call`: values of this run."""
        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            if loss is None or context.abstract:
                continue
            if calls.losses is not None:
                calls.losses.append(loss)
            else:
                self._call_losses.append(loss)

    def add_update(self, updates, inputs=None):
        """Accepted for Keras 2's sake: assignments made in `call` take effect by themselves."""

    def _add_activity_losses(self, outputs):
        for output in tree.flatten(outputs):
            self.add_loss(self.activity_regularizer(output))

    def _regularized(self):
        return [weight for weight in self.trainable_weights if weight.regularizer is not None]

    @property
    def losses(self):
        """The regularization losses of the weights, and what the last call added."""
        return [weight.regularizer(weight.value) for weight in self._regularized()] + list(self._call_losses)

    @property
    def updates(self):
        return []

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

    # --- the graph around the layer ------------------------------------------------------------------------------

    def _node_values(self, node_index, attribute, what):
        if not self._inbound_nodes:
            raise AttributeError('The layer %s has never been called on a symbolic input, so it has no %s.'
                                 % (self.name, what))
        if node_index >= len(self._inbound_nodes):
            raise ValueError('Asked for the %s of layer %s at node %d, but it was called only %d times.'
                             % (what, self.name, node_index, len(self._inbound_nodes)))
        values = getattr(self._inbound_nodes[node_index], attribute)
        return values[0] if len(values) == 1 else list(values)

    def _only_node(self, attribute, what):
        if len(self._inbound_nodes) > 1:
            values = [self._node_values(index, attribute, what) for index in range(len(self._inbound_nodes))]
            if 'shape' not in what or any(value != values[0] for value in values):
                raise AttributeError('Layer %s was called %d times, so "its %s" has no single meaning. Use get_%s_at('
                                     'node_index).' % (self.name, len(values), what, what.replace(' ', '_')))
        return self._node_values(0, attribute, what)

    def get_input_at(self, node_index):
        return self._node_values(node_index, 'input_tensors', 'input')

    def get_output_at(self, node_index):
        return self._node_values(node_index, 'output_tensors', 'output')

    def get_input_shape_at(self, node_index):
        return self._node_values(node_index, 'input_shapes', 'input shape')

    def get_output_shape_at(self, node_index):
        return self._node_values(node_index, 'output_shapes', 'output shape')

    def get_input_mask_at(self, node_index):
        return tree.map_structure(lambda x: x.mask, self.get_input_at(node_index))

    def get_output_mask_at(self, node_index):
        return tree.map_structure(lambda x: x.mask, self.get_output_at(node_index))

    @property
    def input(self):
        """The symbolic input, for a layer called once."""
        return self._only_node('input_tensors', 'input')

    @property
    def output(self):
        """The symbolic output, for a layer called once."""
        return self._only_node('output_tensors', 'output')

    @property
    def input_shape(self):
        return self._only_node('input_shapes', 'input shape')

    @property
    def output_shape(self):
        return self._only_node('output_shapes', 'output shape')

    @property
    def input_mask(self):
        return tree.map_structure(lambda x: x.mask, self.input)

    @property
    def output_mask(self):
        return tree.map_structure(lambda x: x.mask, self.output)

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


# --- helpers --------------------------------------------------------------------------------------------------------

_PLAIN = frozenset((int, float, str, bool, type(None), np.ndarray, type(len), type(lambda: 0), type))
_UNTRACKED = frozenset(('_trainable_weights', '_non_trainable_weights', '_inbound_nodes', '_outbound_nodes',
                        '_call_losses', '_initial_weights', '_dtype', 'name', 'input_spec', 'batch_input_shape',
                        '_trained_weights', '_steps', '_small_predictions', '_compiled', '_compile_arguments',
                        '_compile_metrics', '_symbolic_losses', 'optimizer', 'history'))


def _collect(value, variables, layers, seen):
    if isinstance(value, Layer):
        if id(value) not in seen:
            seen.add(id(value))
            layers.append(value)
    elif isinstance(value, Variable):
        if id(value) not in seen:
            seen.add(id(value))
            variables.append(value)
    elif isinstance(value, (list, tuple)):
        for part in value:
            if type(part) not in _PLAIN:
                _collect(part, variables, layers, seen)
    elif isinstance(value, dict):
        for part in value.values():
            if type(part) not in _PLAIN:
                _collect(part, variables, layers, seen)


def _unique(variables):
    return list({id(variable): variable for variable in variables}.values())


def _snake_case(name):
    partial = re.sub('(.)([A-Z][a-z0-9]+)', r'\1_\2', name)
    snake = re.sub('([a-z])([A-Z])', r'\1_\2', partial).lower()
    return 'private' + snake if snake.startswith('_') else snake


def _dtype_name(dtype):
    if isinstance(dtype, dict):
        dtype = dtype.get('config', dtype).get('name', dtype)
    name = getattr(dtype, 'name', dtype)
    if name in FLOATS or name in ('bool', 'string', 'complex64', 'complex128'):
        return name
    name = np.dtype(name).name
    return name


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


def _shapes_of(structure):
    if structure is None:
        return None
    return tree.map_structure(_shape_of, structure)


def _map_shapes(function, shapes):
    """Apply `function` to every shape of a structure whose leaves are tuples of ints and None."""
    if isinstance(shapes, dict):
        return {key: _map_shapes(function, value) for key, value in shapes.items()}
    if isinstance(shapes, (list, tuple)) and any(isinstance(part, (list, tuple, dict)) for part in shapes):
        return [_map_shapes(function, part) for part in shapes]
    return function(tuple(shapes))


def _with_training(function, training):
    def run(*args, **kwargs):
        return function(*args, training=training, **kwargs)
    return run


def _noted_mask(x):
    noted = calls.masks.get(id(x))
    return noted[1] if noted is not None and noted[0] is x else None
