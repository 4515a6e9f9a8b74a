"""SavedModels and files of TensorFlow Lite, and what TensorFlow's own converters ask of Keras."""
import importlib
import inspect

import tensorflow as tf

from keras.backend.contract import tree
from keras.backend.engines.tensorflow.control import plain_arrays
from keras.backend.engines.tensorflow.tensors import DTYPES, NAMES, own_graph, valid_name
from keras.backend.state.variables import Variable


def specification_of(tensor, name=None):
    """A `tf.TensorSpec` for a symbolic tensor, or what has a shape and a dtype like one."""
    if isinstance(tensor, tf.TypeSpec):
        return tensor
    name = name or getattr(tensor, 'name', None)
    dtype = getattr(tensor, 'dtype', None) or 'float32'
    return tf.TensorSpec(tensor.shape, DTYPES.get(str(dtype), dtype), name=name and valid_name(name))


def function_of(call, signature, names=None):
    """`call` as a `tf.function` for arguments of this signature, which may be given by `names`, too."""
    specifications = tree.map_structure(specification_of, list(signature))

    def run(*args):
        with own_graph():
            return tree.map_structure(lambda leaf: None if leaf is None else tf.convert_to_tensor(leaf), call(*args))
    if names is not None:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        run.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    return tf.function(run, input_signature=specifications, autograph=False)


# Where a variable of TensorFlow keeps whether it is trained.
_MARK = '_trainable'


class Artifact(tf.__internal__.tracking.AutoTrackable):
    """What a SavedModel holds: endpoints as methods, and variables."""

    def __init__(self):
        super().__init__()
        self.resources = []

    def has(self, name):
        """Whether the name is taken."""
        return hasattr(self, name)

    @staticmethod
    def can_keep(resource):
        """Whether TensorFlow saves an object itself."""
        # TensorFlow takes our variables for its own; layers are asked for their variables.
        if isinstance(resource, Variable) or hasattr(resource, 'tracked_by_name'):
            return False
        return isinstance(resource, (tf.Module, tf.Variable)) or hasattr(resource, '_gather_saveables_for_checkpoint') \
            or hasattr(resource, '_trackable_children')

    @staticmethod
    def is_variable(x):
        return isinstance(x, tf.Variable)

    def track(self, resource, variables):
        """Keep what `resource` holds; `variables` are those of all layers that are tracked."""
        if self.can_keep(resource):
            self.resources.append(resource)
        self.keep_all(variables)

    def keep_all(self, variables):
        """Keep the variables of what is tracked, under the names by which a SavedModel of Keras has them."""
        self.keep('variables', variables)
        for name, wanted in (('trainable_variables', True), ('non_trainable_variables', False)):
            self.keep(name, [variable for variable in variables if bool(variable.trainable) is wanted])

    def keep(self, name, variables):
        """Keep the storages of `variables`, a list, as the attribute `name`."""
        setattr(self, name, [getattr(variable, 'storage', variable) for variable in variables])

    def add(self, name, call, signature=None, names=None):
        """Make `call`, or a `tf.function`, the method `name`, and keep the variables that it reads."""
        function = call if signature is None else function_of(call, signature, names)
        if not hasattr(function, 'get_concrete_function'):
            raise ValueError('ExportArchive: for the endpoint %r you must provide an `input_signature`, unless its '
                             'function is a tf.function with one. Received: %r' % (name, call))
        if function.input_signature is None and not function._list_all_concrete_functions():
            raise ValueError('ExportArchive: for the endpoint %r you must either provide a function that has been '
                             'called, or an `input_signature`. Received: %r' % (name, call))
        setattr(self, name, function)
        if function.input_signature is not None:
            self.keep('_variables_of_' + name, list(function.get_concrete_function().graph.variables))
        return function

    def save(self, endpoints, filepath, options=None):
        """Write the SavedModel with these methods as signatures; the first is what serves by default."""
        signatures = {}
        for name in endpoints:
            signature = named_outputs(getattr(self, name))
            if signature is not None:
                signatures[name] = signature
                signatures.setdefault(tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY, signature)
        # Here tapes watch all floats, see `new_variable`; the file says what is trained.
        frozen = [(storage, storage.trainable) for storage in getattr(self, 'non_trainable_variables', ())]
        try:
            for storage, _ in frozen:
                setattr(storage, _MARK, False)
            tf.saved_model.save(self, filepath, signatures=signatures or None, options=options)
        finally:
            for storage, trainable in frozen:
                setattr(storage, _MARK, trainable)


def named_outputs(function):
    """`function` giving a dictionary, as a signature has to; None where it has no signature of its own."""
    if function.input_signature is None:
        return None

    def run(*args):
        outputs = function(*args)
        if isinstance(outputs, dict):
            return outputs
        return {'output_%d' % index: leaf for index, leaf in enumerate(tree.flatten(outputs)) if leaf is not None}
    leaves = tree.flatten(list(function.input_signature))
    names = [leaf.name for leaf in leaves]
    if len(set(names)) < len(names) or None in names:
        leaves = [tf.TensorSpec(leaf.shape, leaf.dtype, name='args_%d' % index) for index, leaf in enumerate(leaves)]
    structure = list(function.input_signature)

    def flat(*args):
        return run(*tree.pack_as(structure, list(args)))
    return tf.function(flat, input_signature=leaves, autograph=False)


def write_saved_model(filepath, call, signature, variables, options=None):
    """Write `call` as the endpoint `serve` of a SavedModel in the folder `filepath`."""
    artifact = Artifact()
    artifact.keep_all(variables)
    artifact.add('serve', call, signature)
    artifact.save(['serve'], filepath, options)


def write_tflite(file, call, signature, variables, enable_select_tf_ops=True, allow_custom_ops=False,
                 optimizations=None, representative_dataset=None):
    """Write `call` to a file of TensorFlow Lite.

    enable_select_tf_ops: whether operations that TensorFlow Lite lacks may be those of TensorFlow.
    """
    with plain_arrays():
        concrete = function_of(call, signature).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    if enable_select_tf_ops:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    converter.allow_custom_ops = allow_custom_ops
    converter.optimizations = list(optimizations or [])
    converter.representative_dataset = representative_dataset
    file.write(converter.convert())


# How names of such files end.
write_tflite.extension = '.tflite'


def _casting(method):
    """A method of a SavedModel, called with numbers of other dtypes too, as our models are."""
    functions = getattr(method, 'concrete_functions', ())
    if len(functions) != 1:
        return method
    specifications = tree.flatten(functions[0].structured_input_signature[0])

    def call(*args, **kwargs):
        leaves = tree.flatten(args)
        if len(leaves) == len(specifications):
            args = tree.pack_as(args, [_fitting(*pair) for pair in zip(leaves, specifications)])
        return method(*args, **kwargs)
    return call


def _fitting(leaf, specification):
    """A tensor of numbers in the dtype of a `tf.TensorSpec` of numbers; anything else as it is."""
    wanted, own = getattr(specification, 'dtype', None), getattr(leaf, 'dtype', None)
    numbers = all(isinstance(dtype, tf.DType) and (dtype.is_floating or dtype.is_integer) for dtype in (wanted, own))
    return tf.cast(leaf, wanted) if numbers and wanted != own and isinstance(leaf, tf.Tensor) else leaf


class LoadedArtifact:
    """A SavedModel, read again."""

    def __init__(self, filepath):
        self.filepath = filepath
        self.loaded = tf.saved_model.load(filepath)

    def endpoint(self, name):
        """The method or signature of this name, as a function of tensors.

        Raises:
            ValueError: where there is none; it lists those that there are.
        """
        if hasattr(self.loaded, name):
            return _casting(getattr(self.loaded, name))
        if name not in self.loaded.signatures:
            methods = [key for key, value in vars(self.loaded).items() if hasattr(value, 'get_concrete_function')]
            raise ValueError('TFSMLayer: The endpoint %r is neither an attribute of the SavedModel %s nor an entry in '
                             'its signatures. It has the methods %s and the signatures %s.'
                             % (name, self.filepath, ', '.join(sorted(methods)) or 'none',
                                ', '.join(sorted(self.loaded.signatures)) or 'none'))
        signature = self.loaded.signatures[name]
        names = sorted(signature.structured_input_signature[1])

        def call(inputs, **kwargs):
            given = dict(inputs) if isinstance(inputs, dict) else dict(zip(names, tree.flatten([inputs])))
            return signature(**dict(given, **kwargs))
        return call

    def _storages(self):
        if hasattr(self.loaded, 'variables'):
            return self.loaded.variables
        # One that TensorFlow saved by itself has no list; its signatures know what they read.
        return list({id(storage): storage for signature in self.loaded.signatures.values()
                     for storage in signature.variables}.values())

    def adopted(self, engine):
        """The variables of the SavedModel, each as one of ours that is stored in it."""
        found = []
        for storage in self._storages():
            variable = Variable(storage.numpy(), dtype=NAMES[storage.dtype], trainable=storage.trainable,
                                name=storage.name.partition(':')[0])
            variable.held, variable.holder = storage, engine
            found.append(variable)
        return found


# --- what TensorFlow asks for -----------------------------------------------------------------------------------------

class CallContext:
    """What TensorFlow Lite's converter enters around a call of a model."""

    def enter(self, model, inputs, build_graph, call_context_args, saving):
        return plain_arrays()


def _later(module, name):
    """A function of the library above the engines, looked up when it is called."""
    return lambda *args, **kwargs: getattr(importlib.import_module(module), name)(*args, **kwargs)


def register():
    """Tell TensorFlow what its converters need of Keras."""
    ours = {'register_call_context_function': CallContext,
            'register_load_model_function': _later('keras.models', 'load_model'),
            'register_clear_session_function': _later('keras.backend', 'clear_session'),
            'register_get_session_function': _later('keras.backend', 'get_session')}
    internal = getattr(tf, '__internal__', None)
    for name, function in ours.items():
        if hasattr(internal, name):
            getattr(internal, name)(function)
