"""The short way of `model(x)` for one tensor, outside of everything else, as scripts call a model in a loop."""
from keras.backend.contract import tree
from keras.backend.contract.context import calls, carried, context, learning_phase, running
from keras.backend.contract.loading import active, get_engine
from keras.backend.state.variables import native_result
from keras.backend.table.composites.shape import dtype_of, static_shape
from keras.layers.additions import additions_made
from keras.layers.calls import is_ours
from keras.layers.weights import adapter_changes
from keras.training.unchanged import Unchanged

# How often a shape comes before the call is compiled for it, and for how many shapes that is done.
TIMES, MOST_SHAPES = 3, 8


class DirectCall:
    """Runs the graph of a model on tensors like `inputs`; what the long way has found not to matter is not looked for.

    On an engine that compiles, shapes that come again and again are compiled, until an attribute of a layer changes.

    Args:
        model: a built `Model`. forward: its `Forward`. inputs: a native tensor that it has just been called on.

    Attributes:
        is_possible: False where a call does more than run the graph, for as long as `is_current`.
    """

    def __init__(self, model, forward, inputs):
        self._graph, self._kind, self._dtype = model.layer_graph, type(inputs), inputs.dtype
        self._seen = _versions()
        self._rank = None
        layers = model.walk_layers()
        self.is_possible = _takes_one_tensor(self._graph) and not any(tensor.mask is not None for tensor
                                                                      in self._graph.outputs) \
            and forward.additions().is_empty and all(is_ours(type(layer)) for layer in layers) \
            and not any(_says_training(layer) for layer in layers)
        self._run, self._compiled = None, set()
        if self.is_possible and model.ruled('inputs_are_fitted'):
            tensor = self._graph.inputs[0]
            self._rank = len(tensor.shape)
            self.is_possible = len(static_shape(inputs)) == self._rank and dtype_of(inputs) == tensor.dtype
        self._gives_one = self.is_possible and self._graph.output_structure is self._graph.outputs[0]
        if self.is_possible:
            self._plan = self._graph.plan(False)
            self._unchanged = Unchanged(forward, [], trains=False)
            if get_engine().joins_operations and not model.stateful and self._unchanged.can_be_seen():
                self._run = get_engine().step(self._leaves, model.variables, []).read
                self._shapes = {}  # how often each came

    def is_current(self):
        """Whether nothing has changed that a graph runs by."""
        return self._seen == _versions()

    def __call__(self, inputs, kwargs):
        """The outputs for `inputs`, None where this is not a call like the one that has been seen, or does not stand
        alone."""
        if type(inputs) is not self._kind or inputs.dtype is not self._dtype or calls.losses is not None \
                or context.ledger is not None or context.tracing is not None or carried \
                or kwargs and (len(kwargs) > 1 or kwargs.get('training') is not False):
            return None
        if self._compiled and inputs.shape in self._compiled:
            if self._unchanged.holds():
                outputs = self._run(inputs)
                return outputs[0] if self._gives_one else self._graph.pack_outputs(outputs)
            # What was compiled knows the attributes as they were: the long way goes, and the next call begins anew.
            self._seen = None
        if not self.is_possible or learning_phase.value is not None or not self.is_current() \
                or self._rank is not None and len(static_shape(inputs)) != self._rank:
            return None
        if self._run is not None:
            self._count(inputs.shape)
        with running(kwargs.get('training')):
            outputs = self._plan([inputs])
        return outputs[0] if self._gives_one else self._graph.pack_outputs(outputs)

    def _leaves(self, inputs):
        with running(False):
            return list(map(native_result, self._plan([inputs])))

    def _count(self, shape):
        times = self._shapes.get(shape, 0) + 1
        if times > 1 or len(self._shapes) < MOST_SHAPES:
            self._shapes[shape] = times
        if times == TIMES:
            self._compiled.add(shape)


def _versions():
    """What is counted of all that graphs run by."""
    return active.activations, adapter_changes(), additions_made()


def _says_training(layer):
    """Whether a layer is a model in whose graph a layer was told whether it trains."""
    graph = getattr(layer, 'layer_graph', None)
    return graph is not None and any('training' in node.kwargs for node in graph.layer_nodes)


def _takes_one_tensor(graph):
    return graph is not None and len(graph.inputs) == len(graph.fed) == 1 and not tree.is_nested(graph.input_structure)
