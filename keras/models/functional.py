"""`Graph`: the layers between symbolic inputs and outputs, the plans they run from, and their configuration."""
from keras.backend import tree
from keras.backend.dispatch import TABLE, Entry
from keras.backend.engine import get_engine
from keras.backend.state import Variable
from keras.backend.symbolic import KerasTensor, Plan, nodes_between
from keras.layers.base import Layer
from keras.layers.calls import signature_of
from keras.layers.input_layer import Input
from keras.models.layouts import channels_first
from keras.saving import serialization


class Graph:
    """What lies between `inputs` and `outputs`, nested structures of KerasTensors.

    Args:
        owner: name of the model, for messages.
    """

    def __init__(self, inputs, outputs, owner):
        self.owner = owner
        self.input_structure = inputs
        self.output_structure = outputs
        self.inputs = _symbolic_leaves(inputs, owner, 'inputs')
        self.outputs = _symbolic_leaves(outputs, owner, 'outputs')
        self._check_inputs()
        self.nodes = nodes_between(self.inputs, self.outputs)
        self.layers, self.layer_nodes = _ordered_layers(self.inputs, self.outputs)
        self._check_names()
        self._plans = {}
        self._variants = {}

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
        return [_producer(tensor).name if _producer(tensor) is not None else tensor.name for tensor in self.inputs]

    @property
    def output_names(self):
        return _output_names(self.outputs)

    def plan(self, training, extra=()):
        """The plan for one value of `training`; the tensors `extra` are computed along and appended."""
        data_format = get_engine().data_format
        key = (bool(training), data_format) + tuple(map(id, extra))
        if key not in self._plans:
            outputs = self.outputs + list(extra)
            if data_format == 'channels_first':
                outputs = channels_first(self.inputs, outputs)
            self._plans[key] = Plan(self.inputs, outputs,
                                    lambda node: node.operation.plan_function(node, bool(training)))
        return self._plans[key]

    def flat_inputs(self, inputs):
        """`inputs` as one value per input of the graph, in its order.

        Raises:
            ValueError: if their number does not fit, or a name is missing.
        """
        if isinstance(inputs, dict):
            names = self.input_names if not isinstance(self.input_structure, dict) else sorted(self.input_structure)
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ValueError('Model %s: no data for the inputs %s. Received data for: %s.'
                                 % (self.owner, missing, sorted(inputs)))
            return [inputs[name] for name in names]
        leaves = tree.flatten(inputs)
        if len(leaves) != len(self.inputs):
            raise ValueError('Model %s expects %d input%s (%s), but it received %d.'
                             % (self.owner, len(self.inputs), 's' * (len(self.inputs) != 1),
                                ', '.join(self.input_names), len(leaves)))
        return leaves

    def pack_outputs(self, leaves):
        if isinstance(self.output_structure, KerasTensor):
            return leaves[0]
        return tree.pack_as(self.output_structure, leaves)

    def variant(self, masked):
        """The graph called with masks on some inputs: `masked` says on which.

        Returns:
            A Graph whose inputs are those of this one followed by one mask per True in `masked`.
        """
        key = tuple(masked)
        if not any(key):
            return self
        if key not in self._variants:
            fresh = [KerasTensor(tensor.shape, tensor.dtype, name=tensor.name) for tensor in self.inputs]
            masks = []
            for tensor, has_mask in zip(fresh, key):
                if has_mask:
                    tensor.mask = KerasTensor(tensor.shape[:2], 'bool', name=tensor.name + '_mask')
                    masks.append(tensor.mask)
            outputs = self.replay(fresh)
            self._variants[key] = Graph(fresh + masks, outputs, self.owner)
        return self._variants[key]

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


def call_symbolically(operation, args, kwargs):
    """Call a layer or table entry on symbolic tensors without noting it among the layer's own calls."""
    if isinstance(operation, Layer):
        return operation._call_symbolically(signature_of(type(operation)), args, kwargs, register=False)
    return operation.call(*args, **kwargs)


def _symbolic_leaves(structure, owner, what):
    leaves = tree.flatten(structure)
    for leaf in leaves:
        if not isinstance(leaf, KerasTensor):
            raise ValueError('Model %s: the %s must be symbolic tensors, made by Input() and by calling layers on '
                             'them. Received: %r' % (owner, what, leaf))
    return leaves


def _producer(tensor):
    """The layer that made `tensor`, or None."""
    operation = tensor.node.operation if tensor.node is not None else None
    return operation if isinstance(operation, Layer) else None


def _output_names(outputs):
    names = []
    for tensor in outputs:
        layer = _producer(tensor)
        name = layer.name if layer is not None else tensor.name
        names.append(name if name not in names else '%s_%d' % (name, names.count(name) + 1))
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
    depths, node_depths = {}, {}
    for node in reversed(rising):
        depth = max(node_depths.get(node, 0), depths.get(id(node.operation), 0))
        node_depths[node] = depths[id(node.operation)] = depth
        for tensor in node.input_tensors:
            if tensor.node in finished:
                node_depths[tensor.node] = max(depth + 1, node_depths.get(tensor.node, 0))
    layers = {}
    for node in rising:
        if isinstance(node.operation, Layer):
            layers[id(node.operation)] = node.operation
    for tensor in inputs:
        layer = _producer(tensor)
        if layer is not None and layer.is_input:
            layers[id(layer)] = layer
            met.setdefault(id(layer), len(met))
    ordered = sorted(layers.values(), key=lambda layer: (-depths.get(id(layer), 0), met[id(layer)]))
    return ordered, [node for node in rising if not getattr(node.operation, 'is_input', False)]


# --- configuration ----------------------------------------------------------------------------------------------------

def graph_config(graph):
    """`graph` as plain values, in the form of Keras 2."""
    numbers = _node_numbers(graph)
    names = {id(node): node.operation.name for node in graph.layer_nodes}
    for index, node in enumerate(node for node in graph.layer_nodes if isinstance(node.operation, Entry)):
        names[id(node)] = '%s_operation_%d' % (node.operation.name, index + 1)

    def reference(tensor):
        name = names.get(id(tensor.node), tensor.node.operation.name)
        return [name, numbers.get(id(tensor.node), 0), tensor.index]

    layers = []
    for layer in graph.layers:
        nodes = [node for node in layer._inbound_nodes if id(node) in numbers and not layer.is_input]
        serialized = serialization.serialize_keras_object(layer)
        entry = {'name': layer.name, 'class_name': serialized['class_name'], 'config': serialized['config'],
                 'inbound_nodes': [_node_config(node, reference) for node in nodes]}
        layers.append(entry)
    for node in graph.layer_nodes:
        if isinstance(node.operation, Entry):
            layers.append(_operation_config(node, names[id(node)], reference))
    return {'layers': layers, 'input_layers': _references(graph.input_structure, reference),
            'output_layers': _references(graph.output_structure, reference)}


def _node_numbers(graph):
    """Each node's number among the nodes of its layer that belong to the graph."""
    inside = {id(node) for node in graph.layer_nodes} | {id(tensor.node) for tensor in graph.inputs}
    numbers = {}
    for layer in graph.layers:
        nodes = [node for node in layer._inbound_nodes if id(node) in inside]
        numbers.update((id(node), number) for number, node in enumerate(nodes, _first_number(layer)))
    return numbers


def _first_number(layer):
    """The number of a layer's first call in a config: in the form of Keras 2, 0 is a model's own making."""
    return 1 if hasattr(layer, '_graph') else 0


def _references(structure, reference):
    if isinstance(structure, dict):
        return {key: _references(value, reference) for key, value in structure.items()}
    return [reference(tensor) for tensor in tree.flatten(structure)]


def _node_config(node, reference):
    kwargs = {key: _argument_config(value, reference) for key, value in node.kwargs.items()
              if key not in node.implicit}
    rest = dict(kwargs)
    if len(node.args) > 1:
        rest['__args__'] = [_argument_config(value, reference) for value in node.args[1:]]
    first = node.args[0]
    if isinstance(first, dict):
        return {'__args__': [_argument_config(value, reference) for value in node.args], 'kwargs': kwargs}
    entries = []
    for position, tensor in enumerate(tree.flatten(first)):
        entries.append(reference(tensor) + [rest if position == 0 else {}])
    return entries


def _argument_config(value, reference):
    def encode(leaf):
        if isinstance(leaf, KerasTensor):
            return {'__keras_tensor__': reference(leaf)}
        if isinstance(leaf, Variable):
            return leaf.numpy().tolist()
        return leaf.tolist() if hasattr(leaf, 'tolist') else leaf
    return tree.map_structure(encode, value)


def _operation_config(node, name, reference):
    return {'name': name, 'class_name': '__operation__', 'config': {'name': node.operation.name},
            'inbound_nodes': [{'__args__': [_argument_config(value, reference) for value in node.args],
                               'kwargs': {key: _argument_config(value, reference)
                                          for key, value in node.kwargs.items()}}]}


def graph_from_config(config, custom_objects=None):
    """(inputs, outputs, {name: layer}) from what `graph_config` gave, or from a file of Keras 2.

    Raises:
        ValueError: for an unknown layer class (with near matches), or connections to layers that are not there.
    """
    from keras import layers as layer_module
    created, calls = {}, []
    for entry in config['layers']:
        name = entry.get('name') or entry['config']['name']
        if entry['class_name'] == '__operation__':
            created[name] = TABLE[entry['config']['name']]
        else:
            created[name] = layer_module.deserialize(
                {'class_name': entry['class_name'], 'config': entry['config']}, custom_objects=custom_objects)
    highest = _highest_numbers(config)
    for entry in config['layers']:
        name = entry.get('name') or entry['config']['name']
        nodes = entry.get('inbound_nodes', ())
        # Files of Keras 2 count the calls of a nested model from 1, those of Keras 3 from 0.
        first = 1 if nodes and highest.get(name, 0) >= len(nodes) else 0
        calls.extend((name, number, first, node) for number, node in enumerate(nodes, first))
    tensors = _Tensors(created)
    _replay_calls(calls, tensors)
    return (tensors.structure(config['input_layers']), tensors.structure(config['output_layers']),
            {name: layer for name, layer in created.items() if isinstance(layer, Layer)})


def _highest_numbers(config):
    """{layer: the highest number under which one of its calls is referred to}."""
    highest = {}
    references = []
    _collect_references([config['input_layers'], config['output_layers']], references)
    for entry in config['layers']:
        for node in entry.get('inbound_nodes', ()):
            references.extend(_decoded_call(node)[2])
    for name, number, _ in references:
        highest[name] = max(number, highest.get(name, 0))
    return highest


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
        self.outputs = {name: {0: layer._inbound_nodes[0].outputs} for name, layer in created.items()
                        if getattr(layer, 'is_input', False)}

    def has(self, reference):
        return reference[1] in self.outputs.get(reference[0], {})

    def get(self, reference):
        return self.outputs[reference[0]][reference[1]][reference[2]]

    def add(self, name, number, outputs):
        self.outputs.setdefault(name, {})[number] = tree.flatten(outputs)

    def structure(self, references):
        if isinstance(references, dict):
            return {key: self.structure(value) for key, value in references.items()}
        if references and isinstance(references[0], str):
            return self.get(references)
        tensors = [self.get(reference) if isinstance(reference[0], str) else self.structure(reference)
                   for reference in references]
        return tensors[0] if len(tensors) == 1 else tensors


def _replay_calls(calls, tensors):
    waiting = list(calls)
    while waiting:
        later = []
        for name, number, first, node in waiting:
            args, kwargs, needed = _decoded_call(node)
            if number > first and not tensors.has((name, number - 1)) or not all(map(tensors.has, needed)):
                later.append((name, number, first, node))
                continue
            args, kwargs = _with_tensors([args, kwargs], tensors)
            operation = tensors.created[name]
            outputs = operation.call(*args, **kwargs) if isinstance(operation, Entry) else operation(*args, **kwargs)
            tensors.add(name, number, outputs)
        if len(later) == len(waiting):
            raise ValueError('The configuration of the model is not consistent: the inputs of %s are made by no layer '
                             'in it.' % ', '.join(sorted({name for name, _, _, _ in later})))
        waiting = later


class _Reference(tuple):
    """(layer, node, tensor) inside decoded arguments."""


def _decoded_call(node):
    """Arguments of a call with `_Reference`s in the place of tensors, and the list of these."""
    needed = []

    def reference(entry):
        needed.append(_Reference(entry[:3]))
        return _Leaf(needed[-1])

    def decode(value):
        if isinstance(value, dict):
            if '__keras_tensor__' in value:
                return reference(value['__keras_tensor__'])
            return {key: decode(part) for key, part in value.items()}
        return [decode(part) for part in value] if isinstance(value, list) else value
    if isinstance(node, dict):
        return [decode(part) for part in node['__args__']], decode(node.get('kwargs', {})), needed
    entries = [list(entry) + [{}] * (4 - len(entry)) for entry in node]
    first = [reference(entry) for entry in entries]
    kwargs = decode(dict(entries[0][3]))
    rest = kwargs.pop('__args__', [])
    return [first[0] if len(first) == 1 else first] + rest, kwargs, needed


class _Leaf:
    __slots__ = ('reference',)

    def __init__(self, reference):
        self.reference = reference


def _with_tensors(structure, tensors):
    return tree.map_structure(lambda leaf: tensors.get(leaf.reference) if isinstance(leaf, _Leaf) else leaf, structure)


def clone_inputs(graph):
    """Fresh inputs like those of `graph`."""
    return [Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)
            for tensor, name in zip(graph.inputs, graph.input_names)]


