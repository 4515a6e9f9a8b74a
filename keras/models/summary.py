"""The table that `Model.summary` prints."""
import re
import sys

import numpy as np

from keras import lazy
from keras.backend.contract.rules import numpy_dtype
from keras.backend.graph.nodes import Node
from keras.layers.functions import has_arg

shutil = lazy.Later('shutil')

# The narrowest table that is made for a terminal.
_LEAST_WIDTH = 40


def _count(weights):
    return sum(int(np.prod(weight.shape, dtype='int64')) for weight in weights)


def _size(weights):
    """The memory that weights take, in words."""
    size = float(sum(_count([weight]) * numpy_dtype(weight.dtype).itemsize for weight in weights))
    for unit in ('B', 'KB', 'MB', 'GB'):
        if size < 1024 or unit == 'GB':
            return '%.2f %s' % (size, unit)
        size /= 1024


def _output_shape(layer):
    if isinstance(layer, Node):
        shapes = [tensor.shape for tensor in layer.outputs]
        return str(shapes[0] if len(shapes) == 1 else shapes)
    try:
        shape = layer.output_shape
    except AttributeError:
        return _shape_by_build(layer) if not layer.inbound_nodes else 'multiple'
    return str(shape)


def _shape_by_build(layer):
    """The shape of the output for the inputs that a layer was built for, '?' where that is not known."""
    built_for = layer.get_build_config() if layer.built else None
    if not built_for:
        return '?'
    try:
        shapes = built_for.get('shapes_dict') or {'input_shape': built_for['input_shape']}
        found = list(shapes.values())
        rule = layer.compute_output_shape
        return str(rule(**shapes) if len(found) > 1 and has_arg(rule, list(shapes)[0]) else rule(found[0]))
    except Exception:  # it is the layer's own rule, and only a column of a table
        return '?'


def _connections(layer, nodes):
    """The layers that feed `layer`, or the node that stands for one, by those of the `nodes` that are calls of it."""
    return ['%s[%d][%d]' % (tensor.node.operation.name, 0, tensor.index)
            for node in sorted(nodes, key=lambda node: node.order) if layer in (node, node.operation)
            for tensor in node.input_tensors]


def _is_linear(model):
    """Whether every layer takes the output of the one before it, so that connections need no column."""
    if model.layer_graph is None:
        return True
    nodes = model.layer_graph.layer_nodes
    used = [id(tensor) for node in nodes for tensor in node.input_tensors]
    return len(used) == len(set(used)) and all(len(node.input_tensors) == 1 for node in nodes)


def print_summary(model, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
                  layer_range=None):
    """Print one row per layer, then the totals.

    Args:
        model: the model. line_length: width in characters; by default that of the usual table, or of the terminal where
            that is narrower. positions: where the columns end, as parts of the width or in characters.
        print_fn: called with each line; default `print`. expand_nested: the layers of inner models, too.
        show_trainable: a column that says which layers are trained.
        layer_range: names of the first and the last layer to show, or patterns of them (regular expressions).

    Raises:
        ValueError: for a `layer_range` that names no layers, or `positions` of another number than the columns.
    """
    table = _Table(model, line_length, positions, print_fn or print, show_trainable, print_fn is None)
    layers = _in_range(_rows_of(model), layer_range)
    table.head(model)
    for number, layer in enumerate(layers):
        table.layer(layer, expand_nested)
        table.rule('=' if number == len(layers) - 1 else '_')
    trainable, frozen = list(model.trainable_weights), list(model.non_trainable_weights)
    counts, optimizer = model.ruled('summary_counts_optimizer'), getattr(model, 'optimizer', None)
    further = list(optimizer.variables) if counts and getattr(optimizer, 'built', False) else []
    for title, weights in (('Total', trainable + frozen + further), ('Trainable', trainable),
                           ('Non-trainable', frozen)) + ((('Optimizer', further),) if further else ()):
        table.print_fn('{} params: {:,} ({})'.format(title, _count(weights), _size(weights)))
    table.rule('_')


def _rows_of(model):
    """The layers, and in tf.keras and Keras 3 the operations among them: nodes of the graph."""
    if model.layer_graph is None or not model.ruled('operations_in_summary'):
        return model.layers
    operations = [node for node in model.layer_graph.layer_nodes if not hasattr(node.operation, 'inbound_nodes')]
    found = list(model.layers)
    for node in operations:
        sources = [tensor.node for tensor in node.inputs if tensor.node is not None]
        places = [number for number, row in enumerate(found)
                  if row in sources or any(source.operation is row for source in sources)]
        found.insert(max(places) + 1 if places else len(found), node)
    return found


def _name_of(row):
    return row.operation.name if isinstance(row, Node) else row.name


def _in_range(layers, bounds):
    """The layers from the first that fits the first pattern to the last that fits the second."""
    if not bounds:
        return layers
    if len(bounds) != 2:
        raise ValueError('layer_range must hold two names of layers, the first and the last. Received: %r' % (bounds,))
    places = [[number for number, layer in enumerate(layers)
               if re.match(pattern, _name_of(layer))] for pattern in bounds]
    if not places[0] or not places[1] or places[0][0] > places[1][-1]:
        raise ValueError('layer_range: no layers from %r to %r. There are: %s.'
                         % (bounds[0], bounds[1], ', '.join(map(_name_of, layers))))
    return layers[places[0][0]:places[1][-1] + 1]


class _Table:
    """The lines of the table: its width and columns."""

    def __init__(self, model, line_length, positions, print_fn, show_trainable, on_screen):
        self.print_fn = print_fn
        self._linear, self._show_trainable = _is_linear(model), show_trainable
        self._titles = ['Layer (type)', 'Output Shape', 'Param #'] + ([] if self._linear else ['Connected to'])
        usual = [.45, .85, 1.] if self._linear else [.33, .55, .67, 1.]
        if show_trainable:
            self._titles.append('Trainable')
            usual = [.4, .7, .85, 1.] if self._linear else [.3, .5, .62, .88, 1.]
        positions = positions or usual
        if len(positions) != len(self._titles):
            raise ValueError('summary: `positions` must have one entry for each of the columns %s. Received: %r'
                             % (', '.join(self._titles), positions))
        width = line_length or self._width(65 if self._linear else 98, on_screen)
        self._width_in_all = width
        self._stops = [int(width * place) if place <= 1 else int(place) for place in positions]
        self._nodes = [] if self._linear else model.layer_graph.layer_nodes

    @staticmethod
    def _width(usual, on_screen):
        if not on_screen or not (hasattr(sys.stdout, 'isatty') and sys.stdout.isatty()):
            return usual
        return max(min(usual, shutil.get_terminal_size().columns), _LEAST_WIDTH)

    def rule(self, character):
        self.print_fn(character * self._width_in_all)

    def head(self, model):
        self.print_fn('Model: "%s"' % model.name)
        self.rule('_')
        self.row(self._titles)
        self.rule('=')

    def layer(self, layer, expand_nested, prefix=''):
        """The row of a layer, and those of the layers inside it."""
        is_operation = isinstance(layer, Node)
        parameters = '0' if is_operation else str(layer.count_params() if layer.built else '0 (unbuilt)')
        row = ['%s%s (%s)' % (prefix, _name_of(layer), 'operation' if is_operation else type(layer).__name__),
               _output_shape(layer), parameters]
        sources = [] if self._linear or prefix else _connections(layer, self._nodes)
        more = ['-' if is_operation else 'Y' if layer.trainable else 'N'] if self._show_trainable else []
        self.row(row + ([] if self._linear else [sources[0] if sources else '']) + more)
        for source in sources[1:]:
            self.row(['', '', '', source])
        if expand_nested and hasattr(layer, 'layer_graph'):
            for inner in layer.layers:
                self.layer(inner, True, prefix + '| ')

    def row(self, fields):
        """A row; what does not fit a column goes on in the next line."""
        rest = list(fields)
        while any(rest):
            line, begin = '', 0
            for number, stop in enumerate(self._stops[:len(rest)]):
                width = max(stop - begin - (1 if number < len(self._stops) - 1 else 0), 1)
                line = line.ljust(begin) + rest[number][:width]
                rest[number], begin = rest[number][width:], stop
            self.print_fn(line.ljust(self._width_in_all))
