"""A model as a graph of entries of the op table: what its layers do, on symbolic tensors, written down.

While a `Trace` is entered, layers run on symbolic tensors as they do on values: variables read as placeholders, sizes
that are not known as scalars of the graph, and every operation records a node.
"""
import bisect
import functools

from keras.backend.contract import tree
from keras.backend.contract.context import context, running
from keras.backend.graph.nodes import Ancestry, free_tensors
from keras.backend.graph.plans import Plan
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import to_array
from keras.backend.table import primitives
from keras.backend.table.composites.shape import size_along
from keras.export.walk import CannotExport
from keras.models.layouts import channels_first
from keras.models.model import Model


class Trace:
    """What is noted while a model is traced. It is the ledger of its own run.

    Args:
        data_format: where the models' convolutions are to have the channels.
        keeping_states: whether recurrent layers assign their states, as they do when a model runs.

    variables: {placeholder: the variable that it stands for}. assigned: {variable: what was assigned to it}. seeds: the
    placeholders of what random operations were given.
    """

    def __init__(self, data_format='channels_first', keeping_states=False):
        self.data_format, self.keeping_states = data_format, keeping_states
        self.variables, self.assigned, self.seeds = {}, {}, set()
        self._placeholders, self._sizes, self._ends, self._layers = {}, {}, [], []

    # --- as the ledger of the run

    def read(self, variable):
        return self.assigned[variable] if variable in self.assigned else self.placeholder(variable)

    def placeholder(self, variable):
        """What stands for the value that `variable` has before the run."""
        if variable not in self._placeholders:
            placeholder = KerasTensor(variable.shape, variable.kept_dtype, name=variable.path)
            self._placeholders[variable], self.variables[placeholder] = placeholder, variable
        return self._placeholders[variable]

    def write(self, variable, value):
        self.assigned[variable] = value

    @staticmethod
    def cast(x, dtype):
        """A symbolic tensor in another dtype, for weights that read otherwise than they are kept."""
        return primitives.cast(x, dtype)

    def sizes(self, x):
        """The shape of a symbolic tensor, with scalars of the graph for the sizes that are not known."""
        return tuple(self._size(x, axis) if size is None else size for axis, size in enumerate(x.shape))

    def _size(self, x, axis):
        if (x, axis) not in self._sizes:
            self._sizes[x, axis] = size_along(x, axis)
        return self._sizes[x, axis]

    def seed(self):
        """The seed of a random operation: nothing that a graph can know."""
        seed = KerasTensor((2,), 'uint32', name='seed')
        self.seeds.add(seed)
        return seed

    def __enter__(self):
        self._block = running(False, updating=False, keeping_states=self.keeping_states)
        self._block.__enter__()
        self._previous = context.ledger, context.abstract, context.tracing
        context.ledger, context.abstract, context.tracing = self, False, self
        return self

    def __exit__(self, *error):
        context.ledger, context.abstract, context.tracing = self._previous
        self._block.__exit__(*error)

    # --- running

    def structure_of(self, function, arguments):
        """What `function` gives for symbolic `arguments`.

        Raises:
            CannotExport: where a layer needs the values of tensors, as those that look up words on the host do.
        """
        with self:
            try:
                return function(*arguments)
            except (TypeError, AttributeError) as error:
                raise CannotExport('it cannot be traced, since what runs wants values and there are none yet: layers '
                                   'that compute on the host, or by functions of an engine, have no form in another '
                                   'runtime (%s)' % error) from error

    def outputs_of(self, model, arguments):
        """The outputs of `model` for symbolic arguments in the structure of its own; of a graph a flat list."""
        graph = getattr(model, 'layer_graph', None)
        if graph is None or type(model).call is not Model.call:
            return self.structure_of(functools.partial(model, training=False), arguments)
        outputs = graph.outputs
        if self.data_format == 'channels_first':
            outputs = channels_first(graph.inputs, outputs)
        return self.structure_of(Plan(graph.inputs, outputs, self._noted), [graph.flat_inputs(arguments[0])])

    def _noted(self, node):
        function = node.function(False)

        def run(*args, **kwargs):
            results = function(*args, **kwargs)
            made = [leaf.node.order for leaf in tree.flatten(results)
                    if isinstance(leaf, KerasTensor) and leaf.node is not None]
            if made:
                self._ends.append(max(made))
                self._layers.append(node.operation.name)
            return results
        return run

    def layer_of(self, node):
        """The name of the layer that recorded `node`; '' where it is not known."""
        place = bisect.bisect_left(self._ends, node.order)
        return self._layers[place] if place < len(self._layers) else ''

    # --- what follows from the weights alone

    def constants(self):
        """A function that says whether a symbolic tensor of the trace depends on weights only, which do not change."""
        ancestry = Ancestry([placeholder for placeholder, variable in self.variables.items()
                             if variable not in self.assigned])
        return lambda tensor: not ancestry.needs_more(tensor)

    def value_of(self, tensor):
        """The NumPy value of a tensor that depends on weights only."""
        placeholders = free_tensors([tensor])
        if tensor in self.variables:
            return self.variables[tensor].numpy()
        plan = Plan(placeholders, [tensor], lambda node: node.function(False))
        with running(False):
            return to_array(plan([self.variables[placeholder].value for placeholder in placeholders])[0])
