"""Steps: a function traced into CNTK graphs, and how those are run.

A step is traced once per signature of its arguments, under a `Trace`. What the trace leaves behind becomes a
`Program`. It runs stage by stage: a stage is one evaluation of CNTK, which also gives the gradients that the next stage
needs. Where the only thing to do after the gradients is to write variables, the whole step is one call of a trainer
with a `universal` learner instead.
"""
import threading

import cntk
import numpy as np
from cntk import cntk_py

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Ledger
from keras.backend.contract.loading import active
from keras.backend.contract.rules import is_float
from keras.backend.engines.cntk.learners import settle
from keras.backend.engines.cntk.tensors import (DEVICE, HostProgram, Recipe, Tensor, borrowed_view, current, data_view,
                                                in_graph, is_parameter, known, node_type, output, uid, value_of)

# Graphs for that many signatures of its arguments a step keeps.
_KEPT_PROGRAMS = 32


def arguments(function):
    """The input variables that a CNTK function depends on."""
    return cntk_py.Function.arguments(function)


class Box:
    """A constant of the graph that is filled from the host at every call with the value of the late tensor `tensor`."""

    def __init__(self, tensor, node, dtype):
        self.tensor, self.node = tensor, node
        self._buffer = np.zeros(tensor.shape, dtype)
        self._view = borrowed_view(self._buffer)

    def fill(self, value):
        np.copyto(self._buffer, value, casting='unsafe')
        self.node.set_value(self._view)


class Feeds:
    """The inputs of an evaluation: `given` for CNTK, over memory that `fill` writes to; `tensors`: whose values."""

    def __init__(self, nodes, tensors):
        self.tensors = [tensors[uid(node)] for node in nodes]
        self._buffers = [np.zeros(x.shape, 'float32') for x in self.tensors]
        self.given = {node: cntk_py.Value(borrowed_view(buffer)) for node, buffer in zip(nodes, self._buffers)}

    def fill(self, values):
        for buffer, value in zip(self._buffers, values):
            np.copyto(buffer, value, casting='unsafe')


class Derivation:
    """One use of `value_and_grad`: gradients of `loss` by `parameters` go to the constants `boxes`."""

    def __init__(self, stage, loss, parameters, boxes):
        self.stage, self.loss, self.parameters, self.boxes = stage, loss, parameters, boxes


class Trace:
    """What is noted while a step is traced."""

    def __init__(self):
        self.inputs = {}
        # The constants for Python's numbers, see `scalar_node`.
        self.scalars = {}
        self.boxes = []
        self.derivations = []
        self.handed = {}
        self.sources = {}
        # Constants into which nodes write while they run.
        self.filled_by_nodes = []
        # The parameters that it reads, and the updates of optimizers that a learner of CNTK's could make.
        self.storages, self.updates = [], []

    def __enter__(self):
        self.previous, current.trace = current.trace, self
        return self

    def __exit__(self, *_):
        current.trace = self.previous

    def read(self, variable):
        """The value of a variable as a tensor: its parameter, or what its array on the host holds at each call."""
        storage = variable.storage
        if is_parameter(storage):
            self.storages.append(storage)
            return Tensor(variable.shape, variable.kept_dtype, node=storage, leaf=True)
        return Tensor(variable.shape, variable.kept_dtype, recipe=(Recipe(lambda: variable.storage, []), None))

    def give_input(self, x):
        """Make the late tensor `x` a leaf of the graph.

        All inputs of one evaluation must have one dtype, so what is not float32 is put into a constant; so is a
        single number, because the update of a learner takes no inputs.
        """
        kind = node_type(x.dtype)
        x.leaf = True
        if kind == 'float64' or x.shape == ():
            x.node = cntk_py.Constant(data_view(np.zeros(x.shape, kind)))
            self.boxes.append(Box(x, x.node, kind))
        else:
            x.node, x.stage = cntk.input_variable(x.shape, np.float32, dynamic_axes=[]), 0
            self.inputs[uid(x.node)] = x

    def handed_on(self, x, stage):
        """The result `x` of an earlier stage as a leaf for `stage`."""
        found = self.handed.get(x)
        if found is None:
            node = cntk_py.Constant(data_view(np.zeros(x.shape, node_type(x.dtype))))
            found = self.handed[x] = Tensor(x.shape, x.dtype, node=node, stage=x.stage + 1, leaf=True)
        return found

    def differentiable(self, x):
        """A parameter with the value of `x`, which may be anything."""
        node = cntk.parameter(x.shape, init=np.zeros(x.shape, node_type(x.dtype)), dtype=np.dtype(x.dtype).type)
        if x.host is not None or x.recipe is not None:
            self.boxes.append(Box(x, node, x.dtype))
            return Tensor(x.shape, x.dtype, node=node, leaf=True)
        x = in_graph(x)
        found = Tensor(x.shape, x.dtype, node=node, stage=max(x.stage, 0) + 1, leaf=True)
        self.sources[found] = x
        return found


# --- gradients ----------------------------------------------------------------------------------------------------

def value_and_grad(fn, variables):
    """`Engine.value_and_grad` while a step is traced."""
    trace = current.trace
    wanted = [variable for variable in dict.fromkeys(variables) if is_float(variable.dtype) and 0 not in variable.shape]
    leaves = {variable: _leaf(variable.value, trace) for variable in wanted}
    outer = current.differentiating, current.floor
    # Behind what is updated by other gradients all of this has to be one evaluation, or the way back would be cut off.
    current.differentiating, current.floor = True, max([d.stage + 1 for d in trace.derivations] + [current.floor])
    try:
        with Ledger(leaves, outer=context.ledger) as ledger:
            value, aux = fn()
    finally:
        current.differentiating, current.floor = outer
    for variable, new in ledger.writes.items():
        variable.assign(new)
    if not value.has_node() or value.leaf:
        return (value, aux), [None for _ in variables]
    stage = max(value.stage, 0)
    reached = {uid(parameter) for parameter in cntk_py.Function.parameters(cntk_py.combine([value.node]))}
    used = [variable for variable in wanted if uid(leaves[variable].node) in reached]
    boxes = {}
    for variable in used:
        node = cntk_py.Constant(data_view(np.zeros(variable.shape, variable.dtype)))
        boxes[variable] = Tensor(variable.shape, variable.dtype, node=node, stage=stage + 1, leaf=True)
    if used:
        trace.derivations.append(Derivation(stage, value.node, [leaves[variable].node for variable in used],
                                            [boxes[variable].node for variable in used]))
    return (value, aux), [boxes.get(variable) for variable in variables]


def _leaf(value, trace):
    if value.leaf and is_parameter(value.node):
        return value
    return trace.differentiable(value)


# --- programs -----------------------------------------------------------------------------------------------------

class Evaluation:
    """One evaluation of CNTK: some nodes, and perhaps the gradients of one of them.

    Args:
        nodes: to give the values of. derivation: a `Derivation` or None. inputs: {uid: late tensor}.
    """

    def __init__(self, nodes, derivation, inputs):
        self.nodes = nodes
        self.derivation = derivation
        roots = {uid(node): node for node in nodes}
        if derivation is not None:
            roots[uid(derivation.loss)] = derivation.loss
        self.function = cntk_py.combine(list(roots.values()))
        self.feeds = Feeds(arguments(self.function), inputs)

    def __call__(self):
        """{node: CNTK value}; gradients are put into their constants."""
        found = dict.fromkeys(self.nodes)
        derivation = self.derivation
        if derivation is None:
            self.function._forward(self.feeds.given, found, DEVICE, set())
        else:
            gradients = dict.fromkeys(derivation.parameters)
            cntk_py.Function.gradients(self.function, self.feeds.given, derivation.loss, gradients, found, DEVICE)
            for parameter, box in zip(derivation.parameters, derivation.boxes):
                box.set_value(gradients[parameter].data())
        return found


class Training:
    """Forward pass, gradients and all updates as one call of a trainer.

    Args:
        nodes, derivation, inputs: as for `Evaluation`. learner: a learner of CNTK's.
    """

    def __init__(self, nodes, derivation, inputs, learner):
        self.nodes = nodes
        loss = cntk.to_batch(cntk.reshape(derivation.loss, (1,)))
        model = cntk.combine(nodes) if nodes else None
        self.trainer = cntk.Trainer(model, (loss, None), [learner])
        functions = [function for function in (model, loss) if function is not None]
        self.feeds = Feeds(list({uid(node): node for function in functions for node in arguments(function)}.values()),
                           inputs)
        self.leaves = {uid(node) for function in functions for node in function.parameters + function.constants}

    def __call__(self):
        found = dict.fromkeys(self.nodes)
        if found:
            cntk_py.Trainer.train_minibatch(self.trainer, self.feeds.given, False, found, DEVICE)
        else:
            cntk_py.Trainer.train_minibatch(self.trainer, self.feeds.given, False, DEVICE)
        return found


def universal_learner(derivation, updates):
    """A learner that writes `updates`, pairs of a parameter and a node of the gradients."""
    update = cntk_py.combine([output(cntk_py.assign(parameter, node, '')) for parameter, node in updates])
    return cntk_py.universal_learner(derivation.parameters, derivation.boxes, update)


class OwnTraining(Training):
    """A `Training` with a learner that has values of its own, a `learners.Adam`."""

    def __init__(self, nodes, derivation, inputs, own):
        super().__init__(nodes, derivation, inputs, own.learner)
        self.own = own

    def update(self, rate, step):
        """`__call__` as update number `step`."""
        return self.own.update(rate, step, self)


def _given(array, recipe):
    """The tensor for an argument of a step; None stays, and nothing is unknown about what has no elements."""
    if array is None:
        return None
    return known(array) if 0 in array.shape else Tensor(array.shape, array.dtype.name, recipe=(recipe, None))


class Program:
    """What to do at a call of a step with arguments of one signature."""

    def __init__(self, fn, leaves, structure):
        given = [_given(leaf, Recipe(None, index)) for index, leaf in enumerate(leaves)]
        self.activations, self.lock = active.activations, threading.RLock()
        with Trace() as trace, Ledger(missing=trace.read) as ledger:
            self.outputs = fn(*tree.pack_as(structure, given))
        self.writes = list(ledger.writes.items())
        self.leaves = list(dict.fromkeys(leaf for leaf in tree.flatten(self.outputs) if type(leaf) is Tensor))
        self.handed = [(x.node, leaf.node) for x, leaf in trace.handed.items()]
        self.handed += [(x.node, leaf.node) for leaf, x in trace.sources.items()]
        self.boxes, self.updated, self.rate_and_step = trace.boxes, set(), []
        self.filled_by_nodes = trace.filled_by_nodes
        handed = list(trace.handed) + list(trace.sources.values())
        self.storages = trace.storages + [v.storage for v, _ in self.writes if is_parameter(v.storage)]
        self.stages = self._fused(trace) or self._staged(trace, handed)
        self._prepare_host()

    def _fetched(self, tensors):
        """{stage: [node]} of those among `tensors` that have to be computed."""
        stages = {}
        for x in tensors:
            if _is_computed(x):
                stages.setdefault(max(x.stage, 0), {})[uid(x.node)] = x.node
        return {stage: list(nodes.values()) for stage, nodes in stages.items()}

    def _fused(self, trace):
        """The whole step as one `Training`, where that is possible."""
        if len(trace.derivations) != 1 or self.handed or trace.derivations[0].stage:
            return None
        updates, others = [], []
        for variable, value in self.writes:
            if not _is_on_host(value) and value.stage != 0 and is_parameter(variable.storage):
                updates.append((variable, value))
            else:
                others.append(value)
        fetched = self._fetched(self.leaves + others)
        if any(stage > 0 for stage in fetched) or any(x.leaf and x.stage > 0 for x in self.leaves + others):
            return None
        training = self._with_own_learner(trace, updates, others, fetched.get(0, [])) or \
            self._with_universal_learner(trace, updates, fetched.get(0, []))
        if training is None or not training.feeds.given:
            # A trainer takes a batch without inputs for the end of the data.
            return None
        self.updated = {variable for variable, _ in updates}
        return [training]

    def _with_own_learner(self, trace, updates, others, nodes):
        """The `OwnTraining` for updates that a learner of CNTK's makes by itself, or None."""
        derivation = trace.derivations[0]
        if len(trace.updates) != 1 or not trace.updates[0].are(updates, derivation):
            return None
        training = OwnTraining(nodes, derivation, trace.inputs, trace.updates[0].learner())
        slots = trace.updates[0].slots()
        if any(uid(slot) in training.leaves for slot in slots) or any(
                x.leaf and x.node in slots for x in self.leaves + others):
            return None
        self.rate_and_step = trace.updates[0].rate_and_step
        # What the nodes would have needed.
        self.boxes = [box for box in self.boxes if uid(box.node) in training.leaves]
        self.storages = [storage for storage in self.storages if storage not in slots]
        return training

    def _with_universal_learner(self, trace, updates, nodes):
        """The `Training` whose updates are nodes, or None."""
        filled = {uid(box.node) for box in self.boxes}
        derivation = trace.derivations[0]
        if not updates or any(uid(parameter) in filled for parameter in derivation.parameters):
            return None
        # The update of a learner has no inputs.
        computed = [value.node for _, value in updates if not value.leaf]
        if computed and arguments(cntk_py.combine(computed)):
            return None
        pairs = [(variable.storage, value.node) for variable, value in updates]
        return Training(nodes, derivation, trace.inputs, universal_learner(derivation, pairs))

    def _staged(self, trace, handed):
        """One `Evaluation` per stage and derivation."""
        fetched = self._fetched(self.leaves + [value for _, value in self.writes] + handed)
        last = max(list(fetched) + [derivation.stage for derivation in trace.derivations] + [-1])
        stages = []
        for stage in range(last + 1):
            derivations = [derivation for derivation in trace.derivations if derivation.stage == stage]
            nodes = fetched.get(stage, [])
            for derivation in derivations[:1] or ([None] if nodes else []):
                stages.append(Evaluation(nodes, derivation, trace.inputs))
            stages.extend(Evaluation([], derivation, trace.inputs) for derivation in derivations[1:])
        return stages

    def _prepare_host(self):
        """One function for all that is found on the host: inputs, constants, outputs and writes."""
        wanted = [x for stage in self.stages for x in stage.feeds.tensors] + [box.tensor for box in self.boxes]
        wanted += self.rate_and_step
        self.from_host = [x for x in self.leaves if _is_on_host(x)]
        self.host_writes = [(variable, value) for variable, value in self.writes
                            if variable not in self.updated and _is_on_host(value)]
        self.graph_writes = [(variable, value) for variable, value in self.writes
                             if variable not in self.updated and not _is_on_host(value)]
        self.from_graph = [x for x in self.leaves if not _is_on_host(x)]
        self.on_host = HostProgram(wanted + self.from_host + [value for _, value in self.host_writes])

    def __call__(self, arrays):
        values = iter(self.on_host(arrays))
        for stage in self.stages:
            stage.feeds.fill([next(values) for _ in stage.feeds.tensors])
        for box in self.boxes:
            box.fill(next(values))
        for constant in self.filled_by_nodes:
            # Else CNTK takes what depends on it for up to date.
            constant.record_value_update()
        settle(self.storages)
        if self.rate_and_step:
            rate, step = float(next(values)), float(next(values))
            return self._given_back(self.stages[0].update(rate, step), values)
        found = {}
        for stage in self.stages:
            found.update(stage())
            for node, leaf in self.handed:
                if node in found:
                    leaf.set_value(found[node].data())
        return self._given_back(found, values)

    def _given_back(self, found, values):
        """The outputs, after all writes."""
        results = {x: Tensor(x.shape, x.dtype, np.array(next(values), x.dtype)) for x in self.from_host}
        for x in self.from_graph:
            results[x] = Tensor(x.shape, x.dtype, _array(x, found))
        self._commit(found, values)
        if type(self.outputs) is Tensor:
            return results[self.outputs]
        return tree.map_structure(lambda leaf: results[leaf] if type(leaf) is Tensor else leaf, self.outputs)

    def _commit(self, found, values):
        pending = []
        for variable, value in self.graph_writes:
            if not is_parameter(variable.storage):
                variable.held = _array(value, found)
            elif value.leaf:
                pending.append((variable.storage, data_view(_array(value, found))))
            else:
                pending.append((variable.storage, found[value.node].data()))
        for variable, _ in self.host_writes:
            array = np.array(next(values), variable.dtype)
            if is_parameter(variable.storage):
                pending.append((variable.storage, data_view(array)))
            else:
                variable.held = array
        for storage, data in pending:
            storage.set_value(data)


def _is_on_host(x):
    return x.host is not None or x.recipe is not None


def _is_computed(x):
    return not _is_on_host(x) and not x.leaf


def _array(x, found):
    """The value of a graph tensor, as an array of its dtype."""
    array = value_of(x.node) if x.leaf else found[x.node].data().to_ndarray()
    array = array if array.shape == x.shape else array.reshape(x.shape)
    return array if x.dtype == 'float32' else array.astype(x.dtype, copy=False)


class Step:
    """`Engine.step`: a program for every signature of the arguments."""

    def __init__(self, engine, fn, reads, writes):
        self.engine, self.fn = engine, fn
        self.programs = {}

    def __call__(self, *args):
        arrays = []
        key = self._signature(args, arrays)
        program = self.programs.get(key)
        if program is None or program.activations != active.activations:
            if len(self.programs) >= _KEPT_PROGRAMS:
                del self.programs[next(iter(self.programs))]
            program = self.programs[key] = Program(self.fn, arrays, args)
        # What a program was given and gives is in its nodes: one thread at a time.
        with program.lock:
            return program(arrays)

    def _signature(self, x, arrays):
        """What a program depends on: the structure, shapes and dtypes of the arguments; collects their arrays."""
        kind = type(x)
        if kind is tuple or kind is list:
            return tuple([self._signature(part, arrays) for part in x])
        if isinstance(x, (tuple, list, dict)):
            leaves = tree.flatten(x)
            return (str(tree.map_structure(lambda leaf: None, x)),) + self._signature(leaves, arrays)
        array = None if x is None else self.engine.host_array(x)
        arrays.append(array)
        return None if array is None else (array.shape, array.dtype.char)


def run_once(fn):
    """The results of `fn()`, traced and run."""
    return Program(fn, [], ())([])
