"""What is known about running calls, per thread, and about the signatures of layer classes."""
import inspect
import threading

from keras.backend.state import context


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
        self._previous = (context.training, context.running, calls.losses, calls.masks)
        context.training, context.running, calls.losses, calls.masks = self.training, True, self.losses, {}
        return self

    def __exit__(self, *_):
        context.training, context.running, calls.losses, calls.masks = self._previous


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


def noted_mask(x):
    """The mask that a layer of the running call gave the native tensor `x`, or None."""
    noted = calls.masks.get(id(x))
    return noted[1] if noted is not None and noted[0] is x else None
