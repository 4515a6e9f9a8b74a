"""`Forward`: a model as training runs it."""
from keras.backend.contract import tree
from keras.backend.contract.context import phase_or
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.plans import Plan
from keras.backend.table.composites.shape import dtype_of, static_shape
from keras.layers.additions import GraphAdditions
from keras.layers.calls import calls, note_mask, running, signature_of
from keras.layers.rows import has_rows, in_rows_where, masks_of_rows, without_rows


class Forward:
    """The forward pass of a model, along with what its layers add to the outputs.

    Args:
        model: the model. own_call: whether its class has a `call` of its own.
    """

    def __init__(self, model, own_call):
        self.model = model
        self.own_call = own_call
        self._additions = None
        # {(engine, training): the model's call, which may write into what it is given}
        self._guarded = {}

    @property
    def graph(self):
        """The `Graph` of the model, None where it is defined by `call` alone, or is not built yet."""
        return self.model.layer_graph

    @property
    def name(self):
        return self.model.name

    def own_kinds(self):
        """The kinds of steps that the model defines itself; training and testing go together."""
        found = {kind for kind in ('train', 'test', 'predict') if self.model.defines_own(kind)}
        return found | {'train', 'test'} if found & {'train', 'test'} else found

    def additions(self):
        """The losses, metrics and updates that were added to the graph, see `GraphAdditions`."""
        if self._additions is None or not self._additions.is_current():
            self._additions = GraphAdditions(self.model, self.layers_with_additions())
        return self._additions

    def layers_with_additions(self):
        """The layers whose additions are computed along: models inside this one hand on theirs when they are called."""
        return [layer for layer in self.model.walk_layers()
                if layer is self.model or not hasattr(layer, 'layer_graph')]

    def outputs_for(self, inputs):
        """The outputs for abstract `inputs`, as AbstractTensors or the symbolic tensors of the graph; builds the model.
        """
        model = self.model
        if not model.built:
            model.ensure_built_for(signature_of(type(model)), [inputs], {})
        return model.abstract_outputs([inputs], {}) if self.graph is None else self.graph.outputs

    def outputs_of_rows(self, inputs):
        """`outputs_for` native `inputs` of which some are ragged: of a run with them, which builds the model."""
        outputs, masks = without_rows(self.model(inputs))
        if self.graph is not None:
            return self.graph.outputs
        masks = iter(masks)

        def described(x):
            sizes = tuple(static_shape(x))[1 if next(masks) is None else 2:]
            return AbstractTensor((None,) * (len(static_shape(x)) - len(sizes)) + sizes, dtype_of(x))
        return tree.map_structure(described, outputs)

    def with_additions(self, values, training, extra=()):
        """The outputs of the graph and the tensors `extra`; what was added to the graph goes to the running call."""
        return self._of_graph(self.graph, values, training, extra)

    def _of_graph(self, graph, values, training, extra):
        additions = self.additions()
        if additions.is_empty:
            return graph.plan(training, extra)(values)
        results = graph.plan(training, list(extra) + additions.tensors(training))(values)
        wanted = len(graph.outputs) + len(extra)
        additions.note(results[wanted:], training)
        return results[:wanted]

    def with_masks_noted(self, values, training):
        """`with_additions`, and the masks of the outputs for the layers called next."""
        outputs = self.graph.outputs
        masks = [tensor.mask for tensor in outputs if tensor.mask is not None]
        results = self.with_additions(values, training, masks)
        found = iter(results[len(outputs):])
        for tensor, result in zip(outputs, results):
            if tensor.mask is not None:
                note_mask(result, next(found))
        return results[:len(outputs)]

    def run(self, inputs, training, with_masks=False, along=(), frozen=None):
        """The outputs for native `inputs` in a training or test step.

        Args:
            with_masks: whether the masks of the outputs are wanted. along: tensors of the graph to compute, too.
            frozen: the ids of the layers that count as not trainable; None: as they say themselves.

        Returns:
            (outputs, the masks of the outputs: a list with None where there is none, losses added, metrics added as
            pairs (name, value), the values of `along`)
        """
        updating, training = training, phase_or(training)
        with running(training, updating, frozen=frozen) as block:
            graph = self.graph
            if graph is None or self.own_call or self._is_hooked() and not along or has_rows(inputs):
                return self._call(inputs, training) + (block.losses, block.metrics, [])
            extra = [tensor.mask for tensor in graph.outputs if tensor.mask is not None] if with_masks else []
            leaves = self._of_graph(graph, graph.flat_inputs(inputs), training, extra + list(along))
        if len(leaves) == len(graph.outputs):
            return graph.pack_outputs(leaves), [None] * len(leaves), block.losses, block.metrics, ()
        outputs, found = leaves[:len(graph.outputs)], iter(leaves[len(graph.outputs):])
        masks = [next(found) if with_masks and tensor.mask is not None else None for tensor in graph.outputs]
        return graph.pack_outputs(outputs), masks, block.losses, block.metrics, list(found)

    def _call(self, inputs, training):
        """(outputs, masks) by the model's own `call`, and what was added to its graph."""
        outputs = self._own_call(inputs, training)
        noted = [(calls.masks or {}).get(id(leaf)) for leaf in tree.flatten(outputs)]
        masks = [None if one is None else one[1] for one in noted]
        additions = self.additions()
        along = Plan([], additions.tensors(training), lambda node: node.function(training))
        additions.note(along([]), training)
        return outputs, masks

    def infer(self, inputs):
        """The outputs for native `inputs` in a step of `predict`."""
        training = phase_or(False)
        with running(training, updating=False):
            graph = self.graph
            if graph is None or self.own_call or self._is_hooked() or has_rows(inputs):
                return self._own_call(inputs, training)
            wanted = masks_of_rows(graph.outputs)
            results = graph.plan(training, wanted)(graph.flat_inputs(inputs))
            return graph.pack_outputs(in_rows_where(graph.outputs, results) if wanted else results)

    def _is_hooked(self):
        """Whether hooks of the engine's library are to run around the model as a whole."""
        return self.model.hooked and self.additions().is_empty

    def _own_call(self, inputs, training):
        # Kept, as the engine finds out once whether the call writes into its inputs.
        key = get_engine(), training
        call = self._guarded.get(key)
        if call is None:
            call = self._guarded[key] = get_engine().out_of_place(self.model)
        return call(inputs, training=training) if self._takes_training() else call(inputs)

    def _takes_training(self):
        signature = signature_of(type(self.model))
        return signature.takes_training or signature.has_kwargs
