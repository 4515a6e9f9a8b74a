"""What older packages read of a model that is a graph: its nodes and layers by depth, and those at its ends."""
import collections

from keras.backend.graph.tensors import uses_learning_phase
from keras.layers.yielding import yielding


class Keras2View:
    """The part of `Model` that exists to be read under the names of Keras 1, Keras 2 and tf.keras."""

    def _by_depth(self, of_nodes):
        graph = self.layer_graph
        if graph is None:
            raise AttributeError('Model %s is not a graph of layers, so nothing in it has a depth.' % self.name)
        depths = graph.depths()[0 if of_nodes else 1]
        found = collections.defaultdict(list)
        for thing in graph.all_nodes() if of_nodes else graph.layers:
            found[depths.get(thing, 0)].append(thing)
        return dict(found)

    @property
    def _nodes_by_depth(self):
        """{distance from the outputs: nodes}."""
        return self._by_depth(True)

    @property
    def _layers_by_depth(self):
        """{distance from the outputs: layers}."""
        return self._by_depth(False)

    nodes_by_depth, layers_by_depth = yielding(_nodes_by_depth.fget), yielding(_layers_by_depth.fget)

    @property
    def _input_layers(self):
        return [tensor.node.operation for tensor in self.required_graph().inputs]

    @property
    def _output_layers(self):
        return [tensor.node.operation for tensor in self.required_graph().outputs]

    input_layers, output_layers = yielding(_input_layers.fget), yielding(_output_layers.fget)

    @property
    def _input_coordinates(self):
        return list(map(_coordinates, self.required_graph().inputs))

    @property
    def _output_coordinates(self):
        return list(map(_coordinates, self.required_graph().outputs))

    @property
    def _feed_input_names(self):
        return self.input_names

    @property
    def _feed_input_shapes(self):
        return [tensor.shape for tensor in self.required_graph().inputs]

    @property
    def _feed_output_names(self):
        return self.output_names

    @yielding
    def uses_learning_phase(self):
        """Whether an output is another one in training than in prediction."""
        if self.layer_graph is None:
            return any(layer.uses_learning_phase for layer in self.layers)
        return any(map(uses_learning_phase, self.outputs))


def _coordinates(tensor):
    """(layer, number of its call, number of the output) that a tensor comes from."""
    return tensor.node.operation, tensor.node.number, tensor.index
