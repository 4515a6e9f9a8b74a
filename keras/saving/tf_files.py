"""What tf.keras saves in TensorFlow's own formats, read without it: checkpoints of weights, and SavedModels.

A SavedModel holds the config of the model where that could be written (`keras_metadata.pb`; in TensorFlow 2.0 to 2.4
the objects of `saved_model.pb` themselves), and the weights as a checkpoint. Code is in its graph only.
"""
import contextlib
import os

from keras import generations
from keras.backend.state.variables import Variable
from keras.saving import training_config, values, versions
from keras.saving.kinds import kind_in
from keras.saving.opening import RefusedFile, open_file
from keras.saving.texts import parse_json
from keras.saving.protobuf import fields, integer, signed, text
from keras.saving.serialization import get_registered_object
from keras.saving.tensor_bundle import Checkpoint, is_checkpoint  # noqa: F401

# Attributes of layers of TensorFlow that hold the state of a generator of random numbers.
_RANDOM = ('_rng', '_random_generator', 'random_generator', '_state_var')
# The slots of tf.keras' optimizers in the order in which they are kept.
_SLOTS = ('m', 'v', 'vhat', 'rms', 'momentum', 'mg', 'accumulator', 'accum_grad', 'accum_var', 'linear')
_MODELS = ('_tf_keras_model', '_tf_keras_network', '_tf_keras_sequential')


def load_checkpoint(model, prefix, skip_mismatch=False):
    """Set the weights of `model`, and the state of its optimizer, from a checkpoint of `save_weights(prefix)`.

    Raises:
        OSError: for a damaged checkpoint. ValueError: if something does not fit; then nothing is changed.
    """
    root = Checkpoint(prefix).root()
    pairs = _pairs_of(model, root)
    _assign(pairs, skip_mismatch)
    _read_vocabularies(model, root)
    if getattr(model, 'optimizer', None) is not None and 'optimizer' in root.children:
        _restore_optimizer(model, root.children['optimizer'], pairs)


def _assign(pairs, skip_mismatch=False):
    fitting = []
    for variable, node in pairs:
        shape = node.shape()
        if shape == tuple(variable.shape):
            fitting.append((variable, node.array()))
        elif not skip_mismatch:
            raise ValueError('The weight %s has shape %s, the checkpoint has shape %s for it (%s). The usual cause: it '
                             'was written by a model of another architecture.'
                             % (variable.path, tuple(variable.shape), shape, node.full_name))
    for variable, array in fitting:
        variable.assign(array)


# --- which weight is which --------------------------------------------------------------------------------------------

def _pairs_of(layer, node, done=None):
    """[(variable, Node)] of the weights of a layer or model, found by the names of its attributes.

    Raises:
        ValueError: where one is not in the checkpoint.
    """
    done = set() if done is None else done
    if id(layer) in done or not layer.weights_by_kind:
        return []
    done.add(id(layer))
    if getattr(layer, 'layer_graph', None) is not None and _numbered(node):
        return _pairs_of_model(layer, node, done)
    pairs, missing = [], []
    for name, value in vars(layer).items():
        try:
            pairs.extend(_pairs_of_attribute(layer, name, value, node, done))
        except _Missing as error:  # an attribute of ours only, or another name of what is found elsewhere
            missing.append((error, value))
    found = {id(variable) for variable, _ in pairs}
    for error, value in missing:
        weights = [value] if isinstance(value, Variable) else getattr(value, 'weights', [value])
        if any(id(weight) not in found for weight in weights):
            raise error
    return pairs


class _Missing(ValueError):
    """Something of a layer is not in the checkpoint."""


def _numbered(node):
    """The nodes of the layers with weights of a model made of a graph, in order; random states are no weights here."""
    found, place, barren, visits = [], 0, set(), [0]
    while 'layer_with_weights-%d' % place in node.children:
        child = node.children['layer_with_weights-%d' % place]
        if child.holds_weights(_RANDOM, barren, visits):
            found.append(child)
        place += 1
    return found


def _pairs_of_model(model, node, done):
    layers = [layer for layer in model.layers if layer.weights_by_kind]
    nodes = _numbered(node)
    if len(layers) != len(nodes):
        raise ValueError('The checkpoint has weights for %d layers of model %s, which has %d layers with weights (%s). '
                         'The usual cause: it was written by a model of another architecture.'
                         % (len(nodes), model.name, len(layers), ', '.join(layer.name for layer in layers)))
    return [pair for layer, child in zip(layers, nodes) for pair in _pairs_of(layer, child, done)]


def _pairs_of_attribute(layer, name, value, node, done):
    if name.startswith(('_trainable_weights', '_non_trainable_weights', '_inbound', '_outbound', 'copy_of')):
        return []
    if isinstance(value, Variable) and any(value is weight for weight in layer.weights_made()):
        return [] if id(value) in done or done.add(id(value)) else [(value, _child(layer, value, name, node))]
    if hasattr(value, 'weights_made') and value.weights_by_kind:
        return _pairs_of(value, _child(layer, value, name, node), done)
    if isinstance(value, (list, tuple)) and any(hasattr(part, 'weights_made') for part in value):
        inside = _child(layer, value, name, node)
        return [pair for number, part in enumerate(value)
                for pair in _pairs_of_attribute(layer, str(number), part, inside, done)]
    return []


def _child(layer, value, name, node):
    for known in (name, name.lstrip('_'), '_' + name, getattr(value, 'path', '').rpartition('/')[2]):
        if known in node.children:
            return node.children[known]
    raise _Missing('The checkpoint has nothing for %r of layer %s; it has: %s. The usual cause: it was written by a '
                   'model of another architecture.' % (name, layer.name,
                                                       ', '.join(sorted(node.children)[:40]) or 'nothing'))


# --- vocabularies -----------------------------------------------------------------------------------------------------

def _read_vocabularies(model, root):
    """Give layers that look up words or numbers the tables that they had."""
    for number, layer in enumerate(model.layers):
        node = root.children.get('layer-%d' % number)
        if node is None:
            continue
        if getattr(layer, 'layer_graph', None) is not None:
            _read_vocabularies(layer, node)
        elif hasattr(layer, 'set_vocabulary'):
            name = _table_of(node)
            if name is not None:
                tokens, places = (node.checkpoint.array('%s-%s' % (name, part)) for part in ('keys', 'values'))
                tokens, places = (places, tokens) if getattr(layer, 'invert', False) else (tokens, places)
                layer.set_vocabulary(_in_places(tokens.tolist(), places.tolist()))


def _table_of(node):
    """The name of the table below a layer's node in the checkpoint, None without one."""
    for part in [node] + [child for name, child in sorted(node.children.items()) if 'lookup' in name]:
        for name in ('lookup_table', '_table'):
            if 'table' in getattr(part.children.get(name), 'values', ()):
                return part.children[name].values['table']
    return None


def _in_places(tokens, places):
    """The tokens in the order of their places."""
    tokens = [token.decode('utf-8') if isinstance(token, bytes) else token for token in tokens]
    return [token for _, token in sorted(zip(places, tokens), key=lambda pair: pair[0])]


# --- the optimizer ----------------------------------------------------------------------------------------------------

def _restore_optimizer(model, node, pairs):
    names, arrays = _state_of(node, model, pairs)
    if names:
        training_config.restore_optimizer(model, names, arrays)


def _state_of(node, model, pairs):
    """The names and arrays of an optimizer's state, as a file in HDF5 has them."""
    node = next((node.children[name] for name in ('base_optimizer', '_optimizer', 'inner_optimizer')
                 if name in node.children), node)
    if '_variables' in node.children:  # from 2.11 on
        numbered = sorted(node.children['_variables'].children.items(), key=lambda item: int(item[0]))
        return ([child.full_name + ':0' for _, child in numbered if child.is_variable],
                [child.array() for _, child in numbered if child.is_variable])
    if 'iter' not in node.children:
        return [], []
    names, arrays = ['%s/iter:0' % 'training'], [node.children['iter'].array()]
    places = {id(variable): place for variable, place in pairs}
    if 'momentum_cache' in node.children:
        names.append('training/momentum_cache:0')
        arrays.append(node.children['momentum_cache'].array())
    for slot in _SLOTS:
        for variable in model.trainable_weights:
            found = node.slots.get((places.get(id(variable)), slot))
            if found is not None:
                names.append('training/%s/%s:0' % (variable.path, slot))
                arrays.append(found.array())
    return names, arrays


# --- SavedModels ------------------------------------------------------------------------------------------------------

def is_saved_model(path):
    """Whether `path` is the folder of a SavedModel."""
    return os.path.isfile(os.path.join(path, 'saved_model.pb'))


def checkpoint_in(path):
    """The name of the checkpoint in a SavedModel."""
    return os.path.join(path, 'variables', 'variables')


def load_saved_model(path, compile=True):  # noqa: A002  (as it is called everywhere)
    """The model of a SavedModel that tf.keras wrote, from its config and its weights.

    Raises:
        OSError: for a damaged file. ValueError: where the model is of a class that is not among the custom objects.
    """
    content = metadata(path)
    generation = generations.of_version(content.get('keras_version', '2.15.0'))
    config = values.decoded({key: content.get(key) for key in ('class_name', 'config')})
    versions.completed(config, content.get('keras_version', '2.15'))
    of_class = not isinstance(config['config'], dict) or 'layers' not in config['config']
    if of_class and get_registered_object(str(config['class_name'])) is None:
        raise ValueError('The SavedModel %s holds the graph of a model of a class of its own, %r, and not the class: '
                         'pass it in `custom_objects={%r: ...}`, or build the model and call load_weights(%r). '
                         'On TensorFlow, keras.layers.TFSMLayer(%r, call_endpoint="serving_default") runs the graph, '
                         'which is code of whoever wrote it.'
                         % (path, config['class_name'], config['class_name'], path, path))
    with generations.reading(generation):
        model = kind_in('keras.models').deserialize(dict(config, config=config['config'] or {}))
        if of_class and not model.built:
            model.build(_input_shapes(path, content))
        root = Checkpoint(checkpoint_in(path)).root()
        pairs = _pairs_of(model, root)
        _assign(pairs)
        _read_vocabularies(model, root)
        settings = content.get('training_config')
        if compile and settings:
            training_config.compile_from(model, values.decoded(settings))
            node = root.children.get('optimizer')
            if node is not None:
                _restore_optimizer(model, node, pairs)
    return model


def _input_shapes(path, content):
    """The shapes that a model of a class was called on, or the last of them, in the structure of its argument."""
    spec = content.get('save_spec')
    if spec is not None:
        return _shapes_in(spec)
    shapes = list(_shapes_of_signature(path).values())
    if not shapes:
        raise ValueError('The SavedModel %s does not say what shape its inputs have. Build the model, and call '
                         'load_weights(%r).' % (path, path))
    return shapes if len(shapes) > 1 else shapes[0]


def _shapes_in(spec):
    """The shapes in a nested TypeSpec, without the number of samples."""
    if isinstance(spec, dict) and spec.get('class_name') == 'TypeSpec':
        return (None,) + tuple(spec['serialized'][0]['items'][1:])
    if isinstance(spec, dict) and 'items' in spec:
        spec = spec['items']
    if isinstance(spec, dict):
        return {name: _shapes_in(part) for name, part in spec.items()}
    return [_shapes_in(part) for part in spec]


def _shapes_of_signature(path):
    """{name: shape without the number of samples} of what `serving_default` takes, in the order of the names."""
    found = {}
    with _damages_of(path):
        for entry in map(fields, fields(fields(_content(path, 'saved_model.pb'))[2][0]).get(5, [])):
            if text(entry.get(1)) != 'serving_default':
                continue
            for given in map(fields, fields(entry[2][0]).get(1, [])):
                sizes = [signed(integer(fields(size).get(1))) for size in fields(fields(given[2][0])[3][0]).get(2, [])]
                found[text(given.get(1))] = (None,) + tuple(None if size < 0 else size for size in sizes[1:])
    return dict(sorted(found.items()))


@contextlib.contextmanager
def _damages_of(path):
    try:
        yield
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise OSError('The SavedModel %s is damaged (%s).' % (path, error)) from error


def metadata(path):
    """What tf.keras wrote about the model of a SavedModel, a dictionary as of JSON.

    Raises:
        OSError: where the file is damaged. ValueError: where no Keras wrote it.
    """
    for node in _metadata_nodes(path):
        name, identifier, content = node
        if name == 'root' and identifier in _MODELS + ('_tf_keras_layer', '_tf_keras_rnn_layer'):
            found = parse_json(content, 'metadata of the SavedModel')
            if not isinstance(found, dict):
                raise RefusedFile('The SavedModel %s is damaged: what it says of its model is %.100r.' % (path, found))
            return found
    raise ValueError('The SavedModel %s holds no model of Keras. The usual cause: tf.saved_model.save wrote something '
                     'else.' % path)


def _metadata_nodes(path):
    """(path of the object, kind, JSON) of the objects of Keras in a SavedModel."""
    with _damages_of(path):
        if os.path.isfile(os.path.join(path, 'keras_metadata.pb')):
            for node in map(fields, fields(_content(path, 'keras_metadata.pb')).get(1, [])):
                yield text(node.get(3)), text(node.get(4)), text(node.get(5))
            return
        graph = fields(fields(fields(_content(path, 'saved_model.pb'))[2][0])[7][0])
        root = fields(fields(graph[1][0]).get(4, [b''])[0])
        if root.get(3):
            yield 'root', text(root.get(1)), text(root.get(3))


def _content(path, name):
    with open_file(os.path.join(path, name)) as file:
        return file.read()
