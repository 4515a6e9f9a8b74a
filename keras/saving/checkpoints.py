"""Weights as checkpoints in an engine's own format, with the names of tf.keras: `save_weights('cp.ckpt')`."""
import os

from keras.backend.contract.loading import KNOWN_ENGINES, get_engine, is_installed, load_engine
from keras.backend.state.variables import Variable


def save(model, filepath):
    """Write the weights of a model, and the state of its optimizer, as a checkpoint called `filepath`."""
    path = os.path.abspath(os.fspath(filepath))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    tree = _node(model, {})
    optimizer = getattr(model, 'optimizer', None)
    if optimizer is not None and optimizer.built:
        tree['optimizer'] = _optimizer_node(optimizer)
    _writer().write_checkpoint(path, tree)


def _writer():
    """The active engine, or another one that is installed and writes checkpoints."""
    engine = get_engine()
    able = [name for name, known in KNOWN_ENGINES.items() if 'tf_saved_model' in known.formats
            and any(map(is_installed, known.modules))]
    return load_engine(able[0]) if able and not engine.writes_checkpoints else engine


def _node(layer, seen):
    """{name: further dictionary, '': (name, array)} of a layer; the same dictionary wherever the layer stands."""
    if id(layer) in seen:
        return seen[id(layer)]
    node = seen[id(layer)] = {}
    if getattr(layer, 'layer_graph', None) is not None:
        with_weights = [inner for inner in layer.layers if inner.weights_by_kind]
        for number, inner in enumerate(layer.layers):
            node['layer-%d' % number] = _node(inner, seen)
        for number, inner in enumerate(with_weights):
            node['layer_with_weights-%d' % number] = _node(inner, seen)
        return node
    own = set(map(id, layer.own_variables_in_order()))
    for name, value in layer.saved_parts().items():
        part = _part(value, own, seen)
        if part:
            node[name] = part
    return node


def _part(value, own, seen):
    if isinstance(value, Variable):
        return {'': (value.path, value.numpy())} if id(value) in own else None
    if hasattr(value, 'own_variables_in_order'):
        return _node(value, seen)
    if isinstance(value, (list, tuple)):
        parts = {str(number): _part(part, own, seen) for number, part in enumerate(value)}
        return {name: part for name, part in parts.items() if part}
    if isinstance(value, dict):
        parts = {str(name): _part(part, own, seen) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part}
    return None


def _optimizer_node(optimizer):
    """The state under the names that tf.keras has from 2.11 on, in its order."""
    kind = type(optimizer).__name__
    variables = [{'': ('/'.join([kind, variable.name.rpartition('_')[2], variable.name]), variable.numpy())}
                 for variable in optimizer.variables_in_order() if variable is not optimizer.rate_variable]
    variables[0] = {'': ('iteration', variables[0][''][1].astype('int64'))}
    found = {'_variables': {str(number): variable for number, variable in enumerate(variables)},
             '_iterations': variables[0]}
    if any(variable is optimizer.rate_variable for variable in optimizer.read_variables):
        found['_learning_rate'] = {'': ('learning_rate', optimizer.rate_variable.numpy())}
    return found
