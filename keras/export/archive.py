"""`ExportArchive`: a SavedModel with endpoints of one's own."""
import re

from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import Variable
from keras.export.by_engine import engine_for, further_arguments, inference, is_static, on_engine
from keras.export.elsewhere import Moved
from keras.export.signatures import described, names_of_arguments, signature_of
from keras.layers.base import Layer
from keras.saving.writing import whole_folder


class ExportArchive:
    """A SavedModel put together from endpoints, functions with signatures of their own; on the TensorFlow engine.

    Example:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint('serve', lambda x: model(x, training=False),
                             input_signature=[keras.InputSpec(shape=(None, 3), dtype='float32')])
        archive.write_out('folder')
        tensorflow.saved_model.load('folder').serve(x)
    """

    def __init__(self, *args, **kwargs):
        if args or kwargs:
            raise TypeError('ExportArchive takes no arguments. Received: %r, %r' % (args, kwargs))
        self._engine = engine_for('tf_saved_model')
        self._artifact = self._engine.new_artifact()
        self._endpoints, self._tracked = [], []

    # --- what it holds

    def track(self, resource):
        """Have the archive keep the variables of a layer or model, or an object that TensorFlow itself can save.

        Raises:
            ValueError: for a layer that is not built, or an object that holds nothing to keep.
        """
        if isinstance(resource, Layer):
            if not resource.built:
                raise ValueError('ExportArchive: the layer provided has not yet been built: %s. It must be built '
                                 'before it is exported: call it on data, or build(input_shape).' % resource.name)
        elif not self._artifact.can_keep(resource):
            raise ValueError('ExportArchive: Invalid resource type. Expected a layer, a model, or an object that '
                             'TensorFlow itself saves, such as a Module. Received: %r' % (resource,))
        if not any(known is resource for known in self._tracked):
            self._tracked.append(resource)
            self._artifact.track(resource, self._stored(self._of('variables')))

    def _stored(self, variables):
        """The variables with their storages on the engine that writes."""
        if self._engine is get_engine():
            return list(variables)
        return [Moved(variable, self._engine) if isinstance(variable, Variable) else variable for variable in variables]

    def _of(self, kind):
        found = {}
        for resource in self._tracked:
            found.update((id(variable), variable) for variable in getattr(resource, kind, ()))
        return list(found.values())

    @property
    def variables(self):
        """The variables of what is tracked."""
        return self._of('variables')

    @property
    def trainable_variables(self):
        return self._of('trainable_variables')

    @property
    def non_trainable_variables(self):
        return self._of('non_trainable_variables')

    def add_variable_collection(self, name, variables):
        """Keep a list of variables under a name of its own.

        Raises:
            ValueError: for what is no list of variables, or a name that is taken.
        """
        self._check_name(name, 'collection')
        if not isinstance(variables, (list, tuple, set)):
            raise ValueError('ExportArchive.add_variable_collection: expected `variables` to be a list, a tuple or a '
                             'set of variables. Received: %r' % (variables,))
        for variable in variables:
            if not isinstance(variable, Variable) and not self._artifact.is_variable(variable):
                raise ValueError('ExportArchive.add_variable_collection: expected all elements of `variables` to be '
                                 'variables. Received: %r' % (variable,))
        self._artifact.keep(name, self._stored(variables))

    # --- endpoints

    def add_endpoint(self, name, fn, input_signature=None, **kwargs):
        """Add a function as a method of the artifact, under a name.

        Args:
            name: a name of Python. The first endpoint is what serves by default.
            fn: a function of tensors, or a `tf.function` that has a signature or has been called.
            input_signature: a list with one entry for each argument: (structures of) objects with a shape and a dtype.
            kwargs: on JAX `is_static` and `jax2tf_kwargs`, see `export_model`.

        Returns:
            The function as TensorFlow runs it.

        Raises:
            ValueError: for a name that is taken or no name, or a function without a signature. TypeError: for unknown
                arguments.
        """
        unknown = set(kwargs).difference(further_arguments('tf_saved_model'))
        if unknown:
            raise TypeError('ExportArchive.add_endpoint: unknown argument %s.' % ', '.join(map(repr, sorted(unknown))))
        static = is_static(kwargs)
        self._check_name(name, 'endpoint')
        names = None
        if input_signature is not None:
            input_signature, names = described(input_signature), names_of_arguments(fn, len(input_signature))
            fn, _ = on_engine(self._engine, fn, input_signature, self._of('variables'), not static)
        function = self._artifact.add(name, fn, input_signature, names)
        self._endpoints.append(name)
        return function

    def track_and_add_endpoint(self, name, resource, input_signature, **kwargs):
        """Track a layer or model, and add its call for inference as an endpoint."""
        self.track(resource)
        if not isinstance(resource, Layer):
            return self.add_endpoint(name, resource.__call__, input_signature, **kwargs)
        return self.add_endpoint(name, inference(resource), signature_of(resource, input_signature), **kwargs)

    def _check_name(self, name, what):
        if not isinstance(name, str) or not re.fullmatch(r'[A-Za-z]\w*', name):
            raise ValueError('ExportArchive: the name of an %s is a name of Python, such as "serve". Received: %r'
                             % (what, name))
        if name in self._endpoints or self._artifact.has(name):
            raise ValueError('ExportArchive: the %s name %r is already taken.' % (what, name))

    # --- writing

    def write_out(self, filepath, options=None, verbose=True):
        """Write the SavedModel to the folder `filepath`.

        Args:
            options: a `tf.saved_model.SaveOptions`. verbose: whether to print the endpoints.

        Raises:
            ValueError: if there is no endpoint yet.
        """
        if not self._endpoints:
            raise ValueError('ExportArchive: No endpoints have been set yet. Call `add_endpoint` first.')
        with whole_folder(filepath) as folder:
            self._artifact.save(self._endpoints, folder, options)
        if verbose:
            print('Saved artifact at %r with the endpoints: %s.' % (filepath, ', '.join(self._endpoints)))

