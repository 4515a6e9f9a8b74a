"""The table that `Model.summary` prints."""
import numpy as np


def _count(weights):
    return sum(int(np.prod(weight.shape, dtype='int64')) for weight in weights)


def _output_shape(layer):
    try:
        shape = layer.output_shape
    except AttributeError:
        return '?' if not layer._inbound_nodes else 'multiple'
    return str(shape)


def _connections(layer, graph):
    """The layers that feed `layer` inside the graph."""
    inside = {id(node) for node in graph.layer_nodes}
    found = []
    for node in layer._inbound_nodes:
        if id(node) in inside:
            for tensor in node.input_tensors:
                found.append('%s[%d][%d]' % (tensor.node.operation.name, 0, tensor.index))
    return found


def _is_linear(model):
    """Whether every layer takes the output of the one before it, so that connections need no column."""
    if model._graph is None:
        return True
    nodes = model._graph.layer_nodes
    used = [id(tensor) for node in nodes for tensor in node.input_tensors]
    return len(used) == len(set(used)) and all(len(node.input_tensors) == 1 for node in nodes)


def print_summary(model, line_length=None, positions=None, print_fn=None):
    """Print one row per layer, then the totals."""
    print_fn = print_fn or print
    linear = _is_linear(model)
    line_length = line_length or (65 if linear else 98)
    positions = positions or ([.45, .85, 1.] if linear else [.33, .55, .67, 1.])
    stops = [int(line_length * p) if p <= 1 else int(p) for p in positions]
    print_fn('Model: "%s"' % model.name)
    print_fn('_' * line_length)
    titles = ['Layer (type)', 'Output Shape', 'Param #'] + ([] if linear else ['Connected to'])
    _print_row(titles, stops, print_fn)
    print_fn('=' * line_length)
    layers = model.layers
    for number, layer in enumerate(layers):
        parameters = layer.count_params() if layer.built else '0 (unbuilt)'
        row = ['%s (%s)' % (layer.name, type(layer).__name__), _output_shape(layer), str(parameters)]
        sources = [] if linear else _connections(layer, model._graph)
        _print_row(row + ([] if linear else [sources[0] if sources else '']), stops, print_fn)
        for source in sources[1:]:
            _print_row(['', '', '', source], stops, print_fn)
        print_fn(('=' if number == len(layers) - 1 else '_') * line_length)
    trainable, frozen = _count(model.trainable_weights), _count(model.non_trainable_weights)
    print_fn('Total params: {:,}'.format(trainable + frozen))
    print_fn('Trainable params: {:,}'.format(trainable))
    print_fn('Non-trainable params: {:,}'.format(frozen))
    print_fn('_' * line_length)


def _print_row(fields, stops, print_fn):
    line = ''
    for field, stop in zip(fields, stops):
        line = (line + ' ' if line else '') + field
        line = line[:stop].ljust(stop)
    print_fn(line)
