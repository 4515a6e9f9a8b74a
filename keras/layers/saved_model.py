"""A SavedModel as a layer."""
import functools
import os

from keras.backend.contract.loading import get_engine
from keras.layers.base import Layer
from keras.saving.serialization import InvalidConfig, refuses_code


class TFSMLayer(Layer):
    """A SavedModel of TensorFlow as a layer, on the TensorFlow engine.

    Args:
        filepath: the folder of the SavedModel.
        call_endpoint: the method, or the signature, that the layer calls. Numbers are cast to the dtypes of a method
            that takes only one kind of arguments.
        call_training_endpoint: the one that it calls in training, default the same.
        trainable: as of any layer; the variables stay as they are in the file: no gradient leads to them.

    Example:
        model.export('folder')
        layer = keras.layers.TFSMLayer('folder', call_endpoint='serve')

    Raises:
        NotImplementedError: on other engines. ValueError: for an endpoint that there is not.
    """

    def __init__(self, filepath, call_endpoint='serve', call_training_endpoint=None, trainable=True, name=None,
                 dtype=None):
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self.filepath = os.fspath(filepath)
        self.call_endpoint, self.call_training_endpoint = call_endpoint, call_training_endpoint
        self._artifact = get_engine().load_artifact(self.filepath)
        self._endpoint = self._artifact.endpoint(call_endpoint)
        self._training_endpoint = self._endpoint if call_training_endpoint is None \
            else self._artifact.endpoint(call_training_endpoint)
        self.variables_of_file = self._artifact.adopted(get_engine())
        self.built = True

    def call(self, inputs, training=False, **kwargs):
        return (self._training_endpoint if training else self._endpoint)(inputs, **kwargs)

    def get_config(self):
        return dict(super().get_config(), filepath=self.filepath, call_endpoint=self.call_endpoint,
                    call_training_endpoint=self.call_training_endpoint)

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """A layer from what `get_config` gave, which names a SavedModel: a program, that runs when the layer does.

        Args:
            safe_mode: False loads it; default as it is around the call.

        Raises:
            ValueError: unless that is allowed.
        """
        if refuses_code() if safe_mode is None else safe_mode:
            raise InvalidConfig(
                'Requested the deserialization of a `TFSMLayer`, which loads the SavedModel %r that the config names: '
                'it could do anything here (arbitrary code execution), so it is not loaded. If you trust where the '
                'config and the folder come from, pass `safe_mode=False` to the function that loads it.'
                % (config.get('filepath'),))
        return cls(**config)

    def __reduce__(self):
        # A copy of an object is no config from outside.
        return functools.partial(type(self).from_config, safe_mode=False), (self.get_config(),)
