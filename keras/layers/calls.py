"""What is known about the signatures of layer classes, and which layers are being built inside of others."""
import functools
import inspect
import threading

from keras.backend.contract.context import calls, note_mask, noted_mask, running  # noqa: F401  (layers have them from here)
from keras.layers.captured import asks_for_gradients


class CallSignature:
    """What a layer class's `call` and `build` take, found out once per class."""

    def __init__(self, layer_class):
        parameters = _parameters(layer_class, 'call')
        names = list(parameters)
        self.names = names
        kinds = [parameter.kind for parameter in parameters.values()]
        self.has_kwargs = inspect.Parameter.VAR_KEYWORD in kinds
        self.takes_training = 'training' in names
        self.takes_mask = 'mask' in names
        self.defaults = {name: parameters[name].default for name in names
                         if parameters[name].default is not inspect.Parameter.empty}
        self.build_names = [name for name, parameter in _parameters(layer_class, 'build').items()
                            if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        self.asks_for_gradients = asks_for_gradients(layer_class.call)
        self.rule_takes_several = sum(parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for parameter in
                                      _parameters(layer_class, 'compute_output_shape').values()) > 1
        self.outgrew_shape_rule = _outgrew_shape_rule(layer_class)


def _parameters(layer_class, method):
    """The parameters of a method without the object, whatever that is called."""
    parameters = list(inspect.signature(getattr(layer_class, method)).parameters.items())
    of_object = not isinstance(inspect.getattr_static(layer_class, method), (staticmethod, classmethod))
    if of_object and parameters and parameters[0][1].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
        del parameters[0]
    return dict(parameters)


def _outgrew_shape_rule(layer_class):
    """Whether `call` is that of a user's class below the one that has the shape rule, which may know nothing of it."""
    above = [each for each in layer_class.__mro__ if 'call' in vars(each) or 'compute_output_shape' in vars(each)]
    return 'compute_output_shape' not in vars(above[0]) and not is_ours(above[0])


def is_ours(thing):
    """Whether a class or a function is one of this package."""
    module = getattr(thing, '__module__', None)
    return isinstance(module, str) and module.partition('.')[0] == 'keras'


_signatures = {}


def signature_of(layer_class):
    try:
        return _signatures[layer_class]
    except KeyError:
        return _signatures.setdefault(layer_class, CallSignature(layer_class))


class _Outer(threading.local):
    """Per thread: the path of the layer whose parts are being built, and the layer whose `build` runs."""
    path = ''
    builds = None


_outer = _Outer()


def path_inside(name):
    """The path of a layer called `name` that is built right now."""
    return '%s/%s' % (_outer.path, name) if _outer.path else name


class inside:
    """A `with` block in which the parts of a layer are built, or it is called for the first time."""
    __slots__ = ('path', 'builds', 'previous')

    def __init__(self, layer, builds=None):
        self.path, self.builds = layer.path, builds

    def __enter__(self):
        self.previous = _outer.path, _outer.builds
        _outer.path, _outer.builds = self.path, self.builds

    def __exit__(self, *_):
        _outer.path, _outer.builds = self.previous


def with_all_around(build):
    """The method `build` of a class, which does when it is called directly what building by a call does, too.

    So the layers inside of it find their place, and a layer that is built that way is built.
    """
    @functools.wraps(build)
    def wrapper(self, *args, **kwargs):
        return run_build(self, build, args, kwargs)
    return wrapper


def run_build(layer, build, args, kwargs):
    """Run a `build`, of a class that the layer is of, from the layer's own or by somebody else."""
    if _outer.builds is layer:
        build(layer, *args, **kwargs)
    else:
        names = signature_of(type(layer)).build_names
        shapes = list(args) + [kwargs[name] for name in names[len(args):] if name in kwargs]
        while shapes and shapes[-1] is None:
            del shapes[-1]
        layer.build_by(lambda: build(layer, *args, **kwargs), shapes)
