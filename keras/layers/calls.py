"""What is known about the signatures of layer classes, and which layers are being built inside of others."""
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
        # (name of an argument, of the one for its mask)
        self.masked = [(name, name + '_mask') for name in names if name + '_mask' in names]
        self.defaults = {name: parameters[name].default for name in names
                         if parameters[name].default is not inspect.Parameter.empty}
        shapes = [(name, parameter) for name, parameter in _parameters(layer_class, 'build').items()
                  if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        self.build_names = [name for name, _ in shapes]
        self.needed_shapes = [name for name, parameter in shapes if parameter.default is inspect.Parameter.empty]
        self.builds_without_shape = all(parameter.default is None for _, parameter in shapes)
        self.asks_for_gradients = asks_for_gradients(layer_class.call)
        self.rule_takes_several = sum(parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for parameter in
                                      _parameters(layer_class, 'compute_output_shape').values()) > 1
        self.outgrew_shape_rule = _outgrew_shape_rule(layer_class)


    def check_build(self, layer_class, shapes):
        """Raise for a `build` whose arguments are not those of `call` with `_shape` behind them."""
        for name in self.needed_shapes:
            if name not in shapes:
                wrong = ', which does not end in `_shape`' if not name.endswith('_shape') else \
                    ', but `call()` does not have argument `%s`, or was not given it' % name[:-len('_shape')]
                raise ValueError('%s: `build()` with several arguments gets the shapes of those of `call()`. It has an '
                                 'argument `%s`%s.' % (layer_class.__name__, name, wrong))


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
    """Per thread: the path of the layer whose parts are being built."""
    path = ''


_outer = _Outer()


def path_inside(name):
    """The path of a layer called `name` that is built right now."""
    return '%s/%s' % (_outer.path, name) if _outer.path else name


class inside:
    """A `with` block in which the parts of a layer are built, or it is called for the first time."""
    __slots__ = ('path', 'previous')

    def __init__(self, layer):
        self.path = layer.path

    def __enter__(self):
        self.previous, _outer.path = _outer.path, self.path

    def __exit__(self, *_):
        _outer.path = self.previous
