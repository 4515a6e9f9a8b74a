"""What is known about the signatures of layer classes."""
import inspect

from keras.backend.calls import calls, noted_mask, running  # noqa: F401  (layers have them from here)


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
