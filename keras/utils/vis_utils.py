"""Pictures of models, drawn by Graphviz."""
import os
import re
import sys

from keras.generations import Default, settled
from keras.layers import Layer
from keras.layers.wrappers import Wrapper
from keras.models import Model


def _pydot():
    try:
        import pydot
    except ImportError as error:
        raise ImportError('Drawing a model needs pydot: pip install pydot; and Graphviz, a system package: apt-get '
                          'install graphviz, brew install graphviz, or https://graphviz.org/download (%s)' % error)
    return pydot


def is_model(layer):
    """Whether a layer is a model."""
    return isinstance(layer, Model)


def is_wrapped_model(layer):
    """Whether a layer is a wrapper around a model."""
    return isinstance(layer, Wrapper) and isinstance(layer.layer, Model)


def add_edge(dot, src, dst):
    """Draw an arrow between the nodes with these names, unless there is one."""
    if not dot.get_edge(src, dst):
        dot.add_edge(_pydot().Edge(src, dst))


def model_to_dot(model, show_shapes=False, show_layer_names=True, rankdir='TB', expand_nested=False,
                 dpi=Default('plot_model.dpi'), subgraph=False, show_dtype=False, show_layer_activations=False,
                 show_trainable=False, layer_range=None, highlight=None, splines='ortho'):
    """A model as a graph of pydot.

    Args:
        model: a model whose layers are connected, that is, one that has been built. show_shapes: whether the shapes of
            inputs and outputs are shown. show_layer_names: whether the names of layers are. rankdir: the way from
            inputs to outputs, 'TB' downwards, 'LR' to the right, 'BT' or 'RL'. expand_nested: whether models among the
            layers are drawn with their own layers. dpi: dots per inch. subgraph: whether the graph is to be put into
            another one. show_dtype: whether the dtypes of outputs are shown. show_layer_activations: whether the names
            of activations are. show_trainable: whether it is shown which layers are trainable. layer_range: two regular
            expressions; only the layers from the first whose name matches the first one to the last whose name matches
            the second one are drawn. highlight: names of layers to colour, or a dictionary {name: colour}.
            splines: how Graphviz leads the arrows, 'ortho', 'curved', 'polyline' and so on.

    Returns:
        A `pydot.Dot`, or a `pydot.Cluster` with `subgraph`.

    Raises:
        ImportError: without pydot. ValueError: if the model has not been built, or an argument makes no sense.

    Example:
        keras.utils.model_to_dot(model, show_shapes=True).to_string()
    """
    if rankdir not in ('TB', 'LR', 'BT', 'RL'):
        raise ValueError('rankdir must be "TB", "LR", "BT" or "RL". Received: %r' % (rankdir,))
    if getattr(model, 'layer_graph', None) is None and not getattr(model, 'layers', None):
        raise ValueError('%s cannot be drawn: it has no layers yet. Build the model first by calling `build()` or by '
                         'calling it on some data.' % getattr(model, 'name', model))
    drawing = _Drawing(show_shapes, show_layer_names, expand_nested, show_dtype, show_layer_activations,
                       show_trainable, _colours(highlight))
    if subgraph:
        dot = drawing.cluster(model, model.name)
    else:
        dot = drawing.pydot.Dot()
        for name, value in (('rankdir', rankdir), ('concentrate', True), ('dpi', settled(dpi)), ('splines', splines)):
            dot.set(name, value)
        dot.set_node_defaults(shape='record')
    drawing.draw(dot, model, layer_range)
    return dot


def _colours(highlight):
    if not highlight:
        return {}
    if isinstance(highlight, str):
        return {highlight: 'lightblue'}
    return dict(highlight) if isinstance(highlight, dict) else dict.fromkeys(highlight, 'lightblue')


class _Drawing:
    """What boxes look like, and the drawing of them."""

    def __init__(self, show_shapes, show_layer_names, expand_nested, show_dtype, show_activations, show_trainable,
                 colours):
        self.pydot = _pydot()
        self.show_shapes = show_shapes
        self.show_layer_names = show_layer_names
        self.expand_nested = expand_nested
        self.show_dtype = show_dtype
        self.show_activations = show_activations
        self.show_trainable = show_trainable
        self.colours = colours

    def cluster(self, model, title):
        """An empty frame for a model."""
        cluster = self.pydot.Cluster(graph_name='%s_%d' % (re.sub(r'\W', '_', model.name), id(model)), style='dashed',
                                     labeljust='l')
        cluster.set('label', self._quoted(title))
        return cluster

    def draw(self, dot, model, layer_range=None):
        """Draw a model into `dot`."""
        if model.layer_graph is None:
            # A model with a `call` of its own: there is no saying what leads where.
            for layer in model.layers:
                self._box(dot, layer, [])
            return
        wanted = _layers_in_range(model, layer_range)
        nodes = [node for node in model.layer_graph.layer_nodes
                 if not isinstance(node.operation, Layer) or id(node.operation) in wanted]
        if layer_range is not None:
            nodes = [node for node in nodes if isinstance(node.operation, Layer)]
        calls = {}
        for node in nodes:
            calls.setdefault(id(node.operation), []).append(node)
        for layer in model.layer_graph.layers:
            if id(layer) in wanted:
                self._box(dot, layer, calls.get(id(layer), []))
        for node in nodes:
            if not isinstance(node.operation, Layer):
                self._box(dot, node.operation, [node], str(id(node)))
            for position, tensor in enumerate(node.input_tensors):
                source = _maker(tensor)
                if id(source) in wanted or not isinstance(source, Layer) and layer_range is None:
                    add_edge(dot, self._end(tensor), self._beginning(node, position))

    def _inside(self, layer):
        """The model that is drawn in the place of a layer, or None."""
        inner = layer if is_model(layer) else layer.layer if is_wrapped_model(layer) else None
        return inner if self.expand_nested and inner is not None and inner.layer_graph is not None else None

    def _beginning(self, node, position):
        """The name of the box that the arrow to an input of a call ends at."""
        if not isinstance(node.operation, Layer):
            return str(id(node))
        layer = node.operation
        while self._inside(layer) is not None:
            inputs = self._inside(layer).inputs
            layer, position = _maker(inputs[min(position, len(inputs) - 1)]), 0
        return str(id(layer))

    def _end(self, tensor):
        """The name of the box that the arrow from a tensor begins at."""
        layer = _maker(tensor)
        if not isinstance(layer, Layer):
            return str(id(tensor.node))
        inner = self._inside(layer)
        if inner is None:
            return str(id(layer))
        return self._end(inner.outputs[min(tensor.index, len(inner.outputs) - 1)])

    def _box(self, dot, layer, nodes, name=None):
        if isinstance(layer, Layer) and self._inside(layer) is not None:
            inner = self._inside(layer)
            cluster = self.cluster(inner, layer.name if layer is inner else '%s(%s)' % (layer.name, inner.name))
            self.draw(cluster, inner)
            dot.add_subgraph(cluster)
            return
        extra = {}
        if layer.name in self.colours:
            extra = {'style': 'filled', 'fillcolor': self.colours[layer.name]}
        dot.add_node(self.pydot.Node(name or str(id(layer)), label=self._label(layer, nodes), shape='record', **extra))

    def _label(self, layer, nodes):
        inner = layer.layer if isinstance(layer, Wrapper) else None
        kind = type(layer).__name__ if isinstance(layer, Layer) else layer.name
        text = '%s(%s)' % (kind, type(inner).__name__) if inner is not None else kind
        if self.show_layer_names and isinstance(layer, Layer):
            shown = '%s(%s)' % (layer.name, inner.name) if inner is not None else layer.name
            text = '%s: %s' % (shown, text)
        text = _escaped(text)
        activation = getattr(layer, 'activation', None)
        if self.show_activations and activation is not None:
            text += r'\nactivation: ' + _escaped(getattr(activation, '__name__', type(activation).__name__))
        if self.show_trainable and isinstance(layer, Layer) and layer.weights:
            text += r'\n' + ('trainable' if layer.trainable else 'not trainable')
        if self.show_dtype:
            text += r'\ndtype: ' + ', '.join(_outputs_of(layer, nodes, lambda tensor: tensor.dtype)) \
                if nodes or getattr(layer, 'is_input', False) else ''
        if self.show_shapes:
            outputs = _outputs_of(layer, nodes, lambda tensor: _escaped(str(tensor.shape)))
            inputs = _agreed([[_escaped(str(shape)) for shape in node.input_shapes] for node in nodes]) or outputs
            text += '|{input:|output:}|{{%s}|{%s}}' % (', '.join(inputs), ', '.join(outputs))
        return self._quoted(text)

    @staticmethod
    def _quoted(text):
        return '"%s"' % text.replace('"', r'\"')


def _maker(tensor):
    """The layer or operation that gives a tensor."""
    return None if tensor.node is None else tensor.node.operation


def _layers_in_range(model, layer_range):
    """The ids of the layers to draw."""
    layers = model.layer_graph.layers
    if layer_range is None:
        return set(map(id, layers))
    if not isinstance(layer_range, (list, tuple)) or len(layer_range) != 2:
        raise ValueError('layer_range must be two regular expressions for names of layers. Received: %r'
                         % (layer_range,))
    found = [[number for number, layer in enumerate(layers) if re.match(pattern, layer.name)]
             for pattern in layer_range]
    if not all(found) or found[0][0] > found[1][-1]:
        raise ValueError('layer_range %r matches no layers in this order. The layers are: %s'
                         % (layer_range, [layer.name for layer in layers]))
    return set(map(id, layers[found[0][0]:found[1][-1] + 1]))


def _outputs_of(layer, nodes, fact):
    """A fact about each output of a layer, over all of its calls."""
    if not nodes and getattr(layer, 'is_input', False):
        nodes = layer.inbound_nodes[:1]
    return _agreed([[fact(tensor) for tensor in node.outputs] for node in nodes]) or ['?']


def _agreed(facts):
    """What all calls of a layer have in common, else 'multiple'."""
    if not facts:
        return []
    return facts[0] if all(one == facts[0] for one in facts) else ['multiple']


def _escaped(text):
    """`text` as part of the label of a record, where some characters have a meaning."""
    return re.sub(r'([{}|<>\\])', r'\\\1', text)


def plot_model(model, to_file='model.png', show_shapes=False, show_layer_names=Default('plot_model.show_layer_names'),
               rankdir='TB', expand_nested=False, dpi=Default('plot_model.dpi'), show_dtype=False,
               show_layer_activations=False, show_trainable=False, layer_range=None, highlight=None, splines='ortho'):
    """Draw a model and write the picture to a file.

    Args:
        model: a model that has been built. to_file: path; the ending says which format: png, svg, pdf, jpg or another
            of Graphviz, or dot for Graphviz's own language, which needs no Graphviz. The others: as in `model_to_dot`.

    Returns:
        Inside a notebook an image of IPython, which is shown there; otherwise None.

    Raises:
        ImportError: without pydot. OSError: without Graphviz. ValueError: if the model has not been built, or an
        argument makes no sense.

    Example:
        keras.utils.plot_model(model, 'model.png', show_shapes=True)
    """
    dot = model_to_dot(model, show_shapes=show_shapes, show_layer_names=settled(show_layer_names), rankdir=rankdir,
                       expand_nested=expand_nested, dpi=dpi, show_dtype=show_dtype,
                       show_layer_activations=show_layer_activations, show_trainable=show_trainable,
                       layer_range=layer_range, highlight=highlight, splines=splines)
    to_file = os.fspath(to_file)
    ending = os.path.splitext(to_file)[1].lower().lstrip('.') or 'png'
    if ending == 'dot':
        with open(to_file, 'w', encoding='utf-8') as file:
            file.write(dot.to_string())
        return None
    try:
        dot.write(to_file, format=ending)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and 'dot' in str(error):
            raise OSError('Drawing a model needs Graphviz, a system package: apt-get install graphviz, brew install '
                          'graphviz, or https://graphviz.org/download; its program `dot` must be on the PATH. A file '
                          'that ends in .dot can be written without it.')
        raise
    return _shown(to_file, ending)


def _shown(path, ending):
    """What a notebook shows; None elsewhere."""
    if 'IPython' not in sys.modules or ending == 'pdf':
        return None
    from IPython import display
    return display.SVG(filename=path) if ending == 'svg' else display.Image(filename=path)
