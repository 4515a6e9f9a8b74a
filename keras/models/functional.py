"""`Graph`: the layers between symbolic inputs and outputs, the plans they run from, and their configuration."""
import copy
import warnings

import numpy as np

from keras import generations
from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.loading import get_engine, is_native
from keras.backend.graph.nodes import free_tensors, nodes_between
from keras.backend.graph.plans import Plan
from keras.backend.graph.tensors import KerasTensor, is_placeholder
from keras.backend.state.variables import to_array, Variable
from keras.backend.table.bodies import Closure
from keras.backend.table.entries import Entry, TABLE
from keras.layers.base import Layer, snake_case
from keras.layers.calls import signature_of
from keras.layers.input_layer import Input
from keras.layers.rows import has_rows, in_rows_where, masks_of_rows, with_rows_noted, without_rows
from keras.layers.weights import adapter_changes
from keras.models import closures, keras3_operations, tf_keras_operations
from keras.models.layouts import channels_first
from keras.models.tf_operations import Added, Operation, operation_of
from keras.saving import serialization, values


class Graph:
    """What lies between `inputs` and `outputs`, nested structures of KerasTensors.

    Args:
        owner: name of the model, for messages.
    """

    def __init__(self, inputs, outputs, owner):
        self.owner = owner
        self.input_structure = _packed(inputs)
        self.output_structure = _packed(outputs)
        # What Keras 3 has in `input`, `output` and files: lists of one included.
        self.given_inputs, self.given_outputs = [tree.map_structure(_itself, given) for given in (inputs, outputs)]
        self.inputs = _symbolic_leaves(inputs, owner, 'inputs')
        self.outputs = _symbolic_leaves(outputs, owner, 'outputs')
        self._check_inputs()
        self.nodes = self._nodes()
        self.layers, self.layer_nodes = _ordered_layers(self.inputs, self.outputs)
        self._check_names()
        self.fed = [tensor for tensor in self.inputs if is_placeholder(tensor) or free_tensors([tensor])]
        self._is_single = len(self.inputs) == len(self.fed) == 1 and not tree.is_nested(self.input_structure)
        self._has_rows = any(tensor.ragged for tensor in self.inputs)
        self._plans = {}
        self._variants = {}
        self._warned = False

    # {id of a layer: what runs in its place}
    _instead = {}

    def with_others(self, instead):
        """The graph with other layers in the place of its own, {id of one: the other}; the tensors stay the same."""
        made = copy.copy(self)
        made._instead = {old: instead.get(id(new), new) for old, new in self._instead.items()}
        made._instead.update(instead)
        made.layers = [instead.get(id(layer), layer) for layer in self.layers]
        made.takes, made._plans, made._variants = None, {}, {}
        return made

    # Says whether a batch of another shape than `inputs` have is taken all the same; None: it is not.
    takes = None

    def takes_shape(self, shape):
        """Whether a batch of that shape, which is not that of the inputs, is taken all the same."""
        return self.takes is not None and self.takes(tuple(shape))

    def arrange(self, layers):
        """Have the layers in the order of the list `layers`, those that are not in it last: that of a file, say."""
        place = {id(layer): number for number, layer in enumerate(layers)}
        self.layers.sort(key=lambda layer: place.get(id(layer), len(place)))

    def _nodes(self):
        """What makes the outputs of the inputs, in order; the error for an output that they do not make names it."""
        try:
            return nodes_between(self.inputs, self.outputs)
        except ValueError as error:
            for path, output in zip(tree.paths(self.output_structure), tree.flatten(self.output_structure)):
                if path:
                    self._check_connected('.'.join(map(str, path)), output, error)
            raise

    def _check_connected(self, path, output, error):
        try:
            nodes_between(self.inputs, [output])
        except ValueError:
            raise ValueError('%s Output with path `%s` is not connected to `inputs`.' % (error, path)) from None

    def _check_inputs(self):
        if len({id(tensor) for tensor in self.inputs}) != len(self.inputs):
            raise ValueError('Model %s: the same tensor is given twice among the inputs.' % self.owner)

    def _check_names(self):
        seen = {}
        for layer in self.layers:
            if layer.name in seen and seen[layer.name] is not layer:
                raise ValueError('Model %s: the name %r is used by two layers; all layer names must differ. Give one '
                                 'of them another name with `name=`.' % (self.owner, layer.name))
            seen[layer.name] = layer

    @property
    def input_names(self):
        return self.names_of(self.inputs)

    @staticmethod
    def names_of(inputs):
        return [_producer(tensor).name if _producer(tensor) is not None else tensor.name for tensor in inputs]

    @property
    def output_names(self):
        structure = self.output_structure
        if isinstance(structure, dict) and not any(map(tree.is_nested, structure.values())):
            return sorted(structure)
        return _output_names(self.outputs)

    def all_nodes(self):
        """The nodes of the graph, those of its inputs included, in an order in which they can run."""
        own = {tensor.node: None for tensor in self.inputs if tensor.node is not None}
        return list(own) + [node for node in self.layer_nodes if node not in own]

    def depths(self):
        """({node: its distance from the outputs}, {layer: the largest of its nodes'})."""
        return _depths(self.all_nodes())

    def plan(self, training, extra=()):
        """The plan for one value of `training`; the tensors `extra` are computed along and appended.

        Args:
            training: whether the run trains; None where nobody has said so, which counts as False.
        """
        tracing = context.tracing
        data_format = get_engine().data_format if tracing is None else tracing.data_format
        training = None if training is None else bool(training)
        key = (training, data_format, adapter_changes()) + tuple(map(id, extra))
        if key not in self._plans:
            outputs = self.outputs + list(extra)
            if data_format == 'channels_first':
                outputs = channels_first(self.inputs, outputs)
            self._plans[key] = Plan(self.inputs, outputs, lambda node: node.function(training, self._instead))
        return self._plans[key]

    def flat_inputs(self, inputs):
        """`inputs` as one value per input of the graph, in its order.

        Raises:
            ValueError: if their number does not fit, or a name is missing.
        """
        return self._with_rows(self._flat_inputs(inputs))

    def _with_rows(self, values):
        """`values`, those of ragged inputs without what marks the ends of rows, from which their masks are noted."""
        return [with_rows_noted(value) if tensor.ragged and (is_native(value) or has_rows(value)) else value
                for tensor, value in zip(self.inputs, values)] if self._has_rows else values

    def _flat_inputs(self, inputs):
        if self._is_single and not tree.is_nested(inputs):
            return [inputs]
        leaves = self.leaves_of(inputs)
        if len(leaves) == len(self.fed) != len(self.inputs):
            leaves = self._with_unfed(leaves)
        if len(leaves) != len(self.inputs):
            named = ', named input(s) with keys %s' % sorted(self.input_structure) \
                if isinstance(self.input_structure, dict) else ''
            raise ValueError('Model %s expects %d input%s (%s)%s, but it received %d.'
                             % (self.owner, len(self.inputs), 's' * (len(self.inputs) != 1),
                                ', '.join(self.input_names), named, len(leaves)))
        return leaves

    def leaves_of(self, inputs):
        """`inputs` as a flat list; what a dictionary holds in the order of the graph's inputs."""
        if isinstance(inputs, dict) and not isinstance(self.input_structure, dict):
            inputs = self._values_at(self.names_of(self.fed), inputs)
        elif tree.is_nested(self.input_structure):
            inputs = self._selected(self.input_structure, inputs)
        return [] if inputs is None and not self.fed else tree.flatten(inputs)

    def check_structure(self, inputs):
        """Look whether `inputs` stand in the structure that the model was made with.

        Raises:
            ValueError: for a list where a dictionary is expected whose order is not that of its sorted keys.
        """
        expected = self.input_structure
        is_list = isinstance(inputs, (list, tuple))
        message = "The structure of `inputs` doesn't match the expected structure: model %s takes %s. Received: %s." % (
            self.owner, _described(expected), _described(inputs)) if tree.is_nested(expected) else ''
        if isinstance(expected, dict) and is_list and list(expected) != sorted(expected):
            raise ValueError(message + ' Which of them is which input, a list does not say.')
        differs = isinstance(expected, dict) and (is_list or isinstance(inputs, dict) and set(inputs) != set(expected))
        if differs and not self._warned and generations.value('other_structures_warn'):
            self._warned = True
            warnings.warn(message, stacklevel=2)

    @staticmethod
    def is_optional(tensor):
        """Whether None may be given for an input."""
        return getattr(_producer(tensor), 'optional', False)

    def _with_unfed(self, leaves):
        """The values of all inputs, given those that are fed."""
        fed = set(map(id, self.fed))
        unfed = [tensor for tensor in self.inputs if id(tensor) not in fed]
        given, computed = iter(leaves), iter(Plan([], unfed, lambda node: node.function(False))([]))
        return [next(given if id(tensor) in fed else computed) for tensor in self.inputs]

    def _values_at(self, names, given):
        left_out = [name for name, tensor in zip(self.names_of(self.fed), self.fed) if self.is_optional(tensor)]
        given = dict(dict.fromkeys(left_out), **given)
        missing = [name for name in names if name not in given]
        if missing:
            raise ValueError('Model %s: no data for the inputs %s. Received data for: %s.'
                             % (self.owner, missing, sorted(given)))
        return [given[name] for name in names]

    def _selected(self, structure, given):
        """What of `given` belongs to `structure`: dictionaries may hold more than is asked for."""
        if isinstance(structure, dict) and isinstance(given, dict):
            names = sorted(structure)
            pairs = zip(names, self._values_at(names, given))
            return [self._selected(structure[name], value) for name, value in pairs]
        if isinstance(structure, (list, tuple)) and isinstance(given, (list, tuple)) and len(structure) == len(given):
            return [self._selected(part, value) for part, value in zip(structure, given)]
        return given

    def pack_outputs(self, leaves):
        if isinstance(self.output_structure, KerasTensor):
            return leaves[0]
        return tree.pack_as(self.output_structure, leaves)

    def variant(self, masked, in_rows=False):
        """The graph called with masks on some inputs: `masked` says on which, `in_rows` that those are ragged tensors.

        Returns:
            A Graph whose inputs are those of this one followed by one mask per True in `masked`.
        """
        flags = tuple(masked)
        key = flags, in_rows
        if not any(flags):
            return self
        if key not in self._variants:
            fresh = [KerasTensor(tensor.shape, tensor.dtype, name=tensor.name) for tensor in self.inputs]
            masks = []
            for tensor, has_mask in zip(fresh, flags):
                if has_mask:
                    tensor.mark(ragged=in_rows)
                    tensor.mask = KerasTensor(tensor.shape[:2], 'bool', name=tensor.name + '_mask')
                    masks.append(tensor.mask)
            outputs = self.replay(fresh)
            self._variants[key] = Graph(fresh + masks, outputs, self.owner).with_others(self._instead)
        return self._variants[key]

    def outputs_in_rows(self, values, training):
        """The outputs, as a list, for `values` of which some are ragged tensors that the inputs do not speak of."""
        dense, masks = without_rows(values)
        variant = self.variant([mask is not None for mask in masks], in_rows=True)
        given = dense + [mask for mask in masks if mask is not None]
        wanted = masks_of_rows(variant.outputs)
        return in_rows_where(variant.outputs, variant.plan(training, wanted)(given))

    def replay(self, tensors):
        """Call all layers again on other symbolic `tensors`, one per input; returns the outputs as a list."""
        mapped = {id(old): new for old, new in zip(self.inputs, tensors)}
        for node in self.layer_nodes:
            if all(id(tensor) in mapped for tensor in node.outputs):
                continue
            kwargs = {key: value for key, value in node.kwargs.items() if key not in node.implicit}
            args, kwargs = tree.map_structure(lambda leaf: mapped.get(id(leaf), leaf), [list(node.args), kwargs])
            outputs = call_symbolically(node.operation, args, kwargs)
            for old, new in zip(node.outputs, tree.flatten(outputs)):
                mapped[id(old)] = new
        return [mapped[id(tensor)] for tensor in self.outputs]


def with_inputs_of_its_own(graph):
    """`graph`; where it begins in the middle of another one, the same layers called on inputs of its own."""
    fresh = [Input(batch_shape=tensor.shape, dtype=tensor.dtype, **({'ragged': True} if tensor.ragged else {}))
             if _is_computed(tensor) else tensor
             for tensor in graph.inputs]
    if all(new is old for new, old in zip(fresh, graph.inputs)):
        return graph
    outputs = graph.pack_outputs(graph.replay(fresh))
    return Graph(tree.pack_as(graph.given_inputs, fresh), tree.pack_as(graph.given_outputs, tree.flatten(outputs)),
                 graph.owner)


def _is_computed(tensor):
    """Whether a tensor is computed from inputs."""
    return tensor.node is not None and not getattr(tensor.node.operation, 'is_input', False) \
        and not is_placeholder(tensor) and bool(free_tensors([tensor]))


def call_symbolically(operation, args, kwargs):
    """Call a layer or table entry on symbolic tensors without noting it among the layer's own calls."""
    if isinstance(operation, Layer):
        return operation.call_symbolically(signature_of(type(operation)), args, kwargs, register=False)
    return operation.call(*args, **kwargs)


def _packed(structure):
    """The structure of a model's inputs or outputs, for graph, run and shapes alike: one in a list is that one."""
    return structure[0] if isinstance(structure, (list, tuple)) and len(structure) == 1 else structure


def _itself(leaf):
    return leaf


def _described(structure):
    if isinstance(structure, dict):
        return 'a dictionary with the keys %s' % list(structure)
    return 'a %s of %d' % (type(structure).__name__, len(structure)) if isinstance(structure, (list, tuple)) \
        else 'a ' + type(structure).__name__


def _symbolic_leaves(structure, owner, what):
    leaves = tree.flatten(structure)
    for leaf in leaves:
        if not isinstance(leaf, KerasTensor):
            raise ValueError('Model %s: All `%s` values must be KerasTensors: symbolic tensors, made by Input() and by '
                             'calling layers on them. Received: %r' % (owner, what, leaf))
    return leaves


def _producer(tensor):
    """The layer that made `tensor`, or None."""
    operation = tensor.node.operation if tensor.node is not None else None
    return operation if isinstance(operation, Layer) else None


def _output_names(outputs):
    names, taken, counts = [], set(), {}
    for tensor in outputs:
        layer = _producer(tensor)
        name = base = layer.name if layer is not None else tensor.name
        while name in taken:
            counts[base] = counts.get(base, 0) + 1
            name = '%s_%d' % (base, counts[base])
        taken.add(name)
        names.append(name)
    return names


def _ordered_layers(inputs, outputs):
    """The layers, farthest from the outputs first, ties in the order they are met from the outputs; and the
    nodes in an order in which they can run. Masks that Keras filled in do not count."""
    stops = {id(tensor) for tensor in inputs}
    met, finished, rising = {}, {}, []
    stack = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        tensor, leaving = stack.pop()
        node = tensor.node
        if node is None or node in finished and not leaving:
            continue
        if id(tensor) in stops and not getattr(node.operation, 'is_input', False):
            continue  # the model begins in the middle of another graph, behind this layer
        if leaving:
            if finished[node] is False:
                finished[node] = True
                rising.append(node)
            continue
        finished[node] = False
        met.setdefault(id(node.operation), len(met))
        stack.append((tensor, True))
        if id(tensor) not in stops:
            stack.extend((parent, False) for parent in reversed(node.input_tensors))
    depths = _depths(rising)[1]
    layers = {}
    for node in rising:
        if isinstance(node.operation, Layer):
            layers[id(node.operation)] = node.operation
        elif isinstance(node.operation, Closure):
            for layer in closures.layers_in(node.operation):
                layers[id(layer)] = layer
                met.setdefault(id(layer), met[id(node.operation)])
    for tensor in inputs:
        layer = _producer(tensor)
        if layer is not None and layer.is_input:
            layers[id(layer)] = layer
            met.setdefault(id(layer), -1)  # without a way to the outputs: before the others of the last depth
    ordered = sorted(layers.values(), key=lambda layer: (-depths.get(layer, 0), met[id(layer)]))
    return ordered, [node for node in rising if not getattr(node.operation, 'is_input', False)]


def _depths(nodes):
    """({node: its distance from the outputs}, {operation: the largest of its nodes'}) for nodes in running order."""
    depths, node_depths, inside = {}, {}, set(nodes)
    for node in reversed(nodes):
        depth = max(node_depths.get(node, 0), depths.get(node.operation, 0))
        node_depths[node] = depths[node.operation] = depth
        for tensor in node.input_tensors:
            # The node of an input has its tensor on both sides, as in Keras 2.
            if tensor.node in inside and tensor.node is not node:
                node_depths[tensor.node] = max(depth + 1, node_depths.get(tensor.node, 0))
    return node_depths, depths


# --- configuration ----------------------------------------------------------------------------------------------------

def graph_config(graph, additions=()):
    """`graph` as plain values, in the form of Keras 2, or that of Keras 3 where objects are written so.

    Args:
        additions: what belongs to the model besides its outputs, see `written_additions`. Only files that tf.keras
            reads hold it.
    """
    form = serialization.form()
    kind = 'plain' if form is None else form.graph
    added = written_additions(graph, additions) if kind == 'doubled' else []
    graph = _widened(graph, [tensor for _, _, tensor in added])
    writer = _WRITERS[kind](graph)
    layers = []
    for layer in graph.layers:
        nodes = [] if layer.is_input else writer.calls_of(layer)
        layers.append(dict(serialization.serialize_keras_object(layer), name=layer.name,
                           inbound_nodes=[writer.call(node) for node in nodes for _ in range(writer.times(layer))]))
    layers.extend(writer.operation(node) for node in graph.layer_nodes if _is_written_as_operation(node))
    layers.extend(_written_addition(writer, *addition) for addition in added)
    if kind == 'full':
        inputs, outputs = graph.given_inputs, graph.given_outputs
    else:
        inputs, outputs = graph.input_structure, graph.output_structure
    return {'layers': layers, 'input_layers': writer.references(inputs), 'output_layers': writer.references(outputs)}


def written_additions(graph, additions):
    """What of `Additions.graph_additions` tf.keras has layers for: a list of (class, config, tensor).

    Empty unless all of it can be written: losses and metrics made from tensors of `graph` by operations of tf.keras.
    """
    found = []
    for method, arguments in additions:
        if method == 'add_update' or not isinstance(arguments[0], KerasTensor):
            return []
        found.append(('AddLoss', {'unconditional': False}, arguments[0]) if method == 'add_loss' else
                     ('AddMetric', {'aggregation': 'mean', 'metric_name': arguments[1]}, arguments[0]))
    tensors, own = [tensor for _, _, tensor in found], set(graph.layer_nodes)
    if free_tensors(tensors, graph.inputs):
        return []
    further = [node for node in _ordered_layers(graph.inputs, graph.outputs + tensors)[1] if node not in own]
    return found if all(map(_is_of_tf_keras, further)) else []


def _widened(graph, tensors):
    """`graph`, with what leads to further `tensors`; its outputs and layers stay the same."""
    if not tensors:
        return graph
    wider = Graph(graph.given_inputs, graph.outputs + tensors, graph.owner)
    wider.output_structure, wider.given_outputs = graph.output_structure, graph.given_outputs
    wider.arrange(graph.layers)
    return wider


def _is_of_tf_keras(node):
    return isinstance(node.operation, Entry) \
        and not any(isinstance(leaf, Variable) for leaf in tree.flatten([list(node.args), dict(node.kwargs)])) \
        and tf_keras_operations.written(node.operation, node.args, node.kwargs) is not None


def _written_addition(writer, class_name, config, tensor):
    name = writer.new_name(snake_case(class_name))
    config = dict(config, name=name, trainable=True, dtype=tensor.dtype)
    return {'class_name': class_name, 'name': name, 'config': config,
            'inbound_nodes': [[writer.reference(tensor) + [{}]]]}


def _is_written_as_operation(node):
    return isinstance(node.operation, (Entry, Closure)) or hasattr(node.operation, 'as_layer')


def _begins_with_its_making(layer):
    """Whether a layer is a model made of tensors, whose calls Keras counts after this one."""
    if getattr(layer, 'layer_graph', None) is None:
        return False
    return all(known.__name__ != 'Sequential' for known in type(layer).__mro__)


class _GraphWriter:
    """Writes the calls of a graph, with references (layer, number of its call, number of the output) to tensors."""

    def __init__(self, graph):
        self.names = {id(node): node.operation.name for node in graph.layer_nodes}
        for index, node in enumerate(filter(_is_written_as_operation, graph.layer_nodes)):
            self.names[id(node)] = '%s_operation_%d' % (node.operation.name, index + 1)
        # Each node's number among the nodes of its layer that belong to the graph.
        self.numbers, self._calls = {}, {id(layer): [] for layer in graph.layers}
        inside = {id(node): node for node in graph.layer_nodes + [tensor.node for tensor in graph.inputs]}
        for node in sorted(filter(None, inside.values()), key=lambda node: node.order):
            if id(node.operation) in self._calls:
                self._calls[id(node.operation)].append(node)
        for layer in graph.layers:
            first, times = self.first_number(layer), self.times(layer)
            self.numbers.update((id(node), first + times * place) for place, node in enumerate(self.calls_of(layer)))

    def calls_of(self, layer):
        """The nodes of `layer` that belong to the graph, which need not be among the layer's own."""
        return self._calls[id(layer)]

    def new_name(self, base):
        """A name that no layer of the graph has: `base`, base_1, ..."""
        taken, name, count = set(self.names.values()), base, 0
        while name in taken:
            count += 1
            name = '%s_%d' % (base, count)
        self.names[name] = name
        return name

    def first_number(self, layer):
        """The number of a layer's first call: in the form of Keras 2, 0 is a model's own making."""
        return 1 if hasattr(layer, 'layer_graph') else 0

    def times(self, layer):
        """How often every call of a layer is written."""
        return 1

    def reference(self, tensor):
        name = self.names.get(id(tensor.node), tensor.node.operation.name)
        return [name, self.numbers.get(id(tensor.node), 0), tensor.index]

    def references(self, structure):
        """`structure` with references in the place of tensors; a single one stands in a list."""
        references = tree.map_structure(self.reference, structure)
        return references if tree.is_nested(structure) else [references]

    def call(self, node):
        kwargs = {key: self.argument(value) for key, value in node.kwargs.items() if key not in node.implicit}
        rest = dict(kwargs)
        if len(node.args) > 1:
            rest['__args__'] = [self.argument(value) for value in node.args[1:]]
        first = node.args[0]
        if isinstance(first, dict) or not all(isinstance(leaf, KerasTensor) for leaf in tree.flatten(first)):
            return {'__args__': [self.operand(value) for value in node.args], 'kwargs': kwargs}
        entries = []
        for position, tensor in enumerate(tree.flatten(first)):
            entries.append(self.reference(tensor) + [rest if position == 0 else {}])
        return entries

    def argument(self, value):
        def encode(leaf):
            if isinstance(leaf, KerasTensor):
                return self.tensor(leaf)
            if isinstance(leaf, Variable):
                return leaf.numpy().tolist()
            return leaf.tolist() if hasattr(leaf, 'tolist') else leaf
        return tree.map_structure(encode, value)

    def operand(self, value):
        """An argument whose arrays stay arrays, in lists as well: a list of numbers there would be many tensors."""
        def encode(leaf):
            if isinstance(leaf, Variable) or is_native(leaf):
                leaf = to_array(leaf)
            if isinstance(leaf, np.ndarray) and leaf.ndim:
                return {'class_name': '__numpy__', 'config': {'value': leaf.tolist(), 'dtype': leaf.dtype.name}}
            return self.argument(leaf)
        return tree.map_structure(encode, value)

    def tensor(self, tensor):
        return {'__keras_tensor__': self.reference(tensor)}

    def operation(self, node):
        name, operation = self.names[id(node)], node.operation
        if isinstance(operation, Closure):
            written = closures.CLASS_NAME, closures.written(operation)
        else:
            written = operation.as_layer(name) if hasattr(operation, 'as_layer') else ('__operation__',
                                                                                       {'name': operation.name})
        return {'name': name, 'class_name': written[0], 'config': written[1],
                'inbound_nodes': [{'__args__': [self.operand(value) for value in node.args],
                                   'kwargs': {key: self.operand(value) for key, value in node.kwargs.items()}}]}


class _DoubledGraphWriter(_GraphWriter):
    """The same for readers that count the calls of a nested model from 0, too: each of them is written twice."""

    def times(self, layer):
        return 2 if hasattr(layer, 'layer_graph') else 1

    def call(self, node):
        """As Keras 2 has it. Keras 3 reads one tensor or a list so; layers of its own it reads in its own form."""
        args, kwargs = _as_called_in_3(node)
        if generations.of(node.operation) != 3 or len(args) < 2 and not any(
                isinstance(leaf, KerasTensor) for leaf in tree.flatten(kwargs)):
            return super().call(node)
        return {'args': [self.in_full(value) for value in args],
                'kwargs': {key: self.in_full(value) for key, value in kwargs.items()}}

    def in_full(self, value):
        def encode(leaf):
            return _tensor_in_full(leaf, self.reference(leaf)) if isinstance(leaf, KerasTensor) else self.argument(leaf)
        return tree.map_structure(encode, value)

    def operation(self, node):
        if hasattr(node.operation, 'as_layer'):
            return super().operation(node)
        found = None if isinstance(node.operation, Closure) else tf_keras_operations.written(
            node.operation, node.args, node.kwargs)
        if found is None:
            _warn_of_form(node, tf_keras_operations.READER)
            return super().operation(node)
        (class_name, function, first, rest), name = found, self.names[id(node)]
        rest = {key: self.reference(value) if isinstance(value, KerasTensor) else self.argument(value)
                for key, value in rest.items()}
        if isinstance(first, (list, tuple)):
            call = [self.reference(tensor) + [rest] for tensor in first]
        elif isinstance(first, KerasTensor):
            call = self.reference(first) + [rest]
        else:
            call = ['_CONSTANT_VALUE', -1, self.argument(first), rest]
        config = {'name': name, 'trainable': True, 'dtype': 'float32', 'function': function}
        return {'name': name, 'class_name': class_name, 'config': config, 'inbound_nodes': [call]}


class _FullGraphWriter(_GraphWriter):
    """The same in the form of Keras 3, where a call names all its arguments."""

    def first_number(self, layer):
        return 0

    def references(self, structure):
        return tree.map_structure(self.of_model, structure)

    def of_model(self, tensor):
        """The reference to an input or output of the model, where Keras 3 counts as Keras 2 does."""
        name, number, index = self.reference(tensor)
        return [name, number + 1 if _begins_with_its_making(tensor.node.operation) else number, index]

    def call(self, node):
        args, kwargs = _as_called_in_3(node)
        return {'args': [self.operand(value) for value in args],
                'kwargs': {key: self.operand(value) for key, value in kwargs.items()}}

    def operation(self, node):
        if hasattr(node.operation, 'as_layer'):
            return super().operation(node)
        found = None if isinstance(node.operation, Closure) else keras3_operations.written(
            node.operation, node.args, node.kwargs)
        if found is None:
            _warn_of_form(node, 'Keras 3')
            return super().operation(node)
        (module, class_name, config, args, kwargs), name = found, self.names[id(node)]
        config = {key: self.argument(value) for key, value in config.items()}
        return {'module': module, 'class_name': class_name, 'config': dict(config, name=name),
                'registered_name': class_name, 'name': name,
                'inbound_nodes': [{'args': [self.operand(value) for value in args],
                                   'kwargs': {key: self.operand(value) for key, value in kwargs.items()}}]}

    def tensor(self, tensor):
        return _tensor_in_full(tensor, self.reference(tensor))


def _tensor_in_full(tensor, reference):
    return {'class_name': '__keras_tensor__', 'config': {
        'shape': list(tensor.shape), 'dtype': tensor.dtype, 'keras_history': reference}}


def _as_called_in_3(node):
    """(args, kwargs) of a call of a layer, where Keras 3 takes the states of a recurrent layer by their name."""
    args, kwargs = list(node.args), {key: value for key, value in node.kwargs.items() if key not in node.implicit}
    if hasattr(node.operation, 'named_states') and args and isinstance(args[0], (list, tuple)):
        args[0], states = node.operation.named_states(args[0])
        kwargs.update(states)
    return args, kwargs


def _warn_of_form(node, reader):
    warnings.warn('The operation %s in the model has no like in the files of %s, which will not read this one; we do.'
                  % (node.operation.name, reader), stacklevel=2)


_WRITERS = {'plain': _GraphWriter, 'doubled': _DoubledGraphWriter, 'full': _FullGraphWriter}


def graph_from_config(config, custom_objects=None):
    """(inputs, outputs, layers, additions) from what `graph_config` gave, or from a file of another generation.

    layers: in the order of the config, which is that of their weights.
    additions: the losses and metrics that belong to the model, each with a method `add_to(model)`.

    Raises:
        ValueError: for an unknown layer class (with near matches), or connections to layers that are not there.
    """
    highest = _highest_numbers(config)
    created = {_name_of(entry): None for entry in config['layers']}
    if len(created) != len(config['layers']):
        raise ValueError('Two layers of the configuration have the same name, among: %.500s' % ', '.join(created))
    for place in serialization.new_ones_first(config['layers']):
        name = _name_of(config['layers'][place])
        if config['layers'][place]['class_name'] != closures.CLASS_NAME:
            created[name] = _created(config['layers'][place], name, custom_objects)
    for entry in config['layers']:  # they may call any of the layers
        if entry['class_name'] == closures.CLASS_NAME:
            created[_name_of(entry)] = closures.read(entry['config'], created)
    calls, earlier = [], set()
    for entry in config['layers']:
        name = _name_of(entry)
        nodes = entry.get('inbound_nodes', ())
        in_full = any('args' in node for node in nodes)
        # Files of Keras 2 count the calls of a nested model from 1, those of Keras 3 from 0 but in `output_layers`.
        first = 1 if nodes and not in_full and highest.get(name, 0) >= len(nodes) else 0
        calls.extend((name, number, first, node) for number, node in enumerate(nodes, first))
        if in_full and _begins_with_its_making(created[name]):
            earlier.add(name)
    tensors = _Tensors(created)
    for call in _in_order(calls, tensors):
        _replay_call(tensors, *call)
    return (tensors.structure(config['input_layers']), tensors.structure(config['output_layers'], earlier),
            [layer for layer in created.values() if isinstance(layer, Layer)],
            [operation for operation in created.values() if isinstance(operation, Added)])


def _name_of(entry):
    return entry.get('name') or entry['config']['name']


def _created(entry, name, custom_objects):
    """The layer or operation of an entry of a config."""
    from keras import layers as layer_module
    if entry['class_name'] == '__operation__':
        return TABLE[entry['config']['name']]
    operation = operation_of(entry)
    if operation is not None:
        return operation
    with generations.reading_part(name):
        return layer_module.deserialize({key: value for key, value in entry.items()
                                         if key not in ('name', 'inbound_nodes')}, custom_objects=custom_objects)


def _highest_numbers(config):
    """{layer: the highest number under which one of its calls is referred to}.

    Raises:
        ValueError: for a layer that is not in the config.
    """
    highest = {}
    references = []
    names = set(map(_name_of, config['layers']))
    _collect_references([config['input_layers'], config['output_layers']], references)
    for reference in references:
        if reference[0] not in names or min(reference[1:3]) < 0:
            raise _lacking(reference)
    for entry in config['layers']:
        for node in entry.get('inbound_nodes', ()):
            references.extend(_decoded_call(node, names)[2])
    for name, number, _ in references:
        highest[name] = max(number, highest.get(name, 0))
    return highest


def _lacking(reference):
    return ValueError('The configuration of the model refers to the output %s of call %s of the layer %.100r, which is '
                      'not in it. The usual cause: the layer was renamed or left out.'
                      % (reference[2], reference[1], reference[0]))


def _collect_references(structure, found):
    if isinstance(structure, dict):
        structure = list(structure.values())
    if structure and isinstance(structure[0], str):
        found.append(structure[:3])
        return
    for part in structure:
        _collect_references(part, found)


class _Tensors:
    """The symbolic outputs of layers while a graph is rebuilt, by (name, node, index)."""

    def __init__(self, created):
        self.created = created
        self.outputs = {name: {0: layer.inbound_nodes[0].outputs} for name, layer in created.items()
                        if getattr(layer, 'is_input', False)}

    def get(self, reference):
        try:
            return self.outputs[reference[0]][reference[1]][reference[2]]
        except (KeyError, IndexError):
            raise _lacking(reference) from None

    def add(self, name, number, outputs):
        whole = isinstance(self.created[name], Operation)  # what is in the list may be a shape
        self.outputs.setdefault(name, {})[number] = outputs if whole else tree.flatten(outputs)

    def structure(self, references, earlier=()):
        """The tensors that are referred to; for layers named in `earlier`, those of the call before."""
        if isinstance(references, dict):
            return {key: self.structure(value, earlier) for key, value in references.items()}
        if references and isinstance(references[0], str):
            name, number, index = references[:3]
            return self.get((name, max(number - 1, 0) if name in earlier else number, index))
        return type(references)([self.structure(reference, earlier) for reference in references])


def _replay_call(tensors, name, number, args, kwargs):
    args, kwargs = _with_tensors([args, kwargs], tensors)
    operation = tensors.created[name]
    call = operation.call if isinstance(operation, (Entry, Closure)) else operation
    outputs = call(*args, **kwargs)
    tensors.add(name, number, outputs)


def _in_order(calls, tensors):
    """[(layer, number of the call, args, kwargs)], each after those whose outputs it takes; nothing is called yet.

    Raises:
        ValueError: where what a call takes is made by none.
    """
    there, users, rounds, missing_of = {(name, 0) for name in tensors.outputs}, {}, [0] * len(calls), []
    decoded = [(name, number, first) + _decoded_call(node, tensors.created) for name, number, first, node in calls]
    for place, (name, number, first, _, _, needed) in enumerate(decoded):
        before = {one[:2] for one in needed}.union([(name, number - 1)] if number > first else ()) - there
        missing_of.append(len(before))
        for one in before:
            users.setdefault(one, []).append(place)
    ready = [place for place, count in enumerate(missing_of) if not count]
    for place in ready:  # it grows meanwhile
        for user in users.get(decoded[place][:2], ()):
            # Those that stand before what they need have to wait for the next round through the list.
            rounds[user] = max(rounds[user], rounds[place] + (place > user))
            missing_of[user] -= 1
            if not missing_of[user]:
                ready.append(user)
    if len(ready) < len(decoded):
        raise _never_ready([call for call, count in zip(decoded, missing_of) if count], tensors)
    ready.sort(key=lambda place: (rounds[place], place))
    return [decoded[place][:2] + decoded[place][3:5] for place in ready]


def _never_ready(calls, tensors):
    missing = {str(reference[0]) for *_, needed in calls for reference in needed
               if reference[0] not in tensors.created}
    return ValueError('The configuration of the model is not consistent: %s: the inputs of %s are made by no layer in '
                      'it.' % ('Missing node: %s' % ', '.join(sorted(missing)) if missing else
                               'layers wait for each other in a loop',
                               ', '.join(sorted({call[0] for call in calls})[:10])))


class _Reference(tuple):
    """(layer, node, tensor) inside decoded arguments."""


def _decoded_call(node, names):
    """Arguments of a call with `_Reference`s in the place of tensors, and the list of these.

    names: those of all layers, which tell a reference among the arguments from a list.
    """
    needed, first_kwargs = [], []

    def reference(entry):
        needed.append(_Reference(entry[:3]))
        return _Leaf(needed[-1])

    def decode(value):
        if isinstance(value, dict):
            if '__keras_tensor__' in value:
                return reference(value['__keras_tensor__'])
            if value.get('class_name') == '__keras_tensor__':  # of Keras 3
                return reference(value['config']['keras_history'])
            if value.get('class_name') == '__numpy__':  # those of files are arrays by now
                return values.decoded(value)
            return {key: decode(part) for key, part in value.items()}
        if type(value) is list and len(value) == 3 and _is_reference(value, names):  # of tf.keras
            return reference(value)
        return type(value)([decode(part) for part in value]) if isinstance(value, (list, tuple)) else value

    def inputs(entry):
        if isinstance(entry, dict):
            return {key: inputs(part) for key, part in entry.items()}
        if not _is_reference(entry, names) and entry[:2] != ['_CONSTANT_VALUE', -1]:
            if not isinstance(entry, (list, tuple)) or entry and isinstance(entry[0], str):
                missing = entry[0] if isinstance(entry, (list, tuple)) else entry
                raise ValueError('Missing node: %.50s. The input of a layer is said to be %.100r. Expected '
                                 '[layer, call, output], with the name of a layer in the configuration. The usual '
                                 'cause: it was renamed or left out.' % (missing, entry))
            return [inputs(part) for part in entry]
        first_kwargs.append(entry[3] if len(entry) > 3 else {})
        return reference(entry) if entry[0] != '_CONSTANT_VALUE' else entry[2]
    if isinstance(node, dict) and ('__args__' in node or 'args' in node):
        args = node['__args__'] if '__args__' in node else node['args']  # as Keras 3 has it
        return [decode(part) for part in args], decode(node.get('kwargs', {})), needed
    first = inputs(node)
    if isinstance(first, list) and len(first) == 1:
        first = first[0]
    kwargs = decode(dict(first_kwargs[0])) if first_kwargs else {}
    rest = kwargs.pop('__args__', [])
    return [first] + rest, kwargs, needed


def _is_reference(value, names):
    return len(value) >= 3 and isinstance(value[0], str) and value[0] in names and type(value[1]) is type(
        value[2]) is int and min(value[1:3]) >= 0


class _Leaf:
    __slots__ = ('reference',)

    def __init__(self, reference):
        self.reference = reference


def _with_tensors(structure, tensors):
    return tree.map_structure(lambda leaf: tensors.get(leaf.reference) if isinstance(leaf, _Leaf) else leaf, structure)


def clone_inputs(graph):
    """Fresh inputs like those of `graph`."""
    return [Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name,
                  **{kind: True for kind in ('sparse', 'ragged') if getattr(tensor, kind)})
            for tensor, name in zip(graph.inputs, graph.input_names)]


