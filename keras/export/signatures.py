"""What all exports ask first: whether the model is built, what it takes, and which package writes the format."""
import importlib
import inspect

from keras import config
from keras.backend.contract import tree
from keras.backend.contract.rules import dtype_named
from keras.backend.graph.tensors import KerasTensor
from keras.export.tracing import Trace
from keras.layers.shapes import map_shapes
from keras.models.specs import expected_arguments

# What an argument without a name is called.
_UNNAMED = 'input'


def packages_for(format, *packages):
    """Make sure that what writes `format` is installed.

    Raises:
        ImportError: naming the package and how to install it.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ImportError('export: the format %r needs the package %r: pip install %s (%s)'
                              % (format, package, package.partition('.')[0], error)) from error


def signature_of(model, input_signature=None):
    """Symbolic tensors in the structure of what `model` is called with, one list entry for each argument.

    Args:
        input_signature: a list with one entry for each argument: (structures of) objects with a `shape` and a `dtype`.
            Default: what the model was made for, or built for.

    Raises:
        ValueError: if the model is not built, or nothing tells what it takes.
    """
    if not model.built:
        raise ValueError('export: %s %s is not built yet, so its weights have no values. It must be built: call it on '
                         'data, or `build(input_shape)`, first.' % (type(model).__name__, model.name))
    if input_signature is not None:
        return described(input_signature)
    expected = expected_arguments(model)
    if expected is not None:
        return expected
    built_for = model.get_build_config() or {}
    if built_for.get('input_shape') is not None:  # floats, of a shape like that, in batches of any size
        return [map_shapes(lambda shape: KerasTensor((None,) + tuple(shape)[1:], config.floatx(), name=_UNNAMED),
                           built_for['input_shape'])]
    raise ValueError('export: %s %s is defined by Python code, which does not tell what it takes. Give it: '
                     'input_signature=[keras.InputSpec(shape=(None, 8), dtype="float32")].'
                     % (type(model).__name__, model.name))


def described(input_signature):
    """An `input_signature` as a list with (a structure of) symbolic tensors for each argument."""
    given = list(input_signature) if isinstance(input_signature, (list, tuple)) else [input_signature]
    return tree.map_structure(_placeholder, given)


def _placeholder(spec):
    if not hasattr(spec, 'shape') or getattr(spec, 'shape', None) is None:
        raise TypeError('export: each entry of `input_signature` needs a shape and a dtype, as keras.InputSpec has. '
                        'Unsupported x=%r' % (spec,))
    dtype = dtype_named(getattr(spec, 'dtype', None) or 'float32')
    return KerasTensor(tuple(spec.shape), dtype, name=getattr(spec, 'name', None) or _UNNAMED)


def names_of_arguments(function, count):
    """The names of the first `count` arguments of a function; None where it does not name them."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[:count]
    except (TypeError, ValueError):
        return None
    positional = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return positional if len(positional) == count else None


def check_stateless(model, format):
    """Raise ValueError for a model that keeps states from batch to batch, which `format` does not."""
    if getattr(model, 'stateful', False):
        raise refusal_of_states(model, format)


def refusal_of_states(model, format):
    """The ValueError for a model with states in a format without."""
    return ValueError("export: model %s keeps states from batch to batch, which the format %r does not. Make its "
                      "recurrent layers with stateful=False, or export to 'onnx' or 'tf_saved_model'."
                      % (model.name, format))


def names_of(model, arguments, outputs, named=False):
    """(names of the inputs, names of the outputs), each once: of the signature, the graph or the dictionaries.

    Args:
        arguments, outputs: symbolic tensors in their structure. named: whether the arguments have names of their own.
    """
    graph = getattr(model, 'layer_graph', None)
    inputs, results = tree.flatten(arguments), tree.flatten(outputs)
    taken, given = _keys_of(arguments, 'input'), _keys_of(outputs, 'output')
    if graph is not None and len(graph.inputs) == len(inputs) and len(graph.outputs) == len(results):
        taken, given = graph.input_names, graph.output_names
    if named:
        taken = [tensor.name if tensor.name != _UNNAMED else name for tensor, name in zip(inputs, taken)]
    taken = _each_once(taken, ())
    return taken, _each_once(['%s_output' % name if name in taken else name for name in given], taken)


def _keys_of(structure, word):
    """Names for the leaves of a structure: keys of dictionaries, or numbered."""
    keys = [[part for part in path if isinstance(part, str)] for path in tree.paths(structure)]
    numbered = [word if len(keys) == 1 else '%s_%d' % (word, index) for index in range(len(keys))]
    return ['_'.join(key) or number for key, number in zip(keys, numbered)]


def _each_once(names, taken):
    found = []
    for name in names:
        found.append(name if name not in found and name not in taken else '%s_%d' % (name, len(found)))
    return found


def traced(model, input_signature, data_format='channels_first'):
    """(trace, symbolic inputs, symbolic outputs, their names) of a model; states that it keeps are assigned there."""
    arguments = signature_of(model, input_signature)
    trace = Trace(data_format, keeping_states=True)
    outputs = trace.outputs_of(model, arguments)
    names = names_of(model, arguments, outputs, input_signature is not None)
    return trace, tree.flatten(arguments), tree.flatten(outputs), names
